package privacy

import (
	"slices"
	"strings"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/profile"
)

// duties are what obligations of a decision do to a field.
type duties struct {
	drop *consent.Obligation // minimise: its category is not needed
	hide *consent.Obligation // pseudonymise
}

// dutiesOf finds what the obligations of an Allow do to data of a category.
func dutiesOf(d *consent.Decision, category string) (out duties) {
	for i := range d.Obligations {
		switch o := &d.Obligations[i]; o.Kind {
		case consent.Minimise:
			needed := slices.ContainsFunc(o.Values, func(need string) bool { return profile.Under(category, need) })
			if !needed && out.drop == nil {
				out.drop = o
			}
		case consent.Pseudonymise:
			if out.hide == nil {
				out.hide = o
			}
		}
	}
	return out
}

// add joins the duties of another category of the same field.
func (d *duties) add(other *duties) {
	if d.drop == nil {
		d.drop = other.drop
	}
	if d.hide == nil {
		d.hide = other.hide
	}
}

// with is what to do where a policy wants an operator and the duties a pseudonym: the
// one that takes more away.
func (d *duties) with(op operator) operator {
	if d.hide == nil || op.do == "drop" || op.do == "redact" {
		return op
	}
	// Several values name one scope together, which joins with that of none of them.
	return operator{do: "pseudonymise", by: d.hide.Rule, scope: strings.Join(d.hide.Values, "+")}
}

// oblige hands the duties of a decision on to the plan: rules of deletions see them, and
// a duty to stop and erase is a request for erasure, made when it was found.
func (r *run) oblige(d *consent.Decision) {
	r.decided.duties = d.Obligations
	r.input.Erasure = r.ev.Erasure
	if r.ev.Erasure != nil || d.Allowed() {
		return
	}
	for i := range d.Obligations {
		if o := &d.Obligations[i]; o.Kind == consent.StopAndErase {
			r.erasure.ID, r.erasure.Source, r.erasure.At = o.Rule, o.Source, r.ev.At
			r.input.Erasure = &r.erasure
			return
		}
	}
}
