package retention_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

// draw reads small numbers from fuzzed bytes; behind their end it reads zeros.
type draw struct{ b []byte }

func (d *draw) n(n int) int {
	if len(d.b) == 0 {
		return 0
	}
	v := int(d.b[0]) % n
	d.b = d.b[1:]
	return v
}

func (d *draw) instant() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(d.n(256))*37*time.Hour + time.Duration(d.n(60))*time.Minute)
}

// FuzzPlan makes rules and an input of the bytes and holds what must hold of every
// plan: no panic, valid JSON, the same answer whatever the order of rules and holds,
// nothing to delete under a hold, and no date that Now moves.
func FuzzPlan(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 1, 1, 0, 0, 3, 0, 2, 5, 0, 0, 0, 0, 3, 2, 1, 0, 4, 0, 0, 9, 1, 2, 3, 1, 10, 0, 20, 0, 1, 1})
	f.Add([]byte("retention of records, with holds and requests and copies of all kinds, and more"))
	zoneNames := []string{"", "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo", "+05:45"}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &draw{data}
		var list []retention.Rule
		for i := range d.n(7) {
			r := retention.Rule{ID: "r" + string(rune('a'+i)), Kind: retention.Kind(d.n(5)), Strength: retention.Strength(d.n(8)), Category: []retention.Selector{"", "a", "a.b"}[d.n(3)],
				Topic: []string{"", "t"}[d.n(2)], Anchor: []retention.Anchor{"e", "f"}[d.n(2)], Period: retention.Period{Months: d.n(14), Days: d.n(40), Exact: time.Duration(d.n(3)) * time.Hour},
				Zone: zoneNames[d.n(len(zoneNames))], MonthEnd: retention.MonthEnd(d.n(2)), Count: retention.Count(d.n(2)), Cutoff: retention.Cutoff(d.n(5)), Round: retention.Rounding(d.n(4)), Fixed: d.n(9) == 1}
			if i > 0 && d.n(4) == 1 {
				r.Anchor, r.After = "", list[d.n(i)].ID
			}
			if d.n(3) == 1 {
				r.Copies = []retention.Copy{retention.Copy(d.n(8)), retention.Media}
				r.Method = retention.Method(d.n(4))
			}
			if r.Kind == retention.Notice {
				r.Schedule = retention.Schedule{Offsets: []retention.Period{{Days: d.n(9)}, {Days: d.n(9)}}}
			}
			if d.n(3) == 1 {
				r.Stages = retention.Stages{Before: retention.Stage{Name: "before"}, During: retention.Stage{Name: "during", Allow: []string{"*"}}, After: retention.Stage{Name: "after"}}
			}
			list = append(list, r)
		}
		in := retention.Input{Category: []string{"", "a", "a.b", "a.b.c"}[d.n(4)], Now: d.instant(), Events: map[retention.Anchor]time.Time{"e": d.instant()}, Explain: true}
		if d.n(2) == 1 {
			in.Withdrawn = map[retention.Anchor]time.Time{"f": d.instant()}
		}
		for i := range d.n(4) {
			h := retention.Hold{ID: "h" + string(rune('a'+i)), Scope: []retention.Selector{retention.Everything, "a", "x", ""}[d.n(4)], Placed: d.instant(), Effect: retention.Effect(d.n(4))}
			if d.n(3) > 0 {
				h.Released = d.instant()
			}
			in.Holds = append(in.Holds, h)
		}
		if d.n(3) == 1 {
			in.Erasure = &retention.Erasure{ID: "e", At: d.instant()}
		}
		_ = retention.Validate(list)
		rs, err := retention.New(list)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		p, err := rs.Plan(in)
		if err != nil {
			return
		}
		require.True(t, json.Valid(p.AppendJSON(nil)))
		require.NotEmpty(t, p.Explain())
		for _, h := range in.Holds {
			about := h.Scope == retention.Everything || h.Scope.Matches(in.Category)
			if about && !in.Now.Before(h.Placed) && (h.Released.IsZero() || in.Now.Before(h.Released)) {
				require.Equal(t, retention.Held, p.Status)
			}
		}
		slices.Reverse(list)
		slices.Reverse(in.Holds)
		other, err := retention.New(list)
		require.NoError(t, err)
		in.Explain = false
		q, err := other.Plan(in)
		require.NoError(t, err)
		require.Equal(t, answer(p), answer(q))
		in.Now = in.Now.AddDate(1, 0, 0)
		later, err := other.Plan(in)
		require.NoError(t, err)
		require.Equal(t, dates(&q), dates(&later))
		require.Equal(t, answer(p), answer(retention.Combine(p, q)))
	})
}

func FuzzParseCutoff(f *testing.F) {
	for _, s := range []string{"", "end_of_year", "fiscal_year:09-30", "fiscal_year:02-29", "fiscal_year:31-12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := retention.ParseCutoff(s); err == nil {
			require.Equal(t, s, c.String())
		}
	})
}
