package record

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify"
)

// SampledRows is how many rows of a table vote about its columns.
const SampledRows = 1000

// ErrCSV is wrapped by the error about a table that is not CSV.
var ErrCSV = errors.New("record: not a CSV table")

// A CSVError says which line cannot be read. It wraps [ErrCSV].
type CSVError struct{ Line int }

func (e *CSVError) Error() string {
	return ErrCSV.Error() + ": line " + strconv.Itoa(e.Line) + " cannot be read"
}

func (e *CSVError) Unwrap() error { return ErrCSV }

// A Table is what is known about the columns of a table.
type Table struct {
	Columns   []Column // in the order of the table, without excluded ones
	Rows      int      // that voted
	Conflicts []Conflict
	Qualifier string // the most exposed one of all columns, or ""
}

// A Column is one column of a table.
type Column struct {
	Name      string
	Labels    []ColumnLabel // by confidence, then by category
	Filled    int           // values that are not empty, of the rows that voted
	Qualifier string        // the most exposed one of the labels, or ""
}

// A ColumnLabel is a label of a column. Its confidence is the highest of a value's;
// it has no spans. Share is which part of the values that are not empty hold the
// category by themselves, whatever the column's name is; a label that the name alone
// gives has a share of 0.
type ColumnLabel struct {
	classify.Label
	Share float64
}

// CSV classifies the columns of a table with names in its first row: by their names
// and by a vote over the values of the first [SampledRows] rows. Columns are
// separated by comma, semicolon, tab or |, whichever the first line has most of. An
// empty table has no columns. The error is that of in, or a [*CSVError].
func (r *Reader) CSV(in io.Reader) (*Table, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	head, err := buffered.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head, _, _ = bytes.Cut(head, []byte{'\n'})
	rows := csv.NewReader(buffered)
	rows.Comma = delimiter(head)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return &Table{}, nil
	}
	if err != nil {
		return nil, csvProblem(err)
	}
	names := slices.Clone(header)
	names[0] = strings.TrimPrefix(names[0], "\ufeff")
	columns := make([]votes, len(names))
	for i, name := range names {
		columns[i].name = name
		columns[i].out = !r.wants(name)
	}
	t := &Table{}
	s, _ := r.scanners.Get().(*classify.Scanner)
	defer r.scanners.Put(s)
	for ; t.Rows < SampledRows; t.Rows++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvProblem(err)
		}
		for i := range min(len(row), len(names)) {
			if row[i] != "" && !columns[i].out {
				columns[i].vote(s, r.field(names[i], row[i]), r.field("", row[i]))
			}
		}
	}
	for i := range columns {
		if columns[i].out {
			continue
		}
		c := columns[i].column(r)
		t.Columns = append(t.Columns, c)
		t.Qualifier = exposed(t.Qualifier, c.Qualifier)
		labels := make([]classify.Label, len(c.Labels))
		for j := range labels {
			labels[j] = c.Labels[j].Label
		}
		t.Conflicts = append(t.Conflicts, r.conflicts(c.Name, labels, func(l *classify.Label) bool { return true })...)
	}
	return t, nil
}

// wants reports whether a column is among those that are asked for.
func (r *Reader) wants(name string) bool {
	steps := []step{{key: name, index: -1}}
	covers := func(p pattern) bool { return p.covers(steps) }
	return !slices.ContainsFunc(r.exclude, covers) && (len(r.include) == 0 || slices.ContainsFunc(r.include, covers))
}

func (r *Reader) field(name, value string) classify.Field {
	return classify.Field{Name: name, Path: name, Source: r.source, Value: value, Context: r.context}
}

func csvProblem(err error) error {
	var fault *csv.ParseError
	if errors.As(err, &fault) {
		return &CSVError{fault.Line}
	}
	return err
}

// delimiter is what the first line has most of.
func delimiter(first []byte) rune {
	best, most := ',', bytes.Count(first, []byte{','})
	for _, c := range []byte{';', '\t', '|'} {
		if n := bytes.Count(first, []byte{c}); n > most {
			best, most = rune(c), n
		}
	}
	return best
}

// votes are what the values of a column say.
type votes struct {
	name   string
	out    bool
	filled int
	of     []categoryVotes
	labels []classify.Label
}

type categoryVotes struct {
	label  classify.Label // the most confident one
	with   int            // values that hold the category, under this name
	within int            // values that hold it all by themselves
}

func (v *votes) find(category string) *categoryVotes {
	for i := range v.of {
		if v.of[i].label.Category == category {
			return &v.of[i]
		}
	}
	v.of = append(v.of, categoryVotes{label: classify.Label{Category: category}})
	return &v.of[len(v.of)-1]
}

// vote counts one value: as a value of the column, and as one of nothing.
func (v *votes) vote(s *classify.Scanner, named, bare classify.Field) {
	v.filled++
	v.labels = s.Append(v.labels[:0], &named)
	for _, l := range v.labels {
		c := v.find(l.Category)
		c.with++
		l.Spans = nil
		if l.Confidence > c.label.Confidence {
			c.label = l
		}
	}
	v.labels = s.Append(v.labels[:0], &bare)
	for _, l := range v.labels {
		v.find(l.Category).within++
	}
}

// column settles the votes.
func (v *votes) column(r *Reader) Column {
	c := Column{Name: v.name, Filled: v.filled}
	byName := r.c.Field(r.field(v.name, ""))
	share := func(n int) float64 { return float64(n) / float64(max(v.filled, 1)) }
	for _, l := range byName {
		x := v.find(l.Category)
		if 2*x.with >= v.filled && x.label.Confidence > l.Confidence {
			l = x.label // most values confirm it
		}
		c.Labels = append(c.Labels, ColumnLabel{l, share(x.within)})
	}
	for i := range v.of {
		x := &v.of[i]
		known := slices.ContainsFunc(byName, func(l classify.Label) bool { return l.Category == x.label.Category })
		if !known && x.with > 0 && 2*x.with >= v.filled {
			c.Labels = append(c.Labels, ColumnLabel{x.label, share(x.within)})
		}
	}
	slices.SortFunc(c.Labels, func(a, b ColumnLabel) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Category, b.Category))
	})
	for i := range c.Labels {
		c.Qualifier = exposed(c.Qualifier, c.Labels[i].Qualifier)
	}
	return c
}
