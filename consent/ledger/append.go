package ledger

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strconv"
	"sync/atomic"
)

// maxBatch is how many events of several calls are recorded together.
const maxBatch = 1 << 12

// A call is one Append on its way.
type call struct {
	ctx    context.Context
	events []Event
	after  *Head
	taken  bool // guarded by the queue
	done   chan struct{}

	// what came of it
	head Head
	err  error
}

// Append records events, all or none, in their order, and returns the head that
// follows. It gives each event its Seq and, where it has none, an ID; and it skips
// an event that is recorded already: one with the same ID that says the same, or,
// without an ID, one of the subject that says the same from the same instant. So
// that to append again is safe.
//
// An [*EventError] says which event is malformed, or has an ID that belongs to
// another event. [ErrErased]: a subject of the call was erased. When the context
// ends while the events are being recorded, the error is its error and
// [ErrUnknown].
func (l *Ledger) Append(ctx context.Context, events ...Event) (Head, error) {
	if len(events) == 0 {
		return l.Head(ctx)
	}
	return l.append(ctx, nil, events)
}

// AppendAfter does so only while the log ends at head, and returns [ErrConflict]
// otherwise.
func (l *Ledger) AppendAfter(ctx context.Context, head Head, events ...Event) (Head, error) {
	return l.append(ctx, &head, events)
}

func (l *Ledger) append(ctx context.Context, after *Head, events []Event) (Head, error) {
	if err := l.ready(ctx); err != nil {
		return Head{}, err
	}
	if len(events) > MaxEvents {
		return Head{}, ErrTooMany
	}
	// Checked and copied here: the caller may go before the events are recorded.
	c := &call{ctx: ctx, after: after, events: make([]Event, len(events)), done: make(chan struct{})}
	for i := range events {
		if err := events[i].check(); err != nil {
			err.Index = i
			return Head{}, err
		}
		c.events[i] = events[i].clone()
	}
	q := &l.queue
	q.Lock()
	if l.closed.Load() {
		q.Unlock()
		return Head{}, ErrClosed
	}
	q.calls = append(q.calls, c)
	if !q.running {
		q.running = true
		go l.run()
	}
	q.Unlock()
	select {
	case <-c.done:
		return c.head, c.err
	case <-ctx.Done():
	}
	q.Lock()
	defer q.Unlock()
	if !c.taken {
		c.taken = true // run leaves it out
		return Head{}, ctx.Err()
	}
	select {
	case <-c.done:
		return c.head, c.err
	default:
		return Head{}, errors.Join(ErrUnknown, ctx.Err())
	}
}

// run records what is in the queue until nothing is.
func (l *Ledger) run() {
	q := &l.queue
	for {
		q.Lock()
		var batch []*call
		n, taken := 0, 0
		for _, c := range q.calls {
			if n > 0 && n+len(c.events) > maxBatch {
				break
			}
			taken++
			if !c.taken {
				c.taken = true
				n += len(c.events)
				batch = append(batch, c)
			}
		}
		q.calls = q.calls[taken:]
		if taken == 0 {
			q.calls, q.running = nil, false
			q.idle.Broadcast()
			q.Unlock()
			return
		}
		q.Unlock()
		l.record(batch)
		for _, c := range batch {
			close(c.done)
		}
		// Who was just answered gets to append again, and so into the next batch:
		// without this one call often goes alone and pays for a whole sync.
		runtime.Gosched()
	}
}

// together is a context that ends when all calls have been given up.
func together(batch []*call) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(batch[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(batch)))
	stops := make([]func() bool, 0, len(batch))
	for _, c := range batch {
		if c.ctx.Done() == nil {
			continue // never ends, and so nor does the batch
		}
		stops = append(stops, context.AfterFunc(c.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// A batch is calls that are recorded together.
type batch struct {
	l      *Ledger
	calls  []*call
	drafts map[string]*draft
	list   []*draft
	tags   []Tag

	// of one attempt
	tail    Tail
	entries []Entry
	ids     map[string]*Event
	scratch []byte
}

// record records a batch. What is wrong with one call alone does not fail the
// others.
func (l *Ledger) record(calls []*call) {
	if len(calls) == 0 {
		return
	}
	ctx, stop := together(calls)
	defer stop()
	b := &batch{l: l, calls: calls, drafts: make(map[string]*draft)}
	for _, c := range calls {
		for i := range c.events {
			b.draft(c.events[i].Subject)
			if other := c.events[i].Merged; other != "" {
				b.draft(other)
			}
		}
	}
	// Keys that are missing are made before the log is held still for it.
	_, err := l.keys.Ensure(ctx, b.tags)
	if err == nil {
		err = l.store.Append(ctx, b.build)
	}
	for _, d := range b.list {
		switch {
		case d.erased:
			d.h.erase()
		case err != nil:
			d.h.doubt()
		default:
			d.h.publish(d.line.events, d.gen)
		}
	}
	if err == nil && len(b.entries) > 0 {
		l.changes.Add(1)
	}
	for _, d := range b.list {
		l.cache.unpin(d.h)
	}
	if err != nil {
		for _, c := range calls {
			c.head, c.err = Head{}, err
		}
	}
}

func (b *batch) draft(subject string) {
	if b.drafts[subject] != nil {
		return
	}
	d := &draft{h: b.l.cache.pin(subject), tag: b.l.tag(subject)}
	b.drafts[subject] = d
	b.list = append(b.list, d)
	b.tags = append(b.tags, d.tag)
}

// build makes the entries that follow on the end of the log; the store may call it
// again.
func (b *batch) build(ctx context.Context, log Reader, end Tail) ([]Entry, Tail, error) {
	b.tail, b.entries, b.ids = end, nil, make(map[string]*Event)
	// Asked again while the log stands still: an erasure happens while it does, too,
	// so that no event slips in after it.
	keys, err := b.l.keys.Ensure(ctx, b.tags)
	if err != nil {
		return nil, Tail{}, err
	}
	for i, d := range b.list {
		d.begin()
		if d.erased = keys[i] == (Key{}); d.erased {
			continue
		}
		if d.sealer.aead == nil {
			if err := d.unlock(&keys[i]); err != nil {
				return nil, Tail{}, err
			}
		}
		if b.l.exclusive && d.fresh {
			continue
		}
		if err := d.read(ctx, log); err != nil {
			return nil, Tail{}, err
		}
	}
	for _, c := range b.calls {
		c.head, c.err = Head{}, nil
		if err := b.add(ctx, log, c); err != nil {
			return nil, Tail{}, err
		}
	}
	return b.entries, b.tail, nil
}

// add adds the events of a call. What is wrong with the call goes into it; an error
// is that of the store.
func (b *batch) add(ctx context.Context, log Reader, c *call) error {
	if err := c.ctx.Err(); err != nil {
		c.err = err
		return nil
	}
	if c.after != nil && *c.after != b.tail.Head() {
		c.err = ErrConflict
		return nil
	}
	for i := range c.events {
		if b.drafts[c.events[i].Subject].erased || c.events[i].Merged != "" && b.drafts[c.events[i].Merged].erased {
			c.err = ErrErased
			return nil
		}
	}
	// Ids are settled before anything is written: all events or none.
	var taken map[string]*Event
	recorded := make([]bool, len(c.events))
	for i := range c.events {
		ev := &c.events[i]
		if ev.ID == "" {
			continue
		}
		old := b.ids[ev.ID]
		if old == nil {
			old = taken[ev.ID]
		}
		if old == nil {
			var err error
			if old, err = b.find(ctx, log, ev); err != nil {
				return err
			}
		}
		if old != nil {
			if !old.same(ev) {
				c.err = &EventError{Index: i, Part: "id", Problem: "belongs to another event", Mend: "give each event an id of its own, or none"}
				return nil
			}
			recorded[i] = true
			continue
		}
		if taken == nil {
			taken = make(map[string]*Event)
		}
		taken[ev.ID] = ev
	}
	for i := range c.events {
		ev := &c.events[i]
		if recorded[i] || ev.ID == "" && b.drafts[ev.Subject].has(ev) {
			continue
		}
		if err := b.push(ctx, log, *ev, taken); err != nil {
			return err
		}
		if ev.Kind == KindMerged {
			other := Event{Subject: ev.Merged, Kind: KindMergedInto, Merged: ev.Subject, Valid: ev.Valid, Known: ev.Known, By: ev.By}
			if err := b.push(ctx, log, other, taken); err != nil {
				return err
			}
		}
	}
	c.head = b.tail.Head()
	return nil
}

// find gives the event that has the id of ev, nil if none has. An event of somebody
// else is given without what is sealed.
func (b *batch) find(ctx context.Context, log Reader, ev *Event) (*Event, error) {
	e, err := log.Find(ctx, ev.ID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := b.drafts[ev.Subject]
	if e.Handle != d.sealer.handle {
		return &Event{}, nil
	}
	old, _, wrong := d.sealer.open(&e)
	if wrong != "" {
		return nil, &DamageError{e.Seq, wrong}
	}
	return &old, nil
}

// push makes the entry of an event.
func (b *batch) push(ctx context.Context, log Reader, ev Event, taken map[string]*Event) error {
	d := b.drafts[ev.Subject]
	ev.Seq = b.tail.Size + 1
	if ev.Known.IsZero() {
		ev.Known = ev.Valid
	}
	ev.Known = later(ev.Known, d.known)
	ev.Known, ev.Valid = ev.Known.UTC(), ev.Valid.UTC()
	if !ev.Expires.IsZero() {
		ev.Expires = ev.Expires.UTC()
	}
	if ev.ID == "" {
		id, err := b.freeID(ctx, log, ev.Seq, taken)
		if err != nil {
			return err
		}
		ev.ID = id
	}
	var random [nonceSize + saltSize]byte
	if _, err := io.ReadFull(b.l.random, random[:]); err != nil {
		return errors.New("ledger: append: no random bytes for the payload: is the source of randomness open?")
	}
	var e Entry
	e, b.scratch = d.sealer.seal(&ev, d.count()+1, b.tail.Last, &random, b.scratch)
	if len(e.Envelope) > MaxEnvelope || len(e.Sealed) > MaxSealed {
		return errors.New("ledger: append: an entry grew too large")
	}
	b.entries = append(b.entries, e)
	b.tail = b.tail.Add(e.Hash())
	b.ids[ev.ID] = &ev
	d.add(&ev)
	return nil
}

// freeID gives an event without an id one of its place, and steers clear of ids
// that callers chose.
func (b *batch) freeID(ctx context.Context, log Reader, seq uint64, taken map[string]*Event) (string, error) {
	for id := "e" + strconv.FormatUint(seq, 10); ; id += "-" {
		if b.ids[id] != nil || taken[id] != nil {
			continue
		}
		switch _, err := log.Find(ctx, id); {
		case errors.Is(err, ErrNotFound):
			return id, nil
		case err != nil:
			return "", err
		}
	}
}
