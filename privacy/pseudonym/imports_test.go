package pseudonym

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A hash that needs no key must not be at hand where pseudonyms are made: the
// next person in a hurry would use it as one. So none is imported below privacy/,
// not even in tests and not even for another purpose.
var unkeyed = regexp.MustCompile(`^(github\.com/(cespare|OneOfOne|zeebo)/xx(hash|h3)(/.*)?|.*/(murmur3|cityhash|farm|metro)|hash/(fnv|maphash|crc32|crc64|adler32)|crypto/(md5|sha1))$`)

func importsOf(t *testing.T, file string) (paths []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	require.NoError(t, err)
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		paths = append(paths, path)
	}
	return paths
}

func TestNoUnkeyedHashBelowPrivacy(t *testing.T) {
	files, rooms := 0, map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		rooms[filepath.ToSlash(filepath.Dir(path))] = true
		for _, imported := range importsOf(t, path) {
			assert.NotRegexp(t, unkeyed, imported, "%s: an unkeyed hash is no pseudonym: keep it out of privacy/", path)
		}
		return nil
	}))
	require.NotZero(t, files, "found no files to check")
	for _, room := range []string{"..", "../pseudonym", "../pseudonym/secretfile", "../risk", "../slogprivacy", "../policy"} {
		assert.True(t, rooms[room], "%s was not looked at", room)
	}
	for _, path := range []string{"github.com/cespare/xxhash/v2", "hash/fnv", "hash/maphash", "hash/crc32", "crypto/md5", "crypto/sha1"} {
		assert.Regexp(t, unkeyed, path, "the check itself")
	}
}

// The package is part of a small WASM module and never draws randomness, reads a
// clock or logs by itself.
func TestImports(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	files := 0
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		files++
		for _, path := range importsOf(t, e.Name()) {
			first, _, _ := strings.Cut(path, "/")
			assert.True(t, !strings.Contains(first, ".") || strings.HasPrefix(path, "github.com/privetdev/privet/internal/"),
				"%s imports %s: the standard library and internal/ only", e.Name(), path)
			assert.NotContains(t, []string{"encoding/json", "reflect", "text/template", "crypto/rand", "math/rand", "math/rand/v2", "log", "log/slog", "os", "regexp"},
				path, e.Name())
		}
	}
	require.NotZero(t, files, "found no files to check")
}
