package celrules

import (
	"errors"
	"regexp/syntax"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// overloadOps maps the overloads of the profile to operations. What is missing
// here is outside of the profile. The operands stay in their order, a receiver first.
var overloadOps = func() map[string]expr.Op {
	m := map[string]expr.Op{
		overloads.LogicalAnd: expr.OpAnd, overloads.LogicalOr: expr.OpOr, overloads.LogicalNot: expr.OpNot,
		overloads.Conditional: expr.OpCond,
		overloads.Equals:      expr.OpEq, overloads.NotEquals: expr.OpNe,
		overloads.InList: expr.OpIn, overloads.InMap: expr.OpIn,
		overloads.IndexList: expr.OpIndex, overloads.IndexMap: expr.OpIndex,
		overloads.NegateInt64: expr.OpNeg, overloads.NegateDouble: expr.OpNeg,
		overloads.AddTimestampDuration: expr.OpAdd, overloads.AddDurationTimestamp: expr.OpAdd,
		overloads.SubtractTimestampTimestamp: expr.OpSub, overloads.SubtractTimestampDuration: expr.OpSub,
		overloads.ContainsString: expr.OpContains, overloads.StartsWithString: expr.OpStartsWith,
		overloads.EndsWithString: expr.OpEndsWith,
		"string_lower_ascii":     expr.OpLower, "string_upper_ascii": expr.OpUpper, "string_trim": expr.OpTrim,
		"string_split_string": expr.OpSplit, "string_split_string_int": expr.OpSplitN,
		"string_replace_string_string": expr.OpReplace, "string_replace_string_string_int": expr.OpReplaceN,
		"string_substring_int": expr.OpFrom, "string_substring_int_int": expr.OpSubstring,
	}
	add := func(op expr.Op, ids ...string) {
		for _, id := range ids {
			m[id] = op
		}
	}
	add(expr.OpLt, overloads.LessBool, overloads.LessInt64, overloads.LessUint64, overloads.LessDouble, overloads.LessString, overloads.LessBytes, overloads.LessTimestamp, overloads.LessDuration)
	add(expr.OpLe, overloads.LessEqualsBool, overloads.LessEqualsInt64, overloads.LessEqualsUint64, overloads.LessEqualsDouble, overloads.LessEqualsString, overloads.LessEqualsBytes, overloads.LessEqualsTimestamp, overloads.LessEqualsDuration)
	add(expr.OpGt, overloads.GreaterBool, overloads.GreaterInt64, overloads.GreaterUint64, overloads.GreaterDouble, overloads.GreaterString, overloads.GreaterBytes, overloads.GreaterTimestamp, overloads.GreaterDuration)
	add(expr.OpGe, overloads.GreaterEqualsBool, overloads.GreaterEqualsInt64, overloads.GreaterEqualsUint64, overloads.GreaterEqualsDouble, overloads.GreaterEqualsString, overloads.GreaterEqualsBytes, overloads.GreaterEqualsTimestamp, overloads.GreaterEqualsDuration)
	add(expr.OpAdd, overloads.AddInt64, overloads.AddUint64, overloads.AddDouble, overloads.AddString, overloads.AddBytes, overloads.AddList, overloads.AddDurationDuration)
	add(expr.OpSub, overloads.SubtractInt64, overloads.SubtractUint64, overloads.SubtractDouble, overloads.SubtractDurationDuration)
	add(expr.OpMul, overloads.MultiplyInt64, overloads.MultiplyUint64, overloads.MultiplyDouble)
	add(expr.OpDiv, overloads.DivideInt64, overloads.DivideUint64, overloads.DivideDouble)
	add(expr.OpMod, overloads.ModuloInt64, overloads.ModuloUint64)
	add(expr.OpSize, overloads.SizeString, overloads.SizeBytes, overloads.SizeList, overloads.SizeMap,
		overloads.SizeStringInst, overloads.SizeBytesInst, overloads.SizeListInst, overloads.SizeMapInst)
	add(expr.OpToBool, overloads.BoolToBool, overloads.StringToBool)
	add(expr.OpToInt, overloads.IntToInt, overloads.UintToInt, overloads.DoubleToInt, overloads.StringToInt, overloads.TimestampToInt, overloads.DurationToInt)
	add(expr.OpToUint, overloads.UintToUint, overloads.IntToUint, overloads.DoubleToUint, overloads.StringToUint)
	add(expr.OpToDouble, overloads.DoubleToDouble, overloads.IntToDouble, overloads.UintToDouble, overloads.StringToDouble)
	add(expr.OpToString, overloads.StringToString, overloads.BoolToString, overloads.IntToString, overloads.UintToString, overloads.DoubleToString, overloads.BytesToString, overloads.TimestampToString, overloads.DurationToString)
	add(expr.OpToBytes, overloads.BytesToBytes, overloads.StringToBytes)
	add(expr.OpToTimestamp, overloads.TimestampToTimestamp, overloads.IntToTimestamp, overloads.StringToTimestamp)
	add(expr.OpToDuration, overloads.DurationToDuration, overloads.StringToDuration)
	return m
}()

// translator turns cel-go's tree into ours.
type translator struct {
	*unit
	tree   *ast.AST
	w      *expr.Writer
	locals []string // variables of the enclosing macros, outermost first
}

func (u *unit) translate(tree *ast.AST, want expr.Type) *expr.Program {
	// What classifies is many and long, and its text can be written from the tree.
	text := u.src.Value
	if u.env.ID == profile.EnvField || u.env.ID == profile.EnvMatch {
		text = ""
	}
	t := &translator{unit: u, tree: tree, w: expr.NewWriter(u.env, text)}
	before := u.ps.Len()
	t.expr(tree.Expr())
	if u.ps.Len() > before {
		return nil
	}
	p, err := t.w.Program()
	if err != nil {
		// Everything that the profile excludes was found above with its place. What
		// is left are bounds, and lists whose elements nobody knows.
		if expr.TooLarge(err) {
			u.add(0, "expression is too large or nests too deep", "split it into several rules")
		} else {
			u.add(0, "expression uses a list or map whose elements have no known type", "put an element into the empty list or map, or leave it out")
		}
		return nil
	}
	if want != 0 && !p.Result().Fits(want) {
		t.at(tree.Expr(), "expression is of type "+p.Result().String()+", but "+want.String()+" is needed here", mendType(want))
		return nil
	}
	return p
}

func mendType(want expr.Type) string {
	if want == expr.TBool {
		return "compare it with something: the result must be true or false"
	}
	return "convert it, as in " + want.Kind().String() + "(…)"
}

// at reports a problem at an expression.
func (t *translator) at(e ast.Expr, problem, mend string) {
	offset := t.offset(t.tree.SourceInfo().GetStartLocation(e.ID()))
	if e.Kind() == ast.CallKind || e.Kind() == ast.ComprehensionKind {
		offset = t.callee(offset)
	}
	t.add(offset, problem, mend)
}

// outside reports something that CEL has and the profile has not.
func (t *translator) outside(e ast.Expr, what, mend string) {
	t.at(e, what+" is outside of the profile", mend)
}

func (t *translator) expr(e ast.Expr) {
	if what, mend := foreign(t.tree.GetType(e.ID()), 0); what != "" {
		t.outside(e, what, mend)
		return
	}
	switch e.Kind() {
	case ast.LiteralKind:
		t.literal(e)
	case ast.IdentKind:
		t.ident(e)
	case ast.SelectKind:
		sel := e.AsSelect()
		op := expr.OpSelect
		if sel.IsTestOnly() {
			op = expr.OpHas
		}
		t.w.Text(op, sel.FieldName())
		t.expr(sel.Operand())
	case ast.CallKind:
		t.call(e)
	case ast.ListKind:
		elems := e.AsList().Elements()
		t.w.List(len(elems))
		t.all(elems)
	case ast.MapKind:
		entries := e.AsMap().Entries()
		t.w.Map(len(entries))
		for _, entry := range entries {
			t.expr(entry.AsMapEntry().Key())
			t.expr(entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		t.macro(e)
	default:
		t.outside(e, "a message", "use a map")
	}
}

func (t *translator) all(es []ast.Expr) {
	for _, e := range es {
		t.expr(e)
	}
}

// foreign names what is not of the profile in a type, or "".
func foreign(t *types.Type, depth int) (what, mend string) {
	if depth >= expr.MaxTypeDepth {
		return "a list or map nested so deep", "use fewer levels"
	}
	switch t.Kind() {
	case types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind, types.StringKind, types.BytesKind,
		types.TimestampKind, types.DurationKind:
		if t.IsAssignableType(types.NullType) {
			return "a value that can be null", "use the plain type"
		}
		return "", ""
	case types.ListKind:
		return foreign(t.Parameters()[0], depth+1)
	case types.MapKind:
		if k := t.Parameters()[0].Kind(); k != types.StringKind && !unknown(t.Parameters()[0]) {
			return "a map whose keys are not strings", "write the keys as strings"
		}
		return foreign(t.Parameters()[1], depth+1)
	case types.NullTypeKind:
		return "null", `variables are always present: compare with "", or use has()`
	case types.TypeKind:
		return "a type as a value", "types are fixed: leave the comparison out"
	}
	if depth > 0 && unknown(t) {
		return "", "" // the element of an empty list
	}
	return "a value whose type is not known before it is evaluated", "leave out dyn()"
}

func unknown(t *types.Type) bool {
	return t.Kind() == types.DynKind || t.Kind() == types.TypeParamKind
}

func (t *translator) literal(e ast.Expr) {
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		t.w.Const(expr.Bool(bool(v)))
	case types.Int:
		t.w.Const(expr.Int(int64(v)))
	case types.Uint:
		t.w.Const(expr.Uint(uint64(v)))
	case types.Double:
		t.w.Const(expr.Double(float64(v)))
	case types.String:
		t.w.Const(expr.String(string(v)))
	case types.Bytes:
		t.w.Const(expr.Bytes(string(v)))
	default:
		t.outside(e, "this literal", mendGeneral)
	}
}

func (t *translator) ident(e ast.Expr) {
	name, global := strings.CutPrefix(e.AsIdent(), ".")
	for level := len(t.locals) - 1; level >= 0 && !global; level-- {
		if t.locals[level] == name {
			t.w.Local(level)
			return
		}
	}
	slot, ok := t.env.Slot(name)
	if !ok {
		t.outside(e, "this name", "use the variables of the environment: "+names(t.env))
		return
	}
	t.w.Var(slot)
}

func names(env *expr.Env) string {
	all := make([]string, len(env.Vars))
	for i := range env.Vars {
		all[i] = env.Vars[i].Name
	}
	return strings.Join(all, ", ")
}

func (t *translator) call(e ast.Expr) {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	ids := t.tree.GetOverloadIDs(e.ID())
	if len(ids) != 1 {
		t.outside(e, "an operation that is chosen when it is evaluated", "give the empty list or map an element")
		return
	}
	if name, ok := strings.CutPrefix(ids[0], overloadPrefix); ok {
		t.function(e, name, args)
		return
	}
	if ids[0] == overloads.Matches || ids[0] == overloads.MatchesString {
		t.matches(args)
		return
	}
	op, ok := overloadOps[ids[0]]
	if !ok {
		t.outside(e, "the function "+display(call.FunctionName()), mendFunction(call.FunctionName()))
		return
	}
	t.w.Op(op)
	t.all(args)
}

// display is the form in which people write an operator or function.
func display(function string) string {
	if op, ok := operators.FindReverse(function); ok && op != "" {
		return op
	}
	switch function {
	case operators.Conditional:
		return "? :"
	case operators.Index, operators.OptIndex:
		return "[]"
	}
	return function
}

func mendFunction(name string) string {
	switch {
	case strings.HasPrefix(name, "get"):
		return "compare timestamps with each other"
	case name == "dyn" || name == "type":
		return "leave it out: every type is known"
	}
	return "use the functions of the profile"
}

// matches translates a match, whose pattern must be a constant.
func (t *translator) matches(args []ast.Expr) {
	text, pattern := args[0], args[1]
	lit, ok := pattern.AsLiteral().(types.String)
	if pattern.Kind() != ast.LiteralKind || !ok {
		t.at(pattern, "the pattern of matches() is not a constant", "write the regular expression itself between quotes")
		return
	}
	_, err := expr.CheckPattern(string(lit))
	var bad *syntax.Error
	switch {
	case expr.TooLarge(err):
		t.at(pattern, "regular expression is too large", "use fewer alternatives and smaller counts")
		return
	case errors.As(err, &bad):
		t.at(pattern, "regular expression is not valid: "+regexFault(bad.Code), regexMend(bad.Code))
		return
	case err != nil:
		t.at(pattern, "regular expression is not valid", "use RE2 syntax")
		return
	}
	t.w.Text(expr.OpMatches, string(lit))
	t.expr(text)
}

// function translates a call of one of the environment's own functions.
func (t *translator) function(e ast.Expr, name string, args []ast.Expr) {
	for i := range t.env.Funcs {
		f := &t.env.Funcs[i]
		if f.Name != name {
			continue
		}
		if f.Const > 0 && args[f.Const-1].Kind() != ast.LiteralKind {
			t.at(args[f.Const-1], "this argument of "+name+"() is not a constant", "write the name itself between quotes")
			return
		}
		t.w.Call(f.ID)
		t.all(args)
		return
	}
	t.outside(e, "the function "+name, mendFunction(name))
}

// macro translates what the parser made of a macro. Which one it was is on
// record; the parts are where the expansion puts them.
func (t *translator) macro(e ast.Expr) {
	original, ok := t.tree.SourceInfo().GetMacroCall(e.ID())
	if !ok || e.AsComprehension().HasIterVar2() {
		t.outside(e, "this macro", mendMacro)
		return
	}
	if len(t.locals) == expr.MaxLoops {
		t.at(e, "macros nest too deep", "at most 6 within each other")
		return
	}
	loop := e.AsComprehension()
	step := loop.LoopStep().AsCall().Args()
	var op expr.Op
	var body []ast.Expr
	switch name := original.AsCall().FunctionName(); {
	case name == operators.All:
		op, body = expr.OpAll, step[1:2] // accu && body
	case name == operators.Exists:
		op, body = expr.OpExists, step[1:2] // accu || body
	case name == operators.ExistsOne:
		op, body = expr.OpExistsOne, step[:1] // body ? accu + 1 : accu
	case name == operators.Filter:
		op, body = expr.OpFilter, step[:1] // body ? accu + [x] : accu
	case name == operators.Map && len(step) == 2:
		op, body = expr.OpTransform, step[1].AsList().Elements() // accu + [body]
	case name == operators.Map && len(step) == 3:
		op = expr.OpSift // condition ? accu + [body] : accu
		body = []ast.Expr{step[0], step[1].AsCall().Args()[1].AsList().Elements()[0]}
	case name == "existsOne":
		t.outside(e, "existsOne", "write exists_one")
		return
	default:
		t.outside(e, "this macro", mendMacro)
		return
	}
	t.w.Op(op)
	t.expr(loop.IterRange())
	t.locals = append(t.locals, loop.IterVar())
	t.all(body)
	t.locals = t.locals[:len(t.locals)-1]
}

const mendMacro = "use has, all, exists, exists_one, filter or map"
