package classify

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
)

// An index is the rules of a classifier, arranged so that a field meets only those
// that can hold for it.
//
// Each condition is taken apart into atoms: questions about one text or about the
// words of the name, such as `field.name.startsWith("x")`. All atoms about one text
// are answered in one pass, see [scan.Set], all about words by looking each word up
// once. An atom that holds calls the rules that wait for it; what no atom calls for
// cannot hold. What is not an atom is a rest, which is evaluated when its rule was
// called and the atoms alone do not decide.
//
// Atoms and rests about the value or the context are late: what a rule says before
// they are known is remembered for a field, see [memory].
type index struct {
	rules []indexed
	// waiting lists, for each atom, the rules that it calls.
	waiting [][]int32
	// always are rules that no atom stands for: all fields meet them.
	always []int32
	texts  []textIndex
	words  map[string]*wordEntry
	known  wordHint // of the words with phrases
	atoms  int
	late   bool // a condition looks at the value or the context
	// recall says that late rules ask for early atoms, so that these are remembered.
	recall     bool
	readsWords bool // a rest reads the words of the name
}

// A textIndex answers all atoms about one variable.
type textIndex struct {
	slot  int
	lower bool // in small letters, by lowerAscii
	late  bool
	set   *scan.Set
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

// An indexed is one rule's condition.
type indexed struct {
	when *expr.Program
	root formula
	// simple: the condition is that one of its atoms holds.
	simple bool
}

// A formula is a condition over atoms.
type formula struct {
	op   formulaOp
	late bool // something in it is late
	atom int32
	node uint16   // of opRest
	list []string // of opWords
	ids  []int32  // of opOneOf, sorted
	mask uint64   // of opOneOf: which last six bits the ids have
	kids []formula
}

type formulaOp uint8

const (
	opRest  formulaOp = iota // an expression, by its node
	opAtom                   // atom
	opAny                    // one of kids
	opAll                    // all of kids
	opNot                    // not kids[0]
	opWords                  // the words of the name are list
	opTrue                   // always
	opOneOf                  // one of the atoms ids, which are of words
)

// A truth is the outcome of a condition. CEL's && and || take an error for a third
// truth value.
type truth uint8

const (
	isFalse truth = iota
	isTrue
	isError
	isUnknown // it depends on what is late
)

// An indexer builds an index.
type indexer struct {
	index
	byAtom map[string]int32
	exprs  map[textKey]*textAtoms
	order  []textKey
}

type textKey struct {
	slot  int
	lower bool
}

type textAtoms struct {
	exprs []string
	ids   []uint32
}

// newIndex arranges the rules of a classifier and the context words of its
// detectors.
func newIndex(rules []rule, detectors []detector) *index {
	x := &indexer{byAtom: map[string]int32{}, exprs: map[textKey]*textAtoms{}}
	x.words = map[string]*wordEntry{}
	for i := range rules {
		p := rules[i].when
		root := x.condition(p, len(p.Nodes)-1)
		r := indexed{when: p, root: root, simple: simple(&root)}
		x.rules = append(x.rules, r)
		calls, ok := callers(&root)
		if !ok {
			x.always = append(x.always, int32(i))
			x.late = x.late || root.late
			continue
		}
		slices.Sort(calls)
		for _, a := range slices.Compact(calls) {
			x.waiting[a] = append(x.waiting[a], int32(i))
		}
	}
	for _, k := range x.order {
		t := textIndex{slot: k.slot, lower: k.lower, late: isLate(k.slot), set: scan.NewSet(x.exprs[k].exprs, x.exprs[k].ids, k.lower)}
		x.late = x.late || t.late
		x.texts = append(x.texts, t)
	}
	for i := range x.rules {
		r := &x.rules[i]
		x.late = x.late || r.root.late
		x.recall = x.recall || r.root.late && !r.simple
	}
	for i := range detectors {
		for _, p := range detectors[i].context {
			x.phrase(int32(i), p)
		}
	}
	return &x.index
}

func isLate(slot int) bool { return slot == profile.FieldValue || slot == profile.FieldContext }

// phrase enters a context phrase under its first word. The last word of a phrase may
// stand in the plural.
func (x *indexer) phrase(detector int32, words []string) {
	x.known.add(words[0])
	x.word(words[0]).phrases = append(x.word(words[0]).phrases, phrase{detector: detector, rest: words[1:]})
	if len(words) == 1 {
		x.known.add(words[0] + "s")
		x.word(words[0] + "s").phrases = append(x.word(words[0]+"s").phrases, phrase{detector: detector})
	}
}

func (x *indexer) word(w string) *wordEntry {
	e := x.words[w]
	if e == nil {
		e = &wordEntry{atom: -1}
		x.words[w] = e
	}
	return e
}

func (x *indexer) newAtom() int32 {
	x.atoms++
	x.waiting = append(x.waiting, nil)
	return int32(x.atoms - 1)
}

// wordAtom is the atom that a word is among the name's.
func (x *indexer) wordAtom(w string) formula {
	e := x.word(w)
	if e.atom < 0 {
		e.atom = x.newAtom()
	}
	return formula{op: opAtom, atom: e.atom}
}

// textAtom is the atom that a regular expression matches a variable.
func (x *indexer) textAtom(k textKey, expression string) formula {
	name := string(rune(k.slot)) + "\x00"
	if k.lower {
		name = string(rune(k.slot)) + "\x01"
	}
	name += expression
	id, ok := x.byAtom[name]
	if !ok {
		id = x.newAtom()
		x.byAtom[name] = id
		if x.exprs[k] == nil {
			x.exprs[k] = &textAtoms{}
			x.order = append(x.order, k)
		}
		x.exprs[k].exprs = append(x.exprs[k].exprs, expression)
		x.exprs[k].ids = append(x.exprs[k].ids, uint32(id))
	}
	return formula{op: opAtom, atom: id, late: isLate(k.slot)}
}

// condition takes a node of type bool apart.
func (x *indexer) condition(p *expr.Program, i int) formula {
	n := &p.Nodes[i]
	switch n.Op {
	case expr.OpConst:
		if p.Consts[n.A].AsBool() {
			return formula{op: opTrue}
		}
		return formula{op: opAny}
	case expr.OpAnd:
		return chained(opAll, x.condition(p, int(n.A)), x.condition(p, int(n.B)))
	case expr.OpOr:
		return chained(opAny, x.condition(p, int(n.A)), x.condition(p, int(n.B)))
	case expr.OpNot:
		f := x.condition(p, int(n.A))
		return formula{op: opNot, late: f.late, kids: []formula{f}}
	case expr.OpNe:
		if f, ok := x.equal(p, n); ok {
			return formula{op: opNot, late: f.late, kids: []formula{f}}
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
		part, constant := textConst(p, n.B)
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
	x.readsWords = x.readsWords || reads(p, i, func(slot int) bool { return slot == profile.FieldWords })
	return formula{op: opRest, node: uint16(i), late: reads(p, i, isLate)}
}

// chained joins two formulas, without nesting the same operation.
func chained(op formulaOp, a, b formula) formula {
	out := formula{op: op, late: a.late || b.late}
	for _, f := range []formula{a, b} {
		if f.op == op {
			out.kids = append(out.kids, f.kids...)
		} else {
			out.kids = append(out.kids, f)
		}
	}
	return out
}

// equal is x == "text" for a variable, or field.words == ["a", "b"].
func (x *indexer) equal(p *expr.Program, n *expr.Node) (formula, bool) {
	a, b := n.A, n.B
	if p.Nodes[a].Op == expr.OpConst || p.Nodes[a].Op == expr.OpList {
		a, b = b, a
	}
	if k, ok := textOf(p, a); ok {
		if text, constant := textConst(p, b); constant {
			return x.textAtom(k, `\A`+quoted(text)+`\z`), true
		}
		return formula{}, false
	}
	list, ok := constList(p, b)
	if !ok || !isWords(p, a) {
		return formula{}, false
	}
	// The words atoms call the rule, the comparison decides.
	all := formula{op: opAll}
	for _, w := range list {
		all.kids = append(all.kids, x.wordAtom(w))
	}
	all.kids = append(all.kids, formula{op: opWords, list: list})
	return all, true
}

// in is x in ["a", "b"] for a variable, or "a" in field.words.
func (x *indexer) in(p *expr.Program, n *expr.Node) (formula, bool) {
	if k, ok := textOf(p, n.A); ok {
		list, ok := constList(p, n.B)
		if !ok {
			return formula{}, false
		}
		out := formula{op: opAny, late: isLate(k.slot)}
		for _, text := range list {
			out.kids = append(out.kids, x.textAtom(k, `\A`+quoted(text)+`\z`))
		}
		return out, true
	}
	if w, ok := textConst(p, n.A); ok && isWords(p, n.B) {
		return x.wordAtom(w), true
	}
	return formula{}, false
}

// has is field.words.hasAny([…]) or hasAll.
func (x *indexer) has(p *expr.Program, n *expr.Node) (formula, bool) {
	if n.A != profile.FnHasAll && n.A != profile.FnHasAny || !isWords(p, p.Args[n.B]) {
		return formula{}, false
	}
	list, ok := constList(p, p.Args[n.B+1])
	if !ok {
		return formula{}, false
	}
	out := formula{op: opAny}
	if n.A == profile.FnHasAll {
		out.op = opAll
	}
	if out.op == opAny && len(list) > 1 {
		out.op = opOneOf
		for _, w := range list {
			a := x.wordAtom(w).atom
			out.ids = append(out.ids, a)
			out.mask |= 1 << (uint32(a) & 63)
		}
		slices.Sort(out.ids)
		out.ids = slices.Compact(out.ids)
		return out, true
	}
	for _, w := range list {
		out.kids = append(out.kids, x.wordAtom(w))
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

func isWords(p *expr.Program, i uint16) bool {
	return p.Nodes[i].Op == expr.OpVar && p.Nodes[i].A == profile.FieldWords
}

// textConst is a constant text that a regular expression can stand for: a byte that
// is not UTF-8 reads as U+FFFD there, and is not equal to it here.
func textConst(p *expr.Program, i uint16) (string, bool) {
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

// constList is a constant list of texts.
func constList(p *expr.Program, i uint16) ([]string, bool) {
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

// reads reports whether what is below a node reads such a variable.
func reads(p *expr.Program, i int, such func(slot int) bool) bool {
	n := &p.Nodes[i]
	if n.Op == expr.OpVar {
		return such(int(n.A))
	}
	return slices.ContainsFunc(p.Operands(nil, i), func(o uint16) bool { return reads(p, int(o), such) })
}

// simple reports whether a formula is an atom or one of several.
func simple(f *formula) bool {
	return f.op == opAtom || f.op == opOneOf || f.op == opAny && !slices.ContainsFunc(f.kids, func(k formula) bool { return !simple(&k) })
}

// callers are atoms of which one holds whenever the formula does. ok is false if
// there are none. Of the parts of an && those are taken that call earlier, then less
// often.
func callers(f *formula) (atoms []int32, ok bool) {
	switch f.op {
	case opAtom:
		return []int32{f.atom}, true
	case opOneOf:
		return slices.Clone(f.ids), true
	case opAny:
		for i := range f.kids {
			more, ok := callers(&f.kids[i])
			if !ok {
				return nil, false
			}
			atoms = append(atoms, more...)
		}
		return atoms, true
	case opAll:
		late := true
		for i := range f.kids {
			k := &f.kids[i]
			if more, can := callers(k); can && (!ok || late && !k.late || late == k.late && len(more) < len(atoms)) {
				atoms, ok, late = more, true, k.late
			}
		}
	}
	return atoms, ok
}

// eval is the truth of a rule's condition for the field at hand. Early, it is
// unknown wherever it depends on what is late.
func (s *Scanner) eval(r *indexed, f *formula, early bool) truth {
	if early && f.late && f.op != opAll && f.op != opAny && f.op != opNot {
		return isUnknown
	}
	switch f.op {
	case opTrue:
		return isTrue
	case opAtom:
		if s.atoms.Has(uint32(f.atom)) {
			return isTrue
		}
		return isFalse
	case opOneOf:
		// A field has fewer atoms than a list has words.
		for _, a := range s.atoms.List {
			if f.mask>>(a&63)&1 == 1 {
				if _, ok := slices.BinarySearch(f.ids, int32(a)); ok {
					return isTrue
				}
			}
		}
		return isFalse
	case opNot:
		switch t := s.eval(r, &f.kids[0], early); t {
		case isTrue:
			return isFalse
		case isFalse:
			return isTrue
		default:
			return t
		}
	case opAll, opAny:
		// One operand of this truth decides, whatever the others are.
		decides, out := isFalse, isTrue
		if f.op == opAny {
			decides, out = isTrue, isFalse
		}
		for i := range f.kids {
			switch t := s.eval(r, &f.kids[i], early); {
			case t == decides:
				return t
			case t == isUnknown || t == isError && out != isUnknown:
				out = t
			}
		}
		return out
	case opWords:
		return s.wordsAre(f.list)
	}
	ok, code := s.rest(r.when, int(f.node))
	switch {
	case code != expr.OK:
		return isError
	case ok:
		return isTrue
	}
	return isFalse
}
