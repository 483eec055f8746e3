package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
)

// An expression is a condition or a place with the text that it came from.
type expression struct {
	text source.Text
	prog *expr.Program
}

// The variables whose values are names that the policy declares.
var namedSlots = map[uint16]string{
	profile.PolicyCategory: "category",
	profile.PolicyClass:    "class",
	profile.PolicyPurpose:  "purpose",
	profile.PolicyFeature:  "feature",
}

// checkNames reports names in conditions that nothing has: a condition that
// compares with a misspelt category would never hold, without a sound.
func (r *reader) checkNames(known map[string][]string) {
	for _, e := range r.exprs {
		p := e.prog
		for i := range p.Nodes {
			n := &p.Nodes[i]
			operands := p.Operands(nil, i)
			isUnder := n.Op == expr.OpCall && n.A == profile.FnUnder
			if len(operands) != 2 || !isUnder && n.Op != expr.OpEq && n.Op != expr.OpNe {
				continue
			}
			a, b := &p.Nodes[operands[0]], &p.Nodes[operands[1]]
			if a.Op == expr.OpConst {
				a, b = b, a
			}
			if a.Op != expr.OpVar || b.Op != expr.OpConst {
				continue
			}
			kind, ok := namedSlots[a.A]
			name := p.Consts[b.A].AsString()
			if !ok || name == "" {
				continue
			}
			isKnown := slices.ContainsFunc(known[kind], func(k string) bool {
				// Purposes and classes have no entry for an ancestor of their own.
				return k == name || isUnder && profile.Under(k, name)
			})
			if !isKnown {
				r.ps.Add(e.text.File, e.text.At(max(strings.Index(e.text.Value, name), 0)), "the condition names an unknown "+kind+", "+strconv.Quote(name)+", so that part of it would never hold", source.DidYouMean(name, known[kind]))
			}
		}
	}
}
