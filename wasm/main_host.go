//go:build !wasip1

// Command wasm is the WebAssembly guest. Built for a usual system it only says how
// to build it.
package main

import "fmt"

func main() {
	fmt.Println("GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags='-s -w' -buildmode=c-shared -o privet.wasm ./wasm")
}
