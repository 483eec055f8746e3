package scan_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/source"
)

const builtin = "../../classify/builtin"

// frozenBuiltin are the patterns of the built-in detectors, frozen.
func frozenBuiltin(t testing.TB) (ids []string, u *scan.FrozenUnion) {
	data, err := os.ReadFile(filepath.Join(builtin, "builtin.bundle"))
	require.NoError(t, err)
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	var patterns []*scan.Pattern
	for _, d := range b.Classification.Detectors {
		p, err := scan.Compile(d.Pattern, d.CaseSensitive)
		require.NoError(t, err)
		ids, patterns = append(ids, d.ID), append(patterns, p)
	}
	require.Greater(t, len(ids), 200)
	u, err = scan.FreezePatterns(patterns, 4096)
	require.NoError(t, err)
	return ids, u
}

// casesOfBuiltin are the texts of the cases of the built-in detectors.
func casesOfBuiltin(t *testing.T) (out []string) {
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

// The tables of the built-in detectors say of every text of their cases, and of
// texts made from them, what the patterns say: where matches begin and end, and where
// their groups are.
func TestFrozenBuiltin(t *testing.T) {
	_, u := frozenBuiltin(t)
	cases := casesOfBuiltin(t)
	r := rand.New(rand.NewPCG(1, 5))
	odd := []string{"\xff", "é", "日", "_", "-", " ", "\n", "0", "x", "\u0301", "ſ"}
	matches := 0
	for i, text := range cases {
		if len(text) > 400 {
			text = text[:400]
		}
		n, err := scan.AgreeFrozen(u, text)
		require.NoError(t, err)
		matches += n
		if i%10 == 0 && len(text) > 1 {
			at := r.IntN(len(text))
			text = text[:at] + odd[r.IntN(len(odd))] + text[at+r.IntN(2):]
			other := cases[r.IntN(len(cases))]
			text += other[:min(len(other), 30)]
			n, err := scan.AgreeFrozen(u, text)
			require.NoError(t, err)
			matches += n
		}
	}
	assert.Greater(t, matches, 10_000)
	t.Logf("%d matches", matches)
}

func gzipped(b []byte) int {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Len()
}

// Sizes of the tables and how often they lead to a look, with bounds. With -v they are
// told; PRIVET_TEXTS names more files to count in.
func TestFrozenBudget(t *testing.T) {
	ids, u := frozenBuiltin(t)
	states, cells, loose, spans := 0, 0, []string(nil), [4]int{}
	var programs []byte
	for i, table := range u.Tables {
		how, _ := u.Span(i)
		spans[how]++
		if table == nil {
			loose = append(loose, ids[i])
		} else {
			states, cells = states+table.States, cells+len(table.Next)
		}
		if table == nil || how == scan.SpanProgram {
			programs = append(programs, u.Program(i).Image()...)
		}
	}
	finder := u.Finder.Image()
	var ranges []byte
	for _, r := range u.Alphabet.Ranges {
		ranges = binary.LittleEndian.AppendUint32(ranges, r)
	}
	t.Logf("%d patterns, %d states, %d cells, no automaton: %v, spans: %v", len(ids), states, cells, loose, spans)
	t.Logf("finder   %d bytes, %d gzip: %d bits, %d classes", len(finder.Bytes), gzipped(finder.Bytes), len(u.Finder.Pattern), u.Finder.Classes)
	t.Logf("alphabet %d bytes, %d gzip: %d symbols", len(ranges), gzipped(ranges), u.Alphabet.Symbols)
	t.Logf("programs %d bytes, %d gzip", len(programs), gzipped(programs))
	if dir := os.Getenv("PRIVET_TABLES"); dir != "" {
		for name, data := range map[string][]byte{"finder": finder.Bytes, "alphabet": ranges, "programs": programs} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	assert.LessOrEqual(t, len(loose), 3, "no automaton: %v", loose)
	assert.Less(t, cells, 600_000)
	assert.Less(t, gzipped(slices.Concat(finder.Bytes, ranges, programs)), 60_000)

	files, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var prose strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		prose.Write(text)
	}
	assert.Less(t, candidates(t, ids, u, "docs", prose.String()), 150.0)
	for _, file := range filepath.SplitList(os.Getenv("PRIVET_TEXTS")) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		candidates(t, ids, u, filepath.Base(file), string(text[:min(len(text), 4<<20)]))
	}
}

// candidates is how many there are in a KB of text.
func candidates(t *testing.T, ids []string, u *scan.FrozenUnion, name, text string) float64 {
	var v scan.NeedView
	var got []int
	by := make([]int, len(ids))
	all, matches := 0, 0
	for pos := 0; pos < len(text); pos++ {
		got = u.Finder.At(got[:0], text, pos, v.Met(text, pos))
		for _, i := range got {
			all++
			by[i]++
			if u.Longest(i, text, pos, min(len(text), pos+1000)) >= 0 {
				matches++
			}
		}
		_, width := utf8.DecodeRuneInString(text[pos:])
		pos += width - 1
	}
	kb := float64(len(text)) / 1024
	top := slices.Clone(ids)
	at := map[string]int{}
	for i, id := range ids {
		at[id] = by[i]
	}
	slices.SortStableFunc(top, func(x, y string) int { return at[y] - at[x] })
	t.Logf("%s: in a KB %.1f candidates, %.1f matches; most: %v", name, float64(all)/kb, float64(matches)/kb, top[:8])
	return float64(all) / kb
}

func BenchmarkFinder(b *testing.B) {
	_, u := frozenBuiltin(b)
	text := strings.Repeat("The order was shipped to the customer on Monday, and nobody has asked for it since then. ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var v scan.NeedView
		var got []int
		for pos := range len(text) {
			got = u.Finder.At(got[:0], text, pos, v.Met(text, pos))
		}
	}
}
