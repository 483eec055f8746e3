package risk

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Table holds rows by column, each value once: memory is four bytes a row and
// column, and the distinct values. Make one with [ReadCSV] or [FromRows]. The zero
// Table has no columns and no rows.
//
// A Table prints as its size, never as its content.
type Table struct{ s *sealed[tableData] }

// A sealed thing is two pointers away. One would not do: fmt follows it when a verb
// does not fit, as %s does not fit a struct, and reads through the unexported fields
// of whatever struct holds a Table.
type sealed[T any] struct{ p *T }

func seal[T any](p *T) *sealed[T] { return &sealed[T]{p} }

type tableData struct {
	columns []column
	rows    int
}

type column struct {
	name   string
	codes  []uint32 // of each row, an index into values
	values []string // each once, in the order in which they appeared
}

// maxRows keeps codes, classes and counts within 32 bits and products of two counts
// within 64.
const maxRows = math.MaxInt32

func (t *Table) data() *tableData {
	if t == nil || t.s == nil {
		return &tableData{}
	}
	return t.s.p
}

// Len returns the number of rows.
func (t *Table) Len() int { return t.data().rows }

// Columns returns the names of the columns in their order.
func (t *Table) Columns() []string {
	d := t.data()
	names := make([]string, len(d.columns))
	for i := range d.columns {
		names[i] = d.columns[i].name
	}
	return names
}

// Distinct returns how many different values a column has, 0 if there is no such
// column.
func (t *Table) Distinct(name string) int {
	d := t.data()
	if i := d.find(name); i >= 0 {
		return len(d.columns[i].values)
	}
	return 0
}

// Value returns one value of the data: row from 1, column by name. It is empty if
// there is no such row or column.
func (t *Table) Value(row int, name string) string {
	d := t.data()
	i := d.find(name)
	if i < 0 || row < 1 || row > d.rows {
		return ""
	}
	c := &d.columns[i]
	return c.values[c.codes[row-1]]
}

// String returns the size of the table.
func (t Table) String() string {
	d := t.data()
	return fmt.Sprintf("risk.Table(%d columns, %d rows)", len(d.columns), d.rows)
}

// Format implements fmt.Formatter with the size of the table, whatever the verb.
func (t Table) Format(s fmt.State, _ rune) { io.WriteString(s, t.String()) }

// MarshalText implements encoding.TextMarshaler with the size of the table, for
// encoding/json and log/slog.
func (t Table) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (d *tableData) find(name string) int {
	return slices.IndexFunc(d.columns, func(c column) bool { return c.name == name })
}

// lookup finds columns by name.
func (d *tableData) lookup(what string, names []string) ([]int, error) {
	found := make([]int, len(names))
	for i, name := range names {
		if found[i] = d.find(name); found[i] < 0 {
			return nil, &InputError{What: what, Column: name, Problem: "there is no such column", Mend: "name one of the header, as it is written there"}
		}
		if slices.Contains(found[:i], found[i]) {
			return nil, &InputError{What: what, Column: name, Problem: "named twice", Mend: "name it once"}
		}
	}
	return found, nil
}

// WriteCSV writes the table with its header, separated by comma (a comma if it is
// 0), leaving out the rows whose numbers skip reports, if it is not nil. This is
// where values leave: what is written is as personal as the table.
func (t *Table) WriteCSV(w io.Writer, comma rune, skip func(row int) bool) error {
	d := t.data()
	out := csv.NewWriter(w)
	out.Comma = cmp.Or(comma, ',')
	record := t.Columns()
	if err := out.Write(record); err != nil {
		return hideCSV(err)
	}
	for row := range d.rows {
		if skip != nil && skip(row+1) {
			continue
		}
		for i := range d.columns {
			c := &d.columns[i]
			record[i] = c.values[c.codes[row]]
		}
		if err := out.Write(record); err != nil {
			return hideCSV(err)
		}
	}
	out.Flush()
	return hideCSV(out.Error())
}

// hideCSV passes on what a writer said. encoding/csv quotes nothing of a record.
func hideCSV(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("risk: writing CSV: %w", err)
}

// FromRows makes a table of rows. A row has one value for each name, and may be used
// again by the iterator once it yielded; the error that it yields beside a row ends
// the reading and is returned. Names must differ and not be empty.
func FromRows(names []string, rows iter.Seq2[[]string, error]) (*Table, error) {
	b, err := newBuilder(names, nil)
	if err != nil {
		return nil, err
	}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if err := b.add(row); err != nil {
			return nil, err
		}
	}
	return b.table(), nil
}

// Rows adapts a slice to [FromRows].
func Rows(rows [][]string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// A builder encodes rows.
type builder struct {
	d      *tableData
	width  int   // of a row
	fields []int // which field of a row each column is
	codes  []map[string]uint32
	last   []string // the value before, because neighbours are often equal
}

// newBuilder checks the header and picks the columns wanted, all if want is nil.
func newBuilder(header, want []string) (*builder, error) {
	at := make(map[string]int, len(header))
	for i, name := range header {
		if name == "" {
			return nil, &InputError{What: "table", Problem: "column " + strconv.Itoa(i+1) + " has no name", Mend: "the first line must name every column"}
		}
		if before, ok := at[name]; ok {
			// The first line may be data where a header was forgotten: names are not
			// shown.
			return nil, &InputError{What: "table", Problem: "columns " + strconv.Itoa(before+1) + " and " + strconv.Itoa(i+1) + " have the same name", Mend: "rename one in the first line; is the first line a header?"}
		}
		at[name] = i
	}
	if len(header) == 0 {
		return nil, &InputError{What: "table", Problem: "there is no column", Mend: "the first line must name the columns"}
	}
	if want == nil {
		want = header
	}
	b := &builder{d: &tableData{}, width: len(header)}
	for i, name := range want {
		field, ok := at[name]
		if !ok {
			return nil, &InputError{What: "table", Column: name, Problem: "there is no such column", Mend: "name one of the header, as it is written there; is the separator right?"}
		}
		if slices.Contains(want[:i], name) {
			return nil, &InputError{What: "table", Column: name, Problem: "named twice", Mend: "name it once"}
		}
		b.fields = append(b.fields, field)
		b.d.columns = append(b.d.columns, column{name: strings.Clone(name)})
		b.codes = append(b.codes, map[string]uint32{})
	}
	b.last = make([]string, len(b.fields))
	return b, nil
}

func (b *builder) add(row []string) error {
	if len(row) != b.width {
		return &InputError{What: "table", Row: b.d.rows + 1, Problem: "has " + plural(len(row), "field") + ", not " + strconv.Itoa(b.width), Mend: "every row needs one field for each column"}
	}
	if b.d.rows == maxRows {
		return &tooLarge{InputError{What: "table", Row: maxRows, Problem: "too many rows", Mend: "check it in parts that share no person"}}
	}
	for i, field := range b.fields {
		c := &b.d.columns[i]
		value := row[field]
		if len(c.codes) > 0 && value == b.last[i] {
			c.codes = append(c.codes, c.codes[len(c.codes)-1])
			continue
		}
		code, ok := b.codes[i][value]
		if !ok {
			// A value is a part of its line: the copy lets the line go.
			value = strings.Clone(value)
			code = uint32(len(c.values))
			c.values = append(c.values, value)
			b.codes[i][value] = code
		} else {
			value = c.values[code]
		}
		b.last[i] = value
		c.codes = append(c.codes, code)
	}
	b.d.rows++
	return nil
}

func (b *builder) table() *Table { return &Table{seal(b.d)} }
