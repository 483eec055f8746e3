// Command genbuiltin compiles the built-in classification, the YAML files in
// classify/builtin, to builtin.bundle beside them, and runs their tests. The same
// files give the same bytes.
//
// Run it with: go generate ./classify. With -check FILE it compiles only the
// taxonomy and that file, runs its tests and writes nothing.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/source"
)

// version of the built-in classification; it only grows.
const version = 1

// files are compiled in this order: each builds on those before.
var files = []string{"taxonomy.yaml", "detectors.yaml", "ids-americas.yaml", "ids-europe-west.yaml", "ids-europe-east.yaml", "ids-asia-pacific.yaml", "ids-world.yaml", "secrets.yaml", "adjust.yaml", "names.yaml"}

// build compiles the files in dir and runs their tests.
func build(dir string, files []string) (encoded []byte, tally celrules.Tally, err error) {
	var sum bundle.Classification
	var cases []celrules.Case
	var ids []string
	var ps source.Problems
	for i, name := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, tally, err
		}
		doc := source.Parse(name, text, &ps).Map(&ps, "file")
		doc.Need("privet").Int(&ps, "privet", 1, 1)
		doc.Need("name").Choice(&ps, "name", "builtin")
		doc.Need("version").Int(&ps, "version", version, version)
		base := &sum
		if i == 0 {
			base = nil
		}
		own, more := celrules.Rules(doc, "builtin", base, &ps)
		doc.Done()
		cases = append(cases, more...)
		ids = append(ids, celrules.IDs(&own)...)
		if i == 0 {
			sum = own
			continue
		}
		var clash []string
		if sum, clash = celrules.Merge(&sum, &own); len(clash) > 0 {
			return nil, tally, fmt.Errorf("%s: defined twice: %q", name, clash)
		}
	}
	if err := ps.Err(); err != nil {
		return nil, tally, err
	}
	b := bundle.Bundle{Name: "builtin", Version: version, Classification: sum}
	if encoded, err = b.Encode(); err != nil {
		return nil, tally, err
	}
	// The tests run on what was written, not on what is in memory.
	c, err := classify.Open(encoded)
	if err != nil {
		return nil, tally, err
	}
	tally = celrules.Test(c, cases, ids, &ps)
	return encoded, tally, ps.Err()
}

func main() {
	dir, only := "builtin", files
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "-check":
		dir, only = filepath.Dir(args[1]), []string{files[0], filepath.Base(args[1])}
	case len(args) == 1:
		dir = args[0]
	}
	encoded, tally, err := build(dir, only)
	if err == nil && len(tally.Untested) > 0 {
		err = fmt.Errorf("without a true and a false case: %q", tally.Untested)
	}
	if err == nil && len(only) == len(files) {
		err = os.WriteFile(filepath.Join(dir, "builtin.bundle"), encoded, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d bytes, %d tests\n", len(encoded), tally.Cases)
}
