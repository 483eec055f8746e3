package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/privetdev/privet/consent/ledger"
)

// maxConns bounds the connections of a pool that this package opened: enough for
// readers beside the one appender, and few enough for many processes on one server.
const maxConns = 16

// An Option configures a store. Options apply in order; the last one wins.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

type config struct {
	name     string
	patience time.Duration
	readOnly bool
	steps    []string // of the schema; nil: those of the dialect
	unlocked bool     // tests only: append without the lock
}

// WithName sets what the names of the tables begin with, so that one database can
// hold several logs: "privet" by default, which makes privet_log and
// privet_entries. A name is 1 to 40 lower-case ASCII letters, digits and
// underscores, and begins with a letter.
func WithName(name string) Option {
	return optionFunc(func(c *config) { c.name = name })
}

// WithPatience bounds how long an append whose COMMIT was sent waits to find out
// whether it was carried out, even when its context has ended: 20 seconds by
// default. COMMIT itself may take half of that, and finding out the other half. Less
// makes [ledger.ErrUnknown] more likely, because the server takes 10 seconds to give
// up a transaction that it hears nothing of. Durations that are not positive are
// refused.
func WithPatience(d time.Duration) Option {
	return optionFunc(func(c *config) { c.patience = d })
}

// ReadOnly opens a store that only reads, with a role that has no other right or
// from a replica: Append and Drop fail with [ledger.ErrReadOnly], and tables that
// are missing are not made.
func ReadOnly() Option {
	return optionFunc(func(c *config) { c.readOnly = true })
}

// A store is a ledger.Store on a database.
type store struct {
	reader
	db       *sql.DB
	owned    bool // Close closes db
	dialect  *dialect
	texts    texts
	patience time.Duration
	readOnly bool
	unlocked bool
	turn     chan struct{} // of the one appender: others would only wait on the lock, each with a connection
	inserts  map[int]string
	closed   atomic.Bool
}

// OpenPostgres opens a log in the PostgreSQL database that the connection string
// names (a URL or words like "host=… dbname=…"; the PG… variables of the
// environment fill in what it leaves out), and makes the tables if they are
// missing. Close the store to close its connections. No error contains the string.
func OpenPostgres(ctx context.Context, dsn string, opts ...Option) (ledger.Store, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("sqlstore: the connection string cannot be read: write postgres://user@host:port/database?sslmode=verify-full")
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "privet"
	}
	return openOwn(ctx, stdlib.OpenDB(*c), &postgres, opts)
}

// OpenPostgresDB is OpenPostgres with the caller's own pool, which Close leaves
// open. Any driver serves whose errors have a method SQLState. The pool must have
// room for two connections at least.
func OpenPostgresDB(ctx context.Context, db *sql.DB, opts ...Option) (ledger.Store, error) {
	return open(ctx, db, &postgres, opts)
}

// OpenSQLite opens a log in a SQLite file, and makes the file (readable by its owner
// only) and the tables if they are missing; the folder must be there. Several
// processes of one machine may share the file, but not over a network: SQLite's
// write-ahead log, which the store insists on, needs shared memory.
func OpenSQLite(ctx context.Context, path string, opts ...Option) (ledger.Store, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("sqlstore: SQLite: no file is named: use ledger.NewMemory for a log that lives as long as the process")
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, errors.New("sqlstore: SQLite: the path cannot be made absolute: give an absolute one")
	}
	if !c.readOnly {
		// Made here because SQLite would make it readable by everybody. One that is
		// there is never opened and closed: that would take away the locks that this
		// process holds on it.
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			err = f.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, &Error{Op: "open", Problem: "the file of the database cannot be made", Mend: "make its folder, or give the right to write there"}
		}
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	query := []string{"_pragma=busy_timeout(100)"} // short, because it does not heed the context: see again
	if c.readOnly {
		query = append(query, "mode=ro", "_pragma=query_only(1)")
	} else {
		query = append(query, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=secure_delete(ON)")
	}
	uri.RawQuery = strings.Join(query, "&")
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, &Error{Op: "open", Problem: "the driver does not take the path", Mend: "give a plain path"}
	}
	return openOwn(ctx, db, &sqlite, opts)
}

// OpenDSN opens the log that a connection string names: postgres://… or
// postgresql://… as OpenPostgres, sqlite:path as OpenSQLite. No error contains the
// string.
func OpenDSN(ctx context.Context, dsn string, opts ...Option) (ledger.Store, error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "postgres", "postgresql":
		return OpenPostgres(ctx, dsn, opts...)
	case "sqlite":
		return OpenSQLite(ctx, strings.TrimPrefix(rest, "//"), opts...)
	}
	return nil, errors.New("sqlstore: the connection string has no known scheme: write postgres://… for PostgreSQL or sqlite:path for a file")
}

func openOwn(ctx context.Context, db *sql.DB, d *dialect, opts []Option) (ledger.Store, error) {
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s, err := open(ctx, db, d, opts)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	s.(*store).owned = true
	return s, nil
}

func open(ctx context.Context, db *sql.DB, d *dialect, opts []Option) (ledger.Store, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	if c.steps == nil {
		c.steps = d.steps
	}
	s := &store{
		db: db, dialect: d, texts: d.texts(c.name, c.unlocked), patience: c.patience, readOnly: c.readOnly, unlocked: c.unlocked,
		turn: make(chan struct{}, 1), inserts: make(map[int]string),
	}
	s.reader = reader{s: s, q: db}
	if err := s.prepare(ctx, c.name, c.steps); err != nil {
		return nil, err
	}
	return s, nil
}

func configure(opts []Option) (config, error) {
	c := config{name: "privet", patience: 20 * time.Second}
	for _, o := range opts {
		o.apply(&c)
	}
	if !validName(c.name) {
		return c, errors.New("sqlstore: WithName: not 1 to 40 lower-case letters, digits and underscores that begin with a letter")
	}
	if c.patience <= 0 {
		return c, errors.New("sqlstore: WithPatience: not positive")
	}
	return c, nil
}

func validName(name string) bool {
	for i := range len(name) {
		b := name[i]
		if (b < 'a' || b > 'z') && (i == 0 || b != '_' && (b < '0' || b > '9')) {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= 40
}

// Exclusive implements [ledger.Store]: others may append at any time.
func (s *store) Exclusive() bool { return false }

// Close implements [ledger.Store].
func (s *store) Close() error {
	if s.closed.Swap(true) || !s.owned {
		return nil
	}
	if err := s.db.Close(); err != nil {
		return &Error{Op: "close", Problem: "a connection did not close in order", Mend: "nothing that was acknowledged is lost"}
	}
	return nil
}

// ready says whether a method may begin.
func (s *store) ready(ctx context.Context, writes bool) error {
	if s.closed.Load() {
		return ledger.ErrClosed
	}
	if writes && s.readOnly {
		return ledger.ErrReadOnly
	}
	return ctx.Err()
}
