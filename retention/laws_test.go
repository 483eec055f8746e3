package retention_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/retention"
)

// decorate gives random rules what makes ends move.
func decorate(t *rapid.T, list []retention.Rule, topics bool) {
	for i := range list {
		r := &list[i]
		if !topics {
			r.Topic = ""
		}
		r.Copies = rapid.SampledFrom([][]retention.Copy{nil, nil, nil, {retention.Primary}, {retention.Backup}, {retention.Primary, retention.Media}}).Draw(t, "copies")
		r.Round = rapid.SampledFrom([]retention.Rounding{0, 0, 0, retention.ToDay, retention.ToMonth}).Draw(t, "round")
		r.Cutoff = rapid.SampledFrom([]retention.Cutoff{0, 0, 0, retention.EndOfMonth}).Draw(t, "cutoff")
		if rapid.Bool().Draw(t, "civil") {
			r.Count = retention.CivilDays
		}
	}
}

// lawful draws rules that New takes; where they contradict each other, all floors
// become strong and all ceilings weak.
func lawful(t *rapid.T, topics bool) []retention.Rule {
	list := randomRules(t)
	decorate(t, list, topics)
	if _, err := retention.New(list); err != nil {
		for i := range list {
			list[i].Strength = retention.Law
			if list[i].Kind == retention.Ceiling {
				list[i].Strength = retention.Default
			}
		}
		if _, err := retention.New(list); err != nil {
			t.Skip("rules that contradict each other are refused: others are drawn")
		}
	}
	return list
}

func randomHolds(t *rapid.T) []retention.Hold {
	var out []retention.Hold
	for i := range rapid.IntRange(0, 3).Draw(t, "holds") {
		placed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(-5, 20).Draw(t, "placed"))
		h := retention.Hold{ID: "h" + string(rune('a'+i)), Authority: "order", Placed: placed, Effect: rapid.SampledFrom([]retention.Effect{retention.Suspend, retention.Restart, retention.Toll}).Draw(t, "effect"),
			Scope: rapid.SampledFrom([]retention.Selector{retention.Everything, "a", "a.b", "x"}).Draw(t, "scope")}
		if rapid.IntRange(0, 3).Draw(t, "open") > 0 {
			h.Released = placed.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "held"))
		}
		out = append(out, h)
	}
	return out
}

func made(t *rapid.T, list []retention.Rule, in retention.Input) retention.Plan {
	rs, err := retention.New(list)
	require.NoError(t, err)
	p, err := rs.Plan(in)
	require.NoError(t, err)
	return p
}

// dates are all instants of a plan.
func dates(p *retention.Plan) []any {
	out := []any{p.Phases, p.Notices, p.Exemptions}
	for c := retention.Primary; c <= retention.Media; c++ {
		w := p.Window(c)
		out = append(out, w.Earliest, w.Latest)
	}
	return out
}

// TestNowMovesNothing: Now alone never changes a date.
func TestNowMovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := lawful(t, true)
		in := randomInput(t, rapid.SampledFrom([]string{"", "a", "a.b", "x"}).Draw(t, "category"))
		in.Holds = randomHolds(t)
		if rapid.IntRange(0, 3).Draw(t, "erase") == 0 {
			in.Erasure = &retention.Erasure{ID: "e", At: in.Now}
		}
		p := made(t, list, in)
		p.Phases = slices.Clone(p.Phases)
		in.Now = in.Now.AddDate(0, 0, rapid.IntRange(-40, 400).Draw(t, "later"))
		q := made(t, list, in)
		require.Equal(t, dates(&p), dates(&q))
	})
}

// TestHoldsNeverDelete: a hold only ever keeps.
func TestHoldsNeverDelete(t *testing.T) {
	seen := map[retention.Status]int{}
	rapid.Check(t, func(t *rapid.T) {
		list := lawful(t, true)
		in := randomInput(t, rapid.SampledFrom([]string{"a", "a.b", "x"}).Draw(t, "category"))
		free := made(t, list, in)
		in.Holds = randomHolds(t)
		held := made(t, list, in)
		seen[held.Status]++
		var active, open, any bool
		last := time.Time{}
		for _, h := range in.Holds {
			if h.Scope != retention.Everything && !h.Scope.Matches(in.Category) {
				continue
			}
			any = true
			open = open || h.Released.IsZero()
			active = active || !in.Now.Before(h.Placed) && (h.Released.IsZero() || in.Now.Before(h.Released))
			if h.Released.After(last) {
				last = h.Released
			}
		}
		if held.Status == retention.Held && !active {
			require.True(t, !held.Latest.IsZero() && in.Now.Before(held.Earliest), "else only where what a hold added is in the way of a ceiling")
		}
		for c := retention.Primary; c <= retention.Media; c++ {
			f, h := free.Window(c), held.Window(c)
			if !any {
				f.Copy, h.Copy = 0, 0
				require.Equal(t, f, h, "a hold on other data changes nothing")
				continue
			}
			if active {
				require.Equal(t, retention.Held, h.Status, c)
			}
			if open {
				require.Zero(t, h.Earliest)
			} else if !h.Earliest.IsZero() {
				require.False(t, h.Earliest.Before(last), "never before the release")
				require.False(t, !f.Earliest.IsZero() && h.Earliest.Before(f.Earliest), "and never earlier than without")
			}
			require.Equal(t, f.Latest.IsZero(), h.Latest.IsZero())
			require.False(t, h.Latest.Before(f.Latest), "a hold makes no deadline earlier")
		}
		if !any {
			require.Empty(t, held.Hold)
		}

		// Neither the order of holds nor that of rules decides anything.
		slices.Reverse(in.Holds)
		slices.Reverse(list)
		again := made(t, list, in)
		require.Equal(t, answer(held), answer(again))
	})
	if !testing.Short() {
		assert.NotZero(t, seen[retention.Held], "no plan was held")
		assert.NotZero(t, seen[retention.Deletable]+seen[retention.Due]+seen[retention.Overdue], "no hold had ended")
	}
}

// TestMoreRules: outside of topics, another floor never makes deletion earlier
// where a floor or a wish is, and another ceiling never makes it later.
func TestMoreRules(t *testing.T) {
	floors, ceilings := 0, 0
	for round := 0; round < 30 && (round == 0 || floors == 0 || ceilings == 0); round++ {
		rapid.Check(t, func(t *rapid.T) { moreRules(t, &floors, &ceilings) })
	}
	assert.NotZero(t, floors)
	assert.NotZero(t, ceilings)
}

func moreRules(t *rapid.T, floors, ceilings *int) {
	list := lawful(t, false)
	in := randomInput(t, rapid.SampledFrom([]string{"a", "a.b", "x"}).Draw(t, "category"))
	in.Holds = randomHolds(t)
	before := made(t, list, in)
	more := retention.Rule{ID: "more", Kind: rapid.SampledFrom([]retention.Kind{retention.Floor, retention.Ceiling}).Draw(t, "kind"),
		Strength: retention.Law, Anchor: rapid.SampledFrom([]retention.Anchor{"e", "f", "g"}).Draw(t, "anchor"), Period: retention.Period{Days: rapid.IntRange(0, 9).Draw(t, "days")}}
	if more.Kind == retention.Ceiling {
		more.Strength = retention.Typical
	}
	list = append(list, more)
	if _, err := retention.New(list); err != nil {
		t.Skip("rules that contradict each other are refused: others are drawn")
	}
	after := made(t, list, in)
	for c := retention.Primary; c <= retention.Media; c++ {
		b, a := before.Window(c), after.Window(c)
		switch more.Kind {
		case retention.Floor:
			if b.Floor == "" && b.Delete == "" {
				continue
			}
			if b.Earliest.IsZero() {
				require.Zero(t, a.Earliest, "what is not determined stays so")
			} else if !a.Earliest.IsZero() {
				*floors++
				require.False(t, a.Earliest.Before(b.Earliest))
			}
		case retention.Ceiling:
			if !b.Latest.IsZero() {
				*ceilings++
				require.False(t, a.Latest.IsZero() || a.Latest.After(b.Latest))
			}
		}
	}
}

// TestLaterEvent: a later event never gives an earlier end within one rule. For
// exact periods these are instants; for civil periods it is the civil date, before
// the exact part: instants may cross where a month's end clamps or clocks change.
func TestLaterEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := time.LoadLocation(name)
		require.NoError(t, err)
		p := anyPeriod(t)
		exact := rapid.Bool().Draw(t, "exact")
		if exact {
			p = retention.Period{Exact: p.Exact}
		} else {
			p.Exact = 0
		}
		r := retention.Rule{ID: "r", Kind: rapid.SampledFrom([]retention.Kind{retention.Floor, retention.Ceiling}).Draw(t, "kind"), Strength: retention.Law, Anchor: "e", Period: p, Zone: name,
			MonthEnd: rapid.SampledFrom([]retention.MonthEnd{retention.Clamp, retention.NextDay}).Draw(t, "end")}
		if !exact {
			r.Cutoff = rapid.SampledFrom([]retention.Cutoff{0, retention.EndOfMonth, retention.EndOfYear, retention.FiscalYear(time.June, 30)}).Draw(t, "cutoff")
			r.Count = rapid.SampledFrom([]retention.Count{retention.Instant, retention.CivilDays}).Draw(t, "count")
			if r.Kind == retention.Floor && r.Count == retention.CivilDays {
				r.Roll = weekdays{name: "test"}
			}
		}
		at := anyInstant(t, loc)
		later := at.Add(time.Duration(rapid.IntRange(0, 100*86400).Draw(t, "later")) * time.Second)
		end := func(at time.Time) time.Time {
			q := made(t, []retention.Rule{r}, retention.Input{Category: "x", Now: at, Events: map[retention.Anchor]time.Time{"e": at}})
			if r.Kind == retention.Ceiling {
				return q.Latest
			}
			return q.Earliest
		}
		a, b := end(at), end(later)
		if exact {
			require.False(t, b.Before(a))
			return
		}
		// Clocks that go back over midnight show an earlier date again.
		y1, m1, d1 := at.In(loc).Date()
		y2, m2, d2 := later.In(loc).Date()
		if date(y2, m2, d2).Before(date(y1, m1, d1)) {
			return
		}
		y1, m1, d1 = a.In(loc).Date()
		y2, m2, d2 = b.In(loc).Date()
		require.False(t, date(y2, m2, d2).Before(date(y1, m1, d1)), "%s gives %s, %s gives %s", at, a, later, b)
	})
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// TestCombineWithCopies: the order and the grouping of plans decide nothing, with
// holds, requests and copies that have rules of their own.
func TestCombineWithCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := lawful(t, true)
		in := randomInput(t, "a.b")
		in.Holds = randomHolds(t)
		if rapid.Bool().Draw(t, "erase") {
			in.Erasure = &retention.Erasure{ID: "e", At: in.Now, Scope: "a"}
		}
		var ps []retention.Plan
		for _, c := range []string{"a.b", "x", "a"} {
			in.Category = c
			ps = append(ps, made(t, list, in))
		}
		all := retention.Combine(ps...)
		require.Equal(t, answer(all), answer(retention.Combine(ps[2], ps[0], ps[1])))
		require.Equal(t, answer(all), answer(retention.Combine(ps[0], retention.Combine(ps[1], ps[2]))))
		require.Equal(t, answer(ps[0]), answer(retention.Combine(ps[0], ps[0])))
		for c := retention.Primary; c <= retention.Media; c++ {
			for i := range ps {
				one, sum := ps[i].Window(c), all.Window(c)
				if !one.Latest.IsZero() {
					require.False(t, sum.Latest.IsZero() || sum.Latest.After(one.Latest))
				}
				if one.Status == retention.Held {
					require.Contains(t, []retention.Status{retention.Held, retention.Conflict}, sum.Status, "kept in any case")
				}
				require.GreaterOrEqual(t, sum.Method, one.Method)
			}
		}
	})
}
