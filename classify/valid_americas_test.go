package classify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// numerals are the digits of a number, from the left.
type numerals []int

// numeralsOf makes n digits.
func numeralsOf(r *rand.Rand, n int) numerals {
	out := make(numerals, n)
	for i := range out {
		out[i] = r.IntN(10)
	}
	return out
}

// read takes the digits of a text.
func (n numerals) read(text string) numerals {
	for _, c := range text {
		n = append(n, int(c-'0'))
	}
	return n
}

// sum is the sum of the digits times weights that go from one to another by a step.
func (n numerals) sum(from, step int) int {
	s := 0
	for i, d := range n {
		s += d * (from + i*step)
	}
	return s
}

// by is the sum of the digits times weights, which begin again where they end.
func (n numerals) by(weights ...int) int {
	s := 0
	for i, d := range n {
		s += d * weights[i%len(weights)]
	}
	return s
}

// luhn is the check digit that Luhn's formula puts behind the digits.
func (n numerals) luhn() int {
	s := 0
	for i, d := range n {
		if (len(n)-i)%2 == 1 {
			d = d*2/10 + d*2%10
		}
		s += d
	}
	return (10 - s%10) % 10
}

// verhoeff is Verhoeff's check digit, by the group of the symmetries of a pentagon:
// 0 to 4 turn it, 5 to 9 turn it over first.
func (n numerals) verhoeff() int {
	product := func(a, b int) int {
		switch {
		case a < 5 && b < 5:
			return (a + b) % 5
		case a < 5:
			return (a+b)%5 + 5
		case b < 5:
			return (a-b)%5 + 5
		}
		return (a - b + 5) % 5
	}
	moved := func(d, times int) int {
		for range times {
			d = [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}[d]
		}
		return d
	}
	c := 0
	for i := range n {
		c = product(c, moved(n[len(n)-1-i], (i+1)%8))
	}
	for d := range 10 {
		// The check digit stands in place 0, where nothing is moved.
		if product(d, c) == 0 {
			return d
		}
	}
	panic("no check digit")
}

func (n numerals) String() string {
	var b strings.Builder
	for _, d := range n {
		b.WriteByte(byte('0' + d))
	}
	return b.String()
}

// inGroups writes a text as a mask has it: every # is a character of the text.
func inGroups(mask, text string) string {
	var b strings.Builder
	for _, c := range mask {
		if c == '#' {
			b.WriteByte(text[0])
			text = text[1:]
		} else {
			b.WriteRune(c)
		}
	}
	return b.String() + text
}

// oneOf chooses.
func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// dayOf is a day as YYYYMMDD.
func dayOf(r *rand.Rand, from, to int) string {
	return fmt.Sprintf("%04d%02d%02d", from+r.IntN(to-from), 1+r.IntN(12), 1+r.IntN(28))
}

func init() {
	makers["us-npi"] = maker{context: "NPI", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{1 + r.IntN(2)}, numeralsOf(r, 8)...)
		return append(n, append(numerals{8, 0, 8, 4, 0}, n...).luhn()).String()
	}}

	// 3, 7 and 1 have no factor in common with 10: no wrong digit passes.
	makers["aba-routing-number"] = maker{context: "routing number", caught: 1, make: func(r *rand.Rand) string {
		n := numerals{}.read(oneOf(r, "00", "01", "07", "12", "21", "32", "61", "72", "80"))
		n = append(n, numeralsOf(r, 6)...)
		text := append(n, (10-n.by(3, 7, 1)%10)%10).String()
		return inGroups(oneOf(r, "#########", "####-####-#"), text)
	}}

	// In the second, fourth and sixth place, which count twice, d and d+5 are the same: one of nine
	// wrong digits passes in three of seven places, 1 - 3/7/9 = 0.952.
	makers["medical-license"] = maker{context: "DEA", caught: 0.95, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 6)
		return string("ABFGMPR"[r.IntN(7)]) + string(rune('A'+r.IntN(26))) + append(n, n.by(1, 2)%10).String()
	}}

	makers["ca-sin"] = maker{context: "SIN", caught: 1, make: func(r *rand.Rand) string {
		n := append(numerals{oneOf(r, 1, 2, 3, 4, 5, 6, 7, 9)}, numeralsOf(r, 7)...)
		return inGroups(oneOf(r, "#########", "### ### ###", "###-###-###"), append(n, n.luhn()).String())
	}}

	// Remainders 0 and 1 share the digit 0, in two sums at once only for few digits.
	makers["br-cpf"] = maker{context: "CPF", caught: 0.998, alone: true, make: func(r *rand.Rand) string {
		n := numeralsOf(r, 9)
		n = append(n, brazilian(n.sum(10, -1)))
		n = append(n, brazilian(n.sum(11, -1)))
		return inGroups("###.###.###-##", n.String())
	}}

	makers["br-cnpj"] = maker{context: "CNPJ", caught: 0.998, alone: true, make: func(r *rand.Rand) string {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		letters := oneOf(r, 10, 36)
		text := make([]byte, 12)
		n := make(numerals, 12)
		for i := range text {
			text[i] = alphabet[r.IntN(letters)]
			n[i] = int(text[i]) - 48
		}
		for _, w := range [][]int{{5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}, {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}} {
			d := brazilian(n.by(w...))
			n, text = append(n, d), append(text, byte('0'+d))
		}
		return inGroups("##.###.###/####-##", string(text))
	}}

	// The remainders 0 and 1 share the digit 0: about one wrong digit in forty-five passes.
	makers["br-pis"] = maker{context: "PIS", caught: 0.97, make: func(r *rand.Rand) string {
		n := append(numerals{1 + r.IntN(2)}, numeralsOf(r, 9)...)
		n = append(n, brazilian(n.by(3, 2, 9, 8, 7, 6, 5, 4, 3, 2)))
		return inGroups(oneOf(r, "###########", "###.#####.##-#"), n.String())
	}}

	// The fifth weight is the modulus itself, so the fifth of fifteen digits is not checked: 14/15.
	makers["br-cns"] = maker{context: "CNS", caught: 0.93, make: func(r *rand.Rand) string {
		for {
			n := append(numerals{7 + r.IntN(3)}, numeralsOf(r, 13)...)
			if r.IntN(2) == 0 {
				n = append(append(numerals{1 + r.IntN(2)}, numeralsOf(r, 10)...), 0, 0, r.IntN(2))
			}
			if d := (11 - n.sum(15, -1)%11) % 11; d < 10 {
				return inGroups(oneOf(r, "###############", "### #### #### ####"), append(n, d).String())
			}
		}
	}}

	// Modulo 10 with weights 18 to 2 misses the digit with weight 10 and, with the even weights, d
	// and d+5; the calendar catches some of these, since the weights stand at the birthday.
	makers["mx-curp"] = maker{context: "CURP", caught: 0.94, alone: true, make: func(r *rand.Rand) string {
		day := dayOf(r, 1930, 2024)
		tell := string(rune('0' + r.IntN(10)))
		if day >= "2000" {
			tell = string(rune('A' + r.IntN(26)))
		}
		text := oneOf(r, "LOXA", "GUMJ", "PEXR", "SAIB") + day[2:] + oneOf(r, "H", "M", "X") +
			oneOf(r, "DF", "JC", "NL", "VZ", "NE") + oneOf(r, "RRN", "BCD", "PLT") + tell
		sum := 0
		for i, c := range []rune(text) {
			at := strings.IndexRune("0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ", c)
			if c > 'N' {
				at-- // Ñ has two bytes
			}
			sum += at * (18 - i)
		}
		return text + string(rune('0'+(10-sum%10)%10))
	}}
}

// brazilian is eleven less the remainder by eleven, or 0 where that has two digits.
func brazilian(sum int) int {
	if sum%11 < 2 {
		return 0
	}
	return 11 - sum%11
}
