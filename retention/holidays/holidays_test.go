package holidays_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/holidays"
	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
)

func berlin(t testing.TB) retention.Calendar {
	c := cal.NewBusinessCalendar()
	c.Cacheable = true
	c.AddHoliday(de.HolidaysBE...)
	out, err := holidays.New("DE-BE", c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The rows Z4 to Z6 of the scenarios, with the holidays of Berlin.
func TestAnswersInBerlin(t *testing.T) {
	rules, err := retention.New([]retention.Rule{{ID: "answer", Kind: retention.Floor, Strength: retention.Law, Anchor: "request", Zone: "Europe/Berlin",
		Period: retention.Period{Months: 1}, Count: retention.CivilDays, Roll: berlin(t)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ request, want, reason string }{
		{"2026-01-30T10:00:00Z", "2026-03-02T23:00:00Z", "February 28 is a Saturday"},
		{"2025-11-25T10:00:00Z", "2025-12-29T23:00:00Z", "two holidays and a weekend"},
		{"2026-04-01T10:00:00Z", "2026-05-04T22:00:00Z", "May 1 is a Friday"},
		{"2026-02-06T10:00:00Z", "2026-03-06T23:00:00Z", "a Friday like others"},
		{"2026-02-08T10:00:00Z", "2026-03-09T23:00:00Z", "March 8 is a holiday in Berlin, and a Sunday"},
	} {
		at, err := time.Parse(time.RFC3339, tt.request)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rules.Plan(retention.Input{Now: at, Events: map[retention.Anchor]time.Time{"request": at}})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Earliest.Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: got %s, want %s: %s", tt.request, got, tt.want, tt.reason)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	c := berlin(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for d := 1; d <= 31; d++ {
				if c.Working(2026, time.December, d) == (d == 25 || d == 26 || time.Date(2026, 12, d, 0, 0, 0, 0, time.UTC).Weekday()%6 == 0) {
					t.Errorf("December %d", d)
				}
			}
		})
	}
	wg.Wait()
}

func TestNew(t *testing.T) {
	if _, err := holidays.New("", cal.NewBusinessCalendar()); !errors.Is(err, holidays.ErrCalendar) {
		t.Error(err)
	}
	if _, err := holidays.New("DE", nil); !errors.Is(err, holidays.ErrCalendar) {
		t.Error(err)
	}
	own := cal.NewBusinessCalendar()
	own.SetWorkday(time.Saturday, true)
	c, err := holidays.New("six-days", own)
	if err != nil || c.Name() != "six-days" || !c.Working(2026, time.March, 7) || c.Working(2026, time.March, 8) {
		t.Error("a week of six days", err)
	}
	own.SetWorkday(time.Saturday, false)
	if !c.Working(2026, time.March, 7) {
		t.Error("it was copied")
	}
}

func BenchmarkWorking(b *testing.B) {
	c := berlin(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Working(2026, time.May, 1)
	}
}
