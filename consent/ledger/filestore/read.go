package filestore

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"sort"

	"github.com/privetdev/privet/consent/ledger"
)

// Tail implements ledger.Reader.
func (s *Store) Tail(ctx context.Context) (ledger.Tail, error) {
	if err := s.fresh(ctx); err != nil {
		return ledger.Tail{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tail, nil
}

// fresh says why nothing can be read; a reader sees what was recorded meanwhile.
func (s *Store) fresh(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.readOnly {
		return s.refresh(ctx)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ledger.ErrClosed
	}
	return nil
}

// Entries implements ledger.Reader. It gives the entries that are there when the
// iteration begins.
func (s *Store) Entries(ctx context.Context, after uint64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		if err := s.fresh(ctx); err != nil {
			yield(ledger.Entry{}, err)
			return
		}
		s.mu.RLock()
		end, segments := s.tail.Size, s.segments
		s.mu.RUnlock()
		for i, seg := range segments {
			last := end
			if i+1 < len(segments) {
				last = min(end, segments[i+1].first-1)
			}
			if after >= last || seg.first > last { // nothing is in the last one at first
				continue
			}
			if !s.entries(ctx, seg, max(after+1, seg.first), last, yield) {
				return
			}
		}
	}
}

// entries gives those of one segment, and reports whether to go on.
func (s *Store) entries(ctx context.Context, seg *segment, seq, last uint64, yield func(ledger.Entry, error) bool) bool {
	s.mu.RLock()
	w := newWindow(seg.file, int64(seg.offsets[seq-seg.first]), seg.end, 1<<18)
	s.mu.RUnlock()
	for ; seq <= last; seq++ {
		if err := ctx.Err(); err != nil {
			return yield(ledger.Entry{}, err) && false
		}
		r, err := s.nextOf(w, seg, seq)
		if err != nil {
			return yield(ledger.Entry{}, err) && false
		}
		if !yield(r.entry(), nil) {
			return false
		}
		w.take(r.size())
	}
	return true
}

func (s *Store) nextOf(w *window, seg *segment, seq uint64) (record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return record{}, ledger.ErrClosed
	}
	r, problem, err := w.next()
	if err != nil {
		return record{}, fileError(seg.path, "reading", err)
	}
	return s.judged(r, seg, w.pos(), seq, problem, func() (record, string, error) {
		w.forget() // what was read ahead is from before
		return w.next()
	})
}

// judged gives a record that was read for a Seq, or says what is wrong with it. One that
// a writer is dropping counts as dropped.
func (s *Store) judged(r record, seg *segment, at int64, seq uint64, problem string, again func() (record, string, error)) (record, error) {
	switch {
	case problem != "":
	case r.envelope == nil:
		problem = "the entry is missing"
	case r.seq != seq:
		problem = "another entry is there"
	case r.fate() == changed:
		var half bool
		if r, half, problem = r.settled(s.dropping, again); half {
			clear(r.rest) // of our copy
		}
	}
	if problem != "" {
		return record{}, damaged(seg.path, at, seq, problem)
	}
	return r, nil
}

// Subject implements ledger.Reader. It gives the entries that are there when the
// iteration begins.
func (s *Store) Subject(ctx context.Context, handle ledger.Handle, after uint64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		if err := s.fresh(ctx); err != nil {
			yield(ledger.Entry{}, err)
			return
		}
		if handle == (ledger.Handle{}) {
			return
		}
		var buf []byte
		for _, seq := range s.withHash(handle, after) {
			if err := ctx.Err(); err != nil {
				yield(ledger.Entry{}, err)
				return
			}
			var r record
			var err error
			r, buf, err = s.read(uint64(seq), buf)
			if err != nil {
				yield(ledger.Entry{}, err)
				return
			}
			// Another handle may have the same hash, and this one may be dropped.
			if e := r.entry(); e.Handle == handle && !yield(e, nil) {
				return
			}
		}
	}
}

// withHash lists, in order, the entries after a Seq whose handle has the hash of this
// one.
func (s *Store) withHash(handle ledger.Handle, after uint64) []uint32 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var seqs []uint32
	last := uint32(0)
	s.handles.all(s.handles.hash(handle[:]), func(n uint32) bool {
		last = n
		return false
	})
	for uint64(last) > after {
		seqs = append(seqs, last)
		seg := s.of(uint64(last))
		last = seg.before[uint64(last)-seg.first]
	}
	slices.Reverse(seqs)
	return seqs
}

// of is the segment of an entry.
func (s *Store) of(seq uint64) *segment {
	return s.segments[sort.Search(len(s.segments), func(i int) bool { return s.segments[i].first > seq })-1]
}

// read reads one entry into buf, and gives the buffer back.
func (s *Store) read(seq uint64, buf []byte) (record, []byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return record{}, buf, ledger.ErrClosed
	}
	return s.readLocked(seq, buf)
}

func (s *Store) readLocked(seq uint64, buf []byte) (record, []byte, error) {
	seg := s.of(seq)
	i := seq - seg.first
	at, end := int64(seg.offsets[i]), seg.end
	if i+1 < uint64(len(seg.offsets)) {
		end = int64(seg.offsets[i+1])
	}
	if buf == nil || int64(cap(buf)) < end-at {
		buf = make([]byte, 0, end-at)
	}
	load := func() (record, string, error) {
		n, err := readFull(seg.file, buf[:end-at], at)
		if err != nil {
			return record{}, "", err
		}
		r, need, problem := parseRecord(buf[:n])
		if need > 0 {
			r = record{}
		}
		return r, problem, nil
	}
	r, problem, err := load()
	if err != nil {
		return record{}, buf, fileError(seg.path, "reading", err)
	}
	r, err = s.judged(r, seg, at, seq, problem, load)
	return r, buf, err
}

// Find implements ledger.Reader.
func (s *Store) Find(ctx context.Context, id string) (ledger.Entry, error) {
	if err := s.fresh(ctx); err != nil {
		return ledger.Entry{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ledger.Entry{}, ledger.ErrClosed
	}
	out, err := ledger.Entry{}, ledger.ErrNotFound
	s.ids.all(s.ids.hash([]byte(id)), func(n uint32) bool {
		r, _, problem := s.readLocked(uint64(n), nil)
		switch {
		case problem != nil:
			err = problem
		case string(r.id) == id:
			out, err = r.entry(), nil
		default:
			return true
		}
		return false
	})
	return out, err
}

// refresh takes up what a writer recorded since a reader looked last.
func (s *Store) refresh(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	if s.closed {
		return ledger.ErrClosed
	}
	for {
		next, err := s.grown(ctx)
		if err != nil || !next {
			return err
		}
	}
}

// grown looks at the end of the last segment, and reports whether another follows.
func (s *Store) grown(ctx context.Context) (bool, error) {
	if len(s.segments) == 0 {
		return s.appeared()
	}
	// A segment that follows was made when this one was done, so it is asked for first.
	next, err := s.appeared()
	if err != nil {
		return false, err
	}
	seg := s.segments[len(s.segments)-1]
	if next {
		seg = s.segments[len(s.segments)-2]
	}
	size, err := seg.file.Size()
	if err != nil {
		return false, fileError(seg.path, "asking for the size", err)
	}
	if size < seg.end {
		return false, damaged(seg.path, size, s.tail.Size, "the log was cut while it was being read")
	}
	if size == seg.end {
		return next, nil
	}
	if size > maxFile {
		return false, damaged(seg.path, maxFile, 0, "the segment is longer than one can be")
	}
	sc := &scan{file: seg.file, from: seg.end, limit: size, first: s.tail.Size + 1, prev: s.tail.Last, dropping: s.dropping, tables: [2]*table{s.ids, s.handles}, buffer: 1 << 16}
	f := sc.run(ctx)
	if f.err != nil {
		return false, f.err
	}
	if f.problem != "" {
		later, err := laterCall(seg.file, f.offset, size, s.tail.Size+1+uint64(len(f.offsets)))
		if err != nil {
			return false, fileError(seg.path, "reading", err)
		}
		if later || next {
			return false, damaged(seg.path, f.offset, f.seq, f.problem)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := newAccumulator(s.tail)
	seg.add(f)
	for k, hash := range f.hashes {
		if acc.tail.Size >= maxEntries {
			return false, ErrFull
		}
		acc.add(hash)
		s.index(seg, acc.tail.Size, f.ids[k], f.handles[k], f.bare[k])
	}
	s.tail = acc.end()
	return next, nil
}

// appeared opens the segment that follows, if a writer has begun one.
func (s *Store) appeared() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, h, err := s.openSegment(uint64(len(s.segments)) + 1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case h == nil: // it is just being made
		seg.file.Close()
		s.segments = s.segments[:len(s.segments)-1]
		return false, nil
	}
	seg.first, seg.prev = h.first, h.prev
	return true, nil
}
