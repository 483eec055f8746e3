package keyfile_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/keyfile"
)

func TestKeys(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: keyfile.PrivateBlock, Bytes: der})
	der, err = x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: keyfile.PublicBlock, Bytes: der})
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err = x509.MarshalPKCS8PrivateKey(curve)
	require.NoError(t, err)
	other := pem.EncodeToMemory(&pem.Block{Type: keyfile.PrivateBlock, Bytes: der})
	der, err = x509.MarshalPKIXPublicKey(curve.Public())
	require.NoError(t, err)
	otherPublic := pem.EncodeToMemory(&pem.Block{Type: keyfile.PublicBlock, Bytes: der})

	path := filepath.Join(t.TempDir(), "key")
	for _, tt := range []struct {
		text           []byte
		signer, public string // what is wrong; empty: nothing
		reason         string
	}{
		{private, "", "is a private key; name the public one", "a private key"},
		{public, "is a public key; name the private one", "", "a public key"},
		{append(append([]byte{}, public...), public...), "holds more than one key; sign with one", "", "two keys"},
		{other, "is not an Ed25519 key in PKCS #8; make one", "is a private key", "a key of another kind"},
		{otherPublic, "is a public key", "is not an Ed25519 key in PKIX", "likewise"},
		{[]byte(strings.Replace(string(private), "PRIVATE", "ENCRYPTED PRIVATE", 2)), "is locked with a passphrase; unlock it first", "is a private key", "a locked key"},
		{append(append([]byte{}, public...), private[:40]...), "is not a whole PEM file", "is not a whole PEM file", "a second key that is cut off"},
		{[]byte("canary"), "is not a whole PEM file; make keys", "is not a whole PEM file", "no key"},
		{bytes.Repeat([]byte("canary"), 20_000), "is larger than 64 KiB", "is larger than 64 KiB", "a large file"},
	} {
		require.NoError(t, os.WriteFile(path, tt.text, 0o600))
		_, errSigner := keyfile.Signer(path)
		_, errPublic := keyfile.Public(path)
		for want, err := range map[string]error{"signer " + tt.signer: errSigner, "public " + tt.public: errPublic} {
			if want = want[len("signer "):]; want == "" {
				assert.NoError(t, err, tt.reason)
			} else if assert.ErrorContains(t, err, want, tt.reason) {
				assert.NotContains(t, err.Error(), "canary")
			}
		}
	}
	_, err = keyfile.Signer(path + "2")
	require.ErrorContains(t, err, "there is no such file")
	_, err = keyfile.Public(t.TempDir())
	require.ErrorContains(t, err, "is a folder; name the file in it")
}
