package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// Whatever is appended, dropped, refused and opened anew, in any order: a database
// holds what a store in memory holds.
func TestHoldsWhatMemoryHolds(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		open(t, dsn)
		db := raw(t, dsn)
		empty := ledger.Tail{}.Append(nil)
		rounds := 0
		rapid.Check(t, func(rt *rapid.T) {
			if rounds++; rounds > 25 && !*long && strings.HasPrefix(dsn, "postgres:") {
				return // a server takes its time to flush
			}
			// An empty log again: quicker than new tables.
			_, err := db.ExecContext(ctx, "DELETE FROM privet_entries")
			require.NoError(rt, err)
			_, err = db.ExecContext(ctx, "UPDATE privet_log SET tail = $1", empty)
			require.NoError(rt, err)
			s, err := sqlstore.OpenDSN(ctx, dsn)
			require.NoError(rt, err)
			defer func() { require.NoError(rt, s.Close()) }()
			model := ledger.NewMemoryStore()
			handles := []ledger.Handle{{}, {1}, {2}, {3}}
			mine := errors.New("mine")
			n := 0
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				h := rapid.SampledFrom(handles).Draw(rt, "handle")
				switch rapid.SampledFrom([]string{"append", "append", "append", "drop", "refuse", "reopen"}).Draw(rt, "step") {
				case "append":
					var ids []string
					for range rapid.IntRange(0, 80).Draw(rt, "events") {
						n++
						ids = append(ids, fmt.Sprint(n))
					}
					end, err := model.Tail(ctx)
					require.NoError(rt, err)
					entries, tail := following(end, h, ids...)
					if h == (ledger.Handle{}) {
						for i := range entries {
							entries[i].Sealed = nil
						}
					}
					both := func(_ context.Context, _ ledger.Reader, there ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
						require.Equal(rt, end, there)
						return entries, tail, nil
					}
					require.NoError(rt, model.Append(ctx, both))
					require.NoError(rt, s.Append(ctx, both))
				case "drop":
					require.NoError(rt, model.Drop(ctx, h))
					require.NoError(rt, s.Drop(ctx, h))
				case "refuse":
					require.ErrorIs(rt, s.Append(ctx, func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
						return nil, ledger.Tail{}, mine
					}), mine)
				case "reopen":
					require.NoError(rt, s.Close())
					s, err = sqlstore.OpenDSN(ctx, dsn)
					require.NoError(rt, err)
				}
			}
			after := uint64(rapid.IntRange(0, n).Draw(rt, "after"))
			require.Equal(rt, gather(rt, model.Entries(ctx, after)), gather(rt, s.Entries(ctx, after)))
			for _, h := range handles[1:] {
				require.Equal(rt, gather(rt, model.Subject(ctx, h, after)), gather(rt, s.Subject(ctx, h, after)))
			}
			want, err := model.Tail(ctx)
			require.NoError(rt, err)
			got, err := s.Tail(ctx)
			require.NoError(rt, err)
			require.Equal(rt, want, got)
		})
	})
}

// gather copies the entries of an iteration; an empty payload is no payload.
func gather(t require.TestingT, seq func(func(ledger.Entry, error) bool)) []ledger.Entry {
	var out []ledger.Entry
	for e, err := range seq {
		require.NoError(t, err)
		e.Envelope = append([]byte(nil), e.Envelope...)
		e.Sealed = append([]byte(nil), e.Sealed...)
		out = append(out, e)
	}
	return out
}
