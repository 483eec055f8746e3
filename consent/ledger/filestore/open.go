package filestore

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/privetdev/privet/consent/ledger"
)

// An Option configures [Open], [OpenReader] and [OpenLedger]. The last of its kind wins.
type Option interface{ apply(*Store) }

type optionFunc func(*Store)

func (f optionFunc) apply(s *Store) { f(s) }

// WithSegmentSize sets at how many bytes a new segment is begun, 64 MiB without it. It
// is brought within 4 KiB and 2 GiB. A segment is longer if one call of Append is.
func WithSegmentSize(bytes int64) Option {
	return optionFunc(func(s *Store) { s.limit = min(max(bytes, 4<<10), 2<<30) })
}

func withFiles(f fileSystem) Option { return optionFunc(func(s *Store) { s.files = f }) }

// withID is the id that a new log gets, or an old one must have.
func withID(id logID) Option { return optionFunc(func(s *Store) { s.wantID = id }) }

const (
	lockName = "LOCK"
	tempName = ".new" // at the end of a file that is not whole yet
)

// Open opens the log in a folder for writing, and makes one if the folder has none.
// Everything in it is read and checked, about a million entries in a second if the disk
// is as fast as that. What a program that was killed left of a call that it had not
// acknowledged is removed; everything else that is wrong is a [FileError] that wraps
// [ErrDamaged] and says where. One program writes at a time: another gets [ErrLocked].
func Open(ctx context.Context, dir string, options ...Option) (*Store, error) {
	s := newStore(dir, options)
	if err := s.files.mkdir(dir); err != nil {
		return nil, fileError(dir, "making the folder", err)
	}
	path := filepath.Join(dir, lockName)
	unlock, err := s.files.tryLock(path)
	if errors.Is(err, errHeld) {
		return nil, &FileError{path, -1, 0, "another writer has the log open", "append through that one, or open a reader", ErrLocked}
	}
	if err != nil {
		return nil, fileError(path, "locking", err)
	}
	s.unlock = unlock
	if err := s.load(ctx); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// OpenReader opens the log in a folder for reading, whether or not it is being written
// at the same time, and changes nothing. It sees every call that was written as a
// whole, also those that are recorded later on. Appending is ledger.ErrReadOnly.
func OpenReader(ctx context.Context, dir string, options ...Option) (*Store, error) {
	s := newStore(dir, options)
	s.readOnly = true
	if err := s.load(ctx); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func newStore(dir string, options []Option) *Store {
	s := &Store{dir: dir, files: disk{}, limit: 64 << 20, ids: newTable(), handles: newTable(), turn: make(chan struct{}, 1)}
	for _, o := range options {
		o.apply(s)
	}
	s.head.path = filepath.Join(dir, headName)
	return s
}

// headMoved reports whether a writer has gone on since HEAD was read.
func (s *Store) headMoved() bool {
	h := head{path: s.head.path, file: s.head.file}
	_, err := h.read()
	return err == nil && h.mark.generation != s.head.mark.generation
}

// dropping is the handle of a drop that is under way at this moment.
func (s *Store) dropping() ledger.Handle {
	h := head{path: s.head.path, file: s.head.file}
	handle, err := h.read()
	if err != nil {
		return ledger.Handle{}
	}
	return handle
}

func (s *Store) segmentPath(index uint64) string { return filepath.Join(s.dir, segmentName(index)) }

// load reads the whole log.
func (s *Store) load(ctx context.Context) error {
	count, err := s.segmentCount()
	if err != nil {
		return err
	}
	s.head.file, err = s.files.open(s.head.path, !s.readOnly)
	if errors.Is(err, fs.ErrNotExist) && count > 0 {
		return damaged(s.head.path, -1, 0, "it is missing, and with it what says how long the log must be")
	}
	if errors.Is(err, fs.ErrNotExist) && !s.readOnly {
		err = s.create()
	}
	if err != nil {
		return fileError(s.head.path, "opening", err)
	}
	dropping, err := s.head.read()
	if err != nil {
		return err
	}
	if s.wantID != (logID{}) && s.head.mark.id != s.wantID {
		return &FileError{s.head.path, -1, 0, "the file of keys belongs to another log", "name the one that was made with this log", ErrFormat}
	}
	if s.readOnly {
		// What was begun since HEAD was read would seem to be missing in it.
		if count, err = s.segmentCount(); err != nil {
			return err
		}
	}
	scans, err := s.openSegments(count)
	if err != nil {
		return err
	}
	redo, err := s.merge(ctx, scans, count)
	if err != nil || s.readOnly {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	if len(redo) > 0 || dropping != (ledger.Handle{}) {
		if err := s.clearEntries(redo); err != nil {
			return err
		}
		if err := s.head.setDrop(ledger.Handle{}); err != nil {
			return err
		}
	}
	return s.head.set(mark{size: s.tail.Size, last: s.tail.Last})
}

// create makes the file HEAD of a new log.
func (s *Store) create() error {
	id := s.wantID
	for id == (logID{}) {
		rand.Read(id[:])
	}
	f, err := createWhole(s.files, s.head.path, newHead(id))
	s.head.file = f
	return err
}

// createWhole makes a file that is there with its content or not at all.
func createWhole(files fileSystem, path string, content []byte) (file, error) {
	temp := path + tempName
	if err := files.remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := files.create(temp)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = f.Sync()
	}
	// It is closed before it is renamed, which else does not work everywhere.
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = files.rename(temp, path)
	}
	if err == nil {
		err = files.syncDir(path)
	}
	if err != nil {
		return nil, err
	}
	return files.open(path, true)
}

// segmentCount counts the segments in the folder and reports a gap.
func (s *Store) segmentCount() (uint64, error) {
	names, err := s.files.list(s.dir)
	if err != nil {
		return 0, fileError(s.dir, "reading the folder", err)
	}
	there := map[string]bool{}
	count := uint64(0)
	for _, name := range names {
		if digits, ok := cutSuffix(name, ".segment"); ok {
			if n, err := strconv.ParseUint(digits, 10, 32); err == nil && n > 0 && segmentName(n) == name {
				there[name] = true
				count = max(count, n)
			}
		}
	}
	for n := uint64(1); n <= count; n++ {
		if !there[segmentName(n)] {
			return 0, damaged(s.segmentPath(n), -1, 0, "the segment is missing: there are later ones")
		}
	}
	return count, nil
}

func cutSuffix(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || s[len(s)-len(suffix):] != suffix {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// openSegments opens the segments and reads their headers. The last one may lack its
// header: then nothing was ever written to it.
func (s *Store) openSegments(count uint64) ([]*scan, error) {
	var scans []*scan
	for n := uint64(1); n <= count; n++ {
		seg, h, err := s.openSegment(n)
		if err != nil {
			return nil, err
		}
		size, err := seg.file.Size()
		if err != nil {
			return nil, fileError(seg.path, "asking for the size", err)
		}
		if h == nil {
			if n < count || size > segmentHead {
				return nil, damaged(seg.path, 0, 0, "its header was changed")
			}
			if s.readOnly { // a writer is making it
				seg.file.Close()
				s.segments = s.segments[:n-1]
			}
			break
		}
		if size > maxFile {
			return nil, damaged(seg.path, maxFile, 0, "the segment is longer than one can be")
		}
		seg.first, seg.prev = h.first, h.prev
		scans = append(scans, &scan{
			file: seg.file, from: segmentHead, limit: size, first: h.first, prev: h.prev,
			size: s.head.mark.size, dropping: s.dropping, tables: [2]*table{s.ids, s.handles}, buffer: 1 << 20,
		})
	}
	return scans, nil
}

// openSegment opens a segment and keeps it. Its header is nil if it is not whole.
func (s *Store) openSegment(n uint64) (*segment, *header, error) {
	path := s.segmentPath(n)
	f, err := s.files.open(path, !s.readOnly)
	if err != nil {
		return nil, nil, fileError(path, "opening", err)
	}
	b := make([]byte, segmentHead+1)
	got, err := readFull(f, b, 0)
	if err != nil {
		f.Close()
		return nil, nil, fileError(path, "reading", err)
	}
	h, ok := parseHeader(b[:got])
	switch {
	case !ok && got > segmentHead && later(b, segmentMagic): // else it may be torn
		err = &FileError{path, 0, 0, "was written by a later version", "use that one, or a newer", ErrFormat}
	case ok && h.id != s.head.mark.id:
		err = damaged(path, 0, 0, "the segment belongs to another log")
	case ok && h.index != n:
		err = damaged(path, 0, h.first, "it is segment "+strconv.FormatUint(h.index, 10)+" of the log: the files were swapped or renamed")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	seg := &segment{path: path, file: f, index: n, end: segmentHead}
	s.segments = append(s.segments, seg)
	if !ok {
		return seg, nil, nil
	}
	return seg, &h, nil
}

// merge scans the segments and puts together what they hold. It gives the entries that
// a drop must go over again.
func (s *Store) merge(ctx context.Context, scans []*scan, count uint64) (redo []uint64, err error) {
	acc := newAccumulator(ledger.Tail{})
	late := 0
	m := &s.head.mark
	err = ahead(ctx, scans, func(i int, f *found) error {
		seg := s.segments[i]
		if seg.first != acc.tail.Size+1 || seg.prev != acc.tail.Last {
			return damaged(seg.path, 0, seg.first, "the segment does not follow the one before: the chain is broken")
		}
		if f.problem != "" {
			if err := s.judge(f, seg, scans[i], seg.index == count); err != nil {
				return err
			}
		}
		seg.add(f)
		seg.before = slices.Grow(seg.before, len(f.offsets))
		late += f.late
		for k, hash := range f.hashes {
			seq := acc.tail.Size + 1
			if seq > maxEntries {
				return &FileError{seg.path, int64(f.offsets[k]), seq, "the log has more entries than can be", "", ErrFull}
			}
			acc.add(hash)
			if seq == m.size && hash != m.last {
				return damaged(s.head.path, -1, seq, "the entry that it names is another one: the log or HEAD was replaced")
			}
			s.index(seg, seq, f.ids[k], f.handles[k], f.bare[k])
		}
		for _, k := range f.redo {
			redo = append(redo, seg.first+uint64(k))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.tail = acc.end()
	path := s.dir
	if n := len(s.segments); n > 0 {
		path = s.segments[n-1].path
	}
	size := strconv.FormatUint(m.size, 10)
	older := !s.readOnly || !s.headMoved() // else it is no wonder that the log is longer
	switch {
	case s.tail.Size < m.size:
		return nil, damaged(path, -1, s.tail.Size+1, "the log was cut: "+size+" entries were recorded, and it ends before this one")
	case older && m.closed && s.tail.Size > m.size:
		return nil, damaged(s.head.path, -1, m.size+1, "it is older than the log, which was closed with "+size+" entries by what it says, and goes on")
	case older && late > markEvery+1:
		return nil, damaged(s.head.path, -1, m.size+1, "it is older than it can be: it knows of "+size+" entries, and more than "+strconv.Itoa(markEvery)+" calls followed")
	}
	return redo, nil
}

// judge says whether what a scan stumbled over may be a call that was torn while it was
// written. Else it is damage.
func (s *Store) judge(f *found, seg *segment, sc *scan, last bool) error {
	first := seg.first + uint64(len(f.offsets))
	if last && s.head.mark.size < first {
		later, err := laterCall(seg.file, f.offset, sc.limit, first)
		if err != nil {
			return fileError(seg.path, "reading", err)
		}
		if !later {
			return nil
		}
	}
	return damaged(seg.path, f.offset, f.seq, f.problem)
}

// begin makes the end of the log ready for writing: what is torn goes, and there is a
// segment.
func (s *Store) begin() error {
	n := len(s.segments)
	if n == 0 {
		return s.newSegment()
	}
	seg := s.segments[n-1]
	size, err := seg.file.Size()
	if err != nil {
		return fileError(seg.path, "asking for the size", err)
	}
	if seg.first == 0 { // without a header
		seg.first, seg.prev = s.tail.Size+1, s.tail.Last
		if err := seg.file.Truncate(0); err != nil {
			return fileError(seg.path, "cutting", err)
		}
		return s.writeHeader(seg)
	}
	if size > seg.end {
		if err := seg.file.Truncate(seg.end); err != nil {
			return fileError(seg.path, "cutting", err)
		}
	}
	// Whole calls that a killed program did not come to sync are kept, so they must be
	// durable before anything follows them. After a failed sync a system may take for
	// clean what it never wrote; writing the last call again makes it dirty.
	if err := s.rewriteLast(seg); err != nil {
		return err
	}
	if err := seg.file.Sync(); err != nil {
		return fileError(seg.path, "syncing", err)
	}
	return s.syncDir(seg.path)
}

// rewriteLast writes the bytes of the last call once more.
func (s *Store) rewriteLast(seg *segment) error {
	if len(seg.offsets) == 0 {
		return nil
	}
	last := len(seg.offsets) - 1
	b := make([]byte, recordHead)
	if _, err := readFull(seg.file, b, int64(seg.offsets[last])); err != nil {
		return fileError(seg.path, "reading", err)
	}
	index := int(be32(b[8:]))
	from := int64(seg.offsets[max(0, last-index)])
	buf := make([]byte, min(1<<20, seg.end-from))
	for from < seg.end {
		part := buf[:min(int64(len(buf)), seg.end-from)]
		if _, err := readFull(seg.file, part, from); err != nil {
			return fileError(seg.path, "reading", err)
		}
		if _, err := seg.file.WriteAt(part, from); err != nil {
			return fileError(seg.path, "writing", err)
		}
		from += int64(len(part))
	}
	return nil
}
