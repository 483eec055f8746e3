package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"time"
)

// Erase destroys the subject's key, removes what it sealed and records that the
// subject was erased from the instant at on. The entries of the log stay, as does
// every proof of them, and nobody can say any more whose they were or what they
// said beyond their envelopes. From then on the view of the subject says that it
// was erased, at every instant; its events are gone, and appending for it is
// [ErrErased]. Erasing a subject of whom nothing was recorded records that, too.
//
// It returns the event of the erasure; of a subject that was erased already, the
// one that was recorded then. After an error the key may be destroyed already:
// call Erase again, or [New], which finishes what was begun.
//
// Erasing one of two subjects that were merged leaves the other. As nobody knows any
// more what the erased one had refused, no consent counts that the other gave before
// the merge. Erase both if they are one person.
func (l *Ledger) Erase(ctx context.Context, subject string, at time.Time, why Why) (Event, error) {
	if err := l.ready(ctx); err != nil {
		return Event{}, err
	}
	switch {
	case subject == "" || len(subject) > maxText:
		return Event{}, &EventError{Part: "subject", Problem: "missing or too long", Mend: "use a pseudonym of 1 to 256 bytes"}
	case at.IsZero():
		return Event{}, &EventError{Part: "valid", Problem: "missing", Mend: "say from when it is true"}
	case why < OnRequest || why > OnOrder:
		return Event{}, &EventError{Part: "why", Problem: "no ground", Mend: "use one of the grounds of this package"}
	}
	h := l.cache.pin(subject)
	defer l.cache.unpin(h)
	erasure := &Erasure{Tag: l.tag(subject), At: at.UTC(), Known: at.UTC(), Why: why}
	tags := []Tag{erasure.Tag}
	if _, err := l.keys.Ensure(ctx, tags); err != nil {
		return Event{}, err
	}
	var event Event
	begun := false
	err := l.store.Append(ctx, func(ctx context.Context, log Reader, end Tail) ([]Entry, Tail, error) {
		// Nobody appends now: what is counted is all there will be.
		keys, err := l.keys.Ensure(ctx, tags)
		if err != nil {
			return nil, Tail{}, err
		}
		if keys[0] != (Key{}) {
			erasure.Handle, erasure.Count, erasure.Known = handleOf(&keys[0]), 0, erasure.At
			for e, err := range log.Subject(ctx, erasure.Handle, 0) {
				if err != nil {
					return nil, Tail{}, err
				}
				envelope, err := ParseEnvelope(e.Envelope)
				if err != nil {
					return nil, Tail{}, &DamageError{e.Seq, wrongEnvelope}
				}
				erasure.Count++
				erasure.Known = later(erasure.Known, envelope.Known)
			}
			if err := l.keys.Destroy(ctx, *erasure); err != nil {
				return nil, Tail{}, err
			}
			h.erase()
			begun = true
		}
		if !begun {
			return nil, Tail{}, nil
		}
		var entry Entry
		entry, event = l.erasureEntry(erasure, end)
		return []Entry{entry}, end.Add(entry.Hash()), nil
	})
	if err != nil {
		return Event{}, err
	}
	h.erase()
	l.changes.Add(1)
	if !begun {
		return l.erasedAlready(ctx, erasure.Tag)
	}
	if err := l.drop(ctx, erasure); err != nil {
		return Event{}, err
	}
	return event, nil
}

// erasedAlready finishes an erasure if somebody began it, and gives its event.
func (l *Ledger) erasedAlready(ctx context.Context, tag Tag) (Event, error) {
	unfinished, err := l.keys.Unfinished(ctx)
	if err != nil {
		return Event{}, err
	}
	for i := range unfinished {
		if unfinished[i].Tag == tag {
			if err := l.finish(ctx, &unfinished[i]); err != nil {
				return Event{}, err
			}
		}
	}
	e, err := l.store.Find(ctx, l.erasureID(tag))
	if err != nil {
		return Event{}, err
	}
	envelope, err := ParseEnvelope(e.Envelope)
	if err != nil {
		return Event{}, &DamageError{e.Seq, wrongEnvelope}
	}
	return envelope.event(), nil
}

// finish records an erasure whose key is destroyed, unless it is recorded, and
// drops what the key sealed.
func (l *Ledger) finish(ctx context.Context, erasure *Erasure) error {
	err := l.store.Append(ctx, func(ctx context.Context, log Reader, end Tail) ([]Entry, Tail, error) {
		switch _, err := log.Find(ctx, l.erasureID(erasure.Tag)); {
		case err == nil:
			return nil, Tail{}, nil
		case !errors.Is(err, ErrNotFound):
			return nil, Tail{}, err
		}
		entry, _ := l.erasureEntry(erasure, end)
		return []Entry{entry}, end.Add(entry.Hash()), nil
	})
	if err != nil {
		return err
	}
	return l.drop(ctx, erasure)
}

func (l *Ledger) drop(ctx context.Context, erasure *Erasure) error {
	if err := l.store.Drop(ctx, erasure.Handle); err != nil {
		return err
	}
	return l.keys.Finish(ctx, erasure.Tag)
}

// erasureID is the id of the event that a subject was erased. It is one for each
// subject, so that an erasure is never recorded twice, and only who has the
// ledger's secret can tell whose it is.
func (l *Ledger) erasureID(tag Tag) string {
	id := l.secret("erasure", string(tag[:]))
	return "erasure-" + hex.EncodeToString(id[:])
}

// erasureEntry is an entry without a payload: all that is said of an erasure is
// clear, and none of it says of whom.
func (l *Ledger) erasureEntry(erasure *Erasure, end Tail) (Entry, Event) {
	ev := Event{
		ID: l.erasureID(erasure.Tag), Kind: KindErased, Valid: erasure.At, Known: erasure.Known, Seq: end.Size + 1,
		Dropped: erasure.Count, Why: erasure.Why,
	}
	envelope := ev.envelope(end.Last, Hash{})
	return Entry{Seq: ev.Seq, Envelope: envelope.Append(nil)}, ev
}
