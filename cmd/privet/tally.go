package main

import (
	"bytes"
	"cmp"
	"slices"
)

// A tally counts what became of events. It reads it off the results as they were
// written, so that counting costs a few comparisons and no second result. It holds
// names from the policy, codes and numbers; nothing of an event.
type tally struct {
	Events    int
	Fields    int
	Spans     int     // pieces of text
	Outcomes  counter // events by outcome
	Actions   counter // fields by action
	Pieces    counter // pieces of text by action
	Reasons   counter // fields by outcome and reason, with a blank between
	Labels    counter // fields and pieces by category; "" is not classified
	Notes     counter // fields by why an action was not the one that the policy asked for
	Deadlines counter // events by the day by which the copy must be gone and how binding that is, with a blank between; "" is none
	Status    counter // events by what may be done with the copy at their own instant
	NoRule    counter // events by category for which no rule is known
	Waiting   int     // events with a rule that waits for something to happen
	key       []byte
}

// A counter counts texts. Neighbours are often equal, so the last one is kept at
// hand; counting a text that was seen before allocates nothing.
type counter struct {
	counts map[string]*count
	last   *count
}

type count struct {
	Key string
	N   int
}

func (c *counter) add(key []byte) {
	if c.last == nil || string(key) != c.last.Key {
		if c.last = c.counts[string(key)]; c.last == nil {
			c.last = c.start(string(key))
		}
	}
	c.last.N++
}

func (c *counter) start(key string) *count {
	if c.counts == nil {
		c.counts = map[string]*count{}
	}
	n := &count{Key: key}
	c.counts[key] = n
	return n
}

func (c *counter) plus(key string, n int) {
	at := c.counts[key]
	if at == nil {
		at = c.start(key)
	}
	at.N += n
}

func (c *counter) merge(d *counter) {
	for key, n := range d.counts {
		c.plus(key, n.N)
	}
}

// of is how often a text was counted.
func (c *counter) of(key string) int {
	if n := c.counts[key]; n != nil {
		return n.N
	}
	return 0
}

// ranked lists what was counted, the most frequent first.
func (c *counter) ranked() []count {
	list := make([]count, 0, len(c.counts))
	for _, n := range c.counts {
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key)) })
	return list
}

// merge adds the counts of another tally.
func (t *tally) merge(u *tally) {
	t.Events += u.Events
	t.Fields += u.Fields
	t.Spans += u.Spans
	t.Waiting += u.Waiting
	t.Outcomes.merge(&u.Outcomes)
	t.Actions.merge(&u.Actions)
	t.Pieces.merge(&u.Pieces)
	t.Reasons.merge(&u.Reasons)
	t.Labels.merge(&u.Labels)
	t.Notes.merge(&u.Notes)
	t.Deadlines.merge(&u.Deadlines)
	t.Status.merge(&u.Status)
	t.NoRule.merge(&u.NoRule)
}

// Marks in a result. A quote inside a text is written \", so none of them can
// occur inside one; and an event's own fields, which may hold any key, lie between
// the end of the decisions and the last of these marks.
var (
	decisionsMark   = []byte(`"decisions":[`)
	fieldsMark      = []byte(`],"fields":{`)
	linkabilityMark = []byte(`,"linkability":"`)
)

// add counts one result as [privacy.Guard.ProcessJSON] writes it. It reports
// false when the result has another shape, which a test forbids.
func (t *tally) add(result []byte) bool {
	begin, end, tail := bytes.Index(result, decisionsMark), bytes.Index(result, fieldsMark), bytes.LastIndex(result, linkabilityMark)
	if begin < 0 || end < begin || tail < end {
		return false
	}
	c := cursor{b: result[:end+1], i: begin + len(decisionsMark) - 1}
	c.items(func() { t.decision(&c) })
	ok := !c.bad
	c = cursor{b: result, i: tail}
	c.members(func(key []byte) {
		switch string(key) {
		case "outcome":
			t.Outcomes.add(c.text())
		case "retention":
			t.plan(&c)
		default:
			c.skip()
		}
	})
	t.Events++
	return ok && !c.bad
}

func (t *tally) decision(c *cursor) {
	t.Fields++
	var outcome, reason, category []byte
	c.object(func(key []byte) {
		switch string(key) {
		case "action":
			t.Actions.add(c.text())
		case "labels":
			c.items(func() {
				c.object(func(key []byte) {
					if string(key) == "category" && category == nil {
						category = c.text()
					} else {
						c.skip()
					}
				})
			})
		case "note":
			t.Notes.add(c.text())
		case "outcome":
			outcome = c.text()
		case "reason":
			reason = c.text()
		case "spans":
			c.items(func() {
				t.Spans++
				c.object(func(key []byte) {
					switch string(key) {
					case "action":
						t.Pieces.add(c.text())
					case "category":
						t.Labels.add(c.text())
					default:
						c.skip()
					}
				})
			})
		default:
			c.skip()
		}
	})
	t.Labels.add(category)
	t.key = append(append(append(t.key[:0], outcome...), ' '), reason...)
	t.Reasons.add(t.key)
}

// maxDays bounds how many different days of deadlines are told apart.
const maxDays = 4096

func (t *tally) plan(c *cursor) {
	var latest, strength []byte
	c.object(func(key []byte) {
		switch string(key) {
		case "latest":
			latest = c.text()
		case "strength":
			strength = c.text()
		case "status":
			t.Status.add(c.text())
		case "missing":
			c.skip()
			t.Waiting++
		case "no_rule":
			c.items(func() { t.NoRule.add(c.text()) })
		default:
			c.skip()
		}
	})
	t.key = t.key[:0]
	if day, year := len("2026-03-28"), len("2026"); len(latest) >= day {
		// A hostile stream could name millions of days; years are enough then.
		if len(t.Deadlines.counts) >= maxDays {
			day = year
		}
		t.key = append(append(append(t.key, latest[:day]...), ' '), strength...)
	}
	t.Deadlines.add(t.key)
}
