package change

import (
	"iter"
	"strconv"
	"time"

	"github.com/privetdev/privet/retention"
)

// A Planner makes plans: *[retention.Rules].
type Planner interface {
	PlanInto(dst *retention.Plan, in *retention.Input) error
}

// A Move says how the deadlines of one record differ between two sets of rules.
type Move struct {
	Index                      int // of the record in the stream, from 0
	Old, New                   retention.Window
	EarliestBy, LatestBy       time.Duration // later is positive; 0 where one of the two is unknown
	EarliestMoved, LatestMoved bool          // also where it became known or unknown
}

// Moved reports whether anything differs.
func (m *Move) Moved() bool { return m.EarliestMoved || m.LatestMoved || m.Old.Status != m.New.Status }

// A Summary counts what a change does to many records.
type Summary struct {
	Records                                                                  int
	Unchanged                                                                int
	EarliestLater, EarliestSooner, EarliestLost, EarliestGained              int // lost: known before, unknown after
	LatestLater, LatestSooner, LatestLost, LatestGained                      int
	MostEarliestLater, MostEarliestSooner, MostLatestLater, MostLatestSooner time.Duration // not negative
	NewlyOverdue                                                             int           // overdue after the change, not before
	Failed                                                                   int           // records for which one of the plans could not be made
}

// Compare plans every input with the old and with the new rules and yields those
// of which a deadline or the status differs, with the errors of plans that could
// not be made. It fills sum, which may be nil, as it goes, and uses constant memory.
// What is compared is one kind of copy.
func Compare(old, new Planner, records iter.Seq[*retention.Input], copy retention.Copy, sum *Summary) iter.Seq2[Move, error] {
	if sum == nil {
		sum = &Summary{}
	}
	return func(yield func(Move, error) bool) {
		var a, b retention.Plan
		i := -1
		for in := range records {
			i++
			sum.Records++
			err := old.PlanInto(&a, in)
			if err == nil {
				err = new.PlanInto(&b, in)
			}
			if err != nil {
				sum.Failed++
				if !yield(Move{Index: i}, err) {
					return
				}
				continue
			}
			m := Move{Index: i, Old: a.Window(copy), New: b.Window(copy)}
			m.EarliestBy, m.EarliestMoved = apart(m.Old.Earliest, m.New.Earliest)
			m.LatestBy, m.LatestMoved = apart(m.Old.Latest, m.New.Latest)
			sum.add(&m)
			if m.Moved() && !yield(m, nil) {
				return
			}
		}
	}
}

func apart(a, b time.Time) (time.Duration, bool) {
	if a.IsZero() || b.IsZero() {
		return 0, a.IsZero() != b.IsZero()
	}
	return b.Sub(a), !a.Equal(b)
}

func (s *Summary) add(m *Move) {
	if !m.Moved() {
		s.Unchanged++
		return
	}
	count := func(was, is time.Time, by time.Duration, later, sooner, lost, gained *int, mostLater, mostSooner *time.Duration) {
		switch {
		case was.IsZero() && is.IsZero():
		case was.IsZero():
			*gained++
		case is.IsZero():
			*lost++
		case by > 0:
			*later++
			*mostLater = max(*mostLater, by)
		case by < 0:
			*sooner++
			*mostSooner = max(*mostSooner, -by)
		}
	}
	count(m.Old.Earliest, m.New.Earliest, m.EarliestBy, &s.EarliestLater, &s.EarliestSooner, &s.EarliestLost, &s.EarliestGained, &s.MostEarliestLater, &s.MostEarliestSooner)
	count(m.Old.Latest, m.New.Latest, m.LatestBy, &s.LatestLater, &s.LatestSooner, &s.LatestLost, &s.LatestGained, &s.MostLatestLater, &s.MostLatestSooner)
	if m.New.Status == retention.Overdue && m.Old.Status != retention.Overdue {
		s.NewlyOverdue++
	}
}

// String tells a person what changes, on a few lines.
func (s *Summary) String() string {
	b := strconv.AppendInt(nil, int64(s.Records), 10)
	b = append(b, " records, "...)
	b = append(strconv.AppendInt(b, int64(s.Unchanged), 10), " unchanged\n"...)
	line := func(what string, later, sooner, lost, gained int, mostLater, mostSooner time.Duration) {
		b = append(b, what...)
		b = append(strconv.AppendInt(b, int64(later), 10), " later"...)
		if later > 0 {
			b = append(append(b, " (at most "...), days(mostLater)...)
			b = append(b, ')')
		}
		b = append(strconv.AppendInt(append(b, ", "...), int64(sooner), 10), " sooner"...)
		if sooner > 0 {
			b = append(append(b, " (at most "...), days(mostSooner)...)
			b = append(b, ')')
		}
		b = append(strconv.AppendInt(append(b, ", "...), int64(gained), 10), " known now, "...)
		b = append(strconv.AppendInt(b, int64(lost), 10), " no longer known\n"...)
	}
	line("may be deleted: ", s.EarliestLater, s.EarliestSooner, s.EarliestLost, s.EarliestGained, s.MostEarliestLater, s.MostEarliestSooner)
	line("must be gone: ", s.LatestLater, s.LatestSooner, s.LatestLost, s.LatestGained, s.MostLatestLater, s.MostLatestSooner)
	b = append(strconv.AppendInt(b, int64(s.NewlyOverdue), 10), " newly overdue, "...)
	b = append(strconv.AppendInt(b, int64(s.Failed), 10), " could not be planned\n"...)
	return string(b)
}

// days writes a length as days and hours.
func days(d time.Duration) string {
	p := retention.Period{Days: int(d / (24 * time.Hour)), Exact: d % (24 * time.Hour) / time.Second * time.Second}
	return p.String()
}
