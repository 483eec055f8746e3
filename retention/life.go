package retention

import (
	"slices"
	"time"
)

// A Phase is a stretch of the life of data.
type Phase struct {
	Name       string
	Rule       string    // whose period divides it
	Start, End time.Time // half-open; a zero time is no bound
	Allow      []string  // operations; "*" = any. It belongs to the rules: do not change it
}

// Allows reports whether an operation may be done in the phase.
func (p *Phase) Allows(op string) bool {
	return slices.Contains(p.Allow, op) || slices.Contains(p.Allow, "*")
}

// At reports whether the phase holds at t.
func (p *Phase) At(t time.Time) bool {
	return (p.Start.IsZero() || !t.Before(p.Start)) && (p.End.IsZero() || t.Before(p.End))
}

// An Announcement is something that people are to be told.
type Announcement struct {
	Rule     string
	Purpose  string
	Due      time.Time // to be told by then; the offset from the start of the rule's period
	Channels []string  // all of them. It belongs to the rules: do not change it
}

// A Window is the part of a plan that is about one kind of copy. Its fields mean
// what those of [Plan] mean.
type Window struct {
	Copy                   Copy
	Status                 Status
	Breach                 bool
	Earliest, Latest       time.Time
	Strength               Strength
	Floor, Delete, Ceiling string
	Method                 Method
}

// Window returns from when one kind of copy may be deleted and by when it must be
// gone. For [Primary], and for every copy that the same rules bind, it is what the
// plan itself says.
func (p *Plan) Window(c Copy) Window {
	q := p
	for i := range p.others {
		if p.others[i].copy == c {
			q = &Plan{Now: p.Now, sum: p.others[i].sum}
			q.resolve()
		}
	}
	return Window{c, q.Status, q.Breach, q.Earliest, q.Latest, q.Strength, q.Floor, q.Delete, q.Ceiling, q.Method}
}

func (p *Plan) copySum(c Copy) *summary {
	for i := range p.others {
		if p.others[i].copy == c {
			return &p.others[i].sum
		}
	}
	return &p.sum
}

// putCopy keeps the list in the order of copies.
func (p *Plan) putCopy(c Copy, sum *summary) {
	i := len(p.others)
	p.others = append(p.others, copySum{c, *sum})
	for ; i > 0 && p.others[i-1].copy > c; i-- {
		p.others[i-1], p.others[i] = p.others[i], p.others[i-1]
	}
}

// mergeCopies merges what is said of copies that have rules of their own in p or
// in q. It comes before the merging of the rest.
func (p *Plan) mergeCopies(q *Plan) {
	for c := range Copy(numCopies) {
		mine, theirs := p.copySum(c), q.copySum(c)
		if mine == &p.sum {
			if theirs == &q.sum {
				continue
			}
			p.putCopy(c, &p.sum)
			mine = p.copySum(c)
		}
		mine.merge(theirs)
	}
}

// item is an element of one of the sorted lists of a plan.
type item[T any] interface {
	*T
	compare(*T) int
}

// place inserts v into a sorted list, unless an equal one is there.
func place[T any, P item[T]](list []T, v T) []T {
	list = append(list, v)
	for i := len(list) - 1; i > 0; i-- {
		d := P(&list[i]).compare(&list[i-1])
		if d == 0 {
			return append(list[:i], list[i+1:]...)
		}
		if d > 0 {
			break
		}
		list[i], list[i-1] = list[i-1], list[i]
	}
	return list
}

func (p *Phase) compare(q *Phase) int {
	if d := p.Start.Compare(q.Start); d != 0 {
		return d
	}
	if d := p.End.Compare(q.End); d != 0 {
		return d
	}
	if d := compareText(p.Rule, q.Rule); d != 0 {
		return d
	}
	return compareText(p.Name, q.Name)
}

func (a *Announcement) compare(b *Announcement) int {
	if d := a.Due.Compare(b.Due); d != 0 {
		return d
	}
	return compareText(a.Rule, b.Rule)
}

func (a *Exemption) compare(b *Exemption) int {
	if d := compareText(a.Category, b.Category); d != 0 {
		return d
	}
	if d := compareText(a.Rule, b.Rule); d != 0 {
		return d
	}
	return a.Until.Compare(b.Until)
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// extras adds the phases, notices and exemptions that a rule brings.
func (rs *Rules) extras(dst *Plan, s *state, in *Input) error {
	r := &rs.rules[s.rule]
	if s.is == known {
		if r.Kind == Notice {
			for _, offset := range r.Schedule.Offsets {
				at, ok := r.span(s.start, offset, 0)
				if !ok {
					return &RuleError{r.ID, r.outside("a notice lies outside the years 1 to 9999")}
				}
				dst.Notices = place(dst.Notices, Announcement{r.ID, r.Schedule.Purpose, time.Unix(at.end, 0).UTC(), r.Schedule.Channels})
			}
		}
		start, end := time.Unix(s.event, 0).UTC(), time.Unix(s.span.end, 0).UTC()
		dst.stage(r, &r.Stages.Before, time.Time{}, start)
		dst.stage(r, &r.Stages.During, start, end)
		dst.stage(r, &r.Stages.After, end, time.Time{})
	} else {
		dst.stage(r, &r.Stages.Before, time.Time{}, time.Time{})
	}
	if r.Kind == Floor && s.outcome != Lost && in.erases() {
		x := Exemption{Category: in.Category, Rule: r.ID, Source: r.Source}
		if s.is == known {
			x.Until = time.Unix(s.span.end, 0).UTC()
		}
		dst.Exemptions = place(dst.Exemptions, x)
	}
	return nil
}

func (p *Plan) stage(r *rule, s *Stage, start, end time.Time) {
	if s.Name != "" && (start.IsZero() || end.IsZero() || start.Before(end)) {
		p.Phases = place(p.Phases, Phase{s.Name, r.ID, start, end, s.Allow})
	}
}

// Differs reports whether rules of its own bind a kind of copy, so that its window
// may be another than that of the primary copy.
func (p *Plan) Differs(c Copy) bool { return p.copySum(c) != &p.sum }
