package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
)

// A Tail is the end of a log with what is needed to go on: a [Store] keeps it
// beside the entries, or works it out from them with Add. The zero Tail is that of
// an empty log.
type Tail struct {
	Size  uint64 // entries, which is the Seq of the last
	Last  Hash   // of the last entry; zero: none
	Peaks []Hash // the roots of the complete subtrees, the largest first
}

// Add adds the hash of the next entry. It never writes into Peaks that were there.
func (t Tail) Add(h Hash) Tail {
	next := Tail{Size: t.Size + 1, Last: h}
	merge := bits.TrailingZeros64(next.Size) // as many peaks fall together
	keep := len(t.Peaks) - merge
	next.Peaks = append(make([]Hash, 0, keep+1), t.Peaks[:keep]...)
	for i := len(t.Peaks) - 1; i >= keep; i-- {
		h = nodeHash(t.Peaks[i], h)
	}
	next.Peaks = append(next.Peaks, h)
	return next
}

// Root is the hash of the whole tree (RFC 6962, section 2.1: the Merkle Tree Hash);
// of an empty log that of nothing.
func (t Tail) Root() Hash {
	if len(t.Peaks) == 0 {
		return sha256.Sum256(nil)
	}
	h := t.Peaks[len(t.Peaks)-1]
	for i := len(t.Peaks) - 2; i >= 0; i-- {
		h = nodeHash(t.Peaks[i], h)
	}
	return h
}

// Head is what others are told of the tail.
func (t Tail) Head() Head { return Head{Seq: t.Size, Last: t.Last, Root: t.Root()} }

// valid reports whether a tail can be one: as many peaks as its size has bits.
func (t Tail) valid() bool {
	return len(t.Peaks) == bits.OnesCount64(t.Size) && (t.Size > 0 || t.Last == Hash{})
}

// Append appends an encoding of the tail for a [Store] to keep.
func (t Tail) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, t.Size)
	dst = append(dst, t.Last[:]...)
	for i := range t.Peaks {
		dst = append(dst, t.Peaks[i][:]...)
	}
	return dst
}

// ParseTail reads what Append writes.
func ParseTail(b []byte) (Tail, error) {
	r := reader{rest: b}
	t := Tail{Size: r.number()}
	r.hash(&t.Last)
	for !r.bad && len(r.rest) > 0 {
		var h Hash
		r.hash(&h)
		t.Peaks = append(t.Peaks, h)
	}
	if r.bad || !t.valid() {
		return Tail{}, errors.New("ledger: tail: not the encoding of one: the store is damaged")
	}
	return t, nil
}

// nodeHash is the hash of an inner node (RFC 6962, section 2.1).
func nodeHash(left, right Hash) Hash {
	var b [1 + 2*len(left)]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+len(left):], right[:])
	return sha256.Sum256(b[:])
}
