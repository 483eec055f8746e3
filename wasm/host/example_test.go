package host_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/wasm/host"
)

// A policy of somebody else runs in a sandbox: it can use the memory that it is
// given, and reach nothing.
func Example() {
	module, err := os.ReadFile(os.Getenv("PRIVET_WASM")) // made by: make wasm
	if err != nil {
		fmt.Println("build the module first")
		return
	}
	pack, err := policy.Pack("windows-service-data")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	m, err := host.Open(ctx, module, host.WithMemoryLimit(64<<20))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close(ctx)
	guard, err := m.Guard(ctx, pack.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	labels, err := guard.Classify(ctx, []byte(`{"name":"user_email"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(labels))
}
