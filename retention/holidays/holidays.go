// Package holidays takes the working days of package retention from the calendars
// of github.com/rickar/cal, which has the public holidays of many countries and
// regions. It is a module of its own, so that package retention needs no other.
//
//	calendar, err := holidays.New("DE-BE", berlin) // a *cal.BusinessCalendar with de.HolidaysBE
//	rule.Count, rule.Roll = retention.CivilDays, calendar
//
// Holidays are law and change: pin the version of that module, and look at a new
// version with package change before it counts.
package holidays

import (
	"errors"
	"slices"
	"time"

	"github.com/privetdev/privet/retention"
	"github.com/rickar/cal/v2"
)

// ErrCalendar reports a calendar without a name, or none at all.
var ErrCalendar = errors.New("holidays: needs a calendar, and a name such as DE-BE for trails")

// New makes a calendar of working days. The name appears in trails. What the given
// calendar holds now is copied, without its cache, so that the result is safe for
// concurrent use; its list of locations is left out, because the rule names the zone.
func New(name string, calendar *cal.BusinessCalendar) (retention.Calendar, error) {
	if name == "" || calendar == nil {
		return nil, ErrCalendar
	}
	c := cal.NewBusinessCalendar()
	c.WorkdayFunc = calendar.WorkdayFunc
	c.AddHoliday(slices.Clone(calendar.Holidays)...)
	for d := time.Sunday; d <= time.Saturday; d++ {
		// A week without holidays tells which days of a week are worked.
		c.SetWorkday(d, bare(calendar).IsWorkday(time.Date(2026, 3, 1+int(d), 12, 0, 0, 0, time.UTC)))
	}
	return working{name, c}, nil
}

// bare is the week of a calendar.
func bare(calendar *cal.BusinessCalendar) *cal.BusinessCalendar {
	c := *calendar
	c.Calendar = cal.Calendar{}
	c.WorkdayFunc = nil
	return &c
}

type working struct {
	name string
	c    *cal.BusinessCalendar
}

func (w working) Name() string { return w.name }

func (w working) Working(year int, month time.Month, day int) bool {
	return w.c.IsWorkday(time.Date(year, month, day, 12, 0, 0, 0, time.UTC))
}
