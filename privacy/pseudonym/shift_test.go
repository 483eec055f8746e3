package pseudonym

import (
	"context"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func testShift(t tester, versions int, r ShiftRange) *DateShift {
	t.Helper()
	d, err := NewDateShift(context.Background(), testStore(t, versions), testScope, r)
	require.NoError(t, err)
	return d
}

// Day numbers against package time, over every day that can be written.
func TestDayNumbers(t *testing.T) {
	day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := 0; n <= lastDay; n++ {
		if !testing.Short() || n%97 == 0 || n < 1000 || n > lastDay-1000 {
			s := day.Format(time.DateOnly)
			if got := dayNumber(s); got != n {
				t.Fatalf("day number of %s is %d, not %d", s, got, n)
			}
			if got := string(appendDay(nil, n)); got != s {
				t.Fatalf("day %d is %s, not %s", n, got, s)
			}
		}
		day = day.Add(24 * time.Hour)
	}
	assert.Equal(t, "10000-01-01", day.Format("2006-01-02"), "the last day was the last")
}

// refShift is the definition, on the HMAC of the second implementation.
func refShift(secret []byte, s Scope, version uint32, r ShiftRange, typ byte, canonical, date string, sign int) string {
	info := "privacy/pseudonym/v1/shift\x00" + refLP(s.Tenant) + refLP(s.Purpose) + refLP(s.Category) + string(binary.BigEndian.AppendUint32(nil, version))
	prk := refHMAC(make([]byte, 32), secret)
	key := refHMAC(prk, []byte(info+"\x01"))
	x := binary.BigEndian.Uint64(refHMAC(key, append([]byte{typ}, canonical...))[:8])
	var choice []int
	for n := r.Lo; n <= r.Hi; n++ {
		if n != 0 || r.Zero {
			choice = append(choice, n)
		}
	}
	day, err := time.Parse(time.DateOnly, date[:10])
	if err != nil {
		return ""
	}
	day = day.Add(time.Duration(sign*choice[x%uint64(len(choice))]) * 24 * time.Hour)
	if day.Year() < 0 || day.Year() > 9999 {
		return ""
	}
	return day.Format(time.DateOnly) + date[10:]
}

func TestShiftAgreesWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret, scope := drawSecret(t), drawScope(t)
		version := rapid.Uint32Min(1).Draw(t, "version")
		r := ShiftRange{Lo: rapid.IntRange(-maxShift, maxShift-2).Draw(t, "lo"), Zero: rapid.Bool().Draw(t, "zero")}
		r.Hi = rapid.IntRange(r.Lo+2, min(r.Lo+400, maxShift)).Draw(t, "hi")
		s, err := NewSecret(secret)
		require.NoError(t, err)
		var store Memory
		require.NoError(t, store.Add(scope.Tenant, version, s))
		d, err := NewDateShift(context.Background(), &store, scope, r)
		require.NoError(t, err)
		require.Equal(t, version, d.Version())

		subject := rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "subject")
		at := time.Unix(rapid.Int64Range(-62_167_219_200, 253_402_300_799).Draw(t, "at"), 0).UTC()
		date := at.Format(rapid.SampledFrom([]string{time.DateOnly, time.RFC3339}).Draw(t, "layout"))
		want := refShift(secret, scope, version, r, 2, subject, date, 1)
		got, class, err := d.Shift(Text(subject), date, 0)
		if want == "" {
			var refused *OperatorError
			require.ErrorAs(t, err, &refused)
			require.Empty(t, got)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, Class{Linkability: Linkable, Reversible: true}, class)
		if !r.Zero {
			require.NotEqual(t, date, got, "0 days were not allowed")
		}
		back, err := d.Reveal(Text(subject), got, version)
		require.NoError(t, err)
		require.Equal(t, date, back)

		// What lies between two dates of one subject stays.
		other, _, err := d.Shift(Text(subject), "2000-02-29", version)
		require.NoError(t, err)
		require.Equal(t, dayNumber(date)-dayNumber("2000-02-29"), dayNumber(got)-dayNumber(other))
	})
}

// All days of a range come up, as often as chance has it.
func TestShiftIsEven(t *testing.T) {
	for _, r := range []ShiftRange{{Lo: -3, Hi: 3}, {Lo: -3, Hi: 3, Zero: true}, {Lo: 1, Hi: 10}, {Lo: -10, Hi: 0}, {Lo: 0, Hi: 5}} {
		d := testShift(t, 1, r)
		const draws = 20_000
		counts := map[int]int{}
		for i := range draws {
			got, _, err := d.Shift(Int(int64(i)), "2024-02-29", 0)
			require.NoError(t, err)
			counts[dayNumber(got)-dayNumber("2024-02-29")]++
		}
		assert.Len(t, counts, r.days(), "%+v", r)
		expected := float64(draws) / float64(r.days())
		for days, n := range counts {
			assert.True(t, days >= r.Lo && days <= r.Hi && (days != 0 || r.Zero), "%+v: %d days", r, days)
			assert.InDelta(t, expected, n, 6*math.Sqrt(expected), "%+v: %d days", r, days)
		}
	}
	// The ends of the draw, which no test would meet by chance.
	r := ShiftRange{Lo: -3, Hi: 3}
	var picked []string
	for x := range uint64(7) {
		picked = append(picked, strconv.Itoa(r.pick(x)))
	}
	assert.Equal(t, "-3 -2 -1 1 2 3 -3", strings.Join(picked, " "))
	assert.LessOrEqual(t, float64(2*maxShift+1)/math.Exp2(64), math.Exp2(-50), "bias")
}

func TestShiftKeepsTheRest(t *testing.T) {
	d := testShift(t, 2, ShiftRange{Lo: 1, Hi: 2})
	for _, rest := range []string{"", "T23:59:60Z", "T00:00:00.123456789-08:00", " 12:00:00+05:30", "t01:02:03z"} {
		got, _, err := d.Shift(Email("jane@example.com"), "2024-12-31"+rest, 0)
		require.NoError(t, err)
		assert.Regexp(t, `^2025-01-0[12]$`, got[:10], "over the end of the year")
		assert.Equal(t, rest, got[10:])
	}
	one, _, err := d.Shift(Email("jane@example.com"), "2024-12-31", 1)
	require.NoError(t, err)
	back, err := d.Reveal(Email(" Jane@Example.com"), one, 1)
	require.NoError(t, err)
	assert.Equal(t, "2024-12-31", back, "the subject is canonical")
	assert.Equal(t, Linkable, d.Class())
}

func TestShiftRefuses(t *testing.T) {
	for _, tt := range []struct {
		r      ShiftRange
		reason string
	}{
		{ShiftRange{}, "zero"}, {ShiftRange{Zero: true}, "no shift at all"}, {ShiftRange{Lo: 5, Hi: 5}, "everybody alike"}, {ShiftRange{Lo: 0, Hi: 1}, "1 is all that is left"},
		{ShiftRange{Lo: 5, Hi: 4}, "backwards"}, {ShiftRange{Lo: -8192, Hi: 0}, "too far"}, {ShiftRange{Lo: 0, Hi: 8192}, "too far"},
		{ShiftRange{Lo: math.MinInt, Hi: math.MaxInt}, "too far to reckon with"},
	} {
		d, err := NewDateShift(t.Context(), testStore(t, 1), testScope, tt.r)
		require.ErrorIs(t, err, ErrOption, tt.reason)
		assert.Nil(t, d)
	}
	r := ShiftRange{Lo: -30, Hi: 30}
	_, err := NewDateShift(t.Context(), testStore(t, 1), Scope{}, r)
	require.ErrorIs(t, err, ErrScope)
	_, err = NewDateShift(t.Context(), nil, testScope, r)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewDateShift(t.Context(), &Memory{}, testScope, r)
	require.ErrorIs(t, err, ErrUnknown)

	d := testShift(t, 1, r)
	for _, s := range []string{"", "2024", "2023-02-29", "29.02.2024", "2024-02-29T25:00:00Z"} {
		got, class, err := d.Shift(Int(1), s, 0)
		refusal(t, s, got, class, err)
		_, err = d.Reveal(Int(1), s, 0)
		require.Error(t, err)
	}
	var refused *ValueError
	_, _, err = d.Shift(Phone("x"), "2024-02-29", 0)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, TypePhone, refused.Type)
	_, _, err = d.Shift(Int(1), "2024-02-29", 2)
	require.ErrorIs(t, err, ErrUnknown, "no such version")
	before := testShift(t, 1, ShiftRange{Lo: -20, Hi: -10})
	got, class, err := before.Shift(Int(1), "0000-01-05", 0)
	refusal(t, "before the year 0", got, class, err)
	back := testShift(t, 1, ShiftRange{Lo: -2, Hi: -1})
	on := testShift(t, 1, ShiftRange{Lo: 1, Hi: 2})
	for i := range int64(20) { // a single day is too many already
		got, class, err := back.Shift(Int(i), "0000-01-01", 0)
		refusal(t, "before the first day", got, class, err)
		got, class, err = on.Shift(Int(i), "9999-12-31", 0)
		refusal(t, "after the last day", got, class, err)
	}

	var zero DateShift
	_, _, err = zero.Shift(Int(1), "2024-02-29", 0)
	require.ErrorIs(t, err, errShiftNotMade)
	_, err = zero.Reveal(Int(1), "2024-02-29", 0)
	require.ErrorIs(t, err, errShiftNotMade)
	assert.Zero(t, zero.Version())
}

func BenchmarkShift(b *testing.B) {
	d := testShift(b, 1, ShiftRange{Lo: -30, Hi: 30})
	v := Bytes(benchValue)
	b.ReportAllocs()
	for b.Loop() {
		d.Shift(v, "2024-02-29", 0)
	}
}
