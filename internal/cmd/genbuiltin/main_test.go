package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

const dir = "../../../classify/builtin"

// The committed bundle is what the YAML files give, byte for byte, and every rule
// and detector in it was tried on a case that must hold and on one that must not.
func TestCommitted(t *testing.T) {
	encoded, tally, err := build(dir, files)
	require.NoError(t, err)
	require.NotZero(t, tally.Cases, "no case was run")
	assert.Empty(t, tally.Untested, "without a true and a false case")
	t.Logf("%d cases, %d bytes", tally.Cases, len(encoded))

	committed, err := os.ReadFile(filepath.Join(dir, "builtin.bundle"))
	require.NoError(t, err)
	require.True(t, string(committed) == string(encoded), "builtin.bundle is old: run go generate ./classify")
	require.True(t, string(classify.BuiltinBundle()) == string(encoded))
}

func TestDeterministic(t *testing.T) {
	a, _, err := build(dir, files)
	require.NoError(t, err)
	b, _, err := build(dir, files)
	require.NoError(t, err)
	require.True(t, string(a) == string(b))
}

// A missing or faulty file is an error, never an empty classification.
func TestFaults(t *testing.T) {
	_, _, err := build(t.TempDir(), files)
	require.Error(t, err)

	broken := t.TempDir()
	for _, name := range files {
		require.NoError(t, os.WriteFile(filepath.Join(broken, name), []byte("privet: 1\nname: builtin\nversion: 1\nrules: [{id: a}]\n"), 0o644))
	}
	_, _, err = build(broken, files)
	require.ErrorContains(t, err, "rule needs category")
}
