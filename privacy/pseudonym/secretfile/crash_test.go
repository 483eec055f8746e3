package secretfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/conform/fragile"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// A weak file system is a fragile one behind what a store asks of it.
type weak struct {
	*fragile.FS
	acked int // calls that returned without an error, over all reboots
}

func newWeak(seed uint64) *weak { return &weak{FS: fragile.New(seed)} }

func (w *weak) read(name string, limit int64) ([]byte, fs.FileMode, error) {
	f, err := w.Open(name)
	if err != nil {
		return nil, 0, err
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, limit))
	return data, 0o600, err
}

func (w *weak) create(name string) (file, error) {
	f, err := w.Create(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (w *weak) rename(from, to string) error { return w.Rename(from, to) }
func (w *weak) remove(name string) error     { return w.Remove(name) }
func (w *weak) syncDir(string) error         { return w.SyncDir() }

func (w *weak) lock(string) (func(), error) { return func() {}, w.Up() }

func (w *weak) lockToRead(name string) (func(), error) { return w.lock(name) }

// A ledger is what a program that uses a store was told.
type ledger struct {
	live  map[uint32]pseudonym.Check // acknowledged
	dead  map[uint32]bool
	doubt map[uint32]bool // versions that the last call, which failed, was about
	rows  map[int64]pseudonym.Token
	gone  map[int64]bool
	who   map[int64]bool // persons that the last call, which failed, was about
}

func newLedger() *ledger {
	return &ledger{
		live: map[uint32]pseudonym.Check{}, dead: map[uint32]bool{}, doubt: map[uint32]bool{},
		rows: map[int64]pseudonym.Token{}, gone: map[int64]bool{}, who: map[int64]bool{},
	}
}

var bothDays = at.Add(pseudonym.Day)

// indexOf is a token that stands for a person.
func indexOf(t testing.TB, id int64) pseudonym.Token {
	t.Helper()
	s, err := pseudonym.NewSecret(bytes.Repeat([]byte{3}, 32))
	require.NoError(t, err)
	var m pseudonym.Memory
	require.NoError(t, m.Add("contoso", 1, s))
	p, err := pseudonym.New(t.Context(), &m, pseudonym.Scope{Tenant: "contoso", Purpose: "p", Category: "c"})
	require.NoError(t, err)
	index, err := p.Token(pseudonym.Int(id))
	require.NoError(t, err)
	return index
}

// checkOfSubject tells one person's secret from another's.
func checkOfSubject(s pseudonym.Secret) pseudonym.Check { return s.SubjectCheck("contoso") }

// trial works on a store until the power fails, reboots, and compares what is there
// with what was acknowledged; several times over.
func trial(t testing.TB, f *weak, index []pseudonym.Token) error {
	ctx := t.Context()
	key, err := NewKey(bytes.Repeat([]byte{'k'}, KeySize))
	if err != nil {
		return err
	}
	if _, err := Create(ctx, "secrets", key, withFiles(f)); err != nil {
		return err
	}
	subjects := map[int]pseudonym.Check{}
	l := newLedger()
	for range 3 {
		s, err := Open(ctx, "secrets", key, withFiles(f))
		if err != nil {
			return fmt.Errorf("not readable: %w", err)
		}
		if err := compare(t, s, l, subjects, index); err != nil {
			return err
		}
		f.FailAt = 1 + f.Random.IntN(150)
		for !f.Failed {
			clear(l.doubt)
			clear(l.who)
			live := slices.Sorted(maps.Keys(l.live))
			pick := uint32(0)
			if len(live) > 0 {
				pick = live[f.Random.IntN(len(live))]
			}
			id := f.Random.IntN(len(index))
			switch what := f.Random.IntN(6); {
			case what <= 1 || pick == 0:
				next := uint32(1)
				for v := range l.live {
					next = max(next, v+1)
				}
				for v := range l.dead {
					next = max(next, v+1)
				}
				v, err := s.Generate(ctx, "contoso")
				if err != nil {
					break // a version nobody was told of may be there or not
				}
				secret, err := s.Secret(ctx, "contoso", v)
				if err != nil {
					return fmt.Errorf("made and not there: %w", err)
				}
				if v < next {
					return fmt.Errorf("version %d was given twice", v)
				}
				l.live[v] = secret.Check("contoso", v)
				f.acked++
			case what == 2:
				l.doubt[pick] = true
				if s.Destroy(ctx, "contoso", pick, because) == nil {
					delete(l.live, pick)
					l.dead[pick] = true
					f.acked++
				}
			case what == 3:
				l.doubt[pick] = true
				if s.DestroyPending(ctx, "contoso", pick, bothDays, because) != nil {
					break
				}
				if f.Random.IntN(2) == 0 {
					if s.CancelDestroy(ctx, "contoso", pick) != nil {
						break
					}
					clear(l.doubt)
					break
				}
				if _, err := s.DestroyDue(ctx, bothDays); err == nil {
					delete(l.live, pick)
					l.dead[pick] = true
					f.acked++
				}
			case what == 4:
				secret, err := s.Subject(ctx, "contoso", index[id:id+1], true)
				if err != nil {
					break
				}
				if l.gone[int64(id)] {
					return fmt.Errorf("person %d is back", id)
				}
				subjects[id] = checkOfSubject(secret)
				f.acked++
			case what == 5:
				l.who[int64(id)] = true
				if s.DestroySubject(ctx, "contoso", index[id:id+1], because) == nil {
					delete(subjects, id)
					l.gone[int64(id)] = true
				}
			}
		}
		f.Reboot()
	}
	s, err := Open(ctx, "secrets", key, withFiles(f))
	if err != nil {
		return fmt.Errorf("not readable: %w", err)
	}
	return compare(t, s, l, subjects, index)
}

// compare settles what is in doubt by what is there.
func compare(t testing.TB, s *Store, l *ledger, subjects map[int]pseudonym.Check, index []pseudonym.Token) error {
	ctx := t.Context()
	for _, v := range slices.Sorted(maps.Keys(l.live)) {
		secret, err := s.Secret(ctx, "contoso", v)
		switch {
		case err == nil && secret.Check("contoso", v) == l.live[v]:
		case l.doubt[v] && errors.Is(err, pseudonym.ErrDestroyed):
			delete(l.live, v)
			l.dead[v] = true
		case l.doubt[v] && errors.Is(err, pseudonym.ErrPending):
			if err := s.CancelDestroy(ctx, "contoso", v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("version %d was acknowledged and is lost or another one: %v", v, err)
		}
	}
	for v := range l.dead {
		if _, err := s.Secret(ctx, "contoso", v); !errors.Is(err, pseudonym.ErrDestroyed) {
			return fmt.Errorf("version %d was destroyed and is back: %v", v, err)
		}
	}
	for id, want := range subjects {
		secret, err := s.Subject(ctx, "contoso", index[id:id+1], false)
		switch {
		case err == nil && checkOfSubject(secret) == want:
		case l.who[int64(id)] && errors.Is(err, pseudonym.ErrDestroyed):
			delete(subjects, id)
			l.gone[int64(id)] = true
		default:
			return fmt.Errorf("person %d was acknowledged and is lost or another one: %v", id, err)
		}
	}
	for id := range l.gone {
		if _, err := s.Subject(ctx, "contoso", index[id:id+1], false); !errors.Is(err, pseudonym.ErrDestroyed) {
			return fmt.Errorf("person %d was erased and is back: %v", id, err)
		}
	}
	clear(l.doubt)
	clear(l.who)
	return nil
}

func persons(t testing.TB) (index []pseudonym.Token) {
	for id := range int64(5) {
		index = append(index, indexOf(t, id))
	}
	return index
}

// 1,000 runs with three power failures each.
func TestPowerFails(t *testing.T) {
	index := persons(t)
	acked := 0
	for seed := range uint64(1000) {
		f := newWeak(seed)
		require.NoError(t, trial(t, f, index), "seed %d", seed)
		acked += f.acked
	}
	t.Logf("%d calls were acknowledged", acked)
	assert.Greater(t, acked, 5000, "the power fails before anything is done")
}

// The test itself notices mistakes.
func TestPowerFailsIsNoticed(t *testing.T) {
	index := persons(t)
	for name, plant := range map[string]func(*weak){
		"contents are not synced": func(f *weak) { f.NoSync = true },
		"names are not synced":    func(f *weak) { f.NoSyncDir = true },
		"nothing is synced":       func(f *weak) { f.NoSync, f.NoSyncDir = true, true },
	} {
		found := 0
		for seed := range uint64(100) {
			f := newWeak(seed)
			plant(f)
			if trial(t, f, index) != nil {
				found++
			}
		}
		assert.NotZero(t, found, name)
	}
}

// Wherever Create is cut off, the store is there, or can be created.
func TestPowerFailsInCreate(t *testing.T) {
	ctx := t.Context()
	for step := 1; step < 25; step++ {
		for seed := range uint64(20) {
			f := newWeak(seed)
			f.FailAt = step
			_, err := Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			done := err == nil
			f.Failed = true
			f.Reboot()
			_, err = Open(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			if done {
				require.NoError(t, err, "step %d", step)
				continue
			}
			if errors.Is(err, fs.ErrNotExist) {
				_, err = Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			}
			require.NoError(t, err, "step %d", step)
		}
	}
}

// Wherever the making of a secret is cut off, it is there or can be made: an epoch does
// not go without one.
func TestPowerFailsInMake(t *testing.T) {
	ctx := t.Context()
	for step := 1; step < 16; step++ {
		for seed := range uint64(20) {
			f := newWeak(seed)
			s, err := Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			require.NoError(t, err)
			f.FailAt = step
			err = s.Make(ctx, "contoso", 20540, bytes.NewReader(bytes.Repeat([]byte{1}, 32)))
			done := err == nil
			f.Failed = true
			f.Reboot()
			s, err = Open(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			require.NoError(t, err)
			_, err = s.Secret(ctx, "contoso", 20540)
			if !done && errors.Is(err, pseudonym.ErrUnknown) {
				err = s.Make(ctx, "contoso", 20540, bytes.NewReader(bytes.Repeat([]byte{2}, 32)))
			}
			require.NoError(t, err, "step %d", step)
		}
	}
}

// A disk that is full, or fails, is reported, and what was there stays.
func TestDiskFails(t *testing.T) {
	ctx := t.Context()
	for step := 1; step < 14; step++ {
		f := newWeak(1)
		s, err := Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
		require.NoError(t, err)
		v, err := s.Generate(ctx, "contoso")
		require.NoError(t, err)
		f.FailAt = step
		_, err = s.Generate(ctx, "contoso")
		if err == nil {
			continue
		}
		require.ErrorIs(t, err, fragile.ErrPower)
		var where *FileError
		require.ErrorAs(t, err, &where)
		f.Failed, f.FailAt = false, 0 // it works again, without a restart
		_, err = s.Secret(ctx, "contoso", v)
		require.NoError(t, err, "step %d", step)
		_, err = s.Generate(ctx, "contoso")
		require.NoError(t, err, "step %d", step)
	}
}
