package retention_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

// TestNewReportsTerms: each fault of a field names the field.
func TestNewReportsTerms(t *testing.T) {
	good := rule(t, "good", retention.Floor, retention.Law, "", "e", "P1M")
	notice := func(change func(*retention.Rule)) func(*retention.Rule) {
		return func(r *retention.Rule) {
			r.Kind, r.Schedule = retention.Notice, retention.Schedule{Offsets: []retention.Period{{Days: 1}, {Days: 2}}, AtLeast: 2}
			change(r)
		}
	}
	for _, tt := range []struct {
		field  string
		change func(*retention.Rule)
		reason string
	}{
		{"", func(r *retention.Rule) { r.Count, r.Roll = retention.CivilDays, weekdays{name: "DE-BE"} }, "civil days and working days"},
		{"", func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(time.February, 29) }, "February 29 is a last day of some years"},
		{"", notice(func(r *retention.Rule) {}), "two notices in a month"},
		{"", notice(func(r *retention.Rule) { r.Schedule.AtLeast = 0 }), "at least one"},
		{"count", func(r *retention.Rule) { r.Count = 2 }, "unknown"},
		{"count", func(r *retention.Rule) { r.Count, r.Period = retention.CivilDays, period(t, "P1DT1H") }, "civil days have no hours"},
		{"cutoff", func(r *retention.Rule) { r.Cutoff = 4 }, "unknown"},
		{"cutoff", func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(time.June, 31) }, "no such date"},
		{"cutoff", func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(13, 1) }, "no such month"},
		{"round", func(r *retention.Rule) { r.Round = 4 }, "unknown"},
		{"round", notice(func(r *retention.Rule) { r.Round = retention.ToDay }), "a notice is not rounded"},
		{"roll", func(r *retention.Rule) { r.Roll = weekdays{name: "DE-BE"} }, "working days need civil days"},
		{"roll", func(r *retention.Rule) { r.Count, r.Roll = retention.CivilDays, weekdays{name: canary} }, "a name that is no key"},
		{"roll", func(r *retention.Rule) {
			r.Kind, r.Count, r.Roll = retention.Ceiling, retention.CivilDays, weekdays{name: "DE-BE"}
		}, "a ceiling is never rolled to a later day"},
		{"roll", func(r *retention.Rule) {
			r.Kind, r.Count, r.Roll = retention.Delete, retention.CivilDays, weekdays{name: "DE-BE"}
		}, "nor is a wish"},
		{"copies", func(r *retention.Rule) { r.Copies = []retention.Copy{7} }, "unknown"},
		{"method", func(r *retention.Rule) { r.Method = 4 }, "unknown"},
		{"method", func(r *retention.Rule) { r.Method, r.Copies = retention.Purge, []retention.Copy{retention.Backup} }, "a method is for media"},
		{"fixed", func(r *retention.Rule) { r.Fixed = true }, "only agreements are fixed"},
		{"stages", func(r *retention.Rule) { r.Stages.During.Allow = []string{"export"} }, "operations of nothing"},
		{"stages", func(r *retention.Rule) { r.Stages.After.Name = canary }, "no key"},
		{"stages", func(r *retention.Rule) { r.Stages.Before = retention.Stage{Name: "a", Allow: []string{canary}} }, "no key"},
		{"schedule", func(r *retention.Rule) { r.Schedule.AtLeast = 1 }, "only notices have one"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Offsets = nil }), "no notice"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Offsets[1] = r.Schedule.Offsets[0] }), "the same notice twice is one"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Offsets[1] = period(t, "P1M") }), "at the end of the period is not inside"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Offsets[1] = period(t, "P29D") }), "not inside in every month"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Offsets[1] = retention.Period{Days: -1} }), "no period"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.AtLeast = -1 }), "negative"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Channels = []string{canary} }), "no key"},
		{"schedule", notice(func(r *retention.Rule) { r.Schedule.Purpose = canary }), "no key"},
		{"schedule", notice(func(r *retention.Rule) { r.Count, r.Schedule.Offsets[1] = retention.CivilDays, period(t, "PT1H") }), "civil days have no hours"},
	} {
		var want []string
		if tt.field != "" {
			want = []string{"good " + tt.field}
		}
		assert.Equal(t, want, problems(t, with(good, tt.change)), "%s: %s", tt.field, tt.reason)
	}
	_, err := retention.New(nil, retention.WithHoldGrace(retention.Period{Days: -1}))
	require.Error(t, err)
}

func TestContradictionsOfTerms(t *testing.T) {
	floor, ceiling := rule(t, "floor", retention.Floor, retention.Law, "", "e", "P90D"), rule(t, "ceiling", retention.Ceiling, retention.Law, "", "e", "P60D")
	for _, tt := range []struct {
		bad    bool
		change func(f, c *retention.Rule)
		reason string
	}{
		{true, func(f, c *retention.Rule) {}, "as before"},
		{false, func(f, c *retention.Rule) {
			f.Copies, c.Copies = []retention.Copy{retention.Backup}, []retention.Copy{retention.Cache}
		}, "no copy has both"},
		{true, func(f, c *retention.Rule) { f.Copies = []retention.Copy{retention.Backup} }, "the backup has both"},
		{true, func(f, c *retention.Rule) { f.Cutoff = retention.EndOfYear }, "a cut-off makes the floor longer"},
		{false, func(f, c *retention.Rule) { c.Cutoff = retention.EndOfYear }, "a cut-off may make the ceiling longer"},
		{true, func(f, c *retention.Rule) { c.Cutoff, f.Cutoff = retention.EndOfYear, retention.EndOfYear }, "both from the same cut-off"},
		{true, func(f, c *retention.Rule) { c.Round = retention.ToMonth }, "rounding makes the ceiling shorter"},
		{false, func(f, c *retention.Rule) { c.Count, f.Period = retention.CivilDays, period(t, "P61D") }, "a civil day may be as long"},
		{false, func(f, c *retention.Rule) {
			f.Strength, f.Fixed, c.Strength = retention.Agreement, true, retention.Instruction
		}, "a fixed agreement is stronger"},
		{true, func(f, c *retention.Rule) { f.Strength, c.Strength = retention.Agreement, retention.Instruction }, "another is not"},
	} {
		f, c := floor, ceiling
		tt.change(&f, &c)
		got := problems(t, f, c)
		assert.Equal(t, tt.bad, len(got) == 1, "%s: %v", tt.reason, got)
	}
}

func TestValidate(t *testing.T) {
	in := func(r retention.Rule, topic string) retention.Rule { r.Topic = topic; return r }
	weak := in(rule(t, "weak", retention.Ceiling, retention.Statement, "", "end", "P90D"), "t")
	strong := in(rule(t, "strong", retention.Ceiling, retention.Agreement, "", "end", "P60D"), "t")
	found := retention.Validate([]retention.Rule{weak, strong})
	require.Len(t, found, 1)
	assert.Equal(t, "rule weak: topic: unreachable: another rule of its topic always replaces it: remove it, or narrow the other rule", found[0].String())
	assert.True(t, found[0].Warning)
	assert.Empty(t, retention.Validate([]retention.Rule{weak, with(strong, func(r *retention.Rule) { r.Category = "user" })}), "only for some data")
	assert.Empty(t, retention.Validate([]retention.Rule{weak, with(strong, func(r *retention.Rule) { r.Copies = []retention.Copy{retention.Backup} })}), "only for some copies")
	assert.Empty(t, retention.Validate(accountRules(t)))

	chained := retention.Rule{ID: "second", Kind: retention.Ceiling, Strength: retention.Law, Category: "b", After: "first"}
	found = retention.Validate([]retention.Rule{chained, rule(t, "first", retention.Floor, retention.Law, "a", "end", "P1D")})
	require.Len(t, found, 1)
	assert.Equal(t, "after", found[0].Field)

	found = retention.Validate([]retention.Rule{with(weak, func(r *retention.Rule) { r.Zone, r.Anchor = "Europe/Nowhere", "" }), strong})
	require.Len(t, found, 2)
	assert.Equal(t, []string{"anchor", "zone"}, []string{found[0].Field, found[1].Field}, "what New refuses: never UTC instead of an unknown zone, and no anchor is guessed")
	assert.False(t, found[0].Warning || found[1].Warning)
}

func TestNamesOfTerms(t *testing.T) {
	for c := retention.Primary; c <= retention.Media; c++ {
		got, err := retention.ParseCopy(c.String())
		require.NoError(t, err)
		assert.Equal(t, c, got)
	}
	for _, c := range []retention.Cutoff{retention.NoCutoff, retention.EndOfMonth, retention.EndOfQuarter, retention.EndOfYear, retention.FiscalYear(time.September, 30), retention.FiscalYear(time.January, 1)} {
		got, err := retention.ParseCutoff(c.String())
		require.NoError(t, err, c)
		assert.Equal(t, c, got)
	}
	assert.Equal(t, "fiscal_year:09-30", retention.FiscalYear(time.September, 30).String())
	for _, c := range []retention.Count{retention.Instant, retention.CivilDays} {
		got, err := retention.ParseCount(c.String())
		require.NoError(t, err)
		assert.Equal(t, c, got)
	}
	for r := retention.NoRounding; r <= retention.ToMonth; r++ {
		got, err := retention.ParseRounding(r.String())
		require.NoError(t, err)
		assert.Equal(t, r, got)
	}
	for m := retention.Clear; m <= retention.Destroy; m++ {
		got, err := retention.ParseMethod(m.String())
		require.NoError(t, err)
		assert.Equal(t, m, got)
	}
	for e := retention.Suspend; e <= retention.Toll; e++ {
		got, err := retention.ParseEffect(e.String())
		require.NoError(t, err)
		assert.Equal(t, e, got)
	}
	for _, bad := range []string{"x", canary, "fiscal_year:02-30", "fiscal_year:13-01", "fiscal_year:00-00", "fiscal_year:9-30", "fiscal_year:+9-30", "PRIMARY"} {
		_, err := retention.ParseCutoff(bad)
		require.Error(t, err, bad)
		_, err = retention.ParseCopy(bad)
		require.Error(t, err)
		_, err = retention.ParseCount(bad)
		require.Error(t, err)
		_, err = retention.ParseRounding(bad)
		require.Error(t, err)
		_, err = retention.ParseMethod(bad)
		require.Error(t, err)
		_, err = retention.ParseEffect(bad)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), canary)
	}
	assert.Empty(t, retention.Cutoff(4).String()+retention.Cutoff(65535).String()+retention.Copy(9).String()+retention.Method(9).String())
}

func TestTerms(t *testing.T) {
	end := func(change func(*retention.Rule), event string) string {
		rs := rules(t, with(rule(t, "r", retention.Floor, retention.Law, "", "e", "P1D"), change))
		p, err := rs.Plan(input("x", event, "e", event)(t))
		require.NoError(t, err)
		return stamp(p.Earliest)
	}
	for _, tt := range []struct {
		change      func(*retention.Rule)
		event, want string
		reason      string
	}{
		{func(r *retention.Rule) { r.Cutoff = retention.EndOfMonth }, "2026-02-28T23:59:59Z", "2026-03-02T00:00:00Z", "the day of the cut-off belongs to the month"},
		{func(r *retention.Rule) { r.Cutoff = retention.EndOfMonth }, "2026-03-01T00:00:00Z", "2026-04-02T00:00:00Z", "a second later is the next month"},
		{func(r *retention.Rule) { r.Cutoff = retention.EndOfQuarter }, "2026-05-15T00:00:00Z", "2026-07-02T00:00:00Z", "June 30"},
		{func(r *retention.Rule) { r.Cutoff = retention.EndOfQuarter }, "2026-11-15T00:00:00Z", "2027-01-02T00:00:00Z", "December 31"},
		{func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(time.September, 30) }, "2026-09-30T12:00:00Z", "2026-10-02T00:00:00Z", "the last day of the fiscal year"},
		{func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(time.September, 30) }, "2026-10-01T00:00:00Z", "2027-10-02T00:00:00Z", "the first of the next one"},
		{func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(time.February, 29) }, "2026-02-28T12:00:00Z", "2026-03-02T00:00:00Z", "in common years February 28"},
		{func(r *retention.Rule) { r.Cutoff = retention.FiscalYear(time.February, 29) }, "2027-03-01T12:00:00Z", "2028-03-02T00:00:00Z", "in leap years February 29"},
		{func(r *retention.Rule) { r.Cutoff, r.Zone = retention.EndOfYear, "Asia/Tokyo" }, "2025-12-31T15:00:00Z", "2027-01-01T15:00:00Z", "in Tokyo the year has begun"},
		{func(r *retention.Rule) { r.Cutoff, r.Count = retention.EndOfYear, retention.CivilDays }, "2025-12-31T12:00:00Z", "2026-01-02T00:00:00Z", "the day of the cut-off is not counted"},
		{func(r *retention.Rule) { r.Count = retention.CivilDays }, "2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z", "the day of the event is not counted"},
		{func(r *retention.Rule) { r.Count, r.Period = retention.CivilDays, retention.Period{} }, "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z", "no day: the end of the day of the event"},
		{func(r *retention.Rule) { r.Round = retention.ToDay }, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "a boundary stays"},
		{func(r *retention.Rule) { r.Round = retention.ToHour }, "2026-03-01T00:00:01Z", "2026-03-02T01:00:00Z", "up to the hour"},
		{func(r *retention.Rule) { r.Round, r.Zone = retention.ToHour, "Asia/Kathmandu" }, "2026-03-01T00:00:00Z", "2026-03-02T00:15:00Z", "hours of Nepal end at a quarter"},
		{func(r *retention.Rule) { r.Round = retention.ToMonth }, "2026-03-01T00:00:01Z", "2026-04-01T00:00:00Z", "up to the month"},
		{func(r *retention.Rule) { r.Round, r.Zone = retention.ToDay, "America/Sao_Paulo" }, "2018-11-02T10:00:00Z", "2018-11-04T03:00:00Z", "midnight was skipped: the day begins at one"},
	} {
		assert.Equal(t, tt.want, end(tt.change, tt.event), tt.reason)
	}

	never := with(rule(t, "r", retention.Floor, retention.Law, "", "e", "P1D"), func(r *retention.Rule) { r.Count, r.Roll = retention.CivilDays, nobodyWorks{} })
	_, err := rules(t, never).Plan(input("x", "2026-01-01T00:00:00Z", "e", "2026-01-01T00:00:00Z")(t))
	var re *retention.RuleError
	require.ErrorAs(t, err, &re, "a calendar without a working day")

	// A chained rule starts before the rounding of the one that it follows.
	list := []retention.Rule{with(rule(t, "first", retention.Floor, retention.Law, "", "e", "P1D"), func(r *retention.Rule) { r.Round = retention.ToMonth }),
		{ID: "second", Kind: retention.Ceiling, Strength: retention.Default, After: "first", Period: period(t, "P60D")}}
	p, err := rules(t, list...).Plan(input("x", "2026-01-10T00:00:00Z", "e", "2026-01-10T10:00:00Z")(t))
	require.NoError(t, err)
	assert.Equal(t, []string{"2026-02-01T00:00:00Z", "2026-03-12T10:00:00Z"}, []string{stamp(p.Earliest), stamp(p.Latest)})
	assert.Contains(t, p.Explain(), "e 2026-01-10T10:00:00Z + P1D = 2026-01-11T10:00:00Z, to the month = 2026-02-01T00:00:00Z: won")
}

type nobodyWorks struct{}

func (nobodyWorks) Name() string                      { return "never" }
func (nobodyWorks) Working(int, time.Month, int) bool { return false }

// TestCopies: rules of some copies leave the others alone.
func TestCopies(t *testing.T) {
	c := retention.Ceiling
	list := []retention.Rule{
		rule(t, "keep", retention.Floor, retention.Statement, "", "end", "P10D"),
		with(rule(t, "primary", c, retention.Statement, "", "end", "P30D"), func(r *retention.Rule) { r.Copies = []retention.Copy{retention.Primary} }),
		with(rule(t, "cache", c, retention.Statement, "", "end", "P20D"), func(r *retention.Rule) { r.Copies = []retention.Copy{retention.Cache} }),
		with(rule(t, "others", c, retention.Statement, "", "end", "P60D"), func(r *retention.Rule) {
			r.Copies = []retention.Copy{retention.Backup, retention.Log, retention.Backup}
		}),
		with(rule(t, "clear", c, retention.Statement, "", "returned", "P0D"), func(r *retention.Rule) { r.Copies, r.Method = []retention.Copy{retention.Media}, retention.Clear }),
		with(rule(t, "purge", c, retention.Agreement, "", "returned", "P1D"), func(r *retention.Rule) { r.Copies, r.Method = []retention.Copy{retention.Media}, retention.Purge }),
	}
	in := input("x", "2026-02-01T00:00:00Z", "end", "2026-01-01T00:00:00Z", "returned", "2026-06-01T00:00:00Z")(t)
	p, err := rules(t, list...).Plan(in)
	require.NoError(t, err)
	for _, tt := range []struct {
		copy   retention.Copy
		status retention.Status
		latest string
		method retention.Method
	}{
		{retention.Primary, retention.Overdue, "2026-01-31T00:00:00Z", 0},
		{retention.Cache, retention.Overdue, "2026-01-21T00:00:00Z", 0},
		{retention.Replica, retention.Deletable, "", 0},
		{retention.Backup, retention.Deletable, "2026-03-02T00:00:00Z", 0},
		{retention.Log, retention.Deletable, "2026-03-02T00:00:00Z", 0},
		{retention.Derived, retention.Deletable, "", 0},
		{retention.Media, retention.Deletable, "2026-06-01T00:00:00Z", retention.Purge},
	} {
		w := p.Window(tt.copy)
		assert.Equal(t, []any{tt.status, tt.latest, tt.method, "2026-01-11T00:00:00Z"}, []any{w.Status, stamp(w.Latest), w.Method, stamp(w.Earliest)}, tt.copy)
		assert.Equal(t, tt.copy != retention.Primary, p.Differs(tt.copy))
	}
	clone := p.Clone()
	before := string(p.AppendJSON(nil))
	other := in
	other.Events = nil
	require.NoError(t, rules(t, list...).PlanInto(&p, &other))
	assert.Equal(t, before, string(clone.AppendJSON(nil)), "a clone keeps what it says")
	p = clone
	assert.Equal(t, []string{"keep won", "primary won", "cache won", "others won", "clear won", "purge lost clear: ends later"}, steps(p))
	assert.Contains(t, p.Explain(), "  copy media: deletable from 2026-01-11T00:00:00Z until 2026-06-01T00:00:00Z, at least purge\n")
	text := string(p.AppendJSON(nil))
	assert.True(t, json.Valid([]byte(text)))
	assert.Contains(t, text, `"media":{"breach":false,"ceiling":"clear","earliest":"2026-01-11T00:00:00Z","floor":"keep","latest":"2026-06-01T00:00:00Z","method":"purge","status":"deletable"}`)
	assert.Contains(t, text, `"copies":["backup","log"]`)
}

func TestHoldErrors(t *testing.T) {
	rs := rules(t, rule(t, "year", retention.Floor, retention.Law, "", "created", "P1Y"))
	good := hold(t, retention.Suspend, "h", "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z")
	request := retention.Erasure{ID: "r", At: instant(t, "2026-01-01T00:00:00Z")}
	for _, tt := range []struct {
		field  string
		hold   func(*retention.Hold)
		erase  func(*retention.Erasure)
		reason string
	}{
		{"holds", func(h *retention.Hold) { h.ID = canary }, nil, "no key"},
		{"holds", func(h *retention.Hold) { h.Scope = "" }, nil, "a hold is never widened to everything"},
		{"holds", func(h *retention.Hold) { h.Scope = canary }, nil, "no key"},
		{"holds", func(h *retention.Hold) { h.Placed = time.Time{} }, nil, "never placed"},
		{"holds", func(h *retention.Hold) { h.Released = h.Placed.Add(-1) }, nil, "released before"},
		{"holds", func(h *retention.Hold) { h.Released = time.Unix(1<<40, 0) }, nil, "out of range"},
		{"holds", func(h *retention.Hold) { h.Effect = 3 }, nil, "unknown"},
		{"holds", func(h *retention.Hold) { h.Authority = strings.Repeat(canary, 20) }, nil, "too long"},
		{"erasure", nil, func(e *retention.Erasure) { e.ID = canary }, "no key"},
		{"erasure", nil, func(e *retention.Erasure) { e.At = time.Time{} }, "no instant"},
		{"erasure", nil, func(e *retention.Erasure) { e.Scope = canary }, "no key"},
		{"erasure", nil, func(e *retention.Erasure) { e.Source = strings.Repeat(canary, 20) }, "too long"},
	} {
		in := input("x", "2026-01-01T00:00:00Z", "created", "2025-01-01T00:00:00Z")(t)
		h, e := good, request
		if tt.hold != nil {
			tt.hold(&h)
		}
		if tt.erase != nil {
			tt.erase(&e)
		}
		in.Holds, in.Erasure = []retention.Hold{h}, &e
		_, err := rs.Plan(in)
		var ie *retention.InputError
		require.ErrorAs(t, err, &ie, tt.reason)
		assert.Equal(t, tt.field, ie.Field)
		assert.NotContains(t, err.Error(), canary)
	}
	in := input("x", "2026-01-01T00:00:00Z")(t)
	in.Holds = make([]retention.Hold, 1001)
	_, err := rs.Plan(in)
	require.Error(t, err)

	// The reason of a hold is for people who may see it: no plan repeats it.
	in = input("x", "2026-01-01T00:00:00Z", "created", "2025-01-01T00:00:00Z")(t)
	good.Reason = canary
	in.Holds = []retention.Hold{good}
	p, err := rs.Plan(in)
	require.NoError(t, err)
	assert.NotContains(t, p.Explain()+string(p.AppendJSON(nil)), canary)
	assert.Contains(t, p.Explain(), "h [court order 1/26] hold (suspend): 2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z: released")
}

func TestHoldsCombined(t *testing.T) {
	list := []retention.Rule{
		rule(t, "floor", retention.Floor, retention.Law, "a", "created", "P10D"),
		rule(t, "ceiling", retention.Ceiling, retention.Agreement, "b", "created", "P12D"),
		rule(t, "equal", retention.Floor, retention.Agreement, "c", "created", "P10D"),
		rule(t, "equal2", retention.Ceiling, retention.Agreement, "c", "created", "P10D"),
	}
	plan := func(category, now string, hs ...retention.Hold) retention.Plan {
		in := input(category, now, "created", "2026-01-01T00:00:00Z")(t)
		in.Holds = hs
		p, err := rules(t, list...).Plan(in)
		require.NoError(t, err)
		return p
	}
	toll := hold(t, retention.Toll, "h", "2026-01-02T00:00:00Z", "2026-01-07T00:00:00Z")
	toll.Scope = "a"
	both := retention.Combine(plan("a", "2026-01-13T12:00:00Z", toll), plan("b", "2026-01-13T12:00:00Z", toll))
	assert.Equal(t, retention.Held, both.Status, "what the hold added to one is in the way of the other")
	assert.Equal(t, "h", both.Hold)

	toll.Scope = "c"
	p := plan("c", "2026-01-12T00:00:00Z", toll)
	assert.Equal(t, []any{retention.Keep, "2026-01-16T00:00:00Z", "2026-02-15T00:00:00Z", true}, []any{p.Status, stamp(p.Earliest), stamp(p.Latest), p.OverdueBecauseHeld},
		"floor and ceiling of one length: the ceiling follows the floor that a hold moved")

	open := hold(t, retention.Suspend, "open", "2026-02-01T00:00:00Z", "")
	p = plan("a", "2026-01-05T00:00:00Z", open)
	assert.Equal(t, []any{retention.Keep, ""}, []any{p.Status, stamp(p.Earliest)}, "placed later: not in force, and no date is promised")
	p = plan("other", "2026-03-01T00:00:00Z", open)
	assert.Equal(t, []any{retention.Held, []string{"other"}}, []any{p.Status, p.NoRule}, "data without a rule is held all the same")

	// A grace of one's own.
	rs, err := retention.New(list, retention.WithHoldGrace(period(t, "P5D")))
	require.NoError(t, err)
	in := input("b", "2026-03-01T00:00:00Z", "created", "2026-01-01T00:00:00Z")(t)
	in.Holds = []retention.Hold{hold(t, retention.Suspend, "h", "2026-01-02T00:00:00Z", "2026-03-01T00:00:00Z")}
	p, err = rs.Plan(in)
	require.NoError(t, err)
	assert.Equal(t, "2026-03-06T00:00:00Z", stamp(p.Latest))
	assert.Contains(t, p.Explain(), "released: a ceiling passed meanwhile and has P5D of grace")
	assert.Contains(t, p.Explain(), "; late because held by h")
}
