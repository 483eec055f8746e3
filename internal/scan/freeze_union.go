package scan

import (
	"errors"
	"regexp/syntax"
)

// A FrozenUnion is a [Union] made whole: tables from which a machine that makes no
// states tells where matches of patterns begin and where the longest of them end.
//
// Its Finder tells which patterns may match at a place; for each of them Tables has an
// automaton that tells whether it does, and where the longest match ends.
type FrozenUnion struct {
	Alphabet *Alphabet
	Finder   *Finder
	// Tables are the automata of the patterns. It is nil for a pattern whose automaton
	// would have too many states: only its [Program] tells.
	Tables []*Table

	patterns []*Pattern
}

// ErrAlphabet is what [FreezePatterns] says of patterns that cannot be frozen together.
var ErrAlphabet = errors.New("scan: patterns: they tell more kinds of characters apart than fit into one table: use fewer detectors")

// finderDepth is how many characters a Finder looks at. With the built-in detectors more
// hardly makes candidates fewer.
const finderDepth = 12

// FreezePatterns makes the tables of patterns, which keep their numbers. A nil pattern
// never matches. An automaton has so many states at most; a pattern that needs more
// has a [Program] only.
func FreezePatterns(patterns []*Pattern, states int) (*FrozenUnion, error) {
	u := &FrozenUnion{patterns: patterns}
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

	for _, p := range parts {
		u.Tables = append(u.Tables, freezeOne(p, u.Alphabet, states))
	}
	return u, nil
}

// freezeOne is the automaton of one pattern; nil if it would be too large.
func freezeOne(p *part, alphabet *Alphabet, states int) *Table {
	a := p.determinise(workFactor*states, false)
	if a == nil {
		return nil
	}
	if a.minimise(); a.states() > states {
		return nil
	}
	return a.table(alphabet.classes(p))
}

// Longest is where the longest match of a pattern ends that begins at start and ends
// at or before limit, or -1. It is how the tables are to be read.
func (u *FrozenUnion) Longest(pattern int, text string, start, limit int) int {
	t := u.Tables[pattern]
	if t == nil {
		return u.Program(pattern).Longest(u.Alphabet, text, start, limit, nil)
	}
	s, end := int(t.Begin[kindAt(text, start)]), -1
	for i := start; ; {
		symbol, next := u.Alphabet.Next(text, i)
		if s = int(t.Next[s*t.Classes+int(t.Class[symbol])]); s == 0 {
			return end
		}
		if s <= t.Events {
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
