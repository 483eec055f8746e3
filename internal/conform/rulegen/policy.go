package rulegen

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// Policy writes a whole classification: rules as [Generator.Rules] does, the detectors
// of every set, at most so many others of any shape, suppressions, adjustments and a
// threshold. What Rules says of n holds here. There is no plain evaluation of it: it is
// for comparing engines with each other. compile gives nil for what it refuses.
func (g *Generator) Policy(rules, detectors int, compile func(env *expr.Env, text string) *expr.Program) *bundle.Classification {
	c, _ := Classification(g.Rules(rules), compile)
	g.patterns = nil
	for _, d := range Detectors {
		g.patterns = append(g.patterns, d.Pattern)
	}
	if g.Pick(4) == 1 {
		c.Detectors, g.patterns = nil, nil
	}
	var ids []string
	for i := range g.Pick(detectors + 1) {
		ids = append(ids, "d"+strconv.Itoa(i))
	}
	for _, id := range ids {
		d := bundle.Detector{ID: id, Category: one(g, categories), Pattern: g.shape(), CaseSensitive: g.Pick(3) == 0,
			Base: one(g, confidences), Boost: one(g, confidences) / 2, Muted: g.Pick(9) == 1}
		d.Checked = d.Base
		if g.Pick(2) == 0 {
			if d.Check = compile(profile.Match, g.check(ids)); d.Check != nil {
				d.Checked = one(g, confidences)
			}
		}
		for range g.Pick(3) {
			d.Context = append(d.Context, strings.ToLower(one(g, g.words)))
			if g.Pick(3) == 1 {
				d.Context[len(d.Context)-1] += " " + strings.ToLower(one(g, g.words))
			}
		}
		if len(d.Context) == 0 {
			d.Boost = 0
		}
		if g.Pick(5) == 1 {
			d.Floor = one(g, confidences) + 1
		}
		c.Detectors = append(c.Detectors, d)
		g.patterns = append(g.patterns, d.Pattern)
	}
	about := func() []string {
		if len(ids) == 0 || g.Pick(3) == 0 {
			return nil
		}
		return ids[g.Pick(len(ids)):]
	}
	if len(c.Detectors) > 0 {
		for i := range g.Pick(3) {
			if when := compile(profile.Match, g.check(ids)); when != nil {
				c.Suppress = append(c.Suppress, bundle.Suppress{ID: "s" + strconv.Itoa(i), Detectors: about(), When: when, Reason: "r"})
			}
		}
		for i := range g.Pick(4) {
			if when := compile(profile.Match, g.check(ids)); when != nil {
				c.Adjust = append(c.Adjust, bundle.Adjust{ID: "a" + strconv.Itoa(i), Detectors: about(), When: when, Add: int16(one(g, confidences)) - 500, Reason: "r"})
			}
		}
	}
	c.Threshold = one(g, []uint16{Threshold, Threshold, 0, 1, 650, 1000})
	return c
}

// shape is a pattern of a detector.
func (g *Generator) shape() string {
	var b strings.Builder
	b.WriteString(one(g, []string{"", "", `\b`, `(?:^|[^0-9])`, `\A`}))
	n := 1 + g.Pick(4)
	span := g.Pick(2 * n)
	for i := range n {
		part := one(g, []string{"[0-9]{3}", "[0-9]{2,6}", "[a-z]+", `[A-Z]{2}[0-9]`, `[\w.]{1,12}@`, "[- ]?", "[0-9a-f]{8,}", "x(y)?z", "(a|bc)+", ".{1,4}", "é+", `\pL{2}`, "[ .:/-]{1,3}", `(#|№)`, `\d+(?:,\d+)*`,
			g.part(1), g.part(2), `[^\s]{3,}`, "(?:ab){2,9}", `"[^"]*"`})
		if i == span && !strings.Contains(part, "(?P") {
			part = "(?P<span>" + part + ")"
		}
		b.WriteString(part)
	}
	b.WriteString(one(g, []string{"", "", `\b`, `(?:[^0-9]|$)`, `\z`}))
	if re, err := syntax.Parse(b.String(), syntax.Perl); err != nil || !utf8.ValidString(b.String()) || re.MaxCap() > 8 || empty(re) {
		return "[0-9]{4}" + one(g, []string{"", "x", "-[0-9]"})
	}
	return b.String()
}

// empty reports whether an expression may match nothing.
func empty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return empty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || empty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !empty(sub) {
				return false
			}
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if empty(sub) {
				return true
			}
		}
		return false
	}
	return true
}

// check is a condition about a match.
func (g *Generator) check(ids []string) string {
	switch g.Pick(7) {
	case 1:
		return "(" + g.check(ids) + " && " + g.check(ids) + ")"
	case 2:
		return "(" + g.check(ids) + " || " + g.check(ids) + ")"
	case 3:
		return "!(" + g.check(ids) + ")"
	}
	other := one(g, []string{"badge", "machine", "hinted", "odd"})
	if len(ids) > 0 && g.Pick(2) == 0 {
		other = one(g, ids)
	}
	return one(g, []string{
		`match.text.endsWith("1")`, `match.text.size() % 2 == 0`, `int(match.digits) % 3 == 0`, `match.groups.size() > 1 && match.groups[1] != ""`, `match.groups[0].startsWith("x")`,
		`match.before.endsWith(" ")`, `match.after.startsWith(",")`, `match.before.contains(` + g.piece() + `)`, `match.after == ""`, `field.name == ""`,
		"field.words.hasAny(" + g.list() + ")", "value.startsWith(match.text)", `"x" in field.tags`, `context["x"] == "1"`, `match.digits.size() > 2`,
		`match.text.matches(` + strconv.Quote(g.pattern()) + `)`, `match.text.finds(` + strconv.Quote(other) + `)`, `match.text.is(` + strconv.Quote(other) + `)`,
		`match.text.lowerAscii() == match.text`, `match.groups.exists(g, g == "")`, `match.text == match.groups[0]`, `value.finds(` + strconv.Quote(other) + `)`, `match.text.substring(0, 2) != "12"`,
	})
}

// Text makes a text for the last policy, of at most MaxText bytes.
func (g *Generator) Text() string { return Cut(g.pieced(), MaxText) }

func (g *Generator) pieced() string {
	var b strings.Builder
	for range 1 + g.Pick(6) {
		piece := one(g, values)
		switch g.Pick(6) {
		case 1, 2, 3:
			if len(g.patterns) > 0 {
				if re, err := syntax.Parse(one(g, g.patterns), syntax.Perl); err == nil {
					piece = g.sample(re)
				}
			}
		case 4:
			piece = one(g, g.words)
		case 5:
			piece = g.name()
		}
		switch g.Pick(10) {
		case 1:
			piece = g.spoil(piece)
		case 2:
			piece = strings.ToUpper(piece)
		case 3: // digits of full width
			piece = strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r - '0' + '０'
				}
				return r
			}, piece)
		}
		b.WriteString(piece)
		b.WriteString(one(g, []string{" ", "", ", ", "\n", "-", "\u00ad", "\u200b", " é ", "\xff", "\xe2\x80", ": ", "0", "²", "⒇", "日", " \u0301"}))
	}
	if g.Pick(40) == 1 {
		return b.String() + strings.Repeat(one(g, []string{" ", "- ", "a", "12", "é"}), 40+g.Pick(800)) + b.String()
	}
	return b.String()
}

// sample is a text that an expression matches, mostly.
func (g *Generator) sample(re *syntax.Regexp) string {
	var b strings.Builder
	g.write(&b, re)
	return b.String()
}

func (g *Generator) write(b *strings.Builder, re *syntax.Regexp) {
	if b.Len() > 300 {
		return
	}
	many := func(least, most int) {
		if most < 0 {
			most = least + 4
		}
		for range least + g.Pick(min(most-least, 6)+1) {
			g.write(b, re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if g.Pick(6) == 1 {
				r = unicode.SimpleFold(r)
			}
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		i := 2 * g.Pick(len(re.Rune)/2)
		b.WriteRune(re.Rune[i] + rune(g.Pick(int(min(re.Rune[i+1]-re.Rune[i], 200))+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString(one(g, []string{"x", "1", " ", "é", "日", "\n", "\xff"}))
	case syntax.OpCapture:
		g.write(b, re.Sub[0])
	case syntax.OpStar:
		many(0, -1)
	case syntax.OpPlus:
		many(1, -1)
	case syntax.OpQuest:
		many(0, 1)
	case syntax.OpRepeat:
		many(re.Min, re.Max)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			g.write(b, sub)
		}
	case syntax.OpAlternate:
		g.write(b, re.Sub[g.Pick(len(re.Sub))])
	}
}

// MaxText is how long texts and values are at most. A match of a detector of any shape may
// begin at every place and go on to the end, which of long texts is more work than
// engines have to do alike.
const MaxText = 400

// TextFields is [Generator.Fields] for the last policy: values are often texts, and none
// is longer than MaxText.
func (g *Generator) TextFields(n int) []classify.Field {
	fields := g.Fields(n)
	for i := range fields {
		if g.Pick(2) == 1 {
			fields[i].Value = g.Text()
		}
		fields[i].Value = Cut(fields[i].Value, MaxText)
	}
	return fields
}
