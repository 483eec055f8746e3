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
	w.Begin()
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
	w.Begin()
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
	`\b[a-z]{2,8}: ?x`, `[a-z]{1,3}[ -][1-4]\d`, `\b(?:[ab]{1,20}:|k[a-z ]{1,30}@|yJ)`, `\b(?:[a-z ]{0,40}[0-5]|ab)\b`, `s[^:]{0,62}:`, `1?[a-z]{5}(?:1|2)\b`,
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

// What a need says about a pattern, and how patterns are split.
func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		mark    int
		at      int // -1: not needed
		reason  string
	}{
		{`a@`, markAt, 1, "behind one letter"},
		{`k@`, markAt, 3, "the Kelvin sign is a k of three bytes"},
		{`(?:\b|_)\d`, markDigit, 1, "behind one character or none"},
		{`[a-z]+@`, markAt, -1, "without bound"},
		{`[^@]{0,3}@`, markAt, 12, "characters of four bytes"},
		{`a?(?:b:|cde:)`, markColon, 4, "the longest way"},
		{`a(?:b:|cde)`, markColon, -1, "not on all ways"},
		{`a(?:1|2)?`, markDigit, -1, "may be missing"},
		{`a(?:xx1){2,3}`, markDigit, 3, "the first round"},
		{`a(?:x1){0,3}`, markDigit, -1, "no round"},
		{`[1-3]`, markDigit, 0, "some digits"},
		{`[1-3a]`, markDigit, -1, "or a letter"},
		{`(?i:a)(b(1))`, markDigit, 2, "in groups"},
		{`\d`, markDigit, 0, "digits of ASCII"},
		{`\pN`, markDigit, -1, "digits of all scripts"},
		{`(?:a1)+`, markDigit, 1, "once at least"},
		{`(?:a1)*`, markDigit, -1, "or never"},
		{`.1`, markDigit, 4, "any character"},
	} {
		p, err := Compile(tt.pattern+"x", false)
		require.NoError(t, err)
		at, ok := latest(p.tree, tt.mark)
		if !ok {
			at = -1
		}
		assert.Equal(t, tt.at, at, "%s: %s", tt.pattern, tt.reason)
	}
	for _, tt := range []struct {
		pattern string
		want    []uint8
		reason  string
	}{
		{`[a-z]{2}x|[a-z]{3}@`, []uint8{0, 1}, "two branches"},
		{`\b(?P<span>[a-z]{2}x|[a-z]{3}:)\b`, []uint8{0, 2}, "inside of a group"},
		{`[a-z]{3}[xy]|[a-z]x`, []uint8{0}, "nothing is needed"},
		{`[a-z]{3}:[xy]|[a-z]:`, []uint8{2}, "all need the same"},
	} {
		p, err := Compile(tt.pattern, false)
		require.NoError(t, err)
		var got []uint8
		for _, b := range branches(p.tree) {
			got = append(got, needOf(b))
		}
		assert.Equal(t, tt.want, got, "%s: %s", tt.pattern, tt.reason)
	}
}

// A view tells what a look at each place would tell.
func TestView(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	met := 0
	for range 300 {
		b := []byte(strings.Repeat("a", r.IntN(1500)))
		for range r.IntN(6) {
			if len(b) > 0 {
				b[r.IntN(len(b))] = "@:07é"[r.IntN(5)]
			}
		}
		text, v := string(b), view{}
		for pos := 0; pos < len(text); pos += 1 + r.IntN(1+r.IntN(80)) {
			if pos >= v.same {
				v.look(text, pos)
			}
			want := uint8(0)
			for i, n := range needs {
				if at := indexMark(n.mark, text[pos:]); at >= 0 && at <= n.within {
					want |= 1 << i
				}
			}
			if want != v.needs {
				t.Fatalf("%q at %d: %b, want %b", text, pos, v.needs, want)
			}
			if want > 0 {
				met++
			}
		}
	}
	assert.Greater(t, met, 1000)
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
