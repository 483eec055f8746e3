package emit

import (
	"bytes"
	"compress/flate"
	"flag"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/subgo"
	"github.com/privetdev/privet/wasm/emit/find/findtables"
)

var update = flag.Bool("update", false, "write runtime.asm.flate anew")

const modulePath = "github.com/privetdev/privet/"

// sources are the packages of this module that the runtime is made of, with all that
// they import of it.
func sources(t testing.TB, paths ...string) []subgo.Package {
	t.Helper()
	found := map[string]bool{}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		if found[path] {
			continue
		}
		found[path] = true
		files, err := filepath.Glob(filepath.Join("../..", strings.TrimPrefix(path, modulePath), "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, path)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "host.go" {
				continue // the host of package detect evaluates expressions, which modules do otherwise
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, i := range parsed.Imports {
				if name, err := strconv.Unquote(i.Path.Value); err == nil && strings.HasPrefix(name, modulePath) {
					paths = append(paths, name)
				}
			}
		}
	}
	var out []subgo.Package
	for _, path := range slices.Sorted(maps.Keys(found)) {
		out = append(out, subgo.Package{Path: path, Files: os.DirFS(filepath.Join("../..", strings.TrimPrefix(path, modulePath)))})
	}
	return out
}

// runtimeText is the runtime as it is compiled of the sources now.
var runtimeText = sync.OnceValues(func() ([]byte, error) {
	object, err := subgo.Compile(runtimeSources, runtimeRoots())
	if err != nil {
		return nil, err
	}
	return object.Marshal(), nil
})

var runtimeSources []subgo.Package

// fresh is the runtime as the sources have it, whether or not the file does.
func fresh(t testing.TB) func() (*asm.Object, error) {
	t.Helper()
	if runtimeSources == nil {
		runtimeSources = sources(t, runPath, runtimePath, findtables.Path, densePath, detectPath)
	}
	text, err := runtimeText()
	require.NoError(t, err)
	return func() (*asm.Object, error) { return asm.Unmarshal(text) }
}

// Programs that make modules have no compiler of Go in them, and the guest has neither.
func TestWhoImportsWhat(t *testing.T) {
	deps := func(pkg string, system ...string) []string {
		c := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg)
		c.Env = append(os.Environ(), system...)
		out, err := c.Output()
		require.NoError(t, err)
		return strings.Fields(string(out))
	}
	own := deps(".")
	assert.Contains(t, own, modulePath+"internal/asm")
	assert.NotContains(t, own, "go/types")
	guest := slices.Concat(deps("../../wasm", "GOOS=wasip1", "GOARCH=wasm"), deps("../../privacy"))
	assert.Contains(t, guest, modulePath+"classify")
	assert.NotContains(t, guest, modulePath+"wasm/emit")
}

func TestRuntimeFile(t *testing.T) {
	fresh(t)
	text, err := runtimeText()
	require.NoError(t, err)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	if *update {
		require.NoError(t, os.WriteFile("runtime.asm.flate", b.Bytes(), 0o600))
		return
	}
	object, err := embedded()
	require.NoError(t, err)
	assert.True(t, bytes.Equal(text, object.Marshal()), "the runtime of modules is older than its sources; run: go generate ./wasm/emit")
}
