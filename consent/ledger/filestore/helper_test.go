package filestore

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/internal/conform/fragile"
)

var long = flag.Bool("long", false, "kill 2,000 programs instead of 50, fail the power 2,000 times instead of 200, open 10,000,000 events and 1,000,000 keys")

var at = time.Date(2026, 3, 23, 9, 0, 0, 0, time.UTC)

// A weak file system is a fragile one behind what a store asks of it.
type weak struct {
	*fragile.FS
	room *int // bytes until the disk is full; nil: it is never full
}

func newWeak(seed uint64) *weak { return &weak{FS: fragile.New(seed)} }

// A narrow file is on a disk that may be full.
type narrow struct {
	*fragile.File
	w *weak
}

var errFull = errors.New("no space left")

func (n narrow) WriteAt(b []byte, at int64) (int, error) {
	if n.w.room == nil {
		return n.File.WriteAt(b, at)
	}
	size, err := n.Size()
	if err != nil {
		return 0, err
	}
	longer := int(at) + len(b) - int(size)
	if longer <= *n.w.room {
		*n.w.room -= max(longer, 0)
		return n.File.WriteAt(b, at)
	}
	some, err := n.File.WriteAt(b[:max(0, len(b)-longer+*n.w.room)], at)
	*n.w.room = 0
	return some, errors.Join(errFull, err)
}

func (w *weak) mkdir(string) error                   { return w.Up() }
func (w *weak) list(folder string) ([]string, error) { return w.Names(folder), w.Up() }
func (w *weak) rename(from, to string) error         { return w.Rename(from, to) }
func (w *weak) remove(name string) error             { return w.Remove(name) }
func (w *weak) syncDir(string) error                 { return w.SyncDir() }
func (w *weak) private(string) (bool, error)         { return true, w.Up() }

func (w *weak) open(name string, _ bool) (file, error) {
	f, err := w.Open(name)
	if err != nil {
		return nil, err
	}
	return narrow{f, w}, nil
}

func (w *weak) create(name string) (file, error) {
	f, err := w.Create(name)
	if err != nil {
		return nil, err
	}
	return narrow{f, w}, nil
}

// A program that lost its power holds no locks, so nobody ever waits here.
func (w *weak) lock(string) (func(), error)    { return func() {}, w.Up() }
func (w *weak) tryLock(string) (func(), error) { return func() {}, w.Up() }

func handleOf(n int) (h ledger.Handle) {
	binary.BigEndian.PutUint64(h[:], uint64(n)+1)
	h[15] = 1
	return h
}

// payloadOf is what the entry of a Seq holds. No other entry holds the same.
func payloadOf(seq uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seq, 99))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// A writer makes entries that follow each other.
type writer struct {
	subjects int
	size     int // of a payload
	made     int // over all calls
}

func idOf(seq uint64) string { return fmt.Sprintf("id-%d", seq) }

func (w *writer) entries(end ledger.Tail, n int) ([]ledger.Entry, ledger.Tail) {
	var out []ledger.Entry
	for range n {
		seq := end.Size + 1
		env := ledger.Envelope{Seq: seq, Prev: end.Last, ID: idOf(seq), Kind: ledger.KindGranted, Known: at, Valid: at, Purpose: "diagnostic.optional", Strength: consent.Expressed}
		env.Commitment[0] = byte(w.made)
		e := ledger.Entry{Seq: seq, Envelope: env.Append(nil), Handle: handleOf(int(seq) % w.subjects), Sealed: payloadOf(seq, w.size)}
		out = append(out, e)
		end = end.Add(e.Hash())
		w.made++
	}
	return out, end
}

// append records n entries in one call.
func (w *writer) append(ctx context.Context, s *Store, n int) error {
	return s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		entries, tail := w.entries(end, n)
		return entries, tail, nil
	})
}

// What became of the handles of a log: those whose entries up to a Seq must be gone, and
// those whose entries up to a Seq may be.
type fates struct{ gone, doubt map[ledger.Handle]uint64 }

func newFates() fates { return fates{map[ledger.Handle]uint64{}, map[ledger.Handle]uint64{}} }

// check reads a whole log in every way and compares it with what the writer made of it,
// as an auditor does who trusts nothing that the store keeps in memory.
func (w *writer) check(ctx context.Context, s *Store, f fates) error {
	tail, err := s.Tail(ctx)
	if err != nil {
		return err
	}
	var end ledger.Tail
	perHandle := map[ledger.Handle][]uint64{}
	for e, err := range s.Entries(ctx, 0) {
		if err != nil {
			return err
		}
		env, err := ledger.ParseEnvelope(e.Envelope)
		if err != nil {
			return err
		}
		if env.Seq != end.Size+1 || e.Seq != env.Seq || env.Prev != end.Last || env.ID != idOf(env.Seq) {
			return fmt.Errorf("entry %d stands after %d or does not follow it", e.Seq, end.Size)
		}
		end = end.Add(e.Hash())
		h := handleOf(int(e.Seq) % w.subjects)
		if e.Handle == (ledger.Handle{}) && len(e.Sealed) == 0 {
			if e.Seq > f.gone[h] && e.Seq > f.doubt[h] {
				return fmt.Errorf("entry %d lost its payload", e.Seq)
			}
			continue
		}
		if e.Handle != h || string(e.Sealed) != string(payloadOf(e.Seq, w.size)) {
			return fmt.Errorf("entry %d has another handle or payload", e.Seq)
		}
		if e.Seq <= f.gone[h] {
			return fmt.Errorf("entry %d was dropped and is back", e.Seq)
		}
		perHandle[h] = append(perHandle[h], e.Seq)
	}
	if end.Root() != tail.Root() || end.Size != tail.Size || end.Last != tail.Last {
		return fmt.Errorf("the tail of %d entries is another one", tail.Size)
	}
	for n := range w.subjects {
		got, err := seqs(s.Subject(ctx, handleOf(n), 0))
		if err != nil {
			return err
		}
		if want := perHandle[handleOf(n)]; fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("a subject has the entries %v instead of %v", got, want)
		}
	}
	for seq := uint64(1); seq <= end.Size; seq += 1 + end.Size/16 {
		if e, err := s.Find(ctx, idOf(seq)); err != nil || e.Seq != seq {
			return fmt.Errorf("entry %d is not found by its id: %w", seq, err)
		}
	}
	return nil
}

func seqs(entries iter.Seq2[ledger.Entry, error]) (out []uint64, err error) {
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		out = append(out, e.Seq)
	}
	return out, nil
}

func testStore(t testing.TB, options ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "log"), options...)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func reopen(t testing.TB, s *Store, options ...Option) *Store {
	t.Helper()
	require.NoError(t, s.Close())
	again, err := Open(t.Context(), s.dir, options...)
	require.NoError(t, err)
	t.Cleanup(func() { again.Close() })
	return again
}

type ctxT = context.Context

func contextWithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}
