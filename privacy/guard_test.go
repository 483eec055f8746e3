package privacy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

var at = time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC)

// fixed is a source of bytes that is no secret.
type fixed struct{}

func (fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

func open(t testing.TB, text string, opts ...privacy.Option) *privacy.Guard {
	t.Helper()
	b, err := policy.Compile("test.yaml", []byte(text))
	require.NoError(t, err)
	opts = append([]privacy.Option{privacy.WithSecrets(pseudonym.NewDevelopmentStore(fixed{}))}, opts...)
	g, err := privacy.Open(b, opts...)
	require.NoError(t, err)
	return g
}

const testPolicy = `
privet: 1
name: test
version: 2
extends: [builtin]
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
purposes:
  - {key: serve, basis: contract}
  - {key: mail, basis: consent}
consent:
  prohibitions:
    - {id: no-health, source: us, when: 'under(category, "user.health_and_medical")'}
    - {id: attr-needed, source: us, when: 'category == "user.job_title" && subject.attr["x"] == "y"'}
transform:
  - {id: ids, when: 'under(category, "user.contact") || under(category, "user.unique_id")', do: pseudonymise}
  - {id: place, when: 'under(category, "user.location.precise")', do: {generalise: {coordinates: 2}}}
  - {id: card, when: 'under(category, "user.financial.credit_card")', do: {mask: {keep_last: 4}}}
  - {id: secret, when: 'under(category, "user.authorization")', do: drop}
  - {id: born, when: 'under(category, "user.demographic.date_of_birth")', do: year}
  - {id: ip, when: 'under(category, "user.device.ip_address")', do: truncate_ip}
  - {id: child, when: 'under(category, "user.childrens")', do: redact}
retention:
  - {id: contact, source: us, category: user.contact, kind: ceiling, strength: organisation, anchor: used_at, period: P30D}
  - {id: all, source: us, kind: ceiling, strength: organisation, anchor: used_at, period: P1Y}
`

func event(fields map[string]any, declared map[string]string) privacy.Event {
	ev := privacy.Event{
		ID: "e1", At: at, Purpose: "serve", Subject: privacy.Subject{ID: "s", Tenant: "contoso"},
		Anchors: map[retention.Anchor]time.Time{"used_at": at}, Fields: fields, Declared: map[string]privacy.Declared{},
	}
	for path, category := range declared {
		ev.Declared[path] = privacy.Declared{Category: category}
	}
	return ev
}

// What each operator does to a field, and what becomes of values that it is not for.
func TestActions(t *testing.T) {
	g := open(t, testPolicy)
	for _, tt := range []struct {
		category string
		value    any
		want     any // nil: gone
		action   privacy.Action
		note     string
		reason   string
	}{
		{"user.contact.email", "Jane@Example.com", "p1_*", privacy.Pseudonymise, "", "an address becomes a token"},
		{"user.contact.email", "not an address", nil, privacy.Drop, "NOT_CANONICAL", "never hashed as it stands"},
		{"user.contact.phone_number", "+1 (425) 555-0100", "p1_*", privacy.Pseudonymise, "", "separators are how people write it"},
		{"user.unique_id", 4711, "p1_*", privacy.Pseudonymise, "", "numbers are identifiers too"},
		{"user.unique_id", true, nil, privacy.Drop, "NOT_APPLICABLE", "a truth value is no identifier"},
		{"user.unique_id", nil, nil, privacy.Keep, "", "nothing to hide in nothing"},
		{"user.location.precise", 47.6401, "47.64", privacy.Generalise, "", "a number stays a number"},
		{"user.location.precise", "-122.1295", "-122.13", privacy.Generalise, "", "a text stays a text"},
		{"user.location.precise", "at home", nil, privacy.Drop, "NOT_APPLICABLE", "what cannot be rounded does not pass"},
		{"user.financial.credit_card", "4111111111111111", "************1111", privacy.Mask, "", "the end stays"},
		{"user.authorization.password", "hunter2", nil, privacy.Drop, "", "secrets are dropped"},
		{"user.demographic.date_of_birth", "1984-05-17", "1984", privacy.Generalise, "", "the year stays"},
		{"user.device.ip_address", "192.0.2.77", "192.0.2.0", privacy.Generalise, "", "the network stays"},
		{"user.childrens", "anything", "[redacted]", privacy.Redact, "", "a constant in its place"},
		{"user.health_and_medical", "asthma", nil, privacy.Drop, "", "prohibited"},
	} {
		t.Run(tt.category+"/"+string(tt.action)+tt.note, func(t *testing.T) {
			res, err := g.Process(context.Background(), event(map[string]any{"f": tt.value}, map[string]string{"f": tt.category}))
			require.NoError(t, err)
			require.Len(t, res.Decisions, 1)
			d := res.Decisions[0]
			assert.Equal(t, tt.action, d.Action, "%s\n%s", tt.reason, res.Explain())
			assert.Equal(t, tt.note, d.Note, tt.reason)
			got, kept := res.Fields["f"]
			if tt.want == nil {
				assert.Equal(t, tt.value == nil, kept, tt.reason)
				return
			}
			if tt.want == "p1_*" {
				_, err := pseudonym.ParseToken(fmt.Sprint(got))
				assert.NoError(t, err, tt.reason)
				return
			}
			assert.Equal(t, tt.want, fmt.Sprint(got), tt.reason)
		})
	}
}

// The operators that make values coarser, by the names that a policy has for them. What
// is not of the form that an operator is for does not pass.
func TestGeneralisations(t *testing.T) {
	for _, tt := range []struct {
		do     string
		value  any
		want   string // "": gone
		reason string
	}{
		{"year", "1984-05-17", "1984", "a date"},
		{"quarter", "1984-05-17", "1984-Q2", "April to June"},
		{"quarter", "2026-12-31T23:59:59Z", "2026-Q4", "a time stamp"},
		{"quarter", "17.05.1984", "", "not a date of ISO 8601"},
		{"month", "1984-05-17", "1984-05", "a date"},
		{"top_code_age", 89, "89", "below 90"},
		{"top_code_age", "104", "90+", "90 and more are one"},
		{"top_code_age", 89.9, "89", "whole years"},
		{"top_code_age", "1984", "", "a year of birth is no age"},
		{"zip3", "98052-6399", "980", "the first three digits"},
		{"zip3", "03601", "000", "too few people live there"},
		{"zip3", 98052, "980", "a number, as long as no zero was lost"},
		{"zip3", 3601, "", "a zero was lost"},
		{"{generalise: {bucket: 10}}", 37, "[30,40)", "half-open"},
		{"{generalise: {bucket: 10}}", "-0.5", "[-10,0)", "below zero"},
		{"{generalise: {bucket: 5000}}", 52345.67, "[50000,55000)", "another width"},
		{"{generalise: {bucket: 10}}", "many", "", "no number"},
	} {
		t.Run(tt.do+"/"+tt.reason, func(t *testing.T) {
			g := open(t, strings.Replace(testPolicy, "transform:\n", "transform:\n  - {id: coarse, do: "+tt.do+"}\n", 1))
			res, err := g.Process(t.Context(), event(map[string]any{"f": tt.value}, map[string]string{"f": "user.demographic"}))
			require.NoError(t, err)
			got, kept := res.Fields["f"]
			assert.Equal(t, tt.want != "", kept)
			if tt.want == "" {
				assert.Equal(t, privacy.Drop, res.Decisions[0].Action)
				assert.Equal(t, "NOT_APPLICABLE", res.Decisions[0].Note)
				return
			}
			assert.Equal(t, privacy.Generalise, res.Decisions[0].Action)
			assert.Equal(t, "coarse", res.Decisions[0].By)
			assert.Equal(t, tt.want, got, "text, whatever the value was")
			assert.Equal(t, "linked", res.Linkability, "coarser, and still in the clear")
		})
	}
}

// counting counts how often its versions are asked for.
type counting struct {
	*pseudonym.Memory
	asked int
}

func (c *counting) Versions(ctx context.Context, tenant string) ([]uint32, error) {
	c.asked++
	return c.Memory.Versions(ctx, tenant)
}

// A store may be a file or a service: it is asked once an event, and what happens to a
// secret counts from the next event on.
func TestSecretsAreAskedForOnceAnEvent(t *testing.T) {
	store := &counting{Memory: &pseudonym.Memory{}}
	secret, err := pseudonym.NewSecret([]byte("an example secret of 32 bytes..."))
	require.NoError(t, err)
	require.NoError(t, store.Add("contoso", 1, secret))
	g := open(t, testPolicy, privacy.WithSecrets(store))
	process := func() privacy.Result {
		t.Helper()
		ev := event(map[string]any{"a": "jane@example.com", "b": "joe@example.com", "c": 4711}, map[string]string{"a": "user.contact.email", "b": "user.contact.email", "c": "user.unique_id"})
		res, err := g.Process(t.Context(), ev)
		require.NoError(t, err, "a secret that is out of use stops nothing")
		return *res
	}
	process() // derives keys
	for _, tt := range []struct {
		reason string
		change func() error
		note   string
	}{
		{"live", func() error { return nil }, ""},
		{"pending", func() error {
			return store.DestroyPending(t.Context(), "contoso", 1, at.AddDate(0, 1, 0), pseudonym.Destruction{At: at, Actor: "ops", Reason: "r"})
		}, "NO_KEY"},
		{"called off", func() error { return store.CancelDestroy(t.Context(), "contoso", 1) }, ""},
		{"destroyed", func() error {
			return store.Destroy(t.Context(), "contoso", 1, pseudonym.Destruction{At: at, Actor: "ops", Reason: "r"})
		}, "NO_KEY"},
	} {
		require.NoError(t, tt.change(), tt.reason)
		store.asked = 0
		res := process()
		for _, d := range res.Decisions {
			assert.Equal(t, tt.note, d.Note, tt.reason)
		}
		if tt.note == "" {
			assert.Equal(t, 1, store.asked, "%s: three pseudonyms", tt.reason)
		}
	}
}

// Nested values keep their shape; what is dropped leaves no hole, what was empty
// stays empty, and paths name fields as documented.
func TestShape(t *testing.T) {
	g := open(t, testPolicy)
	const health = "user.health_and_medical"
	res, err := g.Process(context.Background(), event(map[string]any{
		"a":     map[string]any{"x": 1, "y": 2},
		"b":     []any{1, map[string]any{"c": 2}, 3},
		"all":   map[string]any{"p": map[string]any{"q": 1}},
		"d.e":   "dotted",
		"empty": map[string]any{},
		"none":  []any{},
	}, map[string]string{"a.x": health, "b[0]": health, "b[1].c": health, "all.p.q": health, `["d.e"]`: health}))
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": map[string]any{"y": 2}, "b": []any{3}, "empty": map[string]any{}, "none": []any{}}, res.Fields, res.Explain())
	var paths []string
	for _, d := range res.Decisions {
		paths = append(paths, d.Path)
	}
	assert.Equal(t, []string{"a.x", "a.y", "all.p.q", "b[0]", "b[1].c", "b[2]", `["d.e"]`, "empty", "none"}, paths)
	assert.Equal(t, privacy.Partial, res.Outcome)
}

// Free text is replaced piece by piece, and the rest of it stays.
func TestFreeText(t *testing.T) {
	g := open(t, testPolicy)
	res, err := g.Process(context.Background(), event(map[string]any{"note": "write to jane@example.com, thanks — Jörg"}, nil))
	require.NoError(t, err)
	note, _ := res.Fields["note"].(string)
	assert.True(t, strings.HasPrefix(note, "write to p1_1_"), note)
	assert.True(t, strings.HasSuffix(note, ", thanks — Jörg"), note)
	require.Len(t, res.Decisions[0].Spans, 1, res.Explain())
	s := res.Decisions[0].Spans[0]
	assert.Equal(t, "jane@example.com", "write to jane@example.com, thanks — Jörg"[s.Start:s.End])
	assert.Equal(t, privacy.Pseudonymise, res.Decisions[0].Action)

	ev := event(map[string]any{"note": "write to jane@example.com"}, nil)
	ev.Purpose = "mail"
	res, err = g.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, privacy.Ask, res.Outcome, "consent is missing")
	assert.Empty(t, res.Fields)
	require.Len(t, res.Ask, 1)
	assert.Equal(t, []string{"mail"}, res.Ask[0].Purposes)
}

// What is said of one field is not overwritten by what is found in the next, nor
// by the next event.
func TestSpansStay(t *testing.T) {
	g := open(t, testPolicy)
	ev := event(map[string]any{"a": "write to ada@example.org now", "b": "x joe@example.com", "c": "jim@example.com"}, nil)
	res, err := g.Process(context.Background(), ev)
	require.NoError(t, err)
	_, err = g.Process(context.Background(), event(map[string]any{"a": "and then write to eve@example.org"}, nil))
	require.NoError(t, err)
	var got []classify.Span
	for _, d := range res.Decisions {
		require.Len(t, d.Labels, 1)
		got = append(got, d.Labels[0].Spans...)
	}
	assert.Equal(t, []classify.Span{{Start: 9, End: 24}, {Start: 2, End: 17}, {Start: 0, End: 15}}, got)
}

// The copy's deadline is that of what it holds.
func TestDeadlines(t *testing.T) {
	g := open(t, testPolicy)
	with, err := g.Process(context.Background(), event(map[string]any{"f": "jane@example.com"}, map[string]string{"f": "user.contact.email"}))
	require.NoError(t, err)
	assert.Equal(t, at.AddDate(0, 0, 30), with.Retention.Latest, "a pseudonym is still personal data")
	without, err := g.Process(context.Background(), event(map[string]any{"f": "no address", "n": 1}, map[string]string{"f": "user.contact.email"}))
	require.NoError(t, err)
	assert.Equal(t, at.AddDate(1, 0, 0), without.Retention.Latest, "the dropped field does not count")
}

// What the guard needs and does not have is said, and nothing passes meanwhile.
func TestMissing(t *testing.T) {
	b, err := policy.Compile("test.yaml", []byte(testPolicy))
	require.NoError(t, err)
	ev := event(map[string]any{"f": "jane@example.com"}, map[string]string{"f": "user.contact.email"})

	bare, err := privacy.Open(b)
	require.NoError(t, err)
	res, err := bare.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, "NO_SECRETS", res.Decisions[0].Note)
	assert.Empty(t, res.Fields)

	empty, err := privacy.Open(b, privacy.WithSecrets(new(pseudonym.Memory)))
	require.NoError(t, err)
	res, err = empty.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, "NO_KEY", res.Decisions[0].Note)

	g := open(t, testPolicy)
	ev.Subject.Tenant = ""
	res, err = g.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, "NO_TENANT", res.Decisions[0].Note)

	ev.At = time.Time{}
	_, err = g.Process(context.Background(), ev)
	require.ErrorContains(t, err, "at: is missing")
	clocked := open(t, testPolicy, privacy.WithClock(func() time.Time { return at }))
	_, err = clocked.Process(context.Background(), ev)
	require.NoError(t, err)

	_, err = privacy.Open(nil)
	require.ErrorContains(t, err, "no bundle")
}

// A condition that cannot be evaluated fails closed, and says which.
func TestRuleErrors(t *testing.T) {
	g := open(t, testPolicy)
	res, err := g.Process(context.Background(), event(map[string]any{"f": "boss"}, map[string]string{"f": "user.job_title"}))
	require.NoError(t, err)
	assert.Equal(t, consent.ReasonRuleError, res.Decisions[0].Reason)
	assert.Equal(t, "attr-needed", res.Decisions[0].Rule)
	assert.Empty(t, res.Fields)

	broken := open(t, testPolicy+"\n"+`applies: [{id: asks, source: us, when: 'subject.attr["x"] == "y"'}]`)
	_, err = broken.Process(context.Background(), event(map[string]any{"f": 1}, nil))
	var rule *privacy.RuleError
	require.ErrorAs(t, err, &rule)
	assert.Equal(t, "asks", rule.Rule)
}

// A destroyed secret makes no more tokens, also in a guard that has used it.
func TestDestroyedSecret(t *testing.T) {
	store := new(pseudonym.Memory)
	_, err := store.Generate("contoso", fixed{})
	require.NoError(t, err)
	g := open(t, testPolicy, privacy.WithSecrets(store))
	ev := event(map[string]any{"f": "jane@example.com"}, map[string]string{"f": "user.contact.email"})
	res, err := g.Process(context.Background(), ev)
	require.NoError(t, err)
	first := res.Fields["f"]
	token, err := g.Pseudonymise(context.Background(), pseudonym.Scope{Tenant: "contoso", Purpose: "serve", Category: "user.contact.email"}, pseudonym.Email("jane@example.com"))
	require.NoError(t, err)
	assert.Equal(t, token.String(), first, "one scope, one token")

	require.NoError(t, store.Destroy(context.Background(), "contoso", 1, pseudonym.Destruction{At: at, Actor: "a", Reason: "b"}))
	res, err = g.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, "NO_KEY", res.Decisions[0].Note)
	_, err = g.Pseudonymise(context.Background(), pseudonym.Scope{Tenant: "contoso", Purpose: "serve", Category: "user.contact.email"}, pseudonym.Email("jane@example.com"))
	require.Error(t, err)
}

type views map[string]*consent.View

func (v views) View(_ context.Context, subject string, _ ledger.AsOf) (*consent.View, error) {
	if subject == "broken" {
		return nil, errors.New("ledger: not reachable")
	}
	return v[subject], nil
}

func TestLedger(t *testing.T) {
	history := ledger.NewMemory()
	_, err := history.Append(context.Background(), ledger.Granted("s", consent.Scope{Purpose: "mail"}, at.Add(-time.Hour)))
	require.NoError(t, err)
	g := open(t, testPolicy, privacy.WithLedger(history))
	ev := event(map[string]any{"n": 1}, nil)
	ev.Purpose = "mail"
	res, err := g.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, consent.ReasonConsent, res.Reason)

	d, err := g.Decide(context.Background(), consent.Request{Subject: consent.Subject{ID: "s"}, Purpose: "mail", At: at})
	require.NoError(t, err)
	assert.True(t, d.Allowed())

	_, err = history.Append(context.Background(), ledger.Withdrawn("s", consent.Scope{Purpose: "mail"}, at.Add(time.Hour)))
	require.NoError(t, err)
	res, err = g.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, consent.ReasonConsent, res.Reason, "the withdrawal came after the event")
	ev.At = at.Add(2 * time.Hour)
	res, err = g.Process(context.Background(), ev)
	require.NoError(t, err)
	assert.Equal(t, consent.ReasonWithdrawn, res.Reason)

	g = open(t, testPolicy, privacy.WithLedger(views{}))
	ev.Subject.ID = "broken"
	_, err = g.Process(context.Background(), ev)
	require.ErrorContains(t, err, "not reachable", "not deciding is an error, not a denial")
	_, err = g.Decide(context.Background(), consent.Request{Subject: consent.Subject{ID: "broken"}, Purpose: "mail", At: at})
	require.Error(t, err)

	ev.Subject.ID = "s"
	ev.Consents = []consent.Record{{Scope: consent.Scope{Purpose: "mail"}, State: consent.StateGranted, Given: at}}
	_, err = g.Process(context.Background(), ev)
	require.ErrorContains(t, err, "beside a ledger")
}

func TestOtherQuestions(t *testing.T) {
	g := open(t, testPolicy)
	labels := g.Classify(classify.Field{Name: "x", Value: "jane@example.com"})
	require.NotEmpty(t, labels)
	assert.Equal(t, "user.contact.email", labels[0].Category)
	plan, err := g.Plan(retention.Input{Category: "user.contact.email", Events: map[retention.Anchor]time.Time{"used_at": at}, Now: at})
	require.NoError(t, err)
	assert.Equal(t, at.AddDate(0, 0, 30), plan.Latest)
	assert.Equal(t, "test", g.Policy().Name)
	assert.EqualValues(t, 2, g.Policy().Version)
}

// The JSON way and the Go way give the same result, and equal events equal bytes.
func TestSameBytes(t *testing.T) {
	g := open(t, testPolicy)
	in := []byte(`{"id":"e1","at":"2026-03-28T10:00:00Z","purpose":"serve","subject":{"id":"s","tenant":"contoso"},
		"anchors":{"used_at":"2026-03-28T10:00:00Z"},"declared":{"f":{"category":"user.contact.email"}},
		"fields":{"z":[1.50,"a\u00e9",null,true],"f":"jane@example.com","note":"mail joe@example.com","position":{"lat":47.6401}}}`)
	for _, explain := range []bool{false, true} {
		want, err := g.ProcessJSON(context.Background(), nil, in, explain)
		require.NoError(t, err)
		require.True(t, json.Valid(want), string(want))
		ev, err := privacy.DecodeEvent(in)
		require.NoError(t, err)
		process := g.Process
		if explain {
			process = g.Explain
		}
		res, err := process(context.Background(), ev)
		require.NoError(t, err)
		require.Equal(t, string(want), string(res.AppendJSON(nil)))
		marshalled, err := json.Marshal(res)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(marshalled))
		for range 20 {
			got, err := g.ProcessJSON(context.Background(), nil, in, explain)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		}
	}
}

// Every part of an event that is malformed is refused with its own words.
func TestEventErrors(t *testing.T) {
	g := open(t, testPolicy)
	long := strings.Repeat("x", 2000)
	for _, tt := range []struct{ in, want string }{
		{``, "the JSON ends too early"},
		{`[]`, "an event is a JSON object"},
		{`{"id":1}`, "id: must be a text"},
		{`{"at":"yesterday"}`, "at: not an instant"},
		{`{"at":"2026-03-28"}`, "at: not an instant"},
		{`{"canary@example.test":1}`, "a key that is not known"},
		{`{"subject":{"canary@example.test":1}}`, "subject: has a key that is not known"},
		{`{"class":["a","b"]}`, "one event has one class"},
		{`{"switches":{"f":"maybe"}}`, "switches: must be on or off"},
		{`{"switches":["f"]}`, "switches: must be an object"},
		{`{"purposes":"serve"}`, "purposes: must be a list"},
		{`{"fields":[1]}`, "fields: must be an object"},
		{`{"purpose":"` + long + `"}`, "purpose: longer than"},
		{`{"context":{"` + long + `":"x"}}`, "context: a key is longer than"},
		{`{"id":"a","id":"b"}`, "an object has one key twice"},
		{`{"at":"2026-03-28T10:00:00Z","purpose":"serve","declared":{"f":{"category":"nope"}},"fields":{"f":1}}`, "declared: a category that the policy does not know"},
		{`{"at":"2026-03-28T10:00:00Z","consents":[{"purpose":"Not A Key","state":"granted"}]}`, "consents:"},
		{`{"claims":[{"id":"x","live_key":"perhaps"}]}`, "claims.live_key: must be on or off"},
		{`{"promote":{"form":"a"}}`, "promote: has a key that is not known"},
		{`{"combine":{"with":[{"class":1}]}}`, "combine.with: must be a text"},
		{"{\"id\":\"\xff\"}", "not valid UTF-8"},
		{strings.Repeat("[", 100000), "nested too deeply"},
	} {
		out, err := g.ProcessJSON(context.Background(), []byte("kept"), []byte(tt.in), false)
		require.Error(t, err, tt.in)
		assert.ErrorContains(t, err, tt.want)
		assert.NotContains(t, err.Error(), "canary")
		assert.Equal(t, "kept", string(out), "what was there stays")
	}
	for _, bad := range []any{func() {}, make(chan int), map[int]any{1: 2}, "\xff", map[string]any{"\xff": 1}, struct{}{}, json.Number("0x1")} {
		_, err := g.Process(context.Background(), event(map[string]any{"f": bad}, nil))
		var e *privacy.EventError
		require.ErrorAs(t, err, &e, "%T", bad)
	}
	deep := map[string]any{}
	for range 100 {
		deep = map[string]any{"d": deep}
	}
	_, err := g.Process(context.Background(), event(deep, nil))
	require.ErrorContains(t, err, "nested too deeply")
}

// No value of an event reaches an error, an explanation or a trail, and what the
// policy drops reaches nothing at all.
func TestCanary(t *testing.T) {
	g := open(t, testPolicy)
	const canary = "canary@example.test"
	ev := event(map[string]any{"f": canary, "n": map[string]any{"m": "to " + canary}, "l": []any{canary}},
		map[string]string{"f": "user.health_and_medical"})
	ev.ID = "e"
	ev.Subject.Attr = map[string]string{"x": canary}
	ev.Context = map[string]string{"x": canary}
	ev.Class, ev.Region, ev.Channel, ev.Origin = canary, canary, canary, canary
	ev.Recipient.ID, ev.Share.Attributes = canary, []string{canary}
	res, err := g.Explain(context.Background(), ev)
	require.NoError(t, err)
	assert.NotContains(t, res.Explain(), "canary")
	assert.NotContains(t, string(res.AppendJSON(nil)), "canary", "denied, so nothing of it is in the result")

	ev = event(map[string]any{"f": canary, "note": "mail " + canary + " now"}, map[string]string{"f": "user.contact.email"})
	res, err = g.Explain(context.Background(), ev)
	require.NoError(t, err)
	assert.NotContains(t, res.Explain(), "canary")
	assert.NotContains(t, string(res.AppendJSON(nil)), "canary", "pseudonymised in fields and in text")
	for _, bad := range []privacy.Event{{ID: canary, Fields: map[string]any{canary: func() {}}}, {At: at, Consents: []consent.Record{{ID: canary, Scope: consent.Scope{Purpose: canary}}}}} {
		_, err := g.Process(context.Background(), bad)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "canary")
	}
}

func TestReadBundle(t *testing.T) {
	b, err := policy.Pack("windows-service-data")
	require.NoError(t, err)
	data := b.Bytes()
	again, err := privacy.ReadBundle(data)
	require.NoError(t, err)
	assert.Equal(t, b.Info(), again.Info())
	data[100] ^= 1
	_, err = privacy.ReadBundle(data)
	require.ErrorIs(t, err, privacy.ErrBundleCorrupt)
	assert.Equal(t, again.Bytes(), b.Bytes(), "the bundle keeps its own copy")
	_, err = privacy.ReadBundle(b.Bytes()[:50])
	require.ErrorIs(t, err, privacy.ErrBundleTruncated)
	_, err = privacy.ReadBundle([]byte("{}"))
	require.ErrorIs(t, err, privacy.ErrNotBundle)
}

// FuzzProcess: no event makes the guard fail; a result is JSON, is the same every
// time, and reading the event into Go values first changes nothing.
func FuzzProcess(f *testing.F) {
	g := open(f, testPolicy)
	for _, s := range []string{
		`{"at":"2026-03-28T10:00:00Z","purpose":"serve","subject":{"tenant":"t"},"fields":{"a":[1,{"b":"jane@example.com"}],"c.d":null}}`,
		`{"at":"2026-03-28T10:00:00Z","purposes":["serve","mail"],"consents":[{"purpose":"mail","state":"granted","given":"2026-01-01T00:00:00Z"}],"fields":{"note":"call +1 425 555 0100"}}`,
		`{"at":"2026-03-28T10:00:00Z","purpose":"serve","operation":"promote","promote":{"from":"a","to":"b"},"claim":"x","claims":[{"id":"x","result":"unlinkable","checked_at":"2026-01-01T00:00:00Z"}]}`,
		`{"at":"2026-03-28T10:00:00Z","purpose":"serve","anchors":{"used_at":"2026-03-01T00:00:00Z"},"holds":[{"id":"h","scope":"*","placed":"2026-03-01T00:00:00Z","effect":"restart"}],"erasure":{"id":"e","at":"2026-03-01T00:00:00Z"},"fields":{"user_email":"jane@example.com"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := g.ProcessJSON(context.Background(), nil, in, true)
		if err != nil {
			var e *privacy.EventError
			if !errors.As(err, &e) {
				require.NotEqual(t, privacy.CodeInternal, privacy.ErrorCode(err), "%v", err)
			}
			return
		}
		require.True(t, json.Valid(out))
		again, err := g.ProcessJSON(context.Background(), nil, in, true)
		require.NoError(t, err)
		require.Equal(t, string(out), string(again))
		ev, err := privacy.DecodeEvent(in)
		require.NoError(t, err)
		res, err := g.Explain(context.Background(), ev)
		require.NoError(t, err)
		require.Equal(t, string(out), string(res.AppendJSON(nil)))
	})
}
