package classify

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// An Explanation says why a field has the labels that it has, and why it has no
// others. Nothing in it is a part of the value: places are byte offsets.
type Explanation struct {
	Threshold float64 // confidence below which nothing is reported
	// Declared are the categories that a tag declares; then rules are not asked.
	// UnknownTag says that a tag declares a category that the taxonomy does not have.
	Declared   []string
	UnknownTag bool
	Labels     []LabelReason
	// Rules are those that hold, and those of which a part holds, in the order of
	// their definition.
	Rules []RuleReason
	// Candidates are all places where a detector's pattern matched, in the order of
	// places, at most 256; MoreCandidates says that there were more.
	Candidates     []CandidateReason
	MoreCandidates bool
}

// A LabelReason is a label with the evidence for it. Confidence is that of the one
// that is not zero, or 1-(1-Named)(1-Found), in thousandths.
type LabelReason struct {
	Label
	Named float64 // by the rule or the declaration
	Found float64 // by the detector
}

// A RuleReason says what became of one rule.
type RuleReason struct {
	ID, Category string
	Confidence   float64
	Holds        bool
	// Because says why a rule that holds counts or does not count.
	Because    string
	Conditions []Condition
}

// A Condition is a part of a condition and its outcome.
type Condition struct {
	Depth int    // 0 for the whole condition, 1 for its parts, and so on
	Join  string // "&&", "||", "!" or "?:" if it is made of what follows it one deeper
	Text  string // in CEL
	// Outcome is "true", "false", "not evaluated", or "error: " and a fixed text.
	Outcome string
	// Words are those of the field's name that made hasAny, hasAll or in hold.
	Words []string
}

// A CandidateReason says what became of one match of a detector's pattern.
type CandidateReason struct {
	Detector, Category string
	Start, End         int
	Kept               bool
	// Because says why it was kept or why not: a check that failed, a suppression, an
	// overlap, the threshold.
	Because string
	// Base is the confidence of the shape, or of the checked shape; Steps are the
	// adjustments that held; Context is what words around it or in the field's name
	// added, and ContextFrom where those are.
	// All are 0 for a match that was refused.
	Base, Context, Confidence float64
	ContextFrom               string
	Steps                     []ConfidenceStep
	Check                     []Condition // of the detector's check
}

// A ConfidenceStep is an adjustment that held for a match.
type ConfidenceStep struct {
	ID, Reason string
	Add        float64
}

// maxCandidates bounds the candidates of an explanation.
const maxCandidates = 256

// Explain classifies a field as [Classifier.Field] does, and says why. It asks every
// rule by itself and lets detectors look for what context alone would have to lift
// over the threshold, so it takes far longer than Field.
func (c *Classifier) Explain(f Field) *Explanation {
	s := c.NewScanner()
	s.MaxValue, s.NoMemory = 0, true
	t := &tracer{c: c}
	s.trace = t
	labels := s.Append(nil, &f)
	s.trace = nil

	e := &Explanation{Threshold: float64(c.threshold) / 1000, UnknownTag: s.unknown}
	for i := range s.fresh.said {
		if x := &s.fresh.said[i]; x.rule == declaredRule {
			e.Declared = append(e.Declared, c.categories[x.category].Key)
		}
	}
	slices.Sort(e.Declared)
	for _, l := range labels {
		l.Spans = slices.Clone(l.Spans)
		k, _ := c.find(l.Category)
		v := s.vote(k)
		e.Labels = append(e.Labels, LabelReason{l, float64(v.named) / 1000, float64(v.seen) / 1000})
	}
	t.settle(s)
	e.Candidates, e.MoreCandidates = t.candidates, t.more
	for i := range c.rules {
		r := c.explainRule(s, i, &f)
		if r.Holds || slices.ContainsFunc(r.Conditions, func(k Condition) bool { return k.Join == "" && k.Outcome == "true" && !negated(&r, &k) }) {
			e.Rules = append(e.Rules, r)
		}
	}
	e.rank(c)
	return e
}

// ExplainRule evaluates the condition of one rule for a field; false if there is no
// such rule. It does not say whether the rule counts beside others.
func (c *Classifier) ExplainRule(id string, f Field) (RuleReason, bool) {
	for i := range c.rules {
		if c.rules[i].id == id {
			return c.explainRule(c.NewScanner(), i, &f), true
		}
	}
	return RuleReason{}, false
}

func (c *Classifier) explainRule(s *Scanner, i int, f *Field) RuleReason {
	r := &c.rules[i]
	s.begin(f)
	s.needWords()
	s.prepare()
	l := &s.levels[0]
	l.host.Reset()
	var w watch
	w.begin(&l.rule, r.when)
	ok, code := l.rule.EvalBool(r.when)
	return RuleReason{
		ID: r.id, Category: c.categories[r.category].Key, Confidence: float64(r.confidence) / 1000,
		Holds: ok && code == expr.OK, Conditions: w.end(&l.rule, s.words),
	}
}

// negated reports whether a condition stands below an odd number of negations.
func negated(r *RuleReason, k *Condition) bool {
	odd := false
	depth := k.Depth
	at := slices.IndexFunc(r.Conditions, func(o Condition) bool { return o.Depth == k.Depth && o.Text == k.Text && o.Outcome == k.Outcome })
	for i := at - 1; i >= 0; i-- {
		if o := &r.Conditions[i]; o.Depth < depth {
			depth = o.Depth
			odd = odd != (o.Join == "!")
		}
	}
	return odd
}

// rank says of the rules that hold which count, as claim and yield decide it.
func (e *Explanation) rank(c *Classifier) {
	best := map[string]*RuleReason{} // by category
	for i := range e.Rules {
		r := &e.Rules[i]
		if b := best[r.Category]; r.Holds && (b == nil || cmp.Or(cmp.Compare(r.Confidence, b.Confidence), strings.Compare(b.ID, r.ID)) > 0) {
			best[r.Category] = r
		}
	}
	var top, person *RuleReason
	for i := range e.Rules {
		if r := &e.Rules[i]; best[r.Category] == r && (top == nil || r.Confidence > top.Confidence) {
			top = r
		}
	}
	gives := func(r *RuleReason) bool { return thousandths(r.Confidence) <= thousandths(top.Confidence)-margin }
	for i := range e.Rules {
		r := &e.Rules[i]
		if best[r.Category] == r && !gives(r) && r.Confidence >= e.Threshold && !profile.Under(r.Category, "system") && person == nil {
			person = r
		}
	}
	for i := range e.Rules {
		r := &e.Rules[i]
		switch b := best[r.Category]; {
		case !r.Holds:
			r.Because = "its condition does not hold"
		case len(e.Declared) > 0:
			r.Because = "not asked: a tag declares what the field is"
		case b != r:
			r.Because = b.ID + " says the same and is as sure or surer"
		case gives(r):
			r.Because = "gives way to " + top.ID + ", which is surer by 0.1 or more"
		case person != nil && person != r && profile.Under(r.Category, "system"):
			r.Because = "gives way to " + person.ID + ": data of a person comes before data of the machine"
		case slices.ContainsFunc(e.Labels, func(l LabelReason) bool { return l.Category == r.Category }):
			r.Because = "counts"
		default:
			r.Because = "is below the threshold"
		}
	}
}

func thousandths(f float64) int { return int(f*1000 + 0.5) }

// A watch notes the outcomes of a program's nodes.
type watch struct {
	p    *expr.Program
	told []outcome
}

type outcome struct {
	told  bool
	value bool
	code  expr.Code
}

func (w *watch) begin(f *expr.Frame, p *expr.Program) {
	w.p, w.told = p, make([]outcome, len(p.Nodes))
	f.Trace = func(node int, v expr.Value, c expr.Code) { w.told[node] = outcome{true, v.AsBool(), c} }
}

// end gives the conditions that the program is made of, from the whole to its parts.
func (w *watch) end(f *expr.Frame, words []string) []Condition {
	f.Trace = nil
	var out []Condition
	w.condition(&out, 0, len(w.p.Nodes)-1, words)
	return out
}

var joins = map[expr.Op]string{expr.OpAnd: "&&", expr.OpOr: "||", expr.OpNot: "!", expr.OpCond: "?:"}

func (w *watch) condition(out *[]Condition, depth, i int, words []string) {
	n := &w.p.Nodes[i]
	k := Condition{Depth: depth, Text: w.p.Text(i), Outcome: "not evaluated", Join: joins[n.Op]}
	switch t := w.told[i]; {
	case !t.told:
	case t.code != expr.OK:
		k.Outcome = "error: " + t.code.String()
	case t.value:
		k.Outcome = "true"
	default:
		k.Outcome = "false"
	}
	if k.Outcome == "true" && k.Join == "" {
		k.Words = wordsAsked(w.p, n, words)
	}
	*out = append(*out, k)
	if k.Join == "" {
		return
	}
	for _, o := range w.p.Operands(nil, i) {
		w.part(out, n.Op, depth+1, int(o), words)
	}
}

// part adds an operand; those of a chain of the same operation stand side by side.
func (w *watch) part(out *[]Condition, op expr.Op, depth, i int, words []string) {
	if n := &w.p.Nodes[i]; n.Op == op && (op == expr.OpAnd || op == expr.OpOr) {
		w.part(out, op, depth, int(n.A), words)
		w.part(out, op, depth, int(n.B), words)
		return
	}
	w.condition(out, depth, i, words)
}

// wordsAsked are the words of the name that a condition about them names.
func wordsAsked(p *expr.Program, n *expr.Node, words []string) (both []string) {
	var list []string
	switch {
	case n.Op == expr.OpCall && (n.A == profile.FnHasAny || n.A == profile.FnHasAll) && isWords(p, p.Args[n.B]):
		list, _ = constList(p, p.Args[n.B+1])
	case n.Op == expr.OpIn && isWords(p, n.B):
		if w, ok := textConst(p, n.A); ok {
			list = []string{w}
		}
	}
	for _, w := range words {
		if slices.Contains(list, w) && !slices.Contains(both, w) {
			both = append(both, w)
		}
	}
	return both
}

// A tracer notes what detectors do with their matches. A nil one is the rule.
type tracer struct {
	c          *Classifier
	candidates []CandidateReason
	more       bool // than maxCandidates
	// Of the match at hand.
	watch   watch
	frame   *expr.Frame
	because string
	steps   []ConfidenceStep
}

func (t *tracer) check(f *expr.Frame, p *expr.Program) {
	t.frame = f
	t.watch.begin(f, p)
}

func (t *tracer) suppressed(s *suppress) {
	t.because = "taken away by " + s.id
	if s.reason != "" {
		t.because += ": " + s.reason
	}
}

func (t *tracer) adjusted(a *adjust) {
	t.steps = append(t.steps, ConfidenceStep{a.id, a.reason, float64(a.add) / 1000})
}

// add notes a candidate, once.
func (t *tracer) add(i int32, start, end int) *CandidateReason {
	d := &t.c.detectors[i]
	k := CandidateReason{Detector: d.id, Category: t.c.categories[d.category].Key, Start: start, End: end, Because: t.because, Steps: t.steps}
	if t.frame != nil {
		k.Check = t.watch.end(t.frame, nil)
	}
	t.frame, t.because, t.steps = nil, "", nil
	at := slices.IndexFunc(t.candidates, func(o CandidateReason) bool {
		return o.Detector == k.Detector && o.Start == start && o.End == end
	})
	switch {
	case at >= 0:
		t.candidates[at] = k
	case len(t.candidates) == maxCandidates:
		t.more = true
		return &k
	default:
		at = len(t.candidates)
		t.candidates = append(t.candidates, k)
	}
	return &t.candidates[at]
}

// match notes what became of a match.
func (t *tracer) match(s *Scanner, i int32, n *known, start, end int, v verdict, near bool, confidence, floor int32) {
	d := &t.c.detectors[i]
	k := t.add(i, start, end)
	if v != accepted {
		if k.Because == "" {
			k.Because = "its check does not hold"
		}
		return
	}
	base := d.base
	if d.check != nil {
		base = d.checked
	}
	k.Base, k.Confidence = float64(base)/1000, float64(confidence)/1000
	unlifted := base
	for _, step := range k.Steps {
		unlifted += int32(math.Round(step.Add * 1000))
	}
	if near {
		k.Context, k.ContextFrom = float64(confidence-unlifted)/1000, "text around"
		if n.isNear(int(i)) {
			k.ContextFrom = "name or path"
		}
	}
	if confidence < floor {
		k.Because = "is below the threshold"
		if d.boost > 0 && !near {
			k.Because += " without a word of its context"
		}
	}
}

// settle says which candidates were kept and what the others lost to.
func (t *tracer) settle(s *Scanner) {
	for i := range t.candidates {
		k := &t.candidates[i]
		if k.Because != "" {
			continue
		}
		for _, f := range s.findings {
			id := t.c.detectors[f.detector].id
			if id == k.Detector && f.start == k.Start && f.end == k.End {
				k.Kept, k.Because = true, "counts"
				break
			}
			if f.start < k.End && k.Start < f.end {
				k.Because = "overlaps " + id + ", which is surer, or longer or first"
			}
		}
	}
	slices.SortStableFunc(t.candidates, func(a, b CandidateReason) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), strings.Compare(a.Detector, b.Detector))
	})
}
