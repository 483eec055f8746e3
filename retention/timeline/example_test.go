package timeline_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/timeline"
)

func ExampleSVG() {
	rules, err := retention.New([]retention.Rule{{
		ID: "gone", Source: "statement, page 4", Kind: retention.Ceiling, Strength: retention.Statement,
		Anchor: "device_removed", Period: retention.Period{Days: 30},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	removed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	plan, err := rules.Plan(retention.Input{
		Category: "device", Events: map[retention.Anchor]time.Time{"device_removed": removed},
		Now: removed.Add(240 * time.Hour), Explain: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	picture := string(timeline.SVG(&plan, timeline.Wide))
	_, title, _ := strings.Cut(picture, "-t\">")
	title, _, _ = strings.Cut(title, "</title>")
	fmt.Println(strings.HasPrefix(picture, "<svg "), title)
	// Output:
	// true device: May be deleted, since 2026-01-01
}

func ExampleHTML() {
	plan, err := (*retention.Rules)(nil).Plan(retention.Input{Category: "device", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := timeline.HTML(&plan)
	fmt.Println(strings.Contains(string(page), "<title>device: No rule is known</title>"), err)
	// Output:
	// true <nil>
}
