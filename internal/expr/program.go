// Package expr is what an expression of a policy becomes: a typed tree of plain
// data with a wire form, and its evaluator.
//
// The tree holds no closures and no Go types, so that the same program can be
// evaluated here, inside a WebAssembly module, and be turned into code. It has the
// meaning of the CEL expression that it was made from: the same value, or an error
// of the same class ([Code]), for every input.
//
// An evaluation is bounded three ways. A program has at most [MaxNodes]
// operations, nested at most [MaxDepth] deep. Every turn of a loop, every byte
// looked through and every byte allocated is paid from a [Budget], before it is
// spent, so that even a program made by an enemy ends soon. And matching is linear
// in the text.
package expr

import (
	"regexp/syntax"
	"slices"

	"github.com/privetdev/privet/internal/scan"
)

// Bounds of every program, also of one that arrives from outside.
const (
	MaxNodes   = 4096    // operations of a program
	MaxDepth   = 160     // nesting of operations
	MaxLoops   = 6       // nesting of all, exists, exists_one, filter and map
	MaxText    = 1 << 16 // bytes of the source, of a constant and of a pattern
	MaxPattern = 1 << 14 // instructions of all patterns of a program together
)

// A Program is one expression as plain data, typed and checked. It comes from
// [Decode] or [Writer.Program], which check every bound; a Program put together
// in another way evaluates to [BadFrame]. It is immutable and safe for concurrent use.
type Program struct {
	Env      uint8    // number of the environment that it was made for
	Source   string   // the text that it was made from, if it was kept; see Text
	Nodes    []Node   // operands come before the operations that use them; the last node is the root
	Args     []uint16 // operands of lists, maps and calls
	Consts   []Value  // constants of the text, then the lists and maps made of constants only
	Patterns []string // regular expressions in RE2 syntax, in the order of their use

	env    *Env
	sound  bool        // Decode made it
	vars   int         // how many variables the environment has
	loops  int         // how deep macros nest
	regex  []*scan.Set // one expression each
	weight []int       // of each pattern, see PatternWeight
	work   []uint16    // for each node, how many up to it do something when evaluated
}

// A Node is one operation of a [Program]. The meaning of A to D is that of the
// operation; see the list of operations.
type Node struct {
	Op         Op
	Type       Type // of the value
	A, B, C, D uint16
}

// Result is the type of the expression's value.
func (p *Program) Result() Type {
	if len(p.Nodes) == 0 {
		return 0
	}
	return p.Nodes[len(p.Nodes)-1].Type
}

// Operands appends the nodes that node i works on to dst, in the order in which
// they are evaluated.
func (p *Program) Operands(dst []uint16, i int) []uint16 {
	n := &p.Nodes[i]
	info := &opInfo[n.Op]
	switch {
	case n.Op == OpList || n.Op == OpMap:
		return append(dst, p.Args[n.A:n.A+n.B]...)
	case n.Op == OpCall:
		return append(dst, p.Args[n.B:n.B+n.C]...)
	case info.form == formLoop && info.arity == 3:
		return append(dst, n.A, n.B, n.D)
	}
	operands := [4]uint16{n.A, n.B, n.C, n.D}
	return append(dst, operands[:info.arity]...)
}

// Vars reports, for each slot of the environment, whether the program reads it.
func (p *Program) Vars() []bool {
	used := make([]bool, p.vars)
	for _, n := range p.Nodes {
		if n.Op == OpVar {
			used[n.A] = true
		}
	}
	return used
}

// turn is what one turn of a macro costs, from its range to its last body: the
// nodes of a body follow each other. What is constant costs nothing.
func (p *Program) turn(over, body uint16) int {
	return 1 + int(p.work[body]-p.work[over])
}

// measure counts the nodes that do something.
func (p *Program) measure() {
	p.work = make([]uint16, len(p.Nodes))
	count := uint16(0)
	for i, n := range p.Nodes {
		if n.Op != OpConst && !(n.Op == OpList && n.C != 0) && !(n.Op == OpMap && n.C != 0) {
			count++
		}
		p.work[i] = count
	}
}

// CheckPattern reports how many instructions the pattern of a `matches` takes. It is
// an error if the pattern is not of RE2 syntax, is longer than [MaxText] or takes more
// than [MaxPattern] instructions. The error of a bad pattern is a *[syntax.Error].
func CheckPattern(pattern string) (size int, err error) {
	if len(pattern) > MaxText {
		return 0, errTooLarge
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	// Weighed before it is compiled, so that a short pattern with nested counts
	// cannot take much memory.
	size = weigh(tree)
	if size > MaxPattern {
		return size, errTooLarge
	}
	return size, nil
}

// PatternWeight is what matching a pattern of so many instructions costs for each
// 16 bytes of text begun, in units of the [Budget]: in the worst case every instruction
// is alive at every byte, as with nested counts.
func PatternWeight(size int) int { return 1 + size/2 }

// weigh estimates the instructions of a regular expression from its tree.
func weigh(re *syntax.Regexp) int {
	size := 1
	switch re.Op {
	case syntax.OpLiteral:
		size = len(re.Rune)
	case syntax.OpCharClass:
		size = 1 + len(re.Rune)/8
	}
	for _, sub := range re.Sub {
		size += weigh(sub)
		if size > MaxPattern {
			return MaxPattern + 1
		}
	}
	if re.Op == syntax.OpRepeat {
		if n := max(re.Max, re.Min, 1); size > MaxPattern/n {
			return MaxPattern + 1
		} else {
			size *= n
		}
	}
	return size
}

// fold makes one constant of a list or map whose operands are constants, so that
// `x in ["a", "b"]` builds nothing at run time. It reports the constant's place
// plus one, or 0 if an operand is not constant.
func (p *Program) fold(op Op, t Type, args []uint16) uint16 {
	vals := make([]Value, len(args))
	for i, a := range args {
		switch n := &p.Nodes[a]; {
		case n.Op == OpConst:
			vals[i] = p.Consts[n.A]
		case (n.Op == OpList || n.Op == OpMap) && n.C != 0:
			vals[i] = p.Consts[n.C-1]
		default:
			return 0
		}
	}
	var v Value
	switch {
	case op == OpMap:
		m := &Map{}
		for i := 0; i < len(vals); i += 2 {
			m.Set(vals[i].str, vals[i+1])
		}
		v = MapValue(m)
	case t.Elem() == TString:
		strs := make([]string, len(vals))
		for i := range vals {
			strs[i] = vals[i].str
		}
		v = Strings(&strs)
	default:
		v = List(slices.Clip(vals))
	}
	p.Consts = append(p.Consts, v)
	return uint16(len(p.Consts))
}
