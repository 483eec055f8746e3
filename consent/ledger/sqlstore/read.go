package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"

	"github.com/privetdev/privet/consent/ledger"
)

// page is how many entries one query reads. Between two pages no query is open, so
// that whoever iterates may ask other things on the same connection meanwhile, and a
// slow reader does not hold back the server's cleaning.
const page = 256

// querier is a pool or a connection.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// A reader implements [ledger.Reader]: on the pool, or on the connection of an
// append.
type reader struct {
	s *store
	q querier
	// Of an append: one statement at a time, and what the database last refused,
	// after which the transaction is dead, whatever the caller makes of it.
	inside *inside
}

type inside struct {
	mu    sync.Mutex
	fault error
}

// run carries out one read, and again when that may help: whatever it fills in, it
// must begin with anew.
func (r *reader) run(ctx context.Context, read func() error) error {
	if err := r.s.ready(ctx, false); err != nil {
		return err
	}
	if in := r.inside; in != nil {
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.fault == nil {
			in.fault = read()
		}
		return in.fault
	}
	for try := 1; ; try++ {
		err := read()
		if err == nil || !again(ctx, try, err) {
			return ended(ctx, "read", err)
		}
	}
}

// query calls scan for each row.
func (r *reader) query(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := r.q.QueryContext(ctx, text, args...)
	if err != nil {
		return fault(ctx, "read", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return fault(ctx, "read", rows.Err())
}

// Tail implements [ledger.Reader].
func (r *reader) Tail(ctx context.Context) (ledger.Tail, error) {
	b, err := r.tail(ctx, r.s.texts.tail)
	if err != nil {
		return ledger.Tail{}, err
	}
	return parseTail(b)
}

// tail reads the encoded end of the log, and locks it if the text does so.
func (r *reader) tail(ctx context.Context, text string) ([]byte, error) {
	var b []byte
	err := r.run(ctx, func() error {
		b = nil
		return r.query(ctx, func(rows *sql.Rows) error { return fault(ctx, "read", rows.Scan(&b)) }, text)
	})
	if err == nil && b == nil {
		return nil, errors.New("sqlstore: the end of the log is missing: its table is damaged: restore it from a backup")
	}
	return b, err
}

func parseTail(b []byte) (ledger.Tail, error) {
	t, err := ledger.ParseTail(b)
	if err != nil {
		return t, fmt.Errorf("sqlstore: the end of the log: %w", err)
	}
	return t, nil
}

// Entries implements [ledger.Reader].
func (r *reader) Entries(ctx context.Context, after uint64) iter.Seq2[ledger.Entry, error] {
	return r.pages(ctx, after, r.s.texts.after)
}

// Subject implements [ledger.Reader].
func (r *reader) Subject(ctx context.Context, handle ledger.Handle, after uint64) iter.Seq2[ledger.Entry, error] {
	if handle == (ledger.Handle{}) { // none has it: NULL is kept in its place
		return func(yield func(ledger.Entry, error) bool) {
			if err := r.s.ready(ctx, false); err != nil {
				yield(ledger.Entry{}, err)
			}
		}
	}
	return r.pages(ctx, after, r.s.texts.subject, handle[:])
}

func (r *reader) pages(ctx context.Context, after uint64, text string, args ...any) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		var entries []ledger.Entry
		for last := after; last < math.MaxInt64; {
			err := r.run(ctx, func() error {
				entries = entries[:0]
				return r.query(ctx, func(rows *sql.Rows) error {
					e, err := scan(ctx, rows)
					entries = append(entries, e)
					return err
				}, text, append(args[:len(args):len(args)], int64(last))...)
			})
			if err != nil {
				yield(ledger.Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
				last = e.Seq
			}
			if len(entries) < page {
				return
			}
		}
	}
}

// Find implements [ledger.Reader].
func (r *reader) Find(ctx context.Context, id string) (ledger.Entry, error) {
	var found ledger.Entry
	err := r.run(ctx, func() error {
		found = ledger.Entry{}
		return r.query(ctx, func(rows *sql.Rows) (err error) {
			found, err = scan(ctx, rows)
			return err
		}, r.s.texts.find, []byte(id))
	})
	if err != nil {
		return ledger.Entry{}, err
	}
	if found.Seq == 0 {
		return ledger.Entry{}, ledger.ErrNotFound
	}
	return found, nil
}

// scan reads the columns of an entry.
func scan(ctx context.Context, rows *sql.Rows) (ledger.Entry, error) {
	var e ledger.Entry
	var seq int64
	var handle []byte
	if err := rows.Scan(&seq, &e.Envelope, &handle, &e.Sealed); err != nil {
		return ledger.Entry{}, fault(ctx, "read", err)
	}
	if seq <= 0 || handle != nil && len(handle) != len(e.Handle) {
		return ledger.Entry{}, errors.New("sqlstore: read: a row is no entry: the table is damaged: verify the log")
	}
	e.Seq = uint64(seq)
	copy(e.Handle[:], handle)
	return e, nil
}
