package audit

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/retention"
)

// IsPseudonym reports whether s has the form of a token of package pseudonym: p1 or
// s1, a version, and 20 to 52 letters and digits of base 32. What it stands for
// cannot be seen in it; whether it was really made from a secret cannot either.
func IsPseudonym(s string) bool {
	if len(s) < 3 || s[0] != 'p' && s[0] != 's' || s[1:3] != "1_" {
		return false
	}
	version, id, found := strings.Cut(s[3:], "_")
	if !found || version == "" || len(version) > 7 || version[0] == '0' || len(id) < 20 || len(id) > 52 {
		return false
	}
	for i := range len(version) {
		if c := version[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	for i := range len(id) {
		if c := id[i]; (c < '2' || c > '7') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// An Entry says that somebody's data was erased.
type Entry struct {
	Subject string             // a pseudonym, see [IsPseudonym]; anything else is refused
	Scope   retention.Selector // which categories; [retention.Everything] = all
	At      time.Time
	Basis   string // a key: the request or rule that asked for it
}

// A Ledger remembers what was erased: pseudonyms only, so that it may be kept
// longer than the data. After a backup was restored, [Ledger.Erased] says of every
// record whether it has to go again. The zero value is empty and ready. It is safe for
// concurrent reading, not for adding at the same time.
type Ledger struct {
	entries []Entry
	by      map[string][]int32
}

var (
	// ErrPseudonym reports a subject that is no pseudonym.
	ErrPseudonym = errors.New("audit: ledger: subject: not a token of package pseudonym: make one, the ledger takes nothing else")
	// ErrEntry reports another fault of an entry.
	ErrEntry = errors.New("audit: ledger: entry: needs an instant, a scope (a category, or * for all) and a basis of letters, digits, '_', '-', '.', '/' and ':'")
	// ErrLedger reports a stored ledger that cannot be read whole.
	ErrLedger = errors.New("audit: ledger: a line is no entry: restore the file, a part of a ledger brings erased data back")
)

// Add adds an entry; one that says the same as an earlier one is left out.
func (l *Ledger) Add(e Entry) error {
	if !IsPseudonym(e.Subject) {
		return ErrPseudonym
	}
	if e.At.IsZero() || e.At.Year() < 1 || e.At.Year() > 9999 || !key(string(e.Scope), "_-.") && e.Scope != retention.Everything || !key(e.Basis, "_-./:") {
		return ErrEntry
	}
	e.At = time.Unix(e.At.Unix(), 0).UTC()
	for _, i := range l.by[e.Subject] {
		if l.entries[i] == e {
			return nil
		}
	}
	if l.by == nil {
		l.by = make(map[string][]int32)
	}
	l.by[e.Subject] = append(l.by[e.Subject], int32(len(l.entries)))
	l.entries = append(l.entries, e)
	return nil
}

func key(s, marks string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return true
}

// Len is the number of entries.
func (l *Ledger) Len() int { return len(l.entries) }

// Erased reports whether data of a person, of a category, that was stored at an
// instant has been erased since, and by which entry: the latest one. Data that was
// stored after the erasure is another story. The zero instant stands for data of
// unknown age, which counts as older.
func (l *Ledger) Erased(subject, category string, stored time.Time) (Entry, bool) {
	var last Entry
	found := false
	for _, i := range l.by[subject] {
		e := l.entries[i]
		if (e.Scope == retention.Everything || e.Scope.Matches(category)) && !stored.After(e.At) && (!found || e.At.After(last.At)) {
			last, found = e, true
		}
	}
	return last, found
}

// AppendJSON appends the entries as JSON lines, in the order in which they were
// added.
func (l *Ledger) AppendJSON(dst []byte) []byte {
	for i := range l.entries {
		e := &l.entries[i]
		dst = e.At.AppendFormat(append(dst, `{"at":"`...), time.RFC3339)
		dst = jsondoc.AppendString(append(dst, `","basis":`...), e.Basis)
		dst = jsondoc.AppendString(append(dst, `,"scope":`...), string(e.Scope))
		dst = jsondoc.AppendString(append(dst, `,"subject":`...), e.Subject)
		dst = append(dst, "}\n"...)
	}
	return dst
}

// ReadLedger reads what [Ledger.AppendJSON] wrote. A line that is no entry fails the
// whole: a ledger with a hole would let erased data live again.
func ReadLedger(r io.Reader) (*Ledger, error) {
	l := &Ledger{}
	var doc jsondoc.Doc
	in := bufio.NewScanner(r)
	in.Buffer(nil, 4096)
	for in.Scan() {
		if len(in.Bytes()) == 0 {
			continue
		}
		if doc.Parse(in.Text(), jsondoc.Limits{Depth: 1, Nodes: 5}) != nil || doc.Nodes[0].Kind != jsondoc.Object {
			return nil, ErrLedger
		}
		var e Entry
		for i := int32(1); i < doc.Nodes[0].End; i = doc.Nodes[i].End {
			n := &doc.Nodes[i]
			if n.Kind != jsondoc.String {
				return nil, ErrLedger
			}
			switch n.Key {
			case "at":
				var err error
				if e.At, err = time.Parse(time.RFC3339, n.Text); err != nil {
					return nil, ErrLedger
				}
			case "basis":
				e.Basis = n.Text
			case "scope":
				e.Scope = retention.Selector(n.Text)
			case "subject":
				e.Subject = n.Text
			default:
				return nil, ErrLedger
			}
		}
		if err := l.Add(e); err != nil {
			return nil, errors.Join(ErrLedger, err)
		}
	}
	if in.Err() != nil {
		return nil, errors.Join(ErrLedger, in.Err())
	}
	return l, nil
}
