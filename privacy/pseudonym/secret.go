package pseudonym

import (
	"context"
	"fmt"
	"io"
	"strconv"
)

// SecretSize is the size of a secret in bytes.
const SecretSize = 32

// A Secret is the random value from which the keys of one tenant and version are
// derived. It never shows its bytes: not printed, not logged, not marshalled,
// and not when it sits in an unexported field of something that is.
//
// The zero Secret is no secret and is refused. Safe for concurrent use.
type Secret struct {
	// fmt follows one pointer to a struct; two keep the bytes out of its reach
	// where no method of ours is asked.
	b *secretBox
}

type secretBox struct{ p *[SecretSize]byte }

// NewSecret copies a secret of 32 random bytes. It refuses any other length, and
// 32 zero bytes, which is what a forgotten call to a random source leaves. The
// error wraps [ErrSecret].
//
// The bytes have to come from a cryptographic random source and to be stored, not
// derived from a password, a tenant's name or a master key: what can be derived
// again cannot be destroyed.
func NewSecret(b []byte) (Secret, error) {
	if len(b) != SecretSize {
		return Secret{}, &fault{ErrSecret, "length: needs exactly " + strconv.Itoa(SecretSize) + " random bytes", nil}
	}
	p := [SecretSize]byte(b)
	if p == [SecretSize]byte{} {
		return Secret{}, &fault{ErrSecret, "all bytes are zero: fill it from a random source", nil}
	}
	return Secret{&secretBox{&p}}, nil
}

const hiddenSecret = "pseudonym.Secret(REDACTED)"

// Format implements fmt.Formatter with a placeholder for every verb.
func (Secret) Format(s fmt.State, _ rune) { io.WriteString(s, hiddenSecret) }

// MarshalText implements encoding.TextMarshaler with the same placeholder, for
// encoding/json and log/slog. There is no LogValue, because importing log/slog
// for its type would bring encoding/json into every program.
func (Secret) MarshalText() ([]byte, error) { return []byte(hiddenSecret), nil }

// A SecretStore keeps the secrets of tenants, each under a version that counts
// from 1. Implementations must be safe for concurrent use.
//
// A store never makes a secret anew for a version that was destroyed, and never
// changes one that exists: both would change what stored tokens mean.
type SecretStore interface {
	// Secret returns one secret, an error wrapping [ErrDestroyed] if it was
	// destroyed, [ErrPending] if its destruction is planned, or [ErrUnknown] if
	// there never was one.
	Secret(ctx context.Context, tenant string, version uint32) (Secret, error)

	// Versions returns the live versions of a tenant, in any order: those for
	// which Secret gives a secret. If there is none, it returns an error wrapping
	// [ErrDestroyed] if all were destroyed, [ErrPending] if some are to be, and
	// [ErrUnknown] if there never was one.
	Versions(ctx context.Context, tenant string) ([]uint32, error)
}
