// Package symbols has the names in objects that package subgo makes, for those who link
// such an object and compile none themselves.
package symbols

import "github.com/privetdev/privet/internal/asm"

const (
	// Fault is the global that is 1 after a fault: an index out of bounds, a division by
	// zero, a full stack, a panic. The function that was called returned zeros then; the
	// caller sets it back before the next call.
	Fault = "subgo.fault"
	// Stack is the stack of local arrays.
	Stack = "subgo.stack"
)

// Result is the global in which a function leaves the n-th part of its results, from 1;
// part 0 is what it returns. A text has two parts, address and length.
func Result(n int, t asm.Type) string { return "subgo.r" + string(rune('0'+n)) + string(t) }

// A Root is a function that an object must have, with everything it needs.
type Root struct {
	Package string // path of the package
	Func    string // name, of a method "Type.Name"
}
