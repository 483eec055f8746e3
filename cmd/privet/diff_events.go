package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/signature"
)

// diffFlags are the flags of privet diff.
type diffFlags struct {
	common   common
	events   string
	asJSON   bool
	examples int
}

func (f *diffFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.events, "events", "", "decide about the events of this `file` (or -) by both policies, one JSON object a line")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object in place of text")
	flags.IntVar(&f.examples, "examples", 20, "how many kinds of changes of events are told, the most frequent first")
	f.common.registerLedger(flags)
	f.common.keys.register(flags)
	flags.StringVar(&f.common.at, "at", "", "`instant` for events without one, such as 2026-03-28T10:00:00Z (default: now)")
	flags.IntVar(&f.common.maxLine, "max-line", 4<<20, "longest line in `bytes`; a longer one is skipped and reported")
	flags.StringArrayVar(&f.common.pins.files, "public-key", nil, "accept only policies signed by a key in this `file`; give it again for more keys")
}

// A policyDiff is what diff says; its JSON is kept stable.
type policyDiff struct {
	Same    bool          `json:"same"`
	Old     policyJSON    `json:"old"`
	New     policyJSON    `json:"new"`
	Changes []change      `json:"changes"`
	Events  *eventsChange `json:"events,omitempty"`
}

// An eventsChange counts what changes for a sample of events.
type eventsChange struct {
	Events   int `json:"events"`
	BadLines int `json:"bad_lines"`
	Fields   int `json:"fields"`
	// Events of which the outcome, the deadlines or the duties change, and those that
	// only one of the policies can decide about.
	Outcome   int `json:"events_outcome"`
	Deadlines int `json:"events_deadlines"`
	Duties    int `json:"events_duties"`
	Undecided int `json:"events_undecided"`
	// Fields of which the labels, the outcome or the form change.
	FieldLabels  int        `json:"fields_labels"`
	FieldOutcome int        `json:"fields_outcome"`
	FieldForm    int        `json:"fields_form"`
	Examples     []*example `json:"examples"`
	More         int        `json:"more_kinds"` // that are counted above and not told
	kinds        map[string]*example
}

// An example is one kind of change. It has no value of any event.
type example struct {
	Path   string        `json:"path,omitempty"` // without numbers of items; empty: the event
	Count  int           `json:"count"`
	Lines  []int         `json:"lines"` // of the first
	Fields []fieldChange `json:"changes"`
}

const (
	maxKinds     = 10_000 // that are told apart, whatever the names in the events
	exampleLines = 3
)

func (f *diffFlags) run(ctx context.Context, e *env, from, to string) error {
	if f.examples < 0 {
		return mended("--examples must not be negative", "leave it out for 20")
	}
	keys, err := f.common.pins.keys()
	if err != nil {
		return err
	}
	var bundles [2]*privacy.Bundle
	for i, where := range []string{from, to} {
		if bundles[i], err = loadPolicy(where); err != nil {
			return err
		}
		if keys != nil {
			if err := signature.Verify(bundles[i], keys...); err != nil {
				return err
			}
		}
	}
	d := policyDiff{Old: policyJSON(bundles[0].Info()), New: policyJSON(bundles[1].Info())}
	if d.Changes, err = compare(bundles[0], bundles[1]); err != nil {
		return err
	}
	if d.Changes == nil {
		d.Changes = []change{}
	}
	d.Same = len(d.Changes) == 0
	if f.events != "" {
		if d.Events, err = f.compareEvents(ctx, e, bundles); err != nil {
			return err
		}
	}
	if f.asJSON {
		err = printJSON(e.stdout, &d)
	} else {
		err = d.print(e.stdout)
	}
	switch {
	case err != nil:
		return err
	case d.Events != nil && d.Events.BadLines > 0:
		return &status{exitStop, plural(d.Events.BadLines, "line") + " of the sample could not be compared"}
	case !d.Same:
		return &status{code: exitBad}
	}
	return nil
}

// compareEvents decides about a sample by both policies.
func (f *diffFlags) compareEvents(ctx context.Context, e *env, bundles [2]*privacy.Bundle) (*eventsChange, error) {
	options, err := f.common.options(ctx, e)
	if err != nil {
		return nil, err
	}
	var guards [2]*privacy.Guard
	for i := range guards {
		if guards[i], err = privacy.Open(bundles[i], options...); err != nil {
			return nil, err
		}
	}
	in, err := openInput(f.events, e)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out := &eventsChange{Examples: []*example{}, kinds: map[string]*example{}}
	bad := badLines{w: e.stderr}
	lines := newLineReader(in, in.head, f.common.maxLine)
	for {
		b, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &readError{err}
		}
		if b.skip {
			bad.add(badLine{b.first, tooLong(f.common.maxLine)})
		}
		number := b.first - 1
		for line := range bytes.Lines(b.text) {
			number++
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if number == 1 {
				line = bytes.TrimPrefix(line, byteOrderMark)
			}
			line = bytes.TrimSpace(line)
			var err error
			if len(line) == 0 {
				continue
			}
			if len(line) > f.common.maxLine {
				bad.add(badLine{number, tooLong(f.common.maxLine)})
				continue
			}
			ev, err := privacy.DecodeEvent(line)
			if err == nil {
				err = out.event(ctx, guards, ev, number)
			}
			if err != nil {
				bad.add(badLine{number, problemOf(err)})
			}
		}
		lines.release(b)
	}
	bad.flush()
	out.BadLines = bad.total
	out.conclude(f.examples)
	return out, nil
}

// event compares what becomes of one event. The error is that of both policies.
func (c *eventsChange) event(ctx context.Context, guards [2]*privacy.Guard, ev privacy.Event, line int) error {
	var res [2]*privacy.Result
	var errs [2]error
	for i, g := range guards {
		res[i], errs[i] = g.Process(ctx, ev)
	}
	switch {
	case errs[0] != nil && errs[1] != nil:
		return errs[1]
	case errs[0] != nil || errs[1] != nil:
		c.Events++
		c.Undecided++
		says := func(err error) string {
			if err == nil {
				return "decided"
			}
			return problemOf(err).String()
		}
		c.add("", line, []fieldChange{{"decided", says(errs[0]), says(errs[1])}})
		return nil
	}
	c.Events++
	c.whole(res[0], res[1], line)
	forms := [2][]any{leaves(res[0]), leaves(res[1])}
	for i := range res[0].Decisions {
		a, b := &res[0].Decisions[i], &res[1].Decisions[i]
		c.field(a, b, forms[0][i], forms[1][i], line)
	}
	return nil
}

// whole compares what concerns the event as one.
func (c *eventsChange) whole(a, b *privacy.Result, line int) {
	var fields []fieldChange
	if a.Outcome != b.Outcome || a.Reason != b.Reason {
		c.Outcome++
		fields = append(fields, fieldChange{"outcome", string(a.Outcome) + " " + string(a.Reason), string(b.Outcome) + " " + string(b.Reason)})
	}
	before := len(fields)
	fields = deadline(fields, "earliest", a.Retention.Earliest, b.Retention.Earliest)
	fields = deadline(fields, "latest", a.Retention.Latest, b.Retention.Latest)
	if x, y := a.Retention.Status.String(), b.Retention.Status.String(); x != y {
		fields = append(fields, fieldChange{"retention", x, y})
	}
	if len(fields) > before {
		c.Deadlines++
	}
	if !reflect.DeepEqual(a.Ask, b.Ask) || !reflect.DeepEqual(a.Obligations, b.Obligations) {
		c.Duties++
		fields = append(fields, fieldChange{"duties", duties(a), duties(b)})
	}
	if len(fields) > 0 {
		c.add("", line, fields)
	}
}

// deadline tells by how much a deadline moves; the instants themselves come from the
// event.
func deadline(out []fieldChange, name string, a, b time.Time) []fieldChange {
	switch {
	case a.Equal(b):
		return out
	case a.IsZero():
		return append(out, fieldChange{name, "", "known"})
	case b.IsZero():
		return append(out, fieldChange{name, "known", ""})
	}
	moved, way := b.Sub(a), " later"
	if moved < 0 {
		moved, way = -moved, " sooner"
	}
	text := moved.String() + way
	if days := moved / (24 * time.Hour); moved == days*24*time.Hour {
		text = group(int64(days)) + " days" + way
		if days == 1 {
			text = "1 day" + way
		}
	}
	return append(out, fieldChange{name, "known", text})
}

func duties(r *privacy.Result) string {
	var out []string
	for _, a := range r.Ask {
		out = append(out, "ask for "+strings.Join(a.Purposes, "+"))
	}
	for _, o := range r.Obligations {
		out = append(out, string(o.Kind)+" by "+o.Rule)
	}
	return strings.Join(out, ", ")
}

// field compares what becomes of one field.
func (c *eventsChange) field(a, b *privacy.FieldDecision, x, y any, line int) {
	c.Fields++
	var fields []fieldChange
	if !slices.EqualFunc(a.Labels, b.Labels, sameLabel) {
		c.FieldLabels++
		fields = append(fields, fieldChange{"labels", labelled(a.Labels), labelled(b.Labels)})
	}
	if a.Outcome != b.Outcome || a.Reason != b.Reason {
		c.FieldOutcome++
		fields = append(fields, fieldChange{"outcome", string(a.Outcome) + " " + string(a.Reason), string(b.Outcome) + " " + string(b.Reason)})
	}
	if a.Action != b.Action || a.Note != b.Note || !reflect.DeepEqual(x, y) {
		c.FieldForm++
		form := fieldChange{"form", formOf(a), formOf(b)}
		if form.Old == form.New {
			form.New += ", to another value"
		}
		fields = append(fields, form)
	}
	if len(fields) > 0 {
		c.add(withoutItems(a.Path), line, fields)
	}
}

// sameLabel compares what is said of data. Which rule says so is for the comparison
// of the policies themselves.
func sameLabel(a, b classify.Label) bool {
	return a.Category == b.Category && a.Confidence == b.Confidence && a.Qualifier == b.Qualifier && slices.Equal(a.Spans, b.Spans)
}

func labelled(labels []classify.Label) string {
	var out []string
	for _, l := range labels {
		text := l.Category + " " + strconv.FormatFloat(l.Confidence, 'f', -1, 64)
		if l.Qualifier != "" {
			text += " " + l.Qualifier
		}
		if n := len(l.Spans); n > 0 {
			text += " in " + plural(n, "place")
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func formOf(d *privacy.FieldDecision) string {
	text := string(d.Action)
	if d.Note != "" {
		text += " " + d.Note
	}
	return text
}

// leaves are the values of a permitted copy, one for each decision; nil for what is
// not in it. Decisions and the copy have the same order.
func leaves(r *privacy.Result) []any {
	var found []any
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
			if len(v) > 0 {
				return
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
			if len(v) > 0 {
				return
			}
		}
		found = append(found, v)
	}
	if len(r.Fields) > 0 {
		walk(r.Fields)
	}
	out := make([]any, len(r.Decisions))
	next := 0
	for i := range r.Decisions {
		if a := r.Decisions[i].Action; a != privacy.Drop && a != privacy.Withhold && next < len(found) {
			out[i] = found[next]
			next++
		}
	}
	return out
}

// withoutItems is a path without the numbers of items in lists.
func withoutItems(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		b.WriteByte(path[i])
		switch {
		case path[i] == '"': // a key in quotes may hold anything
			for i++; i < len(path); i++ {
				b.WriteByte(path[i])
				if path[i] == '\\' && i+1 < len(path) {
					i++
					b.WriteByte(path[i])
				} else if path[i] == '"' {
					break
				}
			}
		case path[i] == '[':
			for i+1 < len(path) && '0' <= path[i+1] && path[i+1] <= '9' {
				i++
			}
		}
	}
	return b.String()
}

// add counts a change among those of its kind.
func (c *eventsChange) add(path string, line int, fields []fieldChange) {
	var key strings.Builder
	key.WriteString(path)
	for _, f := range fields {
		fmt.Fprintf(&key, "\x00%s\x00%s\x00%s", f.Field, f.Old, f.New)
	}
	k := c.kinds[key.String()]
	if k == nil {
		if len(c.kinds) == maxKinds {
			c.More++ // counted, and not told
			return
		}
		k = &example{Path: path, Fields: fields}
		c.kinds[key.String()] = k
	}
	k.Count++
	if len(k.Lines) < exampleLines && !slices.Contains(k.Lines, line) {
		k.Lines = append(k.Lines, line)
	}
}

// conclude picks what is told.
func (c *eventsChange) conclude(n int) {
	all := slices.SortedFunc(maps.Values(c.kinds), func(a, b *example) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Lines[0], b.Lines[0]), strings.Compare(a.Path, b.Path),
			strings.Compare(fmt.Sprint(a.Fields), fmt.Sprint(b.Fields)))
	})
	c.Examples = append(c.Examples, all[:min(n, len(all))]...)
	c.More += len(all) - len(c.Examples)
}

func (d *policyDiff) print(w io.Writer) error {
	var b strings.Builder
	for _, p := range []struct {
		sign string
		policyJSON
	}{{"-", d.Old}, {"+", d.New}} {
		fmt.Fprintf(&b, "%s %s version %d, fingerprint %.12s…\n", p.sign, show(p.Name), p.Version, p.Fingerprint)
	}
	if d.Same {
		b.WriteString("no difference\n")
	}
	printChanges(&b, d.Changes)
	if c := d.Events; c != nil {
		fmt.Fprintf(&b, "\n%s: %s with another outcome, %s with other deadlines, %s with other duties", plural(c.Events, "event"), group(c.Outcome), group(c.Deadlines), group(c.Duties))
		if c.Undecided > 0 {
			fmt.Fprintf(&b, ", %s that only one policy can decide about", group(c.Undecided))
		}
		fmt.Fprintf(&b, "\n%s: %s with other labels, %s with another outcome, %s in another form\n", plural(c.Fields, "field"), group(c.FieldLabels), group(c.FieldOutcome), group(c.FieldForm))
		for _, x := range c.Examples {
			where := "the event"
			if x.Path != "" {
				where = show(x.Path)
			}
			lines := "line"
			if len(x.Lines) > 1 {
				lines = "lines"
			}
			for i, n := range x.Lines {
				if i > 0 {
					lines += ","
				}
				lines += " " + group(n)
			}
			if x.Count > len(x.Lines) {
				lines += " …"
			}
			fmt.Fprintf(&b, "  %s: %s (%s)\n", where, plural(x.Count, "time"), lines)
			for _, f := range x.Fields {
				fmt.Fprintf(&b, "    %s: %s → %s\n", f.Field, orNone(f.Old), orNone(f.New))
			}
		}
		if c.More > 0 {
			fmt.Fprintf(&b, "  and %s; see --examples\n", plural(c.More, "other kind"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
