package celrules

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/source"
)

const mendGeneral = "simplify the expression until the fault shows"

// A message says what we make of one class of cel-go's messages. Its pattern must
// match the whole message; the first group, if any, goes to say.
type message struct {
	pattern *regexp.Regexp
	problem string
	mend    string
	say     func(u *unit, group string, err *common.Error, tree *ast.AST) (problem, mend string)
}

func row(pattern, problem, mend string) message {
	return message{regexp.MustCompile(`(?s)^(?:` + pattern + `)$`), problem, mend, nil}
}

func rowFunc(pattern string, say func(u *unit, group string, err *common.Error, tree *ast.AST) (string, string)) message {
	m := row(pattern, "", "")
	m.say = say
	return m
}

// messages covers the messages of cel-go's parser, checker and validators. Nothing
// of a message goes further but names and types that the patterns single out.
var messages = []message{
	row(`Syntax error: token recognition error at: '[rRbB]{0,2}["'].*`,
		"this text is not closed, or has an escape that does not exist", `close the quote; write \\ for a backslash, or a raw text: r"…"`),
	row(`Syntax error: token recognition error.*`,
		"this character has no meaning here", `texts stand between quotes; names consist of letters, digits and "_"`),
	row(`Syntax error: (?:mismatched input|extraneous input|missing .+ at|no viable alternative at input) '.*<EOF>'.*`,
		"expression ends too early", "close what is open: brackets, quotes, or an operator that waits for its right side"),
	row(`Syntax error: missing .+ at .*`,
		"something is missing before this", "look for a missing bracket, comma or operator"),
	row(`Syntax error: (?:mismatched|extraneous) input .*`,
		"this is not expected here", "look for a missing operator, comma or bracket before it"),
	row(`Syntax error: no viable alternative .*`,
		"this cannot be read as an expression", "look for a missing operand, bracket or quote"),
	row(`Syntax error: mismatched reserved identifier .*|reserved identifier: .*|Syntax error: .*reserved.*`,
		"this word is reserved", "choose another name"),
	row(`(?:Syntax error: )?(?:More than \d+ syntax errors|error recovery .*limit.*|max recursion.*|expression recursion limit.*)`,
		"expression is too complex or too faulty to be read further", "split it into several rules, or mend the first fault"),
	row(`expression (?:code point size|node count|count) exceeds limit.*`,
		"expression is too large or nests too deep", "split it into several rules"),
	row(`comprehension exceeds nesting limit`,
		"macros nest too deep", "at most 6 within each other"),
	row(`unsupported ident kind|invalid escaped identifier.*`,
		"a name is missing here", "after a dot comes the name of a key or function"),
	row("unsupported syntax:? '[^']*'",
		"this syntax is outside of the profile", `variables are always present: no "?" is needed`),
	row(`invalid (?:int|uint|double) literal`,
		"number is out of range", "whole numbers have 64 bits"),
	row(`unable to unescape .*|invalid unicode code point`,
		"text has an escape that does not exist", `write \\ for a backslash, or a raw text: r"…"`),
	row(`argument (?:must be a simple name|is not an identifier)`,
		"the first argument of a macro must be a new name", "as in field.words.exists(w, w == \"email\")"),
	row(`iteration variable overwrites accumulator variable`,
		"this name is reserved", "choose another name"),
	row(`invalid argument to has\(\) macro`,
		"has() needs a key of a map", "as in has(field.tags.owner)"),
	rowFunc(`undeclared reference to '([^']*)' \(in container '[^']*'\)`, undeclared),
	rowFunc(`found no matching overload for '([^']*)' applied to '[^']*'`, overload),
	rowFunc(`expected type '([^']*)' but found '[^']*'`, mismatch),
	rowFunc(`expression of type '([^']*)' cannot be range of a comprehension.*`, func(_ *unit, t string, _ *common.Error, _ *ast.AST) (string, string) {
		return "a macro works on a list or map, not on " + typeName(t), "write the list or map before the dot"
	}),
	rowFunc(`type '([^']*)' does not support field selection`, func(_ *unit, t string, _ *common.Error, _ *ast.AST) (string, string) {
		return typeName(t) + " has nothing that a dot could select", "only a map has keys"
	}),
	row(`'[^']*' is not a (?:type|message type)|undefined field '[^']*'|unexpected failed resolution of '[^']*'|expected type of field '[^']*' is '[^']*' but provided type is '[^']*'`,
		"a message is outside of the profile", "use a map"),
	row(`unsupported optional field selection: .*`,
		"optional syntax is outside of the profile", "variables are always present"),
	row(`regex program size \d+ exceeds limit of \d+`,
		"regular expression is too large", "use fewer alternatives and smaller counts"),
}

// explain turns a message of cel-go into ours. It is total: what no row knows
// becomes a general text.
func (u *unit) explain(err *common.Error, tree *ast.AST) (problem, mend string) {
	for _, m := range messages {
		groups := m.pattern.FindStringSubmatch(err.Message)
		if groups == nil {
			continue
		}
		if m.say != nil {
			return m.say(u, groups[1], err, tree)
		}
		return m.problem, m.mend
	}
	return "expression is not valid", mendGeneral
}

// issues reports cel-go's messages: one for a place, and nothing after the first
// fault of syntax, because behind it the parser guesses. One quote that is missing
// made forty messages.
func (u *unit) issues(errs []*common.Error, tree *ast.AST) {
	end := len(u.src.Value)
	for _, err := range errs {
		if isSyntax(err) {
			end = min(end, u.offset(err.Location))
		}
	}
	seen := map[int]bool{}
	for _, err := range errs {
		offset := u.offset(err.Location)
		if !isSyntax(err) {
			offset = u.callee(offset)
		}
		if seen[offset] || offset > end {
			continue
		}
		seen[offset] = true
		problem, mend := u.explain(err, tree)
		u.add(offset, problem, mend)
	}
	if len(errs) == 0 {
		u.add(0, "expression is not valid", mendGeneral)
	}
}

func isSyntax(err *common.Error) bool { return strings.HasPrefix(err.Message, "Syntax error") }

// word is a dotted name as the grammar has it. Nothing else is quoted in a
// problem, so that no text of an expression gets into it by this way.
var word = regexp.MustCompile(`^\.?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// quote writes a name in a problem, or something neutral.
func quote(name string) string {
	if len(name) > 64 || !word.MatchString(name) {
		return "this name"
	}
	return `"` + name + `"`
}

func undeclared(u *unit, name string, err *common.Error, tree *ast.AST) (string, string) {
	var vars, funcs []string
	for _, v := range u.env.Vars {
		vars = append(vars, v.Name)
	}
	for _, f := range u.env.Funcs {
		funcs = append(funcs, f.Name)
	}
	funcs = append(funcs, profileFunctions...)
	kind := kindOf(tree, err.ExprID)
	if kind == ast.StructKind {
		return "a message is outside of the profile", "use a map"
	}
	if kind == ast.CallKind {
		if slices.Contains(funcs, name) {
			return "the function " + quote(name) + " is not called this way", mendCall(u.env, name)
		}
		if mend := source.DidYouMean(name, funcs); mend != "" {
			return "unknown function " + quote(name), mend
		}
		return "unknown function " + quote(name), "the functions here are: " + strings.Join(sorted(funcs), ", ")
	}
	full := chain(tree, err.ExprID)
	if full == "" {
		full = name
	}
	var below []string
	for _, v := range vars {
		if strings.HasPrefix(v, full+".") {
			below = append(below, v)
		}
	}
	if len(below) > 0 {
		return quote(full) + " is not a value by itself", "one of: " + strings.Join(sorted(below), ", ")
	}
	if n := source.Nearest(full, vars); n != "" {
		return "unknown variable " + quote(full), "did you mean " + n + "?"
	}
	// A typing mistake in the first part only, with a selection behind it.
	if n := source.Nearest(name, vars); n != "" {
		return "unknown variable " + quote(name), "did you mean " + n + "?"
	}
	return "unknown variable " + quote(full), "the variables here are: " + strings.Join(sorted(vars), ", ")
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// profileFunctions are the functions and macros that every environment has.
var profileFunctions = []string{
	"all", "bool", "bytes", "contains", "double", "duration", "endsWith", "exists", "exists_one", "filter", "has", "int",
	"lowerAscii", "map", "matches", "replace", "size", "split", "startsWith", "string", "substring", "timestamp", "trim",
	"uint", "upperAscii",
}

// kindOf is the kind of the expression with a number.
func kindOf(tree *ast.AST, id int64) (kind ast.ExprKind) {
	if tree == nil {
		return 0
	}
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id {
			kind = e.Kind()
		}
	}))
	return kind
}

func overload(u *unit, function string, err *common.Error, _ *ast.AST) (string, string) {
	// The types come after the function, between the last pair of quotes.
	applied := err.Message[:len(err.Message)-1]
	applied = applied[strings.LastIndexByte(applied, '\'')+1:]
	name := display(function)
	if !word.MatchString(name) && name == function && !strings.ContainsAny(name, "+-*/%<>=!&|?[]") {
		name = "this function"
	}
	if !signature.MatchString(applied) || len(applied) > 200 {
		return "operand of " + name + " has a type that does not fit", mendCall(u.env, function)
	}
	return name + " cannot be applied to " + typeName(applied), mendCall(u.env, function)
}

// signature is a list of types as cel-go writes them.
var signature = regexp.MustCompile(`^[a-z_A-Z0-9.,() ]+$`)

// typeName rewrites a type of cel-go, if it is one.
func typeName(t string) string {
	if !signature.MatchString(t) || len(t) > 200 {
		return "this type"
	}
	t = strings.ReplaceAll(t, "google.protobuf.Timestamp", "timestamp")
	return strings.ReplaceAll(t, "google.protobuf.Duration", "duration")
}

// mendCall shows how a function is called, or how operands are made to fit.
func mendCall(env *expr.Env, name string) string {
	for _, f := range env.Funcs {
		if f.Name != name {
			continue
		}
		params := make([]string, len(f.Params))
		for i, p := range f.Params {
			params[i] = p.String()
		}
		if f.Member {
			return "as in " + params[0] + "." + name + "(" + strings.Join(params[1:], ", ") + ")"
		}
		return "as in " + name + "(" + strings.Join(params, ", ") + ")"
	}
	if how, ok := shapes[name]; ok {
		return "as in " + how
	}
	return "both sides must be of the same type: convert one of them, as in int(…) or string(…)"
}

var shapes = map[string]string{
	"all": "list.all(x, condition)", "exists": "list.exists(x, condition)", "exists_one": "list.exists_one(x, condition)",
	"filter": "list.filter(x, condition)", "map": "list.map(x, expression)", "has": "has(map.key)",
	"contains": "text.contains(part)", "startsWith": "text.startsWith(part)", "endsWith": "text.endsWith(part)",
	"matches": `text.matches("pattern")`, "lowerAscii": "text.lowerAscii()", "upperAscii": "text.upperAscii()",
	"trim": "text.trim()", "split": `text.split(",")`, "replace": `text.replace("-", "")`, "substring": "text.substring(0, 4)",
	"size": "text.size()", "int": "int(text)", "uint": "uint(text)", "double": "double(text)", "string": "string(number)",
	"bytes": "bytes(text)", "bool": "bool(text)", "timestamp": `timestamp("2024-02-29T00:00:00Z")`, "duration": `duration("24h")`,
	"!_": "!(condition)", "@in": `field.type in ["text", "varchar"]`, "_?_:_": "condition ? value : value of the same type",
	"_[_]": "list[0] or map[\"key\"]",
}

func mismatch(_ *unit, expected string, err *common.Error, _ *ast.AST) (string, string) {
	found := strings.TrimSuffix(err.Message[strings.LastIndex(err.Message, "found '")+len("found '"):], "'")
	return "this is " + typeName(found) + ", but " + typeName(expected) + " is needed",
		"all elements of a list or map, and both sides of an operator, have one type"
}

// regexFault is what is wrong with a regular expression.
func regexFault(code syntax.ErrorCode) string {
	switch code {
	case syntax.ErrInvalidCharClass, syntax.ErrInvalidCharRange:
		return "a character class that does not exist"
	case syntax.ErrInvalidEscape, syntax.ErrTrailingBackslash:
		return "an escape that does not exist"
	case syntax.ErrInvalidPerlOp, syntax.ErrInvalidNamedCapture:
		return "a group that RE2 does not have"
	case syntax.ErrInvalidRepeatOp, syntax.ErrInvalidRepeatSize, syntax.ErrMissingRepeatArgument:
		return "a repetition that cannot be"
	case syntax.ErrMissingBracket:
		return "a missing ]"
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return "a missing bracket"
	case syntax.ErrNestingDepth, syntax.ErrLarge:
		return "it is too large"
	case syntax.ErrInvalidUTF8:
		return "it is not UTF-8"
	}
	return "not RE2 syntax"
}

func regexMend(code syntax.ErrorCode) string {
	switch code {
	case syntax.ErrInvalidPerlOp:
		return "RE2 has no look-around and no back references; write a second condition"
	case syntax.ErrInvalidEscape, syntax.ErrTrailingBackslash:
		return `inside quotes a backslash is written twice: "\\d", or in a raw text: r"\d"`
	case syntax.ErrInvalidRepeatSize:
		return "repeat at most 1000 times"
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return `close every ( with a ); a bracket as such is "\\("`
	}
	return "use RE2 syntax"
}
