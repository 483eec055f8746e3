package retention

import "time"

// Unix seconds of 0001-01-01T00:00:00Z, the zero time, which stands for "none",
// and of 9999-12-31T23:59:59Z, the last one that RFC 3339 can write.
const (
	minUnix = -62135596800
	maxUnix = 253402300799
)

func inRange(sec int64) bool { return minUnix < sec && sec <= maxUnix }

// add is Period.Add on Unix seconds, for a period and a location that are known
// to be good. It is false where an instant is out of range.
func (p Period) add(sec int64, loc *time.Location, end MonthEnd) (int64, bool) {
	if !inRange(sec) {
		return 0, false
	}
	if months, days := p.months(), p.days(); months != 0 || days != 0 {
		wall := sec
		if loc != time.UTC {
			_, off := time.Unix(sec, 0).In(loc).Zone()
			wall += int64(off)
		}
		day := floorDiv(wall, daySeconds)
		clock := wall - day*daySeconds
		if months != 0 {
			day = addMonths(day, months, end)
		}
		sec = (day+days)*daySeconds + clock
		if loc != time.UTC {
			sec = resolve(sec, loc)
		}
	}
	sec += p.exact()
	return sec, inRange(sec)
}

// addMonths moves a day, counted from 1970-01-01, by whole months.
func addMonths(day, months int64, end MonthEnd) int64 {
	y, m, d := civil(day)
	n := y*12 + (m - 1) + months
	first := dayOf(floorDiv(n, 12), floorMod(n, 12)+1)
	n++
	next := dayOf(floorDiv(n, 12), floorMod(n, 12)+1)
	if day = first + d - 1; day < next {
		return day
	}
	if end == NextDay {
		return next
	}
	return next - 1
}

// civil and dayOf turn a count of days from 1970-01-01 into a Gregorian date and
// back. Years are counted from March, so that the leap day is the last of a
// year, and the lengths of the months follow one line: (153*m+2)/5.
func civil(day int64) (y, m, d int64) {
	day += 719468 // from 0000-03-01
	era := floorDiv(day, 146097)
	doe := day - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	y = yoe + era*400
	if m = mp + 3; m > 12 {
		m -= 12
		y++
	}
	return y, m, d
}

// dayOf counts the days from 1970-01-01 to the first of a month.
func dayOf(y, m int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*(m-3) + 2) / 5
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// reach is more than any two offsets of one zone can differ: RFC 9636 allows
// from -25 to +26 hours.
const reach = 72 * 3600

// resolve returns the instant at which clocks in loc show wall, which is written
// as the Unix seconds that the same clock would have in UTC. Of two instants it
// is the first; for a wall clock that is skipped it is the one that the offset
// before the change would give.
//
// It walks through the stretches of constant offset around wall, oldest first.
// time.Date answers the same question, but does not say which of two instants it
// takes, nor in which direction it leaves a gap, and it does differ by zone.
func resolve(wall int64, loc *time.Location) int64 {
	var before int64 // reading with the offset of the stretch before
	var skipped int64
	gap := false
	for at := wall - reach; ; {
		t := time.Unix(at, 0).In(loc)
		_, off := t.Zone()
		_, bound := t.ZoneBounds()
		end := int64(1<<63 - 1)
		if !bound.IsZero() {
			// In zones that still change their clocks, the time package ends the
			// last stretch of a year after 365 days, in leap years too: on
			// December 31 of those the bound is not ahead of us. The offset does
			// not change before that day ends.
			if end = bound.Unix(); end <= at {
				end = at - floorMod(at, daySeconds) + daySeconds
			}
		}
		reading := wall - int64(off)
		switch {
		case reading < at:
			if !gap {
				gap, skipped = true, before
			}
		case reading < end:
			return reading
		}
		// Past every instant that could show wall: it was skipped. The oldest
		// stretch reads it after its start, the last one before, so some stretch
		// in between has set skipped.
		if end > wall+reach {
			return skipped
		}
		before, at = reading, end
	}
}
