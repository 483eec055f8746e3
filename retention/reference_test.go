package retention_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

var long = flag.Bool("long", false, "a million random cases instead of twenty thousand")

// stretches are the times of constant offset of a zone, found by looking at the
// clock every three hours, and every second where it jumped.
type stretches []struct{ from, off int64 }

func stretchesOf(loc *time.Location) (out stretches) {
	offset := func(at int64) int64 {
		_, off := time.Unix(at, 0).In(loc).Zone()
		return int64(off)
	}
	from, to := time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2125, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	out = append(out, struct{ from, off int64 }{from, offset(from)})
	for at := from; at < to; at += 3 * 3600 {
		if offset(at+3*3600) == out[len(out)-1].off {
			continue
		}
		lo, hi := at, at+3*3600
		for hi-lo > 1 {
			if mid := (lo + hi) / 2; offset(mid) == out[len(out)-1].off {
				lo = mid
			} else {
				hi = mid
			}
		}
		out = append(out, struct{ from, off int64 }{hi, offset(hi)})
	}
	return out
}

func (s stretches) offset(at int64) int64 {
	off := s[0].off
	for i := len(s) - 1; i > 0; i-- {
		if s[i].from <= at {
			return s[i].off
		}
	}
	return off
}

// first is the first instant whose clock shows wall or later, and whether it
// shows wall itself.
func (s stretches) first(wall int64) (int64, bool) {
	for i := range s {
		end := int64(1 << 60)
		if i+1 < len(s) {
			end = s[i+1].from
		}
		if end < wall-72*3600 {
			continue
		}
		if at := max(s[i].from, wall-s[i].off); at < end {
			return at, at+s[i].off == wall
		}
	}
	panic("no such time")
}

// clock is the instant at which the clock shows wall; a skipped one is read with
// the offset before the jump.
func (s stretches) clock(wall int64) int64 {
	at, shown := s.first(wall)
	if shown {
		return at
	}
	return wall - s.offset(at-1)
}

type civilDay struct {
	y int
	m time.Month
	d int
}

func (c *civilDay) next() {
	if c.d++; c.d > length(c.y, c.m) {
		c.d = 1
		if c.m++; c.m > time.December {
			c.y, c.m = c.y+1, time.January
		}
	}
}

func (c civilDay) wall() int64 { return time.Date(c.y, c.m, c.d, 0, 0, 0, 0, time.UTC).Unix() }

func (s stretches) day(at int64) civilDay {
	y, m, d := time.Unix(at+s.offset(at), 0).UTC().Date()
	return civilDay{y, m, d}
}

func (s stretches) start(c civilDay) int64 { at, _ := s.first(c.wall()); return at }

// slow is the plain meaning of one rule: it walks through the calendar day by day.
func slow(r *retention.Rule, s stretches, event int64, tolls [][2]int64) int64 {
	start, day := event, s.day(event)
	if r.Cutoff != retention.NoCutoff {
		for !lastDay(r.Cutoff, day) {
			day.next()
		}
		next := day
		next.next()
		start = s.start(next)
	}
	end := start
	add := func(c civilDay) civilDay {
		for n := 12*r.Period.Years + r.Period.Months; n > 0; n-- {
			if c.m++; c.m > time.December {
				c.y, c.m = c.y+1, time.January
			}
		}
		if last := length(c.y, c.m); c.d > last {
			c.d = last
			if r.MonthEnd == retention.NextDay {
				c.next()
			}
		}
		for n := 7*r.Period.Weeks + r.Period.Days; n > 0; n-- {
			c.next()
		}
		return c
	}
	switch {
	case r.Count == retention.CivilDays:
		last := add(day)
		last.next()
		end = s.start(last)
	case r.Period.Years+r.Period.Months+r.Period.Weeks+r.Period.Days > 0:
		from := s.day(start)
		clock := start + s.offset(start) - from.wall()
		end = s.clock(add(from).wall() + clock)
	}
	end += int64(r.Period.Exact / time.Second)
	// The clock runs only while nothing stops it, stretch by stretch.
	if len(tolls) > 0 {
		left, at := end-start, start
		for left > 0 {
			next := at + left
			stopped := false
			for _, h := range tolls {
				if h[0] <= at && at < h[1] {
					at, stopped = h[1], true
				} else if at < h[0] && h[0] < next {
					next = h[0]
				}
			}
			if !stopped {
				left -= next - at
				at = next
			}
		}
		end = at
	}
	up := r.Kind != retention.Ceiling
	switch r.Round {
	case retention.ToHour:
		// By the offset that holds at the end.
		if over := ((end+s.offset(end))%3600 + 3600) % 3600; over != 0 {
			end -= over
			if up {
				end += 3600
			}
		}
	case retention.ToDay, retention.ToMonth:
		at := s.day(end)
		if r.Round == retention.ToMonth {
			at.d = 1
		}
		best := s.start(at)
		for n := 0; n < 70; n++ {
			if up && best >= end {
				break
			}
			at.next()
			if r.Round == retention.ToMonth && at.d != 1 {
				continue
			}
			if b := s.start(at); up || b <= end {
				best = b
			}
		}
		end = best
	}
	if r.Roll != nil {
		last := s.day(end - 1)
		if !r.Roll.Working(last.y, last.m, last.d) {
			for !r.Roll.Working(last.y, last.m, last.d) {
				last.next()
			}
			last.next()
			end = s.start(last)
		}
	}
	return end
}

func lastDay(c retention.Cutoff, d civilDay) bool {
	end := d.d == length(d.y, d.m)
	switch c {
	case retention.EndOfMonth:
		return end
	case retention.EndOfQuarter:
		return end && d.m%3 == 0
	case retention.EndOfYear:
		return end && d.m == time.December
	}
	var month, last int
	if _, err := fmt.Sscanf(c.String(), "fiscal_year:%02d-%02d", &month, &last); err != nil {
		panic(err)
	}
	return int(d.m) == month && d.d == min(last, length(d.y, d.m))
}

// TestAgainstSlowReference compares plans of one rule, with all that may be said
// of it, with a walk through the calendar.
func TestAgainstSlowReference(t *testing.T) {
	cases := 20_000
	if *long {
		cases = 1_000_000
	}
	if testing.Short() {
		cases = 2_000
	}
	names := append(slices.Clone(zones), "America/St_Johns")
	var known []stretches
	for _, z := range names {
		known = append(known, stretchesOf(zone(t, z)))
	}
	begin, end := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	calendar := weekdays{name: "test", holidays: []string{"2026-05-01", "2025-12-25", "2025-12-26"}}
	rnd := rand.New(rand.NewPCG(7, uint64(cases)))
	met := map[string]int{}
	for n := range cases {
		zi := rnd.IntN(len(names))
		r := retention.Rule{ID: "r", Kind: retention.Kind(1 + rnd.IntN(3)), Strength: retention.Default, Anchor: "e", Zone: names[zi], MonthEnd: retention.MonthEnd(rnd.IntN(2))}
		if rnd.IntN(2) == 0 {
			r.Period.Years, r.Period.Months = rnd.IntN(11), rnd.IntN(14)
		}
		if rnd.IntN(3) > 0 {
			r.Period.Weeks, r.Period.Days = rnd.IntN(3), rnd.IntN(200)
		}
		if rnd.IntN(3) == 0 {
			r.Cutoff = []retention.Cutoff{retention.EndOfMonth, retention.EndOfQuarter, retention.EndOfYear, retention.FiscalYear(time.September, 30), retention.FiscalYear(time.February, 29), retention.FiscalYear(time.April, 5)}[rnd.IntN(6)]
		}
		switch rnd.IntN(3) {
		case 0:
			r.Count = retention.CivilDays
			if r.Kind == retention.Floor && rnd.IntN(2) == 0 {
				r.Roll = calendar
			}
		case 1:
			r.Period.Exact = time.Duration(rnd.IntN(200000)) * time.Second
		}
		if rnd.IntN(2) == 0 {
			r.Round = retention.Rounding(rnd.IntN(4))
		}
		at := begin + rnd.Int64N(end-begin)
		if s := known[zi]; rnd.IntN(2) == 0 && len(s) > 1 {
			// So that the end comes near a change of the clocks.
			change := s[1+rnd.IntN(len(s)-1)].from
			back := time.Unix(change, 0).UTC().AddDate(-r.Period.Years, -r.Period.Months, -7*r.Period.Weeks-r.Period.Days).Unix()
			at = max(begin, min(end, back+rnd.Int64N(8*3600)-4*3600))
		}
		in := retention.Input{Category: "x", Now: time.Unix(at, 0), Events: map[retention.Anchor]time.Time{"e": time.Unix(at, 0)}}
		var tolls [][2]int64
		if rnd.IntN(4) == 0 {
			for i := range 1 + rnd.IntN(3) {
				from := at + rnd.Int64N(400*86400) - 100*86400
				to := from + rnd.Int64N(200*86400)
				in.Holds = append(in.Holds, retention.Hold{ID: "h" + string(rune('0'+i)), Scope: retention.Everything, Placed: time.Unix(from, 0), Released: time.Unix(to, 0), Effect: retention.Toll})
				tolls = append(tolls, [2]int64{from, to})
			}
		}
		rs, err := retention.New([]retention.Rule{r})
		require.NoError(t, err)
		p, err := rs.Plan(in)
		require.NoError(t, err)
		released := int64(0)
		for _, h := range tolls {
			released = max(released, h[1])
		}
		got := p.Earliest
		var want int64
		if r.Kind == retention.Ceiling {
			got = p.Latest
			if want = slow(&r, known[zi], at, nil); len(tolls) > 0 && want < released {
				want = released + 30*86400
			}
		} else {
			if want = slow(&r, known[zi], at, tolls); len(tolls) > 0 {
				want = max(want, released)
			}
		}
		if got.Unix() != want {
			t.Fatalf("case %d: %s: %s + %s in %s, %s, %s, %s, roll %v, holds %v: got %s, want %s", n, r.Kind, time.Unix(at, 0).UTC(), r.Period, r.Zone, r.Cutoff, r.Count, r.Round, r.Roll != nil, in.Holds, got, time.Unix(want, 0).UTC())
		}
		met[r.Count.String()+" "+r.Round.String()]++
	}
	require.Len(t, met, 8, "every way to count and to round was met")
}
