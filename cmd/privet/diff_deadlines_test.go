package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const deadlines = `privet: 1
name: deadlines
version: 1
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
calendars:
  - {name: office, weekend: [saturday, sunday], free: [2026-05-01, 2026-12-25]}
hold_grace: P14D
retention:
  - {id: reply, source: us, kind: floor, strength: law, anchor: asked, period: P1M, count: civil_days, roll: office, stages: {during: {name: open, allow: [read]}}}
  - {id: tell, source: us, kind: notice, strength: law, anchor: asked, period: P90D, schedule: {offsets: [P0D, P60D, P83D], at_least: 2, channels: [email]}}
`

// What a policy says of deadlines is told in the words that its author wrote.
func TestDiffOfDeadlines(t *testing.T) {
	changed := strings.NewReplacer("version: 1", "version: 2", "hold_grace: P14D", "hold_grace: P7D", "2026-05-01, ", "", "[saturday, sunday]", "[friday]",
		"name: open, allow: [read]", "name: open, allow: [read, export]", "at_least: 2", "at_least: 3", "P83D", "P85D", "count: civil_days, roll: office, ", "round: day, copies: [backup], ").Replace(deadlines)
	r := privet(t, "", "diff", file(t, "a.yaml", deadlines), file(t, "b.yaml", changed))
	require.NotEqual(t, exitStop, r.code, r.err)
	for _, want := range []string{
		"    hold_grace: P14D → P7D\n", "  ~ office\n    weekend: sunday, saturday → friday\n    free: 2026-05-01, 2026-12-25 → 2026-12-25\n",
		"    stages.during.allow: read → read, export\n", "    schedule.at_least: 2 → 3\n", "    schedule.offsets: P0D, P60D, P83D → P0D, P60D, P85D\n",
		"    count: civil_days → (none)\n", "    roll: office → (none)\n", "    round: (none) → day\n", "    copies: (none) → backup\n",
	} {
		assert.Contains(t, r.out, want)
	}
	without := deadlines[:strings.Index(deadlines, "calendars:")] + "retention: []\n"
	r = privet(t, "", "diff", file(t, "a.yaml", deadlines), file(t, "b.yaml", without))
	assert.Contains(t, r.out, "calendars\n  - office\n")
	assert.Contains(t, r.out, "    hold_grace: P14D → (none)\n")
}

// A rule that can never decide anything is told, and the policy is compiled.
func TestWarningsAreTold(t *testing.T) {
	name := file(t, "warn.yaml", strings.Replace(deadlines, "retention:\n", `retention:
  - {id: a, source: us, topic: t, kind: ceiling, strength: agreement, anchor: x, period: P30D}
  - {id: b, source: us, topic: t, kind: ceiling, strength: statement, anchor: x, period: P90D}
`, 1))
	r := privet(t, "", "compile", name)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "warn.yaml:10:32: warning: topic: unreachable: another rule of its topic always replaces it\n")
}
