// Package emit makes WebAssembly modules of compiled policies.
package emit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/subgo/symbols"
)

// Exprs makes functions of expressions. What they call of package rt the module must
// have, see [runtimeCalls], as well as what [Exprs.Calls] and [Exprs.Patterns] name. The zero
// Exprs is not ready, see [NewExprs].
type Exprs struct {
	object    *asm.Object
	constants map[string]string // by content
	helpers   map[string]bool
	patterns  []string
	calls     []Call
	vars      *asm.Data
	wordIDs   map[string]int
	pool      *asm.Data
	offsets   *asm.Data
}

// NewExprs makes an empty Exprs.
func NewExprs() *Exprs {
	x := &Exprs{object: &asm.Object{}, constants: map[string]string{}, helpers: map[string]bool{}}
	x.vars = &asm.Data{Name: varsSym, Align: 8}
	x.object.Data = append(x.object.Data, x.vars, &asm.Data{Name: resultSym, Size: 16, Align: 8})
	x.wordIDs = map[string]int{}
	x.pool = &asm.Data{Name: poolSym, Const: true}
	x.offsets = &asm.Data{Name: offsetsSym, Bytes: make([]byte, 4), Size: 4, Align: 4, Const: true}
	x.object.Data = append(x.object.Data, x.pool, x.offsets)
	x.object.Globals = append(x.object.Globals,
		&asm.Global{Name: poolSym + ".n", Type: asm.I32, Const: true},
		&asm.Global{Name: offsetsSym + ".n", Type: asm.I32, Const: true})
	return x
}

// reserve sees to it that the memory of the variables has at least so many bytes.
func (x *Exprs) reserve(n int) { x.vars.Size = max(x.vars.Size, n) }

// Object is what was made so far.
func (x *Exprs) Object() *asm.Object {
	x.object.Globals[0].Value = int64(x.pool.Size)
	x.object.Globals[1].Value = int64(x.offsets.Size / 4)
	return x.object
}

// Patterns are the regular expressions of `matches` in the order of their first use. For
// number n the module must have a function "match.n" that takes a text and returns
// whether the pattern is found in it: "ii>i".
func (x *Exprs) Patterns() []string { return x.patterns }

// A Call is a function that expressions call and the module must have.
type Call struct {
	Sym      string  // "fn.name", with ":" and the constant behind it if there is one
	Sig      asm.Sig // of the arguments' parts without the constant, and of the first result
	Name     string  // of the function
	Constant string  // the argument that must be a constant, if the function has one
	Fails    bool    // a code of package expr is the last result, 0 for none
	Result   expr.Type
}

// Calls are the functions that expressions call, in the order of their first use.
func (x *Exprs) Calls() []Call { return x.calls }

// fails are the functions of the profile that may refuse their arguments.
var fails = []uint16{profile.FnWsum, profile.FnRem, profile.FnValue36, profile.FnTsum, profile.FnXsum, profile.FnIs, profile.FnFinds}

// mayFail reports whether a function may refuse its arguments: then a code is behind the
// parts of its result. A function of an environment that is not the profile's always may.
func mayFail(env *expr.Env, fn uint16) bool {
	if _, ok := profile.Env(env.ID); !ok {
		return true
	}
	return slices.Contains(fails, fn)
}

// Refused are the operations of programs that cannot be made into code.
type Refused []string

// Error names all of them.
func (r Refused) Error() string {
	return "emit: expressions with these operations cannot be part of a module: " + strings.Join(r, ", ")
}

// unsupported lists the operations of a program that cannot be made into code, by
// operator and kinds of operands, each once; nil if there are none.
func unsupported(p *expr.Program) Refused {
	var out Refused
	for i := range p.Nodes {
		n := &p.Nodes[i]
		operands := p.Operands(nil, i)
		refuse := false
		switch n.Op {
		case expr.OpCall:
			for _, a := range operands {
				t := p.Nodes[a].Type
				refuse = refuse || t.Kind() == expr.KindMap || t.Kind() == expr.KindList && holds(t.Elem()) && t.Elem() != expr.TString && t.Elem() != 0
			}
		}
		if n.Op == expr.OpInvalid || int(n.Op) >= expr.Ops {
			refuse = true
		}
		if refuse {
			text := n.Op.String()
			for _, a := range operands {
				text += " " + p.Nodes[a].Type.String()
			}
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Add makes a function of a program of an environment. A program of type bool returns 0
// or 1, or 1 and an [expr.Code] if it has no value; every other one returns the code, 0
// if there is none, and leaves the value in [resultSym]. The error is a [Refused] if the
// program has operations that are not done.
func (x *Exprs) Add(name string, p *expr.Program, env *expr.Env) error {
	return x.AddNode(name, p, env, len(p.Nodes)-1)
}

// AddNode makes a function of a part of a program, by the number of its node.
func (x *Exprs) AddNode(name string, p *expr.Program, env *expr.Env, node int) error {
	if p.Env != env.ID || node < 0 || node >= len(p.Nodes) {
		return errors.New("emit: " + name + ": the program is of another environment")
	}
	if refused := unsupported(p); len(refused) > 0 {
		return fmt.Errorf("emit: %s: %w", name, refused)
	}
	offsets := offsetsOf(env)
	x.vars.Size = max(x.vars.Size, offsets[len(offsets)-1])
	g := &gen{x: x, p: p, env: env, offsets: offsets, free: map[asm.Type][]int{}}
	g.measure()
	g.code = g.local(asm.I32)
	g.err, g.broke = g.newLabel(), g.newLabel()
	root := uint16(node)
	t := p.Nodes[node].Type
	g.call("rt.Begin")
	g.block(g.broke, asm.None)
	g.block(g.err, asm.None)
	g.node(root)
	result := g.hold(partsOf(t))
	if t != expr.TBool {
		address := g.local(asm.I32)
		g.emit(asm.Addr(resultSym, 0), asm.Set(address))
		g.storeAt(t, address, 0, result)
	}
	g.emit(asm.GetGlobal("rt.Fuel"))
	g.i32(0)
	g.op(asm.I32LtS)
	g.jump(asm.BrIf, g.broke)
	if t == expr.TBool {
		g.get(result...)
	} else {
		g.i32(0)
	}
	g.op(asm.Return, asm.End)
	if g.fails(root) {
		g.emit(asm.GetGlobal("rt.Fuel"))
		g.i32(0)
		g.op(asm.I32LtS)
		g.jump(asm.BrIf, g.broke)
		g.get(g.code)
		if t == expr.TBool {
			g.i32(1)
			g.op(asm.I32Add)
		}
		g.op(asm.Return)
	}
	g.op(asm.End)
	if t == expr.TBool {
		g.i32(1 + int(expr.TooMuch))
	} else {
		g.i32(int(expr.TooMuch))
	}
	x.object.Funcs = append(x.object.Funcs, &asm.Func{Name: name, Sig: ">i", Locals: g.locals, Body: g.body})
	return nil
}

// runtimeCalls lists the functions of package rt that functions made of expressions call.
func runtimeCalls() []symbols.Root {
	var roots []symbols.Root
	for name := range strings.FieldsSeq(`Add AddU Begin Between Broke BytesToText Characters Close Compare CompareTime Contains
		Copy Div DivU DoubleToInt DoubleToUint Earlier EndsWith Equal Find From Grow IntToText IntToTime IntToUint Join Later
		Length Lower Mod ModU Mul MulU PayArg PayCall PayList PayMatch PayText Pieces Place Replace Room Split StartsWith Sub
		SubU Substring TextToBool TextToDuration TextToInt TextToTime TextToUint TimeToText Trim UintToText Upper Valid Within
		HasWords SameWords TextToDouble DoubleToText DurationToText`) {
		roots = append(roots, symbols.Root{Package: runtimePath, Func: name})
	}
	return roots
}

// runtimePath is the path of package rt.
const runtimePath = "github.com/privetdev/privet/wasm/emit/rt"

// provided are the functions of the profile that package rt has, by their names, and
// those of package detect.
var provided = map[string]symbols.Root{}

func init() {
	for pair := range strings.FieldsSeq(`hasAll=HasAll hasAny=HasAny wsum=Wsum xsum=Xsum tsum=Tsum rem=Rem value36=Value36 digits=Digits
		ordinals=Ordinals numeric=Numeric under=Under`) {
		name, f, _ := strings.Cut(pair, "=")
		provided[name] = symbols.Root{Package: runtimePath, Func: f}
	}
	for pair := range strings.FieldsSeq(`luhn=Luhn iban=IBAN mod97=Mod97 mod11=Mod11 mod1110=Mod1110 verhoeff=Verhoeff damm=Damm isin=ISIN icao=ICAO
		base58check=Base58Check bech32=Bech32 ip=IP cidr=CIDR domain=Domain uuid=UUID ulid=ULID entropy=Entropy ymd=YMD alone=Alone
		mod37=Mod37 mod3736=Mod3736 mod2726=Mod2726 mod661=Mod661 mod1271=Mod1271 crc62=CRC62 crchex=CRCHex yymmdd=YYMMDD phone=Phone
		registered=Registered email=Email eip55=EIP55`) {
		name, f, _ := strings.Cut(pair, "=")
		provided[name] = symbols.Root{Package: detectPath, Func: f}
	}
}

// detectPath is the path of package detect.
const detectPath = "github.com/privetdev/privet/classify/detect"

// Functions makes the functions of [Exprs.Calls] that are compiled ones, and returns
// those that they call and the calls that are left to do: is and finds.
func (x *Exprs) Functions() (object *asm.Object, roots []symbols.Root, left []Call) {
	object = &asm.Object{}
	for _, c := range x.calls {
		root, ok := provided[c.Name]
		if !ok {
			left = append(left, c)
			continue
		}
		roots = append(roots, root)
		f := &asm.Func{Name: c.Sym, Sig: c.Sig}
		for i := range c.Sig.Params() {
			f.Body = append(f.Body, asm.Get(i))
		}
		f.Body = append(f.Body, asm.Call(root.Package[strings.LastIndexByte(root.Package, '/')+1:]+"."+root.Func))
		object.Funcs = append(object.Funcs, f)
	}
	return object, roots, left
}
