package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	lite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// An Error says what a database did not do. Its text contains nothing of an entry:
// of what the database itself said, only the code is passed on, because messages
// quote values.
type Error struct {
	Op      string // open, read, append, drop, close
	Code    string // SQLSTATE, or the name of SQLite's result code; empty: none
	Problem string // fixed text of this package
	Mend    string // what may help
	cause   string // of a connection that was not made or was lost
	kind    kind
	full    bool // no room was left: the last page, which would have committed, was not written
}

// Error says what, why and how to mend it.
func (e *Error) Error() string {
	text := "sqlstore: " + e.Op + ": " + e.Problem
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.cause != "" {
		text += ": " + e.cause
	}
	return text + ": " + e.Mend
}

// A kind says what to do after an error.
type kind uint8

const (
	refused  kind = iota // the same again would fail again
	conflict             // somebody else was faster: again
	busy                 // somebody else holds the lock: again, as long as the context allows
	lost                 // no connection, and nothing was done: again, a few times
)

// kindOf is the kind of an error of this package.
func kindOf(err error) kind {
	var e *Error
	if errors.As(err, &e) {
		return e.kind
	}
	return refused
}

// fault makes an error of what a driver said. While the context has ended it is the
// context's error, whatever the driver made of that.
func fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("sqlstore: %s: %w", op, ended)
	}
	e := &Error{Op: op}
	var postgres interface{ SQLState() string }
	var sqlite *lite.Error
	switch {
	case errors.As(err, &sqlite):
		e.ofSQLite(sqlite.Code())
	case errors.As(err, &postgres) && postgres.SQLState() != "":
		e.ofState(postgres.SQLState())
	default:
		e.kind, e.Problem, e.Mend = lost, "no connection to the database, or it was lost", "see that the server runs and can be reached, and try again"
		e.cause = network(err)
	}
	return e
}

// How often something is tried at most.
const (
	conflictTries = 20
	lostTries     = 4
)

// again waits a little and reports whether to try again after the try-th failure.
// The waits are drawn at random, so that two writers do not meet again and again.
func again(ctx context.Context, try int, err error) bool {
	var most time.Duration
	switch k := kindOf(err); {
	case k == conflict && try < conflictTries:
		most = time.Millisecond << min(try, 6)
	case k == busy:
		most = time.Millisecond << min(try, 4)
	case k == lost && try < lostTries:
		most = 20 * time.Millisecond << try
	default:
		return false
	}
	return wait(ctx, most/2+rand.N(most/2))
}

// wait reports whether the context outlived the wait.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ended gives the context's error in place of another when the context has ended.
func ended(ctx context.Context, op string, err error) error {
	if err != nil && ctx.Err() != nil {
		return fault(ctx, op, err)
	}
	return err
}

// ofState tells what a SQLSTATE means (PostgreSQL's manual, appendix A).
func (e *Error) ofState(code string) {
	e.Code = code
	class := ""
	if len(code) == 5 {
		class = code[:2]
	}
	switch {
	case code == "23505", class == "40", code == "55P03": // unique, rolled back (serialisation, deadlock), lock not available
		e.kind, e.Problem, e.Mend = conflict, "another writer was in the way each time", "try again; if it stays, verify the log: its end and its entries disagree"
	case class == "08", code == "57P01", code == "57P02", code == "57P03", code == "57P05", code == "25P03", code == "53300":
		e.kind, e.Problem, e.Mend = lost, "the server ended the connection or takes no more", "see that it runs and has connections left, and try again"
	case code == "42501":
		e.Problem, e.Mend = "the role lacks a right", "grant it (the README says which role needs which), or open the store for reading"
	case code == "25006":
		e.Problem, e.Mend = "the database is read only", "connect to the primary server, or open the store for reading"
	case code == "42P01", code == "42703":
		e.Problem, e.Mend = "a table or column of the log is missing", "open the store once with a role that may create tables"
	case code == "42P07":
		e.Problem, e.Mend = "some tables of the log are there and some are not", "restore them from a backup, or choose another name"
	case class == "28":
		e.Problem, e.Mend = "the server does not let the role in", "check user, password and pg_hba.conf"
	case code == "3D000":
		e.Problem, e.Mend = "there is no such database", "create it"
	case class == "53":
		e.Problem, e.Mend = "the server has run out of something", "give it disk, memory or connections"
	case code == "57014":
		e.Problem, e.Mend = "the server cancelled the statement", "raise statement_timeout for this role"
	default:
		e.Problem, e.Mend = "the server refused a statement", "look the code up in its manual, and the statement in its log"
	}
}

// ofSQLite tells what a result code means (https://www.sqlite.org/rescode.html).
func (e *Error) ofSQLite(code int) {
	e.Code = lite.ErrorCodeString[code]
	if e.Code == "" {
		e.Code = lite.ErrorCodeString[code&0xff]
	}
	switch code & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		e.kind, e.Problem, e.Mend = busy, "another process holds the lock", "wait for it, or end it"
	case lib.SQLITE_CONSTRAINT:
		e.kind, e.Problem, e.Mend = conflict, "another writer was in the way each time", "try again; if it stays, verify the log: its end and its entries disagree"
	case lib.SQLITE_FULL:
		e.full, e.Problem, e.Mend = true, "the disk or the database is full", "make room"
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		e.Problem, e.Mend = "the file may not be written", "give the right to write the file and its folder, or open the store for reading"
	case lib.SQLITE_CANTOPEN:
		e.Problem, e.Mend = "the file cannot be opened", "check the path and the rights on it"
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		e.Problem, e.Mend = "the file is damaged or no database", "restore it from a backup"
	default:
		e.Problem, e.Mend = "SQLite could not do it", "look the code up in its manual"
	}
}

// network is what may be passed on of an error about a connection: addresses and
// what became of them. Errors of other kinds might quote values.
func network(err error) string {
	var connect *pgconn.ConnectError
	var wire net.Error
	switch {
	case errors.As(err, &connect):
		return connect.Error()
	case errors.As(err, &wire):
		return wire.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection"
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return "the connection was closed"
	}
	return ""
}
