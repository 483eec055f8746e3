package timeline

import (
	"math"
	"slices"
	"time"
)

// An axis puts instants on pixels. It is to scale unless some bar would then be too
// short to see; then short stretches are drawn longer, and the picture says so.
type axis struct {
	left, right float64
	at          []int64 // instants of known place, ascending
	x           []float64
	even        bool
	ticks       []tick
}

type tick struct {
	x, middle float64 // of the date, and of its text
	text      string
}

const (
	shortest = 5.0  // pixels of a bar that can still be seen
	edge     = 26.0 // pixels beside the first and the last instant, for what is open there
	tickSize = 11.0
)

// newAxis makes room for all instants; shown are those at which bars begin and end.
func newAxis(left, right float64, instants []int64, bars [][2]int64) axis {
	a := axis{left: left, right: right, even: true}
	slices.Sort(instants)
	first, last := instants[0], instants[len(instants)-1]
	if first == last {
		// There is only the instant of the question, and nothing to measure.
		a.at, a.x = []int64{first - 1, last + 1}, []float64{left + edge, right - edge}
		return a
	}
	inner := right - left - 2*edge
	for _, b := range bars {
		if b[1] > b[0] && float64(b[1]-b[0])/float64(last-first)*inner < shortest {
			a.even = false
		}
	}
	a.at, a.x = []int64{first, last}, []float64{left + edge, right - edge}
	if a.even {
		a.round()
		return a
	}
	points := []int64{first, last}
	for _, b := range bars {
		points = append(points, b[0], b[1])
	}
	slices.Sort(points)
	a.stretch(slices.Compact(points), inner)
	return a
}

// stretch spreads points by a root of the time between them, and none closer than
// can be seen.
func (a *axis) stretch(points []int64, inner float64) {
	n := float64(len(points) - 1)
	least := min(2*shortest, inner/n/2)
	sum := 0.0
	for i := range points[1:] {
		sum += math.Cbrt(float64(points[i+1] - points[i]))
	}
	a.at, a.x = points, []float64{a.left + edge}
	for i := range points[1:] {
		part := math.Cbrt(float64(points[i+1]-points[i])) / sum
		a.x = append(a.x, a.x[i]+least+part*(inner-least*n))
	}
	for i, p := range points {
		a.label(a.x[i], when(time.Unix(p, 0)))
	}
}

// label adds a tick with its text, inside of the picture, if it stands clear of the
// one before.
func (a *axis) label(x float64, text string) {
	half := width(text, tickSize) / 2
	middle := min(max(x, a.left+half), a.right-half)
	if n := len(a.ticks); n > 0 && a.ticks[n-1].middle+width(a.ticks[n-1].text, tickSize)/2+8 > middle-half {
		return
	}
	a.ticks = append(a.ticks, tick{x, middle, text})
}

// place is where an instant lies, in pixels, inside of the picture.
func (a *axis) place(t int64) float64 {
	i, found := slices.BinarySearch(a.at, t)
	switch n := len(a.at) - 1; {
	case found:
		return a.x[i]
	case i == 0:
		return max(a.left, a.x[0]-float64(a.at[0]-t)*a.slope())
	case i > n:
		return min(a.right, a.x[n]+float64(t-a.at[n])*a.slope())
	}
	part := float64(t-a.at[i-1]) / float64(a.at[i]-a.at[i-1])
	return a.x[i-1] + part*(a.x[i]-a.x[i-1])
}

func (a *axis) slope() float64 {
	n := len(a.at) - 1
	return (a.x[n] - a.x[0]) / float64(a.at[n]-a.at[0])
}

// A step is a distance between round dates.
type step struct {
	months, seconds int
	layout          string
}

func (s step) length() float64 { return float64(s.seconds) + float64(s.months)*365.2425/12*86_400 }

var steps = []step{
	{0, 1, "15:04:05"}, {0, 10, "15:04:05"}, {0, 60, "01-02 15:04"}, {0, 600, "01-02 15:04"}, {0, 3600, "01-02 15:04"}, {0, 3 * 3600, "01-02 15:04"}, {0, 6 * 3600, "01-02 15:04"}, {0, 12 * 3600, "01-02 15:04"},
	{0, 86_400, "2006-01-02"}, {0, 2 * 86_400, "2006-01-02"}, {0, 7 * 86_400, "2006-01-02"},
	{1, 0, "2006-01"}, {2, 0, "2006-01"}, {3, 0, "2006-01"}, {6, 0, "2006-01"},
	{12, 0, "2006"}, {24, 0, "2006"}, {60, 0, "2006"}, {120, 0, "2006"}, {240, 0, "2006"}, {600, 0, "2006"}, {1200, 0, "2006"}, {6000, 0, "2006"}, {12_000, 0, "2006"},
}

// round puts ticks on round dates, as close as their texts allow.
func (a *axis) round() {
	span := float64(a.at[1] - a.at[0])
	for _, s := range steps {
		if s.length()*a.slope() < width(s.layout, tickSize)+24 {
			continue
		}
		if s.length() > span {
			break // not even two round dates: the exact ones say more
		}
		from := a.at[0] - int64(edge/a.slope())
		for t := s.first(from); ; t = s.next(t) {
			x := a.x[0] + float64(t.Unix()-a.at[0])*a.slope()
			if x > a.right || t.Year() > 9999 {
				return
			}
			if x >= a.left && t.Year() >= 1 {
				a.label(x, t.Format(s.layout))
			}
		}
	}
	for i, p := range a.at {
		a.label(a.x[i], when(time.Unix(p, 0)))
	}
}

// first is the last round date at or before t.
func (s step) first(t int64) time.Time {
	if s.months == 0 {
		n := int64(s.seconds)
		return time.Unix(t-((t%n)+n)%n, 0).UTC()
	}
	at := time.Unix(t, 0).UTC()
	month := at.Year()*12 + int(at.Month()) - 1
	return s.date(month - month%s.months)
}

func (s step) next(t time.Time) time.Time {
	if s.months == 0 {
		return t.Add(time.Duration(s.seconds) * time.Second)
	}
	return s.date(t.Year()*12 + int(t.Month()) - 1 + s.months)
}

func (s step) date(month int) time.Time {
	return time.Date(month/12, time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC)
}
