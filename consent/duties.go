package consent

import (
	"slices"
	"strings"
)

// A Duty lets a legal obligation or a vital interest go before the person's
// refusal, for one purpose and for what it needs. It covers use, collection, export
// and disclosure; not promotion, combination or syncing.
type Duty struct {
	ID, Source string
	Purpose    string // the asked purpose itself; keys below it are not covered
	Basis      Basis  // legal_obligation or vital_interest
	Reference  string // to the law or what is at stake, as an id; empty: the request must bring one
	Needs      []string
	When       Condition
	Note       string
}

type dutyRule struct {
	Duty
	minimum  []Obligation
	evidence []Ref
}

// A RecipientRule says by the role of the recipient what a disclosure rests on, so
// that the gate of sharing asks for no consent. The purpose itself must be allowed
// all the same.
type RecipientRule struct {
	ID, Source string
	Role       string // of [Recipient], compared as text
	// Basis is what the disclosure rests on. Consent: the gate stays.
	Basis      Basis
	Reference  string   // to the contract, the law or what is at stake, as an id. A contract needs it, unless BySubject; for the law it may come with the request
	Assessment string   // that a legitimate interest needs, as an id
	BySubject  bool     // only where the person asked for this very disclosure
	Purposes   []string // empty: any
	When       Condition
	Note       string
}

type recipientRule struct {
	RecipientRule
	evidence []Ref
}

// Row 4.

var (
	stepDutyNarrow = []Step{{4, ReasonLegalObligation, "", "the duty holds for its own purpose only, and not for promotion, combination or syncing"}}
	stepDutyNeeds  = []Step{{4, ReasonLegalObligation, "", "the duty does not need this category"}}
	stepDutyBare   = []Step{{4, ReasonLegalObligation, "", "the duty is claimed without a reference"}}
)

// obliged allows by law or for a life.
func (q *query) obliged() bool {
	if b := q.p.Basis; b == BasisLegalObligation || b == BasisVitalInterest {
		switch {
		case !q.dutyReaches(q.p.Key):
			q.note(stepDutyNarrow)
		case !q.dutyNeeds(q.p.Needs):
			q.note(stepDutyNeeds)
		case q.p.Reference == "" && q.r.Reference == "":
			q.note(stepDutyBare)
		default:
			q.oblige(q.p.minimum)
			q.prove(q.p.evidence)
			return q.allow(dutyReason(b), q.p.Key, q.p.Purpose.Source)
		}
	}
	for i := range q.e.duties {
		x := &q.e.duties[i]
		if !q.dutyReaches(x.Purpose) || !q.dutyNeeds(x.Needs) {
			continue
		}
		ok, err := x.When.holds(q.r)
		switch {
		case err != nil:
			return q.deny(ReasonRuleError, x.ID, x.Source, x.Note)
		case !ok:
		case x.Reference == "" && q.r.Reference == "":
			q.note(stepDutyBare)
		default:
			q.oblige(x.minimum)
			q.prove(x.evidence)
			q.allow(dutyReason(x.Basis), x.ID, x.Source)
			q.d.Note = x.Note
			q.basis, q.settled = x.Basis, true
			return true
		}
	}
	return false
}

func (q *query) dutyReaches(purpose string) bool {
	return q.r.Purpose == purpose && q.ops&(promoteBit|combineBit|syncBit) == 0
}

// dutyNeeds reports whether the category is needed. A request without one asks
// about the purpose alone; the needs come with the Allow as a duty.
func (q *query) dutyNeeds(needs []string) bool {
	return q.r.Category == "" || admits(needs, q.r.Category)
}

func dutyReason(b Basis) Reason {
	if b == BasisVitalInterest {
		return ReasonVitalInterest
	}
	return ReasonLegalObligation
}

// advertising reports whether a purpose is about advertising, which no law and no
// life at stake asks for.
func advertising(key string, set uses) bool {
	if set&(saleBit|shareUseBit|targetedBit) != 0 {
		return true
	}
	for seg := range strings.SplitSeq(key, ".") {
		switch seg {
		case "advertising", "ads", "marketing":
			return true
		}
	}
	return false
}

// duty checks what purposes on such a basis and rules have in common.
func (c *compiler) duty(path func(string) string, key string, set uses, needs []string, reference string) {
	if advertising(key, set) {
		c.fail(path("basis"), "no law and no life at stake asks for advertising", "use another purpose")
	}
	c.keys(path("needs"), needs)
	if reference != "" && !validID(reference) {
		c.fail(path("reference"), "not an id", mendID)
	}
}

func minimum(rule, source string, needs []string) []Obligation {
	return []Obligation{{Kind: Minimise, Rule: rule, Source: source, Values: needs}}
}

func reference(id string) []Ref {
	if id == "" {
		return nil
	}
	return []Ref{{Kind: "reference", ID: id}}
}

func (c *compiler) duties() {
	for i := range c.p.Duties {
		d := &c.p.Duties[i]
		c.rule("duties", i, d.ID, d.Source, &d.When)
		path := func(name string) string { return at("duties", i, name) }
		if d.Basis != BasisLegalObligation && d.Basis != BasisVitalInterest {
			c.fail(path("basis"), "not a duty", "use legal_obligation or vital_interest")
		}
		if len(d.Needs) == 0 {
			c.fail(path("needs"), "missing", "name the categories that the duty needs")
		}
		var set uses
		if c.purposeKey(path("purpose"), d.Purpose) {
			if p := c.e.purpose(d.Purpose); p != nil {
				set = p.uses
			}
		}
		c.duty(path, d.Purpose, set, d.Needs, d.Reference)
		c.e.duties = append(c.e.duties, dutyRule{*d, minimum(d.ID, d.Source, d.Needs), reference(d.Reference)})
	}
}

func (c *compiler) recipients() {
	for i := range c.p.Recipients {
		r := &c.p.Recipients[i]
		c.rule("recipients", i, r.ID, r.Source, &r.When)
		path := func(name string) string { return at("recipients", i, name) }
		if r.Role == "" || len(r.Role) > maxText {
			c.fail(path("role"), "missing or too long", "name the role that requests give, at most 256 bytes")
		}
		c.purposeKeys(path("purposes"), r.Purposes)
		x := recipientRule{RecipientRule: *r, evidence: reference(r.Reference)}
		switch r.Basis {
		case BasisConsent, BasisLegalObligation, BasisVitalInterest:
		case BasisContract, BasisPublicTask:
			if r.Reference == "" && !r.BySubject {
				c.fail(path("reference"), "missing", "refer to the contract or the law")
			}
		case BasisLegitimateInterest:
			if r.Assessment == "" {
				c.fail(path("assessment"), "missing", "refer to the balancing test")
			}
		default:
			c.fail(path("basis"), "unknown basis", "use one of the legal bases")
		}
		if r.Reference != "" && !validID(r.Reference) {
			c.fail(path("reference"), "not an id", mendID)
		}
		if r.Assessment != "" {
			switch {
			case r.Basis != BasisLegitimateInterest:
				c.fail(path("assessment"), "goes with legitimate interest only", "leave it out")
			case !validID(r.Assessment):
				c.fail(path("assessment"), "not an id", mendID)
			}
			x.evidence = append(x.evidence, Ref{Kind: "assessment", ID: r.Assessment})
		}
		c.e.recipients = append(c.e.recipients, x)
	}
}

// disclosed finds the rule that a disclosure rests on without a consent of its own.
// The second result says that a condition failed, and the decision was made.
func (q *query) disclosed() (passes, failed bool) {
	for i := range q.e.recipients {
		x := &q.e.recipients[i]
		if x.Basis == BasisConsent || x.Role != q.r.Recipient.Role || x.BySubject && !q.r.BySubject || !admits(x.Purposes, q.r.Purpose) {
			continue
		}
		if (x.Basis == BasisLegalObligation || x.Basis == BasisVitalInterest) && x.Reference == "" && q.r.Reference == "" {
			continue
		}
		ok, err := x.When.holds(q.r)
		if err != nil {
			return false, q.deny(ReasonRuleError, x.ID, x.Source, x.Note)
		}
		if ok {
			q.prove(slices.Clip(x.evidence))
			return true, false
		}
	}
	return false, false
}
