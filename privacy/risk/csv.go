package risk

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A CSV says how [ReadCSV] reads. The zero value reads every column and finds out
// the separator.
type CSV struct {
	// Comma separates fields. 0: whichever of comma, semicolon, tab and | the first
	// line has most of, outside quotes.
	Comma rune

	// Columns are the columns to keep, by the names of the first line; nil for all.
	Columns []string

	// MaxRecord is the longest row in bytes, 0 for 16 MiB. A longer one, such as one
	// with a quote that is never closed, is an error that wraps [ErrTooLarge]. It
	// may be up to 64 KiB longer, because reading is buffered.
	MaxRecord int
}

const defaultMaxRecord = 16 << 20

// ReadCSV reads a table (RFC 4180; the first line names the columns; blank lines are no
// rows; a byte order
// mark is left out; spaces are kept). Rows are read one at a time, and only the
// columns asked for are kept. All rows must have as many fields as the first line.
// The error is an [*InputError] with the line, or comes from r.
func ReadCSV(r io.Reader, options CSV) (*Table, error) {
	records, err := openCSV(r, "table", options.Comma, options.MaxRecord)
	if err != nil {
		return nil, err
	}
	header, err := records.next()
	if errors.Is(err, io.EOF) {
		return nil, &InputError{What: "table", Problem: "it is empty", Mend: "the first line must name the columns"}
	}
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(header, options.Columns)
	if err != nil {
		return nil, err
	}
	for {
		record, err := records.next()
		if errors.Is(err, io.EOF) {
			return b.table(), nil
		}
		if err != nil {
			return nil, err
		}
		if err := b.add(record); err != nil {
			var fault *InputError
			if errors.As(err, &fault) {
				fault.Line, fault.Row = records.line(), 0
			}
			return nil, err
		}
	}
}

// csvRecords reads records of bounded length.
type csvRecords struct {
	what  string
	r     *csv.Reader
	limit *limitReader
	last  int
}

func openCSV(r io.Reader, what string, comma rune, maxRecord int) (*csvRecords, error) {
	if maxRecord < 0 {
		return nil, &InputError{What: what, Problem: "the longest record must not be negative", Mend: "leave it 0 for 16 MiB"}
	}
	l := &limitReader{r: r, max: cmp.Or(maxRecord, defaultMaxRecord)}
	// Looking ahead fills the buffer once, whatever the limit: next sets it anew.
	l.left = 128 << 10
	buffered := bufio.NewReaderSize(l, 64<<10)
	if start, err := buffered.Peek(3); err == nil && string(start) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	if comma == 0 {
		// What can be seen of the first line is enough: Peek returns it even when
		// the whole text is shorter than the buffer.
		start, err := buffered.Peek(64 << 10)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, wrapRead(what, err)
		}
		comma = separator(start)
	}
	if comma == '"' || comma == '\r' || comma == '\n' || comma == utf8.RuneError || !utf8.ValidRune(comma) {
		return nil, &InputError{What: what, Problem: "the separator cannot be used", Mend: "use a comma, a semicolon or a tab"}
	}
	c := &csvRecords{what: what, r: csv.NewReader(buffered), limit: l}
	c.r.Comma = comma
	c.r.FieldsPerRecord = -1 // the builder says it in our words
	c.r.ReuseRecord = true
	return c, nil
}

// next returns the next record; it is valid until the one after.
func (c *csvRecords) next() ([]string, error) {
	c.limit.left = c.limit.max
	record, err := c.r.Read()
	if err == nil {
		c.last, _ = c.r.FieldPos(0)
		return record, nil
	}
	var fault *csv.ParseError
	switch {
	case err == io.EOF: // itself, not as the cause of something else
		return nil, io.EOF
	case errors.Is(err, errLongRecord):
		return nil, &tooLarge{InputError{What: c.what, Line: c.line() + 1, Problem: "a record is longer than " + strconv.Itoa(c.limit.max) + " bytes", Mend: "is a quote never closed? Or allow longer records"}}
	case errors.As(err, &fault):
		problem, mend := "cannot be read as CSV", "is the separator right?"
		switch {
		case errors.Is(err, csv.ErrQuote):
			problem, mend = "a quote inside of a quoted field, or one that is never closed", `double the quotes within: "a ""quoted"" word"`
		case errors.Is(err, csv.ErrBareQuote):
			problem, mend = "a quote in a field that does not begin with one", `put the field in quotes and double those within: "a ""quoted"" word"`
		}
		return nil, &InputError{What: c.what, Line: fault.StartLine, Problem: problem, Mend: mend}
	}
	return nil, wrapRead(c.what, err)
}

// line is where the last record began, 0 before the first.
func (c *csvRecords) line() int { return c.last }

// A readError is a failure of the caller's reader, whose text is not ours and stays
// out of the message.
type readError struct {
	what  string
	cause error
}

func (e *readError) Error() string {
	return "risk: " + e.what + ": reading failed; is the input complete?"
}
func (e *readError) Unwrap() error { return e.cause }

func wrapRead(what string, err error) error { return &readError{what, err} }

var errLongRecord = errors.New("risk: record too long")

// limitReader gives out max bytes between two calls of next, and one buffer more.
type limitReader struct {
	r         io.Reader
	max, left int
}

func (l *limitReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongRecord
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}

// separator guesses from the first line.
func separator(text []byte) rune {
	const candidates = ",;\t|"
	var counts [len(candidates)]int
	quoted := false
	for _, c := range text {
		if c == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if c == '\n' {
			break
		}
		if i := strings.IndexByte(candidates, c); i >= 0 {
			counts[i]++
		}
	}
	best := 0
	for i, n := range counts {
		if n > counts[best] {
			best = i
		}
	}
	return rune(candidates[best])
}
