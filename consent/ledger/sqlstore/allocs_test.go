package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Most of it is what database/sql and the driver need for a statement.
func TestAllocations(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "log.db"))
	require.NoError(t, s.Append(ctx, adding(jane, texts("e", 100)...)))
	n := 0
	for _, row := range []struct {
		what string
		most float64
		run  func() error
	}{
		{"the end", 25, func() error { _, err := s.Tail(ctx); return err }},
		{"one entry", 45, func() error { _, err := s.Find(ctx, "e7"); return err }},
		{"append", 150, func() error { n++; return s.Append(ctx, adding(john, fmt.Sprint("n", n))) }},
	} {
		got := testing.AllocsPerRun(50, func() {
			if err := row.run(); err != nil {
				t.Fatal(err)
			}
		})
		assert.LessOrEqual(t, got, row.most, row.what)
		t.Logf("%s: %.0f allocations", row.what, got)
	}
	for _, err := range s.Entries(ctx, 100) { // what was appended meanwhile
		require.NoError(t, err)
	}
	got := testing.AllocsPerRun(20, func() {
		for range s.Subject(ctx, jane, 0) {
		}
	})
	assert.LessOrEqual(t, got/100, 16.0, "for each of a hundred entries")
	t.Logf("a hundred entries: %.0f allocations", got)
}
