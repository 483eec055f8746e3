package beside

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify/detect"
)

// library is the verdict of phonenumbers. It knows 00 only where it is dialled, which
// package detect takes for + everywhere.
func library(s, region string) bool {
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		s = "+" + rest
	}
	return libraryAsIs(s, region)
}

func libraryAsIs(s, region string) bool {
	region = strings.ToUpper(region)
	number, err := phonenumbers.Parse(s, region)
	if err != nil {
		return false
	}
	if region == "" {
		return phonenumbers.IsValidNumber(number)
	}
	return phonenumbers.IsValidNumberForRegion(number, region)
}

// A kind of difference has a name, which says why it is accepted.
type kind string

const (
	asItIs      kind = "accepted: a number as it stands, but the library first takes off what looks like a prefix"
	otherTrim   kind = "accepted: a number behind a trunk prefix, where the library takes off more than that, or nothing"
	bareCode    kind = "accepted: a number behind the calling code without +, where the library takes the code for an area"
	zeros       kind = "accepted: a number within the region that begins with 00"
	tooLong     kind = "refused: more than 15 digits, the limit of E.164, beyond which the metadata go"
	completed   kind = "refused: a local number behind a calling code, which the library completes with an area code"
	twice       kind = "refused: two trunk prefixes behind a calling code without +, of which the library takes off both"
	unexplained kind = "unexplained"
)

// A tally counts how often two verdicts differ, and keeps some examples.
type tally struct {
	asked, valid, differ int
	counts               map[kind]int
	examples             map[kind][]string
}

func (l *tally) compare(s, region string) {
	l.asked++
	want := library(s, region)
	if want {
		l.valid++
	}
	got := detect.Phone(s, region)
	if got == want {
		return
	}
	if l.counts == nil {
		l.counts, l.examples = map[kind]int{}, map[kind][]string{}
	}
	l.differ++
	k := explain(s, region, got)
	if l.counts[k]++; len(l.examples[k]) < 8 {
		l.examples[k] = append(l.examples[k], strings.TrimSpace(region+" "+s))
	}
}

// Numbers of every region and service, as they are, changed a little, or made up by
// chance, as they are dialled at home and from abroad.
func TestPhone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var l tally
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	require.Greater(t, len(regions), 200)
	for _, region := range regions {
		code := fmt.Sprint(phonenumbers.GetCountryCodeForRegion(region))
		trunk := phonenumbers.GetNddPrefixForRegion(region, true)
		seeds := significant(examples(region))
		require.NotEmpty(t, seeds, region)
		lower := strings.ToLower(region)
		for range 800 {
			s := derived(r, seeds)
			l.compare(s, lower)
			l.compare(trunk+s, lower)
			l.compare("+"+code+s, lower)
			l.compare("+"+code+s, "")
			if r.IntN(4) == 0 {
				l.compare("00"+code+s, lower)
				l.compare("00"+code+s, "")
				l.compare(code+s, lower)
				l.compare("+"+code+trunk+s, lower)
				l.compare("+"+code+trunk+s, "")
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedGlobalNetworkCallingCodes())) {
		seed := phonenumbers.GetNationalSignificantNumber(phonenumbers.GetExampleNumberForNonGeoEntity(code))
		for range 1000 {
			l.compare(fmt.Sprintf("+%d%s", code, mutated(r, seed)), "")
		}
	}
	for range 50_000 { // any calling code, and none
		l.compare(fmt.Sprintf("+%d", r.Uint64N(1_000_000_000_000_000)), "")
		l.compare(fmt.Sprintf("+%d", r.Uint64N(1_000_000_000_000)), "")
	}
	for _, k := range slices.Sorted(maps.Keys(l.counts)) {
		t.Logf("%4d %s, such as %s", l.counts[k], k, strings.Join(l.examples[k], ", "))
	}
	t.Logf("%d numbers, %d valid by the library, %d verdicts differ: %.4f %% agree", l.asked, l.valid, l.differ, 100*(1-float64(l.differ)/float64(l.asked)))
	assert.Empty(t, l.examples[unexplained])
	assert.LessOrEqual(t, l.differ, l.asked/1000)
}

// Numbers as people write them: with everything that may stand between digits, in the
// forms of each country. What is a number for the library is one here as well.
func TestPhoneSpellings(t *testing.T) {
	asked, refused := 0, []string{}
	ask := func(region, s string) {
		asked++
		switch {
		case detect.Phone(s, region):
		case library(s, region):
			t.Errorf("%q in %q is refused", s, region)
		default:
			refused = append(refused, strings.TrimSpace(region+" "+s))
		}
	}
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		lower := strings.ToLower(region)
		trunk := phonenumbers.GetNddPrefixForRegion(region, true)
		for _, n := range examples(region) {
			national := phonenumbers.Format(n, phonenumbers.NATIONAL)
			international := phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
			if len(strings.Map(digitsOnly, international)) > longest {
				continue
			}
			code := fmt.Sprintf("+%d", n.GetCountryCode())
			rest := strings.TrimSpace(strings.TrimPrefix(international, code))
			first, others, _ := strings.Cut(rest, " ")
			abroad := []string{
				international, strings.Replace(international, "+", "00", 1), "(" + international + ")", "+ " + international[1:],
				code + " (" + first + ") " + others, code + " [" + first + "] " + others, "(" + code + ") " + rest,
			}
			if trunk == "0" && strings.HasPrefix(national, "0") { // to be left out by those who call from abroad
				abroad = append(abroad, code+" (0)"+rest, code+" (0) "+rest, code+" (0"+first+") "+others, code+" 0"+rest)
			}
			for _, separator := range []string{"", " ", "-", ".", "/", "\u00a0", "\u2009", "–", " - ", " / ", "  "} {
				spaced := strings.NewReplacer(" ", separator, "-", separator).Replace
				ask(lower, spaced(national))
				ask(lower, spaced(rest))
				for _, s := range abroad {
					ask("", spaced(s))
					ask(lower, spaced(s))
				}
			}
			ask("", phonenumbers.Format(n, phonenumbers.E164))
			ask("", strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.RFC3966), "tel:"))
			ask(lower, strings.TrimPrefix(international, "+"))
		}
	}
	t.Logf("%d spellings; %d refused by both: %s", asked, len(refused), strings.Join(refused, ", "))
	assert.Greater(t, asked, 200_000)
	assert.LessOrEqual(t, len(refused), asked/1000)
}

// longest is the number of digits that E.164 allows.
const longest = 15

func digitsOnly(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// examples are the library's examples of a region's numbers, of every service that it has.
func examples(region string) (list []*phonenumbers.PhoneNumber) {
	for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
		if n := phonenumbers.GetExampleNumberForType(region, kind); n != nil {
			list = append(list, n)
		}
	}
	return list
}

func significant(list []*phonenumbers.PhoneNumber) (out []string) {
	for _, n := range list {
		out = append(out, phonenumbers.GetNationalSignificantNumber(n))
	}
	return out
}

const digits = "0123456789"

func chance(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[r.IntN(10)]
	}
	return string(b)
}

// derived is one of the numbers, or what has some of it, or nothing.
func derived(r *rand.Rand, seeds []string) string {
	s := seeds[r.IntN(len(seeds))]
	switch r.IntN(4) {
	case 0:
		return chance(r, 2+r.IntN(15))
	case 1:
		keep := r.IntN(min(5, len(s)))
		return s[:keep] + chance(r, len(s)-keep)
	}
	return mutated(r, s)
}

// mutated changes up to two digits, or adds or takes away some.
func mutated(r *rand.Rand, s string) string {
	b := []byte(s)
	for range r.IntN(3) {
		if len(b) == 0 {
			break
		}
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b = slices.Insert(b, i, digits[r.IntN(10)])
		case 1:
			b = slices.Delete(b, i, i+1)
		default:
			b[i] = digits[r.IntN(10)]
		}
	}
	return string(b)
}

// explain finds the kind of a difference. Digits without separators come in.
func explain(s, region string, got bool) kind {
	upper := strings.ToUpper(region)
	rest, international := strings.CutPrefix(s, "+")
	if !international {
		rest, international = strings.CutPrefix(s, "00")
	}
	code := phonenumbers.GetCountryCodeForRegion(upper)
	if region == "" {
		code = 0
		for size := 1; size <= 3 && code == 0; size++ {
			if fmt.Sscan(rest[:min(size, len(rest))], &code); !phonenumbers.GetSupportedCallingCodes()[code] {
				code = 0
			}
		}
	}
	digits := strings.TrimPrefix(s, "+")
	if international {
		digits = strings.TrimPrefix(rest, fmt.Sprint(code))
	}
	if trunk := trunkPrefix(code, upper); got {
		bare, hasCode := strings.CutPrefix(digits, fmt.Sprint(code))
		behind, hasTrunk := strings.CutPrefix(digits, trunk)
		switch {
		case strings.HasPrefix(s, "00") && (libraryAsIs(s, region) || validNumber(code, areaCode(upper)+s, upper)):
			return zeros
		case validNumber(code, digits, upper):
			return asItIs
		case hasTrunk && validNumber(code, behind, upper):
			return otherTrim
		case hasCode && !international && (validNumber(code, bare, upper) || library("+"+digits, region)):
			return bareCode
		}
	} else {
		if len(rest) > longest && (international || strings.HasPrefix(rest, fmt.Sprint(code))) {
			return tooLong
		}
		number, err := phonenumbers.Parse(s, upper)
		switch {
		case err != nil:
		case !strings.HasSuffix(s, phonenumbers.GetNationalSignificantNumber(number)):
			return completed
		case !international && strings.HasPrefix(s, fmt.Sprint(code)+trunk+trunk):
			return twice
		}
	}
	return unexplained
}

// validNumber asks the library about a significant number, without any parsing.
func validNumber(code int, digits, region string) bool {
	value, bare := uint64(0), strings.TrimLeft(digits, "0")
	fmt.Sscan(bare, &value)
	country, zeros := int32(code), int32(len(digits)-len(bare))
	number := &phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &value}
	if zeros > 0 {
		leading := true
		number.ItalianLeadingZero, number.NumberOfLeadingZeros = &leading, &zeros
	}
	if region == "" {
		return phonenumbers.IsValidNumber(number)
	}
	return phonenumbers.IsValidNumberForRegion(number, region)
}

// trunkPrefix is that of a region, or of the first one that has the calling code.
func trunkPrefix(code int, region string) string {
	for _, r := range phonenumbers.GetRegionCodesForCountryCode(code) {
		if region == "" || r == region {
			return phonenumbers.GetNddPrefixForRegion(r, true)
		}
	}
	return ""
}

// areaCode is what the metadata put before a local number of a region.
func areaCode(region string) string {
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		return ""
	}
	for _, m := range collection.GetMetadata() {
		if m.GetId() == region {
			return strings.TrimSuffix(m.GetNationalPrefixTransformRule(), "$1")
		}
	}
	return ""
}

func BenchmarkPhone(b *testing.B) {
	for _, bb := range []struct{ name, s, region string }{
		{"international", "+44 20 7946 0018", ""},
		{"national", "(202) 555-0123", "us"},
		{"no number", "+1 125 555 0100", ""},
	} {
		b.Run(bb.name+"/privet", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				detect.Phone(bb.s, bb.region)
			}
		})
		b.Run(bb.name+"/phonenumbers", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				library(bb.s, bb.region)
			}
		})
	}
}
