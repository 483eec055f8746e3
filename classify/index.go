package classify

import (
	"slices"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/rules"
	"github.com/privetdev/privet/internal/scan"
)

// An index is the rules of a classifier, arranged so that a field meets only those
// that can hold for it: see package rules. Beside that it has what answers the atoms,
// and the context words of detectors.
//
// What rules say before late atoms and rests are known is remembered for a field, see
// [memory].
type index struct {
	rules.Index
	texts []textIndex
	words map[string]*wordEntry
	known wordHint // of the words with phrases
}

// A textIndex answers all atoms about one variable.
type textIndex struct {
	slot int
	late bool
	set  *scan.Set
}

// A wordEntry is what is known about a word: the atom that it is, and the context
// phrases of detectors that it begins.
type wordEntry struct {
	atom    int32 // -1: none
	phrases []phrase
}

type phrase struct {
	detector int32
	rest     []string
}

// A truth is the outcome of a condition. CEL's && and || take an error for a third
// truth value.
type truth uint8

const (
	isFalse truth = iota
	isTrue
	isError
	isUnknown // it depends on what is late
)

// newIndex arranges the rules of a classifier and the context words of its
// detectors.
func newIndex(of []rule, detectors []detector) *index {
	conditions := make([]*expr.Program, len(of))
	for i := range of {
		conditions[i] = of[i].when
	}
	x := &index{Index: *rules.New(conditions), words: map[string]*wordEntry{}}
	for i := range x.Texts {
		t := &x.Texts[i]
		x.texts = append(x.texts, textIndex{slot: t.Slot, late: t.Late, set: scan.NewSet(t.Exprs, t.Atoms, t.Lower)})
	}
	for w, atom := range x.Words {
		x.word(w).atom = atom
	}
	for i := range detectors {
		for _, p := range detectors[i].context {
			x.phrase(int32(i), p)
		}
	}
	return x
}

// phrase enters a context phrase under its first word. The last word of a phrase may
// stand in the plural.
func (x *index) phrase(detector int32, words []string) {
	x.known.add(words[0])
	x.word(words[0]).phrases = append(x.word(words[0]).phrases, phrase{detector: detector, rest: words[1:]})
	if len(words) == 1 {
		x.known.add(words[0] + "s")
		x.word(words[0] + "s").phrases = append(x.word(words[0]+"s").phrases, phrase{detector: detector})
	}
}

func (x *index) word(w string) *wordEntry {
	e := x.words[w]
	if e == nil {
		e = &wordEntry{atom: -1}
		x.words[w] = e
	}
	return e
}

// What explanations ask about parts of a condition.
var (
	isWords   = rules.IsWords
	textConst = rules.TextConst
	constList = rules.ConstList
)

// eval is the truth of a rule's condition for the field at hand. Early, it is
// unknown wherever it depends on what is late.
func (s *Scanner) eval(r *rules.Rule, f *rules.Formula, early bool) truth {
	if early && f.Late && f.Op != rules.All && f.Op != rules.Any && f.Op != rules.Not {
		return isUnknown
	}
	switch f.Op {
	case rules.True:
		return isTrue
	case rules.Atom:
		if s.atoms.Has(uint32(f.Atom)) {
			return isTrue
		}
		return isFalse
	case rules.OneOf:
		// A field has fewer atoms than a list has words.
		for _, a := range s.atoms.List {
			if f.Mask>>(a&63)&1 == 1 {
				if _, ok := slices.BinarySearch(f.IDs, int32(a)); ok {
					return isTrue
				}
			}
		}
		return isFalse
	case rules.Not:
		switch t := s.eval(r, &f.Kids[0], early); t {
		case isTrue:
			return isFalse
		case isFalse:
			return isTrue
		default:
			return t
		}
	case rules.All, rules.Any:
		// One operand of this truth decides, whatever the others are.
		decides, out := isFalse, isTrue
		if f.Op == rules.Any {
			decides, out = isTrue, isFalse
		}
		for i := range f.Kids {
			switch t := s.eval(r, &f.Kids[i], early); {
			case t == decides:
				return t
			case t == isUnknown || t == isError && out != isUnknown:
				out = t
			}
		}
		return out
	case rules.Words:
		return s.wordsAre(f.List)
	}
	ok, code := s.rest(r.When, int(f.Node))
	switch {
	case code != expr.OK:
		return isError
	case ok:
		return isTrue
	}
	return isFalse
}
