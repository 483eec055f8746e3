package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// people is a table with the canary in every column that people fill in.
func people() string {
	var b strings.Builder
	b.WriteString("name,age,zip,disease\n")
	for i := range 12 {
		fmt.Fprintf(&b, "canary-%d,%d,%d,%s\n", i, 30+i%4*5, 98050+i%3, []string{"canary flu", "canary asthma"}[i%2])
	}
	return b.String()
}

// riskRun runs privet risk; nothing of the table may be printed.
func riskRun(t testing.TB, stdin string, args ...string) ran {
	t.Helper()
	r := privet(t, stdin, append([]string{"risk"}, args...)...)
	require.NotContains(t, r.out, "canary")
	require.NotContains(t, r.out, "9805")
	return r
}

func TestRiskChecks(t *testing.T) {
	table := file(t, "people.csv", people())
	for _, tt := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"--quasi", "zip", "--k", "4"}, exitDone, []string{"12 rows in 3 classes by zip", "k-anonymity, at least 4: holds; the worst class has 4", "of 4                   3 classes"}},
		{[]string{"--quasi", "zip"}, exitBad, []string{"k-anonymity, at least 5: violated by 3 classes with 12 rows; the worst has 4", "rows 1 4 7 10 · 2 5 8 11 · 3 6 9 12", "of 3 to 4              3 classes  below k = 5"}},
		{[]string{"--quasi", "zip,age"}, exitBad, []string{"12 classes with 12 rows; the worst has 1", "rows 1 · 2 · 3 · 4 · 5 · …", "alone, below k = 5"}},
		{[]string{"--quasi", "zip", "--k", "4", "--sensitive", "disease", "--l", "2"}, exitDone, []string{"distinct l-diversity of disease, at least 2: holds; the worst class has 2"}},
		{[]string{"--quasi", "zip", "--k", "4", "--sensitive", "disease", "--l", "1.9", "--diversity", "entropy", "--t", "0.1"}, exitDone, []string{"entropy l-diversity of disease, at least 1.9: holds", "equal-distance t-closeness of disease, at most 0.1: holds; the worst class has 0"}},
		{[]string{"--quasi", "age", "--k", "3", "--sensitive", "disease", "--t", "0.2"}, exitBad, []string{"equal-distance t-closeness of disease, at most 0.2: violated by 4 classes with 12 rows; the worst has 0.5"}},
		{[]string{"--quasi", "zip", "--k", "4", "--sensitive", "age", "--t", "0", "--distance", "ordered"}, exitDone, []string{"ordered-distance t-closeness of age, at most 0: holds"}},
	} {
		r := riskRun(t, "", append([]string{table}, tt.args...)...)
		assert.Equal(t, tt.code, r.code, "%v: %s", tt.args, r.err)
		assert.Empty(t, r.err)
		for _, want := range tt.want {
			assert.Contains(t, r.out, want, tt.args)
		}
		piped := riskRun(t, people(), append([]string{"-"}, tt.args...)...)
		assert.Equal(t, r.out, piped.out, "a pipe is as good as a file")
	}
}

func TestRiskSearch(t *testing.T) {
	table := file(t, "people.csv", people())
	groups := file(t, "zip.csv", "98050;980*;*\n98051;980*;*\n98052;980*;*\n")
	out := filepath.Join(t.TempDir(), "released.csv")
	args := []string{table, "--quasi", "age,zip", "--k", "3", "--search", "--hierarchy", "age=bands:10", "--hierarchy", "zip=" + groups}
	r := riskRun(t, "", append(args, "--output", out)...)
	require.Equal(t, exitDone, r.code, r.err)
	for _, want := range []string{"12 rows in 12 classes by age, zip", "generalised: 12 rows in 4 classes", "loss 0.2500", "age                    as is (level 0 of 2)", "zip                    1 value (level 1 of 2)", "smallest class 3"} {
		assert.Contains(t, r.out, want)
	}
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "name,age,zip,disease\ncanary-0,30,980*,canary flu\n"), "all columns, and the quasi-identifiers generalised")
	again := riskRun(t, "", out, "--quasi", "age,zip", "--k", "3")
	assert.Equal(t, exitDone, again.code, "what was written meets what was wanted")

	stray := file(t, "people.csv", people()+"canary,99,98050,canary flu\n")
	args[0] = stray
	r = riskRun(t, "", append(args, "--suppress", "1", "--output", out)...)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, "1 row left out")
	assert.Contains(t, r.out, "loss 0.2500")
	text, err = os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, 13, strings.Count(string(text), "\n"), "the row is not there")
	assert.NotContains(t, string(text), ",99,")
	assert.NotContains(t, string(text), "canary,")

	r = riskRun(t, "", append(args, "--k", "14")...)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.out, "no generalisation meets the criteria")
	r = privet(t, "", append([]string{"risk"}, append(args, "--suppress", "1", "--output", "-")...)...)
	assert.Equal(t, string(text), r.out, "the table alone on standard output")
	assert.Contains(t, r.err, "loss 0.2500")
}

func TestRiskArguments(t *testing.T) {
	table := file(t, "people.csv", people())
	bad := file(t, "h.csv", "canary;x;u\ny;x;v\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "which table?; name a CSV file"},
		{[]string{"a", "b"}, "more than one table"},
		{[]string{table}, "which columns are quasi-identifiers?"},
		{[]string{table, "--quasi", "age,shoe"}, `people.csv: column "shoe": there is no such column`},
		{[]string{table, "--quasi", "age,age"}, `column "age": named twice`},
		{[]string{table, "--quasi", "age", "--k", "0"}, "--k must be 1 or more"},
		{[]string{table, "--quasi", "age", "--l", "2"}, "name it: --sensitive disease"},
		{[]string{table, "--quasi", "age", "--sensitive", "disease"}, "--sensitive without a bound"},
		{[]string{table, "--quasi", "age", "--sensitive", "disease", "--l", "1.5"}, "--l must be a whole number"},
		{[]string{table, "--quasi", "age", "--sensitive", "disease", "--l", "0"}, "the bound must be 1 or more"},
		{[]string{table, "--quasi", "age", "--sensitive", "disease", "--t", "2"}, "t must be from 0 to 1"},
		{[]string{table, "--quasi", "age", "--sensitive", "disease", "--t", "0.1", "--distance", "ordered"}, "the value is not a number"},
		{[]string{table, "--quasi", "age", "--sensitive", "disease", "--t", "0.1", "--distance", "far"}, "--distance has no such way"},
		{[]string{table, "--quasi", "age", "--diversity", "much"}, "--diversity has no such way"},
		{[]string{table, "--quasi", "age", "--hierarchy", "age=date"}, "are for a search"},
		{[]string{table, "--quasi", "age", "--suppress", "2"}, "are for a search"},
		{[]string{table, "--quasi", "age", "--search", "--suppress", "-2"}, "--suppress must not be negative"},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "age"}, "--hierarchy without column and rule"},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "zip=date"}, `column "zip" is no quasi-identifier`},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "age=date", "--hierarchy", "age=suppress"}, `column "age" has two`},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "age=date"}, `people.csv: hierarchy: column "age": row 1: the value is no date`},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "age=bands:3,7"}, "--hierarchy age: rule: bands: width 7 is no multiple of 3"},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "age=none.csv"}, "cannot read the hierarchy none.csv: there is no such file"},
		{[]string{table, "--quasi", "age", "--search", "--hierarchy", "age=" + bad}, "h.csv: hierarchy: line 2: level 1 is as in an earlier line"},
		{[]string{table, "--quasi", "age", "--delimiter", "ab"}, "--delimiter must be one character"},
		{[]string{table, "--quasi", "age", "--delimiter", ";"}, `there is no such column`},
		{[]string{table, "--quasi", "age", "--max-line", "0"}, "--max-line must be"},
		{[]string{table, "--quasi", "age", "--search", "--html", "-", "--output", "-"}, "cannot both go to standard output"},
		{[]string{"none.csv", "--quasi", "age"}, "cannot read the table none.csv: there is no such file"},
		{[]string{t.TempDir(), "--quasi", "age"}, "is a folder"},
		{[]string{file(t, "people.csv.gz", "\x1f\x8bcanary"), "--quasi", "age"}, "people.csv.gz: compressed with gzip, and CSV is wanted; unpack it on the way: zcat "},
		{[]string{file(t, "people.xlsx", "PK\x03\x04canary"), "--quasi", "age"}, "export it as CSV"},
		{[]string{file(t, "ragged.csv", "age,zip\n1\n"), "--quasi", "age"}, "ragged.csv: line 2: has 1 field, not 2"},
		{[]string{file(t, "empty.csv", ""), "--quasi", "age"}, "empty.csv: it is empty"},
	} {
		r := riskRun(t, "", tt.args...)
		assert.Equal(t, exitStop, r.code, "%v", tt.args)
		assert.Empty(t, r.out, tt.args)
		assert.Contains(t, r.err, tt.want, tt.args)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := runWith(t, ctx, strings.NewReader(people()), "risk", "-", "--quasi", "age")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "stopped")
}

func TestRiskPage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "risk.html")
	r := riskRun(t, people(), "-", "--quasi", "age,zip", "--k", "3", "--sensitive", "disease", "--l", "2", "--search", "--hierarchy", "age=bands:10", "--hierarchy", "zip=prefix:3", "--html", page)
	require.Equal(t, exitDone, r.code, r.err)
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	text := string(data)
	assert.NotContains(t, text, "canary")
	assert.NotContains(t, text, "9805")
	for _, banned := range []string{"<script", "http:", "https:", "src=", "href=", "url(", "@import", "<link", "<iframe", "onload", "ZgotmplZ"} {
		assert.NotContains(t, text, banned, "one page, self-contained, without scripts")
	}
	for _, needed := range []string{`<html lang="en">`, `<meta name="viewport"`, "prefers-color-scheme: dark", "@media print", `<th scope="row">`, "aria-labelledby=", "<main>", "<title>", "below k = 3", "The table as it is", "The table generalised"} {
		assert.Contains(t, text, needed, "light and dark, printable, readable aloud, and colour is not the only sign")
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		assert.False(t, ids[m[1]], "id %s twice", m[1])
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`aria-labelledby="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		assert.True(t, ids[m[1]], "label %s is nowhere", m[1])
	}
	r = riskRun(t, people(), "-", "--quasi", "age", "--html", "-")
	assert.Contains(t, r.out, "<!DOCTYPE html>")
	assert.Contains(t, r.err, "k-anonymity, at least 5: violated")

	// A name of a column is text, not markup.
	r = privet(t, "\"<b>&\",b\n1,2\n", "risk", "-", "--quasi", "<b>&", "--html", "-")
	assert.Contains(t, r.out, "&lt;b&gt;&amp;")
	assert.NotContains(t, r.out, "<b>")

	r = riskRun(t, "a,b\n", "-", "--quasi", "a", "--html", "-")
	assert.Equal(t, exitDone, r.code, "a table without rows: %s", r.err)
	assert.Contains(t, r.out, "There is no class.")
}

// Each class is in one bar, and bars do not reach over k.
func TestSizeBins(t *testing.T) {
	for k := 1; k < 130; k++ {
		sizes := map[int]int{}
		rows, classes := 0, 0
		for size := 1; size < 3000; size += 1 + size/7 {
			sizes[size] = size%3 + 1
			classes += sizes[size]
			rows += size * sizes[size]
		}
		last := 0
		for _, b := range sizeBins(sizes, k) {
			require.Equal(t, last+1, b.low, "without a gap")
			require.False(t, b.low < k && k <= b.high, "k = %d is inside of %s", k, b.label())
			last = b.high
			rows -= b.rows
			classes -= b.classes
		}
		require.Zero(t, rows)
		require.Zero(t, classes)
	}
	assert.Empty(t, sizeBins(nil, 5))
	bins := sizeBins(map[int]int{7: 2, 60: 1}, 5)
	assert.Equal(t, []sizeBin{{5, 9, 2, 14}, {10, 19, 0, 0}, {20, 49, 0, 0}, {50, 99, 1, 60}}, bins, "a gap shows, and nothing before the first")
}

// The transcripts of docs/risk.md are run from top to bottom in one folder.
func TestRiskDocs(t *testing.T) {
	path := filepath.Join(sourceFolder(t), "..", "..", "docs", "risk.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.CopyFS(home, os.DirFS("testdata/risk/docs")))
	t.Chdir(home)
	block := regexp.MustCompile("(?s)```console\n\\$ (.*?)\n(.*?)```")
	shown := 0
	fresh := block.ReplaceAllStringFunc(string(text), func(b string) string {
		m := block.FindStringSubmatch(b)
		got := ""
		if name, ok := strings.CutPrefix(m[1], "cat "); ok {
			content, err := os.ReadFile(name)
			require.NoError(t, err)
			got = string(content)
		} else {
			args := strings.Fields(m[1])
			require.Equal(t, "privet", args[0])
			r := privet(t, "", args[1:]...)
			require.Empty(t, r.err)
			got = regexp.MustCompile(`(?m)^in \d+m?s$`).ReplaceAllString(r.out, "in 3ms")
		}
		shown++
		if !*update {
			assert.Equal(t, m[2], got, "%s: run with -update after reading the difference", m[1])
		}
		return "```console\n$ " + m[1] + "\n" + got + "```"
	})
	require.GreaterOrEqual(t, shown, 5, "the document shows commands")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
	}
}
