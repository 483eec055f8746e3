package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/subgo/symbols"
)

func (g *gen) order(n *expr.Node) {
	g.node(n.A)
	g.node(n.B)
	at := map[expr.Op]int{expr.OpLt: 0, expr.OpLe: 1, expr.OpGt: 2, expr.OpGe: 3}[n.Op]
	signed := []asm.Op{asm.I32LtS, asm.I32LeS, asm.I32GtS, asm.I32GeS}
	switch g.typeOf(n.A) {
	case expr.TBool:
		g.op([]asm.Op{asm.I32LtU, asm.I32LeU, asm.I32GtU, asm.I32GeU}[at])
	case expr.TUint:
		g.op([]asm.Op{asm.I64LtU, asm.I64LeU, asm.I64GtU, asm.I64GeU}[at])
	case expr.TDouble:
		g.op([]asm.Op{asm.F64Lt, asm.F64Le, asm.F64Gt, asm.F64Ge}[at])
	case expr.TString, expr.TBytes:
		g.call("rt.Compare")
		g.i32(0)
		g.op(signed[at])
	case expr.TTimestamp:
		g.call("rt.CompareTime")
		g.i32(0)
		g.op(signed[at])
	default:
		g.op([]asm.Op{asm.I64LtS, asm.I64LeS, asm.I64GtS, asm.I64GeS}[at])
	}
}

func (g *gen) in(n *expr.Node) {
	over := g.typeOf(n.B)
	if over.Kind() == expr.KindMap {
		key := g.held(n.A)
		g.node(n.B)
		g.get(key...)
		g.release(key...)
		g.call("rt.Find")
		g.i32(0)
		g.op(asm.I32GeS)
		return
	}
	if g.typeOf(n.A) == expr.TString {
		g.node(n.A)
		g.node(n.B)
		g.call("rt.Within")
		return
	}
	value := g.held(n.A)
	list := g.held(n.B)
	at, left := list[0], list[1]
	g.get(left)
	g.call("rt.Broke")
	g.breaks()
	elem := unify(g.typeOf(n.A), over.Elem())
	end, done, next := g.newLabel(), g.newLabel(), g.newLabel()
	g.block(end, asm.I32)
	g.block(done, asm.None)
	g.emit(asm.Block(asm.Loop, next, asm.None))
	g.get(left)
	g.op(asm.I32Eqz)
	g.jump(asm.BrIf, done)
	g.get(value...)
	g.loadAt(elem, at, 0)
	g.same(elem)
	g.decide(1, end)
	g.step(at, sizeOf(elem))
	g.step(left, -1)
	g.jump(asm.Br, next)
	g.op(asm.End, asm.End)
	g.i32(0)
	g.op(asm.End)
	g.release(value...)
	g.release(list...)
}

// step adds to a local.
func (g *gen) step(local, by int) {
	g.get(local)
	g.i32(by)
	g.op(asm.I32Add)
	g.emit(asm.Set(local))
}

func (g *gen) arithmetic(n *expr.Node) {
	a := g.typeOf(n.A)
	at := int(n.Op - expr.OpAdd)
	switch {
	case n.Type == expr.TTimestamp:
		name := "rt.Later"
		if n.Op == expr.OpSub {
			name = "rt.Earlier"
		}
		if a == expr.TDuration {
			by := g.held(n.A)
			g.node(n.B)
			g.get(by...)
			g.release(by...)
		} else {
			g.node(n.A)
			g.node(n.B)
		}
		g.call(name)
		g.timestamp()
		return
	case n.Type.Kind() == expr.KindList:
		g.join(n)
		return
	}
	g.node(n.A)
	g.node(n.B)
	switch {
	case a == expr.TTimestamp:
		g.call("rt.Between")
	case n.Type == expr.TDouble:
		g.op([]asm.Op{asm.F64Add, asm.F64Sub, asm.F64Mul, asm.F64Div}[at])
		return
	case holds(n.Type):
		g.call("rt.Join")
		g.result(1, asm.I32)
		return
	case n.Type == expr.TUint:
		g.call([]string{"rt.AddU", "rt.SubU", "rt.MulU", "rt.DivU", "rt.ModU"}[at])
	default:
		g.call([]string{"rt.Add", "rt.Sub", "rt.Mul", "rt.Div", "rt.Mod"}[at])
	}
	g.result(1, asm.I32)
	g.check()
}

// timestamp pushes the other parts of what a function returned, or fails with its code.
func (g *gen) timestamp() {
	g.result(1, asm.I32)
	g.result(2, asm.I32)
	g.result(3, asm.I32)
	g.check()
}

func (g *gen) join(n *expr.Node) {
	a := g.held(n.A)
	b := g.held(n.B)
	size := sizeOf(n.Type.Elem())
	g.get(a[1])
	g.ifThen(asm.None)
	g.get(b[1])
	g.ifThen(asm.None)
	sum := g.local(asm.I32)
	g.get(a[1], b[1])
	g.op(asm.I32Add)
	g.emit(asm.Tee(sum))
	g.call("rt.PayList")
	g.breaks()
	g.get(sum)
	g.i32(size)
	g.op(asm.I32Mul)
	to := g.room()
	words := func(count int) {
		g.get(count)
		if size == 16 {
			g.i32(1)
			g.op(asm.I32Shl)
		}
	}
	g.get(to)
	words(a[1])
	g.get(a[0])
	words(a[1])
	g.call("rt.Copy")
	g.get(to, a[1])
	g.i32(size)
	g.op(asm.I32Mul, asm.I32Add)
	words(b[1])
	g.get(b[0])
	words(b[1])
	g.call("rt.Copy")
	g.get(to, sum)
	g.setAll(a)
	g.op(asm.End, asm.Else)
	g.get(b...)
	g.setAll(a)
	g.op(asm.End)
	g.get(a...)
	g.release(a...)
	g.release(b...)
	g.release(to, sum)
}

func (g *gen) index(n *expr.Node) {
	over := g.held(n.A)
	t := g.typeOf(n.A)
	if t.Kind() == expr.KindMap {
		key := g.held(n.B)
		g.get(over...)
		g.get(key...)
		g.release(key...)
		g.entry(t, over)
		return
	}
	i := g.held(n.B)
	g.get(i...)
	g.get(over[1])
	g.op(asm.I64ExtendI32U, asm.I64GeU) // a negative index is a large number here
	g.fail(expr.IndexOutOfRange)
	g.get(over[0])
	g.get(i...)
	g.op(asm.I32WrapI64)
	g.i32(sizeOf(t.Elem()))
	g.op(asm.I32Mul, asm.I32Add)
	g.emit(asm.Set(over[0]))
	g.loadAt(t.Elem(), over[0], 0)
	g.release(i...)
	g.release(over...)
}

// entry pushes the value of the key on top, below which is the map that is also in
// locals, which it releases.
func (g *gen) entry(t expr.Type, m []int) {
	at := g.local(asm.I32)
	g.call("rt.Find")
	g.emit(asm.Tee(at))
	g.i32(0)
	g.op(asm.I32LtS)
	g.fail(expr.NoSuchKey)
	g.get(m...)
	g.i32(3)
	g.op(asm.I32Shl, asm.I32Add)
	g.get(at)
	g.i32(sizeOf(t.Elem()))
	g.op(asm.I32Mul, asm.I32Add)
	g.emit(asm.Set(at))
	g.loadAt(t.Elem(), at, 0)
	g.release(at)
	g.release(m...)
}

func (g *gen) list(n *expr.Node) {
	if n.C != 0 {
		g.folded(g.p.Consts[n.C-1])
		return
	}
	elem := n.Type.Elem()
	size := sizeOf(elem)
	g.i32(int(n.B))
	g.call("rt.PayList")
	g.breaks()
	g.i32(int(n.B) * size)
	address := g.room()
	for i, a := range g.p.Args[n.A : n.A+n.B] {
		v := g.held(a)
		g.storeAt(elem, address, i*size, v)
		g.release(v...)
	}
	g.get(address)
	g.i32(int(n.B))
	g.release(address)
}

func (g *gen) mapping(n *expr.Node) {
	if n.C != 0 {
		g.folded(g.p.Consts[n.C-1])
		return
	}
	elem := n.Type.Elem()
	size, most := sizeOf(elem), int(n.B)/2
	g.i32(int(n.B))
	g.call("rt.PayList")
	g.breaks()
	g.i32(most * (8 + size))
	address := g.room()
	count, place := g.local(asm.I32), g.local(asm.I32)
	g.i32(0)
	g.emit(asm.Set(count))
	args := g.p.Args[n.A : n.A+n.B]
	for i := 0; i < len(args); i += 2 {
		key := g.held(args[i])
		v := g.held(args[i+1])
		g.get(address)
		g.i32(most)
		g.get(address)
		g.i32(most * 8)
		g.op(asm.I32Add)
		g.i32(most * size / 8)
		g.get(count)
		g.i32(size / 8)
		g.get(key...)
		g.call("rt.Place")
		g.i32(size)
		g.op(asm.I32Mul)
		g.get(address)
		g.op(asm.I32Add)
		g.emit(asm.Set(place))
		g.result(1, asm.I32)
		g.emit(asm.Set(count))
		g.storeAt(elem, place, most*8, v)
		g.release(key...)
		g.release(v...)
	}
	if most > 1 {
		g.get(address)
		g.i32(most * (8 + size) / 8)
		g.i32(most)
		g.get(count, count)
		g.i32(size / 8)
		g.op(asm.I32Mul)
		g.call("rt.Close")
	}
	g.get(address, count)
	g.release(address, count, place)
}

func (g *gen) matches(n *expr.Node) {
	pattern := g.p.Patterns[n.B]
	number := slices.Index(g.x.patterns, pattern)
	if number < 0 {
		number = len(g.x.patterns)
		g.x.patterns = append(g.x.patterns, pattern)
	}
	size, _ := expr.CheckPattern(pattern) // the program has been checked
	sym := fmt.Sprintf("expr.find.%d", number)
	if !g.x.helpers[sym] {
		// Pays and looks, or finds nothing if that is too dear.
		g.x.helpers[sym] = true
		h := &gen{}
		h.get(1)
		h.i32(expr.PatternWeight(size))
		h.call("rt.PayMatch")
		h.emit(asm.Block(asm.If, 1, asm.I32))
		h.i32(0)
		h.op(asm.Else)
		h.get(0, 1)
		h.call(matchSym(number))
		h.op(asm.End)
		g.x.object.Funcs = append(g.x.object.Funcs, &asm.Func{Name: sym, Sig: "ii>i", Body: h.body})
	}
	if v := g.p.Nodes[n.A]; v.Op == expr.OpVar {
		g.outline(fmt.Sprintf("%s.%d", sym, g.offsets[v.A]), ">i", func(g *gen) {
			g.node(n.A)
			g.call(sym)
		})
		return
	}
	g.node(n.A)
	g.call(sym)
}

// matchSym is the function that looks for a pattern, see [Exprs.Patterns].
func matchSym(number int) string { return fmt.Sprintf("match.%d", number) }

// unlessChanged is a function that does what name does, but returns the text that it was
// given if that stays as it is.
func (x *Exprs) unlessChanged(name string, sig asm.Sig) string {
	wrapped := "expr." + strings.TrimPrefix(name, "rt.")
	if x.helpers[wrapped] {
		return wrapped
	}
	x.helpers[wrapped] = true
	params := sig.Params()
	g := &gen{}
	for i := range params {
		g.get(i)
	}
	g.call(name)
	g.emit(asm.Set(len(params)))
	g.result(2, asm.I32)
	g.emit(asm.Block(asm.If, 1, asm.None))
	g.get(len(params))
	g.op(asm.Return, asm.End)
	g.get(1)
	g.emit(asm.SetGlobal(symbols.Result(1, asm.I32)))
	g.get(0)
	x.object.Funcs = append(x.object.Funcs, &asm.Func{Name: wrapped, Sig: sig, Locals: []asm.Type{asm.I32}, Body: g.body})
	return wrapped
}

func (g *gen) text(n *expr.Node) {
	switch n.Op {
	case expr.OpTrim:
		g.node(n.A)
		g.call("rt.Trim")
	case expr.OpLower:
		g.node(n.A)
		g.call(g.x.unlessChanged("rt.Lower", "ii>i"))
	case expr.OpUpper:
		g.node(n.A)
		g.call(g.x.unlessChanged("rt.Upper", "ii>i"))
	case expr.OpReplace, expr.OpReplaceN:
		g.node(n.A)
		g.node(n.B)
		g.node(n.C)
		if n.Op == expr.OpReplaceN {
			g.node(n.D)
		} else {
			g.emit(asm.Const(asm.I64, -1))
		}
		g.call(g.x.unlessChanged("rt.Replace", "iiiiiil>i"))
	case expr.OpFrom, expr.OpSubstring:
		g.node(n.A)
		g.node(n.B)
		if n.Op == expr.OpSubstring {
			g.node(n.C)
		}
		g.call(g.x.substringSym(n.Op))
		g.result(1, asm.I32)
		g.result(2, asm.I32)
		g.check()
		return
	}
	g.result(1, asm.I32)
}

// substringSym is the function that makes a text valid and takes a part of it.
func (x *Exprs) substringSym(op expr.Op) string {
	name, sig := "expr.From", asm.Sig("iil>i")
	if op == expr.OpSubstring {
		name, sig = "expr.Substring", "iill>i"
	}
	if x.helpers[name] {
		return name
	}
	x.helpers[name] = true
	valid := x.unlessChanged("rt.Valid", "ii>i")
	g := &gen{}
	if op == expr.OpSubstring {
		g.get(3, 2)
		g.op(asm.I64LtS)
		g.get(3)
		g.emit(asm.Const(asm.I64, 0))
		g.op(asm.I64LtS, asm.I32Or)
		g.emit(asm.Block(asm.If, 1, asm.None))
		g.i32(0)
		g.emit(asm.SetGlobal(symbols.Result(1, asm.I32)))
		g.i32(int(expr.IndexOutOfRange))
		g.emit(asm.SetGlobal(symbols.Result(2, asm.I32)))
		g.i32(0)
		g.op(asm.Return, asm.End)
	}
	g.get(0, 1)
	g.call(valid)
	g.result(1, asm.I32)
	g.get(2)
	if op == expr.OpSubstring {
		g.get(3)
		g.call("rt.Substring")
	} else {
		g.call("rt.From")
	}
	x.object.Funcs = append(x.object.Funcs, &asm.Func{Name: name, Sig: sig, Body: g.body})
	return name
}

func (g *gen) split(n *expr.Node) {
	s := g.held(n.A)
	sep := g.held(n.B)
	var limit []int
	if n.Op == expr.OpSplitN {
		limit = g.held(n.C)
		g.release(limit...)
	}
	g.get(s...)
	g.get(sep...)
	g.get(limit...)
	if limit == nil {
		g.emit(asm.Const(asm.I64, -1))
	}
	g.call("rt.Pieces")
	count := g.local(asm.I32)
	g.emit(asm.Set(count))
	g.result(1, asm.I32)
	g.breaks()
	out := []int{g.local(asm.I32), count}
	g.get(count)
	g.ifThen(asm.None)
	g.get(count)
	g.i32(3)
	g.op(asm.I32Shl)
	address := g.room()
	g.get(address)
	g.emit(asm.Tee(out[0]))
	g.get(count)
	g.get(s...)
	g.get(sep...)
	g.call("rt.Split")
	g.emit(asm.Set(count))
	g.op(asm.End)
	g.get(out...)
	g.release(out...)
	g.release(address)
	g.release(s...)
	g.release(sep...)
}

// convert changes the value on top.
func (g *gen) convert(n *expr.Node) {
	from := g.typeOf(n.A)
	checked := func(name string) {
		g.call(name)
		g.result(1, asm.I32)
		g.check()
	}
	switch n.Op {
	case expr.OpToBool:
		if from == expr.TString {
			checked("rt.TextToBool")
		}
	case expr.OpToInt:
		switch from {
		case expr.TString:
			checked("rt.TextToInt")
		case expr.TDouble:
			checked("rt.DoubleToInt")
		case expr.TUint:
			checked("rt.IntToUint")
		case expr.TTimestamp:
			g.op(asm.Drop, asm.Drop)
		}
	case expr.OpToUint:
		switch from {
		case expr.TString:
			checked("rt.TextToUint")
		case expr.TDouble:
			checked("rt.DoubleToUint")
		case expr.TInt:
			checked("rt.IntToUint")
		}
	case expr.OpToDouble:
		switch from {
		case expr.TString:
			checked("rt.TextToDouble")
		case expr.TInt:
			g.op(asm.F64ConvertI64S)
		case expr.TUint:
			g.op(asm.F64ConvertI64U)
		}
	case expr.OpToDuration:
		if from == expr.TString {
			checked("rt.TextToDuration")
		}
	case expr.OpToTimestamp:
		switch from {
		case expr.TInt:
			g.call("rt.IntToTime")
			g.timestamp()
		case expr.TString:
			g.call("rt.TextToTime")
			g.timestamp()
		}
	case expr.OpToString:
		switch from {
		case expr.TBytes:
			s := g.hold(partsOf(from))
			g.get(s...)
			g.call("rt.BytesToText")
			g.check()
			g.get(s...)
			g.release(s...)
		case expr.TBool:
			b := g.hold(partsOf(from))
			yes, _ := g.x.constant(expr.String("true"))
			no, _ := g.x.constant(expr.String("false"))
			g.emit(asm.Addr(yes, 0), asm.Addr(no, 0))
			g.get(b...)
			g.op(asm.Select)
			g.i32(5)
			g.get(b...)
			g.op(asm.I32Sub)
			g.release(b...)
		case expr.TInt:
			g.call("rt.IntToText")
			g.result(1, asm.I32)
		case expr.TUint:
			g.call("rt.UintToText")
			g.result(1, asm.I32)
		case expr.TDouble:
			g.call("rt.DoubleToText")
			g.result(1, asm.I32)
		case expr.TDuration:
			g.call("rt.DurationToText")
			g.result(1, asm.I32)
		case expr.TTimestamp:
			g.call("rt.TimeToText")
			g.result(1, asm.I32)
		}
	}
}

// function is a call. What it costs is paid in a function of its own for each that is
// called: if that is too dear it calls nothing and returns zeros.
func (g *gen) function(n *expr.Node) {
	f, _ := g.env.Func(n.A) // the program was decoded for the environment
	args := g.p.Args[n.B : n.B+n.C]
	c := Call{Sym: "fn." + f.Name, Name: f.Name, Fails: mayFail(g.env, n.A), Result: n.Type}
	var params []asm.Type
	var types []expr.Type
	variables := true
	slots := ""
	for i, a := range args {
		node := &g.p.Nodes[a]
		types = append(types, f.Params[i])
		if f.Const == i+1 {
			c.Constant = g.p.Consts[node.A].AsString()
			c.Sym += ":" + c.Constant
			continue
		}
		params = append(params, partsOf(node.Type)...)
		variables = variables && node.Op == expr.OpVar
		slots += fmt.Sprintf(".%d", g.offsets[node.A%uint16(len(g.offsets))])
	}
	parts := partsOf(n.Type)
	c.Sig = asm.NewSig(parts[0], params...)
	if !slices.ContainsFunc(g.x.calls, func(o Call) bool { return o.Sym == c.Sym }) {
		g.x.calls = append(g.x.calls, c)
	}
	paid := g.x.paidSym(&c, f.Const-1, types, int(n.D))
	push := func(g *gen) {
		for i, a := range args {
			if f.Const != i+1 {
				g.node(a)
			}
		}
	}
	if variables {
		g.outline(paid+slots, asm.NewSig(parts[0]), func(g *gen) {
			push(g)
			g.call(paid)
		})
	} else {
		push(g)
		g.call(paid)
	}
	at := 1
	for ; at < len(parts); at++ {
		g.result(at, parts[at])
	}
	if c.Fails {
		g.result(at, asm.I32)
		g.check()
	}
}

// outline calls a function without parameters that does what body does, which must be
// the same for the same name.
func (g *gen) outline(name string, sig asm.Sig, body func(*gen)) {
	if !g.x.helpers[name] {
		g.x.helpers[name] = true
		h := &gen{x: g.x, p: g.p, env: g.env, offsets: g.offsets, free: map[asm.Type][]int{}}
		body(h)
		g.x.object.Funcs = append(g.x.object.Funcs, &asm.Func{Name: name, Sig: sig, Locals: h.locals, Body: h.body})
	}
	g.call(name)
}

// paidSym is the function that pays for a call, of arguments of some types of which one
// may be a constant, and calls.
func (x *Exprs) paidSym(c *Call, constant int, types []expr.Type, cost int) string {
	sym := fmt.Sprintf("expr.%s.%d", c.Sym, cost)
	if x.helpers[sym] {
		return sym
	}
	x.helpers[sym] = true
	g := &gen{}
	local, texts, lists := 0, 0, 0
	for i, t := range types {
		switch {
		case constant == i:
			g.i32(0)
			g.i32(len(c.Constant))
			g.call("rt.PayArg")
			lists++
			continue
		case t == expr.TString || t == expr.TBytes:
			g.i32(0)
			g.get(local + 1)
			g.call("rt.PayArg")
			texts++
		case t.Kind() == expr.KindList:
			g.get(local + 1)
			if t.Elem() == expr.TString {
				g.get(local, local+1)
				g.call("rt.Length")
			} else {
				g.i32(0)
			}
			g.call("rt.PayArg")
			lists++
		}
		local += len(partsOf(t))
	}
	if texts == 1 && lists == 0 {
		for i, in := range g.body {
			if in.Op == asm.LocalGet {
				g.body = []asm.Instr{g.body[i]}
				break
			}
		}
		g.i32(cost)
		g.call("rt.PayText")
	} else {
		g.i32(cost)
		g.call("rt.PayCall")
	}
	g.emit(asm.Block(asm.If, 1, asm.None))
	results := partsOf(c.Result)
	if c.Fails {
		results = append(results, asm.I32)
	}
	for i, t := range results[1:] {
		g.emit(asm.Const(t, 0), asm.SetGlobal(symbols.Result(i+1, t)))
	}
	g.emit(asm.Const(results[0], 0))
	g.op(asm.Return, asm.End)
	for i := range c.Sig.Params() {
		g.get(i)
	}
	g.call(c.Sym)
	x.object.Funcs = append(x.object.Funcs, &asm.Func{Name: sym, Sig: c.Sig, Body: g.body})
	return sym
}
