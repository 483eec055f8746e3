package words

//go:generate go test -count=1 -run ^TestTables$ . -update

// The kinds of characters beyond ASCII are runs, one after the other: of each the kind
// times 32 and how long it is, up to 31; with 0 instead the length is in the two bytes
// that follow. pairs are a capital and a small letter in turn.
//
// Every stride bytes a run begins, with the character of begins. So a look is a search
// among these and a short walk; in a module the tables take 1.7 kB.
const (
	stride = 32
	pairs  = 4
)

// wideKind is the kind of a character that is not ASCII.
func wideKind(r rune) Kind {
	low, high := 0, len(begin)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if rune(begin[middle]) <= r {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return Separator
	}
	left := r - rune(begin[low-1])
	for i := stride * (low - 1); i+2 < len(runs); i++ {
		k, n := runs[i]>>5, rune(runs[i]&31)
		if n == 0 {
			n = rune(runs[i+1]) | rune(runs[i+2])<<8
			i += 2
		}
		if left < n {
			if k == pairs {
				k = uint8(Upper) - uint8(left&1)
			}
			return Kind(k)
		}
		left -= n
	}
	return Separator
}
