// Package plain turns a text into the form that detectors look at, and maps places
// in that form back to the text.
//
// The same number can be written with full-width digits, with Arabic ones, with
// no-break spaces or with characters between its digits that nobody sees. In the
// plain form
//
//   - a character becomes the ASCII characters that it is a compatibility form of,
//     as Unicode's normalization form NFKC says: full-width and mathematical letters
//     and digits, superscripts, circled and parenthesised numbers, ligatures, Roman
//     numerals, spaces of other widths. Case stays;
//   - a decimal digit of any script becomes the ASCII digit;
//   - a hyphen, an en dash or a minus sign becomes '-', an ideographic full stop '.';
//   - characters that are not seen are left out: those of zero width, soft hyphens,
//     controls of the writing direction, variation selectors, tags.
//
// Everything else stays byte for byte: letters with accents, other scripts, emoji,
// and bytes that are no UTF-8. Each character is looked at alone, so a text can be
// read in blocks; [Cut] says where a block may end.
//
// The table is made by the module in internal/gentables-unicode, which compares it
// with golang.org/x/text/unicode/norm.
package plain

import (
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

//go:generate go -C ../gentables-unicode test -count=1 -run ^TestTable$ . -update

// Clean reports whether text is its own plain form.
func Clean(text string) bool { return next(text, 0) == len(text) }

// Cut says how much of a block can be read before the next block is known: all of it
// but the first bytes of a character whose other bytes are still missing, at most six.
// A text that is read in blocks cut there has the same plain form as in one piece.
func Cut(block string) int {
	n := len(block) - unfinished(block)
	if n < len(block) {
		// What is missing may be a character that is left out, and it matters to one
		// what it stands behind: see find.
		n -= unfinished(block[:n])
	}
	return n
}

// unfinished is how many bytes at the end of s are the first ones of a character.
func unfinished(s string) int {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if c := s[len(s)-n]; c < utf8.RuneSelf {
			break
		} else if utf8.RuneStart(c) {
			if !utf8.FullRuneInString(s[len(s)-n:]) {
				return n
			}
			break
		}
	}
	return 0
}

// maxText is how many bytes of one text are looked at, so that places take four bytes.
const maxText = 1<<31 - 1

// A Text is the plain form of one text at a time, with memory that it uses again. The
// zero Text is ready to use and is the plain form of the empty text. It serves one
// goroutine at a time.
//
// Its memory grows with the longest text that it reads: at most 4/3 of that for the
// plain form, which is what U+2487 ("(20)") takes, and 12 bytes for each run of
// characters of one kind that change, of which there can be one for two bytes of the
// text. A text that is plain takes none.
type Text struct {
	form string // the plain form: all of plain, or the text itself
	// plain is where forms are written.
	plain []byte
	// runs are the places where the form and the text go apart, in order.
	runs []run
}

// A run is some characters one after the other that each take the same number of bytes
// in the text and became the same number of ASCII characters. What follows up to the
// next run is the same in both.
type run struct {
	form, text uint32 // where it begins
	shape      uint32 // count<<6 | bytes of each in the text<<3 | in the form
}

const maxCount = 1<<20 - 1

func (r run) count() int { return int(r.shape >> 6) }
func (r run) from() int  { return int(r.shape >> 3 & 7) }
func (r run) to() int    { return int(r.shape & 7) }

// Read makes s the text and returns its plain form. A text that is plain is returned
// itself. Any other form lies in t's memory: it is valid until the next Read, and
// whoever keeps a part of it longer copies it.
//
// Of a text longer than 2 GiB what follows the first 2 GiB is taken as it is.
func (t *Text) Read(s string) string { return t.read(s, maxText) }

func (t *Text) read(s string, limit int) string {
	t.plain, t.runs = t.plain[:0], t.runs[:0]
	look := s
	if len(look) > limit {
		look = look[:limit]
	}
	done := 0
	for {
		at := next(look, done)
		if at == len(look) {
			break
		}
		t.plain = append(t.plain, s[done:at]...)
		done = at
		for done < len(look) {
			becomes, size := find(look, done)
			if becomes == stays {
				break
			}
			t.change(done, becomes, size)
			done += size
		}
	}
	if len(t.runs) == 0 {
		t.form = s
		return s
	}
	t.plain = append(t.plain, s[done:]...)
	t.form = unsafe.String(unsafe.SliceData(t.plain), len(t.plain))
	return t.form
}

// change writes what the character of size bytes at place at of the text becomes.
func (t *Text) change(at, becomes, size int) {
	form, to := len(t.plain), 1
	switch {
	case becomes == leftOut:
		to = 0
	case becomes < utf8.RuneSelf:
		t.plain = append(t.plain, byte(becomes))
	default:
		i := (becomes - utf8.RuneSelf) * severalSize
		for to = 0; to < severalSize && several[i+to] != 0; to++ {
			t.plain = append(t.plain, several[i+to])
		}
	}
	shape := uint32(size<<3 | to)
	if n := len(t.runs); n > 0 {
		last := &t.runs[n-1]
		if c := last.count(); last.shape&63 == shape && c < maxCount && int(last.text)+c*size == at {
			last.shape += 1 << 6
			return
		}
	}
	t.runs = append(t.runs, run{form: uint32(form), text: uint32(at), shape: 1<<6 | shape})
}

// Original says where a part of the plain form stands in the text: the smallest part
// that covers all characters of which form[start:end] shows anything. Characters that
// were left out are covered where they stand between others, and not at the edges. An
// empty part is an empty one, where the character at start begins, or at the end of
// the last one. Places out of bounds are taken for the nearest in bounds.
func (t *Text) Original(start, end int) (int, int) {
	start = min(max(start, 0), len(t.form))
	end = min(max(end, start), len(t.form))
	from := 0
	if start < len(t.form) {
		from, _ = t.place(start)
	} else if start > 0 {
		_, from = t.place(start - 1)
	}
	if start == end {
		return from, from
	}
	_, to := t.place(end - 1)
	return from, to
}

// place says where the character stands in the text that gave byte i of the form.
func (t *Text) place(i int) (start, end int) {
	// The last run that begins at i or before.
	low, high := 0, len(t.runs)
	for low < high {
		if middle := int(uint(low+high) >> 1); int(t.runs[middle].form) <= i {
			low = middle + 1
		} else {
			high = middle
		}
	}
	shift := 0
	if low > 0 {
		r := t.runs[low-1]
		within := i - int(r.form)
		if within < r.count()*r.to() {
			start = int(r.text) + within/r.to()*r.from()
			return start, start + r.from()
		}
		shift = int(r.text) - int(r.form) + r.count()*(r.from()-r.to())
	}
	// A character that stayed. Broken ones are a byte each.
	for back := 0; back < utf8.UTFMax && back <= i; back++ {
		if c := t.form[i-back]; c < utf8.RuneSelf {
			break
		} else if utf8.RuneStart(c) {
			if _, size := utf8.DecodeRuneInString(t.form[i-back:]); size > back {
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

// next is the place of the first character from i on that does not stay, or len(s).
//
// It needs not know where characters begin: the first byte of one never stands inside
// another, so whatever looks like a character of the table is one.
func next(s string, i int) int {
	const high = 0x8080808080808080
	for {
		for len(s)-i >= 32 {
			if (load(s, i)|load(s, i+8)|load(s, i+16)|load(s, i+24))&high != 0 {
				break
			}
			i += 32
		}
		for len(s)-i >= 8 {
			if w := load(s, i); w&high != 0 {
				// No ASCII: is there a byte that begins a character of the table?
				m := leads[byte(w)] | leads[byte(w>>8)]<<1 | leads[byte(w>>16)]<<2 | leads[byte(w>>24)]<<3 |
					leads[byte(w>>32)]<<4 | leads[byte(w>>40)]<<5 | leads[byte(w>>48)]<<6 | leads[byte(w>>56)]<<7
				if m != 0 {
					i += bits.TrailingZeros8(m)
					break
				}
			}
			i += 8
		}
		// Characters of scripts that share first bytes with the table come in rows,
		// with a blank now and then.
		for others := 0; ; {
			if i == len(s) {
				return i
			}
			c := s[i]
			if leads[c] == 0 {
				if others++; others > 2 && len(s)-i >= 8 {
					break
				}
				i++
				continue
			}
			others = 0
			// The usual answers without a call: nothing there changes.
			if c < 0xE0 {
				if len(s)-i >= 2 && s[i+1]&0xC0 == 0x80 && masks[index[c&0x1F]]>>(s[i+1]&0x3F)&1 == 0 {
					i += 2
					continue
				}
			} else if c < 0xF0 {
				if len(s)-i >= 3 && s[i+1]&0xC0 == 0x80 && s[i+2]&0xC0 == 0x80 && masks[index[int(c&0xF)<<6|int(s[i+1]&0x3F)]]>>(s[i+2]&0x3F)&1 == 0 {
					i += 3
					continue
				}
			}
			becomes, size := find(s, i)
			if becomes != stays {
				return i
			}
			i += size
		}
	}
}

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

// load is eight bytes of s from i on, the first one lowest.
func load(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
