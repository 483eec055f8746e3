// Package rulegen makes random rule sets with fields that are made to hit and to
// just miss them, and says plainly which labels such a field must have. It is for
// tests only: the engine, the plain evaluation of one condition and cel-go are
// compared on what it makes.
package rulegen

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// A Chooser makes the decisions of a generator.
type Chooser interface {
	// Pick is a number from 0 to n-1.
	Pick(n int) int
}

// Seeded chooses by numbers that look random and are the same for the same seed.
func Seeded(seed uint64) Chooser { return &seeded{seed} }

// seeded is SplitMix64 (Steele, Lea, Flood 2014).
type seeded struct{ state uint64 }

func (s *seeded) Pick(n int) int {
	s.state += 0x9E3779B97F4A7C15
	z := s.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return int((z ^ z>>31) >> 1 % uint64(n))
}

// Bytes chooses by bytes, and for zero when they are used up: what stands at place
// zero ends, so every input does.
func Bytes(b []byte) Chooser { return &fromBytes{b} }

type fromBytes struct{ b []byte }

func (c *fromBytes) Pick(n int) int {
	if len(c.b) == 0 {
		return 0
	}
	k := int(c.b[0]) % n
	c.b = c.b[1:]
	return k
}

// A Rule is one rule as an author writes it. Confidence is in thousandths.
type Rule struct {
	ID, Category string
	Confidence   uint16
	When         string
}

// Threshold is that of every set.
const Threshold = 400

// Categories are the taxonomy of every set. Those below each stand for one rule.
var Categories = append([]bundle.Category{
	{Key: "other", Qualifier: "identified"},
	{Key: "system"}, {Key: "system.ops", ISO19944: "8.2.4.3"}, {Key: "system.ops.log"},
	{Key: "user", Qualifier: "identified"}, {Key: "user.contact", ISO19944: "8.2.3.2.13"},
	{Key: "user.contact.email"}, {Key: "user.contact.phone"}, {Key: "user.device", Qualifier: "pseudonymized"},
	{Key: "user.name"}, {Key: "users", Qualifier: "aggregated"}, {Key: "each"},
}, each()...)

// MaxRules is how many rules a set has at most.
const MaxRules = 60

func each() []bundle.Category {
	var all []bundle.Category
	for i := range MaxRules {
		all = append(all, bundle.Category{Key: "each.rule" + strconv.Itoa(i)})
	}
	return all
}

// A Detector is one of every set. No text is found by two of them, so that nothing
// overlaps and what is found can be told by package regexp. Confidences are in
// thousandths.
type Detector struct {
	ID, Category, Pattern string
	CaseSensitive         bool
	Check                 string // environment profile.Match, or ""
	Context               []string
	Base, Checked, Boost  uint16

	whole, part *regexp.Regexp
	check       func(match string) bool
	about       func(f *classify.Field) bool // the check is about the field only
}

// Detectors are those of every set.
var Detectors = []Detector{
	{ID: "badge", Category: "user.device", Pattern: `EB-[0-9]{3}`, Base: 500, Checked: 500},
	{ID: "badge-too", Category: "user.device", Pattern: `ZX-[0-9]{3}`, CaseSensitive: true, Base: 500, Checked: 500},
	{ID: "odd", Category: "user.contact", Pattern: `QQ[0-9]+`, Base: 300, Checked: 900,
		Check: `match.text.endsWith("1") || match.text.endsWith("7")`,
		check: func(s string) bool { return strings.HasSuffix(s, "1") || strings.HasSuffix(s, "7") }},
	{ID: "hinted", Category: "user.contact.email", Pattern: `WW[a-f]{4}`, Base: 200, Checked: 200, Boost: 450, Context: []string{"mail", "staff card"}},
	{ID: "declared", Category: "user.name", Pattern: `@@[0-9]{2}`, Base: 100, Checked: 600,
		Check: `field.type == "string" || field.tags["x"] == "1" || context["x"] == "1"`,
		about: func(f *classify.Field) bool {
			return f.Type == "string" || seen(f.Tags, "x") == "1" || seen(f.Context, "x") == "1"
		}},
	{ID: "machine", Category: "system.ops.log", Pattern: `#[a-z]+#`, Base: 999, Checked: 999},
}

// seen is what expressions see under a key: a map is cut to its first entries.
func seen(m map[string]string, key string) string {
	keys := slices.Sorted(maps.Keys(m))
	if slices.Contains(keys[:min(len(keys), profile.MaxEntries)], key) {
		return m[key]
	}
	return ""
}

func init() {
	for i := range Detectors {
		d := &Detectors[i]
		flags := "(?is)"
		if d.CaseSensitive {
			flags = "(?s)"
		}
		d.whole = regexp.MustCompile(flags + `\A(?:` + d.Pattern + `)\z`)
		d.part = regexp.MustCompile(flags + d.Pattern)
	}
}

// Is says what text.is(id) is, by package regexp.
func Is(text, id string) bool {
	for i := range Detectors {
		if d := &Detectors[i]; d.ID == id {
			return d.whole.MatchString(text) && (d.check == nil || d.check(text))
		}
	}
	return false
}

// Finds says what text.finds(id) is, by package regexp, for detectors that are sure
// enough without a check and without context.
func Finds(text, id string) bool {
	for i := range Detectors {
		if d := &Detectors[i]; d.ID == id && d.check == nil && d.Base >= Threshold {
			return d.part.MatchString(text)
		}
	}
	return false
}

// Classification puts rules, the taxonomy and the detectors together. Rules that
// compile refuses are left out; the rest is returned beside.
func Classification(rules []Rule, compile func(env *expr.Env, text string) *expr.Program) (*bundle.Classification, []Rule) {
	c := &bundle.Classification{Categories: Categories, Threshold: Threshold}
	for _, d := range Detectors {
		out := bundle.Detector{ID: d.ID, Category: d.Category, Pattern: d.Pattern, CaseSensitive: d.CaseSensitive, Context: d.Context,
			Base: d.Base, Checked: d.Checked, Boost: d.Boost}
		if d.Check != "" {
			out.Check = compile(profile.Match, d.Check)
		}
		c.Detectors = append(c.Detectors, out)
	}
	var kept []Rule
	for _, r := range rules {
		if p := compile(profile.Field, r.When); p != nil {
			c.Rules = append(c.Rules, bundle.Rule{ID: r.ID, Category: r.Category, Confidence: r.Confidence, When: p})
			kept = append(kept, r)
		}
	}
	return c, kept
}

// A Generator writes one rule set and fields for it.
type Generator struct {
	Chooser
	words []string // that this set is about
	size  int      // operations of the condition at hand

	patterns []string // of the detectors of the policy
}

// New makes a generator.
func New(c Chooser) *Generator { return &Generator{Chooser: c} }

// longest is a word of as many bytes as expressions see of one.
var longest = strings.Repeat("q", 126) + "é"

var (
	vocabulary = []string{"email", "mail", "user", "id", "name", "phone", "session", "key", "kelvin", "is", "größe", "ändern", "staff", "card", "ip", "log", "x", "7", "42", "日本", "ıss", "i", "\u0345", longest}
	types      = []string{"", "string", "STRING", "int64", "date", strings.Repeat("t", 127) + "é"}
	sources    = []string{"", "orders", "orders.eu", "kafka:users", "Größe"}
	keys       = []string{"x", "pii", "owner", "region", "privacy", "privet.category"}
	mapValues  = []string{"1", "", "yes", "eu", "EU", "7", "\xff"}
	values     = []string{"", "1", "7", "42", "-3", "x", "a,b,c", "EB-123", "eb-123", "ZX-456", "zx-456", "QQ17", "QQ2", "WWabcd", "mail WWabcd", "staff card: WWffff", "#abc#", "@@12", "see @@12@@34 @@5", "9223372036854775808",
		"jane@example.com", "email", "EMAIL", "ſ", "K", "Größe", "日本", "\xff", "a\xc3", "\uFFFD", "\r\n", "x\n", "0x10", " 12 "}
	categories  = []string{"user.contact.email", "user.contact", "user.contact.phone", "user.device", "user.name", "user", "users", "system", "system.ops", "system.ops.log", "other"}
	confidences = []uint16{1, 300, 399, 400, 401, 500, 599, 600, 650, 700, 749, 750, 799, 800, 850, 899, 900, 901, 950, 999, 1000}
)

func one[T any](g *Generator, of []T) T { return of[g.Pick(len(of))] }

// Rules writes a set of at least 1 and at most n rules, MaxRules or fewer. Ids are in
// no order, so that a tie that is settled by place is seen. In every second set each
// rule has a category of its own and all are equally sure: there nothing hides
// whether a rule holds. In the others rules outdo each other.
func (g *Generator) Rules(n int) []Rule {
	g.words = nil
	for range 3 + g.Pick(6) {
		g.words = append(g.words, one(g, vocabulary))
	}
	used := map[string]bool{}
	var rules []Rule
	apart := g.Pick(2) == 0
	for range 1 + g.Pick(min(n, MaxRules)) {
		id := "r" + strconv.Itoa(g.Pick(200))
		if used[id] {
			continue
		}
		used[id] = true
		g.size = 0
		r := Rule{ID: id, Category: one(g, categories), Confidence: one(g, confidences), When: g.condition(g.Pick(5))}
		if apart {
			r.Category, r.Confidence = "each.rule"+strconv.Itoa(len(rules)), 900
		}
		rules = append(rules, r)
	}
	return rules
}

const maxSize = 16

func (g *Generator) condition(depth int) string {
	g.size++
	if depth <= 0 || g.size > maxSize {
		return g.atom()
	}
	c := func() string { return g.condition(depth - 1) }
	switch g.Pick(13) {
	case 1, 2:
		return "(" + c() + " && " + c() + ")"
	case 3, 4, 5:
		return "(" + c() + " || " + c() + ")"
	case 6:
		return "!(" + c() + ")"
	case 7:
		return "(" + c() + " ? " + c() + " : " + c() + ")"
	case 8:
		if g.Pick(3) == 0 {
			return "((" + c() + ")" + one(g, []string{" == ", " != "}) + "(" + c() + "))"
		}
		return "(" + c() + " || " + c() + " || " + c() + ")"
	case 9:
		return "(" + g.risky() + one(g, []string{" && ", " || "}) + c() + ")"
	}
	return g.atom()
}

// list is some words of the set, perhaps none.
func (g *Generator) list() string {
	var parts []string
	for range []int{1, 2, 1, 3, 0, 2}[g.Pick(6)] {
		parts = append(parts, strconv.Quote(one(g, g.words)))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// A text is a variable, sometimes in small letters or cut up.
func (g *Generator) text() string {
	v := one(g, []string{"field.name", "field.name", "field.name", "value", "value", "field.path", "field.type", "field.source", "field.description"})
	switch g.Pick(12) {
	case 1, 2, 3:
		return v + ".lowerAscii()"
	case 4:
		return v + ".upperAscii()"
	case 5:
		return v + ".trim()"
	case 6:
		return "(" + v + ` + "x")`
	}
	return v
}

// piece is a constant to compare texts with.
func (g *Generator) piece() string {
	w := one(g, g.words)
	switch g.Pick(12) {
	case 1:
		w = strings.ToUpper(w)
	case 2:
		w += "_" + one(g, g.words)
	case 3:
		w = ""
	case 4:
		w = one(g, []string{"\uFFFD", "ſ", "K", "k", "s", "_", ".", "é"})
	case 5:
		w = one(g, append(values[:16:16], "@", types[1], sources[1]))
	case 6:
		w = w[:g.start(w)]
	case 7:
		w = w[g.start(w):]
	}
	if !utf8.ValidString(w) {
		return `""`
	}
	return strconv.Quote(w)
}

// start is a place in w where a character begins.
func (g *Generator) start(w string) int {
	at := g.Pick(len(w) + 1)
	for at < len(w) && !utf8.RuneStart(w[at]) {
		at++
	}
	return at
}

func (g *Generator) pieces() string {
	parts := []string{g.piece()}
	for range g.Pick(3) {
		parts = append(parts, g.piece())
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (g *Generator) atom() string {
	switch g.Pick(30) {
	case 1, 2, 3:
		return "field.words." + one(g, []string{"hasAll", "hasAny"}) + "(" + g.list() + ")"
	case 4:
		return strconv.Quote(one(g, g.words)) + " in field.words"
	case 5:
		return "field.words" + one(g, []string{" == ", " != "}) + g.list()
	case 6, 7, 8:
		return g.text() + one(g, []string{" == ", " != ", " == "}) + g.piece()
	case 9:
		return g.piece() + one(g, []string{" == ", " != "}) + g.text()
	case 10, 11, 12, 13:
		return g.text() + one(g, []string{".startsWith(", ".endsWith(", ".contains("}) + g.piece() + ")"
	case 14, 15, 16, 17, 18:
		return g.text() + ".matches(" + strconv.Quote(g.pattern()) + ")"
	case 19:
		return g.text() + " in " + g.pieces()
	case 20:
		return g.ask()
	case 21:
		return "has(" + one(g, []string{"field.tags.", "context."}) + one(g, keys[:4]) + ")"
	case 22:
		return strconv.Quote(one(g, keys)) + " in " + one(g, []string{"field.tags", "context"})
	case 23:
		return one(g, []string{"field.words.exists(w, w.", "field.words.all(w, w."}) + one(g, []string{"startsWith(", "contains("}) + g.piece() + "))"
	case 24:
		return g.pieces() + ".exists(x, " + g.text() + ".contains(x))"
	case 25:
		return "size(" + one(g, []string{"field.name", "value", "field.words", "field.tags", "context", "field.path"}) + ")" + one(g, []string{" > ", " == ", " < "}) + one(g, []string{"0", "1", "2", "5", "1023"})
	case 26:
		return one(g, []string{"field.name == field.path", "field.name.contains(field.type)", "value == field.name", "field.path.endsWith(field.name)", `"abc".contains(field.type)`,
			`field.type in ["x", field.path]`, `field.name < "m"`, "field.words == field.words", `"` + one(g, g.words) + `" in [field.name, value]`, "[field.name] == " + g.list()})
	case 27, 28:
		return g.risky()
	case 29:
		return one(g, []string{"true", "false"})
	}
	return "field.name.contains(" + g.piece() + ")"
}

// risky fails for some fields.
func (g *Generator) risky() string {
	switch g.Pick(9) {
	case 1:
		return one(g, []string{"field.tags", "context"}) + "[" + strconv.Quote(one(g, keys)) + "]" + one(g, []string{" == ", " != "}) + one(g, []string{`"1"`, `"yes"`, `"eu"`, `""`})
	case 2:
		return "int(value)" + one(g, []string{" > 3", " == 7", " < 0", " / 0 == 1"})
	case 3:
		return "field.words[" + one(g, []string{"0", "1", "2", "-1"}) + "]" + one(g, []string{" == ", " != "}) + strconv.Quote(one(g, g.words))
	case 4:
		return `value.split(",")[` + one(g, []string{"0", "1", "3"}) + `] == ` + g.piece()
	case 5:
		return one(g, []string{"value", "field.name"}) + ".substring(" + one(g, []string{"0, 2", "1, 3", "2"}) + ") == " + g.piece()
	case 6:
		return "12 / size(" + one(g, []string{"value", "field.words", "field.type"}) + ") > 3"
	case 7:
		return "field.tags." + one(g, keys[:4]) + ".startsWith(" + g.piece() + ")"
	case 8:
		return "context." + one(g, keys[:4]) + ".matches(" + strconv.Quote(g.pattern()) + ")"
	}
	return "field.tags[field.name] == field.type"
}

// ask asks for a detector. Whether one finds something in a longer text is not
// asked of those that context helps.
func (g *Generator) ask() string {
	text := one(g, []string{"value", "value", "field.name", "field.description", "value.trim()"})
	if g.Pick(3) == 0 {
		return text + ".finds(" + strconv.Quote(one(g, []string{"badge", "badge-too", "machine"})) + ")"
	}
	return text + ".is(" + strconv.Quote(one(g, []string{"badge", "badge-too", "odd", "hinted", "machine"})) + ")"
}

// pattern is a small regular expression.
func (g *Generator) pattern() string {
	var b strings.Builder
	if g.Pick(3) == 0 {
		b.WriteString(one(g, []string{"(?i)", "(?s)", "(?m)", "(?is)", "(?i)", "(?U)"}))
	}
	if g.Pick(3) == 0 {
		b.WriteString(one(g, []string{"^", `\A`, `\b`, "(^|[_.-])", `\B`}))
	}
	for range 1 + g.Pick(3) {
		b.WriteString(g.part(2))
	}
	if g.Pick(3) == 0 {
		b.WriteString(one(g, []string{"$", `\z`, `\b`, "([_.-]|$)", `\B`}))
	}
	p := b.String()
	if _, err := regexp.Compile(p); err != nil || !utf8.ValidString(p) {
		return "^a"
	}
	return p
}

func (g *Generator) part(depth int) string {
	switch g.Pick(18) {
	case 1:
		return one(g, []string{`\d`, `\w`, `\s`, `\D`, `\W`, ".", `\pL`, `\p{Lu}`, "[[:alpha:]]", `[^\x00-\x7F]`})
	case 2:
		return one(g, []string{"[a-c]", "[^a]", "[_.-]", "[K-ſ]", "[ks]", "[^ks]", "[é-ü]", `[\x{FFFD}]`, `\x{FFFD}`, "[0-9a-f]"})
	case 3:
		return one(g, []string{"[0-9]{1,3}", `\w{2,4}`, ".{0,3}", `\d+`, "[a-z]*", ".*", "a{3}", `\d{2,}`})
	case 4, 5:
		if depth > 0 {
			return "(" + g.part(depth-1) + "|" + g.part(depth-1) + ")" + one(g, []string{"", "?", "*", "+", "{1,2}", "??", "+?"})
		}
	case 6:
		if depth > 0 {
			return "(?i:" + g.part(depth-1) + ")"
		}
	case 7:
		if depth > 0 {
			return "(?:" + g.part(depth-1) + g.part(depth-1) + ")" + one(g, []string{"", "?", "{2}"})
		}
	case 8:
		return regexp.QuoteMeta(one(g, g.words)) + "s?"
	case 9:
		return one(g, []string{"", "|", "^", "$", `\b`, `(?:)`, `()`})
	case 10:
		return strings.ToUpper(regexp.QuoteMeta(one(g, g.words)))
	case 11:
		return one(g, []string{"k", "s", "K", "S", "ſ", "K", "é", "É", "_", "ı", "ss"})
	}
	return regexp.QuoteMeta(one(g, g.words))
}

// Fields makes n fields for the last rules. Some differ from others in value,
// context or one short text only, so that what is remembered of the one could be
// taken for the other.
func (g *Generator) Fields(n int) []classify.Field {
	var fields []classify.Field
	for len(fields) < n {
		f := g.field()
		fields = append(fields, f)
		for range g.Pick(4) {
			h := f
			switch g.Pick(8) {
			case 1:
				h.Context = g.entries()
			case 2:
				h.Tags = g.entries()
			case 3:
				h.Type = one(g, types)
			case 4:
				h.Path, h.Description = h.Description, h.Path
			case 5:
				h.Name = g.spoil(h.Name)
			case 6:
				h.Source = one(g, sources)
			default:
				h.Value = g.value()
			}
			fields = append(fields, h)
		}
	}
	return fields[:n]
}

func (g *Generator) field() classify.Field {
	f := classify.Field{Name: g.name(), Value: g.value()}
	if g.Pick(3) == 0 {
		f.Path = one(g, []string{"", "user.", "a.b[0]."}) + g.name()
	}
	if g.Pick(3) == 0 {
		f.Type = one(g, types)
	}
	if g.Pick(3) == 0 {
		f.Source = one(g, sources)
	}
	if g.Pick(4) == 0 {
		f.Description = g.name() + " " + one(g, values)
		if g.Pick(8) == 0 {
			f.Description = strings.Repeat("größe ", 4096/7+g.Pick(3)) + f.Description
		}
	}
	if g.Pick(3) == 0 {
		f.Tags = g.entries()
	}
	if g.Pick(3) == 0 {
		f.Context = g.entries()
	}
	return f
}

func (g *Generator) entries() map[string]string {
	m := map[string]string{}
	for range g.Pick(4) {
		key := one(g, keys)
		if key != "privacy" && key != "privet.category" || g.Pick(3) == 0 {
			m[key] = one(g, mapValues)
		}
	}
	if g.Pick(30) == 0 { // more than expressions see
		for i := range profile.MaxEntries {
			m["o"+strconv.Itoa(i)] = "1"
		}
	}
	if g.Pick(6) == 0 {
		m[one(g, keys[4:])] = one(g, []string{"user.contact", "system.ops,user.name", " user , nobody", "nobody", ",,", "system", "user.name,user.name"})
	}
	return m
}

func (g *Generator) value() string {
	switch g.Pick(8) {
	case 1:
		return g.name()
	case 2:
		return one(g, values) + one(g, []string{" ", ",", ""}) + one(g, values)
	case 3:
		if g.Pick(12) == 0 { // over 64 KiB, which is where values are cut for rules
			return strings.Repeat("x", profile.MaxValue-g.Pick(8)) + one(g, values)
		}
	}
	return one(g, values)
}

// name is made of the words of the rules.
func (g *Generator) name() string {
	var b strings.Builder
	join := one(g, []string{"_", "", "-", ".", "_", "X", "1", "\u00a0", "Camel"})
	n := []int{1, 2, 1, 2, 3, 3, 4, 0, 70}[g.Pick(9)]
	if n == 70 && g.Pick(4) != 0 {
		n = 2
	}
	for i := range n {
		w := one(g, g.words)
		switch g.Pick(8) {
		case 1:
			w = strings.ToUpper(w)
		case 2:
			w = title(w)
		case 3:
			w += "s"
		}
		switch {
		case join == "Camel" && i > 0:
			w = title(w)
		case i > 0:
			b.WriteString(join)
		}
		b.WriteString(w)
	}
	name := b.String()
	switch g.Pick(14) {
	case 1, 2, 3:
		name = g.spoil(name)
	case 4: // around 1 KiB, which is where names are cut
		if g.Pick(3) == 0 {
			name = strings.Repeat("ab", max(0, profile.MaxName/2-g.Pick(12))) + name
		}
	case 5:
		if g.Pick(3) == 0 {
			name += strings.Repeat("é_", profile.MaxName/3-4+g.Pick(12)) + name
		}
	case 6:
		name = one(g, values)
	}
	return name
}

// title makes the first letter large.
func title(w string) string {
	r, width := utf8.DecodeRuneInString(w)
	if r == utf8.RuneError {
		return w
	}
	return string(unicode.ToUpper(r)) + w[width:]
}

// spoil changes a name a little.
func (g *Generator) spoil(name string) string {
	at := g.Pick(len(name) + 1)
	switch g.Pick(9) {
	case 1:
		return name[:at] + one(g, []string{"\xff", "\xc3", "\uFFFD", "\xed\xa0\x80", "\x00", "\n", "é"}) + name[at:]
	case 2:
		return strings.ReplaceAll(strings.ReplaceAll(name, "k", "\u212A"), "s", "ſ")
	case 3:
		return name[:at] + name[min(at+1, len(name)):]
	case 4:
		return name[:at] + strings.ToUpper(name[at:])
	case 5:
		return name + one(g, []string{"s", "_", "x", "\n", " ", "0"})
	case 6:
		return one(g, []string{"s", "_", "x", "\n", " ", "0"}) + name
	case 7:
		return strings.ToLower(name)
	case 8:
		return strings.ReplaceAll(name, "_", "")
	}
	return name[at:]
}
