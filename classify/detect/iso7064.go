package detect

// The check systems of ISO/IEC 7064 over letters and alphanumeric texts. Letters may
// be of either case. All catch every wrong single character.

// Mod37 reports whether s is digits and letters that end in the check character of
// MOD 37-2, where * stands for 36, as in the donation identification number of
// ISBT 128.
func Mod37(s string) bool {
	if len(s) < 2 {
		return false
	}
	rest := 0
	for i := range len(s) {
		v := value36(s[i])
		if v < 0 && s[i] == '*' && i == len(s)-1 {
			v = 36
		}
		if v < 0 {
			return false
		}
		rest = (rest*2 + v) % 37
	}
	return rest == 1
}

// Mod661 reports whether s is letters, of which the last two are the check
// characters of MOD 661-26.
func Mod661(s string) bool { return pure(s, 661, 26, value26) }

// Mod1271 reports whether s is digits and letters, of which the last two are the
// check characters of MOD 1271-36.
func Mod1271(s string) bool { return pure(s, 1271, 36, value36) }

// pure is a system with two check characters of the same alphabet.
func pure(s string, modulus, radix int, value func(byte) int) bool {
	if len(s) < 3 {
		return false
	}
	rest := 0
	for i := range len(s) {
		v := value(s[i])
		if v < 0 {
			return false
		}
		rest = (rest*radix + v) % modulus
	}
	return rest == 1
}

// Mod2726 reports whether s is letters that end in the check letter of MOD 27,26.
func Mod2726(s string) bool { return hybrid(s, 26, value26) }

// Mod3736 reports whether s is digits and letters that end in the check character of
// MOD 37,36.
func Mod3736(s string) bool { return hybrid(s, 36, value36) }

// hybrid is a system modulo n+1 and n over an alphabet of n characters.
func hybrid(s string, n int, value func(byte) int) bool {
	if len(s) < 2 {
		return false
	}
	p := n
	for i := range len(s) - 1 {
		v := value(s[i])
		if v < 0 {
			return false
		}
		if p = (p + v) % n; p == 0 {
			p = n
		}
		p = p * 2 % (n + 1)
	}
	last := value(s[len(s)-1])
	return last >= 0 && (p+last)%n == 1
}

// value26 is 0 to 25 for a letter of either case, and -1 otherwise.
func value26(c byte) int {
	if c |= 0x20; c >= 'a' && c <= 'z' {
		return int(c - 'a')
	}
	return -1
}
