package privacy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/privetdev/privet/internal/bundle"
)

// Why [Open] and [Guard.Swap] refuse a whole bundle; the error is a [*RefusedError]
// that wraps one of them. The first three come from package privacy/signature, where
// keys are pinned.
var (
	ErrUnsigned    = errors.New("it carries no signature, and a key is pinned")
	ErrOtherKey    = errors.New("it is signed by a key that is not pinned")
	ErrSignature   = errors.New("its signature is wrong: it was not made by that key over this policy")
	ErrOtherPolicy = errors.New("it is another policy")
	ErrDowngrade   = errors.New("it is older")
	ErrSameVersion = errors.New("it says something else under the same version")
)

// A RefusedError says why a whole bundle was not accepted. Nothing has changed then:
// a guard goes on with the policy that it has.
type RefusedError struct {
	Policy PolicyInfo // what was offered; as long as no signature was checked, what it claims to be
	Wanted PolicyInfo // what it was measured by, for ErrOtherPolicy, ErrDowngrade and ErrSameVersion
	Key    string     // id of the key that it names, see [Signature.KeyID]; empty: it is not signed
	Err    error      // ErrUnsigned, ErrOtherKey, ErrSignature, ErrOtherPolicy, ErrDowngrade or ErrSameVersion
}

// Error is one line: which policy, why, and how to mend it.
func (e *RefusedError) Error() string {
	text := "privacy: the policy " + shown(e.Policy.Name) + " version " + strconv.FormatUint(e.Policy.Version, 10) + " was refused: " + e.Err.Error()
	switch e.Err {
	case ErrUnsigned:
		return text + "; sign it with: privet compile --sign"
	case ErrOtherKey:
		return text + " (" + e.Key + "); pin that key too if you trust it, or sign the policy with a pinned one"
	case ErrSignature:
		return text + " (" + e.Key + "); fetch it again, and ask who sent it"
	case ErrOtherPolicy:
		return text + " than " + shown(e.Wanted.Name) + "; open a guard of its own for it"
	case ErrDowngrade:
		return text + " than version " + strconv.FormatUint(e.Wanted.Version, 10) + "; to go back, compile the old text with a higher version"
	case ErrSameVersion:
		return text + "; raise the version whenever the policy changes"
	}
	return text
}

// shown is the name of a policy as a line of a log may hold it: a bundle that was
// refused may call itself anything.
func shown(name string) string {
	const longest = 100
	if len(name) > longest {
		return strconv.QuoteToASCII(name[:longest]) + "…"
	}
	return strconv.QuoteToASCII(name)
}

// Unwrap gives the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// A Signature is what a signed bundle carries. Package privacy/signature makes and
// checks it; this package only hands it on, so that a program that pins no key holds
// no code for signatures.
type Signature struct {
	Key   [32]byte // public key that the bundle names as its signer; anyone can write any key there
	Value [64]byte
}

// KeyID names the public key for people: the first half of its SHA-256, 32 hex
// digits. Whether a bundle is accepted is decided by whole keys, never by their ids.
func (s Signature) KeyID() string {
	sum := sha256.Sum256(s.Key[:])
	return hex.EncodeToString(sum[:16])
}

// Signature is the signature that the bundle carries; false if it has none. Nobody
// has checked it.
func (b *Bundle) Signature() (Signature, bool) {
	if b.signature == nil {
		return Signature{}, false
	}
	return Signature(*b.signature), true
}

// WithSignature returns the bundle with a signature, in place of one that it may
// have. It changes [Bundle.Bytes] and not the fingerprint, which names what is
// decided and not who vouches for it.
func (b *Bundle) WithSignature(s Signature) *Bundle {
	carried := bundle.Signature(s)
	return &Bundle{data: bundle.Seal(b.content, &carried), content: b.content, signature: &carried, b: b.b}
}

func (b *Bundle) refused(why error, wanted PolicyInfo) error {
	e := &RefusedError{Policy: b.Info(), Wanted: wanted, Err: why}
	if b.signature != nil {
		e.Key = Signature(*b.signature).KeyID()
	}
	return e
}

// WithCheck refuses every bundle for which check returns an error: when the guard is
// opened, and in each [Guard.Swap]. It is how package privacy/signature pins keys.
// What check returns is returned as it is.
func WithCheck(check func(*Bundle) error) Option {
	return optionFunc(func(g *Guard) { g.check = check })
}

// WithMinimumVersion accepts the policy of one name only, and of it no version below
// the given one: a version means something within one name only. It keeps an old
// bundle, rightly signed in its day, from being put in place of the current one
// when a program starts; [Guard.Swap] never goes back by itself.
func WithMinimumVersion(name string, version uint64) Option {
	return optionFunc(func(g *Guard) {
		g.minimum = func(b *Bundle) error { return b.follows(PolicyInfo{Name: name, Version: version}) }
	})
}

// accepts tells whether the guard's options allow a bundle. The check comes first:
// what a signature does not cover is not looked at. Both are functions so that a
// program that uses neither, such as the WebAssembly guest, holds none of this.
func (g *Guard) accepts(b *Bundle) error {
	for _, check := range [...]func(*Bundle) error{g.check, g.minimum} {
		if check == nil {
			continue
		}
		if err := check(b); err != nil {
			return err
		}
	}
	return nil
}

// follows tells whether the bundle is of the same name and no older.
func (b *Bundle) follows(p PolicyInfo) error {
	switch {
	case b.b.Name != p.Name:
		return b.refused(ErrOtherPolicy, p)
	case b.b.Version < p.Version:
		return b.refused(ErrDowngrade, p)
	}
	return nil
}
