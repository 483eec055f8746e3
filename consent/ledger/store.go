package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/privetdev/privet/consent"
)

// Errors of every ledger.
var (
	// ErrConflict says that the log has moved on since the head was read.
	ErrConflict = errors.New("ledger: the log has moved on: read its head and decide again")
	// ErrNoTime says that a view was asked for without an instant.
	ErrNoTime = errors.New("ledger: view: no instant: set AsOf.Valid")
	// ErrTooMany says that one call appends more than [MaxEvents].
	ErrTooMany = errors.New("ledger: too many events in one call: append them in parts")
	// ErrUnknown says that a connection was lost while events were being recorded,
	// and that it could not be found out whether they were. Appending the same
	// events again is safe: what is recorded already is skipped.
	ErrUnknown = errors.New("ledger: it is not known whether the events were recorded: append the same events again")
	// ErrNotFound says that no event of the log has the id.
	ErrNotFound = errors.New("ledger: no event has this id")
	// ErrErased says that the subject was erased: nothing is recorded of them any more.
	ErrErased = errors.New("ledger: the subject was erased: who comes back is a new subject, with a pseudonym of their own")
	// ErrNoKey says that a subject has no key: nothing was ever recorded.
	ErrNoKey = errors.New("ledger: no key")
	// ErrReadOnly says that a store was opened for reading.
	ErrReadOnly = errors.New("ledger: opened for reading: open it for writing, or append where it is written")
	// ErrClosed says that a store or a key store was used after it was closed.
	ErrClosed = errors.New("ledger: closed")
)

// MaxEvents is how many events one call may append.
const MaxEvents = 1 << 16

// AsOf picks the part of the history that was true by Valid and known by Known.
type AsOf = consent.AsOf

// holds reports whether an event lies within the bounds.
func holds(a AsOf, ev *Event) bool {
	return (a.Valid.IsZero() || !ev.Valid.After(a.Valid)) && (a.Known.IsZero() || !ev.Known.After(a.Known))
}

// A Head is the end of a log. Heads of one log are equal if and only if their
// entries are.
type Head struct {
	Seq  uint64 // of the last entry; 0: none
	Last Hash   // of the last entry: the end of the chain
	Root Hash   // of the tree over all entries
}

// A Store keeps the entries of one log; [New] makes a ledger of it. It knows
// nothing of what they mean. Every method is safe for concurrent use and gives up
// with the context's error when the context has ended. Errors contain nothing of
// an entry. Package ledgertest checks whether an implementation does all this.
type Store interface {
	Reader

	// Append calls build with the end of the log, which stands still meanwhile,
	// also for other processes; the Reader sees the same state. The entries that
	// build returns follow on that end, with tail as the end after them. They are
	// recorded all or none, and for good before Append returns nil: after a loss
	// of power they are there. An error of build is returned as it is, and nothing
	// is recorded; the same when build returns no entries. Append may call build
	// again, after a conflict with another writer. [ErrUnknown], wrapped, says
	// that it is not known whether they were recorded; every other error says that
	// they were not.
	Append(ctx context.Context, build func(ctx context.Context, log Reader, end Tail) (entries []Entry, tail Tail, err error)) error

	// Drop removes the handle and the sealed payload of every entry of a subject,
	// for good before it returns. Doing it again does nothing.
	Drop(ctx context.Context, handle Handle) error

	// Exclusive reports whether nobody else can append while this store is open,
	// so that what was read once need not be read again.
	Exclusive() bool

	Close() error
}

// A Reader reads a log.
type Reader interface {
	Tail(ctx context.Context) (Tail, error)
	// Entries gives the entries that follow the given Seq, in order. The bytes of
	// an entry are the caller's only until the next one.
	Entries(ctx context.Context, after uint64) iter.Seq2[Entry, error]
	// Subject gives the entries of a handle that follow the given Seq, in order.
	Subject(ctx context.Context, handle Handle, after uint64) iter.Seq2[Entry, error]
	// Find gives the entry whose envelope has the id; [ErrNotFound].
	Find(ctx context.Context, id string) (Entry, error)
}

// A Key seals the payloads of one subject. However it is printed, it shows a
// placeholder.
type Key [32]byte

const hiddenKey = "ledger.Key(REDACTED)"

// Format implements [fmt.Formatter]: every verb prints a placeholder.
func (Key) Format(s fmt.State, _ rune) { io.WriteString(s, hiddenKey) }

// MarshalText gives the same placeholder, for encoding/json and log/slog.
func (Key) MarshalText() ([]byte, error) { return []byte(hiddenKey), nil }

// A Tag stands for a subject in a key store: an HMAC under the secret of the
// ledger.
type Tag [16]byte

// Keys keep the key of each subject, apart from the entries, so that to destroy a
// key is to erase the subject at once, wherever copies of the entries lie. Every
// method is safe for concurrent use; what it returned nil for survives a loss of
// power. Errors contain neither a key nor a tag.
type Keys interface {
	// Secret is the ledger's own, made with the key store: 32 random bytes.
	Secret(ctx context.Context) (Key, error)
	// Get gives a subject's key; [ErrNoKey], [ErrErased].
	Get(ctx context.Context, tag Tag) (Key, error)
	// Ensure gives the keys of the tags, and makes those that are missing. The
	// key of a subject that was erased is the zero key.
	Ensure(ctx context.Context, tags []Tag) ([]Key, error)
	// Live gives the keys that are there, in any order.
	Live(ctx context.Context) iter.Seq2[Key, error]
	// Destroy overwrites the key of erasure.Tag; the tag stays, as erased. Until
	// Finish the erasure is among the Unfinished. Destroying again does nothing.
	// [ErrNoKey] for a tag that never had one.
	Destroy(ctx context.Context, erasure Erasure) error
	// Finish says that the erasure is recorded in the log and that the subject's
	// entries were dropped; only its tag is kept from then on. Finishing what is
	// not under way does nothing.
	Finish(ctx context.Context, tag Tag) error
	// Unfinished are erasures that a crash cut short.
	Unfinished(ctx context.Context) ([]Erasure, error)

	Close() error
}

// An Erasure is what a key store remembers of one that is under way.
type Erasure struct {
	Tag    Tag
	Handle Handle    // of the entries to drop
	Count  uint64    // how many they were
	At     time.Time // valid
	Known  time.Time
	Why    Why
}
