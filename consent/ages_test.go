package consent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

func aged(change ...func(*consent.Policy)) consent.Policy {
	p := consent.Policy{
		Purposes: []consent.Purpose{
			{Key: "p"}, {Key: "contract", Basis: consent.BasisContract}, {Key: "sale", Mechanism: consent.OptOut, Uses: []consent.Use{consent.UseSale}},
			{Key: "counsel", Counselling: true},
		},
		Ages: consent.Ages{Builtin: true},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func by(r consent.Record, g consent.Giver) consent.Record {
	r.ID += "-" + string(g)
	r.By = g
	return r
}

// The ages from which a child may consent alone, as of two instants.
func TestAgeTable(t *testing.T) {
	for _, row := range consent.AgeTable() {
		assert.NotEmpty(t, row.Source, "%s: every row says where it is from", row.Place)
	}
	e, err := consent.New(aged())
	require.NoError(t, err)
	years := []string{"12", "13", "14", "15", "16"}
	alone := func(place, band string, at time.Time) bool {
		d := e.Decide(viewOf(t, records(grant("p"))), &consent.Request{Purpose: "p", Subject: consent.Subject{Residence: place, AgeBand: band}, At: at})
		assert.Contains(t, []consent.Reason{consent.ReasonConsent, consent.ReasonGuardianRequired}, d.Reason)
		return d.Allowed()
	}
	for age, places := range map[int]string{
		13: "BE EE FI LV MT PT SE GB NO IS", 14: "AT BG CY ES IT LT", 15: "CZ FR GR SI DK",
		16: "DE HR HU IE LU NL PL RO SK LI JP XX",
	} {
		for _, place := range strings.Fields(places) {
			for i, band := range years {
				assert.Equal(t, 12+i >= age, alone(place, band, noon), "%s at %s", place, band)
			}
		}
	}
	for i, band := range years {
		assert.Equal(t, 12+i >= 16, alone("", band, noon), "no place is known: 16, at %s", band)
	}
	for _, tt := range []struct {
		place         string
		at            time.Time
		before, after int
	}{
		{"DK", date(2024, 1, 1), 13, 15},
		{"SI", date(2023, 1, 26), 16, 15},
	} {
		for i, band := range years {
			yes := grant("p")
			yes.Given = tt.at.Add(-72 * time.Hour)
			for _, x := range []struct {
				at    time.Time
				limit int
			}{{tt.at.Add(-1), tt.before}, {tt.at, tt.after}} {
				d := e.Decide(viewOf(t, records(yes)), &consent.Request{Purpose: "p", Subject: consent.Subject{Residence: tt.place, AgeBand: band}, At: x.at})
				assert.Equal(t, 12+i >= x.limit, d.Allowed(), "%s at %s on %s", tt.place, band, x.at)
				if x.at.Before(tt.at) && band != "16" {
					assert.True(t, d.NotAfter.Equal(tt.at), "%s: the table changes", tt.place)
				}
			}
		}
	}
}

func TestAges(t *testing.T) {
	child := func(place, band string) consent.Subject { return consent.Subject{Residence: place, AgeBand: band} }
	guardian := by(grant("p"), consent.ByGuardian)
	for _, tt := range []struct {
		name    string
		facts   consent.Facts
		req     consent.Request
		change  func(*consent.Policy)
		want    verdict
		from    string
		because string
	}{
		{"child alone", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "13..15")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "below 16"},
		{"guardian", records(guardian), consent.Request{Purpose: "p", Subject: child("DE", "13..15")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "the guardian's consent counts"},
		{"band that the limit cuts", records(grant("p")), consent.Request{Purpose: "p", Subject: child("AT", "13..15")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "somebody of 13 is in the band"},
		{"nobody asked", consent.Facts{}, consent.Request{Purpose: "p", Subject: child("DE", "under13")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "ask the guardian, not the child"},
		{"old enough", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "16..17")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "16"},
		{"grown up since", records(guardian), consent.Request{Purpose: "p", Subject: child("DE", "adult")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "what the guardian gave goes on until it is withdrawn"},
		{"age not known", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "")}, nil, verdict{9, consent.Deny, "AGE_UNKNOWN"}, "", "no consent of the person changes it"},
		{"age not known, guardian", records(guardian), consent.Request{Purpose: "p", Subject: child("DE", "unknown")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "counts at any age"},
		{"odd band", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "teen")}, nil, verdict{9, consent.Deny, "AGE_UNKNOWN"}, "", "what is not understood is not known"},
		{"assumed adult", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "")}, func(p *consent.Policy) { p.Ages.AssumeAdult = true }, verdict{14, consent.Allow, "CONSENT"}, "", "a service for adults"},
		{"assumed adult, known child", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "12")}, func(p *consent.Policy) { p.Ages.AssumeAdult = true }, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "what is known is not assumed away"},
		{"merely declared", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "adult"), AgeAssured: consent.Declared}, func(p *consent.Policy) { p.Ages.Assurance = consent.Verified }, verdict{9, consent.Deny, "AGE_UNKNOWN"}, "", "the policy wants it verified"},
		{"verified", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "adult"), AgeAssured: consent.Verified}, func(p *consent.Policy) { p.Ages.Assurance = consent.Verified }, verdict{14, consent.Allow, "CONSENT"}, "", "and it is"},
		{"declared child", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "12"), AgeAssured: consent.Declared}, func(p *consent.Policy) { p.Ages.Assurance = consent.Verified }, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "nobody needs to verify being young"},
		{"counselling", records(grant("counsel")), consent.Request{Purpose: "counsel", Subject: child("DE", "12")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "Recital 38"},
		{"contract", consent.Facts{}, consent.Request{Purpose: "contract", Subject: child("DE", "12")}, nil, verdict{16, consent.Allow, "CONTRACT"}, "", "Art. 8 is about consent"},
		{"sharing on a contract, age not known", consent.Facts{}, consent.Request{Purpose: "contract", Subject: child("DE", ""), Share: consent.Share{Recipient: "shop", Attributes: []string{"name"}}}, nil, verdict{13, consent.Deny, "AGE_UNKNOWN"}, "", "who may agree to it hangs on the age"},
		{"sharing on a contract, child", consent.Facts{}, consent.Request{Purpose: "contract", Subject: child("DE", "12"), Share: consent.Share{Recipient: "shop", Attributes: []string{"name"}}}, nil, verdict{13, consent.AskFirst, "SHARE_NEEDS_CONSENT"}, "guardian", "not the child"},
		{"residence abroad", records(grant("p")), consent.Request{Purpose: "p", Subject: child("BE", "14"), Location: "DE"}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "the stricter of two places"},
		{"location only", records(grant("p")), consent.Request{Purpose: "p", Subject: child("", "14"), Location: "BE"}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "the place that is known counts"},

		{"France, child alone", records(grant("p")), consent.Request{Purpose: "p", Subject: child("FR", "14")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "both", "both must"},
		{"France, guardian alone", records(guardian), consent.Request{Purpose: "p", Subject: child("FR", "14")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "both", "the child too"},
		{"France, each", records(grant("p"), guardian), consent.Request{Purpose: "p", Subject: child("FR", "14")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "two acts"},
		{"France, together", records(by(grant("p"), consent.ByBoth)), consent.Request{Purpose: "p", Subject: child("FR", "14")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "one act"},
		{"France, 15", records(grant("p")), consent.Request{Purpose: "p", Subject: child("FR", "15")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "alone from 15"},

		{"COPPA", consent.Facts{}, consent.Request{Purpose: "contract", Subject: child("US", "under13")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "whatever the basis"},
		{"COPPA, in a state", consent.Facts{}, consent.Request{Purpose: "contract", Subject: child("US-VA", "12")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "a country's row holds in its parts"},
		{"COPPA, with the parent", records(by(grant("contract"), consent.ByGuardian)), consent.Request{Purpose: "contract", Subject: child("US", "under13")}, nil, verdict{16, consent.Allow, "CONTRACT"}, "", "then the basis decides"},
		{"COPPA, 13", consent.Facts{}, consent.Request{Purpose: "contract", Subject: child("US", "13..15")}, nil, verdict{16, consent.Allow, "CONTRACT"}, "", "under 13 only"},
		{"COPPA, age not known", records(grant("p")), consent.Request{Purpose: "p", Subject: child("US", "")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "actual knowledge"},
		{"CCPA, 14", consent.Facts{}, consent.Request{Purpose: "sale", Subject: child("US-CA", "14")}, nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "subject", "opt-in, by the person"},
		{"CCPA, 14, opted in", records(grant("sale")), consent.Request{Purpose: "sale", Subject: child("US-CA", "14")}, nil, verdict{14, consent.Allow, "CONSENT"}, "", "opted in"},
		{"CCPA, 12", records(grant("sale")), consent.Request{Purpose: "sale", Subject: child("US-CA", "12")}, nil, verdict{9, consent.AskFirst, "GUARDIAN_REQUIRED"}, "guardian", "by the parent"},
		{"CCPA, 17", consent.Facts{}, consent.Request{Purpose: "sale", Subject: child("US-CA", "16..17")}, nil, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, "", "opt-out from 16"},
		{"CCPA, 14, elsewhere", consent.Facts{}, consent.Request{Purpose: "sale", Subject: child("US-VA", "14")}, nil, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, "", "California's rule"},

		{"own row replaces", records(grant("p")), consent.Request{Purpose: "p", Subject: child("DE", "14")}, func(p *consent.Policy) {
			p.Ages.Rules = []consent.AgeRule{{Place: "DE", Under: 14, Source: "ours"}}
		}, verdict{14, consent.Allow, "CONSENT"}, "", "place by place"},
		{"the gate of sharing", records(scoped(grant("contract"), consent.OpShare, func(s *consent.Scope) { s.Recipient = "shop" })), consent.Request{Purpose: "contract", Subject: child("DE", "12"), Share: consent.Share{Recipient: "shop"}}, nil, verdict{13, consent.AskFirst, "SHARE_NEEDS_CONSENT"}, "guardian", "consent is consent, in a gate too"},
	} {
		p := aged()
		if tt.change != nil {
			tt.change(&p)
		}
		d := ask(t, p, tt.facts, tt.req)
		assert.Equal(t, tt.want, rowOf(d), "%s: %s\n%s", tt.name, tt.because, d.Explain())
		if d.Ask != nil {
			assert.Equal(t, tt.from, d.Ask.From, tt.name)
		}
		if tt.name == "France, each" {
			assert.Len(t, d.Evidence, 2, "both records are evidence")
		}
	}
}

// Who takes back a refusal depends on the age.
func TestGuardiansAndRefusals(t *testing.T) {
	at := func(r consent.Record, ago time.Duration) consent.Record { r.Given = noon.Add(-ago); return r }
	yes, no := grant("p"), refusal("p", consent.StateDenied)
	child, adult := "under13", "adult"
	for _, tt := range []struct {
		band   string
		facts  consent.Facts
		want   consent.Reason
		reason string
	}{
		{child, records(at(no, 2*time.Hour), at(by(yes, consent.ByGuardian), time.Hour)), consent.ReasonConsent, "the guardian decides"},
		{adult, records(at(no, 2*time.Hour), at(by(yes, consent.ByGuardian), time.Hour)), consent.ReasonRefused, "nobody decides for an adult who refused"},
		{adult, records(at(by(no, consent.ByGuardian), 2*time.Hour), at(yes, time.Hour)), consent.ReasonConsent, "who has grown up decides alone"},
		{child, records(at(by(no, consent.ByGuardian), 2*time.Hour), at(yes, time.Hour)), consent.ReasonRefused, "a child does not undo a guardian's refusal"},
		{child, records(at(by(yes, consent.ByGuardian), 2*time.Hour), at(no, time.Hour)), consent.ReasonRefused, "a child may refuse"},
		{child, records(at(by(yes, consent.ByGuardian), 2*time.Hour), at(by(no, consent.ByBoth), time.Hour)), consent.ReasonRefused, "together"},
		{child, records(at(by(yes, consent.ByGuardian), 2*time.Hour), at(refusal("p", consent.StateTerminated), time.Hour)), consent.ReasonGuardianRequired, "what ended for all is asked anew"},
	} {
		d := ask(t, aged(), tt.facts, consent.Request{Purpose: "p", Subject: consent.Subject{Residence: "DE", AgeBand: tt.band}})
		assert.Equal(t, tt.want, d.Reason, tt.reason)
	}
	// Where both must consent, both must take back.
	together := at(by(no, consent.ByBoth), 3*time.Hour)
	for _, tt := range []struct {
		facts  consent.Facts
		want   consent.Reason
		reason string
	}{
		{records(together, at(by(yes, consent.ByGuardian), 2*time.Hour)), consent.ReasonRefused, "one of two"},
		{records(together, at(by(yes, consent.ByGuardian), 2*time.Hour), at(yes, time.Hour)), consent.ReasonConsent, "both"},
		{records(at(no, 3*time.Hour), at(by(yes, consent.ByGuardian), 2*time.Hour)), consent.ReasonRefused, "a parent alone does not take back the child's no"},
		{records(at(no, 3*time.Hour), at(by(yes, consent.ByBoth), 2*time.Hour)), consent.ReasonConsent, "together they do"},
	} {
		d := ask(t, aged(), tt.facts, consent.Request{Purpose: "p", Subject: consent.Subject{Residence: "FR", AgeBand: "14"}})
		assert.Equal(t, tt.want, d.Reason, "France: %s", tt.reason)
	}
	// A refusal to every service is lifted for one by who refused, not by the other.
	p := consent.Policy{Purposes: []consent.Purpose{{Key: "p", Basis: consent.BasisContract}}}
	request := consent.Request{Purpose: "p", Promote: consent.Promote{From: "a", To: "b"}, Service: "maps"}
	stop := scoped(at(no, 3*time.Hour), consent.OpPromote, nil)
	again := scoped(at(yes, time.Hour), consent.OpPromote, func(s *consent.Scope) { s.Service = "maps" })
	assert.Equal(t, consent.ReasonContract, ask(t, p, records(stop, again), request).Reason, "the person's own")
	assert.Equal(t, consent.ReasonRefused, ask(t, p, records(stop, by(again, consent.ByGuardian)), request).Reason, "another's")
}
