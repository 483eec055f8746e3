package asm

import (
	"maps"
	"math/bits"
	"slices"
)

// tidy makes a function smaller and leaves what it does alone. What compilers write
// without thinking is taken out here: blocks that nothing leaves, code that nothing
// reaches, locals that nobody reads.
func tidy(f *Func) *Func {
	g := &Func{Name: f.Name, Sig: f.Sig, Locals: f.Locals, Body: slices.Clone(f.Body)}
	for range 20 {
		before := len(g.Body)
		g.Body = decided(g.Body)
		g.Body = reachable(g.Body)
		g.Body = unblocked(g.Body)
		g.Body = nearer(g.Body)
		propagate(g)
		g.Body = known(g)
		g.Body = peep(g.Body)
		unread(g)
		if len(g.Body) == before {
			break
		}
	}
	g.Body = unset(g.Body, len(g.Sig.Params()))
	share(g)
	renumber(g)
	return g
}

// bounds are the largest values that locals have, as numbers without sign.
func bounds(f *Func) []uint32 {
	most := make([]uint32, len(f.Sig.Params())+len(f.Locals))
	for i := range f.Sig.Params() {
		most[i] = 1<<32 - 1
	}
	for changed, rounds := true, 0; changed; rounds++ {
		changed = false
		for i, in := range f.Body {
			if in.Op != LocalSet && in.Op != LocalTee {
				continue
			}
			if n := bound(f.Body[:i], most); n > most[in.Imm] {
				if rounds > 2 { // what grows on does not end soon
					n = 1<<32 - 1
				}
				most[in.Imm], changed = n, true
			}
		}
	}
	return most
}

// bound is the largest value that instructions leave on top.
func bound(body []Instr, most []uint32) uint32 {
	n := len(body)
	if n == 0 {
		return 1<<32 - 1
	}
	number := n > 1 && body[n-2].Op == I32Const && body[n-2].Sym == ""
	switch in := body[n-1]; in.Op {
	case I32Const:
		if in.Sym == "" {
			return uint32(in.Imm)
		}
	case LocalGet, LocalTee:
		if in.Op == LocalTee { // it may be no more than the local in other places
			return bound(body[:n-1], most)
		}
		return most[in.Imm]
	case I32Load8U:
		return 1<<8 - 1
	case I32Load16U:
		return 1<<16 - 1
	case I32Eqz, I64Eqz, I32Eq, I32Ne, I32LtS, I32LtU, I32GtS, I32GtU, I32LeS, I32LeU, I32GeS, I32GeU:
		return 1
	case I32And:
		if number {
			return uint32(body[n-2].Imm)
		}
	case I32ShrU:
		if number {
			return (1<<32 - 1) >> (body[n-2].Imm & 31)
		}
	case I32RemU:
		if number && body[n-2].Imm != 0 {
			return uint32(body[n-2].Imm) - 1
		}
	}
	return 1<<32 - 1
}

// known drops comparisons of which the result is known: an index of one byte is within
// a table of 256, and what was compared needs no comparing again as long as it stays.
func known(f *Func) []Instr {
	type check struct {
		op          Op
		local, with int64
		number      bool
	}
	body, most := f.Body, bounds(f)
	out := make([]Instr, 0, len(body))
	facts := map[check]bool{}
	var outer []map[check]bool // at the beginnings of the blocks that are open
	for _, in := range body {
		switch in.Op {
		case BlockOp, If, Loop:
			kept := maps.Clone(facts)
			outer = append(outer, kept)
			if in.Op == Loop {
				clear(facts) // it may come from its end
			}
		case Else:
			facts = maps.Clone(outer[len(outer)-1])
		case End:
			facts, outer = outer[len(outer)-1], outer[:len(outer)-1]
		case LocalSet, LocalTee:
			forget := func(c check, _ bool) bool { return c.local == in.Imm || !c.number && c.with == in.Imm }
			maps.DeleteFunc(facts, forget)
			for _, o := range outer {
				maps.DeleteFunc(o, forget)
			}
		case I32GeU, I32GtU:
			n := len(out)
			if n < 2 || out[n-1].Op != I32Const || out[n-1].Sym != "" {
				break
			}
			if b := bound(out[:n-1], most); b < uint32(out[n-1].Imm) || in.Op == I32GtU && b == uint32(out[n-1].Imm) {
				// What is compared is dropped, which is nothing where it was just pushed.
				out[n-1] = Instr{Op: Drop}
				in = Instr{Op: I32Const}
			}
		case BrIf:
			n := len(out)
			if n < 3 || out[n-1].Op != I32GeU && out[n-1].Op != I32GtU || out[n-3].Op != LocalGet && out[n-3].Op != LocalTee {
				break
			}
			c := check{out[n-1].Op, out[n-3].Imm, out[n-2].Imm, out[n-2].Op == I32Const}
			if out[n-2].Sym != "" || !c.number && out[n-2].Op != LocalGet {
				break
			}
			less := c
			less.op = I32GeU
			if facts[c] || facts[less] {
				out = out[:n-2]
				out = append(out, Instr{Op: Drop})
				continue
			}
			out = append(out, in)
			facts[c] = true
			continue
		}
		out = append(out, in)
	}
	return out
}

// decided takes an if on a constant for the part of it that runs. That part becomes a
// block, to whose end it may jump.
func decided(body []Instr) []Instr {
	end, other := ends(body)
	out := make([]Instr, 0, len(body))
	var closes []int // where parts that were taken end, the innermost last
	for i := 0; i < len(body); i++ {
		in := body[i]
		if n := len(closes); n > 0 && closes[n-1] == i {
			closes = closes[:n-1]
			if in.Op == Else {
				i = end[start(body, i)]
			}
			out = append(out, Instr{Op: End})
			continue
		}
		n := len(out)
		if in.Op != If || n == 0 || out[n-1].Op != I32Const || out[n-1].Sym != "" {
			out = append(out, in)
			continue
		}
		holds := out[n-1].Imm != 0
		out = out[:n-1]
		from, to := i, end[i]
		switch {
		case holds && other[i] >= 0:
			to = other[i]
		case !holds && other[i] < 0:
			i = end[i]
			continue
		case !holds:
			from = other[i]
		}
		out = append(out, Instr{Op: BlockOp, Label: in.Label, Imm: in.Imm})
		closes = append(closes, to)
		i = from
	}
	return out
}

// start is where the block begins whose else is at a place.
func start(body []Instr, other int) int {
	depth := 0
	for i := other - 1; i > 0; i-- {
		switch body[i].Op {
		case End:
			depth++
		case BlockOp, Loop, If:
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return 0
}

// nearer moves what was pushed for a local or for nothing right before the set or drop
// that takes it, if it can be pushed there as well.
func nearer(body []Instr) []Instr {
	out := make([]Instr, 0, len(body))
	gone := make([]bool, 0, len(body))
	var stack []int // of what was pushed since control came or went: where, or -1
	pop := func() int {
		if len(stack) == 0 {
			return -1
		}
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return p
	}
	for _, in := range body {
		switch {
		case in.Op == LocalSet || in.Op == Drop:
			p := pop()
			if p >= 0 && p < len(out)-1 {
				gone[p] = true
				if in.Op == Drop {
					continue
				}
				out, gone = append(out, out[p]), append(gone, false)
			}
		case in.Op == LocalTee:
			stack = append(stack[:max(len(stack)-1, 0)], -1)
		case pushes(in):
			stack = append(stack, len(out))
			if in.Op == GlobalGet {
				stack[len(stack)-1] = -1 // others may set it
			}
		case ops[in.Op].sig == "?":
			stack = stack[:0]
		default:
			sig := Sig(ops[in.Op].sig)
			for range sig.Params() {
				pop()
			}
			if sig.Result() != None {
				stack = append(stack, -1)
			}
		}
		if in.Op == LocalSet || in.Op == LocalTee {
			for i, p := range stack {
				if p >= 0 && out[p].Op == LocalGet && out[p].Imm == in.Imm {
					stack[i] = -1
				}
			}
		}
		out, gone = append(out, in), append(gone, false)
	}
	kept := out[:0]
	for i, in := range out {
		if !gone[i] {
			kept = append(kept, in)
		}
	}
	return kept
}

// parts tells for each instruction where the block, or the half of an if, ends in which
// it stands. What is set there has been set in all that follows up to that end.
func parts(body []Instr) []int {
	closes := make([]int, len(body))
	last := len(body)
	var outer []int
	for i := len(body) - 1; i >= 0; i-- {
		switch body[i].Op {
		case End:
			closes[i] = last
			outer, last = append(outer, last), i
			continue
		case Else:
			last = i
		case BlockOp, Loop, If:
			last, outer = outer[len(outer)-1], outer[:len(outer)-1]
		}
		closes[i] = last
	}
	return closes
}

// share gives one number to locals of which each is set once before it is read, and none
// is read any more when the next is set.
func share(f *Func) {
	params := len(f.Sig.Params())
	closes := parts(f.Body)
	type span struct{ sets, from, to int }
	spans := make([]span, params+len(f.Locals))
	for i, in := range f.Body {
		switch in.Op {
		case LocalSet, LocalTee:
			spans[in.Imm].sets++
			spans[in.Imm].from = i
		case LocalGet:
			spans[in.Imm].to = i
		}
	}
	end, _ := ends(f.Body)
	var open []int
	for i, in := range f.Body {
		switch in.Op {
		case BlockOp, Loop, If:
			open = append(open, i)
		case End:
			open = open[:len(open)-1]
		case LocalGet:
			s := &spans[in.Imm]
			if s.sets != 1 || i < s.from || i > closes[s.from] {
				s.sets = 0
			}
			for _, b := range open {
				if f.Body[b].Op == Loop && b > s.from { // it is read in every round
					s.to = max(s.to, end[b])
				}
			}
		}
	}
	becomes := map[int64]int64{}
	busy := map[int64]int{} // until where a local that is shared has a value
	var shared []int64
	for i, in := range f.Body {
		if in.Op != LocalSet && in.Op != LocalTee || int(in.Imm) < params || spans[in.Imm].sets != 1 {
			continue
		}
		becomes[in.Imm] = in.Imm
		free := -1
		for j, s := range shared {
			if busy[s] < i && f.Locals[int(s)-params] == f.Locals[int(in.Imm)-params] {
				free = j
				break
			}
		}
		if free < 0 {
			shared = append(shared, in.Imm)
		} else {
			becomes[in.Imm] = shared[free]
		}
		busy[becomes[in.Imm]] = max(i, spans[in.Imm].to)
	}
	for i, in := range f.Body {
		if n, ok := becomes[in.Imm]; ok && (in.Op == LocalGet || in.Op == LocalSet || in.Op == LocalTee) {
			f.Body[i].Imm = n
		}
	}
}

// propagate takes for a local that is set once, to a constant or to another local that
// keeps its value, that constant or local.
func propagate(f *Func) {
	body, params := f.Body, int64(len(f.Sig.Params()))
	sets, gets := map[int64][]int{}, map[int64][]int{}
	closes := parts(body)
	for i, in := range body {
		switch in.Op {
		case LocalSet, LocalTee:
			sets[in.Imm] = append(sets[in.Imm], i)
		case LocalGet:
			gets[in.Imm] = append(gets[in.Imm], i)
		}
	}
	gone := make([]bool, len(body))
	for i := 1; i < len(body); i++ {
		in, from := body[i], body[i-1]
		if in.Op != LocalSet && in.Op != LocalTee || len(sets[in.Imm]) != 1 || in.Imm < params || gone[i-1] {
			continue
		}
		switch from.Op {
		case I32Const, I64Const, F64Const:
			if size, n := constantSize(from), len(gets[in.Imm]); n > 1 && size*n > size+2+2*n {
				continue
			}
		case LocalGet:
			if s := sets[from.Imm]; from.Imm == in.Imm || len(s) > 1 || len(s) == 1 && (from.Imm < params || s[0] > i) {
				continue
			}
		default:
			continue
		}
		reached := true
		for _, g := range gets[in.Imm] {
			reached = reached && g > i && g < closes[i]
		}
		if !reached {
			continue
		}
		for _, g := range gets[in.Imm] {
			body[g] = from
			if from.Op == LocalGet {
				gets[from.Imm] = append(gets[from.Imm], g)
			}
		}
		gone[i] = true
		if in.Op == LocalSet {
			gone[i-1] = true
		}
	}
	out := body[:0]
	for i, in := range body {
		if !gone[i] {
			out = append(out, in)
		}
	}
	f.Body = out
}

// constantSize is about how many bytes a constant takes.
func constantSize(in Instr) int {
	switch {
	case in.Sym != "":
		return 4
	case in.Op == F64Const:
		return 9
	}
	return 1 + len(sleb(nil, in.Imm))
}

// fold is the result of an operation on constants.
func fold(op Op, a, b int32) (int32, bool) {
	is := func(holds bool) (int32, bool) {
		if holds {
			return 1, true
		}
		return 0, true
	}
	switch op {
	case I32Eq:
		return is(a == b)
	case I32Ne:
		return is(a != b)
	case I32LtS:
		return is(a < b)
	case I32LtU:
		return is(uint32(a) < uint32(b))
	case I32GtS:
		return is(a > b)
	case I32GtU:
		return is(uint32(a) > uint32(b))
	case I32LeS:
		return is(a <= b)
	case I32LeU:
		return is(uint32(a) <= uint32(b))
	case I32GeS:
		return is(a >= b)
	case I32GeU:
		return is(uint32(a) >= uint32(b))
	case I32Add:
		return a + b, true
	case I32Sub:
		return a - b, true
	case I32Mul:
		return a * b, true
	case I32And:
		return a & b, true
	case I32Or:
		return a | b, true
	case I32Xor:
		return a ^ b, true
	case I32Shl:
		return a << (b & 31), true
	case I32ShrS:
		return a >> (b & 31), true
	case I32ShrU:
		return int32(uint32(a) >> (b & 31)), true
	}
	return 0, false
}

// unset drops zeros that are written to locals for the first time, which are zero.
func unset(body []Instr, params int) []Instr {
	out := body[:0]
	seen := map[int64]bool{}
	var open []Op
	loops := 0
	for _, in := range body {
		switch in.Op {
		case BlockOp, Loop, If:
			open = append(open, in.Op)
			if in.Op == Loop {
				loops++
			}
		case End:
			if open[len(open)-1] == Loop {
				loops--
			}
			open = open[:len(open)-1]
		case LocalGet, LocalSet, LocalTee:
			if n := len(out); in.Op == LocalSet && !seen[in.Imm] && loops == 0 && in.Imm >= int64(params) && n > 0 &&
				(out[n-1].Op == I32Const || out[n-1].Op == I64Const || out[n-1].Op == F64Const) && out[n-1].Imm == 0 && out[n-1].Sym == "" {
				out = out[:n-1]
				continue
			}
			seen[in.Imm] = true
		}
		out = append(out, in)
	}
	return out
}

// reachable drops what stands between a jump and the end of its block.
func reachable(body []Instr) []Instr {
	out := body[:0]
	depth, dead := 0, false // depth counts blocks opened in dead code
	for _, in := range body {
		if dead {
			switch in.Op {
			case BlockOp, Loop, If:
				depth++
				continue
			case Else:
				if depth > 0 {
					continue
				}
			case End:
				if depth > 0 {
					depth--
					continue
				}
			default:
				continue
			}
			dead = false
		}
		switch in.Op {
		case Br, BrTable, Return, Unreachable:
			dead = true
		}
		out = append(out, in)
	}
	return out
}

// ends finds for each block, loop and if where it ends, and its else or -1.
func ends(body []Instr) (end, other map[int]int) {
	end, other = map[int]int{}, map[int]int{}
	var open []int
	for i, in := range body {
		switch in.Op {
		case BlockOp, Loop, If:
			open, other[i] = append(open, i), -1
		case Else:
			other[open[len(open)-1]] = i
		case End:
			end[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return end, other
}

// unblocked drops blocks and loops to which nothing jumps, jumps to where the code goes
// on anyhow, and writes an if around a jump as one.
func unblocked(body []Instr) []Instr {
	end, other := ends(body)
	jumps := map[Label]int{}
	for _, in := range body {
		switch in.Op {
		case Br, BrIf:
			jumps[in.Label]++
		case BrTable:
			for _, l := range in.Labels {
				jumps[l]++
			}
		}
	}
	gone := make([]bool, len(body))
	for i, in := range body {
		e, ok := end[i]
		if !ok {
			continue
		}
		switch {
		case in.Op != If && jumps[in.Label] == 0:
			// A block whose end is not reached may leave less than its value.
			if Type(in.Imm) == None || !leaves(body[e-1].Op) {
				gone[i], gone[e] = true, true
			}
		case in.Op == BlockOp && body[e-1].Op == Br && body[e-1].Label == in.Label && e-1 > i:
			gone[e-1] = true
		case in.Op == If && other[i] < 0 && e == i+2 && body[i+1].Op == Br && jumps[in.Label] == 0:
			body[i+1].Op = BrIf
			gone[i], gone[e] = true, true
		case in.Op == If && other[i] >= 0 && e == other[i]+1:
			gone[other[i]] = true
		}
	}
	out := body[:0]
	for i, in := range body {
		if !gone[i] {
			out = append(out, in)
		}
	}
	return out
}

// leaves reports whether control does not go on behind an instruction.
func leaves(op Op) bool { return op == Br || op == BrTable || op == Return || op == Unreachable }

var inverse = map[Op]Op{
	I32Eq: I32Ne, I32Ne: I32Eq, I32LtS: I32GeS, I32GeS: I32LtS, I32GtS: I32LeS, I32LeS: I32GtS,
	I32LtU: I32GeU, I32GeU: I32LtU, I32GtU: I32LeU, I32LeU: I32GtU,
	I64Eq: I64Ne, I64Ne: I64Eq, I64LtS: I64GeS, I64GeS: I64LtS, I64GtS: I64LeS, I64LeS: I64GtS,
	I64LtU: I64GeU, I64GeU: I64LtU, I64GtU: I64LeU, I64LeU: I64GtU,
	F64Eq: F64Ne, F64Ne: F64Eq,
}

// pushes reports whether an instruction pushes one value and does nothing else.
func pushes(in Instr) bool {
	switch in.Op {
	case LocalGet, GlobalGet, I32Const, I64Const, F64Const:
		return true
	}
	return false
}

// peep rewrites short runs of instructions.
func peep(body []Instr) []Instr {
	out := make([]Instr, 0, len(body))
	plain := func(in Instr, op Op, v int64) bool { return in.Op == op && in.Imm == v && in.Sym == "" }
	for _, in := range body {
	again:
		n := len(out)
		if n > 0 {
			last := out[n-1]
			if last.Op == I32Const && last.Sym == "" {
				if in.Op == I32Eqz {
					v, _ := fold(I32Eq, int32(last.Imm), 0)
					out[n-1].Imm = int64(v)
					continue
				}
				if n > 1 && out[n-2].Op == I32Const && out[n-2].Sym == "" {
					if v, ok := fold(in.Op, int32(out[n-2].Imm), int32(last.Imm)); ok {
						out[n-2].Imm = int64(v)
						out = out[:n-1]
						continue
					}
				}
				if in.Op == Select && n > 2 && pushes(out[n-2]) && pushes(out[n-3]) {
					if last.Imm == 0 {
						out[n-3] = out[n-2]
					}
					out = out[:n-2]
					continue
				}
			}
			switch {
			case in.Op == LocalGet && last.Op == LocalSet && last.Imm == in.Imm:
				out[n-1].Op = LocalTee
				continue
			case in.Op == LocalSet && (last.Op == LocalGet || last.Op == LocalTee) && last.Imm == in.Imm:
				out = out[:n-1]
				if last.Op == LocalTee {
					goto again
				}
				continue
			case in.Op == Drop && last.Op == LocalTee:
				out[n-1].Op = LocalSet
				continue
			case in.Op == Drop && pushes(last):
				out = out[:n-1]
				continue
			case in.Op == I32Eqz && inverse[last.Op] != 0:
				out[n-1].Op = inverse[last.Op]
				continue
			case (in.Op == BrIf || in.Op == If) && last.Op == I32Eqz && n > 1 && out[n-2].Op == I32Eqz:
				out = out[:n-2]
				goto again
			case in.Op == I32Eq && plain(last, I32Const, 0):
				out[n-1] = Instr{Op: I32Eqz}
				continue
			case in.Op == I32Eq && plain(last, I32Const, 1) && n > 2 && out[n-2].Op == I32And && plain(out[n-3], I32Const, 1):
				out = out[:n-1]
				continue
			case in.Op == I64Eq && plain(last, I64Const, 0):
				out[n-1] = Instr{Op: I64Eqz}
				continue
			case (in.Op == BrIf || in.Op == If) && n > 1 && last.Op == I32Ne && plain(out[n-2], I32Const, 0):
				out = out[:n-2]
				goto again
			case (in.Op == BrIf || in.Op == If) && n > 0 && last.Op == I32Const && last.Sym == "" && in.Op == BrIf:
				out = out[:n-1]
				if last.Imm != 0 {
					out = append(out, Instr{Op: Br, Label: in.Label})
				}
				continue
			case (in.Op == I32Add || in.Op == I32Sub || in.Op == I32Or || in.Op == I32Xor || in.Op == I32Shl || in.Op == I32ShrS || in.Op == I32ShrU) && plain(last, I32Const, 0),
				in.Op == I32Mul && plain(last, I32Const, 1):
				out = out[:n-1]
				continue
			case in.Op == I32Mul && last.Op == I32Const && last.Sym == "" && last.Imm > 1 && last.Imm&(last.Imm-1) == 0:
				out[n-1].Imm = int64(bits.TrailingZeros64(uint64(last.Imm)))
				last, in.Op = out[n-1], I32Shl
			case in.Op == I32Sub && last.Op == I32Const && last.Sym == "" && last.Imm < 0:
				// Numbers of which the positive one is shorter or as short.
				out[n-1].Imm = int64(int32(-last.Imm))
				last, in.Op = out[n-1], I32Add
			}
			// (x + c1) + c2
			if (in.Op == I32Add || in.Op == I32Sub) && last.Op == I32Const && last.Sym == "" && n > 2 && (out[n-2].Op == I32Add || out[n-2].Op == I32Sub) && out[n-3].Op == I32Const && out[n-3].Sym == "" {
				sum := last.Imm
				if in.Op == I32Sub {
					sum = -sum
				}
				if out[n-2].Op == I32Add {
					sum += out[n-3].Imm
				} else {
					sum -= out[n-3].Imm
				}
				out = append(out[:n-3], Instr{Op: I32Const, Imm: int64(int32(sum))})
				in = Instr{Op: I32Add}
				goto again
			}
		}
		out = append(out, in)
	}
	return out
}

// unread drops what is written to locals that nobody reads.
func unread(f *Func) {
	read := map[int64]bool{}
	for _, in := range f.Body {
		if in.Op == LocalGet {
			read[in.Imm] = true
		}
	}
	out := f.Body[:0]
	for _, in := range f.Body {
		switch {
		case in.Op == LocalSet && !read[in.Imm]:
			in = Instr{Op: Drop}
		case in.Op == LocalTee && !read[in.Imm]:
			continue
		}
		out = append(out, in)
	}
	f.Body = out
}

// renumber drops locals that nothing mentions and puts those of one type together.
func renumber(f *Func) {
	params := len(f.Sig.Params())
	used := map[int64]bool{}
	for _, in := range f.Body {
		if in.Op == LocalGet || in.Op == LocalSet || in.Op == LocalTee {
			used[in.Imm] = true
		}
	}
	number := map[int64]int64{}
	for i := range params {
		number[int64(i)] = int64(i)
	}
	var locals []Type
	for _, t := range []Type{I32, I64, F64} {
		for i, local := range f.Locals {
			if at := int64(params + i); local == t && used[at] {
				number[at] = int64(params + len(locals))
				locals = append(locals, t)
			}
		}
	}
	for i, in := range f.Body {
		if in.Op == LocalGet || in.Op == LocalSet || in.Op == LocalTee {
			f.Body[i].Imm = number[in.Imm]
		}
	}
	f.Locals = locals
}
