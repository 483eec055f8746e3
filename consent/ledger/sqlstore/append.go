package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/privetdev/privet/consent/ledger"
)

// Append implements [ledger.Store].
func (s *store) Append(ctx context.Context, build func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	if err := s.ready(ctx, true); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fault(ctx, "append", ctx.Err())
	}
	for try := 1; ; try++ {
		err := s.appendOnce(ctx, build)
		var built *buildError
		if errors.As(err, &built) {
			if built.fault == nil || !again(ctx, try, built.fault) {
				return built.err
			}
			continue
		}
		if errors.Is(err, ledger.ErrUnknown) {
			return err // whether or not the context has ended as well
		}
		if err == nil || !again(ctx, try, err) {
			return ended(ctx, "append", err)
		}
	}
}

// A buildError is what build returned, with what the database had refused it.
type buildError struct{ err, fault error }

func (e *buildError) Error() string { return e.err.Error() }

// errNothing ends a transaction in which nothing is to be recorded.
var errNothing = errors.New("nothing")

func (s *store) appendOnce(ctx context.Context, build func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	var last ledger.Entry
	err := s.transact(ctx, "append", func(conn *sql.Conn) error {
		r := &reader{s: s, q: conn, inside: new(inside)}
		was, err := r.tail(ctx, s.texts.lock)
		if err != nil {
			return err
		}
		end, err := parseTail(was)
		if err != nil {
			return err
		}
		entries, tail, err := build(ctx, r, end)
		if err != nil {
			return &buildError{err: err, fault: r.inside.fault}
		}
		if len(entries) == 0 {
			return errNothing
		}
		last = entries[len(entries)-1]
		return s.record(ctx, conn, was, end, entries, tail)
	})
	var uncertain *uncertainError
	switch {
	case errors.Is(err, errNothing):
		return nil
	case errors.As(err, &uncertain):
		return s.outcome(ctx, last, uncertain)
	}
	return err
}

// record writes the entries and the new end of the log.
func (s *store) record(ctx context.Context, conn *sql.Conn, was []byte, end ledger.Tail, entries []ledger.Entry, tail ledger.Tail) error {
	moved, err := conn.ExecContext(ctx, s.texts.move, tail.Append(nil), was)
	if err != nil {
		return fault(ctx, "append", err)
	}
	if n, err := moved.RowsAffected(); err != nil || n != 1 {
		// Only without the lock: the end is not the one that was read any more.
		return &Error{Op: "append", Problem: "another writer was in the way each time", Mend: "try again", kind: conflict}
	}
	prev, seq := end.Last, end.Size
	for len(entries) > 0 {
		n := batch(len(entries))
		args := make([]any, 0, n*perEntry)
		for i := range entries[:n] {
			e := &entries[i]
			v, err := ledger.ParseEnvelope(e.Envelope)
			if err != nil {
				return fmt.Errorf("sqlstore: append: %w", err)
			}
			seq++
			if e.Seq != seq || v.Seq != seq || v.Prev != prev || seq > math.MaxInt64 {
				return errors.New("sqlstore: append: an entry does not follow the one before it: the caller built it on another end")
			}
			args = append(args, int64(seq), bytes.Clone(prev[:]), []byte(v.ID), e.Envelope, nullable(e.Handle[:], e.Handle != ledger.Handle{}), nullable(e.Sealed, len(e.Sealed) > 0))
			prev = e.Hash()
		}
		if _, err := conn.ExecContext(ctx, s.insertText(n), args...); err != nil {
			return fault(ctx, "append", err)
		}
		entries = entries[n:]
	}
	if tail.Size != seq || tail.Last != prev {
		return errors.New("sqlstore: append: the new end does not fit the entries: the caller built it on another end")
	}
	return nil
}

// batch is how many of n entries go into one statement: few different numbers, so
// that the texts of the statements can be kept prepared.
func batch(n int) int {
	switch {
	case n >= 512:
		return 512
	case n >= 64:
		return 64
	}
	return n
}

// nullable is NULL in place of bytes that are none.
func nullable(b []byte, there bool) any {
	if there {
		return b
	}
	return nil
}

// Drop implements [ledger.Store]. It takes the lock of an append, so that none has
// read the entries and not yet recorded what follows from them.
func (s *store) Drop(ctx context.Context, handle ledger.Handle) error {
	if err := s.ready(ctx, true); err != nil {
		return err
	}
	if handle == (ledger.Handle{}) {
		return nil
	}
	for try := 1; ; try++ {
		err := s.transact(ctx, "drop", func(conn *sql.Conn) error {
			r := reader{s: s, q: conn, inside: new(inside)}
			if _, err := r.tail(ctx, s.texts.lock); err != nil {
				return err
			}
			_, err := conn.ExecContext(ctx, s.texts.drop, handle[:])
			return fault(ctx, "drop", err)
		})
		// Whether it was dropped already does not matter: it is dropped again.
		if err == nil || !again(ctx, try, err) {
			return ended(ctx, "drop", err)
		}
	}
}

// An uncertainError says that COMMIT was sent and not answered.
type uncertainError struct{ told *Error }

func (e *uncertainError) Error() string { return e.told.Error() }
func (e *uncertainError) Unwrap() error { return e.told }

// shares: COMMIT itself may take half of the patience, and looking afterwards the
// other.
const shares = 2

// transact runs work in a transaction on a connection of its own, and commits it
// unless work fails. After *uncertainError it is not known whether it was
// committed; after every other error it was not.
func (s *store) transact(ctx context.Context, op string, work func(*sql.Conn) error) (err error) {
	if s.closed.Load() {
		return ledger.ErrClosed
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fault(ctx, op, err)
	}
	open := true // a transaction, as far as is known
	defer func() {
		if open && !rolledBack(ctx, conn) {
			// A connection in an unknown state must not go back to the pool.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close() // gives it back
	}()
	if _, err := conn.ExecContext(ctx, s.texts.begin); err != nil {
		err = fault(ctx, op, err)
		open = kindOf(err) != busy
		return err
	}
	if err := work(conn); err != nil {
		return err
	}
	// From here on the context's end no longer stops what is under way: nobody would
	// know what became of it. Until here it does.
	if err := ctx.Err(); err != nil {
		return fault(ctx, op, err)
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience/shares)
	defer cancel()
	if _, err := conn.ExecContext(rest, "COMMIT"); err != nil {
		e := &Error{Op: op, Problem: "the answer to COMMIT did not come", Mend: "see that the server runs and can be reached, and try again", kind: lost}
		var told *Error
		if errors.As(fault(rest, op, err), &told) {
			if s.dialect.rolledBack(told) {
				return told
			}
			e.Code, e.cause = told.Code, told.cause
		}
		return &uncertainError{e}
	}
	open = false
	return nil
}

// rolledBack ends a transaction and reports whether the connection is clean.
func rolledBack(ctx context.Context, conn *sql.Conn) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, err := conn.ExecContext(ctx, "ROLLBACK")
	return err == nil
}

// outcome finds out what became of an append whose COMMIT was not answered. The
// lock makes the answer final: it waits until the lost transaction has ended.
func (s *store) outcome(ctx context.Context, last ledger.Entry, lostBy *uncertainError) error {
	if !s.dialect.findsOut {
		return fmt.Errorf("%w (%w)", ledger.ErrUnknown, lostBy.told)
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience/shares)
	defer cancel()
	for {
		recorded, err := s.look(rest, last)
		switch {
		case err == nil && recorded:
			return nil
		case err == nil:
			return lostBy.told
		case !wait(rest, 50*time.Millisecond):
			return fmt.Errorf("%w (%w)", ledger.ErrUnknown, lostBy.told)
		}
	}
}

// look reports whether an entry is in the log, once nobody else is appending.
func (s *store) look(ctx context.Context, e ledger.Entry) (found bool, err error) {
	err = s.transact(ctx, "append", func(conn *sql.Conn) error {
		r := reader{s: s, q: conn, inside: new(inside)}
		if _, err := r.tail(ctx, s.texts.lock); err != nil {
			return err
		}
		var envelope []byte
		if err := s.value(ctx, conn, &envelope, s.texts.envelope, int64(e.Seq)); err != nil {
			return err
		}
		found = bytes.Equal(envelope, e.Envelope)
		return errNothing
	})
	if errors.Is(err, errNothing) {
		return found, nil
	}
	return false, err
}
