package peers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

func sorted(found []string) []string {
	found = slices.Clone(found)
	slices.Sort(found)
	return found
}

// Every engine that is measured decides the vectors as they say.
func TestVectors(t *testing.T) {
	yaml := file(t, "rules20.yaml")
	require.Len(t, rulesOf(t, yaml), 20)
	for _, e := range append(slices.Clone(engines), floor, cedarLike) {
		checked(t, e, yaml)
	}
}

func check(t testing.TB, engine string, d decide, v vector) {
	t.Helper()
	// Twice: what was seen before is decided the same way.
	for range 2 {
		require.Equal(t, sorted(v.Expect), sorted(append([]string{}, d(nil, v.Input.Name, v.Input.Value)...)), "%s: %+v", engine, v.Input)
	}
}

// Engines that follow the rule file agree on more than four fields; so does the
// floor, in ASCII. A comparison with an engine that does less would be none.
func TestAgreement(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		engines    []engine
	}{
		{"20 rules", file(t, "rules20.yaml"), append(slices.Clone(engines), floor)},
		{"200 rules", generated(t, 200), engines[:3]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []decide
			for _, e := range tt.engines {
				all = append(all, e.load(t, tt.yaml))
			}
			some := map[string]bool{}
			for _, f := range fields(t, 4000) {
				want := sorted(all[len(all)-1](nil, f.Name, f.Value))
				for i, d := range all {
					if got := sorted(d(nil, f.Name, f.Value)); !slices.Equal(got, want) {
						t.Fatalf("%s: %v, %s: %v, of %q = %q", tt.engines[i].name, got, tt.engines[len(all)-1].name, want, f.Name, f.Value)
					}
				}
				for _, category := range want {
					some[category] = true
				}
			}
			assert.GreaterOrEqual(t, len(some), 20, "every rule holds for some field")
		})
	}
}

// fields are made of what the rules are about, with slips.
func fields(t testing.TB, n int) []classify.Field {
	random := rand.New(rand.NewPCG(1, 2))
	one := func(of []string) string { return of[random.IntN(len(of))] }
	words := strings.Fields(`email mail emailaddr email_addr address phone mobile msisdn tel user username login nick nickname first_name lastname Full_Name SURNAME given ssn nin national_id taxid
		card card_no pan cc iban bank_account ip ip_addr remote_addr mac macaddr cookie session_id gclid street addr_line post_code zip lat longitude geo dob birth_date birthday gender sex
		diagnosis icd1 icd10 blood_type allergies religion faith ethnic race fingerprint face_id iris voiceprint pass passwd api_key apikey token vin license_plate licence x amount id name`)
	values := []string{"", "jane@example.com", "a@b.cc", "a@b..cc", "@b.cc", "+49 (151) 2345", "12345678", "123-45-6789", "4111 1111 1111 1111", "4111-1111-1111-1", "411111111111", "1111111111111",
		"DE89370400440532013000", "AB12ABCDEFGHIJK", "10.0.0.255", "1.2.3.4.5", "1234.1.1.1", "00:1A:2b:3c:4d:5E", "52.5200, 13.4050", "-1.000,-1.000", "52.52, 13.405", "1998-12-31", "2101-01-01", "2001-19-39",
		"sk_live_ABCDEFGHIJKLMNOP", "xoxb-1234567890123456", "ghp_short", "1HGCM82633A004352", "WAUZZZ8K9AA123456", "n/a", "12.50"}
	const noise = "_.-aA0@: x"
	slip := func(s string) string {
		switch at := random.IntN(len(s) + 1); random.IntN(6) {
		case 0:
			return s[:at] + string(noise[random.IntN(len(noise))]) + s[at:]
		case 1:
			return s[:at] + s[min(at+1, len(s)):]
		case 2:
			return strings.ToUpper(s)
		}
		return s
	}
	out := make([]classify.Field, n)
	for i := range out {
		name := one(words)
		for range random.IntN(3) {
			name += one([]string{"_", ".", "-", ""}) + one(words)
		}
		out[i] = classify.Field{Name: slip(name), Value: slip(one(values))}
	}
	return out
}

// A field that was never seen and is not remembered costs no allocation.
func TestNoAllocation(t *testing.T) {
	for _, rules := range []int{20, 2000} {
		s := open(t, generated(t, rules)).NewScanner()
		s.NoMemory = true
		var labels []classify.Label
		some := fields(t, 100)
		ask := func() {
			for i := range some {
				labels = s.Append(labels[:0], &some[i])
			}
		}
		ask()
		assert.Zero(t, testing.AllocsPerRun(20, ask), "%d rules", rules)
	}
}

// generated is a rule file of n rules: the twenty, and others like them about words
// that hardly any field has.
func generated(t testing.TB, n int) string {
	t.Helper()
	text := file(t, "rules20.yaml")
	var categories, rules strings.Builder
	if n > 20 {
		categories.WriteString("  - {key: made}\n")
	}
	for i := 20; i < n; i++ {
		a, b := word(2*i), word(2*i+1)
		if i < 120 {
			fmt.Fprintf(&categories, "  - {key: made.c%d}\n", i)
		}
		fmt.Fprintf(&rules, "  - id: r%d\n    category: made.c%d\n    confidence: 0.9\n    when: '", i+1, 20+(i-20)%100)
		fmt.Fprintf(&rules, `field.name.matches(r"(?i)(^|[_.-])(%s|%s_?(no|id)|%s(%s)?)([_.-]|$)")`, a, b, a[:3], b)
		if i%5 < 3 { // as in the twenty, of which twelve look at the value
			fmt.Fprintf(&rules, ` || value.matches(r"^%s-[0-9]{4,8}$")`, strings.ToUpper(b))
		}
		rules.WriteString("'\n")
	}
	return strings.Replace(text, "\nrules:\n", categories.String()+"\nrules:\n", 1) + rules.String()
}

// word is the i-th of words that can be spoken and are alike only by chance.
func word(i int) string {
	const consonants, vowels = "bdfghjklmnprstvz", "aeiou"
	x := uint64(i+1) * 0x9E3779B97F4A7C15
	var b strings.Builder
	for range 4 {
		b.WriteByte(consonants[x>>60])
		x = x<<4 | x>>60
		b.WriteByte(vowels[x>>32%5])
		x *= 0xBF58476D1CE4E5B9
	}
	return b.String()
}
