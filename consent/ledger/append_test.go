package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// A slowStore holds appends up until it is told to go on, and fails as it is told.
type slowStore struct {
	ledger.Store
	appends atomic.Int64
	entered chan struct{}
	gate    chan struct{}
	fail    func() error // after recording
}

func newSlowStore() *slowStore {
	return &slowStore{Store: ledger.NewMemoryStore(), entered: make(chan struct{}, 100), gate: make(chan struct{})}
}

func (s *slowStore) Append(ctx context.Context, build func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	s.appends.Add(1)
	s.entered <- struct{}{}
	select {
	case <-s.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.Store.Append(ctx, build); err != nil {
		return err
	}
	if s.fail != nil {
		return s.fail()
	}
	return nil
}

// Calls that come while others are being recorded are recorded together, and what
// is wrong with one of them is its own.
func TestGroupCommit(t *testing.T) {
	s := newSlowStore()
	l := open(t, s, ledger.NewMemoryKeys())
	type result struct {
		name string
		head ledger.Head
		err  error
	}
	results := make(chan result, 20)
	start := func(name string, f func() (ledger.Head, error)) {
		go func() {
			head, err := f()
			results <- result{name, head, err}
		}()
	}
	start("first", func() (ledger.Head, error) { return l.Append(ctx, ledger.Granted(jane, diag, day(1))) })
	<-s.entered
	named := ledger.Granted("p", diag, day(3))
	named.ID = "mine"
	for i := range 8 {
		start("good", func() (ledger.Head, error) {
			return l.Append(ctx, ledger.Granted(fmt.Sprintf("s%d", i), diag, day(1)))
		})
	}
	start("conflict", func() (ledger.Head, error) {
		return l.AppendAfter(ctx, ledger.Head{Seq: 77}, ledger.Granted(jane, diag, day(5)))
	})
	start("named", func() (ledger.Head, error) { return l.Append(ctx, named) })
	start("named", func() (ledger.Head, error) { return l.Append(ctx, named) })
	for l.Waiting() < 11 {
		runtime.Gosched()
	}
	s.gate <- struct{}{}
	<-s.entered
	close(s.gate)
	seen := map[uint64]bool{}
	for range 12 {
		r := <-results
		if r.name == "conflict" {
			require.ErrorIs(t, r.err, ledger.ErrConflict)
			continue
		}
		require.NoError(t, r.err)
		if r.name == "good" {
			require.False(t, seen[r.head.Seq], "each call is told the head after its own events")
			seen[r.head.Seq] = true
		}
	}
	assert.EqualValues(t, 2, s.appends.Load(), "eleven calls shared one append")
	r := verifies(t, l)
	assert.EqualValues(t, 10, r.Head.Seq)
}

func TestContextEndsWhileRecording(t *testing.T) {
	s := newSlowStore()
	l := open(t, s, ledger.NewMemoryKeys())
	ending, cancel := context.WithCancel(ctx)
	errs := make(chan error, 2)
	go func() { _, err := l.Append(ctx, ledger.Granted(jane, diag, day(1))); errs <- err }()
	<-s.entered
	go func() { _, err := l.Append(ending, ledger.Granted(jane, diag, day(2))); errs <- err }()
	for l.Waiting() < 1 {
		runtime.Gosched()
	}
	cancel()
	err := <-errs
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ledger.ErrUnknown, "it was still waiting: nothing was recorded")
	s.gate <- struct{}{}
	require.NoError(t, <-errs)

	ending, cancel = context.WithCancel(ctx)
	go func() { _, err := l.Append(ending, ledger.Granted(jane, diag, day(3))); errs <- err }()
	<-s.entered
	cancel()
	err = <-errs
	require.ErrorIs(t, err, context.Canceled, "alone: the store gives up as well")
	for l.Busy() {
		runtime.Gosched()
	}
	head, err := l.Head(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, head.Seq)
	close(s.gate)
	head = appendAll(t, l, ledger.Granted(jane, diag, day(3)))
	require.EqualValues(t, 2, head.Seq, "appended again, it is recorded once")
	verifies(t, l)
}

// A connection that is lost while events are recorded leaves them recorded or not:
// appending again finds out.
func TestNotKnownWhetherRecorded(t *testing.T) {
	for _, exclusive := range []bool{true, false} {
		var inner ledger.Store = &plainStore{}
		if exclusive {
			inner = ledger.NewMemoryStore()
		}
		s := newSlowStore()
		s.Store = inner
		close(s.gate)
		l := open(t, s, ledger.NewMemoryKeys())
		appendAll(t, l, ledger.Granted(jane, diag, day(1)))
		lost := errors.Join(errors.New("sqlstore: connection lost"), ledger.ErrUnknown)
		s.fail = func() error { return lost }
		_, err := l.Append(ctx, ledger.Withdrawn(jane, diag, day(2)))
		require.ErrorIs(t, err, ledger.ErrUnknown)
		e := newEngine(t)
		require.Equal(t, consent.ReasonWithdrawn, reasonAt(t, l, e, "diagnostic.optional", ledger.AsOf{Valid: day(3)}), "what may be recorded is read again")
		s.fail = nil
		require.EqualValues(t, 2, appendAll(t, l, ledger.Withdrawn(jane, diag, day(2))).Seq)
		verifies(t, l)
	}
}

func TestClose(t *testing.T) {
	s := newSlowStore()
	l := open(t, s, ledger.NewMemoryKeys())
	errs := make(chan error, 2)
	go func() { _, err := l.Append(ctx, ledger.Granted(jane, diag, day(1))); errs <- err }()
	<-s.entered
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	for !l.Closed() {
		runtime.Gosched()
	}
	s.gate <- struct{}{}
	require.NoError(t, <-errs, "what was under way is recorded")
	require.NoError(t, <-closed)
	require.NoError(t, l.Close(), "again")
	_, err := l.Append(ctx, ledger.Granted(jane, diag, day(1)))
	require.ErrorIs(t, err, ledger.ErrClosed)
	_, err = l.View(ctx, jane, ledger.AsOf{Valid: day(1)})
	require.ErrorIs(t, err, ledger.ErrClosed)
	_, err = l.Erase(ctx, jane, day(1), ledger.OnRequest)
	require.ErrorIs(t, err, ledger.ErrClosed)
	_, err = l.Verify(ctx, ledger.Checks{})
	require.ErrorIs(t, err, ledger.ErrClosed)
	_, err = l.Prove(ctx, "e1")
	require.ErrorIs(t, err, ledger.ErrClosed)
	for _, err := range l.Events(ctx, jane, ledger.AsOf{}) {
		require.ErrorIs(t, err, ledger.ErrClosed)
	}
}

// Nobody is recorded after having been erased, however the two race.
func TestEraseWhileAppending(t *testing.T) {
	for round := range 20 {
		store, keys := ledger.Store(&plainStore{}), ledger.NewMemoryKeys()
		if round%2 == 0 {
			store = ledger.NewMemoryStore()
		}
		l := open(t, store, keys)
		second := l
		if !store.Exclusive() {
			second = open(t, store, keys)
		}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 30 {
					log := l
					if i%2 == 1 {
						log = second
					}
					_, err := log.Append(ctx, ledger.Granted(jane, diag, day(1).AddDate(0, w, i)), ledger.Granted(fmt.Sprintf("other%d", w), diag, day(1).AddDate(0, w, i)))
					if err != nil {
						assert.ErrorIs(t, err, ledger.ErrErased)
						return
					}
				}
			})
		}
		wg.Go(func() {
			_, err := second.Erase(ctx, jane, day(2), ledger.OnRequest)
			assert.NoError(t, err)
		})
		wg.Wait()
		for _, log := range []*ledger.Ledger{l, second} {
			_, err := log.Append(ctx, ledger.Granted(jane, diag, day(1)))
			require.ErrorIs(t, err, ledger.ErrErased)
			require.Equal(t, consent.ReasonErased, reasonOf(t, log, newEngine(t), jane, 1))
			verifies(t, log)
		}
	}
}

func TestEraseErrors(t *testing.T) {
	l := ledger.NewMemory()
	for _, err := range []error{
		second(l.Erase(ctx, "", day(1), ledger.OnRequest)),
		second(l.Erase(ctx, strings.Repeat("x", 257), day(1), ledger.OnRequest)),
		second(l.Erase(ctx, jane, ledger.Event{}.Valid, ledger.OnRequest)),
		second(l.Erase(ctx, jane, day(1), 0)),
		second(l.Erase(ctx, jane, day(1), 4)),
	} {
		var wrong *ledger.EventError
		require.ErrorAs(t, err, &wrong)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, second(l.Erase(ended, jane, day(1), ledger.OnRequest)), context.Canceled)
	ev, err := l.Erase(ctx, jane, day(1), ledger.OnRequest)
	require.NoError(t, err, "nothing was recorded of her")
	assert.Zero(t, ev.Dropped)
	assert.Equal(t, consent.ReasonErased, reasonOf(t, l, newEngine(t), jane, 1))
	require.ErrorIs(t, second(l.Append(ctx, ledger.Merged("john", jane, day(2)))), ledger.ErrErased, "nor merged")
	assert.NoError(t, second(l.Append(ctx, ledger.Granted("john", diag, day(1)))))

	late := ledger.Granted("jim", diag, day(1))
	late.Known = day(8)
	appendAll(t, l, late)
	ev, err = l.Erase(ctx, "jim", day(3), ledger.OnOrder)
	require.NoError(t, err)
	assert.Equal(t, []any{day(3), day(8), ledger.OnOrder, uint64(1)}, []any{ev.Valid, ev.Known, ev.Why, ev.Dropped}, "known does not run backwards")
	verifies(t, l)
}

func second[T any](_ T, err error) error { return err }

// What is kept ready stays within its bound, and nothing depends on it.
func TestCacheIsBounded(t *testing.T) {
	l := ledger.NewMemory(ledger.WithCache(50))
	e := newEngine(t)
	for i := range 400 {
		who := fmt.Sprintf("s%d", i%100)
		appendAll(t, l, ledger.Granted(who, diag, day(1).AddDate(0, 0, i/100)))
		_, cost := l.Cached()
		require.LessOrEqual(t, cost, 50)
	}
	appendAll(t, l, ledger.Withdrawn("s3", diag, day(9)))
	for i := range 100 {
		want := consent.ReasonConsent
		if i == 3 {
			want = consent.ReasonWithdrawn
		}
		require.Equal(t, want, reasonOf(t, l, e, fmt.Sprintf("s%d", i), 9))
		require.Equal(t, consent.ReasonConsentUnset, reasonOf(t, l, e, fmt.Sprintf("nobody%d", i), 9))
	}
	subjects, cost := l.Cached()
	require.LessOrEqual(t, cost, 50)
	require.LessOrEqual(t, subjects, 50)
	big := make([]ledger.Event, 200)
	for i := range big {
		big[i] = ledger.Granted("big", diag, day(1).AddDate(0, 0, i))
	}
	appendAll(t, l, big...) // larger than the cache
	require.Equal(t, consent.ReasonConsent, reasonOf(t, l, e, "big", 9))
	verifies(t, l)
}

// Randomness that fails is told, and nothing is recorded.
func TestNoRandomness(t *testing.T) {
	l := ledger.NewMemory(ledger.WithRandom(strings.NewReader(strings.Repeat("r", 60))))
	appendAll(t, l, ledger.Granted(jane, diag, day(1)))
	_, err := l.Append(ctx, ledger.Granted(jane, diag, day(2)))
	require.ErrorContains(t, err, "no random bytes")
	verifies(t, l)
}
