package emit

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/subgo/symbols"
	"github.com/privetdev/privet/wasm/emit/find/findtables"
)

// runtimeFile is what package internal/subgo made of the packages that modules need, as
// text, compressed. A test makes it, so that programs that make modules need no compiler
// of Go.
//
//go:generate go test -count=1 -run ^TestRuntimeFile$ . -update
//go:embed runtime.asm.flate
var runtimeFile []byte

// embedded is the runtime of modules; it may be changed.
func embedded() (*asm.Object, error) {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(runtimeFile)))
	if err != nil {
		return nil, fmt.Errorf("emit: the runtime of modules cannot be read: %w", err)
	}
	return asm.Unmarshal(text)
}

// runPath is the path of package run.
const runPath = "github.com/privetdev/privet/wasm/emit/run"

// densePath is the path of package dense.
const densePath = "github.com/privetdev/privet/wasm/emit/dense"

// runtimeRoots are the functions that the runtime must have: what the exports and
// expressions call, and what writes the variables that are filled in.
func runtimeRoots() []symbols.Root {
	roots := runtimeCalls()
	for name := range strings.FieldsSeq("Ask Field Forget ForgetDetectors ForgetWords Record Text Matches ForgetRules") {
		roots = append(roots, symbols.Root{Package: runPath, Func: name})
	}
	roots = append(roots, symbols.Root{Package: findtables.Path, Func: "Forget"},
		symbols.Root{Package: densePath, Func: "Forget"}, symbols.Root{Package: densePath, Func: "Unpack"})
	for _, root := range provided {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(a, b symbols.Root) int { return strings.Compare(a.Package+"."+a.Func, b.Package+"."+b.Func) })
	return slices.Compact(roots)
}
