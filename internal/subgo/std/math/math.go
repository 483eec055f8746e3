// Package math is what the subset has of the standard library's math. Functions that
// are one instruction are the compiler's; native.go has them for tests.
package math

// Constants of the standard library under the same names.
const (
	MaxInt8   = 1<<7 - 1
	MinInt8   = -1 << 7
	MaxInt16  = 1<<15 - 1
	MinInt16  = -1 << 15
	MaxInt32  = 1<<31 - 1
	MinInt32  = -1 << 31
	MaxInt64  = 1<<63 - 1
	MinInt64  = -1 << 63
	MaxUint8  = 1<<8 - 1
	MaxUint16 = 1<<16 - 1
	MaxUint32 = 1<<32 - 1
	MaxUint64 = 1<<64 - 1

	Ln2        = 0.693147180559945309417232121458176568075500134360255254120680009
	Sqrt2      = 1.41421356237309504880168872420969807856967187537694807317667974
	MaxFloat64 = 0x1p1023 * (1 + (1 - 0x1p-52))
)

// IsNaN is [math.IsNaN].
func IsNaN(f float64) bool { return f != f }

// Inf is [math.Inf].
func Inf(sign int) float64 {
	if sign >= 0 {
		return Float64frombits(0x7FF0000000000000)
	}
	return Float64frombits(0xFFF0000000000000)
}

// NaN is [math.NaN].
func NaN() float64 { return Float64frombits(0x7FF8000000000001) }

// IsInf is [math.IsInf].
func IsInf(f float64, sign int) bool {
	return sign >= 0 && f > MaxFloat64 || sign <= 0 && f < -MaxFloat64
}
