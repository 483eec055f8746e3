// Package record classifies whole records: JSON documents, Go values, slog
// attributes and the columns of CSV files. It walks through a record and asks a
// [classify.Classifier] about every value that it comes to, by its name, path and
// declared tags.
//
// # Evidence
//
// A declared tag outweighs the name, and what detectors find in the value is
// reported beside both; see package classify. In a table the name and a vote over
// the values decide about a column: a category that at least half of the values
// hold which are not empty counts for all. Where a tag or the name says one thing
// and the values say another, both are reported, and the [Conflict] too.
//
// A record that mixes data of several kinds is as exposed as the most exposed of
// it: Qualifier is that of ISO/IEC 19944-1, 8.3.
//
// # Paths and patterns
//
// A path leads from the record to a value: user.emails[0]. A key that a path could
// not hold as it is stands in brackets: a["b.c"]. A pattern of [Include] and
// [Exclude] is a path in which * stands for any one key, ** for any number of keys
// and indexes, and [] for any index; it is about the value there and all below it.
package record

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/jsondoc"
)

// Limits of a record. What is larger gives an error, never a part of the answer.
const (
	MaxDepth    = 100     // levels of objects, lists, structs and groups
	MaxFields   = 1 << 20 // values
	MaxDocument = 64 << 20
)

// The reasons why a record cannot be classified.
var (
	ErrDepth = errors.New("record: nested deeper than 100 levels; flatten it, or classify its parts")
	ErrLarge = errors.New("record: more than 1,048,576 values or 64 MiB; classify its parts")
	ErrJSON  = errors.New("record: not a JSON document")
)

// A JSONError says where a document stops being JSON. It wraps [ErrJSON].
type JSONError struct {
	Offset int    // in bytes
	Reason string // a fixed text
}

func (e *JSONError) Error() string {
	return ErrJSON.Error() + ": " + e.Reason + " (byte " + strconv.Itoa(e.Offset+1) + ")"
}

func (e *JSONError) Unwrap() error { return ErrJSON }

// A Reader classifies records. It is immutable and safe for concurrent use.
type Reader struct {
	c                *classify.Classifier
	include, exclude []pattern
	source           string
	context          map[string]string
	scanners         sync.Pool
}

// An Option configures [New].
type Option interface{ apply(*Reader) error }

type optionFunc func(*Reader) error

func (f optionFunc) apply(r *Reader) error { return f(r) }

// Include limits a Reader to values at or below places that one of the patterns
// describes.
func Include(patterns ...string) Option {
	return optionFunc(func(r *Reader) error { return parsePatterns(&r.include, patterns) })
}

// Exclude leaves out values at or below places that one of the patterns describes.
// It goes before Include.
func Exclude(patterns ...string) Option {
	return optionFunc(func(r *Reader) error { return parsePatterns(&r.exclude, patterns) })
}

// Source says where the records come from, such as a table or topic; rules see it
// as field.source.
func Source(name string) Option {
	return optionFunc(func(r *Reader) error { r.source = name; return nil })
}

// Context is what rules see as context.
func Context(context map[string]string) Option {
	return optionFunc(func(r *Reader) error { r.context = context; return nil })
}

// New makes a reader. The error is that of a pattern that cannot be read.
func New(c *classify.Classifier, options ...Option) (*Reader, error) {
	r := &Reader{c: c}
	for _, o := range options {
		if err := o.apply(r); err != nil {
			return nil, err
		}
	}
	r.scanners.New = func() any {
		s := c.NewScanner()
		s.MaxValue = 0
		return s
	}
	return r, nil
}

// A Report is what is known about the values of one record.
type Report struct {
	Fields    []Field // in the order of the record; keys of maps are sorted
	Conflicts []Conflict
	// Qualifier is the most exposed one of all labels, or "".
	Qualifier string
	// Exempt are the paths of struct fields with the tag privacy:"-", whose values
	// were not looked at. Unreadable are those of values that have no text form.
	Exempt, Unreadable []string
}

// A Field is one value of a record.
type Field struct {
	Path   string
	Labels []classify.Label // as of [classify.Classifier.Field]
}

// A Conflict says that the evidence about a field does not agree.
type Conflict struct {
	Path string
	// Said is the category that a tag or the name says, By the rule that said it, or
	// "declared".
	Said, By string
	// Found is the category that the value, or most values of a column, are of; it is
	// "" if Said is a category that the taxonomy does not have.
	Found string
}

// walker goes through one record.
type walker struct {
	r      *Reader
	s      *classify.Scanner
	steps  []step
	report Report
	depth  int
	err    error
	labels []classify.Label
	onPath map[visit]bool // pointers, to end cycles
}

// A step leads from a value to one inside of it: a key, or an index.
type step struct {
	key   string
	index int // -1 for a key
}

func (r *Reader) walk(f func(w *walker)) (*Report, error) {
	s, _ := r.scanners.Get().(*classify.Scanner)
	w := &walker{r: r, s: s}
	f(w)
	r.scanners.Put(s)
	if w.err != nil {
		return nil, w.err
	}
	return &w.report, nil
}

// enter goes one level down; it reports false if nothing below counts or all has
// ended. A caller to whom it said true calls leave.
func (w *walker) enter(s step) bool {
	if w.err != nil {
		return false
	}
	if len(w.steps) == MaxDepth {
		w.err = ErrDepth
		return false
	}
	w.steps = append(w.steps, s)
	if slices.ContainsFunc(w.r.exclude, func(p pattern) bool { return p.covers(w.steps) }) {
		w.leave()
		return false
	}
	return true
}

func (w *walker) leave() { w.steps = w.steps[:len(w.steps)-1] }

func (w *walker) path() string {
	path := ""
	for _, s := range w.steps {
		switch {
		case s.index >= 0:
			path += "[" + strconv.Itoa(s.index) + "]"
		case s.key == "" || strings.ContainsAny(s.key, `.[]"*`):
			path += "[" + string(jsondoc.AppendString(nil, s.key)) + "]"
		case path == "":
			path = s.key
		default:
			path += "." + s.key
		}
	}
	return path
}

// name is the last key on the way.
func (w *walker) name() string {
	for i := len(w.steps) - 1; i >= 0; i-- {
		if w.steps[i].index < 0 {
			return w.steps[i].key
		}
	}
	return ""
}

// leaf classifies the value that the walker stands at.
func (w *walker) leaf(value string, kind string, tags map[string]string) {
	if w.err != nil {
		return
	}
	if len(w.r.include) > 0 && !slices.ContainsFunc(w.r.include, func(p pattern) bool { return p.covers(w.steps) }) {
		return
	}
	if len(w.report.Fields) == MaxFields {
		w.err = ErrLarge
		return
	}
	path := w.path()
	f := classify.Field{Name: w.name(), Path: path, Type: kind, Tags: tags, Source: w.r.source, Value: value, Context: w.r.context}
	w.labels = w.s.Append(w.labels[:0], &f)
	labels := append([]classify.Label(nil), w.labels...)
	for i := range labels {
		labels[i].Spans = slices.Clone(labels[i].Spans)
		w.report.Qualifier = exposed(w.report.Qualifier, labels[i].Qualifier)
	}
	w.report.Fields = append(w.report.Fields, Field{path, labels})
	w.report.Conflicts = append(w.report.Conflicts, w.r.unknown(path, tags)...)
	w.report.Conflicts = append(w.report.Conflicts, w.r.conflicts(path, labels, func(l *classify.Label) bool {
		// A value that only contains something else is none of it: a note may hold a
		// mail address.
		return len(l.Spans) == 1 && strings.TrimSpace(value[:l.Spans[0].Start]+value[l.Spans[0].End:]) == ""
	})...)
}

// tagKeys are the tags that declare categories; see package classify.
var tagKeys = []string{"privet.category", "privacy"}

// unknown are the declared categories that the taxonomy does not have.
func (r *Reader) unknown(path string, tags map[string]string) (out []Conflict) {
	for _, key := range tagKeys {
		for category := range strings.SplitSeq(tags[key], ",") {
			if category = strings.TrimSpace(category); category == "" {
				continue
			}
			if _, ok := r.c.Category(category); !ok {
				out = append(out, Conflict{Path: path, Said: category, By: classify.Declared})
			}
		}
	}
	return out
}

// conflicts are the labels that a tag or the name gives and that have nothing to do
// with a label that whole reports to be what the values are.
func (r *Reader) conflicts(path string, labels []classify.Label, whole func(*classify.Label) bool) (out []Conflict) {
	for i := range labels {
		found := &labels[i]
		if found.Rule != "" || !whole(found) {
			continue
		}
		for j := range labels {
			said := &labels[j]
			if said.Rule == "" || r.c.Under(said.Category, found.Category) || r.c.Under(found.Category, said.Category) {
				continue
			}
			out = append(out, Conflict{path, said.Category, said.Rule, found.Category})
		}
	}
	return out
}

// exposure is how exposed qualifiers are, the most exposed first.
var exposure = []string{"identified", "pseudonymized", "unlinked_pseudonymized", "anonymized", "aggregated"}

// exposed is the more exposed of two qualifiers, either of which may be "".
func exposed(a, b string) string {
	i, j := slices.Index(exposure, a), slices.Index(exposure, b)
	if i < 0 || j >= 0 && j < i {
		return b
	}
	return a
}
