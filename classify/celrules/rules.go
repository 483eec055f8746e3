package celrules

import (
	"errors"
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	patterns "github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/source"
)

// DefaultThreshold is the confidence, in thousandths, below which a finding is
// not reported.
const DefaultThreshold = 400

// Bounds of one rule file.
const (
	maxRules   = 4096
	maxPattern = 8 << 10 // bytes
	maxContext = 64      // phrases of a detector
)

// Rules compiles the classification sections of a rule file or policy: rules,
// detectors, suppress and categories of doc. prefix is the name of the file; it
// stands before the ids of its rules, with a slash. base is what the file builds
// on, the sum of everything that it extends; nil if it extends nothing, and then
// its categories may have roots of their own.
//
// The result holds what the file itself defines, ready to be joined to base with
// [Merge]; the cases are its tests, to be run with [Test] on a classifier of both.
// Every fault goes to ps with its place and a mend. Where there are faults the
// result is not complete and must not be used.
func Rules(doc *source.Map, prefix string, base *bundle.Classification, ps *source.Problems) (bundle.Classification, []Case) {
	r := reader{ps: ps, prefix: prefix, categories: map[string]bool{}, detectors: map[string]bool{}, roots: base == nil}
	r.out.Threshold = DefaultThreshold
	if base != nil {
		r.out.Threshold = base.Threshold
		for i := range base.Categories {
			r.categories[base.Categories[i].Key] = true
		}
		for i := range base.Detectors {
			r.detectors[base.Detectors[i].ID] = true
		}
	}
	for _, n := range doc.Get("categories").List(ps, "categories") {
		r.category(n)
	}
	list := doc.Get("detectors").List(ps, "detectors")
	// All ids first: checks may ask about detectors further down.
	own := map[string]bool{}
	for _, n := range list {
		// Read without the problems that r.detector will report.
		id := n.Map(new(source.Problems), "detector").Get("id").Text(new(source.Problems), "id").Value
		own[id] = id != ""
	}
	r.own = own
	for _, n := range list {
		r.detector(n)
	}
	r.cycles()
	for _, n := range doc.Get("suppress").List(ps, "suppress") {
		r.suppression(n)
	}
	for _, n := range doc.Get("adjust").List(ps, "adjust") {
		r.adjustment(n)
	}
	for _, n := range doc.Get("rules").List(ps, "rules") {
		r.rule(n)
	}
	if len(r.out.Rules) > maxRules || len(r.out.Detectors) > maxRules {
		doc.Problem(ps, "more than "+strconv.Itoa(maxRules)+" rules or detectors", "split the file")
	}
	return r.out, r.cases
}

// Merge joins what a file defines to what it builds on. Ids that both define
// differently are returned; of those the first definition stays.
func Merge(base, more *bundle.Classification) (bundle.Classification, []string) {
	out := bundle.Classification{
		Categories: slices.Clone(base.Categories), Rules: slices.Clone(base.Rules), Detectors: slices.Clone(base.Detectors),
		Suppress: slices.Clone(base.Suppress), Adjust: slices.Clone(base.Adjust), Threshold: base.Threshold,
	}
	var clash []string
	text := func(p *expr.Program) string {
		if p == nil {
			return ""
		}
		return p.Text(len(p.Nodes) - 1)
	}
	join(&out.Categories, more.Categories, &clash, func(c *bundle.Category) string { return c.Key },
		func(a, b *bundle.Category) bool { return *a == *b })
	join(&out.Rules, more.Rules, &clash, func(r *bundle.Rule) string { return r.ID }, func(a, b *bundle.Rule) bool {
		return a.Category == b.Category && a.Confidence == b.Confidence && text(a.When) == text(b.When)
	})
	join(&out.Detectors, more.Detectors, &clash, func(d *bundle.Detector) string { return d.ID }, func(a, b *bundle.Detector) bool {
		return a.Category == b.Category && a.Pattern == b.Pattern && a.CaseSensitive == b.CaseSensitive && text(a.Check) == text(b.Check) &&
			slices.Equal(a.Context, b.Context) && a.Base == b.Base && a.Checked == b.Checked && a.Boost == b.Boost && slices.Equal(a.Countries, b.Countries)
	})
	join(&out.Suppress, more.Suppress, &clash, func(s *bundle.Suppress) string { return s.ID }, func(a, b *bundle.Suppress) bool {
		return slices.Equal(a.Detectors, b.Detectors) && text(a.When) == text(b.When) && a.Reason == b.Reason
	})
	join(&out.Adjust, more.Adjust, &clash, func(a *bundle.Adjust) string { return a.ID }, func(a, b *bundle.Adjust) bool {
		return slices.Equal(a.Detectors, b.Detectors) && text(a.When) == text(b.When) && a.Add == b.Add && a.Reason == b.Reason
	})
	return out, clash
}

func join[T any](to *[]T, more []T, clash *[]string, id func(*T) string, same func(a, b *T) bool) {
	at := map[string]int{}
	for i := range *to {
		at[id(&(*to)[i])] = i
	}
	for i := range more {
		switch j, twice := at[id(&more[i])]; {
		case !twice:
			at[id(&more[i])] = len(*to)
			*to = append(*to, more[i])
		case !same(&(*to)[j], &more[i]):
			*clash = append(*clash, id(&more[i]))
		}
	}
}

// A reader reads one file.
type reader struct {
	ps         *source.Problems
	prefix     string
	roots      bool
	categories map[string]bool
	detectors  map[string]bool // known from base, then also those read so far
	own        map[string]bool // of this file, read or not
	asks       []ask           // which checks ask about which detectors
	out        bundle.Classification
	cases      []Case
}

type ask struct {
	from, to string
	at       source.Text
}

func setKeys(m map[string]bool) []string {
	var out []string
	for k, v := range m {
		if v {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func (r *reader) problem(t source.Text, problem, mend string) {
	r.ps.Add(t.File, t.Pos(), problem, mend)
}

// id reads an id: lower-case letters, digits, and - _ . between them.
func (r *reader) id(m *source.Map, what string) source.Text {
	t := m.Need("id").Text(r.ps, "id")
	if t.Value == "" {
		return t
	}
	if !simple(t.Value) {
		r.problem(t, "id of "+what+" has characters that an id does not have", "use small letters, digits and single - _ . between them, such as loyalty-card; at most 64 characters")
		t.Value = ""
	}
	return t
}

func simple(id string) bool {
	last := byte('-')
	for i := range len(id) {
		c := id[i]
		separator := c == '-' || c == '_' || c == '.'
		if separator && (last == '-' || last == '_' || last == '.') || !separator && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
		last = c
	}
	return id != "" && len(id) <= 64 && last != '-' && last != '_' && last != '.'
}

// knownCategory reads a category that must exist.
func (r *reader) knownCategory(m *source.Map) string {
	t := m.Need("category").Text(r.ps, "category")
	if t.Value == "" || r.categories[t.Value] {
		return t.Value
	}
	mend := source.DidYouMean(t.Value, setKeys(r.categories))
	if mend == "" {
		mend = "use a key of the taxonomy, or define it under categories"
	}
	r.problem(t, "unknown category "+strconv.Quote(t.Value), mend)
	return ""
}

var qualifiers = []string{"identified", "pseudonymized", "unlinked_pseudonymized", "anonymized", "aggregated"}

func (r *reader) category(n source.Node) {
	m := n.Map(r.ps, "category")
	defer m.Done()
	key := m.Need("key").Text(r.ps, "key")
	parent := m.Get("parent").Text(r.ps, "parent")
	c := bundle.Category{Key: key.Value, ISO19944: m.Get("iso19944").Text(r.ps, "iso19944").Value, Title: m.Get("title").Text(r.ps, "title").Value}
	if q := m.Get("qualifier"); q.Present() {
		c.Qualifier = q.Choice(r.ps, "qualifier", qualifiers...)
	}
	if c.ISO19944 != "" && !clause(c.ISO19944) {
		m.Get("iso19944").Problem(r.ps, "iso19944 is not a clause number", "write a clause of ISO/IEC 19944-1, such as 8.2.3.2.2")
	}
	if key.Value == "" {
		return
	}
	dot := strings.LastIndexByte(key.Value, '.')
	switch {
	case !slices.ContainsFunc(strings.Split(key.Value, "."), func(s string) bool { return !simple(s) || strings.Contains(s, "-") }):
	default:
		r.problem(key, "key of category has characters that a key does not have", "use words of small letters, digits and _ with dots between, such as user.workplace.badge")
		return
	}
	switch {
	case r.categories[key.Value]:
		r.problem(key, "category "+strconv.Quote(key.Value)+" exists already", "leave it out, or choose another key")
	case dot < 0 && !r.roots:
		r.problem(key, "category "+strconv.Quote(key.Value)+" has no parent", "put it below user or system, such as user."+key.Value)
	case dot >= 0 && !r.categories[key.Value[:dot]]:
		r.problem(key, "category "+strconv.Quote(key.Value[:dot])+", which this one lies in, does not exist", mendOr(source.DidYouMean(key.Value[:dot], setKeys(r.categories)), "define it before this one"))
	case parent.Value != "" && (dot < 0 || parent.Value != key.Value[:dot]):
		r.problem(parent, "parent is not what the key says", "the parent of a key is the key up to its last dot")
	default:
		r.categories[key.Value] = true
		r.out.Categories = append(r.out.Categories, c)
	}
}

func mendOr(mend, otherwise string) string {
	if mend == "" {
		return otherwise
	}
	return mend
}

func clause(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if n, err := strconv.Atoi(part); err != nil || n < 1 || n > 99 {
			return false
		}
	}
	return strings.HasPrefix(s, "8.")
}

// condition compiles an expression and sees to it that the detectors which it
// names exist.
func (r *reader) condition(env *expr.Env, t source.Text, from string) *expr.Program {
	p := Expr(env, t, expr.TBool, r.ps)
	if p == nil {
		return nil
	}
	for _, n := range p.Nodes {
		if n.Op != expr.OpCall || n.A != profile.FnIs && n.A != profile.FnFinds || n.C != 2 {
			continue
		}
		arg := p.Nodes[p.Args[n.B+1]]
		if arg.Op != expr.OpConst {
			continue
		}
		id := p.Consts[arg.A].AsString()
		if !r.detectors[id] && !r.own[id] {
			at := max(strings.Index(t.Value, id), 0)
			r.ps.Add(t.File, t.At(at), "unknown detector "+strconv.Quote(id), r.nearestDetector(id))
		}
		if from != "" {
			r.asks = append(r.asks, ask{from, id, t})
		}
	}
	return p
}

func (r *reader) nearestDetector(id string) string {
	all := append(setKeys(r.detectors), setKeys(r.own)...)
	return mendOr(source.DidYouMean(id, all), "define it under detectors, or name one that exists")
}

func (r *reader) detector(n source.Node) {
	m := n.Map(r.ps, "detector")
	defer m.Done()
	id := r.id(m, "detector")
	d := bundle.Detector{ID: id.Value, Category: r.knownCategory(m), CaseSensitive: m.Get("case_sensitive").Bool(r.ps, "case_sensitive")}
	pattern := m.Need("pattern").Text(r.ps, "pattern")
	d.Pattern = pattern.Value
	r.pattern(pattern, d.CaseSensitive)
	if check := m.Get("check"); check.Present() {
		d.Check = r.condition(profile.Match, check.Text(r.ps, "check"), id.Value)
	}
	phrases := m.Get("context").Texts(r.ps, "context")
	if len(phrases) > maxContext {
		m.Get("context").Problem(r.ps, "more than "+strconv.Itoa(maxContext)+" context phrases", "keep the telling ones")
	}
	for _, t := range phrases {
		if len(classify.Words(t.Value)) == 0 {
			r.problem(t, "context phrase without a word", "write words, such as social security")
		}
		d.Context = append(d.Context, strings.ToLower(t.Value))
	}
	conf := m.Need("confidence").Map(r.ps, "confidence")
	d.Base = conf.Need("base").Fraction(r.ps, "base")
	d.Checked = d.Base
	if v := conf.Get("checked"); v.Present() {
		if d.Checked = v.Fraction(r.ps, "checked"); !m.Get("check").Present() {
			v.Problem(r.ps, "a confidence for a check, but no check", "write a check, or leave checked out")
		} else if d.Checked < d.Base {
			v.Problem(r.ps, "a match that was checked counts less than one that was not", "make checked at least base")
		}
	} else if m.Get("check").Present() && conf.Present() {
		conf.Problem(r.ps, "no confidence for a match whose check holds", "add checked, such as 0.8")
	}
	if v := conf.Get("context"); v.Present() {
		if d.Boost = v.Fraction(r.ps, "context"); len(d.Context) == 0 {
			v.Problem(r.ps, "a confidence for context, but no context", "write context words, or leave it out")
		}
	} else if len(d.Context) > 0 && conf.Present() {
		conf.Problem(r.ps, "context words that count for nothing", "add context, such as 0.35")
	}
	conf.Done()
	for _, t := range m.Get("countries").Texts(r.ps, "countries") {
		if !isCountry(t.Value) {
			r.problem(t, "unknown country "+strconv.Quote(t.Value), mendOr(source.DidYouMean(t.Value, strings.Fields(countries)), "write the two small letters of ISO 3166-1, such as de"))
			continue
		}
		d.Countries = append(d.Countries, t.Value)
	}
	r.tests(m.Get("tests"), func(c *Case, n source.Node) {
		c.Detector = id.Value
		if n.IsMap() {
			t := n.Map(r.ps, "test")
			c.Field.Value = t.Need("text").Text(r.ps, "text").Value
			t.Get("reason").Text(r.ps, "reason")
			t.Done()
			return
		}
		c.Field.Value = n.Text(r.ps, "test").Value
	})
	if id.Value == "" {
		return
	}
	if r.detectors[id.Value] {
		r.problem(id, "detector "+strconv.Quote(id.Value)+" exists already", "choose another id")
		return
	}
	r.detectors[id.Value] = true
	r.out.Detectors = append(r.out.Detectors, d)
}

func (r *reader) pattern(t source.Text, caseSensitive bool) {
	if t.Value == "" {
		return
	}
	if len(t.Value) > maxPattern {
		r.problem(t, "pattern longer than "+strconv.Itoa(maxPattern)+" bytes", "split it into several detectors")
		return
	}
	_, err := patterns.Compile(t.Value, caseSensitive)
	var bad *syntax.Error
	switch {
	case errors.As(err, &bad):
		at := max(strings.Index(t.Value, bad.Expr), 0)
		r.ps.Add(t.File, t.At(at), "pattern is not of RE2 syntax: "+string(bad.Code), "see https://github.com/google/re2/wiki/Syntax; there are no look-arounds and no back references")
	case errors.Is(err, patterns.ErrEmpty):
		r.problem(t, "pattern matches the empty text", "ask for one character at least")
	case err != nil:
		r.problem(t, "pattern is too large", "repeat less, or split it into several detectors")
	}
}

// cycles reports checks that ask about each other in a circle.
func (r *reader) cycles() {
	next := map[string][]ask{}
	for _, a := range r.asks {
		next[a.from] = append(next[a.from], a)
	}
	for _, a := range r.asks {
		seen := map[string]bool{}
		todo := []string{a.to}
		for len(todo) > 0 {
			id := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if id == a.from {
				r.problem(a.at, "the check of "+strconv.Quote(a.from)+" asks about itself, perhaps through other detectors", "let one of them do without the other")
				break
			}
			if !seen[id] {
				seen[id] = true
				for _, b := range next[id] {
					todo = append(todo, b.to)
				}
			}
		}
	}
}

func (r *reader) suppression(n source.Node) {
	m := n.Map(r.ps, "suppress")
	defer m.Done()
	id := r.id(m, "suppress")
	s := bundle.Suppress{ID: id.Value, Reason: m.Need("reason").Text(r.ps, "reason").Value}
	s.Detectors = r.named(m)
	s.When = r.listed(m, id)
	if id.Value == "" {
		return
	}
	s.ID = r.full(id.Value)
	if slices.ContainsFunc(r.out.Suppress, func(o bundle.Suppress) bool { return o.ID == s.ID }) {
		r.problem(id, "suppress "+strconv.Quote(id.Value)+" is given twice", "choose another id")
		return
	}
	r.out.Suppress = append(r.out.Suppress, s)
}

// named reads the detectors that an entry is about; ids may end in *.
func (r *reader) named(m *source.Map) (ids []string) {
	for _, t := range m.Get("detectors").Texts(r.ps, "detectors") {
		begin, many := strings.CutSuffix(t.Value, "*")
		n := len(ids)
		for _, id := range setKeys(r.detectors) {
			if id == t.Value || many && strings.HasPrefix(id, begin) {
				ids = append(ids, id)
			}
		}
		if n == len(ids) {
			r.problem(t, "unknown detector "+strconv.Quote(t.Value), r.nearestDetector(t.Value))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (r *reader) adjustment(n source.Node) {
	m := n.Map(r.ps, "adjust")
	defer m.Done()
	id := r.id(m, "adjust")
	a := bundle.Adjust{ID: r.full(id.Value), Reason: m.Need("reason").Text(r.ps, "reason").Value, Detectors: r.named(m)}
	if when := m.Need("when"); when.Present() {
		a.When = r.condition(profile.Match, when.Text(r.ps, "when"), "")
	}
	add := m.Need("add").Text(r.ps, "add")
	if v, err := strconv.ParseFloat(add.Value, 64); add.Value != "" && (err != nil || !(v >= -1 && v <= 1) || v == 0) {
		r.problem(add, "add is not a number between -1 and 1", "write what to add to the confidence, such as -0.3")
	} else {
		a.Add = int16(math.Round(v * 1000))
	}
	if id.Value == "" {
		return
	}
	if slices.ContainsFunc(r.out.Adjust, func(o bundle.Adjust) bool { return o.ID == a.ID }) {
		r.problem(id, "adjust "+strconv.Quote(id.Value)+" is given twice", "choose another id")
		return
	}
	r.out.Adjust = append(r.out.Adjust, a)
}

// listed is the condition of a suppression: when, or lists of what the match is,
// begins with, ends with or matches, in either case of letters.
func (r *reader) listed(m *source.Map, id source.Text) *expr.Program {
	var any []string
	add := func(key, begin, end string) {
		for _, t := range m.Get(key).Texts(r.ps, key) {
			if t.Value == "" {
				r.problem(t, "an empty text in "+key, "leave it out")
				continue
			}
			if key == "matches" {
				if _, err := syntax.Parse(t.Value, syntax.Perl); err != nil {
					r.problem(t, "regular expression is not valid", "see https://github.com/google/re2/wiki/Syntax")
					continue
				}
				any = append(any, "match.text.matches("+strconv.Quote("(?i)"+t.Value)+")")
				continue
			}
			any = append(any, begin+strconv.Quote(lower(t.Value))+end)
		}
	}
	add("equals", "match.text.lowerAscii() == ", "")
	add("begins", "match.text.lowerAscii().startsWith(", ")")
	add("ends", "match.text.lowerAscii().endsWith(", ")")
	add("matches", "", "")
	when := m.Get("when")
	switch {
	case when.Present() && len(any) > 0:
		when.Problem(r.ps, "a condition beside a list", "write one or the other, or two suppressions")
	case len(any) > 0:
		list := id // what is wrong with it, if ever, stands there
		list.Value = strings.Join(any, " || ")
		return Expr(profile.Match, list, expr.TBool, r.ps)
	case when.Present():
		return r.condition(profile.Match, when.Text(r.ps, "when"), "")
	default:
		r.problem(id, "a suppression without a condition", "add when, or one of the lists equals, begins, ends, matches")
	}
	return nil
}

// lower makes small letters of ASCII letters.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}, s)
}

func (r *reader) full(id string) string {
	if r.prefix == "" {
		return id
	}
	return r.prefix + "/" + id
}

func (r *reader) rule(n source.Node) {
	m := n.Map(r.ps, "rule")
	defer m.Done()
	id := r.id(m, "rule")
	rule := bundle.Rule{ID: r.full(id.Value), Category: r.knownCategory(m), Confidence: m.Need("confidence").Fraction(r.ps, "confidence")}
	if when := m.Need("when"); when.Present() {
		rule.When = r.condition(profile.Field, when.Text(r.ps, "when"), "")
	}
	r.tests(m.Get("tests"), func(c *Case, n source.Node) {
		c.Rule = rule.ID
		if !n.IsMap() {
			c.Field.Name = n.Text(r.ps, "test").Value
			return
		}
		t := n.Map(r.ps, "test")
		text := func(key string) string { return t.Get(key).Text(r.ps, key).Value }
		c.Field = classify.Field{Name: text("name"), Path: text("path"), Type: text("type"), Source: text("source"),
			Description: text("description"), Value: text("value"), Tags: r.strings(t, "tags"), Context: r.strings(t, "context")}
		text("reason")
		t.Done()
	})
	if id.Value == "" {
		return
	}
	if slices.ContainsFunc(r.out.Rules, func(o bundle.Rule) bool { return o.ID == rule.ID }) {
		r.problem(id, "rule "+strconv.Quote(id.Value)+" is given twice", "choose another id")
		return
	}
	r.out.Rules = append(r.out.Rules, rule)
}

func (r *reader) strings(t *source.Map, key string) map[string]string {
	n := t.Get(key)
	if !n.Present() {
		return nil
	}
	m := n.Map(r.ps, key)
	out := map[string]string{}
	for _, k := range m.Keys() {
		out[k] = m.Get(k).Text(r.ps, k).Value
	}
	return out
}

// tests reads the cases of a rule or detector.
func (r *reader) tests(n source.Node, read func(*Case, source.Node)) {
	if !n.Present() {
		return
	}
	m := n.Map(r.ps, "tests")
	for _, key := range []string{"match", "no_match"} {
		for _, item := range m.Get(key).List(r.ps, key) {
			c := Case{Match: key == "match", file: item.File, at: item.Pos()}
			read(&c, item)
			r.cases = append(r.cases, c)
		}
	}
	m.Done()
}

func isCountry(s string) bool {
	return len(s) == 2 && strings.Contains(" "+countries+" ", " "+s+" ")
}

// countries are the officially assigned codes of ISO 3166-1 alpha-2
// (https://www.iso.org/obp/ui/#search/code), and xk, which is in common use.
const countries = "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz " +
	"ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy " +
	"hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz " +
	"na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz " +
	"tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug um us uy uz va vc ve vg vi vn vu wf ws xk ye yt za zm zw"
