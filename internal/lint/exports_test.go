package lint

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hidden are the modules whose types no user of ours may have to name: replacing
// or moving one of them must not break anybody's build.
var hidden = anyOf(celFamily, yamlFamily, wazero)

// leaks lists the exported parts of a package that mention a hidden type: the
// signature of a function or method, an exported field, the type of a variable
// or constant, an alias, an embedded interface, a type argument or constraint.
func leaks(pkg *types.Package) []string {
	l := leakFinder{home: pkg, seen: map[types.Type]bool{}}
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		if object := scope.Lookup(name); object.Exported() {
			l.object(name, object)
		}
	}
	slices.Sort(l.found)
	return slices.Compact(l.found)
}

type leakFinder struct {
	home  *types.Package
	seen  map[types.Type]bool
	found []string
}

func (l *leakFinder) object(name string, object types.Object) {
	l.visit(name, object.Type())
	typeName, ok := object.(*types.TypeName)
	if !ok {
		return
	}
	if alias, ok := types.Unalias(object.Type()).(*types.Named); ok && typeName.IsAlias() && alias.Obj().Pkg() != l.home {
		return // the type that it stands for is judged where it is named
	}
	// Methods of an unexported embedded type are exported with it, so the method
	// set of the pointer is what a user sees.
	methods := types.NewMethodSet(types.NewPointer(object.Type()))
	for method := range methods.Methods() {
		if method.Obj().Exported() {
			l.visit(name+"."+method.Obj().Name(), method.Type())
		}
	}
}

func (l *leakFinder) visit(where string, t types.Type) {
	if l.seen[t] {
		return
	}
	l.seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		l.named(where, t.Obj())
		l.list(where, t.TypeArgs())
		l.visit(where, t.Rhs())
	case *types.Named:
		l.named(where, t.Obj())
		l.list(where, t.TypeArgs())
		for parameter := range t.TypeParams().TypeParams() {
			l.visit(where, parameter.Constraint())
		}
		// What a type of this package is made of shows as far as it is exported;
		// types of other packages are judged there.
		if t.Obj().Pkg() == l.home {
			l.visit(where, t.Underlying())
		}
	case *types.Struct:
		for field := range t.Fields() {
			if field.Exported() {
				l.visit(where+"."+field.Name(), field.Type())
			}
		}
	case *types.Interface:
		for embedded := range t.EmbeddedTypes() {
			l.visit(where, embedded)
		}
		for method := range t.ExplicitMethods() {
			if method.Exported() {
				l.visit(where+"."+method.Name(), method.Type())
			}
		}
	case *types.Signature:
		for parameter := range t.TypeParams().TypeParams() {
			l.visit(where, parameter.Constraint())
		}
		l.visit(where, t.Params())
		l.visit(where, t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			l.visit(where, v.Type())
		}
	case *types.Union:
		for term := range t.Terms() {
			l.visit(where, term.Type())
		}
	case *types.Map:
		l.visit(where, t.Key())
		l.visit(where, t.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		l.visit(where, t.Elem())
	}
}

func (l *leakFinder) list(where string, arguments *types.TypeList) {
	for argument := range arguments.Types() {
		l.visit(where, argument)
	}
}

func (l *leakFinder) named(where string, name *types.TypeName) {
	if name.Pkg() != nil && hidden(name.Pkg().Path()) {
		l.found = append(l.found, where+" mentions "+name.Pkg().Path()+"."+name.Name())
	}
}

func TestExportedSignaturesHideDependencies(t *testing.T) {
	g := load(t, nil, "-export", "./...")
	files := token.NewFileSet()
	find := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(g[path].Export)
	})
	judged := 0
	for path, n := range g {
		if !n.ours() || n.Name == "main" || private(short(path)) {
			continue
		}
		pkg, err := find.Import(path)
		require.NoError(t, err, path)
		judged++
		for _, leak := range leaks(pkg) {
			t.Errorf("%s: exported %s: users would have to name a type of a dependency", short(path), leak)
		}
	}
	require.NotZero(t, judged, "no public package was judged")
}

func TestPlantedTypesAreFound(t *testing.T) {
	tests := []struct {
		source string
		leaks  bool
		reason string
	}{
		{`func F(cel.Env)`, true, "a parameter"},
		{`func F() (int, *cel.Env)`, true, "a result behind a pointer"},
		{`type T struct{ E []cel.Env }`, true, "an exported field, in a slice"},
		{`type T struct{}; func (T) M(map[string]cel.Env) {}`, true, "a method"},
		{`type T struct{}; func (*T) M(chan cel.Env) {}`, true, "a method of the pointer"},
		{`type t struct{}; func (t) M() cel.Env { panic(0) }; type T struct{ t }`, true, "a method by way of an unexported embedded type"},
		{`type I interface{ M(func(cel.Env)) }`, true, "a method of an interface"},
		{`type I interface{ cel.Env }`, true, "an embedded interface or constraint"},
		{`type A = cel.Env`, true, "an alias"},
		{`type T cel.Env`, false, "a type of its own with the same shape can be kept when the dependency goes"},
		{`type T[P any] struct{}; var V T[cel.Env]`, true, "a type argument"},
		{`func F[P interface{ ~int | *cel.Env }]()`, true, "a constraint"},
		{`var V [3]cel.Env`, true, "a variable"},
		{`func F(struct{ E cel.Env })`, true, "a struct without a name"},
		{`type T struct{ e cel.Env }`, false, "an unexported field is ours to change"},
		{`func f(cel.Env)`, false, "an unexported function"},
		{`type T struct{}; func (T) m(cel.Env) {}`, false, "an unexported method"},
		{`func F(int) string`, false, "nothing to see"},
	}
	for _, path := range []string{"github.com/google/cel-go/cel", "cel.dev/cel-go/cel", "google.golang.org/protobuf/proto", "github.com/tetratelabs/wazero", "go.yaml.in/yaml/v3"} {
		dependency := types.NewPackage(path, "cel")
		name := types.NewTypeName(token.NoPos, dependency, "Env", nil)
		types.NewNamed(name, types.NewStruct(nil, nil), nil)
		dependency.Scope().Insert(name)
		dependency.MarkComplete()
		for i, tt := range tests {
			t.Run(fmt.Sprintf("%s/%s", strings.ReplaceAll(path, "/", "."), tt.reason), func(t *testing.T) {
				files := token.NewFileSet()
				file, err := parser.ParseFile(files, fmt.Sprintf("planted%d.go", i), "package planted; import cel \""+path+"\"; type _ = cel.Env; "+tt.source, 0)
				require.NoError(t, err)
				config := types.Config{Importer: only{dependency}, IgnoreFuncBodies: true, Error: func(error) {}}
				// Errors (a function without a body, a struct as a constraint) do
				// not matter: what is written is what is judged.
				pkg, _ := config.Check("planted", files, []*ast.File{file}, nil)
				found := leaks(pkg)
				assert.Equal(t, tt.leaks, len(found) > 0, "%s: %s: found %q", tt.source, tt.reason, found)
			})
		}
	}
}

// only is an importer that knows one package.
type only struct{ pkg *types.Package }

func (o only) Import(string) (*types.Package, error) { return o.pkg, nil }
