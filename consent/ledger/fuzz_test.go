package ledger_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// goldenEnvelopes are the envelopes of the golden log.
func goldenEnvelopes(t testing.TB) [][]byte {
	text, err := os.ReadFile("testdata/log-1.txt")
	require.NoError(t, err)
	var out [][]byte
	for line := range strings.Lines(string(text)) {
		if parts := strings.Split(line, " "); len(parts) == 4 && !strings.HasPrefix(line, "#") {
			b, err := hex.DecodeString(parts[1])
			require.NoError(t, err)
			out = append(out, b)
		}
	}
	require.Greater(t, len(out), 15, "no seeds")
	return out
}

// What is read as an envelope is what Append would write, byte for byte.
func FuzzParseEnvelope(f *testing.F) {
	for _, b := range goldenEnvelopes(f) {
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(append(bytes.Clone(b), 0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ledger.ParseEnvelope(b)
		if err != nil {
			return
		}
		if got := v.Append(nil); !bytes.Equal(got, b) {
			t.Fatalf("%x is read, and written as %x", b, got)
		}
	})
}

// What is read as a payload is what would be written, byte for byte.
func FuzzParsePayload(f *testing.F) {
	for i, ev := range goldenEvents() {
		b := ledger.AppendPayload(nil, &ev, uint64(i)+1)
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var ev ledger.Event
		n, err := ledger.ParsePayload(b, &ev)
		if err != nil {
			return
		}
		if got := ledger.AppendPayload(nil, &ev, n); !bytes.Equal(got, b) {
			t.Fatalf("%x is read, and written as %x", b, got)
		}
	})
}

// What is read as a document is written as the same value, and checking it never
// fails in another way than by an error.
func FuzzDocuments(f *testing.F) {
	for _, name := range []string{"proof", "consistency", "head", "opening"} {
		b, err := os.ReadFile("testdata/" + name + "-1.json")
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var proof, proof2 ledger.Proof
		var consistency, consistency2 ledger.Consistency
		var head, head2 ledger.SignedHead
		var opening, opening2 ledger.Opening
		again := func(from json.Marshaler, read json.Unmarshaler, into json.Unmarshaler) bool {
			if read.UnmarshalJSON(b) != nil {
				return false
			}
			text, err := from.MarshalJSON()
			require.NoError(t, err)
			require.NoError(t, into.UnmarshalJSON(text))
			return true
		}
		if again(&proof, &proof, &proof2) {
			assert.Equal(t, proof, proof2)
			_, _ = proof.Check()
		}
		if again(&consistency, &consistency, &consistency2) {
			assert.Equal(t, consistency, consistency2)
			_ = consistency.Check()
		}
		if again(&head, &head, &head2) {
			assert.Equal(t, head, head2)
		}
		if again(&opening, &opening, &opening2) {
			assert.Equal(t, opening, opening2)
			_, _ = opening.Check(ledger.Envelope{})
		}
	})
}

// FuzzParseTail: what is read is what Append would write.
func FuzzParseTail(f *testing.F) {
	var tail ledger.Tail
	for i := range 12 {
		f.Add(tail.Append(nil))
		tail = tail.Add(ledger.Hash{byte(i)})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tail, err := ledger.ParseTail(b)
		if err != nil {
			return
		}
		if got := tail.Append(nil); !bytes.Equal(got, b) {
			t.Fatalf("%x is read, and written as %x", b, got)
		}
		if tail.Size < 1<<62 {
			tail.Add(ledger.Hash{1}).Root()
		}
	})
}

// Different events never have one encoding, and equal ones always do.
func TestEncodingIsInjective(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00", "\x00\x00\x00\x01a"})
	draw := rapid.Custom(func(t *rapid.T) ledger.Event {
		ev := ledger.Event{
			Subject: text.Draw(t, "subject"), Claim: text.Draw(t, "claim"), Result: consent.Result(text.Draw(t, "result")), LiveKey: rapid.Bool().Draw(t, "live"),
			AfterConflict: rapid.Bool().Draw(t, "conflict"), By: consent.Giver(text.Draw(t, "by")), Method: text.Draw(t, "method"), Evidence: text.Draw(t, "evidence"), Note: text.Draw(t, "note"), Merged: text.Draw(t, "merged"),
			Scope: consent.Scope{
				Operation: consent.Operation(text.Draw(t, "op")), Channel: text.Draw(t, "channel"), Recipient: text.Draw(t, "recipient"), Service: text.Draw(t, "service"), From: text.Draw(t, "from"), To: text.Draw(t, "to"),
			},
		}
		for range rapid.IntRange(0, 2).Draw(t, "origins") {
			ev.Scope.Origins = append(ev.Scope.Origins, consent.Origin{Class: text.Draw(t, "class"), Service: text.Draw(t, "service")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "attributes") {
			ev.Scope.Attributes = append(ev.Scope.Attributes, text.Draw(t, "attribute"))
		}
		return ev
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		n, m := rapid.Uint64Range(1, 3).Draw(t, "n"), rapid.Uint64Range(1, 3).Draw(t, "m")
		x, y := ledger.AppendPayload(nil, &a, n), ledger.AppendPayload(nil, &b, m)
		require.Equal(t, assert.ObjectsAreEqual(a, b) && n == m, bytes.Equal(x, y))
		var back ledger.Event
		number, err := ledger.ParsePayload(x, &back)
		require.NoError(t, err)
		require.Equal(t, n, number)
		require.Equal(t, a, back)
	})
}
