package asm_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/internal/asm"
)

// run starts a module; wazero validates it.
func run(t *testing.T, m *asm.Module) api.Module {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	instance, err := r.Instantiate(t.Context(), m.Wasm)
	require.NoError(t, err)
	return instance
}

func call(t *testing.T, m api.Module, name string, args ...uint64) uint64 {
	t.Helper()
	got, err := m.ExportedFunction(name).Call(t.Context(), args...)
	require.NoError(t, err)
	if len(got) == 0 {
		return 0
	}
	return got[0]
}

func op(o asm.Op) asm.Instr { return asm.Instr{Op: o} }
func num(v int64) asm.Instr { return asm.Const(asm.I32, v) }
func end() asm.Instr        { return asm.Instr{Op: asm.End} }
func exports(n ...string) (e []asm.Export) {
	for _, name := range n {
		e = append(e, asm.Export{Name: name, Sym: name})
	}
	return e
}

// sample has calls, a loop, data that refers to data, a table, and much that is dead.
func sample() *asm.Object {
	return &asm.Object{
		Funcs: []*asm.Func{
			{Name: "unused", Sig: ">i", Body: []asm.Instr{asm.Addr("dead", 0)}},
			{Name: "sum", Sig: "i>i", Locals: []asm.Type{asm.I64, asm.I32, asm.F64}, Body: []asm.Instr{
				asm.Block(asm.BlockOp, 1, asm.None), asm.Block(asm.Loop, 2, asm.None),
				asm.Get(0), op(asm.I32Eqz), asm.Jump(asm.BrIf, 1),
				asm.Get(2), asm.Get(0), op(asm.I32Add), asm.Set(2),
				asm.Get(0), num(1), op(asm.I32Sub), asm.Set(0),
				asm.Jump(asm.Br, 2), end(), end(), asm.Get(2),
			}},
			{Name: "twice", Sig: "i>i", Body: []asm.Instr{asm.Get(0), asm.Get(0), op(asm.I32Add)}},
			{Name: "apply", Sig: "ii>i", Body: []asm.Instr{asm.Get(1), asm.Get(0), asm.CallIndirect("i>i")}},
			{Name: "pick", Sig: "i>i", Body: []asm.Instr{
				asm.Get(0), asm.Block(asm.If, 0, asm.I32), asm.Addr("sum", 0), asm.Instr{Op: asm.Else}, asm.Addr("twice", 0), end(), num(10), op(asm.Drop)}},
			{Name: "both", Sig: "ii>i", Body: []asm.Instr{asm.Get(0), asm.Call("pick"), asm.Get(1), asm.Call("apply")}},
			{Name: "text", Sig: "i>i", Body: []asm.Instr{asm.Get(0), asm.Mem(asm.I32Load, "list", 0), asm.Mem(asm.I32Load8U, "", 1)}},
			{Name: "count", Sig: ">i", Body: []asm.Instr{asm.GetGlobal("n"), num(1), op(asm.I32Add), asm.SetGlobal("n"), asm.GetGlobal("n")}},
			{Name: "end", Sig: ">i", Body: []asm.Instr{asm.GetGlobal(asm.EndSym)}},
			{Name: "where", Sig: ">i", Body: []asm.Instr{asm.Addr("big", 8)}},
			{Name: "way", Sig: "i>i", Body: []asm.Instr{
				asm.Block(asm.BlockOp, 1, asm.None), asm.Block(asm.BlockOp, 2, asm.None), asm.Get(0), asm.Table(1, 2), end(), num(7), op(asm.Return), end(), num(5)}},
		},
		Data: []*asm.Data{
			{Name: "dead", Bytes: []byte("nobody reads this"), Size: 17, Const: true},
			{Name: "a", Bytes: []byte("ab\x00\xff\n"), Size: 5, Const: true},
			{Name: "b", Bytes: []byte("cd"), Size: 2, Const: true},
			{Name: "b again", Bytes: []byte("cd"), Size: 2, Const: true},
			{Name: "list", Bytes: make([]byte, 12), Size: 12, Align: 4, Const: true, Refs: []asm.Ref{{0, "a", 0}, {4, "b", 0}, {8, "b again", 0}}},
			{Name: "big", Size: 70000, Align: 16},
		},
		Globals: []*asm.Global{{Name: "n", Type: asm.I32, Value: 41}, {Name: "gone", Type: asm.I64}, {Name: "at", Type: asm.I32, Sym: "b", Value: 1}},
	}
}

var all = exports("sum", "both", "text", "count", "end", "where", "at", "way")

func TestModulesRun(t *testing.T) {
	linked, err := asm.Link(asm.Options{Exports: all, Memory: "memory", Sections: []asm.Section{{Name: "note", Content: []byte("x")}}}, sample())
	require.NoError(t, err)
	m := run(t, linked)
	assert.EqualValues(t, 5050, call(t, m, "sum", 100))
	assert.EqualValues(t, 6, call(t, m, "both", 1, 3), "through the table")
	assert.EqualValues(t, 14, call(t, m, "both", 0, 7), "through the table")
	assert.EqualValues(t, 'b', call(t, m, "text", 0))
	assert.EqualValues(t, 'd', call(t, m, "text", 4))
	assert.EqualValues(t, 'd', call(t, m, "text", 8), "equal constants are one")
	assert.EqualValues(t, 42, call(t, m, "count"))
	assert.EqualValues(t, 43, call(t, m, "count"))
	assert.EqualValues(t, linked.End, call(t, m, "end"))
	assert.EqualValues(t, linked.Addr["big"]+8, call(t, m, "where"))
	assert.EqualValues(t, 5, call(t, m, "way", 0))
	assert.EqualValues(t, 7, call(t, m, "way", 1))
	assert.EqualValues(t, linked.Addr["b"]+1, m.ExportedGlobal("at").Get())
	assert.Equal(t, linked.Addr["b"], linked.Addr["b again"])
	assert.GreaterOrEqual(t, int(m.Memory().Size()), linked.End)
	sum := 0
	for _, n := range linked.Data {
		sum += n
	}
	assert.Equal(t, 5+2+12, sum, "zeros take nothing: %v", linked.Data)
}

func TestMemoryGrowsAsFarAsItIsSaid(t *testing.T) {
	o := sample()
	o.Funcs = append(o.Funcs, &asm.Func{Name: "grow", Sig: "i>i", Body: []asm.Instr{asm.Get(0), op(asm.MemoryGrow)}},
		&asm.Func{Name: "most", Sig: ">i", Body: []asm.Instr{asm.GetGlobal(asm.MostSym)}})
	linked, err := asm.Link(asm.Options{Exports: exports("grow", "most", "where"), Memory: "memory", Reserve: 100, Grow: 200000}, o)
	require.NoError(t, err)
	m := run(t, linked)
	pages := int64(m.Memory().Size()) >> 16
	assert.EqualValues(t, linked.Most, call(t, m, "most"))
	assert.GreaterOrEqual(t, linked.Most, linked.End+200100)
	more := int64(linked.Most)>>16 - pages
	assert.EqualValues(t, -1, int32(call(t, m, "grow", uint64(more+1))))
	assert.EqualValues(t, pages, call(t, m, "grow", uint64(more)))
	assert.EqualValues(t, -1, int32(call(t, m, "grow", 1)))
}

func TestWhatNothingNeedsIsLeftOut(t *testing.T) {
	linked, err := asm.Link(asm.Options{Exports: exports("sum")}, sample())
	require.NoError(t, err)
	assert.NotContains(t, string(linked.Wasm), "nobody")
	assert.Len(t, linked.Sizes, 1)
	assert.Less(t, len(linked.Wasm), 80)
}

func TestBytesAreTheSameEachTime(t *testing.T) {
	first, err := asm.Link(asm.Options{Exports: all}, sample())
	require.NoError(t, err)
	for range 20 {
		again, err := asm.Link(asm.Options{Exports: all}, sample())
		require.NoError(t, err)
		require.Equal(t, first.Wasm, again.Wasm)
	}
	read, err := asm.Unmarshal(sample().Marshal())
	require.NoError(t, err)
	assert.Equal(t, string(sample().Marshal()), string(read.Marshal()))
	again, err := asm.Link(asm.Options{Exports: all}, read)
	require.NoError(t, err)
	assert.Equal(t, first.Wasm, again.Wasm, "an object that was written and read gives the same module")
}

func TestConstantsKeepTheirValue(t *testing.T) {
	values := []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 1<<20 - 1, 1 << 27, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 1 << 62, -1<<62 - 1, int64(math.Float64bits(-0.1))}
	o := &asm.Object{}
	var e []asm.Export
	for i, v := range values {
		for _, t := range []asm.Type{asm.I32, asm.I64, asm.F64} {
			name := string(rune('A'+i)) + string(t)
			o.Funcs = append(o.Funcs, &asm.Func{Name: name, Sig: asm.NewSig(t), Body: []asm.Instr{asm.Const(t, v)}})
			e = append(e, exports(name)...)
		}
	}
	linked, err := asm.Link(asm.Options{Exports: e}, o)
	require.NoError(t, err)
	m := run(t, linked)
	for i, v := range values {
		name := string(rune('A' + i))
		assert.Equal(t, int32(v), int32(call(t, m, name+"i")))
		assert.Equal(t, v, int64(call(t, m, name+"l")))
		assert.Equal(t, v, int64(call(t, m, name+"d")))
	}
}

func TestFaultsAreNamed(t *testing.T) {
	f := func(sig asm.Sig, body ...asm.Instr) *asm.Object {
		return &asm.Object{Funcs: []*asm.Func{{Name: "f", Sig: sig, Body: body}}}
	}
	tests := []struct {
		object *asm.Object
		want   string
	}{
		{f(">i"), "is empty"},
		{f(">i", asm.Const(asm.I64, 1)), "wants i, has l"},
		{f(">", num(1)), "1 values are left"},
		{f(">i", num(1), op(asm.I32Add)), "the stack is empty"},
		{f(">i", asm.Get(0)), "no local 0"},
		{f(">i", asm.Call("g")), `no function "g"`},
		{f(">i", asm.GetGlobal("g")), `no global "g"`},
		{f(">i", asm.Addr("g", 0)), `no data "g"`},
		{f(">i", num(0), asm.Mem(asm.I32Load, "g", 0)), `no data "g"`},
		{f(">", asm.Jump(asm.Br, 3)), "no block has label 3"},
		{f(">", asm.Block(asm.BlockOp, 1, asm.None)), "blocks are open"},
		{f(">", end()), "closes nothing"},
		{f("i>i", asm.Get(0), asm.Block(asm.If, 0, asm.I32), num(1), end()), "no else"},
		{f("x>"), "malformed"},
		{&asm.Object{Funcs: []*asm.Func{{Name: "f", Sig: ">"}, {Name: "f", Sig: ">"}}}, "there twice"},
		{&asm.Object{}, `no function or global "f"`},
	}
	for _, tt := range tests {
		_, err := asm.Link(asm.Options{Exports: exports("f")}, tt.object)
		assert.ErrorContains(t, err, tt.want)
	}
	_, err := asm.Link(asm.Options{Exports: exports("f", "g")}, &asm.Object{Funcs: []*asm.Func{
		{Name: "f", Sig: ">i", Body: []asm.Instr{asm.Get(4)}}, {Name: "g", Sig: ">i", Body: []asm.Instr{asm.Get(5)}}}})
	assert.ErrorContains(t, err, "no local 4")
	assert.ErrorContains(t, err, "no local 5", "all at once")
}

func TestTextFaultsHaveALine(t *testing.T) {
	for _, source := range []string{"func f", "nonsense", "func f > \"\"\n\tfly", "func f > \"\"\n\ti32.const x", "data d 1 1 const\n\t\"a", "func f > \"\"\n\tdrop 1"} {
		_, err := asm.Unmarshal([]byte(source))
		require.Error(t, err, source)
		assert.Contains(t, err.Error(), "asm: line "+string(rune('1'+strings.Count(source, "\n"))), source)
	}
}

func TestTidyShrinks(t *testing.T) {
	o := &asm.Object{Funcs: []*asm.Func{{Name: "f", Sig: "i>i", Locals: []asm.Type{asm.F64, asm.I32, asm.I32}, Body: []asm.Instr{
		asm.Block(asm.BlockOp, 1, asm.None),            // nothing jumps here
		asm.Get(0), asm.Set(2), asm.Get(2), asm.Set(3), // 3 is never read
		asm.Get(2), num(0), op(asm.I32Eq), op(asm.I32Eqz),
		asm.Block(asm.If, 2, asm.None), num(3), op(asm.Return), num(4), op(asm.Drop), end(),
		end(),
		asm.Get(2), num(5), op(asm.I32Add), num(-3), op(asm.I32Sub), num(8), op(asm.I32Sub),
	}}}}
	linked, err := asm.Link(asm.Options{Exports: exports("f")}, o)
	require.NoError(t, err)
	assert.LessOrEqual(t, linked.Sizes["f"], 16)
	m := run(t, linked)
	assert.EqualValues(t, 3, call(t, m, "f", 9))
	assert.EqualValues(t, 0, call(t, m, "f", 0))
}

// What stands behind a condition that is known is gone with all that only it needs.
func TestKnownConditionsAreDecided(t *testing.T) {
	both := func(when ...asm.Instr) []asm.Instr {
		return append(append([]asm.Instr{}, when...), asm.Block(asm.If, 1, asm.I32), asm.Call("then"), asm.Instr{Op: asm.Else}, asm.Call("otherwise"), end())
	}
	n := func(v int64) asm.Instr { return num(v) }
	tests := []struct {
		name string
		body []asm.Instr
		want int64
	}{
		{"true", both(n(1)), 1},
		{"any number", both(n(-7)), 1},
		{"false", both(n(0)), 2},
		{"not", both(n(0), op(asm.I32Eqz)), 1},
		{"not not", both(n(5), op(asm.I32Eqz), op(asm.I32Eqz)), 1},
		{"equal", both(n(3), n(3), op(asm.I32Eq)), 1},
		{"below, with sign", both(n(-1), n(3), op(asm.I32LtS)), 1},
		{"below, without", both(n(-1), n(3), op(asm.I32LtU)), 2},
		{"sum", both(n(math.MaxInt32), n(1), op(asm.I32Add), n(math.MinInt32), op(asm.I32Ne)), 2},
		{"shift", both(n(-8), n(33), op(asm.I32ShrS), n(-4), op(asm.I32Eq)), 1},
		{"select", both(n(0), n(1), n(0), op(asm.Select)), 1},
		{"and", both(n(1), asm.Block(asm.If, 2, asm.I32), n(0), asm.Instr{Op: asm.Else}, asm.Call("otherwise"), end()), 2},
		{"within", append(both(n(1))[:3:3], asm.Block(asm.BlockOp, 4, asm.None), n(0), asm.Block(asm.If, 3, asm.None), asm.Call("otherwise"), op(asm.Drop), asm.Instr{Op: asm.Else}, n(1), asm.Jump(asm.BrIf, 4), end(), end(),
			asm.Instr{Op: asm.Else}, asm.Call("otherwise"), end()), 1},
		{"jump to its end", []asm.Instr{n(1), asm.Block(asm.If, 1, asm.I32), asm.Call("then"), asm.Get(0), asm.Jump(asm.BrIf, 1), op(asm.Drop), n(1), asm.Instr{Op: asm.Else}, asm.Call("otherwise"), end()}, 1},
		{"nothing", []asm.Instr{n(0), asm.Block(asm.If, 1, asm.None), asm.Call("then"), op(asm.Drop), end(), asm.Call("otherwise")}, 2},
		{"return", []asm.Instr{n(1), asm.Block(asm.If, 1, asm.I32), asm.Call("then"), op(asm.Return), asm.Instr{Op: asm.Else}, asm.Call("otherwise"), end()}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			linked, err := asm.Link(asm.Options{Exports: exports("f")}, &asm.Object{Funcs: []*asm.Func{
				{Name: "then", Sig: ">i", Body: []asm.Instr{num(1)}}, {Name: "otherwise", Sig: ">i", Body: []asm.Instr{num(2)}},
				{Name: "f", Sig: "i>i", Body: tt.body}}})
			require.NoError(t, err)
			assert.EqualValues(t, tt.want, call(t, run(t, linked), "f", 0))
			assert.Len(t, linked.Sizes, 2, "only one of both is needed")
			for _, f := range linked.Funcs {
				for _, in := range f.Body {
					assert.NotEqual(t, asm.If, in.Op)
				}
			}
		})
	}
}

// Folding and running give the same, for all operations and awkward numbers.
func TestFoldedOperationsAreThoseOfTheMachine(t *testing.T) {
	values := []int64{0, 1, -1, 2, 31, 32, 33, -32, 7, math.MaxInt32, math.MinInt32, 1 << 30}
	for o := asm.I32Eq; o <= asm.I32ShrU; o++ {
		if o.String() == "unknown" || len(o.String()) < 4 || o.String()[:4] != "i32." || o >= asm.I32DivS && o <= asm.I32RemU {
			continue
		}
		if o == asm.I32Clz || o == asm.I32Ctz || o == asm.I32Popcnt {
			continue
		}
		object := &asm.Object{Funcs: []*asm.Func{{Name: "live", Sig: "ii>i", Body: []asm.Instr{asm.Get(0), asm.Get(1), op(o)}}}}
		e := exports("live")
		for i, a := range values {
			for j, b := range values {
				name := string(rune('A'+i)) + string(rune('A'+j))
				object.Funcs = append(object.Funcs, &asm.Func{Name: name, Sig: ">i", Body: []asm.Instr{num(a), num(b), op(o)}})
				e = append(e, exports(name)...)
			}
		}
		linked, err := asm.Link(asm.Options{Exports: e}, object)
		require.NoError(t, err)
		m := run(t, linked)
		for i, a := range values {
			for j, b := range values {
				want := call(t, m, "live", uint64(uint32(a)), uint64(uint32(b)))
				assert.Equal(t, int32(want), int32(call(t, m, string(rune('A'+i))+string(rune('A'+j)))), "%s %d %d", o, a, b)
			}
		}
	}
}

// A local that is set once stands for what it is set to, but only where it has been set.
func TestLocalsThatAreSetOnce(t *testing.T) {
	c := asm.Const
	block, loop, iff := asm.Block(asm.BlockOp, 1, asm.None), asm.Block(asm.Loop, 2, asm.None), asm.Block(asm.If, 3, asm.None)
	tests := []struct {
		name string
		body []asm.Instr
		want map[uint64]int64
		most int // bytes
	}{
		{"constant", []asm.Instr{num(7), asm.Set(1), asm.Get(0), asm.Get(1), op(asm.I32Add), asm.Get(1), op(asm.I32Mul)}, map[uint64]int64{2: 63}, 10},
		{"copy of a parameter", []asm.Instr{asm.Get(0), asm.Set(1), asm.Get(1), asm.Set(2), asm.Get(1), asm.Get(2), op(asm.I32Mul)}, map[uint64]int64{5: 25}, 7},
		{"parameter that changes", []asm.Instr{asm.Get(0), asm.Set(1), num(1), asm.Set(0), asm.Get(1), asm.Get(0), op(asm.I32Sub)}, map[uint64]int64{5: 4}, 99},
		{"not set by then", []asm.Instr{block, loop, asm.Get(2), asm.Get(1), op(asm.I32Add), asm.Set(2), num(5), asm.Set(1),
			asm.Get(0), num(1), op(asm.I32Sub), asm.Tee(0), asm.Jump(asm.BrIf, 2), end(), end(), asm.Get(2)}, map[uint64]int64{1: 0, 2: 5, 3: 10}, 99},
		{"set in one way", []asm.Instr{asm.Get(0), iff, num(9), asm.Set(1), end(), asm.Get(1)}, map[uint64]int64{0: 0, 1: 9}, 99},
		{"left in between", []asm.Instr{block, asm.Get(0), asm.Jump(asm.BrIf, 1), num(9), asm.Set(1), end(), asm.Get(1)}, map[uint64]int64{0: 9, 1: 0}, 99},
		{"from below", []asm.Instr{num(4), asm.Get(0), asm.Get(0), op(asm.I32Add), asm.Set(2), asm.Set(1), asm.Get(1), asm.Get(2), op(asm.I32Mul)}, map[uint64]int64{3: 24}, 16},
		{"overtaken", []asm.Instr{asm.Get(0), num(1), asm.Set(0), asm.Set(1), asm.Get(0), num(10), op(asm.I32Mul), asm.Get(1), op(asm.I32Add)}, map[uint64]int64{3: 13}, 99},
		{"dropped from below", []asm.Instr{num(4), asm.Get(0), asm.Set(1), op(asm.Drop), asm.Get(1)}, map[uint64]int64{3: 3}, 4},
		{"kept through rounds", []asm.Instr{asm.Get(0), num(3), op(asm.I32Mul), asm.Set(1), loop, asm.Get(3), asm.Get(1), op(asm.I32Add), asm.Set(3), asm.Get(0), num(7), op(asm.I32Mul), asm.Tee(2), asm.Get(2), op(asm.I32Mul), op(asm.Drop),
			asm.Get(0), num(1), op(asm.I32Sub), asm.Tee(0), asm.Jump(asm.BrIf, 2), end(), asm.Get(3)}, map[uint64]int64{1: 3, 2: 12, 5: 75}, 99},
		{"one after the other", []asm.Instr{asm.Get(0), num(3), op(asm.I32Mul), asm.Tee(1), asm.Get(1), op(asm.I32Mul), asm.Get(0), num(5), op(asm.I32Mul), asm.Tee(2), asm.Get(2), op(asm.I32Mul), op(asm.I32Add)}, map[uint64]int64{2: 136}, 26},
		{"dear constant", []asm.Instr{c(asm.I32, 1<<30), asm.Set(1), asm.Get(1), asm.Get(1), op(asm.I32Xor), asm.Get(1), op(asm.I32Or), asm.Get(1), asm.Get(1), op(asm.I32And), op(asm.I32And)}, map[uint64]int64{3: 1 << 30}, 24},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			linked, err := asm.Link(asm.Options{Exports: exports("f")}, &asm.Object{Funcs: []*asm.Func{{Name: "f", Sig: "i>i", Locals: []asm.Type{asm.I32, asm.I32, asm.I32}, Body: tt.body}}})
			require.NoError(t, err)
			m := run(t, linked)
			for arg, want := range tt.want {
				assert.EqualValues(t, want, int32(call(t, m, "f", arg)), "of %d", arg)
			}
			assert.LessOrEqual(t, linked.Sizes["f"], tt.most)
		})
	}
}

// What a br_if has passed by is not compared again, as long as it stays so.
func TestComparisonsAreMadeOnce(t *testing.T) {
	check := func(local int, with asm.Instr) []asm.Instr {
		return []asm.Instr{asm.Get(local), with, op(asm.I32GeU), asm.Jump(asm.BrIf, 1)}
	}
	comparisons := func(parts ...[]asm.Instr) (n int, m api.Module) {
		f := &asm.Func{Name: "f", Sig: "iii>i", Locals: []asm.Type{asm.I32}, Body: []asm.Instr{asm.Block(asm.BlockOp, 1, asm.None)}}
		for _, p := range parts {
			f.Body = append(f.Body, p...)
		}
		f.Body = append(f.Body, num(1), op(asm.Return), end(), num(0))
		m2, err := asm.Link(asm.Options{Exports: exports("f")}, &asm.Object{Funcs: []*asm.Func{f}})
		require.NoError(t, err)
		for _, in := range m2.Funcs[0].Body {
			if in.Op == asm.I32GeU {
				n++
			}
		}
		return n, run(t, m2)
	}
	a, b, c := check(0, asm.Get(1)), check(0, num(9)), check(1, asm.Get(2))
	move := []asm.Instr{asm.Get(2), asm.Set(0)}
	branch := []asm.Instr{asm.Get(2), asm.Block(asm.If, 2, asm.None)}
	loop := []asm.Instr{asm.Block(asm.Loop, 3, asm.None)}
	again := []asm.Instr{asm.Get(3), num(1), op(asm.I32Add), asm.Tee(3), num(2), op(asm.I32LtU), asm.Jump(asm.BrIf, 3), end()}
	for _, tt := range []struct {
		name  string
		parts [][]asm.Instr
		left  int
	}{
		{"twice", [][]asm.Instr{a, b, a, b, c, a}, 3},
		{"moved", [][]asm.Instr{a, b, c, move, a, b, c}, 5},
		{"in a part", [][]asm.Instr{branch, a, a, {end()}, a}, 2},
		{"before a part", [][]asm.Instr{a, branch, a, move, {end()}, a}, 2},
		{"in the other part", [][]asm.Instr{branch, a, {{Op: asm.Else}}, a, {end()}}, 2},
		{"in a loop", [][]asm.Instr{a, loop, a, move, again}, 2},
		{"around a loop", [][]asm.Instr{a, loop, c, c, again, a}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, m := comparisons(tt.parts...)
			assert.Equal(t, tt.left, n)
			values := []uint32{0, 1, 2, 8, 9, 10, 1 << 31, 1<<32 - 1}
			for _, x := range values {
				for _, y := range values {
					for _, z := range values {
						want := uint64(1)
						args := []uint32{x, y, z}
						if !passes(tt.name, args) {
							want = 0
						}
						require.Equal(t, want, call(t, m, "f", uint64(x), uint64(y), uint64(z)), "%v", args)
					}
				}
			}
		})
	}
}

// passes says by hand what the parts of TestComparisonsAreMadeOnce come to.
func passes(name string, v []uint32) bool {
	x, y, z := v[0], v[1], v[2]
	switch name {
	case "twice":
		return x < y && x < 9 && y < z
	case "moved":
		return x < y && x < 9 && y < z && z < y && z < 9
	case "before a part":
		return x < y && (z == 0 || z < y)
	case "in a loop":
		return x < y && z < y
	case "around a loop":
		return x < y && y < z
	}
	return x < y
}

// What is smaller than a table for its type alone is not compared.
func TestBytesAreWithinLargeTables(t *testing.T) {
	for _, tt := range []struct {
		load asm.Op
		than int64
		left bool
	}{{asm.I32Load8U, 256, false}, {asm.I32Load8U, 255, true}, {asm.I32Load16U, 1 << 16, false}, {asm.I32Load16U, 1<<16 - 1, true}, {asm.I32Load, 1 << 16, true}} {
		f := &asm.Func{Name: "f", Sig: "i>i", Locals: []asm.Type{asm.I32}, Body: []asm.Instr{
			asm.Block(asm.BlockOp, 1, asm.None), asm.Get(0), asm.Mem(tt.load, "d", 0), asm.Tee(1), num(tt.than), op(asm.I32GeU), asm.Jump(asm.BrIf, 1),
			asm.Get(1), op(asm.Return), end(), num(-1)}}
		m, err := asm.Link(asm.Options{Exports: exports("f")}, &asm.Object{Funcs: []*asm.Func{f}, Data: []*asm.Data{{Name: "d", Bytes: []byte{1, 0, 0, 0, 255, 255, 0, 0}, Size: 8, Const: true}}})
		require.NoError(t, err)
		left := false
		for _, in := range m.Funcs[0].Body {
			left = left || in.Op == asm.I32GeU
		}
		assert.Equal(t, tt.left, left, "%v", tt)
		assert.EqualValues(t, 1, call(t, run(t, m), "f", 0))
		if tt.load == asm.I32Load8U && tt.left {
			assert.EqualValues(t, 1<<32-1, call(t, run(t, m), "f", 4))
		}
	}
}
