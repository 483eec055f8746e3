package scan

import (
	"encoding/binary"
	"errors"
	"regexp/syntax"
)

// A FrozenUnion is a [Union] made whole: tables from which a machine that makes no
// states tells where matches of patterns begin and where the longest of them end.
//
// Its Finder tells which patterns may match at a place; for each of them Image has an
// automaton that tells whether it does, and where the longest match ends.
//
// # Image
//
// All numbers are little endian, all places count from the beginning of Image. It
// begins with a record of 32 bytes for each pattern:
//
//	 0  u32     classes: a byte for each symbol of the alphabet
//	 4  u32     templates: bytes
//	 8  u32     states: four bytes each
//	12  u32     targets: a byte each if flag 1 is set, else two
//	16  u16[4]  state in which a match begins, by what stands before it: nothing,
//	            a character of no word, one of a word, a newline
//	24  u16     states from 1 up to this one say that a match ends before the
//	            character that led into them; state 0 that nothing matches any more
//	26  u16     flags: 1 targets are bytes, 2 there is no automaton: run the [Program]
//	28  u32     bytes of a match at most, or 0xffffffff
//
// The state that follows s on a symbol is found in four loads:
//
//	state = u32[states + 4*s]
//	slot  = u8[templates + state>>16 + u8[classes + symbol]]
//	next  = targets[(state & 0xffff) + slot]
type FrozenUnion struct {
	Alphabet *Alphabet
	Finder   *Finder
	Image    []byte
	// States are those of each pattern's automaton; 0 if it has none, because it would
	// have too many.
	States []int

	patterns []*Pattern
}

// The flags of a record.
const (
	FlagNarrow = 1 << iota
	FlagProgram
)

const recordSize = 32

// ErrAlphabet is what [FreezePatterns] says of patterns that cannot be frozen together.
var ErrAlphabet = errors.New("scan: patterns: they tell more kinds of characters apart than fit into one table: use fewer detectors")

// finderDepth is how many characters a Finder looks at. With the built-in detectors more
// hardly makes candidates fewer.
const finderDepth = 12

// FreezePatterns makes the tables of patterns, which keep their numbers. A nil pattern
// never matches. An automaton has so many states at most; a pattern that needs more
// has a [Program] only.
func FreezePatterns(patterns []*Pattern, states int) (*FrozenUnion, error) {
	u := &FrozenUnion{patterns: patterns, States: make([]int, len(patterns))}
	parts := make([]*part, 0, len(patterns))
	for _, p := range patterns {
		if p == nil {
			parts = append(parts, partOf(&syntax.Regexp{Op: syntax.OpNoMatch}))
		} else {
			parts = append(parts, partOf(p.tree))
		}
	}
	if u.Alphabet = newAlphabet(parts); u.Alphabet == nil {
		return nil, ErrAlphabet
	}
	u.Finder = newFinder(patterns, finderDepth)

	u.Image = make([]byte, recordSize*len(patterns))
	placed := map[string]uint32{}
	place := func(data []byte, align int) uint32 {
		if at, ok := placed[string(data)]; ok && int(at)%align == 0 {
			return at
		}
		for len(u.Image)%align != 0 {
			u.Image = append(u.Image, 0)
		}
		at := uint32(len(u.Image))
		placed[string(data)] = at
		u.Image = append(u.Image, data...)
		return at
	}
	for i, p := range parts {
		var record [recordSize]byte
		put := func(at int, v uint32) { binary.LittleEndian.PutUint32(record[at:], v) }
		put(28, ^uint32(0))
		if patterns[i] != nil && patterns[i].most >= 0 {
			put(28, uint32(patterns[i].most))
		}
		t, s := freezeOne(p, u.Alphabet, states)
		if s == nil {
			put(24, FlagProgram<<16)
			copy(u.Image[recordSize*i:], record[:])
			continue
		}
		u.States[i] = t.States
		var rows []byte
		for _, in := range s.State {
			rows = binary.LittleEndian.AppendUint32(rows, in)
		}
		flags, align := uint32(0), 2
		if t.Narrow() {
			flags, align = FlagNarrow, 1
		}
		put(0, place(t.Class, 1))
		put(4, place(s.Template, 1))
		put(8, place(rows, 4))
		put(12, place(bytesOf(s.Targets, t.Narrow()), align))
		put(16, uint32(t.Begin[0])|uint32(t.Begin[1])<<16)
		put(20, uint32(t.Begin[2])|uint32(t.Begin[3])<<16)
		put(24, uint32(t.Events)|flags<<16)
		copy(u.Image[recordSize*i:], record[:])
	}
	return u, nil
}

func freezeOne(p *part, alphabet *Alphabet, states int) (*Table, *Sparse) {
	a := p.determinise(workFactor*states, false)
	if a == nil {
		return nil, nil
	}
	if a.minimise(); a.states() > states {
		return nil, nil
	}
	t := a.table(alphabet.classes(p))
	if t == nil {
		return nil, nil
	}
	return t, t.Sparse()
}

// Longest is where the longest match of a pattern ends that begins at start and ends
// at or before limit, or -1. It is how Image is to be read.
func (u *FrozenUnion) Longest(pattern int, text string, start, limit int) int {
	record := u.Image[recordSize*pattern:]
	u32 := func(b []byte, at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	u16 := func(b []byte, at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	flags := u16(record, 26)
	if flags&FlagProgram != 0 {
		return u.Program(pattern).Longest(u.Alphabet, text, start, limit, nil)
	}
	classes, templates, rows, targets := u32(record, 0), u32(record, 4), u32(record, 8), u32(record, 12)
	events := u16(record, 24)
	s, end := u16(record, 16+2*int(kindAt(text, start))), -1
	for i := start; ; {
		symbol, next := u.Alphabet.Next(text, i)
		in := u32(u.Image, rows+4*s)
		to := in&0xffff + int(u.Image[templates+in>>16+int(u.Image[classes+symbol])])
		if flags&FlagNarrow != 0 {
			s = int(u.Image[targets+to])
		} else {
			s = u16(u.Image, targets+2*to)
		}
		if s == 0 {
			return end
		}
		if s <= events {
			end = i
		}
		if i >= limit || i >= len(text) {
			return end
		}
		if i = next; i > limit {
			return end
		}
	}
}

// Span says how the text that is found lies in a match.
type Span uint8

const (
	SpanAll     Span = iota // it is all of the match
	SpanTrim                // it is the match without the characters of [Edges]
	SpanEither              // so, unless an edge lies in First or Last: then [Program] tells
	SpanProgram             // only a [Program] tells
)

// Edges are the sets of bytes that tell the span of a match, 256 bits each. The match
// begins with a character of Before that is not part of the span, or with the span; and
// ends likewise. First and Last are those of them that the span may begin and end with.
type Edges struct{ Before, After, First, Last [4]uint64 }

// Span tells how the span of a pattern is found.
func (u *FrozenUnion) Span(pattern int) (Span, Edges) {
	p := u.patterns[pattern]
	if p == nil || p.span == 0 {
		return SpanAll, Edges{}
	}
	t := &p.trim
	e := Edges{t.before, t.after, t.first, t.last}
	switch {
	case !t.known:
		return SpanProgram, e
	case t.first == byteSet{} && t.last == byteSet{}:
		return SpanTrim, e
	}
	return SpanEither, e
}

// Program makes the program of a pattern; nil if the pattern is.
func (u *FrozenUnion) Program(pattern int) *Program {
	p := u.patterns[pattern]
	if p == nil {
		return nil
	}
	out := newProgram(partOf(p.tree), u.Alphabet, p.tree) // patterns are never too long
	out.Groups, out.Span = p.groups, p.span
	return out
}
