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
	maxClasses = 1 << 8
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

// Narrow reports whether states fit into a byte.
func (t *Table) Narrow() bool { return t.States <= 1<<8 }

// Dense is Next in bytes, little endian: one byte a cell if [Table.Narrow], else two.
func (t *Table) Dense() []byte {
	return bytesOf(t.Next, t.Narrow())
}

// Shared is the table with equal rows once: Next of state s on class c is
// next[row[s]+c]. ok is false if that takes more room than Next, or does not fit.
func (t *Table) Shared() (row, next []uint16, ok bool) {
	byRow := map[string]int{}
	for s := range t.States {
		cells := t.Next[s*t.Classes : (s+1)*t.Classes]
		key := string(bytesOf(cells, false))
		at, found := byRow[key]
		if !found {
			at = len(next)
			byRow[key] = at
			next = append(next, cells...)
		}
		if at >= 1<<16 {
			return nil, nil, false
		}
		row = append(row, uint16(at))
	}
	width := 2
	if t.Narrow() {
		width = 1
	}
	return row, next, 2*len(row)+width*len(next) < width*len(t.Next)
}

func bytesOf(values []uint16, narrow bool) []byte {
	var out []byte
	for _, v := range values {
		if out = append(out, byte(v)); !narrow {
			out = append(out, byte(v>>8))
		}
	}
	return out
}

// A Sparse is a [Table] in little room: most states go to few others, and many do so
// on the same characters.
//
// The state that follows s on class c is
//
//	Targets[State[s]&0xffff + Template[State[s]>>16 + c]]
type Sparse struct {
	Template []uint8
	State    []uint32
	Targets  []uint16
}

// Sparse packs a table; nil if it does not fit.
func (t *Table) Sparse() *Sparse {
	sp := &Sparse{}
	templates, lists := map[string]int{}, map[string]int{}
	var list []uint16
	var key []byte
	row := make([]uint8, t.Classes)
	for s := range t.States {
		list = list[:0]
		for c, to := range t.Next[s*t.Classes : (s+1)*t.Classes] {
			i := slices.Index(list, to)
			if i < 0 {
				i = len(list)
				list = append(list, to)
			}
			row[c] = uint8(i)
		}
		at, ok := templates[string(row)]
		if !ok {
			at = len(sp.Template)
			templates[string(row)] = at
			sp.Template = append(sp.Template, row...)
		}
		key = key[:0]
		for _, to := range list {
			key = append(key, byte(to), byte(to>>8))
		}
		base, ok := lists[string(key)]
		if !ok {
			base = len(sp.Targets)
			lists[string(key)] = base
			sp.Targets = append(sp.Targets, list...)
		}
		if at >= 1<<16 || base >= 1<<16 {
			return nil
		}
		sp.State = append(sp.State, uint32(at)<<16|uint32(base))
	}
	return sp
}
