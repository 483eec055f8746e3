package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fresh are the parts of an answer that differ from run to run, as keys do, or with
// every change of the wire form, as fingerprints do.
var fresh = regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{12}…`)

// The transcripts of docs/operations.md are run from top to bottom in one folder.
func TestOperationsDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/operations/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	folder := t.TempDir()
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(name)), data, 0o600))
	}
	t.Chdir(folder)
	ran := 0
	for _, block := range strings.Split(string(text), "```console\n")[1:] {
		block, _, ok := strings.Cut(block, "```")
		require.True(t, ok)
		for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(part, "\n")
			args, ok := strings.CutPrefix(command, "privet ")
			require.True(t, ok, command)
			r := privet(t, "", strings.Fields(args)...)
			assert.Equal(t, fresh.ReplaceAllString(strings.TrimSpace(want), "#"), fresh.ReplaceAllString(strings.TrimSpace(r.out+r.err), "#"), command)
			ran++
		}
	}
	assert.Greater(t, ran, 8, "the document shows commands")
}
