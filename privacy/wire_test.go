package privacy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

// TestWireAgreesWithGo: a question in JSON is the question in Go.
func TestWireAgreesWithGo(t *testing.T) {
	g, ctx := open(t, testPolicy), context.Background()

	labels := g.Classify(classify.Field{Name: "note", Value: "write to jane@example.com", Context: map[string]string{"a": "b"}})
	got, err := g.ClassifyJSON(nil, []byte(`{"id":7.50,"name":"note","value":"write to jane@example.com","context":{"a":"b"}}`))
	require.NoError(t, err)
	var read struct {
		ID     json.RawMessage
		Labels []struct {
			Category   string
			Confidence float64
			Spans      []classify.Span
		}
	}
	require.NoError(t, json.Unmarshal(got, &read))
	assert.Equal(t, "7.50", string(read.ID), "handed through as it was written")
	require.Len(t, read.Labels, len(labels))
	require.NotEmpty(t, labels)
	for i, l := range labels {
		assert.Equal(t, l.Category, read.Labels[i].Category)
		assert.InDelta(t, l.Confidence, read.Labels[i].Confidence, 0)
		assert.Equal(t, l.Spans, read.Labels[i].Spans)
	}

	decision, err := g.Decide(ctx, consent.Request{Purpose: "mail", Category: "user.contact", At: at, Subject: consent.Subject{ID: "s", Attr: map[string]string{"x": "n"}}})
	require.NoError(t, err)
	got, err = g.DecideJSON(ctx, nil, []byte(`{"purpose":"mail","category":"user.contact","at":"2026-03-28T10:00:00Z","subject":{"id":"s","attr":{"x":"n"}}}`))
	require.NoError(t, err)
	assert.Equal(t, string(decision.AppendJSON(nil)), string(got))

	plan, err := g.Plan(retention.Input{Category: "user.contact.email", Now: at, Explain: true, Events: map[retention.Anchor]time.Time{"used_at": at}})
	require.NoError(t, err)
	got, err = g.PlanJSON(nil, []byte(`{"category":"user.contact.email","now":"2026-03-28T10:00:00Z","explain":true,"anchors":{"used_at":"2026-03-28T10:00:00Z"}}`))
	require.NoError(t, err)
	assert.Equal(t, string(plan.AppendJSON(nil)), string(got))

	scope := pseudonym.Scope{Tenant: "contoso", Purpose: "p", Category: "c"}
	u := [16]byte{0x01, 0x23, 0xab}
	for request, value := range map[string]pseudonym.Value{
		`"value":"jane@example.com","type":"email"`:                      pseudonym.Email("jane@example.com"),
		`"value":"j.d+x@gmail.com","type":"email-uid2"`:                  pseudonym.EmailUID2("j.d+x@gmail.com"),
		`"value":"+14255550100","type":"phone"`:                          pseudonym.Phone("+14255550100"),
		`"value":" x ","type":"text"`:                                    pseudonym.Text(" x "),
		`"value":"x"`:                                                    pseudonym.Text("x"),
		`"value":-7,"type":"int"`:                                        pseudonym.Int(-7),
		`"value":"2024-02-29","type":"date"`:                             pseudonym.Date("2024-02-29"),
		`"value":"203.0.113.7","type":"ip"`:                              pseudonym.IP(netip.MustParseAddr("203.0.113.7")),
		`"value":"10.0.0.0/8","type":"ip-prefix"`:                        pseudonym.IPPrefix(netip.MustParsePrefix("10.0.0.0/8")),
		`"value":"{0123AB00-0000-0000-0000-000000000000}","type":"uuid"`: pseudonym.UUID(u),
		`"value":"0123ab00-0000-0000-0000-000000000000"`:                 pseudonym.UUID(u),
	} {
		token, err := g.Pseudonymise(ctx, scope, value)
		require.NoError(t, err)
		got, err := g.PseudonymiseJSON(ctx, nil, []byte(`{"tenant":"contoso","purpose":"p","category":"c",`+request+`}`))
		require.NoError(t, err, request)
		assert.Equal(t, `{"linkability":"linkable","token":"`+token.String()+`"}`, string(got), request)
	}

	text := string(g.DescribeJSON(nil))
	require.True(t, json.Valid([]byte(text)))
	for _, want := range []string{`"name":"test","version":2`, `"user.contact.email"`, g.Policy().Fingerprint} {
		assert.Contains(t, text, want)
	}
}

// TestWireRequestsAreStrict: each row is refused with its code, in words that hold
// nothing of it, and what was in the buffer before stays as it was.
func TestWireRequestsAreStrict(t *testing.T) {
	g, ctx := open(t, testPolicy), context.Background()
	asks := map[string]func(dst, request []byte) ([]byte, error){
		"classify": g.ClassifyJSON,
		"decide":   func(dst, r []byte) ([]byte, error) { return g.DecideJSON(ctx, dst, r) },
		"plan":     g.PlanJSON,
		"hash":     func(dst, r []byte) ([]byte, error) { return g.PseudonymiseJSON(ctx, dst, r) },
		"process":  func(dst, r []byte) ([]byte, error) { return g.ProcessJSON(ctx, dst, r, false) },
	}
	const canary = "canary@example.test"
	tests := []struct {
		ask, request string
		code         privacy.Code
		part         string
		reason       string
	}{
		{"classify", ``, privacy.CodeBadRequest, "", "nothing"},
		{"classify", canary, privacy.CodeBadRequest, "", "not JSON"},
		{"classify", `["` + canary + `"]`, privacy.CodeBadRequest, "", "no object"},
		{"classify", `{"` + canary + `":1}`, privacy.CodeBadRequest, "", "a key that fields do not have"},
		{"classify", `{"name":{"a":"` + canary + `"}}`, privacy.CodeBadRequest, "name", "a name is a text"},
		{"classify", `{"value":["` + canary + `"]}`, privacy.CodeBadRequest, "value", "one value at a time"},
		{"classify", `{"description":1}`, privacy.CodeBadRequest, "description", "a description is a text"},
		{"classify", `{"tags":{"x":["` + canary + `"]}}`, privacy.CodeBadRequest, "tags", "tags are texts"},
		{"classify", strings.Repeat("[", 70), privacy.CodeTooDeep, "", "a cap with a code of its own"},
		{"classify", `[` + strings.Repeat("0,", 1<<16) + `0]`, privacy.CodeTooMany, "", "a cap with a code of its own"},
		{"classify", strings.Repeat(" ", privacy.MaxEvent+1), privacy.CodeTooLarge, "", "a cap with a code of its own"},
		{"process", strings.Repeat(" ", privacy.MaxEvent+1), privacy.CodeTooLarge, "", "events too"},
		{"decide", `{"fields":{"a":"` + canary + `"}}`, privacy.CodeBadRequest, "", "a request carries no data"},
		{"decide", `{"anchors":{}}`, privacy.CodeBadRequest, "", "that is for plans"},
		{"decide", `{"promote":{"` + canary + `":"x"}}`, privacy.CodeBadRequest, "promote", "a key that promotions do not have"},
		{"decide", `{"at":"2026-03-28T10:00:00Z","purpose":"mail","consents":[{"purpose":"` + canary + `","state":"maybe"}]}`, privacy.CodeBadRequest, "consents", "a malformed record"},
		{"plan", `{"category":"user.contact"}`, privacy.CodeBadRequest, "now", "no clock is read"},
		{"plan", `{"now":"2026-03-28T10:00:00Z","category":"` + canary + `"}`, privacy.CodeBadRequest, "category", "no key"},
		{"plan", `{"now":"2026-03-28T10:00:00Z","anchors":{"used_at":"` + canary + `"}}`, privacy.CodeBadRequest, "anchors", "no instant"},
		{"plan", `{"at":"2026-03-28T10:00:00Z"}`, privacy.CodeBadRequest, "", "that is for decisions"},
		{"hash", `{"tenant":"contoso","purpose":"p","category":"c","value":"` + canary + `","type":"int"}`, privacy.CodeBadRequest, "value", "no number"},
		{"hash", `{"tenant":"contoso","purpose":"p","category":"c","value":"` + canary + `","type":"` + canary + `"}`, privacy.CodeBadRequest, "type", "no type"},
		{"hash", `{"tenant":"contoso","purpose":"p","category":"c","value":"` + canary + `","type":"phone"}`, privacy.CodeBadValue, "", "no number in international form"},
		{"hash", `{"tenant":"contoso","purpose":"","category":"c","value":"` + canary + `"}`, privacy.CodeBadScope, "", "no purpose"},
	}
	for _, tt := range tests {
		dst, err := asks[tt.ask]([]byte("before"), []byte(tt.request))
		require.Error(t, err, tt.reason)
		assert.Equal(t, "before", string(dst), tt.reason)
		assert.Equal(t, tt.code, privacy.ErrorCode(err), "%s: %s", tt.reason, err)
		text := string(privacy.AppendErrorJSON(nil, err))
		var e struct{ Code, Message, Part string }
		require.NoError(t, json.Unmarshal([]byte(text), &e), text)
		assert.Equal(t, string(tt.code), e.Code, tt.reason)
		assert.Equal(t, tt.part, e.Part, tt.reason)
		assert.NotEmpty(t, e.Message, tt.reason)
		assert.NotContains(t, text+err.Error(), "canary", tt.reason)
	}
}

func TestErrorCodes(t *testing.T) {
	const secret = "canary@example.test"
	compiled, err := policy.Compile("test.yaml", []byte(testPolicy))
	require.NoError(t, err)
	none, err := privacy.Open(compiled)
	require.NoError(t, err)
	_, noSecrets := none.PseudonymiseJSON(context.Background(), nil, []byte(`{"tenant":"t","purpose":"p","category":"c","value":"x"}`))
	_, notBundle := privacy.ReadBundle([]byte(secret))
	tests := []struct {
		err    error
		code   privacy.Code
		reason string
	}{
		{noSecrets, privacy.CodeNoSecret, "opened without secrets"},
		{fmt.Errorf("%w: %s", pseudonym.ErrUnknown, secret), privacy.CodeNoSecret, "a store's words are not ours to show"},
		{fmt.Errorf("%w: %s", pseudonym.ErrDestroyed, secret), privacy.CodeSecretDestroyed, "a store's words are not ours to show"},
		{notBundle, privacy.CodeNotBundle, "not a bundle"},
		{privacy.ErrBundleNewer, privacy.CodeBundleNewer, "newer"},
		{&privacy.RuleError{Rule: "r1", Problem: "failed"}, privacy.CodeRuleError, "a rule"},
		{&retention.RuleError{Rule: "r1", Problem: "failed"}, privacy.CodeRuleError, "a rule of retention"},
		{errors.New(secret), privacy.CodeInternal, "a ledger's words are not ours to show"},
		{context.Canceled, privacy.CodeInternal, "no answer in time"},
		{nil, privacy.CodeInternal, "no error is none of ours"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.code, privacy.ErrorCode(tt.err), tt.reason)
		text := string(privacy.AppendErrorJSON(nil, tt.err))
		assert.True(t, json.Valid([]byte(text)), text)
		assert.NotContains(t, text, "canary", tt.reason)
		if tt.code == privacy.CodeRuleError {
			assert.Contains(t, text, `"rule":"r1"`)
		}
	}
}
