package celrules

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
)

// What counts as a sub-condition.
func TestParts(t *testing.T) {
	const a, b, c = `value == "a"`, `value == "b"`, `value == "c"`
	for _, tt := range []struct {
		when   string
		want   []string
		reason string
	}{
		{a, []string{a}, "the whole condition"},
		{a + " && " + b, []string{a + " && " + b, a, b}, "operands"},
		{a + " && " + b + " && " + c, []string{a + " && " + b + " && " + c, a, b, c}, "a chain has links, and no links of links"},
		{a + " && (" + b + " || " + c + ")", []string{a + " && (" + b + " || " + c + ")", a, b + " || " + c, b, c}, "another operator inside is a part and has parts"},
		{"!(" + a + ")", []string{a}, "a negation counts as what it negates"},
		{"!(" + a + " || " + b + ")", []string{a + " || " + b, a, b}, "of a chain too"},
		{"!(" + a + ") && " + b, []string{"!(" + a + ") && " + b, a, b}, "as an operand"},
		{a + " ? " + b + " : " + c, []string{a + " ? " + b + " : " + c, a, b, c}, "all three are true or false"},
		{"(" + a + ` ? "x" : "y") == "x"`, []string{"(" + a + ` ? "x" : "y") == "x"`, a}, "branches of other types are not conditions"},
		{"(" + a + " || " + b + ") == (" + c + ")", []string{"(" + a + " || " + b + ") == (" + c + ")", a, b}, "operands inside of a comparison; the comparison's own are not operands of && or ||"},
		{"true || " + a, []string{"true || " + a, a}, "a constant can never be seen both ways"},
		{"true", nil, "likewise"},
	} {
		var ps source.Problems
		p := Expr(profile.Field, source.Plain("x", tt.when), expr.TBool, &ps)
		require.NoError(t, ps.Err(), tt.reason)
		var got []string
		for _, i := range partsOf(p) {
			got = append(got, p.Text(i))
		}
		assert.Equal(t, tt.want, got, "%s: %s", tt.when, tt.reason)
	}
	var ps source.Problems
	p := Expr(profile.Field, source.Plain("x", `field.words.exists(w, w == "a" || w == "b")`), expr.TBool, &ps)
	require.NoError(t, ps.Err())
	assert.Len(t, partsOf(p), 3, "operands inside of a macro")
}

func TestPlaceOf(t *testing.T) {
	for _, tt := range []struct {
		text, part string
		want       int // column
		reason     string
	}{
		{"a && b", "b", 6, "written as it is"},
		{"b && ab", "b", 1, "the end of a longer name is another name"},
		{"x.b && b", "b", 8, "and so is a member"},
		{"ba && b", "b", 7, "and the beginning of one"},
		{"b && b", "b", 1, "twice: the place of the condition"},
		{"b || a == 'x'", `a == "x"`, 6, "in other quotes"},
		{"b || a  == 'x'", `a == "x"`, 1, "written differently: the place of the condition"},
	} {
		assert.Equal(t, source.Pos{Line: 1, Column: tt.want}, placeOf(source.Plain("x", tt.text), tt.part), "%s in %s: %s", tt.part, tt.text, tt.reason)
	}
}

// metering compiles a file that extends the built-in classification, runs its cases
// and shows them to a meter.
func metering(t testing.TB, text string, fields ...classify.Field) []Coverage {
	var ps source.Problems
	b, err := bundle.Decode(classify.BuiltinBundle())
	require.NoError(t, err)
	doc := source.Parse("rules.yaml", []byte(text), &ps).Map(&ps, "file")
	own, cases := Rules(doc, "acme", &b.Classification, &ps)
	doc.Done()
	require.NoError(t, ps.Err())
	all, clash := Merge(&b.Classification, &own)
	require.Empty(t, clash)
	c, err := classify.New(&all)
	require.NoError(t, err)
	m, err := NewMeter(&all, doc, "acme")
	require.NoError(t, err)
	for _, o := range Run(c, cases) {
		require.True(t, o.Passed(), o.Problem)
		m.Case(o.Case)
	}
	for i := range fields {
		m.Field(&fields[i])
	}
	return m.Coverage()
}

// planted has one hole of each kind; see the test.
const planted = `rules:
  - id: card
    category: user.unique_id
    confidence: 0.9
    when: |
      field.words.hasAny(["card"]) && !field.words.hasAny(["colour"])
        && (field.type == "string" || value.matches("^LC-[0-9]{8}$"))
    tests:
      match: [{name: card, type: string}]
      no_match: [{name: cardColour, type: string}, {name: street, reason: another word}, {name: card, type: number}]
  - id: full
    category: user.unique_id
    confidence: 0.9
    when: field.name == "a" || field.name == "b"
    tests:
      match: [a, b]
      no_match: [c]
  - id: tagged
    category: user.unique_id
    confidence: 0.9
    when: field.name == "t" || field.tags["kind"] == "loyalty"
    tests:
      match: [t]
      no_match: [u]
  - id: badge
    category: user.workplace
    confidence: 0.5
    when: value.is("employee-badge")
    tests:
      match: [{value: EB-123455}]
      no_match: [{value: EB-123456}]
detectors:
  - id: employee-badge
    category: user.workplace
    pattern: 'EB-(\d{6})'
    check: luhn(match.digits) && match.groups[1] != "000000"
    confidence: {base: 0.4, checked: 0.95}
    tests: {match: ["badge EB-123455"], no_match: ["EB-123456"]}
suppress:
  - id: inside
    detectors: [employee-badge]
    when: match.before.endsWith("x")
    reason: never seen to hold
  - id: examples
    detectors: [email-address]
    when: match.text.endsWith("@example.com")
    reason: about a detector of another file
`

// missing lists what is not covered.
func missing(list []Coverage) (out []string) {
	for i := range list {
		for _, p := range list[i].Parts {
			if !p.Both() {
				out = append(out, list[i].Kind+" "+list[i].ID+" "+strconv.Itoa(p.Line)+":"+strconv.Itoa(p.Column)+" "+
					strconv.FormatBool(p.True)+" "+strconv.FormatBool(p.False)+" "+p.Text)
			}
		}
	}
	return out
}

// Exactly the planted holes are reported: no more, no fewer.
func TestPlantedHoles(t *testing.T) {
	holes := []string{
		`rule acme/card 7:39 false true value.matches("^LC-[0-9]{8}$")`,
		// There is no such tag in any case, and an error is neither true nor false.
		`rule acme/tagged 21:11 true false field.name == "t" || field.tags["kind"] == "loyalty"`,
		`rule acme/tagged 21:32 false false field.tags["kind"] == "loyalty"`,
		`detector employee-badge 36:34 true false match.groups[1] != "000000"`,
		`suppress acme/inside 42:11 false true match.before.endsWith("x")`,
		`suppress acme/examples 46:11 false false match.text.endsWith("@example.com")`,
	}
	list := metering(t, planted)
	assert.Equal(t, holes, missing(list))
	both, all := Share(list)
	assert.Equal(t, []int{12, 18}, []int{both, all})
	seen := map[string][2]int{}
	for i := range list {
		seen[list[i].ID] = [2]int{list[i].Both(), len(list[i].Parts)}
	}
	assert.Equal(t, map[string][2]int{
		"acme/card": {5, 6}, "acme/full": {3, 3}, "acme/tagged": {1, 3}, "acme/badge": {1, 1}, "employee-badge": {2, 3}, "acme/inside": {0, 1}, "acme/examples": {0, 1},
	}, seen)

	// A case that fills a hole takes it from the list, and nothing else.
	for _, tt := range []struct {
		old, new string
		gone     []int
	}{
		{"{name: card, type: string}]", "{name: card, type: string}, {name: card, value: LC-00012345}]", []int{0}},
		{"no_match: [u]", "no_match: [u, {name: u, tags: {kind: none}}]\n      match: [t, {name: u, tags: {kind: loyalty}}]", []int{1, 2}},
		{`["EB-123456"]`, `["EB-123456", EB-000000]`, []int{3}},
		{`["EB-123456"]`, `["EB-123456", "xEB-123455"]`, []int{4}},
	} {
		var want []string
		for i, hole := range holes {
			if !slices.Contains(tt.gone, i) {
				want = append(want, hole)
			}
		}
		text := strings.Replace(planted, tt.old, tt.new, 1)
		require.NotEqual(t, planted, text)
		text = strings.Replace(text, "      match: [t]\n      no_match: [u, ", "      no_match: [u, ", 1)
		assert.Equal(t, want, missing(metering(t, text)), tt.new)
	}

	// The fields of records count for all: for rules, and for suppressions of what
	// detectors of other files find.
	list = metering(t, planted, classify.Field{Value: "jane@example.com and joe@corp.example.net"}, classify.Field{Name: "card", Value: "LC-00012345"},
		classify.Field{Tags: map[string]string{"kind": "loyalty"}}, classify.Field{Tags: map[string]string{"kind": "x"}},
		classify.Field{Value: "xEB-123455 EB-000000"})
	assert.Empty(t, missing(list))
}

// builtinFiles reads the built-in classification from its text, with its cases.
func builtinFiles(t testing.TB) (sum bundle.Classification, docs []*source.Map, cases []Case) {
	var ps source.Problems
	for i, name := range []string{"taxonomy.yaml", "detectors.yaml", "ids-americas.yaml", "ids-europe-west.yaml", "ids-europe-east.yaml", "ids-asia-pacific.yaml", "ids-world.yaml", "secrets.yaml", "adjust.yaml", "names.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "builtin", name))
		require.NoError(t, err)
		doc := source.Parse(name, text, &ps).Map(&ps, "file")
		base := &sum
		if i == 0 {
			base = nil
		}
		own, more := Rules(doc, "builtin", base, &ps)
		require.NoError(t, ps.Err())
		cases, docs = append(cases, more...), append(docs, doc)
		if i == 0 {
			sum = own
		} else {
			sum, _ = Merge(&sum, &own)
		}
	}
	require.NotEmpty(t, cases)
	return sum, docs, cases
}

// The meter goes its own way through conditions and matches: on every case of the
// built-in rules and detectors it must come out where the classifier does.
func TestMeterAgrees(t *testing.T) {
	all, docs, cases := builtinFiles(t)
	c, err := classify.New(&all)
	require.NoError(t, err)
	s := c.NewScanner()
	s.Threshold = 0 // so that it tells of everything that was accepted
	compared := 0
	for _, doc := range docs {
		m, err := NewMeter(&all, doc, "builtin")
		require.NoError(t, err)
		for i := range cases {
			k := &cases[i]
			m.begin(&k.Field)
			if w := m.rules[k.Rule]; w != nil {
				require.Equal(t, s.Asserts(k.Rule, &k.Field), m.holds(&m.rule, w.program, w), "%s %s", k.Rule, k.Field.Name)
				compared++
			}
			for j := range m.detectors {
				if d := &m.detectors[j]; k.Detector == d.id {
					_, want := s.Fires(d.id, k.Field.Value)
					require.Equal(t, want, m.search(d, k.Field.Value), "%s %s", d.id, k.Field.Value)
					compared++
				}
			}
		}
	}
	require.Equal(t, len(cases), compared, "every case was compared, once")
}

// A part that was seen has the value that its text has when it is a condition of
// its own.
func TestPartsMeanTheirText(t *testing.T) {
	all, docs, cases := builtinFiles(t)
	compared := 0
	for _, doc := range docs {
		m, err := NewMeter(&all, doc, "builtin")
		require.NoError(t, err)
		alone := map[string][]*expr.Program{}
		for _, w := range m.rules {
			for _, p := range w.Parts {
				var ps source.Problems
				alone[w.ID] = append(alone[w.ID], Expr(profile.Field, source.Plain("part", p.Text), expr.TBool, &ps))
				require.NoError(t, ps.Err(), p.Text)
			}
		}
		trace := m.rule.Trace
		for i := range cases {
			w := m.rules[cases[i].Rule]
			if w == nil {
				continue
			}
			values := map[int]bool{}
			m.rule.Trace = func(node int, v expr.Value, c expr.Code) {
				if part := w.part[node]; part > 0 && c == expr.OK {
					values[part-1] = v.AsBool()
				}
			}
			m.begin(&cases[i].Field)
			m.holds(&m.rule, w.program, w)
			m.rule.Trace = trace
			for part, seen := range values {
				got, code := m.rule.EvalBool(alone[w.ID][part])
				require.Equal(t, expr.OK, code)
				require.Equal(t, seen, got, "%s: %s", w.ID, w.Parts[part].Text)
				compared++
			}
		}
	}
	require.NotZero(t, compared)
}

// Nothing of a case's field is in an outcome or in the coverage: only what the
// author wrote into conditions, ids and places.
func TestCoverageCanary(t *testing.T) {
	const canary = "canary@example.test"
	text := `rules:
  - id: a
    category: user
    confidence: 0.9
    when: value == "x" || value.finds("email-address") || context["k"] == "y"
    tests:
      match: [{name: N, value: V, path: V, type: V, source: V, description: V, tags: {V: V}, context: {k: V}}]
      no_match: [{name: N, value: nothing}]
detectors:
  - id: d
    category: user
    pattern: 'canary.'
    check: match.before == "zzz"
    confidence: {base: 0.4, checked: 0.95}
    tests: {match: [V], no_match: [{text: V, reason: V}]}
`
	text = strings.ReplaceAll(strings.ReplaceAll(text, "N,", "canary,"), "V", canary)
	var ps source.Problems
	doc := source.Parse("rules.yaml", []byte(text), &ps).Map(&ps, "file")
	b, err := bundle.Decode(classify.BuiltinBundle())
	require.NoError(t, err)
	own, cases := Rules(doc, "acme", &b.Classification, &ps)
	require.NoError(t, ps.Err())
	all, _ := Merge(&b.Classification, &own)
	c, err := classify.New(&all)
	require.NoError(t, err)
	m, err := NewMeter(&all, doc, "acme")
	require.NoError(t, err)
	failed := 0
	for _, o := range Run(c, cases) {
		m.Case(o.Case)
		assert.NotContains(t, o.Problem+o.Mend+o.Name, "canary")
		if !o.Passed() {
			failed++
		}
	}
	assert.NotZero(t, failed)
	for _, line := range missing(m.Coverage()) {
		assert.NotContains(t, line, "canary")
	}
}
