package pseudonym

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Scope is what tokens may be joined within. Each part is mandatory, 1 to 255
// bytes of valid UTF-8, compared byte by byte. It is no secret, but should not
// name a person either.
type Scope struct {
	Tenant   string // whose data it is, and whose secret is used
	Purpose  string // what it is used for; a leading _ is reserved
	Category string // what it is, such as user.contact.email
}

func (s Scope) check() error {
	if err := checkPart("tenant", s.Tenant); err != nil {
		return err
	}
	if err := checkPart("purpose", s.Purpose); err != nil {
		return err
	}
	if strings.HasPrefix(s.Purpose, "_") {
		return &fault{ErrScope, "purpose: a leading _ is reserved: choose another name", nil}
	}
	return checkPart("category", s.Category)
}

func checkPart(name, s string) error {
	switch {
	case s == "":
		return &fault{ErrScope, name + ": is empty: name one, there is no default", nil}
	case len(s) > 255:
		return &fault{ErrScope, name + ": is longer than 255 bytes: use a shorter key", nil}
	case !utf8.ValidString(s):
		return &fault{ErrScope, name + ": is not valid UTF-8: convert it first", nil}
	}
	return nil
}

// An Option configures [New]. Options apply in order; the last one wins.
type Option interface{ apply(*config) }

type config struct {
	idLength int
}

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithIDLength sets the length of the id in bytes, 12 to 32; without it, 16. The
// package documentation has the collision probabilities. A shorter id is the
// beginning of a longer one, but tokens of different lengths are not equal and do
// not join. It has no effect on [Pseudonymiser.UUID].
func WithIDLength(n int) Option {
	return optionFunc(func(c *config) { c.idLength = n })
}

// maxVersions bounds the work of New and of Candidates.
const maxVersions = 1024

// A Pseudonymiser makes the tokens of one scope. It is immutable and safe for
// concurrent use. Make it with [New]; the zero Pseudonymiser refuses every value.
type Pseudonymiser struct {
	keys     []*key // newest first, at least one
	idLength int
	scope    *Scope
}

var errNotMade = errors.New("pseudonym: zero Pseudonymiser: make one with New")

// New reads the live secrets of the scope's tenant and derives their keys, once.
// New tokens are made with the highest version. Secrets that are added or
// destroyed later have no effect on the Pseudonymiser: make a new one then, and
// drop the old one, which holds keys.
//
// The error wraps [ErrScope] or [ErrOption], or is a [*StoreError], which wraps
// [ErrUnknown] if the tenant has no secret and [ErrDestroyed] if it has none left.
func New(ctx context.Context, store SecretStore, s Scope, opts ...Option) (*Pseudonymiser, error) {
	c, err := configured(s, opts)
	if err != nil {
		return nil, err
	}
	p := &Pseudonymiser{idLength: c.idLength, scope: &s}
	err = eachSecret(ctx, store, s.Tenant, func(secret Secret, version uint32) error {
		k, err := newKey(secret.b.p, s, version)
		p.keys = append(p.keys, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// configured applies options and refuses what no pseudonymiser can have.
func configured(s Scope, opts []Option) (config, error) {
	c := config{idLength: DefaultIDLength}
	for _, o := range opts {
		if o != nil {
			o.apply(&c)
		}
	}
	if err := s.check(); err != nil {
		return c, err
	}
	if c.idLength < MinIDLength || c.idLength > MaxIDLength {
		return c, &fault{ErrOption, "id length: must be " + strconv.Itoa(MinIDLength) + " to " + strconv.Itoa(MaxIDLength) + " bytes", nil}
	}
	return c, nil
}

// eachSecret calls use with every live secret of a tenant, newest first, and at
// least once if it returns nil.
func eachSecret(ctx context.Context, store SecretStore, tenant string, use func(Secret, uint32) error) error {
	if store == nil {
		return &fault{ErrOption, "no secret store: there is no pseudonym without a secret", nil}
	}
	versions, err := store.Versions(ctx, tenant)
	if err != nil {
		return &StoreError{Err: err}
	}
	// The order and the slice are the store's business.
	versions = slices.Compact(slices.Sorted(slices.Values(versions)))
	slices.Reverse(versions)
	switch {
	case len(versions) == 0:
		return &StoreError{Err: ErrUnknown}
	case len(versions) > maxVersions:
		return &fault{ErrOption, "more than " + strconv.Itoa(maxVersions) + " live versions: destroy those that no stored token needs", nil}
	case versions[len(versions)-1] == 0:
		return &fault{ErrScope, "version: the store lists 0, versions count from 1", nil}
	}
	used := false
	gone := ErrDestroyed
	for _, v := range versions {
		secret, err := store.Secret(ctx, tenant, v)
		if errors.Is(err, ErrDestroyed) || errors.Is(err, ErrPending) {
			gone = err
			continue // since the list was read
		}
		if err == nil && secret.b == nil {
			err = ErrSecret
		}
		if err == nil {
			err = use(secret, v)
		}
		if err != nil {
			return &StoreError{Version: v, Err: err}
		}
		used = true
	}
	if !used {
		return &StoreError{Err: gone}
	}
	return nil
}

// Append appends the text of the value's token to dst and returns the result. It
// does not allocate if dst has room (48 bytes are enough for the default length,
// 63 for any). If the value is refused, it returns dst as it was and a
// [*ValueError].
func (p *Pseudonymiser) Append(dst []byte, v Value) ([]byte, error) {
	if len(p.keys) == 0 {
		return dst, errNotMade
	}
	k := p.keys[0]
	st, code := k.take(&v)
	if code != 0 {
		k.pool.Put(st)
		return dst, &ValueError{Type: v.typ, Code: code}
	}
	dst = append(dst, k.prefix...)
	dst = appendBase32(dst, st.sum[:p.idLength])
	k.pool.Put(st)
	return dst, nil
}

// Token returns the token of the value under the newest version. It does not
// allocate. The error is a [*ValueError] if the value is refused.
func (p *Pseudonymiser) Token(v Value) (Token, error) {
	if len(p.keys) == 0 {
		return Token{}, errNotMade
	}
	return p.token(p.keys[0], &v)
}

func (p *Pseudonymiser) token(k *key, v *Value) (Token, error) {
	st, code := k.take(v)
	defer k.pool.Put(st)
	if code != 0 {
		return Token{}, &ValueError{Type: v.typ, Code: code}
	}
	t := Token{suite: k.suite, version: k.version, n: uint8(p.idLength)}
	copy(t.id[:p.idLength], st.sum[:])
	return t, nil
}

// UUID returns the pseudonym of the value under the newest version as a UUID. It
// does not allocate. The error is a [*ValueError] if the value is refused.
func (p *Pseudonymiser) UUID(v Value) (UUIDv8, error) {
	if len(p.keys) == 0 {
		return UUIDv8{}, errNotMade
	}
	k := p.keys[0]
	st, code := k.take(&v)
	defer k.pool.Put(st)
	if code != 0 {
		return UUIDv8{}, &ValueError{Type: v.typ, Code: code}
	}
	return uuidOf(&st.sum), nil
}

func uuidOf(mac *[32]byte) UUIDv8 {
	u := UUIDv8(mac[:16])
	u[6] = u[6]&0x0f | 0x80 // version 8
	u[8] = u[8]&0x3f | 0x80 // variant 10
	return u
}

// Candidates returns the tokens of the value under all live versions, newest
// first: look a person up under each of them while older tokens are still stored.
// The error is a [*ValueError] if the value is refused.
func (p *Pseudonymiser) Candidates(v Value) ([]Token, error) {
	if len(p.keys) == 0 {
		return nil, errNotMade
	}
	ts := make([]Token, len(p.keys))
	for i, k := range p.keys {
		var err error
		if ts[i], err = p.token(k, &v); err != nil {
			return nil, err
		}
	}
	return ts, nil
}

// Class returns [Linkable]: while a Pseudonymiser exists, so does a key with which
// its tokens can be led back by guessing. Tokens become more than that only when
// every secret they were made with is destroyed and the data beside them was
// checked.
func (p *Pseudonymiser) Class() Linkability { return Linkable }
