package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// through is a connection string for the same database through a proxy.
func through(t testing.TB, p *proxy, dsn string) string {
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.Host = p.listener.Addr().String()
	return u.String()
}

func target(t testing.TB, dsn string) string {
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	return u.Host
}

// The connection is cut at each message of an append, before it reached the server,
// after that, and after it was answered. Either the server can be reached again:
// then the append succeeds, and what it appends is there once. Or it cannot: then
// the append says that nothing was recorded, and nothing is; or it says that it is
// not known, which it may only when COMMIT was under way.
func TestConnectionLostAtEveryMessage(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	var cuts, unknown, unknownButThere, refused atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, down := range []bool{false, true} {
			for _, where := range []cut{before, after, answered} {
				name := fmt.Sprintf("%s_down_%t", where, down)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					direct := open(t, dsn, sqlstore.WithName(name))
					p := newProxy(t, target(t, dsn))
					for at := 1; ; at++ {
						id := fmt.Sprintf("%s.%d", name, at)
						s, err := sqlstore.OpenDSN(ctx, through(t, p, dsn), sqlstore.WithName(name), sqlstore.WithPatience(time.Second))
						require.NoError(t, err)
						p.arm(at, where, down)
						err = s.Append(ctx, adding(jane, id, id+"b"))
						fell, commit := p.disarm()
						if !fell {
							require.NoError(t, err)
							require.NoError(t, s.Close())
							require.Greater(t, at, 5, "an append takes more messages than this")
							return
						}
						cuts.Add(1)
						if !down {
							require.NoError(t, err, "message %d: the server was there all the time", at)
						}
						switch {
						case err == nil:
						case errors.Is(err, ledger.ErrUnknown):
							unknown.Add(1)
							require.True(t, commit, "message %d: it was known that COMMIT had not been sent", at)
						default:
							refused.Add(1)
						}
						// Once the lock is free, the lost transaction has ended.
						there := false
						require.NoError(t, direct.Append(ctx, func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
							_, findErr := log.Find(ctx, id)
							there = findErr == nil
							switch {
							case err == nil:
								require.NoError(t, findErr, "message %d: acknowledged", at)
							case !errors.Is(err, ledger.ErrUnknown):
								require.ErrorIs(t, findErr, ledger.ErrNotFound, "message %d: said to be not recorded: %v", at, err)
							}
							return nil, end, nil
						}))
						if there && err != nil {
							unknownButThere.Add(1)
						}
						require.NoError(t, s.Append(ctx, once(jane, id, id+"b")), "appending again through the same store")
						n := 0
						for _, found := range verified(t, direct) {
							if found == id || found == id+"b" {
								n++
							}
						}
						require.Equal(t, 2, n, "message %d: both, once", at)
						require.NoError(t, s.Close())
					}
				})
			}
		}
	})
	t.Logf("%d cuts; while the server could not be reached: %d said to be not recorded, %d not known, of which %d were recorded",
		cuts.Load(), refused.Load(), unknown.Load(), unknownButThere.Load())
	assert.Positive(t, refused.Load())
	assert.Positive(t, unknown.Load())
	assert.Positive(t, unknownButThere.Load(), "otherwise saying that it is not recorded would have done")
	assert.Less(t, unknownButThere.Load(), unknown.Load(), "otherwise saying that it is recorded would have done")
}

// Reading and dropping are the same when done twice, and so are simply tried again.
func TestConnectionLostOtherwise(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	direct := open(t, dsn)
	p := newProxy(t, target(t, dsn))
	n := 0
	for _, row := range []struct {
		what string
		run  func(s ledger.Store, id string, h ledger.Handle) error
	}{
		{"drop", func(s ledger.Store, id string, h ledger.Handle) error {
			if err := s.Drop(ctx, h); err != nil {
				return err
			}
			e, err := direct.Find(ctx, id)
			if err == nil && (len(e.Sealed) > 0 || e.Handle != (ledger.Handle{})) {
				err = errors.New("it was not dropped")
			}
			return err
		}},
		{"find", func(s ledger.Store, id string, _ ledger.Handle) error { _, err := s.Find(ctx, id); return err }},
		{"tail", func(s ledger.Store, _ string, _ ledger.Handle) error { _, err := s.Tail(ctx); return err }},
		{"subject", func(s ledger.Store, _ string, h ledger.Handle) error {
			if got := len(collect(t, s.Subject(ctx, h, 0))); got != 1 {
				return fmt.Errorf("%d entries", got)
			}
			return nil
		}},
	} {
		for _, where := range []cut{before, after, answered} {
			for at := 1; ; at++ {
				n++
				h, id := ledger.Handle{byte(n), byte(n >> 8), 1}, fmt.Sprint(n)
				require.NoError(t, direct.Append(ctx, adding(h, id)))
				s, err := sqlstore.OpenDSN(ctx, through(t, p, dsn))
				require.NoError(t, err)
				p.arm(at, where, false)
				require.NoError(t, row.run(s, id, h), "%s, message %d, cut %s", row.what, at, where)
				fell, _ := p.disarm()
				require.NoError(t, s.Close())
				if !fell {
					require.Greater(t, at, 1, "%s: something was cut", row.what)
					break
				}
			}
		}
	}
	t.Logf("%d rounds, all but the last of each with a cut", n)
	verified(t, direct)
}

// The server falls silent instead: the connection stands, nothing comes through, and
// the transaction keeps its lock until the server gives it up.
func TestServerFallsSilent(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	direct := open(t, dsn)
	require.NoError(t, direct.Append(ctx, adding(jane, "x")))
	holds, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	silent := open(t, dsn)
	var tries atomic.Int64
	go func() {
		done <- silent.Append(ctx, func(ctx context.Context, r ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
			if tries.Add(1) == 1 {
				close(holds)
				<-release
			}
			return adding(jane, "late")(ctx, r, end)
		})
	}()
	<-holds
	begin := time.Now()
	require.NoError(t, direct.Append(ctx, adding(jane, "y")), "the others go on after ten seconds")
	took := time.Since(begin)
	assert.Greater(t, took, 5*time.Second)
	assert.Less(t, took, 20*time.Second)
	close(release)
	require.NoError(t, <-done, "it tries again on the new end")
	assert.Equal(t, int64(2), tries.Load())
	assert.Equal(t, []string{"x", "y", "late"}, verified(t, direct))
}

// COMMIT is sent and the network falls silent: no end, no answer.
func TestAnswerToCommitDoesNotCome(t *testing.T) {
	for _, row := range []struct {
		name     string
		where    cut
		patience time.Duration
		unknown  bool
		reason   string
	}{
		{"committed", answered, 2 * time.Second, false, "the lock is free, and the entry is there"},
		{"held", before, 2 * time.Second, true, "the server still holds the transaction, and nobody knows"},
		{"given_up", before, 0, false, "by default the store waits until the server has given the transaction up, and appends again"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dsn := database(t)
			direct := open(t, dsn)
			p := newProxy(t, target(t, dsn))
			var opts []sqlstore.Option
			if row.patience > 0 {
				opts = append(opts, sqlstore.WithPatience(row.patience))
			}
			s := open(t, through(t, p, dsn), opts...)
			p.fallsAtCommit(row.where)
			short, cancel := context.WithTimeout(ctx, time.Second) // its end does not keep it from finding out
			defer cancel()
			if row.patience == 0 {
				short = ctx
			}
			err := s.Append(short, adding(jane, "x"))
			if row.unknown {
				require.ErrorIs(t, err, ledger.ErrUnknown, row.reason)
			} else {
				require.NoError(t, err, row.reason)
			}
			fell, _ := p.disarm()
			require.True(t, fell)
			require.NoError(t, direct.Append(ctx, once(jane, "x")), "appending again")
			assert.Equal(t, []string{"x"}, verified(t, direct), row.reason)
		})
	}
}

// The server goes down under running appends and comes back: what was acknowledged
// is there, what was refused is not.
func TestServerGoesDown(t *testing.T) {
	dsn := database(t)
	s := open(t, dsn)
	require.NoError(t, s.Append(ctx, adding(jane, "first")))
	var mu sync.Mutex
	acknowledged, refused, unknown := []string{"first"}, []string(nil), []string(nil)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w, s := range opened(t, 4, dsn, sqlstore.WithPatience(200*time.Millisecond)) {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("w%d.%d", w, i)
				err := s.Append(ctx, adding(jane, id))
				mu.Lock()
				switch {
				case err == nil:
					acknowledged = append(acknowledged, id)
				case errors.Is(err, ledger.ErrUnknown):
					unknown = append(unknown, id)
				default:
					refused = append(refused, id)
				}
				mu.Unlock()
			}
		})
	}
	rounds := 2
	if *long {
		rounds = 30
	}
	pg := postgresServer(t)
	for range rounds {
		time.Sleep(100 * time.Millisecond)
		pg.Kill()
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, pg.Run())
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wg.Wait()
	there := make(map[string]bool)
	for _, id := range verified(t, s) {
		there[id] = true
	}
	for _, id := range acknowledged {
		require.True(t, there[id], "%s was acknowledged", id)
	}
	for _, id := range refused {
		require.False(t, there[id], "%s was said to be not recorded", id)
	}
	t.Logf("%d restarts: %d acknowledged, %d refused, %d not known", rounds, len(acknowledged), len(refused), len(unknown))
}
