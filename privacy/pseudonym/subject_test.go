package pseudonym

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testSubjects(t tester, store SecretStore, rows SubjectStore) *Subjects {
	t.Helper()
	p, err := NewSubjects(context.Background(), store, rows, testScope, "user.unique_id")
	require.NoError(t, err)
	return p
}

// tokenOf is the token of Jane's address as that of a person.
func tokenOf(t tester, p *Subjects, id string) Token {
	t.Helper()
	one, err := p.Subject(context.Background(), Text(id))
	require.NoError(t, err)
	token, err := one.Token(Email("jane@example.com"))
	require.NoError(t, err)
	return token
}

func TestSubjects(t *testing.T) {
	ctx := t.Context()
	store, rows := testStore(t, 1), NewSubjectMemory(rand.Reader)
	p := testSubjects(t, store, rows)
	_, err := p.Known(ctx, Text("u-1"))
	require.ErrorIs(t, err, ErrUnknown, "a look-up makes no secret")
	require.ErrorContains(t, err, "this person has no pseudonyms")
	assert.Empty(t, rows.rows)

	one := tokenOf(t, p, "u-1")
	assert.Equal(t, one, tokenOf(t, p, "u-1"))
	assert.NotEqual(t, one, tokenOf(t, p, "u-2"), "one address of two persons: nothing joins them")
	assert.Equal(t, "s1", one.Suite())
	assert.Equal(t, Linkable, p.Class())

	other, err := NewSubjects(ctx, store, rows, Scope{"contoso", "support", testScope.Category}, "user.unique_id")
	require.NoError(t, err)
	support := tokenOf(t, other, "u-1")
	assert.NotEqual(t, one.ID(), support.ID())
	assert.Len(t, rows.rows, 2, "one row for a person, whatever the purpose")

	d := Destruction{At: time.Unix(1, 0), Actor: "ops", Reason: "asked for it"}
	require.NoError(t, p.Erase(ctx, Text("u-1"), d))
	require.NoError(t, p.Erase(ctx, Text("u-1"), Destruction{}), "twice is no error")
	for _, subjects := range []*Subjects{p, other, testSubjects(t, store, rows)} {
		_, err = subjects.Subject(ctx, Text("u-1"))
		require.ErrorIs(t, err, ErrDestroyed, "for all purposes, and although the tenant's secret is there")
		require.ErrorContains(t, err, "this person was erased")
		_, err = subjects.Known(ctx, Text("u-1"))
		require.ErrorIs(t, err, ErrDestroyed)
	}
	tokenOf(t, p, "u-2")

	for _, e := range rows.rows {
		if e.dead {
			assert.Equal(t, d, e.d, "the first tombstone stays")
			assert.NotZero(t, e.check)
			assert.Zero(t, e.secret)
		}
	}
}

// A row and a tombstone survive the rotation of the tenant's secret, as long as
// somebody comes by while both versions are alive.
func TestSubjectsSurviveRotation(t *testing.T) {
	ctx := t.Context()
	store, rows := testStore(t, 1), NewSubjectMemory(rand.Reader)
	p := testSubjects(t, store, rows)
	old := tokenOf(t, p, "u-1")
	tokenOf(t, p, "u-2")
	require.NoError(t, p.Erase(ctx, Text("u-2"), Destruction{}))

	_, err := store.Generate("contoso", rand.Reader)
	require.NoError(t, err)
	p = testSubjects(t, store, rows)
	one, err := p.Known(ctx, Text("u-1"))
	require.NoError(t, err)
	candidates, err := one.Candidates(Email("jane@example.com"))
	require.NoError(t, err)
	require.Len(t, candidates, 2)
	assert.Equal(t, old, candidates[1], "rows of the old version are found")
	_, err = p.Subject(ctx, Text("u-2"))
	require.ErrorIs(t, err, ErrDestroyed)

	require.NoError(t, store.Destroy(ctx, "contoso", 1, Destruction{}))
	p = testSubjects(t, store, rows)
	assert.Equal(t, candidates[0], tokenOf(t, p, "u-1"))
	_, err = p.Subject(ctx, Text("u-2"))
	require.ErrorIs(t, err, ErrDestroyed)
}

func TestSubjectsRefused(t *testing.T) {
	ctx := t.Context()
	store, rows := testStore(t, 1), NewSubjectMemory(rand.Reader)
	for name, f := range map[string]func() error{
		"scope":       func() error { _, err := NewSubjects(ctx, store, rows, Scope{}, "u"); return err },
		"reserved":    func() error { _, err := NewSubjects(ctx, store, rows, Scope{"contoso", "_x", "c"}, "u"); return err },
		"index":       func() error { _, err := NewSubjects(ctx, store, rows, testScope, ""); return err },
		"row tenant":  func() error { _, err := rows.Subject(ctx, "", []Token{{}}, true); return err },
		"no tokens":   func() error { _, err := rows.Subject(ctx, "contoso", nil, true); return err },
		"zero tokens": func() error { return rows.DestroySubject(ctx, "contoso", []Token{{}}, Destruction{}) },
	} {
		err := f()
		require.Error(t, err, name)
		assert.True(t, errors.Is(err, ErrScope) || errors.Is(err, ErrToken), "%s: %v", name, err)
	}
	_, err := NewSubjects(ctx, store, nil, testScope, "u")
	require.ErrorIs(t, err, ErrOption)
	_, err = NewSubjects(ctx, nil, rows, testScope, "u")
	require.ErrorIs(t, err, ErrOption)
	_, err = NewSubjects(ctx, store, rows, testScope, "u", WithIDLength(3))
	require.ErrorIs(t, err, ErrOption)
	_, err = NewSubjects(ctx, new(Memory), rows, testScope, "u")
	require.ErrorIs(t, err, ErrUnknown)

	p := testSubjects(t, store, rows)
	var value *ValueError
	_, err = p.Subject(ctx, Text(""))
	require.ErrorAs(t, err, &value)
	require.ErrorAs(t, p.Erase(ctx, Phone("x"), Destruction{}), &value)
	_, err = new(Subjects).Subject(ctx, Int(1))
	require.Error(t, err)
	require.Error(t, new(Subjects).Erase(ctx, Int(1), Destruction{}))
	_, err = testSubjects(t, store, new(SubjectMemory)).Subject(ctx, Int(1))
	require.ErrorIs(t, err, ErrSecret, "the zero store makes no secrets")

	rows.Hold(func(_ context.Context, target Target) (string, bool, error) {
		assert.Equal(t, "contoso", target.Tenant)
		assert.Zero(t, target.Version)
		assert.Equal(t, "p1", target.Subject.Suite())
		return "order-7", true, nil
	})
	tokenOf(t, p, "u-1")
	err = p.Erase(ctx, Text("u-1"), Destruction{})
	require.ErrorIs(t, err, ErrHeld)
	require.ErrorContains(t, err, "a hold covers it")
	tokenOf(t, p, "u-1")
}

// One secret for a person also when many ask at once for the first time.
func TestSubjectsConcurrentUse(t *testing.T) {
	p := testSubjects(t, testStore(t, 2), NewSubjectMemory(rand.Reader))
	var mu sync.Mutex
	seen := map[string]map[Token]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 40 {
				id := fmt.Sprint(i % 10)
				token := tokenOf(t, p, id)
				mu.Lock()
				if seen[id] == nil {
					seen[id] = map[Token]bool{}
				}
				seen[id][token] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id, tokens := range seen {
		assert.Len(t, tokens, 1, id)
	}
}

func TestSubjectAppendDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop states at random; go test without -race counts allocations")
	}
	p, err := testSubjects(t, testStore(t, 1), NewSubjectMemory(rand.Reader)).Subject(t.Context(), Text("u-1"))
	require.NoError(t, err)
	buf, v := make([]byte, 0, 63), Bytes(benchValue)
	assert.Zero(t, testing.AllocsPerRun(200, func() { buf, _ = p.Append(buf[:0], v) }))
	assert.Regexp(t, TokenPattern, string(buf))
	assert.True(t, strings.HasPrefix(string(buf), "s1_1_"))
}
