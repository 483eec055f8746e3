package pseudonym

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	visitors = Scope{"visitors", "counting", "visitor"}
	noon     = time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
)

func testEpochs(t tester, store Keeper) *Epochs {
	t.Helper()
	e, err := NewEpochs(store, rand.Reader, Day)
	require.NoError(t, err)
	return e
}

func TestEpochs(t *testing.T) {
	ctx := t.Context()
	var store Memory
	e := testEpochs(t, &store)
	visit := func(now time.Time) (Token, []Token) {
		p, err := e.New(ctx, visitors, now)
		require.NoError(t, err)
		token, err := p.Token(Text("visitor-1"))
		require.NoError(t, err)
		all, err := p.Candidates(Text("visitor-1"))
		require.NoError(t, err)
		require.Equal(t, token, all[0])
		return token, all
	}
	first, all := visit(noon)
	assert.Len(t, all, 1, "nobody came yesterday")
	same, _ := visit(noon.Add(11 * time.Hour))
	assert.Equal(t, first, same, "joins within the day")

	next, all := visit(noon.Add(12 * time.Hour))
	assert.NotEqual(t, first.ID(), next.ID())
	assert.Equal(t, []Token{next, first}, all, "a visit is followed across midnight")
	late, _ := visit(noon.Add(12*time.Hour - time.Second))
	assert.Equal(t, first, late, "an event that comes late belongs to its day")

	done, err := e.Turn(ctx, "visitors", noon.Add(Day), Destruction{Actor: "timer"})
	require.NoError(t, err)
	assert.Empty(t, done, "today's and yesterday's stay")
	turned := noon.Add(2 * Day)
	done, err = e.Turn(ctx, "visitors", turned, Destruction{Actor: "timer"})
	require.NoError(t, err)
	assert.Equal(t, []uint32{first.Version()}, done)
	d, ok := store.Destroyed("visitors", first.Version())
	require.True(t, ok)
	assert.Equal(t, Destruction{At: turned, Actor: "timer"}, d)
	_, err = e.New(ctx, visitors, noon)
	require.ErrorIs(t, err, ErrDestroyed, "nothing makes the first day's tokens again")
	assert.False(t, turned.Before(e.Due(first.Version())), "not kept beyond its time")
	assert.Equal(t, 48*time.Hour, e.Due(7).Sub(e.Start(7)))

	// Somebody comes after a week without visitors, and then an event of that week.
	_, all = visit(noon.Add(9 * Day))
	assert.Len(t, all, 1)
	_, err = e.New(ctx, visitors, noon.Add(5*Day))
	require.ErrorIs(t, err, ErrDestroyed, "no secret is made for a day that is long over")
}

func TestEpochsRefused(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		store  Keeper
		period time.Duration
		reason string
	}{
		{nil, Day, "no store"},
		{new(Memory), 0, "no period"},
		{new(Memory), time.Second, "shorter than a minute"},
		{new(Memory), 32 * Day, "longer than a month"},
		{new(Memory), time.Hour + 1, "no whole seconds: two programs could round it differently"},
	} {
		_, err := NewEpochs(tt.store, rand.Reader, tt.period)
		require.ErrorIs(t, err, ErrOption, tt.reason)
	}
	_, err := NewEpochs(new(Memory), nil, Day)
	require.ErrorIs(t, err, ErrOption, "this package has no randomness of its own")
	_, err = new(Epochs).Version(noon)
	require.Error(t, err)

	e := testEpochs(t, new(Memory))
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), time.Unix(1<<60, 0)} {
		_, err := e.New(ctx, visitors, at)
		require.ErrorIs(t, err, ErrOption, "a clock that was not set")
		_, err = e.Turn(ctx, "visitors", at, Destruction{})
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = e.New(ctx, Scope{}, noon)
	require.ErrorIs(t, err, ErrScope)
	_, err = e.Turn(ctx, "", noon, Destruction{})
	require.ErrorIs(t, err, ErrScope)
	_, err = e.New(ctx, visitors, noon, WithIDLength(1))
	require.ErrorIs(t, err, ErrOption)
	broken, err := NewEpochs(new(Memory), strings.NewReader(""), Day)
	require.NoError(t, err)
	_, err = broken.New(ctx, visitors, noon)
	require.ErrorIs(t, err, ErrSecret)

	// Rotated secrets in the same place would be taken for very old epochs.
	store := testStore(t, 3)
	mixed := testEpochs(t, store)
	_, err = mixed.New(ctx, testScope, noon)
	require.ErrorIs(t, err, ErrScope)
	_, err = mixed.Turn(ctx, "contoso", noon, Destruction{})
	require.ErrorIs(t, err, ErrScope)
	vs, err := store.Versions(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, []uint32{3, 2, 1}, vs, "nothing was destroyed, and nothing made")
}

func TestEpochsUnderHold(t *testing.T) {
	ctx := t.Context()
	var store Memory
	e := testEpochs(t, &store)
	var days []uint32
	for day := range 4 {
		p, err := e.New(ctx, visitors, noon.Add(time.Duration(day)*Day))
		require.NoError(t, err)
		days = append(days, p.keys[0].version)
	}
	store.Hold(func(_ context.Context, target Target) (string, bool, error) {
		return "order-7", target.Version == days[0], nil
	})
	done, err := e.Turn(ctx, "visitors", noon.Add(4*Day), Destruction{})
	require.ErrorIs(t, err, ErrHeld)
	assert.Equal(t, days[1:3], done, "what is not held is destroyed")
	_, err = e.New(ctx, visitors, noon.Add(4*Day))
	require.NoError(t, err, "a hold on an old day stops nobody today")
}

// Several programs share a store: each day has one secret, whoever makes it.
func TestEpochsOnSeveralNodes(t *testing.T) {
	var store Memory
	var mu sync.Mutex
	tokens := map[int]map[Token]bool{}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			e := testEpochs(t, &store)
			for day := range 10 {
				now := noon.Add(time.Duration(day) * Day)
				_, err := e.Turn(t.Context(), "visitors", now, Destruction{})
				if err != nil {
					assert.ErrorIs(t, err, ErrDestroyed, "another node is days ahead")
					continue
				}
				p, err := e.New(t.Context(), visitors, now)
				if err != nil {
					assert.ErrorIs(t, err, ErrDestroyed)
					continue
				}
				token, err := p.Token(Int(1))
				assert.NoError(t, err)
				mu.Lock()
				if tokens[day] == nil {
					tokens[day] = map[Token]bool{}
				}
				tokens[day][token] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.NotEmpty(t, tokens[9])
	for day, all := range tokens {
		assert.Len(t, all, 1, day)
	}
}

// Whatever the times at which nodes turn: never more than two epochs before or at the
// newest are alive after a turn at the newest time, and a destroyed one never returns.
func TestEpochsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var store Memory
		e := testEpochs(t, &store)
		gone := map[uint32]bool{}
		newest := noon
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now := noon.Add(time.Duration(rapid.IntRange(0, 240).Draw(t, "hours")) * time.Hour)
			if rapid.Bool().Draw(t, "turn") {
				done, err := e.Turn(t.Context(), "visitors", now, Destruction{})
				if err != nil {
					require.ErrorIs(t, err, ErrDestroyed)
				}
				for _, v := range done {
					require.False(t, now.Before(e.Due(v)), "destroyed before it was due")
					gone[v] = true
				}
			} else if p, err := e.New(t.Context(), visitors, now); err != nil {
				require.True(t, errors.Is(err, ErrDestroyed))
			} else {
				require.False(t, gone[p.keys[0].version])
				require.LessOrEqual(t, len(p.keys), 2)
			}
			if now.After(newest) {
				newest = now
			}
		}
		_, err := e.Turn(t.Context(), "visitors", newest.Add(Day), Destruction{})
		require.NoError(t, err)
		vs, err := store.Versions(t.Context(), "visitors")
		require.NoError(t, err)
		require.LessOrEqual(t, len(vs), 2)
		for v := range gone {
			require.NotContains(t, vs, v)
		}
	})
}
