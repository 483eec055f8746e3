package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
)

// All faults of a policy are reported at once, each with its place and a mend.
func TestBroken(t *testing.T) {
	_, err := CompileFile("testdata/broken.yaml")
	var e *Error
	require.ErrorAs(t, err, &e)
	type place struct {
		line, column int
		problem      string
	}
	var got []place
	for _, p := range e.Problems {
		got = append(got, place{p.Line, p.Column, p.Problem})
		assert.Contains(t, p.Snippet, "^", "a caret shows the place of: %s", p.Problem)
		assert.NotEmpty(t, p.Mend)
		assert.Equal(t, "testdata/broken.yaml", p.File)
	}
	assert.Equal(t, []place{
		{8, 15, `unknown category "user.workplase"`},
		{14, 55, "expression ends too early"},
		{18, 11, "expression could take too long"},
		{23, 9, `rule "twice" is given twice`},
		{30, 93, `the period "P1X" is not ISO 8601`},
	}, got)
}

func TestReference(t *testing.T) {
	report, err := TestFile("testdata/contoso.yaml")
	require.NoError(t, err)
	for _, f := range report.Failures {
		t.Error(f)
	}
	assert.Equal(t, 8, report.Policies)
	assert.Equal(t, 4, report.Rules)
	assert.Equal(t, []string(nil), report.Untested)
}

// head is a policy without faults, to which rows add theirs.
const head = `privet: 1
name: p
extends: [builtin]
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
purposes: [{key: service, basis: contract}]
classes: [a, b]
`

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name, text, problem, mend, reason string
	}{
		{"empty", "", "the file is empty", "", "nothing to compile"},
		{"not YAML", "privet: [1\n", "not valid YAML", "", "a bracket is open"},
		{"no profile", "name: p\n", "policy needs privet", "", "the profile says how to read the rest"},
		{"newer profile", "privet: 99\nname: p\n", "newer than this version", "update privet", "never guess at what a later profile means"},
		{"no name", "privet: 1\n", "policy needs name", "", "results name the policy"},
		{"unknown key", head + "retentoin: []\n", `policy has no key "retentoin"`, `did you mean "retention"?`, "nothing is silently skipped"},
		{"key twice", head + "name: q\n", `key "name" is given twice, first in line 2`, "keep one", "which would count?"},
		{"alias", head + "effective: &x 1\n", "anchors, aliases", "write the value out", "files must not explode"},
		{"unknown pack", "privet: 1\nname: p\nextends: [pack:windows-servce-data]\n", "there is no pack of that name", `did you mean "windows-service-data"?`, "nearest name"},
		{"missing file", "privet: 1\nname: p\nextends: [nothing.yaml]\n", "the file to extend cannot be read", "", "named, not found"},
		{"unknown detector to take", "privet: 1\nname: p\nextends: [{from: builtin, detectors: {include: [us-*, emial-address]}}]\n", `unknown detector "emial-address"`, `did you mean "email-address"?`, "nothing is silently skipped"},
		{"unknown country to take", "privet: 1\nname: p\nextends: [{from: builtin, detectors: {countries: [uk]}}]\n", `unknown country "uk"`, `did you mean "gb"?`, "nothing is silently skipped"},
		{"unknown detector with a threshold", "privet: 1\nname: p\nextends: [{from: builtin, detectors: {thresholds: {us-sns: 0.5}}}]\n", `unknown detector "us-sns"`, "", "nothing is silently skipped"},
		{"nothing to take", "privet: 1\nname: p\nextends: [{from: builtin}]\n", "extends needs detectors", "", "then the name alone says it"},
		{"unknown source", head + "transform: [{id: t, source: them, do: keep}]\n", `unknown source "them"`, "us", "every rule names who says so"},
		{"unknown class", head + "retention: [{id: r, source: us, kind: floor, strength: law, class: c, anchor: x, period: P1D}]\n", `unknown class "c"`, "", "names are looked up"},
		{"unknown purpose", head + "features: [{key: f, kind: optional, purposes: [servise]}]\n", `unknown purpose "servise"`, `did you mean "service"?`, "names are looked up"},
		{"bad kind", head + "features: [{key: f, kind: optoinal}]\n", `kind is not one of the known values: "optoinal"`, `did you mean "optional"?`, "closed sets"},
		{"bad operator", head + "transform: [{id: t, do: {scramble: 2}}]\n", "do names no known operator", "mask", "closed sets"},
		{"bucket without a width", head + "transform: [{id: t, do: {generalise: {bucket: 0}}}]\n", "bucket", "", "everything would be in no bucket"},
		{"two ways to generalise", head + "transform: [{id: t, do: {generalise: {bucket: 5, coordinates: 2}}}]\n", `generalise has no key "coordinates"`, "", "one of them would be skipped"},
		{"bad operator word", head + "transform: [{id: t, do: psuedonymise}]\n", "do is not one of the known values", `did you mean "pseudonymise"?`, "closed sets"},
		{"two transforms", head + "transform: [{id: t, do: keep}, {id: t, do: drop}]\n", `two transforms have the id "t"`, "rename", "a trail must name one rule"},
		{"bad id", head + "transform: [{id: 'a b', do: keep}]\n", `"a b" is not a valid id`, "lower-case", "ids go into scripts"},
		{"empty condition", head + "transform: [{id: t, do: keep, when: ''}]\n", "the condition is empty", "leave the key out", "empty is a slip, not always"},
		{"unknown variable", head + "transform: [{id: t, do: keep, when: 'categroy == \"x\"'}]\n", "categroy", "category", "nearest name"},
		{"unknown category in a condition", head + "transform: [{id: t, do: keep, when: 'under(category, \"user.contcat\")'}]\n", "names an unknown category", `did you mean "user.contact"?`, "it would never hold, without a sound"},
		{"unknown class in a condition", head + "transform: [{id: t, do: keep, when: 'class != \"c\"'}]\n", "names an unknown class", "", "it would always hold, without a sound"},
		{"not a condition", head + "transform: [{id: t, do: keep, when: category}]\n", "", "", "a condition is true or false"},
		{"no period", head + "retention: [{id: r, source: us, kind: floor, strength: law, anchor: x}]\n", "retention rule needs period", "", "a rule without a period says nothing"},
		{"no anchor", head + "retention: [{id: r, source: us, kind: floor, strength: law, period: P1D}]\n", "retention rule needs anchor", "", "a period runs from something"},
		{"contradiction", head + "retention: [{id: f, source: us, kind: floor, strength: default, anchor: x, period: P9D}, {id: c, source: us, kind: ceiling, strength: default, anchor: x, period: P1D}]\n", "f", "", "no event can satisfy both"},
		{"zone", head + "retention: [{id: f, source: us, kind: floor, strength: default, anchor: x, period: P9D, zone: Mars/Olympus}]\n", "zone", "", "never UTC by fallback"},
		{"purpose without a way", head + "purposes: []\n", "given twice", "", "keys are given once"},
		{"basis that no row reads", "privet: 1\nname: p\npurposes: [{key: tax, basis: legal_obligation}]\n", "basis: no row of the table can allow by it", "contract", "a purpose that can never be allowed"},
		{"test without a want", head + "tests: [{name: t, event: {at: 2026-01-01T00:00:00Z}, want: {}}]\n", "the test wants nothing", "outcome", "a check that cannot fail"},
		{"test that wants nonsense", head + "tests: [{name: t, event: {}, want: {outcom: deny}}]\n", `want has no key "outcom"`, `did you mean "outcome"?`, "nothing is silently skipped"},
		{"as_of", "privet: 1\nname: p\nsources: [{id: us, title: Us, layer: law, as_of: yesterday}]\n", "as_of must be a date or undated", "", "ages are compared"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile("p.yaml", []byte(tt.text))
			var e *Error
			require.ErrorAs(t, err, &e, tt.reason)
			var problems, mends []string
			for _, p := range e.Problems {
				problems, mends = append(problems, p.Problem), append(mends, p.Mend)
			}
			assert.Contains(t, strings.Join(problems, "\n"), tt.problem, tt.reason)
			assert.Contains(t, strings.Join(mends, "\n"), tt.mend, tt.reason)
			if tt.text != "" {
				assert.NotZero(t, e.Problems[0].Line, "%v has a place", e.Problems[0])
			}
		})
	}
	_, err := Compile("p.yaml", []byte(head))
	require.NoError(t, err, "the rows add the only fault")
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	_, err := CompileFile(dir)
	require.ErrorContains(t, err, "is a folder")
	_, err = CompileFile(filepath.Join(dir, "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = CompileFile(write("latin1.yaml", "name: caf\xe9\n"))
	require.ErrorContains(t, err, "not valid UTF-8")

	write("base.yaml", head)
	b, err := CompileFile(write("child.yaml", "privet: 1\nname: child\nversion: 7\nextends: [base.yaml]\ntransform: [{id: t, source: us, do: keep}]\n"))
	require.NoError(t, err)
	assert.Equal(t, "child", b.Info().Name, "the last one gives the name")
	assert.EqualValues(t, 7, b.Info().Version)
	assert.Equal(t, "us", b.Sources()[0].ID)

	_, err = CompileFile(write("a.yaml", "privet: 1\nname: a\nextends: [b.yaml]\n"))
	require.Error(t, err)
	write("b.yaml", "privet: 1\nname: b\nextends: [a.yaml, base.yaml]\n")
	_, err = CompileFile(filepath.Join(dir, "a.yaml"))
	require.NoError(t, err, "documents that extend each other are read once")
	_, err = CompileFile(write("clash.yaml", "privet: 1\nname: c\nextends: [base.yaml]\nsources: [{id: us, title: Other, layer: law, as_of: undated}]\n"))
	require.ErrorContains(t, err, `two sources have the id "us"`)
}

// The same text gives the same bytes, and what is read back is the same bundle.
// Of what a policy extends it may take some detectors.
func TestPick(t *testing.T) {
	text := "mail jane@example.com, account DE89370400440532013000, ssn 130-07-5728, NHS number 943 476 5919"
	for _, tt := range []struct{ pick, want, reason string }{
		{"include: [us-*, iban-code]", "iban-code us-ssn", "these"},
		{"exclude: [us-*, iban-code]", "email-address uk-nhs", "but not these"},
		{"countries: [gb]", "email-address iban-code uk-nhs", "no others than of a country"},
		{"thresholds: {us-*: 1.0, uk-*: 1.0}", "email-address iban-code", "only if surer"},
	} {
		b, err := Compile("p.yaml", []byte("privet: 1\nname: p\nversion: 1\nextends: [{from: builtin, detectors: {"+tt.pick+"}}]\n"))
		require.NoError(t, err)
		c, err := classify.Open(b.Bytes())
		require.NoError(t, err)
		var got []string
		for _, f := range c.NewScanner().Scan(nil, text) {
			got = append(got, f.Detector)
		}
		assert.Equal(t, tt.want, strings.Join(got, " "), tt.reason)
	}
}

func TestDeterministic(t *testing.T) {
	first, err := CompileFile("testdata/contoso.yaml")
	require.NoError(t, err)
	second, err := CompileFile("testdata/contoso.yaml")
	require.NoError(t, err)
	require.Equal(t, first.Bytes(), second.Bytes())
	again, err := privacy.ReadBundle(first.Bytes())
	require.NoError(t, err)
	assert.Equal(t, first.Info(), again.Info())
	other, err := Pack("windows-service-data")
	require.NoError(t, err)
	assert.NotEqual(t, first.Info().Fingerprint, other.Info().Fingerprint)
}

// A test that fails says where and what.
func TestFailures(t *testing.T) {
	report, err := Test("p.yaml", []byte(head+`rules:
  - {id: r, category: user.workplace, confidence: 0.9, when: value == "x", tests: {match: [{name: a, value: y}], no_match: [{name: a, value: z}]}}
tests:
  - name: wrong
    event: {at: 2026-01-01T00:00:00Z, purpose: service, fields: {n: 1}}
    want: {outcome: deny, fields: {n: 2}, reasons: {n: CONSENT}, actions: {m: keep}, retention: {status: keep}, ask: [service]}
  - name: no instant
    event: {purpose: service}
    want: {outcome: allow}
`))
	require.NoError(t, err)
	require.False(t, report.OK())
	var got []string
	for _, f := range report.Failures {
		got = append(got, f.Problem)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		`test failed: rule p/r does not hold here`,
		`test "wrong": outcome is "allow", wanted "deny"`,
		`test "wrong": fields is {"n":1}, wanted {"n":2}`,
		`test "wrong": reasons of n is "CONTRACT", wanted "CONSENT"`,
		`test "wrong": actions of m is "no such field", wanted "keep"`,
		`test "wrong": retention of status is "no_rule", wanted "keep"`,
		`test "wrong": ask is [], wanted ["service"]`,
		`test "no instant": could not be decided: event: at: is missing`,
	} {
		assert.Contains(t, all, want)
	}
}

func TestSame(t *testing.T) {
	token := "p1_1_mr2gmpm4xx54sepw4ybzpisseq"
	assert.True(t, same(`{"a":1}`, `{"a":1}`))
	assert.False(t, same(`{"a":1}`, `{"a":1}x`))
	assert.True(t, same(`{"a":"p1_*","b":"x p1_* y"}`, `{"a":"`+token+`","b":"x `+token+` y"}`))
	assert.False(t, same(`"p1_*"`, `"jane"`))
	assert.False(t, same(`"p1_*"`, `"p1_1_short"`))
	assert.True(t, same(`"p1_*"`, `"`+token+`"`))
}
