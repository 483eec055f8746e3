package detect

import (
	"crypto/sha3"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// Keccak-256 as Ethereum has it: the hash of nothing is in its Yellow Paper, that of an
// empty list in RLP (0x80 and 0xc0) in every header of a block.
func TestKeccak(t *testing.T) {
	for _, tt := range []struct{ message, want, reason string }{
		{"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470", "the code of an account without code"},
		{"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421", "the root of an empty trie"},
		{"\xc0", "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347", "no uncles"},
		{"Transfer(address,address,uint256)", "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", "the event of ERC-20"},
	} {
		sum := keccak256([]byte(tt.message), legacyKeccak)
		assert.Equal(t, tt.want, fmt.Sprintf("%x", sum), tt.reason)
	}
}

// With the suffix of FIPS 202 it is SHA3-256, whatever the length: all of the
// first three blocks, and random messages.
func TestKeccakIsSHA3(t *testing.T) {
	same := func(t assert.TestingT, message []byte) {
		assert.Equal(t, sha3.Sum256(message), keccak256(message, fips202), "%d bytes", len(message))
	}
	for n := range 3 * keccakRate {
		same(t, []byte(strings.Repeat("x", n)))
	}
	rapid.Check(t, func(t *rapid.T) {
		same(t, rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "message"))
	})
}

// The tables are what FIPS 202 computes: a shift register for the constants, x⁸+x⁶+x⁵+x⁴+1,
// and a walk over the lanes that turns each by a triangular number.
func TestKeccakTables(t *testing.T) {
	x, y, register := 1, 0, byte(1)
	for i := range 24 {
		x, y = y, (2*x+3*y)%5
		assert.EqualValues(t, x+5*y, keccakLanes[i], "lane %d", i)
		assert.EqualValues(t, (i+1)*(i+2)/2%64, keccakTurns[i], "turn %d", i)
		round := uint64(0)
		for j := range 7 {
			round |= uint64(register&1) << (1<<j - 1)
			register = register<<1 ^ register>>7*0x71
		}
		assert.Equal(t, round, keccakRounds[i], "round %d", i)
	}
}

// checksummed spells an address as EIP-55 wants it, by the standard's own words: the
// hash as hexadecimal text, compared letter by letter.
func checksummed(address string) string {
	digits := strings.ToLower(strings.TrimPrefix(address, "0x"))
	sum := keccak256([]byte(digits), legacyKeccak)
	hash, out := fmt.Sprintf("%x", sum), []byte(digits)
	for i := range out {
		if strings.IndexByte("89abcdef", hash[i]) >= 0 {
			out[i] = strings.ToUpper(digits)[i]
		}
	}
	return "0x" + string(out)
}

// A random address spelled as EIP-55 wants it is accepted, and refused with one letter in
// the other case; so are all spellings in one case, unless they are the right one.
func TestEIP55(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := "0x" + fmt.Sprintf("%x", rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
		if !strings.ContainsAny(address[2:], "abcdef") {
			t.Skip("an address without letters has nothing to check: another is drawn")
		}
		right := checksummed(address)
		if !EIP55(right) {
			t.Fatalf("%s is refused", right)
		}
		for i := 2; i < len(right); i++ {
			if digit(right[i]) {
				continue
			}
			wrong := right[:i] + string(right[i]^0x20) + right[i+1:]
			if EIP55(wrong) {
				t.Fatalf("%s is accepted, with another case at %d", wrong, i)
			}
		}
		upper := "0x" + strings.ToUpper(address[2:])
		assert.Equal(t, right == address, EIP55(address))
		assert.Equal(t, right == upper, EIP55(upper))
	})
}

func BenchmarkEIP55(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		EIP55("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	}
}
