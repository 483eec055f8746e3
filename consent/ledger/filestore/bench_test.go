package filestore

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// benchDirs are the disk and, where there is one, a file system in memory, which shows
// what everything but the disk costs.
func benchDirs(b *testing.B) map[string]string {
	dirs := map[string]string{"disk": b.TempDir()}
	if dir, err := os.MkdirTemp("/dev/shm", "privet-bench"); err == nil {
		b.Cleanup(func() { os.RemoveAll(dir) })
		dirs["memory"] = dir
	}
	return dirs
}

// What a sync of some bytes at the end of a file costs: the floor of an append.
func BenchmarkFloorSync(b *testing.B) {
	for name, dir := range benchDirs(b) {
		b.Run(name, func(b *testing.B) {
			f, err := (disk{}).create(filepath.Join(dir, "floor"))
			require.NoError(b, err)
			defer os.Remove(filepath.Join(dir, "floor"))
			buf := make([]byte, 500)
			end := int64(0)
			for b.Loop() {
				f.WriteAt(buf, end)
				end += int64(len(buf))
				f.Sync()
			}
			f.Close()
		})
	}
}

// One event for each call, acknowledged when it is durable, from some goroutines, of
// 1,000 subjects who have a key already.
func BenchmarkAppend(b *testing.B) {
	for name, dir := range benchDirs(b) {
		for _, workers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, workers), func(b *testing.B) {
				ctx := b.Context()
				path, err := os.MkdirTemp(dir, "log")
				require.NoError(b, err)
				defer os.RemoveAll(path)
				store, err := Open(ctx, path)
				require.NoError(b, err)
				keys, err := OpenKeys(ctx, filepath.Join(path, "keys"))
				require.NoError(b, err)
				l, err := ledger.New(ctx, store, keys)
				require.NoError(b, err)
				defer l.Close()
				scope := consent.Scope{Purpose: "diagnostic.optional"}
				var subjects []string
				var first []ledger.Event
				for i := range 1000 {
					subjects = append(subjects, "p1_1_"+strconv.Itoa(i))
					first = append(first, ledger.Granted(subjects[i], scope, at))
				}
				_, err = l.Append(ctx, first...)
				require.NoError(b, err)
				var n atomic.Int64
				before := store.head.mark.generation
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				for range workers {
					wg.Go(func() {
						for {
							i := n.Add(1)
							if i > int64(b.N) {
								return
							}
							ev := ledger.Granted(subjects[i%1000], scope, at)
							ev.ID = "e-" + strconv.FormatInt(i, 10)
							if _, err := l.Append(ctx, ev); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(float64(b.N)/float64(store.head.mark.generation-before), "events/sync")
			})
		}
	}
}

// Opening a log of 200,000 entries of 2,000 subjects, which is in the memory of the
// system already.
func BenchmarkOpen(b *testing.B) {
	const count = 200_000
	ctx := b.Context()
	s := testStore(b)
	w := &writer{subjects: 2000, size: usualSealed}
	for range count / 2000 {
		require.NoError(b, w.append(ctx, s, 2000))
	}
	size := folderSize(b, s.dir)
	require.NoError(b, s.Close())
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(ctx, s.dir)
		require.NoError(b, err)
		s.Close()
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkRead(b *testing.B) {
	const count, subjects = 100_000, 10_000
	ctx := b.Context()
	s := testStore(b)
	w := &writer{subjects: subjects, size: usualSealed}
	for range count / 2000 {
		require.NoError(b, w.append(ctx, s, 2000))
	}
	b.Run("entries", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			for _, err := range s.Entries(ctx, 0) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("subject_of_10", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			for _, err := range s.Subject(ctx, handleOf(n%subjects), 0) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			if _, err := s.Find(ctx, idOf(uint64(1+n%count))); err != nil {
				b.Fatal(err)
			}
		}
	})
}
