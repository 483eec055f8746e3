package plain

import (
	"math/bits"
	"unicode/utf8"
)

// Clean reports whether text is its own plain form.
func Clean(text string) bool { return next(text, 0) == len(text) }

// Size says how many bytes the plain form of a text has, and how many runs: see
// [Original]. The text must be shorter than 1 GiB.
func Size(s string) (size, count int) {
	var form []byte
	var runs []int32
	return pass(s, form, runs)
}

// Put writes the plain form of a text and its runs, into as much room as [Size] says.
// Without room for runs it leaves them out.
func Put(s string, form []byte, runs []int32) { pass(s, form, runs) }

// pass reads a text, writes what there is room for, and returns how much there is.
func pass(s string, form []byte, runs []int32) (size, count int) {
	last, length, shape := -1, 0, 0 // the run at hand: where it ends, and its number of characters
	for done := 0; ; {
		at := next(s, done)
		if size < len(form) {
			copy(form[size:], s[done:at])
		}
		size += at - done
		if at == len(s) {
			return size, count
		}
		for done = at; done < len(s); {
			becomes, width := find(s, done)
			if becomes == stays {
				break
			}
			from, to := size, 0
			for to < severalSize {
				c := becomes
				if becomes >= utf8.RuneSelf {
					c = int(several[(becomes-utf8.RuneSelf)*severalSize+to])
				} else if to == 1 {
					break
				}
				if c == 0 {
					break
				}
				if size < len(form) {
					form[size] = byte(c)
				}
				size++
				to++
			}
			if last != done || shape != width<<3|to || length == maxCount {
				if RunSize*count+1 < len(runs) {
					runs[RunSize*count], runs[RunSize*count+1] = int32(from), int32(done)
				}
				count++
				length, shape = 0, width<<3|to
			}
			length++
			if RunSize*count <= len(runs) {
				runs[RunSize*count-1] = int32(length<<6 | shape)
			}
			done += width
			last = done
		}
	}
}

// RunSize is how many numbers a run takes.
const RunSize = 3

const maxCount = 1<<20 - 1

// Original says where a part of a plain form stands in the text: the smallest part that
// covers all characters of which form[start:end] shows anything. Characters that were left
// out are covered where they stand between others, and not at the edges. An empty part is
// an empty one, where the character at start begins, or at the end of the last one. Places
// out of bounds are taken for the nearest in bounds.
//
// The runs are the places where form and text go apart, in order. Each is some characters
// one after the other that take the same number of bytes in the text and became the same
// number of ASCII characters: where it begins in the form and in the text, and how many
// they are times 64, bytes of each in the text times 8, and in the form. What follows up
// to the next run is the same in both.
func Original(form string, runs []int32, start, end int) (int, int) {
	start = min(max(start, 0), len(form))
	end = min(max(end, start), len(form))
	from, to := 0, 0
	if start < len(form) {
		from, _ = place(form, runs, start)
	} else if start > 0 {
		_, from = place(form, runs, start-1)
	}
	if start == end {
		return from, from
	}
	_, to = place(form, runs, end-1)
	return from, to
}

// place says where the character stands in the text that gave byte i of the form.
func place(form string, runs []int32, i int) (start, end int) {
	// The last run that begins at i or before.
	low, high := 0, len(runs)/RunSize
	for low < high {
		if middle := int(uint(low+high) >> 1); int(runs[RunSize*middle]) <= i {
			low = middle + 1
		} else {
			high = middle
		}
	}
	shift := 0
	if low > 0 {
		at := int(runs[RunSize*low-3])
		text, shape := int(runs[RunSize*low-2]), int(runs[RunSize*low-1])
		count, from, to := shape>>6, shape>>3&7, shape&7
		if within := i - at; within < count*to {
			start = text + within/to*from
			return start, start + from
		}
		shift = text - at + count*(from-to)
	}
	// A character that stayed. Broken ones are a byte each.
	for back := 0; back < utf8.UTFMax && back <= i; back++ {
		if c := form[i-back]; c < utf8.RuneSelf {
			break
		} else if utf8.RuneStart(c) {
			if _, size := utf8.DecodeRuneInString(form[i-back:]); size > back {
				start = i - back + shift
				return start, start + size
			}
			break
		}
	}
	return i + shift, i + shift + 1
}

// What find says besides an ASCII character, and the place in several of a character
// that becomes more than one, after all ASCII characters.
const (
	stays   = -1
	leftOut = 0
)

// find says what becomes of the character at s[i], and how many bytes it takes; 1 if
// that is not known.
func find(s string, i int) (becomes, size int) {
	var block, last byte
	switch c := s[i]; {
	case leads[c] == 0:
		return stays, 1
	case c < 0xE0:
		if len(s)-i < 2 {
			return stays, 1
		}
		block, last, size = index[c&0x1F], s[i+1], 2
	case c < 0xF0:
		if len(s)-i < 3 || s[i+1]&0xC0 != 0x80 || c == 0xE0 && s[i+1] < 0xA0 {
			return stays, 1
		}
		block, last, size = index[int(c&0xF)<<6|int(s[i+1]&0x3F)], s[i+2], 3
	default:
		if len(s)-i < 4 || s[i+1]&0xC0 != 0x80 || s[i+2]&0xC0 != 0x80 || c == 0xF0 && s[i+1] < 0x90 {
			return stays, 1
		}
		high := int(c&7)<<12 | int(s[i+1]&0x3F)<<6 | int(s[i+2]&0x3F)
		switch {
		case high < farIndex:
			block = index[high]
		case high>>3 == farBlocks>>3:
			block = index[farIndex+high&7]
		}
		last, size = s[i+3], 4
	}
	if last&0xC0 != 0x80 {
		return stays, 1
	}
	bit := uint64(1) << (last & 0x3F)
	mask := masks[block]
	if mask&bit == 0 {
		return stays, size
	}
	v := int(values[int(bases[block])+bits.OnesCount64(mask&(bit-1))])
	switch {
	case v >= utf8.RuneSelf:
		v += int(severals[block])
	case v == leftOut && i > 0 && s[i-1] >= utf8.RuneSelf && unfinished(s[:i]) > 0:
		// Behind the first bytes of a broken character it stays: what follows could
		// mend the character, and the form would be one that is not plain.
		return stays, size
	}
	return v, size
}

// unfinished is how many bytes at the end of s are the first ones of a character.
func unfinished(s string) int {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		c := s[len(s)-n]
		if c < utf8.RuneSelf {
			return 0
		}
		if !utf8.RuneStart(c) {
			continue
		}
		if n == 1 {
			if c >= 0xC2 && c <= 0xF4 {
				return 1
			}
			return 0
		}
		// Overlong forms, surrogates and what lies above the last rune are none.
		next := s[len(s)-n+1]
		if c < 0xE0 || n == 3 && c < 0xF0 || c > 0xF4 || c == 0xE0 && next < 0xA0 || c == 0xED && next > 0x9F || c == 0xF0 && next < 0x90 || c == 0xF4 && next > 0x8F {
			return 0
		}
		return n
	}
	return 0
}
