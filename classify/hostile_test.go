package classify_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/privetdev/privet/classify"
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
