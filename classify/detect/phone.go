package detect

import "unicode/utf8"

//go:generate go -C ../../internal/gentables test -count=1 -run ^TestTable$ . -update

// Phone reports whether s is a number that may be dialled: its length and leading
// digits are those of fixed lines, mobile phones, or services (free, shared cost,
// premium, personal, internet telephony, pagers, voice mail, universal access) that
// the numbering plan has. Whether somebody has the number it cannot tell.
//
// Without a region s must be international: + or 00, a country calling code and a
// number of it. Otherwise region is a country in two lower case letters (ISO 3166-1),
// and s is a number of it as it is dialled there, with or without trunk prefix, or
// the international form, with or without + or 00. An unknown region has no numbers.
// A trunk prefix may stand behind the calling code as well: +44 (0)20.
//
// Between the digits may stand spaces, hyphens, dashes, dots, slashes, brackets and
// parentheses; where does not matter. In the international form no number has more than
// fifteen digits, the trunk prefix not counted (ITU-T E.164, 6.1).
//
// The plans are those of libphonenumber, which follows ITU's national numbering plans
// and the regulators' notices. Emergency and other short numbers are none of these.
// A number that is set aside for films is one if the plan has others of its kind, such
// as +1 425 555 0100, and none otherwise, such as +44 7700 900123.
func Phone(s, region string) bool {
	var buf [24]byte
	d, plus, ok := dialled(&buf, s)
	if !ok {
		return false
	}
	international := plus
	number := d
	if !plus && len(d) > 2 && d[0] == 0 && d[1] == 0 {
		international, number = true, d[2:]
	}
	if region == "" {
		return international && dials(phoneAnywhere, number)
	}
	at, ok := phoneRegion(region)
	if !ok {
		return false
	}
	if !plus && dials(phonePlace(at+4), d) {
		return true
	}
	// Behind the calling code, which is read from its last digit.
	code := phonePlace(at + 2)
	size := 1
	for limit := 10; code >= limit; limit *= 10 {
		size++
	}
	if len(number) < size {
		return false
	}
	for i := size - 1; i >= 0; i-- {
		if int(number[i]) != code%10 {
			return false
		}
		code /= 10
	}
	return dials(phonePlace(at+6), number[size:])
}

// dialled are the digits of s, and whether a + stands before them. It is not ok if
// there is anything else than digits and separators, or more digits than any number has.
func dialled(buf *[24]byte, s string) (d []byte, plus, ok bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case digit(c):
			if n == len(buf) {
				return nil, false, false
			}
			buf[n] = c - '0'
			n++
		case c == '+':
			if plus || n > 0 {
				return nil, false, false
			}
			plus = true
		case c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' || c == '[' || c == ']':
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if !phoneSeparator(r) {
				return nil, false, false
			}
			i += size - 1
		default:
			return nil, false, false
		}
	}
	return buf[:n], plus, true
}

// phoneSeparator reports whether r is a space or a dash that typesetting puts in the
// place of the plain one.
func phoneSeparator(r rune) bool {
	switch r {
	case '\u00a0', '\u2007', '\u2009', '\u202f', '\u3000', // spaces
		'\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212': // hyphens, dashes, minus
		return true
	}
	return false
}

// Where the parts of phoneTable are: regions of eight bytes, shapes of five, common
// states of two. phoneFiles in internal/gentables tells what is in them and why.
const (
	phoneShapesAt  = 8 * phoneRegions
	phoneCommonsAt = phoneShapesAt + 5*phoneShapes
)

// phoneRegion is the place of a region in the table.
func phoneRegion(region string) (at int, ok bool) {
	if len(region) != 2 {
		return 0, false
	}
	low, high := 0, phoneRegions
	for low < high {
		middle := (low + high) / 2
		if phoneTable[8*middle:8*middle+2] < region {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return 8 * low, low < phoneRegions && phoneTable[8*low:8*low+2] == region
}

// phonePlace is the number that two bytes of the table are.
func phonePlace(at int) int { return int(phoneTable[at])<<8 | int(phoneTable[at+1]) }

// dials reports whether d leads from the state at a place to one where a number may end.
func dials(at int, d []byte) bool {
	for {
		head := int(phoneTable[at])
		// The shape: one of the list, or what follows.
		shape, width, next, end := phoneShapesAt+5*head, 4, at+1, false
		if head >= phoneShapes {
			shape, width, end = at+1, (head-phoneShapes)&3+1, (head-phoneShapes)&4 != 0
			next += (10*width + 7) / 8
		}
		if len(d) == 0 {
			return end
		}
		// The bits of a digit begin in one byte and may end in the next.
		bit := width * int(d[0])
		bits := int(phoneTable[shape+bit/8]) >> (bit % 8)
		if bit%8+width > 8 {
			bits |= int(phoneTable[shape+bit/8+1]) << (8 - bit%8)
		}
		target := bits & (1<<width - 1)
		if target == 0 {
			return false
		}
		for range target {
			at, next = phoneTarget(next)
		}
		d = d[1:]
	}
}

// phoneTarget is the place that the target at a place leads to, and the place behind it.
func phoneTarget(at int) (target, next int) {
	switch c := int(phoneTable[at]); {
	case c < phoneCommons:
		return phonePlace(phoneCommonsAt + 2*c), at + 1
	case c == phoneCommons:
		return at + 1, at + 1
	default:
		return (c-phoneCommons-1)<<8 | int(phoneTable[at+1]), at + 2
	}
}
