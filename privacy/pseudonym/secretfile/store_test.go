package secretfile

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/privacy/pseudonym"
)

var (
	at       = time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
	because  = pseudonym.Destruction{At: at, Actor: "ops", Reason: "the customer left"}
	oneScope = pseudonym.Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.contact.email"}
	jane     = pseudonym.Email("jane@example.com")
)

func testKey(t testing.TB, fill byte) Key {
	t.Helper()
	k, err := NewKey(bytes.Repeat([]byte{fill}, KeySize))
	require.NoError(t, err)
	return k
}

func testStore(t testing.TB, opts ...Option) *Store {
	t.Helper()
	s, err := Create(t.Context(), filepath.Join(t.TempDir(), "secrets"), testKey(t, 'k'), opts...)
	require.NoError(t, err)
	return s
}

func reopen(t testing.TB, s *Store, opts ...Option) *Store {
	t.Helper()
	out, err := Open(t.Context(), s.path, testKey(t, 'k'), opts...)
	require.NoError(t, err)
	return out
}

// token is what a version of a store makes of Jane, or the error.
func token(t testing.TB, store pseudonym.SecretStore, scope pseudonym.Scope) (pseudonym.Token, error) {
	t.Helper()
	p, err := pseudonym.New(t.Context(), store, scope)
	if err != nil {
		return pseudonym.Token{}, err
	}
	return p.Token(jane)
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o600))
}

func TestStore(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Versions(ctx, "contoso")
	require.ErrorIs(t, err, pseudonym.ErrUnknown)
	_, err = s.Secret(ctx, "contoso", 1)
	require.ErrorIs(t, err, pseudonym.ErrUnknown)
	require.ErrorIs(t, s.Destroy(ctx, "contoso", 1, because), pseudonym.ErrUnknown)
	require.ErrorIs(t, s.DestroyPending(ctx, "contoso", 1, at, because), pseudonym.ErrUnknown)
	require.ErrorIs(t, s.CancelDestroy(ctx, "contoso", 1), pseudonym.ErrUnknown)

	for want := range uint32(3) {
		v, err := s.Generate(ctx, "contoso")
		require.NoError(t, err)
		require.Equal(t, want+1, v, "versions count from 1")
	}
	require.NoError(t, s.Import(ctx, "fabrikam", 7, bytes.Repeat([]byte{7}, 32)))
	require.ErrorIs(t, s.Import(ctx, "fabrikam", 7, bytes.Repeat([]byte{8}, 32)), pseudonym.ErrExists)
	v, err := s.Generate(ctx, "fabrikam")
	require.NoError(t, err)
	assert.EqualValues(t, 8, v, "one above the highest")
	before, err := token(t, s, oneScope)
	require.NoError(t, err)

	again := reopen(t, s)
	vs, err := again.Versions(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, []uint32{3, 2, 1}, vs)
	after, err := token(t, again, oneScope)
	require.NoError(t, err)
	assert.Equal(t, before, after, "what was written is what is read")

	require.NoError(t, again.Destroy(ctx, "contoso", 2, because))
	require.NoError(t, again.Destroy(ctx, "contoso", 2, pseudonym.Destruction{Actor: "other"}), "destroying twice is no error")
	_, err = s.Secret(ctx, "contoso", 2)
	require.ErrorIs(t, err, pseudonym.ErrDestroyed, "the first store sees what the second wrote")
	require.ErrorIs(t, s.Import(ctx, "contoso", 2, bytes.Repeat([]byte{1}, 32)), pseudonym.ErrDestroyed)
	require.ErrorIs(t, s.CancelDestroy(ctx, "contoso", 2), pseudonym.ErrDestroyed)
	require.ErrorIs(t, s.DestroyPending(ctx, "contoso", 2, at, because), pseudonym.ErrDestroyed)

	all, err := s.Status(ctx, "contoso")
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, pseudonym.StateLive, all[0].State)
	assert.Equal(t, pseudonym.StateDestroyed, all[1].State)
	assert.Equal(t, because, all[1].Destruction, "the first tombstone stays, its time too")
	assert.NotZero(t, all[1].Check)
	everybody, err := s.Status(ctx, "")
	require.NoError(t, err)
	assert.Len(t, everybody, 5)
	info, err := s.Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, info.Tenants)

	for v := range uint32(3) {
		require.NoError(t, s.Destroy(ctx, "contoso", v+1, because))
	}
	_, err = s.Versions(ctx, "contoso")
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
	_, err = pseudonym.New(ctx, s, oneScope)
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
	v, err = s.Generate(ctx, "contoso")
	require.NoError(t, err)
	assert.EqualValues(t, 4, v, "the numbers are not used again")
}

func TestArgumentsRefused(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	long := strings.Repeat("x", 256)
	for name, f := range map[string]func() error{
		"no tenant":      func() error { _, err := s.Generate(ctx, ""); return err },
		"long tenant":    func() error { return s.Import(ctx, long, 1, bytes.Repeat([]byte{1}, 32)) },
		"tenant no text": func() error { return s.Import(ctx, "\xff", 1, bytes.Repeat([]byte{1}, 32)) },
		"version 0":      func() error { return s.Import(ctx, "contoso", 0, bytes.Repeat([]byte{1}, 32)) },
		"no random":      func() error { return s.Make(ctx, "contoso", 9, nil) },
		"short random":   func() error { return s.Make(ctx, "contoso", 9, strings.NewReader("short")) },
		"actor":          func() error { return s.Destroy(ctx, "contoso", 1, pseudonym.Destruction{Actor: "a\nb"}) },
		"reason": func() error {
			return s.DestroyPending(ctx, "contoso", 1, at, pseudonym.Destruction{Reason: strings.Repeat(long, 4)})
		},
		"index":      func() error { _, err := s.Subject(ctx, "contoso", nil, true); return err },
		"zero index": func() error { return s.DestroySubject(ctx, "contoso", make([]pseudonym.Token, 1), because) },
		"no path":    func() error { _, err := Open(ctx, "", testKey(t, 'k')); return err },
		"no key":     func() error { _, err := Open(ctx, "x", nil); return err },
		"one path":   func() error { _, err := Create(ctx, "x", testKey(t, 'k'), WithTombstones("x")); return err },
	} {
		require.ErrorIs(t, f(), ErrArgument, name)
		assert.NotContains(t, f().Error(), "xxx", name)
	}
	require.ErrorIs(t, s.Import(ctx, "contoso", 9, []byte("short")), pseudonym.ErrSecret)
	require.ErrorIs(t, s.Import(ctx, "contoso", 9, make([]byte, 32)), pseudonym.ErrSecret)
	vs, err := s.Versions(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, []uint32{1}, vs, "a refusal leaves nothing behind")
}

func TestPending(t *testing.T) {
	ctx := t.Context()
	held := false
	s := testStore(t, WithHolds(func(_ context.Context, target pseudonym.Target) (string, bool, error) {
		assert.Equal(t, "contoso", target.Tenant)
		return "order-7", held && target.Version == 1, nil
	}))
	for range 2 {
		_, err := s.Generate(ctx, "contoso")
		require.NoError(t, err)
	}
	want, err := token(t, s, oneScope)
	require.NoError(t, err)
	until := at.Add(30 * 24 * time.Hour)
	require.NoError(t, s.DestroyPending(ctx, "contoso", 2, until, because))
	_, err = s.Secret(ctx, "contoso", 2)
	require.ErrorIs(t, err, pseudonym.ErrPending)
	require.NotErrorIs(t, err, pseudonym.ErrDestroyed, "it can come back, so its tokens are linkable")
	vs, err := s.Versions(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, []uint32{1}, vs)
	require.ErrorIs(t, s.Import(ctx, "contoso", 2, bytes.Repeat([]byte{1}, 32)), pseudonym.ErrPending)

	done, err := s.DestroyDue(ctx, until.Add(-1))
	require.NoError(t, err)
	assert.Empty(t, done, "a moment too early")
	require.NoError(t, s.CancelDestroy(ctx, "contoso", 2))
	got, err := token(t, reopen(t, s), oneScope)
	require.NoError(t, err)
	assert.Equal(t, want, got, "the same secret is back")

	require.NoError(t, s.DestroyPending(ctx, "contoso", 1, until, because))
	require.NoError(t, s.DestroyPending(ctx, "contoso", 2, until, because))
	_, err = s.Versions(ctx, "contoso")
	require.ErrorIs(t, err, pseudonym.ErrPending)
	held = true
	done, err = s.DestroyDue(ctx, until)
	require.ErrorIs(t, err, pseudonym.ErrHeld)
	var by *pseudonym.HeldError
	require.ErrorAs(t, err, &by)
	assert.Equal(t, "order-7", by.By)
	require.Len(t, done, 1, "what is not held is destroyed all the same")
	assert.EqualValues(t, 2, done[0].Version)
	assert.Equal(t, until, done[0].Destruction.At, "the time of the deed, not of the plan")
	held = false
	done, err = reopen(t, s).DestroyDue(ctx, until)
	require.NoError(t, err)
	require.Len(t, done, 1)
	_, err = s.Secret(ctx, "contoso", 1)
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
}

func TestHolds(t *testing.T) {
	ctx := t.Context()
	broken := errors.New("canary: holds are down")
	for _, tt := range []struct {
		by     string
		held   bool
		err    error
		refuse bool
		reason string
	}{
		{"order-7", true, nil, true, "a hold covers it"},
		{"", true, nil, true, "a hold without a reference is one"},
		{"", false, broken, true, "who cannot ask must not destroy"},
		{"order-7", false, nil, false, "lifted"},
	} {
		s := testStore(t, WithHolds(func(context.Context, pseudonym.Target) (string, bool, error) { return tt.by, tt.held, tt.err }))
		_, err := s.Generate(ctx, "contoso")
		require.NoError(t, err)
		people, err := pseudonym.NewSubjects(ctx, s, s, oneScope, "user.unique_id")
		require.NoError(t, err)
		_, err = people.Subject(ctx, pseudonym.Int(1))
		require.NoError(t, err)
		for _, err := range []error{
			s.DestroyPending(ctx, "contoso", 1, at, because), s.Destroy(ctx, "contoso", 1, because), people.Erase(ctx, pseudonym.Int(1), because),
		} {
			if !tt.refuse {
				require.NoError(t, err, tt.reason)
				continue
			}
			require.ErrorIs(t, err, pseudonym.ErrHeld, tt.reason)
			assert.NotContains(t, err.Error(), "canary")
			if tt.err != nil {
				require.ErrorIs(t, err, broken)
			}
		}
		if tt.refuse {
			_, err = s.Secret(ctx, "contoso", 1)
			require.NoError(t, err, "it is still there")
			_, err = people.Known(ctx, pseudonym.Int(1))
			require.NoError(t, err)
		}
	}
}

// An older file of secrets is put back: tombstones win.
func TestRestoredOlderFile(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	for range 2 {
		_, err := s.Generate(ctx, "contoso")
		require.NoError(t, err)
	}
	people, err := pseudonym.NewSubjects(ctx, s, s, oneScope, "user.unique_id")
	require.NoError(t, err)
	p, err := people.Subject(ctx, pseudonym.Text("u-1"))
	require.NoError(t, err)
	erased, err := p.Token(jane)
	require.NoError(t, err)
	gone, err := token(t, s, oneScope)
	require.NoError(t, err)
	old := filepath.Join(t.TempDir(), "backup")
	copyFile(t, s.path, old)

	third, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	later, err := token(t, s, oneScope)
	require.NoError(t, err)
	require.NoError(t, s.Destroy(ctx, "contoso", 2, because))
	require.NoError(t, people.Erase(ctx, pseudonym.Text("u-1"), because))
	newest := filepath.Join(t.TempDir(), "newest")
	copyFile(t, s.path, newest)

	copyFile(t, old, s.path)
	for _, store := range []*Store{s, reopen(t, s)} {
		_, err = store.Secret(ctx, "contoso", 2)
		require.ErrorIs(t, err, pseudonym.ErrDestroyed, "what was destroyed stays destroyed")
		p, err := pseudonym.New(ctx, store, oneScope)
		require.NoError(t, err)
		tokens, err := p.Candidates(jane)
		require.NoError(t, err)
		assert.NotContains(t, tokens, gone, "no call makes the token again")
		people, err = pseudonym.NewSubjects(ctx, store, store, oneScope, "user.unique_id")
		require.NoError(t, err)
		_, err = people.Subject(ctx, pseudonym.Text("u-1"))
		require.ErrorIs(t, err, pseudonym.ErrDestroyed, "who was erased stays erased")

		_, err = store.Secret(ctx, "contoso", third)
		require.ErrorIs(t, err, pseudonym.ErrUnknown)
		require.ErrorContains(t, err, "an older copy of the file was put back")
		require.ErrorIs(t, store.Make(ctx, "contoso", third, rand.Reader), pseudonym.ErrExists, "another secret would change what stored tokens mean")
	}
	all, err := s.Status(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, pseudonym.StateMissing, all[2].State)

	// Opening took what was destroyed out of the restored file as well.
	data, err := os.ReadFile(s.path)
	require.NoError(t, err)
	e, header, sealed, err := parse(s.path, data, kindSecrets)
	require.NoError(t, err)
	text, err := e.unseal(s.path, s.cache.key, header, sealed)
	require.NoError(t, err)
	inFile := newContent()
	require.True(t, inFile.decodeSecrets(text))
	assert.Len(t, inFile.secrets, 1)
	assert.Contains(t, inFile.secrets, versionKey{"contoso", 1})
	assert.Empty(t, inFile.rows)

	v, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, third+1, v, "the number of a missing secret is not used again")
	require.NoError(t, s.Destroy(ctx, "contoso", third, because), "a missing secret can be given up")
	assert.NotEqual(t, erased, gone)
	assert.NotEqual(t, later, gone)
}

// A missing secret comes back if it is the same, and only then.
func TestImportOfMissing(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	old := filepath.Join(t.TempDir(), "old")
	copyFile(t, s.path, old)
	secret := bytes.Repeat([]byte{9}, 32)
	require.NoError(t, s.Import(ctx, "contoso", 5, secret))
	want, err := token(t, s, oneScope)
	require.NoError(t, err)
	copyFile(t, old, s.path)
	_, err = token(t, s, oneScope)
	require.ErrorIs(t, err, pseudonym.ErrUnknown)
	require.ErrorIs(t, s.Import(ctx, "contoso", 5, bytes.Repeat([]byte{8}, 32)), pseudonym.ErrExists)
	require.NoError(t, s.Import(ctx, "contoso", 5, secret))
	got, err := token(t, s, oneScope)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestRolledBackTombstones(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	oldMain, oldTombs := filepath.Join(t.TempDir(), "m"), filepath.Join(t.TempDir(), "t")
	copyFile(t, s.path, oldMain)
	copyFile(t, s.tombs, oldTombs)
	require.NoError(t, s.Destroy(ctx, "contoso", 1, because))
	info, err := s.Info(ctx)
	require.NoError(t, err)
	newTombs := filepath.Join(t.TempDir(), "n")
	copyFile(t, s.tombs, newTombs)

	copyFile(t, oldTombs, s.tombs)
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrRolledBack, "tombstones older than the secrets")
	_, err = s.Versions(ctx, "contoso")
	require.ErrorIs(t, err, ErrRolledBack, "also for a store that is open")
	require.NoError(t, os.Remove(s.tombs))
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrRolledBack, "no tombstones")
	require.ErrorIs(t, err, fs.ErrNotExist)

	other := testStore(t)
	copyFile(t, other.tombs, s.tombs)
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrRolledBack, "tombstones of another store")
	copyFile(t, other.path, s.tombs)
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrFormat, "the files are swapped")

	// Both older: only somebody who remembers can tell.
	copyFile(t, oldMain, s.path)
	copyFile(t, oldTombs, s.tombs)
	_, err = Open(ctx, s.path, testKey(t, 'k'), WithMinimum(info.Generation))
	require.ErrorIs(t, err, ErrRolledBack)
	copyFile(t, newTombs, s.tombs)
	reopened, err := Open(ctx, s.path, testKey(t, 'k'), WithMinimum(info.Generation))
	require.NoError(t, err)
	_, err = reopened.Secret(ctx, "contoso", 1)
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
}

func TestCreateRefuses(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	_, err = Create(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrExists, "nothing is written over")
	require.NoError(t, os.Remove(s.path))
	_, err = Create(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrExists, "its tombstones must not be forgotten")
	_, err = Create(ctx, filepath.Join(t.TempDir(), "none", "secrets"), testKey(t, 'k'))
	require.ErrorContains(t, err, "its folder is not there; make the folder first")
	_, err = Open(ctx, filepath.Join(t.TempDir(), "none"), testKey(t, 'k'))
	require.ErrorContains(t, err, "there is no such file; make one with")
	_, err = Open(ctx, t.TempDir(), testKey(t, 'k'))
	require.Error(t, err, "a folder")

	fresh := testStore(t)
	require.NoError(t, os.Remove(fresh.path))
	_, err = Create(ctx, fresh.path, testKey(t, 'k'))
	require.NoError(t, err, "empty tombstones are those of a Create that was cut off")
}

func TestPermissions(t *testing.T) {
	if !permissionsCount {
		t.Skip("this system keeps no permission bits")
	}
	s := testStore(t)
	for _, path := range []string{s.path, s.tombs, s.path + ".lock"} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.EqualValues(t, 0o600, info.Mode().Perm(), path)
	}
	for _, path := range []string{s.path, s.tombs} {
		for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o602, 0o601} {
			require.NoError(t, os.Chmod(path, mode))
			_, err := Open(t.Context(), s.path, testKey(t, 'k'))
			require.ErrorIs(t, err, ErrPermissions, "%o", mode)
			require.ErrorContains(t, err, "run: chmod 600 "+path)
			_, err = s.Versions(t.Context(), "contoso")
			require.ErrorIs(t, err, ErrPermissions, "also for a store that is open")
		}
		require.NoError(t, os.Chmod(path, 0o400))
	}
	reopen(t, s)
}

// Every byte counts: whichever is changed, and wherever the file is cut, it is noticed.
func TestDamage(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	require.NoError(t, s.DestroyPending(ctx, "contoso", 1, at, because))
	for _, path := range []string{s.path, s.tombs} {
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		check := func(data []byte, what string, n int) {
			require.NoError(t, os.WriteFile(path, data, 0o600))
			_, err := Open(ctx, s.path, testKey(t, 'k'))
			require.Error(t, err, "%s %d", what, n)
			known := false
			for _, kind := range []error{ErrDamaged, ErrFormat, ErrKey, ErrRolledBack} {
				known = known || errors.Is(err, kind)
			}
			require.True(t, known, "%s %d: %v", what, n, err)
		}
		for i := range whole {
			data := bytes.Clone(whole)
			data[i] ^= 1 << (i % 8)
			check(data, "changed", i)
			check(whole[:i], "cut", i)
		}
		check(append(bytes.Clone(whole), 0), "longer", 1)
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	reopen(t, s)
}

func TestKeys(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	want, err := token(t, s, oneScope)
	require.NoError(t, err)
	_, err = Open(ctx, s.path, testKey(t, 'x'))
	require.ErrorIs(t, err, ErrKey)
	require.ErrorContains(t, err, "wrong key: it is not the key that the file was written with")
	require.NotErrorIs(t, err, ErrDamaged)
	_, err = Open(ctx, s.path, Key{})
	require.ErrorIs(t, err, ErrKey)

	// The key is replaced: with both at first, with the new one alone after that.
	both, err := Open(ctx, s.path, testKey(t, 'n'), WithFormerKey(testKey(t, 'k')))
	require.NoError(t, err)
	old := filepath.Join(t.TempDir(), "old")
	copyFile(t, s.path, old)
	require.NoError(t, both.Rewrite(ctx))
	renewed, err := Open(ctx, s.path, testKey(t, 'n'))
	require.NoError(t, err)
	got, err := token(t, renewed, oneScope)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrKey, "the former key opens nothing any more")

	for _, tt := range []struct {
		text   string
		ok     bool
		reason string
	}{
		{strings.Repeat("ab", 32), true, "hexadecimal"},
		{" " + strings.Repeat("AB", 32) + "\n", true, "with space around it"},
		{"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=", true, "base64"},
		{"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s", true, "without padding"},
		{"__________________________________________8=", true, "the alphabet for addresses"},
		{"", false, "not set"},
		{"correct horse battery staple", false, "a password"},
		{strings.Repeat("ab", 31), false, "too short"},
		{strings.Repeat("ab", 33), false, "too long"},
		{strings.Repeat("00", 32), false, "zeros"},
	} {
		_, err := ParseKey(tt.text)
		assert.Equal(t, tt.ok, err == nil, tt.reason)
		if err != nil {
			require.ErrorIs(t, err, ErrKey)
			if tt.text != "" {
				assert.NotContains(t, err.Error(), tt.text)
			}
		}
	}
}

// A service that wraps: the key never leaves it.
type service struct {
	key   Key
	calls int
	err   error
	short bool
}

func (s *service) Wrap(ctx context.Context, dataKey []byte) ([]byte, error) {
	s.calls++
	if s.err != nil {
		return nil, s.err
	}
	return s.key.Wrap(ctx, dataKey)
}

func (s *service) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	s.calls++
	if s.err != nil {
		return nil, s.err
	}
	if s.short {
		return []byte("short"), nil
	}
	return s.key.Unwrap(ctx, wrapped)
}

func TestWrapper(t *testing.T) {
	ctx := t.Context()
	kms := &service{key: testKey(t, 'k')}
	path := filepath.Join(t.TempDir(), "secrets")
	s, err := Create(ctx, path, kms)
	require.NoError(t, err)
	for range 5 {
		_, err = s.Generate(ctx, "contoso")
		require.NoError(t, err)
		_, err = s.Secret(ctx, "contoso", 1)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, kms.calls, "a service is asked when a file is made or opened, not for each call")
	s, err = Open(ctx, path, kms)
	require.NoError(t, err)
	assert.LessOrEqual(t, kms.calls, 3)
	calls := kms.calls
	_, err = s.Generate(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, calls, kms.calls)

	private := errors.New("canary: arn of the key")
	for _, tt := range []struct {
		kms    *service
		is     error
		reason string
	}{
		{&service{err: private}, private, "the cause can be unwrapped, and is not part of the text"},
		{&service{err: context.DeadlineExceeded}, context.DeadlineExceeded, "out of time"},
		{&service{short: true}, ErrKey, "a data key of another length"},
		{&service{key: testKey(t, 'x')}, ErrKey, "another key"},
	} {
		_, err := Open(ctx, path, tt.kms)
		require.ErrorIs(t, err, tt.is, tt.reason)
		assert.NotContains(t, err.Error(), "canary", tt.reason)
		if tt.kms.err != nil {
			_, err = Create(ctx, filepath.Join(t.TempDir(), "n"), tt.kms)
			require.ErrorIs(t, err, tt.is)
		}
	}
	asked := 0
	byFunc, err := Open(ctx, path, KeyFunc(func(context.Context) (Key, error) { asked++; return testKey(t, 'k'), nil }))
	require.NoError(t, err)
	require.NoError(t, byFunc.Rewrite(ctx))
	assert.NotZero(t, asked)
	_, err = Open(ctx, path, KeyFunc(nil))
	require.ErrorIs(t, err, ErrKey)
}

func TestTombstonesElsewhere(t *testing.T) {
	ctx := t.Context()
	tombs := filepath.Join(t.TempDir(), "tombs")
	s := testStore(t, WithTombstones(tombs))
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	_, err = Open(ctx, s.path, testKey(t, 'k'))
	require.ErrorIs(t, err, ErrRolledBack, "they are not where they were looked for")
	reopen(t, s, WithTombstones(tombs))
}

// A link stays a link, and what it leads to is written.
func TestLinks(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(s.path, link); err != nil {
		t.Skip("this system makes no links here:", err)
	}
	linked, err := Open(ctx, link, testKey(t, 'k'), WithTombstones(s.tombs))
	require.NoError(t, err)
	_, err = linked.Generate(ctx, "contoso")
	require.NoError(t, err)
	_, err = s.Secret(ctx, "contoso", 1)
	require.NoError(t, err)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink)
}

// Secrets that are mounted read-only can be used.
func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("needs a user whom permissions bind: not root, not Windows")
	}
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(filepath.Dir(s.path), 0o500))
	defer os.Chmod(filepath.Dir(s.path), 0o700)
	_, err = token(t, reopen(t, s), oneScope)
	require.NoError(t, err)
	_, err = s.Generate(ctx, "contoso")
	require.ErrorIs(t, err, fs.ErrPermission)
}

// Several programs on one file: nothing is lost and no number is given twice.
func TestConcurrentUse(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	var mu sync.Mutex
	given := map[uint32]bool{}
	var wg sync.WaitGroup
	for worker := range 6 {
		mine := s
		if worker%2 == 0 {
			mine = reopen(t, s)
		}
		wg.Go(func() {
			for range 15 {
				v, err := mine.Generate(ctx, "contoso")
				if !assert.NoError(t, err) {
					return
				}
				mu.Lock()
				assert.False(t, given[v], "version %d was given twice", v)
				given[v] = true
				mu.Unlock()
				if v%3 == 0 {
					assert.NoError(t, mine.Destroy(ctx, "contoso", v, because))
				}
				_, err = mine.Versions(ctx, "contoso")
				assert.NoError(t, err)
				_, err = mine.Secret(ctx, "contoso", v)
				assert.Equal(t, v%3 == 0, errors.Is(err, pseudonym.ErrDestroyed), "%v", err)
			}
		})
	}
	wg.Wait()
	all, err := s.Status(ctx, "contoso")
	require.NoError(t, err)
	require.Len(t, all, 90)
	for _, st := range all {
		want := pseudonym.StateLive
		if st.Version%3 == 0 {
			want = pseudonym.StateDestroyed
		}
		assert.Equal(t, want, st.State, st.Version)
	}
}

func TestWaitingEnds(t *testing.T) {
	s := testStore(t)
	unlock, err := s.files.lock(s.path + ".lock")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.Generate(ctx, "contoso")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "another program holds the lock")
	unlock()
	_, err = s.Generate(t.Context(), "contoso")
	require.NoError(t, err, "the lock that came late was given back")
	done, stop := context.WithCancel(t.Context())
	stop()
	_, err = s.Generate(done, "contoso")
	require.ErrorIs(t, err, context.Canceled)
}

func TestSubjectsInFile(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	open := func(store *Store) *pseudonym.Subjects {
		people, err := pseudonym.NewSubjects(ctx, store, store, oneScope, "user.unique_id")
		require.NoError(t, err)
		return people
	}
	of := func(people *pseudonym.Subjects, id string) pseudonym.Token {
		p, err := people.Subject(ctx, pseudonym.Text(id))
		require.NoError(t, err)
		tokens, err := p.Candidates(jane)
		require.NoError(t, err)
		return tokens[len(tokens)-1]
	}
	people := open(s)
	_, err = people.Known(ctx, pseudonym.Text("u-1"))
	require.ErrorIs(t, err, pseudonym.ErrUnknown)
	one, two := of(people, "u-1"), of(people, "u-2")
	assert.NotEqual(t, one, two, "the same address of two persons")
	assert.Equal(t, one, of(open(reopen(t, s)), "u-1"))

	// The tenant's secret is rotated and the old one destroyed; persons stay who they are.
	_, err = s.Generate(ctx, "contoso")
	require.NoError(t, err)
	people = open(s)
	assert.Equal(t, one, of(people, "u-1"), "found by the old index token")
	require.NoError(t, people.Erase(ctx, pseudonym.Text("u-2"), because))
	p, err := people.Known(ctx, pseudonym.Text("u-1"))
	require.NoError(t, err)
	newest, err := p.Token(jane)
	require.NoError(t, err)
	require.NoError(t, s.Destroy(ctx, "contoso", 1, because))
	people = open(reopen(t, s))
	p, err = people.Known(ctx, pseudonym.Text("u-1"))
	require.NoError(t, err, "found by the new one")
	again, err := p.Token(jane)
	require.NoError(t, err)
	assert.Equal(t, newest, again)
	_, err = people.Subject(ctx, pseudonym.Text("u-2"))
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
	require.NoError(t, people.Erase(ctx, pseudonym.Text("u-2"), because), "once more is no error")
	require.NoError(t, people.Erase(ctx, pseudonym.Text("u-3"), because), "somebody unknown")
	_, err = people.Subject(ctx, pseudonym.Text("u-3"))
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
	info, err := s.Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, info.Subjects)
	assert.Equal(t, 2, info.Erased)
}

// A tombstone that is found by an old index token is put under the new one.
func TestTombstoneSurvivesRotation(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	open := func() *pseudonym.Subjects {
		people, err := pseudonym.NewSubjects(ctx, s, s, oneScope, "user.unique_id")
		require.NoError(t, err)
		return people
	}
	_, err := s.Generate(ctx, "contoso")
	require.NoError(t, err)
	_, err = open().Subject(ctx, pseudonym.Int(1))
	require.NoError(t, err)
	require.NoError(t, open().Erase(ctx, pseudonym.Int(1), because))
	_, err = s.Generate(ctx, "contoso")
	require.NoError(t, err)
	_, err = open().Subject(ctx, pseudonym.Int(1))
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
	require.NoError(t, s.Destroy(ctx, "contoso", 1, because))
	_, err = open().Subject(ctx, pseudonym.Int(1))
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
	s = reopen(t, s)
	_, err = open().Subject(ctx, pseudonym.Int(1))
	require.ErrorIs(t, err, pseudonym.ErrDestroyed)
}

func TestEpochsInFile(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	e, err := pseudonym.NewEpochs(s, rand.Reader, pseudonym.Day)
	require.NoError(t, err)
	for day := range 5 {
		now := at.Add(time.Duration(day) * pseudonym.Day)
		_, err := e.Turn(ctx, "visitors", now, because)
		require.NoError(t, err)
		_, err = e.New(ctx, pseudonym.Scope{Tenant: "visitors", Purpose: "counting", Category: "visitor"}, now)
		require.NoError(t, err)
	}
	vs, err := s.Versions(ctx, "visitors")
	require.NoError(t, err)
	assert.Len(t, vs, 2, "today's and yesterday's")
}

// Any mix of rotating, destroying, taking backups of the secrets and putting them back:
// what was destroyed is never used again, no number is given twice, and what is there is
// what was made under that number.
func TestRestoreProperty(t *testing.T) {
	key := testKey(t, 'k')
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		f := newWeak(1)
		s, err := Create(ctx, "secrets", key, withFiles(f))
		require.NoError(t, err)
		made, dead := map[uint32]pseudonym.Token{}, map[uint32]bool{}
		backups := [][]byte{f.Get("secrets")}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"rotate", "rotate", "destroy", "plan", "backup", "restore", "reopen"}).Draw(t, "what") {
			case "rotate":
				v, err := s.Generate(ctx, "contoso")
				require.NoError(t, err)
				require.NotContains(t, made, v, "a number was given twice")
				p, err := pseudonym.New(ctx, s, oneScope)
				require.NoError(t, err)
				made[v], err = p.Token(jane)
				require.NoError(t, err)
			case "destroy", "plan":
				if len(made) == 0 {
					continue
				}
				v := uint32(rapid.IntRange(1, len(made)).Draw(t, "version"))
				if rapid.Bool().Draw(t, "planned") {
					if err := s.DestroyPending(ctx, "contoso", v, at, because); err != nil {
						require.True(t, dead[v])
					}
					_, err := s.DestroyDue(ctx, at)
					require.NoError(t, err)
				} else {
					require.NoError(t, s.Destroy(ctx, "contoso", v, because))
				}
				dead[v] = true
			case "backup":
				backups = append(backups, f.Get("secrets"))
			case "restore":
				f.Put("secrets", rapid.SampledFrom(backups).Draw(t, "backup"))
			case "reopen":
				s, err = Open(ctx, "secrets", key, withFiles(f))
				require.NoError(t, err)
			}
			for v := range dead {
				_, err := s.Secret(ctx, "contoso", v)
				require.ErrorIs(t, err, pseudonym.ErrDestroyed)
				require.ErrorIs(t, s.Import(ctx, "contoso", v, bytes.Repeat([]byte{1}, 32)), pseudonym.ErrDestroyed)
			}
			p, err := pseudonym.New(ctx, s, oneScope)
			if err != nil {
				continue // nothing is alive
			}
			tokens, err := p.Candidates(jane)
			require.NoError(t, err)
			for _, token := range tokens {
				require.False(t, dead[token.Version()], "a destroyed secret was used")
				require.Equal(t, made[token.Version()], token)
			}
		}
	})
}

// Whatever is accepted as a key is 32 bytes, and no error shows the text.
func FuzzParseKey(f *testing.F) {
	for _, text := range []string{"", strings.Repeat("ab", 32), "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=", "correct horse battery staple"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseKey(text)
		if err != nil {
			require.ErrorIs(t, err, ErrKey)
			if len(strings.TrimSpace(text)) > 8 {
				require.NotContains(t, err.Error(), strings.TrimSpace(text))
			}
			return
		}
		again, err := ParseKey(hex.EncodeToString(k.b.p[:]))
		require.NoError(t, err)
		require.Equal(t, k, again)
	})
}
