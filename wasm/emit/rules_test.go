package emit

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/conform/rulegen"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
)

// condition compiles the condition of a rule.
func condition(env *expr.Env, text string) *expr.Program {
	return celrules.Expr(env, source.Plain("test", text), expr.TBool, new(source.Problems))
}

// ruled is a classification with rules of the form "confidence category: condition" and
// the categories that they name.
func ruled(t testing.TB, lines ...string) bundle.Classification {
	t.Helper()
	cl := bundle.Classification{Threshold: 400}
	known := map[string]bool{}
	for i, line := range lines {
		head, when, ok := strings.Cut(line, ": ")
		require.True(t, ok, line)
		var confidence uint16
		var category string
		_, err := fmt.Sscan(head, &confidence, &category)
		require.NoError(t, err)
		for key := category; ; key = key[:strings.LastIndexByte(key, '.')] {
			if !known[key] {
				known[key] = true
				cl.Categories = append(cl.Categories, bundle.Category{Key: key})
			}
			if !strings.Contains(key, ".") {
				break
			}
		}
		p := condition(profile.Field, when)
		require.NotNil(t, p, when)
		cl.Rules = append(cl.Rules, bundle.Rule{ID: fmt.Sprintf("test/%d", i), Category: category, Confidence: confidence, When: p})
	}
	return cl
}

// Twins are a module and the classifier that it must agree with.
type twins struct {
	module *classifier
	native *classify.Classifier
}

func newTwins(t testing.TB, cl bundle.Classification) *twins {
	t.Helper()
	data := bundleOf(t, cl)
	native, err := classify.Open(data)
	require.NoError(t, err)
	return &twins{newClassifier(t, data, Options{}), native}
}

// agree asks both about a field and returns what they say.
func (p *twins) agree(t testing.TB, f classify.Field) []classify.Label {
	t.Helper()
	want := p.native.Field(f)
	got := p.module.field(t, f)
	if !rulegen.Equal(want, got) {
		require.Equal(t, want, got, "%.3000s", fmt.Sprintf("%+q", f))
	}
	s := p.native.NewScanner()
	s.NoMemory = true
	s.Append(nil, &f)
	require.Equal(t, s.UnknownTag(), p.module.flags&1 == 1, "%+q", f)
	return want
}

// without takes detectors away from what rulegen makes.
func without(cl *bundle.Classification) bundle.Classification {
	out := *cl
	out.Detectors, out.Suppress, out.Adjust = nil, nil, nil
	return out
}

func TestRandomRules(t *testing.T) {
	labelled, several, fields := 0, 0, 0
	for seed := range uint64(40) {
		g := rulegen.New(rulegen.Seeded(seed))
		cl, _ := rulegen.Classification(g.Rules(60), condition)
		if seed%2 == 0 {
			*cl = without(cl)
		}
		p := newTwins(t, *cl)
		for _, f := range g.Fields(60) {
			labels := p.agree(t, f)
			fields++
			if len(labels) > 0 {
				labelled++
			}
			if len(labels) > 1 {
				several++
			}
		}
	}
	t.Logf("%d fields, %d with labels, %d with several", fields, labelled, several)
	assert.Greater(t, labelled, fields/4)
	assert.Greater(t, several, fields/20)
}

func TestBuiltinRules(t *testing.T) {
	data, err := builtinBundle()
	require.NoError(t, err)
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	p := newTwins(t, without(&b.Classification))
	r := rand.New(rand.NewPCG(5, 6))
	var words []string
	for _, rule := range b.Classification.Rules {
		for _, c := range rule.When.Consts {
			switch c.Kind() {
			case expr.KindString:
				words = append(words, c.AsString())
			case expr.KindList:
				for i := range c.Len() {
					if e := c.At(i); e.Kind() == expr.KindString {
						words = append(words, e.AsString())
					}
				}
			}
		}
	}
	require.Greater(t, len(words), 500)
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	labelled := 0
	const fields = 6000
	for range fields {
		name := ""
		for range 1 + r.IntN(4) {
			w := words[r.IntN(len(words))]
			switch r.IntN(4) {
			case 0:
				w = strings.ToUpper(w)
			case 1:
				w = strings.ToUpper(w[:min(1, len(w))]) + w[min(1, len(w)):]
			}
			name += w + one("", "_", ".", " ", "2", "é", "\xff")
		}
		f := classify.Field{Name: name}
		if r.IntN(4) == 0 {
			f.Path = one("user.", "a[0].", "server.", "") + name
			f.Type = one("string", "int", "timestamp", "bool")
			f.Source = one("users", "server_logs", words[r.IntN(len(words))])
			f.Description = words[r.IntN(len(words))] + " of the " + words[r.IntN(len(words))]
		}
		if r.IntN(4) == 0 {
			f.Value = one("true", "12", "jane@example.com", "x", "2024-01-01")
		}
		if len(p.agree(t, f)) > 0 {
			labelled++
		}
	}
	t.Logf("%d of %d with labels", labelled, fields)
	assert.Greater(t, labelled, fields/4)
}

// Each thing that a condition can be made of, where it holds and where it does not.
func TestConditions(t *testing.T) {
	deep := `"a" in field.words`
	for i := range 40 {
		deep = fmt.Sprintf(`(field.name.contains("%c") %s (%s))`, 'a'+i%3, []string{"&&", "||"}[i%2], deep)
	}
	for _, when := range []string{
		`true`, `false`, `!false`, `field.name == ""`, `field.name != "a"`, `field.name.matches("^$")`, `field.name.matches("")`, `value == ""`, `value.matches("^.{3}$")`,
		`field.name.startsWith("a")`, `field.name.endsWith("é")`, `field.name.contains("日")`, `!field.name.contains("a") && field.type == "b"`,
		`field.name.lowerAscii().startsWith("ab")`, `field.name.lowerAscii() in ["ab", "ba", "é"]`, `field.type in ["a", "b"] || field.source in ["ab"]`,
		`field.words == ["a"]`, `field.words == ["a", "b"]`, `field.words != ["a", "b"]`, `field.words.hasAny(["a", "b", "ab"])`, `field.words.hasAll(["a", "b"])`, `!field.words.hasAny(["a", "b"]) && field.name != ""`,
		`field.words.hasAny([])`, `field.words.hasAll([])`, `field.words.size() == 2`, `field.words.size() > 1 && field.words[1] == "b"`, `field.words[1] == "b"`, `!(field.words[1] == "b")`,
		`field.words[1] == "b" || field.name.startsWith("a")`, `field.words[1] == "b" && field.name.startsWith("b")`, `!(field.words[1] == "b" && field.name.startsWith("a"))`,
		`field.tags["a"] == "b"`, `"a" in field.tags`, `!("a" in field.tags) && field.tags.size() > 0`, `field.tags.exists(k, k.startsWith("b"))`, `context["a"] == "b" || value == "a"`, `has(context.b)`,
		`value.matches("[ab]*a[ab]{13}c")`, `value.matches("[ab]*a[ab]{13}c$")`, `value.matches("\\b[ab]+\\b é")`, `field.name.matches("(?i)é")`, `field.name.matches("[ab]*a[ab]{13}c") && value == ""`,
		`(value + "x").matches("^a.*x$")`, `(value + "é").matches("[ab]*a[ab]{13}é")`, `(field.name + value).matches("^$")`, `field.words.exists(w, w.matches("^b"))`,
		deep,
	} {
		p := newTwins(t, ruled(t, "800 user.a: "+when, "750 user.b: field.description == \"x\""))
		texts := []string{"", "a", "b", "ab", "a b", "b_a", "aB", "é", "aé", "ab é", "日本", "\xff", "a\xffb", "a\nb", "abc", "AB", "abaé", strings.Repeat("ab", 10) + "c", "c" + strings.Repeat("ab", 20) + "c é", strings.Repeat("é", 3), "b b", "abé", "z", strings.Repeat("ab", 9)}
		held, others := 0, 0
		r := rand.New(rand.NewPCG(1, 2))
		pick := func() string { return texts[r.IntN(len(texts))] }
		for i := range 500 {
			f := classify.Field{Name: texts[i%len(texts)], Value: texts[i%len(texts)], Tags: map[string]string{"a": []string{"b", "c"}[i%2]}}
			if i >= len(texts) {
				f = classify.Field{Name: pick(), Type: pick(), Source: pick(), Value: pick(), Tags: map[string]string{pick(): pick(), pick(): pick()}, Context: map[string]string{pick(): pick()}}
			}
			if len(p.agree(t, f)) > 0 {
				held++
			} else {
				others++
			}
		}
		if when != "false" && when != "true" && when != "!false" && !strings.Contains(when, "([])") && when != `field.name.matches("")` {
			assert.Positive(t, held, when)
			assert.Positive(t, others, when)
		}
	}
}

func TestLongTexts(t *testing.T) {
	p := newTwins(t, ruled(t, `800 user.a: value.endsWith("z")`, `800 user.b: field.name.endsWith("z")`, `800 user.c: field.description.endsWith("z") || field.type.endsWith("z")`, `800 user.d: field.path.endsWith("z") || field.source.endsWith("z")`))
	for _, size := range []int{100, 120, 127, 128, 129, 1023, 1024, 1025, 4095, 4096, 4097, 65535, 65536, 65537} {
		for _, unit := range []string{"a", "é", "日", "\x80"} {
			for _, end := range []string{"z", "zé", "z日", "z\x80\x80", "za"} {
				s := strings.Repeat(unit, size/len(unit))
				s = s[:len(s)-min(len(s), len(end))] + end
				p.agree(t, classify.Field{Name: s, Value: s, Type: s, Description: s, Path: s, Source: s})
			}
		}
	}
}

func TestTagsThatDeclare(t *testing.T) {
	p := newTwins(t, ruled(t, `800 user.a: field.name == "a"`, `900 user.b: field.name == "a"`, `800 system.a: field.name == "b"`))
	const strong, weak = "privet.category", "privacy"
	spaces := []string{" ", "\t", "\n", "\v", "\f", "\r", "\u0085", "\u00a0", "\u1680", "\u2000", "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e", "\x85", "\xa0", "\x00", "\x1c", "\ufeff"}
	var tags []string
	for _, s := range spaces {
		tags = append(tags, s+"user.a"+s, s+s+"user.b", s)
	}
	tags = append(tags, "", ",", "user", "user.a", "user.a,user.b", "user.b, user.a,user.b", "nobody", "user.a,nobody", "nobody,,", "user.", ".", "user.aa", "user.A", "system,user", "zzz", "a", "user.a\x00")
	declared := 0
	for _, a := range tags {
		for i, b := range tags {
			if a != "" && i%9 != 0 {
				continue
			}
			for _, name := range []string{"a", "b", ""} {
				for _, f := range []classify.Field{{Tags: map[string]string{strong: a, weak: b}}, {Tags: map[string]string{weak: b, "x": a}}, {Tags: map[string]string{"privacy ": a}}} {
					f.Name = name
					for _, l := range p.agree(t, f) {
						if l.Rule == classify.Declared {
							declared++
						}
					}
					// Nothing stays of the tags.
					require.Equal(t, p.native.Field(classify.Field{Name: name}), p.module.named(t, name, ""))
				}
			}
		}
	}
	assert.Greater(t, declared, 1000)
}

// What expressions see of maps: their first entries in order, cut.
func TestMaps(t *testing.T) {
	p := newTwins(t, ruled(t, `800 user.a: field.tags.size() == 64`, `800 user.b: field.tags.all(k, k.size() < 100)`, `800 user.c: field.tags.exists(k, field.tags[k] == "yes")`,
		`800 user.d: context.exists(k, context[k].endsWith("z"))`, `800 user.e: "k10" in field.tags`, `800 user.f: context.size() == 2`, `800 user.g: field.tags.size() > 1 && field.tags.exists_one(k, field.tags[k] == "yes")`))
	r := rand.New(rand.NewPCG(3, 4))
	long := strings.Repeat("k", 1100)
	held := map[string]int{}
	for i := range 400 {
		f := classify.Field{Tags: map[string]string{}, Context: map[string]string{}}
		for range r.IntN([]int{4, 70, 300}[i%3]) {
			key := fmt.Sprintf("k%d", r.IntN(400))
			switch r.IntN(8) {
			case 0:
				key = long + key
			case 1:
				key = key + strings.Repeat("\x80", 1100) + key
			case 2:
				key = strings.Repeat("é", 511) + "日" + key
			case 3:
				key = "privacy"
			}
			f.Tags[key] = []string{"yes", "no", "", "nobody", strings.Repeat("z", 1100)}[r.IntN(5)]
			if r.IntN(20) == 0 {
				f.Context[key] = strings.Repeat("é", 510) + []string{"zé", "z", "éz", "éééz", "ééz"}[r.IntN(5)]
			}
		}
		for _, l := range p.agree(t, f) {
			held[l.Category]++
		}
	}
	assert.Len(t, held, 7, "%v", held)
}

func TestRequestsThatAreNone(t *testing.T) {
	p := newTwins(t, ruled(t, `800 user.a: field.tags.size() == 1`, `800 user.b: field.name == "abc"`))
	c := p.module
	ask := func(request string) int {
		t.Helper()
		return c.call(t, "pv1_classify_record", 1, c.put(t, request)[0], len(request))
	}
	good := record(&classify.Field{Name: "abc", Path: "p", Type: "t", Source: "s", Description: "d", Value: "v", Tags: map[string]string{"a": "b"}, Context: map[string]string{"c": "d", "e": ""}})
	require.Equal(t, 2, ask(good))
	for i := range len(good) {
		require.Equal(t, -8, ask(good[:i]), "%d bytes of it", i)
		require.Equal(t, 2, ask(good))
	}
	assert.Equal(t, -8, ask(good+"\x00"))
	for i := range len(good) {
		for _, b := range []byte{0, 1, 2, 0x7f, 0x80, 0xff, good[i] + 1, good[i] - 1} {
			ask(good[:i] + string([]byte{b}) + good[i+1:]) // must come back
		}
	}
	entries := func(n int, key func(i int) string) string {
		b := make([]byte, 24)
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
		for i := range n {
			k := key(i)
			b = append(binary.LittleEndian.AppendUint32(b, uint32(len(k))), k...)
			b = binary.LittleEndian.AppendUint32(b, 0)
		}
		return string(append(b, 0, 0, 0, 0))
	}
	for _, n := range []int{1, 2, 3, 63, 64, 65, 1000, 5000} {
		up := func(i int) string { return fmt.Sprintf("%05d", i) }
		assert.GreaterOrEqual(t, ask(entries(n, up)), 0, "%d", n)
		for _, i := range []int{0, n / 3, n / 2, n - 1} {
			for _, j := range []int{0, n / 3, n / 2, n - 1} {
				if i < j {
					swapped := func(k int) string {
						switch k {
						case i:
							k = j
						case j:
							k = i
						}
						return up(k)
					}
					assert.Equal(t, -8, ask(entries(n, swapped)), "%d keys, %d and %d change places", n, i, j)
				}
			}
			if i > 0 {
				assert.Equal(t, -8, ask(entries(n, func(k int) string {
					if k == i {
						k--
					}
					return up(k)
				})), "%d keys, %d is the one before", n, i)
			}
		}
	}
	assert.Equal(t, -8, ask(string(binary.LittleEndian.AppendUint32(make([]byte, 24), 1<<31))+good))
	require.Equal(t, 2, ask(good))
}

// The way in which rules yield to each other, with every confidence near a bound.
func TestYielding(t *testing.T) {
	confidences := []uint16{0, 1, 99, 100, 101, 350, 399, 400, 401, 499, 500, 501, 900, 1000}
	r := rand.New(rand.NewPCG(9, 10))
	several := 0
	for i := range 60 {
		var lines []string
		for range 12 {
			lines = append(lines, fmt.Sprintf("%d %s: field.name.contains(%q)", confidences[r.IntN(len(confidences))], []string{"user.a", "user.b", "user", "system.a", "system", "systems"}[r.IntN(6)], string(rune('a'+r.IntN(8)))))
		}
		cl := ruled(t, lines...)
		cl.Threshold = []uint16{0, 1, 400, 1000}[i%4]
		p := newTwins(t, cl)
		for range 60 {
			name := ""
			for range 1 + r.IntN(4) {
				name += string(rune('a' + r.IntN(8)))
			}
			if len(p.agree(t, classify.Field{Name: name})) > 1 {
				several++
			}
		}
	}
	assert.Greater(t, several, 200)
}

// What does not fit is refused with the rule's id.
func TestRulesThatAreRefused(t *testing.T) {
	cl := ruled(t, `800 user.a: field.name == "a"`)
	cl.Rules[0].Category = "nobody"
	p := newPlan(&cl)
	_, err := p.addRules()
	assert.ErrorContains(t, err, "rule test/0")
}

// What tells many characters apart is more than one table.
func TestManyCharacters(t *testing.T) {
	var lines []string
	const n = 30
	for i := range n {
		var list []string
		for j := range 100 {
			list = append(list, strconv.Quote(string(rune(0x4000+3*(100*i+j)))))
		}
		lines = append(lines, fmt.Sprintf(`800 user.a%d: field.name in [%s] && field.type.lowerAscii() != "x"`, i, strings.Join(list, ", ")))
	}
	p := newTwins(t, ruled(t, lines...))
	for i := range n {
		for _, d := range []rune{0, 1, 2, 3, 150, 297, 299} {
			assert.Len(t, p.agree(t, classify.Field{Name: string(rune(0x4000+300*i) + d)}), 1-min(int(d)%3, 1))
		}
	}
}

// Random patterns find what package scan finds, as atoms and in matches.
func TestRandomPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	var gen func(depth int) string
	gen = func(depth int) string {
		if depth == 0 || r.IntN(4) == 0 {
			return one("a", "b", "c", "é", "日", ".", "[ab]", "[^a]", `\\w`, `\\d`, `\\b`, `\\B`, "^", "$", `(?i:A)`, `\\pL`, "[^é]", `(?m:^)`, `(?m:$)`, " ", `\\z`, `\\A`, "(?s:.)", "k", "(?i:K)")
		}
		switch r.IntN(5) {
		case 0:
			return "(?:" + gen(depth-1) + "|" + gen(depth-1) + ")"
		case 1:
			return "(?:" + gen(depth-1) + ")" + one("*", "+", "?", "{2}", "{1,3}", "*?")
		}
		return gen(depth-1) + gen(depth-1)
	}
	texts := func() string {
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString(one("a", "b", "c", "é", "日", " ", "\n", "1", "A", "\xff", "\u212a", "k", "ab", "_"))
		}
		return b.String()
	}
	held := 0
	for round := range 12 {
		var lines []string
		for i := range 16 {
			pattern := gen(3)
			if i == round%4 {
				pattern = "[ab]*a[ab]{13}" + one("c", "$", "é") // has no automaton
			}
			when := fmt.Sprintf(`value.matches("%s")`, pattern)
			switch i % 4 {
			case 1:
				when = fmt.Sprintf(`value.lowerAscii().matches("%s")`, pattern)
			case 2:
				when = fmt.Sprintf(`(field.name + value).matches("%s")`, pattern)
			case 3:
				when = fmt.Sprintf(`field.type.matches("%s") || value == "x"`, pattern)
			}
			lines = append(lines, fmt.Sprintf("800 user.a%d: %s", i, when))
		}
		p := newTwins(t, ruled(t, lines...))
		for range 300 {
			f := classify.Field{Value: texts(), Name: texts(), Type: texts()}
			if r.IntN(10) == 0 {
				f.Value = strings.Repeat(one("ab", "b", "a"), 20) + f.Value
			}
			held += len(p.agree(t, f))
		}
	}
	assert.Greater(t, held, 2000)
}

// twenty is a policy of twenty rules of the usual kind.
func twenty(t testing.TB) bundle.Classification {
	var lines []string
	for i, w := range strings.Fields("email phone street city zip birth gender salary passport iban") {
		lines = append(lines, fmt.Sprintf(`%d user.%s: field.name.lowerAscii().contains(%q)`, 700+10*i, w, w))
		lines = append(lines, fmt.Sprintf(`%d user.%s: field.name.lowerAscii() in ["%s_no", "%s_id"] && field.type == "string"`, 800+10*i, w, w, w))
	}
	return ruled(t, lines...)
}

func TestSizeOfSmallModules(t *testing.T) {
	data := bundleOf(t, twenty(t))
	b, err := build(data, Options{}, fresh(t))
	require.NoError(t, err)
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(b.wasm)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	code := 0
	var names []string
	for name, n := range b.linked.Sizes {
		code += n
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return b.linked.Sizes[y] - b.linked.Sizes[x] })
	for _, name := range names[:min(len(names), 24)] {
		t.Logf("%6d %s", b.linked.Sizes[name], name)
	}
	t.Logf("%d bytes, code %d, deflated %d", len(b.wasm), code, packed.Len())
	assert.Less(t, packed.Len(), 8<<10)
}

func BenchmarkField(b *testing.B) {
	data, err := builtinBundle()
	require.NoError(b, err)
	whole, err := bundle.Decode(data)
	require.NoError(b, err)
	for _, policy := range []struct {
		name string
		cl   bundle.Classification
	}{{"twenty", twenty(b)}, {"builtin rules", without(&whole.Classification)}} {
		p := newTwins(b, policy.cl)
		for _, name := range []string{"contact_ph", "user_email"} {
			b.Run(policy.name+"/"+name, func(b *testing.B) {
				at := p.module.put(b, name, "+1 555 0100 0000")
				classify := p.module.m.ExportedFunction("pv1_classify_field")
				stack := make([]uint64, 5)
				for b.Loop() {
					stack[0], stack[1], stack[2], stack[3], stack[4] = 1, uint64(at[0]), uint64(len(name)), uint64(at[1]), 16
					if err := classify.CallWithStack(b.Context(), stack); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
