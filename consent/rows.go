package consent

import (
	"slices"
	"time"
)

// A row of the precedence table. The package documentation publishes it; a test
// compares the two.
type row struct {
	n     int
	title string
}

// rows are asked in this order; the first that decides wins.
var rows = [...]row{
	{1, "request malformed, purpose unknown, no policy"},
	{2, "no longer personal data, by a result in force"},
	{3, "prohibited, not declared, wrong place"},
	{5, "administrator switched the feature off"},
	{6, "user switched the feature off"},
	{7, "subject erased or restricted"},
	{8, "withdrawn, refused or objected, here or on an ancestor"},
	{10, "opt-out signal on a purpose that honours it"},
	{12, "a stronger consent is required and none is valid"},
	{13, "promotion, combination or sharing is not covered"},
	{14, "basis is consent, and one is valid"},
	{15, "basis is consent, and none is valid"},
	{16, "essential service or contract"},
	{17, "legitimate interest with an assessment"},
	{18, "allowed unless refused, notice given"},
	{19, "nothing above decided"},
}

// row asks one row and reports whether it decided. The calls are direct, not by a
// function value in the table, so that a query can live on the stack.
func (q *query) row(n int) bool {
	switch n {
	case 1:
		return q.malformed()
	case 2:
		return q.notPersonal()
	case 3:
		return q.prohibited()
	case 5:
		return q.adminOff()
	case 6:
		return q.featureOff()
	case 7:
		return q.erased()
	case 8:
		return q.refused()
	case 10:
		return q.signalled()
	case 12:
		return q.required()
	case 13:
		return q.gated()
	case 14:
		return q.consented()
	case 15:
		return q.unconsented()
	case 16:
		return q.contract()
	case 17:
		return q.interest()
	case 18:
		return q.optOut()
	}
	return q.deny(ReasonDefaultDeny, "", "", "")
}

// Decide answers a request about the subject of the view. A nil view is a subject
// of whom nothing is known. Decide has no errors: a malformed request is denied
// with INVALID_REQUEST, and a nil engine denies with POLICY_UNAVAILABLE.
//
// A request with several purposes gives the worst decision, with each in
// ByPurpose; of decisions that are equally bad, the one by the earliest row, and of
// those the first. An Allow then carries the evidence and obligations of all.
//
// With one purpose, a decision that rests on at most one record, switch and
// obligation allocates nothing.
func (e *Engine) Decide(view *View, req *Request) Decision {
	if len(setOf(req)) > 0 {
		return e.decideAll(view, req)
	}
	return e.decideOne(view, req)
}

func setOf(req *Request) []string {
	if req == nil {
		return nil
	}
	return req.Purposes
}

func (e *Engine) decideOne(view *View, req *Request) Decision {
	q := query{e: e, v: view, r: req}
	if q.v == nil {
		q.v = &noFacts
	}
	for i := range rows {
		if q.row(rows[i].n) {
			q.d.Row = rows[i].n
			break
		}
	}
	q.finish()
	return q.d
}

var noFacts View

// A query is one purpose of one request on its way through the rows.
type query struct {
	e         *Engine
	v         *View
	r         *Request
	p         *purposeRule
	f         *featureRule // nil: none asked, or none known
	promotion *Promotion   // the declared move that the request makes
	ops       ops
	recipient string
	best      *record // that row 12 or 14 found
	flaw      Reason  // why none was found
	flawed    *record // the record with that flaw
	proofs    [3]*record
	d         Decision
}

func (q *query) deny(reason Reason, rule, source, note string) bool {
	q.d.Outcome, q.d.Reason, q.d.Rule, q.d.Source, q.d.Note = Deny, reason, rule, source, note
	return true
}

func (q *query) allow(reason Reason, rule, source string) bool {
	q.d.Outcome, q.d.Reason, q.d.Rule, q.d.Source = Allow, reason, rule, source
	return true
}

func (q *query) ask(reason Reason, rule, source, note string, need uint8, what Operation) bool {
	q.d.Outcome, q.d.Reason, q.d.Rule, q.d.Source, q.d.Note = AskFirst, reason, rule, source, note
	if q.p.ask.What == what && q.p.strength == need {
		q.d.Ask = q.p.ask
	} else {
		q.d.Ask = &Ask{Purposes: q.p.ask.Purposes, Strength: strengthOf(need), From: fromSubject, What: what}
	}
	return true
}

// note adds prepared steps to the trail; the first are shared, not copied.
func (q *query) note(steps []Step) {
	if q.d.Overridden == nil {
		q.d.Overridden = slices.Clip(steps)
		return
	}
	q.d.Overridden = append(q.d.Overridden, steps...)
}

func (q *query) oblige(list []Obligation) {
	if q.d.Obligations == nil {
		q.d.Obligations = slices.Clip(list)
		return
	}
	q.d.Obligations = append(q.d.Obligations, list...)
}

func (q *query) prove(refs []Ref) {
	switch {
	case len(refs) == 0:
	case q.d.Evidence == nil:
		q.d.Evidence = slices.Clip(refs)
	default:
		for _, r := range refs {
			if !slices.Contains(q.d.Evidence, r) {
				q.d.Evidence = append(q.d.Evidence, r)
			}
		}
	}
}

// bound notes an instant at which the answer could change by itself.
func (q *query) bound(t time.Time) {
	if !t.IsZero() && t.After(q.r.At) && (q.d.NotAfter.IsZero() || t.Before(q.d.NotAfter)) {
		q.d.NotAfter = t
	}
}

// finish adds what comes with an allow and takes back what does not.
func (q *query) finish() {
	if q.p != nil {
		q.d.Purpose, q.d.Basis = q.p.Key, q.p.Basis
		q.bound(q.v.until)
	}
	if q.d.Outcome == Allow && q.d.Row != 2 {
		for i := range q.e.obligations {
			o := &q.e.obligations[i]
			ok, err := o.When.holds(q.r)
			if err != nil {
				q.deny(ReasonRuleError, o.ID, o.Source, o.Note)
				break
			}
			if ok {
				q.oblige(o.prepared)
			}
		}
	}
	if q.d.Outcome != Allow || q.d.Row == 2 {
		q.d.Obligations = nil
	}
}

// Row 1.

func (q *query) malformed() bool {
	r := q.r
	if q.e == nil || !q.e.ready {
		return q.deny(ReasonPolicyUnavailable, "", "", "")
	}
	if r == nil {
		return q.deny(ReasonInvalidRequest, "request", "", "")
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
		if ok {
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
		if ok && (q.outside(x, &x.StoreIn, q.r.Region, StoreIn, x.storeIn) || q.outside(x, &x.StaffIn, q.r.StaffCountry, StaffIn, x.staffIn)) {
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

// Rows 5 and 6.

func (q *query) adminOff() bool {
	if q.f == nil || len(q.r.Admin) == 0 {
		return false
	}
	if on, set := q.r.Admin[q.f.Key]; on || !set {
		return false
	}
	if !q.f.AdminCanDisable {
		q.note(q.f.adminRefused)
		return false
	}
	return q.deny(ReasonAdminDisabled, q.f.Key, q.f.Source, "")
}

func (q *query) featureOff() bool {
	if q.f == nil || len(q.r.Switches) == 0 {
		return false
	}
	if on, set := q.r.Switches[q.f.Key]; on || !set {
		return false
	}
	if q.f.Kind == Essential {
		q.note(q.f.userRefused)
		return false
	}
	return q.deny(ReasonFeatureOff, q.f.Key, q.f.Source, "")
}

// Row 7.

func (q *query) erased() bool {
	switch {
	case q.v.erased:
		return q.deny(ReasonErased, "", "", "")
	case q.v.restricted:
		return q.deny(ReasonRestricted, "", "", "")
	}
	return false
}

// Row 8.

func (q *query) refused() bool {
	if len(q.v.groups) == 0 {
		return false
	}
	for key := q.r.Purpose; key != ""; key = parent(key) {
		g := q.v.groups[key]
		if g == nil {
			continue
		}
		for i := range g.refusals {
			if r := &g.refusals[i]; q.refusedBy(r) {
				q.prove(r.evidence)
				return q.deny(refusalReason(r.refusal), "", "", "")
			}
		}
	}
	return false
}

// refusedBy reports whether a refusal reaches the request. What the refusal does
// not name, it refuses for all.
func (q *query) refusedBy(x *record) bool {
	r := q.r
	if x.Channel != "" && r.Channel != "" && x.Channel != r.Channel || x.Recipient != "" && x.Recipient != q.recipient {
		return false
	}
	if x.op != useBit && q.ops&x.op == 0 {
		return false
	}
	switch x.op {
	case promoteBit:
		return (x.From == "" || x.From == r.Promote.From) && (x.To == "" || x.To == r.Promote.To) && q.refusedTo(x)
	case combineBit:
		for _, o := range x.Origins {
			if o != q.own() && !slices.Contains(r.Combine.With, o) {
				return false
			}
		}
		return q.refusedTo(x)
	case shareBit:
		return len(x.Attributes) == 0 || len(r.Share.Attributes) == 0 || slices.ContainsFunc(r.Share.Attributes, func(a string) bool {
			return slices.Contains(x.Attributes, a)
		})
	}
	return true
}

func (q *query) refusedTo(x *record) bool {
	if x.Service != "" {
		return x.Service == q.r.Service
	}
	return !slices.Contains(x.except, q.r.Service)
}

// Row 10.

func (q *query) signalled() bool {
	if q.r.Signals.GPC && q.p.gpc {
		return q.deny(ReasonSignalGPC, q.p.Key, q.p.Purpose.Source, "")
	}
	return false
}

// Row 12.

func (q *query) required() bool {
	var need uint8
	var rule, source, note string
	for i := range q.e.requirements {
		x := &q.e.requirements[i]
		ok, err := x.When.holds(q.r)
		if err != nil {
			return q.deny(ReasonRuleError, x.ID, x.Source, x.Note)
		}
		if ok && x.strength > need {
			need, rule, source, note = x.strength, x.ID, x.Source, x.Note
		}
	}
	if q.p.Basis == BasisConsent && q.p.strength == strengthExplicit && need < strengthExplicit {
		need, rule, source, note = strengthExplicit, q.p.Key, q.p.Purpose.Source, ""
	}
	if need == 0 {
		return false
	}
	if q.best = q.find(0, need); q.best != nil {
		q.prove(q.best.evidence)
		return false
	}
	q.tellFlaw()
	reason := ReasonExplicitConsentRequired
	if need < strengthExplicit {
		reason = q.flaw
	}
	return q.ask(reason, rule, source, note, need, q.useOrSync())
}

func (q *query) useOrSync() Operation {
	if q.ops&syncBit != 0 {
		return OpSync
	}
	return OpUse
}

// Row 13.

func (q *query) gated() bool {
	for i := range q.e.gates {
		g := &q.e.gates[i]
		if q.ops&g.op == 0 || g.open || g.op == combineBit && q.alone() {
			continue
		}
		r := q.find(g.op, g.need)
		if r == nil {
			q.tellFlaw()
			return q.ask(g.reason, g.name, "", "", g.need, g.what)
		}
		q.proofs[i] = r
	}
	for _, r := range q.proofs {
		if r != nil {
			q.prove(r.evidence)
		}
	}
	return false
}

// alone reports whether all the data to combine has one origin.
func (q *query) alone() bool {
	for _, o := range q.r.Combine.With {
		if o != q.own() {
			return false
		}
	}
	return true
}

// Rows 14 and 15.

func (q *query) consented() bool {
	if q.p.Basis != BasisConsent {
		return false
	}
	if q.best == nil { // row 12 found none: it did not look
		if q.best = q.find(0, q.p.strength); q.best == nil {
			return false
		}
		q.prove(q.best.evidence)
	}
	return q.allow(ReasonConsent, q.p.Key, q.p.Purpose.Source)
}

func (q *query) unconsented() bool {
	if q.p.Basis != BasisConsent {
		return false
	}
	q.tellFlaw()
	return q.ask(q.flaw, q.p.Key, q.p.Purpose.Source, "", q.p.strength, q.useOrSync())
}

// Rows 16 to 18.

func (q *query) contract() bool {
	switch {
	case q.p.Basis != BasisContract:
		return false
	case q.f != nil && q.f.Kind == Essential:
		return q.allow(ReasonEssential, q.p.Key, q.p.Purpose.Source)
	}
	return q.allow(ReasonContract, q.p.Key, q.p.Purpose.Source)
}

func (q *query) interest() bool {
	if q.p.Basis != BasisLegitimateInterest {
		return false
	}
	q.prove(q.p.evidence)
	return q.allow(ReasonLegitimateInterest, q.p.Key, q.p.Purpose.Source)
}

func (q *query) optOut() bool {
	if q.p.Basis != "" || !q.noticeGiven() {
		return false
	}
	return q.allow(ReasonOptOutDefault, q.p.Key, q.p.Purpose.Source)
}

// noticeGiven reports whether the person was given a version of the purpose's
// notice that is current; a purpose without a notice needs none.
func (q *query) noticeGiven() bool {
	if q.p.Notice == "" {
		return true
	}
	var until time.Time
	given := false
	for _, n := range q.r.Notices {
		rule, known := q.e.notices[n]
		switch {
		case !known || n.ID != q.p.Notice:
		case q.r.At.Before(rule.published):
			q.bound(rule.published)
		case !rule.stale.IsZero() && !q.r.At.Before(rule.stale):
		default:
			if !given || compareEnd(rule.stale, until) > 0 {
				until = rule.stale
			}
			given = true
		}
	}
	if given {
		q.bound(until)
	}
	return given
}

// find looks for a valid grant. gate is the operation whose gate asks, 0 for the
// purpose itself. Of several it takes the one that stays valid longest. Without
// one it says what is wrong with those there are.
func (q *query) find(gate ops, need uint8) *record {
	q.flaw, q.flawed = ReasonConsentUnset, nil
	var best *record
	var bestEnd, soonest time.Time
	if len(q.v.groups) > 0 {
		for key := q.r.Purpose; ; key = parent(key) {
			if g := q.v.groups[key]; g != nil {
				for i := range g.grants {
					r := &g.grants[i]
					if !q.covers(r, gate) {
						continue
					}
					start := r.Given
					if r.op&(promoteBit|combineBit) != 0 {
						start = start.Add(1) // given before the move, not with it
					}
					end, flaw := q.validity(r)
					switch {
					case q.r.At.Before(start):
						soonest = sooner(soonest, start)
					case r.strength < need: // first, so that the reason does not change when it expires
						if q.flawed == nil {
							q.flawed = r
						}
					case flaw == ReasonConsentExpired:
						if q.flaw != ReasonConsentExpired {
							q.flaw, q.flawed = flaw, r
						}
					case flaw == ReasonConsentStale:
						if q.flaw == ReasonConsentUnset {
							q.flaw, q.flawed = flaw, r
						}
						soonest = sooner(soonest, r.Expires) // then it has expired
					case best == nil || compareEnd(end, bestEnd) > 0:
						best, bestEnd = r, end
					}
				}
			}
			if key == q.p.Key {
				break
			}
		}
	}
	if best != nil {
		q.bound(bestEnd)
	} else {
		q.bound(soonest)
	}
	return best
}

// sooner is the earlier of two instants; the zero time is none.
func sooner(a, b time.Time) time.Time {
	if compareEnd(b, a) < 0 {
		return b
	}
	return a
}

// covers reports whether a grant is about what the request does.
func (q *query) covers(x *record, gate ops) bool {
	r := q.r
	if x.Channel != "" && x.Channel != r.Channel || x.Recipient != "" && x.Recipient != q.recipient {
		return false
	}
	if gate != 0 && x.op != gate {
		return false
	}
	switch x.op {
	case useBit:
		return q.ops&syncBit == 0
	case syncBit:
		return q.ops&syncBit != 0
	case promoteBit:
		return q.ops&promoteBit != 0 && (x.From == "" || x.From == r.Promote.From) && (x.To == "" || x.To == r.Promote.To) && x.Service == r.Service
	case combineBit:
		return q.ops&combineBit != 0 && x.Service == r.Service && containsAll(x.Origins, r.Combine.With) && slices.Contains(x.Origins, q.own())
	case shareBit:
		return q.ops&shareBit != 0 && x.Recipient == q.recipient && containsAll(x.Attributes, r.Share.Attributes) &&
			(len(r.Share.Attributes) > 0 || len(x.Attributes) == 0) // attributes that are not named are not covered by a list
	}
	return false
}

func containsAll[T comparable](set, list []T) bool {
	for _, x := range list {
		if !slices.Contains(set, x) {
			return false
		}
	}
	return true
}

// validity says until when a grant holds, and what is wrong with it at the
// request's instant.
func (q *query) validity(r *record) (end time.Time, flaw Reason) {
	if !r.Expires.IsZero() && !q.r.At.Before(r.Expires) {
		return r.Expires, ReasonConsentExpired
	}
	end = r.Expires
	if q.p.Notice != "" && r.Notice.ID != q.p.Notice {
		return end, ReasonConsentStale
	}
	if r.Notice.ID == "" || !q.e.noticeIDs[r.Notice.ID] {
		return end, ""
	}
	rule, known := q.e.notices[r.Notice]
	if !known || r.Given.Before(rule.published) || !rule.stale.IsZero() && !q.r.At.Before(rule.stale) {
		return end, ReasonConsentStale
	}
	if compareEnd(rule.stale, end) < 0 {
		end = rule.stale
	}
	return end, ""
}

// tellFlaw puts the record that nearly counted into the answer.
func (q *query) tellFlaw() {
	if q.flawed == nil {
		return
	}
	if q.flaw == ReasonConsentUnset {
		q.note([]Step{{14, ReasonConsent, q.flawed.ID, "the consent is weaker than required"}})
		return
	}
	q.prove(q.flawed.evidence)
}
