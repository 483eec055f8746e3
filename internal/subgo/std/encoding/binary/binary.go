// Package binary is what the subset has of the standard library's encoding/binary.
package binary

// LittleEndian is [encoding/binary.LittleEndian].
var LittleEndian littleEndian

type littleEndian struct{}

// Uint16 reads two bytes.
func (littleEndian) Uint16(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }

// Uint32 reads four bytes.
func (littleEndian) Uint32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// Uint64 reads eight bytes.
func (e littleEndian) Uint64(b []byte) uint64 {
	return uint64(e.Uint32(b)) | uint64(e.Uint32(b[4:]))<<32
}

// PutUint32 writes four bytes.
func (littleEndian) PutUint32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

// PutUint64 writes eight bytes.
func (e littleEndian) PutUint64(b []byte, v uint64) {
	e.PutUint32(b, uint32(v))
	e.PutUint32(b[4:], uint32(v>>32))
}
