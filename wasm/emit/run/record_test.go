package run

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/expr"
)

// Maps are shown as [expr.StrMap] keeps them, in whatever order keys come.
func TestShow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var m expr.StrMap
		var into [2 * MaxEntries]string
		count := 0
		for i := range r.IntN(MaxEntries) {
			key := fmt.Sprint(r.IntN(40))
			m.Set(key, fmt.Sprint(i))
			count = show(&into, count, key, fmt.Sprint(i))
		}
		require.Equal(t, m.Len(), count)
		require.True(t, slices.IsSorted(into[:count]))
		for i, key := range into[:count] {
			value, ok := m.Get(key)
			require.True(t, ok)
			require.Equal(t, value, into[MaxEntries+i])
		}
	}
}

func TestTrimmed(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if s := string(r); trimmed(s+"a"+s) != strings.TrimSpace(s+"a"+s) {
			assert.Equal(t, strings.TrimSpace(s+"a"+s), trimmed(s+"a"+s), "%U", r)
		}
	}
	for _, s := range []string{"", " ", " \u00a0 ", "\xa0a\xa0", "\xc2 a \xc2", "\u2003\xe2\x80a", " a b ", "\x85"} {
		assert.Equal(t, strings.TrimSpace(s), trimmed(s), "%q", s)
	}
}
