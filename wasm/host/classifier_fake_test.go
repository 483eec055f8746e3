package host

import (
	"encoding/binary"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/wasmabi"
)

var update = flag.Bool("update", false, "write testdata anew")

// What the fake module does is told by the length of a field's name, or of a text. The
// same numbers stand in wasm/js/test/classifier.test.js.
const (
	fakeTrap        = 1
	fakeInternal    = 2
	fakeEndless     = 3
	fakeCategory    = 4 // a row with a category that there is not
	fakePlace       = 5 // a place behind the end of the value
	fakeOutside     = 6 // a result outside of the memory
	fakeBadRequest  = 7
	fakeShort       = 8 // a result shorter than it says
	fakeUnknown     = 9 // a status that nobody knows
	fakeRule        = 10
	fakeDetector    = 11
	fakeNothing     = 12
	fakeGrow        = 13 // grows its memory before it answers
	fakeBackwards   = 14 // a place that ends before it begins
	fakeSpans       = 15 // more places than there are
	fakeCommands    = 16 // any other length: an answer as it should be
	fakeMaxInput    = 1000
	fakeDescription = `{"abi":{"major":1,"minor":0},"categories":[{"key":"a.name"},{"iso19944":"8.2.3","key":"b.mail","qualifier":"identified","title":"Mail"}],"detectors":[{"category":1,"id":"mail"}],"max_input":1000,"name":"fake","profile":1,"rules":[{"category":1,"id":"mail-name"}],"threshold":400,"version":7}`
	fakeSection     = `{"abi":{"major":1,"minor":0},"fingerprint":"00ff","kind":"classifier","max_input":1000,"product":"privet","profile":1}`
)

const fakeFile = "testdata/fake-classifier.wasm"

// fake is a module that speaks the interface of classifier modules, and breaks it in
// every way that a host has to notice. It lies in a file for the tests in JavaScript.
func fake(t testing.TB) []byte {
	t.Helper()
	module, err := os.ReadFile(fakeFile)
	require.NoError(t, err)
	return module
}

// makeFake makes the module.
func makeFake(t testing.TB) []byte {
	t.Helper()
	words := func(w ...uint32) []byte {
		var b []byte
		for _, n := range w {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		return b
	}
	o := &asm.Object{}
	data := func(name string, b []byte) {
		o.Data = append(o.Data, &asm.Data{Name: name, Bytes: b, Size: max(len(b), 4), Align: 4})
	}
	// A table has an answer for each command: address, length, status, flags.
	table := func(name string, width int, right []uint32, spans []uint32, n int, wrong map[int][]uint32) {
		d := &asm.Data{Name: name, Bytes: make([]byte, 16*fakeCommands), Size: 16 * fakeCommands, Align: 4}
		for c := range fakeCommands {
			rows, status := append(append([]uint32(nil), right...), spans...), n
			length := 4 * len(rows)
			if w := wrong[c]; w != nil {
				rows = w
				status, length = 1, 4*len(rows)
			}
			switch c {
			case fakeInternal:
				rows, length, status = nil, 0, -1
			case fakeBadRequest:
				rows, length, status = nil, 0, -8
			case fakeUnknown:
				rows, length, status = nil, 0, -99
			case fakeNothing:
				rows, length, status = nil, 0, 0
			case fakeShort:
				length = 4*width - 4
			}
			row := name + "." + string(rune('a'+c))
			data(row, words(rows...))
			binary.LittleEndian.PutUint32(d.Bytes[16*c+4:], uint32(length))
			binary.LittleEndian.PutUint32(d.Bytes[16*c+8:], uint32(status))
			if c == fakeOutside {
				binary.LittleEndian.PutUint32(d.Bytes[16*c:], 1<<30)
			} else {
				d.Refs = append(d.Refs, asm.Ref{At: 16 * c, Sym: row})
			}
		}
		o.Data = append(o.Data, d)
	}
	table("field", 4, []uint32{1, 930, 1, 1, 0, 500, 65535, 0}, nil, 2, map[int][]uint32{
		fakeCategory: {2, 930, 1, 1}, fakeRule: {1, 930, 2, 1}, fakeDetector: {1, 930, 1, 2},
	})
	table("record", 6, []uint32{1, 930, 1, 1, 0, 2, 0, 500, 65535, 0, 0, 0}, []uint32{0, 4, 5, 6}, 2, map[int][]uint32{
		fakeCategory: {2, 930, 1, 1, 0, 0}, fakeRule: {1, 930, 2, 1, 0, 0}, fakeDetector: {1, 930, 1, 2, 0, 0},
		fakePlace: {1, 930, 1, 1, 0, 1, 0, 99}, fakeBackwards: {1, 930, 1, 1, 0, 1, 4, 3}, fakeSpans: {1, 930, 1, 1, 0, 2, 0, 1},
	})
	table("scan", 4, []uint32{0, 0, 4, 930, 0, 5, 7, 1000}, nil, 2, map[int][]uint32{
		fakeDetector: {1, 0, 1, 930}, fakePlace: {0, 0, 99, 930}, fakeBackwards: {0, 4, 3, 930},
	})
	data("description", []byte(fakeDescription))
	data("descriptor", make([]byte, 16))
	o.Data = append(o.Data, &asm.Data{Name: "input", Size: fakeMaxInput, Align: 16})

	i32 := func(v int64) asm.Instr { return asm.Const(asm.I32, v) }
	op := func(o asm.Op) asm.Instr { return asm.Instr{Op: o} }
	f := func(name string, sig asm.Sig, locals []asm.Type, body ...asm.Instr) {
		o.Funcs = append(o.Funcs, &asm.Func{Name: name, Sig: sig, Locals: locals, Body: body})
	}
	// answer(command, table)
	f("answer", "ii>i", nil,
		asm.Get(0), i32(fakeCommands), op(asm.I32GeU), asm.Block(asm.If, 11, asm.None), i32(0), asm.Set(0), op(asm.End),
		asm.Get(0), i32(fakeTrap), op(asm.I32Eq), asm.Block(asm.If, 12, asm.None), op(asm.Unreachable), op(asm.End),
		asm.Get(0), i32(fakeEndless), op(asm.I32Eq), asm.Block(asm.If, 13, asm.None),
		asm.Block(asm.Loop, 2, asm.None), i32(1), asm.Jump(asm.BrIf, 2), op(asm.End), op(asm.End),
		asm.Get(0), i32(fakeGrow), op(asm.I32Eq), asm.Block(asm.If, 14, asm.None), i32(1), op(asm.MemoryGrow), op(asm.Drop), op(asm.End),
		asm.Get(1), asm.Get(0), i32(4), op(asm.I32Shl), op(asm.I32Add), asm.Set(1),
		asm.Addr("descriptor", 0), asm.Get(1), asm.Mem(asm.I64Load, "", 0), asm.Mem(asm.I64Store, "", 0),
		asm.Addr("descriptor", 0), asm.Get(1), asm.Mem(asm.I64Load, "", 8), asm.Mem(asm.I64Store, "", 8),
		asm.Get(1), asm.Mem(asm.I32Load, "", 8))
	f("abi", ">i", nil, i32(1<<16))
	f("result", ">i", nil, asm.Addr("descriptor", 0))
	f("scratch", "i>i", nil, asm.Get(0), i32(fakeMaxInput), op(asm.I32GtU), asm.Block(asm.If, 15, asm.I32), i32(0), op(asm.Else), asm.Addr("input", 0), op(asm.End))
	f("describe", ">i", nil,
		asm.Addr("descriptor", 0), asm.Addr("description", 0), asm.Mem(asm.I32Store, "", 0),
		asm.Addr("descriptor", 0), i32(int64(len(fakeDescription))), asm.Mem(asm.I32Store, "", 4),
		asm.Addr("descriptor", 0), asm.Const(asm.I64, 0), asm.Mem(asm.I64Store, "", 8), i32(0))
	f("classify_field", "iiiii>i", nil, asm.Get(2), asm.Addr("field", 0), asm.Call("answer"))
	f("classify_record", "iii>i", nil, asm.Get(1), asm.Mem(asm.I32Load, "", 0), asm.Addr("record", 0), asm.Call("answer"))
	f("scan_text", "iii>i", nil, asm.Get(2), asm.Addr("scan", 0), asm.Call("answer"))

	m, err := asm.Link(asm.Options{Memory: "memory", MaxPages: 100, Exports: []asm.Export{
		{Name: "pv1_abi", Sym: "abi"}, {Name: "pv1_result", Sym: "result"}, {Name: "pv1_scratch", Sym: "scratch"}, {Name: "pv1_describe", Sym: "describe"},
		{Name: "pv1_classify_field", Sym: "classify_field"}, {Name: "pv1_classify_record", Sym: "classify_record"}, {Name: "pv1_scan", Sym: "scan_text"},
	}, Sections: []asm.Section{{Name: wasmabi.Section, Content: []byte(fakeSection)}}}, o)
	require.NoError(t, err)
	return m.Wasm
}

// TestFake makes the module anew. Its bytes may differ from the file's, because the
// linker gets better; what it does may not.
func TestFake(t *testing.T) {
	module := makeFake(t)
	if *update {
		require.NoError(t, os.WriteFile(fakeFile, module, 0o600))
	}
	k, err := OpenClassifier(ctx, module)
	require.NoError(t, err)
	defer k.Close(ctx)
	was := openFake(t)
	assert.Equal(t, was.Describe(), k.Describe())
	for n := fakeCategory; n <= fakeCommands; n++ {
		want, wantErr := was.Field(ctx, command(n))
		got, err := k.Field(ctx, command(n))
		assert.Equal(t, want, got, n)
		assert.Equal(t, wantErr, err, n)
	}
}
