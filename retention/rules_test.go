package retention_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

func rule(t testing.TB, id string, kind retention.Kind, strength retention.Strength, category retention.Selector, anchor retention.Anchor, p string) retention.Rule {
	return retention.Rule{ID: id, Source: "test:" + id, Kind: kind, Strength: strength, Category: category, Anchor: anchor, Period: period(t, p)}
}

func with(r retention.Rule, change func(*retention.Rule)) retention.Rule {
	change(&r)
	return r
}

func rules(t testing.TB, list ...retention.Rule) *retention.Rules {
	rs, err := retention.New(list)
	require.NoError(t, err)
	return rs
}

// problems are "rule field" of everything that New says.
func problems(t *testing.T, list ...retention.Rule) []string {
	rs, err := retention.New(list)
	if err == nil {
		require.NotNil(t, rs)
		return nil
	}
	require.Nil(t, rs)
	var ce *retention.ConfigError
	require.ErrorAs(t, err, &ce)
	require.NotEmpty(t, ce.Problems)
	var out []string
	for _, p := range ce.Problems {
		assert.NotEmpty(t, p.Problem)
		assert.NotEmpty(t, p.Mend)
		assert.Contains(t, err.Error(), p.String())
		out = append(out, p.Rule+" "+p.Field)
	}
	return out
}

func TestNewReportsEverything(t *testing.T) {
	good := rule(t, "good", retention.Floor, retention.Default, "", "used_at", "P1D")
	always := func(*retention.Input) (bool, error) { return true, nil }
	for _, tt := range []struct {
		field  string
		change func(*retention.Rule)
		reason string
	}{
		{"id", func(r *retention.Rule) { r.ID = "" }, "no id"},
		{"id", func(r *retention.Rule) { r.ID = "a b" }, "an id that is free text"},
		{"source", func(r *retention.Rule) { r.Source = strings.Repeat("x", 257) }, "too long"},
		{"topic", func(r *retention.Rule) { r.Topic = "a b" }, "a topic that is free text"},
		{"kind", func(r *retention.Rule) { r.Kind = 0 }, "no kind"},
		{"kind", func(r *retention.Rule) { r.Kind = retention.HoldStep }, "a kind of trails only"},
		{"strength", func(r *retention.Rule) { r.Strength = 0 }, "no strength"},
		{"strength", func(r *retention.Rule) { r.Strength = 8 }, "no such strength"},
		{"category", func(r *retention.Rule) { r.Category = "user..contact" }, "an empty name"},
		{"category", func(r *retention.Rule) { r.Category = "user.*" }, "no wildcards: a prefix says it"},
		{"when", func(r *retention.Rule) { r.When.Text = "x" }, "a text that decides nothing"},
		{"when", func(r *retention.Rule) { r.When.Func = always }, "a condition that cannot be told"},
		{"when", func(r *retention.Rule) {
			r.When = retention.Condition{Text: strings.Repeat("x", 4097), Func: always}
		}, "too long"},
		{"class", func(r *retention.Rule) { r.Class = []string{""} }, "an empty value"},
		{"region", func(r *retention.Rule) { r.Region = []string{"eu", ""} }, "an empty value"},
		{"purpose", func(r *retention.Rule) { r.Purpose = make([]string, 257) }, "too many"},
		{"anchor", func(r *retention.Rule) { r.Anchor = "" }, "no anchor"},
		{"anchor", func(r *retention.Rule) { r.Anchor = "used at" }, "free text"},
		{"anchor", func(r *retention.Rule) { r.After = "good" }, "anchor and after"},
		{"after", func(r *retention.Rule) { r.Anchor, r.After = "", "nowhere" }, "no such rule"},
		{"after", func(r *retention.Rule) { r.Anchor, r.After = "", r.ID }, "follows itself"},
		{"period", func(r *retention.Rule) { r.Period.Days = -1 }, "a negative period"},
		{"month_end", func(r *retention.Rule) { r.MonthEnd = 2 }, "no such month end"},
		{"zone", func(r *retention.Rule) { r.Zone = "Europe/Nowhere" }, "unknown: never UTC instead"},
		{"zone", func(r *retention.Rule) { r.Zone = "local" }, "the machine's zone"},
		{"zone", func(r *retention.Rule) { r.Zone = "Local" }, "the machine's zone, as the time package spells it"},
		{"zone", func(r *retention.Rule) { r.Zone = "localtime" }, "the machine's zone, as zone databases link it"},
		{"zone", func(r *retention.Rule) { r.Zone = "right/Europe/Berlin" }, "a zone with leap seconds"},
		{"zone", func(r *retention.Rule) { r.Zone = "../etc/passwd" }, "no zone"},
		{"zone", func(r *retention.Rule) { r.Zone = "/etc/localtime" }, "no zone"},
		{"zone", func(r *retention.Rule) { r.Zone = "+14:01" }, "no offset that is in use"},
		{"zone", func(r *retention.Rule) { r.Zone = "+2:00" }, "an offset has two digits"},
		{"zone", func(r *retention.Rule) { r.Zone = "+0a:00" }, "no digits"},
	} {
		bad := with(good, func(r *retention.Rule) { r.ID = "bad"; tt.change(r) })
		id := "bad"
		if tt.field == "id" {
			id = ""
		}
		assert.Equal(t, []string{id + " " + tt.field}, problems(t, good, bad), tt.reason)
	}
	for _, z := range []string{"", "UTC", "+02:00", "-09:30", "Europe/Berlin", "Etc/GMT+5"} {
		assert.Empty(t, problems(t, with(good, func(r *retention.Rule) { r.Zone = z })), z)
	}

	assert.Equal(t, []string{"a zone", " id", " kind", "b after", "a id"}, problems(t,
		with(good, func(r *retention.Rule) { r.ID, r.Zone = "a", "Nowhere" }),
		with(good, func(r *retention.Rule) { r.ID, r.Kind = "not a key", 0 }),
		with(good, func(r *retention.Rule) { r.ID, r.Anchor, r.After = "b", "", "c" }),
		with(good, func(r *retention.Rule) { r.ID = "a" })), "all problems at once, in the order of the rules")

	assert.Equal(t, []string{" "}, problems(t, make([]retention.Rule, 1001)...), "more rules than are compared in reasonable time")
}

func TestCircles(t *testing.T) {
	link := func(id, after string) retention.Rule {
		return retention.Rule{ID: id, Kind: retention.Floor, Strength: retention.Default, After: after}
	}
	start := rule(t, "start", retention.Floor, retention.Default, "", "used_at", "P1D")
	assert.Empty(t, problems(t, link("c", "b"), link("b", "start"), start), "a chain in any order")
	assert.Equal(t, []string{"a after", "b after", "c after"}, problems(t, link("a", "b"), link("b", "c"), link("c", "a")), "every rule of a circle is named")
	assert.Equal(t, []string{"a after", "b after"}, problems(t, link("tail", "a"), link("a", "b"), link("b", "a"), start), "a rule that only leads into the circle is not at fault")
}

func TestContradictions(t *testing.T) {
	floor := func(s retention.Strength, p string) retention.Rule {
		return rule(t, "floor", retention.Floor, s, "", "end", p)
	}
	ceiling := func(s retention.Strength, p string) retention.Rule {
		return rule(t, "ceiling", retention.Ceiling, s, "", "end", p)
	}
	when := func(r retention.Rule, text string) retention.Rule {
		r.When = retention.Condition{Text: text, Func: func(*retention.Input) (bool, error) { return true, nil }}
		return r
	}
	in := func(r retention.Rule, topic string) retention.Rule { r.Topic = topic; return r }
	about := func(r retention.Rule, s retention.Selector) retention.Rule { r.Category = s; return r }
	for _, tt := range []struct {
		bad    bool
		rules  []retention.Rule
		reason string
	}{
		{true, []retention.Rule{floor(retention.Default, "P90D"), ceiling(retention.Agreement, "P60D")}, "the floor is weaker"},
		{true, []retention.Rule{floor(retention.Agreement, "P90D"), ceiling(retention.Instruction, "P60D")}, "agreement and instruction weigh the same"},
		{true, []retention.Rule{floor(retention.Law, "P10Y"), ceiling(retention.Law, "P5Y")}, "equal strengths"},
		{false, []retention.Rule{floor(retention.Law, "P10Y"), ceiling(retention.Agreement, "P90D")}, "strengths decide: a plan says so"},
		{false, []retention.Rule{floor(retention.Default, "P90D"), ceiling(retention.Default, "P90D")}, "the same end is no contradiction"},
		{false, []retention.Rule{floor(retention.Default, "P90D"), ceiling(retention.Default, "P3M")}, "depends on the month"},
		{true, []retention.Rule{floor(retention.Default, "P100D"), ceiling(retention.Default, "P3M")}, "longer whatever the month"},
		{true, []retention.Rule{floor(retention.Default, "P1M1D"), ceiling(retention.Default, "P1M")}, "the same month and a day"},
		{true, []retention.Rule{floor(retention.Default, "PT2S"), ceiling(retention.Default, "PT1S")}, "exact parts compare exactly"},
		{false, []retention.Rule{floor(retention.Default, "P1D"), ceiling(retention.Default, "PT24H")}, "depends on the zone"},
		{false, []retention.Rule{with(floor(retention.Default, "P90D"), func(r *retention.Rule) { r.Anchor = "other" }), ceiling(retention.Default, "P60D")}, "different events"},
		{true, []retention.Rule{about(floor(retention.Default, "P90D"), "user"), about(ceiling(retention.Default, "P60D"), "user.contact")}, "one selector is inside the other"},
		{false, []retention.Rule{about(floor(retention.Default, "P90D"), "user.name"), about(ceiling(retention.Default, "P60D"), "user.contact")}, "no category has both"},
		{false, []retention.Rule{with(floor(retention.Default, "P90D"), func(r *retention.Rule) { r.Region = []string{"eu"} }), with(ceiling(retention.Default, "P60D"), func(r *retention.Rule) { r.Region = []string{"us"} })}, "no region has both"},
		{true, []retention.Rule{when(floor(retention.Default, "P90D"), "paid"), ceiling(retention.Default, "P60D")}, "wherever the condition holds"},
		{true, []retention.Rule{when(floor(retention.Default, "P90D"), "paid"), when(ceiling(retention.Default, "P60D"), "paid")}, "the same condition"},
		{false, []retention.Rule{when(floor(retention.Default, "P90D"), "paid"), when(ceiling(retention.Default, "P60D"), "!paid")}, "conditions that may exclude each other"},
		{false, []retention.Rule{in(floor(retention.Default, "P90D"), "t"), in(ceiling(retention.Agreement, "P60D"), "t")}, "one topic: the stronger replaces the weaker"},
		{true, []retention.Rule{in(floor(retention.Default, "P90D"), "t"), in(ceiling(retention.Agreement, "P60D"), "u")}, "two topics: nothing is replaced"},
		{false, []retention.Rule{in(floor(retention.Default, "P90D"), "t"), ceiling(retention.Agreement, "P60D"), in(rule(t, "newer", retention.Floor, retention.Agreement, "", "end", "P30D"), "t")}, "another rule of its topic always replaces the floor"},
		{true, []retention.Rule{in(floor(retention.Default, "P90D"), "t"), ceiling(retention.Agreement, "P60D"), when(in(rule(t, "newer", retention.Floor, retention.Agreement, "", "end", "P30D"), "t"), "sometimes")}, "another rule replaces it, but not always"},
		{true, []retention.Rule{in(floor(retention.Default, "P90D"), "t"), ceiling(retention.Agreement, "P60D"), with(in(rule(t, "newer", retention.Floor, retention.Agreement, "", "end", "P30D"), "t"), func(r *retention.Rule) { r.Class = []string{"account"} })}, "another rule replaces it, but not for every class"},
		{false, []retention.Rule{with(in(floor(retention.Default, "P90D"), "t"), func(r *retention.Rule) { r.Class = []string{"account"} }), ceiling(retention.Agreement, "P60D"), with(in(rule(t, "newer", retention.Floor, retention.Agreement, "", "end", "P30D"), "t"), func(r *retention.Rule) { r.Class = []string{"other", "account"} })}, "another rule replaces it for every class that it has"},
		{true, []retention.Rule{with(floor(retention.Default, "P90D"), func(r *retention.Rule) { r.Zone = "Europe/Berlin" }), ceiling(retention.Default, "P60D")}, "longer whatever the zones"},
		{false, []retention.Rule{with(floor(retention.Default, "P61D"), func(r *retention.Rule) { r.Zone = "Europe/Berlin" }), ceiling(retention.Default, "P60D")}, "too close to tell for every zone: a plan tells"},
		{true, []retention.Rule{floor(retention.Default, "P90D"), {ID: "ceiling", Kind: retention.Ceiling, Strength: retention.Default, After: "first", Period: period(t, "P30D")}, rule(t, "first", retention.Delete, retention.Default, "", "end", "P30D")}, "a chain of 60 days"},
		{false, []retention.Rule{floor(retention.Default, "P90D"), {ID: "ceiling", Kind: retention.Ceiling, Strength: retention.Default, After: "floor", Period: period(t, "P0D")}}, "a ceiling after the floor"},
	} {
		got := problems(t, tt.rules...)
		if tt.bad {
			assert.Equal(t, []string{"floor period"}, got, tt.reason)
		} else {
			assert.Empty(t, got, tt.reason)
		}
	}
}

func TestRulesAreCopied(t *testing.T) {
	regions := []string{"eu"}
	list := []retention.Rule{with(rule(t, "r", retention.Floor, retention.Law, "", "e", "P1D"), func(r *retention.Rule) { r.Region = regions })}
	rs := rules(t, list...)
	regions[0], list[0].ID = "us", "other"
	in := input("x", "2026-01-01T00:00:00Z", "e", "2026-01-01T00:00:00Z")(t)
	in.Region = "eu"
	p, err := rs.Plan(in)
	require.NoError(t, err)
	assert.Equal(t, "r", p.Floor)
}

func TestSelector(t *testing.T) {
	for _, tt := range []struct {
		s        retention.Selector
		category string
		want     bool
	}{
		{"", "", true}, {"", "user", true}, {"user", "user", true}, {"user", "user.contact", true}, {"user.contact", "user.contact.email", true},
		{"user", "users", false}, {"user.contact", "user", false}, {"user.contact", "user.contacts", false}, {"user", "", false},
	} {
		assert.Equal(t, tt.want, tt.s.Matches(tt.category), "%q %q", tt.s, tt.category)
	}
}

func TestNames(t *testing.T) {
	for _, k := range []retention.Kind{retention.Floor, retention.Delete, retention.Ceiling, retention.Notice} {
		got, err := retention.ParseKind(k.String())
		require.NoError(t, err)
		assert.Equal(t, k, got)
	}
	order := []retention.Strength{retention.Typical, retention.Default, retention.Statement, retention.Organisation, retention.Agreement, retention.Instruction, retention.Law}
	for i, s := range order {
		got, err := retention.ParseStrength(s.String())
		require.NoError(t, err)
		assert.Equal(t, s, got)
		for j, u := range order {
			want := i - j
			if s != u && min(s, u) == retention.Agreement && max(s, u) == retention.Instruction {
				want = 0
			}
			assert.Equal(t, want > 0, s.Compare(u) > 0, "%s %s", s, u)
			assert.Equal(t, want < 0, s.Compare(u) < 0, "%s %s", s, u)
		}
	}
	for _, bad := range []string{"", "hold", "FLOOR", "canary@example.test"} {
		_, err := retention.ParseKind(bad)
		require.Error(t, err)
		_, err = retention.ParseStrength(bad)
		require.Error(t, err)
		_, err = retention.ParseMonthEnd(bad)
		require.Error(t, err)
	}
	for _, m := range []retention.MonthEnd{retention.Clamp, retention.NextDay} {
		got, err := retention.ParseMonthEnd(m.String())
		require.NoError(t, err)
		assert.Equal(t, m, got)
	}
	assert.Equal(t, "", retention.Kind(200).String())
	assert.Equal(t, "", retention.Strength(200).String())
	assert.Negative(t, retention.Strength(200).Compare(retention.Typical), "no strength is weaker than all")
}
