package classify

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plainLook is look as it would be without the union: one detector after the other
// searches the whole text.
func (s *Scanner) plainLook(text string, k *known) {
	s.findings = s.findings[:0]
	text = s.read(text)
	s.nearby.forget()
	for i := range s.c.detectors {
		if !s.c.detectors[i].muted {
			s.search(0, int32(i), text, k, s.floor())
		}
	}
	s.findings = s.settle(s.findings)
}

// pieces are what random texts are made of: the cases of the built-in detectors, cut
// at random, and what joins them.
func pieces(t *testing.T) []string {
	var out []string
	for _, name := range []string{"detectors.yaml", "secrets.yaml", "ids-americas.yaml", "ids-europe-west.yaml", "ids-europe-east.yaml", "ids-asia-pacific.yaml", "ids-world.yaml"} {
		data, err := os.ReadFile("builtin/" + name)
		require.NoError(t, err)
		for line := range strings.Lines(string(data)) {
			if i := strings.Index(line, "text:"); i >= 0 {
				out = append(out, line[i+5:min(len(line), i+60)])
			}
			if strings.Contains(line, "context: [") {
				out = append(out, strings.Split(line[strings.Index(line, "[")+1:], ",")[0])
			}
		}
	}
	require.Greater(t, len(out), 500)
	return out
}

// brief reports whether a test should do less, as under the race detector.
func brief() bool {
	info, ok := debug.ReadBuildInfo()
	return testing.Short() || ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

var joints = []string{" ", "\u00a0", "\u200b", "\u00ad", "４", "²", "⑫", "\u2011", "", ", ", "_", "-", ".", "\n", ": ", "=", "\"", "é", "日", "\xff", "/", "@", "1", "a"}

// Looking for all detectors at once finds what looking for one after the other finds.
func TestLookAsPlain(t *testing.T) {
	c := Builtin()
	parts, r := pieces(t), rand.New(rand.NewPCG(3, 4))
	s, plain := c.NewScanner(), c.NewScanner()
	total := 0
	rounds := 4000
	if brief() {
		rounds = 400
	}
	for i := range rounds {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			p := parts[r.IntN(len(parts))]
			if r.IntN(3) == 0 {
				p = p[r.IntN(len(p)):]
			}
			b.WriteString(p)
			b.WriteString(joints[r.IntN(len(joints))])
		}
		text := b.String()
		s.Threshold = []float64{0.4, 0, 0.7, 0.2}[i%4]
		plain.Threshold = s.Threshold
		var nothing known
		s.begin(&Field{})
		plain.begin(&Field{})
		s.look(text, &nothing)
		plain.plainLook(text, &nothing)
		if !slices.Equal(s.findings, plain.findings) {
			t.Fatalf("%q:\n got %v\nwant %v", text, told(s), told(plain))
		}
		total += len(s.findings)
	}
	assert.Greater(t, total, rounds/2)
}

func told(s *Scanner) (out []Finding) {
	for _, f := range s.findings {
		out = append(out, Finding{s.c.detectors[f.detector].id, "", f.start, f.end, float64(f.confidence) / 1000})
	}
	return out
}
