package detect_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/privetdev/privet/classify/detect"
)

// Most numbers are what Ofcom, ARCEP, the Bundesnetzagentur, PTS, ACMA and NANPA set aside
// for films; the others count up, as examples do.
func TestPhone(t *testing.T) {
	for _, tt := range []struct {
		s, region string
		want      bool
		reason    string
	}{
		{"+44 20 7946 0018", "", true, "London, Ofcom's numbers for drama"},
		{"0044 20 7946 0018", "", true, "00 instead of the plus"},
		{"+44 (0)20 7946 0018", "", true, "the trunk prefix in parentheses, as people write it"},
		{"+44 20 7946 001", "", false, "a digit is missing"},
		{"+44 20 7946 00182", "", false, "a digit too many"},
		{"+44 26 7946 0018", "", false, "no such area"},
		{"020 7946 0018", "", false, "without a region it must be international"},
		{"44 20 7946 0018", "", false, "a calling code alone does not say that it is one"},
		{"020 7946 0018", "gb", true, "dialled within the country"},
		{"20 7946 0018", "gb", true, "without trunk prefix"},
		{"44 20 7946 0018", "gb", true, "as databases keep it"},
		{"+44 20 7946 0018", "gb", true, "from abroad"},
		{"020 7946 0018", "ie", false, "another country"},
		{"+44 20 7946 0018", "ie", false, "another country's code"},
		{"+44 7400 123456", "gb", true, "mobile"},
		{"+44 7700 900123", "gb", false, "Ofcom keeps these for drama: nobody can be called"},
		{"01632 960123", "gb", false, "the same for an area that there is not"},
		{"+44 1534 700700", "je", true, "Jersey has Britain's calling code"},
		{"+44 1534 700700", "gb", false, "but is another region"},
		{"+44 1534 700700", "", true, "and a number in any case"},
		{"+44 800 123 1234", "", true, "toll free"},
		{"(202) 555-0123", "us", true, "NANPA's numbers for fiction"},
		{"1-202-555-0123", "us", true, "with the trunk prefix"},
		{"+1.202.555.0123", "", true, "dots"},
		{"+1/202/555/0123", "", true, "slashes"},
		{"202 155 0123", "us", false, "an exchange does not begin with 1"},
		{"102 555 0123", "us", false, "nor does an area"},
		{"555-0123", "us", false, "no area code"},
		{"+1 202 555 0123", "ca", false, "Washington is not in Canada"},
		{"+1 800 555 0199", "ca", true, "toll free in all of North America"},
		{"030 23125 000", "de", true, "Berlin, the Bundesnetzagentur's numbers for films"},
		{"+49 171 3920000", "de", true, "mobile, the same"},
		{"+49 030 23125 000", "de", true, "the trunk prefix in spite of the calling code"},
		{"012 345", "de", false, "no area begins like this"},
		{"01 99 00 12 34", "fr", true, "ARCEP's numbers for fiction"},
		{"+33 6 12 34 56 78", "fr", true, "mobile"},
		{"00 33 6 12 34 56 78", "fr", true, "as dialled"},
		{"199001234", "fr", true, "nine digits"},
		{"1990012345", "fr", false, "ten digits without the zero"},
		{"08-465 004 04", "se", true, "PTS's numbers for fiction"},
		{"0491 570 006", "au", true, "ACMA's numbers for fiction"},
		{"+39 06 1234 5678", "it", true, "in Italy the zero stays"},
		{"+39 6 1234 5678", "it", false, "and is no trunk prefix"},
		{"8 (495) 000-00-00", "ru", true, "8 is the trunk prefix"},
		{"+7 495 000 00 00", "", true, "Moscow"},
		{"+7 495 000 00 00", "kz", false, "Kazakhstan shares the calling code only"},
		{"0 11 15 2345 6789", "ar", true, "15 before a mobile number within the country"},
		{"+54 9 11 2345 6789", "ar", true, "which is a 9 from abroad"},
		{"0 15 11 2345 6789", "br", true, "a carrier's code"},
		{"+36 06 1 234 5678", "hu", true, "a trunk prefix of two digits"},
		{"+800 1234 5678", "", true, "international toll free"},
		{"+999 1234 5678", "", false, "no such calling code"},
		{"+0 1234 5678", "", false, "none begins with 0"},
		{"+1", "", false, "a calling code alone"},
		{"+1", "us", false, "a calling code alone"},
		{"+", "us", false, "no digit"},
		{"", "", false, "empty"},
		{"", "us", false, "empty"},
		{"00", "us", false, "00 alone"},
		{"110", "de", false, "an emergency number leads to nobody"},
		{"++1 202 555 0123", "us", false, "two plus"},
		{"1+202 555 0123", "us", false, "a plus within"},
		{"+1 202 555 0123 x7", "us", false, "an extension is for the pattern to cut off"},
		{"+1-202-FLOWERS", "us", false, "letters"},
		{"+1 425 555 0100", "", true, "fictional, but the exchange 555 has other numbers, and the plan does not tell"},
		{"+49 30 901820", "", true, "short, as Berlin's are"},
		{"+49 (0) 30 / 90 18 20", "", true, "as people write it"},
		{"[030] 90.18.20", "de", true, "brackets and dots"},
		{"+49 (0)800 1234567890", "", true, "fifteen digits, and the trunk prefix"},
		{"+49 30 23125 000", "", true, "no-break spaces"},
		{"+49–30–23125−000", "", true, "dashes and a minus"},
		{"+49 30 23125\xc2000", "", false, "not UTF-8"},
		{"+٤٩ ٣٠ ٢٣١٢٥", "", false, "digits of other scripts"},
		{"(202) 555-0123", "US", false, "regions are written in lower case"},
		{"(202) 555-0123", "zz", false, "no such region"},
		{"(202) 555-0123", "usa", false, "two letters"},
		{"(202) 555-0123", "u", false, "two letters"},
		{"020 7946 0018", "uk", false, "the region is gb"},
		{"+4930231250001234", "de", false, "more than 15 digits"},
		{strings.Repeat("1", 100), "us", false, "far too long"},
		{strings.Repeat("1 ", 100), "", false, "far too long"},
	} {
		assert.Equal(t, tt.want, detect.Phone(tt.s, tt.region), "%q in %q: %s", tt.s, tt.region, tt.reason)
	}
}

func TestPhoneAllocs(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = detect.Phone("+44 (0)20 7946 0018", "")
		_ = detect.Phone("0 11 15 2345 6789", "ar")
		_ = detect.Phone("no number", "ar")
	}))
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"+44 (0)20 7946 0018", "0044 20 7946 0018", "(202) 555-0123", "0 11 15 2345 6789", "+800 1234 5678", "030–23125−000", "+\xff"} {
		for _, region := range []string{"", "gb", "us", "ar", "br", "jp", "zz"} {
			f.Add(s, region)
		}
	}
	const separators = " -./()[]\u00a0\u2013"
	f.Fuzz(func(t *testing.T, s, region string) {
		ok := detect.Phone(s, region)
		if ok && detect.Phone(s+strings.Repeat("0", 16), region) {
			t.Fatal("sixteen digits more are still a number")
		}
		// Separators do not matter: none, or many.
		bare := strings.Map(func(r rune) rune {
			if strings.ContainsRune(separators, r) {
				return -1
			}
			return r
		}, s)
		if ok && !detect.Phone(bare, region) {
			t.Fatalf("only with separators: %q", bare)
		}
		wide := separators
		for _, c := range []byte(bare) {
			wide += string([]byte{c}) + separators
		}
		plain := strings.Trim(bare, "+0123456789") == ""
		if plain && detect.Phone(wide, region) != detect.Phone(bare, region) {
			t.Fatalf("separators matter in %q", wide)
		}
		count := 0
		for i := range len(bare) {
			if bare[i] >= '0' && bare[i] <= '9' {
				count++
			}
		}
		// Fifteen digits, and a trunk prefix in spite of the calling code or a code of a carrier.
		if ok && (count > 24 || bare[0] == '+' && count > 20 || region == "" && bare[0] != '+' && bare[:2] != "00") {
			t.Fatalf("%q is accepted with %d digits", bare, count)
		}
		if number, plus := strings.CutPrefix(bare, "+"); plus && detect.Phone(bare, "") != detect.Phone("00"+number, "") {
			t.Fatalf("%q: + and 00 differ", bare)
		}
	})
}

func BenchmarkPhone(b *testing.B) {
	for _, bb := range []struct{ name, s, region string }{
		{"international", "+44 20 7946 0018", ""},
		{"national", "(202) 555-0123", "us"},
		{"fromAbroad", "+49 171 3920000", "de"},
		{"noNumber", "1234 5678 9012 3456", "de"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				detect.Phone(bb.s, bb.region)
			}
		})
	}
}
