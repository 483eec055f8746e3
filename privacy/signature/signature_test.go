package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/signature"
)

// revise is the policy of a bundle under another version, unsigned.
func revise(t testing.TB, b *privacy.Bundle, version uint64) *privacy.Bundle {
	t.Helper()
	inside, err := bundle.Decode(b.Bytes())
	require.NoError(t, err)
	inside.Version = version
	data, err := inside.Encode()
	require.NoError(t, err)
	out, err := privacy.ReadBundle(data)
	require.NoError(t, err)
	return out
}

// signer is a key that is no secret.
func signer(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// golden is a signed bundle of a small policy, made once by signer(1). It must open
// and verify in every later version.
const golden = "testdata/signed.bundle"

func goldenBundle(t testing.TB) *privacy.Bundle {
	t.Helper()
	data, err := os.ReadFile(golden)
	require.NoError(t, err)
	b, err := privacy.ReadBundle(data)
	require.NoError(t, err)
	return b
}

// The signature that is kept in the tree is checked here from its description alone:
// places in the file, a context, a fingerprint.
func TestGoldenSignature(t *testing.T) {
	b := goldenBundle(t)
	data := b.Bytes()
	const head, tail = 16, 32 + 64 + 32
	content := data[head : len(data)-tail]
	sum := sha256.Sum256(content[:len(content)-32])
	assert.Equal(t, sum[:], content[len(content)-32:])
	key, value := ed25519.PublicKey(data[len(data)-tail:len(data)-96]), data[len(data)-96:len(data)-32]
	assert.Equal(t, "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c", hexOf(key), "the public key of the seed 01…01, as other programs make it")
	assert.True(t, ed25519.Verify(key, append([]byte("privet bundle v1\x00"), sum[:]...), value))

	assert.Equal(t, privacy.PolicyInfo{Name: "signed", Version: 3, Fingerprint: hexOf(sum[:])}, b.Info())
	require.NoError(t, signature.Verify(b, public(signer(1))))
	unsigned, err := privacy.ReadBundle(content)
	require.NoError(t, err, "what is inside is a bundle by itself")
	assert.Equal(t, b.Info(), unsigned.Info(), "signed or not, one fingerprint")
	again, err := signature.Sign(unsigned, signer(1))
	require.NoError(t, err)
	assert.Equal(t, data, again.Bytes(), "the same content and key, the same bytes")
	other, err := signature.Sign(b, signer(2))
	require.NoError(t, err)
	assert.Equal(t, b.Info(), other.Info())
	assert.Equal(t, public(signer(2)), signature.By(other), "a signature takes the place of the one before")
	assert.Len(t, other.Bytes(), len(data))
	assert.Equal(t, public(signer(1)), signature.By(b), "and leaves the bundle as it was")
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// Who is let in by which options.
func TestPinnedKeys(t *testing.T) {
	signed := goldenBundle(t)
	unsigned := revise(t, signed, 3)
	require.Nil(t, signature.By(unsigned))
	require.Equal(t, signed.Info(), unsigned.Info())
	byOther, err := signature.Sign(unsigned, signer(2))
	require.NoError(t, err)
	one, two := public(signer(1)), public(signer(2))
	pin := signature.Pin
	least := privacy.WithMinimumVersion
	for _, tt := range []struct {
		name   string
		bundle *privacy.Bundle
		opts   []privacy.Option
		want   error
		reason string
	}{
		{"unsigned, no pin", unsigned, nil, nil, "signing is a choice"},
		{"signed, no pin", signed, nil, nil, "readable without any key"},
		{"signed, its key", signed, []privacy.Option{pin(one)}, nil, "what pinning is for"},
		{"signed, one of two keys", signed, []privacy.Option{pin(two, one)}, nil, "keys overlap while they are rotated"},
		{"unsigned, pinned", unsigned, []privacy.Option{pin(one)}, privacy.ErrUnsigned, "taking the signature off gains nothing"},
		{"other key", byOther, []privacy.Option{pin(one)}, privacy.ErrOtherKey, "anyone can sign"},
		{"last pin wins", byOther, []privacy.Option{pin(one), pin(two)}, nil, "options apply in order; the last one wins"},
		{"no keys", signed, []privacy.Option{pin()}, privacy.ErrOtherKey, "an empty list is not no list"},
		{"half a key", signed, []privacy.Option{pin(one[:31], nil)}, privacy.ErrOtherKey, "a key is compared whole"},
		{"lowest version", signed, []privacy.Option{least("signed", 3)}, nil, "not below"},
		{"older", signed, []privacy.Option{least("signed", 4)}, privacy.ErrDowngrade, "below"},
		{"other name", signed, []privacy.Option{least("another", 0)}, privacy.ErrOtherPolicy, "versions of two names do not compare"},
		{"older and unsigned", unsigned, []privacy.Option{least("signed", 4), pin(one)}, privacy.ErrUnsigned, "the signature comes first"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := privacy.Open(tt.bundle, tt.opts...)
			if tt.want == nil {
				require.NoError(t, err, tt.reason)
				assert.Equal(t, signed.Info(), g.Policy())
				return
			}
			require.ErrorIs(t, err, tt.want, tt.reason)
			var refused *privacy.RefusedError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "signed", refused.Policy.Name)
			assert.Contains(t, err.Error(), `privacy: the policy "signed" version 3 was refused: `)
		})
	}
	_, err = privacy.Open(signed, least("signed", 12))
	require.EqualError(t, err, `privacy: the policy "signed" version 3 was refused: it is older than version 12; to go back, compile the old text with a higher version`)
	_, err = privacy.Open(byOther, pin(one))
	require.ErrorContains(t, err, signature.KeyID(two))
	assert.Regexp(t, "^[0-9a-f]{32}$", signature.KeyID(two))
	assert.NotEqual(t, signature.KeyID(one), signature.KeyID(two))
	assert.Empty(t, signature.KeyID(two[:31]), "no key")
	require.Error(t, signature.Verify(nil, one))
	_, err = signature.Sign(nil, signer(1))
	require.Error(t, err)
}

// Pinned keys stay what they were, whatever becomes of the caller's memory.
func TestPinsAreCopied(t *testing.T) {
	key := public(signer(2))
	pin := signature.Pin(key)
	copy(key, public(signer(1)))
	_, err := privacy.Open(goldenBundle(t), pin)
	require.ErrorIs(t, err, privacy.ErrOtherKey)
	got := signature.By(goldenBundle(t))
	clear(got)
	require.NoError(t, signature.Verify(goldenBundle(t), public(signer(1))))
}

// No byte of a signed bundle can be changed without being noticed: by everyone in
// passing, and by who pins a key also if the checksums were made right again.
func TestEveryByteIsCovered(t *testing.T) {
	data := goldenBundle(t).Bytes()
	pin := signature.Pin(public(signer(1)))
	const head, tail = 16, 32 + 64 + 32
	for i := range data {
		for _, flip := range []byte{1, 0x80} {
			bad := bytes.Clone(data)
			bad[i] ^= flip
			_, err := privacy.ReadBundle(bad)
			require.Error(t, err, "byte %d", i)

			// Somebody who knows the format mends both checksums.
			content := bad[head : len(bad)-tail]
			if i >= head && i < len(bad)-tail-32 {
				sum := sha256.Sum256(content[:len(content)-32])
				copy(content[len(content)-32:], sum[:])
			}
			sum := sha256.Sum256(bad[:len(bad)-32])
			if copy(bad[len(bad)-32:], sum[:]); bytes.Equal(bad, data) {
				continue // the checksum itself was flipped, and is right again
			}
			b, err := privacy.ReadBundle(bad)
			if err != nil {
				continue // no bundle any more
			}
			g, err := privacy.Open(b, pin)
			require.Nil(t, g, "byte %d", i)
			if i >= len(bad)-tail && i < len(bad)-tail+32 {
				require.ErrorIs(t, err, privacy.ErrOtherKey, "byte %d is of the key", i)
				continue
			}
			require.ErrorIs(t, err, privacy.ErrSignature, "byte %d", i)
		}
	}
}

// A signature cannot be moved: not to another policy, not under another key's name.
func TestSignaturesDoNotMove(t *testing.T) {
	from := goldenBundle(t).Bytes()
	to, err := signature.Sign(revise(t, goldenBundle(t), 4), signer(1))
	require.NoError(t, err)
	moved := to.Bytes()
	const tail = 32 + 64 + 32
	require.Len(t, moved, len(from))
	copy(moved[len(moved)-tail:], from[len(from)-tail:len(from)-32])
	sum := sha256.Sum256(moved[:len(moved)-32])
	copy(moved[len(moved)-32:], sum[:])
	b, err := privacy.ReadBundle(moved)
	require.NoError(t, err)
	require.ErrorIs(t, signature.Verify(b, public(signer(1))), privacy.ErrSignature, "a version is part of what is signed")

	named := goldenBundle(t).Bytes()
	copy(named[len(named)-tail:], public(signer(2)))
	sum = sha256.Sum256(named[:len(named)-32])
	copy(named[len(named)-32:], sum[:])
	b, err = privacy.ReadBundle(named)
	require.NoError(t, err)
	require.ErrorIs(t, signature.Verify(b, public(signer(2))), privacy.ErrSignature)
}

type remote struct {
	key  crypto.PublicKey
	sign func(message []byte) ([]byte, error)
}

func (r remote) Public() crypto.PublicKey { return r.key }
func (r remote) Sign(_ io.Reader, m []byte, _ crypto.SignerOpts) ([]byte, error) {
	return r.sign(m)
}

// Keys that live elsewhere sign as well, and what does not sign is said.
func TestSigners(t *testing.T) {
	b := goldenBundle(t)
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	away := errors.New("the key store is away")
	key := signer(1)
	for _, tt := range []struct {
		name   string
		key    crypto.Signer
		want   error
		reason string
	}{
		{"a key", key, nil, "the usual case"},
		{"a key elsewhere", remote{public(key), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil }}, nil, "it never leaves its store"},
		{"none", nil, signature.ErrSigner, "no key"},
		{"half a key", key[:40], signature.ErrSigner, "cut short"},
		{"another kind", elliptic, signature.ErrSigner, "not Ed25519"},
		{"half a public key", remote{public(key)[:5], nil}, signature.ErrSigner, "cut short"},
		{"a store that is away", remote{public(key), func([]byte) ([]byte, error) { return nil, away }}, away, "its own error is handed on"},
		{"a store that signs wrongly", remote{public(key), func([]byte) ([]byte, error) { return make([]byte, 64), nil }}, signature.ErrSigner, "nobody could verify it"},
		{"half a signature", remote{public(key), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m)[:40], nil }}, signature.ErrSigner, "nobody could verify it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			signed, err := signature.Sign(b, tt.key)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want, tt.reason)
				return
			}
			require.NoError(t, err, tt.reason)
			assert.Equal(t, b.Bytes(), signed.Bytes())
		})
	}
}

// A bundle that nobody has vouched for may call itself anything; an error shows it
// harmlessly.
func TestRefusedNames(t *testing.T) {
	e := &privacy.RefusedError{Policy: privacy.PolicyInfo{Name: "a\nb\x1b[31m" + string(bytes.Repeat([]byte{'x'}, 1000))}, Err: privacy.ErrUnsigned}
	assert.NotContains(t, e.Error(), "\n")
	assert.NotContains(t, e.Error(), "\x1b")
	assert.Less(t, len(e.Error()), 400)
}

// No error shows anything of a key, or of what a bundle says besides its name.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	b := goldenBundle(t)
	inside, err := bundle.Decode(b.Bytes())
	require.NoError(t, err)
	for i := range inside.Sources {
		inside.Sources[i].Title = canary
	}
	data, err := inside.Encode()
	require.NoError(t, err)
	unsigned, err := privacy.ReadBundle(data)
	require.NoError(t, err)
	key := ed25519.NewKeyFromSeed(append([]byte(canary), make([]byte, ed25519.SeedSize-len(canary))...))
	signed, err := signature.Sign(unsigned, key)
	require.NoError(t, err)
	wrong, ok := signed.Signature()
	require.True(t, ok)
	copy(wrong.Value[:], canary)
	opened, err := privacy.Open(unsigned)
	require.NoError(t, err)
	_, errKey := signature.Sign(unsigned, key[:len(canary)])
	for _, err := range []error{
		errKey, signature.Verify(unsigned, public(key)), signature.Verify(signed, public(signer(1))), signature.Verify(signed.WithSignature(wrong), public(key)),
		opened.Swap(revise(t, signed, 1)), opened.Swap(b),
	} {
		require.Error(t, err)
		for _, shown := range []string{err.Error(), fmt.Sprintf("%v %+v %q", err, err, err)} {
			assert.NotContains(t, shown, "canary")
			assert.NotContains(t, shown, hexOf([]byte(canary)))
		}
	}
}
