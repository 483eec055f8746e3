package tables_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/wasm/emit/dense"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// What is packed comes back as it was, and equal automata are one.
func TestPacker(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var packer tables.Packer
	var places []int
	var automata [][]uint16
	for i := range 200 {
		classes, states := 1+r.IntN(255), 1+r.IntN(600)
		if i%3 == 0 {
			classes, states = []int{1, 255}[i%2], 1+r.IntN(3)
		}
		next := make([]uint16, classes*states)
		for s := range states {
			row := next[s*classes : (s+1)*classes]
			if s > 0 && r.IntN(4) > 0 { // like another one but for a few
				like := r.IntN(s)
				copy(row, next[like*classes:])
				for range r.IntN(4) {
					row[r.IntN(classes)] = uint16(r.IntN(states))
				}
				continue
			}
			for c := range row {
				row[c] = uint16(r.IntN(states))
			}
		}
		if i%50 == 49 {
			next[0] = 1<<16 - 1 // far away
		}
		automata = append(automata, next)
		places = append(places, packer.Add(next, classes))
		require.Equal(t, places[i], packer.Add(slices.Clone(next), classes), "equal automata are one")
	}
	t.Cleanup(dense.Forget)
	require.NoError(t, packer.Tables().Native(map[string]any{"Rows": &dense.Rows, "Shapes": &dense.Shapes, "Back": &dense.Back,
		"Changes": &dense.Changes, "Classes": &dense.Classes, "Targets": &dense.Targets}))
	dense.Unpack()
	for i, next := range automata {
		require.Equal(t, next, dense.Rows[places[i]:places[i]+len(next)], i)
	}
}
