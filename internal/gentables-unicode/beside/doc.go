// Package beside compares package plain with golang.org/x/text/unicode/norm: what they
// make of every character, and how long it takes them. It holds tests and benchmarks
// only, apart from the generator, which must run when there is no table yet.
package beside
