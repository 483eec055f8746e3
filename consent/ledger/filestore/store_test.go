package filestore

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/ledgertest"
)

func TestConformance(t *testing.T) {
	for _, size := range []int64{4 << 10, 64 << 20} {
		store := func(t *testing.T) (ledger.Store, func() ledger.Store) {
			dir := filepath.Join(t.TempDir(), "log")
			open := func() ledger.Store {
				s, err := Open(t.Context(), dir, WithSegmentSize(size))
				require.NoError(t, err)
				return s
			}
			return open(), open
		}
		keys := func(t *testing.T) (ledger.Keys, func() ledger.Keys) {
			path := filepath.Join(t.TempDir(), "keys")
			open := func() ledger.Keys {
				k, err := OpenKeys(t.Context(), path)
				require.NoError(t, err)
				return k
			}
			return open(), open
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			ledgertest.RunStore(t, store)
			ledgertest.RunKeys(t, keys)
			ledgertest.RunLedger(t, store, keys)
		})
	}
}

func TestOneWriter(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	_, err := Open(ctx, s.dir)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, "another writer has the log open; append through that one, or open a reader")
	_, err = OpenLedger(ctx, s.dir)
	require.Error(t, err)
	s = reopen(t, s)
	w := &writer{subjects: 2, size: 10}
	require.NoError(t, w.append(ctx, s, 1))
	require.True(t, s.Exclusive())
}

// A reader sees what is recorded after it was opened, over several segments, and what is
// dropped; and records nothing.
func TestReader(t *testing.T) {
	ctx := t.Context()
	s := testStore(t, WithSegmentSize(4<<10))
	w := &writer{subjects: 3, size: 50}
	r, err := OpenReader(ctx, s.dir)
	require.NoError(t, err)
	defer r.Close()
	require.False(t, r.Exclusive())
	fate := newFates()
	for n := range 60 {
		require.NoError(t, w.append(ctx, s, 1+n%4))
		if n%10 == 5 {
			require.NoError(t, s.Drop(ctx, handleOf(2)))
			fate.gone[handleOf(2)] = s.tail.Size
		}
		if n%7 == 0 {
			require.NoError(t, w.check(ctx, r, fate))
			tail, err := r.Tail(ctx)
			require.NoError(t, err)
			require.Equal(t, s.tail, tail)
		}
	}
	require.Greater(t, len(s.segments), 3)
	require.ErrorIs(t, w.append(ctx, r, 1), ledger.ErrReadOnly)
	require.ErrorIs(t, r.Drop(ctx, handleOf(1)), ledger.ErrReadOnly)
	require.ErrorIs(t, r.Mark(ctx), ledger.ErrReadOnly)
	_, err = OpenReader(ctx, filepath.Join(s.dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	// What is half written is not there yet.
	seg := s.segments[len(s.segments)-1]
	half := appendRecord(nil, firstEntry(w, s), 0, 0)
	for n := range half {
		_, err := seg.file.WriteAt(half[:n], seg.end)
		require.NoError(t, err)
		if n%10 == 0 {
			tail, err := r.Tail(ctx)
			require.NoError(t, err)
			require.Equal(t, s.tail.Size, tail.Size)
		}
	}
}

// Readers of other programs read all the time, while one records and drops.
func TestReadersMeanwhile(t *testing.T) {
	ctx := t.Context()
	s := testStore(t, WithSegmentSize(16<<10))
	w := &writer{subjects: 40, size: 2000}
	require.NoError(t, w.append(ctx, s, 1))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	reads := make([]int, 4)
	for i := range reads {
		wg.Go(func() {
			r, err := OpenReader(ctx, s.dir)
			if !assert.NoError(t, err) {
				return
			}
			defer r.Close()
			for seen := uint64(0); ; reads[i]++ {
				select {
				case <-stop:
					return
				default:
				}
				n := uint64(0)
				for e, err := range r.Entries(ctx, 0) {
					if !assert.NoError(t, err) {
						return
					}
					n++
					if e.Seq != n || len(e.Sealed) > 0 && !bytes.Equal(e.Sealed, payloadOf(n, 2000)) {
						assert.Fail(t, "an entry that was never written")
						return
					}
				}
				if !assert.GreaterOrEqual(t, n, seen, "entries are gone again") {
					return
				}
				seen = n
				if i == 0 { // and one opens anew each time
					again, err := OpenReader(ctx, s.dir)
					if !assert.NoError(t, err) {
						return
					}
					again.Close()
				}
			}
		})
	}
	for n := range 40 {
		require.NoError(t, w.append(ctx, s, 3))
		require.NoError(t, s.Drop(ctx, handleOf(n)))
	}
	close(stop)
	wg.Wait()
	for _, n := range reads {
		assert.NotZero(t, n)
	}
}

func TestAppendRefuses(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	w := &writer{subjects: 2, size: 10}
	require.NoError(t, w.append(ctx, s, 2))
	for _, tt := range []struct {
		name   string
		change func(e []ledger.Entry, tail *ledger.Tail) []ledger.Entry
		want   string
	}{
		{"no envelope", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry { e[1].Envelope = nil; return e }, "no envelope"},
		{"rubbish", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry {
			e[1].Envelope = bytes.Repeat([]byte("x"), 300)
			return e
		}, "no envelope"},
		{"too long", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry {
			e[1].Envelope = append(e[1].Envelope, make([]byte, ledger.MaxEnvelope)...)
			return e
		}, "too long"},
		{"another order", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry { slices.Reverse(e); return e }, "do not follow"},
		{"a gap", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry { return e[1:] }, "do not follow"},
		{"a seq of its own", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry { e[0].Seq++; return e }, "do not follow"},
		{"a tail of less", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry { return e[:1] }, "tail"},
		{"another tail", func(e []ledger.Entry, t *ledger.Tail) []ledger.Entry { t.Last[0]++; return e }, "tail"},
		{"a payload of nobody", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry { e[0].Handle = ledger.Handle{}; return e }, "no handle"},
		{"a long payload", func(e []ledger.Entry, _ *ledger.Tail) []ledger.Entry {
			e[0].Sealed = make([]byte, MaxSealed+1)
			return e
		}, "longer than 1 MiB"},
	} {
		entries, tail := w.entries(s.tail, 2)
		entries = tt.change(entries, &tail)
		err := s.Append(ctx, func(ctxT, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error) { return entries, tail, nil })
		require.ErrorContains(t, err, tt.want, tt.name)
		require.ErrorContains(t, err, "nothing was recorded", tt.name)
	}
	require.NoError(t, w.check(ctx, reopen(t, s), newFates()))
}

// Any mix of calls, closed and opened, with segments of any size: the store holds what a
// plain list holds.
func TestProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		f := newWeak(1)
		w := &writer{subjects: rapid.IntRange(1, 5).Draw(t, "subjects"), size: rapid.SampledFrom([]int{0, 1, 100, 5000}).Draw(t, "size")}
		open := func() *Store {
			s, err := Open(ctx, "log", withFiles(f), WithSegmentSize(rapid.SampledFrom([]int64{0, 8 << 10, 1 << 20}).Draw(t, "segment")))
			require.NoError(t, err)
			return s
		}
		s, fate, size := open(), newFates(), uint64(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "drop", "close", "after"}).Draw(t, "what") {
			case "append":
				n := rapid.IntRange(1, 6).Draw(t, "entries")
				require.NoError(t, w.append(ctx, s, n))
				size += uint64(n)
			case "drop":
				h := handleOf(rapid.IntRange(0, w.subjects-1).Draw(t, "subject"))
				require.NoError(t, s.Drop(ctx, h))
				fate.gone[h] = size
			case "close":
				require.NoError(t, s.Close())
				s = open()
			case "after":
				after := rapid.Uint64Range(0, size+2).Draw(t, "after")
				got, err := seqs(s.Entries(ctx, after))
				require.NoError(t, err)
				require.Len(t, got, int(size-min(after, size)))
			}
		}
		require.Equal(t, size, s.tail.Size)
		require.NoError(t, w.check(ctx, s, fate))
	})
}

func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var many, one table
		want, last := map[uint32][]uint32{}, map[uint32]uint32{}
		// Few hashes, so that they are equal, and in few shards, so that these wrap around.
		hash := rapid.Map(rapid.Uint32Range(0, 40), func(n uint32) uint32 { return n%2<<24 | 0xfffff0 + n/2 })
		for n := range uint32(rapid.IntRange(1, 200).Draw(t, "n")) {
			h := hash.Draw(t, "hash")
			many.add(h, n+1)
			want[h] = append(want[h], n+1)
			require.Equal(t, last[h], one.swap(h, n+1))
			last[h] = n + 1
		}
		for h, numbers := range want {
			var got []uint32
			many.all(h, func(n uint32) bool { got = append(got, n); return true })
			slices.Sort(got)
			require.Equal(t, numbers, got)
			one.all(h, func(n uint32) bool { require.Equal(t, last[h], n); return true })
		}
		many.all(0xff000000, func(uint32) bool { t.Fatal("nothing has this hash"); return false })
	})
}

// Tails come out as the ledger's own code makes them.
func TestAccumulator(t *testing.T) {
	var want ledger.Tail
	acc := newAccumulator(want)
	for n := range 300 {
		h := ledger.Hash{byte(n), byte(n >> 8), 7}
		want = want.Add(h)
		acc.add(h)
		require.Equal(t, want, acc.end())
		if n%37 == 0 {
			acc = newAccumulator(want)
		}
	}
}

// Erasing a subject: no byte of their key or of what was sealed is in any file, the log
// verifies, and the proof of one of their events holds.
func TestErase(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	logDir, keysPath := filepath.Join(dir, "log"), filepath.Join(dir, "elsewhere")
	open := func() *ledger.Ledger {
		l, err := OpenLedger(ctx, logDir, WithKeys(keysPath), WithSegmentSize(4<<10))
		require.NoError(t, err)
		return l
	}
	l := open()
	scope := consent.Scope{Purpose: "diagnostic.optional", Channel: "mail", Recipient: "contoso"}
	const jane, joe = "p1_1_jane-canary", "p1_1_joe"
	for n := range 20 {
		for _, s := range []string{jane, joe} {
			ev := ledger.Granted(s, scope, at.Add(time.Duration(n)*time.Hour))
			ev.ID = fmt.Sprintf("%s-%d", s[5:8], n)
			_, err := l.Append(ctx, ev)
			require.NoError(t, err)
		}
	}
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signed, err := l.SignHead(ctx, private, at)
	require.NoError(t, err)
	opening, err := l.Open(ctx, jane, "jan-3")
	require.NoError(t, err)

	// What must be gone: her key, and her entries behind their envelopes.
	k, err := OpenKeys(ctx, keysPath)
	require.NoError(t, err)
	var needles, kept [][]byte
	for key, err := range k.Live(ctx) {
		require.NoError(t, err)
		needles = append(needles, bytes.Clone(key[:]))
	}
	require.Len(t, needles, 2)
	require.NoError(t, k.Close())
	r, err := OpenReader(ctx, logDir)
	require.NoError(t, err)
	hers := map[ledger.Handle][][]byte{}
	ids := map[ledger.Handle]string{}
	for e, err := range r.Entries(ctx, 0) {
		require.NoError(t, err)
		env, err := ledger.ParseEnvelope(e.Envelope)
		require.NoError(t, err)
		hers[e.Handle] = append(hers[e.Handle], bytes.Clone(e.Sealed), bytes.Clone(e.Handle[:]))
		ids[e.Handle] = env.ID[:3]
	}
	require.NoError(t, r.Close())
	require.Len(t, hers, 2)

	_, err = l.Erase(ctx, jane, at.Add(time.Hour*99), ledger.OnRequest)
	require.NoError(t, err)
	raw := allFiles(t, dir)
	live := 0
	for _, key := range needles {
		if bytes.Contains(raw, key) {
			live++
			kept = append(kept, key)
		} else {
			requireGone(t, raw, key)
		}
	}
	require.Equal(t, 1, live, "of two keys one is left")
	require.Len(t, kept, 1)
	for h, parts := range hers {
		for _, part := range parts {
			if ids[h] == "jan" {
				requireGone(t, raw, part)
			} else {
				require.True(t, bytes.Contains(raw, part), "what belongs to others stays")
			}
		}
	}
	requireGone(t, raw, opening.Salt[:])
	require.False(t, bytes.Contains(raw, opening.Payload))
	requireGone(t, raw, []byte("jane-canary"))
	check := func(l *ledger.Ledger) {
		report, err := l.Verify(ctx, ledger.Checks{Heads: []ledger.SignedHead{signed}, Public: public})
		require.NoError(t, err)
		require.Empty(t, report.Problems)
		require.EqualValues(t, 20, report.Erased)
		proof, err := l.Prove(ctx, "jan-3")
		require.NoError(t, err)
		envelope, err := proof.Check()
		require.NoError(t, err)
		require.Equal(t, ledger.KindGranted, envelope.Kind)
		_, err = opening.Check(envelope)
		require.NoError(t, err, "who was given the opening can still show it")
		_, err = l.Append(ctx, ledger.Granted(jane, scope, at))
		require.ErrorIs(t, err, ledger.ErrErased)
	}
	check(l)
	require.NoError(t, l.Close())
	l = open()
	check(l)
	require.NoError(t, l.Close())
}

func allFiles(t testing.TB, dir string) (raw []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		raw = append(raw, data...)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, raw)
	return raw
}

// The keys of one log are refused for another, and a log whose keys are gone gets no new
// ones.
func TestKeysBelongToTheLog(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	for _, d := range []string{one, two} {
		l, err := OpenLedger(ctx, d)
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
	_, err := OpenLedger(ctx, one, WithKeys(filepath.Join(two, "keys")))
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "belongs to another log")
	require.NoError(t, os.Rename(filepath.Join(one, "keys"), filepath.Join(dir, "kept")))
	_, err = OpenLedger(ctx, one)
	require.ErrorIs(t, err, os.ErrNotExist)
	l, err := OpenLedger(ctx, one, WithKeys(filepath.Join(dir, "kept")))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	r, err := OpenLedgerReader(ctx, one, WithKeys(filepath.Join(dir, "kept")))
	require.NoError(t, err)
	_, err = r.Append(ctx, ledger.Granted("p1_1_x", consent.Scope{Purpose: "p"}, at))
	require.ErrorIs(t, err, ledger.ErrReadOnly)
	require.NoError(t, r.Close())
}

func TestPermissions(t *testing.T) {
	if !permissionsCount {
		t.Skip("this system keeps no permission bits")
	}
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "log")
	l, err := OpenLedger(ctx, dir)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077, e.Name())
	}
	require.NoError(t, os.Chmod(filepath.Join(dir, "keys"), 0o640))
	_, err = OpenLedger(ctx, dir)
	require.ErrorIs(t, err, ErrPermissions)
	require.ErrorContains(t, err, "chmod 600")
}

// Several programs on one file of keys: nobody is given a second key, and all see what
// the others made and destroyed.
func TestKeysOfSeveralPrograms(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keys")
	const programs, subjects = 4, 40
	var all []*Keys
	for range programs {
		k, err := OpenKeys(ctx, path)
		require.NoError(t, err)
		defer k.Close()
		all = append(all, k)
	}
	given := make([][]ledger.Key, programs)
	var wg sync.WaitGroup
	for p, k := range all {
		wg.Go(func() {
			for n := range subjects {
				keys, err := k.Ensure(ctx, []ledger.Tag{ledger.Tag(handleOf(n)), ledger.Tag(handleOf(1000*p + 1000 + n))})
				if !assert.NoError(t, err) {
					return
				}
				given[p] = append(given[p], keys[0])
			}
		})
	}
	wg.Wait()
	for p, k := range all {
		require.Equal(t, given[0], given[p])
		for q := range all {
			_, err := k.Get(ctx, ledger.Tag(handleOf(1000*q+1000)))
			require.NoError(t, err)
		}
		n := 0
		for _, err := range k.Live(ctx) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, subjects*(programs+1), n)
	}
	require.NoError(t, all[0].Destroy(ctx, ledger.Erasure{Tag: ledger.Tag(handleOf(7)), At: at}))
	for _, k := range all {
		_, err := k.Get(ctx, ledger.Tag(handleOf(7)))
		require.ErrorIs(t, err, ledger.ErrErased)
		open, err := k.Unfinished(ctx)
		require.NoError(t, err)
		require.Len(t, open, 1)
	}
	require.NoError(t, all[3].Finish(ctx, ledger.Tag(handleOf(7))))
	open, err := all[0].Unfinished(ctx)
	require.NoError(t, err)
	require.Empty(t, open)
	require.NoError(t, all[1].Finish(ctx, ledger.Tag(handleOf(8))))
	require.NoError(t, all[1].Finish(ctx, ledger.Tag(handleOf(99999))))
	_, err = all[2].Get(ctx, ledger.Tag(handleOf(8)))
	require.NoError(t, err, "nothing was under way, so nothing is destroyed")
}

// Nothing of an entry or a key is in an error or shows when a store is printed.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "log")
	k, err := OpenKeys(ctx, filepath.Join(t.TempDir(), "keys"))
	require.NoError(t, err)
	tag := ledger.Tag([]byte(canary)[:16])
	keys, err := k.Ensure(ctx, []ledger.Tag{tag})
	require.NoError(t, err)
	secret, err := k.Secret(ctx)
	require.NoError(t, err)
	var said strings.Builder
	note := func(err error) {
		require.Error(t, err)
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&said, "%v %+v %#v\n", err, err, err.Error())
		}
	}
	_, err = k.Get(ctx, ledger.Tag{1})
	note(err)
	require.NoError(t, k.Destroy(ctx, ledger.Erasure{Tag: tag, Handle: ledger.Handle(tag), At: at}))
	_, err = k.Get(ctx, tag)
	note(err)
	fmt.Fprintf(&said, "%v %+v %#v\n", k, k, k)
	file, err := os.ReadFile(k.path)
	require.NoError(t, err)
	file[place(0)+9] ^= 1
	require.NoError(t, os.WriteFile(k.path, file, 0o600))
	_, err = k.Get(ctx, tag)
	note(err)
	_, err = OpenKeys(ctx, k.path)
	note(err)

	s, err := Open(ctx, dir)
	require.NoError(t, err)
	env := ledger.Envelope{Seq: 1, ID: canary, Purpose: canary, Kind: canary, Known: at, Valid: at}
	entry := ledger.Entry{Seq: 1, Envelope: env.Append(nil), Handle: ledger.Handle(tag), Sealed: []byte(canary)}
	add := func(e ledger.Entry, tail ledger.Tail) error {
		return s.Append(ctx, func(ctxT, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			return []ledger.Entry{e}, tail, nil
		})
	}
	note(add(entry, ledger.Tail{}))
	require.NoError(t, add(entry, ledger.Tail{}.Add(entry.Hash())))
	note(add(entry, ledger.Tail{}))
	_, err = s.Find(ctx, canary+"2")
	note(err)
	fmt.Fprintf(&said, "%v %+v\n", s, s.segments[0])
	path := s.segments[0].path
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for n := segmentHead; n < len(whole); n += 5 {
		b := bytes.Clone(whole)
		b[n] ^= 1
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, err = Open(ctx, dir)
		note(err)
	}
	for _, hidden := range []string{"canary", string(keys[0][:8]), string(secret[:8]), fmt.Sprint(keys[0][:8]), fmt.Sprint(secret[:8]), fmt.Sprint([]byte("canary")), fmt.Sprintf("%x", "canary"), fmt.Sprintf("%x", keys[0][:8])} {
		assert.NotContains(t, said.String(), strings.Trim(hidden, "[]"))
	}
	require.Greater(t, said.Len(), 5000)
}

func TestClosedAndGivenUp(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	s.turn <- struct{}{} // somebody writes
	soon, cancel := contextWithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	w := &writer{subjects: 1, size: 1}
	require.ErrorIs(t, w.append(soon, s, 1), soon.Err())
	<-s.turn
	require.NoError(t, w.append(ctx, s, 1))
	seqsBefore := s.Entries(ctx, 0)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err := seqs(seqsBefore)
	require.ErrorIs(t, err, ledger.ErrClosed)

	path := filepath.Join(t.TempDir(), "keys")
	k, err := OpenKeys(ctx, path)
	require.NoError(t, err)
	unlock, err := k.files.lock(path + ".lock")
	require.NoError(t, err)
	soon, cancel = contextWithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err = k.Ensure(soon, []ledger.Tag{{1}})
	require.ErrorIs(t, err, soon.Err(), "another program has the lock")
	unlock()
	_, err = k.Ensure(ctx, []ledger.Tag{{1}})
	require.NoError(t, err, "the lock that came late was given back")
	require.NoError(t, k.Close())
	require.NoError(t, k.Close())
	_, err = k.Get(ctx, ledger.Tag{1})
	require.ErrorIs(t, err, ledger.ErrClosed)
	if runtime.GOOS == "linux" {
		_, err = OpenKeys(ctx, os.DevNull)
		require.Error(t, err, "it is no file")
	}
}

func TestAllocations(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	w := &writer{subjects: 100, size: 200}
	require.NoError(t, w.append(ctx, s, 1000))
	n := 0
	per := testing.AllocsPerRun(10, func() {
		for _, err := range s.Entries(ctx, 0) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	})
	assert.LessOrEqual(t, per, 12.0, "reading all entries, not each")
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() {
		if _, err := s.Find(ctx, "id-7"); err != nil {
			t.Fatal(err)
		}
	}), 5.0)
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() {
		for range s.Subject(ctx, handleOf(5), 0) {
			n++
		}
	}), 16.0, "ten entries")
}
