package celrules

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/source"
)

const (
	wanted  = 32_000 // expressions that are compared
	kept    = 4_000  // of each generator, for the planted bugs
	atLeast = 100    // how often everything must occur
)

// A sample is one expression with its program, and inputs with what comes out.
type sample struct {
	text   string
	p      *expr.Program
	values [][]expr.Value
	want   []string
}

// compile compiles text for testEnv; problems are nil if that worked.
func compile(text string) (*expr.Program, error) {
	var ps source.Problems
	p := Expr(testEnv, source.Plain("test", text), 0, &ps)
	return p, ps.Err()
}

// compare runs an expression on both sides, with some values, and returns what
// came out, or the first difference.
func compare(g *generator, text string, rounds int) (*sample, string) {
	p, err := compile(text)
	if err != nil {
		if strings.Contains(err.Error(), "too long") || strings.Contains(err.Error(), "no known type") {
			return nil, ""
		}
		return nil, "refused: " + err.Error()
	}
	o, err := newOracle(text)
	if err != nil {
		return nil, "refused by the oracle only: " + err.Error()
	}
	again, err := expr.Decode(p.Append(nil), testEnv)
	if err != nil {
		return nil, "does not decode: " + err.Error()
	}
	rewritten, err := compile(p.Text(len(p.Nodes) - 1))
	if err != nil {
		return nil, "its own text is refused: " + err.Error()
	}
	if a, b := p.Text(len(p.Nodes)-1), rewritten.Text(len(rewritten.Nodes)-1); a != b {
		return nil, "its own text reads otherwise: " + a + " and then " + b
	}
	s := &sample{text: text, p: p}
	f := expr.Frame{Host: testHost{}}
	for range rounds {
		values := g.values()
		vars := bind(values)
		f.Vars = values
		v, c := f.Eval(p)
		ours := outcome(v, c)
		if c == expr.OK && v.Kind() != p.Result().Kind() {
			return nil, fmt.Sprintf("value of %s, type is %s", v.Kind(), p.Result())
		}
		if theirs := run(o.plain, vars); theirs != ours {
			return nil, fmt.Sprintf("ours %s, oracle %s\nvalues: %s", ours, theirs, inputs(p, values))
		}
		if o.optimized != nil {
			if theirs := run(o.optimized, vars); theirs != ours {
				return nil, fmt.Sprintf("ours %s, optimized oracle %s\nvalues: %s", ours, theirs, inputs(p, values))
			}
		}
		if f.Spent() > expr.Budget/2 {
			return nil, fmt.Sprintf("spent %d of its budget", f.Spent())
		}
		if v, c := f.Eval(again); outcome(v, c) != ours {
			return nil, "decoded program differs"
		}
		if v, c := f.Eval(rewritten); outcome(v, c) != ours {
			return nil, "its own text means something else: " + p.Text(len(p.Nodes)-1)
		}
		told := false
		f.Trace = func(node int, v expr.Value, c expr.Code) {
			told = node == len(p.Nodes)-1 && outcome(v, c) == ours
		}
		if v, c := f.Eval(p); outcome(v, c) != ours || !told {
			return nil, "traced evaluation differs"
		}
		f.Trace = nil
		if p.Result() == expr.TBool {
			if b, c := f.EvalBool(p); outcome(expr.Bool(b), c) != ours {
				return nil, "EvalBool differs"
			}
		}
		s.values = append(s.values, values)
		s.want = append(s.want, ours)
	}
	return s, ""
}

func inputs(p *expr.Program, values []expr.Value) string {
	var parts []string
	for slot, used := range p.Vars() {
		if used {
			parts = append(parts, testEnv.Vars[slot].Name+" = "+show(values[slot]))
		}
	}
	return strings.Join(parts, "; ")
}

// operation names an operation with the kinds of its operands.
func operation(p *expr.Program, i int) string {
	n := p.Nodes[i]
	switch n.Op {
	case expr.OpConst, expr.OpVar, expr.OpLocal:
		return n.Op.String() + " " + n.Type.Kind().String()
	case expr.OpCall:
		f, _ := testEnv.Func(n.A)
		return "call " + f.Name
	case expr.OpList, expr.OpMap:
		if n.C != 0 {
			return n.Op.String() + " of constants"
		}
		return n.Op.String() + " built"
	}
	var kinds []string
	for _, k := range p.Operands(nil, i) {
		kinds = append(kinds, p.Nodes[k].Type.Kind().String())
	}
	return n.Op.String() + " " + strings.Join(kinds, " ")
}

// every lists what must occur: each operation of each kind of operand.
func every() []string {
	var all []string
	add := func(op string, kinds ...string) {
		for _, k := range kinds {
			all = append(all, op+" "+k)
		}
	}
	scalars := []string{"bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"}
	twice := func(kinds ...string) (out []string) {
		for _, k := range kinds {
			out = append(out, k+" "+k)
		}
		return out
	}
	add("const", "bool", "int", "uint", "double", "string", "bytes")
	add("var", append(scalars, "list", "map")...)
	add("local", "string", "int", "double", "list", "map")
	add("list", "of constants", "built")
	add("map", "of constants", "built")
	add("&&", "bool bool")
	add("||", "bool bool")
	add("!", "bool")
	for _, k := range append(scalars, "list", "map") {
		add("?:", "bool "+k+" "+k)
	}
	for _, op := range []string{"==", "!="} {
		add(op, twice(append(scalars, "list", "map")...)...)
	}
	for _, op := range []string{"<", "<=", ">", ">="} {
		add(op, twice(scalars...)...)
	}
	for _, k := range append(scalars, "list") {
		add("in", k+" list")
	}
	add("in", "string map")
	add("+", twice("int", "uint", "double", "string", "bytes", "duration", "list")...)
	add("+", "timestamp duration", "duration timestamp")
	add("-", append(twice("int", "uint", "double", "duration", "timestamp"), "timestamp duration")...)
	add("*", twice("int", "uint", "double")...)
	add("/", twice("int", "uint", "double")...)
	add("%", twice("int", "uint")...)
	add("negate", "int", "double")
	add("index", "list int", "map string")
	add("select", "map")
	add("has", "map")
	add("size", "string", "bytes", "list", "map")
	for _, op := range []string{"contains", "startsWith", "endsWith"} {
		add(op, "string string")
	}
	for _, op := range []string{"matches", "lowerAscii", "upperAscii", "trim"} {
		add(op, "string")
	}
	add("split", "string string")
	add("split/2", "string string int")
	add("replace", "string string string")
	add("replace/3", "string string string int")
	add("substring", "string int")
	add("substring/2", "string int int")
	add("bool", "bool", "string")
	add("int", "int", "uint", "double", "string", "timestamp", "duration")
	add("uint", "uint", "int", "double", "string")
	add("double", "double", "int", "uint", "string")
	add("string", scalars...)
	add("bytes", "bytes", "string")
	add("timestamp", "timestamp", "int", "string")
	add("duration", "duration", "string")
	for _, op := range []string{"all", "exists", "exists_one"} {
		add(op, "list bool", "map bool")
	}
	add("filter", "list bool", "map bool")
	for _, k := range scalars {
		add("map/2", "list "+k)
		add("map/3", "list bool "+k)
	}
	for _, f := range testEnv.Funcs {
		add("call", f.Name)
	}
	return all
}

// A pool is what the random expressions of one run came to.
type pool struct {
	kept        []*sample // some, for the planted bugs
	expressions int       // compared
	evaluations int
	valued      int            // expressions with a value for some input
	ops         map[string]int // operations by the kinds of their operands
	outcomes    map[string]int // values, and errors by class
	texts       map[string]bool
	diff        string // the first difference, if any
}

// compared holds our evaluator against cel-go on random expressions, once for all
// tests. There is a fixed number of generators, so that the expressions are the same
// on every machine, however many of them run at a time.
var compared = sync.OnceValue(func() *pool {
	const generators = 4
	parts := make([]*pool, generators)
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { parts[i] = comparePart(uint64(i), wanted/generators) })
	}
	wg.Wait()
	all := newPool()
	for _, part := range parts {
		all.kept = append(all.kept, part.kept...)
		all.expressions += part.expressions
		maps.Copy(all.texts, part.texts)
		all.evaluations += part.evaluations
		all.valued += part.valued
		all.diff = cmp.Or(all.diff, part.diff)
		for op, n := range part.ops {
			all.ops[op] += n
		}
		for outcome, n := range part.outcomes {
			all.outcomes[outcome] += n
		}
	}
	return all
})

func newPool() *pool {
	return &pool{ops: map[string]int{}, outcomes: map[string]int{}, texts: map[string]bool{}}
}

func comparePart(seed uint64, n int) *pool {
	g := &generator{chooser: seeded{rand.New(rand.NewPCG(20240229, seed))}}
	part := newPool()
	for tries := 0; part.expressions < n; tries++ {
		if tries > 4*n {
			part.diff = "too many expressions are refused or repeated"
			return part
		}
		text := g.expression()
		if part.texts[text] {
			continue
		}
		part.texts[text] = true
		s, diff := compare(g, text, 3)
		if diff != "" {
			part.diff = text + "\n" + diff
			return part
		}
		if s == nil {
			delete(part.texts, text)
			continue
		}
		part.expressions++
		for i := range s.p.Nodes {
			part.ops[operation(s.p, i)]++
		}
		valued := false
		for _, w := range s.want {
			part.evaluations++
			if !strings.HasPrefix(w, "error: ") {
				w, valued = "value", true
			}
			part.outcomes[w]++
		}
		if valued {
			part.valued++
		}
		if len(part.kept) < kept {
			part.kept = append(part.kept, s)
		}
	}
	return part
}

// TestDifferential holds our evaluator against cel-go on random expressions of
// the whole profile: the same value or the same class of error.
func TestDifferential(t *testing.T) {
	all := compared()
	require.Empty(t, all.diff)
	if testing.Verbose() {
		var table strings.Builder
		names := every()
		for op := range all.ops {
			names = append(names, op)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			fmt.Fprintf(&table, "%-36s %7d\n", name, all.ops[name])
		}
		for _, name := range slices.Sorted(maps.Keys(all.outcomes)) {
			fmt.Fprintf(&table, "%-36s %7d\n", name, all.outcomes[name])
		}
		t.Log("occurrences in the compared expressions\n" + table.String())
	}
	t.Logf("%d expressions, %d of them different, %d evaluations, %d with a value, %d operations by kind, %d error classes: no difference",
		all.expressions, len(all.texts), all.evaluations, all.outcomes["value"], len(all.ops), len(all.outcomes)-1)

	assert.GreaterOrEqual(t, len(all.texts), 20_000)
	for _, name := range every() {
		assert.GreaterOrEqual(t, all.ops[name], atLeast, name)
	}
	for c := expr.Overflow; c <= expr.BadArgument; c++ {
		assert.GreaterOrEqual(t, all.outcomes["error: "+c.String()], atLeast, c.String())
	}
	assert.GreaterOrEqual(t, 2*all.valued, all.expressions, "at least half of the expressions have a value")
	assert.GreaterOrEqual(t, 2*all.outcomes["value"], all.evaluations, "at least half of the evaluations have a value")
}

// A tree is a program taken apart, so that a test can plant a bug and put it
// together again.
type tree struct {
	op   expr.Op
	t    expr.Type
	v    expr.Value // of a constant; a key or pattern as a string
	n    int        // slot, level, function
	kids []*tree
}

func takeApart(p *expr.Program, i int) *tree {
	n := p.Nodes[i]
	x := &tree{op: n.Op, t: n.Type, n: int(n.A)}
	switch n.Op {
	case expr.OpConst:
		x.v = p.Consts[n.A]
	case expr.OpSelect, expr.OpHas:
		x.v = p.Consts[n.B]
	case expr.OpMatches:
		x.v = expr.String(p.Patterns[n.B])
	}
	for _, k := range p.Operands(nil, i) {
		x.kids = append(x.kids, takeApart(p, int(k)))
	}
	return x
}

func (x *tree) write(w *expr.Writer) {
	switch x.op {
	case expr.OpConst:
		w.Const(x.v)
	case expr.OpVar:
		w.Var(x.n)
	case expr.OpLocal:
		w.Local(x.n)
	case expr.OpList:
		w.List(len(x.kids))
	case expr.OpMap:
		w.Map(len(x.kids) / 2)
	case expr.OpCall:
		w.Call(uint16(x.n))
	case expr.OpSelect, expr.OpHas, expr.OpMatches:
		w.Text(x.op, x.v.AsString())
	default:
		w.Op(x.op)
	}
	for _, k := range x.kids {
		k.write(w)
	}
}

// replace rewrites every node that f knows, the innermost first.
func (x *tree) replace(f func(*tree) *tree) *tree {
	y := *x
	y.kids = make([]*tree, len(x.kids))
	for i, k := range x.kids {
		y.kids[i] = k.replace(f)
	}
	if z := f(&y); z != nil {
		return z
	}
	return &y
}

func node(op expr.Op, kids ...*tree) *tree { return &tree{op: op, kids: kids} }
func constant(v expr.Value) *tree          { return &tree{op: expr.OpConst, v: v} }
func (x *tree) as(op expr.Op) *tree        { y := *x; y.op = op; return &y }
func (x *tree) with(v expr.Value) *tree    { y := *x; y.v = v; return &y }
func (x *tree) args(kids ...*tree) *tree   { y := *x; y.kids = kids; return &y }
func not(x *tree) *tree                    { return node(expr.OpNot, x) }
func isText(x *tree) bool                  { return x.t == expr.TString || x.t == expr.TBytes }
func sibling(op expr.Op) func(*tree) *tree { return func(x *tree) *tree { return x.as(op) } }
func operand(i int) func(*tree) *tree      { return func(x *tree) *tree { return x.kids[i] } }

// A bug is a wrong implementation of one operation, as a rewriting of the tree.
type bug struct {
	op    expr.Op
	name  string
	plant func(x *tree) *tree // nil leaves the node as it is
}

// oneMore makes a number wrong by one.
func oneMore(x *tree) *tree {
	switch x.t {
	case expr.TInt:
		return node(expr.OpAdd, x, constant(expr.Int(1)))
	case expr.TUint:
		return node(expr.OpAdd, x, constant(expr.Uint(1)))
	case expr.TDouble:
		return node(expr.OpAdd, x, constant(expr.Double(1)))
	}
	return nil
}

func longer(x *tree) *tree { return node(expr.OpAdd, x, constant(expr.String("~"))) }

// bugs has at least one for every operation.
var bugs = []bug{
	{expr.OpConst, "constants are the next ones", func(x *tree) *tree {
		switch x.v.Kind() {
		case expr.KindBool:
			return x.with(expr.Bool(!x.v.AsBool()))
		case expr.KindInt:
			return x.with(expr.Int(x.v.AsInt() ^ 1))
		case expr.KindUint:
			return x.with(expr.Uint(x.v.AsUint() ^ 1))
		case expr.KindDouble:
			return x.with(expr.Double(x.v.AsDouble() + 1))
		}
		return nil
	}},
	{expr.OpVar, "variables are the next of their type", func(x *tree) *tree {
		for n := x.n + 1; n < len(testEnv.Vars); n++ {
			if testEnv.Vars[n].Type == x.t {
				y := *x
				y.n = n
				return &y
			}
		}
		return nil
	}},
	{expr.OpLocal, "locals are those of the outermost macro", func(x *tree) *tree {
		if x.n == 0 {
			return nil
		}
		y := *x
		y.n = 0
		return &y
	}},
	{expr.OpLocal, "locals have no value", func(x *tree) *tree {
		switch x.t {
		case expr.TString:
			return constant(expr.String(""))
		case expr.TInt:
			return constant(expr.Int(0))
		}
		return nil
	}},
	{expr.OpList, "lists lose their last element", func(x *tree) *tree {
		if len(x.kids) < 2 {
			return nil
		}
		return x.args(x.kids[:len(x.kids)-1]...)
	}},
	{expr.OpMap, "maps lose their last entry", func(x *tree) *tree {
		if len(x.kids) < 4 {
			return nil
		}
		return x.args(x.kids[:len(x.kids)-2]...)
	}},
	{expr.OpMap, "the first of two equal keys wins", func(x *tree) *tree {
		var turned []*tree
		for i := len(x.kids) - 2; i >= 0; i -= 2 {
			turned = append(turned, x.kids[i], x.kids[i+1])
		}
		return x.args(turned...)
	}},
	{expr.OpAnd, "&& is ||", sibling(expr.OpOr)},
	{expr.OpAnd, "&& does not absorb errors", func(x *tree) *tree {
		return node(expr.OpCond, x.kids[0], x.kids[1], constant(expr.Bool(false)))
	}},
	{expr.OpAnd, "&& reports the second error", func(x *tree) *tree { return x.args(x.kids[1], x.kids[0]) }},
	{expr.OpOr, "|| is &&", sibling(expr.OpAnd)},
	{expr.OpOr, "|| does not absorb errors", func(x *tree) *tree {
		return node(expr.OpCond, x.kids[0], constant(expr.Bool(true)), x.kids[1])
	}},
	{expr.OpOr, "|| reports the second error", func(x *tree) *tree { return x.args(x.kids[1], x.kids[0]) }},
	{expr.OpNot, "! does nothing", operand(0)},
	{expr.OpCond, "?: takes the other", func(x *tree) *tree { return x.args(x.kids[0], x.kids[2], x.kids[1]) }},
	{expr.OpEq, "== is !=", sibling(expr.OpNe)},
	{expr.OpEq, "NaN equals itself", func(x *tree) *tree {
		if x.kids[0].t != expr.TDouble {
			return nil
		}
		a, b := x.kids[0], x.kids[1]
		return node(expr.OpOr, x, node(expr.OpAnd, node(expr.OpNe, a, a), node(expr.OpNe, b, b)))
	}},
	{expr.OpNe, "!= is ==", sibling(expr.OpEq)},
	{expr.OpLt, "< is <=", sibling(expr.OpLe)},
	{expr.OpLt, "< is not >=, so NaN is less", func(x *tree) *tree { return not(x.as(expr.OpGe)) }},
	{expr.OpLe, "<= is <", sibling(expr.OpLt)},
	{expr.OpLe, "<= is not >, so NaN is less", func(x *tree) *tree { return not(x.as(expr.OpGt)) }},
	{expr.OpGt, "> is >=", sibling(expr.OpGe)},
	{expr.OpGt, "> is not <=, so NaN is more", func(x *tree) *tree { return not(x.as(expr.OpLe)) }},
	{expr.OpGe, ">= is >", sibling(expr.OpGt)},
	{expr.OpGe, ">= is not <, so NaN is more", func(x *tree) *tree { return not(x.as(expr.OpLt)) }},
	{expr.OpIn, "in is not in", not},
	{expr.OpAdd, "+ is - for numbers", func(x *tree) *tree {
		if isText(x) || x.t.Kind() == expr.KindList || x.kids[0].t == expr.TDuration && x.t == expr.TTimestamp {
			return nil
		}
		return x.as(expr.OpSub)
	}},
	{expr.OpAdd, "+ joins the other way round", func(x *tree) *tree {
		if isText(x) || x.t.Kind() == expr.KindList {
			return x.args(x.kids[1], x.kids[0])
		}
		return nil
	}},
	{expr.OpSub, "- is + for numbers", func(x *tree) *tree {
		if x.kids[0].t == expr.TTimestamp && x.kids[1].t == expr.TTimestamp {
			return nil
		}
		return x.as(expr.OpAdd)
	}},
	{expr.OpSub, "- goes the other way", func(x *tree) *tree {
		if x.kids[0].t != x.kids[1].t {
			return nil
		}
		return x.args(x.kids[1], x.kids[0])
	}},
	{expr.OpMul, "* is +", sibling(expr.OpAdd)},
	{expr.OpDiv, "/ is *", sibling(expr.OpMul)},
	{expr.OpDiv, "/ reports what % reports", func(x *tree) *tree {
		if x.t == expr.TDouble {
			return nil
		}
		return x.as(expr.OpMod)
	}},
	{expr.OpMod, "% is /", sibling(expr.OpDiv)},
	{expr.OpNeg, "negation does nothing", operand(0)},
	{expr.OpIndex, "the index counts from 1", func(x *tree) *tree {
		if x.kids[1].t != expr.TInt {
			return nil
		}
		return x.args(x.kids[0], node(expr.OpSub, x.kids[1], constant(expr.Int(1))))
	}},
	{expr.OpIndex, "another key is looked up", func(x *tree) *tree {
		if x.kids[1].t != expr.TString {
			return nil
		}
		return x.args(x.kids[0], longer(x.kids[1]))
	}},
	{expr.OpSelect, "another key is selected", func(x *tree) *tree { return x.with(expr.String(x.v.AsString() + "r")) }},
	{expr.OpHas, "has() looks for another key", func(x *tree) *tree { return x.with(expr.String("owner")) }},
	{expr.OpSize, "sizes are one more", oneMore},
	{expr.OpSize, "texts are counted in bytes", func(x *tree) *tree {
		if x.kids[0].t != expr.TString {
			return nil
		}
		return x.args(node(expr.OpToBytes, x.kids[0]))
	}},
	{expr.OpContains, "contains is startsWith", sibling(expr.OpStartsWith)},
	{expr.OpStartsWith, "startsWith is endsWith", sibling(expr.OpEndsWith)},
	{expr.OpStartsWith, "startsWith is contains", sibling(expr.OpContains)},
	{expr.OpEndsWith, "endsWith is contains", sibling(expr.OpContains)},
	{expr.OpMatches, "matches is anchored", func(x *tree) *tree { return x.with(expr.String("^(?:" + x.v.AsString() + ")$")) }},
	{expr.OpMatches, "matches folds case", func(x *tree) *tree { return x.with(expr.String("(?i:" + x.v.AsString() + ")")) }},
	{expr.OpLower, "lowerAscii is upperAscii", sibling(expr.OpUpper)},
	{expr.OpLower, "lowerAscii leaves bytes that are not UTF-8", operand(0)},
	{expr.OpUpper, "upperAscii is lowerAscii", sibling(expr.OpLower)},
	{expr.OpTrim, "trim does nothing", operand(0)},
	{expr.OpSplit, "split makes at most two parts", func(x *tree) *tree {
		return node(expr.OpSplitN, x.kids[0], x.kids[1], constant(expr.Int(2)))
	}},
	{expr.OpSplitN, "split ignores its limit", func(x *tree) *tree { return node(expr.OpSplit, x.kids[:2]...) }},
	{expr.OpReplace, "replace replaces once", func(x *tree) *tree {
		return node(expr.OpReplaceN, x.kids[0], x.kids[1], x.kids[2], constant(expr.Int(1)))
	}},
	{expr.OpReplaceN, "replace ignores its limit", func(x *tree) *tree { return node(expr.OpReplace, x.kids[:3]...) }},
	{expr.OpFrom, "substring starts one later", func(x *tree) *tree {
		return x.args(x.kids[0], node(expr.OpAdd, x.kids[1], constant(expr.Int(1))))
	}},
	{expr.OpSubstring, "substring ignores its end", func(x *tree) *tree { return node(expr.OpFrom, x.kids[:2]...) }},
	{expr.OpSubstring, "substring includes its end", func(x *tree) *tree {
		return x.args(x.kids[0], x.kids[1], node(expr.OpAdd, x.kids[2], constant(expr.Int(1))))
	}},
	{expr.OpToBool, "bool() is wrong", not},
	{expr.OpToInt, "int() is one more", oneMore},
	{expr.OpToInt, "int() of a uint goes by way of a double", func(x *tree) *tree {
		if x.kids[0].t != expr.TUint {
			return nil
		}
		return x.args(node(expr.OpToDouble, x.kids[0]))
	}},
	{expr.OpToUint, "uint() is one more", oneMore},
	{expr.OpToDouble, "double() is one more", oneMore},
	{expr.OpToString, "string() adds something", longer},
	{expr.OpToBytes, "bytes() doubles", func(x *tree) *tree { return node(expr.OpAdd, x, x) }},
	{expr.OpToTimestamp, "timestamp() is a nanosecond late", func(x *tree) *tree {
		return node(expr.OpAdd, x, node(expr.OpToDuration, constant(expr.String("1ns"))))
	}},
	{expr.OpToDuration, "duration() doubles", func(x *tree) *tree { return node(expr.OpAdd, x, x) }},
	{expr.OpAll, "all is exists", sibling(expr.OpExists)},
	{expr.OpAll, "all is not the absence of a counterexample", func(x *tree) *tree {
		return node(expr.OpEq, node(expr.OpSize, x.as(expr.OpFilter)), node(expr.OpSize, x.kids[0]))
	}},
	{expr.OpExists, "exists is all", sibling(expr.OpAll)},
	{expr.OpExists, "exists does not absorb errors", func(x *tree) *tree {
		return node(expr.OpGt, node(expr.OpSize, x.as(expr.OpFilter)), constant(expr.Int(0)))
	}},
	{expr.OpExistsOne, "exists_one is exists", sibling(expr.OpExists)},
	{expr.OpExistsOne, "exists_one reports the first error", func(x *tree) *tree {
		return node(expr.OpCond, node(expr.OpLt, node(expr.OpSize, x.as(expr.OpTransform)), constant(expr.Int(1<<40))), x, x)
	}},
	{expr.OpFilter, "filter keeps the others", func(x *tree) *tree { return x.args(x.kids[0], not(x.kids[1])) }},
	{expr.OpFilter, "filter reports the first error", func(x *tree) *tree {
		// map reports the first error of its body.
		return node(expr.OpCond, node(expr.OpLt, node(expr.OpSize, x.as(expr.OpTransform)), constant(expr.Int(1<<40))), x, x)
	}},
	{expr.OpTransform, "map doubles its list", func(x *tree) *tree { return node(expr.OpAdd, x, x) }},
	{expr.OpSift, "map ignores its condition", func(x *tree) *tree { return node(expr.OpTransform, x.kids[0], x.kids[2]) }},
	{expr.OpCall, "arguments are swapped, or the result is wrong", func(x *tree) *tree {
		switch {
		case x.t == expr.TBool:
			return not(x)
		case x.t == expr.TInt:
			return oneMore(x)
		case x.t == expr.TString:
			return longer(x)
		}
		return node(expr.OpAdd, x, node(expr.OpList, constant(expr.String("~"))))
	}},
}

// TestDifferentialFindsPlantedBugs holds the differential test itself to account:
// a bug planted into any one operation makes it fail.
func TestDifferentialFindsPlantedBugs(t *testing.T) {
	all := compared().kept
	trees := make([]*tree, len(all))
	for i, s := range all {
		trees[i] = takeApart(s.p, len(s.p.Nodes)-1)
	}
	planted := map[expr.Op]int{}
	late := 0
	for _, b := range bugs {
		planted[b.op]++
		tried := 0
		found := slices.ContainsFunc(all, func(s *sample) bool {
			p := b.in(trees[tried], s.text)
			tried++
			f := expr.Frame{Host: testHost{}}
			for j := 0; p != nil && j < len(s.values); j++ {
				f.Vars = s.values[j]
				if v, c := f.Eval(p); outcome(v, c) != s.want[j] {
					return true
				}
			}
			return false
		})
		assert.True(t, found, "no expression noticed in %s: %s", b.op, b.name)
		if testing.Verbose() {
			t.Logf("after %4d expressions in %s: %s", tried, b.op, b.name)
		}
		late = max(late, tried)
	}
	for op := expr.OpConst; int(op) < expr.Ops; op++ {
		assert.Positive(t, planted[op], "no bug is planted in %s", op)
	}
	t.Logf("%d bugs planted in %d operations: all found, the last after %d expressions", len(bugs), len(planted), late)
}

// in plants the bug into an expression; nil if there is no place for it.
func (b bug) in(x *tree, source string) *expr.Program {
	hit := false
	bad := x.replace(func(x *tree) *tree {
		if x.op != b.op {
			return nil
		}
		y := b.plant(x)
		hit = hit || y != nil
		return y
	})
	if !hit {
		return nil
	}
	w := expr.NewWriter(testEnv, source)
	bad.write(w)
	p, err := w.Program()
	if err != nil {
		return nil // the rewriting does not fit here, such as a local of another type
	}
	return p
}

// TestTakeApart keeps the planting honest: taking a program apart and putting it together changes nothing.
func TestTakeApart(t *testing.T) {
	for _, s := range compared().kept[:500] {
		w := expr.NewWriter(testEnv, s.text)
		takeApart(s.p, len(s.p.Nodes)-1).write(w)
		p, err := w.Program()
		require.NoError(t, err)
		require.Equal(t, s.p.Append(nil), p.Append(nil))
	}
}

// TestEstimateCoversSpending: evaluated with the largest values that are allowed,
// no expression spends more than twice its estimate. The budget is four times the
// highest estimate.
func TestEstimateCoversSpending(t *testing.T) {
	g := &generator{chooser: seeded{rand.New(rand.NewPCG(5, 1))}}
	worst := 0.0
	for range 3000 {
		text := g.expression()
		p, err := compile(text)
		if err != nil {
			continue
		}
		u := &unit{env: testEnv, src: source.Plain("test", text), ps: &source.Problems{}}
		estimate, err := u.estimate(u.check())
		require.NoError(t, err)
		f := expr.Frame{Host: testHost{}}
		for range 2 {
			f.Vars = g.largest()
			f.Eval(p)
			ratio := float64(f.Spent()) / (16 + estimate)
			assert.LessOrEqual(t, ratio, 2.0, "spent %d, estimate %.0f: %s", f.Spent(), estimate, text)
			worst = max(worst, ratio)
		}
	}
	t.Logf("at worst %.1f times the estimate", worst)
}
