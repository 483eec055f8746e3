// Package rt is what the expressions of classifier modules call at run time. It is
// written in the subset of Go that internal/subgo compiles, so that one source runs in
// modules and in tests.
//
// Its functions have the meaning of package internal/expr: what that one pays for an
// evaluation they pay too, and their codes are those of [expr.Code]. An evaluation that
// used up its budget goes on with values that mean nothing, which is why nobody absorbs
// it: who evaluates looks at [Fuel] in every turn of a loop and at the end.
package rt

// Size is how many bytes the texts and lists may take that one evaluation makes.
const Size = 1 << 20

// Budget is what one evaluation may spend, as in package expr.
const Budget = 1 << 24

// The codes of package expr that functions here return.
const (
	OK              = 0
	Overflow        = 1
	DivideByZero    = 2
	ModulusByZero   = 3
	IndexOutOfRange = 5
	BadConversion   = 6
)

var (
	// Fuel is what is left of the budget: below zero if it was used up.
	Fuel int
	// Top is where the free part of the arena begins.
	Top int
	// Base is where it begins for the next evaluation. Who evaluates while another
	// evaluation waits puts it behind what that one has made, and back.
	Base int

	arena [Size]byte

	// What the arguments of a call came to so far; see PayArg.
	total, pairs, count int
)

// Begin makes ready for an evaluation.
func Begin() { Fuel, Top = Budget, Base }

// Pay takes n units, which are not negative, from the budget.
func Pay(n int) {
	if Fuel >= 0 {
		Fuel -= n
	}
}

// Broke takes n units and reports whether there were fewer.
func Broke(n int) bool {
	Pay(n)
	return Fuel < 0
}

// scan pays for looking through n bytes.
func scan(n int) { Pay(n >> 4) }

// newText pays for a text of n bytes.
func newText(n int) { Pay(n>>2 + 1) }

// PayList pays for room for n elements and reports whether it was too dear.
func PayList(n int) bool { return Broke(min(n, Budget)<<4 + 1) }

// times multiplies two prices; those far beyond the budget are all alike.
func times(a, b int) int {
	const most = Budget << 4
	if a != 0 && b > most/a {
		return most
	}
	return a * b
}

// PayArg notes an argument of a call: how many elements it has, and how many bytes it
// and they have.
func PayArg(n, length int) {
	Pay(n)
	size := n + length>>4
	if n > 0 && count > 0 {
		pairs += min(times(n, total), times(size, count))
	}
	total += size
	count += n
}

// PayCall pays for the call whose arguments were noted, which costs so much for each
// byte, and reports whether that was too dear.
func PayCall(cost int) bool {
	Pay(4 + pairs + times(total, cost))
	total, pairs, count = 0, 0, 0
	return Fuel < 0
}

// PayText pays for a call with one text, which costs so much for each byte, and reports
// whether that was too dear.
func PayText(length, cost int) bool { return Broke(4 + times(length>>4, cost)) }

// PayMatch pays for matching a text with a pattern of some weight, and reports whether
// that was too dear.
func PayMatch(length, weight int) bool { return Broke(times(length>>4+1, weight)) }

// Grow is for how many elements there is room when a list of n, to which at most so
// many more are added, is full. It pays for them and reports whether that was too dear.
func Grow(n, left int) (room int, broke bool) {
	room = min(max(4, 2*n), n+left)
	return room, PayList(room)
}

// Length is how many bytes the texts of a list have.
func Length(list []string) int {
	n := 0
	for i := range list {
		n += len(list[i])
	}
	return n
}

// Room takes n bytes of the arena. If there are fewer it is empty, and the evaluation
// has used up its budget.
func Room(n int) []byte {
	from := (Top + 7) &^ 7
	if n < 0 || n > Size-from {
		Fuel = -1
		return arena[:0]
	}
	Top = from + n
	return arena[from:Top]
}
