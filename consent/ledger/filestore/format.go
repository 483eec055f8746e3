package filestore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/privetdev/privet/consent/ledger"
)

// The files are described in docs/ledger.md, so that other programs can read them.
// Numbers are big-endian.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// sealSum appends the checksum of all that was appended since from.
func sealSum(b []byte, from int) []byte { return binary.BigEndian.AppendUint32(b, sum(b[from:])) }

// whole reports whether the last four bytes are the checksum of those before.
func whole(b []byte) bool {
	n := len(b) - 4
	return n >= 0 && be32(b[n:]) == sum(b[:n])
}

const (
	segmentMagic = "PRVTLOG\x01"
	magicKind    = 7 // bytes of a magic before its version

	segmentHead = 8 + 16 + 8 + 8 + 32 + 4

	// maxFile bounds a segment: places in it are 32 bits.
	maxFile = math.MaxUint32
	// maxBatch bounds what one call of Append writes.
	maxBatch = 1 << 30
	// MaxSealed bounds the sealed payload of an entry, in bytes.
	MaxSealed = 1 << 20
)

// A logID is random and the same in all files of a log.
type logID [16]byte

// A header begins a segment.
type header struct {
	id    logID
	index uint64      // of the segment, from 1
	first uint64      // Seq of its first entry
	prev  ledger.Hash // of the entry before that
}

func (h *header) encode() []byte {
	b := append(make([]byte, 0, segmentHead), segmentMagic...)
	b = append(b, h.id[:]...)
	b = binary.BigEndian.AppendUint64(b, h.index)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = append(b, h.prev[:]...)
	return sealSum(b, 0)
}

func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < segmentHead || string(b[:len(segmentMagic)]) != segmentMagic || !whole(b[:segmentHead]) {
		return header{}, false
	}
	b = b[len(segmentMagic):]
	b = b[copy(h.id[:], b):]
	h.index = binary.BigEndian.Uint64(b)
	h.first = binary.BigEndian.Uint64(b[8:])
	copy(h.prev[:], b[16:])
	return h, true
}

// later reports whether a file says that it was written by a later version.
func later(b []byte, magic string) bool {
	return len(b) >= len(magic) && string(b[:magicKind]) == magic[:magicKind] && b[magicKind] > magic[magicKind]
}

func segmentName(index uint64) string { return fmt.Sprintf("%08d.segment", index) }

// A record is an entry in a segment:
//
//	4  length of the envelope
//	4  length of the sealed payload
//	4  entries of the same call before this one
//	4  entries of the same call after this one
//	4  CRC-32C of the above and the envelope
//	   envelope
//	16 handle
//	4  CRC-32C of the handle and the sealed payload
//	   sealed payload
//
// When the entry is dropped, the handle and the payload become zeros, and the checksum
// that of these; an entry that never had a payload has no other handle. So a call whose
// end the disk never wrote does not look like one that was dropped.
const (
	recordHead = 20
	handleSize = len(ledger.Handle{})
	recordSize = recordHead + handleSize + 4 // without envelope and payload
)

type record struct {
	envelope []byte
	rest     []byte // handle, checksum, payload
	index    uint32
	after    uint32

	seq  uint64
	prev []byte
	id   []byte
}

func (r *record) size() int64    { return int64(recordHead + len(r.envelope) + len(r.rest)) }
func (r *record) first() uint64  { return r.seq - uint64(r.index) } // Seq of the first entry of the call
func (r *record) sealed() []byte { return r.rest[handleSize+4:] }
func (r *record) handle() (h ledger.Handle) {
	copy(h[:], r.rest)
	return h
}

// A fate is what became of the part behind the envelope.
type fate uint8

const (
	live    fate = iota
	dropped      // or never there
	changed      // neither
)

func (r *record) fate() fate {
	h := r.rest[:handleSize]
	switch {
	case restSum(h, r.sealed()) != be32(r.rest[handleSize:]):
		return changed
	case !zero(h):
		return live
	case !zero(r.sealed()):
		return changed
	}
	return dropped
}

// restSum is the checksum behind the envelope.
func restSum(handle, sealed []byte) uint32 {
	return crc32.Update(sum(handle), castagnoli, sealed)
}

// halfDropped reports whether a record can be what a drop of this handle leaves when
// it is cut off: each byte of the handle is as it was or zero.
func (r *record) halfDropped(h ledger.Handle) bool {
	if h == (ledger.Handle{}) {
		return false
	}
	for i, b := range r.rest[:handleSize] {
		if b != 0 && b != h[i] {
			return false
		}
	}
	return true
}

var zeros [4096]byte

func zero(b []byte) bool {
	for len(b) > len(zeros) {
		if !bytes.Equal(b[:len(zeros)], zeros[:]) {
			return false
		}
		b = b[len(zeros):]
	}
	return bytes.Equal(b, zeros[:len(b)])
}

func (r *record) entry() ledger.Entry {
	e := ledger.Entry{Seq: r.seq, Envelope: r.envelope}
	if r.fate() == live {
		e.Handle = r.handle()
		if s := r.sealed(); len(s) > 0 {
			e.Sealed = s
		}
	}
	return e
}

// envelopeMagic is how the encoding of an envelope begins. Of the rest the store reads
// no more than the Seq, the hash before, and the id: they come first.
const envelopeMagic = "privet/consent/1\x00"

const minEnvelope = len(envelopeMagic) + 8 + 32 + 4

// open reads the beginning of the envelope.
func (r *record) open() bool {
	b := r.envelope
	if len(b) < minEnvelope || string(b[:len(envelopeMagic)]) != envelopeMagic {
		return false
	}
	b = b[len(envelopeMagic):]
	r.seq = binary.BigEndian.Uint64(b)
	r.prev = b[8:40]
	n := be32(b[40:])
	if uint64(n) > uint64(len(b)-44) {
		return false
	}
	r.id = b[44 : 44+n]
	return true
}

// appendRecord appends the record of an entry.
func appendRecord(b []byte, e *ledger.Entry, index, after int) []byte {
	from := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Envelope)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Sealed)))
	b = binary.BigEndian.AppendUint32(b, uint32(index))
	b = binary.BigEndian.AppendUint32(b, uint32(after))
	check := crc32.Update(sum(b[from:]), castagnoli, e.Envelope)
	b = binary.BigEndian.AppendUint32(b, check)
	b = append(b, e.Envelope...)
	b = append(b, e.Handle[:]...)
	b = binary.BigEndian.AppendUint32(b, restSum(e.Handle[:], e.Sealed))
	return append(b, e.Sealed...)
}

// parseRecord reads the record at the beginning of b. If b is too short, need says how
// long it must be; problem is what is wrong with the clear part.
func parseRecord(b []byte) (r record, need int, problem string) {
	if len(b) < recordHead {
		return record{}, recordHead, ""
	}
	envelope, sealed := be32(b), be32(b[4:])
	if envelope < uint32(minEnvelope) || envelope > ledger.MaxEnvelope || sealed > MaxSealed {
		return record{}, 0, "the lengths of the record are impossible"
	}
	end := recordHead + int(envelope)
	size := end + handleSize + 4 + int(sealed)
	if len(b) < size {
		return record{}, size, ""
	}
	r.envelope, r.rest = b[recordHead:end:end], b[end:size:size]
	if crc32.Update(sum(b[:16]), castagnoli, r.envelope) != be32(b[16:]) {
		return record{}, 0, "the clear part was changed: its checksum is another"
	}
	r.index, r.after = be32(b[8:]), be32(b[12:])
	if !r.open() || uint64(r.index) >= r.seq {
		return record{}, 0, "the envelope is not one"
	}
	return r, 0, ""
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
