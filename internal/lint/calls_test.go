package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A ban is something that library code does not do.
type ban struct {
	name   string
	call   func(pkg, name string) bool // pkg is an import path, "" for a builtin or a method of any type
	reason string
}

var bans = []ban{
	{"clock", func(pkg, name string) bool {
		return pkg == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "Sleep", "NewTimer", "NewTicker"}, name)
	}, "time is an argument: a decision must come out the same when it is asked again"},
	{"zone", func(pkg, name string) bool { return pkg == "time" && name == "Local" }, "the machine's zone is not the person's"},
	{"calendar", func(pkg, name string) bool { return pkg == "" && name == ".AddDate" }, "January 31 + 1 month is March 3 in AddDate; retention clamps to the end of the month"},
	{"print", func(pkg, name string) bool {
		return pkg == "fmt" && strings.HasPrefix(name, "Print") || pkg == "" && (name == "print" || name == "println") || pkg == "os" && (name == "Stdout" || name == "Stderr")
	}, "a library says what it has to say in results and errors"},
	{"log", func(pkg, name string) bool {
		return pkg == "log" || pkg == "log/slog" && slices.Contains([]string{"Default", "SetDefault", "Debug", "Info", "Warn", "Error", "Log"}, name)
	}, "either log or return, never both; and a log line is where data leaks"},
	{"panic", func(pkg, name string) bool { return pkg == "" && name == "panic" }, "hostile input must not stop a program"},
	{"exit", func(pkg, name string) bool { return pkg == "os" && name == "Exit" }, "only a program may end itself"},
	{"environment", func(pkg, name string) bool {
		return pkg == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, name)
	}, "configuration comes as an argument"},
	{"chance", func(pkg, name string) bool { return pkg == "math/rand" || pkg == "math/rand/v2" }, "equal input gives equal output, and secrets need crypto/rand"},
}

// leftovers are words that say that something is unfinished. The list is put
// together here so that this file does not hold them.
var leftovers = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}, "|") + `)\b`)

// A pass lets one function do one banned thing.
type pass struct {
	file, function, ban string
	reason              string
}

// passes must stay few. One that nothing uses any more is an error.
var passes = []pass{
	{"retention/period.go", "Period.Add", "zone", "it is named to be refused: a period in the machine's zone is an error"},
	{"consent/ledger/sqlstore/errors.go", "again", "chance", "two writers who waited equally long would meet again; what is recorded does not hang on it"},
	{"consent/ledger/sqlstore/errors.go", "wait", "clock", "the wait before a transaction is tried again; what is recorded does not hang on it"},
	{"wasm/main_host.go", "main", "print", "a program: built for a usual system, the guest says how to build it"},
}

// A finding is a banned thing in library code.
type finding struct {
	file     string // relative to the repository's root
	line     int
	function string // "Name" or "Type.Name"; "" outside a function
	ban      string
	what     string
}

// inspect lists the banned things in one Go file.
func inspect(name string, source any) ([]finding, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	imports := map[string]string{}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		local := importName(path)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		imports[local] = path
	}
	var found []finding
	function := ""
	add := func(at token.Pos, ban, what string) {
		found = append(found, finding{name, files.Position(at).Line, function, ban, what})
	}
	judge := func(at token.Pos, pkg, what string) {
		for _, b := range bans {
			if b.call(pkg, what) {
				add(at, b.name, strings.TrimPrefix(pkg+"."+strings.TrimPrefix(what, "."), "."))
			}
		}
	}
	visit := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if ident, ok := n.X.(*ast.Ident); ok && imports[ident.Name] != "" {
				judge(n.Pos(), imports[ident.Name], n.Sel.Name)
			} else {
				judge(n.Sel.Pos(), "", "."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if ident, ok := n.Fun.(*ast.Ident); ok {
				judge(n.Pos(), "", ident.Name)
			}
		}
		return true
	}
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			add(spec.Pos(), "dot import", "a dot import hides what is called")
		}
	}
	for _, declaration := range file.Decls {
		function = ""
		if f, ok := declaration.(*ast.FuncDecl); ok {
			function = f.Name.Name
			if f.Recv != nil && len(f.Recv.List) == 1 {
				function = receiver(f.Recv.List[0].Type) + "." + function
			}
		}
		ast.Inspect(declaration, visit)
	}
	function = ""
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if word := leftovers.FindString(comment.Text); word != "" {
				add(comment.Pos(), "leftover", word)
			}
		}
	}
	return found, nil
}

// importName is the name that a package most likely has: the last element of its
// path, or the one before a major version.
func importName(path string) string {
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && regexp.MustCompile(`^v[0-9]+$`).MatchString(last) {
		last = parts[len(parts)-2]
	}
	return last
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// libraryFiles are the Go files that users compile into their programs.
func libraryFiles(t testing.TB) []string {
	top := root(t)
	var files []string
	programs := below("cmd", "internal/cmd", "internal/lint", "internal/conform", "examples", "consent/ledger/sqlstore/cmd", "consent/ledger/sqlstore/internal")
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(top, path)
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			if programs(name) || entry.Name() == "testdata" || entry.Name() == "node_modules" || len(entry.Name()) > 1 && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, name)
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files, "no library file was found: the bans would hold for nothing")
	return files
}

// judge reports every finding without a pass, and every pass without a finding.
func judge(found []finding, passes []pass) []string {
	var out []string
	used := make([]bool, len(passes))
	for _, f := range found {
		i := slices.IndexFunc(passes, func(p pass) bool {
			return p.file == f.file && p.function == f.function && p.ban == f.ban
		})
		if i >= 0 {
			used[i] = true
			continue
		}
		reason := "finish it, or file it"
		if i := slices.IndexFunc(bans, func(b ban) bool { return b.name == f.ban }); i >= 0 {
			reason = bans[i].reason
		}
		out = append(out, fmt.Sprintf("%s:%d: %s: %s in %q: %s", f.file, f.line, f.ban, f.what, f.function, reason))
	}
	for i, p := range passes {
		if !used[i] {
			out = append(out, fmt.Sprintf("the pass for %s in %s of %s is used by nothing: remove it", p.ban, p.function, p.file))
		}
		if p.reason == "" {
			out = append(out, fmt.Sprintf("the pass for %s in %s of %s gives no reason", p.ban, p.function, p.file))
		}
	}
	return out
}

func TestLibraryCodeKeepsItsPromises(t *testing.T) {
	var all []finding
	for _, name := range libraryFiles(t) {
		found, err := inspect(filepath.Join(root(t), filepath.FromSlash(name)), nil)
		require.NoError(t, err, name)
		for _, f := range found {
			f.file = name
			all = append(all, f)
		}
	}
	for _, complaint := range judge(all, passes) {
		t.Error(complaint)
	}
}

func TestPlantedCallsAreFound(t *testing.T) {
	tests := []struct {
		imports, body string
		want          string // ban; "" if lawful
		reason        string
	}{
		{`"time"`, `time.Now()`, "clock", "the usual way to read the clock"},
		{`clock "time"`, `clock.Now()`, "clock", "under another name"},
		{`"time"`, `now := time.Now; _ = now`, "clock", "as a value, not called"},
		{`"time"`, `time.Since(time.Time{})`, "clock", "reads the clock inside"},
		{`"time"`, `time.Sleep(1)`, "clock", "waits for the clock"},
		{`"time"`, `_ = time.Local`, "zone", "the machine's zone"},
		{`"time"`, `_ = time.Time{}.AddDate(0, 1, 0)`, "calendar", "rolls over month ends"},
		{`"time"`, `f := time.Time.AddDate; _ = f`, "calendar", "as a method expression"},
		{`"fmt"`, `fmt.Println("x")`, "print", "printing"},
		{`"fmt"`, `fmt.Printf("x")`, "print", "printing"},
		{``, `println("x")`, "print", "the builtin"},
		{`"os"`, `_ = os.Stderr`, "print", "writing to the terminal by hand"},
		{`"log"`, `log.Print("x")`, "log", "the old log"},
		{`"log/slog"`, `slog.Info("x")`, "log", "the default logger"},
		{``, `panic("x")`, "panic", "a panic"},
		{`"os"`, `os.Exit(1)`, "exit", "ends the caller's program"},
		{`"os"`, `_ = os.Getenv("X")`, "environment", "hidden configuration"},
		{`"math/rand/v2"`, `_ = rand.Int()`, "chance", "under a major version"},
		{``, "// TO" + "DO: later", "leftover", "unfinished work"},
		{``, "/* FIX" + "ME */", "leftover", "in the other kind of comment"},
		{`. "time"`, `_ = Now`, "dot import", "would hide every call"},

		{`"time"`, `_ = time.Unix(0, 0).UTC()`, "", "a time made from an argument"},
		{`"fmt"`, `_ = fmt.Sprintf("x")`, "", "making a text is no printing"},
		{`"log/slog"`, `_ = slog.StringValue("x")`, "", "a value for somebody's log is no logging"},
		{`log "math"`, `_ = log.Pi`, "", "another package under the name log"},
		{``, `recover()`, "", "another builtin"},
		{``, "// the word panic in a comment, and toDOs in lower case", "", "comments may speak of anything finished"},
	}
	planted := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.want+"/"+tt.reason, func(t *testing.T) {
			found, err := inspect("planted.go", "package planted\nimport ("+tt.imports+")\nfunc (*T[P]) F() {\n"+tt.body+"\n}\n")
			require.NoError(t, err)
			if tt.want == "" {
				assert.Empty(t, judge(found, nil), tt.reason)
				return
			}
			require.NotEmpty(t, found, "%s: %s", tt.body, tt.reason)
			assert.Equal(t, tt.want, found[0].ban)
			assert.Len(t, judge(found, nil), len(found))
			lawful := make([]pass, 0, len(found))
			for _, f := range found {
				lawful = append(lawful, pass{"planted.go", f.function, f.ban, "planted"})
			}
			assert.Empty(t, judge(found, slices.Compact(lawful)), "a pass lets it through")
		})
		planted[tt.want] = true
	}
	for _, b := range bans {
		assert.True(t, planted[b.name], "nothing planted shows that the ban on %s can fail", b.name)
	}
	assert.NotEmpty(t, judge(nil, []pass{{"gone.go", "F", "panic", "it was needed once"}}), "a pass that nothing uses must be reported")
}
