package consent

import (
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
	duties       []dutyRule
	prohibitions []prohibitionRule
	requirements []requirementRule
	residency    []residencyRule
	promotions   []Promotion
	obligations  []obligationRule
	gates        [3]gateRule
	recipients   []recipientRule
	ages         *ageTable              // nil: ages do not count
	regimes      map[string][]regimeRow // nil: places do not count
	notices      map[NoticeRef]noticeRule
	noticeIDs    map[string]bool
}

type purposeRule struct {
	Purpose
	strength uint8
	signals  uint8 // kinds that it honours everywhere
	uses     uses
	ask      *Ask // for a missing consent to use
	minimum  []Obligation
	evidence []Ref
}

type featureRule struct {
	Feature
	userRefused, adminRefused []Step
	affects                   []Ref
}

type prohibitionRule struct {
	Prohibition
	giving giving
}

type requirementRule struct {
	Requirement
	strength uint8
	giving   giving
}

type residencyRule struct {
	Residency
	storeIn, staffIn []Obligation // prepared where the place is constant
	giving           giving
}

type obligationRule struct {
	ObligationRule
	prepared []Obligation
	giving   giving
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
	c.duties()
	c.recipients()
	c.overrides()
	c.ages()
	c.regimes()
	if p.Hash != "" && !validID(p.Hash) {
		c.fail("hash", "not an id", mendID)
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return e, nil
}

// clone copies the policy so that later changes by its author do not reach it.
func clone(p Policy) Policy {
	p.Sources = slices.Clone(p.Sources)
	for i := range p.Sources {
		p.Sources[i].Parties = slices.Clone(p.Sources[i].Parties)
	}
	p.Purposes = slices.Clone(p.Purposes)
	for i := range p.Purposes {
		x := &p.Purposes[i]
		x.Channels, x.Signals, x.Maps = slices.Clone(x.Channels), slices.Clone(x.Signals), maps.Clone(x.Maps)
		x.Uses, x.Needs = slices.Clone(x.Uses), slices.Clone(x.Needs)
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
		x := &p.Obligations[i]
		x.On, x.Obligation.Values = slices.Clone(x.On), slices.Clone(x.Obligation.Values)
	}
	p.Notices = slices.Clone(p.Notices)
	for i := range p.Notices {
		p.Notices[i].Texts = slices.Clone(p.Notices[i].Texts)
	}
	p.Duties = slices.Clone(p.Duties)
	for i := range p.Duties {
		p.Duties[i].Needs = slices.Clone(p.Duties[i].Needs)
	}
	p.Recipients = slices.Clone(p.Recipients)
	for i := range p.Recipients {
		p.Recipients[i].Purposes = slices.Clone(p.Recipients[i].Purposes)
	}
	p.Overrides = slices.Clone(p.Overrides)
	for i := range p.Overrides {
		x := &p.Overrides[i]
		x.Rules, x.Sources, x.Topics = slices.Clone(x.Rules), slices.Clone(x.Sources), slices.Clone(x.Topics)
	}
	p.Ages.Rules = slices.Clone(p.Ages.Rules)
	for i := range p.Ages.Rules {
		p.Ages.Rules[i].Uses = slices.Clone(p.Ages.Rules[i].Uses)
	}
	p.Regimes.Rules, p.Regimes.AfterNotice = slices.Clone(p.Regimes.Rules), slices.Clone(p.Regimes.AfterNotice)
	p.Sensitive = slices.Clone(p.Sensitive)
	return p
}

type compiler struct {
	e      *Engine
	p      *Policy
	errs   ConfigErrors
	layers map[string]int
	ids    map[string]bool
	// What overrides may name: rules with their sources, and topics.
	overridable map[string]string
	topics      map[string]bool
}

func (c *compiler) fail(path, problem, mend string) {
	c.errs = append(c.errs, &ConfigError{path, problem, mend})
}

func itoa(n int) string { return strconv.Itoa(n) }

func at(list string, i int, field string) string {
	s := list + "[" + itoa(i) + "]"
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
			c.fail(path+"["+itoa(i)+"]", "not a dotted key", mendKey)
		}
	}
}

// purposeKeys checks a set of purposes: each is declared or has a declared ancestor.
func (c *compiler) purposeKeys(path string, list []string) {
	for i, k := range list {
		c.purposeKey(path+"["+itoa(i)+"]", k)
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
		c.classKey(path+"["+itoa(i)+"]", k)
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
