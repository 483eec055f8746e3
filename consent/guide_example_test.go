package consent_test

import (
	"fmt"
	"time"

	"github.com/privetdev/privet/consent"
)

// The examples of docs/consent.md, which TestGuide compares with these.

func Example_law() {
	engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{
		Key: "accounting.tax", Basis: consent.BasisLegalObligation,
		Reference: "tax-code/147", Needs: []string{"user.financial.invoice"},
	}}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC)
	view, err := consent.NewView(consent.Facts{Records: []consent.Record{{
		Scope: consent.Scope{Purpose: "accounting"}, State: consent.StateObjected, Given: now.Add(-time.Hour),
	}}})
	if err != nil {
		panic(err)
	}
	invoice := consent.Request{Purpose: "accounting.tax", Category: "user.financial.invoice", At: now}
	fmt.Println(engine.Decide(view, &invoice).Explain())
	hobby := consent.Request{Purpose: "accounting.tax", Category: "user.hobby", At: now}
	fmt.Println(engine.Decide(view, &hobby).Reason)
	// Output:
	// allow: the law requires it (LEGAL_OBLIGATION, row 4)
	//   purpose accounting.tax on legal_obligation
	//   rule accounting.tax
	//   by reference tax-code/147
	//   must minimise user.financial.invoice, by rule accounting.tax
	// OBJECTED
}

func Example_guardian() {
	engine, err := consent.New(consent.Policy{
		Purposes: []consent.Purpose{{Key: "newsletter"}},
		Ages:     consent.Ages{Builtin: true},
	})
	if err != nil {
		panic(err)
	}
	request := consent.Request{
		Purpose: "newsletter",
		Subject: consent.Subject{AgeBand: "14", Residence: "DK"},
	}
	for _, year := range []int{2023, 2024} {
		request.At = time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		d := engine.Decide(nil, &request)
		fmt.Println(year, d.Outcome, d.Reason, d.Ask.From, d.NotAfter.Format(time.DateOnly))
	}
	// Output:
	// 2023 ask CONSENT_UNSET subject 2024-01-01
	// 2024 ask GUARDIAN_REQUIRED guardian 0001-01-01
}

func Example_signal() {
	engine, err := consent.New(consent.Policy{
		Purposes: []consent.Purpose{{Key: "ads", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseSale}}},
		Regimes:  consent.Regimes{Builtin: true, AfterNotice: []string{"US-CA"}},
	})
	if err != nil {
		panic(err)
	}
	seen := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ask := func(place string, view *consent.View) {
		d := engine.Decide(view, &consent.Request{
			Purpose: "ads", At: seen.Add(72 * time.Hour),
			Subject: consent.Subject{ID: "person-1", Residence: place},
			Signals: consent.Signals{List: []consent.Signal{{Kind: consent.SignalGPC, Since: seen}}},
		})
		fmt.Println(place, d.Regime, d.Outcome, d.Reason, d.Overridden)
	}
	ask("US-VA", nil)
	ask("US-CA", nil)
	view, err := consent.NewView(consent.Facts{Records: []consent.Record{{
		Scope: consent.Scope{Purpose: "ads"}, State: consent.StateGranted, Strength: consent.Expressed,
		Given: seen.Add(24 * time.Hour), AfterConflict: true,
	}}})
	if err != nil {
		panic(err)
	}
	ask("US-CA", view)
	ask("DE", nil)
	// Output:
	// US-VA opt_out allow OPT_OUT_REGIME_DEFAULT []
	// US-CA opt_out deny SIGNAL_GPC []
	// US-CA opt_out allow OPT_OUT_REGIME_DEFAULT [{11 SIGNAL_OVERRIDDEN_BY_CONSENT  the person consented later, told that a signal says otherwise}]
	// DE opt_in deny SIGNAL_GPC []
}

func Example_agreement() {
	enterprise := consent.Condition{Text: `context.product == "enterprise"`, Func: func(r *consent.Request) (bool, error) {
		return r.Context["product"] == "enterprise", nil
	}}
	engine, err := consent.New(consent.Policy{
		Sources: []consent.Source{
			{ID: "agreement", Layer: consent.LayerAgreement}, {ID: "statement", Layer: consent.LayerStatement},
		},
		Purposes:     []consent.Purpose{{Key: "improve", Basis: consent.BasisContract}},
		Prohibitions: []consent.Prohibition{{ID: "no-improvement", Source: "statement", Topic: "improvement"}},
		Overrides:    []consent.Override{{ID: "agreement-controls", Source: "agreement", Sources: []string{"statement"}, Topics: []string{"improvement"}, When: enterprise}},
	})
	if err != nil {
		panic(err)
	}
	for _, product := range []string{"consumer", "enterprise"} {
		d := engine.Decide(nil, &consent.Request{
			Purpose: "improve", Context: map[string]string{"product": product},
			At: time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC),
		})
		fmt.Println(product, d.Outcome, d.Reason)
		for _, step := range d.Overridden {
			fmt.Println(" ", step.Rule, step.Note)
		}
	}
	// Output:
	// consumer deny PROHIBITED
	// enterprise allow CONTRACT
	//   no-improvement set aside by override agreement-controls
}

func Example_merge() {
	engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "analytics"}}})
	if err != nil {
		panic(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	answer := func(state consent.State, given time.Time) consent.Record {
		return consent.Record{Scope: consent.Scope{Purpose: "analytics"}, State: state, Strength: consent.Expressed, Given: given}
	}
	facts := consent.Facts{
		Records: []consent.Record{answer(consent.StateGranted, day(5))},
		Merged:  []consent.Merge{{At: day(10), Records: []consent.Record{answer(consent.StateDenied, day(2))}}},
	}
	for range 2 {
		view, err := consent.NewView(facts)
		if err != nil {
			panic(err)
		}
		fmt.Println(engine.Decide(view, &consent.Request{Purpose: "analytics", At: day(20)}).Reason)
		facts.Records = append(facts.Records, answer(consent.StateGranted, day(15)))
	}
	// Output:
	// REFUSED
	// CONSENT
}

func ExampleAgeTable() {
	for _, row := range consent.AgeTable() {
		if row.Place == "DK" {
			fmt.Println(row.Place, row.Under, row.From.Year())
		}
	}
	// Output:
	// DK 13 1
	// DK 15 2024
}

func ExampleRegimeTable() {
	for _, row := range consent.RegimeTable() {
		if row.Place == "US-CO" {
			fmt.Println(row.Place, row.Mechanism, row.GPC, row.From.Year())
		}
	}
	// Output:
	// US-CO opt_out false 1
	// US-CO opt_out true 2024
}
