package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

func instant(t testing.TB, s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

func period(t testing.TB, s string) retention.Period {
	p, err := retention.ParsePeriod(s)
	require.NoError(t, err)
	return p
}

func rule(t testing.TB, id string, kind retention.Kind, strength retention.Strength, category retention.Selector, anchor retention.Anchor, p string) retention.Rule {
	return retention.Rule{ID: id, Source: "test:" + id, Kind: kind, Strength: strength, Category: category, Anchor: anchor, Period: period(t, p)}
}

func says(text string, holds bool) retention.Condition {
	return retention.Condition{Text: text, Func: func(*retention.Input) (bool, error) { return holds, nil }}
}

// account are the rules of scenarios S3 to S9 of package retention: a subscription
// that ends, with phases and notices.
func account(t testing.TB, trial bool) []retention.Rule {
	limited := rule(t, "limited", retention.Floor, retention.Statement, "customer", "subscription_end", "P90D")
	limited.Source, limited.When = "002:39", says("!free_trial", !trial)
	limited.Stages = retention.Stages{
		Before: retention.Stage{Name: "active", Allow: []string{"*"}},
		During: retention.Stage{Name: "limited", Allow: []string{"export", "renew"}},
		After:  retention.Stage{Name: "disabled"},
	}
	deletion := retention.Rule{ID: "deletion", Source: "002:41", Kind: retention.Ceiling, Strength: retention.Statement, Category: "customer", After: "limited", Period: period(t, "P90D"), When: says("in_scope", true)}
	announce := rule(t, "announce", retention.Notice, retention.Statement, "customer", "subscription_end", "P90D")
	announce.Source, announce.When = "002:39", limited.When
	announce.Schedule = retention.Schedule{Offsets: []retention.Period{period(t, "P0D"), period(t, "P60D"), period(t, "P83D")}, AtLeast: 2, Purpose: "deletion", Channels: []string{"email"}}
	return []retention.Rule{deletion, limited, announce}
}

func hold(t testing.TB, effect retention.Effect, id, placed, released string) retention.Hold {
	h := retention.Hold{ID: id, Authority: "court order 1/26", Scope: retention.Everything, Placed: instant(t, placed), Effect: effect}
	if released != "" {
		h.Released = instant(t, released)
	}
	return h
}

// A scene is a plan to draw.
type scene struct {
	name, reason string
	rules        []retention.Rule
	in           retention.Input
}

func scenes(t testing.TB) []scene {
	in := func(category, now string, events ...string) retention.Input {
		i := retention.Input{Category: category, Now: instant(t, now), Events: map[retention.Anchor]time.Time{}, Explain: true}
		for n := 0; n < len(events); n += 2 {
			i.Events[retention.Anchor(events[n])] = instant(t, events[n+1])
		}
		return i
	}
	held := func(i retention.Input, holds ...retention.Hold) retention.Input { i.Holds = holds; return i }
	erased := func(i retention.Input) retention.Input {
		i.Erasure = &retention.Erasure{ID: "request-7", Source: "case 7", At: instant(t, "2026-05-20T00:00:00Z")}
		return i
	}
	ended := func(now string) retention.Input {
		return in("customer.files", now, "subscription_end", "2025-12-31T23:59:59Z")
	}
	renewed := in("customer.files", "2026-02-11T00:00:00Z")
	renewed.Withdrawn = map[retention.Anchor]time.Time{"subscription_end": instant(t, "2026-02-10T00:00:00Z")}
	tax := rule(t, "tax", retention.Floor, retention.Law, "invoice", "created", "P10Y")
	tax.Cutoff = retention.EndOfYear
	year := []retention.Rule{rule(t, "year", retention.Floor, retention.Law, "", "created", "P1Y")}
	backup := account(t, false)
	late := rule(t, "tapes", retention.Ceiling, retention.Organisation, "customer", "subscription_end", "P1Y")
	late.Copies, late.Method = []retention.Copy{retention.Backup, retention.Media}, retention.Purge
	backup[0].Copies = []retention.Copy{retention.Primary, retention.Cache, retention.Replica, retention.Log, retention.Derived}
	var crowd []retention.Rule
	for i, p := range []string{"PT1H", "PT2H", "P1D", "P30D", "P1Y", "P10Y", "P100Y"} {
		crowd = append(crowd, rule(t, "rule-with-a-rather-long-name-for-"+p, []retention.Kind{retention.Floor, retention.Delete, retention.Ceiling}[i%3], []retention.Strength{retention.Law, retention.Default, retention.Default}[i%3], "", retention.Anchor([]string{"created", "seen"}[i%2]), p))
	}
	crowd[0].Source = "a source that goes on for quite a while, so that it does not fit into one line of the column, https://example.test/a/very/long/address/without/any/blank/to/break/at"
	var many []retention.Rule
	for i := range 100 {
		many = append(many, rule(t, "r"+time.Unix(int64(i), 0).UTC().Format("05.04"), retention.Ceiling, retention.Default, "", "created", "P1"+"0D"))
		many[i].ID += string(rune('a' + i/26))
		many[i].ID += string(rune('a' + i%26))
	}
	return []scene{
		{"s3", "phases, notices, one ceiling", account(t, false), ended("2026-01-01T00:00:00Z")},
		{"s5", "no rule applies", account(t, true), ended("2026-01-01T00:00:00Z")},
		{"s7", "an event that was taken back", account(t, false), renewed},
		{"s7-before", "an event that has not happened", account(t, false), in("customer.files", "2026-02-11T00:00:00Z")},
		{"s8", "an open hold", account(t, false), held(ended("2026-03-02T00:00:00Z"), hold(t, retention.Suspend, "case-1", "2026-03-01T00:00:00Z", ""))},
		{"s9", "a hold that outlived the ceiling", account(t, false), held(ended("2026-08-15T00:00:00Z"), hold(t, retention.Suspend, "case-1", "2026-03-01T00:00:00Z", "2026-08-15T00:00:00Z"))},
		{"k5", "a floor of ten years beside a ceiling of 90 days", []retention.Rule{rule(t, "tax", retention.Floor, retention.Law, "", "created", "P10Y"), rule(t, "contract", retention.Ceiling, retention.Agreement, "", "created", "P90D")}, in("invoice", "2020-01-02T00:00:00Z", "created", "2020-01-01T00:00:00Z")},
		{"k5-48h", "a floor of ten years beside a ceiling of 48 hours", []retention.Rule{rule(t, "tax", retention.Floor, retention.Law, "", "created", "P10Y"), rule(t, "short", retention.Ceiling, retention.Typical, "", "created", "PT48H")}, in("invoice", "2020-01-02T00:00:00Z", "created", "2020-01-01T10:00:00Z")},
		{"k6-invoice", "the law stands against a request", []retention.Rule{tax}, erased(in("invoice", "2026-05-21T00:00:00Z", "created", "2016-03-15T00:00:00Z"))},
		{"k6-profile", "a request beats what is weaker", []retention.Rule{rule(t, "account", retention.Floor, retention.Organisation, "profile", "created", "P20Y"), rule(t, "wish", retention.Delete, retention.Default, "profile", "created", "P15Y")}, erased(in("profile", "2026-05-20T00:00:00Z", "created", "2016-03-15T00:00:00Z"))},
		{"h3", "a clock that stood still", year, held(in("x", "2026-03-01T00:00:00Z", "created", "2025-01-01T00:00:00Z"), hold(t, retention.Toll, "h", "2025-06-01T00:00:00Z", "2025-09-01T00:00:00Z"))},
		{"overdue", "late", account(t, false), ended("2026-07-01T12:30:00Z")},
		{"copies", "backups have rules of their own", append(backup, late), ended("2026-03-02T00:00:00Z")},
		{"crowd", "long names, many events close together, an hour beside a century", crowd, in("user.contact.email", "2026-01-01T00:30:00Z", "created", "2026-01-01T00:00:00Z", "seen", "2026-01-01T00:00:01Z")},
		{"many", "more rules than a picture holds", many, in("x", "2026-01-01T00:30:00Z", "created", "2026-01-01T00:00:00Z")},
	}
}

func plan(t testing.TB, s scene) *retention.Plan {
	rules, err := retention.New(s.rules)
	require.NoError(t, err)
	p, err := rules.Plan(s.in)
	require.NoError(t, err)
	return &p
}
