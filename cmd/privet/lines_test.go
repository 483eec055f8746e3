package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// numbered is what a reader must give: each line with its number, or that it was
// too long.
func numbered(text string, max int) (out []string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if len(line) > max {
			line = "too long"
		}
		out = append(out, fmt.Sprintf("%d %s", number, line))
	}
	return out
}

func read(t require.TestingT, l *lineReader) (out []string) {
	for {
		b, err := l.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		if b.skip {
			out = append(out, fmt.Sprintf("%d too long", b.first))
		}
		number := b.first
		for line := range bytes.Lines(b.text) {
			line = bytes.TrimSuffix(line, newline)
			text := string(line)
			if len(line) > l.max { // a whole line inside a batch is judged by the worker
				text = "too long"
			}
			out = append(out, fmt.Sprintf("%d %s", number, text))
			number++
		}
		l.release(b)
	}
}

// chunks gives a text in pieces of the given sizes, over and over.
type chunks struct {
	text  string
	sizes []int
	n     int
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.text == "" {
		return 0, io.EOF
	}
	n := min(len(c.text), len(p), c.sizes[c.n%len(c.sizes)])
	c.n++
	copy(p, c.text[:n])
	c.text = c.text[n:]
	return n, nil
}

func TestLinesAreCutAsStringsLinesCutsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"\n", "a", "bc", "\r\n", "long enough to be too long", strings.Repeat("x", 300_000)}), 0, 30).Draw(t, "parts")
		text := strings.Join(parts, "")
		sizes := rapid.SliceOfN(rapid.IntRange(0, 200_000), 1, 5).Draw(t, "sizes")
		sizes = append(sizes, 1+len(text)/50) // so that the text ends
		max := rapid.SampledFrom([]int{1, 2, 10, 1000, 250_000, 1 << 20}).Draw(t, "max")
		head := rapid.IntRange(0, len(text)).Draw(t, "head")
		l := newLineReader(&chunks{text: text[head:], sizes: sizes}, []byte(text[:head]), max)
		require.Equal(t, numbered(text, max), read(t, l))
	})
}

// endless is a line of n bytes, then one short line.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.n))
	for i := range n {
		p[i] = 'x'
	}
	if e.n -= int64(n); e.n == 0 {
		copy(p[n-3:n], "\ny\n")
	}
	return n, nil
}

func TestLongLinesAreNotKept(t *testing.T) {
	l := newLineReader(&endless{100 << 20}, nil, 1<<20)
	biggest := 0
	for {
		b, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		biggest = max(biggest, cap(b.text), cap(l.rest))
		l.release(b)
	}
	assert.Equal(t, 3, l.line, "one long line, one short one")
	assert.Less(t, biggest, 4<<20, "a line of 100 MiB must cost no more than the longest line allowed")
}

func TestReadErrorsAreTold(t *testing.T) {
	fault := errors.New("the disk is gone")
	l := newLineReader(io.MultiReader(strings.NewReader("a\nb"), failing{fault}), nil, 10)
	b, err := l.next()
	require.NoError(t, err)
	assert.Equal(t, "a\n", string(b.text))
	_, err = l.next()
	assert.ErrorIs(t, err, fault)

	l = newLineReader(io.MultiReader(strings.NewReader("a line that is too long"), failing{fault}), nil, 10)
	_, err = l.next()
	assert.ErrorIs(t, err, fault, "while a long line is passed over")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
