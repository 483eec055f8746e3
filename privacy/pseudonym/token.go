package pseudonym

import (
	"strconv"
)

// TokenPattern is a regular expression (RE2 syntax, anchored) that every token
// matches: the suite, the version in base 36, the id in base 32. It is meant for
// recognising tokens, in a classifier or a column constraint. A [Text] or [Bytes] value
// must not match it, nor [SealedPattern] or [RandomPattern]. It is a little wider than
// [ParseToken], which also refuses versions beyond 32 bits, lengths that no id
// has, and unused bits that are not zero.
const TokenPattern = `^[ps]1_[1-9a-z][0-9a-z]{0,6}_[a-z2-7]{20,52}$`

// Limits of an id, in bytes, and of a token's text.
const (
	MinIDLength     = 12
	MaxIDLength     = 32
	DefaultIDLength = 16

	// The same in base 32.
	minIDText = 20
	maxIDText = 52

	maxPrefix    = len("p1_1z141z3_")
	maxTokenText = maxPrefix + maxIDText
)

type suite byte

const (
	suiteP1 suite = 'p' // keyed for the scope
	suiteS1 suite = 's' // keyed for the scope and the subject
)

// A Token is one pseudonym. It is pseudonymous, not anonymous, and may be stored
// and printed. Tokens are comparable with == and usable as map keys; two tokens
// are equal if and only if their texts are.
//
// The zero Token is no token: its text is empty.
type Token struct {
	suite   suite
	n       uint8
	version uint32
	id      [MaxIDLength]byte // bytes from n on are zero
}

// Suite returns the construction, "p1" or "s1", or "" for the zero Token.
func (t Token) Suite() string {
	switch t.suite {
	case suiteP1:
		return "p1"
	case suiteS1:
		return "s1"
	}
	return ""
}

// Version returns the version of the secret, at least 1; 0 for the zero Token.
func (t Token) Version() uint32 { return t.version }

// ID returns a copy of the id, 12 to 32 bytes; none for the zero Token.
func (t Token) ID() []byte { return append([]byte(nil), t.id[:t.n]...) }

// String returns the text of the token.
func (t Token) String() string {
	var b [maxTokenText]byte
	return string(t.append(b[:0]))
}

// AppendText appends the text of the token. It is the encoding.TextAppender and
// returns an error for the zero Token.
func (t Token) AppendText(dst []byte) ([]byte, error) {
	if t.n == 0 {
		return dst, &fault{ErrToken, "zero token: make one with Pseudonymiser.Token", nil}
	}
	return t.append(dst), nil
}

// MarshalText implements encoding.TextMarshaler.
func (t Token) MarshalText() ([]byte, error) { return t.AppendText(nil) }

// UnmarshalText implements encoding.TextUnmarshaler with the rules of
// [ParseToken].
func (t *Token) UnmarshalText(text []byte) error {
	u, err := parseToken(text)
	if err == nil {
		*t = u
	}
	return err
}

func (t *Token) append(dst []byte) []byte {
	if t.n == 0 {
		return dst
	}
	dst = appendPrefix(dst, t.suite, t.version)
	return appendBase32(dst, t.id[:t.n])
}

func appendPrefix(dst []byte, s suite, version uint32) []byte {
	dst = append(dst, byte(s), '1', '_')
	dst = strconv.AppendUint(dst, uint64(version), 36)
	return append(dst, '_')
}

// ParseToken reads the text of a token. It accepts only the spelling that
// [Token.String] writes: no spaces, no capitals, no leading zeros, no unused
// bits. The error wraps [ErrToken] and does not contain s.
//
// A token that can be parsed was not necessarily made by anybody: there is
// nothing to verify in a pseudonym.
func ParseToken(s string) (Token, error) {
	var b [maxTokenText + 1]byte // what is cut off was too long anyway
	return parseToken(b[:copy(b[:], s)])
}

func parseToken(s []byte) (Token, error) {
	at, ok := tokenParts(s)
	if !ok {
		return Token{}, &fault{ErrToken, "text is not written like one: see TokenPattern", nil}
	}
	version, ok := versionOf(s, at)
	if !ok {
		return Token{}, &fault{ErrToken, "version is beyond 32 bits: the text was not made by this package", nil}
	}
	t := Token{suite: suite(s[0]), version: version}
	if t.n, ok = decodeBase32(&t.id, s[at:]); !ok {
		return Token{}, &fault{ErrToken, "id has a length or unused bits that no id has: the text was cut or changed", nil}
	}
	return t, nil
}

// issued tells whether s is written like something that this package made out of a
// value: a token, sealed text or a random token. To take it for a value would hide the
// value twice.
func issued(s []byte) bool {
	if len(s) < len("p1_1_")+minIDText { // no such text is shorter
		return false
	}
	switch s[0] {
	case 'p', 's':
		return matchesToken(s)
	case 'v':
		_, ok := versionedText(s, minSealedText, maxSealedText)
		return ok
	case 'r':
		return len(s) == len("r1_")+randomText && s[1] == '1' && s[2] == '_' && inBase32(s[len("r1_"):])
	}
	return false
}

// matchesToken is TokenPattern without package regexp.
func matchesToken(s []byte) bool {
	_, ok := tokenParts(s)
	return ok
}

// tokenParts returns the index of the id.
func tokenParts(s []byte) (at int, ok bool) {
	if len(s) == 0 || s[0] != 'p' && s[0] != 's' {
		return 0, false
	}
	return versionedText(s, minIDText, maxIDText)
}

// versionedText reads what follows the letter of a suite: 1_, a version in base 36 of
// at most 7 digits, _, and least to most characters in base 32, whose index it returns.
func versionedText(s []byte, least, most int) (at int, ok bool) {
	if len(s) < len("p1_1_")+least || len(s) > maxPrefix+most || s[1] != '1' || s[2] != '_' || s[3] == '0' {
		return 0, false
	}
	at = 3
	for at < 3+7 && isBase36(s[at]) {
		at++
	}
	if at == 3 || s[at] != '_' {
		return 0, false
	}
	at++
	if n := len(s) - at; n < least || n > most {
		return 0, false
	}
	return at, inBase32(s[at:])
}

// versionOf reads the version before index at; it is beyond 32 bits in text that nobody
// issued.
func versionOf(s []byte, at int) (version uint32, ok bool) {
	n := uint64(0)
	for i := 3; i < at-1; i++ {
		d := uint64(s[i] - '0')
		if s[i] >= 'a' {
			d = uint64(s[i]-'a') + 10
		}
		n = n*36 + d // at most 7 digits: cannot overflow
	}
	return uint32(n), n <= 1<<32-1
}

func inBase32(s []byte) bool {
	for i := 0; i < len(s); i++ {
		if base32Value(s[i]) > 31 {
			return false
		}
	}
	return true
}

func isBase36(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' }

const base32Alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// appendBase32 is RFC 4648 in lower case and without padding. Package
// encoding/base32 would do, were its decoder not to skip line breaks and to
// ignore unused bits; with the decoder written here, so is the encoder.
func appendBase32(dst, src []byte) []byte {
	for len(src) >= 5 {
		x := uint64(src[0])<<32 | uint64(src[1])<<24 | uint64(src[2])<<16 | uint64(src[3])<<8 | uint64(src[4])
		dst = append(dst,
			base32Alphabet[x>>35&31], base32Alphabet[x>>30&31], base32Alphabet[x>>25&31], base32Alphabet[x>>20&31],
			base32Alphabet[x>>15&31], base32Alphabet[x>>10&31], base32Alphabet[x>>5&31], base32Alphabet[x&31])
		src = src[5:]
	}
	var x uint32
	bits := 0
	for _, b := range src {
		x, bits = x<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			dst = append(dst, base32Alphabet[x>>bits&31])
		}
	}
	if bits > 0 {
		dst = append(dst, base32Alphabet[x<<(5-bits)&31])
	}
	return dst
}

// base32Value returns a number above 31 for a byte outside the alphabet.
func base32Value(c byte) byte {
	switch {
	case 'a' <= c && c <= 'z':
		return c - 'a'
	case '2' <= c && c <= '7':
		return c - '2' + 26
	}
	return 0xff
}

// decodeBase32 reads at most 52 characters of the alphabet. It refuses a length
// that no whole number of bytes has, and unused bits that are not zero: either
// would give one id two spellings.
func decodeBase32(id *[MaxIDLength]byte, s []byte) (n uint8, ok bool) {
	var x uint32
	bits := 0
	for i := 0; i < len(s); i++ {
		x, bits = x<<5|uint32(base32Value(s[i])), bits+5
		if bits >= 8 {
			bits -= 8
			id[n] = byte(x >> bits)
			n++
		}
	}
	return n, bits < 5 && x&(1<<bits-1) == 0 && n >= MinIDLength
}

// UUIDv8 is a pseudonym for a column of type uuid: 122 bits of the same MAC that
// a token is made of, with version 8 and the variant of RFC 9562. It converts to
// other UUID types, which are [16]byte too. It does not tell the version of its
// secret.
type UUIDv8 [16]byte

// String returns the usual form in lower case, 36 characters.
func (u UUIDv8) String() string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, 36)
	for i, c := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return string(b)
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (u UUIDv8) MarshalText() ([]byte, error) { return []byte(u.String()), nil }
