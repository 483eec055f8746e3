package policy_test

import (
	"fmt"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/privacy/policy"
)

// A file of rules carries its tests, and the report says what they leave out.
func ExampleTest() {
	report, err := policy.Test("orders.yaml", []byte(`
privet: 1
name: acme-orders
extends: [builtin]
rules:
  - id: loyalty-card
    category: user.unique_id
    confidence: 0.9
    when: field.name == "loyaltyCard" || value.startsWith("LC-")
    tests:
      match: [loyaltyCard]
      no_match: [{name: cardColour, value: red}]
`))
	if err != nil {
		fmt.Println(err) // every fault, with its place and a mend
		return
	}
	both, all := celrules.Share(report.Coverage)
	fmt.Println(len(report.Cases), "tests, all passed:", report.OK())
	fmt.Println(both, "of", all, "sub-conditions seen true and seen false")
	for _, p := range report.Coverage[0].Parts {
		if !p.Both() {
			fmt.Printf("%d:%d: %s: true %t, false %t\n", p.Line, p.Column, p.Text, p.True, p.False)
		}
	}
	// Output:
	// 2 tests, all passed: true
	// 2 of 3 sub-conditions seen true and seen false
	// 9:42: value.startsWith("LC-"): true false, false true
}
