package consent

import (
	"slices"
	"time"
)

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
	case 4:
		return q.obliged()
	case 5:
		return q.adminOff()
	case 6:
		return q.featureOff()
	case 7:
		return q.erased()
	case 8:
		return q.refused()
	case 9:
		return q.underAge()
	case 10:
		return q.signalled()
	case 11: // it only lifts row 10, which asks for it
		return false
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
	second    *record // beside best, where two people must consent together
	proofs    [3][2]*record
	basis     Basis     // what the purpose rests on here, once settled
	mechanism Mechanism // how people are asked here, once settled
	settled   bool
	minor     minor
	places    [2]*regimeRow // of residence and location
	placed    int
	placeEnds time.Time  // when one of them may change
	honour    *regimeRow // whose signal binds
	since     time.Time  // find takes only what was given later, told of a conflict
	d         Decision
}

func (q *query) deny(reason Reason, rule, source, note string) bool {
	q.d.Outcome, q.d.Reason, q.d.Rule, q.d.Source, q.d.Note = Deny, reason, rule, source, note
	q.d.Ask = nil
	return true
}

func (q *query) allow(reason Reason, rule, source string) bool {
	q.d.Outcome, q.d.Reason, q.d.Rule, q.d.Source = Allow, reason, rule, source
	return true
}

func (q *query) ask(reason Reason, rule, source, note string, need uint8, what Operation) bool {
	m := q.minority()
	if m.need != subjectBit && !m.young {
		// Who may give it hangs on the age: nobody can be asked before that is told.
		q.note(stepGuardianMay)
		return q.deny(ReasonAgeUnknown, "ages", "", m.note)
	}
	q.d.Outcome, q.d.Reason, q.d.Rule, q.d.Source, q.d.Note = AskFirst, reason, rule, source, note
	from := m.need
	if q.p.ask.What == what && q.p.strength == need && from == subjectBit {
		q.d.Ask = q.p.ask
	} else {
		q.d.Ask = &Ask{Purposes: q.p.ask.Purposes, Strength: strengthOf(need), From: from.name(), What: what}
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
	if len(list) == 0 {
		return
	}
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

// finish adds the duties and what the decision was made by.
func (q *query) finish() {
	if q.p == nil {
		return
	}
	q.d.Purpose, q.d.Basis = q.p.Key, q.p.Basis
	if q.settled {
		q.d.Basis = q.basis
	}
	q.bound(q.v.until)
	q.resolve()
	q.d.PolicyHash, q.d.LedgerHead = q.e.policy.Hash, q.v.head
	if q.d.Outcome != Allow || q.d.Row == 2 {
		q.d.Obligations = nil // those of places, on the way to here
	}
	if q.d.Row == 2 {
		return
	}
	for i := range q.e.obligations {
		o := &q.e.obligations[i]
		if q.d.Outcome != Allow && len(o.On) == 0 || len(o.On) > 0 && !slices.Contains(o.On, q.d.Reason) {
			continue
		}
		ok, err := o.When.holds(q.r)
		if ok && err == nil {
			var is, failed bool
			if is, failed = q.aside(&o.giving); is {
				continue
			} else if failed {
				q.d.Obligations = nil
				return
			}
		}
		switch {
		case err != nil && q.d.Outcome == Allow:
			q.deny(ReasonRuleError, o.ID, o.Source, o.Note)
			q.d.Obligations = nil
			return
		case err != nil || ok: // a denial stays, and its duty rather with it than lost
			q.oblige(o.prepared)
		}
	}
	if q.honour != nil {
		q.oblige(q.honour.honour)
	}
	if q.d.Outcome == Allow && q.e.regimes != nil && q.recipient != "" {
		q.oblige(passing[q.signalKinds()])
	}
}

// signalKinds is the set of kinds of signals that came with the request.
func (q *query) signalKinds() (set uint8) {
	s := &q.r.Signals
	if s.GPC {
		set = gpcKind
	}
	for i := range s.List {
		if k := slices.Index(kinds[:], s.List[i].Kind); k >= 0 {
			set |= 1 << k
		}
	}
	return set
}

// passing are the duties to pass signals on, by the set of their kinds.
var passing = func() (list [8][]Obligation) {
	for set := 1; set < len(list); set++ {
		o := Obligation{Kind: PassSignal, Rule: "regimes"}
		for k, name := range kinds {
			if set&(1<<k) != 0 {
				o.Values = append(o.Values, name)
			}
		}
		list[set] = []Obligation{o}
	}
	return list
}()

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
	if x.lifted != 0 && q.liftedFor(x) {
		return false
	}
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

// liftedFor reports whether a refusal has been taken back, as far as the person's
// age goes, by a later grant of another giver: who may consent alone takes back
// what a guardian refused, and for who may not a guardian does, for both.
func (q *query) liftedFor(x *record) bool {
	switch q.minority().need {
	case subjectBit:
		return x.lifted&subjectBit != 0
	case guardianBit:
		return x.lifted&guardianBit != 0
	}
	return x.lifted == bothBits
}

func (q *query) refusedTo(x *record) bool {
	if x.Service != "" {
		return x.Service == q.r.Service
	}
	return !slices.Contains(x.except, q.r.Service)
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
		if !ok {
			continue
		}
		if is, failed := q.aside(&x.giving); failed {
			return true
		} else if !is && x.strength > need {
			need, rule, source, note = x.strength, x.ID, x.Source, x.Note
		}
	}
	if need < strengthExplicit && q.sensitive() {
		q.useRegime()
		for _, row := range q.places[:q.placed] {
			if row.Sensitive == SensitiveOptIn {
				need, rule, source, note = strengthExplicit, "regimes", "", row.RegimeRule.Source
			}
		}
	}
	if q.basis == BasisConsent && q.p.strength == strengthExplicit && need < strengthExplicit {
		need, rule, source, note = strengthExplicit, q.p.Key, q.p.Purpose.Source, ""
	}
	if need == 0 {
		return false
	}
	if q.best = q.find(0, need); q.best != nil {
		q.proveBoth(q.best)
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
		if g.op == shareBit && len(q.e.recipients) > 0 {
			passes, failed := q.disclosed()
			if failed {
				return true
			}
			if passes {
				continue
			}
		}
		r := q.find(g.op, g.need)
		if r == nil {
			q.tellFlaw()
			return q.ask(g.reason, g.name, "", "", g.need, g.what)
		}
		q.proofs[i] = [2]*record{r, q.second}
	}
	for _, pair := range q.proofs {
		for _, r := range pair {
			if r != nil {
				q.prove(r.evidence)
			}
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
	if q.basis != BasisConsent {
		return false
	}
	if q.best == nil { // row 12 found none: it did not look
		if q.best = q.find(0, q.p.strength); q.best == nil {
			return false
		}
		q.proveBoth(q.best)
	}
	return q.allow(ReasonConsent, q.p.Key, q.p.Purpose.Source)
}

func (q *query) unconsented() bool {
	if q.basis != BasisConsent {
		return false
	}
	q.tellFlaw()
	return q.ask(q.flaw, q.p.Key, q.p.Purpose.Source, "", q.p.strength, q.useOrSync())
}

// Rows 16 to 18.

func (q *query) contract() bool {
	switch {
	case q.basis != BasisContract:
		return false
	case q.f != nil && q.f.Kind == Essential:
		return q.allow(ReasonEssential, q.p.Key, q.p.Purpose.Source)
	}
	return q.allow(ReasonContract, q.p.Key, q.p.Purpose.Source)
}

// interest allows what people may object to, and did not.
func (q *query) interest() bool {
	switch q.basis {
	case BasisLegitimateInterest:
		q.allow(ReasonLegitimateInterest, q.p.Key, q.p.Purpose.Source)
	case BasisPublicTask:
		q.allow(ReasonPublicTask, q.p.Key, q.p.Purpose.Source)
	default:
		return false
	}
	q.prove(q.p.evidence)
	return true
}

func (q *query) optOut() bool {
	if q.basis != "" || q.mechanism != NoRegime && !q.noticeGiven() {
		return false
	}
	return q.allow(ReasonOptOutDefault, q.p.Key, q.p.Purpose.Source)
}

// noticeGiven reports whether the person was given a version of the purpose's
// notice that is current; a purpose without a notice needs none.
func (q *query) noticeGiven() bool {
	if q.p.Notice == "" {
		return q.mechanism != NoticeOnly
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
