package pseudonym

import (
	"context"
	"crypto/aes"
	"crypto/sha256"
	"errors"
	"strconv"
	"sync"
)

// SealedPattern is a regular expression (RE2 syntax, anchored) that every text
// made by [Reversible.Seal] matches: the suite, the version in base 36, the
// ciphertext in base 32. No token matches it.
const SealedPattern = `^v1_[1-9a-z][0-9a-z]{0,6}_[a-z2-7]{29,}$`

const (
	suiteV1 = suite('v')
	sivSize = 16

	minSealed     = sivSize + 1 + 1        // synthetic IV, type, and a canonical form is never empty
	maxSealed     = sivSize + 1 + MaxValue // bytes before base 32
	minSealedText = (minSealed*8 + 4) / 5
	maxSealedText = (maxSealed*8 + 4) / 5
)

// An Alphabet is what the characters of a text are, before and after
// [Reversible.Encipher]. The zero Alphabet is refused.
type Alphabet uint8

const (
	// Decimal is 0 to 9. A text needs 6 digits or more.
	Decimal Alphabet = 1 + iota

	// Alphanumeric is 0 to 9 and a to z. A text needs 4 characters or more. There
	// are no capitals: what two spellings mean is for the caller to settle first.
	Alphanumeric
)

// String returns the name in lower case, or "invalid".
func (a Alphabet) String() string {
	switch a {
	case Decimal:
		return "decimal"
	case Alphanumeric:
		return "alphanumeric"
	}
	return "invalid"
}

// Tables of the two radices, made when they are first needed.
var ff1Tables struct {
	once                  sync.Once
	decimal, alphanumeric *ff1Radix
}

func ff1Table(a Alphabet) *ff1Radix {
	t := &ff1Tables
	t.once.Do(func() { t.decimal, t.alphanumeric = newFF1Radix(10), newFF1Radix(36) })
	switch a {
	case Decimal:
		return t.decimal
	case Alphanumeric:
		return t.alphanumeric
	}
	return nil
}

// reversibleClass is the class of what [Reversible] makes: the same person gives the
// same text, and who has the secret can read it. It is personal data.
var reversibleClass = Class{Linkability: Linkable, Reversible: true, Loss: LossNone}

// A Reversible hides values in such a way that they can be had back with the
// secret of their tenant, within one scope. Use it only where somebody has to have
// them back: a token of [Pseudonymiser] cannot be read by anybody, and is shorter.
//
// Both ways of hiding are deterministic: within its scope and version, equal
// values give equal texts, which join like tokens. Texts of different tenants,
// purposes, categories or versions have different keys: they do not join, and
// none of them can be read in the place of another.
//
//   - [Reversible.Seal] is AES-SIV (RFC 5297). The text tells its version, is
//     longer than the value, and one that was changed is refused.
//   - [Reversible.Encipher] is FF1 (NIST SP 800-38G rev. 1). The text has the
//     length and the characters of the value, for columns that allow nothing else.
//     It tells nothing: neither its version nor that it is a ciphertext, and every
//     text of the alphabet can be revealed to something. Prefer Seal.
//
// To read is a call of its own that says so in its name. Give a Reversible only to
// the code that may make it, as it holds the keys; drop it when a secret of its
// tenant is destroyed.
//
// It is immutable and safe for concurrent use. Make it with [NewReversible]; the
// zero Reversible refuses every value.
type Reversible struct {
	keys []*reversibleKey // newest first, at least one
}

var errReversibleNotMade = errors.New("pseudonym: zero Reversible: make one with NewReversible")

// A reversibleKey is one version of a scope. The keys are only in the closure of the
// pool and in the states, where printing does not reach them.
type reversibleKey struct {
	version uint32
	prefix  string // of sealed text
	pool    sync.Pool
}

type reversibleState struct {
	scratch scratch
	siv     *siv
	start   block128 // S2V of the associated data
	ff1     [2]ff1   // by Alphabet - 1
	tweak   [16]byte
	msg     []byte
	digits  []uint16
}

// NewReversible reads the live secrets of the scope's tenant and derives their
// keys, once, as [New] does, and with the same errors. The keys have nothing to do
// with those of tokens.
//
// With info as in the package documentation, but the labels privacy/pseudonym/v1/siv
// and privacy/pseudonym/v1/ff1: the key of AES-SIV is 64 bytes of HKDF-SHA256
// (AES-256 in both halves) and info is its associated data; that of FF1 is 32
// bytes (AES-256) and the first 16 bytes of SHA-256(info) are its tweak.
func NewReversible(ctx context.Context, store SecretStore, s Scope) (*Reversible, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	r := &Reversible{}
	err := eachSecret(ctx, store, s.Tenant, func(secret Secret, version uint32) error {
		k, err := newReversibleKey(secret.b.p, s, version)
		r.keys = append(r.keys, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func newReversibleKey(secret *[SecretSize]byte, s Scope, version uint32) (*reversibleKey, error) {
	sealing, err := deriveKey(secret, labelSIV, s, version, 64)
	if err != nil {
		return nil, err
	}
	v, err := newSIV(sealing)
	clear(sealing)
	if err != nil {
		return nil, err
	}
	enciphering, err := deriveKey(secret, labelFF1, s, version, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(enciphering)
	clear(enciphering)
	if err != nil {
		return nil, err
	}
	start := v.start(new(scratch), keyInfo(labelSIV, s, version))
	sum := sha256.Sum256(keyInfo(labelFF1, s, version))
	return &reversibleKey{
		version: version,
		prefix:  string(appendPrefix(nil, suiteV1, version)),
		pool: sync.Pool{New: func() any {
			return &reversibleState{
				siv:   v,
				start: start,
				ff1:   [2]ff1{{ff1Table(Decimal), block}, {ff1Table(Alphanumeric), block}},
				tweak: [16]byte(sum[:16]),
				msg:   make([]byte, 0, 256),
			}
		}},
	}, nil
}

// key returns the key of a version, nil if it is not there.
func (r *Reversible) key(version uint32) *reversibleKey {
	for _, k := range r.keys {
		if k.version == version {
			return k
		}
	}
	return nil
}

// AppendSeal appends what [Reversible.Seal] returns to dst. It does not allocate if
// dst has room: 40 bytes, and 1.6 for each byte of the canonical form. If
// the value is refused, it returns dst as it was and a [*ValueError].
func (r *Reversible) AppendSeal(dst []byte, v Value) ([]byte, error) {
	if len(r.keys) == 0 {
		return dst, errReversibleNotMade
	}
	k := r.keys[0]
	st := k.pool.Get().(*reversibleState)
	defer k.pool.Put(st)
	msg := append(st.msg[:0], make([]byte, sivSize)...)
	msg, code := v.appendCanonical(append(msg, byte(v.typ)))
	st.msg = msg
	if code != 0 {
		clear(msg)
		return dst, &ValueError{Type: v.typ, Code: code}
	}
	st.siv.seal(&st.scratch, st.start, msg[sivSize:]).store(msg)
	dst = append(dst, k.prefix...)
	return appendBase32(dst, msg), nil
}

// Seal encrypts the canonical form of a value, and its type, under the newest
// version. The text is v1_, the version in base 36, _, and in base 32 the 16 bytes
// of the synthetic IV and the ciphertext: 33 to 39 characters, and 1.6 for each byte
// of the canonical form. It shows how long the value is.
//
// A value that is a token, sealed text or a random token already is refused. The error is a
// [*ValueError]. The class is linkable and reversible, with nothing lost.
func (r *Reversible) Seal(v Value) (string, Class, error) {
	b, err := r.AppendSeal(nil, v)
	if err != nil {
		return "", Class{}, err
	}
	return string(b), reversibleClass, nil
}

// Reveal returns the type and the canonical form of the value that was sealed: text
// for the types that are made of text, bytes as in the package documentation for the
// others. It reads every live version of the scope. The result is in the clear
// ([Linked]): whoever asks for it has to have a reason, and should be written down.
//
// The error wraps [ErrSealed] if the text is not written as Seal writes it, if the
// secret of its version is not there (any more), or if it was made in another scope
// or was changed, which cannot be told apart.
func (r *Reversible) Reveal(sealed string) (Type, []byte, error) {
	if len(r.keys) == 0 {
		return 0, nil, errReversibleNotMade
	}
	version, b, ok := parseSealed(sealed)
	if !ok {
		return 0, nil, &fault{ErrSealed, "text is not written like one: see SealedPattern", nil}
	}
	k := r.key(version)
	if k == nil {
		return 0, nil, &fault{ErrSealed, "version " + strconv.FormatUint(uint64(version), 10) + ": no secret here: it was destroyed, or added after NewReversible", nil}
	}
	st := k.pool.Get().(*reversibleState)
	defer k.pool.Put(st)
	value := b[sivSize:]
	if !st.siv.open(&st.scratch, st.start, loadBlock(b), value) {
		return 0, nil, &fault{ErrSealed, "not made in this scope, or changed since: reveal it with the tenant, purpose and category it was sealed for", nil}
	}
	return Type(value[0]), value[1:], nil
}

// parseSealed accepts only the spelling that Seal writes.
func parseSealed(sealed string) (version uint32, b []byte, ok bool) {
	s := []byte(sealed)
	if len(s) == 0 || s[0] != byte(suiteV1) {
		return 0, nil, false
	}
	at, ok := versionedText(s, minSealedText, maxSealedText)
	if !ok {
		return 0, nil, false
	}
	if version, ok = versionOf(s, at); !ok {
		return 0, nil, false
	}
	b = s[:0] // what is written is shorter than what was read
	var x uint32
	bits := 0
	for _, c := range s[at:] {
		x, bits = x<<5|uint32(base32Value(c)), bits+5
		if bits >= 8 {
			bits -= 8
			b = append(b, byte(x>>bits))
		}
	}
	// No whole number of bytes has 5 bits left over or more; those left are zero.
	return version, b, bits < 5 && x&(1<<bits-1) == 0 && len(b) >= minSealed && len(b) <= maxSealed
}

// AppendEncipher appends what [Reversible.Encipher] returns to dst. It does not
// allocate if dst has room and s has at most 56 digits or 36 characters.
func (r *Reversible) AppendEncipher(dst []byte, a Alphabet, s string) ([]byte, error) {
	if len(r.keys) == 0 {
		return dst, errReversibleNotMade
	}
	return r.keys[0].cipher(dst, "Encipher", a, s, false)
}

// Encipher replaces a text by another of the same length and alphabet, under the
// newest version. The length is 6 digits or more for [Decimal], 4 characters or more
// for [Alphanumeric], so that there are a million texts at least, and at most 8192.
// Take separators and check digits out first; what comes out has no valid check
// digit but by chance.
//
// A text does not say which version it was made with. If more than one is live, the
// caller has to keep the version beside it: see [Reversible.Version].
//
// The time it takes depends on the length, and above 56 digits or 36 characters to
// some extent on the text. Texts longer than that take math/big, which allocates;
// 8192 take some milliseconds.
//
// The error is an [*OperatorError] and contains nothing of the text. The class is
// linkable and reversible, with nothing lost.
func (r *Reversible) Encipher(a Alphabet, s string) (string, Class, error) {
	b, err := r.AppendEncipher(nil, a, s)
	if err != nil {
		return "", Class{}, err
	}
	return string(b), reversibleClass, nil
}

// RevealEnciphered is the inverse of Encipher: it returns the text that was
// enciphered under the given version, 0 for the newest. The result is in the clear
// ([Linked]).
//
// It cannot tell whether s was made with this scope and version. If it was not, the
// result is some other text, without an error. It returns an error wrapping
// [ErrSealed] if there is no such version here, and an [*OperatorError] as Encipher
// does.
func (r *Reversible) RevealEnciphered(a Alphabet, s string, version uint32) (string, error) {
	if len(r.keys) == 0 {
		return "", errReversibleNotMade
	}
	k := r.keys[0]
	if version != 0 {
		if k = r.key(version); k == nil {
			return "", &fault{ErrSealed, "version " + strconv.FormatUint(uint64(version), 10) + ": no secret here: it was destroyed, or added after NewReversible", nil}
		}
	}
	b, err := k.cipher(nil, "RevealEnciphered", a, s, true)
	return string(b), err
}

// Version returns the version that new texts are made with, 0 for the zero
// Reversible.
func (r *Reversible) Version() uint32 {
	if len(r.keys) == 0 {
		return 0
	}
	return r.keys[0].version
}

// Class returns [Linkable]: who has the secret can read what was hidden with it.
func (r *Reversible) Class() Linkability { return Linkable }

func (k *reversibleKey) cipher(dst []byte, operator string, a Alphabet, s string, decrypt bool) ([]byte, error) {
	refuse := func(problem string) ([]byte, error) { return dst, &OperatorError{operator, problem} }
	table := ff1Table(a)
	if table == nil {
		return refuse("no alphabet: choose Decimal or Alphanumeric")
	}
	if len(s) < table.minLength {
		return refuse("text is too short: 6 digits or 4 characters at least, or all of its kind could be tried")
	}
	if len(s) > ff1MaxLength {
		return refuse("text is longer than " + strconv.Itoa(ff1MaxLength) + " characters: seal it instead")
	}
	st := k.pool.Get().(*reversibleState)
	defer k.pool.Put(st)
	digits := st.digits[:0]
	for i := range len(s) {
		d := uint32(s[i]) - '0'
		if d > 9 && a == Alphanumeric {
			if d = uint32(s[i]) - 'a' + 10; d < 10 {
				d = table.radix
			}
		}
		if d >= table.radix {
			clear(digits)
			return refuse("a character is not in the alphabet: take out separators, write letters small")
		}
		digits = append(digits, uint16(d))
	}
	st.digits = digits
	st.ff1[a-1].crypt(&st.scratch, digits, st.tweak[:], decrypt)
	for _, d := range digits {
		dst = append(dst, "0123456789abcdefghijklmnopqrstuvwxyz"[d])
	}
	clear(digits)
	return dst, nil
}
