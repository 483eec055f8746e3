package consent_test

import (
	"fmt"
	"time"

	"github.com/privetdev/privet/consent"
)

func ExampleEngine_Decide() {
	engine, err := consent.New(consent.Policy{
		Purposes: []consent.Purpose{
			{Key: "service.provide", Basis: consent.BasisContract},
			{Key: "diagnostic.optional", Basis: consent.BasisConsent},
			{Key: "advertising.interest_based", Mechanism: consent.OptOut, Signals: []string{consent.SignalGPC}},
		},
		Features: []consent.Feature{
			{Key: "find-my-device", Kind: consent.Optional, Purposes: []string{"service.provide"}, Categories: []string{"user.location"}},
		},
	})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC)

	d := engine.Decide(nil, &consent.Request{Purpose: "service.provide", Feature: "find-my-device", Category: "user.location.precise", At: now})
	fmt.Println(d.Outcome, d.Reason)

	d = engine.Decide(nil, &consent.Request{
		Purpose: "service.provide", Feature: "find-my-device", Category: "user.location.precise", At: now,
		Switches: map[string]bool{"find-my-device": false},
	})
	fmt.Println(d.Outcome, d.Reason)

	d = engine.Decide(nil, &consent.Request{Purpose: "diagnostic.optional", At: now})
	fmt.Println(d.Outcome, d.Reason, d.Ask.Strength, d.Ask.Purposes)

	d = engine.Decide(nil, &consent.Request{Purpose: "advertising.interest_based", Signals: consent.Signals{GPC: true}, At: now})
	fmt.Println(d.Explain())
	// Output:
	// allow CONTRACT
	// deny FEATURE_OFF
	// ask CONSENT_UNSET expressed [diagnostic.optional]
	// deny: Global Privacy Control is on (SIGNAL_GPC, row 10)
	//   purpose advertising.interest_based
	//   rule advertising.interest_based
}

func ExampleNewView() {
	engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "newsletter"}}})
	if err != nil {
		panic(err)
	}
	given := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	view, err := consent.NewView(consent.Facts{Records: []consent.Record{{
		ID: "r1", Scope: consent.Scope{Purpose: "newsletter"}, State: consent.StateGranted, Strength: consent.Expressed,
		Given: given, Expires: given.Add(365 * 24 * time.Hour),
	}}})
	if err != nil {
		panic(err)
	}
	d := engine.Decide(view, &consent.Request{Purpose: "newsletter", At: given.Add(24 * time.Hour)})
	fmt.Println(d.Outcome, d.Evidence, d.NotAfter.Format(time.DateOnly))
	// Output: allow [{consent r1}] 2027-01-01
}

func ExampleNew() {
	_, err := consent.New(consent.Policy{Purposes: []consent.Purpose{
		{Key: "ads", Basis: consent.BasisConsent, Mechanism: consent.OptOut},
		{Key: "fraud", Basis: consent.BasisLegitimateInterest},
	}})
	fmt.Println(err)
	// Output:
	// consent: purposes[0].mechanism: consent is always opt-in: leave the mechanism out, or leave the basis out
	// consent: purposes[1].assessment: goes with legitimate interest, and only with it: refer to the balancing test, or leave it out
}

func ExampleEngine_Inventory() {
	engine, err := consent.New(consent.Policy{
		Purposes: []consent.Purpose{{Key: "locate", Basis: consent.BasisContract}, {Key: "restore", Basis: consent.BasisContract}},
		Classes:  []consent.Class{{Key: "service.required", Necessary: true}},
		Features: []consent.Feature{
			{Key: "find-my-device", Kind: consent.Optional, Purposes: []string{"locate"}, Categories: []string{"user.location"}},
			{Key: "backup", Kind: consent.Optional, Purposes: []string{"restore"}},
		},
	})
	if err != nil {
		panic(err)
	}
	for _, f := range engine.Inventory(map[string]bool{"backup": false}, nil) {
		fmt.Println(f.Feature, f.Class, f.Purpose, f.Categories)
	}
	// Output: find-my-device service.required locate [user.location]
}
