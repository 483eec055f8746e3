package pseudonym

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A golden vector is a promise about stored data: if one of them fails, the code
// is wrong, never the vector.
type goldenVector struct {
	Secret, Tenant, Purpose, Category string
	Version                           uint32
	Type                              byte
	Value, Info, Key, MAC, Token      string
	UUIDv8                            string
}

func goldenVectors(t testing.TB) []goldenVector {
	t.Helper()
	text, err := os.ReadFile("testdata/p1.json")
	require.NoError(t, err)
	var vs []goldenVector
	require.NoError(t, json.Unmarshal(text, &vs))
	require.GreaterOrEqual(t, len(vs), 8, "vectors are missing")
	return vs
}

func secretOf(t testing.TB, s string) Secret {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	secret, err := NewSecret(b)
	require.NoError(t, err)
	return secret
}

// The vectors test the construction on bytes as given, below the canonical
// forms: one of them has an empty value, which Append refuses.
func TestGoldenConstruction(t *testing.T) {
	for _, v := range goldenVectors(t) {
		t.Run(v.Token, func(t *testing.T) {
			secret := secretOf(t, v.Secret)
			scope := Scope{v.Tenant, v.Purpose, v.Category}
			assert.Equal(t, v.Info, hex.EncodeToString(keyInfo(labelP1, scope, v.Version)), "info")
			derived, err := deriveKey(secret.b.p, labelP1, scope, v.Version, 32)
			require.NoError(t, err)
			assert.Equal(t, v.Key, hex.EncodeToString(derived), "key")

			k, err := newKey(secret.b.p, scope, v.Version)
			require.NoError(t, err)
			for range 2 { // a used state gives the same as a new one
				st := k.pool.Get().(*macState)
				st.msg = append(append(st.msg[:0], v.Type), v.Value...)
				st.authenticate()
				assert.Equal(t, v.MAC, hex.EncodeToString(st.sum[:]), "mac")
				assert.Equal(t, v.Token, string(appendBase32([]byte(k.prefix), st.sum[:16])), "token")
				assert.Equal(t, v.UUIDv8, uuidOf(&st.sum).String(), "uuid")
				k.pool.Put(st)
			}
		})
	}
}

func TestGoldenAPI(t *testing.T) {
	asked := 0
	for _, v := range goldenVectors(t) {
		var value Value
		switch Type(v.Type) {
		case TypeText:
			value = Text(v.Value)
		case TypeEmail:
			value = Email(v.Value)
		default:
			require.Fail(t, "vector of a type this test does not know")
		}
		var store Memory
		require.NoError(t, store.Add(v.Tenant, v.Version, secretOf(t, v.Secret)))
		p, err := New(t.Context(), &store, Scope{v.Tenant, v.Purpose, v.Category})
		require.NoError(t, err)

		text, err := p.Append(nil, value)
		if v.Value == "" {
			require.Error(t, err)
			continue
		}
		asked++
		require.NoError(t, err)
		assert.Equal(t, v.Token, string(text))
		token, err := p.Token(value)
		require.NoError(t, err)
		assert.Equal(t, v.Token, token.String())
		u, err := p.UUID(value)
		require.NoError(t, err)
		assert.Equal(t, v.UUIDv8, u.String())
		parsed, err := ParseToken(v.Token)
		require.NoError(t, err)
		assert.Equal(t, token, parsed)
		assert.Equal(t, v.Version, parsed.Version())
	}
	assert.GreaterOrEqual(t, asked, 7)
}
