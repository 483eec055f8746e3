package policy

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/retention"
)

// A reader turns policy documents into one bundle. Documents that another one
// extends are read first, so that what is named is known when it is used.
type reader struct {
	ps  *source.Problems
	b   *bundle.Bundle
	ids map[string]source.Pos // kind + " " + id → where it was given
	// refs are names that must be known once everything is read.
	refs  []reference
	exprs []expression
	// places are where the entries stand that packages consent and retention look
	// at together, such as purposes[2].
	places map[string]source.Node
}

// mark remembers where entry i of a list stands.
func (r *reader) mark(list string, i int, m *source.Map) {
	r.places[list+"["+strconv.Itoa(i)+"]"] = m.Node
}

// blame reports what the parts of the policy say about each other, at the entry
// that they name.
func (r *reader) blame(name string, err error) {
	at := func(path, problem, mend string) {
		for end := len(path); end > 0; end = strings.LastIndexAny(path[:end], ".[") {
			n, ok := r.places[path[:end]]
			if !ok {
				continue
			}
			field := strings.TrimPrefix(path[end:], ".")
			if i := strings.IndexAny(field, ".["); i >= 0 {
				field = field[:i]
			}
			if v := n.Map(new(source.Problems), "").Get(field); v.Present() {
				n = v
			}
			if field != "" {
				field += ": "
			}
			n.Problem(r.ps, field+problem, mend)
			return
		}
		r.ps.Add(source.NewFile(name, ""), source.Pos{}, path+": "+problem, mend)
	}
	var one *consent.ConfigError
	var many consent.ConfigErrors
	var rules *retention.ConfigError
	switch {
	case errors.As(err, &many):
		for _, e := range many {
			at(e.Path, e.Problem, e.Mend)
		}
	case errors.As(err, &one):
		at(one.Path, one.Problem, one.Mend)
	case errors.As(err, &rules):
		for _, p := range rules.Problems {
			at("retention["+strconv.Itoa(p.Index)+"]."+p.Field, p.Problem, p.Mend)
		}
	default:
		r.ps.Add(source.NewFile(name, ""), source.Pos{}, err.Error(), "")
	}
}

// A reference is a name used in the text, to be looked up at the end.
type reference struct {
	text source.Text
	kind string // source, category, class, purpose, notice
}

var idForm = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)

// id reads the name of a thing and reports one that is missing, malformed or
// given twice in its kind.
func (r *reader) id(n source.Node, kind string) string {
	t := n.Text(r.ps, kind+" id")
	if t.Value == "" {
		return ""
	}
	if !idForm.MatchString(strings.ReplaceAll(t.Value, "_", "-")) {
		n.Problem(r.ps, kind+" "+strconv.Quote(t.Value)+" is not a valid id", "use lower-case letters, digits, dots, dashes and underscores")
		return ""
	}
	key := kind + " " + t.Value
	if first, twice := r.ids[key]; twice {
		mend := "rename one of the two"
		if first.Line > 0 {
			mend += "; the first is in line " + strconv.Itoa(first.Line)
		}
		n.Problem(r.ps, "two "+kind+"s have the id "+strconv.Quote(t.Value), mend)
		return ""
	}
	r.ids[key] = n.Pos()
	return t.Value
}

// ref reads a name that must be known when everything is read.
func (r *reader) ref(n source.Node, kind string) string {
	if !n.Present() {
		return ""
	}
	t := n.Text(r.ps, kind)
	if t.Value != "" {
		r.refs = append(r.refs, reference{t, kind})
	}
	return t.Value
}

func (r *reader) reflist(n source.Node, kind string) []string {
	var out []string
	for _, item := range n.List(r.ps, "the list of kind "+kind) {
		if s := r.ref(item, kind); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// condition compiles a CEL condition of the policy environment.
func (r *reader) condition(n source.Node) *expr.Program {
	if !n.Present() {
		return nil
	}
	t := n.Text(r.ps, "when")
	if t.Value == "" {
		n.Problem(r.ps, "the condition is empty", "write a CEL expression, or leave the key out")
		return nil
	}
	return r.compile(t, expr.TBool)
}

func (r *reader) clause(m *source.Map, kind string) bundle.Clause {
	return bundle.Clause{
		ID:     r.id(m.Need("id"), kind),
		Source: r.ref(m.Need("source"), "source"),
		When:   r.condition(m.Get("when")),
		Note:   m.Get("note").Text(r.ps, "note").Value,
		Facts:  r.facts(m),
	}
}

// facts are the ids of the facts of the sources that an entry stands for.
func (r *reader) facts(m *source.Map) bundle.Facts { return m.Get("facts").Strings(r.ps, "facts") }

func (r *reader) each(n source.Node, what string, f func(*source.Map)) {
	for _, item := range n.List(r.ps, what+"s") {
		m := item.Map(r.ps, what)
		f(m)
		m.Done()
	}
}

// section reads everything of a document but its head, rules and tests.
func (r *reader) section(doc *source.Map) {
	ps, b := r.ps, r.b
	r.each(doc.Get("sources"), "source", func(m *source.Map) {
		s := bundle.Source{ID: r.id(m.Need("id"), "source"), Title: m.Need("title").Text(ps, "title").Value}
		s.Layer = m.Need("layer").Choice(ps, "layer", layers...)
		s.AsOf = r.date(m.Need("as_of"))
		s.Facts = r.facts(m)
		b.Sources = append(b.Sources, s)
	})
	r.each(doc.Get("applies"), "applies rule", func(m *source.Map) {
		m.Need("when")
		b.Applies = append(b.Applies, r.clause(m, "applies rule"))
	})
	for _, n := range doc.Get("classes").List(ps, "classes") {
		if n.IsScalar() {
			b.Classes = append(b.Classes, bundle.Class{Key: r.id(n, "class")})
			continue
		}
		m := n.Map(ps, "class")
		b.Classes = append(b.Classes, bundle.Class{
			Key:       r.id(m.Need("key"), "class"),
			Source:    r.ref(m.Get("source"), "source"),
			Purposes:  r.reflist(m.Get("purposes"), "purpose"),
			Necessary: m.Get("necessary").Bool(ps, "necessary"),
			Facts:     r.facts(m),
		})
		m.Done()
	}
	r.each(doc.Get("purposes"), "purpose", func(m *source.Map) {
		r.mark("purposes", len(b.Purposes), m)
		b.Purposes = append(b.Purposes, r.purpose(m))
	})
	r.each(doc.Get("features"), "feature", func(m *source.Map) {
		r.mark("features", len(b.Features), m)
		b.Features = append(b.Features, bundle.Feature{
			Key:             r.id(m.Need("key"), "feature"),
			Source:          r.ref(m.Get("source"), "source"),
			Kind:            m.Need("kind").Choice(ps, "kind", "essential", "optional"),
			AdminCanDisable: m.Get("admin_can_disable").Bool(ps, "admin_can_disable"),
			Purposes:        r.reflist(m.Get("purposes"), "purpose"),
			Categories:      r.reflist(m.Get("categories"), "category"),
			Classes:         r.reflist(m.Get("classes"), "class"),
			Sync:            r.ref(m.Get("sync"), "purpose"),
			Facts:           r.facts(m),
		})
	})
	r.each(doc.Get("data_sources"), "data source", func(m *source.Map) {
		r.mark("data_sources", len(b.DataSources), m)
		b.DataSources = append(b.DataSources, bundle.DataSource{
			Key:        r.id(m.Need("key"), "data source"),
			Source:     r.ref(m.Get("source"), "source"),
			Parent:     m.Get("parent").Text(ps, "parent").Value,
			Purposes:   r.reflist(m.Need("purposes"), "purpose"),
			Categories: r.reflist(m.Get("categories"), "category"),
			Facts:      r.facts(m),
		})
	})
	r.consent(doc.Get("consent"))
	r.each(doc.Get("residency"), "residency rule", func(m *source.Map) {
		r.mark("residency", len(b.Residency), m)
		b.Residency = append(b.Residency, bundle.Residency{
			Clause:  r.clause(m, "residency rule"),
			StoreIn: r.place(m.Get("store_in")),
			StaffIn: r.place(m.Get("staff_in")),
		})
	})
	r.each(doc.Get("transform"), "transform", func(m *source.Map) { b.Transforms = append(b.Transforms, r.transform(m)) })
	if n := doc.Get("otherwise"); n.Present() {
		m := n.Map(ps, "otherwise")
		set := func(p *string, key string, choices ...string) {
			if v := m.Get(key); v.Present() {
				*p = v.Choice(ps, key, choices...)
			}
		}
		set(&b.Otherwise.Allow, "allow", "keep", "drop", "redact", "pseudonymise")
		set(&b.Otherwise.Ask, "ask", "drop", "redact")
		set(&b.Otherwise.Deny, "deny", "drop", "redact")
		set(&b.Otherwise.Unclassified, "unclassified", "keep", "drop", "redact")
		m.Done()
	}
	r.each(doc.Get("retention"), "retention rule", func(m *source.Map) {
		r.mark("retention", len(b.Retention), m)
		b.Retention = append(b.Retention, r.retention(m))
	})
	if n := doc.Get("export"); n.Present() {
		m := n.Map(ps, "export")
		r.each(m.Get("withhold"), "withhold rule", func(m *source.Map) {
			m.Need("when")
			m.Need("note")
			b.Withhold = append(b.Withhold, r.clause(m, "withhold rule"))
		})
		m.Done()
	}
}

var layers = []string{"law", "agreement", "instruction", "organisation", "statement", "default"}

func (r *reader) date(n source.Node) string {
	t := n.Text(r.ps, "as_of")
	if t.Value == "" || t.Value == "undated" {
		return t.Value
	}
	if _, err := time.Parse(time.DateOnly, t.Value); err != nil {
		n.Problem(r.ps, "as_of must be a date or undated", "write 2025-07-29, or undated when the document has no date")
	}
	return t.Value
}

func (r *reader) purpose(m *source.Map) bundle.Purpose {
	ps := r.ps
	p := bundle.Purpose{
		Key:        r.id(m.Need("key"), "purpose"),
		Assessment: m.Get("assessment").Text(ps, "assessment").Value,
		Channels:   m.Get("channels").Strings(ps, "channels"),
		Signals:    m.Get("signals").Strings(ps, "signals"),
		Text:       m.Get("text").Text(ps, "text").Value,
		Source:     r.ref(m.Get("source"), "source"),
		Notice:     r.ref(m.Get("notice"), "notice"),
		Facts:      r.facts(m),
	}
	if n := m.Get("basis"); n.Present() {
		p.Basis = n.Choice(ps, "basis", "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest")
	}
	if n := m.Get("mechanism"); n.Present() {
		p.Mechanism = n.Choice(ps, "mechanism", "opt_in", "opt_out", "notice_only")
	}
	if n := m.Get("strength"); n.Present() {
		p.Strength = n.Choice(ps, "strength", "implied", "expressed", "explicit")
	}
	if maps := m.Get("maps"); maps.Present() {
		mm := maps.Map(ps, "maps")
		for _, k := range mm.Keys() {
			if v := mm.Get(k); !v.IsNull() {
				p.Maps = append(p.Maps, bundle.Pair{Key: k, Value: v.Text(ps, "maps").Value})
			}
		}
		slices.SortFunc(p.Maps, func(a, b bundle.Pair) int { return strings.Compare(a.Key, b.Key) })
	}
	return p
}

func (r *reader) consent(n source.Node) {
	if !n.Present() {
		return
	}
	ps, b := r.ps, r.b
	m := n.Map(ps, "consent")
	r.each(m.Get("prohibitions"), "prohibition", func(m *source.Map) {
		m.Need("when")
		b.Prohibitions = append(b.Prohibitions, r.clause(m, "prohibition"))
	})
	r.each(m.Get("requirements"), "requirement", func(m *source.Map) {
		r.mark("requirements", len(b.Requirements), m)
		m.Need("when")
		b.Requirements = append(b.Requirements, bundle.Requirement{
			Clause:   r.clause(m, "requirement"),
			Strength: m.Need("strength").Choice(ps, "strength", "implied", "expressed", "explicit"),
		})
	})
	r.each(m.Get("promotions"), "promotion", func(m *source.Map) {
		r.mark("promotions", len(b.Promotions), m)
		p := bundle.Promotion{
			ID:      r.id(m.Need("id"), "promotion"),
			Source:  r.ref(m.Need("source"), "source"),
			From:    r.reflist(m.Need("from"), "class"),
			To:      r.ref(m.Need("to"), "class"),
			Purpose: r.ref(m.Need("purpose"), "purpose"),
			Note:    m.Get("note").Text(ps, "note").Value,
			Facts:   r.facts(m),
		}
		for _, k := range m.Need("features").List(ps, "features") {
			p.Kinds = append(p.Kinds, k.Choice(ps, "features", "essential", "optional"))
		}
		b.Promotions = append(b.Promotions, p)
	})
	r.each(m.Get("obligations"), "obligation", func(m *source.Map) {
		r.mark("obligations", len(b.Obligations), m)
		o := bundle.Obligation{Clause: r.clause(m, "obligation")}
		o.Do = m.Need("do").Choice(ps, "do", "minimise", "pseudonymise", "no_onward_transfer", "notify_subject", "log_use")
		o.Arg = m.Get("arg").Text(ps, "arg").Value
		b.Obligations = append(b.Obligations, o)
	})
	r.each(m.Get("notices"), "notice", func(m *source.Map) {
		r.mark("notices", len(b.Notices), m)
		n := bundle.Notice{Version: m.Need("version").Text(ps, "version").Value, Material: m.Get("material").Bool(ps, "material")}
		n.ID = m.Need("id").Text(ps, "notice id").Value
		n.Published = r.instant(m.Get("published"), "published")
		n.Effective = r.instant(m.Need("effective"), "effective")
		b.Notices = append(b.Notices, n)
	})
	if g := m.Get("gates"); g.Present() {
		gm := g.Map(ps, "gates")
		set := func(p *string, key string) {
			if v := gm.Get(key); v.Present() {
				*p = v.Choice(ps, key, "none", "consent", "explicit")
			}
		}
		set(&b.Gates.Promotion, "promotion")
		set(&b.Gates.Combination, "combination")
		set(&b.Gates.Share, "share")
		b.Gates.Facts = append(b.Gates.Facts, r.facts(gm)...)
		gm.Done()
	}
	m.Done()
}

// instant reads a point in time as seconds since 1970; 0 means that it is not known.
func (r *reader) instant(n source.Node, what string) int64 {
	t := n.Text(r.ps, what)
	if t.Value == "" {
		return 0
	}
	at, err := time.Parse(time.RFC3339, t.Value)
	if err != nil {
		n.Problem(r.ps, what+" must be an instant", "write for example 2026-01-01T00:00:00Z")
		return 0
	}
	return at.Unix()
}

// place reads where data must be: a CEL expression that gives text, or a country
// or region written in quotes inside it.
func (r *reader) place(n source.Node) *expr.Program {
	if !n.Present() {
		return nil
	}
	return r.compile(n.Text(r.ps, "place"), expr.TString)
}

func (r *reader) compile(t source.Text, want expr.Type) *expr.Program {
	p := celrules.Expr(profile.Policy, t, want, r.ps)
	if p != nil {
		r.exprs = append(r.exprs, expression{t, p})
	}
	return p
}

func (r *reader) transform(m *source.Map) bundle.Transform {
	t := bundle.Transform{}
	t.ID = r.id(m.Need("id"), "transform")
	t.Source = r.ref(m.Get("source"), "source")
	t.When = r.condition(m.Get("when"))
	t.Note = m.Get("note").Text(r.ps, "note").Value
	t.Facts = r.facts(m)
	n := m.Need("do")
	if n.IsScalar() {
		t.Do = n.Choice(r.ps, "do", "keep", "drop", "redact", "pseudonymise", "truncate_ip", "year", "quarter", "month", "top_code_age", "zip3")
		return t
	}
	if !n.Present() {
		return t
	}
	do := n.Map(r.ps, "do")
	switch keys := do.Keys(); {
	case len(keys) == 1 && keys[0] == "generalise":
		g := do.Get("generalise").Map(r.ps, "generalise")
		if width := g.Get("bucket"); width.Present() {
			t.Do, t.Arg = "bucket", width.Int(r.ps, "bucket", 1, 1_000_000_000)
		} else {
			t.Do, t.Arg = "coordinates", g.Need("coordinates").Int(r.ps, "coordinates", 0, 6)
		}
		g.Done()
	case len(keys) == 1 && keys[0] == "mask":
		g := do.Get("mask").Map(r.ps, "mask")
		t.Do, t.Arg = "mask", g.Need("keep_last").Int(r.ps, "keep_last", 0, 8)
		g.Done()
	default:
		n.Problem(r.ps, "do names no known operator", "write keep, drop, redact, pseudonymise, truncate_ip, year, quarter, month, top_code_age, zip3, {generalise: {coordinates: 2}}, {generalise: {bucket: 10}} or {mask: {keep_last: 4}}")
	}
	return t
}

func (r *reader) retention(m *source.Map) bundle.Retention {
	ps := r.ps
	rule := bundle.Retention{
		Clause:   r.clause(m, "retention rule"),
		Topic:    m.Get("topic").Text(ps, "topic").Value,
		Kind:     m.Need("kind").Choice(ps, "kind", "floor", "delete", "ceiling"),
		Strength: m.Need("strength").Choice(ps, "strength", "typical", "default", "statement", "organisation", "agreement", "instruction", "law"),
		Category: r.ref(m.Get("category"), "category"),
		After:    m.Get("after").Text(ps, "after").Value,
		Zone:     m.Get("zone").Text(ps, "zone").Value,
		Class:    r.names(m.Get("class"), "class"),
		Region:   r.names(m.Get("region"), ""),
		Purpose:  r.names(m.Get("purpose"), "purpose"),
	}
	if n := m.Get("month_end"); n.Present() {
		rule.MonthEnd = n.Choice(ps, "month_end", "clamp", "next_day")
	}
	if rule.After == "" {
		rule.Anchor = m.Need("anchor").Text(ps, "anchor").Value
	} else if n := m.Get("anchor"); n.Present() {
		n.Problem(ps, "a rule has an anchor or comes after another rule, not both", "leave one of the two out")
	}
	period := m.Need("period")
	rule.Period = period.Text(ps, "period").Value
	if rule.Period != "" {
		if _, err := retention.ParsePeriod(rule.Period); err != nil {
			period.Problem(ps, "the period "+strconv.Quote(rule.Period)+" is not ISO 8601", "write for example P30D, PT48H, P1Y6M; every number needs a unit: Y M W D, and H M S after a T")
		}
	}
	return rule
}

// names reads one name or a list of names.
func (r *reader) names(n source.Node, kind string) []string {
	var items []source.Node
	if n.IsScalar() {
		items = []source.Node{n}
	} else {
		items = n.List(r.ps, "the names")
	}
	var out []string
	for _, item := range items {
		if kind != "" {
			out = append(out, r.ref(item, kind))
		} else {
			out = append(out, item.Text(r.ps, "name").Value)
		}
	}
	return out
}

// resolve looks up every name that was used.
func (r *reader) resolve() {
	known := map[string][]string{}
	for _, s := range r.b.Sources {
		known["source"] = append(known["source"], s.ID)
	}
	for _, k := range r.b.Classification.Categories {
		known["category"] = append(known["category"], k.Key)
	}
	for _, k := range r.b.Classes {
		known["class"] = append(known["class"], k.Key)
	}
	for _, p := range r.b.Purposes {
		known["purpose"] = append(known["purpose"], p.Key)
	}
	for _, f := range r.b.Features {
		known["feature"] = append(known["feature"], f.Key)
	}
	for _, n := range r.b.Notices {
		known["notice"] = append(known["notice"], n.ID)
	}
	for _, ref := range r.refs {
		if !slices.Contains(known[ref.kind], ref.text.Value) {
			mend := source.DidYouMean(ref.text.Value, known[ref.kind])
			if len(known[ref.kind]) == 0 {
				mend = "declare it in this file, or extend a policy that does"
			}
			r.ps.Add(ref.text.File, ref.text.Pos(), "unknown "+ref.kind+" "+strconv.Quote(ref.text.Value), mend)
		}
	}
	r.checkNames(known)
}
