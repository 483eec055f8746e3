package subgo

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/privetdev/privet/internal/asm"
)

func (f *fn) text(e ast.Expr) string { return constant.StringVal(f.c.info.Types[e].Value) }

func one1(t types.Type) constant.Value {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
		return constant.MakeFloat64(1)
	}
	return constant.MakeInt64(1)
}

// call compiles a call and pushes the parts of its results, whose types it returns.
func (f *fn) call(e *ast.CallExpr) []asm.Type {
	fun := ast.Unparen(e.Fun)
	if tv := f.c.info.Types[fun]; tv.IsType() {
		return f.convert(e, tv.Type)
	}
	if lit, ok := fun.(*ast.FuncLit); ok {
		return f.expand(e, f.typeOf(lit), lit.Body)
	}
	var object types.Object
	id := identOf(fun)
	sel, _ := fun.(*ast.SelectorExpr)
	if sel != nil {
		id = sel.Sel
	}
	if id != nil {
		object = f.c.info.Uses[id]
	}
	if b, ok := object.(*types.Builtin); ok {
		return f.builtin(e, b.Name())
	}
	if v, ok := object.(*types.Var); ok && f.vars[v] != nil && f.vars[v].lit != nil {
		return f.expand(e, v.Type(), f.vars[v].lit.Body)
	}
	sig, ok := f.typeOf(fun).Underlying().(*types.Signature)
	if !ok {
		f.errorf(e, "this call is not in the subset")
		return nil
	}
	if e.Ellipsis.IsValid() || sig.Variadic() {
		f.errorf(e, "... is not in the subset: pass a slice")
		return nil
	}
	static, _ := object.(*types.Func)
	name := "" // of what is called by name
	if v, ok := object.(*types.Var); ok && f.c.vars[v] != nil && f.c.vars[v].extern {
		name = f.c.vars[v].sym
	}
	if static != nil {
		name = f.c.funcSymbol(static)
		if ops, ok := intrinsics[static.Pkg().Path()+"."+static.Name()]; ok {
			for _, a := range e.Args {
				f.expr(a)
			}
			for _, op := range ops {
				f.op(op)
			}
			return f.pieces(e, sig.Results().At(0).Type())
		}
		if static.FullName() == wideLoad {
			return f.wideLoad(e)
		}
		if _, ok := f.c.decls[static]; !ok {
			f.errorf(e, "%s is not in the subset", static.FullName())
			return nil
		}
		if body := f.short(static); body != nil && len(e.Args) == sig.Params().Len() {
			f.scan(body)
			return f.expand(e, sig, body)
		}
	}
	// Memory for results that are arrays or structs.
	var result []asm.Type
	var params []asm.Type
	var sret []place
	for v := range sig.Results().Variables() {
		list := f.pieces(e, v.Type())
		if aggregate(v.Type()) {
			p := *f.newMemory(v.Type())
			sret = append(sret, p)
			f.addressOf(p)
			params = append(params, asm.I32)
		}
		result = append(result, list...)
	}
	if m := f.c.info.Selections[sel]; sel != nil && m != nil && m.Kind() == types.MethodVal {
		f.receiver(sel, m)
	}
	if len(e.Args) == 1 && sig.Params().Len() > 1 {
		if inner, ok := ast.Unparen(e.Args[0]).(*ast.CallExpr); ok {
			f.call(inner)
		}
	} else {
		for _, a := range e.Args {
			f.argument(a)
		}
	}
	if name != "" {
		f.emit(asm.Call(name), asm.Instr{Op: asm.Nop, Sym: name})
	} else {
		for v := range sig.Params().Variables() {
			params = append(params, f.pieces(e, v.Type())...)
		}
		first := asm.None
		for v := range sig.Results().Variables() {
			if list := f.pieces(e, v.Type()); !aggregate(v.Type()) && len(list) > 0 {
				first = list[0]
				break
			}
		}
		f.expr(fun)
		r := f.hold([]asm.Type{asm.I32})[0]
		f.push(r)
		f.op(asm.I32Eqz)
		f.jump(asm.BrIf, f.fault)
		f.push(r)
		f.emit(asm.CallIndirect(asm.NewSig(first, params...)), asm.Instr{Op: asm.Nop})
	}
	f.emit(asm.GetGlobal(FaultSym), asm.Jump(asm.BrIf, f.fault))
	return f.collect(sig, result, sret)
}

// short is the body of a function that is put where it is called, because the call would
// be dearer: one expression of few parts, without calls of its own.
func (f *fn) short(static *types.Func) *ast.BlockStmt {
	d := f.c.decls[static].d
	sig := static.Type().(*types.Signature)
	if d.Body == nil || len(d.Body.List) != 1 || sig.Recv() != nil || sig.TypeParams() != nil || sig.Variadic() || sig.Results().Len() != 1 || d.Name.Name == f.node.(*ast.FuncDecl).Name.Name {
		return nil
	}
	r, ok := d.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return nil
	}
	for v := range sig.Params().Variables() {
		if list, ok := parts(v.Type()); !ok || len(list) != 1 || aggregate(v.Type()) {
			return nil
		}
	}
	if list, ok := parts(sig.Results().At(0).Type()); !ok || len(list) != 1 || aggregate(sig.Results().At(0).Type()) {
		return nil
	}
	n := 0
	ast.Inspect(r.Results[0], func(node ast.Node) bool {
		n++
		switch node := node.(type) {
		case *ast.CallExpr:
			if tv := f.c.info.Types[ast.Unparen(node.Fun)]; !tv.IsType() {
				n = 100
			}
		case *ast.IndexExpr, *ast.SliceExpr, *ast.CompositeLit, *ast.FuncLit, *ast.StarExpr:
			n = 100
		}
		return true
	})
	if n > 16 {
		return nil
	}
	return d.Body
}

// collect pushes what a call left in globals and in memory behind what is on the stack.
func (f *fn) collect(sig *types.Signature, list []asm.Type, sret []place) []asm.Type {
	if len(sret) == 0 {
		for i := 1; i < len(list); i++ {
			f.emit(asm.GetGlobal(ResultSym(i, list[i])))
		}
		return list
	}
	// The order may be another: hold the first.
	var held []ref
	n, k := 0, 0
	for v := range sig.Results().Variables() {
		if !aggregate(v.Type()) && n == 0 {
			if p, _ := parts(v.Type()); len(p) > 0 {
				held = f.hold(p[:1])
				n++
			}
		}
	}
	n = 0
	for v := range sig.Results().Variables() {
		if aggregate(v.Type()) {
			f.addressOf(sret[k])
			k++
			continue
		}
		p, _ := parts(v.Type())
		for _, t := range p {
			if n == 0 {
				f.push(held[0])
			} else {
				f.emit(asm.GetGlobal(ResultSym(n, t)))
			}
			n++
		}
	}
	return list
}

// argument pushes an argument; a view of bytes as text is good for as long as the call.
func (f *fn) argument(a ast.Expr) { f.view(a) }

// view pushes a value; here a text may be a view of bytes.
func (f *fn) view(e ast.Expr) { f.expr(f.bytesOf(e)) }

// bytesOf is the bytes that a text is made of, or the text.
func (f *fn) bytesOf(e ast.Expr) ast.Expr {
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok && len(call.Args) == 1 {
		if tv := f.c.info.Types[ast.Unparen(call.Fun)]; tv.IsType() && f.isView(tv.Type, call.Args[0]) {
			return f.bytesOf(call.Args[0])
		}
	}
	return e
}

// wideLoad pushes eight bytes of a text.
func (f *fn) wideLoad(e *ast.CallExpr) []asm.Type {
	s, i := f.refs(e.Args[0]), f.refs(e.Args[1])[0]
	f.push(s[1])
	f.num(8)
	f.op(asm.I32LtU)
	f.jump(asm.BrIf, f.fault)
	f.push(i)
	f.push(s[1])
	f.num(8)
	f.op(asm.I32Sub)
	f.op(asm.I32GtU)
	f.jump(asm.BrIf, f.fault)
	f.push(s[0])
	f.push(i)
	f.op(asm.I32Add)
	f.emit(asm.Mem(asm.I64Load, "", 0))
	return []asm.Type{asm.I64}
}

// isView reports whether a conversion is one between bytes and text.
func (f *fn) isView(to types.Type, from ast.Expr) bool {
	text := func(t types.Type) bool {
		b, ok := t.Underlying().(*types.Basic)
		return ok && b.Info()&types.IsString != 0
	}
	data := func(t types.Type) bool {
		s, ok := t.Underlying().(*types.Slice)
		if !ok {
			return false
		}
		b, ok := s.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Uint8
	}
	t := f.typeOf(from)
	return text(to) && data(t)
}

// receiver pushes the receiver of a method.
func (f *fn) receiver(sel *ast.SelectorExpr, m *types.Selection) {
	if len(m.Index()) != 1 || m.Obj().Type().(*types.Signature).Recv() == nil {
		f.errorf(sel, "a method of an embedded type is not in the subset: name the field")
		return
	}
	want := m.Obj().Type().(*types.Signature).Recv().Type()
	if types.IsInterface(want) {
		f.errorf(sel, "a call by way of an interface is not in the subset: use the type")
		return
	}
	_, pointer := want.(*types.Pointer)
	_, has := f.typeOf(sel.X).(*types.Pointer)
	switch {
	case pointer == has:
		f.expr(sel.X)
	case pointer:
		p := f.place(sel.X)
		if p.locals != nil || p.globals != nil || p.refs != nil {
			f.errorf(sel, "the address of this variable is not in the subset: put it into a struct")
			return
		}
		f.addressOf(p)
	default:
		f.load(f.target(sel.X))
	}
}

// expand puts the body of a function literal where it is called.
func (f *fn) expand(e *ast.CallExpr, t types.Type, body *ast.BlockStmt) []asm.Type {
	sig, ok := t.Underlying().(*types.Signature)
	if !ok || sig.Variadic() {
		f.errorf(e, "this call is not in the subset")
		return nil
	}
	if len(f.inline) > 8 {
		f.errorf(e, "function literals call each other too deeply: make them functions of the package")
		return nil
	}
	facts, frame := f.facts, f.frame
	// All arguments before any parameter: they may be of an outer round.
	var bound []func()
	i := 0
	for v := range sig.Params().Variables() {
		if i >= len(e.Args) {
			f.errorf(e, "this call is not in the subset: pass the arguments one by one")
			return nil
		}
		a := e.Args[i]
		i++
		list := f.pieces(a, v.Type())
		f.argument(a)
		held := f.hold(list)
		low, high := f.bounds(a)
		bound = append(bound, func() {
			if v.Name() == "" || v.Name() == "_" {
				return
			}
			f.tainted[v] = f.tainted[v] || f.local(a)
			f.bind(v, a)
			if aggregate(v.Type()) {
				f.copyTo(*f.vars[v].memory, place{t: v.Type(), base: held[0].local})
				return
			}
			f.store(f.variable(v, a), func() {
				for _, r := range held {
					f.push(r)
				}
			})
			if len(held) == 1 && f.changes[v] == 0 && held[0].t == asm.I32 {
				f.know(fact{v: v, low: low, high: high, length: -1})
			}
		})
	}
	for _, b := range bound {
		b()
	}
	in := inlined{end: f.newLabel(), sig: sig}
	var list []asm.Type
	for v := range sig.Results().Variables() {
		if aggregate(v.Type()) {
			f.errorf(e, "a function literal that returns an array or struct is not in the subset: make it a function of the package")
			return nil
		}
		for _, t := range f.pieces(e, v.Type()) {
			list = append(list, t)
			in.results = append(in.results, f.newLocal(t))
		}
		if v.Name() != "" {
			in.named = append(in.named, v)
			f.declare(v, e)
		}
	}
	f.inline = append(f.inline, in)
	f.emit(asm.Block(asm.BlockOp, in.end, asm.None))
	f.block(body.List)
	f.op(asm.End)
	f.inline = f.inline[:len(f.inline)-1]
	f.facts, f.frame = facts, frame
	f.get(in.results...)
	return list
}

func (f *fn) builtin(e *ast.CallExpr, name string) []asm.Type {
	switch name {
	case "len", "cap":
		x := e.Args[0]
		t := f.typeOf(x)
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		if a, ok := t.Underlying().(*types.Array); ok {
			f.num(a.Len())
			return []asm.Type{asm.I32}
		}
		r := f.refs(x)
		if len(r) != 2 || name == "cap" {
			f.errorf(e, "%s of %s is not in the subset", name, t)
			return []asm.Type{asm.I32}
		}
		f.push(r[1])
		return []asm.Type{asm.I32}
	case "min", "max":
		t := f.typeOf(e)
		list := f.pieces(e, t)
		if len(list) != 1 {
			f.errorf(e, "%s of texts is not in the subset: compare them", name)
			return list
		}
		op := token.LSS
		if name == "max" {
			op = token.GTR
		}
		f.expr(e.Args[0])
		for _, a := range e.Args[1:] {
			f.expr(a)
			if list[0] == asm.F64 {
				if name == "min" {
					f.op(asm.F64Min)
				} else {
					f.op(asm.F64Max)
				}
				continue
			}
			r := f.hold([]asm.Type{list[0], list[0]})
			f.push(r[0])
			f.push(r[1])
			f.push(r[0])
			f.push(r[1])
			f.op(f.comparison(op, t))
			f.op(asm.Select)
		}
		return list
	case "panic":
		f.jump(asm.Br, f.fault)
		return nil
	case "copy":
		s, ok := f.typeOf(e.Args[0]).Underlying().(*types.Slice)
		if !ok {
			break
		}
		size, _ := f.c.layout(s.Elem())
		f.view(e.Args[0])
		f.view(e.Args[1])
		r := f.hold([]asm.Type{asm.I32, asm.I32, asm.I32, asm.I32})
		f.push(r[1])
		f.push(r[3])
		f.push(r[1])
		f.push(r[3])
		f.op(asm.I32LtU)
		f.op(asm.Select)
		n := f.hold([]asm.Type{asm.I32})[0]
		f.push(r[0])
		f.push(r[2])
		f.push(n)
		f.scale(size)
		f.emit(asm.Call("subgo.copy"))
		f.push(n)
		return []asm.Type{asm.I32}
	case "clear":
		s, ok := f.typeOf(e.Args[0]).Underlying().(*types.Slice)
		if !ok {
			break
		}
		size, _ := f.c.layout(s.Elem())
		f.expr(e.Args[0])
		f.scale(size)
		f.emit(asm.Call("subgo.zero"))
		return nil
	case "append", "make", "new":
		f.errorf(e, "%s allocates: use a local array of a fixed size and count what is in it", name)
		return f.pieces(e, f.typeOf(e))
	}
	f.errorf(e, "%s is not in the subset here", name)
	return nil
}

// convert pushes a converted value.
func (f *fn) convert(e *ast.CallExpr, to types.Type) []asm.Type {
	x := e.Args[0]
	from := f.typeOf(x)
	list := f.pieces(e, to)
	if tv := f.c.info.Types[e]; tv.Value != nil {
		for _, r := range f.constant(tv.Value, to) {
			f.push(r)
		}
		return list
	}
	switch u := to.Underlying().(type) {
	case *types.Array:
		if _, ok := from.Underlying().(*types.Slice); ok {
			f.arrayOf(x, u)
			return list
		}
	case *types.Pointer:
		if _, ok := from.Underlying().(*types.Slice); ok {
			if a, ok := u.Elem().Underlying().(*types.Array); ok {
				f.arrayOf(x, a)
				return list
			}
		}
	case *types.Basic:
		b, ok := from.Underlying().(*types.Basic)
		if f.isView(to, x) {
			f.errorf(e, "a text that is kept must not be a view of bytes: use string(…) as an argument or in a comparison only")
			return list
		}
		if !ok || b.Info()&types.IsNumeric == 0 || u.Info()&types.IsNumeric == 0 {
			break
		}
		f.expr(x)
		f.number(from, to, x)
		return list
	}
	if types.Identical(from.Underlying(), to.Underlying()) {
		f.expr(x)
		return list
	}
	f.errorf(e, "a conversion of %s to %s is not in the subset", from, to)
	return list
}

// arrayOf pushes the address of the array that a slice begins with.
func (f *fn) arrayOf(x ast.Expr, a *types.Array) {
	r := f.refs(x)
	if len(r) != 2 {
		return
	}
	if n := f.minLength(seqOf(f, x)); n < a.Len() {
		f.push(r[1])
		f.num(a.Len())
		f.op(asm.I32LtU)
		f.jump(asm.BrIf, f.fault)
	}
	f.push(r[0])
}

// number converts the number on top.
func (f *fn) number(from, to types.Type, x ast.Expr) {
	fl, tl := f.pieces(x, from), f.pieces(x, to)
	if len(fl) != 1 || len(tl) != 1 {
		return
	}
	signed := sizeSigned(from)
	pick := func(s, u asm.Op) {
		if signed {
			f.op(s)
		} else {
			f.op(u)
		}
	}
	low, high := f.bounds(x)
	switch a, b := fl[0], tl[0]; {
	case a == asm.F64 && b == asm.F64:
		return
	case a == asm.F64:
		name := "subgo.f2l"
		if bt, ok := to.Underlying().(*types.Basic); ok && bt.Kind() == types.Uint64 {
			name = "subgo.f2q"
		}
		f.emit(asm.Call(name))
		if b == asm.I32 {
			f.op(asm.I32WrapI64)
			f.wrap(to)
		}
		return
	case b == asm.F64 && a == asm.I64:
		pick(asm.F64ConvertI64S, asm.F64ConvertI64U)
		return
	case b == asm.F64:
		pick(asm.F64ConvertI32S, asm.F64ConvertI32U)
		return
	case a == asm.I32 && b == asm.I64:
		pick(asm.I64ExtendI32S, asm.I64ExtendI32U)
		return
	case a == asm.I64 && b == asm.I32:
		f.op(asm.I32WrapI64)
	}
	if tl[0] == asm.I32 && !fits(low, high, to) {
		f.wrap(to)
	}
}
