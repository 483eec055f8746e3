package consent

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// RowTitles gives the table that runs, for the test that compares it with the one
// that is published.
func RowTitles() []string {
	var list []string
	for _, r := range rows {
		list = append(list, strconv.Itoa(r.n)+" "+r.title)
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
