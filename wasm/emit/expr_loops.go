package emit

import (
	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
)

// A loop is a macro that is being made.
type loop struct {
	elem       expr.Type // of what it walks through
	at, end    int       // locals: the address of the element, and behind the last
	count      int       // local: how many elements
	mark       int       // local: where the arena was free before a turn; -1 if it stays
	done, next asm.Label
}

// over evaluates what a macro walks through, an empty loop if elem is 0.
func (g *gen) over(n *expr.Node) loop {
	t := g.typeOf(n.A)
	l := loop{elem: t.Elem(), mark: -1}
	if t.Kind() == expr.KindMap {
		l.elem = expr.TString
	}
	list := g.held(n.A)
	l.at, l.count = list[0], list[1]
	return l
}

// begin begins a turn. Memory that one turn takes is free in the next if it holds nothing
// that stays.
func (g *gen) begin(l *loop, n *expr.Node, body uint16, frees bool) {
	l.end = g.local(asm.I32)
	g.get(l.at, l.count)
	g.i32(sizeOf(l.elem))
	g.op(asm.I32Mul, asm.I32Add)
	g.emit(asm.Set(l.end))
	if frees {
		l.mark = g.local(asm.I32)
		g.emit(asm.GetGlobal("rt.Top"), asm.Set(l.mark))
	}
	l.done, l.next = g.newLabel(), g.newLabel()
	g.block(l.done, asm.None)
	g.emit(asm.Block(asm.Loop, l.next, asm.None))
	g.get(l.at, l.end)
	g.op(asm.I32Eq)
	g.jump(asm.BrIf, l.done)
	g.i32(g.turn(n.A, body))
	g.call("rt.Broke")
	g.breaks()
	if frees {
		g.get(l.mark)
		g.emit(asm.SetGlobal("rt.Top"))
	}
	g.levels[n.C] = l.at
}

// finish goes to the next turn, and closes the loop.
func (g *gen) finish(l *loop) {
	g.step(l.at, sizeOf(l.elem))
	g.jump(asm.Br, l.next)
	g.op(asm.End, asm.End)
	g.release(l.at, l.end, l.count)
	if l.mark >= 0 {
		g.release(l.mark)
	}
}

// attempt evaluates something in a turn, of which an error goes into a local: the
// first error if first is true, else the last. done is where a turn without an error
// jumps to.
func (g *gen) attempt(failed int, first bool, body func(done asm.Label)) {
	outer := g.err
	done, err := g.newLabel(), g.newLabel()
	g.block(done, asm.None)
	g.block(err, asm.None)
	g.err = err
	body(done)
	g.err = outer
	g.jump(asm.Br, done)
	g.op(asm.End)
	if first {
		g.get(failed, g.code, failed)
		g.op(asm.Select)
	} else {
		g.get(g.code)
	}
	g.emit(asm.Set(failed))
	g.op(asm.End)
}

// zero makes a local that is 0.
func (g *gen) zero() int {
	l := g.local(asm.I32)
	g.i32(0)
	g.emit(asm.Set(l))
	return l
}

func (g *gen) quantify(n *expr.Node) {
	l := g.over(n)
	decisive := 0
	if n.Op == expr.OpExists {
		decisive = 1
	}
	one := n.Op == expr.OpExistsOne
	if l.elem == 0 {
		g.release(l.at, l.count)
		if n.Op == expr.OpAll {
			g.i32(1)
		} else {
			g.i32(0)
		}
		return
	}
	failed, found := g.zero(), g.zero()
	end := g.newLabel()
	if !one {
		g.block(end, asm.I32)
	}
	g.begin(&l, n, n.B, g.making[n.B])
	body := func(asm.Label) {
		g.node(n.B)
		if one {
			g.get(found)
			g.op(asm.I32Add)
			g.emit(asm.Set(found))
		} else {
			g.decide(decisive, end)
		}
	}
	if g.fails(n.B) {
		g.attempt(failed, !one, body)
	} else {
		body(0)
	}
	g.finish(&l)
	if g.fails(n.B) {
		g.get(failed)
		g.check()
	}
	if one {
		g.get(found)
		g.i32(1)
		g.op(asm.I32Eq)
	} else {
		g.i32(1 - decisive)
		g.op(asm.End)
	}
	g.release(failed, found)
}

func (g *gen) collect(n *expr.Node) {
	l := g.over(n)
	elem := n.Type.Elem()
	if l.elem == 0 {
		g.release(l.at, l.count)
		g.i32(0)
		g.i32(0)
		return
	}
	size := sizeOf(elem)
	out, length, capacity, failed := g.zero(), g.zero(), g.zero(), g.zero()
	g.get(l.count)
	g.ifThen(asm.None)
	g.get(l.count)
	g.i32(size)
	g.op(asm.I32Mul)
	address := g.room()
	g.get(address)
	g.emit(asm.Set(out))
	g.op(asm.End)
	g.release(address)
	last := max(n.B, n.D)
	frees := n.Op == expr.OpFilter || !holds(elem)
	g.begin(&l, n, last, frees && (g.making[n.B] || n.Op == expr.OpSift && g.making[n.D]))
	appendValue := func(v []int) {
		g.get(length, capacity)
		g.op(asm.I32Eq)
		g.ifThen(asm.None)
		if n.Op == expr.OpTransform {
			g.get(l.count)
			g.emit(asm.Tee(capacity))
			g.call("rt.PayList")
		} else {
			g.get(length, l.end, l.at)
			g.op(asm.I32Sub)
			g.i32(sizeOf(l.elem))
			g.op(asm.I32DivU)
			g.call("rt.Grow")
			g.emit(asm.Set(capacity))
			g.result(1, asm.I32)
		}
		g.breaks()
		g.op(asm.End)
		to := g.local(asm.I32)
		g.get(out, length)
		g.i32(size)
		g.op(asm.I32Mul, asm.I32Add)
		g.emit(asm.Set(to))
		g.storeAt(elem, to, 0, v)
		g.step(length, 1)
		g.release(to)
		g.release(v...)
	}
	switch n.Op {
	case expr.OpTransform:
		appendValue(g.held(n.B))
	default:
		turn := func(done asm.Label) {
			g.node(n.B)
			g.op(asm.I32Eqz)
			g.jump(asm.BrIf, done)
			if g.fails(n.B) || g.fails(n.D) {
				g.get(failed)
				g.jump(asm.BrIf, done)
			}
			if n.Op == expr.OpSift {
				appendValue(g.held(n.D))
				return
			}
			g.loadAt(l.elem, l.at, 0)
			appendValue(g.hold(partsOf(l.elem)))
		}
		if g.fails(n.B) || g.fails(n.D) {
			g.attempt(failed, false, turn)
			break
		}
		done := g.newLabel()
		g.block(done, asm.None)
		turn(done)
		g.op(asm.End)
	}
	g.finish(&l)
	if n.Op != expr.OpTransform && (g.fails(n.B) || g.fails(n.D)) {
		g.get(failed)
		g.check()
	}
	g.get(out, length)
	g.release(out, length, capacity, failed)
}
