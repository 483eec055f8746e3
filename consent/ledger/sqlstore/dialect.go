package sqlstore

import (
	"strconv"
	"strings"
)

// A dialect is what one kind of database needs to be told otherwise than another.
type dialect struct {
	name   string
	begin  string // a transaction that may write
	locked string // ends the query for the end of the log: nobody else appends meanwhile
	// unlocked is begin for the tests that leave the lock out.
	unlocked string
	// migrating follows begin and keeps other processes from migrating meanwhile.
	migrating string
	exists    string // gives a row that says whether the table of the argument is there
	numbered  bool   // placeholders are $1, $2, …
	// journal asks for something that must answer journalWant; empty: nothing.
	journal, journalWant string
	// findsOut is whether the outcome of a COMMIT that failed can be looked up. Not
	// where it failed because the disk did: what can be read now may be gone after a
	// loss of power, and the other way round.
	findsOut bool
	// rolledBack reports whether an error that COMMIT gave says that nothing was
	// committed.
	rolledBack func(*Error) bool
	// steps bring the schema from each version to the next; NAME stands for the name
	// of the log. A step that was released never changes.
	steps []string
}

// READ COMMITTED is asked for by name because the default of a database or role may
// be another: under it, a transaction that had to wait for the locked row goes on
// with the row as the other left it, and each statement sees what was committed
// before it. The server ends a transaction whose client fell silent, so that a
// machine that dropped off the network holds up the others for ten seconds, not for
// hours. A commit that is not flushed to disk would not be one.
var postgres = dialect{
	name: "PostgreSQL",
	begin: "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 10000; " +
		"SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
	locked:    " FOR UPDATE",
	unlocked:  "BEGIN ISOLATION LEVEL READ COMMITTED",
	migrating: "SELECT pg_advisory_xact_lock(hashtext('NAME'))",
	exists:    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = $1 AND pg_catalog.pg_table_is_visible(oid))",
	numbered:  true,
	findsOut:  true,
	// Even an error that the server tells may come after it has committed; the look
	// afterwards is right in each case.
	rolledBack: func(*Error) bool { return false },
	steps: []string{`
CREATE TABLE NAME_log (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	version integer NOT NULL,
	tail    bytea   NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE NAME_entries (
	seq      bigint PRIMARY KEY CHECK (seq > 0),
	prev     bytea  NOT NULL UNIQUE CHECK (octet_length(prev) = 32),
	id       bytea  NOT NULL UNIQUE,
	envelope bytea  NOT NULL,
	handle   bytea  CHECK (octet_length(handle) = 16),
	sealed   bytea
);
CREATE INDEX NAME_entries_subject ON NAME_entries (handle, seq) WHERE handle IS NOT NULL;
INSERT INTO NAME_log (version, tail) VALUES (0, decode(repeat('00', 40), 'hex'))`},
}

// The two settings are repeated for each transaction because they belong to the
// connection, and a commit that is not flushed, or a page that keeps what was
// dropped, must not hang on how a connection was opened.
var sqlite = dialect{
	name:        "SQLite",
	begin:       "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE",
	unlocked:    "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN DEFERRED",
	exists:      "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?",
	journal:     "PRAGMA journal_mode",
	journalWant: "wal",
	rolledBack:  func(e *Error) bool { return e.kind == busy || e.full },
	steps: []string{`
CREATE TABLE NAME_log (
	one     INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
	version INTEGER NOT NULL,
	tail    BLOB    NOT NULL
) STRICT;
CREATE TABLE NAME_entries (
	seq      INTEGER PRIMARY KEY CHECK (seq > 0),
	prev     BLOB NOT NULL UNIQUE CHECK (length(prev) = 32),
	id       BLOB NOT NULL UNIQUE,
	envelope BLOB NOT NULL,
	handle   BLOB CHECK (length(handle) = 16),
	sealed   BLOB
) STRICT;
CREATE INDEX NAME_entries_subject ON NAME_entries (handle, seq) WHERE handle IS NOT NULL;
INSERT INTO NAME_log (version, tail) VALUES (0, zeroblob(40))`},
}

// texts are the statements of a store.
type texts struct {
	begin, lock, tail    string
	after, subject, find string
	envelope             string
	move, drop           string
	insert               string
}

// columns are those of an entry, as scan reads them.
const columns = "seq, envelope, handle, sealed"

func (d *dialect) texts(name string, unlocked bool) texts {
	log, entries := name+"_log", name+"_entries"
	t := texts{
		begin:    d.begin,
		tail:     "SELECT tail FROM " + log,
		lock:     "SELECT tail FROM " + log + d.locked,
		after:    "SELECT " + columns + " FROM " + entries + " WHERE seq > ? ORDER BY seq LIMIT " + strconv.Itoa(page),
		subject:  "SELECT " + columns + " FROM " + entries + " WHERE handle = ? AND seq > ? ORDER BY seq LIMIT " + strconv.Itoa(page),
		find:     "SELECT " + columns + " FROM " + entries + " WHERE id = ?",
		envelope: "SELECT envelope FROM " + entries + " WHERE seq = ?",
		move:     "UPDATE " + log + " SET tail = ? WHERE tail = ?",
		drop:     "UPDATE " + entries + " SET handle = NULL, sealed = NULL WHERE handle = ?",
		insert:   "INSERT INTO " + entries + " (seq, prev, id, envelope, handle, sealed) VALUES ",
	}
	if unlocked {
		t.begin, t.lock = d.unlocked, t.tail
	}
	if d.numbered {
		for _, s := range []*string{&t.after, &t.subject, &t.find, &t.envelope, &t.move, &t.drop} {
			*s = number(*s)
		}
	}
	return t
}

// number replaces each ? by $1, $2, ….
func number(text string) string {
	var b strings.Builder
	n := 0
	for i := range len(text) {
		if text[i] != '?' {
			b.WriteByte(text[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// perEntry is how many values an entry takes in an INSERT.
const perEntry = 6

// insertText is an INSERT of n entries.
func (s *store) insertText(n int) string {
	if text, ok := s.inserts[n]; ok {
		return text
	}
	text := s.texts.insert + strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?), ", n), ", ")
	if s.dialect.numbered {
		text = number(text)
	}
	s.inserts[n] = text
	return text
}
