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
// What modules need as well, which package emit makes, is written in the subset of Go
// that internal/subgo compiles: [Clean], [Size], [Put] and [Original].
//
// The table is made by the module in internal/gentables-unicode, which compares it
// with golang.org/x/text/unicode/norm.
package plain

import (
	"unicode/utf8"
	"unsafe"
)

//go:generate go -C ../gentables-unicode test -count=1 -run ^TestTable$ . -update

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
	// runs are the places where the form and the text go apart, in order: see [Original].
	runs []int32
}

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
	shape := size<<3 | to
	if n := len(t.runs); n > 0 {
		last := t.runs[n-RunSize : n : n]
		if c := int(last[2] >> 6); int(last[2]&63) == shape && c < maxCount && int(last[1])+c*size == at {
			last[2] += 1 << 6
			return
		}
	}
	t.runs = append(t.runs, int32(form), int32(at), int32(1<<6|shape))
}

// Original says where a part of the plain form stands in the text: the smallest part
// that covers all characters of which form[start:end] shows anything. Characters that
// were left out are covered where they stand between others, and not at the edges. An
// empty part is an empty one, where the character at start begins, or at the end of
// the last one. Places out of bounds are taken for the nearest in bounds.
func (t *Text) Original(start, end int) (int, int) { return Original(t.form, t.runs, start, end) }
