package scan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ends is what a Union should say, from the patterns one by one.
func ends(patterns []*Pattern, text string) map[int][]End {
	out := map[int][]End{}
	for pos := 0; pos < len(text); pos++ {
		if pos > 0 && inside(text, pos) {
			continue
		}
		for i, p := range patterns {
			if end, _ := p.automaton().longest(text, pos, len(text)); end >= 0 {
				out[pos] = append(out[pos], End{i, end})
			}
		}
	}
	return out
}

// agreeAt compares the two on one text.
func agreeAt(u *Union, w *Walker, text string) error {
	want := ends(u.patterns, text)
	got := map[int][]End{}
	for pos := 0; pos < len(text); pos++ {
		if pos = u.Next(w, text, pos, len(text)); pos < 0 {
			break
		}
		for _, e := range w.Ends {
			if e.End < 0 {
				e.End, _ = u.patterns[e.Pattern].automaton().longest(text, pos, len(text))
				if e.End < 0 {
					continue
				}
			}
			got[pos] = append(got[pos], e)
		}
	}
	for pos := range len(text) {
		if len(want[pos]) != len(got[pos]) {
			return fmt.Errorf("%q at %d: got %v, want %v", text, pos, got[pos], want[pos])
		}
		for _, e := range want[pos] {
			found := false
			for _, g := range got[pos] {
				found = found || g == e
			}
			if !found {
				return fmt.Errorf("%q at %d: got %v, want %v", text, pos, got[pos], want[pos])
			}
		}
	}
	return nil
}

// asRegexp compares the matches of each pattern, one after the other, with those of
// package regexp, which sees ASCII boundaries only.
func asRegexp(u *Union, w *Walker, sources []string, caseSensitive func(int) bool, text string) error {
	if !isASCII(text) {
		return nil
	}
	from, got := make([]int, len(sources)), make([][][]int, len(sources))
	for pos := 0; pos < len(text); pos++ {
		if pos = u.Next(w, text, pos, len(text)); pos < 0 {
			break
		}
		for _, e := range w.Ends {
			if pos < from[e.Pattern] {
				continue
			}
			if e.End < 0 {
				var m Machine
				patience := -1 // the linear way at once
				if next := m.Longest(u.patterns[e.Pattern], text, pos, len(text), &patience); next != pos {
					from[e.Pattern] = next
					continue
				}
				e.End = m.Loc[1]
			}
			from[e.Pattern] = e.End
			got[e.Pattern] = append(got[e.Pattern], []int{pos, e.End})
		}
	}
	for i, source := range sources {
		want := reference(source, caseSensitive(i)).FindAllStringIndex(text, -1)
		if fmt.Sprint(got[i]) != fmt.Sprint(want) {
			return fmt.Errorf("%s in %q: got %v, want %v", source, text, got[i], want)
		}
	}
	return nil
}

var unionPatterns = []string{
	`(?:\b|_)(?P<span>\d{3}-\d{2}-\d{4})(?:\b|_)`, `\b[\p{L}\p{N}_][\p{L}\p{N}._+-]*@[a-z.]+\b`, `(?:^|[^0-9a-z])(?P<span>\+\d{2,})`, `eyJ[a-z0-9]{8,}`,
	`\b(?:\d[ -]?){4,19}\b`, `password\s{0,3}[:=]\s{0,3}\S{4,}`, `[a-z]+`, `k|ss`, `(?m)^x.*$`, `\Ba\B`, `é+`, `日\b`, `\d+(?:,\d{3})*`, `.b`, `a{1,100}b?`,
}

func TestUnion(t *testing.T) {
	var patterns []*Pattern
	for i, text := range unionPatterns {
		p, err := Compile(text, i%4 == 3)
		require.NoError(t, err)
		patterns = append(patterns, p)
	}
	u, w := NewUnion(patterns), new(Walker)
	for _, text := range []string{
		"", "a", "x_123-45-6789_", "jane.doe+x@example.com", "a+49123", "+49", "eyJabcdefgh0 ", "4111 1111 1111 1111", "password = hunter2", "x\nxa\n", "éé日本 日",
		"\xff\xfea\x80b", strings.Repeat("a", 200) + "b", strings.Repeat("eyJ", 60), "ſsK", "1,234,567", strings.Repeat("1 ", 80), "é_1",
	} {
		require.NoError(t, agreeAt(u, w, text))
	}
	pieces := []string{"a", "b", "eyJ", "1", "23-4", "@", ".", " ", "_", "-", "+", "é", "日", "\n", "x", "password", ":", "=", "\xff", "s", "K", "ſ", ","}
	r := rand.New(rand.NewPCG(1, 1))
	hits := 0
	for range 3000 {
		var b strings.Builder
		for range r.IntN(40) {
			piece := pieces[r.IntN(len(pieces))]
			if r.IntN(100) == 0 {
				piece = strings.Repeat(piece, 20+r.IntN(60)) // beyond the reach of one walk
			}
			b.WriteString(piece)
		}
		require.NoError(t, agreeAt(u, w, b.String()))
		require.NoError(t, asRegexp(u, w, unionPatterns, func(i int) bool { return i%4 == 3 }, b.String()))
		hits += len(ends(patterns, b.String()))
	}
	assert.Greater(t, hits, 10_000)
}

// A Union that forgets its states again and again still says the same.
func TestUnionRenews(t *testing.T) {
	var patterns []*Pattern
	for _, text := range unionPatterns {
		p, err := Compile(text, false)
		require.NoError(t, err)
		patterns = append(patterns, p)
	}
	u, w := NewUnion(patterns), new(Walker)
	u.once.Do(u.build)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		if i%3 == 0 {
			u.table.Load().bytes = unionBytes + 1
		}
		b := make([]byte, r.IntN(60))
		for j := range b {
			b[j] = "ab1 2-@._\n"[r.IntN(10)]
		}
		require.NoError(t, agreeAt(u, w, string(b)))
	}
}

func FuzzUnion(f *testing.F) {
	f.Add(`\b\d{3}-\d{2}\b`, `[a-z]+@`, "x 123-45 a@", true)
	f.Add(`(?:^|[^0-9])(?P<span>\d{4})(?:$|_)`, `\w+`, "_1234_é", false)
	for i := range len(unionPatterns) - 1 {
		f.Add(unionPatterns[i], unionPatterns[i+1], "password: 123-45-6789 jane@example.com é", i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, a, b, text string, caseSensitive bool) {
		if len(a)+len(b) > 200 || len(text) > 300 {
			return
		}
		p, err := Compile(a, caseSensitive)
		if err != nil {
			return
		}
		q, err := Compile(b, !caseSensitive)
		if err != nil {
			return
		}
		// Together, and again when the states are known.
		u, w := NewUnion([]*Pattern{p, q}), new(Walker)
		for range 2 {
			if err := agreeAt(u, w, text); err != nil {
				t.Fatal(err)
			}
			if err := asRegexp(u, w, []string{a, b}, func(i int) bool { return caseSensitive == (i == 0) }, text); err != nil {
				t.Fatal(err)
			}
		}
	})
}
