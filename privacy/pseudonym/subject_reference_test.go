package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A second implementation of s1 and of the check values, on crypto/hmac alone and
// as plainly as it can be. It shares no code with the first.

func plainHMAC(key, msg []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(msg)
	return m.Sum(nil)
}

// plainHKDF gives up to 32 bytes: one block of the expansion.
func plainHKDF(secret []byte, label string, s Scope, version uint32, n int) []byte {
	info := []byte(label + "\x00")
	for _, part := range []string{s.Tenant, s.Purpose, s.Category} {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	info = binary.BigEndian.AppendUint32(info, version)
	return plainHMAC(plainHMAC(make([]byte, 32), secret), append(info, 1))[:n]
}

func plainToken(prefix string, mac []byte, version uint32, n int) string {
	return prefix + strconv.FormatUint(uint64(version), 36) + "_" +
		strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac[:n]))
}

func plainS1(secret, subject []byte, s Scope, version uint32, typ byte, canonical string) []byte {
	k := plainHMAC(plainHKDF(secret, "privacy/pseudonym/v1/subject", s, version, 32), subject)
	return plainHMAC(k, append([]byte{typ}, canonical...))
}

func vectorsOf[T any](t testing.TB, path string, atLeast int) []T {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct {
		Note    string
		Vectors []T
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.NotEmpty(t, file.Note)
	require.GreaterOrEqual(t, len(file.Vectors), atLeast, "vectors are missing")
	return file.Vectors
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func valueOf(t testing.TB, typ byte, s string) Value {
	t.Helper()
	switch Type(typ) {
	case TypeText:
		return Text(s)
	case TypeEmail:
		return Email(s)
	}
	require.Fail(t, "vector of a type this test does not know")
	return Value{}
}

func TestGoldenSubjects(t *testing.T) {
	type vector struct {
		Reason, Secret, Tenant, Purpose, Category string
		Version                                   uint32
		IndexCategory, IndexValue, Index          string
		IndexType, Type                           byte
		SubjectSecret, Value, Info, Key           string
		SubjectKey, MAC, Token, UUIDv8            string
		Check, SubjectCheck                       string
	}
	seen := map[string]bool{}
	for _, v := range vectorsOf[vector](t, "testdata/s1.json", 8) {
		require.NotEmpty(t, v.Reason)
		require.False(t, seen[v.MAC], "vectors differ")
		seen[v.MAC] = true
		scope := Scope{v.Tenant, v.Purpose, v.Category}
		secret, subject := unhex(t, v.Secret), unhex(t, v.SubjectSecret)

		// The reference.
		assert.Equal(t, v.Key, hex.EncodeToString(plainHKDF(secret, "privacy/pseudonym/v1/subject", scope, v.Version, 32)), v.Reason)
		mac := plainS1(secret, subject, scope, v.Version, v.Type, v.Value)
		assert.Equal(t, v.MAC, hex.EncodeToString(mac), v.Reason)
		assert.Equal(t, v.Token, plainToken("s1_", mac, v.Version, 16), v.Reason)
		rowScope := Scope{v.Tenant, "_subject-index", v.IndexCategory}
		row := plainHMAC(plainHKDF(secret, "privacy/pseudonym/v1", rowScope, v.Version, 32), append([]byte{v.IndexType}, v.IndexValue...))
		assert.Equal(t, v.Index, plainToken("p1_", row, v.Version, 16), v.Reason)
		assert.Equal(t, v.Check, hex.EncodeToString(plainHKDF(secret, "privacy/pseudonym/v1/kcv", Scope{Tenant: v.Tenant}, v.Version, 8)), v.Reason)
		assert.Equal(t, v.SubjectCheck, hex.EncodeToString(plainHKDF(subject, "privacy/pseudonym/v1/kcv", Scope{Tenant: v.Tenant, Purpose: "_subject-index"}, 0, 8)), v.Reason)

		// The package.
		s := secretOf(t, v.Secret)
		assert.Equal(t, v.Info, hex.EncodeToString(keyInfo(labelSubject, scope, v.Version)), v.Reason)
		k, err := newSubjectKey(s.b.p, scope, v.Version)
		require.NoError(t, err)
		assert.Equal(t, v.SubjectKey, hex.EncodeToString(k.derive(secretOf(t, v.SubjectSecret).b.p)), v.Reason)
		assert.Equal(t, v.Check, s.Check(v.Tenant, v.Version).String(), v.Reason)
		assert.Equal(t, v.SubjectCheck, secretOf(t, v.SubjectSecret).SubjectCheck(v.Tenant).String(), v.Reason)

		var store Memory
		require.NoError(t, store.Add(v.Tenant, v.Version, s))
		rows := NewSubjectMemory(strings.NewReader(string(subject)))
		all, err := NewSubjects(t.Context(), &store, rows, scope, v.IndexCategory)
		require.NoError(t, err)
		p, err := all.Subject(t.Context(), valueOf(t, v.IndexType, v.IndexValue))
		require.NoError(t, err, v.Reason)
		index, err := ParseToken(v.Index)
		require.NoError(t, err)
		assert.Contains(t, rows.rows, subjectRow{v.Tenant, index}, v.Reason)
		text, err := p.Append(nil, valueOf(t, v.Type, v.Value))
		require.NoError(t, err)
		assert.Equal(t, v.Token, string(text), v.Reason)
		token, err := p.Token(valueOf(t, v.Type, v.Value))
		require.NoError(t, err)
		assert.Equal(t, v.Token, token.String(), v.Reason)
		assert.Equal(t, "s1", token.Suite())
		parsed, err := ParseToken(v.Token)
		require.NoError(t, err)
		assert.Equal(t, token, parsed)
		u, err := p.UUID(valueOf(t, v.Type, v.Value))
		require.NoError(t, err)
		assert.Equal(t, v.UUIDv8, u.String(), v.Reason)
	}
}

func TestGoldenEpochs(t *testing.T) {
	type vector struct {
		Reason, Secret, Tenant, Purpose, Category string
		At, Start, Due                            time.Time
		Period                                    int64
		Version                                   uint32
		Type                                      byte
		Value, Key, MAC, Token                    string
	}
	for _, v := range vectorsOf[vector](t, "testdata/epoch.json", 8) {
		require.NotEmpty(t, v.Reason)
		scope := Scope{v.Tenant, v.Purpose, v.Category}
		secret := unhex(t, v.Secret)

		// The reference.
		assert.Equal(t, v.At.Unix()/v.Period, int64(v.Version), v.Reason)
		key := plainHKDF(secret, "privacy/pseudonym/v1", scope, v.Version, 32)
		assert.Equal(t, v.Key, hex.EncodeToString(key), v.Reason)
		mac := plainHMAC(key, append([]byte{v.Type}, v.Value...))
		assert.Equal(t, v.MAC, hex.EncodeToString(mac), v.Reason)
		assert.Equal(t, v.Token, plainToken("p1_", mac, v.Version, 16), v.Reason)

		// The package.
		e, err := NewEpochs(new(Memory), strings.NewReader(string(secret)), time.Duration(v.Period)*time.Second)
		require.NoError(t, err)
		version, err := e.Version(v.At)
		require.NoError(t, err)
		assert.Equal(t, v.Version, version, v.Reason)
		assert.True(t, e.Start(version).Equal(v.Start), v.Reason)
		assert.True(t, e.Due(version).Equal(v.Due), v.Reason)
		p, err := e.New(t.Context(), scope, v.At)
		require.NoError(t, err)
		token, err := p.Token(valueOf(t, v.Type, v.Value))
		require.NoError(t, err)
		assert.Equal(t, v.Token, token.String(), v.Reason)
	}
}

func TestSubjectsAgreeWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret, subject, scope := drawSecret(t), drawSecret(t), drawScope(t)
		version := rapid.Uint32Min(1).Draw(t, "version")
		n := rapid.IntRange(12, 32).Draw(t, "id length")
		f := drawForm(t)
		s, err := NewSecret(secret)
		require.NoError(t, err)
		var store Memory
		require.NoError(t, store.Add(scope.Tenant, version, s))
		all, err := NewSubjects(t.Context(), &store, NewSubjectMemory(strings.NewReader(string(subject))), scope, "user", WithIDLength(n))
		require.NoError(t, err)
		p, err := all.Subject(t.Context(), Int(1))
		require.NoError(t, err)
		got, err := p.Append([]byte("before "), f.value)
		if !f.ok {
			var refused *ValueError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "before ", string(got))
			return
		}
		require.NoError(t, err)
		mac := plainS1(secret, subject, scope, version, f.typ, f.canonical)
		require.Equal(t, "before "+plainToken("s1_", mac, version, n), string(got))
		require.Regexp(t, TokenPattern, string(got[len("before "):]))
		require.NotEqual(t, refMAC(secret, scope, version, f.typ, f.canonical), mac, "an s1 token is no p1 output")
	})
}
