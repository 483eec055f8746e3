package retention

import (
	"time"
	"unicode/utf8"
)

// trail appends a step for each rule whose selectors match.
func (rs *Rules) trail(steps []Step, states []state, lead []int32, win [4]int, yields bool, in *Input) []Step {
	for i := range states {
		s := &states[i]
		r := &rs.rules[s.rule]
		step := Step{
			Category: in.Category, Rule: r.ID, Source: r.Source, Kind: r.Kind, Strength: r.Strength, Selector: r.Category,
			Anchor: r.Anchor, After: r.After, Period: r.Period, Zone: r.Zone, Outcome: s.outcome,
		}
		if s.outcome == Replaced || s.outcome == Won {
			w := win[r.Kind] - 1
			switch {
			case s.outcome == Replaced:
				leader := states[lead[r.topic]].rule
				step.Against, step.Because = rs.rules[leader].ID, rs.less(s.rule, leader)
			case w != i:
				step.Outcome, step.Against = Lost, rs.rules[states[w].rule].ID
				step.Because = rs.behind(s, &states[w])
			case r.Kind == Delete && yields:
				step.Outcome, step.Against = Lost, rs.rules[states[win[Ceiling]-1].rule].ID
				step.Because = "a wish that ends after the ceiling"
			}
		}
		if s.is == known {
			step.Start, step.End = time.Unix(s.start, 0).UTC(), time.Unix(s.end, 0).UTC()
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
	return "weaker: " + x.Strength.String() + " < " + y.Strength.String()
}

// behind says in words why s, whose end is known, lost to w of the same kind.
func (rs *Rules) behind(s, w *state) string {
	switch {
	case rs.rules[s.rule].Kind == Delete && rs.compare(s.rule, w.rule) < 0:
		return rs.less(s.rule, w.rule)
	case w.is != known:
		return "the other has no end yet"
	case s.end < w.end:
		return "ends earlier"
	case s.end > w.end:
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
	default:
		b = appendTime(append(b, ' '), s.Start)
	}
	b = s.Period.append(append(b, " + "...))
	if s.Zone != "" && s.Zone != "UTC" && (s.Period.months() != 0 || s.Period.days() != 0) {
		b = append(append(b, " in "...), s.Zone...)
	}
	if !s.End.IsZero() {
		b = appendTime(append(b, " = "...), s.End)
	}
	return b
}

// AppendJSON appends the plan as one JSON object, the same bytes for the same
// plan: keys sorted, no spaces, instants as RFC 3339 in UTC. breach, earliest,
// latest, status and strength are always there (null = none); category, ceiling,
// decided, delete, floor, missing, no_rule and trail where they say something. A
// step has kind, outcome, period, rule and strength, and the rest of [Step] where
// it says something; arithmetic is its sum in words.
func (p *Plan) AppendJSON(dst []byte) []byte {
	o := object{append(dst, '{'), true}
	o.key("breach").bool(p.Breach)
	o.text("category", p.Category)
	o.text("ceiling", p.Ceiling)
	if p.Status == Conflict {
		o.key("decided").bool(p.Decided)
	}
	o.text("delete", p.Delete)
	o.key("earliest").instant(p.Earliest)
	o.text("floor", p.Floor)
	o.key("latest").instant(p.Latest)
	list(&o, "missing", p.Missing)
	list(&o, "no_rule", p.NoRule)
	o.key("status")
	o.b = appendString(o.b, p.Status.String())
	o.key("strength")
	if s := p.Strength.String(); s != "" {
		o.b = appendString(o.b, s)
	} else {
		o.b = append(o.b, "null"...)
	}
	if len(p.Trail) > 0 {
		o.key("trail")
		for i := range p.Trail {
			if i == 0 {
				o.b = append(o.b, '[')
			} else {
				o.b = append(o.b, ',')
			}
			o.b = p.Trail[i].appendJSON(o.b)
		}
		o.b = append(o.b, ']')
	}
	return append(o.b, '}')
}

func (s *Step) appendJSON(dst []byte) []byte {
	o := object{append(dst, '{'), true}
	o.text("after", s.After)
	o.text("against", s.Against)
	o.text("anchor", string(s.Anchor))
	if a := s.appendArithmetic(nil); len(a) > 0 {
		o.text("arithmetic", string(a))
	}
	o.text("because", s.Because)
	o.text("category", s.Category)
	if !s.End.IsZero() {
		o.key("end").instant(s.End)
	}
	o.text("kind", s.Kind.String())
	o.text("outcome", s.Outcome.String())
	o.text("period", s.Period.String())
	o.text("rule", s.Rule)
	o.text("selector", string(s.Selector))
	o.text("source", s.Source)
	if !s.Start.IsZero() {
		o.key("start").instant(s.Start)
	}
	o.text("strength", s.Strength.String())
	o.text("zone", s.Zone)
	return append(o.b, '}')
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

func (o *object) instant(t time.Time) {
	if t.IsZero() {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(appendTime(append(o.b, '"'), t), '"')
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
