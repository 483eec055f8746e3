package retention_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"
	_ "time/tzdata" // the same answers on machines without a zone database

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/retention"
)

func instant(t testing.TB, s string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, s)
	require.NoError(t, err)
	return at
}

func period(t testing.TB, s string) retention.Period {
	p, err := retention.ParsePeriod(s)
	require.NoError(t, err)
	return p
}

func zone(t testing.TB, s string) *time.Location {
	loc, err := time.LoadLocation(s)
	require.NoError(t, err)
	return loc
}

func TestGoldenCalendar(t *testing.T) {
	text, err := os.ReadFile("testdata/calendar.json")
	require.NoError(t, err)
	var file struct {
		Origin string
		Cases  []struct{ ID, Anchor, Zone, Period, Want, Reason, Local, Month_End string }
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.GreaterOrEqual(t, len(file.Cases), 38, "cases were lost")
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			end, err := retention.ParseMonthEnd(c.Month_End)
			require.NoError(t, err)
			got, err := period(t, c.Period).Add(instant(t, c.Anchor), zone(t, c.Zone), end)
			require.NoError(t, err)
			assert.Equal(t, c.Want, got.Format(time.RFC3339), "%s + %s in %s: %s", c.Anchor, c.Period, c.Zone, c.Reason)
		})
	}
}

func TestAddEdges(t *testing.T) {
	for _, tt := range []struct{ anchor, zone, period, want, reason string }{
		{"2040-12-29T12:00:00Z", "Europe/Berlin", "P2D", "2040-12-31T12:00:00Z", "the last day of a leap year, past the tables of the zone database: bounds of the time package lie in the past there"},
		{"2040-12-29T23:30:00Z", "America/New_York", "P2D", "2040-12-31T23:30:00Z", "the same, west of Greenwich"},
		{"2040-12-31T23:30:00Z", "Australia/Sydney", "P1D", "2041-01-01T23:30:00Z", "the same, summer over the new year"},
		{"2026-10-25T01:30:00Z", "Europe/Berlin", "P0D", "2026-10-25T01:30:00Z", "no time at all leaves the second of two equal wall clocks alone"},
		{"2026-10-24T00:30:00Z", "Europe/Berlin", "P1DT1H", "2026-10-25T01:30:00Z", "the exact part is added to the instant: from the first 02:30 to the second"},
		{"2026-03-28T10:00:00.999999999Z", "UTC", "PT48H", "2026-03-30T10:00:00Z", "fractions of a second are dropped"},
		{"1969-12-31T23:59:59.5Z", "UTC", "PT0S", "1969-12-31T23:59:59Z", "dropped, not rounded towards 1970"},
		{"2026-10-24T00:00:00Z", "Europe/Berlin", "P1D", "2026-10-25T00:00:00Z", "02:00:00, the first repeated second: the first time"},
		{"2026-10-24T00:59:59Z", "Europe/Berlin", "P1D", "2026-10-25T00:59:59Z", "02:59:59, the last repeated second: the first time"},
		{"2026-10-24T01:00:00Z", "Europe/Berlin", "P1D", "2026-10-25T02:00:00Z", "03:00:00, the first second that is not repeated"},
		{"2026-03-28T00:59:59Z", "Europe/Berlin", "P1D", "2026-03-29T00:59:59Z", "01:59:59, the last second before the gap"},
		{"2026-03-28T01:00:00Z", "Europe/Berlin", "P1D", "2026-03-29T01:00:00Z", "02:00:00, the first skipped second: it shows as 03:00:00"},
		{"2026-03-28T01:59:59Z", "Europe/Berlin", "P1D", "2026-03-29T01:59:59Z", "02:59:59, the last skipped second: it shows as 03:59:59"},
		{"2026-03-28T02:00:00Z", "Europe/Berlin", "P1D", "2026-03-29T01:00:00Z", "03:00:00, the first second after the gap"},
		{"1994-12-30T12:00:00Z", "Pacific/Kiritimati", "P1D", "1994-12-31T12:00:00Z", "another skipped day"},
		{"1900-02-28T00:00:00Z", "UTC", "P1D", "1900-03-01T00:00:00Z", "1900 is no leap year"},
		{"0001-01-01T00:00:01Z", "UTC", "P1Y", "0002-01-01T00:00:01Z", "the first year"},
		{"1972-01-06T12:00:00Z", "Africa/Monrovia", "P1D", "1972-01-07T11:15:30Z", "an offset with seconds, then a change by 44 minutes 30"},
	} {
		got, err := period(t, tt.period).Add(instant(t, tt.anchor), zone(t, tt.zone), retention.Clamp)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.want, got.Format(time.RFC3339), "%s + %s in %s: %s", tt.anchor, tt.period, tt.zone, tt.reason)
	}
}

func TestAddRefuses(t *testing.T) {
	at := instant(t, "2026-01-01T00:00:00Z")
	local := zone(t, "Local")
	if local != time.UTC {
		_, err := period(t, "PT1H").Add(at, local, retention.Clamp)
		require.ErrorIs(t, err, retention.ErrLocal, "also where the zone would not matter")
	}
	for _, tt := range []struct{ anchor, period string }{{"9999-12-31T23:59:59Z", "PT1S"}, {"9000-01-01T00:00:00Z", "P1000Y"}, {"0000-06-01T00:00:00Z", "P1D"}} {
		_, err := period(t, tt.period).Add(instant(t, tt.anchor), nil, retention.Clamp)
		require.ErrorIs(t, err, retention.ErrRange, tt.anchor)
	}
	_, err := period(t, "P1D").Add(time.Time{}, nil, retention.Clamp)
	require.ErrorIs(t, err, retention.ErrRange, "the zero time stands for no event")
}

func TestUTCSetAsLocalIsUTC(t *testing.T) {
	old := time.Local
	defer func() { time.Local = old }()
	time.Local = time.UTC
	_, err := period(t, "P1D").Add(instant(t, "2026-01-01T00:00:00Z"), time.UTC, retention.Clamp)
	require.NoError(t, err)
}

var zones = []string{
	"UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/Nuuk", "America/Juneau", "America/Caracas",
	"Australia/Lord_Howe", "Australia/Sydney", "Asia/Tokyo", "Asia/Tehran", "Asia/Gaza", "Asia/Pyongyang", "Asia/Manila", "Africa/Casablanca", "Africa/Cairo",
	"Africa/Monrovia", "Africa/Juba", "Antarctica/Troll", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein",
}

// reference is the slow and plain meaning of Period.Add: the date by steps of a
// month or a day, and the instant by looking at every second for one at which a
// clock in loc shows it.
func reference(anchor time.Time, loc *time.Location, p retention.Period, end retention.MonthEnd) time.Time {
	at := anchor.Unix()
	if p.Years|p.Months|p.Weeks|p.Days != 0 {
		l := time.Unix(at, 0).In(loc)
		y, m, d := l.Date()
		for n := 12*p.Years + p.Months; n > 0; n-- {
			if m++; m > time.December {
				y, m = y+1, time.January
			}
		}
		if last := length(y, m); d > last {
			d = last
			if end == retention.NextDay {
				d, m = 1, m+1 // no month but those of 31 days is skipped over, and December is one
			}
		}
		for n := 7*p.Weeks + p.Days; n > 0; n-- {
			if d++; d > length(y, m) {
				d = 1
				if m++; m > time.December {
					y, m = y+1, time.January
				}
			}
		}
		at = search(time.Date(y, m, d, l.Hour(), l.Minute(), l.Second(), 0, time.UTC).Unix(), loc)
	}
	return time.Unix(at, 0).UTC().Add(p.Exact)
}

func length(y int, m time.Month) int {
	switch m {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func search(wall int64, loc *time.Location) int64 {
	shown := func(at int64) int64 {
		_, off := time.Unix(at, 0).In(loc).Zone()
		return at + int64(off)
	}
	const day = 26 * 3600
	skipped := int64(0)
	for at := wall - day; at <= wall+day; at++ {
		now := shown(at)
		if now == wall {
			return at
		}
		if before := shown(at - 1); skipped == 0 && before < wall && now > wall {
			skipped = at - 1 + wall - before
		}
	}
	return skipped
}

// anyInstant draws an instant, often near a change of offset or a new year.
func anyInstant(t *rapid.T, loc *time.Location) time.Time {
	at := time.Unix(rapid.Int64Range(-3e9, 5e9).Draw(t, "at"), 0).In(loc)
	switch rapid.IntRange(0, 3).Draw(t, "where") {
	case 0:
		return at
	case 1:
		at = time.Date(at.Year(), 12, 31, 12, 0, 0, 0, loc)
	default:
		if _, end := at.ZoneBounds(); !end.IsZero() {
			at = end
		}
	}
	return at.Add(time.Duration(rapid.IntRange(-30*3600, 30*3600).Draw(t, "near")) * time.Second)
}

func TestResolveAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		target := anyInstant(t, loc)
		p := retention.Period{Days: rapid.IntRange(1, 3).Draw(t, "days")}
		if rapid.Bool().Draw(t, "long") {
			p = anyPeriod(t)
		}
		end := rapid.SampledFrom([]retention.MonthEnd{retention.Clamp, retention.NextDay}).Draw(t, "end")
		// So that the result, and not the anchor, comes near the change.
		anchor := target.AddDate(-p.Years, -p.Months, -7*p.Weeks-p.Days)
		got, err := p.Add(anchor, loc, end)
		require.NoError(t, err)
		require.Equal(t, reference(anchor, loc, p, end), got, "%s + %s in %s", anchor.UTC(), p, loc)
	})
}

func TestLawsOfAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		anchor, p := anyInstant(t, loc), anyPeriod(t)
		add := func(at time.Time, p retention.Period, loc *time.Location) time.Time {
			end, err := p.Add(at, loc, retention.Clamp)
			require.NoError(t, err)
			return end
		}
		end := add(anchor, p, loc)
		require.False(t, end.Before(anchor), "no period goes back")
		require.Equal(t, time.UTC, end.Location())

		more := p
		more.Days++
		next := add(anchor, more, loc)
		require.False(t, next.Before(end), "one more day is never earlier")
		if d := next.Sub(end); d == 0 {
			require.Contains(t, []string{"Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein", "Asia/Manila", "America/Juneau"}, loc.String(),
				"one more day is strictly later, but for a day that its zone skipped as a whole")
		}

		exact := retention.Period{Exact: p.Exact}
		require.Equal(t, anchor.UTC().Add(p.Exact), add(anchor, exact, loc), "an exact period is the same everywhere")
		require.True(t, add(anchor.Add(time.Second), exact, loc).After(add(anchor, exact, loc)), "and follows its anchor strictly")
		require.False(t, add(anchor.Add(time.Second), p, time.UTC).Before(add(anchor, p, time.UTC)), "in UTC every period follows its anchor")

		days := retention.Period{Days: p.Days}
		require.Equal(t, anchor.UTC().AddDate(0, 0, p.Days), add(anchor, days, time.UTC), "in UTC a day has 24 hours")
		two, hours := add(anchor, retention.Period{Days: 2}, time.UTC), add(anchor, retention.Period{Exact: 48 * time.Hour}, loc)
		require.Equal(t, hours, two, "P2D is PT48H in UTC, and in no zone with changes for sure")

		months := retention.Period{Years: p.Years, Months: p.Months}
		clamp, err := months.Add(anchor, time.UTC, retention.Clamp)
		require.NoError(t, err)
		nextDay, err := months.Add(anchor, time.UTC, retention.NextDay)
		require.NoError(t, err)
		require.Contains(t, []time.Duration{0, 24 * time.Hour}, nextDay.Sub(clamp), "the month ends differ by a day or not at all")
	})
}
