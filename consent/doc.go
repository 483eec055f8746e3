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
// The rows are asked in this order; the first that decides wins. Row 2 alone may
// allow before the others were asked, and it needs a recorded result. Every other
// row up to 13 can only deny or ask.
//
//	row  what it asks                                            outcome  reasons
//	  1  request malformed, purpose unknown, no policy           deny     INVALID_REQUEST UNKNOWN_PURPOSE POLICY_UNAVAILABLE
//	  2  no longer personal data, by a result in force           allow    NOT_PERSONAL
//	  3  prohibited, not declared, wrong place                   deny     PROHIBITED NOT_DECLARED RESIDENCY RULE_ERROR
//	  5  administrator switched the feature off                  deny     ADMIN_DISABLED
//	  6  user switched the feature off                           deny     FEATURE_OFF
//	  7  subject erased or restricted                            deny     ERASED RESTRICTED
//	  8  withdrawn, refused or objected, here or on an ancestor  deny     WITHDRAWN REFUSED OBJECTED
//	 10  opt-out signal on a purpose that honours it             deny     SIGNAL_GPC
//	 12  a stronger consent is required and none is valid        ask      EXPLICIT_CONSENT_REQUIRED CONSENT_UNSET CONSENT_EXPIRED CONSENT_STALE RULE_ERROR
//	 13  promotion, combination or sharing is not covered        ask      PROMOTION_NEEDS_CONSENT COMBINATION_NEEDS_CONSENT SHARE_NEEDS_CONSENT
//	 14  basis is consent, and one is valid                      allow    CONSENT
//	 15  basis is consent, and none is valid                     ask      CONSENT_UNSET CONSENT_EXPIRED CONSENT_STALE
//	 16  essential service or contract                           allow    CONTRACT ESSENTIAL
//	 17  legitimate interest with an assessment                  allow    LEGITIMATE_INTEREST
//	 18  allowed unless refused, notice given                    allow    OPT_OUT_REGIME_DEFAULT
//	 19  nothing above decided                                   deny     DEFAULT_DENY
//
// Row numbers are stable: numbers 4, 9 and 11 (legal duty, age, consent against a
// signal) belong to rows that this version has no rules for.
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
// # What comes out
//
// No text of a request appears in a decision, its JSON or its explanation: purposes
// are named as the policy declares them, and records by their ids.
package consent
