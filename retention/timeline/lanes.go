package timeline

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/retention"
)

// A lane is one row of the picture: words, and what is drawn beside them.
type lane struct {
	title string
	lines []string
	bars  []bar
	marks []mark
	faint bool // it decides nothing
}

// A bar runs from one instant to another; a zero one is open.
type bar struct {
	from, to    time.Time
	class, word string
}

// A mark is one instant: a diamond for what happened, a triangle for what is to be
// said, a wall for an end that nothing may cross.
type mark struct {
	at    time.Time
	class string
}

// mostLanes bounds the picture: a record may be under a thousand holds.
const mostLanes = 80

// lanes are the rows of a plan, the answer first.
func lanes(p *retention.Plan) []lane {
	rows := answer(p)
	rows = append(rows, phases(p)...)
	rows = append(rows, events(p)...)
	var out []string
	seen := map[string]bool{}
	for _, kind := range []retention.Kind{retention.Floor, retention.Delete, retention.Ceiling, retention.Notice, retention.HoldStep, retention.ErasureStep} {
		for i := range p.Trail {
			s := &p.Trail[i]
			if s.Kind != kind {
				continue
			}
			if s.Outcome == retention.NotApplicable {
				out = append(out, s.Rule+" – "+reason(s))
				continue
			}
			key := s.Rule + " " + s.Outcome.String() + s.Start.String() + s.End.String()
			if seen[key] {
				continue // another category of the record, with the same answer
			}
			seen[key] = true
			switch kind {
			case retention.HoldStep:
				rows = append(rows, holdLane(s))
			case retention.ErasureStep:
				rows = append(rows, erasureLane(p, s))
			case retention.Notice:
				rows = append(rows, noticeLane(p, s))
			default:
				rows = append(rows, ruleLane(p, s))
			}
		}
	}
	if len(rows) > mostLanes {
		left := len(rows) - mostLanes
		rows = append(rows[:mostLanes:mostLanes], lane{title: "And " + strconv.Itoa(left) + " rows more", lines: []string{"the trail of the plan has them all"}, faint: true})
	}
	if len(out) > 0 {
		slices.Sort(out)
		rows = append(rows, lane{title: "Not applicable", lines: some(slices.Compact(out), mostLanes), faint: true})
	}
	return rows
}

// some are the first lines of a list, and how many more there are.
func some(list []string, most int) []string {
	if more := len(list) - most; more > 0 {
		return append(list[:most:most], "and "+strconv.Itoa(more)+" more")
	}
	return list
}

// reason says why a rule is not about the record.
func reason(s *retention.Step) string {
	switch {
	case s.Against != "":
		return s.Because + ": " + s.Against
	case s.Kind == retention.HoldStep || s.Kind == retention.ErasureStep:
		return s.Because
	}
	return "its condition does not hold: " + s.Because
}

// answer is what all rules say together, one lane for all copies with one answer.
func answer(p *retention.Plan) []lane {
	var rows []lane
	var names [][]string
	for c := retention.Primary; c <= retention.Media; c++ {
		l := window(p, p.Window(c))
		same := func(m lane) bool { return slices.Equal(l.lines, m.lines) && slices.Equal(l.bars, m.bars) }
		n := slices.IndexFunc(rows, same)
		if n < 0 {
			n, rows, names = len(rows), append(rows, l), append(names, nil)
		}
		names[n] = append(names[n], c.String())
	}
	for i := range rows {
		switch {
		case len(rows) == 1:
			rows[i].title = "All rules together"
		case len(names[i]) == 1:
			rows[i].title = "Copy: " + names[i][0]
		default:
			rows[i].title = "Copies: " + strings.Join(names[i], ", ")
		}
	}
	return rows
}

func window(p *retention.Plan, w retention.Window) lane {
	l := lane{}
	say := func(from, to time.Time, class, word, line string) {
		l.bars = append(l.bars, bar{from, to, class, word})
		l.lines = append(l.lines, line)
	}
	may, mayLine := "may go", "may be deleted"
	if w.Delete != "" {
		may, mayLine = "should go", "should be deleted"
	}
	var none time.Time
	e, c := w.Earliest, w.Latest
	switch {
	case w.Status == retention.NoRule:
		return lane{lines: []string{"no rule is known: no period is stated"}}
	case e.IsZero():
		why := "kept: no end is known"
		switch {
		case w.Status == retention.Held:
			why = "kept until " + p.Hold + " is released"
		case len(p.Missing) > 0:
			why = "kept: waits for " + anchors(p.Missing)
		}
		say(none, none, "keep", "keep", why)
		if !c.IsZero() {
			l.marks = append(l.marks, mark{c, "wall"})
			l.lines = append(l.lines, "to be gone by "+when(c))
		}
	case c.IsZero():
		if kept(p, &w) {
			say(none, e, "keep", "keep", "keep until "+when(e))
		}
		say(e, none, "may", may, mayLine+" from "+when(e)+" on")
		l.lines = append(l.lines, "no ceiling is known")
	case !c.Before(e):
		if kept(p, &w) {
			say(none, e, "keep", "keep", "keep until "+when(e))
		}
		if e.Before(c) {
			say(e, c, "may", may, mayLine+" from "+when(e))
		}
		say(c, none, "gone", "must be gone", "must be gone by "+when(c))
	default: // a floor or a hold beyond the ceiling
		say(none, c, "keep", "keep", "should be gone by "+when(c))
		say(c, e, "late", "kept beyond the ceiling", "and is kept until "+when(e))
		say(e, none, "gone", "must be gone", "must be gone from then on")
	}
	if w.Method != 0 {
		l.lines = append(l.lines, "media: at least "+w.Method.String())
	}
	return l
}

// kept reports whether anything keeps the data before the earliest deletion.
func kept(p *retention.Plan, w *retention.Window) bool {
	return w.Floor != "" || w.Delete != "" || p.Hold != ""
}

// phases are grouped by the rule whose period divides them. Those that overlap, as
// phases of several categories may, get lanes of their own.
func phases(p *retention.Plan) []lane {
	var rows []lane
	for i := range p.Phases {
		ph := &p.Phases[i]
		title := "Phases by " + ph.Rule
		n := slices.IndexFunc(rows, func(l lane) bool {
			last := l.bars[len(l.bars)-1]
			return l.title == title && !last.to.IsZero() && !ph.Start.Before(last.to)
		})
		if n < 0 {
			n, rows = len(rows), append(rows, lane{title: title})
		}
		l := &rows[n]
		class := "phase"
		if len(l.bars)%2 == 1 {
			class = "phase other"
		}
		l.bars = append(l.bars, bar{ph.Start, ph.End, class, ph.Name})
		allowed := "nothing allowed"
		if slices.Contains(ph.Allow, "*") {
			allowed = "anything allowed"
		} else if len(ph.Allow) > 0 {
			allowed = strings.Join(ph.Allow, ", ") + " allowed"
		}
		l.lines = append(l.lines, ph.Name+" "+between(ph.Start, ph.End)+": "+allowed)
	}
	return rows
}

func between(from, to time.Time) string {
	switch {
	case from.IsZero() && to.IsZero():
		return "always"
	case from.IsZero():
		return "until " + when(to)
	case to.IsZero():
		return "from " + when(from)
	}
	return "from " + when(from) + " until " + when(to)
}

// events are what happened, or is to, by the rules that look at it.
func events(p *retention.Plan) []lane {
	var rows []lane
	seen := map[string]bool{}
	for i := range p.Trail {
		s := &p.Trail[i]
		if s.Anchor == "" || s.Outcome == retention.NotApplicable {
			continue
		}
		at := s.Event
		if at.IsZero() {
			at = s.Start
		}
		l := lane{title: "Event: " + string(s.Anchor)}
		switch {
		case at.IsZero():
			l.lines = []string{"has not happened yet"}
		case s.Outcome == retention.Withdrawn:
			l.lines = []string{"was taken back on " + when(at)}
			l.marks = []mark{{at, "event withdrawn"}}
		default:
			l.lines = []string{when(at)}
			if at.After(p.Now) {
				l.lines[0] += ", lies ahead"
			}
			l.marks = []mark{{at, "event"}}
		}
		if key := l.title + l.lines[0]; !seen[key] {
			seen[key] = true
			rows = append(rows, l)
		}
	}
	return rows
}

var kinds = map[retention.Kind]string{
	retention.Floor: "Keep at least", retention.Delete: "Wish to delete", retention.Ceiling: "Gone by", retention.Notice: "Tell people",
}

// ruleLane is what one rule says for itself.
func ruleLane(p *retention.Plan, s *retention.Step) lane {
	l := lane{title: kinds[s.Kind] + ": " + s.Rule, faint: s.Outcome != retention.Won}
	class := s.Kind.String()
	if l.faint {
		class += " faint"
	}
	if !s.End.IsZero() {
		l.bars = []bar{{s.Start, s.End, class, ""}}
		l.marks = []mark{{s.End, "end " + class}}
		l.lines = append(l.lines, between(s.Start, s.End))
	}
	return describe(p, l, s)
}

// describe adds how the period comes about and what became of it.
func describe(p *retention.Plan, l lane, s *retention.Step) lane {
	how := words(s.Period)
	if s.Count == retention.CivilDays {
		how += " in civil days"
	}
	if s.After != "" {
		how += " after the end of " + s.After
	} else {
		how += " from " + string(s.Anchor)
	}
	if s.Cutoff != retention.NoCutoff {
		how += ", counted from " + strings.ReplaceAll(s.Cutoff.String(), "_", " ")
		if !s.From.IsZero() {
			how += " (" + when(s.From) + ")"
		}
	}
	if s.Effect == retention.Restart && !s.Event.IsZero() {
		how += ", started again by a hold"
	}
	if s.Tolled > 0 {
		how += ", and " + stretch(s.Tolled) + " for which holds stopped the clock"
	}
	if !s.Raw.IsZero() {
		if s.Round != retention.NoRounding {
			how += ", rounded to the " + s.Round.String()
		}
		if s.Calendar != "" {
			how += ", moved to a working day of " + s.Calendar
		}
	}
	if s.Zone != "" && s.Zone != "UTC" {
		how += ", in " + s.Zone
	}
	l.lines = append(l.lines, how)
	who := s.Strength.String()
	if s.Source != "" {
		who += ", source " + s.Source
	}
	if s.Category != "" && s.Selector != "" && s.Category != string(s.Selector) {
		who += ", for " + string(s.Selector)
	}
	l.lines = append(l.lines, who)
	if len(s.Copies) > 0 {
		names := make([]string, len(s.Copies))
		for i, c := range s.Copies {
			names[i] = c.String()
		}
		l.lines = append(l.lines, "for copies: "+strings.Join(names, ", "))
	}
	switch s.Outcome {
	case retention.Won:
		decider := map[retention.Kind]string{retention.Floor: p.Floor, retention.Delete: p.Delete, retention.Ceiling: p.Ceiling}[s.Kind]
		switch {
		case decider == s.Rule:
			l.lines = append(l.lines, "this rule decides")
		case p.Category == "" && s.Category != "":
			// It has won for one category of several only.
			l.lines = append(l.lines, "counts for "+s.Category)
		}
	case retention.Lost:
		l.lines = append(l.lines, "gives way to "+s.Against+": "+s.Because)
	case retention.Replaced:
		l.lines = append(l.lines, "replaced by "+s.Against+": "+s.Because)
	case retention.NoEvent:
		l.lines = append(l.lines, "no end yet: the event has not happened")
	case retention.Withdrawn:
		l.lines = append(l.lines, "no end: the event was taken back")
	}
	return l
}

// mostDates is how many dates of one rule are written out.
const mostDates = 12

func noticeLane(p *retention.Plan, s *retention.Step) lane {
	l := lane{title: kinds[retention.Notice] + ": " + s.Rule}
	var dates []string
	for i := range p.Notices {
		n := &p.Notices[i]
		if n.Rule != s.Rule {
			continue
		}
		class := "notice"
		if !n.Due.After(p.Now) {
			class = "notice past"
		}
		if l.marks = append(l.marks, mark{n.Due, class}); len(l.marks) == 1 {
			head := ""
			if n.Purpose != "" {
				head = "about " + n.Purpose
			}
			if len(n.Channels) > 0 {
				head = strings.TrimSpace(head + " by " + strings.Join(n.Channels, ", "))
			}
			if head != "" {
				l.lines = append(l.lines, head)
			}
		}
		if len(dates) < mostDates {
			dates = append(dates, when(n.Due))
		}
	}
	if more := len(l.marks) - len(dates); more > 0 {
		dates = append(dates, "and "+strconv.Itoa(more)+" more until "+when(l.marks[len(l.marks)-1].at))
	}
	l.lines = append(l.lines, strings.Join(dates, " · "))
	if !s.End.IsZero() {
		l.bars = []bar{{s.Start, s.End, "thin", ""}}
	}
	return describe(p, l, s)
}

func holdLane(s *retention.Step) lane {
	l := lane{title: "Hold: " + s.Rule, bars: []bar{{s.Start, s.End, "hold", ""}}}
	effect := map[retention.Effect]string{
		retention.Suspend: "periods run on, deletion waits for the release",
		retention.Restart: "keeping starts again at the release",
		retention.Toll:    "the clock stands still meanwhile",
	}[s.Effect]
	until := "open: not released"
	if !s.End.IsZero() {
		until = "until " + when(s.End)
	}
	l.lines = []string{"from " + when(s.Start) + ", " + until, effect}
	if s.Source != "" {
		l.lines = append(l.lines, "ordered by "+s.Source)
	}
	if s.Because != "" {
		l.lines = append(l.lines, s.Because)
	}
	return l
}

func erasureLane(p *retention.Plan, s *retention.Step) lane {
	l := lane{title: "Request for erasure: " + s.Rule, marks: []mark{{s.Start, "erasure"}}, lines: []string{when(s.Start)}}
	if s.Source != "" {
		l.lines[0] += ", recorded in " + s.Source
	}
	var against []string
	for i := range p.Exemptions {
		x := &p.Exemptions[i]
		if x.Until.IsZero() {
			against = append(against, "not erasable yet, because of "+x.Rule)
		} else {
			against = append(against, "erasable from "+when(x.Until)+", because of "+x.Rule)
		}
	}
	l.lines = append(l.lines, some(against, mostDates)...)
	return l
}

func anchors(list []retention.Anchor) string {
	var b strings.Builder
	for i, a := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(a))
	}
	return b.String()
}

// headline is the status in words, with the class of its colour.
func headline(p *retention.Plan) (text, class string) {
	switch p.Status {
	case retention.Deletable:
		return "May be deleted, since " + when(p.Earliest), "may"
	case retention.Due:
		return "Should be deleted, since " + when(p.Earliest), "may"
	case retention.Overdue:
		text = "Must be gone, since " + when(p.Latest)
		if !p.Breach {
			text += " (a habit: worth a warning, no breach)"
		}
		return text, "gone"
	case retention.PendingEvent:
		return "Keep: waits for " + anchors(p.Missing), "keep"
	case retention.NoRule:
		return "No rule is known", "none"
	case retention.Conflict:
		floor := p.Floor
		for i := range p.Trail {
			if s := &p.Trail[i]; s.Rule == p.Floor && s.Kind == retention.Floor {
				floor += " (" + s.Strength.String() + ")"
				break
			}
		}
		text = "Conflict, kept: the floor " + floor + " ends after the ceiling " + p.Ceiling + " (" + p.Strength.String() + ")"
		if !p.Decided {
			text += "; the rules must be corrected"
		}
		return text, "gone"
	case retention.Held:
		return "Held by " + p.Hold + ": not to be deleted", "hold"
	}
	if p.Earliest.IsZero() {
		return "Keep: no end is known", "keep"
	}
	return "Keep until " + when(p.Earliest), "keep"
}

// facts are the three dates that everybody asks for.
func facts(p *retention.Plan) [][2]string {
	from := "not determined"
	switch {
	case !p.Earliest.IsZero():
		from = when(p.Earliest)
	case p.Status == retention.Held:
		from = "when " + p.Hold + " is released"
	case len(p.Missing) > 0:
		from = "waits for " + anchors(p.Missing)
	}
	by := "no ceiling is known"
	if !p.Latest.IsZero() {
		by = when(p.Latest) + " (" + p.Strength.String() + ")"
		if p.OverdueBecauseHeld {
			by += ", late because held"
		}
	}
	return [][2]string{{"May be deleted from", from}, {"Must be gone by", by}, {"Asked at", when(p.Now)}}
}
