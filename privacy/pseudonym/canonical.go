package pseudonym

import (
	"encoding/binary"
	"net/netip"
	"unicode"
	"unicode/utf8"
)

// appendCanonical appends the canonical form of v. It appends at most MaxValue
// bytes, and part of the form may have been appended when it refuses.
func (v *Value) appendCanonical(dst []byte) ([]byte, Code) {
	if v.code != 0 {
		return dst, v.code
	}
	switch v.typ {
	case TypeBytes, TypeText:
		return v.appendPlain(dst)
	case TypeEmail:
		dst, _, code := appendEmail(dst, v.text)
		return dst, code
	case TypeEmailUID2:
		return appendEmailUID2(dst, v.text)
	case TypePhone:
		return appendPhone(dst, v.text)
	case TypeUUID, TypeIP:
		dst = binary.BigEndian.AppendUint64(dst, v.hi)
		return binary.BigEndian.AppendUint64(dst, v.lo), 0
	case TypeInt:
		return binary.BigEndian.AppendUint64(dst, v.lo), 0
	case TypeIPPrefix:
		dst = append(dst, v.bits)
		dst = binary.BigEndian.AppendUint64(dst, v.hi)
		return binary.BigEndian.AppendUint64(dst, v.lo), 0
	case TypeDate:
		if v.text == "" {
			return dst, CodeEmpty
		}
		if !isDate(v.text) {
			return dst, CodeNotInForm
		}
		return append(dst, v.text...), 0
	case TypeComposite:
		return append(dst, v.data...), 0
	}
	return dst, CodeNoType
}

// appendPlain appends a value that has no form of its own, data or text. These are the
// types under which what was made by this package could be made into a pseudonym again.
func (v *Value) appendPlain(dst []byte) ([]byte, Code) {
	switch n := len(v.data) + len(v.text); {
	case n == 0:
		return dst, CodeEmpty
	case n > MaxValue:
		return dst, CodeTooLong
	case !utf8.ValidString(v.text):
		return dst, CodeNotUTF8
	}
	start := len(dst)
	dst = append(append(dst, v.data...), v.text...)
	if issued(dst[start:]) {
		return dst, CodeToken
	}
	return dst, 0
}

// appendEmail also returns the index of the @ in dst.
func appendEmail(dst []byte, s string) ([]byte, int, Code) {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	if s == "" {
		return dst, 0, CodeEmpty
	}
	if len(s) > MaxValue {
		return dst, 0, CodeTooLong
	}
	start, at := len(dst), -1
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return dst, 0, CodeNotUTF8
			}
			if unicode.IsSpace(r) || unicode.IsControl(r) {
				return dst, 0, CodeNotInForm
			}
			dst = append(dst, s[i:i+n]...)
			i += n
			continue
		}
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '@':
			if at >= 0 {
				return dst, 0, CodeNotInForm
			}
			at = len(dst)
		case c <= ' ' || c == 0x7f || c == '<' || c == '>':
			return dst, 0, CodeNotInForm
		}
		dst = append(dst, c)
		i++
	}
	if at <= start || at == len(dst)-1 {
		return dst, 0, CodeNotInForm
	}
	return dst, at, 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func appendEmailUID2(dst []byte, s string) ([]byte, Code) {
	start := len(dst)
	dst, at, code := appendEmail(dst, s)
	if code != 0 || string(dst[at:]) != "@gmail.com" {
		return dst, code
	}
	n := start
	for i := start; i < at && dst[i] != '+'; i++ {
		if dst[i] != '.' {
			dst[n] = dst[i]
			n++
		}
	}
	if n == start {
		return dst, CodeNotInForm
	}
	return append(dst[:n], "@gmail.com"...), 0
}

func appendPhone(dst []byte, s string) ([]byte, Code) {
	if s == "" {
		return dst, CodeEmpty
	}
	if len(s) < 1+8 || len(s) > 1+15 || s[0] != '+' || !allDigits(s[1:]) {
		return dst, CodeNotInForm
	}
	return append(dst, s...), 0
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isDate reports whether s is YYYY-MM-DD and a day of the calendar. It does not
// use package time, whose parser is more generous.
func isDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || !allDigits(s[:4]) || !allDigits(s[5:7]) || !allDigits(s[8:]) {
		return false
	}
	year := two(s[0:])*100 + two(s[2:])
	month, day := two(s[5:]), two(s[8:])
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	last := 31
	switch month {
	case 4, 6, 9, 11:
		last = 30
	case 2:
		last = 28
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			last = 29
		}
	}
	return day <= last
}

// two reads two digits.
func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

func addrBits(a netip.Addr) (hi, lo uint64) {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// mask keeps the first n of 128 bits, 0 ≤ n ≤ 128.
func mask(hi, lo uint64, n int) (uint64, uint64) {
	if n <= 64 {
		return hi &^ (^uint64(0) >> n), 0
	}
	return hi, lo &^ (^uint64(0) >> (n - 64))
}
