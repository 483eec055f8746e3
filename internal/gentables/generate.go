// Package gentables makes the two tables of package detect: which digits are a telephone
// number, from the metadata of github.com/nyaruka/phonenumbers, and under which names
// domains are registered, from the list of golang.org/x/net/publicsuffix. It is a
// module of its own, so that nobody who uses Privet inherits these two.
//
// The test writes the tables, as `go generate ./classify/detect` does:
//
//	go test -run ^TestTable$ . -update
package gentables

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// A File is a file of package detect.
type File struct {
	Name    string
	Content []byte
}

// Make makes the tables anew. An error says what the libraries have that the tables
// have no place for.
func Make() ([]File, error) {
	phones, err := phoneFiles()
	if err != nil {
		return nil, err
	}
	suffixes, err := suffixFile()
	if err != nil {
		return nil, err
	}
	return append(phones, suffixes), nil
}

// sorted goes through a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// frequent are the n keys with the highest counts, the lowest key first among equals,
// and the place of each in that list.
func frequent[K cmp.Ordered](counts map[K]int, n int) ([]K, map[K]int) {
	keys := slices.SortedFunc(maps.Keys(counts), func(x, y K) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y))
	})
	keys = keys[:min(n, len(keys))]
	places := map[K]int{}
	for i, k := range keys {
		places[k] = i
	}
	return keys, places
}

// goList asks the go command about a package or a module.
func goList(arguments ...string) (string, error) {
	out, err := exec.Command("go", append([]string{"list"}, arguments...)...).Output()
	if err != nil {
		return "", fmt.Errorf("gentables: go list %s: %w: run go mod download first", strings.Join(arguments, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

func moduleVersion(path string) (string, error) { return goList("-m", "-f", "{{.Version}}", path) }
