package consent

import "slices"

// An Override sets rules aside where an agreement, or another source, says
// otherwise than a weaker one. It never reaches a rule of the law, nor one of a
// source as strong as its own. What is set aside is told in the decision. Where its
// source has Parties, it counts only for requests that name one of them: who is not
// known to be party to an agreement is not freed by it.
type Override struct {
	ID, Source string
	Rules      []string  // ids of prohibitions, requirements, residency rules and obligations
	Sources    []string  // or all of these sources
	Topics     []string  // of Sources: only rules of these topics; empty: every rule
	When       Condition // such as: for enterprise products
	Note       string
}

// giving is how a rule can be set aside.
type giving struct {
	parties []string // whose processing the rule's source speaks about; empty: any
	foreign []Step
	ways    []way
}

type way struct {
	override *Override
	parties  []string // of the override's source
	steps    []Step
}

// aside reports whether a rule that holds is set aside; failed says that the
// condition of an override failed, and that the decision was made.
func (q *query) aside(g *giving) (is, failed bool) {
	if len(g.parties) > 0 && q.r.Party != "" && !slices.Contains(g.parties, q.r.Party) {
		q.note(g.foreign)
		return true, false
	}
	for i := range g.ways {
		w := &g.ways[i]
		if len(w.parties) > 0 && !slices.Contains(w.parties, q.r.Party) {
			continue
		}
		ok, err := w.override.When.holds(q.r)
		if err != nil {
			return false, q.deny(ReasonRuleError, w.override.ID, w.override.Source, w.override.Note)
		}
		if ok {
			q.note(w.steps)
			return true, false
		}
	}
	return false, false
}

// overrides checks the overrides, after all rules that they may name.
func (c *compiler) overrides() {
	for i := range c.p.Overrides {
		o := &c.p.Overrides[i]
		c.rule("overrides", i, o.ID, o.Source, &o.When)
		mine, known := c.layers[o.Source]
		path := func(list string, j int) string { return at("overrides", i, list) + "[" + itoa(j) + "]" }
		if len(o.Rules) == 0 && len(o.Sources) == 0 {
			c.fail(at("overrides", i, ""), "sets nothing aside", "name rules or sources")
		}
		if len(o.Topics) > 0 && len(o.Sources) == 0 {
			c.fail(at("overrides", i, "topics"), "without sources", "name the sources whose rules of these topics give way")
		}
		weaker := func(path, source string) {
			if layer, ok := c.layers[source]; ok && known && layer <= mine {
				c.fail(path, "not weaker than the override's own source", "the law gives way to nothing, and others to stronger sources only")
			}
		}
		for j, id := range o.Rules {
			source, ok := c.overridable[id]
			if !ok {
				c.fail(path("rules", j), "unknown rule", "name a prohibition, requirement, residency rule or obligation")
			}
			weaker(path("rules", j), source)
		}
		for j, id := range o.Sources {
			if _, ok := c.layers[id]; !ok {
				c.fail(path("sources", j), "unknown source", "declare it under sources")
			}
			weaker(path("sources", j), id)
		}
		for j, topic := range o.Topics {
			if !c.topics[topic] {
				c.fail(path("topics", j), "no rule has this topic", "leave it out, or give it to a rule")
			}
		}
	}
	for i := range c.e.prohibitions {
		x := &c.e.prohibitions[i]
		x.giving = c.giving(3, ReasonProhibited, x.ID, x.Source, x.Topic)
	}
	for i := range c.e.residency {
		x := &c.e.residency[i]
		x.giving = c.giving(3, ReasonResidency, x.ID, x.Source, x.Topic)
	}
	for i := range c.e.requirements {
		x := &c.e.requirements[i]
		x.giving = c.giving(12, ReasonExplicitConsentRequired, x.ID, x.Source, x.Topic)
	}
	for i := range c.e.obligations {
		x := &c.e.obligations[i]
		x.giving = c.giving(0, "", x.ID, x.Source, x.Topic)
	}
}

func (c *compiler) giving(row int, reason Reason, id, source, topic string) giving {
	var g giving
	if s, ok := c.e.Source(source); ok && len(s.Parties) > 0 {
		g.parties = s.Parties
		g.foreign = []Step{{row, reason, id, "its source speaks about the processing of others"}}
	}
	for i := range c.e.policy.Overrides {
		o := &c.e.policy.Overrides[i]
		if slices.Contains(o.Rules, id) || slices.Contains(o.Sources, source) && (len(o.Topics) == 0 || slices.Contains(o.Topics, topic)) {
			own, _ := c.e.Source(o.Source)
			g.ways = append(g.ways, way{o, own.Parties, []Step{{row, reason, id, "set aside by override " + o.ID}}})
		}
	}
	return g
}
