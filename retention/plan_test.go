package retention_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/retention"
)

// input makes an input for a category at an instant, with events in pairs of
// anchor and instant, and every step explained.
func input(category, now string, events ...string) func(testing.TB) retention.Input {
	return func(t testing.TB) retention.Input {
		in := retention.Input{Category: category, Now: instant(t, now), Events: map[retention.Anchor]time.Time{}, Explain: true}
		for i := 0; i < len(events); i += 2 {
			in.Events[retention.Anchor(events[i])] = instant(t, events[i+1])
		}
		return in
	}
}

func attr(name string) func(*retention.Input) (bool, error) {
	negated := strings.HasPrefix(name, "!")
	name = strings.TrimPrefix(name, "!")
	return func(in *retention.Input) (bool, error) {
		v, _ := in.Attr[name].(bool)
		return v != negated, nil
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// The rules of the scenarios below. The first four speak of the sources R1, R9,
// R10, R18 and R22; their texts live in the policy packs.
func serviceRules(t testing.TB) []retention.Rule {
	return []retention.Rule{
		with(rule(t, "ephemeral", retention.Ceiling, retention.Typical, "", "used_at", "PT48H"), func(r *retention.Rule) { r.Class = []string{"service.required"} }),
		with(rule(t, "device", retention.Ceiling, retention.Statement, "device", "device_removed", "P30D"), func(r *retention.Rule) { r.Topic = "device" }),
		with(rule(t, "alert-floor", retention.Floor, retention.Statement, "device.alert", "device_removed", "P180D"), func(r *retention.Rule) { r.Topic = "device" }),
		with(rule(t, "alert-ceiling", retention.Ceiling, retention.Statement, "device.alert", "device_removed", "P180D"), func(r *retention.Rule) { r.Topic = "device" }),
	}
}

func subscriptionRules(t testing.TB) []retention.Rule {
	return []retention.Rule{
		{ID: "deletion", Source: "002:41", Kind: retention.Ceiling, Strength: retention.Statement, Category: "customer", After: "limited", Period: period(t, "P90D"),
			When: retention.Condition{Text: "in_scope", Func: attr("in_scope")}},
		{ID: "limited", Source: "002:39", Kind: retention.Floor, Strength: retention.Statement, Category: "customer", Anchor: "subscription_end", Period: period(t, "P90D"),
			When: retention.Condition{Text: "!free_trial", Func: attr("!free_trial")}},
	}
}

// steps are "rule outcome" or "rule outcome because" of a trail.
func steps(p retention.Plan) []string {
	var out []string
	for _, s := range p.Trail {
		line := s.Rule + " " + s.Outcome.String()
		if s.Against != "" {
			line += " " + s.Against
		}
		if s.Because != "" {
			line += ": " + s.Because
		}
		out = append(out, line)
	}
	return out
}

func TestScenarios(t *testing.T) {
	paid := map[string]any{"in_scope": true}
	type want struct {
		status           retention.Status
		breach, decided  bool
		earliest, latest string
		strength         retention.Strength
		missing          []retention.Anchor
		trail            []string
	}
	k, d, f, c := retention.Default, retention.Delete, retention.Floor, retention.Ceiling
	for _, tt := range []struct {
		name   string
		rules  []retention.Rule
		in     func(testing.TB) retention.Input
		change func(*retention.Input)
		want   want
		reason string
	}{
		{"S1", serviceRules(t), input("telemetry", "2026-03-28T12:00:00Z", "used_at", "2026-03-28T10:00:00Z"), func(in *retention.Input) { in.Class = "service.required" },
			want{retention.Deletable, false, false, "2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z", retention.Typical, nil, []string{"ephemeral won"}}, "gone by 48 hours, and may go at once"},
		{"S1 late", serviceRules(t), input("telemetry", "2026-04-30T10:00:00Z", "used_at", "2026-03-28T10:00:00Z"), func(in *retention.Input) { in.Class = "service.required" },
			want{retention.Overdue, false, false, "2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z", retention.Typical, nil, []string{"ephemeral won"}}, "late against a habit is no breach"},
		{"S1 account data", serviceRules(t), input("telemetry", "2026-03-28T12:00:00Z", "used_at", "2026-03-28T10:00:00Z"), func(in *retention.Input) { in.Class = "account" },
			want{retention.NoRule, false, false, "", "", 0, nil, nil}, "no source gives a period for account data: not 48 hours"},
		{"S2 personal", serviceRules(t), input("device.personal", "2024-02-01T00:00:00Z", "device_removed", "2024-01-31T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", retention.Statement, nil, []string{"device won"}}, "a maximum of 30 days"},
		{"S2 personal late", serviceRules(t), input("device.personal", "2024-03-01T00:00:00Z", "device_removed", "2024-01-31T00:00:00Z"), nil,
			want{retention.Overdue, true, false, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", retention.Statement, nil, []string{"device won"}}, "a hard ceiling: late is a breach"},
		{"S2 alert", serviceRules(t), input("device.alert", "2024-03-02T00:00:00Z", "device_removed", "2024-01-31T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2024-07-29T00:00:00Z", "2024-07-29T00:00:00Z", retention.Statement, nil,
				[]string{"device replaced alert-floor: less specific category", "alert-floor won", "alert-ceiling won"}}, "the more specific category replaces the 30 days"},
		{"S3", subscriptionRules(t), input("customer.files", "2026-01-01T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z"), func(in *retention.Input) { in.Attr = paid },
			want{retention.Keep, false, false, "2026-03-31T23:59:59Z", "2026-06-29T23:59:59Z", retention.Statement, nil, []string{"limited won", "deletion won"}}, "90 days, and 90 more at most"},
		{"S4", subscriptionRules(t), input("customer.files", "2024-02-28T00:00:00Z", "subscription_end", "2023-11-30T00:00:00Z"), func(in *retention.Input) { in.Attr = paid },
			want{retention.Deletable, false, false, "2024-02-28T00:00:00Z", "2024-05-28T00:00:00Z", retention.Statement, nil, []string{"limited won", "deletion won"}}, "90 days are not three months"},
		{"S5", subscriptionRules(t), input("customer.files", "2026-01-01T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z"), func(in *retention.Input) { in.Attr = map[string]any{"in_scope": true, "free_trial": true} },
			want{retention.NoRule, false, false, "", "", 0, nil, []string{"limited not_applicable: !free_trial", "deletion not_applicable limited: it follows a rule that does not apply"}}, "no period is invented for a free trial"},
		{"S6", subscriptionRules(t), input("customer.files", "2026-01-01T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z"), nil,
			want{retention.Keep, false, false, "2026-03-31T23:59:59Z", "", 0, nil, []string{"limited won", "deletion not_applicable: in_scope"}}, "out of scope: no ceiling is known"},
		{"S7", subscriptionRules(t), input("customer.files", "2026-02-11T00:00:00Z"), func(in *retention.Input) {
			in.Attr, in.Withdrawn = paid, map[retention.Anchor]time.Time{"subscription_end": instant(t, "2026-02-10T00:00:00Z")}
		}, want{retention.Keep, false, false, "", "", 0, nil, []string{"limited withdrawn", "deletion withdrawn"}}, "renewed: the end was taken back"},
		{"S7 before the end", subscriptionRules(t), input("customer.files", "2026-02-11T00:00:00Z"), func(in *retention.Input) { in.Attr = paid },
			want{retention.PendingEvent, false, false, "", "", 0, []retention.Anchor{"subscription_end"}, []string{"limited no_event", "deletion no_event"}}, "never Now, never creation, instead of an event"},
		{"S7 ended again", subscriptionRules(t), input("customer.files", "2026-02-11T00:00:00Z", "subscription_end", "2027-01-01T00:00:00Z"), func(in *retention.Input) {
			in.Attr, in.Withdrawn = paid, map[retention.Anchor]time.Time{"subscription_end": instant(t, "2026-02-10T00:00:00Z")}
		}, want{retention.Keep, false, false, "2027-04-01T00:00:00Z", "2027-06-30T00:00:00Z", retention.Statement, nil, []string{"limited won", "deletion won"}}, "an event that stands, and lies ahead, counts"},
		{"S11", []retention.Rule{
			with(rule(t, "statement", c, retention.Statement, "", "end", "P90D"), func(r *retention.Rule) { r.Topic = "deletion" }),
			with(rule(t, "agreement", c, retention.Agreement, "", "end", "P60D"), func(r *retention.Rule) { r.Topic = "deletion" })},
			input("x", "2026-01-02T00:00:00Z", "end", "2026-01-01T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2026-01-01T00:00:00Z", "2026-03-02T00:00:00Z", retention.Agreement, nil, []string{"statement replaced agreement: weaker: statement < agreement", "agreement won"}}, "the agreement controls"},
		{"S11 longer agreement", []retention.Rule{
			with(rule(t, "statement", c, retention.Statement, "", "end", "P90D"), func(r *retention.Rule) { r.Topic = "deletion" }),
			with(rule(t, "agreement", c, retention.Agreement, "", "end", "P120D"), func(r *retention.Rule) { r.Topic = "deletion" })},
			input("x", "2026-01-02T00:00:00Z", "end", "2026-01-01T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z", retention.Agreement, nil, []string{"statement replaced agreement: weaker: statement < agreement", "agreement won"}}, "also where it is the longer one"},
		{"S11 floor", []retention.Rule{
			with(rule(t, "statement", f, retention.Statement, "", "end", "P90D"), func(r *retention.Rule) { r.Topic = "deletion" }),
			with(rule(t, "agreement", c, retention.Agreement, "", "end", "P60D"), func(r *retention.Rule) { r.Topic = "deletion" })},
			input("x", "2026-01-02T00:00:00Z", "end", "2026-01-01T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2026-01-01T00:00:00Z", "2026-03-02T00:00:00Z", retention.Agreement, nil, []string{"statement replaced agreement: weaker: statement < agreement", "agreement won"}}, "rules of one topic replace each other whatever their kind"},
		{"S12 before", promotionRules(t), input("telemetry", "2026-03-28T12:00:00Z", "used_at", "2026-03-28T10:00:00Z"), func(in *retention.Input) { in.Class = "service.required" },
			want{retention.Deletable, false, false, "2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z", retention.Typical, nil, []string{"ephemeral won"}}, "without a promotion the old rule stays"},
		{"S12 after", promotionRules(t), input("telemetry", "2026-03-29T12:00:00Z", "used_at", "2026-03-28T10:00:00Z", "promoted", "2026-03-29T00:00:00Z"), func(in *retention.Input) { in.Class = "account" },
			want{retention.Deletable, false, false, "2026-03-29T00:00:00Z", "2027-03-29T00:00:00Z", retention.Organisation, nil, []string{"account won"}}, "the old rule stops and the new one starts at the promotion"},

		{"K1", []retention.Rule{rule(t, "seven", f, k, "", "created", "P7Y"), rule(t, "five", f, k, "", "modified", "P5Y")}, input("x", "2026-06-01T00:00:00Z", "created", "2019-01-10T00:00:00Z", "modified", "2023-08-15T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2028-08-15T00:00:00Z", "", 0, nil, []string{"seven lost five: ends earlier", "five won"}}, "ends are compared, not lengths"},
		{"K2", []retention.Rule{rule(t, "five", d, k, "", "created", "P5Y"), rule(t, "ten", d, k, "doc", "created", "P10Y"), rule(t, "label", d, k, "doc.contract", "created", "P7Y")}, input("doc.contract", "2026-06-01T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2027-01-01T00:00:00Z", "", 0, nil, []string{"five lost label: less specific category", "ten lost label: less specific category", "label won"}}, "the explicit wish counts"},
		{"K3", []retention.Rule{rule(t, "label", d, k, "doc", "created", "P7Y"), rule(t, "retain", f, k, "", "created", "P10Y")}, input("doc", "2028-01-01T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2030-01-01T00:00:00Z", "", 0, nil, []string{"label won", "retain won"}}, "kept to 10 years"},
		{"K3 then", []retention.Rule{rule(t, "label", d, k, "doc", "created", "P7Y"), rule(t, "retain", f, k, "", "created", "P10Y")}, input("doc", "2030-01-01T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Due, false, false, "2030-01-01T00:00:00Z", "", 0, nil, []string{"label won", "retain won"}}, "deleted then"},
		{"K4", []retention.Rule{rule(t, "three", d, k, "", "created", "P3Y"), rule(t, "one", d, k, "", "created", "P1Y")}, input("x", "2021-01-01T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Due, false, false, "2021-01-01T00:00:00Z", "", 0, nil, []string{"three lost one: ends later", "one won"}}, "the shortest of equal wishes"},
		{"K4 strength", []retention.Rule{rule(t, "three", d, retention.Law, "", "created", "P3Y"), rule(t, "one", d, k, "", "created", "P1Y")}, input("x", "2021-01-01T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2023-01-01T00:00:00Z", "", 0, nil, []string{"three won", "one lost three: weaker: default < law"}}, "the stronger of equally specific wishes"},
		{"K5", []retention.Rule{rule(t, "tax", f, retention.Law, "", "created", "P10Y"), rule(t, "contract", c, retention.Agreement, "", "created", "P90D")}, input("invoice", "2020-01-02T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Conflict, false, true, "2030-01-01T00:00:00Z", "2020-03-31T00:00:00Z", retention.Agreement, nil, []string{"tax won", "contract won"}}, "kept: law > agreement"},
		{"K5 past the ceiling", []retention.Rule{rule(t, "tax", f, retention.Law, "", "created", "P10Y"), rule(t, "contract", c, retention.Agreement, "", "created", "P90D")}, input("invoice", "2029-12-31T23:59:59Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Conflict, false, true, "2030-01-01T00:00:00Z", "2020-03-31T00:00:00Z", retention.Agreement, nil, []string{"tax won", "contract won"}}, "kept to the end of the floor"},
		{"K5 past the floor", []retention.Rule{rule(t, "tax", f, retention.Law, "", "created", "P10Y"), rule(t, "contract", c, retention.Agreement, "", "created", "P90D")}, input("invoice", "2030-01-01T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil,
			want{retention.Overdue, true, false, "2030-01-01T00:00:00Z", "2020-03-31T00:00:00Z", retention.Agreement, nil, []string{"tax won", "contract won"}}, "nothing keeps it any more"},
		{"K5 undecided", []retention.Rule{rule(t, "policy", f, k, "", "modified", "P1Y"), rule(t, "contract", c, retention.Agreement, "", "created", "P90D")}, input("x", "2020-01-02T00:00:00Z", "created", "2020-01-01T00:00:00Z", "modified", "2020-01-01T00:00:00Z"), nil,
			want{retention.Conflict, false, false, "2021-01-01T00:00:00Z", "2020-03-31T00:00:00Z", retention.Agreement, nil, []string{"policy won", "contract won"}}, "two events, so only a plan can tell that the rules contradict each other"},

		{"B1 before", serviceRules(t), input("device", "2024-02-29T23:59:59.999999999Z", "device_removed", "2024-01-31T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", retention.Statement, nil, []string{"device won"}}, "one nanosecond early is not due"},
		{"B1 at", serviceRules(t), input("device", "2024-03-01T00:00:00Z", "device_removed", "2024-01-31T00:00:00Z"), nil,
			want{retention.Overdue, true, false, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", retention.Statement, nil, []string{"device won"}}, "at the deadline it is due"},

		{"typical and hard", []retention.Rule{rule(t, "habit", c, retention.Typical, "", "used", "PT48H"), rule(t, "hard", c, k, "", "used", "P30D")}, input("x", "2026-01-20T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Overdue, false, false, "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", retention.Typical, nil, []string{"habit won", "hard lost habit: ends later"}}, "only the habit has passed"},
		{"typical and hard, later", []retention.Rule{rule(t, "habit", c, retention.Typical, "", "used", "PT48H"), rule(t, "hard", c, k, "", "used", "P30D")}, input("x", "2026-01-31T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Overdue, true, false, "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", retention.Typical, nil, []string{"habit won", "hard lost habit: ends later"}}, "a habit that won does not hide a breach"},
		{"equal ceilings", []retention.Rule{rule(t, "habit", c, retention.Typical, "", "used", "P1D"), rule(t, "hard", c, k, "", "used", "P1D")}, input("x", "2026-01-01T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", k, nil, []string{"habit lost hard: ends at the same time", "hard won"}}, "of ceilings at one instant the stronger gives its strength"},
		{"floor waits", []retention.Rule{rule(t, "floor", f, k, "", "closed", "P1Y"), rule(t, "ceiling", c, retention.Agreement, "", "used", "P30D")}, input("x", "2026-01-02T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.PendingEvent, false, false, "", "2026-01-31T00:00:00Z", retention.Agreement, []retention.Anchor{"closed"}, []string{"floor no_event", "ceiling won"}}, "kept until the event, and the ceiling is told"},
		{"floor waits past the ceiling", []retention.Rule{rule(t, "floor", f, k, "", "closed", "P1Y"), rule(t, "ceiling", c, retention.Agreement, "", "used", "P30D")}, input("x", "2026-01-31T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Conflict, false, false, "", "2026-01-31T00:00:00Z", retention.Agreement, []retention.Anchor{"closed"}, []string{"floor no_event", "ceiling won"}}, "a floor that has not begun cannot have ended"},
		{"ceiling waits", []retention.Rule{rule(t, "ceiling", c, k, "", "closed", "P1Y")}, input("x", "2026-01-31T00:00:00Z"), nil,
			want{retention.PendingEvent, false, false, "", "", 0, []retention.Anchor{"closed"}, []string{"ceiling no_event"}}, "no deadline yet"},
		{"ceiling waits beside a floor", []retention.Rule{rule(t, "ceiling", c, k, "", "closed", "P1Y"), rule(t, "floor", f, k, "", "used", "P1D")}, input("x", "2026-01-31T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2026-01-02T00:00:00Z", "", 0, []retention.Anchor{"closed"}, []string{"ceiling no_event", "floor won"}}, "the floor has ended, the ceiling is not known"},
		{"wish waits", []retention.Rule{rule(t, "wish", d, k, "", "closed", "P1Y"), rule(t, "floor", f, k, "", "used", "P1D")}, input("x", "2026-01-31T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.PendingEvent, false, false, "", "", 0, []retention.Anchor{"closed"}, []string{"wish no_event", "floor won"}}, "when it should go is not known yet"},
		{"wish waits past the ceiling", []retention.Rule{rule(t, "wish", d, k, "", "closed", "P1Y"), rule(t, "ceiling", c, k, "", "used", "P1D")}, input("x", "2026-01-31T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Overdue, true, false, "", "2026-01-02T00:00:00Z", k, []retention.Anchor{"closed"}, []string{"wish no_event", "ceiling won"}}, "a wish protects nothing"},
		{"wishes, one waits", []retention.Rule{rule(t, "a", d, k, "", "closed", "P1D"), rule(t, "b", d, k, "", "used", "P1Y")}, input("x", "2026-01-31T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2027-01-01T00:00:00Z", "", 0, []retention.Anchor{"closed"}, []string{"a no_event", "b won"}}, "of equal wishes one with an instant counts"},
		{"wish after the ceiling", []retention.Rule{rule(t, "wish", d, k, "", "used", "P1Y"), rule(t, "ceiling", c, k, "", "used", "P30D")}, input("x", "2026-01-02T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Deletable, false, false, "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", k, nil, []string{"wish lost ceiling: a wish that ends after the ceiling", "ceiling won"}}, "a wish keeps nothing beyond a ceiling"},
		{"wish at the ceiling", []retention.Rule{rule(t, "wish", d, k, "", "used", "P30D"), rule(t, "ceiling", c, k, "", "used", "P30D")}, input("x", "2026-01-30T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z", k, nil, []string{"wish won", "ceiling won"}}, "a wish for the last moment stands"},
		{"wish before the ceiling", []retention.Rule{rule(t, "wish", d, k, "", "used", "P10D"), rule(t, "ceiling", c, k, "", "used", "P30D")}, input("x", "2026-01-11T00:00:00Z", "used", "2026-01-01T00:00:00Z"), nil,
			want{retention.Due, false, false, "2026-01-11T00:00:00Z", "2026-01-31T00:00:00Z", k, nil, []string{"wish won", "ceiling won"}}, "should go, need not yet"},
		{"future event", []retention.Rule{rule(t, "ceiling", c, k, "", "end", "P30D")}, input("x", "2026-01-01T00:00:00Z", "end", "2026-02-01T00:00:00Z"), nil,
			want{retention.Keep, false, false, "2026-02-01T00:00:00Z", "2026-03-03T00:00:00Z", k, nil, []string{"ceiling won"}}, "an event ahead is planned for"},
		{"zero event", []retention.Rule{rule(t, "ceiling", c, k, "", "end", "P30D")}, input("x", "2026-01-01T00:00:00Z", "end", "0001-01-01T00:00:00Z"), nil,
			want{retention.PendingEvent, false, false, "", "", 0, []retention.Anchor{"end"}, []string{"ceiling no_event"}}, "the zero time is no event"},
		{"epoch", []retention.Rule{rule(t, "ceiling", c, k, "", "end", "P0D"), rule(t, "floor", f, k, "", "end", "P0D")}, input("x", "1970-01-01T00:00:00Z", "end", "1970-01-01T00:00:00Z"), nil,
			want{retention.Overdue, true, false, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", k, nil, []string{"ceiling won", "floor won"}}, "the second 0 is an instant like others"},
		{"chain about other data", []retention.Rule{rule(t, "first", f, k, "a", "end", "P1D"), {ID: "second", Kind: c, Strength: k, After: "first", Period: period(t, "P1D")}}, input("b", "2026-01-01T00:00:00Z", "end", "2026-01-01T00:00:00Z"), nil,
			want{retention.NoRule, false, false, "", "", 0, nil, []string{"second not_applicable first: it follows a rule that is not about this data"}}, "a chain needs its first link"},
		{"zone", []retention.Rule{with(rule(t, "floor", f, k, "", "end", "P1M"), func(r *retention.Rule) { r.Zone = "Asia/Tokyo" })}, input("x", "2021-03-01T00:00:00Z", "end", "2021-02-28T23:30:00Z"), nil,
			want{retention.Keep, false, false, "2021-03-31T23:30:00Z", "", 0, nil, []string{"floor won"}}, "the rule's zone decides which day it is"},
		{"fixed zone", []retention.Rule{with(rule(t, "floor", f, k, "", "end", "P1M"), func(r *retention.Rule) { r.Zone = "+09:00" })}, input("x", "2021-03-01T00:00:00Z", "end", "2021-02-28T23:30:00Z"), nil,
			want{retention.Keep, false, false, "2021-03-31T23:30:00Z", "", 0, nil, []string{"floor won"}}, "an offset works as a zone"},
		{"purpose", []retention.Rule{with(rule(t, "floor", f, k, "", "end", "P1M"), func(r *retention.Rule) { r.Purpose = []string{"security"} })}, input("x", "2021-03-01T00:00:00Z", "end", "2021-02-28T00:00:00Z"), func(in *retention.Input) { in.Purpose = "advertising" },
			want{retention.NoRule, false, false, "", "", 0, nil, nil}, "only that purpose"},
	} {
		in := tt.in(t)
		if tt.change != nil {
			tt.change(&in)
		}
		p, err := rules(t, tt.rules...).Plan(in)
		require.NoError(t, err, tt.name)
		got := want{p.Status, p.Breach, p.Decided, stamp(p.Earliest), stamp(p.Latest), p.Strength, p.Missing, steps(p)}
		assert.Equal(t, tt.want, got, "%s: %s\n%s", tt.name, tt.reason, p.Explain())

		// The same answer without the trail, into a plan that was used before.
		in.Explain = false
		again := p
		require.NoError(t, rules(t, tt.rules...).PlanInto(&again, &in))
		assert.Empty(t, again.Trail)
		assert.Equal(t, got.status, again.Status, tt.name)
		assert.Equal(t, got.earliest, stamp(again.Earliest), tt.name)
		assert.Equal(t, got.latest, stamp(again.Latest), tt.name)
		assert.True(t, slices.Equal(got.missing, again.Missing), tt.name)
	}
}

func promotionRules(t testing.TB) []retention.Rule {
	return append(serviceRules(t), with(rule(t, "account", retention.Ceiling, retention.Organisation, "", "promoted", "P1Y"), func(r *retention.Rule) { r.Class = []string{"account"} }))
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		rules []retention.Rule
		in    func(testing.TB) retention.Input
		attr  map[string]any
		want  []string
	}{
		{subscriptionRules(t), input("customer", "2026-01-01T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z"), nil, []string{
			"customer: keep until 2026-03-31T23:59:59Z; no ceiling is known",
			"  limited [002:39] statement floor: subscription_end 2025-12-31T23:59:59Z + P90D = 2026-03-31T23:59:59Z: won",
			"  deletion [002:41] statement ceiling: not applicable: in_scope"}},
		{subscriptionRules(t), input("customer", "2026-01-01T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z"), map[string]any{"in_scope": true}, []string{
			"customer: keep until 2026-03-31T23:59:59Z; must be gone by 2026-06-29T23:59:59Z (statement)",
			"  limited [002:39] statement floor: subscription_end 2025-12-31T23:59:59Z + P90D = 2026-03-31T23:59:59Z: won",
			"  deletion [002:41] statement ceiling: end of limited 2026-03-31T23:59:59Z + P90D = 2026-06-29T23:59:59Z: won"}},
		{subscriptionRules(t), input("customer", "2026-01-01T00:00:00Z"), map[string]any{"in_scope": true}, []string{
			"customer: keep: an event has not happened; no ceiling is known; waiting for subscription_end",
			"  limited [002:39] statement floor: subscription_end (no such event yet) + P90D: no end yet",
			"  deletion [002:41] statement ceiling: end of limited (no such event yet) + P90D: no end yet"}},
		{[]retention.Rule{rule(t, "tax", retention.Floor, retention.Law, "", "created", "P10Y"), rule(t, "contract", retention.Ceiling, retention.Agreement, "", "created", "P90D")},
			input("invoice", "2020-01-02T00:00:00Z", "created", "2020-01-01T00:00:00Z"), nil, []string{
				"invoice: conflict, kept: floor tax ends at 2030-01-01T00:00:00Z, ceiling contract at 2020-03-31T00:00:00Z; law > agreement: keeping is right",
				"  tax [test:tax] law floor: created 2020-01-01T00:00:00Z + P10Y = 2030-01-01T00:00:00Z: won",
				"  contract [test:contract] agreement ceiling: created 2020-01-01T00:00:00Z + P90D = 2020-03-31T00:00:00Z: won"}},
		{nil, input("invoice", "2020-01-02T00:00:00Z"), nil, []string{"invoice: no rule is known: no period is stated"}},
		{[]retention.Rule{with(rule(t, "one", retention.Delete, retention.Default, "", "created", "P1D"), func(r *retention.Rule) { r.Zone, r.Source = "Europe/Berlin", "two\nlines" }), rule(t, "two", retention.Delete, retention.Default, "", "created", "P3D")},
			input("x", "2026-03-30T00:00:00Z", "created", "2026-03-28T10:00:00Z"), nil, []string{
				"x: should be deleted, since 2026-03-29T09:00:00Z; no ceiling is known",
				"  one [two lines] default delete: created 2026-03-28T10:00:00Z + P1D in Europe/Berlin = 2026-03-29T09:00:00Z: won",
				"  two [test:two] default delete: created 2026-03-28T10:00:00Z + P3D = 2026-03-31T10:00:00Z: lost to one because ends later"}},
	} {
		in := tt.in(t)
		in.Attr = tt.attr
		p, err := rules(t, tt.rules...).Plan(in)
		require.NoError(t, err)
		assert.Equal(t, strings.Join(tt.want, "\n")+"\n", p.Explain())
	}
}

func TestAppendJSON(t *testing.T) {
	in := input("customer", "2026-01-01T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z")(t)
	list := subscriptionRules(t)
	list[0].When.Text = "in\t\"scope\" \u00e9 \xff \\"
	p, err := rules(t, list...).Plan(in)
	require.NoError(t, err)
	const want = `{"breach":false,"category":"customer","earliest":"2026-03-31T23:59:59Z","floor":"limited","latest":null,"status":"keep","strength":null,"trail":[` +
		`{"anchor":"subscription_end","arithmetic":"subscription_end 2025-12-31T23:59:59Z + P90D = 2026-03-31T23:59:59Z","category":"customer","end":"2026-03-31T23:59:59Z","kind":"floor","outcome":"won","period":"P90D","rule":"limited","selector":"customer","source":"002:39","start":"2025-12-31T23:59:59Z","strength":"statement"},` +
		`{"after":"limited","because":"in\u0009\"scope\" é � \\","category":"customer","kind":"ceiling","outcome":"not_applicable","period":"P90D","rule":"deletion","selector":"customer","source":"002:41","strength":"statement"}]}`
	assert.Equal(t, "x"+want, string(p.AppendJSON([]byte("x"))), "appended, keys sorted")
	assert.True(t, json.Valid(p.AppendJSON(nil)))

	conflict, err := rules(t, rule(t, "tax", retention.Floor, retention.Law, "", "created", "P10Y"), rule(t, "contract", retention.Ceiling, retention.Agreement, "", "created", "P90D"),
		rule(t, "wait", retention.Ceiling, retention.Agreement, "", "closed", "P90D")).Plan(retention.Input{Now: instant(t, "2020-01-02T00:00:00Z"), Events: map[retention.Anchor]time.Time{"created": instant(t, "2020-01-01T00:00:00Z")}})
	require.NoError(t, err)
	assert.Equal(t, `{"breach":false,"ceiling":"contract","decided":true,"earliest":"2030-01-01T00:00:00Z","floor":"tax","latest":"2020-03-31T00:00:00Z","missing":["closed"],"status":"conflict","strength":"agreement"}`, string(conflict.AppendJSON(nil)))

	var none retention.Plan
	assert.Equal(t, `{"breach":false,"earliest":null,"latest":null,"status":"keep","strength":null}`, string(none.AppendJSON(nil)))
}

func TestErrorsOfPlan(t *testing.T) {
	var ie *retention.InputError
	var none *retention.Rules
	p, err := none.Plan(retention.Input{Category: "x", Now: instant(t, "2026-01-01T00:00:00Z")})
	require.NoError(t, err)
	assert.Equal(t, retention.NoRule, p.Status, "no rules, no period")
	assert.Equal(t, []string{"x"}, p.NoRule)

	_, err = none.Plan(retention.Input{Category: "x"})
	require.ErrorAs(t, err, &ie)
	assert.Equal(t, "now", ie.Field, "no clock is read instead")
	_, err = none.Plan(retention.Input{Category: "x", Now: time.Unix(1<<40, 0)})
	require.ErrorAs(t, err, &ie)
	_, err = none.Plan(retention.Input{Category: "a b", Now: instant(t, "2026-01-01T00:00:00Z")})
	require.ErrorAs(t, err, &ie)
	assert.Equal(t, "category", ie.Field)
	require.ErrorAs(t, none.PlanInto(&p, nil), &ie)

	var re *retention.RuleError
	rs := rules(t, rule(t, "long", retention.Floor, retention.Law, "", "end", "P1000Y"))
	p, err = rs.Plan(input("x", "2026-01-01T00:00:00Z", "end", "9500-01-01T00:00:00Z")(t))
	require.ErrorAs(t, err, &re)
	assert.Equal(t, "long", re.Rule)
	assert.Zero(t, p.Status)
	in := input("x", "2026-01-01T00:00:00Z")(t)
	in.Withdrawn = map[retention.Anchor]time.Time{"end": time.Unix(1<<40, 0)}
	_, err = rs.Plan(in)
	require.ErrorAs(t, err, &re)

	rs = rules(t, with(rule(t, "cond", retention.Floor, retention.Law, "", "end", "P1Y"), func(r *retention.Rule) {
		r.When = retention.Condition{Text: "x", Func: func(*retention.Input) (bool, error) { return true, errors.New("canary@example.test") }}
	}))
	_, err = rs.Plan(input("x", "2026-01-01T00:00:00Z")(t))
	require.ErrorAs(t, err, &re)
	assert.Equal(t, "retention: rule cond: the condition could not be decided", err.Error())
}

func TestCombine(t *testing.T) {
	list := append(append(serviceRules(t), subscriptionRules(t)...),
		rule(t, "tax", retention.Floor, retention.Law, "invoice", "created", "P10Y"),
		rule(t, "wish", retention.Delete, retention.Default, "note", "created", "P1Y"))
	rs := rules(t, list...)
	plan := func(category, now string) retention.Plan {
		in := input(category, now, "created", "2024-01-01T00:00:00Z", "device_removed", "2024-01-31T00:00:00Z", "subscription_end", "2024-01-01T00:00:00Z")(t)
		in.Attr = map[string]any{"in_scope": true}
		p, err := rs.Plan(in)
		require.NoError(t, err)
		return p
	}
	for _, tt := range []struct {
		categories       []string
		now              string
		status           retention.Status
		earliest, latest string
		reason           string
	}{
		{[]string{"device.personal", "customer"}, "2024-02-01T00:00:00Z", retention.Conflict, "2024-03-31T00:00:00Z", "2024-03-01T00:00:00Z", "one field must go before another may: store them apart"},
		{[]string{"device.personal", "device.alert"}, "2024-08-01T00:00:00Z", retention.Overdue, "2024-07-29T00:00:00Z", "2024-03-01T00:00:00Z", "past both, nothing keeps the record"},
		{[]string{"customer", "note"}, "2025-02-01T00:00:00Z", retention.Overdue, "2024-03-31T00:00:00Z", "2024-06-29T00:00:00Z", "a wish of one gives way to the ceiling of another"},
		{[]string{"invoice", "note"}, "2025-02-01T00:00:00Z", retention.Keep, "2034-01-01T00:00:00Z", "", "the latest of them"},
		{[]string{"invoice", "note"}, "2034-01-01T00:00:00Z", retention.Due, "2034-01-01T00:00:00Z", "", "a wish and a floor are both reached"},
		{[]string{"device.personal", "other"}, "2024-02-01T00:00:00Z", retention.Deletable, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", "a field without a rule changes nothing but the list"},
		{[]string{"other", "thing"}, "2024-02-01T00:00:00Z", retention.NoRule, "", "", "no rule for any"},
		{[]string{"customer"}, "2024-02-01T00:00:00Z", retention.Keep, "2024-03-31T00:00:00Z", "2024-06-29T00:00:00Z", "one is itself"},
	} {
		var plans []retention.Plan
		var trail []retention.Step
		for _, c := range tt.categories {
			plans = append(plans, plan(c, tt.now))
			trail = append(trail, plans[len(plans)-1].Trail...)
		}
		got := retention.Combine(plans...)
		assert.Equal(t, []any{tt.status, tt.earliest, tt.latest}, []any{got.Status, stamp(got.Earliest), stamp(got.Latest)}, "%v: %s\n%s", tt.categories, tt.reason, got.Explain())
		assert.Equal(t, trail, got.Trail)
	}
	got := retention.Combine(plan("thing", "2024-02-01T00:00:00Z"), plan("device.personal", "2024-02-01T00:00:00Z"), plan("other", "2024-02-01T00:00:00Z"))
	assert.Equal(t, []string{"other", "thing"}, got.NoRule)
	assert.Equal(t, "may be deleted, since 2024-01-31T00:00:00Z; must be gone by 2024-03-01T00:00:00Z (statement); no rule is known for other, thing\n"+
		"  device.personal: device [test:device] statement ceiling: device_removed 2024-01-31T00:00:00Z + P30D = 2024-03-01T00:00:00Z: won\n", got.Explain())
	got = retention.Combine(plan("", "2024-02-01T00:00:00Z"), plan("device.personal", "2024-02-01T00:00:00Z"))
	assert.Contains(t, got.Explain(), "no rule is known for data without a category\n")
	assert.Zero(t, retention.Combine())
	one := plan("customer", "2024-02-01T00:00:00Z")
	two := retention.Combine(one)
	assert.Equal(t, one.AppendJSON(nil), two.AppendJSON(nil))
	two.Trail[0].Rule = "changed"
	assert.Equal(t, "limited", one.Trail[0].Rule, "no memory is shared")
}

// randomRules draws rules over few categories, events and topics, so that they meet.
func randomRules(t *rapid.T) []retention.Rule {
	var list []retention.Rule
	for i := range rapid.IntRange(0, 24).Draw(t, "rules") {
		r := retention.Rule{
			ID:       "r" + string(rune('a'+i)),
			Topic:    rapid.SampledFrom([]string{"", "", "t", "u"}).Draw(t, "topic"),
			Kind:     rapid.SampledFrom([]retention.Kind{retention.Floor, retention.Delete, retention.Ceiling}).Draw(t, "kind"),
			Strength: rapid.SampledFrom([]retention.Strength{retention.Typical, retention.Statement, retention.Agreement, retention.Instruction, retention.Law}).Draw(t, "strength"),
			Category: rapid.SampledFrom([]retention.Selector{"", "a", "a.b", "a.b.c", "x"}).Draw(t, "selector"),
			Anchor:   rapid.SampledFrom([]retention.Anchor{"e", "f", "g", "h"}).Draw(t, "anchor"),
			Period:   retention.Period{Days: rapid.IntRange(0, 5).Draw(t, "days")},
		}
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "chain") == 0 {
			r.Anchor, r.After = "", list[rapid.IntRange(0, i-1).Draw(t, "after")].ID
		}
		list = append(list, r)
	}
	return list
}

func randomInput(t *rapid.T, category string) retention.Input {
	day := func(name string) time.Time {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 12).Draw(t, name))
	}
	in := retention.Input{Category: category, Now: day("now"), Explain: true, Events: map[retention.Anchor]time.Time{}, Withdrawn: map[retention.Anchor]time.Time{}}
	for _, a := range []retention.Anchor{"e", "f", "g", "h"} {
		switch rapid.IntRange(0, 5).Draw(t, "event") {
		case 0:
		case 1:
			in.Withdrawn[a] = day("withdrawn")
		default:
			in.Events[a] = day("at")
		}
	}
	return in
}

// answer is what a plan says without the trail.
func answer(p retention.Plan) string { p.Trail = nil; return string(p.AppendJSON(nil)) }

func TestLawsOfPlans(t *testing.T) {
	seen := map[retention.Status]int{}
	all := int(retention.Conflict-retention.Keep) + 1
	// A round draws a hundred; some status may be in none of them.
	for round := 0; round < 30 && (round == 0 || len(seen) < all); round++ {
		rapid.Check(t, func(t *rapid.T) { lawsOfPlans(t, seen) })
	}
	for s := retention.Keep; s <= retention.Conflict; s++ {
		assert.NotZero(t, seen[s], "no case of %s was drawn", s)
	}
}

func lawsOfPlans(t *rapid.T, seen map[retention.Status]int) {
	list := randomRules(t)
	rs, err := retention.New(list)
	if err != nil { // contradictions: a valid answer
		for i := range list {
			list[i].Strength = retention.Law
			if list[i].Kind == retention.Floor {
				list[i].Period = retention.Period{}
			}
		}
		if rs, err = retention.New(list); err != nil {
			t.Skip("rules that contradict each other are refused: others are drawn")
		}
	}
	in := randomInput(t, rapid.SampledFrom([]string{"", "a", "a.b", "a.b.c", "x.y"}).Draw(t, "category"))
	p, err := rs.Plan(in)
	require.NoError(t, err)
	seen[p.Status]++

	again, err := rs.Plan(in)
	require.NoError(t, err)
	require.Equal(t, p.AppendJSON(nil), again.AppendJSON(nil), "a plan is a function of its input")
	require.True(t, json.Valid(p.AppendJSON(nil)))
	require.Equal(t, p.Explain(), again.Explain())

	// Step by step in the plainest way.
	floor, latest, open := time.Time{}, time.Time{}, false
	for _, s := range p.Trail {
		switch {
		case s.Outcome == retention.NotApplicable || s.Outcome == retention.Replaced:
		case s.Outcome == retention.NoEvent || s.Outcome == retention.Withdrawn:
			open = open || s.Kind == retention.Floor
		case s.Kind == retention.Floor && s.End.After(floor):
			floor = s.End
		case s.Kind == retention.Ceiling && (latest.IsZero() || s.End.Before(latest)):
			latest = s.End
		}
	}
	require.Equal(t, latest, p.Latest, "the earliest ceiling")
	if open {
		require.Zero(t, p.Earliest, "an open floor keeps")
		require.NotContains(t, []retention.Status{retention.Deletable, retention.Due, retention.Overdue}, p.Status)
	} else if !p.Earliest.IsZero() {
		require.False(t, p.Earliest.Before(floor), "never before a floor")
	}
	switch p.Status {
	case retention.Deletable, retention.Due:
		require.False(t, in.Now.Before(p.Earliest))
		require.True(t, p.Latest.IsZero() || in.Now.Before(p.Latest))
	case retention.Overdue:
		require.False(t, in.Now.Before(p.Latest))
		require.False(t, in.Now.Before(floor), "a floor is never overrun")
	case retention.PendingEvent:
		require.NotEmpty(t, p.Missing)
		require.Zero(t, p.Earliest)
	case retention.NoRule:
		require.Zero(t, p.Earliest)
		require.Zero(t, p.Latest)
		require.Equal(t, []string{in.Category}, p.NoRule)
	}
	require.Equal(t, p.Status == retention.NoRule, len(p.NoRule) == 1)

	// The order of rules that are not tied decides nothing.
	shuffled := slices.Clone(list)
	for i := len(shuffled) - 1; i > 0; i-- {
		j := rapid.IntRange(0, i).Draw(t, "swap")
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	other, err := retention.New(shuffled)
	require.NoError(t, err)
	q, err := other.Plan(in)
	require.NoError(t, err)
	require.Equal(t, answer(p), answer(q), "the order of rules decides nothing")

	// Combination.
	in.Category = "a.b"
	b, err := rs.Plan(in)
	require.NoError(t, err)
	in.Category = "x"
	c, err := rs.Plan(in)
	require.NoError(t, err)
	all := retention.Combine(p, b, c)
	require.Equal(t, answer(all), answer(retention.Combine(c, p, b)), "the order of plans decides nothing")
	require.Equal(t, answer(all), answer(retention.Combine(retention.Combine(p, b), c)), "nor how they are grouped")
	require.Equal(t, answer(p), answer(retention.Combine(p)))
	require.Equal(t, answer(p), answer(retention.Combine(p, p)), "a plan beside itself is itself")
	require.Equal(t, answer(p), answer(retention.Combine(p, retention.Plan{})), "the zero plan adds nothing")
	for _, one := range []retention.Plan{p, b, c} {
		if !one.Latest.IsZero() {
			require.False(t, all.Latest.IsZero() || all.Latest.After(one.Latest), "gone when the first must be")
		}
		if one.Status == retention.Conflict || one.Status == retention.PendingEvent && one.Floor != "" {
			require.NotContains(t, []retention.Status{retention.Deletable, retention.Due}, all.Status)
		}
	}
}
