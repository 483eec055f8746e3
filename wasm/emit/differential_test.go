package emit

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/conform/rulegen"
	"github.com/privetdev/privet/internal/expr"
)

var long = flag.Bool("long", false, "ask modules about 1,000,000 random fields and 100,000 random texts, of 200 random policies, instead of some thousands")

// An equal is a module and the classifier that it must agree with in everything.
type equal struct {
	module  *classifier
	native  *classify.Classifier
	scanner *classify.Scanner

	fields, labelled, several, spans, texts, findings int
}

func newEqual(t testing.TB, data []byte) *equal {
	t.Helper()
	native, err := classify.Open(data)
	require.NoError(t, err)
	s := native.NewScanner()
	s.MaxValue = 0
	return &equal{module: newClassifier(t, data, Options{}), native: native, scanner: s}
}

// field asks both about a field. Every few fields it also asks about the name and the
// value alone, by the call for that.
func (e *equal) field(t testing.TB, f classify.Field) {
	t.Helper()
	want := e.native.Field(f)
	if got := e.module.field(t, f); !rulegen.Equal(want, got) {
		require.Equal(t, want, got, "%.3000s", fmt.Sprintf("%+q", f))
	}
	s := e.scanner
	if len(f.Tags) > 0 {
		s.NoMemory = true
		s.Append(nil, &f)
		require.Equal(t, s.UnknownTag(), e.module.flags&1 == 1, "%.3000q", f.Tags)
	}
	e.fields++
	for i := range want {
		e.spans += len(want[i].Spans)
	}
	e.labelled += min(len(want), 1)
	e.several += min(len(want)/2, 1)
	if e.fields%4 == 0 {
		want := e.native.Field(classify.Field{Name: f.Name, Value: f.Value})
		for i := range want {
			want[i].Spans = nil
		}
		if got := e.module.named(t, f.Name, f.Value); !rulegen.Equal(want, got) {
			require.Equal(t, want, got, "%.3000q %.3000q", f.Name, f.Value)
		}
	}
}

// text asks both what they find in a text.
func (e *equal) text(t testing.TB, text string) {
	t.Helper()
	want := e.scanner.Scan(nil, text)
	if got := e.module.scan(t, text); !slices.Equal(want, got) {
		require.Equal(t, want, got, "%.3000q", text)
	}
	e.texts++
	e.findings += len(want)
}

func (e *equal) add(o *equal) {
	e.fields += o.fields
	e.labelled += o.labelled
	e.several += o.several
	e.spans += o.spans
	e.texts += o.texts
	e.findings += o.findings
}

func (e *equal) String() string {
	return fmt.Sprintf("%d fields, %d with labels, %d with several, %d spans; %d texts, %d findings", e.fields, e.labelled, e.several, e.spans, e.texts, e.findings)
}

// A forger makes fields and texts for the built-in set out of its cases and the words
// that its rules ask about.
type forger struct {
	mixer
	fields []classify.Field
	words  []string
	keys   []string
}

func newForger(t testing.TB, cl *bundle.Classification, seed uint64) *forger {
	t.Helper()
	fields, err := caseFields()
	require.NoError(t, err)
	f := &forger{mixer: mixer{rand.New(rand.NewPCG(seed, 17)), caseValues(t)}, fields: fields, keys: []string{"privacy", "privet.category", "x", "pii", "a", "table"}}
	add := func(p *expr.Program) {
		if p == nil {
			return
		}
		for _, c := range p.Consts {
			switch c.Kind() {
			case expr.KindString:
				f.words = append(f.words, c.AsString())
			case expr.KindList:
				for i := range c.Len() {
					if e := c.At(i); e.Kind() == expr.KindString {
						f.words = append(f.words, e.AsString())
					}
				}
			}
		}
	}
	for _, r := range cl.Rules {
		add(r.When)
	}
	for _, d := range cl.Detectors {
		add(d.Check)
		f.words = append(f.words, d.Context...)
	}
	require.Greater(t, len(f.words), 1000)
	return f
}

func (f *forger) one(of ...string) string { return of[f.IntN(len(of))] }

func (f *forger) name() string {
	var b strings.Builder
	for range f.IntN(5) {
		w := f.words[f.IntN(len(f.words))]
		switch f.IntN(5) {
		case 0:
			w = strings.ToUpper(w)
		case 1:
			w = strings.ToUpper(w[:min(1, len(w))]) + w[min(1, len(w)):]
		case 2:
			w = f.fields[f.IntN(len(f.fields))].Name
		}
		b.WriteString(w)
		b.WriteString(f.one("", "_", ".", " ", "2", "é", "\xff", "s", "-", "No"))
	}
	name := b.String()
	switch f.IntN(40) {
	case 0:
		name = strings.Repeat(name, 1+f.IntN(60))
	case 1:
		name = strings.Repeat(f.one("a", "é", "日_", "A1"), 340+f.IntN(340)) + name
	}
	return name
}

func (f *forger) entries() map[string]string {
	if f.IntN(3) > 0 {
		return nil
	}
	m := map[string]string{}
	for range f.IntN(5) {
		key := f.keys[f.IntN(len(f.keys))]
		if key[0] == 'p' && f.IntN(3) > 0 {
			key = f.name()
		}
		m[key] = f.one("1", "", "user", " user.contact.email , nobody", "user,,system", "yes", "\xff", f.words[f.IntN(len(f.words))])
	}
	if f.IntN(60) == 0 {
		for i := range 80 {
			m[fmt.Sprint("k", f.IntN(1000), i)] = "v"
		}
	}
	return m
}

func (f *forger) field() classify.Field {
	if f.IntN(4) == 0 { // a case with something changed
		g := f.fields[f.IntN(len(f.fields))]
		switch f.IntN(6) {
		case 0:
			g.Name = f.name()
		case 1:
			g.Value = f.text()
		case 2:
			g.Tags = f.entries()
		case 3:
			g.Path = f.name()
		case 4:
			g.Name, g.Path = g.Path, g.Name
		}
		return g
	}
	g := classify.Field{Name: f.name(), Tags: f.entries(), Context: f.entries()}
	switch f.IntN(3) {
	case 0:
		g.Value = f.one("", "true", "12", "x", "2024-01-01", f.name())
	case 1:
		g.Value = f.text()
	default:
		g.Value = f.pieces[f.IntN(len(f.pieces))]
	}
	if f.IntN(3) == 0 {
		g.Path = f.one("user.", "a[0].", "server.", "") + f.name()
		g.Type = f.one("string", "int", "timestamp", "bool", "\xff", strings.Repeat("é", 100))
		g.Source = f.one("users", "server_logs", f.words[f.IntN(len(f.words))])
		g.Description = f.words[f.IntN(len(f.words))] + " of the " + f.text()
	}
	return g
}

// TestModuleIsNative asks the module of the built-in set, and those of random policies,
// what native code says as well.
func TestModuleIsNative(t *testing.T) {
	fields, texts, policies, fieldsOf, textsOf := 4000, 1000, 12, 100, 40
	if *long {
		fields, texts, policies, fieldsOf, textsOf = 500_000, 50_000, 200, 2_500, 250
	}
	t.Run("built-in", func(t *testing.T) {
		data, err := builtinBundle()
		require.NoError(t, err)
		b, err := bundle.Decode(data)
		require.NoError(t, err)
		e := newEqual(t, data)
		f := newForger(t, &b.Classification, 1)
		for i := range max(fields, texts) {
			if i < fields {
				e.field(t, f.field())
			}
			if i < texts {
				e.text(t, f.text())
			}
		}
		t.Log(e)
		assert.Greater(t, e.labelled, e.fields/3)
		assert.Greater(t, e.several, e.fields/20)
		assert.Greater(t, e.spans, e.fields/10)
		assert.Greater(t, e.findings, e.texts/2)
	})
	t.Run("random", func(t *testing.T) {
		var sum equal
		refused := 0
		for seed := range uint64(policies) {
			if !t.Run(fmt.Sprint("policy ", seed), func(t *testing.T) {
				g := rulegen.New(rulegen.Seeded(seed))
				cl := g.Policy(60, 12, condition)
				b := bundle.Bundle{Name: "test", Classification: *cl}
				data, err := b.Encode()
				require.NoError(t, err)
				if _, err := classify.Open(data); err != nil {
					refused++
					return // it is none
				}
				e := newEqual(t, data)
				for _, f := range g.TextFields(fieldsOf) {
					e.field(t, f)
				}
				for range textsOf {
					e.text(t, g.Text())
				}
				sum.add(e)
			}) && !*long {
				break
			}
		}
		t.Logf("%v; %d policies, of which %d are none", &sum, policies, refused)
		assert.Less(t, refused, policies/4)
		assert.Greater(t, sum.labelled, sum.fields/4)
		assert.Greater(t, sum.several, sum.fields/20)
		assert.Greater(t, sum.spans, sum.fields/20)
		assert.Greater(t, sum.findings, sum.texts/3)
	})
}

// What one call has made known must not be known to the next: fields and texts in any
// order, with calls in between that are refused half-way.
func TestNothingStaysOfACall(t *testing.T) {
	g := rulegen.New(rulegen.Seeded(77))
	cl := g.Policy(40, 12, condition)
	e := newEqual(t, bundleOf(t, *cl))
	fields := g.TextFields(60)
	r := rand.New(rand.NewPCG(8, 8))
	refused := 0
	for range 1500 {
		f := fields[r.IntN(len(fields))]
		switch r.IntN(4) {
		case 0:
			e.text(t, f.Value)
		case 1:
			if f.Tags == nil {
				f.Tags = map[string]string{}
			} else {
				f.Tags = map[string]string{"x": f.Tags["x"]}
			}
			f.Tags["privacy"], f.Tags["privet.category"] = "user.name", "system,user.device"
			request := record(&f)
			switch r.IntN(3) {
			case 0:
				request += "\x00"
			case 1:
				request = request[:len(request)-1-r.IntN(8)]
			default:
				at := r.IntN(len(request))
				request = request[:at] + "\xff" + request[at+1:]
			}
			if e.module.call(t, "pv1_classify_record", 1, e.module.put(t, request)[0], len(request)) < 0 {
				refused++
			}
			want := e.native.Field(classify.Field{Name: f.Name})
			if got := e.module.named(t, f.Name, ""); !rulegen.Equal(want, got) {
				require.Equal(t, want, got, "after a request that was refused")
			}
		default:
			e.field(t, f)
		}
	}
	assert.Greater(t, refused, 200)
}

// fuzzed are the modules that fuzzing asks: that of the built-in set, and one with
// everything that detectors may have.
func fuzzed(f *testing.F) []*equal {
	data, err := builtinBundle()
	require.NoError(f, err)
	return []*equal{newEqual(f, data), newEqual(f, bundleOf(f, oddDetectors(f)))}
}

// fuzzMost is how many bytes of one input are asked about. Longer texts are asked of the
// built-in set alone: the patterns of the other are such that matches begin everywhere
// and end at the end, for which package find has work for so many bytes, whatever it is.
const fuzzMost = 8 << 10
const fuzzOdd = rulegen.MaxText

func FuzzModuleField(f *testing.F) {
	fields, err := caseFields()
	require.NoError(f, err)
	for i := 0; i < len(fields); i += 150 {
		c := &fields[i]
		f.Add(c.Name, c.Path, c.Type, c.Source, c.Description, c.Value, "privacy", "user", "a", "b")
	}
	f.Add("mail_tag", "\xff", strings.Repeat("é", 80), "", "d", "(1(2(3(4(5a)))))", "privet.category", "user.contact , x", "k", "v")
	modules := fuzzed(f)
	f.Fuzz(func(t *testing.T, name, path, kind, source, description, value, tag, said, key, context string) {
		if len(name)+len(path)+len(kind)+len(source)+len(description)+len(value)+len(tag)+len(said)+len(key)+len(context) > fuzzMost {
			return
		}
		for i, e := range modules {
			if i > 0 && len(value) > fuzzOdd {
				continue
			}
			e.field(t, classify.Field{Name: name, Path: path, Type: kind, Source: source, Description: description, Value: value,
				Tags: map[string]string{tag: said, key: tag}, Context: map[string]string{key: context, "k": said}})
		}
	})
}

func FuzzModuleText(f *testing.F) {
	fields, err := caseFields()
	require.NoError(f, err)
	for i := 0; i < len(fields); i += 100 {
		f.Add(fields[i].Value)
	}
	f.Add("(1(2(3(4(5a))))) id: ab12 badge AB 12 34 C1 7 {a1a} =a2+b4= ;" + strings.Repeat("q", 40) + "77")
	modules := fuzzed(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > fuzzMost {
			return
		}
		for i, e := range modules {
			if i > 0 && len(text) > fuzzOdd {
				continue
			}
			e.text(t, text)
			e.field(t, classify.Field{Name: text[:len(text)/8], Value: text})
		}
	})
}

// FuzzModulePolicy lets the fuzzer write the policy and what is asked about it.
func FuzzModulePolicy(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(6) {
		choose, b := rulegen.Seeded(seed), make([]byte, 900)
		for i := range b {
			b[i] = byte(choose.Pick(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return
		}
		g := rulegen.New(rulegen.Bytes(b))
		cl := g.Policy(10, 4, func(env *expr.Env, text string) *expr.Program { return condition(env, text) })
		made := bundle.Bundle{Name: "test", Classification: *cl}
		data, err := made.Encode()
		require.NoError(t, err)
		if _, err := classify.Open(data); err != nil {
			return
		}
		e := newEqual(t, data)
		for _, field := range g.TextFields(6) {
			e.field(t, field)
		}
		for range 6 {
			e.text(t, g.Text())
		}
	})
}
