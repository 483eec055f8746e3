package asm

import "fmt"

// symbols are the parts of all objects by name.
type symbols struct {
	funcs   map[string]*Func
	data    map[string]*Data
	globals map[string]*Global
}

// A frame is an open block while a function is checked.
type frame struct {
	op     Op
	label  Label
	result Type
	height int  // of the stack where it began
	dead   bool // what follows is never reached
}

// check says why a function would make a module invalid: the validation algorithm of
// the specification's appendix, for what this package can write.
func (s *symbols) check(f *Func) error {
	if !f.Sig.valid() {
		return fmt.Errorf("asm: function %s: signature %q is malformed", f.Name, f.Sig)
	}
	locals := append(f.Sig.Params(), f.Locals...)
	for _, t := range f.Locals {
		if !t.valid() {
			return fmt.Errorf("asm: function %s: a local has no type", f.Name)
		}
	}
	var stack []Type
	frames := []frame{{result: f.Sig.Result()}}
	seen := map[Label]bool{}
	at := 0
	fail := func(format string, a ...any) error {
		return fmt.Errorf("asm: function %s, instruction %d: %s: %s", f.Name, at, f.Body[at].Op, fmt.Sprintf(format, a...))
	}
	// pop takes a type off; in code that is never reached there is always one.
	pop := func(want Type) error {
		top := &frames[len(frames)-1]
		if len(stack) == top.height {
			if top.dead {
				return nil
			}
			return fail("wants %c, the stack is empty", want)
		}
		t := stack[len(stack)-1]
		if t != want && t != None && want != None {
			return fail("wants %c, has %c", want, t)
		}
		stack = stack[:len(stack)-1]
		return nil
	}
	push := func(t Type) {
		if t != None {
			stack = append(stack, t)
		}
	}
	dead := func() {
		top := &frames[len(frames)-1]
		stack, top.dead = stack[:top.height], true
	}
	apply := func(sig Sig) error {
		params := sig.Params()
		for i := len(params) - 1; i >= 0; i-- {
			if err := pop(params[i]); err != nil {
				return err
			}
		}
		push(sig.Result())
		return nil
	}
	// target is what a jump to a label carries.
	target := func(l Label) (Type, error) {
		for i := len(frames) - 1; i > 0; i-- {
			if frames[i].label == l && l != 0 {
				if frames[i].op == Loop {
					return None, nil
				}
				return frames[i].result, nil
			}
		}
		return None, fail("no block has label %d here", l)
	}
	for at = 0; at < len(f.Body); at++ {
		in := f.Body[at]
		info := ops[in.Op]
		if info.name == "" {
			return fail("unknown instruction %#x", byte(in.Op))
		}
		if len(frames) == 0 {
			return fail("behind the end of the function")
		}
		var err error
		switch in.Op {
		case Unreachable:
			dead()
		case BlockOp, Loop, If:
			if in.Op == If {
				err = pop(I32)
			}
			t := Type(in.Imm)
			if t != None && !t.valid() {
				return fail("unknown type of a block")
			}
			if in.Label != 0 && seen[in.Label] {
				return fail("label %d is used twice", in.Label)
			}
			seen[in.Label] = true
			frames = append(frames, frame{op: in.Op, label: in.Label, result: t, height: len(stack)})
		case Else, End:
			top := frames[len(frames)-1]
			if len(frames) == 1 || in.Op == Else && top.op != If {
				return fail("closes nothing")
			}
			if top.result != None {
				err = pop(top.result)
			}
			if err == nil && len(stack) != top.height {
				err = fail("%d values are left in the block", len(stack)-top.height)
			}
			if in.Op == End && top.op == If && top.result != None {
				err = fail("an if with a value has no else")
			}
			stack = stack[:top.height]
			if in.Op == Else {
				frames[len(frames)-1].op, frames[len(frames)-1].dead = Else, false
				break
			}
			frames = frames[:len(frames)-1]
			push(top.result)
		case Br, BrIf:
			var t Type
			if in.Op == BrIf {
				err = pop(I32)
			}
			if err == nil {
				t, err = target(in.Label)
			}
			if err == nil && t != None {
				if err = pop(t); in.Op == BrIf {
					push(t)
				}
			}
			if in.Op == Br {
				dead()
			}
		case BrTable:
			err = pop(I32)
			if len(in.Labels) == 0 {
				return fail("has no labels")
			}
			for i, l := range in.Labels {
				t, problem := target(l)
				first, _ := target(in.Labels[0])
				if problem == nil && t != first {
					problem = fail("label %d carries another type", l)
				}
				if problem != nil {
					return problem
				}
				if i == 0 && t != None && err == nil {
					err = pop(t)
				}
			}
			dead()
		case Return:
			if t := f.Sig.Result(); t != None {
				err = pop(t)
			}
			dead()
		case CallOp:
			callee := s.funcs[in.Sym]
			if callee == nil {
				return fail("no function %q", in.Sym)
			}
			err = apply(callee.Sig)
		case CallIndirectOp:
			if !Sig(in.Sym).valid() {
				return fail("signature %q is malformed", in.Sym)
			}
			if err = pop(I32); err == nil {
				err = apply(Sig(in.Sym))
			}
		case Drop:
			err = pop(None)
		case Select:
			if err = pop(I32); err != nil {
				break
			}
			a := None
			if n := len(stack); n > frames[len(frames)-1].height {
				a = stack[n-1]
			}
			if err = pop(None); err == nil {
				err = pop(a)
			}
			if a == None { // never reached: any type will do
				stack = append(stack, None)
			}
			push(a)
		case LocalGet, LocalSet, LocalTee:
			if in.Imm < 0 || in.Imm >= int64(len(locals)) {
				return fail("no local %d", in.Imm)
			}
			t := locals[in.Imm]
			if in.Op != LocalGet {
				err = pop(t)
			}
			if in.Op != LocalSet {
				push(t)
			}
		case GlobalGet, GlobalSet:
			g := s.globals[in.Sym]
			if g == nil {
				return fail("no global %q", in.Sym)
			}
			if in.Op == GlobalGet {
				push(g.Type)
			} else if g.Const {
				return fail("global %q is constant", in.Sym)
			} else {
				err = pop(g.Type)
			}
		default:
			if (in.Op == I32Const || info.width > 0) && in.Sym != "" && s.data[in.Sym] == nil && (in.Op != I32Const || s.funcs[in.Sym] == nil) {
				return fail("no data %q", in.Sym)
			}
			err = apply(Sig(info.sig))
		}
		if err != nil {
			return err
		}
	}
	at = len(f.Body) - 1
	if at < 0 {
		if f.Sig.Result() != None {
			return fmt.Errorf("asm: function %s: is empty and has a result", f.Name)
		}
		return nil
	}
	if len(frames) != 1 {
		return fail("%d blocks are open at the end", len(frames)-1)
	}
	if t := f.Sig.Result(); t != None {
		if err := pop(t); err != nil {
			return err
		}
	}
	if len(stack) != 0 {
		return fail("%d values are left at the end", len(stack))
	}
	return nil
}

// uses lists the names that an instruction refers to.
func (in Instr) uses() string {
	if in.Op == CallIndirectOp {
		return ""
	}
	return in.Sym
}
