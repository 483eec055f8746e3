package consent

// A row of the precedence table. The table in the package documentation is written
// from this one, and the tests walk it.
type row struct {
	n       int
	title   string
	outcome string // for people
	reasons []Reason
}

// rows are asked in this order; the first that decides wins.
var rows = [...]row{
	{1, "request malformed, purpose unknown, no policy", "deny", []Reason{ReasonInvalidRequest, ReasonUnknownPurpose, ReasonPolicyUnavailable}},
	{2, "no longer personal data, by a result in force", "allow", []Reason{ReasonNotPersonal}},
	{3, "prohibited, not declared, wrong place", "deny", []Reason{ReasonProhibited, ReasonNotDeclared, ReasonResidency, ReasonRuleError}},
	{4, "the law or a life at stake, for one purpose", "allow", []Reason{ReasonLegalObligation, ReasonVitalInterest, ReasonRuleError}},
	{5, "administrator switched the feature off", "deny", []Reason{ReasonAdminDisabled}},
	{6, "user switched the feature off", "deny", []Reason{ReasonFeatureOff}},
	{7, "subject erased or restricted", "deny", []Reason{ReasonErased, ReasonRestricted}},
	{8, "withdrawn, refused or objected, here or on an ancestor", "deny", []Reason{ReasonWithdrawn, ReasonRefused, ReasonObjected}},
	{9, "the person may not consent alone", "ask", []Reason{ReasonGuardianRequired, ReasonAgeUnknown}},
	{10, "opt-out signal that binds here or that the purpose honours", "deny", []Reason{ReasonSignalGPC, ReasonSignalGPP, ReasonSignalUSP}},
	{11, "row 10, but consented later and told of the conflict", "on", []Reason{ReasonSignalOverridden}},
	{12, "a stronger consent is required and none is valid", "ask", []Reason{ReasonExplicitConsentRequired, ReasonConsentUnset, ReasonConsentExpired, ReasonConsentStale, ReasonAgeUnknown, ReasonRuleError}},
	{13, "promotion, combination or sharing is not covered", "ask", []Reason{ReasonPromotionNeedsConsent, ReasonCombinationNeedsConsent, ReasonShareNeedsConsent, ReasonAgeUnknown, ReasonRuleError}},
	{14, "basis is consent, and one is valid", "allow", []Reason{ReasonConsent}},
	{15, "basis is consent, and none is valid", "ask", []Reason{ReasonConsentUnset, ReasonConsentExpired, ReasonConsentStale}},
	{16, "essential service or contract", "allow", []Reason{ReasonContract, ReasonEssential}},
	{17, "legitimate interest or public task, not objected to", "allow", []Reason{ReasonLegitimateInterest, ReasonPublicTask}},
	{18, "allowed unless refused, notice given", "allow", []Reason{ReasonOptOutDefault}},
	{19, "nothing above decided", "deny", []Reason{ReasonDefaultDeny}},
}
