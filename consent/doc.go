// Package consent decides whether data may be used for a purpose.
//
// Start with [New], which checks a [Policy] and compiles it into an [Engine], and
// with [Engine.Decide], which answers one [Request] against a [View] of what is
// known about one person. Package consent/ledger keeps the history and makes views.
//
// Decide is a pure function: no clock, no input or output, no state. The instant
// is part of the request, and the same policy, view and request give the same
// decision in every process and on every platform.
//
// # Precedence
//
// The rows are asked in this order; the first that decides wins. Rows 2 and 4 alone
// may allow before the others were asked: row 2 needs a recorded result, row 4 a
// reference to the law or to what is at stake. Every other row up to 13 can only
// deny or ask, and row 11 does neither: it lifts row 10. Rows, outcomes and the
// reasons that they give:
//
//	row  what it asks                                                outcome  reasons
//	  1  request malformed, purpose unknown, no policy               deny     INVALID_REQUEST UNKNOWN_PURPOSE POLICY_UNAVAILABLE
//	  2  no longer personal data, by a result in force               allow    NOT_PERSONAL
//	  3  prohibited, not declared, wrong place                       deny     PROHIBITED NOT_DECLARED RESIDENCY RULE_ERROR
//	  4  the law or a life at stake, for one purpose                 allow    LEGAL_OBLIGATION VITAL_INTEREST RULE_ERROR
//	  5  administrator switched the feature off                      deny     ADMIN_DISABLED
//	  6  user switched the feature off                               deny     FEATURE_OFF
//	  7  subject erased or restricted                                deny     ERASED RESTRICTED
//	  8  withdrawn, refused or objected, here or on an ancestor      deny     WITHDRAWN REFUSED OBJECTED
//	  9  the person may not consent alone                            ask      GUARDIAN_REQUIRED AGE_UNKNOWN
//	 10  opt-out signal that binds here or that the purpose honours  deny     SIGNAL_GPC SIGNAL_GPP SIGNAL_USP
//	 11  row 10, but consented later and told of the conflict        on       SIGNAL_OVERRIDDEN_BY_CONSENT
//	 12  a stronger consent is required and none is valid            ask      EXPLICIT_CONSENT_REQUIRED CONSENT_UNSET CONSENT_EXPIRED CONSENT_STALE AGE_UNKNOWN RULE_ERROR
//	 13  promotion, combination or sharing is not covered            ask      PROMOTION_NEEDS_CONSENT COMBINATION_NEEDS_CONSENT SHARE_NEEDS_CONSENT AGE_UNKNOWN RULE_ERROR
//	 14  basis is consent, and one is valid                          allow    CONSENT
//	 15  basis is consent, and none is valid                         ask      CONSENT_UNSET CONSENT_EXPIRED CONSENT_STALE
//	 16  essential service or contract                               allow    CONTRACT ESSENTIAL
//	 17  legitimate interest or public task, not objected to         allow    LEGITIMATE_INTEREST PUBLIC_TASK
//	 18  allowed unless refused, notice given                        allow    OPT_OUT_REGIME_DEFAULT
//	 19  nothing above decided                                       deny     DEFAULT_DENY
//
// A public task stands in row 17 beside legitimate interest, because people may
// object to both (GDPR Art. 21(1)); a legal obligation and a vital interest they
// cannot object to, which is row 4.
//
// AGE_UNKNOWN and RULE_ERROR deny in whatever row they come from.
//
// A condition of the policy that fails is never taken as "does not apply": the
// answer is Deny with RULE_ERROR and the id of the rule, without the cause, because
// causes quote data. A condition of an obligation that fails takes an Allow back
// in the same way: a permission without its duties is not the permission that the
// policy gives.
//
// # Keys
//
// Purposes, classes and categories are dotted keys: segments of letters, digits,
// '_' and '-'. A rule for a purpose holds for the keys below it that have no rule
// of their own, and a key with no declared ancestor is unknown. A consent counts
// for a request when it was given for the asked key or for an ancestor of it up to
// the declared purpose, never above: consent to "advertising" says nothing about a
// purpose "advertising.profiling" that the policy declares apart. A refusal,
// withdrawal or objection reaches everything below its key.
//
// # People, places, signals
//
// Where the policy has [Ages], a person who may not consent alone needs a guardian,
// or both consent; where it has [Regimes], a purpose may leave its mechanism to the
// place, and opt-out signals bind where the law says so. Both come as dated tables
// with their sources, [AgeTable] and [RegimeTable], and may be replaced place by
// place. A policy with neither decides as if there were no ages and one place.
//
// # What comes out
//
// No text of a request appears in a decision, its JSON or its explanation: purposes
// are named as the policy declares them, and records by their ids. The regime and
// the source of a row of ages hint at where the person is and how old.
package consent

//go:generate go test -count=1 -run ^TestTable$ . -update
