package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
)

// A scanFlags is what the flags of `privet scan` say.
type scanFlags struct {
	detectors, exclude, countries []string
	threshold                     float64
	thresholdGiven                bool
	noContext                     bool
	rules                         string
	pins                          pins

	text, explain bool
	redact        string
	keys          keysFlags
	tenant        string
	purpose       string
	output        string

	strict, quiet bool
	jobs, maxLine int
}

func newScan(e *env) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan [file or folder]...",
		Short: "Find personal data in texts and files, or take it out",
		Long: `Scan looks for personal data in text. Without files it reads one JSON object a line,
{"id":…,"text":…}, and writes one a line in the same order:

  {"findings":[{"category","confidence","detector","end","end_rune","end_utf16",
                "start","start_rune","start_utf16"}],"id":…}

An id is a text or a number and comes back as it was. With --text lines are plain
text and the id is the number of the line, from 1. Start and end are offsets in
the text, in bytes of UTF-8, in UTF-16 units and in characters; the end is the first
place behind. Findings do not overlap and stand in the order of places. A text
without any has "findings":[].

Files and folders are read as plain text whatever they hold, and every finding is a
line of its own: {"category","column","confidence","detector","end",…,"file","line",
"start",…}. Offsets count from the begin of the file, line and column from 1, the
column in characters. Folders are walked in the order of names; symbolic links are
not followed; what is no text is left out and counted. Files are scanned side by
side, and the output is in the order of paths with any number of jobs.

What was found is never in the output. With --redact it is replaced: by its type
([EMAIL_ADDRESS]), by asterisks (mask), or by a pseudonym that joins inside of
--tenant and --purpose. Then the output is {"id":…,"text":…}, or for files a copy of
each in --output.

A bad line is reported with its number, never with its content, and the others are
scanned. Findings do not change the exit status: 0 all scanned, 1 some lines were bad
or some files could not be read, 2 could not start.`,
		Example: `  echo '{"id":"1","text":"mail jane@example.com"}' | privet scan
  privet scan --text < app.log
  privet scan src config --detectors 'aws-*,github-token,private-key'
  privet scan exports --countries de,us --threshold 0.6 > findings.jsonl
  privet scan --explain < texts.jsonl              # why, and why not
  privet scan --redact < texts.jsonl               # mail [EMAIL_ADDRESS]
  privet scan logs --redact=pseudonym --keys keys --tenant contoso --purpose debug --output clean`,
		RunE: func(c *cobra.Command, args []string) error {
			f.thresholdGiven = c.Flags().Changed("threshold")
			for name, list := range map[string][]string{"detectors": f.detectors, "exclude": f.exclude, "countries": f.countries} {
				if c.Flags().Changed(name) && len(list) == 0 {
					return mended("--"+name+" is empty", "name some, or leave it out")
				}
			}
			if err := f.check(len(args) > 0); err != nil {
				return err
			}
			s, err := f.open(c, e)
			if err != nil {
				return err
			}
			switch {
			case len(args) > 0:
				return s.files(c.Context(), args)
			case f.text:
				return s.texts(c.Context())
			}
			return s.objects(c.Context())
		},
	}
	flags := c.Flags()
	flags.BoolVar(&f.text, "text", false, "lines are plain text; the id is the number of the line")
	flags.StringSliceVarP(&f.detectors, "detectors", "d", nil, "only these detectors, as `ids` between commas; an id may end in *, as in us-*")
	flags.StringSliceVarP(&f.exclude, "exclude", "x", nil, "not these detectors, as `ids` between commas; an id may end in *")
	flags.StringSliceVarP(&f.countries, "countries", "c", nil, "of the detectors that belong to a country only those of these, as `codes` such as de,us")
	flags.Float64VarP(&f.threshold, "threshold", "t", 0, "`confidence` from 0 to 1 below which nothing is reported (default: that of the rules, 0.4 for the built-in ones)")
	flags.BoolVar(&f.noContext, "no-context", false, "leave the words around a match out of account")
	flags.StringVarP(&f.rules, "rules", "r", "", "detectors of this rule `file`, bundle or pack:NAME (default: the built-in ones)")
	f.pins.register(c)
	flags.BoolVar(&f.explain, "explain", false, "add what became of every match: the steps of its confidence, or why it was refused")
	flags.StringVar(&f.redact, "redact", "", "replace what is found by its `type`, or say mask or pseudonym")
	flags.Lookup("redact").NoOptDefVal = redactType
	f.keys.register(flags)
	flags.StringVar(&f.tenant, "tenant", "", "`tenant` whose pseudonyms these are")
	flags.StringVar(&f.purpose, "purpose", "", "`purpose` that the pseudonyms join for")
	flags.StringVarP(&f.output, "output", "o", "", "`folder` for the redacted copies of files")
	flags.BoolVar(&f.strict, "strict", false, "stop at the first bad line, or the first file that cannot be read")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no summary")
	flags.IntVarP(&f.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many lines or files are scanned at once")
	flags.IntVar(&f.maxLine, "max-line", 4<<20, "longest line in `bytes`; a longer one is skipped and reported; files have no such limit")
	_ = c.RegisterFlagCompletionFunc("rules", completePolicy)
	_ = c.RegisterFlagCompletionFunc("redact", cobra.FixedCompletions([]string{redactType, redactMask, redactPseudonym}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("detectors", completeDetectors)
	_ = c.RegisterFlagCompletionFunc("exclude", completeDetectors)
	return c
}

// completeDetectors completes ids of built-in detectors, also behind a comma.
func completeDetectors(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	ids := classify.Builtin().Detectors()
	for i := range ids {
		ids[i] = before + ids[i]
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// check refuses flags that contradict each other, before anything is opened.
func (f *scanFlags) check(files bool) error {
	pseudonyms := f.redact == redactPseudonym
	switch {
	case f.jobs < 1 || f.jobs > 1024:
		return mended("--jobs must be from 1 to 1024", "leave it out for one a processor")
	case f.maxLine < 1 || f.maxLine > 1<<30:
		return mended("--max-line must be from 1 byte to 1,024 MiB", "leave it out for 4 MiB")
	case math.IsNaN(f.threshold) || f.threshold < 0 || f.threshold > 1:
		return mended("--threshold must be from 0 to 1", "leave it out for that of the rules")
	case f.redact != "" && f.redact != redactType && f.redact != redactMask && !pseudonyms:
		return mended("--redact has no such way to replace", "one of: "+strings.Join([]string{redactType, redactMask, redactPseudonym}, ", "))
	case pseudonyms && (f.tenant == "" || f.purpose == ""):
		return mended("pseudonyms need a scope", "name it with --tenant and --purpose: they join inside of it and nowhere else")
	case !pseudonyms && (f.tenant != "" || f.purpose != "" || f.keys != keysFlags{}):
		return mended("--tenant, --purpose and --keys are for pseudonyms", "add --redact=pseudonym, or leave them out")
	case f.explain && f.redact != "":
		return mended("--explain and --redact", "do one at a time: an explanation has the places of what the other takes out")
	case f.explain && files:
		return mended("--explain with files", "it explains lines: privet scan --text --explain < FILE")
	case f.text && files:
		return mended("--text with files", "files are scanned as text anyway, leave it out; or, line by line: privet scan --text < FILE")
	case files && f.redact != "" && f.output == "":
		return mended("where to? Files are never changed in place", "name a folder for the copies: --output clean")
	case f.output != "" && (!files || f.redact == ""):
		return mended("--output without files to redact", "it is the folder for the copies of: privet scan --redact FILE")
	}
	return nil
}

// A scanning is one run of `privet scan`.
type scanning struct {
	scanFlags
	env        *env
	classifier *classify.Classifier
	explainer  *classify.Classifier // nil unless explaining
	redactor   *redactor            // nil unless redacting
	finders    []*finder
	begin      time.Time
}

// open makes ready all that flags ask for, or says what is wrong with them.
func (f *scanFlags) open(c *cobra.Command, e *env) (*scanning, error) {
	s := &scanning{scanFlags: *f, env: e, begin: e.now()}
	cl, err := f.classification()
	if err != nil {
		return nil, err
	}
	if s.classifier, err = selected(cl, f); err != nil {
		return nil, err
	}
	if f.explain {
		// What an explanation goes by stands in the classification, so the flags go
		// there.
		told := *cl
		if f.thresholdGiven {
			told.Threshold = uint16(f.threshold*1000 + 0.5)
		}
		if f.noContext {
			told.Detectors = append([]bundle.Detector(nil), cl.Detectors...)
			for i := range told.Detectors {
				told.Detectors[i].Boost = 0
			}
		}
		if s.explainer, err = selected(&told, f); err != nil {
			return nil, err
		}
	}
	if f.redact != "" {
		if s.redactor, err = f.openRedactor(c.Context(), e); err != nil {
			return nil, err
		}
	}
	s.finders = make([]*finder, f.jobs)
	for i := range s.finders {
		s.finders[i] = s.newFinder()
	}
	return s, nil
}

// classification is what the detectors come from, without the rules, which say
// nothing about text.
func (f *scanFlags) classification() (*bundle.Classification, error) {
	data := classify.BuiltinBundle()
	switch {
	case f.rules != "":
		b, err := f.pins.load(f.rules)
		if err != nil {
			return nil, err
		}
		data = b.Bytes()
	case f.pins.given():
		return nil, mended("--public-key or --minimum without rules", "name them with --rules")
	}
	b, err := bundle.Decode(data)
	if err != nil {
		return nil, err
	}
	b.Classification.Rules = nil
	if len(b.Classification.Detectors) == 0 {
		return nil, mended("the rules have no detector, so nothing can be found", "write in them: extends: [builtin]")
	}
	return &b.Classification, nil
}

// objects scans the lines of standard input as JSON.
func (s *scanning) objects(ctx context.Context) error {
	in, err := openInput("-", s.env)
	if err != nil {
		if strings.Contains(err.Error(), wanted) {
			err = fmt.Errorf("%w; plain text is scanned with --text", err)
		}
		return err
	}
	defer in.Close()
	workers := make([]worker, len(s.finders))
	for i, f := range s.finders {
		workers[i] = f
	}
	bar := newProgress(s.env, in.size)
	bad := badLines{w: bar.over(s.env.stderr)}
	read := int64(0)
	run := stream{in: in, head: in.head, out: s.env.stdout, maxLine: s.maxLine, workers: workers, strict: s.strict, bad: bad.add,
		read: func(n int64) { read = n; bar.at(n) }}
	good, _, err := run.run(ctx)
	bad.flush()
	bar.clear()
	return s.end(&scanSummary{noun: "line", read: read, good: good, bad: bad.total}, err)
}

// end says how a run ended.
func (s *scanning) end(sum *scanSummary, err error) error {
	switch {
	case errors.Is(err, errStrict):
		return &status{exitBad, "stopped at the first bad " + sum.noun + ", because of --strict"}
	case err != nil:
		return err
	}
	sum.redact, sum.elapsed = s.redact, s.env.now().Sub(s.begin)
	for _, f := range s.finders {
		sum.tally.merge(&f.tally)
	}
	if !s.quiet {
		sum.print(s.env.stderr)
	}
	if sum.bad > 0 {
		return &status{code: exitBad}
	}
	return nil
}
