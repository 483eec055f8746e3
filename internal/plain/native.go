//go:build !wasm

package plain

import "math/bits"

// next is the place of the first character from i on that does not stay, or len(s).
//
// It needs not know where characters begin: the first byte of one never stands inside
// another, so whatever looks like a character of the table is one.
func next(s string, i int) int {
	const high = 0x8080808080808080
	for {
		for len(s)-i >= 32 {
			if (load(s, i)|load(s, i+8)|load(s, i+16)|load(s, i+24))&high != 0 {
				break
			}
			i += 32
		}
		for len(s)-i >= 8 {
			if w := load(s, i); w&high != 0 {
				// No ASCII: is there a byte that begins a character of the table?
				m := leads[byte(w)] | leads[byte(w>>8)]<<1 | leads[byte(w>>16)]<<2 | leads[byte(w>>24)]<<3 |
					leads[byte(w>>32)]<<4 | leads[byte(w>>40)]<<5 | leads[byte(w>>48)]<<6 | leads[byte(w>>56)]<<7
				if m != 0 {
					i += bits.TrailingZeros8(m)
					break
				}
			}
			i += 8
		}
		// Characters of scripts that share first bytes with the table come in rows,
		// with a blank now and then.
		for others := 0; ; {
			if i == len(s) {
				return i
			}
			c := s[i]
			if leads[c] == 0 {
				if others++; others > 2 && len(s)-i >= 8 {
					break
				}
				i++
				continue
			}
			others = 0
			// The usual answers without a call: nothing there changes.
			if c < 0xE0 {
				if len(s)-i >= 2 && s[i+1]&0xC0 == 0x80 && masks[index[c&0x1F]]>>(s[i+1]&0x3F)&1 == 0 {
					i += 2
					continue
				}
			} else if c < 0xF0 {
				if len(s)-i >= 3 && s[i+1]&0xC0 == 0x80 && s[i+2]&0xC0 == 0x80 && masks[index[int(c&0xF)<<6|int(s[i+1]&0x3F)]]>>(s[i+2]&0x3F)&1 == 0 {
					i += 3
					continue
				}
			}
			becomes, size := find(s, i)
			if becomes != stays {
				return i
			}
			i += size
		}
	}
}

// load is eight bytes of s from i on, the first one lowest.
func load(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
