package privacy

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

// A Ledger knows what people have said. The Ledger of consent/ledger is one.
// It must be safe for concurrent use.
type Ledger interface {
	// View returns what is known of a subject: of what is true at asOf.Valid, all
	// that is known by now (asOf.Known is zero). A subject of whom nothing is known
	// is no error: the view is empty, or nil.
	View(ctx context.Context, subject string, asOf consent.AsOf) (*consent.View, error)
}

// An Option configures [Open]. Options apply in order; the last one wins.
type Option interface{ apply(*Guard) }

type optionFunc func(*Guard)

func (f optionFunc) apply(g *Guard) { f(g) }

// WithSecrets gives the secrets that pseudonyms are made with. Without it a field
// that the policy wants pseudonymised is dropped, and its decision says so.
func WithSecrets(s pseudonym.SecretStore) Option {
	return optionFunc(func(g *Guard) { g.pseudonyms.store = s })
}

// WithLedger gives the history of consent. Without it nothing is known of anybody
// but what events bring in Consents.
func WithLedger(l Ledger) Option {
	return optionFunc(func(g *Guard) { g.ledger = l })
}

// WithClock gives the instant for events that carry none. Without it such an
// event is refused: no package of this module reads a clock of its own.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(g *Guard) { g.clock = now })
}

// A Guard answers questions by one policy. It is safe for concurrent use. Nothing in
// it changes but its policy, by [Guard.Swap]: every call is answered by one policy
// from beginning to end, the one in force when it began. Make it with [Open].
type Guard struct {
	ledger     Ledger
	clock      func() time.Time
	pseudonyms pseudonyms
	check      func(*Bundle) error // what every bundle must pass; nil: nothing
	minimum    func(*Bundle) error // likewise, name and lowest version

	swap sync.Mutex // held by Swap
	// current is loaded once in each public method, and in no other place.
	current atomic.Pointer[edition]
}

// An edition is what of a guard depends on the policy. It is immutable; a run
// belongs to the edition whose pool it came from.
type edition struct {
	g          *Guard
	info       PolicyInfo
	classifier *classify.Classifier
	engine     *consent.Engine
	rules      *retention.Rules
	applies    []clause
	transforms []transform
	// transformOf is the first transform for each category, where no condition
	// looks at anything else; otherwise it is empty.
	transformOf map[string]int
	otherwise   bundle.Otherwise
	withhold    []clause
	runs        sync.Pool
}

// A clause is a condition with its name.
type clause struct {
	bundle.Clause
	when *condition
}

func clauses(in []bundle.Clause) []clause {
	out := make([]clause, len(in))
	for i, c := range in {
		out[i] = clause{c, newCondition(c.When)}
	}
	return out
}

var errNoBundle = errors.New("privacy: open: no bundle; make one with policy.CompileFile or privacy.ReadBundle")

// Open makes a guard from a bundle. A [*RefusedError] says that the options do not
// accept it. Another error says which parts of the policy contradict each other; a
// bundle that package privacy/policy compiled has been opened once already, and
// fails only where a time zone is missing here: zones other than UTC need the time
// zone database, which a program may link with time/tzdata.
func Open(b *Bundle, opts ...Option) (*Guard, error) {
	if b == nil || b.b == nil {
		return nil, errNoBundle
	}
	g := new(Guard)
	for _, o := range opts {
		o.apply(g)
	}
	if err := g.accepts(b); err != nil {
		return nil, err
	}
	p, err := g.edition(b)
	if err != nil {
		return nil, err
	}
	g.current.Store(p)
	return g, nil
}

// edition puts the policy of a bundle together.
func (g *Guard) edition(b *Bundle) (*edition, error) {
	p := &edition{g: g, info: b.Info(), otherwise: b.b.Otherwise, applies: clauses(b.b.Applies), withhold: clauses(b.b.Withhold)}
	var err error
	if p.classifier, err = classify.New(&b.b.Classification); err != nil {
		return nil, err
	}
	terms := consentPolicy(b.b)
	terms.Hash = p.info.Fingerprint
	if p.engine, err = consent.New(terms); err != nil {
		return nil, err
	}
	rules, options, err := retentionRules(b.b)
	if err != nil {
		return nil, err
	}
	if p.rules, err = retention.New(rules, options...); err != nil {
		return nil, err
	}
	p.transforms = make([]transform, len(b.b.Transforms))
	for i, t := range b.b.Transforms {
		p.transforms[i] = transform{t, newCondition(t.When)}
	}
	if err := p.prepareTransforms(); err != nil {
		return nil, err
	}
	p.runs.New = func() any { return &run{g: g, p: p, scanner: p.classifier.NewScanner()} }
	return p, nil
}

// prepareTransforms finds the transform of every category beforehand, if the
// category is all that their conditions look at.
func (p *edition) prepareTransforms() error {
	p.transformOf = map[string]int{}
	for i := range p.transforms {
		if !p.transforms[i].when.readsOnly(profile.PolicyCategory) {
			return nil
		}
	}
	for _, k := range append(p.classifier.Categories(), classify.Category{}) {
		i, err := p.firstTransform(&consent.Request{Category: k.Key})
		if err != nil {
			return err
		}
		p.transformOf[k.Key] = i
	}
	return nil
}

// firstTransform is the index of the first transform that fits, or -1.
func (p *edition) firstTransform(r *consent.Request) (int, error) {
	for i := range p.transforms {
		ok, err := p.transforms[i].when.holds(r)
		if err != nil {
			return -1, &RuleError{p.transforms[i].ID, err.Error()}
		}
		if ok {
			return i, nil
		}
	}
	return -1, nil
}

// Policy says which policy the guard answers by now.
func (g *Guard) Policy() PolicyInfo { return g.current.Load().info }

// run takes a run from the pool of the edition; release gives it back.
func (p *edition) run() *run { return p.runs.Get().(*run) }

// Process decides about an event and carries the decision out on a copy. A denial
// is a result, not an error. The error is an [*EventError] if the event is
// malformed, what the ledger or the secret store returned, or an error of
// package retention if its deadlines could not be worked out.
func (g *Guard) Process(ctx context.Context, ev Event) (*Result, error) {
	return g.process(ctx, &ev, false)
}

// Explain is like Process and fills the result's trail: every rule that had a say.
func (g *Guard) Explain(ctx context.Context, ev Event) (*Result, error) {
	return g.process(ctx, &ev, true)
}

func (g *Guard) process(ctx context.Context, ev *Event, explain bool) (*Result, error) {
	r := g.current.Load().run()
	defer r.release()
	r.doc.Reset()
	b := builder{doc: &r.doc, orig: r.orig[:0]}
	if ev.Fields == nil {
		b.value("", map[string]any{})
	} else {
		b.value("", ev.Fields)
	}
	r.orig = b.orig
	if b.err != nil {
		return nil, b.err
	}
	r.fields = 0
	if err := r.decide(ctx, ev, explain); err != nil {
		return nil, err
	}
	res := r.res.clone()
	res.Fields, _ = r.value(0).(map[string]any)
	if res.Fields == nil {
		res.Fields = map[string]any{}
	}
	return res, nil
}

// ProcessJSON is Process for one event in JSON; it appends the result in JSON to
// dst. Keys of the result are sorted and its lists have a stated order, so equal
// inputs give equal bytes on every platform. With explain the result has a trail.
// The event is not kept. On error dst is returned as it was.
func (g *Guard) ProcessJSON(ctx context.Context, dst, event []byte, explain bool) ([]byte, error) {
	r := g.current.Load().run()
	defer r.release()
	var ev Event
	if err := r.read(event, &ev); err != nil {
		return dst, err
	}
	if err := r.decide(ctx, &ev, explain); err != nil {
		return dst, err
	}
	w := jsondoc.Writer{Buf: dst}
	r.res.write(&w, func(w *jsondoc.Writer) { r.writeFields(w) })
	return w.Buf, nil
}

// DecodeEvent reads an event in JSON; numbers in its fields become [Number]. The
// error is an [*EventError].
func DecodeEvent(data []byte) (Event, error) {
	var r run
	var ev Event
	if err := r.read(data, &ev); err != nil {
		return Event{}, err
	}
	ev.Fields = map[string]any{}
	if r.fields >= 0 {
		ev.Fields, _ = r.value(r.fields).(map[string]any)
	}
	return ev, nil
}

// Classify labels one field by the policy's rules and detectors.
func (g *Guard) Classify(f classify.Field) []classify.Label {
	return g.current.Load().classifier.Field(f)
}

// Decide answers whether something may be done, by the policy and by what the
// ledger knows of the subject at the request's instant.
func (g *Guard) Decide(ctx context.Context, req consent.Request) (consent.Decision, error) {
	return g.current.Load().decide(ctx, req)
}

func (p *edition) decide(ctx context.Context, req consent.Request) (consent.Decision, error) {
	g := p.g
	if req.At.IsZero() && g.clock != nil {
		req.At = g.clock()
	}
	var view *consent.View
	if g.ledger != nil && req.Subject.ID != "" {
		var err error
		if view, err = g.ledger.View(ctx, req.Subject.ID, consent.AsOf{Valid: req.At}); err != nil {
			return consent.Decision{}, err
		}
	}
	return p.engine.Decide(view, &req), nil
}

// Inventory says which classes, purposes and categories may flow at all, and
// through which feature, given the switches of user and administrator.
func (g *Guard) Inventory(switches, admin map[string]bool) []consent.Flow {
	return g.current.Load().engine.Inventory(switches, admin)
}

// Plan says from when data may and by when it must be gone.
func (g *Guard) Plan(in retention.Input) (retention.Plan, error) {
	if in.Now.IsZero() && g.clock != nil {
		in.Now = g.clock()
	}
	return g.current.Load().rules.Plan(in)
}

// PlanInto is [Guard.Plan] into a plan of the caller's, for many records one after
// the other; see [retention.Rules.PlanInto]. It asks no clock: in.Now is required.
func (g *Guard) PlanInto(dst *retention.Plan, in *retention.Input) error {
	return g.current.Load().rules.PlanInto(dst, in)
}

// Pseudonymise makes the token of a value in a scope. Tokens are equal for equal
// values of one scope and cannot be joined with those of another.
func (g *Guard) Pseudonymise(ctx context.Context, s pseudonym.Scope, v pseudonym.Value) (pseudonym.Token, error) {
	p, err := g.pseudonyms.of(ctx, s, new([]uint32))
	if err != nil {
		return pseudonym.Token{}, err
	}
	return p.Token(v)
}
