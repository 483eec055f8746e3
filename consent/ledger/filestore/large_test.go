package filestore

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A log of ten million entries of a million subjects is opened cold. The entries are of
// the length that a ledger's are: see TestLengths.
func TestColdOpen(t *testing.T) {
	count, subjects := 100_000, 10_000
	if *long {
		count, subjects = 10_000_000, 1_000_000
	}
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "log")
	s, err := Open(ctx, dir)
	require.NoError(t, err)
	sealed := payloadOf(1, usualSealed)
	for made := 0; made < count; {
		err := s.Append(ctx, func(_ ctxT, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			var out []ledger.Entry
			acc := newAccumulator(end)
			for range 5000 {
				seq := acc.tail.Size + 1
				env := ledger.Envelope{
					Seq: seq, Prev: acc.tail.Last, ID: fmt.Sprintf("e%d", seq), Kind: ledger.KindGranted, Known: at, Valid: at,
					Purpose: "diagnostic.optional", Strength: consent.Expressed, Notice: consent.NoticeRef{ID: "privacy", Version: "2026-03"},
				}
				e := ledger.Entry{Seq: seq, Envelope: env.Append(nil), Handle: handleOf(int(seq) * 7 % subjects), Sealed: sealed}
				binary.BigEndian.PutUint64(e.Handle[8:], seq*7%uint64(subjects)*0x9e3779b97f4a7c15)
				out = append(out, e)
				acc.add(e.Hash())
			}
			return out, acc.end(), nil
		})
		require.NoError(t, err)
		made += 5000
	}
	tail := s.tail
	require.NoError(t, s.Close())
	s = nil
	bytes := folderSize(t, dir)
	for _, how := range []string{"cold", "again"} {
		if how == "cold" {
			forget(t, dir)
		}
		before := heap()
		start := time.Now()
		s, err := Open(ctx, dir)
		took := time.Since(start)
		require.NoError(t, err)
		used := heap() - before
		require.Equal(t, tail, s.tail)
		t.Logf("%s: %d entries, %d bytes on the disk: opened in %v (%.0f entries/s, %.0f MB/s), %d bytes of memory, %.1f for each entry",
			how, count, bytes, took.Round(time.Millisecond), float64(count)/took.Seconds(), float64(bytes)/1e6/took.Seconds(), used, float64(used)/float64(count))
		assert.Less(t, float64(used)/float64(count), 40.0)
		got, err := seqs(s.Subject(ctx, firstHandle(t, s), 0))
		require.NoError(t, err)
		require.Len(t, got, count/subjects)
		e, err := s.Find(ctx, fmt.Sprintf("e%d", count/2))
		require.NoError(t, err)
		require.EqualValues(t, count/2, e.Seq)
		require.NoError(t, s.Close())
	}
}

func firstHandle(t testing.TB, s *Store) ledger.Handle {
	t.Helper()
	r, _, err := s.read(1, nil)
	require.NoError(t, err)
	return r.handle()
}

// usualSealed is how long a sealed payload is: see TestLengths.
const usualSealed = 201

// What an entry of a ledger takes on the disk, so that the figures of TestColdOpen are
// those of a real log.
func TestLengths(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	l, err := OpenLedger(ctx, dir)
	require.NoError(t, err)
	defer l.Close()
	ev := ledger.Granted("p1_1_abcdefghijklmnopqrstuvwxyz", consent.Scope{Purpose: "diagnostic.optional", Channel: "email", Recipient: "contoso"}, at)
	ev.Notice = consent.NoticeRef{ID: "privacy", Version: "2026-03"}
	_, err = l.Append(ctx, ev)
	require.NoError(t, err)
	r, err := OpenReader(ctx, dir)
	require.NoError(t, err)
	defer r.Close()
	for e, err := range r.Entries(ctx, 0) {
		require.NoError(t, err)
		t.Logf("envelope %d bytes, sealed payload %d, record %d", len(e.Envelope), len(e.Sealed), recordSize+len(e.Envelope)+len(e.Sealed))
		assert.InDelta(t, usualSealed, len(e.Sealed), 40)
	}
}

// A file of a million keys is opened.
func TestManyKeys(t *testing.T) {
	count := 20_000
	if *long {
		count = 1_000_000
	}
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keys")
	k, err := OpenKeys(ctx, path)
	require.NoError(t, err)
	for n := 0; n < count; n += 10_000 {
		var tags []ledger.Tag
		for i := range 10_000 {
			tags = append(tags, ledger.Tag(handleOf(n+i)))
		}
		_, err := k.Ensure(ctx, tags)
		require.NoError(t, err)
	}
	want, err := k.Get(ctx, ledger.Tag(handleOf(count-1)))
	require.NoError(t, err)
	require.NoError(t, k.Close())
	k = nil
	forget(t, filepath.Dir(path))
	before := heap()
	start := time.Now()
	k, err = OpenKeys(ctx, path)
	took := time.Since(start)
	require.NoError(t, err)
	used := heap() - before
	t.Logf("%d keys: opened in %v, %d bytes of memory, %.1f for each", count, took.Round(time.Millisecond), used, float64(used)/float64(count))
	assert.Less(t, float64(used)/float64(count), 24.0)
	got, err := k.Get(ctx, ledger.Tag(handleOf(count-1)))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, k.Close())
}
