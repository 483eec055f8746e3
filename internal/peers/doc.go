// Package peers measures the classifier beside what else a program could use for the
// same decision: cel-go, cedar-go, a loop of regular expressions, and code written by
// hand. It holds tests and benchmarks only, in a module of its own, so that nobody who
// uses Privet inherits the peers.
//
// The decision is that of testdata/rules20.yaml: twenty rules with 31 regular
// expressions about the name and the value of a field, and the categories of those
// that hold. Every engine is checked before it is measured, on the vectors, and all
// but Cedar on thousands of further fields; every engine writes the categories that it
// found into a slice that is used again, and their number is checked while it runs.
//
// Compare rows of one run only, on a machine that does nothing else:
//
//	make bench-peers
package peers
