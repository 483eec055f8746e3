// Package utf8 is what the subset has of the standard library's unicode/utf8.
package utf8

// What [unicode/utf8] has under the same names.
const (
	RuneError = '\uFFFD'
	RuneSelf  = 0x80
	MaxRune   = '\U0010FFFF'
	UTFMax    = 4
)

// DecodeRuneInString is [unicode/utf8.DecodeRuneInString].
func DecodeRuneInString(s string) (rune, int) {
	n := len(s)
	if n == 0 {
		return RuneError, 0
	}
	a := rune(s[0])
	if a < RuneSelf {
		return a, 1
	}
	if a < 0xc2 || a > 0xf4 || n < 2 {
		return RuneError, 1
	}
	b := rune(s[1])
	if b&0xc0 != 0x80 {
		return RuneError, 1
	}
	if a < 0xe0 {
		return a&0x1f<<6 | b&0x3f, 2
	}
	// Overlong forms, surrogates and what lies above the last rune.
	if n < 3 || a == 0xe0 && b < 0xa0 || a == 0xed && b > 0x9f || a == 0xf0 && b < 0x90 || a == 0xf4 && b > 0x8f {
		return RuneError, 1
	}
	c := rune(s[2])
	if c&0xc0 != 0x80 {
		return RuneError, 1
	}
	if a < 0xf0 {
		return a&0x0f<<12 | b&0x3f<<6 | c&0x3f, 3
	}
	if n < 4 {
		return RuneError, 1
	}
	d := rune(s[3])
	if d&0xc0 != 0x80 {
		return RuneError, 1
	}
	return a&0x07<<18 | b&0x3f<<12 | c&0x3f<<6 | d&0x3f, 4
}

// DecodeRune is [unicode/utf8.DecodeRune].
func DecodeRune(p []byte) (rune, int) { return DecodeRuneInString(string(p)) }

// DecodeLastRuneInString is [unicode/utf8.DecodeLastRuneInString].
func DecodeLastRuneInString(s string) (rune, int) {
	n := len(s)
	if n == 0 {
		return RuneError, 0
	}
	for i := n - 1; i >= 0 && i > n-5; i-- {
		if s[i]&0xc0 != 0x80 {
			if r, size := DecodeRuneInString(s[i:]); i+size == n {
				return r, size
			}
			break
		}
	}
	return RuneError, 1
}

// RuneLen is [unicode/utf8.RuneLen].
func RuneLen(r rune) int {
	switch {
	case r < 0:
		return -1
	case r < 0x80:
		return 1
	case r < 0x800:
		return 2
	case 0xd800 <= r && r <= 0xdfff:
		return -1
	case r < 0x10000:
		return 3
	case r <= MaxRune:
		return 4
	}
	return -1
}

// ValidRune is [unicode/utf8.ValidRune].
func ValidRune(r rune) bool { return RuneLen(r) > 0 }

// RuneStart is [unicode/utf8.RuneStart].
func RuneStart(b byte) bool { return b&0xc0 != 0x80 }

// EncodeRune is [unicode/utf8.EncodeRune].
func EncodeRune(p []byte, r rune) int {
	n := RuneLen(r)
	if n < 0 {
		r, n = RuneError, 3
	}
	switch n {
	case 1:
		p[0] = byte(r)
	case 2:
		p[0] = byte(0xc0 | r>>6)
		p[1] = byte(0x80 | r&0x3f)
	case 3:
		p[0] = byte(0xe0 | r>>12)
		p[1] = byte(0x80 | r>>6&0x3f)
		p[2] = byte(0x80 | r&0x3f)
	default:
		p[0] = byte(0xf0 | r>>18)
		p[1] = byte(0x80 | r>>12&0x3f)
		p[2] = byte(0x80 | r>>6&0x3f)
		p[3] = byte(0x80 | r&0x3f)
	}
	return n
}

// RuneCountInString is [unicode/utf8.RuneCountInString].
func RuneCountInString(s string) int {
	n := 0
	for range s {
		n++
	}
	return n
}

// ValidString is [unicode/utf8.ValidString].
func ValidString(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < RuneSelf {
			i++
			continue
		}
		r, size := DecodeRuneInString(s[i:])
		if r == RuneError && size == 1 {
			return false
		}
		i += size
	}
	return true
}
