// Package ledger keeps what people said, and what was found out about their data,
// as a history that proves itself, and makes the [consent.View] that decisions need.
//
// Start with [NewMemory], or with [New] on a store that lasts; record with [Granted],
// [Withdrawn] and their siblings, and ask for a view:
//
//	log := ledger.NewMemory()
//	_, err := log.Append(ctx, ledger.Granted(subject, consent.Scope{Purpose: "diagnostic.optional"}, now))
//	view, err := log.View(ctx, subject, ledger.AsOf{Valid: now})
//
// # Two times
//
// Every event has the instant from which it is true ([Event].Valid) and the
// instant at which the ledger learned of it ([Event].Known). A withdrawal that
// arrives late changes what is true of the past, and leaves untouched what was
// known then; [AsOf] asks for either.
//
// # Subjects
//
// A subject is an opaque text. Pass a pseudonym, never an address or a name. No
// error of this package contains it.
//
// # What is clear and what is sealed
//
// Each event is an [Entry] of the log. Its [Envelope] stays readable for good: when,
// what kind, which purpose, which notice. Whose it is and all else is its payload,
// sealed with a key of the subject's own (AES-256-GCM), which a [Keys] keeps apart
// from the log. The envelope commits to the payload by an HMAC under a random salt
// that is sealed with it, so that who has only the envelope cannot try out whose it
// may be.
//
// # Erasing
//
// [Ledger.Erase] destroys the key, removes payload and salt, and records that a
// subject was erased, without saying which. The log verifies as before, and a proof
// that somebody consented to a purpose under a notice at a time holds as before;
// whose it was nobody can say, wherever copies of the log lie. A backup of the keys
// that is restored brings the subject back: keep one as short as the law lets you.
//
// # What the log proves
//
// The entries are a chain of hashes and a Merkle tree (RFC 6962). [Ledger.Prove]
// shows that an event is in the log of a [Head], [Ledger.ProveConsistency] that the
// log only grew since an older head; both are JSON that anybody can check, with
// [Proof.Check] or by the RFC alone, without the log and without a key.
// [Ledger.Verify] checks everything and names each fault. What a chain cannot show
// is that its end is missing, or that it was rewritten as a whole: for that, let
// [Ledger.SignHead] sign the head now and then and keep what it gives elsewhere.
//
// A withdrawal that somebody removed shows: each payload counts the events of its
// subject, and the entries without a payload must be as many as the erasures say.
//
// # Stores
//
// A [Store] keeps entries and knows nothing of what they mean; all logic is in
// Ledger. Package filestore keeps them in files, package sqlstore in SQLite or
// PostgreSQL; package ledgertest checks any other.
package ledger
