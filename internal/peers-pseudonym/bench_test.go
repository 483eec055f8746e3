package peerspseudonym

import (
	"crypto/aes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/daead"
	daeadsubtle "github.com/tink-crypto/tink-go/v2/daead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	prfsubtle "github.com/tink-crypto/tink-go/v2/prf/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/privetdev/privet/privacy/pseudonym"
)

const (
	secretText = "0123456789abcdef0123456789ABCDEF"
	digits     = "4111111111111111"
)

var (
	value = []byte("user-00000000000000000000000042!")
	scope = pseudonym.Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.id"}
)

func store(tb testing.TB) *pseudonym.Memory {
	tb.Helper()
	secret, err := pseudonym.NewSecret([]byte(secretText))
	require.NoError(tb, err)
	var m pseudonym.Memory
	require.NoError(tb, m.Add(scope.Tenant, 1, secret))
	return &m
}

func pseudonymiser(tb testing.TB) *pseudonym.Pseudonymiser {
	tb.Helper()
	p, err := pseudonym.New(tb.Context(), store(tb), scope)
	require.NoError(tb, err)
	return p
}

func reversible(tb testing.TB) *pseudonym.Reversible {
	tb.Helper()
	r, err := pseudonym.NewReversible(tb.Context(), store(tb), scope)
	require.NoError(tb, err)
	return r
}

func tinkPRF(tb testing.TB) *prf.Set {
	tb.Helper()
	h, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	require.NoError(tb, err)
	s, err := prf.NewPRFSet(h)
	require.NoError(tb, err)
	return s
}

func tinkSIV(tb testing.TB) tink.DeterministicAEAD {
	tb.Helper()
	h, err := keyset.NewHandle(daead.AESSIVKeyTemplate())
	require.NoError(tb, err)
	d, err := daead.New(h)
	require.NoError(tb, err)
	return d
}

// derive is the key of a label, as the documentation of package pseudonym has it.
func derive(tb testing.TB, label string, size int) (key, info []byte) {
	tb.Helper()
	info = append([]byte(label), 0)
	for _, part := range []string{scope.Tenant, scope.Purpose, scope.Category} {
		info = append(binary.BigEndian.AppendUint32(info, uint32(len(part))), part...)
	}
	info = binary.BigEndian.AppendUint32(info, 1)
	key, err := hkdf.Key(sha256.New, []byte(secretText), nil, string(info), size)
	require.NoError(tb, err)
	return key, info
}

func text(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// What is measured is the same function: with the derived keys, Tink makes our token
// and our sealed text, and reads it.
func TestPeersAgree(t *testing.T) {
	message := append([]byte{1}, value...)

	token, err := pseudonymiser(t).Token(pseudonym.Bytes(value))
	require.NoError(t, err)
	key, _ := derive(t, "privacy/pseudonym/v1", 32)
	function, err := prfsubtle.NewHMACPRF("SHA256", key)
	require.NoError(t, err)
	id, err := function.ComputePRF(message, 16)
	require.NoError(t, err)
	require.Equal(t, "p1_1_"+text(id), token.String())

	sealed, _, err := reversible(t).Seal(pseudonym.Bytes(value))
	require.NoError(t, err)
	key, info := derive(t, "privacy/pseudonym/v1/siv", 64)
	siv, err := daeadsubtle.NewAESSIV(key)
	require.NoError(t, err)
	ciphertext, err := siv.EncryptDeterministically(message, info)
	require.NoError(t, err)
	require.Equal(t, "v1_1_"+text(ciphertext), sealed)

	// Through a handle it is the same algorithm with a key and a prefix of its own.
	d := tinkSIV(t)
	ciphertext, err = d.EncryptDeterministically(value, []byte("x"))
	require.NoError(t, err)
	plaintext, err := d.DecryptDeterministically(ciphertext, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, value, plaintext)
	out, err := tinkPRF(t).ComputePrimaryPRF(value, 32)
	require.NoError(t, err)
	require.Len(t, out, 32)
}

func BenchmarkFloorHMAC(b *testing.B) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		mac := hmac.New(sha256.New, []byte(secretText))
		sum := make([]byte, 0, 32)
		for pb.Next() {
			mac.Reset()
			mac.Write(value)
			sum = mac.Sum(sum[:0])
		}
	})
}

func BenchmarkFreshHMAC(b *testing.B) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		sum := make([]byte, 0, 32)
		for pb.Next() {
			mac := hmac.New(sha256.New, []byte(secretText))
			mac.Write(value)
			sum = mac.Sum(sum[:0])
		}
	})
}

func BenchmarkToken(b *testing.B) {
	p := pseudonymiser(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 0, 64)
		for pb.Next() {
			buf, _ = p.Append(buf[:0], pseudonym.Bytes(value))
		}
	})
}

func BenchmarkTinkPRFHMAC(b *testing.B) {
	s := tinkPRF(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.ComputePrimaryPRF(value, 32); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r := reversible(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 0, 128)
		for pb.Next() {
			buf, _ = r.AppendSeal(buf[:0], pseudonym.Bytes(value))
		}
	})
}

func BenchmarkTinkSIV(b *testing.B) {
	d := tinkSIV(b)
	associated := []byte(scope.Category)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.EncryptDeterministically(value, associated); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkReveal(b *testing.B) {
	r := reversible(b)
	sealed, _, err := r.Seal(pseudonym.Bytes(value))
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := r.Reveal(sealed); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkTinkSIVDecrypt(b *testing.B) {
	d := tinkSIV(b)
	associated := []byte(scope.Category)
	ciphertext, err := d.EncryptDeterministically(value, associated)
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.DecryptDeterministically(ciphertext, associated); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkEncipher16Digits(b *testing.B) {
	r := reversible(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 0, 16)
		for pb.Next() {
			buf, _ = r.AppendEncipher(buf[:0], pseudonym.Decimal, digits)
		}
	})
}

func BenchmarkFloorAES12Blocks(b *testing.B) {
	key, _ := derive(b, "privacy/pseudonym/v1/ff1", 32)
	block, err := aes.NewCipher(key)
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := make([]byte, 16)
		for pb.Next() {
			for range 12 {
				block.Encrypt(x, x)
			}
		}
	})
}
