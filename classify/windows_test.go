package classify_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

func windowsNames(t testing.TB) []string {
	f, err := os.Open("testdata/windows-fields.tsv")
	require.NoError(t, err)
	defer f.Close()
	var names []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	require.NotEmpty(t, names)
	return names
}

// Seven of ten names of a real event schema get a label from the name alone.
func TestWindowsCoverage(t *testing.T) {
	names := windowsNames(t)
	c := classify.Builtin()
	counts := map[string]int{}
	var labelled int
	var none []string
	for _, name := range names {
		labels := c.Field(classify.Field{Name: name})
		if len(labels) == 0 {
			none = append(none, name)
			continue
		}
		labelled++
		counts[labels[0].Category]++
	}
	t.Logf("%d of %d names labelled, %.1f %%", labelled, len(names), 100*float64(labelled)/float64(len(names)))
	for _, k := range c.Categories() {
		if n := counts[k.Key]; n > 0 {
			t.Logf("%5d %s", n, k.Key)
		}
	}
	t.Logf("without a label: %s", strings.Join(none, " "))
	require.GreaterOrEqual(t, labelled*100, 70*len(names))
}
