package emit

import (
	"fmt"
	"math"
	"slices"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/subgo/symbols"
)

// gen makes one function.
type gen struct {
	x       *Exprs
	p       *expr.Program
	env     *expr.Env
	offsets []int
	body    []asm.Instr
	locals  []asm.Type
	free    map[asm.Type][]int
	labels  asm.Label
	err     asm.Label // where an error goes; its code is in the local code
	broke   asm.Label // where an evaluation goes that used up its budget
	code    int
	levels  [expr.MaxLoops]int // the address of the variable of a macro
	work    []int              // for each node, how many up to it do something when evaluated
	failing []bool             // for each node, whether it may end with an error
	making  []bool             // for each node, whether it may take memory
}

func (g *gen) emit(in ...asm.Instr) { g.body = append(g.body, in...) }

func (g *gen) op(ops ...asm.Op) {
	for _, op := range ops {
		g.emit(asm.Instr{Op: op})
	}
}

func (g *gen) i32(n int)                     { g.emit(asm.Const(asm.I32, int64(n))) }
func (g *gen) call(sym string)               { g.emit(asm.Call(sym)) }
func (g *gen) jump(op asm.Op, l asm.Label)   { g.emit(asm.Jump(op, l)) }
func (g *gen) block(l asm.Label, t asm.Type) { g.emit(asm.Block(asm.BlockOp, l, t)) }
func (g *gen) result(n int, t asm.Type)      { g.emit(asm.GetGlobal(symbols.Result(n, t))) }
func (g *gen) fails(i uint16) bool           { return g.failing[i] }
func (g *gen) typeOf(i uint16) expr.Type     { return g.p.Nodes[i].Type }
func (g *gen) ifThen(t asm.Type)             { g.emit(asm.Block(asm.If, g.newLabel(), t)) }

func (g *gen) newLabel() asm.Label {
	g.labels++
	return g.labels
}

func (g *gen) local(t asm.Type) int {
	if list := g.free[t]; len(list) > 0 {
		g.free[t] = list[:len(list)-1]
		return list[len(list)-1]
	}
	g.locals = append(g.locals, t)
	return len(g.locals) - 1
}

// release gives locals back whose values are not needed any more.
func (g *gen) release(locals ...int) {
	for _, l := range locals {
		g.free[g.locals[l]] = append(g.free[g.locals[l]], l)
	}
}

// hold pops the parts of a value into locals.
func (g *gen) hold(parts []asm.Type) []int {
	out := make([]int, len(parts))
	for i := len(parts) - 1; i >= 0; i-- {
		out[i] = g.local(parts[i])
		g.emit(asm.Set(out[i]))
	}
	return out
}

func (g *gen) get(locals ...int) {
	for _, l := range locals {
		g.emit(asm.Get(l))
	}
}

// held evaluates a node into locals.
func (g *gen) held(i uint16) []int {
	g.node(i)
	return g.hold(partsOf(g.typeOf(i)))
}

// partOps are how the parts of a value are loaded and stored, and where.
func partOps(t expr.Type) (loads, stores []asm.Op, offsets []int) {
	for i, p := range partsOf(t) {
		switch p {
		case asm.I32:
			loads, stores = append(loads, asm.I32Load), append(stores, asm.I32Store)
		case asm.I64:
			loads, stores = append(loads, asm.I64Load), append(stores, asm.I64Store)
		case asm.F64:
			loads, stores = append(loads, asm.F64Load), append(stores, asm.F64Store)
		}
		at := 4 * i
		if t == expr.TTimestamp && i > 0 {
			at = 4 + 4*i
		}
		offsets = append(offsets, at)
	}
	return loads, stores, offsets
}

// storeAt writes a value to the address in a local plus an offset.
func (g *gen) storeAt(t expr.Type, address, offset int, value []int) {
	_, stores, at := partOps(t)
	for i := range stores {
		g.get(address, value[i])
		g.emit(asm.Mem(stores[i], "", int64(offset+at[i])))
	}
}

// loadAt pushes the value at the address in a local plus an offset.
func (g *gen) loadAt(t expr.Type, address, offset int) {
	loads, _, at := partOps(t)
	for i := range loads {
		g.get(address)
		g.emit(asm.Mem(loads[i], "", int64(offset+at[i])))
	}
}

// fail ends with an error if the condition on top holds.
func (g *gen) fail(c expr.Code) {
	g.ifThen(asm.None)
	g.i32(int(c))
	g.emit(asm.Set(g.code))
	g.jump(asm.Br, g.err)
	g.op(asm.End)
}

// check ends with the error whose code is on top, if it is not 0.
func (g *gen) check() {
	g.emit(asm.Tee(g.code))
	g.jump(asm.BrIf, g.err)
}

// breaks ends the evaluation if the condition on top holds.
func (g *gen) breaks() { g.jump(asm.BrIf, g.broke) }

// room takes as many bytes of the arena as are on top, at least one, and returns the
// local with their address.
func (g *gen) room() int {
	address := g.local(asm.I32)
	g.call("rt.Room")
	g.emit(asm.Set(address))
	g.result(1, asm.I32)
	g.op(asm.I32Eqz)
	g.breaks()
	return address
}

// measure finds out what is to be known of every node.
func (g *gen) measure() {
	p := g.p
	n := len(p.Nodes)
	g.work, g.failing, g.making = make([]int, n), make([]bool, n), make([]bool, n)
	count := 0
	for i := range p.Nodes {
		node := &p.Nodes[i]
		folded := (node.Op == expr.OpList || node.Op == expr.OpMap) && node.C != 0
		if node.Op != expr.OpConst && !folded {
			count++
		}
		g.work[i] = count
		if folded {
			continue
		}
		for _, a := range p.Operands(nil, i) {
			g.failing[i] = g.failing[i] || g.failing[a]
			g.making[i] = g.making[i] || g.making[a]
		}
		a := expr.Type(0)
		if list := p.Operands(nil, i); len(list) > 0 {
			a = p.Nodes[list[0]].Type
		}
		fails, makes := false, false
		switch node.Op {
		case expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod, expr.OpNeg:
			fails = node.Type != expr.TDouble && !holds(node.Type)
			makes = holds(node.Type)
		case expr.OpIndex, expr.OpSelect:
			fails = true
		case expr.OpToBool, expr.OpToDouble, expr.OpToDuration, expr.OpToTimestamp:
			fails = a == expr.TString || a == expr.TInt && node.Op == expr.OpToTimestamp
		case expr.OpToInt:
			fails = a == expr.TString || a == expr.TDouble || a == expr.TUint
		case expr.OpToUint:
			fails = a == expr.TString || a == expr.TDouble || a == expr.TInt
		case expr.OpToString:
			fails, makes = a == expr.TBytes, true
		case expr.OpFrom, expr.OpSubstring:
			fails, makes = true, true
		case expr.OpList, expr.OpMap, expr.OpLower, expr.OpUpper, expr.OpSplit, expr.OpSplitN, expr.OpReplace, expr.OpReplaceN,
			expr.OpFilter, expr.OpTransform, expr.OpSift:
			makes = true
		case expr.OpCall:
			fails, makes = mayFail(g.env, node.A), true
		}
		g.failing[i] = g.failing[i] || fails
		g.making[i] = g.making[i] || makes
	}
}

// turn is what one turn of a macro costs.
func (g *gen) turn(over, body uint16) int { return 1 + g.work[body] - g.work[over] }

// folded pushes a constant.
func (g *gen) folded(v expr.Value) {
	switch v.Kind() {
	case expr.KindBool:
		n := 0
		if v.AsBool() {
			n = 1
		}
		g.i32(n)
	case expr.KindInt:
		g.emit(asm.Const(asm.I64, v.AsInt()))
	case expr.KindUint:
		g.emit(asm.Const(asm.I64, int64(v.AsUint())))
	case expr.KindDouble:
		g.emit(asm.Const(asm.F64, int64(math.Float64bits(v.AsDouble()))))
	default:
		sym, n := g.x.constant(v)
		if n == 0 {
			g.i32(0)
		} else {
			g.emit(asm.Addr(sym, 0))
		}
		g.i32(n)
	}
}

// node pushes the value of a node. If it has none, the code is set and the code goes on
// at err.
func (g *gen) node(i uint16) {
	n := &g.p.Nodes[i]
	if g.short(n) {
		return
	}
	switch n.Op {
	case expr.OpConst:
		g.folded(g.p.Consts[n.A])
	case expr.OpVar:
		loads, _, at := partOps(n.Type)
		for j := range loads {
			g.i32(0)
			g.emit(asm.Mem(loads[j], varsSym, int64(g.offsets[n.A]+at[j])))
		}
	case expr.OpLocal:
		g.loadAt(n.Type, g.levels[n.A], 0)
	case expr.OpList:
		g.list(n)
	case expr.OpMap:
		g.mapping(n)
	case expr.OpAnd, expr.OpOr:
		g.logic(n)
	case expr.OpNot:
		g.node(n.A)
		g.op(asm.I32Eqz)
	case expr.OpCond:
		g.conditional(n)
	case expr.OpEq, expr.OpNe:
		g.node(n.A)
		g.node(n.B)
		g.same(unify(g.typeOf(n.A), g.typeOf(n.B)))
		if n.Op == expr.OpNe {
			g.op(asm.I32Eqz)
		}
	case expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe:
		g.order(n)
	case expr.OpIn:
		g.in(n)
	case expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod:
		g.arithmetic(n)
	case expr.OpNeg:
		if n.Type == expr.TDouble {
			g.node(n.A)
			g.op(asm.F64Neg)
			break
		}
		g.emit(asm.Const(asm.I64, 0))
		g.node(n.A)
		g.call("rt.Sub")
		g.result(1, asm.I32)
		g.check()
	case expr.OpIndex:
		g.index(n)
	case expr.OpSelect:
		m := g.held(n.A)
		g.get(m...)
		g.folded(g.p.Consts[n.B])
		g.entry(g.typeOf(n.A), m)
	case expr.OpHas:
		g.node(n.A)
		g.folded(g.p.Consts[n.B])
		g.call("rt.Find")
		g.i32(0)
		g.op(asm.I32GeS)
	case expr.OpSize:
		g.node(n.A)
		if g.typeOf(n.A) == expr.TString {
			g.call("rt.Characters")
			break
		}
		size := g.hold([]asm.Type{asm.I32})
		g.op(asm.Drop)
		g.get(size...)
		g.release(size...)
		g.op(asm.I64ExtendI32U)
	case expr.OpContains, expr.OpStartsWith, expr.OpEndsWith:
		g.node(n.A)
		g.node(n.B)
		g.call(map[expr.Op]string{expr.OpContains: "rt.Contains", expr.OpStartsWith: "rt.StartsWith", expr.OpEndsWith: "rt.EndsWith"}[n.Op])
	case expr.OpMatches:
		g.matches(n)
	case expr.OpLower, expr.OpUpper, expr.OpTrim, expr.OpReplace, expr.OpReplaceN, expr.OpFrom, expr.OpSubstring:
		g.text(n)
	case expr.OpSplit, expr.OpSplitN:
		g.split(n)
	case expr.OpToBool, expr.OpToInt, expr.OpToUint, expr.OpToDouble, expr.OpToString, expr.OpToBytes, expr.OpToTimestamp, expr.OpToDuration:
		g.node(n.A)
		g.convert(n)
	case expr.OpAll, expr.OpExists, expr.OpExistsOne:
		g.quantify(n)
	case expr.OpFilter, expr.OpTransform, expr.OpSift:
		g.collect(n)
	case expr.OpCall:
		g.function(n)
	}
}

// logic is && and ||: the value that decides wins over any error, and of two errors the
// first counts.
func (g *gen) logic(n *expr.Node) {
	and := n.Op == expr.OpAnd
	decisive := 1
	if and {
		decisive = 0
	}
	if !g.fails(n.A) {
		g.node(n.A)
		g.ifThen(asm.I32)
		if and {
			g.node(n.B)
			g.op(asm.Else)
			g.i32(0)
		} else {
			g.i32(1)
			g.op(asm.Else)
			g.node(n.B)
		}
		g.op(asm.End)
		return
	}
	outer := g.err
	end, second, failed := g.newLabel(), g.newLabel(), g.newLabel()
	first := g.local(asm.I32)
	g.block(end, asm.I32)
	g.block(second, asm.None)
	g.block(failed, asm.None)
	g.i32(0)
	g.emit(asm.Set(first))
	g.err = failed
	g.node(n.A)
	if !and {
		g.op(asm.I32Eqz)
	}
	g.jump(asm.BrIf, second)
	g.i32(decisive)
	g.jump(asm.Br, end)
	g.op(asm.End)
	g.get(g.code)
	g.emit(asm.Set(first))
	g.op(asm.End)
	g.err = outer
	if g.fails(n.B) {
		g.err = g.newLabel()
		g.block(g.err, asm.None)
	}
	g.node(n.B)
	g.err = outer
	g.decide(decisive, end)
	g.get(first)
	g.check()
	g.i32(1 - decisive)
	if g.fails(n.B) {
		g.jump(asm.Br, end)
		g.op(asm.End)
		g.get(first, g.code, first)
		g.op(asm.Select)
		g.emit(asm.Set(g.code))
		g.jump(asm.Br, g.err)
	}
	g.op(asm.End)
	g.release(first)
}

// decide ends a block with the bool that decides if that is on top.
func (g *gen) decide(decisive int, end asm.Label) {
	if decisive == 0 {
		g.op(asm.I32Eqz)
	}
	g.ifThen(asm.None)
	g.i32(decisive)
	g.jump(asm.Br, end)
	g.op(asm.End)
}

func (g *gen) conditional(n *expr.Node) {
	parts := partsOf(n.Type)
	g.node(n.A)
	if len(parts) == 1 {
		g.ifThen(parts[0])
		g.node(n.B)
		g.op(asm.Else)
		g.node(n.C)
		g.op(asm.End)
		return
	}
	out := make([]int, len(parts))
	for i, t := range parts {
		out[i] = g.local(t)
	}
	g.ifThen(asm.None)
	g.node(n.B)
	g.setAll(out)
	g.op(asm.Else)
	g.node(n.C)
	g.setAll(out)
	g.op(asm.End)
	g.get(out...)
	g.release(out...)
}

// setAll pops into given locals.
func (g *gen) setAll(locals []int) {
	for _, l := range slices.Backward(locals) {
		g.emit(asm.Set(l))
	}
}

// same compares two values of a type on the stack.
func (g *gen) same(t expr.Type) {
	switch t.Kind() {
	case expr.KindBool:
		g.op(asm.I32Eq)
	case expr.KindInt, expr.KindUint, expr.KindDuration:
		g.op(asm.I64Eq)
	case expr.KindDouble:
		g.op(asm.F64Eq)
	case expr.KindTimestamp:
		g.call("rt.CompareTime")
		g.op(asm.I32Eqz)
	case expr.KindString, expr.KindBytes:
		g.call("rt.Equal")
	default:
		g.call(g.x.sameSym(t))
	}
}

// sameSym is the function that compares two lists or maps.
func (x *Exprs) sameSym(t expr.Type) string {
	name := fmt.Sprintf("expr.same%x", uint32(t))
	if x.helpers[name] {
		return name
	}
	x.helpers[name] = true
	const a, na, b, nb, va, vb = 0, 1, 2, 3, 4, 5
	g := &gen{x: x, locals: []asm.Type{asm.I32, asm.I32, asm.I32, asm.I32, asm.I32, asm.I32}, free: map[asm.Type][]int{}}
	elem := t.Elem()
	unequal := func() {
		g.ifThen(asm.None)
		g.i32(0)
		g.op(asm.Return, asm.End)
	}
	g.get(na, nb)
	g.op(asm.I32Ne)
	unequal()
	if elem != 0 {
		step := func(local, by int) {
			g.get(local)
			g.i32(by)
			g.op(asm.I32Add)
			g.emit(asm.Set(local))
		}
		done, next := g.newLabel(), g.newLabel()
		g.block(done, asm.None)
		if t.Kind() == expr.KindMap {
			for _, pair := range [][2]int{{va, a}, {vb, b}} {
				g.get(pair[1], na)
				g.i32(3)
				g.op(asm.I32Shl, asm.I32Add)
				g.emit(asm.Set(pair[0]))
			}
		}
		g.emit(asm.Block(asm.Loop, next, asm.None))
		g.get(na)
		g.op(asm.I32Eqz)
		g.jump(asm.BrIf, done)
		g.i32(1)
		g.call("rt.Broke")
		unequal()
		x1, x2 := a, b
		if t.Kind() == expr.KindMap {
			g.loadAt(expr.TString, a, 0)
			g.loadAt(expr.TString, b, 0)
			g.call("rt.Equal")
			g.op(asm.I32Eqz)
			unequal()
			step(a, 8)
			step(b, 8)
			x1, x2 = va, vb
		}
		g.loadAt(elem, x1, 0)
		g.loadAt(elem, x2, 0)
		g.same(elem)
		g.op(asm.I32Eqz)
		unequal()
		step(x1, sizeOf(elem))
		step(x2, sizeOf(elem))
		step(na, -1)
		g.jump(asm.Br, next)
		g.op(asm.End, asm.End)
	}
	g.i32(1)
	x.object.Funcs = append(x.object.Funcs, &asm.Func{Name: name, Sig: "iiii>i", Locals: g.locals[4:], Body: g.body})
	return name
}
