package retention_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/change"
)

var update = flag.Bool("update", false, "write testdata/scenarios.json anew")

// weekdays is a calendar of Mondays to Fridays without some holidays.
type weekdays struct {
	name     string
	holidays []string // as 2025-12-25
}

func (w weekdays) Name() string { return w.name }

func (w weekdays) Working(y int, m time.Month, d int) bool {
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !slices.Contains(w.holidays, day.Format(time.DateOnly))
}

// accountRules are subscriptionRules with phases and notices: R18 to R22.
func accountRules(t testing.TB) []retention.Rule {
	list := subscriptionRules(t)
	list[1].Stages = retention.Stages{
		Before: retention.Stage{Name: "active", Allow: []string{"*"}},
		During: retention.Stage{Name: "limited", Allow: []string{"export", "renew"}},
		After:  retention.Stage{Name: "disabled"},
	}
	return append(list, retention.Rule{
		ID: "announce", Source: "002:39", Kind: retention.Notice, Strength: retention.Statement, Category: "customer", Anchor: "subscription_end", Period: period(t, "P90D"),
		When: list[1].When,
		Schedule: retention.Schedule{Offsets: []retention.Period{period(t, "P0D"), period(t, "P60D"), period(t, "P83D")},
			AtLeast: 2, Purpose: "deletion", Channels: []string{"email"}},
	})
}

func holdRules(t testing.TB) []retention.Rule {
	return []retention.Rule{rule(t, "year", retention.Floor, retention.Law, "", "created", "P1Y")}
}

func answerRule(t testing.TB, holidays ...string) []retention.Rule {
	return []retention.Rule{with(rule(t, "answer", retention.Floor, retention.Law, "", "request", "P1M"), func(r *retention.Rule) {
		r.Zone, r.Count, r.Roll = "Europe/Berlin", retention.CivilDays, weekdays{"test", holidays}
	})}
}

func hold(t testing.TB, effect retention.Effect, id, placed, released string) retention.Hold {
	h := retention.Hold{ID: id, Reason: "a reason for people", Authority: "court order 1/26", Scope: retention.Everything, Placed: instant(t, placed), Effect: effect}
	if released != "" {
		h.Released = instant(t, released)
	}
	return h
}

// A scenario is one row of the tables of the specification. The bytes of the whole
// plan, with its trail, are in testdata/scenarios.json; any system that runs these
// tests has to make the same.
type scenario struct {
	id               string
	rules            []retention.Rule
	in               retention.Input
	status           retention.Status
	earliest, latest string
	more             func(t *testing.T, p retention.Plan)
	reason           string
}

func scenarios(t testing.TB) []scenario {
	paid := map[string]any{"in_scope": true}
	in := func(category, now string, attr map[string]any, events ...string) retention.Input {
		i := input(category, now, events...)(t)
		i.Attr = attr
		return i
	}
	holds := func(i retention.Input, hs ...retention.Hold) retention.Input { i.Holds = hs; return i }
	class := func(i retention.Input, c string) retention.Input { i.Class = c; return i }
	end := []string{"subscription_end", "2025-12-31T23:59:59Z"}
	d, f, c := retention.Delete, retention.Floor, retention.Ceiling
	k := retention.Default
	created := func(now string) retention.Input { return in("x", now, nil, "created", "2025-01-01T00:00:00Z") }
	erase := func(i retention.Input) retention.Input {
		i.Erasure = &retention.Erasure{ID: "request-7", Source: "case 7", At: instant(t, "2026-05-20T00:00:00Z")}
		return i
	}
	eraseRules := []retention.Rule{
		with(rule(t, "tax", f, retention.Law, "invoice", "created", "P10Y"), func(r *retention.Rule) { r.Cutoff = retention.EndOfYear }),
		rule(t, "account", f, retention.Organisation, "profile", "created", "P20Y"),
		rule(t, "wish", d, k, "profile", "created", "P15Y"),
	}
	ceilings := func(p string, strength retention.Strength, id string) retention.Rule {
		return with(rule(t, id, c, strength, "", "end", p), func(r *retention.Rule) { r.Topic = "deletion" })
	}
	rounded := func(kind retention.Kind) []retention.Rule {
		return []retention.Rule{with(rule(t, "three", kind, k, "", "created", "P3D"), func(r *retention.Rule) { r.Round = retention.ToDay })}
	}
	return []scenario{
		{"S1", serviceRules(t), class(in("telemetry", "2026-03-28T12:00:00Z", nil, "used_at", "2026-03-28T10:00:00Z"), "service.required"), retention.Deletable, "2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z",
			func(t *testing.T, p retention.Plan) { assert.Equal(t, retention.Typical, p.Strength) }, "a habit"},
		{"S1 overdue", serviceRules(t), class(in("telemetry", "2026-03-30T10:00:00Z", nil, "used_at", "2026-03-28T10:00:00Z"), "service.required"), retention.Overdue, "2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z",
			func(t *testing.T, p retention.Plan) { assert.False(t, p.Breach) }, "a warning, not a breach"},
		{"S2 personal", serviceRules(t), in("device.personal", "2024-02-01T00:00:00Z", nil, "device_removed", "2024-01-31T00:00:00Z"), retention.Deletable, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", nil, "Earliest is the anchor"},
		{"S2 alert", serviceRules(t), in("device.alert", "2024-03-02T00:00:00Z", nil, "device_removed", "2024-01-31T00:00:00Z"), retention.Keep, "2024-07-29T00:00:00Z", "2024-07-29T00:00:00Z", nil, "180 days, floor and ceiling"},
		{"S3", accountRules(t), in("customer.files", "2026-01-01T00:00:00Z", paid, end...), retention.Keep, "2026-03-31T23:59:59Z", "2026-06-29T23:59:59Z",
			func(t *testing.T, p retention.Plan) {
				require.Len(t, p.Phases, 3)
				limited := p.Phases[1]
				assert.Equal(t, []string{"limited", "2025-12-31T23:59:59Z", "2026-03-31T23:59:59Z"}, []string{limited.Name, stamp(limited.Start), stamp(limited.End)})
				assert.True(t, limited.Allows("export") && limited.Allows("renew") && !limited.Allows("edit"))
				assert.True(t, limited.At(instant(t, "2025-12-31T23:59:59Z")) && !limited.At(instant(t, "2026-03-31T23:59:59Z")), "half-open")
				assert.Equal(t, []string{"disabled", "2026-03-31T23:59:59Z", ""}, []string{p.Phases[2].Name, stamp(p.Phases[2].Start), stamp(p.Phases[2].End)})
				assert.False(t, p.Phases[2].Allows("export"))
				for _, copy := range []retention.Copy{retention.Primary, retention.Cache, retention.Backup} {
					assert.Equal(t, "2026-06-29T23:59:59Z", stamp(p.Window(copy).Latest), copy)
				}
			}, "limited, then disabled, gone everywhere"},
		{"S3n", accountRules(t), in("customer.files", "2026-01-01T00:00:00Z", paid, end...), retention.Keep, "2026-03-31T23:59:59Z", "2026-06-29T23:59:59Z",
			func(t *testing.T, p retention.Plan) {
				var due []string
				for _, n := range p.Notices {
					due = append(due, stamp(n.Due))
					assert.Equal(t, []string{"email"}, n.Channels)
				}
				assert.Equal(t, []string{"2025-12-31T23:59:59Z", "2026-03-01T23:59:59Z", "2026-03-24T23:59:59Z"}, due)
				few := accountRules(t)
				few[2].Schedule.Offsets = few[2].Schedule.Offsets[:1]
				assert.Equal(t, []string{"announce schedule"}, problems(t, few...), "one notice is not several")
			}, "three notices inside the period"},
		{"S4", accountRules(t), in("customer.files", "2024-02-28T00:00:00Z", paid, "subscription_end", "2023-11-30T00:00:00Z"), retention.Deletable, "2024-02-28T00:00:00Z", "2024-05-28T00:00:00Z",
			func(t *testing.T, p retention.Plan) { assert.Equal(t, "2024-02-28T00:00:00Z", stamp(p.Phases[1].End)) }, "through a leap day"},
		{"S5", accountRules(t), in("customer.files", "2026-01-01T00:00:00Z", map[string]any{"in_scope": true, "free_trial": true}, end...), retention.NoRule, "", "",
			func(t *testing.T, p retention.Plan) {
				assert.Empty(t, p.Phases)
				assert.Empty(t, p.Notices)
				assert.Equal(t, "!free_trial", p.Trail[0].Because)
			}, "no invented period"},
		{"S6", accountRules(t), in("customer.files", "2026-01-01T00:00:00Z", nil, end...), retention.Keep, "2026-03-31T23:59:59Z", "",
			func(t *testing.T, p retention.Plan) { assert.Contains(t, p.Explain(), "not applicable: in_scope") }, "no ceiling: not in scope"},
		{"S7", accountRules(t), func() retention.Input {
			i := in("customer.files", "2026-02-11T00:00:00Z", paid)
			i.Withdrawn = map[retention.Anchor]time.Time{"subscription_end": instant(t, "2026-02-10T00:00:00Z")}
			return i
		}(), retention.Keep, "", "",
			func(t *testing.T, p retention.Plan) {
				require.Len(t, p.Phases, 1)
				assert.Equal(t, "active", p.Phases[0].Name)
				assert.True(t, p.Phases[0].Allows("anything"))
				assert.Empty(t, p.Notices, "cancelled")
			}, "renewed: the end was taken back"},
		{"S8", accountRules(t), holds(in("customer.files", "2026-03-02T00:00:00Z", paid, end...), hold(t, retention.Suspend, "case-1", "2026-03-01T00:00:00Z", "")), retention.Held, "", "2026-06-29T23:59:59Z",
			func(t *testing.T, p retention.Plan) {
				assert.Equal(t, "case-1", p.Hold)
				assert.False(t, p.OverdueBecauseHeld)
			}, "an open hold, and the ceiling is shown"},
		{"S8 past the ceiling", accountRules(t), holds(in("customer.files", "2026-06-30T00:00:00Z", paid, end...), hold(t, retention.Suspend, "case-1", "2026-03-01T00:00:00Z", "")), retention.Held, "", "2026-06-29T23:59:59Z",
			func(t *testing.T, p retention.Plan) { assert.True(t, p.OverdueBecauseHeld); assert.False(t, p.Breach) }, "late, and not in breach"},
		{"S9", accountRules(t), holds(in("customer.files", "2026-08-15T00:00:00Z", paid, end...), hold(t, retention.Suspend, "case-1", "2026-03-01T00:00:00Z", "2026-08-15T00:00:00Z")), retention.Deletable, "2026-08-15T00:00:00Z", "2026-09-14T00:00:00Z",
			func(t *testing.T, p retention.Plan) { assert.True(t, p.OverdueBecauseHeld) }, "released: 30 days of grace"},
		{"S9 past the grace", accountRules(t), holds(in("customer.files", "2026-09-14T00:00:00Z", paid, end...), hold(t, retention.Suspend, "case-1", "2026-03-01T00:00:00Z", "2026-08-15T00:00:00Z")), retention.Overdue, "2026-08-15T00:00:00Z", "2026-09-14T00:00:00Z",
			func(t *testing.T, p retention.Plan) { assert.True(t, p.OverdueBecauseHeld && p.Breach) }, "the grace has an end"},
		{"S11", []retention.Rule{ceilings("P90D", retention.Statement, "statement"), ceilings("P60D", retention.Agreement, "agreement")}, in("x", "2026-01-02T00:00:00Z", nil, "end", "2026-01-01T00:00:00Z"), retention.Deletable, "2026-01-01T00:00:00Z", "2026-03-02T00:00:00Z",
			func(t *testing.T, p retention.Plan) {
				assert.Equal(t, "agreement", p.Ceiling)
				assert.Equal(t, []string{"statement replaced agreement: weaker: statement < agreement", "agreement won"}, steps(p))
			}, "the agreement controls, the trail names both"},
		{"S12 before", promotionRules(t), class(in("telemetry", "2026-03-28T12:00:00Z", nil, "used_at", "2026-03-28T10:00:00Z"), "service.required"), retention.Deletable, "2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z", nil, "without consent no promotion, and the old rule stays"},
		{"S12 after", promotionRules(t), class(in("telemetry", "2026-03-29T12:00:00Z", nil, "used_at", "2026-03-28T10:00:00Z", "promoted", "2026-03-29T00:00:00Z"), "account"), retention.Deletable, "2026-03-29T00:00:00Z", "2027-03-29T00:00:00Z", nil, "the account rule from the promotion on"},

		{"K1", []retention.Rule{rule(t, "seven", f, k, "", "created", "P7Y"), rule(t, "five", f, k, "", "modified", "P5Y")}, in("x", "2026-06-01T00:00:00Z", nil, "created", "2019-01-10T00:00:00Z", "modified", "2023-08-15T00:00:00Z"), retention.Keep, "2028-08-15T00:00:00Z", "", nil, "5 years beat 7: ends are compared"},
		{"K2", []retention.Rule{rule(t, "five", d, k, "", "created", "P5Y"), rule(t, "ten", d, k, "doc", "created", "P10Y"), rule(t, "label", d, k, "doc.contract", "created", "P7Y")}, in("doc.contract", "2026-06-01T00:00:00Z", nil, "created", "2020-01-01T00:00:00Z"), retention.Keep, "2027-01-01T00:00:00Z", "", nil, "the label"},
		{"K3", []retention.Rule{rule(t, "label", d, k, "doc", "created", "P7Y"), rule(t, "retain", f, k, "", "created", "P10Y")}, in("doc", "2029-12-31T23:59:59Z", nil, "created", "2020-01-01T00:00:00Z"), retention.Keep, "2030-01-01T00:00:00Z", "", nil, "kept to 10 years"},
		{"K3 then", []retention.Rule{rule(t, "label", d, k, "doc", "created", "P7Y"), rule(t, "retain", f, k, "", "created", "P10Y")}, in("doc", "2030-01-01T00:00:00Z", nil, "created", "2020-01-01T00:00:00Z"), retention.Due, "2030-01-01T00:00:00Z", "", nil, "deleted then"},
		{"K4", []retention.Rule{rule(t, "three", d, k, "", "created", "P3Y"), rule(t, "one", d, k, "", "created", "P1Y")}, in("x", "2021-01-01T00:00:00Z", nil, "created", "2020-01-01T00:00:00Z"), retention.Due, "2021-01-01T00:00:00Z", "", nil, "the shorter wish"},
		{"K5", []retention.Rule{rule(t, "tax", f, retention.Law, "", "created", "P10Y"), rule(t, "contract", c, retention.Agreement, "", "created", "P90D")}, in("invoice", "2020-01-02T00:00:00Z", nil, "created", "2020-01-01T00:00:00Z"), retention.Conflict, "2030-01-01T00:00:00Z", "2020-03-31T00:00:00Z",
			func(t *testing.T, p retention.Plan) {
				assert.True(t, p.Decided)
				for _, text := range []string{"tax", "contract", "law > agreement"} {
					assert.Contains(t, strings.SplitN(p.Explain(), "\n", 2)[0], text)
				}
			}, "kept, both named, and the strengths decide"},
		{"K6 invoice", eraseRules, erase(in("invoice", "2026-05-21T00:00:00Z", nil, "created", "2016-03-15T00:00:00Z")), retention.Keep, "2027-01-01T00:00:00Z", "",
			func(t *testing.T, p retention.Plan) {
				assert.Equal(t, []retention.Exemption{{Category: "invoice", Rule: "tax", Source: "test:tax", Until: instant(t, "2027-01-01T00:00:00Z")}}, p.Exemptions)
				assert.Contains(t, p.Explain(), "erasable from 2027-01-01T00:00:00Z (tax)")
			}, "the law keeps it"},
		{"K6 profile", eraseRules, erase(in("profile", "2026-05-20T00:00:00Z", nil, "created", "2016-03-15T00:00:00Z")), retention.Due, "2026-05-20T00:00:00Z", "",
			func(t *testing.T, p retention.Plan) {
				assert.Empty(t, p.Exemptions)
				assert.Equal(t, "request-7", p.Delete)
			}, "due at the request"},

		{"H1", holdRules(t), holds(created("2026-03-01T00:00:00Z"), hold(t, retention.Restart, "h", "2025-06-01T00:00:00Z", "2026-03-01T00:00:00Z")), retention.Keep, "2027-03-01T00:00:00Z", "", nil, "the year starts again"},
		{"H2", holdRules(t), holds(created("2026-03-01T00:00:00Z"), hold(t, retention.Suspend, "h", "2025-06-01T00:00:00Z", "2026-03-01T00:00:00Z")), retention.Deletable, "2026-03-01T00:00:00Z", "", nil, "the year ran on"},
		{"H3", holdRules(t), holds(created("2026-03-01T00:00:00Z"), hold(t, retention.Toll, "h", "2025-06-01T00:00:00Z", "2025-09-01T00:00:00Z")), retention.Keep, "2026-04-03T00:00:00Z", "", nil, "92 days stood still"},
		{"H4", holdRules(t), holds(created("2026-03-01T00:00:00Z"), hold(t, retention.Toll, "h", "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"), hold(t, retention.Toll, "i", "2025-06-15T00:00:00Z", "2025-08-01T00:00:00Z")), retention.Keep, "2026-03-03T00:00:00Z", "", nil, "61 days: overlaps count once"},

		{"Z1", rounded(f), in("x", "2020-01-02T00:00:00Z", nil, "created", "2020-01-01T10:30:00Z"), retention.Keep, "2020-01-05T00:00:00Z", "", nil, "the next midnight"},
		{"Z2", rounded(c), in("x", "2020-01-02T00:00:00Z", nil, "created", "2020-01-01T10:30:00Z"), retention.Deletable, "2020-01-01T10:30:00Z", "2020-01-04T00:00:00Z", nil, "the midnight before"},
		{"Z3", []retention.Rule{with(rule(t, "invoice", f, retention.Law, "", "invoiced", "P10Y"), func(r *retention.Rule) { r.Zone, r.Cutoff = "Europe/Berlin", retention.EndOfYear })}, in("x", "2020-01-02T00:00:00Z", nil, "invoiced", "2016-03-15T09:00:00Z"), retention.Keep, "2026-12-31T23:00:00Z", "", nil, "from the end of the year"},
		{"Z4", answerRule(t), in("x", "2026-02-01T00:00:00Z", nil, "request", "2026-01-30T10:00:00Z"), retention.Keep, "2026-03-02T23:00:00Z", "", nil, "February 28 is a Saturday"},
		{"Z5", answerRule(t, "2025-12-25", "2025-12-26"), in("x", "2025-12-01T00:00:00Z", nil, "request", "2025-11-25T10:00:00Z"), retention.Keep, "2025-12-29T23:00:00Z", "", nil, "two holidays and a weekend"},
		{"Z6", answerRule(t, "2026-05-01"), in("x", "2026-04-02T00:00:00Z", nil, "request", "2026-04-01T10:00:00Z"), retention.Keep, "2026-05-04T22:00:00Z", "", nil, "a holiday on a Friday"},

		{"B1 at", serviceRules(t), in("device", "2024-03-01T00:00:00Z", nil, "device_removed", "2024-01-31T00:00:00Z"), retention.Overdue, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", nil, "Now == Latest"},
		{"B1 before", serviceRules(t), in("device", "2024-02-29T23:59:59.999999999Z", nil, "device_removed", "2024-01-31T00:00:00Z"), retention.Deletable, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", nil, "one nanosecond early"},
	}
}

func TestGoldenScenarios(t *testing.T) {
	const file = "testdata/scenarios.json"
	golden := map[string]json.RawMessage{}
	if !*update {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &golden))
	}
	rows := scenarios(t)
	seen := map[string]bool{}
	for _, row := range rows {
		t.Run(row.id, func(t *testing.T) {
			require.False(t, seen[row.id], "twice")
			seen[row.id] = true
			rs := rules(t, row.rules...)
			p, err := rs.Plan(row.in)
			require.NoError(t, err)
			assert.Equal(t, []any{row.status, row.earliest, row.latest}, []any{p.Status, stamp(p.Earliest), stamp(p.Latest)}, "%s\n%s", row.reason, p.Explain())
			if row.more != nil {
				row.more(t, p)
			}
			text := p.AppendJSON(nil)
			require.True(t, json.Valid(text))
			if *update {
				golden[row.id] = text
			}
			assert.Equal(t, string(golden[row.id]), string(text), "the bytes of the plan with its trail")

			in := row.in
			in.Explain = false
			again := p
			require.NoError(t, rs.PlanInto(&again, &in))
			q := p
			q.Trail, again.Trail = nil, nil
			assert.Equal(t, string(q.AppendJSON(nil)), string(again.AppendJSON(nil)), "the trail changes nothing")
		})
	}
	assert.Len(t, golden, len(rows))
	if *update {
		out := []byte("{\n")
		for i, id := range slices.Sorted(maps.Keys(golden)) {
			if i > 0 {
				out = append(out, ",\n"...)
			}
			name, _ := json.Marshal(id)
			out = append(append(append(append(out, ' '), name...), ": "...), golden[id]...)
		}
		require.NoError(t, os.WriteFile(file, append(out, "\n}\n"...), 0o644))
	}
	// The row S10 is about rules that change, and no plan.
	t.Run("S10", func(t *testing.T) {
		p := change.Policy{Lead: period(t, "P30D"), Channels: []string{"message_center", "portal"}}
		told := func(at string) map[string]time.Time {
			return map[string]time.Time{"message_center": instant(t, at), "portal": instant(t, at)}
		}
		got, err := p.Check(change.Change{Kinds: []change.Kind{change.DataTypes}, Effective: instant(t, "2026-05-01T00:00:00Z"), Told: told("2026-04-01T00:00:00Z")})
		require.NoError(t, err)
		assert.Equal(t, []any{"2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", false}, []any{stamp(got.LatestNotice), stamp(got.EarliestEffective), got.TooEarly})
		got, err = p.Check(change.Change{Kinds: []change.Kind{change.StorageLocation}, Effective: instant(t, "2026-05-01T00:00:00Z"), Told: told("2026-04-02T00:00:00Z")})
		require.NoError(t, err)
		assert.Equal(t, []any{"2026-05-02T00:00:00Z", true}, []any{stamp(got.EarliestEffective), got.TooEarly})
	})
}
