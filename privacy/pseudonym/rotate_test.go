package pseudonym

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var long = flag.Bool("long", false, "compare tokens of 1,000,000 random pairs instead of 20,000")

func TestRetoken(t *testing.T) {
	ctx := t.Context()
	store := testStore(t, 1)
	p, err := New(ctx, store, testScope)
	require.NoError(t, err)
	old, err := p.Token(Email("jane@example.com"))
	require.NoError(t, err)
	same, err := p.Retoken(old, Email("jane@example.com"))
	require.NoError(t, err)
	assert.Equal(t, old, same, "nothing was rotated")

	_, err = store.Generate("contoso", rand.Reader)
	require.NoError(t, err)
	p, err = New(ctx, store, testScope)
	require.NoError(t, err)
	now, err := p.Retoken(old, Email(" Jane@Example.com"))
	require.NoError(t, err)
	want, err := p.Token(Email("jane@example.com"))
	require.NoError(t, err)
	assert.Equal(t, want, now)
	longer, err := New(ctx, store, testScope, WithIDLength(20))
	require.NoError(t, err)
	now, err = longer.Retoken(old, Email("jane@example.com"))
	require.NoError(t, err, "the beginning of a longer id is enough")
	assert.Len(t, now.ID(), 20)

	support, err := New(ctx, store, Scope{"contoso", "support", testScope.Category})
	require.NoError(t, err)
	foreign, err := support.Token(Email("jane@example.com"))
	require.NoError(t, err)
	unknown, err := ParseToken("p1_9_mr2gmpm4xx54sepw4ybzpisseq")
	require.NoError(t, err)
	person, err := ParseToken("s1_1_mr2gmpm4xx54sepw4ybzpisseq")
	require.NoError(t, err)
	for _, tt := range []struct {
		old    Token
		value  Value
		is     error
		reason string
	}{
		{old, Email("john@example.com"), ErrMismatch, "another value"},
		{old, Text("jane@example.com"), ErrMismatch, "another type"},
		{foreign, Email("jane@example.com"), ErrMismatch, "another purpose"},
		{unknown, Email("jane@example.com"), ErrUnknown, "a version that is not there"},
		{person, Email("jane@example.com"), ErrToken, "another construction"},
		{Token{}, Email("jane@example.com"), ErrToken, "no token"},
	} {
		got, err := p.Retoken(tt.old, tt.value)
		require.ErrorIs(t, err, tt.is, tt.reason)
		assert.Zero(t, got)
	}
	var refused *ValueError
	_, err = p.Retoken(old, Email(""))
	require.ErrorAs(t, err, &refused)
	_, err = new(Pseudonymiser).Retoken(old, Int(1))
	require.Error(t, err)

	require.NoError(t, store.Destroy(ctx, "contoso", 1, Destruction{}))
	p, err = New(ctx, store, testScope)
	require.NoError(t, err)
	_, err = p.Retoken(old, Email("jane@example.com"))
	require.ErrorIs(t, err, ErrUnknown, "the old secret is gone: nothing can check the old token")
}

var permitted = Permission{Basis: "consent-7", Actor: "ops", Reason: "support asked for", At: noon}

func TestRelink(t *testing.T) {
	ctx := t.Context()
	store := testStore(t, 2)
	open := func(s Scope) *Pseudonymiser {
		p, err := New(ctx, store, s)
		require.NoError(t, err)
		return p
	}
	from, to := open(testScope), open(Scope{"contoso", "support", testScope.Category})
	var records []Relinking
	audit := func(_ context.Context, r Relinking) error { records = append(records, r); return nil }
	r, err := Relink(ctx, from, to, permitted, audit)
	require.NoError(t, err)
	link, err := r.Link(Email("jane@example.com"))
	require.NoError(t, err)
	wantFrom, err := from.Candidates(Email("jane@example.com"))
	require.NoError(t, err)
	wantTo, err := to.Token(Email("jane@example.com"))
	require.NoError(t, err)
	assert.Equal(t, Link{wantFrom, wantTo}, link)
	assert.Equal(t, []Relinking{{
		From: testScope, To: Scope{"contoso", "support", testScope.Category}, FromVersions: []uint32{2, 1}, ToVersion: 2, Permission: permitted,
	}}, records)
	_, err = r.Link(Email(""))
	require.Error(t, err)

	require.NoError(t, store.Add("fabrikam", 1, testSecret(t, 'f')))
	full := errors.New("the disk of the audit is full")
	change := func(f func(*Permission)) Permission { p := permitted; f(&p); return p }
	records = nil
	for _, tt := range []struct {
		from, to   *Pseudonymiser
		permission Permission
		audit      func(context.Context, Relinking) error
		is         error
		reason     string
	}{
		{from, to, Permission{}, audit, ErrPermission, "the zero Permission permits nothing"},
		{from, to, change(func(p *Permission) { p.Basis = "" }), audit, ErrPermission, "nobody decided"},
		{from, to, change(func(p *Permission) { p.Actor = "" }), audit, ErrPermission, "nobody does it"},
		{from, to, change(func(p *Permission) { p.Reason = "" }), audit, ErrPermission, "for nothing"},
		{from, to, change(func(p *Permission) { p.At = time.Time{} }), audit, ErrPermission, "at no time"},
		{from, to, change(func(p *Permission) { p.Expires = noon }), audit, ErrPermission, "expired this moment"},
		{from, to, permitted, nil, ErrPermission, "no record"},
		{from, to, permitted, func(context.Context, Relinking) error { return full }, full, "the record was not kept"},
		{from, open(testScope), permitted, audit, ErrScope, "one scope: no crossing"},
		{from, open(Scope{"fabrikam", "support", testScope.Category}), permitted, audit, ErrScope, "two tenants"},
		{from, nil, permitted, audit, errNotMade, "one side only"},
		{new(Pseudonymiser), to, permitted, audit, errNotMade, "no secret on one side"},
	} {
		r, err := Relink(ctx, tt.from, tt.to, tt.permission, tt.audit)
		require.ErrorIs(t, err, tt.is, tt.reason)
		assert.Nil(t, r, tt.reason)
	}
	assert.Empty(t, records, "what was refused is no crossing")
	_, err = Relink(ctx, from, to, change(func(p *Permission) { p.Expires = noon.Add(1) }), audit)
	require.NoError(t, err, "not expired yet")
	_, err = new(Relinker).Link(Int(1))
	require.Error(t, err)
}

func TestMemoryPending(t *testing.T) {
	ctx := t.Context()
	m := testStore(t, 3)
	until := noon.Add(30 * Day)
	d := Destruction{At: noon, Actor: "ops", Reason: "the customer left", Copies: until.Add(Day)}
	p, err := New(ctx, m, testScope)
	require.NoError(t, err)
	before, err := p.Candidates(Int(1))
	require.NoError(t, err)

	require.NoError(t, m.DestroyPending(ctx, "contoso", 3, until, d))
	_, err = m.Secret(ctx, "contoso", 3)
	require.ErrorIs(t, err, ErrPending)
	require.NotErrorIs(t, err, ErrDestroyed, "it can come back: its tokens are linkable")
	require.ErrorIs(t, m.Add("contoso", 3, testSecret(t, 'x')), ErrPending)
	require.ErrorIs(t, m.Make(ctx, "contoso", 3, rand.Reader), ErrPending)
	p, err = New(ctx, m, testScope)
	require.NoError(t, err)
	during, err := p.Candidates(Int(1))
	require.NoError(t, err)
	assert.Equal(t, before[1:], during, "out of use")
	v, err := m.Generate("contoso", rand.Reader)
	require.NoError(t, err)
	assert.EqualValues(t, 4, v, "its number is taken")
	done, err := m.DestroyDue(ctx, until.Add(-1))
	require.NoError(t, err)
	assert.Empty(t, done)
	require.NoError(t, m.CancelDestroy(ctx, "contoso", 3))
	require.NoError(t, m.CancelDestroy(ctx, "contoso", 3), "in use: nothing to do")
	got, err := m.Secret(ctx, "contoso", 3)
	require.NoError(t, err)
	assert.Equal(t, testSecret(t, 'd').b.p, got.b.p, "the same secret")

	require.NoError(t, m.DestroyPending(ctx, "contoso", 2, until, d))
	require.NoError(t, m.DestroyPending(ctx, "contoso", 3, until, d))
	m.Hold(func(_ context.Context, target Target) (string, bool, error) {
		return "order-7", target.Version == 2, nil
	})
	done, err = m.DestroyDue(ctx, until)
	require.ErrorIs(t, err, ErrHeld)
	var held *HeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, "order-7", held.By)
	assert.NotContains(t, err.Error(), "order-7", "a reference is the caller's words")
	d.At = until
	check := testSecret(t, 'd').Check("contoso", 3)
	assert.Equal(t, []Status{{Tenant: "contoso", Version: 3, State: StateDestroyed, Check: check, Destruction: d}}, done)
	assert.False(t, done[0].Complete(until), "a backup has it for another day")
	assert.True(t, done[0].Complete(until.Add(Day)))
	require.ErrorIs(t, m.Destroy(ctx, "contoso", 2, d), ErrHeld)
	require.ErrorIs(t, m.DestroyPending(ctx, "contoso", 1, until, d), nil)
	require.ErrorIs(t, m.DestroyPending(ctx, "contoso", 2, until, d), ErrHeld)
	require.ErrorIs(t, m.DestroyPending(ctx, "contoso", 3, until, d), ErrDestroyed)
	require.ErrorIs(t, m.CancelDestroy(ctx, "contoso", 3), ErrDestroyed, "too late")
	require.ErrorIs(t, m.CancelDestroy(ctx, "contoso", 9), ErrUnknown)
	require.ErrorIs(t, m.CancelDestroy(ctx, "nobody", 1), ErrUnknown)
	require.ErrorIs(t, m.DestroyPending(ctx, "contoso", 9, until, d), ErrUnknown)

	var states []State
	for i, st := range m.Status("contoso") {
		assert.EqualValues(t, i+1, st.Version)
		states = append(states, st.State)
		assert.Equal(t, st.State == StatePending, !st.Until.IsZero())
		assert.Equal(t, st.State == StateDestroyed, st.Complete(until.Add(Day)))
	}
	assert.Equal(t, []State{StatePending, StatePending, StateDestroyed, StateLive}, states)
	assert.Empty(t, m.Status("nobody"))
	require.NoError(t, m.DestroyPending(ctx, "contoso", 4, until, d))
	_, err = m.Versions(ctx, "contoso")
	require.ErrorIs(t, err, ErrPending)
	_, err = New(ctx, m, testScope)
	require.ErrorIs(t, err, ErrPending)
	require.ErrorContains(t, err, "waits for its destruction")
	assert.Equal(t, []string{"unknown", "live", "pending", "destroyed", "missing", "invalid"},
		[]string{StateUnknown.String(), StateLive.String(), StatePending.String(), StateDestroyed.String(), StateMissing.String(), State(9).String()})
}

// Any sequence of rotations and destructions: look-ups find every token whose secret
// is alive, newest first, and nothing makes a token whose secret was destroyed.
func TestRotationKeepsLookups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		var m Memory
		written := map[uint32]Token{}
		dead := map[uint32]Token{}
		rows := NewSubjectMemory(rand.Reader)
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			alive := slices.Sorted(maps.Keys(written))
			if len(alive) > 1 && rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				v := rapid.SampledFrom(alive[:len(alive)-1]).Draw(t, "version")
				require.NoError(t, m.Destroy(ctx, "contoso", v, Destruction{}))
				dead[v] = written[v]
				delete(written, v)
			} else {
				_, err := m.Generate("contoso", rand.Reader)
				require.NoError(t, err)
				p, err := New(ctx, &m, testScope)
				require.NoError(t, err)
				token, err := p.Token(Email("jane@example.com"))
				require.NoError(t, err)
				written[token.Version()] = token
			}
			p, err := New(ctx, &m, testScope)
			require.NoError(t, err)
			found, err := p.Candidates(Email("jane@example.com"))
			require.NoError(t, err)
			want := slices.SortedFunc(maps.Values(written), func(a, b Token) int { return int(b.Version()) - int(a.Version()) })
			require.Equal(t, want, found)
			for v, token := range dead {
				require.NotContains(t, found, token)
				_, err := p.Retoken(token, Email("jane@example.com"))
				require.ErrorIs(t, err, ErrUnknown)
				require.ErrorIs(t, m.Add("contoso", v, testSecret(t, 'a')), ErrDestroyed)
				require.ErrorIs(t, m.Make(ctx, "contoso", v, rand.Reader), ErrDestroyed)
			}
			tokenOf(t, testSubjects(t, &m, rows), "u-1") // as long as versions overlap, a person stays one
			require.LessOrEqual(t, len(personsOf(rows)), 1)
		}
	})
}

func personsOf(rows *SubjectMemory) map[*subjectEntry]bool {
	all := map[*subjectEntry]bool{}
	for _, e := range rows.rows {
		all[e] = true
	}
	return all
}

// Random pairs that differ in exactly one of tenant, purpose, category, version, type,
// person or construction, under one secret for all: their tokens differ. And no token
// of the whole run is made twice. 1,000,000 pairs with -long.
func TestNoTokenIsShared(t *testing.T) {
	pairs := 20_000
	if *long {
		pairs = 1_000_000
	}
	random := mathrand.New(mathrand.NewPCG(6, 6))
	secret := testSecret(t, 's').b.p
	person := [2][SecretSize]byte{{1}, {2}}
	name := func() string { return strconv.FormatUint(random.Uint64(), 36) }
	mac := func(s Scope, version uint32, typ byte, value string, who int) [MinIDLength]byte {
		var k *key
		var err error
		if who == 0 {
			k, err = newKey(secret, s, version)
		} else {
			var sk *subjectKey
			if sk, err = newSubjectKey(secret, s, version); err == nil {
				k = readyKey(sk.derive(&person[who-1]), suiteS1, version)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		st := k.pool.Get().(*macState)
		st.msg = append(append(st.msg[:0], typ), value...)
		st.authenticate()
		return [MinIDLength]byte(st.sum[:])
	}
	seen := make(map[[MinIDLength]byte]struct{}, 2*pairs)
	differences := map[int]int{}
	for range pairs {
		s := Scope{name(), name(), name()}
		version, typ, value, who := random.Uint32()|1, byte(random.IntN(11)+1), name(), random.IntN(3)
		s2, version2, typ2, who2 := s, version, typ, who
		what := random.IntN(7)
		switch what {
		case 0:
			s2.Tenant = name()
		case 1:
			s2.Purpose = name()
		case 2:
			s2.Category = name()
		case 3:
			version2 ^= 1 << random.IntN(32)
		case 4:
			typ2 = typ%11 + 1
		case 5:
			who, who2 = 1, 2
		case 6: // the border between two parts moves
			s2 = Scope{s.Tenant + s.Purpose[:1], s.Purpose[1:] + "x", s.Category}
			s.Purpose += "x"
			if len(s.Purpose) < 3 {
				continue
			}
		}
		differences[what]++
		for _, m := range [2][MinIDLength]byte{mac(s, version, typ, value, who), mac(s2, version2, typ2, value, who2)} {
			if _, twice := seen[m]; twice {
				t.Fatalf("a token was made twice, in a pair of kind %d", what)
			}
			seen[m] = struct{}{}
		}
	}
	assert.Len(t, differences, 7)
}
