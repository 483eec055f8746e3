package ledger

import (
	"context"
	"iter"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/privetdev/privet/consent"
)

// Memory is a [Store] that lives as long as the process. Use [NewMemory].
//
// It keeps the latest view of each subject, so that asking again allocates nothing
// until something is appended, or until the instant passes one at which a recorded
// event becomes true. A view as of an earlier Known is made anew each time.
type Memory struct {
	mu       sync.RWMutex
	subjects map[string]*history
	ids      map[string]*Event
	seq      uint64
}

var _ Store = (*Memory)(nil)

type history struct {
	events []*Event  // in the order of the log; events never change
	known  time.Time // of the last
	cached atomic.Pointer[cached]
}

// cached is the view for the instants in [from, until); the zero until is no end.
type cached struct {
	view        *consent.View
	from, until time.Time
}

// NewMemory makes an empty ledger.
func NewMemory() *Memory {
	return &Memory{subjects: make(map[string]*history), ids: make(map[string]*Event)}
}

// Append implements [Store].
func (m *Memory) Append(ctx context.Context, events ...Event) (Head, error) {
	return m.append(ctx, nil, events)
}

// AppendAfter implements [Store].
func (m *Memory) AppendAfter(ctx context.Context, head Head, events ...Event) (Head, error) {
	return m.append(ctx, &head, events)
}

func (m *Memory) append(ctx context.Context, after *Head, events []Event) (Head, error) {
	if err := ctx.Err(); err != nil {
		return Head{}, err
	}
	if len(events) > MaxEvents {
		return Head{}, ErrTooMany
	}
	for i := range events {
		if err := events[i].check(); err != nil {
			err.Index = i
			return Head{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if after != nil && after.Seq != m.seq {
		return Head{}, ErrConflict
	}
	// Ids are settled before anything is written: all events or none.
	fresh := make(map[string]*Event)
	for i := range events {
		ev := &events[i]
		if ev.ID == "" {
			continue
		}
		old := m.ids[ev.ID]
		if old == nil {
			old = fresh[ev.ID]
		}
		if old != nil && !old.same(ev) {
			return Head{}, &EventError{Index: i, Part: "id", Problem: "belongs to another event", Mend: "give each event an id of its own, or none"}
		}
		fresh[ev.ID] = ev
	}
	for i := range events {
		m.add(&events[i], fresh)
	}
	return Head{m.seq}, nil
}

func (m *Memory) add(in *Event, taken map[string]*Event) {
	h := m.subjects[in.Subject]
	if in.ID != "" && m.ids[in.ID] != nil || in.ID == "" && h.has(in) {
		return
	}
	if h == nil {
		h = new(history)
		m.subjects[in.Subject] = h
	}
	ev := in.clone()
	m.seq++
	ev.Seq = m.seq
	if ev.Known.IsZero() {
		ev.Known = ev.Valid
	}
	if ev.Known.Before(h.known) {
		ev.Known = h.known
	}
	if ev.ID == "" {
		ev.ID = "e" + strconv.FormatUint(ev.Seq, 10)
		for m.ids[ev.ID] != nil || taken[ev.ID] != nil { // a caller had the same idea
			ev.ID += "-"
		}
	}
	m.ids[ev.ID] = &ev
	h.known = ev.Known
	h.events = append(h.events, &ev)
	h.cached.Store(nil)
}

// has reports whether an event that says the same is recorded.
func (h *history) has(ev *Event) bool {
	if h == nil {
		return false
	}
	for _, old := range h.events {
		if old.same(ev) {
			return true
		}
	}
	return false
}

// Head implements [Store].
func (m *Memory) Head(ctx context.Context) (Head, error) {
	if err := ctx.Err(); err != nil {
		return Head{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Head{m.seq}, nil
}

// Events implements [Store]. It gives the events that were there when the iteration
// began; appending meanwhile is allowed.
func (m *Memory) Events(ctx context.Context, subject string, asOf AsOf) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		m.mu.RLock()
		var events []*Event
		if h := m.subjects[subject]; h != nil {
			events = h.events
		}
		m.mu.RUnlock()
		for _, ev := range events {
			if err := ctx.Err(); err != nil {
				yield(Event{}, err)
				return
			}
			if asOf.holds(ev) && !yield(ev.clone(), nil) {
				return
			}
		}
	}
}

// nothing is the view of a subject without events.
var nothing consent.View

// View implements [Store].
func (m *Memory) View(ctx context.Context, subject string, asOf AsOf) (*consent.View, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if asOf.Valid.IsZero() {
		return nil, ErrNoTime
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	h := m.subjects[subject]
	if h == nil {
		return &nothing, nil
	}
	all := asOf.Known.IsZero() || !asOf.Known.Before(h.known)
	if all {
		if c := h.cached.Load(); c != nil && !asOf.Valid.Before(c.from) && (c.until.IsZero() || asOf.Valid.Before(c.until)) {
			return c.view, nil
		}
	}
	c, err := h.view(asOf)
	if err != nil {
		return nil, err
	}
	if all {
		h.cached.Store(c)
	}
	return c.view, nil
}

// view works out what is known, and for which instants it stays so.
func (h *history) view(asOf AsOf) (*cached, error) {
	var facts consent.Facts
	var from, restricted, released time.Time
	for _, ev := range h.events {
		if !asOf.Known.IsZero() && ev.Known.After(asOf.Known) {
			continue
		}
		if ev.Valid.After(asOf.Valid) {
			if facts.Until.IsZero() || ev.Valid.Before(facts.Until) {
				facts.Until = ev.Valid
			}
			continue
		}
		from = later(from, ev.Valid)
		switch ev.Kind {
		case KindErased:
			facts.Erased = true
		case KindRestricted:
			restricted = later(restricted, ev.Valid)
		case KindReleased:
			released = later(released, ev.Valid)
		case KindClaim:
			facts.Claims = append(facts.Claims, ev.claim())
		default:
			facts.Records = append(facts.Records, ev.record())
		}
	}
	// At one instant the restriction counts.
	facts.Restricted = !restricted.IsZero() && !released.After(restricted)
	v, err := consent.NewView(facts)
	if err != nil {
		return nil, err
	}
	return &cached{v, from, facts.Until}, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
