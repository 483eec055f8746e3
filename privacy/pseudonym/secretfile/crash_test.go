package secretfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// A fragile file system is in memory and counts what is done to it. At a chosen step
// the power fails: that step happens in part, nothing works after it, and what reboot
// gives back has of everything that was not synced some, or nothing. Names and
// contents are kept apart, as in a real one: syncing a file does not make its name
// durable.
type fragile struct {
	random *rand.Rand
	names  map[string]*node // as programs see them
	kept   map[string]*node // as they are on the disk
	moves  []move           // changes of names since the last syncDir
	failAt int              // steps until the power fails; 0 for never
	failed bool
	acked  int // calls that returned without an error, over all reboots

	// Mistakes to plant.
	noSync, noSyncDir bool
}

type node struct{ data, kept []byte }

type move struct {
	from, to string // from "" makes, to "" removes
	node     *node
}

var errPower = errors.New("the power failed")

func newFragile(seed uint64) *fragile {
	return &fragile{random: rand.New(rand.NewPCG(seed, 1)), names: map[string]*node{}, kept: map[string]*node{}}
}

// step counts, and reports whether the power fails in this step.
func (f *fragile) step() (fails bool, err error) {
	if f.failed {
		return false, errPower
	}
	if f.failAt > 0 {
		f.failAt--
		f.failed = f.failAt == 0
	}
	return f.failed, nil
}

func (f *fragile) read(name string, limit int64) ([]byte, fs.FileMode, error) {
	if f.failed {
		return nil, 0, errPower
	}
	n := f.names[name]
	if n == nil {
		return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return bytes.Clone(n.data[:min(int64(len(n.data)), limit)]), 0o600, nil
}

type fragileFile struct {
	f *fragile
	n *node
}

func (f *fragile) create(name string) (file, error) {
	fails, err := f.step()
	if err != nil {
		return nil, err
	}
	if f.names[name] != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	n := new(node)
	f.names[name] = n
	f.moves = append(f.moves, move{"", name, n})
	if fails {
		return nil, errPower
	}
	return &fragileFile{f, n}, nil
}

func (w *fragileFile) Write(b []byte) (int, error) {
	fails, err := w.f.step()
	if err != nil {
		return 0, err
	}
	if fails {
		n := w.f.random.IntN(len(b) + 1)
		w.n.data = append(w.n.data, b[:n]...)
		return n, errPower
	}
	w.n.data = append(w.n.data, b...)
	return len(b), nil
}

func (w *fragileFile) Sync() error {
	fails, err := w.f.step()
	if err != nil {
		return err
	}
	if fails {
		return errPower // reboot keeps some of it
	}
	if !w.f.noSync {
		w.n.kept = bytes.Clone(w.n.data)
	}
	return nil
}

func (w *fragileFile) Close() error {
	_, err := w.f.step()
	return err
}

func (f *fragile) rename(from, to string) error {
	fails, err := f.step()
	if err != nil {
		return err
	}
	n := f.names[from]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(f.names, from)
	f.names[to] = n
	f.moves = append(f.moves, move{from, to, n})
	if fails {
		return errPower
	}
	return nil
}

func (f *fragile) remove(name string) error {
	fails, err := f.step()
	if err != nil {
		return err
	}
	if f.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(f.names, name)
	f.moves = append(f.moves, move{name, "", nil})
	if fails {
		return errPower
	}
	return nil
}

func (f *fragile) syncDir(string) error {
	fails, err := f.step()
	if err != nil {
		return err
	}
	if fails {
		return errPower
	}
	if !f.noSyncDir {
		f.kept, f.moves = maps.Clone(f.names), nil
	}
	return nil
}

func (f *fragile) lock(string) (func(), error) {
	if f.failed {
		return nil, errPower
	}
	return func() {}, nil
}

func (f *fragile) lockToRead(name string) (func(), error) { return f.lock(name) }

// reboot makes a file system of what is on the disk: everything that was synced; of the
// names changed since, the first few or none; and of what was written since, the
// beginning, the right length with zeros or rubbish in it, or nothing.
func (f *fragile) reboot() {
	names := maps.Clone(f.kept)
	keep := 0
	if f.random.IntN(2) == 0 {
		keep = f.random.IntN(len(f.moves) + 1)
	}
	for _, m := range f.moves[:keep] {
		delete(names, m.from)
		if m.to != "" {
			names[m.to] = m.node
		}
	}
	for name, n := range names {
		torn := bytes.Clone(n.kept)
		if !bytes.Equal(n.data, n.kept) {
			rest := bytes.Clone(n.data[min(len(n.kept), len(n.data)):])
			at := f.random.IntN(len(rest) + 1)
			switch f.random.IntN(4) {
			case 0:
				rest = nil
			case 1:
				rest = rest[:at]
			case 2:
				clear(rest[at:])
			case 3:
				for i := at; i < len(rest); i++ {
					rest[i] = byte(f.random.Uint32())
				}
			}
			torn = append(torn, rest...)
		}
		names[name] = &node{torn, bytes.Clone(torn)}
	}
	f.names, f.kept, f.moves, f.failed, f.failAt = names, maps.Clone(names), nil, false, 0
}

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
func trial(t testing.TB, f *fragile, index []pseudonym.Token) error {
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
		f.failAt = 1 + f.random.IntN(150)
		for !f.failed {
			clear(l.doubt)
			clear(l.who)
			live := slices.Sorted(maps.Keys(l.live))
			pick := uint32(0)
			if len(live) > 0 {
				pick = live[f.random.IntN(len(live))]
			}
			id := f.random.IntN(len(index))
			switch what := f.random.IntN(6); {
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
				if f.random.IntN(2) == 0 {
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
		f.reboot()
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
		f := newFragile(seed)
		require.NoError(t, trial(t, f, index), "seed %d", seed)
		acked += f.acked
	}
	t.Logf("%d calls were acknowledged", acked)
	assert.Greater(t, acked, 5000, "the power fails before anything is done")
}

// The test itself notices mistakes.
func TestPowerFailsIsNoticed(t *testing.T) {
	index := persons(t)
	for name, plant := range map[string]func(*fragile){
		"contents are not synced": func(f *fragile) { f.noSync = true },
		"names are not synced":    func(f *fragile) { f.noSyncDir = true },
		"nothing is synced":       func(f *fragile) { f.noSync, f.noSyncDir = true, true },
	} {
		found := 0
		for seed := range uint64(100) {
			f := newFragile(seed)
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
			f := newFragile(seed)
			f.failAt = step
			_, err := Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			done := err == nil
			f.failed = true
			f.reboot()
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
			f := newFragile(seed)
			s, err := Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
			require.NoError(t, err)
			f.failAt = step
			err = s.Make(ctx, "contoso", 20540, bytes.NewReader(bytes.Repeat([]byte{1}, 32)))
			done := err == nil
			f.failed = true
			f.reboot()
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
		f := newFragile(1)
		s, err := Create(ctx, "secrets", testKey(t, 'k'), withFiles(f))
		require.NoError(t, err)
		v, err := s.Generate(ctx, "contoso")
		require.NoError(t, err)
		f.failAt = step
		_, err = s.Generate(ctx, "contoso")
		if err == nil {
			continue
		}
		require.ErrorIs(t, err, errPower)
		var where *FileError
		require.ErrorAs(t, err, &where)
		f.failed, f.failAt = false, 0 // it works again, without a restart
		_, err = s.Secret(ctx, "contoso", v)
		require.NoError(t, err, "step %d", step)
		_, err = s.Generate(ctx, "contoso")
		require.NoError(t, err, "step %d", step)
	}
}
