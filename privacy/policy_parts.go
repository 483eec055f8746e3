package privacy

import (
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/bundle"
)

// consentPolicy turns the wire form of a policy into what package consent takes.
func consentPolicy(b *bundle.Bundle) consent.Policy {
	p := consent.Policy{Gates: consent.Gates{
		Promotion:   consent.Gate(b.Gates.Promotion),
		Combination: consent.Gate(b.Gates.Combination),
		Share:       consent.Gate(b.Gates.Share),
	}}
	topics := make(map[string]string, len(b.Topics))
	for _, t := range b.Topics {
		topics[t.Key] = t.Value
	}
	for _, s := range b.Sources {
		p.Sources = append(p.Sources, consent.Source{ID: s.ID, Title: s.Title, Layer: consent.Layer(s.Layer), AsOf: s.AsOf, Parties: s.Parties})
	}
	for _, q := range b.Purposes {
		out := consent.Purpose{
			Key: q.Key, Basis: consent.Basis(q.Basis), Mechanism: consent.Mechanism(q.Mechanism),
			Channels: q.Channels, Signals: q.Signals, Strength: consent.Strength(q.Strength),
			Assessment: q.Assessment, Notice: q.Notice, Text: q.Text, Source: q.Source,
		}
		for _, m := range q.Maps {
			if out.Maps == nil {
				out.Maps = map[string]string{}
			}
			out.Maps[m.Key] = m.Value
		}
		p.Purposes = append(p.Purposes, out)
	}
	for _, c := range b.Classes {
		p.Classes = append(p.Classes, consent.Class{Key: c.Key, Purposes: c.Purposes, Necessary: c.Necessary, Source: c.Source})
	}
	for _, f := range b.Features {
		p.Features = append(p.Features, consent.Feature{
			Key: f.Key, Kind: consent.Kind(f.Kind), AdminCanDisable: f.AdminCanDisable, Affects: consent.Affected(f.Affects),
			Purposes: f.Purposes, Categories: f.Categories, Classes: f.Classes, Sync: f.Sync, Source: f.Source,
		})
	}
	for _, s := range b.DataSources {
		p.DataSources = append(p.DataSources, consent.DataSource{Key: s.Key, Parent: s.Parent, Purposes: s.Purposes, Categories: s.Categories, Source: s.Source})
	}
	for _, c := range b.Prohibitions {
		p.Prohibitions = append(p.Prohibitions, consent.Prohibition{ID: c.ID, Source: c.Source, Topic: topics[c.ID], Note: c.Note, When: newCondition(c.When).forConsent()})
	}
	for _, c := range b.Requirements {
		p.Requirements = append(p.Requirements, consent.Requirement{ID: c.ID, Source: c.Source, Topic: topics[c.ID], Note: c.Note, Strength: consent.Strength(c.Strength), When: newCondition(c.When).forConsent()})
	}
	for _, c := range b.Residency {
		p.Residency = append(p.Residency, consent.Residency{
			ID: c.ID, Source: c.Source, Topic: topics[c.ID], Note: c.Note, When: newCondition(c.When).forConsent(),
			StoreIn: newCondition(c.StoreIn).place(), StaffIn: newCondition(c.StaffIn).place(),
		})
	}
	for _, m := range b.Promotions {
		out := consent.Promotion{ID: m.ID, Source: m.Source, Note: m.Note, From: m.From, To: m.To, Purpose: m.Purpose}
		for _, k := range m.Kinds {
			out.Kinds = append(out.Kinds, consent.Kind(k))
		}
		p.Promotions = append(p.Promotions, out)
	}
	for i := range b.Obligations {
		o := &b.Obligations[i]
		p.Obligations = append(p.Obligations, consent.ObligationRule{
			ID: o.ID, Source: o.Source, Topic: topics[o.ID], Note: o.Note, When: newCondition(o.When).forConsent(),
			On: as[consent.Reason](o.On), Obligation: obligation(o),
		})
	}
	for _, n := range b.Notices {
		p.Notices = append(p.Notices, consent.Notice{ID: n.ID, Version: n.Version, Published: instant(n.Published), Effective: instant(n.Effective), Material: n.Material})
	}
	consentTerms(&p, b)
	return p
}

func instant(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
