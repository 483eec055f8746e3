package consent

import "slices"

func (c *compiler) sources() {
	c.layers = make(map[string]int, len(c.p.Sources))
	for i := range c.p.Sources {
		s := &c.p.Sources[i]
		rank := map[Layer]int{LayerLaw: 0, LayerAgreement: 1, LayerInstruction: 1, LayerOrganisation: 2, LayerStatement: 3, LayerDefault: 4, "": 4}
		r, ok := rank[s.Layer]
		if !ok {
			c.fail(at("sources", i, "layer"), "unknown layer", "use law, agreement, instruction, organisation, statement or default")
		}
		if !validID(s.ID) {
			c.fail(at("sources", i, "id"), "not an id", mendID)
			continue
		}
		if _, dup := c.layers[s.ID]; dup {
			c.fail(at("sources", i, "id"), "declared twice", "keep one of the two")
		}
		c.layers[s.ID] = r
		for j, party := range s.Parties {
			if !validID(party) {
				c.fail(at("sources", i, "parties")+"["+itoa(j)+"]", "not an id", mendID)
			}
		}
	}
}

func (c *compiler) source(path, id string, required bool) {
	if id == "" {
		if required {
			c.fail(path, "missing", "name the source that says so")
		}
		return
	}
	if _, ok := c.layers[id]; !ok {
		c.fail(path, "unknown source", "declare it under sources")
	}
}

func (c *compiler) purposes() {
	for i := range c.p.Purposes {
		p := &c.p.Purposes[i]
		if key(c, "purposes", i, p.Key, c.e.purposes) {
			c.e.purposes[p.Key] = c.purpose(i, p)
		}
		c.source(at("purposes", i, "source"), p.Source, false)
	}
}

func (c *compiler) purpose(i int, p *Purpose) *purposeRule {
	field := func(name string) string { return at("purposes", i, name) }
	switch p.Mechanism {
	case "", OptIn, OptOut, NoticeOnly, ByRegime:
	default:
		c.fail(field("mechanism"), "unknown mechanism", "use opt_in, opt_out, notice_only or regime")
		return &purposeRule{Purpose: *p}
	}
	r := &purposeRule{Purpose: *p}
	if r.Basis == "" && (r.Mechanism == "" || r.Mechanism == OptIn) {
		r.Basis = BasisConsent
	}
	c.uses(field("uses"), p.Uses, false)
	r.uses = useBits(p.Uses)
	switch r.Basis {
	case BasisConsent:
		switch r.Mechanism {
		case OptOut, NoticeOnly:
			c.fail(field("mechanism"), "consent is always opt-in", "leave the mechanism out, or leave the basis out")
		case ByRegime:
			c.fail(field("mechanism"), "the regime decides whether it is on consent", "leave the basis out")
		}
		r.Mechanism = OptIn
	case BasisContract:
		if r.Mechanism != "" {
			c.fail(field("mechanism"), "a contract is not asked for", "leave the mechanism out")
		}
	case BasisLegitimateInterest:
		if r.Mechanism != "" && r.Mechanism != OptOut {
			c.fail(field("mechanism"), "does not go with legitimate interest", "leave it out, or use opt_out")
		}
	case BasisLegalObligation, BasisVitalInterest:
		switch {
		case len(p.Needs) == 0:
			c.fail(field("basis"), "no row of the table can allow by it without what it needs", "name the categories in needs, or use consent, contract or legitimate_interest")
		case r.Mechanism != "":
			c.fail(field("mechanism"), "a duty is not asked for", "leave the mechanism out")
		default:
			c.duty(field, p.Key, r.uses, p.Needs, p.Reference)
		}
		r.minimum, r.evidence = minimum(p.Key, p.Source, p.Needs), reference(p.Reference)
	case BasisPublicTask:
		switch {
		case p.Reference == "":
			c.fail(field("reference"), "missing", "refer to the law that lays the task down")
		case !validID(p.Reference):
			c.fail(field("reference"), "not an id", mendID)
		case r.Mechanism != "" && r.Mechanism != OptOut:
			c.fail(field("mechanism"), "does not go with a public task", "leave it out, or use opt_out")
		}
		r.evidence = reference(p.Reference)
	case "":
		if r.Mechanism == ByRegime && !c.p.Regimes.used() {
			c.fail(field("mechanism"), "the policy has no regimes", "add regimes, or fix the mechanism")
		}
	default:
		c.fail(field("basis"), "unknown basis", "use consent, contract or legitimate_interest")
	}
	duty := r.Basis == BasisLegalObligation || r.Basis == BasisVitalInterest
	if len(p.Needs) > 0 && !duty {
		c.fail(field("needs"), "goes with a legal obligation or a vital interest", "leave it out")
	}
	if p.Reference != "" && !duty && r.Basis != BasisPublicTask {
		c.fail(field("reference"), "goes with a legal obligation, a vital interest or a public task", "leave it out")
	}
	if (r.Basis == BasisLegitimateInterest) != (p.Assessment != "") {
		c.fail(field("assessment"), "goes with legitimate interest, and only with it", "refer to the balancing test, or leave it out")
	} else if p.Assessment != "" {
		if !validID(p.Assessment) {
			c.fail(field("assessment"), "not an id", mendID)
		}
		r.evidence = []Ref{{Kind: "assessment", ID: p.Assessment}}
	}
	strength, ok := rankStrength(p.Strength)
	switch {
	case !ok:
		c.fail(field("strength"), "unknown strength", "use implied, expressed or explicit")
	case strength != 0 && r.Basis != BasisConsent && r.Mechanism != ByRegime:
		c.fail(field("strength"), "only a purpose on consent has one", "leave it out, or add a requirement")
	case strength == 0:
		strength = strengthExpressed
	}
	r.strength = strength
	if r.Basis == BasisConsent {
		r.Strength = strengthOf(strength)
	}
	if r.Basis == "" && r.Mechanism == NoticeOnly && p.Notice == "" {
		c.fail(field("notice"), "missing", "name the notice that allows the purpose")
	}
	for j, s := range p.Channels {
		if !validKey(s) || slices.Contains(p.Channels[:j], s) {
			c.fail(field("channels")+"["+itoa(j)+"]", "not a name, or there twice", mendKey)
		}
	}
	for j, s := range p.Signals {
		k := slices.Index(kinds[:], s)
		if k < 0 {
			c.fail(field("signals")+"["+itoa(j)+"]", "unknown signal", "use gpc, gpp or usp")
			continue
		}
		r.signals |= 1 << k
	}
	r.ask = &Ask{Purposes: []string{p.Key}, Strength: strengthOf(strength), From: fromSubject, What: OpUse}
	return r
}

// uses checks a list of uses.
func (c *compiler) uses(path string, list []Use, sensitive bool) bool {
	for i, u := range list {
		if b := useBitOf(u); b == 0 || b == sensitiveBit && !sensitive || slices.Contains(list[:i], u) {
			c.fail(path+"["+itoa(i)+"]", "unknown use, or there twice", "use sale, share, targeted_ads or profiling, each once")
			return false
		}
	}
	return true
}

// fromSubject is who may give a consent as long as no rule names somebody else.
const fromSubject = "subject"

func (c *compiler) classes() {
	for i := range c.p.Classes {
		x := &c.p.Classes[i]
		if key(c, "classes", i, x.Key, c.e.classes) {
			c.e.classes[x.Key] = x
		}
		c.purposeKeys(at("classes", i, "purposes"), x.Purposes)
		c.source(at("classes", i, "source"), x.Source, false)
	}
}

func (c *compiler) features() {
	for i := range c.p.Features {
		f := &c.p.Features[i]
		if f.Kind != Essential && f.Kind != Optional {
			c.fail(at("features", i, "kind"), "unknown kind", "use essential or optional")
		}
		if f.Affects != "" && f.Affects != AffectsSubject && f.Affects != AffectsOrganisation {
			c.fail(at("features", i, "affects"), "unknown party", "use subject or organisation")
		}
		if key(c, "features", i, f.Key, c.e.features) {
			x := &featureRule{
				Feature:      *f,
				userRefused:  []Step{{6, ReasonFeatureOff, f.Key, "an essential feature is not switched off by its user"}},
				adminRefused: []Step{{5, ReasonAdminDisabled, f.Key, "the administrator may not switch this feature off"}},
			}
			if f.Affects != "" {
				x.affects = []Ref{{Kind: "affects", ID: string(f.Affects)}}
				x.adminRefused[0].Note += "; it affects the " + string(f.Affects)
			}
			c.e.features[f.Key] = x
		}
		c.purposeKeys(at("features", i, "purposes"), f.Purposes)
		c.keys(at("features", i, "categories"), f.Categories)
		c.classKeys(at("features", i, "classes"), f.Classes)
		c.source(at("features", i, "source"), f.Source, false)
		if f.Sync != "" {
			if r := c.e.purpose(f.Sync); c.purposeKey(at("features", i, "sync"), f.Sync) && (r == nil || r.Basis != BasisConsent) {
				c.fail(at("features", i, "sync"), "syncing needs consent", "name a purpose whose basis is consent")
			}
		}
	}
}

func (c *compiler) dataSources() {
	byKey := make(map[string]*DataSource, len(c.p.DataSources))
	for i := range c.p.DataSources {
		d := &c.p.DataSources[i]
		if key(c, "data_sources", i, d.Key, byKey) {
			byKey[d.Key] = d
		}
		c.purposeKeys(at("data_sources", i, "purposes"), d.Purposes)
		c.keys(at("data_sources", i, "categories"), d.Categories)
		c.source(at("data_sources", i, "source"), d.Source, false)
		if len(d.Flows) > 0 && (len(d.Purposes) > 0 || len(d.Categories) > 0) {
			c.fail(at("data_sources", i, "flows"), "beside purposes or categories", "say all of it as flows, or none")
		}
		for j := range d.Flows {
			path := at("data_sources", i, "flows") + "[" + itoa(j) + "]"
			c.purposeKey(path+".purpose", d.Flows[j].Purpose)
			c.keys(path+".categories", d.Flows[j].Categories)
		}
	}
	for i := range c.p.DataSources {
		d := &c.p.DataSources[i]
		if d.Parent != "" && byKey[d.Parent] == nil {
			c.fail(at("data_sources", i, "parent"), "unknown data source", "declare it under data_sources")
		}
		// A source is what it declares, filled up from the sources above it.
		own := *d
		steps := 0
		for up := byKey[d.Parent]; up != nil; up = byKey[up.Parent] {
			if steps++; steps > len(c.p.DataSources) {
				c.fail(at("data_sources", i, "parent"), "is its own ancestor", "leave one parent out")
				break
			}
			if len(own.Flows) == 0 && len(own.Purposes) == 0 && len(own.Categories) == 0 {
				own.Flows = up.Flows
			}
			if len(own.Flows) == 0 {
				if len(own.Purposes) == 0 {
					own.Purposes = up.Purposes
				}
				if len(own.Categories) == 0 {
					own.Categories = up.Categories
				}
			}
		}
		c.e.dataSources[d.Key] = &own
	}
}
