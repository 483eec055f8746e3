package consent

import "slices"

// Row 1.

func (q *query) malformed() bool {
	r := q.r
	if q.e == nil || !q.e.ready {
		return q.deny(ReasonPolicyUnavailable, "", "", "")
	}
	if r == nil {
		return q.deny(ReasonInvalidRequest, "request", "", "")
	}
	if r.Reference != "" && !validID(r.Reference) {
		return q.deny(ReasonInvalidRequest, "reference", "", "")
	}
	if part := r.settings(); part != "" {
		return q.deny(ReasonInvalidRequest, part, "", "")
	}
	if part := q.check(); part != "" {
		return q.deny(ReasonInvalidRequest, part, "", "")
	}
	q.p = q.e.purposes[r.Purpose]
	if q.p == nil {
		if !validKey(r.Purpose) {
			return q.deny(ReasonInvalidRequest, "purpose", "", "")
		}
		if q.p = q.e.purpose(parent(r.Purpose)); q.p == nil {
			return q.deny(ReasonUnknownPurpose, "", "", "")
		}
	}
	if r.Feature != "" {
		q.f = q.e.features[r.Feature]
	}
	return false
}

// check names the malformed part of the request and works out what it does.
func (q *query) check() string {
	r := q.r
	q.ops = scopeOf(r.Operation)
	q.recipient = r.Recipient.ID
	switch {
	case r.At.IsZero():
		return "at"
	case q.ops == 0:
		return "operation"
	}
	if q.ops == promoteBit || r.Promote != (Promote{}) {
		p := &r.Promote
		if p.From == "" || p.To == "" || p.From == p.To || r.Class != "" && r.Class != p.From {
			return "promote"
		}
		q.ops |= promoteBit
	}
	if q.ops&combineBit != 0 || len(r.Combine.With) > 0 {
		if len(r.Combine.With) == 0 || len(r.Combine.With) > MaxOrigins || q.own() == (Origin{}) || slices.Contains(r.Combine.With, Origin{}) {
			return "combine"
		}
		q.ops |= combineBit
	}
	if q.ops&shareBit != 0 || r.Share.Recipient != "" || len(r.Share.Attributes) > 0 {
		switch {
		case q.recipient == "":
			q.recipient = r.Share.Recipient
		case r.Share.Recipient != "" && r.Share.Recipient != q.recipient:
			return "share"
		}
		if q.recipient == "" || len(r.Share.Attributes) > MaxAttributes {
			return "share"
		}
		q.ops |= shareBit
	}
	return ""
}

// own is the origin of the request's own data.
func (q *query) own() Origin { return Origin{q.r.Class, q.r.Service} }

// Row 2.

var (
	stepNoClaim   = []Step{{2, ReasonNotPersonal, "", "the data is called no longer personal, and no result is named for it"}}
	stepNoResult  = []Step{{2, ReasonNotPersonal, "", "no such result is recorded"}}
	stepNotFree   = []Step{{2, ReasonNotPersonal, "", "the recorded result is neither unlinkable nor aggregate, or a key that links the data is alive"}}
	stepNotNow    = []Step{{2, ReasonNotPersonal, "", "the recorded result is not in force"}}
	stepQualified = []Step{{2, ReasonNotPersonal, "", "the data is called personal by its qualifier"}}
)

func (q *query) notPersonal() bool {
	r := q.r
	if r.Claim == "" {
		if r.Qualifier == Anonymized || r.Qualifier == Aggregated {
			q.note(stepNoClaim)
		}
		return false
	}
	c := q.v.claims[r.Claim]
	switch {
	case r.Qualifier == Identified || r.Qualifier == Pseudonymized:
		q.note(stepQualified)
		return false
	case c == nil:
		q.note(stepNoResult)
		return false
	case !c.free():
		q.note(stepNotFree)
		return false
	case r.At.Before(c.CheckedAt) || !c.Expires.IsZero() && !r.At.Before(c.Expires):
		q.bound(c.CheckedAt)
		q.note(stepNotNow)
		return false
	}
	q.bound(c.Expires)
	q.prove(c.evidence)
	// Data that is no longer personal keeps the purposes that were declared for
	// it: another use is allowed, and told.
	if outside, rule, _ := q.undeclaredPurpose(); outside {
		q.note([]Step{{3, ReasonNotDeclared, rule, "a use outside the declared purposes of what is no longer personal"}})
	}
	return q.allow(ReasonNotPersonal, "", "")
}

// Row 3.

func (q *query) prohibited() bool {
	for i := range q.e.prohibitions {
		p := &q.e.prohibitions[i]
		ok, err := p.When.holds(q.r)
		if err != nil {
			return q.deny(ReasonRuleError, p.ID, p.Source, p.Note)
		}
		if !ok {
			continue
		}
		if is, failed := q.aside(&p.giving); failed {
			return true
		} else if !is {
			return q.deny(ReasonProhibited, p.ID, p.Source, p.Note)
		}
	}
	return q.promoted() || q.undeclared() || q.misplaced()
}

// promoted denies a move between classes that the policy does not declare, and
// remembers the declaration of one that it does.
func (q *query) promoted() bool {
	if q.ops&promoteBit == 0 {
		return false
	}
	if len(q.e.policy.Classes) > 0 && q.e.class(q.r.Promote.To) == nil {
		return q.deny(ReasonNotDeclared, "classes", "", "")
	}
	if len(q.e.promotions) == 0 {
		return false
	}
	var wrongKind, wrongPurpose *Promotion
	for i := range q.e.promotions {
		p := &q.e.promotions[i]
		switch {
		case !admits(p.From, q.r.Promote.From) || !under(q.r.Promote.To, p.To):
		case len(p.Kinds) > 0 && (q.f == nil || !slices.Contains(p.Kinds, q.f.Kind)):
			wrongKind = first(wrongKind, p)
		case p.Purpose != "" && !under(q.r.Purpose, p.Purpose):
			wrongPurpose = first(wrongPurpose, p)
		default:
			q.promotion = p
			return false
		}
	}
	switch {
	case wrongKind != nil:
		return q.deny(ReasonProhibited, wrongKind.ID, wrongKind.Source, wrongKind.Note)
	case wrongPurpose != nil:
		return q.deny(ReasonNotDeclared, wrongPurpose.ID, wrongPurpose.Source, wrongPurpose.Note)
	}
	return q.deny(ReasonNotDeclared, "promotions", "", "")
}

func first(a, b *Promotion) *Promotion {
	if a != nil {
		return a
	}
	return b
}

// class finds a declared class or the nearest declared ancestor.
func (e *Engine) class(key string) *Class {
	for ; key != ""; key = parent(key) {
		if c := e.classes[key]; c != nil {
			return c
		}
	}
	return nil
}

// undeclared denies what the feature, the class, the purpose's channels or the data
// source do not declare. Something that the policy does not know declares nothing.
func (q *query) undeclared() bool {
	if outside, rule, source := q.undeclaredPurpose(); outside {
		return q.deny(ReasonNotDeclared, rule, source, "")
	}
	r := q.r
	if f := q.f; f != nil {
		if r.Category != "" && !admits(f.Categories, r.Category) {
			return q.deny(ReasonNotDeclared, f.Key, f.Source, "")
		}
		if c := q.classKey(); c != "" && !admits(f.Classes, c) {
			return q.deny(ReasonNotDeclared, f.Key, f.Source, "")
		}
	}
	if r.Channel != "" && len(q.p.Channels) > 0 && !slices.Contains(q.p.Channels, r.Channel) {
		return q.deny(ReasonNotDeclared, q.p.Key, q.p.Purpose.Source, "")
	}
	if r.DataSource != "" {
		if d := q.e.dataSources[r.DataSource]; !d.admits(r.Purpose, r.Category, q.declaredMove()) {
			return q.deny(ReasonNotDeclared, d.Key, d.Source, "")
		}
	}
	return false
}

// classKey is the class of the data: what it is promoted from, where it is.
func (q *query) classKey() string {
	if q.r.Class == "" && q.ops&promoteBit != 0 {
		return q.r.Promote.From
	}
	return q.r.Class
}

// declaredMove reports whether the purpose is that of a declared promotion, which
// then need not be among the purposes of what the data leaves.
func (q *query) declaredMove() bool { return q.promotion != nil && q.promotion.Purpose != "" }

// undeclaredPurpose reports the feature, class or data source that does not admit
// the purpose.
func (q *query) undeclaredPurpose() (is bool, rule, source string) {
	r := q.r
	if r.Feature != "" {
		f := q.f
		switch {
		case f == nil:
			return true, "features", ""
		case q.ops&syncBit != 0:
			if f.Sync == "" || !under(r.Purpose, f.Sync) {
				return true, f.Key, f.Source
			}
		case !q.declaredMove() && !admits(f.Purposes, r.Purpose):
			return true, f.Key, f.Source
		}
	}
	if c := q.classKey(); c != "" && (r.Class != "" || len(q.e.policy.Classes) > 0) {
		rule := q.e.class(c)
		switch {
		case rule == nil:
			return true, "classes", ""
		case !q.declaredMove() && !admits(rule.Purposes, r.Purpose):
			return true, rule.Key, rule.Source
		}
	}
	if r.DataSource != "" {
		d := q.e.dataSources[r.DataSource]
		switch {
		case d == nil:
			return true, "data_sources", ""
		case !d.admits(r.Purpose, "", q.declaredMove()):
			return true, d.Key, d.Source
		}
	}
	return false, "", ""
}

// admits reports whether a purpose and a category (empty: any of them) are declared
// together; anyPurpose leaves the purpose open.
func (d *DataSource) admits(purpose, category string, anyPurpose bool) bool {
	if len(d.Flows) == 0 {
		return (anyPurpose || admits(d.Purposes, purpose)) && (category == "" || admits(d.Categories, category))
	}
	for i := range d.Flows {
		f := &d.Flows[i]
		if (anyPurpose || under(purpose, f.Purpose)) && (category == "" || admits(f.Categories, category)) {
			return true
		}
	}
	return false
}

func (q *query) misplaced() bool {
	for i := range q.e.residency {
		x := &q.e.residency[i]
		ok, err := x.When.holds(q.r)
		if err != nil {
			return q.deny(ReasonRuleError, x.ID, x.Source, x.Note)
		}
		if !ok {
			continue
		}
		if is, failed := q.aside(&x.giving); failed {
			return true
		} else if is {
			continue
		}
		if q.outside(x, &x.StoreIn, q.r.Region, StoreIn, x.storeIn) || q.outside(x, &x.StaffIn, q.r.StaffCountry, StaffIn, x.staffIn) {
			return true
		}
	}
	return false
}

// outside denies a place other than the rule's; a place not told becomes a duty.
func (q *query) outside(x *residencyRule, p *Place, told string, kind ObligationKind, prepared []Obligation) bool {
	if p.Func == nil {
		switch {
		case len(p.In) == 0 || slices.Contains(p.In, told):
		case told == "":
			q.oblige(prepared)
		default:
			return q.deny(ReasonResidency, x.ID, x.Source, x.Note)
		}
		return false
	}
	want, err := p.Func(q.r)
	switch {
	case err != nil:
		return q.deny(ReasonRuleError, x.ID, x.Source, x.Note)
	case want == "" || told != "" && told != want:
		return q.deny(ReasonResidency, x.ID, x.Source, x.Note)
	case told == "":
		q.oblige([]Obligation{{Kind: kind, Rule: x.ID, Source: x.Source, Values: []string{want}}})
	}
	return false
}
