package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"testing"

	"github.com/privetdev/privet/consent/ledger"
)

// Unlocked leaves out the lock that keeps writers apart, so that only the keys of
// the tables are left to do so.
func Unlocked() Option { return optionFunc(func(c *config) { c.unlocked = true }) }

// Steps replaces the steps of the schema.
func Steps(steps ...string) Option { return optionFunc(func(c *config) { c.steps = steps }) }

// Released are the steps as they are, of each dialect.
func Released() (ofPostgres, ofSQLite []string) { return postgres.steps, sqlite.steps }

// conns are the idle connections of a store's pool, all of them, so that a setting
// reaches whichever is used next.
func (s *store) onEach(t testing.TB, do func(*sql.Conn)) {
	t.Helper()
	s.db.SetMaxOpenConns(1)
	s.db.SetMaxIdleConns(1)
	c, err := s.db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	do(c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// LimitPages bounds a SQLite file, as a full disk would.
func LimitPages(t testing.TB, s ledger.Store, n int) {
	t.Helper()
	s.(*store).onEach(t, func(c *sql.Conn) {
		if _, err := c.ExecContext(context.Background(), "PRAGMA max_page_count = "+strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	})
}

// SettingInAppend is a setting of the server as it is inside of an append.
func SettingInAppend(t testing.TB, s ledger.Store, name string) (value string) {
	t.Helper()
	ctx := context.Background()
	err := s.(*store).transact(ctx, "append", func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SHOW "+name).Scan(&value)
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}
