package consent_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

func TestConfigErrors(t *testing.T) {
	yes := func(*consent.Request) (bool, error) { return true, nil }
	place := func(*consent.Request) (string, error) { return "eu", nil }
	src := []consent.Source{{ID: "s"}}
	one := []consent.Purpose{{Key: "p"}}
	for _, tt := range []struct {
		path, reason string
		policy       consent.Policy
	}{
		{"sources[0].id", "printed in every trail", consent.Policy{Sources: []consent.Source{{ID: "a b"}}}},
		{"sources[1].id", "one id, one source", consent.Policy{Sources: []consent.Source{{ID: "a"}, {ID: "a"}}}},
		{"sources[0].layer", "rules are asked by layer", consent.Policy{Sources: []consent.Source{{ID: "a", Layer: "whim"}}}},
		{"purposes[0].key", "empty", consent.Policy{Purposes: []consent.Purpose{{}}}},
		{"purposes[0].key", "empty segment", consent.Policy{Purposes: []consent.Purpose{{Key: "a..b"}}}},
		{"purposes[0].key", "a key that no request can have", consent.Policy{Purposes: []consent.Purpose{{Key: strings.Repeat("a", 257)}}}},
		{"purposes[1].key", "twice", consent.Policy{Purposes: []consent.Purpose{{Key: "a"}, {Key: "a"}}}},
		{"purposes[0].basis", "unknown", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: "because"}}}},
		{"purposes[0].basis", "row 4 is scoped by what it needs", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegalObligation}}}},
		{"purposes[0].basis", "row 4 is scoped by what it needs", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisVitalInterest}}}},
		{"purposes[0].reference", "Art. 6(3): laid down by law", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisPublicTask}}}},
		{"purposes[0].mechanism", "unknown", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Mechanism: "maybe"}}}},
		{"purposes[0].mechanism", "consent is opt-in", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisConsent, Mechanism: consent.OptOut}}}},
		{"purposes[0].mechanism", "nobody is asked for a contract", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract, Mechanism: consent.OptIn}}}},
		{"purposes[0].mechanism", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegitimateInterest, Assessment: "a", Mechanism: consent.NoticeOnly}}}},
		{"purposes[0].assessment", "row 17 needs one", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegitimateInterest}}}},
		{"purposes[0].assessment", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Assessment: "a"}}}},
		{"purposes[0].assessment", "printed as evidence", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegitimateInterest, Assessment: "a b"}}}},
		{"purposes[0].strength", "unknown", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Strength: "firm"}}}},
		{"purposes[0].strength", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract, Strength: consent.Explicit}}}},
		{"purposes[0].notice", "what would row 18 look for", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Mechanism: consent.NoticeOnly}}}},
		{"purposes[0].notice", "unknown", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Notice: "n"}}}},
		{"purposes[0].channels[1]", "twice", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Channels: []string{"email", "email"}}}}},
		{"purposes[0].signals[0]", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Signals: []string{"dnt"}}}}},
		{"purposes[0].source", "unknown", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Source: "nobody"}}}},
		{"classes[0].key", "malformed", consent.Policy{Classes: []consent.Class{{Key: "."}}}},
		{"classes[0].purposes[0]", "unknown", consent.Policy{Classes: []consent.Class{{Key: "c", Purposes: []string{"p"}}}}},
		{"classes[0].source", "unknown", consent.Policy{Classes: []consent.Class{{Key: "c", Source: "x"}}}},
		{"features[0].kind", "missing", consent.Policy{Features: []consent.Feature{{Key: "f"}}}},
		{"features[1].key", "twice", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional}, {Key: "f", Kind: consent.Optional}}}},
		{"features[0].purposes[0]", "unknown", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Purposes: []string{"p"}}}}},
		{"features[0].categories[0]", "malformed", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Categories: []string{"a b"}}}}},
		{"features[0].classes[0]", "unknown", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Classes: []string{"c"}}}}},
		{"features[0].classes[0]", "malformed", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Classes: []string{""}}}}},
		{"features[0].sync", "unknown", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Sync: "p"}}}},
		{"features[0].sync", "a contract asks nobody", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}}, Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Sync: "p"}}}},
		{"data_sources[0].key", "malformed", consent.Policy{DataSources: []consent.DataSource{{}}}},
		{"data_sources[0].parent", "unknown", consent.Policy{DataSources: []consent.DataSource{{Key: "d", Parent: "e"}}}},
		{"data_sources[0].parent", "a circle", consent.Policy{DataSources: []consent.DataSource{{Key: "d", Parent: "d"}}}},
		{"data_sources[0].flows", "two ways to say it", consent.Policy{Purposes: one, DataSources: []consent.DataSource{{Key: "d", Purposes: []string{"p"}, Flows: []consent.DataFlow{{Purpose: "p"}}}}}},
		{"data_sources[0].flows[0].purpose", "unknown", consent.Policy{DataSources: []consent.DataSource{{Key: "d", Flows: []consent.DataFlow{{Purpose: "p"}}}}}},
		{"prohibitions[0].id", "missing", consent.Policy{Sources: src, Prohibitions: []consent.Prohibition{{Source: "s"}}}},
		{"prohibitions[0].source", "every rule names one", consent.Policy{Prohibitions: []consent.Prohibition{{ID: "x"}}}},
		{"prohibitions[0].source", "unknown", consent.Policy{Prohibitions: []consent.Prohibition{{ID: "x", Source: "s"}}}},
		{"prohibitions[0].when", "never silently always", consent.Policy{Sources: src, Prohibitions: []consent.Prohibition{{ID: "x", Source: "s", When: consent.Condition{Text: "false"}}}}},
		{"requirements[0].id", "ids are unique across kinds", consent.Policy{Sources: src, Prohibitions: []consent.Prohibition{{ID: "x", Source: "s"}}, Requirements: []consent.Requirement{{ID: "x", Source: "s"}}}},
		{"requirements[0].strength", "implied is what nobody needs to require", consent.Policy{Sources: src, Requirements: []consent.Requirement{{ID: "x", Source: "s", Strength: consent.Implied}}}},
		{"residency[0]", "says nothing", consent.Policy{Sources: src, Residency: []consent.Residency{{ID: "x", Source: "s"}}}},
		{"residency[0].store_in", "two ways to say it", consent.Policy{Sources: src, Residency: []consent.Residency{{ID: "x", Source: "s", StoreIn: consent.Place{In: []string{"eu"}, Func: place}}}}},
		{"residency[0].store_in", "never silently nowhere", consent.Policy{Sources: src, Residency: []consent.Residency{{ID: "x", Source: "s", StoreIn: consent.Place{Text: "subject.region"}, StaffIn: consent.Place{Func: place}}}}},
		{"residency[0].staff_in", "an empty name would admit what is not told", consent.Policy{Sources: src, Residency: []consent.Residency{{ID: "x", Source: "s", StaffIn: consent.Place{In: []string{""}}}}}},
		{"gates.share", "unknown", consent.Policy{Gates: consent.Gates{Share: "ajar"}}},
		{"promotions[0].from", "missing", consent.Policy{Sources: src, Classes: []consent.Class{{Key: "c"}}, Promotions: []consent.Promotion{{ID: "x", Source: "s", To: "c"}}}},
		{"promotions[0].to", "unknown", consent.Policy{Sources: src, Classes: []consent.Class{{Key: "c"}}, Promotions: []consent.Promotion{{ID: "x", Source: "s", From: []string{"c"}, To: "d"}}}},
		{"promotions[0].kinds[0]", "unknown", consent.Policy{Sources: src, Classes: []consent.Class{{Key: "c"}, {Key: "d"}}, Promotions: []consent.Promotion{{ID: "x", Source: "s", From: []string{"c"}, To: "d", Kinds: []consent.Kind{"odd"}}}}},
		{"promotions[0].purpose", "unknown", consent.Policy{Sources: src, Classes: []consent.Class{{Key: "c"}, {Key: "d"}}, Promotions: []consent.Promotion{{ID: "x", Source: "s", From: []string{"c"}, To: "d", Purpose: "p"}}}},
		{"obligations[0].obligation.kind", "unknown", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", When: consent.Condition{Func: yes}}}}},
		{"obligations[0].obligation.kind", "belongs to residency", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.StoreIn, Values: []string{"eu"}}}}}},
		{"obligations[0].obligation", "C8: a period without its strength would become a deadline", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.DeleteWithin, Limit: "ceiling", Period: "PT48H", Anchor: "used_at"}}}}},
		{"obligations[0].obligation.values", "minimise to what", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.Minimise}}}}},
		{"obligations[0].obligation.values", "would be ignored", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.LogUse, Values: []string{"x"}}}}}},
		{"obligations[0].obligation", "would be ignored", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.LogUse, Period: "P1D"}}}}},
		{"notices[0].id", "malformed", consent.Policy{Notices: []consent.Notice{{Version: "1", Effective: noon}}}},
		{"notices[0].version", "malformed", consent.Policy{Notices: []consent.Notice{{ID: "n", Effective: noon}}}},
		{"notices[0].effective", "orders the versions", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1"}}}},
		{"notices[0].effective", "binds before it can be read", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1", Published: noon, Effective: noon.Add(-1)}}}},
		{"notices[1].version", "twice", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1", Effective: noon}, {ID: "n", Version: "1", Effective: noon.Add(1)}}}},
		{"sources[0].parties[0]", "printed nowhere, compared as text", consent.Policy{Sources: []consent.Source{{ID: "s", Parties: []string{"a b"}}}}},
		{"purposes[0].uses[1]", "twice", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Uses: []consent.Use{consent.UseSale, consent.UseSale}}}}},
		{"purposes[0].uses[0]", "of a signal, not of a purpose", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Uses: []consent.Use{consent.UseSensitive}}}}},
		{"purposes[0].mechanism", "nothing to leave it to", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Mechanism: consent.ByRegime}}}},
		{"purposes[0].mechanism", "two answers to one question", consent.Policy{Regimes: consent.Regimes{Builtin: true}, Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisConsent, Mechanism: consent.ByRegime}}}},
		{"purposes[0].mechanism", "not a mechanism of purposes", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Mechanism: consent.NoRegime}}}},
		{"purposes[0].mechanism", "a duty asks nobody", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegalObligation, Needs: []string{"k"}, Mechanism: consent.OptIn}}}},
		{"purposes[0].mechanism", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisPublicTask, Reference: "law/1", Mechanism: consent.NoticeOnly}}}},
		{"purposes[0].basis", "never for advertising", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegalObligation, Needs: []string{"k"}, Uses: []consent.Use{consent.UseTargetedAds}}}}},
		{"purposes[0].basis", "never for advertising, by name", consent.Policy{Purposes: []consent.Purpose{{Key: "p.marketing", Basis: consent.BasisVitalInterest, Needs: []string{"k"}}}}},
		{"purposes[0].needs", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Needs: []string{"k"}}}}},
		{"purposes[0].needs[0]", "malformed", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegalObligation, Needs: []string{"k."}}}}},
		{"purposes[0].reference", "would be ignored", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Reference: "law/1"}}}},
		{"purposes[0].reference", "printed as evidence", consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisLegalObligation, Needs: []string{"k"}, Reference: "the law"}}}},
		{"features[0].affects", "unknown", consent.Policy{Features: []consent.Feature{{Key: "f", Kind: consent.Optional, Affects: "me"}}}},
		{"prohibitions[0].topic", "named by overrides", consent.Policy{Sources: src, Prohibitions: []consent.Prohibition{{ID: "x", Source: "s", Topic: "a b"}}}},
		{"obligations[0].on[0]", "no such reason", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", On: []consent.Reason{"WHIM"}, Obligation: consent.Obligation{Kind: consent.LogUse}}}}},
		{"obligations[0].on[0]", "never the reason of a decision", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", On: []consent.Reason{consent.ReasonSignalOverridden}, Obligation: consent.Obligation{Kind: consent.LogUse}}}}},
		{"obligations[0].on[0]", "no duties on what is not personal", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", On: []consent.Reason{consent.ReasonNotPersonal}, Obligation: consent.Obligation{Kind: consent.LogUse}}}}},
		{"obligations[0].obligation", "of which days", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.HonourIn, Period: "P15D"}}}}},
		{"obligations[0].obligation.values", "which signal", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.PassSignal}}}}},
		{"obligations[0].obligation.values[0]", "unknown signal", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.PassSignal, Values: []string{"smoke"}}}}}},
		{"obligations[0].obligation.values", "would be ignored", consent.Policy{Sources: src, Obligations: []consent.ObligationRule{{ID: "x", Source: "s", Obligation: consent.Obligation{Kind: consent.StopAndErase, Values: []string{"x"}}}}}},
		{"duties[0].id", "missing", consent.Policy{Sources: src, Purposes: one, Duties: []consent.Duty{{Source: "s", Purpose: "p", Basis: consent.BasisVitalInterest, Needs: []string{"k"}}}}},
		{"duties[0].purpose", "unknown", consent.Policy{Sources: src, Duties: []consent.Duty{{ID: "x", Source: "s", Purpose: "p", Basis: consent.BasisVitalInterest, Needs: []string{"k"}}}}},
		{"duties[0].basis", "people may object to it: row 17", consent.Policy{Sources: src, Purposes: one, Duties: []consent.Duty{{ID: "x", Source: "s", Purpose: "p", Basis: consent.BasisPublicTask, Needs: []string{"k"}}}}},
		{"duties[0].needs", "scoped by what it needs", consent.Policy{Sources: src, Purposes: one, Duties: []consent.Duty{{ID: "x", Source: "s", Purpose: "p", Basis: consent.BasisVitalInterest}}}},
		{"duties[0].basis", "never for advertising", consent.Policy{Sources: src, Purposes: []consent.Purpose{{Key: "p", Mechanism: consent.OptOut, Uses: []consent.Use{consent.UseSale}}}, Duties: []consent.Duty{{ID: "x", Source: "s", Purpose: "p", Basis: consent.BasisLegalObligation, Needs: []string{"k"}}}}},
		{"recipients[0].role", "compared with the request's", consent.Policy{Sources: src, Recipients: []consent.RecipientRule{{ID: "x", Source: "s", Basis: consent.BasisConsent}}}},
		{"recipients[0].basis", "missing", consent.Policy{Sources: src, Recipients: []consent.RecipientRule{{ID: "x", Source: "s", Role: "r"}}}},
		{"recipients[0].reference", "a vendor needs its contract", consent.Policy{Sources: src, Recipients: []consent.RecipientRule{{ID: "x", Source: "s", Role: "r", Basis: consent.BasisContract}}}},
		{"recipients[0].assessment", "like row 17", consent.Policy{Sources: src, Recipients: []consent.RecipientRule{{ID: "x", Source: "s", Role: "r", Basis: consent.BasisLegitimateInterest}}}},
		{"recipients[0].assessment", "would be ignored", consent.Policy{Sources: src, Recipients: []consent.RecipientRule{{ID: "x", Source: "s", Role: "r", Basis: consent.BasisConsent, Assessment: "lia/1"}}}},
		{"overrides[0]", "says nothing", consent.Policy{Sources: src, Overrides: []consent.Override{{ID: "x", Source: "s"}}}},
		{"overrides[0].rules[0]", "unknown", consent.Policy{Sources: src, Overrides: []consent.Override{{ID: "x", Source: "s", Rules: []string{"y"}}}}},
		{"overrides[0].sources[0]", "the law gives way to nothing", consent.Policy{Sources: []consent.Source{{ID: "s", Layer: consent.LayerAgreement}, {ID: "law", Layer: consent.LayerLaw}}, Overrides: []consent.Override{{ID: "x", Source: "s", Sources: []string{"law"}}}}},
		{"overrides[0].sources[0]", "an instruction and an agreement are equals", consent.Policy{Sources: []consent.Source{{ID: "s", Layer: consent.LayerAgreement}, {ID: "i", Layer: consent.LayerInstruction}}, Overrides: []consent.Override{{ID: "x", Source: "s", Sources: []string{"i"}}}}},
		{"overrides[0].rules[0]", "a statement does not override an agreement", consent.Policy{Sources: []consent.Source{{ID: "s", Layer: consent.LayerStatement}, {ID: "a", Layer: consent.LayerAgreement}}, Prohibitions: []consent.Prohibition{{ID: "y", Source: "a"}}, Overrides: []consent.Override{{ID: "x", Source: "s", Rules: []string{"y"}}}}},
		{"overrides[0].topics[0]", "would be ignored", consent.Policy{Sources: []consent.Source{{ID: "s", Layer: consent.LayerAgreement}, {ID: "t"}}, Overrides: []consent.Override{{ID: "x", Source: "s", Sources: []string{"t"}, Topics: []string{"u"}}}}},
		{"ages", "of no table", consent.Policy{Ages: consent.Ages{AssumeAdult: true}}},
		{"ages.assurance", "unknown", consent.Policy{Ages: consent.Ages{Builtin: true, Assurance: "sworn"}}},
		{"ages.assume_adult", "contradicts", consent.Policy{Ages: consent.Ages{Builtin: true, Assurance: consent.Verified, AssumeAdult: true}}},
		{"ages.rules[0].place", "malformed", consent.Policy{Ages: consent.Ages{Rules: []consent.AgeRule{{Place: "Germany", Under: 16}}}}},
		{"ages.rules[0].under", "not an age", consent.Policy{Ages: consent.Ages{Rules: []consent.AgeRule{{Place: "DE", Under: -1}}}}},
		{"ages.rules[0].giver", "unknown", consent.Policy{Ages: consent.Ages{Rules: []consent.AgeRule{{Place: "DE", Under: 16, Giver: "aunt"}}}}},
		{"ages.rules[0].giver", "would make every purpose opt-in", consent.Policy{Ages: consent.Ages{Rules: []consent.AgeRule{{Place: "DE", Under: 16, Giver: consent.BySubject}}}}},
		{"ages.rules[1].from", "which of the two", consent.Policy{Ages: consent.Ages{Rules: []consent.AgeRule{{Place: "DE", Under: 16}, {Place: "DE", Under: 15}}}}},
		{"regimes", "of no table", consent.Policy{Regimes: consent.Regimes{IgnoreSignalsInOptIn: true}}},
		{"regimes.rules[0].place", "malformed", consent.Policy{Regimes: consent.Regimes{Rules: []consent.RegimeRule{{Mechanism: consent.OptIn}}}}},
		{"regimes.rules[0].mechanism", "leads nowhere", consent.Policy{Regimes: consent.Regimes{Rules: []consent.RegimeRule{{Place: "DE", Mechanism: consent.ByRegime}}}}},
		{"regimes.rules[0].gpc", "would be ignored", consent.Policy{Regimes: consent.Regimes{Rules: []consent.RegimeRule{{Place: "DE", Mechanism: consent.OptIn, GPC: true}}}}},
		{"regimes.rules[0].sensitive", "unknown", consent.Policy{Regimes: consent.Regimes{Rules: []consent.RegimeRule{{Place: "DE", Mechanism: consent.OptIn, Sensitive: "very"}}}}},
		{"regimes.rules[0].honour_days", "negative", consent.Policy{Regimes: consent.Regimes{Rules: []consent.RegimeRule{{Place: "DE", Mechanism: consent.OptIn, HonourDays: -1}}}}},
		{"regimes.rules[1].from", "which of the two", consent.Policy{Regimes: consent.Regimes{Rules: []consent.RegimeRule{{Place: "DE", Mechanism: consent.OptIn}, {Place: "DE", Mechanism: consent.OptOut}}}}},
		{"regimes.after_notice[0]", "would be ignored", consent.Policy{Regimes: consent.Regimes{Builtin: true, AfterNotice: []string{"CA"}}}},
		{"sensitive", "would be ignored", consent.Policy{Sensitive: []string{"k"}}},
		{"hash", "printed in every decision", consent.Policy{Hash: "a b"}},
		{"notice_lead", "negative", consent.Policy{NoticeLead: -2}},
		{"notices[0].texts[0]", "which text was shown", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1", Effective: noon, Texts: []consent.NoticeText{{Language: "en"}}}}}},
		{"notices[0].texts[1]", "a language twice", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1", Effective: noon, Texts: []consent.NoticeText{{"en", "a"}, {"en", "b"}}}}}},
		{"notices[1].effective", "C11: 30 days ahead", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1", Effective: noon.Add(-1)}, {ID: "n", Version: "2", Published: noon, Effective: noon.Add(1), Material: true}}}},
		{"notices[1].effective", "which of the two binds", consent.Policy{Notices: []consent.Notice{{ID: "n", Version: "1", Effective: noon}, {ID: "n", Version: "2", Effective: noon}}}},
	} {
		e, err := consent.New(tt.policy)
		require.Nil(t, e, "%s: %s", tt.path, tt.reason)
		var all consent.ConfigErrors
		require.ErrorAs(t, err, &all, "%s: %s", tt.path, tt.reason)
		var paths []string
		for _, one := range all {
			paths = append(paths, one.Path)
			assert.NotEmpty(t, one.Problem)
			assert.NotEmpty(t, one.Mend)
		}
		assert.Equal(t, []string{tt.path}, paths, tt.reason)
		var first *consent.ConfigError
		require.True(t, errors.As(err, &first))
		assert.Equal(t, err.Error(), first.Error())
	}
}

func TestConfigErrorsComeTogether(t *testing.T) {
	_, err := consent.New(consent.Policy{
		Purposes: []consent.Purpose{{Key: "p", Basis: "x"}, {Key: "p"}},
		Features: []consent.Feature{{Key: "f", Purposes: []string{"q"}}},
	})
	require.EqualError(t, err, `consent: purposes[0].basis: unknown basis: use consent, contract or legitimate_interest
consent: purposes[1].key: declared twice: keep one of the two
consent: features[0].kind: unknown kind: use essential or optional
consent: features[0].purposes[0]: unknown purpose: declare it under purposes`)
}

// The policy is copied: its author may go on using it.
func TestPolicyIsCopied(t *testing.T) {
	p := services()
	e, err := consent.New(p)
	require.NoError(t, err)
	r := &consent.Request{Purpose: "service.deliver.locate", Feature: "find-my-device", Class: "service.required", Category: "user.device", At: noon}
	before, flows := e.Decide(nil, r), e.Inventory(nil, nil)
	p.Purposes[0].Key, p.Classes[0].Purposes[0], p.Features[2].Categories[1], p.Features[2].Purposes[0] = "x", "x", "x", "x"
	p.Promotions[0].From[0], p.Prohibitions[0].When = "x", consent.Condition{}
	assert.Equal(t, before, e.Decide(nil, r))
	assert.Equal(t, flows, e.Inventory(nil, nil))
	assert.True(t, before.Allowed())
}

func TestPurposeLookup(t *testing.T) {
	e, err := consent.New(consent.Policy{Purposes: []consent.Purpose{
		{Key: "ads", Mechanism: consent.OptOut, Text: "Ads", Maps: map[string]string{"gcm": "ad_storage"}},
		{Key: "ads.personal"},
	}})
	require.NoError(t, err)
	p, ok := e.Purpose("ads.other.deep")
	require.True(t, ok)
	assert.Equal(t, "ads", p.Key)
	assert.Equal(t, "ad_storage", p.Maps["gcm"])
	p, ok = e.Purpose("ads.personal.deep")
	require.True(t, ok)
	assert.Equal(t, consent.Purpose{Key: "ads.personal", Basis: consent.BasisConsent, Mechanism: consent.OptIn, Strength: consent.Expressed}, p, "defaults are filled in, nothing is taken from the parent")
	for _, k := range []string{"", "other", "ads.", "adsx"} {
		_, ok = e.Purpose(k)
		assert.False(t, ok, "%q", k)
	}
}

func TestFactErrors(t *testing.T) {
	ok := grant("p")
	change := func(f func(*consent.Record)) consent.Facts {
		r := ok
		f(&r)
		return records(ok, r)
	}
	claim := func(f func(*consent.Claim)) consent.Facts {
		c := consent.Claim{ID: "c", Result: consent.Linked, CheckedAt: noon}
		f(&c)
		return consent.Facts{Claims: []consent.Claim{c}}
	}
	long := strings.Repeat("x", 257)
	for _, tt := range []struct {
		path, reason string
		facts        consent.Facts
	}{
		{"records[1].purpose", "missing", change(func(r *consent.Record) { r.Purpose = "" })},
		{"records[1].operation", "unknown", change(func(r *consent.Record) { r.Operation = "fly" })},
		{"records[1].state", "unknown", change(func(r *consent.Record) { r.State = "" })},
		{"records[1].state", "computed, not stored", change(func(r *consent.Record) { r.State = "expired" })},
		{"records[1].given", "a refusal without a time would lose to every grant", change(func(r *consent.Record) { r.State, r.Given = consent.StateDenied, time.Time{} })},
		{"records[1].expires", "refusals do not end by themselves", change(func(r *consent.Record) { r.State, r.Expires = consent.StateDenied, noon })},
		{"records[1].expires", "not after", change(func(r *consent.Record) { r.Expires = r.Given })},
		{"records[1].strength", "unknown", change(func(r *consent.Record) { r.Strength = "firm" })},
		{"records[1].by", "an administrator denies, never consents", change(func(r *consent.Record) { r.By = "admin" })},
		{"records[1].after_conflict", "a refusal needs no such notice", change(func(r *consent.Record) { r.State, r.AfterConflict = consent.StateDenied, true })},
		{"head", "printed in every decision", consent.Facts{Head: "jane@example.com"}},
		{"merged[1].at", "whose history it was, until when", consent.Facts{Merged: []consent.Merge{{At: noon}, {}}}},
		{"merged[0].records[0].state", "checked like any record", consent.Facts{Merged: []consent.Merge{{At: noon, Records: []consent.Record{{Scope: consent.Scope{Purpose: "p"}, Given: noon}}}}}},
		{"records[1].id", "printed as evidence", change(func(r *consent.Record) { r.ID = "jane@example.com" })},
		{"records[1].scope", "bounded", change(func(r *consent.Record) { r.Channel = long })},
		{"records[1].from", "would be ignored", change(func(r *consent.Record) { r.From = "c" })},
		{"records[1].origins", "would be ignored", change(func(r *consent.Record) { r.Origins = []consent.Origin{{Class: "c"}} })},
		{"records[1].origins", "an empty origin is any data", change(func(r *consent.Record) { r.Operation, r.Origins = consent.OpCombine, []consent.Origin{{}} })},
		{"records[1].origins", "bounded", change(func(r *consent.Record) {
			r.Operation, r.Origins = consent.OpCombine, make([]consent.Origin, consent.MaxOrigins+1)
		})},
		{"records[1].attributes", "would be ignored", change(func(r *consent.Record) { r.Attributes = []string{"a"} })},
		{"records[1].attributes", "empty", change(func(r *consent.Record) { r.Operation, r.Attributes = consent.OpShare, []string{""} })},
		{"records[1].attributes", "bounded", change(func(r *consent.Record) {
			r.Operation, r.Attributes = consent.OpShare, make([]string, consent.MaxAttributes+1)
		})},
		{"claims[0].id", "printed as evidence", claim(func(c *consent.Claim) { c.ID = "" })},
		{"claims[0].result", "unknown", claim(func(c *consent.Claim) { c.Result = "fine" })},
		{"claims[0].checked_at", "missing", claim(func(c *consent.Claim) { c.CheckedAt = time.Time{} })},
		{"claims[0].expires", "not after", claim(func(c *consent.Claim) { c.Expires = noon })},
	} {
		v, err := consent.NewView(tt.facts)
		assert.Nil(t, v, "%s: %s", tt.path, tt.reason)
		var wrong *consent.FactError
		if assert.ErrorAs(t, err, &wrong, "%s: %s", tt.path, tt.reason) {
			assert.Equal(t, tt.path, wrong.Path, tt.reason)
			assert.NotContains(t, err.Error(), "jane")
		}
	}
}

// Views do not change with the facts that they were made from.
func TestViewIsImmutable(t *testing.T) {
	e, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}}})
	require.NoError(t, err)
	f := records(scoped(grant("p"), consent.OpShare, func(s *consent.Scope) { s.Recipient, s.Attributes = "shop", []string{"b", "a"} }))
	v := viewOf(t, f)
	r := &consent.Request{Purpose: "p", Share: consent.Share{Recipient: "shop", Attributes: []string{"a"}}, At: noon}
	before := e.Decide(v, r)
	require.True(t, before.Allowed())
	assert.Equal(t, []string{"b", "a"}, f.Records[0].Attributes, "the facts are not sorted in place")
	f.Records[0].Attributes[0], f.Records[0].Attributes[1] = "x", "y"
	f.Records[0].Recipient = "other"
	assert.Equal(t, before, e.Decide(v, r))
}

// Of two checks of one id at one instant, the one that leaves the data personal counts.
func TestClaimsAtOneInstant(t *testing.T) {
	e, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "p"}}})
	require.NoError(t, err)
	free := consent.Claim{ID: "c", Result: consent.Aggregate, CheckedAt: noon}
	live := free
	live.LiveKey = true
	brief := free
	brief.Expires = noon.Add(time.Hour)
	for _, both := range [][]consent.Claim{{free, live}, {live, free}} {
		d := e.Decide(viewOf(t, consent.Facts{Claims: both}), &consent.Request{Purpose: "p", Claim: "c", At: noon})
		assert.Equal(t, consent.ReasonConsentUnset, d.Reason)
	}
	for _, both := range [][]consent.Claim{{free, brief}, {brief, free}} {
		d := e.Decide(viewOf(t, consent.Facts{Claims: both}), &consent.Request{Purpose: "p", Claim: "c", At: noon})
		assert.Equal(t, consent.ReasonNotPersonal, d.Reason)
		assert.Equal(t, noon.Add(time.Hour), d.NotAfter, "the one that ends sooner")
	}
}
