package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
)

// A batch is a run of whole lines and, once a worker is done with it, what came
// of them. Lines travel in batches because handing one line at a time from
// goroutine to goroutine costs more than deciding about it.
type batch struct {
	text  []byte // whole lines, each with its newline but perhaps the last
	first int    // number of the first line, from 1
	skip  bool   // the one line of this batch was too long and is not in text
	out   []byte
	good  int
	bad   []badLine
	done  chan struct{}
}

// A badLine is a line that could not be processed. Problem never holds content.
type badLine struct {
	number  int
	problem problem
}

// batchSize is how much text a batch holds, unless one line is longer.
const batchSize = 128 << 10

// A lineReader cuts a stream into batches of whole lines. Its memory is bounded by
// the longest line allowed, whatever the stream holds.
type lineReader struct {
	r    io.Reader
	max  int    // longest line in bytes, without its newline
	rest []byte // what was read past the last whole line
	line int    // number of the next line
	eof  bool
	pool sync.Pool
}

func newLineReader(r io.Reader, head []byte, max int) *lineReader {
	l := &lineReader{r: r, max: max, rest: append([]byte(nil), head...), line: 1}
	l.pool.New = func() any { return &batch{text: make([]byte, 0, batchSize)} }
	return l
}

// next returns the next batch as soon as a whole line is there, so that a slow
// stream is answered line by line; io.EOF when there is none.
func (l *lineReader) next() (*batch, error) {
	b := l.pool.Get().(*batch)
	b.text, b.out, b.bad = append(b.text[:0], l.rest...), b.out[:0], b.bad[:0]
	b.first, b.good, b.skip, b.done = l.line, 0, false, make(chan struct{})
	l.rest = l.rest[:0]
	for {
		end := bytes.LastIndexByte(b.text, '\n') + 1
		switch {
		case end > 0:
			l.rest = append(l.rest, b.text[end:]...)
			b.text = b.text[:end]
			l.line += bytes.Count(b.text, newline)
			return b, nil
		case len(b.text) > l.max:
			b.text, b.skip = b.text[:0], true
			l.line++
			return b, l.discard()
		case l.eof && len(b.text) > 0:
			l.line++
			return b, nil
		case l.eof:
			l.release(b)
			return nil, io.EOF
		}
		if cap(b.text)-len(b.text) < batchSize/2 {
			b.text = slices.Grow(b.text, max(batchSize, len(b.text)))
		}
		n, err := l.r.Read(b.text[len(b.text):cap(b.text)])
		b.text = b.text[:len(b.text)+n]
		if l.eof = errors.Is(err, io.EOF); err != nil && !l.eof {
			return nil, err
		}
	}
}

var newline = []byte{'\n'}

// discard reads to the end of a line that is too long, keeping what follows it.
func (l *lineReader) discard() error {
	scratch := make([]byte, batchSize)
	for !l.eof {
		n, err := l.r.Read(scratch)
		if l.eof = errors.Is(err, io.EOF); err != nil && !l.eof {
			return err
		}
		if i := bytes.IndexByte(scratch[:n], '\n'); i >= 0 {
			l.rest = append(l.rest, scratch[i+1:n]...)
			break
		}
	}
	return nil
}

// release gives a batch back. Buffers that one long line blew up are let go, so
// that it does not cost memory for the rest of the run.
func (l *lineReader) release(b *batch) {
	if cap(b.text) <= 4*batchSize && cap(b.out) <= 16*batchSize {
		l.pool.Put(b)
	}
}
