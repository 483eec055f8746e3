package expr

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/scan"
)

// A Host carries out the functions of an environment. It is called with
// arguments of the declared types. args is only valid during the call and its
// values must not be changed. A result of another type than declared counts as
// [BadArgument].
type Host interface {
	Call(fn uint16, args []Value) (Value, Code)
}

// Budget is what one evaluation may spend. A turn of a loop costs 1 for each
// operation in its body and 1 for itself, comparing with an element of a list 1,
// looking through a text 1 per 16 bytes, matching it the pattern's weight for each
// 16 bytes begun, a new text 1 per 4 bytes and room for an element of a new list or
// map 16. So one evaluation allocates at most four bytes per unit, 64 MiB in all,
// and one that would spend more ends with [TooMuch]. What a [Host] allocates is
// its own affair.
//
// The cost estimate at compile time keeps honest programs far below: it counts in
// the same units, and its bound is a quarter of the budget.
const Budget = 1 << 24

// A Frame is what one evaluation works on. It is reusable and keeps no result,
// and serves one goroutine at a time.
type Frame struct {
	// Vars holds the variables in the order of [Env.Vars], all of them present and
	// of their declared types.
	Vars []Value

	// Host carries out functions; it may be nil if no program calls any.
	Host Host

	// Trace, if not nil, is told the value or the error of every node that was
	// evaluated, operands first; a node inside of a macro once for each turn. Nodes
	// that a short cut skipped are not told. It must not use the Frame.
	Trace func(node int, v Value, c Code)

	p      *Program
	fuel   int
	spent  bool // TooMuch happened; nothing may absorb it
	match  scan.Matches
	locals [MaxLoops]Value
	args   []Value
}

// Spent is what the last evaluation used of its [Budget].
func (f *Frame) Spent() int { return Budget - f.fuel }

// Eval evaluates p. It returns the value, of type p.Result(), or why there is
// none; then the value is the zero Value. Scalars are computed without
// allocating, except new texts: joined, replaced, changed in case, converted.
func (f *Frame) Eval(p *Program) (Value, Code) {
	if !f.begin(p) {
		return Value{}, BadFrame
	}
	v, c := f.val(uint16(len(p.Nodes) - 1))
	if c = f.end(c); c != OK {
		return Value{}, c
	}
	return v, OK
}

// EvalBool evaluates p, which must be of type bool.
func (f *Frame) EvalBool(p *Program) (bool, Code) {
	if p.Result() != TBool || !f.begin(p) {
		return false, BadFrame
	}
	b, c := f.boolean(uint16(len(p.Nodes) - 1))
	c = f.end(c)
	return b && c == OK, c
}

// EvalBoolAt evaluates one node of type bool, with the whole budget. A node that lies
// in the body of a macro has no variable of that macro: it gives [BadFrame].
func (f *Frame) EvalBoolAt(p *Program, node int) (bool, Code) {
	if node < 0 || node >= len(p.Nodes) || p.Nodes[node].Type != TBool || !f.begin(p) {
		return false, BadFrame
	}
	b, c := f.boolean(uint16(node))
	c = f.end(c)
	return b && c == OK, c
}

// begin makes the frame ready for a program.
func (f *Frame) begin(p *Program) bool {
	if !p.sound || len(f.Vars) != p.vars {
		return false
	}
	f.p, f.fuel, f.spent = p, Budget, false
	f.match.Grow(1)
	return true
}

// end forgets what the evaluation bound, and returns its code: nothing may have
// absorbed that the budget was used up.
func (f *Frame) end(c Code) Code {
	clear(f.locals[:f.p.loops])
	f.p = nil
	if f.spent {
		return TooMuch
	}
	return c
}

// scan pays for looking through n bytes and reports whether that was possible.
func (f *Frame) scan(n int) bool { return f.take(n >> 4) }

// take pays n units and reports whether there were as many.
func (f *Frame) take(n int) bool {
	if n > f.fuel {
		f.fuel, f.spent = 0, true
		return false
	}
	f.fuel -= n
	return true
}

// newText pays for a text of n bytes.
func (f *Frame) newText(n int) bool { return f.take(n>>2 + 1) }

// newList pays for a list of n elements.
func (f *Frame) newList(n int) bool { return f.take(min(n, Budget)<<4 + 1) }

// times multiplies two prices. Products far beyond the budget are all alike: a
// quarter of one, and the sum of some, still tell that there is too much to pay.
func times(a, b int) int {
	const most = Budget << 4
	if a != 0 && b > most/a {
		return most
	}
	return a * b
}

// Each of the four evaluators below serves the nodes of some types, without a
// Value where it can: boolean, num (int, uint, double bits, duration), text
// (string, bytes) and val (all). When Trace is set, all go through val.

func (f *Frame) boolean(i uint16) (bool, Code) {
	if f.Trace != nil {
		v, c := f.val(i)
		return v.num != 0, c
	}
	return f.evalBool(&f.p.Nodes[i])
}

func (f *Frame) num(i uint16) (uint64, Code) {
	if f.Trace != nil {
		v, c := f.val(i)
		return v.num, c
	}
	return f.evalNum(&f.p.Nodes[i])
}

func (f *Frame) text(i uint16) (string, Code) {
	if f.Trace != nil {
		v, c := f.val(i)
		return v.str, c
	}
	return f.evalText(&f.p.Nodes[i])
}

func (f *Frame) val(i uint16) (Value, Code) {
	v, c := f.evalVal(&f.p.Nodes[i])
	if f.Trace != nil {
		if c != OK {
			v = Value{}
		}
		f.Trace(int(i), v, c)
	}
	return v, c
}

// peek is the place of a variable, a local or a constant, so that it need not be
// copied; for every other node it is nil.
func (f *Frame) peek(i uint16) *Value {
	n := &f.p.Nodes[i]
	if n.Op == OpList && n.C != 0 && f.Trace == nil {
		return &f.p.Consts[n.C-1]
	}
	if n.Op > OpLocal || f.Trace != nil {
		return nil
	}
	v, c := f.load(n)
	if c != OK {
		return nil
	}
	return v
}

// load reads a variable, a local or a constant.
func (f *Frame) load(n *Node) (*Value, Code) {
	var v *Value
	switch n.Op {
	case OpVar:
		v = &f.Vars[n.A]
	case OpLocal:
		v = &f.locals[n.A]
	default:
		return &f.p.Consts[n.A], OK
	}
	if v.kind != n.Type.Kind() {
		return v, BadFrame
	}
	return v, OK
}

func (f *Frame) evalBool(n *Node) (bool, Code) {
	switch n.Op {
	case OpVar, OpLocal, OpConst:
		v, c := f.load(n)
		return v.num != 0, c
	case OpAnd:
		a, ca := f.boolean(n.A)
		if ca == OK && !a {
			return false, OK
		}
		b, cb := f.boolean(n.B)
		if cb == OK && !b {
			return false, OK
		}
		if ca != OK {
			return false, ca
		}
		return true, cb
	case OpOr:
		a, ca := f.boolean(n.A)
		if ca == OK && a {
			return true, OK
		}
		b, cb := f.boolean(n.B)
		if cb == OK && b {
			return true, OK
		}
		if ca != OK {
			return false, ca
		}
		return false, cb
	case OpNot:
		a, c := f.boolean(n.A)
		return !a, c
	case OpCond:
		a, c := f.boolean(n.A)
		if c != OK {
			return false, c
		}
		if a {
			return f.boolean(n.B)
		}
		return f.boolean(n.C)
	case OpEq:
		return f.equal(n)
	case OpNe:
		b, c := f.equal(n)
		return !b, c
	case OpLt, OpLe, OpGt, OpGe:
		return f.order(n)
	case OpIn:
		return f.in(n)
	case OpHas:
		var room Value
		m := f.peek(n.A)
		if m == nil {
			var c Code
			if room, c = f.val(n.A); c != OK {
				return false, c
			}
			m = &room
		}
		key := f.p.Consts[n.B].str
		if !f.scan(len(key)) {
			return false, TooMuch
		}
		return m.has(key), OK
	case OpContains, OpStartsWith, OpEndsWith:
		a, c := f.text(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.text(n.B)
		if c != OK {
			return false, c
		}
		if n.Op == OpContains {
			if !f.scan(len(a)) {
				return false, TooMuch
			}
			return strings.Contains(a, b), OK
		}
		if !f.scan(len(b)) {
			return false, TooMuch
		}
		if n.Op == OpStartsWith {
			return strings.HasPrefix(a, b), OK
		}
		return strings.HasSuffix(a, b), OK
	case OpMatches:
		a, c := f.text(n.A)
		if c != OK {
			return false, c
		}
		if !f.take(times(len(a)>>4+1, f.p.weight[n.B])) {
			return false, TooMuch
		}
		f.match.Reset()
		f.p.regex[n.B].Match(a, &f.match)
		return len(f.match.List) > 0, OK
	case OpToBool:
		return f.toBool(n)
	case OpAll, OpExists:
		return f.quantify(n)
	case OpExistsOne:
		return f.one(n)
	}
	v, c := f.general(n)
	return v.num != 0, c
}

func (f *Frame) evalNum(n *Node) (uint64, Code) {
	switch n.Op {
	case OpVar, OpLocal, OpConst:
		v, c := f.load(n)
		return v.num, c
	case OpCond:
		a, c := f.boolean(n.A)
		if c != OK {
			return 0, c
		}
		if a {
			return f.num(n.B)
		}
		return f.num(n.C)
	case OpAdd, OpSub, OpMul, OpDiv, OpMod:
		if n.Op == OpSub && f.p.Nodes[n.A].Type == TTimestamp {
			return f.between(n)
		}
		a, c := f.num(n.A)
		if c != OK {
			return 0, c
		}
		b, c := f.num(n.B)
		if c != OK {
			return 0, c
		}
		switch n.Type {
		case TDouble:
			return calcDouble(n.Op, a, b), OK
		case TUint:
			return calcUint(n.Op, a, b)
		}
		r, c := calcInt(n.Op, int64(a), int64(b))
		return uint64(r), c
	case OpNeg:
		a, c := f.num(n.A)
		if c != OK {
			return 0, c
		}
		if n.Type == TDouble {
			return math.Float64bits(-math.Float64frombits(a)), OK
		}
		if int64(a) == math.MinInt64 {
			return 0, Overflow
		}
		return -a, OK
	case OpSize:
		switch f.p.Nodes[n.A].Type {
		case TString:
			s, c := f.text(n.A)
			if c != OK {
				return 0, c
			}
			if !f.scan(len(s)) {
				return 0, TooMuch
			}
			return uint64(utf8.RuneCountInString(s)), OK
		case TBytes:
			s, c := f.text(n.A)
			return uint64(len(s)), c
		}
		v, c := f.val(n.A)
		return uint64(v.Len()), c
	case OpToInt:
		return f.toInt(n)
	case OpToUint:
		return f.toUint(n)
	case OpToDouble:
		return f.toDouble(n)
	case OpToDuration:
		return f.toDuration(n)
	}
	v, c := f.general(n)
	return v.num, c
}

func (f *Frame) evalText(n *Node) (string, Code) {
	switch n.Op {
	case OpVar, OpLocal, OpConst:
		v, c := f.load(n)
		return v.str, c
	case OpCond:
		a, c := f.boolean(n.A)
		if c != OK {
			return "", c
		}
		if a {
			return f.text(n.B)
		}
		return f.text(n.C)
	case OpAdd:
		a, c := f.text(n.A)
		if c != OK {
			return "", c
		}
		b, c := f.text(n.B)
		if c != OK {
			return "", c
		}
		if !f.newText(len(a) + len(b)) {
			return "", TooMuch
		}
		return a + b, OK
	case OpLower, OpUpper, OpTrim:
		a, c := f.text(n.A)
		if c != OK {
			return "", c
		}
		if n.Op == OpTrim {
			if !f.scan(len(a)) {
				return "", TooMuch
			}
			return strings.TrimSpace(a), OK
		}
		return f.changeCase(a, n.Op == OpUpper)
	case OpReplace, OpReplaceN:
		return f.replace(n)
	case OpFrom, OpSubstring:
		return f.substring(n)
	case OpToString:
		return f.toText(n)
	case OpToBytes:
		return f.text(n.A)
	}
	v, c := f.general(n)
	return v.str, c
}

func (f *Frame) evalVal(n *Node) (Value, Code) {
	switch n.Op {
	case OpVar, OpLocal, OpConst:
		v, c := f.load(n)
		return *v, c
	case OpList, OpMap, OpIndex, OpSelect, OpFilter, OpTransform, OpSift, OpCall, OpSplit, OpSplitN, OpToTimestamp:
		return f.general(n)
	}
	switch k := n.Type.Kind(); k {
	case KindBool:
		b, c := f.evalBool(n)
		return Bool(b), c
	case KindInt, KindUint, KindDouble, KindDuration:
		u, c := f.evalNum(n)
		return Value{kind: k, num: u}, c
	case KindString, KindBytes:
		s, c := f.evalText(n)
		return Value{kind: k, str: s}, c
	}
	return f.general(n)
}

// general evaluates the operations whose value can be of any type, and those that
// make instants, lists and maps.
func (f *Frame) general(n *Node) (Value, Code) {
	switch n.Op {
	case OpCond:
		a, c := f.boolean(n.A)
		if c != OK {
			return Value{}, c
		}
		if a {
			return f.val(n.B)
		}
		return f.val(n.C)
	case OpIndex:
		return f.index(n)
	case OpSelect:
		var room Value
		m := f.peek(n.A)
		if m == nil {
			var c Code
			if room, c = f.val(n.A); c != OK {
				return Value{}, c
			}
			m = &room
		}
		return f.get(m, f.p.Consts[n.B].str)
	case OpCall:
		return f.call(n)
	case OpList:
		return f.list(n)
	case OpMap:
		return f.mapping(n)
	case OpAdd:
		if n.Type == TTimestamp {
			return f.later(n)
		}
		return f.join(n)
	case OpSub:
		return f.later(n)
	case OpSplit, OpSplitN:
		return f.split(n)
	case OpToTimestamp:
		return f.toTimestamp(n)
	case OpFilter, OpTransform, OpSift:
		return f.collect(n)
	}
	return Value{}, BadFrame // Decode lets no other operation come here
}

// equal compares the operands of == and !=.
func (f *Frame) equal(n *Node) (bool, Code) {
	switch f.p.Nodes[n.A].Type.Kind() {
	case KindString, KindBytes:
		a, c := f.text(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.text(n.B)
		if c != OK {
			return false, c
		}
		if !f.scan(min(len(a), len(b))) {
			return false, TooMuch
		}
		return a == b, OK
	case KindBool:
		a, c := f.boolean(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.boolean(n.B)
		return a == b, c
	case KindInt, KindUint, KindDuration:
		a, c := f.num(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.num(n.B)
		return a == b, c
	}
	a, c := f.val(n.A)
	if c != OK {
		return false, c
	}
	b, c := f.val(n.B)
	if c != OK {
		return false, c
	}
	return f.same(a, b), OK
}

// order compares the operands of <, <=, > and >=. Nothing is less or greater than
// a NaN, nor equal to it.
func (f *Frame) order(n *Node) (bool, Code) {
	var less, more bool
	switch t := f.p.Nodes[n.A].Type; t {
	case TString, TBytes:
		a, c := f.text(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.text(n.B)
		if c != OK {
			return false, c
		}
		if !f.scan(min(len(a), len(b))) {
			return false, TooMuch
		}
		less, more = a < b, a > b
	case TBool:
		a, c := f.boolean(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.boolean(n.B)
		if c != OK {
			return false, c
		}
		less, more = !a && b, a && !b
	case TTimestamp:
		a, c := f.val(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.val(n.B)
		if c != OK {
			return false, c
		}
		sa, sb := int64(a.num), int64(b.num)
		less = sa < sb || sa == sb && a.nano < b.nano
		more = sa > sb || sa == sb && a.nano > b.nano
	default:
		a, c := f.num(n.A)
		if c != OK {
			return false, c
		}
		b, c := f.num(n.B)
		if c != OK {
			return false, c
		}
		switch t {
		case TDouble:
			x, y := math.Float64frombits(a), math.Float64frombits(b)
			if x != x || y != y {
				return false, OK
			}
			less, more = x < y, x > y
		case TUint:
			less, more = a < b, a > b
		default:
			less, more = int64(a) < int64(b), int64(a) > int64(b)
		}
	}
	switch n.Op {
	case OpLt:
		return less, OK
	case OpLe:
		return !more, OK
	case OpGt:
		return more, OK
	}
	return !less, OK
}

// in looks for a value in a list or for a key in a map.
func (f *Frame) in(n *Node) (bool, Code) {
	if f.p.Nodes[n.A].Type == TString {
		s, c := f.text(n.A)
		if c != OK {
			return false, c
		}
		var room Value
		over := f.peek(n.B)
		if over == nil {
			if room, c = f.val(n.B); c != OK {
				return false, c
			}
			over = &room
		}
		if over.kind == KindMap {
			if !f.scan(len(s)) {
				return false, TooMuch
			}
			return over.has(s), OK
		}
		if !f.take(times(over.Len(), 1+len(s)>>4)) {
			return false, TooMuch
		}
		if l, ok := over.ref.(*[]string); ok {
			for _, e := range *l {
				if e == s {
					return true, OK
				}
			}
			return false, OK
		}
		for i := range over.Len() {
			if over.At(i).str == s {
				return true, OK
			}
		}
		return false, OK
	}
	v, c := f.val(n.A)
	if c != OK {
		return false, c
	}
	over, c := f.val(n.B)
	if c != OK {
		return false, c
	}
	if !f.take(over.Len()) {
		return false, TooMuch
	}
	for i := range over.Len() {
		if f.same(v, over.At(i)) {
			return true, OK
		}
	}
	return false, OK
}

func (f *Frame) get(m *Value, key string) (Value, Code) {
	if !f.scan(len(key)) {
		return Value{}, TooMuch
	}
	v, ok := m.Get(key)
	if !ok {
		return Value{}, NoSuchKey
	}
	return v, OK
}

func (f *Frame) index(n *Node) (Value, Code) {
	var room Value
	over := f.peek(n.A)
	if over == nil {
		var c Code
		if room, c = f.val(n.A); c != OK {
			return Value{}, c
		}
		over = &room
	}
	if over.kind == KindMap {
		key, c := f.text(n.B)
		if c != OK {
			return Value{}, c
		}
		return f.get(over, key)
	}
	i, c := f.num(n.B)
	if c != OK {
		return Value{}, c
	}
	if i >= uint64(over.Len()) { // a negative index is a large number here
		return Value{}, IndexOutOfRange
	}
	return over.At(int(i)), OK
}

func (f *Frame) call(n *Node) (Value, Code) {
	if f.Host == nil {
		return Value{}, BadFrame
	}
	base := len(f.args)
	for _, a := range f.p.Args[n.B : n.B+n.C] {
		v, c := f.val(a)
		if c != OK {
			f.args = f.args[:base]
			return Value{}, c
		}
		f.args = append(f.args, v)
	}
	args := f.args[base:]
	var v Value
	c := TooMuch
	if f.payCall(int(n.D), args) {
		v, c = f.Host.Call(n.A, args)
	}
	clear(args)
	f.args = f.args[:base]
	switch {
	case c != OK:
		return Value{}, c
	case !v.Is(n.Type):
		return Value{}, BadArgument
	}
	return v, OK
}

// payCall pays for a function that costs so much for each byte of its arguments.
// Of two lists, every element of one may be compared with every one of the other.
func (f *Frame) payCall(cost int, args []Value) bool {
	var total, pairs, count int
	for i := range args {
		n := args[i].Len()
		if !f.take(n) {
			return false
		}
		size := n + length(args[i])>>4
		if n > 0 && count > 0 {
			pairs += min(times(n, total), times(size, count))
		}
		total += size
		count += n
	}
	return f.take(4 + pairs + times(total, cost))
}

// length is how many bytes a text has, or all the texts of a list or map.
func length(v Value) int {
	if l, ok := v.ref.(*[]string); ok {
		n := 0
		for _, s := range *l {
			n += len(s)
		}
		return n
	}
	n := len(v.str)
	for i := range v.Len() {
		e := v.At(i)
		if v.kind == KindMap {
			var key string
			key, e = v.Entry(i)
			n += len(key)
		}
		n += length(e)
	}
	return n
}

func (f *Frame) list(n *Node) (Value, Code) {
	if n.C != 0 {
		return f.folded(n)
	}
	if !f.newList(int(n.B)) {
		return Value{}, TooMuch
	}
	vs := make([]Value, n.B)
	for i, a := range f.p.Args[n.A : n.A+n.B] {
		v, c := f.val(a)
		if c != OK {
			return Value{}, c
		}
		vs[i] = v
	}
	return List(vs), OK
}

// folded is a list or map of constants. Its parts are evaluated only to be told.
func (f *Frame) folded(n *Node) (Value, Code) {
	if f.Trace != nil {
		for _, a := range f.p.Args[n.A : n.A+n.B] {
			_, _ = f.val(a)
		}
	}
	return f.p.Consts[n.C-1], OK
}

func (f *Frame) mapping(n *Node) (Value, Code) {
	if n.C != 0 {
		return f.folded(n)
	}
	if !f.newList(int(n.B)) {
		return Value{}, TooMuch
	}
	m := &Map{}
	args := f.p.Args[n.A : n.A+n.B]
	for i := 0; i < len(args); i += 2 {
		key, c := f.text(args[i])
		if c != OK {
			return Value{}, c
		}
		v, c := f.val(args[i+1])
		if c != OK {
			return Value{}, c
		}
		if !f.scan(len(key)) {
			return Value{}, TooMuch
		}
		m.Set(key, v)
	}
	return MapValue(m), OK
}

// join concatenates two lists.
func (f *Frame) join(n *Node) (Value, Code) {
	a, c := f.val(n.A)
	if c != OK {
		return Value{}, c
	}
	b, c := f.val(n.B)
	if c != OK {
		return Value{}, c
	}
	la, lb := a.Len(), b.Len()
	switch {
	case la == 0:
		return b, OK
	case lb == 0:
		return a, OK
	case !f.newList(la + lb):
		return Value{}, TooMuch
	}
	vs := make([]Value, 0, la+lb)
	for i := range la {
		vs = append(vs, a.At(i))
	}
	for i := range lb {
		vs = append(vs, b.At(i))
	}
	return List(vs), OK
}

// element is what a macro binds its variable to: an element or a key.
func element(over *Value, i int) Value {
	if l, ok := over.ref.(*[]string); ok {
		return String((*l)[i])
	}
	if over.kind == KindMap {
		key, _ := over.Entry(i)
		return String(key)
	}
	return over.At(i)
}

// quantify evaluates all and exists, which absorb errors as && and || do: one
// element that decides wins over any error, and of several errors the first counts.
func (f *Frame) quantify(n *Node) (bool, Code) {
	var room Value
	over := f.peek(n.A)
	if over == nil {
		var c Code
		if room, c = f.val(n.A); c != OK {
			return false, c
		}
		over = &room
	}
	decisive := n.Op == OpExists
	first := OK
	local := &f.locals[n.C]
	price := f.p.turn(n.A, n.B)
	for i := range over.Len() {
		if !f.take(price) {
			return false, TooMuch
		}
		*local = element(over, i)
		b, c := f.boolean(n.B)
		if c == OK && b == decisive {
			return decisive, OK
		}
		if first == OK {
			first = c
		}
	}
	return !decisive, first
}

// one evaluates exists_one. It absorbs nothing, yet all elements are looked at, and
// of several errors the last counts: this is how CEL's reference implementation
// folds exists_one and filter.
func (f *Frame) one(n *Node) (bool, Code) {
	var room Value
	over := f.peek(n.A)
	if over == nil {
		var c Code
		if room, c = f.val(n.A); c != OK {
			return false, c
		}
		over = &room
	}
	last, found := OK, 0
	local := &f.locals[n.C]
	price := f.p.turn(n.A, n.B)
	for i := range over.Len() {
		if !f.take(price) {
			return false, TooMuch
		}
		*local = element(over, i)
		b, c := f.boolean(n.B)
		if c != OK {
			last = c
		} else if b {
			found++
		}
	}
	return found == 1, last
}

// collect evaluates filter and both forms of map.
func (f *Frame) collect(n *Node) (Value, Code) {
	var room Value
	over := f.peek(n.A)
	if over == nil {
		var c Code
		if room, c = f.val(n.A); c != OK {
			return Value{}, c
		}
		over = &room
	}
	var vs []Value
	failed := OK
	local := &f.locals[n.C]
	price := f.p.turn(n.A, max(n.B, n.D))
	count := over.Len()
	for i := range count {
		if !f.take(price) {
			return Value{}, TooMuch
		}
		*local = element(over, i)
		body := n.B
		if n.Op != OpTransform {
			b, c := f.boolean(n.B)
			if c != OK {
				failed = c // the last error of a predicate counts
				continue
			}
			if !b || failed != OK {
				continue
			}
			body = n.D
		}
		v := *local
		if n.Op != OpFilter {
			var c Code
			if v, c = f.val(body); c != OK {
				if n.Op == OpTransform {
					return Value{}, c
				}
				failed = c
				continue
			}
		}
		if len(vs) == cap(vs) {
			// How long the list of map becomes is known; that of filter doubles.
			room := count
			if n.Op != OpTransform {
				room = min(max(4, 2*len(vs)), len(vs)+count-i)
			}
			if !f.newList(room) {
				return Value{}, TooMuch
			}
			vs = append(make([]Value, 0, room), vs...)
		}
		vs = append(vs, v)
	}
	if failed != OK {
		return Value{}, failed
	}
	return List(vs), OK
}
