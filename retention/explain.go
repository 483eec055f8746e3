package retention

import (
	"time"
	"unicode/utf8"
)

// judge says of each rule of a class which other decided instead, and why.
func (rs *Rules) judge(verdicts []verdict, states []state, lead []int32, win [4]int, class uint8, yields bool, in *Input) {
	for i := range states {
		s, v := &states[i], &verdicts[i]
		r := &rs.rules[s.rule]
		if r.classes&class == 0 {
			continue
		}
		*v = verdict{}
		switch {
		case s.outcome == Replaced:
			leader := states[lead[r.topic]].rule
			v.against, v.because = rs.rules[leader].ID, rs.less(s.rule, leader)
		case s.outcome == Lost:
			v.against, v.because = in.Erasure.ID, "a request for erasure beats what is weaker than law"
			if r.Kind == Delete {
				v.because = "a request for erasure takes the place of wishes"
			}
		case s.outcome != Won || r.Kind == Notice:
		case win[r.Kind]-1 != i:
			w := &states[win[r.Kind]-1]
			v.against, v.because = rs.rules[w.rule].ID, rs.behind(s, w)
		case r.Kind == Delete && yields:
			v.against, v.because = rs.rules[states[win[Ceiling]-1].rule].ID, "a wish that ends after the ceiling"
		}
	}
}

// trail appends a step for each rule whose selectors match.
func (rs *Rules) trail(steps []Step, states []state, verdicts []verdict, in *Input) []Step {
	for i := range states {
		s, v := &states[i], &verdicts[i]
		r := &rs.rules[s.rule]
		step := Step{
			Category: in.Category, Rule: r.ID, Source: r.Source, Kind: r.Kind, Strength: r.Strength, Selector: r.Category,
			Anchor: r.Anchor, After: r.After, Cutoff: r.Cutoff, Period: r.Period, Zone: r.Zone, MonthEnd: r.MonthEnd, Count: r.Count, Copies: r.Copies,
			Outcome: s.outcome, Against: v.against, Because: v.because,
		}
		if s.outcome == Won && v.against != "" {
			step.Outcome = Lost
		}
		if s.is == known {
			step.Start, step.End = time.Unix(s.start, 0).UTC(), time.Unix(s.span.end, 0).UTC()
			step.Tolled = time.Duration(s.tolled) * time.Second
			if r.Cutoff != NoCutoff {
				step.From = time.Unix(s.span.from, 0).UTC()
			}
			if s.span.raw != s.span.end {
				step.Raw, step.Round = time.Unix(s.span.raw, 0).UTC(), r.Round
				if r.Roll != nil {
					step.Calendar = r.Roll.Name()
				}
			}
			if s.start != s.event {
				step.Effect, step.Event = Restart, time.Unix(s.event, 0).UTC()
			}
		}
		switch {
		case s.outcome == Withdrawn:
			step.Start = time.Unix(s.start, 0).UTC()
		case s.condition:
			step.Because = r.When.Text
		case s.outcome == NotApplicable && s.by >= 0:
			step.Against, step.Because = r.After, "it follows a rule that does not apply"
		case s.outcome == NotApplicable:
			step.Against, step.Because = r.After, "it follows a rule that is not about this data"
		}
		steps = append(steps, step)
	}
	return steps
}

// less says in words why rule a counts less than rule b.
func (rs *Rules) less(a, b int32) string {
	x, y := &rs.rules[a], &rs.rules[b]
	if len(x.Category) < len(y.Category) {
		return "less specific category"
	}
	if y.Fixed && y.Strength.Compare(x.Strength) == 0 {
		return "weaker: " + x.Strength.String() + " < fixed " + y.Strength.String()
	}
	return "weaker: " + x.Strength.String() + " < " + y.Strength.String()
}

// behind says in words why s, whose end is known, lost to w of the same kind.
func (rs *Rules) behind(s, w *state) string {
	switch {
	case rs.rules[s.rule].Kind == Delete && rs.compare(s.rule, w.rule) < 0:
		return rs.less(s.rule, w.rule)
	case w.is != known:
		return "the other has no end yet"
	case s.span.end < w.span.end:
		return "ends earlier"
	case s.span.end > w.span.end:
		return "ends later"
	}
	return "ends at the same time"
}

// Explain tells a person what the plan says and, if the plan was made with
// Input.Explain, what each rule had to say. Lines end with a newline. The text
// names categories, rules, sources, conditions, events and instants, and nothing
// else of the input. It may change between versions; programs read
// [Plan.AppendJSON].
func (p *Plan) Explain() string {
	b := make([]byte, 0, 256+160*len(p.Trail))
	if p.Category != "" {
		b = append(append(b, p.Category...), ": "...)
	}
	switch p.Status {
	case Keep:
		if p.Earliest.IsZero() {
			b = append(b, "keep: no end is known"...)
		} else {
			b = appendTime(append(b, "keep until "...), p.Earliest)
		}
	case Deletable:
		b = appendTime(append(b, "may be deleted, since "...), p.Earliest)
	case Due:
		b = appendTime(append(b, "should be deleted, since "...), p.Earliest)
	case Overdue:
		b = appendTime(append(b, "must be gone, since "...), p.Latest)
		if !p.Breach {
			b = append(b, " (a habit: late is worth a warning, not a breach)"...)
		}
	case PendingEvent:
		b = append(b, "keep: an event has not happened"...)
	case Held:
		b = append(append(b, "held by "...), p.Hold...)
		if p.Earliest.IsZero() {
			b = append(b, ": keep until it is released"...)
		} else {
			b = appendTime(append(b, ": keep until "...), p.Earliest)
		}
	case NoRule:
		b = append(b, "no rule is known: no period is stated"...)
	case Conflict:
		b = append(b, "conflict, kept: floor "...)
		b = append(append(b, p.Floor...), " ends "...)
		if p.sum.floor.is == known {
			b = appendTime(append(b, "at "...), time.Unix(p.sum.floor.at, 0).UTC())
		} else {
			b = append(b, "after an event that has not happened"...)
		}
		b = append(append(b, ", ceiling "...), p.Ceiling...)
		b = appendTime(append(b, " at "...), p.Latest)
		b = append(append(b, "; "...), p.sum.floor.strength.String()...)
		switch d := p.sum.floor.strength.Compare(p.Strength); {
		case d > 0:
			b = append(b, " > "...)
		case d < 0:
			b = append(b, " < "...)
		default:
			b = append(b, " = "...)
		}
		b = append(b, p.Strength.String()...)
		if p.Decided {
			b = append(b, ": keeping is right"...)
		} else {
			b = append(b, ": the rules contradict each other and must be corrected"...)
		}
	}
	if p.Status != Overdue && p.Status != Conflict && p.Status != NoRule {
		if p.Latest.IsZero() {
			b = append(b, "; no ceiling is known"...)
		} else {
			b = appendTime(append(b, "; must be gone by "...), p.Latest)
			b = append(append(append(b, " ("...), p.Strength.String()...), ')')
		}
	}
	if p.OverdueBecauseHeld {
		b = append(append(b, "; late because held by "...), p.Hold...)
	}
	for i := range p.Exemptions {
		x := &p.Exemptions[i]
		if x.Until.IsZero() {
			b = append(b, "; not erasable yet"...)
		} else {
			b = appendTime(append(b, "; erasable from "...), x.Until)
		}
		b = append(append(append(b, " ("...), x.Rule...), ')')
	}
	for i, a := range p.Missing {
		if i == 0 {
			b = append(b, "; waiting for "...)
		} else {
			b = append(b, ", "...)
		}
		b = append(b, a...)
	}
	if p.Status != NoRule {
		for i, c := range p.NoRule {
			if i == 0 {
				b = append(b, "; no rule is known for "...)
			} else {
				b = append(b, ", "...)
			}
			if c == "" {
				c = "data without a category"
			}
			b = append(b, c...)
		}
	}
	b = append(b, '\n')
	for i := range p.Phases {
		b = append(p.Phases[i].append(append(b, "  "...)), '\n')
	}
	for i := range p.Notices {
		b = append(p.Notices[i].append(append(b, "  "...)), '\n')
	}
	for c := range Copy(numCopies) {
		if w, other := p.distinct(c); other {
			b = append(w.append(append(b, "  "...)), '\n')
		}
	}
	for i := range p.Trail {
		s := &p.Trail[i]
		b = append(b, "  "...)
		if p.Category == "" && s.Category != "" {
			b = append(append(b, s.Category...), ": "...)
		}
		b = append(s.append(b), '\n')
	}
	return string(b)
}

// String returns the step on one line: rule, source, what it asks for, the
// arithmetic, and what became of it.
func (s *Step) String() string { return string(s.append(nil)) }

func (s *Step) append(b []byte) []byte {
	if s.Kind == HoldStep || s.Kind == ErasureStep {
		return s.appendHold(b)
	}
	b = append(b, s.Rule...)
	if s.Source != "" {
		b = append(appendLine(append(b, " ["...), s.Source), ']')
	}
	b = append(append(b, ' '), s.Strength.String()...)
	b = append(append(b, ' '), s.Kind.String()...)
	b = append(b, ": "...)
	n := len(b)
	if b = s.appendArithmetic(b); len(b) > n {
		b = append(b, ": "...)
	}
	switch s.Outcome {
	case Won:
		return append(b, "won"...)
	case Lost:
		b = append(b, "lost to "...)
	case Replaced:
		b = append(b, "replaced by "...)
	case NotApplicable:
		b = append(b, "not applicable: "...)
		if s.Against != "" {
			b = append(append(append(b, s.Because...), ": "...), s.Against...)
			return b
		}
		return appendLine(b, s.Because)
	default:
		return append(b, "no end yet"...)
	}
	b = append(append(b, s.Against...), " because "...)
	return append(b, s.Because...)
}

// appendArithmetic writes the sum in words: used_at 2026-03-28T10:00:00Z + PT48H =
// 2026-03-30T10:00:00Z. It writes nothing for a rule that was not applicable.
func (s *Step) appendArithmetic(b []byte) []byte {
	if s.Outcome == NotApplicable {
		return b
	}
	if s.After != "" {
		b = append(append(b, "end of "...), s.After...)
	} else {
		b = append(b, s.Anchor...)
	}
	switch {
	case s.Outcome == Withdrawn:
		return appendTime(append(b, " withdrawn "...), s.Start)
	case s.Start.IsZero():
		b = append(b, " (no such event yet)"...)
	case !s.Event.IsZero():
		b = appendTime(append(appendTime(append(b, ' '), s.Event), ", restarted "...), s.Start)
	default:
		b = appendTime(append(b, ' '), s.Start)
	}
	if s.Cutoff != NoCutoff {
		b = append(append(b, ", "...), s.Cutoff.String()...)
		if !s.From.IsZero() {
			b = appendTime(append(b, ' '), s.From)
		}
	}
	b = s.Period.append(append(b, " + "...))
	if s.Count == CivilDays {
		b = append(b, " in civil days"...)
	}
	if s.Zone != "" && s.Zone != "UTC" && (s.Period.months() != 0 || s.Period.days() != 0 || s.Cutoff != NoCutoff || s.Count == CivilDays || s.Round != NoRounding) {
		b = append(append(b, " in "...), s.Zone...)
	}
	if s.Tolled > 0 {
		b = Period{Exact: s.Tolled}.append(append(b, " + tolled "...))
	}
	if !s.Raw.IsZero() {
		b = appendTime(append(b, " = "...), s.Raw)
		if s.Round != NoRounding {
			b = append(append(b, ", to the "...), s.Round.String()...)
		}
		if s.Calendar != "" {
			b = append(append(b, ", working day of "...), s.Calendar...)
		}
	}
	if !s.End.IsZero() {
		b = appendTime(append(b, " = "...), s.End)
	}
	return b
}

func (s *Step) appendHold(b []byte) []byte {
	b = append(b, s.Rule...)
	if s.Source != "" {
		b = append(appendLine(append(b, " ["...), s.Source), ']')
	}
	b = append(append(b, ' '), s.Kind.String()...)
	if s.Kind == HoldStep {
		b = append(append(append(b, " ("...), s.Effect.String()...), ')')
	}
	b = appendTime(append(b, ": "...), s.Start)
	if s.Kind == HoldStep {
		b = append(b, " to "...)
		if s.End.IsZero() {
			b = append(b, "its release"...)
		} else {
			b = appendTime(b, s.End)
		}
	}
	if s.Because != "" {
		b = append(append(b, ": "...), s.Because...)
	}
	return b
}

func (p *Phase) append(b []byte) []byte {
	b = append(append(b, "phase "...), p.Name...)
	b = appendRange(append(b, ':'), p.Start, p.End)
	b = append(b, "; allowed: "...)
	if len(p.Allow) == 0 {
		b = append(b, "nothing"...)
	}
	return appendAll(b, p.Allow)
}

func appendRange(b []byte, start, end time.Time) []byte {
	if start.IsZero() && end.IsZero() {
		return append(b, " without bounds"...)
	}
	if !start.IsZero() {
		b = appendTime(append(b, " from "...), start)
	}
	if !end.IsZero() {
		b = appendTime(append(b, " until "...), end)
	}
	return b
}

func appendAll(b []byte, list []string) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, v...)
	}
	return b
}

func (a *Announcement) append(b []byte) []byte {
	b = append(append(b, "notice "...), a.Rule...)
	if a.Purpose != "" {
		b = append(append(append(b, " ("...), a.Purpose...), ')')
	}
	b = appendTime(append(b, ": "...), a.Due)
	if len(a.Channels) > 0 {
		b = appendAll(append(b, " by "...), a.Channels)
	}
	return b
}

func (w *Window) append(b []byte) []byte {
	b = append(append(append(b, "copy "...), w.Copy.String()...), ": "...)
	b = appendRange(append(b, w.Status.String()...), w.Earliest, w.Latest)
	if w.Method != 0 {
		b = append(append(b, ", at least "...), w.Method.String()...)
	}
	return b
}

// AppendJSON appends the plan as one JSON object, the same bytes for the same
// plan: keys sorted, no spaces, instants as RFC 3339 in UTC. breach, earliest,
// latest, status and strength are always there (null = none); category, ceiling,
// decided, delete, floor, missing, no_rule and trail where they say something. A
// step has kind, outcome, period, rule and strength, and the rest of [Step] where
// it says something; arithmetic is its sum in words. So have copies (those whose
// window is another than that of the primary copy), exemptions, hold,
// late_because_held, method, notices and phases.
func (p *Plan) AppendJSON(dst []byte) []byte {
	o := object{append(dst, '{'), true}
	o.key("breach").bool(p.Breach)
	o.text("category", p.Category)
	o.text("ceiling", p.Ceiling)
	p.appendCopies(&o)
	if p.Status == Conflict {
		o.key("decided").bool(p.Decided)
	}
	o.text("delete", p.Delete)
	o.key("earliest").instant(p.Earliest)
	appendEach(&o, "exemptions", p.Exemptions, func(o *object, x *Exemption) {
		o.text("category", x.Category)
		o.text("rule", x.Rule)
		o.text("source", x.Source)
		o.key("until").instant(x.Until)
	})
	o.text("floor", p.Floor)
	o.text("hold", p.Hold)
	if p.OverdueBecauseHeld {
		o.key("late_because_held").bool(true)
	}
	o.key("latest").instant(p.Latest)
	o.text("method", p.Method.String())
	list(&o, "missing", p.Missing)
	list(&o, "no_rule", p.NoRule)
	appendEach(&o, "notices", p.Notices, func(o *object, a *Announcement) {
		list(o, "channels", a.Channels)
		o.key("due").instant(a.Due)
		o.text("purpose", a.Purpose)
		o.text("rule", a.Rule)
	})
	appendEach(&o, "phases", p.Phases, func(o *object, x *Phase) {
		list(o, "allow", x.Allow)
		o.key("end").instant(x.End)
		o.text("name", x.Name)
		o.text("rule", x.Rule)
		o.key("start").instant(x.Start)
	})
	o.key("status")
	o.b = appendString(o.b, p.Status.String())
	o.key("strength")
	if s := p.Strength.String(); s != "" {
		o.b = appendString(o.b, s)
	} else {
		o.b = append(o.b, "null"...)
	}
	appendEach(&o, "trail", p.Trail, func(o *object, s *Step) { s.appendJSON(o) })
	return append(o.b, '}')
}

// distinct is the window of a copy, and whether it says anything else than that of the
// primary copy: rules of some copies may not apply, or say the same.
func (p *Plan) distinct(c Copy) (w Window, other bool) {
	if !p.Differs(c) {
		return w, false
	}
	w = p.Window(c)
	same := p.Window(Primary)
	same.Copy = c
	return w, w != same
}

// byName are the copies beside the primary one, in the order of keys.
var byName = [...]Copy{Backup, Cache, Derived, Log, Media, Replica}

func (p *Plan) appendCopies(o *object) {
	var in object
	for _, copy := range byName {
		w, other := p.distinct(copy)
		if !other {
			continue
		}
		if in.b == nil {
			o.key("copies")
			in = object{append(o.b, '{'), true}
		}
		in.key(copy.String())
		c := object{append(in.b, '{'), true}
		c.key("breach").bool(w.Breach)
		c.text("ceiling", w.Ceiling)
		c.text("delete", w.Delete)
		c.key("earliest").instant(w.Earliest)
		c.text("floor", w.Floor)
		c.key("latest").instant(w.Latest)
		c.text("method", w.Method.String())
		c.text("status", w.Status.String())
		in.b = append(c.b, '}')
	}
	if in.b != nil {
		o.b = append(in.b, '}')
	}
}

func (s *Step) appendJSON(o *object) {
	o.text("after", s.After)
	o.text("against", s.Against)
	o.text("anchor", string(s.Anchor))
	if s.Kind <= Notice {
		if a := s.appendArithmetic(nil); len(a) > 0 {
			o.text("arithmetic", string(a))
		}
	}
	o.text("because", s.Because)
	o.text("calendar", s.Calendar)
	o.text("category", s.Category)
	if len(s.Copies) > 0 {
		names := make([]string, len(s.Copies))
		for i, c := range s.Copies {
			names[i] = c.String()
		}
		list(o, "copies", names)
	}
	if s.Count != Instant {
		o.text("count", s.Count.String())
	}
	o.text("cutoff", s.Cutoff.String())
	if s.Kind == HoldStep {
		o.text("effect", s.Effect.String())
	}
	o.time("end", s.End)
	o.time("event", s.Event)
	o.time("from", s.From)
	o.text("kind", s.Kind.String())
	o.text("outcome", s.Outcome.String())
	if s.Kind <= Notice {
		o.text("period", s.Period.String())
	}
	o.time("raw", s.Raw)
	o.text("round", s.Round.String())
	o.text("rule", s.Rule)
	o.text("selector", string(s.Selector))
	o.text("source", s.Source)
	o.time("start", s.Start)
	o.text("strength", s.Strength.String())
	if s.Tolled > 0 {
		o.text("tolled", Period{Exact: s.Tolled}.String())
	}
	o.text("zone", s.Zone)
}

// object is a JSON object under construction.
type object struct {
	b     []byte
	empty bool
}

func (o *object) key(k string) *object {
	if !o.empty {
		o.b = append(o.b, ',')
	}
	o.empty = false
	o.b = append(appendString(o.b, k), ':')
	return o
}

// text leaves out an empty value.
func (o *object) text(k, v string) {
	if v != "" {
		o.key(k)
		o.b = appendString(o.b, v)
	}
}

func (o *object) bool(v bool) {
	if v {
		o.b = append(o.b, "true"...)
	} else {
		o.b = append(o.b, "false"...)
	}
}

// time leaves out the zero time.
func (o *object) time(k string, t time.Time) {
	if !t.IsZero() {
		o.key(k).instant(t)
	}
}

func (o *object) instant(t time.Time) {
	if t.IsZero() {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(appendTime(append(o.b, '"'), t), '"')
}

// appendEach writes a list of objects, and nothing for an empty one.
func appendEach[T any](o *object, k string, vs []T, fill func(*object, *T)) {
	if len(vs) == 0 {
		return
	}
	o.key(k)
	for i := range vs {
		if i == 0 {
			o.b = append(o.b, '[')
		} else {
			o.b = append(o.b, ',')
		}
		in := object{append(o.b, '{'), true}
		fill(&in, &vs[i])
		o.b = append(in.b, '}')
	}
	o.b = append(o.b, ']')
}

func list[T ~string](o *object, k string, vs []T) {
	if len(vs) == 0 {
		return
	}
	o.key(k)
	for i, v := range vs {
		if i == 0 {
			o.b = append(o.b, '[')
		} else {
			o.b = append(o.b, ',')
		}
		o.b = appendString(o.b, string(v))
	}
	o.b = append(o.b, ']')
}

func appendTime(b []byte, t time.Time) []byte { return t.AppendFormat(b, time.RFC3339) }

// appendLine keeps what authors wrote on one line.
func appendLine(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			b = append(b, ' ')
		} else {
			b = append(b, s[i])
		}
	}
	return b
}

// appendString writes s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		i++
	}
	return append(b, '"')
}
