package pseudonym

import (
	"crypto/cipher"
	"encoding/binary"
)

// A block128 is one block of AES, read as a number with the first byte highest.
type block128 struct{ hi, lo uint64 }

func loadBlock(b []byte) block128 {
	return block128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:16])}
}

func (x block128) store(b []byte) {
	binary.BigEndian.PutUint64(b[:8], x.hi)
	binary.BigEndian.PutUint64(b[8:16], x.lo)
}

func (x block128) xor(y block128) block128 { return block128{x.hi ^ y.hi, x.lo ^ y.lo} }

// double multiplies by x in the field of RFC 4493, section 2.3, and RFC 5297,
// section 2.3, without a branch on the bit that falls out.
func (x block128) double() block128 {
	carry := -(x.hi >> 63)
	return block128{x.hi<<1 | x.lo>>63, x.lo<<1 ^ carry&0x87}
}

// loadPart reads up to 16 bytes; what is missing is zero.
func loadPart(b []byte) block128 {
	if len(b) >= 16 {
		return loadBlock(b)
	}
	var x [16]byte
	copy(x[:], b)
	return loadBlock(x[:])
}

// A scratch is where blocks are encrypted. It is kept with a pooled state, because
// what is passed to a cipher.Block escapes and would be allocated for each block.
type scratch struct{ b [16]byte }

func (s *scratch) encrypt(c cipher.Block, x block128) block128 {
	x.store(s.b[:])
	c.Encrypt(s.b[:], s.b[:])
	return loadBlock(s.b[:])
}

// A cmac is AES-CMAC (RFC 4493, NIST SP 800-38B) under one key. It is immutable.
type cmac struct {
	block  cipher.Block
	k1, k2 block128
}

func newCMAC(block cipher.Block) *cmac {
	var s scratch
	k1 := s.encrypt(block, block128{}).double()
	return &cmac{block: block, k1: k1, k2: k1.double()}
}

func (c *cmac) sum(s *scratch, msg []byte) block128 { return c.finish(s, block128{}, msg) }

// sumEnd is the MAC of msg with mask xored into its last 16 bytes, which S2V of
// RFC 5297 asks for. The msg has 16 bytes or more.
func (c *cmac) sumEnd(s *scratch, msg []byte, mask block128) (x block128) {
	for len(msg) >= 48 {
		x = s.encrypt(c.block, x.xor(loadBlock(msg)))
		msg = msg[16:]
	}
	var end [48]byte // the last 16 bytes may lie across two blocks
	n := copy(end[:], msg)
	loadBlock(end[n-16 : n]).xor(mask).store(end[n-16 : n])
	return c.finish(s, x, end[:n])
}

func (c *cmac) finish(s *scratch, x block128, msg []byte) block128 {
	for len(msg) > 16 {
		x = s.encrypt(c.block, x.xor(loadBlock(msg)))
		msg = msg[16:]
	}
	return s.encrypt(c.block, x.xor(c.last(msg)))
}

// last masks the last block, which is padded if it is not whole.
func (c *cmac) last(msg []byte) block128 {
	if len(msg) == 16 {
		return loadBlock(msg).xor(c.k1)
	}
	var b [16]byte
	b[copy(b[:], msg)] = 0x80
	return loadBlock(b[:]).xor(c.k2)
}
