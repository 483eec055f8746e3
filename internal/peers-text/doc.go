// Package peerstext measures how detectors look for personal data in texts, beside
// what else a Go program could use for it: a loop of package regexp over the same
// patterns, gitleaks and alcatraz. It holds tests and benchmarks only, in a module of
// its own, so that nobody who uses Privet inherits the peers.
//
// # Texts
//
// prose is sentences that people wrote: the comments and Markdown of the Go
// distribution and of the modules in go.sum, without generated files and without the
// peers, each sentence once and none with a mail address, a handle or an author. That
// is about 12 MB; a longer text says them again in another order. What is found in it
// is addresses of pages and machines, dates, and errors.
//
// logs and dense are made by code from a fixed seed: lines of a server, one in four
// with the address of a client, and sentences with an identifier about every 50 bytes.
// Hostile texts make an engine work hard.
//
// # Engines
//
// They do not do the same, and find different things; a row says how many.
//
//   - privet has all built-in detectors, with checks and the words around a match;
//     privet-reader is the same by way of Scanner.ScanReader.
//   - regexp tries the same patterns one by one, leftmost-longest. It checks no digit
//     and reads no context. (Leftmost-first took as long.)
//   - gitleaks has its default rules, for secrets only. It looks for literals before it
//     tries a rule, and gets pieces of 100 kB as from its command. Decoding of what is
//     encoded, such as base64, is off, as it is in its library.
//   - alcatraz has its default recognizers, 52 kinds of identifier, with checks and
//     context, and the threshold of its command, 0.4, which is Privet's too. It keeps
//     compiled patterns for the whole process, so its rows of BenchmarkFirst are short
//     of that work.
//
// The slower engines get the beginning of a text. All run on one core, their garbage
// collection too; what is found is counted, and must stay the same.
//
// # Runs
//
// Without -full texts are short, so that everything is run and nothing rots; its
// figures say nothing. For figures, on a machine that does nothing else, comparing rows
// of one run only:
//
//	go test -run '^$' -bench . -timeout 30m . -args -full
//
// takes about five minutes. What memory is taken by a stream of 1 GB through a pipe, by
// eight scans side by side and by hostile texts, each in a process of its own:
//
//	go test -run TestMemory -v -timeout 30m . -args -full
//
// What is found where there should be next to nothing, in the sources, Markdown and
// JSON of the Go distribution and of everything in the module cache. Samples go to a
// file of the caller's, for a person to read; they hold what the texts hold:
//
//	go test -run TestRealText -v . -args -full -samples FILE
package peerstext
