package policy

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/privacy"
)

// tested is a policy of which each kind of test fails, with a canary in every value.
const tested = `privet: 1
name: p
extends: [builtin]
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
purposes: [{key: service, basis: contract}]
classes: [a]
transform:
  - {id: mail, source: us, when: 'under(category, "user.contact")', do: pseudonymise}
consent:
  prohibitions: [{id: no, source: us, when: 'operation == "share"', note: never}]
retention:
  - {id: short, source: us, kind: ceiling, strength: typical, class: a, anchor: used_at, period: PT48H}
rules:
  - id: r
    category: user.workplace
    confidence: 0.9
    when: value == "x" && field.tags["a"] == "b"
    tests:
      match: [{name: n, path: p.n, type: t, source: s, description: d, value: canary@example.test, tags: {b: c, a: b}, context: {k: v}}]
      no_match: [{name: n, value: z}]
detectors:
  - {id: d, category: user.workplace, pattern: 'W-[0-9]+', confidence: {base: 0.9}, tests: {match: [W-1], no_match: [canary@example.test]}}
tests:
  - name: a pseudonym
    event: {at: 2026-01-01T00:00:00Z, purpose: service, subject: {id: a, tenant: contoso}, fields: {email: canary@example.test}}
    want: {outcome: allow, fields: {email: p1_*}}
  - name: wrong
    event: {at: 2026-01-01T00:00:00Z, purpose: service, fields: {n: canary@example.test}}
    want: {outcome: deny, fields: {n: canary@example.test}, error: canary}
  - name: no instant
    event: {purpose: service, fields: {n: canary@example.test}}
    want: {outcome: allow}
`

func TestCases(t *testing.T) {
	report, err := Test("p.yaml", []byte(tested))
	require.NoError(t, err)
	require.Len(t, report.Cases, 7)
	assert.Equal(t, 3, report.Policies)
	assert.Equal(t, 4, report.Rules)
	assert.Equal(t, 2, report.Defined)
	assert.Equal(t, 2, report.Unmeasured, "a transform and a prohibition: the retention rule has no condition")
	g, err := privacy.Open(report.Bundle)
	require.NoError(t, err)

	var names []string
	for i := range report.Cases {
		c := &report.Cases[i]
		names = append(names, strings.TrimSpace(c.Kind+" "+c.ID+" "+c.Name))
		assert.Equal(t, "p.yaml", c.File)
		assert.NotZero(t, c.Line)
		assert.True(t, json.Valid(c.Request) && json.Valid(c.Answer), c.Name)
		for _, f := range c.Failures {
			assert.NotContains(t, f, "canary", "fixed texts and names only")
		}
		if c.Kind != "event" {
			answer, err := g.ClassifyJSON(nil, c.Request)
			require.NoError(t, err)
			assert.Equal(t, string(answer), string(c.Answer))
		}
	}
	assert.Equal(t, []string{
		"detector d match[0]", "detector d no_match[0]", "rule p/r match[0]", "rule p/r no_match[0]", "event  a pseudonym", "event  wrong", "event  no instant",
	}, names)
	assert.Equal(t, `{"context":{"k":"v"},"description":"d","name":"n","path":"p.n","source":"s","tags":{"a":"b","b":"c"},"type":"t","value":"canary@example.test"}`, string(report.Cases[2].Request))
	assert.Equal(t, []string{"test failed: rule p/r does not hold here"}, report.Cases[2].Failures)
	assert.Empty(t, report.Cases[3].Failures)
	assert.Empty(t, report.Cases[4].Failures)
	assert.Equal(t, []string{`test "wrong": outcome is not as wanted`, `test "wrong": fields is not as wanted`, `test "wrong": the error is not the wanted one`}, report.Cases[5].Failures)
	assert.Equal(t, []string{`test "no instant": could not be decided`}, report.Cases[6].Failures)
	assert.True(t, report.Cases[6].Refused)
	assert.Contains(t, string(report.Cases[6].Answer), `"code":`)
	assert.Contains(t, string(report.Cases[4].Answer), "p1_1_")

	both, all := celrules.Share(report.Coverage)
	assert.Equal(t, []int{0, 3}, []int{both, all})
	for _, c := range report.Coverage {
		for _, p := range c.Parts {
			assert.NotContains(t, p.Text, "canary")
		}
	}
}

// A file of rules alone is a policy like any other.
func TestRuleFiles(t *testing.T) {
	report, err := Test("r.yaml", []byte(`privet: 1
name: acme
version: 7
categories: [{key: user}]
rules:
  - {id: r, category: user, confidence: 0.9, when: field.name == "a", tests: {match: [a], no_match: [b]}}
`))
	require.NoError(t, err)
	assert.True(t, report.OK())
	assert.Len(t, report.Cases, 2)
	both, all := celrules.Share(report.Coverage)
	assert.Equal(t, []int{1, 1}, []int{both, all})
	assert.Zero(t, report.Unmeasured)
}

// The fields of events that count for coverage are those that the product sees:
// same paths, same labels.
func TestFieldsOfEvents(t *testing.T) {
	contoso, err := os.ReadFile("testdata/contoso.yaml")
	require.NoError(t, err)
	shapes := `privet: 1
name: shapes
extends: [builtin]
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
purposes: [{key: service, basis: contract}]
tests:
  - name: every shape
    event:
      at: 2026-01-01T00:00:00Z
      purpose: service
      context: {k: v}
      fields: {"": 1, a.b: {"c]": [1, [jane@example.com, {email: x}]], e: []}, "q\"": null, n: 1.50, yes: true, o: {}, list: [[], {}, [[2]]]}
    want: {outcome: allow}
  - {name: no fields, event: {at: 2026-01-01T00:00:00Z, purpose: service}, want: {outcome: allow}}
  - {name: empty, event: {at: 2026-01-01T00:00:00Z, purpose: service, fields: {}}, want: {outcome: allow}}
  - {name: not a map, event: {at: 2026-01-01T00:00:00Z, purpose: service, fields: [a]}, want: {error: fields}}
`
	compared := 0
	for name, text := range map[string]string{"contoso.yaml": string(contoso), "shapes.yaml": shapes} {
		report, err := Test(name, []byte(text))
		require.NoError(t, err)
		g, err := privacy.Open(report.Bundle)
		require.NoError(t, err)
		for _, c := range report.Cases {
			if c.Kind != "event" || c.Refused {
				continue
			}
			var event struct{ Declared map[string]any }
			require.NoError(t, json.Unmarshal(c.Request, &event))
			var result struct {
				Decisions []struct {
					Path   string
					Labels []struct{ Category, Rule, Detector string }
				}
			}
			require.NoError(t, json.Unmarshal(c.Answer, &result))
			i := 0
			eachField(c.Request, func(f *classify.Field) {
				require.Less(t, i, len(result.Decisions), "%s: more fields than decisions", c.Name)
				d := result.Decisions[i]
				i++
				assert.Equal(t, d.Path, f.Path, c.Name)
				if event.Declared[f.Path] != nil {
					return
				}
				labels := g.Classify(*f)
				require.Len(t, labels, len(d.Labels), "%s: %s", c.Name, f.Path)
				for j := range labels {
					assert.Equal(t, d.Labels[j].Category+d.Labels[j].Rule+d.Labels[j].Detector, labels[j].Category+labels[j].Rule+labels[j].Detector, f.Path)
				}
				compared++
			})
			assert.Equal(t, len(result.Decisions), i, c.Name)
		}
	}
	assert.Greater(t, compared, 15)
	eachField([]byte("{"), func(*classify.Field) { t.Error("what is no JSON has no fields") })
}

func TestTestSecret(t *testing.T) {
	assert.Len(t, TestSecret(), 32)
	assert.Equal(t, TestSecret(), TestSecret(), "tests come out the same every time")
	a := TestSecret()
	a[0]++
	assert.NotEqual(t, a, TestSecret(), "the caller's copy is the caller's")
}
