package emit

import (
	"encoding/binary"
	"fmt"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// Most of what rules ask is whether words of the field's name are among constants. Such a
// list of constants takes two bytes for each word, and the question six bytes of code: a
// function for each variable does the rest.

const (
	poolSym    = "expr.pool"    // the texts of all words, one behind the other
	offsetsSym = "expr.offsets" // where each begins, and where the last ends

	maxWords = 1 << 16
)

// words is the data of a list of constants: their number and the number of their bytes in
// four bytes each, and their numbers. ok is false if there are too many words.
func (x *Exprs) words(v expr.Value) (sym string, ok bool) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(v.Len()))
	length := 0
	b = binary.LittleEndian.AppendUint32(b, 0)
	for i := range v.Len() {
		s := v.At(i).AsString()
		id, known := x.wordIDs[s]
		if !known {
			if len(x.wordIDs) == maxWords-1 {
				return "", false
			}
			id = len(x.wordIDs)
			x.wordIDs[s] = id
			x.pool.Bytes = append(x.pool.Bytes, s...)
			x.pool.Size = len(x.pool.Bytes)
			x.offsets.Bytes = binary.LittleEndian.AppendUint32(x.offsets.Bytes, uint32(x.pool.Size))
			x.offsets.Size = len(x.offsets.Bytes)
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(id))
		length += len(s)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(length))
	key := "words " + string(b)
	if x.constants[key] == "" {
		x.constants[key] = fmt.Sprintf("expr.c%d", len(x.constants))
		x.object.Data = append(x.object.Data, &asm.Data{Name: x.constants[key], Bytes: b, Size: len(b), Align: 2, Const: true})
	}
	return x.constants[key], true
}

// short pushes what a node that compares a variable with words is, and reports whether
// it is one.
func (g *gen) short(n *expr.Node) bool {
	a, b, name := n.A, n.B, "same"
	cost := 0
	switch n.Op {
	case expr.OpEq, expr.OpNe:
	case expr.OpCall:
		if _, ok := profile.Env(g.env.ID); !ok || n.A != profile.FnHasAll && n.A != profile.FnHasAny {
			return false
		}
		name, cost = "all", int(n.D)
		if n.A == profile.FnHasAny {
			name = "any"
		}
		a, b = g.p.Args[n.B], g.p.Args[n.B+1]
	default:
		return false
	}
	list, v := &g.p.Nodes[b], &g.p.Nodes[a]
	if v.Op != expr.OpVar || v.Type != expr.ListOf(expr.TString) || list.Op != expr.OpList || list.C == 0 {
		return false
	}
	sym, ok := g.x.words(g.p.Consts[list.C-1])
	if !ok {
		return false
	}
	g.emit(asm.Addr(sym, 0))
	g.call(g.x.wordSym(name, g.offsets[v.A], cost))
	if n.Op == expr.OpNe {
		g.op(asm.I32Eqz)
	}
	return true
}

// wordSym is the function that compares the list at a place of the variables with words.
func (x *Exprs) wordSym(name string, place, cost int) string {
	sym := fmt.Sprintf("expr.%s.%d.%d", name, place, cost)
	if x.helpers[sym] {
		return sym
	}
	x.helpers[sym] = true
	g := &gen{}
	g.i32(0)
	g.emit(asm.Mem(asm.I32Load, varsSym, int64(place)))
	g.i32(0)
	g.emit(asm.Mem(asm.I32Load, varsSym, int64(place+4)))
	g.get(0)
	g.i32(8)
	g.op(asm.I32Add)
	g.get(0)
	g.emit(asm.Mem(asm.I32Load, "", 0))
	g.emit(asm.Addr(offsetsSym, 0), asm.GetGlobal(offsetsSym+".n"), asm.Addr(poolSym, 0), asm.GetGlobal(poolSym+".n"))
	if name == "same" {
		g.call("rt.SameWords")
	} else {
		g.get(0)
		g.emit(asm.Mem(asm.I32Load, "", 4))
		g.i32(cost)
		if name == "all" {
			g.i32(1)
		} else {
			g.i32(0)
		}
		g.call("rt.HasWords")
	}
	x.object.Funcs = append(x.object.Funcs, &asm.Func{Name: sym, Sig: "i>i", Body: g.body})
	return sym
}
