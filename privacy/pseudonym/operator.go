package pseudonym

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Redacted is what [Redact] puts in the place of every value.
const Redacted = "[redacted]"

// Redact returns the constant [Redacted]. Nothing of a value is left in it.
func Redact() (string, Class) {
	return Redacted, Class{Linkability: Unlinkable, Loss: LossTotal}
}

// Mask replaces all but the last keep runes of s by asterisks. It never shows more
// than half of the runes, whatever keep is, and none if keep is negative. The
// number of runes stays visible. A byte that is not valid UTF-8 counts as one rune
// and is always masked.
//
// What stays visible is in the clear, hence [Linked].
func Mask(s string, keep int) (string, Class) {
	total := utf8.RuneCountInString(s)
	hidden := total - max(0, min(keep, total/2))
	var b strings.Builder
	b.Grow(len(s))
	for n := 0; s != ""; n++ {
		r, size := utf8.DecodeRuneInString(s)
		if n < hidden || r == utf8.RuneError && size == 1 {
			b.WriteByte('*')
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String(), generalised
}

const maxDecimals = 8

// RoundCoordinate rounds a latitude or longitude in degrees, given as decimal text
// (a JSON number, or with a leading +), to the given number of decimals, 0 to
// 8. A tie goes away from zero: -122.125 becomes -122.13 with two
// decimals. The arithmetic is on the decimal digits, so no binary fraction gets in
// the way.
//
// The result has no exponent, no trailing zeros after the point, no leading zeros
// and no negative zero: equal numbers give equal text. A number that has fewer
// decimals stays what it is. One decimal is about 11 km of latitude, two are
// 1.1 km, three 110 m; longitude is finer towards the poles.
//
// A number beyond ±180 is refused with an [*OperatorError]: it is in another unit,
// such as 10^-7 degrees, and rounding its decimals would hide nothing.
func RoundCoordinate(s string, decimals int) (string, Class, error) {
	refuse := func(problem string) (string, Class, error) {
		return "", Class{}, &OperatorError{"RoundCoordinate", problem}
	}
	if decimals < 0 || decimals > maxDecimals {
		return refuse("decimals out of range: 0 to 8 are possible")
	}
	if len(s) > 64 {
		return refuse("number is longer than 64 bytes: coordinates have fewer digits")
	}
	d, ok := parseDecimal(s)
	if !ok {
		return refuse("not a decimal number: write degrees such as -122.13")
	}
	if d.beyond180() {
		return refuse("number is beyond 180: convert it to degrees first")
	}
	d.round(decimals)
	return d.String(), generalised, nil
}

// A decimal is ±0.digits × 10^point, without leading or trailing zeros in its
// digits. Zero has none.
type decimal struct {
	negative bool
	digits   []byte // '0' to '9'
	point    int
}

func parseDecimal(s string) (d decimal, ok bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	number, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		number = s[:i]
		if exponent, ok = parseExponent(s[i+1:]); !ok {
			return d, false
		}
	}
	whole, fraction, dotted := strings.Cut(number, ".")
	if whole == "" || dotted && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return d, false
	}
	d.point = len(whole) + exponent
	d.digits = append(append(make([]byte, 0, len(s)+1), whole...), fraction...)
	d.trim()
	return d, true
}

func parseExponent(s string) (n int, ok bool) {
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if s == "" || !allDigits(s) {
		return 0, false
	}
	for i := range len(s) {
		// Beyond the length of any number here, more makes no difference.
		n = min(n*10+int(s[i]-'0'), 10_000)
	}
	if negative {
		n = -n
	}
	return n, true
}

func (d *decimal) trim() {
	for len(d.digits) > 0 && d.digits[0] == '0' {
		d.digits = d.digits[1:]
		d.point--
	}
	for n := len(d.digits); n > 0 && d.digits[n-1] == '0'; n-- {
		d.digits = d.digits[:n-1]
	}
	if len(d.digits) == 0 {
		d.negative, d.point = false, 0
	}
}

func (d *decimal) beyond180() bool {
	if d.point != 3 {
		return d.point > 3
	}
	return string(d.digits) > "18" // digits have no trailing zeros, so this is numeric
}

// round keeps the given number of digits after the point.
func (d *decimal) round(decimals int) {
	cut := d.point + decimals // digits that stay
	if cut >= len(d.digits) {
		return
	}
	up := cut >= 0 && d.digits[cut] >= '5'
	d.digits = d.digits[:max(cut, 0)]
	if up {
		i := len(d.digits) - 1
		for ; i >= 0 && d.digits[i] == '9'; i-- {
			d.digits[i] = '0'
		}
		if i >= 0 {
			d.digits[i]++
		} else {
			d.digits = append([]byte{'1'}, d.digits...)
			d.point++
		}
	}
	d.trim()
}

func (d *decimal) String() string {
	b := make([]byte, 0, 24)
	if d.negative {
		b = append(b, '-')
	}
	if d.point <= 0 {
		b = append(b, '0')
	}
	for i := range d.point {
		if i < len(d.digits) {
			b = append(b, d.digits[i])
		} else {
			b = append(b, '0')
		}
	}
	if d.point < len(d.digits) {
		b = append(b, '.')
		for i := d.point; i < 0; i++ {
			b = append(b, '0')
		}
		b = append(b, d.digits[max(d.point, 0):]...)
	}
	return string(b)
}

// TruncateIP sets the host part of an IP address to zero: what stays is the /24 of
// an IPv4 address and the /48 of an IPv6 address. An IPv4-mapped address counts as
// IPv4 and is written so; of a 6to4 address (2002::/16), whose /48 contains a whole
// IPv4 address, the /40 stays. A zone is dropped. The result is an address
// again, not a prefix, so that it fits into the same columns.
//
// A /24 can be one organisation's network and a /48 one household's, hence
// [Linked]. Text that is not an address, with a port or a prefix length for
// example, is refused with an [*OperatorError].
func TruncateIP(s string) (string, Class, error) {
	a, err := netip.ParseAddr(s)
	if err != nil { // its text quotes the address
		return "", Class{}, &OperatorError{"TruncateIP", "not an IP address: give it without port, brackets and prefix length"}
	}
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	} else if b := a.As16(); b[0] == 0x20 && b[1] == 0x02 {
		bits = 16 + 24
	}
	p, _ := a.Prefix(bits) // the lengths are in range
	return p.Addr().String(), generalised, nil
}

// DateToYear generalises a date (2024-02-29) or a time stamp of RFC 3339
// (2024-02-29T23:59:60Z) to its year, as four digits. It takes the year as
// written, in the offset of the time stamp, and does not convert to UTC. Anything
// else, days that are not in the calendar included, is refused with an
// [*OperatorError].
func DateToYear(s string) (string, Class, error) {
	if !isDateOrTime(s) {
		return "", Class{}, &OperatorError{"DateToYear", notADate}
	}
	return s[:len("2006")], generalised, nil
}

// DateToMonth is like [DateToYear] and keeps the month as well: 2024-02.
func DateToMonth(s string) (string, Class, error) {
	if !isDateOrTime(s) {
		return "", Class{}, &OperatorError{"DateToMonth", notADate}
	}
	return s[:len("2006-01")], generalised, nil
}

const notADate = "not a date: write a day of the calendar as YYYY-MM-DD, or a time stamp as in RFC 3339"

// isDateOrTime reads full-date and date-time of RFC 3339, section 5.6. Second 60
// is accepted in any minute, because leap seconds are not known in advance.
func isDateOrTime(s string) bool {
	if len(s) < 10 || !isDate(s[:10]) {
		return false
	}
	if s = s[10:]; s == "" {
		return true
	}
	if len(s) < len("T00:00:00Z") || s[0] != 'T' && s[0] != 't' && s[0] != ' ' || !isClock(s[1:6]) || s[6] != ':' ||
		!allDigits(s[7:9]) || two(s[7:]) > 60 {
		return false
	}
	if s = s[9:]; s[0] == '.' {
		n := 1
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		if n == 1 {
			return false
		}
		s = s[n:]
	}
	return s == "Z" || s == "z" || len(s) == len("+00:00") && (s[0] == '+' || s[0] == '-') && isClock(s[1:])
}

// isClock reads hh:mm.
func isClock(s string) bool {
	return len(s) == 5 && s[2] == ':' && allDigits(s[:2]) && allDigits(s[3:]) && two(s) <= 23 && two(s[3:]) <= 59
}
