package secretfile

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/conform/leak"
	"github.com/privetdev/privet/privacy/pseudonym"
)

func requireHidden(t *testing.T, text string, secrets ...[]byte) {
	t.Helper()
	require.Zero(t, leak.Find(text, secrets...), "something of a key or secret shows")
}

func TestKeysAndSecretsDoNotPrint(t *testing.T) {
	ctx := t.Context()
	rawKey, rawSecret := []byte("KEYMATERIAL-zyxwvutsrqponmlkjihg"), []byte("SECRETBYTES-0987654321abcdefghij")
	key, err := NewKey(rawKey)
	require.NoError(t, err)
	s, err := Create(ctx, filepath.Join(t.TempDir(), "secrets"), key, WithFormerKey(key))
	require.NoError(t, err)
	require.NoError(t, s.Import(ctx, "contoso", 1, rawSecret))
	people, err := pseudonym.NewSubjects(ctx, s, s, oneScope, "user.unique_id")
	require.NoError(t, err)
	p, err := people.Subject(ctx, pseudonym.Int(1))
	require.NoError(t, err)
	_, err = p.Token(jane)
	require.NoError(t, err)
	var rows [][]byte
	for _, r := range s.cache.rows {
		rows = append(rows, r.secret[:])
	}
	require.Len(t, rows, 1)
	secrets := append(rows, rawKey, rawSecret, s.cache.key.b.p[:])

	status, err := s.Status(ctx, "")
	require.NoError(t, err)
	type nested struct {
		Name   string
		key    Key
		store  *Store
		people *pseudonym.Subjects
		p      *pseudonym.Pseudonymiser
		m      map[string]Key
		any    any
	}
	n := nested{"n", key, s, people, p, map[string]Key{"x": key}, key}
	out := leak.Print(key, &key, []Key{key}, map[string]Key{"k": key}, struct{ K Key }{key}, s, n, &n, people, p, status, struct{ w Wrapper }{key})
	require.Contains(t, out, hiddenKey, "nothing was printed at all")
	requireHidden(t, out, secrets...)

	// Nothing of it lies in the files either, nor what they are about.
	for _, path := range []string{s.path, s.tombs, s.path + ".lock"} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		requireHidden(t, string(data), secrets...)
		assert.NotContains(t, string(data), "contoso")
	}
}

// Canary: whatever the input, nothing of it shows in an error.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	ctx := t.Context()
	s := testStore(t, WithHolds(func(context.Context, pseudonym.Target) (string, bool, error) {
		return canary, true, nil
	}))
	var out strings.Builder
	seen := 0
	note := func(err error) {
		require.Error(t, err)
		seen++
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&out, "%v %+v %#v\n", err, err, err.Error())
		}
	}
	long := strings.Repeat(canary, 300)
	raw := []byte(strings.Repeat(canary, 2)[:32])
	require.NoError(t, s.Import(ctx, canary, 1, raw))
	note(s.Import(ctx, canary, 1, raw))
	note(s.Import(ctx, long, 1, raw))
	note(s.Import(ctx, canary, 1, []byte(canary)))
	note(s.Make(ctx, canary, 2, strings.NewReader(canary)))
	note(s.Destroy(ctx, canary, 9, because))
	note(s.Destroy(ctx, canary, 1, because))
	note(s.Destroy(ctx, canary, 1, pseudonym.Destruction{Actor: long}))
	note(s.Destroy(ctx, canary, 1, pseudonym.Destruction{Reason: canary + "\n"}))
	note(s.DestroyPending(ctx, canary, 1, at, because))
	note(s.CancelDestroy(ctx, canary, 9))
	_, err := s.Generate(ctx, long)
	note(err)
	_, err = s.Secret(ctx, canary, 9)
	note(err)
	_, err = s.Versions(ctx, canary+canary)
	note(err)
	for _, text := range []string{canary, long, strings.Repeat("canary", 11)} {
		_, err = ParseKey(text)
		note(err)
		_, err = NewKey([]byte(text))
		note(err)
	}
	people, err := pseudonym.NewSubjects(ctx, s, s, pseudonym.Scope{Tenant: canary, Purpose: canary, Category: canary}, canary)
	require.NoError(t, err)
	_, err = people.Known(ctx, pseudonym.Text(canary))
	note(err)
	note(people.Erase(ctx, pseudonym.Text(canary), because))
	_, err = people.Subject(ctx, pseudonym.Phone(canary))
	note(err)
	data, err := os.ReadFile(s.path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.path, append([]byte(canary), data...), 0o600))
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	note(err)
	require.NoError(t, os.WriteFile(s.path, append(data, canary...), 0o600))
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	note(err)
	assert.Greater(t, seen, 20)
	assert.NotContains(t, out.String(), "canary")
	assert.NotContains(t, out.String(), hex.EncodeToString([]byte("canary")))
}
