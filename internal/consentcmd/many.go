package consentcmd

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/privetdev/privet/consent/ledger"
)

const (
	// maxLine bounds a line of events, in bytes: the longest texts, written with
	// escapes.
	maxLine = 1 << 20
	// together is how many events share one write to disk.
	together = 1000
)

// A numbered event knows its line.
type numbered struct {
	number int
	event  ledger.Event
}

// A taking records the lines of a file.
type taking struct {
	env    *Env
	ledger *ledger.Ledger
	bar    *bar
	batch  []numbered
	done   int // events that are recorded
	bad    int
	faults []fault // of the lines since the last write
}

// A fault is what is wrong with a line.
type fault struct {
	number        int
	problem, mend string
}

// many records the events of a file.
func (f *recordFlags) many(ctx context.Context, e *Env) error {
	if _, err := backendOf(f.place.Ledger, e.SQL); err != nil {
		return err
	}
	known, err := f.learned(e.Now().UTC())
	if err != nil {
		return err
	}
	make, err := f.who.maker(ctx)
	if err != nil {
		return err
	}
	in, size := e.Stdin, int64(0)
	if f.jsonl != "-" {
		file, err := os.Open(f.jsonl)
		if err != nil {
			return errors.New("cannot read the events " + f.jsonl + ": " + fileProblem(err))
		}
		defer file.Close()
		in = file
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	l, err := e.open(ctx, f.place, Making)
	if err != nil {
		return err
	}
	defer l.Close()
	t := &taking{env: e, ledger: l, bar: newBar(e, "recording", true)}
	err = t.all(ctx, bufio.NewReaderSize(in, 64<<10), size, known, make)
	t.tell()
	t.bar.clear()
	if err != nil {
		e.say("%s: %s recorded before it went wrong; to record the same file again is safe", e.Program, plural(uint64(t.done), "event"))
		return err
	}
	head, err := l.Head(ctx)
	if err != nil {
		return err
	}
	e.say("%s now in the ledger, which has %s; bad lines: %s", plural(uint64(t.done), "event"), plural(head.Seq, "entry"), grouped(uint64(t.bad)))
	if t.bad > 0 {
		return ErrBad
	}
	return nil
}

func (t *taking) all(ctx context.Context, in *bufio.Reader, size int64, known time.Time, make Pseudonymise) error {
	read := int64(0)
	for number := 1; ; number++ {
		text, n, err := readLine(in)
		read += n
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.New("cannot read the events: " + fileProblem(err))
		}
		end := errors.Is(err, io.EOF)
		if n > maxLine {
			t.wrong(number, "longer than 1 MiB", "keep large proofs elsewhere, and record where")
		} else if text = bytes.TrimSpace(text); len(text) > 0 {
			if err := t.take(ctx, number, text, known, make); err != nil {
				return err
			}
		}
		if end {
			return t.flush(ctx)
		}
		t.bar.at(read, size)
	}
}

// readLine reads a line and says how long it is; what is beyond the bound is not
// kept.
func readLine(in *bufio.Reader) (text []byte, n int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		n += int64(len(part))
		if n <= maxLine {
			text = append(text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, n, err
		}
	}
}

func (t *taking) take(ctx context.Context, number int, text []byte, known time.Time, make Pseudonymise) error {
	ev, err := ParseEvent(text)
	if err != nil {
		t.wrong(number, err.Error(), LineMend)
		return nil
	}
	// A history that was exported says when things were learned of; else it is now.
	if ev.Known.IsZero() && ev.Kind != ledger.KindErased {
		ev.Known = known
	}
	for _, subject := range []*string{&ev.Subject, &ev.Merged} {
		if *subject == "" {
			continue
		}
		if *subject, err = make(ctx, *subject); err != nil {
			return err
		}
	}
	switch {
	case ev.Kind == ledger.KindMergedInto:
		return nil
	case ev.Kind == ledger.KindErased:
		// It counts from here on: what comes before it must be recorded before.
		if err := t.flush(ctx); err != nil {
			return err
		}
		return t.judge(number, Record(ctx, t.ledger, ev))
	}
	if t.batch = append(t.batch, numbered{number, ev}); len(t.batch) == together {
		return t.flush(ctx)
	}
	return nil
}

// flush records what was gathered; bad events are told and left out.
func (t *taking) flush(ctx context.Context) error {
	for len(t.batch) > 0 {
		events := make([]ledger.Event, len(t.batch))
		for i := range t.batch {
			events[i] = t.batch[i].event
		}
		_, err := t.ledger.Append(ctx, events...)
		var wrong *ledger.EventError
		switch {
		case err == nil:
			t.done += len(events)
			t.batch = t.batch[:0]
		case errors.As(err, &wrong):
			t.wrong(t.batch[wrong.Index].number, wrong.Part+": "+wrong.Problem, wrong.Mend)
			t.batch = append(t.batch[:wrong.Index], t.batch[wrong.Index+1:]...)
		case errors.Is(err, ledger.ErrErased):
			// It does not say whose event it was.
			for _, n := range t.batch {
				if err := t.judge(n.number, Record(ctx, t.ledger, n.event)); err != nil {
					return err
				}
			}
			t.batch = t.batch[:0]
		default:
			return err
		}
	}
	t.tell()
	return nil
}

// judge takes what came of one event: its own fault is told, others end the run.
func (t *taking) judge(number int, err error) error {
	var wrong *ledger.EventError
	switch {
	case err == nil:
		t.done++
	case errors.As(err, &wrong):
		t.wrong(number, wrong.Part+": "+wrong.Problem, wrong.Mend)
	case errors.Is(err, ledger.ErrErased):
		t.wrong(number, "the subject was erased", "who comes back is a new subject, with a pseudonym of their own")
	default:
		return err
	}
	return nil
}

func (t *taking) wrong(number int, problem, mend string) {
	t.bad++
	t.faults = append(t.faults, fault{number, problem, mend})
}

// tell tells of bad lines in their order.
func (t *taking) tell() {
	if len(t.faults) == 0 {
		return
	}
	t.bar.clear()
	slices.SortStableFunc(t.faults, func(a, b fault) int { return cmp.Compare(a.number, b.number) })
	for _, f := range t.faults {
		t.env.say("%s: line %s: %s; %s", t.env.Program, grouped(uint64(f.number)), f.problem, f.mend)
	}
	t.faults = t.faults[:0]
}
