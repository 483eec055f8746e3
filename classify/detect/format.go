package detect

import (
	"crypto/sha256"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// alphabet58 is the alphabet of Bitcoin's Base58: no 0, O, I and l.
const alphabet58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// value58 is the place of a character in Base58, and -1 if it has none.
func value58(c byte) int { return strings.IndexByte(alphabet58, c) }

// Base58Check reports whether s is Base58 of a payload and the first four bytes
// of SHA-256(SHA-256(payload)), as Bitcoin addresses and keys are
// (https://en.bitcoin.it/wiki/Base58Check_encoding). Texts longer than 128
// characters are none.
func Base58Check(s string) bool {
	if len(s) < 6 || len(s) > 128 {
		return false
	}
	// buf[at:] is the number so far, big endian.
	var buf [128]byte
	at, zeros, leading := len(buf), 0, true
	for i := range len(s) {
		v := value58(s[i])
		if v < 0 {
			return false
		}
		if leading {
			if v == 0 {
				zeros++ // a leading 1 is a leading zero byte
				continue
			}
			leading = false
		}
		carry := v
		for j := len(buf) - 1; j >= at || carry > 0; j-- {
			carry += 58 * int(buf[j])
			buf[j] = byte(carry)
			carry >>= 8
			at = min(at, j)
		}
	}
	if at -= zeros; at < 0 || len(buf)-at < 5 {
		return false
	}
	payload, sum := buf[at:len(buf)-4], [4]byte(buf[len(buf)-4:])
	once := sha256.Sum256(payload)
	twice := sha256.Sum256(once[:])
	return [4]byte(twice[:4]) == sum
}

const alphabet32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// value32 is the place of a character in Bech32, and -1 if it has none.
func value32(c byte) int { return strings.IndexByte(alphabet32, c) }

// Bech32 reports whether s is valid Bech32 (BIP 173) or Bech32m (BIP 350): one
// case, a prefix, the separator 1, and a checksum over both. For the prefixes bc,
// tb and bcrt it must also be a segregated witness address: version 0 in Bech32
// with 20 or 32 bytes, later versions in Bech32m with 2 to 40 bytes.
func Bech32(s string) bool {
	if len(s) < 8 || len(s) > 90 {
		return false
	}
	var lower, upper bool
	sep := -1
	for i := range len(s) {
		c := s[i]
		if c < 33 || c > 126 {
			return false
		}
		lower = lower || c >= 'a' && c <= 'z'
		upper = upper || c >= 'A' && c <= 'Z'
		if c == '1' {
			sep = i
		}
	}
	if lower && upper || sep < 1 || sep+7 > len(s) {
		return false
	}
	fold := func(c byte) byte {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range sep {
		step(fold(s[i]) >> 5)
	}
	step(0)
	for i := range sep {
		step(fold(s[i]) & 31)
	}
	data := s[sep+1:]
	for i := range len(data) {
		v := value32(fold(data[i]))
		if v < 0 {
			return false
		}
		step(byte(v))
	}
	const bech32, bech32m = 1, 0x2bc830a3
	if sum != bech32 && sum != bech32m {
		return false
	}
	switch s[:sep] {
	case "bc", "tb", "bcrt", "BC", "TB", "BCRT":
	default:
		return true
	}
	program := data[1 : len(data)-6]
	version, size := value32(fold(data[0])), len(program)*5/8
	// What is left over after whole bytes must be less than five bits, all zero.
	spare := len(program) * 5 % 8
	if version > 16 || len(program) == 0 || spare > 4 || value32(fold(program[len(program)-1]))&(1<<spare-1) != 0 {
		return false
	}
	if version == 0 {
		return sum == bech32 && (size == 20 || size == 32)
	}
	return sum == bech32m && size >= 2 && size <= 40
}

// IP reports whether s is an IPv4 address of four decimal numbers without leading
// zeros, or an IPv6 address in one of the forms of RFC 4291, 2.2, without a zone.
func IP(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '.':
			return ipv4(s)
		case ':':
			return ipv6(s)
		}
	}
	return false
}

func ipv4(s string) bool {
	parts, value, digits := 1, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if digits == 0 || parts == 4 {
				return false
			}
			parts, value, digits = parts+1, 0, 0
		case digit(c):
			if digits > 0 && value == 0 {
				return false
			}
			digits++
			if value = value*10 + int(c-'0'); value > 255 {
				return false
			}
		default:
			return false
		}
	}
	return parts == 4 && digits > 0
}

func hex(c byte) bool { v := value36(c); return v >= 0 && v < 16 }

func ipv6(s string) bool {
	groups, gap := 0, false
	for i := 0; ; {
		if i == len(s) {
			break
		}
		if s[i] == ':' {
			// Two colons stand for one group of zeros or more, once.
			if i+1 >= len(s) || s[i+1] != ':' || gap || i > 0 && s[i-1] == ':' {
				return false
			}
			gap = true
			i += 2
			continue
		}
		start := i
		for i < len(s) && hex(s[i]) {
			i++
		}
		if i < len(s) && s[i] == '.' {
			groups += 2
			return (groups == 8 || gap && groups < 8) && ipv4(s[start:])
		}
		if i == start || i-start > 4 {
			return false
		}
		groups++
		if i < len(s) {
			if s[i] != ':' {
				return false
			}
			if i+1 == len(s) {
				return false
			}
			if s[i+1] != ':' {
				i++
			}
		}
	}
	return groups == 8 && !gap || gap && groups < 8
}

// CIDR reports whether s is an IP address, a slash and a prefix length without
// leading zeros: 0 to 32 for IPv4, 0 to 128 for IPv6 (RFC 4632, RFC 4291, 2.3).
func CIDR(s string) bool {
	for i := range len(s) {
		if s[i] != '/' {
			continue
		}
		bits := s[i+1:]
		if len(bits) > 3 || !allDigits(bits) || bits[0] == '0' && len(bits) > 1 {
			return false
		}
		n := 0
		for j := range len(bits) {
			n = n*10 + int(bits[j]-'0')
		}
		return ipv4(s[:i]) && n <= 32 || ipv6(s[:i]) && n <= 128
	}
	return false
}

// Domain reports whether s is a domain name of two labels or more below a
// top-level domain of the root zone or a name for special or private use, such as
// test, local and internal: labels of letters, digits and inner
// hyphens, 63 bytes at most, 253 in all (RFC 1123, 2.1). Letters outside ASCII
// may stand in labels, as people write internationalised names; a top level
// outside ASCII is taken as known when it consists of letters.
func Domain(s string) bool {
	if len(s) > 253 {
		return false
	}
	start, labels := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			continue
		}
		if !label(s[start:i]) {
			return false
		}
		labels++
		if i < len(s) {
			start = i + 1
		}
	}
	return labels > 1 && top(s[start:])
}

func label(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, r := range s {
		if r < utf8.RuneSelf {
			if value36(byte(r)) < 0 && r != '-' {
				return false
			}
		} else if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

func top(s string) bool {
	var lower [63]byte
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			for _, r := range s {
				if !unicode.IsLetter(r) && !unicode.IsMark(r) {
					return false
				}
			}
			return true
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return knownTop(string(lower[:len(s)]))
}

// UUID reports whether s is a UUID in the form of RFC 9562, section 4: hex digits
// in groups of 8, 4, 4, 4 and 12 with hyphens between, in either case and, as
// Windows writes it, possibly in braces. The nil UUID, all zeros, and the max
// UUID, all f, identify nothing and are none.
func UUID(s string) bool {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) != 36 {
		return false
	}
	zeros, effs := true, true
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
			continue
		}
		if !hex(s[i]) {
			return false
		}
		zeros = zeros && s[i] == '0'
		effs = effs && s[i]|0x20 == 'f'
	}
	return !zeros && !effs
}

// ULID reports whether s is a ULID: 26 characters of Crockford's Base32 in either
// case, the first at most 7 so that it fits 128 bits
// (https://github.com/ulid/spec).
func ULID(s string) bool {
	if len(s) != 26 || s[0] > '7' {
		return false
	}
	for i := range len(s) {
		switch c := s[i] &^ 0x20; {
		case digit(s[i]):
		case c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U':
		default:
			return false
		}
	}
	return true
}

// Entropy is the Shannon entropy of the bytes of s in bits a byte: 0 for a text of
// one repeated byte or none, 8 at most (C. E. Shannon, 1948). It is the same to the last
// bit on every platform.
func Entropy(s string) float64 {
	if s == "" {
		return 0
	}
	var counts [256]int32
	for i := range len(s) {
		counts[s[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 1 {
			sum += float64(float64(n) * log2(int(n)))
		}
	}
	return min(max(log2(len(s))-sum/float64(len(s)), 0), 8)
}

// log2 is the binary logarithm of a positive number. It is 2/ln 2 · artanh((m-1)/(m+1))
// for the part m between √½ and √2, by the Taylor series. Products are rounded before they
// are added, because platforms that do both at once would come to other bits.
func log2(n int) float64 {
	exponent := 0
	m := float64(n)
	for m > math.Sqrt2 {
		m /= 2
		exponent++
	}
	y := (m - 1) / (m + 1)
	square, sum := float64(y*y), 0.0
	for _, term := range artanh {
		sum = float64(sum*square) + term
	}
	return float64(exponent) + float64(float64(y*sum)*(2/math.Ln2))
}

// artanh has the coefficients of y^21 to y^1.
var artanh = [...]float64{1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1}
