package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy"
)

// consentDocs are the table and the example of the documentation.
func consentDocs(t testing.TB) (table, example string) {
	text, err := os.ReadFile("../../docs/policy.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Consent\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	table, rest, found := strings.Cut(section, "```yaml\n")
	require.True(t, found)
	example, _, found = strings.Cut(rest, "```")
	require.True(t, found)
	return table, example
}

// TestConsentDocs: the example of the documentation passes its own tests, and has every
// key that the documentation names.
func TestConsentDocs(t *testing.T) {
	table, example := consentDocs(t)
	report, err := Test("consents.yaml", []byte(example))
	require.NoError(t, err)
	for _, f := range report.Failures {
		t.Error(f)
	}
	assert.GreaterOrEqual(t, report.Policies, 12)
	assert.Equal(t, 6, report.Unmeasured, "the conditions of duties, overrides and obligations count")
	rules, _, _ := strings.Cut(example, "\ntests:")
	keys := 0
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|").FindAllStringSubmatch(table, -1) {
		for _, key := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[1], -1) {
			keys++
			assert.Regexp(t, `[ {]`+key[1]+`:`, rules, "the example has no %s", key[1])
		}
	}
	assert.GreaterOrEqual(t, keys, 25, "the table has the keys")
	// The reader knows no key that the table does not have.
	for _, tt := range []struct{ entry, problem string }{
		{"{id: ambulance,", "duty"}, {"{id: carrier,", "recipient rule"}, {"{id: agreement-controls,", "override"}, {"{id: bare,", "obligation"},
		{"{place: AT,", "age rule"}, {"{place: XX,", "regime rule"}, {"{key: ads,", "purpose"}, {"{key: search,", "feature"}, {"{id: contract,", "source"}, {"{purpose: service}", "flow"},
	} {
		changed := strings.Replace(example, tt.entry, "{nonsense: 1, "+strings.TrimPrefix(tt.entry, "{"), 1)
		require.NotEqual(t, example, changed)
		_, err = Compile("p.yaml", []byte(changed))
		require.ErrorContains(t, err, tt.problem+` has no key "nonsense"`)
	}
	for key, indent := range map[string]string{"consent": "  ", "  ages": "    ", "  regimes": "    "} {
		changed := strings.Replace(example, "\n"+key+":\n", "\n"+key+":\n"+indent+"nonsense: 1\n", 1)
		_, err = Compile("p.yaml", []byte(changed))
		require.ErrorContains(t, err, strings.TrimSpace(key)+` has no key "nonsense"`)
	}
}

// constants are the values of the constants of a type of package consent.
func constants(t *testing.T, name string) (out []string) {
	files, err := os.ReadDir("../../consent")
	require.NoError(t, err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), "../../consent/"+f.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == name {
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					s, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					out = append(out, s)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, out, name)
	return out
}

// What package consent knows, a policy can say, and the other way round.
func TestNamesOfConsent(t *testing.T) {
	for _, tt := range []struct {
		typ    string
		names  []string
		apart  []string // of the type, and not of this key
		reason string
	}{
		{"Basis", bases, nil, ""},
		{"Mechanism", mechanisms, []string{"none"}, "no purpose has no mechanism; it may have none"},
		{"Mechanism", regimes, []string{"regime"}, "a place follows no other"},
		{"Strength", grades, nil, ""},
		{"Use", uses, []string{"sensitive"}, "not one of a purpose"},
		{"Affected", affected, nil, ""},
		{"ObligationKind", duties, []string{"store_in", "staff_in"}, "they come from residency rules"},
		{"Assurance", assurances, nil, ""},
		{"Giver", givers, nil, ""},
		{"Sensitive", treatments, nil, ""},
		{"Layer", layers, nil, ""},
	} {
		want := slices.DeleteFunc(constants(t, tt.typ), func(s string) bool { return slices.Contains(tt.apart, s) })
		assert.ElementsMatch(t, want, tt.names, "%s: %s", tt.typ, tt.reason)
	}
}

const consentHead = `privet: 1
name: p
sources:
  - {id: us, title: Us, layer: organisation, as_of: undated}
  - {id: law, title: Law, layer: law, as_of: undated}
categories: [{key: doc}]
classes: [a]
`

// Every fault is told at the place of the value that is wrong, whoever finds it.
func TestConsentFaults(t *testing.T) {
	obligation := func(more string) string {
		return "consent: {obligations: [{id: o, source: us, " + more + "}]}\n"
	}
	regime := func(more string) string {
		return "consent:\n  regimes:\n    rules: [{place: XX, mechanism: opt_in}, {place: YY, mechanism: opt_out" + more + "}]\n"
	}
	for _, tt := range []struct {
		name, text   string
		at           string // what stands at the place
		problem      string
		mend, reason string
	}{
		{"basis", "purposes: [{key: p, basis: consnt}]\n", "consnt", `basis is not one of the known values: "consnt"`, `did you mean "consent"?`, "closed set"},
		{"mechanism", "purposes: [{key: p, mechanism: regimes}]\n", "regimes", `mechanism is not one of the known values`, `did you mean "regime"?`, "closed set"},
		{"use", "purposes: [{key: p, uses: [sale, sales]}]\n", "sales]", `uses is not one of the known values: "sales"`, `did you mean "sale"?`, "closed set"},
		{"signal", "purposes: [{key: p, signals: [gpc, dnt]}]\n", "dnt]", `signals is not one of the known values: "dnt"`, "", "one that no law binds"},
		{"use twice", "purposes: [{key: p, uses: [sale, sale]}]\n", "[sale, sale]", "uses: unknown use, or there twice", "", "only package consent sees it"},
		{"regime without regimes", "purposes: [{key: p, mechanism: regime}]\n", "regime}", "mechanism: the policy has no regimes", "", ""},
		{"needs", "purposes: [{key: p, basis: legal_obligation, needs: [dok]}]\n", "dok", `unknown category "dok"`, `did you mean "doc"?`, ""},
		{"needs without a duty", "purposes: [{key: p, basis: contract, needs: [doc]}]\n", "[doc]", "needs: goes with a legal obligation or a vital interest", "", ""},
		{"reference", "purposes: [{key: p, basis: public_task}]\n", "{key: p", "reference: missing", "", "there is no value to point at"},
		{"affects", "features: [{key: f, kind: optional, affects: us}]\n", "us}", `affects is not one of the known values`, "", "closed set"},
		{"flows beside purposes", "purposes: [{key: p}]\ndata_sources: [{key: d, purposes: [p], flows: [{purpose: p}]}]\n", "[{purpose: p}]}", "flows: beside purposes or categories", "", ""},
		{"flow", "purposes: [{key: p}]\ndata_sources: [{key: d, flows: [{purpose: q}]}]\n", "q}", `unknown purpose "q"`, "", ""},
		{"no purposes, no flows", "data_sources: [{key: d}]\n", "{key: d}", "data source needs purposes", "", ""},
		{"party", "sources: [{id: x, title: X, layer: law, as_of: undated, parties: [a b]}]\n", "[a b]", "parties: not an id", "", ""},
		{"do", obligation("do: delete"), "delete}", `do is not one of the known values: "delete"`, "", "closed set"},
		{"arg of a scope", obligation("do: pseudonymise"), "{id: o", "arg: missing", "name what is kept, or the scope", "the name of the document, not of the type"},
		{"arg where there is none", obligation("do: log_use, arg: x"), "x}", "arg: this kind has none", "", ""},
		{"days", obligation("do: honour_in, period: P15D, arg: days"), "{id: o", "a time limit without a period", "business_days", ""},
		{"period", obligation("do: delete_within, period: month"), "month", `the period "month" is not ISO 8601`, "", ""},
		{"incomplete deletion", obligation("do: delete_within, period: P1M"), "{id: o", "a deletion without limit, strength, period or anchor", "fill all four", ""},
		{"reason", obligation("do: log_use, on: [WITHDRAWM]"), "[WITHDRAWM]", "on: not a reason that a duty can follow", "", ""},
		{"duty for advertising", "purposes: [{key: ads, basis: consent}]\nconsent: {duties: [{id: d, source: law, purpose: ads, basis: legal_obligation, needs: [doc]}]}\n", "legal_obligation", "basis: no law and no life at stake asks for advertising", "", ""},
		{"duty on consent", "purposes: [{key: p, basis: consent}]\nconsent: {duties: [{id: d, source: law, purpose: p, basis: consent, needs: [doc]}]}\n", "consent, needs", "basis is not one of the known values", "", ""},
		{"recipient", "consent: {recipients: [{id: r, source: us, role: r, basis: contract}]}\n", "{id: r", "reference: missing", "refer to the contract or the law", ""},
		{"override of the law", "consent: {overrides: [{id: o, source: us, sources: [law]}]}\n", "[law]", "sources: not weaker than the override's own source", "", ""},
		{"override of nothing", "consent: {overrides: [{id: o, source: us}]}\n", "{id: o", "sets nothing aside", "", ""},
		{"override of an unknown rule", "consent: {overrides: [{id: o, source: us, rules: [q]}]}\n", "[q]", "rules: unknown rule", "", ""},
		{"override of an unknown topic", "consent: {overrides: [{id: o, source: law, sources: [us], topics: [t]}]}\n", "[t]", "topics: no rule has this topic", "", ""},
		{"topic", "consent: {prohibitions: [{id: x, source: us, topic: a b, when: 'true'}]}\n", "a b", "topic: not an id", "", ""},
		{"language", "consent: {notices: [{id: n, version: \"1\", effective: 2026-01-01T00:00:00Z, texts: {en: a b}}]}\n", "{en: a b}", "texts: no language, no hash, or a language twice", "", ""},
		{"lead", "consent:\n  notice_lead: P1M\n", "P1M", "notice_lead must be weeks, days or hours, at most a hundred years", "P30D", "months are of several lengths"},
		{"lead of a text", "consent:\n  notice_lead: soon\n", "soon", `notice_lead "soon" is not ISO 8601`, "or none", ""},
		{"too soon", "consent:\n  notice_lead: P20D\n  notices:\n    - {id: n, version: \"1\", effective: 2026-01-01T00:00:00Z}\n    - {id: n, version: \"2\", published: 2026-01-01T00:00:00Z, effective: 2026-01-20T23:59:59Z, material: true}\n", "2026-01-20", "effective: a material change too soon after it was published", "", "at the second one"},
		{"assurance", "consent: {ages: {builtin: true, assurance: sure}}\n", "sure", "assurance is not one of the known values", "", "closed set"},
		{"ages of nothing", "consent:\n  ages: {assume_adult: true}\n", "{assume_adult", "says how to read a table, and names none", "", ""},
		{"adult beside an assurance", "consent:\n  ages: {builtin: true, assurance: verified, assume_adult: true}\n", "true}", "assume_adult: beside an assurance", "", ""},
		{"age", "consent: {ages: {rules: [{under: 121}]}}\n", "121", "under must be a whole number", "", ""},
		{"place of an age", "consent: {ages: {rules: [{under: 13}, {place: Denmark, under: 15}]}}\n", "Denmark", "place: not a place", "", "in the second row"},
		{"two ages at once", "consent: {ages: {rules: [{under: 13}, {under: 15}]}}\n", "{under: 15}", "from: two rows begin at one instant", "", ""},
		{"regime", regime(", gpc: maybe"), "maybe", "gpc must be", "", ""},
		{"signal in an opt-in place", strings.Replace(regime(", gpc: true"), "opt_out", "opt_in", 1), "true}", "gpc: binds in an opt-out regime only", "", ""},
		{"instant", regime(", from: 2026-01-01"), "2026-01-01", "from must be an instant", "2026-01-01T00:00:00Z", ""},
		{"days of a regime", regime(", honour_days: 400"), "400", "honour_days must be a whole number", "", ""},
		{"a place without a row", "consent:\n  regimes:\n    builtin: true\n    after_notice: [QQ]\n", "[QQ]", "after_notice: a place without a row", "", ""},
		{"sensitive without regimes", "consent:\n  sensitive: [doc]\n", "[doc]", "only regimes treat categories apart", "", ""},
		{"deletion that contradicts", "consent:\n  obligations:\n    - {id: o, source: us, do: delete_within, limit: ceiling, strength: law, period: P1D, anchor: 'a b'}\n", "'a b'", "anchor: ", "", "found by package retention"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := consentHead
			if strings.HasPrefix(tt.text, "sources:") {
				head = "privet: 1\nname: p\n"
			}
			_, err := Compile("p.yaml", []byte(head+tt.text))
			var e *Error
			require.ErrorAs(t, err, &e, tt.reason)
			p := e.Problems[0]
			assert.Contains(t, p.Problem, tt.problem, tt.reason)
			assert.Contains(t, p.Mend, tt.mend)
			before := head + tt.text
			before = before[:strings.LastIndex(before, tt.at)]
			line := before[strings.LastIndexByte(before, '\n')+1:]
			assert.Equal(t, []int{strings.Count(before, "\n") + 1, len(line) + 1}, []int{p.Line, p.Column}, "%v", p)
			assert.Contains(t, p.Snippet, "^")
		})
	}
	// All at once, of three packages.
	_, err := Compile("p.yaml", []byte(consentHead+"purposes: [{key: p, basis: a, mechanism: b, strength: c, uses: [d]}]\nconsent: {notice_lead: e, ages: {assurance: f}}\n"))
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Len(t, e.Problems, 6)
	_, err = Compile("p.yaml", []byte(consentHead+"purposes: [{key: p, uses: [sale, sale]}]\nconsent:\n  sensitive: [doc]\n  overrides: [{id: o, source: us}]\n  recipients: [{id: r, source: us, role: x, basis: legitimate_interest}]\n"))
	require.ErrorAs(t, err, &e)
	assert.Len(t, e.Problems, 4, "also what only package consent sees: %v", e.Problems)
}

// What a policy extends comes first: tables grow, switches stay on, and the lead is that
// of the last one that names it.
func TestConsentExtends(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := dir + "/" + name
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("base.yaml", strings.Replace(consentHead, "name: p", "name: base", 1)+`purposes: [{key: p, mechanism: regime, uses: [sale]}]
consent:
  notice_lead: none
  ages: {builtin: true}
  regimes: {rules: [{place: XX, mechanism: opt_out, gpc: true}]}
  notices: [{id: n, version: "1", effective: 2026-01-01T00:00:00Z}, {id: n, version: "2", published: 2026-02-01T00:00:00Z, effective: 2026-02-10T00:00:00Z, material: true}]
`)
	b, err := CompileFile(write("child.yaml", "privet: 1\nname: child\nextends: [base.yaml]\nconsent:\n  ages: {rules: [{place: YY, under: 15}]}\n  regimes: {rules: [{place: YY, mechanism: notice_only}], after_notice: [XX]}\n"))
	require.NoError(t, err)
	g, err := privacy.Open(b)
	require.NoError(t, err)
	for _, tt := range []struct{ place, more, want, reason string }{
		{"XX", ``, `"reason":"OPT_OUT_REGIME_DEFAULT"`, "the base's row"},
		{"XX", `,"signals":{"gpc":true}`, `"reason":"SIGNAL_GPC"`, "it binds there"},
		{"YY", ``, `"regime":"notice_only"`, "the child's row"},
		{"", ``, `"reason":"CONSENT_UNSET"`, "neither: opt-in"},
	} {
		got, err := g.DecideJSON(t.Context(), nil, []byte(`{"at":"2026-03-01T00:00:00Z","purpose":"p","subject":{"age_band":"adult","residence":"`+tt.place+`"}`+tt.more+`}`))
		require.NoError(t, err)
		assert.Contains(t, string(got), tt.want, tt.reason)
	}
	_, err = CompileFile(write("strict.yaml", "privet: 1\nname: strict\nextends: [base.yaml]\nconsent: {notice_lead: P30D}\n"))
	require.ErrorContains(t, err, "a material change too soon after it was published", "its own lead comes last")
}

// FuzzConsent: no text below purposes and consent makes the compiler fail other than with
// places; what it takes opens, and decides the same again.
func FuzzConsent(f *testing.F) {
	_, example := consentDocs(f)
	_, rules, _ := strings.Cut(example, "\nconsent:\n")
	rules, _, _ = strings.Cut(rules, "\nretention:")
	f.Add("{key: service, basis: contract}, {key: improvement, basis: contract}", rules)
	for _, part := range regexp.MustCompile(`(?m)^  [a-z_]+:`).FindAllStringIndex(rules, -1) {
		f.Add("{key: newsletter, basis: consent, notice: privacy, uses: [sale]}, {key: service, mechanism: regime}", rules[part[0]:])
	}
	f.Add("{key: t, basis: legal_obligation, needs: [health], reference: x, counselling: true}", "  notice_lead: P100Y\n")
	f.Fuzz(func(t *testing.T, purposes, rules string) {
		all := "privet: 1\nname: p\nsources: [{id: gdpr, title: S, layer: law, as_of: undated}, {id: contract, title: C, layer: agreement, as_of: undated}, {id: statement, title: T, layer: statement, as_of: undated}]\n" +
			"categories: [{key: invoice}, {key: health}, {key: mail}, {key: hobby}]\nclasses: [given]\npurposes: [" + purposes + "]\nconsent:\n" + rules + "\n"
		b, err := Compile("p.yaml", []byte(all))
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e, "%v", err)
			require.NotEmpty(t, e.Problems)
			return
		}
		again, err := privacy.ReadBundle(b.Bytes())
		require.NoError(t, err)
		for _, purpose := range []string{"service", "improvement", "newsletter"} {
			question := []byte(`{"at":"2026-04-01T00:00:00Z","category":"mail","purpose":"` + purpose + `","subject":{"age_band":"14","residence":"US-CA"},"signals":{"gpc":true},"consents":[{"purpose":"` + purpose + `","state":"granted","strength":"explicit","given":"2026-03-01T00:00:00Z"}]}`)
			var answers []string
			for _, open := range []*privacy.Bundle{b, again} {
				g, err := privacy.Open(open)
				require.NoError(t, err)
				got, err := g.DecideJSON(t.Context(), nil, question)
				require.NoError(t, err)
				answers = append(answers, string(got))
			}
			require.Equal(t, answers[0], answers[1])
		}
	})
}
