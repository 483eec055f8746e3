package retention

import (
	"slices"
	"time"
)

// Input is what a plan is asked about: one record, or one part of it that has
// one category, at one instant. Plan does not change it.
type Input struct {
	Tenant   string // for conditions only
	Category string // key such as "user.contact.email"; "" = not classified: only rules for any category match
	Class    string // why it was collected; "" matches only rules that name no class
	Region   string // likewise
	Purpose  string // likewise

	Attr    map[string]any // of the person or the record, for conditions only
	Request any            // whatever else conditions want to see; handed through, never read or printed

	// Events says when things happened, or will: future instants are allowed. An
	// absent anchor, and one with the zero time, has not happened.
	Events map[Anchor]time.Time
	// Withdrawn says of events that were taken back (a renewal after the end of a
	// subscription) when that was. It counts for anchors that are not in Events:
	// the plan then answers Keep, where it would wait for an event that never was,
	// and the trail names the withdrawal.
	Withdrawn map[Anchor]time.Time

	Holds   []Hold   // at most 1000; those whose scope is another category change nothing
	Erasure *Erasure // a request for erasure; nil = none

	Now     time.Time // required: the instant of the question
	Explain bool      // fill Plan.Trail
}

// A Plan says from when a record may be deleted and by when it must be gone.
// Instants are UTC and whole seconds; the zero time means that there is none:
// check with IsZero before comparing. The zero Plan is no answer: it says Keep,
// and adds nothing in [Combine].
type Plan struct {
	Status Status
	// Breach is true if a ceiling has passed that is more than a habit. An overdue
	// record whose only passed ceilings are [Typical] is worth a warning: Breach
	// is false.
	Breach bool
	// Decided is true in a Conflict whose floor is stronger than the ceiling, so
	// that keeping is right. In any other conflict keeping is only the choice that
	// can be undone: the rules contradict each other.
	Decided bool

	Earliest time.Time // deletion is allowed from then on; zero = not determined, keep
	Latest   time.Time // deletion is required before then; zero = no ceiling is known
	Strength Strength  // of the ceiling that gave Latest; zero = none

	Floor, Delete, Ceiling string // ids of the rules that decided each part; "" = none

	// Hold is the id of the hold that keeps the record, or that was released last;
	// "" = none. Where several keep it, one without an end comes first.
	Hold string
	// OverdueBecauseHeld is true if a ceiling passed while a hold forbade to meet
	// it. After the release Latest is the grace of [WithHoldGrace] later.
	OverdueBecauseHeld bool
	Method             Method // how media must be cleaned, at least, for the primary copy

	Phases     []Phase        // of the data's life, by start
	Notices    []Announcement // what people are to be told, by date
	Exemptions []Exemption    // what stands against a request for erasure

	Missing []Anchor // events for which a rule waits, sorted
	NoRule  []string // categories for which no rule is known, sorted
	Trail   []Step   // one step a rule, if Input.Explain was set: in the order of the rules, a chained one after the one that it follows; then the holds and the request for erasure

	Category string    // of the input; "" in a combined plan of several categories
	Now      time.Time // the instant of the question

	sum    summary   // of the primary copy
	others []copySum // of copies that other rules bind, by copy
	work   []state   // of a large set of rules, kept for the next plan
	lead   []int32
	said   []verdict // likewise
}

type copySum struct {
	copy Copy
	sum  summary
}

// A Step is what one rule had to say.
type Step struct {
	Category string // of the input
	Rule     string
	Source   string
	Kind     Kind
	Strength Strength
	Selector Selector
	Anchor   Anchor    // "" for a chained rule
	After    string    // the rule at whose end the period starts; "" for a rule with an anchor
	Start    time.Time // when the period starts; zero = not known. With outcome Withdrawn, when that was
	Event    time.Time // when it would start had no hold restarted it; zero if none has
	Cutoff   Cutoff
	From     time.Time // the first instant after the cut-off; zero without one
	Period   Period
	Zone     string
	MonthEnd MonthEnd
	Count    Count
	Tolled   time.Duration // for how long holds stopped the clock
	Raw      time.Time     // the end before rounding and working days; zero if they change nothing
	Round    Rounding
	Calendar string    // of working days
	End      time.Time // when it ends; zero = not known
	Copies   []Copy    // which copies the rule binds; empty = all. Do not change it
	Effect   Effect    // of a hold; Restart in the step of a rule that one has restarted
	Outcome  Outcome
	Because  string // why, in fixed words; with NotApplicable the condition that does not hold
	Against  string // the rule that decided instead
}

// A bound is one part of a plan: the floor, the delete wish or the ceiling.
type bound struct {
	is       standing
	strength Strength
	rule     string
	weight   uint8
	at       int64 // if is == known
	raw      int64 // what it would be without holds
}

// standing is ordered: where several rules or categories speak, the highest
// counts for the end of keeping.
type standing uint8

const (
	none      standing = iota
	known              // an instant
	withdrawn          // the event was taken back: open, but nothing is awaited
	pending            // the event has not happened
)

// summary is what remains of one or more categories: enough to combine.
type summary struct {
	rules bool // some rule applies
	floor bound
	// soft is the delete wish, or, where there is neither wish nor floor, the
	// event of the ceiling.
	soft     bound
	wish     bool // soft is a wish
	ceiling  bound
	base     bound // the ceiling without the grace after holds: what wishes yield to
	start    int64 // of base
	hard     bool
	hardAt   int64 // earliest ceiling that is more than a habit
	awaiting bool  // some ceiling waits for its event
	method   Method
	held     freeze
}

// state is a rule whose selectors match, while a plan is made.
type state struct {
	rule      int32
	by        int32 // with NotApplicable: the parent, which does not apply; -1 if it is not about this data
	condition bool  // with NotApplicable: because of its own condition
	outcome   Outcome
	is        standing // none with NotApplicable
	event     int64    // if known
	start     int64    // likewise, after a hold has restarted it; the withdrawal if withdrawn
	span      span     // if known
	unheld    int64    // the end without holds
	unheldRaw int64    // likewise, before rounding
	tolled    int64    // seconds for which holds stopped the clock
	anchor    Anchor   // from which the chain runs
}

// A verdict is what a trail says of a state.
type verdict struct{ against, because string }

const fewRules = 16 // so many states live on the stack

// Plan answers for one input. It is a pure function of the rules and the input.
// The errors are *[InputError] and *[RuleError]: the plan could not be made, and
// the zero Plan is returned.
func (rs *Rules) Plan(in Input) (Plan, error) {
	var p Plan
	err := rs.PlanInto(&p, &in)
	return p, err
}

// PlanInto is Plan for hot paths: it replaces what dst holds and reuses its
// slices, so copies of the earlier plan must no longer be used. Without
// Input.Explain it allocates nothing once dst has grown. Use one dst per
// goroutine.
func (rs *Rules) PlanInto(dst *Plan, in *Input) error {
	dst.reset()
	if in == nil {
		return &InputError{"input", "missing"}
	}
	if err := check(in); err != nil {
		return err
	}
	dst.Category, dst.Now = in.Category, time.Unix(in.Now.Unix(), 0).UTC()
	held := in.frozen()
	dst.sum.held = held
	var err error
	if rs != nil && len(rs.rules) > 0 {
		err = rs.plan(dst, in, &held)
	} else if in.Explain {
		dst.Trail = in.trail(dst.Trail, &held, Period{}, false)
	}
	if err != nil {
		dst.reset()
		return err
	}
	if !dst.sum.rules {
		dst.NoRule = append(dst.NoRule, in.Category)
	}
	if in.erases() {
		dst.sum.request(in.Erasure)
		for i := range dst.others {
			dst.others[i].sum.request(in.Erasure)
		}
		dst.exempt(in)
	}
	dst.resolve()
	return nil
}

func (p *Plan) reset() {
	*p = Plan{
		Missing: p.Missing[:0], NoRule: p.NoRule[:0], Trail: p.Trail[:0], Phases: p.Phases[:0], Notices: p.Notices[:0], Exemptions: p.Exemptions[:0],
		others: p.others[:0], work: p.work, lead: p.lead, said: p.said,
	}
}

func check(in *Input) error {
	switch {
	case in.Now.IsZero():
		return &InputError{"now", "missing: pass the instant of the question"}
	case !inRange(in.Now.Unix()):
		return &InputError{"now", "outside the years 1 to 9999"}
	case in.Category != "" && !validKey(in.Category, false):
		return &InputError{"category", "not a key: " + keyMend}
	}
	if len(in.Holds) > 0 || in.Erasure != nil {
		return in.checkHolds()
	}
	return nil
}

func (rs *Rules) plan(dst *Plan, in *Input, held *freeze) error {
	var fewStates [fewRules]state
	var fewLeads [fewRules]int32
	states, lead := fewStates[:0], fewLeads[:]
	if n := len(rs.rules); n > fewRules {
		if cap(dst.work) < n {
			dst.work, dst.lead = make([]state, 0, n), make([]int32, n)
		}
		states, lead = dst.work[:0], dst.lead
	}
	lead = lead[:rs.topics]

	// 1. What applies, and when it ends.
	for i := range rs.rules {
		r := &rs.rules[i]
		if !r.Category.Matches(in.Category) || !has(r.Class, in.Class) || !has(r.Region, in.Region) || !has(r.Purpose, in.Purpose) {
			continue
		}
		states = append(states, state{rule: int32(i), by: -1})
		if err := rs.run(states, in, held); err != nil {
			return err
		}
	}

	// 2 to 5, for each set of copies that has rules of its own. The primary copy is
	// the last, so that what became of a rule there is what the trail tells.
	var verdicts []verdict
	if in.Explain {
		if cap(dst.said) < len(states) {
			dst.said = make([]verdict, len(states))
		}
		verdicts = dst.said[:len(states)]
		clear(verdicts)
	}
	for k := len(rs.classes) - 1; k >= 0; k-- {
		sum := &dst.sum
		*sum = summary{held: *held}
		if err := rs.combine(dst, sum, states, lead, uint8(1)<<k, in, verdicts); err != nil {
			return err
		}
		if k == 0 {
			break
		}
		for c := range Copy(numCopies) {
			if rs.classes[k]&(1<<c) != 0 {
				dst.putCopy(c, sum)
			}
		}
	}
	erased := in.erases()
	for i := range states {
		if s := &states[i]; (erased || rs.rules[s.rule].extra) && s.outcome != NotApplicable && s.outcome != Replaced {
			if err := rs.extras(dst, s, in); err != nil {
				return err
			}
		}
	}
	if in.Explain {
		dst.Trail = rs.trail(dst.Trail, states, verdicts, in)
		dst.Trail = in.trail(dst.Trail, held, rs.grace, dst.sum.ceiling.at != dst.sum.ceiling.raw)
	}
	return nil
}

// combine finds what the rules of one class of copies say together.
func (rs *Rules) combine(dst *Plan, sum *summary, states []state, lead []int32, class uint8, in *Input, verdicts []verdict) error {
	// 2. Per topic the most specific rule, then the strongest, leads.
	for t := range lead {
		lead[t] = -1
	}
	for i := range states {
		s := &states[i]
		r := &rs.rules[s.rule]
		if s.outcome == NotApplicable || r.classes&class == 0 {
			continue
		}
		sum.rules = sum.rules || r.Kind != Notice
		if t := r.topic; t >= 0 && (lead[t] < 0 || rs.compare(s.rule, states[lead[t]].rule) > 0) {
			lead[t] = int32(i)
		}
	}

	// 3 to 5. The floor, the wish and the ceiling.
	erased := in.erases()
	ceilings := false
	var win [4]int // by kind: index into states, from 1
	for i := range states {
		s := &states[i]
		r := &rs.rules[s.rule]
		if s.outcome == NotApplicable || r.classes&class == 0 {
			continue
		}
		if r.topic >= 0 && rs.compare(s.rule, states[lead[r.topic]].rule) < 0 {
			s.outcome = Replaced
			continue
		}
		if s.outcome = Won; erased && (r.Kind == Delete || r.Kind == Floor && r.Strength.Compare(Law) < 0) {
			s.outcome = Lost
			continue
		}
		switch s.is {
		case pending:
			s.outcome = NoEvent
			dst.Missing = insert(dst.Missing, s.anchor)
		case withdrawn:
			s.outcome = Withdrawn
		}
		sum.method = max(sum.method, r.Method)
		switch r.Kind {
		case Floor:
			if b := r.bound(s); win[Floor] == 0 || later(&b, &sum.floor) {
				sum.floor, win[Floor] = b, i+1
			}
		case Delete:
			b := r.bound(s)
			if w := win[Delete]; w == 0 || rs.rather(&b, s.rule, &sum.soft, states[w-1].rule) {
				sum.soft, win[Delete] = b, i+1
			}
		case Ceiling:
			sum.awaiting = sum.awaiting || s.is == pending
			ceilings = ceilings || s.is == known
		}
	}
	for i := range states {
		if !ceilings {
			break
		}
		s := &states[i]
		r := &rs.rules[s.rule]
		if r.Kind != Ceiling || s.is != known || s.outcome != Won || r.classes&class == 0 {
			continue
		}
		at, raw := s.span.end, s.span.end
		if from := blocked(sum, s); from != minUnix {
			var ok bool
			if at, ok = rs.grace.add(from, time.UTC, Clamp); !ok {
				return &RuleError{r.ID, "the end of the grace after a hold lies outside the years 1 to 9999"}
			}
		}
		// Most ceilings are later than one before them, and need no more than that.
		if win[Ceiling] == 0 || at <= sum.ceiling.at {
			if b := (bound{s.is, r.Strength, r.ID, r.weight, at, raw}); win[Ceiling] == 0 || sooner(&b, &sum.ceiling) {
				sum.ceiling, win[Ceiling] = b, i+1
			}
		}
		if sum.base.is == none || raw <= sum.base.at {
			if b := (bound{s.is, r.Strength, r.ID, r.weight, raw, raw}); sum.base.is == none || sooner(&b, &sum.base) {
				sum.base, sum.start = b, s.start
			}
		}
		if r.Strength.Compare(Typical) > 0 && (!sum.hard || at < sum.hardAt) {
			sum.hard, sum.hardAt = true, at
		}
	}
	sum.wish = sum.soft.is != none
	yields := sum.wish && sum.soft.is == known && sum.base.is == known && sum.soft.at > sum.base.at
	if yields && sum.soft.raw <= sum.base.at {
		// Only a hold moved the wish behind the ceiling: were it to yield, the hold
		// would make deletion earlier.
		yields, sum.soft.at = false, sum.base.at
	}
	if yields {
		sum.soft, sum.wish = bound{}, false
	}
	if sum.soft.is == none && sum.floor.is == none && sum.ceiling.is == known {
		sum.soft = bound{is: known, at: sum.start, raw: sum.start}
	}
	if verdicts != nil {
		rs.judge(verdicts, states, lead, win, class, yields, in)
	}
	return nil
}

// bound is what a rule says of the end of its part.
func (r *rule) bound(s *state) bound {
	return bound{s.is, r.Strength, r.ID, r.weight, s.span.end, s.unheld}
}

// blocked is the instant until which holds forbade to meet a ceiling in time;
// minUnix if they did not. Each ceiling is looked at alone, so that one more of
// them never makes Latest later.
func blocked(sum *summary, s *state) int64 {
	from, f := int64(minUnix), &sum.floor
	if s.span.end < sum.held.released {
		from = sum.held.released
	}
	// The ceiling leaves the floor its time, but not with what a hold added.
	if f.is == known && f.raw <= s.unheld && s.span.end < f.at {
		from = max(from, f.at)
	}
	return from
}

// request lets a request for erasure take the place of all wishes.
func (s *summary) request(e *Erasure) {
	s.rules, s.wish = true, true
	at := e.At.Unix()
	s.soft = bound{is: known, rule: e.ID, at: at, raw: at}
	if s.base.is == known && at > s.base.at {
		s.soft, s.wish = bound{}, false
		if s.floor.is == none {
			s.soft = bound{is: known, at: s.start, raw: s.start}
		}
	}
}

// run fills the last of states: whether its condition holds, and from when to
// when it runs.
func (rs *Rules) run(states []state, in *Input, held *freeze) error {
	s := &states[len(states)-1]
	r := &rs.rules[s.rule]
	if r.When.Func != nil {
		ok, err := r.When.Func(in)
		if err != nil {
			return &RuleError{r.ID, "the condition could not be decided"}
		}
		if !ok {
			s.outcome, s.condition = NotApplicable, true
			return nil
		}
	}
	unheld := int64(0) // where the period would start without holds
	if r.parent >= 0 {
		var p *state
		for i := range states {
			if int(states[i].rule) == r.parent {
				p = &states[i]
			}
		}
		if p == nil || p.outcome == NotApplicable {
			s.outcome = NotApplicable
			if p != nil {
				s.by = p.rule
			}
			return nil
		}
		s.is, s.start, s.anchor = p.is, p.span.raw, p.anchor
		s.event, unheld = s.start, p.unheldRaw
		if s.is == withdrawn {
			s.start = p.start
		}
	} else {
		s.is, s.anchor = pending, r.Anchor
		if at := in.Events[r.Anchor]; !at.IsZero() {
			s.is, s.start = known, at.Unix()
		} else if at = in.Withdrawn[r.Anchor]; !at.IsZero() {
			s.is, s.start = withdrawn, at.Unix()
		}
		s.event, unheld = s.start, s.start
		if r.Kind == Floor && s.is == known && held.restart > s.start {
			s.start = held.restart
		}
	}
	ok := true
	switch s.is {
	case known:
		toll := held.tolls && r.Kind != Ceiling && r.Kind != Notice
		s.span, ok = r.span(s.start, r.Period, 0)
		if ok && toll {
			if n := in.tolled(s.span.from, s.span.raw); n > 0 {
				s.tolled = n
				s.span, ok = r.span(s.start, r.Period, n)
			}
		}
		s.unheld, s.unheldRaw = s.span.end, s.span.raw
		if ok && (s.tolled > 0 || unheld != s.start) {
			var plain span
			plain, ok = r.span(unheld, r.Period, 0)
			s.unheld, s.unheldRaw = plain.end, plain.raw
		}
	case withdrawn:
		ok = inRange(s.start)
	}
	if !ok {
		return &RuleError{r.ID, r.outside("the event, or the end of the period, lies outside the years 1 to 9999")}
	}
	return nil
}

func has(list []string, v string) bool {
	return len(list) == 0 || slices.Contains(list, v)
}

// compare is positive if rule a is more specific than b, or as specific and
// stronger. Both match one category, so the longer selector is the narrower.
func (rs *Rules) compare(a, b int32) int {
	x, y := &rs.rules[a], &rs.rules[b]
	if d := len(x.Category) - len(y.Category); d != 0 {
		return d
	}
	return int(x.weight) - int(y.weight)
}

// rather reports whether wish a of rule i counts instead of wish b of rule j. An
// instant counts before one that is not known: the earliest is wanted.
func (rs *Rules) rather(a *bound, i int32, b *bound, j int32) bool {
	if d := rs.compare(i, j); d != 0 {
		return d > 0
	}
	if a.is != b.is {
		return a.is < b.is
	}
	if a.is == known && a.at != b.at {
		return a.at < b.at
	}
	return a.rule < b.rule
}

// later reports whether a, and not b, says until when data is kept. An end that
// is not known comes after all others.
func later(a, b *bound) bool {
	if a.is != b.is {
		return a.is > b.is
	}
	if a.is == known && a.at != b.at {
		return a.at > b.at
	}
	return ahead(a, b)
}

// sooner reports whether ceiling a, and not b, counts. Both are known.
func sooner(a, b *bound) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	return ahead(a, b)
}

// ahead decides between rules that say the same, so that the answer does not
// depend on their order: the stronger, then the lesser id.
func ahead(a, b *bound) bool {
	switch {
	case a.weight != b.weight:
		return a.weight > b.weight
	case a.rule != b.rule:
		return a.rule < b.rule
	}
	return a.raw > b.raw // of combined plans only: one category is held, the other not
}

func insert[T ~string](list []T, v T) []T {
	if i, ok := slices.BinarySearch(list, v); !ok {
		list = slices.Insert(list, i, v)
	}
	return list
}

// resolve fills in the answer from the summary.
func (p *Plan) resolve() {
	s := &p.sum
	now := p.Now.Unix()
	floor, soft, ceiling := &s.floor, &s.soft, &s.ceiling

	// Only where categories were combined: a wish of one may come after the
	// ceiling of another, and gives way to it as within one category.
	at, wish, wisher := soft.at, s.wish, soft.rule
	if soft.is == known && ceiling.is == known && soft.at > s.base.at {
		if at = s.base.at; soft.raw > at {
			at, wish, wisher = s.start, false, ""
		}
	}

	p.Floor, p.Delete, p.Ceiling, p.Strength = floor.rule, "", ceiling.rule, ceiling.strength
	if wish {
		p.Delete = wisher
	}
	p.Latest, p.Earliest = time.Time{}, time.Time{}
	if ceiling.is == known {
		p.Latest = time.Unix(ceiling.at, 0).UTC()
	}
	held := &s.held
	determined := floor.is <= known && soft.is <= known && floor.is+soft.is > none && !held.open
	earliest := at
	if floor.is == known && (soft.is == none || floor.at > at) {
		earliest = floor.at
	}
	if held.closed {
		earliest = max(earliest, held.released)
	}
	if determined {
		p.Earliest = time.Unix(earliest, 0).UTC()
	}
	reached := ceiling.is == known && now >= ceiling.at
	p.Decided, p.Breach, p.Hold, p.Method = false, false, held.best.id, s.method
	p.OverdueBecauseHeld = ceiling.is == known && (ceiling.at != ceiling.raw || held.best.active && reached)
	switch {
	case held.best.active:
		p.Status = Held
	case !s.rules:
		p.Status = NoRule
	// A floor whose event has not happened cannot have ended yet.
	case ceiling.is == known && floor.is == known && floor.raw > ceiling.at && now < floor.at,
		reached && floor.is > known:
		p.Status = Conflict
		p.Decided = floor.weight > ceiling.weight
	// Only where categories were combined: the hold of one is in the way of another.
	case ceiling.is == known && floor.is == known && floor.at > ceiling.at && now < floor.at,
		reached && held.closed && now < held.released && ceiling.at < held.released:
		p.Status = Held
	case reached:
		p.Status = Overdue
		p.Breach = s.hard && now >= s.hardAt
	case determined && now < earliest:
		p.Status = Keep
	case determined && wish:
		p.Status = Due
	case determined:
		p.Status = Deletable
	case floor.is == pending || soft.is == pending || s.awaiting:
		p.Status = PendingEvent
	default:
		p.Status = Keep
	}
}

// Combine returns the plan of one record whose parts have the given plans: it
// must be gone when the first of them must, and may be deleted when the last of
// them may. The status is that of the whole record: a floor of one category
// beyond the ceiling of another is a conflict, which to store them apart would
// solve. Categories without a rule are listed in NoRule and change nothing else.
// Trails follow each other in the order of the arguments; nothing else depends
// on that order. Plans of different instants give a plan for the latest of them.
// The result shares no memory with the arguments. Without any it is the zero Plan.
func Combine(plans ...Plan) Plan {
	var p Plan
	for i := range plans {
		p.Merge(&plans[i])
	}
	return p
}

// Clone returns a copy that shares nothing with p that a later plan would change.
func (p *Plan) Clone() Plan {
	c := *p
	c.Missing, c.NoRule, c.Trail = append([]Anchor(nil), p.Missing...), append([]string(nil), p.NoRule...), append([]Step(nil), p.Trail...)
	c.Phases, c.Notices, c.Exemptions = append([]Phase(nil), p.Phases...), append([]Announcement(nil), p.Notices...), append([]Exemption(nil), p.Exemptions...)
	c.others, c.work, c.lead, c.said = append([]copySum(nil), p.others...), nil, nil, nil
	return c
}

// Merge makes p the combination of p and q, as [Combine] does; the zero p becomes
// a copy of q. It allocates only where the slices of p grow.
func (p *Plan) Merge(q *Plan) {
	if q.Now.IsZero() {
		return
	}
	first := p.Now.IsZero()
	if first {
		p.Category = q.Category
	} else if p.Category != q.Category {
		p.Category = ""
	}
	if first || q.Now.After(p.Now) {
		p.Now = q.Now
	}
	p.mergeCopies(q)
	p.sum.merge(&q.sum)
	for _, a := range q.Missing {
		p.Missing = insert(p.Missing, a)
	}
	for _, c := range q.NoRule {
		p.NoRule = insert(p.NoRule, c)
	}
	for i := range q.Phases {
		p.Phases = place(p.Phases, q.Phases[i])
	}
	for i := range q.Notices {
		p.Notices = place(p.Notices, q.Notices[i])
	}
	for i := range q.Exemptions {
		p.Exemptions = place(p.Exemptions, q.Exemptions[i])
	}
	p.Trail = append(p.Trail, q.Trail...)
	p.resolve()
}

func (s *summary) merge(t *summary) {
	s.rules = s.rules || t.rules
	if later(&t.floor, &s.floor) {
		s.floor = t.floor
	}
	if later(&t.soft, &s.soft) {
		s.soft = t.soft
	}
	s.wish = s.wish || t.wish
	if t.ceiling.is == known {
		if s.base.is != known || sooner(&t.base, &s.base) || t.base == s.base && t.start < s.start {
			s.base, s.start = t.base, t.start
		}
		if s.ceiling.is != known || sooner(&t.ceiling, &s.ceiling) {
			s.ceiling = t.ceiling
		}
	}
	if t.hard && (!s.hard || t.hardAt < s.hardAt) {
		s.hard, s.hardAt = true, t.hardAt
	}
	s.awaiting = s.awaiting || t.awaiting
	s.method = max(s.method, t.method)
	s.held.merge(&t.held)
}
