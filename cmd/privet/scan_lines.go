package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/jsondoc"
)

// A finder is what one goroutine scans with, and counts what it found.
type finder struct {
	s        *scanning
	scanner  *classify.Scanner
	findings []classify.Finding
	offsets  classify.Offsets
	doc      jsondoc.Doc
	buf      []byte
	tokens   tokens
	tally    scanTally
}

func (s *scanning) newFinder() *finder {
	f := &finder{s: s, scanner: s.classifier.NewScanner()}
	f.scanner.MaxValue, f.scanner.NoContext = 0, s.noContext
	if s.thresholdGiven {
		f.scanner.Threshold = s.threshold
	}
	return f
}

// line answers about one JSON object.
func (f *finder) line(dst, line []byte) ([]byte, error) {
	d := &f.doc
	if err := d.Parse(string(line), jsondoc.Limits{}); err != nil {
		var fault *jsondoc.Error
		if errors.As(err, &fault) {
			return dst, &lineError{fault.Code.String(), fault.Offset, ""}
		}
		return dst, errInternal
	}
	const form = `write {"id":…,"text":…}`
	if d.Nodes[0].Kind != jsondoc.Object {
		return dst, &lineError{"a text comes in a JSON object", 0, form}
	}
	id, text := "null", int32(-1)
	for _, c := range d.Children(0) {
		switch n := &d.Nodes[c]; n.Key {
		case "id":
			switch n.Kind {
			case jsondoc.String:
				id = string(jsondoc.AppendString(nil, n.Text))
			case jsondoc.Number:
				id = n.Text
			case jsondoc.Null:
			default:
				return dst, &lineError{"id must be a text or a number", int(n.At), ""}
			}
		case "text":
			if n.Kind != jsondoc.String {
				return dst, &lineError{"text must be a text", int(n.At), `write "" for none`}
			}
			text = c
		default:
			return dst, &lineError{"an object has a key that is not known here", int(n.At), "the keys are: id text; to look at all values of an object: privet classify --json"}
		}
	}
	if text < 0 {
		return dst, &lineError{"there is no text", 0, form}
	}
	return f.answer(dst, id, d.Nodes[text].Text)
}

// answer appends what comes of one text. The id is JSON.
func (f *finder) answer(dst []byte, id, text string) ([]byte, error) {
	f.findings = f.scanner.Scan(f.findings[:0], text)
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	if f.s.redactor != nil {
		var err error
		if f.buf, err = f.redact(f.buf[:0], text); err != nil {
			return dst, err
		}
		w.Name("id")
		w.Raw(id)
		w.Name("text")
		w.String(string(f.buf))
	} else {
		if f.s.explainer != nil {
			f.explain(&w, text)
		}
		w.Name("findings")
		w.Open('[')
		for i := range f.findings {
			k := &f.findings[i]
			from, to := f.place(text, k.Start), f.place(text, k.End)
			w.Open('{')
			writeFinding(&w, k, from, to, nil)
			w.Close('}')
		}
		w.Close(']')
		w.Name("id")
		w.Raw(id)
	}
	w.Close('}')
	f.offsets = classify.Offsets{} // which holds on to the text
	f.tally.add(f.findings)
	return w.Buf, nil
}

// A textPlace is a place as each reader counts it.
type textPlace struct{ byte, rune, utf16 int }

func (f *finder) place(text string, at int) textPlace {
	runes, units := f.offsets.Of(text, at)
	return textPlace{at, runes, units}
}

// A filePlace is a place in a file.
type filePlace struct {
	textPlace
	file         string
	line, column int
}

// writeFinding writes the members of a finding; in a file from where says more of
// its begin.
func writeFinding(w *jsondoc.Writer, k *classify.Finding, from, to textPlace, where *filePlace) {
	count := func(name string, n int) {
		w.Name(name)
		w.Append(func(b []byte) []byte { return strconv.AppendInt(b, int64(n), 10) })
	}
	w.Name("category")
	w.String(k.Category)
	if where != nil {
		count("column", where.column)
	}
	w.Name("confidence")
	w.Append(func(b []byte) []byte { return strconv.AppendFloat(b, k.Confidence, 'f', -1, 64) })
	w.Name("detector")
	w.String(k.Detector)
	count("end", to.byte)
	count("end_rune", to.rune)
	count("end_utf16", to.utf16)
	if where != nil {
		w.Name("file")
		w.String(where.file)
		count("line", where.line)
	}
	count("start", from.byte)
	count("start_rune", from.rune)
	count("start_utf16", from.utf16)
}

// explain writes what became of every match: the candidates of an explanation, as
// `privet explain --json` has them.
func (f *finder) explain(w *jsondoc.Writer, text string) {
	x := f.s.explainer.Explain(classify.Field{Value: text})
	c := cursor{b: x.JSON()}
	c.object(func(key []byte) {
		from := c.i
		c.skip()
		if string(key) == "candidates" {
			w.Name("explain")
			w.Raw(string(c.b[from:c.i]))
		}
	})
	if x.MoreCandidates {
		w.Name("explain_more")
		w.Raw("true")
	}
}

// texts scans the lines of standard input as they are.
func (s *scanning) texts(ctx context.Context) error {
	in := &input{Reader: s.env.stdin, name: "standard input"}
	if file, ok := s.env.stdin.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			in.size = info.Size()
		}
	}
	if s.env.typed {
		fmt.Fprintln(s.env.stderr, "privet: reading from the keyboard, one text a line; end with Ctrl-D, or see --help")
	}
	bar := newProgress(s.env, in.size)
	bad := badLines{w: bar.over(s.env.stderr)}
	sum := scanSummary{noun: "line"}
	reader := newLineReader(in, nil, s.maxLine)
	lines := func(give func(*batch) bool) error {
		for {
			b, err := reader.next()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return &readError{err}
			}
			if !give(b) {
				return nil
			}
		}
	}
	work := func(_ context.Context, i int, b *batch) {
		defer close(b.done)
		s.finders[i].batch(b)
	}
	done := func(ctx context.Context, b *batch) error {
		select {
		case <-b.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for _, line := range b.bad {
			bad.add(line)
			if s.strict {
				return errStrict
			}
		}
		if len(b.out) > 0 {
			if _, err := s.env.stdout.Write(b.out); err != nil {
				return &writeError{err}
			}
		}
		sum.good += b.good
		sum.read += int64(len(b.text))
		bar.at(sum.read)
		reader.release(b)
		return nil
	}
	err := inOrder(ctx, s.jobs, lines, work, done)
	bad.flush()
	bar.clear()
	sum.bad = bad.total
	return s.end(&sum, err)
}

// batch answers about all lines of a batch. Nothing is trimmed but the line's end,
// so that offsets are those of the line.
func (f *finder) batch(b *batch) {
	most := f.s.maxLine
	if b.skip {
		b.bad = append(b.bad, badLine{b.first, tooLong(most)})
		return
	}
	number := b.first - 1
	for line := range strings.Lines(string(b.text)) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if len(line) > most {
			b.bad = append(b.bad, badLine{number, tooLong(most)})
			continue
		}
		out, err := safely(textLine{f, number, line}, b.out, nil)
		if err != nil {
			b.bad = append(b.bad, badLine{number, problemOf(err)})
			continue
		}
		b.out = append(out, '\n')
		b.good++
	}
}

// A textLine is a worker for one line of plain text.
type textLine struct {
	f      *finder
	number int
	text   string
}

func (t textLine) line(dst, _ []byte) ([]byte, error) {
	return t.f.answer(dst, strconv.Itoa(t.number), t.text)
}

// inOrder works on what source gives, several at once, and hands each to done in
// the order in which it came; done waits for the work in its own way. Source stops
// when give says false, work when its context ends. The first error ends the run, and
// nothing of it goes on once inOrder has returned.
func inOrder[T any](ctx context.Context, jobs int, source func(give func(T) bool) error, work func(context.Context, int, T), done func(context.Context, T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	todo, order := make(chan T, jobs), make(chan T, 2*jobs)
	var running sync.WaitGroup
	var sourceErr error
	running.Go(func() {
		defer close(order)
		defer close(todo)
		sourceErr = source(func(t T) bool {
			// First to who writes: whatever a worker may get, the writer knows of.
			for _, queue := range []chan T{order, todo} {
				select {
				case queue <- t:
				case <-ctx.Done():
					return false
				}
			}
			return true
		})
	})
	for i := range jobs {
		running.Go(func() {
			for t := range todo {
				work(ctx, i, t)
			}
		})
	}
	defer func() {
		cancel()
		for range order {
		}
		running.Wait()
	}()
	for t := range order {
		if err := done(ctx, t); err != nil {
			return err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return sourceErr
}

// A scanTally counts findings.
type scanTally struct {
	texts     int // texts with findings
	detectors counter
	labelled  int // replaced by a label, because their value has no pseudonym
	key       []byte
}

func (t *scanTally) add(findings []classify.Finding) {
	if len(findings) > 0 {
		t.texts++
	}
	for i := range findings {
		t.one(&findings[i])
	}
}

func (t *scanTally) one(k *classify.Finding) {
	t.key = append(t.key[:0], k.Detector...)
	t.detectors.add(t.key)
}

func (t *scanTally) merge(u *scanTally) {
	t.texts += u.texts
	t.labelled += u.labelled
	t.detectors.merge(&u.detectors)
}
