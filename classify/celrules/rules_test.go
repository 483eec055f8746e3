package celrules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
)

// builtin is what most files build on.
func builtin(t testing.TB) *bundle.Classification {
	b, err := bundle.Decode(classify.BuiltinBundle())
	require.NoError(t, err)
	return &b.Classification
}

// read compiles the sections of a file that extends the built-in classification.
func read(t testing.TB, text string, ps *source.Problems) (bundle.Classification, []celrules.Case) {
	doc := source.Parse("rules.yaml", []byte(text), ps).Map(ps, "file")
	own, cases := celrules.Rules(doc, "acme", builtin(t), ps)
	doc.Done()
	return own, cases
}

const orders = `rules:
  - id: loyalty-card
    category: user.unique_id
    confidence: 0.9
    when: field.words.hasAll(["loyalty", "card"]) || value.matches('^LC-[0-9]{8}$') || value.is("employee-badge")
    tests:
      match:    [{name: loyaltyCardNo, value: LC-00012345}, {value: EB-123455}]
      no_match: [{name: cardColour, value: red}, {name: x, tags: {a: b}, reason: nothing}]
detectors:
  - id: employee-badge
    category: user.workplace.badge
    pattern: 'EB-(\d{6})'
    check: luhn(match.digits) && match.groups[1] != "000000"
    context: [badge, employee]
    confidence: {base: 0.4, checked: 0.95, context: 0.05}
    countries: [de, us]
    tests: {match: ["badge EB-123455"], no_match: ["EB-123456", {text: EB-000000, reason: a placeholder}]}
suppress:
  - id: docs-examples
    detectors: [email-address]
    when: match.text.endsWith("@example.com")
    reason: addresses reserved for documentation
categories:
  - {key: user.workplace.badge, parent: user.workplace, qualifier: identified}
`

func TestRules(t *testing.T) {
	var ps source.Problems
	own, cases := read(t, orders, &ps)
	require.NoError(t, ps.Err())
	require.Len(t, own.Rules, 1)
	assert.Equal(t, "acme/loyalty-card", own.Rules[0].ID)
	assert.Equal(t, uint16(900), own.Rules[0].Confidence)
	require.Len(t, own.Detectors, 1)
	assert.Equal(t, uint16(950), own.Detectors[0].Checked)
	assert.Equal(t, []string{"de", "us"}, own.Detectors[0].Countries)
	require.Len(t, own.Suppress, 1)
	require.Len(t, cases, 7)

	all, clash := celrules.Merge(builtin(t), &own)
	require.Empty(t, clash)
	c, err := classify.New(&all)
	require.NoError(t, err)
	tally := celrules.Test(c, cases, celrules.IDs(&own), &ps)
	require.NoError(t, ps.Err())
	assert.Equal(t, celrules.Tally{Cases: 7}, tally)

	labels := c.Field(classify.Field{Value: "badge EB-123455 of jane@example.com"})
	require.Len(t, labels, 1, "the address is suppressed")
	assert.Equal(t, "user.workplace.badge", labels[0].Category)
	assert.Equal(t, 1.0, labels[0].Confidence)
	assert.Equal(t, []classify.Span{{Start: 6, End: 15}}, labels[0].Spans)
	assert.Equal(t, "identified", labels[0].Qualifier)
	assert.Equal(t, "8.2.3.2.13", labels[0].ISO19944, "from the parent")

	// What was written and read again says the same.
	encoded, err := (&bundle.Bundle{Name: "acme", Version: 1, Classification: all}).Encode()
	require.NoError(t, err)
	again, err := classify.Open(encoded)
	require.NoError(t, err)
	assert.Equal(t, labels, again.Field(classify.Field{Value: "badge EB-123455 of jane@example.com"}))

	// A second join changes nothing; another definition under the same id is told.
	twice, clash := celrules.Merge(&all, &own)
	assert.Empty(t, clash)
	assert.Equal(t, len(all.Rules), len(twice.Rules))
	other := own
	other.Rules = []bundle.Rule{own.Rules[0]}
	other.Rules[0].Category = "user"
	_, clash = celrules.Merge(&all, &other)
	assert.Equal(t, []string{"acme/loyalty-card"}, clash)
}

func TestFailingTests(t *testing.T) {
	var ps source.Problems
	text := strings.Replace(orders, "{name: cardColour, value: red}", "{name: loyalty_card}", 1)
	text = strings.Replace(text, `match: ["badge EB-123455"]`, `match: ["badge EB-123456"]`, 1)
	own, cases := read(t, text, &ps)
	require.NoError(t, ps.Err())
	all, _ := celrules.Merge(builtin(t), &own)
	c, err := classify.New(&all)
	require.NoError(t, err)
	tally := celrules.Test(c, cases, append(celrules.IDs(&own), "acme/other"), &ps)
	assert.Equal(t, 2, tally.Failed)
	assert.Equal(t, []string{"acme/other"}, tally.Untested)
	var e *source.Error
	require.ErrorAs(t, ps.Err(), &e)
	require.Len(t, e.Problems, 2)
	assert.Equal(t, 8, e.Problems[0].Line)
	assert.Equal(t, 18, e.Problems[0].Column)
	assert.Contains(t, e.Problems[0].Problem, "rule acme/loyalty-card holds here")
	assert.Equal(t, 17, e.Problems[1].Line)
	assert.Contains(t, e.Problems[1].Problem, "detector employee-badge finds nothing here")
}

// Every fault is told with its place and a way out.
func TestFaults(t *testing.T) {
	detector := func(lines string) string {
		return "detectors:\n  - id: a\n    category: user\n    pattern: a\n    confidence: {base: 0.5}\n" + lines
	}
	for _, tt := range []struct{ text, at, problem, mend string }{
		{"rules:\n  - {id: a, category: user.contact.emial, confidence: 0.5, when: 'true'}\n", "2:23", "unknown category", `did you mean "user.contact.email"?`},
		{"rules:\n  - {id: a, category: user, confidence: 0.5, when: 'true'}\n  - {id: a, category: user, confidence: 0.5, when: 'true'}\n", "3:10", "given twice", "another id"},
		{"rules:\n  - {id: a, category: user, confidence: 1.5, when: 'true'}\n", "2:41", "from 0 to 1", "0.8"},
		{"rules:\n  - {id: A b, category: user, confidence: 0.5, when: 'true'}\n", "2:10", "characters", "small letters"},
		{"rules:\n  - {id: a, category: user, confidence: 0.5, when: '1 + 1'}\n", "2:55", "bool", ""},
		{"rules:\n  - {id: a, category: user, confidence: 0.5}\n", "2:5", "needs when", ""},
		{"rules:\n  - {id: a, category: user, confidence: 0.5, when: 'true', whne: 1}\n", "2:60", "no key", "when"},
		{"rules:\n  - {id: a, category: user, confidence: 0.5, when: 'value.is(\"email-adress\")'}\n", "2:63", "unknown detector", `did you mean "email-address"?`},
		{"rules:\n  - {id: a, category: user, confidence: 0.5, when: 'field.nam == \"\"'}\n", "2:53", "unknown variable", "field.name"},
		{detector("    countries: [uk]\n"), "6:17", "unknown country", ""},
		{detector("    check: match.text\n"), "6:17", "bool", ""},
		{strings.Replace(detector(""), "pattern: a", "pattern: 'a(?=b)'", 1), "4:16", "RE2", "look-around"},
		{strings.Replace(detector(""), "pattern: a", "pattern: 'a*'", 1), "4:15", "empty text", ""},
		{strings.Replace(detector(""), "pattern: a", "pattern: '(?:a{1000}){9}'", 1), "4:26", "RE2", ""},
		{strings.Replace(detector(""), "{base: 0.5}", "{base: 0.5, checked: 0.9}", 1), "5:38", "no check", ""},
		{strings.Replace(detector("    context: [b]\n"), "{base: 0.5}", "{base: 0.5}", 1), "5:17", "count for nothing", ""},
		{strings.Replace(detector("    check: 'true'\n"), "{base: 0.5}", "{base: 0.5, checked: 0.4}", 1), "5:38", "less than", ""},
		{strings.Replace(detector(""), "id: a", "id: uuid", 1), "2:9", "exists already", ""},
		{detector("    check: match.text.finds(\"b\")\n") + "  - {id: b, category: user, pattern: b, confidence: {base: 0.1, checked: 0.5}, check: 'match.text.is(\"a\")'}\n", "6:12", "asks about itself", ""},
		{"suppress:\n  - {id: a, detectors: [uiid], when: 'true', reason: x}\n", "2:25", "unknown detector", `did you mean "uuid"?`},
		{"suppress:\n  - {id: a, when: 'true'}\n", "2:5", "needs reason", ""},
		{"adjust:\n  - {id: a, reason: x, when: 'true'}\n", "2:5", "needs add", ""},
		{"adjust:\n  - {id: a, reason: x, when: 'true', add: -3}\n", "2:43", "add is not a number between -1 and 1", "such as -0.3"},
		{"adjust:\n  - {id: a, detectors: ['ux-*'], reason: x, when: 'true', add: 0.1}\n", "2:26", "unknown detector", ""},
		{"suppress:\n  - {id: a, reason: x}\n", "2:10", "without a condition", "equals, begins, ends, matches"},
		{"suppress:\n  - {id: a, reason: x, when: 'true', equals: [b]}\n", "2:30", "a condition beside a list", "one or the other"},
		{"suppress:\n  - {id: a, reason: x, matches: ['(']}\n", "2:35", "regular expression is not valid", ""},
		{"suppress:\n  - {id: a, reason: x, ends: ['']}\n", "2:32", "an empty text in ends", "leave it out"},
		{"categories:\n  - {key: user.contcat.x}\n", "2:11", "does not exist", `did you mean "user.contact"?`},
		{"categories:\n  - {key: user.contact.email}\n", "2:11", "exists already", ""},
		{"categories:\n  - {key: pets}\n", "2:11", "no parent", "user.pets"},
		{"categories:\n  - {key: user.x, parent: system}\n", "2:27", "parent", ""},
		{"categories:\n  - {key: user.x, qualifier: secret}\n", "2:30", "known values", ""},
		{"categories:\n  - {key: user.x, iso19944: abc}\n", "2:29", "clause", ""},
		{"categories:\n  - {key: user.X-y}\n", "2:11", "characters", ""},
	} {
		var ps source.Problems
		read(t, tt.text, &ps)
		var e *source.Error
		if !assert.ErrorAs(t, ps.Err(), &e, "%s", tt.text) {
			continue
		}
		var places []string
		ok := false
		for _, p := range e.Problems {
			at := itoa(p.Line) + ":" + itoa(p.Column)
			places = append(places, at+" "+p.Problem+" | "+p.Mend)
			ok = ok || at == tt.at && strings.Contains(p.Problem, tt.problem) && strings.Contains(p.Mend, tt.mend)
		}
		assert.True(t, ok, "%s\nwant %s %s | %s\ngot %s", tt.text, tt.at, tt.problem, tt.mend, strings.Join(places, "\n    "))
	}
}

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

// Reading is deterministic.
func TestRulesDeterministic(t *testing.T) {
	encode := func() string {
		var ps source.Problems
		own, _ := read(t, orders, &ps)
		require.NoError(t, ps.Err())
		all, _ := celrules.Merge(builtin(t), &own)
		b, err := (&bundle.Bundle{Name: "acme", Classification: all}).Encode()
		require.NoError(t, err)
		return string(b)
	}
	first := encode()
	require.Equal(t, first, encode())
}

// Adjustments add up, before context does, and the explanation names them.
func TestAdjust(t *testing.T) {
	var ps source.Problems
	own, _ := read(t, `
detectors:
  - id: badge
    category: user.workplace
    pattern: 'EB-\d{4}'
    context: [badge]
    confidence: {base: 0.3, context: 0.2}
adjust:
  - {id: old, detectors: [bad*], when: match.digits.startsWith("0"), add: -0.2, reason: no longer in use}
  - {id: gate, when: match.before.endsWith("gate "), add: 0.4, reason: seen at the gate}
`, &ps)
	require.NoError(t, ps.Err())
	all, _ := celrules.Merge(builtin(t), &own)
	encoded, err := (&bundle.Bundle{Name: "acme", Version: 1, Classification: all}).Encode()
	require.NoError(t, err)
	c, err := classify.Open(encoded)
	require.NoError(t, err)
	s := c.NewScanner()
	for text, want := range map[string]float64{
		"EB-1234": 0.3, "badge EB-1234": 0.5, "EB-0234": 0.1, "gate EB-1234": 0.7, "gate EB-0234": 0.5, "badge at gate EB-1234": 0.9,
	} {
		got, _ := s.Fires("badge", text)
		assert.InDelta(t, want, got, 1e-9, text)
		assert.Equal(t, want >= 0.4, len(s.Scan(nil, text)) == 1, "%s: adjustments count before the threshold", text)
	}
	text := c.Explain(classify.Field{Name: "x", Value: "gate EB-0234"}).Text()
	assert.Contains(t, text, "0.3 - 0.2 by acme/old + 0.4 by acme/gate")
}
