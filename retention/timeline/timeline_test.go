package timeline

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/retention"
)

// A box is a text of a picture with the room that it takes.
type box struct {
	text                     string
	left, right, top, bottom float64
}

// boxes reads a picture as a browser would, which fails if it is not well formed, and
// measures its texts by the same estimate that the picture goes by.
func boxes(t require.TestingT, svg []byte) (list []box, w, h float64) {
	sizes := map[string]float64{"tick": tickSize, "flag": 12 * bold, "flag last": 12 * bold, "h": textSize * bold, "h soft": textSize * bold, "big": 19 * bold, "soft": textSize}
	number := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return x
	}
	d := xml.NewDecoder(bytes.NewReader(svg))
	var open *box
	class := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list, w, h
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			at := map[string]string{}
			for _, a := range e.Attr {
				at[a.Name.Local] = a.Value
			}
			switch e.Name.Local {
			case "svg":
				w, h = number(at["width"]), number(at["height"])
			case "text":
				class = at["class"]
				open = &box{left: number(at["x"]), bottom: number(at["y"])}
			}
		case xml.CharData:
			if open != nil {
				open.text += string(e)
			}
		case xml.EndElement:
			if e.Name.Local == "text" {
				size, ok := sizes[class]
				if !ok && strings.HasPrefix(class, "word") {
					size = 12 * bold
				}
				require.NotZero(t, size, "a class of text that this test does not know: %s", class)
				long := width(open.text, size)
				switch {
				case strings.HasPrefix(class, "word") || class == "tick":
					open.left -= long / 2
				case class == "flag last":
					open.left -= long
				}
				open.right, open.top = open.left+long, open.bottom-size*0.75
				list = append(list, *open)
				open = nil
			}
		}
	}
}

// nothingCutNorCovered is what the picture promises of its texts.
func nothingCutNorCovered(t require.TestingT, svg []byte) {
	list, w, h := boxes(t, svg)
	require.NotEmpty(t, list)
	const hair = 0.2
	for i, a := range list {
		require.True(t, a.left >= -hair && a.right <= w+hair && a.top >= 0 && a.bottom <= h, "%q is cut: %+v in %gx%g", a.text, a, w, h)
		for _, b := range list[:i] {
			require.False(t, a.left < b.right-hair && b.left < a.right-hair && a.top < b.bottom-hair && b.top < a.bottom-hair, "%q lies on %q", a.text, b.text)
		}
	}
}

func TestPictures(t *testing.T) {
	for _, s := range scenes(t) {
		t.Run(s.name, func(t *testing.T) {
			p := plan(t, s)
			for _, w := range []int{0, Narrow, 639, 640, Wide, 3000} {
				svg := SVG(p, w)
				nothingCutNorCovered(t, svg)
				assert.Equal(t, string(svg), string(SVG(p, w)), "equal plans, equal bytes")
			}
			svg := string(SVG(p, Wide))
			for _, banned := range []string{"<script", "href", "@import", "<image", "foreignObject", "onload"} {
				assert.NotContains(t, svg, banned, "self-contained, without scripts")
			}
			for _, needed := range []string{`role="img"`, "aria-labelledby=", "<title id=", "<desc id=", "prefers-color-scheme:dark"} {
				assert.Contains(t, svg, needed, "accessible, light and dark")
			}
			page, err := HTML(p)
			require.NoError(t, err)
			assert.NotContains(t, string(page), "ZgotmplZ")
			assert.NotContains(t, string(page), "<script")
			for _, step := range p.Trail {
				assert.Contains(t, string(page), step.Rule)
			}
		})
	}
}

// A plan without a trail, and one of several categories, are drawn as well.
func TestOtherPlans(t *testing.T) {
	var parts []retention.Plan
	for _, s := range scenes(t) {
		p := plan(t, s)
		parts = append(parts, *p)
		p.Trail = nil
		nothingCutNorCovered(t, SVG(p, Wide))
	}
	whole := retention.Combine(parts...)
	for _, w := range []int{Narrow, Wide} {
		nothingCutNorCovered(t, SVG(&whole, w))
	}
	svg := string(SVG(&whole, Wide))
	assert.Contains(t, svg, "Plan for one record")
	assert.Contains(t, svg, "counts for customer.files", "won for one category of several")
	page, err := HTML(&whole)
	require.NoError(t, err)
	assert.Contains(t, string(page), "<li>customer.files: limited [002:39]")
	nothingCutNorCovered(t, SVG(&retention.Plan{Now: instant(t, "2026-01-01T00:00:00Z")}, Wide))
}

// A picture has an end, however many rules and holds there are.
func TestPictureIsBounded(t *testing.T) {
	in := retention.Input{Category: "x", Now: instant(t, "2026-01-01T00:00:00Z"), Explain: true, Erasure: &retention.Erasure{ID: "e", At: instant(t, "2026-01-01T00:00:00Z")}}
	var rules []retention.Rule
	for i := range 500 {
		r := rule(t, "r"+strconv.Itoa(i), retention.Floor, retention.Law, "", "created", "P1Y")
		r.When = says("no", false)
		rules = append(rules, r)
		in.Holds = append(in.Holds, hold(t, retention.Suspend, "h"+strconv.Itoa(i), "2025-01-01T00:00:00Z", ""))
	}
	svg := SVG(plan(t, scene{rules: rules, in: in}), Wide)
	nothingCutNorCovered(t, svg)
	_, _, high := boxes(t, svg)
	assert.Less(t, high, 20_000.0)
	assert.Contains(t, string(svg), "and 420 more")
}

// What the pictures of the scenarios say, in words.
func TestWords(t *testing.T) {
	want := map[string][]string{
		"s3":         {"Keep until 2026-03-31 23:59:59", "must be gone by 2026-06-29 23:59:59", "limited from 2025-12-31 23:59:59 until 2026-03-31 23:59:59: export, renew allowed", "90 days after the end of limited", "about deletion by email", "2025-12-31 23:59:59 · 2026-03-01 23:59:59 · 2026-03-24 23:59:59"},
		"s5":         {"No rule is known", "no period is stated", "limited – its condition does not hold: !free_trial", "deletion – it follows a rule that does not apply: limited"},
		"s7":         {"Keep: no end is known", "was taken back on 2026-02-10", "active always: anything allowed"},
		"s7-before":  {"Keep: waits for subscription_end", "has not happened yet", "no end yet: the event has not happened"},
		"s8":         {"Held by case-1: not to be deleted", "when case-1 is released", "to be gone by 2026-06-29 23:59:59", "from 2026-03-01, open: not released", "ordered by court order 1/26"},
		"s9":         {"May be deleted, since 2026-08-15", "2026-09-14 (statement), late because held", "from 2026-03-01, until 2026-08-15"},
		"k5":         {"the floor tax (law) ends after the ceiling contract (agreement)", "and is kept until 2030-01-01"},
		"k5-48h":     {"48 hours from created", "10 years from created", "The axis is not to scale"},
		"k6-invoice": {"erasable from 2027-01-01, because of tax", "recorded in case 7", "counted from end of year (2017-01-01)"},
		"k6-profile": {"Should be deleted, since 2026-05-20", "gives way to request-7"},
		"h3":         {"Keep until 2026-04-03", "1 year from created, and 92 days for which holds stopped the clock", "the clock stands still meanwhile"},
		"overdue":    {"Must be gone, since 2026-06-29 23:59:59"},
		"copies":     {"Copies: primary, cache, replica, log, derived", "Copies: backup, media", "must be gone by 2026-12-31 23:59:59", "media: at least purge", "for copies: backup, media"},
		"many":       {"And 22 rows more"},
		"crowd":      {"2026-01-01 00:00:01", "The axis is not to scale"},
	}
	for _, s := range scenes(t) {
		list, _, _ := boxes(t, SVG(plan(t, s), 3000))
		all := ""
		for _, b := range list {
			all += strings.ReplaceAll(b.text, "\u00a0", " ") + " "
		}
		require.Contains(t, want, s.name)
		for _, text := range want[s.name] {
			assert.Contains(t, all, text, "%s: %s", s.name, s.reason)
		}
		if s.name == "s3" {
			assert.NotContains(t, all, "not to scale", "half a year is to scale")
		}
	}
}

// Names, sources and conditions are written by authors: they are text, not markup.
func TestEscapes(t *testing.T) {
	r := rule(t, "r", retention.Floor, retention.Law, "", "created", "P1Y")
	r.Source, r.When = "<script>alert(1)</script>\x00\u202e&\"'\xff", says(`a < "b" && 'c'`, false)
	s := r
	s.ID, s.When = "s", retention.Condition{}
	p := plan(t, scene{rules: []retention.Rule{r, s}, in: retention.Input{Now: instant(t, "2026-01-01T00:00:00Z"), Explain: true, Events: map[retention.Anchor]time.Time{"created": instant(t, "2026-01-01T00:00:00Z")}}})
	svg := SVG(p, Wide)
	page, err := HTML(p)
	require.NoError(t, err)
	for _, text := range []string{string(svg), string(page)} {
		assert.NotContains(t, text, "<script")
		assert.Contains(t, text, "&lt;script&gt;")
		assert.NotContains(t, text, "\x00")
		assert.NotContains(t, text, "\u202e", "a text must not turn the ones beside it around")
	}
	boxes(t, svg)
}

// Whatever the plan, words are neither cut nor covered, and later is never further
// to the left.
func TestAnyPlan(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		at := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(-60_000_000_000, 250_000_000_000).Draw(r, label), 0).UTC()
		}
		var rules []retention.Rule
		for i := range rapid.IntRange(0, 6).Draw(r, "rules") {
			rules = append(rules, retention.Rule{
				ID: strings.Repeat("r", rapid.IntRange(1, 120).Draw(r, "id")) + strconv.Itoa(i), Source: rapid.StringN(0, 60, 256).Draw(r, "source"),
				Kind: rapid.SampledFrom([]retention.Kind{retention.Floor, retention.Delete, retention.Ceiling}).Draw(r, "kind"), Strength: retention.Default,
				Anchor: retention.Anchor("event" + strconv.Itoa(rapid.IntRange(0, 3).Draw(r, "anchor"))),
				Period: retention.Period{Years: rapid.IntRange(0, 300).Draw(r, "years"), Exact: time.Duration(rapid.IntRange(0, 100).Draw(r, "hours")) * time.Hour},
				Copies: rapid.SampledFrom([][]retention.Copy{nil, {retention.Backup}, {retention.Primary, retention.Log}}).Draw(r, "copies"),
			})
		}
		set, err := retention.New(rules)
		if err != nil {
			return // they contradict each other
		}
		in := retention.Input{Now: at("now"), Explain: true, Events: map[retention.Anchor]time.Time{}}
		for i := range rapid.IntRange(0, 4).Draw(r, "events") {
			in.Events[retention.Anchor("event"+strconv.Itoa(i))] = at("event")
		}
		for i := range rapid.IntRange(0, 3).Draw(r, "holds") {
			h := retention.Hold{ID: "h" + strconv.Itoa(i), Scope: retention.Everything, Placed: at("placed"), Effect: rapid.SampledFrom([]retention.Effect{retention.Suspend, retention.Restart, retention.Toll}).Draw(r, "effect")}
			if days := rapid.IntRange(-1, 9000).Draw(r, "days"); days >= 0 {
				h.Released = h.Placed.Add(time.Duration(days) * 24 * time.Hour)
			}
			in.Holds = append(in.Holds, h)
		}
		p, err := set.Plan(in)
		if err != nil {
			return // beyond the year 9999
		}
		w := rapid.IntRange(0, 1500).Draw(r, "width")
		nothingCutNorCovered(r, SVG(&p, w))
		a := scale(&p, lanes(&p), 20, 800)
		last := 0.0
		for day := a.at[0] - 100_000; day <= a.at[len(a.at)-1]+100_000; day += (a.at[len(a.at)-1]-a.at[0])/97 + 1 {
			x := a.place(day)
			require.True(r, x >= last && x >= 20 && x <= 800, "%d lies at %g after %g", day, x, last)
			last = x
		}
	})
}

func TestPeriodsInWords(t *testing.T) {
	for text, want := range map[string]string{
		"P90D": "90 days", "PT48H": "48 hours", "P1Y6M": "1 year 6 months", "P1W": "1 week", "P0D": "at once", "PT1H1M1S": "1 hour 1 minute 1 second",
	} {
		assert.Equal(t, want, words(period(t, text)))
	}
	assert.Equal(t, "92 days", stretch(92*24*time.Hour))
	assert.Equal(t, "1 day 2 hours", stretch(26*time.Hour))
}

func BenchmarkSVG(b *testing.B) {
	for _, s := range scenes(b) {
		if s.name == "s8" {
			p := plan(b, s)
			b.ReportAllocs()
			for b.Loop() {
				SVG(p, Wide)
			}
		}
	}
}
