package ledgertest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// RunLedger checks a ledger on top of a store and of keys.
func RunLedger(t *testing.T, store OpenStore, keys OpenKeys) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, OpenStore, OpenKeys)
	}{
		{"one_history", ledgerOneHistory},
		{"erase", ledgerErase},
		{"crash_while_erasing", ledgerCrash},
		{"again", ledgerAgain},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, store, keys) })
	}
}

func newLedger(t *testing.T, s ledger.Store, k ledger.Keys) *ledger.Ledger {
	t.Helper()
	l, err := ledger.New(context.Background(), s, k)
	must(t, err, "new")
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func verify(t *testing.T, l *ledger.Ledger) ledger.Report {
	t.Helper()
	r, err := l.Verify(context.Background(), ledger.Checks{})
	must(t, err, "verify")
	for _, problem := range r.Problems {
		t.Errorf("verify: %v", problem)
	}
	return r
}

func granted(subject string, n int) ledger.Event {
	return ledger.Granted(subject, consent.Scope{Purpose: "p", Channel: "email"}, day(n))
}

// events counts the events of a subject.
func events(t *testing.T, l *ledger.Ledger, subject string) int {
	t.Helper()
	n := 0
	for _, err := range l.Events(context.Background(), subject, ledger.AsOf{}) {
		must(t, err, "events")
		n++
	}
	return n
}

// ledgerOneHistory appends from 16 goroutines, some to subjects that they share, in
// turn through as many ledgers as the store allows.
func ledgerOneHistory(t *testing.T, store OpenStore, keys OpenKeys) {
	s, again := store(t)
	k, _ := keys(t)
	ledgers := []*ledger.Ledger{newLedger(t, s, k)}
	if !s.Exclusive() && again != nil {
		ledgers = append(ledgers, newLedger(t, again(), k))
	}
	ctx := context.Background()
	const each = 20
	var wg sync.WaitGroup
	for w := range 16 {
		l := ledgers[w%len(ledgers)]
		wg.Go(func() {
			for i := range each {
				mine := granted("own-"+strconv.Itoa(w), i+1)
				shared := granted("shared", w*each+i+1)
				if _, err := l.Append(ctx, mine, shared); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				if _, err := l.Append(ctx, mine, shared); err != nil { // a retry
					t.Errorf("append: %v", err)
				}
				v, err := l.View(ctx, mine.Subject, ledger.AsOf{Valid: mine.Valid})
				if err != nil || v == nil {
					t.Errorf("view: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for _, l := range ledgers {
		r := verify(t, l)
		if r.Opened != 16*each*2 {
			t.Errorf("%d entries were opened, want %d", r.Opened, 16*each*2)
		}
		if n := events(t, l, "shared"); n != 16*each {
			t.Errorf("%d events of the shared subject, want %d", n, 16*each)
		}
		h, err := l.Head(ctx)
		must(t, err, "head")
		if h != r.Head {
			t.Error("the ledgers have two heads")
		}
	}
	// Only one of those who saw the same head may follow it.
	h, err := ledgers[0].Head(ctx)
	must(t, err, "head")
	won := make(chan bool, 16)
	for w := range 16 {
		l := ledgers[w%len(ledgers)]
		wg.Go(func() {
			_, err := l.AppendAfter(ctx, h, granted("race-"+strconv.Itoa(w), 1))
			if err != nil && !errors.Is(err, ledger.ErrConflict) {
				t.Errorf("append after a head: %v", err)
			}
			won <- err == nil
		})
	}
	wg.Wait()
	close(won)
	winners := 0
	for w := range won {
		if w {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d appended after the same head, want 1", winners)
	}
	verify(t, ledgers[0])
}

func isErased(t *testing.T, l *ledger.Ledger, subject string) bool {
	t.Helper()
	v, err := l.View(context.Background(), subject, ledger.AsOf{Valid: day(1)})
	must(t, err, "view")
	e, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "p"}}})
	must(t, err, "engine")
	return e.Decide(v, &consent.Request{Purpose: "p", At: day(1)}).Reason == consent.ReasonErased
}

func ledgerErase(t *testing.T, store OpenStore, keys OpenKeys) {
	s, again := store(t)
	k, _ := keys(t)
	l := newLedger(t, s, k)
	ledgers := []*ledger.Ledger{l}
	if !s.Exclusive() && again != nil {
		ledgers = append(ledgers, newLedger(t, again(), k))
	}
	ctx := context.Background()
	named := granted("jane", 2)
	named.ID = "grant-1"
	_, err := l.Append(ctx, granted("jane", 1), named, granted("john", 1))
	must(t, err, "append")
	for _, l := range ledgers { // fill what they remember
		if isErased(t, l, "jane") || events(t, l, "jane") != 2 {
			t.Error("the events are not there")
		}
	}
	before, err := l.Prove(ctx, "grant-1")
	must(t, err, "prove")
	event, err := l.Erase(ctx, "jane", day(5), ledger.OnRequest)
	must(t, err, "erase")
	if event.Kind != ledger.KindErased || event.Dropped != 2 || event.Seq != 4 {
		t.Errorf("the erasure says kind %s, dropped %d, seq %d", event.Kind, event.Dropped, event.Seq)
	}
	for _, l := range ledgers {
		if !isErased(t, l, "jane") || events(t, l, "jane") != 0 {
			t.Error("the subject is not erased")
		}
		if isErased(t, l, "john") || events(t, l, "john") != 1 {
			t.Error("another subject was erased, too")
		}
		if _, err := l.Append(ctx, granted("jane", 6)); !errors.Is(err, ledger.ErrErased) {
			t.Errorf("append for an erased subject: %v, want ErrErased", err)
		}
		once, err := l.Erase(ctx, "jane", day(6), ledger.OnOrder)
		must(t, err, "erase again")
		if once.ID != event.ID || once.Seq != event.Seq {
			t.Error("an erasure was recorded twice")
		}
		if _, err := l.Open(ctx, "jane", "grant-1"); !errors.Is(err, ledger.ErrErased) {
			t.Errorf("open after an erasure: %v, want ErrErased", err)
		}
	}
	for e, err := range s.Entries(ctx, 0) {
		must(t, err, "entries")
		if e.Seq <= 2 && (len(e.Sealed) > 0 || e.Handle != (ledger.Handle{})) {
			t.Errorf("entry %d still has its payload", e.Seq)
		}
	}
	if _, err := before.Check(); err != nil {
		t.Errorf("the proof from before: %v", err)
	}
	after, err := l.Prove(ctx, "grant-1")
	must(t, err, "prove")
	if v, err := after.Check(); err != nil || v.ID != "grant-1" || v.Kind != ledger.KindGranted {
		t.Errorf("the proof of an erased subject's event: %v", err)
	}
	c, err := l.ProveConsistency(ctx, before.Head)
	must(t, err, "prove consistency")
	must(t, c.Check(), "consistency")
	if r := verify(t, l); r.Erased != 2 || r.Opened != 1 {
		t.Errorf("verify: %d erased and %d opened, want 2 and 1", r.Erased, r.Opened)
	}
}

// ledgerCrash breaks off erasures at each of their steps: a new ledger finishes them.
func ledgerCrash(t *testing.T, store OpenStore, keys OpenKeys) {
	for _, step := range []string{"destroyed", "recorded", "dropped"} {
		t.Run(step, func(t *testing.T) {
			s, _ := store(t)
			k, _ := keys(t)
			l := newLedger(t, broken{s, step}, brokenKeys{k, step})
			ctx := context.Background()
			_, err := l.Append(ctx, granted("jane", 1), granted("jane", 2), granted("john", 1))
			must(t, err, "append")
			if _, err := l.Erase(ctx, "jane", day(3), ledger.OnRequest); !errors.Is(err, errCrash) {
				t.Fatalf("erase: %v, want the crash", err)
			}
			if !isErased(t, l, "jane") {
				t.Error("the key is gone, and the view does not say so")
			}
			verify(t, l)
			l = newLedger(t, s, k)
			if unfinished, err := k.Unfinished(ctx); err != nil || len(unfinished) != 0 {
				t.Errorf("unfinished: %v, %d left", err, len(unfinished))
			}
			if !isErased(t, l, "jane") || events(t, l, "john") != 1 {
				t.Error("the erasure was not finished")
			}
			event, err := l.Erase(ctx, "jane", day(9), ledger.OnOrder)
			must(t, err, "erase again")
			if event.Seq != 4 || event.Dropped != 2 || event.Why != ledger.OnRequest {
				t.Error("the erasure is not the one that was begun")
			}
			if r := verify(t, l); r.Erased != 2 || r.Head.Seq != 4 {
				t.Errorf("verify: %d erased in %d entries, want 2 in 4", r.Erased, r.Head.Seq)
			}
		})
	}
}

var errCrash = errors.New("crash")

// broken stops working at a step of an erasure.
type broken struct {
	ledger.Store
	step string
}

func (b broken) Append(ctx context.Context, build func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	return b.Store.Append(ctx, func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		entries, tail, err := build(ctx, log, end)
		if err == nil && b.step == "destroyed" && len(entries) == 1 {
			return nil, ledger.Tail{}, errCrash
		}
		return entries, tail, err
	})
}

func (b broken) Drop(ctx context.Context, h ledger.Handle) error {
	if b.step == "recorded" {
		return errCrash
	}
	return b.Store.Drop(ctx, h)
}

type brokenKeys struct {
	ledger.Keys
	step string
}

func (b brokenKeys) Finish(ctx context.Context, g ledger.Tag) error {
	if b.step == "dropped" {
		return errCrash
	}
	return b.Keys.Finish(ctx, g)
}

// ledgerAgain closes and opens a ledger between any two things that it does.
func ledgerAgain(t *testing.T, store OpenStore, keys OpenKeys) {
	s, sAgain := store(t)
	k, kAgain := keys(t)
	if sAgain == nil || kAgain == nil {
		t.Skip("does not outlive being closed")
	}
	l := newLedger(t, s, k)
	ctx := context.Background()
	id := l.ID()
	reopen := func() {
		t.Helper()
		before, err := l.Head(ctx)
		must(t, err, "head")
		must(t, l.Close(), "close")
		if _, err := l.Head(ctx); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("head of a closed ledger: %v, want ErrClosed", err)
		}
		l = newLedger(t, sAgain(), kAgain())
		after, err := l.Head(ctx)
		must(t, err, "head")
		if before != after || l.ID() != id {
			t.Error("the log is another one after it was opened again")
		}
		verify(t, l)
	}
	for i := range 3 {
		_, err := l.Append(ctx, granted("jane", i+1), granted("john", i+1))
		must(t, err, "append")
		reopen()
		_, err = l.Append(ctx, granted("jane", i+1), granted("john", i+1))
		must(t, err, "append again")
		if h, _ := l.Head(ctx); h.Seq != uint64(2*i+2) {
			t.Error("events were recorded twice")
		}
		if n := events(t, l, "jane"); n != i+1 {
			t.Errorf("%d events, want %d", n, i+1)
		}
	}
	_, err := l.Erase(ctx, "jane", day(9), ledger.OnRetention)
	must(t, err, "erase")
	reopen()
	if !isErased(t, l, "jane") || isErased(t, l, "john") || events(t, l, "john") != 3 {
		t.Error("the erasure was forgotten, or reached somebody else")
	}
}
