package subgo

import (
	"cmp"
	"embed"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Errors are all that is wrong with a source, in the order of the files.
type Errors []Error

// An Error is one thing that the subset does not have, or that is no Go.
type Error struct {
	Pos     token.Position
	Problem string // what is wrong and what to write instead
}

// Error is the place and the problem.
func (e Error) Error() string { return e.Pos.String() + ": " + e.Problem }

// Error is one line for each.
func (e Errors) Error() string {
	var b strings.Builder
	for i, one := range e {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.Error())
	}
	return b.String()
}

// standard are the packages of the standard library in the subset: source that says the
// same, under std, and what the compiler does itself, in intrinsics.
//
//go:embed std
var standard embed.FS

// A unit is a package that is compiled: the declarations that are reached.
type unit struct {
	path  string
	files []*ast.File
	fs    fs.FS // for embedded files
	decls map[string]decl
	want  map[string]bool // names reached
	types *types.Package
	busy  bool
}

// A decl is where a package-level name is declared.
type decl struct {
	node ast.Decl
	spec ast.Spec // of a GenDecl
}

// load parses a package.
func (c *compiler) load(name string, files fs.FS) *unit {
	u := &unit{path: name, fs: files, decls: map[string]decl{}, want: map[string]bool{}}
	c.units[name] = u
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		c.errs = append(c.errs, Error{token.Position{Filename: name}, "cannot be read"})
		return u
	}
	for _, entry := range entries {
		file := entry.Name()
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || file == "native.go" {
			continue
		}
		source, err := fs.ReadFile(files, file)
		if err != nil {
			c.errs = append(c.errs, Error{token.Position{Filename: path.Join(name, file)}, "cannot be read"})
			continue
		}
		c.parse(u, path.Join(name, file), string(source))
	}
	if extra := intrinsicSource[name]; extra != "" {
		c.parse(u, name+"/intrinsics", extra)
	}
	return u
}

func (c *compiler) parse(u *unit, name, source string) {
	file, err := parser.ParseFile(c.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		c.errs = append(c.errs, Error{token.Position{Filename: name}, strings.TrimPrefix(err.Error(), name+":")})
		return
	}
	if !built(file) {
		return
	}
	if len(u.files) > 0 && u.files[0].Name.Name != file.Name.Name {
		c.errorf(file.Name, "package %s, the other files are package %s", file.Name.Name, u.files[0].Name.Name)
		return
	}
	u.files = append(u.files, file)
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				u.decls[d.Name.Name] = decl{d, nil}
				continue
			}
			t := receiverName(d)
			u.decls[t+"."+d.Name.Name] = decl{d, nil}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						u.decls[n.Name] = decl{d, spec}
					}
				case *ast.TypeSpec:
					u.decls[spec.Name.Name] = decl{d, spec}
				}
			}
		}
	}
}

// built reports whether a file is built where only the tag wasm and those of Go's
// versions hold.
func built(file *ast.File) bool {
	for _, group := range file.Comments {
		if group.Pos() >= file.Package {
			break
		}
		for _, line := range group.List {
			if !constraint.IsGoBuild(line.Text) {
				continue
			}
			if x, err := constraint.Parse(line.Text); err == nil && !x.Eval(func(tag string) bool { return tag == "wasm" || strings.HasPrefix(tag, "go1.") }) {
				return false
			}
		}
	}
	return true
}

func receiverName(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return "?"
}

// reach finds the declarations that the wanted ones need, in all packages, and notes
// what is wrong in them.
func (c *compiler) reach(roots []Root) {
	var todo []decl
	want := func(u *unit, name string) {
		if d, ok := u.decls[name]; ok && !u.want[name] {
			u.want[name] = true
			todo = append(todo, d)
		}
	}
	for _, r := range roots {
		u := c.units[r.Package]
		if u == nil || u.decls[r.Func].node == nil {
			c.errs = append(c.errs, Error{token.Position{Filename: r.Package}, "there is no " + r.Func})
			continue
		}
		want(u, r.Func)
	}
	use := func(id *ast.Ident) {
		switch object := c.info.Uses[id].(type) {
		case nil:
		case *types.PkgName:
			if p := object.Imported().Path(); c.unit(p) == nil {
				c.errorf(id, "package %s is not in the subset: write what is needed of it as functions of your own", p)
			}
		default:
			if object.Pkg() == nil || c.units[object.Pkg().Path()] == nil {
				return
			}
			u := c.units[object.Pkg().Path()]
			if f, ok := object.(*types.Func); ok {
				want(u, methodName(f))
			} else if object.Parent() == object.Pkg().Scope() {
				want(u, object.Name())
			}
		}
	}
	for len(todo) > 0 {
		d := todo[0]
		todo = todo[1:]
		n := ast.Node(d.node)
		if d.spec != nil {
			n = d.spec
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				use(id)
			}
			return true
		})
		for _, e := range c.typeErrors {
			if e.Pos >= n.Pos() && e.Pos < n.End() {
				problem := e.Msg
				if name, ok := strings.CutPrefix(problem, "undefined: "); ok && strings.Contains(name, ".") {
					problem = name + " is not in the subset: write a function of your own that does it"
				}
				c.errs = append(c.errs, Error{c.fset.Position(e.Pos), problem})
			}
		}
	}
}

// methodName is the name of a function, with the type before it if it is a method.
func methodName(f *types.Func) string {
	recv := f.Type().(*types.Signature).Recv()
	if recv == nil {
		return f.Name()
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name() + "." + f.Name()
	}
	return f.Name()
}

// unit finds a package, of the standard library if it was not given.
func (c *compiler) unit(p string) *unit {
	if u := c.units[p]; u != nil {
		return u
	}
	sub, err := fs.Sub(standard, "std/"+p)
	if err == nil {
		if entries, err := fs.ReadDir(sub, "."); err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() }) {
			return c.load(p, sub)
		}
	}
	if intrinsicSource[p] != "" {
		return c.load(p, embed.FS{})
	}
	return nil
}

// Import checks a package of which another needs something; it is for go/types.
func (c *compiler) Import(p string) (*types.Package, error) {
	u := c.unit(p)
	if u == nil || u.busy {
		return nil, fmt.Errorf("package %s is not in the subset", p)
	}
	return c.check(u), nil
}

// check gives types to a package. What is wrong in it counts only where it is reached.
func (c *compiler) check(u *unit) *types.Package {
	if u.types != nil {
		return u.types
	}
	u.busy = true
	config := types.Config{
		Importer: c, Sizes: &types.StdSizes{WordSize: 4, MaxAlign: 8},
		Error: func(err error) {
			if e, ok := err.(types.Error); ok {
				c.typeErrors = append(c.typeErrors, e)
			}
		},
	}
	u.types, _ = config.Check(u.path, c.fset, u.files, c.info)
	u.busy = false
	return u.types
}

// wanted lists the functions and variables that are reached, in the order of the files.
func (c *compiler) wanted() {
	for _, name := range slices.Sorted(maps.Keys(c.units)) {
		u := c.units[name]
		for _, file := range u.files {
			for _, d := range file.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					name := d.Name.Name
					if d.Recv != nil {
						name = receiverName(d) + "." + name
					}
					if u.want[name] {
						c.order = append(c.order, funcDecl{u, d})
					}
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						s, ok := spec.(*ast.ValueSpec)
						if ok && d.Tok == token.VAR && slices.ContainsFunc(s.Names, func(n *ast.Ident) bool { return u.want[n.Name] }) {
							c.varSpecs = append(c.varSpecs, varSpec{u, d, s})
						}
					}
				}
			}
		}
	}
}

// errorf notes that a node is not in the subset.
func (c *compiler) errorf(n ast.Node, format string, a ...any) {
	c.errs = append(c.errs, Error{c.fset.Position(n.Pos()), fmt.Sprintf(format, a...)})
}

// sorted is the errors in order, each once.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(strings.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return slices.Compact(e)
}
