package consentcmd

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// fill sets every field to something that is not its zero value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)))
		return
	case ledger.Why:
		v.Set(reflect.ValueOf(ledger.OnOrder))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text <&>")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(7)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("an event has a field of kind %s: teach the lines about it", v.Kind())
	}
}

// Whatever an event holds, its line holds, so that an export is complete.
func TestLineHoldsAllOfAnEvent(t *testing.T) {
	var ev ledger.Event
	fill(t, reflect.ValueOf(&ev).Elem())
	l := lineOf(&ev)
	l.Subject = ev.Subject
	text, err := jsonLine(l)
	require.NoError(t, err)
	got, err := ParseEvent(text)
	require.NoError(t, err)
	ev.Seq, ev.Dropped = 0, 0 // the ledger's to give
	assert.Equal(t, ev, got)
}

func TestLinesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		instant := rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(-60_000_000_000, 250_000_000_000).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		})
		ev := ledger.Event{
			ID: text.Draw(t, "id"), Subject: text.Draw(t, "subject"), Kind: ledger.Kind(text.Draw(t, "kind")), Valid: instant.Draw(t, "valid"), Known: instant.Draw(t, "known"),
			Scope:    consent.Scope{Purpose: text.Draw(t, "purpose"), Channel: text.Draw(t, "channel"), Attributes: rapid.SliceOfN(text, 1, 3).Draw(t, "attributes")},
			Strength: consent.Explicit, Evidence: text.Draw(t, "evidence"), Note: text.Draw(t, "note"), Merged: text.Draw(t, "merged"),
		}
		l := lineOf(&ev)
		l.Subject = ev.Subject
		written, err := jsonLine(l)
		require.NoError(t, err)
		got, err := ParseEvent(written)
		require.NoError(t, err)
		assert.Equal(t, ev, got)
	})
}

// FuzzParseEvent: what is read, is written and read as the same.
func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		`{"subject":"a","kind":"granted","purpose":"p","at":"2026-01-01T00:00:00Z"}`,
		`{"id":"e1","subject":"a","kind":"erased","why":"order","at":"2026-01-01T00:00:00.5+01:00"}`,
		`{"kind":"claim","claim":"k","result":"linked","live_key":true,"text":"` + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" + `"}`,
		`{"origins":[{"class":"a","service":"b"}],"attributes":["x"],"notice":{"id":"n","version":"1"}}`,
		`{}`, `{} {}`, `{}}`, `null`, `[]`, `{"at":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ev, err := ParseEvent(text)
		if err != nil {
			require.ErrorIs(t, err, ErrLine)
			return
		}
		l := lineOf(&ev)
		l.Subject = ev.Subject
		written, err := jsonLine(l)
		require.NoError(t, err)
		again, err := ParseEvent(written)
		require.NoError(t, err)
		// Times may have been written in another zone.
		for _, e := range []*ledger.Event{&ev, &again} {
			e.Valid, e.Known, e.Expires = e.Valid.UTC(), e.Known.UTC(), e.Expires.UTC()
			if len(e.Scope.Origins) == 0 {
				e.Scope.Origins = nil
			}
			if len(e.Scope.Attributes) == 0 {
				e.Scope.Attributes = nil
			}
		}
		require.Equal(t, ev, again)
	})
}

func TestParseEventRefuses(t *testing.T) {
	for _, tt := range []struct{ text, reason string }{
		{`{"kind":"granted"} {"kind":"granted"}`, "two on one line"},
		{`{"kind":"granted"}}`, "one brace too many"},
		{`{"kind":1}`, "a number"},
		{`{"colour":"red"}`, "a key that is not known"},
		{`{"at":"yesterday"}`, "no instant"},
		{`{"text":"00"}`, "a hash that is too short"},
		{`{"text":"` + "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" + `"}`, "no hash"},
		{`{"why":"because"}`, "no ground"},
		{``, "nothing"},
	} {
		_, err := ParseEvent([]byte(tt.text))
		assert.ErrorIs(t, err, ErrLine, tt.reason)
	}
}

func TestRecordErasures(t *testing.T) {
	ctx := context.Background()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := ledger.NewMemory()
	require.NoError(t, Record(ctx, l, ledger.Granted("a", consent.Scope{Purpose: "p"}, at)))
	require.NoError(t, Record(ctx, l, ledger.Event{Subject: "a", Kind: ledger.KindMergedInto, Merged: "b", Valid: at}), "the merge writes it")
	head, err := l.Head(ctx)
	require.NoError(t, err)
	assert.Equal(t, uint64(1), head.Seq)
	var wrong *ledger.EventError
	require.ErrorAs(t, Record(ctx, l, ledger.Event{Subject: "a", Kind: ledger.KindErased, Valid: at, Note: "n"}), &wrong, "an erasure says nothing else")
	require.NoError(t, Record(ctx, l, ledger.Event{Subject: "a", Kind: ledger.KindErased, Valid: at}))
	require.ErrorIs(t, Record(ctx, l, ledger.Granted("a", consent.Scope{Purpose: "p"}, at)), ledger.ErrErased)
}
