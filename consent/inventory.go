package consent

import (
	"cmp"
	"slices"
)

// A Flow is data that may move through a feature.
type Flow struct {
	Feature    string
	Kind       Kind
	Class      string // "" where the policy declares no class that fits
	Purpose    string
	Basis      Basis     // of the purpose; empty: allowed unless refused
	Operation  Operation // use, or sync for the feature's sync purpose
	Necessary  bool      // the class is needed for the feature to work
	Categories []string  // empty: any category
}

// Inventory lists what may flow at all under the given switches (absent: not set):
// for every feature that is not off, each class and purpose that the feature and
// the class both declare. It is an upper bound. Consent, prohibitions and signals
// take from it, and how much flows is not promised. The order is by feature, class,
// purpose, operation.
func (e *Engine) Inventory(switches, admin map[string]bool) []Flow {
	if e == nil {
		return nil
	}
	var flows []Flow
	for i := range e.policy.Features {
		f := &e.policy.Features[i]
		if on, set := admin[f.Key]; set && !on && f.AdminCanDisable {
			continue
		}
		if on, set := switches[f.Key]; set && !on && f.Kind == Optional {
			continue
		}
		for j := range max(1, len(e.policy.Classes)) {
			flow := Flow{Feature: f.Key, Kind: f.Kind, Operation: OpUse, Categories: slices.Clone(f.Categories)}
			var declared []string
			if len(e.policy.Classes) > 0 {
				c := &e.policy.Classes[j]
				if !admits(f.Classes, c.Key) {
					continue
				}
				flow.Class, flow.Necessary, declared = c.Key, c.Necessary, c.Purposes
			}
			for _, key := range e.candidates(f, declared) {
				flow.Purpose, flow.Basis = key, e.purpose(key).Basis
				if !admits(declared, key) {
					continue
				}
				if admits(f.Purposes, key) {
					flow.Operation = OpUse
					flows = append(flows, flow)
				}
				if f.Sync != "" && under(key, f.Sync) {
					flow.Operation = OpSync
					flows = append(flows, flow)
				}
			}
		}
	}
	slices.SortFunc(flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Feature, b.Feature), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(b.Operation, a.Operation))
	})
	return flows
}

// candidates are the purposes that a feature and a class could be about: all that
// are declared, and those below them that either names.
func (e *Engine) candidates(f *Feature, ofClass []string) []string {
	var keys []string
	for i := range e.policy.Purposes {
		keys = append(keys, e.policy.Purposes[i].Key)
	}
	for _, k := range slices.Concat(f.Purposes, ofClass, []string{f.Sync}) {
		if e.purpose(k) != nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
