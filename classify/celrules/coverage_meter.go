package celrules

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/detect"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	patterns "github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/source"
)

// A Meter measures what the tests of a file see of its conditions: those of its
// rules, the checks of its detectors and its suppressions. It evaluates them beside
// the classifier, which keeps no record, and in full, so it is slow. It serves one
// goroutine at a time.
type Meter struct {
	rules     map[string]*watched
	own       []*watched // in the order of kinds and definition
	detectors []metered

	now     *watched // being evaluated; nil: nobody wants to know
	rule    expr.Frame
	match   expr.Frame
	host    detect.Host
	machine patterns.Machine
	field   classify.Field
	words   []string
	groups  []string
	tags    expr.StrMap
	context expr.StrMap

	// probe answers what conditions ask about detectors: it has a rule for each
	// such question.
	probe *classify.Scanner
}

// A metered is a detector of the file, or one whose findings a suppression of the
// file looks at.
type metered struct {
	id       string
	pattern  *patterns.Pattern
	check    *expr.Program
	watched  *watched // nil if the check is not of this file
	suppress []suppressing
}

// done reports whether its matches can show nothing new.
func (d *metered) done() bool {
	return d.watched.done() && !slices.ContainsFunc(d.suppress, func(s suppressing) bool { return !s.watched.done() })
}

type suppressing struct {
	when    *expr.Program
	watched *watched
}

// NewMeter makes a meter for the conditions that stand in doc. all is the
// classification that the file was compiled to, with what it extends; prefix is
// that of [Rules]. The error says that all is not a usable classification.
func NewMeter(all *bundle.Classification, doc *source.Map, prefix string) (*Meter, error) {
	m := &Meter{rules: map[string]*watched{}}
	m.rule.Vars, m.match.Vars = make([]expr.Value, profile.FieldVars), make([]expr.Value, profile.MatchVars)
	m.host.Find = m.find
	trace := func(node int, v expr.Value, c expr.Code) {
		if m.now != nil {
			m.now.seen(node, v, c)
		}
	}
	for _, f := range []*expr.Frame{&m.rule, &m.match} {
		f.Host, f.Trace = &m.host, trace
	}

	add := func(kind, id string, p *expr.Program, places map[string]source.Text) *watched {
		at, ok := places[id]
		if !ok || p == nil {
			return nil
		}
		w := watch(kind, id, p, at)
		m.own = append(m.own, w)
		return w
	}
	asked := map[string]bool{}
	places := placesIn(doc, "rules", "when", prefix)
	for i := range all.Rules {
		if w := add("rule", all.Rules[i].ID, all.Rules[i].When, places); w != nil {
			m.rules[w.ID] = w
			questions(w.program, asked)
		}
	}
	places = placesIn(doc, "suppress", "when", prefix)
	var suppress []*watched
	for i := range all.Suppress {
		suppress = append(suppress, add("suppress", all.Suppress[i].ID, all.Suppress[i].When, places))
	}
	places = placesIn(doc, "detectors", "check", "")
	defined := placesIn(doc, "detectors", "id", "")
	for i := range all.Detectors {
		d := &all.Detectors[i]
		_, own := defined[d.ID]
		one, wanted := metered{id: d.ID, check: d.Check, watched: add("detector", d.ID, d.Check, places)}, own
		for j := range all.Suppress {
			s := &all.Suppress[j]
			if len(s.Detectors) == 0 || slices.Contains(s.Detectors, d.ID) {
				one.suppress = append(one.suppress, suppressing{s.When, suppress[j]})
				wanted = wanted || suppress[j] != nil
			}
		}
		if !wanted {
			continue
		}
		var err error
		if one.pattern, err = patterns.Compile(d.Pattern, d.CaseSensitive); err != nil {
			return nil, classify.ErrInvalid
		}
		questions(one.check, asked)
		for _, s := range one.suppress {
			questions(s.when, asked)
		}
		m.detectors = append(m.detectors, one)
	}
	return m, m.prepareProbe(all, asked)
}

// placesIn finds where the entries of a list have a key, by full id. Faults were
// reported when the file was compiled.
func placesIn(doc *source.Map, list, key, prefix string) map[string]source.Text {
	ps := new(source.Problems)
	r := reader{prefix: prefix}
	out := map[string]source.Text{}
	for _, n := range doc.Get(list).List(ps, list) {
		entry := n.Map(ps, list)
		if v := entry.Get(key); v.Present() {
			out[r.full(entry.Get("id").Text(ps, "id").Value)] = v.Text(ps, key)
		}
	}
	return out
}

// question is the id of the probe's rule for what an expression asks.
func question(id string, whole bool) string {
	if whole {
		return "is " + id
	}
	return "finds " + id
}

// questions notes the detectors that a condition asks about.
func questions(p *expr.Program, asked map[string]bool) {
	if p == nil {
		return
	}
	for _, n := range p.Nodes {
		if n.Op != expr.OpCall || n.A != profile.FnIs && n.A != profile.FnFinds || n.C != 2 {
			continue
		}
		if arg := p.Nodes[p.Args[n.B+1]]; arg.Op == expr.OpConst {
			asked[p.Consts[arg.A].AsString()] = true
		}
	}
}

func (m *Meter) prepareProbe(all *bundle.Classification, asked map[string]bool) error {
	if len(asked) == 0 {
		return nil
	}
	probe := *all
	probe.Rules = nil
	for _, id := range setKeys(asked) {
		for _, whole := range []bool{true, false} {
			text := "value.finds(" + strconv.Quote(id) + ")"
			if whole {
				text = "value.is(" + strconv.Quote(id) + ")"
			}
			p := Expr(profile.Field, source.Plain("", text), expr.TBool, new(source.Problems))
			probe.Rules = append(probe.Rules, bundle.Rule{ID: question(id, whole), Category: all.Categories[0].Key, When: p})
		}
	}
	c, err := classify.New(&probe)
	if err == nil {
		m.probe = c.NewScanner()
	}
	return err
}

// find implements is and finds.
func (m *Meter) find(text, id string, whole bool) (bool, expr.Code) {
	if m.probe == nil {
		return false, expr.BadArgument
	}
	f := m.field
	f.Value = text
	return m.probe.Asserts(question(id, whole), &f), expr.OK
}

// Case shows the meter a case of the file. It counts for its rule or detector
// alone, and for the suppressions that look at what the detector finds.
func (m *Meter) Case(k *Case) {
	if k.Detector == "" {
		m.begin(&k.Field)
		if w := m.rules[k.Rule]; !w.done() {
			m.holds(&m.rule, w.program, w)
		}
		return
	}
	m.begin(&classify.Field{Value: k.Field.Value})
	for i := range m.detectors {
		if d := &m.detectors[i]; d.id == k.Detector && !d.done() {
			m.search(d, k.Field.Value)
		}
	}
}

// Field shows the meter a field of a record that a test speaks of. It counts for
// every rule and detector of the file, and for its suppressions.
func (m *Meter) Field(f *classify.Field) {
	m.begin(f)
	for _, w := range m.own {
		if w.Kind == "rule" && !w.done() {
			m.holds(&m.rule, w.program, w)
		}
	}
	for i := range m.detectors {
		if d := &m.detectors[i]; !d.done() {
			m.search(d, cut(f.Value, profile.MaxValue))
		}
	}
}

// Coverage is what was seen so far, in the order of the file. Conditions without
// parts, which are constants, are left out.
func (m *Meter) Coverage() []Coverage {
	var out []Coverage
	for _, w := range m.own {
		if len(w.Parts) > 0 {
			c := w.Coverage
			c.Parts = slices.Clone(c.Parts)
			out = append(out, c)
		}
	}
	sortByPlace(out)
	return out
}

// begin sets the variables of a field, cut to the lengths that expressions are
// bounded for.
func (m *Meter) begin(f *classify.Field) {
	m.field = *f
	m.words = classify.Words(cut(f.Name, profile.MaxName))
	v := m.rule.Vars
	v[profile.FieldName] = expr.String(cut(f.Name, profile.MaxName))
	v[profile.FieldPath] = expr.String(cut(f.Path, profile.MaxName))
	v[profile.FieldWords] = expr.Strings(&m.words)
	v[profile.FieldType] = expr.String(cut(f.Type, profile.MaxType))
	v[profile.FieldTags] = mapOf(&m.tags, f.Tags)
	v[profile.FieldSource] = expr.String(cut(f.Source, profile.MaxName))
	v[profile.FieldDescription] = expr.String(cut(f.Description, profile.MaxDescription))
	v[profile.FieldValue] = expr.String(cut(f.Value, profile.MaxValue))
	v[profile.FieldContext] = mapOf(&m.context, f.Context)
	copy(m.match.Vars, v)
}

func mapOf(m *expr.StrMap, from map[string]string) expr.Value {
	m.Reset()
	var keys []string
	for k := range from {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys[:min(len(keys), profile.MaxEntries)] {
		m.Set(cut(k, profile.MaxName), cut(from[k], profile.MaxName))
	}
	return expr.StringMap(m)
}

func (m *Meter) holds(f *expr.Frame, p *expr.Program, w *watched) bool {
	m.now = w
	ok, code := f.EvalBool(p)
	m.now = nil
	return ok && code == expr.OK
}

// What the classifier tries around a match that was refused.
const (
	maxTried = 512
	tryCost  = 16
)

// search goes through the matches of a detector as the classifier does, so that
// checks and suppressions see the same ones. It reports whether one was accepted.
func (m *Meter) search(d *metered, text string) bool {
	accepted, tried, last := false, 0, -1
	for from, limit := 0, len(text); from < len(text) && m.machine.Find(d.pattern, text, from, limit); {
		start, end := m.machine.Span()
		whole, wholeEnd := m.machine.Loc[0], m.machine.Loc[1]
		ok, suppressed := m.judge(d, text, start, end)
		if ok || suppressed {
			accepted = accepted || ok && start < end
			from, limit = max(end, whole+1), len(text)
			continue
		}
		if whole >= last {
			tried, last = 0, wholeEnd
		}
		tried += wholeEnd - whole + tryCost
		if shorter := wholeEnd - 1; tried <= maxTried && shorter > whole && m.machine.Find(d.pattern, text, whole, shorter) && m.machine.Loc[0] == whole {
			from, limit = whole, shorter
			continue
		}
		limit = len(text)
		if from = last; tried <= maxTried {
			_, width := utf8.DecodeRuneInString(text[whole:])
			from = whole + width
		}
	}
	return accepted
}

// judge evaluates the check and the suppressions of a match.
func (m *Meter) judge(d *metered, text string, start, end int) (ok, suppressed bool) {
	m.host.Reset()
	v := m.match.Vars
	match := cut(text[start:end], profile.MaxValue)
	v[profile.MatchText] = expr.String(match)
	v[profile.MatchDigits] = expr.String(cut(m.host.Digits(match), profile.MaxName))
	m.machine.Groups(d.pattern, text)
	m.groups = m.groups[:0]
	for i := 0; i < len(m.machine.Loc); i += 2 {
		g := ""
		if a, b := m.machine.Loc[i], m.machine.Loc[i+1]; a >= 0 && b >= a {
			g = cut(text[a:b], profile.MaxName)
		}
		m.groups = append(m.groups, g)
	}
	v[profile.MatchGroups] = expr.Strings(&m.groups)
	v[profile.MatchBefore] = expr.String(before(text, start))
	v[profile.MatchAfter] = expr.String(cut(text[end:], profile.MaxAround))
	if d.check != nil && !m.holds(&m.match, d.check, d.watched) {
		return false, false
	}
	for _, s := range d.suppress {
		if m.holds(&m.match, s.when, s.watched) {
			return false, true
		}
	}
	return true, false
}

func before(text string, start int) string {
	from := max(0, start-profile.MaxAround)
	for from < start && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:start]
}

// cut shortens a text to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
