package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// A worker turns one line of input into one line of output. It is used by one
// goroutine at a time.
type worker interface {
	// line appends what comes of a line, without a newline. On error dst is
	// returned as it was.
	line(dst, line []byte) ([]byte, error)
}

// A stream is one run over lines: read, worked on by several workers at once,
// written in the order of the input. At most a few batches a worker are in memory
// at any time.
type stream struct {
	in      io.Reader
	head    []byte // what was read from in before
	out     io.Writer
	maxLine int
	workers []worker
	strict  bool              // stop at the first bad line
	bad     func(badLine)     // told of each bad line, in order
	read    func(bytes int64) // told how far the input was read
}

// toFile runs a stream from in to out, with a progress bar and its bad lines told
// on standard error, and commits out; to is out as the user named it. It returns how
// many lines were good and bad, and how long it took.
func (s *stream) toFile(ctx context.Context, e *env, in *input, out *output, to string) (good, bad int, took time.Duration, err error) {
	bar := newProgress(e, in.size)
	told := badLines{w: bar.over(e.stderr)}
	s.in, s.head, s.bad, s.read = in, in.head, told.add, bar.at
	begin := e.now()
	good, _, err = s.run(ctx)
	told.flush()
	bar.clear()
	bad, took = told.total, e.now().Sub(begin)
	switch {
	case errors.Is(err, errStrict):
		const stopped = "stopped at the first bad line, because of --strict"
		if to == "-" {
			return good, bad, took, &status{exitBad, stopped}
		}
		return good, bad, took, &status{exitBad, stopped + "; " + to + " was not written"}
	case err != nil:
		return good, bad, took, err
	}
	return good, bad, took, out.commit()
}

// errStrict stops a strict run; the line was told to bad before.
var errStrict = errors.New("stopped at the first bad line")

// run returns how many lines were good and how many bad. Lines of blanks count as
// neither.
func (s *stream) run(ctx context.Context) (good, bad int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := newLineReader(s.in, s.head, s.maxLine)
	work := make(chan *batch, len(s.workers))
	order := make(chan *batch, 2*len(s.workers))
	var reading sync.WaitGroup
	var readErr error
	reading.Go(func() {
		defer close(order)
		defer close(work)
		for {
			b, err := lines.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				readErr = err
				return
			}
			// A batch goes to the writer's queue first: whatever a worker may
			// get, the writer knows of.
			for _, queue := range []chan *batch{order, work} {
				select {
				case queue <- b:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	var working sync.WaitGroup
	for _, w := range s.workers {
		working.Go(func() {
			for b := range work {
				if ctx.Err() == nil {
					s.batch(w, b)
				}
				close(b.done)
			}
		})
	}
	defer func() {
		// Nothing of the run goes on once it has returned.
		cancel()
		for b := range order {
			_ = b
		}
		reading.Wait()
		working.Wait()
	}()
	var read int64
	for b := range order {
		select {
		case <-b.done:
		case <-ctx.Done():
			return good, bad, context.Cause(ctx)
		}
		if ctx.Err() != nil {
			return good, bad, context.Cause(ctx)
		}
		for _, line := range b.bad {
			bad++
			s.bad(line)
			if s.strict {
				return good, bad, errStrict
			}
		}
		good += b.good
		if len(b.out) > 0 {
			if _, err := s.out.Write(b.out); err != nil {
				return good, bad, &writeError{err}
			}
		}
		read += int64(len(b.text))
		if s.read != nil {
			s.read(read)
		}
		lines.release(b)
	}
	if readErr != nil {
		return good, bad, &readError{readErr}
	}
	return good, bad, context.Cause(ctx)
}

// batch works on all lines of a batch.
func (s *stream) batch(w worker, b *batch) {
	if b.skip {
		b.bad = append(b.bad, badLine{b.first, tooLong(s.maxLine)})
		return
	}
	number := b.first - 1
	for rest := b.text; len(rest) > 0; {
		line, after, _ := bytes.Cut(rest, newline)
		rest = after
		number++
		if number == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case len(line) > s.maxLine:
			b.bad = append(b.bad, badLine{number, tooLong(s.maxLine)})
		default:
			out, err := safely(w, b.out, line)
			if err != nil {
				b.bad = append(b.bad, badLine{number, problemOf(err)})
				continue
			}
			b.out = append(out, '\n')
			b.good++
		}
	}
}

var byteOrderMark = []byte("\ufeff")

// safely keeps one line from ending the run. A panic is a fault of this program;
// what it says is not shown, because it may hold a part of the line.
func safely(w worker, dst, line []byte) (out []byte, err error) {
	defer func() {
		if recover() != nil {
			out, err = dst, errInternal
		}
	}()
	return w.line(dst, line)
}

var errInternal = errors.New("a fault inside privet, not in the line; please report it with a made-up event that shows it")

// A readError or writeError says which side of a stream failed.
type readError struct{ err error }

func (e *readError) Error() string { return "cannot read the input: " + fileProblem(e.err) }
func (e *readError) Unwrap() error { return e.err }

type writeError struct{ err error }

func (e *writeError) Error() string { return "cannot write the output: " + fileProblem(e.err) }
func (e *writeError) Unwrap() error { return e.err }
