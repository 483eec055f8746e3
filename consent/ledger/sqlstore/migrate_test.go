package sqlstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// released are the steps of the schema for a database.
func released(dsn string) []string {
	postgres, sqlite := sqlstore.Released()
	if strings.HasPrefix(dsn, "sqlite:") {
		return sqlite
	}
	return postgres
}

func TestMigrations(t *testing.T) {
	const second, third = "ALTER TABLE NAME_entries ADD COLUMN more integer; CREATE TABLE NAME_more (x integer)", "CREATE TABLE NAME_third (x integer)"
	const broken = "CREATE TABLE NAME_half (x integer); CREATE TABLE NAME_half (x integer)"
	each(t, func(t *testing.T, dsn string) {
		first := released(dsn)
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, "old")))

		_, err := sqlstore.OpenDSN(ctx, dsn, sqlstore.ReadOnly(), sqlstore.Steps(append(first[:len(first):len(first)], second)...))
		require.ErrorContains(t, err, "needs 2", "a reader changes nothing, and says who can")

		_, err = sqlstore.OpenDSN(ctx, dsn, sqlstore.Steps(append(first[:len(first):len(first)], second, broken)...))
		require.Error(t, err)
		db := raw(t, dsn)
		for _, table := range []string{"privet_more", "privet_half"} {
			_, err = db.ExecContext(ctx, "SELECT * FROM "+table)
			require.Error(t, err, "all steps or none: %s was not made", table)
		}
		require.Equal(t, []string{"old"}, verified(t, open(t, dsn)), "the program before goes on")

		var wg sync.WaitGroup
		for range 4 { // processes that start together
			wg.Go(func() {
				s, err := sqlstore.OpenDSN(ctx, dsn, sqlstore.Steps(append(first[:len(first):len(first)], second, third)...))
				if assert.NoError(t, err) {
					assert.NoError(t, s.Close())
				}
			})
		}
		wg.Wait()
		_, err = db.ExecContext(ctx, "SELECT more FROM privet_entries")
		require.NoError(t, err)
		after := open(t, dsn, sqlstore.Steps(append(first[:len(first):len(first)], second, third)...))
		require.NoError(t, after.Append(ctx, adding(jane, "new")))
		require.Equal(t, []string{"old", "new"}, verified(t, after), "what was recorded stays")

		_, err = sqlstore.OpenDSN(ctx, dsn)
		require.ErrorContains(t, err, "version 3 and this program knows 1")
	})
}

// Processes that start together on an empty database make one set of tables.
func TestMadeOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				s, err := sqlstore.OpenDSN(ctx, dsn)
				if assert.NoError(t, err) {
					assert.NoError(t, s.Append(ctx, once(jane, "x")))
					assert.NoError(t, s.Close())
				}
			})
		}
		wg.Wait()
	})
}

// Tables that somebody damaged are not written on.
func TestDamagedTables(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, s.Append(ctx, adding(jane, "x")))
		db := raw(t, dsn)
		for _, damage := range []struct{ reason, text, want string }{
			{"an end that is none", "UPDATE privet_log SET tail = privet_entries.prev FROM privet_entries", "damaged"},
			{"no end", "DELETE FROM privet_log", "damaged"},
		} {
			_, err := db.ExecContext(ctx, damage.text)
			require.NoError(t, err)
			require.ErrorContains(t, s.Append(ctx, adding(jane, "y")), damage.want, damage.reason)
			_, err = s.Tail(ctx)
			require.ErrorContains(t, err, damage.want, damage.reason)
		}
		_, err := sqlstore.OpenDSN(ctx, dsn)
		require.ErrorContains(t, err, "damaged", "no version")
		_, err = db.ExecContext(context.Background(), "DROP TABLE privet_log")
		require.NoError(t, err)
		require.Error(t, s.Append(ctx, adding(jane, "y")))
		_, err = sqlstore.OpenDSN(ctx, dsn)
		require.Error(t, err, "the entries are still there: they are not built over")
	})
}
