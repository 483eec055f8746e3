package retention_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

// Copies are told where their window is another than that of the primary copy, each
// once, in the order of keys, in JSON and in text alike.
func TestToldCopies(t *testing.T) {
	bind := func(id string, kind retention.Kind, category retention.Selector, p string, copies ...retention.Copy) retention.Rule {
		return with(rule(t, id, kind, retention.Statement, category, "end", p), func(r *retention.Rule) { r.Copies = copies })
	}
	all := []retention.Copy{retention.Primary, retention.Cache, retention.Replica, retention.Backup, retention.Log, retention.Derived, retention.Media}
	var each []retention.Rule
	for i, c := range all {
		each = append(each, bind(c.String(), retention.Ceiling, "", fmt.Sprintf("P%dD", 100+i), c))
	}
	for _, tt := range []struct {
		name   string
		rules  []retention.Rule
		want   string
		reason string
	}{
		{"all", each, "backup cache derived log media replica", "every copy has a rule of its own"},
		{"one", []retention.Rule{bind("all", retention.Ceiling, "", "P9D"), bind("backup", retention.Floor, "", "P5D", retention.Backup)}, "backup", "the other copies are as the primary one"},
		{"other data", []retention.Rule{bind("all", retention.Ceiling, "", "P9D"), bind("backup", retention.Floor, "doc", "P5D", retention.Backup)}, "", "the rule of the copy is not about this category"},
		{"the same", []retention.Rule{bind("all", retention.Ceiling, "", "P9D"), bind("backup", retention.Ceiling, "", "P99D", retention.Backup)}, "", "the rule of the copy decides nothing"},
		{"media", []retention.Rule{bind("all", retention.Ceiling, "", "P9D"), with(bind("media", retention.Ceiling, "", "P99D", retention.Media), func(r *retention.Rule) { r.Method = retention.Purge })}, "media", "the method alone is another"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := rules(t, tt.rules...).Plan(input("x", "2026-01-01T00:00:00Z", "end", "2026-01-01T00:00:00Z")(t))
			require.NoError(t, err)
			text := p.AppendJSON(nil)
			var read struct{ Copies map[string]json.RawMessage }
			require.NoError(t, json.Unmarshal(text, &read))
			var got []string
			for c := range read.Copies {
				got = append(got, c)
			}
			slices.Sort(got)
			assert.Equal(t, tt.want, strings.Join(got, " "), tt.reason)
			last := -1
			for _, c := range got {
				at := strings.Index(string(text), `"`+c+`":{"breach"`)
				assert.Greater(t, at, last, "%s stands in the order of keys", c)
				last = at
			}
			assert.Equal(t, len(got), strings.Count(p.Explain(), "\n  copy "), "the text has a line for each")
		})
	}
}
