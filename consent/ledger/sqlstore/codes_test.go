package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lib "modernc.org/sqlite/lib"
)

// What follows from what a database says, code by code.
func TestCodes(t *testing.T) {
	for _, row := range []struct {
		state  string
		want   kind
		reason string
	}{
		{"40001", conflict, "serialisation failure: the transaction was rolled back and may be tried again"},
		{"40P01", conflict, "deadlock: the same"},
		{"23505", conflict, "unique: another writer took the place"},
		{"55P03", conflict, "lock_timeout of the role"},
		{"57P01", lost, "an operator ended the session"},
		{"57P02", lost, "the server crashed"},
		{"57P03", lost, "the server is starting"},
		{"25P03", lost, "the server gave up a transaction that it heard nothing of"},
		{"53300", lost, "too many connections: others will go"},
		{"08006", lost, "connection failure"},
		{"42501", refused, "rights do not come by waiting"},
		{"42P01", refused, "nor do tables"},
		{"25006", refused, "nor does a replica become a primary soon"},
		{"53100", refused, "nor does a disk become empty"},
		{"57014", refused, "statement_timeout of the role"},
		{"22P02", refused, "everything else"},
	} {
		err := fault(context.Background(), "append", fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: row.state, Message: "quotes canary", Detail: "canary"}))
		assert.Equal(t, row.want, kindOf(err), "%s: %s", row.state, row.reason)
		assert.Contains(t, err.Error(), row.state)
		assert.NotContains(t, err.Error(), "canary")
	}
	for _, row := range []struct {
		code       int
		want       kind
		rolledBack bool
		reason     string
	}{
		{lib.SQLITE_BUSY, busy, true, "the lock is held"},
		{lib.SQLITE_BUSY_SNAPSHOT, busy, true, "another wrote since it was read"},
		{lib.SQLITE_LOCKED, busy, true, "the lock is held in this process"},
		{lib.SQLITE_CONSTRAINT_PRIMARYKEY, conflict, false, "another writer took the place"},
		{lib.SQLITE_FULL, refused, true, "the page that would have committed was not written"},
		{lib.SQLITE_IOERR_FSYNC, refused, false, "it may be there after a loss of power, or may not"},
		{lib.SQLITE_IOERR_WRITE, refused, false, "the same"},
		{lib.SQLITE_CORRUPT, refused, false, "nobody knows"},
	} {
		e := &Error{Op: "append"}
		e.ofSQLite(row.code)
		assert.Equal(t, row.want, e.kind, row.reason)
		assert.Equal(t, row.rolledBack, sqlite.rolledBack(e), "%d in COMMIT: %s", row.code, row.reason)
		assert.NotEmpty(t, e.Code, row.reason)
		assert.NotEmpty(t, e.Problem)
		assert.NotEmpty(t, e.Mend)
	}
	for _, err := range []error{io.EOF, driver.ErrBadConn, errors.New("quotes canary")} {
		got := fault(context.Background(), "append", err)
		assert.Equal(t, lost, kindOf(got))
		assert.NotContains(t, got.Error(), "canary")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, fault(ended, "append", io.EOF), context.Canceled)
	require.NoError(t, fault(ended, "append", nil), "what was done is done")
}

// Only few different statements are made, however many entries come at once.
func TestBatches(t *testing.T) {
	sizes := make(map[int]bool)
	for n := 1; n < 5000; n++ {
		for left := n; left > 0; {
			size := batch(left)
			require.Positive(t, size)
			require.LessOrEqual(t, size, left)
			sizes[size] = true
			left -= size
		}
	}
	assert.LessOrEqual(t, len(sizes), 65)
	assert.Equal(t, "a $1 b $2", number("a ? b ?"))
}
