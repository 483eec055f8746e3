package retention

import (
	"strconv"
	"time"
)

// A Period is a length of time: calendar years, months, weeks and days, and an
// exact part. The parts are added in that order, see [Period.Add]. Parts are not
// negative, Exact is in whole seconds, and all together are at most 1000 years
// (of 365.2425 days). The zero value is no time at all.
type Period struct {
	Years, Months, Weeks, Days int
	Exact                      time.Duration // at most 292 years, the range of time.Duration
}

// Limits of a period. 146097 days are 400 Gregorian years, so that a mean month
// of 146097/4800 days and a mean year are whole numbers of seconds.
const (
	daySeconds   = 86400
	monthSeconds = 146097 * daySeconds / 4800
	maxSeconds   = 1000 * 12 * monthSeconds
	maxText      = 64 // bytes of a period's text
	maxDigits    = 10 // of one number: as many seconds as an Exact part may have
	maxExact     = int64(1<<63-1) / int64(time.Second)
)

const periodExample = "write it like P90D, P1Y6M, P2W or PT48H"

// ParsePeriod reads P[nY][nM][nD][T[nH][nM][nS]] or PnW, the periods of
// ISO 8601 with whole numbers: at least one field, none twice, no sign, no
// fraction, capital letters, at most 64 bytes. The error is a *[PeriodError].
func ParsePeriod(text string) (Period, error) {
	fault := func(at int, problem, mend string) (Period, error) {
		return Period{}, &PeriodError{Offset: at, Problem: problem, Mend: mend}
	}
	switch {
	case text == "":
		return fault(0, "empty", periodExample)
	case len(text) > maxText:
		return fault(maxText, "more than 64 bytes", periodExample)
	case text[0] != 'P':
		return fault(0, "does not start with P", periodExample)
	}
	const units = "YMDHMS" // in the order in which they may appear; hours and on after T
	var (
		p      Period
		exact  int64
		next   int  // index into units of the first one that may still come
		inTime bool // after T
		fields int  // since P or T
		i      = 1
	)
	for i < len(text) {
		if text[i] == 'T' {
			if inTime {
				return fault(i, "a second T", "write T once, before hours, minutes and seconds")
			}
			inTime, next, fields = true, 3, 0
			i++
			continue
		}
		start, n := i, int64(0)
		for i < len(text) && '0' <= text[i] && text[i] <= '9' {
			if i-start == maxDigits {
				return fault(start, "a number of more than 10 digits", "write a shorter number")
			}
			n = n*10 + int64(text[i]-'0')
			i++
		}
		if i == len(text) {
			return fault(i, "a number without a unit", "end with one of Y M W D, or after T with one of H M S")
		}
		c := text[i]
		if i == start {
			switch {
			case c == '-' || c == '+':
				return fault(i, "a sign", "leave it out: a period has no direction")
			case c == '.' || c == ',':
				return fault(i, "a fraction", "write whole numbers of a smaller unit")
			case 'A' <= c && c <= 'Z':
				return fault(i, "a unit without a number", "write a whole number before each unit")
			}
			return fault(i, "not a digit", periodExample)
		}
		switch {
		case c == '.' || c == ',':
			return fault(i, "a fraction", "write whole numbers of a smaller unit")
		case 'a' <= c && c <= 'z':
			return fault(i, "a small letter", "write units in capital letters")
		case c == 'W':
			if inTime || start != 1 || i+1 != len(text) {
				return fault(i, "weeks together with other units", "write days: a week is 7")
			}
			if n > maxSeconds/(7*daySeconds) {
				return fault(start, "longer than 1000 years", "write a shorter period")
			}
			p.Weeks = int(n)
			fields++
			i++
			continue
		}
		unit, end := next, 3
		if inTime {
			end = len(units)
		}
		for unit < end && units[unit] != c {
			unit++
		}
		if unit >= end {
			if inTime {
				return fault(i, "a unit that may not stand here", "after T write H, M, S in this order, each once")
			}
			return fault(i, "a unit that may not stand here", "write Y, M, D in this order, each once, and hours, minutes and seconds after T")
		}
		next = unit + 1
		fields++
		i++
		// No product overflows: 10 digits times 3600, and Days and Years are
		// compared with their limit before they become an int.
		switch unit {
		case 0:
			if n > 1000 {
				return fault(start, "longer than 1000 years", "write a shorter period")
			}
			p.Years = int(n)
		case 1:
			if n > 12000 {
				return fault(start, "longer than 1000 years", "write a shorter period")
			}
			p.Months = int(n)
		case 2:
			if n > maxSeconds/daySeconds {
				return fault(start, "longer than 1000 years", "write a shorter period")
			}
			p.Days = int(n)
		case 3:
			exact += n * 3600
		case 4:
			exact += n * 60
		case 5:
			exact += n
		}
		if exact > maxExact {
			return fault(start, "an exact part longer than 292 years", "write calendar years")
		}
	}
	if fields == 0 {
		if inTime {
			return fault(i, "nothing after T", "write hours, minutes or seconds after T, or leave it out")
		}
		return fault(i, "no field", periodExample)
	}
	p.Exact = time.Duration(exact) * time.Second
	if err := p.check(); err != nil {
		return fault(0, "longer than 1000 years", "write a shorter period")
	}
	return p, nil
}

// check says what is wrong with a period that was not made by ParsePeriod.
func (p Period) check() error {
	switch {
	case p.Years < 0 || p.Months < 0 || p.Weeks < 0 || p.Days < 0 || p.Exact < 0:
		return &PeriodError{-1, "a negative part", "use parts of zero or more"}
	case p.Exact%time.Second != 0:
		return &PeriodError{-1, "a fraction of a second", "use whole seconds"}
	case p.Years > 1000 || p.Months > 12000 || p.Weeks > maxSeconds/(7*daySeconds) || p.Days > maxSeconds/daySeconds,
		int64(12*p.Years+p.Months)*monthSeconds+p.days()*daySeconds+p.exact() > maxSeconds:
		return &PeriodError{-1, "longer than 1000 years", "use a shorter period"}
	}
	return nil
}

func (p Period) months() int64 { return 12*int64(p.Years) + int64(p.Months) }
func (p Period) days() int64   { return 7*int64(p.Weeks) + int64(p.Days) }
func (p Period) exact() int64  { return int64(p.Exact / time.Second) }

// String returns the period in the form that [ParsePeriod] reads, the same text
// for the same period: P90D, P1Y6M, PT1H30M. Weeks are written only where there
// is nothing else, and are days otherwise. The zero period is P0D. A period that
// ParsePeriod could not have made is "invalid period".
func (p Period) String() string {
	var buf [maxText]byte
	return string(p.append(buf[:0]))
}

func (p Period) append(b []byte) []byte {
	if p.check() != nil {
		return append(b, "invalid period"...)
	}
	if p == (Period{}) {
		return append(b, "P0D"...)
	}
	field := func(n int64, unit byte) {
		if n != 0 {
			b = append(strconv.AppendInt(b, n, 10), unit)
		}
	}
	b = append(b, 'P')
	if p == (Period{Weeks: p.Weeks}) {
		field(int64(p.Weeks), 'W')
		return b
	}
	field(int64(p.Years), 'Y')
	field(int64(p.Months), 'M')
	field(p.days(), 'D')
	if s := p.exact(); s != 0 {
		b = append(b, 'T')
		field(s/3600, 'H')
		field(s/60%60, 'M')
		field(s%60, 'S')
	}
	return b
}

// MonthEnd says what happens where a date does not exist in the target month,
// as February 30.
type MonthEnd uint8

// The two meanings of a month's end.
const (
	Clamp   MonthEnd = iota // the last day of the target month; the zero value
	NextDay                 // the first day of the month after it
)

// String returns "clamp" or "next_day".
func (m MonthEnd) String() string { return name(monthEndNames[:], uint8(m)) }

// Add returns the instant at which a period that starts at anchor ends, in UTC
// and whole seconds. Years and months are added to the wall clock in loc, then
// weeks and days; the result is the first of two equal wall clocks, or, for one
// that is skipped, read with the offset before the change. The exact part is
// added last. A period that has only an exact part is the same in every zone.
//
// A nil loc is UTC. The errors are [ErrLocal], [ErrRange] and *[PeriodError].
// Add allocates nothing.
func (p Period) Add(anchor time.Time, loc *time.Location, end MonthEnd) (time.Time, error) {
	if loc == nil {
		loc = time.UTC
	}
	// A program may have set time.Local to time.UTC: that is still UTC.
	if loc == time.Local && loc != time.UTC {
		return time.Time{}, ErrLocal
	}
	if err := p.check(); err != nil {
		return time.Time{}, err
	}
	if end > NextDay {
		return time.Time{}, &PeriodError{-1, "an unknown month end", "use Clamp or NextDay"}
	}
	sec, ok := p.add(anchor.Unix(), loc, end)
	if !ok {
		return time.Time{}, ErrRange
	}
	return time.Unix(sec, 0).UTC(), nil
}
