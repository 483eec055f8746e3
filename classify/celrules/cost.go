package celrules

import (
	"math"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/privetdev/privet/internal/expr"
)

// MaxCost is the highest cost of an expression, estimated for the longest texts
// and lists that its environment allows. A unit is about what looking at ten
// bytes costs; the estimate counts as the evaluator pays (see expr.Budget), so that
// an accepted expression stays within its budget. What it does not see is that one
// part of a split text can be as long as the text; there the budget is the bound.
const MaxCost = expr.Budget / 4

// cost reports an expression that could cost more than MaxCost.
func (u *unit) cost(checked *cel.Ast) {
	defer func() {
		if recover() != nil {
			u.add(0, "cost of the expression cannot be estimated", mendGeneral)
		}
	}()
	switch estimate, err := u.estimate(checked); {
	case err != nil:
		u.add(0, "cost of the expression cannot be estimated", mendGeneral)
	case estimate > MaxCost:
		u.add(0, "expression could take too long", "avoid macros within macros, long regular expressions, and replace() or split() of long texts")
	}
}

// estimate is the most that an expression can cost: what cel-go estimates from
// what we tell it of operations, and what it does not ask for.
func (u *unit) estimate(checked *cel.Ast) (float64, error) {
	root := checked.NativeRep().Expr()
	e := newEstimator(u.env, root)
	estimate, err := u.front.EstimateCost(checked, e)
	return float64(estimate.Max) + e.unasked(root, 1), err
}

// estimator tells cel-go's estimator how long variables are and what operations
// cost here. Sizes of texts are bytes.
type estimator struct {
	env *expr.Env
	// text and elems bound what nothing else is known of: as much as the largest
	// variable, or what is bound to be small anyway.
	text, elems uint64
	// parts are the uses of a macro's variable that stands for a part of a split
	// text. All parts together are no longer than the text, and the estimate takes
	// as many parts as there can be, so each counts as one byte. That bounds every
	// use which is linear in the part; for others the evaluator has its budget.
	parts map[int64]bool
}

func newEstimator(env *expr.Env, root ast.Expr) *estimator {
	e := &estimator{env: env, text: 1 << 10, elems: 64, parts: map[int64]bool{}}
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.ComprehensionKind {
			return
		}
		loop := x.AsComprehension()
		split := loop.IterRange().Kind() == ast.CallKind && loop.IterRange().AsCall().FunctionName() == "split"
		// Inner macros come later, and take back what they hide.
		ast.PostOrderVisit(loop.LoopStep(), ast.NewExprVisitor(func(use ast.Expr) {
			if use.Kind() == ast.IdentKind && use.AsIdent() == loop.IterVar() {
				e.parts[use.ID()] = split
			}
		}))
	}))
	for _, v := range env.Vars {
		e.text = max(e.text, uint64(v.MaxLen))
		e.elems = max(e.elems, uint64(v.MaxElems))
	}
	return e
}

// EstimateSize implements cel-go's interface.
func (e *estimator) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	sized := node.Type().Kind() == types.ListKind || node.Type().Kind() == types.MapKind
	if !sized && node.Type().Kind() != types.StringKind && node.Type().Kind() != types.BytesKind {
		return nil
	}
	limit := e.text
	if e.parts[node.Expr().ID()] {
		return &checker.SizeEstimate{Max: 1}
	}
	if sized {
		limit = e.elems
	}
	if path := node.Path(); len(path) > 0 {
		if slot, ok := e.env.Slot(path[0]); ok {
			v := &e.env.Vars[slot]
			limit = uint64(v.MaxLen)
			if sized {
				limit = uint64(v.MaxElems)
			}
		}
	} else if node.Expr().Kind() == ast.IdentKind && isAccumulator(node.Expr().AsIdent()) {
		limit = 0 // a macro's result while it grows: paid by the element
	}
	return &checker.SizeEstimate{Max: limit}
}

func isAccumulator(name string) bool { return name == "__result__" || name == "@result" }

// unasked is the cost of what cel-go does not let an estimator price, in an
// expression that is evaluated so many times: building lists and maps, and looking
// for keys that are written out.
func (e *estimator) unasked(x ast.Expr, times float64) (cost float64) {
	switch x.Kind() {
	case ast.ListKind:
		cost = 16 * times * float64(x.AsList().Size())
		for _, element := range x.AsList().Elements() {
			cost += e.unasked(element, times)
		}
	case ast.MapKind:
		for _, entry := range x.AsMap().Entries() {
			key := entry.AsMapEntry().Key()
			cost += 32*times + e.unasked(key, times) + e.unasked(entry.AsMapEntry().Value(), times)
			if key.Kind() == ast.LiteralKind {
				cost += times * scan(textLen(key))
			} else {
				cost += times * scan(float64(e.text))
			}
		}
	case ast.SelectKind:
		cost = times*scan(float64(len(x.AsSelect().FieldName()))) + e.unasked(x.AsSelect().Operand(), times)
	case ast.CallKind:
		if x.AsCall().IsMemberFunction() {
			cost = e.unasked(x.AsCall().Target(), times)
		}
		for _, arg := range x.AsCall().Args() {
			cost += e.unasked(arg, times)
		}
	case ast.ComprehensionKind:
		loop := x.AsComprehension()
		cost = e.unasked(loop.IterRange(), times) + e.unasked(loop.LoopStep(), times*e.turns(loop.IterRange()))
	}
	if e.constant(x) {
		return 0 // made once, when the program is made
	}
	return cost
}

// constant reports whether the evaluator holds a list or map ready.
func (e *estimator) constant(x ast.Expr) bool {
	switch x.Kind() {
	case ast.LiteralKind:
		return true
	case ast.ListKind:
		for _, element := range x.AsList().Elements() {
			if !e.constant(element) {
				return false
			}
		}
		return true
	case ast.MapKind:
		for _, entry := range x.AsMap().Entries() {
			if !e.constant(entry.AsMapEntry().Key()) || !e.constant(entry.AsMapEntry().Value()) {
				return false
			}
		}
		return true
	}
	return false
}

// turns is the most elements that the range of a macro can have.
func (e *estimator) turns(x ast.Expr) float64 {
	switch x.Kind() {
	case ast.IdentKind:
		if slot, ok := e.env.Slot(x.AsIdent()); ok {
			return float64(e.env.Vars[slot].MaxElems)
		}
	case ast.ListKind:
		return float64(x.AsList().Size())
	case ast.MapKind:
		return float64(x.AsMap().Size())
	case ast.ComprehensionKind:
		return e.turns(x.AsComprehension().IterRange())
	case ast.CallKind:
		switch call := x.AsCall(); call.FunctionName() {
		case "split":
			if slot, ok := e.env.Slot(call.Target().AsIdent()); ok && call.Target().Kind() == ast.IdentKind {
				return float64(e.env.Vars[slot].MaxLen) + 1
			}
			return float64(e.text) + 1
		case operators.Add:
			return e.turns(call.Args()[0]) + e.turns(call.Args()[1])
		case operators.Conditional:
			return max(e.turns(call.Args()[1]), e.turns(call.Args()[2]))
		}
	}
	return float64(e.elems)
}

// textLen is how many bytes a literal text or bytes has.
func textLen(x ast.Expr) float64 {
	switch v := x.AsLiteral().(type) {
	case types.String:
		return float64(len(v))
	case types.Bytes:
		return float64(len(v))
	}
	return 1
}

// size is the most that a node can hold.
func (e *estimator) size(node checker.AstNode) float64 {
	if node.Expr().Kind() == ast.LiteralKind {
		return textLen(node.Expr())
	}
	if s := node.ComputedSize(); s != nil {
		return float64(s.Max)
	}
	if s := e.EstimateSize(node); s != nil {
		return float64(s.Max)
	}
	return 1
}

// scan is what looking through n bytes costs.
func scan(n float64) float64 { return n * 0.1 }

// EstimateCallCost implements cel-go's interface. What it leaves out costs what
// cel-go says.
func (e *estimator) EstimateCallCost(_, overload string, target *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	if target != nil {
		args = append([]checker.AstNode{*target}, args...)
	}
	size := make([]float64, len(args))
	for i, a := range args {
		size[i] = e.size(a)
	}
	switch overload {
	case overloads.ContainsString, overloads.StartsWithString, overloads.EndsWithString:
		return call(1+scan(size[0]+size[1]), -1)
	case overloads.Matches, overloads.MatchesString:
		weight := 1.0
		if lit, ok := args[1].Expr().AsLiteral().(types.String); ok {
			n, _ := expr.CheckPattern(string(lit))
			weight = float64(expr.PatternWeight(n))
		}
		return call(1+(1+scan(size[0]))*weight, -1)
	case overloads.AddString, overloads.AddBytes:
		return call(1+(size[0]+size[1])/4, size[0]+size[1])
	case overloads.AddList:
		if args[0].Expr().Kind() == ast.IdentKind && isAccumulator(args[0].Expr().AsIdent()) {
			return call(1+3*16, size[0]+size[1]) // with the room that a growing list leaves
		}
		return call(1+17*(size[0]+size[1]), size[0]+size[1])
	case "string_split_string", "string_split_string_int":
		return call(1+scan(size[0])+17*(size[0]+1), size[0]+1)
	case "string_replace_string_string", "string_replace_string_string_int":
		return e.replace(args, size)
	case "string_lower_ascii", "string_upper_ascii", "string_substring_int", "string_substring_int_int":
		return call(1+1.2*size[0], size[0]) // a copy, and one more if it is not UTF-8
	case "string_trim", overloads.StringToString, overloads.BytesToBytes, overloads.BytesToString, overloads.StringToBytes:
		return call(1+scan(size[0]), size[0])
	case overloads.StringToInt, overloads.StringToUint, overloads.StringToBool, overloads.StringToDuration,
		overloads.SizeString, overloads.SizeStringInst:
		return call(1+scan(size[0]), -1)
	case overloads.StringToDouble:
		return call(130+scan(size[0]), -1)
	case overloads.StringToTimestamp:
		return call(34+scan(size[0]), -1)
	case overloads.BoolToString, overloads.IntToString, overloads.UintToString, overloads.DoubleToString,
		overloads.TimestampToString, overloads.DurationToString:
		return call(12, 40)
	case overloads.Equals, overloads.NotEquals:
		least := min(size[0], size[1])
		if k := args[0].Type().Kind(); k == types.ListKind || k == types.MapKind {
			return call(1+least*(1+scan(e.element(args[0]))), -1)
		}
		return call(1+scan(least), -1)
	case overloads.InList:
		if k := args[0].Type().Kind(); k == types.ListKind || k == types.MapKind {
			return call(1+size[1]*(2+size[0]*(1+scan(e.element(args[0])))), -1)
		}
		return call(1+size[1]*(1+scan(size[0])), -1)
	case overloads.InMap:
		return call(1+scan(size[0]), -1)
	case overloads.IndexMap:
		return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: whole(1 + scan(size[1]))}}
	}
	return e.function(overload, args, size)
}

// element is the longest element of a list or map, with those inside of it.
func (e *estimator) element(node checker.AstNode) float64 {
	if x := node.Expr(); x.Kind() == ast.ListKind && e.constant(x) {
		longest := 0.0
		for _, element := range x.AsList().Elements() {
			if element.Kind() != ast.LiteralKind {
				return MaxSource // all of it is written out
			}
			longest = max(longest, textLen(element))
		}
		return longest
	}
	longest := float64(e.text)
	if path := node.Path(); len(path) > 0 {
		if slot, ok := e.env.Slot(path[0]); ok {
			longest = float64(e.env.Vars[slot].MaxLen)
		}
	}
	params := node.Type().Parameters()
	size := e.inside(params[len(params)-1], longest)
	if node.Type().Kind() == types.MapKind {
		size += longest // of the key
	}
	return size
}

// inside is the size of an element with all that is in it, where an element counts
// as ten bytes and no text is longer than longest.
func (e *estimator) inside(t *types.Type, longest float64) float64 {
	switch t.Kind() {
	case types.StringKind, types.BytesKind:
		return longest
	case types.ListKind:
		return float64(e.elems) * (10 + e.inside(t.Parameters()[0], longest))
	case types.MapKind:
		return float64(e.elems) * (10 + longest + e.inside(t.Parameters()[1], longest))
	}
	return 1
}

func (e *estimator) replace(args []checker.AstNode, size []float64) *checker.CallEstimate {
	times := size[0] + 1
	if lit, ok := args[1].Expr().AsLiteral().(types.String); ok && len(lit) > 0 {
		times = size[0] / float64(len(lit))
	}
	result := size[0] + times*size[2]
	return call(1+scan(size[0])+result/4, result)
}

// function is the cost of one of the environment's own functions.
func (e *estimator) function(overload string, args []checker.AstNode, size []float64) *checker.CallEstimate {
	for _, f := range e.env.Funcs {
		if overloadPrefix+f.Name != overload || len(args) == 0 {
			continue
		}
		// As the evaluator: by the bytes of all arguments, and every element of a list
		// may be compared with every one of another.
		cost, count, longest := 8.0, 0.0, 0.0
		for i, a := range args {
			bytes := size[i]
			if k := f.Params[i].Kind(); k == expr.KindList || k == expr.KindMap {
				element := e.element(a)
				if count > 0 {
					cost += count * size[i] * (1 + scan(min(longest, element)))
				}
				count += size[i]
				longest = max(longest, element)
				cost += size[i]
				bytes = size[i] * (10 + element)
			}
			cost += scan(bytes) * float64(max(f.Cost, 1))
		}
		result := -1.0
		if f.Result.Kind() == expr.KindString {
			result = size[0]
		}
		return call(cost, result)
	}
	return nil
}

// call makes an estimate; a negative result has no size.
func call(cost, result float64) *checker.CallEstimate {
	est := &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: whole(cost)}}
	if result >= 0 {
		est.ResultSize = &checker.SizeEstimate{Max: whole(result)}
	}
	return est
}

func whole(f float64) uint64 {
	if f >= math.MaxInt64 {
		return math.MaxUint64
	}
	return uint64(math.Ceil(f))
}
