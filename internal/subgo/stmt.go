package subgo

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/privetdev/privet/internal/asm"
)

// block compiles statements; what is known in it, and its places in the frame, end with it.
func (f *fn) block(list []ast.Stmt) {
	facts, frame := f.facts, f.frame
	for _, s := range list {
		f.stmt(s)
	}
	f.facts, f.frame = facts, frame
}

func (f *fn) stmt(s ast.Stmt) {
	label := f.pending
	f.pending = ""
	switch s := s.(type) {
	case *ast.BlockStmt:
		f.block(s.List)
	case *ast.EmptyStmt:
	case *ast.LabeledStmt:
		f.pending = s.Label.Name
		f.stmt(s.Stmt)
		f.pending = ""
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			f.errorf(s, "this statement is not in the subset")
			return
		}
		for range f.call(call) {
			f.op(asm.Drop)
		}
	case *ast.DeclStmt:
		f.declaration(s.Decl.(*ast.GenDecl))
	case *ast.AssignStmt:
		f.assign(s)
	case *ast.IncDecStmt:
		op := token.ADD
		if s.Tok == token.DEC {
			op = token.SUB
		}
		one := &ast.BasicLit{ValuePos: s.Pos(), Kind: token.INT, Value: "1"}
		f.c.info.Types[one] = types.TypeAndValue{Type: f.typeOf(s.X), Value: one1(f.typeOf(s.X))}
		f.update(s, op, s.X, one)
	case *ast.ReturnStmt:
		f.ret(s)
	case *ast.IfStmt:
		f.ifStmt(s)
	case *ast.ForStmt:
		f.forStmt(s, label)
	case *ast.RangeStmt:
		f.rangeStmt(s, label)
	case *ast.SwitchStmt:
		f.switchStmt(s, label)
	case *ast.BranchStmt:
		if l, ok := f.branch(s); ok {
			f.jump(asm.Br, l)
		}
	case *ast.DeferStmt, *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.TypeSwitchStmt:
		f.errorf(s, "this statement is not in the subset: there is one thread, and nothing to clean up")
	default:
		f.errorf(s, "this statement is not in the subset")
	}
}

// branch is where a break or continue goes.
func (f *fn) branch(s *ast.BranchStmt) (asm.Label, bool) {
	if s.Tok == token.BREAK || s.Tok == token.CONTINUE {
		for i := len(f.targets) - 1; i >= 0; i-- {
			t := f.targets[i]
			if t.depth != len(f.inline) || s.Label != nil && s.Label.Name != t.name || s.Label == nil && s.Tok == token.CONTINUE && t.cnt == 0 {
				continue
			}
			if s.Tok == token.BREAK {
				return t.brk, true
			}
			return t.cnt, true
		}
	}
	f.errorf(s, "%s is not in the subset: use loops and conditions", s.Tok)
	return 0, false
}

func (f *fn) declaration(d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		s := spec.(*ast.ValueSpec)
		if len(s.Values) == 0 {
			for _, n := range s.Names {
				if v, ok := f.c.info.Defs[n].(*types.Var); ok {
					f.declare(v, n)
				}
			}
			continue
		}
		var left []ast.Expr
		for _, n := range s.Names {
			left = append(left, n)
		}
		f.assignAll(s, left, s.Values)
	}
}

func (f *fn) assign(s *ast.AssignStmt) {
	if s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
		f.update(s, operators[s.Tok], s.Lhs[0], s.Rhs[0])
		return
	}
	f.assignAll(s, s.Lhs, s.Rhs)
}

var operators = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL, token.QUO_ASSIGN: token.QUO, token.REM_ASSIGN: token.REM,
	token.AND_ASSIGN: token.AND, token.OR_ASSIGN: token.OR, token.XOR_ASSIGN: token.XOR, token.SHL_ASSIGN: token.SHL, token.SHR_ASSIGN: token.SHR, token.AND_NOT_ASSIGN: token.AND_NOT,
}

// update is x op= y.
func (f *fn) update(s ast.Stmt, op token.Token, x, y ast.Expr) {
	p := f.place(x)
	f.store(p, func() { f.arith(s, op, f.typeOf(x), x, func() { f.load(p) }, y) })
}

func isBlank(e ast.Expr) bool { id := identOf(e); return id != nil && id.Name == "_" }

// assignAll sets places, or makes variables.
func (f *fn) assignAll(n ast.Node, left, right []ast.Expr) {
	fresh := func(e ast.Expr) *types.Var {
		if id := identOf(e); id != nil {
			v, _ := f.c.info.Defs[id].(*types.Var)
			return v
		}
		return nil
	}
	allFresh := true
	for _, l := range left {
		allFresh = allFresh && (isBlank(l) || fresh(l) != nil)
	}
	if len(left) == len(right) && (len(left) == 1 || allFresh) {
		for i, l := range left {
			f.one(l, fresh(l), right[i])
		}
		return
	}
	// Places first, then all values, then stores from the last to the first.
	places := make([]place, len(left))
	for i, l := range left {
		if isBlank(l) || fresh(l) != nil {
			continue
		}
		places[i] = f.place(l)
		if b := places[i].base; places[i].locals == nil && b >= 0 && b != f.fp {
			// The address may be in a variable that is set here too.
			places[i].base = f.newLocal(asm.I32)
			f.emit(asm.Get(b), asm.Set(places[i].base))
		}
	}
	var pushed []types.Type
	if len(right) == 1 {
		call, ok := ast.Unparen(right[0]).(*ast.CallExpr)
		if !ok {
			f.errorf(n, "a second value is not in the subset here")
			return
		}
		f.call(call)
		t, ok := f.c.info.TypeOf(call).(*types.Tuple)
		if !ok {
			return
		}
		for v := range t.Variables() {
			pushed = append(pushed, v.Type())
		}
		for _, l := range left {
			f.escapes(l, right[0], n)
		}
	} else {
		for i, r := range right {
			pushed = append(pushed, f.typeOf(r))
			if aggregate(f.typeOf(r)) {
				f.errorf(r, "arrays and structs must be set one by one")
				return
			}
			f.expr(r)
			f.escapes(left[i], r, n)
		}
	}
	for i := len(left) - 1; i >= 0; i-- {
		list := f.pieces(n, pushed[i])
		if isBlank(left[i]) {
			for range list {
				f.op(asm.Drop)
			}
			continue
		}
		p := places[i]
		if v := fresh(left[i]); v != nil {
			f.bind(v, left[i])
			p = f.variable(v, left[i])
		}
		switch {
		case aggregate(p.t):
			from := f.newLocal(asm.I32)
			f.set(from)
			f.copyTo(p, place{t: p.t, base: from})
		case p.locals != nil || p.globals != nil:
			f.store(p, func() {})
		default:
			held := f.hold(list)
			f.store(p, func() {
				for _, r := range held {
					f.push(r)
				}
			})
		}
	}
}

// one sets one place or makes one variable.
func (f *fn) one(l ast.Expr, fresh *types.Var, r ast.Expr) {
	if isBlank(l) {
		for range f.pieces(r, f.typeOf(r)) {
			if lit, ok := ast.Unparen(r).(*ast.FuncLit); ok {
				_ = lit
				return
			}
		}
		f.expr(r)
		for range f.pieces(r, f.typeOf(r)) {
			f.op(asm.Drop)
		}
		return
	}
	f.escapes(l, r, l)
	if fresh == nil {
		p := f.place(l)
		if aggregate(p.t) {
			if lit, ok := ast.Unparen(r).(*ast.CompositeLit); ok {
				// The literal may read what it replaces.
				temp := *f.newMemory(p.t)
				f.literal(lit, temp)
				f.copyTo(p, temp)
				return
			}
		}
		f.store(p, func() { f.expr(r) })
		return
	}
	if lit, ok := ast.Unparen(r).(*ast.FuncLit); ok {
		if f.changes[fresh] > 0 {
			f.errorf(l, "a variable with a function literal must not change")
		}
		f.vars[fresh] = &variable{t: fresh.Type(), lit: lit}
		return
	}
	if lit, ok := ast.Unparen(r).(*ast.CompositeLit); ok && aggregate(fresh.Type()) {
		if f.changes[fresh] == 0 {
			if d := f.constantLit(lit); d != "" {
				f.vars[fresh] = &variable{t: fresh.Type(), memory: &place{t: fresh.Type(), base: -1, sym: d}}
				return
			}
		}
		f.bind(fresh, l)
		f.literal(lit, *f.vars[fresh].memory)
		return
	}
	low, high := f.bounds(r)
	number := len(f.pieces(r, fresh.Type())) == 1
	if f.vars[fresh] == nil || f.vars[fresh].memory == nil {
		// The value first: the variable may be one of an outer round of inlining.
		f.bindLater(fresh, l, r)
	} else {
		f.bind(fresh, l)
		f.store(f.variable(fresh, l), func() { f.expr(r) })
	}
	if number && f.changes[fresh] == 0 && !aggregate(fresh.Type()) {
		if tl, th := rangeOf(fresh.Type()); low > tl || high < th {
			f.know(fact{v: fresh, low: low, high: high, length: -1})
		}
	}
}

func (f *fn) bindLater(v *types.Var, l, r ast.Expr) {
	if aggregate(v.Type()) || f.address[v] {
		f.bind(v, l)
		f.store(f.variable(v, l), func() { f.expr(r) })
		return
	}
	f.expr(r)
	f.bind(v, l)
	f.set(f.vars[v].locals...)
}

// zeroValue reports whether a result is zero, so that the way out for faults does.
func (f *fn) zeroValue(e ast.Expr) bool {
	if v := f.c.info.Types[e].Value; v != nil {
		for _, r := range f.constant(v, f.typeOf(e)) {
			if r.imm != 0 || r.sym != "" {
				return false
			}
		}
		return true
	}
	if id := identOf(e); id != nil {
		_, null := f.c.info.Uses[id].(*types.Nil)
		return null
	}
	return false
}

// zeroReturn reports whether a statement returns zeros only.
func (f *fn) zeroReturn(s ast.Stmt) bool {
	r, ok := s.(*ast.ReturnStmt)
	if !ok || len(f.inline) > 0 || len(f.sret) > 0 {
		return false
	}
	if len(r.Results) == 0 {
		return f.results.Results().Len() == 0
	}
	for _, e := range r.Results {
		if !f.zeroValue(e) {
			return false
		}
	}
	return true
}

func (f *fn) ret(s *ast.ReturnStmt) {
	if n := len(f.inline); n > 0 {
		in := f.inline[n-1]
		f.values(s, in.sig, in.named)
		f.set(in.results...)
		f.jump(asm.Br, in.end)
		return
	}
	if f.zeroReturn(s) {
		f.jump(asm.Br, f.zero)
		return
	}
	for _, r := range s.Results {
		f.escapes(nil, r, r)
	}
	list := f.values(s, f.results, f.named)
	if len(f.sret) > 0 {
		// Addresses of aggregates are among the parts.
		held := f.hold(list)
		i, k := 0, 0
		var rest []ref
		for v := range f.results.Results().Variables() {
			p, _ := parts(v.Type())
			if aggregate(v.Type()) {
				f.copyTo(place{t: v.Type(), base: f.sret[k]}, place{t: v.Type(), base: held[i].local})
				k++
			} else {
				rest = append(rest, held[i:i+len(p)]...)
			}
			i += len(p)
		}
		list = nil
		for _, r := range rest {
			f.push(r)
			list = append(list, r.t)
		}
	}
	for i := len(list) - 1; i > 0; i-- {
		f.emit(asm.SetGlobal(ResultSym(i, list[i])))
	}
	f.leave()
	f.op(asm.Return)
}

// values pushes the results of a return.
func (f *fn) values(s *ast.ReturnStmt, sig *types.Signature, named []*types.Var) []asm.Type {
	var list []asm.Type
	for v := range sig.Results().Variables() {
		list = append(list, f.pieces(s, v.Type())...)
	}
	switch {
	case len(s.Results) == 0:
		for _, v := range named {
			f.load(f.variable(v, s))
		}
	case len(s.Results) == 1 && sig.Results().Len() > 1:
		if call, ok := ast.Unparen(s.Results[0]).(*ast.CallExpr); ok {
			f.call(call)
		}
	default:
		for i, r := range s.Results {
			if id := identOf(r); id != nil {
				if _, null := f.c.info.Uses[id].(*types.Nil); null {
					for _, t := range f.pieces(s, sig.Results().At(i).Type()) {
						f.emit(asm.Const(t, 0))
					}
					continue
				}
			}
			f.expr(r)
		}
	}
	return list
}

// jumpIf jumps to a label if a condition is as wanted.
func (f *fn) jumpIf(e ast.Expr, l asm.Label, want bool) {
	e = ast.Unparen(e)
	if v := f.c.info.Types[e].Value; v != nil {
		if (bitsOf(v, types.Typ[types.Bool]) == 1) == want {
			f.jump(asm.Br, l)
		}
		return
	}
	switch x := e.(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			f.jumpIf(x.X, l, !want)
			return
		}
	case *ast.BinaryExpr:
		if x.Op != token.LAND && x.Op != token.LOR {
			break
		}
		if f.span(x) {
			if !want {
				f.op(asm.I32Eqz)
			}
			f.jump(asm.BrIf, l)
			return
		}
		if f.cheap(x.Y) && f.cheap(x.X) {
			break
		}
		mark := f.facts
		if (x.Op == token.LAND) == want {
			// Both must be as wanted: the first that is not leads past.
			past := f.newLabel()
			f.emit(asm.Block(asm.BlockOp, past, asm.None))
			f.jumpIf(x.X, past, !want)
			f.learn(x.X, want)
			f.jumpIf(x.Y, l, want)
			f.op(asm.End)
		} else {
			f.jumpIf(x.X, l, want)
			f.learn(x.X, !want)
			f.jumpIf(x.Y, l, want)
		}
		f.facts = mark
		return
	}
	f.expr(e)
	if !want {
		f.op(asm.I32Eqz)
	}
	f.jump(asm.BrIf, l)
}

// leads is the label to which a lone jump goes.
func (f *fn) leads(list []ast.Stmt) (asm.Label, bool) {
	if len(list) != 1 {
		return 0, false
	}
	if b, ok := list[0].(*ast.BranchStmt); ok {
		return f.branch(b)
	}
	return f.zero, f.zeroReturn(list[0])
}

// ends reports whether control does not go on behind statements.
func ended(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.BlockStmt:
		return ended(s.List)
	case *ast.IfStmt:
		other, ok := s.Else.(*ast.BlockStmt)
		if next, chain := s.Else.(*ast.IfStmt); chain {
			return ended(s.Body.List) && ended([]ast.Stmt{next})
		}
		return ok && ended(s.Body.List) && ended(other.List)
	}
	return false
}

func compound(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		return e.Op == token.LAND || e.Op == token.LOR
	case *ast.UnaryExpr:
		return e.Op == token.NOT && compound(e.X)
	}
	return false
}

func (f *fn) ifStmt(s *ast.IfStmt) {
	outer := f.facts
	if s.Init != nil {
		f.stmt(s.Init)
	}
	after := func() {
		f.facts = outer
		if ended(s.Body.List) && s.Else == nil {
			f.learn(s.Cond, false)
		}
	}
	if l, ok := f.leads(s.Body.List); ok && s.Else == nil {
		f.jumpIf(s.Cond, l, true)
		after()
		return
	}
	mark := f.facts
	if s.Else == nil {
		past := f.newLabel()
		if compound(s.Cond) {
			f.emit(asm.Block(asm.BlockOp, past, asm.None))
			f.jumpIf(s.Cond, past, false)
		} else {
			f.expr(s.Cond)
			f.emit(asm.Block(asm.If, past, asm.None))
		}
		f.learn(s.Cond, true)
		f.block(s.Body.List)
		f.op(asm.End)
		after()
		return
	}
	end := f.newLabel()
	if compound(s.Cond) {
		other := f.newLabel()
		f.emit(asm.Block(asm.BlockOp, end, asm.None), asm.Block(asm.BlockOp, other, asm.None))
		f.jumpIf(s.Cond, other, false)
		f.learn(s.Cond, true)
		f.block(s.Body.List)
		f.jump(asm.Br, end)
	} else {
		f.expr(s.Cond)
		f.emit(asm.Block(asm.If, end, asm.None))
		f.learn(s.Cond, true)
		f.block(s.Body.List)
	}
	if compound(s.Cond) {
		f.op(asm.End)
	} else {
		f.op(asm.Else)
	}
	f.facts = mark
	f.learn(s.Cond, false)
	f.stmt(s.Else)
	f.op(asm.End)
	f.facts = outer
}

// loop compiles the parts of a loop.
func (f *fn) loop(label string, head func(brk asm.Label), body func(), post func()) {
	brk, again, cnt := f.newLabel(), f.newLabel(), f.newLabel()
	f.emit(asm.Block(asm.BlockOp, brk, asm.None), asm.Block(asm.Loop, again, asm.None))
	head(brk)
	f.emit(asm.Block(asm.BlockOp, cnt, asm.None))
	f.targets = append(f.targets, target{label, brk, cnt, len(f.inline)})
	body()
	f.targets = f.targets[:len(f.targets)-1]
	f.op(asm.End)
	post()
	f.jump(asm.Br, again)
	f.op(asm.End)
	f.op(asm.End)
}

func (f *fn) forStmt(s *ast.ForStmt, label string) {
	facts, frame := f.facts, f.frame
	if s.Init != nil {
		f.stmt(s.Init)
	}
	counter := f.counter(s)
	f.loop(label, func(brk asm.Label) {
		if s.Cond != nil {
			f.jumpIf(s.Cond, brk, false)
			f.learn(s.Cond, true)
		}
		if counter != nil {
			f.know(*counter)
		}
	}, func() { f.block(s.Body.List) }, func() {
		if s.Post != nil {
			f.stmt(s.Post)
		}
	})
	f.facts, f.frame = facts, frame
}

// counter is what is known in the body of for i := 0; i < len(s); i++.
func (f *fn) counter(s *ast.ForStmt) *fact {
	a, ok := s.Init.(*ast.AssignStmt)
	if !ok || a.Tok != token.DEFINE || len(a.Lhs) != 1 {
		return nil
	}
	id := identOf(a.Lhs[0])
	v, _ := f.c.info.Defs[id].(*types.Var)
	low, _ := f.bounds(a.Rhs[0])
	post, up := s.Post.(*ast.IncDecStmt)
	if v == nil || f.changes[v] != 1 || f.address[v] || low < 0 {
		return nil
	}
	if b, is := f.typeOf(id).(*types.Basic); !is || b.Kind() != types.Int {
		return nil
	}
	if !up || post.Tok != token.INC || identOf(post.X) == nil || f.c.info.Uses[identOf(post.X)] != v {
		return nil
	}
	c, ok := s.Cond.(*ast.BinaryExpr)
	if !ok || c.Op != token.LSS || identOf(c.X) == nil || f.c.info.Uses[identOf(c.X)] != v {
		return nil
	}
	if seq := f.lenOf(c.Y); seq != nil {
		return &fact{v: v, seq: seq}
	}
	if _, high := f.bounds(c.Y); high > low {
		return &fact{v: v, low: low, high: high - 1, length: -1}
	}
	return nil
}

func (f *fn) rangeStmt(s *ast.RangeStmt, label string) {
	facts, frame := f.facts, f.frame
	defer func() { f.facts, f.frame = facts, frame }()
	t := f.typeOf(s.X)
	var key, value *types.Var
	if s.Tok == token.DEFINE {
		if id := identOf(s.Key); id != nil {
			key, _ = f.c.info.Defs[id].(*types.Var)
		}
		if id := identOf(s.Value); id != nil {
			value, _ = f.c.info.Defs[id].(*types.Var)
		}
	}
	// The counter is the variable itself if nothing else changes it.
	i := -1
	kt := types.Type(types.Typ[types.Int])
	if s.Key != nil && f.c.info.TypeOf(s.Key) != nil && !isBlank(s.Key) {
		kt = f.typeOf(s.Key)
	} else if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsInteger != 0 {
		kt = t
	}
	at := f.pieces(s, kt)
	if len(at) != 1 {
		return
	}
	own := key != nil && f.changes[key] == 0 && !f.address[key]
	i = f.newLocal(at[0])
	start := func() {
		f.emit(asm.Const(at[0], 0), asm.Set(i))
		if own {
			f.vars[key] = &variable{t: kt, locals: []int{i}}
		}
	}
	setKey := func() {
		switch {
		case own || s.Key == nil || isBlank(s.Key):
		case key != nil:
			f.bind(key, s.Key)
			f.store(f.variable(key, s.Key), func() { f.get(i) })
		default:
			f.store(f.place(s.Key), func() { f.get(i) })
		}
	}
	setValue := func(t types.Type, push func()) {
		switch {
		case s.Value == nil || isBlank(s.Value):
		case value != nil:
			f.bind(value, s.Value)
			f.store(f.variable(value, s.Value), push)
		default:
			f.store(f.place(s.Value), push)
		}
	}
	add, ge := asm.I32Add, asm.I32GeS
	if at[0] == asm.I64 {
		add, ge = asm.I64Add, asm.I64GeS
	}
	if !sizeSigned(kt) {
		ge += asm.I32GeU - asm.I32GeS
	}
	step := func() {
		f.get(i)
		f.emit(asm.Const(at[0], 1))
		f.op(add)
		f.emit(asm.Set(i))
	}
	head := func(n ref) func(asm.Label) {
		return func(brk asm.Label) {
			f.get(i)
			f.push(n)
			f.op(ge)
			f.jump(asm.BrIf, brk)
		}
	}
	// frozen keeps a value that the body may change.
	frozen := func(e ast.Expr, list []ref) []ref {
		if f.c.info.Types[e].Value != nil || f.stable(e) != nil || f.lenOf(e) != nil {
			return list
		}
		var types []asm.Type
		for _, r := range list {
			f.push(r)
			types = append(types, r.t)
		}
		return f.hold(types)
	}
	body := func() { f.block(s.Body.List) }
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger != 0 {
			count := frozen(s.X, f.refs(s.X))
			if len(count) != 1 {
				return
			}
			n := count[0]
			_, high := f.bounds(s.X)
			start()
			if own {
				if seq := f.shorter(s.X); seq != nil {
					f.know(fact{v: key, seq: seq})
				} else if high > 0 {
					f.know(fact{v: key, low: 0, high: high - 1, length: -1})
				}
			}
			f.loop(label, head(n), func() { setKey(); body() }, step)
			return
		}
		if u.Info()&types.IsString != 0 {
			r := frozen(s.X, f.refs(s.X))
			start()
			if seq := seqOf(f, s.X); seq != nil && own {
				f.know(fact{v: key, seq: seq})
			}
			c, size := f.newLocal(asm.I32), f.newLocal(asm.I32)
			f.loop(label, func(brk asm.Label) {
				head(r[1])(brk)
				// A byte below 0x80 is a rune.
				f.num(1)
				f.emit(asm.Set(size))
				if r[0].local >= 0 {
					f.push(r[0])
					f.get(i)
					f.op(asm.I32Add)
					f.emit(asm.Mem(asm.I32Load8U, "", 0))
				} else {
					f.get(i)
					f.emit(asm.Mem(asm.I32Load8U, r[0].sym, r[0].imm))
				}
				f.emit(asm.Set(c))
				f.get(c)
				f.num(0x80)
				f.op(asm.I32GeU)
				f.emit(asm.Block(asm.If, f.newLabel(), asm.None))
				f.push(r[0])
				f.get(i)
				f.op(asm.I32Add)
				f.push(r[1])
				f.get(i)
				f.op(asm.I32Sub)
				f.emit(asm.Call("utf8.DecodeRuneInString"), asm.Set(c), asm.GetGlobal(ResultSym(1, asm.I32)), asm.Set(size))
				f.op(asm.End)
			}, func() {
				setKey()
				setValue(types.Typ[types.Rune], func() { f.get(c) })
				body()
			}, func() {
				f.get(i, size)
				f.op(asm.I32Add)
				f.emit(asm.Set(i))
			})
			return
		}
	case *types.Slice:
		r := frozen(s.X, f.refs(s.X))
		if len(r) != 2 {
			return
		}
		start()
		if seq := seqOf(f, s.X); seq != nil && own {
			f.know(fact{v: key, seq: seq})
		}
		f.loop(label, head(r[1]), func() {
			setKey()
			base := place{t: u.Elem(), base: -1}
			if r[0].local >= 0 {
				base.base = r[0].local
			} else {
				base.sym, base.off = r[0].sym, r[0].imm
			}
			f.element(base, i, setValue)
			body()
		}, step)
		return
	case *types.Array, *types.Pointer:
		a, ok := u.(*types.Array)
		var p place
		if ok {
			p = f.place(s.X)
			if s.Value != nil && !f.unchangedIn(s.X, s.Body) {
				temp := *f.newMemory(t)
				f.copyTo(temp, p)
				p = temp
			}
		} else if a, ok = u.(*types.Pointer).Elem().Underlying().(*types.Array); ok {
			p = f.target(s.X)
		}
		if !ok {
			break
		}
		start()
		if own && a.Len() > 0 {
			f.know(fact{v: key, low: 0, high: a.Len() - 1, length: -1})
		}
		f.loop(label, head(ref{local: -1, t: asm.I32, imm: a.Len()}), func() {
			setKey()
			p.t = a.Elem()
			f.element(p, i, setValue)
			body()
		}, step)
		return
	}
	f.errorf(s.X, "a range over %s is not in the subset%s", t, instead(t))
}

// unchangedIn reports whether a loop leaves the array that it ranges over alone.
func (f *fn) unchangedIn(e ast.Expr, body *ast.BlockStmt) bool {
	if _, ok := ast.Unparen(e).(*ast.CompositeLit); ok {
		return true
	}
	v, _ := f.c.info.ObjectOf(orBlank(identOf(e))).(*types.Var)
	if v == nil {
		return false
	}
	if pv := f.c.vars[v]; pv != nil {
		return !pv.written
	}
	same := f.changes[v] == 0 || !f.address[v]
	written(f.c.info, body, func(w *types.Var, _ ast.Node) { same = same && v != w })
	// A function literal that is called may change it as well.
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if w, ok := f.c.info.Uses[orBlank(identOf(call.Fun))].(*types.Var); ok && f.vars[w] != nil && f.vars[w].lit != nil {
				same = same && f.changes[v] == 0
			}
		}
		return true
	})
	return same
}

func orBlank(id *ast.Ident) *ast.Ident {
	if id == nil {
		return &ast.Ident{}
	}
	return id
}

// element sets the value of a round of a range.
func (f *fn) element(p place, i int, set func(types.Type, func())) {
	size, _ := f.c.layout(p.t)
	t := p.t
	set(t, func() {
		if p.base >= 0 {
			f.get(p.base)
		}
		f.get(i)
		f.scale(size)
		if p.base >= 0 {
			f.op(asm.I32Add)
		}
		at := p
		at.base = f.newLocal(asm.I32)
		f.set(at.base)
		f.load(at)
	})
}

// shorter is the sequence that a count does not go beyond: len(s), or len(s) less a
// constant.
func (f *fn) shorter(e ast.Expr) *types.Var {
	e = ast.Unparen(e)
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.SUB {
		if n, ok := f.constOf(b.Y); ok && n >= 0 {
			return f.lenOf(b.X)
		}
	}
	return f.lenOf(e)
}

func (f *fn) switchStmt(s *ast.SwitchStmt, label string) {
	facts, frame := f.facts, f.frame
	defer func() { f.facts, f.frame = facts, frame }()
	if s.Init != nil {
		f.stmt(s.Init)
	}
	var tag []ref
	var tagType types.Type
	if s.Tag != nil {
		tagType = f.typeOf(s.Tag)
		if aggregate(tagType) {
			f.errorf(s.Tag, "a switch over %s is not in the subset", tagType)
			return
		}
		tag = f.refs(f.bytesOf(s.Tag))
		if f.stable(s.Tag) == nil && f.c.info.Types[s.Tag].Value == nil {
			var list []asm.Type
			for _, r := range tag {
				f.push(r)
				list = append(list, r.t)
			}
			tag = f.hold(list)
		}
	}
	brk := f.newLabel()
	f.emit(asm.Block(asm.BlockOp, brk, asm.None))
	f.targets = append(f.targets, target{label, brk, 0, len(f.inline)})
	// test jumps to a label if a case is as wanted.
	test := func(e ast.Expr, l asm.Label, want bool) {
		if s.Tag == nil {
			f.jumpIf(e, l, want)
			return
		}
		switch {
		case len(tag) == 2:
			if v := f.c.info.Types[e].Value; v != nil {
				f.equalConstant(tag, f.text(e))
				break
			}
			f.push(tag[0])
			f.push(tag[1])
			f.expr(e)
			f.emit(asm.Call("subgo.equal"))
		case len(tag) == 1:
			f.push(tag[0])
			f.expr(e)
			if tag[0].t == asm.F64 {
				f.op(asm.F64Eq)
			} else {
				f.op(f.comparison(token.EQL, tagType))
			}
		}
		if !want {
			f.op(asm.I32Eqz)
		}
		f.jump(asm.BrIf, l)
	}
	var other *ast.CaseClause
	for _, one := range s.Body.List {
		c := one.(*ast.CaseClause)
		if n := len(c.Body); n > 0 {
			if b, ok := c.Body[n-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
				f.errorf(b, "fallthrough is not in the subset: name both cases")
				continue
			}
		}
		if c.List == nil {
			other = c
			continue
		}
		mark := f.facts
		if l, ok := f.leads(c.Body); ok {
			for _, e := range c.List {
				test(e, l, true)
			}
		} else {
			next, hit := f.newLabel(), f.newLabel()
			f.emit(asm.Block(asm.BlockOp, next, asm.None))
			if len(c.List) > 1 {
				f.emit(asm.Block(asm.BlockOp, hit, asm.None))
				for _, e := range c.List[:len(c.List)-1] {
					test(e, hit, true)
				}
			}
			test(c.List[len(c.List)-1], next, false)
			if len(c.List) > 1 {
				f.op(asm.End)
			} else if s.Tag == nil {
				f.learn(c.List[0], true)
			}
			f.block(c.Body)
			f.jump(asm.Br, brk)
			f.op(asm.End)
		}
		f.facts = mark
		if s.Tag == nil {
			for _, e := range c.List {
				f.learn(e, false)
			}
		}
	}
	if other != nil {
		f.block(other.Body)
	}
	f.targets = f.targets[:len(f.targets)-1]
	f.op(asm.End)
}
