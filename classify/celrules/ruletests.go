package celrules

import (
	"slices"
	"strconv"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
)

// A Case is one test of a rule or of a detector.
type Case struct {
	Rule     string         // full id; empty for a detector
	Detector string         // empty for a rule
	Field    classify.Field // what the rule is asked about; for a detector only the value
	Match    bool           // whether it must hold, or must not

	file *source.File
	at   source.Pos
}

// A Tally counts what [Test] did.
type Tally struct {
	Cases, Failed int
	// Untested are the rules and detectors among those of the cases' files that
	// lack a case that must hold, or one that must not, sorted.
	Untested []string
}

// Test runs cases on a classifier that has the rules and detectors they are
// about. Each failure goes to ps with its place. ids are the rules and detectors
// that should have cases of both kinds; see [IDs], and [Run] for each case.
func Test(c *classify.Classifier, cases []Case, ids []string, ps *source.Problems) Tally {
	t := Tally{Cases: len(cases), Untested: Untested(cases, ids)}
	for _, o := range Run(c, cases) {
		if !o.Passed() {
			t.Failed++
			o.Report(ps)
		}
	}
	return t
}

// An Outcome is what became of a case. Problem and Mend are fixed texts with ids;
// they are empty for a case that passed.
type Outcome struct {
	Case          *Case
	Name          string // the list and the place in it, from 0: match[0]
	File          string
	Line, Column  int // of the case
	Problem, Mend string
}

// Passed reports whether it turned out as it must.
func (o *Outcome) Passed() bool { return o.Problem == "" }

// Report adds a failure to ps at its place.
func (o *Outcome) Report(ps *source.Problems) { ps.Add(o.Case.file, o.Case.at, o.Problem, o.Mend) }

// Run runs cases, in their order. A case is about its rule or detector alone: a
// rule's condition holds or does not; a detector finds something in the text at
// the threshold or above, or does not.
func Run(c *classify.Classifier, cases []Case) []Outcome {
	s := c.NewScanner()
	out := make([]Outcome, len(cases))
	next := map[string]int{}
	for i := range cases {
		k, o := &cases[i], &out[i]
		*o = Outcome{Case: k, Name: k.list(), Line: k.at.Line, Column: k.at.Column}
		if k.file != nil {
			o.File = k.file.Name
		}
		list := o.Name + " " + k.ID()
		o.Name += "[" + strconv.Itoa(next[list]) + "]"
		next[list]++
		var got bool
		if k.Detector != "" {
			_, got = s.Fires(k.Detector, k.Field.Value)
		} else {
			got = s.Asserts(k.Rule, &k.Field)
		}
		if got == k.Match {
			continue
		}
		switch {
		case k.Match && k.Detector != "":
			o.Problem, o.Mend = "test failed: detector "+k.Detector+" finds nothing here", "correct the pattern, the check or the confidence, or move the case to no_match"
		case k.Match:
			o.Problem, o.Mend = "test failed: rule "+k.Rule+" does not hold here", "correct the condition, or move the case to no_match"
		case k.Detector != "":
			o.Problem, o.Mend = "test failed: detector "+k.Detector+" finds something here", "make the pattern or the check stricter, or move the case to match"
		default:
			o.Problem, o.Mend = "test failed: rule "+k.Rule+" holds here", "make the condition stricter, or move the case to match"
		}
	}
	return out
}

// ID is the id of what the case is about.
func (k *Case) ID() string {
	if k.Detector != "" {
		return k.Detector
	}
	return k.Rule
}

// list is the key that the case stands under.
func (k *Case) list() string {
	if k.Match {
		return "match"
	}
	return "no_match"
}

// Untested are those of ids that lack a case that must hold, or one that must not,
// sorted.
func Untested(cases []Case, ids []string) []string {
	covered := map[string][2]bool{}
	for i := range cases {
		both := covered[cases[i].ID()]
		if cases[i].Match {
			both[0] = true
		} else {
			both[1] = true
		}
		covered[cases[i].ID()] = both
	}
	var out []string
	for _, id := range ids {
		if covered[id] != [2]bool{true, true} {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// IDs are the ids of the rules and detectors that a file defines.
func IDs(own *bundle.Classification) []string {
	var ids []string
	for i := range own.Rules {
		ids = append(ids, own.Rules[i].ID)
	}
	for i := range own.Detectors {
		ids = append(ids, own.Detectors[i].ID)
	}
	return ids
}
