package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/audit"
)

const (
	canary  = "canary@example.test"
	subject = "p1_1_aaaaaaaaaaaaaaaaaaaaaaaaaa"
)

func at(t testing.TB, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	out, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return out
}

func plan(t testing.TB, now string, change func(*retention.Input)) *retention.Plan {
	day := func(n int) retention.Period { return retention.Period{Days: n} }
	rs, err := retention.New([]retention.Rule{
		{ID: "keep", Kind: retention.Floor, Strength: retention.Statement, Category: "user", Anchor: "end", Period: day(10)},
		{ID: "gone", Kind: retention.Ceiling, Strength: retention.Statement, Category: "user", Anchor: "end", Period: day(30), Copies: []retention.Copy{retention.Primary, retention.Cache}},
		{ID: "backup", Kind: retention.Ceiling, Strength: retention.Statement, Category: "user", Anchor: "end", Period: day(60), Copies: []retention.Copy{retention.Backup}},
		{ID: "disk", Source: "002:47", Kind: retention.Ceiling, Strength: retention.Statement, Category: "user", Anchor: "media_returned", Copies: []retention.Copy{retention.Media}, Method: retention.Purge},
		{ID: "habit", Kind: retention.Ceiling, Strength: retention.Typical, Category: "log", Anchor: "end", Period: day(2)},
	})
	require.NoError(t, err)
	in := retention.Input{Category: "user", Now: at(t, now), Events: map[retention.Anchor]time.Time{"end": at(t, "2026-01-01T00:00:00Z"), "media_returned": at(t, "2026-03-01T00:00:00Z")}, Explain: true}
	if change != nil {
		change(&in)
	}
	p, err := rs.Plan(in)
	require.NoError(t, err)
	return &p
}

func TestAudit(t *testing.T) {
	held := func(in *retention.Input) {
		in.Holds = []retention.Hold{{ID: "case", Scope: "user", Placed: at(t, "2026-01-02T00:00:00Z")}}
	}
	log := func(in *retention.Input) { in.Category = "log" }
	other := func(in *retention.Input) { in.Category = "other" }
	waiting := func(in *retention.Input) { delete(in.Events, "end") }
	for _, tt := range []struct {
		name    string
		now     string
		change  func(*retention.Input)
		copy    retention.Copy
		removed string
		with    retention.Method
		verdict audit.Verdict
		by      time.Duration
		breach  bool
		reason  string
	}{
		{"not due", "2026-01-20T00:00:00Z", nil, retention.Primary, "", 0, audit.NotDue, 0, false, "may go, need not"},
		{"missing", "2026-02-01T00:00:00Z", nil, retention.Primary, "", 0, audit.Missing, 24 * time.Hour, true, "a day over the ceiling"},
		{"missing at the deadline", "2026-01-31T00:00:00Z", nil, retention.Primary, "", 0, audit.Missing, 0, true, "at the deadline it has to be gone"},
		{"in time", "2026-02-01T00:00:00Z", nil, retention.Primary, "2026-01-30T23:59:59Z", 0, audit.InTime, 0, false, "the last second"},
		{"at the floor", "2026-02-01T00:00:00Z", nil, retention.Primary, "2026-01-11T00:00:00Z", 0, audit.InTime, 0, false, "the first second"},
		{"late at the deadline", "2026-02-01T00:00:00Z", nil, retention.Primary, "2026-01-31T00:00:00Z", 0, audit.Late, 0, true, "half-open"},
		{"late", "2026-02-05T00:00:00Z", nil, retention.Primary, "2026-02-02T00:00:00Z", 0, audit.Late, 48 * time.Hour, true, "two days"},
		{"early", "2026-02-05T00:00:00Z", nil, retention.Primary, "2026-01-10T23:00:00Z", 0, audit.Early, time.Hour, true, "an hour inside the floor"},
		{"backup", "2026-02-05T00:00:00Z", nil, retention.Backup, "", 0, audit.NotDue, 0, false, "it has its own window"},
		{"backup in time", "2026-02-05T00:00:00Z", nil, retention.Backup, "2026-02-02T00:00:00Z", 0, audit.InTime, 0, false, "the same day would be late elsewhere"},
		{"under a hold", "2026-02-05T00:00:00Z", held, retention.Primary, "2026-01-20T00:00:00Z", 0, audit.Early, 0, true, "nothing may go while it is held"},
		{"held", "2026-02-05T00:00:00Z", held, retention.Primary, "", 0, audit.NotDue, 0, false, "nothing has to go while it is held"},
		{"waiting", "2026-02-05T00:00:00Z", waiting, retention.Primary, "2026-01-20T00:00:00Z", 0, audit.Early, 0, true, "the event has not happened"},
		{"habit", "2026-02-05T00:00:00Z", log, retention.Primary, "2026-01-20T00:00:00Z", 0, audit.Late, 17 * 24 * time.Hour, false, "a warning"},
		{"unruled", "2026-02-05T00:00:00Z", other, retention.Primary, "2026-01-20T00:00:00Z", 0, audit.Unruled, 0, false, "no rule is known"},
		{"media", "2026-03-02T00:00:00Z", nil, retention.Media, "2026-02-20T00:00:00Z", retention.Purge, audit.InTime, 0, false, "purged before it was returned"},
		{"media cleared", "2026-03-02T00:00:00Z", nil, retention.Media, "2026-02-20T00:00:00Z", retention.Clear, audit.Weak, 0, true, "overwriting is less than purging"},
		{"media destroyed", "2026-03-02T00:00:00Z", nil, retention.Media, "2026-02-20T00:00:00Z", retention.Destroy, audit.InTime, 0, false, "more than was asked for"},
		{"media returned first", "2026-03-02T00:00:00Z", nil, retention.Media, "2026-03-01T00:00:00Z", retention.Purge, audit.Late, 0, true, "purged before, not after"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var removals []audit.Removal
			if tt.removed != "" {
				removals = append(removals, audit.Removal{Copy: tt.copy, At: at(t, tt.removed), Method: tt.with})
			}
			r, err := audit.Audit(plan(t, tt.now, tt.change), []retention.Copy{tt.copy}, removals)
			require.NoError(t, err)
			require.Len(t, r.Findings, 1)
			f := r.Findings[0]
			assert.Equal(t, []any{tt.verdict.String(), tt.by, tt.breach}, []any{f.Verdict.String(), f.By, f.Breach}, tt.reason)
			bad := map[string]bool{"missing": true, "early": true, "late": true, "weak": true}[f.Verdict.String()]
			assert.Equal(t, !bad, r.Clean())
		})
	}
	r, err := audit.Audit(plan(t, "2026-02-05T00:00:00Z", nil), []retention.Copy{retention.Primary}, []audit.Removal{{Copy: retention.Cache, At: at(t, "2026-01-20T00:00:00Z")}})
	require.NoError(t, err)
	assert.Equal(t, []audit.Verdict{audit.Missing, audit.InTime}, []audit.Verdict{r.Findings[0].Verdict, r.Findings[1].Verdict}, "deleting the copy does not delete the original")
	_, err = audit.Audit(&retention.Plan{}, nil, nil)
	require.ErrorIs(t, err, audit.ErrPlan)
	for _, bad := range [][]audit.Removal{{{Copy: 9, At: time.Now()}}, {{}}, {{At: time.Unix(1, 0)}, {At: time.Unix(2, 0)}}, {{At: time.Unix(1, 0), Method: 9}}} {
		_, err = audit.Audit(plan(t, "2026-02-05T00:00:00Z", nil), nil, bad)
		require.ErrorIs(t, err, audit.ErrRemovals)
	}
	assert.Equal(t, "", audit.Verdict(99).String())
}

func TestLedger(t *testing.T) {
	var l audit.Ledger
	add := func(s string, scope retention.Selector, when string) error {
		return l.Add(audit.Entry{Subject: s, Scope: scope, At: at(t, when), Basis: "request-7"})
	}
	require.NoError(t, add(subject, "user", "2026-05-20T00:00:00Z"))
	require.NoError(t, add(subject, "user", "2026-05-20T00:00:00Z"))
	assert.Equal(t, 1, l.Len(), "the same again adds nothing")
	require.NoError(t, add(subject, retention.Everything, "2026-06-20T00:00:00Z"))
	for _, bad := range []string{canary, "", "p1_1_", "alice", "+4915112345678", "p1_0_aaaaaaaaaaaaaaaaaaaaaaaaaa", "p1_1_AAAAAAAAAAAAAAAAAAAAAAAAAA", "x1_1_aaaaaaaaaaaaaaaaaaaaaaaaaa", "p1_12345678_aaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		err := add(bad, "user", "2026-05-20T00:00:00Z")
		require.ErrorIs(t, err, audit.ErrPseudonym, bad)
		assert.NotContains(t, err.Error(), canary)
	}
	require.ErrorIs(t, add(subject, "", "2026-05-20T00:00:00Z"), audit.ErrEntry)
	require.ErrorIs(t, l.Add(audit.Entry{Subject: subject, Scope: "user", At: at(t, "2026-05-20T00:00:00Z"), Basis: canary}), audit.ErrEntry)
	require.ErrorIs(t, l.Add(audit.Entry{Subject: subject, Scope: "user", Basis: "b"}), audit.ErrEntry)

	for _, tt := range []struct {
		subject, category, stored string
		found                     bool
		at, reason                string
	}{
		{subject, "user.contact", "2026-05-01T00:00:00Z", true, "2026-06-20T00:00:00Z", "restored from a backup: the latest entry"},
		{subject, "other", "2026-06-01T00:00:00Z", true, "2026-06-20T00:00:00Z", "all data"},
		{subject, "user", "2026-07-01T00:00:00Z", false, "", "stored after the erasure"},
		{subject, "user", "", true, "2026-06-20T00:00:00Z", "of unknown age"},
		{"p1_1_bbbbbbbbbbbbbbbbbbbbbbbbbb", "user", "2026-05-01T00:00:00Z", false, "", "somebody else"},
	} {
		e, ok := l.Erased(tt.subject, tt.category, at(t, tt.stored))
		assert.Equal(t, tt.found, ok, tt.reason)
		if ok {
			assert.Equal(t, tt.at, e.At.Format(time.RFC3339), tt.reason)
		}
	}

	text := l.AppendJSON(nil)
	assert.Equal(t, `{"at":"2026-05-20T00:00:00Z","basis":"request-7","scope":"user","subject":"`+subject+`"}`+"\n"+`{"at":"2026-06-20T00:00:00Z","basis":"request-7","scope":"*","subject":"`+subject+`"}`+"\n", string(text))
	again, err := audit.ReadLedger(bytes.NewReader(text))
	require.NoError(t, err)
	assert.Equal(t, text, again.AppendJSON(nil))
	for _, bad := range []string{"x", "[]", `{"at":7}`, `{"x":"y"}`, `{"at":"` + canary + `"}`, `{"subject":"` + canary + `"}`, string(text) + "{", strings.Repeat("x", 5000)} {
		_, err := audit.ReadLedger(strings.NewReader(bad))
		require.ErrorIs(t, err, audit.ErrLedger)
		assert.NotContains(t, fmt.Sprintf("%+v", err), canary)
	}
}

func TestCertificate(t *testing.T) {
	p := plan(t, "2026-02-05T00:00:00Z", nil)
	r, err := audit.Audit(p, []retention.Copy{retention.Primary, retention.Backup}, []audit.Removal{{Copy: retention.Primary, At: at(t, "2026-02-02T00:00:00Z")}})
	require.NoError(t, err)
	good := audit.Certificate{ID: "cert-1", Subject: subject, Issued: at(t, "2026-02-05T00:00:00Z"), Issuer: "contoso", Policy: "v7", OutOfReach: []string{"customer-extract"}, Plan: p, Report: r}
	text, err := good.AppendJSON([]byte("x"))
	require.NoError(t, err)
	text = text[1:]
	require.NoError(t, audit.Verify(text))
	var doc struct {
		Complete bool
		Copies   []struct{ Copy, Verdict, Difference, Removed string }
		Plan     struct {
			Trail []struct{ Rule, Arithmetic string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	assert.False(t, doc.Complete, "the backup is still there")
	assert.Equal(t, "late", doc.Copies[0].Verdict)
	assert.Equal(t, "PT48H", doc.Copies[0].Difference)
	assert.Equal(t, "end 2026-01-01T00:00:00Z + P10D = 2026-01-11T00:00:00Z", doc.Plan.Trail[0].Arithmetic)
	again, err := good.AppendJSON(nil)
	require.NoError(t, err)
	assert.Equal(t, text, again, "the same bytes")

	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		require.ErrorIs(t, audit.Verify(changed), audit.ErrTampered, "byte %d", i)
	}
	require.ErrorIs(t, audit.Verify(nil), audit.ErrTampered)
	require.ErrorIs(t, audit.Verify(text[:len(text)-1]), audit.ErrTampered)

	for name, change := range map[string]func(*audit.Certificate){
		"subject": func(c *audit.Certificate) { c.Subject = canary },
		"id":      func(c *audit.Certificate) { c.ID = canary + " x" },
		"issuer":  func(c *audit.Certificate) { c.Issuer = "" },
		"issued":  func(c *audit.Certificate) { c.Issued = time.Time{} },
		"policy":  func(c *audit.Certificate) { c.Policy = "a b" },
		"plan":    func(c *audit.Certificate) { c.Plan = nil },
		"trail":   func(c *audit.Certificate) { q := *p; q.Trail = nil; c.Plan = &q },
		"report":  func(c *audit.Certificate) { c.Report = audit.Report{} },
		"reach":   func(c *audit.Certificate) { c.OutOfReach = []string{canary} },
	} {
		bad := good
		change(&bad)
		out, err := bad.AppendJSON([]byte("x"))
		require.ErrorIs(t, err, audit.ErrCertificate, name)
		assert.Equal(t, "x", string(out))
		assert.NotContains(t, err.Error(), canary)
	}
	none, err := audit.Audit(p, nil, nil)
	require.NoError(t, err)
	good.Report = none
	_, err = good.AppendJSON(nil)
	require.ErrorIs(t, err, audit.ErrNothingGone)
}

// FuzzLedger holds that what is read is written again in the same way, and that
// nothing but pseudonyms gets in.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"at":"2026-05-20T00:00:00Z","basis":"request-7","scope":"user","subject":"` + subject + `"}` + "\n"))
	f.Add([]byte(`{"at":"2026-05-20T00:00:00Z","basis":"request-7","scope":"*","subject":"` + canary + `"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := audit.ReadLedger(bytes.NewReader(text))
		if err != nil {
			return
		}
		out := l.AppendJSON(nil)
		require.NotContains(t, string(out), "@")
		again, err := audit.ReadLedger(bytes.NewReader(out))
		require.NoError(t, err)
		require.Equal(t, out, again.AppendJSON(nil))
	})
}
