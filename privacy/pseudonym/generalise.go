package pseudonym

import (
	"strconv"
	"strings"
)

// Replace returns with, whatever the value was. Nothing of a value is left in it, as
// long as the caller chooses it without looking at the value: two constants for two
// kinds of people tell which kind it was.
func Replace(with string) (string, Class) {
	return with, Class{Linkability: Unlinkable, Loss: LossTotal}
}

// DateToQuarter is like [DateToYear] and keeps the quarter as well: 2024-Q1 for
// January to March.
func DateToQuarter(s string) (string, Class, error) {
	if !isDateOrTime(s) {
		return "", Class{}, &OperatorError{"DateToQuarter", notADate}
	}
	quarter := byte('1' + (two(s[len("2006-"):])-1)/3)
	return s[:len("2006-")] + "Q" + string(quarter), generalised, nil
}

const maxAge = 150 // in years; more is another number

// TopCodeAge returns an age in whole years, and 90+ for 90 and more, as the Safe
// Harbor method of HIPAA asks (45 CFR 164.514(b)(2)(i)(C): ages over 89 may only be
// kept as one category of 90 or older). The age is decimal text as for
// [RoundCoordinate]; part of a year is dropped, so 89.9 is 89.
//
// The same rule covers what the age can be told from: a year of birth beside a year
// of treatment. This function sees one value only.
//
// Text that is no number, or an age below 0 or above 150, is refused with an
// [*OperatorError].
func TopCodeAge(s string) (string, Class, error) {
	d, problem := readNumber(s)
	if problem != "" {
		return "", Class{}, &OperatorError{"TopCodeAge", problem}
	}
	years, ok := d.scaled(0)
	switch {
	case d.negative || !ok || years > maxAge || years == maxAge && d.point < len(d.digits):
		return "", Class{}, &OperatorError{"TopCodeAge", "not an age: give years from 0 to 150"}
	case years >= 90:
		return "90+", generalised, nil
	}
	return strconv.FormatInt(years, 10), generalised, nil
}

// ZIP3 keeps the first three digits of a ZIP code of the United States (98052 or
// 98052-6399) and replaces them by 000 where 20,000 people or fewer live, as the Safe
// Harbor method of HIPAA asks (45 CFR 164.514(b)(2)(i)(B)).
//
// The prefixes are the 17 that the guidance of the Department of Health and Human
// Services on de-identification (26 November 2012, "When can ZIP codes be included in
// de-identified information?") lists from the ZIP Code Tabulation Areas of the Census
// of 2000: 036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893. The
// same guidance says not to rely on that list where newer figures have been published:
// make a [ZIP3Table] of them. Lists that others made of the census of 2010 have 205 and
// 369, for example, and no longer 790. Prefixes that are not in use are not in the list.
//
// Other text is refused with an [*OperatorError], a bare prefix included: who has cut
// codes before has not looked at the list.
func ZIP3(s string) (string, Class, error) { return census2000.ZIP3(s) }

// A ZIP3Table is a set of prefixes of ZIP codes under which too few people live. It
// is immutable and safe for concurrent use. The zero ZIP3Table refuses every code; make
// one with [NewZIP3Table].
type ZIP3Table struct {
	sparse [1000]bool
	made   bool
}

var census2000 = &ZIP3Table{made: true, sparse: [1000]bool{
	36: true, 59: true, 63: true, 102: true, 203: true, 556: true, 692: true, 790: true, 821: true,
	823: true, 830: true, 831: true, 878: true, 879: true, 884: true, 890: true, 893: true,
}}

// NewZIP3Table makes a table of the prefixes, of three digits each, that become 000.
// The rule's measure is 20,000 people according to the current public figures of the
// Bureau of the Census. An empty list or another form is an error that wraps
// [ErrOption].
func NewZIP3Table(sparse ...string) (*ZIP3Table, error) {
	if len(sparse) == 0 {
		return nil, &fault{ErrOption, "no ZIP prefixes: list those where 20,000 people or fewer live", nil}
	}
	t := &ZIP3Table{made: true}
	for _, p := range sparse {
		if len(p) != 3 || !allDigits(p) {
			return nil, &fault{ErrOption, "a ZIP prefix is not three digits: keep leading zeros", nil}
		}
		t.sparse[zipIndex(p)] = true
	}
	return t, nil
}

// ZIP3 is the function [ZIP3] with the prefixes of the table.
func (t *ZIP3Table) ZIP3(s string) (string, Class, error) {
	code, more, extended := strings.Cut(s, "-")
	if len(code) != 5 || !allDigits(code) || extended && (len(more) != 4 || !allDigits(more)) {
		return "", Class{}, &OperatorError{"ZIP3", "not a ZIP code: write 5 digits, or 5, a hyphen and 4"}
	}
	if t == nil || !t.made {
		return "", Class{}, &OperatorError{"ZIP3", "zero ZIP3Table: make one with NewZIP3Table"}
	}
	if t.sparse[zipIndex(code)] {
		return "000", generalised, nil
	}
	return code[:3], generalised, nil
}

func zipIndex(s string) int { return two(s)*10 + int(s[2]-'0') }
