package scan

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// reference is package regexp with our meaning of a pattern, for ASCII texts.
func reference(pattern string, caseSensitive bool) *regexp.Regexp {
	flags := "(?is)"
	if caseSensitive {
		flags = "(?s)"
	}
	re := regexp.MustCompile(flags + pattern)
	re.Longest()
	return re
}

var patterns = []string{
	`\b\d{3}-\d{2}-\d{4}\b`, `a+b*c?`, `(?:foo|foobar|bar)+`, `[a-z]+@[a-z]+\.(?:com|org)`, `^ab`, `ab$`, `\Bx\B`,
	`(?:\b|_)(?P<span>\d{4,6})(?:\b|_)`, `(a|ab)(c|bcd)(d*)`, `x{2,5}y`, `[^a-c]{3}`, `.b`, `(?:a|b)*c`, `k[s]k`, `(?m)^a|b$`,
	`\b[ps]1_[1-9a-z][0-9a-z]{0,6}_[a-z2-7]{20,52}\b`, `(?:[0-9a-f]{2}:){5}[0-9a-f]{2}`, `é+`, `[\p{L}]{2}\d`,
	`(?:^|[^a-c])(?P<span>[a-c]+(?: [a-c]+)?)\b`, `(?P<span>a+)(?:[^a]|$)`, `_?(?P<span>\w+)`, `x(?P<span>a|b)`, `(?:\b|k)(?P<span>[ab]+)`, `(?P<span>a?)b`,
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		from, limit   int
		want          []int
		reason        string
	}{
		{`a+`, "baab", 0, 4, []int{1, 3}, "leftmost, longest"},
		{`a|ab`, "ab", 0, 2, []int{0, 2}, "longest, not first"},
		{`\bab`, "xab ab", 1, 6, []int{4, 6}, "sees what stands before from"},
		{`ab\b`, "ab", 0, 2, []int{0, 2}, "the end is a boundary"},
		{`\d+`, "12345", 0, 3, []int{0, 3}, "ends at the limit"},
		{`\d+\b`, "12345", 0, 3, nil, "sees what stands after the limit"},
		{`A`, "a", 0, 1, []int{0, 1}, "no regard to case"},
		{`a.b`, "a\nb", 0, 3, []int{0, 3}, "a dot matches a newline"},
		{`\b\d+\b`, "é12", 0, 4, nil, "é is a letter of the same word"},
		{`\b\d+\b`, "数12号", 0, 8, []int{3, 5}, "Han letters end no word and begin none"},
		{`\b\d+\b`, "12입니다", 0, 11, []int{0, 2}, "particles are written onto the word"},
		{`k`, "\u212a", 0, 3, []int{0, 3}, "the Kelvin sign folds to k"},
		{`s`, "ſ", 0, 2, []int{0, 2}, "the long s folds to s"},
		{`.`, "\xff", 0, 1, []int{0, 1}, "a byte that is no character is one"},
	} {
		p, err := Compile(tt.pattern, false)
		require.NoError(t, err)
		var m Machine
		var got []int
		if m.Find(p, tt.text, tt.from, tt.limit) {
			got = m.Loc[:2]
		}
		assert.Equal(t, tt.want, got, "%s in %q: %s", tt.pattern, tt.text, tt.reason)
	}
}

func TestCompileErrors(t *testing.T) {
	for pattern, reason := range map[string]string{
		`a*`: "matches the empty text", `(?:a|)`: "so does this", `\b`: "and this", `(`: "no syntax", `(?:a{1000}){20}`: "large",
		`(?:(?:a{100}){100}){10}`: "larger", strings.Repeat("(a)", 40): "too many groups",
	} {
		_, err := Compile(pattern, false)
		assert.Error(t, err, "%.20s: %s", pattern, reason)
	}
}

var asciiText = rapid.StringOfN(rapid.RuneFrom([]rune("abcdxyzksKSé fobr@.com_-:0123456789\n")), 0, 40, -1)

// Spans are those of package regexp.
func TestReference(t *testing.T) {
	for _, caseSensitive := range []bool{false, true} {
		for _, pattern := range patterns {
			re := reference(pattern, caseSensitive)
			p, err := Compile(pattern, caseSensitive)
			require.NoError(t, err)
			var m Machine
			rapid.Check(t, func(t *rapid.T) {
				text := asciiText.Draw(t, "text")
				if rapid.Bool().Draw(t, "matching") {
					text = text[:len(text)/2] + rapid.StringMatching(pattern).Draw(t, "match") + text[len(text)/2:]
				}
				agreeOn(t, p, text)
				if !isASCII(text) {
					return // package regexp sees ASCII boundaries only
				}
				want := re.FindStringSubmatchIndex(text)
				got := m.Find(p, text, 0, len(text))
				if got != (want != nil) || got && (m.Loc[0] != want[0] || m.Loc[1] != want[1]) {
					t.Fatalf("%s in %q: got %v %v, want %v", pattern, text, got, m.Loc, want)
				}
			})
		}
	}
}

// agreeOn asserts that the automaton of a pattern finds what the machine finds that
// follows all ways side by side, from several places on and up to several ends.
func agreeOn(t require.TestingT, p *Pattern, text string) {
	var fast, slow Machine
	p.automaton()
	for from, tries := 0, 0; from <= len(text) && tries < 20; tries++ {
		for _, limit := range []int{len(text), from + (len(text)-from)/2} {
			for limit < len(text) && !utf8.RuneStart(text[limit]) {
				limit++
			}
			got, want := fast.Find(p, text, from, limit), slow.find(p, text, from, limit)
			require.Equal(t, want, got, "%q from %d to %d", text, from, limit)
			if got {
				if p.span > 0 {
					a, b := fast.Span()
					c, d := slow.Span()
					require.Equal(t, []int{c, d}, []int{a, b}, "%q from %d to %d", text, from, limit)
				}
				fast.Groups(p, text)
				require.Equal(t, slow.Loc, fast.Loc, "%q from %d to %d", text, from, limit)
			}
		}
		_, width := utf8.DecodeRuneInString(text[from:])
		from += max(width, 1)
	}
}

// A text in which every place begins a long match that does not end well is still
// searched in linear time: the machine changes its way.
func TestFindManyBeginnings(t *testing.T) {
	p, err := Compile(`[a-z]+[0-9]`, false)
	require.NoError(t, err)
	var m Machine
	text := strings.Repeat("a", 20_000)
	assert.False(t, m.Find(p, text, 0, len(text)))
	assert.True(t, m.Find(p, text+"1", 0, len(text)+1))
	assert.Equal(t, []int{0, len(text) + 1}, m.Loc[:2])
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// The machine agrees with package regexp on groups where there is one way to match.
func TestGroups(t *testing.T) {
	p, err := Compile(`(\w+)@(?P<span>\w+)\.(com|org)`, false)
	require.NoError(t, err)
	var m Machine
	require.True(t, m.Find(p, "to jane@example.org!", 0, 20))
	m.Groups(p, "to jane@example.org!")
	assert.Equal(t, []int{3, 19, 3, 7, 8, 15, 16, 19}, m.Loc)
	start, end := m.Span()
	assert.Equal(t, []int{8, 15}, []int{start, end})
	assert.Equal(t, 4, p.Groups())
}

func FuzzFind(f *testing.F) {
	for i, p := range patterns {
		f.Add(p, "ab 123-45-6789 jane@example.com x", i&1 == 0)
	}
	f.Fuzz(func(t *testing.T, pattern, text string, caseSensitive bool) {
		if len(pattern) > 100 || len(text) > 200 {
			t.Skip("too long to be compared quickly")
		}
		p, err := Compile(pattern, caseSensitive)
		if err != nil {
			t.Skip("not a pattern")
		}
		var m Machine
		agreeOn(t, p, text)
		got := m.Find(p, text, 0, len(text))
		if !isASCII(text) {
			return
		}
		want := reference(pattern, caseSensitive).FindStringIndex(text)
		if got != (want != nil) || got && (m.Loc[0] != want[0] || m.Loc[1] != want[1]) {
			t.Fatalf("got %v %v, want %v", got, m.Loc, want)
		}
	})
}

func TestFindAllocs(t *testing.T) {
	p, err := Compile(`\b\d{3}-\d{2}-\d{4}\b`, false)
	require.NoError(t, err)
	var m Machine
	text := "the number is 123-45-6789, not 12-345-6789"
	u, w := NewUnion([]*Pattern{p}), new(Walker)
	m.Find(p, text, 0, len(text))
	require.Equal(t, 14, u.Next(w, text, 0, len(text)))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		m.Find(p, text, 0, len(text))
		u.Next(w, text, 0, len(text))
	}))
}
