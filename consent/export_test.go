package consent

import (
	"os"
	"regexp"
	"testing"
)

// A TableRow is a row of the precedence table.
type TableRow struct {
	N       int
	Title   string
	Outcome string
	Reasons []Reason
}

// Table gives the table that runs.
func Table() []TableRow {
	var list []TableRow
	for _, r := range rows {
		list = append(list, TableRow{r.n, r.title, r.outcome, r.reasons})
	}
	return list
}

// Reasons reads the constants from the source.
func Reasons(t *testing.T) []Reason {
	src, err := os.ReadFile("decision.go")
	if err != nil {
		t.Fatal(err)
	}
	var list []Reason
	for _, m := range regexp.MustCompile(`Reason\w+ +Reason = "([A-Z_]+)"`).FindAllStringSubmatch(string(src), -1) {
		list = append(list, Reason(m[1]))
	}
	if len(list) == 0 {
		t.Fatal("no reasons found")
	}
	return list
}
