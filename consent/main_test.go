package consent_test

import (
	"flag"
	"os"
	"testing"
)

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
