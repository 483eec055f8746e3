package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// An siv is AES-SIV (RFC 5297) under one key. It is immutable.
type siv struct {
	mac *cmac
	ctr cipher.Block
}

// newSIV takes a key of 32, 48 or 64 bytes: its first half authenticates, its
// second half encrypts (section 2.6).
func newSIV(key []byte) (*siv, error) {
	half := len(key) / 2
	if len(key) != 2*half {
		return nil, aes.KeySizeError(len(key))
	}
	mac, err := aes.NewCipher(key[:half])
	if err != nil {
		return nil, err
	}
	ctr, err := aes.NewCipher(key[half:])
	if err != nil {
		return nil, err
	}
	return &siv{newCMAC(mac), ctr}, nil
}

// start is the part of S2V (section 2.4) that does not depend on the plaintext:
// one string of associated data after the other, a nonce last.
func (v *siv) start(s *scratch, associated ...[]byte) block128 {
	d := v.mac.sum(s, make([]byte, 16))
	for _, a := range associated {
		d = d.double().xor(v.mac.sum(s, a))
	}
	return d
}

// finish is the rest of S2V.
func (v *siv) finish(s *scratch, d block128, plaintext []byte) block128 {
	if len(plaintext) >= 16 {
		return v.mac.sumEnd(s, plaintext, d)
	}
	var b [16]byte
	b[copy(b[:], plaintext)] = 0x80
	// A whole block of its own: the padding is that of S2V, not that of CMAC.
	d = d.double().xor(loadBlock(b[:]))
	return s.encrypt(v.mac.block, d.xor(v.mac.k1))
}

// stream xors b with the key stream that begins at the synthetic IV (section 2.5).
func (v *siv) stream(s *scratch, iv block128, b []byte) {
	// The two bits that are cleared keep the counter from carrying out of 32 bits,
	// for any message shorter than 2^35 bytes.
	iv.lo &^= 1<<63 | 1<<31
	for len(b) > 0 {
		k := s.encrypt(v.ctr, iv)
		iv.lo++
		if len(b) >= 16 {
			loadBlock(b).xor(k).store(b)
			b = b[16:]
			continue
		}
		k.store(s.b[:])
		subtle.XORBytes(b, b, s.b[:])
		return
	}
}

// seal encrypts b in place and returns the synthetic IV, which goes before it.
func (v *siv) seal(s *scratch, d block128, b []byte) block128 {
	iv := v.finish(s, d, b)
	v.stream(s, iv, b)
	return iv
}

// open decrypts b in place. Unless it returns true, b was not made with this key
// and this start, and is overwritten with zeros.
func (v *siv) open(s *scratch, d, iv block128, b []byte) bool {
	v.stream(s, iv, b)
	diff := v.finish(s, d, b).xor(iv)
	if diff.hi|diff.lo != 0 {
		clear(b)
		return false
	}
	return true
}
