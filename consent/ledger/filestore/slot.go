package filestore

import (
	"encoding/binary"
	"time"

	"github.com/privetdev/privet/consent/ledger"
)

// A file of keys is one page, then slots of 128 bytes, one for each subject:
//
//	0     "PRVTKEY" 01, id of the log (16), secret (32), CRC-32C
//	1024  a mark, synced together with the slots that follow what it names
//	2048  a mark, in turns with the one before
//	3072  a mark after each call, not synced
//	4096  slots
//
// A mark says how many slots are durable: "PRVTKMK" 01, generation (8), slots (8),
// CRC-32C. A slot:
//
//	0   1  state
//	1   3  zeros
//	4   4  CRC-32C of the tag
//	8   16 tag
//	24  32 key
//	56  4  CRC-32C of tag and key
//	60  4  zeros
//	64  16 handle                           of an erasure
//	80  8  count
//	88  12 valid: seconds since 1970, nanoseconds
//	100 12 known: the same
//	112 1  ground
//	113 1  bit 0: there is a valid time; bit 1: there is a known time
//	114 10 zeros
//	124 4  CRC-32C of tag and 64..124
const (
	keysMagic   = "PRVTKEY\x01"
	keyMarkSize = 8 + 8 + 8 + 4
	keyMark     = "PRVTKMK\x01"
	keysHead    = 8 + 16 + 32 + 4
	keysStart   = 4096
	slotSize    = 128

	slotTag  = 8
	slotKey  = 24
	slotRest = 56
	slotEras = 64
	slotEnd  = 124
)

// The states differ in four bits at least, so that a changed bit makes none of another.
const (
	slotFree  = 0x00 // nothing was written there
	slotLive  = 0x33
	slotDying = 0x55 // erased; the erasure is not recorded in the log yet
	slotGone  = 0x66 // erased
	slotVoid  = 0x0f // torn while it was made: nobody was ever given its key
)

type slot []byte

func newSlot(tag ledger.Tag, key *ledger.Key) slot {
	b := make(slot, slotSize)
	b[0] = slotLive
	copy(b[slotTag:], tag[:])
	binary.BigEndian.PutUint32(b[4:], sum(tag[:]))
	copy(b[slotKey:], key[:])
	binary.BigEndian.PutUint32(b[slotRest:], sum(b[slotTag:slotRest]))
	return b
}

func (b slot) tag() (t ledger.Tag) {
	copy(t[:], b[slotTag:])
	return t
}

// problem says what is wrong with a slot that was written as a whole.
func (b slot) problem() string {
	switch {
	case b[0] == slotVoid:
		return ""
	case b[0] != slotLive && b[0] != slotDying && b[0] != slotGone:
		return "the state of the slot is none"
	case !zero(b[1:4]) || be32(b[4:]) != sum(b[slotTag:slotKey]):
		return "the tag was changed: its checksum is another"
	case b[0] == slotLive && (be32(b[slotRest:]) != sum(b[slotTag:slotRest]) || zero(b[slotKey:slotRest])):
		return "the key was changed: its checksum is another"
	case b[0] == slotDying && be32(b[slotEnd:]) != b.erasureSum():
		return "what is noted of an erasure was changed: its checksum is another"
	}
	return ""
}

func (b slot) erasureSum() uint32 {
	return sum(append(append(make([]byte, 0, slotSize), b[slotTag:slotKey]...), b[slotEras:slotEnd]...))
}

func (b slot) setErasure(e *ledger.Erasure) {
	clear(b[slotEras:])
	p := b[slotEras:]
	copy(p, e.Handle[:])
	binary.BigEndian.PutUint64(p[16:], e.Count)
	for i, t := range []time.Time{e.At, e.Known} {
		if !t.IsZero() {
			binary.BigEndian.PutUint64(p[24+12*i:], uint64(t.Unix()))
			binary.BigEndian.PutUint32(p[32+12*i:], uint32(t.Nanosecond()))
			p[49] |= 1 << i
		}
	}
	p[48] = byte(e.Why)
	binary.BigEndian.PutUint32(b[slotEnd:], b.erasureSum())
}

func (b slot) erasure() ledger.Erasure {
	p := b[slotEras:]
	e := ledger.Erasure{Tag: b.tag(), Count: binary.BigEndian.Uint64(p[16:]), Why: ledger.Why(p[48])}
	copy(e.Handle[:], p)
	for i, t := range []*time.Time{&e.At, &e.Known} {
		if p[49]&(1<<i) != 0 {
			*t = time.Unix(int64(binary.BigEndian.Uint64(p[24+12*i:])), int64(be32(p[32+12*i:]))).UTC()
		}
	}
	return e
}
