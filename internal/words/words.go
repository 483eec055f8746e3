// Package words splits names and texts into words, and looks words up in tables. It is
// written in the subset of Go that internal/subgo compiles: classifiers and the modules
// that package emit makes split names with the same source. Only [Slots] and [Bits],
// which are for making tables, are not.
package words

import (
	"unicode"
	"unicode/utf8"
)

const (
	// Max is how many words of a name count.
	Max = 64
	// MaxLen is the longest word, in bytes; what goes beyond is left out.
	MaxLen = 128
)

// A Kind is what a character is to words.
type Kind uint8

// The kinds of characters.
const (
	Separator Kind = iota
	Lower          // a letter that is no capital, and marks
	Upper
	Digit
)

// ascii are the kinds of ASCII characters.
var ascii = [utf8.RuneSelf]Kind{
	'0': Digit, Digit, Digit, Digit, Digit, Digit, Digit, Digit, Digit, Digit,
	'A': Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper,
	Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper, Upper,
	'a': Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower,
	Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower, Lower,
}

// KindOf is the kind of a character.
func KindOf(r rune) Kind {
	if r >= 0 && r < utf8.RuneSelf {
		return ascii[r]
	}
	return wideKind(r)
}

// small is the small letter of one of some kind. Few have one that are no capitals: the
// first letters of titles, such as U+01C5.
func small(r rune, kind Kind) rune {
	if kind == Upper || r >= 0x1c5 && r <= 0x1f2 || r >= 0x1f88 && r <= 0x1ffc {
		return unicode.ToLower(r)
	}
	return r
}

// Room is how many bytes the words of a text of n bytes can take: small letters of some
// capitals are longer, by half at most.
func Room(n int) int { return min(Max*MaxLen, n+n/2) }

// Split splits a text into words, in lower case: at characters that are neither letters
// nor digits, between letters and digits, and where the case of letters shows a new word.
// It leaves them in buf one behind the other, with the place where word i ends in ends[i],
// and returns how many there are. Words beyond the room of ends or buf are left out.
func Split(text string, buf []byte, ends []int32) int {
	n, _ := Between(text, 0, len(text), buf, ends)
	return n
}

// Between is [Split] for the words that begin in text[from:to]. end is where the last of
// them ends in the text, or 0.
func Between(text string, from, to int, buf []byte, ends []int32) (n, end int) {
	at, i, prev := 0, from, before(text, from)
	for n < len(ends) {
		start, stop, size, kind := read(text, i, prev, buf[at:])
		if start >= to || start == stop {
			break
		}
		i, prev = stop, kind
		at += size
		ends[n] = int32(at)
		n++
		end = stop
	}
	return n, end
}

// Next reads the first word that begins at text[i] or later. It is text[start:end], and
// buf[:size] in lower case. Both places are the end of the text if there is none. Where
// it begins and ends does not depend on i, if that is between two characters.
func Next(text string, i int, buf []byte) (start, end, size int) {
	start, end, size, _ = read(text, i, before(text, i), buf)
	return start, end, size
}

// before is the kind of the character before text[i].
func before(text string, i int) Kind {
	if i <= 0 || i > len(text) {
		return Separator
	}
	if c := text[i-1]; c < utf8.RuneSelf {
		return ascii[c]
	}
	r, _ := utf8.DecodeLastRuneInString(text[:i])
	return KindOf(r)
}

// read is [Next] where the kind of the character before text[i] is known. It returns that
// of the last one as well.
func read(text string, i int, prev Kind, buf []byte) (start, end, size int, last Kind) {
	inside, room := false, min(MaxLen, len(buf))
	for i < len(text) {
		c := text[i]
		r, width, kind := rune(c), 1, Separator
		if c < utf8.RuneSelf {
			kind = ascii[c]
			if inside && kind == prev && kind != Upper { // most characters
				if size < room {
					buf[size] = c
					size++
				}
				i++
				continue
			}
		} else {
			r, width = utf8.DecodeRuneInString(text[i:])
			kind = KindOf(r)
		}
		if kind == Separator {
			if inside {
				break
			}
			prev = kind
			i += width
			continue
		}
		if prev == Separator || begins(prev, kind, text, i+width) {
			if inside {
				break
			}
			inside = true
			start = i
		}
		if inside {
			if r < utf8.RuneSelf {
				if size < room {
					if kind == Upper {
						r |= 0x20
					}
					buf[size] = byte(r)
					size++
				}
			} else if n := encode(buf[size:room], small(r, kind)); n > 0 {
				size += n
			} else {
				room = size // a word has no gaps
			}
		}
		prev = kind
		i += width
	}
	if !inside {
		return i, i, 0, prev
	}
	return start, i, size, prev
}

// encode writes a character if there is room, and returns how many bytes that takes.
func encode(to []byte, r rune) int {
	n := 1
	if r >= utf8.RuneSelf {
		n = 2
		if r >= 0x800 {
			n = 3
			if r >= 0x10000 {
				n = 4
			}
		}
	}
	if n > len(to) {
		return 0
	}
	if n == 1 {
		to[0] = byte(r)
		return 1
	}
	for i := n - 1; i > 0; i-- {
		to[i] = 0x80 | byte(r)&0x3f
		r >>= 6
	}
	to[0] = byte(rune(0xf00)>>n | r)
	return n
}

// begins reports whether a word begins with a character after another, of the kind prev,
// and before text[next:]. Neither is a separator.
func begins(prev, kind Kind, text string, next int) bool {
	return (prev == Digit) != (kind == Digit) ||
		kind == Upper && (prev == Lower || prev == Upper && kindAt(text, next) == Lower && !tailAt(text[next:]))
}

// kindAt is the kind of the character at i, if there is one.
func kindAt(text string, i int) Kind {
	if i >= len(text) {
		return Separator
	}
	if c := text[i]; c < utf8.RuneSelf {
		return ascii[c]
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return KindOf(r)
}

// tailAt reports whether rest begins with a small letter that belongs to the
// capitals before it: the s of IDs, the v of IPv4.
func tailAt(rest string) bool {
	return rest[0] == 's' && kindAt(rest, 1) != Lower || rest[0] == 'v' && kindAt(rest, 1) == Digit
}

// Is reports whether w is the word p or, if it may be, its plural.
func Is(w []byte, p string, plural bool) bool {
	if plural && len(w) == len(p)+1 && w[len(p)] == 's' {
		w = w[:len(p)]
	}
	return string(w) == p
}

// Find is the number of a word, or -1. at says where in pool the texts of words begin by
// their numbers, and where the last ends; slots are those of [Slots].
func Find(w []byte, slots []uint32, at []uint32, pool []byte) int {
	if len(slots) == 0 {
		return -1
	}
	for h := Hash(w); ; h++ {
		n := int(slots[h&uint32(len(slots)-1)]) - 1
		if n < 0 {
			return n
		}
		from, to := int(at[n]), int(at[n+1])
		if to-from == len(w) && string(w) == string(pool[from:to]) {
			return n
		}
	}
}

// Maybe reports whether a word may be one of those of which [Bits] made bits.
func Maybe(w []byte, bits []uint32) bool {
	h := Hash(w) & uint32(32*len(bits)-1)
	return bits[h>>5]>>(h&31)&1 == 1
}

// Hash is a number that equal words have.
func Hash(w []byte) uint32 {
	h := uint32(len(w))
	for i := range len(w) {
		h = h*31 + uint32(w[i])
	}
	return h ^ h>>9
}

// Text is the text of a word.
func Text(n int, at []uint32, pool []byte) []byte { return pool[at[n]:at[n+1]] }
