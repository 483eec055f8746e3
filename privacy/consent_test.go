package privacy_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/retention"
)

const everyConsent = `
privet: 1
name: consents
sources:
  - {id: law, title: Law, layer: law, as_of: undated}
  - {id: us, title: Us, layer: statement, as_of: 2026-01-01, parties: [provider, processor]}
categories: [{key: doc}, {key: health}]
classes: [given]
purposes:
  - {key: tax, basis: legal_obligation, reference: code-1, needs: [doc], counselling: true}
  - {key: ads, mechanism: regime, uses: [sale, share, targeted_ads, profiling], signals: [usp]}
  - {key: serve, basis: contract}
features: [{key: f, kind: optional, affects: organisation}]
data_sources: [{key: shop, flows: [{purpose: tax, categories: [doc]}, {purpose: serve}]}]
consent:
  prohibitions: [{id: no, source: us, topic: t1, when: 'category == "health"', note: n1}]
  requirements: [{id: need, source: us, topic: t2, when: 'false', strength: explicit}]
  duties: [{id: life, source: law, purpose: serve, basis: vital_interest, reference: r1, needs: [health], when: 'true', note: n2, facts: [C31]}]
  recipients: [{id: carry, source: us, role: carrier, basis: legitimate_interest, assessment: lia-1, purposes: [serve], by_subject: true, when: 'true', note: n3, facts: [C29]}]
  overrides: [{id: over, source: law, rules: [no], sources: [us], topics: [t1, t2], when: 'true', note: n4, facts: [C9, C31]}]
  obligations:
    - {id: keep, source: us, topic: t3, do: minimise, arg: [doc, health]}
    - {id: scope, source: us, do: pseudonymise, arg: [research]}
    - {id: away, source: us, on: [WITHDRAWN, OBJECTED], do: delete_within, limit: duration, strength: typical, period: P1D, anchor: stopped}
  notices: [{id: n, version: "1", published: 2026-01-01T00:00:00Z, effective: 2026-02-01T00:00:00Z, texts: {en: h1, de: h2}}]
  notice_lead: P7DT2H
  ages:
    builtin: true
    assurance: estimated
    rules: [{place: XX, from: 2026-01-01T00:00:00Z, under: 15, giver: both, uses: [sale], any_basis: true, known: true, note: n5}]
  regimes:
    builtin: true
    after_notice: [US-CA]
    ignore_signals_in_opt_in: true
    rules: [{place: XX, from: 2026-01-01T00:00:00Z, mechanism: opt_out, gpc: true, sensitive: limit, honour_days: 15, note: n6}]
  sensitive: [health]
residency: [{id: home, source: us, topic: t4, store_in: '"EU"'}]
`

// A policy with every part that consent may have is the policy that a Go program would
// write, and nothing of it is lost on the way through the bundle.
func TestEveryPartOfConsent(t *testing.T) {
	b, err := policy.Compile("consents.yaml", []byte(everyConsent))
	require.NoError(t, err)
	got := privacy.ConsentOf(b)
	from := instant(t, "2026-01-01T00:00:00Z")
	yes := consent.Condition{Text: "true"}
	want := consent.Policy{
		Sources: []consent.Source{{ID: "law", Title: "Law", Layer: consent.LayerLaw, AsOf: "undated"}, {ID: "us", Title: "Us", Layer: consent.LayerStatement, AsOf: "2026-01-01", Parties: []string{"provider", "processor"}}},
		Purposes: []consent.Purpose{
			{Key: "tax", Basis: consent.BasisLegalObligation, Reference: "code-1", Needs: []string{"doc"}, Counselling: true},
			{Key: "ads", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseSale, consent.UseShare, consent.UseTargetedAds, consent.UseProfiling}, Signals: []string{consent.SignalUSP}},
			{Key: "serve", Basis: consent.BasisContract},
		},
		Classes:      []consent.Class{{Key: "given"}},
		Features:     []consent.Feature{{Key: "f", Kind: consent.Optional, Affects: consent.AffectsOrganisation}},
		DataSources:  []consent.DataSource{{Key: "shop", Flows: []consent.DataFlow{{Purpose: "tax", Categories: []string{"doc"}}, {Purpose: "serve"}}}},
		Prohibitions: []consent.Prohibition{{ID: "no", Source: "us", Topic: "t1", When: consent.Condition{Text: `category == "health"`}, Note: "n1"}},
		Requirements: []consent.Requirement{{ID: "need", Source: "us", Topic: "t2", When: consent.Condition{Text: "false"}, Strength: consent.Explicit}},
		Residency:    []consent.Residency{{ID: "home", Source: "us", Topic: "t4", StoreIn: consent.Place{In: []string{"EU"}, Text: `"EU"`}}},
		Gates:        consent.Gates{Promotion: consent.GateConsent, Combination: consent.GateConsent, Share: consent.GateConsent},
		Obligations: []consent.ObligationRule{
			{ID: "keep", Source: "us", Topic: "t3", Obligation: consent.Obligation{Kind: consent.Minimise, Values: []string{"doc", "health"}}},
			{ID: "scope", Source: "us", Obligation: consent.Obligation{Kind: consent.Pseudonymise, Values: []string{"research"}}},
			{ID: "away", Source: "us", On: []consent.Reason{consent.ReasonWithdrawn, consent.ReasonObjected}, Obligation: consent.Obligation{Kind: consent.DeleteWithin, Limit: "duration", Strength: "typical", Period: "P1D", Anchor: "stopped"}},
		},
		Notices:    []consent.Notice{{ID: "n", Version: "1", Published: from, Effective: instant(t, "2026-02-01T00:00:00Z"), Texts: []consent.NoticeText{{Language: "de", Hash: "h2"}, {Language: "en", Hash: "h1"}}}},
		Duties:     []consent.Duty{{ID: "life", Source: "law", Purpose: "serve", Basis: consent.BasisVitalInterest, Reference: "r1", Needs: []string{"health"}, When: yes, Note: "n2"}},
		Recipients: []consent.RecipientRule{{ID: "carry", Source: "us", Role: "carrier", Basis: consent.BasisLegitimateInterest, Assessment: "lia-1", Purposes: []string{"serve"}, BySubject: true, When: yes, Note: "n3"}},
		Overrides:  []consent.Override{{ID: "over", Source: "law", Rules: []string{"no"}, Sources: []string{"us"}, Topics: []string{"t1", "t2"}, When: yes, Note: "n4"}},
		Ages: consent.Ages{Builtin: true, Assurance: consent.Estimated, Rules: []consent.AgeRule{
			{Place: "XX", From: from, Under: 15, Giver: consent.ByBoth, Uses: []consent.Use{consent.UseSale}, AnyBasis: true, Known: true, Source: "n5"},
		}},
		Regimes: consent.Regimes{Builtin: true, AfterNotice: []string{"US-CA"}, IgnoreSignalsInOptIn: true, Rules: []consent.RegimeRule{
			{Place: "XX", From: from, Mechanism: consent.OptOut, GPC: true, Sensitive: consent.SensitiveLimit, HonourDays: 15, Source: "n6"},
		}},
		Sensitive:  []string{"health"},
		NoticeLead: 7*24*time.Hour + 2*time.Hour,
	}
	withoutFuncs(reflect.ValueOf(&got).Elem())
	assert.Equal(t, want, got)
	// Every part is filled, so that one that the way forgets shows up.
	for i := range reflect.TypeFor[consent.Policy]().NumField() {
		f := reflect.TypeFor[consent.Policy]().Field(i)
		if f.Name != "Promotions" && f.Name != "Hash" {
			assert.False(t, reflect.ValueOf(got).Field(i).IsZero(), f.Name)
		}
	}
	assert.Equal(t, map[string][]string{"C31": {"duty life", "override over"}, "C29": {"recipient carry"}, "C9": {"override over"}}, b.Facts())
}

// A bundle whose checksum is right may still say what no compiler wrote.
func TestMalformedConsent(t *testing.T) {
	b, err := policy.Compile("consents.yaml", []byte(everyConsent))
	require.NoError(t, err)
	for _, tt := range []struct{ part, want string }{
		{"NoticeLead", "notice_lead: negative"},
		{"Limit", "a retention rule of the bundle is malformed"},
		{"Period", "a retention rule of the bundle is malformed"},
		{"Place", "place: not a place"},
		{"Mechanism", "mechanism: unknown mechanism"},
		{"Topic", "topic: not an id"},
	} {
		broken, err := privacy.Malform(b, "consent."+tt.part)
		require.NoError(t, err)
		_, err = privacy.Open(broken)
		require.ErrorContains(t, err, tt.want)
		assert.NotContains(t, err.Error(), "canary")
		assert.Equal(t, privacy.CodeBadPolicy, privacy.ErrorCode(err), "%s: %v", tt.part, err)
	}
}

// withoutFuncs takes the functions out: no two are equal.
func withoutFuncs(v reflect.Value) {
	switch v.Kind() {
	case reflect.Func:
		v.SetZero()
	case reflect.Slice:
		for i := range v.Len() {
			withoutFuncs(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				withoutFuncs(v.Field(i))
			}
		}
	}
}

const dutyPolicy = `
privet: 1
name: duties
extends: [builtin]
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
purposes:
  - {key: study, basis: contract}
  - {key: other, basis: contract}
  - {key: letters, basis: consent}
  - {key: tax, basis: legal_obligation, reference: code-1, needs: [user.payment]}
consent:
  obligations:
    - {id: less, source: us, when: 'purpose == "study"', do: minimise, arg: [user.contact, user.location, user.job_title, user.biometric]}
    - {id: token, source: us, when: 'purpose == "study" && category != "user.location.precise"', do: pseudonymise, arg: research}
    - {id: soon, source: us, when: 'purpose == "other" && category == "user.contact.email"', do: delete_within, limit: ceiling, strength: organisation, period: P7D, anchor: used_at}
    - {id: wish, source: us, when: 'purpose == "other" && category == "user.name"', do: delete_within, limit: duration, strength: organisation, period: P9D, anchor: used_at}
    - {id: least, source: us, when: 'purpose == "other" && category == "user.payment"', do: delete_within, limit: floor, strength: law, period: P60D, anchor: used_at}
    - {id: habit, source: us, when: 'purpose == "other" && category == "user.sensor"', do: delete_within, limit: ceiling, strength: typical, period: P1D, anchor: used_at}
    - {id: quiet, source: us, when: 'purpose == "other"', do: no_onward_transfer}
    - {id: tell, source: us, when: 'purpose == "other"', do: notify_subject}
    - {id: stop, source: us, on: [WITHDRAWN], do: stop_and_erase}
    - {id: faster, source: us, on: [WITHDRAWN], do: delete_within, limit: ceiling, strength: law, period: P2D, anchor: stopped}
transform:
  - {id: place, when: 'under(category, "user.location")', do: {generalise: {coordinates: 2}}}
  - {id: job, when: 'category == "user.job_title"', do: redact}
  - {id: bio, when: 'category == "user.biometric"', do: keep}
retention:
  - {id: all, source: us, kind: ceiling, strength: organisation, anchor: used_at, period: P30D}
`

// What the duties of a decision do to fields: they go before transforms, and what takes
// more away wins.
func TestDutiesOnFields(t *testing.T) {
	g := open(t, dutyPolicy)
	for _, tt := range []struct {
		purpose, category string
		value             any
		action            privacy.Action
		by, note          string
		reason            string
	}{
		{"study", "user.contact.email", "jane@example.com", privacy.Pseudonymise, "token", "", "no transform, so the duty says how"},
		{"study", "user.contact.email", nil, privacy.Keep, "token", "", "nothing to hide in nothing"},
		{"study", "user.contact.email", "no address", privacy.Drop, "token", "NOT_CANONICAL", "never hashed as it stands"},
		{"study", "user.biometric", "x", privacy.Pseudonymise, "token", "", "a transform that keeps takes less away"},
		{"study", "user.job_title", "clerk", privacy.Redact, "job", "", "a transform that takes more away stays"},
		{"study", "user.location.precise", 47.6401, privacy.Generalise, "place", "", "the duty's condition does not fit"},
		{"study", "user.name", "Jane", privacy.Drop, "less", "", "not among what is needed"},
		{"study", "", "hello", privacy.Drop, "less", "", "what nobody knows is not needed"},
		{"other", "user.name", "Jane", privacy.Keep, "", "", "no such duty"},
		{"tax", "user.payment", "12.50", privacy.Keep, "", "", "what the law needs"},
		{"tax", "", "hello", privacy.Drop, "tax", "", "and nothing else"},
	} {
		t.Run(tt.purpose+"/"+tt.category, func(t *testing.T) {
			declared := map[string]string{}
			if tt.category != "" {
				declared["f"] = tt.category
			}
			ev := event(map[string]any{"f": tt.value}, declared)
			ev.Purpose = tt.purpose
			res, err := g.Explain(t.Context(), ev)
			require.NoError(t, err)
			d := res.Decisions[0]
			assert.Equal(t, []string{string(tt.action), tt.by, tt.note}, []string{string(d.Action), d.By, d.Note}, "%s\n%s", tt.reason, res.Explain())
			assert.Equal(t, privacy.Allow, d.Outcome, "it was allowed; what became of it is the duty's")
			if tt.action == privacy.Drop {
				assert.Empty(t, res.Fields)
			}
			if tt.purpose == "study" {
				assert.Contains(t, res.Explain(), "must minimise user.contact, user.location", "the trail names the duty")
			}
		})
	}
	// Of tax, what the law does not need is denied by the rows after it.
	ev := event(map[string]any{"f": "Jane"}, map[string]string{"f": "user.name"})
	ev.Purpose = "tax"
	res, err := g.Process(t.Context(), ev)
	require.NoError(t, err)
	assert.Empty(t, res.Fields)
}

// A duty's scope is its own: its tokens join with those of another event of the duty, and
// with none of the purpose alone.
func TestDutyScope(t *testing.T) {
	g := open(t, dutyPolicy)
	plain := open(t, strings.Replace(testPolicy, "key: serve", "key: study", 1))
	token := func(g *privacy.Guard) string {
		ev := event(map[string]any{"f": "jane@example.com"}, map[string]string{"f": "user.contact.email"})
		ev.Purpose = "study"
		res, err := g.Process(t.Context(), ev)
		require.NoError(t, err)
		require.Equal(t, privacy.Pseudonymise, res.Decisions[0].Action)
		return res.Fields["f"].(string)
	}
	assert.Equal(t, token(g), token(g))
	assert.NotEqual(t, token(g), token(plain), "the purpose's own scope is another")
	assert.Equal(t, token(g), token(open(t, strings.Replace(strings.Replace(testPolicy, "key: serve", "key: study", 1), "transform:\n", `  obligations: [{id: x, source: us, do: pseudonymise, arg: research}]
transform:
`, 1))), "the same scope in another policy")
}

// Pieces of a text obey the duties of their own categories.
func TestDutiesOnPieces(t *testing.T) {
	g := open(t, strings.NewReplacer("arg: [user.contact,", "arg: [user,", " && category != \"user.location.precise\"", " && category == \"user.contact.email\"").Replace(
		strings.Replace(dutyPolicy, `- {id: less, source: us, when: 'purpose == "study"'`, `- {id: less, source: us, when: 'purpose == "study" && category == "user.contact.phone_number"'`, 1)))
	ev := event(map[string]any{"f": "write to jane@example.com please"}, nil)
	ev.Purpose = "study"
	res, err := g.Process(t.Context(), ev)
	require.NoError(t, err)
	require.Len(t, res.Decisions[0].Spans, 1, res.Explain())
	s := res.Decisions[0].Spans[0]
	assert.Equal(t, []any{privacy.Pseudonymise, "token", privacy.Allow}, []any{s.Action, s.By, s.Outcome})
	assert.NotContains(t, res.Fields["f"], "jane@example.com")
	assert.Contains(t, res.Fields["f"], "write to p1_")

	g = open(t, strings.Replace(dutyPolicy, `- {id: less, source: us, when: 'purpose == "study"', do: minimise, arg: [`, `- {id: less, source: us, when: 'purpose == "study" && category != ""', do: minimise, arg: [user.name, `, 1))
	g2 := open(t, strings.Replace(dutyPolicy, `- {id: less, source: us, when: 'purpose == "study"', do: minimise, arg: [user.contact, `, `- {id: less, source: us, when: 'purpose == "study" && category != ""', do: minimise, arg: [user.name, `, 1))
	for g, want := range map[*privacy.Guard]privacy.Action{g: privacy.Pseudonymise, g2: privacy.Redact} {
		res, err := g.Process(t.Context(), ev)
		require.NoError(t, err)
		require.Len(t, res.Decisions[0].Spans, 1, res.Explain())
		assert.Equal(t, want, res.Decisions[0].Spans[0].Action, "a piece that is not needed leaves its category behind")
	}
}

// delete_within is a rule of the plan, for what was decided with the duty; stop_and_erase
// is a request for erasure.
func TestDutiesOnDeadlines(t *testing.T) {
	g := open(t, dutyPolicy)
	for _, tt := range []struct {
		category, purpose        string
		consents                 []consent.Record
		earliest, latest, bounds string // the ceiling, the wish or the floor that decides
		status                   retention.Status
		reason                   string
	}{
		{"user.contact.email", "other", nil, "", "2026-04-04T10:00:00Z", "soon", retention.Deletable, "the duty's ceiling is nearer"},
		{"user.contact", "other", nil, "", "2026-04-27T10:00:00Z", "all", retention.Deletable, "no duty for that category"},
		{"user.name", "other", nil, "2026-04-06T10:00:00Z", "2026-04-27T10:00:00Z", "wish", retention.Keep, "a duration is a wish, and the ceiling behind it stays"},
		{"user.payment", "other", nil, "2026-05-27T10:00:00Z", "2026-04-27T10:00:00Z", "least", retention.Conflict, "a floor of the law beyond the ceiling"},
		{"user.sensor", "other", nil, "", "2026-03-29T10:00:00Z", "habit", retention.Deletable, "told as what it is"},
		{"user.contact", "letters", []consent.Record{{Scope: consent.Scope{Purpose: "letters"}, State: consent.StateWithdrawn, Given: at}}, "", "2026-03-30T10:00:00Z", "faster", retention.Due, "to be erased, and by when"},
	} {
		t.Run(tt.purpose+"/"+tt.category, func(t *testing.T) {
			ev := event(map[string]any{"f": "12"}, map[string]string{"f": tt.category})
			ev.Purpose, ev.Consents = tt.purpose, tt.consents
			ev.Anchors["stopped"] = at
			res, err := g.Explain(t.Context(), ev)
			require.NoError(t, err)
			p := &res.Retention
			t.Log(res.Explain())
			assert.Equal(t, tt.status, p.Status, tt.reason)
			if tt.purpose == "other" {
				assert.Contains(t, []string{p.Ceiling, p.Delete, p.Floor}, tt.bounds, tt.reason)
				kinds := map[consent.ObligationKind]bool{}
				for _, o := range res.Obligations {
					kinds[o.Kind] = true
				}
				assert.True(t, kinds[consent.NoOnwardTransfer] && kinds[consent.NotifySubject], "handed to the caller")
			}
			if tt.earliest != "" {
				assert.Equal(t, tt.earliest, p.Earliest.Format(time.RFC3339), tt.reason)
			}
			assert.Equal(t, tt.latest, p.Latest.Format(time.RFC3339), tt.reason)
			assert.Equal(t, tt.bounds == "habit", p.Strength == retention.Typical, "a habit never becomes a promise")
			// A plan without a decision has no duties.
			plan, err := g.Plan(retention.Input{Category: tt.category, Now: at, Events: ev.Anchors})
			require.NoError(t, err)
			assert.Equal(t, "2026-04-27T10:00:00Z", plan.Latest.Format(time.RFC3339))
		})
	}
	// The event's own request for erasure counts before the duty's.
	ev := event(map[string]any{"f": "12"}, map[string]string{"f": "user.contact"})
	ev.Purpose, ev.Consents = "letters", []consent.Record{{Scope: consent.Scope{Purpose: "letters"}, State: consent.StateWithdrawn, Given: at}}
	ev.Erasure = &retention.Erasure{ID: "other-data", At: at, Scope: "user.name"}
	res, err := g.Explain(t.Context(), ev)
	require.NoError(t, err)
	assert.Equal(t, retention.Deletable, res.Retention.Status, "it is about other data\n%s", res.Explain())
}

// A duty that no rule of retention can be made of is refused by its own place.
func TestDeletionThatIsNoRule(t *testing.T) {
	_, err := policy.Compile("p.yaml", []byte(strings.Replace(dutyPolicy, "id: soon,", "id: all,", 1)))
	require.ErrorContains(t, err, "p.yaml:15:12: id: used by an earlier rule", "two rules of one id would stand in one plan")
}

// A guard with the ledger of this module: what is recorded counts from its instant on.
func TestGuardWithLedger(t *testing.T) {
	ctx := context.Background()
	log := ledger.NewMemory()
	g := open(t, dutyPolicy, privacy.WithLedger(log))
	scope := consent.Scope{Purpose: "letters"}
	record := func(events ...ledger.Event) {
		t.Helper()
		_, err := log.Append(ctx, events...)
		require.NoError(t, err)
	}
	ask := func(subject string, when time.Time) consent.Decision {
		t.Helper()
		d, err := g.Decide(ctx, consent.Request{Subject: consent.Subject{ID: subject}, Purpose: "letters", At: when})
		require.NoError(t, err)
		res, err := g.Process(ctx, privacy.Event{At: when, Purpose: "letters", Subject: privacy.Subject{ID: subject}, Fields: map[string]any{"n": 1}})
		require.NoError(t, err)
		assert.Equal(t, d.Reason, res.Reason, "an event is decided as its question")
		assert.NotContains(t, d.Explain()+string(d.AppendJSON(nil))+res.Explain(), subject)
		return d
	}
	hour := func(n int) time.Time { return at.Add(time.Duration(n) * time.Hour) }
	const person, device = "canary-person", "canary-device"

	assert.Equal(t, consent.ReasonConsentUnset, ask(person, at).Reason)
	record(ledger.Granted(person, scope, at))
	d := ask(person, at)
	assert.Equal(t, consent.ReasonConsent, d.Reason)
	assert.NotEmpty(t, d.PolicyHash)
	assert.Equal(t, g.Policy().Fingerprint, d.PolicyHash)
	require.Len(t, d.Evidence, 1, "it names the event")
	assert.Equal(t, consent.ReasonConsentUnset, ask(person, hour(-1)).Reason, "not before it was given")
	record(ledger.Withdrawn(person, scope, hour(1)))
	assert.Equal(t, consent.ReasonConsent, ask(person, at).Reason, "as of then it counted")
	assert.Equal(t, consent.ReasonWithdrawn, ask(person, hour(1)).Reason)
	record(ledger.Granted(person, scope, hour(2)))
	assert.True(t, ask(person, hour(2)).Allowed())
	// A device that refused turns out to be the person's.
	record(ledger.Denied(device, scope, at))
	record(ledger.Merged(person, device, hour(3)))
	assert.Equal(t, consent.ReasonRefused, ask(person, hour(3)).Reason, "the more restrictive of the two")
	record(ledger.Granted(person, scope, hour(4)))
	assert.True(t, ask(person, hour(4)).Allowed(), "later answers count as ever")
	record(ledger.Restricted(person, hour(5)))
	assert.Equal(t, consent.ReasonRestricted, ask(person, hour(5)).Reason)
	record(ledger.Released(person, hour(6)))
	assert.True(t, ask(person, hour(6)).Allowed())
	_, err := log.Erase(ctx, person, hour(7), ledger.OnRequest)
	require.NoError(t, err)
	assert.Equal(t, consent.ReasonErased, ask(person, hour(7)).Reason)
	assert.Equal(t, consent.ReasonErased, ask(person, hour(4)).Reason, "nobody knows any more what they said")

	// What the event brings is refused beside it, whichever part it is.
	for _, text := range []string{`"consents":[{}]`, `"claims":[{}]`, `"merged":[{}]`, `"erased":true`, `"restricted":true`} {
		for what, err := range map[string]error{
			"event":   second(g.ProcessJSON(ctx, nil, []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"letters",`+text+`}`), false)),
			"request": second(g.DecideJSON(ctx, nil, []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"letters",`+text+`}`))),
		} {
			require.ErrorContains(t, err, "brought by the "+what+" beside a ledger", text)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// What hosts without a ledger say is what a ledger would: rows 4, 7, 9, 10 and 11 by the
// JSON of events and requests, byte for byte what the Go types give.
func TestConsentInJSON(t *testing.T) {
	g, ctx := open(t, everyConsent), context.Background()
	const granted = `{"id":"c1","purpose":"ads","state":"granted","strength":"explicit","given":"2026-03-01T00:00:00Z"`
	for _, tt := range []struct{ name, text, reason string }{
		{"legal obligation", `"purpose":"tax","category":"doc"`, "LEGAL_OBLIGATION"},
		{"objected", `"purpose":"tax","category":"doc","consents":[{"purpose":"tax","state":"objected","given":"2026-03-01T00:00:00Z"}]`, "LEGAL_OBLIGATION"},
		{"a life", `"purpose":"serve","category":"health","reference":"case-7"`, "VITAL_INTEREST"},
		{"set aside", `"purpose":"serve","category":"doc","party":"nobody"`, "CONTRACT"},
		{"erased", `"purpose":"serve","category":"doc","erased":true`, "ERASED"},
		{"restricted", `"purpose":"serve","category":"doc","restricted":true`, "RESTRICTED"},
		{"setting", `"purpose":"serve","category":"doc","feature":"f","collector":"provider","settings":[{"feature":"f","by":"user","on":"off","of":"use","collector":"provider"}]`, "FEATURE_OFF"},
		{"setting of an administrator", `"purpose":"serve","category":"doc","feature":"f","subject":{"tenant":"a"},"settings":[{"feature":"f","by":"admin","on":false,"tenant":"b","device":true}]`, "CONTRACT"},
		{"malformed setting", `"purpose":"serve","category":"doc","settings":[{"feature":"f","by":"nobody","on":true}]`, "INVALID_REQUEST"},
		{"both needed", `"purpose":"ads","subject":{"age_band":"14","residence":"XX"},"age_assured":"verified"`, "GUARDIAN_REQUIRED"},
		{"both gave it", `"purpose":"ads","subject":{"age_band":"14","residence":"XX"},"age_assured":"verified","consents":[` + granted + `,"by":"both"}]`, "CONSENT"},
		{"not sure enough", `"purpose":"ads","subject":{"age_band":"adult","residence":"DE"},"age_assured":"declared"`, "AGE_UNKNOWN"},
		{"gpc", `"purpose":"ads","subject":{"age_band":"adult","residence":"XX"},"age_assured":"verified","signals":{"gpc":true}`, "SIGNAL_GPC"},
		{"gpp", `"purpose":"ads","subject":{"age_band":"adult","residence":"US-VA"},"age_assured":"verified","signals":{"list":[{"kind":"dnt"},{"kind":"gpp","opt_out":["targeted_ads"]}]}`, "SIGNAL_GPP"},
		{"usp", `"purpose":"ads","subject":{"age_band":"adult","residence":"US-VA"},"age_assured":"verified","signals":{"list":[{"kind":"usp","source":"cookie"}]}`, "SIGNAL_USP"},
		{"where they are", `"purpose":"ads","subject":{"age_band":"adult","residence":"US-VA"},"age_assured":"verified","location":"DE"`, "CONSENT_UNSET"},
		{"consented later", `"purpose":"ads","subject":{"id":"s","age_band":"adult","residence":"US-CA"},"age_assured":"verified","signals":{"list":[{"kind":"gpc","since":"2026-02-01T00:00:00Z","device":"d"}]},"consents":[` + granted + `,"after_conflict":true}]`, "OPT_OUT_REGIME_DEFAULT"},
		{"not told of it", `"purpose":"ads","subject":{"id":"s","age_band":"adult","residence":"US-CA"},"age_assured":"verified","signals":{"list":[{"kind":"gpc","since":"2026-02-01T00:00:00Z","device":"d"}]},"consents":[` + granted + `}]`, "SIGNAL_GPC"},
		{"merged", `"purpose":"ads","subject":{"age_band":"adult","residence":"XX"},"age_assured":"verified","consents":[` + granted + `}],"merged":[{"at":"2026-03-10T00:00:00Z","consents":[{"purpose":"ads","state":"denied","given":"2026-02-01T00:00:00Z"}]}]`, "REFUSED"},
		{"by the person", `"purpose":"serve","category":"doc","operation":"share","recipient":{"role":"carrier","id":"x"},"by_subject":true,"share":{"recipient":"x","attributes":["a"]}`, "CONTRACT"},
		{"not by the person", `"purpose":"serve","subject":{"age_band":"adult"},"age_assured":"verified","category":"doc","operation":"share","recipient":{"role":"carrier","id":"x"},"share":{"recipient":"x","attributes":["a"]}`, "SHARE_NEEDS_CONSENT"},
		{"not by the person, age not told", `"purpose":"serve","category":"doc","operation":"share","recipient":{"role":"carrier","id":"x"},"share":{"recipient":"x","attributes":["a"]}`, "AGE_UNKNOWN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := `{"at":"2026-03-28T10:00:00Z",` + tt.text + `}`
			got, err := g.DecideJSON(ctx, nil, []byte(request))
			require.NoError(t, err)
			assert.Contains(t, string(got), `"reason":"`+tt.reason+`"`)
			if strings.Contains(tt.text, `"ads"`) {
				assert.Contains(t, string(got), `"regime":"`)
			}
			// The same as an event: a category is that of a field.
			text := strings.Replace(request, `,"category":"`, `,"fields":{"f":"x"},"declared":{"f":{"category":"`, 1)
			if text != request {
				text = strings.Replace(text, `{"category":"doc"`, `{"category":"doc"}}`, 1)
				text = strings.Replace(text, `{"category":"health"`, `{"category":"health"}}`, 1)
			}
			raw, err := g.ProcessJSON(ctx, nil, []byte(text), true)
			require.NoError(t, err, text)
			ev, err := privacy.DecodeEvent([]byte(text))
			require.NoError(t, err)
			res, err := g.Explain(ctx, ev)
			require.NoError(t, err)
			assert.Equal(t, string(raw), string(res.AppendJSON(nil)), "what JSON says, the Go types can say")
			reason := res.Reason
			if text != request {
				reason = res.Decisions[0].Reason
			}
			assert.Equal(t, tt.reason, string(reason))
		})
	}
}

// TestConsentIsReadStrictly: each row is refused with its place, in words that hold
// nothing of it.
func TestConsentIsReadStrictly(t *testing.T) {
	g, ctx := open(t, testPolicy), context.Background()
	const canary = "canary@example.test"
	signal := func(more string) string { return `"signals":{"list":[{"kind":"gpp"` + more + `}]}` }
	for _, tt := range []struct{ part, text, reason string }{
		{"signals", `"signals":"` + canary + `"`, "not an object"},
		{"signals", `"signals":{"` + canary + `":1}`, "a key that signals do not have"},
		{"signals.gpc", `"signals":{"gpc":"` + canary + `"}`, "neither on nor off"},
		{"signals.list", `"signals":{"list":"` + canary + `"}`, "not a list"},
		{"signals.list", `"signals":{"list":["` + canary + `"]}`, "not objects"},
		{"signals.list", `"signals":{"list":[` + strings.Repeat(`{"kind":"gpc"},`, 256) + `{"kind":"gpc"}]}`, "more than 256"},
		{"signals.list.kind", `"signals":{"list":[{"kind":"` + canary + `"}]}`, "a kind that was misspelt must not be nothing"},
		{"signals.list.kind", `"signals":{"list":[{"opt_out":["sale"]}]}`, "which?"},
		{"signals.list", signal(`,"` + canary + `":1`), "a key that a signal does not have"},
		{"signals.list.opt_out", signal(`,"opt_out":["` + canary + `"]`), "a use that was misspelt must not be allowed"},
		{"signals.list.opt_out", signal(`,"opt_out":"` + canary + `"`), "not a list"},
		{"signals.list.since", signal(`,"since":"` + canary + `"`), "no instant"},
		{"signals.list.source", signal(`,"source":["` + canary + `"]`), "not a text"},
		{"signals.list.device", signal(`,"device":"` + strings.Repeat(canary, 60) + `"`), "longer than texts are"},
		{"settings", `"settings":{"feature":"` + canary + `"}`, "not a list"},
		{"settings", `"settings":["` + canary + `"]`, "not objects"},
		{"settings", `"settings":[{"` + canary + `":1}]`, "a key that settings do not have"},
		{"settings.on", `"settings":[{"on":"` + canary + `"}]`, "neither on nor off"},
		{"settings.device", `"settings":[{"device":"` + canary + `"}]`, "neither on nor off"},
		{"settings", `"settings":[` + strings.Repeat("{},", 256) + `{}]`, "more than 256"},
		{"merged", `"merged":{"at":"` + canary + `"}`, "not a list"},
		{"merged", `"merged":[{"` + canary + `":1}]`, "a key that a merge does not have"},
		{"merged.at", `"merged":[{"at":"` + canary + `"}]`, "no instant"},
		{"consents", `"merged":[{"consents":[]}]`, "merged when?"},
		{"merged.consents", `"merged":[{"at":"2026-03-01T00:00:00Z","consents":"` + canary + `"}]`, "not a list"},
		{"consents", `"merged":[{"at":"2026-03-01T00:00:00Z","consents":[{"purpose":"` + canary + `","state":"granted","given":"2026-03-01T00:00:00Z"}]}]`, "no key"},
		{"consents", `"consents":[{"purpose":"serve","state":"granted","given":"2026-03-01T00:00:00Z","by":"` + canary + `"}]`, "nobody who gives"},
		{"consents.after_conflict", `"consents":[{"after_conflict":"` + canary + `"}]`, "neither on nor off"},
		{"erased", `"erased":"` + canary + `"`, "neither on nor off"},
		{"restricted", `"restricted":{"a":"` + canary + `"}`, "neither on nor off"},
		{"by_subject", `"by_subject":"` + canary + `"`, "neither on nor off"},
		{"location", `"location":{"a":"` + canary + `"}`, "not a text"},
		{"reference", `"reference":"` + strings.Repeat(canary, 60) + `"`, "longer than texts are"},
	} {
		for what, ask := range map[string]func() ([]byte, error){
			"decide": func() ([]byte, error) {
				return g.DecideJSON(ctx, []byte("before"), []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"serve",`+tt.text+`}`))
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
			assert.Contains(t, text, `"part":"`+tt.part+`"`, "%s: %s: %s", what, tt.reason, tt.text)
			assert.NotContains(t, text+err.Error(), "canary", "%s: %s", what, tt.reason)
		}
	}
}

// FuzzFacts: whatever stands in the parts of an event that consent depends on, there is a
// result or an error without the text of it, the event means the same in Go, and nothing
// that denies makes the result more permissive.
func FuzzFacts(f *testing.F) {
	g, ctx := open(f, everyConsent), context.Background()
	f.Add(`{"gpc":true,"list":[{"kind":"gpp","opt_out":["sale","sensitive"],"since":"2026-01-01T00:00:00Z","source":"header","device":"d"}]}`, `[{"feature":"f","by":"admin","on":false,"of":"use","collector":"c","tenant":"t","device":true}]`,
		`[{"purpose":"ads","state":"granted","strength":"explicit","given":"2026-03-01T00:00:00Z","by":"guardian","after_conflict":true}]`, `[{"at":"2026-03-10T00:00:00Z","consents":[{"purpose":"ads","state":"denied","given":"2026-02-01T00:00:00Z"}]}]`, "14", "XX")
	f.Add(`null`, `null`, `[]`, `[]`, "adult", "US-CA")
	f.Fuzz(func(t *testing.T, signals, settings, consents, merged, age, place string) {
		quoted, _ := json.Marshal([]string{age, place})
		var strs []json.RawMessage
		require.NoError(t, json.Unmarshal(quoted, &strs))
		text := `{"at":"2026-03-28T10:00:00Z","purpose":"ads","feature":"f","age_assured":"verified","subject":{"age_band":` + string(strs[0]) + `,"residence":` + string(strs[1]) + `},"signals":` + signals + `,"settings":` + settings + `,"consents":` + consents + `,"merged":` + merged + `,"fields":{"n":1}}`
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
		// Both of those who may answer object, later than all else was said.
		stricter := ev
		stricter.Consents = append(append([]consent.Record(nil), ev.Consents...), consent.Record{Scope: consent.Scope{Purpose: "ads"}, State: consent.StateObjected, By: consent.ByBoth, Given: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)})
		after, err := g.Process(ctx, stricter)
		require.NoError(t, err)
		require.Equal(t, privacy.Deny, after.Outcome)
	})
}
