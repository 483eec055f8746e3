package classify

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ragged reads a text in pieces of random lengths.
type ragged struct {
	text string
	r    *rand.Rand
}

func (g *ragged) Read(b []byte) (int, error) {
	if g.text == "" {
		return 0, io.EOF
	}
	n := min(1+g.r.IntN(1+g.r.IntN(20_000)), len(b), len(g.text))
	copy(b, g.text[:n])
	g.text = g.text[n:]
	return n, nil
}

// A stream gives the findings of the whole text.
func TestScanReader(t *testing.T) {
	c := Builtin()
	parts, r := pieces(t), rand.New(rand.NewPCG(5, 6))
	s, whole := c.NewScanner(), c.NewScanner()
	whole.MaxValue = 0
	rounds, total := 12, 0
	if brief() {
		rounds = 3
	}
	for round := 0; round < rounds || total < 1000; round++ {
		var b strings.Builder
		size := r.IntN(500_000)
		for b.Len() < size {
			p := parts[r.IntN(len(parts))]
			b.WriteString(p[r.IntN(len(p)):])
			b.WriteString(joints[r.IntN(len(joints))])
			switch r.IntN(400) {
			case 0: // further than one walk, and than a match can reach
				b.WriteString("https://" + strings.Repeat("ab/", r.IntN(40_000)))
			case 1:
				b.WriteString(strings.Repeat("1234 ", r.IntN(2000)))
			case 2:
				b.WriteString(strings.Repeat("a lazy dog ", r.IntN(3000)))
			}
		}
		text := b.String()
		s.Threshold = []float64{0.4, 0}[round%2]
		whole.Threshold = s.Threshold
		want := whole.Scan(nil, text)
		for _, reader := range []io.Reader{&ragged{text, r}, strings.NewReader(text), iotest.DataErrReader(strings.NewReader(text))} {
			var got []Finding
			require.NoError(t, s.ScanReader(reader, func(f Finding) error {
				got = append(got, f)
				return nil
			}))
			for i := range want {
				if i >= len(got) || got[i] != want[i] {
					g := Finding{}
					if i < len(got) {
						g = got[i]
					}
					t.Fatalf("round %d, %d bytes: finding %d: got %v, want %v; around it %q", round, len(text), i, g, want[i],
						text[max(0, want[i].Start-30):min(len(text), want[i].Start+90)])
				}
			}
			require.Len(t, got, len(want))
		}
		total += len(want)
	}
}

func TestScanReaderErrors(t *testing.T) {
	s := Builtin().NewScanner()
	var got []Finding
	keep := func(f Finding) error {
		got = append(got, f)
		return nil
	}
	broken := errors.New("broken pipe")
	err := s.ScanReader(io.MultiReader(strings.NewReader("mail jane@example.com "), iotest.ErrReader(broken)), keep)
	assert.Equal(t, broken, err)
	assert.Len(t, got, 1, "what was found before the error is delivered")

	stop := errors.New("enough")
	assert.Equal(t, stop, s.ScanReader(strings.NewReader("jane@example.com joe@example.com"), func(Finding) error { return stop }))

	got = nil
	require.NoError(t, s.ScanReader(strings.NewReader(""), keep))
	assert.Empty(t, got)
	require.NoError(t, s.ScanReader(strings.NewReader("x jane@example.com"), keep), "used again")
	assert.Equal(t, 2, got[0].Start)
}

// The memory of a stream does not grow with its length.
func TestScanReaderMemory(t *testing.T) {
	s := Builtin().NewScanner()
	line := "call +1 425 555 0100 or jane@example.com, caf\u00e9 \uff14\uff12; "
	n := 0
	count := func(Finding) error { n++; return nil }
	require.NoError(t, s.ScanReader(strings.NewReader(strings.Repeat(line, 10_000)), count))
	window, blocks := cap(s.stream.window), cap(s.stream.blocks)
	require.NoError(t, s.ScanReader(strings.NewReader(strings.Repeat(line, 100_000)), count))
	assert.Equal(t, window, cap(s.stream.window))
	assert.Equal(t, blocks, cap(s.stream.blocks))
	assert.GreaterOrEqual(t, n, 220_000)
	assert.Less(t, cap(s.findings), 10_000)
}
