package ledger_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

var update = flag.Bool("update", false, "write testdata anew; what was recorded with the old form can no longer be read then")

// goldenEvents use every field, every kind and the odd values of each.
func goldenEvents() []ledger.Event {
	at := time.Date(2026, 3, 28, 10, 30, 0, 123456789, time.FixedZone("somewhere", 3600))
	full := ledger.Granted("p1_1_jane", consent.Scope{
		Purpose: "ads.email", Operation: consent.OpShare, Channel: "email", Recipient: "shop", Service: "mail", Attributes: []string{"name", "bücher", "z"},
	}, at)
	full.ID, full.Known, full.Expires = "evt:2026/03.28-1_a", at.Add(time.Hour), at.Add(365*24*time.Hour)
	full.Strength, full.Notice, full.Text = consent.Explicit, consent.NoticeRef{ID: "n1", Version: "4"}, ledger.Hash{1, 2, 3}
	full.By, full.Method, full.Evidence, full.Note = consent.ByGuardian, "checkbox", "form 12", "said so on the phone\nand again\x00\xff"
	full.AfterConflict = true
	combine := ledger.Renewed("p1_1_jane", consent.Scope{
		Purpose: "research", Operation: consent.OpCombine, Service: "health", Origins: []consent.Origin{{Class: "a", Service: "b"}, {Service: "c"}},
	}, at.Add(time.Minute))
	promote := ledger.Denied("p1_1_john", consent.Scope{Purpose: "diagnostic", Operation: consent.OpPromote, From: "telemetry", To: "account"}, time.Date(1899, 12, 31, 23, 59, 59, 1, time.UTC))
	events := []ledger.Event{full, combine, promote}
	for i, maker := range []func(string, consent.Scope, time.Time) ledger.Event{ledger.Granted, ledger.Withdrawn, ledger.Denied, ledger.Objected, ledger.Requested, ledger.Deferred, ledger.Invalidated, ledger.Terminated} {
		events = append(events, maker("p1_1_jim", consent.Scope{Purpose: "p"}, at.Add(time.Duration(i)*time.Second)))
	}
	return append(events,
		ledger.Claimed("p1_1_jim", consent.Claim{ID: "c:1", Result: consent.Aggregate, CheckedAt: at, Expires: at.Add(1), LiveKey: true}),
		ledger.Restricted("p1_1_jim", at), ledger.Released("p1_1_jim", at.Add(time.Hour)),
		ledger.Merged("p1_1_john", "device", at))
}

// goldenLog records the golden events and erases one subject.
func goldenLog(t *testing.T) (*plainStore, *ledger.Ledger, ledger.Proof, ledger.Consistency, ledger.SignedHead, ledger.Opening) {
	store := &plainStore{}
	l := open(t, store, newPlainKeys(), ledger.WithRandom(&counter{}))
	first := appendAll(t, l, goldenEvents()[:3]...)
	appendAll(t, l, goldenEvents()[3:]...)
	_, err := l.Erase(ctx, "p1_1_jim", day(30), ledger.OnRetention)
	require.NoError(t, err)
	proof, err := l.Prove(ctx, "e5")
	require.NoError(t, err)
	consistency, err := l.ProveConsistency(ctx, first)
	require.NoError(t, err)
	head, err := l.SignHead(ctx, ed25519.NewKeyFromSeed(make([]byte, 32)), day(31))
	require.NoError(t, err)
	opening, err := l.Open(ctx, "p1_1_jane", "evt:2026/03.28-1_a")
	require.NoError(t, err)
	return store, l, proof, consistency, head, opening
}

// Stored data keeps its meaning: what this version writes is what version 1 wrote.
func TestGoldenLog(t *testing.T) {
	store, l, proof, consistency, head, opening := goldenLog(t)
	verifies(t, l)
	var text strings.Builder
	text.WriteString("# A log of version 1, one entry a line: seq, envelope, handle, sealed payload.\n")
	for _, e := range store.entries {
		text.WriteString(strconv.FormatUint(e.Seq, 10) + " " + hex.EncodeToString(e.Envelope) + " " + hex.EncodeToString(e.Handle[:]) + " " + hex.EncodeToString(e.Sealed) + "\n")
	}
	golden(t, "testdata/log-1.txt", text.String())
	for name, document := range map[string]json.Marshaler{"proof": proof, "consistency": consistency, "head": head, "opening": opening} {
		b, err := document.MarshalJSON()
		require.NoError(t, err)
		golden(t, "testdata/"+name+"-1.json", string(b)+"\n")
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s: what is recorded by now could not be read any more", path)
}

// The committed log is read, not made: its events are those that were recorded.
func TestGoldenLogIsReadBack(t *testing.T) {
	text, err := os.ReadFile("testdata/log-1.txt")
	require.NoError(t, err)
	store := &plainStore{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		require.Len(t, parts, 4)
		var e ledger.Entry
		e.Seq, err = strconv.ParseUint(parts[0], 10, 64)
		require.NoError(t, err)
		e.Envelope, _ = hex.DecodeString(parts[1])
		handle, _ := hex.DecodeString(parts[2])
		e.Sealed, _ = hex.DecodeString(parts[3])
		e.Handle = ledger.Handle(handle)
		if len(e.Sealed) == 0 {
			e.Sealed = nil
		}
		store.entries = append(store.entries, e)
	}
	require.Greater(t, len(store.entries), 15)
	store.settle()
	keys := newPlainKeys()
	maker := open(t, &plainStore{}, keys) // makes the keys of those who are not erased
	for _, subject := range []string{"p1_1_jane", "p1_1_john", "device"} {
		appendAll(t, maker, ledger.Granted(subject, diag, day(1)))
	}
	l := open(t, store, keys)
	r := verifies(t, l)
	assert.EqualValues(t, 11, r.Erased)
	var got []ledger.Event
	for _, subject := range []string{"p1_1_jane", "p1_1_john", "device"} {
		for ev, err := range l.Events(ctx, subject, ledger.AsOf{}) {
			require.NoError(t, err)
			got = append(got, ev)
		}
	}
	want := goldenEvents()
	require.Len(t, got, 5)
	for i, w := range []ledger.Event{want[0], want[1], want[2], want[14], {}} {
		g := got[i]
		if i == 4 {
			w = ledger.Event{Subject: "device", Kind: ledger.KindMergedInto, Merged: "p1_1_john", Valid: want[14].Valid, Known: want[14].Known}
		}
		require.NotZero(t, g.Seq)
		if w.ID == "" {
			w.ID = "e" + strconv.FormatUint(g.Seq, 10)
		}
		if w.Known.IsZero() {
			w.Known = w.Valid
		}
		if i == 1 {
			w.Known = want[0].Known // does not run backwards
		}
		assert.True(t, w.Valid.Equal(g.Valid) && w.Known.Equal(g.Known) && w.Expires.Equal(g.Expires), "times of event %d", i)
		w.Seq, w.Valid, w.Known, w.Expires = g.Seq, g.Valid, g.Known, g.Expires
		assert.Equal(t, w, g)
	}
}

// The committed proofs hold, checked from their JSON alone as somebody elsewhere
// would.
func TestGoldenProofs(t *testing.T) {
	read := func(name string, into json.Unmarshaler) {
		b, err := os.ReadFile("testdata/" + name + "-1.json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, into))
	}
	var proof ledger.Proof
	var consistency ledger.Consistency
	var head ledger.SignedHead
	var opening ledger.Opening
	read("proof", &proof)
	read("consistency", &consistency)
	read("head", &head)
	read("opening", &opening)
	envelope, err := proof.Check()
	require.NoError(t, err)
	assert.Equal(t, ledger.KindWithdrawn, envelope.Kind)
	assert.Equal(t, "p", envelope.Purpose)
	require.NoError(t, consistency.Check())
	require.NoError(t, head.Check(ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)))
	assert.Equal(t, head.Head, proof.Head)
	assert.Equal(t, head.Head, consistency.New)
	_, l, _, _, _, _ := goldenLog(t)
	grant, err := l.Prove(ctx, "evt:2026/03.28-1_a")
	require.NoError(t, err)
	envelope, err = grant.Check()
	require.NoError(t, err)
	ev, err := opening.Check(envelope)
	require.NoError(t, err)
	assert.Equal(t, "p1_1_jane", ev.Subject)
	assert.Equal(t, "checkbox", ev.Method)
	opening.Salt[0] ^= 1
	_, err = opening.Check(envelope)
	require.ErrorIs(t, err, ledger.ErrProof)
}
