package detect

// Phone reports whether s has the digits of a telephone number: seven to fifteen, and
// behind a + or 0 unless a region is given (ITU-T E.164).
func Phone(s, region string) bool {
	n := 0
	for i := range len(s) {
		if digit(s[i]) {
			n++
		}
	}
	return n >= 7 && n <= 15 && (region != "" || s[0] == '+' || s[0] == '0')
}
