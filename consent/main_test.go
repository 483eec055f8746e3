package consent_test

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of doc.go and docs/consent.md anew")

// TestMain raises the number of generated cases: a case costs some microseconds,
// and the deep rows are reached by few of them.
func TestMain(m *testing.M) {
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue {
		if err := f.Value.Set("3000"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
