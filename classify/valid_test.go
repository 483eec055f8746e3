package classify_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

// A maker makes valid identifiers of a detector, by arithmetic of its own.
type maker struct {
	make    func(r *rand.Rand) string
	context string  // stands before it in the text
	caught  float64 // share of wrong single digits that the check catches: 1 for all
	alone   bool    // found without context, too
}

// makers are filled in by the valid_*_test.go files.
var makers = map[string]maker{}

// Random valid identifiers are found, and those with one digit changed are not.
func TestValid(t *testing.T) {
	require.NotEmpty(t, makers)
	c, numbers := classify.Builtin(), 100 // fewer would not bear out the shares
	for _, id := range slices.Sorted(maps.Keys(makers)) {
		t.Run(id, func(t *testing.T) {
			m, r, s := makers[id], rand.New(rand.NewPCG(1, 2)), c.NewScanner()
			require.Contains(t, c.Detectors(), id)
			changed, caught := 0, 0
			for range numbers {
				number := m.make(r)
				text := m.context + " " + number
				confidence, ok := s.Fires(id, text)
				if !ok || confidence < 0.95 {
					t.Fatalf("%q: found: %t, confidence %v", text, ok, confidence)
				}
				if confidence, ok := s.Fires(id, number); ok != m.alone {
					t.Fatalf("%q without context: found: %t, confidence %v", number, ok, confidence)
				}
				for i := range len(number) {
					if number[i] < '0' || number[i] > '9' {
						continue
					}
					for d := byte('0'); d <= '9'; d++ {
						if d == number[i] {
							continue
						}
						wrong := m.context + " " + number[:i] + string(d) + number[i+1:]
						changed++
						if _, ok := s.Fires(id, wrong); !ok {
							caught++
						} else if m.caught == 1 {
							t.Fatalf("%q was made from %q", wrong, text)
						}
					}
				}
			}
			require.Positive(t, changed)
			share := float64(caught) / float64(changed)
			assert.GreaterOrEqual(t, share, m.caught, fmt.Sprintf("%.3f of the wrong digits are caught", share))
			t.Logf("%d of %d wrong digits are caught: %.3f", caught, changed, share)
		})
	}
}
