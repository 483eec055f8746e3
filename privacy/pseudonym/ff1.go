package pseudonym

import (
	"crypto/cipher"
	"math/big"
	"math/bits"
)

// Limits of FF1 (NIST SP 800-38G rev. 1, second draft, section 5.1): the domain
// must have at least a million elements, or its whole table could be gathered; the
// length is bounded by us, because the cost grows with its square.
const (
	ff1MinDomain = 1_000_000
	ff1MaxLength = 8192
	ff1MaxRadix  = 1 << 16
)

// wordBytes is the greatest size of a half, in bytes, that is reckoned with in 128
// bits: with it, S of step 6 iii is one block. It is 96 bits, enough for 56 decimal
// digits or 36 of base 36 in both halves.
const wordBytes = 12

// An ff1Radix is what depends on the radix alone. It is immutable.
type ff1Radix struct {
	radix     uint32
	inverse   uint64 // floor(2^64 / radix), or one less
	minLength int
	powers    []ff1Power // [m] is radix^m, as long as radix^m - 1 fits in wordBytes
	perWord   int        // the greatest power that fits in 64 bits
}

// An ff1Power is a modulus with its reciprocal floor(2^128 / modulus).
type ff1Power struct{ m, inverse block128 }

// newFF1Radix returns nil if the radix is not 2 to 65536.
func newFF1Radix(radix int) *ff1Radix {
	if radix < 2 || radix > ff1MaxRadix {
		return nil
	}
	r := &ff1Radix{radix: uint32(radix), inverse: ^uint64(0) / uint64(radix)}
	domain := uint64(1)
	for domain < ff1MinDomain {
		domain *= uint64(radix)
		r.minLength++
	}
	r.minLength = max(r.minLength, 2)
	r.powers = append(r.powers, ff1Power{m: block128{0, 1}}) // has no reciprocal and is not used as a modulus
	for m := (block128{0, uint64(radix)}); bits.Len64(m.minus(block128{0, 1}).hi) <= wordBytes*8-64; m = m.times(block128{0, uint64(radix)}) {
		r.powers = append(r.powers, ff1Power{m, m.reciprocal()})
		if m.hi == 0 {
			r.perWord = len(r.powers) - 1
		}
	}
	return r
}

func (x block128) plus(y block128) block128 {
	lo, carry := bits.Add64(x.lo, y.lo, 0)
	hi, _ := bits.Add64(x.hi, y.hi, carry)
	return block128{hi, lo}
}

func (x block128) minus(y block128) block128 {
	z, _ := x.sub(y)
	return z
}

func (x block128) sub(y block128) (z block128, borrow uint64) {
	z.lo, borrow = bits.Sub64(x.lo, y.lo, 0)
	z.hi, borrow = bits.Sub64(x.hi, y.hi, borrow)
	return z, borrow
}

// times returns the lower 128 bits of the product.
func (x block128) times(y block128) block128 {
	hi, lo := bits.Mul64(x.lo, y.lo)
	return block128{hi + x.hi*y.lo + x.lo*y.hi, lo}
}

// timesHigh returns the upper 128 bits of the product.
func (x block128) timesHigh(y block128) block128 {
	low, _ := bits.Mul64(x.lo, y.lo)
	h1, l1 := bits.Mul64(x.hi, y.lo)
	h2, l2 := bits.Mul64(x.lo, y.hi)
	hi, lo := bits.Mul64(x.hi, y.hi)
	low, c := bits.Add64(low, l1, 0)
	lo, carry := bits.Add64(lo, h1, c)
	hi += carry
	_, c = bits.Add64(low, l2, 0)
	lo, carry = bits.Add64(lo, h2, c)
	return block128{hi + carry, lo}
}

// reciprocal is floor(2^128 / x) for x > 1, one bit after the other.
func (x block128) reciprocal() (q block128) {
	r := block128{0, 1} // what is left of 2^128 after its highest bit
	for range 128 {
		out := r.hi >> 63
		r = block128{r.hi<<1 | r.lo>>63, r.lo << 1}
		q = block128{q.hi<<1 | q.lo>>63, q.lo << 1}
		if d, borrow := r.sub(x); out != 0 || borrow == 0 {
			r = d
			q.lo |= 1
		}
	}
	return q
}

// divide returns the quotient and the rest of y by the modulus, with neither a
// branch nor a division, whose time would tell something of y. The modulus has at
// most 96 bits, so that twice the modulus fits.
//
// The estimate is the quotient or one less: y/m - y·inverse/2^128 < 1.
func (p *ff1Power) divide(y block128) (q, rest block128) {
	q = y.timesHigh(p.inverse)
	rest, below := y.minus(q.times(p.m)).reduce(p.m)
	return q.plus(block128{0, 1 - below}), rest
}

// reduce takes m off once if x is not below it, and says in below whether it was.
func (x block128) reduce(m block128) (rest block128, below uint64) {
	d, below := x.sub(m)
	keep := -below
	return block128{d.hi ^ keep&(d.hi^x.hi), d.lo ^ keep&(d.lo^x.lo)}, below
}

// word reads digits into a number that fits in 64 bits.
func (r *ff1Radix) word(digits []uint16) (x uint64) {
	for _, d := range digits {
		x = x*uint64(r.radix) + uint64(d)
	}
	return x
}

// number is NUM of section 4.4, for as many digits as there are powers.
func (r *ff1Radix) number(digits []uint16) block128 {
	if len(digits) <= r.perWord {
		return block128{0, r.word(digits)}
	}
	cut := len(digits) - r.perWord
	high := block128{0, r.word(digits[:cut])}
	return high.times(r.powers[r.perWord].m).plus(block128{0, r.word(digits[cut:])})
}

// putWord is the inverse of word.
func (r *ff1Radix) putWord(digits []uint16, x uint64) {
	radix := uint64(r.radix)
	for i := len(digits) - 1; i >= 0; i-- {
		q, _ := bits.Mul64(x, r.inverse)
		rest := x - q*radix // below twice the radix
		over := (rest-radix)>>63 ^ 1
		digits[i] = uint16(rest - radix&-over)
		x = q + over
	}
}

// putNumber is STR of section 4.4.
func (r *ff1Radix) putNumber(digits []uint16, x block128) {
	if len(digits) <= r.perWord {
		r.putWord(digits, x.lo)
		return
	}
	cut := len(digits) - r.perWord
	q, rest := r.powers[r.perWord].divide(x)
	r.putWord(digits[:cut], q.lo)
	r.putWord(digits[cut:], rest.lo)
}

// An ff1 is FF1 (NIST SP 800-38G rev. 1, section 5.1) under one key and radix. It
// is immutable.
type ff1 struct {
	*ff1Radix
	block cipher.Block
}

// fits reports whether FF1 can work on so many digits.
func (r *ff1Radix) fits(length int) bool { return length >= r.minLength && length <= ff1MaxLength }

// crypt enciphers digits in place, or deciphers them. The caller has seen to it
// that their number fits and that each is below the radix.
func (f *ff1) crypt(s *scratch, digits []uint16, tweak []byte, decrypt bool) {
	if v := len(digits) - len(digits)/2; v < len(f.powers) {
		f.cryptWords(s, digits, tweak, decrypt)
	} else {
		f.cryptBig(s, digits, tweak, decrypt)
	}
}

// head is the block P of step 5.
func (f *ff1) head(length, tweak int) block128 {
	return block128{
		1<<56 | 2<<48 | 1<<40 | uint64(f.radix)<<16 | 10<<8 | uint64(length/2)&0xff,
		uint64(length)<<32 | uint64(uint32(tweak)),
	}
}

// cryptWords keeps both halves as numbers from the first round to the last: what is
// written in digits between the rounds of the standard is the same number. The
// tweak, which the rounds share, is authenticated before them.
//
// Its time depends on the length alone, if that of AES does not depend on more.
func (f *ff1) cryptWords(s *scratch, digits []uint16, tweak []byte, decrypt bool) {
	n := len(digits)
	u := n / 2
	modulus := [2]*ff1Power{&f.powers[u], &f.powers[n-u]}
	top := modulus[1].m.minus(block128{0, 1})
	b := (128 - leadingZeros(top) + 7) / 8 // step 3, exactly: no logarithm
	d := 4*((b+3)/4) + 4

	// Q of step 6 i ends with the round and b bytes of the number; all before is
	// the same in every round.
	x := s.encrypt(f.block, f.head(n, len(tweak)))
	for len(tweak) > 15-b {
		x = s.encrypt(f.block, x.xor(loadPart(tweak)))
		tweak = tweak[min(16, len(tweak)):]
	}
	x = x.xor(loadPart(tweak))

	a, c := f.number(digits[:u]), f.number(digits[u:])
	if decrypt {
		a, c = c, a
	}
	for i := range uint64(10) {
		round, m := i, modulus[i&1]
		if decrypt {
			round = 9 - i
			m = modulus[round&1]
		}
		y := s.encrypt(f.block, x.xor(c).xor(shiftLeft(round, 8*b)))
		_, rest := m.divide(shiftRight(y, 128-8*d))
		if decrypt {
			var borrow uint64
			a, borrow = a.sub(rest)
			a = a.plus(block128{m.m.hi & -borrow, m.m.lo & -borrow})
		} else {
			a, _ = a.plus(rest).reduce(m.m)
		}
		a, c = c, a
	}
	if decrypt {
		a, c = c, a
	}
	f.putNumber(digits[:u], a)
	f.putNumber(digits[u:], c)
}

func leadingZeros(x block128) int {
	if x.hi != 0 {
		return bits.LeadingZeros64(x.hi)
	}
	return 64 + bits.LeadingZeros64(x.lo)
}

// The shifts are for 0 ≤ n < 128. A word shifted by 64 or more is zero; a number
// below zero becomes such a great one when it is converted.

func shiftLeft(x uint64, n int) block128 {
	return block128{x<<uint(n-64) | x>>uint(64-n), x << uint(n)}
}

func shiftRight(x block128, n int) block128 {
	return block128{x.hi >> uint(n), x.lo>>uint(n) | x.hi<<uint(64-n) | x.hi>>uint(n-64)}
}

// cryptBig follows the standard step by step, on numbers of any size. Its time
// depends on the digits to some extent.
func (f *ff1) cryptBig(s *scratch, digits []uint16, tweak []byte, decrypt bool) {
	n := len(digits)
	u := n / 2
	radix := big.NewInt(int64(f.radix))
	modulus := [2]*big.Int{0: new(big.Int).Exp(radix, big.NewInt(int64(u)), nil)}
	modulus[1] = modulus[0]
	if n&1 != 0 {
		modulus[1] = new(big.Int).Mul(modulus[0], radix)
	}
	b := (new(big.Int).Sub(modulus[1], big.NewInt(1)).BitLen() + 7) / 8
	d := 4*((b+3)/4) + 4

	start := s.encrypt(f.block, f.head(n, len(tweak)))
	q := make([]byte, (len(tweak)+1+b+15)/16*16)
	copy(q, tweak)
	number := q[len(q)-b:]
	r := make([]byte, (d+15)/16*16)

	a, c := f.bigNumber(digits[:u]), f.bigNumber(digits[u:])
	if decrypt {
		a, c = c, a
	}
	y := new(big.Int)
	for i := range 10 {
		round := i
		if decrypt {
			round = 9 - i
		}
		m := modulus[round&1]
		q[len(q)-b-1] = byte(round)
		c.FillBytes(number)
		x := start
		for at := 0; at < len(q); at += 16 {
			x = s.encrypt(f.block, x.xor(loadBlock(q[at:])))
		}
		x.store(r)
		for j := 1; 16*j < d; j++ {
			s.encrypt(f.block, x.xor(block128{0, uint64(j)})).store(r[16*j:])
		}
		y.SetBytes(r[:d])
		if decrypt {
			y.Sub(a, y)
		} else {
			y.Add(a, y)
		}
		a.Mod(y, m) // of Euclid: never negative
		a, c = c, a
	}
	if decrypt {
		a, c = c, a
	}
	f.putBig(digits[:u], a)
	f.putBig(digits[u:], c)
}

func (r *ff1Radix) bigNumber(digits []uint16) *big.Int {
	x, part := new(big.Int), new(big.Int)
	for len(digits) > 0 {
		n := min(len(digits), r.perWord)
		x.Mul(x, part.SetUint64(r.powers[n].m.lo))
		x.Add(x, part.SetUint64(r.word(digits[:n])))
		digits = digits[n:]
	}
	return x
}

// putBig overwrites x.
func (r *ff1Radix) putBig(digits []uint16, x *big.Int) {
	word, rest := new(big.Int).SetUint64(r.powers[r.perWord].m.lo), new(big.Int)
	for len(digits) > 0 {
		n := min(len(digits), r.perWord)
		x.QuoRem(x, word, rest)
		r.putWord(digits[len(digits)-n:], rest.Uint64())
		digits = digits[:len(digits)-n]
	}
}
