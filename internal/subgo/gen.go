package subgo

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/privetdev/privet/internal/asm"
)

// A ref is a part of a value that can be pushed again: a local, or a constant.
type ref struct {
	local int // -1 for a constant
	imm   int64
	sym   string
	t     asm.Type
}

// A variable is where a local variable is kept.
type variable struct {
	t      types.Type
	locals []int        // its parts
	memory *place       // or its place in memory
	lit    *ast.FuncLit // or the function that it is bound to for good
}

// A place is where a value can be loaded from and stored.
type place struct {
	t       types.Type
	locals  []int
	globals []string
	refs    []ref // constant
	base    int   // local that holds an address, -1 for none
	sym     string
	off     int64
}

// A target is what break and continue may mean.
type target struct {
	name     string
	brk, cnt asm.Label // cnt is 0 in a switch
	depth    int       // of inlined functions
}

// An inlined function literal is where its results go and its end.
type inlined struct {
	results []int
	named   []*types.Var
	end     asm.Label
	sig     *types.Signature
}

// fn is a function while it is compiled.
type fn struct {
	c       *compiler
	node    ast.Node
	name    string
	sig     asm.Sig
	results *types.Signature
	body    []asm.Instr
	locals  []asm.Type
	params  int
	vars    map[*types.Var]*variable
	changes map[*types.Var]int  // how often a variable is written behind its declaration
	address map[*types.Var]bool // of which the address is taken
	fp      int                 // local with the frame's address, -1 before it is needed
	frame   int
	most    int
	label   asm.Label
	fault   asm.Label
	zero    asm.Label
	targets []target
	pending string // label of the statement that follows
	inline  []inlined
	sret    []int // locals with the addresses of aggregate results
	named   []*types.Var
	facts   facts
	own     bool // may fault by itself
	calls   bool // or by what it calls
	faults  bool
	tainted map[*types.Var]bool // may point to this function's own memory
	deep    bool                // and such a thing is kept behind an address
}

// function compiles one; nil if it was refused.
func (c *compiler) function(d funcDecl) *fn {
	object, ok := c.info.Defs[d.d.Name].(*types.Func)
	if !ok {
		c.errorf(d.d, "%s has no type", d.d.Name.Name)
		return nil
	}
	if _, is := intrinsics[d.u.path+"."+object.Name()]; is || object.FullName() == wideLoad {
		return nil
	}
	if d.d.Body == nil {
		c.errorf(d.d, "%s has no body in Go", object.Name())
		return nil
	}
	sig := object.Type().(*types.Signature)
	if sig.TypeParams() != nil || sig.RecvTypeParams() != nil {
		c.errorf(d.d, "a generic function is not in the subset: write one for each type")
		return nil
	}
	if sig.Variadic() {
		c.errorf(d.d, "... is not in the subset: take a slice")
		return nil
	}
	f := &fn{c: c, node: d.d, name: c.funcSymbol(object), results: sig, vars: map[*types.Var]*variable{}, fp: -1,
		changes: map[*types.Var]int{}, address: map[*types.Var]bool{}, tainted: map[*types.Var]bool{}}
	f.scan(d.d.Body)
	f.taintAll(d.d.Body)
	f.fault, f.zero = f.newLabel(), f.newLabel()
	result := asm.None
	var params []asm.Type
	for i := range sig.Results().Len() {
		t := sig.Results().At(i).Type()
		list, ok := parts(t)
		if !ok {
			c.errorf(d.d, "a result of type %s is not in the subset%s", t, instead(t))
			return nil
		}
		if aggregate(t) {
			f.sret = append(f.sret, f.newLocal(asm.I32))
			params = append(params, asm.I32)
			continue
		}
		if len(list) > 0 && result == asm.None {
			result = list[0]
		}
	}
	var copies []func()
	param := func(v *types.Var) {
		list, ok := parts(v.Type())
		if !ok {
			c.errorf(d.d, "a parameter of type %s is not in the subset%s", v.Type(), instead(v.Type()))
			return
		}
		var locals []int
		for _, t := range list {
			locals = append(locals, f.newLocal(t))
			params = append(params, t)
		}
		switch {
		case aggregate(v.Type()):
			from := place{t: v.Type(), base: locals[0]}
			copies = append(copies, func() {
				f.vars[v] = &variable{t: v.Type(), memory: f.newMemory(v.Type())}
				f.copyTo(*f.vars[v].memory, from)
			})
		case f.address[v]:
			copies = append(copies, func() {
				f.vars[v] = &variable{t: v.Type(), memory: f.newMemory(v.Type())}
				f.store(*f.vars[v].memory, func() { f.get(locals...) })
			})
		default:
			f.vars[v] = &variable{t: v.Type(), locals: locals}
		}
	}
	if sig.Recv() != nil {
		param(sig.Recv())
	}
	for v := range sig.Params().Variables() {
		param(v)
	}
	f.sig = asm.NewSig(result, params...)
	f.params = len(f.locals)
	for _, one := range copies {
		one()
	}
	for v := range sig.Results().Variables() {
		if v.Name() != "" {
			f.named = append(f.named, v)
			f.declare(v, d.d)
		}
	}
	if sig.Results().Len() > 0 && len(f.named) == 0 {
		f.named = nil
	}
	f.block(d.d.Body.List)
	if sig.Results().Len() == 0 {
		f.jump(asm.Br, f.zero)
	} else {
		f.emit(asm.Jump(asm.Br, f.zero)) // never reached
	}
	f.close()
	return f
}

// close puts the frame and the exits around a body.
func (f *fn) close() {
	body := f.body
	f.body = nil
	f.emit(asm.Block(asm.BlockOp, f.zero, asm.None), asm.Block(asm.BlockOp, f.fault, asm.None))
	size := (f.most + 15) &^ 15
	if f.fp >= 0 {
		f.own = true
		f.emit(asm.GetGlobal(stackTop), asm.Const(asm.I32, int64(size)), asm.Instr{Op: asm.I32Sub}, asm.Set(f.fp), asm.Get(f.fp),
			asm.Addr(StackSym, 0), asm.Instr{Op: asm.I32LtS}, asm.Jump(asm.BrIf, f.fault), asm.Get(f.fp), asm.SetGlobal(stackTop))
	}
	f.body = append(f.body, body...)
	f.emit(asm.Instr{Op: asm.End}, asm.Const(asm.I32, 1), asm.SetGlobal(FaultSym), asm.Instr{Op: asm.End})
	f.leave()
	first := true
	n := 0
	for v := range f.results.Results().Variables() {
		if aggregate(v.Type()) {
			continue
		}
		list, _ := parts(v.Type())
		for _, t := range list {
			f.emit(asm.Const(t, 0))
			if !first {
				f.emit(asm.SetGlobal(ResultSym(n, t)))
			}
			first = false
			n++
		}
	}
	// Whether there is a frame, and its size, is known now.
	body, f.body = f.body, nil
	for _, in := range body {
		switch {
		case in.Sym != frameMark:
			f.emit(in)
		case f.fp >= 0:
			f.emit(asm.Get(f.fp), asm.Const(asm.I32, int64(size)), asm.Instr{Op: asm.I32Add}, asm.SetGlobal(stackTop))
		}
	}
}

const frameMark = "subgo frame"

// leave gives the frame back, if there is one in the end; close fills it in.
func (f *fn) leave() { f.emit(asm.Instr{Op: asm.GlobalGet, Sym: frameMark}) }

// instead is what to write for a type that the subset does not have.
func instead(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Map:
		return ": use a sorted table"
	case *types.Interface:
		return ": use a type that is known"
	case *types.Chan:
		return ": there is one thread"
	case *types.Basic:
		if u.Kind() == types.Float32 {
			return ": use float64"
		}
	}
	return ""
}

// scan finds how variables are used.
func (f *fn) scan(body *ast.BlockStmt) {
	written(f.c.info, body, func(v *types.Var, n ast.Node) {
		f.changes[v]++
		switch n.(type) {
		case *ast.UnaryExpr, *ast.CallExpr:
			f.address[v] = true
		}
	})
}

func (f *fn) newLabel() asm.Label { f.label++; return f.label }

func (f *fn) newLocal(t asm.Type) int {
	f.locals = append(f.locals, t)
	return len(f.locals) - 1
}

func (f *fn) emit(in ...asm.Instr) { f.body = append(f.body, in...) }
func (f *fn) op(op asm.Op)         { f.body = append(f.body, asm.Instr{Op: op}) }
func (f *fn) num(v int64)          { f.emit(asm.Const(asm.I32, v)) }
func (f *fn) get(locals ...int) {
	for _, l := range locals {
		f.emit(asm.Get(l))
	}
}

// set pops parts into locals.
func (f *fn) set(locals ...int) {
	for i := len(locals) - 1; i >= 0; i-- {
		f.emit(asm.Set(locals[i]))
	}
}

func (f *fn) jump(op asm.Op, l asm.Label) {
	if l == f.fault {
		f.own = true
	}
	f.emit(asm.Jump(op, l))
}

func (f *fn) errorf(n ast.Node, format string, a ...any) { f.c.errorf(n, format, a...) }

func (f *fn) typeOf(e ast.Expr) types.Type {
	t := f.c.info.TypeOf(e)
	if t == nil {
		return types.Typ[types.Int]
	}
	return types.Default(t)
}

// pieces are the parts of a type, with an error for one that there is not.
func (f *fn) pieces(n ast.Node, t types.Type) []asm.Type {
	list, ok := parts(t)
	if !ok {
		f.errorf(n, "a value of type %s is not in the subset%s", t, instead(t))
	}
	return list
}

func (f *fn) push(r ref) {
	switch {
	case r.local >= 0:
		f.emit(asm.Get(r.local))
	case r.sym != "":
		f.emit(asm.Addr(r.sym, r.imm))
	default:
		f.emit(asm.Const(r.t, r.imm))
	}
}

// newMemory is a place in the frame. Places live as long as the block they are in.
func (f *fn) newMemory(t types.Type) *place {
	size, _ := f.c.layout(t)
	f.frame = (f.frame + 7) &^ 7
	p := &place{t: t, base: f.framePointer(), off: int64(f.frame)}
	f.frame += size
	f.most = max(f.most, f.frame)
	return p
}

func (f *fn) framePointer() int {
	if f.fp < 0 {
		f.fp = f.newLocal(asm.I32)
	}
	return f.fp
}

// declare makes a variable that is zero.
func (f *fn) declare(v *types.Var, n ast.Node) {
	f.bind(v, n)
	at := f.vars[v]
	if _, pointer := v.Type().Underlying().(*types.Pointer); pointer {
		f.errorf(n, "a pointer that is nil is not in the subset: declare it with its value")
	}
	switch {
	case at.memory != nil:
		f.clear(*at.memory)
	default:
		for _, l := range at.locals {
			f.emit(asm.Const(f.locals[l], 0), asm.Set(l))
		}
	}
}

// bind makes a variable without a value.
func (f *fn) bind(v *types.Var, n ast.Node) {
	list := f.pieces(n, v.Type())
	if aggregate(v.Type()) || f.address[v] && len(list) > 0 {
		f.vars[v] = &variable{t: v.Type(), memory: f.newMemory(v.Type())}
		return
	}
	nv := &variable{t: v.Type()}
	for _, t := range list {
		nv.locals = append(nv.locals, f.newLocal(t))
	}
	f.vars[v] = nv
}

// addressOf pushes the address of a place in memory.
func (f *fn) addressOf(p place) {
	if p.base < 0 {
		f.emit(asm.Addr(p.sym, p.off))
		return
	}
	f.get(p.base)
	if p.sym != "" {
		f.emit(asm.Addr(p.sym, p.off))
		f.op(asm.I32Add)
	} else if p.off != 0 {
		f.num(p.off)
		f.op(asm.I32Add)
	}
}

func (f *fn) base(p place) {
	if p.base < 0 {
		f.num(0)
		return
	}
	f.get(p.base)
}

// load pushes the value at a place, for an aggregate its address.
func (f *fn) load(p place) {
	list, _ := parts(p.t)
	switch {
	case p.refs != nil:
		for _, r := range p.refs {
			f.push(r)
		}
	case p.locals != nil:
		f.get(p.locals...)
	case p.globals != nil:
		for _, g := range p.globals {
			f.emit(asm.GetGlobal(g))
		}
	case aggregate(p.t):
		f.addressOf(p)
	default:
		size, _ := f.c.layout(p.t)
		for i, t := range list {
			f.base(p)
			if len(list) > 1 {
				size = 4
			}
			f.emit(asm.Mem(loadOp(t, size, sizeSigned(p.t)), p.sym, p.off+int64(4*i)))
		}
	}
}

// store puts what value pushes into a place.
func (f *fn) store(p place, value func()) {
	list, _ := parts(p.t)
	switch {
	case aggregate(p.t):
		value()
		from := f.newLocal(asm.I32)
		f.set(from)
		f.copyTo(p, place{t: p.t, base: from})
	case p.locals != nil || len(list) == 0:
		value()
		f.set(p.locals...)
	case p.globals != nil:
		value()
		for i := len(p.globals) - 1; i >= 0; i-- {
			f.emit(asm.SetGlobal(p.globals[i]))
		}
	case p.refs != nil:
		f.errorf(f.node, "a constant is written")
	case len(list) == 1:
		size, _ := f.c.layout(p.t)
		f.base(p)
		value()
		f.emit(asm.Mem(storeOp(list[0], size), p.sym, p.off))
	default:
		value()
		var temps []int
		for _, t := range list {
			temps = append(temps, f.newLocal(t))
		}
		f.set(temps...)
		for i, t := range list {
			f.base(p)
			f.get(temps[i])
			f.emit(asm.Mem(storeOp(t, 4), p.sym, p.off+int64(4*i)))
		}
	}
}

// copyTo copies an aggregate.
func (f *fn) copyTo(to, from place) {
	size, _ := f.c.layout(to.t)
	if size <= 32 {
		f.words(size, func(at int64, t asm.Type, width int) {
			f.base(to)
			f.base(from)
			f.emit(asm.Mem(loadOp(t, width, false), from.sym, from.off+at), asm.Mem(storeOp(t, width), to.sym, to.off+at))
		})
		return
	}
	f.addressOf(to)
	f.addressOf(from)
	f.num(int64(size))
	f.emit(asm.Call("subgo.copy"))
}

// clear zeroes a place in memory.
func (f *fn) clear(p place) {
	size, _ := f.c.layout(p.t)
	if size <= 32 {
		f.words(size, func(at int64, t asm.Type, width int) {
			f.base(p)
			f.emit(asm.Const(t, 0), asm.Mem(storeOp(t, width), p.sym, p.off+at))
		})
		return
	}
	f.addressOf(p)
	f.num(int64(size))
	f.emit(asm.Call("subgo.zero"))
}

func (f *fn) words(size int, do func(at int64, t asm.Type, width int)) {
	at := 0
	for _, w := range []int{8, 4, 2, 1} {
		for ; size-at >= w; at += w {
			t := asm.I32
			if w == 8 {
				t = asm.I64
			}
			do(int64(at), t, w)
		}
	}
}

// refs evaluates an expression to parts that can be pushed any number of times.
func (f *fn) refs(e ast.Expr) []ref {
	e = ast.Unparen(e)
	t := f.typeOf(e)
	if tv := f.c.info.Types[e]; tv.Value != nil {
		return f.constant(tv.Value, t)
	}
	if seq := f.lenOf(e); seq != nil {
		return []ref{{local: f.vars[seq].locals[1], t: asm.I32}}
	}
	if id, ok := e.(*ast.Ident); ok {
		p := f.place(id)
		if p.refs != nil {
			return p.refs
		}
		if p.locals != nil {
			var out []ref
			for _, l := range p.locals {
				out = append(out, ref{local: l, t: f.locals[l]})
			}
			return out
		}
	}
	list := f.pieces(e, t)
	f.expr(e)
	return f.hold(list)
}

// hold pops parts into new locals.
func (f *fn) hold(list []asm.Type) []ref {
	out := make([]ref, len(list))
	for i, t := range list {
		out[i] = ref{local: f.newLocal(t), t: t}
	}
	for i := len(out) - 1; i >= 0; i-- {
		f.emit(asm.Set(out[i].local))
	}
	return out
}

func (f *fn) constant(v constant.Value, t types.Type) []ref {
	if v.Kind() == constant.String {
		s := constant.StringVal(v)
		r := ref{local: -1, t: asm.I32}
		if s != "" {
			r.sym = f.c.textData(s)
		}
		return []ref{r, {local: -1, t: asm.I32, imm: int64(len(s))}}
	}
	list, _ := parts(t)
	if len(list) == 0 {
		return nil
	}
	bits := bitsOf(v, t)
	if list[0] == asm.I32 {
		bits = int64(int32(bits))
	}
	return []ref{{local: -1, t: list[0], imm: bits}}
}

// place is where an expression is kept.
func (f *fn) place(e ast.Expr) place {
	bad := place{t: f.typeOf(e), base: -1}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return f.place(e.X)
	case *ast.Ident:
		v, ok := f.c.info.ObjectOf(e).(*types.Var)
		if !ok {
			break
		}
		return f.variable(v, e)
	case *ast.SelectorExpr:
		s := f.c.info.Selections[e]
		if s == nil {
			if v, ok := f.c.info.Uses[e.Sel].(*types.Var); ok {
				return f.variable(v, e)
			}
			break
		}
		if s.Kind() != types.FieldVal || len(s.Index()) != 1 {
			f.errorf(e, "a field of an embedded struct is not in the subset: name the struct")
			return bad
		}
		p := f.target(e.X)
		u, ok := p.t.Underlying().(*types.Struct)
		if !ok {
			break
		}
		p.off += int64(f.c.fieldOffset(u, s.Index()[0]))
		p.t = s.Obj().Type()
		if _, is := parts(p.t); is && len(f.pieces(e, p.t)) == 0 {
			p.locals = []int{}
		}
		return p
	case *ast.StarExpr:
		return f.target(e.X)
	case *ast.IndexExpr:
		return f.index(e)
	case *ast.CompositeLit:
		if d := f.constantLit(e); d != "" {
			return place{t: f.typeOf(e), base: -1, sym: d}
		}
		p := *f.newMemory(f.typeOf(e))
		f.literal(e, p)
		return p
	default:
		if aggregate(f.typeOf(e)) {
			f.expr(e)
			base := f.newLocal(asm.I32)
			f.set(base)
			return place{t: f.typeOf(e), base: base}
		}
	}
	f.errorf(e, "this is nothing that can be set or read in place")
	return bad
}

// target is the place of a struct or array, or the one that a pointer points to.
func (f *fn) target(e ast.Expr) place {
	if p, ok := f.typeOf(e).Underlying().(*types.Pointer); ok {
		r := f.refs(e)
		if len(r) == 1 && r[0].local < 0 {
			return place{t: p.Elem(), base: -1, sym: r[0].sym, off: r[0].imm}
		}
		if len(r) == 1 {
			return place{t: p.Elem(), base: r[0].local}
		}
	}
	return f.place(e)
}

func (f *fn) variable(v *types.Var, n ast.Node) place {
	if lv := f.vars[v]; lv != nil {
		if lv.memory != nil {
			return *lv.memory
		}
		if lv.lit != nil {
			f.errorf(n, "a function literal can only be called: pass a function of the package")
		}
		return place{t: lv.t, locals: append([]int{}, lv.locals...), base: -1}
	}
	pv := f.c.vars[v]
	if pv == nil {
		f.errorf(n, "%s is not in the subset", v.Name())
		return place{t: v.Type(), base: -1, locals: []int{}}
	}
	if pv.extern {
		f.errorf(n, externOnly, v.Name())
		return place{t: v.Type(), base: -1, refs: []ref{{local: -1, t: asm.I32}}}
	}
	if aggregate(v.Type()) {
		return place{t: v.Type(), base: -1, sym: f.c.memory(pv)}
	}
	f.c.resolve(pv)
	if pv.text != nil {
		return place{t: v.Type(), base: -1, refs: f.constant(constant.MakeString(*pv.text), v.Type())}
	}
	if pv.refs != nil {
		return place{t: v.Type(), base: -1, refs: pv.refs}
	}
	return place{t: v.Type(), base: -1, globals: append([]string{}, pv.parts...)}
}

// index is the place of an element.
func (f *fn) index(e *ast.IndexExpr) place {
	t := f.typeOf(e.X)
	var p place
	var length ref
	elem := types.Type(types.Typ[types.Uint8])
	key, fixed := seqOf(f, e.X), int64(-1)
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		a, ok := u.Elem().Underlying().(*types.Array)
		if !ok {
			break
		}
		p, elem, fixed = f.target(e.X), a.Elem(), a.Len()
	case *types.Array:
		p, elem, fixed = f.place(e.X), u.Elem(), u.Len()
	default:
		if s, ok := u.(*types.Slice); ok {
			elem = s.Elem()
		} else if b, ok := u.(*types.Basic); !ok || b.Info()&types.IsString == 0 {
			f.errorf(e, "an index into %s is not in the subset%s", t, instead(t))
			return place{t: f.typeOf(e), base: -1, locals: []int{}}
		}
		r := f.refs(e.X)
		p.base, length = -1, r[1]
		if r[0].local >= 0 {
			p.base = r[0].local
		} else {
			p.sym, p.off = r[0].sym, r[0].imm
			fixed = r[1].imm
		}
		if r[1].local < 0 {
			fixed = r[1].imm
		}
	}
	if fixed >= 0 {
		length = ref{local: -1, t: asm.I32, imm: fixed}
	}
	p.t, p.locals = elem, nil
	size, _ := f.c.layout(elem)
	if len(f.pieces(e.Index, f.typeOf(e.Index))) != 1 || f.pieces(e.Index, f.typeOf(e.Index))[0] != asm.I32 {
		f.errorf(e.Index, "an index of 64 bits is not in the subset: convert it to int")
		return p
	}
	low, high := f.bounds(e.Index)
	proven := fixed >= 0 && low >= 0 && high < fixed || f.below(e.Index, key)
	if tv := f.c.info.Types[e.Index]; tv.Value != nil {
		n := low
		if !proven {
			f.push(length)
			f.num(n)
			f.op(asm.I32LeU)
			f.jump(asm.BrIf, f.fault)
		}
		p.off += n * int64(size)
		return p
	}
	if p.base >= 0 {
		f.get(p.base)
	}
	if proven {
		f.expr(e.Index)
	} else {
		i := f.refs(e.Index)[0]
		f.push(i)
		f.push(length)
		f.op(asm.I32GeU)
		f.jump(asm.BrIf, f.fault)
		f.push(i)
	}
	f.scale(size)
	if p.base >= 0 {
		f.op(asm.I32Add)
	}
	p.base = f.newLocal(asm.I32)
	f.set(p.base)
	return p
}

// scale multiplies what is on top.
func (f *fn) scale(size int) {
	if size == 1 {
		return
	}
	if size&(size-1) == 0 {
		n := 0
		for 1<<n < size {
			n++
		}
		f.num(int64(n))
		f.op(asm.I32Shl)
		return
	}
	f.num(int64(size))
	f.op(asm.I32Mul)
}

// constantLit is the data of an array of constants that is only read, "" if it is none.
func (f *fn) constantLit(e *ast.CompositeLit) string {
	a, ok := f.typeOf(e).Underlying().(*types.Array)
	if !ok || !f.allConstant(e) {
		return ""
	}
	size, align := f.c.layout(a)
	d := &asm.Data{Bytes: make([]byte, size), Size: size, Align: align, Const: true}
	if !f.c.static(e, a, d, 0) {
		return ""
	}
	return f.c.addData(d, e)
}

func (f *fn) allConstant(e *ast.CompositeLit) bool {
	for _, x := range e.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			x = kv.Value
		}
		if l, ok := x.(*ast.CompositeLit); ok {
			if _, array := f.typeOf(l).Underlying().(*types.Array); !array || !f.allConstant(l) {
				return false
			}
			continue
		}
		if f.c.info.Types[x].Value == nil {
			return false
		}
	}
	return len(e.Elts) > 0
}

// literal puts an array or struct into a place.
func (f *fn) literal(e *ast.CompositeLit, p place) {
	if d := f.constantLit(e); d != "" {
		f.copyTo(p, place{t: p.t, base: -1, sym: d})
		return
	}
	f.clear(p)
	into := func(x ast.Expr, q place) {
		if l, ok := x.(*ast.CompositeLit); ok && aggregate(q.t) {
			f.literal(l, q)
			return
		}
		f.store(q, func() { f.expr(x) })
	}
	switch u := p.t.Underlying().(type) {
	case *types.Array:
		size, _ := f.c.layout(u.Elem())
		f.c.elements(e, func(i int, x ast.Expr) bool {
			q := p
			q.t, q.off = u.Elem(), p.off+int64(i*size)
			into(x, q)
			return true
		})
	case *types.Struct:
		for i, x := range e.Elts {
			field := i
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
				for j := range u.NumFields() {
					if u.Field(j).Name() == kv.Key.(*ast.Ident).Name {
						field = j
					}
				}
			}
			q := p
			q.t, q.off = u.Field(field).Type(), p.off+int64(f.c.fieldOffset(u, field))
			into(x, q)
		}
	}
}

// expr pushes the value of an expression.
func (f *fn) expr(e ast.Expr) {
	t := f.typeOf(e)
	if tv := f.c.info.Types[e]; tv.Value != nil {
		for _, r := range f.constant(tv.Value, t) {
			f.push(r)
		}
		return
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		f.expr(e.X)
	case *ast.Ident, *ast.SelectorExpr:
		id, ok := e.(*ast.Ident)
		if s, is := e.(*ast.SelectorExpr); is {
			id, ok = s.Sel, true
			if m := f.c.info.Selections[s]; m != nil && m.Kind() != types.FieldVal {
				f.errorf(e, "a method as a value is not in the subset: call it")
				return
			}
		}
		if _, null := f.c.info.Uses[id].(*types.Nil); ok && null {
			f.errorf(e, "nil is not in the subset here")
			return
		}
		if fun, is := f.c.info.Uses[id].(*types.Func); ok && is {
			if len(intrinsics[fun.FullName()]) > 0 || fun.FullName() == wideLoad {
				f.errorf(e, "%s can only be called: wrap it", fun.FullName())
			}
			f.emit(asm.Addr(f.c.funcSymbol(fun), 0))
			return
		}
		f.load(f.place(e))
	case *ast.UnaryExpr:
		f.unary(e)
	case *ast.BinaryExpr:
		f.binary(e)
	case *ast.IndexExpr, *ast.StarExpr, *ast.CompositeLit:
		if l, ok := e.(*ast.CompositeLit); ok {
			if s, slice := t.Underlying().(*types.Slice); slice {
				name, n, ok := f.c.table(l, s.Elem(), true)
				if ok {
					f.emit(asm.Addr(name, 0))
					f.num(int64(n))
				}
				return
			}
			if len(f.pieces(e, t)) == 0 {
				return
			}
		}
		f.load(f.place(e))
	case *ast.SliceExpr:
		f.slice(e)
	case *ast.CallExpr:
		f.call(e)
	case *ast.FuncLit:
		f.errorf(e, "a function literal that is stored or passed on is not in the subset: make it a function of the package")
	default:
		f.errorf(e, "this expression is not in the subset")
	}
}

func (f *fn) unary(e *ast.UnaryExpr) {
	t := f.typeOf(e)
	at := f.pieces(e, t)
	if len(at) != 1 {
		return
	}
	switch e.Op {
	case token.ADD:
		f.expr(e.X)
	case token.NOT:
		f.expr(e.X)
		f.op(asm.I32Eqz)
	case token.SUB:
		switch at[0] {
		case asm.F64:
			f.expr(e.X)
			f.op(asm.F64Neg)
		case asm.I64:
			f.emit(asm.Const(asm.I64, 0))
			f.expr(e.X)
			f.op(asm.I64Sub)
		default:
			f.num(0)
			f.expr(e.X)
			f.op(asm.I32Sub)
			f.wrap(t)
		}
	case token.XOR:
		f.expr(e.X)
		f.emit(asm.Const(at[0], -1))
		if at[0] == asm.I64 {
			f.op(asm.I64Xor)
		} else {
			f.op(asm.I32Xor)
			f.wrap(t)
		}
	case token.AND:
		if l, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok {
			p := *f.newMemory(f.typeOf(l))
			f.literal(l, p)
			f.addressOf(p)
			return
		}
		p := f.place(e.X)
		if p.locals != nil || p.globals != nil || p.refs != nil {
			f.errorf(e, "the address of this variable is not in the subset: put it into a struct or an array")
			return
		}
		f.addressOf(p)
	default:
		f.errorf(e, "%s is not in the subset", e.Op)
	}
}

// wrap brings a number of 8 or 16 bits back into its range.
func (f *fn) wrap(t types.Type) {
	size, _ := f.c.layout(t)
	b, ok := t.Underlying().(*types.Basic)
	if !ok || size >= 4 || b.Info()&types.IsInteger == 0 {
		return
	}
	if b.Info()&types.IsUnsigned != 0 {
		f.num(1<<(8*size) - 1)
		f.op(asm.I32And)
		return
	}
	f.num(int64(32 - 8*size))
	f.op(asm.I32Shl)
	f.num(int64(32 - 8*size))
	f.op(asm.I32ShrS)
}

// binary pushes the value of two operands.
func (f *fn) binary(e *ast.BinaryExpr) {
	switch e.Op {
	case token.LAND, token.LOR:
		if f.span(e) {
			return
		}
		f.expr(e.X)
		if f.cheap(e.Y) {
			f.expr(e.Y)
			if e.Op == token.LAND {
				f.op(asm.I32And)
			} else {
				f.op(asm.I32Or)
			}
			return
		}
		f.emit(asm.Block(asm.If, f.newLabel(), asm.I32))
		mark := f.facts
		if e.Op == token.LAND {
			f.learn(e.X, true)
			f.expr(e.Y)
			f.op(asm.Else)
			f.num(0)
		} else {
			f.num(1)
			f.op(asm.Else)
			f.learn(e.X, false)
			f.expr(e.Y)
		}
		f.facts = mark
		f.op(asm.End)
		return
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		f.compare(e.Op, e.X, e.Y)
		return
	}
	f.arith(e, e.Op, f.typeOf(e), e.X, func() { f.expr(e.X) }, e.Y)
}

var compareOps = map[token.Token][4]asm.Op{ // signed, unsigned, 64 bit; floats below
	token.EQL: {asm.I32Eq, asm.I32Eq, asm.I64Eq, asm.I64Eq},
	token.NEQ: {asm.I32Ne, asm.I32Ne, asm.I64Ne, asm.I64Ne},
	token.LSS: {asm.I32LtS, asm.I32LtU, asm.I64LtS, asm.I64LtU},
	token.LEQ: {asm.I32LeS, asm.I32LeU, asm.I64LeS, asm.I64LeU},
	token.GTR: {asm.I32GtS, asm.I32GtU, asm.I64GtS, asm.I64GtU},
	token.GEQ: {asm.I32GeS, asm.I32GeU, asm.I64GeS, asm.I64GeU},
}

var floatOps = map[token.Token]asm.Op{
	token.EQL: asm.F64Eq, token.NEQ: asm.F64Ne, token.LSS: asm.F64Lt, token.LEQ: asm.F64Le, token.GTR: asm.F64Gt, token.GEQ: asm.F64Ge,
	token.ADD: asm.F64Add, token.SUB: asm.F64Sub, token.MUL: asm.F64Mul, token.QUO: asm.F64Div,
}

func (f *fn) compare(op token.Token, x, y ast.Expr) {
	t := f.typeOf(x)
	isNil := func(e ast.Expr) bool {
		b, ok := f.c.info.TypeOf(e).(*types.Basic)
		return ok && b.Kind() == types.UntypedNil
	}
	if isNil(x) {
		x, y = y, x
		t = f.typeOf(x)
	}
	if isNil(y) {
		f.errorf(y, "a comparison with nil is not in the subset: compare the length")
		return
	}
	if f.c.info.Types[x].Value != nil && f.c.info.Types[y].Value == nil {
		t = f.typeOf(y)
	}
	list := f.pieces(x, t)
	switch {
	case aggregate(t):
		a, ok := t.Underlying().(*types.Array)
		if b, basic := a.Elem().Underlying().(*types.Basic); !ok || !basic || b.Info()&(types.IsInteger|types.IsBoolean) == 0 {
			f.errorf(x, "a comparison of %s is not in the subset: compare the parts", t)
			return
		}
		size, _ := f.c.layout(t)
		f.expr(x)
		f.num(int64(size))
		f.expr(y)
		f.num(int64(size))
		f.emit(asm.Call("subgo.equal"))
		if op == token.NEQ {
			f.op(asm.I32Eqz)
		}
	case len(list) == 2:
		f.compareText(op, x, y)
	case len(list) == 1 && list[0] == asm.F64:
		f.expr(x)
		f.expr(y)
		f.op(floatOps[op])
	case len(list) == 1:
		f.expr(x)
		f.expr(y)
		f.op(f.comparison(op, t))
	}
}

func (f *fn) comparison(op token.Token, t types.Type) asm.Op {
	i := 0
	if size, _ := f.c.layout(t); size == 8 {
		i = 2
	}
	if !sizeSigned(t) {
		i++
	}
	return compareOps[op][i]
}

// compareText compares texts.
func (f *fn) compareText(op token.Token, x, y ast.Expr) {
	x, y = f.bytesOf(x), f.bytesOf(y)
	if v := f.c.info.Types[x].Value; v != nil && (op == token.EQL || op == token.NEQ) {
		x, y = y, x
	}
	if v := f.c.info.Types[y].Value; v != nil && (op == token.EQL || op == token.NEQ) {
		r := f.refs(x)
		f.equalConstant(r, constant.StringVal(v))
		if op == token.NEQ {
			f.op(asm.I32Eqz)
		}
		return
	}
	f.expr(x)
	f.expr(y)
	if op == token.EQL || op == token.NEQ {
		f.emit(asm.Call("subgo.equal"))
		if op == token.NEQ {
			f.op(asm.I32Eqz)
		}
		return
	}
	f.emit(asm.Call("subgo.compare"))
	f.num(0)
	f.op(compareOps[op][0])
}

// equalConstant pushes whether a text is a constant one.
func (f *fn) equalConstant(r []ref, s string) {
	if s == "" {
		f.push(r[1])
		f.op(asm.I32Eqz)
		return
	}
	var op, eq asm.Op
	t, value := asm.I32, int64(0)
	for i := len(s) - 1; i >= 0 && len(s) <= 8; i-- {
		value = value<<8 | int64(s[i])
	}
	switch len(s) {
	case 1:
		op, eq = asm.I32Load8U, asm.I32Eq
	case 2:
		op, eq = asm.I32Load16U, asm.I32Eq
	case 4:
		op, eq = asm.I32Load, asm.I32Eq
	case 8:
		t, op, eq = asm.I64, asm.I64Load, asm.I64Eq
	default:
		f.push(r[0])
		f.push(r[1])
		for _, c := range f.constant(constant.MakeString(s), types.Typ[types.String]) {
			f.push(c)
		}
		f.emit(asm.Call("subgo.equal"))
		return
	}
	f.push(r[1])
	f.num(int64(len(s)))
	f.op(asm.I32Eq)
	f.emit(asm.Block(asm.If, f.newLabel(), asm.I32))
	f.push(r[0])
	f.emit(asm.Mem(op, "", 0), asm.Const(t, value))
	f.op(eq)
	f.op(asm.Else)
	f.num(0)
	f.op(asm.End)
}

// arith pushes x op y; pushX pushes the first operand, and x is it, or nil if its range
// is not known.
func (f *fn) arith(n ast.Node, op token.Token, t types.Type, x ast.Expr, pushX func(), y ast.Expr) {
	list := f.pieces(n, t)
	if len(list) != 1 {
		if len(list) == 2 {
			f.errorf(n, "texts cannot be joined, nothing allocates: write into an array")
		}
		return
	}
	long := list[0] == asm.I64
	unsigned := !sizeSigned(t)
	pick := func(a, b asm.Op) asm.Op {
		if long {
			return b
		}
		return a
	}
	if list[0] == asm.F64 {
		pushX()
		f.expr(y)
		if floatOps[op] == 0 {
			f.errorf(n, "%s is not in the subset", op)
		}
		f.op(floatOps[op])
		return
	}
	if op == token.SHL || op == token.SHR {
		f.shift(n, op, t, long, unsigned, pushX, y)
		return
	}
	pushX()
	switch op {
	case token.ADD:
		f.expr(y)
		f.op(pick(asm.I32Add, asm.I64Add))
	case token.SUB:
		f.expr(y)
		f.op(pick(asm.I32Sub, asm.I64Sub))
	case token.MUL:
		f.expr(y)
		f.op(pick(asm.I32Mul, asm.I64Mul))
	case token.AND:
		f.expr(y)
		f.op(pick(asm.I32And, asm.I64And))
		return
	case token.OR:
		f.expr(y)
		f.op(pick(asm.I32Or, asm.I64Or))
		return
	case token.XOR:
		f.expr(y)
		f.op(pick(asm.I32Xor, asm.I64Xor))
		return
	case token.AND_NOT:
		f.expr(y)
		f.emit(asm.Const(list[0], -1))
		f.op(pick(asm.I32Xor, asm.I64Xor))
		f.op(pick(asm.I32And, asm.I64And))
		return
	case token.QUO, token.REM:
		f.divide(op, list[0], long, unsigned, x, y)
		if op == token.REM || unsigned {
			return
		}
	default:
		f.errorf(n, "%s is not in the subset", op)
	}
	if size, _ := f.c.layout(t); size < 4 && x != nil {
		if b, ok := n.(*ast.BinaryExpr); ok {
			if low, high := f.plainBounds(b); fits(low, high, t) {
				return
			}
		}
	}
	f.wrap(t)
}

// divide divides what is on the stack by y.
func (f *fn) divide(op token.Token, at asm.Type, long, unsigned bool, x, y ast.Expr) {
	pick := func(a, b asm.Op) asm.Op {
		if long {
			return b
		}
		return a
	}
	if x != nil && !unsigned {
		// Dividing what has no sign is quicker, and never overflows.
		xl, _ := f.bounds(x)
		yl, _ := f.bounds(y)
		unsigned = xl >= 0 && yl >= 0
	}
	var do asm.Op
	switch {
	case op == token.QUO && unsigned:
		do = pick(asm.I32DivU, asm.I64DivU)
	case op == token.QUO:
		do = pick(asm.I32DivS, asm.I64DivS)
	case unsigned:
		do = pick(asm.I32RemU, asm.I64RemU)
	default:
		do = pick(asm.I32RemS, asm.I64RemS)
	}
	minus := pick(asm.I32Sub, asm.I64Sub)
	if v := f.c.info.Types[y].Value; v != nil {
		n := bitsOf(v, f.typeOf(y))
		if n == -1 && op == token.QUO && !unsigned { // MinInt / -1 would trap
			a := f.hold([]asm.Type{at})[0]
			f.emit(asm.Const(at, 0))
			f.push(a)
			f.op(minus)
			return
		}
		f.expr(y)
		f.op(do)
		return
	}
	low, high := f.bounds(y)
	zero := low <= 0 && high >= 0
	negative := op == token.QUO && !unsigned && low <= -1 && high >= -1
	if !zero && !negative {
		f.expr(y)
		f.op(do)
		return
	}
	f.expr(y)
	r := f.hold([]asm.Type{at, at})
	a, b := r[0], r[1]
	if zero {
		f.push(b)
		f.op(pick(asm.I32Eqz, asm.I64Eqz))
		f.jump(asm.BrIf, f.fault)
	}
	if negative {
		f.push(b)
		f.emit(asm.Const(at, -1))
		f.op(pick(asm.I32Eq, asm.I64Eq))
		f.emit(asm.Block(asm.If, f.newLabel(), at), asm.Const(at, 0))
		f.push(a)
		f.op(minus)
		f.op(asm.Else)
	}
	f.push(a)
	f.push(b)
	f.op(do)
	if negative {
		f.op(asm.End)
	}
}

// shift pushes x shifted by y, which may be more than x has bits.
func (f *fn) shift(n ast.Node, op token.Token, t types.Type, long, unsigned bool, pushX func(), y ast.Expr) {
	at, do := asm.I32, asm.I32Shl
	bits := int64(32)
	switch {
	case op == token.SHR && unsigned:
		do = asm.I32ShrU
	case op == token.SHR:
		do = asm.I32ShrS
	}
	if long {
		at, do, bits = asm.I64, do+(asm.I64Shl-asm.I32Shl), 64
	}
	yt := f.typeOf(y)
	low, high := f.bounds(y)
	count := func(r *ref) {
		if r != nil {
			f.push(*r)
		} else {
			f.expr(y)
		}
		yLong := f.pieces(y, yt)[0] == asm.I64
		if long && !yLong {
			f.op(asm.I64ExtendI32U)
		} else if !long && yLong {
			f.op(asm.I32WrapI64)
		}
	}
	switch {
	case low >= 0 && high < bits:
		pushX()
		count(nil)
		f.op(do)
	case low >= bits && op == token.SHL:
		pushX()
		f.op(asm.Drop)
		f.emit(asm.Const(at, 0))
	default:
		r := f.refs(y)[0]
		limit := func(v int64, o32, o64 asm.Op) {
			f.push(r)
			f.emit(asm.Const(r.t, v))
			if r.t == asm.I64 {
				o32 = o64
			}
			f.op(o32)
		}
		if sizeSigned(yt) && low < 0 {
			limit(0, asm.I32LtS, asm.I64LtS)
			f.jump(asm.BrIf, f.fault)
		}
		// Too far: the sign of a signed number, zero otherwise.
		pushX()
		if op == token.SHR && !unsigned {
			x := f.hold([]asm.Type{at})[0]
			f.push(x)
			count(&r)
			f.op(do)
			f.push(x)
			f.emit(asm.Const(at, bits-1))
			f.op(do)
		} else {
			count(&r)
			f.op(do)
			f.emit(asm.Const(at, 0))
		}
		limit(bits, asm.I32LtU, asm.I64LtU)
		f.op(asm.Select)
	}
	if op == token.SHL {
		f.wrap(t)
	}
}

// slice pushes a part of a text, slice or array.
func (f *fn) slice(e *ast.SliceExpr) {
	if e.Slice3 {
		f.errorf(e, "a capacity is not in the subset")
		return
	}
	t := f.typeOf(e.X)
	size := 1
	var from, length ref
	key := seqOf(f, e.X)
	fixed := func(p place, a *types.Array) {
		size, _ = f.c.layout(a.Elem())
		f.addressOf(p)
		from = f.hold([]asm.Type{asm.I32})[0]
		length = ref{local: -1, t: asm.I32, imm: a.Len()}
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		fixed(f.place(e.X), u)
	case *types.Pointer:
		a, ok := u.Elem().Underlying().(*types.Array)
		if !ok {
			return
		}
		fixed(f.target(e.X), a)
	default:
		if s, ok := u.(*types.Slice); ok {
			size, _ = f.c.layout(s.Elem())
		}
		r := f.refs(e.X)
		if len(r) != 2 {
			return
		}
		from, length = r[0], r[1]
	}
	low, high := ref{local: -1, t: asm.I32}, length
	highProven, lowProven := true, true
	limit := func(x ast.Expr) (ref, bool) {
		l, h := f.bounds(x)
		n := length.imm
		if length.local >= 0 {
			n = -1
		}
		return f.refs(x)[0], l >= 0 && h <= n || f.within(x, key)
	}
	if e.High != nil {
		high, highProven = limit(e.High)
	}
	if e.Low != nil {
		low, lowProven = limit(e.Low)
		if l, h := f.bounds(e.Low); e.High != nil {
			hl, _ := f.bounds(e.High)
			lowProven = l >= 0 && h <= hl
		}
	}
	if !highProven {
		f.push(high)
		f.push(length)
		f.op(asm.I32GtU)
		f.jump(asm.BrIf, f.fault)
	}
	if !lowProven {
		f.push(low)
		f.push(high)
		f.op(asm.I32GtU)
		f.jump(asm.BrIf, f.fault)
	}
	f.push(from)
	if e.Low != nil {
		f.push(low)
		f.scale(size)
		f.op(asm.I32Add)
	}
	f.push(high)
	if e.Low != nil {
		f.push(low)
		f.op(asm.I32Sub)
	}
}
