package bundle

// This file is the section of what consent policies did not have at first.

// PurposeTerms are the parts of a purpose that bundles did not have at first.
type PurposeTerms struct {
	Uses, Needs []string
	Reference   string
	Counselling bool
}

// SourceTerms are those of a source.
type SourceTerms struct{ Parties []string }

// FeatureTerms are those of a feature.
type FeatureTerms struct{ Affects string }

// DataSourceTerms are those of a data source.
type DataSourceTerms struct{ Flows []DataFlow }

// A DataFlow lets categories serve one purpose.
type DataFlow struct {
	Purpose    string
	Categories []string
}

// ObligationTerms are those of an obligation.
type ObligationTerms struct {
	On     []string // reasons
	Values []string // instead of Arg, where there are several
	// Of a deletion: how binding the period is, and what it runs from.
	Limit, Strength, Period, Anchor string
}

// NoticeTerms are those of a notice.
type NoticeTerms struct {
	Texts []Pair // language → hash
}

// A Duty lets a legal obligation or a vital interest go before a refusal.
type Duty struct {
	Clause
	Purpose, Basis, Reference string
	Needs                     []string
}

// A RecipientRule says what a disclosure to a role rests on.
type RecipientRule struct {
	Clause
	Role, Basis, Reference, Assessment string
	BySubject                          bool
	Purposes                           []string
}

// An Override sets rules aside.
type Override struct {
	Clause
	Rules, Sources, Topics []string
}

// Ages say who may not consent alone.
type Ages struct {
	Builtin, AssumeAdult bool
	Assurance            string
	Rules                []AgeRule
}

// An AgeRule is a row of a table of ages.
type AgeRule struct {
	Place           string
	From            int64 // seconds since 1970 UTC; 0: always
	Under           uint16
	Giver           string
	Uses            []string
	AnyBasis, Known bool
	Note            string // where it is written
}

// Regimes say what depends on the place.
type Regimes struct {
	Builtin, IgnoreSignalsInOptIn bool
	AfterNotice                   []string
	Rules                         []RegimeRule
}

// A RegimeRule is a row of a table of regimes.
type RegimeRule struct {
	Place      string
	From       int64 // seconds since 1970 UTC; 0: always
	Mechanism  string
	GPC        bool
	Sensitive  string
	HonourDays uint16
	Note       string // where it is written
}

func (t *PurposeTerms) empty() bool {
	return len(t.Uses)+len(t.Needs) == 0 && t.Reference == "" && !t.Counselling
}
func (t *SourceTerms) empty() bool     { return len(t.Parties) == 0 }
func (t *FeatureTerms) empty() bool    { return t.Affects == "" }
func (t *DataSourceTerms) empty() bool { return len(t.Flows) == 0 }
func (t *NoticeTerms) empty() bool     { return len(t.Texts) == 0 }
func (t *ObligationTerms) empty() bool {
	return len(t.On)+len(t.Values) == 0 && t.Limit+t.Strength+t.Period+t.Anchor == ""
}

func (a *Ages) empty() bool {
	return !a.Builtin && !a.AssumeAdult && a.Assurance == "" && len(a.Rules) == 0
}

func (r *Regimes) empty() bool {
	return !r.Builtin && !r.IgnoreSignalsInOptIn && len(r.AfterNotice)+len(r.Rules) == 0
}

func (b *Bundle) withoutConsentTerms() bool {
	return b.Ages.empty() && b.Regimes.empty() && b.NoticeLead == 0 &&
		len(b.Duties)+len(b.Recipients)+len(b.Overrides)+len(b.Sensitive)+len(b.Topics) == 0 &&
		none(b.Sources, func(s *Source) bool { return s.SourceTerms.empty() }) &&
		none(b.Purposes, func(p *Purpose) bool { return p.PurposeTerms.empty() }) &&
		none(b.Features, func(f *Feature) bool { return f.FeatureTerms.empty() }) &&
		none(b.DataSources, func(s *DataSource) bool { return s.DataSourceTerms.empty() }) &&
		none(b.Obligations, func(o *Obligation) bool { return o.ObligationTerms.empty() }) &&
		none(b.Notices, func(n *Notice) bool { return n.NoticeTerms.empty() })
}

func none[T any](list []T, empty func(*T) bool) bool {
	for i := range list {
		if !empty(&list[i]) {
			return false
		}
	}
	return true
}

func (b *Bundle) walkConsentTerms(c *codec) {
	pairs := func(p *[]Pair) { list(c, p, (*codec).pair) }
	sparse(c, len(b.Sources), func(i int) bool { return b.Sources[i].SourceTerms.empty() }, func(i int) { c.strs(&b.Sources[i].Parties) })
	sparse(c, len(b.Purposes), func(i int) bool { return b.Purposes[i].PurposeTerms.empty() }, func(i int) {
		t := &b.Purposes[i].PurposeTerms
		c.strs(&t.Uses)
		c.strs(&t.Needs)
		c.str(&t.Reference)
		c.flag(&t.Counselling)
	})
	sparse(c, len(b.Features), func(i int) bool { return b.Features[i].FeatureTerms.empty() }, func(i int) { c.str(&b.Features[i].Affects) })
	sparse(c, len(b.DataSources), func(i int) bool { return b.DataSources[i].DataSourceTerms.empty() }, func(i int) {
		list(c, &b.DataSources[i].Flows, func(c *codec, f *DataFlow) {
			c.str(&f.Purpose)
			c.strs(&f.Categories)
		})
	})
	sparse(c, len(b.Obligations), func(i int) bool { return b.Obligations[i].ObligationTerms.empty() }, func(i int) {
		t := &b.Obligations[i].ObligationTerms
		c.strs(&t.On)
		c.strs(&t.Values)
		for _, s := range []*string{&t.Limit, &t.Strength, &t.Period, &t.Anchor} {
			c.str(s)
		}
	})
	sparse(c, len(b.Notices), func(i int) bool { return b.Notices[i].NoticeTerms.empty() }, func(i int) { pairs(&b.Notices[i].Texts) })
	pairs(&b.Topics)
	list(c, &b.Duties, func(c *codec, d *Duty) {
		c.clause(&d.Clause)
		c.str(&d.Purpose)
		c.str(&d.Basis)
		c.str(&d.Reference)
		c.strs(&d.Needs)
	})
	list(c, &b.Recipients, func(c *codec, r *RecipientRule) {
		c.clause(&r.Clause)
		for _, s := range []*string{&r.Role, &r.Basis, &r.Reference, &r.Assessment} {
			c.str(s)
		}
		c.flag(&r.BySubject)
		c.strs(&r.Purposes)
	})
	list(c, &b.Overrides, func(c *codec, o *Override) {
		c.clause(&o.Clause)
		c.strs(&o.Rules)
		c.strs(&o.Sources)
		c.strs(&o.Topics)
	})
	b.Ages.walk(c)
	b.Regimes.walk(c)
	c.strs(&b.Sensitive)
	c.i64(&b.NoticeLead)
}

func (a *Ages) walk(c *codec) {
	c.flag(&a.Builtin)
	c.flag(&a.AssumeAdult)
	c.str(&a.Assurance)
	list(c, &a.Rules, func(c *codec, r *AgeRule) {
		c.str(&r.Place)
		c.i64(&r.From)
		c.u16(&r.Under)
		c.str(&r.Giver)
		c.strs(&r.Uses)
		c.flag(&r.AnyBasis)
		c.flag(&r.Known)
		c.str(&r.Note)
	})
}

func (r *Regimes) walk(c *codec) {
	c.flag(&r.Builtin)
	c.flag(&r.IgnoreSignalsInOptIn)
	c.strs(&r.AfterNotice)
	list(c, &r.Rules, func(c *codec, x *RegimeRule) {
		c.str(&x.Place)
		c.i64(&x.From)
		c.str(&x.Mechanism)
		c.flag(&x.GPC)
		c.str(&x.Sensitive)
		c.u16(&x.HonourDays)
		c.str(&x.Note)
	})
}

func (c *codec) pair(p *Pair) {
	c.str(&p.Key)
	c.str(&p.Value)
}

// sparse walks what some entries of a list of n have: each with its place in the list,
// which ascends, and something to say.
func sparse(c *codec, n int, empty func(int) bool, walk func(int)) {
	count := uint64(0)
	if !c.reading {
		for i := range n {
			if !empty(i) {
				count++
			}
		}
	}
	c.u64(&count)
	if !c.reading {
		for i := range n {
			if at := uint64(i); !empty(i) {
				c.u64(&at)
				walk(i)
			}
		}
		return
	}
	if count > uint64(n) {
		c.fail()
		return
	}
	next := uint64(0)
	for range count {
		var at uint64
		c.u64(&at)
		if c.failed || at < next || at >= uint64(n) {
			c.fail()
			return
		}
		if walk(int(at)); c.failed || empty(int(at)) {
			c.fail()
			return
		}
		next = at + 1
	}
}
