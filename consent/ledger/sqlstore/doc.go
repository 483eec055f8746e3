// Package sqlstore keeps a ledger of consent in PostgreSQL, for many writers on many
// machines, or in SQLite, for the processes of one machine.
//
//	store, err := sqlstore.OpenPostgres(ctx, "postgres://privet@db.example.com/consent")
//	…
//	log, err := ledger.New(ctx, store, keys)
//
// [OpenPostgres], [OpenPostgresDB] and [OpenSQLite] give a [ledger.Store];
// [OpenDSN] picks one of them by the scheme of a connection string. The keys of the
// subjects belong elsewhere, in a [ledger.Keys] of their own: what a database once
// held lives on in dead rows, logs, replicas and backups, and is worth nothing
// without a key.
//
// # Two writers cannot fork the log
//
// Each append is one transaction that first locks the one row that holds the end of
// the log, so that writers queue up behind it (PostgreSQL: SELECT … FOR UPDATE under
// READ COMMITTED; SQLite: BEGIN IMMEDIATE). Should the lock ever fail, three keys
// remain: the place in the log is the primary key, the hash of the entry before is
// unique, and the end of the log is replaced only where it is still the one that was
// read. Each of them fails the second of two writers, who then tries again.
//
// # When the connection is lost
//
// A transaction whose COMMIT was not sent is not recorded, and is tried again. When
// the connection is lost after that, the store connects anew and takes the same
// lock, which waits until the lost transaction has ended one way or the other, and
// then looks whether the entries are there. Only when the database cannot be reached
// any more does the caller get [ledger.ErrUnknown].
package sqlstore
