// Package wide reads eight bytes of a text at once. What it has is written in the subset
// of Go that internal/subgo compiles, which makes one instruction of it.
package wide

// Load is the eight bytes of s from i on, the first of them the lowest.
func Load(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Ones times a byte is that byte eight times.
const Ones = 0x0101010101010101

// Below marks the bytes of x that are less than n, which is at most 128: the first of
// them has its highest bit set in the result, and none before it has any. There are none
// if the result is 0.
func Below(x, n uint64) uint64 { return (x - n*Ones) &^ x & (0x80 * Ones) }
