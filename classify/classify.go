package classify

import (
	_ "embed" // for the built-in classification
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
)

// A Field is one field of a record. Everything may be empty.
type Field struct {
	Name        string            // as the data has it
	Path        string            // from the record to the field, such as user.emails[0]
	Type        string            // declared type, as its source names it
	Tags        map[string]string // declared tags
	Source      string            // where it comes from, such as a table or topic
	Description string
	Value       string            // text form; numbers as they are written
	Context     map[string]string // what the caller says about the record
}

// A Span is a part of a value in byte offsets, without its end.
type Span struct{ Start, End int }

// A Label says that a field holds data of a category.
type Label struct {
	Category   string
	Confidence float64 // 0 to 1, in thousandths
	// Rule is the id of the rule that said so, such as builtin/email-name, or
	// "declared" for a tag. If it is not empty the whole field is of the category,
	// whatever the spans are.
	Rule string
	// Detector is the id of the detector that found the category in the value, the
	// most confident of several; Spans are all the places, in order.
	Detector string
	Spans    []Span
	// ISO19944 is the clause of ISO/IEC 19944-1 that the category falls under;
	// Qualifier is how identifiable such data is as it is usually collected:
	// identified, pseudonymized, unlinked_pseudonymized, anonymized or aggregated.
	ISO19944, Qualifier string
}

// A Finding is one place in a text where one detector found something.
type Finding struct {
	Detector   string
	Category   string
	Start, End int // byte offsets, without the end
	Confidence float64
}

// A Category is a node of the taxonomy.
type Category struct {
	Key       string
	Parent    string // "" for a root
	Title     string // for people
	ISO19944  string // clause of ISO/IEC 19944-1, or ""
	Qualifier string // see [Label]
}

// Declared is the rule of a label that comes from a tag.
const Declared = "declared"

// tagKeys are the tags that declare categories, the stronger first.
var tagKeys = [...]string{"privet.category", "privacy"}

// ErrInvalid is wrapped by every error about a classification that cannot be
// used: an unknown category, a bad pattern, a missing condition.
var ErrInvalid = errors.New("classify: not a usable classification")

// A Classifier holds a taxonomy, rules and detectors. It is immutable and safe
// for concurrent use.
type Classifier struct {
	categories []Category // by key
	rules      []rule
	detectors  []detector
	suppress   []suppress
	adjust     []adjust
	union      *scan.Union // of the patterns of all detectors, in their order
	threshold  int
	index      *index
	// What any expression reads, so that the rest is not prepared. readsPath is for
	// the context words of detectors.
	readsTags, readsContext, readsPath bool
	memory                             memory
	pool                               sync.Pool
	source                             *bundle.Classification
}

type rule struct {
	id         string
	category   int32
	confidence int32
	system     bool // the category lies below system
	when       *expr.Program
}

type detector struct {
	id                   string
	category             int32
	pattern              *scan.Pattern
	check                *expr.Program
	context              [][]string // phrases, word by word
	base, checked, boost int32
	floor                int32 // its own threshold, or -1
	groups               bool  // the check reads match.groups
	words                bool  // the check or a suppression reads field.words
	muted                bool  // found only when an expression asks for it
	suppress             []int // which suppressions look at its findings
	adjust               []int // and which adjustments
	raise                int32 // what adjustments add at most
}

type suppress struct {
	id, reason string
	when       *expr.Program
}

type adjust struct {
	id, reason string
	when       *expr.Program
	add        int32
}

// Open makes a classifier from the bytes of a compiled policy. The error says why
// the bytes cannot be read, or wraps [ErrInvalid].
func Open(data []byte) (*Classifier, error) {
	b, err := bundle.Decode(data)
	if err != nil {
		return nil, err
	}
	return New(&b.Classification)
}

//go:generate go run github.com/privetdev/privet/internal/cmd/genbuiltin

//go:embed builtin/builtin.bundle
var builtinBundle []byte

var builtin = sync.OnceValue(func() *Classifier {
	c, err := Open(builtinBundle)
	if err != nil {
		// A test opens it, so this is a broken build.
		return &Classifier{threshold: 400, index: &index{}}
	}
	return c
})

// Builtin is the classifier of the built-in taxonomy, rules and detectors. It is
// made when it is first asked for.
func Builtin() *Classifier { return builtin() }

// BuiltinBundle is the compiled form of the built-in classification, for tools
// that put policies together. The bytes must not be changed.
func BuiltinBundle() []byte { return builtinBundle }

// New makes a classifier from compiled parts; errors wrap [ErrInvalid]. It keeps
// no reference that would let later changes of cl show.
func New(cl *bundle.Classification) (*Classifier, error) {
	c := &Classifier{threshold: int(cl.Threshold), source: cl}
	if cl.Threshold > 1000 {
		return nil, invalid("threshold above 1", "")
	}
	if err := c.addCategories(cl.Categories); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for i := range cl.Rules {
		r := &cl.Rules[i]
		k, ok := c.find(r.Category)
		switch {
		case ids[r.ID]:
			return nil, invalid("rule given twice", r.ID)
		case !ok:
			return nil, invalid("unknown category of rule", r.ID)
		case r.When == nil || r.When.Env != profile.EnvField || r.When.Result() != expr.TBool:
			return nil, invalid("no condition in rule", r.ID)
		case r.Confidence > 1000:
			return nil, invalid("confidence above 1 in rule", r.ID)
		}
		ids[r.ID] = true
		reads := r.When.Vars()
		c.readsTags = c.readsTags || reads[profile.FieldTags]
		c.readsContext = c.readsContext || reads[profile.FieldContext]
		c.rules = append(c.rules, rule{r.ID, k, int32(r.Confidence), profile.Under(r.Category, "system"), r.When})
	}
	if err := c.addDetectors(cl.Detectors); err != nil {
		return nil, err
	}
	for i := range cl.Suppress {
		s := &cl.Suppress[i]
		if s.When == nil || s.When.Env != profile.EnvMatch || s.When.Result() != expr.TBool {
			return nil, invalid("no condition in suppression", s.ID)
		}
		for _, id := range s.Detectors {
			if c.detector(id) < 0 {
				return nil, invalid("unknown detector in suppression", s.ID)
			}
		}
		c.note(s.When)
		c.suppress = append(c.suppress, suppress{s.ID, s.Reason, s.When})
		for j := range c.detectors {
			if d := &c.detectors[j]; len(s.Detectors) == 0 || slices.Contains(s.Detectors, d.id) {
				d.suppress = append(d.suppress, i)
				d.words = d.words || s.When.Vars()[profile.FieldWords]
				d.groups = d.groups || s.When.Vars()[profile.MatchGroups]
			}
		}
	}
	for i := range cl.Adjust {
		a := &cl.Adjust[i]
		switch {
		case a.When == nil || a.When.Env != profile.EnvMatch || a.When.Result() != expr.TBool:
			return nil, invalid("no condition in adjustment", a.ID)
		case a.Add < -1000 || a.Add > 1000:
			return nil, invalid("more than 1 added in adjustment", a.ID)
		}
		for _, id := range a.Detectors {
			if c.detector(id) < 0 {
				return nil, invalid("unknown detector in adjustment", a.ID)
			}
		}
		c.note(a.When)
		c.adjust = append(c.adjust, adjust{a.ID, a.Reason, a.When, int32(a.Add)})
		reads := a.When.Vars()
		for j := range c.detectors {
			if d := &c.detectors[j]; len(a.Detectors) == 0 || slices.Contains(a.Detectors, d.id) {
				d.adjust = append(d.adjust, i)
				d.raise += max(int32(a.Add), 0)
				d.words = d.words || reads[profile.FieldWords]
				d.groups = d.groups || reads[profile.MatchGroups]
			}
		}
	}
	c.index = newIndex(c.rules, c.detectors)
	c.pool.New = func() any { return c.NewScanner() }
	return c, nil
}

// An invalidError says what is wrong with which part. Ids come from the policy,
// never from data.
type invalidError struct{ what, which string }

func (e *invalidError) Unwrap() error { return ErrInvalid }

func (e *invalidError) Error() string {
	if e.which == "" {
		return ErrInvalid.Error() + ": " + e.what
	}
	return ErrInvalid.Error() + ": " + e.what + ": " + strconv.Quote(e.which)
}

func invalid(what, which string) error { return &invalidError{what, which} }

func (c *Classifier) note(p *expr.Program) {
	reads := p.Vars()
	c.readsTags = c.readsTags || reads[profile.FieldTags]
	c.readsContext = c.readsContext || reads[profile.FieldContext]
}

func (c *Classifier) addCategories(list []bundle.Category) error {
	for _, k := range list {
		c.categories = append(c.categories, Category{Key: k.Key, Title: k.Title, ISO19944: k.ISO19944, Qualifier: k.Qualifier})
	}
	slices.SortFunc(c.categories, func(a, b Category) int { return strings.Compare(a.Key, b.Key) })
	// A parent sorts before its children, so it is complete when they ask.
	for i := range c.categories {
		k := &c.categories[i]
		if i > 0 && c.categories[i-1].Key == k.Key {
			return invalid("category given twice", k.Key)
		}
		dot := strings.LastIndexByte(k.Key, '.')
		if dot < 0 {
			continue
		}
		k.Parent = k.Key[:dot]
		p, ok := c.find(k.Parent)
		if !ok {
			return invalid("no parent of category", k.Key)
		}
		parent := &c.categories[p]
		if k.ISO19944 == "" {
			k.ISO19944 = parent.ISO19944
		}
		if k.Qualifier == "" {
			k.Qualifier = parent.Qualifier
		}
	}
	return nil
}

func (c *Classifier) addDetectors(list []bundle.Detector) error {
	for i := range list {
		d := &list[i]
		k, ok := c.find(d.Category)
		switch {
		case c.detector(d.ID) >= 0:
			return invalid("detector given twice", d.ID)
		case !ok:
			return invalid("unknown category of detector", d.ID)
		case d.Check != nil && (d.Check.Env != profile.EnvMatch || d.Check.Result() != expr.TBool):
			return invalid("bad check of detector", d.ID)
		case d.Base > 1000 || d.Checked > 1000 || d.Boost > 1000 || d.Floor > 1001:
			return invalid("confidence above 1 in detector", d.ID)
		}
		p, err := scan.Compile(d.Pattern, d.CaseSensitive)
		if err != nil {
			return invalid("bad pattern of detector", d.ID)
		}
		out := detector{id: d.ID, category: k, pattern: p, check: d.Check,
			base: int32(d.Base), checked: int32(d.Checked), boost: int32(d.Boost), floor: int32(d.Floor) - 1, muted: d.Muted}
		if d.Check != nil {
			c.note(d.Check)
			out.groups = d.Check.Vars()[profile.MatchGroups]
			out.words = d.Check.Vars()[profile.FieldWords]
		}
		for _, phrase := range d.Context {
			if words := Words(phrase); len(words) > 0 {
				out.context = append(out.context, words)
			}
		}
		c.readsPath = c.readsPath || len(out.context) > 0
		c.detectors = append(c.detectors, out)
	}
	if len(c.detectors) > maxDetectors {
		return invalid("too many detectors", "")
	}
	patterns := make([]*scan.Pattern, len(c.detectors))
	for i := range c.detectors {
		patterns[i] = c.detectors[i].pattern
	}
	c.union = scan.NewUnion(patterns)
	return nil
}

// maxDetectors bounds the detectors of one classifier.
const maxDetectors = 1024

func (c *Classifier) find(key string) (int32, bool) {
	i, ok := slices.BinarySearchFunc(c.categories, key, func(k Category, key string) int { return strings.Compare(k.Key, key) })
	return int32(i), ok
}

// detector is the index of a detector, or -1.
func (c *Classifier) detector(id string) int {
	for i := range c.detectors {
		if c.detectors[i].id == id {
			return i
		}
	}
	return -1
}

// Under reports whether the dotted key is ancestor or lies below it. Keys need
// not be in the taxonomy.
func (c *Classifier) Under(key, ancestor string) bool { return profile.Under(key, ancestor) }

// Category looks up a key of the taxonomy. The clause and the qualifier are
// those of the nearest ancestor that has them.
func (c *Classifier) Category(key string) (Category, bool) {
	if i, ok := c.find(key); ok {
		return c.categories[i], true
	}
	return Category{}, false
}

// Categories is the whole taxonomy, sorted by key.
func (c *Classifier) Categories() []Category { return slices.Clone(c.categories) }

// Detectors is the ids of all detectors, in the order of their definition.
func (c *Classifier) Detectors() []string {
	ids := make([]string, len(c.detectors))
	for i := range ids {
		ids[i] = c.detectors[i].id
	}
	return ids
}

// Rules is the ids of all rules, in the order of their definition.
func (c *Classifier) Rules() []string {
	ids := make([]string, len(c.rules))
	for i := range ids {
		ids[i] = c.rules[i].id
	}
	return ids
}

// Field classifies one field. It looks at the whole value. Callers with many
// fields use a [Scanner] and spare the allocations.
func (c *Classifier) Field(f Field) []Label {
	s, _ := c.pool.Get().(*Scanner)
	if s == nil {
		s = c.NewScanner()
	}
	s.MaxValue = 0
	labels := s.Append(nil, &f)
	for i := range labels {
		labels[i].Spans = slices.Clone(labels[i].Spans)
	}
	s.forget()
	c.pool.Put(s)
	return labels
}
