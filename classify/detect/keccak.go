package detect

import (
	"encoding/binary"
	"math/bits"
)

// What follows the message says which function it is: Ethereum took Keccak as it was
// submitted, before FIPS 202 added two bits, and the standard library has the latter only.
const (
	legacyKeccak = 0x01
	fips202      = 0x06 // SHA3-256, which tests compare with the standard library's
)

// keccakRate is how many bytes are taken in between two permutations, for 256 bits.
const keccakRate = 136

// keccak256 is the sponge of 512 bits of capacity over Keccak-f[1600].
func keccak256(message []byte, suffix byte) (sum [32]byte) {
	var a [25]uint64
	for ; len(message) >= keccakRate; message = message[keccakRate:] {
		absorb(&a, (*[keccakRate]byte)(message))
	}
	var last [keccakRate]byte
	copy(last[:], message)
	last[len(message)] ^= suffix
	last[keccakRate-1] ^= 0x80
	absorb(&a, &last)
	for i := range 4 {
		binary.LittleEndian.PutUint64(sum[8*i:], a[i])
	}
	return sum
}

func absorb(a *[25]uint64, block *[keccakRate]byte) {
	for i := range keccakRate / 8 {
		a[i] ^= binary.LittleEndian.Uint64(block[8*i:])
	}
	permute(a)
}

// The constants of the rounds, and the walk of ρ and π over all lanes but the first: where
// each step goes, and by how much it turns. FIPS 202 sections 3.2.2 to 3.2.5 say how they
// are computed; a test does it.
var (
	keccakRounds = [24]uint64{
		0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
		0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
		0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
		0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
		0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
		0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
	}
	keccakLanes = [24]uint8{10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1}
	keccakTurns = [24]uint8{1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44}
)

// permute is Keccak-f[1600], FIPS 202 section 3.3; lane (x, y) is a[x+5y].
func permute(a *[25]uint64) {
	for _, round := range keccakRounds {
		// θ
		c0 := a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
		c1 := a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
		c2 := a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
		c3 := a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
		c4 := a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
		d0 := c4 ^ bits.RotateLeft64(c1, 1)
		d1 := c0 ^ bits.RotateLeft64(c2, 1)
		d2 := c1 ^ bits.RotateLeft64(c3, 1)
		d3 := c2 ^ bits.RotateLeft64(c4, 1)
		d4 := c3 ^ bits.RotateLeft64(c0, 1)
		for y := 0; y < 25; y += 5 {
			row := (*[5]uint64)(a[y:])
			row[0] ^= d0
			row[1] ^= d1
			row[2] ^= d2
			row[3] ^= d3
			row[4] ^= d4
		}
		// ρ and π
		lane := a[1]
		for t, to := range keccakLanes {
			a[to], lane = bits.RotateLeft64(lane, int(keccakTurns[t])), a[to]
		}
		// χ
		for y := 0; y < 25; y += 5 {
			row := (*[5]uint64)(a[y:])
			r0, r1, r2, r3, r4 := row[0], row[1], row[2], row[3], row[4]
			row[0] = r0 ^ r2&^r1
			row[1] = r1 ^ r3&^r2
			row[2] = r2 ^ r4&^r3
			row[3] = r3 ^ r0&^r4
			row[4] = r4 ^ r1&^r0
		}
		// ι
		a[0] ^= round
	}
}
