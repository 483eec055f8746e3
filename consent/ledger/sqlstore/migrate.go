package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// prepare makes the tables, or brings them to the version that this program knows.
// It only reads where nothing is to be done, so that a role without the right to
// make tables can open a log that is there.
func (s *store) prepare(ctx context.Context, name string, steps []string) error {
	if err := s.inJournal(ctx); err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := s.prepareOnce(ctx, name, steps)
		if err == nil || !again(ctx, try, err) {
			return ended(ctx, "open", err)
		}
	}
}

func (s *store) prepareOnce(ctx context.Context, name string, steps []string) error {
	version, err := s.version(ctx, s.db, name)
	if err != nil {
		return err
	}
	if version == len(steps) {
		return nil
	}
	if s.readOnly || version > len(steps) {
		return misfit(version, len(steps))
	}
	return s.transact(ctx, "open", func(conn *sql.Conn) error {
		if text := s.dialect.migrating; text != "" {
			if _, err := conn.ExecContext(ctx, strings.ReplaceAll(text, "NAME", name)); err != nil {
				return fault(ctx, "open", err)
			}
		}
		version, err := s.version(ctx, conn, name) // another process may have been faster
		if err != nil {
			return err
		}
		if version >= len(steps) {
			return misfit(version, len(steps))
		}
		for _, step := range steps[version:] {
			if _, err := conn.ExecContext(ctx, strings.ReplaceAll(step, "NAME", name)); err != nil {
				return fault(ctx, "open", err)
			}
		}
		_, err = conn.ExecContext(ctx, "UPDATE "+name+"_log SET version = "+strconv.Itoa(len(steps)))
		return fault(ctx, "open", err)
	})
}

// misfit says that tables are not of the version that is known; nil if they are.
func misfit(found, known int) error {
	switch {
	case found == 0:
		return &Error{Op: "open", Problem: "the tables of the log are missing", Mend: "open it once for writing, with a role that may create tables"}
	case found > known:
		return &Error{
			Op: "open", Problem: "the tables are of version " + strconv.Itoa(found) + " and this program knows " + strconv.Itoa(known),
			Mend: "use the newer program that made them: there is no way back",
		}
	case found < known:
		return &Error{
			Op: "open", Problem: "the tables are of version " + strconv.Itoa(found) + " and this program needs " + strconv.Itoa(known),
			Mend: "open the log once for writing, with the role that owns the tables",
		}
	}
	return nil
}

// version is that of the tables; 0: there are none.
func (s *store) version(ctx context.Context, q querier, name string) (int, error) {
	var there bool
	if err := s.value(ctx, q, &there, s.dialect.exists, name+"_log"); err != nil || !there {
		return 0, err
	}
	version := -1
	if err := s.value(ctx, q, &version, "SELECT version FROM "+name+"_log"); err != nil {
		return 0, err
	}
	if version < 0 {
		return 0, errors.New("sqlstore: open: the version of the tables is missing: they are damaged: restore them from a backup")
	}
	return version, nil
}

// inJournal asks whether the database writes ahead, as far as this can be asked.
func (s *store) inJournal(ctx context.Context) error {
	d := s.dialect
	if d.journal == "" || s.readOnly {
		return nil
	}
	for try := 1; ; try++ {
		var mode string
		err := s.value(ctx, s.db, &mode, d.journal)
		if err == nil && mode != d.journalWant {
			return &Error{Op: "open", Problem: d.name + " does not write ahead here", Mend: "keep the file on a local file system"}
		}
		if err == nil || !again(ctx, try, err) {
			return ended(ctx, "open", err)
		}
	}
}

// value reads one value; without a row it stays as it was.
func (s *store) value(ctx context.Context, q querier, into any, text string, args ...any) error {
	r := reader{s: s, q: q}
	err := r.query(ctx, func(rows *sql.Rows) error { return fault(ctx, "open", rows.Scan(into)) }, text, args...)
	return err
}
