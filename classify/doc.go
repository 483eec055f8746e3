// Package classify says what kind of personal data a field holds: from its
// declared tags, its name and path, and its value.
//
// Start with [Builtin], which has rules and detectors compiled in, or with [Open],
// which takes the classification of a policy's bundle. [Classifier.Field] answers
// for one field. Programs that classify many fields keep a [Scanner], which
// reuses its memory, one to a goroutine.
//
// # Evidence
//
// What is known about a field is weighed in this order:
//
//   - A declared tag, "privet.category" or "privacy", with one or more category
//     keys between commas. It counts fully, and guesses from the name are left out.
//   - Rules about the name, its words, path, type, tags, source and description.
//     Of several rules for one category the most confident counts. A rule that is
//     less confident than the best by 0.1 or more was a guess from fewer words and
//     gives way; rules that are nearly as sure are all reported. A category below
//     system, which says that the field is about the machine, gives way when a
//     rule finds a category of a person.
//   - Rules that also read the value.
//   - Detectors, which find spans in the value: a shape, a check such as a check
//     digit, and words around it. They are reported beside whatever the name says:
//     a mail address in a field that is declared to be harmless is still one.
//
// A rule and a detector that agree on a category raise its confidence: what is
// left of doubt is the product of both doubts.
//
// A value that is a pseudonym of this project (p1_1_…) is reported as
// user.unique_id.pseudonymous by its own detector, and no other detector looks
// into it.
//
// # Confidence and order
//
// Confidence goes from 0 to 1 in thousandths. Labels below the threshold, 0.4
// unless the policy says otherwise, are not reported. Labels come in a total
// order: confidence from high to low, then category, then rule, then first span;
// equal input gives equal output, in every host.
//
// # Cost
//
// A field meets the rules that can hold for it. What a condition asks about a text
// is answered for all rules in one pass over that text: equality, startsWith,
// endsWith, contains, in and matches, also of lowerAscii(). What it asks about the
// words of the name (hasAny, hasAll, in, ==) is answered by looking up each word
// once. Anything else in a condition is evaluated only for rules that those answers
// call; a rule that nothing can call, such as one that only negates, is asked about
// every field. What the name, path, type, source, description and tags say is
// remembered for a field, and only rules that the value or the context can still
// decide are asked again.
//
// # Limits
//
// What is remembered is bounded: 4,096 fields, each with texts of 4 KiB at most in
// all, and a field that finds its place taken replaces another one: 1.6 MB after a
// million short names, 17.6 MB after names just below the limit. The automata
// that answer for texts are made as they are needed, within 8 MiB for each of the
// variables; conditions whose automata would not stay within that are matched one
// by one, in linear time.
//
// Rules see names and other short texts up to 1 KiB, descriptions up to 4 KiB and
// values up to 64 KiB; what is longer is cut for them. Detectors look at the whole
// value in [Classifier.Field], and at the first [Scanner.MaxValue] bytes in a
// Scanner, which reports when it left something out; [Scanner.ScanReader] searches
// streams. A text is searched in time linear in its length, by all detectors at once,
// and no match is longer than 64 KiB. Their automaton takes a few MiB for prose
// and code, and for texts full of numbers up to 32 MiB, twice that while it is renewed.
//
// # Plain form
//
// Detectors look at the plain form of a text: full-width digits and other
// compatibility forms of ASCII as what they stand for, digits of all scripts as
// ASCII digits, characters that nobody sees left out. Places are those in the text
// as it was given, in bytes; [Offsets] converts them. Rules see values as they are.
package classify
