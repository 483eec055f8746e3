package celrules

import (
	"slices"

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
// about. A case is about its rule or detector alone: a rule's condition holds or
// does not; a detector finds something in the text at the threshold or above, or
// does not. Each failure goes to ps with its place. ids are the rules and
// detectors whose coverage is wanted; see [IDs].
func Test(c *classify.Classifier, cases []Case, ids []string, ps *source.Problems) Tally {
	var t Tally
	s := c.NewScanner()
	covered := map[string][2]bool{}
	for i := range cases {
		k := &cases[i]
		t.Cases++
		id := k.Rule
		var got bool
		if k.Detector != "" {
			id = k.Detector
			_, got = s.Fires(id, k.Field.Value)
		} else {
			got = s.Asserts(id, &k.Field)
		}
		both := covered[id]
		if k.Match {
			both[0] = true
		} else {
			both[1] = true
		}
		covered[id] = both
		if got == k.Match {
			continue
		}
		t.Failed++
		switch {
		case k.Match && k.Detector != "":
			ps.Add(k.file, k.at, "test failed: detector "+id+" finds nothing here", "correct the pattern, the check or the confidence, or move the case to no_match")
		case k.Match:
			ps.Add(k.file, k.at, "test failed: rule "+id+" does not hold here", "correct the condition, or move the case to no_match")
		case k.Detector != "":
			ps.Add(k.file, k.at, "test failed: detector "+id+" finds something here", "make the pattern or the check stricter, or move the case to match")
		default:
			ps.Add(k.file, k.at, "test failed: rule "+id+" holds here", "make the condition stricter, or move the case to match")
		}
	}
	for _, id := range ids {
		if covered[id] != [2]bool{true, true} {
			t.Untested = append(t.Untested, id)
		}
	}
	slices.Sort(t.Untested)
	return t
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
