package conform

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy/policy"
)

// The rules of the scenarios of package retention, as an author writes them. A policy
// names its sources by ids and its conditions in CEL; scenariosOfPolicies says how that
// changes the golden bytes.
const (
	head = `privet: 1
name: scenario
classes: [service.required, account]
purposes: [{key: service, basis: contract}]
categories: [{key: device}, {key: device.alert}, {key: customer}, {key: doc}, {key: doc.contract}, {key: invoice}, {key: profile}]
`
	serviceRules = `
  - {id: ephemeral, source: test-ephemeral, kind: ceiling, strength: typical, class: service.required, anchor: used_at, period: PT48H}
  - {id: device, source: test-device, topic: device, kind: ceiling, strength: statement, category: device, anchor: device_removed, period: P30D}
  - {id: alert-floor, source: test-alert-floor, topic: device, kind: floor, strength: statement, category: device.alert, anchor: device_removed, period: P180D}
  - {id: alert-ceiling, source: test-alert-ceiling, topic: device, kind: ceiling, strength: statement, category: device.alert, anchor: device_removed, period: P180D}
`
	accountRules = `
  - {id: deletion, source: 002-41, kind: ceiling, strength: statement, category: customer, after: limited, period: P90D, when: has(subject.attr.in_scope)}
  - id: limited
    source: 002-39
    kind: floor
    strength: statement
    category: customer
    anchor: subscription_end
    period: P90D
    when: "!has(subject.attr.free_trial)"
    stages:
      before: {name: active, allow: ["*"]}
      during: {name: limited, allow: [export, renew]}
      after: {name: disabled}
  - id: announce
    source: 002-39
    kind: notice
    strength: statement
    category: customer
    anchor: subscription_end
    period: P90D
    when: "!has(subject.attr.free_trial)"
    schedule: {offsets: [P0D, P60D, P83D], at_least: 2, purpose: deletion, channels: [email]}
`
	eraseRules = `
  - {id: tax, source: test-tax, kind: floor, strength: law, category: invoice, anchor: created, period: P10Y, cutoff: end_of_year}
  - {id: account, source: test-account, kind: floor, strength: organisation, category: profile, anchor: created, period: P20Y}
  - {id: wish, source: test-wish, kind: delete, strength: default, category: profile, anchor: created, period: P15Y}
`
	answerRule = `
  - {id: answer, source: test-answer, kind: floor, strength: law, anchor: request, period: P1M, zone: Europe/Berlin, count: civil_days, roll: test}
`
	week = "\ncalendars: [{name: test, weekend: [saturday, sunday]}]\n"
)

var scenarioPolicies = map[string]string{
	"service":   serviceRules,
	"promotion": serviceRules + "  - {id: account, source: test-account, kind: ceiling, strength: organisation, class: account, anchor: promoted, period: P1Y}\n",
	"account":   accountRules,
	"topic": `
  - {id: statement, source: test-statement, topic: deletion, kind: ceiling, strength: statement, anchor: end, period: P90D}
  - {id: agreement, source: test-agreement, topic: deletion, kind: ceiling, strength: agreement, anchor: end, period: P60D}`,
	"floors": `
  - {id: seven, source: test-seven, kind: floor, strength: default, anchor: created, period: P7Y}
  - {id: five, source: test-five, kind: floor, strength: default, anchor: modified, period: P5Y}`,
	"label": `
  - {id: five, source: test-five, kind: delete, strength: default, anchor: created, period: P5Y}
  - {id: ten, source: test-ten, kind: delete, strength: default, category: doc, anchor: created, period: P10Y}
  - {id: label, source: test-label, kind: delete, strength: default, category: doc.contract, anchor: created, period: P7Y}`,
	"retain": `
  - {id: label, source: test-label, kind: delete, strength: default, category: doc, anchor: created, period: P7Y}
  - {id: retain, source: test-retain, kind: floor, strength: default, anchor: created, period: P10Y}`,
	"wishes": `
  - {id: three, source: test-three, kind: delete, strength: default, anchor: created, period: P3Y}
  - {id: one, source: test-one, kind: delete, strength: default, anchor: created, period: P1Y}`,
	"conflict": `
  - {id: tax, source: test-tax, kind: floor, strength: law, anchor: created, period: P10Y}
  - {id: contract, source: test-contract, kind: ceiling, strength: agreement, anchor: created, period: P90D}`,
	"erase":               eraseRules,
	"year":                "\n  - {id: year, source: test-year, kind: floor, strength: law, anchor: created, period: P1Y}",
	"up":                  "\n  - {id: three, source: test-three, kind: floor, strength: default, anchor: created, period: P3D, round: day}",
	"down":                "\n  - {id: three, source: test-three, kind: ceiling, strength: default, anchor: created, period: P3D, round: day}",
	"invoice":             "\n  - {id: invoice, source: test-invoice, kind: floor, strength: law, anchor: invoiced, period: P10Y, zone: Europe/Berlin, cutoff: end_of_year}",
	"answer":              answerRule + week,
	"answer at Christmas": answerRule + strings.Replace(week, "sunday]", "sunday], free: [2025-12-26, 2025-12-25]", 1),
	"answer in May":       answerRule + strings.Replace(week, "sunday]", "sunday], free: [2026-05-01]", 1),
}

// The inputs of the scenarios, by the names that they have in package retention.
var scenarioInputs = []struct{ id, policy, input string }{
	{"S1", "service", `"now":"2026-03-28T12:00:00Z","category":"telemetry","class":"service.required","anchors":{"used_at":"2026-03-28T10:00:00Z"}`},
	{"S1 overdue", "service", `"now":"2026-03-30T10:00:00Z","category":"telemetry","class":"service.required","anchors":{"used_at":"2026-03-28T10:00:00Z"}`},
	{"S2 personal", "service", `"now":"2024-02-01T00:00:00Z","category":"device.personal","anchors":{"device_removed":"2024-01-31T00:00:00Z"}`},
	{"S2 alert", "service", `"now":"2024-03-02T00:00:00Z","category":"device.alert","anchors":{"device_removed":"2024-01-31T00:00:00Z"}`},
	{"S3", "account", `"now":"2026-01-01T00:00:00Z",` + paid + `,` + ended},
	{"S3n", "account", `"now":"2026-01-01T00:00:00Z",` + paid + `,` + ended},
	{"S4", "account", `"now":"2024-02-28T00:00:00Z",` + paid + `,"anchors":{"subscription_end":"2023-11-30T00:00:00Z"}`},
	{"S5", "account", `"now":"2026-01-01T00:00:00Z","category":"customer.files","subject":{"attr":{"in_scope":"yes","free_trial":"yes"}},` + ended},
	{"S6", "account", `"now":"2026-01-01T00:00:00Z","category":"customer.files",` + ended},
	{"S7", "account", `"now":"2026-02-11T00:00:00Z",` + paid + `,"withdrawn":{"subscription_end":"2026-02-10T00:00:00Z"}`},
	{"S8", "account", `"now":"2026-03-02T00:00:00Z",` + paid + `,` + ended + `,"holds":[` + holdOf("case-1", "suspend", "2026-03-01T00:00:00Z", "") + `]`},
	{"S8 past the ceiling", "account", `"now":"2026-06-30T00:00:00Z",` + paid + `,` + ended + `,"holds":[` + holdOf("case-1", "suspend", "2026-03-01T00:00:00Z", "") + `]`},
	{"S9", "account", `"now":"2026-08-15T00:00:00Z",` + paid + `,` + ended + `,"holds":[` + holdOf("case-1", "suspend", "2026-03-01T00:00:00Z", "2026-08-15T00:00:00Z") + `]`},
	{"S9 past the grace", "account", `"now":"2026-09-14T00:00:00Z",` + paid + `,` + ended + `,"holds":[` + holdOf("case-1", "suspend", "2026-03-01T00:00:00Z", "2026-08-15T00:00:00Z") + `]`},
	{"S11", "topic", `"now":"2026-01-02T00:00:00Z","category":"x","anchors":{"end":"2026-01-01T00:00:00Z"}`},
	{"S12 before", "promotion", `"now":"2026-03-28T12:00:00Z","category":"telemetry","class":"service.required","anchors":{"used_at":"2026-03-28T10:00:00Z"}`},
	{"S12 after", "promotion", `"now":"2026-03-29T12:00:00Z","category":"telemetry","class":"account","anchors":{"used_at":"2026-03-28T10:00:00Z","promoted":"2026-03-29T00:00:00Z"}`},
	{"K1", "floors", `"now":"2026-06-01T00:00:00Z","category":"x","anchors":{"created":"2019-01-10T00:00:00Z","modified":"2023-08-15T00:00:00Z"}`},
	{"K2", "label", `"now":"2026-06-01T00:00:00Z","category":"doc.contract",` + created2020},
	{"K3", "retain", `"now":"2029-12-31T23:59:59Z","category":"doc",` + created2020},
	{"K3 then", "retain", `"now":"2030-01-01T00:00:00Z","category":"doc",` + created2020},
	{"K4", "wishes", `"now":"2021-01-01T00:00:00Z","category":"x",` + created2020},
	{"K5", "conflict", `"now":"2020-01-02T00:00:00Z","category":"invoice",` + created2020},
	{"K6 invoice", "erase", `"now":"2026-05-21T00:00:00Z","category":"invoice","anchors":{"created":"2016-03-15T00:00:00Z"},` + erasure},
	{"K6 profile", "erase", `"now":"2026-05-20T00:00:00Z","category":"profile","anchors":{"created":"2016-03-15T00:00:00Z"},` + erasure},
	{"H1", "year", heldYear + holdOf("h", "restart", "2025-06-01T00:00:00Z", "2026-03-01T00:00:00Z") + `]`},
	{"H2", "year", heldYear + holdOf("h", "suspend", "2025-06-01T00:00:00Z", "2026-03-01T00:00:00Z") + `]`},
	{"H3", "year", heldYear + holdOf("h", "toll", "2025-06-01T00:00:00Z", "2025-09-01T00:00:00Z") + `]`},
	{"H4", "year", heldYear + holdOf("h", "toll", "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z") + `,` + holdOf("i", "toll", "2025-06-15T00:00:00Z", "2025-08-01T00:00:00Z") + `]`},
	{"Z1", "up", `"now":"2020-01-02T00:00:00Z","category":"x","anchors":{"created":"2020-01-01T10:30:00Z"}`},
	{"Z2", "down", `"now":"2020-01-02T00:00:00Z","category":"x","anchors":{"created":"2020-01-01T10:30:00Z"}`},
	{"Z3", "invoice", `"now":"2020-01-02T00:00:00Z","category":"x","anchors":{"invoiced":"2016-03-15T09:00:00Z"}`},
	{"Z4", "answer", `"now":"2026-02-01T00:00:00Z","category":"x","anchors":{"request":"2026-01-30T10:00:00Z"}`},
	{"Z5", "answer at Christmas", `"now":"2025-12-01T00:00:00Z","category":"x","anchors":{"request":"2025-11-25T10:00:00Z"}`},
	{"Z6", "answer in May", `"now":"2026-04-02T00:00:00Z","category":"x","anchors":{"request":"2026-04-01T10:00:00Z"}`},
	{"B1 at", "service", `"now":"2024-03-01T00:00:00Z","category":"device","anchors":{"device_removed":"2024-01-31T00:00:00Z"}`},
	{"B1 before", "service", `"now":"2024-02-29T23:59:59.999999999Z","category":"device","anchors":{"device_removed":"2024-01-31T00:00:00Z"}`},
}

const (
	paid        = `"category":"customer.files","subject":{"attr":{"in_scope":"yes"}}`
	ended       = `"anchors":{"subscription_end":"2025-12-31T23:59:59Z"}`
	created2020 = `"anchors":{"created":"2020-01-01T00:00:00Z"}`
	erasure     = `"erasure":{"id":"request-7","source":"case 7","at":"2026-05-20T00:00:00Z"}`
	heldYear    = `"now":"2026-03-01T00:00:00Z","category":"x","anchors":{"created":"2025-01-01T00:00:00Z"},"holds":[`
)

func holdOf(id, effect, placed, released string) string {
	if released != "" {
		released = `,"released":"` + released + `"`
	}
	return `{"id":"` + id + `","reason":"a reason for people","authority":"court order 1/26","scope":"*","effect":"` + effect + `","placed":"` + placed + `"` + released + `}`
}

// scenarioPolicy completes the rules of a policy: its sources are those that they name.
func scenarioPolicy(t *testing.T, rules string) []byte {
	text := head + "sources:\n"
	var seen []string
	for _, m := range regexp.MustCompile(`source: ([a-z0-9-]+)`).FindAllStringSubmatch(rules, -1) {
		if !slices.Contains(seen, m[1]) {
			seen = append(seen, m[1])
			text += "  - {id: " + m[1] + ", title: A source, layer: default, as_of: undated}\n"
		}
	}
	b, err := policy.Compile("scenario.yaml", []byte(text+"retention:"+rules))
	require.NoError(t, err)
	return b.Bytes()
}

// scenariosOfPolicies are the golden plans of package retention in the words of a
// policy: ids of sources for free texts, CEL for the names of Go functions. Nothing
// else differs.
func scenariosOfPolicies(t *testing.T) map[string]string {
	text, err := os.ReadFile("../../retention/testdata/scenarios.json")
	require.NoError(t, err)
	for _, r := range [][2]string{
		{`"source":"test:`, `"source":"test-`}, {`"source":"002:`, `"source":"002-`},
		{`"because":"in_scope"`, `"because":"has(subject.attr.in_scope)"`}, {`"because":"!free_trial"`, `"because":"!has(subject.attr.free_trial)"`},
	} {
		require.Contains(t, string(text), r[0])
		text = []byte(strings.ReplaceAll(string(text), r[0], r[1]))
	}
	var raw map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &raw))
	out := map[string]string{}
	for id, plan := range raw {
		out[id] = string(plan)
	}
	return out
}

// askEverywhere answers cases by the Go packages, the module in wazero, and the module
// in Node where it is installed. Answers are compared by subtests of the cases' names.
func askEverywhere(t *testing.T, bundles map[string][]byte, cases []Case, check func(t *testing.T, i int, text string)) {
	dir := t.TempDir()
	module, err := Module(t.Context(), dir)
	require.NoError(t, err)
	ways := []string{"go", "wazero"}
	answers := [][]Result{answersOfGo(t, bundles, cases), answersOfWazero(t, module, bundles, cases)}
	if node, err := exec.LookPath("node"); err == nil {
		require.NoError(t, Prepare(dir, module, bundles, cases))
		ways, answers = append(ways, "node"), append(answers, answersOfNode(t, node, dir))
	}
	for i := range cases {
		t.Run(cases[i].Name, func(t *testing.T) {
			for w := range ways {
				require.Len(t, answers[w], len(cases), ways[w])
				require.False(t, answers[w][i].Error, "%s: %s", ways[w], answers[w][i].Text)
				require.Equal(t, answers[0][i], answers[w][i], "%s and go differ", ways[w])
				check(t, i, answers[w][i].Text)
			}
		})
	}
	fmt.Printf("%s: %d of %d identical: %s\n", t.Name(), len(cases), len(cases), strings.Join(ways, ", "))
	if len(ways) == 2 {
		t.Skip("node is not installed: the cases were compared in Go and wazero only")
	}
}

// TestScenarios: a policy in YAML, compiled, carried as bytes and asked over the ABI
// gives the plan of package retention, with its trail, byte for byte.
func TestScenarios(t *testing.T) {
	golden := scenariosOfPolicies(t)
	bundles := map[string][]byte{}
	for name, rules := range scenarioPolicies {
		bundles[name] = scenarioPolicy(t, rules)
	}
	var cases []Case
	for _, row := range scenarioInputs {
		require.Contains(t, golden, row.id)
		cases = append(cases, Case{Name: row.id, Op: "retention", Policy: row.policy, Input: `{"explain":true,` + row.input + `}`})
	}
	require.Len(t, cases, len(golden), "each scenario is asked")
	askEverywhere(t, bundles, cases, func(t *testing.T, i int, text string) {
		assert.Equal(t, golden[cases[i].Name], text)
	})
}

// TestCalendarCases: the calendar that two other implementations agree on.
func TestCalendarCases(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Anchor, Zone, Period, Want, Reason string
			MonthEnd                               string `json:"month_end"`
		}
	}
	text, err := os.ReadFile("../../retention/testdata/calendar.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Cases, 38)
	// One policy for all: the class says which rule is meant.
	rules, classes := "", ""
	var cases []Case
	for i, c := range file.Cases {
		name := "case-" + strconv.Itoa(i)
		classes += ", " + name
		rules += "\n  - {id: " + name + ", source: us, kind: floor, strength: law, class: " + name + ", anchor: at, period: " + c.Period + ", zone: " + c.Zone + ", month_end: " + c.MonthEnd + "}"
		cases = append(cases, Case{Name: c.ID, Op: "retention", Policy: "calendar", Input: `{"explain":true,"now":"2026-01-01T00:00:00Z","class":"` + name + `","anchors":{"at":"` + c.Anchor + `"}}`})
	}
	b, err := policy.Compile("calendar.yaml", []byte("privet: 1\nname: calendar\nsources: [{id: us, title: Us, layer: law, as_of: undated}]\nclasses: ["+classes[2:]+"]\nretention:"+rules+"\n"))
	require.NoError(t, err)
	askEverywhere(t, map[string][]byte{"calendar": b.Bytes()}, cases, func(t *testing.T, i int, text string) {
		var plan struct{ Earliest string }
		require.NoError(t, json.Unmarshal([]byte(text), &plan))
		assert.Equal(t, file.Cases[i].Want, plan.Earliest, file.Cases[i].Reason)
		assert.Contains(t, text, `"trail":[{"anchor":"at","arithmetic":`)
	})
}
