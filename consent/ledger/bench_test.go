package ledger_test

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

var long = flag.Bool("long", false, "a million subjects and a million events, for figures")

// Appending goes on at the same pace however long the log is. The floor is a
// SHA-256 of the envelope, an HMAC and an AES-GCM of the payload.
func BenchmarkAppend(b *testing.B) {
	for _, workers := range []int{1, 8} {
		b.Run(fmt.Sprintf("goroutines=%d", workers), func(b *testing.B) {
			m := ledger.NewMemory()
			subjects := make([]string, 10_000)
			for i := range subjects {
				subjects[i] = fmt.Sprintf("p1_1_%d", i)
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for {
						n := int(next.Add(1))
						if n > b.N {
							return
						}
						if _, err := m.Append(ctx, ledger.Granted(subjects[n%len(subjects)], diag, day(1).Add(time.Duration(n)*time.Second))); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
	b.Run("calls_of_100", func(b *testing.B) {
		m := ledger.NewMemory()
		events := make([]ledger.Event, 100)
		n := 0
		b.ReportAllocs()
		for b.Loop() {
			for i := range events {
				n++
				events[i] = ledger.Granted(fmt.Sprintf("p1_1_%d", n%10_000), diag, day(1).Add(time.Duration(n)*time.Second))
			}
			if _, err := m.Append(ctx, events...); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
	})
}

func BenchmarkView(b *testing.B) {
	twenty := make([]ledger.Event, 20)
	for i := range twenty {
		twenty[i] = ledger.Granted(jane, consent.Scope{Purpose: fmt.Sprintf("p.x%d", i)}, day(1))
	}
	view := func(b *testing.B, l *ledger.Ledger, who string, asOf ledger.AsOf) {
		if _, err := l.View(ctx, who, asOf); err != nil {
			b.Fatal(err)
		}
	}
	m := ledger.NewMemory()
	_, err := m.Append(ctx, twenty...)
	require.NoError(b, err)
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			view(b, m, jane, ledger.AsOf{Valid: day(2)})
		}
	})
	b.Run("cached/parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := m.View(ctx, jane, ledger.AsOf{Valid: day(2)}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("as_known_then", func(b *testing.B) {
		_, err := m.Append(ctx, ledger.Withdrawn(jane, consent.Scope{Purpose: "p.x0"}, day(3)))
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			view(b, m, jane, ledger.AsOf{Valid: day(2), Known: day(2)})
		}
	})
	b.Run("cold/events=20", func(b *testing.B) { // read, opened and checked
		cold := ledger.NewMemory(ledger.WithCache(1))
		_, err := cold.Append(ctx, twenty...)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			view(b, cold, "somebody", ledger.AsOf{Valid: day(2)}) // takes the place in the cache
			view(b, cold, jane, ledger.AsOf{Valid: day(2)})
		}
	})
	many := make([]ledger.Event, 10_000)
	for i := range many {
		make := ledger.Granted
		if i%2 == 1 {
			make = ledger.Withdrawn
		}
		many[i] = make(jane, consent.Scope{Purpose: fmt.Sprintf("p.x%d", i%20)}, day(1).Add(time.Duration(i)*time.Second))
	}
	fill := func(options ...ledger.Option) *ledger.Ledger {
		l := ledger.NewMemory(options...)
		_, err := l.Append(ctx, many...)
		require.NoError(b, err)
		return l
	}
	b.Run("cold/events=10000", func(b *testing.B) {
		l := fill(ledger.WithCache(1))
		b.ReportAllocs()
		for b.Loop() {
			view(b, l, "somebody", ledger.AsOf{Valid: day(2)})
			view(b, l, jane, ledger.AsOf{Valid: day(2)})
		}
	})
	b.Run("read/events=10000", func(b *testing.B) { // events ready, the view made anew
		l := fill()
		b.ReportAllocs()
		for b.Loop() {
			view(b, l, jane, ledger.AsOf{Valid: day(2), Known: day(1).Add(2 * time.Hour)})
		}
	})
	b.Run("cached/events=10000", func(b *testing.B) {
		l := fill()
		b.ReportAllocs()
		for b.Loop() {
			view(b, l, jane, ledger.AsOf{Valid: day(2)})
		}
	})
}

// events makes a log of n events of n/perSubject subjects.
func events(t testing.TB, n, perSubject int) *ledger.Ledger {
	l := ledger.NewMemory()
	batch := make([]ledger.Event, 0, 4096)
	for i := range n {
		batch = append(batch, ledger.Granted(fmt.Sprintf("p1_1_%d", i/perSubject), diag, day(1).Add(time.Duration(i)*time.Second)))
		if len(batch) == cap(batch) || i == n-1 {
			_, err := l.Append(ctx, batch...)
			require.NoError(t, err)
			batch = batch[:0]
		}
	}
	return l
}

func BenchmarkProofs(b *testing.B) {
	n := 20_000
	if *long {
		n = 1_000_000
	}
	l := events(b, n, 10)
	b.Run(fmt.Sprintf("prove/events=%d", n), func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := l.Prove(ctx, fmt.Sprintf("e%d", i*7919%n+1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	p, err := l.Prove(ctx, "e77")
	require.NoError(b, err)
	b.Run(fmt.Sprintf("check/events=%d", n), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Check(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(fmt.Sprintf("verify/events=%d", n), func(b *testing.B) {
		for b.Loop() {
			r, err := l.Verify(ctx, ledger.Checks{})
			if err != nil || len(r.Problems) > 0 {
				b.Fatal(err, r.Problems)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/float64(b.N), "ns/event")
	})
}

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// A subject with three events stays within its budget of memory.
func TestBytesPerSubject(t *testing.T) {
	subjects := 20_000
	if *long {
		subjects = 1_000_000
	}
	before := heap()
	l := ledger.NewMemory(ledger.WithCache(1))
	start := time.Now()
	batch := make([]ledger.Event, 0, 3000)
	for i := range subjects {
		who := fmt.Sprintf("p1_1_%08d", i)
		for j := range 3 {
			batch = append(batch, ledger.Granted(who, consent.Scope{Purpose: [...]string{"ads.email", "diagnostic.optional", "research"}[j]}, day(1+j)))
		}
		if len(batch) == cap(batch) || i == subjects-1 {
			_, err := l.Append(ctx, batch...)
			require.NoError(t, err)
			batch = batch[:0]
		}
	}
	took := time.Since(start)
	each := float64(heap()-before) / float64(subjects)
	t.Logf("%d subjects with 3 events each: %.0f bytes a subject, %v to record, %.0f events/s", subjects, each, took.Round(time.Millisecond), float64(3*subjects)/took.Seconds())
	require.Less(t, each, 2600.0)
	require.False(t, math.IsNaN(each))
	start = time.Now()
	_, err := l.View(ctx, "p1_1_00000007", ledger.AsOf{Valid: day(9)})
	require.NoError(t, err)
	t.Logf("a cold view among them: %v", time.Since(start))
	runtime.KeepAlive(l)
}
