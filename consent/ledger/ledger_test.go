package ledger_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

const jane = "p1_1_jane" // a pseudonym

var (
	ctx  = context.Background()
	diag = consent.Scope{Purpose: "diagnostic.optional"}
)

func newEngine(t require.TestingT) *consent.Engine {
	e, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "diagnostic.optional"}, {Key: "ads", Mechanism: consent.OptOut, Channels: []string{"email", "sms"}}}})
	require.NoError(t, err)
	return e
}

func appendAll(t require.TestingT, m *ledger.Ledger, events ...ledger.Event) ledger.Head {
	h, err := m.Append(ctx, events...)
	require.NoError(t, err)
	return h
}

func reasonAt(t require.TestingT, m *ledger.Ledger, e *consent.Engine, purpose string, asOf ledger.AsOf) consent.Reason {
	v, err := m.View(ctx, jane, asOf)
	require.NoError(t, err)
	return e.Decide(v, &consent.Request{Purpose: purpose, At: asOf.Valid}).Reason
}

func TestHistory(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct {
		name, reason string
		events       []ledger.Event
		at           int
		purpose      string
		want         consent.Reason
	}{
		{"nothing", "unset", nil, 5, "diagnostic.optional", consent.ReasonConsentUnset},
		{"granted", "from the day on", []ledger.Event{ledger.Granted(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonConsent},
		{"granted later", "not before", []ledger.Event{ledger.Granted(jane, diag, day(2))}, 1, "diagnostic.optional", consent.ReasonConsentUnset},
		{"renewed", "as good as granted", []ledger.Event{ledger.Renewed(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonConsent},
		{"withdrawn", "with what granting took", []ledger.Event{ledger.Granted(jane, diag, day(2)), ledger.Withdrawn(jane, diag, day(3))}, 3, "diagnostic.optional", consent.ReasonWithdrawn},
		{"before it was withdrawn", "as of then", []ledger.Event{ledger.Granted(jane, diag, day(2)), ledger.Withdrawn(jane, diag, day(4))}, 3, "diagnostic.optional", consent.ReasonConsent},
		{"granted again", "a choice can be turned back", []ledger.Event{ledger.Withdrawn(jane, diag, day(2)), ledger.Granted(jane, diag, day(3))}, 3, "diagnostic.optional", consent.ReasonConsent},
		{"order of arrival", "the order of what happened counts", []ledger.Event{ledger.Withdrawn(jane, diag, day(3)), ledger.Granted(jane, diag, day(2))}, 3, "diagnostic.optional", consent.ReasonWithdrawn},
		{"denied", "asked and refused", []ledger.Event{ledger.Denied(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonRefused},
		{"objected", "Art. 21", []ledger.Event{ledger.Objected(jane, consent.Scope{Purpose: "ads"}, day(2))}, 2, "ads", consent.ReasonObjected},
		{"requested", "no answer", []ledger.Event{ledger.Requested(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonConsentUnset},
		{"deferred", "no answer", []ledger.Event{ledger.Granted(jane, diag, day(1)), ledger.Deferred(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonConsent},
		{"invalidated", "never was one", []ledger.Event{ledger.Granted(jane, diag, day(1)), ledger.Invalidated(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonConsentUnset},
		{"terminated", "over", []ledger.Event{ledger.Granted(jane, diag, day(1)), ledger.Terminated(jane, diag, day(2))}, 2, "diagnostic.optional", consent.ReasonConsentUnset},
		{"restricted", "Art. 18", []ledger.Event{ledger.Granted(jane, diag, day(1)), ledger.Restricted(jane, day(2))}, 2, "diagnostic.optional", consent.ReasonRestricted},
		{"released", "until then", []ledger.Event{ledger.Granted(jane, diag, day(1)), ledger.Restricted(jane, day(2)), ledger.Released(jane, day(3))}, 3, "diagnostic.optional", consent.ReasonConsent},
		{"restricted and released at once", "the restriction counts", []ledger.Event{ledger.Granted(jane, diag, day(1)), ledger.Released(jane, day(2)), ledger.Restricted(jane, day(2))}, 2, "diagnostic.optional", consent.ReasonRestricted},
		{"restricted again", "the last word", []ledger.Event{ledger.Restricted(jane, day(1)), ledger.Released(jane, day(2)), ledger.Restricted(jane, day(3))}, 3, "diagnostic.optional", consent.ReasonRestricted},
		{"somebody else", "subjects are apart", []ledger.Event{ledger.Granted("p1_1_john", diag, day(1)), ledger.Restricted("p1_1_john", day(1))}, 2, "diagnostic.optional", consent.ReasonConsentUnset},
	} {
		m := ledger.NewMemory()
		appendAll(t, m, tt.events...)
		assert.Equal(t, tt.want, reasonAt(t, m, e, tt.purpose, ledger.AsOf{Valid: day(tt.at)}), "%s: %s", tt.name, tt.reason)
	}
}

// A withdrawal that arrives late changes what was true then, not what was known.
func TestTwoTimes(t *testing.T) {
	e, m := newEngine(t), ledger.NewMemory()
	appendAll(t, m, ledger.Granted(jane, diag, day(1)))
	late := ledger.Withdrawn(jane, diag, day(3))
	late.Known = day(6)
	appendAll(t, m, late)
	for _, tt := range []struct {
		valid, known int
		want         consent.Reason
		reason       string
	}{
		{2, 0, consent.ReasonConsent, "true then, by all we know"},
		{4, 0, consent.ReasonWithdrawn, "not true then, by all we know"},
		{4, 5, consent.ReasonConsent, "what we knew on the fifth: the basis of what was done"},
		{4, 6, consent.ReasonWithdrawn, "known from the sixth"},
		{7, 5, consent.ReasonConsent, "what we would have said"},
	} {
		asOf := ledger.AsOf{Valid: day(tt.valid)}
		if tt.known > 0 {
			asOf.Known = day(tt.known)
		}
		for range 2 { // the cached view of one question is not the answer to another
			assert.Equal(t, tt.want, reasonAt(t, m, e, "diagnostic.optional", asOf), "valid %d known %d: %s", tt.valid, tt.known, tt.reason)
		}
	}

	back := ledger.Granted(jane, diag, day(7))
	back.Known = day(2)
	appendAll(t, m, back)
	var last ledger.Event
	for ev, err := range m.Events(ctx, jane, ledger.AsOf{}) {
		require.NoError(t, err)
		last = ev
	}
	assert.Equal(t, day(6), last.Known, "what was known at a time does not change afterwards")
	assert.Equal(t, consent.ReasonConsent, reasonAt(t, m, e, "diagnostic.optional", ledger.AsOf{Valid: day(4), Known: day(5)}), "nor does the answer as known then")
}

func TestFutureEventsBoundTheDecision(t *testing.T) {
	e, m := newEngine(t), ledger.NewMemory()
	soon := ledger.Withdrawn(jane, diag, day(9))
	soon.Known = day(2)
	appendAll(t, m, ledger.Granted(jane, diag, day(1)), soon)
	v, err := m.View(ctx, jane, ledger.AsOf{Valid: day(3)})
	require.NoError(t, err)
	d := e.Decide(v, &consent.Request{Purpose: "diagnostic.optional", At: day(3)})
	assert.True(t, d.Allowed())
	assert.Equal(t, day(9), d.NotAfter, "the ledger knows of a change to come")
	assert.Equal(t, consent.ReasonWithdrawn, reasonAt(t, m, e, "diagnostic.optional", ledger.AsOf{Valid: day(9)}), "the cached view ends there")
	assert.Equal(t, consent.ReasonConsent, reasonAt(t, m, e, "diagnostic.optional", ledger.AsOf{Valid: day(8)}), "and the one before it comes back")
}

func TestClaims(t *testing.T) {
	e, m := newEngine(t), ledger.NewMemory()
	ask := func(at time.Time) consent.Reason {
		v, err := m.View(ctx, jane, ledger.AsOf{Valid: at})
		require.NoError(t, err)
		return e.Decide(v, &consent.Request{Purpose: "diagnostic.optional", Claim: "batch", Qualifier: consent.Aggregated, At: at}).Reason
	}
	appendAll(t, m, ledger.Claimed(jane, consent.Claim{ID: "batch", Result: consent.Aggregate, CheckedAt: day(2), Expires: day(8)}))
	assert.Equal(t, consent.ReasonConsentUnset, ask(day(1)))
	assert.Equal(t, consent.ReasonNotPersonal, ask(day(2)))
	appendAll(t, m, ledger.Claimed(jane, consent.Claim{ID: "batch", Result: consent.Linkable, CheckedAt: day(4)}))
	assert.Equal(t, consent.ReasonNotPersonal, ask(day(3)), "as of then")
	assert.Equal(t, consent.ReasonConsentUnset, ask(day(5)), "a later check with the same id replaces the earlier")
}

func TestAppending(t *testing.T) {
	m := ledger.NewMemory()
	h, err := m.Head(ctx)
	require.NoError(t, err)
	assert.Equal(t, ledger.Head{Root: sha256.Sum256(nil)}, h, "the root of an empty tree (RFC 6962, section 2.1)")

	grant := ledger.Granted(jane, diag, day(1))
	first := appendAll(t, m, grant)
	assert.EqualValues(t, 1, first.Seq)
	assert.Equal(t, first, appendAll(t, m, grant, grant), "recorded already: nothing happens")
	late := grant
	late.Known = day(5)
	assert.Equal(t, first, appendAll(t, m, late), "the same, learned again")
	assert.EqualValues(t, 2, appendAll(t, m, ledger.Granted(jane, diag, day(2))).Seq, "another instant is another event")
	other := ledger.Granted(jane, diag, day(2))
	other.Evidence = "letter 4"
	assert.EqualValues(t, 3, appendAll(t, m, other).Seq, "another proof of the same is another event")

	named := ledger.Withdrawn(jane, diag, day(3))
	named.ID = "evt-1"
	fourth := appendAll(t, m, named, named)
	assert.EqualValues(t, 4, fourth.Seq)
	assert.Equal(t, fourth, appendAll(t, m, named), "a retry")
	other = named
	other.Valid = day(4)
	_, err = m.Append(ctx, ledger.Granted(jane, diag, day(5)), other)
	var wrong *ledger.EventError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, 1, wrong.Index)
	assert.EqualError(t, err, "ledger: event 1: id: belongs to another event: give each event an id of its own, or none")
	other = named
	other.Subject = "p1_1_john"
	_, err = m.Append(ctx, other)
	require.ErrorAs(t, err, &wrong, "of another subject: told without opening it")
	h, err = m.Head(ctx)
	require.NoError(t, err)
	assert.Equal(t, fourth, h, "all events or none")
	one, two := named, other
	one.ID, two.ID = "evt-2", "evt-2"
	_, err = m.Append(ctx, one, two)
	require.ErrorAs(t, err, &wrong, "two of one call may not share an id either")

	taken := ledger.Restricted("p1_1_john", day(1))
	taken.ID = "e6"
	appendAll(t, m, taken, ledger.Restricted("p1_1_jim", day(1)))
	var ids []string
	for ev, err := range m.Events(ctx, "p1_1_jim", ledger.AsOf{}) {
		require.NoError(t, err)
		ids = append(ids, ev.ID)
	}
	assert.Equal(t, []string{"e6-"}, ids, "the ledger steers clear of ids that callers chose")
	taken = ledger.Restricted("p1_1_john", day(2))
	taken.ID = "e8"
	appendAll(t, m, taken)
	assert.EqualValues(t, 8, appendAll(t, m, ledger.Restricted("p1_1_jim", day(2))).Seq, "and of those that were recorded before")

	_, err = m.AppendAfter(ctx, h, ledger.Granted(jane, diag, day(9)))
	require.ErrorIs(t, err, ledger.ErrConflict, "the log has moved on")
	h, err = m.Head(ctx)
	require.NoError(t, err)
	forged := h
	forged.Root[0] ^= 1
	_, err = m.AppendAfter(ctx, forged, ledger.Granted(jane, diag, day(9)))
	require.ErrorIs(t, err, ledger.ErrConflict, "the same length, but another log")
	next, err := m.AppendAfter(ctx, h, ledger.Granted(jane, diag, day(9)))
	require.NoError(t, err)
	assert.Equal(t, h.Seq+1, next.Seq)
	next2, err := m.Append(ctx)
	require.NoError(t, err)
	assert.Equal(t, next, next2, "nothing to append")
	_, err = m.Append(ctx, make([]ledger.Event, ledger.MaxEvents+1)...)
	require.ErrorIs(t, err, ledger.ErrTooMany)
	verifies(t, m)
}

// verifies runs the whole verification.
func verifies(t require.TestingT, l *ledger.Ledger) ledger.Report {
	r, err := l.Verify(ctx, ledger.Checks{})
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	return r
}

func TestEventErrors(t *testing.T) {
	base := ledger.Granted(jane, diag, day(1))
	claim := ledger.Claimed(jane, consent.Claim{ID: "c", Result: consent.Linked, CheckedAt: day(1)})
	long := strings.Repeat("x", 257)
	for _, tt := range []struct {
		part, reason string
		from         ledger.Event
		change       func(*ledger.Event)
	}{
		{"subject", "whose", base, func(e *ledger.Event) { e.Subject = "" }},
		{"subject", "bounded", base, func(e *ledger.Event) { e.Subject = long }},
		{"valid", "when", base, func(e *ledger.Event) { e.Valid = time.Time{} }},
		{"state", "unknown kind", base, func(e *ledger.Event) { e.Kind = "" }},
		{"purpose", "malformed", base, func(e *ledger.Event) { e.Scope.Purpose = "a b" }},
		{"operation", "unknown", base, func(e *ledger.Event) { e.Scope.Operation = "fly" }},
		{"strength", "unknown", base, func(e *ledger.Event) { e.Strength = "firm" }},
		{"expires", "not after", base, func(e *ledger.Event) { e.Expires = e.Valid }},
		{"expires", "a refusal does not end by itself", ledger.Denied(jane, diag, day(1)), func(e *ledger.Event) { e.Expires = day(2) }},
		{"id", "printed as evidence", base, func(e *ledger.Event) { e.ID = "a b" }},
		{"id", "printed as evidence", claim, func(e *ledger.Event) { e.ID = "a b" }},
		{"id", "printed as evidence", ledger.Restricted(jane, day(1)), func(e *ledger.Event) { e.ID = "a b" }},
		{"id", "printed as evidence", ledger.Merged(jane, "d", day(1)), func(e *ledger.Event) { e.ID = "a b" }},
		{"notice", "bounded", base, func(e *ledger.Event) { e.Notice.ID = long }},
		{"notice", "bounded", base, func(e *ledger.Event) { e.Notice.Version = long }},
		{"by", "unknown", base, func(e *ledger.Event) { e.By = "admin" }},
		{"kind", "would be ignored", ledger.Restricted(jane, day(1)), func(e *ledger.Event) { e.AfterConflict = true }},
		{"method", "bounded", base, func(e *ledger.Event) { e.Method = long }},
		{"evidence", "bounded", base, func(e *ledger.Event) { e.Evidence = strings.Repeat(long, 64) }},
		{"evidence", "bounded", base, func(e *ledger.Event) { e.Note = strings.Repeat(long, 64) }},
		{"kind", "only Erase does", base, func(e *ledger.Event) { *e = ledger.Event{Subject: jane, Kind: ledger.KindErased, Valid: day(1)} }},
		{"kind", "only Erase does", base, func(e *ledger.Event) { e.Why = ledger.OnRequest }},
		{"kind", "only Erase does", base, func(e *ledger.Event) { e.Dropped = 1 }},
		{"kind", "the ledger does", base, func(e *ledger.Event) { *e = ledger.Merged(jane, "d", day(1)); e.Kind = ledger.KindMergedInto }},
		{"merged", "with whom", ledger.Merged(jane, "", day(1)), func(*ledger.Event) {}},
		{"merged", "with itself", ledger.Merged(jane, jane, day(1)), func(*ledger.Event) {}},
		{"merged", "bounded", ledger.Merged(jane, long, day(1)), func(*ledger.Event) {}},
		{"merged", "would be ignored", base, func(e *ledger.Event) { e.Merged = "d" }},
		{"kind", "would be ignored", ledger.Merged(jane, "d", day(1)), func(e *ledger.Event) { e.Scope.Purpose = "p" }},
		{"kind", "would be ignored", ledger.Restricted(jane, day(1)), func(e *ledger.Event) { e.Text[0] = 1 }},
		{"kind", "would be ignored", base, func(e *ledger.Event) { e.Claim = "c" }},
		{"kind", "would be ignored", base, func(e *ledger.Event) { e.LiveKey = true }},
		{"kind", "would be ignored", claim, func(e *ledger.Event) { e.Scope.Purpose = "p" }},
		{"kind", "would be ignored", claim, func(e *ledger.Event) { e.Strength = consent.Explicit }},
		{"kind", "would be ignored", ledger.Restricted(jane, day(1)), func(e *ledger.Event) { e.Scope.Purpose = "p" }},
		{"kind", "would be ignored", ledger.Restricted(jane, day(1)), func(e *ledger.Event) { e.Expires = day(2) }},
		{"id", "a claim has one", claim, func(e *ledger.Event) { e.Claim = "" }},
		{"result", "unknown", claim, func(e *ledger.Event) { e.Result = "fine" }},
	} {
		m := ledger.NewMemory()
		ev := tt.from
		tt.change(&ev)
		_, err := m.Append(ctx, base, ev)
		var wrong *ledger.EventError
		if assert.ErrorAs(t, err, &wrong, "%s: %s", tt.part, tt.reason) {
			assert.Equal(t, tt.part, wrong.Part, tt.reason)
			assert.Equal(t, 1, wrong.Index)
		}
		h, err := m.Head(ctx)
		require.NoError(t, err)
		assert.Zero(t, h.Seq, "nothing was written")
	}
}

func TestContextAndTime(t *testing.T) {
	m := ledger.NewMemory()
	_, err := m.View(ctx, jane, ledger.AsOf{})
	require.ErrorIs(t, err, ledger.ErrNoTime)
	appendAll(t, m, ledger.Granted(jane, diag, day(1)), ledger.Granted(jane, diag, day(2)))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = m.Append(ended, ledger.Granted(jane, diag, day(3)))
	require.ErrorIs(t, err, context.Canceled)
	_, err = m.AppendAfter(ended, ledger.Head{}, ledger.Granted(jane, diag, day(3)))
	require.ErrorIs(t, err, context.Canceled)
	_, err = m.View(ended, jane, ledger.AsOf{Valid: day(1)})
	require.ErrorIs(t, err, context.Canceled)
	_, err = m.Head(ended)
	require.ErrorIs(t, err, context.Canceled)
	n := 0
	for _, err := range m.Events(ended, jane, ledger.AsOf{}) {
		require.ErrorIs(t, err, context.Canceled)
		n++
	}
	assert.Equal(t, 1, n)
	for range m.Events(ctx, jane, ledger.AsOf{}) {
		break // stopping early is allowed
	}
	n = 0
	for range m.Events(ctx, jane, ledger.AsOf{Valid: day(1)}) {
		n++
	}
	assert.Equal(t, 1, n, "bounds hold")
}

// What callers keep and what they are given is not the ledger's.
func TestEventsAreCopied(t *testing.T) {
	m := ledger.NewMemory()
	ev := ledger.Granted(jane, consent.Scope{Purpose: "diagnostic.optional", Operation: consent.OpShare, Recipient: "shop", Attributes: []string{"name"}}, day(1))
	appendAll(t, m, ev)
	ev.Scope.Attributes[0] = "changed"
	for range 2 {
		for got, err := range m.Events(ctx, jane, ledger.AsOf{}) {
			require.NoError(t, err)
			assert.Equal(t, []string{"name"}, got.Scope.Attributes)
			got.Scope.Attributes[0] = "changed"
		}
	}
}

// The view of the ledger is the view of its events, in any order of arrival, cached
// or not; and a refusal appended never widens a decision.
func TestViewAgainstEvents(t *testing.T) {
	e := newEngine(t)
	scopes := []consent.Scope{diag, {Purpose: "diagnostic"}, {Purpose: "ads"}, {Purpose: "ads", Channel: "email"}}
	makers := []func(string, consent.Scope, time.Time) ledger.Event{
		ledger.Granted, ledger.Granted, ledger.Renewed, ledger.Withdrawn, ledger.Denied, ledger.Objected, ledger.Requested, ledger.Deferred, ledger.Invalidated, ledger.Terminated,
	}
	rapid.Check(t, func(t *rapid.T) {
		m := ledger.NewMemory()
		var all []ledger.Event
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			at := day(rapid.IntRange(1, 9).Draw(t, "valid"))
			ev := rapid.SampledFrom(makers).Draw(t, "maker")(jane, rapid.SampledFrom(scopes).Draw(t, "scope"), at)
			switch rapid.IntRange(0, 9).Draw(t, "odd") {
			case 7:
				ev = ledger.Restricted(jane, at)
			case 8:
				ev = ledger.Released(jane, at)
			case 9:
				ev.Known = at.Add(72 * time.Hour)
			}
			all = append(all, ev)
			appendAll(t, m, ev)
			if rapid.Bool().Draw(t, "look") { // fill the cache on the way
				_, err := m.View(ctx, jane, ledger.AsOf{Valid: day(rapid.IntRange(1, 12).Draw(t, "then"))})
				require.NoError(t, err)
			}
		}
		other := ledger.NewMemory()
		appendAll(t, other, rapid.Permutation(all).Draw(t, "order")...)
		for n := 1; n <= 12; n++ {
			for _, p := range []string{"diagnostic.optional", "ads"} {
				at := ledger.AsOf{Valid: day(n)}
				got := reasonAt(t, m, e, p, at)
				require.Equal(t, got, reasonAt(t, other, e, p, at), "order of arrival")
				require.Equal(t, slowReason(all, p, n), got, "%s on day %d", p, n)
				bounded := ledger.AsOf{Valid: day(n), Known: day(30)}
				require.Equal(t, got, reasonAt(t, m, e, p, bounded), "a bound after everything is no bound")
			}
		}
	})
}

// slowReason replays the events one by one.
func slowReason(all []ledger.Event, purpose string, n int) consent.Reason {
	list := slices.Clone(all)
	rank := func(k ledger.Kind) int {
		return slices.Index([]ledger.Kind{ledger.KindReleased, ledger.KindRestricted, ledger.KindGranted, ledger.KindInvalidated, ledger.KindDenied, ledger.KindWithdrawn, ledger.KindObjected}, plain(k))
	}
	slices.SortStableFunc(list, func(a, b ledger.Event) int {
		return cmp.Or(a.Valid.Compare(b.Valid), cmp.Compare(rank(a.Kind), rank(b.Kind)))
	})
	state := map[[2]string]ledger.Kind{}
	restricted := false
	for _, ev := range list {
		if ev.Valid.After(day(n)) {
			continue
		}
		switch k := plain(ev.Kind); k {
		case ledger.KindRestricted, ledger.KindReleased:
			restricted = k == ledger.KindRestricted
		case ledger.KindRequested, ledger.KindDeferred:
		default:
			state[[2]string{ev.Scope.Purpose, ev.Scope.Channel}] = k
		}
	}
	if restricted {
		return consent.ReasonRestricted
	}
	keys := [][2]string{{"diagnostic.optional", ""}, {"diagnostic", ""}}
	if purpose == "ads" {
		keys = [][2]string{{"ads", ""}, {"ads", "email"}}
	}
	var worst consent.Reason
	for i, group := range [][][2]string{keys[:1], keys[1:]} {
		if purpose == "ads" { // one key with two scopes, not two keys
			if i > 0 {
				break
			}
			group = keys
		}
		for _, k := range []struct {
			kind   ledger.Kind
			reason consent.Reason
		}{{ledger.KindObjected, consent.ReasonObjected}, {ledger.KindWithdrawn, consent.ReasonWithdrawn}, {ledger.KindDenied, consent.ReasonRefused}} {
			for _, key := range group {
				if state[key] == k.kind && worst == "" {
					worst = k.reason
				}
			}
		}
	}
	switch {
	case worst != "":
		return worst
	case purpose == "ads":
		return consent.ReasonOptOutDefault
	case state[keys[0]] == ledger.KindGranted:
		return consent.ReasonConsent
	}
	return consent.ReasonConsentUnset
}

func plain(k ledger.Kind) ledger.Kind {
	switch k {
	case ledger.KindRenewed:
		return ledger.KindGranted
	case ledger.KindTerminated:
		return ledger.KindInvalidated
	}
	return k
}

// Appending and looking at the same time is safe, and nothing gets lost.
func TestConcurrentUse(t *testing.T) {
	e, m := newEngine(t), ledger.NewMemory()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 50 {
				at := day(1).Add(time.Duration(w*1000+i) * time.Second)
				ev := ledger.Granted(jane, diag, at)
				if i%2 == 1 {
					ev = ledger.Withdrawn(jane, diag, at)
				}
				if _, err := m.Append(ctx, ev); err != nil {
					t.Error(err)
				}
				v, err := m.View(ctx, jane, ledger.AsOf{Valid: day(2)})
				if err != nil {
					t.Error(err)
				}
				e.Decide(v, &consent.Request{Purpose: "diagnostic.optional", At: day(2)})
				for range m.Events(ctx, jane, ledger.AsOf{}) {
				}
			}
		})
	}
	wg.Wait()
	h, err := m.Head(ctx)
	require.NoError(t, err)
	assert.Equal(t, uint64(400), h.Seq)
	seq := uint64(0)
	for ev, err := range m.Events(ctx, jane, ledger.AsOf{}) {
		require.NoError(t, err)
		seq++
		assert.Equal(t, seq, ev.Seq)
	}
	assert.Equal(t, consent.ReasonWithdrawn, reasonAt(t, m, e, "diagnostic.optional", ledger.AsOf{Valid: day(2)}), "the last event of the last worker")
}

func TestRepeatedLookupsAllocateNothing(t *testing.T) {
	e, m := newEngine(t), ledger.NewMemory()
	appendAll(t, m, ledger.Granted(jane, diag, day(1)))
	req := &consent.Request{Purpose: "diagnostic.optional", At: day(2)}
	now := day(2)
	for _, subject := range []string{jane, "p1_1_nobody"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			now = now.Add(time.Second)
			v, err := m.View(ctx, subject, ledger.AsOf{Valid: now})
			if err != nil {
				t.Fatal(err)
			}
			req.At = now
			e.Decide(v, req)
		}), "time goes on, nothing was appended")
	}
}

// Nothing that an event contains comes out of an error.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	m := ledger.NewMemory()
	full := ledger.Event{
		Subject: canary, Kind: ledger.KindGranted, Valid: day(1), Strength: consent.Expressed, Notice: consent.NoticeRef{ID: canary, Version: canary},
		Scope: consent.Scope{Purpose: "p", Operation: consent.OpShare, Channel: canary, Recipient: canary, Service: canary, Attributes: []string{canary}},
	}
	var texts []string
	for _, change := range []func(*ledger.Event){
		func(e *ledger.Event) { e.ID = canary },
		func(e *ledger.Event) { e.Kind = canary },
		func(e *ledger.Event) { e.Subject = strings.Repeat(canary, 20) },
		func(e *ledger.Event) { e.Valid = time.Time{} },
		func(e *ledger.Event) { e.Scope.Purpose = canary },
		func(e *ledger.Event) { e.Scope.Operation = canary },
		func(e *ledger.Event) { e.Scope.Origins = []consent.Origin{{Class: canary}} },
		func(e *ledger.Event) { e.Scope.From = canary },
		func(e *ledger.Event) { e.Strength = canary },
		func(e *ledger.Event) { e.Claim = canary },
		func(e *ledger.Event) { e.Kind, e.Result = ledger.KindClaim, canary },
		func(e *ledger.Event) { e.Kind = ledger.KindErased },
		func(e *ledger.Event) {
			*e = ledger.Claimed(canary, consent.Claim{ID: canary, Result: consent.Linked, CheckedAt: day(1)})
		},
		func(e *ledger.Event) {
			*e = ledger.Claimed(canary, consent.Claim{ID: "c", Result: canary, CheckedAt: day(1)})
		},
	} {
		ev := full
		change(&ev)
		_, err := m.Append(ctx, ev)
		require.Error(t, err)
		texts = append(texts, err.Error(), fmt.Sprintf("%v %+v", err, err))
	}
	first, second := full, full
	first.ID, second.ID, second.Subject = "x", "x", canary+"2"
	_, err := m.Append(ctx, first, second)
	require.Error(t, err)
	texts = append(texts, err.Error())
	_, err = m.View(ctx, canary, ledger.AsOf{})
	require.Error(t, err)
	texts = append(texts, err.Error())

	appendAll(t, m, full)
	e, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}}})
	require.NoError(t, err)
	v, err := m.View(ctx, canary, ledger.AsOf{Valid: day(2)})
	require.NoError(t, err)
	d := e.Decide(v, &consent.Request{Purpose: "p", Share: consent.Share{Recipient: canary, Attributes: []string{canary}}, Channel: canary, At: day(2)})
	require.True(t, d.Allowed(), "the event was recorded and counts")
	require.NotEmpty(t, d.Evidence)
	texts = append(texts, d.Explain(), string(d.AppendJSON(nil)))

	// All that is printed of the ledger and its parts, and every error of what can
	// go wrong later.
	store, keys := &plainStore{}, ledger.NewMemoryKeys()
	l := open(t, store, keys)
	rest := full
	rest.Method, rest.Evidence, rest.Note = canary, canary, canary
	rest.Notice = consent.NoticeRef{}
	appendAll(t, l, rest, ledger.Merged(canary, canary+"2", day(2)))
	opening, err := l.Open(ctx, canary, "e1")
	require.NoError(t, err)
	secret, err := keys.Secret(ctx)
	require.NoError(t, err)
	for _, it := range []any{l, m, keys, ledger.NewMemoryStore(), opening, secret, []ledger.Key{secret}} {
		texts = append(texts, fmt.Sprint(it), fmt.Sprintf("%+v %#v %s %x %d", it, it, it, it, it))
	}
	secretText, err := secret.MarshalText()
	require.NoError(t, err)
	texts = append(texts, string(secretText))
	assert.NotContains(t, strings.Join(texts, ""), hex.EncodeToString(secret[:4]))
	assert.NotContains(t, strings.Join(texts, ""), fmt.Sprint([]byte(secret[:3])))
	proof, err := l.Prove(ctx, "e1")
	require.NoError(t, err)
	text, err := proof.MarshalJSON()
	require.NoError(t, err)
	texts = append(texts, string(text), string(proof.Envelope))
	for i := range store.entries {
		texts = append(texts, string(store.entries[i].Envelope), string(store.entries[i].Sealed))
	}
	broken := store.copyOf()
	broken.entries[0].Sealed[40] ^= 1
	_, err = open(t, broken, keys).View(ctx, canary, ledger.AsOf{Valid: day(3)})
	require.Error(t, err)
	texts = append(texts, fmt.Sprintf("%v %+v", err, err))
	report, err := open(t, broken, keys).Verify(ctx, ledger.Checks{})
	require.NoError(t, err)
	require.NotEmpty(t, report.Problems)
	for _, p := range report.Problems {
		texts = append(texts, fmt.Sprintf("%v %+v", p, *p))
	}
	_, err = l.Erase(ctx, canary, day(9), ledger.OnRequest)
	require.NoError(t, err)
	_, err = l.Append(ctx, rest)
	require.ErrorIs(t, err, ledger.ErrErased)
	texts = append(texts, err.Error())
	_, err = l.Prove(ctx, canary)
	require.Error(t, err)
	texts = append(texts, err.Error())

	require.Greater(t, len(texts), 30)
	for _, s := range texts {
		assert.NotContains(t, s, "canary")
	}
}

func ExampleNewMemory() {
	log := ledger.NewMemory()
	subject := "p1_1_4HkY" // a pseudonym, never an address
	newsletter := consent.Scope{Purpose: "newsletter"}
	monday := time.Date(2026, 3, 23, 9, 0, 0, 0, time.UTC)
	friday := monday.Add(4 * 24 * time.Hour)

	if _, err := log.Append(ctx, ledger.Granted(subject, newsletter, monday), ledger.Withdrawn(subject, newsletter, friday)); err != nil {
		panic(err)
	}
	engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "newsletter"}}})
	if err != nil {
		panic(err)
	}
	for _, at := range []time.Time{monday, friday} {
		view, err := log.View(ctx, subject, ledger.AsOf{Valid: at})
		if err != nil {
			panic(err)
		}
		d := engine.Decide(view, &consent.Request{Purpose: "newsletter", At: at})
		fmt.Println(at.Format(time.DateOnly), d.Outcome, d.Reason, d.Evidence)
	}
	// Output:
	// 2026-03-23 allow CONSENT [{consent e1}]
	// 2026-03-27 deny WITHDRAWN [{consent e2}]
}

func ExampleLedger_Events() {
	log := ledger.NewMemory()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	late := ledger.Withdrawn("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, day.Add(24*time.Hour))
	late.Known = day.Add(7 * 24 * time.Hour) // the letter lay in the post
	if _, err := log.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, day), late); err != nil {
		panic(err)
	}
	for event, err := range log.Events(ctx, "p1_1_4HkY", ledger.AsOf{}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(event.Seq, event.Kind, event.Valid.Format(time.DateOnly), "known", event.Known.Format(time.DateOnly))
	}
	// Output:
	// 1 granted 2026-03-01 known 2026-03-01
	// 2 withdrawn 2026-03-02 known 2026-03-08
}
