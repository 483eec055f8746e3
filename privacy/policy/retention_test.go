package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/retention"
)

// TestDeadlinesDocs: the example of the documentation passes its own tests, and has every
// key of a rule, a calendar and a schedule that the documentation names.
func TestDeadlinesDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Deadlines\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	table, rest, found := strings.Cut(section, "```yaml\n")
	require.True(t, found)
	example, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	report, err := Test("deadlines.yaml", []byte(example))
	require.NoError(t, err)
	for _, f := range report.Failures {
		t.Error(f)
	}
	assert.GreaterOrEqual(t, report.Policies, 6)
	assert.Empty(t, report.Warnings)
	rules, _, _ := strings.Cut(example, "\ntests:")
	keys := 0
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|").FindAllStringSubmatch(table, -1) {
		for _, key := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[1], -1) {
			keys++
			assert.Regexp(t, `[ {]`+key[1]+`:`, rules, "the example has no %s", key[1])
		}
	}
	assert.GreaterOrEqual(t, keys, 20, "the table has the keys")
	for _, key := range []string{"id", "source", "when", "name", "weekend", "free", "offsets", "at_least", "channels", "allow", "before", "during", "hold_grace"} {
		assert.Regexp(t, `[ \n{]`+key+`:`, rules, "the example has no %s", key)
	}
	// The reader knows no key that the table does not have.
	_, err = Compile("p.yaml", []byte(strings.Replace(example, "{id: habit,", "{id: habit, nonsense: 1,", 1)))
	require.ErrorContains(t, err, `retention rule has no key "nonsense"`)
}

// What package retention reads, a policy can say, and the other way round.
func TestNamesOfRetention(t *testing.T) {
	for _, tt := range []struct {
		key   string
		names []string
		parse func(string) (string, error)
	}{
		{"kind", kinds, parsed(retention.ParseKind)},
		{"strength", strengths, parsed(retention.ParseStrength)},
		{"month_end", monthEnds, parsed(retention.ParseMonthEnd)},
		{"count", counts, parsed(retention.ParseCount)},
		{"round", roundings, parsed(retention.ParseRounding)},
		{"copies", copyKinds, parsed(retention.ParseCopy)},
		{"method", methods, parsed(retention.ParseMethod)},
	} {
		for _, name := range tt.names {
			got, err := tt.parse(name)
			require.NoError(t, err, "%s: %s", tt.key, name)
			assert.Equal(t, name, got)
		}
	}
	for n := range 256 {
		for _, s := range []struct {
			name  string
			names []string
		}{
			{retention.Strength(n).String(), strengths}, {retention.MonthEnd(n).String(), monthEnds}, {retention.Count(n).String(), counts},
			{retention.Rounding(n).String(), roundings}, {retention.Copy(n).String(), copyKinds}, {retention.Method(n).String(), methods},
		} {
			assert.True(t, s.name == "" || slices.Contains(s.names, s.name), "a policy cannot say %s", s.name)
		}
		if k := retention.Kind(n); k <= retention.Notice && k != 0 {
			assert.Contains(t, kinds, k.String())
		}
	}
}

func parsed[T interface{ String() string }](parse func(string) (T, error)) func(string) (string, error) {
	return func(text string) (string, error) {
		v, err := parse(text)
		return v.String(), err
	}
}

const retentionHead = `privet: 1
name: p
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
categories: [{key: doc}]
calendars:
  - {name: DE-BE, weekend: [sunday]}
retention:
`

// Every fault is told at the place of the value that is wrong.
func TestRetentionFaults(t *testing.T) {
	rule := func(more string) string {
		return "  - {id: r, source: us, kind: floor, strength: law, anchor: x, period: P1D" + more + "}\n"
	}
	for _, tt := range []struct {
		name, text   string
		at           string // what stands at the place
		problem      string
		mend, reason string
	}{
		{"kind", "  - {id: r, source: us, kind: flor, strength: law, anchor: x, period: P1D}\n", "flor", `kind is not one of the known values: "flor"`, `did you mean "floor"?`, "closed set"},
		{"count", rule(", count: civil_dais"), "civil_dais", `count is not one of the known values: "civil_dais"`, `did you mean "civil_days"?`, "closed set"},
		{"round", rule(", round: weak"), "weak", `round is not one of the known values: "weak"`, "", "closed set"},
		{"month_end", rule(", month_end: clamped"), "clamped", `month_end is not one of the known values`, `did you mean "clamp"?`, "closed set"},
		{"copies", rule(", copies: [primary, tape]"), "tape]", `copies is not one of the known values: "tape"`, "", "closed set, at the item"},
		{"no copies", rule(", copies: []"), "[]}", `copies is empty`, "leave the key out", "nothing bound is not everything"},
		{"copies that are a text", rule(", copies: primary"), "primary}", `copies must be a list`, "", "a list"},
		{"method", rule(", method: shred, copies: [media]"), "shred", `method is not one of the known values: "shred"`, "", "closed set"},
		{"method without media", rule(", copies: [log], method: purge"), "purge}", "method: for copies that are no media", "", ""},
		{"cutoff", rule(", cutoff: end_of_week"), "end_of_week", `cutoff is not one of the known values: "end_of_week"`, "fiscal_year:09-30", "closed set"},
		{"cutoff on June 31", rule(", cutoff: 'fiscal_year:06-31'"), "'fiscal_year", `cutoff is not one of the known values`, "", "a date that does not exist"},
		{"empty cutoff", rule(", cutoff: ''"), "''", `cutoff is not one of the known values: ""`, "", "a slip, not none"},
		{"calendar", rule(", count: civil_days, roll: DE-BY"), "DE-BY", `unknown calendar "DE-BY"`, `did you mean "DE-BE"?`, "names are looked up"},
		{"roll without civil days", rule(", roll: DE-BE"), "DE-BE}", "roll: working days without civil days", "civil_days", ""},
		{"civil days with hours", "  - {id: r, source: us, kind: floor, strength: law, anchor: x, count: civil_days, period: PT48H}\n", "civil_days", "count: civil days of a period with hours", "", "found by package retention, told at the key"},
		{"fixed", rule(", fixed: true"), "true}", "fixed: set for a rule that is no agreement", "", ""},
		{"fixed is a word", rule(", fixed: maybe"), "maybe", "fixed must be true or false", "", ""},
		{"stage without a name", rule(", stages: {during: {allow: [export]}}"), "{allow", "stage needs name", "", ""},
		{"stage that is no key", rule(", stages: {during: {name: 'a b'}}"), "{during", "stages: a name that is not a key", "", ""},
		{"unknown stage", rule(", stages: {middle: {name: a}}"), "middle", `stages has no key "middle"`, "", "nothing is silently skipped"},
		{"schedule of a floor", rule(", schedule: {offsets: [P0D]}"), "{offsets", "schedule: a schedule of a rule that is no notice", "", ""},
		{"too few notices", "  - {id: n, source: us, kind: notice, strength: law, anchor: x, period: P9D, schedule: {offsets: [P0D, P9D], at_least: 2}}\n", "{offsets", "schedule: too few notices inside the period: 1 of 2", "add offsets", "S3n"},
		{"an offset that is none", "  - {id: n, source: us, kind: notice, strength: law, anchor: x, period: P9D, schedule: {offsets: [P0D, P1X]}}\n", "P1X", `the period "P1X" is not ISO 8601`, "", "at the item"},
		{"no offsets", "  - {id: n, source: us, kind: notice, strength: law, anchor: x, period: P9D, schedule: {at_least: 2}}\n", "{at_least", "schedule needs offsets", "", ""},
		{"at_least", "  - {id: n, source: us, kind: notice, strength: law, anchor: x, period: P9D, schedule: {offsets: [P0D], at_least: 0}}\n", "0}}", "at_least must be a whole number", "from 1 to 256", ""},
		{"unknown key of a schedule", "  - {id: n, source: us, kind: notice, strength: law, anchor: x, period: P9D, schedule: {offsets: [P0D], channel: [a]}}\n", "channel:", `schedule has no key "channel"`, `did you mean "channels"?`, ""},
		{"follows nothing", "  - {id: r, source: us, kind: floor, strength: law, after: q, period: P1D}\n", "q, period", "after: names no rule", "", ""},
		{"zone", rule(", zone: Mars/Olympus"), "Mars", "zone: not known here", "", "never UTC by fallback"},
		{"contradiction in the second rule", rule("") + "  - {id: f, source: us, kind: floor, strength: default, anchor: y, period: P9D}\n  - {id: c, source: us, kind: ceiling, strength: default, anchor: y, period: P1D}\n", "P9D", "period: this floor always ends after the ceiling of rule c", "", "at the floor's period"},
		{"grace", rule("") + "hold_grace: a month\n", "a month", `the period "a month" is not ISO 8601`, "", ""},
		{"unknown key", rule("") + "x-calendars: []\n", "x-calendars", `policy has no key "x-calendars"`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile("p.yaml", []byte(retentionHead+tt.text))
			var e *Error
			require.ErrorAs(t, err, &e, tt.reason)
			p := e.Problems[0]
			assert.Contains(t, p.Problem, tt.problem, tt.reason)
			assert.Contains(t, p.Mend, tt.mend)
			before := retentionHead + tt.text
			before = before[:strings.LastIndex(before, tt.at)]
			line := before[strings.LastIndexByte(before, '\n')+1:]
			assert.Equal(t, []int{strings.Count(before, "\n") + 1, len(line) + 1}, []int{p.Line, p.Column}, "%v", p)
			assert.Contains(t, p.Snippet, "^")
		})
	}
	for _, tt := range []struct{ name, text, problem, mend, reason string }{
		{"no name", "{weekend: []}", "calendar needs name", "", ""},
		{"no weekend", "{name: a}", "calendar needs weekend", "", "which days are free is not the same everywhere"},
		{"a name with a space", "{name: a b, weekend: []}", `calendar "a b" is not a valid name`, "DE-BE", "trails name it"},
		{"twice", "{name: a, weekend: []}, {name: a, weekend: []}", `two calendars have the name "a"`, "the first is in line 3", "which would count?"},
		{"a day that is none", "{name: a, weekend: [sunday, mondy]}", `weekend is not one of the known values: "mondy"`, `did you mean "monday"?`, ""},
		{"no working day", "{name: a, weekend: [sunday, monday, tuesday, wednesday, thursday, friday, saturday]}", "a calendar without a working day", "", "a deadline would never end"},
		{"a date that is none", "{name: a, weekend: [], free: [2026-02-30]}", "free must be dates", "2026-05-01", ""},
		{"free is a text", "{name: a, weekend: [], free: christmas}", "free must be a list", "", ""},
		{"unknown key", "{name: a, weekend: [], feee: []}", `calendar has no key "feee"`, `did you mean "free"?`, ""},
	} {
		t.Run("calendar: "+tt.name, func(t *testing.T) {
			_, err := Compile("p.yaml", []byte("privet: 1\nname: p\ncalendars: ["+tt.text+"]\n"))
			var e *Error
			require.ErrorAs(t, err, &e, tt.reason)
			assert.Contains(t, e.Problems[0].Problem, tt.problem, tt.reason)
			assert.Contains(t, e.Problems[0].Mend, tt.mend)
			assert.Equal(t, 3, e.Problems[0].Line)
		})
	}
	// All at once.
	_, err := Compile("p.yaml", []byte(retentionHead+rule(", count: a, round: b, cutoff: c, copies: [d], method: e, roll: f")+"hold_grace: g\n"))
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Len(t, e.Problems, 7)
	_, err = Compile("p.yaml", []byte(retentionHead+rule(", fixed: true, roll: DE-BE, method: clear, copies: [log], zone: Nowhere/At_All")))
	require.ErrorAs(t, err, &e)
	assert.Len(t, e.Problems, 4, "also what only package retention sees: %v", e.Problems)
	_, err = Compile("p.yaml", []byte("privet: 1\nname: p\nsources: [{id: us, title: Us, layer: law, as_of: undated}]\nretention:\n"+manyRules(1001)))
	require.ErrorAs(t, err, &e)
	assert.Equal(t, []any{5, "more than 1000 rules"}, []any{e.Problems[0].Line, e.Problems[0].Problem})
	_, err = Compile("p.yaml", []byte(retentionHead+rule("")))
	require.NoError(t, err, "the rows add the only fault")
}

func manyRules(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("  - {id: r" + strings.Repeat("x", i%50) + string(rune('a'+i/50)) + ", source: us, kind: ceiling, strength: law, anchor: x, period: P1D}\n")
	}
	return b.String()
}

// Rules that can never decide anything are told with their place, and fail nothing.
func TestRetentionWarnings(t *testing.T) {
	report, err := Test("p.yaml", []byte(retentionHead+`  - {id: a, source: us, topic: t, kind: ceiling, strength: agreement, anchor: x, period: P30D}
  - {id: b, source: us, kind: ceiling, strength: law, anchor: x, period: P30D}
  - {id: c, source: us, topic: t, kind: ceiling, strength: statement, anchor: x, period: P90D}
  - {id: d, source: us, region: EU, kind: ceiling, strength: law, after: e, period: P30D}
  - {id: e, source: us, region: US, kind: floor, strength: law, anchor: y, period: P30D}
`))
	require.NoError(t, err)
	assert.True(t, report.OK())
	var got []string
	for _, p := range report.Warnings {
		got = append(got, p.String())
	}
	text := strings.Join(got, "\n")
	require.Len(t, report.Warnings, 2, text)
	assert.Contains(t, text, "p.yaml:10:32: warning: topic: unreachable: another rule of its topic always replaces it")
	assert.Contains(t, text, "p.yaml:11:74: warning: after: unreachable: the rule that it follows is about other data")
	assert.Contains(t, text, "mend: ")
}

// The grace and the calendars of a policy that extends another are its own, or those of
// the other one.
func TestRetentionExtends(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("base.yaml", strings.Replace(retentionHead, "name: p", "name: base", 1)+"  - {id: gone, source: us, kind: ceiling, strength: law, anchor: x, period: P1D}\nhold_grace: P5D\n")
	for _, tt := range []struct{ more, want, reason string }{
		{"", "2026-03-15T00:00:00Z", "that of the base"},
		{"hold_grace: P7D\n", "2026-03-17T00:00:00Z", "its own comes last"},
	} {
		b, err := CompileFile(write("child.yaml", "privet: 1\nname: child\nextends: [base.yaml]\n"+tt.more+"retention:\n  - {id: answer, source: us, category: doc, kind: notice, strength: law, anchor: x, period: P1M, count: civil_days, roll: DE-BE, schedule: {offsets: [P0D]}}\n"))
		require.NoError(t, err)
		g, err := privacy.Open(b)
		require.NoError(t, err)
		plan, err := g.PlanJSON(nil, []byte(`{"now":"2026-03-11T00:00:00Z","category":"doc","anchors":{"x":"2026-03-01T00:00:00Z"},"holds":[{"id":"h","scope":"*","placed":"2026-03-01T00:00:00Z","released":"2026-03-10T00:00:00Z"}]}`))
		require.NoError(t, err)
		assert.Contains(t, string(plan), `"latest":"`+tt.want+`"`, tt.reason)
	}
	_, err := CompileFile(write("twice.yaml", "privet: 1\nname: twice\nextends: [base.yaml]\ncalendars: [{name: DE-BE, weekend: []}]\n"))
	require.ErrorContains(t, err, `two calendars have the name "DE-BE"`)
}

// FuzzRetention: no text below retention, calendars and hold_grace makes the compiler
// fail other than with places; what it takes opens, and asks of it end in an answer or
// an error.
func FuzzRetention(f *testing.F) {
	text, err := os.ReadFile("../../docs/policy.md")
	require.NoError(f, err)
	_, example, _ := strings.Cut(string(text), "\nretention:\n")
	example, _, _ = strings.Cut(example, "\ntests:")
	for _, rule := range strings.Split(example, "\n  - ") {
		f.Add("  - "+strings.TrimPrefix(rule, "  - ")+"\n", "{name: DE-BE, weekend: [saturday, sunday], free: [2026-05-01]}", "P14D")
	}
	f.Add(example, "{name: a, weekend: [], free: [0001-01-01, 9999-12-31]}", "P1000Y")
	f.Fuzz(func(t *testing.T, rules, calendar, grace string) {
		all := "privet: 1\nname: p\nsources: [{id: statement, title: S, layer: law, as_of: undated}, {id: contract, title: C, layer: law, as_of: undated}, {id: tax-law, title: T, layer: law, as_of: undated}]\n" +
			"categories: [{key: account}, {key: invoice}, {key: answer}]\nclasses: [service.required]\npurposes: [{key: service, basis: contract}]\nretention:\n" + rules + "\nhold_grace: " + grace + "\ncalendars:\n  - " + calendar + "\n"
		b, err := Compile("p.yaml", []byte(all))
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e, "%v", err)
			require.NotEmpty(t, e.Problems)
			return
		}
		again, err := privacy.ReadBundle(b.Bytes())
		require.NoError(t, err)
		g, err := privacy.Open(again)
		require.NoError(t, err)
		for _, category := range []string{"", "account", "invoice", "answer"} {
			plan, err := g.PlanJSON(nil, []byte(`{"now":"2026-04-01T00:00:00Z","category":"`+category+`","class":"service.required","region":"EU","purpose":"service","explain":true,`+
				`"anchors":{"used_at":"2026-03-28T10:00:00Z","subscription_end":"2025-12-31T23:59:59Z","invoiced":"2016-03-15T09:00:00Z","asked":"2026-04-01T10:00:00Z"},"holds":[{"id":"h","scope":"*","placed":"2026-03-01T00:00:00Z","released":"2026-04-10T00:00:00Z","effect":"toll"}]}`))
			if err != nil {
				require.NotEqual(t, privacy.CodeInternal, privacy.ErrorCode(err), "%v", err)
				continue
			}
			require.NotEmpty(t, plan)
		}
	})
}
