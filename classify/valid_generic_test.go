package classify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
)

const (
	numbers10 = "0123456789"
	letters26 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	all62     = numbers10 + letters26 + "abcdefghijklmnopqrstuvwxyz"
	all64     = all62 + "-_"
)

// textOf is n characters of an alphabet.
func textOf(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// among is one of some texts.
func among(r *rand.Rand, texts ...string) string { return texts[r.IntN(len(texts))] }

// randomBytes are n bytes after a prefix.
func randomBytes(r *rand.Rand, prefix string, n int) []byte {
	b := []byte(prefix)
	for range n {
		b = append(b, byte(r.UintN(256)))
	}
	return b
}

// luhnOf appends the digit of ISO/IEC 7812-1, annex B: what is doubled is looked up
// in the table of the annex.
func luhnOf(digits string) string {
	doubled := [10]int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}
	sum, double := 0, true
	for i := len(digits) - 1; i >= 0; i-- {
		d := int(digits[i] - '0')
		if double {
			d = doubled[d]
		}
		sum, double = sum+d, !double
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// spelled writes letters as two digits, A as 10 (ISO 13616-1 and ISO 6166).
func spelled(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c >= 'A' {
			fmt.Fprint(&b, int(c-'A')+10)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// anIBAN is an account number of a country with the check digits of ISO 13616-1: 98
// less what the number with the country and 00 behind it leaves when divided by 97.
func anIBAN(country, account string) string {
	n, _ := new(big.Int).SetString(spelled(account+country+"00"), 10)
	rest := n.Mod(n, big.NewInt(97)).Int64()
	return fmt.Sprintf("%s%02d%s", country, 98-rest, account)
}

// icaoDigit is the check digit of ICAO Doc 9303, part 3, 4.9.
func icaoDigit(s string) string {
	sum, weights := 0, []int{7, 3, 1}
	for i, c := range s {
		sum += weights[i%3] * max(0, strings.IndexRune(numbers10+letters26, c)) // the filler is zero
	}
	return string(numbers10[sum%10])
}

// readable is the second line of a passport (ICAO Doc 9303, part 4, 4.2.2).
func readable(r *rand.Rand) string {
	day := func() string {
		s := fmt.Sprintf("%02d%02d%02d", r.IntN(100), 1+r.IntN(12), 1+r.IntN(28))
		return s + icaoDigit(s)
	}
	number := textOf(r, numbers10+letters26, 9)
	number += icaoDigit(number)
	birth, end, personal := day(), day(), textOf(r, numbers10+letters26, 14)
	personal += icaoDigit(personal)
	return number + among(r, "UTO", "D<<", "FRA") + birth + among(r, "M", "F", "<") + end + personal + icaoDigit(number+birth+end+personal)
}

// aVIN has the check digit of 49 CFR 565.15: values by table III, weights by table IV.
func aVIN(r *rand.Rand) string {
	const letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
	const values = "12345678123457923456789"
	weights := []int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	// The model year is not U, Z or 0.
	s := among(r, "1", "2", "3", "4", "5", "L") + textOf(r, letters+numbers10, 7) + "0" + textOf(r, "ABCDEFGHJKLMNPRSTVWXY123456789", 1) + textOf(r, letters+numbers10, 2) + textOf(r, numbers10, 5)
	sum := 0
	for i := range s {
		v := strings.IndexByte(numbers10, s[i])
		if k := strings.IndexByte(letters, s[i]); k >= 0 {
			v = int(values[k] - '0')
		}
		sum += v * weights[i]
	}
	return s[:8] + string("0123456789X"[sum%11]) + s[9:]
}

// base58 is a number in Bitcoin's Base58, with a 1 for each leading zero byte, after
// four bytes of SHA-256 of SHA-256 were put behind it.
func base58(payload []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	once := sha256.Sum256(payload)
	twice := sha256.Sum256(once[:])
	payload = append(payload, twice[:4]...)
	n, rest, out := new(big.Int).SetBytes(payload), new(big.Int), ""
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), rest)
		out = string(alphabet[rest.Int64()]) + out
	}
	for _, b := range payload {
		if b != 0 {
			break
		}
		out = "1" + out
	}
	return out
}

// bech32Text is BIP 173 with the checksum constant of BIP 173 or BIP 350. The sum is
// computed in the field by polynomials, as the text of BIP 173 has it.
func bech32Text(prefix string, first []byte, data []byte, constant uint32) string {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	n := new(big.Int).SetBytes(data)
	bits := 8 * len(data)
	if pad := (5 - bits%5) % 5; pad > 0 {
		n.Lsh(n, uint(pad))
		bits += pad
	}
	values := append([]byte{}, first...)
	for i := bits - 5; i >= 0; i -= 5 {
		values = append(values, byte(new(big.Int).Rsh(n, uint(i)).Uint64()&31))
	}
	var all []byte
	for _, c := range []byte(prefix) {
		all = append(all, c>>5)
	}
	all = append(all, 0)
	for _, c := range []byte(prefix) {
		all = append(all, c&31)
	}
	all = append(append(all, values...), 0, 0, 0, 0, 0, 0)
	generator := []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	sum := uint32(1)
	for _, v := range all {
		high := sum >> 25
		sum = (sum&(1<<25-1))<<5 ^ uint32(v)
		for i, g := range generator {
			sum ^= g * (high >> i & 1)
		}
	}
	sum ^= constant
	out := prefix + "1"
	for _, v := range values {
		out += string(alphabet[v])
	}
	for i := 5; i >= 0; i-- {
		out += string(alphabet[sum>>(5*i)&31])
	}
	return out
}

// gitHubSum is the CRC-32 in base 62, six characters.
func gitHubSum(s string) string {
	n, out := crc32.ChecksumIEEE([]byte(s)), ""
	for range 6 {
		out = string(all62[n%62]) + out
		n /= 62
	}
	return out
}

// mod112 appends the check character of ISO/IEC 7064, MOD 11-2, by the sum of powers.
func mod112(digits string) string {
	sum, weight := 0, 2
	for i := len(digits) - 1; i >= 0; i-- {
		sum += int(digits[i]-'0') * weight
		weight = weight * 2 % 11
	}
	return digits + string("0123456789X"[(12-sum%11)%11])
}

func init() {
	makers["credit-card"] = maker{
		make: func(r *rand.Rand) string {
			prefix, length := "4", 16
			switch r.IntN(6) {
			case 1:
				prefix = fmt.Sprint(51 + r.IntN(5))
			case 2:
				prefix = fmt.Sprint(2221 + r.IntN(500))
			case 3:
				prefix, length = among(r, "34", "37"), 15
			case 4:
				prefix = fmt.Sprint(3528 + r.IntN(62))
			case 5:
				prefix, length = among(r, "36", "38", "305"), 14
			}
			return luhnOf(prefix + textOf(r, numbers10, length-1-len(prefix)))
		},
		context: "card", caught: 1, alone: true,
	}
	makers["imei"] = maker{
		make:    func(r *rand.Rand) string { return luhnOf(among(r, "35", "86", "01", "99") + textOf(r, numbers10, 12)) },
		context: "IMEI", caught: 1,
	}
	makers["iccid"] = maker{
		make:    func(r *rand.Rand) string { return luhnOf("89" + textOf(r, numbers10, 16+r.IntN(2))) },
		context: "ICCID", caught: 1,
	}
	makers["isin"] = maker{
		make: func(r *rand.Rand) string {
			s := among(r, "US", "DE", "FR", "GB", "JP") + textOf(r, numbers10+letters26, 9)
			digits := luhnOf(spelled(s))
			return s + digits[len(digits)-1:]
		},
		context: "ISIN", caught: 1,
	}
	makers["iban-code"] = maker{
		make: func(r *rand.Rand) string {
			switch r.IntN(4) {
			case 0:
				return anIBAN("DE", textOf(r, numbers10, 18))
			case 1:
				return anIBAN("NO", textOf(r, numbers10, 11))
			case 2:
				return anIBAN("GB", textOf(r, letters26, 4)+textOf(r, numbers10, 14))
			}
			return anIBAN("FR", textOf(r, numbers10, 10)+textOf(r, numbers10+letters26, 11)+textOf(r, numbers10, 2))
		},
		context: "IBAN", caught: 1, alone: true,
	}
	// With the word before it, a number that no longer begins like one of North America
	// is taken for one from elsewhere, where the ninth place is free.
	makers["vin"] = maker{make: aVIN, context: "VIN", caught: 0.9, alone: true}
	makers["mrz"] = maker{make: readable, context: "passport", caught: 1, alone: true}
	makers["crypto"] = maker{
		make: func(r *rand.Rand) string {
			switch r.IntN(4) {
			case 0:
				return bech32Text("bc", []byte{0}, randomBytes(r, "", 20), 1)
			case 1:
				return bech32Text("bc", []byte{1}, randomBytes(r, "", 32), 0x2bc830a3)
			case 2:
				return base58(randomBytes(r, "\x05", 20))
			}
			return base58(randomBytes(r, "\x00", 20))
		},
		context: "wallet", caught: 1, alone: true,
	}
	makers["orcid"] = maker{
		make: func(r *rand.Rand) string {
			s := mod112("0000000" + among(r, "1", "2", "3") + textOf(r, numbers10, 7))
			return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
		},
		context: "ORCID", caught: 1, alone: true,
	}
	makers["card-track"] = maker{
		make:    func(r *rand.Rand) string { return ";" + luhnOf("4"+textOf(r, numbers10, 14)) + "=2612101" },
		context: "track", alone: true, // only the number has a check digit
	}
	makers["github-token"] = maker{
		make: func(r *rand.Rand) string {
			s := textOf(r, all62, 30)
			return among(r, "ghp_", "gho_", "ghu_", "ghs_", "ghr_") + s + gitHubSum(s)
		},
		context: "token", caught: 1, alone: true,
	}
	makers["npm-token"] = maker{
		make: func(r *rand.Rand) string {
			s := textOf(r, all62, 30)
			return "npm_" + s + gitHubSum(s)
		},
		context: "token", caught: 1, alone: true,
	}
	makers["atlassian-token"] = maker{
		make: func(r *rand.Rand) string {
			s := "ATATT3xFfGF0" + textOf(r, all64, 170) + "="
			return s + fmt.Sprintf("%08X", crc32.ChecksumIEEE([]byte(s)))
		},
		context: "token", caught: 0.99, alone: true,
	}
	makers["age-secret-key"] = maker{
		make: func(r *rand.Rand) string {
			return strings.ToUpper(bech32Text("age-secret-key-", nil, randomBytes(r, "", 32), 1))
		},
		context: "identity", caught: 1, alone: true,
	}
	makers["bitcoin-private-key"] = maker{
		make: func(r *rand.Rand) string {
			if r.IntN(2) == 0 {
				return base58(append(randomBytes(r, "\x80", 32), 1))
			}
			return base58(randomBytes(r, "\x80", 32))
		},
		context: "wif", caught: 1, alone: true,
	}
	makers["jwt"] = maker{
		make: func(r *rand.Rand) string {
			part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
			return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"sub":"%d"}`, r.IntN(1e9))) + "." + part(string(randomBytes(r, "", 32)))
		},
		context: "token", alone: true, // no checksum
	}
}

// What is found ends where the thing ends, and begins where it begins.
func TestGenericSpans(t *testing.T) {
	rows := []struct{ detector, text, found, reason string }{
		{"url", "my homepage is https://www.microsoft.com/, it is", "https://www.microsoft.com/", "the last slash belongs to it"},
		{"url", "my blog (http://example.org/~jane).", "http://example.org/~jane", "bracket and full stop do not"},
		{"email-address", "write to jane@example.com.", "jane@example.com", "the full stop ends the sentence"},
		{"email-address", "info@xn--bcher-kva.de", "info@xn--bcher-kva.de", "punycode"},
		{"iban-code", "IBAN GB29 NWBK 6016 1331 9268 19 please", "GB29 NWBK 6016 1331 9268 19", "in groups"},
		{"iban-code", "DE89370400440532013000", "DE89370400440532013000", "plain"},
		{"iban-code", "NO93 8601 1117 947 ok", "NO93 8601 1117 947", "the shortest"},
		{"credit-card", "4111 1111 1111 1111 12/26", "4111 1111 1111 1111", "the date is not part of it"},
		{"credit-card", "4111 1111 1111 1111 123", "4111 1111 1111 1111", "neither is the code"},
		{"credit-card", "user_4111111111111111_x", "4111111111111111", "underscores are edges"},
		{"ip-address", "from 203.0.113.7:443", "203.0.113.7", "the port is not part of it"},
		{"ipv6-address", "ip [2001:db8::1]:443", "2001:db8::1", "nor are the brackets"},
		{"openai-key", "OPENAI_API_KEY=sk-proj-9Zq3v8L1xR7tYw2Kd9sBnPa4FgHj6Mc0Ve5TbX1iU9o0", "sk-proj-9Zq3v8L1xR7tYw2Kd9sBnPa4FgHj6Mc0Ve5TbX1iU9o0", "the name is not part of it"},
		{"generic-secret", "MY_API_KEY=9Zq3v8L1xR7tYw2Kd9sBnP;", "9Zq3v8L1xR7tYw2Kd9sBnP", "neither here"},
		{"basic-auth-url", "postgres://app:s3cr3t-9@db.example.com/orders", "app:s3cr3t-9", "only the name and the password"},
		{"github-token", "https://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@github.com", "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", "in an address"},
		{"mrz", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10", "both lines"},
		{"date-of-birth", "born 12 April 1980 in Ulm", "12 April 1980", "the place is another thing"},
		{"person-title", "Dear Mrs. Jane Doe, hello", "Jane Doe", "the title is no name"},
	}
	c := classify.Builtin()
	for _, tt := range rows {
		s := c.NewScanner()
		s.Threshold = 0
		var got []string
		for _, f := range s.Scan(nil, tt.text) {
			if f.Detector == tt.detector {
				got = append(got, tt.text[f.Start:f.End])
			}
		}
		assert.Equal(t, []string{tt.found}, got, "%s in %q: %s", tt.detector, tt.text, tt.reason)
	}
}

// What users of other scanners complain about: none of these is reported.
func TestGenericFalseAlarms(t *testing.T) {
	rows := []struct{ detector, text, reason string }{
		{"credit-card", `{"ts":1698765432100,"id":7}`, "a time stamp in milliseconds"},
		{"credit-card", "id 550e8400-e29b-41d4-a716-446655440000", "a part of a UUID"},
		{"credit-card", "tracking 9400 1118 9922 3456 7890 12", "a parcel"},
		{"credit-card", "sha 4111111111111111abcdef4111111111111111", "a hash"},
		{"credit-card", "score 0.4111111111111111", "a numbers10"},
		{"ip-address", "version 1.2.3.4", "a version"},
		{"swift-bic", "DOCUMENT", "a word"},
		{"phone-number-national", "recall 4255550100", "a word that only ends so"},
		{"uuid", "superuser f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a word that only ends so"},
		{"date-time", "2026-01-02T03:04:05Z", "a time alone"},
		{"crypto", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bad Base58"},
	}
	s := classify.Builtin().NewScanner()
	for _, tt := range rows {
		confidence, ok := s.Fires(tt.detector, tt.text)
		assert.False(t, ok, "%s in %q with %v: %s", tt.detector, tt.text, confidence, tt.reason)
	}
}

// Faults that users of other scanners met: what those refuse is found and what they
// let through is not, with all detectors at the usual threshold.
func TestFaultsSeenElsewhere(t *testing.T) {
	rows := []struct {
		detector, text string
		found, reason  string
	}{
		{"sg-nric-fin", "NRIC S1234567D", "S1234567D", "the check letter holds"},
		{"sg-nric-fin", "NRIC S1234567E", "", "check letters are computed"},
		{"in-gstin", "GSTIN 27AAPFU0939F1ZV", "27AAPFU0939F1ZV", "the check character holds"},
		{"in-gstin", "GSTIN 27AAPFU0939F1ZW", "", "check characters are computed"},
		{"es-nie", "NIE X1234567L", "X1234567L", "digits behind the first letter"},
		{"es-nie", "NIE X12E4567L", "", "a letter among the digits"},
		{"us-driver-license", "driver license AB12345", "AB12345", "two letters and digits"},
		{"us-driver-license", "driver license A-Z]]12345", "", "a range of letters whose bracket was forgotten"},
		{"us-driver-license", "public M1234567", "", "lic in public is no word"},
		{"kr-passport", "여권번호는 S98765432입니다.", "S98765432", "Korean, with its particles"},
		{"us-itin", "ITIN 987-65-4321", "987-65-4321", "a number that begins like an example"},
		{"us-itin", "ITIN 987-65-4329", "987-65-4329", "another"},
		{"us-ssn", "SSN 987-65-4321", "", "no area of a social security number"},
		{"us-ssn", "SSN 123-45-6780", "123-45-6780", "nor is a whole decade an example"},
		{"gr-amka", "ΑΜΚΑ 01013099997", "01013099997", "doubled from the right"},
		{"si-ddv", "DDV SI50223054", "50223054", "weights 8 to 2"},
		{"lv-code", "personas kods 327001-12345", "327001-12345", "the new form with its word"},
		{"lv-code", "327001-12345", "", "the new form has nothing to check, so a word is needed"},
		{"lv-code", "personas kods 120384-10777", "", "the old form is checked"},
		{"de-id-card", "Personalausweis T220001293", "T220001293", "with its check digit"},
		{"de-id-card", "Personalausweis T220001294", "", "a wrong one"},
		{"de-id-card-unverified", "Personalausweis T220001294", "", "nor is it taken for a number without one"},
		{"de-id-card-unverified", "T22000129", "", "without a check digit a word is needed"},
		{"de-passport", "Reisepass C01X00T479", "", "a wrong check digit"},
		{"de-passport-unverified", "C01X00T47", "", "without a check digit a word is needed"},
		{"url", "homepage https://www.microsoft.com/", "https://www.microsoft.com/", "with its slash"},
		{"us-ssn", "SSN 536.90.4399", "536.90.4399", "full stops"},
		{"us-ssn", "SSN 536 90 4399", "536 90 4399", "blanks"},
		{"crypto", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "Bech32"},
		{"crypto", "bitcoin 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "", "a wrong sum of Base58Check"},
		{"email-address", "info@xn--bcher-kva.de", "info@xn--bcher-kva.de", "punycode in the name"},
		{"email-address", "info@example.xn--p1ai", "info@example.xn--p1ai", "punycode at the top"},
		{"ipv6-address", "::1234:5678:9abc", "::1234:5678:9abc", "two colons and twelve digits"},
		{"de-tax-id", "steuer-id 65929970489", "65929970489", "small letters"},
		{"de-id-card", "personalausweis l01x00t471", "l01x00t471", "small letters"},
		{"de-passport", "reisepass c01x00t478", "c01x00t478", "small letters"},
		{"es-nif", "dni 12345678z", "12345678z", "small letters"},
		{"es-nie", "nie x1234567l", "x1234567l", "small letters"},
		{"fi-personal-identity-code", "hetu 131052-308t", "131052-308t", "small letters"},
		{"uk-nino", "nino ab123456d", "ab123456d", "small letters"},
		{"ethereum-address", "wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "", "capitals are a checksum"},
	}
	c := classify.Builtin()
	s := c.NewScanner()
	for _, tt := range rows {
		require.Contains(t, c.Detectors(), tt.detector)
		got := ""
		for _, f := range s.Scan(nil, tt.text) {
			if f.Detector == tt.detector {
				got = tt.text[f.Start:f.End]
			}
		}
		assert.Equal(t, tt.found, got, "%s in %q: %s", tt.detector, tt.text, tt.reason)
	}

	// A word counts as a whole: ip in recipient lifts nothing.
	plain, _ := s.Fires("ip-address", "at 203.0.113.7")
	inside, _ := s.Fires("ip-address", "recipient 203.0.113.7")
	lifted, _ := s.Fires("ip-address", "ip 203.0.113.7")
	assert.Equal(t, plain, inside)
	assert.Greater(t, lifted, plain)

	// A country is chosen by its code, not by that of its language.
	korea, err := c.Select(classify.Selection{Countries: []string{"kr"}})
	require.NoError(t, err)
	confidence, ok := korea.NewScanner().Fires("kr-passport", "여권번호 M12345678")
	assert.True(t, ok, "confidence %v", confidence)
}

// Nothing reads a letter as a digit unless a rule says so, and a rule can: its pattern
// takes the letters, and its check reads them as digits.
func TestLettersForDigits(t *testing.T) {
	file, err := policy.Compile("typed.yaml", []byte(`
privet: 1
name: typed
version: 1
extends: [builtin]
detectors:
  - id: typed-card
    category: user.financial.credit_card
    pattern: '\b(?P<span>4[0-9OIl]{15})\b'
    check: luhn(match.text.replace("O", "0").replace("o", "0").replace("I", "1").replace("l", "1"))
    confidence: {base: 0.3, checked: 0.8}
    tests:
      match: [4111111111111111, {text: 4l1I111111111111, reason: letters for ones}, {text: 4OOOOOOOOOOOOOO2, reason: letters for zeros}]
      no_match: [{text: 4111111111111112, reason: check digit}, {text: 4l1I111111111112, reason: check digit}, {text: 4S11111111111111, reason: the rule does not name S}]
`))
	require.NoError(t, err)
	own, err := classify.Open(file.Bytes())
	require.NoError(t, err)
	for _, tt := range []struct {
		text         string
		rule, always bool
		reason       string
	}{
		{"4111111111111111", true, true, "digits only"},
		{"4l1I111111111111", true, false, "letters for ones"},
		{"4OOOOOOOOOOOOOO2", true, false, "letters for zeros"},
		{"4OOOOOOOOOOOOOO3", false, false, "the check digit is computed with zeros"},
	} {
		_, ok := own.NewScanner().Fires("typed-card", tt.text)
		assert.Equal(t, tt.rule, ok, "%s: %s", tt.text, tt.reason)
		var numbers []string
		for _, f := range classify.Builtin().NewScanner().Scan(nil, "card "+tt.text) {
			numbers = append(numbers, f.Detector)
		}
		assert.Equal(t, tt.always, slices.Contains(numbers, "credit-card"), "%s: %s, %v", tt.text, tt.reason, numbers)
	}
}
