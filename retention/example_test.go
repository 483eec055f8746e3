package retention_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/privetdev/privet/retention"
)

func ExampleParsePeriod() {
	days, _ := retention.ParsePeriod("P2D")
	hours, _ := retention.ParsePeriod("PT48H")

	berlin, _ := time.LoadLocation("Europe/Berlin")
	used := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC) // the day before clocks go forward
	a, _ := days.Add(used, berlin, retention.Clamp)
	b, _ := hours.Add(used, berlin, retention.Clamp)
	fmt.Println(days, a.Format(time.RFC3339))
	fmt.Println(hours, b.Format(time.RFC3339))

	_, err := retention.ParsePeriod("P1.5D")
	var pe *retention.PeriodError
	fmt.Println(errors.As(err, &pe), pe.Offset, err)
	// Output:
	// P2D 2026-03-30T09:00:00Z
	// PT48H 2026-03-30T10:00:00Z
	// true 2 retention: period: a fraction at byte 2: write whole numbers of a smaller unit
}

func ExampleNew() {
	// Errors of ParsePeriod are left out here: the texts are constants.
	d30, _ := retention.ParsePeriod("P30D")
	d180, _ := retention.ParsePeriod("P180D")
	rules, err := retention.New([]retention.Rule{
		{ID: "device", Source: "001:38", Topic: "device", Kind: retention.Ceiling, Strength: retention.Statement, Category: "device", Anchor: "device_removed", Period: d30},
		{ID: "alert-floor", Source: "001:38", Topic: "device", Kind: retention.Floor, Strength: retention.Statement, Category: "device.alert", Anchor: "device_removed", Period: d180},
		{ID: "alert-ceiling", Source: "001:38", Topic: "device", Kind: retention.Ceiling, Strength: retention.Statement, Category: "device.alert", Anchor: "device_removed", Period: d180},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := rules.Plan(retention.Input{
		Category: "device.alert",
		Events:   map[retention.Anchor]time.Time{"device_removed": time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)},
		Now:      time.Date(2024, 3, 2, 0, 0, 0, 0, time.UTC),
		Explain:  true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Status, plan.Latest.Format(time.DateOnly))
	fmt.Print(plan.Explain())
	// Output:
	// keep 2024-07-29
	// device.alert: keep until 2024-07-29T00:00:00Z; must be gone by 2024-07-29T00:00:00Z (statement)
	//   device [001:38] statement ceiling: device_removed 2024-01-31T00:00:00Z + P30D = 2024-03-01T00:00:00Z: replaced by alert-floor because less specific category
	//   alert-floor [001:38] statement floor: device_removed 2024-01-31T00:00:00Z + P180D = 2024-07-29T00:00:00Z: won
	//   alert-ceiling [001:38] statement ceiling: device_removed 2024-01-31T00:00:00Z + P180D = 2024-07-29T00:00:00Z: won
}

func ExampleRules_Plan() {
	period, _ := retention.ParsePeriod("PT48H")
	rules, err := retention.New([]retention.Rule{{
		ID: "ephemeral", Source: "000:50", Kind: retention.Ceiling, Strength: retention.Typical,
		Class: []string{"service.required"}, Anchor: "used_at", Period: period,
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	used := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC)
	in := retention.Input{
		Category: "user.device", Class: "service.required",
		Events: map[retention.Anchor]time.Time{"used_at": used},
		Now:    used.Add(48 * time.Hour),
	}
	late, _ := rules.Plan(in)
	fmt.Println(late.Status, "breach:", late.Breach)

	in.Class = "account"
	other, _ := rules.Plan(in)
	fmt.Println(other.Status, other.Latest.IsZero())
	// Output:
	// overdue breach: false
	// no_rule true
}

func ExampleCombine() {
	days := func(text string) retention.Period { p, _ := retention.ParsePeriod(text); return p }
	rules, err := retention.New([]retention.Rule{
		{ID: "contact", Kind: retention.Floor, Strength: retention.Organisation, Category: "user.contact", Anchor: "collected_at", Period: days("P10D")},
		{ID: "position", Kind: retention.Ceiling, Strength: retention.Statement, Category: "user.location", Anchor: "collected_at", Period: days("P30D")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var record retention.Plan
	for _, category := range []string{"user.contact.email", "user.location.precise", "user.name"} {
		field, err := rules.Plan(retention.Input{
			Category: category,
			Events:   map[retention.Anchor]time.Time{"collected_at": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			Now:      time.Date(2026, 1, 11, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		record = retention.Combine(record, field)
	}
	fmt.Println(string(record.AppendJSON(nil)))
	// Output:
	// {"breach":false,"ceiling":"position","earliest":"2026-01-11T00:00:00Z","floor":"contact","latest":"2026-01-31T00:00:00Z","no_rule":["user.name"],"status":"deletable","strength":"statement"}
}

// A hold keeps what the rules would let go, and the ceiling that passed meanwhile
// gets some grace.
func ExampleHold() {
	rules, err := retention.New([]retention.Rule{{
		ID: "gone", Kind: retention.Ceiling, Strength: retention.Statement,
		Anchor: "device_removed", Period: retention.Period{Days: 30},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	removed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	in := retention.Input{
		Category: "device", Events: map[retention.Anchor]time.Time{"device_removed": removed}, Now: removed.AddDate(0, 2, 0),
		Holds: []retention.Hold{{ID: "case-1", Authority: "court order 1/26", Scope: "device", Placed: removed.AddDate(0, 0, 7)}},
	}
	plan, err := rules.Plan(in)
	fmt.Print(plan.Explain(), err, "\n")
	in.Holds[0].Released = in.Now
	plan, err = rules.Plan(in)
	fmt.Print(plan.Explain(), err, "\n")
	// Output:
	// device: held by case-1: keep until it is released; must be gone by 2026-01-31T00:00:00Z (statement); late because held by case-1
	// <nil>
	// device: may be deleted, since 2026-03-01T00:00:00Z; must be gone by 2026-03-31T00:00:00Z (statement); late because held by case-1
	// <nil>
}
