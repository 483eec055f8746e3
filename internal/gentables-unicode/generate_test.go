package gentables

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

const tableFile = "../plain/table.go"

var update = flag.Bool("update", false, "write the table instead of comparing it")

// The committed table is the one that the generator writes, and it is small.
func TestTable(t *testing.T) {
	// Digits and properties come from one package, compatibility forms from the other.
	require.Equal(t, norm.Version, unicode.Version, "golang.org/x/text/unicode/norm and package unicode know different versions of Unicode: take releases that fit")
	table, err := Make()
	require.NoError(t, err)
	assert.LessOrEqual(t, table.Size(), 8<<10, "bytes in every program")
	source, err := table.Source()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(tableFile, source, 0o644))
		return
	}
	committed, err := os.ReadFile(tableFile)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(source, committed), "%s is not what the generator writes: run go generate ./internal/plain", tableFile)
	t.Logf("%d characters, %d blocks, %d bytes", len(table.values), len(table.masks), table.Size())
}
