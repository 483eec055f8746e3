package expr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/scan"
)

// The wire form: a byte with its version, a byte with the environment's number,
// the source, and the tree from the root, each operation before its operands.
// Texts have their length in front; numbers are varints in their shortest form.
// Types are not written: they follow from the operations. One program has exactly
// one form.
const wireVersion = 1

var (
	errShort    = errors.New("expr: decode: program ends too early")
	errLong     = errors.New("expr: decode: bytes after the end of the program")
	errForm     = errors.New("expr: decode: not the canonical form of a program")
	errVersion  = errors.New("expr: decode: form of a later version; use a newer host")
	errEnv      = errors.New("expr: decode: program of another environment")
	errOp       = errors.New("expr: decode: unknown operation, variable or function; use a newer host")
	errType     = errors.New("expr: decode: operands do not fit their operation")
	errText     = errors.New("expr: decode: text is not UTF-8")
	errConst    = errors.New("expr: decode: operand must be a constant")
	errPattern  = errors.New("expr: decode: regular expression is not valid")
	errTooLarge = errors.New("expr: program is larger than its bounds")
	errEmpty    = errors.New("expr: program has no operations")
)

// Append appends the program's wire form to dst. It is deterministic: equal
// programs have equal bytes.
func (p *Program) Append(dst []byte) []byte {
	dst = append(dst, wireVersion, p.Env)
	dst = appendText(dst, p.Source)
	if len(p.Nodes) == 0 {
		return dst
	}
	return p.appendNode(dst, len(p.Nodes)-1)
}

func (p *Program) appendNode(dst []byte, i int) []byte {
	n := &p.Nodes[i]
	dst = append(dst, byte(n.Op))
	switch n.Op {
	case OpConst:
		dst = appendConst(dst, p.Consts[n.A])
	case OpVar, OpLocal:
		dst = binary.AppendUvarint(dst, uint64(n.A))
	case OpList:
		dst = binary.AppendUvarint(dst, uint64(n.B))
	case OpMap:
		dst = binary.AppendUvarint(dst, uint64(n.B/2))
	case OpCall:
		dst = binary.AppendUvarint(dst, uint64(n.A))
	case OpSelect, OpHas:
		dst = appendText(dst, p.Consts[n.B].str)
	case OpMatches:
		dst = appendText(dst, p.Patterns[n.B])
	}
	for _, k := range p.Operands(nil, i) {
		dst = p.appendNode(dst, int(k))
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendConst(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case KindBool:
		dst = append(dst, byte(v.num))
	case KindInt:
		dst = binary.AppendVarint(dst, int64(v.num))
	case KindUint:
		dst = binary.AppendUvarint(dst, v.num)
	case KindDouble:
		dst = binary.LittleEndian.AppendUint64(dst, v.num)
	case KindString, KindBytes:
		dst = appendText(dst, v.str)
	}
	return dst
}

// Decode reads the wire form of a program for env. It checks everything that the
// evaluator relies on: types, numbers of operands, slots, functions, constants,
// patterns and bounds. Bytes of any origin are safe to decode and, if accepted,
// safe to evaluate. An accepted program encodes to the same bytes again.
//
// The error never contains anything of b.
func Decode(b []byte, env *Env) (*Program, error) {
	p, err := decode(b, env)
	if err != nil {
		return nil, err
	}
	// Padded varints and the like are the only freedom that the reader leaves.
	if !bytes.Equal(p.Append(make([]byte, 0, len(b))), b) {
		return nil, errForm
	}
	p.measure()
	p.sound = true
	return p, nil
}

type decoder struct {
	b       []byte
	env     *Env
	p       *Program
	locals  [MaxLoops]Type
	loops   int
	depth   int
	pattern int // instructions so far
}

func decode(b []byte, env *Env) (*Program, error) {
	d := &decoder{b: b, env: env, p: &Program{Env: env.ID, env: env, vars: len(env.Vars)}}
	version, err := d.byte()
	if err != nil {
		return nil, err
	}
	if version != wireVersion {
		return nil, errVersion
	}
	id, err := d.byte()
	if err != nil {
		return nil, err
	}
	if id != env.ID {
		return nil, errEnv
	}
	if d.p.Source, err = d.text(); err != nil {
		return nil, err
	}
	if !utf8.ValidString(d.p.Source) {
		return nil, errText
	}
	if len(d.b) == 0 {
		return nil, errEmpty
	}
	if _, err = d.node(); err != nil {
		return nil, err
	}
	if len(d.b) != 0 {
		return nil, errLong
	}
	return d.p, nil
}

func (d *decoder) byte() (byte, error) {
	if len(d.b) == 0 {
		return 0, errShort
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c, nil
}

func (d *decoder) uvarint() (uint64, error) {
	u, n := binary.Uvarint(d.b)
	if n <= 0 {
		return 0, errShort
	}
	d.b = d.b[n:]
	return u, nil
}

// count reads a number of things of which each takes at least one byte.
func (d *decoder) count() (int, error) {
	u, err := d.uvarint()
	if err != nil {
		return 0, err
	}
	if u > uint64(len(d.b)) {
		return 0, errShort
	}
	return int(u), nil
}

func (d *decoder) text() (string, error) {
	n, err := d.count()
	if err != nil {
		return "", err
	}
	if n > MaxText {
		return "", errTooLarge
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s, nil
}

// add appends a node and returns its index.
func (d *decoder) add(n Node) (uint16, error) {
	if len(d.p.Nodes) >= MaxNodes {
		return 0, errTooLarge
	}
	d.p.Nodes = append(d.p.Nodes, n)
	return uint16(len(d.p.Nodes) - 1), nil
}

// node reads one operation with its operands.
func (d *decoder) node() (uint16, error) {
	// A node takes at least a byte, so len(d.b) bounds the work; the depth bounds
	// the stack.
	if d.depth++; d.depth > MaxDepth {
		return 0, errTooLarge
	}
	defer func() { d.depth-- }()
	c, err := d.byte()
	if err != nil {
		return 0, err
	}
	n := Node{Op: Op(c)}
	if n.Op == OpInvalid || n.Op >= ops {
		return 0, errOp
	}
	info := &opInfo[n.Op]
	switch info.form {
	case formOther:
		err = d.other(&n)
	case formLoop:
		err = d.loop(&n, info.arity)
	default:
		err = d.plain(&n, info.form, int(info.arity))
	}
	if err != nil {
		return 0, err
	}
	return d.add(n)
}

// plain reads operations with a fixed number of operands.
func (d *decoder) plain(n *Node, f form, arity int) error {
	var kids [4]uint16
	if f == formKey || f == formRegex {
		s, err := d.text()
		if err != nil {
			return err
		}
		if !utf8.ValidString(s) {
			return errText
		}
		if f == formRegex {
			kids[1] = uint16(len(d.p.Patterns))
			if err := d.addPattern(s); err != nil {
				return err
			}
		} else {
			kids[1] = uint16(len(d.p.Consts))
			d.p.Consts = append(d.p.Consts, String(s))
		}
	}
	var types [4]Type
	for i := range arity {
		k, err := d.node()
		if err != nil {
			return err
		}
		kids[i], types[i] = k, d.p.Nodes[k].Type
	}
	n.A, n.B, n.C, n.D = kids[0], kids[1], kids[2], kids[3]
	var ok bool
	if n.Type, ok = infer(n.Op, types); !ok || !n.Type.Valid() {
		return errType
	}
	return nil
}

var firstID = []uint32{0}

func (d *decoder) addPattern(s string) error {
	size, err := CheckPattern(s)
	switch {
	case err == errTooLarge:
		return err
	case err != nil:
		return errPattern
	}
	if d.pattern += size; d.pattern > MaxPattern {
		return errTooLarge
	}
	d.p.Patterns = append(d.p.Patterns, s)
	d.p.regex = append(d.p.regex, scan.NewSet([]string{s}, firstID, false))
	d.p.weight = append(d.p.weight, PatternWeight(size))
	return nil
}

// loop reads a macro: the range, then one or two bodies that see one more local.
func (d *decoder) loop(n *Node, arity uint8) error {
	var err error
	if n.A, err = d.node(); err != nil {
		return err
	}
	over := d.p.Nodes[n.A].Type
	var local Type
	switch over.Kind() {
	case KindList:
		local = over.Elem()
	case KindMap:
		local = TString
	default:
		return errType
	}
	if d.loops == MaxLoops {
		return errTooLarge
	}
	n.C = uint16(d.loops)
	d.locals[d.loops] = local
	d.loops++
	d.p.loops = max(d.p.loops, d.loops)
	if n.B, err = d.node(); err != nil {
		return err
	}
	if arity == 3 {
		if n.D, err = d.node(); err != nil {
			return err
		}
	}
	d.loops--
	body := d.p.Nodes[n.B].Type
	switch n.Op {
	case OpTransform:
		n.Type = ListOf(body)
	case OpSift:
		n.Type = ListOf(d.p.Nodes[n.D].Type)
	case OpFilter:
		n.Type = ListOf(local)
	default:
		n.Type = TBool
	}
	if n.Op != OpTransform && body != TBool || !n.Type.Valid() {
		return errType
	}
	return nil
}

// other reads constants, variables, literals of lists and maps, and calls.
func (d *decoder) other(n *Node) error {
	if n.Op == OpConst {
		v, err := d.constant()
		if err != nil {
			return err
		}
		n.Type, n.A = Type(v.kind), uint16(len(d.p.Consts))
		d.p.Consts = append(d.p.Consts, v)
		return nil
	}
	if n.Op == OpList || n.Op == OpMap {
		return d.literal(n)
	}
	u, err := d.uvarint()
	if err != nil {
		return err
	}
	if u > math.MaxUint16 {
		return errOp
	}
	n.A = uint16(u)
	switch n.Op {
	case OpVar:
		if int(u) >= len(d.env.Vars) {
			return errOp
		}
		n.Type = d.env.Vars[u].Type
	case OpLocal:
		if int(u) >= d.loops {
			return errOp
		}
		n.Type = d.locals[u]
	case OpCall:
		return d.call(n)
	}
	return nil
}

func (d *decoder) constant() (Value, error) {
	k, err := d.byte()
	if err != nil {
		return Value{}, err
	}
	v := Value{kind: Kind(k)}
	switch v.kind {
	case KindBool:
		c, err := d.byte()
		if c > 1 {
			err = errForm
		}
		v.num = uint64(c)
		return v, err
	case KindInt:
		i, n := binary.Varint(d.b)
		if n <= 0 {
			return v, errShort
		}
		d.b, v.num = d.b[n:], uint64(i)
		return v, nil
	case KindUint:
		v.num, err = d.uvarint()
		return v, err
	case KindDouble:
		if len(d.b) < 8 {
			return v, errShort
		}
		v.num, d.b = binary.LittleEndian.Uint64(d.b), d.b[8:]
		return v, nil
	case KindString, KindBytes:
		v.str, err = d.text()
		if err == nil && v.kind == KindString && !utf8.ValidString(v.str) {
			err = errText
		}
		return v, err
	}
	return v, errType
}

// operands reads n nodes into Args, after all nodes inside of them have put theirs.
func (d *decoder) operands(n int) (start uint16, err error) {
	if n > MaxNodes {
		return 0, errTooLarge
	}
	kids := make([]uint16, n)
	for i := range kids {
		if kids[i], err = d.node(); err != nil {
			return 0, err
		}
	}
	start = uint16(len(d.p.Args))
	d.p.Args = append(d.p.Args, kids...)
	return start, nil
}

func (d *decoder) literal(n *Node) error {
	count, err := d.count()
	if err != nil {
		return err
	}
	step := 1
	if n.Op == OpMap {
		step = 2
	}
	if n.A, err = d.operands(count * step); err != nil {
		return err
	}
	n.B = uint16(count * step)
	args := d.p.Args[n.A : n.A+n.B]
	elem := Type(0)
	for i, a := range args {
		t := d.p.Nodes[a].Type
		if step == 2 && i%2 == 0 {
			if t != TString {
				return errType
			}
			continue
		}
		var ok bool
		if elem, ok = unify(elem, t); !ok {
			return errType
		}
	}
	if n.Op == OpMap {
		n.Type = MapOf(elem)
	} else {
		n.Type = ListOf(elem)
	}
	if !n.Type.Valid() {
		return errType
	}
	n.C = d.p.fold(n.Op, n.Type, args)
	return nil
}

func (d *decoder) call(n *Node) error {
	fn, ok := d.env.Func(n.A)
	if !ok {
		return errOp
	}
	var err error
	if n.B, err = d.operands(len(fn.Params)); err != nil {
		return err
	}
	n.C, n.Type = uint16(len(fn.Params)), fn.Result
	n.D = uint16(min(max(fn.Cost, 1), math.MaxUint16))
	for i, a := range d.p.Args[n.B : n.B+n.C] {
		arg := &d.p.Nodes[a]
		if _, ok := unify(arg.Type, fn.Params[i]); !ok {
			return errType
		}
		if fn.Const == i+1 && arg.Op != OpConst {
			return errConst
		}
	}
	return nil
}

// A Writer puts a program together: each operation first, then its operands, in
// order. Mistakes come out in [Writer.Program].
type Writer struct {
	env *Env
	b   []byte
}

// NewWriter begins a program for env, made from the text source.
func NewWriter(env *Env, source string) *Writer {
	return &Writer{env, appendText([]byte{wireVersion, env.ID}, source)}
}

// Op begins an operation with a fixed number of operands or a macro; a macro's
// bodies see its variable as the next [Writer.Local].
func (w *Writer) Op(op Op) { w.b = append(w.b, byte(op)) }

// Const adds a constant: a bool, int, uint, double, string or bytes.
func (w *Writer) Const(v Value) { w.b = appendConst(append(w.b, byte(OpConst)), v) }

// Var adds a variable of the environment.
func (w *Writer) Var(slot int) { w.number(OpVar, slot) }

// Local adds the variable of an enclosing macro; the outermost has level 0.
func (w *Writer) Local(level int) { w.number(OpLocal, level) }

// List begins a list of n operands.
func (w *Writer) List(n int) { w.number(OpList, n) }

// Map begins a map of n entries: key, value, key, value.
func (w *Writer) Map(n int) { w.number(OpMap, n) }

// Call begins a call of the environment's function fn.
func (w *Writer) Call(fn uint16) { w.number(OpCall, int(fn)) }

// Text begins an [OpSelect] or [OpHas] with a key, or an [OpMatches] with a pattern.
func (w *Writer) Text(op Op, s string) { w.b = appendText(append(w.b, byte(op)), s) }

func (w *Writer) number(op Op, n int) {
	w.b = binary.AppendUvarint(append(w.b, byte(op)), uint64(n))
}

// Program checks what was written, as [Decode] does, and returns the program.
func (w *Writer) Program() (*Program, error) { return Decode(w.b, w.env) }

// TooLarge reports whether an error of this package says that a bound was passed,
// rather than that something is wrong.
func TooLarge(err error) bool { return err == errTooLarge }
