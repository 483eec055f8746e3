package sweep

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/retention"
)

// MaxLine is how many bytes a line may have.
const MaxLine = 1 << 20

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// A LineError reports a line that is no record. It never holds the line.
type LineError struct {
	Line    int64  // from 1; 0 if the record was decoded alone
	Field   string // of the record, such as "events" or "holds.placed"; "" = the line as a whole
	Problem string // fixed text
	Mend    string // fixed text
}

// Error says what is wrong, where, and how to mend it.
func (e *LineError) Error() string {
	s := "sweep: record"
	if e.Line > 0 {
		s = "sweep: line " + decimal(e.Line)
	}
	if e.Field != "" {
		s += ": " + e.Field
	}
	return s + ": " + e.Problem + ": " + e.Mend
}

// ErrRead reports that the lines could not be read to their end.
var ErrRead = errors.New("sweep: the records could not be read to their end: look at the source of the lines")

// Lines reads records from JSON lines, in the form that the package describes, and
// skips empty lines. A line that is no record is yielded as a *[LineError], and reading
// goes on. If r fails, the last error wraps [ErrRead] and what r said. The record is
// reused: it holds until the next one.
func Lines(r io.Reader) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		var d Decoder
		var rec Record
		in := bufio.NewReaderSize(r, 64<<10)
		var long []byte
		for n := int64(1); ; n++ {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) {
				long = append(long[:0], line...)
				for errors.Is(err, bufio.ErrBufferFull) {
					line, err = in.ReadSlice('\n')
					if len(long) <= MaxLine {
						long = append(long, line...)
					}
				}
				line = long
			}
			end := err != nil
			if end && !errors.Is(err, io.EOF) {
				yield(nil, errors.Join(ErrRead, err))
				return
			}
			for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
				line = line[:len(line)-1]
			}
			if len(line) > 0 {
				err := d.Decode(line, &rec)
				var le *LineError
				if errors.As(err, &le) {
					le.Line = n
				}
				if err != nil && !yield(nil, err) || err == nil && !yield(&rec, nil) {
					return
				}
			}
			if end {
				return
			}
		}
	}
}

// A Decoder reads records. Use one per goroutine; the zero value is ready.
type Decoder struct{ doc jsondoc.Doc }

// Decode replaces what rec holds by the record that line is, and reuses its slices
// and maps. The error is a *[LineError]; rec is then empty.
func (d *Decoder) Decode(line []byte, rec *Record) error {
	in := &rec.Input
	events, withdrawn, removed, attr := in.Events, in.Withdrawn, rec.Removed, in.Attr
	clear(events)
	clear(withdrawn)
	clear(removed)
	clear(attr)
	*rec = Record{Categories: rec.Categories[:0], Copies: rec.Copies[:0], Input: retention.Input{Holds: in.Holds[:0]}}
	if len(line) > MaxLine {
		return &LineError{0, "", "longer than 1 MiB", "split it"}
	}
	if err := d.doc.Parse(string(line), jsondoc.Limits{Depth: 4, Nodes: 20_000}); err != nil {
		mend := "write one JSON object a line"
		return &LineError{0, "", err.Error(), mend}
	}
	f := fields{doc: &d.doc}
	if d.doc.Nodes[0].Kind != jsondoc.Object {
		return &LineError{0, "", "not an object", "write one JSON object a line"}
	}
	f.each(0, func(i int32, key string) {
		switch key {
		case "id":
			rec.ID = f.text(i, key)
		case "categories":
			f.list(i, key, func(i int32) { rec.Categories = append(rec.Categories, f.text(i, key)) })
		case "class":
			in.Class = f.text(i, key)
		case "region":
			in.Region = f.text(i, key)
		case "purpose":
			in.Purpose = f.text(i, key)
		case "tenant":
			in.Tenant = f.text(i, key)
		case "events":
			in.Events = f.instants(i, key, events)
		case "withdrawn":
			in.Withdrawn = f.instants(i, key, withdrawn)
		case "holds":
			f.list(i, key, func(i int32) { in.Holds = append(in.Holds, f.hold(i)) })
		case "erasure":
			in.Erasure = f.erasure(i)
		case "copies":
			f.list(i, key, func(i int32) {
				if c, ok := f.copy(f.text(i, key), key); ok && !slices.Contains(rec.Copies, c) {
					rec.Copies = append(rec.Copies, c)
				}
			})
		case "removed":
			if removed == nil {
				removed = map[retention.Copy]time.Time{}
			}
			rec.Removed = removed
			f.object(i, key, func(i int32, name string) {
				if c, ok := f.copy(name, key); ok {
					removed[c] = f.instant(i, key)
				}
			})
		case "attr":
			if attr == nil {
				attr = map[string]any{}
			}
			in.Attr = attr
			f.object(i, key, func(i int32, name string) { attr[name] = f.value(i) })
		default:
			f.fail("", "an unknown key", "use the keys that the documentation of package sweep lists")
		}
	})
	if rec.ID == "" {
		f.fail("id", "missing", "give every record its key")
	}
	if f.err != nil {
		*rec = Record{Categories: rec.Categories[:0], Copies: rec.Copies[:0]}
		return f.err
	}
	return nil
}

// fields reads a document and keeps the first problem.
type fields struct {
	doc *jsondoc.Doc
	err *LineError
}

func (f *fields) fail(field, problem, mend string) {
	if f.err == nil {
		f.err = &LineError{0, field, problem, mend}
	}
}

func (f *fields) each(i int32, visit func(i int32, key string)) {
	n := &f.doc.Nodes[i]
	for c := i + 1; c < n.End && f.err == nil; c = f.doc.Nodes[c].End {
		visit(c, f.doc.Nodes[c].Key)
	}
}

func (f *fields) object(i int32, field string, visit func(i int32, key string)) {
	if f.doc.Nodes[i].Kind != jsondoc.Object {
		f.fail(field, "not an object", "write it in braces")
		return
	}
	f.each(i, visit)
}

func (f *fields) list(i int32, field string, visit func(i int32)) {
	if f.doc.Nodes[i].Kind != jsondoc.Array {
		f.fail(field, "not a list", "write it in brackets")
		return
	}
	f.each(i, func(i int32, _ string) { visit(i) })
}

func (f *fields) text(i int32, field string) string {
	n := &f.doc.Nodes[i]
	if n.Kind != jsondoc.String || n.Text == "" {
		f.fail(field, "not a text", "write a text in quotes, or leave the key out")
		return ""
	}
	return n.Text
}

func (f *fields) instant(i int32, field string) time.Time {
	t, err := time.Parse(time.RFC3339, f.text(i, field))
	if err != nil || t.IsZero() {
		f.fail(field, "not an instant", "write it as 2026-01-31T10:00:00Z")
		return time.Time{}
	}
	return t
}

func (f *fields) instants(i int32, field string, into map[retention.Anchor]time.Time) map[retention.Anchor]time.Time {
	if into == nil {
		into = make(map[retention.Anchor]time.Time)
	}
	f.object(i, field, func(i int32, key string) { into[retention.Anchor(key)] = f.instant(i, field) })
	return into
}

func (f *fields) copy(name, field string) (retention.Copy, bool) {
	c, err := retention.ParseCopy(name)
	if err != nil {
		f.fail(field, "an unknown copy", "use primary, cache, replica, backup, log, derived and media")
	}
	return c, err == nil
}

func (f *fields) value(i int32) any {
	switch n := &f.doc.Nodes[i]; n.Kind {
	case jsondoc.String:
		return n.Text
	case jsondoc.Bool:
		return n.Text == "true"
	case jsondoc.Number:
		if whole, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return whole
		}
		if x, err := strconv.ParseFloat(n.Text, 64); err == nil && !math.IsInf(x, 0) {
			return x
		}
	}
	f.fail("attr", "not a text, number or boolean", "write plain values")
	return nil
}

func (f *fields) hold(i int32) (h retention.Hold) {
	f.object(i, "holds", func(i int32, key string) {
		switch key {
		case "id":
			h.ID = f.text(i, "holds.id")
		case "authority":
			h.Authority = f.text(i, "holds.authority")
		case "reason":
			h.Reason = f.text(i, "holds.reason")
		case "scope":
			h.Scope = retention.Selector(f.text(i, "holds.scope"))
		case "placed":
			h.Placed = f.instant(i, "holds.placed")
		case "released":
			h.Released = f.instant(i, "holds.released")
		case "effect":
			var err error
			if h.Effect, err = retention.ParseEffect(f.text(i, "holds.effect")); err != nil {
				f.fail("holds.effect", "unknown", "use suspend, restart or toll")
			}
		default:
			f.fail("holds", "an unknown key", "use id, authority, reason, scope, placed, released and effect")
		}
	})
	return h
}

func (f *fields) erasure(i int32) *retention.Erasure {
	e := &retention.Erasure{}
	f.object(i, "erasure", func(i int32, key string) {
		switch key {
		case "id":
			e.ID = f.text(i, "erasure.id")
		case "source":
			e.Source = f.text(i, "erasure.source")
		case "at":
			e.At = f.instant(i, "erasure.at")
		case "scope":
			e.Scope = retention.Selector(f.text(i, "erasure.scope"))
		default:
			f.fail("erasure", "an unknown key", "use id, source, at and scope")
		}
	})
	return e
}

// AppendJSON appends the finding as one JSON object: breach, ceiling, copy, delete,
// earliest, floor, id, latest, method and status, where they say something.
func (f *Finding) AppendJSON(dst []byte) []byte {
	text := func(key, v string) {
		if v != "" {
			dst = append(append(append(dst, '"'), key...), `":`...)
			dst = append(jsondoc.AppendString(dst, v), ',')
		}
	}
	instant := func(key string, t time.Time) {
		if !t.IsZero() {
			text(key, t.Format(time.RFC3339))
		}
	}
	dst = append(dst, `{"breach":`...)
	dst = append(strconv.AppendBool(dst, f.Breach), ',')
	text("ceiling", f.Ceiling)
	text("copy", f.Copy.String())
	text("delete", f.Delete)
	instant("earliest", f.Earliest)
	text("floor", f.Floor)
	text("id", f.Record.ID)
	instant("latest", f.Latest)
	text("method", f.Method.String())
	text("status", f.Status.String())
	dst[len(dst)-1] = '}'
	return dst
}
