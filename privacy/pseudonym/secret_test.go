package pseudonym

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/conform/leak"
)

func TestSecretsDoNotPrint(t *testing.T) {
	raw := []byte("KEYMATERIAL-zyxwvutsrqponmlkjihg")
	secret, err := NewSecret(raw)
	require.NoError(t, err)
	var store Memory
	require.NoError(t, store.Add("contoso", 1, secret))
	p, err := New(t.Context(), &store, testScope)
	require.NoError(t, err)
	_, err = p.Token(Int(1)) // so that a keyed state is in the pool
	require.NoError(t, err)
	derived, err := deriveKey(secret.b.p, labelP1, testScope, 1, 32)
	require.NoError(t, err)

	type nested struct {
		Name   string
		hidden Secret
		deep   struct{ s []Secret }
		m      map[string]Secret
		store  *Memory
		p      *Pseudonymiser
	}
	n := nested{Name: "n", hidden: secret, m: map[string]Secret{"x": secret}, store: &store, p: p}
	n.deep.s = []Secret{secret}
	all := []any{secret, &secret, []Secret{secret}, map[string]Secret{"x": secret}, struct{ S Secret }{secret}, n, &n, &store, p, *p, p.keys[0], p.keys}

	out := leak.Print(all...)
	require.True(t, strings.Contains(out, hiddenSecret), "nothing was printed at all")
	assert.Zero(t, leak.Find(out, raw, derived), "printed")
}

func TestNewSecret(t *testing.T) {
	for _, tt := range []struct {
		bytes  []byte
		reason string
	}{
		{nil, "no bytes"},
		{make([]byte, 31), "too short"},
		{bytes.Repeat([]byte{1}, 33), "too long: is it in another encoding?"},
		{bytes.Repeat([]byte("0a"), 32), "hexadecimal text, not bytes"},
		{make([]byte, 32), "never filled"},
	} {
		s, err := NewSecret(tt.bytes)
		require.ErrorIs(t, err, ErrSecret, tt.reason)
		assert.Zero(t, s)
	}
	b := bytes.Repeat([]byte{7}, 32)
	s, err := NewSecret(b)
	require.NoError(t, err)
	clear(b)
	assert.Equal(t, byte(7), s.b.p[0], "the bytes are copied, so that the caller can overwrite its own")
}

// Canary: whatever the input, nothing of it shows in an error or a text.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	p := testPseudonymiser(t)
	var out strings.Builder
	note := func(xs ...any) {
		for _, x := range xs {
			fmt.Fprintf(&out, "%v %+v %#v\n", x, x, x)
			text, _ := json.Marshal(x)
			out.Write(text)
		}
	}
	long := strings.Repeat(canary, 300)
	for _, v := range []Value{
		Bytes([]byte(long)), Text(long), Text(canary + "\xff"), Email(canary + canary), Email("x " + canary), Email(long), EmailUID2(canary + "@"),
		Phone(canary), Date(canary), IP(netip.MustParseAddr("fe80::1").WithZone(canary)), Composite(Phone(canary)), Composite(Text(canary), Value{}),
		Text(canary), Email(canary), Bytes([]byte(canary)), Composite(Text(canary)), Text("p1_1_mr2gmpm4xx54sepw4ybzpisseq"),
	} {
		note(v)
		b, err := p.Append(nil, v)
		note(string(b), err)
		token, err := p.Token(v)
		note(token, err)
		u, err := p.UUID(v)
		note(u, err)
		cs, err := p.Candidates(v)
		note(cs, err)
	}
	for _, s := range []string{canary, long, "p1_1_" + canary, canary + "_1_mr2gmpm4xx54sepw4ybzpisseq"} {
		token, err := ParseToken(s)
		note(token, err, token.UnmarshalText([]byte(s)))
		redacted, class := Redact()
		note(redacted, class)
		x, class, err := RoundCoordinate(s, 2)
		note(x, class, err)
		x, class, err = TruncateIP(s)
		note(x, class, err)
		x, class, err = DateToYear(s)
		note(x, class, err)
		x, class, err = DateToMonth(s)
		note(x, class, err)
		masked, class := Mask(s, 4)
		note(class)
		assert.NotContains(t, masked, "canary")
	}
	for _, s := range []Scope{{long, "p", "c"}, {"t", "_" + canary, "c"}, {"t", "p", canary + "\xff"}, {canary, "p", "c"}} {
		_, err := New(context.Background(), testStore(t, 1), s)
		require.Error(t, err)
		note(err)
	}
	_, err := NewSecret([]byte(canary))
	note(err)
	var m Memory
	note(m.Add(canary, 0, Secret{}), m.Add(long, 1, Secret{}), m.Destroy(t.Context(), canary, 1, Destruction{}))
	_, err = m.Generate(canary, strings.NewReader(canary))
	note(err)
	_, err = m.Versions(t.Context(), canary)
	note(err)
	_, err = m.Secret(t.Context(), canary, 1)
	note(err)
	assert.Contains(t, out.String(), "p1_1_", "nothing was gathered")
	assert.NotContains(t, out.String(), "canary")
	assert.NotContains(t, out.String(), "63616e617279", "in hexadecimal")
}
