package classify

import (
	"unicode/utf8"
)

// Offsets converts byte offsets of a text to places as other languages count them:
// in code points, as Python does, and in UTF-16 code units, as JavaScript, Java and C#
// do. The zero Offsets is ready to use. It serves one goroutine at a time.
//
// It remembers where it was asked last: offsets in ascending order take one walk over
// the text together, and any others are right, too. It holds on to the text, which must
// be the same string each time to be known at a glance.
type Offsets struct {
	text             string
	at, runes, utf16 int // a place where a character of the text begins
}

// Of converts an offset in text. An offset inside a character counts as where the
// character begins, one below zero as zero and one behind the end as the end.
//
// Bytes that are no UTF-8 count as the characters U+FFFD that decoders write for them:
// one for as many of them as begin a character that then breaks off, and one for each
// other. So do Python (with errors="replace") and what implements the Encoding Standard
// of the WHATWG, such as TextDecoder. A loop over a Go string counts one for each byte.
func (o *Offsets) Of(text string, at int) (runes, utf16 int) {
	at = min(max(at, 0), len(text))
	if at < o.at || o.text != text {
		*o = Offsets{text: text}
	}
	i, r, u := o.at, o.runes, o.utf16
	for i < at {
		if text[i] < utf8.RuneSelf {
			n := asciiLen(text[i:at])
			i, r, u = i+n, r+n, u+n
			continue
		}
		size, units := decodedLen(text[i:])
		if i+size > at {
			break
		}
		i, r, u = i+size, r+1, u+units
	}
	o.at, o.runes, o.utf16 = i, r, u
	return r, u
}

// asciiLen is how many ASCII characters s begins with.
func asciiLen(s string) int {
	const high = 0x8080808080808080
	n := 0
	for len(s)-n >= 8 {
		b := s[n : n+8]
		if (uint64(b[0])|uint64(b[1])<<8|uint64(b[2])<<16|uint64(b[3])<<24|
			uint64(b[4])<<32|uint64(b[5])<<40|uint64(b[6])<<48|uint64(b[7])<<56)&high != 0 {
			break
		}
		n += 8
	}
	for n < len(s) && s[n] < utf8.RuneSelf {
		n++
	}
	return n
}

// decodedLen is how many bytes the first character of s takes, or those that are decoded
// to one U+FFFD, and how many units it is in UTF-16.
func decodedLen(s string) (size, units int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r > 0xFFFF:
		return size, 2
	case r == utf8.RuneError && size == 1:
		// The longest begin of a character, of two or three bytes.
		for size = min(len(s), utf8.UTFMax-1); size > 1 && utf8.FullRuneInString(s[:size]); {
			size--
		}
	}
	return size, 1
}
