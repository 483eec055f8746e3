package consent

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// A State is what a person, or somebody entitled to, has said about a purpose.
type State string

// The states. Only granted and renewed permit. Requested and deferred are no
// answer: they neither permit, nor refuse, nor replace an earlier answer.
// Invalidated (by an authority, for fraud, given by a minor) and terminated (by
// the controller) end a consent without being a refusal. That a consent has
// expired or gone stale is computed when asked, never stored.
const (
	StateRequested   State = "requested"
	StateDeferred    State = "deferred"
	StateDenied      State = "denied"
	StateGranted     State = "granted"
	StateRenewed     State = "renewed"
	StateWithdrawn   State = "withdrawn"
	StateObjected    State = "objected"
	StateInvalidated State = "invalidated"
	StateTerminated  State = "terminated"
)

// A Scope is what a consent, or its refusal, is about. Granting and withdrawing
// take the same scope.
//
// For a grant, an empty field is: any channel, no particular recipient, from and
// to any class. Attributes and origins are what it covers, and no more. For a
// refusal, an empty field is all there is.
type Scope struct {
	Purpose   string // dotted key; required
	Operation Operation
	Channel   string
	Recipient string // id
	Service   string // that asked
	// From and To are the classes of a promotion.
	From, To string
	// Origins that may be combined, the asking service's own among them.
	Origins []Origin
	// Attributes that may be shared.
	Attributes []string
}

// A Record is one answer of a person.
type Record struct {
	ID string // printed as evidence, so opaque; letters, digits and _-.:/ only; may be empty
	Scope
	State    State
	Strength Strength  // of a grant; empty: implied
	Given    time.Time // required: the instant from which it holds
	Expires  time.Time // of a grant: the first instant at which it no longer holds; zero: never
	Notice   NoticeRef // under which it was given
	// By is who gave it; empty: the subject.
	By Giver
	// AfterConflict says that it was given after notice that an opt-out signal
	// says otherwise.
	AfterConflict bool
}

// A Merge brings in the history of an anonymous device when it becomes known whose
// it is. Of each scope the more restrictive of the two sides' answers up to the
// merge counts, whichever is later; a side that gave no answer does not count. A
// refusal in force on either side counts as given at the merge, so that it reaches
// consents of the other side that were given to a service or by somebody else.
// Answers after the merge count as ever.
type Merge struct {
	At      time.Time // required
	Records []Record  // of the device, in any order
}

// A Result is what a check of linkability found.
type Result string

// The results. Only Unlinkable and Aggregate take data out of the scope of personal
// data.
const (
	Linked     Result = "linked"
	Linkable   Result = "linkable"
	Unlinkable Result = "unlinkable"
	Aggregate  Result = "aggregate"
)

// A Claim is the recorded result of such a check. It is in force from CheckedAt
// until Expires (zero: until replaced), while no key exists that links the data.
type Claim struct {
	ID        string
	Result    Result
	CheckedAt time.Time
	Expires   time.Time
	LiveKey   bool
}

// Facts are what a ledger knows about one subject, in any order.
type Facts struct {
	Records    []Record
	Merged     []Merge
	Claims     []Claim
	Erased     bool
	Restricted bool // GDPR Art. 18
	// Until is the first instant at which the ledger would tell other facts by
	// time alone: the next event that is recorded with a later date. Zero: none.
	Until time.Time
	// Head names the state of the ledger in decisions: an id. Empty: none.
	Head string
}

// A View is Facts made ready for decisions. It is immutable and safe for
// concurrent use. The zero View, and a nil one, is a subject of whom nothing is
// known.
//
// A view holds the effective answers. Of several records with one scope the one
// given last counts, of those given at the same instant the most restrictive. The
// service that asked is part of the scope for promotion and combination only; a
// refusal that names no service ends the consents given to each of them before it.
// Who gave an answer is part of the scope as well, and a refusal by one ends the
// consents that the other gave before it; see [Ages] for whose counts.
// A refusal counts from the moment at which it is in the view, even where the
// request's instant is earlier: whoever wants the answer as of then asks the ledger
// for the view as of then.
type View struct {
	groups     map[string]*group // by purpose
	claims     map[string]*claim
	erased     bool
	restricted bool
	until      time.Time
	head       string
}

type group struct {
	refusals []record // strongest reason first
	grants   []record // latest first
}

type claim struct {
	Claim
	evidence []Ref
}

type record struct {
	Record
	op       ops
	strength uint8
	refusal  uint8
	giver    givers
	lifted   givers // who granted the scope of this refusal later
	evidence []Ref
	ended    bool // of a grant: another giver's answer ended it
	// except are services to which the same scope was granted after this refusal.
	except []string
}

// A FactError says which fact is malformed. It never contains the fact.
type FactError struct {
	Path    string // such as records[3].purpose
	Problem string
	Mend    string
}

func (e *FactError) Error() string { return "consent: " + e.Path + ": " + e.Problem + ": " + e.Mend }

// NewView makes a view. The error is a [*FactError] for the first malformed fact.
func NewView(f Facts) (*View, error) {
	v := &View{erased: f.Erased, restricted: f.Restricted, until: f.Until, head: f.Head}
	if f.Head != "" && !validID(f.Head) {
		return nil, &FactError{"head", "not an id", "use letters, digits and _-.:/, at most 256"}
	}
	order, err := answersOf(&f)
	if err != nil {
		return nil, err
	}
	if len(order) > 0 {
		v.groups = make(map[string]*group, len(order))
	}
	for _, r := range order {
		g := v.groups[r.Purpose]
		if g == nil {
			g = new(group)
			v.groups[r.Purpose] = g
		}
		switch {
		case r.refusal > 0:
			r.except = exceptions(r, order)
			g.refusals = append(g.refusals, *r)
		case rankOf(r.State) == rankGrant && !r.ended:
			g.grants = append(g.grants, *r)
		}
	}
	for _, g := range v.groups {
		slices.SortFunc(g.refusals, func(a, b record) int {
			return cmp.Or(cmp.Compare(b.refusal, a.refusal), b.Given.Compare(a.Given), compareRecord(&a, &b))
		})
		slices.SortFunc(g.grants, func(a, b record) int { return cmp.Or(b.Given.Compare(a.Given), compareRecord(&a, &b)) })
	}
	for i := range f.Claims {
		c := &claim{Claim: f.Claims[i]}
		if err := checkClaim(&c.Claim); err != nil {
			err.Path = "claims[" + strconv.Itoa(i) + "]." + err.Path
			return nil, err
		}
		if v.claims == nil {
			v.claims = make(map[string]*claim, len(f.Claims))
		}
		if old, ok := v.claims[c.ID]; !ok || c.replaces(&old.Claim) {
			c.evidence = []Ref{{Kind: "claim", ID: c.ID}}
			v.claims[c.ID] = c
		}
	}
	return v, nil
}

// How answers of one scope and one instant rank: the most restrictive wins.
const (
	rankNoAnswer = iota
	rankGrant
	rankEnded
	rankDenied
	rankWithdrawn
	rankObjected
)

func rankOf(s State) int {
	switch s {
	case StateGranted, StateRenewed:
		return rankGrant
	case StateInvalidated, StateTerminated:
		return rankEnded
	case StateDenied:
		return rankDenied
	case StateWithdrawn:
		return rankWithdrawn
	case StateObjected:
		return rankObjected
	}
	return rankNoAnswer
}

func refusalReason(rank uint8) Reason {
	switch int(rank) {
	case rankObjected:
		return ReasonObjected
	case rankWithdrawn:
		return ReasonWithdrawn
	}
	return ReasonRefused
}

// replaces reports whether r counts rather than old, which has the same scope.
func (r *record) replaces(old *record) bool {
	if c := r.Given.Compare(old.Given); c != 0 {
		return c > 0
	}
	if c := cmp.Compare(rankOf(r.State), rankOf(old.State)); c != 0 {
		return c > 0
	}
	if c := cmp.Compare(r.strength, old.strength); c != 0 {
		return c < 0
	}
	if c := compareEnd(r.Expires, old.Expires); c != 0 {
		return c < 0
	}
	if r.AfterConflict != old.AfterConflict {
		return old.AfterConflict
	}
	return cmp.Or(cmp.Compare(r.ID, old.ID), cmp.Compare(r.Notice.ID, old.Notice.ID), cmp.Compare(r.Notice.Version, old.Notice.Version)) < 0
}

// compareEnd orders ends; the zero time is no end.
func compareEnd(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// replaces reports whether c counts rather than old: the later check, and of two
// checks at one instant the one that leaves more of the data personal.
func (c *Claim) replaces(old *Claim) bool {
	if d := c.CheckedAt.Compare(old.CheckedAt); d != 0 {
		return d > 0
	}
	if c.free() != old.free() {
		return old.free()
	}
	return compareEnd(c.Expires, old.Expires) < 0
}

// free reports whether the result, while in force, says that nobody is identifiable.
func (c *Claim) free() bool {
	return !c.LiveKey && (c.Result == Unlinkable || c.Result == Aggregate)
}

// exceptions lists the services to which the refusal's scope was granted later.
func exceptions(r *record, all []*record) []string {
	if r.Service != "" || r.op&(promoteBit|combineBit) == 0 {
		return nil
	}
	var list []string
	for _, g := range all {
		if rankOf(g.State) != rankGrant || g.Service == "" || g.op != r.op || g.giver&r.giver != r.giver || !g.Given.After(r.Given) {
			continue
		}
		a, b := g.Scope, r.Scope
		a.Service, a.Operation, b.Operation = "", "", ""
		if compareScope(&a, &b) == 0 {
			list = append(list, g.Service)
		}
	}
	slices.Sort(list)
	return list
}

func compareScope(a, b *Scope) int {
	return cmp.Or(
		cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(scopeOf(a.Operation), scopeOf(b.Operation)),
		cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Recipient, b.Recipient), cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
		slices.CompareFunc(a.Origins, b.Origins, compareOrigin), slices.Compare(a.Attributes, b.Attributes))
}

func compareOrigin(a, b Origin) int {
	return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Service, b.Service))
}

// slot appends the scope in a form that is equal for equal scopes and for no others.
func (r *record) slot(dst []byte) []byte {
	text := func(s string) {
		dst = strconv.AppendInt(dst, int64(len(s)), 10)
		dst = append(append(dst, ':'), s...)
	}
	dst = append(dst, byte(r.op), byte(r.giver))
	text(r.Purpose)
	text(r.Channel)
	text(r.Recipient)
	if r.op&(promoteBit|combineBit) != 0 {
		text(r.Service)
	}
	text(r.From)
	text(r.To)
	for _, o := range r.Origins {
		text(o.Class)
		text(o.Service)
	}
	for _, a := range r.Attributes {
		text(a)
	}
	return dst
}

func compileRecord(in *Record) (*record, *FactError) {
	r := &record{Record: *in, op: scopeOf(in.Operation)}
	if err := checkScope(&r.Scope); err != nil {
		return nil, err
	}
	rank := rankOf(r.State)
	switch {
	case r.ID != "" && !validID(r.ID):
		return nil, &FactError{"id", "not an id", "use letters, digits and _-.:/, at most 256"}
	case rank == rankNoAnswer && r.State != StateRequested && r.State != StateDeferred:
		return nil, &FactError{"state", "unknown state", "use one of the states of this package"}
	case r.Given.IsZero():
		return nil, &FactError{"given", "missing", "say from when it holds"}
	case !r.Expires.IsZero() && rank != rankGrant:
		return nil, &FactError{"expires", "only a grant expires", "leave it out, or record what follows it"}
	case !r.Expires.IsZero() && !r.Expires.After(r.Given):
		return nil, &FactError{"expires", "not after given", "give a later instant"}
	}
	strength, ok := rankStrength(r.Strength)
	if !ok {
		return nil, &FactError{"strength", "unknown strength", "use implied, expressed or explicit"}
	}
	r.strength = max(strength, strengthImplied)
	if r.giver, ok = giverOf(r.By); !ok {
		return nil, &FactError{"by", "unknown giver", "use subject, guardian or both; an administrator denies and never consents"}
	}
	if r.AfterConflict && rank != rankGrant {
		return nil, &FactError{"after_conflict", "only a grant is given after notice of a conflict", "leave it out"}
	}
	if rank >= rankDenied {
		r.refusal = uint8(rank)
	}
	// Sets are sorted, so that one set has one spelling.
	r.Origins = slices.Compact(slices.SortedFunc(slices.Values(r.Origins), compareOrigin))
	r.Attributes = slices.Compact(slices.Sorted(slices.Values(r.Attributes)))
	if r.ID != "" {
		r.evidence = []Ref{{Kind: "consent", ID: r.ID}}
	}
	return r, nil
}

func checkScope(s *Scope) *FactError {
	op := scopeOf(s.Operation)
	switch {
	case !validKey(s.Purpose):
		return &FactError{"purpose", "not a dotted key", "use letters, digits, _ and -, separated by single dots"}
	case op == 0:
		return &FactError{"operation", "unknown operation", "use one of the operations of this package"}
	case len(s.Channel) > maxText || len(s.Recipient) > maxText || len(s.Service) > maxText || len(s.From) > maxText || len(s.To) > maxText:
		return &FactError{"scope", "a name is too long", "use at most 256 bytes"}
	case (s.From != "" || s.To != "") && op != promoteBit:
		return &FactError{"from", "only a promotion moves between classes", "set the operation to promote, or leave it out"}
	case len(s.Origins) > 0 && op != combineBit:
		return &FactError{"origins", "only a combination has origins", "set the operation to combine, or leave them out"}
	case len(s.Attributes) > 0 && op != shareBit:
		return &FactError{"attributes", "only sharing has attributes", "set the operation to share, or leave them out"}
	case len(s.Origins) > MaxOrigins:
		return &FactError{"origins", "too many", "use at most 64"}
	case len(s.Attributes) > MaxAttributes:
		return &FactError{"attributes", "too many", "use at most 1024"}
	}
	for _, o := range s.Origins {
		if o == (Origin{}) || len(o.Class) > maxText || len(o.Service) > maxText {
			return &FactError{"origins", "an origin is empty or too long", "name a class or a service, at most 256 bytes each"}
		}
	}
	for _, a := range s.Attributes {
		if a == "" || len(a) > maxText {
			return &FactError{"attributes", "an attribute is empty or too long", "use 1 to 256 bytes"}
		}
	}
	return nil
}

func checkClaim(c *Claim) *FactError {
	switch {
	case !validID(c.ID):
		return &FactError{"id", "not an id", "use letters, digits and _-.:/, at most 256"}
	case c.Result != Linked && c.Result != Linkable && c.Result != Unlinkable && c.Result != Aggregate:
		return &FactError{"result", "unknown result", "use linked, linkable, unlinkable or aggregate"}
	case c.CheckedAt.IsZero():
		return &FactError{"checked_at", "missing", "say when it was checked"}
	case !c.Expires.IsZero() && !c.Expires.After(c.CheckedAt):
		return &FactError{"expires", "not after checked_at", "give a later instant"}
	}
	return nil
}

// Ranks of strengths; 0 is the empty strength.
const (
	strengthImplied uint8 = iota + 1
	strengthExpressed
	strengthExplicit
)

func rankStrength(s Strength) (uint8, bool) {
	switch s {
	case "":
		return 0, true
	case Implied:
		return strengthImplied, true
	case Expressed:
		return strengthExpressed, true
	case Explicit:
		return strengthExplicit, true
	}
	return 0, false
}

func strengthOf(rank uint8) Strength {
	switch rank {
	case strengthExplicit:
		return Explicit
	case strengthExpressed:
		return Expressed
	}
	return Implied
}
