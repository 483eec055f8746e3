package celrules

import (
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/cel-go/common"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
)

const canary = "canary@example.test"

// problems compiles text and returns what was found.
func problems(t testing.TB, env *expr.Env, text string, want expr.Type) []source.Problem {
	t.Helper()
	var ps source.Problems
	p := Expr(env, source.Plain("rules.yaml", text), want, &ps)
	err := ps.Err()
	if p != nil {
		require.NoError(t, err)
		if env.ID == profile.EnvPolicy {
			require.Equal(t, text, p.Source)
		} else {
			require.Empty(t, p.Source)
			require.NotEmpty(t, p.Text(len(p.Nodes)-1))
		}
		return nil
	}
	var all *source.Error
	require.ErrorAs(t, err, &all, "no program and no problem")
	return all.Problems
}

func TestExprAccepts(t *testing.T) {
	for _, tt := range []struct {
		env          *expr.Env
		text, reason string
	}{
		{profile.Field, `field.words.exists(w, w == "email") || value.matches('^[^@ ]+@[^@ ]+$')`, "the rule of the handbook"},
		{profile.Field, `has(field.tags.pii) && field.tags.pii == "yes"`, "presence, then selection"},
		{profile.Field, `field.tags["pii"] in ["yes", "true"]`, "a key that is not a name"},
		{profile.Field, "field.tags.`data-class` == 'pii'", "the same with back quotes"},
		{profile.Field, `field.words.hasAny(["mail", "email"]) && !value.is("email")`, "functions on lists and texts"},
		{profile.Field, `["foo", "bar"].exists(p, value.contains(p))`, "a search for several parts in a long value"},
		{profile.Field, `value.split(",").all(v, size(v.trim()) < 20)`, "parts of a long value"},
		{profile.Field, `value.replace("-", "").matches(r"^\d{13,19}$")`, "a raw text needs no doubled backslash"},
		{profile.Field, `field.words.map(value, value + "x").size() > 0`, "the variable of a macro hides another"},
		{profile.Field, `field.words == [] || {} == field.tags`, "empty literals take the type of the other side"},
		{profile.Match, `luhn(match.digits) && wsum(match.digits, [3, 7, 1]) % 10 == 0`, "checks of a detector"},
		{profile.Match, `match.groups[1] == field.name && rem(match.digits, 97) == 1`, "a match sees its field"},
		{profile.Match, `ymd(match.digits.substring(0, 8)) && value36(match.text.substring(0, 1)) > 9`, "parts of a number"},
		{profile.Policy, `under(category, "user.contact") && subject.age_band != "child"`, "a condition of consent"},
		{profile.Policy, `context.exists(k, k.startsWith("x-") && context[k] != "")`, "a macro over a map sees its keys"},
	} {
		assert.Empty(t, problems(t, tt.env, tt.text, expr.TBool), "%s: %s", tt.text, tt.reason)
	}
}

// TestExprProblems has a row for every class of fault: where it stands, what is
// said and how to mend it.
func TestExprProblems(t *testing.T) {
	deep := strings.Repeat("(", 400) + "true" + strings.Repeat(")", 400)
	tests := []struct {
		text         string
		line, column int
		problem      string // whole
		mend         string // part
	}{
		{"", 1, 1, "expression is empty", "leave it out"},
		{" \n ", 1, 1, "expression is empty", "leave it out"},
		{strings.Repeat(" ", MaxSource) + "x", 1, 1, "expression is too long", "8192"},
		{"\xff", 1, 1, "expression is not UTF-8 text", "UTF-8"},

		{`value == "a" # b`, 1, 14, "this character has no meaning here", "quotes"},
		{`value == "a`, 1, 10, "this text is not closed, or has an escape that does not exist", "close the quote"},
		{`value == "\q"`, 1, 10, "this text is not closed, or has an escape that does not exist", `\\`},
		{`value == "\ud800"`, 1, 10, "text has an escape that does not exist", `\\`},
		{`value ==`, 1, 9, "expression ends too early", "close what is open"},
		{`(value == ""`, 1, 13, "expression ends too early", "close what is open"},
		{`value == "a" "b"`, 1, 14, "this is not expected here", "missing operator"},
		{`value == == ""`, 1, 10, "this is not expected here", "missing operator"},
		{`if == 1`, 1, 1, "this word is reserved", "another name"},
		{`field.tags.?pii == ""`, 1, 11, "this syntax is outside of the profile", "always present"},
		{`field.words[?0] == ""`, 1, 12, "this syntax is outside of the profile", "always present"},
		{`9223372036854775808 == 0`, 1, 1, "number is out of range", "64 bits"},
		{`18446744073709551616u == 0u`, 1, 1, "number is out of range", "64 bits"},
		{`1e999 == 0.0`, 1, 1, "number is out of range", "64 bits"},
		{deep, 1, 1, "expression is too complex or too faulty to be read further", "split"},
		{strings.Repeat("1+", 500) + "1 == 1", 1, 1, "expression is too complex or too faulty to be read further", "split"},

		{`field.words.all(1, true)`, 1, 17, "the first argument of a macro must be a new name", "exists(w"},
		{`field.words.map(1, true) == []`, 1, 17, "the first argument of a macro must be a new name", "exists(w"},
		{`field.words.all(__result__, true)`, 1, 17, "this name is reserved", "another name"},
		{`has(value)`, 1, 5, "has() needs a key of a map", "has(field.tags.owner)"},
		{`field.words.existsOne(w, w == "")`, 1, 13, "existsOne is outside of the profile", "exists_one"},

		{`field.nam == ""`, 1, 1, `unknown variable "field.nam"`, "did you mean field.name?"},
		{`fiel.name == ""`, 1, 1, `unknown variable "fiel.name"`, "did you mean field.name?"},
		{`vale.contains("x")`, 1, 1, `unknown variable "vale"`, "did you mean value?"},
		{`field == ""`, 1, 1, `"field" is not a value by itself`, "field.name"},
		{`a.b.c == ""`, 1, 1, `unknown variable "a.b.c"`, "the variables here are: context, field.description"},
		{`value.containz("x")`, 1, 7, `unknown function "containz"`, `did you mean "contains"?`},
		{`luhm(value)`, 1, 1, `unknown function "luhm"`, `did you mean "luhn"?`},
		{`frobnicate(value)`, 1, 1, `unknown function "frobnicate"`, "the functions here are: all,"},
		{`value.charAt(1) == "a"`, 1, 7, `unknown function "charAt"`, ""},
		{`value.exists("x")`, 1, 7, `the function "exists" is not called this way`, "list.exists(x, condition)"},
		{`value.luhn()`, 1, 7, "luhn cannot be applied to string.()", "luhn(string)"},
		{`is(value, "email")`, 1, 1, "is cannot be applied to (string, string)", "string.is(string)"},
		{`1 + "a" == 1`, 1, 3, "+ cannot be applied to (int, string)", "same type"},
		{`1 < 2.0`, 1, 3, "< cannot be applied to (int, double)", "same type"},
		{`1u == 1`, 1, 4, "== cannot be applied to (uint, int)", "same type"},
		{`field.tags[1] == ""`, 1, 11, "[] cannot be applied to (map(string, string), int)", "map[\"key\"]"},
		{`!value`, 1, 1, "! cannot be applied to (string)", "!(condition)"},
		{`true ? 1 : "a"`, 1, 6, "? : cannot be applied to (bool, int, string)", "same type"},
		{`timestamp("2024-01-01T00:00:00Z") + 1 == 2`, 1, 35, "+ cannot be applied to (timestamp, int)", "same type"},
		{`value && true`, 1, 1, "this is string, but bool is needed", "one type"},
		{`field.words.all(w, w)`, 1, 20, "this is string, but bool is needed", "one type"},
		{`[1, "a"] == []`, 1, 5, "this is string, but int is needed", "one type"},
		{`{"a": 1, "b": "c"} == {}`, 1, 15, "this is string, but int is needed", "one type"},
		{`value.all(v, true)`, 1, 1, "a macro works on a list or map, not on string", "before the dot"},
		{`value.foo == ""`, 1, 6, "string has nothing that a dot could select", "map"},

		{`value == null`, 1, 7, "== cannot be applied to (string, null)", "same type"},
		{`null == null`, 1, 1, "null is outside of the profile", "always present"},
		{`type(value) == string`, 1, 1, "a type as a value is outside of the profile", "leave"},
		{`dyn(value) == "x"`, 1, 1, "a value whose type is not known before it is evaluated is outside of the profile", "dyn()"},
		{`{1: 2} == {}`, 1, 1, "a map whose keys are not strings is outside of the profile", "strings"},
		{`[null] == []`, 1, 1, "null is outside of the profile", "has()"},
		{`[[[[[[[[[1]]]]]]]]] == []`, 1, 1, "a list or map nested so deep is outside of the profile", "fewer"},
		{`timestamp(value).getFullYear() == 2024`, 1, 18, "the function getFullYear is outside of the profile", "compare timestamps"},
		{`google.protobuf.Duration{} == duration("1s")`, 1, 25, "a message is outside of the profile", "map"},
		{`Foo{a: 1} == 1`, 1, 4, "a message is outside of the profile", "map"},
		{`[][0] == 1`, 1, 1, "expression uses a list or map whose elements have no known type", "leave it out"},
		{`value.matches(field.name)`, 1, 20, "the pattern of matches() is not a constant", "between quotes"},
		{`value.matches("a" + "b")`, 1, 19, "the pattern of matches() is not a constant", "between quotes"},
		{`value.matches("(a")`, 1, 15, "regular expression is not valid: a missing bracket", "close every ("},
		{`value.matches("(?=a)")`, 1, 15, "regular expression is not valid: a group that RE2 does not have", "look-around"},
		{`value.matches("[b-a]")`, 1, 15, "regular expression is not valid: a character class that does not exist", "RE2"},
		{`value.matches("*")`, 1, 15, "regular expression is not valid: a repetition that cannot be", "RE2"},
		{`value.matches("a{1001}")`, 1, 15, "regular expression is not valid: a repetition that cannot be", "1000"},
		{`value.matches(r"\y")`, 1, 15, "regular expression is not valid: an escape that does not exist", "raw text"},
		{`value.matches("[a")`, 1, 15, "regular expression is not valid: a missing ]", "RE2"},
		{`value.matches("(?:abcdefghijklmnopqrstuvwxyz){999}")`, 1, 15, "regular expression is too large", "alternatives"},
		{`value.is(field.type)`, 1, 15, "this argument of is() is not a constant", "between quotes"},
		{nested(7), 1, 91, "macros nest too deep", "at most 6"},

		{`value`, 1, 1, "expression is of type string, but bool is needed here", "compare"},
		{`[]`, 1, 1, "expression is of type list(unknown), but bool is needed here", "compare"},
		{`field.words.all(a, field.words.all(b, field.words.all(c, field.words.all(d, a + b == c + d))))`, 1, 1, "expression could take too long", "macros within macros"},
		{`value.replace(value, value) == ""`, 1, 1, "expression could take too long", "replace()"},
	}
	for _, tt := range tests {
		got := problems(t, profile.Field, tt.text, expr.TBool)
		if !assert.NotEmpty(t, got, tt.text) {
			continue
		}
		name := tt.text[:min(len(tt.text), 80)]
		assert.Equal(t, tt.problem, got[0].Problem, name)
		assert.Contains(t, got[0].Mend, tt.mend, name)
		assert.Equal(t, [2]int{tt.line, tt.column}, [2]int{got[0].Line, got[0].Column}, name)
		assert.Equal(t, "rules.yaml", got[0].File)
	}
}

func nested(depth int) string {
	text := "true"
	for i := depth; i > 0; i-- {
		text = `["a"].all(v` + string(rune('0'+i)) + ", " + text + ")"
	}
	return text
}

func TestExprReportsSeveralFaultsTogether(t *testing.T) {
	got := problems(t, profile.Field, "field.nam == \"\" &&\n  vale.matches(\"(\") &&\n  1 + \"ü\" == nothing", expr.TBool)
	var places [][2]int
	for _, p := range got {
		places = append(places, [2]int{p.Line, p.Column})
	}
	assert.Equal(t, [][2]int{{1, 1}, {2, 3}, {3, 5}, {3, 14}}, places, "%v", got)

	got = problems(t, profile.Field, "value.matches(\"(\") ||\n  timestamp(value).getHours() == 1 || size({1: 1}) == 1", expr.TBool)
	assert.Len(t, got, 3, "faults of the profile are found together, too")
}

// TestOnlyTheFirstFaultOfSyntax: behind a fault of syntax the parser guesses, so
// nothing that it says about what follows is passed on. What stands before is.
func TestOnlyTheFirstFaultOfSyntax(t *testing.T) {
	for _, tt := range []struct {
		text, reason string
		columns      []int
	}{
		{`value.matches(r'it's a b c, d(e) f') && x y z && u v w '`, "a raw text that ends too early", []int{20}},
		{`value.matches(r"["']+[^"']x") && (field.name == "a b c d e f g")`, "the same with double quotes", []int{19}},
		{`value.matches(r"\"") && field.name == "x y" && value.contains("a")`, "no escape keeps a quote inside of a raw text", []int{19}},
		{strings.Repeat("# ", 200), "nothing but characters without a meaning", []int{1}},
		{`value == == "a" && b ! c && d e f`, "operators in a row", []int{10}},
		{"a b\nc d\ne f", "a fault in every line", []int{3}},
		{`has(1) && == 3 && has(2) && == 4`, "a fault of another kind before it", []int{5, 11}},
		{`1e999 == 0.0 && 99999999999999999999 == 0`, "faults that are none of syntax", []int{1, 17}},
	} {
		var columns []int
		for _, p := range problems(t, profile.Field, tt.text, expr.TBool) {
			columns = append(columns, p.Column)
		}
		assert.Equal(t, tt.columns, columns, "%s: %s", tt.text, tt.reason)
	}
}

func TestExprPlacesInYAML(t *testing.T) {
	file := "rule:\n  when: |\n    value == \"é\"\n      && fiel.name == \"\"\n"
	var ps source.Problems
	text := source.Parse("pack.yaml", []byte(file), &ps).Map(&ps, "file").Get("rule").Map(&ps, "rule").Get("when").Text(&ps, "condition")
	require.NoError(t, ps.Err())
	assert.Nil(t, Expr(profile.Field, text, expr.TBool, &ps))
	var all *source.Error
	require.ErrorAs(t, ps.Err(), &all)
	require.Len(t, all.Problems, 1)
	p := all.Problems[0]
	assert.Equal(t, "pack.yaml", p.File)
	assert.Equal(t, [2]int{4, 10}, [2]int{p.Line, p.Column})
	lines := strings.Split(p.Snippet, "\n")
	require.Len(t, lines, 2)
	assert.Equal(t, strings.Index(lines[0], "fiel"), strings.Index(lines[1], "^"), "the caret stands under the name")
}

// foreignTexts finds every text that cel-go's parser, checker and validators can
// put into a message, in its source.
func foreignTexts(t *testing.T) []string {
	dir := celDir(t)
	var texts []string
	report := regexp.MustCompile(`^(ReportErrorAtID|ReportErrorString|ReportError|reportError|NewError|syntaxError|internalError)$`)
	build := regexp.MustCompile(`^(New|Sprintf|Errorf)$`) // the parser hands such texts on
	for _, file := range []string{"parser/parser.go", "parser/unescape.go", "parser/macro.go", "checker/errors.go", "checker/checker.go", "cel/env.go", "cel/validator.go"} {
		f, err := goparser.ParseFile(token.NewFileSet(), filepath.Join(dir, file), nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			inParser := strings.HasPrefix(file, "parser/")
			if pair, ok := n.(*ast.KeyValueExpr); ok && inParser {
				if lit, ok := pair.Value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					texts = append(texts, strings.Trim(lit.Value, "`\""))
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			case *ast.Ident:
				name = fun.Name
			}
			if !report.MatchString(name) && !(inParser && build.MatchString(name)) {
				return true
			}
			for _, a := range call.Args {
				if lit, ok := a.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					texts = append(texts, strings.Trim(lit.Value, "`\""))
				}
			}
			return true
		})
	}
	return texts
}

// TestEveryMessageHasATextOfOurs reads the messages out of cel-go's source, so
// that a new one in a later version does not go unnoticed.
func TestEveryMessageHasATextOfOurs(t *testing.T) {
	// Messages that cannot occur: they concern what is never switched on, faults of
	// cel-go itself, or only pass another message on.
	never := []string{"%s", "%v", "unknown parse element encountered: %s", "unexpected character, wanted '||'", "unexpected character, wanted '&&'",
		"operator not found", "unrecognized quantifier '%v'", "incompatible type already exists", "reference already exists", "unexpected %s type",
		"invalid %s argument", "cel.bind exceeds nesting limit", "Syntax error: %s", ": ", "<<%T>>", "%s:%d:%v", "%s:*:%v"}
	texts := foreignTexts(t)
	require.Greater(t, len(texts), 25, "the messages were not found in the source")
	u := &unit{env: profile.Field}
	for _, text := range texts {
		rare := false
		for _, n := range never {
			rare = rare || text == n || len(n) > 4 && strings.HasPrefix(text, n)
		}
		if rare {
			continue
		}
		message := strings.NewReplacer("%s", "string", "%d", "9", "%v", "x").Replace(text)
		problem, mend := u.explain(&common.Error{Message: message}, nil)
		assert.NotEqual(t, "expression is not valid", problem, "no text for %q", message)
		assert.NotEmpty(t, mend, message)
	}
}

// celDir is where the source of cel-go is.
func celDir(t *testing.T) string {
	t.Helper()
	out, err := goList("-m", "-f", "{{.Dir}}", "github.com/google/cel-go")
	require.NoError(t, err)
	dir := strings.TrimSpace(out)
	_, err = os.Stat(dir)
	require.NoError(t, err)
	return dir
}

// TestUnknownMessagesDoNotPass: a message that nobody knows becomes a general
// text, and one that looks known brings nothing else in.
func TestUnknownMessagesDoNotPass(t *testing.T) {
	u := &unit{env: profile.Field}
	for _, message := range []string{
		canary, "", "no such key: " + canary, "invalid RFC 3339 timestamp \"" + canary + "\"",
		"Syntax error: token recognition error at: '" + canary + "'",
		"Syntax error: mismatched input '" + canary + "' expecting <EOF>",
		"Syntax error: extraneous input '" + canary + "'", "Syntax error: " + canary,
		"Syntax error: no viable alternative at input '" + canary + "'",
		"reserved identifier: " + canary, "unsupported syntax '" + canary + "'",
		"undeclared reference to '" + canary + "' (in container '" + canary + "')",
		"found no matching overload for '" + canary + "' applied to '(" + canary + ")'",
		"expected type '" + canary + "' but found '" + canary + "'",
		"expression of type '" + canary + "' cannot be range of a comprehension",
		"type '" + canary + "' does not support field selection",
		"'" + canary + "' is not a type", "undefined field '" + canary + "'",
		"unsupported optional field selection: " + canary,
		"unable to unescape " + canary,
	} {
		problem, mend := u.explain(&common.Error{Message: message}, nil)
		assert.NotEmpty(t, problem)
		assert.NotEmpty(t, mend, "%s → %s", message, problem)
		assert.NotContains(t, problem+mend, "canary", message)
	}
}

// TestCanary: problems name variables and types, and show the line they stand in;
// a text of the expression appears nowhere but in that line.
func TestCanary(t *testing.T) {
	for _, text := range []string{
		`value == "` + canary + `" + 1`, `value.matches("(` + canary + `")`, `nothing == "` + canary + `"`,
		`{"` + canary + `": 1} == 1`, `field.tags["` + canary + `"] == 1`, `int("` + canary + `")`, `"` + canary + `"`,
		`"` + canary, canary, `value.is("` + canary + `", 1)`, `[1, "` + canary + `"] == []`, "`" + canary + "`",
	} {
		for _, p := range problems(t, profile.Field, text, expr.TBool) {
			assert.NotContains(t, p.Problem+p.Mend, "canary", text)
			p.Snippet = ""
			assert.NotContains(t, p.String(), "canary", text)
		}
	}
}

func TestExprWantsAType(t *testing.T) {
	assert.Empty(t, problems(t, profile.Field, `field.words`, 0), "any type will do")
	assert.Empty(t, problems(t, profile.Field, `[]`, expr.ListOf(expr.TString)), "an empty list fits every list")
	assert.Empty(t, problems(t, profile.Field, `value + "x"`, expr.TString))
	assert.NotEmpty(t, problems(t, profile.Field, `[1]`, expr.ListOf(expr.TString)))
}

func TestExprIsSafeForConcurrentUse(t *testing.T) {
	env := *profile.Policy // a front end of its own, so that the race for it is seen
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var ps source.Problems
			assert.NotNil(t, Expr(&env, source.Plain("p", `under(category, "user")`), expr.TBool, &ps))
		})
	}
	wg.Wait()
}

// TestCostBoundsBudget: the dearest expressions that are accepted, on the longest
// inputs that are allowed, stay within the evaluator's budget.
func TestCostBoundsBudget(t *testing.T) {
	long := strings.Repeat("a,", profile.MaxValue/2)
	words := make([]string, profile.MaxWords)
	for i := range words {
		words[i] = strings.Repeat("w", 128)
	}
	tags := &expr.StrMap{}
	for i := range profile.MaxEntries {
		tags.Set(strings.Repeat("k", 1000)+string(rune('a'+i)), strings.Repeat("v", profile.MaxName))
	}
	text := expr.String(long)
	frame := expr.Frame{Vars: []expr.Value{
		expr.String(long[:profile.MaxName]), expr.String(long[:profile.MaxName]), expr.Strings(&words), expr.String(""),
		expr.StringMap(tags), expr.String(""), expr.String(long[:profile.MaxDescription]), text, expr.StringMap(tags),
	}}
	for _, s := range []string{
		`value.split(",").size() > 0`, `value.split("").map(c, c + c).size() > 0`,
		`value.replace("a", "bcd").replace("b", "xyz").upperAscii().size() > 0`,
		`field.words.all(a, field.words.all(b, a + b != b + a + a))`,
		`field.words.map(a, field.words.map(b, a + b)).size() > 0`,
		`field.words.exists(w, value.matches("(a|b|c)+" + "")) || true`,
		`field.tags.all(k, field.tags.all(l, field.tags[k] + field.tags[l] != ""))`,
		`field.tags.exists(k, value.contains(field.tags[k]))`,
		`value.matches("^((a|b|c)*,)*x$")`, `(value + value + value).size() > 3`,
		`field.words.exists(w, w in value.split(","))`, `value.split(",").all(v, (v + v).trim() != "")`,
		`[value, value].map(v, v.split(",")).exists(l, l == [])`,
	} {
		var ps source.Problems
		p := Expr(profile.Field, source.Plain("r", s), expr.TBool, &ps)
		if p == nil {
			continue // refused: that is a bound, too
		}
		_, c := frame.Eval(p)
		assert.Equal(t, expr.OK, c, s)
		assert.LessOrEqual(t, frame.Spent(), expr.Budget/2, "%s leaves no room", s)
		t.Logf("%8d of %d: %s", frame.Spent(), expr.Budget, s)
	}

	// The estimate takes the parts of a split text for short, as they are on
	// average. Where that is wrong, the budget is the bound.
	var ps source.Problems
	p := Expr(profile.Field, source.Plain("r", `value.split(";").all(v, v.replace("", v) != "x")`), expr.TBool, &ps)
	require.NoError(t, ps.Err())
	_, c := frame.Eval(p)
	assert.Equal(t, expr.TooMuch, c)
}

func ExampleExpr() {
	var ps source.Problems
	Expr(profile.Field, source.Plain("rules.yaml", `field.nam.startsWith("user_")`), expr.TBool, &ps)
	fmt.Println(ps.Err())
	// Output:
	// rules.yaml:1:1: unknown variable "field.nam"
	//     field.nam.startsWith("user_")
	//     ^
	//     mend: did you mean field.name?
}
