package privacy

import (
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/retention"
)

// An Outcome sums up what was decided about an event or a field: allow, partial,
// ask or deny. Ask is a denial that a consent would change. The zero Outcome is
// deny.
type Outcome string

// The outcomes.
const (
	Allow   Outcome = "allow"   // everything was allowed
	Partial Outcome = "partial" // something was allowed and something was not
	Ask     Outcome = "ask"     // nothing was allowed, and a consent would change that for something
	Deny    Outcome = "deny"    // nothing was allowed
)

func outcomeOf(o consent.Outcome) Outcome {
	switch o {
	case consent.Allow:
		return Allow
	case consent.AskFirst:
		return Ask
	}
	return Deny
}

// An Action is what was done to a field or to a piece of its text.
type Action string

// The actions.
const (
	Keep         Action = "keep"
	Drop         Action = "drop"
	Redact       Action = "redact"       // replaced by a constant
	Pseudonymise Action = "pseudonymise" // replaced by a token
	Generalise   Action = "generalise"   // made less precise
	Mask         Action = "mask"         // all but the end hidden
	Withhold     Action = "withhold"     // left out of an export, and counted
)

// A Result is what became of an event. It is a value of its own: nothing in it is
// shared with the guard, except that labels and decisions share texts.
type Result struct {
	ID      string
	Outcome Outcome
	// Reason is why the event as a whole was allowed or not, whatever its
	// categories: a code of package consent.
	Reason consent.Reason
	// Fields is the permitted copy. It is never nil. Result of
	// [Guard.ProcessJSON] have it in their JSON only.
	Fields map[string]any
	// Decisions has one entry for each field, in the order of paths: members by
	// key, items by number.
	Decisions []FieldDecision
	// Ask says which consents would allow more; sorted by purpose and operation.
	Ask []consent.Ask
	// Obligations are duties that come with what is allowed, and with what is
	// denied where the policy says so. Of these Process has carried out minimise and
	// pseudonymise on Fields, and delete_within and stop_and_erase are in Retention;
	// the others, and what was done earlier, are the caller's.
	Obligations []consent.Obligation
	// Retention is for the permitted copy, or for the whole event when nothing of
	// it is permitted. After an allowed promotion it is that of the new class.
	Retention retention.Plan
	// Linkability is how near the permitted copy is to the person: linked
	// (clear), linkable (pseudonyms whose secret exists, or data that nobody has
	// shown to be free of persons), and only with a recorded result in force
	// unlinkable or aggregate.
	Linkability string
	// Withheld counts what an export left out, by category; sorted.
	Withheld []Withheld
	// Trail has the steps that led here; only [Guard.Explain] fills it.
	Trail  []TrailStep
	Policy PolicyInfo
}

// A FieldDecision is what was decided about one field.
type FieldDecision struct {
	Path    string // such as position.lat, phones[0] or ["a.b"]
	Labels  []classify.Label
	Outcome Outcome
	Reason  consent.Reason
	Rule    string // of the policy that decided; may be empty
	Action  Action
	By      string // id of the transform, obligation or withhold rule, or otherwise
	// Note says why an action was not the one that the policy asked for:
	// NOT_CANONICAL, NO_SECRETS, NO_TENANT, NOT_APPLICABLE.
	Note  string
	Spans []SpanDecision // pieces of free text that were replaced, in order
}

// A SpanDecision is what was decided about a piece of a text.
type SpanDecision struct {
	Start, End int // bytes of the original text
	Category   string
	Outcome    Outcome
	Reason     consent.Reason
	Action     Action
	By         string
	Note       string
}

// Withheld counts fields of a category that an export left out.
type Withheld struct {
	Category string
	Count    int
	By       string // rule
	Why      string
}

// A TrailStep is one thing that had a say.
type TrailStep struct {
	Room   string // applies, consent, transform, retention
	Path   string // of the field; empty: the event
	Rule   string
	Source string
	Text   string
}

func (r *Result) clone() *Result {
	c := *r
	c.Decisions = append([]FieldDecision(nil), r.Decisions...)
	for i := range c.Decisions {
		d := &c.Decisions[i]
		d.Labels = append([]classify.Label(nil), d.Labels...)
		for j := range d.Labels {
			d.Labels[j].Spans = append([]classify.Span(nil), d.Labels[j].Spans...)
		}
		d.Spans = append([]SpanDecision(nil), d.Spans...)
	}
	c.Ask = append([]consent.Ask(nil), r.Ask...)
	c.Obligations = append([]consent.Obligation(nil), r.Obligations...)
	c.Withheld = append([]Withheld(nil), r.Withheld...)
	c.Trail = append([]TrailStep(nil), r.Trail...)
	c.Retention = r.Retention.Clone()
	return &c
}

// AppendJSON appends the result as JSON, with sorted keys: the form that
// [Guard.ProcessJSON] writes.
func (r *Result) AppendJSON(dst []byte) []byte {
	w := jsondoc.Writer{Buf: dst}
	r.write(&w, func(w *jsondoc.Writer) {
		var run run
		run.doc.Reset()
		b := builder{doc: &run.doc}
		if r.Fields == nil {
			b.value("", map[string]any{})
		} else {
			b.value("", r.Fields)
		}
		run.fields = 0
		if b.err != nil { // a caller put something of its own into Fields
			run.doc.Reset()
			run.doc.Open("", jsondoc.Object)
			run.doc.Close()
		}
		run.leaves = nil
		run.writeFields(w)
	})
	return w.Buf
}

// MarshalJSON is AppendJSON for encoding/json.
func (r *Result) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

func (r *Result) write(w *jsondoc.Writer, fields func(*jsondoc.Writer)) {
	w.Open('{')
	w.Name("ask")
	w.Open('[')
	for _, a := range r.Ask {
		w.Open('{')
		str(w, "from", a.From)
		w.Name("purposes")
		strs(w, a.Purposes)
		str(w, "strength", string(a.Strength))
		str(w, "what", string(a.What))
		w.Close('}')
	}
	w.Close(']')
	w.Name("decisions")
	w.Open('[')
	for i := range r.Decisions {
		r.Decisions[i].write(w)
	}
	w.Close(']')
	w.Name("fields")
	fields(w)
	str(w, "id", r.ID)
	str(w, "linkability", r.Linkability)
	if len(r.Obligations) > 0 {
		w.Name("obligations")
		w.Open('[')
		for _, o := range r.Obligations {
			w.Open('{')
			optional(w, "anchor", o.Anchor)
			str(w, "kind", string(o.Kind))
			optional(w, "limit", o.Limit)
			optional(w, "period", o.Period)
			str(w, "rule", o.Rule)
			optional(w, "source", o.Source)
			optional(w, "strength", o.Strength)
			if len(o.Values) > 0 {
				w.Name("values")
				strs(w, o.Values)
			}
			w.Close('}')
		}
		w.Close(']')
	}
	str(w, "outcome", string(r.Outcome))
	w.Name("policy")
	w.Open('{')
	str(w, "fingerprint", r.Policy.Fingerprint)
	str(w, "name", r.Policy.Name)
	w.Name("version")
	w.Append(func(b []byte) []byte { return strconv.AppendUint(b, r.Policy.Version, 10) })
	w.Close('}')
	str(w, "reason", string(r.Reason))
	w.Name("retention")
	w.Append(r.Retention.AppendJSON)
	if len(r.Trail) > 0 {
		w.Name("trail")
		w.Open('[')
		for _, s := range r.Trail {
			w.Open('{')
			optional(w, "path", s.Path)
			str(w, "room", s.Room)
			optional(w, "rule", s.Rule)
			optional(w, "source", s.Source)
			str(w, "text", s.Text)
			w.Close('}')
		}
		w.Close(']')
	}
	if len(r.Withheld) > 0 {
		w.Name("withheld")
		w.Open('[')
		for _, h := range r.Withheld {
			w.Open('{')
			str(w, "by", h.By)
			str(w, "category", h.Category)
			number(w, "count", h.Count)
			str(w, "why", h.Why)
			w.Close('}')
		}
		w.Close(']')
	}
	w.Close('}')
}

func (d *FieldDecision) write(w *jsondoc.Writer) {
	w.Open('{')
	str(w, "action", string(d.Action))
	optional(w, "by", d.By)
	w.Name("labels")
	w.Open('[')
	for i := range d.Labels {
		writeLabel(w, &d.Labels[i])
	}
	w.Close(']')
	optional(w, "note", d.Note)
	str(w, "outcome", string(d.Outcome))
	str(w, "path", d.Path)
	str(w, "reason", string(d.Reason))
	optional(w, "rule", d.Rule)
	if len(d.Spans) > 0 {
		w.Name("spans")
		w.Open('[')
		for _, s := range d.Spans {
			w.Open('{')
			str(w, "action", string(s.Action))
			optional(w, "by", s.By)
			str(w, "category", s.Category)
			number(w, "end", s.End)
			optional(w, "note", s.Note)
			str(w, "outcome", string(s.Outcome))
			str(w, "reason", string(s.Reason))
			number(w, "start", s.Start)
			w.Close('}')
		}
		w.Close(']')
	}
	w.Close('}')
}

func writeLabel(w *jsondoc.Writer, l *classify.Label) {
	w.Open('{')
	str(w, "category", l.Category)
	w.Name("confidence")
	w.Append(func(b []byte) []byte { return strconv.AppendFloat(b, l.Confidence, 'f', -1, 64) })
	optional(w, "detector", l.Detector)
	optional(w, "iso19944", l.ISO19944)
	optional(w, "qualifier", l.Qualifier)
	optional(w, "rule", l.Rule)
	if len(l.Spans) > 0 {
		w.Name("spans")
		w.Open('[')
		for _, s := range l.Spans {
			w.Open('{')
			number(w, "end", s.End)
			number(w, "start", s.Start)
			w.Close('}')
		}
		w.Close(']')
	}
	w.Close('}')
}

func str(w *jsondoc.Writer, key, value string) {
	w.Name(key)
	w.String(value)
}

func optional(w *jsondoc.Writer, key, value string) {
	if value != "" {
		str(w, key, value)
	}
}

func number(w *jsondoc.Writer, key string, n int) {
	w.Name(key)
	w.Append(func(b []byte) []byte { return strconv.AppendInt(b, int64(n), 10) })
}

func strs(w *jsondoc.Writer, list []string) {
	w.Open('[')
	for _, s := range list {
		w.String(s)
	}
	w.Close(']')
}

// Explain is the result for a person: what was decided, by which rules, and until
// when the copy may be kept. It contains no value of the event.
func (r *Result) Explain() string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteByte('\n')
	}
	line(string(r.Outcome), ": ", string(r.Reason), "  (policy ", r.Policy.Name, " version ", strconv.FormatUint(r.Policy.Version, 10), ")")
	for i := range r.Decisions {
		d := &r.Decisions[i]
		what := "not personal as far as the rules can tell"
		if len(d.Labels) > 0 {
			l := &d.Labels[0]
			by := l.Rule
			if by == "" {
				by = l.Detector
			}
			what = l.Category + " (" + by + ", confidence " + strconv.FormatFloat(l.Confidence, 'f', -1, 64) + ")"
		}
		action := string(d.Action)
		if d.By != "" {
			action += " by " + d.By
		}
		if d.Note != "" {
			action += ", " + d.Note
		}
		reason := string(d.Reason)
		if d.Rule != "" {
			reason += " " + d.Rule
		}
		line("  ", d.Path, ": ", what, "; ", string(d.Outcome), " ", reason, "; ", action)
		for _, s := range d.Spans {
			text := "    bytes " + itoa(s.Start) + "–" + itoa(s.End) + ": " + s.Category + "; " + string(s.Outcome) + " " + string(s.Reason) + "; " + string(s.Action)
			if s.By != "" {
				text += " by " + s.By
			}
			line(text)
		}
	}
	for _, a := range r.Ask {
		text := "  ask"
		if a.From != "" {
			text += " the " + a.From
		}
		line(text, " for ", string(a.Strength), " consent to ", string(a.What), ": ", strings.Join(a.Purposes, ", "))
	}
	for _, h := range r.Withheld {
		line("  withheld from the export: ", itoa(h.Count), " of ", h.Category, " (", h.By, "): ", h.Why)
	}
	line("  the copy is ", r.Linkability)
	line(strings.TrimRight(r.Retention.Explain(), "\n"))
	for _, s := range r.Trail {
		text := "  · " + s.Room
		if s.Path != "" {
			text += " " + s.Path
		}
		if s.Rule != "" {
			text += " " + s.Rule
		}
		if s.Source != "" {
			text += " [" + s.Source + "]"
		}
		line(text, ": ", s.Text)
	}
	return b.String()
}
