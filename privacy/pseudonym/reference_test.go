package pseudonym

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A second implementation, written from the definition in the package
// documentation and as plainly as it can be: it shares no code with the first
// and uses neither crypto/hmac nor crypto/hkdf.

func refHMAC(key, msg []byte) []byte {
	if len(key) > 64 {
		h := sha256.Sum256(key)
		key = h[:]
	}
	inner, outer := make([]byte, 64), make([]byte, 64)
	copy(inner, key)
	copy(outer, key)
	for i := range 64 {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	h := sha256.Sum256(append(inner, msg...))
	h = sha256.Sum256(append(outer, h[:]...))
	return h[:]
}

func refLP(s string) string {
	return string([]byte{byte(len(s) >> 24), byte(len(s) >> 16), byte(len(s) >> 8), byte(len(s))}) + s
}

func refMAC(secret []byte, s Scope, version uint32, typ byte, canonical string) []byte {
	info := "privacy/pseudonym/v1\x00" + refLP(s.Tenant) + refLP(s.Purpose) + refLP(s.Category) +
		string(binary.BigEndian.AppendUint32(nil, version))
	prk := refHMAC(make([]byte, 32), secret)
	key := refHMAC(prk, []byte(info+"\x01"))
	return refHMAC(key, append([]byte{typ}, canonical...))
}

func refToken(mac []byte, version uint32, n int) string {
	return "p1_" + strconv.FormatUint(uint64(version), 36) + "_" +
		strings.ToLower(strings.TrimRight(base32.StdEncoding.EncodeToString(mac[:n]), "="))
}

// A form is a value with its canonical bytes as the reference sees them; ok is
// false if it has none.
type form struct {
	value     Value
	typ       byte
	canonical string
	ok        bool
}

var (
	refToken1 = regexp.MustCompile(TokenPattern)
	refPhone1 = regexp.MustCompile(`^\+[0-9]{8,15}$`)
)

func refPlain(s string) bool {
	return s != "" && len(s) <= 4096 && !refToken1.MatchString(s)
}

func refEmail(s string) (string, bool) {
	s = strings.Trim(s, " \t\r\n")
	valid := utf8.ValidString(s) // before Map replaces what is not
	s = strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 32
		}
		return r
	}, s)
	local, domain, ok := strings.Cut(s, "@")
	return s, ok && local != "" && domain != "" && !strings.Contains(domain, "@") && valid &&
		!regexp.MustCompile(`[\s\x00-\x20\x{7f}-\x{a0}<>\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`).MatchString(s)
}

func refEmailUID2(s string) (string, bool) {
	s, ok := refEmail(s)
	if local, found := strings.CutSuffix(s, "@gmail.com"); ok && found {
		local, _, _ = strings.Cut(local, "+")
		local = strings.ReplaceAll(local, ".", "")
		return local + "@gmail.com", local != ""
	}
	return s, ok
}

func drawForm(t *rapid.T) form {
	short := rapid.StringMatching(`[a-cA-C0-9+.@ é\x{130}\x{a0}<\t]{0,12}`)
	switch rapid.IntRange(1, 11).Draw(t, "type") {
	case 1:
		s := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes")
		return form{Bytes(s), 1, string(s), refPlain(string(s))}
	case 2:
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ps]1_[0-9a-z]{1,7}_[a-z2-7]{18,30}`)).Draw(t, "text")
		return form{Text(s), 2, s, refPlain(s)}
	case 3:
		s := rapid.OneOf(short, rapid.StringMatching(`[A-Za-z.+]{1,9}@[A-Za-zé.]{1,9}`)).Draw(t, "email")
		c, ok := refEmail(s)
		return form{Email(s), 3, c, ok}
	case 4:
		s := rapid.StringMatching(` ?[A-Ca-c.+]{0,9}@([Gg]mail\.com|a\.gmail\.com|x)\t?`).Draw(t, "email")
		c, ok := refEmailUID2(s)
		return form{EmailUID2(s), 4, c, ok}
	case 5:
		s := rapid.StringMatching(`\+?[0-9]{6,17} ?`).Draw(t, "phone")
		return form{Phone(s), 5, s, refPhone1.MatchString(s)}
	case 6:
		u := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		return form{UUID(u), 6, string(u[:]), true}
	case 7:
		n := rapid.Int64().Draw(t, "int")
		return form{Int(n), 7, string(binary.BigEndian.AppendUint64(nil, uint64(n))), true}
	case 8:
		a := drawAddr(t)
		b := a.As16()
		return form{IP(a), 8, string(b[:]), true}
	case 9:
		a := drawAddr(t)
		n := rapid.IntRange(-1, a.BitLen()+1).Draw(t, "bits")
		p := netip.PrefixFrom(a, n)
		if n < 0 || n > a.BitLen() {
			return form{IPPrefix(p), 9, "", false}
		}
		b := a.As16()
		long := n + 128 - a.BitLen()
		for i := long; i < 128; i++ {
			b[i/8] &^= 0x80 >> (i % 8)
		}
		return form{IPPrefix(p), 9, string(append([]byte{byte(long)}, b[:]...)), true}
	case 10:
		s := rapid.StringMatching(`[012][09][02468][0-9]-[01][0-9]-[0-3][0-9]`).Draw(t, "date")
		_, err := time.Parse(time.DateOnly, s)
		return form{Date(s), 10, s, err == nil}
	default:
		n := rapid.IntRange(0, 3).Draw(t, "parts")
		c, ok := string([]byte{byte(n)}), n > 0
		var parts []Value
		for range n {
			p := drawForm(t)
			parts = append(parts, p.value)
			ok = ok && p.ok
			c += refLP(string([]byte{p.typ}) + p.canonical)
		}
		return form{Composite(parts...), 11, c, ok && len(c) <= 4096}
	}
}

func drawAddr(t *rapid.T) netip.Addr {
	b := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address"))
	switch rapid.IntRange(0, 2).Draw(t, "family") {
	case 0:
		return netip.AddrFrom4([4]byte(b[:4]))
	case 1:
		return netip.AddrFrom16(netip.AddrFrom4([4]byte(b[:4])).As16())
	}
	return netip.AddrFrom16(b)
}

func drawScope(t *rapid.T) Scope {
	part := rapid.OneOf(rapid.StringMatching(`[ab.]{1,3}`), rapid.StringN(1, 60, 255))
	return Scope{
		part.Draw(t, "tenant"),
		part.Filter(func(s string) bool { return s[0] != '_' }).Draw(t, "purpose"),
		part.Draw(t, "category"),
	}
}

func drawSecret(t *rapid.T) []byte {
	return rapid.SliceOfN(rapid.Byte(), 32, 32).
		Filter(func(b []byte) bool { return [32]byte(b) != [32]byte{} }).Draw(t, "secret")
}

func TestAgreesWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret, scope := drawSecret(t), drawScope(t)
		version := rapid.Uint32Min(1).Draw(t, "version")
		n := rapid.IntRange(12, 32).Draw(t, "id length")
		f := drawForm(t)

		s, err := NewSecret(secret)
		require.NoError(t, err)
		var store Memory
		require.NoError(t, store.Add(scope.Tenant, version, s))
		p, err := New(t.Context(), &store, scope, WithIDLength(n))
		require.NoError(t, err)

		got, err := p.Append([]byte("before "), f.value)
		if !f.ok {
			var refused *ValueError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, Type(f.typ), refused.Type)
			require.NotZero(t, refused.Code)
			require.Equal(t, "before ", string(got), "dst changed")
			_, err = p.Token(f.value)
			require.Equal(t, error(refused), err)
			_, err = p.UUID(f.value)
			require.Equal(t, error(refused), err)
			_, err = p.Candidates(f.value)
			require.Equal(t, error(refused), err)
			return
		}
		require.NoError(t, err)
		mac := refMAC(secret, scope, version, f.typ, f.canonical)
		want := refToken(mac, version, n)
		require.Equal(t, "before "+want, string(got))
		require.Regexp(t, TokenPattern, want)

		token, err := p.Token(f.value)
		require.NoError(t, err)
		require.Equal(t, want, token.String())
		require.Equal(t, mac[:n], token.ID())
		parsed, err := ParseToken(want)
		require.NoError(t, err)
		require.Equal(t, token, parsed)

		u, err := p.UUID(f.value)
		require.NoError(t, err)
		mac[6], mac[8] = mac[6]&15|128, mac[8]&63|128
		require.Equal(t, mac[:16], u[:])
	})
}
