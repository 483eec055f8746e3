package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// BenchmarkAppend is of whole ledgers, sealing, chain and all, until the entry
// is flushed to disk. "floor" is the least that a database can do: one INSERT of the
// same size in a transaction of its own. Writers are ledgers with a pool of their
// own, as on as many machines; goroutines share one ledger, which puts the events of
// those that wait into one transaction.
func BenchmarkAppend(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name+"/floor", func(b *testing.B) {
			dsn := k.place(b)
			db := raw(b, dsn)
			table, insert := "CREATE TABLE floor (seq bigint PRIMARY KEY, body bytea)", "INSERT INTO floor VALUES ($1, $2)"
			if strings.HasPrefix(dsn, "sqlite:") {
				table, insert = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE floor (seq INTEGER PRIMARY KEY, body BLOB)", "INSERT INTO floor VALUES (?, ?)"
				db.SetMaxOpenConns(1)
			}
			run(b, db, table)
			body, n := make([]byte, 400), 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				if _, err := db.ExecContext(ctx, insert, n, body); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b)
		})
		for _, row := range []struct {
			name                string
			writers, goroutines int
		}{{"1_writer", 1, 1}, {"1_writer_of_8_goroutines", 1, 8}, {"16_writers", 16, 16}, {"16_writers_of_8_goroutines", 16, 128}} {
			b.Run(k.name+"/"+row.name, func(b *testing.B) {
				dsn, keys := k.place(b), filepath.Join(b.TempDir(), "keys")
				ledgers := make([]*ledger.Ledger, row.writers)
				for i := range ledgers {
					ledgers[i] = ledgerAt(b, dsn, keys)
				}
				people := make([]ledger.Event, 1000) // who are known already, so that no key is made meanwhile
				for i := range people {
					people[i] = ledger.Requested(fmt.Sprintf("p1_1_%d", i), consent.Scope{Purpose: "newsletter"}, day(1))
				}
				_, err := ledgers[0].Append(ctx, people...)
				require.NoError(b, err)
				var next, number atomic.Int64
				work := make(chan struct{})
				done := make(chan error, row.goroutines)
				for range row.goroutines {
					l := ledgers[int(next.Add(1))%len(ledgers)]
					go func() {
						var failed error
						for range work {
							n := number.Add(1)
							ev := ledger.Granted(fmt.Sprintf("p1_1_%d", n%1000), consent.Scope{Purpose: "newsletter"}, day(1))
							ev.ID = fmt.Sprintf("e%d.%d", n, b.N)
							if _, err := l.Append(ctx, ev); err != nil {
								failed = err
							}
						}
						done <- failed
					}()
				}
				b.ReportAllocs()
				for b.Loop() {
					work <- struct{}{}
				}
				close(work)
				for range row.goroutines {
					require.NoError(b, <-done)
				}
				perSecond(b)
				for _, l := range ledgers {
					require.NoError(b, l.Close())
				}
			})
		}
	}
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkView asks for the view of a subject of twenty events, about whom others
// may have recorded something since it was asked last.
func BenchmarkView(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			l := ledgerAt(b, k.place(b), filepath.Join(b.TempDir(), "keys"))
			for i := range 20 {
				_, err := l.Append(ctx, ledger.Granted("p1_1_jane", consent.Scope{Purpose: fmt.Sprintf("p.x%d", i)}, day(1)))
				require.NoError(b, err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.View(ctx, "p1_1_jane", ledger.AsOf{Valid: day(2)}); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, l.Close())
		})
	}
}

// BenchmarkEntries reads a log from its beginning, as verifying does.
func BenchmarkEntries(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			s := open(b, k.place(b))
			const n = 10_000
			require.NoError(b, s.Append(ctx, adding(jane, texts("e", n)...)))
			b.ReportAllocs()
			for b.Loop() {
				got := 0
				for _, err := range s.Entries(ctx, 0) {
					if err != nil {
						b.Fatal(err)
					}
					got++
				}
				if got != n {
					b.Fatalf("%d entries of %d", got, n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
		})
	}
}
