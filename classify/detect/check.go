// Package detect holds the checks that tell a number or a code from something
// that only looks like one: check digits, formats, calendar days, entropy.
//
// Each function takes a text and says whether it is a whole and valid one. None
// allocates, none keeps its input, and all are safe for concurrent use. Unless a
// function says otherwise, separators are not skipped: take them out before.
package detect

// Luhn reports whether s is two digits or more that end in the check digit of
// ISO/IEC 7812-1, annex B: from the right every second digit is doubled, and the
// sum of all digits is a multiple of ten. It catches every wrong single digit.
func Luhn(s string) bool {
	if len(s) < 2 {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if i&1 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// Mod97 reports whether s, with letters A to Z standing for 10 to 35, is a number
// that leaves 1 when divided by 97 (ISO/IEC 7064, MOD 97-10). Letters may be of
// either case. s has three characters at least.
func Mod97(s string) bool {
	if len(s) < 3 {
		return false
	}
	rest, ok := rem97(0, s)
	return ok && rest == 1
}

// rem97 goes on dividing by 97 after rest.
func rem97(rest int, s string) (int, bool) {
	for i := range len(s) {
		v := value36(s[i])
		switch {
		case v < 0:
			return 0, false
		case v < 10:
			rest = (rest*10 + v) % 97
		default:
			rest = (rest*100 + v) % 97
		}
	}
	return rest, true
}

// value36 is 0 to 35 for a digit or a letter of either case, and -1 otherwise.
func value36(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	}
	return -1
}

// ibanLengths are the lengths of an IBAN by country: SWIFT, IBAN Registry
// (https://www.swift.com/standards/data-standards/iban), release of 2024.
const ibanLengths = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"

// IBANLength is how many characters an IBAN of a country has, and 0 if the
// country, two letters in either case, has none.
func IBANLength(country string) int {
	if len(country) != 2 {
		return 0
	}
	return ibanLength(country[0], country[1])
}

// IBAN reports whether s is an international bank account number (ISO 13616-1):
// a country that has them, the country's length, and check digits that leave 1
// modulo 97 when the first four characters are moved to the end. Letters may be
// of either case; single blanks and hyphens between characters are skipped.
func IBAN(s string) bool {
	var buf [34]byte
	n := 0
	for i := range len(s) {
		if c := s[i]; c == ' ' || c == '-' {
			if i == 0 || i == len(s)-1 || s[i-1] == ' ' || s[i-1] == '-' {
				return false
			}
			continue
		}
		if n == len(buf) {
			return false
		}
		buf[n] = s[i]
		n++
	}
	if n < 15 {
		return false
	}
	// The length is that of the country, the check digits are digits from 02 to 98.
	if want := ibanLength(buf[0], buf[1]); want != n || !digit(buf[2]) || !digit(buf[3]) {
		return false
	}
	if c := int(buf[2]-'0')*10 + int(buf[3]-'0'); c < 2 || c > 98 {
		return false
	}
	rest := 0
	for i := range n {
		v := value36(buf[(i+4)%n])
		switch {
		case v < 0:
			return false
		case v < 10:
			rest = (rest*10 + v) % 97
		default:
			rest = (rest*100 + v) % 97
		}
	}
	return rest == 1
}

func ibanLength(a, b byte) int {
	if value36(a) < 10 || value36(b) < 10 {
		return 0
	}
	a, b = a&^0x20, b&^0x20
	for i := 0; i < len(ibanLengths); i += 5 {
		if ibanLengths[i] == a && ibanLengths[i+1] == b {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

// Mod11 reports whether s is digits that end in the check character of
// ISO/IEC 7064, MOD 11-2, where X stands for ten, as in ISNI and the Chinese
// resident identity number. It catches every wrong single digit and every
// exchange of two neighbours.
func Mod11(s string) bool {
	if len(s) < 2 || !allDigits(s[:len(s)-1]) {
		return false
	}
	rest := 0
	for i := range len(s) - 1 {
		rest = (rest + int(s[i]-'0')) * 2 % 11
	}
	switch c := s[len(s)-1]; {
	case digit(c):
		rest += int(c - '0')
	case c == 'X' || c == 'x':
		rest += 10
	default:
		return false
	}
	return rest%11 == 1
}

// Mod1110 reports whether s is digits that end in the check digit of
// ISO/IEC 7064, MOD 11,10, as in the German tax identification number and the
// Croatian OIB.
func Mod1110(s string) bool {
	if len(s) < 2 || !allDigits(s) {
		return false
	}
	p := 10
	for i := range len(s) - 1 {
		if p = (p + int(s[i]-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (p+int(s[len(s)-1]-'0'))%10 == 1
}

// The tables of J. Verhoeff, Error Detecting Decimal Codes (1969): products in
// the dihedral group of ten elements, and the permutation by place.
var (
	dihedral = [10][10]uint8{
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5}, {2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
		{3, 4, 0, 1, 2, 8, 9, 5, 6, 7}, {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
		{6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3}, {8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
		{9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
	}
	places = [8][10]uint8{
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}, {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
		{8, 9, 1, 6, 0, 4, 3, 5, 2, 7}, {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
		{2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
	}
	// quasigroup is the totally anti-symmetric one of order ten of H. M. Damm,
	// Total anti-symmetrische Quasigruppen (2004).
	quasigroup = [10][10]uint8{
		{0, 3, 1, 7, 5, 9, 8, 6, 4, 2}, {7, 0, 9, 2, 1, 5, 4, 8, 6, 3}, {4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
		{1, 7, 5, 0, 9, 8, 3, 4, 2, 6}, {6, 1, 2, 3, 0, 4, 5, 9, 7, 8}, {3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
		{5, 8, 6, 9, 7, 2, 0, 1, 3, 4}, {8, 9, 4, 5, 3, 6, 2, 0, 1, 7}, {9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
		{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
	}
)

// Verhoeff reports whether s is two digits or more that end in Verhoeff's check
// digit. It catches every wrong single digit and every exchange of neighbours.
func Verhoeff(s string) bool {
	if len(s) < 2 || !allDigits(s) {
		return false
	}
	var c uint8
	for i := range len(s) {
		c = dihedral[c][places[i&7][s[len(s)-1-i]-'0']]
	}
	return c == 0
}

// Damm reports whether s is two digits or more that end in Damm's check digit.
// It catches every wrong single digit and every exchange of neighbours.
func Damm(s string) bool {
	if len(s) < 2 || !allDigits(s) {
		return false
	}
	var c uint8
	for i := range len(s) {
		c = quasigroup[c][s[i]-'0']
	}
	return c == 0
}

// ISIN reports whether s is an international securities identification number
// (ISO 6166): two letters, nine letters or digits and a digit, with the Luhn sum
// over the text in which every letter is written as two digits, A as 10 to Z as
// 35. Letters may be of either case.
func ISIN(s string) bool {
	if len(s) != 12 || !digit(s[11]) || value36(s[0]) < 10 || value36(s[1]) < 10 {
		return false
	}
	sum, double := 0, false
	add := func(d int) {
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	for i := 11; i >= 0; i-- {
		v := value36(s[i])
		if v < 0 {
			return false
		}
		add(v % 10)
		if v > 9 {
			add(v / 10)
		}
	}
	return sum%10 == 0
}

// ICAO reports whether s ends in the check digit of machine readable travel
// documents (ICAO Doc 9303, part 3, 4.9): weights 7, 3, 1 repeating, letters of
// either case stand for 10 to 35, the filler < for zero.
func ICAO(s string) bool {
	if len(s) < 2 || !digit(s[len(s)-1]) {
		return false
	}
	weights := [3]int{7, 3, 1}
	sum := 0
	for i := range len(s) - 1 {
		v := 0
		if s[i] != '<' {
			if v = value36(s[i]); v < 0 {
				return false
			}
		}
		sum += v * weights[i%3]
	}
	return sum%10 == int(s[len(s)-1]-'0')
}

// YMD reports whether s is eight digits YYYYMMDD that name a day of the Gregorian
// calendar, from the year 0001 on.
func YMD(s string) bool {
	if len(s) != 8 || !allDigits(s) {
		return false
	}
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	year, month, day := n/10000, n/100%100, n%100
	if year == 0 || month < 1 || month > 12 || day < 1 {
		return false
	}
	last := [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		last = 29
	}
	return day <= last
}
