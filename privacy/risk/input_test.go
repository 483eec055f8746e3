package risk

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadCSV(t *testing.T) {
	for _, tt := range []struct {
		text   string
		cells  [][]string // with the header
		reason string
	}{
		{"a,b\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}, "plain"},
		{"a;b\n1;2,3\n", [][]string{{"a", "b"}, {"1", "2,3"}}, "semicolons are found"},
		{"a\tb\n1\t2\n", [][]string{{"a", "b"}, {"1", "2"}}, "tabs are found"},
		{"a|b\n1|2\n", [][]string{{"a", "b"}, {"1", "2"}}, "bars are found"},
		{"a\n1,2\n", nil, "a comma in the second line says nothing about the first: then the row is ragged"},
		{"\ufeffa,b\r\n1,2\r\n", [][]string{{"a", "b"}, {"1", "2"}}, "byte order mark, CR LF"},
		{"\"a;a;a\",b\n1,2\n", [][]string{{"a;a;a", "b"}, {"1", "2"}}, "separators in quotes do not count"},
		{"a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n", [][]string{{"a", "b"}, {"x\ny", `say "hi"`}}, "quoted newline and quote"},
		{"a,b\n , \n,\n", [][]string{{"a", "b"}, {" ", " "}, {"", ""}}, "spaces stay, empty is a value"},
		{"a,b\n1,2", [][]string{{"a", "b"}, {"1", "2"}}, "no newline at the end"},
		{"a\n", [][]string{{"a"}}, "no row"},
		{"a,b\n\xff,\x00\n", [][]string{{"a", "b"}, {"\xff", "\x00"}}, "bytes that are no text stay what they are"},
	} {
		for _, r := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
			table, err := ReadCSV(r, CSV{})
			if tt.cells == nil {
				require.Error(t, err, tt.reason)
				continue
			}
			require.NoError(t, err, tt.reason)
			require.Equal(t, tt.cells[0], table.Columns(), tt.reason)
			require.Equal(t, len(tt.cells)-1, table.Len(), tt.reason)
			for i, row := range tt.cells[1:] {
				for j, name := range tt.cells[0] {
					require.Equal(t, row[j], table.Value(i+1, name), tt.reason)
				}
			}
		}
	}
	table, err := ReadCSV(strings.NewReader("a,b,c\n1,2,3\n"), CSV{Columns: []string{"c", "a"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"c", "a"}, table.Columns(), "only what was asked for, in that order")
	assert.Equal(t, "3", table.Value(1, "c"))
	assert.Empty(t, table.Value(1, "b"))
	assert.Empty(t, table.Value(2, "a"))
	assert.Empty(t, table.Value(0, "a"))
	assert.Equal(t, 1, table.Distinct("a"))
	assert.Zero(t, table.Distinct("b"))
}

func TestHostileCSV(t *testing.T) {
	for _, tt := range []struct {
		text   string
		o      CSV
		want   string
		reason string
	}{
		{"", CSV{}, "it is empty", "nothing"},
		{"\n\n", CSV{}, "it is empty", "blank lines only"},
		{"a,b\n1\n", CSV{}, "line 2: has 1 field, not 2", "too few fields"},
		{"a,b\n1,2\n\n\n1,2,3\n", CSV{}, "line 5: has 3 fields, not 2", "too many; blank lines count as lines"},
		{"a,b\n\"x\ny\",2\n3\n", CSV{}, "line 4: has 1 field", "behind a quoted newline"},
		{"a,b,a\n", CSV{}, "columns 1 and 3 have the same name", "duplicate header"},
		{"a,,b\n", CSV{}, "column 2 has no name", "empty name"},
		{"a,b\n1,\"2\n", CSV{}, "line 2: a quote inside of a quoted field, or one that is never closed", "open quote"},
		{"a,b\n1,2\"3\n", CSV{}, "line 2: a quote in a field that does not begin with one", "bare quote"},
		{"a,b\n\"1\"x,2\n", CSV{}, "line 2: a quote inside", "text behind a quote"},
		{"a,b\n1,2\n", CSV{Columns: []string{"z"}}, `column "z": there is no such column`, "not there"},
		{"a,b\n1,2\n", CSV{Columns: []string{"a", "a"}}, `column "a": named twice`, "twice"},
		{"a,b\n1,2\n", CSV{Comma: '"'}, "the separator cannot be used", "quote as separator"},
		{"a,b\n1,2\n", CSV{Comma: '\n'}, "the separator cannot be used", "newline as separator"},
		{"a,b\n1,2\n", CSV{Comma: 0xD800}, "the separator cannot be used", "half a surrogate"},
		{"a,b\n1,2\n", CSV{MaxRecord: -1}, "must not be negative", "negative limit"},
	} {
		_, err := ReadCSV(strings.NewReader(tt.text), tt.o)
		require.ErrorContains(t, err, tt.want, tt.reason)
	}
}

// zeros gives n bytes x.
type zeros struct{ n int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), z.n)]
	for i := range p {
		p[i] = 'x'
	}
	z.n -= len(p)
	return len(p), nil
}

func TestLongCells(t *testing.T) {
	const long = 10 << 20
	text := func(n int) io.Reader {
		return io.MultiReader(strings.NewReader("a,b\n1,\""), &zeros{n}, strings.NewReader("\"\n2,3\n"))
	}
	table, err := ReadCSV(text(long), CSV{})
	require.NoError(t, err)
	assert.Len(t, table.Value(1, "b"), long, "a cell of 10 MB is a cell")
	assert.Equal(t, "3", table.Value(2, "b"))

	endless := &zeros{1 << 30}
	_, err = ReadCSV(io.MultiReader(strings.NewReader("a,b\n1,\""), endless), CSV{MaxRecord: 1 << 20})
	require.ErrorIs(t, err, ErrTooLarge, "a quote that is never closed")
	require.ErrorContains(t, err, "line 2: a record is longer than 1048576 bytes")
	assert.Less(t, 1<<30-endless.n, 2<<20, "no more was read than needed to know")

	rows := strings.Repeat("1,2\n", 100_000)
	table, err = ReadCSV(strings.NewReader("a,b\n"+rows), CSV{MaxRecord: 8})
	require.NoError(t, err, "the limit is about one record, not the whole")
	assert.Equal(t, 100_000, table.Len())
}

func TestReadersThatFail(t *testing.T) {
	broken := errors.New("canary")
	for _, text := range []string{"", "a,b\n", "a,b\n1,2\n1,\"2"} {
		_, err := ReadCSV(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), CSV{})
		require.ErrorIs(t, err, broken)
		assert.NotContains(t, err.Error(), "canary", "what others say may hold data")
	}
	_, err := FromRows([]string{"a"}, func(yield func([]string, error) bool) { _ = yield([]string{"1"}, nil) && yield(nil, broken) })
	require.ErrorIs(t, err, broken)
	_, err = FromRows([]string{"a"}, Rows([][]string{{"1"}, {"1", "2"}}))
	require.ErrorContains(t, err, "row 2: has 2 fields, not 1")
	_, err = FromRows(nil, Rows(nil))
	require.ErrorContains(t, err, "there is no column")
}

func TestWriteCSV(t *testing.T) {
	text := "a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n1,2\n3,4\n"
	var out bytes.Buffer
	require.NoError(t, csvTable(t, text).WriteCSV(&out, 0, nil))
	assert.Equal(t, text, out.String())
	out.Reset()
	require.NoError(t, csvTable(t, text).WriteCSV(&out, ';', func(row int) bool { return row != 2 }))
	assert.Equal(t, "a;b\n1;2\n", out.String())
	require.Error(t, csvTable(t, text).WriteCSV(&out, '"', nil))
	require.Error(t, csvTable(t, text).WriteCSV(failing{}, 0, nil))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestRules(t *testing.T) {
	groups := Groups(map[string]string{"Never-married": "not", "Divorced": "not", "Married": "married"})
	for _, tt := range []struct {
		rule   string
		h      *Hierarchy
		value  string
		want   []string // levels from 1
		reason string
	}{
		{"bands:5,10,20", nil, "17", []string{"15-19", "10-19", "0-19", "*"}, "multiples of the width"},
		{"bands:5,10,20", nil, "20", []string{"20-24", "20-29", "20-39", "*"}, "the lower edge belongs to the band"},
		{"bands:5", nil, "-1", []string{"-5--1", "*"}, "below zero bands go down, too"},
		{"bands:5", nil, "-5", []string{"-5--1", "*"}, "the lower edge below zero"},
		{"bands:5", nil, "0", []string{"0-4", "*"}, "zero"},
		{"bands:5", nil, "", []string{"", "*"}, "nothing stays nothing"},
		{"prefix:3,1", nil, "98052", []string{"980**", "9****", "*"}, "the rest is starred"},
		{"prefix:3,1", nil, "98", []string{"98", "9*", "*"}, "shorter than the prefix"},
		{"prefix:1", nil, "ßé", []string{"ß*", "*"}, "characters, not bytes"},
		{"date", nil, "2024-02-29", []string{"2024-02", "2024-Q1", "2024", "202x", "*"}, "a leap day"},
		{"date", nil, "2024-12-01T23:59:60+02:00", []string{"2024-12", "2024-Q4", "2024", "202x", "*"}, "the time of day goes first"},
		{"suppress", nil, "x", []string{"*"}, "nothing is left"},
		{"", groups, "Divorced", []string{"not", "*"}, "a group"},
	} {
		h := tt.h
		if h == nil {
			var err error
			h, err = ParseRule(tt.rule)
			require.NoError(t, err, tt.rule)
		}
		require.Equal(t, len(tt.want), h.Height(), tt.reason)
		for i, want := range tt.want {
			got, err := h.At(tt.value, i+1)
			require.NoError(t, err, tt.reason)
			assert.Equal(t, want, got, tt.reason)
			assert.NotEmpty(t, h.LevelName(i+1))
		}
		same, err := h.At(tt.value, 0)
		require.NoError(t, err)
		assert.Equal(t, tt.value, same)
		_, err = h.At(tt.value, h.Height()+1)
		require.Error(t, err)
		_, err = h.At(tt.value, -1)
		require.Error(t, err)
		assert.Equal(t, "suppressed", h.LevelName(h.Height()))
		assert.Equal(t, "as is", h.LevelName(0))
		assert.Empty(t, h.LevelName(-1))
	}
	for rule, value := range map[string]string{"bands:5": "1.5", "bands:10": "canary", "date": "2023-02-29", "prefix:2": "\xff\xff\xff", "bands:2": "9223372036854775807"} {
		h, err := ParseRule(rule)
		require.NoError(t, err)
		_, err = h.At(value, 1)
		require.Error(t, err, rule)
	}
	_, err := groups.At("Widowed", 1)
	require.ErrorContains(t, err, "the value is in no group")
}

func TestRulesThatAreNone(t *testing.T) {
	for _, rule := range []string{"", "bands", "bands:", "bands:1", "bands:0", "bands:-5", "bands:5,5", "bands:10,5", "bands:5,12", "bands:x", "bands:5,", "bands:99999999999999999999",
		"prefix", "prefix:0", "prefix:1,2", "prefix:2,2", "date:x", "suppress:1", "canary", "bands:" + strings.TrimSuffix(strings.Repeat("2,", 100), ",")} {
		_, err := ParseRule(rule)
		require.Error(t, err, rule)
		var fault *InputError
		require.ErrorAs(t, err, &fault, rule)
		assert.NotEmpty(t, fault.Mend)
		assert.NotContains(t, err.Error(), "canary")
	}
	lengths := []int{}
	for n := 40; n > 0; n-- {
		lengths = append(lengths, n)
	}
	_, err := Prefix(lengths...)
	require.ErrorContains(t, err, "more than 32 levels")
}

func TestReadHierarchy(t *testing.T) {
	h, err := ReadHierarchy(strings.NewReader("\ufeffGermany;Europe;*\nJapan;Asia;*\n\"a;b\";Asia;*\n"), 0)
	require.NoError(t, err)
	assert.Equal(t, 2, h.Height())
	assert.Equal(t, "2 values", h.LevelName(1))
	assert.Equal(t, "suppressed", h.LevelName(2))
	got, err := h.At("a;b", 1)
	require.NoError(t, err)
	assert.Equal(t, "Asia", got)
	_, err = h.At("France", 1)
	require.ErrorContains(t, err, "the value is not in the hierarchy; add a line for it")
	for _, tt := range []struct{ text, want, reason string }{
		{"", "it is empty", "nothing"},
		{"a\n", "a line has 1 field", "no level"},
		{strings.Repeat("a;", 33) + "b\n", "a line has 34 fields", "too many levels"},
		{"a;x;*\nb;y\n", "line 2: has 2 fields, not 3", "ragged"},
		{"a;x;*\na;y;*\n", "line 2: the value stands in an earlier line too", "twice"},
		{"a;x;u\nb;x;v\n", "line 2: level 1 is as in an earlier line, level 2 is not", "not nested: pruning would be wrong"},
		{"a;\"x\n", "line 1: a quote", "open quote"},
		{"a;" + strings.Repeat("x", 2<<20) + "\n", "a record is longer than 1048576 bytes", "a long line"},
	} {
		_, err := ReadHierarchy(strings.NewReader(tt.text), ';')
		require.ErrorContains(t, err, tt.want, tt.reason)
	}
	var zero Hierarchy
	assert.Zero(t, zero.Height())
	assert.Equal(t, "as is", zero.LevelName(0))
}

// What is read is what was written, whatever is in the cells; hostile text ends with
// an error that says where, and never repeats the text.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a;b\r\n\"x\"\"\n\";2\r\n", "\ufeffa\n\n", "\"", "a,a\n", "a\tb\nx\t\n", "a,b\n1\n", "a|b\n\x00|\xff\n"} {
		f.Add([]byte(seed), 100)
	}
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		limit = limit&0xffff + 1
		table, err := ReadCSV(bytes.NewReader(text), CSV{MaxRecord: limit})
		if err != nil {
			var fault *InputError
			var large *tooLarge
			require.True(t, errors.As(err, &fault) || errors.As(err, &large), "%T", err)
			return
		}
		names := table.Columns()
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		require.NoError(t, w.Write(names))
		for row := range table.Len() {
			var cells []string
			for _, name := range names {
				cells = append(cells, table.Value(row+1, name))
			}
			require.NoError(t, w.Write(cells))
		}
		w.Flush()
		classes, err := table.Classes(names...)
		require.NoError(t, err)
		distinct := map[string]bool{}
		for row := range rowsOf(table, names...) {
			distinct[row] = true
		}
		if !bytes.ContainsRune(text, 0) { // the reference joins with zero bytes
			require.Equal(t, len(distinct), classes.Len())
		}
		// A row of one empty cell is written as a blank line, which is no row, and
		// CR LF in a cell is read as LF (encoding/csv says so).
		if len(names) == 1 || bytes.ContainsRune(text, '\r') {
			return
		}
		again, err := ReadCSV(&out, CSV{Comma: ','})
		require.NoError(t, err)
		require.Equal(t, names, again.Columns())
		require.Equal(t, slices.Collect(rowsOf(table, names...)), slices.Collect(rowsOf(again, names...)))
	})
}

// Every hierarchy that is accepted is nested: equal on one level, equal on all above.
func FuzzHierarchy(f *testing.F) {
	f.Add("Germany;Europe;*\nJapan;Asia;*\n", "bands:5,10", "17", "19")
	f.Add("a,b\nc,b\n", "prefix:3,1", "98052", "98053")
	f.Add("a;x;u\nb;x;v\n", "date", "2024-02-29", "2024-02-01T00:00:00Z")
	f.Add("\"a\n", "suppress", "", "x")
	f.Add("a;*", "bands:-1", "-1", "-9223372036854775808")
	f.Fuzz(func(t *testing.T, file, rule, a, b string) {
		var all []*Hierarchy
		if h, err := ReadHierarchy(strings.NewReader(file), 0); err == nil {
			all = append(all, h)
		}
		if h, err := ParseRule(rule); err == nil {
			all = append(all, h)
		}
		first := strings.FieldsFunc(file, func(r rune) bool { return strings.ContainsRune(";,\n|\t\"", r) })
		values := append(first[:min(len(first), 8)], a, b)
		for _, h := range all {
			require.LessOrEqual(t, h.Height(), MaxHeight)
			for _, x := range values {
				for _, y := range values {
					equal := false
					for level := range h.Height() + 1 {
						lx, errX := h.At(x, level)
						ly, errY := h.At(y, level)
						if errX != nil || errY != nil {
							continue
						}
						require.False(t, equal && lx != ly, "level "+strconv.Itoa(level)+" of "+h.String())
						equal = lx == ly
					}
				}
			}
		}
	})
}
