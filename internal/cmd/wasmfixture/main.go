// Command wasmfixture writes into a folder what a host of the WebAssembly module
// needs for its tests: the module, the bundles, and the conformance cases with
// their inputs as bytes. The variable PRIVET_WASM names a module that is built
// already.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/privetdev/privet/internal/conform"
)

func run(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	module, err := conform.Module(context.Background(), dir)
	if err != nil {
		return err
	}
	bundles, err := conform.Bundles()
	if err != nil {
		return err
	}
	cases, err := conform.Cases()
	if err != nil {
		return err
	}
	return conform.Prepare(dir, module, bundles, cases)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: wasmfixture FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "wasmfixture:", err)
		os.Exit(1)
	}
}
