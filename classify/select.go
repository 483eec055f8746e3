package classify

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/bundle"
)

// A Selection says which detectors of a classifier look for what is theirs. The zero
// Selection is all of them.
//
// Ids may end in *, which stands for anything: us-*.
type Selection struct {
	Detectors []string // these alone; none means all
	Exclude   []string // but not these
	// Countries leaves out detectors that belong to other countries, by the codes of
	// ISO 3166-1 in small letters. Those that belong to no country stay.
	Countries []string
	// Thresholds are confidences, 0 to 1, below which findings of a detector are not
	// reported, in place of the Threshold of a [Scanner].
	Thresholds map[string]float64
}

// An UnknownError names a detector or country that a classifier does not have.
type UnknownError struct {
	What    string // "detector" or "country"
	ID      string
	Nearest string // the known one most like it, or ""
}

// Error names the unknown id and the nearest one.
func (e *UnknownError) Error() string {
	s := "classify: unknown " + e.What + ": " + strconv.Quote(e.ID)
	if e.Nearest != "" {
		s += "; did you mean " + strconv.Quote(e.Nearest) + "?"
	}
	return s
}

// Select is a classifier with the same taxonomy and rules, of whose detectors only
// those look at values and texts that sel leaves. The others stay known to the rules
// and checks that ask for them. The error is an [*UnknownError] or wraps [ErrInvalid]:
// nothing is passed over in silence.
func (c *Classifier) Select(sel Selection) (*Classifier, error) {
	if c.source == nil {
		return nil, invalid("nothing to select from", "")
	}
	cl, err := Pick(c.source, sel)
	if err != nil {
		return nil, err
	}
	return New(cl)
}

// Pick does for compiled parts what [Classifier.Select] does. cl stays as it is.
func Pick(cl *bundle.Classification, sel Selection) (*bundle.Classification, error) {
	out := *cl
	out.Detectors = slices.Clone(cl.Detectors)
	var ids, countries []string
	for i := range out.Detectors {
		ids = append(ids, out.Detectors[i].ID)
		countries = append(countries, out.Detectors[i].Countries...)
	}
	named := func(lists ...string) (map[string]bool, error) {
		set := map[string]bool{}
		for _, want := range lists {
			begin, many := strings.CutSuffix(want, "*")
			n := 0
			for _, id := range ids {
				if id == want || many && strings.HasPrefix(id, begin) {
					set[id] = true
					n++
				}
			}
			if n == 0 {
				return nil, &UnknownError{"detector", want, nearest(begin, ids)}
			}
		}
		return set, nil
	}
	only, err := named(sel.Detectors...)
	if err != nil {
		return nil, err
	}
	not, err := named(sel.Exclude...)
	if err != nil {
		return nil, err
	}
	for _, k := range sel.Countries {
		if !slices.Contains(countries, k) {
			near := ""
			switch small := strings.ToLower(k); {
			case small == "uk":
				near = "gb"
			case slices.Contains(countries, small):
				near = small
			}
			return nil, &UnknownError{"country", k, near}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(sel.Thresholds)) {
		v := sel.Thresholds[id]
		if !(v >= 0 && v <= 1) {
			return nil, invalid("threshold not between 0 and 1 for detector", id)
		}
		set, err := named(id)
		if err != nil {
			return nil, err
		}
		for i := range out.Detectors {
			if d := &out.Detectors[i]; set[d.ID] {
				d.Floor = uint16(v*1000+0.5) + 1
			}
		}
	}
	for i := range out.Detectors {
		d := &out.Detectors[i]
		foreign := len(sel.Countries) > 0 && len(d.Countries) > 0 &&
			!slices.ContainsFunc(d.Countries, func(k string) bool { return slices.Contains(sel.Countries, k) })
		if len(sel.Detectors) > 0 && !only[d.ID] || not[d.ID] || foreign {
			d.Muted = true
		}
	}
	return &out, nil
}

// nearest is the candidate that shares the most adjacent pairs of letters with
// id, or "" if none shares half of them.
func nearest(id string, candidates []string) string {
	best, most := "", (len(id)-1)/2
	for _, c := range candidates {
		n := 0
		for i := range len(id) - 1 {
			if strings.Contains(c, id[i:i+2]) {
				n++
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}
