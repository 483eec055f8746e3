package secretfile

import (
	"context"
	"crypto/rand"
	"encoding/binary"
)

const (
	magic       = "PRVTSEC"
	formatOne   = 1
	kindSecrets = 1
	kindTombs   = 2

	idSize   = 16
	saltSize = 32

	// headSize is the part of a header that is different after each write.
	headSize = len(magic) + 1 + 1 + idSize + 8 + saltSize

	// maxFile bounds what is read.
	maxFile = 256 << 20
)

// IsStore reports whether a file that begins with head is one of this package, of any
// version: a store, or the tombstones of one. Its first 64 bytes are enough. It is for
// programs that read secrets from other files as well.
func IsStore(head []byte) bool {
	return len(head) >= len(magic) && string(head[:len(magic)]) == magic
}

// An envelope is a file around its content.
type envelope struct {
	kind       byte
	id         [idSize]byte
	generation uint64
	wrapped    []byte
}

// A dataKey opens content. The bytes are out of the reach of package fmt.
type dataKey struct{ b *keyBox }

func newDataKey() dataKey {
	var p [KeySize]byte
	rand.Read(p[:])
	return dataKey{&keyBox{&p}}
}

// seal writes a file. Every call uses a fresh salt and so a fresh key.
func (e *envelope) seal(key dataKey, content []byte) ([]byte, error) {
	out := make([]byte, 0, headSize+2+len(e.wrapped)+len(content)+16)
	out = append(out, magic...)
	out = append(out, formatOne, e.kind)
	out = append(out, e.id[:]...)
	out = binary.BigEndian.AppendUint64(out, e.generation)
	salt := len(out)
	out = out[:salt+saltSize]
	rand.Read(out[salt:])
	out = binary.BigEndian.AppendUint16(out, uint16(len(e.wrapped)))
	out = append(out, e.wrapped...)
	aead, err := gcm(key.b.p[:], out[salt:salt+saltSize], labelFile+"\x00"+string(e.kind))
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, make([]byte, aead.NonceSize()), content, out), nil
}

// parse reads a header. The rest are the sealed content and the header as it must be
// authenticated.
func parse(path string, data []byte, kind byte) (e *envelope, header, sealed []byte, err error) {
	if len(data) < len(magic)+1 || !IsStore(data) {
		if len(data) == 0 {
			return nil, nil, nil, damaged(path, ErrDamaged)
		}
		return nil, nil, nil, &FileError{path, "is no file of secrets", "is it the right file?", ErrFormat}
	}
	if data[len(magic)] != formatOne {
		return nil, nil, nil, &FileError{path, "was written by a later version", "use that one, or a newer", ErrFormat}
	}
	if len(data) < headSize+2 {
		return nil, nil, nil, damaged(path, ErrDamaged)
	}
	at := len(magic) + 1
	e = &envelope{kind: data[at]}
	if e.kind != kind {
		return nil, nil, nil, &FileError{path, "holds tombstones where secrets are wanted, or the other way round", "name the other file", ErrFormat}
	}
	at++
	at += copy(e.id[:], data[at:])
	e.generation = binary.BigEndian.Uint64(data[at:])
	n := int(binary.BigEndian.Uint16(data[headSize:]))
	end := headSize + 2 + n
	if n > maxWrapped || len(data) < end {
		return nil, nil, nil, damaged(path, ErrDamaged)
	}
	e.wrapped = data[headSize+2 : end]
	return e, data[:end], data[end:], nil
}

// unseal returns the content of a parsed file.
func (e *envelope) unseal(path string, key dataKey, header, sealed []byte) ([]byte, error) {
	salt := header[headSize-saltSize : headSize]
	aead, err := gcm(key.b.p[:], salt, labelFile+"\x00"+string(e.kind))
	if err != nil {
		return nil, err
	}
	content, err := aead.Open(nil, make([]byte, aead.NonceSize()), sealed, header)
	if err != nil {
		return nil, damaged(path, ErrDamaged)
	}
	return content, nil
}

func damaged(path string, err error) error {
	return &FileError{path, "is damaged or was changed", "put back a whole copy; what was destroyed since stays destroyed while the tombstones are kept", err}
}

// unwrap asks the wrappers for a data key, in order.
func unwrap(ctx context.Context, path string, wrapped []byte, wrappers []Wrapper) (dataKey, error) {
	var first error
	for _, w := range wrappers {
		b, err := w.Unwrap(ctx, wrapped)
		if err == nil && len(b) != KeySize {
			err = &keyFault{"it gave a data key of another length"}
		}
		if err == nil {
			p := [KeySize]byte(b)
			return dataKey{&keyBox{&p}}, nil
		}
		if first == nil {
			first = err
		}
	}
	return dataKey{}, wrapperError(path, first)
}
