package pseudonym

import (
	"context"
	"crypto/aes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Beside a token (BenchmarkToken) and crypto/hmac alone (BenchmarkFloorHMAC). The
// floor of FF1 is AES itself: with a tweak of 16 bytes, 16 digits take two blocks
// before the rounds and ten in them. Texts that go through math/big are the last.

func testReversible(t tester) *Reversible {
	t.Helper()
	r, err := NewReversible(context.Background(), testStore(t, 1), testScope)
	require.NoError(t, err)
	return r
}

func BenchmarkSeal(b *testing.B) {
	r := testReversible(b)
	buf := make([]byte, 0, 128)
	v := Bytes(benchValue)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = r.AppendSeal(buf[:0], v)
	}
}

func BenchmarkSealParallel(b *testing.B) {
	r := testReversible(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 0, 128)
		for pb.Next() {
			buf, _ = r.AppendSeal(buf[:0], Bytes(benchValue))
		}
	})
}

func BenchmarkReveal(b *testing.B) {
	r := testReversible(b)
	sealed, _, _ := r.Seal(Bytes(benchValue))
	b.ReportAllocs()
	for b.Loop() {
		r.Reveal(sealed)
	}
}

func BenchmarkEncipher(b *testing.B) {
	r := testReversible(b)
	for _, bb := range []struct {
		name string
		a    Alphabet
		s    string
	}{
		{"digits16", Decimal, "4111111111111111"},
		{"digits56", Decimal, strings.Repeat("41111111", 7)},
		{"base36x16", Alphanumeric, "ab12cd34ef56gh78"},
		{"base36x36", Alphanumeric, strings.Repeat("ab12cd34ef56", 3)},
		{"digits57", Decimal, strings.Repeat("4", 57)},
		{"digits8192", Decimal, strings.Repeat("4", 8192)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			buf := make([]byte, 0, len(bb.s))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = r.AppendEncipher(buf[:0], bb.a, bb.s)
			}
		})
	}
}

func BenchmarkEncipherParallel(b *testing.B) {
	r := testReversible(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 0, 16)
		for pb.Next() {
			buf, _ = r.AppendEncipher(buf[:0], Decimal, "4111111111111111")
		}
	})
}

func BenchmarkFloorAES12Blocks(b *testing.B) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	x := make([]byte, 16)
	b.ReportAllocs()
	for b.Loop() {
		for range 12 {
			block.Encrypt(x, x)
		}
	}
}

func BenchmarkNewReversible(b *testing.B) {
	store := testStore(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		NewReversible(b.Context(), store, testScope)
	}
}
