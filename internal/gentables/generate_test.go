package gentables

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const detectFolder = "../../classify/detect"

var update = flag.Bool("update", false, "write the tables instead of comparing them")

// The committed tables are the ones that the generator writes, and they are small.
func TestTable(t *testing.T) {
	files, err := Make()
	require.NoError(t, err)
	size := 0
	for _, f := range files {
		name := filepath.Join(detectFolder, f.Name)
		size += len(f.Content)
		t.Logf("%s: %d bytes", f.Name, len(f.Content))
		if *update {
			require.NoError(t, os.WriteFile(name, f.Content, 0o644))
			continue
		}
		committed, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(f.Content, committed), "%s is not what the generator writes: run go generate ./classify/detect", name)
	}
	assert.LessOrEqual(t, size, 96<<10, "bytes in every program")
}
