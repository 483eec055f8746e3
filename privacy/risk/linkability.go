package risk

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// An Origin says what made the values of a released column.
type Origin uint8

const (
	// Clear values are as they were collected.
	Clear Origin = iota
	// Generalised values were made coarser: bands, prefixes, truncated addresses,
	// masks, shifted dates.
	Generalised
	// Reversible values can be led back by somebody with a key: AES-SIV, FF1.
	Reversible
	// KeyedToken is a pseudonym of package pseudonym under a secret.
	KeyedToken
	// RandomToken was drawn by chance; only a table can lead it back.
	RandomToken
	// Redacted columns have one value, or none, in all rows.
	Redacted
	// Counts are how many people each row is about: the release consists of cells.
	Counts
)

// String returns the name in words, or "invalid".
func (o Origin) String() string {
	names := [...]string{"clear", "generalised", "reversible", "keyed token", "random token", "redacted", "counts"}
	if int(o) < len(names) {
		return names[o]
	}
	return "invalid"
}

// A Role says what somebody outside can do with a clear or generalised column.
type Role uint8

const (
	// Identifier columns name a person by themselves. It is the zero value: a column
	// that nobody thought about counts as one.
	Identifier Role = iota
	// Quasi columns may be known from elsewhere and single people out together.
	Quasi
	// Sensitive columns are about the person and known to nobody who could use them to
	// find the row. Who says so must be sure: it takes the column out of the check.
	Sensitive
	// Impersonal columns are about no person.
	Impersonal
)

// String returns the name in words, or "invalid".
func (r Role) String() string {
	names := [...]string{"identifier", "quasi-identifier", "sensitive", "impersonal"}
	if int(r) < len(names) {
		return names[r]
	}
	return "invalid"
}

// A ReleasedColumn describes one column of a release.
type ReleasedColumn struct {
	Name   string
	Origin Origin
	Role   Role // of clear and generalised columns

	// Tenant is whose secret made keyed tokens.
	Tenant string
	// Versions are the versions of the secret, for keyed tokens that don't tell theirs
	// (UUIDs). For others leave it nil: they are read from the tokens.
	Versions []uint32
	// TableDestroyed says of random tokens that no table leads back from them, in no
	// copy, and of reversible values that their key is gone in the same sense.
	TableDestroyed bool
}

// A SecretState says what became of a secret.
type SecretState uint8

const (
	// SecretExists is the zero value: what nobody knows to be destroyed exists.
	SecretExists SecretState = iota
	// SecretPending is destroyed here and may still be in a backup.
	SecretPending
	// SecretDestroyed is gone in every copy, with a tombstone to show for it.
	SecretDestroyed
)

// A Release is a set of records that is to leave, with what made its columns.
type Release struct {
	Columns []ReleasedColumn

	// K is the smallest class that hides a person, 2 or more; 0 for 5.
	K int
	// MinCount is the smallest cell of an aggregate, 2 or more; 0 for 10.
	MinCount int

	// Secret says what became of a secret, and of a pending one until when copies may
	// exist (the zero time: unknown). Nil: all exist.
	Secret func(tenant string, version uint32) (SecretState, time.Time)
}

// Defaults of a [Release].
const (
	DefaultK        = 5
	DefaultMinCount = 10
)

// An Assessment says how near a release is to the people that it is about, and why not
// farther.
type Assessment struct {
	Linkability pseudonym.Linkability

	// Reasons are all that holds the release back, the nearest step first: those
	// whose At equals Linkability keep it from the next one.
	Reasons []Reason
}

// A Reason is one thing that holds a release back. It names columns, versions and
// counts, never a value.
type Reason struct {
	At     pseudonym.Linkability // the release is no farther than this, because of it
	Column string                // empty if it is about the whole
	Text   string                // "secret version 3 of tenant contoso exists"
}

// String returns column and text.
func (r Reason) String() string {
	if r.Column == "" {
		return r.Text
	}
	return "column " + r.Column + ": " + r.Text
}

// Next returns the reasons that keep the release from the next step.
func (a *Assessment) Next() []Reason {
	var next []Reason
	for _, r := range a.Reasons {
		if r.At == a.Linkability {
			next = append(next, r)
		}
	}
	return next
}

// Assess computes how linkable a release is, from its rows and from what made its
// columns. What it can see it does not take on trust: tokens must be tokens, redacted
// columns constant, counts large enough, and quasi-identifiers are checked.
//
//	Linked      a clear identifier, a column that is not described, or
//	            quasi-identifiers that single people out
//	Linkable    tokens whose secret exists or may exist in a copy, random tokens
//	            with a table, reversible values
//	Unlinkable  none of them: no token leads back, and quasi-identifiers pass K
//	Aggregate   rows are cells with counts of MinCount at least
//
// Equal tokens link the rows of a person even when nothing leads back from them.
// Then K counts people, and people are alike only if they have equally many rows in
// the same classes: somebody who knows several facts about a person would look for
// all of them together.
//
// Not seen here: other releases of the same people, and differences between cells
// and their totals. The result holds for today: assess again when a secret is
// destroyed or restored.
//
// The error is about a release that is described wrongly, never about one that is
// too near to people.
func Assess(t *Table, r Release) (*Assessment, error) {
	a := &assessor{d: t.data(), Release: r, k: cmp.Or(r.K, DefaultK), floor: cmp.Or(r.MinCount, DefaultMinCount), out: &Assessment{}}
	if err := a.described(); err != nil {
		return nil, err
	}
	for i := range a.d.columns {
		if !a.known[i] {
			// A name that the caller did not use may be data, if there is no header.
			a.hold(pseudonym.Linked, "", "column "+strconv.Itoa(i+1)+" of the table is not described, and counts as an identifier")
		}
	}
	cells := false
	for i := range r.Columns {
		cells = a.column(&r.Columns[i], a.at[i]) || cells
	}
	if cells && len(a.tokens) > 0 {
		for _, at := range a.tokens {
			a.hold(pseudonym.Unlinkable, a.d.columns[at].name, "a pseudonym beside counts: leave the column out")
		}
	}
	if !cells || len(a.tokens) > 0 {
		a.classes()
	}
	if !cells {
		a.hold(pseudonym.Unlinkable, "", "rows are about single people: publish counts of at least "+strconv.Itoa(a.floor)+" in place of them")
	}
	slices.SortStableFunc(a.out.Reasons, func(x, y Reason) int { return cmp.Compare(x.At, y.At) })
	a.out.Linkability = pseudonym.Aggregate
	if len(a.out.Reasons) > 0 {
		a.out.Linkability = a.out.Reasons[0].At
	}
	return a.out, nil
}

type assessor struct {
	Release
	d     *tableData
	at    []int // column of the table of each described one
	known []bool
	k     int
	floor int
	quasi []int
	// tokens are columns that link the rows of a person.
	tokens []int
	out    *Assessment
}

func (a *assessor) hold(at pseudonym.Linkability, column, text string) {
	a.out.Reasons = append(a.out.Reasons, Reason{at, column, text})
}

func (a *assessor) described() error {
	fail := func(column, problem, mend string) error {
		return &InputError{What: "release", Column: column, Problem: problem, Mend: mend}
	}
	switch {
	case a.k < 2:
		return fail("", "K must be 2 or more", "leave it 0 for 5")
	case a.floor < 2:
		return fail("", "MinCount must be 2 or more", "leave it 0 for 10")
	}
	names := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		names[i] = c.Name
		switch {
		case c.Origin > Counts:
			return fail(c.Name, "the origin is none of this package", "use Clear to Counts")
		case c.Role > Impersonal:
			return fail(c.Name, "the role is none of this package", "use Identifier to Impersonal")
		case c.Origin == KeyedToken && c.Tenant == "":
			return fail(c.Name, "keyed tokens without a tenant", "name whose secret made them")
		}
	}
	var err error
	if a.at, err = a.d.lookup("release", names); err != nil {
		return err
	}
	a.known = make([]bool, len(a.d.columns))
	for _, i := range a.at {
		a.known[i] = true
	}
	return nil
}

// column judges one column by itself, and reports whether it makes rows to cells.
func (a *assessor) column(c *ReleasedColumn, at int) (cells bool) {
	column := &a.d.columns[at]
	switch c.Origin {
	case Clear, Generalised:
		switch c.Role {
		case Identifier:
			a.hold(pseudonym.Linked, c.Name, c.Origin.String()+" and an identifier: give it a pseudonym, redact it, or say that it is a quasi-identifier")
		case Quasi:
			a.quasi = append(a.quasi, at)
		}
	case Reversible:
		a.tokens = append(a.tokens, at)
		if !c.TableDestroyed {
			a.hold(pseudonym.Linkable, c.Name, "reversible: somebody with the key can restore the values")
		}
	case RandomToken:
		a.tokens = append(a.tokens, at)
		if !c.TableDestroyed {
			a.hold(pseudonym.Linkable, c.Name, "random tokens, and a table that leads back from them may exist")
		}
	case KeyedToken:
		a.tokens = append(a.tokens, at)
		a.secrets(c, column)
	case Redacted:
		if len(column.values) > 1 {
			a.hold(pseudonym.Linked, c.Name, "said to be redacted, and has "+strconv.Itoa(len(column.values))+" different values")
		}
	case Counts:
		small := 0
		for _, code := range column.codes {
			if n, err := strconv.ParseUint(column.values[code], 10, 63); err != nil || n < uint64(a.floor) {
				small++
			}
		}
		if small > 0 {
			a.hold(pseudonym.Linked, c.Name, plural(small, "cell")+" smaller than "+strconv.Itoa(a.floor)+", or no count")
		}
		return true
	}
	return false
}

// secrets finds out whether anything leads back from keyed tokens.
func (a *assessor) secrets(c *ReleasedColumn, column *column) {
	versions := slices.Clone(c.Versions)
	if c.Versions == nil {
		strange := make([]bool, len(column.values))
		for code, v := range column.values {
			token, err := pseudonym.ParseToken(v)
			switch {
			case err == nil:
				versions = append(versions, token.Version())
			case v != "":
				strange[code] = true
			}
		}
		rows := 0
		for _, code := range column.codes {
			if strange[code] {
				rows++
			}
		}
		if rows > 0 {
			a.hold(pseudonym.Linked, c.Name, plural(rows, "value")+" said to be tokens, and none: they may be in the clear")
		}
	}
	slices.Sort(versions)
	for _, version := range slices.Compact(versions) {
		state, until := SecretExists, time.Time{}
		if a.Secret != nil {
			state, until = a.Secret(c.Tenant, version)
		}
		name := "secret version " + strconv.FormatUint(uint64(version), 10) + " of tenant " + c.Tenant
		switch {
		case state == SecretDestroyed:
		case state != SecretPending:
			a.hold(pseudonym.Linkable, c.Name, name+" exists")
		case until.IsZero():
			a.hold(pseudonym.Linkable, c.Name, name+" is destroyed, and copies of it may exist")
		default:
			a.hold(pseudonym.Linkable, c.Name, name+" is destroyed, and copies of it may exist until "+until.UTC().Format(time.RFC3339))
		}
	}
}

// classes checks that no person stands out by the quasi-identifiers.
func (a *assessor) classes() {
	r := newRefiner(a.d.rows)
	for _, q := range a.quasi {
		r.by(a.d.columns[q].codes, len(a.d.columns[q].values))
	}
	g := r.grouping(nil)
	small, rows := 0, 0
	for _, n := range g.size {
		if n < a.k {
			small++
			rows += n
		}
	}
	if small > 0 {
		a.hold(pseudonym.Linked, "", plural(small, "class")+" of quasi-identifiers smaller than "+strconv.Itoa(a.k)+", with "+plural(rows, "row"))
	}
	for _, at := range a.tokens {
		column := &a.d.columns[at]
		if alike := a.alike(column, &g); alike > 0 {
			a.hold(pseudonym.Linked, column.name, fmt.Sprintf("equal tokens link rows: %s with fewer than %d others whose rows are in the same classes", plural(alike, "token"), a.k-1))
		}
	}
}

// alike counts the tokens that fewer than k tokens are like: with equally many rows in
// the same classes.
func (a *assessor) alike(c *column, g *grouping) int {
	if len(c.values) == a.d.rows {
		return 0 // each token once: the classes say it already
	}
	order, start := bucket(c.codes, len(c.values), nil, nil)
	profiles := map[string]int{}
	keys := make([]string, len(c.values))
	var classes []uint32
	var key []byte
	for code, value := range c.values {
		if value == "" {
			continue // no token: links nothing
		}
		classes = classes[:0]
		for _, row := range order[start[code]:start[code+1]] {
			classes = append(classes, g.of[row])
		}
		slices.Sort(classes)
		key = key[:0]
		for _, class := range classes {
			key = binary.BigEndian.AppendUint32(key, class)
		}
		keys[code] = string(key)
		profiles[keys[code]]++
	}
	alone := 0
	for code, value := range c.values {
		if value != "" && profiles[keys[code]] < a.k {
			alone++
		}
	}
	return alone
}

// String returns the class and its reasons, a line each.
func (a *Assessment) String() string {
	var b strings.Builder
	b.WriteString(a.Linkability.String())
	for _, r := range a.Next() {
		b.WriteString("\n  ")
		b.WriteString(r.String())
	}
	return b.String()
}
