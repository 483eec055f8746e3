package privacy_test

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/retention"
)

func instant(t testing.TB, text string) time.Time {
	v, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return v
}

const termsHead = `
privet: 1
name: terms
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
categories: [{key: doc}, {key: invoice}]
classes: [required, account]
purposes: [{key: serve, basis: contract}, {key: remember, basis: consent}]
features: [{key: restore, kind: optional, purposes: [remember], classes: [required]}]
consent: {promotions: [{id: keep, source: us, from: [required], to: account, features: [optional], purpose: remember}]}
`

// A policy with every part that a rule may have is the rules that a Go program would
// write, and nothing of it is lost on the way through the bundle.
func TestEveryPartOfARule(t *testing.T) {
	b, err := policy.Compile("terms.yaml", []byte(termsHead+`
calendars:
  - {name: office, weekend: [friday, saturday], free: [2026-05-03, 2026-05-01]}
hold_grace: P1W
retention:
  - {id: base, source: us, kind: floor, strength: law, anchor: created, period: P1M, zone: Europe/Berlin, month_end: next_day, count: civil_days, cutoff: "fiscal_year:09-30", roll: office}
  - {id: gone, source: us, topic: end, kind: ceiling, strength: agreement, fixed: true, category: doc, class: [account, required], region: EU, purpose: serve, after: base, period: P2Y,
     round: month, copies: [media, backup], method: destroy, when: 'subject.account == "work"',
     stages: {before: {name: active, allow: ["*"]}, during: {name: limited, allow: [export, renew]}, after: {name: over}}}
  - {id: tell, source: us, kind: notice, strength: statement, anchor: created, period: P90D, schedule: {offsets: [P0D, P1M], at_least: 2, purpose: deletion, channels: [email, post]}}
`))
	require.NoError(t, err)
	list, grace, err := privacy.RetentionOf(b)
	require.NoError(t, err)
	assert.Equal(t, 1, grace, "the grace is an option")
	require.Len(t, list, 3)
	office := list[0].Roll
	require.NotNil(t, office)
	assert.Equal(t, "office", office.Name())
	for day, reason := range map[string]string{
		"2026-04-30": "", "2026-05-01": "listed", "2026-05-02": "a Saturday", "2026-05-03": "listed", "2026-05-04": "", "2026-05-08": "a Friday", "2027-05-03": "", "0001-01-01": "", "9999-12-31": "a Friday",
	} {
		d := instant(t, day+"T00:00:00Z")
		assert.Equal(t, reason == "", office.Working(d.Year(), d.Month(), d.Day()), "%s %s", day, reason)
	}
	period := func(text string) retention.Period {
		p, err := retention.ParsePeriod(text)
		require.NoError(t, err)
		return p
	}
	when := list[1].When
	require.NotNil(t, when.Func)
	list[0].Roll, list[1].When = nil, retention.Condition{}
	assert.Equal(t, []retention.Rule{
		{ID: "base", Source: "us", Kind: retention.Floor, Strength: retention.Law, Anchor: "created", Period: period("P1M"), Zone: "Europe/Berlin",
			MonthEnd: retention.NextDay, Count: retention.CivilDays, Cutoff: retention.FiscalYear(time.September, 30)},
		{ID: "gone", Source: "us", Topic: "end", Kind: retention.Ceiling, Strength: retention.Agreement, Fixed: true, Category: "doc", Class: []string{"account", "required"},
			Region: []string{"EU"}, Purpose: []string{"serve"}, After: "base", Period: period("P2Y"), Round: retention.ToMonth,
			Copies: []retention.Copy{retention.Media, retention.Backup}, Method: retention.Destroy,
			Stages: retention.Stages{Before: retention.Stage{Name: "active", Allow: []string{"*"}}, During: retention.Stage{Name: "limited", Allow: []string{"export", "renew"}}, After: retention.Stage{Name: "over"}}},
		{ID: "tell", Source: "us", Kind: retention.Notice, Strength: retention.Statement, Anchor: "created", Period: period("P90D"),
			Schedule: retention.Schedule{Offsets: []retention.Period{period("P0D"), period("P1M")}, AtLeast: 2, Purpose: "deletion", Channels: []string{"email", "post"}}},
	}, list)
	// A part that package retention gains must come into policies, too.
	v, said := reflect.TypeFor[retention.Rule](), map[string]bool{"Roll": true, "When": true}
	for i := range v.NumField() {
		for j := range list {
			said[v.Field(i).Name] = said[v.Field(i).Name] || !reflect.ValueOf(list[j]).Field(i).IsZero()
		}
		assert.True(t, said[v.Field(i).Name], "no rule above has %s: can a policy say it?", v.Field(i).Name)
	}
}

// TestOldBundle: a bundle from when rules had fewer parts means what it meant then.
func TestOldBundle(t *testing.T) {
	data, err := os.ReadFile("testdata/retention-1.bundle")
	require.NoError(t, err)
	b, err := privacy.ReadBundle(data)
	require.NoError(t, err)
	assert.Equal(t, "cff4400ca8e84ca97b757837fb1ac723147ac0fec8010a03babc94cc28fb383e", b.Info().Fingerprint)
	again, err := policy.CompileFile("testdata/retention-1.yaml")
	require.NoError(t, err)
	assert.Equal(t, data, again.Bytes(), "a policy that says no more has the same bytes, and fingerprint, today")
	g, err := privacy.Open(b)
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/retention-1.plans.jsonl")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 3)
	for _, line := range lines {
		var row struct{ Input, Plan json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		got, err := g.PlanJSON(nil, row.Input)
		require.NoError(t, err)
		assert.Equal(t, string(row.Plan), string(got))
	}
}

// TestMalformedRules: bytes that are a bundle, and rules that no compiler wrote, are
// refused at Open with one error that names nothing.
func TestMalformedRules(t *testing.T) {
	b, err := policy.Compile("terms.yaml", []byte(termsHead+`
calendars: [{name: office, weekend: [], free: [2026-05-01, 2026-05-02]}]
retention:
  - {id: r, source: us, kind: floor, strength: law, anchor: created, period: P1M, month_end: clamp, count: civil_days, cutoff: end_of_year, round: day, roll: office, copies: [media], method: clear}
  - {id: n, source: us, kind: notice, strength: law, anchor: created, period: P1M, schedule: {offsets: [P1D]}}
`))
	require.NoError(t, err)
	for _, part := range []string{"Kind", "Strength", "Period", "MonthEnd", "Count", "Cutoff", "Round", "Roll", "Method", "Copies", "Offsets", "HoldGrace", "Free"} {
		broken, err := privacy.Malform(b, part)
		require.NoError(t, err, part)
		_, err = privacy.Open(broken)
		require.Error(t, err, part)
		assert.Contains(t, err.Error(), "a retention rule of the bundle is malformed", part)
		assert.NotContains(t, err.Error(), "canary", part)
		assert.Empty(t, broken.RetentionWarnings(), "what cannot be opened has no warnings")
	}
}

// TestHoldsOfEvents: holds, requests for erasure and withdrawn events change the plan of a
// result as they change a plan, in Go and in JSON, and change nothing else.
func TestHoldsOfEvents(t *testing.T) {
	g, ctx := open(t, termsHead+`
hold_grace: P5D
retention:
  - {id: gone, source: us, category: doc, kind: ceiling, strength: statement, anchor: ended, period: P30D}
  - {id: tax, source: us, category: invoice, kind: floor, strength: law, anchor: ended, period: P1Y,
     stages: {before: {name: active, allow: ["*"]}, during: {name: kept}}}
`), context.Background()
	ended := map[retention.Anchor]time.Time{"ended": instant(t, "2026-03-01T00:00:00Z")}
	base := privacy.Event{
		ID: "e", At: instant(t, "2026-04-10T00:00:00Z"), Purpose: "serve", Anchors: ended,
		Declared: map[string]privacy.Declared{"a": {Category: "doc"}, "b": {Category: "invoice"}}, Fields: map[string]any{"a": "x", "b": "y"},
	}
	open := retention.Hold{ID: "case-1", Reason: "for people", Authority: "court", Scope: "doc", Placed: instant(t, "2026-03-20T00:00:00Z")}
	released := open
	released.Released = instant(t, "2026-04-08T00:00:00Z")
	for _, tt := range []struct {
		name   string
		change func(*privacy.Event)
		json   string
		want   []string
		not    string
		reason string
	}{
		{"nothing", func(*privacy.Event) {}, ``, []string{`"status":"conflict"`, `"decided":true`, `"phases":[{"allow":["*"],`, `"latest":"2026-03-31T00:00:00Z"`}, `"hold"`, "the tax keeps all of the copy, and the law is stronger"},
		{"held", func(ev *privacy.Event) { ev.Holds = []retention.Hold{open} },
			`,"holds":[{"id":"case-1","reason":"for people","authority":"court","scope":"doc","placed":"2026-03-20T00:00:00Z"}]`, []string{`"status":"held"`, `"hold":"case-1"`, `"kind":"hold"`, `"because":"in force"`}, "for people", "an open hold, and its reason is nobody's business"},
		{"released", func(ev *privacy.Event) { ev.Holds = []retention.Hold{released} },
			`,"holds":[{"id":"case-1","reason":"for people","authority":"court","scope":"doc","placed":"2026-03-20T00:00:00Z","released":"2026-04-08T00:00:00Z","effect":"suspend"}]`, []string{`"latest":"2026-04-13T00:00:00Z"`, `"late_because_held":true`, `has P5D of grace`}, "", "the grace of the policy"},
		{"erasure", func(ev *privacy.Event) {
			ev.Erasure = &retention.Erasure{ID: "dsr-1", Source: "desk", At: instant(t, "2026-04-01T00:00:00Z")}
		},
			`,"erasure":{"id":"dsr-1","source":"desk","at":"2026-04-01T00:00:00Z"}`, []string{`"exemptions":[{"category":"invoice","rule":"tax","source":"us","until":"2027-03-01T00:00:00Z"}]`, `"kind":"erasure"`}, "", "the law keeps, and the plan says until when"},
		{"withdrawn", func(ev *privacy.Event) {
			ev.Anchors, ev.Withdrawn = nil, map[retention.Anchor]time.Time{"ended": instant(t, "2026-03-20T00:00:00Z")}
		}, `,"withdrawn":{"ended":"2026-03-20T00:00:00Z"}`, []string{`"outcome":"withdrawn"`, `"name":"active"`, `"latest":null`}, `"missing"`, "renewed: nothing is awaited"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ev := base
			tt.change(&ev)
			res, err := g.Explain(ctx, ev)
			require.NoError(t, err)
			text := string(res.AppendJSON(nil))
			anchors := `"anchors":{"ended":"2026-03-01T00:00:00Z"}`
			if ev.Anchors == nil {
				anchors = `"anchors":null`
			}
			got, err := g.ProcessJSON(ctx, nil, []byte(`{"id":"e","at":"2026-04-10T00:00:00Z","purpose":"serve",`+anchors+`,"declared":{"a":{"category":"doc"},"b":{"category":"invoice"}},"fields":{"a":"x","b":"y"}`+tt.json+`}`), true)
			require.NoError(t, err)
			assert.Equal(t, text, string(got), "the event in JSON is the event in Go")
			for _, want := range tt.want {
				assert.Contains(t, text, want, tt.reason)
			}
			if tt.not != "" {
				assert.NotContains(t, text, tt.not, tt.reason)
			}
			plain, err := g.Explain(ctx, base)
			require.NoError(t, err)
			assert.Equal(t, []any{plain.Outcome, plain.Fields, plain.Decisions}, []any{res.Outcome, res.Fields, res.Decisions}, "nothing else changes")
			// The plan of one category over the other question.
			want, err := g.Plan(retention.Input{Category: "doc", Now: ev.At, Events: ev.Anchors, Withdrawn: ev.Withdrawn, Holds: ev.Holds, Erasure: ev.Erasure, Explain: true})
			require.NoError(t, err)
			got, err = g.PlanJSON(nil, []byte(`{"now":"2026-04-10T00:00:00Z","category":"doc","explain":true,`+anchors+tt.json+`}`))
			require.NoError(t, err)
			assert.Equal(t, string(want.AppendJSON(nil)), string(got))
		})
	}
}

// S12: data that is to be promoted without consent keeps its old rule, and the result
// says which consent is missing; with consent the rule of the new class plans, and its
// conditions see the new class.
func TestPromotionAndRetention(t *testing.T) {
	g, ctx := open(t, termsHead+`
retention:
  - {id: required, source: us, class: required, kind: ceiling, strength: typical, anchor: used_at, period: PT48H}
  - {id: account, source: us, class: account, kind: ceiling, strength: organisation, anchor: promoted_at, period: P1Y, when: 'class == "account"'}
`), context.Background()
	at := instant(t, "2026-03-28T12:00:00Z")
	granted := consent.Record{ID: "c1", Scope: consent.Scope{Purpose: "remember", Operation: consent.OpPromote, From: "required", To: "account"}, State: consent.StateGranted, Strength: "expressed", Given: at.Add(-time.Hour)}
	withdrawn := granted
	withdrawn.ID, withdrawn.State, withdrawn.Given = "c2", consent.StateWithdrawn, at.Add(-time.Minute)
	for _, tt := range []struct {
		name     string
		consents []consent.Record
		outcome  privacy.Outcome
		ceiling  string
		latest   string
		reason   string
	}{
		{"without consent", nil, privacy.Ask, "required", "2026-03-30T10:00:00Z", "asked for, and the old rule stays"},
		{"withdrawn", []consent.Record{granted, withdrawn}, privacy.Deny, "required", "2026-03-30T10:00:00Z", "denied, and the old rule stays"},
		{"with consent", []consent.Record{granted}, privacy.Allow, "account", "2027-03-28T12:00:00Z", "the rule of the new class, from the promotion on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := g.Process(ctx, privacy.Event{
				At: at, Purpose: "remember", Operation: "promote", Feature: "restore", Class: "required", Promote: consent.Promote{From: "required", To: "account"},
				Subject: privacy.Subject{ID: "s"}, Consents: tt.consents, Fields: map[string]any{"n": 1},
				Anchors: map[retention.Anchor]time.Time{"used_at": instant(t, "2026-03-28T10:00:00Z"), "promoted_at": at},
			})
			require.NoError(t, err)
			assert.Equal(t, tt.outcome, res.Outcome, "%s\n%s", tt.reason, res.Explain())
			assert.Equal(t, []string{tt.ceiling, tt.latest}, []string{res.Retention.Ceiling, res.Retention.Latest.Format(time.RFC3339)}, tt.reason)
			if tt.outcome == privacy.Ask {
				require.Len(t, res.Ask, 1)
				assert.Equal(t, consent.OpPromote, res.Ask[0].What)
			}
		})
	}
}

// TestHoldsAreReadStrictly: each row is refused with its place, in words that hold nothing
// of it.
func TestHoldsAreReadStrictly(t *testing.T) {
	g, ctx := open(t, testPolicy), context.Background()
	const canary = "canary@example.test"
	hold := func(more string) string {
		return `"holds":[{"id":"h","scope":"*","placed":"2026-03-01T00:00:00Z"` + more + `}]`
	}
	for _, tt := range []struct{ part, text, reason string }{
		{"holds", `"holds":"` + canary + `"`, "not a list"},
		{"holds", `"holds":{"id":"` + canary + `"}`, "an object is no list"},
		{"holds", `"holds":["` + canary + `"]`, "not objects"},
		{"holds", `"holds":[` + strings.Repeat("{},", 256) + `{}]`, "more than 256"},
		{"holds", hold(`,"` + canary + `":1`), "a key that holds do not have"},
		{"holds.effect", hold(`,"effect":"` + canary + `"`), "no effect"},
		{"holds.effect", hold(`,"effect":3`), "not a text"},
		{"holds.released", hold(`,"released":"` + canary + `"`), "no instant"},
		{"holds.reason", hold(`,"reason":"` + strings.Repeat(canary, 60) + `"`), "longer than texts are"},
		{"holds.authority", hold(`,"authority":["` + canary + `"]`), "not a text"},
		{"holds", hold(`,"authority":"` + strings.Repeat("canary", 50) + `"`), "longer than a source"},
		{"holds.placed", `"holds":[{"id":"h","scope":"*","placed":5}]`, "not a text"},
		{"holds", `"holds":[{"id":"h","scope":"*"}]`, "placed when?"},
		{"holds", `"holds":[{"id":"h","placed":"2026-03-01T00:00:00Z"}]`, "a scope that was forgotten freezes nothing"},
		{"holds", `"holds":[{"id":"` + canary + `","scope":"*","placed":"2026-03-01T00:00:00Z"}]`, "no key"},
		{"holds", `"holds":[{"id":"h","scope":"` + canary + `","placed":"2026-03-01T00:00:00Z"}]`, "no category"},
		{"holds", `"holds":[null]`, "a hold that says nothing"},
		{"erasure", `"erasure":["` + canary + `"]`, "no object"},
		{"erasure", `"erasure":{"` + canary + `":1}`, "a key that requests do not have"},
		{"erasure", `"erasure":{"id":"` + canary + `","at":"2026-03-01T00:00:00Z"}`, "no key"},
		{"erasure", `"erasure":{"id":"e"}`, "asked for when?"},
		{"erasure.at", `"erasure":{"id":"e","at":"` + canary + `"}`, "no instant"},
		{"erasure", `"erasure":{"id":"e","at":"2026-03-01T00:00:00Z","scope":"` + canary + `"}`, "no category"},
		{"withdrawn", `"withdrawn":{"used_at":"` + canary + `"}`, "no instant"},
		{"withdrawn", `"withdrawn":["` + canary + `"]`, "no object"},
	} {
		for what, ask := range map[string]func() ([]byte, error){
			"plan": func() ([]byte, error) {
				return g.PlanJSON([]byte("before"), []byte(`{"now":"2026-03-28T10:00:00Z",`+tt.text+`}`))
			},
			"process": func() ([]byte, error) {
				return g.ProcessJSON(ctx, []byte("before"), []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"serve",`+tt.text+`}`), false)
			},
		} {
			got, err := ask()
			require.Error(t, err, "%s: %s", what, tt.reason)
			assert.Equal(t, "before", string(got), "%s: %s", what, tt.reason)
			text := string(privacy.AppendErrorJSON(nil, err))
			assert.Contains(t, text, `"code":"BAD_REQUEST"`, "%s: %s", what, tt.reason)
			assert.Contains(t, text, `"part":"`+tt.part+`"`, "%s: %s", what, tt.reason)
			assert.NotContains(t, text+err.Error(), "canary", "%s: %s", what, tt.reason)
		}
	}
}

// FuzzHolds: whatever stands in the parts of an event that deadlines depend on, there is
// a result or an error without the text of it, and the event means the same in Go.
func FuzzHolds(f *testing.F) {
	g, ctx := open(f, testPolicy), context.Background()
	f.Add(`{"used_at":"2026-03-01T00:00:00Z"}`, `null`, `[{"id":"h","scope":"*","placed":"2026-03-01T00:00:00Z","released":"2026-03-20T00:00:00Z","effect":"toll"}]`, `{"id":"e","source":"s","at":"2026-03-01T00:00:00Z"}`)
	f.Add(`{}`, `{"used_at":"2026-03-01T00:00:00Z"}`, `[{"id":"h","reason":"r","authority":"a","scope":"user.contact","placed":"2026-03-01T00:00:00Z","effect":"restart"},{"id":"i","scope":"*","placed":"9999-12-31T23:59:59Z"}]`, `null`)
	f.Add(`null`, `null`, `[]`, `{"id":"e","at":"0001-01-01T00:00:01Z","scope":"*"}`)
	f.Fuzz(func(t *testing.T, anchors, withdrawn, holds, erasure string) {
		text := `{"at":"2026-03-28T10:00:00Z","purpose":"serve","anchors":` + anchors + `,"withdrawn":` + withdrawn + `,"holds":` + holds + `,"erasure":` + erasure + `,"fields":{"user_email":"jane@example.com"}}`
		got, err := g.ProcessJSON(ctx, nil, []byte(text), true)
		if err != nil {
			require.True(t, json.Valid(privacy.AppendErrorJSON(nil, err)))
			require.NotEqual(t, privacy.CodeInternal, privacy.ErrorCode(err), "%v", err)
			return
		}
		require.True(t, json.Valid(got))
		ev, err := privacy.DecodeEvent([]byte(text))
		require.NoError(t, err)
		res, err := g.Explain(ctx, ev)
		require.NoError(t, err)
		require.Equal(t, string(got), string(res.AppendJSON(nil)))
		// A hold deletes nothing, and no request opens what one keeps.
		for i := range ev.Holds {
			h := &ev.Holds[i]
			if h.Scope == retention.Everything && !h.Placed.After(ev.At) && (h.Released.IsZero() || h.Released.After(ev.At)) {
				require.Contains(t, []retention.Status{retention.Held, retention.Conflict, retention.Keep, retention.PendingEvent, retention.NoRule}, res.Retention.Status)
			}
		}
	})
}
