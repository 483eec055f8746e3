package rt

import (
	"math"
	"unicode/utf8"
)

// Add is a + b.
func Add(a, b int64) (int64, int) {
	r := a + b
	if (a^r)&(b^r) < 0 {
		return 0, Overflow
	}
	return r, OK
}

// Sub is a - b.
func Sub(a, b int64) (int64, int) {
	r := a - b
	if (a^b)&(a^r) < 0 {
		return 0, Overflow
	}
	return r, OK
}

// Mul is a * b.
func Mul(a, b int64) (int64, int) {
	if a == 0 || b == 0 {
		return 0, OK
	}
	r := a * b
	if a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 || r/b != a {
		return 0, Overflow
	}
	return r, OK
}

// Div is a / b.
func Div(a, b int64) (int64, int) {
	switch {
	case b == 0:
		return 0, DivideByZero
	case a == math.MinInt64 && b == -1:
		return 0, Overflow
	}
	return a / b, OK
}

// Mod is a % b.
func Mod(a, b int64) (int64, int) {
	switch {
	case b == 0:
		return 0, ModulusByZero
	case a == math.MinInt64 && b == -1:
		return 0, Overflow
	}
	return a % b, OK
}

// AddU is a + b.
func AddU(a, b uint64) (uint64, int) {
	if r := a + b; r >= a {
		return r, OK
	}
	return 0, Overflow
}

// SubU is a - b.
func SubU(a, b uint64) (uint64, int) {
	if b > a {
		return 0, Overflow
	}
	return a - b, OK
}

// MulU is a * b.
func MulU(a, b uint64) (uint64, int) {
	if b != 0 && a > math.MaxUint64/b {
		return 0, Overflow
	}
	return a * b, OK
}

// DivU is a / b.
func DivU(a, b uint64) (uint64, int) {
	if b == 0 {
		return 0, DivideByZero
	}
	return a / b, OK
}

// ModU is a % b.
func ModU(a, b uint64) (uint64, int) {
	if b == 0 {
		return 0, ModulusByZero
	}
	return a % b, OK
}

// TextToBool reads a bool.
func TextToBool(s string) (bool, int) {
	switch s {
	case "1", "t", "T", "true", "TRUE", "True":
		return true, OK
	case "0", "f", "F", "false", "FALSE", "False":
		return false, OK
	}
	return false, BadConversion
}

// TextToInt reads a decimal number with or without a sign.
func TextToInt(s string) (int64, int) {
	scan(len(s))
	minus := false
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		minus = s[0] == '-'
		s = s[1:]
	}
	u, ok := decimal(s)
	switch {
	case !ok || u > 1<<63 || u == 1<<63 && !minus:
		return 0, BadConversion
	case minus:
		return int64(-u), OK
	}
	return int64(u), OK
}

// TextToUint reads a decimal number without a sign.
func TextToUint(s string) (uint64, int) {
	scan(len(s))
	u, ok := decimal(s)
	if !ok {
		return 0, BadConversion
	}
	return u, OK
}

func decimal(s string) (uint64, bool) {
	var u uint64
	for i := range len(s) {
		d := uint64(s[i] - '0')
		if d > 9 || u > (math.MaxUint64-d)/10 {
			return 0, false
		}
		u = u*10 + d
	}
	return u, len(s) > 0
}

// DoubleToInt cuts off the fraction.
func DoubleToInt(d float64) (int64, int) {
	if d > -9223372036854775808.0 && d < 9223372036854775808.0 {
		return int64(d), OK
	}
	return 0, Overflow
}

// DoubleToUint cuts off the fraction.
func DoubleToUint(d float64) (uint64, int) {
	if d >= 0 && d < 18446744073709551616.0 {
		return uint64(d), OK
	}
	return 0, Overflow
}

// IntToUint is a number as an unsigned one; the other way is the same: what has the
// highest bit does not fit.
func IntToUint(n int64) (int64, int) {
	if n < 0 {
		return 0, Overflow
	}
	return n, OK
}

// BytesToText checks that bytes are UTF-8.
func BytesToText(s string) int {
	scan(len(s))
	if !utf8.ValidString(s) {
		return BadConversion
	}
	return OK
}

// IntToText writes a number.
func IntToText(n int64) []byte {
	newText(32)
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	return digits(u, n < 0)
}

// UintToText writes a number.
func UintToText(u uint64) []byte {
	newText(32)
	return digits(u, false)
}

func digits(u uint64, minus bool) []byte {
	out := Room(20)
	if len(out) < 20 {
		return out
	}
	n := 20
	for {
		n--
		out[n] = byte('0' + u%10)
		u /= 10
		if u == 0 || n == 0 {
			break
		}
	}
	if minus && n > 0 {
		n--
		out[n] = '-'
	}
	return out[n:]
}
