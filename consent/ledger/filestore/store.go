package filestore

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/privetdev/privet/consent/ledger"
)

// maxEntries is what a table can number.
const maxEntries = math.MaxUint32

// A Store is a log in a folder; [ledger.New] makes a ledger of it. It is safe for
// concurrent use.
type Store struct {
	dir      string
	files    fileSystem
	readOnly bool
	limit    int64 // bytes of a segment
	wantID   logID
	keysPath string          // for OpenLedger
	ledger   []ledger.Option // for OpenLedger
	unlock   func()

	turn chan struct{} // held by who writes

	// For who holds the turn.
	head   head
	calls  int // since the last synced mark
	buf    []byte
	broken error // after which nothing is written

	mu       sync.RWMutex // guards what follows; who changes it has the turn, too
	closed   bool
	tail     ledger.Tail
	segments []*segment
	ids      *table
	handles  *table
}

var _ ledger.Store = (*Store)(nil)

// A segment is a file of entries.
type segment struct {
	path  string
	file  file
	index uint64
	first uint64      // Seq of the first entry
	prev  ledger.Hash // of the entry before it
	end   int64       // behind the last entry

	// Of each entry, where it is, and which one before it has the same hash of the
	// handle, 0 for none.
	offsets []uint32
	before  []uint32
}

func (seg *segment) add(f *found) {
	seg.offsets = append(seg.offsets, f.offsets...)
	seg.end = f.end
}

// index enters an entry into the tables.
func (s *Store) index(seg *segment, seq uint64, id, handle uint32, bare bool) {
	s.ids.add(id, uint32(seq))
	before := uint32(0)
	if !bare {
		before = s.handles.swap(handle, uint32(seq))
	}
	seg.before = append(seg.before, before)
}

// take waits for the turn to write.
func (s *Store) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) give() { <-s.turn }

// writable says why nothing can be written, nil for nothing.
func (s *Store) writable() error {
	switch {
	case s.closed:
		return ledger.ErrClosed
	case s.readOnly:
		return ledger.ErrReadOnly
	}
	return s.broken
}

// Append implements ledger.Store: one write and one sync for all entries of a call.
func (s *Store) Append(ctx context.Context, build func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error)) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	if err := s.writable(); err != nil {
		return err
	}
	entries, tail, err := build(ctx, s, s.tail)
	if err != nil || len(entries) == 0 {
		return err
	}
	if err := s.encode(entries, tail); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.calls >= markEvery {
		if err := s.mark(false); err != nil {
			return err
		}
	}
	seg := s.segments[len(s.segments)-1]
	if len(seg.offsets) > 0 && seg.end+int64(len(s.buf)) > s.limit {
		if err := s.newSegment(); err != nil {
			return err
		}
		seg = s.segments[len(s.segments)-1]
	}
	if _, err := seg.file.WriteAt(s.buf, seg.end); err != nil {
		// Nothing of it was acknowledged, so it may go, and must before the next.
		if cut := seg.file.Truncate(seg.end); cut != nil {
			return s.stop(seg, "writing", errors.Join(err, cut))
		}
		return fileError(seg.path, "writing", err)
	}
	if err := seg.file.Sync(); err != nil {
		// The system may have written any part of it and forgotten the rest.
		return s.stop(seg, "syncing", err)
	}
	s.publish(seg, entries, tail)
	s.calls++
	s.head.note(mark{size: tail.Size, last: tail.Last})
	return nil
}

// stop ends writing: nobody knows what is on the disk.
func (s *Store) stop(seg *segment, doing string, err error) error {
	s.broken = &FileError{seg.path, -1, 0, "an earlier write failed", "open the log again", err}
	return unknown(seg.path, doing, err)
}

// publish makes entries visible that are durable.
func (s *Store) publish(seg *segment, entries []ledger.Entry, tail ledger.Tail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		var r record
		r.envelope = e.Envelope
		r.open()
		seg.offsets = append(seg.offsets, uint32(seg.end))
		seg.end += int64(recordSize + len(e.Envelope) + len(e.Sealed))
		s.index(seg, e.Seq, s.ids.hash(r.id), s.handles.hash(e.Handle[:]), e.Handle == ledger.Handle{})
	}
	s.tail = tail
	if cap(s.buf) > 4<<20 {
		s.buf = nil
	}
}

// encode checks that entries follow the end and makes their records.
func (s *Store) encode(entries []ledger.Entry, tail ledger.Tail) error {
	s.buf = s.buf[:0]
	seq, prev := s.tail.Size, s.tail.Last
	if seq+uint64(len(entries)) > maxEntries {
		return ErrFull
	}
	leaf := make([]byte, 1, 1024)
	for i := range entries {
		e := &entries[i]
		seq++
		r := record{envelope: e.Envelope}
		switch {
		case len(e.Envelope) > ledger.MaxEnvelope || !r.open():
			return entryError("an entry has no envelope, or one that is too long")
		case e.Seq != seq || r.seq != seq || string(r.prev) != string(prev[:]):
			return entryError("the entries do not follow the end of the log")
		case len(e.Sealed) > MaxSealed:
			return entryError("a sealed payload is longer than 1 MiB")
		case e.Handle == ledger.Handle{} && len(e.Sealed) > 0:
			return entryError("an entry has a payload and no handle")
		}
		leaf = append(leaf[:1], e.Envelope...)
		prev = sha256.Sum256(leaf)
		s.buf = appendRecord(s.buf, e, i, len(entries)-1-i)
		if len(s.buf) > maxBatch {
			return entryError("the entries of one call are longer than 1 GiB")
		}
	}
	if tail.Size != seq || tail.Last != prev {
		return entryError("the tail is not that of the entries")
	}
	return nil
}

type entryError string

func (e entryError) Error() string { return "filestore: " + string(e) + ": nothing was recorded" }

// newSegment begins a segment at the end of the log.
func (s *Store) newSegment() error {
	n := uint64(len(s.segments)) + 1
	path := s.segmentPath(n)
	f, err := s.files.create(path)
	if err != nil {
		// One that was begun and failed is taken over.
		if f, err = s.files.open(path, true); err != nil {
			return fileError(path, "making a segment", err)
		}
		size, err := f.Size()
		if err == nil && size > segmentHead {
			f.Close()
			return damaged(path, -1, 0, "a file has the name of the next segment")
		}
		if err == nil {
			err = f.Truncate(0)
		}
		if err != nil {
			f.Close()
			return fileError(path, "cutting", err)
		}
	}
	seg := &segment{path: path, file: f, index: n, first: s.tail.Size + 1, prev: s.tail.Last}
	if err := s.writeHeader(seg); err != nil {
		f.Close()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = append(s.segments, seg)
	return nil
}

// writeHeader makes the header and the name of a segment durable.
func (s *Store) writeHeader(seg *segment) error {
	h := header{s.head.mark.id, seg.index, seg.first, seg.prev}
	if _, err := seg.file.WriteAt(h.encode(), 0); err != nil {
		return fileError(seg.path, "writing", err)
	}
	if err := seg.file.Sync(); err != nil {
		return fileError(seg.path, "syncing", err)
	}
	seg.end = segmentHead
	return s.syncDir(seg.path)
}

func (s *Store) syncDir(path string) error {
	if err := s.files.syncDir(path); err != nil {
		return fileError(s.dir, "syncing the folder", err)
	}
	return nil
}

// mark writes HEAD durably.
func (s *Store) mark(closed bool) error {
	if err := s.head.set(mark{closed: closed, size: s.tail.Size, last: s.tail.Last}); err != nil {
		return err
	}
	s.calls = 0
	return nil
}

// Mark makes HEAD say durably how long the log is, so that a cut is noticed. Without
// it that happens when the log is closed, and after at most 256 calls of Append.
func (s *Store) Mark(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	if err := s.writable(); err != nil {
		return err
	}
	return s.mark(false)
}

// Exclusive implements ledger.Store.
func (s *Store) Exclusive() bool { return !s.readOnly }

// Close ends the use of the store. It waits for a call of Append that is under way.
func (s *Store) Close() error {
	s.turn <- struct{}{}
	defer s.give()
	if s.closed {
		return nil
	}
	var err error
	if !s.readOnly && s.broken == nil {
		err = s.mark(true)
	}
	s.release()
	return err
}

func (s *Store) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, seg := range s.segments {
		seg.file.Close()
	}
	if s.head.file != nil {
		s.head.file.Close()
	}
	if s.unlock != nil {
		s.unlock()
	}
}

// readFull reads b, or less at the end of the file.
func readFull(f io.ReaderAt, b []byte, at int64) (int, error) {
	n, err := f.ReadAt(b, at)
	if err == io.EOF {
		err = nil
	}
	return n, err
}
