package consent_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
)

// A small world of places: XA is a country with a part XA-B, XX has no rows.
var (
	genPlaces = []string{"", "XA", "XA-B", "XA-C", "XC", "XD", "XX", "XX-Y"}
	genUses   = []consent.Use{consent.UseSale, consent.UseShare, consent.UseTargetedAds, consent.UseProfiling}
	genBands  = []string{"", "unknown", "under13", "12", "13..15", "14", "16..17", "adult", "20", "odd"}
	genGivers = []consent.Giver{"", "", "", consent.BySubject, consent.ByGuardian, consent.ByGuardian, consent.ByBoth}
)

func days(t *rapid.T, label string) time.Time { return day(rapid.IntRange(1, 9).Draw(t, label)) }

// genWider draws what this version of a policy has beside the earlier one.
func genWider(t *rapid.T, p *consent.Policy) {
	source := func() string { return pick(t, "source", []string{"law", "statement"}) }
	p.Sources = append(p.Sources, consent.Source{ID: "contract", Layer: consent.LayerAgreement})
	if rapid.Bool().Draw(t, "parties") {
		p.Sources[1].Parties = []string{"us", "ours"}
	}
	if chance(t, "parties to the contract", 3) {
		p.Sources[len(p.Sources)-1].Parties = []string{"us"}
	}
	regimes := chance(t, "regimes", 2)
	if regimes {
		p.Regimes = consent.Regimes{
			Rules: []consent.RegimeRule{
				{Place: "XA", Mechanism: consent.OptOut, Sensitive: pick(t, "sensitive", []consent.Sensitive{"", consent.SensitiveLimit, consent.SensitiveOptIn})},
				{Place: "XA", From: days(t, "binds"), Mechanism: consent.OptOut, GPC: true, HonourDays: 15},
				{Place: "XA-B", From: days(t, "begins"), Mechanism: pick(t, "mechanism", []consent.Mechanism{consent.NoticeOnly, consent.OptOut, consent.NoRegime})},
				{Place: "XC", Mechanism: consent.OptIn, Sensitive: pick(t, "sensitive", []consent.Sensitive{"", consent.SensitiveOptIn})},
				{Place: "XD", From: days(t, "ends"), Mechanism: consent.NoRegime},
				{Place: "XD", Mechanism: consent.OptOut},
			},
			AfterNotice:          subset(t, "after notice", []string{"XA", "XA-B", "XD"}),
			IgnoreSignalsInOptIn: rapid.Bool().Draw(t, "ignore"),
		}
		if p.Regimes.Rules[1].From.Equal(time.Time{}) {
			p.Regimes.Rules[1].From = day(1)
		}
		if chance(t, "sensitive", 3) {
			p.Sensitive = []string{"k.l"}
		}
	}
	if chance(t, "ages", 2) {
		p.Ages = consent.Ages{
			Rules: []consent.AgeRule{
				{Place: "XA", Under: 13, AnyBasis: true, Known: true, Source: "a"},
				{Place: "XA-B", From: days(t, "begins"), Under: 16, Giver: consent.BySubject, Uses: []consent.Use{consent.UseSale}, Known: rapid.Bool().Draw(t, "known"), Source: "b"},
				{Place: "XC", Under: 13, Source: "c"},
				{Place: "XC", From: days(t, "changes"), Under: 15, Source: "c2"},
				{Place: "XD", Under: 15, Giver: consent.ByBoth, Source: "d"},
				{Under: 16, Source: "e"},
			},
			AssumeAdult: rapid.Bool().Draw(t, "assume adult"),
		}
		if !p.Ages.AssumeAdult {
			p.Ages.Assurance = pick(t, "assurance", []consent.Assurance{"", consent.Declared, consent.Verified})
		}
	}
	for i := range p.Purposes {
		x := &p.Purposes[i]
		x.Counselling = chance(t, "counselling", 8)
		if chance(t, "uses", 2) {
			x.Uses = subset(t, "use", genUses)
		}
		if chance(t, "signals", 6) {
			x.Signals = []string{"gpp", "usp"}
		}
		bare := consent.Purpose{Key: x.Key, Channels: x.Channels, Signals: x.Signals, Uses: x.Uses, Counselling: x.Counselling, Notice: x.Notice}
		if slices.ContainsFunc(p.Features, func(f consent.Feature) bool { return f.Sync == x.Key }) {
			continue // syncing needs a purpose on consent
		}
		switch pick(t, "basis", []int{0, 0, 0, 0, 0, 1, 1, 1, 2, 3}) {
		case 1:
			if regimes {
				bare.Mechanism = consent.ByRegime
				*x = bare
			}
		case 2:
			if !slices.ContainsFunc(x.Uses, func(u consent.Use) bool { return u != consent.UseProfiling }) {
				bare.Basis, bare.Needs = pick(t, "duty", []consent.Basis{consent.BasisLegalObligation, consent.BasisVitalInterest}), []string{"k"}
				bare.Reference = pick(t, "reference", []string{"", "law/1"})
				*x = bare
			}
		case 3:
			bare.Basis, bare.Reference = consent.BasisPublicTask, "law/2"
			*x = bare
		}
	}
	if chance(t, "duties", 3) {
		d := consent.Duty{
			ID: "duty/1", Source: source(), Purpose: pick(t, "duty purpose", []string{"a", "a.b", "d"}), Basis: pick(t, "duty", []consent.Basis{consent.BasisLegalObligation, consent.BasisVitalInterest}),
			Reference: pick(t, "reference", []string{"", "law/3"}), Needs: []string{"k"}, When: condition(t),
		}
		// No law asks for advertising: New refuses it.
		rule := (&slow{p: *p, r: &consent.Request{Purpose: d.Purpose}}).rule()
		if rule != nil && !slices.ContainsFunc(rule.Uses, func(u consent.Use) bool { return u != consent.UseProfiling }) {
			p.Duties = []consent.Duty{d}
		}
	}
	if chance(t, "recipients", 3) {
		p.Recipients = []consent.RecipientRule{
			{ID: "role/1", Source: source(), Role: "vendor", Basis: consent.BasisContract, Reference: "dpa/1", When: condition(t)},
			{ID: "role/2", Source: source(), Role: "carer", Basis: consent.BasisContract, BySubject: true, Purposes: subset(t, "role purposes", []string{"a"})},
			{ID: "role/3", Source: source(), Role: "court", Basis: consent.BasisLegalObligation},
			{ID: "role/4", Source: source(), Role: "friend", Basis: consent.BasisConsent},
		}
	}
	topic := func() string { return pick(t, "topic", []string{"", "t"}) }
	topical := false
	set := func(dst *string) {
		*dst = topic()
		topical = topical || *dst != ""
	}
	for i := range p.Prohibitions {
		set(&p.Prohibitions[i].Topic)
	}
	for i := range p.Requirements {
		set(&p.Requirements[i].Topic)
	}
	for i := range p.Residency {
		set(&p.Residency[i].Topic)
	}
	if chance(t, "obligations", 3) && len(p.Obligations) == 0 {
		p.Obligations = []consent.ObligationRule{
			{ID: "erase", Source: "statement", On: []consent.Reason{consent.ReasonWithdrawn, consent.ReasonRefused}, When: condition(t), Obligation: consent.Obligation{Kind: consent.StopAndErase}},
			{ID: "tell", Source: "statement", On: []consent.Reason{consent.ReasonConsent}, Obligation: consent.Obligation{Kind: consent.NotifySubject}},
		}
	}
	if chance(t, "overrides", 3) {
		o := consent.Override{ID: "over/1", Source: "contract", Sources: []string{"statement"}, When: condition(t)}
		if topical && rapid.Bool().Draw(t, "topics") {
			o.Topics = []string{"t"}
		}
		p.Overrides = []consent.Override{o}
		if len(p.Obligations) > 0 && p.Obligations[0].Source == "statement" {
			p.Overrides = append(p.Overrides, consent.Override{ID: "over/2", Source: "contract", Rules: []string{p.Obligations[0].ID}})
		}
	}
}

func genSignal(t *rapid.T) consent.Signal {
	s := consent.Signal{Kind: pick(t, "signal", []string{"gpc", "gpp", "usp", "dnt", "odd"})}
	if s.Kind == "gpp" {
		s.OptOut = subset(t, "opt-out", append(slices.Clone(genUses), consent.UseSensitive))
	}
	if rapid.Bool().Draw(t, "seen") {
		s.Since = days(t, "since")
	}
	s.Device = pick(t, "device", []string{"", "device", "person"})
	return s
}

func genWiderRequest(t *rapid.T, r *consent.Request) {
	if chance(t, "placed", 2) {
		r.Subject.Residence, r.Location = pick(t, "residence", genPlaces), pick(t, "location", genPlaces)
	}
	if chance(t, "aged", 2) {
		r.Subject.AgeBand = pick(t, "band", genBands)
		r.AgeAssured = pick(t, "assured", []consent.Assurance{"", consent.Declared, consent.Estimated, consent.Verified, "odd"})
	}
	r.Subject.ID = pick(t, "subject", []string{"", "person"})
	if chance(t, "signalled", 2) {
		for range rapid.IntRange(1, 3).Draw(t, "signals") {
			r.Signals.List = append(r.Signals.List, genSignal(t))
		}
	}
	if chance(t, "referred", 3) {
		r.Reference = pick(t, "reference", []string{"case/1", "bad one"})
		if r.Reference == "bad one" && !chance(t, "really", 5) {
			r.Reference = "case/2"
		}
	}
	r.Recipient.Role = pick(t, "role", []string{"", "vendor", "carer", "court", "friend"})
	r.BySubject = rapid.Bool().Draw(t, "by subject")
	r.Party = pick(t, "party", []string{"", "", "us", "them"})
	if chance(t, "settings", 3) {
		r.Subject.Account, r.Subject.Tenant = pick(t, "account", []string{"", "consumer", "work"}), pick(t, "tenant", []string{"", "t1"})
		r.Collector = pick(t, "collector", []string{"", "provider", "organisation"})
		for range rapid.IntRange(1, 2).Draw(t, "settings") {
			r.Settings = append(r.Settings, consent.Setting{
				Feature: pick(t, "setting", genFeatures[1:]), By: pick(t, "by", []consent.Actor{consent.ByUser, consent.ByAdmin}), On: rapid.Bool().Draw(t, "on"),
				Of:        pick(t, "of", []consent.Aspect{"", consent.OfCollection, consent.OfUse}),
				Collector: pick(t, "collector", []string{"", "provider", "organisation"}), Tenant: pick(t, "tenant", []string{"", "t1", "t2"}), Device: rapid.Bool().Draw(t, "device"),
			})
		}
		if r.Feature == "" {
			r.Feature = pick(t, "feature", genFeatures)
		}
	}
}

// genWiderFacts gives some records another giver and a merged device.
func genWiderFacts(t *rapid.T, f *consent.Facts) {
	wider := func(list []consent.Record) {
		for i := range list {
			r := &list[i]
			r.By = pick(t, "giver", genGivers)
			r.AfterConflict = (r.State == consent.StateGranted || r.State == consent.StateRenewed) && chance(t, "after conflict", 3)
		}
	}
	if rapid.Bool().Draw(t, "people") {
		wider(f.Records)
	}
	if !chance(t, "merges", 3) {
		return
	}
	for range rapid.IntRange(1, 2).Draw(t, "merges") {
		m := consent.Merge{At: days(t, "merged")}
		for range rapid.IntRange(0, 3).Draw(t, "device records") {
			r := genRecord(t, "m"+string(rune('0'+len(m.Records))))
			if n := len(f.Records); n > 0 && rapid.Bool().Draw(t, "of the same") {
				r.Scope = f.Records[rapid.IntRange(0, n-1).Draw(t, "which")].Scope
			}
			m.Records = append(m.Records, r)
		}
		wider(m.Records)
		for i := range m.Records {
			m.Records[i].ID += strings.Repeat("x", len(f.Merged))
		}
		f.Merged = append(f.Merged, m)
	}
}
