package slogprivacy

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
)

// An Option configures [New]. Options apply in order; the last one wins.
type Option interface{ apply(*judge) }

type optionFunc func(*judge)

func (f optionFunc) apply(j *judge) { f(j) }

// WithPurpose says what the log is for, such as operations.logging, so that the
// guard's policy decides what it may hold. It is WithEvent for policies that ask for
// no more. A classifier has no policy: there it counts for nothing.
func WithPurpose(purpose string) Option {
	return optionFunc(func(j *judge) { j.event.Purpose, j.policy = purpose, true })
}

// WithEvent says what every line is to the guard's policy: its class, purpose, region,
// and the tenant in whose scope pseudonyms are made. Its fields and what is declared
// of them come from the lines. If At is zero it is the time of the line, and for
// attributes of With the guard's clock: without [privacy.WithClock] these are replaced
// by the mark [undecided].
func WithEvent(ev privacy.Event) Option {
	return optionFunc(func(j *judge) {
		j.event, j.policy = ev, true
		j.event.Fields, j.event.Declared = nil, nil
	})
}

// WithCategories replaces what is of one of these categories or below. A policy that
// decides outweighs it. A key that the taxonomy does not have stands for user, so that
// a slip of the pen hides too much rather than too little.
func WithCategories(keys ...string) Option {
	return optionFunc(func(j *judge) { j.categories, j.usual = slices.Clone(keys), false })
}

// WithDrop leaves whole values out, with their keys, in place of naming their category.
func WithDrop() Option { return optionFunc(func(j *judge) { j.drop = true }) }

// New makes a handler that hands what may be logged to next. By is what decides: a
// *[privacy.Guard], or a *[classify.Classifier] such as [classify.Builtin]. A nil one
// knows nothing, so that all values are replaced. The handler is safe for concurrent
// use if next is.
func New[J *privacy.Guard | *classify.Classifier](next slog.Handler, by J, opts ...Option) slog.Handler {
	j := &judge{categories: []string{"user"}, usual: true}
	switch by := any(by).(type) {
	case *privacy.Guard:
		j.guard = by
	case *classify.Classifier:
		j.classifier = by
	}
	for _, o := range opts {
		if o != nil {
			o.apply(j)
		}
	}
	j.policy = j.policy && j.guard != nil
	j.workers.New = func() any { return j.newWorker() }
	j.settleCategories()
	return &handler{next: next, judge: j}
}

// judge is what all handlers that come from one New share.
type judge struct {
	guard      *privacy.Guard
	classifier *classify.Classifier
	policy     bool // the guard's policy decides
	event      privacy.Event
	categories []string
	usual      bool // nobody chose the categories
	drop       bool
	workers    sync.Pool
}

// settleCategories puts user in the place of keys that nobody knows.
func (j *judge) settleCategories() {
	if j.policy || j.guard == nil && j.classifier == nil {
		return
	}
	w := j.newWorker()
	for i, key := range j.categories {
		if !declared(w.labelsOf(&classify.Field{Tags: map[string]string{"privacy": key}})) {
			j.categories[i] = "user"
		}
	}
}

// handler is immutable.
type handler struct {
	next   slog.Handler
	judge  *judge
	groups []string // as they were opened; next has them without personal data
}

// Enabled asks next and nothing else.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle hands a line on, or a copy of it without what may not be logged. The error is
// that of next.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	w := h.judge.worker(ctx, h.groups)
	w.at = r.Time
	message, state := w.message(r.Message)
	changed := state != same
	first := len(w.attrs)
	r.Attrs(func(a slog.Attr) bool {
		a, state := w.attr(a)
		if state != same {
			changed = true
		}
		if state != gone {
			w.attrs = append(w.attrs, a)
		}
		return true
	})
	if changed {
		clean := slog.NewRecord(r.Time, r.Level, message, r.PC)
		clean.AddAttrs(w.attrs[first:]...) // copies them
		r = clean
	}
	w.release()
	return h.next.Handle(ctx, r)
}

// WithAttrs decides about the attributes once, for all lines.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	w := h.judge.worker(context.Background(), h.groups)
	clean := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		if a, state := w.attr(a); state != gone {
			clean = append(clean, a)
		}
	}
	w.release()
	if len(clean) == 0 {
		return h
	}
	return &handler{h.next.WithAttrs(clean), h.judge, h.groups}
}

// WithGroup opens a group; its name is looked at as a key is.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	w := h.judge.worker(context.Background(), nil)
	clean := w.safeKey(name)
	w.release()
	return &handler{h.next.WithGroup(clean), h.judge, append(slices.Clip(h.groups), name)}
}
