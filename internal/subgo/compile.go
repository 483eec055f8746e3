package subgo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/subgo/symbols"
)

// A Package is source to compile: the Go files in the root of Files, tests left out.
type Package struct {
	Path  string // as other packages import it
	Files fs.FS
}

// A Root is a function that the object must have, with everything it needs.
type Root = symbols.Root

type funcDecl struct {
	u *unit
	d *ast.FuncDecl
}

type varSpec struct {
	u *unit
	d *ast.GenDecl
	s *ast.ValueSpec
}

// A pkgVar is a package-level variable.
type pkgVar struct {
	v       *types.Var
	u       *unit
	doc     *ast.CommentGroup
	init    ast.Expr
	written bool
	extern  bool // a function that the embedder brings
	sym     string
	made    bool
	text    *string // of a string that never changes
	refs    []ref   // of a slice that never changes
	parts   []string
}

type compiler struct {
	fset       *token.FileSet
	info       *types.Info
	units      map[string]*unit
	bases      map[string]string // last element of a path: the path that has it in symbols
	order      []funcDecl
	varSpecs   []varSpec
	vars       map[*types.Var]*pkgVar
	decls      map[*types.Func]funcDecl
	object     *asm.Object
	data       map[string]bool
	errs       Errors
	typeErrors []types.Error
	funcs      []*fn
}

// Compile compiles functions and what they need. Symbols are "package.Function", with
// the last element of the package's path. The object has the runtime that compiled
// functions call. Errors are [Errors].
func Compile(packages []Package, roots []Root) (*asm.Object, error) {
	object, err := runtimeObject()
	if err != nil {
		return nil, err
	}
	c := &compiler{
		fset: token.NewFileSet(), units: map[string]*unit{}, bases: map[string]string{"utf8": "unicode/utf8", "subgo": "subgo"}, vars: map[*types.Var]*pkgVar{},
		decls: map[*types.Func]funcDecl{}, object: object, data: map[string]bool{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}, Implicits: map[ast.Node]types.Object{}},
	}
	for _, p := range packages {
		c.load(p.Path, p.Files)
	}
	roots = append([]Root{}, roots...)
	if c.unit("unicode/utf8") != nil {
		roots = append(roots, Root{Package: "unicode/utf8", Func: "DecodeRuneInString"}) // for range over texts
	}
	if len(c.errs) == 0 {
		for _, r := range roots {
			if u := c.units[r.Package]; u != nil {
				c.check(u)
			}
		}
		c.reach(roots)
		c.wanted()
	}
	if len(c.errs) > 0 {
		return nil, c.errs.sorted()
	}
	c.prepare()
	for _, d := range c.order {
		if f := c.function(d); f != nil {
			c.funcs = append(c.funcs, f)
		}
	}
	c.finish()
	if len(c.errs) > 0 {
		return nil, c.errs.sorted()
	}
	return c.object, nil
}

// symbol is the name of something of a package in objects.
func (c *compiler) symbol(p, name string) string {
	base := path.Base(p)
	if c.bases[base] == "" {
		c.bases[base] = p
	}
	if c.bases[base] != p {
		base = p
	}
	return base + "." + name
}

func (c *compiler) funcSymbol(f *types.Func) string { return c.symbol(f.Pkg().Path(), methodName(f)) }

// externOnly refuses other uses of a variable that stands for a function.
const externOnly = "%s is a function that is brought by who embeds the package: it can only be called"

// prepare finds the package variables and which of them functions write.
func (c *compiler) prepare() {
	for _, v := range c.varSpecs {
		for i, n := range v.s.Names {
			object, ok := c.info.Defs[n].(*types.Var)
			if !ok {
				continue
			}
			pv := &pkgVar{v: object, u: v.u, doc: v.s.Doc, sym: c.symbol(v.u.path, n.Name)}
			if pv.doc == nil {
				pv.doc = v.d.Doc
			}
			switch {
			case len(v.s.Values) == len(v.s.Names):
				pv.init = v.s.Values[i]
			case len(v.s.Values) > 0:
				c.errorf(v.s, "initial values must stand one by one")
			default:
				_, pv.extern = object.Type().Underlying().(*types.Signature)
			}
			c.vars[object] = pv
		}
	}
	for _, d := range c.order {
		if f, ok := c.info.Defs[d.d.Name].(*types.Func); ok {
			c.decls[f] = d
		}
		if d.d.Body == nil {
			continue
		}
		written(c.info, d.d.Body, func(v *types.Var, n ast.Node) {
			if pv := c.vars[v]; pv != nil {
				pv.written = true
				if pv.extern {
					c.errorf(n, externOnly, v.Name())
				}
			}
		})
	}
}

// written calls f for each variable that a body changes, or of which it takes the
// address, with the node that does.
func written(info *types.Info, body ast.Node, f func(*types.Var, ast.Node)) {
	base := func(e ast.Expr, n ast.Node) {
		for {
			switch x := e.(type) {
			case *ast.ParenExpr:
				e = x.X
				continue
			case *ast.IndexExpr:
				if _, pointer := info.TypeOf(x.X).Underlying().(*types.Pointer); pointer {
					return
				}
				if _, slice := info.TypeOf(x.X).Underlying().(*types.Slice); slice {
					// The variable stays; what it points to, a table perhaps, does not.
					if id, ok := x.X.(*ast.Ident); ok {
						if v, ok := info.Uses[id].(*types.Var); ok && v.Parent() == v.Pkg().Scope() {
							f(v, n)
						}
					}
					return
				}
				e = x.X
				continue
			case *ast.SelectorExpr:
				if t := info.TypeOf(x.X); t != nil {
					if _, pointer := t.Underlying().(*types.Pointer); pointer {
						return
					}
				}
				if info.Selections[x] == nil {
					if v, ok := info.Uses[x.Sel].(*types.Var); ok {
						f(v, n)
					}
					return
				}
				e = x.X
				continue
			case *ast.Ident:
				if v, ok := info.Uses[x].(*types.Var); ok {
					f(v, n)
				}
			}
			return
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				base(l, n)
			}
		case *ast.IncDecStmt:
			base(n.X, n)
		case *ast.RangeStmt:
			if n.Key != nil {
				base(n.Key, n)
			}
			if n.Value != nil {
				base(n.Value, n)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				base(n.X, n)
			}
		case *ast.SliceExpr:
			if t := info.TypeOf(n.X); t != nil {
				if _, ok := t.Underlying().(*types.Array); ok {
					base(n.X, n)
				}
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok {
				if m := info.Selections[s]; m != nil && m.Kind() == types.MethodVal {
					if recv := m.Obj().Type().(*types.Signature).Recv(); recv != nil {
						if _, ok := recv.Type().(*types.Pointer); ok {
							base(s.X, n)
						}
					}
				}
			}
		}
		return true
	})
}

// finish takes out checks for faults of functions that have none, refuses functions
// that call themselves, and adds all to the object.
func (c *compiler) finish() {
	byName := map[string]*fn{}
	for _, f := range c.funcs {
		byName[f.name] = f
	}
	// Functions that are values may be what an indirect call calls.
	var values []string
	for _, f := range c.funcs {
		for _, in := range f.body {
			if in.Op == asm.I32Const && byName[in.Sym] != nil {
				values = append(values, in.Sym)
			}
		}
	}
	for _, d := range c.object.Data {
		for _, r := range d.Refs {
			if byName[r.Sym] != nil {
				values = append(values, r.Sym)
			}
		}
	}
	callees := func(f *fn) []string {
		var out []string
		for _, in := range f.body {
			switch in.Op {
			case asm.CallOp:
				out = append(out, in.Sym)
			case asm.CallIndirectOp:
				for _, v := range values {
					if byName[v].sig == asm.Sig(in.Sym) {
						out = append(out, v)
					}
				}
			}
		}
		return out
	}
	const white, grey, black = 0, 1, 2
	color := map[*fn]int{}
	var visit func(f *fn)
	visit = func(f *fn) {
		color[f] = grey
		for _, name := range callees(f) {
			g := byName[name]
			if g == nil {
				continue
			}
			if color[g] == grey {
				c.errorf(f.node, "%s calls itself, by way of %s: use a loop", f.name, g.name)
			}
			if color[g] == white {
				visit(g)
			}
			f.calls = f.calls || g.faults
		}
		// A check behind a call counts only if what was called may fault.
		f.faults = f.own || f.calls
		color[f] = black
	}
	for _, f := range c.funcs {
		if color[f] == white {
			visit(f)
		}
	}
	for _, f := range c.funcs {
		body := f.body[:0]
		for i := 0; i < len(f.body); i++ {
			in := f.body[i]
			if in.Op == asm.Nop { // a check: GlobalGet and BrIf follow
				faults := in.Sym == "" // by way of a value
				if g := byName[in.Sym]; g != nil {
					faults = g.faults
				}
				// What returns at once returns the zeros of the callee.
				if i+3 < len(f.body) && f.body[i+3].Op == asm.Return {
					faults = false
				}
				if !faults {
					i += 2
				}
				continue
			}
			body = append(body, in)
		}
		c.object.Funcs = append(c.object.Funcs, &asm.Func{Name: f.name, Sig: f.sig, Locals: f.locals[f.params:], Body: body})
	}
}

// textData is the symbol of a text that never changes.
func (c *compiler) textData(s string) string {
	sum := sha256.Sum256([]byte(s))
	name := "text." + hex.EncodeToString(sum[:6])
	if !c.data[name] {
		c.data[name] = true
		c.object.Data = append(c.object.Data, &asm.Data{Name: name, Bytes: []byte(s), Size: len(s), Const: true})
	}
	return name
}

// layout is the size and the alignment of a type in memory.
func (c *compiler) layout(t types.Type) (size, align int) {
	switch u := t.Underlying().(type) {
	case *types.Array:
		s, a := c.layout(u.Elem())
		return s * int(u.Len()), a
	case *types.Struct:
		size, align = 0, 1
		for i := range u.NumFields() {
			s, a := c.layout(u.Field(i).Type())
			size = (size+a-1)&^(a-1) + s
			align = max(align, a)
		}
		return (size + align - 1) &^ (align - 1), align
	case *types.Slice:
		return 8, 4
	case *types.Basic:
		switch u.Kind() {
		case types.Bool, types.UntypedBool, types.Int8, types.Uint8:
			return 1, 1
		case types.Int16, types.Uint16:
			return 2, 2
		case types.Int64, types.Uint64, types.Float64, types.UntypedFloat:
			return 8, 8
		case types.String, types.UntypedString:
			return 8, 4
		}
	}
	return 4, 4
}

func (c *compiler) fieldOffset(s *types.Struct, index int) int {
	at := 0
	for i := range s.NumFields() {
		size, a := c.layout(s.Field(i).Type())
		at = (at + a - 1) &^ (a - 1)
		if i == index {
			break
		}
		at += size
	}
	return at
}

// aggregate reports whether values of a type are in memory always.
func aggregate(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return true
	case *types.Struct:
		return u.NumFields() > 0
	}
	return false
}

// parts are the types of which a value consists on the stack; one address for an
// aggregate. ok is false for types that the subset does not have.
func parts(t types.Type) (list []asm.Type, ok bool) { return partsAt(t, 0) }

func partsAt(t types.Type, depth int) (list []asm.Type, ok bool) {
	if depth++; depth > 12 {
		return nil, false // slices of themselves
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch u.Kind() {
		case types.Bool, types.Int, types.Int8, types.Int16, types.Int32, types.Uint, types.Uint8, types.Uint16, types.Uint32,
			types.UntypedBool, types.UntypedInt, types.UntypedRune:
			return []asm.Type{asm.I32}, true
		case types.Int64, types.Uint64:
			return []asm.Type{asm.I64}, true
		case types.Float64, types.UntypedFloat:
			return []asm.Type{asm.F64}, true
		case types.String, types.UntypedString:
			return []asm.Type{asm.I32, asm.I32}, true
		}
	case *types.Slice:
		_, ok := partsAt(u.Elem(), depth)
		return []asm.Type{asm.I32, asm.I32}, ok
	case *types.Array:
		_, ok := partsAt(u.Elem(), depth)
		return []asm.Type{asm.I32}, ok
	case *types.Pointer:
		return []asm.Type{asm.I32}, true
	case *types.Signature:
		return []asm.Type{asm.I32}, u.TypeParams() == nil
	case *types.Struct:
		if u.NumFields() == 0 {
			return nil, true
		}
		for i := range u.NumFields() {
			if _, ok := partsAt(u.Field(i).Type(), depth); !ok {
				return nil, false
			}
		}
		return []asm.Type{asm.I32}, true
	}
	return nil, false
}

// bitsOf is a constant as bits of a type.
func bitsOf(v constant.Value, t types.Type) int64 {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
		f, _ := constant.Float64Val(constant.ToFloat(v))
		return int64(math.Float64bits(f))
	}
	if v.Kind() == constant.Bool {
		if constant.BoolVal(v) {
			return 1
		}
		return 0
	}
	v = constant.ToInt(v)
	if i, ok := constant.Int64Val(v); ok {
		return i
	}
	u, _ := constant.Uint64Val(v)
	return int64(u)
}

// static writes the first value of a variable into bytes at an offset.
func (c *compiler) static(e ast.Expr, t types.Type, d *asm.Data, at int) bool {
	size, _ := c.layout(t)
	tv := c.info.Types[e]
	if tv.Value != nil {
		if tv.Value.Kind() == constant.String {
			s := constant.StringVal(tv.Value)
			if s != "" {
				d.Refs = append(d.Refs, asm.Ref{At: at, Sym: c.textData(s)})
			}
			binary.LittleEndian.PutUint32(d.Bytes[at+4:], uint32(len(s)))
			return true
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(bitsOf(tv.Value, t)))
		copy(d.Bytes[at:at+size], b[:])
		return true
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return c.static(e.X, t, d, at)
	case *ast.CompositeLit:
		switch u := t.Underlying().(type) {
		case *types.Array:
			step, _ := c.layout(u.Elem())
			return c.elements(e, func(i int, x ast.Expr) bool { return c.static(x, u.Elem(), d, at+i*step) })
		case *types.Slice:
			name, n, ok := c.table(e, u.Elem(), false)
			if ok && n > 0 {
				d.Refs = append(d.Refs, asm.Ref{At: at, Sym: name})
				binary.LittleEndian.PutUint32(d.Bytes[at+4:], uint32(n))
			}
			return ok
		case *types.Struct:
			for i, x := range e.Elts {
				field := i
				if kv, ok := x.(*ast.KeyValueExpr); ok {
					x = kv.Value
					for j := range u.NumFields() {
						if u.Field(j).Name() == kv.Key.(*ast.Ident).Name {
							field = j
						}
					}
				}
				if !c.static(x, u.Field(field).Type(), d, at+c.fieldOffset(u, field)) {
					return false
				}
			}
			return true
		}
	case *ast.Ident:
		if f, ok := c.info.Uses[e].(*types.Func); ok {
			d.Refs = append(d.Refs, asm.Ref{At: at, Sym: c.funcSymbol(f)})
			return true
		}
		if v, ok := c.info.Uses[e].(*types.Var); ok && c.vars[v] != nil && !c.vars[v].written && c.vars[v].init != nil {
			return c.static(c.vars[v].init, t, d, at)
		}
		_, null := c.info.Uses[e].(*types.Nil)
		return null
	case *ast.UnaryExpr:
		if id, ok := e.X.(*ast.Ident); ok && e.Op == token.AND {
			if v, ok := c.info.Uses[id].(*types.Var); ok && c.vars[v] != nil && aggregate(v.Type()) {
				d.Refs = append(d.Refs, asm.Ref{At: at, Sym: c.memory(c.vars[v])})
				return true
			}
		}
	}
	c.errorf(e, "this value is not constant: write the table out, or generate it")
	return false
}

// elements calls f for the elements of an array or slice.
func (c *compiler) elements(e *ast.CompositeLit, f func(int, ast.Expr) bool) bool {
	next := 0
	for _, x := range e.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			n, _ := constant.Int64Val(constant.ToInt(c.info.Types[kv.Key].Value))
			next, x = int(n), kv.Value
		}
		if !f(next, x) {
			return false
		}
		next++
	}
	return true
}

// table puts the elements of a slice into data.
func (c *compiler) table(e *ast.CompositeLit, elem types.Type, written bool) (name string, n int, ok bool) {
	c.elements(e, func(i int, _ ast.Expr) bool { n = max(n, i+1); return true })
	step, align := c.layout(elem)
	d := &asm.Data{Bytes: make([]byte, n*step), Size: n * step, Align: align, Const: !written}
	if !c.elements(e, func(i int, x ast.Expr) bool { return c.static(x, elem, d, i*step) }) {
		return "", 0, false
	}
	return c.addData(d, e), n, true
}

// addData names data after what is in it, or if it is written after its place in the
// source.
func (c *compiler) addData(d *asm.Data, n ast.Node) string {
	if d.Const {
		sum := sha256.Sum256((&asm.Object{Data: []*asm.Data{d}}).Marshal())
		d.Name = "data." + hex.EncodeToString(sum[:6])
	} else {
		p := c.fset.Position(n.Pos())
		d.Name = c.symbol(path.Dir(p.Filename), strings.TrimSuffix(path.Base(p.Filename), ".go")+"."+itoa(p.Line)+"."+itoa(p.Column))
	}
	if !c.data[d.Name] {
		c.data[d.Name] = true
		c.object.Data = append(c.object.Data, d)
	}
	return d.Name
}

func itoa(n int) string { return constant.MakeInt64(int64(n)).ExactString() }

// embedded is the text of a variable with go:embed.
func (c *compiler) embedded(pv *pkgVar) (string, bool) {
	if pv.doc == nil {
		return "", false
	}
	for _, line := range pv.doc.List {
		if name, ok := strings.CutPrefix(line.Text, "//go:embed "); ok {
			b, err := fs.ReadFile(pv.u.fs, strings.TrimSpace(name))
			if err != nil {
				c.errs = append(c.errs, Error{c.fset.Position(line.Pos()), "the file cannot be read"})
			}
			return string(b), true
		}
	}
	return "", false
}

// memory is the data symbol of a variable that is in memory.
func (c *compiler) memory(pv *pkgVar) string {
	if pv.made {
		return pv.sym
	}
	pv.made = true
	size, align := c.layout(pv.v.Type())
	d := &asm.Data{Name: pv.sym, Bytes: make([]byte, size), Size: size, Align: align, Const: !pv.written}
	if pv.init != nil {
		c.static(pv.init, pv.v.Type(), d, 0)
	}
	c.object.Data = append(c.object.Data, d)
	return pv.sym
}

// resolve decides how a package variable that is no aggregate is kept.
func (c *compiler) resolve(pv *pkgVar) {
	if pv.made {
		return
	}
	pv.made = true
	types0, ok := parts(pv.v.Type())
	if !ok {
		c.errs = append(c.errs, Error{c.fset.Position(pv.v.Pos()), "a variable of type " + pv.v.Type().String() + " is not in the subset"})
		return
	}
	size, align := c.layout(pv.v.Type())
	d := &asm.Data{Bytes: make([]byte, size), Size: size, Align: align}
	isText := false
	if b, ok := pv.v.Type().Underlying().(*types.Basic); ok {
		isText = b.Info()&types.IsString != 0
	}
	if s, ok := c.embedded(pv); ok && isText {
		if s != "" {
			d.Refs = append(d.Refs, asm.Ref{Sym: c.textData(s)})
		}
		binary.LittleEndian.PutUint32(d.Bytes[4:], uint32(len(s)))
		if !pv.written {
			pv.text = &s
			return
		}
	} else if pv.init != nil {
		if value := c.info.Types[pv.init].Value; value != nil && isText && !pv.written {
			s := constant.StringVal(value)
			pv.text = &s
			return
		}
		if l, ok := pv.init.(*ast.CompositeLit); ok && len(types0) == 2 {
			name, n, ok := c.table(l, pv.v.Type().Underlying().(*types.Slice).Elem(), pv.written)
			if ok {
				d.Refs = append(d.Refs, asm.Ref{Sym: name})
				binary.LittleEndian.PutUint32(d.Bytes[4:], uint32(n))
			}
		} else {
			c.static(pv.init, pv.v.Type(), d, 0)
		}
	}
	sym := ""
	if len(d.Refs) > 0 {
		sym = d.Refs[0].Sym
	}
	if !pv.written {
		at := 0
		for i, t := range types0 {
			r := ref{local: -1, t: t}
			if t == asm.I32 {
				var b [4]byte
				copy(b[:], d.Bytes[at:])
				r.imm = int64(int32(binary.LittleEndian.Uint32(b[:])))
				at += 4
			} else {
				r.imm = int64(binary.LittleEndian.Uint64(d.Bytes[at:]))
				at += 8
			}
			if size < 4 && sizeSigned(pv.v.Type()) {
				shift := 64 - 8*size
				r.imm = r.imm << shift >> shift
			}
			if i == 0 {
				r.sym = sym
			}
			pv.refs = append(pv.refs, r)
		}
		return
	}
	at := 0
	for i, t := range types0 {
		g := &asm.Global{Name: pv.sym, Type: t}
		if len(types0) > 1 {
			g.Name += "." + itoa(i)
		}
		if i == 0 {
			g.Sym = sym
		}
		var b [8]byte
		if t == asm.I32 {
			copy(b[:4], d.Bytes[at:])
			g.Value = int64(int32(binary.LittleEndian.Uint32(b[:])))
			at += 4
		} else {
			g.Value = int64(binary.LittleEndian.Uint64(d.Bytes[at:]))
			at += 8
		}
		if size < 4 && sizeSigned(pv.v.Type()) {
			shift := 64 - 8*size
			g.Value = g.Value << shift >> shift
		}
		c.object.Globals = append(c.object.Globals, g)
		pv.parts = append(pv.parts, g.Name)
	}
}

// sizeSigned reports whether a number has a sign.
func sizeSigned(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsUnsigned == 0
}
