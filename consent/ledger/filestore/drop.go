package filestore

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/privetdev/privet/consent/ledger"
)

// Drop implements ledger.Store. The payloads and handles are overwritten with zeros
// where they lie. The handle is noted in HEAD as long as that takes, so that Open
// finishes what was cut off.
func (s *Store) Drop(ctx context.Context, handle ledger.Handle) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	if err := s.writable(); err != nil {
		return err
	}
	if handle == (ledger.Handle{}) {
		return nil
	}
	var seqs []uint64
	var buf []byte
	for _, seq := range s.withHash(handle, 0) {
		var r record
		var err error
		if r, buf, err = s.read(uint64(seq), buf); err != nil {
			return err
		}
		if r.handle() == handle {
			seqs = append(seqs, uint64(seq))
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	err := s.head.setDrop(handle)
	if err == nil {
		err = s.clearEntries(seqs)
	}
	if err == nil {
		err = s.head.setDrop(ledger.Handle{})
	}
	if err != nil {
		// What is half done can be read as dropped, and the next Open goes on. Until then
		// nothing may be added that it would drop, and no other drop noted in its place.
		s.broken = &FileError{s.head.path, -1, 0, "an earlier drop failed", "open the log again", err}
	}
	return err
}

// clearEntries overwrites the payloads, and when that is durable the handles, which
// find them.
func (s *Store) clearEntries(seqs []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, handles := range []bool{false, true} {
		var touched []*segment
		for _, seq := range seqs {
			seg := s.of(seq)
			if !slices.Contains(touched, seg) {
				touched = append(touched, seg)
			}
			if err := seg.clear(int64(seg.offsets[seq-seg.first]), handles); err != nil {
				return fileError(seg.path, "overwriting", err)
			}
		}
		for _, seg := range touched {
			if err := seg.file.Sync(); err != nil {
				return fileError(seg.path, "syncing", err)
			}
		}
	}
	return nil
}

// clear overwrites the payload of the record at a place, or its handle and checksum.
func (seg *segment) clear(at int64, handle bool) error {
	var b [recordHead]byte
	if _, err := readFull(seg.file, b[:], at); err != nil {
		return err
	}
	from, n := at+recordHead+int64(be32(b[:])), int64(be32(b[4:]))
	check := sum(zeros[:handleSize])
	for done := int64(0); done < n; {
		part := zeros[:min(n-done, int64(len(zeros)))]
		if !handle {
			if _, err := seg.file.WriteAt(part, from+int64(handleSize)+4+done); err != nil {
				return err
			}
		}
		check = crc32.Update(check, castagnoli, part)
		done += int64(len(part))
	}
	if !handle {
		return nil
	}
	_, err := seg.file.WriteAt(binary.BigEndian.AppendUint32(make([]byte, handleSize, handleSize+4), check), from)
	return err
}
