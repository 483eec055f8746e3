// Package secretfile keeps the secrets of pseudonyms in an encrypted file. Its
// [Store] is a pseudonym.SecretStore, a pseudonym.Keeper and a
// pseudonym.SubjectStore.
//
//	key, err := secretfile.ParseKey(os.Getenv("PRIVET_KEYS_KEY")) // 32 random bytes in base64
//	store, err := secretfile.Open(ctx, "secrets.privet", key)
//	p, err := pseudonym.New(ctx, store, scope)
//
// Several programs may use one file at the same time: each write takes a lock, reads
// what the others wrote, and replaces the file as a whole. A call that returned
// without an error is on the disk (written, synced, renamed, and the folder synced).
// One that returned an error may have taken effect or not; Status tells.
//
// # Two files
//
// Beside the file of secrets lies a file of tombstones, by default under the same name
// with .tombstones at its end. It records every version that was ever made, by its
// check value, and everything that was destroyed; it holds no secret. Neither can be
// read or changed without the key.
//
// A tombstone wins over a secret. So if an older copy of the file of secrets is put
// back, what was destroyed since stays destroyed, and what was made since is reported as
// missing: its number is not used again, because tokens of it are stored somewhere, and
// only the same secret is let in by [Store.Import].
//
// A destruction writes the tombstone first and takes the secret out of the other file
// after that. A new secret is written first and recorded after that. So a program that
// is killed at any point leaves something that can be read.
//
// # What it does not protect against
//
//   - Both files put back from one older backup. Nothing in them tells that there was
//     a later state. Keep the tombstones where backups do not go ([WithTombstones]), or
//     note [Info.Generation] elsewhere and pass it to [WithMinimum].
//   - An old copy of the file of secrets in the hands of somebody with the key: the copy
//     holds what was in it. A destruction is complete when the last copy is gone
//     (pseudonym.Destruction.Copies) or its key is: see [WithFormerKey].
//   - What a disk keeps of blocks that were freed, which are encrypted, and the memory of
//     a running program, which is not.
//   - Network file systems whose locks or renames are not what they promise.
//   - Somebody who has the key and may write the files: he can forge both.
//
// # Format
//
// Both files have one form, numbers big-endian:
//
//	8   "PRVTSEC" 01
//	1   kind: 1 secrets, 2 tombstones
//	16  store id, the same in both files
//	8   generation, one more with each write
//	32  salt, random for each write
//	2+n data key, wrapped by the Wrapper
//	    AES-256-GCM of the content, nonce 0, all of the above as additional data
//
// The key of a write is HKDF-SHA256(data key, salt, "privet/secretfile/v1" 00 || kind,
// 32 bytes), RFC 5869: it is used for one message, so its nonce may be fixed
// (SP 800-38D, section 8).
//
// # How many
//
// Each write replaces the file. That is meant for the secrets of some hundred tenants
// and of some ten thousand subjects; for more subjects, keep them in a database.
//
// All functions are safe for concurrent use. No clock is read.
package secretfile
