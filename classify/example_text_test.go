package classify_test

import (
	"fmt"
	"strings"

	"github.com/privetdev/privet/classify"
)

// Text of any length is searched as it is read.
func ExampleScanner_ScanReader() {
	log := strings.NewReader("login failed for jane@example.com from 203.0.113.7\n")
	s := classify.Builtin().NewScanner()
	err := s.ScanReader(log, func(f classify.Finding) error {
		fmt.Printf("%d–%d %s (%s) %v\n", f.Start, f.End, f.Detector, f.Category, f.Confidence)
		return nil
	})
	fmt.Println(err)
	// Output:
	// 17–33 email-address (user.contact.email) 0.95
	// 39–50 ip-address (user.device.ip_address) 0.6
	// <nil>
}

// Some of the built-in detectors, and one of them only if it is sure.
func ExampleClassifier_Select() {
	c, err := classify.Builtin().Select(classify.Selection{
		Detectors:  []string{"us-*", "iban-code", "email-address"},
		Exclude:    []string{"us-passport"},
		Thresholds: map[string]float64{"us-ssn": 0.8},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range c.NewScanner().Scan(nil, "jane@example.com, 130-07-5728, SSN 130-07-5728") {
		fmt.Println(f.Detector, f.Start)
	}
	_, err = classify.Builtin().Select(classify.Selection{Countries: []string{"uk"}})
	fmt.Println(err)
	// Output:
	// email-address 0
	// us-ssn 18
	// us-ssn 35
	// classify: unknown country: "uk"; did you mean "gb"?
}
