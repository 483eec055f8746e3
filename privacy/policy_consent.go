package privacy

import (
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/retention"
)

// as gives texts the type that package consent reads them by.
func as[T ~string](texts []string) []T {
	if len(texts) == 0 {
		return nil
	}
	out := make([]T, len(texts))
	for i, s := range texts {
		out[i] = T(s)
	}
	return out
}

// consentTerms adds what bundles did not have at first.
func consentTerms(p *consent.Policy, b *bundle.Bundle) {
	for i := range b.Purposes {
		t, q := &b.Purposes[i].PurposeTerms, &p.Purposes[i]
		q.Uses, q.Needs, q.Reference, q.Counselling = as[consent.Use](t.Uses), t.Needs, t.Reference, t.Counselling
	}
	for i := range b.DataSources {
		for _, f := range b.DataSources[i].Flows {
			p.DataSources[i].Flows = append(p.DataSources[i].Flows, consent.DataFlow(f))
		}
	}
	for i := range b.Notices {
		for _, t := range b.Notices[i].Texts {
			p.Notices[i].Texts = append(p.Notices[i].Texts, consent.NoticeText{Language: t.Key, Hash: t.Value})
		}
	}
	for _, d := range b.Duties {
		p.Duties = append(p.Duties, consent.Duty{
			ID: d.ID, Source: d.Source, Note: d.Note, When: newCondition(d.When).forConsent(),
			Purpose: d.Purpose, Basis: consent.Basis(d.Basis), Reference: d.Reference, Needs: d.Needs,
		})
	}
	for _, r := range b.Recipients {
		p.Recipients = append(p.Recipients, consent.RecipientRule{
			ID: r.ID, Source: r.Source, Note: r.Note, When: newCondition(r.When).forConsent(),
			Role: r.Role, Basis: consent.Basis(r.Basis), Reference: r.Reference, Assessment: r.Assessment,
			BySubject: r.BySubject, Purposes: r.Purposes,
		})
	}
	for _, o := range b.Overrides {
		p.Overrides = append(p.Overrides, consent.Override{
			ID: o.ID, Source: o.Source, Note: o.Note, When: newCondition(o.When).forConsent(),
			Rules: o.Rules, Sources: o.Sources, Topics: o.Topics,
		})
	}
	p.Ages = consent.Ages{Builtin: b.Ages.Builtin, Assurance: consent.Assurance(b.Ages.Assurance), AssumeAdult: b.Ages.AssumeAdult}
	for _, r := range b.Ages.Rules {
		p.Ages.Rules = append(p.Ages.Rules, consent.AgeRule{
			Place: r.Place, From: instant(r.From), Under: int(r.Under), Giver: consent.Giver(r.Giver),
			Uses: as[consent.Use](r.Uses), AnyBasis: r.AnyBasis, Known: r.Known, Source: r.Note,
		})
	}
	p.Regimes = consent.Regimes{Builtin: b.Regimes.Builtin, AfterNotice: b.Regimes.AfterNotice, IgnoreSignalsInOptIn: b.Regimes.IgnoreSignalsInOptIn}
	for _, r := range b.Regimes.Rules {
		p.Regimes.Rules = append(p.Regimes.Rules, consent.RegimeRule{
			Place: r.Place, From: instant(r.From), Mechanism: consent.Mechanism(r.Mechanism), GPC: r.GPC,
			Sensitive: consent.Sensitive(r.Sensitive), HonourDays: int(r.HonourDays), Source: r.Note,
		})
	}
	p.Sensitive = b.Sensitive
	switch {
	case b.NoticeLead == -1:
		p.NoticeLead = consent.NoLead
	case b.NoticeLead < 0 || b.NoticeLead > int64(maxLead/time.Second):
		p.NoticeLead = consent.NoLead - 1 // which package consent refuses
	default:
		p.NoticeLead = time.Duration(b.NoticeLead) * time.Second
	}
}

// maxLead is far more than any notice needs, and far from where durations overflow.
const maxLead = 100 * 366 * 24 * time.Hour

// obligation is what a rule demands.
func obligation(o *bundle.Obligation) consent.Obligation {
	out := consent.Obligation{
		Kind: consent.ObligationKind(o.Do), Values: o.Values,
		Limit: o.Limit, Strength: o.Strength, Period: o.Period, Anchor: o.Anchor,
	}
	if o.Arg != "" {
		out.Values = append([]string{o.Arg}, o.Values...)
	}
	return out
}

// limits are the kinds of retention rules that the limits of a deletion stand for.
var limits = map[string]retention.Kind{"ceiling": retention.Ceiling, "floor": retention.Floor, "duration": retention.Delete}

// deletions are the retention rules of a policy's duties to delete: they bind what
// was decided with the duty, and nothing else.
func deletions(p *parts, b *bundle.Bundle) (out []retention.Rule) {
	for i := range b.Obligations {
		o := &b.Obligations[i]
		if o.Do != string(consent.DeleteWithin) {
			continue
		}
		kind, known := limits[o.Limit]
		p.malformed = p.malformed || !known
		id := o.ID
		out = append(out, retention.Rule{
			ID: id, Source: o.Source, Kind: kind, Strength: readAs(p, o.Strength, retention.ParseStrength),
			Anchor: retention.Anchor(o.Anchor), Period: readAs(p, o.Period, retention.ParsePeriod),
			// No two have the same text: texts are how package retention tells conditions apart.
			When: retention.Condition{Text: "obligation " + id, Func: func(in *retention.Input) (bool, error) {
				d, ok := in.Request.(*decided)
				return ok && d.obliges(id), nil
			}},
		})
	}
	return out
}

// A decided is what conditions of retention rules see of data that a decision was
// made for.
type decided struct {
	request *consent.Request
	duties  []consent.Obligation
}

// obliges tells whether a rule's duty to delete came with the decision.
func (d *decided) obliges(rule string) bool {
	for i := range d.duties {
		if d.duties[i].Kind == consent.DeleteWithin && d.duties[i].Rule == rule {
			return true
		}
	}
	return false
}
