// Package privacy answers four questions about an event that carries personal
// data: what is it, may it be used for this, in what form, and until when — with
// the reason for every answer.
//
// Start with [Open], which makes a [Guard] from a [Bundle], and with
// [Guard.Process], which takes an [Event] and gives a [Result]: the permitted copy
// of the data, one decision for each field, and the instant by which the copy must
// be gone. Package privacy/policy compiles bundles from YAML; a service that ships
// a compiled bundle does not need it.
//
//	guard, err := privacy.Open(bundle, privacy.WithSecrets(secrets), privacy.WithLedger(ledger))
//	res, err := guard.Process(ctx, event) // err: could not decide; a denial is a result
//	store(res.Fields, res.Retention.Latest)
//	fmt.Println(res.Explain())
//
// An event passes four rooms. [classify] labels its fields by name, declared
// metadata and value. [consent] decides for each category. The policy's
// transforms then keep, drop, pseudonymise, generalise or mask what is allowed.
// [retention] says from when the copy may and by when it must be gone.
//
// # Promises
//
// Nothing here reads a clock, a file or the network. The same bundle and event
// give the same bytes on every platform. What is not allowed is denied, and the
// zero value of a decision is a denial. No error, explanation or String method
// contains a value of an event or a key. Every event is bounded: 64 levels, 65,536
// values, and 64 KiB of a value that is looked into.
//
// Results are pseudonymous where they hold pseudonyms, not anonymous: who has the
// secrets can confirm a guess. See package privacy/pseudonym.
package privacy
