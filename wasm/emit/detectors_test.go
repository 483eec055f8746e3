package emit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/source"
)

// detectorsOnly is the built-in classification without its rules.
func detectorsOnly(t testing.TB) bundle.Classification {
	t.Helper()
	data, err := builtinBundle()
	require.NoError(t, err)
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	b.Classification.Rules = nil
	return b.Classification
}

// caseFields are the fields of all cases of the built-in rules and detectors.
var caseFields = sync.OnceValues(func() (out []classify.Field, err error) {
	const folder = "../../classify/builtin"
	var sum bundle.Classification
	read := func(file string, base *bundle.Classification) ([]celrules.Case, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var ps source.Problems
		own, cases := celrules.Rules(source.Parse(filepath.Base(file), text, &ps).Map(&ps, "file"), "builtin", base, &ps)
		if base == nil {
			sum = own
		} else {
			sum, _ = celrules.Merge(base, &own)
		}
		return cases, nil
	}
	if _, err := read(folder+"/taxonomy.yaml", nil); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(folder + "/*.yaml")
	for _, file := range files {
		if filepath.Base(file) == "taxonomy.yaml" {
			continue
		}
		base := sum
		cases, err := read(file, &base)
		if err != nil {
			return nil, err
		}
		for i := range cases {
			out = append(out, cases[i].Field)
		}
	}
	return out, err
})

func caseValues(t testing.TB) (out []string) {
	t.Helper()
	fields, err := caseFields()
	require.NoError(t, err)
	for i := range fields {
		if fields[i].Value != "" {
			out = append(out, fields[i].Value)
		}
	}
	require.Greater(t, len(out), 3000)
	return out
}

// A pair is a module and the classifier that it must agree with.
type pair struct {
	module  *classifier
	native  *classify.Classifier
	scanner *classify.Scanner
}

func newPair(t testing.TB, cl bundle.Classification) *pair {
	t.Helper()
	native, err := classify.New(&cl)
	require.NoError(t, err)
	s := native.NewScanner()
	s.MaxValue = 0
	return &pair{newClassifier(t, bundleOf(t, cl), Options{}), native, s}
}

// same compares what is found in a text, as a text and as the value of a field.
func (p *pair) same(t testing.TB, name, text string) (found int) {
	t.Helper()
	want := p.scanner.Scan(nil, text)
	require.Equal(t, want, p.module.scan(t, text), "%q", text)
	f := classify.Field{Name: name, Path: "user." + name, Value: text, Tags: map[string]string{"k": "v"}, Source: "s"}
	require.Equal(t, p.native.Field(f), p.module.field(t, f), "%q in %q", text, name)
	return len(want)
}

// A mixer makes texts out of pieces.
type mixer struct {
	*rand.Rand
	pieces []string
}

var oddPieces = []string{" ", "\n", "_", "-", ", ", "\xff", "é", "日本", "\u00ad", "\u200b", "０", "ſ", "²", "⒇", "=", ":", "\"", "Tel. ", "iban: ", "card number ", "sample "}

func (m *mixer) text() string {
	var b strings.Builder
	for range 1 + m.IntN(6) {
		piece := m.pieces[m.IntN(len(m.pieces))]
		switch m.IntN(6) {
		case 0: // without what is in between
			at := m.IntN(len(piece) + 1)
			piece = piece[:at] + oddPieces[m.IntN(len(oddPieces))] + piece[min(at+m.IntN(2), len(piece)):]
		case 1:
			piece = piece[m.IntN(len(piece)):]
		case 2: // with digits of full width
			piece = strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r - '0' + '０'
				}
				return r
			}, piece)
		}
		b.WriteString(piece[:min(len(piece), 400)])
		b.WriteString(oddPieces[m.IntN(len(oddPieces))])
	}
	return b.String()
}

func TestBuiltinDetectors(t *testing.T) {
	p := newPair(t, detectorsOnly(t))
	t.Logf("module of %d bytes", len(p.module.built.wasm))
	values := caseValues(t)
	names := []string{"", "x", "phone", "ibanCode", "card_number", "ssn", "user passport no", "IPAddress"}
	found := 0
	for i, text := range values {
		found += p.same(t, names[i%len(names)], text)
	}
	assert.Greater(t, found, 2000)
	m := &mixer{rand.New(rand.NewPCG(5, 1)), values}
	for range 3000 {
		found += p.same(t, names[m.IntN(len(names))], m.text())
	}
	t.Logf("%d findings", found)
	assert.Greater(t, found, 4000)
	p.same(t, "", "")
}

// What a detector may be, with questions about others down to where they end.
func oddDetectors(t testing.TB) bundle.Classification {
	t.Helper()
	in := func(env *expr.Env, text string) *expr.Program {
		var ps source.Problems
		p := celrules.Expr(env, source.Plain("test", text), expr.TBool, &ps)
		require.NotNil(t, p, "%s: %v", text, ps.Err())
		return p
	}
	when := func(text string) *expr.Program { return in(profile.Match, text) }
	cl := bundle.Classification{Threshold: 400,
		Categories: []bundle.Category{{Key: "user"}, {Key: "user.a"}, {Key: "user.b"}, {Key: "system"}},
	}
	add := func(id, category, pattern, check string, more ...func(d *bundle.Detector)) {
		d := bundle.Detector{ID: id, Category: category, Pattern: pattern, Base: 500, Checked: 600}
		if check != "" {
			d.Check = when(check)
		}
		for _, f := range more {
			f(&d)
		}
		cl.Detectors = append(cl.Detectors, d)
	}
	muted := func(d *bundle.Detector) { d.Muted = true }
	context := func(d *bundle.Detector) {
		d.Base, d.Checked, d.Boost, d.Context = 300, 300, 300, []string{"badge", "employee number"}
	}
	floor := func(n uint16) func(d *bundle.Detector) { return func(d *bundle.Detector) { d.Floor = n + 1 } }
	add("z/number", "user.a", `[0-9]{2,}`, `!match.text.endsWith("7")`) // shorter matches are tried
	add("a/word", "user.b", `\b[a-z]{3,12}\b`, "")
	add("m/even", "user.a", `[0-9]+`, `int(match.digits.substring(match.digits.size() - 1)) % 2 == 0`, muted)
	add("b/asks", "user", `<[^>]{1,40}>`, `match.text.finds("m/even") && !match.text.is("b/span") && match.text.startsWith("<")`)
	add("b/span", "user.b", `id[ :]+(?P<span>[0-9a-f]{2,8})\b`, `match.groups.size() == 2 && match.groups[1] == match.text && match.groups[0].startsWith("i")`)
	add("b/groups", "user.b", `([a-f]+)-([0-9]*)-(?P<span>x(y)?)`, `match.groups[3] == match.text && (match.groups[2] == "" || match.groups[4] == "y") && match.groups.size() == 5`)
	add("c/context", "user.a", `\b[A-Z]{2}[0-9]{4}\b`, "", context)
	add("c/long", "user.a", `[A-Z]{2}[A-Z0-9 ]{4,100}[0-9]`, `match.digits.size() > 2`, context)
	add("d/floor", "system", `%[0-9a-z]+`, "", func(d *bundle.Detector) { d.Base, d.Checked = 200, 200 }, floor(150))
	add("d/never", "system", `\$[0-9]+`, "", func(d *bundle.Detector) { d.Base, d.Checked = 100, 100 })
	add("d/high", "system", `&[0-9]+`, `match.text != "&1"`, floor(900), func(d *bundle.Detector) { d.Checked = 850 })
	add("e/around", "system", `#+`, `match.before.endsWith("!") || match.after.startsWith("é") || match.before.size() > 79`)
	add("e/field", "system", `@[a-z]+`, `field.name == "" ? value == "" : field.words.hasAny(["mail", "tag"]) || value.startsWith(match.text) || "k" in field.tags`)
	add("e/broken", "system", `~[0-9]{1,3}`, `10 / (int(match.digits) - 5) > 0`)
	// A chain of questions that is one too long: the last of them has no answer.
	add("k/5", "user", `\(5[a-z]*\)`, "")
	add("k/4", "user", `\(4[^()]*(\([^()]*\))?[^()]*\)`, `match.text.finds("k/5")`)
	add("k/3", "user", `\(3.*\)`, `match.text.finds("k/4") || match.text.contains("!")`)
	add("k/2", "user", `\(2.*\)`, `match.text.finds("k/3") && match.text.startsWith("(2")`)
	add("k/1", "user", `\(1.*\)`, `match.text.finds("k/2") && match.text.startsWith("(1")`)
	add("k/is", "user.b", `\[.{1,30}\]`, `match.text.split("").size() > 3 && match.text.substring(1, match.text.size() - 1).is("z/number") && match.digits.is("z/number")`)
	add("u/finds-wide", "user.b", `\{.*\}`, `match.text.finds("a/word") && match.text.replace("a", "０").finds("m/even") && match.digits != ""`)
	// What an evaluation has made stays while questions are answered.
	add("u/filter", "user.b", `=([^= +]*)\+?([^=+ ]*)=`, `match.groups.map(g, g + "9").filter(g, g.finds("b/two") && !g.startsWith("=")) == ["a29"] || match.groups.filter(g, g.is("m/even")) == ["2", "4"]`)
	add("b/two", "user.b", `\b[a-z][0-9]{2}\b`, `(match.text.substring(1, 2) + "0").is("m/even") && match.text.startsWith("a")`, muted)
	// What was tried in vain counts, whatever was asked meanwhile.
	add("t/tries", "user", `;[a-z]+[0-9]*`, `match.text.finds("z/number") || match.text.size() == 20`)
	cl.Rules = []bundle.Rule{
		{ID: "r/1", Category: "user.a", Confidence: 700, When: in(profile.Field, `value.finds("k/2") && value.contains("(2") || value.is("b/asks")`)},
		{ID: "r/2", Category: "system", Confidence: 500, When: in(profile.Field, `value.finds("u/filter") && field.name != "x"`)},
	}
	cl.Suppress = []bundle.Suppress{
		{ID: "s/1", Detectors: []string{"a/word", "z/number"}, When: when(`match.text == "abc" || match.before.endsWith("not ")`), Reason: "r"},
		{ID: "s/2", When: when(`match.after.startsWith("!!") || field.words.hasAny(["ignored"])`), Reason: "r"},
	}
	cl.Adjust = []bundle.Adjust{
		{ID: "j/1", When: when(`match.before.endsWith("sure ")`), Add: 250, Reason: "r"},
		{ID: "j/2", Detectors: []string{"a/word", "z/number", "b/groups"}, When: when(`match.text.size() < 5`), Add: -150, Reason: "r"},
		{ID: "j/3", Detectors: []string{"a/word", "b/span"}, When: when(`match.groups.size() == 0`), Add: 777, Reason: "r"},
		{ID: "j/4", Detectors: []string{"z/number"}, When: when(`match.text.finds("a/word") || match.text.finds("k/1")`), Add: -1000, Reason: "r"},
	}
	return cl
}

func TestOddDetectors(t *testing.T) {
	cl := oddDetectors(t)
	pieces := strings.Split("1234567|77|7777777777777777777777777777777777777777777777777|12|9|abc|abcd|hello|not |sure |!!|!|<x 12>|<id: 12ab>|<13>|id: ab12|id:: 1234567890|ab-12-xy|ab--x|ab-12-x|AB1234|badge|"+
		"Employee numbers|AB 12 34 C1 7|ABBA 1 2 3|%12|%zz|$15|&12|&1|=2+4=|=a2=|=2=|=a2+b4=|=b2+a2=|#|##|#é|@mail|@tag|~5|~12|~999|(1(2(3(4(5a)))))|(1(2(3(4(5a)!))))|(2(3(4(5a))))|(3(4(5a)))|(4 (5x))|(5)|(1(2(3!|[1234]|[１２]|[12a]|"+
		";"+strings.Repeat("q", 40)+"77|;"+strings.Repeat("q", 40)+"|;"+strings.Repeat("q", 22)+"|{abc a 1}|{hello 1}|{a1a}|{}|é|日本|²|０２|\u00ad|\xff|\n| |_|,", "|")
	for _, threshold := range []uint16{400, 0, 650} {
		cl.Threshold = threshold
		p := newPair(t, cl)
		r := rand.New(rand.NewPCG(uint64(threshold), 2))
		byDetector := map[string]int{}
		names := []string{"", "mail_tag", "ignored", "badge", "x", "employee number"}
		for range 6000 {
			var b strings.Builder
			for range 1 + r.IntN(9) {
				b.WriteString(pieces[r.IntN(len(pieces))])
				if r.IntN(2) == 0 {
					b.WriteByte(' ')
				}
			}
			p.same(t, names[r.IntN(len(names))], b.String())
			for _, f := range p.scanner.Scan(nil, b.String()) {
				byDetector[f.Detector]++
			}
		}
		t.Log(threshold, byDetector)
		if threshold == 400 {
			for _, d := range cl.Detectors {
				switch d.ID {
				case "m/even", "b/two", "d/never":
					assert.Zero(t, byDetector[d.ID], d.ID)
				default:
					assert.Positive(t, byDetector[d.ID], d.ID)
				}
			}
		}
	}
}

// Of a long text a stretch is surveyed for context at a time; what stands around its ends
// counts like everything else.
func TestContextInLongTexts(t *testing.T) {
	cl := oddDetectors(t)
	cl.Detectors = slices.DeleteFunc(cl.Detectors, func(d bundle.Detector) bool { return d.ID != "c/context" && d.ID != "e/field" })
	cl.Rules, cl.Suppress, cl.Adjust = nil, nil, nil
	p := newPair(t, cl)
	r := rand.New(rand.NewPCG(3, 8))
	found := 0
	for range 150 {
		var b strings.Builder
		for b.Len() < 4000 {
			switch r.IntN(60) {
			case 0:
				b.WriteString("badge ")
			case 1, 2:
				b.WriteString("@é ")
			case 3, 4, 5, 6, 7, 8, 9:
				b.WriteString("AB1234 ")
			default:
				b.WriteString("- , ; . : (; ; ) "[:1+r.IntN(17)])
			}
		}
		found += p.same(t, "", b.String())
	}
	t.Logf("%d findings", found)
	assert.Greater(t, found, 1500)
}

// A policy may have no detectors, or such that need little.
func TestFewDetectors(t *testing.T) {
	all := oddDetectors(t)
	for _, ids := range []string{"", "a/word", "c/context", "d/floor", "d/never", "m/even", "z/number", "b/groups b/span", "b/two m/even", "k/5 k/4 k/3", "e/around"} {
		cl := bundle.Classification{Threshold: 400, Categories: all.Categories}
		for _, d := range all.Detectors {
			if strings.Contains(" "+ids+" ", " "+d.ID+" ") {
				cl.Detectors = append(cl.Detectors, d)
			}
		}
		p := newPair(t, cl)
		for _, text := range []string{"", "12 abc", "badge AB1234", "id: ab12 ab-12-xy", "%12 $12", "(3(4(5a)))", "!## 177", "ab--x ０２ AB1234"} {
			p.same(t, "badge", text)
		}
		t.Logf("%q: %d bytes", ids, len(p.module.built.wasm))
	}
}

// Texts of which nearly all is found, and findings that all overlap.
func TestTextsFullOfFindings(t *testing.T) {
	cl := bundle.Classification{Threshold: 400, Categories: []bundle.Category{{Key: "user"}},
		Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: `a`, Base: 500, Checked: 500}, {ID: "b", Category: "user", Pattern: `[ab]{2,3}`, Base: 500, Checked: 500},
			{ID: "c", Category: "user", Pattern: `[abc]+`, Base: 450, Checked: 450}, {ID: "d", Category: "user", Pattern: `a.*?(?P<span>d)`, Base: 900, Checked: 900}}}
	p := newPair(t, cl)
	r := rand.New(rand.NewPCG(9, 9))
	for _, length := range []int{10, 100, 1000, 20_000} {
		for range 20 {
			var b strings.Builder
			for range length {
				b.WriteByte("aaaaabcd "[r.IntN(8+r.IntN(2))])
			}
			p.same(t, "", b.String())
		}
	}
	began := time.Now()
	n := p.same(t, "", strings.Repeat("abca-", 50_000))
	t.Logf("%d findings, %v for all ways", n, time.Since(began))
}

func TestDetectorsThatAreRefused(t *testing.T) {
	cl := bundle.Classification{Categories: []bundle.Category{{Key: "user"}}}
	for i := range 4 {
		text := []rune{'a'}
		for j := range 700 { // each character for itself
			text = append(text, rune(0x4e00+700*i+j))
		}
		cl.Detectors = append(cl.Detectors, bundle.Detector{ID: fmt.Sprint("d", i), Category: "user", Pattern: string(text)})
	}
	_, err := newPlan(&cl).addDetectors()
	assert.ErrorContains(t, err, "detector d2")
	assert.ErrorIs(t, err, scan.ErrAlphabet)
	cl.Detectors = []bundle.Detector{{ID: "broken", Category: "user", Pattern: "a("}, {ID: "lost", Category: "nobody", Pattern: "a"}}
	cl.Suppress = []bundle.Suppress{{ID: "sup", Detectors: []string{"nothing"}, When: oddDetectors(t).Suppress[0].When}}
	_, err = newPlan(&cl).addDetectors()
	for _, part := range []string{"detector broken", "detector lost", "suppression sup", "privet check"} {
		assert.ErrorContains(t, err, part)
	}
}

// BenchmarkScanText scans the first 4 MiB of a file that PRIVET_TEXTS names.
func BenchmarkScanText(b *testing.B) {
	name := os.Getenv("PRIVET_TEXTS")
	if name == "" {
		b.Skip("PRIVET_TEXTS names a file to measure with")
	}
	data, err := os.ReadFile(name)
	require.NoError(b, err)
	text := string(data[:min(len(data), defaultInput)])
	p := newPair(b, detectorsOnly(b))
	b.Run("module", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		at, n := p.module.put(b, text)[0], 0
		for b.Loop() {
			n = p.module.call(b, "pv1_scan", 1, at, len(text))
		}
		b.ReportMetric(float64(n), "findings")
	})
	b.Run("native", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		var found []classify.Finding
		for b.Loop() {
			found = p.scanner.Scan(found[:0], text)
		}
		b.ReportMetric(float64(len(found)), "findings")
	})
}
