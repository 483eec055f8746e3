package filestore

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
)

// Whatever lies in a segment and in HEAD, a log opens, or an error says why not; what
// opens can be read, and nothing takes more memory than the files suggest.
func FuzzSegment(f *testing.F) {
	// Small seeds: the fuzzer spends its time on making long ones shorter.
	fs := newWeak(1)
	s, err := Open(f.Context(), "log", withFiles(fs))
	require.NoError(f, err)
	w := &writer{subjects: 2, size: 9}
	require.NoError(f, w.append(f.Context(), s, 1))
	one := fs.Get("log/00000001.segment")
	require.NoError(f, w.append(f.Context(), s, 2))
	require.NoError(f, s.Drop(f.Context(), handleOf(1)))
	head, all := fs.Get("log/HEAD")[:markSize], fs.Get("log/00000001.segment")
	f.Add(one, head)
	f.Add(all, head)
	f.Add(all[:len(all)-20], head)
	f.Add(all[:segmentHead], head)
	f.Add([]byte(segmentMagic), []byte(headMagic))
	f.Fuzz(func(t *testing.T, segment, head []byte) {
		ctx := t.Context()
		fs := newWeak(1)
		fs.Put("log/HEAD", head)
		fs.Put("log/00000001.segment", segment)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := OpenReader(ctx, "log", withFiles(fs))
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20+40*len(segment)))
		w, werr := Open(ctx, "log", withFiles(fs))
		if err != nil {
			require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat), "%v", err)
			var where *FileError
			require.ErrorAs(t, err, &where)
			require.NotEmpty(t, where.Path)
			require.Error(t, werr, "a writer is no less strict")
			return
		}
		n := uint64(0)
		for e, err := range r.Entries(ctx, 0) {
			require.NoError(t, err)
			n++
			require.Equal(t, n, e.Seq)
		}
		tail, err := r.Tail(ctx)
		require.NoError(t, err)
		require.Equal(t, n, tail.Size)
		if werr == nil {
			require.Equal(t, tail, w.tail)
			require.NoError(t, (&writer{subjects: 1}).append(ctx, w, 2))
			require.NoError(t, w.Close())
			_, err = Open(ctx, "log", withFiles(fs))
			require.NoError(t, err, "what was written is read")
		}
	})
}

// Whatever lies in a file of keys, it opens, or an error says why not.
func FuzzKeys(f *testing.F) {
	fs := newWeak(1)
	k, err := openKeys(f.Context(), "keys", fs, true)
	require.NoError(f, err)
	f.Add(fs.Get("keys"))
	for n := range 4 {
		_, err = k.Ensure(f.Context(), []ledger.Tag{ledger.Tag(handleOf(n))})
		require.NoError(f, err)
	}
	require.NoError(f, k.Destroy(f.Context(), ledger.Erasure{Tag: ledger.Tag(handleOf(1)), At: at}))
	f.Add(fs.Get("keys"))
	f.Add(fs.Get("keys")[:keysStart+200])
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := t.Context()
		fs := newWeak(1)
		fs.Put("keys", data)
		k, err := openKeys(ctx, "keys", fs, false)
		if err != nil {
			require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat), "%v", err)
			return
		}
		n := 0
		for _, err := range k.Live(ctx) {
			require.NoError(t, err)
			n++
		}
		require.LessOrEqual(t, n, len(data)/slotSize)
		_, err = k.Unfinished(ctx)
		require.NoError(t, err)
		keys, err := k.Ensure(ctx, []ledger.Tag{ledger.Tag(handleOf(99))})
		require.NoError(t, err)
		require.NoError(t, k.Close())
		k, err = openKeys(ctx, "keys", fs, false)
		require.NoError(t, err, "what was written is read")
		got, err := k.Get(ctx, ledger.Tag(handleOf(99)))
		require.NoError(t, err)
		require.Equal(t, keys[0], got)
	})
}
