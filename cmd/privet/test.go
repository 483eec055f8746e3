package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/privacy/policy"
)

// testFlags are the flags of privet test.
type testFlags struct {
	coverMin float64
	covered  bool // --cover-min was given
	junit    string
	json     bool
	wasm     bool
	module   string
}

func newTest(e *env) *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run the tests that stand in rule files and policies, with coverage",
		Long: `Test runs the tests of rule files and policies: the true and false cases of rules
and detectors, and events with what is wanted of them. Rules without both kinds of
cases are named.

Coverage counts sub-conditions: the whole of each condition, and every operand of
&&, ||, ! and ?: in it. One is covered when the tests of its file have seen it true
and seen it false. Those that are not are listed with their place. Conditions of
rules, of the checks of detectors and of suppressions count; those of consent,
residency, transforms, retention and export do not.

With --wasm every test is put to the WebAssembly module as well, and an answer that
is not byte for byte that of this command fails: events are processed, the fields of
cases are labelled. The fields are put to the classifier module of the file as well,
the one that privet compile --target wasm makes of it.

Exit status: 0 all passed, 1 some failed, a file has no tests or coverage is too
low, 2 a file has faults or could not be read.`,
		Example: `  privet test policy.yaml
  privet test rules/*.yaml --cover-min 90 --junit results.xml
  privet test policy.yaml --wasm-module .build/privet.wasm
  privet test pack:windows-service-data`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return mended("which file?", "name a YAML file, or one of: pack:"+strings.Join(policy.Packs(), ", pack:"))
			}
			return nil
		},
		ValidArgsFunction: completePolicy,
		RunE: func(c *cobra.Command, args []string) error {
			f.covered = c.Flags().Changed("cover-min")
			f.wasm = f.wasm || f.module != ""
			return runTests(c.Context(), e, &f, args)
		},
	}
	flags := c.Flags()
	flags.Float64Var(&f.coverMin, "cover-min", 0, "fail below this coverage of all files together, in `percent`")
	flags.StringVar(&f.junit, "junit", "", "write the results as JUnit XML to a `file` or -")
	flags.BoolVar(&f.json, "json", false, "print the tally as one JSON object in place of text")
	flags.BoolVar(&f.wasm, "wasm", false, "compare every answer with that of the WebAssembly module")
	flags.StringVar(&f.module, "wasm-module", "", "the module's `file`, built with make wasm (default: what PRIVET_WASM names); implies --wasm")
	return c
}

// A tested is one file with what became of it.
type tested struct {
	name   string
	report *policy.Report // nil if err is set
	err    error          // why the file could not be tested
	wasm   []guestCase    // answers of the module, if it was asked
	guest  string         // why a module could not be asked
	fields int            // that its classifier module was asked about
}

// failed counts the tests that failed; a file without tests counts as one.
func (t *tested) failed() int {
	switch {
	case t.report == nil:
		return 0
	case len(t.report.Cases) == 0:
		return 1
	}
	return failedCases(t.report)
}

func failedCases(r *policy.Report) int {
	n := 0
	for i := range r.Cases {
		if len(r.Cases[i].Failures) > 0 {
			n++
		}
	}
	return n
}

// different counts the answers in which the module differs.
func (t *tested) different() int {
	n := 0
	for _, k := range t.wasm {
		if k.problem != "" {
			n++
		}
	}
	if t.guest != "" {
		n++
	}
	return n
}

func runTests(ctx context.Context, e *env, f *testFlags, args []string) error {
	if !(f.coverMin >= 0 && f.coverMin <= 100) {
		return mended("--cover-min is not a share", "write percent, from 0 to 100")
	}
	if f.json && f.junit == "-" {
		return mended("--json and --junit - both write to standard output", "name a file for one of them")
	}
	var g *guest
	if f.wasm {
		var err error
		if g, err = openGuest(ctx, f.module); err != nil {
			return err
		}
		defer g.close(ctx)
	}
	out := e.stdout
	if f.json || f.junit == "-" {
		out = io.Discard
	}
	run := testRun{flags: f}
	for _, name := range args {
		t := tested{name: name}
		if t.report, t.err = testPolicy(name); t.err == nil && g != nil {
			if t.wasm, t.guest = g.ask(ctx, t.report); t.guest == "" {
				t.fields, t.guest = askClassifier(ctx, t.report, t.wasm)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		run.files = append(run.files, t)
		if t.err == nil {
			printTested(out, &t)
		} else if len(args) > 1 {
			printUntested(e.stderr, name, t.err)
		}
	}
	run.total(out)
	if f.junit != "" {
		text, err := junit(&run)
		if err != nil {
			return err
		}
		if err := writeWhole(f.junit, text, e.stdout); err != nil {
			return err
		}
	}
	if f.json {
		j := json.NewEncoder(e.stdout)
		j.SetEscapeHTML(false) // conditions are full of &&
		if err := j.Encode(run.tally()); err != nil {
			return &writeError{err}
		}
	}
	switch {
	case len(args) == 1 && run.files[0].err != nil:
		return run.files[0].err
	case run.code() == exitDone:
		return nil
	}
	return &status{code: run.code()}
}

// A testRun is all files of one run.
type testRun struct {
	flags *testFlags
	files []tested
}

func (r *testRun) coverage() (both, all int) {
	for i := range r.files {
		if p := r.files[i].report; p != nil {
			b, a := celrules.Share(p.Coverage)
			both, all = both+b, all+a
		}
	}
	return both, all
}

// tooLow reports whether coverage is below what is asked for. Where nothing can be
// covered nothing was shown, so that is too low as well.
func (r *testRun) tooLow() bool {
	both, all := r.coverage()
	return r.flags.covered && (all == 0 || float64(both)*100 < r.flags.coverMin*float64(all))
}

// code is the exit status: the worst of all files.
func (r *testRun) code() int {
	code := exitDone
	if r.tooLow() {
		code = exitBad
	}
	for i := range r.files {
		switch t := &r.files[i]; {
		case t.err != nil:
			return exitStop
		case t.failed()+t.different() > 0:
			code = exitBad
		}
	}
	return code
}

// total says what all files come to together, and whether that is enough.
func (r *testRun) total(w io.Writer) {
	both, all := r.coverage()
	if len(r.files) > 1 {
		events, cases, bad, different := 0, 0, 0, 0
		for i := range r.files {
			t := &r.files[i]
			if t.report != nil {
				events, cases = events+t.report.Policies, cases+t.report.Rules
			}
			bad, different = bad+t.failed(), different+t.different()
		}
		fmt.Fprintf(w, "%s: %s and %s of rules, %s%s; coverage %s\n", plural(len(r.files), "file"), plural(events, "event"), plural(cases, "case"), failed(bad), differing(different), coverText(both, all))
	}
	if r.tooLow() {
		fmt.Fprintf(w, "coverage is below %s %%: %s\n", decimal(r.flags.coverMin), coverText(both, all))
	}
}

func differing(n int) string {
	if n == 0 {
		return ""
	}
	return ", " + plural(n, "answer") + " of the module differ"
}

// percent is a share in whole tenths, cut and not rounded: 100 means all.
func percent(both, all int) float64 {
	if all == 0 {
		return 0
	}
	return math.Floor(float64(both)*1000/float64(all)) / 10
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func coverText(both, all int) string {
	if all == 0 {
		return "none: there are no conditions to cover"
	}
	return fmt.Sprintf("%s %%: %s of %s seen both ways", decimal(percent(both, all)), group(both), plural(all, "sub-condition"))
}

func testPolicy(where string) (*policy.Report, error) {
	if name, ok := strings.CutPrefix(where, "pack:"); ok && slices.Contains(policy.Packs(), name) {
		return policy.TestPack(name)
	}
	if err := isSource(where); err != nil {
		return nil, err
	}
	return policy.TestFile(where)
}

// printUntested says why one file of several could not be tested.
func printUntested(w io.Writer, name string, err error) {
	var faults *policy.Error
	if errors.As(err, &faults) {
		fmt.Fprintf(w, "%s\nprivet: %s has %s; it was not tested\n", faults.Error(), name, plural(len(faults.Problems), "fault"))
		return
	}
	fmt.Fprintf(w, "privet: %v\n", err)
}

// printReport says how tests of a policy went.
func printReport(w io.Writer, name string, r *policy.Report) {
	printOutcome(w, name, r)
	if len(r.Untested) > 0 {
		fmt.Fprintf(w, "without a true and a false case: %s\n", strings.Join(r.Untested, ", "))
	}
}

func printOutcome(w io.Writer, name string, r *policy.Report) {
	for _, f := range r.Warnings {
		fmt.Fprintln(w, f.String())
	}
	for _, f := range r.Failures {
		fmt.Fprintln(w, f.String())
	}
	if r.Policies+r.Rules == 0 {
		fmt.Fprintln(w, name+": no tests; write some below tests: in the policy, or in a rule or detector")
	} else {
		fmt.Fprintf(w, "%s: %s and %s of rules, %s\n", name, plural(r.Policies, "event"), plural(r.Rules, "case"), failed(failedCases(r)))
	}
}

func failed(n int) string {
	if n == 0 {
		return "all passed"
	}
	return group(n) + " failed"
}

// printTested says how the tests of a file went, what they covered and what the
// module said.
func printTested(w io.Writer, t *tested) {
	r := t.report
	printOutcome(w, t.name, r)
	for i := range t.wasm {
		if k := &t.wasm[i]; k.problem != "" {
			c := &r.Cases[i]
			fmt.Fprintf(w, "%s: %s: %s\n", place(c.File, c.Line, c.Column), caseText(c), k.problem)
		}
	}
	switch {
	case t.guest != "":
		fmt.Fprintf(w, "%s: %s\n", t.name, t.guest)
	case t.wasm != nil && t.different() == 0:
		fmt.Fprintf(w, "%s: the module answers all %s alike, byte for byte\n", t.name, group(len(t.wasm)))
		if t.fields > 0 {
			fmt.Fprintf(w, "%s: its classifier module labels %s alike\n", t.name, plural(t.fields, "field"))
		}
	case t.wasm != nil:
		fmt.Fprintf(w, "%s: the module answers %s of %s differently\n", t.name, group(t.different()), group(len(t.wasm)))
	}
	if r.Defined > 0 {
		without := ""
		if len(r.Untested) > 0 {
			without = "; not " + strings.Join(r.Untested, ", ")
		}
		fmt.Fprintf(w, "%s: %s of %s rules and detectors have a true and a false case%s\n", t.name, group(r.Defined-len(r.Untested)), group(r.Defined), without)
	}
	both, all := celrules.Share(r.Coverage)
	if all > 0 {
		fmt.Fprintf(w, "%s: coverage %s\n", t.name, coverText(both, all))
	}
	for i := range r.Coverage {
		c := &r.Coverage[i]
		if c.Both() == len(c.Parts) {
			continue
		}
		fmt.Fprintf(w, "%s: %s %s: %s of %s seen both ways\n", place(c.File, c.Line, c.Column), c.Kind, c.ID, group(c.Both()), plural(len(c.Parts), "sub-condition"))
		for j := range c.Parts {
			if p := &c.Parts[j]; !p.Both() {
				fmt.Fprintf(w, "  %-11s %s: %s\n", lacks(p), strconv.Itoa(p.Line)+":"+strconv.Itoa(p.Column), shortened(p.Text))
			}
		}
	}
	if r.Unmeasured > 0 {
		fmt.Fprintf(w, "%s: %s of consent, residency, transforms, retention and export not measured\n", t.name, plural(r.Unmeasured, "condition"))
	}
}

// lacks says what of a part was not seen.
func lacks(p *celrules.Part) string {
	switch {
	case p.True:
		return "never false"
	case p.False:
		return "never true"
	}
	return "never seen"
}

// shortened keeps a long condition, such as a list of words, to two lines or so.
func shortened(s string) string {
	const most = 160
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func place(file string, line, column int) string {
	if line == 0 {
		return file
	}
	return file + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
}

// caseText names a test.
func caseText(c *policy.Case) string {
	if c.ID == "" {
		return "test " + strconv.Quote(c.Name)
	}
	return c.Kind + " " + c.ID + ": " + c.Name
}

// The tally of --json.
type (
	tallyJSON struct {
		Files    []fileJSON `json:"files"`
		Coverage coverJSON  `json:"coverage"`
		OK       bool       `json:"ok"`
	}
	fileJSON struct {
		Name       string          `json:"name"`
		Error      string          `json:"error,omitempty"`
		Events     int             `json:"events"`
		Cases      int             `json:"cases"`
		Failed     int             `json:"failed"`
		Failures   []failureJSON   `json:"failures"`
		Untested   []string        `json:"untested"`
		Coverage   coverJSON       `json:"coverage"`
		Conditions []conditionJSON `json:"conditions"`
		Unmeasured int             `json:"unmeasured"`
		Module     *moduleJSON     `json:"wasm,omitempty"`
	}
	failureJSON struct {
		Kind    string `json:"kind"`
		ID      string `json:"id,omitempty"`
		Name    string `json:"name"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Problem string `json:"problem"`
		Module  bool   `json:"wasm,omitempty"` // the module answers differently
	}
	coverJSON struct {
		Both    int     `json:"both"`
		All     int     `json:"all"`
		Percent float64 `json:"percent"`
	}
	conditionJSON struct {
		Kind    string     `json:"kind"`
		ID      string     `json:"id"`
		Line    int        `json:"line"`
		Column  int        `json:"column"`
		Both    int        `json:"both"`
		All     int        `json:"all"`
		Missing []partJSON `json:"missing"`
	}
	partJSON struct {
		Text   string `json:"text"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		True   bool   `json:"true"`
		False  bool   `json:"false"`
	}
	moduleJSON struct {
		Asked     int    `json:"asked"`
		Different int    `json:"different"`
		Problem   string `json:"problem,omitempty"`
	}
)

func (r *testRun) tally() tallyJSON {
	out := tallyJSON{Files: []fileJSON{}, OK: r.code() == exitDone}
	both, all := r.coverage()
	out.Coverage = coverJSON{both, all, percent(both, all)}
	for i := range r.files {
		out.Files = append(out.Files, r.files[i].tally())
	}
	return out
}

func (t *tested) tally() fileJSON {
	out := fileJSON{Name: t.name, Failures: []failureJSON{}, Untested: []string{}, Conditions: []conditionJSON{}}
	if t.err != nil {
		out.Error = untestedText(t.err)
		return out
	}
	r := t.report
	both, all := celrules.Share(r.Coverage)
	out.Events, out.Cases, out.Failed, out.Unmeasured = r.Policies, r.Rules, t.failed(), r.Unmeasured
	out.Coverage = coverJSON{both, all, percent(both, all)}
	out.Untested = append(out.Untested, r.Untested...)
	add := func(c *policy.Case, problem string, module bool) {
		out.Failures = append(out.Failures, failureJSON{c.Kind, c.ID, c.Name, c.Line, c.Column, problem, module})
	}
	for i := range r.Cases {
		for _, problem := range r.Cases[i].Failures {
			add(&r.Cases[i], problem, false)
		}
		if i < len(t.wasm) && t.wasm[i].problem != "" {
			add(&r.Cases[i], t.wasm[i].problem, true)
		}
	}
	if t.wasm != nil || t.guest != "" {
		out.Module = &moduleJSON{len(t.wasm), t.different(), t.guest}
	}
	for i := range r.Coverage {
		c := &r.Coverage[i]
		one := conditionJSON{Kind: c.Kind, ID: c.ID, Line: c.Line, Column: c.Column, Both: c.Both(), All: len(c.Parts), Missing: []partJSON{}}
		for _, p := range c.Parts {
			if !p.Both() {
				one.Missing = append(one.Missing, partJSON{p.Text, p.Line, p.Column, p.True, p.False})
			}
		}
		out.Conditions = append(out.Conditions, one)
	}
	return out
}

// untestedText is why a file could not be tested, without the lines of it that a
// person is shown.
func untestedText(err error) string {
	var faults *policy.Error
	if !errors.As(err, &faults) {
		return err.Error()
	}
	var lines []string
	for _, p := range faults.Problems {
		p.Snippet = ""
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// moduleFile is the module that --wasm-module names, or else the environment.
func moduleFile(flag string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv("PRIVET_WASM")
}
