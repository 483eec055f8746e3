package pseudonym

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// labelP1 starts the info of every p1 key. Each further use of a secret has a
// label of its own, so that no key of one use can be an output of another.
const (
	labelP1      = "privacy/pseudonym/v1"
	labelSubject = "privacy/pseudonym/v1/subject"
	labelCheck   = "privacy/pseudonym/v1/kcv"
	labelShift   = "privacy/pseudonym/v1/shift"
	labelSIV     = "privacy/pseudonym/v1/siv"
	labelFF1     = "privacy/pseudonym/v1/ff1"
)

// keyInfo is label 00 || lp(tenant) || lp(purpose) || lp(category) || uint32(version).
func keyInfo(label string, s Scope, version uint32) []byte {
	b := append(make([]byte, 0, len(label)+1+3*4+len(s.Tenant)+len(s.Purpose)+len(s.Category)+4), label...)
	b = append(b, 0)
	for _, part := range [...]string{s.Tenant, s.Purpose, s.Category} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return binary.BigEndian.AppendUint32(b, version)
}

// deriveKey is HKDF-SHA256 without a salt.
func deriveKey(secret *[SecretSize]byte, label string, s Scope, version uint32, size int) ([]byte, error) {
	return hkdf.Key(sha256.New, secret[:], nil, string(keyInfo(label, s, version)), size)
}

// A key is one version of a scope, ready to use. The key itself is only in the
// closure of the pool and in the states, where printing does not reach it.
type key struct {
	suite   suite
	version uint32
	prefix  string // of the token, up to and with the second underscore
	pool    sync.Pool
}

// A macState is a keyed MAC with its buffers. They are pooled together, because
// what is passed to a hash.Hash escapes and would be allocated for each value.
type macState struct {
	mac hash.Hash
	msg []byte // type byte || canonical value
	sum [sha256.Size]byte
}

func newKey(secret *[SecretSize]byte, s Scope, version uint32) (*key, error) {
	k, err := deriveKey(secret, labelP1, s, version, sha256.Size)
	if err != nil {
		return nil, err
	}
	return readyKey(k, suiteP1, version), nil
}

// readyKey makes the key of a suite from its 32 bytes, which it keeps.
func readyKey(k []byte, su suite, version uint32) *key {
	return &key{
		suite:   su,
		version: version,
		prefix:  string(appendPrefix(nil, su, version)),
		pool: sync.Pool{New: func() any {
			return &macState{mac: hmac.New(sha256.New, k), msg: make([]byte, 0, 256)}
		}},
	}
}

// take returns a state whose sum is the MAC of v. It has to be given back to the
// pool, whatever the code.
func (k *key) take(v *Value) (*macState, Code) {
	st := k.pool.Get().(*macState)
	msg, code := v.appendCanonical(append(st.msg[:0], byte(v.typ)))
	st.msg = msg
	if code == 0 {
		st.authenticate()
	}
	return st, code
}

func (st *macState) authenticate() {
	st.mac.Reset()
	st.mac.Write(st.msg)
	st.mac.Sum(st.sum[:0])
}
