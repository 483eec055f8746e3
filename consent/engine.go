package consent

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Engine decides by one policy. It is immutable and safe for concurrent use.
// A nil Engine, and the zero Engine, answer POLICY_UNAVAILABLE.
type Engine struct {
	ready        bool
	policy       Policy // own copy
	purposes     map[string]*purposeRule
	classes      map[string]*Class
	features     map[string]*featureRule
	dataSources  map[string]*DataSource
	prohibitions []Prohibition
	requirements []requirementRule
	residency    []residencyRule
	promotions   []Promotion
	obligations  []obligationRule
	gates        [3]gateRule
	notices      map[NoticeRef]noticeRule
	noticeIDs    map[string]bool
}

type purposeRule struct {
	Purpose
	strength uint8
	gpc      bool
	ask      *Ask // for a missing consent to use
	evidence []Ref
}

type featureRule struct {
	Feature
	userRefused, adminRefused []Step
}

type requirementRule struct {
	Requirement
	strength uint8
}

type residencyRule struct {
	Residency
	storeIn, staffIn []Obligation // prepared where the place is constant
}

type obligationRule struct {
	ObligationRule
	prepared []Obligation
}

type gateRule struct {
	name   string // as a rule's name
	op     ops
	what   Operation
	reason Reason
	open   bool
	need   uint8
}

type noticeRule struct {
	published time.Time
	stale     time.Time // when a later material version takes effect; zero: never
}

// A ConfigError is one mistake in a policy. It names the place by its path, such
// as purposes[2].basis, and never quotes the policy.
type ConfigError struct {
	Path    string
	Problem string
	Mend    string
}

func (e *ConfigError) Error() string {
	return "consent: " + e.Path + ": " + e.Problem + ": " + e.Mend
}

// ConfigErrors are all mistakes of a policy, in the order of its fields.
type ConfigErrors []*ConfigError

func (e ConfigErrors) Error() string {
	var b strings.Builder
	for i, one := range e {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.Error())
	}
	return b.String()
}

// Unwrap gives each mistake, so that errors.As finds a [*ConfigError].
func (e ConfigErrors) Unwrap() []error {
	list := make([]error, len(e))
	for i, one := range e {
		list[i] = one
	}
	return list
}

// New checks a policy as a whole and makes an engine of it. The error is a
// [ConfigErrors] with every mistake found. The engine keeps its own copy; the
// functions of conditions and places are shared.
func New(p Policy) (*Engine, error) {
	e := &Engine{
		ready:       true,
		policy:      clone(p),
		purposes:    make(map[string]*purposeRule, len(p.Purposes)),
		classes:     make(map[string]*Class, len(p.Classes)),
		features:    make(map[string]*featureRule, len(p.Features)),
		dataSources: make(map[string]*DataSource, len(p.DataSources)),
	}
	c := compiler{e: e, p: &e.policy}
	c.sources()
	c.purposes()
	c.classes()
	c.features()
	c.dataSources()
	c.rules()
	c.gates()
	c.promotions()
	c.obligations()
	c.notices()
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return e, nil
}

// clone copies the policy so that later changes by its author do not reach it.
func clone(p Policy) Policy {
	p.Sources = slices.Clone(p.Sources)
	p.Purposes = slices.Clone(p.Purposes)
	for i := range p.Purposes {
		x := &p.Purposes[i]
		x.Channels, x.Signals, x.Maps = slices.Clone(x.Channels), slices.Clone(x.Signals), maps.Clone(x.Maps)
	}
	p.Classes = slices.Clone(p.Classes)
	for i := range p.Classes {
		p.Classes[i].Purposes = slices.Clone(p.Classes[i].Purposes)
	}
	p.Features = slices.Clone(p.Features)
	for i := range p.Features {
		x := &p.Features[i]
		x.Purposes, x.Categories, x.Classes = slices.Clone(x.Purposes), slices.Clone(x.Categories), slices.Clone(x.Classes)
	}
	p.DataSources = slices.Clone(p.DataSources)
	for i := range p.DataSources {
		x := &p.DataSources[i]
		x.Purposes, x.Categories, x.Flows = slices.Clone(x.Purposes), slices.Clone(x.Categories), slices.Clone(x.Flows)
		for j := range x.Flows {
			x.Flows[j].Categories = slices.Clone(x.Flows[j].Categories)
		}
	}
	p.Prohibitions = slices.Clone(p.Prohibitions)
	p.Requirements = slices.Clone(p.Requirements)
	p.Residency = slices.Clone(p.Residency)
	for i := range p.Residency {
		x := &p.Residency[i]
		x.StoreIn.In, x.StaffIn.In = slices.Clone(x.StoreIn.In), slices.Clone(x.StaffIn.In)
	}
	p.Promotions = slices.Clone(p.Promotions)
	for i := range p.Promotions {
		x := &p.Promotions[i]
		x.From, x.Kinds = slices.Clone(x.From), slices.Clone(x.Kinds)
	}
	p.Obligations = slices.Clone(p.Obligations)
	for i := range p.Obligations {
		x := &p.Obligations[i].Obligation
		x.Values = slices.Clone(x.Values)
	}
	p.Notices = slices.Clone(p.Notices)
	return p
}

type compiler struct {
	e      *Engine
	p      *Policy
	errs   ConfigErrors
	layers map[string]int
	ids    map[string]bool
}

func (c *compiler) fail(path, problem, mend string) {
	c.errs = append(c.errs, &ConfigError{path, problem, mend})
}

func at(list string, i int, field string) string {
	s := list + "[" + strconv.Itoa(i) + "]"
	if field != "" {
		s += "." + field
	}
	return s
}

const (
	mendKey = "use letters, digits, _ and -, separated by single dots, at most 256"
	mendID  = "use letters, digits and _-.:/, at most 256"
)

// key checks a key and that it is the first of its list.
func key[T any](c *compiler, list string, i int, k string, seen map[string]T) bool {
	if !validKey(k) {
		c.fail(at(list, i, "key"), "not a dotted key", mendKey)
		return false
	}
	if _, dup := seen[k]; dup {
		c.fail(at(list, i, "key"), "declared twice", "keep one of the two")
		return false
	}
	return true
}

func (c *compiler) keys(path string, list []string) {
	for i, k := range list {
		if !validKey(k) {
			c.fail(path+"["+strconv.Itoa(i)+"]", "not a dotted key", mendKey)
		}
	}
}

// purposeKeys checks a set of purposes: each is declared or has a declared ancestor.
func (c *compiler) purposeKeys(path string, list []string) {
	for i, k := range list {
		c.purposeKey(path+"["+strconv.Itoa(i)+"]", k)
	}
}

func (c *compiler) purposeKey(path, k string) bool {
	if !validKey(k) {
		c.fail(path, "not a dotted key", mendKey)
		return false
	}
	if c.e.purpose(k) != nil {
		return true
	}
	for i := range c.p.Purposes { // a common ancestor of declared purposes may be named too
		if under(c.p.Purposes[i].Key, k) {
			return true
		}
	}
	c.fail(path, "unknown purpose", "declare it under purposes")
	return false
}

// classKeys checks a set of classes: each is declared, or an ancestor of one.
func (c *compiler) classKeys(path string, list []string) {
	for i, k := range list {
		c.classKey(path+"["+strconv.Itoa(i)+"]", k)
	}
}

func (c *compiler) classKey(path, k string) {
	if !validKey(k) {
		c.fail(path, "not a dotted key", mendKey)
		return
	}
	for i := range c.p.Classes {
		if under(c.p.Classes[i].Key, k) {
			return
		}
	}
	c.fail(path, "unknown class", "declare it under classes")
}

func (c *compiler) sources() {
	c.layers = make(map[string]int, len(c.p.Sources))
	for i := range c.p.Sources {
		s := &c.p.Sources[i]
		rank := map[Layer]int{LayerLaw: 0, LayerAgreement: 1, LayerInstruction: 1, LayerOrganisation: 2, LayerStatement: 3, LayerDefault: 4, "": 4}
		r, ok := rank[s.Layer]
		if !ok {
			c.fail(at("sources", i, "layer"), "unknown layer", "use law, agreement, instruction, organisation, statement or default")
		}
		if !validID(s.ID) {
			c.fail(at("sources", i, "id"), "not an id", mendID)
			continue
		}
		if _, dup := c.layers[s.ID]; dup {
			c.fail(at("sources", i, "id"), "declared twice", "keep one of the two")
		}
		c.layers[s.ID] = r
	}
}

func (c *compiler) source(path, id string, required bool) {
	if id == "" {
		if required {
			c.fail(path, "missing", "name the source that says so")
		}
		return
	}
	if _, ok := c.layers[id]; !ok {
		c.fail(path, "unknown source", "declare it under sources")
	}
}

func (c *compiler) purposes() {
	for i := range c.p.Purposes {
		p := &c.p.Purposes[i]
		if key(c, "purposes", i, p.Key, c.e.purposes) {
			c.e.purposes[p.Key] = c.purpose(i, p)
		}
		c.source(at("purposes", i, "source"), p.Source, false)
	}
}

func (c *compiler) purpose(i int, p *Purpose) *purposeRule {
	field := func(name string) string { return at("purposes", i, name) }
	switch p.Mechanism {
	case "", OptIn, OptOut, NoticeOnly:
	default:
		c.fail(field("mechanism"), "unknown mechanism", "use opt_in, opt_out or notice_only")
		return &purposeRule{Purpose: *p}
	}
	r := &purposeRule{Purpose: *p}
	if r.Basis == "" && (r.Mechanism == "" || r.Mechanism == OptIn) {
		r.Basis = BasisConsent
	}
	switch r.Basis {
	case BasisConsent:
		if r.Mechanism == OptOut || r.Mechanism == NoticeOnly {
			c.fail(field("mechanism"), "consent is always opt-in", "leave the mechanism out, or leave the basis out")
		}
		r.Mechanism = OptIn
	case BasisContract:
		if r.Mechanism != "" {
			c.fail(field("mechanism"), "a contract is not asked for", "leave the mechanism out")
		}
	case BasisLegitimateInterest:
		if r.Mechanism != "" && r.Mechanism != OptOut {
			c.fail(field("mechanism"), "does not go with legitimate interest", "leave it out, or use opt_out")
		}
	case BasisLegalObligation, BasisVitalInterest, BasisPublicTask:
		c.fail(field("basis"), "no row of the table can allow by it", "use consent, contract or legitimate_interest")
	case "":
	default:
		c.fail(field("basis"), "unknown basis", "use consent, contract or legitimate_interest")
	}
	if (r.Basis == BasisLegitimateInterest) != (p.Assessment != "") {
		c.fail(field("assessment"), "goes with legitimate interest, and only with it", "refer to the balancing test, or leave it out")
	} else if p.Assessment != "" {
		if !validID(p.Assessment) {
			c.fail(field("assessment"), "not an id", mendID)
		}
		r.evidence = []Ref{{Kind: "assessment", ID: p.Assessment}}
	}
	strength, ok := rankStrength(p.Strength)
	switch {
	case !ok:
		c.fail(field("strength"), "unknown strength", "use implied, expressed or explicit")
	case strength != 0 && r.Basis != BasisConsent:
		c.fail(field("strength"), "only a purpose on consent has one", "leave it out, or add a requirement")
	case strength == 0:
		strength = strengthExpressed
	}
	r.strength = strength
	if r.Basis == BasisConsent {
		r.Strength = strengthOf(strength)
	}
	if r.Basis == "" && r.Mechanism == NoticeOnly && p.Notice == "" {
		c.fail(field("notice"), "missing", "name the notice that allows the purpose")
	}
	for j, s := range p.Channels {
		if !validKey(s) || slices.Contains(p.Channels[:j], s) {
			c.fail(field("channels")+"["+strconv.Itoa(j)+"]", "not a name, or there twice", mendKey)
		}
	}
	for j, s := range p.Signals {
		if s != SignalGPC {
			c.fail(field("signals")+"["+strconv.Itoa(j)+"]", "unknown signal", "use gpc")
		}
		r.gpc = r.gpc || s == SignalGPC
	}
	r.ask = &Ask{Purposes: []string{p.Key}, Strength: strengthOf(strength), From: fromSubject, What: OpUse}
	return r
}

// fromSubject is who may give a consent as long as no rule names somebody else.
const fromSubject = "subject"

func (c *compiler) classes() {
	for i := range c.p.Classes {
		x := &c.p.Classes[i]
		if key(c, "classes", i, x.Key, c.e.classes) {
			c.e.classes[x.Key] = x
		}
		c.purposeKeys(at("classes", i, "purposes"), x.Purposes)
		c.source(at("classes", i, "source"), x.Source, false)
	}
}

func (c *compiler) features() {
	for i := range c.p.Features {
		f := &c.p.Features[i]
		if f.Kind != Essential && f.Kind != Optional {
			c.fail(at("features", i, "kind"), "unknown kind", "use essential or optional")
		}
		if key(c, "features", i, f.Key, c.e.features) {
			c.e.features[f.Key] = &featureRule{
				Feature:      *f,
				userRefused:  []Step{{6, ReasonFeatureOff, f.Key, "an essential feature is not switched off by its user"}},
				adminRefused: []Step{{5, ReasonAdminDisabled, f.Key, "the administrator may not switch this feature off"}},
			}
		}
		c.purposeKeys(at("features", i, "purposes"), f.Purposes)
		c.keys(at("features", i, "categories"), f.Categories)
		c.classKeys(at("features", i, "classes"), f.Classes)
		c.source(at("features", i, "source"), f.Source, false)
		if f.Sync != "" {
			if r := c.e.purpose(f.Sync); c.purposeKey(at("features", i, "sync"), f.Sync) && (r == nil || r.Basis != BasisConsent) {
				c.fail(at("features", i, "sync"), "syncing needs consent", "name a purpose whose basis is consent")
			}
		}
	}
}

func (c *compiler) dataSources() {
	byKey := make(map[string]*DataSource, len(c.p.DataSources))
	for i := range c.p.DataSources {
		d := &c.p.DataSources[i]
		if key(c, "data_sources", i, d.Key, byKey) {
			byKey[d.Key] = d
		}
		c.purposeKeys(at("data_sources", i, "purposes"), d.Purposes)
		c.keys(at("data_sources", i, "categories"), d.Categories)
		c.source(at("data_sources", i, "source"), d.Source, false)
		if len(d.Flows) > 0 && (len(d.Purposes) > 0 || len(d.Categories) > 0) {
			c.fail(at("data_sources", i, "flows"), "beside purposes or categories", "say all of it as flows, or none")
		}
		for j := range d.Flows {
			path := at("data_sources", i, "flows") + "[" + strconv.Itoa(j) + "]"
			c.purposeKey(path+".purpose", d.Flows[j].Purpose)
			c.keys(path+".categories", d.Flows[j].Categories)
		}
	}
	for i := range c.p.DataSources {
		d := &c.p.DataSources[i]
		if d.Parent != "" && byKey[d.Parent] == nil {
			c.fail(at("data_sources", i, "parent"), "unknown data source", "declare it under data_sources")
		}
		// A source is what it declares, filled up from the sources above it.
		own := *d
		steps := 0
		for up := byKey[d.Parent]; up != nil; up = byKey[up.Parent] {
			if steps++; steps > len(c.p.DataSources) {
				c.fail(at("data_sources", i, "parent"), "is its own ancestor", "leave one parent out")
				break
			}
			if len(own.Flows) == 0 && len(own.Purposes) == 0 && len(own.Categories) == 0 {
				own.Flows = up.Flows
			}
			if len(own.Flows) == 0 {
				if len(own.Purposes) == 0 {
					own.Purposes = up.Purposes
				}
				if len(own.Categories) == 0 {
					own.Categories = up.Categories
				}
			}
		}
		c.e.dataSources[d.Key] = &own
	}
}

// rule checks what every rule has. Ids are unique across all kinds, because a
// decision names a rule by its id alone.
func (c *compiler) rule(list string, i int, id, source string, when *Condition) {
	if !validID(id) {
		c.fail(at(list, i, "id"), "not an id", mendID)
	} else if c.ids[id] {
		c.fail(at(list, i, "id"), "declared twice", "give every rule an id of its own")
	}
	c.ids[id] = true
	c.source(at(list, i, "source"), source, true)
	if when != nil && when.Text != "" && when.Func == nil {
		c.fail(at(list, i, "when"), "text without a function", "compile the condition, or leave it out to mean always")
	}
}

func (c *compiler) rules() {
	c.ids = make(map[string]bool)
	layer := func(a, b string) int { return cmp.Compare(c.layers[a], c.layers[b]) }

	for i := range c.p.Prohibitions {
		r := &c.p.Prohibitions[i]
		c.rule("prohibitions", i, r.ID, r.Source, &r.When)
		c.e.prohibitions = append(c.e.prohibitions, *r)
	}
	slices.SortStableFunc(c.e.prohibitions, func(a, b Prohibition) int { return layer(a.Source, b.Source) })

	for i := range c.p.Requirements {
		r := &c.p.Requirements[i]
		c.rule("requirements", i, r.ID, r.Source, &r.When)
		strength, ok := rankStrength(r.Strength)
		if !ok || strength == strengthImplied {
			c.fail(at("requirements", i, "strength"), "not a strength that can be required", "use expressed or explicit")
		}
		if strength == 0 {
			strength = strengthExplicit
		}
		c.e.requirements = append(c.e.requirements, requirementRule{*r, strength})
	}
	slices.SortStableFunc(c.e.requirements, func(a, b requirementRule) int { return layer(a.Source, b.Source) })

	for i := range c.p.Residency {
		r := &c.p.Residency[i]
		c.rule("residency", i, r.ID, r.Source, &r.When)
		c.place(at("residency", i, "store_in"), &r.StoreIn)
		c.place(at("residency", i, "staff_in"), &r.StaffIn)
		if !r.StoreIn.said() && !r.StaffIn.said() {
			c.fail(at("residency", i, ""), "says no place", "fill store_in or staff_in")
		}
		x := residencyRule{Residency: *r}
		if len(r.StoreIn.In) > 0 {
			x.storeIn = []Obligation{{Kind: StoreIn, Rule: r.ID, Source: r.Source, Values: r.StoreIn.In}}
		}
		if len(r.StaffIn.In) > 0 {
			x.staffIn = []Obligation{{Kind: StaffIn, Rule: r.ID, Source: r.Source, Values: r.StaffIn.In}}
		}
		c.e.residency = append(c.e.residency, x)
	}
	slices.SortStableFunc(c.e.residency, func(a, b residencyRule) int { return layer(a.Source, b.Source) })
}

func (c *compiler) place(path string, p *Place) {
	switch {
	case p.Func != nil && len(p.In) > 0:
		c.fail(path, "both a list and a function", "keep one of the two")
	case p.Func == nil && p.Text != "" && len(p.In) == 0:
		c.fail(path, "text without a function", "compile the place, or list the names")
	case slices.Contains(p.In, ""):
		c.fail(path, "an empty name", "leave it out")
	}
}

func (c *compiler) gates() {
	c.e.gates = [3]gateRule{
		c.gate("gates.promotion", c.p.Gates.Promotion, promoteBit, OpPromote, ReasonPromotionNeedsConsent),
		c.gate("gates.combination", c.p.Gates.Combination, combineBit, OpCombine, ReasonCombinationNeedsConsent),
		c.gate("gates.share", c.p.Gates.Share, shareBit, OpShare, ReasonShareNeedsConsent),
	}
}

func (c *compiler) gate(name string, g Gate, op ops, what Operation, reason Reason) gateRule {
	r := gateRule{name: name, op: op, what: what, reason: reason, need: strengthExpressed}
	switch g {
	case "", GateConsent:
	case GateExplicit:
		r.need = strengthExplicit
	case GateNone:
		r.open = true
	default:
		c.fail(name, "unknown gate", "use none, consent or explicit")
	}
	return r
}

func (c *compiler) promotions() {
	for i := range c.p.Promotions {
		r := &c.p.Promotions[i]
		c.rule("promotions", i, r.ID, r.Source, nil)
		if len(r.From) == 0 {
			c.fail(at("promotions", i, "from"), "missing", "name the classes that data may leave")
		}
		c.classKeys(at("promotions", i, "from"), r.From)
		c.classKey(at("promotions", i, "to"), r.To)
		for j, k := range r.Kinds {
			if k != Essential && k != Optional {
				c.fail(at("promotions", i, "kinds")+"["+strconv.Itoa(j)+"]", "unknown kind", "use essential or optional")
			}
		}
		if r.Purpose != "" {
			c.purposeKey(at("promotions", i, "purpose"), r.Purpose)
		}
		c.e.promotions = append(c.e.promotions, *r)
	}
}

func (c *compiler) obligations() {
	for i := range c.p.Obligations {
		r := &c.p.Obligations[i]
		c.rule("obligations", i, r.ID, r.Source, &r.When)
		o := r.Obligation
		field := at("obligations", i, "obligation")
		timed := o.Limit != "" || o.Strength != "" || o.Period != "" || o.Anchor != ""
		switch o.Kind {
		case DeleteWithin:
			if o.Limit == "" || o.Strength == "" || o.Period == "" || o.Anchor == "" {
				c.fail(field, "a deletion without limit, strength, period or anchor", "fill all four")
			}
			if len(o.Values) > 0 {
				c.fail(field+".values", "a deletion has none", "leave them out")
			}
		case Minimise, Pseudonymise:
			if len(o.Values) == 0 {
				c.fail(field+".values", "missing", "name what is kept, or the scope")
			}
		case NoOnwardTransfer, NotifySubject, LogUse:
			if len(o.Values) > 0 {
				c.fail(field+".values", "this kind has none", "leave them out")
			}
		case StoreIn, StaffIn:
			c.fail(field+".kind", "comes from residency rules", "write a residency rule")
		default:
			c.fail(field+".kind", "unknown kind", "use delete_within, minimise, pseudonymise, no_onward_transfer, notify_subject or log_use")
		}
		if timed && o.Kind != DeleteWithin {
			c.fail(field, "only a deletion has a limit, strength, period or anchor", "leave them out")
		}
		o.Rule, o.Source = r.ID, r.Source
		c.e.obligations = append(c.e.obligations, obligationRule{*r, []Obligation{o}})
	}
}

func (c *compiler) notices() {
	c.e.notices = make(map[NoticeRef]noticeRule, len(c.p.Notices))
	c.e.noticeIDs = make(map[string]bool)
	for i := range c.p.Notices {
		n := &c.p.Notices[i]
		ref := NoticeRef{n.ID, n.Version}
		_, dup := c.e.notices[ref]
		switch {
		case !validID(n.ID):
			c.fail(at("notices", i, "id"), "not an id", mendID)
		case !validID(n.Version):
			c.fail(at("notices", i, "version"), "not an id", mendID)
		case dup:
			c.fail(at("notices", i, "version"), "declared twice", "keep one of the two")
		case n.Effective.IsZero():
			c.fail(at("notices", i, "effective"), "missing", "say when the version takes effect")
		case !n.Published.IsZero() && n.Effective.Before(n.Published):
			c.fail(at("notices", i, "effective"), "before published", "a text binds nobody before it can be read")
		}
		rule := noticeRule{published: n.Published}
		for j := range c.p.Notices {
			m := &c.p.Notices[j]
			if i == j || m.ID != n.ID {
				continue
			}
			if m.Effective.Equal(n.Effective) && i > j {
				c.fail(at("notices", i, "effective"), "two versions take effect at one instant", "give each its own")
			}
			if m.Material && m.Effective.After(n.Effective) && compareEnd(m.Effective, rule.stale) < 0 {
				rule.stale = m.Effective
			}
		}
		c.e.notices[ref] = rule
		c.e.noticeIDs[n.ID] = true
	}
	for i := range c.p.Purposes {
		if id := c.p.Purposes[i].Notice; id != "" && !c.e.noticeIDs[id] {
			c.fail(at("purposes", i, "notice"), "unknown notice", "declare it under notices")
		}
	}
}

// purpose finds the rule for a key: its own or that of the nearest ancestor.
func (e *Engine) purpose(key string) *purposeRule {
	for ; key != ""; key = parent(key) {
		if p := e.purposes[key]; p != nil {
			return p
		}
	}
	return nil
}

// Purpose returns the purpose whose rule holds for a key, with its defaults filled
// in: the one declared under that key or under the nearest ancestor. The maps and
// lists of the result are shared; read them only.
func (e *Engine) Purpose(key string) (Purpose, bool) {
	if e == nil || !validKey(key) {
		return Purpose{}, false
	}
	if p := e.purpose(key); p != nil {
		return p.Purpose, true
	}
	return Purpose{}, false
}

// Source returns a declared source by its id.
func (e *Engine) Source(id string) (Source, bool) {
	if e != nil {
		for i := range e.policy.Sources {
			if e.policy.Sources[i].ID == id {
				return e.policy.Sources[i], true
			}
		}
	}
	return Source{}, false
}
