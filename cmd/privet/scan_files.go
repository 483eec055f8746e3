package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/jsondoc"
)

// A scanFile is a file to scan, or something in a folder that is none.
type scanFile struct {
	path   string
	target string      // below the folder of redacted copies
	info   fs.FileInfo // as it was seen in its folder
	lines  chan []byte // what was found, in pieces of whole lines; closed at the end
	// Known when lines is closed.
	err     error
	skipped string // what it is, if it was left out as no text
	apart   string // what it is, if it is no file
}

// files scans files and folders.
func (s *scanning) files(ctx context.Context, args []string) error {
	roots, err := scanRoots(args)
	if err != nil {
		return err
	}
	var out *copies
	if s.redactor != nil {
		if out, err = openCopies(s.output, roots); err != nil {
			return err
		}
		defer out.close()
	}
	var read atomic.Int64
	bar := newProgress(s.env, totalSize(roots))
	messages := bar.over(s.env.stderr)
	sum := scanSummary{noun: "file"}
	work := func(ctx context.Context, i int, t *scanFile) {
		defer close(t.lines)
		if t.err == nil && t.apart == "" {
			s.finders[i].file(ctx, t, out, &read)
		}
	}
	// A worker may be busy with one file for long; the bar goes on.
	var tick <-chan time.Time
	if s.env.terminal {
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		tick = ticker.C
	}
	done := func(ctx context.Context, t *scanFile) error {
		for open := true; open; {
			var lines []byte
			select {
			case lines, open = <-t.lines:
				if _, err := s.env.stdout.Write(lines); len(lines) > 0 && err != nil {
					return &writeError{err}
				}
			case <-tick:
				bar.at(read.Load())
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case t.err != nil:
			sum.bad++
			var failed *writeError
			if errors.As(t.err, &failed) {
				return mended(failed.Error()+": "+shown(t.target), "is there room in the folder of --output?")
			}
			text := "privet: cannot read " + shown(t.path) + ": " + fileProblem(t.err) + "\n"
			if _, err := io.WriteString(messages, text); err != nil {
				return &writeError{err}
			}
			if s.strict {
				return errStrict
			}
		case t.skipped != "":
			sum.skipped.plus(t.skipped, 1)
		case t.apart != "":
			sum.apart.plus(t.apart, 1)
		default:
			sum.good++
		}
		bar.at(read.Load())
		return nil
	}
	err = inOrder(ctx, s.jobs, func(give func(*scanFile) bool) error { walkAll(roots, give); return nil }, work, done)
	bar.clear()
	sum.read = read.Load()
	return s.end(&sum, err)
}

// shown is a path for a message. Names of files may hold anything, also what makes
// a terminal do things.
func shown(path string) string {
	if utf8.ValidString(path) && strings.IndexFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return path
	}
	return strconv.Quote(path)
}

// A scanRoot is a file or folder that the user named.
type scanRoot struct {
	path     string // as it was named, without detours
	absolute string
}

// scanRoots are the arguments in the order of their paths, none twice and none
// inside another.
func scanRoots(args []string) ([]scanRoot, error) {
	var roots []scanRoot
	for _, a := range args {
		if a == "-" {
			return nil, mended("- is no file here", "to scan standard input name no file")
		}
		absolute, err := filepath.Abs(a)
		if err != nil {
			return nil, err
		}
		roots = append(roots, scanRoot{filepath.Clean(a), absolute})
	}
	slices.SortStableFunc(roots, func(a, b scanRoot) int { return strings.Compare(a.path, b.path) })
	var apart []scanRoot
	for _, r := range roots {
		if !slices.ContainsFunc(apart, func(o scanRoot) bool { return o.absolute == r.absolute }) &&
			!slices.ContainsFunc(roots, func(o scanRoot) bool { return o.absolute != r.absolute && below(o.absolute, r.absolute) }) {
			apart = append(apart, r)
		}
	}
	return apart, nil
}

// below reports whether path is folder or lies in it.
func below(folder, path string) bool {
	rest, err := filepath.Rel(folder, path)
	return err == nil && rest != ".." && !strings.HasPrefix(rest, ".."+string(filepath.Separator))
}

// totalSize is how many bytes there are to scan if only files were named, or 0.
func totalSize(roots []scanRoot) (n int64) {
	for _, r := range roots {
		info, err := os.Lstat(r.path)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		n += info.Size()
	}
	return n
}

var errLink = errors.New("a symbolic link, and links are not followed; name what it leads to")

var errSpecial = errors.New("neither a file nor a folder; give a stream to standard input: privet scan --text")

// walkAll gives all files, those of a folder in the order of their names.
func walkAll(roots []scanRoot, give func(*scanFile) bool) {
	for _, r := range roots {
		more := true
		send := func(path string, t *scanFile) error {
			t.path, t.lines = filepath.ToSlash(path), make(chan []byte, 4)
			t.target = filepath.Base(r.absolute)
			if inside, err := filepath.Rel(r.path, path); err == nil && inside != "." {
				t.target = filepath.Join(t.target, inside)
			}
			if more = give(t); !more {
				return fs.SkipAll
			}
			return nil
		}
		// Lstat for the root, and nothing is followed below it.
		_ = filepath.WalkDir(r.path, func(path string, d fs.DirEntry, err error) error {
			named := path == r.path
			switch {
			case err != nil:
				return send(path, &scanFile{err: err})
			case d.IsDir():
				return nil
			case d.Type()&fs.ModeSymlink != 0 && named:
				return send(path, &scanFile{err: errLink})
			case d.Type()&fs.ModeSymlink != 0:
				return send(path, &scanFile{apart: "symbolic link"})
			case !d.Type().IsRegular() && named:
				return send(path, &scanFile{err: errSpecial})
			case !d.Type().IsRegular():
				return send(path, &scanFile{apart: "device, pipe or socket"})
			}
			info, err := d.Info()
			return send(path, &scanFile{info: info, err: err})
		})
		if !more {
			return
		}
	}
}

// textHead is how much of a file tells whether it is text.
const textHead = 8 << 10

// noText says what a file is that is not text, by its first bytes; "" for text. Text
// that is not UTF-8 is text: most of it is ASCII all the same.
func noText(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.name
		}
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return "binary"
	}
	controls := 0
	for _, b := range head {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' && b != '\f' && b != '\v' && b != '\b' && b != 0x1b {
			controls++
		}
	}
	if 16*controls > len(head) {
		return "binary"
	}
	return ""
}

// chunk is how many bytes of output travel together.
const chunk = 32 << 10

var errChanged = errors.New("it was changed while it was read")

// file scans one file.
func (f *finder) file(ctx context.Context, t *scanFile, out *copies, read *atomic.Int64) {
	defer func() {
		if recover() != nil { // see safely
			t.err = errInternal
		}
	}()
	t.err = f.open(ctx, t, out, read)
}

func (f *finder) open(ctx context.Context, t *scanFile, out *copies, read *atomic.Int64) error {
	file, err := os.Open(filepath.FromSlash(t.path))
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !os.SameFile(info, t.info) {
		return errors.New("it was replaced while the folder was read")
	}
	head := make([]byte, textHead)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	if t.skipped = noText(head); t.skipped != "" {
		return nil
	}
	var into *copied
	if out != nil {
		if into, err = out.create(t.target, t.info.Mode().Perm()); err != nil {
			return &writeError{err}
		}
		defer into.abandon()
	}
	once := &metered{ctx: ctx, r: io.MultiReader(bytes.NewReader(head), file), read: read, hash: into != nil}
	again := newFollower(file, into)
	once.sum.SetSeed(again.sum.Seed())

	found, lines := 0, make([]byte, 0, chunk)
	flush := func() error {
		select {
		case t.lines <- lines:
			lines = make([]byte, 0, chunk)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err = f.scanner.ScanReader(once, func(k classify.Finding) error {
		found++
		f.tally.one(&k)
		if err := again.to(k.Start); err != nil {
			return err
		}
		if into != nil {
			value, err := again.take(k.End)
			if err != nil {
				return err
			}
			if f.buf, err = f.replace(f.buf[:0], &k, string(value)); err != nil {
				return err
			}
			return into.write(f.buf)
		}
		where := filePlace{again.place, t.path, again.line, again.column}
		if err := again.to(k.End); err != nil {
			return err
		}
		w := jsondoc.Writer{Buf: lines}
		w.Open('{')
		writeFinding(&w, &k, where.textPlace, again.place, &where)
		w.Close('}')
		if lines = append(w.Buf, '\n'); len(lines) > chunk-1024 {
			return flush()
		}
		return nil
	})
	if found > 0 {
		f.tally.texts++
	}
	if err == nil && into != nil {
		// Exactly what was scanned is copied: what came to the file since was not.
		if err = again.to(int(once.n)); err == nil {
			if once.sum.Sum64() != again.sum.Sum64() {
				err = errChanged
			} else if e := into.commit(); e != nil {
				err = &writeError{e}
			}
		}
	}
	if len(lines) > 0 {
		if e := flush(); err == nil {
			err = e
		}
	}
	return err
}

// A metered reader counts what is read and stops with its context.
type metered struct {
	ctx  context.Context
	r    io.Reader
	n    int64
	read *atomic.Int64
	hash bool
	sum  maphash.Hash
}

func (m *metered) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, context.Cause(m.ctx)
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	m.read.Add(int64(n))
	if m.hash {
		_, _ = m.sum.Write(p[:n])
	}
	return n, err
}

// A follower reads a file a second time, behind the scanner: to count lines and
// characters up to each finding, and to copy what lies between them. Findings are
// rare, and the file is at hand in the system's memory; keeping all text that a
// finding may still be reported in would take as much memory as the scanner has.
type follower struct {
	r            *bufio.Reader
	into         *copied // nil unless redacting
	place        textPlace
	line, column int
	sum          maphash.Hash
	value        []byte
}

func newFollower(file io.ReaderAt, into *copied) *follower {
	return &follower{r: bufio.NewReaderSize(io.NewSectionReader(file, 0, 1<<62), 64<<10), into: into, line: 1, column: 1}
}

// to goes to an offset.
func (w *follower) to(offset int) error {
	for w.place.byte < offset {
		b, err := w.next(offset)
		if err != nil {
			return err
		}
		if w.into != nil {
			if err := w.into.write(b); err != nil {
				return err
			}
		} else {
			w.count(b)
		}
		_, _ = w.r.Discard(len(b))
	}
	return nil
}

// take goes to an offset and gives the bytes on the way, which last until the next
// call.
func (w *follower) take(offset int) ([]byte, error) {
	w.value = w.value[:0]
	for w.place.byte < offset {
		b, err := w.next(offset)
		if err != nil {
			return nil, err
		}
		w.value = append(w.value, b...)
		_, _ = w.r.Discard(len(b))
	}
	return w.value, nil
}

// next is what follows, up to offset or as much as is at hand, and only whole
// characters unless offset ends one.
func (w *follower) next(offset int) ([]byte, error) {
	want := min(offset-w.place.byte, w.r.Size())
	b, err := w.r.Peek(want)
	switch {
	case len(b) == want:
	case errors.Is(err, io.EOF):
		return nil, errChanged
	default:
		return nil, err
	}
	if w.place.byte+len(b) < offset {
		for n := 1; n < utf8.UTFMax && n < len(b); n++ {
			if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					b = b[:len(b)-n]
				}
				break
			}
		}
	}
	w.place.byte += len(b)
	if w.into != nil {
		_, _ = w.sum.Write(b)
	}
	return b, nil
}

func (w *follower) count(b []byte) {
	var o classify.Offsets
	text := string(b)
	runes, units := o.Of(text, len(text))
	w.place.rune += runes
	w.place.utf16 += units
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		w.line += strings.Count(text, "\n")
		w.column = 1
		o = classify.Offsets{}
		runes, _ = o.Of(text[i+1:], len(text)-i-1)
	}
	w.column += runes
}
