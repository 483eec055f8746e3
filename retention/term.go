package retention

import (
	"errors"
	"strconv"
	"time"
)

// Count says what the days of a period are counted from.
type Count uint8

// The two ways to count.
const (
	Instant   Count = iota // from the instant of the event; the zero value
	CivilDays              // the day of the event is not counted, and the last day ends at 24:00 (Regulation 1182/71, article 3); no exact part
)

// String returns "instant" or "civil_days".
func (c Count) String() string { return name(countNames[:], uint8(c)) }

// ParseCount returns the count that [Count.String] writes as text.
func ParseCount(text string) (Count, error) {
	if i, ok := parse(countNames[:], text); ok {
		return Count(i), nil
	}
	return 0, errCount
}

// A Cutoff moves the start of a period to the first instant of the day after
// the cut-off that follows the event, in the zone of the rule. An event on the day
// of the cut-off itself belongs to the time that it ends. With [CivilDays] the day
// of the cut-off is the one that is not counted. Besides the constants there is
// [FiscalYear].
type Cutoff uint16

// The cut-offs of the calendar.
const (
	NoCutoff Cutoff = iota
	EndOfMonth
	EndOfQuarter
	EndOfYear
)

// FiscalYear is the cut-off of a year whose last day is the given one; where the
// month is shorter, its last day. For a date that cannot exist, as June 31, it is
// no cut-off that [New] takes.
func FiscalYear(last time.Month, day int) Cutoff {
	if last < 1 || last > 12 || day < 1 || day > length(0, int64(last)) {
		return 1<<16 - 1
	}
	return Cutoff(int(last)<<8 | day<<3 | 4)
}

func (c Cutoff) valid() bool { return c <= EndOfYear || c.fiscal() }

// fiscal reports whether c is what FiscalYear makes of a date that may exist.
func (c Cutoff) fiscal() bool { m, d := c.date(); return c&7 == 4 && c == FiscalYear(time.Month(m), d) }

func (c Cutoff) date() (month, day int) { return int(c >> 8), int(c >> 3 & 31) }

// String returns "", "end_of_month", "end_of_quarter", "end_of_year", or
// "fiscal_year:09-30" with the last day of that year.
func (c Cutoff) String() string {
	if !c.fiscal() {
		return name(cutoffNames[:], uint8(min(c, 255)))
	}
	m, d := c.date()
	return "fiscal_year:" + strconv.Itoa(m/10) + strconv.Itoa(m%10) + "-" + strconv.Itoa(d/10) + strconv.Itoa(d%10)
}

// ParseCutoff returns the cut-off that [Cutoff.String] writes as text; "" is none.
func ParseCutoff(text string) (Cutoff, error) {
	const fiscal = "fiscal_year:"
	if text == "" {
		return NoCutoff, nil
	}
	if i, ok := parse(cutoffNames[:], text); ok {
		return Cutoff(i), nil
	}
	if len(text) == len(fiscal)+5 && text[:len(fiscal)] == fiscal {
		m, err1 := strconv.ParseUint(text[len(fiscal):len(fiscal)+2], 10, 8)
		d, err2 := strconv.ParseUint(text[len(fiscal)+3:], 10, 8)
		if c := FiscalYear(time.Month(m), int(d)); err1 == nil && err2 == nil && c.valid() && c.String() == text {
			return c, nil
		}
	}
	return 0, errCutoff
}

// Rounding moves the end of a period to a boundary of the wall clock in the zone
// of the rule, unless it lies on one. The default, none, and every other choice
// is ours: no source asks for one.
type Rounding uint8

// What ends are rounded to.
const (
	NoRounding Rounding = iota
	ToHour              // by the offset that holds at the end
	ToDay
	ToMonth
)

// String returns "", "hour", "day" or "month".
func (r Rounding) String() string { return name(roundingNames[:], uint8(r)) }

// ParseRounding returns the rounding that [Rounding.String] writes as text.
func ParseRounding(text string) (Rounding, error) {
	if text == "" {
		return NoRounding, nil
	}
	if i, ok := parse(roundingNames[:], text); ok {
		return Rounding(i), nil
	}
	return 0, errRounding
}

// A Calendar knows working days. It must be safe for concurrent use, must give
// the same answer at all times, and reads nothing but its arguments.
type Calendar interface {
	// Name is a short key for trails, such as "DE-BE".
	Name() string
	// Working reports whether people work on a date of the Gregorian calendar.
	Working(year int, month time.Month, day int) bool
}

// A Copy is one of the places where a record lies.
type Copy uint8

// The kinds of copies.
const (
	Primary Copy = iota
	Cache
	Replica
	Backup
	Log
	Derived
	Media // the carrier itself: a disk that is used again, returned or given away

	numCopies = 7
)

// String returns "primary", "cache", "replica", "backup", "log", "derived" or
// "media", and "" for anything else.
func (c Copy) String() string { return name(copyNames[:], uint8(c)) }

// ParseCopy returns the copy that [Copy.String] writes as text.
func ParseCopy(text string) (Copy, error) {
	if i, ok := parse(copyNames[:], text); ok {
		return Copy(i), nil
	}
	return 0, errCopy
}

// A Method is how media are cleaned, with the words of NIST SP 800-88 (revision 2
// at the time of writing). Methods are ordered: a stronger one fulfils what asks
// for a weaker one. The zero value asks for nothing.
type Method uint8

// The methods, from the weakest.
const (
	Clear   Method = 1 // overwritten through the usual interfaces
	Purge   Method = 2 // beyond recovery with laboratory means
	Destroy Method = 3 // the medium cannot be used again
)

// String returns "clear", "purge" or "destroy", and "" for anything else.
func (m Method) String() string { return name(methodNames[:], uint8(m)) }

// ParseMethod returns the method that [Method.String] writes as text.
func ParseMethod(text string) (Method, error) {
	if i, ok := parse(methodNames[:], text); ok {
		return Method(i), nil
	}
	return 0, errMethod
}

var (
	countNames    = [...]string{"instant", "civil_days"}
	cutoffNames   = [...]string{"", "end_of_month", "end_of_quarter", "end_of_year"}
	roundingNames = [...]string{"", "hour", "day", "month"}
	copyNames     = [numCopies]string{"primary", "cache", "replica", "backup", "log", "derived", "media"}
	methodNames   = [...]string{"", "clear", "purge", "destroy"}

	errCount    = errors.New("retention: count: unknown name: use instant or civil_days")
	errCutoff   = errors.New("retention: cutoff: unknown name: use end_of_month, end_of_quarter, end_of_year or fiscal_year:MM-DD")
	errRounding = errors.New("retention: round: unknown name: use hour, day or month")
	errCopy     = errors.New("retention: copy: unknown name: use primary, cache, replica, backup, log, derived or media")
	errMethod   = errors.New("retention: method: unknown name: use clear, purge or destroy")
)

// span is what a rule makes of the instant at which it starts.
type span struct {
	from int64 // after the cut-off
	raw  int64 // the end before rounding and rolling: where chained rules start
	end  int64
}

// span adds a period to start as the rule counts it. held are seconds for which
// the clock stood still.
func (r *rule) span(start int64, p Period, held int64) (s span, ok bool) {
	if !inRange(start) {
		return s, false
	}
	s.from = start
	civilDay := int64(0) // with CivilDays: the day that is not counted
	if r.Cutoff != NoCutoff || r.Count == CivilDays {
		civilDay = dayAt(start, r.loc)
		if r.Cutoff != NoCutoff {
			civilDay = r.Cutoff.last(civilDay)
			s.from = dayStart(civilDay+1, r.loc)
		}
	}
	if r.Count == CivilDays {
		day := civilDay
		if m := p.months(); m != 0 {
			day = addMonths(day, m, r.MonthEnd)
		}
		s.raw = dayStart(day+p.days()+1, r.loc)
	} else if s.raw, ok = p.add(s.from, r.loc, r.MonthEnd); !ok {
		return s, false
	}
	if s.raw += held; !inRange(s.raw) {
		return s, false
	}
	s.end = s.raw
	if r.Kind != Notice {
		s.end = r.Round.round(s.end, r.loc, r.Kind != Ceiling)
	}
	if r.Roll != nil {
		if s.end, ok = roll(s.end, r.loc, r.Roll); !ok {
			return s, false
		}
	}
	return s, inRange(s.end)
}

// outside is why span has no answer.
func (r *rule) outside(problem string) string {
	if r.Roll != nil {
		problem += ", or its calendar has no working day within a year"
	}
	return problem
}

// last is the day of the cut-off on or after a day.
func (c Cutoff) last(day int64) int64 {
	y, m, d := civil(day)
	switch c {
	case EndOfMonth:
	case EndOfQuarter:
		m += 2 - (m-1)%3
	case EndOfYear:
		m = 12
	default:
		month, last := c.date()
		end := int64(min(last, length(y, int64(month))))
		if m > int64(month) || m == int64(month) && d > end {
			y++
			end = int64(min(last, length(y, int64(month))))
		}
		return dayOf(y, int64(month)) + end - 1
	}
	if m++; m > 12 {
		y, m = y+1, 1
	}
	return dayOf(y, m) - 1
}

// length of a month in days.
func length(y, m int64) int {
	if m == 12 {
		return 31
	}
	return int(dayOf(y, m+1) - dayOf(y, m))
}

// dayAt is the civil day of an instant, counted from 1970-01-01.
func dayAt(sec int64, loc *time.Location) int64 { return floorDiv(sec+offset(sec, loc), daySeconds) }

func offset(sec int64, loc *time.Location) int64 {
	if loc == time.UTC {
		return 0
	}
	_, off := time.Unix(sec, 0).In(loc).Zone()
	return int64(off)
}

// dayStart is the first instant of a civil day; of a day that was skipped, the
// first one after it.
func dayStart(day int64, loc *time.Location) int64 {
	wall := day * daySeconds
	if loc == time.UTC {
		return wall
	}
	sec := resolve(wall, loc)
	if sec+offset(sec, loc) != wall {
		// Midnight was skipped: the day begins where the clocks jumped.
		if start, _ := time.Unix(sec, 0).In(loc).ZoneBounds(); !start.IsZero() {
			return start.Unix()
		}
	}
	return sec
}

// round moves an instant to a boundary, up or down.
func (r Rounding) round(sec int64, loc *time.Location, up bool) int64 {
	switch r {
	case NoRounding:
		return sec
	case ToHour:
		over := floorMod(sec+offset(sec, loc), 3600)
		if over != 0 && up {
			over -= 3600
		}
		return sec - over
	}
	day, months := dayAt(sec, loc), int64(0)
	if r == ToMonth {
		y, m, _ := civil(day)
		day, months = dayOf(y, m), 1
	}
	start := dayStart(day, loc)
	if !up {
		// Where clocks went back over midnight, the next boundary is behind already.
		next := day + 1
		if months != 0 {
			next = addMonths(day, months, Clamp)
		}
		if next = dayStart(next, loc); next <= sec {
			start = next
		}
	}
	// More than once only where clocks go back over midnight.
	for up && start < sec {
		if months != 0 {
			day = addMonths(day, months, Clamp)
		} else {
			day++
		}
		start = dayStart(day, loc)
	}
	return start
}

// roll moves the last day before sec to the next working day, and returns its
// end. It is false if there is none within a year.
func roll(sec int64, loc *time.Location, c Calendar) (int64, bool) {
	day := dayAt(sec-1, loc)
	for n := range int64(367) {
		if y, m, d := civil(day + n); c.Working(int(y), time.Month(m), int(d)) {
			if n == 0 {
				return sec, true
			}
			return dayStart(day+n+1, loc), true
		}
	}
	return 0, false
}
