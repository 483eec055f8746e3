package subgo

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math"

	"github.com/privetdev/privet/internal/asm"
)

// facts are what is known where code is made: the newest first. Variables in them are
// never changed while the fact holds.
type facts *fact

type fact struct {
	next      *fact
	v         *types.Var
	seq       *types.Var // v is at least 0 and less than the length of seq
	low, high int64      // or: v is in this range
	length    int64      // or: v is at least that long
}

// stable is the variable that an expression is, if nothing ever changes it.
func (f *fn) stable(e ast.Expr) *types.Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	v, ok := f.c.info.ObjectOf(id).(*types.Var)
	if !ok || f.changes[v] > 0 || f.vars[v] == nil || f.vars[v].locals == nil {
		return nil
	}
	return v
}

// seqOf is the text or slice that an expression is, if it is a variable that nothing
// changes.
func seqOf(f *fn, e ast.Expr) *types.Var {
	v := f.stable(e)
	if v == nil || len(f.vars[v].locals) != 2 {
		return nil
	}
	return v
}

// lenOf is the sequence whose length an expression is.
func (f *fn) lenOf(e ast.Expr) *types.Var {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	if b, ok := f.c.info.Uses[identOf(call.Fun)].(*types.Builtin); !ok || b.Name() != "len" {
		return nil
	}
	return seqOf(f, call.Args[0])
}

func identOf(e ast.Expr) *ast.Ident {
	id, _ := ast.Unparen(e).(*ast.Ident)
	return id
}

func (f *fn) constOf(e ast.Expr) (int64, bool) {
	v := f.c.info.Types[e].Value
	if v == nil || v.Kind() != constant.Int {
		return 0, false
	}
	return constant.Int64Val(v)
}

func (f *fn) know(one fact) {
	one.next = f.facts
	f.facts = &one
}

func (f *fn) minLength(seq *types.Var) int64 {
	n := int64(0)
	for k := (*fact)(f.facts); k != nil && seq != nil; k = k.next {
		if k.v == seq {
			n = max(n, k.length)
		}
	}
	return n
}

func (f *fn) lessThan(e ast.Expr, seq *types.Var) bool {
	id := identOf(e)
	if id == nil || seq == nil {
		return false
	}
	v, _ := f.c.info.ObjectOf(id).(*types.Var)
	for k := (*fact)(f.facts); k != nil && v != nil; k = k.next {
		if k.v == v && k.seq == seq {
			return true
		}
	}
	return false
}

// below reports whether an index is known to be within a sequence.
func (f *fn) below(e ast.Expr, seq *types.Var) bool {
	e = ast.Unparen(e)
	if seq == nil {
		return false
	}
	if f.lessThan(e, seq) {
		return true
	}
	if n, ok := f.constOf(e); ok {
		return n >= 0 && n < f.minLength(seq)
	}
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.SUB {
		if n, ok := f.constOf(b.Y); ok && f.lenOf(b.X) == seq {
			return n >= 1 && n <= f.minLength(seq)
		}
		if inner, ok := ast.Unparen(b.X).(*ast.BinaryExpr); ok && inner.Op == token.SUB && f.lenOf(inner.X) == seq {
			n, ok := f.constOf(inner.Y)
			return ok && n == 1 && f.lessThan(b.Y, seq)
		}
	}
	return false
}

// within reports whether a bound of a slice is known to be 0 to the length.
func (f *fn) within(e ast.Expr, seq *types.Var) bool {
	e = ast.Unparen(e)
	if seq == nil {
		return false
	}
	if f.below(e, seq) || f.lenOf(e) == seq {
		return true
	}
	if n, ok := f.constOf(e); ok {
		return n >= 0 && n <= f.minLength(seq)
	}
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		n, ok := f.constOf(b.Y)
		return ok && n == 1 && f.lessThan(b.X, seq)
	}
	return false
}

// learn notes what a condition says when it is true or false.
func (f *fn) learn(e ast.Expr, truth bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			f.learn(e.X, !truth)
		}
	case *ast.BinaryExpr:
		switch {
		case e.Op == token.LAND && truth, e.Op == token.LOR && !truth:
			f.learn(e.X, truth)
			f.learn(e.Y, truth)
			return
		}
		x, y, op := e.X, e.Y, e.Op
		if f.c.info.Types[x].Value != nil {
			x, y, op = y, x, mirrored[op]
		}
		if !truth {
			op = negated[op]
		}
		if v := f.c.info.Types[y].Value; v != nil && v.Kind() == constant.String && constant.StringVal(v) == "" && op == token.NEQ {
			if seq := seqOf(f, x); seq != nil {
				f.know(fact{v: seq, length: 1})
			}
			return
		}
		n, ok := f.constOf(y)
		if !ok {
			return
		}
		if seq := f.lenOf(x); seq != nil {
			switch op {
			case token.EQL, token.GEQ:
				f.know(fact{v: seq, length: n})
			case token.GTR:
				f.know(fact{v: seq, length: n + 1})
			case token.NEQ:
				if n == 0 {
					f.know(fact{v: seq, length: 1})
				}
			}
			return
		}
		v := f.stable(x)
		if v == nil || len(f.vars[v].locals) != 1 {
			return
		}
		low, high := f.bounds(x)
		switch op {
		case token.EQL:
			low, high = max(low, n), min(high, n)
		case token.LSS:
			high = min(high, n-1)
		case token.LEQ:
			high = min(high, n)
		case token.GTR:
			low = max(low, n+1)
		case token.GEQ:
			low = max(low, n)
		default:
			return
		}
		if low <= high {
			f.know(fact{v: v, low: low, high: high, length: -1})
		}
	}
}

var mirrored = map[token.Token]token.Token{token.EQL: token.EQL, token.NEQ: token.NEQ, token.LSS: token.GTR, token.GTR: token.LSS, token.LEQ: token.GEQ, token.GEQ: token.LEQ}

var negated = map[token.Token]token.Token{token.EQL: token.NEQ, token.NEQ: token.EQL, token.LSS: token.GEQ, token.GEQ: token.LSS, token.GTR: token.LEQ, token.LEQ: token.GTR}

// rangeOf is what a type can hold; the largest of 64 bits stands for what is above it.
func rangeOf(t types.Type) (low, high int64) {
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		return math.MinInt64, math.MaxInt64
	}
	switch b.Kind() {
	case types.Uint8:
		return 0, math.MaxUint8
	case types.Uint16:
		return 0, math.MaxUint16
	case types.Uint32, types.Uint:
		return 0, math.MaxUint32
	case types.Uint64:
		return 0, math.MaxInt64
	case types.Int8:
		return math.MinInt8, math.MaxInt8
	case types.Int16:
		return math.MinInt16, math.MaxInt16
	case types.Int64:
		return math.MinInt64, math.MaxInt64
	}
	return math.MinInt32, math.MaxInt32
}

func fits(low, high int64, t types.Type) bool {
	l, h := rangeOf(t)
	return low >= l && high <= h
}

// bounds is a range in which the value of a number is.
func (f *fn) bounds(e ast.Expr) (low, high int64) {
	e = ast.Unparen(e)
	t := f.typeOf(e)
	if v := f.c.info.Types[e].Value; v != nil {
		if n, ok := f.constOf(e); ok {
			return n, n
		}
		return rangeOf(t)
	}
	low, high = rangeOf(t)
	switch e := e.(type) {
	case *ast.Ident:
		v, _ := f.c.info.ObjectOf(e).(*types.Var)
		for k := (*fact)(f.facts); k != nil && v != nil; k = k.next {
			if k.v == v && k.length == -1 {
				low, high = max(low, k.low), min(high, k.high)
			}
			if k.v == v && k.seq != nil {
				low = max(low, 0)
			}
		}
	case *ast.BinaryExpr:
		if l, h := f.plainBounds(e); l >= low && h <= high {
			return l, h
		}
	case *ast.CallExpr:
		fun := ast.Unparen(e.Fun)
		if tv := f.c.info.Types[fun]; tv.IsType() && len(e.Args) == 1 {
			if b, ok := f.typeOf(e.Args[0]).Underlying().(*types.Basic); ok && b.Info()&types.IsInteger != 0 && b.Kind() != types.Uint64 {
				if l, h := f.bounds(e.Args[0]); l >= low && h <= high {
					return l, h
				}
			}
			return low, high
		}
		if b, ok := f.c.info.Uses[identOf(fun)].(*types.Builtin); ok {
			switch b.Name() {
			case "len":
				return f.minLength(f.lenOf(e)), high
			case "min", "max":
				low, high = f.bounds(e.Args[0])
				for _, a := range e.Args[1:] {
					l, h := f.bounds(a)
					if b.Name() == "min" {
						low, high = min(low, l), min(high, h)
					} else {
						low, high = max(low, l), max(high, h)
					}
				}
			}
		}
	}
	return low, high
}

const tooFar = 1 << 40 // beyond that ranges are not computed, so that they cannot overflow

// plainBounds is the range of an operation's result if the type had no end.
func (f *fn) plainBounds(e *ast.BinaryExpr) (low, high int64) {
	const none, all = math.MinInt64, math.MaxInt64
	if b, ok := f.typeOf(e).Underlying().(*types.Basic); !ok || b.Info()&types.IsInteger == 0 {
		return none, all
	}
	al, ah := f.bounds(e.X)
	bl, bh := f.bounds(e.Y)
	far := func(v int64) bool { return v > tooFar || v < -tooFar }
	switch e.Op {
	case token.AND:
		switch {
		case al >= 0 && bl >= 0:
			return 0, min(ah, bh)
		case al >= 0:
			return 0, ah
		case bl >= 0:
			return 0, bh
		}
	case token.AND_NOT:
		if al >= 0 {
			return 0, ah
		}
	case token.REM:
		if bl > 0 && al >= 0 {
			return 0, min(ah, bh-1)
		}
		if bl > 0 {
			return -(bh - 1), bh - 1
		}
	}
	if far(al) || far(ah) || far(bl) || far(bh) {
		return none, all
	}
	switch e.Op {
	case token.ADD:
		return al + bl, ah + bh
	case token.SUB:
		return al - bh, ah - bl
	case token.MUL:
		if max(ah, -al) < 1<<20 && max(bh, -bl) < 1<<20 {
			return min(al*bl, al*bh, ah*bl, ah*bh), max(al*bl, al*bh, ah*bl, ah*bh)
		}
	case token.QUO:
		if al >= 0 && bl > 0 {
			return al / bh, ah / bl
		}
	case token.SHR:
		if al >= 0 && bl >= 0 && bh < 63 {
			return al >> bh, ah >> bl
		}
	case token.SHL:
		if al >= 0 && bl >= 0 && bh < 20 {
			return al << bl, ah << bh
		}
	case token.OR, token.XOR:
		if al >= 0 && bl >= 0 {
			top := int64(1)
			for top <= ah || top <= bh {
				top <<= 1
			}
			return 0, top - 1
		}
	}
	return none, all
}

// cheap reports whether a condition is shorter to compute than to jump over, and
// cannot fault.
func (f *fn) cheap(e ast.Expr) bool {
	n := 0
	var look func(e ast.Expr) bool
	look = func(e ast.Expr) bool {
		if n++; n > 6 {
			return false
		}
		if v := f.c.info.Types[e].Value; v != nil {
			return v.Kind() != constant.String
		}
		switch e := ast.Unparen(e).(type) {
		case *ast.Ident:
			v, ok := f.c.info.ObjectOf(e).(*types.Var)
			return ok && f.vars[v] != nil && len(f.vars[v].locals) == 1
		case *ast.UnaryExpr:
			return e.Op != token.AND && look(e.X)
		case *ast.CallExpr:
			return f.lenOf(e) != nil
		case *ast.BinaryExpr:
			switch e.Op {
			case token.QUO, token.REM, token.SHL, token.SHR:
				return false
			}
			return look(e.X) && look(e.Y)
		}
		return false
	}
	return look(e)
}

// limits reads x < c and the like.
func (f *fn) limits(e ast.Expr) (v *types.Var, op token.Token, n int64) {
	b, ok := ast.Unparen(e).(*ast.BinaryExpr)
	if !ok {
		return nil, 0, 0
	}
	x, y, op := b.X, b.Y, b.Op
	if f.c.info.Types[x].Value != nil {
		x, y, op = y, x, mirrored[op]
	}
	n, ok = f.constOf(y)
	if id := identOf(x); ok && id != nil {
		v, _ = f.c.info.ObjectOf(id).(*types.Var)
		if v != nil && f.vars[v] != nil && len(f.vars[v].locals) == 1 && f.locals[f.vars[v].locals[0]] == asm.I32 {
			return v, op, n
		}
	}
	return nil, 0, 0
}

// span writes x >= a && x <= b, or its opposite, as one comparison.
func (f *fn) span(e *ast.BinaryExpr) bool {
	v, op1, n1 := f.limits(e.X)
	w, op2, n2 := f.limits(e.Y)
	if v == nil || v != w {
		return false
	}
	outside := e.Op == token.LOR
	if outside {
		op1, op2 = negated[op1], negated[op2]
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	for _, one := range []struct {
		op token.Token
		n  int64
	}{{op1, n1}, {op2, n2}} {
		switch one.op {
		case token.GEQ:
			low = max(low, one.n)
		case token.GTR:
			low = max(low, one.n+1)
		case token.LEQ:
			high = min(high, one.n)
		case token.LSS:
			high = min(high, one.n-1)
		default:
			return false
		}
	}
	if low == math.MinInt64 || high == math.MaxInt64 || low > high {
		return false
	}
	f.get(f.vars[v].locals[0])
	f.num(low)
	f.op(asm.I32Sub)
	f.num(high - low)
	if outside {
		f.op(asm.I32GtU)
	} else {
		f.op(asm.I32LeU)
	}
	return true
}
