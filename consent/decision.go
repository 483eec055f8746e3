package consent

import "time"

// An Outcome is what was decided. The zero Outcome is Deny.
type Outcome uint8

// The outcomes, worst first.
const (
	Deny     Outcome = iota
	AskFirst         // denied now; a consent would change it, see [Decision].Ask
	Allow
)

// String returns "deny", "ask" or "allow".
func (o Outcome) String() string {
	switch o {
	case AskFirst:
		return "ask"
	case Allow:
		return "allow"
	}
	return "deny"
}

// A Reason is a stable code; the table in the package documentation says which row
// gives which.
type Reason string

// The reasons, by row.
const (
	ReasonPolicyUnavailable Reason = "POLICY_UNAVAILABLE"
	ReasonInvalidRequest    Reason = "INVALID_REQUEST" // Rule names the part of the request
	ReasonUnknownPurpose    Reason = "UNKNOWN_PURPOSE"

	ReasonNotPersonal Reason = "NOT_PERSONAL"

	ReasonProhibited  Reason = "PROHIBITED"
	ReasonNotDeclared Reason = "NOT_DECLARED"
	ReasonResidency   Reason = "RESIDENCY"
	ReasonRuleError   Reason = "RULE_ERROR" // a condition could not be evaluated; also from other rows with conditions, and from obligations

	ReasonLegalObligation Reason = "LEGAL_OBLIGATION"
	ReasonVitalInterest   Reason = "VITAL_INTEREST"

	ReasonAdminDisabled Reason = "ADMIN_DISABLED"
	ReasonFeatureOff    Reason = "FEATURE_OFF"

	ReasonErased     Reason = "ERASED"
	ReasonRestricted Reason = "RESTRICTED"

	ReasonWithdrawn Reason = "WITHDRAWN"
	ReasonRefused   Reason = "REFUSED"
	ReasonObjected  Reason = "OBJECTED"

	ReasonGuardianRequired Reason = "GUARDIAN_REQUIRED"
	ReasonAgeUnknown       Reason = "AGE_UNKNOWN" // telling the age changes it

	ReasonSignalGPC Reason = "SIGNAL_GPC"
	ReasonSignalGPP Reason = "SIGNAL_GPP"
	ReasonSignalUSP Reason = "SIGNAL_USP"

	ReasonSignalOverridden Reason = "SIGNAL_OVERRIDDEN_BY_CONSENT" // in Overridden only

	ReasonExplicitConsentRequired Reason = "EXPLICIT_CONSENT_REQUIRED"

	ReasonPromotionNeedsConsent   Reason = "PROMOTION_NEEDS_CONSENT"
	ReasonCombinationNeedsConsent Reason = "COMBINATION_NEEDS_CONSENT"
	ReasonShareNeedsConsent       Reason = "SHARE_NEEDS_CONSENT"

	ReasonConsent Reason = "CONSENT"

	ReasonConsentUnset   Reason = "CONSENT_UNSET"
	ReasonConsentExpired Reason = "CONSENT_EXPIRED"
	ReasonConsentStale   Reason = "CONSENT_STALE"

	ReasonContract  Reason = "CONTRACT"
	ReasonEssential Reason = "ESSENTIAL"

	ReasonLegitimateInterest Reason = "LEGITIMATE_INTEREST"
	ReasonPublicTask         Reason = "PUBLIC_TASK"

	ReasonOptOutDefault Reason = "OPT_OUT_REGIME_DEFAULT"

	ReasonDefaultDeny Reason = "DEFAULT_DENY"
)

// A Decision is the answer to a [Request]. The zero Decision denies. Its slices
// and its Ask may be shared with the engine, the view and other decisions: read
// them, do not write into them.
type Decision struct {
	Outcome Outcome
	// Row is the row of the table that decided; 0 in a zero Decision.
	Row    int
	Reason Reason
	// Rule is the id or key of the rule of the policy that decided, as the
	// policy spells it; for INVALID_REQUEST the part of the request at fault.
	// Empty where a record, or no rule at all, decided.
	Rule   string
	Source string // id of the rule's source
	Note   string // the rule's own sentence
	// Purpose is the declared purpose whose rule was used: the asked one or the
	// nearest declared ancestor. Empty when the purpose is unknown.
	Purpose string
	Basis   Basis // where the regime or an age decides it, what it is there
	// Regime is the mechanism of the place, where the policy has [Regimes]:
	// opt_in, opt_out, notice_only or none.
	Regime Mechanism
	// Evidence are the records that decided.
	Evidence []Ref
	// Overridden are the things that would have counted and did not.
	Overridden []Step
	Ask        *Ask // for AskFirst
	// Obligations are duties: those that come with an Allow, or those that a rule
	// ties to the reason of a denial.
	Obligations []Obligation
	// NotAfter is the first instant at which the outcome or the reason could
	// change by time alone: the decision may be reused for later requests that
	// differ in At only, before NotAfter. Zero: never by time alone.
	NotAfter time.Time
	// ByPurpose has one decision for each purpose asked, in the order of the
	// request, where the request has Purposes.
	ByPurpose []Decision
	// PolicyHash and LedgerHead are [Policy].Hash and [Facts].Head, handed through:
	// what the decision was made by.
	PolicyHash string
	LedgerHead string
}

// Allowed reports whether the outcome is Allow.
func (d Decision) Allowed() bool { return d.Outcome == Allow }

// A Ref points at something that a decision rests on.
type Ref struct {
	Kind string // consent, claim, assessment, reference, affects
	ID   string
}

// A Step is something that would have counted and did not: a switch without
// effect, a claim that does not hold, a consent that is too weak.
type Step struct {
	Row    int
	Reason Reason // what it would have been
	Rule   string // rule or record
	Note   string // fixed text
}

// Ask says which consent would change the answer.
type Ask struct {
	Purposes []string // declared keys
	Strength Strength // at least
	From     string   // who may give it: "subject", "guardian" or "both"
	What     Operation
}

// An ObligationKind is what an obligation demands.
type ObligationKind string

// The kinds of obligations. StoreIn and StaffIn come from residency rules; Minimise
// also from row 4, HonourIn also from row 10 and PassSignal also from an Allow to
// disclose, where regimes are in play; the others from the policy's obligations.
const (
	DeleteWithin     ObligationKind = "delete_within" // Period from Anchor
	Minimise         ObligationKind = "minimise"      // to Values
	Pseudonymise     ObligationKind = "pseudonymise"  // in the scope that Values name
	NoOnwardTransfer ObligationKind = "no_onward_transfer"
	NotifySubject    ObligationKind = "notify_subject"
	LogUse           ObligationKind = "log_use"
	HonourIn         ObligationKind = "honour_in"      // tell those who received the data within Period, counted as Values say: calendar_days or business_days
	PassSignal       ObligationKind = "pass_signal"    // hand the signals that Values name on to the recipient
	StopAndErase     ObligationKind = "stop_and_erase" // what was done for the decision's purpose
	StoreIn          ObligationKind = "store_in"       // one of Values
	StaffIn          ObligationKind = "staff_in"       // one of Values
)

// An Obligation is a duty that comes with an Allow. Engine and caller agree on the
// kind; this package carries the other texts as they are written.
type Obligation struct {
	Kind   ObligationKind
	Rule   string
	Source string
	Values []string
	// For DeleteWithin: Limit says whether the period is a ceiling, a floor or a
	// duration, Strength how binding it is. Both are handed on untouched, so that
	// a habit never becomes a deadline on the way.
	Limit    string
	Strength string
	Period   string // ISO 8601, such as PT48H
	Anchor   string
}
