package pseudonym

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fromHex reads hexadecimal in which spaces do not count.
func fromHex(t tester, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// RFC 4231, section 4: HMAC-SHA256. Case 5 is the one whose output is cut.
func TestVectorsHMAC(t *testing.T) {
	long := strings.Repeat("aa", 131)
	for _, tt := range []struct{ name, key, data, mac string }{
		{"1", strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"2", hex.EncodeToString([]byte("Jefe")), hex.EncodeToString([]byte("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"3", strings.Repeat("aa", 20), strings.Repeat("dd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"4", "0102030405060708090a0b0c0d0e0f10111213141516171819", strings.Repeat("cd", 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{"5", strings.Repeat("0c", 20), hex.EncodeToString([]byte("Test With Truncation")), "a3b6167473100ee06e0c796c2955552b"},
		{"6", long, hex.EncodeToString([]byte("Test Using Larger Than Block-Size Key - Hash Key First")), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"7", long, hex.EncodeToString([]byte("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.")),
			"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	} {
		key, data, want := fromHex(t, tt.key), fromHex(t, tt.data), fromHex(t, tt.mac)
		k := readyKey(key, suiteP1, 1)
		for range 2 { // a used state gives the same as a new one
			st := k.pool.Get().(*macState)
			st.msg = append(st.msg[:0], data...)
			st.authenticate()
			assert.Equal(t, want, st.sum[:len(want)], "case %s", tt.name)
			k.pool.Put(st)
		}
		assert.Equal(t, want, refHMAC(key, data)[:len(want)], "case %s: the reference", tt.name)
	}
}

// RFC 5869, appendix A.1 to A.3: HKDF-SHA256. deriveKey is the third kind, without a
// salt.
func TestVectorsHKDF(t *testing.T) {
	count := func(from, to byte) (b []byte) {
		for c := int(from); c <= int(to); c++ {
			b = append(b, byte(c))
		}
		return b
	}
	for _, tt := range []struct {
		name            string
		ikm, salt, info []byte
		okm             string
	}{
		{"A.1", bytes.Repeat([]byte{0x0b}, 22), count(0, 0x0c), count(0xf0, 0xf9), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
		{"A.2", count(0, 0x4f), count(0x60, 0xaf), count(0xb0, 0xff), "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
		{"A.3", bytes.Repeat([]byte{0x0b}, 22), nil, nil, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
	} {
		want := fromHex(t, tt.okm)
		got, err := hkdf.Key(sha256.New, tt.ikm, tt.salt, string(tt.info), len(want))
		require.NoError(t, err)
		assert.Equal(t, want, got, tt.name)
	}
	// What deriveKey makes, on the reference's own HMAC: 64 bytes are two blocks.
	secret := [SecretSize]byte(count(0, 31))
	info := keyInfo(labelSIV, testScope, 7)
	prk := refHMAC(make([]byte, 32), secret[:])
	one := refHMAC(prk, append(slices.Clone(info), 1))
	two := refHMAC(prk, append(append(slices.Clone(one), info...), 2))
	got, err := deriveKey(&secret, labelSIV, testScope, 7, 64)
	require.NoError(t, err)
	assert.Equal(t, append(one, two...), got)
}

// RFC 4493, section 4.
func TestVectorsCMAC(t *testing.T) {
	block, err := aes.NewCipher(fromHex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	require.NoError(t, err)
	c := newCMAC(block)
	bytesOf := func(x block128) []byte {
		b := make([]byte, 16)
		x.store(b)
		return b
	}
	assert.Equal(t, fromHex(t, "fbeed618357133667c85e08f7236a8de"), bytesOf(c.k1), "K1")
	assert.Equal(t, fromHex(t, "f7ddac306ae266ccf90bc11ee46d513b"), bytesOf(c.k2), "K2")
	message := fromHex(t, "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0:  "bb1d6929e95937287fa37d129b756746",
		16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827",
		64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		assert.Equal(t, fromHex(t, want), bytesOf(c.sum(new(scratch), message[:n])), "%d bytes", n)
	}
}

// refCMAC is NIST SP 800-38B on the CBC mode of the standard library.
func refCMAC(block cipher.Block, msg []byte) []byte {
	double := func(b []byte) []byte {
		out := make([]byte, 16)
		for i := range 16 {
			out[i] = b[i] << 1
			if i < 15 {
				out[i] |= b[i+1] >> 7
			}
		}
		if b[0] >= 0x80 {
			out[15] ^= 0x87
		}
		return out
	}
	k := make([]byte, 16)
	block.Encrypt(k, k)
	k = double(k)
	msg = slices.Clone(msg)
	if len(msg) == 0 || len(msg)%16 != 0 {
		k = double(k)
		msg = append(msg, 0x80)
		for len(msg)%16 != 0 {
			msg = append(msg, 0)
		}
	}
	for i := range 16 {
		msg[len(msg)-16+i] ^= k[i]
	}
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(msg, msg)
	return msg[len(msg)-16:]
}

// refSIV is RFC 5297, section 2.6, on that and on the CTR mode of the standard library.
func refSIV(key []byte, associated [][]byte, plaintext []byte) []byte {
	mac, err := aes.NewCipher(key[:len(key)/2])
	if err != nil {
		return nil
	}
	ctr, _ := aes.NewCipher(key[len(key)/2:])
	double := func(b []byte) []byte {
		x := loadBlock(b).double() // seen to be right by TestVectorsCMAC
		x.store(b)
		return b
	}
	xor := func(a, b []byte) []byte {
		for i := range b {
			a[i] ^= b[i]
		}
		return a
	}
	d := refCMAC(mac, make([]byte, 16))
	for _, a := range associated {
		d = xor(double(d), refCMAC(mac, a))
	}
	var t []byte
	if n := len(plaintext); n >= 16 {
		t = append(slices.Clone(plaintext[:n-16]), xor(slices.Clone(plaintext[n-16:]), d)...)
	} else {
		t = xor(double(d), append(slices.Clone(plaintext), 0x80))
	}
	iv := refCMAC(mac, t)
	q := slices.Clone(iv)
	q[8] &= 0x7f
	q[12] &= 0x7f
	out := make([]byte, len(plaintext))
	cipher.NewCTR(ctr, q).XORKeyStream(out, plaintext)
	return append(iv, out...)
}

// RFC 5297, appendix A.
func TestVectorsSIV(t *testing.T) {
	for _, tt := range []struct {
		name, key          string
		associated         []string
		plaintext, sivText string
	}{
		{"A.1 deterministic", "fffefdfc fbfaf9f8 f7f6f5f4 f3f2f1f0 f0f1f2f3 f4f5f6f7 f8f9fafb fcfdfeff",
			[]string{"10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627"},
			"11223344 55667788 99aabbcc ddee",
			"85632d07 c6e8f37f 950acd32 0a2ecc93 40c02b96 90c4dc04 daef7f6a fe5c"},
		{"A.2 nonce", "7f7e7d7c 7b7a7978 77767574 73727170 40414243 44454647 48494a4b 4c4d4e4f",
			[]string{"00112233 44556677 8899aabb ccddeeff deaddada deaddada ffeeddcc bbaa9988 77665544 33221100", "10203040 50607080 90a0", "09f91102 9d74e35b d84156c5 635688c0"},
			"74686973 20697320 736f6d65 20706c61 696e7465 78742074 6f20656e 63727970 74207573 696e6720 5349562d 414553",
			"7bdb6e3b 432667eb 06f4d14b ff2fbd0f cb900f2f ddbe4043 26601965 c889bf17 dba77ceb 094fa663 b7a3f748 ba8af829 ea64ad54 4a272e9c 485b62a3 fd5c0d"},
	} {
		key := fromHex(t, tt.key)
		v, err := newSIV(key)
		require.NoError(t, err)
		var associated [][]byte
		for _, a := range tt.associated {
			associated = append(associated, fromHex(t, a))
		}
		s := new(scratch)
		b := fromHex(t, tt.plaintext)
		iv := v.seal(s, v.start(s, associated...), b)
		got := make([]byte, 16, 64)
		iv.store(got)
		got = append(got, b...)
		assert.Equal(t, fromHex(t, tt.sivText), got, tt.name)
		assert.Equal(t, got, refSIV(key, associated, fromHex(t, tt.plaintext)), "%s: the reference", tt.name)
		require.True(t, v.open(s, v.start(s, associated...), iv, b), tt.name)
		assert.Equal(t, fromHex(t, tt.plaintext), b, tt.name)
	}
}

func TestSIVKeys(t *testing.T) {
	for n := range 80 {
		_, err := newSIV(make([]byte, n))
		if n == 32 || n == 48 || n == 64 {
			assert.NoError(t, err, "%d bytes", n)
		} else {
			assert.Error(t, err, "%d bytes", n)
		}
	}
}

// Every length about the ends of blocks: what is padded, and what is not.
func TestSIVLengths(t *testing.T) {
	key := make([]byte, 64)
	for i := range key {
		key[i] = byte(i)
	}
	v, err := newSIV(key)
	require.NoError(t, err)
	s := new(scratch)
	for n := range 131 {
		msg := bytes.Repeat([]byte{byte(n)}, n)
		mac := make([]byte, 16)
		v.mac.sum(s, msg).store(mac)
		require.Equal(t, refCMAC(v.mac.block, msg), mac, "CMAC of %d bytes", n)

		b, associated := slices.Clone(msg), msg[:n/2]
		iv := v.seal(s, v.start(s, associated), b)
		got := make([]byte, 16)
		iv.store(got)
		require.Equal(t, refSIV(key, [][]byte{associated}, msg), append(got, b...), "SIV of %d bytes", n)
		require.True(t, v.open(s, v.start(s, associated), iv, b), "%d bytes", n)
		require.Equal(t, msg, b, "%d bytes", n)
	}
}

func TestSIVProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{32, 48, 64}).Draw(t, "key size")
		key := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "key")
		associated := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 0, 4).Draw(t, "associated")
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 150).Draw(t, "plaintext")
		v, err := newSIV(key)
		require.NoError(t, err)
		s := new(scratch)
		d := v.start(s, associated...)

		b := slices.Clone(plaintext)
		iv := v.seal(s, d, b)
		got := make([]byte, 16)
		iv.store(got)
		require.Equal(t, refSIV(key, associated, plaintext), append(got, b...))

		opened := slices.Clone(b)
		require.True(t, v.open(s, d, iv, opened))
		require.Equal(t, plaintext, opened)

		// One bit anywhere makes it unreadable, and what was read is not left behind.
		changed := slices.Clone(b)
		bit := rapid.IntRange(0, 8*(16+len(b))-1).Draw(t, "bit")
		other := iv
		switch {
		case bit < 64:
			other.hi ^= 1 << bit
		case bit < 128:
			other.lo ^= 1 << (bit - 64)
		default:
			changed[(bit-128)/8] ^= 1 << (bit % 8)
		}
		require.False(t, v.open(s, d, other, changed))
		require.Equal(t, make([]byte, len(b)), changed)
	})
}
