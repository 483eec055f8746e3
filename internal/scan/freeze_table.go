package scan

import "slices"

// A Table is a minimal deterministic automaton that was made whole.
//
// State 0 is dead: nothing matches any more. States 1 to Events say that something
// matched before the character that led into them, or at the end of the text; the states
// of a [Set] may tell it as soon as that character has been read, since it is all the
// same to it where a match ends. The
// states above say nothing. So one comparison tells whether there is anything to do.
type Table struct {
	Class   []uint8 // by symbol of the alphabet
	Classes int     // the last is the end of the text
	States  int
	Events  int
	// Accept tells what matched: Accept[s-1] are the ids of state s, in order.
	Accept [][]uint32
	// Back says that texts are read from their end, because only that counts: an
	// expression that holds there is decided by some characters then.
	Back bool
	// Begin is the state in which a run begins, by what stands before: nothing, a
	// character of no word, one of a word, a newline. Where matches are looked for from
	// the beginning of the text on, only the first counts.
	Begin [4]uint16
	// Next is the state that follows, by state and class: Next[s*Classes+c].
	Next []uint16
}

// Bounds of a Table.
const (
	maxStates  = 1<<16 - 1
	maxClasses = 1<<8 - 1
)

// table makes the table of an automaton that is minimal; nil if it is too large for
// one. classes are those of the symbols.
func (a *automaton) table(classes []uint16) *Table {
	n := a.states()
	// Columns that are equal are one.
	merged := make([]uint8, a.stride)
	var firsts []int
	byColumn := map[string]int{}
	var key []byte
	for c := range a.stride {
		key = key[:0]
		for s := range n {
			key = appendKey(key, a.next[s*a.stride+c])
		}
		if c == a.stride-1 {
			key = append(key, 1) // the end stays the last
		}
		m, ok := byColumn[string(key)]
		if !ok {
			m = len(firsts)
			byColumn[string(key)] = m
			firsts = append(firsts, c)
		}
		if m >= maxClasses {
			return nil
		}
		merged[c] = uint8(m)
	}
	shift := 1
	if n > 0 && len(a.hits[0]) == 0 && a.sink(0) {
		shift = 0
	}
	t := &Table{Classes: len(firsts), States: n + shift, Class: make([]uint8, len(classes))}
	if t.States > maxStates {
		return nil
	}
	for i, c := range classes {
		t.Class[i] = merged[c]
	}
	t.Next = make([]uint16, t.States*t.Classes)
	for s := range n {
		for i, c := range firsts {
			t.Next[(s+shift)*t.Classes+i] = uint16(a.next[s*a.stride+c]) + uint16(shift)
		}
		if len(a.hits[s]) > 0 {
			t.Events = s + shift
			t.Accept = append(t.Accept, slices.Clone(a.hits[s]))
		}
	}
	for k, b := range a.begin {
		t.Begin[k] = uint16(b) + uint16(shift)
	}
	return t
}
