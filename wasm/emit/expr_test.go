package emit

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/classify/detect"
	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/subgo"
)

const (
	tB, tI, tU, tD = expr.TBool, expr.TInt, expr.TUint, expr.TDouble
	tS, tY, tT, tN = expr.TString, expr.TBytes, expr.TTimestamp, expr.TDuration
)

var (
	scalars = []expr.Type{tB, tI, tU, tD, tS, tY, tT, tN}
	lists   = []expr.Type{expr.ListOf(tS), expr.ListOf(tI), expr.ListOf(tD), expr.ListOf(tB), expr.ListOf(tT), expr.ListOf(tU), expr.ListOf(tY), expr.ListOf(tN),
		expr.ListOf(expr.ListOf(tI)), expr.ListOf(expr.MapOf(tS)), expr.ListOf(expr.ListOf(tT))}
	mapTypes = []expr.Type{expr.MapOf(tS), expr.MapOf(tI), expr.MapOf(expr.ListOf(tS)), expr.MapOf(tT), expr.MapOf(tB)}
	texts    = []string{"", "a", "b", "ab", "abc", "A", "aB", " a ", "a,b,,c", "é", "日本語", "e\u0301x", "🙂", "12", "-7", "+3", "1.5", "true", "F", "1h30m", "0",
		"18446744073709551615", "18446744073709551616", "9223372036854775808", "-9223372036854775808", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+02:00", "2023-02-29T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
		"0000-01-01T00:00:00Z", "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59+00:01", "1900-02-28T01:02:03.0001234567891Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00+24:00",
		"-1.5h", "1us2µs3μs", ".5s", "1.s", ".s", "9223372036854775807ns", "-9223372036854775808ns", "9223372036854775808ns", "2562047h47m16.854775807s", "1d", "0.123456789012345678901234567890h",
		"jane@example.com", "email", "\t\n\v x \f\r", "ſK", "x\u00a0", "\u2003x\u3000\u0085", "aaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaab", "owner", "pii",
		"NaN", "-inf", "1e400", "0x1p-2", "1_0.5e-3", "9007199254740993"}
	broken  = []string{"\xff", "a\xc3", "\xe6\x97b", "\xff\xfeA\xf0\x9f\x99", "\xed\xa0\x80z", " \xa0", "\xc2"}
	keys    = []string{"a", "b", "owner", "pii", "k"}
	ints    = []int64{0, 1, 2, 3, -1, -2, 7, 10, 100, 1 << 31, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 253402300799, -62135596800, 253402300800, 3037000500, -3037000500}
	uints   = []uint64{0, 1, 2, 3, 10, 1 << 32, math.MaxUint64, math.MaxInt64, math.MaxInt64 + 1}
	doubles = []float64{0, 1, -1, 0.5, 2.5, 1e6, 1e21, -1e-7, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 9223372036854775807, -9223372036854775808, 9223372036854774784, 18446744073709551616, 18446744073709549568, -0.5, 1 << 53, 1.7976931348623157e308}
	// Patterns for which the test brings functions of its own.
	patterns = []string{"a", "^a", "日", "^$", "b$"}
)

var testEnv = func() *expr.Env {
	e := &expr.Env{ID: 201, Name: "test"}
	for _, list := range [][]expr.Type{scalars, scalars, lists, mapTypes, mapTypes[:2], lists[:2]} {
		for _, t := range list {
			e.Vars = append(e.Vars, expr.Var{Name: fmt.Sprintf("v%d", len(e.Vars)), Type: t, MaxLen: 64, MaxElems: 8})
		}
	}
	e.Funcs = []expr.Func{
		{ID: 1, Name: "hasAny", Params: []expr.Type{expr.ListOf(tS), expr.ListOf(tS)}, Result: tB, Cost: 1},
		{ID: 2, Name: "initial", Params: []expr.Type{tS}, Result: tS, Cost: 3},
		{ID: 3, Name: "weigh", Params: []expr.Type{tS, expr.ListOf(tI)}, Result: tI, Cost: 1},
		{ID: 4, Name: "is", Params: []expr.Type{tS, tS}, Result: tB, Const: 2, Cost: 2},
		{ID: 5, Name: "first", Params: []expr.Type{expr.ListOf(tI)}, Result: tD, Cost: 1},
		{ID: 6, Name: "later", Params: []expr.Type{tI, tB}, Result: tB, Cost: 1},
	}
	return e
}()

type testHost struct{}

func (testHost) Call(fn uint16, args []expr.Value) (expr.Value, expr.Code) {
	switch fn {
	case 1:
		for i := range args[0].Len() {
			for j := range args[1].Len() {
				if args[0].At(i).AsString() == args[1].At(j).AsString() {
					return expr.Bool(true), expr.OK
				}
			}
		}
		return expr.Bool(false), expr.OK
	case 2:
		s := args[0].AsString()
		if s == "" {
			return expr.Value{}, expr.BadArgument
		}
		for i := range s {
			if i > 0 {
				return expr.String(s[:i]), expr.OK
			}
		}
		return args[0], expr.OK
	case 3:
		return expr.Int(int64(len(args[0].AsString())*100 + args[1].Len())), expr.OK
	case 4:
		return expr.Bool(args[0].AsString() == args[1].AsString()), expr.OK
	case 5:
		if args[0].Len() == 0 {
			return expr.Value{}, expr.BadArgument
		}
		return expr.Double(float64(args[0].At(0).AsInt())), expr.OK
	}
	return expr.Bool(args[1].AsBool() && args[0].AsInt() > 2), expr.OK
}

// A maker writes random expressions.
type maker struct {
	*rand.Rand
	w      *expr.Writer
	locals []expr.Type
	size   int
}

func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (m *maker) program() *expr.Program {
	for {
		m.w, m.locals, m.size = expr.NewWriter(testEnv, ""), nil, 0
		all := slices.Concat(scalars, []expr.Type{tB, tB, tB, tB, tS, tI}, lists, mapTypes)
		m.gen(one(m.Rand, all), 1+m.IntN(5))
		p, err := m.w.Program()
		if err == nil && len(unsupported(p)) == 0 {
			return p
		}
	}
}

func (m *maker) ops(op expr.Op, depth int, types ...expr.Type) {
	m.w.Op(op)
	for _, t := range types {
		m.gen(t, depth-1)
	}
}

func (m *maker) gen(t expr.Type, depth int) {
	if m.size++; depth <= 0 || m.size > 45 {
		m.leaf(t)
		return
	}
	switch m.IntN(14) {
	case 0, 1:
		m.leaf(t)
		return
	case 2:
		m.ops(expr.OpCond, depth, tB, t, t)
		return
	case 3:
		if slices.Contains(lists, expr.ListOf(t)) {
			m.w.Op(expr.OpIndex)
			m.gen(expr.ListOf(t), depth-1)
			m.index()
			return
		}
	case 4:
		if slices.Contains(mapTypes, expr.MapOf(t)) {
			if m.IntN(2) == 0 {
				m.w.Op(expr.OpIndex)
				m.gen(expr.MapOf(t), depth-1)
				m.key(depth)
			} else {
				m.w.Text(expr.OpSelect, one(m.Rand, keys))
				m.gen(expr.MapOf(t), depth-1)
			}
			return
		}
	}
	arithmetic := []expr.Op{expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod}
	switch t {
	case tB:
		m.boolean(depth)
	case tI:
		switch m.IntN(6) {
		case 0, 1:
			m.ops(one(m.Rand, arithmetic), depth, tI, tI)
		case 2:
			m.ops(expr.OpNeg, depth, tI)
		case 3:
			m.ops(expr.OpSize, depth, one(m.Rand, slices.Concat([]expr.Type{tS, tS, tY}, lists, mapTypes)))
		case 4:
			m.ops(expr.OpToInt, depth, one(m.Rand, []expr.Type{tI, tU, tD, tS, tS, tT, tN}))
		default:
			m.w.Call(3)
			m.gen(tS, depth-1)
			m.gen(expr.ListOf(tI), depth-1)
		}
	case tU:
		if m.IntN(2) == 0 {
			m.ops(one(m.Rand, arithmetic), depth, tU, tU)
		} else {
			m.ops(expr.OpToUint, depth, one(m.Rand, []expr.Type{tI, tU, tD, tS, tS}))
		}
	case tD:
		switch m.IntN(4) {
		case 0, 1:
			m.ops(one(m.Rand, arithmetic[:4]), depth, tD, tD)
		case 2:
			m.ops(expr.OpToDouble, depth, one(m.Rand, []expr.Type{tI, tU, tD, tS}))
		default:
			if m.IntN(2) == 0 {
				m.ops(expr.OpNeg, depth, tD)
				break
			}
			m.w.Call(5)
			m.gen(expr.ListOf(tI), depth-1)
		}
	case tS:
		switch m.IntN(12) {
		case 0, 1:
			m.ops(expr.OpAdd, depth, tS, tS)
		case 2:
			m.ops(one(m.Rand, []expr.Op{expr.OpLower, expr.OpUpper, expr.OpTrim}), depth, tS)
		case 3:
			m.ops(expr.OpReplace, depth, tS, tS, tS)
		case 4:
			m.w.Op(expr.OpReplaceN)
			m.gen(tS, depth-1)
			m.w.Const(expr.String(one(m.Rand, []string{"", "a", "b", "ab", "é"})))
			m.gen(tS, depth-1)
			m.index()
		case 5, 6:
			m.w.Op(expr.OpFrom)
			m.gen(tS, depth-1)
			m.index()
		case 7:
			m.w.Op(expr.OpSubstring)
			m.gen(tS, depth-1)
			m.index()
			m.index()
		case 8:
			m.w.Call(2)
			m.gen(tS, depth-1)
		default:
			m.ops(expr.OpToString, depth, one(m.Rand, []expr.Type{tB, tI, tU, tD, tS, tY, tT, tN}))
		}
	case tY:
		if m.IntN(2) == 0 {
			m.ops(expr.OpAdd, depth, tY, tY)
		} else {
			m.ops(expr.OpToBytes, depth, one(m.Rand, []expr.Type{tS, tY}))
		}
	case tT:
		switch m.IntN(5) {
		case 0:
			m.ops(expr.OpAdd, depth, tT, tN)
		case 1:
			m.ops(expr.OpAdd, depth, tN, tT)
		case 2:
			m.ops(expr.OpSub, depth, tT, tN)
		default:
			m.ops(expr.OpToTimestamp, depth, one(m.Rand, []expr.Type{tT, tI, tS, tS}))
		}
	case tN:
		switch m.IntN(4) {
		case 0:
			m.ops(expr.OpSub, depth, tT, tT)
		case 1:
			m.ops(expr.OpToDuration, depth, one(m.Rand, []expr.Type{tN, tS, tS}))
		default:
			m.ops(one(m.Rand, arithmetic[:2]), depth, tN, tN)
		}
	default:
		m.compound(t, depth)
	}
}

// index writes an int that is small most of the time.
func (m *maker) index() {
	if m.IntN(4) == 0 {
		m.gen(tI, 1)
		return
	}
	m.w.Const(expr.Int(one(m.Rand, []int64{0, 0, 1, 2, 3, -1})))
}

func (m *maker) key(depth int) {
	if m.IntN(3) == 0 {
		m.gen(tS, depth-1)
		return
	}
	m.w.Const(expr.String(one(m.Rand, keys)))
}

func (m *maker) boolean(depth int) {
	switch m.IntN(28) {
	case 0, 1, 2:
		m.ops(one(m.Rand, []expr.Op{expr.OpAnd, expr.OpOr}), depth, tB, tB)
	case 3:
		m.ops(expr.OpNot, depth, tB)
	case 4, 5, 6:
		t := one(m.Rand, slices.Concat(scalars, scalars, lists, mapTypes))
		op := one(m.Rand, []expr.Op{expr.OpEq, expr.OpNe})
		m.w.Op(op)
		if m.IntN(4) == 0 {
			var b [8]byte
			binary.LittleEndian.PutUint64(b[:], m.Uint64())
			seed := [32]byte(bytes.Repeat(b[:], 4))
			// The same on both sides, so that they are equal.
			for range 2 {
				n := &maker{rand.New(rand.NewChaCha8(seed)), m.w, m.locals, 40}
				n.leaf(t)
			}
			return
		}
		m.gen(t, depth-1)
		m.gen(t, depth-1)
	case 7, 8, 9, 10:
		t := one(m.Rand, scalars)
		m.ops(one(m.Rand, []expr.Op{expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe}), depth, t, t)
	case 11, 12:
		l := one(m.Rand, lists)
		m.ops(expr.OpIn, depth, l.Elem(), l)
	case 13:
		m.w.Op(expr.OpIn)
		m.key(depth)
		m.gen(one(m.Rand, mapTypes), depth-1)
	case 14:
		m.w.Text(expr.OpHas, one(m.Rand, keys))
		m.gen(one(m.Rand, mapTypes), depth-1)
	case 15, 16:
		m.ops(one(m.Rand, []expr.Op{expr.OpContains, expr.OpStartsWith, expr.OpEndsWith}), depth, tS, tS)
	case 17:
		m.w.Text(expr.OpMatches, one(m.Rand, patterns))
		m.gen(tS, depth-1)
	case 18:
		if m.IntN(3) == 0 {
			m.w.Op(expr.OpToBool)
			m.w.Const(expr.String(one(m.Rand, []string{"1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False", "tRUE", "2"})))
			return
		}
		m.ops(expr.OpToBool, depth, one(m.Rand, []expr.Type{tB, tS}))
	case 19:
		switch m.IntN(3) {
		case 0:
			m.w.Call(1)
			m.gen(expr.ListOf(tS), depth-1)
			m.gen(expr.ListOf(tS), depth-1)
		case 1:
			m.w.Call(4)
			m.gen(tS, depth-1)
			m.w.Const(expr.String(one(m.Rand, texts[:6])))
		default:
			m.w.Call(6)
			m.gen(tI, depth-1)
			m.gen(tB, depth-1)
		}
	case 20, 21:
		m.risky()
	case 22, 23:
		m.clash()
	default:
		m.macro(one(m.Rand, []expr.Op{expr.OpAll, expr.OpExists, expr.OpExistsOne}), one(m.Rand, slices.Concat(lists, mapTypes)), depth, tB)
	}
}

// risky writes a comparison that fails for some values, with different codes, so that
// errors meet each other.
func (m *maker) risky() {
	if m.IntN(2) == 0 {
		m.w.Op(one(m.Rand, []expr.Op{expr.OpAnd, expr.OpOr}))
		m.risky()
		m.risky()
		return
	}
	m.w.Op(one(m.Rand, []expr.Op{expr.OpGt, expr.OpNe}))
	switch m.IntN(5) {
	case 0:
		m.w.Op(one(m.Rand, []expr.Op{expr.OpDiv, expr.OpMod}))
		m.w.Const(expr.Int(7))
		m.leaf(tI)
	case 1:
		m.w.Op(expr.OpIndex)
		m.leaf(expr.ListOf(tI))
		m.leaf(tI)
	case 2:
		m.w.Op(expr.OpToInt)
		m.leaf(tS)
	case 3:
		m.w.Op(expr.OpIndex)
		m.leaf(expr.MapOf(tI))
		m.leaf(tS)
	default:
		m.w.Op(expr.OpAdd)
		m.leaf(tI)
		m.w.Const(expr.Int(math.MaxInt64 - 1))
	}
	m.w.Const(expr.Int(1))
}

// clash writes a macro that fails for some elements with one code, for some with another.
func (m *maker) clash() {
	if len(m.locals) == expr.MaxLoops {
		m.leaf(tB)
		return
	}
	numbers := func(ns ...int64) {
		m.w.List(len(ns))
		for _, n := range ns {
			m.w.Const(expr.Int(n))
		}
	}
	m.w.Op(one(m.Rand, []expr.Op{expr.OpAll, expr.OpExists, expr.OpExistsOne}))
	some := []int64{0, 5, 0, 1, -1}
	numbers(one(m.Rand, some), one(m.Rand, some), one(m.Rand, some))
	m.w.Op(one(m.Rand, []expr.Op{expr.OpGt, expr.OpLt}))
	m.w.Op(expr.OpCond)
	m.w.Op(expr.OpEq)
	level := len(m.locals)
	m.w.Local(level)
	m.w.Const(expr.Int(0))
	m.w.Op(expr.OpDiv)
	m.w.Const(expr.Int(1))
	m.w.Local(level)
	m.w.Op(expr.OpIndex)
	numbers(3, 1)
	m.w.Local(level)
	m.w.Const(expr.Int(2))
}

func (m *maker) macro(op expr.Op, over expr.Type, depth int, bodies ...expr.Type) {
	if len(m.locals) == expr.MaxLoops {
		m.leaf(tB)
		return
	}
	m.w.Op(op)
	m.gen(over, depth-1)
	local := over.Elem()
	if over.Kind() == expr.KindMap {
		local = tS
	}
	m.locals = append(m.locals, local)
	for _, t := range bodies {
		m.gen(t, depth-1)
	}
	m.locals = m.locals[:len(m.locals)-1]
}

func (m *maker) compound(t expr.Type, depth int) {
	elem := t.Elem()
	if t.Kind() == expr.KindMap {
		n := m.IntN(4)
		m.w.Map(n)
		for range n {
			m.key(depth)
			m.gen(elem, depth-2)
		}
		return
	}
	over := one(m.Rand, slices.Concat(lists, mapTypes))
	switch m.IntN(8) {
	case 0, 1:
		n := m.IntN(4)
		m.w.List(n)
		for range n {
			m.gen(elem, depth-2)
		}
	case 2, 3:
		m.ops(expr.OpAdd, depth, t, t)
	case 4:
		m.macro(expr.OpFilter, t, depth, tB)
	case 5:
		m.macro(expr.OpTransform, over, depth, elem)
	case 6:
		m.macro(expr.OpSift, over, depth, tB, elem)
	default:
		if elem != tS {
			m.leaf(t)
			return
		}
		if m.IntN(2) == 0 {
			m.w.Op(expr.OpSplit)
			m.gen(tS, depth-1)
			m.w.Const(expr.String(one(m.Rand, []string{"", ",", "a", "ab"})))
			return
		}
		m.w.Op(expr.OpSplitN)
		m.gen(tS, depth-1)
		m.w.Const(expr.String(one(m.Rand, []string{"", ",", "a", "ab"})))
		m.index()
	}
}

func (m *maker) leaf(t expr.Type) {
	for i, l := range m.locals {
		if l == t && m.IntN(2) == 0 {
			m.w.Local(i)
			return
		}
	}
	var fit []int
	for i, v := range testEnv.Vars {
		if v.Type == t {
			fit = append(fit, i)
		}
	}
	if len(fit) > 0 && m.IntN(3) > 0 {
		m.w.Var(one(m.Rand, fit))
		return
	}
	switch t.Kind() {
	case expr.KindTimestamp:
		m.w.Op(expr.OpToTimestamp)
		m.w.Const(expr.String(one(m.Rand, texts[23:37])))
	case expr.KindDuration:
		m.w.Op(expr.OpToDuration)
		m.w.Const(expr.String(one(m.Rand, texts[37:48])))
	case expr.KindList:
		n := m.IntN(4)
		m.w.List(n)
		for range n {
			m.leaf(t.Elem())
		}
	case expr.KindMap:
		n := m.IntN(3)
		m.w.Map(n)
		for range n {
			m.w.Const(expr.String(one(m.Rand, keys)))
			m.leaf(t.Elem())
		}
	default:
		v := m.value(t)
		if t == tS {
			v = expr.String(strings.ToValidUTF8(v.AsString(), "?"))
		}
		m.w.Const(v)
	}
}

// value is a random value of a type.
func (m *maker) value(t expr.Type) expr.Value {
	switch t {
	case tB:
		return expr.Bool(m.IntN(2) == 0)
	case tI:
		if m.IntN(2) == 0 {
			return expr.Int(int64(m.IntN(5)))
		}
		return expr.Int(one(m.Rand, ints))
	case tU:
		return expr.Uint(one(m.Rand, uints))
	case tD:
		return expr.Double(one(m.Rand, doubles))
	case tS:
		return expr.String(m.str())
	case tY:
		return expr.Bytes(m.str())
	case tT:
		return expr.Timestamp(one(m.Rand, []int64{0, 1, -1, 253402300799, -62135596800, 1709208000, 951782400, -2203891200}), one(m.Rand, []int32{0, 0, 1, 999999999, 500000000}))
	case tN:
		return expr.Duration(one(m.Rand, ints))
	}
	n := m.IntN(5)
	if m.IntN(20) == 0 {
		n = 12
	}
	switch {
	case t == expr.ListOf(tS):
		list := make([]string, n)
		for i := range list {
			list[i] = m.str()
		}
		return expr.Strings(&list)
	case t == expr.MapOf(tS):
		s := &expr.StrMap{}
		for i := range n {
			key := one(m.Rand, keys)
			if n == 12 {
				key = fmt.Sprint("k", i)
			}
			s.Set(key, m.str())
		}
		return expr.StringMap(s)
	case t.Kind() == expr.KindMap:
		s := &expr.Map{}
		for range n {
			s.Set(one(m.Rand, keys), m.value(t.Elem()))
		}
		return expr.MapValue(s)
	}
	list := make([]expr.Value, n)
	for i := range list {
		list[i] = m.value(t.Elem())
	}
	return expr.List(list)
}

func (m *maker) str() string {
	switch m.IntN(12) {
	case 0:
		return one(m.Rand, broken)
	case 1:
		return strings.Repeat(one(m.Rand, texts), m.IntN(20))
	}
	return one(m.Rand, texts)
}

func (m *maker) values() []expr.Value {
	vs := make([]expr.Value, len(testEnv.Vars))
	for i, v := range testEnv.Vars {
		vs[i] = m.value(v.Type)
	}
	return vs
}

// show writes a value so that equal ones are equal.
func show(v expr.Value) string {
	switch v.Kind() {
	case expr.KindDouble:
		if d := v.AsDouble(); d != d {
			return "NaN"
		}
		return fmt.Sprintf("d%x", math.Float64bits(v.AsDouble()))
	case expr.KindTimestamp:
		sec, nano := v.AsTimestamp()
		return fmt.Sprintf("t%d.%d", sec, nano)
	case expr.KindList, expr.KindMap:
		var parts []string
		for i := range v.Len() {
			if v.Kind() == expr.KindMap {
				key, e := v.Entry(i)
				parts = append(parts, fmt.Sprintf("%q: %s", key, show(e)))
			} else {
				parts = append(parts, show(v.At(i)))
			}
		}
		return v.Kind().String() + "[" + strings.Join(parts, ", ") + "]"
	case expr.KindString, expr.KindBytes:
		return fmt.Sprintf("%q", v.AsString())
	}
	return fmt.Sprintf("%s %t %d %d %d", v.Kind(), v.AsBool(), v.AsInt(), v.AsUint(), v.AsDuration())
}

var runtime = sync.OnceValues(func() (*asm.Object, error) {
	roots := runtimeCalls()
	roots = append(roots, subgo.Root{Package: runtimePath, Func: "index"})
	for _, f := range testEnv.Funcs {
		if f.Const == 0 {
			roots = append(roots, subgo.Root{Package: "fn", Func: f.Name})
		}
	}
	return subgo.Compile([]subgo.Package{{Path: runtimePath, Files: os.DirFS("rt")}, {Path: "fn", Files: os.DirFS("testdata/fn")}}, roots)
})

// extra makes the functions that an embedder has to bring.
func extra(x *Exprs) *asm.Object {
	o := &asm.Object{}
	text := func(s string) []asm.Instr {
		sym := fmt.Sprintf("test.%x", s)
		if !slices.ContainsFunc(o.Data, func(d *asm.Data) bool { return d.Name == sym }) {
			o.Data = append(o.Data, &asm.Data{Name: sym, Bytes: []byte(s), Size: len(s), Const: true})
		}
		return []asm.Instr{asm.Addr(sym, 0), asm.Const(asm.I32, int64(len(s)))}
	}
	whole := []asm.Instr{asm.Get(0), asm.Get(1)}
	for n, pattern := range x.Patterns() {
		f := &asm.Func{Name: matchSym(n), Sig: "ii>i"}
		compare := asm.I32GeS
		switch pattern {
		case "^$":
			f.Body = []asm.Instr{asm.Get(1), {Op: asm.I32Eqz}}
		case "b$":
			f.Body = []asm.Instr{asm.Get(1), asm.Block(asm.If, 1, asm.I32), asm.Get(0), asm.Get(1), {Op: asm.I32Add}, asm.Const(asm.I32, 1), {Op: asm.I32Sub}, asm.Mem(asm.I32Load8U, "", 0),
				asm.Const(asm.I32, 'b'), {Op: asm.I32Eq}, {Op: asm.Else}, asm.Const(asm.I32, 0), {Op: asm.End}}
		default:
			if pattern[0] == '^' {
				compare = asm.I32Eq
			}
			f.Body = slices.Concat(whole, text(strings.TrimPrefix(pattern, "^")), []asm.Instr{asm.Call("rt.index"), asm.Const(asm.I32, 0), {Op: compare}})
		}
		o.Funcs = append(o.Funcs, f)
	}
	for _, c := range x.Calls() {
		if c.Name == "is" {
			f := &asm.Func{Name: c.Sym, Sig: c.Sig}
			f.Body = slices.Concat([]asm.Instr{asm.Const(asm.I32, 0), asm.SetGlobal(subgo.ResultSym(1, asm.I32))}, whole, text(c.Constant), []asm.Instr{asm.Call("subgo.equal")})
			o.Funcs = append(o.Funcs, f)
		}
	}
	return o
}

// A machine runs programs in a module.
type machine struct {
	linked *asm.Module
	m      api.Module
	at     uint32 // where free memory begins
	fuel   api.Global
	fault  api.Global
}

func link(x *Exprs, names ...string) (*asm.Module, error) {
	object, err := runtime()
	if err != nil {
		return nil, err
	}
	var exports []asm.Export
	for _, n := range names {
		exports = append(exports, asm.Export{Name: n, Sym: n})
	}
	for _, n := range []string{"rt.Fuel", subgo.FaultSym} {
		exports = append(exports, asm.Export{Name: n, Sym: n})
	}
	return asm.Link(asm.Options{Exports: exports, Memory: "memory", Reserve: 1 << 20}, x.Object(), object, extra(x))
}

func start(t testing.TB, linked *asm.Module, config wazero.RuntimeConfig) *machine {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	t.Cleanup(func() { _ = r.Close(ctx) })
	m, err := r.Instantiate(ctx, linked.Wasm)
	require.NoError(t, err)
	return &machine{linked: linked, m: m, at: uint32(linked.End), fuel: m.ExportedGlobal("rt.Fuel"), fault: m.ExportedGlobal(subgo.FaultSym)}
}

// bytes puts bytes into free memory.
func (m *machine) bytes(b []byte) uint32 {
	at := m.at
	m.m.Memory().Write(at, b)
	m.at += uint32(len(b))
	return at
}

// put encodes a value.
func (m *machine) put(v expr.Value, t expr.Type) []byte {
	b := make([]byte, sizeOf(t))
	le := binary.LittleEndian
	switch t.Kind() {
	case expr.KindBool:
		if v.AsBool() {
			b[0] = 1
		}
		b[5] = 0xcc // the rest of a place does not count
	case expr.KindInt:
		le.PutUint64(b, uint64(v.AsInt()))
	case expr.KindUint:
		le.PutUint64(b, v.AsUint())
	case expr.KindDouble:
		le.PutUint64(b, math.Float64bits(v.AsDouble()))
	case expr.KindDuration:
		le.PutUint64(b, uint64(v.AsDuration()))
	case expr.KindTimestamp:
		sec, nano := v.AsTimestamp()
		le.PutUint64(b, uint64(sec))
		le.PutUint32(b[8:], uint32(nano))
	case expr.KindString, expr.KindBytes:
		le.PutUint32(b, m.bytes([]byte(v.AsString())))
		le.PutUint32(b[4:], uint32(len(v.AsString())))
	default:
		var names, elems []byte
		for i := range v.Len() {
			if t.Kind() == expr.KindMap {
				key, e := v.Entry(i)
				names = append(names, m.put(expr.String(key), expr.TString)...)
				elems = append(elems, m.put(e, t.Elem())...)
			} else {
				elems = append(elems, m.put(v.At(i), t.Elem())...)
			}
		}
		le.PutUint32(b, m.bytes(append(names, elems...)))
		le.PutUint32(b[4:], uint32(v.Len()))
	}
	return b
}

func (m *machine) bind(vs []expr.Value, env *expr.Env) {
	m.at = uint32(m.linked.End)
	offsets := offsetsOf(env)
	for i, v := range vs {
		if at, ok := m.linked.Addr[varsSym]; ok {
			m.m.Memory().Write(uint32(at+offsets[i]), m.put(v, env.Vars[i].Type))
		}
	}
}

// take decodes a value.
func (m *machine) take(at uint32, t expr.Type) expr.Value {
	mem := m.m.Memory()
	word := func(at uint32) uint32 { v, _ := mem.ReadUint32Le(at); return v }
	long, _ := mem.ReadUint64Le(at)
	switch t.Kind() {
	case expr.KindBool:
		return expr.Bool(word(at) != 0)
	case expr.KindInt:
		return expr.Int(int64(long))
	case expr.KindUint:
		return expr.Uint(long)
	case expr.KindDouble:
		return expr.Double(math.Float64frombits(long))
	case expr.KindDuration:
		return expr.Duration(int64(long))
	case expr.KindTimestamp:
		return expr.Timestamp(int64(long), int32(word(at+8)))
	case expr.KindString, expr.KindBytes:
		b, ok := mem.Read(word(at), word(at+4))
		if !ok {
			return expr.Value{}
		}
		if t == tS {
			return expr.String(string(b))
		}
		return expr.Bytes(string(b))
	}
	p, n := word(at), word(at+4)
	if t.Kind() == expr.KindList {
		list := make([]expr.Value, n)
		for i := range list {
			list[i] = m.take(p+uint32(i*sizeOf(t.Elem())), t.Elem())
		}
		return expr.List(list)
	}
	s := &expr.Map{}
	for i := range n {
		s.Set(m.take(p+8*i, tS).AsString(), m.take(p+8*n+i*uint32(sizeOf(t.Elem())), t.Elem()))
	}
	return expr.MapValue(s)
}

func (m *machine) eval(name string, t expr.Type) (v expr.Value, c expr.Code, err error) {
	got, err := m.m.ExportedFunction(name).Call(context.Background())
	if err != nil {
		return v, c, err
	}
	if m.fault.Get() != 0 {
		return v, c, fmt.Errorf("a fault")
	}
	n := uint32(got[0])
	if t == tB {
		if n > 1 {
			return v, expr.Code(n - 1), nil
		}
		return expr.Bool(n == 1), expr.OK, nil
	}
	if n != 0 {
		return v, expr.Code(n), nil
	}
	return m.take(uint32(m.linked.Addr[resultSym]), t), expr.OK, nil
}

// operation names an operation with the kinds of its operands.
func operation(p *expr.Program, env *expr.Env, i int) string {
	n := p.Nodes[i]
	name := n.Op.String()
	switch n.Op {
	case expr.OpConst, expr.OpVar, expr.OpLocal:
		return name + " " + n.Type.Kind().String()
	case expr.OpCall:
		f, _ := env.Func(n.A)
		return "call " + f.Name
	case expr.OpList, expr.OpMap:
		if n.C != 0 {
			return name + " of constants"
		}
		return name + " built"
	}
	for _, k := range p.Operands(nil, i) {
		name += " " + p.Nodes[k].Type.Kind().String()
	}
	return name
}

// A tally counts how often every operation came to a value, and to an error of its own.
type tally struct {
	counts                  map[string]map[expr.Code]int
	programs, total, valued int
	size, modules           int
}

// compare runs programs natively and in a module, with some rounds of values.
func (c *tally) compare(t *testing.T, m *maker, programs []*expr.Program, rounds int) {
	t.Helper()
	x := NewExprs()
	var names []string
	for i, p := range programs {
		names = append(names, fmt.Sprintf("e%d", i))
		require.NoError(t, x.Add(names[i], p, testEnv))
	}
	linked, err := link(x, names...)
	require.NoError(t, err)
	c.size += len(linked.Wasm)
	c.modules++
	c.programs += len(programs)
	run := start(t, linked, wazero.NewRuntimeConfig())
	var last [expr.MaxNodes]expr.Code
	var operations [][]string
	for _, p := range programs {
		var list []string
		for i := range p.Nodes {
			list = append(list, operation(p, testEnv, i))
		}
		operations = append(operations, list)
	}
	for range rounds {
		vs := m.values()
		run.bind(vs, testEnv)
		for i, p := range programs {
			var room [4]uint16
			f := expr.Frame{Vars: vs, Host: testHost{}, Trace: func(node int, _ expr.Value, code expr.Code) {
				last[node] = code
				name := operations[i][node]
				if c.counts[name] == nil {
					c.counts[name] = map[expr.Code]int{}
				}
				own := true
				for _, a := range p.Operands(room[:0], node) {
					own = own && (code == expr.OK || last[a] == expr.OK)
				}
				if own {
					c.counts[name][code]++
				}
			}}
			want, code := f.Eval(p)
			got, gotCode, err := run.eval(names[i], p.Result())
			text := func() string {
				return fmt.Sprintf("%s\nwith %s", p.Text(len(p.Nodes)-1), inputs(p, vs))
			}
			if err != nil {
				t.Fatalf("%s\n%s", text(), err)
			}
			if code != gotCode || code == expr.OK && show(want) != show(got) {
				t.Fatalf("%s\nwant %s %s\n got %s %s", text(), code, show(want), gotCode, show(got))
			}
			if spent := expr.Budget - int(int32(run.fuel.Get())); code != expr.TooMuch && spent != f.Spent() {
				t.Fatalf("%s\nspends %d, module %d", text(), f.Spent(), spent)
			}
			c.total++
			if code == expr.OK {
				c.valued++
			}
		}
	}
}

func (c *tally) report(t *testing.T) {
	if testing.Verbose() {
		for _, n := range slices.Sorted(maps.Keys(c.counts)) {
			t.Log(n, c.counts[n])
		}
	}
	t.Logf("%d evaluations of %d programs, %d with a value, %d operations by kinds, %d bytes a module", c.total, c.programs, c.valued, len(c.counts), c.size/c.modules)
}

// TestExprs holds functions made of random expressions against the evaluator: the same
// value or the same code, for the same price.
func TestExprs(t *testing.T) {
	c := &tally{counts: map[string]map[expr.Code]int{}}
	for k := range 36 {
		m := &maker{Rand: rand.New(rand.NewPCG(20240229, uint64(k)))}
		var programs []*expr.Program
		for range 250 {
			programs = append(programs, m.program())
		}
		c.compare(t, m, programs, 5)
	}
	c.report(t)
	for _, name := range every() {
		assert.GreaterOrEqual(t, c.counts[name][expr.OK], 10, name)
	}
}

// TestOperations holds every operation on its own against the evaluator, over variables
// and over constants.
func TestOperations(t *testing.T) {
	c := &tally{counts: map[string]map[expr.Code]int{}}
	m := &maker{Rand: rand.New(rand.NewPCG(1, 2))}
	var programs []*expr.Program
	for range 12 {
		seen := map[string]bool{}
		for tries := 0; tries < 4000; tries++ {
			// Random expressions of one operation or two.
			m.w, m.locals, m.size = expr.NewWriter(testEnv, ""), nil, 0
			all := slices.Concat(scalars, []expr.Type{tB, tB, tB, tB, tB, tB, tB, tB, tI, tS, tS, tT, tN}, lists, mapTypes)
			m.gen(one(m.Rand, all), 1+tries%2)
			p, err := m.w.Program()
			if err != nil || len(unsupported(p)) > 0 {
				continue
			}
			name := operation(p, testEnv, len(p.Nodes)-1)
			if !seen[name] {
				seen[name] = true
				programs = append(programs, p)
			}
		}
	}
	for _, op := range []expr.Op{expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod} {
		for _, pair := range [][2]int64{{math.MinInt64, -1}, {-1, math.MinInt64}, {math.MinInt64, 1}, {math.MaxInt64, -1}, {math.MinInt64, math.MinInt64}} {
			w := expr.NewWriter(testEnv, "")
			w.Op(op)
			w.Const(expr.Int(pair[0]))
			w.Const(expr.Int(pair[1]))
			p, err := w.Program()
			require.NoError(t, err)
			programs = append(programs, p)
		}
	}
	c.compare(t, m, programs, 150)
	c.report(t)
	for _, name := range every() {
		if !strings.HasPrefix(name, "local") { // those have the other test
			assert.GreaterOrEqual(t, c.counts[name][expr.OK], 100, name)
		}
	}
	for name, codes := range failures {
		for _, code := range codes {
			assert.GreaterOrEqual(t, c.counts[name][code], 3, "%s: %s", name, code)
		}
	}
}

func inputs(p *expr.Program, values []expr.Value) string {
	var parts []string
	for slot, used := range p.Vars() {
		if used {
			parts = append(parts, testEnv.Vars[slot].Name+" = "+show(values[slot]))
		}
	}
	return strings.Join(parts, "; ")
}

// every lists the operations that are done, by the kinds of their operands.
func every() []string {
	var all []string
	add := func(op string, kinds ...string) {
		for _, k := range kinds {
			all = append(all, op+" "+k)
		}
	}
	kinds := []string{"bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"}
	twice := func(kinds ...string) (out []string) {
		for _, k := range kinds {
			out = append(out, k+" "+k)
		}
		return out
	}
	add("const", "bool", "int", "uint", "double", "string", "bytes")
	add("var", append(kinds, "list", "map")...)
	add("local", append(kinds, "list", "map")...)
	add("list", "of constants", "built")
	add("map", "of constants", "built")
	add("&&", "bool bool")
	add("||", "bool bool")
	add("!", "bool")
	for _, k := range append(kinds, "list", "map") {
		add("?:", "bool "+k+" "+k)
		add("map/2", "list "+k)
		add("map/3", "list bool "+k)
	}
	for _, op := range []string{"==", "!="} {
		add(op, twice(append(kinds, "list", "map")...)...)
	}
	for _, op := range []string{"<", "<=", ">", ">="} {
		add(op, twice(kinds...)...)
	}
	for _, k := range append(kinds, "list", "map") {
		add("in", k+" list")
	}
	add("in", "string map")
	add("+", twice("int", "uint", "double", "string", "bytes", "duration", "list")...)
	add("+", "timestamp duration", "duration timestamp")
	add("-", append(twice("int", "uint", "double", "duration", "timestamp"), "timestamp duration")...)
	add("*", twice("int", "uint", "double")...)
	add("/", twice("int", "uint", "double")...)
	add("%", twice("int", "uint")...)
	add("negate", "int", "double")
	add("index", "list int", "map string")
	add("select", "map")
	add("has", "map")
	add("size", "string", "bytes", "list", "map")
	for _, op := range []string{"contains", "startsWith", "endsWith", "split"} {
		add(op, "string string")
	}
	add("matches", "string")
	add("lowerAscii", "string")
	add("upperAscii", "string")
	add("trim", "string")
	add("split/2", "string string int")
	add("replace", "string string string")
	add("replace/3", "string string string int")
	add("substring", "string int")
	add("substring/2", "string int int")
	add("bool", "bool", "string")
	add("int", "int", "uint", "double", "string", "timestamp", "duration")
	add("uint", "uint", "int", "double", "string")
	add("double", "double", "int", "uint", "string")
	add("string", kinds...)
	add("bytes", "bytes", "string")
	add("timestamp", "timestamp", "int", "string")
	add("duration", "duration", "string")
	for _, op := range []string{"all", "exists", "exists_one", "filter"} {
		add(op, "list bool")
	}
	for _, op := range []string{"all", "exists", "exists_one"} {
		add(op, "map bool")
	}
	for _, f := range testEnv.Funcs {
		add("call", f.Name)
	}
	return all
}

// failures are the classes of error that an operation itself can have.
var failures = map[string][]expr.Code{
	"+ int int": {expr.Overflow}, "- int int": {expr.Overflow}, "* int int": {expr.Overflow}, "/ int int": {expr.Overflow, expr.DivideByZero}, "% int int": {expr.Overflow, expr.ModulusByZero},
	"+ uint uint": {expr.Overflow}, "- uint uint": {expr.Overflow}, "* uint uint": {expr.Overflow}, "/ uint uint": {expr.DivideByZero}, "% uint uint": {expr.ModulusByZero},
	"+ duration duration": {expr.Overflow}, "- duration duration": {expr.Overflow}, "- timestamp timestamp": {expr.Overflow},
	"+ timestamp duration": {expr.Overflow}, "+ duration timestamp": {expr.Overflow}, "- timestamp duration": {expr.Overflow}, "negate int": {expr.Overflow},
	"index list int": {expr.IndexOutOfRange}, "index map string": {expr.NoSuchKey}, "select map": {expr.NoSuchKey},
	"substring string int": {expr.IndexOutOfRange}, "substring/2 string int int": {expr.IndexOutOfRange},
	"bool string": {expr.BadConversion}, "int string": {expr.BadConversion}, "int uint": {expr.Overflow}, "int double": {expr.Overflow},
	"uint int": {expr.Overflow}, "double string": {expr.BadConversion}, "uint double": {expr.Overflow}, "uint string": {expr.BadConversion}, "string bytes": {expr.BadConversion},
	"timestamp int": {expr.Overflow}, "timestamp string": {expr.BadConversion, expr.Overflow}, "duration string": {expr.BadConversion},
	"call initial": {expr.BadArgument}, "call first": {expr.BadArgument},
}

// TestBudget holds expressions that use up their budget, or the arena, against what
// must come of it.
func TestBudget(t *testing.T) {
	many := make([]string, 64)
	slot := func(k expr.Type) int {
		return slices.IndexFunc(testEnv.Vars, func(v expr.Var) bool { return v.Type == k })
	}
	list, text := slot(expr.ListOf(tS)), slot(tS)
	write := func(f func(w *expr.Writer)) *expr.Program {
		w := expr.NewWriter(testEnv, "")
		f(w)
		p, err := w.Program()
		require.NoError(t, err)
		return p
	}
	loops := func(w *expr.Writer, op expr.Op, n int) {
		for range n {
			w.Op(op)
			w.Var(list)
		}
	}
	x := NewExprs()
	programs := []*expr.Program{
		write(func(w *expr.Writer) { loops(w, expr.OpAll, expr.MaxLoops); w.Const(expr.Bool(true)) }),
		write(func(w *expr.Writer) {
			w.Op(expr.OpOr)
			loops(w, expr.OpAll, expr.MaxLoops)
			w.Const(expr.Bool(true))
			w.Const(expr.Bool(true))
		}),
		write(func(w *expr.Writer) { loops(w, expr.OpTransform, 4); w.Local(3) }),
		write(func(w *expr.Writer) {
			w.Op(expr.OpReplace)
			w.Op(expr.OpReplace)
			for _, s := range []string{"", "a", "", "a", ""} {
				if s == "" {
					w.Var(text)
				} else {
					w.Const(expr.String(s))
				}
			}
		}),
		write(func(w *expr.Writer) { // a text of each turn, but none that stays
			loops(w, expr.OpAll, 2)
			w.Op(expr.OpNe)
			w.Op(expr.OpAdd)
			w.Var(text)
			w.Var(text)
			w.Const(expr.String("x"))
		}),
		write(func(w *expr.Writer) { // as long as the text is in bytes
			loops(w, expr.OpTransform, 1)
			w.Op(expr.OpUpper)
			w.Var(text)
		}),
		write(func(w *expr.Writer) { w.Op(expr.OpSplit); w.Var(text); w.Const(expr.String("")) }),
		write(func(w *expr.Writer) { loops(w, expr.OpAll, 1); w.Text(expr.OpMatches, "^a"); w.Var(text) }),
	}
	var names []string
	for i, p := range programs {
		names = append(names, fmt.Sprintf("e%d", i))
		require.NoError(t, x.Add(names[i], p, testEnv))
	}
	linked, err := link(x, names...)
	require.NoError(t, err)
	run := start(t, linked, wazero.NewRuntimeConfig())
	m := &maker{Rand: rand.New(rand.NewPCG(1, 2))}
	vs := m.values()
	vs[list], vs[text] = expr.Strings(&many), expr.String(strings.Repeat("a", 4096))
	run.bind(vs, testEnv)
	f := expr.Frame{Vars: vs, Host: testHost{}}
	spent := 0
	for i, p := range programs {
		want, code := f.Eval(p)
		got, c, err := run.eval(names[i], p.Result())
		require.NoError(t, err)
		assert.Equal(t, code, c, i)
		if code == expr.OK {
			assert.Equal(t, show(want), show(got), i)
		} else {
			spent++
		}
	}
	assert.Equal(t, 4, spent, "how many use up their budget")

	// What fits the budget may not fit the arena.
	vs[text] = expr.String(strings.Repeat("a", 64<<10))
	run.bind(vs, testEnv)
	for _, i := range []int{5} {
		_, code := f.Eval(programs[i])
		_, c, err := run.eval(names[i], programs[i].Result())
		require.NoError(t, err)
		assert.Equal(t, expr.OK, code)
		assert.Equal(t, expr.TooMuch, c)
	}
	_, c, err := run.eval(names[7], tB)
	require.NoError(t, err)
	assert.Equal(t, expr.OK, c, "the next evaluation has all of it")
}

// TestSameBytes: a program gives the same module every time.
func TestSameBytes(t *testing.T) {
	var before []byte
	for range 3 {
		m := &maker{Rand: rand.New(rand.NewPCG(7, 7))}
		x := NewExprs()
		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprintf("e%d", i))
			require.NoError(t, x.Add(names[i], m.program(), testEnv))
		}
		linked, err := link(x, names...)
		require.NoError(t, err)
		if before != nil {
			assert.True(t, bytes.Equal(before, linked.Wasm))
		}
		before = linked.Wasm
	}
}

// builtin is the bundle of the built-in rules.
func builtin(t testing.TB) *bundle.Classification {
	data, err := os.ReadFile("../../classify/builtin/builtin.bundle")
	require.NoError(t, err)
	content, _, err := bundle.Split(data)
	require.NoError(t, err)
	b, err := bundle.Decode(content)
	require.NoError(t, err)
	return &b.Classification
}

// TestBuiltin makes functions of all expressions of the built-in rules.
func TestBuiltin(t *testing.T) {
	x := NewExprs()
	var refused Refused
	ops := map[string]int{}
	n, nodes := 0, 0
	var programs []*expr.Program
	var envs []*expr.Env
	add := func(p *expr.Program, env *expr.Env) {
		if p == nil {
			return
		}
		refused = append(refused, unsupported(p)...)
		for i := range p.Nodes {
			ops[operation(p, env, i)]++
		}
		nodes += len(p.Nodes)
		require.NoError(t, x.Add(fmt.Sprintf("b%d", n), p, env))
		n++
		programs, envs = append(programs, p), append(envs, env)
	}
	cl := builtin(t)
	for _, r := range cl.Rules {
		add(r.When, profile.Field)
	}
	for _, d := range cl.Detectors {
		add(d.Check, profile.Match)
	}
	for _, a := range cl.Adjust {
		add(a.When, profile.Match)
	}
	for _, s := range cl.Suppress {
		add(s.When, profile.Match)
	}
	assert.Empty(t, refused)
	require.NotZero(t, n)
	_, _, left := x.Functions()
	assert.Empty(t, left)
	size := 0
	for _, f := range x.Object().Funcs {
		size += len(f.Body)
	}
	t.Logf("%d expressions of %d operations, %d instructions, %d patterns, %d functions", n, nodes, size, len(x.Patterns()), len(x.Calls()))
	if testing.Verbose() {
		for _, k := range slices.Sorted(maps.Keys(ops)) {
			t.Log(k, ops[k])
		}
	}

	linked, stubs, err := linkBuiltin(x, n)
	require.NoError(t, err)
	code := 0
	for name, size := range linked.Sizes {
		if strings.HasPrefix(name, "b") {
			code += size
		}
	}
	t.Logf("module of %d bytes, of these %d code of expressions; memory up to %d; functions left out: %v", len(linked.Wasm), code, linked.End, stubs)

	// Those that need no pattern and no function that is left out.
	run := start(t, linked, wazero.NewRuntimeConfig())
	m := &maker{Rand: rand.New(rand.NewPCG(3, 4))}
	words := []string{"phone", "number", "card", "iban", "tax", "id", "name", "first", "mail", "e", "ip", "birth", "date", "code", "user", "account", "social", "security", "passport", "address"}
	for i := range 60 {
		p := programs[m.IntN(n)]
		for j := range p.Nodes {
			if c := p.Nodes[j]; c.Op == expr.OpConst && c.Type == tS && i%2 == 0 {
				words = append(words, p.Consts[c.A].AsString())
			}
		}
	}
	host := &detect.Host{}
	compared, yes := 0, 0
	for range 60 {
		vs := make([]expr.Value, profile.MatchVars)
		for i, v := range profile.Match.Vars {
			switch v.Type {
			case tS:
				vs[i] = expr.String(m.about(words))
			case expr.ListOf(tS):
				list := make([]string, m.IntN(6))
				for j := range list {
					list[j] = one(m.Rand, words)
				}
				vs[i] = expr.Strings(&list)
			default:
				vs[i] = m.value(v.Type)
			}
		}
		run.bind(vs, profile.Match)
		for i, p := range programs {
			if slices.ContainsFunc(p.Nodes, func(n expr.Node) bool {
				f, _ := envs[i].Func(n.A)
				return n.Op == expr.OpMatches || n.Op == expr.OpCall && slices.Contains(stubs, f.Name)
			}) {
				continue
			}
			host.Reset()
			f := expr.Frame{Vars: vs[:len(envs[i].Vars)], Host: host}
			want, code := f.Eval(p)
			got, c, err := run.eval(fmt.Sprintf("b%d", i), tB)
			require.NoError(t, err)
			require.Equal(t, code, c, p.Text(len(p.Nodes)-1))
			require.Equal(t, show(want), show(got), p.Text(len(p.Nodes)-1))
			compared++
			if want.AsBool() {
				yes++
			}
		}
	}
	t.Logf("%d evaluations compared, %d true", compared, yes)
	assert.Greater(t, yes, 100)
}

// about is a text that rules may look for.
func (m *maker) about(words []string) string {
	s := ""
	for range m.IntN(3) {
		s += one(m.Rand, []string{"", " ", "-", "_"}) + one(m.Rand, words)
	}
	if m.IntN(3) > 0 {
		s = ""
		for range one(m.Rand, []int{1, 8, 9, 10, 11, 12, 13, 14, 16, 18}) {
			s += string(one(m.Rand, []byte("0123456789012345678901234567890123456789A.-")))
		}
	}
	return s
}

// linkBuiltin links functions of expressions with those that they call, and with stubs
// for functions of package detect that package subgo refuses, and for patterns.
func linkBuiltin(x *Exprs, n int) (linked *asm.Module, stubs []string, err error) {
	functions, roots, _ := x.Functions()
	packages := []subgo.Package{{Path: runtimePath, Files: os.DirFS("rt")}, {Path: detectPath, Files: os.DirFS("../../classify/detect")}}
	var good []subgo.Root
	o := &asm.Object{}
	for i, r := range roots {
		if _, err := subgo.Compile(packages, []subgo.Root{r}); err != nil {
			stubs = append(stubs, strings.TrimPrefix(functions.Funcs[i].Name, "fn."))
			functions.Funcs[i].Body = []asm.Instr{asm.Const(asm.I32, 0)}
			continue
		}
		good = append(good, r)
	}
	object, err := subgo.Compile(packages, append(runtimeCalls(), good...))
	if err != nil {
		return nil, nil, err
	}
	for i := range x.Patterns() {
		o.Funcs = append(o.Funcs, &asm.Func{Name: matchSym(i), Sig: "ii>i", Body: []asm.Instr{asm.Const(asm.I32, 0)}})
	}
	var exports []asm.Export
	for i := range n {
		exports = append(exports, asm.Export{Name: fmt.Sprintf("b%d", i), Sym: fmt.Sprintf("b%d", i)})
	}
	for _, n := range []string{"rt.Fuel", subgo.FaultSym} {
		exports = append(exports, asm.Export{Name: n, Sym: n})
	}
	linked, err = asm.Link(asm.Options{Exports: exports, Memory: "memory", Reserve: 1 << 20}, x.Object(), object, functions, o)
	return linked, stubs, err
}

// BenchmarkBuiltin evaluates conditions of built-in rules natively and in a module, on
// the same field. A call from the host is part of it: "call" is that of an expression
// that is a constant.
func BenchmarkBuiltin(b *testing.B) {
	cl := builtin(b)
	w := expr.NewWriter(profile.Field, "")
	w.Const(expr.Bool(true))
	nothing, err := w.Program()
	require.NoError(b, err)
	type one struct {
		name string
		p    *expr.Program
		env  *expr.Env
	}
	list := []one{{"call", nothing, profile.Field}}
	for _, r := range cl.Rules[:min(400, len(cl.Rules))] {
		if r.When != nil && len(r.When.Nodes) > 40 && len(list) < 3 {
			list = append(list, one{fmt.Sprintf("rule-%d", len(r.When.Nodes)), r.When, profile.Field})
		}
	}
	for _, d := range cl.Detectors {
		if d.Check != nil && len(d.Check.Nodes) > 15 && len(list) < 6 && !slices.ContainsFunc(d.Check.Nodes, func(n expr.Node) bool { return n.Op == expr.OpMatches }) {
			list = append(list, one{fmt.Sprintf("check-%d", len(d.Check.Nodes)), d.Check, profile.Match})
		}
	}
	x := NewExprs()
	for i, o := range list {
		require.NoError(b, x.Add(fmt.Sprintf("b%d", i), o.p, o.env))
	}
	linked, _, err := linkBuiltin(x, len(list))
	require.NoError(b, err)
	run := start(b, linked, wazero.NewRuntimeConfig())
	slow := start(b, linked, wazero.NewRuntimeConfigInterpreter())
	words := []string{"customer", "tax", "number"}
	vs := make([]expr.Value, profile.MatchVars)
	for i, v := range profile.Match.Vars {
		switch {
		case i == profile.FieldWords:
			vs[i] = expr.Strings(&words)
		case v.Type == tS:
			vs[i] = expr.String("4111111111111111")
		case v.Type == expr.ListOf(tS):
			vs[i] = expr.Strings(&words)
		default:
			vs[i] = expr.StringMap(nil)
		}
	}
	run.bind(vs, profile.Match)
	slow.bind(vs, profile.Match)
	for i, o := range list {
		f := expr.Frame{Vars: vs[:len(o.env.Vars)], Host: &detect.Host{}}
		b.Run(o.name+"/native", func(b *testing.B) {
			for b.Loop() {
				f.EvalBool(o.p)
			}
		})
		for name, m := range map[string]*machine{"wasm": run, "interpreted": slow} {
			fn := m.m.ExportedFunction(fmt.Sprintf("b%d", i))
			stack := make([]uint64, 1)
			b.Run(o.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					_ = fn.CallWithStack(context.Background(), stack)
				}
			})
		}
	}
}

// TestRefused: what is not done is refused, all of it at once.
func TestRefused(t *testing.T) {
	env := &expr.Env{ID: 9, Vars: []expr.Var{{Name: "m", Type: mapTypes[0]}, {Name: "l", Type: lists[8]}}, Funcs: []expr.Func{
		{ID: 1, Name: "f", Params: mapTypes[:1], Result: tB}, {ID: 2, Name: "g", Params: lists[8:9], Result: tB}}}
	w := expr.NewWriter(env, "")
	w.Op(expr.OpAnd)
	w.Call(1)
	w.Var(0)
	w.Call(2)
	w.Var(1)
	p, err := w.Program()
	require.NoError(t, err)
	x := NewExprs()
	err = x.Add("e", p, env)
	assert.ErrorContains(t, err, "call list(list(int)), call map(string, string)")
	assert.Empty(t, x.Object().Funcs)
	assert.Error(t, x.Add("e", p, profile.Field), "another environment")
}
