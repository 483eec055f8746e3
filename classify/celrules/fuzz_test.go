package celrules

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
)

// FuzzExpression lets the fuzzer make the generator's decisions. The laws are
// those of the differential test: the same value or class of error as cel-go, the
// same from the wire form, within the budget.
func FuzzExpression(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x04\x07\x01\x02\x03\x09\x08\x05\x06\x04"))
	f.Add([]byte("every operation has its turn, and so has every value"))
	f.Add([]byte(strings.Repeat("\x05\x11\x08\x21\x03", 40)))
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &generator{chooser: &bytesChooser{b}}
		text := g.expression()
		if _, diff := compare(g, text, 2); diff != "" {
			t.Fatalf("%s\n%s", text, diff)
		}
	})
}

// FuzzSource gives Expr any text. It never panics; it returns a program or
// problems, never both; a program evaluates to its type, and survives the wire; a
// problem has a place, a text of its own and a mend.
func FuzzSource(f *testing.F) {
	for _, text := range []string{
		`field.words.exists(w, w == "email") || value.matches('^[^@ ]+@[^@ ]+$')`,
		`value.split(",").map(v, v.trim(), v + "x")[0].substring(1, 2) in {"a": 1}`,
		`has(field.tags.x) ? int(value) / 2 > 1 : timestamp(value) - duration("1h") < timestamp(0)`,
		"a.b.c", "\"\\q\"", "(((", "1u + 2", "[].all(x, x)", "`a`", "\xff", "x ? y", "has(1)", "#\n#\n'", "{}.a", `b"\xff" + b''`,
		"null", "dyn(1)", "Foo{}", "-9223372036854775808 / -1 == 0", "!!true", "field", "value.is(value)", "\u2028\r\n1",
	} {
		f.Add(text)
	}
	vars := make([]expr.Value, len(profile.Field.Vars))
	words := []string{"a", "email"}
	tags := &expr.StrMap{}
	tags.Set("x", "1")
	for i, v := range profile.Field.Vars {
		switch v.Type {
		case expr.TString:
			vars[i] = expr.String("jane@example.com")
		case expr.ListOf(expr.TString):
			vars[i] = expr.Strings(&words)
		default:
			vars[i] = expr.StringMap(tags)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var ps source.Problems
		begin := time.Now()
		p := Expr(profile.Field, source.Plain("fuzz", text), 0, &ps)
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("compiling took %s", took)
		}
		if (p == nil) == (ps.Err() == nil) {
			t.Fatalf("program %v and problems %v", p, ps.Err())
		}
		if p != nil {
			again, err := expr.Decode(p.Append(nil), profile.Field)
			if err != nil {
				t.Fatal(err)
			}
			frame := expr.Frame{Vars: vars, Host: refusing{}}
			v, c := frame.Eval(p)
			if c == expr.OK && !v.Is(p.Result()) {
				t.Fatalf("value of %s is no %s", v.Kind(), p.Result())
			}
			if v2, c2 := frame.Eval(again); outcome(v, c) != outcome(v2, c2) {
				t.Fatalf("%s, decoded %s", outcome(v, c), outcome(v2, c2))
			}
			return
		}
		lines := ends.Split(text, -1)
		for _, problem := range ps.Err().(*source.Error).Problems {
			if problem.Problem == "" || problem.Mend == "" {
				t.Fatalf("problem without text or mend: %+v", problem)
			}
			if l, c := problem.Line, problem.Column; l < 1 || l > len(lines) || c < 1 || c > utf8.RuneCountInString(lines[l-1])+1 {
				t.Fatalf("problem at %d:%d, outside of the text: %+v", l, c, problem)
			}
			if problem.Problem == "expression is not valid" {
				t.Fatalf("no text for a fault of %q", text)
			}
			if said := problem.Problem + problem.Mend; !utf8.ValidString(said) || len(said) > 1500 {
				t.Fatalf("problem tells %q", said)
			}
		}
	})
}

// ends are the ends of lines, as YAML has them.
var ends = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

// refusing is a host whose functions fail.
type refusing struct{}

func (refusing) Call(uint16, []expr.Value) (expr.Value, expr.Code) {
	return expr.Value{}, expr.BadArgument
}
