// Package rules takes the conditions of classification rules apart, so that a field
// meets only those that can hold for it.
//
// Each condition becomes a formula over atoms: questions about one text or about the
// words of the name, such as `field.name.startsWith("x")`. All atoms about one text can
// be answered in one pass, see [scan.Set], all about words by looking each word up once.
// An atom that holds calls the rules that wait for it; what no atom calls for cannot
// hold. What is not an atom is a rest, which is evaluated when its rule was called and
// the atoms alone do not decide.
//
// Atoms and rests about the value or the context are late: who asks about the same field
// again and again can remember what rules say before they are known.
package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// An Index is the conditions of rules, by their place in the list they came in.
type Index struct {
	Rules []Rule
	// Waiting lists, for each atom, the rules that it calls.
	Waiting [][]int32
	// Always are rules that no atom stands for: all fields meet them.
	Always []int32
	Texts  []Text           // in the order in which rules ask
	Words  map[string]int32 // the atoms that such a word is among the name's
	Atoms  int              // how many there are, numbered from 0
	Late   bool             // a condition looks at the value or the context
	// Recall says that late rules ask for early atoms, so that these are remembered.
	Recall     bool
	ReadsWords bool // a rest reads the words of the name
}

// A Text is all atoms about one variable: regular expressions that match somewhere in it.
type Text struct {
	Slot  int  // of the variable
	Lower bool // in small letters, by lowerAscii
	Late  bool
	Exprs []string
	Atoms []uint32 // of each expression
}

// A Rule is one rule's condition.
type Rule struct {
	When *expr.Program
	Root Formula
	// Simple: the condition is that one of its atoms holds.
	Simple bool
}

// A Formula is a condition over atoms.
type Formula struct {
	Op   Op
	Late bool // something in it is late
	Atom int32
	Node uint16   // of Rest
	List []string // of Words
	IDs  []int32  // of OneOf, in order
	Mask uint64   // of OneOf: which last six bits the atoms have
	Kids []Formula
}

// An Op is what a formula does.
type Op uint8

const (
	Rest  Op = iota // an expression, by its node
	Atom            // Atom
	Any             // one of Kids; never if there is none
	All             // all of Kids
	Not             // not Kids[0]
	Words           // the words of the name are List
	True            // always
	OneOf           // one of the atoms IDs, which are of words
)

// An indexer builds an index.
type indexer struct {
	Index
	byAtom map[string]int32
	texts  map[textKey]*Text
	order  []textKey
}

type textKey struct {
	slot  int
	lower bool
}

// New takes conditions apart.
func New(conditions []*expr.Program) *Index {
	x := &indexer{byAtom: map[string]int32{}, texts: map[textKey]*Text{}}
	x.Words = map[string]int32{}
	for i, p := range conditions {
		root := x.condition(p, len(p.Nodes)-1)
		r := Rule{When: p, Root: root, Simple: simple(&root)}
		x.Rules = append(x.Rules, r)
		calls, ok := callers(&root)
		if !ok {
			x.Always = append(x.Always, int32(i))
			continue
		}
		slices.Sort(calls)
		for _, a := range slices.Compact(calls) {
			x.Waiting[a] = append(x.Waiting[a], int32(i))
		}
	}
	for _, k := range x.order {
		x.Texts = append(x.Texts, *x.texts[k])
		x.Late = x.Late || isLate(k.slot)
	}
	for i := range x.Rules {
		r := &x.Rules[i]
		x.Late = x.Late || r.Root.Late
		x.Recall = x.Recall || r.Root.Late && !r.Simple
	}
	return &x.Index
}

func isLate(slot int) bool { return slot == profile.FieldValue || slot == profile.FieldContext }

func (x *indexer) newAtom() int32 {
	x.Atoms++
	x.Waiting = append(x.Waiting, nil)
	return int32(x.Atoms - 1)
}

// wordAtom is the atom that a word is among the name's.
func (x *indexer) wordAtom(w string) Formula {
	a, ok := x.Words[w]
	if !ok {
		a = x.newAtom()
		x.Words[w] = a
	}
	return Formula{Op: Atom, Atom: a}
}

// textAtom is the atom that a regular expression matches a variable.
func (x *indexer) textAtom(k textKey, expression string) Formula {
	name := string(rune(k.slot)) + "\x00"
	if k.lower {
		name = string(rune(k.slot)) + "\x01"
	}
	name += expression
	id, ok := x.byAtom[name]
	if !ok {
		id = x.newAtom()
		x.byAtom[name] = id
		t := x.texts[k]
		if t == nil {
			t = &Text{Slot: k.slot, Lower: k.lower, Late: isLate(k.slot)}
			x.texts[k] = t
			x.order = append(x.order, k)
		}
		t.Exprs = append(t.Exprs, expression)
		t.Atoms = append(t.Atoms, uint32(id))
	}
	return Formula{Op: Atom, Atom: id, Late: isLate(k.slot)}
}

// condition takes a node of type bool apart.
func (x *indexer) condition(p *expr.Program, i int) Formula {
	n := &p.Nodes[i]
	switch n.Op {
	case expr.OpConst:
		if p.Consts[n.A].AsBool() {
			return Formula{Op: True}
		}
		return Formula{Op: Any}
	case expr.OpAnd:
		return chained(All, x.condition(p, int(n.A)), x.condition(p, int(n.B)))
	case expr.OpOr:
		return chained(Any, x.condition(p, int(n.A)), x.condition(p, int(n.B)))
	case expr.OpNot:
		f := x.condition(p, int(n.A))
		return Formula{Op: Not, Late: f.Late, Kids: []Formula{f}}
	case expr.OpNe:
		if f, ok := x.equal(p, n); ok {
			return Formula{Op: Not, Late: f.Late, Kids: []Formula{f}}
		}
	case expr.OpEq:
		if f, ok := x.equal(p, n); ok {
			return f
		}
	case expr.OpIn:
		if f, ok := x.in(p, n); ok {
			return f
		}
	case expr.OpMatches:
		if k, ok := textOf(p, n.A); ok {
			return x.textAtom(k, p.Patterns[n.B])
		}
	case expr.OpStartsWith, expr.OpEndsWith, expr.OpContains:
		k, ok := textOf(p, n.A)
		part, constant := TextConst(p, n.B)
		if !ok || !constant {
			break
		}
		switch part = quoted(part); n.Op {
		case expr.OpStartsWith:
			part = `\A` + part
		case expr.OpEndsWith:
			part += `\z`
		}
		return x.textAtom(k, part)
	case expr.OpCall:
		if f, ok := x.has(p, n); ok {
			return f
		}
	}
	x.ReadsWords = x.ReadsWords || Reads(p, i, func(slot int) bool { return slot == profile.FieldWords })
	return Formula{Op: Rest, Node: uint16(i), Late: Reads(p, i, isLate)}
}

// chained joins two formulas, without nesting the same operation.
func chained(op Op, a, b Formula) Formula {
	out := Formula{Op: op, Late: a.Late || b.Late}
	for _, f := range []Formula{a, b} {
		if f.Op == op {
			out.Kids = append(out.Kids, f.Kids...)
		} else {
			out.Kids = append(out.Kids, f)
		}
	}
	return out
}

// equal is x == "text" for a variable, or field.words == ["a", "b"].
func (x *indexer) equal(p *expr.Program, n *expr.Node) (Formula, bool) {
	a, b := n.A, n.B
	if p.Nodes[a].Op == expr.OpConst || p.Nodes[a].Op == expr.OpList {
		a, b = b, a
	}
	if k, ok := textOf(p, a); ok {
		if text, constant := TextConst(p, b); constant {
			return x.textAtom(k, `\A`+quoted(text)+`\z`), true
		}
		return Formula{}, false
	}
	list, ok := ConstList(p, b)
	if !ok || !IsWords(p, a) {
		return Formula{}, false
	}
	// The words atoms call the rule, the comparison decides.
	all := Formula{Op: All}
	for _, w := range list {
		all.Kids = append(all.Kids, x.wordAtom(w))
	}
	all.Kids = append(all.Kids, Formula{Op: Words, List: list})
	return all, true
}

// in is x in ["a", "b"] for a variable, or "a" in field.words.
func (x *indexer) in(p *expr.Program, n *expr.Node) (Formula, bool) {
	if k, ok := textOf(p, n.A); ok {
		list, ok := ConstList(p, n.B)
		if !ok {
			return Formula{}, false
		}
		out := Formula{Op: Any, Late: isLate(k.slot)}
		for _, text := range list {
			out.Kids = append(out.Kids, x.textAtom(k, `\A`+quoted(text)+`\z`))
		}
		return out, true
	}
	if w, ok := TextConst(p, n.A); ok && IsWords(p, n.B) {
		return x.wordAtom(w), true
	}
	return Formula{}, false
}

// has is field.words.hasAny([…]) or hasAll.
func (x *indexer) has(p *expr.Program, n *expr.Node) (Formula, bool) {
	if n.A != profile.FnHasAll && n.A != profile.FnHasAny || !IsWords(p, p.Args[n.B]) {
		return Formula{}, false
	}
	list, ok := ConstList(p, p.Args[n.B+1])
	if !ok {
		return Formula{}, false
	}
	out := Formula{Op: Any}
	if n.A == profile.FnHasAll {
		out.Op = All
	}
	if out.Op == Any && len(list) > 1 {
		out.Op = OneOf
		for _, w := range list {
			a := x.wordAtom(w).Atom
			out.IDs = append(out.IDs, a)
			out.Mask |= 1 << (uint32(a) & 63)
		}
		slices.Sort(out.IDs)
		out.IDs = slices.Compact(out.IDs)
		return out, true
	}
	for _, w := range list {
		out.Kids = append(out.Kids, x.wordAtom(w))
	}
	return out, true
}

// textOf is the variable that a node is, as it is or by lowerAscii.
func textOf(p *expr.Program, i uint16) (textKey, bool) {
	n := &p.Nodes[i]
	lower := n.Op == expr.OpLower
	if lower {
		n = &p.Nodes[n.A]
	}
	if n.Op != expr.OpVar || n.Type != expr.TString {
		return textKey{}, false
	}
	return textKey{int(n.A), lower}, true
}

// IsWords reports whether a node is the words of the name.
func IsWords(p *expr.Program, i uint16) bool {
	return p.Nodes[i].Op == expr.OpVar && p.Nodes[i].A == profile.FieldWords
}

// TextConst is a constant text that a regular expression can stand for: a byte that
// is not UTF-8 reads as U+FFFD there, and is not equal to it here.
func TextConst(p *expr.Program, i uint16) (string, bool) {
	if n := &p.Nodes[i]; n.Op == expr.OpConst && n.Type == expr.TString {
		s := p.Consts[n.A].AsString()
		return s, usable(s)
	}
	return "", false
}

// quoted is a regular expression that matches a text.
func quoted(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func usable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, utf8.RuneError) }

// ConstList is a constant list of texts.
func ConstList(p *expr.Program, i uint16) ([]string, bool) {
	n := &p.Nodes[i]
	var v expr.Value
	switch {
	case n.Op == expr.OpList && n.C != 0:
		v = p.Consts[n.C-1]
	case n.Op == expr.OpConst:
		v = p.Consts[n.A]
	}
	if v.Kind() != expr.KindList {
		return nil, false
	}
	list := make([]string, v.Len())
	for j := range list {
		e := v.At(j)
		if e.Kind() != expr.KindString || !usable(e.AsString()) {
			return nil, false
		}
		list[j] = e.AsString()
	}
	return list, true
}

// Reads reports whether what is below a node reads such a variable.
func Reads(p *expr.Program, i int, such func(slot int) bool) bool {
	n := &p.Nodes[i]
	if n.Op == expr.OpVar {
		return such(int(n.A))
	}
	return slices.ContainsFunc(p.Operands(nil, i), func(o uint16) bool { return Reads(p, int(o), such) })
}

// simple reports whether a formula is an atom or one of several.
func simple(f *Formula) bool {
	return f.Op == Atom || f.Op == OneOf || f.Op == Any && !slices.ContainsFunc(f.Kids, func(k Formula) bool { return !simple(&k) })
}

// callers are atoms of which one holds whenever the formula does. ok is false if
// there are none. Of the parts of an && those are taken that call earlier, then less
// often.
func callers(f *Formula) (atoms []int32, ok bool) {
	switch f.Op {
	case Atom:
		return []int32{f.Atom}, true
	case OneOf:
		return slices.Clone(f.IDs), true
	case Any:
		for i := range f.Kids {
			more, ok := callers(&f.Kids[i])
			if !ok {
				return nil, false
			}
			atoms = append(atoms, more...)
		}
		return atoms, true
	case All:
		late := true
		for i := range f.Kids {
			k := &f.Kids[i]
			if more, can := callers(k); can && (!ok || late && !k.Late || late == k.Late && len(more) < len(atoms)) {
				atoms, ok, late = more, true, k.Late
			}
		}
	}
	return atoms, ok
}
