package classify_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

func init() {
	// The remainders 0 and 10 share the digit 0: about one wrong digit in fifty passes.
	makers["ua-rnokpp"] = maker{context: "РНОКПП", caught: 0.98, make: func(r *rand.Rand) string {
		n := numerals{}.read(padded(5000+r.IntN(45000), 5))
		n = append(n, numeralsOf(r, 4)...)
		return append(n, (n.by(-1, 5, 7, 9, 4, 6, 10, 5, 7)+11)%11%10).String()
	}}

	makers["il-id"] = maker{context: "תעודת זהות", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{r.IntN(4), 1 + r.IntN(9)}, numeralsOf(r, 6)...)
		return inGroups(oneOf(r, "#########", "########-#"), append(n, n.luhn()).String())
	}}

	// The weights 8, 6, 4 and 2 let d and d+5 pass, and 5 every other digit: of nine places four
	// pass one of nine and one four of nine, less those that the second place refuses.
	makers["tw-id"] = maker{context: "身分證", caught: 0.91, make: func(r *rand.Rand) string {
		const letters = "ABCDEFGHJKLMNPQRSTUVXYWZIO" // 10 to 35
		at := r.IntN(len(letters))
		n := numerals{(at + 10) / 10, at % 10, oneOf(r, 1, 2, 8, 9)}
		n = append(n, numeralsOf(r, 7)...)
		check := (10 - n.by(1, 9, 8, 7, 6, 5, 4, 3, 2, 1)%10) % 10
		return letters[at:at+1] + n[2:].String() + strconv.Itoa(check)
	}}

	// Eleven is prime, and A is ten: none passes.
	makers["hk-id"] = maker{context: "HKID", caught: 1, make: func(r *rand.Rand) string {
		text := oneOf(r, "A", "C", "G", "K", "M", "R", "Y", "Z", "WX", "XA", "EC")
		n := numerals{36}
		for i := range text {
			n = append(n, int(text[i]-'A')+10)
		}
		n = append(n[len(n)-2:], numeralsOf(r, 6)...)
		check := strings.Split("0 1 2 3 4 5 6 7 8 9 A", " ")[(11-n.sum(9, -1)%11)%11]
		return text + n[2:].String() + inGroups(oneOf(r, "#", "(#)"), check)
	}}

	// Where the first row of weights gives ten, the second decides, which shares its digits with the
	// first: about one wrong digit in eighty passes.
	makers["nz-ird"] = maker{context: "IRD number", caught: 0.985, make: func(r *rand.Rand) string {
		for {
			n := numerals{}.read(padded(1000000+r.IntN(14000000), 8))
			check := (11 - n.by(3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
			if check == 10 {
				check = (11 - n.by(7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
			}
			if check == 10 {
				continue
			}
			text := append(n, check).String()
			if text[0] == '0' && r.IntN(2) == 0 {
				return inGroups(oneOf(r, "########", "##-###-###"), text[1:])
			}
			return inGroups(oneOf(r, "#########", "###-###-###"), text)
		}
	}}

	// A number that would have ten gets another prefix.
	makers["ar-cuit"] = maker{context: "CUIT", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{}.read(oneOf(r, "20", "23", "24", "27", "30", "33")), numeralsOf(r, 8)...)
			if check := (11 - n.by(5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11; check < 10 {
				return inGroups(oneOf(r, "###########", "##-########-#"), append(n, check).String())
			}
		}
	}}

	// K is ten, so each remainder has a character of its own.
	makers["cl-rut"] = maker{context: "RUT", caught: 1, make: func(r *rand.Rand) string {
		n := numerals{}.read(padded(1000000+r.IntN(99000000), 8))
		check := strings.Split("0 1 2 3 4 5 6 7 8 9 K", " ")[(11-n.by(3, 2, 7, 6, 5, 4, 3, 2)%11)%11]
		if n[0] == 0 {
			return inGroups(oneOf(r, "#.###.###-#", "#######-#"), n[1:].String()+check)
		}
		return inGroups(oneOf(r, "##.###.###-#", "########-#"), n.String()+check)
	}}

	// The remainders 1 and 10 share the digit 1: about one wrong digit in fifty passes.
	makers["co-nit"] = maker{context: "NIT", caught: 0.98, make: func(r *rand.Rand) string {
		n := append(numerals{8 + r.IntN(2)}, numeralsOf(r, 8)...)
		check := n.by(41, 37, 29, 23, 19, 17, 13, 7, 3) % 11
		if check > 1 {
			check = 11 - check
		}
		return inGroups(oneOf(r, "##########", "#########-#", "###.###.###-#"), append(n, check).String())
	}}

	// The remainders 0 and 10 share the digit 1: about one wrong digit in fifty passes, less those
	// that the prefix refuses.
	makers["pe-ruc"] = maker{context: "RUC", caught: 0.98, make: func(r *rand.Rand) string {
		n := append(numerals{}.read(oneOf(r, "10", "15", "17", "20")), numeralsOf(r, 8)...)
		return append(n, (11-n.by(5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%10).String()
	}}

	// The weights 2, 8, 6 and 4 let d and d+5 pass: one of nine in four of eight places.
	makers["uy-ci"] = maker{context: "cédula", caught: 0.94, make: func(r *rand.Rand) string {
		n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 6)...)
		check := (10 - n.by(2, 9, 8, 7, 6, 3, 4)%10) % 10
		return inGroups(oneOf(r, "########", "#.###.###-#", "#######-#"), append(n, check).String())
	}}

	// Ten and eleven share the digit 0: about one wrong digit in fifty passes.
	makers["ve-rif"] = maker{context: "RIF", caught: 0.98, make: func(r *rand.Rand) string {
		kind := r.IntN(5)
		n := numeralsOf(r, 8)
		check := brazilian(4*(kind+1) + n.by(3, 2, 7, 6, 5, 4, 3, 2))
		return inGroups(oneOf(r, "##########", "#-########-#"), "VEJPG"[kind:kind+1]+append(n, check).String())
	}}
}
