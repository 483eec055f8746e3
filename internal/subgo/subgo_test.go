package subgo_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/subgo"
	"github.com/privetdev/privet/internal/subgo/testdata/prog"
)

// A machine runs compiled functions with Go values.
type machine struct {
	module *asm.Module
	m      api.Module
	fault  api.MutableGlobal
}

func start(t testing.TB, object *asm.Object, symbols ...string) *machine {
	t.Helper()
	var exports []asm.Export
	for _, s := range symbols {
		exports = append(exports, asm.Export{Name: s, Sym: s})
	}
	exports = append(exports, asm.Export{Name: subgo.FaultSym, Sym: subgo.FaultSym})
	for n := 1; n < 10; n++ {
		for _, k := range []asm.Type{asm.I32, asm.I64, asm.F64} {
			s := subgo.ResultSym(n, k)
			exports = append(exports, asm.Export{Name: s, Sym: s})
		}
	}
	linked, err := asm.Link(asm.Options{Exports: exports, Memory: "memory", Reserve: 1 << 16}, object)
	require.NoError(t, err)
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	m, err := r.Instantiate(t.Context(), linked.Wasm)
	require.NoError(t, err)
	return &machine{linked, m, m.ExportedGlobal(subgo.FaultSym).(api.MutableGlobal)}
}

// call runs a function in the module as the native one is called; ok is false after a
// fault.
func (x *machine) call(t testing.TB, symbol string, kind reflect.Type, args []reflect.Value) (out []any, ok bool) {
	t.Helper()
	at := uint32(x.module.End)
	var raw []uint64
	for _, a := range args {
		switch a.Kind() {
		case reflect.String:
			x.m.Memory().Write(at, []byte(a.String()))
			raw = append(raw, uint64(at), uint64(a.Len()))
			at += uint32(a.Len())
		case reflect.Bool:
			raw = append(raw, 0)
			if a.Bool() {
				raw[len(raw)-1] = 1
			}
		case reflect.Float64:
			raw = append(raw, math.Float64bits(a.Float()))
		case reflect.Int64:
			raw = append(raw, uint64(a.Int()))
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
			raw = append(raw, uint64(uint32(a.Int())))
		default:
			raw = append(raw, a.Uint())
		}
	}
	x.fault.Set(0)
	got, err := x.m.ExportedFunction(symbol).Call(t.Context(), raw...)
	require.NoError(t, err, symbol)
	n := 0
	part := func(k asm.Type) uint64 {
		n++
		if n == 1 && k == asm.I32 {
			return uint64(uint32(got[0])) // the upper half may hold anything
		}
		if n == 1 {
			return got[0]
		}
		return x.m.ExportedGlobal(subgo.ResultSym(n-1, k)).Get()
	}
	for i := range kind.NumOut() {
		o := kind.Out(i)
		v := reflect.New(o).Elem()
		switch o.Kind() {
		case reflect.String:
			p, size := part(asm.I32), part(asm.I32)
			b, within := x.m.Memory().Read(uint32(p), uint32(size))
			require.True(t, within, symbol)
			v.SetString(string(b))
		case reflect.Bool:
			v.SetBool(part(asm.I32) != 0)
		case reflect.Float64:
			v.SetFloat(math.Float64frombits(part(asm.F64)))
		case reflect.Int64:
			v.SetInt(int64(part(asm.I64)))
		case reflect.Uint64:
			v.SetUint(part(asm.I64))
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
			bits := int64(int32(part(asm.I32)))
			require.False(t, v.OverflowInt(bits), "%s returns %d as %s", symbol, bits, o)
			v.SetInt(bits)
		default:
			bits := uint64(uint32(part(asm.I32)))
			require.False(t, v.OverflowUint(bits), "%s returns %d as %s", symbol, bits, o)
			v.SetUint(bits)
		}
		out = append(out, v.Interface())
	}
	return out, x.fault.Get() == 0
}

// native calls a function; ok is false if it panics.
func native(f reflect.Value, args []reflect.Value) (out []any, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	for _, v := range f.Call(args) {
		out = append(out, v.Interface())
	}
	return out, true
}

var pieces = []string{"", "a", "ab", "abc", "abcd", "abcdefgh", "abcdefghi", "--", "-", "é", "\xff", "\xe2\x82", "€", "😀", "\xed\xa0\x80", "\xf0\x9f\x98", "0", "9", "12345678", " ", "x", "y", "\x00", "none", "more", "ba", "z{`/:@[", "\u2028", "\xc0\xaf", "\xf4\x90\x80\x80"}

// value is a random value of a type, extremes more often than chance has them.
func value(r *rand.Rand, t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		s := ""
		for range r.IntN(5) {
			s += pieces[r.IntN(len(pieces))]
		}
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Float64:
		special := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 2, 1e-310, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), 3.75}
		v.SetFloat(special[r.IntN(len(special))])
		if r.IntN(2) == 0 {
			v.SetFloat((r.Float64() - 0.25) * math.Pow(10, float64(r.IntN(12)-4)))
		}
	default:
		bits := int64(r.Uint64())
		switch r.IntN(4) {
		case 0:
			bits = int64(r.IntN(24) - 8)
		case 1:
			bits = []int64{0, 1, -1, math.MaxInt8, math.MinInt8, math.MaxInt16, math.MinInt16, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 255, 65535, 31, 32, 63, 64, 0x10ffff, 0xd800}[r.IntN(19)]
		case 2:
			bits = int64(r.IntN(300))
		}
		v.Set(reflect.ValueOf(bits).Convert(t))
	}
	return v
}

func equal(a, b []any) bool {
	for i := range a {
		x, isFloat := a[i].(float64)
		y, _ := b[i].(float64)
		if a[i] != b[i] && (!isFloat || x == x || y == y) {
			return false
		}
	}
	return len(a) == len(b)
}

// functions are those of the package prog, called by their names.
var functions = map[string]any{
	"Add": prog.Add, "Div": prog.Div, "Rem": prog.Rem, "Div64": prog.Div64, "DivU": prog.DivU, "Rem64": prog.Rem64, "DivC": prog.DivC, "Div8": prog.Div8,
	"Shl": prog.Shl, "Shr": prog.Shr, "ShrU": prog.ShrU, "Shl64": prog.Shl64, "Shr64": prog.Shr64, "Narrow": prog.Narrow, "Narrow2": prog.Narrow2,
	"Convert": prog.Convert, "Logic": prog.Logic, "Between": prog.Between, "Float": prog.Float, "Bits": prog.Bits, "Sum": prog.Sum, "At": prog.At,
	"Cut": prog.Cut, "From": prog.From, "To": prog.To, "Less": prog.Less, "Is": prog.Is, "Runes": prog.Runes, "Reverse": prog.Reverse, "Nested": prog.Nested,
	"Table": prog.Table, "Name": prog.Name, "Pick": prog.Pick, "List": prog.List, "Step": prog.Step, "State": prog.State, "Buffer": prog.Buffer, "Fresh": prog.Fresh,
	"Structs": prog.Structs, "Arrays": prog.Arrays, "Closures": prog.Closures, "Words": prog.Words, "Encode": prog.Encode, "Copies": prog.Copies, "Clamp": prog.Clamp,
	"Wide": prog.Wide, "Wheel": prog.Wheel, "Stop": prog.Stop, "Swap": prog.Swap, "Bags": prog.Bags, "Func": prog.Func, "Deep": prog.Deep, "Scalar": prog.Scalar, "Evaluate": prog.Evaluate, "Matrix": prog.Matrix, "Big": prog.Big, "Moves": prog.Moves, "Eight": prog.Eight, "Checks": prog.Checks,
}

func compileProg(t testing.TB) *asm.Object {
	t.Helper()
	var roots []subgo.Root
	for name := range functions {
		roots = append(roots, subgo.Root{Package: "x/prog", Func: name})
	}
	object, err := subgo.Compile([]subgo.Package{{Path: "x/prog", Files: os.DirFS("testdata/prog")},
		{Path: "github.com/privetdev/privet/internal/wide", Files: os.DirFS("../wide")}}, roots)
	require.NoError(t, err)
	return object
}

func TestCompiledFunctionsDoWhatNativeOnesDo(t *testing.T) {
	var symbols []string
	for name := range functions {
		symbols = append(symbols, "prog."+name)
	}
	x := start(t, compileProg(t), symbols...)
	for name, function := range functions {
		t.Run(name, func(t *testing.T) {
			f := reflect.ValueOf(function)
			r := rand.New(rand.NewPCG(1, 2))
			for range 2000 {
				var args []reflect.Value
				var shown []any
				for i := range f.Type().NumIn() {
					args = append(args, value(r, f.Type().In(i)))
					shown = append(shown, args[i].Interface())
				}
				want, lives := native(f, args)
				got, ok := x.call(t, "prog."+name, f.Type(), args)
				require.Equal(t, lives, ok, "%s(%q): panics natively, or faults, and not the other: %v", name, shown, got)
				if lives {
					require.True(t, equal(want, got), "%s(%q): natively %v, in the module %v", name, shown, want, got)
				}
			}
		})
	}
}

func TestBytesAreTheSameEachTime(t *testing.T) {
	first := compileProg(t).Marshal()
	for range 3 {
		require.Equal(t, string(first), string(compileProg(t).Marshal()))
	}
	assert.NotEmpty(t, first)
}

type machineSource struct{ object *asm.Object }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
