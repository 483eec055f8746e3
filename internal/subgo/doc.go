// Package subgo compiles a strict subset of Go to functions of WebAssembly, so that what
// classifier modules need at run time has one source, which is tested natively as well.
//
// The subset: functions and methods of named types, called by name; constants; package
// variables whose first value is constant; bool, numbers, texts, slices, arrays, structs,
// and pointers to variables; all statements but goto, defer, go and select; function
// literals that are called where they are made or bound to a variable that is only
// called; functions as arguments. An int has 32 bits. Nothing allocates: there is no
// append, make, new or concatenation, a slice's capacity is its length, a text made of
// bytes is another view of them, and local arrays live on a stack of their own. Functions
// do not call themselves, and pointers are never nil.
//
// A package variable of a function type that has no first value is a function that who
// embeds the package brings: a call of it calls the symbol of that name. Nothing else can
// be done with it. In this process it is nil until somebody sets it, a test perhaps.
//
// Values on the stack of WebAssembly: bool and integers up to 32 bits are an i32, small
// ones extended by their sign; int64 and uint64 are an i64, float64 an f64; a text or
// slice is an address and a length; a pointer is an address, a function an index of the
// table; an array or struct is the address of one that the callee copies, and an empty
// struct is nothing. Parameters come in this order: an address for each array or struct
// among the results, which the callee fills; the receiver; the parameters. The first
// part of the other results is the function's result, further ones are in the globals
// [ResultSym].
//
// What differs from Go beyond that: slicing beyond the length of a slice is a fault even
// where the array goes on; a slice literal in a function is one table, not a new one each
// time, and must not be written; a conversion of a float that does not fit gives what
// amd64 gives for int64, cut to size.
//
// Of the standard library there is what lies under std, Go again and tested against the
// original, and a few functions of math and math/bits that are instructions, as is Load
// of package internal/wide.
//
// Compiled functions do not trap. An index out of bounds, a division by zero or a panic
// is a fault: see [FaultSym]. What the subset does not have is refused, all at once, with
// what to write instead.
package subgo
