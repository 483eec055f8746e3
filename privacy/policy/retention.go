package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/retention"
)

// deadlines reads what a document says about retention: rules, calendars and the
// grace after a hold.
func (r *reader) deadlines(doc *source.Map) {
	b := r.b
	r.each(doc.Get("calendars"), "calendar", func(m *source.Map) { b.Calendars = append(b.Calendars, r.calendar(m)) })
	if n := doc.Get("hold_grace"); n.Present() {
		// Of policies that extend each other the last one counts.
		b.HoldGrace = r.period(n, "hold_grace")
	}
	rules := doc.Get("retention")
	if rules.Present() {
		r.places["retention"] = rules
	}
	r.each(rules, "retention rule", func(m *source.Map) {
		r.mark("retention", len(b.Retention), m)
		b.Retention = append(b.Retention, r.retention(m))
	})
}

// markDeletions says where the rules stand that package privacy makes of duties to
// delete, after those of retention.
func (r *reader) markDeletions() {
	next := len(r.b.Retention)
	for i := range r.b.Obligations {
		if r.b.Obligations[i].Do == "delete_within" {
			r.places["retention["+strconv.Itoa(next)+"]"] = r.places["obligations["+strconv.Itoa(i)+"]"]
			next++
		}
	}
}

// pathOf is where a problem that package retention has found stands in a policy.
func pathOf(p *retention.Problem) string {
	if p.Index < 0 {
		return "retention"
	}
	return "retention[" + strconv.Itoa(p.Index) + "]." + p.Field
}

// warnings are what is worth a look although the policy opens.
func (r *reader) warnings(name string, b *privacy.Bundle) []Problem {
	ps := new(source.Problems)
	for _, p := range b.RetentionWarnings() {
		r.at(ps, name, pathOf(&p), p.Problem, p.Mend)
	}
	var e *Error
	if !errors.As(ps.Err(), &e) {
		return nil
	}
	for i := range e.Problems {
		e.Problems[i].Problem = "warning: " + e.Problems[i].Problem
	}
	return e.Problems
}

const maxFree = 20_000 // dates without work in one calendar

var daysOfWeek = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

func (r *reader) calendar(m *source.Map) bundle.Calendar {
	ps := r.ps
	var k bundle.Calendar
	name := m.Need("name")
	k.Name = name.Text(ps, "name").Value
	key := "calendar " + k.Name
	switch first, twice := r.ids[key]; {
	case k.Name == "":
	case len(k.Name) > 128 || strings.Trim(k.Name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") != "":
		name.Problem(ps, "calendar "+strconv.Quote(k.Name)+" is not a valid name", "use letters, digits, dots, dashes and underscores, such as DE-BE")
	case twice:
		name.Problem(ps, "two calendars have the name "+strconv.Quote(k.Name), "rename one of the two; the first is in line "+strconv.Itoa(first.Line))
	default:
		r.ids[key] = name.Pos()
	}
	for _, n := range m.Need("weekend").List(ps, "weekend") {
		if i := slices.Index(daysOfWeek, n.Choice(ps, "weekend", daysOfWeek...)); i >= 0 {
			k.Weekend |= 1 << i
		}
	}
	if k.Weekend == 1<<7-1 {
		m.Problem(ps, "a calendar without a working day", "leave days out of weekend")
	}
	free := m.Get("free")
	items := free.List(ps, "free")
	if len(items) > maxFree {
		free.Problem(ps, "more than "+strconv.Itoa(maxFree)+" days", "list the years that deadlines may end in")
		return k
	}
	for _, n := range items {
		t := n.Text(ps, "free")
		day, err := time.Parse(time.DateOnly, t.Value)
		if err != nil {
			n.Problem(ps, "free must be dates", "write for example 2026-05-01")
			continue
		}
		k.Free = append(k.Free, day.Unix()/86400)
	}
	slices.Sort(k.Free)
	k.Free = slices.Compact(k.Free)
	return k
}

// period reads a period as it is written, and reports one that is none.
func (r *reader) period(n source.Node, what string) string {
	t := n.Text(r.ps, what)
	if t.Value == "" {
		return ""
	}
	if _, err := retention.ParsePeriod(t.Value); err != nil {
		n.Problem(r.ps, "the period "+strconv.Quote(t.Value)+" is not ISO 8601", "write for example P30D, PT48H, P1Y6M; every number needs a unit: Y M W D, and H M S after a T")
	}
	return t.Value
}

// The names that package retention reads; a test holds the two together.
var (
	kinds     = []string{"floor", "delete", "ceiling", "notice"}
	strengths = []string{"typical", "default", "statement", "organisation", "agreement", "instruction", "law"}
	monthEnds = []string{"clamp", "next_day"}
	counts    = []string{"instant", "civil_days"}
	roundings = []string{"hour", "day", "month"}
	copyKinds = []string{"primary", "cache", "replica", "backup", "log", "derived", "media"}
	methods   = []string{"clear", "purge", "destroy"}
)

func (r *reader) retention(m *source.Map) bundle.Retention {
	ps := r.ps
	rule := bundle.Retention{
		Clause:   r.clause(m, "retention rule"),
		Topic:    m.Get("topic").Text(ps, "topic").Value,
		Kind:     m.Need("kind").Choice(ps, "kind", kinds...),
		Strength: m.Need("strength").Choice(ps, "strength", strengths...),
		Category: r.ref(m.Get("category"), "category"),
		After:    m.Get("after").Text(ps, "after").Value,
		Zone:     m.Get("zone").Text(ps, "zone").Value,
		Class:    r.names(m.Get("class"), "class"),
		Region:   r.names(m.Get("region"), ""),
		Purpose:  r.names(m.Get("purpose"), "purpose"),
	}
	rule.MonthEnd = r.choice(m, "month_end", monthEnds)
	if rule.After == "" {
		rule.Anchor = m.Need("anchor").Text(ps, "anchor").Value
	} else if n := m.Get("anchor"); n.Present() {
		n.Problem(ps, "a rule has an anchor or comes after another rule, not both", "leave one of the two out")
	}
	rule.Period = r.period(m.Need("period"), "period")

	rule.Fixed = m.Get("fixed").Bool(ps, "fixed")
	if rule.Count = r.choice(m, "count", counts); rule.Count == counts[0] {
		rule.Count = "" // what a rule without the key has: one spelling in bundles
	}
	rule.Round, rule.Method = r.choice(m, "round", roundings), r.choice(m, "method", methods)
	if n := m.Get("cutoff"); n.Present() {
		rule.Cutoff = n.Text(ps, "cutoff").Value
		if _, err := retention.ParseCutoff(rule.Cutoff); err != nil || rule.Cutoff == "" {
			n.Problem(ps, "cutoff is not one of the known values: "+strconv.Quote(rule.Cutoff),
				"write end_of_month, end_of_quarter, end_of_year, or fiscal_year:09-30 with the last day of that year")
		}
	}
	rule.Roll = r.ref(m.Get("roll"), "calendar")
	copies := m.Get("copies").List(ps, "copies")
	if copies != nil && len(copies) == 0 {
		m.Get("copies").Problem(ps, "copies is empty: the rule would bind nothing", "name the copies, or leave the key out to bind all")
	}
	for _, n := range copies {
		rule.Copies = append(rule.Copies, n.Choice(ps, "copies", copyKinds...))
	}
	if n := m.Get("stages"); n.Present() {
		stages := n.Map(ps, "stages")
		rule.Stages = bundle.Stages{Before: r.stage(stages, "before"), During: r.stage(stages, "during"), After: r.stage(stages, "after")}
		stages.Done()
	}
	if n := m.Get("schedule"); n.Present() {
		rule.Schedule = r.schedule(n)
	}
	return rule
}

func (r *reader) stage(m *source.Map, key string) bundle.Stage {
	n := m.Get(key)
	if !n.Present() {
		return bundle.Stage{}
	}
	s := n.Map(r.ps, "stage")
	defer s.Done()
	return bundle.Stage{Name: s.Need("name").Text(r.ps, "name").Value, Allow: s.Get("allow").Strings(r.ps, "allow")}
}

func (r *reader) schedule(n source.Node) (out bundle.Schedule) {
	m := n.Map(r.ps, "schedule")
	defer m.Done()
	for _, item := range m.Need("offsets").List(r.ps, "offsets") {
		out.Offsets = append(out.Offsets, r.period(item, "offsets"))
	}
	out.AtLeast = uint16(m.Get("at_least").Int(r.ps, "at_least", 1, 256))
	out.Purpose = m.Get("purpose").Text(r.ps, "purpose").Value
	out.Channels = m.Get("channels").Strings(r.ps, "channels")
	return out
}
