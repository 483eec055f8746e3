package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"

func digitsOf(s string) (digits []uint16) {
	for _, c := range s {
		digits = append(digits, uint16(strings.IndexRune(base36, c)))
	}
	return digits
}

func newFF1(t tester, key []byte, radix int) *ff1 {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	r := newFF1Radix(radix)
	require.NotNil(t, r)
	return &ff1{r, block}
}

// The nine samples that NIST published with SP 800-38G.
func TestVectorsFF1(t *testing.T) {
	const (
		key128 = "2b7e151628aed2a6abf7158809cf4f3c"
		key192 = key128 + "ef4359d8d580aa4f"
		key256 = key192 + "7f036d6f04fc6a94"
	)
	for i, tt := range []struct {
		key, tweak        string
		radix             int
		plain, enciphered string
	}{
		{key128, "", 10, "0123456789", "2433477484"},
		{key128, "39383736353433323130", 10, "0123456789", "6124200773"},
		{key128, "3737373770717273373737", 36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
		{key192, "", 10, "0123456789", "2830668132"},
		{key192, "39383736353433323130", 10, "0123456789", "2496655549"},
		{key192, "3737373770717273373737", 36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
		{key256, "", 10, "0123456789", "6657667009"},
		{key256, "39383736353433323130", 10, "0123456789", "1001623463"},
		{key256, "3737373770717273373737", 36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
	} {
		f := newFF1(t, fromHex(t, tt.key), tt.radix)
		tweak := fromHex(t, tt.tweak)
		for name, crypt := range map[string]func(*scratch, []uint16, []byte, bool){"chosen": f.crypt, "words": f.cryptWords, "big": f.cryptBig} {
			x := digitsOf(tt.plain)
			crypt(new(scratch), x, tweak, false)
			assert.Equal(t, digitsOf(tt.enciphered), x, "sample %d, %s", i+1, name)
			crypt(new(scratch), x, tweak, true)
			assert.Equal(t, digitsOf(tt.plain), x, "sample %d back, %s", i+1, name)
		}
		assert.Equal(t, digitsOf(tt.enciphered), refFF1(f.block, tt.radix, digitsOf(tt.plain), tweak, false), "sample %d, reference", i+1)
	}
}

// refFF1 is SP 800-38G, algorithms 7 and 8, line by line: numbers are big, digits
// are written out between the rounds, and PRF is the CBC mode of the standard
// library. It shares no code with the other two.
func refFF1(block cipher.Block, radix int, x []uint16, t []byte, decrypt bool) []uint16 {
	num := func(x []uint16) *big.Int {
		n := new(big.Int)
		for _, d := range x {
			n.Add(n.Mul(n, big.NewInt(int64(radix))), big.NewInt(int64(d)))
		}
		return n
	}
	str := func(m int, n *big.Int) []uint16 {
		x := make([]uint16, m)
		n = new(big.Int).Set(n)
		for i := m - 1; i >= 0; i-- {
			var d big.Int
			n.DivMod(n, big.NewInt(int64(radix)), &d)
			x[i] = uint16(d.Int64())
		}
		return x
	}
	power := func(m int) *big.Int {
		return new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(m)), nil)
	}
	n := len(x)
	u := n / 2
	v := n - u
	a, b := slices.Clone(x[:u]), slices.Clone(x[u:])
	// The bytes that hold the greatest number of v digits: ceil(ceil(v·log2(radix))/8).
	bytes := len(new(big.Int).Sub(power(v), big.NewInt(1)).Bytes())
	d := 4*((bytes+3)/4) + 4
	p := []byte{1, 2, 1, byte(radix >> 16), byte(radix >> 8), byte(radix), 10, byte(u)}
	p = binary.BigEndian.AppendUint32(p, uint32(n))
	p = binary.BigEndian.AppendUint32(p, uint32(len(t)))
	for step := range 10 {
		i := step
		if decrypt {
			i = 9 - step
			a, b = b, a
		}
		q := slices.Clone(t)
		for (len(q)+1+bytes)%16 != 0 {
			q = append(q, 0)
		}
		q = append(q, byte(i))
		q = append(q, num(b).FillBytes(make([]byte, bytes))...)
		all := append(slices.Clone(p), q...)
		cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(all, all)
		r := all[len(all)-16:]
		s := slices.Clone(r)
		for j := 1; len(s) < d; j++ {
			in := slices.Clone(r)
			for k, c := range binary.BigEndian.AppendUint64(nil, uint64(j)) {
				in[8+k] ^= c
			}
			block.Encrypt(in, in)
			s = append(s, in...)
		}
		y := new(big.Int).SetBytes(s[:d])
		m := v
		if i%2 == 0 {
			m = u
		}
		c := new(big.Int)
		if decrypt {
			c.Sub(num(a), y)
		} else {
			c.Add(num(a), y)
		}
		c.Mod(c, power(m))
		if decrypt {
			a, b = b, str(m, c)
			a, b = b, a
		} else {
			a, b = b, str(m, c)
		}
	}
	return append(a, b...)
}

func drawDigits(t *rapid.T, radix, length int) []uint16 {
	one := rapid.Custom(func(t *rapid.T) uint16 { return uint16(rapid.IntRange(0, radix-1).Draw(t, "d")) })
	if rapid.IntRange(0, 9).Draw(t, "extreme") == 0 { // all zeros or all at the top
		d := rapid.SampledFrom([]uint16{0, uint16(radix - 1)}).Draw(t, "digit")
		return slices.Repeat([]uint16{d}, length)
	}
	return rapid.SliceOfN(one, length, length).Draw(t, "digits")
}

func TestFF1Properties(t *testing.T) {
	words, bigs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		radix := rapid.OneOf(rapid.SampledFrom([]int{2, 3, 10, 16, 36, 255, 256, 65535, 65536}), rapid.IntRange(2, 65536)).Draw(t, "radix")
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		f := newFF1(t, key, radix)
		top := 2*len(f.powers) - 2 // the greatest length for 128 bits
		length := rapid.OneOf(rapid.IntRange(f.minLength, top), rapid.IntRange(top, top+40)).Draw(t, "length")
		tweak := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "tweak")
		x := drawDigits(t, radix, length)
		want := refFF1(f.block, radix, x, tweak, false)

		s := new(scratch)
		got := slices.Clone(x)
		f.crypt(s, got, tweak, false)
		require.Equal(t, want, got)
		for _, d := range got {
			require.Less(t, int(d), radix)
		}
		f.crypt(s, got, tweak, true)
		require.Equal(t, x, got, "round trip")
		require.Equal(t, refFF1(f.block, radix, x, tweak, true), func() []uint16 {
			y := slices.Clone(x)
			f.crypt(s, y, tweak, true)
			return y
		}(), "deciphering what was never enciphered")

		got = slices.Clone(x)
		f.cryptBig(s, got, tweak, false)
		require.Equal(t, want, got, "big")
		f.cryptBig(s, got, tweak, true)
		require.Equal(t, x, got, "big, round trip")
		if length <= top {
			words++
		}
		if length > top {
			bigs++
		}
	})
	assert.NotZero(t, words, "no draw fitted in 128 bits")
	assert.NotZero(t, bigs, "no draw needed more")
}

// The arithmetic under FF1 against math/big, at the edges of a word above all.
func TestBlock128Properties(t *testing.T) {
	toBig := func(x block128) *big.Int {
		b := make([]byte, 16)
		x.store(b)
		return new(big.Int).SetBytes(b)
	}
	all := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, 1 << 63, ^uint64(0), ^uint64(0) - 1, 1<<32 - 1}))
		x := block128{word.Draw(t, "x.hi"), word.Draw(t, "x.lo")}
		y := block128{word.Draw(t, "y.hi"), word.Draw(t, "y.lo")}
		bx, by := toBig(x), toBig(y)
		product := new(big.Int).Mul(bx, by)
		require.Equal(t, new(big.Int).Mod(product, all).String(), toBig(x.times(y)).String())
		require.Equal(t, new(big.Int).Rsh(product, 128).String(), toBig(x.timesHigh(y)).String())
		sum := new(big.Int).Add(bx, by)
		require.Equal(t, sum.Mod(sum, all).String(), toBig(x.plus(y)).String())
		require.Equal(t, bx.Cmp(by) < 0, func() bool { _, borrow := x.sub(y); return borrow == 1 }())

		n := rapid.IntRange(0, 127).Draw(t, "n")
		require.Equal(t, new(big.Int).Rsh(bx, uint(n)).String(), toBig(shiftRight(x, n)).String())
		shifted := new(big.Int).Lsh(new(big.Int).SetUint64(x.lo), uint(n))
		require.Equal(t, shifted.Mod(shifted, all).String(), toBig(shiftLeft(x.lo, n)).String())

		m := block128{y.hi >> 32, max(y.lo, 2)} // 2 to 2^96 - 1
		p := ff1Power{m, m.reciprocal()}
		require.Equal(t, new(big.Int).Quo(all, toBig(m)).String(), toBig(p.inverse).String())
		q, rest := p.divide(x)
		wantQ, wantRest := new(big.Int).QuoRem(bx, toBig(m), new(big.Int))
		require.Equal(t, wantQ.String(), toBig(q).String())
		require.Equal(t, wantRest.String(), toBig(rest).String())
	})
}

// The numbers that floating point gets wrong: radix^v just below or at a power of
// 256 decides how many bytes a half has.
func TestFF1Sizes(t *testing.T) {
	for _, tt := range []struct {
		radix, min, words int
		reason            string
	}{
		{2, 20, 192, "2^20 is the first power of 2 above a million; halves of 96 bits"},
		{10, 6, 56, "a million is enough; 10^28 < 2^96 < 10^29"},
		{36, 4, 36, "36^4 = 1,679,616; 36^18 < 2^96 < 36^19"},
		{1000, 2, 18, "1000^2 is a million exactly"},
		{999, 3, 18, "999^2 is not"},
		{256, 3, 24, "12 bytes are 96 bits exactly"},
		{65535, 2, 12, "the greatest of 16 bits"},
		{65536, 2, 12, "6 digits are 96 bits exactly"},
	} {
		r := newFF1Radix(tt.radix)
		require.NotNil(t, r)
		assert.Equal(t, tt.min, r.minLength, "radix %d: %s", tt.radix, tt.reason)
		assert.Equal(t, tt.words, 2*len(r.powers)-2, "radix %d: %s", tt.radix, tt.reason)
		assert.False(t, r.fits(r.minLength-1))
		assert.True(t, r.fits(r.minLength))
		assert.True(t, r.fits(8192))
		assert.False(t, r.fits(8193))
	}
	for _, radix := range []int{-1, 0, 1, 65537} {
		assert.Nil(t, newFF1Radix(radix), "%d", radix)
	}
}

// Six digits are a small enough domain to see that it is permuted.
func TestFF1Permutes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a million encipherments; without it they run")
	}
	f := newFF1(t, make([]byte, 32), 10)
	seen := make([]bool, 1_000_000)
	s, x := new(scratch), make([]uint16, 6)
	fixed := 0
	for n := range seen {
		f.putWord(x, uint64(n))
		f.crypt(s, x, []byte("tweak"), false)
		m := f.word(x)
		if seen[m] {
			t.Fatal("two texts have the same ciphertext")
		}
		seen[m] = true
		if m == uint64(n) {
			fixed++
		}
	}
	assert.Less(t, fixed, 12, "a random permutation has one fixed point on average")
}

func FuzzFF1(f *testing.F) {
	f.Add(uint32(10), []byte("key"), []byte("tweak"), []byte("0123456789012345"))
	f.Add(uint32(36), []byte{}, []byte{}, []byte("\x00\x01\x02\x03abcdefghijklmnopqrstuvwxyz0123456789012345"))
	f.Add(uint32(65536), []byte{1}, []byte("0123456789abcdef"), []byte("0123456789abcdef0123456789abcdef"))
	f.Fuzz(func(t *testing.T, radix uint32, key, tweak, raw []byte) {
		radix = 2 + radix%65535
		r := newFF1Radix(int(radix))
		var x []uint16
		for len(raw) > 1 && len(x) < 300 {
			x = append(x, uint16(uint32(binary.BigEndian.Uint16(raw))%radix))
			raw = raw[2:]
		}
		if !r.fits(len(x)) || len(tweak) > 1000 {
			return
		}
		var k [32]byte
		copy(k[:], key)
		block, err := aes.NewCipher(k[:])
		require.NoError(t, err)
		c := ff1{r, block}
		got := slices.Clone(x)
		c.crypt(new(scratch), got, tweak, false)
		require.Equal(t, refFF1(block, int(radix), x, tweak, false), got)
		c.crypt(new(scratch), got, tweak, true)
		require.Equal(t, x, got)
	})
}
