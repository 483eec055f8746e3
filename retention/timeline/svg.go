package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/retention"
)

// Widths of pictures in pixels: for a page, and for a telephone.
const (
	Wide   = 960
	Narrow = 400
)

const (
	margin   = 20.0
	column   = 372.0 // of words, where they stand beside the bars
	beside   = 640   // the least width for that; below it they stand above the bars
	textSize = 13.0
	lineStep = 18.0
	thick    = 18.0
	bold     = 1.12 // how much wider bold letters are
)

// style is the look, for light and for dark. Colours differ in lightness as well as
// in hue, and every one of them is said in words too.
const style = `.tl{--paper:#fff;--ink:#1c2127;--soft:#59636e;--line:#d5dbe1;--keep:#3b6fb6;--may:#3f9d63;--gone:#b3382c;--late:#d9822b;--hold:#7a4fa3;--phase:#c9d6e4;--other:#e3d9c3;--none:#7b8794;--on:#fff;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:13px}` +
	`@media (prefers-color-scheme:dark){.tl{--paper:#14181c;--ink:#e8ebee;--soft:#a4afba;--line:#39424b;--keep:#6ea0e6;--may:#5cb583;--gone:#e8796d;--late:#e0a04c;--hold:#b48fe0;--phase:#33465c;--other:#4d4532;--none:#8a96a3;--on:#14181c}}` +
	`.tl .paper{fill:var(--paper)}.tl text{fill:var(--ink)}.tl .h{font-weight:600}.tl .big{font-size:19px;font-weight:650}.tl .soft{fill:var(--soft)}.tl .tick{font-size:11px;fill:var(--soft);text-anchor:middle}` +
	`.tl .rule{stroke:var(--line);stroke-width:1}.tl .grid{stroke:var(--line);stroke-width:1;stroke-dasharray:2 4}.tl .now{stroke:var(--ink);stroke-width:1.5}.tl .from{stroke:var(--may);stroke-width:1.5;stroke-dasharray:5 3}.tl .by{stroke:var(--gone);stroke-width:1.5;stroke-dasharray:5 3}` +
	`.tl .flag{font-size:12px;font-weight:600}.tl .last{text-anchor:end}.tl .plate{fill:var(--paper)}.tl .s-keep,.tl .keep{fill:var(--keep)}.tl .s-may,.tl .may{fill:var(--may)}.tl .s-gone,.tl .gone{fill:var(--gone)}.tl .s-hold{fill:var(--hold)}.tl .s-none{fill:var(--none)}.tl .late{fill:var(--late)}` +
	`.tl .floor{fill:var(--keep)}.tl .delete{fill:var(--may);fill-opacity:.35}.tl .ceiling{fill:var(--gone);fill-opacity:.3}.tl .end{fill-opacity:1}.tl .phase{fill:var(--phase)}.tl .phase.other{fill:var(--other)}.tl .thin{fill:var(--line)}.tl .faint{fill-opacity:.15}.tl .end.faint{fill-opacity:.5}` +
	`.tl .hold{stroke:var(--hold);stroke-width:1.5}.tl .hatch{stroke:var(--hold);stroke-width:3}.tl .word{font-size:12px;text-anchor:middle;fill:var(--on);font-weight:600}.tl .word.phase{fill:var(--ink);font-weight:400}.tl .event,.tl .erasure{fill:var(--ink)}.tl .withdrawn{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}.tl .notice{fill:var(--late)}.tl .notice.past{fill:var(--none)}.tl .wall{fill:var(--gone)}`

// A canvas is a picture under construction.
type canvas struct {
	b    strings.Builder
	axis axis
	now  float64
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

// px writes a length: numbers of the picture are ours, never those of a reader.
func px(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

func (c *canvas) text(x, y float64, class, s string) {
	c.add("<text x=%q y=%q class=%q>%s</text>\n", px(x), px(y), class, escape(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.add("<line x1=%q y1=%q x2=%q y2=%q class=%q/>\n", px(x1), px(y1), px(x2), px(y2), class)
}

// SVG draws a plan as a picture of the given width in pixels, such as [Wide]; less
// than 320 are taken as 320, and from 640 on words stand beside the bars, not above
// them. Events, rules and holds are drawn if the plan was made with
// [retention.Input].Explain; without it there are the answer, its dates and the
// phases. Equal plans give equal bytes. The picture shows categories, rules, sources,
// conditions, events, holds and instants, and nothing else of the record.
func SVG(p *retention.Plan, width int) []byte {
	w := float64(max(width, 320))
	id := "tl" + strconv.Itoa(int(w))
	rows := lanes(p)
	wide := w >= beside
	left, words := margin, w-2*margin
	if wide {
		left, words = margin+column, column-20
	}
	c := canvas{axis: scale(p, rows, left, w-margin)}
	c.now = c.axis.place(p.Now.Unix())

	var body canvas
	body.axis, body.now = c.axis, c.now
	y := body.head(p, w)
	begin, flags := y, body.flags(p, w)
	y += 28 + float64(len(flags))*lineStep
	heights, wrapped := make([]float64, len(rows)), make([][]string, len(rows))
	bottom := y
	for i := range rows {
		titles := wrap(rows[i].title, textSize*bold, words)
		lines := titles
		for _, l := range rows[i].lines {
			lines = append(lines, wrap(l, textSize, words)...)
		}
		wrapped[i] = lines
		heights[i] = float64(len(lines))*lineStep + 16
		if !wide && (len(rows[i].bars) > 0 || len(rows[i].marks) > 0) {
			heights[i] += thick + 12
		}
		bottom += heights[i]
	}
	body.scale(flags, begin, y, bottom, wide)
	for i := range rows {
		l := &rows[i]
		body.line(margin, y, w-margin, y, "rule")
		titles := len(wrap(l.title, textSize*bold, words))
		for n, s := range wrapped[i] {
			class := "soft"
			if n < titles {
				class = "h"
				if l.faint {
					class = "h soft"
				}
			}
			body.text(margin, y+20+float64(n)*lineStep, class, s)
		}
		middle := y + heights[i]/2
		if !wide {
			middle = y + heights[i] - thick/2 - 10
		}
		if !wide && (len(l.bars) > 0 || len(l.marks) > 0) {
			body.guides(flags, middle-thick/2-6, middle+thick/2+10)
		}
		body.draw(l, middle, id)
		y += heights[i]
	}
	body.line(margin, y, w-margin, y, "rule")
	notes := "Times are UTC. Each bar ends just before the instant that is written; a triangle at an edge means that it goes on."
	if !c.axis.even {
		notes += " The axis is not to scale: short stretches are drawn longer."
	}
	y += 22
	for _, s := range wrap(notes, textSize, w-2*margin) {
		body.text(margin, y, "soft", s)
		y += lineStep
	}

	h := y
	title, _ := headline(p)
	if name := subject(p); name != "" {
		title = name + ": " + title
	}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" class="tl" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="%s-t %s-d">`+"\n", w, h, w, h, id, id)
	c.add("<title id=\"%s-t\">%s</title>\n<desc id=\"%s-d\">%s</desc>\n", id, escape(title), id, escape(description(p, rows)))
	c.add("<style>%s</style>\n", style)
	c.add(`<defs><pattern id="%s-h" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="8" class="hatch"/></pattern></defs>`+"\n", id)
	c.add("<rect class=\"paper\" width=\"%.0f\" height=\"%.0f\"/>\n%s</svg>\n", w, h, body.b.String())
	return []byte(c.b.String())
}

func subject(p *retention.Plan) string { return clean(p.Category) }

// description is the picture in words, for who does not see it.
func description(p *retention.Plan, rows []lane) string {
	var b strings.Builder
	for _, f := range facts(p) {
		b.WriteString(f[0] + ": " + f[1] + ". ")
	}
	for i := range rows {
		b.WriteString(rows[i].title + ": " + strings.Join(rows[i].lines, "; ") + ". ")
	}
	return strings.TrimSpace(b.String())
}

// scale is the axis on which all instants of the picture have room.
func scale(p *retention.Plan, rows []lane, left, right float64) axis {
	instants := []int64{p.Now.Unix()}
	var bars [][2]int64
	for i := range rows {
		for _, b := range rows[i].bars {
			for _, t := range []time.Time{b.from, b.to} {
				if !t.IsZero() {
					instants = append(instants, t.Unix())
				}
			}
			if !b.from.IsZero() && !b.to.IsZero() {
				bars = append(bars, [2]int64{b.from.Unix(), b.to.Unix()})
			}
		}
		for _, m := range rows[i].marks {
			instants = append(instants, m.at.Unix())
		}
	}
	return newAxis(left, right, instants, bars)
}

// head writes the status in words and the three dates, and returns where it ends.
func (c *canvas) head(p *retention.Plan, w float64) float64 {
	text, class := headline(p)
	y := margin
	name := subject(p)
	if name == "" {
		name = "one record"
	}
	for _, s := range wrap("Plan for "+name, textSize, w-2*margin) {
		c.text(margin, y+12, "soft", s)
		y += lineStep
	}
	y += 6
	lines := wrap(text, 19*bold, w-2*margin-18)
	high := float64(len(lines)) * 25
	c.add("<rect x=%q y=%q width=\"7\" height=%q rx=\"3\" class=\"s-%s\"/>\n", px(margin), px(y), px(high), class)
	for _, s := range lines {
		c.text(margin+18, y+19, "big", s)
		y += 25
	}
	y += 12
	all := facts(p)
	each := (w - 2*margin) / float64(len(all))
	if w < beside {
		for _, f := range all {
			for n, s := range append(wrap(f[0], textSize, w-2*margin), wrap(f[1], textSize*bold, w-2*margin)...) {
				c.text(margin, y+12, []string{"soft", "h"}[min(n, 1)], s)
				y += lineStep
			}
			y += 4
		}
		return y + 8
	}
	deepest := y
	for i, f := range all {
		at := y
		for n, s := range append([]string{f[0]}, wrap(f[1], textSize*bold, each-16)...) {
			c.text(margin+float64(i)*each, at+12, []string{"soft", "h"}[min(n, 1)], s)
			at += lineStep
		}
		deepest = max(deepest, at)
	}
	return deepest + 14
}

// A banner is an instant that gets a line through all rows, and a name on top.
type banner struct {
	at          time.Time
	class, word string
	x, long     float64
	before      bool // the name stands before the line
	y           float64
}

// flags are in the order in which their names stand, from the top: such that no line
// goes through a name. Names after their lines come by place, names before their
// lines the other way round.
func (c *canvas) flags(p *retention.Plan, w float64) []banner {
	var list []banner
	add := func(at time.Time, class, word string) {
		for i := range list {
			// One line, and one name if that is not too long for a narrow picture.
			if both := strings.TrimSuffix(list[i].word, when(at)) + "and " + word; list[i].at.Equal(at) && width(both, 12*bold) < w/2-margin {
				list[i].word, list[i].class = both, class
				return
			}
		}
		list = append(list, banner{at: at, class: class, word: word})
	}
	add(p.Now, "now", "asked "+when(p.Now))
	if !p.Earliest.IsZero() {
		add(p.Earliest, "from", "may go from "+when(p.Earliest))
	}
	if !p.Latest.IsZero() {
		add(p.Latest, "by", "gone by "+when(p.Latest))
	}
	for i := range list {
		f := &list[i]
		f.x, f.long = c.axis.place(f.at.Unix()), width(f.word, 12*bold)
		f.before = f.x+8+f.long > w-4
	}
	slices.SortStableFunc(list, func(a, b banner) int {
		switch {
		case a.before != b.before:
			return map[bool]int{true: 1, false: -1}[a.before]
		case a.before:
			return cmp.Compare(b.x, a.x)
		}
		return cmp.Compare(a.x, b.x)
	})
	return list
}

// guides are the lines of dates and flags behind rows. Where words stand above the
// bars, they leave the words free.
func (c *canvas) guides(flags []banner, top, bottom float64) {
	for _, t := range c.axis.ticks {
		c.line(t.x, top, t.x, bottom, "grid")
	}
	for _, f := range flags {
		c.line(f.x, top, f.x, bottom, f.class)
	}
}

// scale draws the axis, and below it the names of flags with their lines.
func (c *canvas) scale(flags []banner, y, top, bottom float64, wide bool) {
	a := &c.axis
	if wide {
		c.guides(flags, top, bottom)
	}
	for _, t := range a.ticks {
		c.text(t.middle, y+10, "tick", t.text)
	}
	y += 18
	c.line(a.left, y, a.right, y, "rule")
	for _, t := range a.ticks {
		c.line(t.x, y-4, t.x, top, "grid")
	}
	for i := range flags {
		f := &flags[i]
		f.y = y + float64(i+1)*lineStep
		c.line(f.x, f.y-12, f.x, top, f.class)
	}
	for _, f := range flags {
		end := f.x + 7 + f.long
		if f.before {
			end = max(f.x-7, f.long+4)
		}
		c.add("<rect class=\"plate\" x=%q y=%q width=%q height=\"15\"/>\n", px(end-f.long-3), px(f.y-12), px(f.long+6))
		if f.before {
			c.text(end, f.y, "flag last", f.word)
		} else {
			c.text(end-f.long, f.y, "flag", f.word)
		}
	}
}

// draw draws the bars and marks of a row.
func (c *canvas) draw(l *lane, middle float64, id string) {
	a := &c.axis
	crossed := false // by the line of the question, which stays visible on bars
	for _, b := range l.bars {
		x1, x2 := a.left, a.right
		if !b.from.IsZero() {
			x1 = a.place(b.from.Unix())
		}
		if !b.to.IsZero() {
			x2 = a.place(b.to.Unix())
		}
		x2 = max(x2, x1+2)
		crossed = crossed || x1 <= c.now && c.now < x2
		high := thick
		if b.class == "thin" {
			high = 4
		}
		top := middle - high/2
		shape := outline(x1, x2, top, high, b.from.IsZero(), b.to.IsZero())
		if b.class == "hold" {
			c.add("<path d=%q class=\"hold\" fill=\"url(#%s-h)\"/>\n", shape, id)
		} else {
			c.add("<path d=%q class=%q/>\n", shape, b.class)
		}
		room := x2 - x1
		if b.from.IsZero() {
			room -= 8
		}
		if b.to.IsZero() {
			room -= 8
		}
		c.word(b, x1+(x2-x1-room)/2, x2-(x2-x1-room)/2, middle, l.marks)
	}
	if crossed {
		c.line(c.now, middle-thick/2, c.now, middle+thick/2, "now")
	}
	for _, m := range l.marks {
		x := a.place(m.at.Unix())
		switch kind := strings.Fields(m.class)[0]; kind {
		case "end", "wall":
			c.add("<rect x=%q y=%q width=\"4\" height=%q class=%q/>\n", px(x-2), px(middle-thick/2-4), px(thick+8), m.class)
		case "notice":
			c.add("<path d=\"M%s %sl-6 -12h12z\" class=%q/>\n", px(x), px(middle+6), m.class)
		default:
			c.add("<path d=\"M%s %sl7 7l-7 7l-7 -7z\" class=%q/>\n", px(x), px(middle-7), m.class)
		}
	}
}

// word writes the word of a bar where nothing crosses it, if there is room.
func (c *canvas) word(b bar, from, to, middle float64, marks []mark) {
	cuts := []float64{from, to, c.now}
	for _, m := range marks {
		cuts = append(cuts, c.axis.place(m.at.Unix()))
	}
	slices.Sort(cuts)
	best, center := 0.0, 0.0
	for i, x := range cuts[1:] {
		left, right := max(cuts[i], from), min(x, to)
		if right-left > best {
			best, center = right-left, (left+right)/2
		}
	}
	if long := width(b.word, 12*bold); b.word != "" && long+8 <= best {
		c.text(center, middle+4, "word "+strings.Fields(b.class)[0], b.word)
	}
}

// outline is a bar; where it is open it ends in a point.
func outline(x1, x2, top, high float64, openLeft, openRight bool) string {
	point := min(8, (x2-x1)/2)
	d := "M" + px(x1) + " " + px(top+high/2)
	if !openLeft {
		d = "M" + px(x1) + " " + px(top+high) + "V" + px(top)
	} else {
		d += "L" + px(x1+point) + " " + px(top)
	}
	if openRight {
		d += "H" + px(x2-point) + "L" + px(x2) + " " + px(top+high/2) + "L" + px(x2-point) + " " + px(top+high)
	} else {
		d += "H" + px(x2) + "V" + px(top+high)
	}
	if openLeft {
		d += "H" + px(x1+point)
	}
	return d + "Z"
}
