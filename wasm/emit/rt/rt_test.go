package rt

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/expr"
)

// In modules these functions are compared with package expr, see package emit; here
// with the standard library.

var pieces = []string{"", "a", "b", "ab", "abcabcabd", "aaaaaaaaaa", " ", "\t", "é", "日本", "🙂", "\xff", "\xe6\x97", "\u00a0", "\u2003", "\u0085", ",", "A", "Z"}

func text(r *rand.Rand, n int) string {
	s := ""
	for range r.IntN(n) {
		s += pieces[r.IntN(len(pieces))]
	}
	return s
}

func TestCodes(t *testing.T) {
	for ours, theirs := range map[int]expr.Code{OK: expr.OK, Overflow: expr.Overflow, DivideByZero: expr.DivideByZero, ModulusByZero: expr.ModulusByZero,
		IndexOutOfRange: expr.IndexOutOfRange, BadConversion: expr.BadConversion, BadArgument: expr.BadArgument} {
		assert.Equal(t, int(theirs), ours)
	}
	assert.Equal(t, expr.Budget, Budget)
}

func TestTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		Begin()
		s, old, with, n := text(r, 8), text(r, 3), text(r, 3), r.IntN(6)-1
		require.Equal(t, strings.Index(s, old), index(s, old), "%q %q", s, old)
		require.Equal(t, strings.Count(s, old), occurrences(s, old), "%q %q", s, old)
		require.Equal(t, strings.TrimSpace(s), Trim(s), "%q", s)
		require.Equal(t, int64(utf8.RuneCountInString(s)), Characters(s))
		require.Equal(t, strings.Compare(s, old), Compare(s, old))
		out, changed := Replace(s, old, with, int64(n))
		got := s
		if changed {
			got = string(out)
		}
		require.Equal(t, strings.Replace(s, old, with, n), got, "%q %q %q %d", s, old, with, n)
		out, changed = Lower(s)
		got = s
		if changed {
			got = string(out)
		}
		want := []byte(string([]rune(s)))
		for i, c := range want {
			if c >= 'A' && c <= 'Z' {
				want[i] = c + 32
			}
		}
		require.Equal(t, string(want), got, "%q", s)
		if count, broke := Pieces(s, old, int64(n)); assert.False(t, broke) {
			parts := make([]string, count)
			want, got := strings.SplitN(s, old, n), parts[:Split(parts, s, old)]
			require.Equal(t, strings.Join(want, "\x00"), strings.Join(got, "\x00"), "%q %q %d", s, old, n)
			require.Len(t, got, len(want))
		}
		require.Equal(t, s+old, string(Join(s, old)))
	}
}

func TestTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		Begin()
		sec := r.Int64N(maxSec-minSec+1) + minSec
		nano := 0
		if r.IntN(2) == 0 {
			nano = r.IntN(second)
		}
		zone := r.IntN(2*1439+1) - 1439
		if r.IntN(3) == 0 {
			zone = 0
		}
		want := time.Unix(sec, int64(nano)).In(time.FixedZone("", zone*60)).Format(time.RFC3339Nano)
		require.Equal(t, want, string(TimeToText(sec, nano, zone)))
		if len(want) <= 35 && want[0] != '1' || want[4] == '-' {
			s, n, z, code := TextToTime(want)
			require.Equal(t, []any{sec, nano, zone, OK}, []any{s, n, z, code}, want)
		}
		d := time.Duration(r.Int64() >> r.IntN(63))
		if r.IntN(2) == 0 {
			d = -d
		}
		got, code := TextToDuration(d.String())
		require.Equal(t, OK, code)
		require.Equal(t, int64(d), got, d.String())
	}
}

func TestDoubles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	check := func(s string) {
		Begin()
		want, err := strconv.ParseFloat(s, 64)
		got, code := TextToDouble(s)
		require.Equal(t, err != nil, code != OK, s)
		if err == nil {
			require.Equal(t, math.Float64bits(want), math.Float64bits(got), s)
		}
	}
	for _, s := range []string{"", "+", "-", ".", "1.", ".1", "1e", "1e+", "1e5", "1E-5", "1_0", "0x1p-2", "0x_1p-2", "0x1_0p3", "0x1__0p3", "0x1_p3", "0x1p3_0", "0x1.8p1", "0x1", "0x.p1", "0X.8P0",
		"0x1.fffffffffffff8p1023", "0x1.fffffffffffff7p1023", "0x1p-1074", "0x1p-1075", "0x1.8p-1075", "0x0p99999", "0x1234567890abcdef1p0", "0x1.00000000000008p0", "0x1.000000000000080000000001p0",
		"inf", "+Inf", "-INFINITY", "infin", "nan", "NaN", "+nan", "1e400", "-1e400", "1e-400", "4.9e-324", "2.4e-324", "2.5e-324", "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993",
		"2.2250738585072011e-308", "2.2250738585072014e-308", "00000000001", "0.000000000000000000000000000001", "1e99999999999", "1e-99999999999", "0e99999", " 1", "1 ", "1..2", "1e5.5", "१"} {
		check(s)
	}
	for range 20_000 {
		d := math.Float64frombits(r.Uint64())
		switch r.IntN(3) {
		case 0:
			d = float64(r.Int64()>>r.IntN(63)) / float64(uint64(1)<<r.IntN(60))
		case 1:
			d = math.Ldexp(1, r.IntN(2100)-1075)
		}
		Begin()
		s := strconv.FormatFloat(d, 'g', -1, 64)
		require.Equal(t, s, string(DoubleToText(d)))
		check(s)
		check(strconv.FormatFloat(d, 'e', r.IntN(30), 64))
		if d > 1e-300 && d < 1e300 {
			check(new(big.Float).SetPrec(2000).Add(new(big.Float).SetPrec(2000).SetFloat64(d), new(big.Float).SetFloat64((math.Nextafter(d, 1e308)-d)/2)).Text('g', 1200))
		}
		n := r.Int64() >> r.IntN(63)
		want := strconv.FormatFloat(time.Duration(n).Seconds(), 'f', -1, 64) + "s"
		require.Equal(t, want, string(DurationToText(n)))
	}
}

func TestRoom(t *testing.T) {
	Begin()
	assert.Len(t, Room(Size-8), Size-8)
	assert.Len(t, Room(8), 8)
	assert.Positive(t, Fuel)
	assert.Empty(t, Room(1))
	assert.Negative(t, Fuel)
	Begin()
	assert.Empty(t, Room(-1))
	assert.Negative(t, Fuel)
	Begin()
	assert.False(t, Broke(Budget))
	assert.True(t, Broke(1))
	assert.True(t, Broke(0), "it stays used up")
}
