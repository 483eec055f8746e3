// Package signature signs bundles with Ed25519 and pins the keys that a guard accepts.
//
// Who releases a policy signs it with [Sign], or with privet compile --sign. Who runs
// it opens it with [Pin]:
//
//	guard, err := privacy.Open(bundle, signature.Pin(release), privacy.WithMinimumVersion("acme-orders", 3))
//
// A signature is made over these bytes: 70 72 69 76 65 74 20 62 75 6e 64 6c 65 20 76
// 31 00 ("privet bundle v1" and a zero byte), then the 32 bytes of the bundle's
// fingerprint. The text keeps a signature of anything else from being taken for one
// of a bundle. The fingerprint is the SHA-256 of all of the policy: format, profile,
// name, version and everything that it says.
//
// The fingerprint of a policy is the same whether it is signed, by whom, or not at
// all: it names what is decided. Every reader that pins no key reads a signed bundle
// like another one.
//
// The package stands apart from privacy so that programs that check no signatures,
// such as the WebAssembly guest, hold no code for them.
package signature

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/privetdev/privet/privacy"
)

const context = "privet bundle v1\x00"

// ErrSigner says that a key cannot sign bundles: it is not a whole Ed25519 key, or
// what it gives is not its signature.
var ErrSigner = errors.New("signature: not an Ed25519 private key that signs; make one with: privet keygen")

var errNoBundle = errors.New("signature: no bundle; make one with policy.CompileFile or privacy.ReadBundle")

// Sign returns the bundle with a signature, in place of one that it may have. The key
// is an [ed25519.PrivateKey], or a signer that keeps its key elsewhere. The same
// bundle and key give the same bytes. The error is [ErrSigner], or the signer's own.
func Sign(b *privacy.Bundle, key crypto.Signer) (*privacy.Bundle, error) {
	if b == nil {
		return nil, errNoBundle
	}
	if k, ok := key.(ed25519.PrivateKey); ok && len(k) != ed25519.PrivateKeySize || key == nil {
		return nil, ErrSigner
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok || len(pub) != ed25519.PublicKeySize {
		return nil, ErrSigner
	}
	// An Ed25519 signature needs no randomness.
	value, err := key.Sign(nil, message(b), crypto.Hash(0))
	if err != nil {
		return nil, err
	}
	if !ed25519.Verify(pub, message(b), value) {
		return nil, ErrSigner
	}
	return b.WithSignature(privacy.Signature{Key: [32]byte(pub), Value: [64]byte(value)}), nil
}

// message is what is signed.
func message(b *privacy.Bundle) []byte {
	fingerprint, _ := hex.DecodeString(b.Info().Fingerprint) // which is hex always
	return append([]byte(context), fingerprint...)
}

// By is the public key that the bundle names as its signer, nil if it is not signed.
// Anyone can write any key there: it is [Verify] with keys that you have from
// elsewhere that tells whether to believe it.
func By(b *privacy.Bundle) ed25519.PublicKey {
	s, ok := b.Signature()
	if !ok {
		return nil
	}
	return s.Key[:]
}

// KeyID names a public key for people; see [privacy.Signature.KeyID]. It is "" for
// what is no whole key.
func KeyID(key ed25519.PublicKey) string {
	if len(key) != ed25519.PublicKeySize {
		return ""
	}
	return privacy.Signature{Key: [32]byte(key)}.KeyID()
}

// Verify checks that one of the keys has signed the bundle. Without keys nothing is
// accepted. The error is a [*privacy.RefusedError] that wraps [privacy.ErrUnsigned],
// [privacy.ErrOtherKey] or [privacy.ErrSignature].
func Verify(b *privacy.Bundle, keys ...ed25519.PublicKey) error {
	if b == nil {
		return errNoBundle
	}
	refused := &privacy.RefusedError{Policy: b.Info()}
	s, ok := b.Signature()
	if !ok {
		refused.Err = privacy.ErrUnsigned
		return refused
	}
	refused.Key = s.KeyID()
	switch {
	case !slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return bytes.Equal(k, s.Key[:]) }):
		refused.Err = privacy.ErrOtherKey
	case !ed25519.Verify(s.Key[:], message(b), s.Value[:]):
		refused.Err = privacy.ErrSignature
	default:
		return nil
	}
	return refused
}

// Pin makes a guard accept only what one of the keys has signed: [privacy.Open]
// refuses every other bundle, and so does [privacy.Guard.Swap]. Several keys let an
// old and a new one overlap while they are rotated. Given without keys it refuses
// every bundle, so that an empty list from a configuration is not mistaken for no
// list. Keys are copied.
func Pin(keys ...ed25519.PublicKey) privacy.Option {
	pinned := make([]ed25519.PublicKey, len(keys))
	for i, k := range keys {
		pinned[i] = slices.Clone(k)
	}
	return privacy.WithCheck(func(b *privacy.Bundle) error { return Verify(b, pinned...) })
}
