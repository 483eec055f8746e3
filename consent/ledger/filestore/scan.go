package filestore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"runtime"

	"github.com/privetdev/privet/consent/ledger"
)

// A window reads a part of a file in order.
type window struct {
	file  io.ReaderAt
	buf   []byte
	start int   // of what was not taken yet, in buf
	at    int64 // in the file, of the end of buf
	limit int64 // where the part ends
}

func newWindow(f io.ReaderAt, from, limit int64, size int) *window {
	return &window{file: f, buf: make([]byte, 0, size), at: from, limit: limit}
}

// pos is the place in the file of what comes next.
func (w *window) pos() int64 { return w.at - int64(len(w.buf)-w.start) }

// peek returns the next n bytes, or fewer at the end of the part. They are good until
// the next call.
func (w *window) peek(n int) ([]byte, error) {
	if len(w.buf)-w.start < n && w.at < w.limit {
		left := copy(w.buf[:cap(w.buf)], w.buf[w.start:])
		if cap(w.buf) < n {
			w.buf = append(make([]byte, 0, n), w.buf[:left]...)
		}
		w.buf, w.start = w.buf[:left], 0
		more := min(int64(cap(w.buf)-left), w.limit-w.at)
		got, err := w.file.ReadAt(w.buf[left:left+int(more)], w.at)
		w.buf, w.at = w.buf[:left+got], w.at+int64(got)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if int64(got) < more {
			w.limit = w.at // the file was cut meanwhile
		}
	}
	return w.buf[w.start:min(len(w.buf), w.start+n)], nil
}

func (w *window) take(n int64) { w.start += int(n) }

// forget makes the next peek read again what was read ahead.
func (w *window) forget() {
	w.at = w.pos()
	w.buf, w.start = w.buf[:0], 0
}

// next parses the record that comes next, without taking it. No record and no problem
// is the end.
func (w *window) next() (r record, problem string, err error) {
	need := recordHead
	for {
		b, err := w.peek(need)
		if err != nil {
			return record{}, "", err
		}
		if len(b) == 0 {
			return record{}, "", nil
		}
		r, more, problem := parseRecord(b)
		if more == 0 {
			return r, problem, nil
		}
		if len(b) < need {
			return record{}, "the record is cut off", nil
		}
		need = more
	}
}

// A found is what a scan of a segment, or of the rest of one, gives.
type found struct {
	offsets []uint32
	hashes  []ledger.Hash
	ids     []uint32 // hashes for the tables
	handles []uint32 // those of an entry without a handle are of the zero handle
	bare    []bool   // it has none
	end     int64    // of the last whole call
	late    int      // calls that end behind the size of the mark
	redo    []int    // entries that a drop must go over again

	problem string // why it ends there, if it is not the end of the part
	offset  int64  // of the problem
	seq     uint64 // of the problem
	err     error  // of reading
}

// A scan looks at the records of one segment.
type scan struct {
	file     io.ReaderAt
	from     int64
	limit    int64
	first    uint64 // Seq of the first record
	prev     ledger.Hash
	size     uint64               // of the mark
	dropping func() ledger.Handle // of a drop that is under way, or was cut off
	tables   [2]*table            // ids and handles, for their hashes
	buffer   int
}

// run reads every record, checks it, and that it follows the one before.
func (s *scan) run(ctx context.Context) *found {
	w := newWindow(s.file, s.from, s.limit, s.buffer)
	out := &found{end: s.from, offset: s.from, seq: s.first}
	prev, seq, looked := s.prev, s.first, 0
	leaf := make([]byte, 1, 1024)
	left := uint32(0) // records of this call that follow
	index := uint32(0)
	dropping := s.dropping()
	for {
		if looked++; looked%1024 == 0 {
			if out.err = ctx.Err(); out.err != nil {
				return out
			}
		}
		at := w.pos()
		r, problem, err := w.next()
		switch {
		case err != nil:
			out.err = err
			return out
		case problem != "":
		case r.envelope == nil && index == 0:
			return out // the end
		case r.envelope == nil:
			problem = "the last call was not written to its end"
		case r.seq != seq:
			problem = "another entry is there"
		case !bytes.Equal(r.prev, prev[:]):
			problem = "it does not follow the entry before: the chain is broken"
		case r.index != index || index > 0 && r.after != left-1:
			problem = "it is no part of the call that it stands in"
		}
		if problem == "" {
			var redo bool
			if r, redo, problem = s.settle(w, r, dropping); redo {
				out.redo = append(out.redo, len(out.offsets))
			}
		}
		if problem != "" {
			whole := int(seq-s.first) - int(index)
			out.cut(whole)
			out.problem, out.offset, out.seq = problem, at, seq
			return out
		}
		leaf = append(leaf[:1], r.envelope...)
		prev = sha256.Sum256(leaf)
		out.offsets = append(out.offsets, uint32(at))
		out.hashes = append(out.hashes, prev)
		out.ids = append(out.ids, s.tables[0].hash(r.id))
		out.handles = append(out.handles, s.tables[1].hash(r.rest[:handleSize]))
		out.bare = append(out.bare, zero(r.rest[:handleSize]))
		w.take(r.size())
		seq++
		index++
		if left = r.after; left == 0 {
			index = 0
			out.end = w.pos()
			if seq-1 > s.size {
				out.late++
			}
		}
	}
}

// settle looks at what is behind the envelope, and reports whether a drop that is under
// way is about it.
func (s *scan) settle(w *window, r record, dropping ledger.Handle) (_ record, redo bool, problem string) {
	if r.fate() == live {
		return r, r.handle() == dropping, ""
	}
	return r.settled(s.dropping, func() (record, string, error) {
		w.forget()
		return w.next()
	})
}

// settled says whether a record that was changed behind its envelope is being dropped. A
// writer notes in HEAD what it drops before it overwrites anything, and until all of it
// is overwritten. So who finds a record changed, and then does not find it in HEAD, finds
// it whole when he reads it again, or it is damaged.
func (r record) settled(dropping func() ledger.Handle, again func() (record, string, error)) (_ record, half bool, problem string) {
	seq := r.seq
	for range 8 { // HEAD may be seen half-way, too
		if r.fate() != changed {
			return r, false, ""
		}
		if r.halfDropped(dropping()) {
			return r, true, ""
		}
		var err error
		if r, problem, err = again(); err != nil || problem != "" || r.seq != seq {
			return r, false, "the entry changes while it is read"
		}
	}
	return r, false, "the sealed part was changed: its checksum is another"
}

// cut forgets all records but the first n.
func (f *found) cut(n int) {
	f.offsets, f.hashes, f.ids, f.handles, f.bare = f.offsets[:n], f.hashes[:n], f.ids[:n], f.handles[:n], f.bare[:n]
	for len(f.redo) > 0 && f.redo[len(f.redo)-1] >= n {
		f.redo = f.redo[:len(f.redo)-1]
	}
}

// laterCall reports whether a record of a later call than the one that begins with
// first lies behind from. A call is only written when the one before is durable, so
// then what lies before was not torn, but damaged.
func laterCall(f io.ReaderAt, from, limit int64, first uint64) (bool, error) {
	w := newWindow(f, from, limit, 1<<20)
	magic := []byte(envelopeMagic)
	for {
		b, err := w.peek(1 << 16)
		if err != nil || len(b) < recordSize {
			return false, err
		}
		i := bytes.Index(b[recordHead:], magic)
		if i < 0 {
			w.take(int64(max(1, len(b)-recordHead-len(magic))))
			continue
		}
		w.take(int64(i))
		if r, problem, err := w.next(); err != nil {
			return false, err
		} else if problem == "" && r.envelope != nil && r.first() > first {
			return true, nil
		}
		w.take(1)
	}
}

// ahead does many scans, as many at once as there are processors, and gives the
// results in order.
func ahead(ctx context.Context, scans []*scan, use func(i int, f *found) error) error {
	ctx, cancel := context.WithCancel(ctx)
	results := make([]chan *found, len(scans))
	for i := range results {
		results[i] = make(chan *found, 1)
	}
	room := make(chan struct{}, runtime.GOMAXPROCS(0)+1) // bounds the results that wait
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i, s := range scans {
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			go func() { results[i] <- s.run(ctx) }()
		}
	}()
	// A scan that still reads must not outlive the files.
	started := 0
	defer func() {
		cancel()
		<-done
		for i := started; i < len(scans) && len(room) > 0; i++ {
			<-results[i]
			<-room
		}
	}()
	for i := range scans {
		var f *found
		select {
		case f = <-results[i]:
		case <-ctx.Done():
			return ctx.Err()
		}
		<-room
		started++
		if f.err != nil {
			return f.err
		}
		if err := use(i, f); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// An accumulator works out a [ledger.Tail] without making a new one for each entry.
type accumulator struct{ tail ledger.Tail }

func newAccumulator(t ledger.Tail) *accumulator {
	peaks := append(make([]ledger.Hash, 0, 64), t.Peaks...)
	return &accumulator{ledger.Tail{Size: t.Size, Last: t.Last, Peaks: peaks}}
}

func (a *accumulator) add(h ledger.Hash) {
	a.tail.Size++
	a.tail.Last = h
	var node [1 + 2*len(h)]byte
	node[0] = 1
	for n := a.tail.Size; n&1 == 0; n >>= 1 {
		last := len(a.tail.Peaks) - 1
		copy(node[1:], a.tail.Peaks[last][:])
		copy(node[1+len(h):], h[:])
		h = sha256.Sum256(node[:])
		a.tail.Peaks = a.tail.Peaks[:last]
	}
	a.tail.Peaks = append(a.tail.Peaks, h)
}

// end is a copy of the tail.
func (a *accumulator) end() ledger.Tail {
	t := a.tail
	t.Peaks = append([]ledger.Hash(nil), t.Peaks...)
	return t
}
