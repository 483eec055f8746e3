package policy

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// A test is an event of the policy file with what it wants of the result.
type test struct {
	name  source.Text
	facts []string
	event []byte // JSON
	want  []want
}

// A want is one expectation: a place in the result and what stands there.
type want struct {
	key  string // of the want section: outcome, fields, …
	path []string
	node source.Node
}

// A Report is the outcome of a policy's tests.
type Report struct {
	Policies int       // tests of the policy: events
	Rules    int       // tests of rules and detectors: true and false cases
	Failures []Problem // sorted by place
	Facts    []string  // facts of the sources that the tests name, sorted
	Untested []string  // rules and detectors of the file that lack a true or a false case, sorted
	Defined  int       // rules and detectors of the file
	Warnings []Problem // what is worth a look and fails nothing: retention rules that can never decide; sorted by place

	Cases []Case // every test: those of rules and detectors, then the events
	// Coverage is what the tests have seen of the conditions of the file's rules,
	// detectors and suppressions, in the order of the file.
	Coverage []celrules.Coverage
	// Unmeasured counts the other conditions of the file: those of consent,
	// residency, transforms, retention and export. They take no part in Coverage.
	Unmeasured int
	Bundle     *privacy.Bundle // what was tested
}

// A Case is one test and what became of it.
type Case struct {
	Kind string // rule, detector or event
	ID   string // of the rule or detector; empty for an event
	// Name is that of an event; a case of a rule or detector is named by its list and
	// its place there, such as match[0].
	Name         string
	File         string
	Line, Column int
	// Failures are fixed texts that hold nothing of the event or field; what came
	// out instead stands in Report.Failures. There are none if the test passed.
	Failures []string

	// Op is the operation, by its name in wasm/ABI.md, that another host is asked
	// to see whether it answers alike: process for an event; classify for a case of a
	// rule or detector, because a host labels fields and is not asked about one rule.
	Op      string
	Request []byte // JSON
	Answer  []byte // of the Go packages: JSON, an error if Refused
	Refused bool
}

// OK reports whether every test passed.
func (r *Report) OK() bool { return len(r.Failures) == 0 }

// Test compiles the policy text and runs the tests that stand in it: those of its
// rules and detectors, and its events. A file of nothing but rules and detectors is
// a policy too. Tests of policies that it extends are not run again. The error is
// that of [Compile]; a failed test is part of the report. Pseudonyms are made with
// [TestSecret], so that results are the same every time.
func Test(name string, text []byte) (*Report, error) {
	d, err := compile(name, text)
	if err != nil {
		return nil, err
	}
	g, err := privacy.Open(d.bundle, privacy.WithSecrets(testSecrets()))
	if err != nil {
		return nil, err
	}
	return d.test(g, source.Parse(name, text, new(source.Problems)))
}

// TestFile is Test for a file.
func TestFile(path string) (*Report, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Test(path, text)
}

// TestPack is Test for a policy that comes with Privet.
func TestPack(name string) (*Report, error) {
	text, err := packText(name)
	if err != nil {
		return nil, err
	}
	return Test("pack:"+name, text)
}

// fixed is a source of bytes that is no secret.
type fixed struct{}

func (fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// TestSecret is what pseudonyms are made with while tests run: version 1 of every
// tenant. It protects nothing.
func TestSecret() []byte {
	secret := make([]byte, pseudonym.SecretSize)
	_, _ = fixed{}.Read(secret)
	return secret
}

// testSecrets has the same secret for every tenant.
func testSecrets() pseudonym.SecretStore { return pseudonym.NewDevelopmentStore(fixed{}) }

// maxTests bounds the tests of one file.
const maxTests = 10_000

var wantKeys = []string{"outcome", "reason", "fields", "actions", "categories", "reasons", "rules", "ask", "obligations", "retention", "withheld", "linkability", "error"}

func readTests(ps *source.Problems, n source.Node) []test {
	items := n.List(ps, "tests")
	if len(items) > maxTests {
		n.Problem(ps, "more than "+strconv.Itoa(maxTests)+" tests", "split the file")
		return nil
	}
	var out []test
	names := map[string]bool{}
	for _, item := range items {
		m := item.Map(ps, "test")
		t := test{name: m.Need("name").Text(ps, "name"), facts: m.Get("facts").Strings(ps, "facts")}
		if names[t.name.Value] && t.name.Value != "" {
			m.Problem(ps, "two tests have the name "+strconv.Quote(t.name.Value), "rename one of the two")
		}
		names[t.name.Value] = true
		if event := m.Need("event"); event.Present() {
			event.Map(ps, "event")
			t.event = event.AppendJSON(nil)
		}
		wants := m.Need("want")
		w := wants.Map(ps, "want")
		for _, key := range w.Keys() {
			v := w.Get(key)
			if !slices.Contains(wantKeys, key) {
				ps.Add(w.File, w.KeyPos(key), "want has no key "+strconv.Quote(key), source.DidYouMean(key, wantKeys))
				continue
			}
			switch key {
			case "actions", "categories", "reasons", "rules", "obligations", "retention", "withheld":
				inner := v.Map(ps, key)
				for _, k := range inner.Keys() {
					t.want = append(t.want, want{key, []string{k}, inner.Get(k)})
				}
			default:
				t.want = append(t.want, want{key, nil, v})
			}
		}
		if wants.Present() && len(t.want) == 0 {
			wants.Problem(ps, "the test wants nothing, so it cannot fail", "want for example {outcome: deny, reason: FEATURE_OFF}")
		}
		m.Done()
		out = append(out, t)
	}
	return out
}

// test runs all tests. root is the file's text, read again for its places.
func (d *compiled) test(g *privacy.Guard, root source.Node) (*Report, error) {
	b, err := bundle.Decode(d.bundle.Bytes())
	if err != nil {
		return nil, err
	}
	c, err := classify.New(&b.Classification)
	if err != nil {
		return nil, err
	}
	doc := root.Map(new(source.Problems), "policy")
	meter, err := celrules.NewMeter(&b.Classification, doc, doc.Get("name").Text(new(source.Problems), "name").Value)
	if err != nil {
		return nil, err
	}
	report := &Report{
		Warnings: d.warnings,
		Policies: len(d.tests), Rules: len(d.cases), Untested: celrules.Untested(d.cases, d.ids), Defined: len(d.ids),
		Unmeasured: unmeasured(doc), Bundle: d.bundle,
	}
	ps := new(source.Problems)
	for _, o := range celrules.Run(c, d.cases) {
		meter.Case(o.Case)
		k := Case{Kind: "rule", ID: o.Case.ID(), Name: o.Name, File: o.File, Line: o.Line, Column: o.Column, Op: "classify", Request: appendField(nil, &o.Case.Field)}
		if o.Case.Detector != "" {
			k.Kind = "detector"
		}
		if !o.Passed() {
			o.Report(ps)
			k.Failures = []string{o.Problem}
		}
		k.answer(g.ClassifyJSON(nil, k.Request))
		report.Cases = append(report.Cases, k)
	}
	for i := range d.tests {
		t := &d.tests[i]
		report.Facts = append(report.Facts, t.facts...)
		at := t.name.Pos()
		k := Case{Kind: "event", Name: t.name.Value, File: t.name.File.Name, Line: at.Line, Column: at.Column, Op: "process", Request: t.event}
		out, err := g.ProcessJSON(context.Background(), nil, t.event, false)
		k.answer(out, err)
		k.Failures = t.judge(ps, out, err)
		eachField(t.event, meter.Field)
		report.Cases = append(report.Cases, k)
	}
	report.Coverage = meter.Coverage()
	slices.Sort(report.Facts)
	report.Facts = slices.Compact(report.Facts)
	if err := ps.Err(); err != nil {
		report.Failures = err.(*source.Error).Problems
	}
	return report, nil
}

// answer notes what the Go packages say.
func (k *Case) answer(out []byte, err error) {
	if k.Answer, k.Refused = out, err != nil; k.Refused {
		k.Answer = privacy.AppendErrorJSON(nil, err)
	}
}

// appendField writes a field as the operation classify reads it.
func appendField(dst []byte, f *classify.Field) []byte {
	w := jsondoc.Writer{Buf: dst}
	text := func(key, s string) {
		if s != "" {
			w.Name(key)
			w.String(s)
		}
	}
	texts := func(key string, m map[string]string) {
		if len(m) == 0 {
			return
		}
		w.Name(key)
		w.Open('{')
		for _, k := range slices.Sorted(maps.Keys(m)) {
			w.Key(k)
			w.String(m[k])
		}
		w.Close('}')
	}
	w.Open('{')
	texts("context", f.Context)
	text("description", f.Description)
	text("name", f.Name)
	text("path", f.Path)
	text("source", f.Source)
	texts("tags", f.Tags)
	text("type", f.Type)
	text("value", f.Value)
	w.Close('}')
	return w.Buf
}

// eachField calls f with the fields of an event as rules and detectors see them.
func eachField(event []byte, f func(*classify.Field)) {
	var doc jsondoc.Doc
	if doc.Parse(string(event), jsondoc.Limits{}) != nil || len(doc.Nodes) == 0 {
		return
	}
	top := doc.Member(0, "fields")
	if top < 0 {
		return
	}
	texts := map[string]string{}
	if c := doc.Member(0, "context"); c >= 0 && doc.Nodes[c].Kind == jsondoc.Object {
		for _, m := range doc.Children(c) {
			texts[doc.Nodes[m].Key] = doc.Nodes[m].Text
		}
	}
	types := map[jsondoc.Kind]string{jsondoc.Bool: "bool", jsondoc.Number: "number", jsondoc.String: "string", jsondoc.Null: "null", jsondoc.Array: "list", jsondoc.Object: "map"}
	var walk func(node int32, name, path string)
	walk = func(node int32, name, path string) {
		n := &doc.Nodes[node]
		switch {
		case doc.Len(node) == 0 && node != top:
			f(&classify.Field{Name: name, Path: path, Type: types[n.Kind], Value: n.Text, Context: texts})
		case n.Kind == jsondoc.Object:
			for _, c := range doc.Children(node) {
				key := doc.Nodes[c].Key
				switch {
				case key == "" || strings.ContainsAny(key, ".[]\""):
					walk(c, key, path+"["+string(jsondoc.AppendString(nil, key))+"]")
				case path == "":
					walk(c, key, key)
				default:
					walk(c, key, path+"."+key)
				}
			}
		default:
			for i, c := range doc.Children(node) {
				walk(c, name, path+"["+strconv.Itoa(i)+"]")
			}
		}
	}
	walk(top, "", "")
}

// unmeasured counts the conditions of a file that are not about classification.
func unmeasured(doc *source.Map) int {
	ps, count := new(source.Problems), 0
	add := func(m *source.Map, lists ...string) {
		for _, list := range lists {
			for _, n := range m.Get(list).List(ps, list) {
				entry := n.Map(ps, list)
				for _, key := range []string{"when", "store_in", "staff_in"} {
					if entry.Get(key).Present() {
						count++
					}
				}
			}
		}
	}
	add(doc, "applies", "residency", "transform", "retention")
	add(doc.Get("consent").Map(ps, "consent"), "prohibitions", "requirements", "obligations", "duties", "recipients", "overrides")
	add(doc.Get("export").Map(ps, "export"), "withhold")
	return count
}

// judge compares what came out with what is wanted. It returns the failures without
// what came out, and adds them with it to ps.
func (t *test) judge(ps *source.Problems, out []byte, err error) (failures []string) {
	fail := func(at source.Pos, brief, problem, mend string) {
		name := "test " + strconv.Quote(t.name.Value) + ": "
		ps.Add(t.name.File, at, name+problem, mend)
		failures = append(failures, name+brief)
	}
	var doc jsondoc.Doc
	if err == nil {
		if e := doc.Parse(string(out), jsondoc.Limits{}); e != nil {
			fail(t.name.Pos(), "the result is not JSON", "the result is not JSON", "")
			return failures
		}
	}
	wantsError := slices.ContainsFunc(t.want, func(w want) bool { return w.key == "error" })
	if err != nil && !wantsError {
		fail(t.name.Pos(), "could not be decided", "could not be decided: "+err.Error(), "want: {error: …} expects that")
		return failures
	}
	for _, w := range t.want {
		var got string
		switch w.key {
		case "error":
			got = "none"
			if err != nil {
				got = err.Error()
			}
			if text := w.node.Text(ps, "error").Value; !strings.Contains(got, text) {
				fail(w.node.Pos(), "the error is not the wanted one", "wants an error that says "+strconv.Quote(text)+", got: "+got, "")
			}
			continue
		case "outcome", "reason", "linkability":
			got = string(jsondoc.AppendString(nil, doc.Nodes[doc.Member(0, w.key)].Text))
		case "fields":
			got = string(doc.Append(nil, doc.Member(0, "fields")))
		case "actions", "reasons", "rules":
			got = decision(&doc, w.path[0], strings.TrimSuffix(w.key, "s"))
		case "categories":
			got = decision(&doc, w.path[0], "category")
		case "retention":
			got = `""`
			if at := doc.Member(doc.Member(0, "retention"), w.path[0]); at >= 0 {
				got = string(doc.Append(nil, at))
			}
		case "obligations":
			got = `""`
			if at := doc.Member(0, "obligations"); at >= 0 {
				for _, c := range doc.Children(at) {
					if doc.Nodes[doc.Member(c, "rule")].Text == w.path[0] {
						got = string(jsondoc.AppendString(nil, doc.Nodes[doc.Member(c, "kind")].Text))
					}
				}
			}
		case "withheld":
			got = "0"
			if at := doc.Member(0, "withheld"); at >= 0 {
				for _, c := range doc.Children(at) {
					if doc.Nodes[doc.Member(c, "category")].Text == w.path[0] {
						got = doc.Nodes[doc.Member(c, "count")].Text
					}
				}
			}
		case "ask":
			var asked []string
			for _, c := range doc.Children(doc.Member(0, "ask")) {
				for _, p := range doc.Children(doc.Member(c, "purposes")) {
					asked = append(asked, doc.Nodes[p].Text)
				}
			}
			slices.Sort(asked)
			got = "["
			for i, p := range slices.Compact(asked) {
				if i > 0 {
					got += ","
				}
				got += strconv.Quote(p)
			}
			got += "]"
		}
		wanted := string(w.node.AppendJSON(nil))
		if !same(wanted, got) {
			what := w.key
			if len(w.path) > 0 {
				what += " of " + w.path[0]
			}
			fail(w.node.Pos(), what+" is not as wanted", what+" is "+got+", wanted "+wanted, "")
		}
	}
	return failures
}

// decision looks up what a result says of one field.
func decision(doc *jsondoc.Doc, path, key string) string {
	for _, c := range doc.Children(doc.Member(0, "decisions")) {
		if doc.Nodes[doc.Member(c, "path")].Text != path {
			continue
		}
		if key == "category" {
			labels := doc.Children(doc.Member(c, "labels"))
			if len(labels) == 0 {
				return `""`
			}
			return string(jsondoc.AppendString(nil, doc.Nodes[doc.Member(labels[0], "category")].Text))
		}
		if at := doc.Member(c, key); at >= 0 {
			return string(jsondoc.AppendString(nil, doc.Nodes[at].Text))
		}
		return `""`
	}
	return `"no such field"`
}

// anyToken in a wanted text stands for any pseudonym.
const anyToken = "p1_*"

// same compares JSON texts; a wanted p1_* matches any token.
func same(wanted, got string) bool {
	parts := strings.Split(wanted, anyToken)
	for i, part := range parts {
		if i == len(parts)-1 && i > 0 {
			return got == part
		}
		rest, ok := strings.CutPrefix(got, part)
		if !ok {
			return false
		}
		if i == len(parts)-1 {
			return rest == ""
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
		if end < 0 {
			end = len(rest)
		}
		if _, err := pseudonym.ParseToken(rest[:end]); err != nil {
			return false
		}
		got = rest[end:]
	}
	return true
}
