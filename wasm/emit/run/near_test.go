package run

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/words"
	"github.com/privetdev/privet/wasm/emit/tables"
)

type placed struct {
	start, end int
	text       string
}

func wordsOf(text string) (out []placed) {
	buf := make([]byte, words.MaxLen)
	for i := 0; ; {
		start, end, size := words.Next(text, i, buf)
		if start == end {
			return out
		}
		out = append(out, placed{start, end, string(buf[:size])})
		i = end
	}
}

// has is the rule without haste: the last six words that lie in the 80 bytes before a
// match, and the first six in those after it.
func (g *glossary) has(all []placed, start, end, detector int) bool {
	var before, after []string
	for _, w := range all {
		if w.start >= start-80 && w.end <= start {
			before = append(before, w.text)
		}
		if w.start >= end && w.end <= end+80 && len(after) < 6 {
			after = append(after, w.text)
		}
	}
	return g.stands(before[max(len(before)-6, 0):], detector) || g.stands(after, detector)
}

func TestNear(t *testing.T) {
	g := theGlossary
	g.native(t)
	x := newModule(t, func(tab *tables.Tables) { g.fill(tab) })
	r := rand.New(rand.NewPCG(9, 10))
	yes, may, no := 0, 0, 0
	for i := range 400 {
		n := 60
		switch {
		case i%40 == 0:
			n = 2000
		case i%3 == 0:
			n = 12
		}
		s := wordy(r, n)
		if i%50 == 1 {
			s = strings.Repeat("a1", 2000) + " phone " + strings.Repeat("1a", 2000)
		}
		all := wordsOf(s)
		at := x.put(s)
		nearForget()
		x.call("run.nearForget")
		for k := range 60 {
			start := r.IntN(len(s) + 1)
			end := min(start+r.IntN(70), len(s))
			if k%20 == 0 {
				end = start + r.IntN(len(s)-start+1)
			}
			for start > 0 && start < len(s) && !utf8.RuneStart(s[start]) && r.IntN(8) > 0 {
				start--
			}
			for end < len(s) && !utf8.RuneStart(s[end]) && r.IntN(8) > 0 {
				end++
			}
			for range 4 {
				d := r.IntN(len(g.phrases))
				want := g.has(all, start, end, d)
				if end-start <= 64 {
					can := nearMay(s, start, d)
					require.Equal(t, can, x.call("run.nearMay", at, len(s), start, d) != 0)
					require.True(t, can || !want, "%q %d %d: %d", s, start, end, d)
					if can {
						may++
					} else {
						no++
					}
				}
				require.Equal(t, want, nearHas(s, start, end, d), "%q %d %d: %d", s, start, end, d)
				require.Equal(t, want, x.call("run.nearHas", at, len(s), start, end, d) != 0, "%q %d %d: %d", s, start, end, d)
				if want {
					yes++
				}
			}
		}
	}
	t.Logf("%d near, %d may be, %d may not", yes, may, no)
	assert.Greater(t, yes, 1000)
	assert.Greater(t, no, 1000)
}

func BenchmarkNear(b *testing.B) {
	g := theGlossary
	x := newModule(b, func(tab *tables.Tables) { g.fill(tab) })
	s := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 1400)
	at := x.put(s)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		x.call("run.nearForget")
		for i := 0; i < len(s); i += 512 {
			x.call("run.nearMay", at, len(s), i, 1)
		}
	}
}
