package classify_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
)

// worst texts are the worst that patterns can be given: long runs of what they begin
// with, so that every place might be a beginning and no walk ends soon.
func worst(size int) map[string]string {
	r := rand.New(rand.NewPCG(7, 8))
	mixed := func(alphabet string) string {
		b := make([]byte, size)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	texts := map[string]string{
		"digits mixed":      mixed("0123456789"),
		"digits and blanks": mixed("0123456789 "),
		"digits and joints": mixed("0123456789 -./"),
		"hex":               mixed("0123456789abcdef"),
		"letters":           mixed("abcdefghijklmnopqrstuvwxyz"),
		"letters, digits":   mixed("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
		"base64":            mixed("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
		"mail":              mixed("ab.@-"),
		"bytes":             mixed("\x00\x80\xc3\xa9\xff az09"),
	}
	for _, unit := range []string{"1", "@", ":", "-", ".", " ", "a", "a@", "a.", "1 ", "1-", "12:", "::", "eyJ", "eyJa.", "://", "a://b:c@", "password=", "sk-", "+1 ", "1.", "_1", "é", "日", "４", "a\u200b", "-----BEGIN ", "card 4111 1111 1111 1112 "} {
		texts[unit] = strings.Repeat(unit, size/len(unit))
	}
	return texts
}

// BenchmarkHostile scans the worst texts.
func BenchmarkHostile(b *testing.B) {
	for name, text := range worst(1 << 20) {
		b.Run(strings.ReplaceAll(name, "/", "|"), func(b *testing.B) {
			s := classify.Builtin().NewScanner()
			s.MaxValue = 0
			var found []classify.Finding
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				found = s.Scan(found[:0], text)
			}
			b.ReportMetric(float64(len(found)), "findings")
		})
	}
}

// BenchmarkFirstText is what the first text of a classifier costs: programs, classes
// and the first states are made for it.
func BenchmarkFirstText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c, err := classify.Open(classify.BuiltinBundle())
		if err != nil {
			b.Fatal(err)
		}
		c.NewScanner().Scan(nil, "jane@example.com")
	}
}

// Matches that only context could make count begin at every place and reach to the end:
// a search that took the square of the text would not come back.
func TestLongMatchesThatCountForNothing(t *testing.T) {
	for _, tt := range []struct {
		pattern, unit string
		near          bool // the match begins where the context is
	}{
		{`[abc]+`, "abca", true},
		{`a.*?(?P<span>d)`, "abcd", false},
		{`(?s)a.*d`, "abcd", true},
		{`\ba[^!]*(?P<span>c)!?`, "a c ", false},
	} {
		c, err := classify.New(&bundle.Classification{Threshold: 400, Categories: []bundle.Category{{Key: "user"}},
			Detectors: []bundle.Detector{{ID: "d", Category: "user", Pattern: tt.pattern, Base: 100, Boost: 800, Context: []string{"number"}}}})
		require.NoError(t, err)
		s := c.NewScanner()
		s.MaxValue = 0
		size := 50_000
		if brief() {
			size = 2_000
		}
		text := strings.Repeat(tt.unit, size)
		assert.Empty(t, s.Scan(nil, text), tt.pattern)
		assert.Equal(t, tt.near, len(s.Scan(nil, "number: "+text)) > 0, tt.pattern)
	}
}
