// Package filestore keeps a consent ledger in a folder: the entries in files that are
// only ever added to, the keys of subjects in a file of their own. [OpenLedger] is all
// that most programs need:
//
//	log, err := filestore.OpenLedger(ctx, "/var/lib/shop/consent")
//	defer log.Close()
//	head, err := log.Append(ctx, ledger.Granted(subject, scope, now))
//
// One program writes a log at a time; others read it meanwhile ([OpenLedgerReader]). A
// log that is to be written from several machines belongs in a database.
//
// # What is promised
//
// A call that returned without an error is on the disk, synced: after a loss of power it
// is there, in whole. A call that was cut off is there in whole or not at all. Whatever
// else is wrong with the files, a changed bit, a cut end, a segment that is missing,
// swapped or of another log, an older head, is an error that names the file, the place,
// the entry and what ([FileError]), and nothing is written.
//
// Erasing a subject destroys the key where it lies, and overwrites the sealed payloads
// and handles where they lie. Wherever that is cut off, the subject has a key or is
// erased, and the next opening finishes it.
//
// # What is not
//
//   - The whole folder put back from an older copy looks like what it was. Only a head
//     that was signed and is kept elsewhere (ledger.Ledger.SignHead) shows that
//     something is missing.
//   - Damage to the very last call before a loss of power, if nothing was recorded
//     after it, can look like a call that was torn. After the program was merely
//     killed, it does not.
//   - Copies that file systems keep of what is overwritten (snapshots, copy on write,
//     the spare blocks of a flash disk) and backups keep payloads, which nobody can
//     open once the key is gone; but they keep keys as well. See docs/ledger.md.
//   - Network file systems whose locks or syncs are not what they promise.
//
// No clock is read. The formats are in docs/ledger.md.
package filestore
