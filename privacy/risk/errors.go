package risk

import (
	"errors"
	"strconv"
	"strings"
)

// An InputError reports a table, a hierarchy or a rule that cannot be used: where,
// what, and how to mend it. It never contains a value of the data. Column is the
// name that the caller asked for, or empty.
type InputError struct {
	What    string // "table", "hierarchy", "rule", "criterion", "release"
	Column  string // name of the column, if the caller gave it
	Line    int    // in the text, from 1; 0 if unknown
	Row     int    // row of data, from 1; 0 if unknown
	Problem string // fixed text chosen by this package
	Mend    string // what to do about it
}

// Error implements error.
func (e *InputError) Error() string {
	var b strings.Builder
	b.WriteString("risk: ")
	b.WriteString(e.What)
	if e.Column != "" {
		b.WriteString(": column ")
		b.WriteString(strconv.Quote(e.Column))
	}
	if e.Line > 0 {
		b.WriteString(": line ")
		b.WriteString(strconv.Itoa(e.Line))
	}
	if e.Row > 0 {
		b.WriteString(": row ")
		b.WriteString(strconv.Itoa(e.Row))
	}
	b.WriteString(": ")
	b.WriteString(e.Problem)
	if e.Mend != "" {
		b.WriteString("; ")
		b.WriteString(e.Mend)
	}
	return b.String()
}

// ErrTooLarge reports an input beyond a limit of this package or of the caller. An
// error that wraps it says which.
var ErrTooLarge = errors.New("too large")

// tooLarge is an InputError about a limit.
type tooLarge struct{ InputError }

func (*tooLarge) Unwrap() error { return ErrTooLarge }
