package scan

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// A Program finds the groups of a match, and matches of what has no automaton. Its
// threads are followed through the text in their order; of those that come to one
// instruction the first stays.
type Program struct {
	Class  []uint16 // by symbol
	Kinds  []uint8  // by class: 0 the end of the text, 1 of no word, 2 of a word, 3 a newline
	Takes  [][]bool // by class and set: whether the class lies in the set
	Insts  []ProgramInst
	Start  uint16
	Groups int  // with the whole match; 0 for an expression of a [Set]
	Span   int  // the group that is found, or 0
	Back   bool // an expression of a [Set] for which texts are read from their end
}

// A ProgramInst is an instruction. Its Op is 0: fail, 1: match, 2: take a character
// of set Arg, 3: go on at Out, and after that at Arg, 4: go on, 5: note the place in
// slot Arg, 6: go on if all conditions Arg hold (bits: 1 beginning of a line, 2 end of a
// line, 4 beginning of the text, 8 end of the text, 16 edge of a word, 32 none).
type ProgramInst struct {
	Op       uint8
	Out, Arg uint16
}

// newProgram makes the program of a part with one member; nil if it is too long. tree is
// what it was compiled from, if groups are wanted.
func newProgram(p *part, alphabet *Alphabet, tree *syntax.Regexp) *Program {
	if len(p.insts) >= 1<<16 {
		return nil
	}
	out := &Program{Back: p.back}
	for _, start := range slices.Concat(p.starts, p.roots) {
		out.Start = uint16(start)
	}
	for _, in := range p.insts {
		out.Insts = append(out.Insts, ProgramInst{in.op, uint16(in.out), uint16(in.arg)})
	}
	if tree != nil {
		if prog, err := syntax.Compile(tree.Simplify()); err == nil {
			for i, in := range prog.Inst {
				if in.Op == syntax.InstCapture {
					out.Insts[i].Op, out.Insts[i].Arg = opCapture, uint16(in.Arg)
				}
			}
		}
	}
	sets := 0
	for _, in := range p.insts {
		if in.op == opRune {
			sets = max(sets, int(in.arg)+1)
		}
	}
	for c, k := range p.kinds {
		takes := make([]bool, sets)
		for s := range takes {
			takes[s] = k != kindNone && p.takes[c][s>>6]>>(s&63)&1 == 1
		}
		out.Kinds, out.Takes = append(out.Kinds, uint8(k)), append(out.Takes, takes)
	}
	out.Class = append(out.Class, alphabet.classes(p)...)
	return out
}

// programHead is the length of what an image of a program begins with.
const programHead = 32

// Image is the program in bytes. All numbers are little endian, all places count from
// the beginning:
//
//	 0  u32  classes: two bytes for each symbol of the alphabet
//	 4  u32  kinds: a byte for each class
//	 8  u32  sets: for each class as many bytes as the next says; set s is bit s%8 of
//	         byte s/8
//	12  u32  bytes of sets for each class
//	16  u32  instructions, six bytes each: op, 0, u16 out, u16 arg
//	20  u32  how many
//	24  u16  the first
//	26  u16  groups
//	28  u16  the group that is found, or 0
//	30  u16  1 if texts are read from their end
func (p *Program) Image() []byte {
	out := make([]byte, programHead)
	put := func(at int, v int) { binary.LittleEndian.PutUint32(out[at:], uint32(v)) }
	put(0, len(out))
	out = append(out, bytesOf(p.Class)...)
	put(4, len(out))
	out = append(out, p.Kinds...)
	put(8, len(out))
	for _, takes := range p.Takes {
		bits := make([]byte, (len(takes)+7)/8)
		for s, in := range takes {
			if in {
				bits[s/8] |= 1 << (s % 8)
			}
		}
		put(12, len(bits))
		out = append(out, bits...)
	}
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	put(16, len(out))
	put(20, len(p.Insts))
	put(24, int(p.Start)|p.Groups<<16)
	back := 0
	if p.Back {
		back = 1
	}
	put(28, p.Span|back<<16)
	for _, in := range p.Insts {
		out = append(out, in.Op, 0, byte(in.Out), byte(in.Out>>8), byte(in.Arg), byte(in.Arg>>8))
	}
	return out
}

// A programThread is at an instruction, with the places of its groups.
type programThread struct {
	pc     uint16
	groups []int
}

// A programRun follows threads.
type programRun struct {
	*Program
	seen []bool
}

func (p *Program) kind(symbol int) kind { return kind(p.Kinds[p.Class[symbol]]) }

// follow appends the threads that are reached from pc without taking a character.
func (p *programRun) follow(dst []programThread, pc uint16, at int, groups []int, before, after kind) []programThread {
	if p.seen[pc] {
		return dst
	}
	p.seen[pc] = true
	switch in := &p.Insts[pc]; in.Op {
	case opFail:
		return dst
	case opAlt:
		dst = p.follow(dst, in.Out, at, groups, before, after)
		return p.follow(dst, in.Arg, at, groups, before, after)
	case opNop:
		return p.follow(dst, in.Out, at, groups, before, after)
	case opEmpty:
		if c := syntax.EmptyOp(in.Arg); conditions(before, after)&c != c {
			return dst
		}
		return p.follow(dst, in.Out, at, groups, before, after)
	case opCapture:
		if int(in.Arg) < len(groups) {
			groups = slices.Clone(groups)
			groups[in.Arg] = at
		}
		return p.follow(dst, in.Out, at, groups, before, after)
	}
	return append(dst, programThread{pc, groups})
}

// Longest is where the longest match ends that begins at start and ends at or before
// limit, or -1. If groups is not nil, it has two places for each group and is filled
// in, -1 for a group that took no part; of the longest matches that of the first thread
// counts. It is how a program of a pattern is to be run.
func (p *Program) Longest(alphabet *Alphabet, text string, start, limit int, groups []int) int {
	run := programRun{p, make([]bool, len(p.Insts))}
	first := slices.Repeat([]int{-1}, 2*p.Groups)
	first[0] = start
	symbol, _ := alphabet.Next(text, start)
	now, later := run.follow(nil, p.Start, start, first, kindAt(text, start), p.kind(symbol)), []programThread(nil)
	end := -1
	for i := start; i <= limit; {
		symbol, next := alphabet.Next(text, i)
		symbol2, _ := alphabet.Next(text, next)
		clear(run.seen)
		later = later[:0]
		for _, t := range now {
			switch in := &p.Insts[t.pc]; {
			case in.Op == opMatch && i > end:
				if end = i; groups != nil {
					copy(groups, t.groups)
					groups[1] = i
				}
			case in.Op == opRune && p.Takes[p.Class[symbol]][in.Arg]:
				later = run.follow(later, in.Out, next, t.groups, p.kind(symbol), p.kind(symbol2))
			}
		}
		if len(later) == 0 {
			break
		}
		now, later, i = later, now, next
	}
	return end
}

// Matches reports whether there is a match somewhere in text. It is how a program of an
// expression of a set is to be run.
func (p *Program) Matches(alphabet *Alphabet, text string) bool {
	if len(p.Insts) == 0 {
		return false
	}
	run := programRun{p, make([]bool, len(p.Insts))}
	var waiting []uint16
	var threads []programThread
	before := kindNone
	for end := false; !end; {
		var symbol int
		end = text == ""
		symbol, text = alphabet.read(text, p.Back)
		clear(run.seen)
		threads = threads[:0]
		for _, pc := range waiting {
			threads = run.follow(threads, pc, 0, nil, before, p.kind(symbol))
		}
		threads = run.follow(threads, p.Start, 0, nil, before, p.kind(symbol))
		waiting = waiting[:0]
		for _, t := range threads {
			switch in := &p.Insts[t.pc]; {
			case in.Op == opMatch:
				return true
			case in.Op == opRune && p.Takes[p.Class[symbol]][in.Arg]:
				waiting = append(waiting, in.Out)
			}
		}
		before = p.kind(symbol)
	}
	return false
}

// bytesOf are numbers in bytes, little-endian.
func bytesOf(values []uint16) []byte {
	var out []byte
	for _, v := range values {
		out = append(out, byte(v), byte(v>>8))
	}
	return out
}
