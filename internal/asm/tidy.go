package asm

import "slices"

// tidy makes a function smaller and leaves what it does alone. What compilers write
// without thinking is taken out here: blocks that nothing leaves, code that nothing
// reaches, locals that nobody reads.
func tidy(f *Func) *Func {
	g := &Func{Name: f.Name, Sig: f.Sig, Locals: f.Locals, Body: slices.Clone(f.Body)}
	for range 10 {
		before := len(g.Body)
		g.Body = reachable(g.Body)
		g.Body = unblocked(g.Body)
		g.Body = peep(g.Body)
		unread(g)
		if len(g.Body) == before {
			break
		}
	}
	g.Body = unset(g.Body, len(g.Sig.Params()))
	renumber(g)
	return g
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
