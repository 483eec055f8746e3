package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/keyfile"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/signature"
)

// keygen makes a key and gives the path of its private half.
func keygen(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "release.key")
	r := privet(t, "", "keygen", "--out", path)
	require.Equal(t, exitDone, r.code, r.err)
	return path
}

// signed is the small policy as a signed bundle.
func signed(t testing.TB, key string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.bundle")
	r := privet(t, "", "compile", smallPolicy, "-o", path, "--sign", key)
	require.Equal(t, exitDone, r.code, r.err)
	return path
}

func TestKeygen(t *testing.T) {
	path := keygen(t)
	requireOnly(t, filepath.Dir(path), "release.key", "release.key.pub")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.EqualValues(t, 0o600, info.Mode().Perm(), "nobody else reads it")
	}
	key, err := keyfile.Signer(path)
	require.NoError(t, err)
	public, err := keyfile.Public(path + ".pub")
	require.NoError(t, err)
	assert.Equal(t, []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, public)

	private, err := os.ReadFile(path)
	require.NoError(t, err)
	r := privet(t, "", "keygen", "--out", path)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "exists and is not written over; choose another name")
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, private, again)

	folder := t.TempDir()
	taken := filepath.Join(folder, "k")
	require.NoError(t, os.WriteFile(taken+".pub", []byte("mine"), 0o600))
	r = privet(t, "", "keygen", "-o", taken)
	assert.Equal(t, exitStop, r.code)
	requireOnly(t, folder, "k.pub")
	require.NoError(t, os.Symlink("nowhere", taken))
	r = privet(t, "", "keygen", "-o", taken)
	assert.Equal(t, exitStop, r.code, "a link to nothing is not followed")
	for _, args := range [][]string{{"keygen"}, {"keygen", "-o", "-"}} {
		assert.Contains(t, privet(t, "", args...).err, "where to?; name a file", args)
	}
	r = privet(t, "", "keygen", "-o", filepath.Join(folder, "none", "k"))
	assert.Contains(t, r.err, "there is no such file")
}

func TestCompileSigned(t *testing.T) {
	key := keygen(t)
	bundle := signed(t, key)
	data, err := os.ReadFile(bundle)
	require.NoError(t, err)
	b, err := privacy.ReadBundle(data)
	require.NoError(t, err)
	public, err := keyfile.Public(key + ".pub")
	require.NoError(t, err)
	require.NoError(t, signature.Verify(b, public...))
	r := privet(t, "", "compile", smallPolicy, "-o", "-", "--sign", key)
	assert.Equal(t, string(data), r.out, "the same text and key give the same bytes")
	assert.Contains(t, r.err, "signed by key "+signature.KeyID(public[0]))
	assert.Contains(t, r.err, "fingerprint "+b.Info().Fingerprint)
	plain := privet(t, "", "compile", smallPolicy, "-o", "-")
	assert.Contains(t, plain.err, "fingerprint "+b.Info().Fingerprint, "signed or not, one fingerprint")

	r = privet(t, "", "compile", smallPolicy, "--sign", key)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "--sign without --out signs nothing")
	text, err := os.ReadFile(smallPolicy)
	require.NoError(t, err)
	none := file(t, "policy.yaml", strings.Replace(string(text), "version: 7\n", "", 1))
	out := filepath.Join(t.TempDir(), "out.bundle")
	r = privet(t, "", "compile", none, "-o", out, "--sign", key)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "the policy has no version")
	requireOnly(t, filepath.Dir(out))
}

// Files that hold no key of the wanted kind are refused in words that show nothing of
// them.
func TestKeyFiles(t *testing.T) {
	key := keygen(t)
	read := func(path string) string {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(data)
	}
	private, public := read(key), read(key+".pub")
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	require.NoError(t, err)
	otherPrivate := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	der, err = x509.MarshalPKIXPublicKey(curve.Public())
	require.NoError(t, err)
	otherPublic := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	locked := string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte(canary)}))
	broken := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(canary)}))
	brokenPublic := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte(canary)}))

	for _, tt := range []struct{ text, want, reason string }{
		{"", "is not a whole PEM file; make keys with: privet keygen", "empty"},
		{canary, "is not a whole PEM file", "no PEM"},
		{private[:len(private)-10], "is not a whole PEM file", "cut short"},
		{public, "is a public key; name the private one", "the other half"},
		{locked, "is locked with a passphrase; unlock it first", "a passphrase is not asked for"},
		{otherPrivate, "is not an Ed25519 key in PKCS #8", "another kind"},
		{broken, "is not an Ed25519 key in PKCS #8", "nonsense inside"},
		{private + private, "holds more than one key", "which one?"},
		{strings.Repeat(canary, 10_000), "is larger than 64 KiB", "hardly a key"},
	} {
		r := privet(t, "", "compile", smallPolicy, "-o", "-", "--sign", file(t, "a.key", tt.text))
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Empty(t, r.out, tt.reason)
	}
	bundle := signed(t, key)
	for _, tt := range []struct{ text, want, reason string }{
		{"", "is not a whole PEM file", "empty"},
		{private, "is a private key; name the public one", "the other half"},
		{otherPublic, "is not an Ed25519 key in PKIX", "another kind"},
		{brokenPublic, "is not an Ed25519 key in PKIX", "nonsense inside"},
		{public + public[:60], "is not a whole PEM file", "the second key is cut short"},
	} {
		r := privet(t, lines(event("a")), "process", "-p", bundle, "--public-key", file(t, "a.pub", tt.text))
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Empty(t, r.out, tt.reason)
	}
	assert.Contains(t, privet(t, "", "process", "-p", bundle, "--public-key", "none").err, "cannot read the public key none: there is no such file")
	assert.Contains(t, privet(t, "", "process", "-p", bundle, "--public-key", t.TempDir()).err, "is a folder")
}

// Who is let in by which flags.
func TestPins(t *testing.T) {
	key, other := keygen(t), keygen(t)
	bundle := signed(t, key)
	plain := filepath.Join(t.TempDir(), "plain.bundle")
	require.Equal(t, exitDone, privet(t, "", "compile", smallPolicy, "-o", plain).code)
	public := func(paths ...string) string {
		var all string
		for _, path := range paths {
			data, err := os.ReadFile(path + ".pub")
			require.NoError(t, err)
			all += string(data)
		}
		return all
	}
	both := file(t, "both.pub", "# old and new\n"+public(other, key))
	const wrongMinimum = "--minimum is not a name and a version; write for example: --minimum acme-orders:3"
	for _, tt := range []struct {
		policy string
		flags  []string
		want   string // empty: accepted
		reason string
	}{
		{bundle, nil, "", "no key is pinned"},
		{bundle, []string{"--public-key", key + ".pub"}, "", "signed by the pinned key"},
		{bundle, []string{"--public-key", other + ".pub", "--public-key", key + ".pub"}, "", "by one of two"},
		{bundle, []string{"--public-key", both}, "", "by one of two in one file"},
		{bundle, []string{"--public-key", other + ".pub"}, "signed by a key that is not pinned", "by somebody else"},
		{plain, []string{"--public-key", key + ".pub"}, "carries no signature, and a key is pinned", "not signed"},
		{smallPolicy, []string{"--public-key", key + ".pub"}, "carries no signature, and a key is pinned", "a text is not signed"},
		{bundle, []string{"--minimum", "command-tests:7"}, "", "not older"},
		{bundle, []string{"--minimum", "command-tests:8"}, "it is older than version 8", "older"},
		{bundle, []string{"--minimum", "another:1"}, "it is another policy than \"another\"", "another policy"},
		{bundle, []string{"--minimum", "command-tests"}, wrongMinimum, "no version"},
		{bundle, []string{"--minimum", ":7"}, wrongMinimum, "no name"},
		{bundle, []string{"--minimum", "command-tests:-1"}, wrongMinimum, "no version"},
	} {
		for _, command := range [][]string{{"process"}, {"explain", "1"}} {
			r := privet(t, lines(event("a")), append(append(command, "-p", tt.policy), tt.flags...)...)
			if tt.want == "" {
				assert.Equal(t, exitDone, r.code, "%s: %s", tt.reason, r.err)
				continue
			}
			assert.Equal(t, exitStop, r.code, tt.reason)
			assert.Contains(t, r.err, tt.want, tt.reason)
			assert.Empty(t, r.out, tt.reason)
		}
		r := privet(t, "", append([]string{"inspect", tt.policy}, tt.flags...)...)
		assert.Equal(t, tt.want == "", r.code == exitDone, "inspect: %s: %s", tt.reason, r.err)
	}
}
