package secretfile_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/pseudonym/secretfile"
)

// folder stands for where a service keeps its files.
func folder() (path string, remove func()) {
	dir, err := os.MkdirTemp("", "secretfile")
	if err != nil {
		fmt.Println(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// exampleKey stands for os.Getenv("PRIVET_KEYS_KEY"): 32 random bytes, made once with
// openssl rand -base64 32.
const exampleKey = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="

func Example() {
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	key, err := secretfile.ParseKey(exampleKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := secretfile.Create(ctx, filepath.Join(dir, "secrets.privet"), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 { // a first secret, and one after rotation
		if _, err := store.Generate(ctx, "contoso"); err != nil {
			fmt.Println(err)
			return
		}
	}
	p, err := pseudonym.New(ctx, store, pseudonym.Scope{Tenant: "contoso", Purpose: "support", Category: "user.contact.email"})
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens, err := p.Candidates(pseudonym.Email("jane@example.com"))
	fmt.Println(len(tokens), err)

	now := time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
	err = store.Destroy(ctx, "contoso", 1, pseudonym.Destruction{At: now, Actor: "ops", Reason: "no token of it is stored any more"})
	fmt.Println(err)
	_, err = store.Secret(ctx, "contoso", 1)
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// <nil>
	// pseudonym: secret destroyed: use a newer version
}

func ExampleStore_DestroyPending() {
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	key, err := secretfile.ParseKey(exampleKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := secretfile.Create(ctx, filepath.Join(dir, "secrets.privet"), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := store.Generate(ctx, "contoso"); err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
	why := pseudonym.Destruction{At: now, Actor: "ops", Reason: "the customer left"}
	fmt.Println(store.DestroyPending(ctx, "contoso", 1, now.Add(30*pseudonym.Day), why))
	_, err = store.Secret(ctx, "contoso", 1)
	fmt.Println(err)
	fmt.Println(store.CancelDestroy(ctx, "contoso", 1)) // the customer came back
	_, err = store.Secret(ctx, "contoso", 1)
	fmt.Println(err)
	// Output:
	// <nil>
	// pseudonym: secret waits for its destruction: use a newer version, or call the destruction off
	// <nil>
	// <nil>
}

// A keyService stands for a key management service, whose key never leaves it: its
// two calls are what a Wrapper needs.
type keyService struct{ aead cipher.AEAD }

func (s keyService) Wrap(_ context.Context, dataKey []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return s.aead.Seal(nonce, nonce, dataKey, nil), nil
}

func (s keyService) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(wrapped) < n {
		return nil, secretfile.ErrKey
	}
	dataKey, err := s.aead.Open(nil, wrapped[:n], wrapped[n:], nil)
	if err != nil {
		return nil, secretfile.ErrKey // it was wrapped by another key
	}
	return dataKey, nil
}

func ExampleWrapper() {
	block, err := aes.NewCipher([]byte("a key that stays in the service!"))
	if err != nil {
		fmt.Println(err)
		return
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	store, err := secretfile.Create(ctx, filepath.Join(dir, "secrets.privet"), keyService{aead})
	if err != nil {
		fmt.Println(err)
		return
	}
	version, err := store.Generate(ctx, "contoso")
	fmt.Println(version, err)
	// Output: 1 <nil>
}

func ExampleParseKey() {
	key, err := secretfile.ParseKey(exampleKey)
	fmt.Println(key, err)
	_, err = secretfile.ParseKey("correct horse battery staple")
	fmt.Println(err)
	// Output:
	// secretfile.Key(REDACTED) <nil>
	// secretfile: key not usable: is neither base64 nor hexadecimal: write 32 random bytes as: openssl rand -base64 32
}
