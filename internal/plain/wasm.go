//go:build wasm

package plain

import "github.com/privetdev/privet/internal/wide"

// next is the place of the first character from i on that does not stay, or len(s). This
// is the one that modules have; see native.go.
func next(s string, i int) int {
	for i < len(s) {
		if len(s)-i >= 8 {
			if wide.Load(s, i)&(0x80*wide.Ones) == 0 {
				i += 8
				continue
			}
			b := s[i : i+8]
			if leads[b[0]]|leads[b[1]]|leads[b[2]]|leads[b[3]]|leads[b[4]]|leads[b[5]]|leads[b[6]]|leads[b[7]] == 0 {
				i += 8
				continue
			}
		}
		for end := min(i+8, len(s)); i < end; {
			becomes, size := find(s, i)
			if becomes != stays {
				return i
			}
			i += size
		}
	}
	return i
}
