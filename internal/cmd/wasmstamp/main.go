// Command wasmstamp writes the custom section privacy.abi into a module that go build
// made: version of the interface, operations, codes and limits.
//
//	go run ./internal/cmd/wasmstamp [-version v1.2.3] privet.wasm
package main

import (
	"errors"
	"flag"
	"log"
	"os"

	"github.com/privetdev/privet/internal/wasmabi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("wasmstamp: ")
	version := flag.String("version", "devel", "version of the product")
	flag.Parse()
	if err := stamp(flag.Args(), *version); err != nil {
		log.Fatal(err)
	}
}

func stamp(files []string, version string) error {
	if len(files) != 1 {
		return errors.New("name the module: wasmstamp privet.wasm")
	}
	module, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	stamped, err := wasmabi.Set(module, wasmabi.Section, wasmabi.AppendInfo(nil, version))
	if err != nil {
		return err
	}
	return os.WriteFile(files[0], stamped, 0o644)
}
