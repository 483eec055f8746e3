// Package unicode is what the subset has of the standard library's unicode.
package unicode

//go:generate go test -count=1 -run ^TestTables$ . -update

// Constants of the standard library under the same names.
const (
	MaxRune         = '\U0010FFFF'
	ReplacementChar = '\uFFFD'
	MaxASCII        = '\u007F'
)

// IsLetter is [unicode.IsLetter].
func IsLetter(r rune) bool {
	if r < 0x80 {
		return r|0x20 >= 'a' && r|0x20 <= 'z'
	}
	return r < 0x10000 && in16(letters16[:], r) || in32(letters32[:], r)
}

// IsMark is [unicode.IsMark].
func IsMark(r rune) bool {
	return r >= 0x300 && (r < 0x10000 && in16(marks16[:], r) || in32(marks32[:], r))
}

// IsDigit is [unicode.IsDigit].
func IsDigit(r rune) bool {
	if r < 0x80 {
		return r >= '0' && r <= '9'
	}
	return r < 0x10000 && in16(digits16[:], r) || in32(digits32[:], r)
}

// in16 looks a rune up in sorted pairs of first and last ones.
func in16(table []uint16, r rune) bool {
	low, high := 0, len(table)/2
	for low < high {
		middle := int(uint(low+high) >> 1)
		if rune(table[2*middle+1]) < r {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return 2*low < len(table) && rune(table[2*low]) <= r
}

func in32(table []uint32, r rune) bool {
	low, high := 0, len(table)/2
	for low < high {
		middle := int(uint(low+high) >> 1)
		if rune(table[2*middle+1]) < r {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return 2*low < len(table) && rune(table[2*low]) <= r
}

// ToLower is [unicode.ToLower].
func ToLower(r rune) rune {
	if r < 0x80 {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	// Three numbers each: the first rune, the last, and twice the way to the small
	// letter, plus one if only every second rune has it.
	low, high := 0, len(lower)/3
	for low < high {
		middle := int(uint(low+high) >> 1)
		if lower[3*middle+1] < r {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if 3*low+2 >= len(lower) || lower[3*low] > r {
		return r
	}
	way := lower[3*low+2]
	if way&1 == 1 && (r-lower[3*low])&1 == 1 {
		return r
	}
	return r + way>>1
}
