package ledger_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain raises the number of generated cases: the ways in which merges, late events
// and erasures meet are many, and a case costs about a millisecond.
func TestMain(m *testing.M) {
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue {
		if err := f.Value.Set("250"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
