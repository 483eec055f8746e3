package main

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
)

// selected is a classifier with the detectors that flags leave. One that is left with
// none would find nothing in silence, so that is an error.
func selected(cl *bundle.Classification, f *scanFlags) (*classify.Classifier, error) {
	left, err := classify.Pick(cl, classify.Selection{Detectors: trimmed(f.detectors), Exclude: trimmed(f.exclude), Countries: trimmed(f.countries)})
	var unknown *classify.UnknownError
	if errors.As(err, &unknown) {
		return nil, unknownName(cl, unknown)
	}
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(left.Detectors, func(d bundle.Detector) bool { return !d.Muted }) {
		return nil, mended("no detector is left, so nothing can be found", "leave one of --detectors, --exclude and --countries out")
	}
	return classify.New(left)
}

// unknownName says which ids or countries somebody may have meant.
func unknownName(cl *bundle.Classification, e *classify.UnknownError) error {
	problem := "there is no " + e.What + " " + strconv.Quote(e.ID)
	if e.What == "detector" {
		ids := make([]string, len(cl.Detectors))
		for i := range ids {
			ids[i] = cl.Detectors[i].ID
		}
		if near := nearestIDs(e.ID, ids); len(near) > 0 {
			return mended(problem, "did you mean "+strings.Join(near, " or ")+"?")
		}
		return mended(problem, "all of a kind are named with a *, as in us-*")
	}
	if e.Nearest != "" {
		return mended(problem+" among those of the detectors", "did you mean "+e.Nearest+"?")
	}
	var countries []string
	for i := range cl.Detectors {
		countries = append(countries, cl.Detectors[i].Countries...)
	}
	return mended(problem+" among those of the detectors", "one of: "+strings.Join(sorted(countries), " "))
}

// trimmed are texts without the blanks that people write behind commas.
func trimmed(list []string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = strings.TrimSpace(list[i])
	}
	return out
}

// nearestIDs are the ids that a person may have meant: all that begin with the word as a
// part, and up to three that are like it, have a part between hyphens that is, or begin
// with it.
func nearestIDs(word string, ids []string) []string {
	type near struct {
		id       string
		distance int
	}
	word = strings.ToLower(strings.Trim(word, "-* "))
	if word == "" {
		return nil
	}
	var list []near
	for _, id := range ids {
		d := edits(word, id)
		if strings.HasPrefix(id, word) {
			d = 0
		}
		for part := range strings.SplitSeq(id, "-") {
			d = min(d, edits(word, part))
		}
		if d <= (len(word)+1)/3 {
			list = append(list, near{id, d})
		}
	}
	slices.SortFunc(list, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(len(a.id), len(b.id)), strings.Compare(a.id, b.id))
	})
	out := make([]string, 0, 4)
	kind, n := word+"-", 0
	for _, id := range ids {
		if strings.HasPrefix(id, kind) {
			n++
		}
	}
	if n > 1 && !slices.Contains(ids, word) {
		out = append(out, kind+"*")
	}
	for _, n := range list[:min(len(list), 3)] {
		out = append(out, n.id)
	}
	return out
}

// edits counts the letters that are put in, left out, replaced or swapped with their
// neighbour between two words.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// sorted are the texts of a list in the order of the alphabet, each once.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
