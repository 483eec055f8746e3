package expr_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "github.com/privetdev/privet/internal/expr"
)

const canary = "canary@example.test"

func TestTypes(t *testing.T) {
	deep := TInt
	for range MaxTypeDepth - 1 {
		deep = ListOf(deep)
	}
	for _, tt := range []struct {
		t      Type
		text   string
		valid  bool
		reason string
	}{
		{TBool, "bool", true, "a scalar"},
		{ListOf(TString), "list(string)", true, "one level"},
		{MapOf(ListOf(TInt)), "map(string, list(int))", true, "two levels"},
		{ListOf(0), "list(unknown)", true, "the type of an empty list"},
		{0, "unknown", false, "nothing has the zero type by itself"},
		{deep, strings.Repeat("list(", 7) + "int" + strings.Repeat(")", 7), true, "the deepest"},
		{ListOf(deep), "unknown", false, "one deeper"},
		{MapOf(ListOf(deep)), "map(string, unknown)", false, "a type that is too deep stays so inside of another"},
		{TInt | TBool<<4, "int", false, "a scalar has no elements"},
		{15, "unknown", false, "no such kind"},
	} {
		assert.Equal(t, tt.text, tt.t.String(), tt.reason)
		assert.Equal(t, tt.valid, tt.t.Valid(), tt.reason)
	}
	assert.Equal(t, TString, ListOf(TString).Elem())
	assert.Equal(t, TString, MapOf(TString).Elem())
	assert.Zero(t, TInt.Elem())

	assert.True(t, ListOf(0).Fits(ListOf(TInt)), "an empty list is a list of anything")
	assert.True(t, ListOf(ListOf(0)).Fits(ListOf(ListOf(TInt))))
	assert.False(t, ListOf(TInt).Fits(ListOf(0)), "a list of ints is not only the empty list")
	assert.False(t, ListOf(TInt).Fits(MapOf(TInt)))
}

func TestValues(t *testing.T) {
	words := []string{"a", "b"}
	list := Strings(&words)
	assert.Equal(t, 2, list.Len())
	assert.Equal(t, "b", list.At(1).AsString())
	assert.Equal(t, KindInvalid, list.At(2).Kind(), "outside there is no value")
	assert.Equal(t, KindInvalid, list.At(-1).Kind())
	words[0] = "c"
	assert.Equal(t, "c", list.At(0).AsString(), "a view sees changes")
	assert.Zero(t, Strings(nil).Len(), "nil is the empty list")
	assert.True(t, Strings(nil).Is(ListOf(TInt)), "an empty list is of every type")
	assert.True(t, list.Is(ListOf(TString)))
	assert.False(t, list.Is(ListOf(TInt)))
	assert.False(t, List([]Value{Int(1), String("x")}).Is(ListOf(TInt)))
	assert.False(t, Value{}.Is(0), "no value is of no type")

	var m StrMap
	m.Set("b", "2")
	m.Set("a", "1")
	m.Set("b", "3")
	v := StringMap(&m)
	key, val := v.Entry(0)
	assert.Equal(t, "a", key, "entries are in the order of their keys")
	assert.Equal(t, "1", val.AsString())
	val, ok := v.Get("b")
	assert.True(t, ok)
	assert.Equal(t, "3", val.AsString(), "the last value counts")
	_, ok = v.Get("c")
	assert.False(t, ok)
	m.Reset()
	assert.Zero(t, v.Len())
	assert.Zero(t, MapValue(nil).Len())
	assert.Zero(t, StringMap(nil).Len())

	assert.True(t, Bool(true).AsBool())
	assert.Equal(t, int64(math.MinInt64), Int(math.MinInt64).AsInt())
	assert.Equal(t, uint64(math.MaxUint64), Uint(math.MaxUint64).AsUint())
	assert.True(t, math.IsNaN(Double(math.NaN()).AsDouble()))
	sec, nanos := Timestamp(-1, 5).AsTimestamp()
	assert.Equal(t, [2]int64{-1, 5}, [2]int64{sec, int64(nanos)})
	assert.Equal(t, int64(-7), Duration(-7).AsDuration())
	assert.Zero(t, String("1").AsInt(), "another kind has the zero value")
	assert.False(t, Int(1).AsBool())
	assert.Zero(t, Int(1).AsUint()+uint64(Uint(1).AsInt())+uint64(Int(1).AsDouble())+uint64(Int(1).AsDuration()))
}

// The two kinds of map hold the same as a Go map, in order.
func TestMapsAreSortedMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s StrMap
		var m Map
		model := map[string]string{}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			k := rapid.SampledFrom([]string{"", "a", "b", "ab", "c", "日", "\xff"}).Draw(t, "key")
			v := rapid.String().Draw(t, "value")
			s.Set(k, v)
			m.Set(k, String(v))
			model[k] = v
		}
		require.Equal(t, len(model), s.Len())
		require.Equal(t, len(model), m.Len())
		last := ""
		for i := range s.Len() {
			k, v := StringMap(&s).Entry(i)
			k2, v2 := MapValue(&m).Entry(i)
			require.Equal(t, model[k], v.AsString())
			require.Equal(t, k, k2)
			require.Equal(t, v, v2)
			if i > 0 {
				require.Less(t, last, k)
			}
			last = k
		}
	})
}

var testEnv = &Env{ID: 7, Name: "test", Vars: []Var{
	{Name: "s", Type: TString}, {Name: "i", Type: TInt}, {Name: "j", Type: TInt}, {Name: "u", Type: TUint}, {Name: "v", Type: TUint},
	{Name: "d", Type: TDouble}, {Name: "l", Type: ListOf(TString)}, {Name: "m", Type: MapOf(TString)}, {Name: "t", Type: TTimestamp},
	{Name: "n", Type: TDuration}, {Name: "b", Type: TBool}, {Name: "y", Type: TBytes}, {Name: "li", Type: ListOf(TInt)},
}, Funcs: []Func{
	{ID: 300, Name: "twice", Params: []Type{TString}, Result: TString, Cost: 1},
	{ID: 2, Name: "is", Member: true, Params: []Type{TString, TString}, Result: TBool, Const: 2, Cost: 1},
	{ID: 3, Name: "parts", Params: []Type{TString}, Result: ListOf(TString), Cost: 1},
	{ID: 4, Name: "hasAny", Member: true, Params: []Type{ListOf(TString), ListOf(TString)}, Result: TBool, Cost: 1},
}}

const (
	slotS = iota
	slotI
	slotJ
	slotU
	slotV
	slotD
	slotL
	slotM
	slotT
	slotN
	slotB
	slotY
	slotLI
)

// host carries out the functions; wrong makes it answer with another type.
type host struct{ wrong bool }

func (h host) Call(fn uint16, args []Value) (Value, Code) {
	switch {
	case h.wrong:
		return Int(1), OK
	case args[0].AsString() == "refuse":
		return Value{}, BadArgument
	case fn == 300:
		return String(args[0].AsString() + args[0].AsString()), OK
	case fn == 4: // compares as much as a function of two lists may
		found := false
		for i := range args[0].Len() {
			for j := range args[1].Len() {
				found = args[0].At(i).AsString() != args[1].At(j).AsString() || found
			}
		}
		return Bool(!found), OK
	case fn == 2:
		return Bool(args[0].AsString() == args[1].AsString()), OK
	}
	return List([]Value{args[0], String("x")}), OK
}

func vars() []Value {
	words := []string{"user", "email"}
	m := &StrMap{}
	m.Set("owner", "team")
	m.Set("pii", "yes")
	return []Value{
		slotS: String("jane@example.com"), slotI: Int(7), slotJ: Int(0), slotU: Uint(7), slotV: Uint(0), slotD: Double(2.5),
		slotL: Strings(&words), slotM: StringMap(m), slotT: Timestamp(0, 0), slotN: Duration(1), slotB: Bool(true), slotY: Bytes("\xff"),
		slotLI: List([]Value{Int(1), Int(2)}),
	}
}

// build writes a program from a list of steps: an Op, a Value (a constant), an
// int (a variable), a list of one int (a local), or a function on the Writer.
func build(t testing.TB, steps ...any) *Program {
	t.Helper()
	p, err := try(steps...)
	require.NoError(t, err)
	return p
}

func try(steps ...any) (*Program, error) {
	w := NewWriter(testEnv, "source")
	for _, s := range steps {
		switch s := s.(type) {
		case Op:
			w.Op(s)
		case Value:
			w.Const(s)
		case int:
			w.Var(s)
		case []int:
			w.Local(s[0])
		case func(*Writer):
			s(w)
		}
	}
	return w.Program()
}

func text(op Op, s string) func(*Writer) { return func(w *Writer) { w.Text(op, s) } }
func list(n int) func(*Writer)           { return func(w *Writer) { w.List(n) } }
func mapping(n int) func(*Writer)        { return func(w *Writer) { w.Map(n) } }
func call(fn uint16) func(*Writer)       { return func(w *Writer) { w.Call(fn) } }

func ExampleFrame_Eval() {
	env := &Env{ID: 1, Name: "example", Vars: []Var{{Name: "field.words", Type: ListOf(TString)}}}
	w := NewWriter(env, `field.words.exists(w, w == "email")`)
	w.Op(OpExists)
	w.Var(0)
	w.Op(OpEq)
	w.Local(0)
	w.Const(String("email"))
	p, err := w.Program()
	if err != nil {
		fmt.Println(err)
		return
	}

	words := []string{"user", "email"}
	f := Frame{Vars: []Value{Strings(&words)}}
	v, code := f.Eval(p)
	fmt.Println(v.AsBool(), code == OK)
	// Output: true true
}

func TestWriterRefuses(t *testing.T) {
	long := strings.Repeat("a", MaxText+1)
	for _, tt := range []struct {
		reason string
		large  bool
		steps  []any
	}{
		{"nothing written", false, nil},
		{"an operand is missing", false, []any{OpNot}},
		{"something is left over", false, []any{slotB, slotB}},
		{"types differ", false, []any{OpAdd, slotI, slotU}},
		{"durations are not multiplied", false, []any{OpMul, slotN, slotN}},
		{"a bool is no number", false, []any{OpNeg, slotB}},
		{"a uint has no negative", false, []any{OpNeg, slotU}},
		{"lists are not ordered", false, []any{OpLt, slotL, slotL}},
		{"no such variable", false, []any{len(testEnv.Vars)}},
		{"a local outside of a macro", false, []any{[]int{0}}},
		{"a local of a level that is not open", false, []any{OpAll, slotL, OpEq, []int{1}, slotS}},
		{"the range does not see the local", false, []any{OpAll, OpAdd, slotL, OpTransform, []int{0}, slotS, slotB}},
		{"a macro over a text", false, []any{OpAll, slotS, slotB}},
		{"a predicate that is no bool", false, []any{OpFilter, slotL, slotS}},
		{"no such function", false, []any{call(9), slotS}},
		{"an argument of another type", false, []any{call(300), slotI}},
		{"an argument that must be constant", false, []any{call(2), slotS, slotS}},
		{"elements of different types", false, []any{list(2), slotS, slotI}},
		{"keys that are no strings", false, []any{mapping(1), slotI, slotI}},
		{"an element of unknown type", false, []any{OpIndex, list(0), slotI}},
		{"a bad pattern", false, []any{text(OpMatches, "("), slotS}},
		{"no such operation", false, []any{Op(0), slotS}},
		{"no such operation", false, []any{Op(255), slotS}},
		{"a constant without a literal", false, []any{Timestamp(0, 0)}},
		{"a string that is not UTF-8", false, []any{String("\xff")}},
		{"a key that is not UTF-8", false, []any{text(OpHas, "\xff"), slotM}},
		{"a text that is too long", true, []any{OpEq, slotS, String(long)}},
		{"a pattern that is too long", true, []any{text(OpMatches, long), slotS}},
		{"a pattern that is too large", true, []any{text(OpMatches, "(?:abcdefghijklmnopqrstuvwxyz){1000}"), slotS}},
		{"too deep", true, append(slices.Repeat([]any{OpNot}, MaxDepth), slotB)},
		{"macros too deep", true, append(slices.Repeat([]any{OpAll, slotL}, MaxLoops+1), slotB)},
		{"too many operations", true, append([]any{list(MaxNodes)}, slices.Repeat([]any{slotB}, MaxNodes)...)},
	} {
		p, err := try(tt.steps...)
		if assert.Error(t, err, tt.reason) {
			assert.Nil(t, p, tt.reason)
			assert.True(t, strings.HasPrefix(err.Error(), "expr: "), "%s: %s", tt.reason, err)
			assert.Equal(t, tt.large, TooLarge(err), "%s: %s", tt.reason, err)
		}
	}
	_, err := try(append(slices.Repeat([]any{OpNot}, MaxDepth-1), slotB)...)
	assert.NoError(t, err, "the deepest that is allowed")
	_, err = try(append(slices.Repeat([]any{OpAll, slotL}, MaxLoops), slotB)...)
	assert.NoError(t, err, "the most macros that are allowed")
}

func TestDecodeRefuses(t *testing.T) {
	good := build(t, OpEq, slotS, String("x")).Append(nil)
	_, err := Decode(good, testEnv)
	require.NoError(t, err)
	for n := range good {
		_, err := Decode(good[:n], testEnv)
		assert.Error(t, err, "cut after %d bytes", n)
	}
	_, err = Decode(append(slices.Clone(good), 0), testEnv)
	assert.Error(t, err, "bytes after the end")
	_, err = Decode(good, &Env{ID: 8})
	assert.ErrorContains(t, err, "another environment")
	_, err = Decode(append([]byte{2}, good[1:]...), testEnv)
	assert.ErrorContains(t, err, "later version")
	padded := append([]byte{1, testEnv.ID, 0x86, 0x00}, good[3:]...) // the source's length as two bytes
	_, err = Decode(padded, testEnv)
	assert.ErrorContains(t, err, "canonical")
	smaller := *testEnv
	smaller.Vars = nil
	_, err = Decode(good, &smaller)
	assert.ErrorContains(t, err, "newer host", "a variable that this host does not have")
}

func TestFrameMustFit(t *testing.T) {
	p := build(t, OpEq, slotS, String("x"))
	for _, tt := range []struct {
		reason string
		f      Frame
	}{
		{"no variables", Frame{}},
		{"too few", Frame{Vars: vars()[:3]}},
		{"a variable without a value", Frame{Vars: make([]Value, len(testEnv.Vars))}},
		{"a variable of another kind", Frame{Vars: slices.Repeat([]Value{Int(1)}, len(testEnv.Vars))}},
	} {
		_, c := tt.f.Eval(p)
		assert.Equal(t, BadFrame, c, tt.reason)
		_, c = tt.f.EvalBool(p)
		assert.Equal(t, BadFrame, c, tt.reason)
	}
	f := Frame{Vars: vars()}
	_, c := f.Eval(&Program{})
	assert.Equal(t, BadFrame, c, "an empty program")
	_, c = (&Frame{}).Eval(&Program{Nodes: []Node{{Op: OpMatches, Type: TBool}}})
	assert.Equal(t, BadFrame, c, "a program that nobody checked")
	_, c = f.EvalBool(build(t, slotS))
	assert.Equal(t, BadFrame, c, "a program that is no bool")
	_, c = f.Eval(build(t, call(300), slotS))
	assert.Equal(t, BadFrame, c, "a call without a host")
	f.Host = host{wrong: true}
	_, c = f.Eval(build(t, call(300), slotS))
	assert.Equal(t, BadArgument, c, "a host that breaks its word")
	_, c = f.Eval(build(t, call(3), slotS))
	assert.Equal(t, BadArgument, c)
}

// TestCalc holds the arithmetic against arithmetic without bounds.
func TestCalc(t *testing.T) {
	edges := []int64{0, 1, -1, 2, -2, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 1 << 31, 1 << 32, 3037000500, -3037000500}
	number := rapid.OneOf(rapid.SampledFrom(edges), rapid.Int64())
	ops := []Op{OpAdd, OpSub, OpMul, OpDiv, OpMod}
	programs := map[Op][2]*Program{}
	for _, op := range ops {
		programs[op] = [2]*Program{build(t, op, slotI, slotJ), build(t, op, slotU, slotV)}
	}
	exact := func(op Op, a, b *big.Int) (*big.Int, Code) {
		r := new(big.Int)
		switch op {
		case OpAdd:
			return r.Add(a, b), OK
		case OpSub:
			return r.Sub(a, b), OK
		case OpMul:
			return r.Mul(a, b), OK
		}
		if b.Sign() == 0 {
			return nil, map[Op]Code{OpDiv: DivideByZero, OpMod: ModulusByZero}[op]
		}
		if op == OpDiv {
			return r.Quo(a, b), OK
		}
		if a.IsInt64() && a.Int64() == math.MinInt64 && b.IsInt64() && b.Int64() == -1 {
			return nil, Overflow // CEL's remainder overflows with its quotient
		}
		return r.Rem(a, b), OK
	}
	f := Frame{Vars: vars()}
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom(ops).Draw(t, "op")
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		f.Vars[slotI], f.Vars[slotJ] = Int(a), Int(b)
		v, c := f.Eval(programs[op][0])
		want, code := exact(op, big.NewInt(a), big.NewInt(b))
		if code == OK && !want.IsInt64() {
			code = Overflow
		}
		require.Equal(t, code, c)
		if c == OK {
			require.Equal(t, want.Int64(), v.AsInt())
		}

		x, y := uint64(a), uint64(b)
		f.Vars[slotU], f.Vars[slotV] = Uint(x), Uint(y)
		v, c = f.Eval(programs[op][1])
		want, code = exact(op, new(big.Int).SetUint64(x), new(big.Int).SetUint64(y))
		if code == OK && !want.IsUint64() {
			code = Overflow
		}
		require.Equal(t, code, c)
		if c == OK {
			require.Equal(t, want.Uint64(), v.AsUint())
		}
	})
}

func TestBudget(t *testing.T) {
	// Six macros over sixty-four elements each would be 2^36 turns.
	many := make([]string, 64)
	f := Frame{Vars: vars(), Host: host{}}
	f.Vars[slotL] = Strings(&many)
	forever := append(slices.Repeat([]any{OpAll, slotL}, MaxLoops), Bool(true))
	_, c := f.Eval(build(t, forever...))
	assert.Equal(t, TooMuch, c)
	assert.Equal(t, Budget, f.Spent())

	_, c = f.EvalBool(build(t, append([]any{OpOr}, append(forever, Bool(true))...)...))
	assert.Equal(t, TooMuch, c, "nothing absorbs an evaluation that was broken off")

	// Each replace multiplies the length.
	f.Vars[slotS] = String(strings.Repeat("a", 4096))
	p := build(t, OpReplace, OpReplace, OpReplace, slotS, String("a"), slotS, String("a"), slotS, String("a"), slotS)
	_, c = f.Eval(p)
	assert.Equal(t, TooMuch, c, "texts are paid for before they are made")

	// A list of lists of lists.
	p = build(t, OpTransform, slotL, OpTransform, slotL, OpTransform, slotL, OpTransform, slotL, []int{3})
	_, c = f.Eval(p)
	assert.Equal(t, TooMuch, c, "lists are paid for")

	// A large pattern, on a text that is long.
	f.Vars[slotS] = String(strings.Repeat("a", 64<<10))
	p = build(t, OpExists, slotL, text(OpMatches, "^b(?:abcdefghij){500}"), slotS)
	_, c = f.Eval(p)
	assert.Equal(t, TooMuch, c, "matching is paid for by the weight of the pattern")
	_, c = f.Eval(build(t, OpSize, slotS))
	assert.Equal(t, OK, c, "the next evaluation has a budget of its own")
}

func TestTrace(t *testing.T) {
	p := build(t, OpOr, OpExists, slotL, OpEq, []int{0}, String("user"), OpEq, slotS, String("x"))
	type step struct {
		op    Op
		value bool
	}
	var steps []step
	f := Frame{Vars: vars(), Trace: func(node int, v Value, c Code) {
		assert.Equal(t, OK, c)
		assert.True(t, v.Is(p.Nodes[node].Type))
		if v.Kind() == KindBool {
			steps = append(steps, step{p.Nodes[node].Op, v.AsBool()})
		}
	}}
	b, c := f.EvalBool(p)
	assert.True(t, b)
	assert.Equal(t, OK, c)
	assert.Equal(t, []step{{OpEq, true}, {OpExists, true}, {OpOr, true}}, steps, "the right side of || was not evaluated")

	var codes []Code
	f.Trace = func(_ int, v Value, c Code) {
		codes = append(codes, c)
		if c != OK {
			assert.Equal(t, Value{}, v)
		}
	}
	_, c = f.Eval(build(t, OpDiv, slotI, slotJ))
	assert.Equal(t, DivideByZero, c)
	assert.Equal(t, []Code{OK, OK, DivideByZero}, codes)
}

// TestNoAllocations: evaluating scalar expressions allocates nothing.
func TestNoAllocations(t *testing.T) {
	f := Frame{Vars: vars(), Host: host{}}
	for _, tt := range []struct {
		name  string
		steps []any
	}{
		{"exists and matches", []any{OpOr, OpExists, slotL, OpEq, []int{0}, String("phone"), text(OpMatches, "^[^@ ]+@[^@ ]+$"), slotS}},
		{"startsWith and contains", []any{OpAnd, OpStartsWith, slotS, String("jane"), OpContains, slotS, String("@")}},
		{"in a list of constants", []any{OpIn, slotS, list(3), String("a"), String("b"), String("jane@example.com")}},
		{"map", []any{OpAnd, text(OpHas, "pii"), slotM, OpEq, text(OpSelect, "pii"), slotM, String("yes")}},
		{"arithmetic", []any{OpGt, OpMod, OpMul, slotI, Int(3), Int(10), OpSize, slotS}},
		{"substring and case that is right", []any{OpEq, OpLower, OpSubstring, slotS, Int(0), Int(4), String("jane")}},
		{"conditional, index, trim", []any{OpEq, OpCond, slotB, OpIndex, slotL, Int(1), slotS, OpTrim, String(" email ")}},
		{"instants", []any{OpLt, OpAdd, slotT, slotN, OpToTimestamp, Int(1)}},
		{"a call", []any{call(2), slotS, String("x")}},
		{"an error", []any{OpOr, OpGt, OpDiv, slotI, slotJ, Int(0), OpEq, text(OpSelect, "none"), slotM, String("")}},
		{"all over a map", []any{OpAll, slotM, OpNe, OpIndex, slotM, []int{0}, String("")}},
		{"exists_one", []any{OpExistsOne, slotL, OpEndsWith, []int{0}, String("l")}},
		{"int of a text", []any{OpGe, OpToInt, String("-12"), slotI}},
	} {
		p := build(t, tt.steps...)
		f.Eval(p)
		assert.Zero(t, testing.AllocsPerRun(100, func() { f.Eval(p) }), tt.name)
		assert.Zero(t, testing.AllocsPerRun(100, func() { f.EvalBool(p) }), tt.name)
	}
	var m StrMap
	fill := func() {
		m.Reset()
		m.Set("a", "1")
		m.Set("b", "2")
	}
	fill()
	assert.Zero(t, testing.AllocsPerRun(100, fill), "a map that is used again")
}

func TestProgramIsDescribed(t *testing.T) {
	p := build(t, OpSift, slotL, OpEq, []int{0}, slotS, call(300), []int{0})
	assert.Equal(t, ListOf(TString), p.Result())
	assert.Zero(t, (&Program{}).Result())
	assert.Equal(t, "source", p.Source)
	root := len(p.Nodes) - 1
	var ops []string
	for _, i := range p.Operands(nil, root) {
		ops = append(ops, p.Nodes[i].Op.String())
	}
	assert.Equal(t, []string{"var", "==", "call"}, ops)
	used := p.Vars()
	assert.True(t, used[slotL] && used[slotS])
	assert.False(t, used[slotI])
	for op := OpConst; int(op) < Ops; op++ {
		assert.NotEqual(t, "invalid", op.String(), "operation %d has no name", op)
	}
	assert.Equal(t, "invalid", OpInvalid.String())
	assert.Equal(t, "invalid", Op(200).String())

	folded := build(t, OpIn, slotS, list(2), String("a"), String("b"))
	for _, n := range folded.Nodes {
		if n.Op == OpList {
			require.NotZero(t, n.C, "a list of constants is a constant")
			assert.Equal(t, 2, folded.Consts[n.C-1].Len())
		}
	}
	assert.Equal(t, []string{"a+"}, build(t, text(OpMatches, "a+"), slotS).Patterns)
}

func TestEnv(t *testing.T) {
	slot, ok := testEnv.Slot("li")
	assert.True(t, ok)
	assert.Equal(t, slotLI, slot)
	_, ok = testEnv.Slot("x")
	assert.False(t, ok)
	f, ok := testEnv.Func(300)
	assert.True(t, ok)
	assert.Equal(t, "twice", f.Name)
	_, ok = testEnv.Func(0)
	assert.False(t, ok)
}

// TestCanary: no error, code or type ever carries a value.
func TestCanary(t *testing.T) {
	f := Frame{Vars: vars(), Host: host{}}
	f.Vars[slotS] = String(canary)
	f.Vars[slotY] = Bytes(canary + "\xff")
	var said []string
	for _, steps := range [][]any{
		{OpToInt, slotS}, {OpToUint, slotS}, {OpToDouble, slotS}, {OpToBool, slotS}, {OpToTimestamp, slotS}, {OpToDuration, slotS},
		{OpToString, slotY}, {OpIndex, slotM, slotS}, {OpFrom, slotS, Int(1000)}, {OpIndex, slotL, slotI}, {OpDiv, slotI, slotJ},
		{call(300), String("refuse")},
	} {
		v, c := f.Eval(build(t, steps...))
		require.NotEqual(t, OK, c)
		assert.Equal(t, Value{}, v)
		said = append(said, c.String(), c.Error(), fmt.Sprint(c), fmt.Sprintf("%+v", v))
	}
	for _, steps := range [][]any{
		{String(canary), slotS}, {text(OpMatches, "("+canary), slotS}, {text(OpHas, canary+"\xff"), slotM}, {OpNot, String(canary)},
	} {
		_, err := try(steps...)
		require.Error(t, err)
		said = append(said, err.Error())
	}
	for _, s := range said {
		assert.NotContains(t, s, "canary")
	}
	assert.NotEmpty(t, said)
}

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for c := OK; c <= BadFrame; c++ {
		assert.NotEmpty(t, c.String())
		assert.False(t, seen[c.String()], "two codes say %q", c)
		seen[c.String()] = true
		assert.True(t, strings.HasPrefix(c.Error(), "expr: "))
	}
	assert.Equal(t, "unknown code", Code(200).String())
	assert.True(t, errors.Is(fmt.Errorf("x: %w", NoSuchKey), NoSuchKey), "a code is an error that can be asked for")
}

func TestCheckPattern(t *testing.T) {
	size, err := CheckPattern(`^\d{3}$`)
	require.NoError(t, err)
	assert.Positive(t, size)
	_, err = CheckPattern("(")
	assert.Error(t, err)
	assert.False(t, TooLarge(err))
	for _, large := range []string{strings.Repeat("a", MaxText+1), "(?:" + strings.Repeat("a", 100) + "){900}", strings.Repeat(`(?:\pL{300})`, 100)} {
		_, err = CheckPattern(large)
		assert.True(t, TooLarge(err), "%d bytes", len(large))
	}
}

// FuzzDecode gives Decode any bytes: it never panics, what it accepts encodes to
// the same bytes, and evaluates to its type, or to an error, without a panic.
func FuzzDecode(f *testing.F) {
	seeds := 0
	for _, steps := range [][]any{
		{OpOr, OpExists, slotL, OpEq, []int{0}, String("phone"), text(OpMatches, "^[^@ ]+@[^@ ]+$"), slotS},
		{OpCond, slotB, mapping(1), String("k"), list(2), Int(1), Int(-1), mapping(0)},
		{OpSift, slotL, OpIn, []int{0}, slotM, OpAdd, []int{0}, OpToString, slotD},
		{OpFilter, OpTransform, slotLI, OpTransform, slotL, []int{0}, OpEq, []int{0}, slotLI},
		{call(2), call(300), slotS, String("x")},
		{OpSub, OpAdd, slotT, OpToDuration, String("1h"), OpToTimestamp, Int(0)},
		{OpReplaceN, OpSubstring, slotS, Int(0), slotI, String(""), slotS, slotJ},
		{OpSplitN, slotS, String("@"), slotI},
		{OpLe, Double(math.Inf(1)), OpNeg, slotD},
		{OpToBytes, OpUpper, text(OpSelect, "pii"), slotM},
		{OpEq, Bytes("\xff"), slotY},
	} {
		p, err := try(steps...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.Append(nil))
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	empty := []Value{
		slotS: String("\xff"), slotI: Int(math.MinInt64), slotJ: Int(-1), slotU: Uint(math.MaxUint64), slotV: Uint(1), slotD: Double(math.NaN()),
		slotL: Strings(nil), slotM: MapValue(nil), slotT: Timestamp(253402300799, 999999999), slotN: Duration(math.MinInt64), slotB: Bool(false),
		slotY: Bytes(""), slotLI: List(nil),
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b, testEnv)
		if err != nil {
			return
		}
		if again := p.Append(nil); !slices.Equal(again, b) {
			t.Fatalf("%x encodes as %x", b, again)
		}
		for _, pattern := range p.Patterns {
			if _, err := regexp.Compile(pattern); err != nil {
				t.Fatalf("accepted the pattern %q", pattern)
			}
		}
		p.Text(len(p.Nodes) - 1)
		frame := Frame{Host: host{}}
		for _, frame.Vars = range [][]Value{vars(), empty} {
			v, c := frame.Eval(p)
			if c == OK && !v.Is(p.Result()) {
				t.Fatalf("value of kind %s is no %s", v.Kind(), p.Result())
			}
			if c == BadFrame || c >= Code(100) {
				t.Fatalf("code %d", c)
			}
		}
	})
}
