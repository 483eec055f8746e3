package classify_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

const digitsAndLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// faces are the values of characters: digits as they are, A is 10 to Z is 35.
func faces(text string) numerals {
	var n numerals
	for _, c := range text {
		n = append(n, strings.IndexRune(digitsAndLetters, c))
	}
	return n
}

// charsOf makes n characters of an alphabet.
func charsOf(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// cross is the sum of the digits of products.
func (n numerals) cross(weights ...int) int {
	s := 0
	for i, d := range n {
		p := d * weights[i%len(weights)]
		s += p/10 + p%10
	}
	return s
}

// mod1110 is the check digit of ISO 7064 MOD 11,10.
func (n numerals) mod1110() int {
	p := 10
	for _, d := range n {
		if p = (p + d) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (11 - p) % 10
}

// rest divides the number.
func (n numerals) rest(by int) int {
	s := 0
	for _, d := range n {
		s = (s*10 + d) % by
	}
	return s
}

// place is the place of a letter in the alphabet, in two digits.
func place(letter byte) string { return fmt.Sprintf("%02d", letter-'A'+1) }

// germanDocument is the serial number of a passport or card and its check digit. Half of them are
// of nine characters with the last for the check digit, as some programs have it.
func germanDocument(r *rand.Rand, first string) string {
	const alphabet = "CFGHJKLMNPRTVWXYZ0123456789"
	for {
		text := charsOf(r, first, 1) + charsOf(r, alphabet, 7+r.IntN(2))
		if strings.ContainsAny(text, "0123456789") {
			return text + strconv.Itoa(faces(text).by(7, 3, 1)%10)
		}
	}
}

func init() {
	// Eleven is prime, and each of the weights 10 to 1 is less: no wrong digit passes.
	makers["uk-nhs"] = maker{context: "NHS number", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{4 + r.IntN(4)}, numeralsOf(r, 8)...)
			if d := (11 - n.sum(10, -1)%11) % 11; d < 10 {
				return inGroups(oneOf(r, "##########", "### ### ####", "###-###-####"), append(n, d).String())
			}
		}
	}}

	// Four of eleven remainders share a check digit, 1 or 2, with one of the ten others: of a wrong
	// digit behind the first 4/11/10 passes, in nine of ten places: 1 - 0.033.
	makers["uk-utr"] = maker{context: "UTR", caught: 0.96, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 9)
		d := 11 - n.by(6, 7, 8, 9, 10, 5, 4, 3, 2)%11
		if d > 9 {
			d -= 9 // 10 is 1, and 11 is 2
		}
		return inGroups(oneOf(r, "##########", "##### #####"), append(numerals{d}, n...).String()) + oneOf(r, "", "K")
	}}

	// So is 23.
	makers["ie-pps"] = maker{context: "PPSN", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 7)
		sum, second := n.sum(8, -1), oneOf(r, "", "A", "B", "H", "I", "W")
		if second != "" && second != "W" {
			sum += 9 * int(second[0]-'A'+1)
		}
		return n.String() + string("WABCDEFGHIJKLMNOPQRSTUV"[sum%23]) + second
	}}

	makers["de-tax-id"] = maker{context: "Steuer-ID", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 9)...)
			count := map[int]int{}
			for _, d := range n {
				count[d]++
			}
			// One digit twice or three times, the others once or not at all.
			twice, most := 0, 0
			for _, c := range count {
				most = max(most, c)
				if c > 1 {
					twice++
				}
			}
			if twice == 1 && most <= 3 {
				return inGroups(oneOf(r, "###########", "## ### ### ###"), append(n, n.mod1110()).String())
			}
		}
	}}

	makers["de-vat-id"] = maker{context: "USt-IdNr.", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 7)...)
		return inGroups(oneOf(r, "DE#########", "DE #########", "DE ### ### ###"), append(n, n.mod1110()).String())
	}}

	// The cross sums of once and twice a digit are different for all digits.
	makers["de-health-insurance"] = maker{context: "KVNR", caught: 1, make: func(r *rand.Rand) string {
		letter, n := charsOf(r, digitsAndLetters[10:], 1), numeralsOf(r, 8)
		return letter + append(n, numerals{}.read(place(letter[0])+n.String()).cross(1, 2)%10).String()
	}}

	// Seven times 0 and 4, and 3 and 7, have cross sums that end alike; but that is the weight of the
	// month's first digit, which is 0 or 1: no wrong digit passes.
	makers["de-social-security"] = maker{context: "Rentenversicherungsnummer", caught: 1, alone: true, make: func(r *rand.Rand) string {
		day, letter, serial := dayOf(r, 1930, 2008), charsOf(r, digitsAndLetters[10:], 1), numeralsOf(r, 2).String()
		d := int(day[6]-'0')*10 + int(day[7]-'0') + oneOf(r, 0, 0, 0, 50)
		front := oneOf(r, "02", "04", "09", "13", "26", "29", "38", "39", "40", "53", "57", "69", "80", "89") + fmt.Sprintf("%02d", d) + day[4:6] + day[2:4]
		sum := numerals{}.read(front+place(letter[0])+serial).cross(2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
		return inGroups(oneOf(r, "############", "## ###### # ###", "## ###### # ## #"), front+letter+serial+strconv.Itoa(sum%10))
	}}

	// The weight 4 lets d and d+5 pass, one of nine, in three of nine places; the last two digits are
	// not part of the sum: (3*8/9 + 4)/9 = 0.74.
	makers["de-lanr"] = maker{context: "LANR", caught: 0.74, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 6)
		return append(append(n, (10-n.by(4, 9)%10)%10), 1+r.IntN(6), r.IntN(10)).String()
	}}

	// 7, 3 and 1 have no factor in common with 10.
	makers["de-passport"] = maker{context: "Reisepass", caught: 1, make: func(r *rand.Rand) string { return germanDocument(r, "CFGHJK") }}
	makers["de-id-card"] = maker{context: "Personalausweis", caught: 1, make: func(r *rand.Rand) string { return germanDocument(r, "LMNPRTVWXYZ") }}

	// The last character, a digit here, is not part of the sum, and of the others three to nine are
	// digits: 0.84 of all wrong ones are caught.
	makers["de-fuehrerschein"] = maker{context: "Führerscheinnummer", caught: 0.84, make: func(r *rand.Rand) string {
		text := charsOf(r, "ABCDEFGHIJKLMNOP", 1) + numeralsOf(r, 3).String() + charsOf(r, digitsAndLetters, 5)
		return text + string("0123456789X"[faces(text).sum(9, -1)%11]) + strconv.Itoa(r.IntN(10))
	}}

	// Eleven is prime, and numbers with the remainder 10 are not given out.
	makers["at-svnr"] = maker{context: "SVNR", caught: 1, make: func(r *rand.Rand) string {
		for {
			day := dayOf(r, 1930, 2020)
			day = day[6:] + day[4:6] + day[2:4]
			serial := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 2)...)
			if d := (serial.by(3, 7, 9) + numerals{}.read(day).by(5, 8, 4, 2, 1, 6)) % 11; d < 10 {
				return inGroups(oneOf(r, "##########", "#### ######"), append(serial, d).String()+day)
			}
		}
	}}

	makers["ch-ahv"] = maker{context: "AHV", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n := append(numerals{7, 5, 6}, numeralsOf(r, 9)...)
		return inGroups(oneOf(r, "#############", "###.####.####.##"), append(n, (10-n.by(1, 3)%10)%10).String())
	}}

	// 97 is prime, and a digit is less. In groups, since fifteen digits in a row need a word.
	makers["fr-nir"] = maker{context: "numéro de sécurité sociale", caught: 1, alone: true, make: func(r *rand.Rand) string {
		front := oneOf(r, "1", "2") + dayOf(r, 1930, 2020)[2:6]
		behind := oneOf(r, "75", "01", "13", "2A", "2B", "59", "99") + fmt.Sprintf("%03d%03d", 1+r.IntN(900), 1+r.IntN(999))
		text := front + behind
		n := numerals{}.read(strings.NewReplacer("2A", "19", "2B", "18").Replace(behind))
		return inGroups("# ## ## ## ### ### ##", text+fmt.Sprintf("%02d", 97-append(numerals{}.read(front), n...).rest(97)))
	}}

	// 511 is 7 times 73, and 73 does not divide what a wrong digit adds, 1 to 9 times a power of ten.
	makers["fr-spi"] = maker{context: "numéro fiscal", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{r.IntN(4)}, numeralsOf(r, 9)...)
		return inGroups(oneOf(r, "#############", "## ## ### ### ###"), n.String()+fmt.Sprintf("%03d", n.rest(511)))
	}}

	// A wrong number of one century may be right in the other: one in 97, less those whose day does
	// not exist. In groups, since eleven digits in a row need a word.
	makers["be-nrn"] = maker{context: "rijksregisternummer", caught: 0.99, alone: true, make: func(r *rand.Rand) string {
		day := dayOf(r, 1930, 2020)
		n := numerals{}.read(day[2:] + fmt.Sprintf("%03d", 1+r.IntN(998)))
		key := 97 - n.rest(97)
		if day >= "2000" {
			key = 97 - append(numerals{2}, n...).rest(97)
		}
		return inGroups(oneOf(r, "##.##.##-###.##", "## ## ## ### ##"), n.String()+fmt.Sprintf("%02d", key))
	}}

	makers["nl-bsn"] = maker{context: "BSN", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{r.IntN(4)}, numeralsOf(r, 7)...)
			n[1] = 1 + r.IntN(9)
			if d := n.sum(9, -1) % 11; d < 10 {
				return inGroups(oneOf(r, "#########", "####.##.###"), append(n, d).String())
			}
		}
	}}

	makers["lu-nin"] = maker{context: "matricule", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{}.read(dayOf(r, 1900, 2024)), numeralsOf(r, 3)...)
		return inGroups(oneOf(r, "#############", "#### #### ### ##", "######## #####"), append(n[:11:11], n.luhn(), n.verhoeff()).String())
	}}

	// So is 23, and the first letter of a NIE is part of the number.
	makers["es-nif"] = maker{context: "DNI", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n, prefix := numeralsOf(r, 8), ""
		if r.IntN(4) == 0 {
			n, prefix = n[:7], oneOf(r, "K", "L", "M")
		}
		return prefix + n.String() + oneOf(r, "", "-", " ") + string("TRWAGMYFPDXBNJZSQVHLCKE"[n.rest(23)])
	}}
	makers["es-nie"] = maker{context: "NIE", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n := append(numerals{r.IntN(3)}, numeralsOf(r, 7)...)
		joint := oneOf(r, "", "-")
		return string("XYZ"[n[0]]) + joint + n[1:].String() + joint + string("TRWAGMYFPDXBNJZSQVHLCKE"[n.rest(23)])
	}}

	// 97 is prime; but a serial that begins with 0, or comes to by the wrong digit, is right by either
	// of two sums, so one in 97 of those may pass.
	makers["es-nuss"] = maker{context: "NUSS", caught: 0.998, make: func(r *rand.Rand) string {
		province, serial := numerals{}.read(oneOf(r, "01", "08", "28", "41", "46", "50", "52")), numeralsOf(r, 8)
		counted := serial
		if serial[0] == 0 {
			counted = serial[1:]
		}
		key := append(province[:2:2], counted...).rest(97)
		return inGroups(oneOf(r, "############", "##/########/##", "## ######## ##"), province.String()+serial.String()+fmt.Sprintf("%02d", key))
	}}

	// The remainders 0 and 1 share the digit 0: 2/11/10 of the wrong digits pass, 1 - 0.018.
	makers["pt-nif"] = maker{context: "NIF", caught: 0.98, make: func(r *rand.Rand) string {
		n := append(numerals{oneOf(r, 1, 2, 3, 5, 6, 8, 9)}, numeralsOf(r, 7)...)
		d := 11 - n.sum(9, -1)%11
		if d > 9 {
			d = 0
		}
		return inGroups(oneOf(r, "#########", "### ### ###"), append(n, d).String())
	}}

	// Ten digits have ten values in odd places and ten in even ones.
	makers["it-fiscal-code"] = maker{context: "codice fiscale", caught: 1, alone: true, make: func(r *rand.Rand) string {
		odd := map[rune]int{}
		for i, v := range []int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21} {
			odd[rune('0'+i)], odd[rune('A'+i)] = v, v
		}
		for i, v := range []int{2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23} {
			odd[rune('K'+i)] = v
		}
		day := 1 + r.IntN(28) + oneOf(r, 0, 40)
		text := []rune(charsOf(r, "BCDFGLMNPRSTVZ", 6) + numeralsOf(r, 2).String() + charsOf(r, "ABCDEHLMPRST", 1) +
			fmt.Sprintf("%02d", day) + charsOf(r, "ABCDEFGHILMZ", 1) + numeralsOf(r, 3).String())
		if r.IntN(3) == 0 {
			for _, i := range []int{14, 13, 12, 10, 9, 7}[:1+r.IntN(6)] {
				text[i] = rune("LMNPQRSTUV"[text[i]-'0'])
			}
		}
		sum := 0
		for i, c := range text {
			switch {
			case i%2 == 0: // the first place is odd
				sum += odd[c]
			case c >= 'A':
				sum += int(c - 'A')
			default:
				sum += int(c - '0')
			}
		}
		return inGroups(oneOf(r, "################", "### ### ##### #### #"), string(text)+string(rune('A'+sum%26)))
	}}

	makers["it-vat-code"] = maker{context: "partita IVA", caught: 1, make: func(r *rand.Rand) string {
		n := append(numeralsOf(r, 7), numerals{}.read(oneOf(r, "001", "015", "058", "100", "120"))...)
		return oneOf(r, "", "IT", "IT ") + append(n, n.luhn()).String()
	}}
}
