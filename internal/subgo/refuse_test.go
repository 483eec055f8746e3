package subgo_test

import (
	"crypto/sha256"
	"hash/crc32"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/subgo"
	oursha "github.com/privetdev/privet/internal/subgo/std/crypto/sha256"
	ourcrc32 "github.com/privetdev/privet/internal/subgo/std/hash/crc32"
	ourstrings "github.com/privetdev/privet/internal/subgo/std/strings"
	ourutf8 "github.com/privetdev/privet/internal/subgo/std/unicode/utf8"
)

// compileText compiles F of a source.
func compileText(source string) (*asm.Object, error) {
	return subgo.Compile([]subgo.Package{{Path: "p", Files: fstest.MapFS{"p.go": {Data: []byte(source)}}}}, []subgo.Root{{Package: "p", Func: "F"}})
}

func TestWhatTheSubsetHasNotIsRefused(t *testing.T) {
	tests := []struct{ source, want string }{
		{"func F(a map[string]int) int { return a[\"x\"] }", "sorted table"},
		{"func F(a []byte) []byte { return append(a, 1) }", "append allocates"},
		{"func F(n int) int { return len(make([]int, n)) }", "make allocates"},
		{"func F(a, b string) string { return a + b }", "joined"},
		{"func F(a any) bool { return a == nil }", "type that is known"},
		{"func F(n int) int { if n < 2 { return n }; return F(n-1) }", "calls itself"},
		{"func F(n int) int { if n < 2 { return n }; return g(n) }\nfunc g(n int) int { return F(n-1) }", "calls itself"},
		{"func F(f func() int) { defer f() }", "nothing to clean up"},
		{"func F() { goto end\nend:\n}", "use loops"},
		{"func F(n int) func() int { return func() int { return n } }", "function literal"},
		{"func F(n int) int { f := func() int { return n }; return g(f) }\nfunc g(f func() int) int { return f() }", "can only be called"},
		{"func F(s string) []byte { return []byte(s) }", "conversion"},
		{"func F(b []byte) string { return string(b) }", "view"},
		{"func F() []byte { var a [4]byte; return a[:] }", "gone when the function returns"},
		{"func F() []byte { var a [4]byte; b := a[1:]; c := b; return c }", "gone when the function returns"},
		{"func F() *[4]byte { var a [4]byte; return &a }", "gone when the function returns"},
		{"var kept []byte\nfunc F() { var a [4]byte; kept = a[:] }", "gone when the function returns"},
		{"func F() []byte { var a [4]byte; return g(a[:]) }\nfunc g(b []byte) []byte { return b }", "gone when the function returns"},
		{"func F(n int) []byte { var a [4]byte; var b []byte; for i := range n { if i == 1 { return b }; b = a[:] }; return nil }", "gone when the function returns"},
		{"func F() int { var p *int; return *p }", "nil"},
		{"func F[T int](x T) T { return x }", "generic"},
		{"func F(x ...int) int { return len(x) }", "take a slice"},
		{"var t = g()\nfunc g() int { return 1 }\nfunc F() int { return t }", "write the table out"},
		{"import \"os\"\nfunc F() int { return os.Getpid() }", "package os is not in the subset"},
		{"import \"strings\"\nfunc F(s string) string { return strings.ToUpper(s) }", "strings.ToUpper is not in the subset"},
		{"func F() int { return x }", "undefined: x"},
		{"func F(n int) { switch n { case 1: fallthrough; case 2: } }", "name both cases"},
		{"func F(f float32) float32 { return f }", "use float64"},
		{"func F(n int) int { return 1 << 40 }", "overflows"},
		{"var g func(n int) int\nfunc h(n int) int { return n }\nfunc F(n int) int { g = h; return g(n) }", "can only be called"},
		{"var g func(n int) int\nfunc h(f func(n int) int) int { return f(1) }\nfunc F() int { return h(g) }", "can only be called"},
		{"func F(", "expected"},
		{"func F(n int) int { return g(n) }\nfunc g(n int) int", "no body"},
		{"type tree []tree\nfunc F(t tree) int { return len(t) }", "not in the subset"},
		{"type shape interface{ area() int }\nfunc F(s []shape) int { n := 0; for _, x := range s { n += x.area() }; return n }", "not in the subset"},
	}
	for _, tt := range tests {
		_, err := compileText("package p\n" + tt.source)
		if assert.Error(t, err, tt.source) {
			assert.Contains(t, err.Error(), tt.want, tt.source)
			assert.Contains(t, err.Error(), "p/p.go:", tt.source)
		}
	}
}

func TestAllErrorsComeAtOnce(t *testing.T) {
	_, err := compileText("package p\nfunc F(a []byte) {\n\ta = append(a, 1)\n\tg()\n}\nfunc g() {\n\tgo g()\n}\nfunc unused(m map[int]int) { undefined() }\n")
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 2, err.Error())
	assert.True(t, strings.HasPrefix(lines[0], "p/p.go:3:6: "), lines[0])
	assert.True(t, strings.HasPrefix(lines[1], "p/p.go:7:2: "), lines[1])
}

func TestFilesOfOtherPlatformsAreLeftOut(t *testing.T) {
	object, err := subgo.Compile([]subgo.Package{{Path: "p", Files: fstest.MapFS{
		"p.go":      {Data: []byte("package p\nfunc F() int { return g() }")},
		"g.go":      {Data: []byte("//go:build wasm && go1.20\n\npackage p\nfunc g() int { return 1 }")},
		"other.go":  {Data: []byte("//go:build !wasm\n\npackage p\nfunc g() int { return 2 }")},
		"make.go":   {Data: []byte("//go:build ignore\n\npackage main\nfunc main() {}")},
		"p_test.go": {Data: []byte("package p_test")},
	}}}, []subgo.Root{{Package: "p", Func: "F"}})
	require.NoError(t, err)
	got, ok := start(t, object, "p.F").call(t, "p.F", reflect.TypeFor[func() int](), nil)
	assert.True(t, ok)
	assert.Equal(t, []any{1}, got)
}

func TestFunctionsThatAreBroughtAreCalledByName(t *testing.T) {
	object, err := compileText(`package p
var g func(s string, n int) (part string, left int)
func F(s string) int { part, left := g(s, 2); if part != "ab" { return -1 }; return left }`)
	require.NoError(t, err)
	object.Funcs = append(object.Funcs, &asm.Func{Name: "p.g", Sig: "iii>i", Body: []asm.Instr{
		asm.Get(1), asm.Get(2), {Op: asm.I32Sub}, asm.SetGlobal(subgo.ResultSym(2, asm.I32)),
		asm.Get(2), asm.SetGlobal(subgo.ResultSym(1, asm.I32)), asm.Get(0)}})
	x := start(t, object, "p.F")
	for s, want := range map[string]int{"abcde": 3, "abc": 1, "xyz": -1} {
		got, ok := x.call(t, "p.F", reflect.TypeFor[func(string) int](), []reflect.Value{reflect.ValueOf(s)})
		assert.True(t, ok)
		assert.Equal(t, []any{want}, got, s)
	}
}

func TestFunctionsThatAreBroughtAreNeededOnlyWhereCalled(t *testing.T) {
	object, err := compileText("package p\nvar g func() int\nfunc F() int { return 1 }\nfunc G() int { return g() }")
	require.NoError(t, err)
	x := start(t, object, "p.F")
	got, ok := x.call(t, "p.F", reflect.TypeFor[func() int](), nil)
	assert.True(t, ok)
	assert.Equal(t, []any{1}, got)
}

func TestStackThatIsFullIsAFault(t *testing.T) {
	object, err := compileText("package p\nfunc F(n int32) int32 { var a [20000]byte; a[n] = 1; return int32(a[1]) }")
	require.NoError(t, err)
	x := start(t, object, "p.F")
	for range 3 {
		_, ok := x.call(t, "p.F", reflect.TypeFor[func(int32) int32](), []reflect.Value{reflect.ValueOf(int32(1))})
		assert.False(t, ok)
	}
}

func TestChecksThatCannotFailAreLeftOut(t *testing.T) {
	for _, source := range []string{
		"func F(s string) int { n := 0; for i := range len(s) { n += int(s[i]) }; return n }",
		"func F(s string) int { n := 0; for i := 0; i < len(s); i++ { n += int(s[i]) }; return n }",
		"func F(s string) int { n := 0; for i := range len(s) { n += int(s[len(s)-1-i]) }; return n }",
		"func F(s string) byte { if len(s) != 12 || s[0] == 'x' { return 0 }; return s[11] ^ s[len(s)-12] }",
		"func F(s string) string { if len(s) < 2 { return s }; return s[1:2] }",
		"var t [256]int8\nfunc F(s string) int { n := 0; for i := range s { n += int(t[s[i]]) }; return n }",
		"func F(n, k uint32) uint32 { return n << (k & 31) / (k & 7 + 1) }",
	} {
		object, err := compileText("package p\n" + source)
		require.NoError(t, err)
		linked, err := asm.Link(asm.Options{Exports: []asm.Export{{Name: "F", Sym: "p.F"}}}, object)
		require.NoError(t, err)
		for _, f := range object.Funcs {
			if f.Name == "p.F" {
				jumps := 0
				for _, in := range f.Body {
					if in.Op == asm.BrIf && in.Label == 1 { // the fault
						jumps++
					}
				}
				assert.Zero(t, jumps, source)
			}
		}
		assert.NotEmpty(t, linked.Wasm)
	}
}

// What stands for the standard library says the same.
func TestStandardLibrary(t *testing.T) {
	require.Equal(t, [256]uint32(*crc32.IEEETable), [256]uint32(*ourcrc32.IEEETable))
	r := rand.New(rand.NewPCG(3, 4))
	text := func() string { return value(r, reflect.TypeFor[string]()).String() }
	for range 3000 {
		s, u := text(), text()
		c, cn := utf8.DecodeRuneInString(s)
		d, dn := ourutf8.DecodeRuneInString(s)
		require.Equal(t, []any{c, cn}, []any{d, dn}, "%q", s)
		c, cn = utf8.DecodeLastRuneInString(s)
		d, dn = ourutf8.DecodeLastRuneInString(s)
		require.Equal(t, []any{c, cn}, []any{d, dn}, "%q", s)
		require.Equal(t, utf8.ValidString(s), ourutf8.ValidString(s), "%q", s)
		require.Equal(t, utf8.RuneCountInString(s), ourutf8.RuneCountInString(s), "%q", s)
		require.Equal(t, strings.Index(s, u), ourstrings.Index(s, u), "%q %q", s, u)
		require.Equal(t, strings.Compare(s, u), ourstrings.Compare(s, u), "%q %q", s, u)
		a, b, ok := strings.Cut(s, u)
		x, y, is := ourstrings.Cut(s, u)
		require.Equal(t, []any{a, b, ok}, []any{x, y, is}, "%q %q", s, u)
		long := []byte(strings.Repeat(s, r.IntN(9)))
		require.Equal(t, sha256.Sum256(long), oursha.Sum256(long), "%q", long)
		var p, q [4]byte
		one := rune(r.IntN(0x110010) - 8)
		require.Equal(t, utf8.EncodeRune(p[:], one), ourutf8.EncodeRune(q[:], one))
		require.Equal(t, p, q)
		require.Equal(t, utf8.RuneLen(one), ourutf8.RuneLen(one))
	}
}
