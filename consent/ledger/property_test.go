package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

var people = []string{"jane", "john", "jim"}

// drawEvent makes an event of one of a few subjects.
func drawEvent(t *rapid.T, merges bool) ledger.Event {
	scopes := []consent.Scope{diag, {Purpose: "diagnostic"}, {Purpose: "ads"}, {Purpose: "ads", Channel: "email"}}
	makers := []func(string, consent.Scope, time.Time) ledger.Event{
		ledger.Granted, ledger.Granted, ledger.Granted, ledger.Renewed, ledger.Withdrawn, ledger.Denied, ledger.Objected, ledger.Requested, ledger.Invalidated, ledger.Terminated,
	}
	who, at := rapid.SampledFrom(people).Draw(t, "who"), day(rapid.IntRange(1, 9).Draw(t, "valid"))
	ev := rapid.SampledFrom(makers).Draw(t, "maker")(who, rapid.SampledFrom(scopes).Draw(t, "scope"), at)
	switch rapid.IntRange(0, 11).Draw(t, "odd") {
	case 7:
		ev = ledger.Restricted(who, at)
	case 8:
		ev = ledger.Released(who, at)
	case 9:
		ev = ledger.Claimed(who, consent.Claim{ID: "c", Result: rapid.SampledFrom([]consent.Result{consent.Aggregate, consent.Linked}).Draw(t, "result"), CheckedAt: at})
	case 10, 11:
		if merges {
			if other := rapid.SampledFrom(people).Draw(t, "from"); other != who {
				ev = ledger.Merged(who, other, at)
			}
		}
	}
	if rapid.Bool().Draw(t, "late") {
		ev.Known = at.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "by")) * 24 * time.Hour)
	}
	return ev
}

// answers are the decisions about everybody at every instant, as known at another.
func answers(t require.TestingT, l *ledger.Ledger, e *consent.Engine, known time.Time, whose ...string) map[string]string {
	out := map[string]string{}
	for _, who := range whose {
		for n := 1; n <= 10; n++ {
			v, err := l.View(ctx, who, ledger.AsOf{Valid: day(n), Known: known})
			require.NoError(t, err)
			for _, p := range []string{"diagnostic.optional", "ads"} {
				d := e.Decide(v, &consent.Request{Purpose: p, At: day(n), Claim: "c", Qualifier: consent.Aggregated})
				out[fmt.Sprint(who, n, p)] = fmt.Sprint(d.Outcome, d.Reason, d.Evidence, d.NotAfter)
			}
		}
	}
	return out
}

// Replaying the events in another store gives the same answers, whatever the store
// does and however little of it is kept ready.
func TestReplay(t *testing.T) {
	e := newEngine(t)
	rapid.Check(t, func(t *rapid.T) {
		first := ledger.NewMemory()
		retrying := &plainStore{retry: true}
		others := []*ledger.Ledger{
			open(t, &plainStore{}, ledger.NewMemoryKeys()), open(t, retrying, ledger.NewMemoryKeys()),
			ledger.NewMemory(ledger.WithCache(1)),
		}
		for range rapid.IntRange(1, 15).Draw(t, "events") {
			ev := drawEvent(t, true)
			head := appendAll(t, first, ev)
			for _, l := range others {
				require.Equal(t, head.Seq, appendAll(t, l, ev).Seq)
			}
			if rapid.Bool().Draw(t, "look") { // fill what is kept ready on the way
				answers(t, first, e, time.Time{}, people...)
			}
		}
		erased := rapid.SampledFrom(append([]string{""}, people...)).Draw(t, "erased")
		for _, l := range append([]*ledger.Ledger{first}, others...) {
			if erased != "" {
				_, err := l.Erase(ctx, erased, day(9), ledger.OnRequest)
				require.NoError(t, err)
			}
			verifies(t, l)
		}
		for _, known := range []time.Time{{}, day(5)} {
			want := answers(t, first, e, known, people...)
			require.Equal(t, want, answers(t, first, e, known, people...), "asked again")
			for _, l := range others {
				require.Equal(t, want, answers(t, l, e, known, people...))
			}
		}
		var all []ledger.Event
		for _, who := range people {
			for ev, err := range first.Events(ctx, who, ledger.AsOf{}) {
				require.NoError(t, err)
				all = append(all, ev)
			}
		}
		if erased != "" {
			return
		}
		// What Events gives is enough to record the history anew.
		slices.SortFunc(all, func(a, b ledger.Event) int { return int(a.Seq) - int(b.Seq) })
		again := ledger.NewMemory()
		for _, ev := range all {
			if ev.Kind == ledger.KindMergedInto {
				continue // comes with the merge
			}
			ev.ID = ""
			appendAll(t, again, ev)
		}
		require.Equal(t, answers(t, first, e, time.Time{}, people...), answers(t, again, e, time.Time{}, people...))
	})
}

// An answer as of an instant never changes by what is recorded later, unless it is
// dated earlier; an answer as known at an instant never changes at all.
func TestAsOfNeverChanges(t *testing.T) {
	e := newEngine(t)
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.NewMemory()
		appendAll(t, l, ledger.Requested("jane", diag, day(1)))
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			appendAll(t, l, drawEvent(t, true))
		}
		then := rapid.IntRange(1, 9).Draw(t, "then")
		ask := func(known time.Time) (out []string) {
			for _, who := range people {
				v, err := l.View(ctx, who, ledger.AsOf{Valid: day(then), Known: known})
				require.NoError(t, err)
				for _, p := range []string{"diagnostic.optional", "ads"} {
					d := e.Decide(v, &consent.Request{Purpose: p, At: day(then)})
					out = append(out, fmt.Sprint(d.Outcome, d.Reason, d.Evidence))
				}
			}
			return out
		}
		known := day(rapid.IntRange(1, 9).Draw(t, "known"))
		before, knew := ask(time.Time{}), ask(known)
		sameNow := true
		for range rapid.IntRange(1, 6).Draw(t, "more") {
			ev := drawEvent(t, true)
			ev.Known = later(ev.Known, known.Add(1))
			sameNow = sameNow && ev.Valid.After(day(then))
			appendAll(t, l, ev)
		}
		require.Equal(t, knew, ask(known), "what was known then")
		if sameNow {
			require.Equal(t, before, ask(time.Time{}), "nothing was dated earlier")
		}
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Erasing one subject changes no answer about another, unless the two were merged,
// and the proofs of its events hold.
func TestEraseLeavesOthers(t *testing.T) {
	e := newEngine(t)
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.NewMemory()
		if rapid.Bool().Draw(t, "shared") {
			l = open(t, &plainStore{}, ledger.NewMemoryKeys())
		}
		appendAll(t, l, ledger.Granted("jane", diag, day(1)))
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			appendAll(t, l, drawEvent(t, false))
		}
		var last ledger.Event
		for ev, err := range l.Events(ctx, "jane", ledger.AsOf{}) {
			require.NoError(t, err)
			last = ev
		}
		old, err := l.Prove(ctx, last.ID)
		require.NoError(t, err)
		want := answers(t, l, e, time.Time{}, "john", "jim")
		event, err := l.Erase(ctx, "jane", day(9), ledger.OnRequest)
		require.NoError(t, err)
		require.Equal(t, want, answers(t, l, e, time.Time{}, "john", "jim"))
		for n := 1; n <= 10; n++ {
			require.Equal(t, consent.ReasonErased, reasonOf(t, l, e, "jane", n))
		}
		for range l.Events(ctx, "jane", ledger.AsOf{}) {
			require.Fail(t, "an erased subject has no events")
		}
		p, err := l.Prove(ctx, last.ID)
		require.NoError(t, err)
		v, err := p.Check()
		require.NoError(t, err)
		require.Equal(t, last.Kind, v.Kind)
		require.Equal(t, old.Envelope, p.Envelope, "the same event as before")
		c, err := l.ProveConsistency(ctx, old.Head)
		require.NoError(t, err)
		require.NoError(t, c.Check())
		require.Equal(t, c.New, p.Head)
		require.EqualValues(t, event.Dropped, verifies(t, l).Erased)
	})
}

func reasonOf(t require.TestingT, l *ledger.Ledger, e *consent.Engine, who string, n int) consent.Reason {
	v, err := l.View(ctx, who, ledger.AsOf{Valid: day(n)})
	require.NoError(t, err)
	return e.Decide(v, &consent.Request{Purpose: "diagnostic.optional", At: day(n)}).Reason
}

// At the instant of a merge nothing is permitted that either side had refused, and
// nothing that neither side had permitted; answers given later count as ever, and
// both histories are kept.
func TestMergeIsNeverMorePermissive(t *testing.T) {
	e := newEngine(t)
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.NewMemory()
		for range rapid.IntRange(0, 12).Draw(t, "events") {
			ev := drawEvent(t, false)
			if ev.Kind == ledger.KindClaim {
				continue
			}
			appendAll(t, l, ev)
		}
		at := rapid.IntRange(1, 9).Draw(t, "at")
		outcome := func(who, p string, n int) consent.Outcome {
			v, err := l.View(ctx, who, ledger.AsOf{Valid: day(n)})
			require.NoError(t, err)
			return e.Decide(v, &consent.Request{Purpose: p, Channel: "email", At: day(n)}).Outcome
		}
		count := func(who string) (n int) {
			for range l.Events(ctx, who, ledger.AsOf{}) {
				n++
			}
			return n
		}
		purposes := []string{"diagnostic.optional", "ads"}
		before := map[string][2]consent.Outcome{}
		for _, p := range purposes {
			before[p] = [2]consent.Outcome{outcome("jane", p, at), outcome("john", p, at)}
		}
		jane, john := count("jane"), count("john")
		appendAll(t, l, ledger.Merged("jane", "john", day(at)))
		require.Equal(t, jane+1, count("jane"))
		require.Equal(t, john+1, count("john"))
		for _, p := range purposes {
			got, was := outcome("jane", p, at), before[p]
			require.LessOrEqual(t, got, max(was[0], was[1]), "%s: %v merged to %v", p, was, got)
			if min(was[0], was[1]) == consent.Deny {
				require.Equal(t, consent.Deny, got, "%s: one side had refused", p)
			}
			require.Equal(t, was[1], outcome("john", p, at), "the history of the other side stays its own")
		}
		// A late refusal of the other side, dated no later than the merge, reaches through it.
		appendAll(t, l, ledger.Objected("john", consent.Scope{Purpose: "ads"}, day(at)))
		require.Equal(t, consent.Deny, outcome("jane", "ads", at))
		appendAll(t, l, ledger.Released("jane", day(10)), ledger.Granted("jane", diag, day(10)), ledger.Granted("jane", consent.Scope{Purpose: "diagnostic"}, day(10)))
		require.Equal(t, consent.Allow, outcome("jane", "diagnostic.optional", 10), "who is asked anew may consent anew")
		// Of a side that was erased nobody knows what it refused.
		_, err := l.Erase(ctx, "john", day(10), ledger.OnRequest)
		require.NoError(t, err)
		require.NotEqual(t, consent.Allow, outcome("jane", "diagnostic.optional", at))
		require.Equal(t, consent.Allow, outcome("jane", "diagnostic.optional", 10))
		verifies(t, l)
	})
}

func TestMerge(t *testing.T) {
	e := newEngine(t)
	channel := func(c string) consent.Scope { return consent.Scope{Purpose: "ads", Channel: c} }
	ads := consent.Scope{Purpose: "ads"}
	for _, tt := range []struct {
		reason  string
		events  []ledger.Event
		purpose string
		n       int
		want    consent.Reason
	}{
		{"a refusal on the device ends the consent of the person, though given later", []ledger.Event{
			ledger.Withdrawn("device", diag, day(1)), ledger.Granted(jane, diag, day(2)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 3, consent.ReasonWithdrawn},
		{"not before the merge", []ledger.Event{
			ledger.Withdrawn("device", diag, day(1)), ledger.Granted(jane, diag, day(2)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 2, consent.ReasonConsent},
		{"the person's refusal stands against a later consent on the device", []ledger.Event{
			ledger.Denied(jane, diag, day(1)), ledger.Granted("device", diag, day(2)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 3, consent.ReasonRefused},
		{"where one side says nothing the other's answer counts", []ledger.Event{
			ledger.Granted("device", diag, day(2)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 3, consent.ReasonConsent},
		{"a refusal that was taken back is none", []ledger.Event{
			ledger.Denied("device", diag, day(1)), ledger.Granted("device", diag, day(2)), ledger.Granted(jane, diag, day(1)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 3, consent.ReasonConsent},
		{"what was invalid on one side is", []ledger.Event{
			ledger.Granted(jane, diag, day(2)), ledger.Granted("device", diag, day(1)), ledger.Invalidated("device", diag, day(1)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 3, consent.ReasonConsentUnset},
		{"an answer after the merge counts", []ledger.Event{
			ledger.Denied("device", diag, day(1)), ledger.Merged(jane, "device", day(3)), ledger.Granted(jane, diag, day(4))}, "diagnostic.optional", 4, consent.ReasonConsent},
		{"what the device says after the merge does not", []ledger.Event{
			ledger.Granted(jane, diag, day(1)), ledger.Merged(jane, "device", day(3)), ledger.Denied("device", diag, day(4))}, "diagnostic.optional", 4, consent.ReasonConsent},
		{"a chain", []ledger.Event{
			ledger.Objected("old", ads, day(1)), ledger.Merged("device", "old", day(2)), ledger.Granted(jane, ads, day(2)), ledger.Merged(jane, "device", day(3))}, "ads", 3, consent.ReasonObjected},
		{"what was merged into the device afterwards is not of the person", []ledger.Event{
			ledger.Merged(jane, "device", day(3)), ledger.Objected("old", ads, day(1)), ledger.Merged("device", "old", day(4))}, "ads", 5, consent.ReasonOptOutDefault},
		{"into each other", []ledger.Event{
			ledger.Merged(jane, "device", day(3)), ledger.Merged("device", jane, day(3)), ledger.Denied("device", diag, day(1))}, "diagnostic.optional", 3, consent.ReasonRefused},
		{"a restriction of the device", []ledger.Event{
			ledger.Restricted("device", day(1)), ledger.Merged(jane, "device", day(3))}, "ads", 3, consent.ReasonRestricted},
		{"one that was lifted", []ledger.Event{
			ledger.Restricted("device", day(1)), ledger.Released("device", day(2)), ledger.Merged(jane, "device", day(3))}, "ads", 3, consent.ReasonOptOutDefault},
		{"one that the person lifts afterwards", []ledger.Event{
			ledger.Restricted("device", day(1)), ledger.Merged(jane, "device", day(3)), ledger.Released(jane, day(4))}, "ads", 4, consent.ReasonOptOutDefault},
		{"scopes are apart", []ledger.Event{
			ledger.Denied("device", channel("sms"), day(1)), ledger.Granted(jane, channel("email"), day(1)), ledger.Merged(jane, "device", day(3))}, "diagnostic.optional", 3, consent.ReasonConsentUnset},
	} {
		for _, l := range []*ledger.Ledger{ledger.NewMemory(), open(t, &plainStore{}, ledger.NewMemoryKeys())} {
			appendAll(t, l, tt.events...)
			for range 2 {
				require.Equal(t, tt.want, reasonAt(t, l, e, tt.purpose, ledger.AsOf{Valid: day(tt.n)}), tt.reason)
			}
		}
	}
	// The view of the person follows what is recorded for the device, which it was
	// made from before.
	l := ledger.NewMemory()
	appendAll(t, l, ledger.Granted(jane, diag, day(2)), ledger.Merged(jane, "device", day(3)))
	require.Equal(t, consent.ReasonConsent, reasonAt(t, l, e, "diagnostic.optional", ledger.AsOf{Valid: day(5)}))
	appendAll(t, l, ledger.Withdrawn("device", diag, day(1)))
	require.Equal(t, consent.ReasonWithdrawn, reasonAt(t, l, e, "diagnostic.optional", ledger.AsOf{Valid: day(5)}))

	for i := range 70 {
		appendAll(t, l, ledger.Merged("hub", fmt.Sprintf("d%d", i), day(3)))
	}
	_, err := l.View(ctx, "hub", ledger.AsOf{Valid: day(5)})
	require.Error(t, err, "bounded")
}
