package pseudonym

import (
	"context"
	"crypto/subtle"
	"slices"
	"time"
)

// Retoken returns the token of the value under the newest version in place of an old
// one, after the secret was rotated. The value must be there in the clear, because
// tokens are one-way: nothing turns an old token into a new one. It is checked that
// the old token is really the value's; of a value that may not be kept, plan for both
// versions to stay alive for as long as records must still join.
//
// Records that keep the old token join no more with new ones once the old secret is
// destroyed. The error is a [*ValueError] if the value is refused, or wraps
// [ErrMismatch] if the token is another value's or another scope's, [ErrUnknown] if its
// version is not live here, or [ErrToken] if it is of another construction.
func (p *Pseudonymiser) Retoken(old Token, v Value) (Token, error) {
	if len(p.keys) == 0 {
		return Token{}, errNotMade
	}
	if old.suite != p.keys[0].suite {
		return Token{}, &fault{ErrToken, "of another construction: a p1 token comes from New, an s1 token from Subjects", nil}
	}
	i := slices.IndexFunc(p.keys, func(k *key) bool { return k.version == old.version })
	if i < 0 {
		return Token{}, &fault{ErrUnknown, "its version is not live here", nil}
	}
	was, err := p.token(p.keys[i], &v)
	if err != nil {
		return Token{}, err
	}
	// A token of another length is recognised by what both have.
	n := min(was.n, old.n)
	if subtle.ConstantTimeCompare(was.id[:n], old.id[:n]) != 1 {
		return Token{}, ErrMismatch
	}
	return p.token(p.keys[0], &v)
}

// A Permission says why tokens of two scopes may be joined. It is a decision that
// was made elsewhere, by a person or by a consent check, and never the default.
type Permission struct {
	// Basis names the decision, such as the id of a consent record.
	Basis string

	Actor, Reason string    // who relinks and what for; must not name the persons concerned
	At            time.Time // when, as the caller's clock has it
	Expires       time.Time // not from then on; zero if the decision names no end
}

// A Relinking is the record of a crossing between two scopes. It holds no key and no
// value.
type Relinking struct {
	From, To     Scope
	FromVersions []uint32 // live versions of the old scope, newest first
	ToVersion    uint32
	Permission   Permission
}

// A Link is one person's pseudonyms on both sides.
type Link struct {
	From []Token // under all live versions, newest first
	To   Token
}

// A Relinker makes the links between two scopes. Make it with [Relink]; the zero
// Relinker links nothing. It is immutable and safe for concurrent use.
type Relinker struct {
	from, to *Pseudonymiser
}

// Relink opens a crossing from one purpose or category of a tenant to another, which
// tokens by themselves never allow. It takes the Pseudonymisers of both sides, that is
// both secrets (and one person on both sides, if the tokens are s1), a permission, and
// audit, which must have stored the record when it returns nil: without it there is no
// crossing. Who keeps the links keeps data of both purposes together, with the stricter
// rules of the two.
//
// The error wraps [ErrPermission] if the permission says nothing, or has expired by its
// own time, [ErrScope] if both sides are one scope or are of different tenants, which
// are never linked, or is what audit returned.
func Relink(ctx context.Context, from, to *Pseudonymiser, permission Permission, audit func(context.Context, Relinking) error) (*Relinker, error) {
	if from == nil || to == nil || len(from.keys) == 0 || len(to.keys) == 0 {
		return nil, errNotMade
	}
	switch {
	case permission.Basis == "" || permission.Actor == "" || permission.Reason == "" || permission.At.IsZero():
		return nil, &fault{ErrPermission, "basis, actor, reason and time must all be given", nil}
	case !permission.Expires.IsZero() && !permission.At.Before(permission.Expires):
		return nil, &fault{ErrPermission, "it has expired: ask for a new decision", nil}
	case audit == nil:
		return nil, &fault{ErrPermission, "no audit: a crossing without a record is not made", nil}
	case from.scope.Tenant != to.scope.Tenant:
		return nil, &fault{ErrScope, "tenants differ: data of two tenants is never linked", nil}
	case *from.scope == *to.scope:
		return nil, &fault{ErrScope, "both sides are one scope: tokens in it join as they are, see Retoken for a new version", nil}
	}
	record := Relinking{From: *from.scope, To: *to.scope, ToVersion: to.keys[0].version, Permission: permission}
	for _, k := range from.keys {
		record.FromVersions = append(record.FromVersions, k.version)
	}
	if err := audit(ctx, record); err != nil {
		return nil, err
	}
	return &Relinker{from, to}, nil
}

// Link returns the tokens of a value on both sides. The value must be there in the
// clear: nothing leads from one token to the other. The error is a [*ValueError] if
// the value is refused.
func (r *Relinker) Link(v Value) (Link, error) {
	if r.from == nil {
		return Link{}, errNotMade
	}
	from, err := r.from.Candidates(v)
	if err != nil {
		return Link{}, err
	}
	to, err := r.to.Token(v)
	return Link{from, to}, err
}
