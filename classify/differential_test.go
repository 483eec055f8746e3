package classify_test

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/conform/rulegen"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/source"
)

// The tests of this file know nothing of how a classifier finds the rules that hold.
// What it must answer follows from three things: whether each single condition holds,
// by [classify.Scanner.Asserts], which walks its tree; what the detectors find; and
// the documented way in which evidence is weighed, which rulegen.Labels takes step by
// step. Whether the walk itself is right is asked of cel-go, in package celrules.

// A subject is a random rule set with the classifier made of it.
type subject struct {
	rules []rulegen.Rule
	bytes []byte // of the bundle
	c     *classify.Classifier
	plain *classify.Scanner // evaluates single conditions
	whole *classify.Scanner // finds everything in values, however faint
}

// settings are those of a scanner that labels depend on.
type settings struct {
	threshold float64
	maxValue  int
	noContext bool
}

var usual = settings{threshold: 0.4}

func compileCEL(env *expr.Env, text string) *expr.Program {
	return celrules.Expr(env, source.Plain("test", text), expr.TBool, new(source.Problems))
}

// subjectOf compiles a rule set and takes it through a bundle, as it gets to a host.
func subjectOf(t testing.TB, rules []rulegen.Rule) *subject {
	t.Helper()
	cl, kept := rulegen.Classification(rules, compileCEL)
	b := bundle.Bundle{Name: "test", Classification: *cl}
	data, err := b.Encode()
	require.NoError(t, err)
	s := &subject{rules: kept, bytes: data}
	s.c = s.again(t)
	s.plain, s.whole = s.again(t).NewScanner(), s.c.NewScanner()
	s.whole.Threshold = 0
	return s
}

// again is an equal classifier that has seen nothing.
func (s *subject) again(t testing.TB) *classify.Classifier {
	t.Helper()
	c, err := classify.Open(s.bytes)
	require.NoError(t, err)
	return c
}

// want is what a field must have.
func (s *subject) want(f *classify.Field, with settings) []classify.Label {
	s.whole.MaxValue, s.whole.NoContext = with.maxValue, with.noContext
	value := f.Value
	if with.maxValue > 0 {
		value = rulegen.Cut(value, with.maxValue)
	}
	return rulegen.Labels(s.c, f, &rulegen.Question{
		Rules:     s.rules,
		Holds:     func(id string) bool { return s.plain.Asserts(id, f) },
		Value:     value,
		Found:     s.whole.Scan(nil, value),
		Threshold: with.threshold,
		NoContext: with.noContext,
	})
}

// An asker is a way of getting a field's labels.
type asker func(*classify.Field) []classify.Label

// differ asks for all fields, one after the other, and tells the first answer that
// is not what it must be, or "".
func (s *subject) differ(ask asker, fields []classify.Field, with settings) string {
	for i := range fields {
		f := &fields[i]
		if got, want := ask(f), s.want(f, with); !rulegen.Equal(got, want) {
			return s.tell(f, got, want)
		}
	}
	return ""
}

func (s *subject) tell(f *classify.Field, got, want []classify.Label) string {
	var b strings.Builder
	show := *f
	show.Name, show.Value, show.Description = short(f.Name), short(f.Value), short(f.Description)
	fmt.Fprintf(&b, "field %+q\n got %v\nwant %v\n", show, got, want)
	for _, r := range s.rules {
		if s.plain.Asserts(r.ID, f) {
			fmt.Fprintf(&b, "holds %s %d %s: %s\n", r.ID, r.Confidence, r.Category, r.When)
		} else if slices.ContainsFunc(got, func(l classify.Label) bool { return l.Rule == r.ID }) {
			fmt.Fprintf(&b, "does not hold %s %d %s: %s\n", r.ID, r.Confidence, r.Category, r.When)
		}
	}
	return b.String()
}

// short cuts the middle out of a long text.
func short(s string) string {
	if len(s) <= 200 {
		return s
	}
	return fmt.Sprintf("%s…(%d bytes)…%s", s[:80], len(s), s[len(s)-80:])
}

// scanning is the asker of a scanner. Without a change to it, it is like Field but
// for the cut of very long values.
func scanning(s *classify.Scanner, change func(*classify.Scanner)) asker {
	s.MaxValue = 0
	if change != nil {
		change(s)
	}
	return func(f *classify.Field) []classify.Label { return s.Append(nil, f) }
}

// ways are the ways in which a classifier is asked, each with its threshold.
func (s *subject) ways(t testing.TB) map[string]func(fields []classify.Field) string {
	noMemory := func(s *classify.Scanner) { s.NoMemory = true }
	return map[string]func([]classify.Field) string{
		"never seen, then seen": func(fields []classify.Field) string {
			ask := scanning(s.again(t).NewScanner(), nil)
			if d := s.differ(ask, fields, usual); d != "" {
				return d
			}
			return s.differ(ask, fields, usual)
		},
		"each by a new scanner": func(fields []classify.Field) string {
			c := s.again(t)
			return s.differ(func(f *classify.Field) []classify.Label { return scanning(c.NewScanner(), nil)(f) }, fields, usual)
		},
		"Field, backwards": func(fields []classify.Field) string {
			c := s.again(t)
			fields = slices.Clone(fields)
			slices.Reverse(fields)
			return s.differ(func(f *classify.Field) []classify.Label { return c.Field(*f) }, fields, usual)
		},
		"without memory": func(fields []classify.Field) string {
			return s.differ(scanning(s.again(t).NewScanner(), noMemory), fields, usual)
		},
		"seen, then without memory": func(fields []classify.Field) string {
			c := s.again(t)
			if d := s.differ(scanning(c.NewScanner(), nil), fields, usual); d != "" {
				return d
			}
			return s.differ(scanning(c.NewScanner(), noMemory), fields, usual)
		},
		"everything": func(fields []classify.Field) string {
			return s.differ(scanning(s.again(t).NewScanner(), func(s *classify.Scanner) { s.Threshold = 0 }), fields, settings{})
		},
		"only what is sure": func(fields []classify.Field) string {
			return s.differ(scanning(s.again(t).NewScanner(), func(s *classify.Scanner) { s.Threshold = 0.75 }), fields, settings{threshold: 0.75})
		},
		"the beginnings of values": func(fields []classify.Field) string { // for detectors; rules see them whole
			return s.differ(scanning(s.again(t).NewScanner(), func(s *classify.Scanner) { s.MaxValue = 6 }), fields, settings{threshold: 0.4, maxValue: 6})
		},
		"without context": func(fields []classify.Field) string {
			return s.differ(scanning(s.again(t).NewScanner(), func(s *classify.Scanner) { s.NoContext = true }), fields, settings{threshold: 0.4, noContext: true})
		},
		"one condition after a field": func(fields []classify.Field) string {
			// Asserts and Append by the same scanner do not disturb each other.
			scanner := s.again(t).NewScanner()
			ask := scanning(scanner, nil)
			return s.differ(func(f *classify.Field) []classify.Label {
				var holds []bool
				for _, r := range s.rules {
					holds = append(holds, scanner.Asserts(r.ID, f))
				}
				labels := ask(f)
				for i, r := range s.rules {
					if scanner.Asserts(r.ID, f) != holds[i] {
						return nil
					}
				}
				return labels
			}, fields, usual)
		},
	}
}

// generate makes a rule set with fields.
func generate(t testing.TB, choose rulegen.Chooser, rules, fields int) (*subject, []classify.Field) {
	g := rulegen.New(choose)
	written := g.Rules(rules)
	return subjectOf(t, written), g.Fields(fields)
}

func TestIndexed(t *testing.T) {
	sets, perSet := 120, 40
	if brief() {
		sets = 16
	}
	var written, fields, labelled, several, tied, byBoth int
	for seed := range sets {
		g := rulegen.New(rulegen.Seeded(uint64(seed)))
		rules := g.Rules(60)
		written += len(rules)
		s := subjectOf(t, rules)
		require.GreaterOrEqual(t, len(s.rules), len(rules)*9/10, "seed %d: most of what is written compiles", seed)
		asked := g.Fields(perSet)
		for name, way := range s.ways(t) {
			if d := way(asked); d != "" {
				t.Errorf("seed %d, %s:\n%s", seed, name, d)
			}
		}
		for i := range asked {
			labels := s.want(&asked[i], usual)
			fields++
			if len(labels) > 0 {
				labelled++
			}
			if len(labels) > 1 {
				several++
				if labels[0].Confidence == labels[1].Confidence {
					tied++
				}
			}
			if slices.ContainsFunc(labels, func(l classify.Label) bool { return l.Rule != "" && l.Detector != "" }) {
				byBoth++
			}
		}
		if t.Failed() {
			break
		}
	}
	// Fields that nothing is said about would agree with any engine.
	t.Logf("%d rules, %d fields: %d with labels, %d with several, %d with a tie, %d by rule and detector", written, fields, labelled, several, tied, byBoth)
	assert.Greater(t, labelled, fields/2, "fields with labels")
	assert.Greater(t, several, fields/5, "fields with several labels")
	assert.Greater(t, tied, fields/50, "fields with a tie")
	assert.Greater(t, byBoth, fields/400, "fields with labels by a rule and a detector")
}

// brief reports whether tests that ask very often should ask less: on demand, and with
// the race detector, which takes ten times as long.
func brief() bool {
	info, ok := debug.ReadBuildInfo()
	return testing.Short() || ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// FuzzIndexed lets the fuzzer write the rules and the fields.
func FuzzIndexed(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a rule set and some fields, by accident"))
	for seed := range uint64(4) {
		choose, b := rulegen.Seeded(seed), make([]byte, 600)
		for i := range b {
			b[i] = byte(choose.Pick(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return
		}
		s, fields := generate(t, rulegen.Bytes(b), 12, 8)
		for _, name := range []string{"never seen, then seen", "Field, backwards", "without memory", "everything"} {
			if d := s.ways(t)[name](fields); d != "" {
				t.Fatalf("%s:\n%s", name, d)
			}
		}
	})
}

// A comparison that cannot fail is none: each of these mistakes is made on purpose,
// and must be noticed.
func TestPlantedBugs(t *testing.T) {
	if brief() {
		t.Skip("the mistakes are those of one goroutine: once is enough")
	}
	ask := func(c *classify.Classifier) asker {
		s := c.NewScanner()
		s.MaxValue = 0
		return func(f *classify.Field) []classify.Label { return s.Append(nil, f) }
	}
	// wrap changes what an asker is asked or answers.
	wrap := func(change func(asker) asker) func(*subject, testing.TB) asker {
		return func(s *subject, t testing.TB) asker { return change(ask(s.again(t))) }
	}
	// asked changes the field.
	asked := func(change func(f *classify.Field)) func(*subject, testing.TB) asker {
		return wrap(func(ask asker) asker {
			return func(f *classify.Field) []classify.Label {
				g := *f
				change(&g)
				return ask(&g)
			}
		})
	}
	// ruled changes the rules.
	ruled := func(change func([]rulegen.Rule)) func(*subject, testing.TB) asker {
		return func(s *subject, t testing.TB) asker {
			other := slices.Clone(s.rules)
			change(other)
			return ask(subjectOf(t, other).c)
		}
	}
	// written replaces a piece of the conditions that have it.
	written := func(old, new string) func(*subject, testing.TB) asker {
		return ruled(func(rules []rulegen.Rule) {
			for i := range rules {
				rules[i].When = strings.Replace(rules[i].When, old, new, 1)
			}
		})
	}
	// remembered answers by what was answered before to a field with the same key.
	remembered := func(key func(f *classify.Field) string) func(*subject, testing.TB) asker {
		return wrap(func(ask asker) asker {
			known := map[string][]classify.Label{}
			return func(f *classify.Field) []classify.Label {
				k := key(f)
				if _, seen := known[k]; !seen {
					known[k] = slices.Clone(ask(f))
				}
				return known[k]
			}
		})
	}
	all := func(f *classify.Field) string { return fmt.Sprintf("%q", *f) }
	for name, plant := range map[string]func(*subject, testing.TB) asker{
		"one label is dropped": wrap(func(ask asker) asker {
			return func(f *classify.Field) []classify.Label {
				labels := ask(f)
				return labels[:max(0, len(labels)-1)]
			}
		}),
		"only the fourth label is dropped": wrap(func(ask asker) asker {
			return func(f *classify.Field) []classify.Label {
				labels := ask(f)
				return labels[:min(3, len(labels))]
			}
		}),
		"two of equal confidence change places": wrap(func(ask asker) asker {
			return func(f *classify.Field) []classify.Label {
				labels := slices.Clone(ask(f))
				for i := 1; i < len(labels); i++ {
					if labels[i].Confidence == labels[i-1].Confidence {
						labels[i], labels[i-1] = labels[i-1], labels[i]
						break
					}
				}
				return labels
			}
		}),
		"a span is off by one": wrap(func(ask asker) asker {
			return func(f *classify.Field) []classify.Label {
				labels := slices.Clone(ask(f))
				for i := range labels {
					if n := len(labels[i].Spans); n > 0 {
						labels[i].Spans = slices.Clone(labels[i].Spans)
						labels[i].Spans[n-1].End--
					}
				}
				return labels
			}
		}),
		"an answer is too late by one": wrap(func(ask asker) asker {
			var last []classify.Label
			return func(f *classify.Field) []classify.Label {
				labels := last
				last = slices.Clone(ask(f))
				return labels
			}
		}),
		"the last rule is forgotten":   ruled(func(r []rulegen.Rule) { r[len(r)-1].When = "false" }),
		"an id sorts as a number":      ruled(func(r []rulegen.Rule) { byNumber(r) }),
		"one confidence is off":        ruled(func(r []rulegen.Rule) { r[0].Confidence ^= 1 }),
		"system is not below":          ruled(func(r []rulegen.Rule) { move(r, "system.ops", "system.ops.log") }),
		"&& becomes ||":                written(" && ", " || "),
		"|| becomes &&":                written(" || ", " && "),
		"! is forgotten":               written("!(", "("),
		"== becomes !=":                written(" == ", " != "),
		"hasAll becomes hasAny":        written("hasAll", "hasAny"),
		"startsWith becomes contains":  written("field.name.startsWith", "field.name.contains"),
		"endsWith becomes contains":    written(".endsWith(", ".contains("),
		"(?i) is forgotten":            written("(?i)", ""),
		"$ is forgotten":               written(`$"`, `"`),
		"lowerAscii is forgotten":      written(".lowerAscii()", ""),
		"! of an error is true":        written(`!(field.tags[`, `!("x" in field.tags && field.tags[`),
		"the name is in small letters": asked(func(f *classify.Field) { f.Name = strings.ToLower(f.Name) }),
		"the name is cut too early":    asked(func(f *classify.Field) { f.Name = rulegen.Cut(f.Name, 1000) }),
		"the name is not cut":          asked(func(f *classify.Field) { f.Path = f.Path + f.Name[min(len(f.Name), 1024):] }),
		"bad bytes become U+FFFD": asked(func(f *classify.Field) {
			for _, text := range []*string{&f.Name, &f.Path, &f.Value} {
				*text = strings.ToValidUTF8(*text, "\uFFFD")
			}
		}),
		"bad bytes are left out":          asked(func(f *classify.Field) { f.Value = strings.ToValidUTF8(f.Value, "") }),
		"the Kelvin sign is a k":          asked(func(f *classify.Field) { f.Name = strings.ReplaceAll(f.Name, "\u212A", "k") }),
		"the description is left out":     asked(func(f *classify.Field) { f.Description = "" }),
		"the context is left out":         asked(func(f *classify.Field) { f.Context = nil }),
		"the path is left out":            asked(func(f *classify.Field) { f.Path = "" }),
		"the memory forgets the value":    remembered(func(f *classify.Field) string { g := *f; g.Value = ""; return all(&g) }),
		"the memory forgets the context":  remembered(func(f *classify.Field) string { g := *f; g.Context = nil; return all(&g) }),
		"the memory forgets the tags":     remembered(func(f *classify.Field) string { g := *f; g.Tags = nil; return all(&g) }),
		"the memory forgets the type":     remembered(func(f *classify.Field) string { g := *f; g.Type = ""; return all(&g) }),
		"the memory forgets the source":   remembered(func(f *classify.Field) string { g := *f; g.Source = ""; return all(&g) }),
		"the memory knows prefixes only":  remembered(func(f *classify.Field) string { g := *f; g.Name = rulegen.Cut(g.Name, 4); return all(&g) }),
		"path and description are summed": remembered(func(f *classify.Field) string { g := *f; g.Path += g.Description; g.Description = ""; return all(&g) }),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(200) {
				s, fields := generate(t, rulegen.Seeded(seed), 60, 40)
				if s.differ(plant(s, t), fields, usual) != "" {
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}

// byNumber renames rules so that they sort as their numbers do.
func byNumber(rules []rulegen.Rule) {
	for i := range rules {
		rules[i].ID = fmt.Sprintf("r%03s", rules[i].ID[1:])
	}
}

func move(rules []rulegen.Rule, from, to string) {
	for i := range rules {
		if rules[i].Category == from {
			rules[i].Category = to
		}
	}
}

// What no table of states can hold: expressions whose states multiply, more letters
// than there are classes of characters, very many rules; from several goroutines, so
// that what is made on the way is made under load.
func TestIndexedUnderPressure(t *testing.T) {
	choose := rulegen.Seeded(3)
	letters := func(n int, of string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = of[choose.Pick(len(of))]
		}
		return string(b)
	}
	rule := func(i int, when string) rulegen.Rule {
		return rulegen.Rule{ID: fmt.Sprint("r", i), Category: fmt.Sprint("each.rule", i%rulegen.MaxRules), Confidence: uint16(850 + i/rulegen.MaxRules), When: when}
	}
	for _, tt := range []struct {
		name   string
		rules  int
		when   func(i int) string
		fields func(i int) classify.Field
	}{
		{"states multiply", 24,
			func(i int) string {
				return fmt.Sprintf("value.matches(%q)", fmt.Sprintf("%c[ab].{%d}%c[cd]", 'a'+rune(i%2), 9+i/4, 'c'+rune(i/2%2)))
			},
			func(i int) classify.Field { return classify.Field{Name: "x", Value: letters(20+i*i, "abcd")} }},
		{"one expression is too much", 2,
			func(i int) string {
				return fmt.Sprintf("value.lowerAscii().matches(%q) && size(value) >= 0", fmt.Sprintf("(?i)k.{%d}%cs", 20+i, 'c'+rune(i)))
			},
			func(i int) classify.Field {
				if i < 8 {
					return classify.Field{Name: "x", Value: letters(60<<10, "kKxcdSs")}
				}
				return classify.Field{Name: "x", Value: letters(20+10*i, "kKxcdSs")}
			}},
		{"more letters than classes", 600,
			func(i int) string {
				return fmt.Sprintf("field.name.contains(%q) || value.matches(%q)", string('一'+rune(3*i)), fmt.Sprintf("[%c-%c]x", '一'+rune(2*i), '一'+rune(2*i+40)))
			},
			func(i int) classify.Field {
				return classify.Field{Name: "é" + string('一'+rune(choose.Pick(2000))) + "\xe4\xb8", Value: string('一'+rune(choose.Pick(1300))) + "x"}
			}},
		{"thousands of rules", 2000,
			func(i int) string {
				return fmt.Sprintf("field.words.hasAll([\"w%c\", \"v\"]) && field.name.matches(%q) || value.startsWith(%q)", 'a'+rune(i%26), fmt.Sprintf("(^|_)x%dy(_|$)", i), fmt.Sprint("p", i, "_"))
			},
			func(i int) classify.Field {
				return classify.Field{Name: fmt.Sprintf("v_w%c_x%dy", 'a'+rune(choose.Pick(26)), choose.Pick(2000)), Value: fmt.Sprint("p", choose.Pick(2000), "_")}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rules []rulegen.Rule
			for i := range tt.rules {
				rules = append(rules, rule(i, tt.when(i)))
			}
			s := subjectOf(t, rules)
			require.Len(t, s.rules, tt.rules, "all rules compile")
			var fields []classify.Field
			var want [][]classify.Label
			held := 0
			for i := range 48 {
				fields = append(fields, tt.fields(i))
				want = append(want, s.want(&fields[i], usual))
				held += len(want[i])
			}
			require.NotZero(t, held, "no rule holds for any field")
			c := s.again(t)
			var all sync.WaitGroup
			for g := range 4 {
				all.Go(func() {
					scanner := c.NewScanner()
					scanner.NoMemory = g%2 == 0
					for j := range 2 * len(fields) {
						i := (j*(2*g+1) + g) % len(fields)
						if got := scanner.Append(nil, &fields[i]); !rulegen.Equal(got, want[i]) {
							t.Errorf("goroutine %d, field %d:\n got %v\nwant %v", g, i, got, want[i])
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// A field that was seen before has the labels of one that was not, also when more
// was seen than is remembered, and when fields push each other out.
func TestMemoryIsAShortcut(t *testing.T) {
	g := rulegen.New(rulegen.Seeded(7))
	s := subjectOf(t, g.Rules(20))
	fields := g.Fields(400)
	var many []classify.Field
	for i := range 14_000 { // several times what is remembered
		f := fields[i%len(fields)]
		if i >= len(fields) {
			f.Source += fmt.Sprint(i / len(fields))
		}
		many = append(many, f)
	}
	seeing, unseeing := s.again(t).NewScanner(), s.again(t).NewScanner()
	unseeing.NoMemory = true
	for round := range 2 {
		for i := range many {
			got := seeing.Append(nil, &many[i])
			again := slices.Clone(got)
			for j := range again {
				again[j].Spans = slices.Clone(again[j].Spans)
			}
			if !rulegen.Equal(seeing.Append(nil, &many[i]), again) {
				t.Fatalf("round %d, field %d: seen just before, other labels", round, i)
			}
			if !rulegen.Equal(unseeing.Append(nil, &many[i]), again) {
				t.Fatalf("round %d, field %d: %s", round, i, s.tell(&many[i], again, unseeing.Append(nil, &many[i])))
			}
		}
	}
	require.Empty(t, s.differ(scanning(seeing, nil), fields, usual))
}

// Names with one hash between them share their places in the memory. Their labels
// are their own all the same.
func TestNamesOfOneHash(t *testing.T) {
	var names []string
	starts := []string{"email___", "phone___", "session_", "username"}
	for i := range 64 {
		names = append(names, sameHash(starts[i%len(starts)]+fmt.Sprintf("%08d", i)))
	}
	for _, n := range names[1:] {
		require.NotEqual(t, names[0], n)
		require.Equal(t, xxhash.Sum64String(names[0]), xxhash.Sum64String(n), "the names are no collision: the test would show nothing")
	}
	var rules []rulegen.Rule
	for i, start := range starts {
		rules = append(rules, rulegen.Rule{ID: fmt.Sprint("r", i), Category: rulegen.Categories[5+i].Key, Confidence: 900,
			When: fmt.Sprintf("field.name.startsWith(%q) || value.startsWith(%q)", start, start)})
	}
	s := subjectOf(t, rules)
	ask := scanning(s.again(t).NewScanner(), nil)
	for round := range 3 {
		for i, n := range names {
			labels := ask(&classify.Field{Name: n})
			require.Len(t, labels, 1, "round %d, name %d", round, i)
			require.Equal(t, fmt.Sprint("r", i%len(starts)), labels[0].Rule, "round %d, name %d", round, i)
		}
	}
	// The same with the rest of the key: equal hashes of type, path and source.
	for round := range 3 {
		for i := range names {
			f := classify.Field{Name: names[0], Type: names[i], Path: names[(i+1)%64], Tags: map[string]string{"x": names[(i+2)%64]}}
			require.Len(t, ask(&f), 1, "round %d, type %d", round, i)
			g := classify.Field{Name: names[i], Type: names[0], Value: starts[(i+1)%len(starts)]}
			require.Len(t, ask(&g), 2, "round %d, type %d: the name and the value", round, i)
		}
	}
}

// sameHash appends eight bytes to a text of sixteen, such that all results have one
// xxhash: each of its steps can be undone, so the bytes are solved for.
func sameHash(text string) string {
	const (
		p1, p2, p4, p5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
		wanted         = 0x0123456789ABCDEF
	)
	round := func(x uint64) uint64 { return bits.RotateLeft64(x*p2, 31) * p1 }
	h := uint64(p5 + 24)
	for i := 0; i < 16; i += 8 {
		h ^= round(binary.LittleEndian.Uint64([]byte(text[i:])))
		h = bits.RotateLeft64(h, 27)*p1 + p4
	}
	last := bits.RotateLeft64((h^wanted)*inverse(p1), -31) * inverse(p2)
	return text + string(binary.LittleEndian.AppendUint64(nil, last))
}

// inverse is 1/x modulo 2⁶⁴ for an odd x, by Newton's iteration.
func inverse(x uint64) uint64 {
	y := x
	for range 6 {
		y *= 2 - x*y
	}
	return y
}

// hostile is the i-th of names that never repeat: short ones, names of many words,
// long ones, some about what the rules ask for.
func hostile(i int) string {
	switch i % 8 {
	case 0:
		return fmt.Sprintf("x%x", i)
	case 1:
		return fmt.Sprintf("user_%d_email_%x_session", i, i*7)
	case 2:
		return fmt.Sprintf("\xff\xfe%d\x00", i)
	case 3:
		return strings.Repeat("aB", 20+i%40) + fmt.Sprint(i)
	case 4:
		return fmt.Sprintf("customerAccount%dPrimaryContactPhoneNumber%x", i, i)
	case 5:
		return fmt.Sprintf("größe_%d_ändern", i)
	case 6:
		return fmt.Sprintf("%d", i)
	}
	if i%64 == 7 {
		return strings.Repeat(fmt.Sprintf("w%d_", i), 4000/(len(fmt.Sprint(i))+2))
	}
	return fmt.Sprintf("field-%d.%d[%d]", i%97, i, i%13)
}

// memoryBound is what a classifier may hold on to for fields that it has seen, in
// bytes: 4,096 places with at most 4 KiB of names and what the rules say of each.
const memoryBound = 32 << 20

// TestMemoryIsBounded asks about names that never repeat, and measures what stays.
func TestMemoryIsBounded(t *testing.T) {
	n := 1_000_000
	if brief() {
		n = 100_000
	}
	tagged := func(n int) func(int) classify.Field {
		tags := map[string]string{}
		for i := range n {
			tags[fmt.Sprintf("%c%c", '!'+rune(i%90), '!'+rune(i/90))] = ""
		}
		return func(i int) classify.Field { return classify.Field{Name: fmt.Sprint(i), Tags: tags} }
	}
	named := func(name func(int) string) func(int) classify.Field {
		return func(i int) classify.Field { return classify.Field{Name: name(i)} }
	}
	for _, tt := range []struct {
		name    string
		times   int
		hostile func(i int) classify.Field
	}{
		{"short and long", n, named(hostile)},
		{"as long as is remembered", n / 50, named(func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat("_a", 2000)) })},
		{"longer than is remembered", n / 50, named(func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat("_a", 3000)) })},
		{"many tags", n / 100, tagged(1900)},
		{"some tags", n / 100, tagged(50)},
		{"few tags", n / 100, tagged(20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			grew := growth(t, tt.times, tt.hostile)
			t.Logf("%d names: %d kB stay", tt.times, grew>>10)
			assert.LessOrEqual(t, grew, int64(memoryBound))
		})
	}
}

// growth is how many bytes a classifier has more after so many names.
func growth(t testing.TB, times int, field func(int) classify.Field) int64 {
	g := rulegen.New(rulegen.Seeded(11))
	c := subjectOf(t, g.Rules(30)).c
	s := c.NewScanner()
	var labels []classify.Label
	ask := func(from, to int) (found int) {
		for i := from; i < to; i++ {
			f := field(i)
			labels = s.Append(labels[:0], &f)
			found += len(labels)
		}
		return found
	}
	ask(0, 8)
	before := heap()
	found := ask(8, times)
	after := heap()
	require.NotZero(t, found, "the rules are about nothing")
	runtime.KeepAlive(c)
	runtime.KeepAlive(s)
	return int64(after) - int64(before)
}

// heap is the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
