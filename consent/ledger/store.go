package ledger

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/privetdev/privet/consent"
)

// Errors of every store.
var (
	// ErrConflict says that the log has moved on since the head was read.
	ErrConflict = errors.New("ledger: the log has moved on: read its head and decide again")
	// ErrNoTime says that a view was asked for without an instant.
	ErrNoTime = errors.New("ledger: view: no instant: set AsOf.Valid")
	// ErrTooMany says that one call appends more than [MaxEvents].
	ErrTooMany = errors.New("ledger: too many events in one call: append them in parts")
)

// MaxEvents is how many events one call may append.
const MaxEvents = 1 << 16

// A Store keeps events. Every method is safe for concurrent use and gives up with
// the context's error when the context has ended. Errors contain neither subjects
// nor anything else of an event.
//
// Implementations append all events of a call or none, in their order; give each
// its Seq and, where it has none, an ID; and skip an event that is recorded already:
// one with the same ID that says the same, or, without an ID, one that says the
// same from the same instant. An ID that belongs to an event which says something
// else is an [*EventError].
type Store interface {
	// Append adds events and returns the head that follows.
	Append(ctx context.Context, events ...Event) (Head, error)
	// AppendAfter does so only while the log ends at head, and returns
	// [ErrConflict] otherwise.
	AppendAfter(ctx context.Context, head Head, events ...Event) (Head, error)
	// Head returns the end of the log. The zero Head is that of an empty log.
	Head(ctx context.Context) (Head, error)
	// Events gives the events of a subject in the order of the log. Bounds of
	// asOf that are zero are no bounds. A subject without events gives none.
	Events(ctx context.Context, subject string, asOf AsOf) iter.Seq2[Event, error]
	// View gives what decisions need. A subject without events gives a view in
	// which nothing is known. [ErrNoTime] when asOf.Valid is zero.
	View(ctx context.Context, subject string, asOf AsOf) (*consent.View, error)
}

// AsOf picks the part of the history that was true by Valid and known by Known.
type AsOf struct {
	Valid time.Time
	Known time.Time // zero: all that is known
}

// holds reports whether an event lies within the bounds.
func (a AsOf) holds(ev *Event) bool {
	return (a.Valid.IsZero() || !ev.Valid.After(a.Valid)) && (a.Known.IsZero() || !ev.Known.After(a.Known))
}

// A Head is the end of a log.
type Head struct {
	Seq uint64 // of the last event; 0: none
}
