package classify

import (
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/jsondoc"
)

// Text is the explanation for a person. It ends with a newline.
func (e *Explanation) Text() string {
	var b strings.Builder
	line := func(indent int, parts ...string) {
		b.WriteString(strings.Repeat("  ", indent))
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteByte('\n')
	}
	if len(e.Labels) == 0 {
		line(0, "no label: nothing reaches the threshold of ", decimal(e.Threshold))
	}
	for i := range e.Labels {
		l := &e.Labels[i]
		where := l.Qualifier
		if l.ISO19944 != "" {
			where += ", ISO/IEC 19944-1 " + l.ISO19944
		}
		line(0, l.Category, " ", decimal(l.Confidence), "  (", where, ")")
		if l.Rule != "" {
			line(1, "rule ", l.Rule, ": ", decimal(l.Named))
		}
		if l.Detector != "" {
			line(1, "detector ", l.Detector, " at ", spans(l.Spans), ": ", decimal(l.Found))
		}
		if l.Rule != "" && l.Detector != "" {
			line(1, "together: 1 - (1-", decimal(l.Named), ") × (1-", decimal(l.Found), ")")
		}
	}
	if len(e.Declared) > 0 {
		line(0, "a tag declares ", strings.Join(e.Declared, ", "), ": rules are not asked")
	}
	if e.UnknownTag {
		line(0, "a tag declares a category that the taxonomy does not have: it counts for nothing")
	}
	if len(e.Rules) > 0 {
		line(0, "rules")
	}
	for i := range e.Rules {
		r := &e.Rules[i]
		line(1, r.ID, " → ", r.Category, " ", decimal(r.Confidence), ": ", r.Because)
		if r.Holds {
			conditions(line, r.Conditions)
		} else {
			line(2, "only a part of it: ", partly(r.Conditions))
		}
	}
	if len(e.Candidates) > 0 {
		line(0, "matches in the value")
	}
	for i := range e.Candidates {
		k := &e.Candidates[i]
		if e.inside(i) {
			continue
		}
		made := ""
		if k.Confidence > 0 {
			made = " " + decimal(k.Base)
			for _, step := range k.Steps {
				sign, add := " + ", step.Add
				if add < 0 {
					sign, add = " - ", -add
				}
				made += sign + decimal(add) + " by " + step.ID
			}
			if k.ContextFrom != "" {
				made += " + " + decimal(k.Context) + " for context in the " + k.ContextFrom
			}
		}
		line(1, spans([]Span{{k.Start, k.End}}), " ", k.Detector, " → ", k.Category, made, ": ", k.Because)
		conditions(line, k.Check)
		more := 0
		for j := i + 1; j < len(e.Candidates); j++ {
			if o := &e.Candidates[j]; e.inside(j) && o.Detector == k.Detector && o.Start < k.End && o.Because == k.Because {
				more++
			}
		}
		if more > 0 {
			line(2, "and ", strconv.Itoa(more), " more in that place")
		}
	}
	if e.MoreCandidates {
		line(1, "and more, which are left out here")
	}
	return b.String()
}

// inside reports whether candidate i was refused as one before it was in that place:
// when a check refuses a match, shorter and later ones are tried.
func (e *Explanation) inside(i int) bool {
	k := &e.Candidates[i]
	if k.Confidence > 0 {
		return false
	}
	for j := range i {
		if o := &e.Candidates[j]; o.Detector == k.Detector && o.Because == k.Because && o.Confidence == 0 && k.Start < o.End && o.Start < k.End {
			return true
		}
	}
	return false
}

// conditions writes the parts of a condition that decided, as a tree: of an || that
// holds what held, of an && that does not what did not. [Condition] has the rest.
func conditions(line func(indent int, parts ...string), list []Condition) {
	skip := -1 // leave out what is deeper
	for i := range list {
		k := &list[i]
		if skip >= 0 && k.Depth > skip {
			continue
		}
		skip = -1
		if k.Outcome == "not evaluated" || !decides(list, i) {
			skip = k.Depth
			continue
		}
		mark := "? "
		switch k.Outcome {
		case "true":
			mark = "✓ "
		case "false":
			mark = "✗ "
		}
		text := map[string]string{"&&": "all of", "||": "any of", "!": "not", "?:": "if, then, else"}[k.Join]
		if text == "" {
			text = short(k)
		}
		if strings.HasPrefix(k.Outcome, "error") {
			text += "  (" + k.Outcome + ")"
		}
		line(2+k.Depth, mark, text)
	}
}

// decides reports whether part i is one of those that decided what it is a part of.
func decides(list []Condition, i int) bool {
	for j := i - 1; j >= 0; j-- {
		if whole := &list[j]; whole.Depth < list[i].Depth {
			return whole.Join != "||" && whole.Join != "&&" || whole.Outcome == list[i].Outcome
		}
	}
	return true
}

// partly are the parts that hold of a condition that does not, in one line.
func partly(list []Condition) string {
	var parts []string
	r := RuleReason{Conditions: list}
	for i := range list {
		if k := &list[i]; k.Join == "" && k.Outcome == "true" && !negated(&r, k) {
			parts = append(parts, short(k))
		}
	}
	return strings.Join(parts, ", ")
}

// shortText is how much of a condition a person is shown.
const shortText = 72

// short is a condition in one line, with the words that made it hold.
func short(k *Condition) string {
	s := k.Text
	if len(s) > shortText {
		s = cut(s, shortText) + "…"
	}
	if len(k.Words) > 0 {
		s += "  [" + strings.Join(k.Words, " ") + "]"
	}
	return s
}

func spans(list []Span) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = strconv.Itoa(s.Start) + "–" + strconv.Itoa(s.End)
	}
	return strings.Join(parts, ", ")
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// JSON is the explanation as one object, with its keys in a fixed order.
func (e *Explanation) JSON() []byte {
	var w jsondoc.Writer
	text := func(key, value string) {
		if value != "" {
			w.Name(key)
			w.String(value)
		}
	}
	number := func(key string, f float64) {
		w.Name(key)
		w.Raw(decimal(f))
	}
	flag := func(key string, b bool) {
		w.Name(key)
		w.Raw(strconv.FormatBool(b))
	}
	texts := func(key string, list []string) {
		if len(list) == 0 {
			return
		}
		w.Name(key)
		w.Open('[')
		for _, s := range list {
			w.String(s)
		}
		w.Close(']')
	}
	conditions := func(key string, list []Condition) {
		if len(list) == 0 {
			return
		}
		w.Name(key)
		w.Open('[')
		for i := range list {
			k := &list[i]
			w.Open('{')
			number("depth", float64(k.Depth))
			text("join", k.Join)
			text("outcome", k.Outcome)
			text("text", k.Text)
			texts("words", k.Words)
			w.Close('}')
		}
		w.Close(']')
	}
	w.Open('{')
	w.Name("candidates")
	w.Open('[')
	for i := range e.Candidates {
		k := &e.Candidates[i]
		w.Open('{')
		number("base", k.Base)
		text("because", k.Because)
		text("category", k.Category)
		conditions("check", k.Check)
		number("confidence", k.Confidence)
		number("context", k.Context)
		text("context_from", k.ContextFrom)
		text("detector", k.Detector)
		number("end", float64(k.End))
		flag("kept", k.Kept)
		number("start", float64(k.Start))
		if len(k.Steps) > 0 {
			w.Name("steps")
			w.Open('[')
			for _, step := range k.Steps {
				w.Open('{')
				number("add", step.Add)
				text("id", step.ID)
				text("reason", step.Reason)
				w.Close('}')
			}
			w.Close(']')
		}
		w.Close('}')
	}
	w.Close(']')
	texts("declared", e.Declared)
	w.Name("labels")
	w.Open('[')
	for i := range e.Labels {
		l := &e.Labels[i]
		w.Open('{')
		text("category", l.Category)
		number("confidence", l.Confidence)
		text("detector", l.Detector)
		number("found", l.Found)
		text("iso19944", l.ISO19944)
		number("named", l.Named)
		text("qualifier", l.Qualifier)
		text("rule", l.Rule)
		if len(l.Spans) > 0 {
			w.Name("spans")
			w.Open('[')
			for _, s := range l.Spans {
				w.Open('{')
				number("end", float64(s.End))
				number("start", float64(s.Start))
				w.Close('}')
			}
			w.Close(']')
		}
		w.Close('}')
	}
	w.Close(']')
	flag("more_candidates", e.MoreCandidates)
	w.Name("rules")
	w.Open('[')
	for i := range e.Rules {
		r := &e.Rules[i]
		w.Open('{')
		text("because", r.Because)
		text("category", r.Category)
		conditions("conditions", r.Conditions)
		number("confidence", r.Confidence)
		flag("holds", r.Holds)
		text("rule", r.ID)
		w.Close('}')
	}
	w.Close(']')
	number("threshold", e.Threshold)
	flag("unknown_tag", e.UnknownTag)
	w.Close('}')
	return w.Buf
}
