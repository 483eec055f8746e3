package pseudonym

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/conform/leak"
)

// hiddenSource gives bytes and shows none: what a random source prints of itself is
// not ours.
type hiddenSource func([]byte) int

func (f hiddenSource) Read(b []byte) (int, error) { return f(b), nil }

func sourceOf(b []byte) hiddenSource { return func(dst []byte) int { return copy(dst, b) } }

// Subjects, their store, epochs, statuses and relinkers print no secret and no key, also
// in somebody's unexported field.
func TestSubjectsAndEpochsDoNotPrint(t *testing.T) {
	ctx := t.Context()
	raw, person := []byte("KEYMATERIAL-zyxwvutsrqponmlkjihg"), []byte("PERSONSECRET-0987654321abcdefghi")
	secret, err := NewSecret(raw)
	require.NoError(t, err)
	var store, days Memory
	require.NoError(t, store.Add("contoso", 1, secret))
	rows := NewSubjectMemory(sourceOf(person))
	subjects := testSubjects(t, &store, rows)
	one, err := subjects.Subject(ctx, Int(1))
	require.NoError(t, err)
	_, err = one.Token(Int(1))
	require.NoError(t, err)
	epochs, err := NewEpochs(&days, sourceOf(raw), Day)
	require.NoError(t, err)
	today, err := epochs.New(ctx, visitors, noon)
	require.NoError(t, err)
	support, err := New(ctx, &store, Scope{"contoso", "support", "c"})
	require.NoError(t, err)
	analytics, err := New(ctx, &store, testScope)
	require.NoError(t, err)
	relinker, err := Relink(ctx, analytics, support, permitted, func(context.Context, Relinking) error { return nil })
	require.NoError(t, err)

	subjectKey := subjects.keys[0].derive((*[SecretSize]byte)(person))
	derived, err := deriveKey(secret.b.p, labelSubject, testScope, 1, 32)
	require.NoError(t, err)

	type nested struct {
		Name     string
		subjects *Subjects
		byValue  Subjects
		one      *Pseudonymiser
		rows     *SubjectMemory
		epochs   *Epochs
		relinker Relinker
		entry    []subjectEntry
		any      map[string]any
	}
	n := nested{"n", subjects, *subjects, one, rows, epochs, *relinker, nil, map[string]any{"s": secret, "p": one, "r": *relinker}}
	for _, e := range rows.rows {
		n.entry = append(n.entry, *e)
	}
	all := []any{
		subjects, *subjects, subjects.keys, subjects.keys[0], *subjects.keys[0], one, *one, rows, n, &n,
		epochs, *epochs, today, relinker, *relinker, store.Status("contoso"), n.entry, []Secret{secret},
	}
	out := leak.Print(all...)
	require.True(t, strings.Contains(out, hiddenSecret), "nothing was printed at all")
	assert.Zero(t, leak.Find(out, raw, person, subjectKey, derived), "printed")
}

// Canary: nothing of an input is in an error of subjects, epochs, rotation and
// destruction.
func TestCanaryOfSubjects(t *testing.T) {
	const canary = "canary@example.test"
	ctx := t.Context()
	long := strings.Repeat(canary, 300)
	var out strings.Builder
	seen := 0
	note := func(err error) {
		t.Helper()
		require.Error(t, err)
		seen++
		fmt.Fprintf(&out, "%v %+v\n", err, err)
	}
	held := func(context.Context, Target) (string, bool, error) { return canary, true, nil }
	broken := func(context.Context, Target) (string, bool, error) { return "", false, fmt.Errorf("%s", canary) }
	store, rows := testStore(t, 1), NewSubjectMemory(strings.NewReader(strings.Repeat("r", 32)))
	for _, index := range []string{"", long, canary + "\xff"} {
		_, err := NewSubjects(ctx, store, rows, testScope, index)
		note(err)
	}
	_, err := NewSubjects(ctx, store, rows, Scope{long, "p", "c"}, "u")
	note(err)
	p := testSubjects(t, store, rows)
	for _, v := range []Value{Phone(canary), Text(long), Email(canary + canary), Text(canary + "\xff")} {
		_, err := p.Subject(ctx, v)
		note(err)
		note(p.Erase(ctx, v, Destruction{}))
	}
	_, err = p.Known(ctx, Text(canary))
	note(err)
	rows.Hold(held)
	note(p.Erase(ctx, Text(canary), Destruction{Actor: canary, Reason: canary}))
	rows.Hold(broken)
	note(p.Erase(ctx, Text(canary), Destruction{}))
	_, err = rows.Subject(ctx, long, []Token{{}}, true)
	note(err)
	store.Hold(held)
	note(store.Destroy(ctx, "contoso", 1, Destruction{Actor: canary, Reason: canary}))
	note(store.DestroyPending(ctx, "contoso", 1, noon, Destruction{Reason: canary}))
	store.Hold(broken)
	note(store.Destroy(ctx, "contoso", 1, Destruction{Actor: canary}))
	note(store.CancelDestroy(ctx, canary, 1))
	note(store.Make(ctx, canary, 1, strings.NewReader(canary)))
	note(store.Make(ctx, long, 1, strings.NewReader(canary)))

	from, err := New(ctx, store, testScope)
	require.NoError(t, err)
	token, err := from.Token(Text(canary))
	require.NoError(t, err)
	_, err = from.Retoken(token, Text(canary+"x"))
	note(err)
	_, err = from.Retoken(token, Phone(canary))
	note(err)
	_, err = Relink(ctx, from, from, Permission{Basis: canary, Actor: canary, Reason: canary, At: noon}, func(context.Context, Relinking) error { return nil })
	note(err)
	_, err = Relink(ctx, from, from, Permission{Basis: canary, Actor: canary, Reason: canary, At: noon, Expires: noon}, nil)
	note(err)
	e, err := NewEpochs(store, strings.NewReader(canary), time.Hour)
	require.NoError(t, err)
	_, err = e.New(ctx, Scope{canary, canary, long}, noon)
	note(err)
	_, err = e.New(ctx, Scope{canary, canary, canary}, noon)
	note(err)
	_, err = e.Turn(ctx, "contoso", noon, Destruction{Reason: canary})
	note(err)
	assert.Greater(t, seen, 25)
	assert.NotContains(t, out.String(), "canary")
	assert.NotContains(t, out.String(), "63616e617279")
}
