package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"syscall"

	"github.com/privetdev/privet/privacy"
)

// A problem is why a line is bad. Its text is fixed: a kind of fault, a part of an
// event by its documented key, a way to mend it; never anything of the line.
type problem struct {
	text   string
	offset int // byte of the line, from 1; 0 if unknown
	mend   string
}

func (p problem) String() string {
	s := p.text
	if p.offset > 0 {
		s += " (byte " + strconv.Itoa(p.offset) + ")"
	}
	if p.mend != "" {
		s += "; " + p.mend
	}
	return s
}

func tooLong(max int) problem {
	return problem{text: "longer than " + size(int64(max)), mend: "split the event, or allow more with --max-line"}
}

// problemOf says why a line failed.
func problemOf(err error) problem {
	var event *privacy.EventError
	if errors.As(err, &event) {
		p := problem{text: event.Problem, offset: event.Offset + 1, mend: event.Mend}
		if event.Part != "" {
			p.text = event.Part + ": " + p.text
		}
		return p
	}
	var line *lineError
	if errors.As(err, &line) {
		return problem{text: line.problem, offset: line.offset + 1, mend: line.mend}
	}
	return problem{text: err.Error()}
}

// A badLines tells of bad lines on a stream as they come. Neighbours with the same
// fault are told as one range, so that a file of a million bad lines does not
// print a million, and still each is named.
type badLines struct {
	w           io.Writer
	first, last int
	problem     problem
	total       int
}

func (b *badLines) add(line badLine) {
	b.total++
	if b.first > 0 && line.number == b.last+1 && line.problem.text == b.problem.text {
		b.last = line.number
		return
	}
	b.flush()
	b.first, b.last, b.problem = line.number, line.number, line.problem
}

func (b *badLines) flush() {
	if b.first == 0 {
		return
	}
	where := "line " + group(b.first)
	if b.last > b.first {
		// Each line has its own place; the first one's would mislead.
		b.problem.offset = 0
		where = "lines " + group(b.first) + "–" + group(b.last)
	}
	fmt.Fprintf(b.w, "privet: %s: %s\n", where, b.problem)
	b.first = 0
}

// fileProblem says what is wrong with a file without its path, which the caller
// names as the user wrote it.
func fileProblem(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.EISDIR):
		return "it is a folder"
	}
	return err.Error()
}

// group writes a number with commas between thousands.
func group[N int | int64 | uint64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes for a person.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return group(n>>20) + " MiB"
	case n >= 10<<20:
		return group(n>>20) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return group(n>>10) + " KiB"
	}
	return group(n) + " bytes"
}
