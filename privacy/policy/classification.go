package policy

import (
	"errors"
	"strconv"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
)

// classification reads the rules, detectors, suppressions and categories of a
// document and joins them to those of what it extends.
func (r *reader) classification(doc *source.Map, name string, top bool, out *compiled) {
	var base *bundle.Classification
	if len(r.b.Classification.Categories) > 0 {
		base = &r.b.Classification
	}
	own, cases := celrules.Rules(doc, name, base, r.ps)
	if base == nil {
		r.b.Classification = own
	} else {
		merged, clash := celrules.Merge(base, &own)
		for _, id := range clash {
			doc.Problem(r.ps, "a category, rule or detector of this file has the id "+strconv.Quote(id)+" of another one that the file extends", "rename it")
		}
		r.b.Classification = merged
	}
	if top {
		out.cases, out.ids = cases, celrules.IDs(&own)
	}
}

// builtin merges the rules and detectors that come with Privet.
func (r *reader) builtin(item source.Node) {
	b, err := bundle.Decode(classify.BuiltinBundle())
	if err != nil {
		// The embedded bundle is made and tested with this code; a failure here is
		// a broken build.
		item.Problem(r.ps, "the built-in rules cannot be read: "+err.Error(), "build privet again")
		return
	}
	merged, clash := celrules.Merge(&r.b.Classification, &b.Classification)
	for _, id := range clash {
		item.Problem(r.ps, "the built-in rules have the id "+strconv.Quote(id)+" too", "extend builtin first, and rename yours")
	}
	r.b.Classification = merged
}

// pick reads which detectors of a document to take, and mutes the others. Those of
// documents read before, which known has, stay as they are.
func (r *reader) pick(n source.Node, known map[string]bool) {
	if !n.Present() {
		return
	}
	m := n.Map(r.ps, "detectors")
	defer m.Done()
	own := bundle.Classification{}
	for _, d := range r.b.Classification.Detectors {
		if !known[d.ID] {
			own.Detectors = append(own.Detectors, d)
		}
	}
	// One after the other, so that each fault has its place.
	try := func(at source.Text, sel classify.Selection) {
		var unknown *classify.UnknownError
		if _, err := classify.Pick(&own, sel); errors.As(err, &unknown) {
			mend := "name one of what the document has; all of a kind are named with a *, as in us-*"
			if unknown.Nearest != "" {
				mend = "did you mean " + strconv.Quote(unknown.Nearest) + "?"
			}
			r.ps.Add(at.File, at.Pos(), "unknown "+unknown.What+" "+strconv.Quote(unknown.ID), mend)
		}
	}
	var sel classify.Selection
	for _, t := range m.Get("include").Texts(r.ps, "include") {
		try(t, classify.Selection{Detectors: []string{t.Value}})
		sel.Detectors = append(sel.Detectors, t.Value)
	}
	for _, t := range m.Get("exclude").Texts(r.ps, "exclude") {
		try(t, classify.Selection{Exclude: []string{t.Value}})
		sel.Exclude = append(sel.Exclude, t.Value)
	}
	for _, t := range m.Get("countries").Texts(r.ps, "countries") {
		try(t, classify.Selection{Countries: []string{t.Value}})
		sel.Countries = append(sel.Countries, t.Value)
	}
	if list := m.Get("thresholds"); list.Present() {
		sel.Thresholds = map[string]float64{}
		thresholds := list.Map(r.ps, "thresholds")
		for _, id := range thresholds.Keys() {
			v := float64(thresholds.Get(id).Fraction(r.ps, "thresholds")) / 1000
			if _, err := classify.Pick(&own, classify.Selection{Thresholds: map[string]float64{id: v}}); err != nil {
				thresholds.Get(id).Problem(r.ps, "unknown detector "+strconv.Quote(id), "name one of what the document has")
			}
			sel.Thresholds[id] = v
		}
	}
	picked, err := classify.Pick(&own, sel)
	if err != nil {
		return // told above
	}
	for i := range r.b.Classification.Detectors {
		d := &r.b.Classification.Detectors[i]
		for j := range picked.Detectors {
			if picked.Detectors[j].ID == d.ID {
				d.Floor, d.Muted = picked.Detectors[j].Floor, picked.Detectors[j].Muted
			}
		}
	}
}
