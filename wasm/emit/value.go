package emit

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
)

// The values of expressions in a module.
//
// On the stack, in locals, as arguments and as results a value has parts:
//
//	bool                   i32, 0 or 1
//	int, uint, duration    i64
//	double                 f64
//	string, bytes          i32 address, i32 length in bytes
//	list                   i32 address, i32 number of elements
//	map                    i32 address, i32 number of entries
//	timestamp              i64 seconds, i32 nanoseconds, i32 minutes east of UTC
//
// A function with more than one part returns the first and leaves the others in the
// globals of [symbols.Result], as functions made by package subgo do.
//
// In memory every value takes 8 bytes, its parts one behind the other, and a timestamp
// 16. The elements of a list lie one behind the other; so do the keys of a map, in
// order, and behind all of them its values. Nothing of it needs to be aligned.
//
// The variables of an environment lie in [varsSym] in the order of their slots.

// Names in the objects that [Exprs] makes and links with.
const (
	// varsSym is the memory of the variables, see [offsetsOf]. All environments share it.
	varsSym = "expr.vars"
	// resultSym is where a function whose result is no bool leaves its value.
	resultSym = "expr.result"
)

// partsOf are the types of the parts of a value.
func partsOf(t expr.Type) []asm.Type {
	switch t.Kind() {
	case expr.KindBool:
		return []asm.Type{asm.I32}
	case expr.KindInt, expr.KindUint, expr.KindDuration:
		return []asm.Type{asm.I64}
	case expr.KindDouble:
		return []asm.Type{asm.F64}
	case expr.KindTimestamp:
		return []asm.Type{asm.I64, asm.I32, asm.I32}
	}
	return []asm.Type{asm.I32, asm.I32}
}

// sizeOf is how many bytes a value takes in memory.
func sizeOf(t expr.Type) int {
	if t == expr.TTimestamp {
		return 16
	}
	return 8
}

// offsetsOf are the places of the variables of an environment behind [varsSym], the last
// is the size of all.
func offsetsOf(env *expr.Env) []int {
	at := []int{0}
	for _, v := range env.Vars {
		at = append(at, at[len(at)-1]+sizeOf(v.Type))
	}
	return at
}

// holds reports whether values of a type refer to other memory.
func holds(t expr.Type) bool {
	switch t.Kind() {
	case expr.KindString, expr.KindBytes, expr.KindList, expr.KindMap, expr.KindInvalid:
		return true
	}
	return false
}

// unify joins the types of two values that are compared: where one is an empty list or
// map, the other knows the elements.
func unify(a, b expr.Type) expr.Type {
	if a == 0 || a == b {
		return b
	}
	if b == 0 {
		return a
	}
	elem := unify(a.Elem(), b.Elem())
	switch a.Kind() {
	case expr.KindList:
		return expr.ListOf(elem)
	case expr.KindMap:
		return expr.MapOf(elem)
	}
	return a
}

// store writes a constant into the bytes of a piece of data.
func (x *Exprs) store(d *asm.Data, at int, v expr.Value) {
	b := d.Bytes[at:]
	switch v.Kind() {
	case expr.KindBool:
		if v.AsBool() {
			b[0] = 1
		}
	case expr.KindInt:
		binary.LittleEndian.PutUint64(b, uint64(v.AsInt()))
	case expr.KindUint:
		binary.LittleEndian.PutUint64(b, v.AsUint())
	case expr.KindDouble:
		binary.LittleEndian.PutUint64(b, math.Float64bits(v.AsDouble()))
	default:
		sym, n := x.constant(v)
		if sym != "" {
			d.Refs = append(d.Refs, asm.Ref{At: at, Sym: sym})
		}
		binary.LittleEndian.PutUint32(b[4:], uint32(n))
	}
}

// constant is the data of a text, list or map that is constant, and its length. The
// symbol of an empty one is "".
func (x *Exprs) constant(v expr.Value) (sym string, n int) {
	d := &asm.Data{Align: 1, Const: true}
	switch n = v.Len(); v.Kind() {
	case expr.KindString, expr.KindBytes:
		n = len(v.AsString())
		d.Bytes = []byte(v.AsString())
	case expr.KindList:
		// Constants have no timestamps: these come from conversions only.
		d.Align, d.Bytes = 8, make([]byte, 8*n)
		for i := range n {
			x.store(d, 8*i, v.At(i))
		}
	case expr.KindMap:
		d.Align, d.Bytes = 8, make([]byte, 16*n)
		for i := range n {
			key, value := v.Entry(i)
			x.store(d, 8*i, expr.String(key))
			x.store(d, 8*(n+i), value)
		}
	}
	if n == 0 {
		return "", 0
	}
	id := fmt.Sprint(d.Align, d.Refs, string(d.Bytes))
	if x.constants[id] == "" {
		d.Name, d.Size = fmt.Sprintf("expr.c%d", len(x.constants)), len(d.Bytes)
		x.constants[id] = d.Name
		x.object.Data = append(x.object.Data, d)
	}
	return x.constants[id], n
}
