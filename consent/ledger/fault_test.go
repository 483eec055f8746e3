package ledger_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

var errFault = errors.New("fault")

// faults fails the call whose turn it is.
type faults struct{ calls, fail int }

func (f *faults) next() error {
	if f.calls++; f.calls == f.fail {
		return errFault
	}
	return nil
}

// A faultyStore and faultyKeys fail before they do anything.
type faultyStore struct {
	ledger.Store
	faultyReader
}

func newFaultyStore(s ledger.Store, f *faults) ledger.Store {
	return faultyStore{s, faultyReader{s, f}}
}

type faultyReader struct {
	log ledger.Reader
	f   *faults
}

func (s faultyStore) Append(ctx context.Context, build func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	if err := s.f.next(); err != nil {
		return err
	}
	return s.Store.Append(ctx, func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		return build(ctx, faultyReader{log, s.f}, end)
	})
}

func (s faultyStore) Drop(ctx context.Context, h ledger.Handle) error {
	if err := s.f.next(); err != nil {
		return err
	}
	return s.Store.Drop(ctx, h)
}

func (s faultyStore) Tail(ctx context.Context) (ledger.Tail, error) { return s.faultyReader.Tail(ctx) }

func (s faultyStore) Find(ctx context.Context, id string) (ledger.Entry, error) {
	return s.faultyReader.Find(ctx, id)
}

func (s faultyStore) Entries(ctx context.Context, after uint64) iter.Seq2[ledger.Entry, error] {
	return s.faultyReader.Entries(ctx, after)
}

func (s faultyStore) Subject(ctx context.Context, h ledger.Handle, after uint64) iter.Seq2[ledger.Entry, error] {
	return s.faultyReader.Subject(ctx, h, after)
}

func (s faultyReader) Tail(ctx context.Context) (ledger.Tail, error) {
	if err := s.f.next(); err != nil {
		return ledger.Tail{}, err
	}
	return s.log.Tail(ctx)
}

func (s faultyReader) Find(ctx context.Context, id string) (ledger.Entry, error) {
	if err := s.f.next(); err != nil {
		return ledger.Entry{}, err
	}
	return s.log.Find(ctx, id)
}

func (s faultyReader) Entries(ctx context.Context, after uint64) iter.Seq2[ledger.Entry, error] {
	if s.f.next() != nil {
		return func(yield func(ledger.Entry, error) bool) { yield(ledger.Entry{}, errFault) }
	}
	return s.log.Entries(ctx, after)
}

func (s faultyReader) Subject(ctx context.Context, h ledger.Handle, after uint64) iter.Seq2[ledger.Entry, error] {
	if s.f.next() != nil {
		return func(yield func(ledger.Entry, error) bool) { yield(ledger.Entry{}, errFault) }
	}
	return s.log.Subject(ctx, h, after)
}

type faultyKeys struct {
	ledger.Keys
	f *faults
}

func (k faultyKeys) Secret(ctx context.Context) (ledger.Key, error) {
	if err := k.f.next(); err != nil {
		return ledger.Key{}, err
	}
	return k.Keys.Secret(ctx)
}

func (k faultyKeys) Get(ctx context.Context, tag ledger.Tag) (ledger.Key, error) {
	if err := k.f.next(); err != nil {
		return ledger.Key{}, err
	}
	return k.Keys.Get(ctx, tag)
}

func (k faultyKeys) Ensure(ctx context.Context, tags []ledger.Tag) ([]ledger.Key, error) {
	if err := k.f.next(); err != nil {
		return nil, err
	}
	return k.Keys.Ensure(ctx, tags)
}

func (k faultyKeys) Live(ctx context.Context) iter.Seq2[ledger.Key, error] {
	if k.f.next() != nil {
		return func(yield func(ledger.Key, error) bool) { yield(ledger.Key{}, errFault) }
	}
	return k.Keys.Live(ctx)
}

func (k faultyKeys) Destroy(ctx context.Context, e ledger.Erasure) error {
	if err := k.f.next(); err != nil {
		return err
	}
	return k.Keys.Destroy(ctx, e)
}

func (k faultyKeys) Finish(ctx context.Context, tag ledger.Tag) error {
	if err := k.f.next(); err != nil {
		return err
	}
	return k.Keys.Finish(ctx, tag)
}

func (k faultyKeys) Unfinished(ctx context.Context) ([]ledger.Erasure, error) {
	if err := k.f.next(); err != nil {
		return nil, err
	}
	return k.Keys.Unfinished(ctx)
}

// Whichever call of a store or of the keys fails, the caller is told, doing it again
// works, and the log ends up as if nothing had failed.
func TestEveryFault(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	for _, exclusive := range []bool{true, false} {
		var want []uint64
		for fail := 0; ; fail++ { // 0: none fails
			var store ledger.Store = &plainStore{}
			if exclusive {
				store = ledger.NewMemoryStore()
			}
			f := &faults{}
			keys := faultyKeys{newPlainKeys(), f}
			f.fail = fail
			hit := 0
			var l *ledger.Ledger
			twice := func(what string, do func() error) {
				err := do()
				if err != nil {
					require.ErrorIs(t, err, errFault, "%s, call %d", what, fail)
					hit++
					err = do()
				}
				require.NoError(t, err, "%s, after call %d failed", what, fail)
			}
			twice("new", func() (err error) {
				l, err = ledger.New(ctx, newFaultyStore(store, f), keys, ledger.WithRandom(&counter{}), ledger.WithCache(1))
				return err
			})
			named := ledger.Withdrawn(jane, diag, day(2))
			named.ID = "mine"
			var heads []uint64
			record := func(events ...ledger.Event) {
				twice("append", func() error {
					h, err := l.Append(ctx, events...)
					if err == nil {
						heads = append(heads, h.Seq)
					}
					return err
				})
			}
			record(ledger.Granted(jane, diag, day(1)), ledger.Granted("john", diag, day(1)))
			record(named, named, ledger.Merged("john", jane, day(2)))
			var old ledger.Head
			twice("head", func() (err error) { old, err = l.Head(ctx); return err })
			twice("view", func() error { _, err := l.View(ctx, jane, ledger.AsOf{Valid: day(3)}); return err })
			twice("merged view", func() error { _, err := l.View(ctx, "john", ledger.AsOf{Valid: day(3)}); return err })
			twice("events", func() error {
				n := 0
				for _, err := range l.Events(ctx, jane, ledger.AsOf{}) {
					if err != nil {
						return err
					}
					n++
				}
				require.Equal(t, 3, n)
				return nil
			})
			twice("open", func() error { _, err := l.Open(ctx, jane, "mine"); return err })
			twice("erase", func() error { _, err := l.Erase(ctx, jane, day(5), ledger.OnRequest); return err })
			twice("erase again", func() error {
				ev, err := l.Erase(ctx, jane, day(6), ledger.OnOrder)
				if err == nil {
					require.Equal(t, ledger.OnRequest, ev.Why)
					require.EqualValues(t, 3, ev.Dropped)
				}
				return err
			})
			twice("prove", func() error { _, err := l.Prove(ctx, "mine"); return err })
			twice("consistency", func() error { _, err := l.ProveConsistency(ctx, old); return err })
			twice("sign", func() error { _, err := l.SignHead(ctx, private, day(7)); return err })
			twice("verify", func() error {
				r, err := l.Verify(ctx, ledger.Checks{})
				if err == nil {
					require.Empty(t, r.Problems, "call %d", fail)
					require.EqualValues(t, 3, r.Erased)
				}
				return err
			})
			if fail == 0 {
				want = heads
				continue
			}
			require.Equal(t, want, heads, "nothing was recorded twice")
			if f.calls < fail {
				require.Greater(t, fail, 40, "few calls were tried")
				break
			}
			require.LessOrEqual(t, hit, 1)
		}
	}
}

// Who may only read does not finish the erasures of others, and knows of them.
func TestReadOnly(t *testing.T) {
	store, keys := &plainStore{}, ledger.NewMemoryKeys()
	l := open(t, dropless{store}, keys)
	appendAll(t, l, ledger.Granted(jane, diag, day(1)))
	require.ErrorIs(t, second(l.Erase(ctx, jane, day(2), ledger.OnRequest)), errFault)
	reader := open(t, readOnly{store}, keys)
	assert.Equal(t, consent.ReasonErased, reasonOf(t, reader, newEngine(t), jane, 3))
	assert.EqualValues(t, 1, verifies(t, reader).Erased, "the key is gone, and the erasure is recorded")
	require.ErrorIs(t, second(reader.Append(ctx, ledger.Granted("john", diag, day(1)))), ledger.ErrReadOnly)
	require.Error(t, second(ledger.New(ctx, dropless{store}, keys)), "who writes must finish them")
	verifies(t, open(t, store, keys))
}

type dropless struct{ *plainStore }

func (dropless) Drop(context.Context, ledger.Handle) error { return errFault }

type readOnly struct{ *plainStore }

func (readOnly) Append(context.Context, func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	return ledger.ErrReadOnly
}

// Who holds a subject's key can seal what they like; the envelope tells.
func TestVerifyFindsWhatAKeyHolderChanged(t *testing.T) {
	for _, tt := range []struct {
		part   string
		change func(plain []byte, ev *ledger.Event) []byte
		reason string
	}{
		{"commits to", func(plain []byte, _ *ledger.Event) []byte { plain[40] ^= 1; return plain }, "another payload"},
		{"commits to", func(plain []byte, ev *ledger.Event) []byte {
			ev.Note = "changed"
			return ledger.AppendPayload(plain[:32:32], ev, 2)
		}, "another note"},
		{"commits to", func(plain []byte, _ *ledger.Event) []byte { plain[0] ^= 1; return plain }, "another salt"},
		{"does not open", func([]byte, *ledger.Event) []byte { return nil }, "too short"},
	} {
		store, keys := &plainStore{}, newPlainKeys()
		l := open(t, store, keys)
		appendAll(t, l, ledger.Granted(jane, diag, day(1)), ledger.Withdrawn(jane, diag, day(2)))
		var key ledger.Key
		for k, err := range keys.Live(ctx) {
			require.NoError(t, err)
			key = k
		}
		block, err := aes.NewCipher(key[:])
		require.NoError(t, err)
		aead, err := cipher.NewGCM(block)
		require.NoError(t, err)
		e := &store.entries[1]
		hash := e.Hash()
		plain, err := aead.Open(nil, e.Sealed[:12], e.Sealed[12:], hash[:])
		require.NoError(t, err, "the documented form: nonce, then AES-256-GCM of salt and payload under the entry's hash")
		var ev ledger.Event
		n, err := ledger.ParsePayload(plain[32:], &ev)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		plain = tt.change(plain, &ev)
		e.Sealed = aead.Seal(slices.Clone(e.Sealed[:12]), e.Sealed[:12], plain, hash[:])
		r, err := l.Verify(ctx, ledger.Checks{})
		require.NoError(t, err)
		require.Len(t, r.Problems, 1, tt.reason)
		assert.EqualValues(t, 2, r.Problems[0].Seq)
		assert.Contains(t, r.Problems[0].Problem, tt.part, tt.reason)
		_, err = open(t, store, keys).View(ctx, jane, ledger.AsOf{Valid: day(3)})
		var damage *ledger.DamageError
		require.ErrorAs(t, err, &damage)
	}
}

// A log with nothing right in it is reported within bounds.
func TestVerifyIsBounded(t *testing.T) {
	store, keys := &plainStore{}, ledger.NewMemoryKeys()
	l := open(t, store, keys)
	many := make([]ledger.Event, 1500)
	for i := range many {
		many[i] = ledger.Granted(jane, diag, day(1).AddDate(0, 0, i))
	}
	appendAll(t, l, many...)
	for i := range store.entries {
		store.entries[i].Sealed[30] ^= 1
	}
	r, err := l.Verify(ctx, ledger.Checks{})
	require.NoError(t, err)
	assert.Len(t, r.Problems, 1000)
	assert.EqualValues(t, 500, r.More)
}
