package consent_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

const canary = "canary@example.test"

// Nothing that a request, a fact or an error of a condition contains comes out.
func TestCanary(t *testing.T) {
	policy := services()
	policy.Purposes = append(policy.Purposes, consent.Purpose{Key: "free", Mechanism: consent.OptOut}, consent.Purpose{Key: "aged", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseSale}}, consent.Purpose{Key: "law", Basis: consent.BasisLegalObligation, Needs: []string{"k"}})
	policy.Ages, policy.Regimes = consent.Ages{Builtin: true}, consent.Regimes{Builtin: true}
	policy.Residency = []consent.Residency{{ID: "eu", Source: "ours", When: consent.Condition{Func: func(r *consent.Request) (bool, error) { return r.Region != "", nil }}, StoreIn: consent.Place{In: []string{"eu"}}}}
	e, err := consent.New(policy)
	require.NoError(t, err)
	broken := policy
	broken.Prohibitions = append(broken.Prohibitions[:1:1], consent.Prohibition{ID: "breaks", Source: "ours", When: failing})
	eBroken, err := consent.New(broken)
	require.NoError(t, err)

	var out []string
	checked := 0
	look := func(where string, texts ...string) {
		for _, s := range texts {
			out = append(out, s)
			assert.NotContains(t, s, "canary", where)
			checked++
		}
	}

	full := consent.Request{
		Subject: consent.Subject{ID: canary, Account: canary, Tenant: canary, AgeBand: canary, Residence: canary, Attr: map[string]string{canary: canary}},
		Purpose: "free.canary", Category: canary, Qualifier: canary, Origin: canary, Channel: canary, Recipient: consent.Recipient{Role: canary, ID: canary},
		StaffCountry: canary, Switches: map[string]bool{canary: false}, Admin: map[string]bool{canary: false}, Claim: canary,
		Context: map[string]string{canary: canary}, Notices: []consent.NoticeRef{{ID: canary, Version: canary}}, Service: canary, At: noon,
	}
	full.Location, full.AgeAssured, full.Reference, full.Party, full.Collector = canary, canary, "canary", canary, canary
	full.Settings = []consent.Setting{{Feature: canary, By: consent.ByAdmin, Collector: canary, Tenant: canary}}
	full.Signals.List = []consent.Signal{{Kind: canary, OptOut: []consent.Use{canary}, Source: canary, Device: canary}}
	variants := []func(*consent.Request){
		func(*consent.Request) {},
		func(r *consent.Request) { r.Reference = canary },
		func(r *consent.Request) {
			r.Settings = []consent.Setting{{Feature: "updates", By: consent.ByAdmin, Of: canary}}
		},
		func(r *consent.Request) {
			r.Settings, r.Feature = []consent.Setting{{Feature: "updates", By: consent.ByAdmin, Collector: canary, Tenant: canary}}, "updates"
		},
		func(r *consent.Request) {
			r.Purpose, r.Recipient.ID = "aged", canary
			r.Signals.List = []consent.Signal{{Kind: consent.SignalGPP, OptOut: []consent.Use{consent.UseSale}, Source: canary, Device: canary}}
		},
		func(r *consent.Request) { r.Purpose = "law.canary" },
		func(r *consent.Request) { r.Purpose, r.Region = "law", "" },
		func(r *consent.Request) { r.Purpose = canary },
		func(r *consent.Request) { r.Purpose = "canary" },
		func(r *consent.Request) { r.Purpose, r.Purposes = "", []string{"free", "sync.canary", "canary"} },
		func(r *consent.Request) { r.Purpose = "sync.canary" },
		func(r *consent.Request) { r.Operation = canary },
		func(r *consent.Request) { r.Feature = canary },
		func(r *consent.Request) { r.Class = canary },
		func(r *consent.Request) { r.DataSource = canary },
		func(r *consent.Request) { r.Region = canary },
		func(r *consent.Request) { r.Promote = consent.Promote{From: canary, To: canary + "2"} },
		func(r *consent.Request) {
			r.Combine.With = []consent.Origin{{Class: canary, Service: canary}, {Class: "x"}}
		},
		func(r *consent.Request) { r.Share = consent.Share{Recipient: canary, Attributes: []string{canary}} },
		func(r *consent.Request) {
			r.Share = consent.Share{Recipient: canary + "3", Attributes: []string{canary}}
		},
	}
	facts := []consent.Facts{
		{},
		records(consent.Record{
			ID: "r1", State: consent.StateDenied, Given: noon.Add(-1),
			Scope: consent.Scope{Purpose: "free.canary", Channel: canary, Recipient: canary, Service: canary},
		}),
		records(consent.Record{
			ID: "r2", State: consent.StateGranted, Strength: consent.Explicit, Given: noon.Add(-1), Notice: consent.NoticeRef{ID: canary, Version: canary},
			Scope: consent.Scope{Purpose: "sync.canary", Operation: consent.OpShare, Recipient: canary, Attributes: []string{canary}},
		}, consent.Record{
			ID: "r3", State: consent.StateGranted, Given: noon.Add(-1), Scope: consent.Scope{Purpose: "sync.canary", Channel: canary, Service: canary},
		}),
	}
	reasons := map[consent.Reason]bool{}
	for _, engine := range []*consent.Engine{e, eBroken} {
		for _, f := range facts {
			v := viewOf(t, f)
			for _, change := range variants {
				r := full
				change(&r)
				d := engine.Decide(v, &r)
				reasons[d.Reason] = true
				look(string(d.Reason), d.Explain(), string(d.AppendJSON(nil)))
			}
		}
	}
	assert.Greater(t, len(reasons), 8, "the canary must have been through many rows")

	for _, bad := range []consent.Policy{
		{Sources: []consent.Source{{ID: canary, Layer: canary}}},
		{Purposes: []consent.Purpose{{Key: canary, Basis: canary, Mechanism: canary, Strength: canary, Notice: canary, Source: canary, Assessment: canary, Channels: []string{canary}, Signals: []string{canary}}}},
		{Purposes: []consent.Purpose{{Key: "p", Basis: canary, Strength: canary, Notice: canary, Source: canary, Assessment: canary, Channels: []string{canary}, Signals: []string{canary}}}},
		{Classes: []consent.Class{{Key: canary, Purposes: []string{canary}, Source: canary}}},
		{Features: []consent.Feature{{Key: canary, Kind: canary, Purposes: []string{canary}, Categories: []string{canary}, Classes: []string{canary, "canary"}, Sync: canary, Source: canary}}},
		{DataSources: []consent.DataSource{{Key: canary, Parent: canary, Purposes: []string{canary}, Categories: []string{canary}, Flows: []consent.DataFlow{{Purpose: canary}}}}},
		{Prohibitions: []consent.Prohibition{{ID: canary, Source: canary, When: consent.Condition{Text: canary}}}},
		{Requirements: []consent.Requirement{{ID: canary, Source: canary, Strength: canary}}},
		{Residency: []consent.Residency{{ID: canary, Source: canary, StoreIn: consent.Place{Text: canary}}}},
		{Gates: consent.Gates{Promotion: canary, Combination: canary, Share: canary}},
		{Promotions: []consent.Promotion{{ID: canary, Source: canary, From: []string{canary}, To: canary, Kinds: []consent.Kind{canary}, Purpose: canary}}},
		{Obligations: []consent.ObligationRule{{ID: canary, Source: canary, Obligation: consent.Obligation{Kind: canary, Period: canary}}}},
		{Notices: []consent.Notice{{ID: canary, Version: canary, Texts: []consent.NoticeText{{Language: canary, Hash: canary}}}}},
		{Duties: []consent.Duty{{ID: canary, Source: canary, Purpose: canary, Basis: canary, Reference: canary, Needs: []string{canary}}}},
		{Recipients: []consent.RecipientRule{{ID: canary, Source: canary, Role: canary, Basis: canary, Reference: canary, Assessment: canary, Purposes: []string{canary}}}},
		{Overrides: []consent.Override{{ID: canary, Source: canary, Rules: []string{canary}, Sources: []string{canary}, Topics: []string{canary}}}},
		{Ages: consent.Ages{Assurance: canary, Rules: []consent.AgeRule{{Place: canary, Giver: canary, Uses: []consent.Use{canary}, Source: canary}}}},
		{Regimes: consent.Regimes{AfterNotice: []string{canary}, Rules: []consent.RegimeRule{{Place: canary, Mechanism: canary, Sensitive: canary, Source: canary}}}, Sensitive: []string{canary}},
		{Hash: canary, Features: []consent.Feature{{Key: canary, Affects: canary}}},
	} {
		_, err := consent.New(bad)
		require.Error(t, err)
		look("config error", err.Error())
	}
	for _, bad := range []consent.Facts{
		records(consent.Record{ID: canary, Scope: consent.Scope{Purpose: "p"}, State: consent.StateGranted, Given: noon}),
		records(consent.Record{Scope: consent.Scope{Purpose: canary}}),
		records(consent.Record{Scope: consent.Scope{Purpose: "p", Operation: canary}}),
		records(consent.Record{Scope: consent.Scope{Purpose: "p", Recipient: strings.Repeat(canary, 20)}}),
		records(consent.Record{Scope: consent.Scope{Purpose: "p"}, State: canary}),
		records(consent.Record{Scope: consent.Scope{Purpose: "p"}, State: consent.StateGranted, Given: noon, Strength: canary}),
		records(consent.Record{Scope: consent.Scope{Purpose: "p"}, State: consent.StateGranted, Given: noon, By: canary}),
		{Head: canary},
		{Merged: []consent.Merge{{At: noon, Records: []consent.Record{{ID: canary, Scope: consent.Scope{Purpose: canary}}}}}},
		{Claims: []consent.Claim{{ID: canary}}},
		{Claims: []consent.Claim{{ID: "c", Result: canary}}},
	} {
		_, err := consent.NewView(bad)
		require.Error(t, err)
		look("fact error", err.Error())
	}
	require.Greater(t, checked, 180)
	require.Len(t, out, checked)
}
