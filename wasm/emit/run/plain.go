package run

import (
	"github.com/privetdev/privet/internal/plain"
	"github.com/privetdev/privet/wasm/emit/rt"
)

// The plain form of the text at hand lies in the work memory: its bytes from the
// beginning on, and behind them the runs that tell places; see [plain.Original]. A text
// that is its own plain form has no runs.
var plainSize, plainRuns, plainTop int

// plainText is the plain form of the text at hand, in the work memory if that is not the
// text itself. It leaves workTop behind it. ok is false if there was no room.
func plainText(s string) (form string, ok bool) {
	plainSize, plainRuns, plainTop, workTop = 0, 0, 0, 0
	if plain.Clean(s) {
		return s, true
	}
	size, runs := plain.Size(s)
	at := (size + 3) >> 2
	top := at + plain.RunSize*runs
	if !Room(4 * top) {
		return "", false
	}
	plain.Put(s, Work8[:size], Work32[at:top])
	plainSize, plainRuns, plainTop, workTop = size, at, top, top
	return kept(string(Work8[:size])), true
}

// plainPlace says where a part of the plain form stands in the text as it was given.
func plainPlace(start, end int) (int, int) {
	if plainTop == 0 {
		return start, end
	}
	return plain.Original(string(Work8[:plainSize]), Work32[plainRuns:plainTop], start, end)
}

// plainNested is the plain form of a text that a condition asks about, in the arena of
// package rt. If there is no room the evaluation has used up its budget.
func plainNested(s string) (form string, ok bool) {
	if plain.Clean(s) {
		return s, true
	}
	size, _ := plain.Size(s)
	b := rt.Room(size)
	if len(b) != size {
		return "", false
	}
	plain.Put(s, b, Work32[:0])
	return kept(string(b)), true
}
