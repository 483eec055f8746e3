package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/internal/conform/fragile"
)

func runs() uint64 {
	if *long {
		return 2000
	}
	return 200
}

// trial works on a store until the power fails, reboots, and compares what is there
// with what was acknowledged; several times over.
func trial(ctx context.Context, f *weak) (acked int, err error) {
	w := &writer{subjects: 4, size: 60}
	fate := newFates()
	open := func() (*Store, error) {
		s, err := Open(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
		if err != nil {
			return nil, fmt.Errorf("not readable: %w", err)
		}
		tail, err := s.Tail(ctx)
		if err != nil {
			return nil, err
		}
		if tail.Size < uint64(acked) {
			return nil, fmt.Errorf("%d entries were acknowledged, and %d are there", acked, tail.Size)
		}
		acked = int(tail.Size) // whole calls that were not acknowledged count from now on
		return s, w.check(ctx, s, fate)
	}
	for range 3 {
		s, err := open()
		if err != nil {
			return acked, err
		}
		f.FailAt = 1 + f.Random.IntN(100)
		for !f.Failed {
			switch what := f.Random.IntN(12); {
			case what < 8:
				n := 1 + f.Random.IntN(5)
				if w.append(ctx, s, n) == nil {
					acked += n
				}
			case what < 10:
				h := handleOf(f.Random.IntN(w.subjects))
				end := uint64(acked)
				fate.doubt[h] = end
				if s.Drop(ctx, h) == nil {
					fate.gone[h] = end
				}
			case what < 11:
				s.Mark(ctx)
			default:
				if s.Close() != nil {
					continue
				}
				if s, err = open(); err != nil && !f.Failed {
					return acked, err
				}
			}
		}
		f.Reboot()
	}
	_, err = open()
	return acked, err
}

// No acknowledged entry is lost and nothing that was dropped is back, wherever the power
// fails, and the log can be written again.
func TestPowerFails(t *testing.T) {
	acked := 0
	for seed := range runs() {
		n, err := trial(t.Context(), newWeak(seed))
		require.NoError(t, err, "seed %d", seed)
		acked += n
	}
	t.Logf("%d entries were acknowledged", acked)
	assert.Greater(t, acked, int(runs())*20, "the power fails before anything is done")
}

// The test itself notices mistakes.
func TestPowerFailsIsNoticed(t *testing.T) {
	for name, plant := range map[string]func(*weak){
		"contents are not synced": func(f *weak) { f.NoSync = true },
		"names are not synced":    func(f *weak) { f.NoSyncDir = true },
	} {
		found := 0
		for seed := range uint64(100) {
			f := newWeak(seed)
			plant(f)
			if _, err := trial(t.Context(), f); err != nil {
				found++
			}
		}
		assert.Greater(t, found, 50, name)
	}
}

// Wherever a drop is cut off, everything of the handle is there until the store is
// opened again, or gone.
func TestPowerFailsInDrop(t *testing.T) {
	ctx := t.Context()
	for step := 1; step < 40; step++ {
		for seed := range uint64(4) {
			f := newWeak(seed)
			w := &writer{subjects: 2, size: 300}
			s, err := Open(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
			require.NoError(t, err)
			for range 8 {
				require.NoError(t, w.append(ctx, s, 2))
			}
			f.FailAt = step
			err = s.Drop(ctx, handleOf(0))
			done := err == nil
			f.Failed = true
			f.Reboot()
			// A reader, which mends nothing, sees a payload whole or not at all.
			r, err := OpenReader(ctx, "log", withFiles(f))
			require.NoError(t, err, "step %d", step)
			fate := newFates()
			fate.doubt[handleOf(0)] = 16
			require.NoError(t, w.check(ctx, r, fate), "step %d", step)
			s, err = Open(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
			require.NoError(t, err, "step %d", step)
			left, err := seqs(s.Subject(ctx, handleOf(0), 0))
			require.NoError(t, err)
			if done {
				require.Empty(t, left)
			} else if len(left) > 0 {
				require.Len(t, left, 8, "step %d: a drop is finished or was not begun", step)
			}
			require.NoError(t, s.Drop(ctx, handleOf(0)))
			for _, name := range f.Names("log") {
				for seq := uint64(2); seq <= 16; seq += 2 {
					requireGone(t, f.Get("log/"+name), payloadOf(seq, 300))
				}
			}
		}
	}
}

// A disk that is full or fails is reported, nothing of the failed call is there, or it
// is said that this is not known; what was acknowledged stays.
func TestDiskFails(t *testing.T) {
	ctx := t.Context()
	unknown, plain := 0, 0
	for step := 1; step < 12; step++ {
		f := newWeak(uint64(step))
		w := &writer{subjects: 2, size: 60}
		s, err := Open(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
		require.NoError(t, err)
		require.NoError(t, w.append(ctx, s, 5))
		f.FailAt = step
		err = w.append(ctx, s, 3)
		f.Failed, f.FailAt = false, 0 // it works again, without a restart
		if err != nil {
			require.ErrorIs(t, err, fragile.ErrPower)
			var where *FileError
			require.ErrorAs(t, err, &where)
			tail, e := s.Tail(ctx)
			require.NoError(t, e)
			require.EqualValues(t, 5, tail.Size)
			again := w.append(ctx, s, 1)
			if errors.Is(err, ledger.ErrUnknown) {
				unknown++
				require.Error(t, again, "a log whose end is not known is not written")
				require.NotErrorIs(t, again, ledger.ErrUnknown, "this call was certainly not recorded")
			} else {
				plain++
				require.NoError(t, again)
			}
		}
		s.Close()
		s, err = Open(ctx, "log", withFiles(f))
		require.NoError(t, err)
		require.NoError(t, w.check(ctx, s, newFates()))
	}
	assert.NotZero(t, unknown)
}

// A full disk is reported, nothing of the call is there, and it goes on when there is room
// again, without a restart.
func TestDiskFull(t *testing.T) {
	ctx := t.Context()
	w := &writer{subjects: 2, size: 60}
	for room := 0; room < 6000; room += 97 {
		f := newWeak(1)
		s, err := Open(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
		require.NoError(t, err)
		k, err := openKeys(ctx, "keys", f, true)
		require.NoError(t, err)
		require.NoError(t, w.append(ctx, s, 3))
		left := room
		f.room = &left
		made := 3
		for {
			if err = w.append(ctx, s, 2); err != nil {
				break
			}
			made += 2
		}
		require.ErrorIs(t, err, errFull)
		require.NotErrorIs(t, err, ledger.ErrUnknown)
		_, err = k.Ensure(ctx, []ledger.Tag{{1}})
		require.ErrorIs(t, err, errFull)
		f.room = nil
		require.EqualValues(t, made, s.tail.Size)
		require.NoError(t, w.append(ctx, s, 1))
		_, err = k.Ensure(ctx, []ledger.Tag{{1}})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		s, err = Open(ctx, "log", withFiles(f))
		require.NoError(t, err)
		require.EqualValues(t, made+1, s.tail.Size)
		require.NoError(t, w.check(ctx, s, newFates()))
	}
}

// keysTrial is trial for a file of keys.
func keysTrial(ctx context.Context, f *weak) (acked int, err error) {
	live := map[ledger.Tag]ledger.Key{}
	erased := map[ledger.Tag]ledger.Erasure{} // not finished
	gone := map[ledger.Tag]bool{}
	dead := map[ledger.Key]bool{}
	doubt := map[ledger.Tag]ledger.Erasure{}
	next := 0
	open := func() (*Keys, error) {
		k, err := openKeys(ctx, "keys", f, true)
		if err != nil {
			return nil, fmt.Errorf("not readable: %w", err)
		}
		unfinished, err := k.Unfinished(ctx)
		if err != nil {
			return nil, err
		}
		open := map[ledger.Tag]ledger.Erasure{}
		for _, e := range unfinished {
			open[e.Tag] = e
		}
		for tag, want := range live {
			key, err := k.Get(ctx, tag)
			if errors.Is(err, ledger.ErrErased) && doubt[tag] != (ledger.Erasure{}) {
				if open[tag] != doubt[tag] {
					return nil, fmt.Errorf("a half done erasure is noted as another: %+v", open[tag])
				}
				erased[tag] = doubt[tag]
				dead[want] = true
				delete(live, tag)
				continue
			}
			if err != nil || key != want {
				return nil, fmt.Errorf("a key was acknowledged and is lost or another one: %w", err)
			}
		}
		for tag, want := range erased {
			if open[tag] == want {
				continue
			}
			if doubt[tag] == (ledger.Erasure{}) || open[tag] != (ledger.Erasure{}) {
				return nil, fmt.Errorf("an erasure that was not finished is lost or another one")
			}
			delete(erased, tag)
			gone[tag] = true
		}
		for tag := range gone {
			if _, err := k.Get(ctx, tag); !errors.Is(err, ledger.ErrErased) || open[tag] != (ledger.Erasure{}) {
				return nil, fmt.Errorf("a finished erasure is back: %w", err)
			}
		}
		raw := f.Get("keys")
		for key := range dead {
			for i := 0; i+8 <= len(key); i++ {
				if bytes.Contains(raw, key[i:i+8]) {
					return nil, errors.New("something of a destroyed key is left")
				}
			}
		}
		clear(doubt)
		return k, nil
	}
	pick := func(m []ledger.Tag) ledger.Tag {
		slices.SortFunc(m, func(a, b ledger.Tag) int { return bytes.Compare(a[:], b[:]) })
		return m[f.Random.IntN(len(m))]
	}
	for range 3 {
		k, err := open()
		if err != nil {
			return acked, err
		}
		f.FailAt = 1 + f.Random.IntN(60)
		for !f.Failed {
			switch what := f.Random.IntN(8); {
			case what < 4 || len(live) == 0:
				var tags []ledger.Tag
				for range 1 + f.Random.IntN(4) {
					tags = append(tags, ledger.Tag(handleOf(next)))
					next++
				}
				if len(live) > 0 {
					tags = append(tags, pick(slices.Collect(maps.Keys(live))), tags[0])
				}
				keys, err := k.Ensure(ctx, tags)
				if err != nil {
					break
				}
				for i, tag := range tags {
					if old, ok := live[tag]; ok && old != keys[i] {
						return acked, errors.New("a second key for a subject")
					}
					live[tag] = keys[i]
				}
				acked++
			case what < 6:
				tag := pick(slices.Collect(maps.Keys(live)))
				e := ledger.Erasure{Tag: tag, Handle: handleOf(next), Count: uint64(next), At: at, Known: at.Add(1), Why: ledger.OnRequest}
				doubt[tag] = e
				if k.Destroy(ctx, e) == nil {
					dead[live[tag]] = true
					delete(live, tag)
					delete(doubt, tag)
					erased[tag] = e
					acked++
				}
			case what < 7 && len(erased) > 0:
				tag := pick(slices.Collect(maps.Keys(erased)))
				doubt[tag] = erased[tag]
				if k.Finish(ctx, tag) == nil {
					delete(erased, tag)
					delete(doubt, tag)
					gone[tag] = true
					acked++
				}
			default:
				if k.Close() != nil {
					continue
				}
				if k, err = open(); err != nil && !f.Failed {
					return acked, err
				}
			}
		}
		f.Reboot()
	}
	_, err = open()
	return acked, err
}

// Wherever the power fails, a key that was given is there or destroyed, and a destroyed
// one is destroyed in every byte.
func TestPowerFailsInKeys(t *testing.T) {
	acked := 0
	for seed := range runs() {
		n, err := keysTrial(t.Context(), newWeak(seed))
		require.NoError(t, err, "seed %d", seed)
		acked += n
	}
	t.Logf("%d calls were acknowledged", acked)
	assert.Greater(t, acked, int(runs())*10)
	found := 0
	for seed := range uint64(100) {
		f := newWeak(seed)
		f.NoSync = true
		if _, err := keysTrial(t.Context(), f); err != nil {
			found++
		}
	}
	assert.Greater(t, found, 50, "the test does not notice that nothing is synced")
}

// ledgerTrial is trial for the whole: a ledger on its folder, used by several at once.
func ledgerTrial(ctx context.Context, f *weak) (acked int, err error) {
	scope := consent.Scope{Purpose: "diagnostic.optional"}
	recorded := map[string][]string{} // ids by subject
	erased := map[string]bool{}
	doubt := map[string]bool{}
	subject := func(n int) string { return fmt.Sprintf("p1_1_%d", n) }
	n := 0
	open := func() (*ledger.Ledger, error) {
		l, err := OpenLedger(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
		if err != nil {
			return nil, fmt.Errorf("not readable: %w", err)
		}
		report, err := l.Verify(ctx, ledger.Checks{})
		if err != nil {
			return nil, err
		}
		if len(report.Problems) > 0 {
			return nil, fmt.Errorf("it does not verify: %w", report.Problems[0])
		}
		for s, ids := range recorded {
			there := map[string]bool{}
			for ev, err := range l.Events(ctx, s, ledger.AsOf{}) {
				if err != nil {
					return nil, err
				}
				there[ev.ID] = true
			}
			_, err := l.Open(ctx, s, "none")
			if isErased := errors.Is(err, ledger.ErrErased); isErased != erased[s] {
				if erased[s] || !doubt[s] {
					return nil, fmt.Errorf("erased is %v", isErased)
				}
				erased[s] = true
			}
			for _, id := range ids {
				if there[id] == erased[s] {
					return nil, fmt.Errorf("event %s of %s: there is %v", id, s, there[id])
				}
			}
		}
		clear(doubt)
		return l, nil
	}
	for range 2 {
		l, err := open()
		if err != nil {
			return acked, err
		}
		f.FailAt = 10 + f.Random.IntN(100)
		for !f.Off() {
			if n++; n%8 == 0 {
				s := subject(n % 5)
				doubt[s] = true
				if _, err := l.Erase(ctx, s, at, ledger.OnRequest); err == nil {
					erased[s] = true
					acked++
				}
				continue
			}
			var events []ledger.Event
			for i := range 3 {
				ev := ledger.Granted(subject((n+i)%20), scope, at)
				ev.ID = fmt.Sprintf("e-%d-%d", n, i)
				events = append(events, ev)
			}
			done := make(chan error, len(events))
			errs := make([]error, len(events))
			for i := range events {
				go func() {
					_, errs[i] = l.Append(ctx, events[i])
					done <- nil
				}()
			}
			for range events {
				<-done
			}
			for i, err := range errs {
				if s := events[i].Subject; err == nil && !erased[s] {
					recorded[s] = append(recorded[s], events[i].ID)
					acked++
				}
			}
		}
		l.Close()
		f.Reboot()
	}
	_, err = open()
	return acked, err
}

// No event that was acknowledged is lost, the log verifies each time, and who was erased
// stays erased.
func TestPowerFailsUnderALedger(t *testing.T) {
	acked := 0
	for seed := range runs() {
		n, err := ledgerTrial(t.Context(), newWeak(seed))
		require.NoError(t, err, "seed %d", seed)
		acked += n
	}
	t.Logf("%d calls were acknowledged", acked)
	assert.Greater(t, acked, int(runs())*10)
}

// requireGone fails if eight bytes of a secret in a row are left anywhere.
func requireGone(t testing.TB, raw, secret []byte) {
	t.Helper()
	require.NotEmpty(t, secret)
	for i := 0; i+8 <= len(secret); i++ {
		if bytes.Contains(raw, secret[i:i+8]) {
			require.Fail(t, "something is left", "byte %d", i)
		}
	}
}
