// Package audit compares what was removed with what a plan allowed and asked for.
//
// Start with [Audit]. A plan says from when a copy may go and by when it must be
// gone; that it is gone is another fact, which the caller reports as a [Removal].
// [Certify] turns both into a certificate with the trail, and a [Ledger] remembers,
// by pseudonym only, what was erased, so that it can be erased again after a backup
// was restored.
//
// Nothing here deletes anything, and nothing reads a clock.
package audit
