package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// A signed bundle is a bundle in an envelope:
//
//	bytes 0–7    "privet" 00 42
//	bytes 8–9    2, the format of the envelope
//	bytes 10–11  CEL profile, as in the bundle inside
//	bytes 12–15  length of the bundle inside
//	content      the bundle, byte for byte as it is without a signature
//	32 bytes     Ed25519 public key of the signer: a hint, not a reason for trust
//	64 bytes     Ed25519 signature
//	last 32      SHA-256 of everything before
//
// The envelope has a number of its own, so that a reader from before signatures
// says that the bundle is too new for it, and not that it was damaged. The
// checksum at the end is for readers that pin no key: they do not check the
// signature, and still notice that it was damaged on the way.
const (
	// FormatSigned is the number of the envelope.
	FormatSigned = 2
	// SignedExtra is how much longer a signature makes a bundle.
	SignedExtra = header + keySize + signatureSize + sha256.Size

	keySize       = 32
	signatureSize = 64
)

// A Signature is who vouches for a content, and the proof: package
// privacy/signature makes and checks it, this one carries it only.
type Signature struct {
	Key   [keySize]byte
	Value [signatureSize]byte
}

// Seal puts a content into an envelope.
func Seal(content []byte, s *Signature) []byte {
	out := make([]byte, header, len(content)+SignedExtra)
	copy(out, content[:header])
	binary.BigEndian.PutUint16(out[8:], FormatSigned)
	binary.BigEndian.PutUint32(out[12:], uint32(len(content)))
	out = append(out, content...)
	out = append(out, s.Key[:]...)
	out = append(out, s.Value[:]...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

// Split takes an envelope off: the content, and the signature, nil if there is
// none. It looks at the envelope only; what is inside is for [Decode]. The content
// shares memory with data.
func Split(data []byte) (content []byte, s *Signature, err error) {
	if len(data) < header || !bytes.HasPrefix(data, []byte(magic)) || binary.BigEndian.Uint16(data[8:]) != FormatSigned {
		return data, nil, nil
	}
	if err := frame(data, keySize+signatureSize, maxBundle+SignedExtra); err != nil {
		return nil, nil, err
	}
	end := len(data) - sha256.Size - signatureSize - keySize
	content = data[header:end:end]
	// One bundle has one spelling, and an envelope in an envelope is none.
	if len(content) < header || !bytes.HasPrefix(content, []byte(magic)) || binary.BigEndian.Uint16(content[8:]) == FormatSigned || !bytes.Equal(content[10:12], data[10:12]) {
		return nil, nil, ErrCorrupt
	}
	s = new(Signature)
	copy(s.Key[:], data[end:])
	copy(s.Value[:], data[end+keySize:])
	return content, s, nil
}
