package retention

import (
	"errors"
	"strconv"
)

// ErrLocal reports that a period was to be added in the zone of the machine,
// whose rules change with the machine: name a zone instead.
var ErrLocal = errors.New("retention: zone: the machine's local zone is refused: name a zone, such as UTC or Europe/Berlin")

// ErrRange reports that an instant, or the end of a period that starts there,
// lies outside the years 1 to 9999.
var ErrRange = errors.New("retention: instant: outside the years 1 to 9999: correct the event or shorten the period")

// A PeriodError reports a period that cannot be used. It never contains the text.
type PeriodError struct {
	Offset  int    // byte offset of the fault in the text, from 0; -1 if the period was not parsed
	Problem string // what is wrong: fixed text
	Mend    string // how to put it right: fixed text
}

// Error returns the problem, its place and how to mend it.
func (e *PeriodError) Error() string {
	s := "retention: period: " + e.Problem
	if e.Offset >= 0 {
		s += " at byte " + strconv.Itoa(e.Offset)
	}
	return s + ": " + e.Mend
}

// A ConfigError lists everything that is wrong with a set of rules.
type ConfigError struct {
	Problems []Problem // in the order of the rules; never empty
}

// A Problem is one fault in one rule.
type Problem struct {
	Index   int    // position of the rule in the list given to New, from 0; -1 if the list itself is at fault
	Rule    string // its id; empty if the id itself cannot be used
	Field   string // the field at fault, in lower case: "period", "month_end"; empty with Index -1
	Problem string // what is wrong; names other rules by id, quotes nothing else
	Mend    string // how to put it right
	Warning bool   // from Validate only: New takes the rule all the same
}

// String returns the problem on one line.
func (p Problem) String() string {
	if p.Index < 0 {
		return "rules: " + p.Problem + ": " + p.Mend
	}
	s := "rule " + p.Rule
	if p.Rule == "" {
		s = "rule at index " + strconv.Itoa(p.Index)
	}
	return s + ": " + p.Field + ": " + p.Problem + ": " + p.Mend
}

// Error returns all problems, one a line.
func (e *ConfigError) Error() string {
	b := []byte("retention: ")
	for i, p := range e.Problems {
		if i > 0 {
			b = append(b, "\nretention: "...)
		}
		b = append(b, p.String()...)
	}
	return string(b)
}

// An InputError reports an input for which no plan can be made. It never
// contains the value.
type InputError struct {
	Field   string // the field of Input at fault, in lower case
	Problem string // fixed text: what is wrong and how to mend it
}

// Error names the field and the problem.
func (e *InputError) Error() string { return "retention: input: " + e.Field + ": " + e.Problem }

// A RuleError reports a rule that could not be applied to an input. What a
// condition itself reported is left out: it may quote data.
type RuleError struct {
	Rule    string // id of the rule
	Problem string // fixed text
}

// Error names the rule and the problem.
func (e *RuleError) Error() string { return "retention: rule " + e.Rule + ": " + e.Problem }
