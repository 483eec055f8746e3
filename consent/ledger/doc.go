// Package ledger keeps what people said, and what was found out about their data,
// as a history to which events are only ever added, and makes the
// [consent.View] that decisions need.
//
// Start with [NewMemory], record with [Granted], [Withdrawn] and their siblings,
// and ask for a view:
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
package ledger
