package filestore

import (
	"encoding/binary"
	"io"

	"github.com/privetdev/privet/consent/ledger"
)

// The file HEAD says which entries must be there, so that a log that was cut is not
// taken for one that ends earlier. It has four pages:
//
//	0  a mark, synced: written in turns with the next
//	1  a mark, synced
//	2  a mark after every call of Append, not synced: it outlives the program, and
//	   perhaps a loss of power
//	3  the handle of a drop that is under way, else zeros
//
// A mark is only written of entries that are durable, so whatever mark can be read
// tells the truth.
const (
	headName  = "HEAD"
	headMagic = "PRVTHED\x01"
	headPage  = 4096
	headSize  = 4 * headPage
	dropPage  = 3
	markSize  = 8 + 16 + 8 + 8 + 8 + 32 + 4
	dropMagic = "PRVTDRP\x01"
	dropSize  = 8 + 16 + handleSize + 4

	// markEvery bounds the calls of Append after a synced mark.
	markEvery = 256
)

// A mark is what HEAD says.
type mark struct {
	id         logID
	generation uint64
	closed     bool // by a program that ended as it should
	size       uint64
	last       ledger.Hash
}

func (m *mark) encode() []byte {
	b := append(make([]byte, 0, markSize), headMagic...)
	b = append(b, m.id[:]...)
	b = binary.BigEndian.AppendUint64(b, m.generation)
	state := uint64(0)
	if m.closed {
		state = 1
	}
	b = binary.BigEndian.AppendUint64(b, state)
	b = binary.BigEndian.AppendUint64(b, m.size)
	b = append(b, m.last[:]...)
	return sealSum(b, 0)
}

func parseMark(b []byte) (m mark, ok bool) {
	if len(b) < markSize || string(b[:8]) != headMagic || !whole(b[:markSize]) {
		return mark{}, false
	}
	copy(m.id[:], b[8:])
	m.generation = binary.BigEndian.Uint64(b[24:])
	m.closed = binary.BigEndian.Uint64(b[32:]) == 1
	m.size = binary.BigEndian.Uint64(b[40:])
	copy(m.last[:], b[48:])
	return m, true
}

// A head is the file HEAD.
type head struct {
	path string
	file file
	mark mark // the latest
	page int  // of the latest synced mark: 0 or 1
}

// read reads the file anew, and the handle of a drop that is under way.
func (h *head) read() (dropping ledger.Handle, err error) {
	b := make([]byte, headSize)
	n, err := h.file.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return ledger.Handle{}, fileError(h.path, "reading", err)
	}
	b = b[:n]
	if later(b, headMagic) {
		return ledger.Handle{}, &FileError{h.path, 0, 0, "was written by a later version", "use that one, or a newer", ErrFormat}
	}
	var found mark
	var synced uint64 // the latest generation on the synced pages
	for i := range dropPage {
		m, ok := parseMark(b[min(i*headPage, len(b)):])
		if !ok {
			continue
		}
		if found.generation > 0 && m.id != found.id {
			return ledger.Handle{}, damaged(h.path, int64(i*headPage), 0, "it belongs to two logs")
		}
		if i < 2 && m.generation > synced {
			synced, h.page = m.generation, i
		}
		if m.generation > found.generation {
			found = m
		}
	}
	if found.generation == 0 {
		return ledger.Handle{}, damaged(h.path, 0, 0, "no mark in it can be read")
	}
	h.mark = found
	if len(b) >= dropPage*headPage+dropSize {
		d := b[dropPage*headPage:][:dropSize]
		if string(d[:8]) == dropMagic && whole(d) && logID(d[8:24]) == h.mark.id {
			copy(dropping[:], d[24:])
		}
	}
	return dropping, nil
}

// set writes a mark durably, on the page that does not hold the latest synced one.
func (h *head) set(m mark) error {
	m.id, m.generation = h.mark.id, h.mark.generation+1
	page := 1 - h.page
	if _, err := h.file.WriteAt(m.encode(), int64(page*headPage)); err != nil {
		return fileError(h.path, "writing", err)
	}
	if err := h.file.Sync(); err != nil {
		return fileError(h.path, "syncing", err)
	}
	h.mark, h.page = m, page
	return nil
}

// note writes the mark that is not synced. That it fails does no harm.
func (h *head) note(m mark) {
	m.id, m.generation = h.mark.id, h.mark.generation+1
	if _, err := h.file.WriteAt(m.encode(), 2*headPage); err == nil {
		h.mark = m
	}
}

// setDrop notes durably that a handle is being dropped; the zero handle is none.
func (h *head) setDrop(handle ledger.Handle) error {
	b := make([]byte, dropSize)
	if handle != (ledger.Handle{}) {
		b = append(append(append(b[:0], dropMagic...), h.mark.id[:]...), handle[:]...)
		b = sealSum(b, 0)
	}
	if _, err := h.file.WriteAt(b, dropPage*headPage); err != nil {
		return fileError(h.path, "writing", err)
	}
	if err := h.file.Sync(); err != nil {
		return fileError(h.path, "syncing", err)
	}
	return nil
}

// newHead is the content of the file of a new log.
func newHead(id logID) []byte {
	b := make([]byte, headSize)
	m := mark{id: id, generation: 1}
	copy(b, m.encode())
	return b
}
