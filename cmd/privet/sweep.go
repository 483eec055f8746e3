package main

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/sweep"
)

func newSweep(e *env) *cobra.Command {
	var f planFlags
	var due, overdue, all, strict bool
	var copies, report string
	var jobs int
	c := &cobra.Command{
		Use:   "sweep [in] [out]",
		Short: "Say of many records which copies should or must be deleted",
		Long: `Sweep reads records, one JSON object a line, plans each at one instant, and writes
one line for each copy that is due (a delete wish is reached) or overdue (it must be
gone), in the order of the input. It deletes nothing.

In and out are files; "-" or nothing is standard input and output. A file is written
whole or not at all. Memory does not depend on the length of the input.

` + recordHelp + `

A bad line is reported with its number, never with its content, and the others are
processed.

Exit status: 0 all processed, 1 some lines were bad, 2 could not start.`,
		Example: `  privet sweep --policy policy.yaml records.jsonl due.jsonl
  privet sweep --overdue --copies primary,backup --report sweep.html records.jsonl due.jsonl
  zcat records.jsonl.gz | privet sweep --at 2026-07-01T00:00:00Z | jq -r .id`,
		Args: inAndOut,
		RunE: func(c *cobra.Command, args []string) error {
			if jobs < 1 || jobs > 1024 {
				return mended("--jobs must be from 1 to 1024", "leave it out for one a processor")
			}
			kinds, err := copyKinds(copies)
			if err != nil {
				return err
			}
			at, err := f.instant(e)
			if err != nil {
				return err
			}
			bundle, guard, err := openPlanner(&f)
			if err != nil {
				return err
			}
			s := sweeping{env: e, bundle: bundle, guard: guard, at: at, want: wantFound(due, overdue, all), copies: kinds, report: report, strict: strict, jobs: jobs}
			return s.run(c.Context(), argument(args, 0), argument(args, 1))
		},
	}
	f.register(c)
	flags := c.Flags()
	flags.BoolVar(&due, "due", false, "write only the copies that are due")
	flags.BoolVar(&overdue, "overdue", false, "write only the copies that are overdue")
	flags.BoolVar(&all, "all", false, "write every copy, with its status")
	c.MarkFlagsMutuallyExclusive("due", "overdue", "all")
	flags.StringVar(&copies, "copies", "", "ask only for these `kinds` of copies, with commas between: primary, cache, replica, backup, log, derived, media; a record without copies has all of them (default: the copies of each record, or primary)")
	flags.StringVar(&report, "report", "", "write an HTML `file` for people: counts, rules, deadlines; nothing of a record")
	flags.BoolVar(&strict, "strict", false, "stop at the first bad line; the output file is then not written")
	flags.IntVarP(&jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many records are planned at once")
	return c
}

// wantFound says which copies are written: those that are due or overdue, one kind of
// them, or all.
func wantFound(due, overdue, all bool) func(retention.Status) bool {
	return func(s retention.Status) bool {
		return all || s == retention.Due && !overdue || s == retention.Overdue && !due
	}
}

// copyKinds reads a list of kinds of copies.
func copyKinds(list string) (kinds []retention.Copy, err error) {
	if list == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		k, err := retention.ParseCopy(strings.TrimSpace(name))
		if err != nil {
			return nil, mended("--copies names an unknown kind", "use primary, cache, replica, backup, log, derived and media")
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

// A sweeping is one run of `privet sweep`.
type sweeping struct {
	env    *env
	bundle *privacy.Bundle
	guard  *privacy.Guard
	at     time.Time
	want   func(retention.Status) bool
	copies []retention.Copy // nil = those of each record
	report string
	strict bool
	jobs   int
}

func (s *sweeping) run(ctx context.Context, from, to string) error {
	e := s.env
	if s.report == "-" && to == "-" {
		return mended("--report and the findings cannot both go to standard output", "name a file for one of them")
	}
	in, err := openInput(from, e)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := openOutput(to, e.stdout, in)
	if err != nil {
		return err
	}
	defer out.abandon()
	workers := make([]worker, s.jobs)
	for i := range workers {
		workers[i] = &sweeper{planner: planner{guard: s.guard}, sweeping: s}
	}
	run := stream{out: &fullLines{w: out}, maxLine: sweep.MaxLine, workers: workers, strict: s.strict}
	good, bad, elapsed, err := run.toFile(ctx, e, in, out, to)
	if err != nil {
		return err
	}
	sum := sweepSummary{Policy: s.bundle.Info(), Sources: s.bundle.Sources(), At: s.at, Records: good, BadLines: bad, Elapsed: elapsed}
	for _, w := range workers {
		sum.Tally.merge(&w.(*sweeper).tally)
	}
	return tell(e, &sum, s.report, bad)
}

// A sweeper is a worker that plans records and counts what came of them.
type sweeper struct {
	planner
	*sweeping
	tally sweepTally
}

// line appends a line for each copy that is wanted; none for most records.
func (s *sweeper) line(dst, line []byte) ([]byte, error) {
	if err := s.read(line); err != nil {
		return dst, lineProblem(line, err)
	}
	plan, err := s.plan(s.at, false)
	if err != nil {
		return dst, lineProblem(line, err)
	}
	r, begin := &s.record, len(dst)
	s.tally.Status[plan.Status]++
	copies := r.Copies
	switch {
	case len(copies) == 0 && s.copies == nil:
		copies = onlyPrimary
	case len(copies) == 0:
		copies = s.copies
	}
	for _, c := range copies {
		if _, gone := r.Removed[c]; gone || s.copies != nil && !slices.Contains(s.copies, c) {
			continue
		}
		f := sweep.Finding{Record: r, Window: plan.Window(c), Plan: plan}
		s.tally.add(&f)
		if s.want(f.Status) {
			if len(dst) > begin {
				dst = append(dst, '\n')
			}
			dst = f.AppendJSON(dst)
		}
	}
	return dst, nil
}

var onlyPrimary = []retention.Copy{retention.Primary}

// lineProblem says why a record is bad, and at which byte of its line.
func lineProblem(line []byte, err error) error {
	p, at := recordProblem(line, err)
	return &lineError{problem: p.text, offset: at, mend: p.mend}
}

// fullLines leaves out empty lines, which stand for records without a finding.
type fullLines struct {
	w      io.Writer
	inside bool // of a line
	kept   []byte
}

func (f *fullLines) Write(b []byte) (int, error) {
	f.kept = f.kept[:0]
	for rest := b; len(rest) > 0; {
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			n = len(rest)
		}
		if n > 1 || rest[0] != '\n' || f.inside {
			f.kept = append(f.kept, rest[:n]...)
		}
		f.inside = rest[n-1] != '\n'
		rest = rest[n:]
	}
	if len(f.kept) > 0 {
		if _, err := f.w.Write(f.kept); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
