package retention_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/retention"
)

func TestParsePeriod(t *testing.T) {
	for _, tt := range []struct {
		text   string
		want   retention.Period
		canon  string
		reason string
	}{
		{"P90D", retention.Period{Days: 90}, "P90D", "days"},
		{"PT48H", retention.Period{Exact: 48 * time.Hour}, "PT48H", "hours are exact and never become days"},
		{"P1Y6M", retention.Period{Years: 1, Months: 6}, "P1Y6M", "years and months stay apart"},
		{"P18M", retention.Period{Months: 18}, "P18M", "months are not carried into years"},
		{"P2W", retention.Period{Weeks: 2}, "P2W", "weeks stand alone"},
		{"P0W", retention.Period{}, "P0D", "no time at all has one form"},
		{"P0D", retention.Period{}, "P0D", "an offset of zero is legal"},
		{"PT0S", retention.Period{}, "P0D", "no time at all has one form"},
		{"P1DT0H", retention.Period{Days: 1}, "P1D", "empty fields are dropped"},
		{"P1Y2M3DT4H5M6S", retention.Period{Years: 1, Months: 2, Days: 3, Exact: 4*time.Hour + 5*time.Minute + 6*time.Second}, "P1Y2M3DT4H5M6S", "every field"},
		{"PT90M", retention.Period{Exact: 90 * time.Minute}, "PT1H30M", "M after T is minutes"},
		{"P007D", retention.Period{Days: 7}, "P7D", "leading zeros mean nothing"},
		{"P1000Y", retention.Period{Years: 1000}, "P1000Y", "the longest"},
		{"P12000M", retention.Period{Months: 12000}, "P12000M", "the longest"},
		{"P365242D", retention.Period{Days: 365242}, "P365242D", "the longest in whole days"},
		{"P52177W", retention.Period{Weeks: 52177}, "P52177W", "the longest in whole weeks"},
		{"PT2562047H", retention.Period{Exact: 2562047 * time.Hour}, "PT2562047H", "the longest exact part in whole hours"},
	} {
		got, err := retention.ParsePeriod(tt.text)
		require.NoError(t, err, tt.text)
		assert.Equal(t, tt.want, got, "%s: %s", tt.text, tt.reason)
		assert.Equal(t, tt.canon, got.String(), "%s: %s", tt.text, tt.reason)
	}
}

func TestParsePeriodErrors(t *testing.T) {
	for _, tt := range []struct {
		text   string
		offset int
		reason string
	}{
		{"", 0, "nothing"},
		{"P", 1, "no field"},
		{"PT", 2, "T without a field"},
		{"P1DT", 4, "T without a field"},
		{"90D", 0, "no P"},
		{"p90d", 0, "small letters"},
		{"P90d", 3, "a small unit"},
		{"-P90D", 0, "a sign before P"},
		{"P-90D", 1, "a sign"},
		{"P+90D", 1, "a sign"},
		{"P1.5D", 2, "a fraction"},
		{"P1,5D", 2, "a fraction"},
		{"PT.5S", 2, "a fraction without a whole part"},
		{"P90", 3, "no unit"},
		{"PD", 1, "no number"},
		{"P1D1D", 4, "a field twice"},
		{"P1D1M", 4, "out of order"},
		{"P1H", 2, "hours without T"},
		{"PT1D", 3, "days after T"},
		{"PT1S1H", 5, "out of order after T"},
		{"PT1HT1M", 4, "T twice"},
		{"P1W1D", 2, "weeks with days"},
		{"P1D1W", 4, "weeks with days"},
		{"P1WT1H", 2, "weeks with hours"},
		{"PT1W", 3, "weeks after T"},
		{"P 1D", 1, "a blank"},
		{"P1D ", 3, "a blank at the end"},
		{"P1D\n", 3, "a new line at the end"},
		{"P１D", 1, "digits of another script"},
		{"P1001Y", 1, "too long"},
		{"P12001M", 1, "too long"},
		{"P365243D", 1, "too long"},
		{"P52178W", 1, "too long by a few days"},
		{"P1000Y1D", 0, "too long in sum"},
		{"P9999999999D", 1, "a number far too long"},
		{"P99999999999D", 1, "more digits than any period needs"},
		{"PT2562048H", 2, "more than time.Duration holds"},
		{"PT2562047H9999999999S", 10, "more than time.Duration holds in sum"},
		{"P" + strings.Repeat("0", 80) + "1D", 64, "a text of any length is not read"},
	} {
		p, err := retention.ParsePeriod(tt.text)
		var pe *retention.PeriodError
		require.ErrorAs(t, err, &pe, "%q: %s", tt.text, tt.reason)
		assert.Zero(t, p, tt.text)
		assert.Equal(t, tt.offset, pe.Offset, "%q: %s: %s", tt.text, tt.reason, err)
		assert.NotEmpty(t, pe.Problem)
		assert.NotEmpty(t, pe.Mend)
	}
}

func TestPeriodMadeByHand(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, p := range []retention.Period{
		{Days: -1}, {Years: 1001}, {Exact: time.Millisecond}, {Exact: -time.Second}, {Weeks: 1 << 40}, {Months: 1 << 60}, {Years: 999, Months: 13},
	} {
		_, err := p.Add(at, nil, retention.Clamp)
		var pe *retention.PeriodError
		require.ErrorAs(t, err, &pe, "%+v", p)
		assert.Equal(t, -1, pe.Offset)
		assert.Equal(t, "invalid period", p.String())
	}
	_, err := retention.Period{}.Add(at, nil, 7)
	require.Error(t, err)
	assert.Equal(t, "P8D", retention.Period{Weeks: 1, Days: 1}.String(), "what the grammar cannot mix is written in days")
}

// anyPeriod draws periods of every shape, mostly short ones.
func anyPeriod(t *rapid.T) retention.Period {
	if rapid.Bool().Draw(t, "weeks only") {
		return retention.Period{Weeks: rapid.IntRange(0, 300).Draw(t, "weeks")}
	}
	return retention.Period{
		Years: rapid.IntRange(0, 12).Draw(t, "years"), Months: rapid.IntRange(0, 30).Draw(t, "months"), Days: rapid.IntRange(0, 800).Draw(t, "days"),
		Exact: time.Duration(rapid.IntRange(0, 400000).Draw(t, "seconds")) * time.Second,
	}
}

func TestPeriodRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPeriod(t)
		got, err := retention.ParsePeriod(p.String())
		require.NoError(t, err)
		require.Equal(t, p, got)
	})
}

func FuzzParsePeriod(f *testing.F) {
	seeds := 0
	for _, s := range []string{"P90D", "PT48H", "P1Y6M", "P2W", "P0D", "P1Y2M3DT4H5M6S", "P1000Y", "PT", "P1WT1H", "P00000000001D", "P-1D", "P1.5D"} {
		f.Add(s)
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	at := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := retention.ParsePeriod(text)
		if err != nil {
			var pe *retention.PeriodError
			require.ErrorAs(t, err, &pe)
			require.True(t, 0 <= pe.Offset && pe.Offset <= len(text), "the fault lies in the text")
			return
		}
		canon := p.String()
		again, err := retention.ParsePeriod(canon)
		require.NoError(t, err)
		require.Equal(t, p, again, "the round trip is identical")
		require.Equal(t, canon, again.String(), "the canonical form is its own")
		end, err := p.Add(at, nil, retention.Clamp)
		require.NoError(t, err, "a period that parses can be added")
		require.False(t, end.Before(at), "no period goes back")
		p.Days++
		if next, err := p.Add(at, nil, retention.Clamp); err == nil {
			require.True(t, next.After(end), "one more day is strictly later")
		}
	})
}
