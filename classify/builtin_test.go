package classify_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

// table reads the lines of a file of tab-separated columns. There are some.
func table(t testing.TB, file string) [][]string {
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	var rows [][]string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	require.NoError(t, s.Err())
	require.NotEmpty(t, rows, file)
	return rows
}

// first is the first label that a name gets, and all of them as text.
func first(c *classify.Classifier, name string) (category, all string) {
	labels := c.Field(classify.Field{Name: name})
	if len(labels) == 0 {
		return "", "nothing"
	}
	var b strings.Builder
	for i := range labels {
		b.WriteString(" " + labels[i].Category + " by " + labels[i].Rule)
	}
	return labels[0].Category, b.String()[1:]
}

// related reports whether one category is the other or lies below it.
func related(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

// recall counts the names whose first label is the expected category or one above or
// below it, and lists the others.
func recall(t *testing.T, rows [][]string) (found int) {
	c := classify.Builtin()
	known := map[string]bool{}
	for _, k := range c.Categories() {
		known[k.Key] = true
	}
	for _, row := range rows {
		require.Len(t, row, 3, "%q", row)
		require.True(t, known[row[1]], "%s: no such category: %s", row[0], row[1])
		if got, all := first(c, row[0]); got != "" && related(got, row[1]) {
			found++
		} else {
			t.Logf("missed: %s is %s, got %s", row[0], row[1], all)
		}
	}
	return found
}

// alarms counts the names whose first label speaks of a person, and lists them. Only
// what a row allows, of a device or of a failure, is none.
func alarms(t *testing.T, rows [][]string) (n int) {
	c := classify.Builtin()
	for _, row := range rows {
		got, all := first(c, row[0])
		if !strings.HasPrefix(got, "user") || len(row) > 2 && related(got, row[2]) {
			continue
		}
		n++
		t.Logf("false: %s (%s) got %s", row[0], row[1], all)
	}
	return n
}

func TestPersonalNames(t *testing.T) {
	rows := table(t, "names-personal.tsv")
	require.GreaterOrEqual(t, len(rows), 600)
	found := recall(t, rows)
	t.Logf("%d of %d names get their category, %.1f %%", found, len(rows), 100*float64(found)/float64(len(rows)))
	assert.GreaterOrEqual(t, found*100, 97*len(rows))

	seen := map[string]int{}
	for _, row := range rows {
		seen[row[1]]++
	}
	for _, k := range classify.Builtin().Categories() {
		if strings.Contains(k.Key, ".") && k.Key != "system.operations" {
			assert.GreaterOrEqual(t, seen[k.Key], 3, "%s has too few names", k.Key)
		}
	}
}

func TestOtherNames(t *testing.T) {
	rows := table(t, "names-other.tsv")
	require.GreaterOrEqual(t, len(rows), 600)
	n := alarms(t, rows)
	t.Logf("%d of %d names are false alarms, %.2f %%", n, len(rows), 100*float64(n)/float64(len(rows)))
	assert.LessOrEqual(t, n*100, len(rows))
}

// Names that the rules were not fitted to. The bounds are wider than what was measured.
func TestHeldOutNames(t *testing.T) {
	personal, other := table(t, "names-heldout-personal.tsv"), table(t, "names-heldout-other.tsv")
	found, n := recall(t, personal), alarms(t, other)
	t.Logf("%d of %d names get their category, %.1f %%", found, len(personal), 100*float64(found)/float64(len(personal)))
	t.Logf("%d of %d names are false alarms, %.2f %%", n, len(other), 100*float64(n)/float64(len(other)))
	assert.GreaterOrEqual(t, found*100, 90*len(personal))
	assert.LessOrEqual(t, n*100, 3*len(other))
}

// Names that look like personal data to whoever reads a word only.
func TestNotPersonal(t *testing.T) {
	c := classify.Builtin()
	for _, name := range strings.Fields(`status_code order_id timezone time_zone countdown country_count email_template is_active page_name file_name
		host address_bus sex_ratio race_condition score token_count cell_height mobile_layout ip_version card_layout pan_zoom
		nom_fichier nombre_archivo nombre_articles`) {
		for _, l := range c.Field(classify.Field{Name: name}) {
			assert.False(t, strings.HasPrefix(l.Category, "user"), "%s: %+v", name, l)
		}
	}
}

// Every category has a name rule, except for the roots of the tree.
func TestEveryCategoryHasARule(t *testing.T) {
	c := classify.Builtin()
	got := map[string]bool{}
	for _, row := range append(table(t, "names-personal.tsv"), table(t, "names-other.tsv")...) {
		for _, l := range c.Field(classify.Field{Name: row[0]}) {
			got[l.Category] = true
		}
	}
	for _, k := range c.Categories() {
		if strings.Contains(k.Key, ".") {
			assert.True(t, got[k.Key], "no name gets %s", k.Key)
		}
	}
}
