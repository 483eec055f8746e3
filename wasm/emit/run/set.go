package run

import (
	"unicode/utf8"

	"github.com/privetdev/privet/wasm/emit/dense"
)

// The automata, as bytes and as larger numbers of the same memory: of the texts that
// rules ask about, and behind them of the patterns of matches. It begins with what is
// known of each.
var (
	Autos  []Auto
	Auto8  []byte
	Auto16 []uint16
	Auto32 []uint32
	// AutoTexts is how many of the automata are of texts.
	AutoTexts int
	// What automata there are.
	AutoTables, AutoBack, AutoPrograms bool
)

// Room for programs: numbers for each instruction of the longest.
var (
	ProgramHere, ProgramNext, ProgramStack []uint16
	ProgramSeen                            []int32
)

// An Auto is an automaton: see [scan.Table]. Classes is a number of bytes; Ranges and
// Accept count elements of Auto32, Accept of a program those of Auto16.
type Auto struct {
	Classes uint32 // a byte for each symbol; of a program its image
	Rows    uint32 // where it is in dense.Rows
	Ranges  uint32 // how many there are, and the ranges of [scan.Alphabet]
	Accept  uint32 // for each state that says something: where in Auto16 its atoms are
	Begin   uint16 // the first state
	Events  uint16 // the last state that says something
	Last    uint16 // the class of the end
	Slot    byte   // the text, if it is of one
	Flags   byte
}

// The flags of an [Auto].
const (
	AutoQuiet     = 1 << iota // an empty text is nothing to it
	AutoIsBack                // texts are read from their end
	AutoIsProgram             // it is a program
)

// askTexts marks the atoms of texts.
func askTexts() {
	for i := range AutoTexts {
		a := &Autos[i]
		text := textOf(int(a.Slot))
		if text != "" || a.Flags&AutoQuiet == 0 {
			walk(i, text)
		}
	}
}

// Matches reports whether a pattern of matches is found in a text.
func Matches(n int, text string) bool { return walk(AutoTexts+n, text) }

// symbolOf is the symbol of a character outside ASCII.
func symbolOf(r rune, a *Auto) int {
	lo := int(a.Ranges) + 1
	for hi := lo + int(Auto32[a.Ranges]); hi-lo > 1; {
		if mid := (lo + hi) >> 1; Auto32[mid] <= uint32(r)<<11|0x7ff {
			lo = mid
		} else {
			hi = mid
		}
	}
	return int(Auto32[lo] & 0x7ff)
}

// walk leads a text through an automaton. It marks the atoms that it says, if it is of a
// text, and reports whether a pattern of matches is found.
func walk(automaton int, text string) bool {
	a := &Autos[automaton]
	if AutoPrograms && a.Flags&AutoIsProgram != 0 {
		if !program(a, text) {
			return false
		}
		if automaton < AutoTexts {
			says(int(a.Accept))
		}
		return true
	}
	if !AutoTables {
		return false
	}
	s, events, rows, width := int(a.Begin), int(a.Events), int(a.Rows), int(a.Last)+1
	at, stop, step, shift := 0, len(text), 1, 0
	if AutoBack && a.Flags&AutoIsBack != 0 {
		at, stop, step, shift = stop, 0, -1, -1
	}
	for s != 0 {
		class, end := int(a.Last), at == stop
		if !end {
			symbol := int(text[at+shift])
			if symbol < utf8.RuneSelf {
				at += step
			} else {
				r, width := utf8.DecodeRuneInString(text[at:])
				if AutoBack {
					if step < 0 {
						r, width = utf8.DecodeLastRuneInString(text[:at])
					}
				}
				at += step * width
				symbol = symbolOf(r, a)
			}
			class = int(Auto8[int(a.Classes)+symbol])
		}
		if s = int(dense.Rows[rows+s*width+class]); s <= events && s > 0 {
			if automaton >= AutoTexts {
				return true
			}
			says(int(Auto32[int(a.Accept)+s-1]))
		}
		if end {
			break
		}
	}
	return false
}

// says marks the atoms of a list.
func says(list int) {
	for n := int(Auto16[list]); n > 0; n-- {
		list++
		hold(int(Auto16[list]))
	}
}

// The operations of programs: see [scan.ProgramInst].
const (
	programMatch = 1
	programRune  = 2
	programAlt   = 3
	programNop   = 4
	programEmpty = 6
)

var programTurn int32

// program reports whether a program matches somewhere in a text: see
// [scan.Program.Matches].
func program(a *Auto, text string) bool {
	base := int(a.Classes)
	in := base >> 2
	classes, kinds := (base+int(Auto32[in]))>>1, base+int(Auto32[in+1])
	sets, width, insts := base+int(Auto32[in+2]), int(Auto32[in+3]), (base+int(Auto32[in+4]))>>1
	if Auto32[in+5] == 0 {
		return false
	}
	first, symbols := int(Auto16[base>>1+12]), (int(Auto32[in+1])-int(Auto32[in]))>>1
	waiting, before := 0, 0
	for end := false; !end; {
		symbol := symbols - 1
		if end = text == ""; !end {
			r, size := rune(0), 0
			if a.Flags&AutoIsBack != 0 {
				r, size = utf8.DecodeLastRuneInString(text)
				text = text[:len(text)-size]
			} else {
				r, size = utf8.DecodeRuneInString(text)
				text = text[size:]
			}
			if symbol = int(r); symbol >= utf8.RuneSelf {
				symbol = symbolOf(r, a)
			}
		}
		class := int(Auto16[classes+symbol])
		here := int(Auto8[kinds+class])
		if programTurn++; programTurn <= 0 {
			programTurn = 1
			for i := range ProgramSeen {
				ProgramSeen[i] = 0
			}
		}
		met := conditionsAt(before, here)
		count := 0
		for i := -1; i < waiting; i++ {
			pc := first
			if i >= 0 {
				pc = int(ProgramNext[i])
			}
			count = follow(insts, pc, met, count)
		}
		waiting = 0
		for i := range count {
			at := insts + 3*int(ProgramHere[i])
			if Auto8[at<<1] == programMatch {
				return true
			}
			set := int(Auto16[at+2])
			if Auto8[sets+class*width+set>>3]>>(set&7)&1 == 1 {
				ProgramNext[waiting] = Auto16[at+1]
				waiting++
			}
		}
		before = here
	}
	return false
}

// follow adds the instructions to ProgramHere that are reached from pc without taking a
// character, behind so many that are there, and returns how many there are then.
func follow(insts, pc, conditions, count int) int {
	for depth := 0; ; {
		if ProgramSeen[pc] != programTurn {
			ProgramSeen[pc] = programTurn
			at := insts + 3*pc
			out, arg := int(Auto16[at+1]), int(Auto16[at+2])
			switch Auto8[at<<1] {
			case programAlt:
				ProgramStack[depth] = uint16(arg)
				depth++
				pc = out
				continue
			case programNop:
				pc = out
				continue
			case programEmpty:
				if conditions&arg == arg {
					pc = out
					continue
				}
			case programMatch, programRune:
				ProgramHere[count] = uint16(pc)
				count++
			}
		}
		if depth == 0 {
			return count
		}
		depth--
		pc = int(ProgramStack[depth])
	}
}

// conditionsAt are those that hold between characters of two kinds.
func conditionsAt(before, after int) int {
	c := 32
	if (before == 2) != (after == 2) {
		c = 16
	}
	if before == 0 {
		c |= 4
	}
	if before == 0 || before == 3 {
		c |= 1
	}
	if after == 0 {
		c |= 8
	}
	if after == 0 || after == 3 {
		c |= 2
	}
	return c
}
