package pseudonym

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	addr4   = netip.MustParseAddr("192.0.2.7")
	prefix4 = netip.MustParsePrefix("192.0.2.7/24")
)

func canonical(v Value) (string, Code) {
	b, code := v.appendCanonical(nil)
	return string(b), code
}

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		value  Value
		want   string
		reason string
	}{
		{Bytes([]byte{0, 255}), "\x00\xff", "as is"},
		{Bytes([]byte(strings.Repeat("x", 4096))), strings.Repeat("x", 4096), "the longest value"},
		{Text(" Jané\x00 "), " Jané\x00 ", "neither trimmed nor folded"},
		{Text("P1_1_MR2GMPM4XX54SEPW4YBZPISSEQ"), "P1_1_MR2GMPM4XX54SEPW4YBZPISSEQ", "tokens are lower case"},
		{Text("see p1_1_mr2gmpm4xx54sepw4ybzpisseq"), "see p1_1_mr2gmpm4xx54sepw4ybzpisseq", "only a whole token is one"},
		{Email("\r\n\t Jane@Example.COM \t"), "jane@example.com", "trimmed and lowered"},
		{Email("j.ane+x@gmail.com"), "j.ane+x@gmail.com", "no rules of one provider in the basic form"},
		{Email("J\u0130NE@EXAMPLE.com"), "j\u0130ne@example.com", "ASCII only: U+0130 lowers to two runes elsewhere"},
		{Email("ÉMILE@example.com"), "Émile@example.com", "ASCII only"},
		{Phone("+12345678"), "+12345678", "8 digits"},
		{Phone("+123456789012345"), "+123456789012345", "15 digits"},
		{UUID([16]byte{0: 1, 7: 2, 8: 3, 15: 4}), "\x01\x00\x00\x00\x00\x00\x00\x02\x03\x00\x00\x00\x00\x00\x00\x04", "16 bytes"},
		{Int(-2), "\xff\xff\xff\xff\xff\xff\xff\xfe", "two's complement, big-endian"},
		{Int(0), "\x00\x00\x00\x00\x00\x00\x00\x00", "zero is a number, not an empty value"},
		{IP(addr4), "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x07", "IPv4 in its mapped form"},
		{IP(netip.MustParseAddr("::ffff:192.0.2.7")), "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x07", "the same address"},
		{IPPrefix(prefix4), "\x78\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x00", "96+24 bits, host part dropped"},
		{IPPrefix(netip.MustParsePrefix("::ffff:192.0.2.0/120")), "\x78\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x00", "the same network"},
		{IPPrefix(netip.MustParsePrefix("2001:db8::1/64")), "\x40\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "host part dropped"},
		{IPPrefix(netip.MustParsePrefix("2001:db8::1/0")), strings.Repeat("\x00", 17), "everything"},
		{IPPrefix(netip.MustParsePrefix("::1/128")), "\x80" + strings.Repeat("\x00", 15) + "\x01", "one address"},
		{Date("2024-02-29"), "2024-02-29", "leap day"},
		{Date("2000-02-29"), "2000-02-29", "a century divisible by 400 leaps"},
		{Composite(Text("a"), Int(1)), "\x02\x00\x00\x00\x02\x02a\x00\x00\x00\x09\x07\x00\x00\x00\x00\x00\x00\x00\x01", "count, then length, type, value"},
		{Composite(Composite(Text("a"))), "\x01\x00\x00\x00\x08\x0b\x01\x00\x00\x00\x02\x02a", "composites nest"},
		{Composite(Email(" A@b")), "\x01\x00\x00\x00\x04\x03a@b", "parts are made canonical"},
	} {
		got, code := canonical(tt.value)
		require.Zero(t, code, "%s: %s", code, tt.reason)
		assert.Equal(t, hex.EncodeToString([]byte(tt.want)), hex.EncodeToString([]byte(got)), tt.reason)
	}
}

// The rows are those of the normalisation table in the documentation of Unified
// ID 2.0 (IABTechLab/uid2docs, Apache-2.0), and some for the edges.
func TestEmailUID2(t *testing.T) {
	for _, tt := range []struct{ value, want, reason string }{
		{"MYEMAIL@example.com", "myemail@example.com", "lowered"},
		{"My.Email@example.com", "my.email@example.com", "dots stay outside gmail.com"},
		{"JaneSaoirse+Work@example.com", "janesaoirse+work@example.com", "suffix stays outside gmail.com"},
		{"JANE.SAOIRSE@gmail.com", "janesaoirse@gmail.com", "dots go"},
		{"JaneSaoirse+Work@gmail.com", "janesaoirse@gmail.com", "suffix goes"},
		{" a.b+c.d+e@GMAIL.com\n", "ab@gmail.com", "after lowering, from the first plus on"},
		{"a.b@x.gmail.com", "a.b@x.gmail.com", "that very domain only"},
		{"a.b@googlemail.com", "a.b@googlemail.com", "that very domain only"},
		{"a.b@gmail.com.", "a.b@gmail.com.", "that very domain only"},
	} {
		got, code := canonical(EmailUID2(tt.value))
		require.Zero(t, code, tt.reason)
		assert.Equal(t, tt.want, got, tt.reason)
		again, code := canonical(EmailUID2(got))
		require.Zero(t, code)
		assert.Equal(t, got, again, "canonical is a fixed point")
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("x", 4097)
	for _, tt := range []struct {
		value  Value
		code   Code
		reason string
	}{
		{Value{}, CodeNoType, "the zero Value"},
		{Bytes(nil), CodeEmpty, "nothing to pseudonymise"},
		{Text(""), CodeEmpty, "every missing value would get one token"},
		{Email(" \r\n\t"), CodeEmpty, "nothing is left after trimming"},
		{EmailUID2(""), CodeEmpty, "nothing to pseudonymise"},
		{Phone(""), CodeEmpty, "nothing to pseudonymise"},
		{Date(""), CodeEmpty, "nothing to pseudonymise"},
		{Bytes([]byte(long)), CodeTooLong, "4096 bytes at most"},
		{Text(long), CodeTooLong, "4096 bytes at most"},
		{Email(long[:4093] + "@b.c"), CodeTooLong, "4096 bytes at most, after trimming"},
		{Composite(Text(long[:4090]), Text("x")), CodeTooLong, "4096 bytes with prefixes"},
		{Text("\xff"), CodeNotUTF8, "two programs could read it differently"},
		{Email("a\xff@b"), CodeNotUTF8, "two programs could read it differently"},
		{Text("p1_1_mr2gmpm4xx54sepw4ybzpisseq"), CodeToken, "a pseudonym of a pseudonym"},
		{Bytes([]byte("p1_1_mr2gmpm4xx54sepw4ybzpisseq")), CodeToken, "a pseudonym of a pseudonym"},
		{Text("s1_10_mr2gmpm4xx54sepw4ybz"), CodeToken, "subject tokens are tokens"},
		{Text("p1_zzzzzzz_mr2gmpm4xx54sepw4ybz22"), CodeToken, "refused by the pattern, whether it could be parsed or not"},
		{Composite(Int(1), Text("p1_1_mr2gmpm4xx54sepw4ybzpisseq")), CodeToken, "in a part as well"},
		{Text("v1_1_" + strings.Repeat("a", 29)), CodeToken, "sealed text, the shortest there is"},
		{Bytes([]byte("v1_zz_" + strings.Repeat("7", 500))), CodeToken, "sealed text"},
		{Composite(Text("v1_1_" + strings.Repeat("a", 29))), CodeToken, "sealed text in a part"},
		{Text("r1_" + strings.Repeat("a", 26)), CodeToken, "a random token stands for a person already"},
		{Bytes([]byte("r1_" + strings.Repeat("7", 26))), CodeToken, "a random token"},
		{Email("p1_1_mr2gmpm4xx54sepw4ybzpisseq"), CodeNotInForm, "a token is no address"},
		{Email("jane"), CodeNotInForm, "no @"},
		{Email("jane@b@c"), CodeNotInForm, "two of them"},
		{Email("@example.com"), CodeNotInForm, "nothing before the @"},
		{Email("jane@"), CodeNotInForm, "nothing after the @"},
		{Email("@"), CodeNotInForm, "nothing on either side"},
		{Email("Jane <jane@example.com>"), CodeNotInForm, "a header, not an address"},
		{Email("<jane@example.com>"), CodeNotInForm, "a path, not an address"},
		{Email("ja ne@example.com"), CodeNotInForm, "space inside"},
		{Email("jane@example.com\x00"), CodeNotInForm, "control character"},
		{Email("jane@example.com\u00a0"), CodeNotInForm, "only ASCII space is trimmed, none is hashed"},
		{Email("jane@example.com\u0085"), CodeNotInForm, "control character"},
		{EmailUID2("+x@gmail.com"), CodeNotInForm, "nothing is left before the @"},
		{EmailUID2("...@gmail.com"), CodeNotInForm, "nothing is left before the @"},
		{Phone("+1234567"), CodeNotInForm, "7 digits"},
		{Phone("+1234567890123456"), CodeNotInForm, "16 digits"},
		{Phone("004912345678"), CodeNotInForm, "not in international form"},
		{Phone("+1 425 555 0100"), CodeNotInForm, "spaces"},
		{Phone(" +14255550100"), CodeNotInForm, "spaces"},
		{Phone("+１４２５５５５０１００"), CodeNotInForm, "digits of another script"},
		{IP(netip.Addr{}), CodeNotInForm, "the zero address"},
		{IP(netip.MustParseAddr("fe80::1%eth0")), CodeNotInForm, "a zone has a meaning on one host only"},
		{IPPrefix(netip.Prefix{}), CodeNotInForm, "the zero prefix"},
		{Date("2023-02-29"), CodeNotInForm, "not in the calendar"},
		{Date("1900-02-29"), CodeNotInForm, "a century that does not leap"},
		{Date("2024-04-31"), CodeNotInForm, "not in the calendar"},
		{Date("2024-13-01"), CodeNotInForm, "not in the calendar"},
		{Date("2024-00-01"), CodeNotInForm, "not in the calendar"},
		{Date("2024-01-00"), CodeNotInForm, "not in the calendar"},
		{Date("2024-1-1"), CodeNotInForm, "two digits each"},
		{Date("2024-01-01T00:00:00Z"), CodeNotInForm, "a day, not a time"},
		{Date("01/01/2024"), CodeNotInForm, "the order of day and month is unknown"},
		{Date("٢٠٢٤-01-01"), CodeNotInForm, "digits of another script"},
		{Composite(), CodeNotInForm, "no parts"},
		{Composite(make([]Value, 256)...), CodeNotInForm, "the count is one byte"},
		{Composite(Int(1), Value{}), CodeNoType, "a part without a type"},
		{Composite(Int(1), Text("")), CodeEmpty, "a part that is missing"},
		{Composite(Composite(Phone("x"))), CodeNotInForm, "a part of a part"},
	} {
		_, err := testPseudonymiser(t).Token(tt.value)
		var refused *ValueError
		require.ErrorAs(t, err, &refused, tt.reason)
		assert.Equal(t, tt.code, refused.Code, "%s, want %s: %s", refused.Code, tt.code, tt.reason)
		assert.Equal(t, tt.value.Type(), refused.Type)
		assert.NotEqual(t, "invalid", refused.Code.String())
		assert.Regexp(t, `^pseudonym: [a-z0-9-]+: [^:]+: .+$`, err.Error(), "what, and how to mend it")
	}
}

func TestValueIsSmall(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(Value{}), uintptr(64), "one cache line")
	raw := []byte(strings.Repeat("x", 100))
	text := string(raw)
	var v Value
	for name, f := range map[string]func(){
		"bytes": func() { v = Bytes(raw) }, "text": func() { v = Text(text) }, "email": func() { v = Email(text) },
		"phone": func() { v = Phone(text) }, "uuid": func() { v = UUID([16]byte(raw)) }, "int": func() { v = Int(1) },
		"ip": func() { v = IP(addr4) }, "ip-prefix": func() { v = IPPrefix(prefix4) }, "date": func() { v = Date(text) },
	} {
		assert.Zero(t, testing.AllocsPerRun(100, f), name)
	}
	_ = v
}

// Nested composites share parts; the bound on the form must stop them before
// they grow as the number of leaves does.
func TestCompositeIsBounded(t *testing.T) {
	v := Text("x")
	for range 60 {
		v = Composite(v, v)
	}
	_, code := canonical(v)
	assert.Equal(t, CodeTooLong, code)
}

func TestValueDoesNotPrint(t *testing.T) {
	v := Email("canary@example.test")
	for verb := 'A'; verb <= 'z'; verb++ {
		if verb == 'p' || verb == 'w' || verb == '[' {
			continue // fmt asks no method for the first two; the third begins an index
		}
		for _, flags := range []string{"", "+", "#", "-40", " "} {
			for _, x := range []any{v, &v, []Value{v}, struct{ V Value }{v}, map[string]Value{"x": v}} {
				assert.NotContains(t, fmt.Sprintf("%"+flags+string(verb), x), "canary", "%s%c", flags, verb)
			}
		}
	}
	text, err := json.Marshal(struct{ V Value }{v})
	require.NoError(t, err)
	assert.NotContains(t, string(text), "canary")
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"jane@example.com", " J.ane+x@gmail.COM\n", "a@b@c", "@", "J\u0130@x", "a\xff@b", "...@gmail.com", "a@gmail.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, code := canonical(Email(s))
		want, ok := refEmail(s)
		if len(strings.Trim(s, " \t\r\n")) <= MaxValue {
			require.Equal(t, ok, code == 0, "code %s", code)
		}
		if code == 0 {
			require.Equal(t, want, got)
			again, code := canonical(Email(got))
			require.Zero(t, code, "canonical form is refused")
			require.Equal(t, got, again, "canonical form is not a fixed point")
		}

		uid2, code2 := canonical(EmailUID2(s))
		if code2 == 0 {
			require.Zero(t, code, "EmailUID2 accepts what Email refuses")
			again, code := canonical(EmailUID2(uid2))
			require.Zero(t, code, "canonical form is refused")
			require.Equal(t, uid2, again, "canonical form is not a fixed point")
			same, code := canonical(EmailUID2(got))
			require.Zero(t, code)
			require.Equal(t, uid2, same, "the basic form comes first")
		}
	})
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"+14255550100", "+1234567", "+123456789012345", "+1 425", "004912345678", "+１2345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, code := canonical(Phone(s))
		require.Equal(t, refPhone1.MatchString(s), code == 0)
		if code == 0 {
			require.Equal(t, s, got, "an accepted number is canonical")
		}
	})
}
