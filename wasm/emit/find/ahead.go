package find

import "github.com/privetdev/privet/wasm/emit/dense"

// MaxStates is how many states an automaton may have that is followed from all places
// at once. Larger ones take to [Short] matches earlier.
const MaxStates = 4098

// A front is where automata are that began at different places: the earliest first,
// each state once.
var (
	frontState, nextState [MaxStates]uint16
	frontStart, nextStart [MaxStates]int32
	marked                [MaxStates]int32 // the step in which a state was reached
	step                  int32
)

// ahead is a place at or after from before which no match of a pattern begins: the one
// where the next begins, unless the pattern's stock is used up before that is known. It
// is the end of the text if there is none.
func ahead(pattern, from int) int {
	base := int(RowsAt[pattern])
	if base < 0 {
		return run(pattern, from, len(text), true)
	}
	n, budget := len(text), int(Deep[pattern])
	classes, width, events := int(SymbolsAt[pattern]), int(Width[pattern]), int(Events[pattern])
	kind, found, count, i := kindAt(from), -1, 0, from
	seen = 0
	for {
		if found < 0 && i < n {
			if count == MaxStates { // it cannot be: states are as many
				return from
			}
			frontState[count], frontStart[count] = States[pattern<<2+kind], int32(i)
			count++
		}
		if count == 0 {
			break
		}
		if seen += count; seen > budget {
			from = int(frontStart[0])
			return from
		}
		symbol, after := symbolAt(i)
		class := int(Symbols[classes+symbol])
		if step++; step <= 0 {
			step = 1
			for j := range marked {
				marked[j] = 0
			}
		}
		left := 0
		for j := range count {
			s := int(dense.Rows[base+int(frontState[j])*width+class])
			if s == 0 {
				continue
			}
			if s >= MaxStates {
				seen = budget + 1
				return int(frontStart[j])
			}
			if s <= events {
				found = int(frontStart[j]) // what began later does not matter any more
				break
			}
			if marked[s] == step {
				continue
			}
			marked[s] = step
			nextState[left], nextStart[left] = uint16(s), frontStart[j]
			left++
		}
		if i >= n {
			break
		}
		for j := range left {
			frontState[j], frontStart[j] = nextState[j], nextStart[j]
		}
		count, i, kind = left, after, int(Kind[symbol])
	}
	if found < 0 {
		return n
	}
	return found
}
