package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/privetdev/privet/internal/consentcmd"
	"github.com/privetdev/privet/privacy"
)

// common are the flags of every command that decides about events.
type common struct {
	policy, at string
	ledger     consentcmd.Place
	scope      subjectScope
	keys       keysFlags
	maxLine    int
	pins       pins
}

func (f *common) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVarP(&f.policy, "policy", "p", defaultPolicy, "policy: a YAML `file`, a bundle from privet compile, or pack:NAME")
	f.registerLedger(flags)
	f.keys.register(flags)
	flags.StringVar(&f.at, "at", "", "`instant` for events without one, such as 2026-03-28T10:00:00Z (default: now)")
	flags.IntVar(&f.maxLine, "max-line", 4<<20, "longest line in `bytes`; a longer one is skipped and reported")
	f.pins.register(c)
	_ = c.RegisterFlagCompletionFunc("policy", completePolicy)
}

// registerLedger adds the flags of what people said.
func (f *common) registerLedger(flags *pflag.FlagSet) {
	flags.StringVar(&f.ledger.Ledger, "ledger", "", "history of consent: a `folder` that privet consent made, or a file with one JSON object a line (default: what events bring in consents)")
	f.ledger.RegisterKeys(flags)
	f.scope.register(flags)
}

// options are what the flags say of a guard, but for its policy.
func (f *common) options(ctx context.Context, e *env) ([]privacy.Option, error) {
	if f.maxLine < 1 || f.maxLine > privacy.MaxEvent {
		return nil, mended("--max-line must be from 1 byte to "+size(privacy.MaxEvent), "leave it out for 4 MiB")
	}
	at := e.now().UTC()
	if f.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, f.at); err != nil {
			return nil, mended("--at is not an instant", "write it as 2026-03-28T10:00:00Z")
		}
	}
	options, err := f.pins.options()
	if err != nil {
		return nil, err
	}
	// One instant for the whole run, so that its events are told alike.
	options = append(options, privacy.WithClock(func() time.Time { return at }))
	secrets, err := f.keys.open(ctx)
	if err != nil {
		return nil, err
	}
	if f.ledger.Ledger == "" && (f.ledger.Keys != "" || f.scope != "") {
		return nil, mended("--subject-keys and --subject-scope belong to a ledger", "name it with --ledger")
	}
	if f.ledger.Ledger != "" {
		opened, err := loadLedger(ctx, f.ledger, f.maxLine)
		if err != nil {
			return nil, err
		}
		var ledger privacy.Ledger = opened
		if f.scope != "" {
			if f.keys.file == "" {
				return nil, mended("--subject-scope wants secrets", "name the store that the ledger was recorded with: --keys secrets.privet")
			}
			make, err := f.scope.of(&f.keys, secrets)
			if err != nil {
				return nil, err
			}
			ledger = scopedLedger{opened, make}
		}
		options = append(options, privacy.WithLedger(ledger))
	}
	return append(options, privacy.WithSecrets(secrets)), nil
}

// guard opens the policy with everything that the flags name.
func (f *common) guard(ctx context.Context, e *env) (*privacy.Bundle, *privacy.Guard, error) {
	options, err := f.options(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	bundle, err := loadPolicy(f.policy)
	if err != nil {
		return nil, nil, err
	}
	guard, err := privacy.Open(bundle, options...)
	return bundle, guard, err
}

func newProcess(e *env) *cobra.Command {
	var f common
	var explain, strict bool
	var report string
	var jobs int
	c := &cobra.Command{
		Use:   "process [in] [out]",
		Short: "Read events, write the permitted copies with decisions and deadlines",
		Long: `Process reads events, one JSON object a line, decides about each by the policy, and
writes one result a line in the same order: the permitted copy of the fields, one
decision for each field with its reason, and when the copy must be gone.

In and out are files; "-" or nothing is standard input and output. A file is
written whole or not at all. Memory does not depend on the length of the input.

A bad line is reported with its number, never with its content, and the others
are processed.

Exit status: 0 all processed, 1 some lines were bad, 2 could not start.`,
		Example: `  # The policy that comes with Privet, results in a file, a page to look at:
  privet process events.jsonl results.jsonl --report report.html

  # Your own policy, in a pipe, stopping at the first bad line:
  zcat events.jsonl.gz | privet process --policy policy.yaml --strict | gzip > results.jsonl.gz

  # Pseudonyms that join across runs: keep this store, and its key elsewhere.
  export PRIVET_KEYS_KEY=$(openssl rand -base64 32)
  privet keys init secrets.privet contoso
  privet process --keys secrets.privet events.jsonl results.jsonl

  # Consent that people gave, from a ledger (privet consent --help), or as a file:
  privet process --ledger consent events.jsonl results.jsonl
  echo '{"subject":"jane@example.com","kind":"granted","purpose":"experience.performance","at":"2026-01-01T00:00:00Z"}' > ledger.jsonl
  privet process --ledger ledger.jsonl events.jsonl results.jsonl

  # Why each decision was made, in the results:
  privet process --explain events.jsonl | jq .trail`,
		Args: inAndOut,
		RunE: func(c *cobra.Command, args []string) error {
			if jobs < 1 || jobs > 1024 {
				return mended("--jobs must be from 1 to 1024", "leave it out for one a processor")
			}
			bundle, guard, err := f.guard(c.Context(), e)
			if err != nil {
				return err
			}
			p := processing{env: e, guard: guard, bundle: bundle, explain: explain, strict: strict, report: report, jobs: jobs, maxLine: f.maxLine, freshKeys: f.keys.file == ""}
			return p.run(c.Context(), argument(args, 0), argument(args, 1))
		},
	}
	f.register(c)
	flags := c.Flags()
	flags.BoolVar(&explain, "explain", false, "write into each result the trail of rules that led to it")
	flags.StringVar(&report, "report", "", "write an HTML `file` for people: counts, reasons, deadlines; nothing of an event")
	flags.BoolVar(&strict, "strict", false, "stop at the first bad line; the output file is then not written")
	flags.IntVarP(&jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many events are decided at once")
	return c
}

// inAndOut allows up to two files.
func inAndOut(_ *cobra.Command, args []string) error {
	if len(args) > 2 {
		return mended("more than an input and an output", "join inputs: cat a.jsonl b.jsonl | privet process - out.jsonl")
	}
	return nil
}

// argument is a file name; "-" when it is not given.
func argument(args []string, i int) string {
	if i < len(args) && args[i] != "" {
		return args[i]
	}
	return "-"
}

// A processing is one run of `privet process`.
type processing struct {
	env             *env
	guard           *privacy.Guard
	bundle          *privacy.Bundle
	explain, strict bool
	report          string
	jobs, maxLine   int
	freshKeys       bool
}

// A deciding worker decides about events and counts what came of them.
type deciding struct {
	ctx     context.Context
	guard   *privacy.Guard
	explain bool
	tally   tally
}

func (d *deciding) line(dst, line []byte) ([]byte, error) {
	out, err := d.guard.ProcessJSON(d.ctx, dst, line, d.explain)
	if err != nil {
		return dst, err
	}
	if !d.tally.add(out[len(dst):]) {
		return dst, errInternal
	}
	return out, nil
}

func (p *processing) run(ctx context.Context, from, to string) error {
	e := p.env
	if p.report == "-" && to == "-" {
		return mended("--report and the results cannot both go to standard output", "name a file for one of them")
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
	if p.freshKeys {
		fmt.Fprintln(e.stderr, "privet: no --keys: pseudonyms are made with fresh development keys and will not join across runs")
	}

	workers := make([]worker, p.jobs)
	for i := range workers {
		workers[i] = &deciding{ctx: ctx, guard: p.guard, explain: p.explain}
	}
	run := stream{out: out, maxLine: p.maxLine, workers: workers, strict: p.strict}
	good, bad, elapsed, err := run.toFile(ctx, e, in, out, to)
	if err != nil {
		return err
	}
	sum := summary{Policy: p.bundle.Info(), Sources: p.bundle.Sources(), Events: good, BadLines: bad, Elapsed: elapsed}
	for _, w := range workers {
		sum.Tally.merge(&w.(*deciding).tally)
	}
	return tell(e, &sum, p.report, bad)
}
