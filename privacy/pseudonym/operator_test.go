package pseudonym

import (
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestClasses(t *testing.T) {
	assert.Equal(t, Linked, Class{}.Linkability, "the zero value grants nothing")
	assert.True(t, Linked < Linkable && Linkable < Unlinkable && Unlinkable < Aggregate)
	var names []string
	for l := range Linkability(5) {
		names = append(names, l.String())
	}
	for l := range Loss(4) {
		names = append(names, l.String())
	}
	assert.Equal(t, []string{"linked", "linkable", "unlinkable", "aggregate", "invalid", "none", "partial", "total", "invalid"}, names)
	_, class := Redact()
	assert.Equal(t, Class{Linkability: Unlinkable, Loss: LossTotal}, class)
	_, class = Mask("x", 1)
	assert.Equal(t, Class{Linkability: Linked, Loss: LossPartial}, class, "what is shown is in the clear")
}

func TestMask(t *testing.T) {
	for _, tt := range []struct {
		s      string
		keep   int
		want   string
		reason string
	}{
		{"4111111111111111", 4, "************1111", "the usual case"},
		{"12345678", 4, "****5678", "half is the most"},
		{"1234567", 4, "****567", "half, rounded down"},
		{"ab", 4, "*b", "half"},
		{"a", 4, "*", "half of one is none"},
		{"", 4, "", "nothing to show"},
		{"abcdef", 0, "******", "none asked for"},
		{"abcdef", -1, "******", "none asked for"},
		{"żółw", 1, "***w", "runes, not bytes"},
		{"wółż", 1, "***ż", "runes, not bytes"},
		{"abc\xff\xff\xff", 3, "******", "broken bytes are masked wherever they are"},
	} {
		got, _ := Mask(tt.s, tt.keep)
		assert.Equal(t, tt.want, got, tt.reason)
	}
	rapid.Check(t, func(t *rapid.T) {
		s, keep := rapid.String().Draw(t, "s"), rapid.Int().Draw(t, "keep")
		got, _ := Mask(s, keep)
		n := utf8.RuneCountInString(s)
		require.Equal(t, n, utf8.RuneCountInString(got))
		shown := strings.TrimLeft(got, "*")
		require.LessOrEqual(t, utf8.RuneCountInString(shown), n/2)
		require.True(t, strings.HasSuffix(s, shown))
	})
}

func TestRoundCoordinate(t *testing.T) {
	for _, tt := range []struct {
		s        string
		decimals int
		want     string
		reason   string
	}{
		{"-122.1295", 2, "-122.13", "rounded, not cut"},
		{"47.6401", 2, "47.64", "rounded down"},
		{"-122.125", 2, "-122.13", "a tie goes away from zero"},
		{"122.125", 2, "122.13", "a tie goes away from zero"},
		{"1.005", 2, "1.01", "exact: the nearest binary fraction is below the tie"},
		{"2.675", 2, "2.68", "exact: the nearest binary fraction is below the tie"},
		{"-0.004", 2, "0", "no negative zero"},
		{"-0", 2, "0", "no negative zero"},
		{"-0.0e5", 2, "0", "no negative zero"},
		{"-0.005", 2, "-0.01", "a tie goes away from zero"},
		{"0.0049999", 2, "0", "below the tie"},
		{"0.5", 0, "1", "no decimals"},
		{"0.4", 0, "0", "no decimals"},
		{"9.996", 2, "10", "carried through"},
		{"99.5", 0, "100", "carried through"},
		{"179.999", 2, "180", "up to the antimeridian"},
		{"-180", 2, "-180", "the antimeridian"},
		{"180.000", 2, "180", "the antimeridian"},
		{"47.601", 2, "47.6", "no trailing zeros"},
		{"47.0000", 2, "47", "no point without decimals"},
		{"47", 2, "47", "nothing to round"},
		{"100", 0, "100", "zeros before the point stay"},
		{"+47.5", 2, "47.5", "plus is dropped"},
		{"0047.5", 2, "47.5", "leading zeros are dropped"},
		{"4.76401e1", 2, "47.64", "exponent"},
		{"476401E-4", 2, "47.64", "exponent"},
		{"4.76401e+01", 2, "47.64", "exponent"},
		{"1e-7", 2, "0", "as encoders write small numbers"},
		{"1e-99999999999999999999", 8, "0", "exponent beyond any integer"},
		{"0e99999999999999999999", 8, "0", "exponent beyond any integer"},
		{"0.000000015", 8, "0.00000002", "all decimals"},
		{"12.123456789", 8, "12.12345679", "all decimals"},
	} {
		got, class, err := RoundCoordinate(tt.s, tt.decimals)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.want, got, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, tt := range []struct {
		s        string
		decimals int
		reason   string
	}{
		{"", 2, "empty"}, {"-", 2, "sign alone"}, {".", 2, "point alone"}, {"5.", 2, "no digits after the point"},
		{".5", 2, "no digits before the point"}, {"1e", 2, "no exponent"}, {"1e+", 2, "no exponent"}, {"1.5e1.5", 2, "exponent with a point"},
		{"--1", 2, "two signs"}, {"1.2.3", 2, "two points"}, {"47,64", 2, "comma"}, {" 1", 2, "space"}, {"NaN", 2, "not a number"},
		{"Inf", 2, "not a number"}, {"0x1p4", 2, "hexadecimal"}, {"1_0", 2, "underscore"}, {"47°38′", 2, "minutes"}, {"٤٧.٦", 2, "digits of another script"},
		{"180.0001", 2, "beyond the antimeridian"}, {"-181", 2, "beyond"}, {"476401234", 2, "10^-7 degrees: nothing would be rounded away"},
		{"1e3", 2, "beyond"}, {"1e99999999999999999999", 2, "beyond"},
		{"1.5", -1, "decimals"}, {"1.5", 9, "decimals"}, {"1." + strings.Repeat("5", 63), 2, "longer than any coordinate"},
	} {
		got, class, err := RoundCoordinate(tt.s, tt.decimals)
		var refused *OperatorError
		require.ErrorAs(t, err, &refused, tt.reason)
		assert.Empty(t, got, tt.reason)
		assert.Zero(t, class)
	}
}

// The reference computes with rational numbers.
func TestRoundCoordinateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[-+]?[0-9]{1,4}(\.[0-9]{1,12})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "number")
		decimals := rapid.IntRange(0, maxDecimals).Draw(t, "decimals")
		x, ok := new(big.Rat).SetString(s)
		require.True(t, ok)
		got, _, err := RoundCoordinate(s, decimals)
		if new(big.Rat).Abs(x).Cmp(big.NewRat(180, 1)) > 0 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		want := x.FloatString(decimals) // rounds half away from zero
		if strings.Contains(want, ".") {
			want = strings.TrimRight(strings.TrimRight(want, "0"), ".")
		}
		if want == "-0" {
			want = "0"
		}
		require.Equal(t, want, got)
		again, _, err := RoundCoordinate(got, decimals)
		require.NoError(t, err)
		require.Equal(t, got, again, "rounding twice is rounding once")
	})
}

func TestTruncateIP(t *testing.T) {
	for _, tt := range []struct{ s, want, reason string }{
		{"192.0.2.7", "192.0.2.0", "/24"},
		{"192.0.2.0", "192.0.2.0", "nothing to drop"},
		{"::ffff:192.0.2.7", "192.0.2.0", "IPv4 in IPv6: a /48 would drop all, or keep all"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::", "/48"},
		{"2002:c000:0207::1", "2002:c000:200::", "6to4: the /48 holds 192.0.2.7 whole"},
		{"64:ff9b::192.0.2.7", "64:ff9b::", "NAT64: the IPv4 address is in the host part"},
		{"fe80::1%eth0", "fe80::", "the zone is dropped"},
		{"::1", "::", "/48"},
	} {
		got, class, err := TruncateIP(tt.s)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.want, got, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, s := range []string{"", "jane", "192.0.2.7:443", "[::1]", "192.0.2.0/24", "192.0.2", "192.0.2.007", " 192.0.2.7"} {
		got, _, err := TruncateIP(s)
		var refused *OperatorError
		require.ErrorAs(t, err, &refused, s)
		assert.Empty(t, got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := drawAddr(t)
		got, _, err := TruncateIP(a.String())
		require.NoError(t, err)
		b, err := netip.ParseAddr(got)
		require.NoError(t, err)
		require.Equal(t, a.Unmap().Is4(), b.Is4())
		again, _, err := TruncateIP(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
		if b.Is4() {
			four, five := a.Unmap().As4(), b.As4()
			require.Equal(t, [4]byte{four[0], four[1], four[2]}, five)
		}
	})
}

func TestDateToYearAndMonth(t *testing.T) {
	for _, tt := range []struct{ s, month, reason string }{
		{"2024-02-29", "2024-02", "a date"},
		{"2024-02-29T23:59:60Z", "2024-02", "a leap second"},
		{"2024-12-31T23:30:00-08:00", "2024-12", "as written: in UTC it is 2025"},
		{"2024-02-29t00:00:00.123456789z", "2024-02", "lower case and fractions are in RFC 3339"},
		{"2024-02-29 00:00:00+05:30", "2024-02", "so is a space"},
		{"0001-01-01", "0001-01", "four digits"},
	} {
		month, class, err := DateToMonth(tt.s)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.month, month, tt.reason)
		assert.Equal(t, generalised, class)
		year, class, err := DateToYear(tt.s)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.month[:4], year, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, tt := range []struct{ s, reason string }{
		{"", "empty"}, {"2024", "a year already"}, {"2024-02", "a month already"}, {"2023-02-29", "not in the calendar"},
		{"2024-02-29T", "no time"}, {"2024-02-29T00:00Z", "no seconds"}, {"2024-02-29T00:00:00", "no offset"}, {"2024-02-29T24:00:00Z", "hour 24"},
		{"2024-02-29T00:60:00Z", "minute 60"}, {"2024-02-29T00:00:61Z", "second 61"}, {"2024-02-29T00:00:00.Z", "no fraction"},
		{"2024-02-29T00:00:00,5Z", "comma"}, {"2024-02-29T00:00:00+0530", "offset without a colon"}, {"2024-02-29T00:00:00+24:00", "offset"},
		{"2024-02-29T00:00:00Z ", "space after it"}, {"2024-02-29x00:00:00Z", "separator"}, {"12024-02-29", "five digits"}, {"29.02.2024", "another notation"},
		{"2024-02-29T00:00:00.", "cut"}, {"2024-02-29T00:00:00.1", "cut"}, {"2024-02-29T00:00:0", "cut"},
	} {
		for _, f := range []func(string) (string, Class, error){DateToYear, DateToMonth} {
			got, class, err := f(tt.s)
			var refused *OperatorError
			require.ErrorAs(t, err, &refused, tt.reason)
			assert.Empty(t, got)
			assert.Zero(t, class)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-6e10, 2e11).Draw(t, "at"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).
			In(time.FixedZone("", 60*rapid.IntRange(-1439, 1439).Draw(t, "offset")))
		if at.Year() < 0 || at.Year() > 9999 {
			t.Skip("a year that RFC 3339 cannot write: another is drawn")
		}
		got, _, err := DateToMonth(at.Format(time.RFC3339Nano))
		require.NoError(t, err)
		require.Equal(t, at.Format("2006-01"), got)
	})
}
