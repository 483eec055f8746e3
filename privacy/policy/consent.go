package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/retention"
)

// The names that package consent reads; a test holds the two together.
var (
	bases      = []string{"consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest"}
	mechanisms = []string{"opt_in", "opt_out", "notice_only", "regime"}
	grades     = []string{"implied", "expressed", "explicit"}
	uses       = []string{"sale", "share", "targeted_ads", "profiling"}
	signals    = []string{"gpc", "gpp", "usp"}
	affected   = []string{"subject", "organisation"}
	duties     = []string{"delete_within", "minimise", "pseudonymise", "no_onward_transfer", "notify_subject", "log_use", "honour_in", "pass_signal", "stop_and_erase"}
	limits     = []string{"ceiling", "floor", "duration"}
	assurances = []string{"declared", "estimated", "verified"}
	givers     = []string{"subject", "guardian", "both"}
	regimes    = []string{"opt_in", "opt_out", "notice_only", "none"}
	treatments = []string{"opt_in", "limit"}
)

func (r *reader) purpose(m *source.Map) bundle.Purpose {
	ps := r.ps
	p := bundle.Purpose{
		Key:        r.id(m.Need("key"), "purpose"),
		Assessment: m.Get("assessment").Text(ps, "assessment").Value,
		Channels:   m.Get("channels").Strings(ps, "channels"),
		Signals:    r.choices(m, "signals", signals),
		Text:       m.Get("text").Text(ps, "text").Value,
		Source:     r.ref(m.Get("source"), "source"),
		Notice:     r.ref(m.Get("notice"), "notice"),
		Facts:      r.facts(m),
	}
	p.Basis = r.choice(m, "basis", bases)
	p.Mechanism = r.choice(m, "mechanism", mechanisms)
	p.Strength = r.choice(m, "strength", grades)
	p.Maps = r.pairs(m, "maps")
	p.Uses = r.choices(m, "uses", uses)
	p.Needs = r.reflist(m.Get("needs"), "category")
	p.Reference = m.Get("reference").Text(ps, "reference").Value
	p.Counselling = m.Get("counselling").Bool(ps, "counselling")
	return p
}

// choice reads one of some names; a key that is not there is none of them.
func (r *reader) choice(m *source.Map, key string, names []string) string {
	n := m.Get(key)
	if !n.Present() {
		return ""
	}
	return n.Choice(r.ps, key, names...)
}

func (r *reader) choices(m *source.Map, key string, names []string) (out []string) {
	for _, n := range m.Get(key).List(r.ps, key) {
		out = append(out, n.Choice(r.ps, key, names...))
	}
	return out
}

// pairs reads texts by their keys, in the order of the keys.
func (r *reader) pairs(m *source.Map, key string) (out []bundle.Pair) {
	n := m.Get(key)
	if !n.Present() {
		return nil
	}
	mm := n.Map(r.ps, key)
	for _, k := range mm.Keys() {
		if v := mm.Get(k); !v.IsNull() {
			out = append(out, bundle.Pair{Key: k, Value: v.Text(r.ps, key).Value})
		}
	}
	slices.SortFunc(out, func(a, b bundle.Pair) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// topic reads the family of rules that an override may name.
func (r *reader) topic(m *source.Map, id string) {
	if n := m.Get("topic"); n.Present() && id != "" {
		r.b.Topics = append(r.b.Topics, bundle.Pair{Key: id, Value: n.Text(r.ps, "topic").Value})
	}
}

func (r *reader) consent(n source.Node) {
	if !n.Present() {
		return
	}
	ps, b := r.ps, r.b
	m := n.Map(ps, "consent")
	r.each(m.Get("prohibitions"), "prohibition", func(m *source.Map) {
		r.mark("prohibitions", len(b.Prohibitions), m)
		m.Need("when")
		c := r.clause(m, "prohibition")
		r.topic(m, c.ID)
		b.Prohibitions = append(b.Prohibitions, c)
	})
	r.each(m.Get("requirements"), "requirement", func(m *source.Map) {
		r.mark("requirements", len(b.Requirements), m)
		m.Need("when")
		q := bundle.Requirement{
			Clause:   r.clause(m, "requirement"),
			Strength: m.Need("strength").Choice(ps, "strength", grades...),
		}
		r.topic(m, q.ID)
		b.Requirements = append(b.Requirements, q)
	})
	r.each(m.Get("promotions"), "promotion", func(m *source.Map) {
		r.mark("promotions", len(b.Promotions), m)
		p := bundle.Promotion{
			ID:      r.id(m.Need("id"), "promotion"),
			Source:  r.ref(m.Need("source"), "source"),
			From:    r.reflist(m.Need("from"), "class"),
			To:      r.ref(m.Need("to"), "class"),
			Purpose: r.ref(m.Need("purpose"), "purpose"),
			Note:    m.Get("note").Text(ps, "note").Value,
			Facts:   r.facts(m),
		}
		for _, k := range m.Need("features").List(ps, "features") {
			p.Kinds = append(p.Kinds, k.Choice(ps, "features", "essential", "optional"))
		}
		b.Promotions = append(b.Promotions, p)
	})
	r.each(m.Get("obligations"), "obligation", func(m *source.Map) {
		r.mark("obligations", len(b.Obligations), m)
		b.Obligations = append(b.Obligations, r.obligation(m))
	})
	r.each(m.Get("notices"), "notice", func(m *source.Map) {
		r.mark("notices", len(b.Notices), m)
		n := bundle.Notice{Version: m.Need("version").Text(ps, "version").Value, Material: m.Get("material").Bool(ps, "material")}
		n.ID = m.Need("id").Text(ps, "notice id").Value
		n.Published = r.instant(m.Get("published"), "published")
		n.Effective = r.instant(m.Need("effective"), "effective")
		n.Texts = r.pairs(m, "texts")
		b.Notices = append(b.Notices, n)
	})
	if g := m.Get("gates"); g.Present() {
		gm := g.Map(ps, "gates")
		set := func(p *string, key string) {
			if v := gm.Get(key); v.Present() {
				*p = v.Choice(ps, key, "none", "consent", "explicit")
			}
		}
		set(&b.Gates.Promotion, "promotion")
		set(&b.Gates.Combination, "combination")
		set(&b.Gates.Share, "share")
		b.Gates.Facts = append(b.Gates.Facts, r.facts(gm)...)
		gm.Done()
	}
	r.each(m.Get("duties"), "duty", func(m *source.Map) {
		r.mark("duties", len(b.Duties), m)
		b.Duties = append(b.Duties, bundle.Duty{
			Clause:    r.clause(m, "duty"),
			Purpose:   r.ref(m.Need("purpose"), "purpose"),
			Basis:     m.Need("basis").Choice(ps, "basis", "legal_obligation", "vital_interest"),
			Reference: m.Get("reference").Text(ps, "reference").Value,
			Needs:     r.reflist(m.Need("needs"), "category"),
		})
	})
	r.each(m.Get("recipients"), "recipient rule", func(m *source.Map) {
		r.mark("recipients", len(b.Recipients), m)
		b.Recipients = append(b.Recipients, bundle.RecipientRule{
			Clause:     r.clause(m, "recipient rule"),
			Role:       m.Need("role").Text(ps, "role").Value,
			Basis:      m.Need("basis").Choice(ps, "basis", bases...),
			Reference:  m.Get("reference").Text(ps, "reference").Value,
			Assessment: m.Get("assessment").Text(ps, "assessment").Value,
			BySubject:  m.Get("by_subject").Bool(ps, "by_subject"),
			Purposes:   r.reflist(m.Get("purposes"), "purpose"),
		})
	})
	r.each(m.Get("overrides"), "override", func(m *source.Map) {
		r.mark("overrides", len(b.Overrides), m)
		b.Overrides = append(b.Overrides, bundle.Override{
			Clause:  r.clause(m, "override"),
			Rules:   m.Get("rules").Strings(ps, "rules"),
			Sources: r.reflist(m.Get("sources"), "source"),
			Topics:  m.Get("topics").Strings(ps, "topics"),
		})
	})
	r.ages(m.Get("ages"))
	r.regimes(m.Get("regimes"))
	if n := m.Get("sensitive"); n.Present() {
		r.places["sensitive"] = n
		b.Sensitive = append(b.Sensitive, r.reflist(n, "category")...)
	}
	if n := m.Get("notice_lead"); n.Present() {
		// Of policies that extend each other the last one counts.
		b.NoticeLead = r.lead(n)
	}
	m.Done()
}

func (r *reader) obligation(m *source.Map) bundle.Obligation {
	ps := r.ps
	o := bundle.Obligation{Clause: r.clause(m, "obligation")}
	r.topic(m, o.ID)
	o.Do = m.Need("do").Choice(ps, "do", duties...)
	if n := m.Get("arg"); n.IsList() {
		if o.Values = n.Strings(ps, "arg"); len(o.Values) == 1 {
			o.Arg, o.Values = o.Values[0], nil // one spelling in bundles
		}
	} else {
		o.Arg = n.Text(ps, "arg").Value
	}
	o.On = m.Get("on").Strings(ps, "on")
	o.Limit = r.choice(m, "limit", limits)
	o.Strength = r.choice(m, "strength", strengths)
	if n := m.Get("period"); n.Present() {
		o.Period = r.period(n, "period")
	}
	o.Anchor = m.Get("anchor").Text(ps, "anchor").Value
	return o
}

func (r *reader) ages(n source.Node) {
	if !n.Present() {
		return
	}
	ps, a := r.ps, &r.b.Ages
	r.places["ages"] = n
	m := n.Map(ps, "ages")
	defer m.Done()
	a.Builtin = m.Get("builtin").Bool(ps, "builtin") || a.Builtin
	a.AssumeAdult = m.Get("assume_adult").Bool(ps, "assume_adult") || a.AssumeAdult
	if s := r.choice(m, "assurance", assurances); s != "" {
		a.Assurance = s
	}
	r.each(m.Get("rules"), "age rule", func(m *source.Map) {
		r.mark("ages.rules", len(a.Rules), m)
		a.Rules = append(a.Rules, bundle.AgeRule{
			Place:    m.Get("place").Text(ps, "place").Value,
			From:     r.instant(m.Get("from"), "from"),
			Under:    uint16(m.Need("under").Int(ps, "under", 0, 120)),
			Giver:    r.choice(m, "giver", givers),
			Uses:     r.choices(m, "uses", uses),
			AnyBasis: m.Get("any_basis").Bool(ps, "any_basis"),
			Known:    m.Get("known").Bool(ps, "known"),
			Note:     m.Get("note").Text(ps, "note").Value,
		})
	})
}

func (r *reader) regimes(n source.Node) {
	if !n.Present() {
		return
	}
	ps, b := r.ps, &r.b.Regimes
	r.places["regimes"] = n
	m := n.Map(ps, "regimes")
	defer m.Done()
	b.Builtin = m.Get("builtin").Bool(ps, "builtin") || b.Builtin
	b.IgnoreSignalsInOptIn = m.Get("ignore_signals_in_opt_in").Bool(ps, "ignore_signals_in_opt_in") || b.IgnoreSignalsInOptIn
	b.AfterNotice = append(b.AfterNotice, m.Get("after_notice").Strings(ps, "after_notice")...)
	r.each(m.Get("rules"), "regime rule", func(m *source.Map) {
		r.mark("regimes.rules", len(b.Rules), m)
		b.Rules = append(b.Rules, bundle.RegimeRule{
			Place:      m.Need("place").Text(ps, "place").Value,
			From:       r.instant(m.Get("from"), "from"),
			Mechanism:  m.Need("mechanism").Choice(ps, "mechanism", regimes...),
			GPC:        m.Get("gpc").Bool(ps, "gpc"),
			Sensitive:  r.choice(m, "sensitive", treatments),
			HonourDays: uint16(m.Get("honour_days").Int(ps, "honour_days", 0, 366)),
			Note:       m.Get("note").Text(ps, "note").Value,
		})
	})
}

// noLead is the notice lead of a policy whose changes may take effect at once.
const noLead = -1

// lead reads how long ahead a material change is told, as seconds. Months and years
// are not of one length, and the promise of a length is what a lead is.
func (r *reader) lead(n source.Node) int64 {
	const mend = "write for example P30D, or none"
	t := n.Text(r.ps, "notice_lead")
	if t.Value == "" || t.Value == "none" {
		return noLead
	}
	p, err := retention.ParsePeriod(t.Value)
	switch seconds := int64(7*p.Weeks+p.Days)*86400 + int64(p.Exact/1e9); {
	case err != nil:
		n.Problem(r.ps, "notice_lead "+strconv.Quote(t.Value)+" is not ISO 8601", mend)
	case p.Years != 0 || p.Months != 0 || seconds > 100*366*86400:
		n.Problem(r.ps, "notice_lead must be weeks, days or hours, at most a hundred years", mend)
	case seconds > 0:
		return seconds
	}
	return noLead
}
