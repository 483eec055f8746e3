package emit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// A plan collects what a module is made of. Its parts are sorted, so that their numbers
// in the module are their order in every comparison.
type plan struct {
	cl         *bundle.Classification
	categories []bundle.Category // by key
	rules      []bundle.Rule     // by id
	detectors  []bundle.Detector // by id
	run        *tables.Tables    // of package run
	find       *tables.Tables    // of package find; nil without detectors
	system     bool              // a rule is about the machine
	packer     tables.Packer     // of all automata
	automata   []Automaton       // what there are of them
	exprs      *Exprs
	evals      []string // the functions of conditions, by their numbers
}

func newPlan(cl *bundle.Classification) *plan {
	p := &plan{cl: cl, categories: slices.Clone(cl.Categories), rules: slices.Clone(cl.Rules), detectors: slices.Clone(cl.Detectors),
		run: &tables.Tables{Package: "run"}, exprs: NewExprs()}
	slices.SortFunc(p.categories, func(a, b bundle.Category) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(p.rules, func(a, b bundle.Rule) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(p.detectors, func(a, b bundle.Detector) int { return strings.Compare(a.ID, b.ID) })
	p.run.Scalar("Threshold", int(cl.Threshold))
	return p
}

// category is the number of a category, or -1.
func (p *plan) category(key string) int {
	i, ok := slices.BinarySearchFunc(p.categories, key, func(k bundle.Category, key string) int { return strings.Compare(k.Key, key) })
	if !ok {
		return -1
	}
	return i
}

// detector is the number of a detector, or -1.
func (p *plan) detector(id string) int {
	i, ok := slices.BinarySearchFunc(p.detectors, id, func(d bundle.Detector, id string) int { return strings.Compare(d.ID, id) })
	if !ok {
		return -1
	}
	return i
}

// condition makes a function of a part of a program that is a bool, and returns the
// number under which run.Eval knows it.
func (p *plan) condition(program *expr.Program, node int, env *expr.Env) (int, error) {
	name := "eval." + strconv.Itoa(len(p.evals))
	if err := p.exprs.AddNode(name, program, env, node); err != nil {
		return 0, err
	}
	p.evals = append(p.evals, name)
	return len(p.evals) - 1, nil
}
