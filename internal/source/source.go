// Package source knows where things stand in a policy's text: positions,
// problems with a caret under the fault, and strict reading of YAML. It belongs
// to author time; nothing that runs a policy imports it.
package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Pos is a place in a file: line and column from 1, the column counted in
// characters. The zero Pos means that the place is unknown.
type Pos struct{ Line, Column int }

// A File is a text with its name, kept so that problems can show their line.
type File struct {
	Name  string
	lines []string
}

// NewFile remembers text under name. Lines end where YAML says that they do: at
// LF, CR, CR LF, and at the separators NEL, LS and PS of Unicode.
func NewFile(name, text string) *File {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	isEnd := func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
	}
	f := &File{Name: name}
	for {
		i := strings.IndexFunc(text, isEnd)
		if i < 0 {
			f.lines = append(f.lines, text)
			return f
		}
		f.lines = append(f.lines, text[:i])
		_, size := utf8.DecodeRuneInString(text[i:])
		text = text[i+size:]
	}
}

// line returns line n (from 1) without its end, or "" outside the file.
func (f *File) line(n int) string {
	if f == nil || n < 1 || n > len(f.lines) {
		return ""
	}
	return f.lines[n-1]
}

// A Problem is one fault in a policy's text.
type Problem struct {
	File         string
	Line, Column int    // from 1; 0 if unknown
	Problem      string // what is wrong: fixed text of this project, lower case
	Mend         string // how to mend it; may be empty
	Snippet      string // the line and a caret below the place; may be empty
}

// String is the problem as one block: place, fault, line with caret, mend.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
		if p.Column > 0 {
			b.WriteString(":" + strconv.Itoa(p.Column))
		}
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(p.Problem)
	if p.Snippet != "" {
		b.WriteString("\n" + p.Snippet)
	}
	if p.Mend != "" {
		b.WriteString("\n    mend: " + p.Mend)
	}
	return b.String()
}

// An Error carries every problem found, in the order of files, lines and columns.
type Error struct{ Problems []Problem }

// Error lists all problems.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Problems gathers faults, so that an author sees all of them at once. The zero
// value is ready to use.
type Problems struct{ list []Problem }

// Add records a problem at a place of f; f may be nil.
func (ps *Problems) Add(f *File, at Pos, problem, mend string) {
	if f != nil && at.Line > len(f.lines) {
		// What is missing at the end of a file stands behind its last line.
		last := len(f.lines)
		at = Pos{last, utf8.RuneCountInString(f.lines[last-1]) + 1}
	}
	p := Problem{Line: at.Line, Column: at.Column, Problem: problem, Mend: mend}
	if f != nil {
		p.File = f.Name
		p.Snippet = snippet(f.line(at.Line), at.Column)
	}
	ps.list = append(ps.list, p)
}

// Len is the number of problems so far.
func (ps *Problems) Len() int { return len(ps.list) }

// Err is nil when there are no problems, else an [*Error].
func (ps *Problems) Err() error {
	if len(ps.list) == 0 {
		return nil
	}
	list := slices.Clone(ps.list)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{slices.CompactFunc(list, func(a, b Problem) bool { return a == b })}
}

// width is how much of a long line a snippet shows.
const width = 100

// snippet shows a line with a caret under column. Tabs become single blanks so
// that the caret stands right, and a long line is cut around the place.
func snippet(line string, column int) string {
	if strings.TrimSpace(line) == "" {
		return ""
	}
	runes := []rune(strings.ReplaceAll(line, "\t", " "))
	at := min(max(column-1, 0), len(runes))
	head := ""
	if at > width-20 {
		cut := at - width/2
		runes, at, head = runes[cut:], at-cut, "…"
	}
	tail := ""
	if len(runes) > width {
		runes, tail = runes[:width], "…"
	}
	out := "    " + head + string(runes) + tail
	if column > 0 {
		out += "\n    " + strings.Repeat(" ", at+utf8.RuneCountInString(head)) + "^"
	}
	return out
}

// Nearest returns the candidate most like word, or "" if none is near: at most
// a third of its letters differ. Ties go to the first in sorted order.
func Nearest(word string, candidates []string) string {
	sorted := slices.Clone(candidates)
	slices.Sort(sorted)
	best, bestDistance := "", len(word)/3+1
	for _, c := range sorted {
		if d := distance(word, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, above+1, row[j]+1)
			diagonal = above
		}
	}
	return row[len(b)]
}

// DidYouMean is a mend that names the nearest candidate, or lists them all when
// they are few, or "" when neither helps.
func DidYouMean(word string, candidates []string) string {
	if n := Nearest(word, candidates); n != "" {
		return "did you mean " + strconv.Quote(n) + "?"
	}
	if len(candidates) > 0 && len(candidates) <= 16 {
		sorted := slices.Clone(candidates)
		slices.Sort(sorted)
		return "one of: " + strings.Join(sorted, ", ")
	}
	return ""
}
