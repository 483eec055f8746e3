package scan

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// agreeFrozenSet asserts that the tables of a set say what package regexp says.
func agreeFrozenSet(t *testing.T, f *Frozen, exprs []string, text string, lower bool) {
	t.Helper()
	var m Matches
	m.Grow(len(exprs))
	f.Match(text, &m)
	plain := text
	if lower {
		plain = lowered(text)
	}
	for i, e := range exprs {
		got := m.Has(uint32(i))
		if slices.Contains(f.Loose, uint32(i)) {
			require.False(t, got)
			got = f.Program(uint32(i)).Matches(f.Alphabet, text)
		}
		if want := regexp.MustCompile(e).MatchString(plain); want != got {
			t.Fatalf("%q on %q, lower %v, loose %v: got %v, regexp says %v", e, text, lower, slices.Contains(f.Loose, uint32(i)), got, want)
		}
	}
}

// frozenExprs mean the same frozen as to package regexp, whether they fit into one
// automaton, several, or none.
var frozenExprs = []string{
	`a`, `^a`, `a$`, `^a$`, `\Aa\z`, ``, `^$`, `$`, `\b`, `\B`, `\bab\b`, `(?i)k`, `(?i)ſ`, `é`, `[^a]`, `.`, `(?s).`, `^.$`,
	`(?m)^b$`, `(?m)a$`, `(?m:^)c`, `\x{FFFD}`, `[\x{D800}-\x{FFFE}]`, `\pL`, `\PL`, `a{2,3}b`, `(a|b)*c`, `x*`, `[^\x00-\x{10FFFF}]`,
	`(^|[_.-])(e?mail|email_?addr(ess)?)([_.-]|$)`, `日本`, `^\d{3}-\d{2}-\d{4}$`, `\w+\W\w+`, `[a-z].{5}b`, `[^@]*[xé]y?$`,
}

func TestFrozenSet(t *testing.T) {
	texts := []string{
		"", "a", "A", "b", "ab", "a b", "a\nb", "b\n", "\nb", "\n", "aab", "aaab", "aaaab", "k", "K", "\u212a", "s", "ſ", "S", "é", "É", "\xff", "a\xff", "\xe9", "\ufffd", "\xed\xa0\x80",
		"日本", "日本語", "user_email", "email_address", "EMAIL", "123-45-6789", "a_b", "a-b", "c", "abc", "\xf0\x9f\x98", "😀", "\ufffe", "ÿ", "a12345b", "@xy",
	}
	for _, lower := range []bool{false, true} {
		for _, states := range []int{1 << 14, 200, 20, 1} {
			f := Freeze(NewSet(frozenExprs, idsTo(len(frozenExprs)), lower), states)
			n := len(f.Loose)
			for i, g := range f.Groups {
				assert.LessOrEqual(t, g.States, states+1) // the dead one may come on top
				n += len(f.Members[i])
			}
			assert.Equal(t, len(frozenExprs), n)
			if states == 20 {
				assert.Greater(t, len(f.Groups), 1)
				assert.NotEmpty(t, f.Loose)
			}
			for _, text := range texts {
				agreeFrozenSet(t, f, frozenExprs, text, lower)
			}
			r := rand.New(rand.NewPCG(1, 7))
			for range 200 {
				var b strings.Builder
				for range r.IntN(6) {
					b.WriteString(texts[r.IntN(len(texts))])
				}
				agreeFrozenSet(t, f, frozenExprs, b.String(), lower)
			}
		}
	}
}

// The same set gives the same bytes.
func TestFrozenIsDeterministic(t *testing.T) {
	freeze := func() string {
		f := Freeze(NewSet(frozenExprs, idsTo(len(frozenExprs)), false), 300)
		out := fmt.Sprint(f.Alphabet.Ranges, f.Members, f.Loose)
		for _, g := range f.Groups {
			out += fmt.Sprint(g.Class, g.Accept, g.Begin, g.Next)
		}
		var ps []*Pattern
		for i, text := range unionPatterns {
			p, err := Compile(text, i%4 == 3)
			require.NoError(t, err)
			ps = append(ps, p)
		}
		u, err := FreezePatterns(ps, 100)
		require.NoError(t, err)
		for _, table := range u.Tables {
			if table == nil {
				out += "none"
				continue
			}
			out += fmt.Sprint(*table)
		}
		out += fmt.Sprint(u.Finder.Image(), u.Program(0).Image())
		return out
	}
	a := freeze()
	for range 3 {
		require.True(t, a == freeze())
	}
}

// What the packed forms say is what the table says.

// The smallest automata are known.
func TestTableMinimal(t *testing.T) {
	for _, tt := range []struct {
		expr   string
		states int // with the dead one
	}{
		{`^a$`, 4},       // dead, matched, begin, after a
		{`a`, 3},         // dead, matched, nothing yet
		{`^(ab|cb)$`, 5}, // both first letters lead to the same
	} {
		f := Freeze(NewSet([]string{tt.expr}, []uint32{0}, false), 100)
		require.Len(t, f.Groups, 1)
		assert.Equal(t, tt.states, f.Groups[0].States, tt.expr)
	}
}

// agreeFrozen compares what frozen patterns say at each place, and their groups, with
// what the patterns say themselves.
func agreeFrozen(u *FrozenUnion, text string) (matches int, err error) {
	var v view
	var m Machine
	var candidates []int
	for pos := 0; pos < len(text); pos++ {
		if pos > 0 && inside(text, pos) {
			continue
		}
		if pos >= v.same {
			v.look(text, pos)
		}
		candidates = u.Finder.At(candidates[:0], text, pos, v.needs)
		for i, p := range u.patterns {
			if p == nil {
				continue
			}
			want, seen := p.automaton().longest(text, pos, len(text))
			if seen < 0 {
				return 0, fmt.Errorf("pattern %d gave up", i)
			}
			if want < 0 && !slices.Contains(candidates, i) {
				continue
			}
			if want >= 0 && !slices.Contains(candidates, i) {
				return 0, fmt.Errorf("%q at %d: pattern %d is passed over", text, pos, i)
			}
			if got := u.Longest(i, text, pos, len(text)); got != want {
				return 0, fmt.Errorf("%q at %d: pattern %d ends at %d, want %d", text, pos, i, got, want)
			}
			if want < 0 {
				continue
			}
			matches++
			// Shorter ones.
			for _, limit := range []int{want - 1, (pos + want) / 2} {
				want, _ := p.automaton().longest(text, pos, limit)
				if got := u.Longest(i, text, pos, limit); limit > pos && got != want {
					return 0, fmt.Errorf("%q at %d up to %d: pattern %d ends at %d, want %d", text, pos, limit, i, got, want)
				}
			}
			program := u.Program(i)
			groups := make([]int, 2*program.Groups)
			if got := program.Longest(u.Alphabet, text, pos, want, groups); got != want {
				return 0, fmt.Errorf("%q at %d: the program of pattern %d ends at %d, want %d", text, pos, i, got, want)
			}
			m.find(p, text, pos, want)
			if !slices.Equal(groups, m.Loc) {
				return 0, fmt.Errorf("%q at %d: the groups of pattern %d are %v, want %v", text, pos, i, groups, m.Loc)
			}
			if err := agreeSpan(u, i, text, groups); err != nil {
				return 0, err
			}
		}
	}
	return matches, nil
}

// agreeSpan compares what edges tell with the group.
func agreeSpan(u *FrozenUnion, i int, text string, groups []int) error {
	how, e := u.Span(i)
	start, end := groups[0], groups[1]
	has := func(set [4]uint64, b byte) bool { return set[b>>6]>>(b&63)&1 == 1 }
	if how == SpanEither && (has(e.First, text[start]) || has(e.Last, text[end-1])) {
		how = SpanProgram
	}
	span := u.patterns[i].span
	switch how {
	case SpanAll:
		if span > 0 {
			return fmt.Errorf("pattern %d has a span", i)
		}
	case SpanTrim, SpanEither:
		t := trim{before: e.Before, after: e.After}
		if a, b := t.cut(text, start, end); a != groups[2*span] || b != groups[2*span+1] {
			return fmt.Errorf("%q: the edges of pattern %d tell %d-%d, want %v", text, i, a, b, groups)
		}
	}
	return nil
}

func TestFrozenUnion(t *testing.T) {
	patterns := []*Pattern{nil}
	for i, text := range unionPatterns {
		p, err := Compile(text, i%4 == 3)
		require.NoError(t, err)
		patterns = append(patterns, p)
	}
	for _, states := range []int{4096, 20} {
		u, err := FreezePatterns(patterns, states)
		require.NoError(t, err)
		matches := 0
		check := func(text string) {
			n, err := agreeFrozen(u, text)
			require.NoError(t, err)
			matches += n
		}
		for _, text := range []string{
			"", "a", "x_123-45-6789_", "jane.doe+x@example.com", "a+49123", "+49", "eyJabcdefgh0 ", "4111 1111 1111 1111", "password = hunter2", "x\nxa\n", "éé日本 日",
			"\xff\xfea\x80b", strings.Repeat("a", 100) + "b", strings.Repeat("eyJ", 20), "ſsK", "1,234,567", "é_1",
		} {
			check(text)
		}
		pieces := []string{"a", "b", "eyJ", "1", "23-4", "@", ".", " ", "_", "-", "+", "é", "日", "\n", "x", "password", ":", "=", "\xff", "s", "K", "ſ", ","}
		r := rand.New(rand.NewPCG(1, 1))
		for range 300 {
			var b strings.Builder
			for range r.IntN(30) {
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
			check(b.String())
		}
		assert.Greater(t, matches, 3000)
	}
	none, err := FreezePatterns(nil, 100)
	require.NoError(t, err)
	assert.Empty(t, none.Finder.At(nil, "a", 0, allNeeds))
}

func FuzzFrozen(f *testing.F) {
	f.Add([]byte{0, 1, 255, 2, 27, 255, 13, 0, 13}, "abk_é1")
	f.Add([]byte{15, 0, 16, 255, 24, 1, 25, 255, 21, 36}, "a\nb\xffK")
	f.Fuzz(func(t *testing.T, seed []byte, text string) {
		if len(seed) > 60 || len(text) > 100 {
			return
		}
		var exprs []string
		var patterns []*Pattern
		for _, part := range strings.Split(string(seed), "\xff") {
			var b strings.Builder
			for i := range len(part) {
				b.WriteString(pieces[int(part[i])%len(pieces)])
			}
			if _, err := regexp.Compile(b.String()); err == nil {
				exprs = append(exprs, b.String())
			}
			if p, err := Compile(b.String(), len(part)%2 == 0); err == nil {
				patterns = append(patterns, p)
			}
		}
		for _, states := range []int{10, 500} {
			agreeFrozenSet(t, Freeze(NewSet(exprs, idsTo(len(exprs)), states == 10), states), exprs, text, states == 10)
			u, err := FreezePatterns(patterns, states)
			require.NoError(t, err)
			_, err = agreeFrozen(u, text)
			require.NoError(t, err)
		}
	})
}
