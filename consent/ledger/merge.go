package ledger

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/privetdev/privet/consent"
)

// maxMerged bounds how many histories one view is made from.
const maxMerged = 64

// errMerged says that too many merges lead to one subject.
var errMerged = errors.New("ledger: view: more than " + strconv.Itoa(maxMerged) + " subjects were merged into one: record what counts for the person anew, for a new subject")

// A merger gathers what others said with whom a subject turned out to be one person.
type merger struct {
	l     *Ledger
	known time.Time // zero: all that is known
	seen  map[string]bool
	facts *consent.Facts

	restricted time.Time // since when a merge brought a restriction with it
}

// follow adds the other side of each merge among the events up to an instant. What
// was merged into that side before comes with it, from the instant at which the
// side itself was merged; the zero instant is that of each merge.
//
// Of a side that was erased nobody knows what it had refused, and so no consent
// from before the merge counts.
func (m *merger) follow(ctx context.Context, events []*Event, until, at time.Time) error {
	for _, ev := range events {
		if ev.Kind != KindMerged || !m.counts(ev, until) || m.seen[ev.Merged] {
			continue // two that were merged into each other are one already
		}
		if len(m.seen) > maxMerged {
			return errMerged
		}
		m.seen[ev.Merged] = true
		when := at
		if when.IsZero() {
			when = ev.Valid
		}
		events, gone, err := m.l.events(ctx, ev.Merged)
		if err != nil {
			return err
		}
		if gone {
			m.facts.Merged = append(m.facts.Merged, consent.Merge{At: when, Records: ended(m.facts, when)})
			continue
		}
		m.facts.Merged = append(m.facts.Merged, consent.Merge{At: when, Records: m.records(events, ev.Valid)})
		if m.restrictedAt(events, ev.Valid) {
			m.restricted = later(m.restricted, when)
		}
		if err := m.follow(ctx, events, ev.Valid, when); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) counts(ev *Event, until time.Time) bool {
	return holds(AsOf{Valid: until, Known: m.known}, ev)
}

func (m *merger) records(events []*Event, until time.Time) []consent.Record {
	var records []consent.Record
	for _, ev := range events {
		if ev.Kind.answers() && m.counts(ev, until) {
			records = append(records, ev.record())
		}
	}
	return records
}

func (m *merger) restrictedAt(events []*Event, until time.Time) bool {
	var restricted, released time.Time
	for _, ev := range events {
		switch {
		case !m.counts(ev, until):
		case ev.Kind == KindRestricted:
			restricted = later(restricted, ev.Valid)
		case ev.Kind == KindReleased:
			released = later(released, ev.Valid)
		}
	}
	return isRestricted(restricted, released)
}

// isRestricted says whether a restriction is in force; at one instant it counts
// before its end.
func isRestricted(restricted, released time.Time) bool {
	return !restricted.IsZero() && !released.After(restricted)
}

// ended gives records that end every consent that was given by an instant.
func ended(f *consent.Facts, at time.Time) []consent.Record {
	var out []consent.Record
	end := func(records []consent.Record) {
		for i := range records {
			if r := &records[i]; (r.State == consent.StateGranted || r.State == consent.StateRenewed) && !r.Given.After(at) {
				out = append(out, consent.Record{Scope: r.Scope, State: consent.StateInvalidated, Given: at, By: r.By})
			}
		}
	}
	end(f.Records)
	for i := range f.Merged {
		end(f.Merged[i].Records)
	}
	return out
}
