package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/privetdev/privet/consent"
)

// A timeline is events of one subject in the order of the log. Events in it never
// change, and a slice of them that was taken stays what it is.
type timeline struct {
	events []*Event
	at     map[instant][]*Event // by when they are true; nil while they are few
}

type instant struct {
	seconds int64
	nanos   int32
}

func instantOf(t time.Time) instant { return instant{t.Unix(), int32(t.Nanosecond())} }

// few is how many events are looked through one by one.
const few = 32

func (t *timeline) add(ev *Event) {
	t.events = append(t.events, ev)
	switch {
	case t.at != nil:
		at := instantOf(ev.Valid)
		t.at[at] = append(t.at[at], ev)
	case len(t.events) > few:
		t.at = make(map[instant][]*Event, 2*len(t.events))
		for _, ev := range t.events {
			at := instantOf(ev.Valid)
			t.at[at] = append(t.at[at], ev)
		}
	}
}

// has reports whether an event that says the same is there.
func (t *timeline) has(ev *Event) bool {
	events := t.events
	if t.at != nil {
		events = t.at[instantOf(ev.Valid)]
	}
	for _, old := range events {
		if old.same(ev) {
			return true
		}
	}
	return false
}

// A history is what the ledger has read of one subject. Nothing holds its lock
// while it calls a store.
type history struct {
	subject string
	cached  atomic.Pointer[cached]
	used    atomic.Bool // since the cache looked last

	// of the cache, guarded by its lock
	place, cost, pins int

	mu     sync.Mutex
	line   timeline
	handle Handle // zero: not known yet
	seen   uint64 // Seq of the last event
	known  time.Time
	erased bool
	fresh  bool   // nothing of the subject is in the log that is not in line
	gen    uint64 // moves when it is no longer known what the log holds
}

// cached is the view for the instants in [from, until); the zero until is no end.
type cached struct {
	view        *consent.View
	from, until time.Time
	known       time.Time // of the last event: a bound from then on is none
	events      int       // of the history that it was made from
	merged      bool      // made from other histories, too, at this many changes of the log; without a bound
	changes     uint64
}

func (c *cached) fits(asOf AsOf, changes uint64) bool {
	return !asOf.Valid.Before(c.from) && (c.until.IsZero() || asOf.Valid.Before(c.until)) &&
		(asOf.Known.IsZero() || !c.merged && !asOf.Known.Before(c.known)) && (!c.merged || c.changes == changes)
}

// publish adds what was read or recorded since the history was looked at, in the
// given generation; nothing lies between.
func (h *history) publish(events []*Event, gen uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.erased {
		return
	}
	for _, ev := range events {
		if ev.Seq <= h.seen {
			continue // somebody else read it meanwhile
		}
		h.line.add(ev)
		h.seen, h.known = ev.Seq, ev.Known
		h.cached.Store(nil)
	}
	if h.gen == gen {
		h.fresh = true
	}
}

// doubt says that the log may hold events of the subject that the history lacks.
func (h *history) doubt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gen++
	h.fresh = false
	h.cached.Store(nil)
}

func (h *history) erase() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line, h.erased, h.fresh = timeline{}, true, true
	h.cached.Store(&cached{view: erased})
}

// size is what the history costs in the cache.
func (h *history) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return 1 + len(h.line.events)
}

// A cache holds histories, those that were asked for lately, up to a number of
// events. It forgets by the clock algorithm: reading marks, and writes nothing
// that is marked already.
type cache struct {
	mu        sync.RWMutex
	bySubject map[string]*history
	ring      []*history
	hand      int
	cost      int
	limit     int
}

// get gives the history of a subject; a new one knows nothing yet.
func (c *cache) get(subject string) *history {
	c.mu.RLock()
	h := c.bySubject[subject]
	c.mu.RUnlock()
	if h != nil {
		if !h.used.Load() {
			h.used.Store(true)
		}
		return h
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(subject)
}

// pin gives histories that stay in the cache until they are given back: somebody
// who writes must not have another one made beside theirs.
func (c *cache) pin(subject string) *history {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.add(subject)
	h.pins++
	return h
}

func (c *cache) unpin(h *history) {
	size := h.size()
	c.mu.Lock()
	defer c.mu.Unlock()
	h.pins--
	c.settle(h, size)
}

// charge accounts for what a history has become.
func (c *cache) charge(h *history) {
	size := h.size()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(h, size)
}

func (c *cache) add(subject string) *history {
	if h := c.bySubject[subject]; h != nil {
		return h
	}
	h := &history{subject: subject, place: len(c.ring), cost: 1}
	h.used.Store(true)
	c.bySubject[subject] = h
	c.ring = append(c.ring, h)
	c.cost++
	c.shrink()
	return h
}

func (c *cache) settle(h *history, size int) {
	if h.place < 0 { // forgotten meanwhile
		return
	}
	c.cost += size - h.cost
	h.cost = size
	c.shrink()
}

// shrink forgets until the cache fits. Two rounds find everything that can go.
func (c *cache) shrink() {
	for tries := 2 * len(c.ring); c.cost > c.limit && tries > 0; tries-- {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		h := c.ring[c.hand]
		if h.pins > 0 || h.used.Swap(false) {
			c.hand++
			continue
		}
		last := len(c.ring) - 1
		c.ring[c.hand] = c.ring[last]
		c.ring[c.hand].place = c.hand
		c.ring[last] = nil
		c.ring = c.ring[:last]
		c.cost -= h.cost
		h.place = -1
		delete(c.bySubject, h.subject)
	}
}

// A draft is one subject while the log stands still: what the history had, and
// what was read or is being added on top.
type draft struct {
	h      *history
	tag    Tag
	sealer sealer
	erased bool

	base    timeline // shared with the history: read with its lock
	gen     uint64
	fresh   bool
	line    timeline // on top of base
	written int      // events at the end of line that are being recorded
	seen    uint64
	known   time.Time
}

// begin takes the draft back to what the history has.
func (d *draft) begin() {
	d.h.mu.Lock()
	defer d.h.mu.Unlock()
	d.base = timeline{events: d.h.line.events}
	d.gen, d.fresh, d.seen, d.known, d.sealer.handle = d.h.gen, d.h.fresh, d.h.seen, d.h.known, d.h.handle
	d.line, d.written = timeline{}, 0
}

// unlock makes the draft's sealer, and tells the history the handle.
func (d *draft) unlock(key *Key) (err error) {
	if d.sealer, err = newSealer(key, d.sealer.handle); err != nil {
		return err
	}
	d.h.mu.Lock()
	d.h.handle = d.sealer.handle
	d.h.mu.Unlock()
	return nil
}

func (d *draft) count() uint64 { return uint64(len(d.base.events) + len(d.line.events)) }

// read adds what the log has and the history does not. The key must be there.
func (d *draft) read(ctx context.Context, log Reader) error {
	for e, err := range log.Subject(ctx, d.sealer.handle, d.seen) {
		if err != nil {
			return err
		}
		ev, number, wrong := d.sealer.open(&e)
		switch {
		case wrong != "":
			return &DamageError{e.Seq, wrong}
		case ev.Subject != d.h.subject:
			return &DamageError{e.Seq, wrongSeal}
		case number != d.count()+1:
			return &DamageError{e.Seq, wrongNumber}
		}
		d.add(&ev)
	}
	return nil
}

const wrongNumber = "the event of this subject that comes before it is missing"

func (d *draft) add(ev *Event) {
	d.line.add(ev)
	d.seen, d.known = ev.Seq, ev.Known
}

func (d *draft) has(ev *Event) bool {
	if d.line.has(ev) {
		return true
	}
	d.h.mu.Lock()
	defer d.h.mu.Unlock()
	return d.h.line.has(ev)
}

// tag stands for a subject in the key store.
func (l *Ledger) tag(subject string) Tag {
	return Tag(l.secret("tag", subject))
}

// secretOf hides the ledger's secret from whoever prints the ledger. What it returns
// is safe for concurrent use.
func secretOf(key Key) func(label, message string) [16]byte {
	pool := sync.Pool{New: func() any { return hmac.New(sha256.New, key[:]) }}
	return func(label, message string) [16]byte {
		mac, ok := pool.Get().(hash.Hash)
		if !ok { // never: the pool holds nothing else
			return keyed(&key, label, message)
		}
		defer pool.Put(mac)
		mac.Reset()
		return sumOf(mac, label, message)
	}
}

// refresh reads what the log has of a subject and the history does not, and gives
// its events; erased subjects and unknown ones have none.
func (l *Ledger) refresh(ctx context.Context, h *history) (events []*Event, gone bool, err error) {
	d := draft{h: h}
	d.begin()
	h.mu.Lock()
	done := h.erased || l.exclusive && h.fresh
	events, gone = h.line.events, h.erased
	h.mu.Unlock()
	if done {
		return events, gone, nil
	}
	d.tag = l.tag(h.subject)
	key, err := l.keys.Get(ctx, d.tag)
	switch {
	case errors.Is(err, ErrErased):
		h.erase()
		l.cache.charge(h)
		return nil, true, nil
	case errors.Is(err, ErrNoKey):
		h.publish(nil, d.gen)
	case err != nil:
		return nil, false, err
	default:
		if err := d.unlock(&key); err != nil {
			return nil, false, err
		}
		if err := d.read(ctx, l.store); err != nil {
			// What cannot be opened may have been erased while it was read.
			if _, again := l.keys.Get(ctx, d.tag); !errors.Is(again, ErrErased) {
				return nil, false, err
			}
			h.erase()
			l.cache.charge(h)
			return nil, true, nil
		}
		h.publish(d.line.events, d.gen)
	}
	l.cache.charge(h)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.line.events, h.erased, nil
}
