// Package beside compares package detect with github.com/nyaruka/phonenumbers and
// golang.org/x/net/publicsuffix: their verdicts on numbers and names, and how long they
// take. It holds tests and benchmarks only, apart from the generator, which must run
// when there is no table yet.
package beside
