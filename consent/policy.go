package consent

import "time"

// A Policy is what [New] compiles: plain data, in any order, checked as a whole.
// Nothing in it is ignored: what this version has no meaning for, New refuses.
//
// The zero Policy declares no purpose, so that an engine made from it answers
// every request with UNKNOWN_PURPOSE.
type Policy struct {
	Sources      []Source
	Purposes     []Purpose
	Classes      []Class
	Features     []Feature
	DataSources  []DataSource
	Prohibitions []Prohibition
	Requirements []Requirement
	Residency    []Residency
	Gates        Gates
	Promotions   []Promotion
	Obligations  []ObligationRule
	Notices      []Notice
	// Duties let the law, or a life at stake, go before a person's refusal.
	Duties []Duty
	// Recipients say by role what a disclosure rests on.
	Recipients []RecipientRule
	// Overrides say which rules give way to which source.
	Overrides []Override
	// Ages turn on row 9; the zero value leaves ages to conditions.
	Ages Ages
	// Regimes turn on what depends on the place; the zero value leaves it out.
	Regimes Regimes
	// Sensitive are the categories that regimes treat apart; needs Regimes.
	Sensitive []string
	// NoticeLead is how long before it takes effect a material change must have
	// been published. Zero: 30 days; [NoLead]: any time.
	NoticeLead time.Duration
	// Hash names the policy's exact text in decisions: an id. Empty: none.
	Hash string
}

// A Source is a document or an authority that rules rest on.
type Source struct {
	ID    string
	Title string
	Layer Layer  // how strong it is; empty: default
	AsOf  string // the document's own date, or "undated"; for people only
	// Parties are those whose processing the source speaks about, as ids. Where a
	// request names another, the source's rules are set aside. Empty: any.
	Parties []string
}

// A Layer says how strong a source is. Rules of one kind are asked in the order of
// their layers, so that a decision names the strongest source that decides it.
type Layer string

// The layers, strongest first; an agreement and an instruction are equally strong.
const (
	LayerLaw          Layer = "law"
	LayerAgreement    Layer = "agreement"
	LayerInstruction  Layer = "instruction"
	LayerOrganisation Layer = "organisation"
	LayerStatement    Layer = "statement"
	LayerDefault      Layer = "default"
)

// A Basis is why processing is lawful (GDPR Art. 6(1)).
type Basis string

// The legal bases. A legal obligation and a vital interest go before a person's
// refusal (row 4); they need a reference, and a list of what they need. A public
// task does not: people may object to it (Art. 21(1)), so it stands beside
// legitimate interest in row 17, and needs a reference too.
const (
	BasisConsent            Basis = "consent"
	BasisContract           Basis = "contract"
	BasisLegalObligation    Basis = "legal_obligation"
	BasisVitalInterest      Basis = "vital_interest"
	BasisPublicTask         Basis = "public_task"
	BasisLegitimateInterest Basis = "legitimate_interest"
)

// A Mechanism is how people are asked.
type Mechanism string

// The mechanisms.
const (
	OptIn      Mechanism = "opt_in"      // nothing happens before consent
	OptOut     Mechanism = "opt_out"     // allowed until refused
	NoticeOnly Mechanism = "notice_only" // allowed once the notice was given
	// ByRegime leaves it to the regime of the place, [Regimes]. Then a purpose has
	// no basis of its own: it is on consent where the regime is opt-in.
	ByRegime Mechanism = "regime"
	// NoRegime is that of a place whose law asks for none of the three. Only a
	// [RegimeRule] has it.
	NoRegime Mechanism = "none"
)

// A Strength is how clearly consent was expressed: implied < expressed < explicit.
type Strength string

// The strengths. The empty strength of a record counts as implied; the empty
// strength of a purpose is expressed, because consent needs a statement or a clear
// affirmative act (GDPR Art. 4(11)).
const (
	Implied   Strength = "implied"
	Expressed Strength = "expressed"
	Explicit  Strength = "explicit"
)

// A Purpose is why data is used.
type Purpose struct {
	Key string
	// Basis may be left empty: consent where the mechanism is opt-in, none where
	// the purpose is allowed until refused or by notice alone.
	Basis Basis
	// Mechanism may be left empty: opt-in where the basis is consent. A contract
	// has none. Legitimate interest takes opt_out or none, with one meaning.
	Mechanism Mechanism
	// Channels are the ways by which the purpose reaches people, each with a
	// choice of its own. Empty: any channel may be named in a request.
	Channels []string
	// Signals are the opt-out signals that the purpose honours everywhere:
	// [SignalGPC], [SignalGPP], [SignalUSP]. Where the law makes a signal bind is
	// said by Uses and [Regimes].
	Signals []string
	// Uses are what the purpose is in the words of opt-out laws.
	Uses []Use
	// Reference is to the law that lays down a legal obligation or a public task,
	// or to what a vital interest rests on: an id. A public task needs it; for
	// the other two it may come with the request.
	Reference string
	// Needs are the categories that a legal obligation or a vital interest needs:
	// nothing else is covered, and an Allow says so as a duty ([Minimise]).
	Needs []string
	// Counselling marks preventive or counselling services to children, for which
	// no guardian is asked (GDPR Recital 38).
	Counselling bool
	// Strength is the least strength of a consent that counts. Only a purpose
	// on consent has one; empty: expressed.
	Strength Strength
	// Assessment refers to the balancing test that a legitimate interest needs.
	Assessment string
	// Notice is the id of the notice that tells people about the purpose. A
	// consent counts while it was given under a version of it that is current;
	// row 18 needs a current version among the request's notices.
	Notice string
	// Maps are names of the purpose in other vocabularies; see [Engine.Purpose].
	Maps map[string]string
	// Text says the purpose in plain words; see [Engine.Purpose].
	Text   string
	Source string
}

// A Class says why data was collected. It stands beside the category (what the
// data is) and the qualifier (how identifiable it is).
type Class struct {
	Key       string
	Purposes  []string // that data of this class may serve; empty: any
	Necessary bool     // the feature does not work without it; see [Engine.Inventory]
	Source    string
}

// A Kind says whether a feature may be switched off by its user.
type Kind string

// The kinds of features.
const (
	Essential Kind = "essential" // integral to the product: its user's off has no effect
	Optional  Kind = "optional"  // off means that nothing flows for it, whatever was consented to
)

// A Feature is something that people use, with what it declares to need.
type Feature struct {
	Key             string
	Kind            Kind
	AdminCanDisable bool     // an administrator's off is honoured
	Affects         Affected // whose privacy the feature's settings touch; told where an administrator's setting counts
	Purposes        []string // empty: any
	Categories      []string // empty: any
	Classes         []string // empty: any
	// Sync is the purpose of syncing the feature's data with the account. It is a
	// consent of its own: use of the feature does not give it, and without it the
	// feature still works. Empty: the feature's data is not synced, and a request
	// to do so is not declared.
	Sync   string
	Source string
}

// A DataSource is where data comes from, with what it may be used for: either
// every purpose with every category, or flows that name which goes with which.
type DataSource struct {
	Key        string
	Parent     string   // a source whose declarations hold where this one has none
	Purposes   []string // empty: any
	Categories []string // empty: any
	Flows      []DataFlow
	Source     string
}

// A DataFlow lets the named categories serve one purpose. No category: any.
type DataFlow struct {
	Purpose    string
	Categories []string
}

// A Condition is a compiled predicate. The zero Condition always holds. Func is
// given the request with Purpose set to the purpose that is being decided; it must
// not keep or change it, must depend on nothing else, and must be safe for
// concurrent use. An error means that the predicate could not be evaluated; the
// decision is then Deny with RULE_ERROR, and the error itself is dropped.
type Condition struct {
	Text string // as the author wrote it
	Func func(*Request) (bool, error)
}

func (c *Condition) holds(r *Request) (bool, error) {
	if c.Func == nil {
		return true, nil
	}
	return c.Func(r)
}

// A Prohibition denies, and no consent lifts it.
type Prohibition struct {
	ID, Source string
	Topic      string // family of rules, for an [Override]; empty: none
	When       Condition
	Note       string // a sentence for the explanation
}

// A Requirement asks for a consent of some strength whatever the basis is.
type Requirement struct {
	ID, Source string
	Topic      string // family of rules, for an [Override]; empty: none
	When       Condition
	Strength   Strength // expressed or explicit; empty: explicit
	Note       string
}

// Residency says where data is stored and from where it is worked on. A request
// that names a region or a staff country outside is denied. A request that names
// none is allowed with the place as an obligation ([StoreIn], [StaffIn]).
type Residency struct {
	ID, Source string
	Topic      string // family of rules, for an [Override]; empty: none
	When       Condition
	StoreIn    Place
	StaffIn    Place
	Note       string
}

// A Place is either one of the names in In or the name that Func gives for a
// request; names are compared as text. The zero Place says nothing. A Func that
// gives the empty name denies: a rule applies, and its place is not known.
type Place struct {
	In   []string
	Text string // as the author wrote it
	Func func(*Request) (string, error)
}

func (p *Place) said() bool { return p.Func != nil || len(p.In) > 0 }

// A Gate says what an operation needs beside the permission for its purpose.
type Gate string

// The gates. The empty gate is consent.
const (
	GateConsent  Gate = "consent"
	GateExplicit Gate = "explicit"
	GateNone     Gate = "none"
)

// Gates are what promotion, combination and sharing need.
type Gates struct {
	Promotion   Gate
	Combination Gate
	Share       Gate
}

// A Promotion declares a move of data from some classes to another. Once a policy
// declares one, moves between other classes are not declared and denied. Without
// any, the gate alone decides.
type Promotion struct {
	ID, Source string
	From       []string // classes
	To         string   // class
	Kinds      []Kind   // of features that the data may come from; empty: any. From another kind, or from no known feature, it is prohibited.
	Purpose    string   // what the move serves, and the only thing that consent to it covers; empty: any
	Note       string
}

// An ObligationRule adds a duty to every Allow that its condition fits, except to
// NOT_PERSONAL; or, where On is filled, to the decisions with these reasons, denials
// among them: a withdrawal may oblige to stop and erase.
type ObligationRule struct {
	ID, Source string
	Topic      string // family of rules, for an [Override]; empty: none
	When       Condition
	On         []Reason   // empty: every Allow
	Obligation Obligation // Rule and Source are filled in by the engine
	Note       string
}

// A Notice is one version of a text that tells people what happens with data.
// A consent given under a version is stale from the instant at which a later
// version that is material takes effect. A material change takes effect no sooner
// than [Policy].NoticeLead after it was published.
type Notice struct {
	ID, Version string
	Published   time.Time // zero: not known. A consent given earlier cannot have seen it
	Effective   time.Time // required; orders the versions of one id
	Material    bool      // a spelling mistake mended is not
	Texts       []NoticeText
}

// A NoticeText is the text of a version in one language.
type NoticeText struct {
	Language string // such as en or pt-BR
	Hash     string // of the exact text that was shown, as an id: sha256:…
}

// NoLead as [Policy].NoticeLead lets a material change take effect at once.
const NoLead time.Duration = -1
