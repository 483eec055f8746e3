package audit_test

import (
	"fmt"
	"time"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/audit"
)

func ExampleAudit() {
	rules, err := retention.New([]retention.Rule{{
		ID: "gone", Kind: retention.Ceiling, Strength: retention.Statement,
		Anchor: "device_removed", Period: retention.Period{Days: 30},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	removed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	plan, err := rules.Plan(retention.Input{Category: "device", Events: map[retention.Anchor]time.Time{"device_removed": removed}, Now: removed.AddDate(0, 2, 0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := audit.Audit(&plan, []retention.Copy{retention.Primary, retention.Backup}, []audit.Removal{{Copy: retention.Primary, At: removed.AddDate(0, 0, 20)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range report.Findings {
		fmt.Println(f.Copy, f.Verdict, f.By)
	}
	// Output:
	// primary in_time 0s
	// backup missing 696h0m0s
}
