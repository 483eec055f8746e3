package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/conform"
	"github.com/privetdev/privet/privacy/policy"
)

var update = flag.Bool("update", false, "write the golden outputs in testdata and docs anew")

// rulesFile has known holes in its coverage.
const rulesFile = "testdata/rules.yaml"

// golden compares an output with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./cmd/privet -update, and read the difference")
}

// changed writes a file with a part replaced.
func changed(t *testing.T, name, old, new string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	return file(t, filepath.Base(name), strings.Replace(string(text), old, new, 1))
}

// Rule files are tested as policies are, and exactly the holes are told.
func TestRuleFile(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results.xml")
	r := privet(t, "", "test", rulesFile, "--junit", out)
	require.Equal(t, exitDone, r.code, r.out+r.err)
	assert.Empty(t, r.err)
	golden(t, "test.txt", r.out)
	reference, err := os.ReadFile(filepath.Join("..", "..", "docs", "policy.md"))
	require.NoError(t, err)
	assert.Contains(t, string(reference), strings.ReplaceAll(r.out, rulesFile, "cmd/privet/"+rulesFile), "what docs/policy.md shows")
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	golden(t, "test.xml", string(text))
	r = privet(t, "", "test", rulesFile, "--json")
	require.Equal(t, exitDone, r.code, r.err)
	golden(t, "test.json", r.out)

	var tally struct {
		Files []struct {
			Conditions []struct {
				ID      string
				Missing []struct {
					Text        string
					True, False bool
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &tally))
	require.Len(t, tally.Files, 1)
	type hole struct {
		text     string
		yes, not bool
	}
	holes := map[string][]hole{}
	for _, c := range tally.Files[0].Conditions {
		for _, m := range c.Missing {
			holes[c.ID] = append(holes[c.ID], hole{m.Text, m.True, m.False})
		}
	}
	assert.Equal(t, map[string][]hole{
		"acme-orders/loyalty-card":  {{`value.matches("^LC-[0-9]{8}$")`, false, true}},
		"acme-orders/ward":          {{`field.source.startsWith("map")`, false, true}},
		"acme-orders/docs-examples": {{`match.text.endsWith("@example.com")`, true, false}},
	}, holes, "lone has no false case, yet the event's field shows its condition false")
}

func TestCoverMin(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		code   int
		want   string
		reason string
	}{
		{[]string{rulesFile, "--cover-min", "72.7"}, exitDone, "", "8 of 11 is more"},
		{[]string{rulesFile, "--cover-min", "72.8"}, exitBad, "coverage is below 72.8 %: 72.7 %", "8 of 11 is less"},
		{[]string{rulesFile, "--cover-min", "100"}, exitBad, "below 100 %", "all"},
		{[]string{smallPolicy, "--cover-min", "100"}, exitDone, "", "all is enough"},
		{[]string{smallPolicy, rulesFile, "--cover-min", "70"}, exitDone, "coverage 78.5 %: 11 of 14", "the files together count"},
		{[]string{rulesFile, "--cover-min", "0"}, exitDone, "", "nothing is asked for"},
		{[]string{rulesFile, "--cover-min", "101"}, exitStop, "--cover-min is not a share", "more than all"},
		{[]string{rulesFile, "--cover-min", "-1"}, exitStop, "--cover-min is not a share", "less than nothing"},
		{[]string{rulesFile, "--cover-min", "NaN"}, exitStop, "--cover-min is not a share", "no number"},
		{[]string{rulesFile, "--cover-min", "x"}, exitStop, "cover-min", "no number"},
		{[]string{file(t, "none.yaml", head+"tests: [{name: a, event: {at: 2026-03-28T10:00:00Z}, want: {outcome: deny}}]\n"), "--cover-min", "0"}, exitBad, "there are no conditions to cover", "a gate that measured nothing does not open"},
	} {
		r := privet(t, "", append([]string{"test"}, tt.args...)...)
		assert.Equal(t, tt.code, r.code, "%s: %s", tt.reason, r.out+r.err)
		assert.Contains(t, r.out+r.err, tt.want, tt.reason)
	}
}

// head begins a policy.
const head = "privet: 1\nname: p\nextends: [builtin]\n"

func TestStatusesOfTest(t *testing.T) {
	failing := changed(t, rulesFile, "match: [ward]", "match: [world]")
	empty := file(t, "empty.yaml", head)
	for _, tt := range []struct {
		args   []string
		code   int
		want   string
		reason string
	}{
		{nil, exitStop, "which file?", "no file"},
		{[]string{rulesFile}, exitDone, "1 event and 8 cases of rules, all passed", "a rule file"},
		{[]string{rulesFile, smallPolicy}, exitDone, "2 files: 2 events and 16 cases of rules, all passed", "two files"},
		{[]string{failing}, exitBad, "1 failed", "a case that fails"},
		{[]string{rulesFile, failing}, exitBad, "2 files: 2 events and 16 cases of rules, 1 failed", "in one of two"},
		{[]string{empty}, exitBad, "no tests", "nothing was shown"},
		{[]string{rulesFile, empty}, exitBad, "no tests", "one of two shows nothing"},
		{[]string{"testdata/faults.yaml"}, exitStop, "the policy has 5 faults", "faults"},
		{[]string{"testdata/faults.yaml", rulesFile}, exitStop, "testdata/faults.yaml has 5 faults; it was not tested", "faults in one of two: the other is tested"},
		{[]string{failing, "none.yaml"}, exitStop, "cannot read the policy none.yaml", "what could not be read weighs more than what failed"},
		{[]string{changed(t, rulesFile, "match: [ward]", "macht: [ward]")}, exitStop, "tests has no key \"macht\"", "a key that is not known"},
		{[]string{changed(t, rulesFile, "want: {outcome: deny}", "want: {outcom: deny}")}, exitStop, "want has no key \"outcom\"", "in an event"},
		{[]string{rulesFile, "--json", "--junit", "-"}, exitStop, "both write to standard output", "two outputs in one"},
		{[]string{rulesFile, "--junit", "testdata"}, exitStop, "is a folder", "no place for the results"},
	} {
		r := privet(t, "", append([]string{"test"}, tt.args...)...)
		assert.Equal(t, tt.code, r.code, "%s: %s", tt.reason, r.out+r.err)
		assert.Contains(t, r.out+r.err, tt.want, tt.reason)
	}
	r := privet(t, "", "test", "testdata/faults.yaml", rulesFile)
	assert.Contains(t, r.out, rulesFile+": 1 event and 8 cases of rules, all passed")
}

// What is written is read back, and holds no value of a test.
func TestJUnit(t *testing.T) {
	failing := changed(t, rulesFile, "{name: cardColour, value: canary@example.test}", "{name: loyalty_card, value: canary@example.test}")
	text, err := os.ReadFile(failing)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(failing, []byte(strings.Replace(string(text), "want: {outcome: deny}", `want: {outcome: allow, fields: {note: canary@example.test}}`, 1)), 0o600))
	empty := file(t, "empty.yaml", head)
	r := privet(t, "", "test", failing, empty, "testdata/faults.yaml", "--cover-min", "99", "--junit", "-")
	assert.Equal(t, exitStop, r.code)
	assert.NotContains(t, r.out, "canary", "ids and places only")

	var got junitSuites
	require.NoError(t, xml.Unmarshal([]byte(r.out), &got))
	require.Len(t, got.Suites, 4, "one a file, and coverage")
	assert.Equal(t, "privet test", got.Name)
	sum := [3]int{}
	for _, s := range got.Suites {
		cases, failures, faults := 0, 0, 0
		for _, c := range s.Cases {
			assert.NotEmpty(t, c.Class)
			assert.NotEmpty(t, c.Name)
			cases++
			if c.Failure != nil {
				failures++
				assert.NotEmpty(t, c.Failure.Message)
				assert.Contains(t, c.Failure.Text, c.Failure.Message)
			}
			if c.Error != nil {
				faults++
			}
		}
		assert.Equal(t, []int{s.Tests, s.Failures, s.Errors}, []int{cases, failures, faults}, s.Name)
		sum[0], sum[1], sum[2] = sum[0]+cases, sum[1]+failures, sum[2]+faults
	}
	assert.Equal(t, sum, [3]int{got.Tests, got.Failures, got.Errors})
	assert.Equal(t, [3]int{12, 4, 1}, sum, "9 tests with 2 failures, a file without tests, one with faults, coverage")

	rule := got.Suites[0].Cases[3]
	assert.Equal(t, "rule.acme-orders/loyalty-card", rule.Class)
	assert.Equal(t, "no_match[0]", rule.Name)
	assert.Equal(t, failing, rule.File)
	assert.Equal(t, 14, rule.Line)
	assert.Equal(t, "test failed: rule acme-orders/loyalty-card holds here", rule.Failure.Message)
	event := got.Suites[0].Cases[8]
	assert.Equal(t, "event", event.Class)
	assert.Contains(t, event.Failure.Text, "outcome is not as wanted")
	assert.Contains(t, event.Failure.Text, "fields is not as wanted")
	assert.Equal(t, "no tests", got.Suites[1].Cases[0].Failure.Message)
	assert.Contains(t, got.Suites[2].Cases[0].Error.Text, "testdata/faults.yaml:11:")
	assert.Contains(t, got.Suites[3].Cases[0].Failure.Text, "seen both ways")
}

// The tests are put to the module: it answers as the Go packages do, and where it
// does not, that fails by itself.
func TestWithModule(t *testing.T) {
	module, err := conform.Module(t.Context(), t.TempDir())
	require.NoError(t, err)
	path := file(t, "privet.wasm", string(module))
	pseudonyms := changed(t, smallPolicy, "tests:\n  - name: a secret is dropped", `tests:
  - name: one that makes pseudonyms
    event: {at: 2026-03-28T10:00:00Z, class: service.required, purpose: serve, subject: {id: a, tenant: contoso}, fields: {email: jane@example.com}}
    want: {outcome: allow, fields: {email: p1_*}}
  - name: one that cannot be decided
    event: {at: never, class: service.required, purpose: serve, fields: {email: jane@example.com}}
    want: {error: at}
  - name: a secret is dropped`)
	r := privet(t, "", "test", rulesFile, pseudonyms, "--wasm-module", path)
	require.Equal(t, exitDone, r.code, r.out+r.err)
	assert.Contains(t, r.out, rulesFile+": the module answers all 9 alike, byte for byte")
	assert.Contains(t, r.out, "the module answers all 11 alike, byte for byte")

	t.Setenv("PRIVET_WASM", path)
	out := filepath.Join(t.TempDir(), "results.xml")
	r = privet(t, "", "test", rulesFile, "--wasm", "--junit", out)
	require.Equal(t, exitDone, r.code, r.out+r.err)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	var got junitSuites
	require.NoError(t, xml.Unmarshal(text, &got))
	assert.Equal(t, 18, got.Tests, "each test once more, in the module")

	// A report that claims other answers stands for a module that gives others.
	report, err := policy.TestFile(pseudonyms)
	require.NoError(t, err)
	g, err := openGuest(t.Context(), path)
	require.NoError(t, err)
	defer g.close(context.WithoutCancel(t.Context()))
	cases, problem := g.ask(t.Context(), report)
	require.Empty(t, problem)
	for i, k := range cases {
		assert.Empty(t, k.problem, caseText(&report.Cases[i]))
	}
	report.Cases[0].Answer = append([]byte(nil), report.Cases[0].Answer...)
	report.Cases[0].Answer[3] ^= 1
	report.Cases[1].Refused = true
	report.Cases[9].Refused = false
	report.Cases[2].Op = "canary"
	last := &report.Cases[10]
	last.Answer = last.Answer[:len(last.Answer)-1]
	cases, problem = g.ask(t.Context(), report)
	require.Empty(t, problem)
	want := map[int]string{
		0: "the module answers differently: classify, from byte 4 on: ", 1: "classify is answered there and refused here",
		2: "the module does not know the operation canary", 9: "process is refused there and answered here", 10: "process, from byte ",
	}
	for i, k := range cases {
		if want[i] == "" {
			assert.Empty(t, k.problem, i)
		} else {
			assert.Contains(t, k.problem, want[i], i)
		}
	}
	differing := tested{name: "p.yaml", report: report, wasm: cases}
	run := testRun{flags: &testFlags{}, files: []tested{differing}}
	assert.Equal(t, exitBad, run.code(), "a difference fails")
	assert.Equal(t, 5, differing.different())
	text, err = junit(&run)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(text, &got))
	assert.Contains(t, string(text), `classname="wasm.detector.mail-address"`)
	tally := differing.tally()
	assert.Len(t, tally.Failures, 5)
	assert.Equal(t, &moduleJSON{Asked: 11, Different: 5}, tally.Module)
	var shown strings.Builder
	printTested(&shown, &differing)
	assert.Contains(t, shown.String(), "the module answers 5 of 11 differently")
	assert.NotContains(t, shown.String()+string(text), "jane@", "a difference is told by its place, not by what is there")
}

func TestModuleArguments(t *testing.T) {
	t.Setenv("PRIVET_WASM", "")
	for _, tt := range []struct {
		args   []string
		want   string
		reason string
	}{
		{[]string{"--wasm"}, "which WebAssembly module?; name it with --wasm-module", "no module"},
		{[]string{"--wasm-module", "none.wasm"}, "cannot read the module none.wasm: there is no such file", "a file that is not there"},
		{[]string{"--wasm-module", "testdata"}, "module: testdata is a folder", "a folder"},
		{[]string{"--wasm-module", rulesFile}, "is not a privet module; build one with make wasm", "another file"},
	} {
		r := privet(t, "", append([]string{"test", rulesFile}, tt.args...)...)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Empty(t, r.out, tt.reason)
	}
	assert.Equal(t, "x", hostProblem(errors.New("x")))
}
