package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/privacy/risk"
)

// A riskFlags is what the flags of `privet risk` say.
type riskFlags struct {
	quasi, sensitive    []string
	k                   int
	l, t                float64
	lGiven, tGiven      bool
	diversity, distance string
	hierarchies         []string
	search              bool
	suppress            int
	delimiter           string
	html, output        string
	maxLine             int
}

func newRisk(e *env) *cobra.Command {
	var f riskFlags
	c := &cobra.Command{
		Use:   "risk FILE",
		Short: "Check whether a table still singles people out, and find out how far to generalise it",
		Long: `Risk reads a table (CSV with a header; "-" is standard input) and puts rows into one
class that are equal in all quasi-identifiers: the columns that somebody outside may
know about a person. Each class must have --k rows at least; with --sensitive it must
also have --l different values of that column (or exp(entropy), --diversity entropy),
and their distribution must not be farther than --t from that of the whole table.

With --search it looks for the generalisation with the least loss that meets all of
that: every value of a column goes to one level of its hierarchy, the loss is the mean
over the columns of level / height, and of several with the same loss the one is taken
whose classes are smallest (sum of squares). The answer is the least there is, not a
guess. A hierarchy is one of:

  column=FILE            a line for each value, from fine to coarse: Germany;Europe;*
  column=bands:5,10,20   whole numbers in bands, each a multiple of the one before
  column=prefix:3,1      the first characters, less on each level
  column=date            day, month, quarter, year, decade
  column=suppress        the value, or nothing

The last level of a rule is *, where nothing is left. A column without a hierarchy
stays as it is.

What is printed are counts, names of columns that you gave, and numbers of rows (from
1, without the header); no value of the table. Values are in --output only.

Exit status: 0 if the table meets the criteria, or with --search if a generalisation
does; 1 if not; 2 could not start.`,
		Example: `  privet risk people.csv --quasi age,sex,zip --k 5
  privet risk people.csv --quasi age,sex,zip --sensitive disease --l 2 --t 0.2 --html risk.html
  privet risk people.csv --quasi age,sex,zip --search --hierarchy age=bands:5,10,20 \
    --hierarchy zip=prefix:3,1 --hierarchy sex=suppress --output released.csv
  zcat people.csv.gz | privet risk - --quasi age,sex,zip`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return mended("which table?", `name a CSV file, or "-" for standard input`)
			case len(args) > 1:
				return mended("more than one table", "name one")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			f.lGiven, f.tGiven = c.Flags().Changed("l"), c.Flags().Changed("t")
			if err := f.check(args[0]); err != nil {
				return err
			}
			r := &assessing{riskFlags: f, env: e, begin: e.now()}
			return r.run(c.Context(), args[0])
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.quasi, "quasi", nil, "quasi-identifiers, `columns` between commas: what somebody outside may know")
	flags.IntVarP(&f.k, "k", "k", risk.DefaultK, "smallest class that is allowed, in `rows`")
	flags.StringSliceVar(&f.sensitive, "sensitive", nil, "sensitive `columns`, for --l and --t")
	flags.Float64VarP(&f.l, "l", "l", 2, "least diversity of a sensitive column in a class")
	flags.StringVar(&f.diversity, "diversity", "distinct", "`how` diversity is counted: distinct or entropy")
	flags.Float64VarP(&f.t, "t", "t", 0.2, "largest `distance` of a sensitive column's distribution in a class from the whole, 0 to 1")
	flags.StringVar(&f.distance, "distance", "equal", "`how` far values are from each other: equal, or ordered for numbers")
	flags.StringArrayVar(&f.hierarchies, "hierarchy", nil, "how a column may be generalised, `column=FILE` or column=RULE; once for each")
	flags.BoolVar(&f.search, "search", false, "find the generalisation with the least loss")
	flags.IntVar(&f.suppress, "suppress", 0, "how many `rows` a search may leave out")
	flags.StringVar(&f.delimiter, "delimiter", "", "`character` between fields, or tab (default: as the first line has it)")
	flags.StringVar(&f.html, "html", "", "write a picture of class sizes for people, an HTML `file`; nothing of a row")
	flags.StringVarP(&f.output, "output", "o", "", "write the generalised table that a search found, a CSV `file`")
	flags.IntVar(&f.maxLine, "max-line", 16<<20, "longest row in `bytes`")
	_ = c.RegisterFlagCompletionFunc("diversity", cobra.FixedCompletions([]string{"distinct", "entropy"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("distance", cobra.FixedCompletions([]string{"equal", "ordered"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// check refuses flags that contradict each other, before anything is opened.
func (f *riskFlags) check(path string) error {
	comma, size := utf8.DecodeRuneInString(f.delimiter)
	switch {
	case len(f.quasi) == 0:
		return mended("which columns are quasi-identifiers?", "name them: --quasi age,sex,zip")
	case f.k < 1:
		return mended("--k must be 1 or more", "5 is a usual choice")
	case (f.lGiven || f.tGiven) && len(f.sensitive) == 0:
		return mended("--l and --t are about a sensitive column", "name it: --sensitive disease")
	case len(f.sensitive) > 0 && !f.lGiven && !f.tGiven:
		return mended("--sensitive without a bound", "say how diverse it must be, --l 2, or how close to the whole, --t 0.2")
	case f.diversity != "distinct" && f.diversity != "entropy":
		return mended("--diversity has no such way", "one of: distinct, entropy")
	case f.lGiven && f.diversity == "distinct" && f.l != float64(int(f.l)):
		return mended("--l must be a whole number", "or count by --diversity entropy")
	case f.distance != "equal" && f.distance != "ordered":
		return mended("--distance has no such way", "one of: equal, ordered")
	case !f.search && (len(f.hierarchies) > 0 || f.suppress != 0 || f.output != ""):
		return mended("--hierarchy, --suppress and --output are for a search", "add --search, or leave them out")
	case f.suppress < 0:
		return mended("--suppress must not be negative", "leave it out to keep every row")
	case f.delimiter != "" && f.delimiter != "tab" && (size != len(f.delimiter) || comma == utf8.RuneError):
		return mended("--delimiter must be one character, or tab", "leave it out to go by the first line")
	case f.maxLine < 1 || f.maxLine > 1<<30:
		return mended("--max-line must be from 1 byte to 1,024 MiB", "leave it out for 16 MiB")
	case f.html == "-" || f.output == "-":
		if f.html == f.output {
			return mended("--html and --output cannot both go to standard output", "name a file for one of them")
		}
	}
	return nil
}

// An assessing is one run of `privet risk`.
type assessing struct {
	riskFlags
	env   *env
	begin time.Time
}

func (r *assessing) run(ctx context.Context, path string) error {
	hierarchies, err := r.openHierarchies()
	if err != nil {
		return err
	}
	table, err := r.read(ctx, path)
	if err != nil {
		return err
	}
	criteria := r.criteria()
	classes, err := table.Classes(r.quasi...)
	if err != nil {
		return named(path, err)
	}
	p := riskPage{Quasi: r.quasi, K: r.k}
	if err := p.add("as it is", classes, criteria); err != nil {
		return named(path, err)
	}
	holds := p.Tables[0].Holds()
	if r.search {
		found, err := table.Search(ctx, risk.Search{Quasi: r.quasi, Hierarchies: hierarchies, Criteria: criteria, Suppress: r.suppress})
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return named(path, err)
		}
		p.Search, holds = found, found.Found
		if found.Found {
			if err := r.apply(found, table, &p, criteria); err != nil {
				return err
			}
		}
	}
	p.Elapsed = r.env.now().Sub(r.begin)
	if r.html != "" {
		page, err := p.page()
		if err != nil {
			return err
		}
		if err := writeWhole(r.html, page, r.env.stdout); err != nil {
			return err
		}
	}
	to := r.env.stdout
	if r.html == "-" || r.output == "-" {
		to = r.env.stderr
	}
	p.print(to)
	if !holds {
		return &status{code: exitBad}
	}
	return nil
}

// apply carries a generalisation out: for the picture, and for --output.
func (r *assessing) apply(found *risk.Generalisation, table *risk.Table, p *riskPage, criteria []risk.Criterion) error {
	out := found.Apply()
	if r.output != "" {
		file, err := openOutput(r.output, r.env.stdout, nil)
		if err != nil {
			return err
		}
		defer file.abandon()
		if err := out.WriteCSV(file, r.comma(), found.Removed); err != nil {
			return &writeError{err}
		}
		if err := file.commit(); err != nil {
			return err
		}
	}
	names := slices.Concat(r.quasi, r.sensitive)
	rest, err := risk.FromRows(names, func(yield func([]string, error) bool) {
		values := make([]string, len(names))
		for row := 1; row <= out.Len(); row++ {
			if found.Removed(row) {
				continue
			}
			for i, name := range names {
				values[i] = out.Value(row, name)
			}
			if !yield(values, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	classes, err := rest.Classes(r.quasi...)
	if err != nil {
		return err
	}
	// The search compares distributions with the whole table. Where rows are left out,
	// the rest has another one, and measured by that the distances would be others.
	if found.Suppressed > 0 {
		criteria = slices.DeleteFunc(criteria, func(c risk.Criterion) bool { return strings.HasSuffix(c.Name(), "t-closeness") })
	}
	return p.add("generalised", classes, criteria)
}

// criteria are what the flags ask for, k-anonymity first.
func (r *assessing) criteria() []risk.Criterion {
	criteria := []risk.Criterion{risk.KAnonymity(r.k)}
	for _, name := range r.sensitive {
		switch {
		case r.lGiven && r.diversity == "entropy":
			criteria = append(criteria, risk.EntropyLDiversity(name, r.l))
		case r.lGiven:
			criteria = append(criteria, risk.DistinctLDiversity(name, int(r.l)))
		}
		switch {
		case r.tGiven && r.distance == "ordered":
			criteria = append(criteria, risk.OrderedDistanceTCloseness(name, r.t))
		case r.tGiven:
			criteria = append(criteria, risk.EqualDistanceTCloseness(name, r.t))
		}
	}
	return criteria
}

// comma is what separates fields, 0 to go by the first line.
func (r *assessing) comma() rune {
	if r.delimiter == "tab" {
		return '\t'
	}
	if r.delimiter == "" {
		return 0
	}
	comma, _ := utf8.DecodeRuneInString(r.delimiter)
	return comma
}

// named puts the name of a file before what a table says.
func named(path string, err error) error {
	if path == "-" {
		path = "standard input"
	}
	return fmt.Errorf("%s: %s", path, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "risk: "), "table: "))
}

// read reads the table: the named columns, or all of them if it is to be written.
func (r *assessing) read(ctx context.Context, path string) (*risk.Table, error) {
	var in io.Reader = r.env.stdin
	size := int64(0)
	if path != "-" {
		if err := regularFile("table", path, "name a file in it"); err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the table %s: %s", path, fileProblem(err))
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			size = info.Size()
		}
		in = file
	} else if r.env.typed {
		fmt.Fprintln(r.env.stderr, "privet: reading a table from the keyboard; end with Ctrl-D, or see --help")
	}
	bar := newProgress(r.env, size)
	defer bar.clear()
	buffered := bufio.NewReader(&watched{ctx: ctx, r: in, bar: bar})
	head, _ := buffered.Peek(16)
	for _, m := range magics {
		if strings.HasPrefix(string(head), m.magic) {
			mend := "export it as CSV"
			if strings.Contains(m.mend, "FILE |") {
				mend = strings.Replace(strings.Replace(m.mend, "FILE | privet …", "%s | privet risk - …", 1), "%s", map[bool]string{true: "FILE", false: path}[path == "-"], 1)
			}
			return nil, mended(named(path, fmt.Errorf("%s, and CSV is wanted", m.name)).Error(), mend)
		}
	}
	options := risk.CSV{Comma: r.comma(), MaxRecord: r.maxLine}
	if r.output == "" {
		options.Columns = slices.Concat(r.quasi, r.sensitive)
	}
	table, err := risk.ReadCSV(buffered, options)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, named(path, err)
	}
	return table, nil
}

// A watched reader shows how far it is, and stops when it is told to.
type watched struct {
	ctx context.Context
	r   io.Reader
	bar *progress
	n   int64
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	w.n += int64(n)
	w.bar.at(w.n)
	return n, err
}

// openHierarchies reads what --hierarchy says.
func (r *assessing) openHierarchies() (map[string]*risk.Hierarchy, error) {
	out := map[string]*risk.Hierarchy{}
	for _, given := range r.hierarchies {
		name, what, ok := strings.Cut(given, "=")
		switch {
		case !ok || name == "" || what == "":
			return nil, mended("--hierarchy without column and rule", "write --hierarchy age=bands:5,10 or --hierarchy country=FILE")
		case out[name] != nil:
			return nil, mended("--hierarchy: column "+strconv.Quote(name)+" has two", "leave one out")
		case !slices.Contains(r.quasi, name):
			return nil, mended("--hierarchy: column "+strconv.Quote(name)+" is no quasi-identifier", "name it in --quasi too, or leave the hierarchy out")
		}
		rule, _, colon := strings.Cut(what, ":")
		if colon && (rule == "bands" || rule == "prefix") || what == "date" || what == "suppress" {
			h, err := risk.ParseRule(what)
			if err != nil {
				return nil, fmt.Errorf("--hierarchy %s: %s", name, strings.TrimPrefix(err.Error(), "risk: "))
			}
			out[name] = h
			continue
		}
		if err := regularFile("hierarchy", what, "name a file in it, or a rule: bands:5,10, prefix:3,1, date or suppress"); err != nil {
			return nil, err
		}
		file, err := os.Open(what)
		if err != nil {
			return nil, fmt.Errorf("cannot read the hierarchy %s: %s", what, fileProblem(err))
		}
		h, err := risk.ReadHierarchy(file, 0)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %s", what, strings.TrimPrefix(err.Error(), "risk: "))
		}
		out[name] = h
	}
	return out, nil
}
