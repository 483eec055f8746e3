package pseudonym

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"
)

// All on one 32-byte value. Floor is crypto/hmac with a state that was made
// before and a buffer that is there already: what no implementation on it can
// beat. Fresh is what a program without a pool would write. A token is the floor
// plus canonical form, pool, and base 32.

var benchValue = []byte("user-00000000000000000000000042!")

func BenchmarkToken(b *testing.B) {
	p := testPseudonymiser(b)
	buf := make([]byte, 0, 64)
	v := Bytes(benchValue)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = p.Append(buf[:0], v)
	}
}

// One person's Pseudonymiser at work.
func BenchmarkTokenS1(b *testing.B) {
	p := benchSubject(b)
	buf := make([]byte, 0, 64)
	v := Bytes(benchValue)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = p.Append(buf[:0], v)
	}
}

// Another person with each value: index token, row, key, one token.
func BenchmarkTokenS1EachPerson(b *testing.B) {
	subjects := testSubjects(b, testStore(b, 1), NewSubjectMemory(rand.Reader))
	buf := make([]byte, 0, 64)
	v := Bytes(benchValue)
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i++
		p, err := subjects.Subject(b.Context(), Int(i%1000))
		if err != nil {
			b.Fatal(err)
		}
		buf, _ = p.Append(buf[:0], v)
	}
}

func benchSubject(b *testing.B) *Pseudonymiser {
	b.Helper()
	p, err := testSubjects(b, testStore(b, 1), NewSubjectMemory(rand.Reader)).Subject(b.Context(), Int(1))
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkTokenParallel(b *testing.B) {
	p := testPseudonymiser(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 0, 64)
		for pb.Next() {
			buf, _ = p.Append(buf[:0], Bytes(benchValue))
		}
	})
}

func BenchmarkFloorHMAC(b *testing.B) {
	mac := hmac.New(sha256.New, benchValue)
	msg := append([]byte{1}, benchValue...)
	sum := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		mac.Reset()
		mac.Write(msg)
		sum = mac.Sum(sum[:0])
	}
}

func BenchmarkFreshHMAC(b *testing.B) {
	msg := append([]byte{1}, benchValue...)
	sum := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		mac := hmac.New(sha256.New, benchValue)
		mac.Write(msg)
		sum = mac.Sum(sum[:0])
	}
}

func BenchmarkTokenByType(b *testing.B) {
	p := testPseudonymiser(b)
	for _, v := range []Value{
		Text(string(benchValue)), Email("Jane.Saoirse+work@Example.com"), EmailUID2("Jane.Saoirse+work@gmail.com"), Phone("+14255550100"), IP(addr4),
		Date("2024-02-29"), Bytes([]byte(strings.Repeat("x", MaxValue))),
	} {
		b.Run(v.Type().String(), func(b *testing.B) {
			buf := make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = p.Append(buf[:0], v)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	store := testStore(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		New(b.Context(), store, testScope)
	}
}

func BenchmarkParseToken(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ParseToken("p1_1_mr2gmpm4xx54sepw4ybzpisseq")
	}
}

func BenchmarkRoundCoordinate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		RoundCoordinate("-122.1295", 2)
	}
}
