package retention_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

const canary = "canary@example.test"

// TestCanary puts a value that must never be repeated into every input, gathers
// every text that comes out, and looks for it.
func TestCanary(t *testing.T) {
	var texts []string
	gather := func(err error) {
		require.Error(t, err)
		texts = append(texts, err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err))
	}

	for _, s := range []string{canary, "P" + canary, "P1D" + canary, "PT" + canary, "P1" + canary} {
		_, err := retention.ParsePeriod(s)
		gather(err)
	}
	_, err := retention.ParseKind(canary)
	gather(err)
	_, err = retention.ParseStrength(canary)
	gather(err)
	_, err = retention.ParseMonthEnd(canary)
	gather(err)
	_, err = period(t, "P1D").Add(time.Unix(1<<40, 0).In(time.FixedZone(canary, 0)), time.FixedZone(canary, 3600), retention.Clamp)
	gather(err)

	bad := retention.Rule{ID: canary, Source: canary, Topic: canary, Category: canary, Anchor: canary, After: canary, Zone: canary,
		When: retention.Condition{Text: canary}, Class: []string{canary, ""}, Region: []string{canary, ""}, Purpose: []string{canary, ""}, Period: retention.Period{Days: -1}}
	_, err = retention.New([]retention.Rule{bad, bad})
	gather(err)

	fails := errors.New(canary)
	cond := func(in *retention.Input) (bool, error) {
		if in.Attr["fail"] == true {
			return false, fails
		}
		return in.Request == canary, nil
	}
	rs := rules(t,
		with(rule(t, "floor", retention.Floor, retention.Law, "", "e", "P1D"), func(r *retention.Rule) { r.When = retention.Condition{Text: "text", Func: cond} }),
		rule(t, "far", retention.Floor, retention.Law, "far", "e", "P1000Y"),
		rule(t, "waits", retention.Ceiling, retention.Law, "", "f", "P1D"))
	in := func() retention.Input {
		return retention.Input{Tenant: canary, Category: "x", Class: canary, Region: canary, Purpose: canary, Attr: map[string]any{canary: canary}, Request: canary,
			Events:    map[retention.Anchor]time.Time{canary: instant(t, "2026-01-01T00:00:00Z"), "e": instant(t, "2026-01-01T00:00:00Z").In(time.FixedZone(canary, 0))},
			Withdrawn: map[retention.Anchor]time.Time{canary: instant(t, "2026-01-01T00:00:00Z")},
			Now:       instant(t, "2026-01-01T00:00:00Z").In(time.FixedZone(canary, 0)), Explain: true}
	}
	for _, change := range []func(*retention.Input){
		func(in *retention.Input) { in.Category = canary },
		func(in *retention.Input) { in.Now = time.Time{} },
		func(in *retention.Input) { in.Attr["fail"] = true },
		func(in *retention.Input) { in.Category, in.Events["e"] = "far", instant(t, "9500-01-01T00:00:00Z") },
	} {
		i := in()
		change(&i)
		p, err := rs.Plan(i)
		gather(err)
		texts = append(texts, p.Explain(), string(p.AppendJSON(nil)), fmt.Sprintf("%+v", p))
	}
	p, err := rs.Plan(in())
	require.NoError(t, err)
	require.Len(t, p.Trail, 2)
	q := retention.Combine(p, p)
	for _, p := range []retention.Plan{p, q} {
		texts = append(texts, p.Explain(), string(p.AppendJSON(nil)), p.Trail[0].String(), p.Trail[1].String(), fmt.Sprintf("%+v %#v", p, p))
	}

	require.Greater(t, len(texts), 30)
	for _, s := range texts {
		assert.NotContains(t, s, "canary")
	}
}
