package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/signature"
)

func Example() {
	// Where policies are released; a real key comes from privet keygen.
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	bundle, _ := policy.Pack("windows-service-data")
	signed, err := signature.Sign(bundle, key)
	fmt.Println(err, signed.Info() == bundle.Info())

	// In the service, which knows the public half.
	pinned := signature.Pin(key.Public().(ed25519.PublicKey))
	_, err = privacy.Open(signed, pinned)
	fmt.Println(err)
	_, err = privacy.Open(bundle, pinned)
	fmt.Println(errors.Is(err, privacy.ErrUnsigned))
	fmt.Println(err)
	// Output:
	// <nil> true
	// <nil>
	// true
	// privacy: the policy "windows-service-data" version 1 was refused: it carries no signature, and a key is pinned; sign it with: privet compile --sign
}

func ExamplePin() {
	old := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	next := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	bundle, _ := policy.Pack("windows-service-data")
	bundle, _ = signature.Sign(bundle, next)

	// Both keys are pinned while the old one is rotated out.
	_, err := privacy.Open(bundle, signature.Pin(old.Public().(ed25519.PublicKey), next.Public().(ed25519.PublicKey)))
	fmt.Println(err)
	// Output: <nil>
}
