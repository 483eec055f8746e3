//go:build wasip1

// Command wasm is the WebAssembly guest: the whole SDK behind a few exports that
// take and give integers only. ABI.md documents it; internal/abi does the work.
package main

import (
	_ "time/tzdata" // a host has no time zone database to lend
	"unsafe"

	"github.com/privetdev/privet/internal/wasmabi"
	"github.com/privetdev/privet/wasm/internal/abi"
)

// guest is the instance's state: an instance serves one thread.
var guest abi.Guest

func main() {}

//go:wasmexport pv1_abi
func pv1ABI() int32 { return wasmabi.Number }

//go:wasmexport pv1_alloc
func pv1Alloc(size int32) uint32 { return guest.Alloc(size) }

//go:wasmexport pv1_free
func pv1Free(ptr uint32) { guest.Free(ptr) }

//go:wasmexport pv1_open
func pv1Open(ptr uint32, size int32) int32 { return guest.Open(ptr, size) }

//go:wasmexport pv1_close
func pv1Close(handle int32) int32 { return guest.Close(handle) }

//go:wasmexport pv1_call
func pv1Call(handle, op int32, ptr uint32, size int32) int32 {
	return guest.Call(handle, op, ptr, size)
}

//go:wasmexport pv1_result
func pv1Result() uint32 { return uint32(uintptr(unsafe.Pointer(guest.Result()))) }
