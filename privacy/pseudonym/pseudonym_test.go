package pseudonym

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var testScope = Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.contact.email"}

// tester is what tests, benchmarks and properties have in common.
type tester interface {
	require.TestingT
	Helper()
}

func testSecret(t tester, fill byte) Secret {
	t.Helper()
	s, err := NewSecret([]byte(strings.Repeat(string(fill), SecretSize)))
	require.NoError(t, err)
	return s
}

// testStore has versions 1 to n for the tenant contoso.
func testStore(t tester, n int) *Memory {
	t.Helper()
	var m Memory
	for v := 1; v <= n; v++ {
		require.NoError(t, m.Add("contoso", uint32(v), testSecret(t, byte('a'+v))))
	}
	return &m
}

func testPseudonymiser(t tester, opts ...Option) *Pseudonymiser {
	t.Helper()
	p, err := New(context.Background(), testStore(t, 1), testScope, opts...)
	require.NoError(t, err)
	return p
}

func TestScopeRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, tt := range []struct {
		scope  Scope
		want   string
		reason string
	}{
		{Scope{}, "tenant: is empty", "there is no default tenant"},
		{Scope{"contoso", "", "c"}, "purpose: is empty", "without a purpose everything would join"},
		{Scope{"contoso", "p", ""}, "category: is empty", "without a category equal values in two columns would join"},
		{Scope{long, "p", "c"}, "tenant: is longer", "255 bytes at most"},
		{Scope{"contoso", long, "c"}, "purpose: is longer", "255 bytes at most"},
		{Scope{"contoso", "p", long}, "category: is longer", "255 bytes at most"},
		{Scope{"contoso", "p", "\xff"}, "category: is not valid UTF-8", "two programs could write it differently"},
		{Scope{"contoso", "_subject-index", "c"}, "purpose: a leading _ is reserved", "purposes of this package must not be reachable"},
	} {
		_, err := New(t.Context(), testStore(t, 1), tt.scope)
		require.ErrorIs(t, err, ErrScope, tt.reason)
		assert.ErrorContains(t, err, tt.want, tt.reason)
		assert.NotContains(t, err.Error(), long)
	}
	p, err := New(t.Context(), NewDevelopmentStore(strings.NewReader(strings.Repeat("r", 32))), Scope{long[1:], long[1:], long[1:]})
	require.NoError(t, err, "255 bytes are allowed")
	_, err = p.Token(Int(1))
	require.NoError(t, err)
}

func TestOptionRefused(t *testing.T) {
	for _, n := range []int{-1, 0, 8, 11, 33, 1 << 20} {
		_, err := New(t.Context(), testStore(t, 1), testScope, WithIDLength(n))
		require.ErrorIs(t, err, ErrOption)
	}
	_, err := New(t.Context(), nil, testScope)
	require.ErrorIs(t, err, ErrOption, "no pseudonym without a secret")
	p := testPseudonymiser(t, WithIDLength(99), nil, WithIDLength(12))
	token, err := p.Token(Int(1))
	require.NoError(t, err, "the last option wins")
	assert.Len(t, token.ID(), 12)
}

func TestZeroPseudonymiser(t *testing.T) {
	var p Pseudonymiser
	_, err := p.Append(nil, Int(1))
	assert.Error(t, err)
	_, err = p.Token(Int(1))
	assert.Error(t, err)
	_, err = p.UUID(Int(1))
	assert.Error(t, err)
	_, err = p.Candidates(Int(1))
	assert.Error(t, err)
}

// answers is a store that says what it is told to.
type answers struct {
	versions []uint32
	listErr  error
	secrets  map[uint32]Secret
	err      error
}

func (a answers) Versions(context.Context, string) ([]uint32, error) { return a.versions, a.listErr }
func (a answers) Secret(_ context.Context, _ string, v uint32) (Secret, error) {
	if s, ok := a.secrets[v]; ok {
		return s, nil
	}
	return Secret{}, a.err
}

func TestStoreAnswers(t *testing.T) {
	one := testSecret(t, 'a')
	private := errors.New("dial jane@example.com: refused")
	for _, tt := range []struct {
		store  answers
		is     error
		reason string
	}{
		{answers{listErr: ErrUnknown}, ErrUnknown, "the store does not know the tenant"},
		{answers{listErr: ErrDestroyed}, ErrDestroyed, "all versions of the tenant are destroyed"},
		{answers{}, ErrUnknown, "an empty list is no secret"},
		{answers{versions: []uint32{0}}, ErrScope, "versions count from 1"},
		{answers{versions: make([]uint32, 3)}, ErrScope, "versions count from 1, repeated or not"},
		{answers{versions: []uint32{1}}, ErrSecret, "a zero Secret without an error"},
		{answers{versions: []uint32{1, 2}, err: ErrDestroyed}, ErrDestroyed, "all were destroyed after the list was read"},
		{answers{versions: []uint32{1, 2}, secrets: map[uint32]Secret{2: one}, err: ErrUnknown}, ErrUnknown, "listed but missing: tokens of that version would not be found"},
		{answers{listErr: private}, private, "the cause can be unwrapped"},
		{answers{versions: []uint32{7}, err: private}, private, "the cause can be unwrapped"},
		{answers{versions: []uint32{7}, err: context.Canceled}, context.Canceled, "canceled"},
		{answers{listErr: context.DeadlineExceeded}, context.DeadlineExceeded, "out of time"},
	} {
		p, err := New(t.Context(), tt.store, testScope)
		require.ErrorIs(t, err, tt.is, tt.reason)
		assert.Nil(t, p)
		assert.NotContains(t, err.Error(), "jane", tt.reason)
		assert.True(t, strings.HasPrefix(err.Error(), "pseudonym: "), err.Error())
	}

	many := make([]uint32, maxVersions+1)
	for i := range many {
		many[i] = uint32(i + 1)
	}
	_, err := New(t.Context(), answers{versions: many}, testScope)
	require.ErrorIs(t, err, ErrOption)

	p, err := New(t.Context(), answers{versions: []uint32{2, 9, 2, 5}, secrets: map[uint32]Secret{2: one, 5: one}, err: ErrDestroyed}, testScope)
	require.NoError(t, err, "order and repetition are the store's business; 9 was destroyed meanwhile")
	ts, err := p.Candidates(Int(1))
	require.NoError(t, err)
	require.Len(t, ts, 2)
	assert.Equal(t, uint32(5), ts[0].Version())
	assert.Equal(t, uint32(2), ts[1].Version())
	assert.NotEqual(t, ts[0].ID(), ts[1].ID(), "the version is part of the key, even under the same secret")
}

func TestRotation(t *testing.T) {
	store := testStore(t, 1)
	before, err := New(t.Context(), store, testScope)
	require.NoError(t, err)
	old, err := before.Token(Email("jane@example.com"))
	require.NoError(t, err)

	version, err := store.Generate("contoso", strings.NewReader(strings.Repeat("r", 32)))
	require.NoError(t, err)
	require.Equal(t, uint32(2), version)
	after, err := New(t.Context(), store, testScope)
	require.NoError(t, err)
	written, err := after.Token(Email("jane@example.com"))
	require.NoError(t, err)
	assert.Equal(t, uint32(2), written.Version(), "new tokens are made with the newest secret")
	assert.NotEqual(t, old.ID(), written.ID())
	candidates, err := after.Candidates(Email("Jane@Example.com "))
	require.NoError(t, err)
	assert.Equal(t, []Token{written, old}, candidates, "newest first, so that rows of both versions are found")

	require.NoError(t, store.Destroy(t.Context(), "contoso", 1, Destruction{}))
	last, err := New(t.Context(), store, testScope)
	require.NoError(t, err)
	candidates, err = last.Candidates(Email("jane@example.com"))
	require.NoError(t, err)
	assert.Equal(t, []Token{written}, candidates, "nothing makes the old token any more")
}

func TestScopesAreSeparate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawScope(t), drawScope(t)
		va, vb := rapid.Uint32Range(1, 3).Draw(t, "version"), rapid.Uint32Range(1, 3).Draw(t, "version")
		f := drawForm(t)
		if !f.ok {
			t.Skip("a form that is refused: another is drawn")
		}
		// One secret for all, the worst case: only the derivation separates.
		s, err := NewSecret(drawSecret(t))
		require.NoError(t, err)
		token := func(scope Scope, version uint32) Token {
			p, err := New(context.Background(), answers{versions: []uint32{version}, secrets: map[uint32]Secret{version: s}}, scope)
			require.NoError(t, err)
			require.Equal(t, Linkable, p.Class())
			got, err := p.Token(f.value)
			require.NoError(t, err)
			return got
		}
		ta, tb := token(a, va), token(b, vb)
		if a == b && va == vb {
			require.Equal(t, ta, tb)
		} else {
			require.NotEqual(t, ta.ID(), tb.ID())
		}
	})
}

func TestLengthPrefixes(t *testing.T) {
	p := testPseudonymiser(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z]{4,12}`).Draw(t, "text")
		split := func(name string) (a, b, c string) {
			i := rapid.IntRange(1, len(text)-2).Draw(t, name+" first border")
			j := rapid.IntRange(i+1, len(text)-1).Draw(t, name+" second border")
			return text[:i], text[i:j], text[j:]
		}
		a1, b1, c1 := split("one")
		a2, b2, c2 := split("two")
		same := a1 == a2 && b1 == b2
		require.Equal(t, same, string(keyInfo(labelP1, Scope{a1, b1, c1}, 1)) == string(keyInfo(labelP1, Scope{a2, b2, c2}, 1)))

		one, err := p.Token(Composite(Text(a1), Text(b1), Text(c1)))
		require.NoError(t, err)
		two, err := p.Token(Composite(Text(a2), Text(b2), Text(c2)))
		require.NoError(t, err)
		require.Equal(t, same, one == two, "the borders between parts count")
		three, err := p.Token(Composite(Text(text)))
		require.NoError(t, err)
		four, err := p.Token(Text(text))
		require.NoError(t, err)
		require.NotEqual(t, one, three)
		require.NotEqual(t, three, four, "a composite of one part is not that part")
	})
}

func TestTypesAreSeparate(t *testing.T) {
	p := testPseudonymiser(t)
	seen := map[Token]Type{}
	for _, v := range []Value{
		Bytes([]byte("jane@example.com")), Text("jane@example.com"), Email("jane@example.com"), EmailUID2("jane@example.com"),
		UUID([16]byte([]byte("jane@example.com"))), Composite(Text("jane@example.com")),
	} {
		token, err := p.Token(v)
		require.NoError(t, err)
		assert.NotContains(t, seen, token, "%s and %s", v.Type(), seen[token])
		seen[token] = v.Type()
	}
}

func TestConcurrentUse(t *testing.T) {
	p, err := New(t.Context(), testStore(t, 3), testScope)
	require.NoError(t, err)
	const n = 64
	values := make([]Value, n)
	want := make([][]Token, n)
	for i := range values {
		values[i] = Composite(Int(int64(i)), Text(strings.Repeat("x", 1+i*7)))
		want[i], err = p.Candidates(values[i])
		require.NoError(t, err)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			var buf []byte
			for round := range 200 {
				i := (round*7 + worker) % n
				buf, err := p.Append(buf[:0], values[i])
				if !assert.NoError(t, err) || !assert.Equal(t, want[i][0].String(), string(buf)) {
					return
				}
				got, err := p.Candidates(values[i])
				if !assert.NoError(t, err) || !assert.Equal(t, want[i], got) {
					return
				}
				_, err = p.Token(Phone("jane"))
				assert.Error(t, err)
			}
		})
	}
	wg.Wait()
}

func TestAppendDoesNotAllocate(t *testing.T) {
	p := testPseudonymiser(t, WithIDLength(32))
	buf := make([]byte, 0, 63)
	raw := []byte("user-00000000000000000000000042!")
	composite := Composite(Text("DE"), Int(42))
	for name, f := range map[string]func() error{
		"bytes":      func() (err error) { buf, err = p.Append(buf[:0], Bytes(raw)); return },
		"text":       func() (err error) { buf, err = p.Append(buf[:0], Text("device-42")); return },
		"email":      func() (err error) { buf, err = p.Append(buf[:0], Email(" Jané@Example.com")); return },
		"email-uid2": func() (err error) { buf, err = p.Append(buf[:0], EmailUID2("J.ane+x@gmail.com")); return },
		"phone":      func() (err error) { buf, err = p.Append(buf[:0], Phone("+14255550100")); return },
		"uuid":       func() (err error) { buf, err = p.Append(buf[:0], UUID([16]byte(raw))); return },
		"int":        func() (err error) { buf, err = p.Append(buf[:0], Int(42)); return },
		"date":       func() (err error) { buf, err = p.Append(buf[:0], Date("2024-02-29")); return },
		"ip":         func() (err error) { buf, err = p.Append(buf[:0], IP(addr4)); return },
		"ip-prefix":  func() (err error) { buf, err = p.Append(buf[:0], IPPrefix(prefix4)); return },
		"composite":  func() (err error) { buf, err = p.Append(buf[:0], composite); return },
		"token":      func() (err error) { _, err = p.Token(Bytes(raw)); return },
		"uuid of":    func() (err error) { _, err = p.UUID(Bytes(raw)); return },
	} {
		require.NoError(t, f(), name)
		if raceEnabled {
			continue // the race detector makes sync.Pool drop states at random
		}
		assert.Zero(t, testing.AllocsPerRun(200, func() { f() }), name)
	}
}
