package wide

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoad(t *testing.T) {
	text := "abcdefghijklmnopqrstuvwxyz\x00\x7f\x80\xff"
	for i := range len(text) - 7 {
		assert.Equal(t, binary.LittleEndian.Uint64([]byte(text[i:])), Load(text, i))
	}
}

func TestBelow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		var b [8]byte
		n := 1 + r.IntN(128)
		for i := range b {
			if b[i] = byte(r.IntN(256)); r.IntN(3) == 0 {
				b[i] = byte(n - 1 + r.IntN(3))
			}
		}
		first := 8
		for i := range b {
			if int(b[i]) < n {
				first = i
				break
			}
		}
		require.Equal(t, first, bits.TrailingZeros64(Below(binary.LittleEndian.Uint64(b[:]), uint64(n)))/8, "%d of %v", n, b)
	}
}
