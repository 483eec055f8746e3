package pseudonym

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
)

// purposeSubjectIndex is the reserved purpose under which the rows of subjects are
// found. Its tokens join with no others.
const purposeSubjectIndex = "_subject-index"

// A SubjectStore keeps one secret for each data subject, in a row that is found by
// the subject's index token. Deleting the row makes every s1 token of that person
// unreproducible, for the holder of the tenant's secrets too. Implementations must
// be safe for concurrent use, by several processes if they share the rows.
//
// A subject comes with the index tokens of all live versions of the tenant's secret,
// newest first and at least one; they all mean one person. A row that is found by
// any of them is from then on to be found by the first as well, so that it survives
// the rotation of the tenant's secret; so is a tombstone.
type SubjectStore interface {
	// Subject returns the subject's secret. If there is none, it makes one if
	// create is set, exactly one also if several callers ask at once, and returns
	// an error wrapping [ErrUnknown] otherwise. If any of the tokens has a
	// tombstone, the error wraps [ErrDestroyed].
	Subject(ctx context.Context, tenant string, index []Token, create bool) (Secret, error)

	// DestroySubject deletes the row and leaves a tombstone under all the tokens,
	// also if there never was a row: whoever asks later gets [ErrDestroyed].
	// Destroying once more keeps the first tombstone. The error wraps [ErrHeld] if
	// a hold forbids it.
	DestroySubject(ctx context.Context, tenant string, index []Token, d Destruction) error
}

// Subjects makes pseudonyms that can be erased person by person (construction s1).
// It is immutable and safe for concurrent use. Make it with [NewSubjects].
type Subjects struct {
	index    *Pseudonymiser
	rows     SubjectStore
	scope    *Scope
	idLength int
	keys     []*subjectKey // newest first
}

// A subjectKey is K' of one version: the key under which a subject's secret becomes
// the subject's key. It is only in the closure, where printing does not reach it.
type subjectKey struct {
	version uint32
	derive  func(*[SecretSize]byte) []byte
}

func newSubjectKey(secret *[SecretSize]byte, s Scope, version uint32) (*subjectKey, error) {
	k, err := deriveKey(secret, labelSubject, s, version, sha256.Size)
	if err != nil {
		return nil, err
	}
	return &subjectKey{version, func(subject *[SecretSize]byte) []byte {
		mac := hmac.New(sha256.New, k)
		mac.Write(subject[:])
		return mac.Sum(nil)
	}}, nil
}

// NewSubjects reads the live secrets of the scope's tenant and derives their keys,
// once, as [New] does. The category index says what identifies a person, such as
// user.unique_id; the values given to [Subjects.Subject] are of it. It is the same
// for all scopes of a tenant, so that one row is enough for one person.
//
// The errors are those of [New], with [ErrOption] if rows is nil.
func NewSubjects(ctx context.Context, store SecretStore, rows SubjectStore, s Scope, index string, opts ...Option) (*Subjects, error) {
	c, err := configured(s, opts)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		return nil, &fault{ErrOption, "no subject store: there is no erasable pseudonym without one", nil}
	}
	if err := checkPart("index category", index); err != nil {
		return nil, err
	}
	rowScope := Scope{s.Tenant, purposeSubjectIndex, index}
	p := &Subjects{
		index: &Pseudonymiser{idLength: DefaultIDLength, scope: &rowScope},
		rows:  rows, scope: &s, idLength: c.idLength,
	}
	err = eachSecret(ctx, store, s.Tenant, func(secret Secret, version uint32) error {
		row, err := newKey(secret.b.p, rowScope, version)
		if err != nil {
			return err
		}
		k, err := newSubjectKey(secret.b.p, s, version)
		p.index.keys, p.keys = append(p.index.keys, row), append(p.keys, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Subject returns what makes the tokens of one person: they begin with s1_, and equal
// values of different persons give unrelated tokens. The person's secret is made at
// the first call. Keep the Pseudonymiser for as long as one person's record is worked
// on, and no longer: it holds a key, and erasure does not reach it.
//
// The error is a [*ValueError] if id has no canonical form, or a [*StoreError],
// which wraps [ErrDestroyed] if the person was erased.
func (p *Subjects) Subject(ctx context.Context, id Value) (*Pseudonymiser, error) {
	return p.subject(ctx, id, true)
}

// Known is [Subjects.Subject] for look-ups: it makes no secret, and the error wraps
// [ErrUnknown] if the person has none, in which case no token was ever made.
func (p *Subjects) Known(ctx context.Context, id Value) (*Pseudonymiser, error) {
	return p.subject(ctx, id, false)
}

func (p *Subjects) subject(ctx context.Context, id Value, create bool) (*Pseudonymiser, error) {
	if p.index == nil {
		return nil, errNoSubjects
	}
	index, err := p.index.Candidates(id)
	if err != nil {
		return nil, err
	}
	secret, err := p.rows.Subject(ctx, p.scope.Tenant, index, create)
	if err == nil && secret.b == nil {
		err = ErrSecret
	}
	if err != nil {
		return nil, &StoreError{Err: err, subject: true}
	}
	out := &Pseudonymiser{idLength: p.idLength, scope: p.scope, keys: make([]*key, len(p.keys))}
	for i, k := range p.keys {
		out.keys[i] = readyKey(k.derive(secret.b.p), suiteS1, k.version)
	}
	return out, nil
}

// Erase destroys the secret of one person, in the tenant of the scope and for all
// purposes: no call makes an s1 token of that person again. What is stored under
// such tokens stays linked among itself, and clear columns beside them stay what
// they are. Erasing somebody unknown leaves a tombstone too.
//
// The error is a [*ValueError] if id has no canonical form, or a [*StoreError],
// which wraps [ErrHeld] if a hold forbids it.
func (p *Subjects) Erase(ctx context.Context, id Value, d Destruction) error {
	if p.index == nil {
		return errNoSubjects
	}
	index, err := p.index.Candidates(id)
	if err != nil {
		return err
	}
	if err := p.rows.DestroySubject(ctx, p.scope.Tenant, index, d); err != nil {
		return &StoreError{Err: err, subject: true}
	}
	return nil
}

// Class returns [Linkable]: see [Pseudonymiser.Class].
func (p *Subjects) Class() Linkability { return Linkable }

var errNoSubjects = errors.New("pseudonym: zero Subjects: make one with NewSubjects")

// SubjectCheck returns the check value of a secret as that of a subject, for the
// tombstones of a [SubjectStore]:
//
//	HKDF-SHA256(secret, salt: none, "privacy/pseudonym/v1/kcv" 00 || lp(tenant) || lp("_subject-index") || lp("") || uint32(0), 8 bytes)
func (s Secret) SubjectCheck(tenant string) Check {
	return s.check(Scope{Tenant: tenant, Purpose: purposeSubjectIndex}, 0)
}

// SubjectMemory is a [SubjectStore] in the memory of the process, for tests and for
// development. Make it with [NewSubjectMemory]; the zero SubjectMemory makes no
// secrets. It must not be copied. Safe for concurrent use.
type SubjectMemory struct {
	mu     sync.Mutex
	random io.Reader
	holds  Holds
	rows   map[subjectRow]*subjectEntry
}

type subjectRow struct {
	tenant string
	index  Token
}

// A subjectEntry is shared by all index tokens of one person.
type subjectEntry struct {
	secret Secret // the zero Secret if destroyed
	dead   bool
	d      Destruction
	check  Check
}

var _ SubjectStore = (*SubjectMemory)(nil)

// NewSubjectMemory returns an empty store that makes secrets from random (use
// crypto/rand.Reader).
func NewSubjectMemory(random io.Reader) *SubjectMemory { return &SubjectMemory{random: random} }

// Hold makes the store ask holds before every destruction from now on. Nil Holds
// forbid nothing.
func (m *SubjectMemory) Hold(holds Holds) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holds = holds
}

// find returns the entry of a person, the one of a tombstone if there is any, and
// makes it known under the newest token.
func (m *SubjectMemory) find(tenant string, index []Token) (*subjectEntry, error) {
	if err := checkIndex(tenant, index); err != nil {
		return nil, err
	}
	var found *subjectEntry
	for _, t := range index {
		if e := m.rows[subjectRow{tenant, t}]; e != nil && (found == nil || e.dead && !found.dead) {
			found = e
		}
	}
	if found != nil {
		m.rows[subjectRow{tenant, index[0]}] = found
	}
	return found, nil
}

func checkIndex(tenant string, index []Token) error {
	if err := checkPart("tenant", tenant); err != nil {
		return err
	}
	if len(index) == 0 {
		return &fault{ErrToken, "no index token: a subject has at least one", nil}
	}
	for _, t := range index {
		if t.n == 0 {
			return &fault{ErrToken, "zero token: an index token is made by Subjects", nil}
		}
	}
	return nil
}

// Subject implements [SubjectStore].
func (m *SubjectMemory) Subject(_ context.Context, tenant string, index []Token, create bool) (Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find(tenant, index)
	switch {
	case err != nil:
		return Secret{}, err
	case e != nil && e.dead:
		return Secret{}, ErrDestroyed
	case e != nil:
		return e.secret, nil
	case !create:
		return Secret{}, ErrUnknown
	}
	s, err := readSecret(m.random)
	if err != nil {
		return Secret{}, err
	}
	m.put(subjectRow{tenant, index[0]}, &subjectEntry{secret: s})
	return s, nil
}

func (m *SubjectMemory) put(row subjectRow, e *subjectEntry) {
	if m.rows == nil {
		m.rows = map[subjectRow]*subjectEntry{}
	}
	m.rows[row] = e
}

// DestroySubject implements [SubjectStore].
func (m *SubjectMemory) DestroySubject(ctx context.Context, tenant string, index []Token, d Destruction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find(tenant, index)
	if err != nil {
		return err
	}
	if e == nil || !e.dead {
		if err := m.holds.Ask(ctx, Target{Tenant: tenant, Subject: index[0]}); err != nil {
			return err
		}
		dead := subjectEntry{dead: true, d: d}
		if e == nil {
			e = new(subjectEntry)
		} else {
			dead.check = e.secret.SubjectCheck(tenant)
		}
		*e = dead
	}
	for _, t := range index {
		m.put(subjectRow{tenant, t}, e)
	}
	return nil
}
