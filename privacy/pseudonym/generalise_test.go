package pseudonym

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// refusal asserts that an operator refused: an OperatorError, nothing beside it.
func refusal(t *testing.T, reason, got string, class Class, err error) {
	t.Helper()
	var refused *OperatorError
	require.ErrorAs(t, err, &refused, reason)
	assert.NotEmpty(t, refused.Operator, reason)
	assert.Empty(t, got, reason)
	assert.Zero(t, class, reason)
}

func TestReplace(t *testing.T) {
	got, class := Replace("someone")
	assert.Equal(t, "someone", got)
	assert.Equal(t, Class{Linkability: Unlinkable, Loss: LossTotal}, class)
}

func TestDateToQuarter(t *testing.T) {
	for month, quarter := range []int{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4} {
		date := "1999-" + string([]byte{'0' + byte((month+1)/10), '0' + byte((month+1)%10)}) + "-15"
		got, class, err := DateToQuarter(date)
		require.NoError(t, err)
		assert.Equal(t, "1999-Q"+strconv.Itoa(quarter), got, date)
		assert.Equal(t, generalised, class)
	}
	got, _, err := DateToQuarter("2024-12-31T23:30:00-08:00")
	require.NoError(t, err)
	assert.Equal(t, "2024-Q4", got, "as written: in UTC it is another year")
	for _, s := range []string{"", "2024", "2024-Q1", "2024-13-01", "2023-02-29"} {
		got, class, err := DateToQuarter(s)
		refusal(t, s, got, class, err)
	}
}

func TestTopCodeAge(t *testing.T) {
	for _, tt := range []struct{ age, want, reason string }{
		{"0", "0", "the first year of life"}, {"34", "34", "in whole years already"}, {"034", "34", "leading zeros are dropped"},
		{"89", "89", "89 is the last one that Safe Harbor shows"}, {"89.999", "89", "89 until the birthday"}, {"90", "90+", "all ages over 89"},
		{"9e1", "90+", "as some encoders write it"}, {"120", "90+", "above"}, {"150", "90+", "the greatest that is an age"}, {"0.5", "0", "half a year"},
		{"-0", "0", "zero has no sign"},
	} {
		got, class, err := TopCodeAge(tt.age)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.want, got, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, tt := range []struct{ age, reason string }{
		{"", "empty"}, {"-1", "not born"}, {"-0.001", "not born"}, {"151", "not an age"}, {"1987", "a year of birth"}, {"90+", "coded already"},
		{"ninety", "words"}, {"NaN", "not a number"}, {"1e999999999", "too large"}, {strings.Repeat("1", 65), "too long"},
	} {
		got, class, err := TopCodeAge(tt.age)
		refusal(t, tt.reason, got, class, err)
	}
}

func TestZIP3(t *testing.T) {
	for _, tt := range []struct{ zip, want, reason string }{
		{"98052", "980", "many people"}, {"98052-6399", "980", "ZIP+4"}, {"02139", "021", "the leading zero stays"},
		{"03601", "000", "036 has too few"}, {"20301-1000", "000", "203 is the government"}, {"89301", "000", "893 has too few"},
		{"06390", "000", "063 is Fishers Island"}, {"00501", "005", "not in the list of 2000"},
	} {
		got, class, err := ZIP3(tt.zip)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.want, got, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, tt := range []struct{ zip, reason string }{
		{"", "empty"}, {"980", "cut already, but by whom?"}, {"9805", "the leading zero was lost"}, {"980522", "six digits"}, {"98052-", "no extension"},
		{"98052-639", "three digits"}, {"98052-63999", "five digits"}, {"98052 6399", "no hyphen"}, {"SW1A 1AA", "another country"}, {"9805２", "digit of another script"},
		{" 98052", "space"},
	} {
		got, class, err := ZIP3(tt.zip)
		refusal(t, tt.reason, got, class, err)
	}

	// The whole list, written a second time, so that a slip in one of them shows.
	const guidance = "036 692 878 059 790 879 063 821 884 102 823 890 203 830 893 556 831"
	sparse := 0
	for n := range 1000 {
		prefix := string([]byte{'0' + byte(n/100), '0' + byte(n/10%10), '0' + byte(n%10)})
		got, _, err := ZIP3(prefix + "01")
		require.NoError(t, err)
		if strings.Contains(guidance, prefix) {
			assert.Equal(t, "000", got)
			sparse++
		} else {
			assert.Equal(t, prefix, got)
		}
	}
	assert.Equal(t, 17, sparse)

	table, err := NewZIP3Table("036", "980")
	require.NoError(t, err)
	got, _, err := table.ZIP3("98052")
	require.NoError(t, err)
	assert.Equal(t, "000", got, "the caller's own list")
	got, _, err = table.ZIP3("89301")
	require.NoError(t, err)
	assert.Equal(t, "893", got, "the caller's list stands in the place of ours")
	for _, sparse := range [][]string{nil, {""}, {"36"}, {"0360"}, {"036", "9x0"}} {
		_, err := NewZIP3Table(sparse...)
		require.ErrorIs(t, err, ErrOption)
	}
	for _, table := range []*ZIP3Table{nil, {}} {
		got, class, err := table.ZIP3("98052")
		refusal(t, "no list, no code", got, class, err)
	}
}

func TestBucket(t *testing.T) {
	for _, tt := range []struct{ s, width, want, reason string }{
		{"0", "10", "[0,10)", "begins at zero"}, {"9.999", "10", "[0,10)", "half-open"}, {"10", "10", "[10,20)", "half-open"},
		{"-0.5", "10", "[-10,0)", "down, also below zero"}, {"-10", "10", "[-10,0)", "the lower bound is inside"}, {"-10.0001", "10", "[-20,-10)", "below it"},
		{"0.3", "0.1", "[0.3,0.4)", "0.3/0.1 is 2.9999… in binary"}, {"0.29999999999999999999999", "0.1", "[0.2,0.3)", "and this is not 0.3"},
		{"1.1", "0.25", "[1,1.25)", "quarters"}, {"52345.67", "1e4", "[50000,60000)", "exponent"}, {"1e-60", "5", "[0,5)", "hardly above zero"},
		{"-1e-60", "5", "[-5,0)", "hardly below zero"}, {"7", "2.5", "[5,7.5)", "width with a fraction"}, {"99999999999999999", "1", "[99999999999999999,100000000000000000)", "17 digits"},
		{"0.000000001", "0.000000001", "[0.000000001,0.000000002)", "9 decimals"}, {"+4.50", "1", "[4,5)", "spelling"}, {"-0", "1", "[0,1)", "no negative zero"},
		{"123.456", "7", "[119,126)", "a width that divides nothing"},
	} {
		got, class, err := Bucket(tt.s, tt.width)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.want, got, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, tt := range []struct{ s, width, reason string }{
		{"", "10", "no number"}, {"x", "10", "no number"}, {"1", "", "no width"}, {"1", "0", "no width"}, {"1", "-10", "width below zero"}, {"1", "x", "no width"},
		{"1", "0.0000000001", "ten decimals"}, {"1", "1e18", "width of 19 digits"}, {"1e18", "1", "too large"}, {"-1e18", "1", "too large"}, {"1e17", "0.1", "too large with a decimal"},
		{"1e65", "10", "too large to write out"}, {"1e-999999", "10", "too small to write out"}, {"[0,10)", "10", "a bucket already"},
	} {
		got, class, err := Bucket(tt.s, tt.width)
		refusal(t, tt.reason, got, class, err)
	}
}

func drawNumber(t *rapid.T, label string) (string, *big.Rat) {
	s := rapid.StringMatching(`[-+]?[0-9]{1,9}(\.[0-9]{1,12})?([eE][-+]?[0-4])?`).Draw(t, label)
	x, ok := new(big.Rat).SetString(s)
	require.True(t, ok)
	return s, x
}

// The references compute with rational numbers.
func TestBucketProperties(t *testing.T) {
	bound := func(t *rapid.T, s string) *big.Rat {
		x, ok := new(big.Rat).SetString(s)
		require.True(t, ok, s)
		return x
	}
	buckets := 0
	rapid.Check(t, func(t *rapid.T) {
		s, x := drawNumber(t, "number")
		width, w := drawNumber(t, "width")
		got, _, err := Bucket(s, width)
		scaled := new(big.Rat).Mul(w, big.NewRat(1_000_000_000, 1))
		if w.Sign() <= 0 || !scaled.IsInt() {
			require.Error(t, err)
			return
		}
		if err != nil { // 17 digits are not enough for both
			require.Greater(t, len(s)+len(width), 18)
			return
		}
		buckets++
		lo, hi, ok := strings.Cut(got[1:len(got)-1], ",")
		require.True(t, ok && got[0] == '[' && got[len(got)-1] == ')', got)
		low, high := bound(t, lo), bound(t, hi)
		require.True(t, low.Cmp(x) <= 0 && x.Cmp(high) < 0, "inside")
		require.Zero(t, new(big.Rat).Sub(high, low).Cmp(w), "as wide as asked for")
		require.True(t, new(big.Rat).Quo(low, w).IsInt(), "counted from zero")
	})
	require.NotZero(t, buckets)
}

func TestBuckets(t *testing.T) {
	b, err := NewBuckets("-5", "0.5", "18", "30", "6.5e1")
	require.NoError(t, err)
	for s, want := range map[string]string{
		"-5.0001": "<-5", "-5": "[-5,0.5)", "0": "[-5,0.5)", "0.4999": "[-5,0.5)", "0.5": "[0.5,18)", "17.99": "[0.5,18)", "18": "[18,30)", "18.00": "[18,30)",
		"29": "[18,30)", "64.9": "[30,65)", "65": ">=65", "1e9": ">=65", "-1e9": "<-5",
	} {
		got, class, err := b.Bucket(s)
		require.NoError(t, err)
		assert.Equal(t, want, got, s)
		assert.Equal(t, generalised, class)
	}
	one, err := NewBuckets("0")
	require.NoError(t, err)
	got, _, err := one.Bucket("-0")
	require.NoError(t, err)
	assert.Equal(t, ">=0", got, "one edge makes two buckets, and zero has no sign")
	for _, s := range []string{"", "x", "1,5", "[18,30)"} {
		got, class, err := b.Bucket(s)
		refusal(t, s, got, class, err)
	}
	for _, edges := range [][]string{nil, {"x"}, {"1", "1.0"}, {"2", "1"}, {"1", ""}, {"1e99"}} {
		_, err := NewBuckets(edges...)
		require.ErrorIs(t, err, ErrOption, "%v", edges)
	}
	for _, b := range []*Buckets{nil, {}} {
		got, class, err := b.Bucket("1")
		refusal(t, "no edges", got, class, err)
	}
}

func TestTopAndBottomCode(t *testing.T) {
	for _, tt := range []struct{ s, limit, top, bottom, reason string }{
		{"99999.5", "100000", "99999.5", "<=100000", "below"},
		{"100000", "1e5", ">=100000", "<=100000", "at the limit both are coded"},
		{"2500000.00", "100000", ">=100000", "2500000", "above"},
		{"-7", "-5", "-7", "<=-5", "below zero"},
		{"-3.50", "-5", ">=-5", "-3.5", "below zero; no zeros that mean nothing"},
		{"0", "-0", ">=0", "<=0", "zero has no sign"},
		{"0", "0.1", "0", "<=0.1", "zero against more"},
		{"0", "-0.1", ">=-0.1", "0", "zero against less"},
	} {
		top, class, err := TopCode(tt.s, tt.limit)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.top, top, tt.reason)
		assert.Equal(t, generalised, class)
		bottom, class, err := BottomCode(tt.s, tt.limit)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.bottom, bottom, tt.reason)
		assert.Equal(t, generalised, class)
	}
	for _, f := range []func(string, string) (string, Class, error){TopCode, BottomCode} {
		for _, args := range [][2]string{{"", "1"}, {"x", "1"}, {"1", ""}, {"1", "x"}, {"1e99", "1"}, {">=1", "1"}} {
			got, class, err := f(args[0], args[1])
			refusal(t, args[0]+" and "+args[1], got, class, err)
		}
	}
}

func TestDecimalProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, x := drawNumber(t, "x")
		u, y := drawNumber(t, "y")
		if rapid.Bool().Draw(t, "same") {
			u, y = s, x
		}
		d, problem := readNumber(s)
		require.Empty(t, problem)
		e, problem := readNumber(u)
		require.Empty(t, problem)
		require.Equal(t, x.Cmp(y), d.compare(e))

		again, ok := new(big.Rat).SetString(d.String())
		require.True(t, ok)
		require.Zero(t, x.Cmp(again), "String is the same number")

		decimals := rapid.IntRange(0, 14).Draw(t, "decimals")
		n, ok := d.scaled(decimals)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
		scaled := new(big.Rat).Mul(x, scale)
		floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // of Euclid: down, for a denominator above zero
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
		if !ok {
			require.GreaterOrEqual(t, new(big.Int).Quo(scaled.Num(), scaled.Denom()).CmpAbs(limit), 0, "%s with %d decimals", s, decimals)
			return
		}
		require.Equal(t, floor.String(), strconv.FormatInt(n, 10), "%s with %d decimals", s, decimals)
	})
}

func FuzzBucket(f *testing.F) {
	for _, s := range []string{"0", "-0.5", "52345.67", "1e-7", "1e60", "999999999999999999", "-", "1e", ".5"} {
		for _, w := range []string{"10", "0.1", "2.5", "1e4", "0", "x"} {
			f.Add(s, w)
		}
	}
	f.Fuzz(func(t *testing.T, s, width string) {
		got, class, err := Bucket(s, width)
		if err != nil {
			require.Empty(t, got)
			require.Zero(t, class)
			return
		}
		lo, hi, _ := strings.Cut(strings.Trim(got, "[)"), ",")
		edges, err := NewBuckets(lo, hi)
		require.NoError(t, err)
		again, _, err := edges.Bucket(s)
		require.NoError(t, err)
		require.Equal(t, got, again, "both kinds of buckets agree")
		below, _, err := Bucket(lo, width)
		require.NoError(t, err)
		require.Equal(t, got, below, "the lower bound is inside")
		top, _, err := TopCode(s, lo)
		require.NoError(t, err)
		require.Equal(t, ">="+lo, top)
	})
}
