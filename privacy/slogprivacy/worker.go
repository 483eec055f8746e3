package slogprivacy

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// Limits of one line, or of one call of With.
const (
	maxDepth  = 32       // levels of groups, structs, maps, lists and pointers
	maxValues = 4096     // values, with those that hold others
	maxText   = 64 << 10 // bytes of one text; what is behind is cut
	ahead     = 1 << 10  // bytes that are looked at behind, for what lies across the cut
	maxBytes  = 1 << 20  // bytes of all texts
)

// What stands for values that were not looked at.
const (
	unreadable = "[unreadable]"
	cut        = "[cut]"
	cycle      = "[cycle]"
	undecided  = "[undecided]"
	unknown    = "[unknown category]"
)

// A state says what became of a value.
type state uint8

const (
	same    state = iota // it may be handed on as it is
	changed              // something else stands in its place
	gone                 // nothing does
)

// A worker goes through one line. It has the memory for that, to be used again.
type worker struct {
	j       *judge
	scanner *classify.Scanner // nil with a guard, which has its own
	labels  []classify.Label
	pieces  []piece
	attrs   []slog.Attr // those of the line at hand

	ctx    context.Context
	at     time.Time
	steps  []string // keys on the way to the value at hand
	depth  int
	values int               // how many more are looked at
	bytes  int               // likewise
	hits   int               // how many values something else stands in the place of
	tags   map[string]string // what is declared of all below
	exempt bool              // a tag says that nothing below is personal
	onPath []visit
	path   []byte
	paths  map[string]string
	// clean are keys in which nothing was found, by the policy whose fingerprint is
	// policy: programs use the same ones again and again.
	clean  map[string]bool
	policy string
}

// A piece is a part of a text that is replaced by the name of a category.
type piece struct {
	start, end int
	category   string
}

func (j *judge) newWorker() *worker {
	w := &worker{j: j, paths: map[string]string{}, clean: map[string]bool{}, steps: make([]string, 0, 16)}
	if j.guard == nil && j.classifier != nil {
		w.scanner = j.classifier.NewScanner()
		w.scanner.MaxValue = 0 // texts are cut here
	}
	return w
}

// worker takes a worker for a line whose attributes are in groups.
func (j *judge) worker(ctx context.Context, groups []string) *worker {
	w, _ := j.workers.Get().(*worker)
	w.ctx, w.values, w.bytes = ctx, maxValues, maxBytes
	w.steps = append(w.steps[:0], groups...)
	if j.guard != nil {
		if policy := j.guard.Policy().Fingerprint; policy != w.policy {
			clear(w.clean)
			w.policy = policy
		}
	}
	return w
}

// release forgets the line and gives the worker back.
func (w *worker) release() {
	clear(w.attrs)
	clear(w.steps[:cap(w.steps)])
	clear(w.labels[:cap(w.labels)])
	w.attrs, w.steps, w.labels = w.attrs[:0], w.steps[:0], w.labels[:0]
	w.ctx, w.at, w.tags, w.exempt, w.depth, w.onPath = nil, time.Time{}, nil, false, 0, w.onPath[:0]
	if cap(w.attrs) <= 1024 {
		w.j.workers.Put(w)
	}
}

// A place is where a worker stands, to come back to it.
type place struct {
	steps  []string
	depth  int
	tags   map[string]string
	exempt bool
	onPath int
}

func (w *worker) place() place {
	return place{w.steps, w.depth, w.tags, w.exempt, len(w.onPath)}
}

func (w *worker) back(p place) {
	w.steps, w.depth, w.tags, w.exempt, w.onPath = p.steps, p.depth, p.tags, p.exempt, w.onPath[:p.onPath]
}

// away goes to where nothing has a name and nothing is declared. Steps from there take
// memory of their own: that of the others is needed again.
func (w *worker) away() place {
	p := w.place()
	w.steps, w.tags, w.exempt = nil, nil, false
	return p
}

// fail goes back after a panic, which may have left the scanner in any state.
func (w *worker) fail(p place) {
	w.back(p)
	if w.scanner != nil {
		w.scanner = w.j.classifier.NewScanner()
		w.scanner.MaxValue = 0
	}
}

// name is the last key on the way, and where that leads as a path.
func (w *worker) name() (name, path string) {
	switch len(w.steps) {
	case 0:
		return "", ""
	case 1:
		return w.steps[0], w.steps[0]
	}
	w.path = w.path[:0]
	for i, s := range w.steps {
		if i > 0 {
			w.path = append(w.path, '.')
		}
		w.path = append(w.path, s...)
	}
	path, ok := w.paths[string(w.path)]
	if !ok {
		path = string(w.path)
		if len(w.paths) >= 512 {
			clear(w.paths)
		}
		if len(path) <= 512 {
			w.paths[path] = path
		}
	}
	return w.steps[len(w.steps)-1], path
}

// labelsOf asks the classifier. The answer lasts until the next question.
func (w *worker) labelsOf(f *classify.Field) []classify.Label {
	switch {
	case w.scanner != nil:
		w.labels = w.scanner.Append(w.labels[:0], f)
		return w.labels
	case w.j.guard != nil:
		return w.j.guard.Classify(*f)
	}
	return nil
}

func declared(labels []classify.Label) bool {
	return slices.ContainsFunc(labels, func(l classify.Label) bool { return l.Rule == classify.Declared })
}

const (
	pseudonymous = "user.unique_id.pseudonymous"
	telemetry    = "user.telemetry"
	credentials  = "user.authorization"
)

// under is like Under of a classifier, which a guard does not show.
func under(key, ancestor string) bool {
	rest, ok := strings.CutPrefix(key, ancestor)
	return ok && (rest == "" || rest[0] == '.')
}

// covers tells whether what is of the category is replaced.
func (j *judge) covers(category string) bool {
	if j.usual && (under(category, pseudonymous) || under(category, telemetry)) {
		return false
	}
	return slices.ContainsFunc(j.categories, func(k string) bool { return under(category, k) })
}

// isToken tells whether the value as a whole is a pseudonym of this project, which may
// stand in a field of any name unless somebody chose otherwise.
func (j *judge) isToken(labels []classify.Label, value string) bool {
	for i := range labels {
		l := &labels[i]
		if l.Category == pseudonymous && l.Rule == "" && len(l.Spans) == 1 && l.Spans[0].Start == 0 && l.Spans[0].End == len(value) {
			return !j.covers(pseudonymous)
		}
	}
	return false
}

// look decides about a value by its text. If something stands in its place, out is
// that. A value that is a text may have pieces replaced, which are then in w.pieces;
// event is what a policy is asked about.
func (w *worker) look(kind, text string, isText bool, event slog.Value) (out string, s state) {
	out, s = w.lookAt(kind, text, isText, event)
	if s != same {
		w.hits++
	}
	return out, s
}

func (w *worker) lookAt(kind, text string, isText bool, event slog.Value) (out string, s state) {
	w.pieces = w.pieces[:0]
	if w.j.guard == nil && w.j.classifier == nil {
		return unreadable, changed
	}
	if w.j.policy {
		return w.process(eventValue(event))
	}
	if w.exempt {
		return "", same
	}
	f := classify.Field{Type: kind, Tags: w.tags, Value: text}
	f.Name, f.Path = w.name()
	labels := w.labelsOf(&f)
	if w.tags != nil && !declared(labels) {
		return unknown, changed
	}
	if w.j.isToken(labels, text) {
		return "", same
	}
	for i := range labels {
		l := &labels[i]
		if !w.j.covers(l.Category) {
			continue
		}
		if l.Rule != "" || !isText || len(l.Spans) == 1 && isAll(text, l.Spans[0]) {
			return w.whole(l.Category)
		}
		for _, s := range l.Spans {
			w.pieces = append(w.pieces, piece{s.Start, s.End, l.Category})
		}
	}
	if len(w.pieces) == 0 {
		return "", same
	}
	return w.replace(text), changed
}

func isAll(text string, s classify.Span) bool {
	return strings.TrimSpace(text[:s.Start]) == "" && strings.TrimSpace(text[s.End:]) == ""
}

func (w *worker) whole(category string) (string, state) {
	w.pieces = w.pieces[:0]
	if w.j.drop && len(w.steps) > 0 {
		return "", gone
	}
	return "[" + category + "]", changed
}

// replace puts the names of categories in the place of the pieces.
func (w *worker) replace(text string) string {
	slices.SortFunc(w.pieces, func(a, b piece) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	b := make([]byte, 0, len(text)+32)
	done := 0
	for _, p := range w.pieces {
		if p.start >= done {
			b = append(b, text[done:p.start]...)
			b = append(append(append(b, '['), p.category...), ']')
		}
		done = max(done, p.end)
	}
	return string(append(b, text[done:]...))
}

// process puts one value to the policy.
func (w *worker) process(value any) (out string, s state) {
	ev := w.j.event
	if ev.At.IsZero() {
		ev.At = w.at
	}
	// Paths deeper than an event may be lose their beginning.
	steps := w.steps[max(0, len(w.steps)-maxDepth):]
	if len(steps) == 0 {
		steps = []string{""} // the message has no name
	}
	keys := make([]string, len(steps))
	for i, k := range steps {
		keys[i] = strings.ToValidUTF8(k, "\uFFFD")
	}
	for _, k := range slices.Backward(keys) {
		value = map[string]any{k: value}
	}
	ev.Fields, _ = value.(map[string]any)
	if tag := w.tags["privacy"]; tag != "" {
		category, _, _ := strings.Cut(tag, ",")
		ev.Declared = map[string]privacy.Declared{pathOf(keys): {Category: strings.TrimSpace(category)}}
	}
	res, err := w.j.guard.Process(w.ctx, ev)
	switch {
	case err != nil && w.tags != nil && !declared(w.labelsOf(&classify.Field{Tags: w.tags})):
		return unknown, changed
	case err != nil || len(res.Decisions) != 1:
		return undecided, changed
	}
	switch res.Decisions[0].Action {
	case privacy.Keep:
		return "", same
	case privacy.Drop, privacy.Withhold:
		return "", gone
	}
	var left any = res.Fields
	for _, k := range keys {
		m, _ := left.(map[string]any)
		left = m[k]
	}
	switch left := left.(type) {
	case string:
		return left, changed
	case privacy.Number:
		return string(left), changed
	}
	return undecided, changed
}

// pathOf writes keys as package privacy does.
func pathOf(keys []string) string {
	var b []byte
	for _, k := range keys {
		switch {
		case k == "" || strings.ContainsAny(k, ".[]\""):
			b = append(jsondoc.AppendString(append(b, '['), k), ']')
		case len(b) == 0:
			b = append(b, k...)
		default:
			b = append(append(b, '.'), k...)
		}
	}
	return string(b)
}

// text decides about a text: of a long one, the beginning.
func (w *worker) text(kind, text string) (out string, s state) {
	if text == "" {
		return "", same
	}
	if w.bytes <= 0 {
		w.hits++
		return cut, changed
	}
	w.bytes -= min(len(text), maxText)
	if len(text) > maxText {
		return w.long(kind, text)
	}
	if out, s := w.jsonText(text); s != same {
		return out, s
	}
	plain, ok := unescape(text)
	for range 3 { // an escape may be escaped in turn
		if !ok {
			break
		}
		if out, s := w.piecewise(kind, plain); s != same {
			return out, s
		}
		plain, ok = unescape(plain)
	}
	return w.piecewise(kind, text)
}

// piecewise looks at a text that is neither long nor something else in disguise.
func (w *worker) piecewise(kind, text string) (string, state) {
	if w.j.policy {
		text = strings.ToValidUTF8(text, "\uFFFD") // an event holds nothing else
	}
	return w.look(kind, text, true, slog.StringValue(text))
}

// long looks at a text of which the end is cut.
func (w *worker) long(kind, text string) (string, state) {
	w.hits++
	end := min(len(text), maxText+ahead)
	if w.j.policy {
		// The policy's answer does not say where what it replaced lies, so all of what
		// is shown ends with a word.
		space := strings.LastIndexAny(text[maxText-ahead:maxText], " \t\r\n")
		if space < 0 {
			return cut, changed
		}
		end = maxText - ahead + space
		out, s := w.piecewise(kind, strings.ToValidUTF8(text[:end], "\uFFFD"))
		if s == same {
			out, s = text[:end], changed
		}
		return out + cut, s
	}
	for end < len(text) && end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	seen := text[:end]
	out, s := w.look(kind, seen, true, slog.StringValue(seen))
	if s == gone || s == changed && len(w.pieces) == 0 || w.exempt {
		return out, s // the whole of it; an exempt one is kept
	}
	stop := maxText
	if len(text) <= stop {
		stop = len(text)
	}
	// What lies across the cut is not shown in part.
	for _, p := range w.pieces {
		if p.start < stop && p.end > stop {
			stop = p.start
		}
	}
	for stop > 0 && !utf8.RuneStart(text[stop]) {
		stop--
	}
	w.pieces = slices.DeleteFunc(w.pieces, func(p piece) bool { return p.start >= stop })
	return w.replace(text[:stop]) + cut, changed
}

// unescape undoes %40 and the like, in which an address hides from detectors. It
// reports false if there is nothing of that kind.
func unescape(text string) (string, bool) {
	if !strings.Contains(text, "%") {
		return "", false
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if s, err := url.PathUnescape(text[i : i+3]); err == nil {
				b = append(b, s...)
				i += 2
				continue
			}
		}
		b = append(b, text[i])
	}
	if len(b) == len(text) {
		return "", false
	}
	return string(b), true
}

// message decides about a line's message, which has no name.
func (w *worker) message(text string) (out string, s state) {
	p := w.away()
	defer func() {
		if recover() != nil {
			w.fail(p)
			out, s = unreadable, changed
		}
	}()
	out, s = w.text("", text)
	w.back(p)
	switch s {
	case same:
		out = text
	case gone:
		out = pseudonym.Redacted // a line has a message
	}
	return out, s
}

// maxKeys and maxKey bound what is remembered about keys, in entries and bytes.
const (
	maxKeys = 1024
	maxKey  = 64
)

// key is a key without what may not be logged.
func (w *worker) key(key string) string {
	if key == "" {
		return ""
	}
	if w.clean[key] {
		return key
	}
	p := w.away() // a key has no name itself
	out, s := "", same
	if w.hasLabel(key) {
		out, s = w.text("", key)
	}
	w.back(p)
	switch s {
	case changed:
		return out
	case gone:
		return pseudonym.Redacted
	}
	if len(key) <= maxKey && len(w.clean) < maxKeys {
		w.clean[strings.Clone(key)] = true
	}
	return key
}

// hasLabel tells whether detectors find anything in a key. A policy that permits
// nothing at all still leaves the keys that say nothing about a person.
func (w *worker) hasLabel(key string) bool {
	if !w.j.policy {
		return true
	}
	if len(key) > maxText {
		return true
	}
	if plain, ok := unescape(key); ok && len(w.labelsOf(&classify.Field{Value: plain})) > 0 {
		return true
	}
	return len(w.labelsOf(&classify.Field{Value: key})) > 0
}

// safeKey is key for a name that stands alone.
func (w *worker) safeKey(key string) (out string) {
	p := w.place()
	defer func() {
		if recover() != nil {
			w.fail(p)
			out = unreadable
		}
	}()
	return w.key(key)
}
