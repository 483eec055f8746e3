// Package gentables makes the table of package plain from Unicode's data: the
// normalization forms of golang.org/x/text and the properties of package unicode. It
// is a module of its own, so that nobody who uses Privet inherits golang.org/x/text.
//
// The test writes the table, as `go generate ./internal/plain` does:
//
//	go test -run ^TestTable$ . -update
package gentables

import (
	"bytes"
	"fmt"
	"go/format"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// hyphens are written for '-' and are no compatibility form of it: U+2010 and U+2011,
// the hyphens; U+2012 and U+2013, the figure and the en dash of numbers and ranges;
// U+2212, the minus sign. The dashes that divide sentences, U+2014 and U+2015, are none.
var hyphens = []rune{0x2010, 0x2011, 0x2012, 0x2013, 0x2212}

// stops are written for '.' in addresses: the dots that IDNA maps to a full stop
// (UTS #46, section 4.5) and that are no compatibility form of it.
var stops = []rune{0x3002}

// hidden are the characters that nobody sees and that are left out, besides those with
// the properties Bidi_Control, Join_Control and Variation_Selector.
var hidden = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00AD, Hi: 0x00AD, Stride: 1}, // soft hyphen
		{Lo: 0x034F, Hi: 0x034F, Stride: 1}, // combining grapheme joiner
		{Lo: 0x180E, Hi: 0x180E, Stride: 1}, // Mongolian vowel separator
		{Lo: 0x200B, Hi: 0x200B, Stride: 1}, // zero width space
		{Lo: 0x2060, Hi: 0x2064, Stride: 1}, // word joiner, invisible operators
		{Lo: 0x206A, Hi: 0x206F, Stride: 1}, // deprecated format characters
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1}, // byte order mark
	},
	R32: []unicode.Range32{
		{Lo: 0xE0001, Hi: 0xE0001, Stride: 1}, // language tag
		{Lo: 0xE0020, Hi: 0xE007F, Stride: 1}, // tags
	},
	LatinOffset: 1,
}

// Becomes says what a character becomes in the plain form; ok is false if it stays.
func Becomes(r rune) (form string, ok bool) {
	if r < utf8.RuneSelf || !utf8.ValidRune(r) {
		return "", false
	}
	if unicode.In(r, hidden, unicode.Bidi_Control, unicode.Join_Control, unicode.Variation_Selector) {
		return "", true
	}
	for _, c := range norm.NFKC.String(string(r)) {
		if c = ascii(c); c >= utf8.RuneSelf {
			return "", false
		}
		form += string(c)
	}
	return form, true
}

// ascii is the ASCII character that stands for a normalized one, or that one itself.
func ascii(r rune) rune {
	for _, h := range hyphens {
		if r == h {
			return '-'
		}
	}
	for _, s := range stops {
		if r == s {
			return '.'
		}
	}
	switch {
	case r < utf8.RuneSelf:
	case unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.Nd, r):
		return '0' + rune(digit(r))
	}
	return r
}

// digit is the value of a decimal digit. Digits of a script stand side by side and in
// order, from zero on (Unicode Standard, section 4.6, and its stability policy for
// Numeric_Type=Decimal), so the distance from the begin of a range tells.
func digit(r rune) int {
	for _, s := range unicode.Nd.R16 {
		if rune(s.Lo) <= r && r <= rune(s.Hi) {
			return int(r-rune(s.Lo)) % 10
		}
	}
	for _, s := range unicode.Nd.R32 {
		if rune(s.Lo) <= r && r <= rune(s.Hi) {
			return int(r-rune(s.Lo)) % 10
		}
	}
	return 0
}

// Layout of the table. Characters are in blocks of 64, which is what the last byte of
// UTF-8 counts.
const (
	nearBlocks  = 0x20000 / 64 // planes 0 and 1 are indexed in full
	farBlocks   = 0xE0000 / 64 // and of plane 14 the first eight blocks
	farCount    = 8
	severalSize = 4 // no character becomes more
)

// Table is the table of package plain.
type Table struct {
	leads    [256]uint8                   // 1: the first byte of a character that does not stay
	index    [nearBlocks + farCount]uint8 // of each block of characters in the lists below; 0: all stay
	masks    []uint64                     // which characters of a block do not stay
	bases    []uint16                     // where the first of them is in values
	severals []uint16                     // what is added to values of 128 and more
	values   []byte                       // 0: left out; ASCII; 128 and more: several
	several  []byte                       // texts of severalSize bytes, filled up with zeros
}

// Size is how many bytes the table takes in a program.
func (t *Table) Size() int {
	return len(t.leads) + len(t.index) + 8*len(t.masks) + 2*len(t.bases) + 2*len(t.severals) + len(t.values) + len(t.several)
}

// Make makes the table anew. An error says what of Unicode's data the layout of the
// table has no place for.
func Make() (*Table, error) {
	for _, r := range unicode.Nd.R16 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			return nil, fmt.Errorf("gentables: package unicode: the digits from U+%04X on do not count from zero to nine: give digit a table of its own", r.Lo)
		}
	}
	for _, r := range unicode.Nd.R32 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			return nil, fmt.Errorf("gentables: package unicode: the digits from U+%04X on do not count from zero to nine: give digit a table of its own", r.Lo)
		}
	}
	t := &Table{masks: []uint64{0}, bases: []uint16{0}, severals: []uint16{0}}
	for first := rune(0); first <= unicode.MaxRune; first += 64 {
		var mask uint64
		base, several := len(t.values), len(t.several)/severalSize
		for i := range rune(64) {
			form, ok := Becomes(first + i)
			if !ok {
				continue
			}
			mask |= 1 << i
			t.leads[string(first + i)[0]] = 1
			switch len(form) {
			case 0:
				t.values = append(t.values, 0)
			case 1:
				t.values = append(t.values, form[0])
			default:
				if len(form) > severalSize {
					return nil, fmt.Errorf("gentables: U+%04X becomes %d characters and %d have place: make severalSize larger", first+i, len(form), severalSize)
				}
				t.values = append(t.values, byte(128+len(t.several)/severalSize-several))
				t.several = append(t.several, append([]byte(form), make([]byte, severalSize-len(form))...)...)
			}
		}
		if mask == 0 {
			continue
		}
		at := int(first / 64)
		switch {
		case at >= farBlocks && at < farBlocks+farCount:
			at += nearBlocks - farBlocks
		case at >= nearBlocks:
			return nil, fmt.Errorf("gentables: U+%04X lies beyond what is indexed: give its plane an index", first)
		}
		if len(t.masks) > 255 {
			return nil, fmt.Errorf("gentables: more than 255 blocks: make the index wider")
		}
		t.index[at] = uint8(len(t.masks))
		t.masks = append(t.masks, mask)
		t.bases = append(t.bases, uint16(base))
		t.severals = append(t.severals, uint16(several))
	}
	return t, nil
}

// Source is the table as a Go file.
func (t *Table) Source() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by internal/gentables-unicode from Unicode %s; DO NOT EDIT.\n\npackage plain\n\n", norm.Version)
	fmt.Fprintf(&b, "// The table: %d characters that do not stay, in %d bytes.\n\n", len(t.values), t.Size())
	fmt.Fprintf(&b, "const (\n\tfarIndex = %#x // blocks of 64 characters that are indexed in full\n\tfarBlocks = %#x // the first block of plane 14; eight are indexed\n\tseveralSize = %d\n)\n\n", nearBlocks, farBlocks, severalSize)
	list(&b, "leads", "1: the first byte of a character that does not stay", "[256]uint8", t.leads[:], 64, "%d,")
	list(&b, "index", "by block of 64 characters: place in masks, bases and severals; 0: all stay", fmt.Sprintf("[farIndex + %d]uint8", farCount), t.index[:], 64, "%d,")
	list(&b, "masks", "which characters of a block do not stay", "[...]uint64", t.masks, 4, "%#016x,")
	list(&b, "bases", "where the first of them has its place in values", "[...]uint16", t.bases, 32, "%d,")
	list(&b, "severals", "what is added to a value of 128 and more", "[...]uint16", t.severals, 32, "%d,")
	text(&b, "values", "by character that does not stay: 0, left out; ASCII; 128 and more, see several", t.values, 64)
	text(&b, "several", "what becomes more than one character, filled up with zeros", t.several, 16*severalSize)
	return format.Source(b.Bytes())
}

func list[T uint8 | uint16 | uint64](b *bytes.Buffer, name, about, kind string, values []T, row int, verb string) {
	fmt.Fprintf(b, "// %s: %s.\nvar %s = %s{", name, about, name, kind)
	for i, v := range values {
		if i%row == 0 {
			b.WriteString("\n\t")
		} else {
			b.WriteByte(' ')
		}
		fmt.Fprintf(b, verb, v)
	}
	b.WriteString("\n}\n\n")
}

func text(b *bytes.Buffer, name, about string, values []byte, row int) {
	fmt.Fprintf(b, "// %s: %s.\nconst %s = \"\" +\n", name, about, name)
	for len(values) > 0 {
		n := min(row, len(values))
		fmt.Fprintf(b, "\t%q", values[:n])
		if values = values[n:]; len(values) > 0 {
			b.WriteString(" +")
		}
		b.WriteByte('\n')
	}
}
