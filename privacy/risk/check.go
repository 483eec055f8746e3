package risk

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// A Report says whether the classes of a table meet a criterion, and which do not. It
// holds counts and numbers of rows; values are reached through [Class.Values] only.
type Report struct {
	Criterion Criterion
	Classes   int     // number of all classes
	Rows      int     // number of all rows
	Worst     float64 // the value of the worst class; 0 if there is none

	// Violations are the classes that do not meet the criterion, the worst first,
	// then the smallest, then in the order of rows.
	Violations []Violation
	// ViolatingRows is how many rows they have together.
	ViolatingRows int
}

// A Violation is a class that does not meet a criterion.
type Violation struct {
	Class Class
	Value float64 // rows, different values, exp(entropy) or distance
}

// Holds reports whether all classes meet the criterion. A table without rows meets
// every one.
func (r *Report) Holds() bool { return len(r.Violations) == 0 }

// String returns the outcome in one line, without any value of the data.
func (r Report) String() string {
	s := r.Criterion.String()
	if r.Holds() {
		return s + ": holds for " + plural(r.Classes, "class") + " of " + plural(r.Rows, "row")
	}
	return s + ": violated by " + strconv.Itoa(len(r.Violations)) + " of " + plural(r.Classes, "class") + " with " + plural(r.ViolatingRows, "row") + "; the worst has " + strconv.FormatFloat(r.Worst, 'g', 4, 64)
}

// Format implements fmt.Formatter with the text of String, whatever the verb.
func (r Report) Format(s fmt.State, _ rune) { io.WriteString(s, r.String()) }

// Check measures the classes by each criterion and returns a report for each, in
// their order. A violated criterion is a result; the error is about criteria that
// cannot be measured: a parameter out of range, a column that is not there, a value
// without a place in an order.
func (c *Classes) Check(criteria ...Criterion) ([]Report, error) {
	reports := make([]Report, 0, len(criteria))
	for _, criterion := range criteria {
		m, err := criterion.prepare(c.data().t)
		if err != nil {
			return nil, err
		}
		var codes []uint32
		if m.column >= 0 {
			codes = c.data().t.columns[m.column].codes
		}
		values, err := m.values(&c.data().grouping, nil, codes)
		if err != nil {
			return nil, err
		}
		reports = append(reports, c.report(m, values))
	}
	return reports, nil
}

func (c *Classes) report(m *measure, values []float64) Report {
	r := Report{Criterion: m.Criterion, Classes: c.Len(), Rows: c.Rows()}
	for i, v := range values {
		if i == 0 || m.worse(v, r.Worst) {
			r.Worst = v
		}
		if !m.met(v) {
			r.Violations = append(r.Violations, Violation{Class{c.s, uint32(i)}, v})
			r.ViolatingRows += c.data().size[i]
		}
	}
	slices.SortFunc(r.Violations, func(a, b Violation) int {
		switch {
		case m.worse(a.Value, b.Value):
			return -1
		case m.worse(b.Value, a.Value):
			return 1
		}
		return cmp.Or(cmp.Compare(a.Class.Size(), b.Class.Size()), cmp.Compare(a.Class.id, b.Class.id))
	})
	return r
}
