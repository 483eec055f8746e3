package classify_test

import (
	"math/rand/v2"
	"strings"
)

func init() {
	makers["in-aadhaar"] = maker{context: "Aadhaar", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{2 + r.IntN(8)}, numeralsOf(r, 10)...)
		return inGroups(oneOf(r, "############", "#### #### ####", "####-####-####"), append(n, n.verhoeff()).String())
	}}

	makers["in-gstin"] = maker{context: "GSTIN", caught: 1, alone: true, make: func(r *rand.Rand) string {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		text := oneOf(r, "01", "07", "27", "33", "37", "97") + oneOf(r, "AAPFU", "ZZHTQ", "KLMPW", "BCDCE") +
			numeralsOf(r, 4).String() + string(rune('A'+r.IntN(26))) + string(alphabet[1+r.IntN(35)]) + "Z"
		sum := 0
		for i := range text {
			p := strings.IndexByte(alphabet, text[i]) * (1 + i%2)
			sum += p/36 + p%36
		}
		return text + string(alphabet[(36-sum%36)%36])
	}}

	// Eleven is prime: no wrong digit passes.
	makers["au-tfn"] = maker{context: "TFN", caught: 1, make: func(r *rand.Rand) string {
		for {
			if r.IntN(2) == 0 {
				if n := numeralsOf(r, 8); n.by(10, 7, 8, 4, 6, 3, 5, 1)%11 == 0 {
					return inGroups(oneOf(r, "########", "### ### ##"), n.String())
				}
				continue
			}
			if n := numeralsOf(r, 9); n.by(1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 {
				return inGroups(oneOf(r, "#########", "### ### ###"), n.String())
			}
		}
	}}

	// So is 89.
	makers["au-abn"] = maker{context: "ABN", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 10)...)
			if (n.by(10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0 {
				return inGroups(oneOf(r, "###########", "## ### ### ###"), n.String())
			}
		}
	}}

	// The weights 8, 6, 4 and 2 let d and d+5 pass, one of nine; the weight 5 every other digit,
	// four of nine or five: 1 - (4/9 + 4.4/9)/9 = 0.90.
	makers["au-acn"] = maker{context: "ACN", caught: 0.9, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 8)
		return inGroups(oneOf(r, "#########", "### ### ###"), append(n, (10-n.sum(8, -1)%10)%10).String())
	}}

	// The issue, the tenth digit, is not part of the sum; only 0 is refused: 1 - 8/9/10 = 0.91.
	makers["au-medicare"] = maker{context: "Medicare", caught: 0.91, make: func(r *rand.Rand) string {
		n := append(numerals{2 + r.IntN(5)}, numeralsOf(r, 7)...)
		n = append(n, n.by(1, 3, 7, 9)%10, 1+r.IntN(9))
		return inGroups(oneOf(r, "##########", "#### ##### #"), n.String())
	}}

	makers["cn-rid"] = maker{context: "身份证号码:", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n := numerals{}.read(oneOf(r, "110105", "440301", "510107", "830000") + dayOf(r, 1930, 2024))
		n = append(n, numeralsOf(r, 3)...)
		sum, power := 0, 1
		for i := len(n) - 1; i >= 0; i-- {
			power = power * 2 % 11
			sum += n[i] * power
		}
		return n.String() + string("0123456789X"[(12-sum%11)%11])
	}}

	// Without a hyphen, since with one the check digit does not count. The remainders 0 and 10 share
	// the digit 1: about one wrong digit in a hundred passes.
	makers["kr-rrn"] = maker{context: "주민등록번호", caught: 0.99, make: func(r *rand.Rand) string {
		return korean(r, 1, 11)
	}}
	makers["kr-frn"] = maker{context: "외국인등록번호", caught: 0.98, alone: true, make: func(r *rand.Rand) string {
		return inGroups("######-#######", korean(r, 5, 13))
	}}

	// Five times the ninth digit and its tens are a digit of its own for each: none passes.
	makers["kr-brn"] = maker{context: "사업자등록번호", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 8)...)
		n[4] = 1 + r.IntN(9)
		sum := n.by(1, 3, 7, 1, 3, 7, 1, 3, 5) + 5*n[8]/10
		return inGroups(oneOf(r, "##########", "###-##-#####"), append(n, (10-sum%10)%10).String())
	}}

	makers["za-id-number"] = maker{context: "identity number", caught: 1, make: func(r *rand.Rand) string {
		n := numerals{}.read(dayOf(r, 1930, 2010)[2:])
		n = append(append(n, numeralsOf(r, 4)...), r.IntN(3), 8+r.IntN(2))
		return inGroups(oneOf(r, "#############", "###### #### ###"), append(n, n.luhn()).String())
	}}

	makers["sg-nric-fin"] = maker{context: "NRIC", caught: 1, alone: true, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 7)
		sum := n.by(2, 7, 6, 5, 4, 3, 2)
		switch prefix := "STFGM"[r.IntN(5)]; prefix {
		case 'S':
			return "S" + n.String() + string("JZIHGFEDCBA"[sum%11])
		case 'T':
			return "T" + n.String() + string("JZIHGFEDCBA"[(sum+4)%11])
		case 'F':
			return "F" + n.String() + string("XWUTRQPNMLK"[sum%11])
		case 'G':
			return "G" + n.String() + string("XWUTRQPNMLK"[(sum+4)%11])
		}
		return "M" + n.String() + string("KLJNPQRTUWX"[10-(sum+3)%11])
	}}

	makers["sg-uen"] = maker{context: "UEN", caught: 1, make: func(r *rand.Rand) string {
		switch r.IntN(3) {
		case 0:
			n := numeralsOf(r, 8)
			return n.String() + string("XMKECAWLJDB"[n.by(10, 4, 9, 3, 8, 2, 7, 1)%11])
		case 1:
			n := append(numerals{}.read(dayOf(r, 1950, 2024)[:4]), numeralsOf(r, 5)...)
			return n.String() + string("ZKCMDNERGWH"[n.by(10, 8, 6, 4, 9, 7, 5, 3, 1)%11])
		}
		const alphabet = "ABCDEFGHJKLMNPQRSTUVWX0123456789"
		text := oneOf(r, "T08", "S99", "R88", "T20") + oneOf(r, "LL", "FC", "GS", "SS", "VC", "XL", "MQ") + numeralsOf(r, 4).String()
		n := numerals{}
		for i := range text {
			n = append(n, strings.IndexByte(alphabet, text[i]))
		}
		return text + string(alphabet[(n.by(4, 3, 5, 3, 10, 2, 2, 5, 7)-5)%11])
	}}

	// The third weight is the modulus itself, so of the third digit only the table of provinces
	// refuses some; the remainders 0 and 10 share the digit 1: 12/13 less a little.
	makers["th-tnin"] = maker{context: "Thai ID", caught: 0.92, make: func(r *rand.Rand) string {
		n := numerals{1 + r.IntN(8)}.read(oneOf(r, "10", "27", "38", "58", "77", "86", "96"))
		n = append(n, numeralsOf(r, 9)...)
		n = append(n, (11-n.sum(13, -1)%11)%10)
		return inGroups(oneOf(r, "#############", "#-####-#####-##-#", "# #### ##### ## #"), n.String())
	}}

	// The remainders 0 and 1 share the digit 0: about one wrong digit in forty-five
	// passes.
	makers["jp-my-number"] = maker{context: "マイナンバー", caught: 0.97, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 11)
		n = append(n, brazilian(n.by(6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)))
		return inGroups(oneOf(r, "############", "#### #### ####"), n.String())
	}}

	makers["ng-nin"] = maker{context: "NIN", caught: 1, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 10)
		return append(n, n.verhoeff()).String()
	}}

	// Numbers whose remainder would be ten are not given, so none passes.
	makers["ph-tin"] = maker{context: "TIN", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 7)...)
			if d := n.sum(9, -1) % 11; d < 10 {
				return inGroups(oneOf(r, "#########", "###-###-###"), append(n, d).String())
			}
		}
	}}
}

// korean is a registration number without hyphen: first is the digit of a man born in the last
// century, from what the check digit is counted down.
func korean(r *rand.Rand, first, from int) string {
	day := dayOf(r, 1930, 2020)
	sex := first + r.IntN(2)
	if day >= "2000" {
		sex += 2
	}
	n := append(numerals{}.read(day[2:]), sex)
	n = append(n, numeralsOf(r, 5)...)
	return append(n, (from-n.by(2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11)%10).String()
}
