package rt

import "math"

// A bigDecimal is a number 0.ddd… times ten to the power of dp, exact unless cut is true:
// then there is more that is not zero behind the last digit.
type bigDecimal struct {
	d   [800]byte // digits, not characters; more than any double has
	n   int
	dp  int
	cut bool
}

var exact, upper, lower bigDecimal

func (a *bigDecimal) set(v uint64) {
	var back [20]byte
	n := 0
	for v > 0 && n < 20 {
		back[n] = byte(v % 10)
		v /= 10
		n++
	}
	a.n, a.dp, a.cut = n, n, false
	for i := range n {
		a.d[i] = back[n-1-i]
	}
	a.trim()
}

func (a *bigDecimal) trim() {
	for a.n > 0 && a.d[a.n-1] == 0 {
		a.n--
	}
	if a.n == 0 {
		a.dp = 0
	}
}

// shift multiplies by two to the power of k.
func (a *bigDecimal) shift(k int) {
	for k > 0 && a.n > 0 {
		step := min(k, 56)
		a.left(step)
		k -= step
	}
	for k < 0 && a.n > 0 {
		step := min(-k, 56)
		a.right(step)
		k += step
	}
}

func (a *bigDecimal) left(k int) {
	grow := k*3/10 + 2 // more digits than it has then
	var carry uint64
	for i := a.n + grow - 1; i >= 0; i-- {
		if j := i - grow; j >= 0 {
			carry += uint64(a.d[j]) << uint(k)
		}
		digit := byte(carry % 10)
		carry /= 10
		if i < len(a.d) {
			a.d[i] = digit
		} else if digit != 0 {
			a.cut = true
		}
	}
	n := min(a.n+grow, len(a.d))
	zeros := 0
	for zeros < n && a.d[zeros] == 0 {
		zeros++
	}
	for i := zeros; i < n; i++ {
		a.d[i-zeros] = a.d[i]
	}
	a.n = n - zeros
	a.dp += grow - zeros
	a.trim()
}

func (a *bigDecimal) right(k int) {
	var rest uint64
	from := 0
	for ; rest>>uint(k) == 0; from++ {
		if from < a.n {
			rest = rest*10 + uint64(a.d[from])
		} else {
			rest *= 10
		}
	}
	a.dp -= from - 1
	mask := uint64(1)<<uint(k) - 1
	n := 0
	for {
		digit := byte(rest >> uint(k))
		rest &= mask
		if n < len(a.d) {
			a.d[n] = digit
			n++
		} else if digit != 0 {
			a.cut = true
		}
		if from >= a.n && rest == 0 {
			break
		}
		rest *= 10
		if from < a.n {
			rest += uint64(a.d[from])
		}
		from++
	}
	a.n = n
	a.trim()
}

// roundsUp reports whether the number is nearer to what has one more in digit n.
func (a *bigDecimal) roundsUp(n int) bool {
	if n < 0 || n >= a.n {
		return false
	}
	if a.d[n] == 5 && n+1 == a.n { // halfway: to the even one
		return a.cut || n > 0 && a.d[n-1]%2 != 0
	}
	return a.d[n] >= 5
}

func (a *bigDecimal) up(n int) {
	if n < 0 || n >= a.n {
		return
	}
	for i := n - 1; i >= 0; i-- {
		if a.d[i] < 9 {
			a.d[i]++
			a.n = i + 1
			return
		}
	}
	a.d[0] = 1
	a.n = 1
	a.dp++
}

func (a *bigDecimal) down(n int) {
	if n >= 0 && n < a.n {
		a.n = n
		a.trim()
	}
}

// integer is the nearest integer.
func (a *bigDecimal) integer() uint64 {
	if a.dp > 20 {
		return math.MaxUint64
	}
	var v uint64
	for i := range max(a.dp, 0) {
		v *= 10
		if i < a.n {
			v += uint64(a.d[i])
		}
	}
	if a.roundsUp(a.dp) {
		v++
	}
	return v
}

const (
	expBits  = 0x7ff
	implicit = uint64(1) << 52
)

// double is the nearest double of an exact number; ok is false if it is out of range.
func (a *bigDecimal) double() (bits uint64, ok bool) {
	if a.n == 0 || a.dp < -330 {
		return 0, true
	}
	if a.dp > 310 {
		return 0, false
	}
	exp := 0
	for a.dp > 0 {
		n := 27
		if a.dp < 9 {
			n = a.dp*3 + 1 - 1/(a.dp)
		}
		a.shift(-n)
		exp += n
	}
	for a.dp < 0 || a.dp == 0 && a.d[0] < 5 {
		n := 1
		if a.dp < 0 {
			n = min(-a.dp*3, 27)
		}
		a.shift(n)
		exp -= n
	}
	exp-- // from 0.5 to 1 made from 1 to 2
	if exp < -1022 {
		a.shift(exp + 1022)
		exp = -1022
	}
	a.shift(53)
	mantissa := a.integer()
	if mantissa == implicit<<1 {
		mantissa >>= 1
		exp++
	}
	if exp > 1023 {
		return 0, false
	}
	if mantissa&implicit == 0 {
		exp = -1023
	}
	return mantissa&(implicit-1) | uint64(exp+1023)<<52, true
}

// lowerCase is a letter in lower case.
func lowerCase(c byte) byte { return c | 0x20 }

func named(s, name string) bool {
	if len(s) != len(name) {
		return false
	}
	for i := range len(s) {
		if lowerCase(s[i]) != name[i] {
			return false
		}
	}
	return true
}

// TextToDouble reads a number as Go writes them: decimal or hexadecimal, inf, nan.
func TextToDouble(s string) (float64, int) {
	Pay(128 + len(s)>>4)
	if named(s, "nan") {
		return math.NaN(), OK
	}
	all := s
	var sign uint64
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = 1 << 63
		}
		s = s[1:]
	}
	if named(s, "inf") || named(s, "infinity") {
		return math.Float64frombits(sign | expBits<<52), OK
	}
	hex := len(s) > 2 && s[0] == '0' && lowerCase(s[1]) == 'x'
	if hex {
		s = s[2:]
	}
	a := &exact
	a.n, a.dp, a.cut = 0, 0, false
	var mantissa uint64 // of a hexadecimal number
	count, point, i := 0, 0, 0
	base := 10
	if hex {
		base = 16
	}
	some, dot, under := false, false, false
	for i < len(s) {
		c := s[i]
		if c == '_' {
			under = true
			i++
			continue
		}
		if c == '.' {
			if dot {
				break
			}
			dot = true
			point = count
			i++
			continue
		}
		v := letter36(c)
		if v < 0 || v >= base {
			break
		}
		i++
		some = true
		if v == 0 && count == 0 {
			point--
			continue
		}
		count++
		switch {
		case hex && count <= 15: // there is room for what is rounded
			mantissa = mantissa<<4 | uint64(v)
		case !hex && a.n < len(a.d):
			a.d[a.n] = byte(v)
			a.n++
		case v != 0:
			a.cut = true
		}
	}
	if !some {
		return 0, BadConversion
	}
	if !dot {
		point = count
	}
	s = s[i:]
	exponent := 0
	if len(s) > 0 && (!hex && lowerCase(s[0]) == 'e' || hex && lowerCase(s[0]) == 'p') {
		minus := false
		s = s[1:]
		if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			minus = s[0] == '-'
			s = s[1:]
		}
		if s == "" || s[0] < '0' || s[0] > '9' {
			return 0, BadConversion
		}
		for len(s) > 0 && (s[0] >= '0' && s[0] <= '9' || s[0] == '_') {
			if s[0] == '_' {
				under = true
			} else if exponent < 10000 {
				exponent = exponent*10 + int(s[0]-'0')
			}
			s = s[1:]
		}
		if minus {
			exponent = -exponent
		}
	} else if hex {
		return 0, BadConversion
	}
	if s != "" || under && !underscores(all) {
		return 0, BadConversion
	}
	var bits uint64
	ok := true
	if hex {
		bits, ok = hexadecimal(mantissa, point*4-min(count, 15)*4+exponent, a.cut)
	} else {
		a.dp = point + exponent
		a.trim()
		bits, ok = a.double()
	}
	if !ok {
		return 0, BadConversion
	}
	return math.Float64frombits(sign | bits), OK
}

// underscores reports whether underscores stand between digits, or behind 0x.
func underscores(s string) bool {
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	hex := len(s) >= 2 && s[0] == '0' && lowerCase(s[1]) == 'x'
	digit := false // what was before
	under := false
	if hex {
		s = s[2:]
		digit = true
	}
	for i := range len(s) {
		v := letter36(s[i])
		switch {
		case v >= 0 && (v < 10 || hex && v < 16):
			digit, under = true, false
		case s[i] == '_':
			if !digit {
				return false
			}
			digit, under = false, true
		case under:
			return false
		default:
			digit = false
		}
	}
	return !under
}

// hexadecimal is the nearest double of a number times two to the power of exp, where
// there is more behind the number if cut is true.
func hexadecimal(m uint64, exp int, cut bool) (bits uint64, ok bool) {
	if m == 0 {
		return 0, true
	}
	// 53 bits and two more, of which the last is set if anything behind it is.
	for m>>54 == 0 {
		m <<= 1
		exp--
	}
	drop := 0
	for m>>55 != 0 {
		cut = cut || m&1 != 0
		m >>= 1
		exp++
	}
	for exp+54 < -1022 && drop < 60 {
		cut = cut || m&1 != 0
		m >>= 1
		exp++
		drop++
	}
	if exp+54 < -1022 {
		return 0, true
	}
	half, rest := m&2 != 0, m&1 != 0 || cut
	m >>= 2
	exp += 2
	if half && (rest || m&1 != 0) {
		m++
	}
	if m == implicit<<1 {
		m >>= 1
		exp++
	}
	if exp+52 > 1023 {
		return 0, false
	}
	if m&implicit == 0 {
		return m, true
	}
	return m&(implicit-1) | uint64(exp+52+1023)<<52, true
}

// shortest makes exact the shortest number that reads as a double, which is finite.
func shortest(bits uint64) {
	exp := int(bits >> 52 & expBits)
	m := bits & (implicit - 1)
	a := &exact
	if exp == 0 {
		exp++
	} else {
		m |= implicit
	}
	exp -= 1023
	a.set(m)
	a.shift(exp - 52)
	if m == 0 {
		return
	}
	// What lies between the halves of the way to its neighbours reads as the number.
	upper.set(m*2 + 1)
	upper.shift(exp - 53)
	low, e := m*2-1, exp-53
	if m == implicit && exp != -1022 {
		low, e = m*4-1, exp-54
	}
	lower.set(low)
	lower.shift(e)
	inclusive := m%2 == 0
	// What upper is more than exact in the digits seen, as the standard library has it:
	// 0 none, 1 one in the last, 2 more.
	more := 0
	for ui := 0; ; ui++ {
		mi := ui - upper.dp + a.dp
		if mi >= a.n {
			break
		}
		li := ui - upper.dp + lower.dp
		l, u, v := digitAt(&lower, li), digitAt(&upper, ui), digitAt(a, mi)
		down := l != v || inclusive && li+1 == lower.n
		switch {
		case more == 0 && v+1 < u:
			more = 2
		case more == 0 && v != u:
			more = 1
		case more == 1 && (v != 9 || u != 0):
			more = 2
		}
		up := more > 0 && (inclusive || more > 1 || ui+1 < upper.n)
		switch {
		case down && up:
			if a.roundsUp(mi + 1) {
				a.up(mi + 1)
			} else {
				a.down(mi + 1)
			}
			return
		case down:
			a.down(mi + 1)
			return
		case up:
			a.up(mi + 1)
			return
		}
	}
}

func digitAt(a *bigDecimal, i int) byte {
	if i < 0 || i >= a.n || i >= len(a.d) {
		return 0
	}
	return a.d[i]
}

// DoubleToText writes a double as short as it reads the same.
func DoubleToText(d float64) []byte {
	newText(32)
	out := Room(32)
	if len(out) < 32 {
		return out
	}
	bits := math.Float64bits(d)
	n := 0
	if bits>>52&expBits == expBits {
		name := "NaN"
		if d > 0 {
			name = "+Inf"
		} else if d < 0 {
			name = "-Inf"
		}
		copyText(out, name)
		return out[:len(name)]
	}
	if bits>>63 != 0 {
		out[0] = '-'
		n = 1
	}
	shortest(bits)
	a := &exact
	exp := a.dp - 1
	if a.n == 0 {
		exp = 0
	}
	if exp >= -4 && exp < 6 {
		return out[:fixed(out, n, a)]
	}
	out[n] = '0' + digitAt(a, 0)
	n++
	if a.n > 1 {
		out[n] = '.'
		n++
		for i := 1; i < a.n && n < 26; i++ {
			out[n] = '0' + digitAt(a, i)
			n++
		}
	}
	out[n], out[n+1] = 'e', '+'
	if exp < 0 {
		out[n+1] = '-'
		exp = -exp
	}
	n += 2
	if exp >= 100 {
		out[n] = byte('0' + exp/100)
		n++
		exp %= 100
	}
	n = two(out, n, exp)
	return out[:n]
}

// fixed writes a number without an exponent, as long as there is room.
func fixed(out []byte, n int, a *bigDecimal) int {
	if a.dp <= 0 {
		out[n] = '0'
		n++
	}
	for i := 0; i < a.dp && n < len(out); i++ {
		out[n] = '0' + digitAt(a, i)
		n++
	}
	if a.n > a.dp && n < len(out) {
		out[n] = '.'
		n++
		for i := min(a.dp, 0); i < a.n && n < len(out); i++ {
			if a.dp > 0 && i < a.dp {
				continue
			}
			out[n] = '0' + digitAt(a, i)
			n++
		}
	}
	return n
}

// DurationToText writes a duration as seconds.
func DurationToText(nanos int64) []byte {
	newText(32)
	out := Room(40)
	if len(out) < 40 {
		return out
	}
	// As the standard library's Seconds has it.
	d := float64(nanos/second) + float64(nanos%second)/1e9
	bits := math.Float64bits(d)
	n := 0
	if bits>>63 != 0 {
		out[0] = '-'
		n = 1
	}
	shortest(bits)
	n = fixed(out, n, &exact)
	if n >= len(out) {
		return out
	}
	out[n] = 's'
	return out[:n+1]
}
