package ledger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/privetdev/privet/consent"
)

// A Ledger records events and answers from them. It is safe for concurrent use.
// Use [New], or [NewMemory] for one that lives as long as the process.
//
// What callers append at the same time is recorded together, so that they share
// what it costs to make it last. A ledger keeps the histories that were asked for
// lately, and the latest view of each; where nobody else can append to the store,
// asking again allocates nothing until something is appended for the subject, or
// until the instant passes one at which a recorded event becomes true.
type Ledger struct{ *hidden }

// hidden keeps what a ledger knows two pointers away, so that whoever prints a
// ledger by mistake, or something that holds one, prints an address.
type hidden struct{ *state }

type state struct {
	store     Store
	keys      Keys
	random    io.Reader
	secret    func(label, message string) [16]byte
	exclusive bool

	cache   cache
	changes atomic.Uint64 // moves after each change that this ledger made
	closed  atomic.Bool

	queue struct {
		sync.Mutex
		calls   []*call
		running bool
		idle    sync.Cond // nothing is running
	}
	nodes nodes
}

// An Option configures [New]. Options apply in order; the last one wins.
type Option interface{ apply(*Ledger) }

type option func(*Ledger)

func (o option) apply(l *Ledger) { o(l) }

// WithRandom sets the source of salts and nonces; without it, it is that of the
// system. It must be safe for concurrent use, and unpredictable: with equal
// nonces, two payloads of a subject give each other away.
func WithRandom(random io.Reader) Option { return option(func(l *Ledger) { l.random = random }) }

// WithCache sets how many events, and subjects without any, are kept ready in
// memory; without it they are 262,144. An event takes about 600 bytes, and more
// where it has long texts.
func WithCache(events int) Option { return option(func(l *Ledger) { l.cache.limit = max(events, 1) }) }

// New makes a ledger of a store and the keys that belong to it, and finishes the
// erasures that a crash cut short. The ledger closes both.
func New(ctx context.Context, store Store, keys Keys, options ...Option) (*Ledger, error) {
	secret, err := keys.Secret(ctx)
	if err != nil {
		return nil, err
	}
	l := newLedger(store, keys, &secret, options)
	unfinished, err := keys.Unfinished(ctx)
	if err != nil {
		return nil, err
	}
	for i := range unfinished {
		if err := l.finish(ctx, &unfinished[i]); err != nil {
			if errors.Is(err, ErrReadOnly) {
				break // who writes will do it; the key is gone already
			}
			return nil, err
		}
	}
	return l, nil
}

func newLedger(store Store, keys Keys, secret *Key, options []Option) *Ledger {
	l := &Ledger{&hidden{&state{store: store, keys: keys, random: rand.Reader, secret: secretOf(*secret), exclusive: store.Exclusive()}}}
	l.cache = cache{bySubject: make(map[string]*history), limit: 1 << 18}
	l.queue.idle.L = &l.queue.Mutex
	for _, o := range options {
		o.apply(l)
	}
	return l
}

// Close waits for what is being recorded and closes the store and the keys. Closing
// again does nothing.
func (l *Ledger) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.queue.Lock()
	for l.queue.running {
		l.queue.idle.Wait()
	}
	l.queue.Unlock()
	return errors.Join(l.store.Close(), l.keys.Close())
}

// ready says whether a call may go on.
func (l *Ledger) ready(ctx context.Context) error {
	if l.closed.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

// A LogID names a log: whoever checks a signed head sees that it is of the log
// they know. It is derived from the ledger's secret and tells nothing of it.
type LogID [16]byte

// String is the id in hexadecimal.
func (id LogID) String() string { return hex.EncodeToString(id[:]) }

// ID names the log.
func (l *Ledger) ID() LogID { return LogID(l.secret("log", "")) }

// Head returns the end of the log. The zero Head is that of an empty log, except
// for its Root, which is the hash of nothing.
func (l *Ledger) Head(ctx context.Context) (Head, error) {
	if err := l.ready(ctx); err != nil {
		return Head{}, err
	}
	tail, err := l.store.Tail(ctx)
	if err != nil {
		return Head{}, err
	}
	return tail.Head(), nil
}

// Events gives the events of a subject in the order of the log, those that were
// there when the iteration began; appending meanwhile is allowed. Bounds of asOf
// that are zero are no bounds. A subject without events gives none, and so does
// one that was erased.
func (l *Ledger) Events(ctx context.Context, subject string, asOf AsOf) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		events, _, err := l.events(ctx, subject)
		if err != nil {
			yield(Event{}, err)
			return
		}
		for _, ev := range events {
			if err := ctx.Err(); err != nil {
				yield(Event{}, err)
				return
			}
			if holds(asOf, ev) && !yield(ev.clone(), nil) {
				return
			}
		}
	}
}

// events gives the history of a subject, and whether it was erased.
func (l *Ledger) events(ctx context.Context, subject string) (events []*Event, erased bool, err error) {
	if err := l.ready(ctx); err != nil {
		return nil, false, err
	}
	if subject == "" || len(subject) > maxText {
		return nil, false, nil // nobody can have recorded anything
	}
	return l.refresh(ctx, l.cache.get(subject))
}

var (
	nothing = &consent.View{} // of a subject without events
	erased  = mustErased()
)

func mustErased() *consent.View {
	v, _ := consent.NewView(consent.Facts{Erased: true}) // nothing in it can be malformed
	return v
}

// View gives what decisions need: of what is true at asOf.Valid, what was known by
// asOf.Known. A later event never changes the answer, unless it is dated earlier;
// but an erasure takes the past away: from then on the subject is erased at every
// instant. A subject without events gives a view in which nothing is known.
// [ErrNoTime] when asOf.Valid is zero. No more than 64 subjects can be merged into
// one. A [*DamageError] when an entry of the
// subject was tampered with: then nobody can say what is permitted.
func (l *Ledger) View(ctx context.Context, subject string, asOf AsOf) (*consent.View, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	if asOf.Valid.IsZero() {
		return nil, ErrNoTime
	}
	if subject == "" || len(subject) > maxText {
		return nothing, nil
	}
	changes := l.changes.Load()
	h := l.cache.get(subject)
	if l.exclusive {
		if c := h.cached.Load(); c != nil && c.fits(asOf, changes) {
			return c.view, nil
		}
	}
	events, gone, err := l.refresh(ctx, h)
	if err != nil {
		return nil, err
	}
	if gone {
		return erased, nil
	}
	if c := h.cached.Load(); c != nil && c.events == len(events) && c.fits(asOf, changes) && (l.exclusive || !c.merged) {
		return c.view, nil
	}
	c, err := l.view(ctx, subject, events, asOf)
	if err != nil {
		return nil, err
	}
	c.changes = changes
	if asOf.Known.IsZero() || !c.merged && !asOf.Known.Before(c.known) {
		h.mu.Lock()
		if !h.erased && h.fresh && len(h.line.events) == len(events) {
			h.cached.Store(c)
		}
		h.mu.Unlock()
	}
	return c.view, nil
}
