package consent

import (
	"cmp"
	"slices"
	"time"
)

// rule checks what every rule has. Ids are unique across all kinds, because a
// decision names a rule by its id alone.
func (c *compiler) rule(list string, i int, id, source string, when *Condition) {
	if !validID(id) {
		c.fail(at(list, i, "id"), "not an id", mendID)
	} else if c.ids[id] {
		c.fail(at(list, i, "id"), "declared twice", "give every rule an id of its own")
	}
	c.ids[id] = true
	c.source(at(list, i, "source"), source, true)
	if when != nil && when.Text != "" && when.Func == nil {
		c.fail(at(list, i, "when"), "text without a function", "compile the condition, or leave it out to mean always")
	}
}

// firstRow are the reasons without a purpose, or without a person.
var firstRow = map[Reason]bool{ReasonPolicyUnavailable: true, ReasonInvalidRequest: true, ReasonUnknownPurpose: true, ReasonNotPersonal: true}

// givesWay notes a rule that overrides may name.
func (c *compiler) givesWay(list string, i int, id, source, topic string) {
	c.overridable[id] = source
	switch {
	case topic == "":
	case !validID(topic):
		c.fail(at(list, i, "topic"), "not an id", mendID)
	default:
		c.topics[topic] = true
	}
}

func (c *compiler) rules() {
	c.ids, c.overridable, c.topics = make(map[string]bool), make(map[string]string), make(map[string]bool)
	layer := func(a, b string) int { return cmp.Compare(c.layers[a], c.layers[b]) }

	for i := range c.p.Prohibitions {
		r := &c.p.Prohibitions[i]
		c.rule("prohibitions", i, r.ID, r.Source, &r.When)
		c.givesWay("prohibitions", i, r.ID, r.Source, r.Topic)
		c.e.prohibitions = append(c.e.prohibitions, prohibitionRule{Prohibition: *r})
	}
	slices.SortStableFunc(c.e.prohibitions, func(a, b prohibitionRule) int { return layer(a.Source, b.Source) })

	for i := range c.p.Requirements {
		r := &c.p.Requirements[i]
		c.rule("requirements", i, r.ID, r.Source, &r.When)
		c.givesWay("requirements", i, r.ID, r.Source, r.Topic)
		strength, ok := rankStrength(r.Strength)
		if !ok || strength == strengthImplied {
			c.fail(at("requirements", i, "strength"), "not a strength that can be required", "use expressed or explicit")
		}
		if strength == 0 {
			strength = strengthExplicit
		}
		c.e.requirements = append(c.e.requirements, requirementRule{Requirement: *r, strength: strength})
	}
	slices.SortStableFunc(c.e.requirements, func(a, b requirementRule) int { return layer(a.Source, b.Source) })

	for i := range c.p.Residency {
		r := &c.p.Residency[i]
		c.rule("residency", i, r.ID, r.Source, &r.When)
		c.givesWay("residency", i, r.ID, r.Source, r.Topic)
		c.place(at("residency", i, "store_in"), &r.StoreIn)
		c.place(at("residency", i, "staff_in"), &r.StaffIn)
		if !r.StoreIn.said() && !r.StaffIn.said() {
			c.fail(at("residency", i, ""), "says no place", "fill store_in or staff_in")
		}
		x := residencyRule{Residency: *r}
		if len(r.StoreIn.In) > 0 {
			x.storeIn = []Obligation{{Kind: StoreIn, Rule: r.ID, Source: r.Source, Values: r.StoreIn.In}}
		}
		if len(r.StaffIn.In) > 0 {
			x.staffIn = []Obligation{{Kind: StaffIn, Rule: r.ID, Source: r.Source, Values: r.StaffIn.In}}
		}
		c.e.residency = append(c.e.residency, x)
	}
	slices.SortStableFunc(c.e.residency, func(a, b residencyRule) int { return layer(a.Source, b.Source) })
}

func (c *compiler) place(path string, p *Place) {
	switch {
	case p.Func != nil && len(p.In) > 0:
		c.fail(path, "both a list and a function", "keep one of the two")
	case p.Func == nil && p.Text != "" && len(p.In) == 0:
		c.fail(path, "text without a function", "compile the place, or list the names")
	case slices.Contains(p.In, ""):
		c.fail(path, "an empty name", "leave it out")
	}
}

func (c *compiler) gates() {
	c.e.gates = [3]gateRule{
		c.gate("gates.promotion", c.p.Gates.Promotion, promoteBit, OpPromote, ReasonPromotionNeedsConsent),
		c.gate("gates.combination", c.p.Gates.Combination, combineBit, OpCombine, ReasonCombinationNeedsConsent),
		c.gate("gates.share", c.p.Gates.Share, shareBit, OpShare, ReasonShareNeedsConsent),
	}
}

func (c *compiler) gate(name string, g Gate, op ops, what Operation, reason Reason) gateRule {
	r := gateRule{name: name, op: op, what: what, reason: reason, need: strengthExpressed}
	switch g {
	case "", GateConsent:
	case GateExplicit:
		r.need = strengthExplicit
	case GateNone:
		r.open = true
	default:
		c.fail(name, "unknown gate", "use none, consent or explicit")
	}
	return r
}

func (c *compiler) promotions() {
	for i := range c.p.Promotions {
		r := &c.p.Promotions[i]
		c.rule("promotions", i, r.ID, r.Source, nil)
		if len(r.From) == 0 {
			c.fail(at("promotions", i, "from"), "missing", "name the classes that data may leave")
		}
		c.classKeys(at("promotions", i, "from"), r.From)
		c.classKey(at("promotions", i, "to"), r.To)
		for j, k := range r.Kinds {
			if k != Essential && k != Optional {
				c.fail(at("promotions", i, "kinds")+"["+itoa(j)+"]", "unknown kind", "use essential or optional")
			}
		}
		if r.Purpose != "" {
			c.purposeKey(at("promotions", i, "purpose"), r.Purpose)
		}
		c.e.promotions = append(c.e.promotions, *r)
	}
}

func (c *compiler) obligations() {
	for i := range c.p.Obligations {
		r := &c.p.Obligations[i]
		c.rule("obligations", i, r.ID, r.Source, &r.When)
		c.givesWay("obligations", i, r.ID, r.Source, r.Topic)
		for j, reason := range r.On {
			if reason.meaning() == Reason("").meaning() || reason == ReasonSignalOverridden || firstRow[reason] {
				c.fail(at("obligations", i, "on")+"["+itoa(j)+"]", "not a reason that a duty can follow", "use a reason of the rows from 3 on")
			}
		}
		o := r.Obligation
		field := at("obligations", i, "obligation")
		timed := o.Limit != "" || o.Strength != "" || o.Period != "" || o.Anchor != ""
		switch o.Kind {
		case DeleteWithin:
			if o.Limit == "" || o.Strength == "" || o.Period == "" || o.Anchor == "" {
				c.fail(field, "a deletion without limit, strength, period or anchor", "fill all four")
			}
			if len(o.Values) > 0 {
				c.fail(field+".values", "a deletion has none", "leave them out")
			}
		case Minimise, Pseudonymise:
			if len(o.Values) == 0 {
				c.fail(field+".values", "missing", "name what is kept, or the scope")
			}
		case HonourIn:
			if o.Period == "" || len(o.Values) != 1 || o.Values[0] != "business_days" && o.Values[0] != "calendar_days" {
				c.fail(field, "a time limit without a period, or without the kind of its days", "give a period such as P15D, and business_days or calendar_days as the value")
			}
		case PassSignal:
			for j, s := range o.Values {
				if s != "gpp" && s != "tcf" && s != "usp" && s != "gpc" {
					c.fail(field+".values["+itoa(j)+"]", "unknown signal", "use gpc, gpp, tcf or usp")
				}
			}
			if len(o.Values) == 0 {
				c.fail(field+".values", "missing", "name the signals to pass on")
			}
		case NoOnwardTransfer, NotifySubject, LogUse, StopAndErase:
			if len(o.Values) > 0 {
				c.fail(field+".values", "this kind has none", "leave them out")
			}
		case StoreIn, StaffIn:
			c.fail(field+".kind", "comes from residency rules", "write a residency rule")
		default:
			c.fail(field+".kind", "unknown kind", "use delete_within, minimise, pseudonymise, no_onward_transfer, notify_subject, log_use, honour_in, pass_signal or stop_and_erase")
		}
		if timed && o.Kind != DeleteWithin && o.Kind != HonourIn {
			c.fail(field, "only a deletion has a limit, strength, period or anchor", "leave them out")
		}
		o.Rule, o.Source = r.ID, r.Source
		c.e.obligations = append(c.e.obligations, obligationRule{ObligationRule: *r, prepared: []Obligation{o}})
	}
}

// defaultLead is at least how long a material change is told ahead.
const defaultLead = 30 * 24 * time.Hour

func (c *compiler) notices() {
	c.e.notices = make(map[NoticeRef]noticeRule, len(c.p.Notices))
	c.e.noticeIDs = make(map[string]bool)
	lead := c.p.NoticeLead
	switch {
	case lead == 0:
		lead = defaultLead
	case lead == NoLead:
		lead = 0
	case lead < 0:
		c.fail("notice_lead", "negative", "use a period, or none")
	}
	for i := range c.p.Notices {
		n := &c.p.Notices[i]
		ref := NoticeRef{n.ID, n.Version}
		_, dup := c.e.notices[ref]
		switch {
		case !validID(n.ID):
			c.fail(at("notices", i, "id"), "not an id", mendID)
		case !validID(n.Version):
			c.fail(at("notices", i, "version"), "not an id", mendID)
		case dup:
			c.fail(at("notices", i, "version"), "declared twice", "keep one of the two")
		case n.Effective.IsZero():
			c.fail(at("notices", i, "effective"), "missing", "say when the version takes effect")
		case !n.Published.IsZero() && n.Effective.Before(n.Published):
			c.fail(at("notices", i, "effective"), "before published", "a text binds nobody before it can be read")
		}
		for j, text := range n.Texts {
			same := func(x NoticeText) bool { return x.Language == text.Language }
			if !validKey(text.Language) || !validID(text.Hash) || slices.ContainsFunc(n.Texts[:j], same) {
				c.fail(at("notices", i, "texts")+"["+itoa(j)+"]", "no language, no hash, or a language twice", "give each language once, with the hash of its text")
			}
		}
		if n.Material && !n.Published.IsZero() && n.Effective.Before(n.Published.Add(lead)) && !n.Effective.Before(n.Published) {
			for j := range c.p.Notices {
				if m := &c.p.Notices[j]; m.ID == n.ID && m.Effective.Before(n.Effective) {
					c.fail(at("notices", i, "effective"), "a material change too soon after it was published", "let it take effect later, or set the policy's notice lead")
					break
				}
			}
		}
		rule := noticeRule{published: n.Published}
		for j := range c.p.Notices {
			m := &c.p.Notices[j]
			if i == j || m.ID != n.ID {
				continue
			}
			if m.Effective.Equal(n.Effective) && i > j {
				c.fail(at("notices", i, "effective"), "two versions take effect at one instant", "give each its own")
			}
			if m.Material && m.Effective.After(n.Effective) && compareEnd(m.Effective, rule.stale) < 0 {
				rule.stale = m.Effective
			}
		}
		c.e.notices[ref] = rule
		c.e.noticeIDs[n.ID] = true
	}
	for i := range c.p.Purposes {
		if id := c.p.Purposes[i].Notice; id != "" && !c.e.noticeIDs[id] {
			c.fail(at("purposes", i, "notice"), "unknown notice", "declare it under notices")
		}
	}
}
