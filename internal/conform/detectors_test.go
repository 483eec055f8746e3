package conform

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
)

// detectorCases are the true and false cases of all built-in detectors.
func detectorCases(t *testing.T) (out []celrules.Case) {
	dir := "../../classify/builtin"
	var sum bundle.Classification
	read := func(name string, base *bundle.Classification) []celrules.Case {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		var ps source.Problems
		doc := source.Parse(name, text, &ps).Map(&ps, "file")
		own, cases := celrules.Rules(doc, "builtin", base, &ps)
		if base == nil {
			sum = own
		} else {
			sum, _ = celrules.Merge(base, &own)
		}
		return cases
	}
	read("taxonomy.yaml", nil)
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	for _, file := range files {
		switch name := filepath.Base(file); name {
		case "taxonomy.yaml", "adjust.yaml", "names.yaml":
		default:
			base := sum
			out = append(out, read(name, &base)...)
		}
	}
	require.Greater(t, len(out), 3000)
	return out
}

// Every text of every case of the built-in detectors has the same labels, with the same
// confidence and places, natively and in the module.
func TestDetectorCases(t *testing.T) {
	bundles, err := Bundles()
	require.NoError(t, err)
	var cases []Case
	for i, c := range detectorCases(t) {
		input, err := json.Marshal(map[string]string{"value": c.Field.Value})
		require.NoError(t, err)
		cases = append(cases, Case{Name: "case " + strconv.Itoa(i), Op: "classify", Policy: "parity", Input: string(input)})
	}
	module, err := Module(t.Context(), t.TempDir())
	require.NoError(t, err)
	native, wazero := answersOfGo(t, bundles, cases), answersOfWazero(t, module, bundles, cases)
	labelled := 0
	for i := range cases {
		if native[i] != wazero[i] {
			t.Errorf("%s %s:\nwazero %s\ngo     %s", cases[i].Name, cases[i].Input, wazero[i].Text, native[i].Text)
		}
		if native[i].Text != `{"labels":[]}` {
			labelled++
		}
	}
	assert.Greater(t, labelled, 1500)
	t.Logf("%d texts, %d with labels: the same natively and in the module", len(cases), labelled)
}

// Each detector has eight true and eight false cases or more. With -v the table is told.
func TestDetectorTable(t *testing.T) {
	yes, no := map[string]int{}, map[string]int{}
	for _, c := range detectorCases(t) {
		if c.Match {
			yes[c.Detector]++
		} else {
			no[c.Detector]++
		}
	}
	ids := slices.Sorted(maps.Keys(yes))
	require.GreaterOrEqual(t, len(ids), 150)
	for _, id := range ids {
		assert.GreaterOrEqual(t, yes[id], 8, id)
		assert.GreaterOrEqual(t, no[id], 8, id)
		t.Logf("%-32s %3d %3d", id, yes[id], no[id])
	}
}
