package consent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

// services is a policy that says what the fact table R and C of the service-data
// document say; each test below names its facts.
func services() consent.Policy {
	under := func(key, ancestor string) bool { return below(key, ancestor) }
	return consent.Policy{
		Sources: []consent.Source{
			{ID: "service-data", Title: "Required service data", Layer: consent.LayerStatement, AsOf: "2025-07-29"},
			{ID: "ours", Title: "Readings of our own", Layer: consent.LayerDefault},
		},
		Purposes: []consent.Purpose{
			{Key: "service.operate", Basis: consent.BasisContract, Source: "ours"},
			{Key: "service.deliver", Basis: consent.BasisContract, Source: "ours"},
			{Key: "service.deliver.locate", Basis: consent.BasisContract, Source: "ours"},
			{Key: "service.deliver.restore", Basis: consent.BasisContract, Source: "ours"},
			{Key: "quality", Basis: consent.BasisConsent, Source: "service-data"},
			{Key: "diagnostic.optional", Basis: consent.BasisConsent, Source: "service-data"},
			{Key: "diagnostic.secure", Basis: consent.BasisConsent, Source: "service-data"},
			{Key: "sync", Basis: consent.BasisConsent, Source: "service-data"},
			{Key: "research", Basis: consent.BasisConsent, Source: "ours"},
			{Key: "advertising.interest_based", Mechanism: consent.OptOut, Signals: []string{consent.SignalGPC}},
		},
		Classes: []consent.Class{
			{Key: "service.required", Purposes: []string{"service.operate", "service.deliver", "quality"}, Necessary: true, Source: "service-data"},
			{Key: "diagnostic.optional", Purposes: []string{"diagnostic"}, Source: "service-data"},
			{Key: "account", Purposes: []string{"sync"}, Source: "service-data"},
		},
		Features: []consent.Feature{
			{Key: "licensing", Kind: consent.Essential, Purposes: []string{"service.operate"}, Classes: []string{"service.required"}},
			{Key: "updates", Kind: consent.Essential, AdminCanDisable: true, Purposes: []string{"service"}, Classes: []string{"service"}},
			{
				Key: "find-my-device", Kind: consent.Optional, Purposes: []string{"service.deliver.locate", "quality", "diagnostic"},
				Categories: []string{"user.location.precise", "user.device"}, Classes: []string{"service.required", "diagnostic"},
			},
			{Key: "backup", Kind: consent.Optional, Purposes: []string{"service.deliver.restore"}, Sync: "sync"},
		},
		Promotions: []consent.Promotion{
			{ID: "service-to-account", Source: "service-data", From: []string{"service.required"}, To: "account", Kinds: []consent.Kind{consent.Optional}, Purpose: "sync"},
		},
		Prohibitions: []consent.Prohibition{{
			ID: "content-never-targets-ads", Source: "service-data",
			When: consent.Condition{Text: `under(category, "user.content") && under(purpose, "advertising")`, Func: func(r *consent.Request) (bool, error) {
				return under(r.Category, "user.content") && under(r.Purpose, "advertising"), nil
			}},
		}},
		Obligations: []consent.ObligationRule{{
			ID: "ephemeral", Source: "service-data",
			When:       consent.Condition{Text: `class == "service.required"`, Func: func(r *consent.Request) (bool, error) { return r.Class == "service.required", nil }},
			Obligation: consent.Obligation{Kind: consent.DeleteWithin, Limit: "ceiling", Strength: "typical", Period: "PT48H", Anchor: "used_at"},
		}},
	}
}

type question struct {
	fact, reason string
	facts        consent.Facts
	req          consent.Request
	outcome      consent.Outcome
	code         consent.Reason
	rule         string
}

func scoped(r consent.Record, op consent.Operation, change func(*consent.Scope)) consent.Record {
	r.ID += "-" + string(op)
	r.Operation = op
	if change != nil {
		change(&r.Scope)
	}
	return r
}

func records(list ...consent.Record) consent.Facts { return consent.Facts{Records: list} }

func TestFacts(t *testing.T) {
	e, err := consent.New(services())
	require.NoError(t, err)
	before, after := grant("sync"), grant("sync")
	before.Given, after.Given = noon.Add(-time.Second), noon.Add(time.Second)
	by := func(service string) func(*consent.Scope) { return func(s *consent.Scope) { s.Service = service } }
	service := func(s string) consent.Origin { return consent.Origin{Class: "service.required", Service: s} }
	promote := consent.Request{
		Purpose: "sync", Feature: "find-my-device", Class: "service.required", Operation: consent.OpPromote,
		Promote: consent.Promote{From: "service.required", To: "account"}, Service: "maps",
	}
	combine := consent.Request{
		Purpose: "service.deliver", Class: "service.required", Operation: consent.OpCombine, Service: "maps",
		Combine: consent.Combine{With: []consent.Origin{service("mail")}},
	}
	three := combine
	three.Combine.With = []consent.Origin{service("mail"), {Class: "diagnostic.optional"}}
	two := scoped(grant("service.deliver"), consent.OpCombine, func(s *consent.Scope) {
		s.Service, s.Origins = "maps", []consent.Origin{service("mail"), service("maps")}
	})
	from := func(r consent.Request, change func(*consent.Request)) consent.Request { change(&r); return r }
	locate := consent.Request{Purpose: "service.deliver.locate", Feature: "find-my-device", Class: "service.required", Category: "user.location.precise"}
	claim := func(result consent.Result, live bool) consent.Facts {
		return consent.Facts{Claims: []consent.Claim{{ID: "batch-7", Result: result, CheckedAt: noon.Add(-time.Hour), Expires: noon.Add(time.Hour), LiveKey: live}}}
	}
	free := consent.Request{Purpose: "quality", Feature: "find-my-device", Class: "service.required", Qualifier: consent.Anonymized, Claim: "batch-7"}

	for _, q := range []question{
		{"C1 R7", "the experience is on", consent.Facts{}, locate, consent.Allow, consent.ReasonContract, "service.deliver.locate"},
		{"C1 R7", "off: nothing for it, even if consent was granted", records(grant("service.deliver.locate")), from(locate, func(r *consent.Request) { r.Switches = map[string]bool{"find-my-device": false} }), consent.Deny, consent.ReasonFeatureOff, "find-my-device"},
		{"R7", "another feature's data still flows", consent.Facts{}, consent.Request{Purpose: "service.deliver.restore", Feature: "backup", Class: "service.required", Switches: map[string]bool{"find-my-device": false}}, consent.Allow, consent.ReasonContract, "service.deliver.restore"},
		{"C2 X27", "essential and unset", consent.Facts{}, consent.Request{Purpose: "service.operate", Feature: "licensing", Class: "service.required"}, consent.Allow, consent.ReasonEssential, "service.operate"},
		{"C2", "its user's off has no effect", consent.Facts{}, consent.Request{Purpose: "service.operate", Feature: "licensing", Class: "service.required", Switches: map[string]bool{"licensing": false}}, consent.Allow, consent.ReasonEssential, "service.operate"},
		{"C2", "an administrator's off where it is not offered has none either", consent.Facts{}, consent.Request{Purpose: "service.operate", Feature: "licensing", Class: "service.required", Admin: map[string]bool{"licensing": false}}, consent.Allow, consent.ReasonEssential, "service.operate"},
		{"C2 R7", "where it is offered it counts", consent.Facts{}, consent.Request{Purpose: "service.operate", Feature: "updates", Class: "service.required", Admin: map[string]bool{"updates": false}}, consent.Deny, consent.ReasonAdminDisabled, "updates"},
		{"C3 R8", "diagnostic data refused, service data still sent", records(refusal("diagnostic", consent.StateWithdrawn)), locate, consent.Allow, consent.ReasonContract, "service.deliver.locate"},
		{"C3", "and the reverse", records(refusal("service", consent.StateDenied), grant("diagnostic.optional")), consent.Request{Purpose: "diagnostic.optional", Class: "diagnostic.optional"}, consent.Allow, consent.ReasonConsent, "diagnostic.optional"},
		{"C4", "an operation for both needs both", consent.Facts{}, from(locate, func(r *consent.Request) {
			r.Class, r.Category, r.Purposes = "", "", []string{"service.deliver.locate", "diagnostic.optional"}
			r.Purpose = ""
		}), consent.AskFirst, consent.ReasonConsentUnset, "diagnostic.optional"},
		{"C4", "and is allowed with both", records(grant("diagnostic.optional")), from(locate, func(r *consent.Request) {
			r.Class, r.Category, r.Purposes = "", "", []string{"service.deliver.locate", "diagnostic.optional"}
			r.Purpose = ""
		}), consent.Allow, consent.ReasonConsent, "diagnostic.optional"},

		{"C5 R3", "promotion without consent", consent.Facts{}, promote, consent.AskFirst, consent.ReasonPromotionNeedsConsent, "gates.promotion"},
		{"C5", "consent to the use is not consent to the promotion", records(grant("sync")), promote, consent.AskFirst, consent.ReasonPromotionNeedsConsent, "gates.promotion"},
		{"C5 R3", "with it", records(scoped(before, consent.OpPromote, by("maps"))), promote, consent.Allow, consent.ReasonConsent, "sync"},
		{"C5 R3", "from an essential service even with it", records(scoped(before, consent.OpPromote, by("maps"))), from(promote, func(r *consent.Request) { r.Feature = "updates" }), consent.Deny, consent.ReasonProhibited, "service-to-account"},
		{"C5", "from no known feature", records(scoped(before, consent.OpPromote, by("maps"))), from(promote, func(r *consent.Request) { r.Feature = "" }), consent.Deny, consent.ReasonProhibited, "service-to-account"},
		{"R3", "of another class", records(scoped(before, consent.OpPromote, by("maps"))), from(promote, func(r *consent.Request) { r.Class, r.Promote.From = "diagnostic.optional", "diagnostic.optional" }), consent.Deny, consent.ReasonNotDeclared, "promotions"},
		{"C23", "consent one second after the promotion", records(scoped(after, consent.OpPromote, by("maps"))), promote, consent.AskFirst, consent.ReasonPromotionNeedsConsent, "gates.promotion"},
		{"C23", "consent at the very instant", records(scoped(grant("sync"), consent.OpPromote, by("maps"))), from(promote, func(r *consent.Request) { r.At = noon.Add(-48 * time.Hour) }), consent.AskFirst, consent.ReasonPromotionNeedsConsent, "gates.promotion"},
		{"C23", "consent given to another service", records(scoped(before, consent.OpPromote, by("mail"))), promote, consent.AskFirst, consent.ReasonPromotionNeedsConsent, "gates.promotion"},
		{"X29", "the move serves sync, not advertising", records(scoped(before, consent.OpPromote, by("maps")), scoped(grant("advertising.interest_based"), consent.OpPromote, by("maps"))), from(promote, func(r *consent.Request) { r.Purpose = "advertising.interest_based" }), consent.Deny, consent.ReasonNotDeclared, "service-to-account"},
		{"X29", "what was promoted is not for research", records(scoped(before, consent.OpPromote, by("maps")), grant("research")), consent.Request{Purpose: "research", Class: "account"}, consent.Deny, consent.ReasonNotDeclared, "account"},

		{"C6 R4", "combination without consent", consent.Facts{}, combine, consent.AskFirst, consent.ReasonCombinationNeedsConsent, "gates.combination"},
		{"C6", "A+B granted, A+B asked", records(two), combine, consent.Allow, consent.ReasonContract, "service.deliver"},
		{"C6", "A+B granted, B+A asked by B", records(scoped(grant("service.deliver"), consent.OpCombine, func(s *consent.Scope) {
			s.Service, s.Origins = "mail", []consent.Origin{service("maps"), service("mail")}
		})), from(combine, func(r *consent.Request) {
			r.Service, r.Combine.With = "mail", []consent.Origin{service("maps")}
		}), consent.Allow, consent.ReasonContract, "service.deliver"},
		{"C6", "A+B granted, A+B+C asked", records(two), three, consent.AskFirst, consent.ReasonCombinationNeedsConsent, "gates.combination"},
		{"C6", "A+B and B+C granted apart", records(two, scoped(grant("service.deliver"), consent.OpCombine, func(s *consent.Scope) {
			s.Service, s.Origins = "maps", []consent.Origin{service("maps"), {Class: "diagnostic.optional"}}
		})), three, consent.AskFirst, consent.ReasonCombinationNeedsConsent, "gates.combination"},
		{"C6", "the own origin is not covered", records(scoped(grant("service.deliver"), consent.OpCombine, func(s *consent.Scope) {
			s.Service, s.Origins = "maps", []consent.Origin{service("mail")}
		})), combine, consent.AskFirst, consent.ReasonCombinationNeedsConsent, "gates.combination"},
		{"C6", "A+B+C granted covers A+B", records(scoped(grant("service.deliver"), consent.OpCombine, func(s *consent.Scope) {
			s.Service, s.Origins = "maps", []consent.Origin{service("maps"), service("mail"), {Class: "diagnostic.optional"}}
		})), combine, consent.Allow, consent.ReasonContract, "service.deliver"},
		{"C6", "A+B refused reaches A+B+C", records(scoped(grant("service.deliver"), consent.OpCombine, func(s *consent.Scope) {
			s.Service, s.Origins = "maps", []consent.Origin{service("maps"), service("mail"), {Class: "diagnostic.optional"}}
		}), scoped(refusal("service.deliver", consent.StateDenied), consent.OpCombine, func(s *consent.Scope) {
			s.Origins = []consent.Origin{service("maps"), service("mail")}
		})), three, consent.Deny, consent.ReasonRefused, ""},
		{"R4 C23", "combined before consent was given", records(two), from(combine, func(r *consent.Request) { r.At = two.Given }), consent.AskFirst, consent.ReasonCombinationNeedsConsent, "gates.combination"},

		{"C7 R5", "checked, unlinkable, no key", claim(consent.Unlinkable, false), free, consent.Allow, consent.ReasonNotPersonal, ""},
		{"C7 R5", "checked, aggregate", claim(consent.Aggregate, false), free, consent.Allow, consent.ReasonNotPersonal, ""},
		{"C7", "the claim alone", consent.Facts{}, free, consent.AskFirst, consent.ReasonConsentUnset, "quality"},
		{"C7", "still linkable", claim(consent.Linkable, false), free, consent.AskFirst, consent.ReasonConsentUnset, "quality"},
		{"C7", "a key is alive", claim(consent.Unlinkable, true), free, consent.AskFirst, consent.ReasonConsentUnset, "quality"},
		{"C7", "the result has expired", claim(consent.Unlinkable, false), from(free, func(r *consent.Request) { r.At = noon.Add(time.Hour) }), consent.AskFirst, consent.ReasonConsentUnset, "quality"},
		{"C7", "called identified", claim(consent.Unlinkable, false), from(free, func(r *consent.Request) { r.Qualifier = consent.Identified }), consent.AskFirst, consent.ReasonConsentUnset, "quality"},
		{"X30", "the declared purpose of the output", claim(consent.Aggregate, false), free, consent.Allow, consent.ReasonNotPersonal, ""},
		{"X30", "another use is allowed and flagged", claim(consent.Aggregate, false), from(free, func(r *consent.Request) { r.Purpose = "research" }), consent.Allow, consent.ReasonNotPersonal, ""},

		{"C24", "the feature is used, sync was never consented to: service data", consent.Facts{}, consent.Request{Purpose: "service.deliver.restore", Feature: "backup", Class: "service.required"}, consent.Allow, consent.ReasonContract, "service.deliver.restore"},
		{"C24", "and nothing is synced", consent.Facts{}, consent.Request{Purpose: "sync", Feature: "backup", Operation: consent.OpSync}, consent.AskFirst, consent.ReasonConsentUnset, "sync"},
		{"C24", "consent to use is not consent to sync", records(grant("sync")), consent.Request{Purpose: "sync", Feature: "backup", Operation: consent.OpSync}, consent.AskFirst, consent.ReasonConsentUnset, "sync"},
		{"C24", "consent to sync", records(scoped(grant("sync"), consent.OpSync, nil)), consent.Request{Purpose: "sync", Feature: "backup", Operation: consent.OpSync}, consent.Allow, consent.ReasonConsent, "sync"},
		{"C24", "withdrawn: nothing is synced", records(scoped(grant("sync"), consent.OpSync, nil), scoped(refusal("sync", consent.StateWithdrawn), consent.OpSync, nil)), consent.Request{Purpose: "sync", Feature: "backup", Operation: consent.OpSync}, consent.Deny, consent.ReasonWithdrawn, ""},
		{"C24", "withdrawn: the feature goes on", records(scoped(refusal("sync", consent.StateWithdrawn), consent.OpSync, nil)), consent.Request{Purpose: "service.deliver.restore", Feature: "backup", Class: "service.required"}, consent.Allow, consent.ReasonContract, "service.deliver.restore"},
		{"C24", "a feature that does not sync", records(scoped(grant("sync"), consent.OpSync, nil)), consent.Request{Purpose: "sync", Feature: "find-my-device", Operation: consent.OpSync}, consent.Deny, consent.ReasonNotDeclared, "find-my-device"},

		{"X1", "class is apart from category: location data as diagnostic data is under the diagnostic consent", consent.Facts{}, from(locate, func(r *consent.Request) { r.Class, r.Purpose = "diagnostic.optional", "diagnostic.optional" }), consent.AskFirst, consent.ReasonConsentUnset, "diagnostic.optional"},
		{"X4", "a category outside what the feature declares", consent.Facts{}, from(locate, func(r *consent.Request) { r.Category = "user.contact.email" }), consent.Deny, consent.ReasonNotDeclared, "find-my-device"},
		{"X24", "a third purpose of required service data", records(grant("research")), consent.Request{Purpose: "research", Class: "service.required"}, consent.Deny, consent.ReasonNotDeclared, "service.required"},
		{"X25", "one record has one class, with its own purposes", records(grant("diagnostic.optional")), consent.Request{Purpose: "diagnostic.optional", Class: "service.required"}, consent.Deny, consent.ReasonNotDeclared, "service.required"},
		{"X26", "diagnostic data inside an experience, for a purpose of the flow", records(grant("diagnostic.secure")), consent.Request{Purpose: "diagnostic.secure", Feature: "find-my-device", Class: "diagnostic.optional"}, consent.Allow, consent.ReasonConsent, "diagnostic.secure"},
		{"X26", "for another purpose", records(grant("research")), consent.Request{Purpose: "research", Feature: "find-my-device", Class: "diagnostic.optional"}, consent.Deny, consent.ReasonNotDeclared, "find-my-device"},
		{"X28", "restore data asked for locating", consent.Facts{}, consent.Request{Purpose: "service.deliver.locate", Feature: "backup", Class: "service.required"}, consent.Deny, consent.ReasonNotDeclared, "backup"},
		{"C13", "content never targets ads, with consent", records(grant("advertising.interest_based")), consent.Request{Purpose: "advertising.interest_based", Category: "user.content.email"}, consent.Deny, consent.ReasonProhibited, "content-never-targets-ads"},
		{"C15", "opt-out: allowed by default", consent.Facts{}, consent.Request{Purpose: "advertising.interest_based"}, consent.Allow, consent.ReasonOptOutDefault, "advertising.interest_based"},
		{"C15", "then refused", records(refusal("advertising", consent.StateDenied)), consent.Request{Purpose: "advertising.interest_based"}, consent.Deny, consent.ReasonRefused, ""},
		{"C15", "the signal maps here", consent.Facts{}, consent.Request{Purpose: "advertising.interest_based", Signals: consent.Signals{GPC: true}}, consent.Deny, consent.ReasonSignalGPC, "advertising.interest_based"},
	} {
		if q.req.At.IsZero() {
			q.req.At = noon
		}
		t.Run(q.fact+": "+q.reason, func(t *testing.T) {
			d := e.Decide(viewOf(t, q.facts), &q.req)
			assert.Equal(t, q.outcome, d.Outcome, "%s", d.Explain())
			assert.Equal(t, q.code, d.Reason)
			assert.Equal(t, q.rule, d.Rule)
		})
	}
}

// What the facts want beyond outcome and reason.
func TestFactsInTheTrail(t *testing.T) {
	e, err := consent.New(services())
	require.NoError(t, err)
	ask := func(f consent.Facts, r consent.Request) consent.Decision {
		r.At = noon
		return e.Decide(viewOf(t, f), &r)
	}

	d := ask(consent.Facts{}, consent.Request{Purpose: "service.operate", Feature: "licensing", Switches: map[string]bool{"licensing": false}, Admin: map[string]bool{"licensing": false}})
	assert.Equal(t, []consent.Step{
		{Row: 5, Reason: consent.ReasonAdminDisabled, Rule: "licensing", Note: "the administrator may not switch this feature off"},
		{Row: 6, Reason: consent.ReasonFeatureOff, Rule: "licensing", Note: "an essential feature is not switched off by its user"},
	}, d.Overridden, "C2: the refused switches are in the trail")

	d = ask(consent.Facts{}, consent.Request{Purpose: "quality", Qualifier: consent.Anonymized, Claim: "batch-7"})
	require.Len(t, d.Overridden, 1, "C7: the ignored claim is in the trail")
	assert.Equal(t, consent.ReasonNotPersonal, d.Overridden[0].Reason)
	d = ask(consent.Facts{}, consent.Request{Purpose: "quality", Qualifier: consent.Aggregated})
	require.Len(t, d.Overridden, 1, "C7: so is a qualifier without a claim")

	free := consent.Facts{Claims: []consent.Claim{{ID: "batch-7", Result: consent.Aggregate, CheckedAt: noon}}}
	d = ask(free, consent.Request{Purpose: "quality", Class: "service.required", Claim: "batch-7"})
	assert.Empty(t, d.Overridden, "X30: better quality is the declared purpose of the output")
	assert.Equal(t, []consent.Ref{{Kind: "claim", ID: "batch-7"}}, d.Evidence)
	d = ask(free, consent.Request{Purpose: "research", Class: "service.required", Claim: "batch-7"})
	require.Len(t, d.Overridden, 1, "X30: another use is flagged")
	assert.Equal(t, consent.Step{Row: 3, Reason: consent.ReasonNotDeclared, Rule: "service.required", Note: "a use outside the declared purposes of what is no longer personal"}, d.Overridden[0])

	d = ask(consent.Facts{}, consent.Request{Purpose: "service.operate", Class: "service.required"})
	assert.Equal(t, []consent.Obligation{{
		Kind: consent.DeleteWithin, Rule: "ephemeral", Source: "service-data", Limit: "ceiling", Strength: "typical", Period: "PT48H", Anchor: "used_at",
	}}, d.Obligations, "C8: the habit of 48 hours stays a habit")

	d = ask(consent.Facts{}, consent.Request{Purposes: []string{"service.operate", "diagnostic.optional"}})
	require.Len(t, d.ByPurpose, 2, "C4: each purpose has its own answer")
	assert.True(t, d.ByPurpose[0].Allowed(), "C4: the service part alone is allowed")
	assert.Equal(t, []string{"diagnostic.optional"}, d.Ask.Purposes)

	src, ok := e.Source("service-data")
	assert.True(t, ok)
	assert.Equal(t, "2025-07-29", src.AsOf, "X76: the date of the document can be shown")
}

// X3: what may flow at all under given switches.
func TestInventory(t *testing.T) {
	p := services()
	e, err := consent.New(p)
	require.NoError(t, err)
	all := e.Inventory(nil, nil)
	require.NotEmpty(t, all)
	assert.Contains(t, all, consent.Flow{
		Feature: "find-my-device", Kind: consent.Optional, Class: "service.required", Purpose: "service.deliver.locate", Basis: consent.BasisContract,
		Operation: consent.OpUse, Necessary: true, Categories: []string{"user.location.precise", "user.device"},
	})
	assert.Contains(t, all, consent.Flow{Feature: "backup", Kind: consent.Optional, Class: "account", Purpose: "sync", Basis: consent.BasisConsent, Operation: consent.OpSync})
	assert.Equal(t, all, e.Inventory(nil, nil), "in a stated order")

	off := e.Inventory(map[string]bool{"find-my-device": false, "licensing": false}, map[string]bool{"licensing": false, "updates": false, "backup": false})
	features := map[string]bool{}
	for _, f := range off {
		features[f.Feature] = true
	}
	assert.Equal(t, map[string]bool{"licensing": true, "backup": true}, features,
		"C1 an optional feature that is off; C2 an essential one is not switched off by its user; an administrator where it is offered, and only there")

	// Inventory and Decide agree: what is listed is declared, and what is not listed is refused.
	for _, switches := range []map[string]bool{nil, {"find-my-device": false, "updates": false}} {
		listed := map[[4]string]bool{}
		for _, f := range e.Inventory(switches, nil) {
			listed[[4]string{f.Feature, f.Class, f.Purpose, string(f.Operation)}] = true
		}
		asked := 0
		for _, f := range p.Features {
			for _, c := range p.Classes {
				for _, u := range p.Purposes {
					for _, op := range []consent.Operation{consent.OpUse, consent.OpSync} {
						d := e.Decide(nil, &consent.Request{At: noon, Feature: f.Key, Class: c.Key, Purpose: u.Key, Operation: op, Switches: switches})
						refused := d.Reason == consent.ReasonNotDeclared || d.Reason == consent.ReasonFeatureOff
						assert.Equal(t, !refused, listed[[4]string{f.Key, c.Key, u.Key, string(op)}], "%s %s %s %s: %s", f.Key, c.Key, u.Key, op, d.Reason)
						asked++
					}
				}
			}
		}
		require.Equal(t, len(p.Features)*len(p.Classes)*len(p.Purposes)*2, asked)
	}
}

// C17: consent to share is for a recipient and a set of attributes.
func TestSharing(t *testing.T) {
	p := consent.Policy{Purposes: []consent.Purpose{{Key: "sign-in", Basis: consent.BasisContract}}}
	e, err := consent.New(p)
	require.NoError(t, err)
	given := scoped(grant("sign-in"), consent.OpShare, func(s *consent.Scope) { s.Recipient, s.Attributes = "shop", []string{"name", "mail"} })
	for _, tt := range []struct {
		name  string
		share consent.Share
		want  consent.Outcome
	}{
		{"the same set in another order", consent.Share{Recipient: "shop", Attributes: []string{"mail", "name"}}, consent.Allow},
		{"a part of it", consent.Share{Recipient: "shop", Attributes: []string{"mail"}}, consent.Allow},
		{"a superset", consent.Share{Recipient: "shop", Attributes: []string{"mail", "name", "phone"}}, consent.AskFirst},
		{"unnamed attributes are more than the list", consent.Share{Recipient: "shop"}, consent.AskFirst},
		{"another recipient", consent.Share{Recipient: "bank", Attributes: []string{"mail"}}, consent.AskFirst},
	} {
		d := e.Decide(viewOf(t, records(given)), &consent.Request{Purpose: "sign-in", Operation: consent.OpShare, Share: tt.share, At: noon})
		assert.Equal(t, tt.want, d.Outcome, tt.name)
		d = e.Decide(viewOf(t, records(given)), &consent.Request{Purpose: "sign-in", Operation: consent.OpShare, Recipient: consent.Recipient{ID: tt.share.Recipient}, Share: consent.Share{Attributes: tt.share.Attributes}, At: noon})
		assert.Equal(t, tt.want, d.Outcome, "%s, by the request's recipient", tt.name)
	}
	d := e.Decide(nil, &consent.Request{Purpose: "sign-in", At: noon})
	assert.True(t, d.Allowed(), "an own product receives nothing and asks nothing")

	p.Gates.Share = consent.GateExplicit
	e, err = consent.New(p)
	require.NoError(t, err)
	d = e.Decide(viewOf(t, records(given)), &consent.Request{Purpose: "sign-in", Share: consent.Share{Recipient: "shop", Attributes: []string{"mail"}}, At: noon})
	assert.Equal(t, consent.ReasonShareNeedsConsent, d.Reason, "expressed does not pass an explicit gate")
	assert.Equal(t, consent.Explicit, d.Ask.Strength)
	assert.Equal(t, consent.OpShare, d.Ask.What)
}

// X6, X7: a source is for what it was taken for.
func TestDataSources(t *testing.T) {
	p := consent.Policy{
		Purposes: []consent.Purpose{{Key: "secure", Basis: consent.BasisContract}, {Key: "update", Basis: consent.BasisContract}, {Key: "bill", Basis: consent.BasisContract}},
		DataSources: []consent.DataSource{
			{Key: "managed", Purposes: []string{"secure", "update"}, Categories: []string{"device"}},
			{Key: "endpoint", Parent: "managed", Purposes: []string{"secure"}},
			{Key: "leaf", Parent: "endpoint", Categories: []string{"device.os"}},
			{Key: "flows", Flows: []consent.DataFlow{{Purpose: "update", Categories: []string{"device.os"}}, {Purpose: "secure"}}},
			{Key: "same-flows", Parent: "flows"},
			{Key: "open"},
		},
	}
	e, err := consent.New(p)
	require.NoError(t, err)
	for _, tt := range []struct {
		source, purpose, category string
		ok                        bool
		reason                    string
	}{
		{"managed", "update", "device.name", true, "declared"},
		{"managed", "bill", "", false, "another purpose"},
		{"managed", "secure", "user.contact", false, "another category"},
		{"endpoint", "secure", "device.name", true, "categories of the parent"},
		{"endpoint", "update", "", false, "its own purposes replace the parent's"},
		{"leaf", "secure", "device.os", true, "purposes from above, categories its own"},
		{"leaf", "update", "device.os", false, "the nearest declaration counts"},
		{"leaf", "secure", "device.name", false, "its own categories"},
		{"flows", "update", "device.os", true, "the flow says so"},
		{"flows", "update", "device.name", false, "not together"},
		{"flows", "secure", "device.name", true, "this flow has no categories"},
		{"flows", "bill", "", false, "no flow"},
		{"same-flows", "update", "device.name", false, "flows are inherited"},
		{"open", "bill", "anything", true, "declares nothing, limits nothing"},
	} {
		d := e.Decide(nil, &consent.Request{Purpose: tt.purpose, Category: tt.category, DataSource: tt.source, At: noon})
		assert.Equal(t, tt.ok, d.Allowed(), "%s for %s of %s: %s", tt.source, tt.purpose, tt.category, tt.reason)
		if !tt.ok {
			assert.Equal(t, consent.ReasonNotDeclared, d.Reason)
			assert.Equal(t, tt.source, d.Rule)
		}
	}
}

// A place that the request does not tell becomes a duty.
func TestResidencyAsObligation(t *testing.T) {
	p := consent.Policy{
		Sources:  []consent.Source{{ID: "s"}},
		Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}},
		Residency: []consent.Residency{
			{ID: "fixed", Source: "s", StoreIn: consent.Place{In: []string{"us", "eu"}}, StaffIn: consent.Place{In: []string{"US", "IN"}}},
			{ID: "chosen", Source: "s", StoreIn: consent.Place{Text: "subject.attr.region", Func: func(r *consent.Request) (string, error) { return r.Subject.Attr["region"], nil }}},
		},
	}
	e, err := consent.New(p)
	require.NoError(t, err)
	d := e.Decide(nil, &consent.Request{Purpose: "p", Subject: consent.Subject{Attr: map[string]string{"region": "eu"}}, At: noon})
	require.True(t, d.Allowed())
	assert.Equal(t, []consent.Obligation{
		{Kind: consent.StoreIn, Rule: "fixed", Source: "s", Values: []string{"us", "eu"}},
		{Kind: consent.StaffIn, Rule: "fixed", Source: "s", Values: []string{"US", "IN"}},
		{Kind: consent.StoreIn, Rule: "chosen", Source: "s", Values: []string{"eu"}},
	}, d.Obligations)
	d = e.Decide(nil, &consent.Request{Purpose: "p", Region: "us", StaffCountry: "IN", Subject: consent.Subject{Attr: map[string]string{"region": "eu"}}, At: noon})
	assert.Equal(t, consent.ReasonResidency, d.Reason)
	assert.Equal(t, "chosen", d.Rule, "one rule allows the place, the other does not")
	d = e.Decide(nil, &consent.Request{Purpose: "p", Region: "eu", StaffCountry: "IN", Subject: consent.Subject{Attr: map[string]string{"region": "eu"}}, At: noon})
	require.True(t, d.Allowed())
	assert.Empty(t, d.Obligations)
}

// A refusal that names no service ends the consents given to each before it.
func TestServicesThatAsk(t *testing.T) {
	p := services()
	e, err := consent.New(p)
	require.NoError(t, err)
	ask := func(service string, list ...consent.Record) consent.Reason {
		d := e.Decide(viewOf(t, records(list...)), &consent.Request{
			Purpose: "sync", Feature: "backup", Promote: consent.Promote{From: "service.required", To: "account"}, Service: service, At: noon,
		})
		return d.Reason
	}
	to := func(service string, r consent.Record, ago time.Duration) consent.Record {
		r = scoped(r, consent.OpPromote, func(s *consent.Scope) { s.Service = service })
		r.Given = noon.Add(-ago)
		return r
	}
	maps, mail := to("maps", grant("sync"), 3*time.Hour), to("mail", grant("sync"), 1*time.Hour)
	stop := to("", refusal("sync", consent.StateWithdrawn), 2*time.Hour)
	assert.Equal(t, consent.ReasonConsent, ask("maps", maps, mail), "both were granted")
	assert.Equal(t, consent.ReasonConsent, ask("mail", maps, mail), "both were granted")
	assert.Equal(t, consent.ReasonWithdrawn, ask("maps", maps, mail, stop), "withdrawn from all, after the grant")
	assert.Equal(t, consent.ReasonConsent, ask("mail", maps, mail, stop), "granted after that")
	assert.Equal(t, consent.ReasonWithdrawn, ask("other", maps, mail, stop), "never granted")
	assert.Equal(t, consent.ReasonWithdrawn, ask("mail", to("mail", grant("sync"), 2*time.Hour), stop), "granted at the very instant: the refusal counts")
	own := to("mail", refusal("sync", consent.StateDenied), 30*time.Minute)
	assert.Equal(t, consent.ReasonConsent, ask("maps", maps, mail, own), "another service's refusal")
	assert.Equal(t, consent.ReasonRefused, ask("mail", maps, mail, own), "its own")
}
