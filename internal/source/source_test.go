package source

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Offsets inside a scalar become places in the file, however it is written.
func TestAt(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		find       string // in the value
		want       Pos
		reason     string
	}{
		{"plain", "when: a == b\n", "b", Pos{1, 12}, "columns count from 1"},
		{"single quotes", "when: 'a == b'\n", "b", Pos{1, 13}, "after the quote"},
		{"double quotes", "when: \"a == b\"\n", "b", Pos{1, 13}, "after the quote"},
		{"escapes", `when: "a == \"b\""` + "\n", "b", Pos{1, 7}, "the file writes it differently: the start"},
		{"doubled quote", "when: 'a == ''b'''\n", "b", Pos{1, 7}, "the file writes it differently: the start"},
		{"after letters", "when: 'é == b'\n", "b", Pos{1, 13}, "columns count characters, not bytes"},
		{"literal block", "when: |\n  a ==\n  b\n", "b", Pos{3, 3}, "line and column inside the block"},
		{"folded block", "when: >\n  a ==\n  b\n", "b", Pos{1, 7}, "lines were joined: the start"},
		{"in a flow", "x: {when: a == b}\n", "b", Pos{1, 16}, "flow mappings too"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ps Problems
			root := Parse("f", []byte(tt.text), &ps).Map(&ps, "file")
			n := root.Get("when")
			if !n.Present() {
				n = root.Get("x").Map(&ps, "x").Get("when")
			}
			text := n.Text(&ps, "when")
			require.NoError(t, ps.Err())
			assert.Equal(t, tt.want, text.At(strings.LastIndex(text.Value, tt.find)), tt.reason)
		})
	}
	assert.Equal(t, Pos{2, 2}, Plain("f", "ab\ncd").At(4))
	assert.Equal(t, Pos{1, 1}, Plain("f", "ab").At(-5), "offsets are cut to the text")
}

func TestSnippet(t *testing.T) {
	assert.Equal(t, "    a bc\n      ^", snippet("a\tbc", 3), "a tab takes one place")
	assert.Empty(t, snippet("   ", 1))
	long := snippet(strings.Repeat("x", 300)+"HERE", 301)
	assert.Less(t, len(long), 300)
	lines := strings.Split(long, "\n")
	require.Len(t, lines, 2)
	assert.Equal(t, byte('H'), strings.ReplaceAll(lines[0], "…", ".")[strings.Index(lines[1], "^")], "the caret stands under the place")
}

func TestNearest(t *testing.T) {
	assert.Equal(t, "retention", Nearest("retentoin", []string{"rules", "retention"}))
	assert.Equal(t, "", Nearest("x", []string{"rules", "retention"}))
	assert.Equal(t, "aby", Nearest("abx", []string{"abz", "aby"}), "ties go to the first in order")
	assert.Equal(t, `one of: a, b`, DidYouMean("zzz", []string{"b", "a"}))
}

func TestProblems(t *testing.T) {
	var ps Problems
	require.NoError(t, ps.Err())
	f := NewFile("p.yaml", "one\ntwo\n")
	ps.Add(f, Pos{2, 1}, "second", "do this")
	ps.Add(f, Pos{1, 2}, "first", "")
	ps.Add(f, Pos{1, 2}, "first", "")
	require.EqualError(t, ps.Err(), "p.yaml:1:2: first\n    one\n     ^\np.yaml:2:1: second\n    two\n    ^\n    mend: do this")
}

// A reader of YAML reports what it does not take.
func TestStrict(t *testing.T) {
	var ps Problems
	m := Parse("f", []byte("a: [1]\nb: {c: 2}\nd: 1.5\ne: yes\nf: 2\nunread: 1\n"), &ps).Map(&ps, "thing")
	m.Get("a").Text(&ps, "a")
	m.Get("b").List(&ps, "b")
	m.Get("d").Int(&ps, "d", 0, 10)
	m.Get("e").Bool(&ps, "e")
	m.Get("f").Fraction(&ps, "f")
	m.Need("g")
	m.Done()
	err := ps.Err()
	require.Error(t, err)
	for _, want := range []string{"a must be a text", "b must be a list", "d must be a whole number", "e must be true or false", "f must be a number from 0 to 1", "thing needs g", `thing has no key "unread"`} {
		assert.ErrorContains(t, err, want)
	}
}

func TestAppendJSON(t *testing.T) {
	var ps Problems
	n := Parse("f", []byte("b: [1, 1.50, 0x10, true, null, 2026-01-01, '1', x]\na: {k: -0}\n"), &ps)
	require.NoError(t, ps.Err())
	assert.Equal(t, `{"a":{"k":-0},"b":[1,1.50,"0x10",true,null,"2026-01-01","1","x"]}`, string(n.AppendJSON(nil)), "numbers keep their text, what JSON cannot write is a text")
}

// FuzzParse: no text makes the reader fail, and every problem has a place inside
// the file.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1\n", "a: [b, {c: d}]\n", "x: |\n  y\n", "? [a]\n: b\n", "a: &x 1\nb: *x\n", "\xff", "--- a\n--- b\n", "a: !!binary aGk=\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var ps Problems
		n := Parse("f", []byte(text), &ps)
		if n.Present() {
			n.AppendJSON(nil)
			m := n.Map(&ps, "file")
			for _, k := range m.Keys() {
				v := m.Get(k)
				s := v.Text(&ps, "value")
				for i := range len(s.Value) {
					s.At(i)
				}
			}
		} else if ps.Len() == 0 {
			t.Fatal("neither a document nor a problem")
		}
		lines := len(NewFile("f", text).lines)
		if e, ok := ps.Err().(*Error); ok {
			for _, p := range e.Problems {
				if p.Line > lines {
					t.Fatalf("line %d of %d", p.Line, lines)
				}
			}
		}
	})
}
