package pseudonym

import (
	"context"
	"io"
	"strconv"
	"time"
)

// Destruction says when, by whom and why a secret was destroyed, or shall be.
type Destruction struct {
	At            time.Time // as the caller's clock has it; no clock is read here
	Actor, Reason string    // for the record; must not name the persons concerned

	// Copies is when the last copy outside the store is gone, such as a backup
	// with a period of its own. Until then the destruction is not complete. Zero
	// if there are no copies.
	Copies time.Time
}

// A Check tells one secret from another without giving it away: 8 bytes of
// HKDF-SHA256 (RFC 5869) of the secret under a label that nothing else uses. It is
// kept when the secret is destroyed, so that a secret found later in a backup can
// be recognised as the one that should not be there. It may be printed.
type Check [8]byte

// String returns 16 hexadecimal digits.
func (c Check) String() string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, 2*len(c))
	for _, x := range c {
		b = append(b, hex[x>>4], hex[x&15])
	}
	return string(b)
}

// Check returns the check value of a secret as that of a tenant and version:
//
//	HKDF-SHA256(secret, salt: none, "privacy/pseudonym/v1/kcv" 00 || lp(tenant) || lp("") || lp("") || uint32(version), 8 bytes)
//
// It returns zeros for the zero Secret.
func (s Secret) Check(tenant string, version uint32) Check {
	return s.check(Scope{Tenant: tenant}, version)
}

func (s Secret) check(scope Scope, version uint32) (c Check) {
	if s.b == nil {
		return Check{}
	}
	b, err := deriveKey(s.b.p, labelCheck, scope, version, len(c))
	if err != nil {
		return Check{} // 8 bytes are always to be had
	}
	copy(c[:], b)
	return c
}

// State is what became of a secret. The zero value is [StateUnknown].
type State uint8

const (
	StateUnknown   State = iota // there never was one
	StateLive                   // in use: tokens of it can be made
	StatePending                // out of use until its destruction, which can be called off
	StateDestroyed              // gone, with a tombstone

	// StateMissing is that of a secret that was made and is not there: an older
	// copy of the store was put back. Its tokens cannot be made, and whether
	// anybody has the secret is not known.
	StateMissing
)

// String returns the name in lower case, or "invalid".
func (s State) String() string {
	switch s {
	case StateUnknown:
		return "unknown"
	case StateLive:
		return "live"
	case StatePending:
		return "pending"
	case StateDestroyed:
		return "destroyed"
	case StateMissing:
		return "missing"
	}
	return "invalid"
}

// A Status is what a store tells about the secret of one version. Of a destroyed
// one it is the tombstone. It holds no key and may be printed.
type Status struct {
	Tenant  string
	Version uint32
	State   State
	Check   Check

	// Until is when a pending secret may be destroyed; zero in another state.
	Until time.Time

	// Destruction is that of a destroyed secret, or the planned one of a pending
	// secret; zero of a live one.
	Destruction Destruction
}

// Complete reports whether nobody can lead tokens of the secret back any more:
// it is destroyed, and at now so are the copies outside the store. A pending
// secret still exists: its tokens are [Linkable].
func (s Status) Complete(now time.Time) bool {
	return s.State == StateDestroyed && !now.Before(s.Destruction.Copies)
}

// A Target is what a destruction is about: a version of a tenant, or a subject of
// it.
type Target struct {
	Tenant  string
	Version uint32 // 0 for a subject
	Subject Token  // index token of the subject; the zero Token for a version
}

// Holds tells whether a hold, such as an order of a court, forbids to destroy the
// target, and by which reference. If it returns an error nothing is destroyed
// either. It may be called with locks held and must not call the store.
type Holds func(ctx context.Context, t Target) (by string, held bool, err error)

// A HeldError reports a destruction that a hold forbids, or about which the holds
// could not be asked. It wraps [ErrHeld].
type HeldError struct {
	Target Target
	By     string // reference of the hold as Holds gave it; not part of the text
	Err    error  // why the holds could not be asked; nil if there is one
}

func (e *HeldError) Error() string {
	what := "pseudonym: destruction refused: "
	if e.Target.Version != 0 {
		what = "pseudonym: destruction of version " + strconv.FormatUint(uint64(e.Target.Version), 10) + " refused: "
	}
	if e.Err != nil {
		return what + "the holds could not be asked: unwrap this error for the cause"
	}
	return what + "a hold covers it: wait until it is lifted"
}

// Unwrap returns [ErrHeld] and the cause, if there is one.
func (e *HeldError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrHeld}
	}
	return []error{ErrHeld, e.Err}
}

// Ask returns a [*HeldError] if the holds forbid to destroy the target. Nil Holds
// forbid nothing. It is for stores.
func (h Holds) Ask(ctx context.Context, t Target) error {
	if h == nil {
		return nil
	}
	switch by, held, err := h(ctx, t); {
	case err != nil:
		return &HeldError{Target: t, Err: err}
	case held:
		return &HeldError{Target: t, By: by}
	}
	return nil
}

// A Keeper is a [SecretStore] that also makes and destroys secrets, as [Memory] and
// the encrypted file of package secretfile do.
type Keeper interface {
	SecretStore

	// Make makes a secret from 32 bytes of random under a version of the caller's
	// choice. The error wraps [ErrExists] if the version has a secret and
	// [ErrDestroyed] or [ErrPending] if it had one.
	Make(ctx context.Context, tenant string, version uint32, random io.Reader) error

	// Destroy forgets a secret and leaves a tombstone. Destroying it once more
	// keeps the first one. The error wraps [ErrUnknown] if there never was such a
	// secret and [ErrHeld] if a hold forbids it.
	Destroy(ctx context.Context, tenant string, version uint32, d Destruction) error
}
