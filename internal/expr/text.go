package expr

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is the CEL text of a node, written from the tree: what its author wrote, apart
// from blanks, from parentheses that change nothing, and from the names of variables
// of macros, which are x, y, z from the outside to the inside, or other letters where
// a variable of the environment is called so.
func (p *Program) Text(node int) string {
	if node < 0 || node >= len(p.Nodes) || p.env == nil {
		return ""
	}
	t := textWriter{p: p, locals: localNames(p.env)}
	t.node(uint16(node), bindsNothing)
	return t.String()
}

// How tightly an operator binds.
const (
	bindsNothing = iota
	bindsCond
	bindsOr
	bindsAnd
	bindsRelation
	bindsSum
	bindsProduct
	bindsSign
	bindsMember
)

var binding = map[Op]int{
	OpCond: bindsCond, OpOr: bindsOr, OpAnd: bindsAnd,
	OpEq: bindsRelation, OpNe: bindsRelation, OpLt: bindsRelation, OpLe: bindsRelation, OpGt: bindsRelation, OpGe: bindsRelation, OpIn: bindsRelation,
	OpAdd: bindsSum, OpSub: bindsSum, OpMul: bindsProduct, OpDiv: bindsProduct, OpMod: bindsProduct, OpNot: bindsSign, OpNeg: bindsSign,
}

// localNames are letters that no variable of env begins with as a name.
func localNames(env *Env) string {
	var names []byte
	for _, c := range []byte("xyzuvwabcdefghijklmnopqrst") {
		taken := false
		for i := range env.Vars {
			first, _, _ := strings.Cut(env.Vars[i].Name, ".")
			taken = taken || first == string(rune(c))
		}
		if !taken {
			names = append(names, c)
		}
	}
	return string(names) + "xyzuvw" // no environment takes all letters
}

type textWriter struct {
	strings.Builder
	p      *Program
	locals string
}

// node writes a node where something stands that binds as tightly as within says.
func (t *textWriter) node(i uint16, within int) {
	n := &t.p.Nodes[i]
	binds, ok := binding[n.Op]
	if !ok {
		binds = bindsMember
		if n.Op == OpConst && t.p.Consts[n.A].negative() {
			binds = bindsSign
		}
	}
	if binds < within {
		t.WriteByte('(')
		defer t.WriteByte(')')
	}
	info := &opInfo[n.Op]
	switch n.Op {
	case OpConst:
		t.value(t.p.Consts[n.A])
	case OpVar:
		t.WriteString(t.p.env.Vars[n.A].Name)
	case OpLocal:
		t.WriteByte(t.locals[n.A])
	case OpList:
		t.WriteByte('[')
		t.list(t.p.Args[n.A : n.A+n.B])
		t.WriteByte(']')
	case OpMap:
		t.WriteByte('{')
		for j, a := range t.p.Args[n.A : n.A+n.B] {
			if j > 0 {
				t.WriteString([]string{", ", ": "}[j&1])
			}
			t.node(a, bindsNothing)
		}
		t.WriteByte('}')
	case OpNot, OpNeg:
		t.WriteString(map[Op]string{OpNot: "!", OpNeg: "-"}[n.Op])
		inside := bindsMember
		if n.Op == OpNeg && t.p.Nodes[n.A].Op == OpConst {
			inside++ // -0 is a number, -(0) an operation
		}
		t.node(n.A, inside)
	case OpCond:
		t.node(n.A, bindsCond+1)
		t.WriteString(" ? ")
		t.node(n.B, bindsCond+1)
		t.WriteString(" : ")
		t.node(n.C, bindsCond)
	case OpIndex:
		t.node(n.A, bindsMember)
		t.WriteByte('[')
		t.node(n.B, bindsNothing)
		t.WriteByte(']')
	case OpSelect:
		t.node(n.A, bindsMember)
		t.WriteString("." + t.p.Consts[n.B].AsString())
	case OpHas:
		t.WriteString("has(")
		t.node(n.A, bindsMember)
		t.WriteString("." + t.p.Consts[n.B].AsString() + ")")
	case OpMatches:
		t.node(n.A, bindsMember)
		t.WriteString(".matches(")
		t.pattern(t.p.Patterns[n.B])
		t.WriteByte(')')
	case OpAll, OpExists, OpExistsOne, OpFilter, OpTransform, OpSift:
		t.node(n.A, bindsMember)
		t.WriteString("." + strings.TrimRight(info.name, "/23") + "(" + t.locals[n.C:n.C+1] + ", ")
		t.node(n.B, bindsNothing)
		if n.Op == OpSift {
			t.WriteString(", ")
			t.node(n.D, bindsNothing)
		}
		t.WriteByte(')')
	case OpCall:
		args := t.p.Args[n.B : n.B+n.C]
		f, ok := t.p.env.Func(n.A)
		if !ok {
			break // Decode knows all functions
		}
		if f.Member {
			t.node(args[0], bindsMember)
			t.WriteByte('.')
			args = args[1:]
		}
		t.WriteString(f.Name + "(")
		t.list(args)
		t.WriteByte(')')
	default:
		switch {
		case ok && binds != bindsSign:
			// && and || mean the same however they are grouped.
			right := binds + 1
			if n.Op == OpAnd || n.Op == OpOr {
				right = binds
			}
			t.node(n.A, binds)
			t.WriteString(" " + info.name + " ")
			t.node(n.B, right)
		case n.Op == OpSize || n.Op >= OpToBool && n.Op <= OpToDuration:
			t.WriteString(info.name + "(")
			t.node(n.A, bindsNothing)
			t.WriteByte(')')
		default:
			operands := t.p.Operands(nil, int(i))
			t.node(operands[0], bindsMember)
			name, _, _ := strings.Cut(info.name, "/")
			t.WriteString("." + name + "(")
			t.list(operands[1:])
			t.WriteByte(')')
		}
	}
}

func (t *textWriter) list(args []uint16) {
	for j, a := range args {
		if j > 0 {
			t.WriteString(", ")
		}
		t.node(a, bindsNothing)
	}
}

// pattern writes a regular expression, without doubled backslashes if it can.
func (t *textWriter) pattern(s string) {
	if strings.ContainsRune(s, '\\') && !strings.ContainsFunc(s, func(r rune) bool { return r == '"' || !unicode.IsPrint(r) || r == utf8.RuneError }) {
		t.WriteString(`r"` + s + `"`)
		return
	}
	t.quote(s)
}

func (t *textWriter) quote(s string) {
	t.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			t.WriteByte('\\')
			t.WriteRune(r)
		case r == '\n':
			t.WriteString(`\n`)
		case r == '\t':
			t.WriteString(`\t`)
		case r < 0x80 && unicode.IsPrint(r) || r >= 0x80 && unicode.IsPrint(r) && r != utf8.RuneError:
			t.WriteRune(r)
		case r > 0xFFFF:
			t.hex(`\U`, 8, uint32(r))
		default:
			t.hex(`\u`, 4, uint32(r))
		}
	}
	t.WriteByte('"')
}

func (t *textWriter) hex(prefix string, digits int, v uint32) {
	s := strconv.FormatUint(uint64(v), 16)
	t.WriteString(prefix + strings.Repeat("0", digits-len(s)) + s)
}

// value writes a constant.
func (t *textWriter) value(v Value) {
	switch v.Kind() {
	case KindBool:
		t.WriteString(strconv.FormatBool(v.AsBool()))
	case KindInt:
		t.WriteString(strconv.FormatInt(v.AsInt(), 10))
	case KindUint:
		t.WriteString(strconv.FormatUint(v.AsUint(), 10) + "u")
	case KindDouble:
		s := strconv.FormatFloat(v.AsDouble(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		t.WriteString(s)
	case KindString:
		t.quote(v.AsString())
	case KindBytes:
		t.WriteString(`b"`)
		for i := range len(v.AsString()) {
			t.hex(`\x`, 2, uint32(v.AsString()[i]))
		}
		t.WriteByte('"')
	}
}

// negative reports whether a number is written with a sign.
func (v Value) negative() bool {
	return v.Kind() == KindInt && v.AsInt() < 0 || v.Kind() == KindDouble && strings.HasPrefix(strconv.FormatFloat(v.AsDouble(), 'g', -1, 64), "-")
}
