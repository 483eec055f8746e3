package policy

import (
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
