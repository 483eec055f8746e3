package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// No id, handle or payload, and no password, comes out of an error.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	var texts []string
	take := func(t *testing.T, err error) {
		t.Helper()
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			texts = append(texts, fmt.Sprintf("%v %+v %#v", e, e, e))
		}
	}
	var handle ledger.Handle
	copy(handle[:], canary)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			dsn := k.place(t)
			s := open(t, dsn)
			secret := func(id string) func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
				return func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
					entries, _ := following(end, handle, id)
					entries[0].Sealed = []byte(canary)
					return entries, end.Add(entries[0].Hash()), nil
				}
			}
			require.NoError(t, s.Append(ctx, secret(canary)))
			err := s.Append(ctx, secret(canary))
			take(t, err) // the id is taken: the database would quote it
			var refused *sqlstore.Error
			require.ErrorAs(t, err, &refused)
			assert.NotEmpty(t, refused.Code)

			_, err = s.Find(ctx, canary+"none")
			take(t, err)
			ended, cancel := context.WithTimeout(ctx, time.Nanosecond)
			defer cancel()
			<-ended.Done()
			take(t, s.Append(ended, secret("x")))
			take(t, s.Drop(ended, handle))
			_, err = s.Find(ended, canary)
			take(t, err)
			take(t, s.Append(ctx, func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
				return []ledger.Entry{{Seq: end.Size + 1, Envelope: []byte(canary)}}, end, nil
			}))
			db := raw(t, dsn)
			run(t, db, "ALTER TABLE privet_entries RENAME TO canary")
			take(t, s.Append(ctx, secret("y")))
			take(t, s.Drop(ctx, handle))
			_, err = s.Find(ctx, canary)
			take(t, err)
		})
	}
	_, err := sqlstore.OpenDSN(ctx, "postgres://user:canary@127.0.0.1:1/x?connect_timeout=1")
	take(t, err)
	_, err = sqlstore.OpenDSN(ctx, "postgres://user:canary@127.0.0.1:notaport/x")
	take(t, err)
	_, err = sqlstore.OpenDSN(ctx, "canary:x")
	take(t, err)
	_, err = sqlstore.OpenSQLite(ctx, filepath.Join(t.TempDir(), "canary", "x"))
	take(t, err)
	require.Greater(t, len(texts), 20)
	for _, text := range texts {
		assert.NotContains(t, strings.ToLower(text), "canary")
	}
}

func run(t testing.TB, db *sql.DB, text string) {
	t.Helper()
	_, err := db.ExecContext(ctx, text)
	require.NoError(t, err)
}
