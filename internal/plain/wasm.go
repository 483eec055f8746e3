//go:build wasm

package plain

// next is the place of the first character from i on that does not stay, or len(s). This
// is the one that modules have, which read single bytes; see native.go.
func next(s string, i int) int {
	for i < len(s) {
		if len(s)-i >= 8 {
			b := s[i : i+8]
			if b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7] < 0x80 ||
				leads[b[0]]|leads[b[1]]|leads[b[2]]|leads[b[3]]|leads[b[4]]|leads[b[5]]|leads[b[6]]|leads[b[7]] == 0 {
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
