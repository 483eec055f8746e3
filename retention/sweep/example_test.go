package sweep_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/sweep"
)

func ExampleSweep() {
	rules, err := retention.New([]retention.Rule{{
		ID: "gone", Kind: retention.Ceiling, Strength: retention.Statement,
		Anchor: "device_removed", Period: retention.Period{Days: 30},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := strings.NewReader(`{"id":"a","events":{"device_removed":"2026-01-01T00:00:00Z"}}
{"id":"b","events":{"device_removed":"2026-02-20T00:00:00Z"}}
`)
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for finding, err := range sweep.Sweep(rules, now, sweep.Lines(lines), nil) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(finding.Record.ID, finding.Status, finding.Latest.Format(time.DateOnly))
	}
	// Output:
	// a overdue 2026-01-31
}
