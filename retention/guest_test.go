//go:build !wasip1 && !js

package retention_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// TestGoldenInWebAssembly builds these tests for WebAssembly and runs the calendar
// and the scenarios there: they compare with the same bytes.
func TestGoldenInWebAssembly(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: compiling the tests for WebAssembly takes seconds; without it they run")
	}
	module := filepath.Join(t.TempDir(), "retention.wasm")
	build := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-o", module, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	text, err := build.CombinedOutput()
	require.NoError(t, err, "%s", text)
	code, err := os.ReadFile(module)
	require.NoError(t, err)

	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	dir, err := os.Getwd()
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().
		WithArgs("retention.test", "-test.v", "-test.run=TestGoldenCalendar|TestGoldenScenarios").
		WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(dir, "/")).WithEnv("PWD", "/").
		WithSysWalltime().WithSysNanotime().WithStdout(&out).WithStderr(&out))
	var exit *sys.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
		require.Zero(t, exit.ExitCode(), "%s", out.String())
	}
	passed := regexp.MustCompile(`(?m)^ +--- PASS: TestGoldenScenarios/`).FindAll(out.Bytes(), -1)
	assert.Len(t, passed, len(scenarios(t))+1, "%s", out.String())
	assert.Contains(t, out.String(), "--- PASS: TestGoldenCalendar")
	assert.NotContains(t, out.String(), "--- FAIL")
}
