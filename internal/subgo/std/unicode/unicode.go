// Package unicode is what the subset has of the standard library's unicode. Its tables
// go into every module that looks at letters, so they are made to be small first: a
// character that is not ASCII takes a walk through what its 256 neighbours are.
package unicode

//go:generate go test -count=1 -run ^TestTables$ . -update

// Constants of the standard library under the same names.
const (
	MaxRune         = '\U0010FFFF'
	ReplacementChar = '\uFFFD'
	MaxASCII        = '\u007F'
)

// What a rune is. Runs have these in their upper three bits.
const (
	other  = 0
	letter = 1
	mark   = 2
	digit  = 3
	upper  = 4
	pairs  = 5 // upper and another letter, in turn
)

// The pages, 256 runes each, that the tables know: those below pagesEnd and two more.
const (
	pagesEnd = 0x324
	tagPages = 0xE00
)

// kind is what a rune is that is not ASCII.
func kind(r rune) uint8 {
	page := uint32(r) >> 8
	if page >= tagPages {
		page -= tagPages - pagesEnd
	} else if page >= pagesEnd {
		return other
	}
	if page >= uint32(len(pages)) {
		return other
	}
	left := uint8(r)
	for at := int(pages[page]); at < len(runs); at++ {
		n := runs[at] & 31
		if n == 0 || left < n {
			k := runs[at] >> 5
			if k == pairs {
				k = upper
				if left&1 == 1 {
					k = letter
				}
			}
			return k
		}
		left -= n
	}
	return other
}

// IsLetter is [unicode.IsLetter].
func IsLetter(r rune) bool {
	if uint32(r) < 0x80 {
		return r|0x20 >= 'a' && r|0x20 <= 'z'
	}
	k := kind(r)
	return k == letter || k == upper
}

// IsUpper is [unicode.IsUpper].
func IsUpper(r rune) bool {
	if uint32(r) < 0x80 {
		return r >= 'A' && r <= 'Z'
	}
	return kind(r) == upper
}

// IsMark is [unicode.IsMark].
func IsMark(r rune) bool { return uint32(r) >= 0x300 && kind(r) == mark }

// IsDigit is [unicode.IsDigit].
func IsDigit(r rune) bool {
	if uint32(r) < 0x80 {
		return r >= '0' && r <= '9'
	}
	return kind(r) == digit
}

// ToLower is [unicode.ToLower].
func ToLower(r rune) rune {
	if r < 0x80 {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	// One run after the other: how far behind the last one it begins, how many runes it
	// has, and how far away their small letters are, modulo 65536. With 1 only every
	// second rune has one, the next.
	first := rune(0x80)
	for i := 0; i < len(lowerGap) && i < len(lowerSize) && i < len(lowerWay); i++ {
		first += rune(lowerGap[i])
		if r < first {
			break
		}
		within, way := r-first, rune(lowerWay[i])
		if first += rune(lowerSize[i]); r >= first {
			continue
		}
		if way == 1 {
			return r + 1 - within&1
		}
		if r < 0x10000 {
			return (r + way) & 0xffff
		}
		return r + way
	}
	return r
}
