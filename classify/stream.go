package classify

import (
	"io"
	"slices"
	"unsafe"

	"github.com/privetdev/privet/internal/plain"
	"github.com/privetdev/privet/internal/scan"
)

// ScanReader calls found for what the detectors find in a stream, in the order of
// places, which are byte offsets in the whole stream. These are the findings of
// [Scanner.Scan] in the whole text, whatever MaxValue is; only of more than 65,536
// findings that overlap one another in a chain some may come out otherwise.
//
// The memory that it takes does not depend on the length of the stream. A finding
// comes when what follows can change it no more, some 96 KiB later or at the end.
// ScanReader stops at the first error of found or r and returns it; what was found
// before an error of r is delivered.
func (s *Scanner) ScanReader(r io.Reader, found func(Finding) error) error {
	s.truncated, s.unknown = false, false
	s.begin(&Field{})
	s.fresh.clear()
	s.findings = s.findings[:0]
	s.nearby.forget()
	s.nextHunt()
	if s.stream == nil {
		s.stream = new(stream)
	}
	st := s.stream
	st.reset(r)
	s.origin = st
	defer func() {
		st.r = nil
		s.origin = nil
	}()
	for {
		err := st.fill()
		to := len(st.window) - ahead
		if st.ended {
			to = len(st.window)
		}
		if to > st.at {
			s.hunt(unsafe.String(unsafe.SliceData(st.window), len(st.window)), &s.fresh, st.at, to)
			st.at = to
		}
		if st.ended {
			if more := s.flush(-1, found); more != nil {
				return more
			}
			return err
		}
		next, _ := st.Original(st.at, st.at)
		if err := s.flush(next, found); err != nil {
			return err
		}
		if by := st.forget(); by > 0 {
			for i := range s.hunts {
				s.hunts[i].from -= by
				s.hunts[i].last -= by
				s.hunts[i].spare = min(s.hunts[i].spare+scan.Patience(by), scan.Patience(len(st.window)))
			}
			s.nearby.forget()
		}
	}
}

// Sizes of a stream's window.
const (
	blockSize = 32 << 10
	// A match that begins at a place is known when so much of what follows is.
	ahead = maxMatch + scan.Reach + nearBytes + 64
	// Of what stands before a place, context and edges see so much.
	behind = nearBytes + 64
	// maxPending bounds the findings that wait for what they may overlap.
	maxPending = 1 << 16
)

// flush delivers the findings that nothing from place next on can overlap any more;
// all, if next is negative.
func (s *Scanner) flush(next int, found func(Finding) error) error {
	slices.SortStableFunc(s.findings, byPlace)
	done := 0
	for done < len(s.findings) {
		// A chain of findings that overlap.
		end, n := s.findings[done].end, done+1
		for n < len(s.findings) && s.findings[n].start < end {
			end = max(end, s.findings[n].end)
			n++
		}
		if next >= 0 && end > next && n-done < maxPending {
			break
		}
		for _, f := range s.settle(s.findings[done:n]) {
			if err := found(s.finding(&f)); err != nil {
				return err
			}
		}
		done = n
	}
	s.findings = append(s.findings[:0], s.findings[done:]...)
	return nil
}

// A stream is a window of a text that comes in blocks, in its plain form.
type stream struct {
	r      io.Reader
	ended  bool
	raw    []byte  // read and not yet part of the window
	window []byte  // plain
	at     int     // where the next match may begin
	blocks []block // that the window is made of
	spare  []*plain.Text
}

// A block is a part of the window.
type block struct {
	start, end   int         // in the window; start is below 0 if the begin is forgotten
	origin, size int         // in the stream
	text         *plain.Text // nil if it is its own plain form
}

func (t *stream) reset(r io.Reader) {
	for _, b := range t.blocks {
		t.release(&b)
	}
	t.r, t.ended, t.at = r, false, 0
	t.raw, t.window, t.blocks = t.raw[:0], t.window[:0], t.blocks[:0]
}

func (t *stream) release(b *block) {
	if b.text != nil {
		t.spare = append(t.spare, b.text)
	}
}

// fill reads until a block of places can be searched.
func (t *stream) fill() error {
	var err error
	for !t.ended && len(t.window)-t.at < blockSize+ahead {
		n := len(t.raw)
		t.raw = slices.Grow(t.raw, blockSize)[:blockSize]
		var more int
		more, err = io.ReadFull(t.r, t.raw[n:])
		t.raw = t.raw[:n+more]
		if err != nil {
			t.ended = true
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = nil
			}
		}
		t.add()
	}
	return err
}

// add makes a block of what was read.
func (t *stream) add() {
	text := unsafe.String(unsafe.SliceData(t.raw), len(t.raw))
	if !t.ended {
		text = text[:plain.Cut(text)]
	}
	if text == "" {
		return
	}
	b := block{start: len(t.window)}
	if n := len(t.blocks); n > 0 {
		last := &t.blocks[n-1]
		b.origin = last.origin + last.size
	}
	b.size = len(text)
	form := text
	if !plain.Clean(text) {
		if n := len(t.spare); n > 0 {
			b.text, t.spare = t.spare[n-1], t.spare[:n-1]
		} else {
			b.text = new(plain.Text)
		}
		form = b.text.Read(text)
	}
	t.window = append(t.window, form...)
	b.end = len(t.window)
	t.blocks = append(t.blocks, b)
	t.raw = append(t.raw[:0], t.raw[len(text):]...)
}

// forget lets go of what lies far behind, and says how far the window moved.
func (t *stream) forget() int {
	by := t.at - behind
	if by <= 0 {
		return 0
	}
	t.window = append(t.window[:0], t.window[by:]...)
	t.at -= by
	keep := t.blocks[:0]
	for i := range t.blocks {
		b := t.blocks[i]
		b.start -= by
		b.end -= by
		// The last block is where the next one goes on.
		if b.end <= 0 && i < len(t.blocks)-1 {
			t.release(&b)
			continue
		}
		keep = append(keep, b)
	}
	t.blocks = keep
	return by
}

// Original implements origin.
func (t *stream) Original(start, end int) (int, int) {
	a := t.one(start, start+1, false)
	if end <= start {
		return a, a
	}
	return a, t.one(end-1, end, true)
}

// one is where a byte of the window begins or ends in the stream.
func (t *stream) one(start, end int, wantEnd bool) int {
	i := len(t.blocks) - 1
	for i > 0 && t.blocks[i].start > start {
		i--
	}
	if i < 0 {
		return 0
	}
	b := &t.blocks[i]
	if start >= b.end { // behind the window
		return b.origin + b.size
	}
	x, y := start-b.start, end-b.start
	if b.text != nil {
		x, y = b.text.Original(x, y)
	}
	if wantEnd {
		return b.origin + y
	}
	return b.origin + x
}
