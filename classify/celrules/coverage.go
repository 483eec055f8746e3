package celrules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/source"
)

// A Coverage says which parts of one condition the tests of its file have seen.
type Coverage struct {
	Kind         string // rule, detector (its check) or suppress
	ID           string // of the rule, detector or suppression
	File         string
	Line, Column int // of the condition
	Parts        []Part
}

// Both is how many parts were seen true and seen false.
func (c *Coverage) Both() int {
	n := 0
	for i := range c.Parts {
		if c.Parts[i].Both() {
			n++
		}
	}
	return n
}

// A Part is a sub-condition: the whole condition, and every operand of &&, || and !
// and of ?: that is true or false, also inside of macros. A chain such as a && b && c
// has its links for operands; a negation counts as what it negates; constants do
// not count.
type Part struct {
	Text         string // in CEL, as the condition was understood
	Line, Column int    // where it stands, or the condition if it is written differently
	True, False  bool   // whether it was seen so; neither if it was never evaluated or ended in an error
}

// Both reports whether the part was seen true and seen false.
func (p *Part) Both() bool { return p.True && p.False }

// Share is how many parts of conditions were seen true and seen false, and how
// many there are.
func Share(list []Coverage) (both, all int) {
	for i := range list {
		both += list[i].Both()
		all += len(list[i].Parts)
	}
	return both, all
}

// partsOf lists the nodes of a program that are sub-conditions, in the order in
// which they are read.
func partsOf(p *expr.Program) []int {
	var out []int
	var visit func(i int, counts bool)
	var links func(i int, op expr.Op)
	visit = func(i int, counts bool) {
		n := &p.Nodes[i]
		if counts && n.Op != expr.OpNot && n.Op != expr.OpConst {
			out = append(out, i)
		}
		switch n.Op {
		case expr.OpAnd, expr.OpOr:
			links(i, n.Op)
			return
		case expr.OpNot:
			visit(int(n.A), true)
			return
		}
		for j, o := range p.Operands(nil, i) {
			visit(int(o), n.Op == expr.OpCond && (j == 0 || n.Type == expr.TBool))
		}
	}
	// A chain of one operator is a tree whose shape nobody wrote.
	links = func(i int, op expr.Op) {
		for _, o := range p.Operands(nil, i) {
			if p.Nodes[o].Op == op {
				links(int(o), op)
			} else {
				visit(int(o), true)
			}
		}
	}
	visit(len(p.Nodes)-1, true)
	return out
}

// A watched is a condition of the file with what was seen of it.
type watched struct {
	Coverage
	program *expr.Program
	part    []int // for each node, 1 + its place in Parts, or 0
	open    int   // what was not seen yet, of two for each part
}

func watch(kind, id string, p *expr.Program, at source.Text) *watched {
	w := &watched{program: p, part: make([]int, len(p.Nodes))}
	w.Coverage = Coverage{Kind: kind, ID: id, Line: at.Pos().Line, Column: at.Pos().Column}
	if at.File != nil {
		w.File = at.File.Name
	}
	for _, node := range partsOf(p) {
		text := p.Text(node)
		pos := placeOf(at, text)
		w.Parts = append(w.Parts, Part{Text: text, Line: pos.Line, Column: pos.Column})
		w.part[node] = len(w.Parts)
	}
	w.open = 2 * len(w.Parts)
	return w
}

// placeOf finds a part in the text of its condition; where it is not written in
// the same way, or more than once, the place is that of the condition.
func placeOf(at source.Text, part string) source.Pos {
	// Parts have double quotes, and authors in YAML like single ones.
	for _, text := range []string{at.Value, strings.ReplaceAll(at.Value, "'", `"`)} {
		switch found := occurrences(text, part); {
		case len(found) == 1:
			return at.At(found[0])
		case len(found) > 1:
			return at.Pos()
		}
	}
	return at.Pos()
}

// occurrences are the places of part in text where it is not a piece of a longer
// name.
func occurrences(text, part string) (found []int) {
	for from := 0; ; {
		i := strings.Index(text[from:], part)
		if i < 0 {
			return found
		}
		i += from
		end := i + len(part)
		from = i + 1
		if i > 0 && (nameByte(text[i-1]) || text[i-1] == '.') && nameByte(part[0]) ||
			end < len(text) && nameByte(text[end]) && nameByte(part[len(part)-1]) {
			continue
		}
		found = append(found, i)
	}
}

// seen notes a value of a node.
func (w *watched) seen(node int, v expr.Value, c expr.Code) {
	i := w.part[node]
	if i == 0 || c != expr.OK {
		return
	}
	flag := &w.Parts[i-1].False
	if v.AsBool() {
		flag = &w.Parts[i-1].True
	}
	if !*flag {
		*flag = true
		w.open--
	}
}

// done reports whether there is nothing left to see. It holds for what nobody
// watches.
func (w *watched) done() bool { return w == nil || w.open == 0 }

// sortByPlace orders by line and column, as the file is read.
func sortByPlace(list []Coverage) {
	slices.SortStableFunc(list, func(a, b Coverage) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
