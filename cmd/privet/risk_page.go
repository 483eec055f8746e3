package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/privacy/risk"
)

// A riskPage is what `privet risk` tells people: names of columns that they gave,
// counts, and numbers of rows.
type riskPage struct {
	Quasi   []string
	K       int
	Tables  []riskTable // as it is, and generalised if a search found a way
	Search  *risk.Generalisation
	Elapsed time.Duration
}

// A riskTable is one state of the table.
type riskTable struct {
	ID, Name                   string
	Rows, Classes, Alone, K    int
	Reports                    []risk.Report
	ClassesBySize, RowsBySizes section
}

// Holds reports whether all criteria are met.
func (t *riskTable) Holds() bool {
	return !slices.ContainsFunc(t.Reports, func(r risk.Report) bool { return !r.Holds() })
}

// add measures one state of the table.
func (p *riskPage) add(name string, classes *risk.Classes, criteria []risk.Criterion) error {
	reports, err := classes.Check(criteria...)
	if err != nil {
		return err
	}
	sizes := classes.Sizes()
	t := riskTable{ID: "t" + strconv.Itoa(len(p.Tables)), Name: name, Rows: classes.Rows(), Classes: classes.Len(), Alone: sizes[1], K: classes.K(), Reports: reports}
	t.ClassesBySize = section{ID: t.ID + "-classes", Title: "Classes by size", Unit: "classes", Head: "Rows in the class", About: "How many classes there are of each size. A class below k does not hide its people."}
	t.RowsBySizes = section{ID: t.ID + "-rows", Title: "Rows by size of their class", Unit: "rows", Head: "Rows in the class", About: "How many rows are in classes of each size: how many people are exposed, and how many are not."}
	for _, b := range sizeBins(sizes, p.K) {
		kind, detail := "allow", ""
		if b.high < p.K {
			kind, detail = "deny", "below k = "+group(p.K)
			if b.high == 1 {
				detail = "alone, " + detail
			}
		}
		t.ClassesBySize.add(b.label(), detail, kind, b.classes)
		t.RowsBySizes.add(b.label(), detail, kind, b.rows)
	}
	p.Tables = append(p.Tables, t)
	return nil
}

// A sizeBin is a range of class sizes.
type sizeBin struct{ low, high, classes, rows int }

func (b sizeBin) label() string {
	if b.low == b.high {
		return group(b.low)
	}
	return group(b.low) + " to " + group(b.high)
}

// sizeBins puts sizes into ranges 1, 2, 3 to 4, 5 to 9, 10 to 19, 20 to 49 and so on,
// cut at k, so that no bar has classes on both sides of it. Ranges without any class
// are there if they are between others, so that gaps show.
func sizeBins(sizes map[int]int, k int) []sizeBin {
	largest := 0
	for size := range sizes {
		largest = max(largest, size)
	}
	edges := []int{1, 2, 3}
	for step := 5; edges[len(edges)-1] <= largest; {
		edges = append(edges, step)
		if lead := strconv.Itoa(step)[0]; lead == '2' {
			step = step / 2 * 5
		} else {
			step *= 2
		}
	}
	if k > 1 && k <= largest {
		edges = append(edges, k)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	bins := make([]sizeBin, len(edges)-1)
	for i := range bins {
		bins[i].low, bins[i].high = edges[i], edges[i+1]-1
	}
	for size, n := range sizes {
		i, exact := slices.BinarySearch(edges, size)
		if !exact {
			i--
		}
		bins[i].classes += n
		bins[i].rows += n * size
	}
	for len(bins) > 0 && bins[len(bins)-1].classes == 0 {
		bins = bins[:len(bins)-1]
	}
	for len(bins) > 0 && bins[0].classes == 0 {
		bins = bins[1:]
	}
	return bins
}

// mostShown is how many classes, and rows of each, a summary names.
const mostShown = 5

// measured writes a measured value: whole as such, others to four digits.
func measured(x float64) string {
	if x == float64(int64(x)) {
		return group(int64(x))
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// ofClass counts classes.
func ofClass(n int) string {
	if n == 1 {
		return "1 class"
	}
	return group(n) + " classes"
}

// outcome says in a line how a criterion came out.
func outcome(r risk.Report) string {
	if r.Rows == 0 {
		return "there is no row"
	}
	if r.Holds() {
		return "holds; the worst class has " + measured(r.Worst)
	}
	return "violated by " + ofClass(len(r.Violations)) + " with " + plural(r.ViolatingRows, "row") + "; the worst has " + measured(r.Worst)
}

// where names rows of the worst classes.
func where(r risk.Report) string {
	var parts []string
	for _, v := range r.Violations[:min(mostShown, len(r.Violations))] {
		var rows []string
		for row := range v.Class.Rows() {
			if len(rows) == mostShown {
				rows = append(rows, "…")
				break
			}
			rows = append(rows, group(row))
		}
		parts = append(parts, strings.Join(rows, " "))
	}
	if len(r.Violations) > mostShown {
		parts = append(parts, "…")
	}
	return strings.Join(parts, " · ")
}

func (p *riskPage) print(w io.Writer) {
	for i := range p.Tables {
		t := &p.Tables[i]
		fmt.Fprintf(w, "%s: %s in %s by %s\n", t.Name, plural(t.Rows, "row"), ofClass(t.Classes), strings.Join(p.Quasi, ", "))
		for _, r := range t.Reports {
			fmt.Fprintf(w, "  %s: %s\n", r.Criterion, outcome(r))
			if !r.Holds() {
				fmt.Fprintf(w, "    rows %s\n", where(r))
			}
		}
		for _, b := range t.ClassesBySize.Rows {
			detail := ""
			if b.Detail != "" {
				detail = "  " + b.Detail
			}
			fmt.Fprintf(w, "    %-22s %s%s\n", "of "+b.Label, ofClass(b.N), detail)
		}
	}
	if s := p.Search; s != nil {
		if !s.Found {
			fmt.Fprintf(w, "search: no generalisation meets the criteria; %s of %s measured\n", group(s.Checked), plural(s.Nodes, "generalisation"))
		} else {
			fmt.Fprintf(w, "search: loss %.4f, discernibility %s, smallest class %s; %s of %s measured\n", s.Loss, group(int64(s.Discernibility)), group(s.K), group(s.Checked), plural(s.Nodes, "generalisation"))
			for _, step := range s.Steps {
				fmt.Fprintf(w, "  %-22s %s (level %d of %d)\n", step.Column, step.Name, step.Level, step.Height)
			}
			if s.Suppressed > 0 {
				fmt.Fprintf(w, "  %s left out\n", plural(s.Suppressed, "row"))
			}
		}
	}
	fmt.Fprintf(w, "in %s\n", short(p.Elapsed))
}

//go:embed risk.html
var riskText string

// riskStyle is the style of the other report, so that both look alike.
var riskStyle = func() template.CSS {
	_, rest, _ := strings.Cut(reportText, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	return template.CSS(style)
}()

var riskTemplate = template.Must(template.New("risk").Funcs(template.FuncMap{"group": group[int], "share": share, "outcome": outcome, "join": strings.Join}).Parse(riskText))

// page is the picture: one HTML page that needs nothing else.
func (p *riskPage) page() ([]byte, error) {
	var page bytes.Buffer
	err := riskTemplate.Execute(&page, map[string]any{"Page": p, "Style": riskStyle})
	return page.Bytes(), err
}
