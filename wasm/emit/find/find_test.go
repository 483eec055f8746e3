package find_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/internal/subgo"
	"github.com/privetdev/privet/wasm/emit/find"
	"github.com/privetdev/privet/wasm/emit/find/findtables"
	"github.com/privetdev/privet/wasm/emit/tables"
)

const builtin = "../../../classify/builtin"

func builtinPatterns(t testing.TB) (patterns []*scan.Pattern) {
	data, err := os.ReadFile(filepath.Join(builtin, "builtin.bundle"))
	require.NoError(t, err)
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	for _, d := range b.Classification.Detectors {
		p, err := scan.Compile(d.Pattern, d.CaseSensitive)
		require.NoError(t, err)
		patterns = append(patterns, p)
	}
	return patterns
}

func cases(t *testing.T) (out []string) {
	var sum bundle.Classification
	read := func(file string, base *bundle.Classification) []celrules.Case {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var ps source.Problems
		own, cases := celrules.Rules(source.Parse(filepath.Base(file), text, &ps).Map(&ps, "file"), "builtin", base, &ps)
		if base == nil {
			sum = own
		} else {
			sum, _ = celrules.Merge(base, &own)
		}
		return cases
	}
	read(filepath.Join(builtin, "taxonomy.yaml"), nil)
	files, err := filepath.Glob(filepath.Join(builtin, "*.yaml"))
	require.NoError(t, err)
	for _, file := range files {
		switch filepath.Base(file) {
		case "taxonomy.yaml", "adjust.yaml", "names.yaml":
		default:
			base := sum
			for _, c := range read(file, &base) {
				out = append(out, c.Field.Value)
			}
		}
	}
	require.Greater(t, len(out), 3000)
	return out
}

// A hit is a match and its span.
type hit struct{ pattern, start, end, from, to int }

func sorted(hits []hit) []hit {
	sort.Slice(hits, func(i, j int) bool {
		a, b := hits[i], hits[j]
		return a.start < b.start || a.start == b.start && a.pattern < b.pattern
	})
	return hits
}

// hunted are the longest matches at each place, as package classify finds them. Where
// skip is set, those of one pattern do not overlap.
func hunted(patterns []*scan.Pattern, u *scan.Union, text string, skip bool) (out []hit) {
	var w scan.Walker
	var m scan.Machine
	w.Begin()
	from, spare := make([]int, len(patterns)), make([]int, len(patterns))
	for i := range spare {
		spare[i] = scan.Patience(len(text))
	}
	for pos := 0; ; pos++ {
		if pos = u.Next(&w, text, pos, len(text)); pos < 0 {
			return sorted(out)
		}
		for _, e := range w.Ends {
			p := e.Pattern
			if pos < from[p] {
				continue
			}
			if e.End >= 0 {
				m.Take(patterns[p], text, pos, e.End)
			} else if next := m.Longest(patterns[p], text, pos, min(len(text), pos+find.MaxMatch), &spare[p]); next != pos {
				from[p] = next
				continue
			}
			a, b := m.Span()
			out = append(out, hit{p, pos, m.Loc[1], a, b})
			if skip {
				from[p] = max(b, pos+1)
			}
		}
	}
}

func native(text string, skip bool) (out []hit) {
	find.Begin(text)
	for pos := find.Next(); pos >= 0; pos = find.Next() {
		for i := range find.Count {
			p, end := int(find.HitPattern[i]), int(find.HitEnd[i])
			a, b := find.Span(p, pos, end)
			out = append(out, hit{p, pos, end, a, b})
			if skip {
				find.Skip(p, max(b, pos+1))
			}
		}
	}
	return sorted(out)
}

// A module is package find with tables in it.
type module struct {
	m                       api.Module
	linked                  *asm.Module
	begin, next, span, skip api.Function
	count, second, fault    api.Global
	stack                   []uint64
}

func newModule(t testing.TB, tab *tables.Tables, packer *tables.Packer) *module {
	var roots []subgo.Root
	for _, name := range []string{"Begin", "Next", "Span", "Skip", "Longest", "Captures", "Forget"} {
		roots = append(roots, subgo.Root{Package: findtables.Path, Func: name})
	}
	const dense = "github.com/privetdev/privet/wasm/emit/dense"
	roots = append(roots, subgo.Root{Package: dense, Func: "Forget"}, subgo.Root{Package: dense, Func: "Unpack"})
	object, err := subgo.Compile([]subgo.Package{{Path: findtables.Path, Files: os.DirFS(".")}, {Path: dense, Files: os.DirFS("../dense")},
		{Path: "github.com/privetdev/privet/internal/wide", Files: os.DirFS("../../../internal/wide")}}, roots)
	require.NoError(t, err)
	require.NoError(t, tab.Fill(object))
	require.NoError(t, packer.Tables().Fill(object))
	linked, err := asm.Link(asm.Options{Memory: "memory", Start: "dense.Unpack", Reserve: 5 << 20, Exports: []asm.Export{
		{Name: "begin", Sym: "find.Begin"}, {Name: "next", Sym: "find.Next"}, {Name: "span", Sym: "find.Span"}, {Name: "skip", Sym: "find.Skip"},
		{Name: "count", Sym: "find.Count"}, {Name: "second", Sym: subgo.ResultSym(1, asm.I32)}, {Name: "fault", Sym: subgo.FaultSym},
	}}, object)
	require.NoError(t, err)
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	m, err := r.Instantiate(t.Context(), linked.Wasm)
	require.NoError(t, err)
	return &module{m, linked, m.ExportedFunction("begin"), m.ExportedFunction("next"), m.ExportedFunction("span"), m.ExportedFunction("skip"),
		m.ExportedGlobal("count"), m.ExportedGlobal("second"), m.ExportedGlobal("fault"), make([]uint64, 4)}
}

func (x *module) call(t testing.TB, f api.Function, args ...int) int {
	for i, a := range args {
		x.stack[i] = uint64(uint32(a))
	}
	if err := f.CallWithStack(t.Context(), x.stack); err != nil {
		t.Fatal(err)
	}
	return int(int32(uint32(x.stack[0])))
}

func (x *module) run(t testing.TB, text string, skip bool) (out []hit) {
	require.True(t, x.m.Memory().Write(uint32(x.linked.End), []byte(text)))
	x.call(t, x.begin, x.linked.End, len(text))
	at := func(name string, i int) int {
		v, ok := x.m.Memory().ReadUint32Le(uint32(x.linked.Addr["find.data."+name] + 4*i))
		require.True(t, ok)
		return int(int32(v))
	}
	for pos := x.call(t, x.next); pos >= 0; pos = x.call(t, x.next) {
		if x.fault.Get() != 0 {
			break
		}
		for i := range int(x.count.Get()) {
			p, end := at("HitPattern", i), at("HitEnd", i)
			a := x.call(t, x.span, p, pos, end)
			b := int(int32(uint32(x.second.Get())))
			out = append(out, hit{p, pos, end, a, b})
			if skip {
				x.call(t, x.skip, p, max(b, pos+1))
			}
		}
	}
	require.Zero(t, x.fault.Get(), "a fault")
	return sorted(out)
}

func TestBuiltin(t *testing.T) {
	patterns := builtinPatterns(t)
	u, err := scan.FreezePatterns(patterns, 4096)
	require.NoError(t, err)
	var packer tables.Packer
	tab := findtables.Of(u, &packer, nil)
	require.NoError(t, findtables.Native(tab, &packer))
	x := newModule(t, tab, &packer)
	code := 0
	for _, n := range x.linked.Sizes {
		code += n
	}
	t.Logf("module %d bytes, code %d", len(x.linked.Wasm), code)
	union := scan.NewUnion(patterns)
	r := rand.New(rand.NewPCG(2, 4))
	odd := []string{"\xff", "é", "日", "_", "-", " ", "\n", "0", "x", "\u0301", "ſ"}
	hits := 0
	texts := cases(t)
	for i, text := range texts {
		if i%4 == 0 && len(text) > 1 {
			at := r.IntN(len(text))
			other := texts[r.IntN(len(texts))]
			text = text[:at] + odd[r.IntN(len(odd))] + text[at+r.IntN(2):] + other[:min(len(other), 60)]
		}
		skip := i%2 == 0
		want := hunted(patterns, union, text, skip)
		got := native(text, skip)
		require.Equal(t, want, got, "%q", text)
		if i%3 == 0 {
			require.Equal(t, got, x.run(t, text, skip), "%q", text)
		}
		hits += len(got)
	}
	assert.Greater(t, hits, 10_000)
	t.Logf("%d hits", hits)
}

// Texts of one thing again and again are where work could grow faster than they do.
func TestLongTexts(t *testing.T) {
	patterns := builtinPatterns(t)
	u, err := scan.FreezePatterns(patterns, 4096)
	require.NoError(t, err)
	var packer tables.Packer
	require.NoError(t, findtables.Native(findtables.Of(u, &packer, nil), &packer))
	union := scan.NewUnion(patterns)
	var most, all, theirs time.Duration
	worst, cut, spent, texts := "", 0, 0, 0
	units := []string{"a", "A", "0", "1 ", "a.", "a@", "a-", "a:", "://", "http://a", "eyJ", "eyJa.", "-----BEGIN ", "é", "é@", "日", "\xff", "\n", "_", "a=", "password=", "/", "\\", "0x", "\u0301", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nMIIE", "data:a", "a b ", "1.", "1-", "12 ", "_eyJaaaaaaaaa", "eyJaaaaaaaaa-", "postgres://a:", "a@a."}
	known := len(units)
	for i, unit := range cases(t) {
		switch {
		case i%60 == 0 && unit != "":
			units = append(units, unit)
		case i%5 == 0 && len(unit) > 80: // begins of what is long
			units = append(units, unit[:len(unit)*3/4])
		}
	}
	units = append(units, "-glpat-aaaaaaaaa", "sk-ant-api03-a-", "pypi-AgEIcHlwaS5vcmc-", "ATATT3xFfGF0=")
	for i, unit := range units {
		size := 40_000
		if i < known { // longer than a match can be
			size = 100_000
		}
		text := strings.Repeat(unit, 1+size/len(unit))
		if i%2 == 0 {
			text += " b"
		}
		texts++
		began := time.Now()
		got := native(text, true)
		took := time.Since(began)
		all += took
		if took > most {
			most, worst = took, unit
		}
		for p, n := range find.Spare {
			if n < 0 && find.Stamp[p] == slices.Max(find.Stamp) {
				spent++
				break
			}
		}
		if took > 100*time.Millisecond || find.Cut {
			t.Logf("%.40q: %v, cut %v", unit, took, find.Cut)
		}
		if find.Cut {
			cut++
			continue
		}
		began = time.Now()
		want := hunted(patterns, union, text, true)
		theirs += time.Since(began)
		require.Equal(t, want, got, "%q again and again", unit)
	}
	assert.Positive(t, spent)
	for _, unit := range []string{"-glpat-aaaaaaaaa", "sk-ant-api03-a-", "_eyJaaaaaaaaa"} { // longer than a match can be
		var took [2]time.Duration
		for i := range took {
			text := strings.Repeat(unit, 200_000*(i+1)/len(unit))
			began := time.Now()
			got := native(text, true)
			took[i] = time.Since(began)
			t.Logf("%q, %d bytes: %d hits, cut %v, %v", unit, len(text), len(got), find.Cut, took[i])
		}
		assert.Less(t, took[1], 5*took[0]+time.Second, "%q", unit)
	}
	t.Logf("%d texts in %v, by the union in %v; %d used up a first stock, %d a second; the slowest took %v: %.60q", texts, all, theirs, spent, cut, most, worst)
	assert.Less(t, most, 5*time.Second)
}

// The ways that patterns take whose stock is used up find the same, up to the last one.
func TestStocks(t *testing.T) {
	sources := []string{`[a-z]+@`, `[a-z ]{3,}\d`, `a.*x|ab`, `\b(?P<span>[a-z]{2,}(?:b|c)+)-[0-9]+\b`, `(?:a|b)*a(?:a|b){12}c`, `(?:a|b)*a(?:a|b){12}c|q`, `é+x`}
	var patterns []*scan.Pattern
	for _, s := range sources {
		p, err := scan.Compile(s, false)
		require.NoError(t, err)
		patterns = append(patterns, p)
	}
	for _, states := range []int{4096, 1} { // with one all are programs
		u, err := scan.FreezePatterns(patterns, states)
		require.NoError(t, err)
		for i, table := range u.Tables {
			if states == 1 {
				require.Nil(t, table, i)
			}
		}
		var packer tables.Packer
		tab := findtables.Of(u, &packer, nil)
		require.NoError(t, findtables.Native(tab, &packer))
		x := newModule(t, tab, &packer)
		union := scan.NewUnion(patterns)
		r := rand.New(rand.NewPCG(3, 4))
		pieces := []string{"a", "b", "ab", "ba", "c", " ", "@", "x", "é", "-7", "1", "\n", "\xff"}
		runs, cut, second := 0, 0, 0
		for range 100 {
			var b strings.Builder
			for range 30 {
				piece := pieces[r.IntN(len(pieces))]
				b.WriteString(strings.Repeat(piece, 1+r.IntN(1+r.IntN(80))))
			}
			text := b.String()
			skip := r.IntN(2) == 0
			got := native(text, skip)
			want := hunted(patterns, union, text, skip)
			runs++
			if find.Cut {
				cut++
				require.False(t, skip && states == 4096, "where matches do not overlap there is enough: %q", text)
				require.Equal(t, got, x.run(t, text, skip), "%q", text)
				begins := map[[2]int]int{}
				for _, h := range want {
					begins[[2]int{h.pattern, h.start}] = h.end
				}
				for _, h := range got {
					if end, ok := begins[[2]int{h.pattern, h.start}]; !skip {
						require.True(t, ok && h.end <= end, "%v in %q", h, text)
					}
				}
				continue
			}
			require.Equal(t, want, got, "%q", text)
			for _, n := range find.Spare {
				if n < 0 {
					second++
					break
				}
			}
			require.Equal(t, got, x.run(t, text, skip), "%q", text)
		}
		t.Logf("%d states: of %d texts %d used up the first stock, %d more the second", states, runs, second, cut)
		for _, text := range []string{strings.Repeat("a", 30_000), strings.Repeat("ab", 15_000), strings.Repeat("abcdefgh ", 3000), strings.Repeat("é", 15_000)} {
			for _, end := range []string{"", "@", "7"} {
				began := time.Now()
				got := native(text+end, true)
				took := time.Since(began)
				assert.Less(t, took, 10*time.Second)
				t.Logf("%d states, %.4q… %q: %d hits, cut %v, %v", states, text, end, len(got), find.Cut, took)
			}
		}
	}
}

// Leftmost finds what a search for one pattern does, while a search for all waits.
func TestLeftmost(t *testing.T) {
	patterns := builtinPatterns(t)
	u, err := scan.FreezePatterns(patterns, 4096)
	require.NoError(t, err)
	var packer tables.Packer
	require.NoError(t, findtables.Native(findtables.Of(u, &packer, nil), &packer))
	texts := cases(t)
	r := rand.New(rand.NewPCG(6, 6))
	var m scan.Machine
	found := 0
	for range 300 {
		outer, inner := texts[r.IntN(len(texts))], texts[r.IntN(len(texts))]+"\n"+texts[r.IntN(len(texts))]
		want := native(outer, true)
		find.Begin(outer)
		var got []hit
		for pos := find.Next(); pos >= 0; pos = find.Next() {
			for i := range find.Count {
				p, end := int(find.HitPattern[i]), int(find.HitEnd[i])
				a, b := find.Span(p, pos, end)
				got = append(got, hit{p, pos, end, a, b})
				find.Skip(p, max(b, pos+1))
			}
			p := r.IntN(len(patterns))
			from, spare, deep, tried := find.From[p], find.Spare[p], find.Deep[p], find.Tried[p]
			before := find.Swap(inner)
			require.Equal(t, outer, before)
			find.Fresh(p)
			for at := 0; ; found++ {
				start, end := find.Leftmost(p, at)
				if !m.Find(patterns[p], inner, at, len(inner)) {
					require.Negative(t, start)
					break
				}
				require.Equal(t, m.Loc[:2], []int{start, end}, "%q", inner)
				at = start + 1
			}
			find.Swap(before)
			find.From[p], find.Spare[p], find.Deep[p], find.Tried[p] = from, spare, deep, tried
		}
		require.Equal(t, want, sorted(got), "%q", outer)
		// Of muted patterns nothing is found, and of those that are passed over what comes later.
		find.Begin(outer)
		for p := range patterns {
			if p%2 == 0 {
				find.Mute(p)
			} else {
				find.Pass(p, len(outer)/2)
			}
		}
		for pos := find.Next(); pos >= 0; pos = find.Next() {
			require.GreaterOrEqual(t, pos, len(outer)/2)
			for i := range find.Count {
				require.Equal(t, int32(1), find.HitPattern[i]%2)
			}
		}
	}
	assert.Positive(t, found)
}

func BenchmarkShort(b *testing.B) {
	u, err := scan.FreezePatterns(builtinPatterns(b), 4096)
	require.NoError(b, err)
	var packer tables.Packer
	tab := findtables.Of(u, &packer, nil)
	require.NoError(b, findtables.Native(tab, &packer))
	x := newModule(b, tab, &packer)
	text := "Jane lives in Oxford, and rings 020 7946 0958"
	require.True(b, x.m.Memory().Write(uint32(x.linked.End), []byte(text)))
	b.Run("native", func(b *testing.B) {
		for b.Loop() {
			find.Begin(text)
			for find.Next() >= 0 {
			}
		}
	})
	b.Run("wazero", func(b *testing.B) {
		for b.Loop() {
			x.call(b, x.begin, x.linked.End, len(text))
			for x.call(b, x.next) >= 0 {
			}
		}
	})
	for _, d := range tab.Data {
		if len(d.Bytes) > 1000 {
			b.Logf("%s: %d bytes", d.Name, len(d.Bytes))
		}
	}
}

func prose(t testing.TB) string {
	name := os.Getenv("PRIVET_TEXTS")
	if name == "" {
		t.Skip("PRIVET_TEXTS names a file to measure with")
	}
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b[:min(len(b), 4<<20)])
}

func BenchmarkProse(b *testing.B) {
	text := prose(b)
	patterns := builtinPatterns(b)
	u, err := scan.FreezePatterns(patterns, 4096)
	require.NoError(b, err)
	var packer tables.Packer
	tab := findtables.Of(u, &packer, nil)
	require.NoError(b, findtables.Native(tab, &packer))
	x := newModule(b, tab, &packer)
	b.Run("native", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		n := 0
		for b.Loop() {
			find.Begin(text)
			for n = 0; find.Next() >= 0; {
				n += find.Count
			}
		}
		b.ReportMetric(float64(n), "hits")
	})
	b.Run("wazero", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		require.True(b, x.m.Memory().Write(uint32(x.linked.End), []byte(text)))
		n := 0
		for b.Loop() {
			x.call(b, x.begin, x.linked.End, len(text))
			for n = 0; x.call(b, x.next) >= 0; {
				n += int(x.count.Get())
			}
		}
		require.Zero(b, x.fault.Get())
		b.ReportMetric(float64(n), "hits")
	})
	b.Run("union", func(b *testing.B) {
		union := scan.NewUnion(patterns)
		b.SetBytes(int64(len(text)))
		n := 0
		for b.Loop() {
			n = len(hunted(patterns, union, text, false))
		}
		b.ReportMetric(float64(n), "hits")
	})
}
