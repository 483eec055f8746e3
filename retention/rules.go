package retention

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of what New takes.
const (
	maxRules  = 1000
	maxID     = 128  // bytes of an id, topic, anchor, category, class, region or purpose
	maxSource = 256  // bytes
	maxWhen   = 4096 // bytes of a condition's text
	maxValues = 256  // classes, regions or purposes of one rule; notices, channels or operations
	maxHolds  = 1000 // of one input
)

// Rules are rules that were checked together. They are immutable and safe for
// concurrent use. A nil *Rules has no rules: every plan of it is [NoRule].
type Rules struct {
	rules   []rule // a chained rule stands after the one that it follows
	topics  int
	classes []uint8 // sets of copies that the same rules bind; Primary is in the first
	grace   Period
}

type rule struct {
	Rule
	loc     *time.Location
	topic   int   // from 0; -1 = none
	parent  int   // index of the rule that it follows; -1 = none
	weight  uint8 // strength, in the order of what replaces what
	binds   uint8 // set of copies
	classes uint8 // set of classes
	extra   bool  // it brings phases or notices
}

// An Option changes what [New] makes. The last one of a kind counts.
type Option interface{ apply(*config) }

type config struct{ grace Period }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithHoldGrace sets how long after the release of a hold a ceiling that passed
// meanwhile has to be met, in calendar units of UTC. Without it that is P30D; both
// the rule and the number are ours and come from no source.
func WithHoldGrace(p Period) Option { return optionFunc(func(c *config) { c.grace = p }) }

// New checks rules and makes them ready. It copies what it keeps. At most 1000
// rules are taken, and none at all is fine. The error is a *[ConfigError] that
// lists every problem, among them
//
//   - ids used twice, fields that are missing or cannot be used,
//   - a zone that is not known on this machine, or the machine's own: zones other
//     than UTC and fixed offsets need the time zone database (a program may link it
//     with the package time/tzdata),
//   - After that names no rule, or rules that follow each other in a circle,
//   - a floor that is longer than a ceiling from the same event, whatever the
//     event, unless the floor is stronger or another rule always replaces one of
//     them,
//   - a notice whose schedule has too few dates inside of its period.
//
// [Validate] finds more that is worth a look.
func New(rules []Rule, options ...Option) (*Rules, error) {
	c, topics, grace := examine(rules, options)
	if len(c.problems) > 0 {
		return nil, &ConfigError{c.inOrder()}
	}
	rs := &Rules{rules: inOrder(c.rules), topics: topics, grace: grace}
	rs.classify()
	return rs, nil
}

// classify puts copies that the same rules bind into one class.
func (rs *Rules) classify() {
	for c := range Copy(numCopies) {
		for k := 0; ; k++ {
			if k == len(rs.classes) {
				rs.classes = append(rs.classes, 0)
			} else if first := rs.classes[k] & -rs.classes[k]; slices.ContainsFunc(rs.rules, func(r rule) bool { return (r.binds&first != 0) != (r.binds&(1<<c) != 0) }) {
				continue
			}
			rs.classes[k] |= 1 << c
			break
		}
	}
	for i := range rs.rules {
		for k, set := range rs.classes {
			if rs.rules[i].binds&set != 0 {
				rs.rules[i].classes |= 1 << k
			}
		}
	}
}

func examine(rules []Rule, options []Option) (*checker, int, Period) {
	cf := config{Period{Days: 30}}
	for _, o := range options {
		if o != nil {
			o.apply(&cf)
		}
	}
	if len(rules) > maxRules {
		return &checker{problems: []Problem{{-1, "", "", "more than 1000 rules", "merge rules that differ only in class, region or purpose", false}}}, 0, cf.grace
	}
	c := &checker{rules: make([]rule, len(rules)), broken: make([]bool, len(rules)), ids: make(map[string]int, len(rules))}
	for i := range rules {
		c.rules[i] = rule{Rule: rules[i], topic: -1, parent: -1, weight: rules[i].Strength.rank() << 1}
		if validKey(rules[i].ID, true) {
			if _, ok := c.ids[rules[i].ID]; !ok {
				c.ids[rules[i].ID] = i
			}
		}
	}
	if cf.grace.check() != nil {
		c.problems = append(c.problems, Problem{-1, "", "", "the grace after a hold is not a period", "use parts of zero or more, at most 1000 years", false})
	}
	topics := make(map[string]int)
	zones := make(map[string]*time.Location)
	for i := range c.rules {
		r := &c.rules[i]
		c.fields(i)
		c.zone(i, zones)
		if r.Topic != "" {
			if _, ok := topics[r.Topic]; !ok {
				topics[r.Topic] = len(topics)
			}
			r.topic = topics[r.Topic]
		}
		r.Class, r.Region, r.Purpose = slices.Clone(r.Class), slices.Clone(r.Region), slices.Clone(r.Purpose)
		c.terms(i)
	}
	c.circles()
	c.contradictions()
	return c, len(topics), cf.grace
}

type checker struct {
	rules    []rule
	broken   []bool // rules with a problem: not compared with others
	ids      map[string]int
	problems []Problem
}

func (c *checker) add(i int, field, problem, mend string) {
	id := c.rules[i].ID
	if !validKey(id, true) {
		id = ""
	}
	c.problems = append(c.problems, Problem{i, id, field, problem, mend, false})
	c.broken[i] = true
}

const keyMend = "use 1 to 128 letters, digits, '_', '-' and '.'"

func (c *checker) fields(i int) {
	r := &c.rules[i]
	switch {
	case r.ID == "":
		c.add(i, "id", "missing", "give every rule an id of its own")
	case !validKey(r.ID, true):
		c.add(i, "id", "not a key", "use 1 to 128 letters, digits, '_', '-', '.', '/' and ':'")
	case c.ids[r.ID] != i:
		c.add(i, "id", "used by an earlier rule", "give every rule an id of its own")
	}
	if len(r.Source) > maxSource {
		c.add(i, "source", "more than 256 bytes", "shorten it")
	}
	if r.Topic != "" && !validKey(r.Topic, true) {
		c.add(i, "topic", "not a key", "use 1 to 128 letters, digits, '_', '-', '.', '/' and ':'")
	}
	if r.Kind < Floor || r.Kind > Notice {
		c.add(i, "kind", "missing or unknown", "use floor, delete, ceiling or notice")
	}
	if r.Strength.String() == "" {
		c.add(i, "strength", "missing or unknown", "use typical, default, statement, organisation, agreement, instruction or law")
	}
	if s := string(r.Category); s != "" && (!validKey(s, false) || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..")) {
		c.add(i, "category", "not a category", "use names joined by single dots, as user.contact, or leave it empty for any")
	}
	switch {
	case len(r.When.Text) > maxWhen:
		c.add(i, "when", "more than 4096 bytes", "shorten it")
	case r.When.Func == nil && r.When.Text != "":
		c.add(i, "when", "a text without a function", "set both or neither")
	case r.When.Func != nil && r.When.Text == "":
		c.add(i, "when", "a function without a text", "set both or neither: the trail quotes the text")
	}
	for _, l := range []struct {
		field  string
		values []string
	}{{"class", r.Class}, {"region", r.Region}, {"purpose", r.Purpose}} {
		if len(l.values) > maxValues {
			c.add(i, l.field, "more than 256 values", "leave it empty for any, or split the rule")
		} else if slices.ContainsFunc(l.values, func(v string) bool { return v == "" || len(v) > maxID }) {
			c.add(i, l.field, "an empty value or one of more than 128 bytes", "name the value, or leave the list empty for any")
		}
	}
	switch {
	case r.After != "" && r.Anchor != "":
		c.add(i, "anchor", "set together with after", "keep one: a chained rule starts where the other ends")
	case r.After != "":
		p, ok := c.ids[r.After]
		if !ok {
			c.add(i, "after", "names no rule", "name the id of a rule in this list")
		} else {
			r.parent = p
		}
	case r.Anchor == "":
		c.add(i, "anchor", "missing", "name the event from which the period runs")
	case !validKey(string(r.Anchor), false):
		c.add(i, "anchor", "not a key", keyMend)
	}
	if err := r.Period.check(); err != nil {
		var pe *PeriodError
		errors.As(err, &pe)
		c.add(i, "period", pe.Problem, pe.Mend)
	}
	if r.MonthEnd > NextDay {
		c.add(i, "month_end", "unknown", "use clamp or next_day")
	}
}

func (c *checker) zone(i int, known map[string]*time.Location) {
	r := &c.rules[i]
	if loc, ok := known[r.Zone]; ok && loc != nil {
		r.loc = loc
		return
	}
	switch z := r.Zone; {
	case z == "" || z == "UTC":
		r.loc = time.UTC
	// "localtime" is a link to the machine's zone in many databases, "posixrules"
	// is whatever the machine's builder chose, and "right/" counts leap seconds.
	case strings.EqualFold(z, "local") || strings.EqualFold(z, "localtime"):
		c.add(i, "zone", "the machine's local zone", "name a zone: UTC, Europe/Berlin or +02:00")
	case len(z) > 64 || strings.IndexFunc(z, func(r rune) bool { return !keyRune(r) && r != '/' && r != '+' && r != ':' }) >= 0,
		strings.HasPrefix(z, "right/") || strings.HasPrefix(z, "posix/") || z == "posixrules":
		c.add(i, "zone", "not a zone", "name one of the IANA database, as Europe/Berlin, or UTC, or an offset as +02:00")
	default:
		if z[0] == '+' || z[0] == '-' {
			r.loc = fixed(z)
		} else if loc, err := time.LoadLocation(z); err == nil {
			r.loc = loc
		}
		if r.loc == nil {
			c.add(i, "zone", "not known here", "check the name; without a time zone database only UTC and offsets as +02:00 work")
		}
	}
	known[r.Zone] = r.loc
}

// fixed reads an offset as +02:00, at most 14 hours; nil if it is none.
func fixed(z string) *time.Location {
	if len(z) != 6 || z[3] != ':' {
		return nil
	}
	n := func(i int) int {
		if z[i] < '0' || z[i] > '9' {
			return 1000
		}
		return int(z[i] - '0')
	}
	h, m := n(1)*10+n(2), n(4)*10+n(5)
	if m > 59 || h*60+m > 14*60 {
		return nil
	}
	sec := (h*60 + m) * 60
	if z[0] == '-' {
		sec = -sec
	}
	return time.FixedZone(z, sec)
}

// circles reports every rule that follows itself.
func (c *checker) circles() {
	for i := range c.rules {
		p := c.rules[i].parent
		for n := 0; p >= 0 && p != i && n < len(c.rules); n++ {
			p = c.rules[p].parent
		}
		if p == i {
			c.add(i, "after", "follows itself in a circle", "let the first rule of the chain run from an anchor")
		}
	}
}

// chain lists a rule and those that it follows, up to the one with an anchor. It
// is nil if one of them has a problem.
func (c *checker) chain(i int) []*rule {
	var rs []*rule
	for ; i >= 0; i = c.rules[i].parent {
		if c.broken[i] {
			return nil
		}
		rs = append(rs, &c.rules[i])
	}
	return rs
}

// contradictions finds pairs of a floor and a ceiling that end in the wrong
// order whatever the event, where no strength says which of them is right.
func (c *checker) contradictions() {
	chains := make([][]*rule, len(c.rules))
	for i := range c.rules {
		chains[i] = c.chain(i)
	}
	for i := range c.rules {
		f := &c.rules[i]
		if f.Kind != Floor || chains[i] == nil {
			continue
		}
		for j := range c.rules {
			l := &c.rules[j]
			if l.Kind != Ceiling || chains[j] == nil || f.weight > l.weight || f.binds&l.binds == 0 ||
				!alwaysLonger(chains[i], chains[j]) || !meet(chains[i], chains[j]) || c.replaced(f, l) || c.replaced(l, f) {
				continue
			}
			c.problems = append(c.problems, Problem{i, f.ID, "period",
				"this floor always ends after the ceiling of rule " + l.ID + ", and is not stronger",
				"shorten the floor, lengthen the ceiling, or put both into one topic so that one replaces the other", false})
		}
	}
}

// terms checks how ends are counted, and what is bound to them.
func (c *checker) terms(i int) {
	r := &c.rules[i]
	if r.Fixed {
		r.weight++
		if r.Strength != Agreement {
			c.add(i, "fixed", "set for a rule that is no agreement", "leave it out, or give the rule the strength agreement")
		}
	}
	switch {
	case r.Count > CivilDays:
		c.add(i, "count", "unknown", "use instant or civil_days")
	case r.Count == CivilDays && r.Period.exact() != 0:
		c.add(i, "count", "civil days of a period with hours", "count from the instant, or use whole days")
	}
	if !r.Cutoff.valid() {
		c.add(i, "cutoff", "unknown, or a date that does not exist", "use end_of_month, end_of_quarter, end_of_year, or a fiscal year's last day")
	}
	if r.Round > ToMonth {
		c.add(i, "round", "unknown", "use hour, day or month")
	}
	switch {
	case r.Roll == nil:
	case r.Kind == Ceiling || r.Kind == Delete:
		c.add(i, "roll", "working days for a ceiling or a wish", "leave it out: only floors and notices move to a later day")
	case r.Count != CivilDays:
		c.add(i, "roll", "working days without civil days", "set count to civil_days: working days move a last day, not an instant")
	case !validKey(r.Roll.Name(), false):
		c.add(i, "roll", "a calendar whose name is not a key", keyMend)
	}
	for _, copy := range r.Copies {
		if copy >= numCopies {
			c.add(i, "copies", "unknown", "use primary, cache, replica, backup, log, derived and media")
			break
		}
		r.binds |= 1 << copy
	}
	if len(r.Copies) == 0 {
		r.binds = 1<<numCopies - 1
	}
	if len(r.Copies) > 0 {
		r.Copies = nil
		for c := range Copy(numCopies) {
			if r.binds&(1<<c) != 0 {
				r.Copies = append(r.Copies, c)
			}
		}
	}
	switch {
	case r.Method > Destroy:
		c.add(i, "method", "unknown", "use clear, purge or destroy")
	case r.Method != 0 && r.binds&(1<<Media) == 0:
		c.add(i, "method", "for copies that are no media", "add media to the copies, or leave the method out")
	}
	for _, s := range []*Stage{&r.Stages.Before, &r.Stages.During, &r.Stages.After} {
		switch {
		case s.Name == "" && len(s.Allow) > 0:
			c.add(i, "stages", "operations of a stage without a name", "name the stage")
		case s.Name != "" && !validKey(s.Name, false):
			c.add(i, "stages", "a name that is not a key", keyMend)
		case len(s.Allow) > maxValues || slices.ContainsFunc(s.Allow, func(op string) bool { return op != "*" && !validKey(op, false) }):
			c.add(i, "stages", "an operation that is not a key, or more than 256", keyMend+", or \"*\" for any")
		}
		s.Allow = slices.Clone(s.Allow)
	}
	r.extra = r.Kind == Notice || r.Stages.Before.Name != "" || r.Stages.During.Name != "" || r.Stages.After.Name != ""
	c.schedule(i)
}

func (c *checker) schedule(i int) {
	r := &c.rules[i]
	sch := &r.Schedule
	if r.Kind != Notice {
		if len(sch.Offsets)+len(sch.Channels)+sch.AtLeast > 0 || sch.Purpose != "" {
			c.add(i, "schedule", "a schedule of a rule that is no notice", "use the kind notice, or leave the schedule out")
		}
		return
	}
	if r.Round != NoRounding {
		c.add(i, "round", "rounding of a notice", "leave it out: a notice is due at an instant")
	}
	inside := 0
	sch.Offsets = slices.Clone(sch.Offsets)
	sch.Channels = slices.Clone(sch.Channels)
	for n, p := range sch.Offsets {
		if err := p.check(); err != nil {
			c.add(i, "schedule", "an offset that is not a period", "use parts of zero or more, at most 1000 years")
			return
		}
		if r.Count == CivilDays && p.exact() != 0 {
			c.add(i, "schedule", "civil days of an offset with hours", "count from the instant, or use whole days")
			return
		}
		if !slices.Contains(sch.Offsets[:n], p) && shorter(p, r.Period) {
			inside++
		}
	}
	switch {
	case len(sch.Offsets) > maxValues || len(sch.Channels) > maxValues:
		c.add(i, "schedule", "more than 256 offsets or channels", "leave some out")
	case sch.AtLeast < 0:
		c.add(i, "schedule", "a negative count", "say how many notices there must be at least")
	case inside < max(sch.AtLeast, 1):
		c.add(i, "schedule", "too few notices inside the period: "+strconv.Itoa(inside)+" of "+strconv.Itoa(max(sch.AtLeast, 1)), "add offsets that are shorter than the period; equal ones count once")
	case sch.Purpose != "" && !validKey(sch.Purpose, false), slices.ContainsFunc(sch.Channels, func(v string) bool { return !validKey(v, false) }):
		c.add(i, "schedule", "a purpose or channel that is not a key", keyMend)
	}
}

// shorter reports whether p ends before q whatever the start.
func shorter(p, q Period) bool {
	if dm, dd, de := q.months()-p.months(), q.days()-p.days(), q.exact()-p.exact(); dm >= 0 && dd >= 0 && de >= 0 {
		return dm+dd+de > 0
	}
	return (q.months()-p.months())*monthSeconds+(q.days()-p.days())*daySeconds+q.exact()-p.exact() > 12*daySeconds
}

// Validate returns what [New] refuses, and besides, as warnings, the rules that
// can never decide anything: those that another rule of their topic always
// replaces, and those that follow a rule about other data. A set that is laid over
// another, as an agreement over a statement, may have such rules on purpose.
func Validate(rules []Rule, options ...Option) []Problem {
	c, _, _ := examine(rules, options)
	for i := range c.rules {
		r := &c.rules[i]
		chain := c.chain(i)
		if chain == nil {
			continue
		}
		if !share(chain) {
			c.problems = append(c.problems, Problem{i, r.ID, "after", "unreachable: the rule that it follows is about other data", "let category, class, region and purpose of both overlap", true})
		} else if c.replaced(r, r) {
			c.problems = append(c.problems, Problem{i, r.ID, "topic", "unreachable: another rule of its topic always replaces it", "remove it, or narrow the other rule", true})
		}
	}
	return c.inOrder()
}

// inOrder sorts the problems by rule.
func (c *checker) inOrder() []Problem {
	ps := c.problems
	for i := range ps {
		for ; i > 0 && ps[i-1].Index > ps[i].Index; i-- {
			ps[i-1], ps[i] = ps[i], ps[i-1]
		}
	}
	return ps
}

// meet reports whether both chains apply to some data: selectors and lists
// overlap pair by pair, and the conditions of one are among those of the other,
// so that wherever the pickier one applies the other does too.
func meet(f, l []*rule) bool {
	if !share(slices.Concat(f, l)) {
		return false
	}
	within := func(a, b []*rule) bool {
		for _, r := range a {
			if r.When.Text != "" && !slices.ContainsFunc(b, func(s *rule) bool { return s.When.Text == r.When.Text }) {
				return false
			}
		}
		return true
	}
	return within(f, l) || within(l, f)
}

// share reports whether every two of rules are about some data together.
func share(rules []*rule) bool {
	for i, a := range rules {
		for _, b := range rules[:i] {
			if !a.Category.Matches(string(b.Category)) && !b.Category.Matches(string(a.Category)) ||
				!overlap(a.Class, b.Class) || !overlap(a.Region, b.Region) || !overlap(a.Purpose, b.Purpose) {
				return false
			}
		}
	}
	return true
}

func overlap(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
}

// replaced reports whether wherever r and other apply together, some rule of
// r's topic applies too and replaces r.
func (c *checker) replaced(r, other *rule) bool {
	if r.topic < 0 {
		return false
	}
	narrow := r.Category
	if len(other.Category) > len(narrow) {
		narrow = other.Category
	}
	covers := func(s, r []string) bool {
		return len(s) == 0 || len(r) > 0 && !slices.ContainsFunc(r, func(v string) bool { return !slices.Contains(s, v) })
	}
	for i := range c.rules {
		s := &c.rules[i]
		if s.topic != r.topic || c.broken[i] || r.binds&other.binds&^s.binds != 0 || s.parent >= 0 && s != other || !s.Category.Matches(string(narrow)) {
			continue
		}
		if s != other && (s.When.Text != "" && s.When.Text != r.When.Text ||
			!covers(s.Class, r.Class) || !covers(s.Region, r.Region) || !covers(s.Purpose, r.Purpose)) {
			continue
		}
		if len(s.Category) > len(r.Category) || len(s.Category) == len(r.Category) && s.weight > r.weight {
			return true
		}
	}
	return false
}

// alwaysLonger reports whether f, a chain, ends after l for every event. Where
// that depends on the event (P3M and P90D) it is false, and a plan tells.
func alwaysLonger(f, l []*rule) bool {
	if f[len(f)-1].Anchor != l[len(l)-1].Anchor {
		return false
	}
	var months, days, exact int64 // f minus l
	var slack int64               // days by which the steps may together miss their mean length
	calendar, same := false, true
	for _, r := range f {
		months, days, exact = months+r.Period.months(), days+r.Period.days(), exact+r.Period.exact()
	}
	for _, r := range l {
		months, days, exact = months-r.Period.months(), days-r.Period.days(), exact-r.Period.exact()
	}
	for _, r := range slices.Concat(f, l) {
		if r.Period.months() != 0 {
			slack += 5 // over all months of the calendar, clamped or not, it is less than 4.4
		}
		if r.Period.months() != 0 || r.Period.days() != 0 {
			calendar = true
			if r.loc != time.UTC {
				slack += 2 // a change of offset, at most by a day and some hours
			}
		}
		same = same && r.loc == f[0].loc && r.MonthEnd == f[0].MonthEnd && r.Cutoff == f[0].Cutoff && r.Count == f[0].Count
		calendar = calendar || r.Cutoff != NoCutoff || r.Count == CivilDays
	}
	// Cut-offs and civil days only ever move an end forward, as rounding and
	// working days do for floors, and rounding moves ceilings back: what counts
	// here is how far the ceiling may move.
	for _, r := range l {
		if r.Cutoff != NoCutoff {
			slack += 368
		}
		if r.Count == CivilDays {
			slack += 3
		}
	}
	// One step each, in one zone: no part shorter and one longer is enough.
	if same && len(f) == 1 && len(l) == 1 && months >= 0 && days >= 0 && exact >= 0 {
		return months > 0 || days > 0 || exact > 0
	}
	if !calendar {
		return exact > 0
	}
	return months*monthSeconds+days*daySeconds+exact > slack*daySeconds
}

// inOrder puts every chained rule after the one that it follows, and otherwise
// leaves rules as they are. There is no circle.
func inOrder(rules []rule) []rule {
	at := make([]int, len(rules)) // where a rule went, from 1
	out := make([]rule, 0, len(rules))
	var put func(i int)
	put = func(i int) {
		if at[i] > 0 {
			return
		}
		r := rules[i]
		if r.parent >= 0 {
			put(r.parent)
			r.parent = at[r.parent] - 1
		}
		out = append(out, r)
		at[i] = len(out)
	}
	for i := range rules {
		put(i)
	}
	return out
}

func keyRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-'
}

// validKey accepts letters, digits, '_', '-', '.', and in ids '/' and ':'. What
// is a key can be named in errors and trails: it holds no address or free text.
func validKey(s string, id bool) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !keyRune(rune(c)) && c != '.' && !(id && (c == '/' || c == ':')) {
			return false
		}
	}
	return true
}
