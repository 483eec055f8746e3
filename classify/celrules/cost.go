package celrules

import (
	"math"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/privetdev/privet/internal/expr"
)

// MaxCost is the highest cost of an expression, estimated for the longest texts
// and lists that its environment allows. A unit is about what looking at ten
// bytes costs; the estimate counts as the evaluator pays (see expr.Budget), so an
// accepted expression never runs out of its budget.
const MaxCost = expr.Budget / 4

// cost reports an expression that could cost more than MaxCost.
func (u *unit) cost(checked *cel.Ast) {
	defer func() {
		if recover() != nil {
			u.add(0, "cost of the expression cannot be estimated", mendGeneral)
		}
	}()
	estimate, err := u.front.EstimateCost(checked, newEstimator(u.env, checked.NativeRep().Expr()))
	switch {
	case err != nil:
		u.add(0, "cost of the expression cannot be estimated", mendGeneral)
	case estimate.Max > MaxCost:
		u.add(0, "expression could take too long", "avoid macros within macros, long regular expressions, and replace() or split() of long texts")
	}
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

// size is the most that a node can hold.
func (e *estimator) size(node checker.AstNode) float64 {
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
			_, n, _ := expr.CompilePattern(string(lit))
			weight = float64(expr.PatternWeight(n))
		}
		return call(1+scan(size[0]+1)*weight, -1)
	case overloads.AddString, overloads.AddBytes:
		return call(1+(size[0]+size[1])/4, size[0]+size[1])
	case overloads.AddList:
		return call(1+17*(size[0]+size[1]), size[0]+size[1])
	case "string_split_string", "string_split_string_int":
		return call(1+scan(size[0])+17*(size[0]+1), size[0]+1)
	case "string_replace_string_string", "string_replace_string_string_int":
		return e.replace(args, size)
	case "string_lower_ascii", "string_upper_ascii", "string_substring_int", "string_substring_int_int":
		return call(1+size[0], size[0]) // a copy, and one more if it is not UTF-8
	case "string_trim", overloads.StringToString, overloads.BytesToBytes, overloads.BytesToString, overloads.StringToBytes:
		return call(1+scan(size[0]), size[0])
	case overloads.StringToInt, overloads.StringToUint, overloads.StringToDouble, overloads.StringToBool,
		overloads.StringToTimestamp, overloads.StringToDuration:
		return call(1+scan(size[0]), -1)
	case overloads.BoolToString, overloads.IntToString, overloads.UintToString, overloads.DoubleToString,
		overloads.TimestampToString, overloads.DurationToString:
		return call(10, 40)
	case overloads.Equals, overloads.NotEquals:
		least := min(size[0], size[1])
		if k := args[0].Type().Kind(); k == types.ListKind || k == types.MapKind {
			return call(1+least*(1+scan(e.element(args[0]))), -1)
		}
		return call(1+scan(least), -1)
	case overloads.InList:
		return call(1+size[1]*(1+scan(size[0])), -1)
	case overloads.InMap:
		return call(1+scan(size[0]), -1)
	}
	return e.function(overload, args, size)
}

// element is the longest element of a list or map, with those inside of it.
func (e *estimator) element(node checker.AstNode) float64 {
	longest := float64(e.text)
	if path := node.Path(); len(path) > 0 {
		if slot, ok := e.env.Slot(path[0]); ok {
			longest = float64(e.env.Vars[slot].MaxLen)
		}
	}
	params := node.Type().Parameters()
	for t := params[len(params)-1]; t.Kind() == types.ListKind || t.Kind() == types.MapKind; {
		longest *= float64(e.elems)
		params = t.Parameters()
		t = params[len(params)-1]
	}
	return longest
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
		bytes := size[0]
		if f.Params[0].Kind() == expr.KindList || f.Params[0].Kind() == expr.KindMap {
			bytes *= e.element(args[0])
		}
		result := -1.0
		if f.Result.Kind() == expr.KindString {
			result = size[0]
		}
		return call(8+bytes*float64(max(f.Cost, 1))*0.1, result)
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
