package classify_test

import (
	"fmt"
	"math/rand/v2"
)

func init() {
	// 31 is prime: no wrong digit passes. One before the sign is refused by the calendar, too.
	makers["fi-personal-identity-code"] = maker{context: "hetu", caught: 1, alone: true, make: func(r *rand.Rand) string {
		birth, serial := birthday(r, 1930, 2020), 2+r.IntN(898)
		sign := oneOf(r, "-", "U", "V", "W", "X", "Y")
		if birth.year >= 2000 {
			sign = oneOf(r, "A", "B", "C", "D", "E", "F")
		}
		number := numerals{}.read(birth.ddmmyy())
		rest := (number.value()*1000 + serial) % 31
		return birth.ddmmyy() + sign + padded(serial, 3) + string("0123456789ABCDEFHJKLMNPRSTUVWXY"[rest])
	}}

	// The century is not part of the sum: 19 may become 18 in a third of the numbers. Luhn catches
	// everything else.
	makers["se-personnummer"] = maker{context: "personnummer", caught: 0.995, make: func(r *rand.Rand) string {
		birth := birthday(r, 1930, 2020)
		day := birth.day
		if r.IntN(4) == 0 {
			day += 60
		}
		n := append(numerals{}.read(padded(birth.year%100, 2)+padded(birth.month, 2)+padded(day, 2)), numeralsOf(r, 3)...)
		text := append(n, n.luhn()).String()
		switch r.IntN(3) {
		case 0:
			return inGroups("######-####", text)
		case 1:
			return text
		}
		return padded(birth.year/100, 2) + text
	}}

	makers["se-organisationsnummer"] = maker{context: "organisationsnummer", caught: 1, make: func(r *rand.Rand) string {
		n := numerals{oneOf(r, 1, 2, 3, 5, 6, 7, 8, 9), r.IntN(10), 2 + r.IntN(8)}
		n = append(n, numeralsOf(r, 6)...)
		return inGroups(oneOf(r, "##########", "######-####", "16######-####", "SE##########01"), append(n, n.luhn()).String())
	}}

	// Eleven is prime, and the second sum covers all digits: none passes.
	makers["no-fnr"] = maker{context: "fødselsnummer", caught: 1, make: func(r *rand.Rand) string {
		for {
			birth := birthday(r, 1930, 2020)
			day, month := birth.day, birth.month
			switch r.IntN(6) {
			case 0:
				day += 40
			case 1:
				month += 40
			}
			n := append(numerals{}.read(padded(day, 2)+padded(month, 2)+padded(birth.year%100, 2)), numeralsOf(r, 3)...)
			first := 11 - n.by(3, 7, 6, 1, 8, 9, 4, 5, 2)%11
			n = append(n, first%11)
			second := 11 - n.by(5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11
			if first != 10 && second != 10 {
				return inGroups(oneOf(r, "###########", "###### #####"), append(n, second%11).String())
			}
		}
	}}

	// 1, 3, 7 and 9 have no factor in common with 10.
	makers["pl-pesel"] = maker{context: "PESEL", caught: 1, make: func(r *rand.Rand) string {
		birth := birthday(r, 1800, 2200)
		month := birth.month + map[int]int{18: 80, 19: 0, 20: 20, 21: 40}[birth.year/100]
		n := append(numerals{}.read(padded(birth.year%100, 2)+padded(month, 2)+padded(birth.day, 2)), numeralsOf(r, 4)...)
		return append(n, (10-n.by(1, 3, 7, 9)%10)%10).String()
	}}

	// A number with remainder ten is not given, so the digit tells all the others.
	makers["pl-nip"] = maker{context: "NIP", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 8)...)
			if d := n.by(6, 5, 7, 2, 3, 4, 5, 6, 7) % 11; d < 10 {
				return inGroups(oneOf(r, "##########", "###-###-##-##", "###-##-##-###"), append(n, d).String())
			}
		}
	}}

	// The remainders 0 and 10 share the digit 0: about one wrong digit in fifty passes, less those
	// that the calendar refuses.
	makers["bg-egn"] = maker{context: "ЕГН", caught: 0.983, make: func(r *rand.Rand) string {
		birth := birthday(r, 1890, 2020)
		month := birth.month + map[int]int{18: 20, 19: 0, 20: 40}[birth.year/100]
		n := append(numerals{}.read(padded(birth.year%100, 2)+padded(month, 2)+padded(birth.day, 2)), numeralsOf(r, 3)...)
		return append(n, n.by(2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10).String()
	}}

	// A number of ten digits whose remainder is 10 ends with 0, as one with remainder 0 does; a few
	// wrong digits pass for that.
	makers["cz-rc"] = maker{context: "rodné číslo", caught: 0.986, make: func(r *rand.Rand) string {
		birth := birthday(r, 1954, 2024)
		month := birth.month + oneOf(r, 0, 50)
		if birth.year >= 2004 && r.IntN(4) == 0 {
			month += 20
		}
		n := append(numerals{}.read(padded(birth.year%100, 2)+padded(month, 2)+padded(birth.day, 2)), numeralsOf(r, 3)...)
		return inGroups(oneOf(r, "##########", "######/####"), append(n, n.value()%11%10).String())
	}}

	makers["hr-oib"] = maker{context: "OIB", caught: 1, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 10)
		product := 10
		for _, d := range n {
			sum := (d + product) % 10
			if sum == 0 {
				sum = 10
			}
			product = sum * 2 % 11
		}
		return oneOf(r, "", "HR") + append(n, (11-product)%10).String()
	}}

	// A number with remainder ten is not given.
	makers["hu-tin"] = maker{context: "adóazonosító jel", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{8, 1 + r.IntN(6)}, numeralsOf(r, 7)...)
			if d := n.sum(1, 1) % 11; d < 10 {
				return append(n, d).String()
			}
		}
	}}

	// The remainders 0 and 10 share the digit 0: about one wrong digit in fifty passes.
	makers["gr-afm"] = maker{context: "ΑΦΜ", caught: 0.98, make: func(r *rand.Rand) string {
		n := append(numerals{r.IntN(2), 1 + r.IntN(9)}, numeralsOf(r, 6)...)
		return oneOf(r, "", "", "EL") + append(n, n.by(256, 128, 64, 32, 16, 8, 4, 2)%11%10).String()
	}}

	makers["gr-amka"] = maker{context: "ΑΜΚΑ", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{}.read(birthday(r, 1930, 2020).ddmmyy()), numeralsOf(r, 4)...)
		return append(n, n.luhn()).String()
	}}

	// Where the first row of weights gives ten, the second decides, so remainders share digits:
	// about one wrong digit in fifty passes, less those that the calendar refuses.
	makers["lt-code"] = maker{context: "asmens kodas", caught: 0.986, make: func(r *rand.Rand) string { return baltic(r, 2020) }}
	makers["ee-code"] = maker{context: "isikukood", caught: 0.983, make: func(r *rand.Rand) string { return baltic(r, 2190) }}

	// The form with a birthday has the check digit. The remainder ten shares the digit 0, and where
	// the day has a second digit from 2 on, a wrong 3 before it makes a code of the new form, which
	// has no check: 1 - 1/60 - 20/28/9/11.
	makers["lv-code"] = maker{context: "personas kods", caught: 0.976, make: func(r *rand.Rand) string {
		birth := birthday(r, 1830, 2020)
		n := append(numerals{}.read(birth.ddmmyy()), birth.year/100-18)
		n = append(n, numeralsOf(r, 3)...)
		check := (1101 - n.by(1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
		return inGroups(oneOf(r, "###########", "######-#####"), append(n, check%10).String())
	}}

	// The remainders 1 and 10 share the digit 1: about one wrong digit in fifty passes.
	makers["ro-cnp"] = maker{context: "CNP", caught: 0.985, make: func(r *rand.Rand) string {
		birth := birthday(r, 1930, 2020)
		n := append(numerals{1 + r.IntN(9)}.read(birth.yymmdd()),
			numerals{}.read(oneOf(r, "01", "12", "29", "40", "46", "51", "52", "70")+padded(1+r.IntN(999), 3))...)
		check := n.by(2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
		if check == 10 {
			check = 1
		}
		return append(n, check).String()
	}}

	// Remainders 0 and 1 share the digit 0: about one wrong digit in fifty passes, less those
	// that the calendar refuses.
	makers["si-emso"] = maker{context: "EMŠO", caught: 0.983, make: func(r *rand.Rand) string {
		birth := birthday(r, 1930, 2020)
		n := numerals{}.read(padded(birth.day, 2) + padded(birth.month, 2) + padded(birth.year%1000, 3) + oneOf(r, "50", "50", "51", "71", "33"))
		n = append(n, numeralsOf(r, 3)...)
		return append(n, brazilian(n.by(7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2))).String()
	}}

	// A number that would end in eleven is not given, and ten is 0: each remainder has a digit of
	// its own.
	makers["si-ddv"] = maker{context: "davčna številka", caught: 1, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 6)...)
			if d := 11 - n.sum(8, -1)%11; d < 11 {
				return oneOf(r, "", "SI", "SI ") + append(n, d%10).String()
			}
		}
	}}

	// 7 and 9 have no factor in common with 10, and the last digit is the sum of the others.
	makers["tr-national-id"] = maker{context: "TCKN", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{1 + r.IntN(9)}, numeralsOf(r, 8)...)
		odd := n[0] + n[2] + n[4] + n[6] + n[8]
		even := n[1] + n[3] + n[5] + n[7]
		n = append(n, (7*odd+9*even)%10)
		return append(n, n.by(1)%10).String()
	}}
}

// A born is a birthday.
type born struct{ year, month, day int }

func birthday(r *rand.Rand, from, to int) born {
	return born{from + r.IntN(to-from), 1 + r.IntN(12), 1 + r.IntN(28)}
}

func (b born) ddmmyy() string { return padded(b.day, 2) + padded(b.month, 2) + padded(b.year%100, 2) }

func (b born) yymmdd() string { return padded(b.year%100, 2) + padded(b.month, 2) + padded(b.day, 2) }

// value is the number that the digits write.
func (n numerals) value() int {
	v := 0
	for _, d := range n {
		v = v*10 + d
	}
	return v
}

// padded is a number with zeros before it.
func padded(v, digits int) string { return fmt.Sprintf("%0*d", digits, v) }

// baltic is a personal code of Estonia or Lithuania of somebody born before a year.
func baltic(r *rand.Rand, before int) string {
	birth := birthday(r, 1850, before)
	n := append(numerals{(birth.year/100-18)*2 + 1 + r.IntN(2)}.read(birth.yymmdd()), numeralsOf(r, 3)...)
	check := n.by(1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if check == 10 {
		check = n.by(3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return append(n, check).String()
}
