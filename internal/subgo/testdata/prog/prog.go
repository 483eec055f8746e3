// Package prog is compiled by the tests of subgo and run natively beside.
package prog

import (
	"math"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/wide"
)

type color uint8

const (
	red color = iota + 1
	green
	blue
)

type point struct {
	x, y int32
	name string
	c    color
}

type shape struct {
	corners [3]point
	n       int
}

var (
	primes  = []uint16{2, 3, 5, 7, 11, 13, 60000}
	names   = [...]string{"zero", "one", "", "thr\xffee", 7: "seven"}
	grid    = [3][4]int8{{1, -2, 3}, {4, 5, 6, 7}, {-8}}
	points  = [2]point{{1, 2, "a", red}, {x: 3, name: "b", c: blue}}
	counter int32
	total   int64
	state   [8]uint32
	last    = "none"
	ratio   = 1.5
	lists   = [][]int32{{1, 2}, nil, {3}}
	steps   = [2]func(int32) int32{double, square}
)

func double(x int32) int32 { return x * 2 }
func square(x int32) int32 { return x * x }

func Add(a, b int32) int32    { return a + b }
func Div(a, b int32) int32    { return a / b }
func Rem(a, b int32) int32    { return a % b }
func Div64(a, b int64) int64  { return a / b }
func DivU(a, b uint32) uint32 { return a / b }
func Rem64(a, b uint64) uint64 {
	return a % b
}
func DivC(a int32) int32         { return a/-1 + a/7 + a%10 }
func Div8(a, b int8) int8        { return a / b }
func Shl(a int32, n uint8) int32 { return a << n }
func Shr(a int32, n int32) int32 { return a >> n }
func ShrU(a uint32, n uint64) uint32 {
	return a >> n
}
func Shl64(a int64, n int16) int64  { return a << n }
func Shr64(a int64, n uint32) int64 { return a >> n }
func Narrow(a uint8, b int8, c uint16, d int16) (uint8, int8, uint16, int16) {
	return a*3 + 200, b*3 - 100, c*c + 1, -d * 7
}
func Narrow2(a uint8, b int8) (uint8, int8, uint8, int8) { return a << 3, b << 2, ^a, ^b }
func Convert(a int64, f float64) (int8, uint16, int32, uint64, float64, float64) {
	return int8(a), uint16(a), int32(a), uint64(a), float64(a), f + float64(uint32(a))
}
func Logic(a, b bool, c int32) bool { return a && !b || c > 3 && (b || c < 100) && a != b }
func Between(c byte) int32 {
	if c >= '0' && c <= '9' {
		return 1
	}
	if c < 'a' || 'z' < c {
		return 2
	}
	return 3
}
func Float(a, b float64) (float64, float64, bool, bool) {
	return math.Floor(a/b) + math.Sqrt(math.Abs(a)), -a * b, a < b, a == b || a != a
}
func Bits(a uint32, b uint64) (int32, int32, uint64, uint32) {
	return int32(bits.Len32(a)), int32(bits.OnesCount64(b)), bits.RotateLeft64(b, 13), bits.RotateLeft32(a, 7)
}

func Sum(s string) int32 {
	n := int32(0)
	for i := 0; i < len(s); i++ {
		n += int32(s[i]) * int32(i+1)
	}
	return n
}
func At(s string, i int32) byte           { return s[i] }
func Cut(s string, i, j int32) string     { return s[i:j] }
func From(s string, i uint8) string       { return s[i:] }
func To(s string, i int16) string         { return s[:i] }
func Less(a, b string) (bool, bool, bool) { return a < b, a == b, a >= b }
func Is(s string) int32 {
	switch s {
	case "", "x":
		return 1
	case "ab", "abc", "abcd":
		return 2
	case "abcdefgh", "abcdefghi":
		return 3
	}
	if s == "é" || s != "y" && s == last {
		return 4
	}
	return 0
}
func Runes(s string) (int32, int32, int32) {
	sum, count, at := int32(0), int32(0), int32(0)
	for i, r := range s {
		sum = sum*31 + int32(r)
		count++
		at += int32(i)
	}
	for range s {
		count++
	}
	for i := range s {
		at ^= int32(i)
	}
	return sum, count, at
}
func Reverse(s string) (bool, int32) {
	same, n := true, int32(0)
	for i := range len(s) {
		if s[i] != s[len(s)-1-i] {
			same = false
			continue
		}
		n++
	}
	return same, n
}
func Nested(n uint8) int32 {
	out := int32(0)
outer:
	for i := range int(n) {
		for j := 0; ; j++ {
			switch {
			case j > i:
				continue outer
			case i*j > 50:
				break outer
			case j%3 == 2:
				continue
			}
			if j == 7 {
				break
			}
			out += int32(i ^ j)
		}
		out *= 3
	}
	return out
}
func Table(i int32, j uint8) int32 {
	n := int32(grid[i][j&3])
	for k, p := range primes {
		n += int32(p) * int32(k)
	}
	for _, row := range grid {
		for _, v := range row {
			n = n*5 + int32(v)
		}
	}
	return n + int32(len(names)) + [...]int32{7, 8, 9}[j%3]
}
func Name(i int32) string                      { return names[i] }
func Pick(i uint8) (string, int32)             { p := points[i&1]; return p.name, p.x + p.y*int32(p.c) }
func List(i, j int32) int32                    { return lists[i][j] }
func Step(i, x int32) int32                    { return steps[i](x) + apply(square, x) }
func apply(f func(int32) int32, x int32) int32 { return f(f(x)) }

func State(x int32) (int32, int64, uint32, string) {
	counter += x
	total -= int64(x) * 3
	state[x&7] ^= uint32(x) + state[(x+1)&7]
	if x > 10 {
		last = "more"
	} else if x < -10 {
		last = names[1]
	}
	ratio *= 1.25
	if ratio > 100 {
		ratio = 1
	}
	return counter, total, state[x&7], last
}

func Buffer(s string) (int32, bool) {
	var buf [40]byte
	n := 0
	for i := range len(s) {
		c := s[i]
		if c == ' ' {
			continue
		}
		if n == len(buf) {
			return -1, false
		}
		buf[n] = c | 0x20
		n++
	}
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		buf[i], buf[j] = buf[j], buf[i]
	}
	return hash(buf[:n]), string(buf[:n]) == "cba" || string(buf[:n]) < s
}
func hash(b []byte) int32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return int32(h)
}

// Each round has an array of its own.
func Fresh(n uint8) int32 {
	sum := int32(0)
	for i := range int32(n) {
		var counts [12]int32
		counts[i%12] += i
		counts[(i+5)%12]--
		for _, c := range counts {
			sum += c * c
		}
	}
	return sum
}

func Structs(a, b int32) (int32, int32) {
	var s shape
	s.corners[1] = point{x: a, y: b, name: "p"}
	s.n = 2
	t := s
	t.corners[1].x++
	grow(&s)
	u := point{a, b, "q", green}
	v := u
	v.y = u.x
	u = point{x: u.y, y: u.x}
	w := moved(v, 3)
	pp := &t.corners[2]
	pp.y = 9
	return s.corners[1].x + t.corners[1].x*2 + int32(s.n) + t.corners[2].y, u.x - v.y*5 + w.x + int32(w.c) + int32(len(w.name)) + w.norm()
}
func grow(s *shape) {
	for i := range s.corners {
		s.corners[i].x += 10
		s.n += i
	}
}
func moved(p point, d int32) point { p.x += d; p.scale(2); return p }
func (p *point) scale(k int32)     { p.x *= k; p.y *= k }
func (p point) norm() int32        { return p.x*p.x + p.y*p.y }

func Arrays(a, b uint32) (uint32, bool) {
	x, sum := mixed(a), [4]uint32{1, 2, a, b}
	y := mixed(b)
	sum[1], sum[2] = sum[2], sum[1]
	p := &sum
	p[0] += 5
	for i, v := range p {
		sum[(i+1)%4] += v
	}
	z := sum
	for i, v := range z {
		z[3-i] = v
	}
	tail := [2]uint32(x[1:])
	return x[0] ^ y[2] + sum[3] + tail[1] ^ z[0] + z[1], x == y
}
func mixed(a uint32) (out [3]uint32) {
	out[0] = a
	for i := range out {
		out[i] += a * uint32(i)
	}
	return
}

func Closures(s string) (int32, int32) {
	sum, odd := int32(0), false
	add := func(d int32) {
		if odd {
			if d *= 2; d > 9 {
				d -= 9
				sum--
			}
		}
		sum += d
		odd = !odd
	}
	sign := func(x int32) int32 {
		if x < 0 {
			return -1
		}
		for i := range 5 {
			if x < int32(i) {
				return int32(i)
			}
		}
		return 9
	}
	for i := range len(s) {
		add(int32(s[i]) % 10)
		if s[i] > 128 {
			add(sign(int32(s[i]) - 130))
		}
	}
	return sum, sign(sum) + func() int32 { return sum * 2 }()
}

func Words(s string) (string, string, bool, int32) {
	before, after, ok := strings.Cut(s, "--")
	n := int32(strings.IndexByte(s, 'a'))
	if strings.HasPrefix(s, "ab") || strings.HasSuffix(s, "ab") {
		n += 100
	}
	rest, cut := strings.CutSuffix(after, "-")
	if cut {
		n += 1000
	}
	r, size := utf8.DecodeRuneInString(s)
	n += int32(r) + int32(size) + int32(strings.LastIndexByte(s, 'b')) + int32(strings.Compare(before, after))
	return before, rest, ok, n
}

func Encode(r int32) (int32, int32) {
	var b [4]byte
	n := utf8.EncodeRune(b[:], r)
	return int32(n), hash(b[:n]) + int32(utf8.RuneLen(r))
}

func Copies(s string) (int32, int32) {
	var a, b [9]byte
	n := copy(a[:], s)
	copy(b[2:], a[:])
	copy(b[1:], b[:])
	copy(b[:], b[3:])
	clear(a[1:3])
	return int32(n) + hash(a[:]), hash(b[:])
}

func Clamp(a, b int32, c uint8) (int32, int32, uint8) { return min(a, b, 7), max(a, b), max(c, 20) }
func Wide(a uint64, b int64) (uint64, int64, bool, uint8) {
	a ^= a >> 33
	a *= 0xff51afd7ed558ccd
	b = -b &^ 0xff
	return a, b, a > 1<<63, uint8(a >> 56)
}
func Wheel(c uint8) string {
	switch color(c) {
	case red, green:
		return "warm"
	case blue:
	default:
		return "none"
	}
	return "cold"
}
func Stop(x int32) int32 {
	if x == 3 {
		panic("three")
	}
	var small [3]int32
	i := 0
	for ; i < int(x); i++ {
		small[i] = x
	}
	return small[0] + int32(i)
}

func Swap(s string) (int32, int32) {
	var a [5]int32
	d := a[:]
	for i := range d {
		d[i] = int32(len(s) * i)
	}
	d[0], d = 7, d[1:]
	d, d[0] = d[1:], 8
	for i, v := range state {
		state[(i+1)%8] = v
	}
	n := int32(0)
	set := func() { a[4] += 3 }
	for _, v := range a {
		set()
		n = n*7 + v
	}
	return n + d[0], mean(n, max(int32(len(s)), 1)) + mean(n, 2)
}
func mean(a, b int32) int32 { return a / b }

type bag struct {
	items [4]point
	text  string
	big   uint64
	small int8
	ok    bool
	f     float64
}

var (
	bags  [2]bag
	funcs = [3]func(int32) int32{double, nil, square}
)

func Bags(s string, n uint8, f float64) (string, uint64, int8, float64) {
	b := &bags[n&1]
	b.items[n&3].name = names[len(s)&7] // a text of the caller's would not live as long
	b.items[n&3].x += int32(n)
	if f > 0 || f < 0 {
		b.f = b.f/2 + f
	}
	b.big = b.big*6364136223846793005 + 18446744073709551557
	b.small += int8(n)
	b.small /= 3
	b.ok = !b.ok
	c := *b
	c.items[0].name = "changed"
	for _, p := range &c.items {
		if p.name != "" && b.ok {
			c.text = p.name
		}
	}
	sum, text := weigh(c)
	return text, c.big ^ uint64(sum), b.small, max(c.f, -1) + min(b.f, 3)
}
func weigh(b bag) (sum int32, text string) {
	b.items[1].x = 5
	for i := range b.items {
		sum += b.items[i].x * int32(i)
	}
	if sum > 100 {
		return sum, b.text
	}
	text = b.items[0].name
	return
}

func Func(i, x int32) int32 {
	f := double
	if x > 100 {
		f = square
	}
	g := funcs[i]
	return g(x) ^ f(x)
}

func Deep(s string, n int32) (int32, int32) {
	count, at := int32(0), int32(0)
	each := func(limit int32, weight func(byte) int32) int32 {
		total := int32(0)
		for i := range len(s) {
			if s[i] == ' ' {
				continue
			}
			if total > limit {
				break
			}
			switch c := s[i]; {
			case c > 200:
				return -total
			case c == 'x':
				break
			default:
				total += weight(c)
			}
			at++
		}
		return total
	}
	count = each(n, plain) + each(n/2, heavy)*3
	return count, at
}
func plain(c byte) int32 { return int32(c) & 15 }
func heavy(c byte) int32 {
	switch {
	case c >= 'a' && c <= 'f', c == '9':
		return 9
	case c < 'a' || c > 'z':
		return -1
	}
	return 2
}

func Scalar(a int32, s string) (int32, string) {
	p, q := &a, &s
	*p += 3
	bump(p)
	trim(q)
	x := a
	{
		x := x * 2
		a += x
	}
	if x := *p; x > 5 {
		return x, s
	} else if y := x + 1; y < -5 {
		return y, *q
	}
	return x, s
}
func bump(p *int32) { *p *= 3 }
func trim(s *string) {
	for *s != "" && (*s)[0] == 'a' {
		*s = (*s)[1:]
	}
}

func Evaluate(a, b, c int32) (x, y int32, z bool) {
	x, y = order(a, b)
	x, y, z = y, x, x > c
	if z {
		x, _ = order(y, c)
		return x, a, a < b
	}
	switch {
	case a > b && (b > c || a == 7) || c == 3:
		y = -1
	case !(a < b || c < b):
		y = -2
	}
	return
}
func order(a, b int32) (int32, int32) {
	if a < b {
		return a, b
	}
	return b, a
}

func Matrix(n uint8, s string) (uint32, int32) {
	var m [5][7]uint16
	for i := range m {
		for j := range m[i] {
			m[i][j] = uint16(i*7+j) * uint16(n)
		}
	}
	row := m[n%5]
	m[2] = row
	row[3]++
	sum := uint32(0)
	for _, r := range m {
		for j, v := range r {
			sum = sum*31 + uint32(v)<<(uint(j)%9)
		}
	}
	words := int32(0)
	inside := false
next:
	for _, r := range s {
		for _, sep := range "- €" {
			if r == sep {
				inside = false
				continue next
			}
		}
		if !inside {
			words++
		}
		inside = true
	}
	return sum + uint32(row[3]), words
}

func Big(a uint64) (bool, uint64, int64, float64) {
	const top = 1<<63 + 5
	x := a | top
	y := int64(x)
	if a == 0 {
		y = -9223372036854775808
	}
	for range a & 3 {
		x = x>>1 ^ 0xd800000000000000
	}
	return a >= top, x / 3, y % 1000, float64(a) + float64(x)
}

func Moves(n, from, to uint8) int32 {
	var a [64]byte
	for i := range a {
		a[i] = byte(i * 7)
	}
	c := copy(a[to&63:], a[from&63:min(int(from&63)+int(n&63), 64)])
	return hash(a[:]) + int32(c)
}

// Eight reads eight bytes at once.
func Eight(s string, i, j int32) (a, b, c uint64) {
	c = wide.Load("eight of them", int(j&3))
	a = wide.Load(s, int(i&7))
	return a, wide.Below(a, 97), c + wide.Load(s, int(j))
}

// Checks looks at places again that were looked at before, and moves on in between.
func Checks(s string, from, j int32) (n int32) {
	i := from & 15
	for k := range int32(3) {
		n += int32(s[i])
		if k == j&3 {
			i = j & 31
		} else if n&1 == 0 {
			n += int32(s[i]) << 8
		}
		n ^= int32(s[i]) << 16
		for i > 3 && s[i] > 'a' {
			i -= 2
			n += int32(s[i+1])
		}
		n += int32(names2[s[i]&7])
	}
	return n + int32(names2[j&15])
}

var names2 = []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
