package expr

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// same is CEL's equality between values of one type: NaN equals nothing, lists
// compare element by element, maps key by key.
func (f *Frame) same(a, b Value) bool {
	switch a.kind {
	case KindString, KindBytes:
		return f.scan(min(len(a.str), len(b.str))) && a.str == b.str
	case KindDouble:
		return math.Float64frombits(a.num) == math.Float64frombits(b.num)
	case KindTimestamp:
		return a.num == b.num && a.nano == b.nano
	case KindList:
		n := a.Len()
		if n != b.Len() {
			return false
		}
		for i := range n {
			if !f.take(1) || !f.same(a.At(i), b.At(i)) {
				return false
			}
		}
		return true
	case KindMap:
		n := a.Len()
		if n != b.Len() {
			return false
		}
		for i := range n {
			ka, va := a.Entry(i)
			kb, vb := b.Entry(i)
			if !f.take(1+min(len(ka), len(kb))>>4) || ka != kb || !f.same(va, vb) {
				return false
			}
		}
		return true
	default:
		return a.num == b.num
	}
}

// calcInt is int arithmetic, and that of durations for + and -: leaving the range
// is an error, never a wrap.
func calcInt(op Op, a, b int64) (int64, Code) {
	switch op {
	case OpAdd:
		if r := a + b; (r > a) == (b > 0) {
			return r, OK
		}
	case OpSub:
		if r := a - b; (r < a) == (b > 0) {
			return r, OK
		}
	case OpMul:
		if a == 0 || b == 0 {
			return 0, OK
		}
		if r := a * b; r/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64) {
			return r, OK
		}
	case OpDiv:
		if b == 0 {
			return 0, DivideByZero
		}
		if a != math.MinInt64 || b != -1 {
			return a / b, OK
		}
	case OpMod:
		if b == 0 {
			return 0, ModulusByZero
		}
		if a != math.MinInt64 || b != -1 {
			return a % b, OK
		}
	}
	return 0, Overflow
}

func calcUint(op Op, a, b uint64) (uint64, Code) {
	var r, carry uint64
	switch op {
	case OpAdd:
		r, carry = bits.Add64(a, b, 0)
	case OpSub:
		r, carry = bits.Sub64(a, b, 0)
	case OpMul:
		carry, r = bits.Mul64(a, b)
	case OpDiv:
		if b == 0 {
			return 0, DivideByZero
		}
		return a / b, OK
	case OpMod:
		if b == 0 {
			return 0, ModulusByZero
		}
		return a % b, OK
	}
	if carry != 0 {
		return 0, Overflow
	}
	return r, OK
}

func calcDouble(op Op, a, b uint64) uint64 {
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	switch op {
	case OpAdd:
		x += y
	case OpSub:
		x -= y
	case OpMul:
		x *= y
	default:
		x /= y
	}
	return math.Float64bits(x)
}

// The instants that exist: from year 1 to the end of year 9999, as in the
// protocol-buffer type that CEL takes them from.
const (
	minSec = -62135596800
	maxSec = 253402300799
	second = 1_000_000_000
)

// later adds a duration to an instant, or takes one away.
func (f *Frame) later(n *Node) (Value, Code) {
	at, by := n.A, n.B
	var t Value
	var d uint64
	var c Code
	if f.p.Nodes[at].Type == TDuration {
		if d, c = f.num(at); c == OK {
			t, c = f.val(by)
		}
	} else if t, c = f.val(at); c == OK {
		d, c = f.num(by)
	}
	if c != OK {
		return Value{}, c
	}
	nanos := int64(d)
	if n.Op == OpSub {
		if nanos == math.MinInt64 {
			return Value{}, Overflow
		}
		nanos = -nanos
	}
	sec, c := calcInt(OpAdd, int64(t.num), nanos/second)
	nano := int64(t.nano) + nanos%second
	switch {
	case nano < 0:
		nano += second
		sec--
	case nano >= second:
		nano -= second
		sec++
	}
	if c != OK || sec < minSec || sec > maxSec {
		return Value{}, Overflow
	}
	t.num, t.nano = uint64(sec), int32(nano)
	return t, OK
}

// between is the duration from one instant to another.
func (f *Frame) between(n *Node) (uint64, Code) {
	a, c := f.val(n.A)
	if c != OK {
		return 0, c
	}
	b, c := f.val(n.B)
	if c != OK {
		return 0, c
	}
	sec, c := calcInt(OpSub, int64(a.num), int64(b.num))
	if c != OK {
		return 0, c
	}
	if sec, c = calcInt(OpMul, sec, second); c != OK {
		return 0, c
	}
	sec, c = calcInt(OpAdd, sec, int64(a.nano)-int64(b.nano))
	return uint64(sec), c
}

// valid gives a text the form that a conversion to characters and back would:
// every byte that is not part of a character becomes U+FFFD.
func (f *Frame) valid(s string) (string, Code) {
	if utf8.ValidString(s) {
		return s, OK
	}
	if !f.newText(3 * len(s)) {
		return "", TooMuch
	}
	var b strings.Builder
	b.Grow(3 * len(s))
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String(), OK
}

// changeCase maps the letters of ASCII; a text that stays as it is is not copied.
func (f *Frame) changeCase(s string, upper bool) (string, Code) {
	if !f.scan(len(s)) {
		return "", TooMuch
	}
	s, c := f.valid(s)
	if c != OK {
		return "", c
	}
	from, to := byte('A'), byte('Z')
	if upper {
		from, to = 'a', 'z'
	}
	for i := range len(s) {
		if s[i] >= from && s[i] <= to {
			if !f.newText(len(s)) {
				return "", TooMuch
			}
			var b strings.Builder
			b.Grow(len(s))
			b.WriteString(s[:i])
			for ; i < len(s); i++ {
				c := s[i]
				if c >= from && c <= to {
					c ^= 'a' - 'A'
				}
				b.WriteByte(c)
			}
			return b.String(), OK
		}
	}
	return s, OK
}

func (f *Frame) replace(n *Node) (string, Code) {
	s, c := f.text(n.A)
	if c != OK {
		return "", c
	}
	old, c := f.text(n.B)
	if c != OK {
		return "", c
	}
	with, c := f.text(n.C)
	if c != OK {
		return "", c
	}
	limit := -1
	if n.Op == OpReplaceN {
		u, c := f.num(n.D)
		if c != OK {
			return "", c
		}
		limit = clamp(u)
	}
	if !f.scan(len(s)) {
		return "", TooMuch
	}
	found := strings.Count(s, old)
	if limit >= 0 {
		found = min(found, limit)
	}
	if found == 0 || old == with {
		return s, OK
	}
	if !f.newText(len(s)) || !f.take(times(found, max(0, len(with)-len(old)))>>2) {
		return "", TooMuch
	}
	return strings.Replace(s, old, with, limit), OK
}

// clamp makes a count of an int: what is beyond any text is as good as its bound.
func clamp(u uint64) int {
	return int(max(min(int64(u), math.MaxInt32), -1))
}

func (f *Frame) split(n *Node) (Value, Code) {
	s, c := f.text(n.A)
	if c != OK {
		return Value{}, c
	}
	sep, c := f.text(n.B)
	if c != OK {
		return Value{}, c
	}
	limit := -1
	if n.Op == OpSplitN {
		u, c := f.num(n.C)
		if c != OK {
			return Value{}, c
		}
		limit = clamp(u)
	}
	if !f.scan(len(s)) {
		return Value{}, TooMuch
	}
	pieces := strings.Count(s, sep) + 1
	if limit >= 0 {
		pieces = min(pieces, limit)
	}
	if !f.newList(pieces) {
		return Value{}, TooMuch
	}
	parts := strings.SplitN(s, sep, limit)
	return Strings(&parts), OK
}

// substring takes characters from a start to an end, both counted in characters.
func (f *Frame) substring(n *Node) (string, Code) {
	s, c := f.text(n.A)
	if c != OK {
		return "", c
	}
	u, c := f.num(n.B)
	if c != OK {
		return "", c
	}
	start, end := int64(u), int64(-1)
	if n.Op == OpSubstring {
		if u, c = f.num(n.C); c != OK {
			return "", c
		}
		end = int64(u)
		if end < start || end < 0 {
			return "", IndexOutOfRange
		}
	}
	if !f.scan(len(s)) {
		return "", TooMuch
	}
	if s, c = f.valid(s); c != OK {
		return "", c
	}
	from, ok := offset(s, start)
	if !ok {
		return "", IndexOutOfRange
	}
	to := len(s)
	if n.Op == OpSubstring {
		width, ok := offset(s[from:], end-start)
		if !ok {
			return "", IndexOutOfRange
		}
		to = from + width
	}
	return s[from:to], OK
}

// offset is where character n of s begins; the end of s is a place too.
func offset(s string, n int64) (int, bool) {
	if n < 0 || n > int64(len(s)) {
		return 0, false
	}
	at := 0
	for ; n > 0; n-- {
		if at >= len(s) {
			return 0, false
		}
		_, width := utf8.DecodeRuneInString(s[at:])
		at += width
	}
	return at, true
}

func (f *Frame) toBool(n *Node) (bool, Code) {
	if f.p.Nodes[n.A].Type == TBool {
		return f.boolean(n.A)
	}
	s, c := f.text(n.A)
	if c != OK {
		return false, c
	}
	switch s {
	case "1", "t", "T", "true", "TRUE", "True":
		return true, OK
	case "0", "f", "F", "false", "FALSE", "False":
		return false, OK
	}
	return false, BadConversion
}

func (f *Frame) toInt(n *Node) (uint64, Code) {
	switch f.p.Nodes[n.A].Type {
	case TString:
		s, c := f.text(n.A)
		if c != OK {
			return 0, c
		}
		if !f.scan(len(s)) {
			return 0, TooMuch
		}
		sign := ""
		if s != "" && (s[0] == '+' || s[0] == '-') {
			sign, s = s[:1], s[1:]
		}
		u, ok := decimal(s)
		switch {
		case !ok || u > 1<<63 || u == 1<<63 && sign != "-":
			return 0, BadConversion
		case sign == "-":
			return -u, OK
		}
		return u, OK
	case TTimestamp:
		v, c := f.val(n.A)
		return v.num, c
	case TDouble:
		u, c := f.num(n.A)
		if c != OK {
			return 0, c
		}
		// Both ends are excluded, as the reference implementation has it.
		if d := math.Float64frombits(u); d > math.MinInt64 && d < math.MaxInt64 {
			return uint64(int64(d)), OK
		}
		return 0, Overflow
	case TUint:
		u, c := f.num(n.A)
		if c == OK && u > math.MaxInt64 {
			return 0, Overflow
		}
		return u, c
	}
	return f.num(n.A)
}

func (f *Frame) toUint(n *Node) (uint64, Code) {
	switch f.p.Nodes[n.A].Type {
	case TString:
		s, c := f.text(n.A)
		if c != OK {
			return 0, c
		}
		if !f.scan(len(s)) {
			return 0, TooMuch
		}
		u, ok := decimal(s)
		if !ok {
			return 0, BadConversion
		}
		return u, OK
	case TDouble:
		u, c := f.num(n.A)
		if c != OK {
			return 0, c
		}
		if d := math.Float64frombits(u); d >= 0 && d < 1<<64 {
			return uint64(d), OK
		}
		return 0, Overflow
	case TInt:
		u, c := f.num(n.A)
		if c == OK && int64(u) < 0 {
			return 0, Overflow
		}
		return u, c
	}
	return f.num(n.A)
}

// decimal reads an unsigned decimal number: digits only.
func decimal(s string) (uint64, bool) {
	var u uint64
	for i := range len(s) {
		d := uint64(s[i] - '0')
		if d > 9 || u > (math.MaxUint64-d)/10 {
			return 0, false
		}
		u = u*10 + d
	}
	return u, s != ""
}

func (f *Frame) toDouble(n *Node) (uint64, Code) {
	switch f.p.Nodes[n.A].Type {
	case TString:
		s, c := f.text(n.A)
		if c != OK {
			return 0, c
		}
		// A few texts that lie halfway between two numbers take a thousand times as
		// long as others.
		if !f.take(128 + len(s)>>4) {
			return 0, TooMuch
		}
		d, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, BadConversion
		}
		return math.Float64bits(d), OK
	case TInt:
		u, c := f.num(n.A)
		return math.Float64bits(float64(int64(u))), c
	case TUint:
		u, c := f.num(n.A)
		return math.Float64bits(float64(u)), c
	}
	return f.num(n.A)
}

func (f *Frame) toDuration(n *Node) (uint64, Code) {
	if f.p.Nodes[n.A].Type == TDuration {
		return f.num(n.A)
	}
	s, c := f.text(n.A)
	if c != OK {
		return 0, c
	}
	if !f.scan(len(s)) {
		return 0, TooMuch
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, BadConversion
	}
	return uint64(d), OK
}

func (f *Frame) toTimestamp(n *Node) (Value, Code) {
	switch f.p.Nodes[n.A].Type {
	case TTimestamp:
		return f.val(n.A)
	case TInt:
		u, c := f.num(n.A)
		if c != OK {
			return Value{}, c
		}
		if sec := int64(u); sec < minSec || sec > maxSec {
			return Value{}, Overflow
		}
		return Timestamp(int64(u), 0), OK
	}
	s, c := f.text(n.A)
	if c != OK {
		return Value{}, c
	}
	// The standard library makes a zone for every offset.
	if !f.take(32 + len(s)>>4) {
		return Value{}, TooMuch
	}
	if !strictTime(s) {
		return Value{}, BadConversion
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return Value{}, BadConversion
	}
	sec := t.Unix()
	if sec < minSec || sec > maxSec {
		return Value{}, Overflow
	}
	v := Timestamp(sec, int32(t.Nanosecond()))
	_, east := t.Zone()
	v.zone = int16(east / 60)
	return v, OK
}

// strictTime reports what the standard library's parser is lenient about: a comma
// before the fraction, single digits, offsets beyond a day.
func strictTime(s string) bool {
	const shape = "dddd-dd-ddTdd:dd:dd"
	if len(s) <= len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == 'd' && (s[i] < '0' || s[i] > '9') || shape[i] != 'd' && s[i] != shape[i] {
			return false
		}
	}
	rest := s[len(shape):]
	if rest[0] == '.' {
		rest = strings.TrimLeft(rest[1:], "0123456789")
		if len(rest) == len(s)-len(shape)-1 {
			return false
		}
	}
	if rest == "Z" {
		return true
	}
	if len(rest) != 6 || rest[0] != '+' && rest[0] != '-' || rest[3] != ':' {
		return false
	}
	hour, okHour := decimal(rest[1:3])
	minute, okMinute := decimal(rest[4:])
	return okHour && okMinute && hour < 24 && minute < 60
}

func (f *Frame) toText(n *Node) (string, Code) {
	t := f.p.Nodes[n.A].Type
	switch t {
	case TString:
		return f.text(n.A)
	case TBytes:
		s, c := f.text(n.A)
		if c != OK {
			return "", c
		}
		if !f.scan(len(s)) {
			return "", TooMuch
		}
		if !utf8.ValidString(s) {
			return "", BadConversion
		}
		return s, OK
	case TBool:
		b, c := f.boolean(n.A)
		return strconv.FormatBool(b), c
	case TTimestamp:
		v, c := f.val(n.A)
		if c != OK {
			return "", c
		}
		if !f.newText(40) {
			return "", TooMuch
		}
		return formatTime(v), OK
	}
	u, c := f.num(n.A)
	if c != OK {
		return "", c
	}
	if !f.newText(32) {
		return "", TooMuch
	}
	switch t {
	case TInt:
		return strconv.FormatInt(int64(u), 10), OK
	case TUint:
		return strconv.FormatUint(u, 10), OK
	case TDuration:
		var buf [32]byte
		b := strconv.AppendFloat(buf[:0], time.Duration(u).Seconds(), 'f', -1, 64)
		return string(append(b, 's')), OK
	}
	return strconv.FormatFloat(math.Float64frombits(u), 'g', -1, 64), OK
}

// formatTime writes an instant as RFC 3339 does, in the zone that it came in.
func formatTime(v Value) string {
	var buf [40]byte
	at := time.Unix(int64(v.num)+int64(v.zone)*60, int64(v.nano)).UTC()
	b := at.AppendFormat(buf[:0], "2006-01-02T15:04:05.999999999")
	if v.zone == 0 {
		return string(append(b, 'Z'))
	}
	sign, east := byte('+'), int(v.zone)
	if east < 0 {
		sign, east = '-', -east
	}
	hour, minute := east/60, east%60
	return string(append(b, sign, byte('0'+hour/10), byte('0'+hour%10), ':', byte('0'+minute/10), byte('0'+minute%10)))
}
