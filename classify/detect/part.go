package detect

import "hash/crc32"

// Alone reports whether what stands directly before and after a match leaves it a
// thing of its own: not the rest of a longer number, decimal, version, UUID or other
// group of letters and digits with digits in it that a hyphen or a full stop joins to
// it. A full stop or hyphen before a blank, a word or the end joins nothing.
func Alone(before, after string) bool {
	if n := len(before); n > 0 {
		switch c := before[n-1]; {
		case value36(c) >= 0:
			return false
		case c == '-' || c == '.':
			for i := n - 2; i >= 0 && value36(before[i]) >= 0; i-- {
				if digit(before[i]) {
					return false
				}
			}
		}
	}
	if after != "" {
		switch c := after[0]; {
		case value36(c) >= 0:
			return false
		case c == '-' || c == '.':
			for i := 1; i < len(after) && value36(after[i]) >= 0; i++ {
				if digit(after[i]) {
					return false
				}
			}
		}
	}
	return true
}

// alphabet62 is the order of digits in the checksums of GitHub's tokens.
const alphabet62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// CRC62 reports whether the last six characters of s are the CRC-32 (IEEE 802.3) of
// those before in base 62, digits before capital before small letters, as in GitHub's
// tokens (https://github.blog/engineering/behind-githubs-new-authentication-token-formats/).
func CRC62(s string) bool {
	n := len(s) - 6
	if n < 1 {
		return false
	}
	sum := checksum(s[:n])
	for i := len(s) - 1; i >= n; i-- {
		if s[i] != alphabet62[sum%62] {
			return false
		}
		sum /= 62
	}
	return sum == 0
}

// CRCHex reports whether the last eight characters of s are the CRC-32 (IEEE 802.3)
// of those before in hexadecimal, in either case.
func CRCHex(s string) bool {
	n := len(s) - 8
	if n < 1 {
		return false
	}
	sum := checksum(s[:n])
	for i := len(s) - 1; i >= n; i-- {
		if v := value36(s[i]); v < 0 || v != int(sum&15) {
			return false
		}
		sum >>= 4
	}
	return true
}

// checksum is CRC-32 without turning the text into bytes.
func checksum(s string) uint32 {
	sum := ^uint32(0)
	for i := range len(s) {
		sum = crc32.IEEETable[byte(sum)^s[i]] ^ sum>>8
	}
	return ^sum
}

// YYMMDD reports whether s is six digits that name a day of some century: 29 February
// in every fourth year.
func YYMMDD(s string) bool {
	if len(s) != 6 || !allDigits(s) {
		return false
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	year, month, day := two(0), two(2), two(4)
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	last := [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month]
	if month == 2 && year%4 == 0 {
		last = 29
	}
	return day <= last
}
