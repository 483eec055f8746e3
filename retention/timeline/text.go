package timeline

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/privetdev/privet/retention"
)

// when writes an instant in UTC as short as it is exact, with a blank at which no line
// breaks.
func when(t time.Time) string {
	t = t.UTC()
	switch h, m, s := t.Clock(); {
	case h == 0 && m == 0 && s == 0:
		return t.Format("2006-01-02")
	case s == 0:
		return t.Format("2006-01-02\u00a015:04")
	}
	return t.Format("2006-01-02\u00a015:04:05")
}

// words writes a period for a person: "90 days", "1 year 6 months".
func words(p retention.Period) string {
	var parts []string
	add := func(n int64, unit string) {
		if n == 1 {
			parts = append(parts, "1 "+unit)
		} else if n > 1 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit+"s")
		}
	}
	add(int64(p.Years), "year")
	add(int64(p.Months), "month")
	add(int64(p.Weeks), "week")
	add(int64(p.Days), "day")
	rest := int64(p.Exact / time.Second)
	add(rest/3600, "hour")
	add(rest%3600/60, "minute")
	add(rest%60, "second")
	if len(parts) == 0 {
		return "at once"
	}
	return strings.Join(parts, " ")
}

// stretch writes for how long holds stopped the clock.
func stretch(d time.Duration) string {
	const day = 24 * time.Hour
	return words(retention.Period{Days: int(d / day), Exact: d % day})
}

// clean keeps text of authors on its line: what would break it, hide or turn it
// around becomes a blank.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(clean(s))) // a bytes.Buffer takes all
	return b.String()
}

// width estimates how wide a text is, in pixels. Fonts differ from machine to
// machine, so it goes by the wide ones among those that may stand in.
func width(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("ijlI.,:;'|!()[] ·\u00a0", r):
			w += 0.42
		case strings.ContainsRune("ftr-/", r):
			w += 0.47
		case strings.ContainsRune("mwMW@%→", r):
			w += 1
		case r >= '0' && r <= '9':
			w += 0.64
		case r >= 'A' && r <= 'Z':
			w += 0.75
		case r < 0x250:
			w += 0.64
		default:
			w += 1.05
		}
	}
	return w * size
}

// wrap breaks a text into lines that fit. A word that does not fit alone, as a long
// id, is broken inside.
func wrap(s string, size, limit float64) (lines []string) {
	line := ""
	for _, word := range strings.Split(clean(s), " ") {
		if word == "" {
			continue
		}
		if line != "" && width(line+" "+word, size) <= limit {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
		for _, r := range word {
			if next := line + string(r); line == "" || width(next, size) <= limit {
				line = next
				continue
			}
			lines = append(lines, line)
			line = string(r)
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
