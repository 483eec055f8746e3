// Package retention says until when a record must be kept, from when it may be
// deleted and by when it must be gone, with the reason for each answer.
//
// Start with [ParsePeriod], [New] and [Rules.Plan]. A [Rule] binds a category of
// data to a period that runs from an event (its [Anchor]); a [Plan] is what all
// rules say together about one record at one instant. [Plan.Explain] tells a
// person why, [Plan.AppendJSON] tells a program, [Combine] gives the plan of a
// record whose fields have several categories. Nothing in this package deletes
// anything, and nothing reads a clock: the instant of the question is
// [Input.Now].
//
// # Arithmetic
//
//   - Instants are UTC and whole seconds: fractions of a second in events are
//     dropped from results.
//   - Deadlines are half-open: a thing is due if and only if Now >= deadline. At
//     the deadline itself it is due, one nanosecond earlier it is not.
//   - P2D is two calendar days in the rule's zone, PT48H is 48 hours. A period of
//     hours, minutes and seconds only never looks at a wall clock.
//   - Otherwise: take the wall clock in the zone, add years and months, then weeks
//     and days, go back to an instant, then add hours, minutes and seconds. A day
//     that the target month does not have is decided by [MonthEnd], from the
//     original date: January 31 + P2M is March 31.
//   - A wall clock that happens twice means the first time. A wall clock that is
//     skipped is read with the offset before the change, so it moves forward (the
//     reading of RFC 5545, section 3.3.5).
//   - With [CivilDays] the day of the event is not counted, and the last day ends at
//     24:00; only then may it move to a working day ([Rule.Roll]).
//   - A [Cutoff] moves the start, before the period is added. Rounding moves the
//     end: of floors and wishes up, of ceilings down. A ceiling is never moved to a
//     later working day.
//   - A chained rule ([Rule.After]) starts where the rule that it names ends, before
//     rounding and working days.
//   - An event that has not happened is never replaced by Now or by another
//     event: the plan waits and names it in [Plan.Missing].
//
// # How rules combine
//
//  1. A rule applies if its category, class, region and purpose match and its
//     condition holds.
//
//  2. Inside one [Rule.Topic], the rule with the more specific category replaces
//     the others; among equally specific ones the higher [Strength] does. Between
//     topics nothing is replaced.
//
//  3. Of all floors the latest end counts, of all ceilings the earliest.
//
//  4. Of all delete wishes the most specific category counts, then the higher
//     strength, then the earliest.
//
//  5. Earliest is the later of floor and wish; where there is neither, the event
//     that started the winning ceiling. Latest is the ceiling.
//
//  6. A floor that ends after the ceiling is a [Conflict]: the data is kept and
//     both rules are named. [New] refuses rules that contradict each other for
//     every event.
//
//  7. A request for erasure ([Input.Erasure]) takes the place of the wishes and
//     beats floors below [Law]; what stands against it is listed.
//
//  8. Holds ([Input.Holds]) come last and only ever keep: none makes a date
//     earlier. While one is in force the answer is [Held]. A ceiling that passed
//     meanwhile gets some grace, see [WithHoldGrace].
//
// All this is done for each set of copies that rules of their own bind
// ([Rule.Copies]); the plan itself is that of the primary copy, [Plan.Window] has
// the others. [Plan.Phases] and [Plan.Notices] say what may be done with the data
// meanwhile, and what people are to be told.
//
// Package sweep asks for many records, package audit compares with what was
// removed, and package change is about rules that change.
//
// "No rule is known" ([NoRule]) is an answer of its own. No period is ever made
// up for data that no rule speaks of.
//
// # What is ours
//
// These are choices of this project and come from no source: the order of rules
// above, with the order of strengths (agreement over statement excepted); the grace
// after a hold, that a floor which a hold moved takes a ceiling along that it met
// before, and that a wish which a hold moved goes no further than the ceiling; that
// a hold stops a clock only while it runs; rounding, which is off by default; that
// of two category prefixes the longer is the more specific; that a delete wish
// later than the ceiling gives way to it and is no conflict; that a conflict ends
// when its floor does, and the record is overdue from then on; the limit of 1000
// years on a period, where a year counts 365.2425 days.
package retention
