package ledger

import (
	"context"
	"time"

	"github.com/privetdev/privet/consent"
)

// view works out what is known, and for which instants it stays so.
func (l *Ledger) view(ctx context.Context, subject string, events []*Event, asOf AsOf) (*cached, error) {
	if len(events) == 0 {
		return &cached{view: nothing}, nil
	}
	c := &cached{known: events[len(events)-1].Known, events: len(events)}
	var facts consent.Facts
	var restricted, released time.Time
	for _, ev := range events {
		if !asOf.Known.IsZero() && ev.Known.After(asOf.Known) {
			continue
		}
		if ev.Valid.After(asOf.Valid) {
			if facts.Until.IsZero() || ev.Valid.Before(facts.Until) {
				facts.Until = ev.Valid
			}
			continue
		}
		c.from = later(c.from, ev.Valid)
		switch ev.Kind {
		case KindRestricted:
			restricted = later(restricted, ev.Valid)
		case KindReleased:
			released = later(released, ev.Valid)
		case KindClaim:
			facts.Claims = append(facts.Claims, ev.claim())
		case KindMerged:
			c.merged = true
		default: // to have been merged into somebody changes nothing for this subject
			if ev.Kind.answers() {
				facts.Records = append(facts.Records, ev.record())
			}
		}
	}
	if c.merged {
		m := merger{l: l, known: asOf.Known, seen: map[string]bool{subject: true}, facts: &facts}
		if err := m.follow(ctx, events, asOf.Valid, time.Time{}); err != nil {
			return nil, err
		}
		restricted = later(restricted, m.restricted)
	}
	facts.Restricted = isRestricted(restricted, released)
	v, err := consent.NewView(facts)
	if err != nil {
		return nil, err
	}
	c.view, c.until = v, facts.Until
	return c, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
