package detect_test

import (
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/classify/detect"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// Published values, and what is near to them.
func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		check  func(string) bool
		text   string
		want   bool
		reason string
	}{
		{"luhn", detect.Luhn, "79927398713", true, "the example of the patent, US 2,950,048"},
		{"luhn", detect.Luhn, "79927398710", false, "check digit"},
		{"luhn", detect.Luhn, "4111111111111111", true, "a test card"},
		{"luhn", detect.Luhn, "4111 1111 1111 1111", false, "separators are not skipped"},
		{"luhn", detect.Luhn, "0", false, "a check digit alone"},
		{"luhn", detect.Luhn, "", false, "nothing"},
		{"mod97", detect.Mod97, "3214282912345698765432161182", true, "the example of ISO 13616 with letters as numbers"},
		{"mod97", detect.Mod97, "3214282912345698765432161183", false, "check digits"},
		{"iban", detect.IBAN, "GB82 WEST 1234 5698 7654 32", true, "the example of ISO 13616"},
		{"iban", detect.IBAN, "gb82west12345698765432", true, "small letters"},
		{"iban", detect.IBAN, "GB82WEST12345698765431", false, "check digits"},
		{"iban", detect.IBAN, "GB82WEST1234569876543", false, "length"},
		{"iban", detect.IBAN, "MT84MALT011000012345MTLCAST001S", true, "letters in the account"},
		{"iban", detect.IBAN, "NO9386011117947", true, "the shortest"},
		{"iban", detect.IBAN, "LC55HEMM000100010012001200023015", true, "32 characters"},
		{"iban", detect.IBAN, "GB82  WEST12345698765432", false, "two blanks"},
		{"iban", detect.IBAN, "ZZ82WEST12345698765432", false, "no country"},
		{"mod11", detect.Mod11, "000000012146438X", true, "an ISNI, ISO 27729"},
		{"mod11", detect.Mod11, "000000021694233X", true, "an ORCID"},
		{"mod11", detect.Mod11, "000000021694233x", true, "small x"},
		{"mod11", detect.Mod11, "0000000216942331", false, "check character"},
		{"mod1110", detect.Mod1110, "07945", true, "the example of ISO/IEC 7064"},
		{"mod1110", detect.Mod1110, "69435151530", true, "an OIB"},
		{"mod1110", detect.Mod1110, "07946", false, "check digit"},
		{"verhoeff", detect.Verhoeff, "2363", true, "the example of the literature"},
		{"verhoeff", detect.Verhoeff, "2364", false, "check digit"},
		{"verhoeff", detect.Verhoeff, "1428570", true, "142857 with its digit"},
		{"damm", detect.Damm, "5724", true, "Damm's example"},
		{"damm", detect.Damm, "5727", false, "check digit"},
		{"isin", detect.ISIN, "US0378331005", true, "Apple"},
		{"isin", detect.ISIN, "AU0000XVGZA3", true, "letters in the number"},
		{"isin", detect.ISIN, "US0373831005", false, "two digits exchanged"},
		{"isin", detect.ISIN, "0S0378331005", false, "no country"},
		{"icao", detect.ICAO, "L898902C36", true, "the document number of ICAO 9303, part 4"},
		{"icao", detect.ICAO, "7408122", true, "its date of birth"},
		{"icao", detect.ICAO, "ZE184226B<<<<<1", true, "its personal number"},
		{"icao", detect.ICAO, "7408123", false, "check digit"},
		{"base58check", detect.Base58Check, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", true, "the first address of all"},
		{"base58check", detect.Base58Check, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", true, "a script address"},
		{"base58check", detect.Base58Check, "1111111111111111111114oLvT2", true, "leading zeros"},
		{"base58check", detect.Base58Check, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", false, "checksum"},
		{"base58check", detect.Base58Check, "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", false, "no 0 in the alphabet"},
		{"bech32", detect.Bech32, "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", true, "BIP 173"},
		{"bech32", detect.Bech32, "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", true, "BIP 173"},
		{"bech32", detect.Bech32, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", true, "BIP 350"},
		{"bech32", detect.Bech32, "A12UEL5L", true, "BIP 173, another prefix"},
		{"bech32", detect.Bech32, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", false, "BIP 350: version 1 with the old checksum"},
		{"bech32", detect.Bech32, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", false, "checksum"},
		{"bech32", detect.Bech32, "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", false, "mixed case"},
		{"bech32", detect.Bech32, "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", false, "BIP 173: program of 16 bytes in version 0"},
		{"cidr", detect.CIDR, "192.0.2.0/24", true, "RFC 5737"},
		{"cidr", detect.CIDR, "2001:db8::/32", true, "RFC 3849"},
		{"cidr", detect.CIDR, "192.0.2.0/33", false, "too long a prefix"},
		{"cidr", detect.CIDR, "192.0.2.0/08", false, "leading zero"},
		{"domain", detect.Domain, "www.example.com", true, "RFC 2606"},
		{"domain", detect.Domain, "bücher.de", true, "letters outside ASCII"},
		{"domain", detect.Domain, "xn--bcher-kva.de", true, "the same in punycode"},
		{"domain", detect.Domain, "пример.рф", true, "a top level outside ASCII"},
		{"domain", detect.Domain, "host.internal", true, "a private network"},
		{"domain", detect.Domain, "com", false, "a top level alone"},
		{"domain", detect.Domain, "example.notatld", false, "no such top level"},
		{"domain", detect.Domain, "-a.com", false, "a hyphen at the edge"},
		{"domain", detect.Domain, "a..com", false, "an empty label"},
		{"domain", detect.Domain, strings.Repeat("a", 64) + ".com", false, "64 characters in a label"},
		{"uuid", detect.UUID, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true, "RFC 9562"},
		{"uuid", detect.UUID, "{F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6}", true, "as Windows writes it"},
		{"uuid", detect.UUID, "00000000-0000-0000-0000-000000000000", false, "the nil UUID"},
		{"uuid", detect.UUID, "f81d4fae7dec11d0a76500a0c91e6bf6", false, "no hyphens"},
		{"ulid", detect.ULID, "01ARZ3NDEKTSV4RRFFQ69G5FAV", true, "the specification's"},
		{"ulid", detect.ULID, "81ARZ3NDEKTSV4RRFFQ69G5FAV", false, "more than 128 bits"},
		{"ulid", detect.ULID, "01ARZ3NDEKTSV4RRFFQ69G5FAU", false, "no U in the alphabet"},
		{"ymd", detect.YMD, "20240229", true, "a leap year"},
		{"ymd", detect.YMD, "20230229", false, "none"},
		{"ymd", detect.YMD, "19000229", false, "none: a hundredth year"},
		{"ymd", detect.YMD, "20241301", false, "no month 13"},
		{"yymmdd", detect.YYMMDD, "240229", true, "a leap year"},
		{"yymmdd", detect.YYMMDD, "230229", false, "none"},
		{"yymmdd", detect.YYMMDD, "000229", true, "of 2000"},
		{"yymmdd", detect.YYMMDD, "241300", false, "no such month"},
		{"yymmdd", detect.YYMMDD, "2402290", false, "seven digits"},
		{"email", detect.Email, "jane.doe+x@mail.example.com", true, "an address"},
		{"email", detect.Email, "jane..doe@example.com", false, "an empty piece"},
		{"email", detect.Email, ".jane@example.com", false, "a full stop in front"},
		{"email", detect.Email, "jane.@example.com", false, "a full stop at the end"},
		{"email", detect.Email, "@example.com", false, "nobody"},
		{"email", detect.Email, "jane@joe@example.com", false, "two of them"},
		{"email", detect.Email, strings.Repeat("a", 64) + "@example.com", true, "64 bytes"},
		{"email", detect.Email, strings.Repeat("a", 65) + "@example.com", false, "65 bytes"},
		{"email", detect.Email, "module@v1.2.3.example.com", false, "a version of a package"},
		{"email", detect.Email, "jane@1und1.de", true, "digits are no version"},
		{"email", detect.Email, "jane@example", false, "no top level"},
		{"email", detect.Email, "jane@" + strings.Repeat("a.", 130) + "com", false, "too long"},
		{"mod37", detect.Mod37, "G123498654321H", true, "ISO/IEC 7064, the example of ISBT 128"},
		{"mod37", detect.Mod37, "G123498654321I", false, "another check character"},
		{"mod3736", detect.Mod3736, "A12425GABC1234002M", true, "GRid, IFPI GRid Standard 2.1"},
		{"mod3736", detect.Mod3736, "A12425GABC1234003M", false, "another digit"},
		{"eip55", detect.EIP55, "0x52908400098527886E0F7030069857D2E4169EE7", true, "EIP-55, all letters capitals"},
		{"eip55", detect.EIP55, "0x8617E340B3D01FA5F11F306F4090FD50E238070D", true, "EIP-55, all letters capitals"},
		{"eip55", detect.EIP55, "0xde709f2102306220921060314715629080e2fb77", true, "EIP-55, all letters small"},
		{"eip55", detect.EIP55, "0x27b1fdb04752bbc536007a920d24acb045561c26", true, "EIP-55, all letters small"},
		{"eip55", detect.EIP55, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", true, "EIP-55"},
		{"eip55", detect.EIP55, "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", true, "EIP-55"},
		{"eip55", detect.EIP55, "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", true, "EIP-55"},
		{"eip55", detect.EIP55, "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", true, "EIP-55"},
		{"eip55", detect.EIP55, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", false, "the last letter in the other case"},
		{"eip55", detect.EIP55, "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", false, "small letters alone carry no sum"},
		{"eip55", detect.EIP55, "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", false, "capitals alone carry no sum"},
		{"eip55", detect.EIP55, "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", false, "the prefix is small"},
		{"eip55", detect.EIP55, "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", false, "no prefix"},
		{"eip55", detect.EIP55, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", false, "39 digits"},
		{"eip55", detect.EIP55, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", false, "no hexadecimal digit"},
		{"eip55", detect.EIP55, "0x1234567890123456789012345678901234567890", false, "no letter, no sum"},
		{"crc62", detect.CRC62, "Zq3v8L1xR7tYw2Kd9sBnPa4FgHj6Mc3IQgIW", true, "a token that nobody was given"},
		{"crc62", detect.CRC62, "Zq3v8L1xR7tYw2Kd9sBnPa4FgHj6Mc3IQgIX", false, "another checksum"},
		{"crchex", detect.CRCHex, "123456789cbf43926", true, "the check value of CRC-32"},
		{"crchex", detect.CRCHex, "123456789CBF43926", true, "in capitals"},
		{"crchex", detect.CRCHex, "123456789cbf43927", false, "another checksum"},
	} {
		assert.Equal(t, tt.want, tt.check(tt.text), "%s(%q): %s", tt.name, tt.text, tt.reason)
	}
}

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Every wrong single digit is caught; for Verhoeff, Damm and MOD 97-10 every
// exchange of two neighbours too.
func TestSingleErrors(t *testing.T) {
	for _, tt := range []struct {
		name      string
		check     func(string) bool
		exchanges bool
		alphabet  string // of the check characters
	}{
		{"luhn", detect.Luhn, false, digits}, {"verhoeff", detect.Verhoeff, true, digits}, {"damm", detect.Damm, true, digits},
		{"mod97", detect.Mod97, true, digits}, {"mod11", detect.Mod11, true, digits}, {"mod1110", detect.Mod1110, false, digits},
		{"mod37", detect.Mod37, true, digits}, {"mod3736", detect.Mod3736, false, digits}, {"mod1271", detect.Mod1271, true, digits + letters},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				number := []byte(rapid.StringMatching(`[0-9]{3,20}`).Draw(t, "number"))
				// Find the check digits by trying.
				valid := false
				for i, n := 0, len(tt.alphabet); i < n*n && !valid; i++ {
					number[len(number)-2], number[len(number)-1] = tt.alphabet[i/n], tt.alphabet[i%n]
					valid = tt.check(string(number))
				}
				if !valid {
					t.Skip("no check characters make this number valid; another is drawn")
				}
				for i := range number {
					was := number[i]
					for d := byte('0'); d <= '9'; d++ {
						if number[i] = d; d != was && tt.check(string(number)) {
							t.Fatalf("%s: digit %d of %s changed to %c", tt.name, i, number, d)
						}
					}
					number[i] = was
				}
				for i := 0; tt.exchanges && i+1 < len(number); i++ {
					if number[i] == number[i+1] {
						continue
					}
					number[i], number[i+1] = number[i+1], number[i]
					if tt.check(string(number)) {
						t.Fatalf("%s: digits %d of %s exchanged", tt.name, i, number)
					}
					number[i], number[i+1] = number[i+1], number[i]
				}
			})
		})
	}
}

// Slow and plain: what the fast ones must agree with.

func referenceLuhn(s string) bool {
	if len(s) < 2 {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if (len(s)-i)%2 == 0 {
			d = []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}[d]
		}
		sum += d
	}
	return sum%10 == 0
}

func referenceMod97(s string) bool {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		if r >= 'A' {
			b.WriteString(big.NewInt(int64(r - 'A' + 10)).String())
		} else {
			b.WriteRune(r)
		}
	}
	n, ok := new(big.Int).SetString(b.String(), 10)
	return ok && new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

func referenceMod11(s string) bool {
	sum := big.NewInt(0)
	for i := range len(s) {
		d := int64(s[i] - '0')
		if s[i] == 'X' {
			d = 10
		}
		weight := new(big.Int).Lsh(big.NewInt(1), uint(len(s)-1-i))
		sum.Add(sum, weight.Mul(weight, big.NewInt(d)))
	}
	return sum.Mod(sum, big.NewInt(11)).Int64() == 1
}

// The systems of ISO/IEC 7064 in the words of the standard: with two check characters the
// text is a number of the radix that leaves 1; a hybrid one computes its check character.
func TestLetterSystems(t *testing.T) {
	const alnum = digits + letters
	pure := func(s, alphabet string, modulus int64) bool {
		n, radix := new(big.Int), big.NewInt(int64(len(alphabet)))
		for _, r := range s {
			n.Add(n.Mul(n, radix), big.NewInt(int64(strings.IndexRune(alphabet, r))))
		}
		return n.Mod(n, big.NewInt(modulus)).Int64() == 1
	}
	hybrid := func(data, alphabet string) string {
		m := len(alphabet)
		p := m
		for _, r := range data {
			sum := (p + strings.IndexRune(alphabet, r)) % m
			if sum == 0 {
				sum = m
			}
			p = 2 * sum % (m + 1)
		}
		return string(alphabet[(m+1-p)%m])
	}
	weighted := func(s, alphabet string, modulus, radix int) bool {
		sum, weight := 0, 1
		for i := len(s) - 1; i >= 0; i-- {
			sum, weight = (sum+strings.IndexByte(alphabet, s[i])*weight)%modulus, weight*radix%modulus
		}
		return sum == 1
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringMatching(`[A-Z]{1,20}`).Draw(t, "letters")
		texts := rapid.StringMatching(`[0-9A-Z]{1,20}`).Draw(t, "letters and digits")
		passed := [4]int{}
		for _, a := range alnum + "*" {
			s := texts + string(a)
			if got := detect.Mod37(s); got != weighted(s, alnum+"*", 37, 2) {
				t.Fatalf("mod37(%s) = %v", s, got)
			}
			if a == '*' {
				break
			}
			if got := detect.Mod3736(s); got != (string(a) == hybrid(texts, alnum)) {
				t.Fatalf("mod3736(%s) = %v", s, got)
			} else if got {
				passed[0]++
			}
			for _, b := range alnum {
				s := texts + string(a) + string(b)
				if got := detect.Mod1271(s); got != pure(s, alnum, 1271) {
					t.Fatalf("mod1271(%s) = %v", s, got)
				} else if got {
					passed[1]++
				}
			}
		}
		for _, a := range letters {
			s := words + string(a)
			if got := detect.Mod2726(s); got != (string(a) == hybrid(words, letters)) {
				t.Fatalf("mod2726(%s) = %v", s, got)
			} else if got {
				passed[2]++
			}
			for _, b := range letters {
				s := words + string(a) + string(b)
				if got := detect.Mod661(s); got != pure(s, letters, 661) {
					t.Fatalf("mod661(%s) = %v", s, got)
				} else if got {
					passed[3]++
				}
			}
		}
		for i, n := range passed {
			if n == 0 {
				t.Fatalf("system %d has no check characters for %s, %s", i, words, texts)
			}
		}
		assert.Equal(t, detect.Mod2726(words), detect.Mod2726(strings.ToLower(words)), "small letters")
		assert.False(t, detect.Mod2726(words+"1") || detect.Mod661(words+"1"), "no digits among letters")
	})
}

func TestReferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{2,30}`).Draw(t, "digits")
		if got, want := detect.Luhn(digits), referenceLuhn(digits); got != want {
			t.Fatalf("luhn(%s) = %v", digits, got)
		}
		alnum := rapid.StringMatching(`[0-9A-Za-z]{3,34}`).Draw(t, "alnum")
		if got, want := detect.Mod97(alnum), referenceMod97(alnum); got != want {
			t.Fatalf("mod97(%s) = %v", alnum, got)
		}
		eleven := rapid.StringMatching(`[0-9]{1,20}[0-9X]`).Draw(t, "eleven")
		if got, want := detect.Mod11(eleven), referenceMod11(eleven); got != want {
			t.Fatalf("mod11(%s) = %v", eleven, got)
		}
		ymd := rapid.StringMatching(`[0-2][0-9]{3}[0-3][0-9][0-3][0-9]`).Draw(t, "ymd")
		day, err := time.Parse("20060102", ymd)
		if got, want := detect.YMD(ymd), err == nil && day.Year() > 0; got != want {
			t.Fatalf("ymd(%s) = %v", ymd, got)
		}
	})
}

// Addresses are those that package netip reads, without zones.
func TestIP(t *testing.T) {
	agree := func(t interface{ Fatalf(string, ...any) }, s string) {
		addr, err := netip.ParseAddr(s)
		if want := err == nil && addr.Zone() == "" && !strings.Contains(s, "%"); detect.IP(s) != want {
			t.Fatalf("ip(%q), want %v", s, want)
		}
	}
	for _, s := range []string{
		"1.2.3.4", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1..2.3", "", ".", ":", "::", "::1", "1::", ":::", "1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7", "1:2:3:4:5:6:7::", "1::2::3", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::ffff:1.2.3.400", "12345::", "g::", "1:", ":1", "fe80::1%eth0",
		"1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7", "1::3:4:5:6:7:8", "1.2.3.4:80",
	} {
		agree(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		agree(t, rapid.StringMatching(`[0-9]{1,3}(\.[0-9]{1,3}){2,4}`).Draw(t, "v4"))
		agree(t, rapid.StringMatching(`(:{0,2}[0-9a-fA-F]{0,4}){1,9}(:1\.2\.3\.[0-9]{1,3})?`).Draw(t, "v6"))
	})
}

func TestEntropy(t *testing.T) {
	assert.Zero(t, detect.Entropy(""))
	assert.Zero(t, detect.Entropy("aaaa"))
	assert.False(t, math.Signbit(detect.Entropy("aaaa")))
	assert.Equal(t, 1.0, detect.Entropy("abab"))
	assert.Equal(t, 2.0, detect.Entropy("abcd"))
	assert.Equal(t, detect.Entropy("hello"), detect.Entropy("olleh"), "order does not matter")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SliceOfN(rapid.ByteRange('a', byte(rapid.IntRange('a', 'z').Draw(t, "last"))), 1, 3000).Draw(t, "text")
		counts, want := map[byte]int{}, 0.0
		for _, c := range s {
			counts[c]++
		}
		for _, n := range counts {
			p := float64(n) / float64(len(s))
			want -= p * math.Log2(p)
		}
		assert.InDelta(t, want, detect.Entropy(string(s)), 1e-12)
	})
}

func TestIBANLength(t *testing.T) {
	assert.Equal(t, 22, detect.IBANLength("DE"))
	assert.Equal(t, 15, detect.IBANLength("no"))
	assert.Zero(t, detect.IBANLength("US"))
	assert.Zero(t, detect.IBANLength("D"))
}

func TestHost(t *testing.T) {
	var h detect.Host
	call := func(fn uint16, args ...expr.Value) (expr.Value, expr.Code) { return h.Call(fn, args) }
	weights := expr.List([]expr.Value{expr.Int(3), expr.Int(7), expr.Int(1)})

	v, code := call(profile.FnWsum, expr.String("021"), weights)
	assert.Equal(t, expr.OK, code)
	assert.Equal(t, int64(15), v.AsInt())
	v, code = call(profile.FnRem, expr.String("123456789012345678901234567890"), expr.Int(97))
	assert.Equal(t, expr.OK, code)
	want, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	assert.Equal(t, want.Mod(want, big.NewInt(97)).Int64(), v.AsInt())
	v, code = call(profile.FnDigits, expr.String("a1-2 3"))
	assert.Equal(t, expr.OK, code)
	assert.Equal(t, "123", v.AsString())
	v, code = call(profile.FnValue36, expr.String("Z"))
	assert.Equal(t, expr.OK, code)
	assert.Equal(t, int64(35), v.AsInt())

	words, some, none := []string{"card", "number"}, []string{"number", "iban"}, []string{}
	has := func(fn uint16, wanted []string) bool {
		v, code := call(fn, expr.Strings(&words), expr.Strings(&wanted))
		require.Equal(t, expr.OK, code)
		return v.AsBool()
	}
	assert.True(t, has(profile.FnHasAny, some))
	assert.False(t, has(profile.FnHasAll, some))
	assert.True(t, has(profile.FnHasAll, words))
	assert.True(t, has(profile.FnHasAll, none), "all of nothing")
	assert.False(t, has(profile.FnHasAny, none), "any of nothing")

	for reason, args := range map[string]struct {
		fn   uint16
		args []expr.Value
	}{
		"lengths differ":      {profile.FnWsum, []expr.Value{expr.String("12"), weights}},
		"not digits":          {profile.FnWsum, []expr.Value{expr.String("1a3"), weights}},
		"no number":           {profile.FnRem, []expr.Value{expr.String(""), expr.Int(7)}},
		"modulus zero":        {profile.FnRem, []expr.Value{expr.String("1"), expr.Int(0)}},
		"two characters":      {profile.FnValue36, []expr.Value{expr.String("12")}},
		"a small letter":      {profile.FnValue36, []expr.Value{expr.String("a")}},
		"nobody to ask":       {profile.FnIs, []expr.Value{expr.String("x"), expr.String("uuid")}},
		"no such function":    {999, []expr.Value{expr.String("x")}},
		"no arguments at all": {profile.FnLuhn, nil},
	} {
		_, code := h.Call(args.fn, args.args)
		assert.Equal(t, expr.BadArgument, code, reason)
	}
}

func TestAlone(t *testing.T) {
	for _, tt := range []struct {
		before, after string
		want          bool
		reason        string
	}{
		{"", "", true, "nothing around"},
		{"number ", ".", true, "a full stop ends a sentence"},
		{"ssn-", "", true, "a word before a hyphen"},
		{"3.", "", false, "a decimal"},
		{"10.0.", "", false, "a version"},
		{"f81d4fae-", "", false, "a UUID"},
		{"", "-7dec", false, "the head of one"},
		{"", ".25", false, "a decimal"},
		{"", ".pdf", true, "the name of a file"},
		{"", "-x", true, "a word behind a hyphen"},
		{"a", "", false, "a letter"},
		{"", "7", false, "a digit"},
		{"_", "_", true, "underscores"},
		{"1, ", ", 2", true, "a list"},
		{"1,", ",2", true, "columns"},
		{"é-", "", true, "a letter outside ASCII"},
	} {
		assert.Equal(t, tt.want, detect.Alone(tt.before, tt.after), "%q %q: %s", tt.before, tt.after, tt.reason)
	}
}

func TestSums(t *testing.T) {
	var h detect.Host
	ints := func(n ...int64) expr.Value {
		var out []expr.Value
		for _, i := range n {
			out = append(out, expr.Int(i))
		}
		return expr.List(out)
	}
	table := make([]int64, 36)
	for i := range table {
		table[i] = int64(i * i)
	}
	call := func(fn uint16, args ...expr.Value) expr.Value {
		v, code := h.Call(fn, args)
		require.Equal(t, expr.OK, code)
		return v
	}
	assert.Equal(t, int64(1*3+121*2-1225), call(profile.FnTsum, expr.String("1bZ"), ints(table...), ints(3, 2, -1)).AsInt())
	assert.Equal(t, int64(2+4+(1+8)), call(profile.FnXsum, expr.String("129"), ints(2, 2, 2)).AsInt())
	assert.Equal(t, "01262607", call(profile.FnOrdinals, expr.String("aZ-z.07")).AsString())
	assert.Equal(t, "103507", call(profile.FnNumeric, expr.String("aZ 07")).AsString())
	for reason, args := range map[string][]expr.Value{
		"a short table":         {expr.String("1"), ints(1), ints(1)},
		"no weight for a digit": {expr.String("12"), ints(table...), ints(1)},
		"neither":               {expr.String("-"), ints(table...), ints(1)},
	} {
		_, code := h.Call(profile.FnTsum, args)
		assert.Equal(t, expr.BadArgument, code, reason)
	}
	_, code := h.Call(profile.FnXsum, []expr.Value{expr.String("1a"), ints(1, 1)})
	assert.Equal(t, expr.BadArgument, code, "not digits")
}

// Every function of the profile is carried out.
func TestHostKnowsTheProfile(t *testing.T) {
	h := detect.Host{Find: func(string, string, bool) (bool, expr.Code) { return false, expr.OK }}
	list := []string{"a"}
	for _, f := range profile.Field.Funcs {
		args := make([]expr.Value, len(f.Params))
		for i, p := range f.Params {
			switch p {
			case expr.TString:
				args[i] = expr.String("1")
			case expr.TInt:
				args[i] = expr.Int(7)
			case expr.ListOf(expr.TInt):
				args[i] = expr.List([]expr.Value{expr.Int(1)})
				if f.ID == profile.FnTsum && i == 1 { // a table
					args[i] = expr.List(slices.Repeat([]expr.Value{expr.Int(1)}, 36))
				}
			default:
				args[i] = expr.Strings(&list)
			}
		}
		v, code := h.Call(f.ID, args)
		assert.Equal(t, expr.OK, code, f.Name)
		assert.Equal(t, f.Result.Kind(), v.Kind(), f.Name)
	}
}

// Texts made for one evaluation stay as they are until the next one begins.
func TestHostTexts(t *testing.T) {
	var h detect.Host
	var kept, want []string
	for i := range 200 {
		s := strings.Repeat("x1", i%17+1)
		kept = append(kept, h.Digits(s))
		want = append(want, strings.Repeat("1", i%17+1))
	}
	assert.Equal(t, want, kept)
	h.Reset()
	assert.Equal(t, "42", h.Digits("4.2"))
}

func TestAllocs(t *testing.T) {
	detect.Domain("warm.com")
	var h detect.Host
	h.Digits("1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8")
	args := []expr.Value{expr.String("DE89 3704 0044 0532 0130 00")}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = detect.Luhn("4111111111111111")
		_ = detect.IBAN("DE89 3704 0044 0532 0130 00")
		_ = detect.Base58Check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
		_ = detect.Bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
		_ = detect.EIP55("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
		_ = detect.IP("2001:db8::1")
		_ = detect.IP("no address")
		_ = detect.Domain("www.Example.com")
		_ = detect.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
		_ = detect.Entropy("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
		h.Reset()
		h.Call(profile.FnDigits, args)
		h.Call(profile.FnIBAN, args)
	}))
}

func FuzzChecks(f *testing.F) {
	for _, s := range []string{"", "4111111111111111", "GB82 WEST 1234 5698 7654 32", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "::1", "a.b", "1111111111"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, check := range []func(string) bool{detect.Luhn, detect.IBAN, detect.Mod97, detect.Mod11, detect.Mod1110, detect.Verhoeff, detect.Damm, detect.ISIN,
			detect.ICAO, detect.Base58Check, detect.Bech32, detect.EIP55, detect.CIDR, detect.Domain, detect.UUID, detect.ULID, detect.YMD} {
			if first := check(s); first != check(s) {
				t.Fatal("not a function")
			}
		}
		addr, err := netip.ParseAddr(s)
		if want := err == nil && addr.Zone() == "" && !strings.Contains(s, "%"); detect.IP(s) != want {
			t.Fatalf("ip(%q), want %v", s, want)
		}
		if e := detect.Entropy(s); e < 0 || e > 8 {
			t.Fatalf("entropy %v", e)
		}
	})
}
