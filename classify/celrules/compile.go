// Package celrules turns rules and conditions written in CEL into what the
// project runs. It is the only package that imports cel-go: for the parser, the
// type checker and the cost estimator. Nothing of cel-go reaches the outside:
// expressions become programs of internal/expr, and messages become our own.
package celrules

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/parser"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/source"
)

// MaxSource is the longest expression, in bytes.
const MaxSource = 8 << 10

// parseDepth is how deep an expression may nest while it is parsed. It is less
// than expr.MaxDepth, because a macro and a long sum add to it.
const parseDepth = 96

// Expr compiles one expression of the CEL profile for env. want is the type that
// it must have; the zero Type allows any. Every fault is added to ps with its
// place in the file and a mend, and then the result is nil.
//
// It is safe for concurrent use, with a ps for each.
func Expr(env *expr.Env, src source.Text, want expr.Type, ps *source.Problems) *expr.Program {
	u := &unit{env: env, src: src, ps: ps}
	switch {
	case strings.TrimSpace(src.Value) == "":
		u.add(0, "expression is empty", "write a condition, or leave it out")
		return nil
	case len(src.Value) > MaxSource:
		u.add(0, "expression is too long", "at most 8192 bytes; split it into several rules")
		return nil
	case !utf8.ValidString(src.Value):
		u.add(0, "expression is not UTF-8 text", "save the file as UTF-8")
		return nil
	}
	before := ps.Len()
	checked := u.check()
	if ps.Len() > before || checked == nil {
		return nil
	}
	p := u.translate(checked.NativeRep(), want)
	if ps.Len() > before {
		return nil
	}
	u.cost(checked)
	if ps.Len() > before {
		return nil
	}
	return p
}

// A unit is one expression on its way.
type unit struct {
	env   *expr.Env
	src   source.Text
	ps    *source.Problems
	front *cel.Env
}

// add reports a problem at a byte offset of the expression.
func (u *unit) add(offset int, problem, mend string) {
	u.ps.Add(u.src.File, u.src.At(offset), problem, mend)
}

// offset is a place of cel-go's as a byte offset: it counts lines from 1 and
// columns in characters from 0. A place outside of the text is its start.
func (u *unit) offset(at common.Location) int {
	if at == nil || at.Line() < 1 || at.Column() < 0 {
		return 0
	}
	offset := 0
	for range at.Line() - 1 {
		n := strings.IndexByte(u.src.Value[offset:], '\n')
		if n < 0 {
			return 0
		}
		offset += n + 1
	}
	for range at.Column() {
		_, width := utf8.DecodeRuneInString(u.src.Value[offset:])
		offset += width
	}
	return offset
}

// callee moves from the bracket that opens a call's arguments, which is where
// cel-go places a call, to the name before it.
func (u *unit) callee(offset int) int {
	if offset >= len(u.src.Value) || u.src.Value[offset] != '(' {
		return offset
	}
	start := offset
	for start > 0 && nameByte(u.src.Value[start-1]) {
		start--
	}
	return start
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// check parses and type-checks, and reports every fault. Both steps work on text
// from outside with code that we do not control, so a panic in there counts as a
// fault of the expression.
func (u *unit) check() (checked *cel.Ast) {
	defer func() {
		if recover() != nil {
			u.add(0, "expression cannot be read", mendGeneral)
			checked = nil
		}
	}()
	front, err := frontEnd(u.env)
	if err != nil {
		u.add(0, "environment of the expression is not valid", "report this as a fault of privet")
		return nil
	}
	u.front = front
	parsed, issues := front.Parse(u.src.Value)
	if issues.Err() != nil {
		u.issues(issues.Errors(), nil)
		return nil
	}
	tree := parsed.NativeRep()
	if checked, issues = front.Check(parsed); issues.Err() != nil {
		u.issues(issues.Errors(), tree)
		return nil
	}
	return checked
}

// fronts remembers the cel-go environment of each of ours: they take a
// millisecond to make.
var fronts sync.Map // *expr.Env → *front

type front struct {
	once sync.Once
	env  *cel.Env
	err  error
}

func frontEnd(env *expr.Env) (*cel.Env, error) {
	v, _ := fronts.LoadOrStore(env, &front{})
	f := v.(*front)
	f.once.Do(func() { f.env, f.err = cel.NewEnv(options(env)...) })
	return f.env, f.err
}

// options declares what an expression may see.
func options(env *expr.Env) []cel.EnvOption {
	opts := []cel.EnvOption{
		cel.ClearMacros(),
		cel.Macros(cel.HasMacro, cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro,
			parser.ExistsOneMacroNew, // known only so that it is refused with a hint
			cel.MapMacro, cel.MapFilterMacro, cel.FilterMacro),
		cel.EnableMacroCallTracking(),
		cel.CrossTypeNumericComparisons(false),
		cel.HomogeneousAggregateLiterals(),
		cel.ParserRecursionLimit(parseDepth),
		cel.ParserExpressionSizeLimit(MaxSource),
		cel.ExpressionNodeLimit(4 * expr.MaxNodes), // with what macros expand to
	}
	opts = append(opts, stringFunctions()...)
	for _, v := range env.Vars {
		opts = append(opts, cel.Variable(v.Name, celType(v.Type)))
	}
	for i := range env.Funcs {
		f := &env.Funcs[i]
		params := make([]*cel.Type, len(f.Params))
		for j, p := range f.Params {
			params[j] = celType(p)
		}
		overload := cel.Overload
		if f.Member {
			overload = cel.MemberOverload
		}
		opts = append(opts, cel.Function(f.Name, overload(overloadPrefix+f.Name, params, celType(f.Result))))
	}
	return opts
}

// overloadPrefix marks the overloads of an environment's own functions.
const overloadPrefix = "privet_"

// stringFunctions declares those of the string extension that the profile has,
// under the extension's own overloads.
func stringFunctions() []cel.EnvOption {
	s, i, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	member := func(id string, result *cel.Type, params ...*cel.Type) cel.FunctionOpt {
		return cel.MemberOverload(id, append([]*cel.Type{s}, params...), result)
	}
	return []cel.EnvOption{
		cel.Function("lowerAscii", member("string_lower_ascii", s)),
		cel.Function("upperAscii", member("string_upper_ascii", s)),
		cel.Function("trim", member("string_trim", s)),
		cel.Function("split", member("string_split_string", list, s), member("string_split_string_int", list, s, i)),
		cel.Function("replace", member("string_replace_string_string", s, s, s), member("string_replace_string_string_int", s, s, s, i)),
		cel.Function("substring", member("string_substring_int", s, i), member("string_substring_int_int", s, i, i)),
	}
}

// celType is a type of ours in cel-go's terms.
func celType(t expr.Type) *cel.Type {
	switch t.Kind() {
	case expr.KindBool:
		return cel.BoolType
	case expr.KindInt:
		return cel.IntType
	case expr.KindUint:
		return cel.UintType
	case expr.KindDouble:
		return cel.DoubleType
	case expr.KindString:
		return cel.StringType
	case expr.KindBytes:
		return cel.BytesType
	case expr.KindTimestamp:
		return cel.TimestampType
	case expr.KindDuration:
		return cel.DurationType
	case expr.KindList:
		return cel.ListType(celType(t.Elem()))
	case expr.KindMap:
		return cel.MapType(cel.StringType, celType(t.Elem()))
	}
	return cel.DynType
}

// chain is the dotted name that the identifier id begins: "field.nam" for the
// `field` in `field.nam == ""`. It also tells where the name stops being a plain
// chain of names.
func chain(tree *ast.AST, id int64) string {
	if tree == nil {
		return ""
	}
	var found string
	visit := ast.NewExprVisitor(func(e ast.Expr) {
		if name, ok := dotted(e, id); ok && len(name) > len(found) {
			found = name
		}
	})
	ast.PostOrderVisit(tree.Expr(), visit)
	return found
}

// dotted writes a chain of selections down to the identifier id.
func dotted(e ast.Expr, id int64) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), e.ID() == id
	case ast.SelectKind:
		sel := e.AsSelect()
		name, ok := dotted(sel.Operand(), id)
		return name + "." + sel.FieldName(), ok
	}
	return "", false
}
