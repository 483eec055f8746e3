// Package dense holds the automata of a module as rows of numbers, one row for each state.
// It is written in the subset of Go that internal/subgo compiles.
//
// In the module they are packed: a row is told by what differs from one before it, which
// takes a tenth of the room, and less once the module is compressed. When the module
// starts they are unpacked, so that nothing but one look for each character is left.
package dense

// Rows are the automata, one behind the other: the state that follows s on class c is
// Rows[first + s*classes + c], where first is the place of the automaton.
var Rows []uint16

// What [Unpack] makes Rows of.
var (
	Shapes  []uint16 // of each automaton: states and classes
	Back    []byte   // of each row: how many rows before it is the one that it is like; 0: none
	Changes []byte   // of each row: how many classes differ
	Classes []byte   // of each change: the class
	// Targets are the states of all changes, less that of the row: a number of seven bits
	// in each byte, lowest first, the eighth says that there is more; in the number the
	// lowest bit says that it is negative.
	Targets []byte
)

// Forget empties all tables.
func Forget() {
	Rows, Shapes, Back = Rows[:0], Shapes[:0], Back[:0]
	Changes, Classes, Targets = Changes[:0], Classes[:0], Targets[:0]
}

// Unpack fills Rows, which are zeros before.
func Unpack() {
	at, row, change, target := 0, 0, 0, 0
	for i := 0; i+1 < len(Shapes); i += 2 {
		width := int(Shapes[i+1])
		for s := range int(Shapes[i]) {
			from := at - int(Back[row])*width
			for c := range width {
				Rows[at+c] = Rows[from+c]
			}
			for n := int(Changes[row]); n > 0; n-- {
				v, shift := 0, 0
				for more := true; more; shift += 7 {
					b := int(Targets[target])
					v |= b & 0x7f << shift
					more = b > 0x7f
					target++
				}
				Rows[at+int(Classes[change])] = uint16(s + (v>>1 ^ -(v & 1)))
				change++
			}
			row++
			at += width
		}
	}
}
