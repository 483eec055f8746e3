package classify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/classify"
)

func ExampleClassifier_Explain() {
	e := classify.Builtin().Explain(classify.Field{Name: "ref", Value: "card 4111111111111111"})
	fmt.Println(strings.SplitAfterN(e.Text(), "\n", 2)[0])
	// Output: user.financial.credit_card 0.95  (identified, ISO/IEC 19944-1 8.2.5.3)
}

// accounts checks that an explanation accounts for exactly what Field says.
func accounts(t require.TestingT, c *classify.Classifier, f classify.Field) *classify.Explanation {
	labels, e := c.Field(f), c.Explain(f)
	require.Len(t, e.Labels, len(labels))
	for i, l := range labels {
		r := e.Labels[i]
		require.Equal(t, l, r.Label)
		want := 1000 * max(r.Named, r.Found)
		if r.Named > 0 && r.Found > 0 {
			n, d := int(r.Named*1000+0.5), int(r.Found*1000+0.5)
			want = float64(1000 - (1000-n)*(1000-d)/1000)
		}
		require.InDelta(t, want, 1000*l.Confidence, 1e-6, "the confidence is made of its parts")
		rules := 0
		for _, x := range e.Rules {
			if x.ID == l.Rule {
				rules++
				require.True(t, x.Holds)
				require.Equal(t, "counts", x.Because)
			}
		}
		require.True(t, l.Rule == "" || l.Rule == classify.Declared || rules == 1, "the rule of a label is explained")
		for _, s := range l.Spans {
			kept := false
			for _, k := range e.Candidates {
				kept = kept || k.Kept && k.Start == s.Start && k.End == s.End && k.Category == l.Category
			}
			require.True(t, kept || e.MoreCandidates, "each span of a label is a candidate that was kept")
		}
	}
	for _, k := range e.Candidates {
		require.NotEmpty(t, k.Because)
		require.Equal(t, k.Kept, k.Because == "counts")
	}
	for _, r := range e.Rules {
		require.NotEmpty(t, r.Because)
		require.NotEmpty(t, r.Conditions)
		require.Equal(t, r.Holds, r.Conditions[0].Outcome == "true")
		again, ok := c.ExplainRule(r.ID, f)
		require.True(t, ok)
		require.Equal(t, r.Conditions, again.Conditions)
		if r.Because == "counts" {
			found := false
			for _, l := range labels {
				found = found || l.Category == r.Category
			}
			require.True(t, found, "a rule that counts has a label")
		}
	}
	return e
}

func TestExplain(t *testing.T) {
	c := classify.Builtin()
	for _, tt := range []struct {
		field  classify.Field
		wants  []string // parts of the text
		reason string
	}{
		{classify.Field{Name: "user_email"}, []string{"user.contact.email 0.9 ", "rule builtin/email: 0.9", "[email]", "counts"}, "a name"},
		{classify.Field{Name: "x", Value: "jane@example.com"}, []string{"detector email-address at 0–16", "email(match.text)"}, "a value with a check"},
		{classify.Field{Name: "email", Value: "jane@example.com"}, []string{"together: 1 - (1-0.9) × (1-0.95)"}, "both"},
		{classify.Field{Name: "ssn_ref", Value: "123-45-6789"}, []string{"+ 0.4 for context in the name or path: counts"}, "context in the name"},
		{classify.Field{Name: "x", Value: "the ssn is 123-45-6789"}, []string{"+ 0.4 for context in the text around: counts"}, "context around"},
		{classify.Field{Name: "x", Value: "4111111111111112"}, []string{"its check does not hold", "✗ luhn(match.digits)"}, "a check digit that is wrong"},
		{classify.Field{Name: "x", Value: "123-45-6789"}, []string{"is below the threshold without a word of its context"}, "too little alone"},
		{classify.Field{Name: "x", Value: "v", Tags: map[string]string{"privacy": "user.contact.email"}}, []string{"rule declared: 1", "rules are not asked"}, "a tag"},
		{classify.Field{Name: "email", Tags: map[string]string{"privacy": "user.nonsense"}}, []string{"a category that the taxonomy does not have"}, "a tag that says nothing"},
		{classify.Field{Name: "deviceEvent"}, []string{"gives way to builtin/device, which is surer by 0.1 or more"}, "a rule that gives way"},
		{classify.Field{Name: "x"}, []string{"no label: nothing reaches the threshold of 0.4"}, "nothing"},
		{classify.Field{}, []string{"no label"}, "an empty field"},
	} {
		text := accounts(t, c, tt.field).Text()
		for _, want := range tt.wants {
			assert.Contains(t, text, want, tt.reason)
		}
	}
	_, ok := c.ExplainRule("builtin/none", classify.Field{})
	assert.False(t, ok, "no such rule")
}

// TestExplainOverlap: what loses its place to something surer says to what.
func TestExplainOverlap(t *testing.T) {
	e := accounts(t, classify.Builtin(), classify.Field{Name: "x", Value: "api_key=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"})
	lost := 0
	for _, k := range e.Candidates {
		if strings.HasPrefix(k.Because, "overlaps ") {
			lost++
			assert.False(t, k.Kept)
		}
	}
	assert.Positive(t, lost, e.Text())
}

// TestExplainMany: what is left out is said.
func TestExplainMany(t *testing.T) {
	e := accounts(t, classify.Builtin(), classify.Field{Name: "x", Value: strings.Repeat("jane@example.com ", 300)})
	assert.True(t, e.MoreCandidates)
	assert.Len(t, e.Candidates, 256)
	assert.Contains(t, e.Text(), "and more, which are left out here")
	assert.Contains(t, string(e.JSON()), `"more_candidates":true`)
}

func explainedField(t *rapid.T) classify.Field {
	words := []string{"user", "email", "phone", "status", "device", "id", "card", "name", "ssn", "address", "city", "is", "count", "ip", "x"}
	values := []string{"jane@example.com", "4111 1111 1111 1111", "10.0.0.1", "123-45-6789", "ssn 123-45-6789", "+1 425 555 0100", "2026-03-28", "AKIAIOSFODNN7EXAMPLE", "", "plain", "é", "\xff"}
	f := classify.Field{
		Name:  strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 4).Draw(t, "words"), rapid.SampledFrom([]string{"_", "", "."}).Draw(t, "between")),
		Value: strings.Join(rapid.SliceOfN(rapid.SampledFrom(values), 0, 3).Draw(t, "values"), rapid.SampledFrom([]string{" ", "", ", "}).Draw(t, "join")),
	}
	if rapid.IntRange(0, 5).Draw(t, "tagged") == 0 {
		f.Tags = map[string]string{"privacy": rapid.SampledFrom([]string{"user.contact.email", "user.name,user.contact", "nonsense", ""}).Draw(t, "tag")}
	}
	return f
}

func TestExplainAccounts(t *testing.T) {
	c := classify.Builtin()
	rapid.Check(t, func(t *rapid.T) { accounts(t, c, explainedField(t)) })
}

// TestExplainCanary: nothing of a value gets into an explanation.
func TestExplainCanary(t *testing.T) {
	for _, value := range []string{"canary7421@example.com", "card 4111111111117421", "ssn 742-17-4217 canary7421", "https://canary7421:pw7421@example.com"} {
		e := classify.Builtin().Explain(classify.Field{Name: "email", Value: value, Context: map[string]string{"k": "canary7421"}, Tags: map[string]string{"other": "canary7421"}})
		for _, text := range []string{e.Text(), string(e.JSON())} {
			assert.NotContains(t, text, "7421")
		}
		assert.True(t, json.Valid(e.JSON()))
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("user_email", "jane@example.com 4111111111111111", "user.contact.email")
	f.Add("ssn", "123-45-6789 and 10.0.0.1", "x,user.name")
	f.Fuzz(func(t *testing.T, name, value, tag string) {
		if len(value) > 2000 || len(name) > 2000 {
			return
		}
		field := classify.Field{Name: name, Value: value}
		if tag != "" {
			field.Tags = map[string]string{"privacy": tag}
		}
		e := accounts(t, classify.Builtin(), field)
		if !json.Valid(e.JSON()) {
			t.Fatal("not JSON")
		}
	})
}
