package subgo

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Pointers, slices and texts may point into the frame of a function, which is gone when
// it returns. What points there is tainted; it may go down into calls, and nowhere else.

// pointing reports whether values of a type hold addresses.
func pointing(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Pointer:
		return true
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Array:
		return pointing(u.Elem())
	case *types.Struct:
		for i := range u.NumFields() {
			if pointing(u.Field(i).Type()) {
				return true
			}
		}
	case *types.Tuple:
		for v := range u.Variables() {
			if pointing(v.Type()) {
				return true
			}
		}
	}
	return false
}

// local reports whether an expression may point into the frame.
func (f *fn) local(e ast.Expr) bool {
	if e == nil || f.c.info.Types[e].Value != nil || !pointing(f.c.info.TypeOf(e)) {
		return false
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, _ := f.c.info.ObjectOf(e).(*types.Var)
		return v != nil && f.tainted[v]
	case *ast.SliceExpr:
		t := f.typeOf(e.X)
		if _, ok := t.Underlying().(*types.Array); ok {
			return f.inFrame(e.X)
		}
		return f.local(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.AND && f.inFrame(e.X)
	case *ast.IndexExpr:
		return f.content(e.X)
	case *ast.SelectorExpr:
		return f.c.info.Selections[e] != nil && f.content(e.X)
	case *ast.StarExpr:
		return f.content(e.X)
	case *ast.CompositeLit:
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
			}
			if f.local(x) {
				return true
			}
		}
	case *ast.CallExpr:
		for _, a := range e.Args {
			if f.local(a) {
				return true
			}
		}
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && f.c.info.Selections[s] != nil {
			return f.local(s.X) || aggregate(f.typeOf(s.X)) && f.inFrame(s.X)
		}
	}
	return false
}

// content reports whether what an array or struct holds, or what a pointer or slice
// points to, may point into the frame: behind an address only if something that does was
// put behind one.
func (f *fn) content(e ast.Expr) bool {
	switch f.typeOf(e).Underlying().(type) {
	case *types.Slice, *types.Pointer:
		return f.deep && f.local(e)
	}
	return f.local(e)
}

// inFrame reports whether a variable is in the frame.
func (f *fn) inFrame(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, _ := f.c.info.ObjectOf(e).(*types.Var)
		return v != nil && f.c.vars[v] == nil
	case *ast.IndexExpr:
		if _, ok := f.typeOf(e.X).Underlying().(*types.Array); ok {
			return f.inFrame(e.X)
		}
		return f.local(e.X)
	case *ast.SelectorExpr:
		if _, ok := f.typeOf(e.X).Underlying().(*types.Pointer); ok {
			return f.local(e.X)
		}
		if f.c.info.Selections[e] == nil {
			return false
		}
		return f.inFrame(e.X)
	case *ast.StarExpr:
		return f.local(e.X)
	}
	return true
}

// taint notes that a variable may point into the frame from now on.
func (f *fn) taint(l, r ast.Expr) {
	if !f.local(r) {
		return
	}
	for {
		switch x := ast.Unparen(l).(type) {
		case *ast.IndexExpr:
			f.deep, l = true, x.X
			continue
		case *ast.SelectorExpr:
			f.deep, l = true, x.X
			continue
		case *ast.StarExpr:
			f.deep, l = true, x.X
			continue
		case *ast.Ident:
			if v, ok := f.c.info.ObjectOf(x).(*types.Var); ok && pointing(v.Type()) {
				f.tainted[v] = true
			}
		}
		return
	}
}

// escapes refuses to keep what points into the frame where it outlives it: l is nil for
// a result.
func (f *fn) escapes(l, r ast.Expr, n ast.Node) {
	if r == nil || !f.local(r) {
		return
	}
	if l != nil && !isBlank(l) && f.inFrame(l) {
		return
	}
	if l == nil || !isBlank(l) {
		f.errorf(n, "this points to a local variable that is gone when the function returns: let the caller pass the array")
	}
}

// taintAll finds all variables that may point into the frame at some time.
func (f *fn) taintAll(body *ast.BlockStmt) {
	pair := func(left, right []ast.Expr) {
		for i, l := range left {
			r := right[0]
			if len(right) == len(left) {
				r = right[i]
			}
			f.taint(l, r)
		}
	}
	for before, deep := -1, false; before < len(f.tainted) || deep != f.deep; {
		before, deep = len(f.tainted), f.deep
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				pair(n.Lhs, n.Rhs)
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if len(n.Values) == len(n.Names) {
						f.taint(name, n.Values[i])
					} else if len(n.Values) == 1 {
						f.taint(name, n.Values[0])
					}
				}
			case *ast.RangeStmt:
				if id := identOf(n.Value); id != nil && f.content(n.X) {
					if v, ok := f.c.info.ObjectOf(id).(*types.Var); ok && pointing(v.Type()) {
						f.tainted[v] = true
					}
				}
			}
			return true
		})
	}
}
