package privacy_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

func Example() {
	bundle, err := policy.Pack("windows-service-data")
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := privacy.Open(bundle, privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	if err != nil {
		fmt.Println(err)
		return
	}
	used := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC)
	res, err := guard.Process(context.Background(), privacy.Event{
		At: used, Class: "service.required", Purpose: "service.deliver.locate", Feature: "find-my-device",
		Subject: privacy.Subject{ID: "s-1", Tenant: "contoso"},
		Anchors: map[retention.Anchor]time.Time{"used_at": used, "service_provided": used},
		Fields:  map[string]any{"latitude": 47.6401, "longitude": -122.1295, "state": "found, call +1 425 555 0100"},
	})
	if err != nil {
		fmt.Println(err) // could not decide; a denial is a result
		return
	}
	fmt.Println(res.Outcome, res.Reason)
	fmt.Println(res.Fields["latitude"], res.Fields["longitude"])
	fmt.Println(res.Fields["state"])
	fmt.Println("gone by", res.Retention.Latest.Format(time.RFC3339), res.Retention.Strength)
	// Output:
	// partial CONTRACT
	// 47.64 -122.13
	// found, call [user.contact.phone_number]
	// gone by 2026-03-30T10:00:00Z typical
}

func ExampleGuard_Decide() {
	bundle, _ := policy.Pack("windows-service-data")
	guard, _ := privacy.Open(bundle)
	d, _ := guard.Decide(context.Background(), consent.Request{
		Class: "diagnostic.optional", Purpose: "experience.performance",
		At: time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC),
	})
	fmt.Println(d.Outcome, d.Reason, d.Ask.Purposes)
	// Output: ask CONSENT_UNSET [experience.performance]
}

func ExampleGuard_ProcessJSON() {
	bundle, _ := policy.Pack("windows-service-data")
	guard, _ := privacy.Open(bundle)
	_, err := guard.ProcessJSON(context.Background(), nil, []byte(`{"at":"2026-03-28T10:00:00Z","purpos":"x"}`), false)
	fmt.Println(err)
	// Output: event: has a key that is not known here (byte 38); the keys are: id at class purpose purposes feature operation subject switches admin signals origin anchors withdrawn holds erasure channel data_source qualifier claim recipient region staff_country service location age_assured reference by_subject party collector settings promote combine share notices context declared consents merged claims erased restricted fields
}

// A hold keeps what would have to go, and the plan says so.
func ExampleGuard_PlanJSON() {
	bundle, _ := policy.Compile("policy.yaml", []byte(`
privet: 1
name: orders
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
retention: [{id: gone, source: us, kind: ceiling, strength: organisation, anchor: closed, period: P30D}]
`))
	guard, _ := privacy.Open(bundle)
	plan, err := guard.PlanJSON(nil, []byte(`{"now":"2026-04-10T00:00:00Z","anchors":{"closed":"2026-03-01T00:00:00Z"},
		"holds":[{"id":"case-7","authority":"court order 1/26","scope":"*","placed":"2026-03-20T00:00:00Z"}]}`))
	fmt.Println(string(plan), err)
	// Output: {"breach":false,"ceiling":"gone","earliest":null,"hold":"case-7","late_because_held":true,"latest":"2026-03-31T00:00:00Z","status":"held","strength":"organisation"} <nil>
}

func ExampleBundle_RetentionWarnings() {
	bundle, _ := policy.Compile("policy.yaml", []byte(`
privet: 1
name: orders
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
retention:
  - {id: ours, source: us, topic: end, kind: ceiling, strength: statement, anchor: closed, period: P90D}
  - {id: theirs, source: us, topic: end, kind: ceiling, strength: agreement, anchor: closed, period: P30D}
`))
	for _, p := range bundle.RetentionWarnings() {
		fmt.Println(p)
	}
	// Output: rule ours: topic: unreachable: another rule of its topic always replaces it: remove it, or narrow the other rule
}

func ExampleReadBundle() {
	compiled, _ := policy.Pack("windows-service-data") // at author time
	data := compiled.Bytes()                           // shipped as a file
	bundle, err := privacy.ReadBundle(data)            // in the service
	fmt.Println(bundle.Info().Name, err)
	_, err = privacy.ReadBundle(data[:len(data)-1])
	fmt.Println(err)
	// Output:
	// windows-service-data <nil>
	// bundle: the bytes end too early; copy or download the file again
}
