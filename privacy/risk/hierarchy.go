package risk

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Suppressed is what a value becomes when nothing of it is left.
const Suppressed = "*"

// MaxHeight is the most levels that a hierarchy may have above the value itself.
const MaxHeight = 32

// A Hierarchy says what a value becomes on each level: level 0 is the value, the last
// one is the coarsest. Levels are nested: values that are equal on one level are equal
// on all above, which is what makes k-anonymity monotone on the lattice. Make one with
// [ReadHierarchy], [ParseRule], [Bands], [Prefix], [Dates], [Groups] or [Suppress].
//
// An empty value stays empty up to the last level, where the rules suppress it too.
//
// A Hierarchy prints as its rule, never with values. The zero Hierarchy has no levels
// above the value.
type Hierarchy struct{ h *hierarchy }

type hierarchy struct {
	rule   string
	height int
	// at gives all levels of one value, the value itself first, or says in fixed
	// words why there are none.
	at func(value string, levels []string) (problem string)
	// names of the levels, for people; that of level 0 is not used.
	names []string
}

// Height returns the number of levels above the value itself.
func (h *Hierarchy) Height() int {
	if h == nil || h.h == nil {
		return 0
	}
	return h.h.height
}

// LevelName returns what a level is, for people: "as is", "bands of 5", "4 values" (so
// many are in the file), "suppressed"; empty if there is no such level.
func (h *Hierarchy) LevelName(level int) string {
	switch {
	case level < 0 || level > h.Height():
		return ""
	case level == 0:
		return "as is"
	}
	return h.h.names[level]
}

// At returns what a value becomes on a level. The error says in fixed words why the
// value, or the level, is not in the hierarchy.
func (h *Hierarchy) At(value string, level int) (string, error) {
	if level < 0 || level > h.Height() {
		return "", &InputError{What: "hierarchy", Problem: "there is no level " + strconv.Itoa(level), Mend: "it has levels 0 to " + strconv.Itoa(h.Height())}
	}
	if level == 0 {
		return value, nil
	}
	levels := make([]string, h.h.height+1)
	if problem := h.h.at(value, levels); problem != "" {
		return "", &InputError{What: "hierarchy", Problem: problem, Mend: h.h.mend()}
	}
	return levels[level], nil
}

func (h *hierarchy) mend() string {
	if h.rule == "table" || h.rule == "groups" {
		return "add a line for it"
	}
	return "drop such rows, or describe the values in a hierarchy file"
}

// String returns the rule and the height.
func (h Hierarchy) String() string {
	if h.h == nil {
		return "risk.Hierarchy(none)"
	}
	return fmt.Sprintf("risk.Hierarchy(%s, height %d)", h.h.rule, h.h.height)
}

// Format implements fmt.Formatter with the text of String, whatever the verb.
func (h Hierarchy) Format(s fmt.State, _ rune) { io.WriteString(s, h.String()) }

// MarshalText implements encoding.TextMarshaler with the text of String.
func (h Hierarchy) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

const maxHierarchyRows = 1 << 20

// ReadHierarchy reads a hierarchy from CSV as ARX writes it: one line for each value,
// with the value and what it becomes on each level, from fine to coarse, without a
// header:
//
//	Germany;Europe;*
//	Japan;Asia;*
//
// Comma separates the fields; 0 finds out as [ReadCSV] does. All lines must have as
// many fields, 2 to [MaxHeight] + 1, each value stands once, and levels must be
// nested. A value of the data that is in no line is an error where the hierarchy is
// used. There may be up to 1,048,576 lines of up to 1 MiB.
func ReadHierarchy(r io.Reader, comma rune) (*Hierarchy, error) {
	records, err := openCSV(r, "hierarchy", comma, 1<<20)
	if err != nil {
		return nil, err
	}
	rows := map[string][]string{}
	width := 0
	fail := func(problem, mend string) (*Hierarchy, error) {
		return nil, &InputError{What: "hierarchy", Line: records.line(), Problem: problem, Mend: mend}
	}
	var parents []map[string]string // of each level but the last
	for {
		record, err := records.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if width == 0 {
			if width = len(record); width < 2 || width > MaxHeight+1 {
				return fail("a line has "+plural(width, "field"), "write the value and 1 to "+strconv.Itoa(MaxHeight)+" levels: Germany;Europe;*")
			}
			parents = make([]map[string]string, width)
			for i := range parents {
				parents[i] = map[string]string{}
			}
		}
		if len(record) != width {
			return fail("has "+plural(len(record), "field")+", not "+strconv.Itoa(width), "every line needs all levels")
		}
		if len(rows) == maxHierarchyRows {
			return nil, &tooLarge{InputError{What: "hierarchy", Line: records.line(), Problem: "more than 1,048,576 values", Mend: "use a rule, such as prefix or bands"}}
		}
		if _, ok := rows[record[0]]; ok {
			return fail("the value stands in an earlier line too", "keep one of them")
		}
		row := make([]string, width)
		for i, text := range record {
			row[i] = strings.Clone(text)
		}
		for level := 1; level+1 < width; level++ {
			above, ok := parents[level][row[level]]
			if ok && above != row[level+1] {
				return fail("level "+strconv.Itoa(level)+" is as in an earlier line, level "+strconv.Itoa(level+1)+" is not", "levels must be nested: equal on one level means equal on all above")
			}
			parents[level][row[level]] = row[level+1]
		}
		rows[row[0]] = row
	}
	if len(rows) == 0 {
		return fail("it is empty", "write a line for each value: Germany;Europe;*")
	}
	h := &hierarchy{rule: "table", height: width - 1, at: func(value string, levels []string) string {
		row, ok := rows[value]
		if !ok {
			return "the value is not in the hierarchy"
		}
		copy(levels, row)
		return ""
	}}
	for level := range width {
		labels := map[string]struct{}{}
		for _, row := range rows {
			labels[row[level]] = struct{}{}
		}
		name := plural(len(labels), "value")
		if _, ok := labels[Suppressed]; ok && len(labels) == 1 {
			name = "suppressed"
		}
		h.names = append(h.names, name)
	}
	return &Hierarchy{h}, nil
}

// Bands puts whole numbers into bands of each width, from fine to coarse, and then
// suppresses them: Bands(5, 10) makes 17 to 15-19, then 10-19, then *. Bands begin at
// multiples of their width, below 0 too (-5--1 is the one before 0-4). Each width
// must be a multiple of the one before, so that bands are nested.
func Bands(widths ...int) (*Hierarchy, error) {
	rule := "bands:"
	names := []string{""}
	for i, w := range widths {
		switch {
		case w < 2 || int64(w) > 1<<53:
			return nil, &InputError{What: "rule", Problem: "bands: a width must be from 2 to 2^53", Mend: "write bands:5,10,20"}
		case i > 0 && (w == widths[i-1] || w%widths[i-1] != 0):
			return nil, &InputError{What: "rule", Problem: "bands: width " + strconv.Itoa(w) + " is no multiple of " + strconv.Itoa(widths[i-1]), Mend: "each must be a multiple of the one before, from fine to coarse, so that bands are nested"}
		}
		if i > 0 {
			rule += ","
		}
		rule += strconv.Itoa(w)
		names = append(names, "bands of "+strconv.Itoa(w))
	}
	widths = slices.Clone(widths)
	return ruled(rule, names, func(value string, levels []string) string {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n > 1<<62 || n < -1<<62 {
			return "the value is no whole number"
		}
		for i, w := range widths {
			low := n - ((n%int64(w) + int64(w)) % int64(w))
			levels[i+1] = strconv.FormatInt(low, 10) + "-" + strconv.FormatInt(low+int64(w)-1, 10)
		}
		return ""
	})
}

// Prefix keeps the first characters of a text, less on each level, and then
// suppresses it: Prefix(3, 1) makes 98052 to 980**, then 9****, then *. Lengths must
// fall. The length of the value stays visible until the last level.
func Prefix(lengths ...int) (*Hierarchy, error) {
	rule := "prefix:"
	names := []string{""}
	for i, n := range lengths {
		if n < 1 || i > 0 && n >= lengths[i-1] {
			return nil, &InputError{What: "rule", Problem: "prefix: lengths must be 1 or more and fall", Mend: "write prefix:3,1"}
		}
		if i > 0 {
			rule += ","
		}
		rule += strconv.Itoa(n)
		names = append(names, "first "+plural(n, "character"))
	}
	lengths = slices.Clone(lengths)
	return ruled(rule, names, func(value string, levels []string) string {
		if !utf8.ValidString(value) {
			return "the value is no valid UTF-8"
		}
		size := utf8.RuneCountInString(value)
		for i, n := range lengths {
			end, kept := 0, 0
			for end = range value {
				if kept == n {
					break
				}
				kept++
			}
			if size <= n {
				end = len(value)
			}
			levels[i+1] = value[:end] + strings.Repeat("*", max(0, size-n))
		}
		return ""
	})
}

// Dates makes 2024-02-29 to 2024-02, then 2024-Q1, then 2024, then the decade 202x,
// and then suppresses it. What follows the day, behind a T or a space, is taken for a
// time of day and goes on level 1. Dates must be in the calendar.
func Dates() *Hierarchy {
	h, _ := ruled("date", []string{"", "month", "quarter", "year", "decade"}, func(value string, levels []string) string {
		day := value
		if len(day) > 10 && (day[10] == 'T' || day[10] == ' ') {
			day = day[:10]
		}
		t, err := time.Parse("2006-01-02", day)
		if err != nil {
			return "the value is no date such as 2024-02-29"
		}
		year := day[:4]
		levels[1], levels[2], levels[3], levels[4] = day[:7], year+"-Q"+strconv.Itoa((int(t.Month())+2)/3), year, year[:3]+"x"
		return ""
	})
	return h
}

// Groups makes each value to its group and then suppresses it. A value without a
// group is an error where the hierarchy is used.
func Groups(groups map[string]string) *Hierarchy {
	copied := make(map[string]string, len(groups))
	for v, g := range groups {
		copied[v] = g
	}
	h, _ := ruled("groups", []string{"", "groups"}, func(value string, levels []string) string {
		g, ok := copied[value]
		if !ok {
			return "the value is in no group"
		}
		levels[1] = g
		return ""
	})
	return h
}

// Suppress has the value, and nothing of it.
func Suppress() *Hierarchy {
	h, _ := ruled("suppress", []string{""}, func(string, []string) string { return "" })
	return h
}

// ruled adds the last level, and treats the empty value.
func ruled(rule string, names []string, at func(string, []string) string) (*Hierarchy, error) {
	height := len(names)
	if height > MaxHeight {
		return nil, &InputError{What: "rule", Problem: "more than " + strconv.Itoa(MaxHeight) + " levels", Mend: "leave some out"}
	}
	return &Hierarchy{&hierarchy{rule: rule, height: height, names: append(names, "suppressed"), at: func(value string, levels []string) string {
		levels[0], levels[height] = value, Suppressed
		if value == "" {
			clear(levels[:height])
			return ""
		}
		return at(value, levels)
	}}}, nil
}

// ParseRule reads a rule as it stands on a command line: bands:5,10,20 · prefix:3,1 ·
// date · suppress.
func ParseRule(rule string) (*Hierarchy, error) {
	name, list, given := strings.Cut(rule, ":")
	numbers := func() ([]int, error) {
		var out []int
		for part := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(part)
			if err != nil || len(out) == MaxHeight {
				return nil, &InputError{What: "rule", Problem: "not a list of whole numbers", Mend: "write bands:5,10,20 or prefix:3,1"}
			}
			out = append(out, n)
		}
		return out, nil
	}
	switch {
	case name == "date" && !given:
		return Dates(), nil
	case name == "suppress" && !given:
		return Suppress(), nil
	case name == "bands" || name == "prefix":
		n, err := numbers()
		if err != nil {
			return nil, err
		}
		if name == "bands" {
			return Bands(n...)
		}
		return Prefix(n...)
	}
	return nil, &InputError{What: "rule", Problem: "there is no such rule", Mend: "write bands:5,10,20, prefix:3,1, date or suppress"}
}

// A ladder is a hierarchy applied to a column: the code of each value on each level.
type ladder struct {
	codes  [][]uint32 // by level, then by value; nil for level 0
	values [][]string // by level; level 0 is the column's own
}

func (l *ladder) height() int { return len(l.codes) - 1 }

// climb applies a hierarchy to the values of a column.
func (c *column) climb(h *Hierarchy) (*ladder, error) {
	height := h.Height()
	l := &ladder{codes: make([][]uint32, height+1), values: make([][]string, height+1)}
	l.values[0] = c.values
	if height == 0 {
		return l, nil
	}
	index := make([]map[string]uint32, height+1)
	for level := 1; level <= height; level++ {
		l.codes[level] = make([]uint32, len(c.values))
		index[level] = map[string]uint32{}
	}
	levels := make([]string, height+1)
	for code, value := range c.values {
		if problem := h.h.at(value, levels); problem != "" {
			return nil, &InputError{What: "hierarchy", Column: c.name, Row: c.first(uint32(code)), Problem: problem, Mend: h.h.mend()}
		}
		for level := 1; level <= height; level++ {
			label := levels[level]
			at, ok := index[level][label]
			if !ok {
				at = uint32(len(l.values[level]))
				index[level][label] = at
				l.values[level] = append(l.values[level], label)
			}
			l.codes[level][code] = at
		}
	}
	return l, nil
}
