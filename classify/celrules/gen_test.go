package celrules

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/internal/expr"
)

// A chooser makes the decisions of the generator: from a seeded source in the
// differential test, from the fuzzer's bytes in the fuzz target.
type chooser interface {
	// pick is a number from 0 to n-1.
	pick(n int) int
}

type seeded struct{ *rand.Rand }

func (s seeded) pick(n int) int { return s.IntN(n) }

// bytesChooser decides by bytes, and for zero when they are used up: productions
// at place zero are leaves, so that every input ends.
type bytesChooser struct{ b []byte }

func (c *bytesChooser) pick(n int) int {
	if len(c.b) == 0 {
		return 0
	}
	k := int(c.b[0]) % n
	c.b = c.b[1:]
	return k
}

const (
	tB, tI, tU, tD = expr.TBool, expr.TInt, expr.TUint, expr.TDouble
	tS, tY, tT, tN = expr.TString, expr.TBytes, expr.TTimestamp, expr.TDuration
)

var (
	tLS, tLI = expr.ListOf(tS), expr.ListOf(tI)
	tMS, tMI = expr.MapOf(tS), expr.MapOf(tI)
)

// testEnv has variables of every type, and functions that stand for any function.
var testEnv = &expr.Env{ID: 200, Name: "test", Vars: []expr.Var{
	{Name: "b", Type: tB}, {Name: "b2", Type: tB},
	{Name: "i", Type: tI}, {Name: "i2", Type: tI},
	{Name: "u", Type: tU}, {Name: "u2", Type: tU},
	{Name: "d", Type: tD}, {Name: "d2", Type: tD},
	{Name: "s", Type: tS, MaxLen: 64}, {Name: "s2", Type: tS, MaxLen: 64},
	{Name: "rec.name", Type: tS, MaxLen: 64},
	{Name: "y", Type: tY, MaxLen: 64}, {Name: "y2", Type: tY, MaxLen: 64},
	{Name: "t", Type: tT}, {Name: "t2", Type: tT},
	{Name: "n", Type: tN}, {Name: "n2", Type: tN},
	{Name: "ls", Type: tLS, MaxLen: 64, MaxElems: 8}, {Name: "rec.words", Type: tLS, MaxLen: 64, MaxElems: 8},
	{Name: "li", Type: tLI, MaxElems: 8}, {Name: "ld", Type: expr.ListOf(tD), MaxElems: 8},
	{Name: "lb", Type: expr.ListOf(tB), MaxElems: 8}, {Name: "lt", Type: expr.ListOf(tT), MaxElems: 8},
	{Name: "lli", Type: expr.ListOf(tLI), MaxElems: 8}, {Name: "lms", Type: expr.ListOf(tMS), MaxLen: 64, MaxElems: 8},
	{Name: "ms", Type: tMS, MaxLen: 64, MaxElems: 8}, {Name: "rec.tags", Type: tMS, MaxLen: 64, MaxElems: 8},
	{Name: "mi", Type: tMI, MaxLen: 64, MaxElems: 8}, {Name: "mls", Type: expr.MapOf(tLS), MaxLen: 64, MaxElems: 8},
}, Funcs: []expr.Func{
	{ID: 1, Name: "hasAny", Member: true, Params: []expr.Type{tLS, tLS}, Result: tB, Cost: 1},
	{ID: 2, Name: "initial", Params: []expr.Type{tS}, Result: tS, Cost: 1}, // refuses the empty text
	{ID: 3, Name: "weigh", Params: []expr.Type{tS, tLI}, Result: tI, Cost: 1},
	{ID: 4, Name: "is", Member: true, Params: []expr.Type{tS, tS}, Result: tB, Const: 2, Cost: 1},
	{ID: 5, Name: "words", Params: []expr.Type{tS}, Result: tLS, Cost: 1},
}}

// testHost carries out the functions; the oracle is bound to the same.
type testHost struct{}

func (testHost) Call(fn uint16, args []expr.Value) (expr.Value, expr.Code) {
	text := args[0].AsString()
	switch fn {
	case 1:
		for i := range args[0].Len() {
			for j := range args[1].Len() {
				if args[0].At(i).AsString() == args[1].At(j).AsString() {
					return expr.Bool(true), expr.OK
				}
			}
		}
		return expr.Bool(false), expr.OK
	case 2:
		if text == "" {
			return expr.Value{}, expr.BadArgument
		}
		return expr.String(string([]rune(text)[:1])), expr.OK
	case 3:
		return expr.Int(int64(len(text)*100 + args[1].Len())), expr.OK
	case 4:
		return expr.Bool(text == args[1].AsString()), expr.OK
	}
	fields := strings.Fields(text)
	return expr.Strings(&fields), expr.OK
}

// Values that have edges.
var (
	ints    = []int64{0, 1, 2, 3, -1, -2, 7, 10, 100, 1 << 31, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 253402300799, -62135596800, 253402300800}
	uints   = []uint64{0, 1, 2, 3, 10, 1 << 32, math.MaxUint64, math.MaxInt64, math.MaxInt64 + 1}
	doubles = []float64{0, 1, -1, 0.5, 2.5, 1e6, 1e21, -1e-7, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), math.NaN(), 9223372036854775807, -9223372036854775808, 1 << 53, 1.7976931348623157e308}
	texts   = []string{"", "a", "b", "ab", "abc", "A", "aB", " a ", "a,b,,c", "é", "日本語", "e\u0301x", "🙂", "12", "-7", "+3", "1.5", "true", "F", "1h30m", "0", "18446744073709551615", "9223372036854775808", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+02:00", "2023-02-29T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00Z", "NaN", "inf", "jane@example.com", "email", "\t\n", "ſK", "x\u00a0"}
	patches = []string{"\xff", "a\xc3", "\xe6\x97b"} // not UTF-8: only as values, never as literals
	mapKeys = []string{"a", "b", "owner", "pii", "k"}
	regexes = []string{"^[^@ ]+@[^@ ]+$", "a", "^a", "b$", "(?i)A", `\d+`, `^\w*$`, "日", ".", "^$", `\ba\b`, "[[:upper:]]"}
	times   = []string{"1970-01-01T00:00:00Z", "2024-02-29T12:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2024-02-29T12:00:00.25+05:30", "2001-09-09T01:46:40-11:00"}
	spans   = []string{"0s", "1s", "-1s", "1h30m", "24h", "1ns", "-2562047h", "2562047h47m16.854775807s", "90m"}
)

// A variable of a macro in scope.
type local struct {
	name string
	t    expr.Type
}

// generator writes well-typed expressions as text.
type generator struct {
	chooser
	scope []local
	size  int // operations so far
}

const maxSize = 28

func one[T any](g *generator, of []T) T { return of[g.pick(len(of))] }

// gen writes an expression of type t.
func (g *generator) gen(t expr.Type, depth int) string {
	g.size++
	if depth <= 0 || g.size > maxSize {
		return g.leaf(t)
	}
	// A quarter are leaves, and a few have a shape that any type can have.
	switch g.pick(16) {
	case 0, 1, 2:
		return g.leaf(t)
	case 3:
		return "(" + g.gen(tB, depth-1) + " ? " + g.gen(t, depth-1) + " : " + g.gen(t, depth-1) + ")"
	case 4:
		if t.Kind() != expr.KindList && t.Kind() != expr.KindMap {
			return g.element(t, depth)
		}
	}
	switch t {
	case tB:
		return g.boolean(depth)
	case tI:
		return g.integer(depth)
	case tU:
		return g.unsigned(depth)
	case tD:
		return g.double(depth)
	case tS:
		return g.text(depth)
	case tY:
		if g.pick(2) == 0 {
			return g.binary(tY, tY, "+", depth)
		}
		return "bytes(" + g.gen(one(g, []expr.Type{tS, tY}), depth-1) + ")"
	case tT:
		switch g.pick(6) {
		case 0:
			return g.binary(tT, tN, "+", depth)
		case 1:
			return g.binary(tN, tT, "+", depth)
		case 2:
			return g.binary(tT, tN, "-", depth)
		case 3:
			return "timestamp(" + g.gen(tT, depth-1) + ")"
		case 4:
			return "timestamp(" + g.gen(tI, depth-1) + ")"
		}
		return "timestamp(" + g.timeText() + ")"
	case tN:
		switch g.pick(5) {
		case 0:
			return g.binary(tN, tN, "+", depth)
		case 1:
			return g.binary(tN, tN, "-", depth)
		case 2:
			return g.binary(tT, tT, "-", depth)
		case 3:
			return "duration(" + g.gen(tN, depth-1) + ")"
		}
		return "duration(" + g.spanText() + ")"
	}
	if t.Kind() == expr.KindMap {
		return g.mapLiteral(t, depth)
	}
	return g.list(t, depth)
}

func (g *generator) binary(a, b expr.Type, op string, depth int) string {
	return "(" + g.gen(a, depth-1) + " " + op + " " + g.gen(b, depth-1) + ")"
}

// element takes one out of a list or map.
func (g *generator) element(t expr.Type, depth int) string {
	switch g.pick(4) {
	case 0:
		return g.gen(expr.MapOf(t), 0) + "[" + g.key() + "]"
	case 1:
		return g.mapForSelect(t, depth) + "." + one(g, mapKeys)
	case 2:
		return g.gen(expr.ListOf(t), depth-1) + "[" + g.gen(tI, depth-2) + "]"
	}
	return g.gen(expr.ListOf(t), depth-1) + "[" + one(g, []string{"0", "0", "1", "2", "-1"}) + "]"
}

func (g *generator) mapForSelect(t expr.Type, depth int) string {
	if g.pick(4) == 0 {
		return "(" + g.mapLiteral(expr.MapOf(t), depth-1) + ")"
	}
	return g.leaf(expr.MapOf(t))
}

func (g *generator) key() string {
	if g.pick(3) == 0 {
		return g.leaf(tS)
	}
	return strconv.Quote(one(g, mapKeys))
}

var comparable = []expr.Type{tB, tI, tU, tD, tS, tY, tT, tN}

func (g *generator) boolean(depth int) string {
	switch g.pick(40) {
	case 20, 21, 22:
		t := one(g, []expr.Type{tS, tI, tD, tB, tT, tLI, tU, tN, tY})
		return g.binary(t, expr.ListOf(t), "in", depth)
	case 0, 1:
		return "(" + g.operand(depth) + " && " + g.operand(depth) + ")"
	case 2, 3:
		return "(" + g.operand(depth) + " || " + g.operand(depth) + ")"
	case 4:
		return "!" + g.gen(tB, depth-1)
	case 5, 6, 29, 30, 31, 32, 33, 34:
		t := one(g, append([]expr.Type{tLS, tLI, tMS, expr.ListOf(tLI), expr.MapOf(tLS), expr.ListOf(tD)}, comparable...))
		op := one(g, []string{"==", "!="})
		if g.pick(6) == 0 {
			same := g.leaf(t)
			return "(" + same + " " + op + " " + same + ")"
		}
		return g.binary(t, t, op, depth)
	case 7, 8, 9, 24, 25, 26, 27, 28, 35, 36:
		t := one(g, comparable)
		return g.binary(t, t, one(g, []string{"<", "<=", ">", ">="}), depth)
	case 10, 11:
		return "(" + g.key() + " in " + g.gen(one(g, []expr.Type{tMS, tMI, expr.MapOf(tLS)}), depth-1) + ")"
	case 12:
		return "has(" + g.mapForSelect(one(g, []expr.Type{tS, tI, tLS}), depth) + "." + one(g, mapKeys) + ")"
	case 13, 14, 37:
		part := one(g, []string{`""`, `"a"`, `"b"`, `"ab"`, `"語"`, `","`})
		if g.pick(3) == 0 {
			part = g.gen(tS, depth-1)
		}
		return g.gen(tS, depth-1) + "." + one(g, []string{"contains", "startsWith", "endsWith"}) + "(" + part + ")"
	case 15:
		if g.pick(4) == 0 {
			return "matches(" + g.gen(tS, depth-1) + ", " + quoteCEL(one(g, regexes)) + ")"
		}
		return g.gen(tS, depth-1) + ".matches(" + quoteCEL(one(g, regexes)) + ")"
	case 16:
		if g.pick(2) == 0 {
			return "bool(" + one(g, []string{`"true"`, `"F"`, `"no"`, g.or("s", `"0"`), `""`, g.or("rec.name", `"T"`)}) + ")"
		}
		return "bool(" + g.gen(tB, depth-1) + ")"
	case 17:
		if g.pick(3) == 0 {
			return g.gen(tS, depth-1) + ".is(" + quoteCEL(one(g, texts)) + ")"
		}
		return g.gen(tLS, depth-1) + ".hasAny(" + g.gen(tLS, depth-1) + ")"
	}
	return g.loop(one(g, []string{"all", "exists", "exists_one"}), depth, func(expr.Type) string { return g.operand(depth) })
}

// operand is what && and || and the predicates of macros work on: quite often
// something that fails, so that errors meet each other.
func (g *generator) operand(depth int) string {
	switch g.pick(4) {
	case 0:
		return g.risky()
	case 1:
		return "(" + g.risky() + one(g, []string{" && ", " || "}) + g.risky() + ")"
	}
	return g.gen(tB, depth-1)
}

// risky is a comparison that fails for some values, with different classes of
// error, and holds for others.
func (g *generator) risky() string {
	var number, text string
	for _, l := range g.scope {
		switch {
		case !g.visible(l):
		case l.t == tI:
			number = l.name
		case l.t == tS:
			text = l.name
		}
	}
	if number == "" {
		number = g.or("i", "0")
	}
	if text == "" {
		text = g.or("s", `"12"`)
	}
	switch g.pick(12) {
	case 8, 9: // one error for one element, another for another
		return "((" + number + " == 0 ? 1 / " + number + " : [1, 2][" + number + "]) > 1)"
	case 10:
		return "((" + text + ` == "" ? int(` + text + `) : {"12": 1}[` + text + `]) > 0)`
	case 0:
		return "(12 / " + number + " > 1)"
	case 1:
		return "(7 % " + number + " == 1)"
	case 2:
		return `(["a", "12", "b"][` + number + `] != "a")`
	case 3:
		return "(" + number + " + 9223372036854775806 > 0)"
	case 4:
		return "(int(" + text + ") > 1)"
	case 5:
		return `({"a": 1, "b": 2, "12": 3}[` + text + `] > 1)`
	case 6:
		return "(" + text + `.substring(2) != "c")`
	case 7:
		return "(initial(" + text + `) != "a")`
	}
	return "(" + number + " > 1)"
}

// loop writes a macro over a list or map; body is written with the variable in scope.
func (g *generator) loop(macro string, depth int, body func(expr.Type) string) string {
	t := one(g, []expr.Type{tLS, tLI, expr.ListOf(tD), tMS, tMI, expr.ListOf(tLI), expr.ListOf(tMS), expr.ListOf(tMS)})
	return g.loopOver(t, macro, depth, body)
}

func (g *generator) loopOver(t expr.Type, macro string, depth int, body func(expr.Type) string) string {
	over, elem := "", t.Elem()
	if t.Kind() == expr.KindMap {
		// The oracle walks through a map that it made itself in random order.
		over, elem = g.ordered(t), tS
	} else if (t == tLI || t == tLS) && g.pick(3) == 0 {
		// A few elements that fail in different ways.
		if t == tLI {
			over = one(g, []string{"[0, 5, 1, 2]", "[5, 0]", "[1, 2, 9223372036854775807, 0, 7]", "[2, 0, 1, -1]"})
		} else {
			over = one(g, []string{`["", "b", "12"]`, `["x", "", "12", "abc"]`, `["12", "x"]`, `["abc", "a"]`})
		}
	} else {
		over = g.gen(t, depth-1)
	}
	name := "v" + strconv.Itoa(len(g.scope))
	if g.pick(8) == 0 {
		name = one(g, []string{"s", "i", "rec", "ls"}) // hides a variable
	}
	g.scope = append(g.scope, local{name, elem})
	text := over + "." + macro + "(" + name + ", " + body(elem) + ")"
	g.scope = g.scope[:len(g.scope)-1]
	return text
}

// ordered is a map that both sides walk through in the order of its keys.
func (g *generator) ordered(t expr.Type) string {
	if g.pick(5) == 0 {
		return "({" + strconv.Quote(one(g, mapKeys)) + ": " + g.leaf(t.Elem()) + "})"
	}
	return g.variable(t)
}

func (g *generator) integer(depth int) string {
	switch g.pick(12) {
	case 0, 1, 2, 3, 4:
		return g.binary(tI, tI, one(g, []string{"+", "-", "*", "/", "%"}), depth)
	case 5:
		return "-(" + g.gen(tI, depth-1) + ")"
	case 6, 7, 8:
		t := one(g, []expr.Type{tS, tY, tLS, tLI, tMS, tMI, expr.ListOf(tLI)})
		if g.pick(2) == 0 {
			return "size(" + g.gen(t, depth-1) + ")"
		}
		return g.gen(t, depth-1) + ".size()"
	case 9:
		return "weigh(" + g.gen(tS, depth-1) + ", " + g.gen(tLI, depth-1) + ")"
	}
	t := one(g, []expr.Type{tI, tU, tD, tS, tT, tN})
	if t == tS && g.pick(3) != 0 {
		return "int(" + one(g, []string{`"12"`, `"-7"`, `"+3"`, `"x"`, `"9223372036854775808"`, `"-9223372036854775808"`, `""`}) + ")"
	}
	return "int(" + g.gen(t, depth-1) + ")"
}

func (g *generator) unsigned(depth int) string {
	if g.pick(2) == 0 {
		return g.binary(tU, tU, one(g, []string{"+", "-", "*", "/", "%"}), depth)
	}
	t := one(g, []expr.Type{tI, tU, tD, tS})
	if t == tS && g.pick(3) != 0 {
		return "uint(" + one(g, []string{`"12"`, `"+3"`, `"18446744073709551615"`, `"18446744073709551616"`}) + ")"
	}
	return "uint(" + g.gen(t, depth-1) + ")"
}

func (g *generator) double(depth int) string {
	switch g.pick(4) {
	case 0, 1:
		return g.binary(tD, tD, one(g, []string{"+", "-", "*", "/"}), depth)
	case 2:
		return "-(" + g.gen(tD, depth-1) + ")"
	}
	t := one(g, []expr.Type{tI, tU, tD, tS})
	if t == tS && g.pick(3) != 0 {
		return "double(" + one(g, []string{`"1.5"`, `"1e400"`, `"NaN"`, `"-inf"`, `"x"`, `"0x1p-2"`}) + ")"
	}
	return "double(" + g.gen(t, depth-1) + ")"
}

func (g *generator) text(depth int) string {
	s := func() string { return g.gen(tS, depth-1) }
	small := func() string {
		if g.pick(4) == 0 {
			return g.gen(tI, depth-2)
		}
		return one(g, []string{"0", "1", "2", "3", "-1", g.or("i", "4")})
	}
	switch g.pick(14) {
	case 0, 1:
		return g.binary(tS, tS, "+", depth)
	case 2:
		return s() + ".lowerAscii()"
	case 3:
		return s() + ".upperAscii()"
	case 4:
		return s() + ".trim()"
	case 5:
		return s() + ".replace(" + g.leaf(tS) + ", " + s() + ")"
	case 6:
		return s() + ".replace(" + g.leaf(tS) + ", " + g.leaf(tS) + ", " + small() + ")"
	case 7:
		return s() + ".substring(" + small() + ")"
	case 8, 9:
		return s() + ".substring(" + small() + ", " + small() + ")"
	case 10:
		if g.pick(3) == 0 {
			return `initial("")`
		}
		return "initial(" + s() + ")"
	}
	return "string(" + g.gen(one(g, []expr.Type{tB, tI, tU, tD, tS, tY, tT, tN}), depth-1) + ")"
}

func (g *generator) list(t expr.Type, depth int) string {
	elem := t.Elem()
	switch g.pick(11) {
	case 0, 1:
		n := 1 + g.pick(3)
		parts := make([]string, n)
		for i := range parts {
			parts[i] = g.gen(elem, depth-2)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case 2:
		return g.binary(t, t, "+", depth)
	case 3:
		if g.pick(2) == 0 {
			return "(" + g.gen(t, depth-1) + " + [])"
		}
		return "([] + " + g.gen(t, depth-1) + ")"
	case 4:
		return g.loopOver(t, "filter", depth, func(expr.Type) string { return g.operand(depth) })
	case 5:
		if elem != tS {
			break
		}
		if g.pick(4) == 0 {
			return g.loopOver(one(g, []expr.Type{tMS, tMI}), "filter", depth, func(expr.Type) string { return g.operand(depth) })
		}
		return g.gen(tS, depth-1) + ".split(" + one(g, []string{`","`, `""`, `"a"`, g.or("s2", `","`), `" "`}) + ")"
	case 6:
		if elem != tS {
			break
		}
		if g.pick(4) == 0 {
			return "words(" + g.gen(tS, depth-1) + ")"
		}
		return g.gen(tS, depth-1) + ".split(" + one(g, []string{`","`, `""`, g.or("s", `" "`)}) + ", " + one(g, []string{"0", "1", "2", "-1", g.or("i", "3")}) + ")"
	case 7, 8:
		return g.loop("map", depth, func(expr.Type) string { return g.operand(depth) + ", " + g.gen(elem, depth-1) })
	}
	return g.loop("map", depth, func(expr.Type) string { return g.gen(elem, depth-1) })
}

func (g *generator) mapLiteral(t expr.Type, depth int) string {
	n := 1 + g.pick(3)
	parts := make([]string, n)
	for i := range parts {
		parts[i] = g.key() + ": " + g.gen(t.Elem(), depth-2)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (g *generator) timeText() string {
	if g.pick(3) == 0 {
		return one(g, []string{g.or("s", `""`), `"x"`, `"2024-02-29T12:00:00,5Z"`, `"2024-13-01T00:00:00Z"`, `"2024-02-29t12:00:00z"`, `"2024-01-01T24:00:00Z"`, `"2024-02-29T12:00:60Z"`, `"0000-01-01T00:00:00Z"`})
	}
	return strconv.Quote(one(g, times))
}

func (g *generator) spanText() string {
	if g.pick(4) == 0 {
		return one(g, []string{g.or("s", `""`), `"x"`, `"1"`, `"9999999h"`, `"1d"`})
	}
	return strconv.Quote(one(g, spans))
}

// leaf writes a variable or a literal.
func (g *generator) leaf(t expr.Type) string {
	for _, l := range g.scope {
		if l.t == t && g.visible(l) && g.pick(2) == 0 {
			return l.name
		}
	}
	if v := g.variable(t); v != "" && g.pick(3) != 0 {
		return v
	}
	switch t {
	case tB:
		return one(g, []string{"true", "false"})
	case tI:
		if g.pick(3) != 0 {
			return strconv.Itoa(g.pick(4))
		}
		return strconv.FormatInt(one(g, ints), 10)
	case tU:
		return strconv.FormatUint(one(g, uints), 10) + "u"
	case tD:
		return doubleText(one(g, doubles))
	case tS:
		return quoteCEL(one(g, texts))
	case tY:
		return one(g, []string{`b""`, `b"a"`, `b"\xff\x00"`, `b"é"`})
	case tT:
		return "timestamp(" + strconv.Quote(one(g, times)) + ")"
	case tN:
		return "duration(" + strconv.Quote(one(g, spans)) + ")"
	}
	if t.Kind() == expr.KindMap {
		return "{" + strconv.Quote(one(g, mapKeys)) + ": " + g.leaf(t.Elem()) + "}"
	}
	return "[" + g.leaf(t.Elem()) + "]"
}

// visible reports whether a macro's variable is not hidden by an inner one.
func (g *generator) visible(l local) bool {
	for i := len(g.scope) - 1; i >= 0; i-- {
		if g.scope[i].name == l.name {
			return g.scope[i] == l
		}
	}
	return false
}

// or is a variable, or the text instead if a macro hides it.
func (g *generator) or(name, instead string) string {
	first, _, _ := strings.Cut(name, ".")
	for _, l := range g.scope {
		if l.name == first {
			return instead
		}
	}
	return name
}

// variable picks a variable of type t that no macro hides, or "".
func (g *generator) variable(t expr.Type) string {
	var fit []string
	for _, v := range testEnv.Vars {
		first, _, _ := strings.Cut(v.Name, ".")
		hidden := false
		for _, l := range g.scope {
			hidden = hidden || l.name == first
		}
		if v.Type == t && !hidden {
			fit = append(fit, v.Name)
		}
	}
	if len(fit) == 0 {
		return ""
	}
	return one(g, fit)
}

func doubleText(d float64) string {
	switch {
	case math.IsNaN(d):
		return `double("NaN")`
	case math.IsInf(d, 1):
		return `double("inf")`
	case math.IsInf(d, -1):
		return `double("-inf")`
	}
	s := strconv.FormatFloat(d, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// quoteCEL writes a text as a CEL literal.
func quoteCEL(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

// value makes a random value of type t.
func (g *generator) value(t expr.Type) expr.Value {
	switch t {
	case tB:
		return expr.Bool(g.pick(2) == 0)
	case tI:
		if g.pick(2) == 0 {
			return expr.Int(int64(g.pick(5)))
		}
		return expr.Int(one(g, ints))
	case tU:
		if g.pick(2) == 0 {
			return expr.Uint(uint64(g.pick(5)))
		}
		return expr.Uint(one(g, uints))
	case tD:
		return expr.Double(one(g, doubles))
	case tS:
		return expr.String(g.str())
	case tY:
		return expr.Bytes(g.str())
	case tT:
		at, _ := time.Parse(time.RFC3339, one(g, times))
		return expr.Timestamp(at.Unix(), int32(at.Nanosecond()))
	case tN:
		d, _ := time.ParseDuration(one(g, spans))
		return expr.Duration(int64(d))
	}
	n := g.pick(5)
	switch {
	case t == tLS:
		list := make([]string, n)
		for i := range list {
			list[i] = g.str()
		}
		return expr.Strings(&list)
	case t == tMS:
		m := &expr.StrMap{}
		for range n {
			m.Set(one(g, mapKeys), g.str())
		}
		return expr.StringMap(m)
	case t.Kind() == expr.KindMap:
		m := &expr.Map{}
		for range n {
			m.Set(one(g, mapKeys), g.value(t.Elem()))
		}
		return expr.MapValue(m)
	}
	list := make([]expr.Value, n)
	for i := range list {
		list[i] = g.value(t.Elem())
	}
	return expr.List(list)
}

func (g *generator) str() string {
	if g.pick(12) == 0 {
		return one(g, patches)
	}
	return one(g, texts)
}

// values makes a value for every variable.
func (g *generator) values() []expr.Value {
	vs := make([]expr.Value, len(testEnv.Vars))
	for i, v := range testEnv.Vars {
		vs[i] = g.value(v.Type)
	}
	return vs
}

// largest makes a value for every variable: as large as it may be.
func (g *generator) largest() []expr.Value {
	vs := make([]expr.Value, len(testEnv.Vars))
	for i, v := range testEnv.Vars {
		vs[i] = g.large(v.Type, v)
	}
	return vs
}

func (g *generator) large(t expr.Type, v expr.Var) expr.Value {
	text := strings.Repeat(one(g, []string{"a", "a,", "0", "é", " ", "\xff", "A"}), v.MaxLen)[:v.MaxLen]
	switch t.Kind() {
	case expr.KindString:
		return expr.String(text)
	case expr.KindBytes:
		return expr.Bytes(text)
	case expr.KindList:
		list := make([]expr.Value, v.MaxElems)
		for i := range list {
			list[i] = g.large(t.Elem(), v)
		}
		return expr.List(list)
	case expr.KindMap:
		m := &expr.Map{}
		for i := range v.MaxElems {
			key := strconv.Itoa(i)
			if i < len(mapKeys) {
				key = mapKeys[i]
			}
			m.Set(key, g.large(t.Elem(), v))
		}
		return expr.MapValue(m)
	}
	return g.value(t)
}

// results are the types that whole expressions have.
var results = []expr.Type{tB, tB, tB, tI, tI, tU, tD, tS, tS, tY, tT, tN, tLS, tLI, tMS, expr.ListOf(tD), expr.ListOf(tLI), expr.MapOf(tLS), expr.ListOf(tT), expr.ListOf(tN), expr.ListOf(tU), expr.ListOf(tY), expr.ListOf(tB)}

// expression writes a whole expression.
func (g *generator) expression() string {
	g.size, g.scope = 0, nil
	return g.gen(one(g, results), 2+g.pick(4))
}
