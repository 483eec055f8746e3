package scan

import (
	"sync/atomic"
	"unicode/utf8"
)

// A heard is what walks have found out about places: where no match begins.
type heard struct {
	deaf marked
	// four remembers four bytes and what stands before them, with which no match begins,
	// each in a place that it may lose to others.
	four [1 << fourBits]atomic.Uint64
}

const fourBits = 12

// A marked is a set of places: what begins there, by the kind of what stands before.
type marked struct {
	two  [kindLine + 1][1 << 10]atomic.Uint64 // a bit for two bytes
	wide [kindLine + 1][]atomic.Uint64        // a bit for a class of characters outside ASCII
}

func (m *marked) grow(classes uint32) {
	for k := range m.wide {
		m.wide[k] = make([]atomic.Uint64, classes/64+1)
	}
}

// pass goes on over places with which no match begins, and tells the kind of what
// stands before the place that it comes to.
func (h *heard) pass(text string, pos, limit int, before kind) (int, kind) {
	limit = min(limit, len(text)-1)
	for pos < limit && text[pos] < utf8.RuneSelf {
		two := uint(text[pos])<<8 | uint(text[pos+1])
		if h.deaf.two[before][two>>6].Load()>>(two&63)&1 == 0 {
			break
		}
		before = kinds[text[pos]]
		pos++
	}
	return pos, before
}

// fourAt is the key of the four bytes at pos and its place, 0 if not all are ASCII.
func fourAt(text string, pos int, before kind) (key uint64, at uint32) {
	if pos+4 > len(text) {
		return 0, 0
	}
	b := uint32(text[pos]) | uint32(text[pos+1])<<8 | uint32(text[pos+2])<<16 | uint32(text[pos+3])<<24
	if b&0x80808080 != 0 {
		return 0, 0
	}
	return uint64(b)<<8 | uint64(before) | 1<<7, b * 0x9e3779b1 >> (32 - fourBits)
}

// heardAt is what is known about places where needs are met.
func (u *Union) heardAt(met uint8) *heard {
	if h := u.heard[met].Load(); h != nil {
		return h
	}
	h := new(heard)
	h.deaf.grow(u.stride)
	u.heard[met].CompareAndSwap(nil, h)
	return u.heard[met].Load()
}
