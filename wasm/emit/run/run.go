// Package run is classification as modules do it: what package classify answers, from
// tables that were made when the module was. It is written in the subset of Go that
// internal/subgo compiles. The tables are filled in by package emit, which also brings
// the functions that are variables here.
//
// A module has one thread, so that everything lives in variables of the package. A call
// sets the field at hand, calls [Field] or [Text], and finds rows at [OutAt].
package run

// What calls return instead of a number of rows. wasm/ABI.md says when.
const (
	Internal   = -1
	TooLarge   = -5
	BadRequest = -8
)

// Bounds of package profile.
const (
	MaxValue       = 64 << 10
	MaxName        = 1 << 10
	MaxType        = 128
	MaxDescription = 4 << 10
	MaxAround      = 80
	MaxWords       = 64
	MaxEntries     = 64
)

// The field at hand.
var (
	Name, Path, Type, Source, Description, Value string
	// Tags and Context are maps as expressions see them: the keys in order, and behind
	// all of them the values. TagCount and ContextCount are the numbers of entries.
	Tags, Context          [2 * MaxEntries]string
	TagCount, ContextCount int
)

// The result of a call: rows of numbers, OutLen in all, from Work32[OutAt] on.
var OutAt, OutLen, OutFlags int

// Memory for the call at hand. Both are the same memory, and there is as much of it as
// [Room] was asked for.
var (
	Work8  []byte
	Work32 []int32
)

// workTop is the first number of Work32 that is free.
var workTop int

// What package emit brings.
var (
	// Room sees to it that the work memory has at least so many bytes. What is in it
	// stays. It reports whether there is that much.
	Room func(bytes int) bool
	// Eval evaluates a condition: 0 no, 1 yes, 1 and a code of package expr if it has no
	// value.
	Eval func(condition int) int
	// SetText, SetList and SetMap set a variable of conditions. What they are given must
	// stay where it is until the conditions were asked.
	SetText func(slot int, text string)
	SetList func(slot int, list []string)
	SetMap  func(slot int, entries []string)
)

// Threshold is the confidence, in thousandths, below which nothing is reported.
var Threshold int

// Forget empties what is filled in, so that it counts as written.
func Forget() {
	Work8, Work32 = Work8[:0], Work32[:0]
	Threshold = 0
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
