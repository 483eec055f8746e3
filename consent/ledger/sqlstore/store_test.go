package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

func TestWhatIsRecordedIsRead(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, "a", "b")))
		require.NoError(t, s.Append(ctx, adding(john, "\x00odd \xff id")))
		require.NoError(t, s.Append(ctx, adding(ledger.Handle{}, "nobody's")))
		require.NoError(t, s.Append(ctx, adding(jane, texts("many", 1300)...)), "several statements and pages")
		require.Len(t, verified(t, s), 1304)

		assert.Len(t, collect(t, s.Subject(ctx, jane, 0)), 1302)
		assert.Len(t, collect(t, s.Subject(ctx, jane, 2)), 1300)
		assert.Empty(t, collect(t, s.Subject(ctx, ledger.Handle{9}, 0)))
		assert.Empty(t, collect(t, s.Subject(ctx, ledger.Handle{}, 0)), "no handle is nobody's")
		assert.Len(t, collect(t, s.Entries(ctx, 1300)), 4)
		assert.Empty(t, collect(t, s.Entries(ctx, 1<<63)))
		found, err := s.Find(ctx, "\x00odd \xff id")
		require.NoError(t, err)
		assert.Equal(t, uint64(3), found.Seq)
		assert.Equal(t, john, found.Handle)
		assert.Len(t, found.Sealed, 60)
		_, err = s.Find(ctx, "none")
		require.ErrorIs(t, err, ledger.ErrNotFound)

		again := open(t, dsn)
		require.Equal(t, verified(t, s), verified(t, again), "another process reads the same")
		require.NoError(t, again.Append(ctx, adding(john, "last")))
		require.Len(t, verified(t, s), 1305, "and what it appends is seen here")
		assert.False(t, s.Exclusive())
	})
}

func TestBuildThatFailsRecordsNothing(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		own := errors.New("mine")
		require.Equal(t, own, s.Append(ctx, func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			return nil, ledger.Tail{}, own
		}), "as it is")
		require.NoError(t, s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			return nil, end, nil
		}))
		require.Error(t, s.Append(ctx, func(ctx context.Context, r ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			entries, tail, err := adding(jane, "a")(ctx, r, end)
			entries[0].Seq++
			return entries, tail, err
		}), "a gap")
		require.Error(t, s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			entries, _ := following(end, jane, "a", "b")
			return entries, end, nil
		}), "another end")
		require.Error(t, s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			entries, tail := following(ledger.Tail{Size: end.Size, Last: ledger.Hash{7}}, jane, "a")
			return entries, tail, nil
		}), "not on this end")
		assert.Empty(t, verified(t, s))
	})
}

// build reads through the transaction, also while it iterates.
func TestBuildReadsTheLog(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, texts("e", 600)...)))
		require.NoError(t, s.Append(ctx, func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			tail, err := log.Tail(ctx)
			require.NoError(t, err)
			require.Equal(t, end, tail)
			n := 0
			for e, err := range log.Subject(ctx, jane, 0) {
				require.NoError(t, err)
				if e.Seq%100 == 0 {
					found, err := log.Find(ctx, fmt.Sprintf("e%d", e.Seq-1))
					require.NoError(t, err)
					require.Equal(t, e.Seq, found.Seq)
				}
				n++
			}
			require.Equal(t, 600, n)
			return adding(john, "after")(ctx, log, end)
		}))
		require.Len(t, verified(t, s), 601)
	})
}

func TestDrop(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, "a")))
		require.NoError(t, s.Append(ctx, adding(john, "b")))
		require.NoError(t, s.Append(ctx, adding(jane, "c")))
		before, err := s.Tail(ctx)
		require.NoError(t, err)
		for range 2 { // the second time does nothing
			require.NoError(t, s.Drop(ctx, jane))
		}
		require.NoError(t, s.Drop(ctx, ledger.Handle{}), "nobody's entries stay as they are")
		require.Equal(t, []string{"a", "b", "c"}, verified(t, s), "the chain stands")
		after, err := s.Tail(ctx)
		require.NoError(t, err)
		assert.Equal(t, before, after)
		assert.Empty(t, collect(t, s.Subject(ctx, jane, 0)))
		dropped, err := s.Find(ctx, "a")
		require.NoError(t, err)
		assert.Zero(t, dropped.Handle)
		assert.Empty(t, dropped.Sealed)
		assert.Len(t, collect(t, s.Subject(ctx, john, 0)), 1)
	})
}

func TestSeveralLogsInOneDatabase(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		a, b := open(t, dsn), open(t, dsn, sqlstore.WithName("other_2"))
		require.NoError(t, a.Append(ctx, adding(jane, "x")))
		require.NoError(t, b.Append(ctx, adding(jane, "y", "z")))
		assert.Equal(t, []string{"x"}, verified(t, a))
		assert.Equal(t, []string{"y", "z"}, verified(t, b))
	})
}

func TestReadOnly(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		_, err := sqlstore.OpenDSN(ctx, dsn, sqlstore.ReadOnly())
		require.Error(t, err, "nothing is made")
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, "x")))
		r := open(t, dsn, sqlstore.ReadOnly())
		assert.Equal(t, []string{"x"}, verified(t, r))
		require.ErrorIs(t, r.Append(ctx, adding(jane, "y")), ledger.ErrReadOnly)
		require.ErrorIs(t, r.Drop(ctx, jane), ledger.ErrReadOnly)
		require.NoError(t, s.Append(ctx, adding(jane, "y")))
		assert.Equal(t, []string{"x", "y"}, verified(t, r), "readers see what others append")
	})
}

func TestClosed(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s, err := sqlstore.OpenDSN(ctx, dsn)
		require.NoError(t, err)
		require.NoError(t, s.Append(ctx, adding(jane, "x")))
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "closing again does nothing")
		require.ErrorIs(t, s.Append(ctx, adding(jane, "y")), ledger.ErrClosed)
		require.ErrorIs(t, s.Drop(ctx, jane), ledger.ErrClosed)
		_, err = s.Tail(ctx)
		require.ErrorIs(t, err, ledger.ErrClosed)
		_, err = s.Find(ctx, "x")
		require.ErrorIs(t, err, ledger.ErrClosed)
		for _, err := range s.Entries(ctx, 0) {
			require.ErrorIs(t, err, ledger.ErrClosed)
		}
		for _, err := range s.Subject(ctx, jane, 0) {
			require.ErrorIs(t, err, ledger.ErrClosed)
		}
		require.Equal(t, []string{"x"}, verified(t, open(t, dsn)))
	})
}

// Whoever waits for another writer stops waiting when the context ends.
func TestContextEnds(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		a, b := open(t, dsn), open(t, dsn)
		require.NoError(t, a.Append(ctx, adding(jane, "x")))
		holds, release := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- a.Append(ctx, func(ctx context.Context, r ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
				close(holds)
				<-release
				return adding(jane, "y")(ctx, r, end)
			})
		}()
		<-holds
		for _, s := range []ledger.Store{a, b} { // in the same process, in another
			short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			begin := time.Now()
			require.ErrorIs(t, s.Append(short, adding(jane, "never")), context.DeadlineExceeded)
			require.ErrorIs(t, s.Drop(short, jane), context.DeadlineExceeded)
			assert.Less(t, time.Since(begin), 3*time.Second)
			_, err := s.Tail(short)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			_, err = s.Find(short, "x")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			for _, err := range s.Entries(short, 0) {
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
			cancel()
		}
		assert.Equal(t, []string{"x"}, verified(t, b), "readers are not kept waiting")
		close(release)
		require.NoError(t, <-done)

		// A context that ends inside build: nothing is recorded.
		inside, cancel := context.WithCancel(ctx)
		require.ErrorIs(t, a.Append(inside, func(ctx context.Context, r ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			cancel()
			return adding(jane, "never")(ctx, r, end)
		}), context.Canceled)
		require.NoError(t, b.Append(ctx, adding(jane, "z")), "and nobody is in the way")
		assert.Equal(t, []string{"x", "y", "z"}, verified(t, b))
	})
}

// opened are several stores of one log, each with a pool of its own, as if in
// processes of their own.
func opened(t testing.TB, n int, dsn string, opts ...sqlstore.Option) []ledger.Store {
	t.Helper()
	stores := make([]ledger.Store, n)
	for i := range stores {
		stores[i] = open(t, dsn, opts...)
	}
	return stores
}

// Writers of many processes: one history, without a gap, in which each appended once.
func TestConcurrentWriters(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const writers, each = 8, 12
		var wg sync.WaitGroup
		for w, s := range opened(t, writers, dsn) {
			wg.Go(func() {
				for i := range each {
					assert.NoError(t, s.Append(ctx, adding(jane, texts(fmt.Sprintf("w%d.%d.", w, i), 1+i%3)...)))
				}
			})
		}
		wg.Wait()
		ids := verified(t, open(t, dsn))
		assert.Len(t, ids, writers*each*2)
		seen := make(map[string]bool)
		for _, id := range ids {
			assert.False(t, seen[id])
			seen[id] = true
		}
	})
}

// The lock is left out: what then keeps two writers from forking the log are the
// keys, and every writer still gets its entries in, or is told that it did not.
func TestWithoutTheLockTheKeysHold(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const writers, each = 6, 10
		require.Empty(t, verified(t, open(t, dsn)))
		var wg sync.WaitGroup
		var builds, acknowledged atomic.Int64
		for w, s := range opened(t, writers, dsn, sqlstore.Unlocked()) {
			wg.Go(func() {
				for i := range each {
					err := s.Append(ctx, func(ctx context.Context, r ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
						builds.Add(1)
						time.Sleep(time.Millisecond) // so that they meet
						return adding(jane, fmt.Sprintf("w%d.%d", w, i))(ctx, r, end)
					})
					if err == nil {
						acknowledged.Add(1)
						continue
					}
					var refused *sqlstore.Error
					assert.ErrorAs(t, err, &refused)
				}
			})
		}
		wg.Wait()
		assert.Greater(t, builds.Load(), acknowledged.Load(), "writers did meet: otherwise this shows nothing")
		assert.Len(t, verified(t, open(t, dsn)), int(acknowledged.Load()), "one history all the same")
		t.Logf("%d appends were acknowledged, after %d attempts", acknowledged.Load(), builds.Load())
	})
}

// Each key alone refuses the second of two entries for one place.
func TestEachKeyRefusesAFork(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, "a", "b")))
		db := raw(t, dsn)
		for _, row := range []struct{ what, values string }{
			{"the same place", "(2, zero, other, other, NULL, NULL)"},
			{"the same entry before it", "(3, prev, other, other, NULL, NULL)"},
			{"the same id", "(3, zero, id, other, NULL, NULL)"},
			{"a place before the first", "(0, zero, other, other, NULL, NULL)"},
		} {
			literals := strings.NewReplacer("zero", "decode(repeat('00', 32), 'hex')", "other", "decode('99', 'hex')")
			columns := strings.NewReplacer("prev", "(SELECT prev FROM privet_entries WHERE seq = 2)", " id,", " (SELECT id FROM privet_entries WHERE seq = 2),")
			text := "INSERT INTO privet_entries (seq, prev, id, envelope, handle, sealed) VALUES " + columns.Replace(row.values)
			text = literals.Replace(text)
			if strings.HasPrefix(dsn, "sqlite:") {
				text = strings.NewReplacer("decode(repeat('00', 32), 'hex')", "zeroblob(32)", "decode('99', 'hex')", "x'99'").Replace(text)
			}
			_, err := db.ExecContext(ctx, text)
			require.Error(t, err, row.what)
			assert.Regexp(t, "(?i)constraint", err.Error(), row.what)
		}
		assert.Len(t, verified(t, s), 2)
	})
}

// raw opens the database of a log beside the store.
func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite", path
	}
	db, err := sql.Open(driver, name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestOwnPoolStaysOpen(t *testing.T) {
	t.Parallel()
	db := raw(t, database(t))
	s, err := sqlstore.OpenPostgresDB(ctx, db)
	require.NoError(t, err)
	require.NoError(t, s.Append(ctx, adding(jane, "x")))
	require.NoError(t, s.Close())
	require.NoError(t, db.PingContext(ctx))
	require.ErrorIs(t, s.Append(ctx, adding(jane, "y")), ledger.ErrClosed)
}

// A commit waits for the disk even where the server's own default is not to.
func TestCommitIsFlushed(t *testing.T) {
	t.Parallel()
	dsn := database(t) + "&synchronous_commit=off&default_transaction_isolation=serializable"
	s := open(t, dsn)
	fresh := raw(t, dsn)
	var value string
	require.NoError(t, fresh.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&value))
	require.Equal(t, "off", value, "the default was changed: otherwise this shows nothing")
	require.NoError(t, s.Append(ctx, adding(jane, "x")))
	assert.Equal(t, "on", sqlstore.SettingInAppend(t, s, "synchronous_commit"))
	assert.Equal(t, "read committed", sqlstore.SettingInAppend(t, s, "transaction_isolation"))
	assert.Equal(t, "10s", sqlstore.SettingInAppend(t, s, "idle_in_transaction_session_timeout"))
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "odd name %41 #?.db")
	s, err := sqlstore.OpenSQLite(ctx, path)
	require.NoError(t, err)
	require.NoError(t, s.Append(ctx, adding(jane, "x")))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "only the owner reads the log")
	}
	require.NoError(t, s.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "closing leaves one file")

	_, err = sqlstore.OpenSQLite(ctx, filepath.Join(dir, "missing", "x.db"))
	require.Error(t, err)
	for _, p := range []string{"", ":memory:"} {
		_, err = sqlstore.OpenSQLite(ctx, p)
		require.Error(t, err, "a log in memory would be another one for each connection")
	}
	garbage := filepath.Join(dir, "garbage.db")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600))
	_, err = sqlstore.OpenSQLite(ctx, garbage)
	require.ErrorContains(t, err, "damaged or no database")
}

// What does not fit on the disk is not recorded, and room mends it.
func TestSQLiteFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	s := open(t, "sqlite:"+path)
	require.NoError(t, s.Append(ctx, adding(jane, "x")))
	sqlstore.LimitPages(t, s, 20)
	err := s.Append(ctx, adding(jane, texts("big", 1000)...))
	require.ErrorContains(t, err, "full")
	require.NotErrorIs(t, err, ledger.ErrUnknown)
	assert.Equal(t, []string{"x"}, verified(t, s))
	sqlstore.LimitPages(t, s, 1<<20)
	require.NoError(t, s.Append(ctx, adding(jane, texts("big", 1000)...)))
	assert.Len(t, verified(t, s), 1001)
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	path := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	for _, row := range []struct {
		reason string
		dsn    string
		option sqlstore.Option
	}{
		{"empty name", path, sqlstore.WithName("")},
		{"upper case is folded by PostgreSQL", path, sqlstore.WithName("Log")},
		{"would have to be quoted", path, sqlstore.WithName("a b")},
		{"begins with a digit", path, sqlstore.WithName("1a")},
		{"longer than names of tables may be", path, sqlstore.WithName(strings.Repeat("a", 41))},
		{"no patience at all", path, sqlstore.WithPatience(0)},
		{"unknown scheme", "mysql://x", sqlstore.ReadOnly()},
		{"no scheme", "x", sqlstore.ReadOnly()},
		{"malformed", "postgres://%zz:canary@x", sqlstore.ReadOnly()},
	} {
		_, err := sqlstore.OpenDSN(ctx, row.dsn, row.option)
		require.Error(t, err, row.reason)
		assert.NotContains(t, err.Error(), "canary")
	}
}
