package secretfile

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// KeySize is the size of a key in bytes.
const KeySize = 32

// maxWrapped bounds what a Wrapper may make of a data key.
const maxWrapped = 8 << 10

// A Wrapper encrypts the data key of a file, which is 32 random bytes. A [Key] is one;
// a key management service is another: Wrap and Unwrap are its calls to encrypt and
// decrypt, under a key that never leaves it. Implementations must be safe for
// concurrent use.
//
// Unwrap is called when a file is opened and when its data key was replaced, not for
// each look-up. If the key is not the one that wrapped, its error should wrap [ErrKey].
type Wrapper interface {
	// Wrap returns the data key encrypted, in at most 8 KiB. It must not keep dataKey.
	Wrap(ctx context.Context, dataKey []byte) (wrapped []byte, err error)

	// Unwrap returns the data key. The caller does not change wrapped.
	Unwrap(ctx context.Context, wrapped []byte) (dataKey []byte, err error)
}

// A Key is a key of 32 bytes that opens files. It never shows its bytes: not printed,
// not logged, not marshalled, and not when it sits in an unexported field of something
// that is. The zero Key is refused. Safe for concurrent use.
type Key struct {
	b *keyBox // two pointers deep, out of the reach of package fmt
}

type keyBox struct{ p *[KeySize]byte }

// NewKey copies a key of 32 random bytes. The error wraps [ErrKey] for any other length
// and for 32 zero bytes. A password is no key.
func NewKey(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, &keyFault{"needs exactly 32 random bytes: make them with: openssl rand -base64 32"}
	}
	p := [KeySize]byte(b)
	if p == [KeySize]byte{} {
		return Key{}, &keyFault{"all bytes are zero: make one with: openssl rand -base64 32"}
	}
	return Key{&keyBox{&p}}, nil
}

// ParseKey reads a key from text: 32 bytes in base64 (either alphabet, with or without
// padding) or in hexadecimal; space around it is dropped. It is for what stands in a
// variable of the environment or comes from a secret manager. The error wraps [ErrKey]
// and does not contain the text.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Key{}, &keyFault{"is empty: set it to 32 random bytes: openssl rand -base64 32"}
	}
	if b, err := hex.DecodeString(text); err == nil {
		return NewKey(b)
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return Key{}, &keyFault{"is neither base64 nor hexadecimal: write 32 random bytes as: openssl rand -base64 32"}
	}
	return NewKey(b)
}

type keyFault struct{ text string }

func (e *keyFault) Error() string { return ErrKey.Error() + ": " + e.text }
func (e *keyFault) Unwrap() error { return ErrKey }

const hiddenKey = "secretfile.Key(REDACTED)"

// Format implements fmt.Formatter with a placeholder for every verb.
func (Key) Format(s fmt.State, _ rune) { io.WriteString(s, hiddenKey) }

// MarshalText implements encoding.TextMarshaler with the same placeholder.
func (Key) MarshalText() ([]byte, error) { return []byte(hiddenKey), nil }

const (
	labelCheck = "privet/secretfile/v1/kcv"
	labelWrap  = "privet/secretfile/v1/wrap"
	labelFile  = "privet/secretfile/v1"
)

// parts are what tells a wrong key from a damaged file, and the key that wraps.
func (k Key) parts() (check []byte, seal cipher.AEAD, err error) {
	if k.b == nil {
		return nil, nil, &keyFault{"zero Key: make one with NewKey or ParseKey"}
	}
	if check, err = hkdf.Key(sha256.New, k.b.p[:], nil, labelCheck, 8); err != nil {
		return nil, nil, err
	}
	seal, err = gcm(k.b.p[:], nil, labelWrap)
	return check, seal, err
}

// gcm returns AES-256-GCM under a key derived from key.
func gcm(key, salt []byte, info string) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key, salt, info, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Wrap implements [Wrapper]: 8 bytes that tell which key it was, a random nonce of 12,
// and AES-256-GCM of the data key.
func (k Key) Wrap(_ context.Context, dataKey []byte) ([]byte, error) {
	check, seal, err := k.parts()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 8+12, 8+12+len(dataKey)+16)
	copy(out, check)
	rand.Read(out[8:])
	return seal.Seal(out, out[8:20], dataKey, check), nil
}

// Unwrap implements [Wrapper]. The error wraps [ErrKey] if another key wrapped, and
// [ErrDamaged] if this one did and the bytes were changed since.
func (k Key) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	check, seal, err := k.parts()
	if err != nil {
		return nil, err
	}
	if len(wrapped) < 20 || subtle.ConstantTimeCompare(check, wrapped[:8]) != 1 {
		return nil, &keyFault{"it is not the key that the file was written with"}
	}
	dataKey, err := seal.Open(nil, wrapped[8:20], wrapped[20:], check)
	if err != nil {
		return nil, ErrDamaged
	}
	return dataKey, nil
}

// A KeyFunc is a [Wrapper] that asks for its [Key] whenever it is needed, such as a
// secret manager or a person at a terminal. The key is not kept.
type KeyFunc func(context.Context) (Key, error)

// Wrap implements [Wrapper].
func (f KeyFunc) Wrap(ctx context.Context, dataKey []byte) ([]byte, error) {
	k, err := f.key(ctx)
	if err != nil {
		return nil, err
	}
	return k.Wrap(ctx, dataKey)
}

// Unwrap implements [Wrapper].
func (f KeyFunc) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	k, err := f.key(ctx)
	if err != nil {
		return nil, err
	}
	return k.Unwrap(ctx, wrapped)
}

func (f KeyFunc) key(ctx context.Context) (Key, error) {
	if f == nil {
		return Key{}, &keyFault{"nil KeyFunc"}
	}
	return f(ctx)
}

var _, _ Wrapper = Key{}, KeyFunc(nil)

// wrapperError says in our words what a Wrapper reported, whose words are not under
// our control.
func wrapperError(path string, err error) error {
	switch {
	case errors.Is(err, ErrKey):
		var own *keyFault
		problem := "it is not the key that the file was written with"
		if errors.As(err, &own) {
			problem = own.text
		}
		return &FileError{path, "wrong key: " + problem, "", err}
	case errors.Is(err, ErrDamaged):
		return damaged(path, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &FileError{path, "the key could not be had in time", "", err}
	}
	return &FileError{path, "the key could not be had", "unwrap this error for the cause", err}
}
