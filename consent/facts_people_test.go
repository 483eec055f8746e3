package consent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

// ask makes an engine and puts one question; facts of the policy are in p.
func ask(t *testing.T, p consent.Policy, f consent.Facts, r consent.Request) consent.Decision {
	t.Helper()
	e, err := consent.New(p)
	require.NoError(t, err)
	if r.At.IsZero() {
		r.At = noon
	}
	return e.Decide(viewOf(t, f), &r)
}

func on(f func(*consent.Request) bool) consent.Condition {
	return consent.Condition{Text: "test", Func: func(r *consent.Request) (bool, error) { return f(r), nil }}
}

func rowOf(d consent.Decision) verdict { return verdict{d.Row, d.Outcome, d.Reason} }

// C9, R29, X17: for enterprise products the agreement controls over the statement
// where the two conflict; without a conflict both hold; the law gives way to nobody.
func TestC9Layers(t *testing.T) {
	enterprise := on(func(r *consent.Request) bool { return r.Context["product"] == "enterprise" })
	p := consent.Policy{
		Sources: []consent.Source{
			{ID: "law", Layer: consent.LayerLaw}, {ID: "agreement", Layer: consent.LayerAgreement}, {ID: "instruction", Layer: consent.LayerInstruction},
			{ID: "organisation", Layer: consent.LayerOrganisation}, {ID: "statement", Layer: consent.LayerStatement},
		},
		Purposes: []consent.Purpose{{Key: "improve", Basis: consent.BasisContract}},
		Prohibitions: []consent.Prohibition{
			{ID: "statement/logs", Source: "statement", Topic: "improvement", When: on(func(r *consent.Request) bool { return r.Category == "logs" })},
			{ID: "statement/voice", Source: "statement", Topic: "voice", When: on(func(r *consent.Request) bool { return r.Category == "voice" })},
			{ID: "agreement/content", Source: "agreement", When: on(func(r *consent.Request) bool { return r.Category == "content" })},
			{ID: "law/secrets", Source: "law", When: on(func(r *consent.Request) bool { return r.Category == "secrets" })},
		},
		Overrides: []consent.Override{{ID: "agreement-controls", Source: "agreement", Sources: []string{"statement"}, Topics: []string{"improvement"}, When: enterprise}},
	}
	for _, tt := range []struct {
		product, category string
		want              consent.Reason
		rule, reason      string
	}{
		{"consumer", "logs", consent.ReasonProhibited, "statement/logs", "the row is not applicable to consumer products"},
		{"enterprise", "logs", consent.ReasonContract, "improve", "the agreement controls on a conflict"},
		{"enterprise", "voice", consent.ReasonProhibited, "statement/voice", "another topic: no conflict, both hold"},
		{"consumer", "content", consent.ReasonProhibited, "agreement/content", "an agreement may be stricter"},
		{"enterprise", "secrets", consent.ReasonProhibited, "law/secrets", "never the law"},
	} {
		d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "improve", Category: tt.category, Context: map[string]string{"product": tt.product}})
		assert.Equal(t, tt.want, d.Reason, tt.reason)
		assert.Equal(t, tt.rule, d.Rule, tt.reason)
		var trail []consent.Step
		if tt.rule == "improve" {
			trail = []consent.Step{{Row: 3, Reason: consent.ReasonProhibited, Rule: "statement/logs", Note: "set aside by override agreement-controls"}}
		}
		assert.Equal(t, trail, d.Overridden, "what is set aside is in the trail: %s", tt.reason)
	}
	p.Sources[1].Parties = []string{"contoso"}
	for party, want := range map[string]consent.Reason{
		"contoso": consent.ReasonContract,   // it is party to the agreement
		"other":   consent.ReasonProhibited, // it is not
		"":        consent.ReasonProhibited, // whoever is not known to be is not freed
	} {
		d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "improve", Category: "logs", Party: party, Context: map[string]string{"product": "enterprise"}})
		assert.Equal(t, want, d.Reason, party)
	}
	p.Sources[1].Parties = nil
	p.Overrides[0].When = failing
	d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "improve", Category: "logs"})
	assert.Equal(t, consent.ReasonRuleError, d.Reason, "whether it gives way is not known")
	assert.Equal(t, "agreement-controls", d.Rule)
}

// C30, C31: a statement stops at the customer's own processing, and data handed to
// another party is under that party's statement.
func TestC30C31Parties(t *testing.T) {
	always := on(func(*consent.Request) bool { return true })
	p := consent.Policy{
		Sources:  []consent.Source{{ID: "provider", Layer: consent.LayerStatement, Parties: []string{"provider"}}, {ID: "third", Layer: consent.LayerStatement, Parties: []string{"third"}}},
		Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}},
		Prohibitions: []consent.Prohibition{
			{ID: "provider/no", Source: "provider", When: always}, {ID: "third/no", Source: "third", When: on(func(r *consent.Request) bool { return r.Category == "k" })},
		},
	}
	d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "p", Party: "customer", Category: "k"})
	assert.True(t, d.Allowed(), "neither speaks about the customer's own processing")
	assert.Len(t, d.Overridden, 2)
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "p", Party: "third", Category: "k"})
	assert.Equal(t, "third/no", d.Rule, "the receiving party's own rule")
	assert.Equal(t, []consent.Step{{Row: 3, Reason: consent.ReasonProhibited, Rule: "provider/no", Note: "its source speaks about the processing of others"}}, d.Overridden)
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "p"})
	assert.Equal(t, "provider/no", d.Rule, "whose it is was not told: every rule counts")
}

// C10: an administrator denies and never consents.
func TestC10AdministratorNeverConsents(t *testing.T) {
	p := consent.Policy{
		Purposes: []consent.Purpose{{Key: "p"}},
		Features: []consent.Feature{{Key: "f", Kind: consent.Optional, AdminCanDisable: true}},
	}
	for _, r := range []consent.Request{
		{Purpose: "p", Feature: "f", Admin: map[string]bool{"f": true}},
		{Purpose: "p", Feature: "f", Settings: []consent.Setting{{Feature: "f", By: consent.ByAdmin, On: true}}},
	} {
		d := ask(t, p, consent.Facts{}, r)
		assert.Equal(t, verdict{15, consent.AskFirst, consent.ReasonConsentUnset}, rowOf(d), "on is not consent")
		assert.Equal(t, "subject", d.Ask.From)
	}
	r := grant("p")
	r.By = "admin"
	_, err := consent.NewView(records(r))
	require.ErrorContains(t, err, "an administrator denies and never consents")

	off := consent.Setting{Feature: "f", By: consent.ByAdmin}
	for _, tt := range []struct {
		reason  string
		subject consent.Subject
		change  func(*consent.Setting)
		denied  bool
	}{
		{"a work account", consent.Subject{Account: "work", Tenant: "t1"}, func(s *consent.Setting) { s.Tenant = "t1" }, true},
		{"another tenant's administrator", consent.Subject{Account: "work", Tenant: "t1"}, func(s *consent.Setting) { s.Tenant = "t2" }, false},
		{"nobody administers a consumer's account", consent.Subject{Account: "consumer"}, func(*consent.Setting) {}, false},
		{"but a device may be managed (C28)", consent.Subject{Account: "consumer"}, func(s *consent.Setting) { s.Device = true }, true},
	} {
		s := off
		tt.change(&s)
		d := ask(t, p, records(grant("p")), consent.Request{Purpose: "p", Feature: "f", Subject: tt.subject, Settings: []consent.Setting{s}})
		assert.Equal(t, tt.denied, d.Reason == consent.ReasonAdminDisabled, tt.reason)
		assert.Equal(t, !tt.denied, len(d.Overridden) == 1, "told: %s", tt.reason)
	}
}

// C11, R15: a material change takes effect 30 days after it was published, and not
// before; from then on an earlier consent is stale.
func TestC11NoticeLead(t *testing.T) {
	published := date(2026, 5, 1)
	p := consent.Policy{
		Purposes: []consent.Purpose{{Key: "p", Notice: "n"}},
		Notices: []consent.Notice{
			{ID: "n", Version: "1", Published: date(2026, 1, 1), Effective: date(2026, 1, 1), Material: true},
			{ID: "n", Version: "2", Published: published, Effective: published.Add(30 * 24 * time.Hour), Material: true, Texts: []consent.NoticeText{{Language: "en", Hash: "sha256:00ff"}, {Language: "da", Hash: "sha256:11ee"}}},
		},
	}
	yes := grant("p")
	yes.Notice = consent.NoticeRef{ID: "n", Version: "1"}
	for _, tt := range []struct {
		day    int
		want   consent.Reason
		reason string
	}{
		{29, consent.ReasonConsent, "the old version binds"},
		{30, consent.ReasonConsentStale, "the exact bound: the new one"},
		{31, consent.ReasonConsentStale, "and after it"},
	} {
		d := ask(t, p, records(yes), consent.Request{Purpose: "p", At: published.Add(time.Duration(tt.day) * 24 * time.Hour)})
		assert.Equal(t, tt.want, d.Reason, "day %d: %s", tt.day, tt.reason)
	}
	short := p
	short.Notices = append([]consent.Notice(nil), p.Notices...)
	short.Notices[1].Effective = published.Add(30*24*time.Hour - 1)
	_, err := consent.New(short)
	require.ErrorContains(t, err, "notices[1].effective: a material change too soon after it was published")
	for _, lead := range []time.Duration{consent.NoLead, 14 * 24 * time.Hour} {
		short.NoticeLead = lead
		_, err = consent.New(short)
		require.NoError(t, err, "the policy's own lead")
	}
	short.NoticeLead, short.Notices[1].Material = 0, false
	_, err = consent.New(short)
	require.NoError(t, err, "a change that is not material needs no lead")
	p.NoticeLead = 60 * 24 * time.Hour
	_, err = consent.New(p)
	require.Error(t, err, "a longer lead binds as well")
}

// C12, R27: customer data never serves advertising; a consumer's personal data is
// not caught by that rule.
func TestC12CustomerData(t *testing.T) {
	p := consent.Policy{
		Sources:  []consent.Source{{ID: "customer-data", Layer: consent.LayerStatement}},
		Purposes: []consent.Purpose{{Key: "advertising"}, {Key: "marketing"}},
		Prohibitions: []consent.Prohibition{{ID: "never-mined", Source: "customer-data", When: on(func(r *consent.Request) bool {
			return below(r.Class, "customer_data") && (below(r.Purpose, "advertising") || below(r.Purpose, "marketing"))
		})}},
		Classes: []consent.Class{{Key: "customer_data"}, {Key: "personal"}},
	}
	for _, purpose := range []string{"advertising", "marketing"} {
		d := ask(t, p, records(grant(purpose)), consent.Request{Purpose: purpose, Class: "customer_data"})
		assert.Equal(t, verdict{3, consent.Deny, consent.ReasonProhibited}, rowOf(d), "granted consent does not cure it")
		assert.True(t, ask(t, p, records(grant(purpose)), consent.Request{Purpose: purpose, Class: "personal"}).Allowed(), "003:17 is another rule")
	}
}

// C14: a choice per channel, always open.
func TestC14Channels(t *testing.T) {
	p := consent.Policy{Purposes: []consent.Purpose{
		{Key: "promotion", Mechanism: consent.OptOut, Channels: []string{"email", "sms", "phone", "post"}},
		{Key: "transaction", Basis: consent.BasisContract},
	}}
	no := refusal("promotion", consent.StateDenied)
	no.Channel = "email"
	all := refusal("promotion", consent.StateDenied)
	back := grant("promotion")
	back.Channel, back.Given = "email", noon.Add(-time.Minute)
	for _, tt := range []struct {
		purpose, channel string
		facts            consent.Facts
		want             consent.Outcome
		reason           string
	}{
		{"promotion", "email", records(no), consent.Deny, "refused by email"},
		{"promotion", "sms", records(no), consent.Allow, "leaves sms"},
		{"promotion", "sms", records(all), consent.Deny, "all is every channel"},
		{"promotion", "email", records(no, back), consent.Allow, "turned back"},
		{"transaction", "email", records(all), consent.Allow, "X59: transactional messages are not promotion"},
	} {
		assert.Equal(t, tt.want, ask(t, p, tt.facts, consent.Request{Purpose: tt.purpose, Channel: tt.channel}).Outcome, tt.reason)
	}
}

func health() consent.Policy {
	of := func(r *consent.Request) bool { return below(r.Category, "user.health") }
	return consent.Policy{
		Sources: []consent.Source{{ID: "health", Layer: consent.LayerStatement}},
		Purposes: []consent.Purpose{
			{Key: "provide", Basis: consent.BasisContract}, {Key: "provide.improve", Basis: consent.BasisContract}, {Key: "provide.personalise", Basis: consent.BasisContract},
			{Key: "personalise", Mechanism: consent.OptOut}, {Key: "advertising", Mechanism: consent.OptOut},
		},
		Requirements: []consent.Requirement{
			{ID: "health-explicit", Source: "health", When: on(func(r *consent.Request) bool {
				within := r.Service == "health" && below(r.Purpose, "provide") && r.Share.Recipient == ""
				return of(r) && !within && !r.BySubject && r.Purpose != "advertising"
			})},
			{ID: "health-ads", Source: "health", Strength: consent.Expressed, When: on(func(r *consent.Request) bool { return of(r) && r.Purpose == "advertising" })},
		},
		Gates:      consent.Gates{Share: consent.GateExplicit},
		Recipients: []consent.RecipientRule{{ID: "people", Source: "health", Role: "caregiver", Basis: consent.BasisContract, BySubject: true}},
	}
}

// C16, R31: implied < expressed < explicit.
func TestC16Strength(t *testing.T) {
	p := health()
	for _, tt := range []struct {
		purpose  string
		strength consent.Strength
		want     consent.Reason
		reason   string
	}{
		{"personalise", consent.Implied, consent.ReasonExplicitConsentRequired, "weaker"},
		{"personalise", consent.Expressed, consent.ReasonExplicitConsentRequired, "plain consent is not enough"},
		{"personalise", consent.Explicit, consent.ReasonOptOutDefault, "explicit is"},
		{"advertising", consent.Implied, consent.ReasonConsentUnset, "advertising on health data is opt-in"},
		{"advertising", consent.Expressed, consent.ReasonOptOutDefault, "opt-in is expressed"},
	} {
		yes := grant(tt.purpose)
		yes.Strength = tt.strength
		d := ask(t, p, records(yes), consent.Request{Purpose: tt.purpose, Category: "user.health.pulse", Service: "other"})
		assert.Equal(t, tt.want, d.Reason, "%s %s: %s", tt.purpose, tt.strength, tt.reason)
	}
}

// C32: within the health service, improving and personalising are part of providing
// it.
func TestC32PartOfProviding(t *testing.T) {
	p := health()
	for _, purpose := range []string{"provide", "provide.improve", "provide.personalise"} {
		assert.True(t, ask(t, p, consent.Facts{}, consent.Request{Purpose: purpose, Category: "user.health.pulse", Service: "health"}).Allowed(), purpose)
	}
	d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "provide.personalise", Category: "user.health.pulse", Service: "news"})
	assert.Equal(t, verdict{12, consent.AskFirst, consent.ReasonExplicitConsentRequired}, rowOf(d), "for another service it is asked")
	assert.Equal(t, consent.Explicit, d.Ask.Strength)
}

// C33: what the person shares goes to that recipient; what the provider shares
// needs explicit consent.
func TestC33SharingByThePerson(t *testing.T) {
	p := health()
	share := consent.Request{Purpose: "provide", Category: "user.health.pulse", Service: "health", Recipient: consent.Recipient{Role: "caregiver", ID: "r1"}, Share: consent.Share{Attributes: []string{"pulse"}}, BySubject: true}
	assert.True(t, ask(t, p, consent.Facts{}, share).Allowed(), "the person started it")
	other := share
	other.Recipient.Role = "insurer"
	assert.Equal(t, consent.ReasonShareNeedsConsent, ask(t, p, consent.Facts{}, other).Reason, "another role has no such rule")
	provider := share
	provider.BySubject = false
	provider.Share.Recipient = "r1"
	d := ask(t, p, consent.Facts{}, provider)
	assert.Equal(t, consent.AskFirst, d.Outcome, "the provider started it")
	assert.Equal(t, consent.Explicit, d.Ask.Strength)
}

// C18, X13: what a disclosure rests on, by the recipient's role: nine rows, one
// basis each.
func TestC18Roles(t *testing.T) {
	p := consent.Policy{
		Sources:  []consent.Source{{ID: "statement", Layer: consent.LayerStatement}},
		Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}},
		Recipients: []consent.RecipientRule{
			{ID: "chosen", Source: "statement", Role: "chosen", Basis: consent.BasisConsent},
			{ID: "transaction", Source: "statement", Role: "transaction", Basis: consent.BasisContract, BySubject: true},
			{ID: "affiliate", Source: "statement", Role: "affiliate", Basis: consent.BasisLegitimateInterest, Assessment: "lia/affiliates"},
			{ID: "vendor", Source: "statement", Role: "vendor", Basis: consent.BasisContract, Reference: "dpa/7"},
			{ID: "authority", Source: "statement", Role: "authority", Basis: consent.BasisLegalObligation},
			{ID: "customers", Source: "statement", Role: "customers", Basis: consent.BasisLegitimateInterest, Assessment: "lia/fraud"},
			{ID: "lives", Source: "statement", Role: "lives", Basis: consent.BasisVitalInterest},
			{ID: "security", Source: "statement", Role: "security", Basis: consent.BasisLegitimateInterest, Assessment: "lia/security"},
			{ID: "rights", Source: "statement", Role: "rights", Basis: consent.BasisLegitimateInterest, Assessment: "lia/rights"},
		},
	}
	require.Len(t, p.Recipients, 9)
	for _, tt := range []struct {
		role      string
		bySubject bool
		reference string
		allowed   bool
		evidence  []consent.Ref
		reason    string
	}{
		{"chosen", false, "", false, nil, "consent is asked"},
		{"transaction", true, "", true, nil, "the person requested it"},
		{"transaction", false, "", false, nil, "nobody requested it"},
		{"affiliate", false, "", true, []consent.Ref{{Kind: "assessment", ID: "lia/affiliates"}}, "a controlled affiliate"},
		{"vendor", false, "", true, []consent.Ref{{Kind: "reference", ID: "dpa/7"}}, "a processor, by its contract"},
		{"authority", false, "", false, nil, "C35: without a reference"},
		{"authority", false, "order/1", true, nil, "C35: with one"},
		{"customers", false, "", true, []consent.Ref{{Kind: "assessment", ID: "lia/fraud"}}, "protect customers"},
		{"lives", false, "case/1", true, nil, "protect lives"},
		{"lives", false, "", false, nil, "whose life is not said"},
		{"security", false, "", true, []consent.Ref{{Kind: "assessment", ID: "lia/security"}}, "product security"},
		{"rights", false, "", true, []consent.Ref{{Kind: "assessment", ID: "lia/rights"}}, "rights or property"},
		{"passer-by", false, "", false, nil, "no row"},
	} {
		d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "p", Recipient: consent.Recipient{Role: tt.role, ID: "r"}, Share: consent.Share{Attributes: []string{"name"}}, BySubject: tt.bySubject, Reference: tt.reference})
		assert.Equal(t, tt.allowed, d.Allowed(), "%s: %s", tt.role, tt.reason)
		assert.Equal(t, tt.evidence, d.Evidence, "%s: %s", tt.role, tt.reason)
		if !tt.allowed {
			assert.Equal(t, consent.ReasonShareNeedsConsent, d.Reason, tt.role)
		}
	}
	p.Recipients[3].Reference = ""
	_, err := consent.New(p)
	require.ErrorContains(t, err, "recipients[3].reference: missing", "a vendor needs its contract")
}

// C19: ages and guardians, regimes by state, sensitive data.
func TestC19AgesAndStates(t *testing.T) {
	p := consent.Policy{
		Purposes:  []consent.Purpose{{Key: "p"}, {Key: "ads", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseSale, consent.UseTargetedAds}}},
		Ages:      consent.Ages{Builtin: true},
		Regimes:   consent.Regimes{Builtin: true},
		Sensitive: []string{"user.health"},
	}
	d := ask(t, p, records(grant("p")), consent.Request{Purpose: "p", Subject: consent.Subject{AgeBand: "13..15", Residence: "DE"}})
	assert.Equal(t, verdict{9, consent.AskFirst, consent.ReasonGuardianRequired}, rowOf(d), "16 in Germany")
	assert.Equal(t, "guardian", d.Ask.From)
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "ads", Subject: consent.Subject{AgeBand: "adult", Residence: "US-VA"}, Category: "user.health.pulse"})
	assert.Equal(t, verdict{12, consent.AskFirst, consent.ReasonExplicitConsentRequired}, rowOf(d), "sensitive data is opt-in in Virginia")
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "ads", Subject: consent.Subject{AgeBand: "adult", Residence: "US-VA"}})
	assert.Equal(t, verdict{18, consent.Allow, consent.ReasonOptOutDefault}, rowOf(d), "other data is opt-out there")
	assert.Equal(t, consent.OptOut, d.Regime)
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "ads", Subject: consent.Subject{AgeBand: "adult", Residence: "FR"}})
	assert.Equal(t, verdict{15, consent.AskFirst, consent.ReasonConsentUnset}, rowOf(d), "opt-in in France")
	assert.Equal(t, consent.BasisConsent, d.Basis)
}

// C28: whose collection an administrator switches off.
func TestC28Collectors(t *testing.T) {
	p := consent.Policy{
		Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}},
		Features: []consent.Feature{{Key: "telemetry", Kind: consent.Optional, AdminCanDisable: true}},
	}
	for _, off := range []string{"provider", "organisation"} {
		for _, collector := range []string{"provider", "organisation"} {
			d := ask(t, p, consent.Facts{}, consent.Request{
				Purpose: "p", Feature: "telemetry", Operation: consent.OpCollect, Collector: collector,
				Settings: []consent.Setting{{Feature: "telemetry", By: consent.ByAdmin, Collector: off, Device: true}},
			})
			assert.Equal(t, off != collector, d.Allowed(), "%s off, %s collects", off, collector)
		}
	}
	d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "p", Feature: "telemetry", Settings: []consent.Setting{{Feature: "telemetry", By: consent.ByAdmin, Collector: "provider", Device: true}}})
	assert.Equal(t, consent.ReasonAdminDisabled, d.Reason, "who collects is not told: it may be the provider")
}

// C40: a setting tells whose privacy it affects.
func TestC40WhoseSetting(t *testing.T) {
	p := consent.Policy{
		Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}},
		Features: []consent.Feature{{Key: "f", Kind: consent.Optional, AdminCanDisable: true, Affects: consent.AffectsSubject}},
	}
	r := consent.Request{Purpose: "p", Feature: "f", Admin: map[string]bool{"f": false}}
	d := ask(t, p, consent.Facts{}, r)
	assert.Equal(t, verdict{5, consent.Deny, consent.ReasonAdminDisabled}, rowOf(d))
	assert.Equal(t, []consent.Ref{{Kind: "affects", ID: "subject"}}, d.Evidence)
	p.Features[0].AdminCanDisable = false
	d = ask(t, p, consent.Facts{}, r)
	assert.Equal(t, []consent.Step{{Row: 5, Reason: consent.ReasonAdminDisabled, Rule: "f", Note: "the administrator may not switch this feature off; it affects the subject"}}, d.Overridden)
}

// C41: collection and use are two switches.
func TestC41CollectionAndUse(t *testing.T) {
	p := consent.Policy{
		Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}},
		Features: []consent.Feature{{Key: "f", Kind: consent.Optional}},
	}
	for _, tt := range []struct {
		of      consent.Aspect
		op      consent.Operation
		allowed bool
		reason  string
	}{
		{consent.OfUse, consent.OpCollect, true, "collected=yes"},
		{consent.OfUse, consent.OpUse, false, "use=no: what is kept is not used"},
		{consent.OfUse, "", false, "no operation is use"},
		{consent.OfCollection, consent.OpCollect, false, "nothing more is collected"},
		{consent.OfCollection, consent.OpUse, true, "what is there may be used"},
		{"", consent.OpCollect, false, "both"},
		{"", consent.OpUse, false, "both"},
	} {
		d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "p", Feature: "f", Operation: tt.op, Settings: []consent.Setting{{Feature: "f", By: consent.ByUser, Of: tt.of}}})
		assert.Equal(t, tt.allowed, d.Allowed(), tt.reason)
	}
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
