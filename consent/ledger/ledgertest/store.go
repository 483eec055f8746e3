package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/privetdev/privet/consent/ledger"
)

// An OpenStore makes an empty log and opens it. The function that it returns opens
// the same log again; it is called after the store was closed, unless the store is
// not exclusive: then both are used at once. It is nil for a store that does not
// outlive being closed.
type OpenStore func(t *testing.T) (ledger.Store, func() ledger.Store)

// RunStore checks a store.
func RunStore(t *testing.T, open OpenStore) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, OpenStore)
	}{
		{"empty", storeEmpty},
		{"read_back", storeReadBack},
		{"build", storeBuild},
		{"large", storeLarge},
		{"drop", storeDrop},
		{"context", storeContext},
		{"concurrent", storeConcurrent},
		{"two_writers", storeTwoWriters},
		{"reading_meanwhile", storeReadingMeanwhile},
		{"again", storeAgain},
		{"closed", storeClosed},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open) })
	}
}

func opened(t *testing.T, open OpenStore) ledger.Store {
	t.Helper()
	s, _ := open(t)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// must fails the test on an error.
func must(t *testing.T, err error, doing string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", doing, err)
	}
}

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func handle(n int) (h ledger.Handle) {
	h[0], h[1], h[15] = byte(n), byte(n>>8), 1
	return h
}

// entry makes the entry that follows on end. Its payload is bytes of no meaning: a
// store knows nothing of what it keeps.
func entry(end ledger.Tail, id string, h ledger.Handle, sealed []byte) ledger.Entry {
	v := ledger.Envelope{Seq: end.Size + 1, Prev: end.Last, ID: id, Kind: ledger.KindGranted, Known: day(1), Valid: day(1), Purpose: "p", Commitment: ledger.Hash{1}}
	return ledger.Entry{Seq: v.Seq, Envelope: v.Append(nil), Handle: h, Sealed: sealed}
}

// put appends one entry for each handle, with ids and payloads made of their
// places, and returns the entries.
func put(t *testing.T, s ledger.Store, handles ...ledger.Handle) []ledger.Entry {
	t.Helper()
	var out []ledger.Entry
	err := s.Append(context.Background(), func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		out = nil
		for _, h := range handles {
			place := strconv.FormatUint(end.Size+1, 10)
			var sealed []byte
			if h != (ledger.Handle{}) {
				sealed = []byte("sealed " + place)
			}
			out = append(out, entry(end, "id-"+place, h, sealed))
			end = end.Add(out[len(out)-1].Hash())
		}
		return out, end, nil
	})
	must(t, err, "append")
	return out
}

// tailOf works out the end of a log from its entries.
func tailOf(entries []ledger.Entry) ledger.Tail {
	var t ledger.Tail
	for i := range entries {
		t = t.Add(entries[i].Hash())
	}
	return t
}

type sequence = func(func(ledger.Entry, error) bool)

// gather copies a sequence of entries.
func gather(t *testing.T, seq sequence) []ledger.Entry {
	t.Helper()
	var out []ledger.Entry
	for e, err := range seq {
		must(t, err, "read")
		e.Envelope, e.Sealed = bytes.Clone(e.Envelope), bytes.Clone(e.Sealed)
		out = append(out, e)
	}
	return out
}

func sameEntries(t *testing.T, what string, got, want []ledger.Entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d entries, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		g, w := &got[i], &want[i]
		if g.Seq != w.Seq || !bytes.Equal(g.Envelope, w.Envelope) || g.Handle != w.Handle || !bytes.Equal(g.Sealed, w.Sealed) {
			t.Errorf("%s: entry %d is not the one that was appended", what, i)
		}
	}
}

func sameTail(t *testing.T, s ledger.Reader, want ledger.Tail) {
	t.Helper()
	got, err := s.Tail(context.Background())
	must(t, err, "tail")
	if got.Head() != want.Head() || !slices.Equal(got.Peaks, want.Peaks) {
		t.Errorf("the tail has size %d, want %d, or other hashes", got.Size, want.Size)
	}
}

// holds checks that a log is these entries, asked in every way.
func holds(t *testing.T, s ledger.Reader, want []ledger.Entry) {
	t.Helper()
	ctx := context.Background()
	sameTail(t, s, tailOf(want))
	sameEntries(t, "entries", gather(t, s.Entries(ctx, 0)), want)
	bySubject := map[ledger.Handle][]ledger.Entry{}
	for i := range want {
		if h := want[i].Handle; h != (ledger.Handle{}) {
			bySubject[h] = append(bySubject[h], want[i])
		}
	}
	for h, list := range bySubject {
		sameEntries(t, "subject", gather(t, s.Subject(ctx, h, 0)), list)
	}
	for _, i := range []int{0, len(want) / 2, len(want) - 1} {
		if len(want) == 0 {
			break
		}
		v, err := ledger.ParseEnvelope(want[i].Envelope)
		must(t, err, "envelope")
		e, err := s.Find(ctx, v.ID)
		must(t, err, "find")
		sameEntries(t, "find", []ledger.Entry{e}, want[i:i+1])
	}
}

func storeEmpty(t *testing.T, open OpenStore) {
	s := opened(t, open)
	holds(t, s, nil)
	ctx := context.Background()
	sameEntries(t, "entries after the end", gather(t, s.Entries(ctx, 5)), nil)
	sameEntries(t, "nobody's", gather(t, s.Subject(ctx, handle(1), 0)), nil)
	if _, err := s.Find(ctx, "id-1"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("find: %v, want ErrNotFound", err)
	}
	must(t, s.Drop(ctx, handle(1)), "drop of a subject without entries")
}

func storeReadBack(t *testing.T, open OpenStore) {
	s, ctx := opened(t, open), context.Background()
	all := put(t, s, handle(1))
	holds(t, s, all)
	all = append(all, put(t, s, handle(2), handle(1), ledger.Handle{}, handle(3), handle(1))...)
	holds(t, s, all)
	all = append(all, put(t, s, handle(2))...)
	holds(t, s, all)
	for after := range uint64(len(all)) + 1 {
		sameEntries(t, "entries after "+strconv.FormatUint(after, 10), gather(t, s.Entries(ctx, after)), all[after:])
		var mine []ledger.Entry
		for _, e := range all[after:] {
			if e.Handle == handle(1) {
				mine = append(mine, e)
			}
		}
		sameEntries(t, "subject after "+strconv.FormatUint(after, 10), gather(t, s.Subject(ctx, handle(1), after)), mine)
	}
	sameEntries(t, "a handle that is none", gather(t, s.Subject(ctx, handle(9), 0)), nil)
	for _, id := range []string{"id-8", "id-", "", "id-1 ", "ID-1"} {
		if _, err := s.Find(ctx, id); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("find of an id that is none: %v, want ErrNotFound", err)
		}
	}
	for range s.Entries(ctx, 0) {
		break
	}
	for range s.Subject(ctx, handle(1), 0) {
		break
	}
	all = append(all, put(t, s, handle(4))...) // stopping early leaves nothing held
	holds(t, s, all)
}

func storeBuild(t *testing.T, open OpenStore) {
	s, ctx := opened(t, open), context.Background()
	all := put(t, s, handle(1), handle(2))
	refusal := errors.New("refused")
	err := s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		e := entry(end, "never", handle(1), []byte("x"))
		return []ledger.Entry{e}, end.Add(e.Hash()), refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("an error of build came back as %v", err)
	}
	holds(t, s, all)
	calls := 0
	err = s.Append(ctx, func(_ context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		calls++
		if end.Head() != tailOf(all).Head() {
			t.Error("build was given another end than that of the log")
		}
		holds(t, log, all) // the log that build sees is the one whose end it was given
		if _, err := log.Find(ctx, "never"); !errors.Is(err, ledger.ErrNotFound) {
			t.Error("build sees what was refused")
		}
		return nil, ledger.Tail{}, nil
	})
	must(t, err, "append of nothing")
	if calls == 0 {
		t.Error("build was not called")
	}
	holds(t, s, all)
}

func storeLarge(t *testing.T, open OpenStore) {
	s := opened(t, open)
	var all []ledger.Entry
	err := s.Append(context.Background(), func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		all = nil
		add := func(e ledger.Entry) {
			all = append(all, e)
			end = end.Add(e.Hash())
		}
		v := ledger.Envelope{Seq: end.Size + 1, Prev: end.Last, ID: "long", Purpose: "p"}
		v.Purpose = string(bytes.Repeat([]byte{'p'}, ledger.MaxEnvelope-len(v.Append(nil))+1))
		add(ledger.Entry{Seq: v.Seq, Envelope: v.Append(nil), Handle: handle(1), Sealed: []byte{1}})
		sealed := make([]byte, ledger.MaxSealed)
		for i := range sealed {
			sealed[i] = byte(i * 7)
		}
		add(entry(end, "heavy", handle(1), sealed))
		for i := range 3000 {
			add(entry(end, "many-"+strconv.Itoa(i), handle(i%100), []byte{0, byte(i)}))
		}
		return all, end, nil
	})
	must(t, err, "append")
	holds(t, s, all)
}

func storeDrop(t *testing.T, open OpenStore) {
	s, again := open(t)
	t.Cleanup(func() { _ = s.Close() })
	ctx := context.Background()
	all := put(t, s, handle(1), handle(2), handle(1), handle(3))
	must(t, s.Drop(ctx, handle(9)), "drop of a subject without entries")
	holds(t, s, all)
	for range 2 { // doing it again does nothing
		must(t, s.Drop(ctx, handle(1)), "drop")
		for _, i := range []int{0, 2} {
			all[i].Handle, all[i].Sealed = ledger.Handle{}, nil
		}
		sameEntries(t, "of the dropped", gather(t, s.Subject(ctx, handle(1), 0)), nil)
		holds(t, s, all) // envelopes, tail and everybody else are as they were
	}
	all = append(all, put(t, s, handle(2), handle(4))...)
	holds(t, s, all)
	if again == nil {
		return
	}
	must(t, s.Close(), "close")
	s = again()
	t.Cleanup(func() { _ = s.Close() })
	holds(t, s, all)
	sameEntries(t, "of the dropped", gather(t, s.Subject(ctx, handle(1), 0)), nil)
}

func storeContext(t *testing.T, open OpenStore) {
	s := opened(t, open)
	all := put(t, s, handle(1), handle(1))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	gave := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want the context's error", what, err)
		}
	}
	_, err := s.Tail(ended)
	gave("tail", err)
	_, err = s.Find(ended, "id-1")
	gave("find", err)
	gave("drop", s.Drop(ended, handle(1)))
	gave("append", s.Append(ended, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		e := entry(end, "never", handle(1), []byte("x"))
		return []ledger.Entry{e}, end.Add(e.Hash()), nil
	}))
	for name, seq := range map[string]sequence{"entries": s.Entries(ended, 0), "subject": s.Subject(ended, handle(1), 0)} {
		n := 0
		for _, err := range seq {
			gave(name, err)
			n++
		}
		if n != 1 {
			t.Errorf("%s: %d results, want one error", name, n)
		}
	}
	holds(t, s, all)

	// One that ends while build runs: recorded if and only if there is no error.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var more []ledger.Entry
	err = s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		cancel()
		more = []ledger.Entry{entry(end, "late", handle(1), []byte("x"))}
		return more, end.Add(more[0].Hash()), nil
	})
	switch {
	case err == nil:
		all = append(all, more...)
	case errors.Is(err, ledger.ErrUnknown):
		t.Log("the store does not know whether it recorded: allowed, and not tested further")
		return
	}
	holds(t, s, all)
}

// writers appends from 16 goroutines, to stores in turn, and checks that there is
// one history in which nothing is lost.
func writers(t *testing.T, stores ...ledger.Store) {
	t.Helper()
	ctx := context.Background()
	const each = 25
	before, err := stores[0].Tail(ctx)
	must(t, err, "tail")
	var wg sync.WaitGroup
	for w := range 16 {
		s := stores[w%len(stores)]
		wg.Go(func() {
			for i := range each {
				err := s.Append(ctx, func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
					// What build sees stands still.
					seen := uint64(0)
					for e, err := range log.Subject(ctx, handle(100+w), 0) {
						if err != nil {
							return nil, ledger.Tail{}, err
						}
						if e.Seq > end.Size {
							t.Error("build sees an entry that follows the end it was given")
						}
						seen++
					}
					if seen != uint64(2*i) {
						t.Errorf("build sees %d entries of its writer, want %d", seen, 2*i)
					}
					a := entry(end, "a-"+strconv.Itoa(w)+"-"+strconv.Itoa(i), handle(100+w), []byte{byte(w), byte(i)})
					end = end.Add(a.Hash())
					b := entry(end, "b-"+strconv.Itoa(w)+"-"+strconv.Itoa(i), handle(100+w), []byte{byte(w), byte(i), 1})
					return []ledger.Entry{a, b}, end.Add(b.Hash()), nil
				})
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		all := gather(t, s.Entries(ctx, 0))
		holds(t, s, all)
		if got, want := uint64(len(all)), before.Size+16*each*2; got != want {
			t.Errorf("%d entries, want %d", got, want)
		}
		last := ledger.Hash{}
		for i := range all {
			v, err := ledger.ParseEnvelope(all[i].Envelope)
			must(t, err, "envelope")
			if v.Seq != uint64(i)+1 || all[i].Seq != v.Seq || v.Prev != last {
				t.Fatalf("entry %d does not follow the one before: the log has forked", i+1)
			}
			last = all[i].Hash()
		}
	}
}

func storeConcurrent(t *testing.T, open OpenStore) {
	writers(t, opened(t, open))
}

func storeTwoWriters(t *testing.T, open OpenStore) {
	s, again := open(t)
	t.Cleanup(func() { _ = s.Close() })
	if s.Exclusive() || again == nil {
		t.Skip("one writer only")
	}
	second := again()
	t.Cleanup(func() { _ = second.Close() })
	all := put(t, s, handle(1))
	holds(t, second, all)
	all = append(all, put(t, second, handle(1), handle(2))...)
	holds(t, s, all)
	must(t, second.Drop(context.Background(), handle(1)), "drop")
	sameEntries(t, "what the other dropped", gather(t, s.Subject(context.Background(), handle(1), 0)), nil)
	writers(t, s, second)
}

func storeReadingMeanwhile(t *testing.T, open OpenStore) {
	s, ctx := opened(t, open), context.Background()
	put(t, s, handle(1), handle(2))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for r := range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				before, err := s.Tail(ctx)
				if err != nil {
					t.Errorf("tail: %v", err)
					return
				}
				seq, mine := uint64(0), uint64(0)
				for e, err := range s.Entries(ctx, 0) {
					if err != nil {
						t.Errorf("entries: %v", err)
						return
					}
					if seq++; e.Seq != seq {
						t.Errorf("entry %d comes in the place of %d", e.Seq, seq)
						return
					}
				}
				for e, err := range s.Subject(ctx, handle(r%2+1), 0) {
					if err != nil || e.Seq <= mine {
						t.Errorf("subject: %v, or out of order", err)
						return
					}
					mine = e.Seq
				}
				if seq < before.Size {
					t.Errorf("%d entries were read of %d", seq, before.Size)
					return
				}
			}
		})
	}
	for range 50 {
		put(t, s, handle(1), handle(2), handle(3))
	}
	must(t, s.Drop(ctx, handle(3)), "drop")
	close(done)
	wg.Wait()
	sameEntries(t, "of the dropped", gather(t, s.Subject(ctx, handle(3), 0)), nil)
}

func storeAgain(t *testing.T, open OpenStore) {
	s, again := open(t)
	t.Cleanup(func() { _ = s.Close() })
	if again == nil {
		t.Skip("the store does not outlive being closed")
	}
	var all []ledger.Entry
	for range 3 {
		all = append(all, put(t, s, handle(1), handle(2), ledger.Handle{})...)
		must(t, s.Close(), "close")
		s = again()
		t.Cleanup(func() { _ = s.Close() })
		holds(t, s, all)
	}
}

func storeClosed(t *testing.T, open OpenStore) {
	s := opened(t, open)
	put(t, s, handle(1))
	must(t, s.Close(), "close")
	ctx := context.Background()
	gave := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", what, err)
		}
	}
	_, err := s.Tail(ctx)
	gave("tail", err)
	_, err = s.Find(ctx, "id-1")
	gave("find", err)
	gave("drop", s.Drop(ctx, handle(1)))
	gave("append", s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		e := entry(end, "never", handle(1), []byte("x"))
		return []ledger.Entry{e}, end.Add(e.Hash()), nil
	}))
	for _, err := range s.Entries(ctx, 0) {
		gave("entries", err)
	}
	for _, err := range s.Subject(ctx, handle(1), 0) {
		gave("subject", err)
	}
}
