package policy

import (
	"context"
	"slices"
	"strconv"
	"strings"

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
}

// OK reports whether every test passed.
func (r *Report) OK() bool { return len(r.Failures) == 0 }

// Test compiles the policy text and runs the tests that stand in it: those of its
// rules and detectors, and its events. Tests of policies that it extends are not
// run again. The error is that of [Compile]; a failed test is part of the report.
// Pseudonyms are made with a fixed key, so that results are the same every time.
func Test(name string, text []byte) (*Report, error) {
	d, err := compile(name, text)
	if err != nil {
		return nil, err
	}
	g, err := privacy.Open(d.bundle, privacy.WithSecrets(testSecrets()))
	if err != nil {
		return nil, err
	}
	return d.test(func(event []byte) ([]byte, error) {
		return g.ProcessJSON(context.Background(), nil, event, false)
	})
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

// testSecrets has the same secret for every tenant.
func testSecrets() pseudonym.SecretStore { return pseudonym.NewDevelopmentStore(fixed{}) }

// maxTests bounds the tests of one file.
const maxTests = 10_000

var wantKeys = []string{"outcome", "reason", "fields", "actions", "categories", "reasons", "rules", "ask", "retention", "withheld", "linkability", "error"}

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
			case "actions", "categories", "reasons", "rules", "retention", "withheld":
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

// test runs all tests, events by the given path through the product.
func (d *compiled) test(process func([]byte) ([]byte, error)) (*Report, error) {
	report := &Report{Policies: len(d.tests)}
	ps := new(source.Problems)
	for i := range d.tests {
		t := &d.tests[i]
		report.Facts = append(report.Facts, t.facts...)
		t.run(ps, process)
	}
	if err := d.testRules(ps, report); err != nil {
		return nil, err
	}
	slices.Sort(report.Facts)
	report.Facts = slices.Compact(report.Facts)
	if err := ps.Err(); err != nil {
		report.Failures = err.(*source.Error).Problems
	}
	return report, nil
}

func (t *test) run(ps *source.Problems, process func([]byte) ([]byte, error)) {
	fail := func(at source.Pos, problem, mend string) {
		ps.Add(t.name.File, at, "test "+strconv.Quote(t.name.Value)+": "+problem, mend)
	}
	out, err := process(t.event)
	var doc jsondoc.Doc
	if err == nil {
		if e := doc.Parse(string(out), jsondoc.Limits{}); e != nil {
			fail(t.name.Pos(), "the result is not JSON", "")
			return
		}
	}
	wantsError := slices.ContainsFunc(t.want, func(w want) bool { return w.key == "error" })
	if err != nil && !wantsError {
		fail(t.name.Pos(), "could not be decided: "+err.Error(), "want: {error: …} expects that")
		return
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
				fail(w.node.Pos(), "wants an error that says "+strconv.Quote(text)+", got: "+got, "")
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
			fail(w.node.Pos(), what+" is "+got+", wanted "+wanted, "")
		}
	}
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
