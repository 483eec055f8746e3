package classify

import (
	"cmp"
	"slices"
	"strings"

	"github.com/privetdev/privet/classify/detect"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/plain"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
)

// A Scanner classifies with memory of its own that it uses again, so that a field
// in which nothing is found costs no allocation. It serves one goroutine at a
// time; make one with [Classifier.NewScanner].
type Scanner struct {
	// Threshold is the confidence below which nothing is reported. NewScanner sets
	// that of the classifier.
	Threshold float64

	// MaxValue is how many bytes of a value detectors look at; 0 means all. It is
	// 64 KiB in a new Scanner. See [Scanner.Truncated].
	MaxValue int

	// NoContext leaves the words around a match and in the field's name out of
	// account.
	NoContext bool

	// NoMemory neither remembers fields nor asks what is remembered: for streams
	// whose names never repeat.
	NoMemory bool

	c         *Classifier
	truncated bool
	unknown   bool

	walker  scan.Walker
	hunts   []hunt // by detector; those of this text have the round hunted
	hunted  uint32
	plain   plain.Text
	stream  *stream
	origin  origin // of the text at hand; nil where it is its own plain form
	levels  [maxLevels]level
	field   Field
	words   []string     // of the field's name, see needWords
	ready   bool         // vars hold the field
	atoms   scan.Matches // questions about the field that the answer is yes to
	asked   []uint32     // which rules were asked about this field: those marked round
	round   uint32
	spent   bool // an evaluation used up its budget
	name    wordList
	named   bool // name holds the words of the field's name
	tags    expr.StrMap
	context expr.StrMap
	vars    [profile.FieldVars]expr.Value
	keys    []string

	findings []found
	taken    []uint64
	votes    []vote
	spans    []Span
	nearby   nearby
	trace    *tracer // nil unless explaining
	fresh    known   // what is known about a field that is not remembered
}

// A level is what one evaluation works on: a rule or check on the lowest, what it
// asks about other detectors on the next.
type level struct {
	rule, match expr.Frame
	host        detect.Host
	machine     scan.Machine
	plain       plain.Text
	groups      []string
	ready       bool // match holds the variables of this field
}

// maxLevels bounds how deep checks may ask about other detectors whose checks ask
// again.
const maxLevels = 4

// vote is what is known about one category of the field at hand.
type vote struct {
	category    int32
	named, seen int32 // confidence by rules, by detectors; 0: none
	rule        int32
	detector    int32
}

// NewScanner makes a scanner.
func (c *Classifier) NewScanner() *Scanner {
	s := &Scanner{Threshold: float64(c.threshold) / 1000, MaxValue: profile.MaxValue, c: c}
	s.atoms.Grow(c.index.Atoms)
	s.asked = make([]uint32, len(c.rules))
	s.hunts = make([]hunt, len(c.detectors))
	for i := range s.levels {
		l := &s.levels[i]
		l.rule.Vars = make([]expr.Value, profile.FieldVars)
		l.match.Vars = make([]expr.Value, profile.MatchVars)
		l.rule.Host, l.match.Host = &l.host, &l.host
		l.host.Find = func(text, id string, whole bool) (bool, expr.Code) { return s.ask(i+1, text, id, whole) }
	}
	return s
}

// Truncated reports whether the last value was longer than MaxValue, so that
// detectors did not see its end. A caller who must not miss anything treats such
// a value as a whole.
func (s *Scanner) Truncated() bool { return s.truncated }

// UnknownTag reports whether a tag of the last field declared a category that the
// taxonomy does not have. Such a declaration counts for nothing.
func (s *Scanner) UnknownTag() bool { return s.unknown }

// Append classifies a field and appends its labels to dst. The spans of the labels
// belong to the Scanner: they last until its next call.
func (s *Scanner) Append(dst []Label, f *Field) []Label {
	s.truncated, s.unknown = false, false
	s.spans, s.votes = s.spans[:0], s.votes[:0]
	s.begin(f)
	k := s.know(f)
	s.unknown = k.unknown
	if s.c.index.Late && !k.declared() {
		s.later(k)
	}
	s.findings = s.findings[:0]
	if f.Value != "" && len(s.c.detectors) > 0 {
		s.look(s.limit(f.Value), k)
	}
	if settled := k.labels.Load(); settled != nil && len(s.votes) == 0 && len(s.findings) == 0 && s.floor() == int32(s.c.threshold) {
		return append(dst, *settled...)
	}
	s.weighNames(k)
	for i := range s.findings {
		s.see(&s.findings[i])
	}
	return s.label(dst)
}

// Asserts reports whether the condition of one rule holds for a field. An unknown
// rule asserts nothing.
func (s *Scanner) Asserts(rule string, f *Field) bool {
	for i := range s.c.rules {
		if s.c.rules[i].id == rule {
			s.begin(f)
			s.needWords()
			return s.holds(s.c.rules[i].when)
		}
	}
	return false
}

// forget lets go of the texts of the last field.
func (s *Scanner) forget() {
	s.field, s.words = Field{}, nil
	clear(s.vars[:])
	for i := range s.levels {
		clear(s.levels[i].rule.Vars)
		clear(s.levels[i].match.Vars)
		clear(s.levels[i].groups)
	}
	s.tags.Reset()
	s.context.Reset()
	clear(s.keys)
	s.fresh.clear()
	s.nearby.forget()
}

func (s *Scanner) floor() int32 { return int32(s.Threshold*1000 + 0.5) }

// begin takes in a field. Its variables are prepared when an expression needs them.
func (s *Scanner) begin(f *Field) {
	s.field, s.words, s.ready, s.named = *f, nil, false, false
	for i := range s.levels {
		s.levels[i].ready = false
	}
}

// prepare sets the variables that expressions see.
func (s *Scanner) prepare() {
	if s.ready {
		return
	}
	s.ready = true
	v, f := &s.vars, &s.field
	v[profile.FieldName] = expr.String(cut(f.Name, profile.MaxName))
	v[profile.FieldPath] = expr.String(cut(f.Path, profile.MaxName))
	v[profile.FieldWords] = expr.Strings(&s.words)
	v[profile.FieldType] = expr.String(cut(f.Type, profile.MaxType))
	v[profile.FieldTags] = expr.StringMap(nil)
	v[profile.FieldSource] = expr.String(cut(f.Source, profile.MaxName))
	v[profile.FieldDescription] = expr.String(cut(f.Description, profile.MaxDescription))
	v[profile.FieldValue] = expr.String(cut(f.Value, profile.MaxValue))
	v[profile.FieldContext] = expr.StringMap(nil)
	if s.c.readsTags {
		v[profile.FieldTags] = s.mapOf(&s.tags, f.Tags)
	}
	if s.c.readsContext {
		v[profile.FieldContext] = s.mapOf(&s.context, f.Context)
	}
	copy(s.levels[0].rule.Vars, v[:])
}

// needWords sets the words that expressions see, which few of them read.
func (s *Scanner) needWords() {
	if s.words == nil {
		s.words = Words(cut(s.field.Name, profile.MaxName))
	}
}

// mapOf shows a map to expressions: the first entries in the order of keys, with
// long texts cut.
func (s *Scanner) mapOf(m *expr.StrMap, from map[string]string) expr.Value {
	m.Reset()
	s.keys = s.keys[:0]
	for k := range from {
		s.keys = append(s.keys, k)
	}
	slices.Sort(s.keys)
	for _, k := range s.keys[:min(len(s.keys), profile.MaxEntries)] {
		m.Set(cut(k, profile.MaxName), cut(from[k], profile.MaxName))
	}
	return expr.StringMap(m)
}

// holds evaluates the condition of a rule. An error means that it does not hold.
func (s *Scanner) holds(p *expr.Program) bool {
	s.prepare()
	l := &s.levels[0]
	l.host.Reset()
	ok, code := l.rule.EvalBool(p)
	return ok && code == expr.OK
}

// weighNames adds what is known of a field to the votes of late rules, and settles
// what rules say.
func (s *Scanner) weighNames(k *known) {
	for i := range k.said {
		s.claim(k.said[i])
	}
	s.yield()
}

// know tells what is known about a field before its value is looked at. It leaves
// the atoms that hold in s.atoms, if late rules need them.
func (s *Scanner) know(f *Field) *known {
	hash, remember := uint64(0), false
	if !s.NoMemory {
		var size int
		if hash, size = hashOf(f); size <= memoryKey {
			if k := s.c.memory.get(hash, f); k != nil {
				if k.labels.Load() == nil {
					s.settleNames(k)
				}
				if s.c.index.Late {
					s.atoms.Reset()
					for _, a := range k.atoms {
						s.atoms.Add(a)
					}
				}
				return k
			}
			remember = true
		}
	}
	s.fresh.clear()
	s.learn(&s.fresh, f)
	if remember {
		s.c.memory.put(s.fresh.keep(hash, f))
	}
	return &s.fresh
}

// settleNames prepares the labels of a field to which neither late rules nor
// detectors add anything, at the threshold of the classifier.
func (s *Scanner) settleNames(k *known) {
	threshold := s.Threshold
	s.Threshold = float64(s.c.threshold) / 1000
	s.weighNames(k)
	labels := s.label(nil)
	k.labels.Store(&labels)
	s.votes, s.Threshold = s.votes[:0], threshold
}

// learn finds out what is to know about a field.
func (s *Scanner) learn(k *known, f *Field) {
	x := s.c.index
	s.atoms.Reset()
	if s.c.readsPath && f.Path != "" && f.Path != f.Name {
		s.name.read(cut(f.Path, profile.MaxName))
		s.readWords(k, false)
	}
	if len(x.words) > 0 {
		s.readName()
		s.readWords(k, true)
	}
	for _, key := range tagKeys {
		if tag := f.Tags[key]; tag != "" {
			if s.declare(k, tag); len(k.said) > 0 {
				return
			}
		}
	}
	for i := range x.texts {
		if t := &x.texts[i]; !t.late {
			t.set.Match(s.textOf(t.slot), &s.atoms)
		}
	}
	s.nextRound()
	for _, i := range x.Always {
		s.early(k, i)
	}
	for _, a := range s.atoms.List {
		for _, i := range x.Waiting[a] {
			s.early(k, i)
		}
	}
	if x.Recall {
		k.atoms = append(k.atoms, s.atoms.List...)
	}
}

// textOf is a variable as expressions see it.
func (s *Scanner) textOf(slot int) string {
	f := &s.field
	switch slot {
	case profile.FieldName:
		return cut(f.Name, profile.MaxName)
	case profile.FieldPath:
		return cut(f.Path, profile.MaxName)
	case profile.FieldType:
		return cut(f.Type, profile.MaxType)
	case profile.FieldSource:
		return cut(f.Source, profile.MaxName)
	case profile.FieldDescription:
		return cut(f.Description, profile.MaxDescription)
	}
	return cut(f.Value, profile.MaxValue)
}

func (s *Scanner) readName() {
	if !s.named {
		s.named = true
		s.name.read(cut(s.field.Name, profile.MaxName))
	}
}

// readWords looks up the words of s.name: what rules ask about those of a name, and
// the context phrases of detectors.
func (s *Scanner) readWords(k *known, atoms bool) {
	for i := range s.name.n {
		w := s.name.word(i)
		e := s.c.index.words[string(w)]
		if e == nil {
			continue
		}
		if atoms && e.atom >= 0 {
			s.atoms.Add(uint32(e.atom))
		}
		for j := range e.phrases {
			if p := &e.phrases[j]; s.name.goesOn(i+1, p.rest) {
				k.setNear(int(p.detector), len(s.c.detectors))
			}
		}
	}
}

// wordsAre tells whether the words of the name are list.
func (s *Scanner) wordsAre(list []string) truth {
	s.readName()
	if s.name.n != len(list) {
		return isFalse
	}
	for i, w := range list {
		if string(s.name.word(i)) != w {
			return isFalse
		}
	}
	return isTrue
}

// nextRound forgets which rules were asked.
func (s *Scanner) nextRound() {
	if s.round++; s.round == 0 {
		clear(s.asked)
		s.round = 1
	}
}

// early asks a rule before anything late is known.
func (s *Scanner) early(k *known, i int32) {
	if s.asked[i] == s.round {
		return
	}
	s.asked[i] = s.round
	x := &s.c.index.Rules[i]
	if x.Simple {
		s.say(k, i)
		return
	}
	s.spent = false
	switch t := s.eval(x, &x.Root, true); {
	case s.spent:
	case t == isTrue:
		s.say(k, i)
	case t == isUnknown:
		k.open = append(k.open, i)
	}
}

// say notes that a rule holds.
func (s *Scanner) say(k *known, i int32) {
	r := &s.c.rules[i]
	for j := range k.said {
		x := &k.said[j]
		if x.category != r.category {
			continue
		}
		if r.confidence > x.confidence || r.confidence == x.confidence && r.id < s.c.rules[x.rule].id {
			*x = said{r.category, r.confidence, i}
		}
		return
	}
	k.said = append(k.said, said{r.category, r.confidence, i})
}

// later asks the rules that look at the value or the context.
func (s *Scanner) later(k *known) {
	x := s.c.index
	first := len(s.atoms.List)
	for i := range x.texts {
		if t := &x.texts[i]; t.late {
			t.set.Match(s.textOf(t.slot), &s.atoms)
		}
	}
	if first == len(s.atoms.List) && len(k.open) == 0 {
		return
	}
	s.nextRound()
	for _, i := range k.open {
		s.late(i)
	}
	for _, a := range s.atoms.List[first:] {
		for _, i := range x.Waiting[a] {
			s.late(i)
		}
	}
}

// late asks a rule when everything is known.
func (s *Scanner) late(i int32) {
	if s.asked[i] == s.round {
		return
	}
	s.asked[i] = s.round
	x, r := &s.c.index.Rules[i], &s.c.rules[i]
	s.spent = false
	if x.Simple || s.eval(x, &x.Root, false) == isTrue && !s.spent {
		s.claim(said{r.category, r.confidence, i})
	}
}

// rest evaluates a part of a condition that the index does not answer.
func (s *Scanner) rest(p *expr.Program, node int) (bool, expr.Code) {
	s.prepare()
	if s.c.index.ReadsWords {
		s.needWords()
	}
	l := &s.levels[0]
	l.host.Reset()
	ok, code := l.rule.EvalBoolAt(p, node)
	s.spent = s.spent || code == expr.TooMuch
	return ok, code
}

// declare takes the categories that a tag names.
func (s *Scanner) declare(k *known, tag string) {
	for key := range strings.SplitSeq(tag, ",") {
		if key = strings.TrimSpace(key); key == "" {
			continue
		}
		if i, ok := s.c.find(key); !ok {
			k.unknown = true
		} else if !slices.ContainsFunc(k.said, func(x said) bool { return x.category == i }) {
			k.said = append(k.said, said{i, 1000, declaredRule})
		}
	}
}

// claim notes what a rule says.
func (s *Scanner) claim(x said) {
	v := s.vote(x.category)
	if x.confidence > v.named || x.confidence == v.named && s.ruleID(x.rule) < s.ruleID(v.rule) {
		v.named, v.rule = x.confidence, x.rule
	}
}

func (s *Scanner) ruleID(i int32) string {
	switch i {
	case noRule:
		return "\U0010FFFF" // after every id
	case declaredRule:
		return Declared
	}
	return s.c.rules[i].id
}

func (s *Scanner) vote(category int32) *vote {
	for i := range s.votes {
		if s.votes[i].category == category {
			return &s.votes[i]
		}
	}
	s.votes = append(s.votes, vote{category: category, rule: noRule, detector: -1})
	return &s.votes[len(s.votes)-1]
}

// margin is by how much a rule may be less confident than the most confident one
// and still count beside it.
const margin = 100

// yield settles what the rules say among themselves. A rule that is less confident
// than the best by the margin or more was a guess from fewer words and gives way;
// so do categories of the system beside those of a person. Declarations stay.
func (s *Scanner) yield() {
	floor, best, personal := s.floor(), int32(0), false
	for i := range s.votes {
		if v := &s.votes[i]; v.rule >= 0 {
			best = max(best, v.named)
		}
	}
	for i := range s.votes {
		v := &s.votes[i]
		personal = personal || v.rule >= 0 && v.named >= floor && v.named > best-margin && !s.c.rules[v.rule].system
	}
	s.votes = slices.DeleteFunc(s.votes, func(v vote) bool {
		return v.rule >= 0 && (v.named <= best-margin || personal && s.c.rules[v.rule].system)
	})
}

// label turns votes into labels.
func (s *Scanner) label(dst []Label) []Label {
	first := len(dst)
	for i := range s.votes {
		v := &s.votes[i]
		confidence := max(v.named, v.seen)
		if v.named > 0 && v.seen > 0 {
			confidence = 1000 - (1000-v.named)*(1000-v.seen)/1000
		}
		if confidence < s.floor() && (v.detector < 0 || s.c.detectors[v.detector].floor < 0) {
			continue
		}
		k := &s.c.categories[v.category]
		l := Label{Category: k.Key, Confidence: float64(confidence) / 1000, ISO19944: k.ISO19944, Qualifier: k.Qualifier}
		if v.rule != noRule {
			l.Rule = s.ruleID(v.rule)
		}
		if v.detector >= 0 {
			l.Detector = s.c.detectors[v.detector].id
			start := len(s.spans)
			for j := range s.findings {
				if f := &s.findings[j]; s.c.detectors[f.detector].category == v.category {
					s.spans = append(s.spans, Span{f.start, f.end})
				}
			}
			l.Spans = s.spans[start:len(s.spans):len(s.spans)]
		}
		dst = append(dst, l)
	}
	if len(dst)-first > 1 {
		slices.SortFunc(dst[first:], func(a, b Label) int {
			// A category occurs once, so this order is total.
			return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Category, b.Category))
		})
	}
	return dst
}
