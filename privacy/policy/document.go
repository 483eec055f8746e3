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

// at reports a problem at the entry that a path names, such as purposes[2].basis.
func (r *reader) at(ps *source.Problems, name, path, problem, mend string) {
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
		n.Problem(ps, field+problem, mend)
		return
	}
	ps.Add(source.NewFile(name, ""), source.Pos{}, path+": "+problem, mend)
}

// asWritten gives the parts of consent policies the names that they have in documents.
var asWritten = strings.NewReplacer(".obligation.values", ".arg", ".obligation.kind", ".do", ".obligation", "", ".kinds", ".features")

// blame reports what the parts of the policy say about each other, at the entry
// that they name.
func (r *reader) blame(name string, err error) {
	at := func(path, problem, mend string) { r.at(r.ps, name, asWritten.Replace(path), problem, mend) }
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
			at(pathOf(&p), p.Problem, p.Mend)
		}
	default:
		r.ps.Add(source.NewFile(name, ""), source.Pos{}, err.Error(), "")
	}
}

// A reference is a name used in the text, to be looked up at the end.
type reference struct {
	text source.Text
	kind string // source, category, class, purpose, notice, calendar
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
		s.Parties = m.Get("parties").Strings(ps, "parties")
		s.Facts = r.facts(m)
		r.mark("sources", len(b.Sources), m)
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
		f := bundle.Feature{
			Key:             r.id(m.Need("key"), "feature"),
			Source:          r.ref(m.Get("source"), "source"),
			Kind:            m.Need("kind").Choice(ps, "kind", "essential", "optional"),
			AdminCanDisable: m.Get("admin_can_disable").Bool(ps, "admin_can_disable"),
			Purposes:        r.reflist(m.Get("purposes"), "purpose"),
			Categories:      r.reflist(m.Get("categories"), "category"),
			Classes:         r.reflist(m.Get("classes"), "class"),
			Sync:            r.ref(m.Get("sync"), "purpose"),
			Facts:           r.facts(m),
		}
		f.Affects = r.choice(m, "affects", affected)
		b.Features = append(b.Features, f)
	})
	r.each(doc.Get("data_sources"), "data source", func(m *source.Map) {
		r.mark("data_sources", len(b.DataSources), m)
		s := bundle.DataSource{
			Key:        r.id(m.Need("key"), "data source"),
			Source:     r.ref(m.Get("source"), "source"),
			Parent:     m.Get("parent").Text(ps, "parent").Value,
			Categories: r.reflist(m.Get("categories"), "category"),
			Facts:      r.facts(m),
		}
		r.each(m.Get("flows"), "flow", func(m *source.Map) {
			s.Flows = append(s.Flows, bundle.DataFlow{Purpose: r.ref(m.Need("purpose"), "purpose"), Categories: r.reflist(m.Get("categories"), "category")})
		})
		if purposes := m.Get("purposes"); purposes.Present() || len(s.Flows) == 0 {
			s.Purposes = r.reflist(m.Need("purposes"), "purpose")
		}
		b.DataSources = append(b.DataSources, s)
	})
	r.consent(doc.Get("consent"))
	r.each(doc.Get("residency"), "residency rule", func(m *source.Map) {
		r.mark("residency", len(b.Residency), m)
		c := bundle.Residency{
			Clause:  r.clause(m, "residency rule"),
			StoreIn: r.place(m.Get("store_in")),
			StaffIn: r.place(m.Get("staff_in")),
		}
		r.topic(m, c.ID)
		b.Residency = append(b.Residency, c)
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
	r.deadlines(doc)
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
	for _, k := range r.b.Calendars {
		known["calendar"] = append(known["calendar"], k.Name)
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
