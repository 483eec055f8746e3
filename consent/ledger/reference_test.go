package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/privetdev/privet/consent/ledger"
)

// A plainStore is a store that is slow and obviously right: a list. It is not
// exclusive, so that a ledger on it reads again what others may have added, and
// tests write into its entries what no ledger would.
type plainStore struct {
	mu      sync.Mutex
	entries []ledger.Entry
	tail    ledger.Tail
	retry   bool // call build twice each time, as after a conflict
}

func (s *plainStore) snapshot() ([]ledger.Entry, ledger.Tail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries), s.tail
}

func (s *plainStore) Append(ctx context.Context, build func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	log := &plainStore{entries: s.entries, tail: s.tail}
	if s.retry {
		if _, _, err := build(ctx, log, s.tail); err != nil {
			return err
		}
	}
	entries, tail, err := build(ctx, log, s.tail)
	if err != nil || len(entries) == 0 {
		return err
	}
	s.entries, s.tail = append(s.entries, entries...), tail
	return nil
}

func (s *plainStore) Drop(ctx context.Context, h ledger.Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = slices.Clone(s.entries)
	for i := range s.entries {
		if s.entries[i].Handle == h {
			s.entries[i].Handle, s.entries[i].Sealed = ledger.Handle{}, nil
		}
	}
	return ctx.Err()
}

func (s *plainStore) Tail(ctx context.Context) (ledger.Tail, error) {
	_, tail := s.snapshot()
	return tail, ctx.Err()
}

func (s *plainStore) where(ctx context.Context, want func(*ledger.Entry) bool) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(ledger.Entry{}, err)
			return
		}
		entries, _ := s.snapshot()
		for i := range entries {
			if want(&entries[i]) && !yield(entries[i], nil) {
				return
			}
		}
	}
}

func (s *plainStore) Entries(ctx context.Context, after uint64) iter.Seq2[ledger.Entry, error] {
	n := uint64(0)
	return s.where(ctx, func(*ledger.Entry) bool { n++; return n > after })
}

func (s *plainStore) Subject(ctx context.Context, h ledger.Handle, after uint64) iter.Seq2[ledger.Entry, error] {
	return s.where(ctx, func(e *ledger.Entry) bool { return e.Handle == h && e.Seq > after })
}

func (s *plainStore) Find(ctx context.Context, id string) (ledger.Entry, error) {
	for e, err := range s.Entries(ctx, 0) {
		if err != nil {
			return e, err
		}
		if v, err := ledger.ParseEnvelope(e.Envelope); err == nil && v.ID == id {
			return e, nil
		}
	}
	return ledger.Entry{}, ledger.ErrNotFound
}

func (*plainStore) Exclusive() bool { return false }
func (*plainStore) Close() error    { return nil }

// copyOf is the same log, to be tampered with.
func (s *plainStore) copyOf() *plainStore {
	entries, tail := s.snapshot()
	for i := range entries {
		entries[i].Envelope, entries[i].Sealed = bytes.Clone(entries[i].Envelope), bytes.Clone(entries[i].Sealed)
	}
	return &plainStore{entries: entries, tail: tail}
}

// settle makes the end of the log fit its entries, as who rewrites it would.
func (s *plainStore) settle() {
	s.tail = ledger.Tail{}
	for i := range s.entries {
		s.tail = s.tail.Add(s.entries[i].Hash())
	}
}

// plainKeys are keys that anybody can foresee, so that a log made with them is the
// same each time.
type plainKeys struct {
	ledger.Keys // a memory store remembers who was erased
	mu          sync.Mutex
	keys        map[ledger.Tag]ledger.Key
}

func newPlainKeys() *plainKeys {
	return &plainKeys{Keys: ledger.NewMemoryKeys(), keys: map[ledger.Tag]ledger.Key{}}
}

func (k *plainKeys) Secret(context.Context) (ledger.Key, error) {
	return sha256.Sum256([]byte("the secret of a golden log")), nil
}

func (k *plainKeys) plain(tag ledger.Tag) ledger.Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[tag] = sha256.Sum256(append([]byte("the key of a golden subject"), tag[:]...))
	return k.keys[tag]
}

func (k *plainKeys) Get(ctx context.Context, tag ledger.Tag) (ledger.Key, error) {
	if _, err := k.Keys.Get(ctx, tag); err != nil {
		return ledger.Key{}, err
	}
	return k.plain(tag), nil
}

func (k *plainKeys) Ensure(ctx context.Context, tags []ledger.Tag) ([]ledger.Key, error) {
	keys, err := k.Keys.Ensure(ctx, tags)
	for i := range keys {
		if keys[i] != (ledger.Key{}) {
			keys[i] = k.plain(tags[i])
		}
	}
	return keys, err
}

func (k *plainKeys) Live(ctx context.Context) iter.Seq2[ledger.Key, error] {
	return func(yield func(ledger.Key, error) bool) {
		k.mu.Lock()
		tags := slices.Collect(maps.Keys(k.keys))
		k.mu.Unlock()
		for _, tag := range tags {
			if key, err := k.Get(ctx, tag); err == nil && !yield(key, nil) {
				return
			}
		}
	}
}

// A counter is random bytes that are the same each time.
type counter struct{ n uint64 }

func (c *counter) Read(b []byte) (int, error) {
	for done := 0; done < len(b); {
		c.n++
		block := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		done += copy(b[done:], block[:])
	}
	return len(b), nil
}
