package scan

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// matched is what a set says, as a list of bools.
func matched(s *Set, n int, text string) []bool {
	var m Matches
	m.Grow(n)
	s.Match(text, &m)
	out := make([]bool, n)
	for _, id := range m.List {
		out[id] = true
	}
	return out
}

func idsTo(n int) []uint32 {
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = uint32(i)
	}
	return ids
}

// lowered is what lowerAscii of CEL makes of a text.
func lowered(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// agree asserts that a set says what package regexp says of each expression.
func agree(t *testing.T, s *Set, exprs []string, text string, lower bool) {
	t.Helper()
	got := matched(s, len(exprs), text)
	if lower {
		text = lowered(text)
	}
	for i, e := range exprs {
		if want := regexp.MustCompile(e).MatchString(text); want != got[i] {
			t.Errorf("%q on %q: got %v, regexp says %v", e, text, got[i], want)
		}
	}
}

func TestSetAgreesWithRegexp(t *testing.T) {
	exprs := []string{
		`a`, `^a`, `a$`, `^a$`, `\Aa\z`, ``, `^$`, `^`, `$`, `\b`, `\B`, `\bab\b`, `(?i)k`, `(?i)ſ`, `s`, `é`, `[^a]`, `.`, `(?s).`, `^.$`,
		`(?m)^b$`, `(?m)a$`, `(?m:^)c`, `\x{FFFD}`, `[\x{D800}-\x{FFFE}]`, `[\x{FFFD}-\x{FFFE}]`, `\pL`, `\PL`, `(?i)[^k]`, `a{2,3}b`, `(a|b)*c`, `x*`, `[^\x00-\x{10FFFF}]`,
		`(^|[_.-])(e?mail|email_?addr(ess)?)([_.-]|$)`, `^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$`, `日本`, `^\d{3}-\d{2}-\d{4}$`, `\w+\W\w+`,
	}
	texts := []string{
		"", "a", "A", "b", "ab", "a b", "a\nb", "b\n", "\nb", "\n", "aab", "aaab", "aaaab", "k", "K", "\u212a", "s", "ſ", "S", "é", "É", "\xff", "a\xff", "\xe9", "\ufffd", "\xed\xa0\x80",
		"日本", "日本語", "user_email", "email_address", "EMAIL", "jane@example.com", "123-45-6789", "a_b", "a-b", "c", "abc", "\xf0\x9f\x98", "😀", "\ufffe", "ÿ",
	}
	for _, lower := range []bool{false, true} {
		s := NewSet(exprs, idsTo(len(exprs)), lower)
		for range 2 { // the second time all states are there
			for _, text := range texts {
				agree(t, s, exprs, text, lower)
			}
		}
	}
}

// TestSetIDs: ids are the caller's, and what was in Matches before stays.
func TestSetIDs(t *testing.T) {
	s := NewSet([]string{"a", "b", "c"}, []uint32{70, 5, 130}, false)
	var m Matches
	m.Grow(131)
	m.Add(7)
	s.Match("a c", &m)
	assert.Equal(t, []uint32{7, 70, 130}, m.List)
	assert.True(t, m.Has(70) && m.Has(130) && m.Has(7) && !m.Has(5))
	m.Reset()
	assert.Empty(t, m.List)
	assert.False(t, m.Has(70) || m.Has(7) || m.Has(130))
}

// explosive are expressions whose states multiply: each remembers the last bytes.
func explosive(n int) []string {
	exprs := make([]string, n)
	for i := range exprs {
		exprs[i] = fmt.Sprintf(`[%c-z].{%d}%c`, 'a'+i%20, 8+i%5, 'b'+i%20)
	}
	return exprs
}

// TestSetBounded: expressions whose states multiply are split, answers stay right,
// and memory stays within bounds.
func TestSetBounded(t *testing.T) {
	exprs := explosive(12)
	s := NewSet(exprs, idsTo(len(exprs)), false)
	r := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 200)
	res := make([]*regexp.Regexp, len(exprs))
	for i, e := range exprs {
		res[i] = regexp.MustCompile(e)
	}
	for range 3000 {
		for i := range text {
			text[i] = byte('a' + r.IntN(26))
		}
		n := r.IntN(len(text))
		got := matched(s, len(exprs), string(text[:n]))
		for i, re := range res {
			require.Equal(t, re.Match(text[:n]), got[i])
		}
	}
	parts := *s.parts.Load()
	require.Greater(t, len(parts), 1, "the case is meant to split")
	total := 0
	for _, p := range parts {
		total += p.states.Load().bytes
	}
	assert.LessOrEqual(t, total, 2*setBytes)
}

// TestSetFollow: what is found without making states is the same.
func TestSetFollow(t *testing.T) {
	exprs := append(explosive(8), `^a`, `a$`, ``, `^$`, `\bab\b`, `(?m)^b$`, `é`, `[^\x00-\x{10FFFF}]`)
	s := NewSet(exprs, idsTo(len(exprs)), false)
	s.once.Do(s.compile)
	for _, text := range []string{"", "a", "b\nb", "é", "aaaaaaaaaaaaaaab", "x ab", "\xff"} {
		var m Matches
		m.Grow(len(exprs))
		(*s.parts.Load())[0].follow(text, &m)
		for i, e := range exprs {
			assert.Equal(t, regexp.MustCompile(e).MatchString(text), m.Has(uint32(i)), "%q on %q", e, text)
		}
	}
}

// TestSetConcurrently: many goroutines make states and split parts at once.
func TestSetConcurrently(t *testing.T) {
	exprs := append(explosive(8), `^(foo|bar)_`, `(?i)email`)
	s := NewSet(exprs, idsTo(len(exprs)), false)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 3))
			for range 150 {
				var b strings.Builder
				for range r.IntN(60) {
					b.WriteByte(byte('a' + r.IntN(26)))
				}
				got := matched(s, len(exprs), b.String())
				for i, e := range exprs {
					if ok, _ := regexp.MatchString(e, b.String()); ok != got[i] {
						t.Errorf("%q on %q: %v", e, b.String(), got[i])
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestSetAllocatesNothing(t *testing.T) {
	s := NewSet([]string{`(?i)(^|_)mail(_|$)`, `^\d+$`}, idsTo(2), false)
	var m Matches
	m.Grow(2)
	n := testing.AllocsPerRun(100, func() {
		m.Reset()
		s.Match("user_MAIL", &m)
	})
	assert.Zero(t, n)
	assert.Equal(t, []uint32{0}, m.List)
}

// pieces are what fuzzing puts together into expressions.
var pieces = []string{
	"a", "b", "k", "é", "ſ", "日", ".", "[a-c]", "[^a]", `\d`, `\w`, `\W`, `\s`, `\b`, `\B`, "^", "$", `\A`, `\z`, `\pL`, `[[:upper:]]`,
	"(?i:k)", "(?i:é)", "(?s:.)", "(?m:^)", "(?m:$)", "*", "+", "?", "{2}", "{1,3}", "|", "(", ")", "_", "@", `\x{FFFD}`, "\n", "[é-日]", "*?", "1",
}

func FuzzSet(f *testing.F) {
	f.Add([]byte{0, 1, 255, 2, 27, 255, 13, 0, 13}, "abk_é1")
	f.Add([]byte{15, 0, 16, 255, 24, 1, 25, 255, 21, 36}, "a\nb\xffK")
	f.Fuzz(func(t *testing.T, seed []byte, text string) {
		if len(seed) > 200 || len(text) > 500 {
			return
		}
		var exprs []string
		for _, part := range strings.Split(string(seed), "\xff") {
			var b strings.Builder
			for i := range len(part) {
				b.WriteString(pieces[int(part[i])%len(pieces)])
			}
			if _, err := regexp.Compile(b.String()); err == nil {
				exprs = append(exprs, b.String())
			}
		}
		for _, lower := range []bool{false, true} {
			s := NewSet(exprs, idsTo(len(exprs)), lower)
			agree(t, s, exprs, text, lower)
			agree(t, s, exprs, text, lower)
		}
	})
}

func BenchmarkSet(b *testing.B) {
	exprs := []string{
		`(?i)(^|[_.-])(e?mail|email_?addr(ess)?)([_.-]|$)`, `(?i)(^|[_.-])(phone|mobile|msisdn|tel)([_.-]|$)`, `(?i)(^|[_.-])(user(name)?|login|nick(name)?)([_.-]|$)`,
		`(?i)(^|[_.-])(ssn|nin|national_?id|tax_?id)([_.-]|$)`, `(?i)(^|[_.-])(street|addr(ess)?(_?line)?|post_?code|zip)([_.-]|$)`,
	}
	res := make([]*regexp.Regexp, len(exprs))
	for i, e := range exprs {
		res[i] = regexp.MustCompile(e)
	}
	s := NewSet(exprs, idsTo(len(exprs)), false)
	var m Matches
	m.Grow(len(exprs))
	b.Run("set", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Reset()
			s.Match("customer_email", &m)
		}
	})
	b.Run("regexp", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, re := range res {
				re.MatchString("customer_email")
			}
		}
	})
}

// Expressions that match only up to the end are read from the end, and say the same.
func TestSetAtEnd(t *testing.T) {
	exprs := []string{`[0-9][:/,]$`, `(?:^|[^0-9A-Za-z])-$`, `\b9[2-5]\d\d $`, `(?:a|bc){1,3}\z`, `\Bx$`, `(?m)^ab$`, `^abc$`, `é{2}.$`, `(?:x$|y\z)`, `$`, `\bcard $`}
	sets := []*Set{NewSet(exprs, idsTo(len(exprs)), false)}
	for i := range exprs {
		sets = append(sets, NewSet(exprs[i:i+1], []uint32{0}, false))
	}
	pieces := []string{"a", "bc", "x", "9", "92", "1", ":", "-", " ", "é", "\xff", "\x80\x80\x80\x80", "日", "\n", "card", "y", "ab", "abc", strings.Repeat("z", 90)}
	r := rand.New(rand.NewPCG(1, 9))
	held := 0
	for range 5000 {
		var b strings.Builder
		for range r.IntN(30) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		text := b.String()
		agree(t, sets[0], exprs, text, false)
		for i := range exprs {
			agree(t, sets[i+1], exprs[i:i+1], text, false)
		}
		if regexp.MustCompile(exprs[0]).MatchString(text) {
			held++
		}
	}
	assert.Greater(t, held, 10)
	n := 0
	for _, s := range sets {
		if (*s.parts.Load())[0].back {
			n++
		}
	}
	assert.Equal(t, 10, n, "all but (?m) and the mixed set are read from the end")
}
