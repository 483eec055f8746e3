package privacy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

// MaxEvent is the largest event in JSON, in bytes.
const MaxEvent = 16 << 20

// A run is the reusable memory of one event on its way.
type run struct {
	g       *Guard
	p       *edition // of the policy that all of the run is decided by
	scanner *classify.Scanner
	doc     jsondoc.Doc
	orig    []any // Go values of the nodes, when the event came as Go values
	fields  int32 // node of the fields, or -1
	leaves  []leaf
	labels  []classify.Label
	spans   []classify.Span
	path    []byte

	ctx     context.Context
	explain bool
	ev      *Event
	req     consent.Request
	view    *consent.View
	memo    []verdict
	// isCovered: a condition that does not depend on the category covers the event.
	isCovered bool
	// secrets are the live versions of the tenant's, asked for once an event.
	secrets []uint32
	field   classify.Field
	plan    retention.Plan
	input   retention.Input
	decided decided // what the retention rules see beside the input
	erasure retention.Erasure
	res     Result
}

// A leaf is a field: a value that holds no others.
type leaf struct {
	node int32
	// text replaces the value when changed is set; number says that it is one.
	text            string
	changed, number bool
	gone            bool
}

// A verdict is what was decided for one category in this event.
type verdict struct {
	category  string
	decision  consent.Decision
	transform int // index of the first that fits; -1: none
	withhold  int // likewise, in an export
	duties
}

// release forgets the event, so that the pool keeps no data alive, and gives the
// memory back unless it grew very large.
func (r *run) release() {
	r.forget()
	if cap(r.doc.Nodes) <= 1<<14 {
		r.p.runs.Put(r)
	}
}

func (r *run) forget() {
	clear(r.orig)
	clear(r.leaves)
	clear(r.labels)
	clear(r.memo)
	clear(r.res.Decisions)
	clear(r.doc.Nodes)
	r.leaves, r.labels, r.spans, r.memo = r.leaves[:0], r.labels[:0], r.spans[:0], r.memo[:0]
	r.doc.Nodes = r.doc.Nodes[:0]
	r.orig = r.orig[:0]
	r.ctx, r.ev, r.view, r.isCovered, r.secrets = nil, nil, nil, false, nil
	r.req, r.field, r.input = consent.Request{}, classify.Field{}, retention.Input{}
	r.decided, r.erasure = decided{}, retention.Erasure{}
	r.res = Result{
		Decisions: r.res.Decisions[:0], Ask: r.res.Ask[:0], Obligations: r.res.Obligations[:0],
		Withheld: r.res.Withheld[:0], Trail: r.res.Trail[:0], Retention: r.res.Retention,
	}
}

// read parses an event in JSON.
func (r *run) read(data []byte, ev *Event) error {
	if len(data) > MaxEvent {
		return &EventError{Offset: -1, Problem: tooLarge, Mend: "send smaller events"}
	}
	if err := r.doc.Parse(string(data), jsondoc.Limits{}); err != nil {
		var e *jsondoc.Error
		if !errors.As(err, &e) {
			return &EventError{Offset: -1, Problem: "not readable"}
		}
		return &EventError{Offset: e.Offset, Problem: e.Code.String(), Mend: mends[e.Code]}
	}
	d := decoder{doc: &r.doc}
	r.fields = d.event(ev)
	if d.err != nil {
		return d.err
	}
	return nil
}

var mends = map[jsondoc.Code]string{
	jsondoc.Syntax:    "write one JSON object",
	jsondoc.Truncated: "was the line cut?",
	jsondoc.Trailing:  "write one JSON object and nothing after it",
	jsondoc.Duplicate: "keep one of the two",
	jsondoc.TooDeep:   "nest at most 64 levels",
	jsondoc.TooMany:   "send at most 65,536 values in one event",
	jsondoc.BadUTF8:   "write UTF-8",
}

// decide does the whole way for the event whose fields the document holds.
func (r *run) decide(ctx context.Context, ev *Event, explain bool) error {
	r.ctx, r.ev, r.explain = ctx, ev, explain
	if err := r.prepare(); err != nil {
		return err
	}
	res := &r.res
	res.ID, res.Policy = ev.ID, r.p.info

	base, err := r.verdict("")
	if err != nil {
		return err
	}
	res.Reason = r.memo[base].decision.Reason
	if r.fields >= 0 {
		if err := r.walk(r.fields, "", ""); err != nil {
			return err
		}
	}
	r.conclude()
	return r.deadlines()
}

// prepare makes the request that is the same for all fields, and looks up what
// the subject has said.
func (r *run) prepare() error {
	g, ev := r.g, r.ev
	if ev.At.IsZero() {
		if g.clock == nil {
			return &EventError{Part: "at", Offset: -1, Problem: "is missing", Mend: "say when it happened, or open the guard with WithClock"}
		}
		ev.At = g.clock()
	}
	r.req = consent.Request{
		Subject: consent.Subject{
			ID: ev.Subject.ID, Account: ev.Subject.Account, Tenant: ev.Subject.Tenant,
			AgeBand: ev.Subject.AgeBand, Residence: ev.Subject.Residence, Attr: ev.Subject.Attr,
		},
		Purpose: ev.Purpose, Purposes: ev.Purposes, Class: ev.Class, Feature: ev.Feature,
		Operation: consent.Operation(ev.Operation), Qualifier: consent.Qualifier(ev.Qualifier), Origin: ev.Origin,
		Channel: ev.Channel, DataSource: ev.DataSource, Recipient: ev.Recipient, Region: ev.Region,
		StaffCountry: ev.StaffCountry, Switches: ev.Switches, Admin: ev.Admin, Signals: ev.Signals,
		Promote: ev.Promote, Combine: ev.Combine, Share: ev.Share, Claim: ev.Claim, Context: ev.Context,
		Notices: ev.Notices, Service: ev.Service, At: ev.At,
		Location: ev.Location, AgeAssured: ev.AgeAssured, Reference: ev.Reference, BySubject: ev.BySubject,
		Party: ev.Party, Collector: ev.Collector, Settings: ev.Settings,
	}
	view, fault := g.brought(&consent.Facts{Records: ev.Consents, Merged: ev.Merged, Claims: ev.Claims, Erased: ev.Erased, Restricted: ev.Restricted}, "event")
	if fault != nil {
		return fault
	}
	if r.view = view; view == nil && g.ledger != nil && ev.Subject.ID != "" {
		var err error
		if r.view, err = g.ledger.View(r.ctx, ev.Subject.ID, consent.AsOf{Valid: ev.At}); err != nil {
			return err
		}
	}
	return nil
}

// verdict decides for a category, once for each event, and gives its place in memo.
func (r *run) verdict(category string) (int, error) {
	for i := range r.memo {
		if r.memo[i].category == category {
			return i, nil
		}
	}
	r.req.Category = category
	v := verdict{category: category, transform: -1, withhold: -1}
	switch denied, err := r.outside(); {
	case err != nil:
		return 0, err
	case denied != nil:
		v.decision = *denied
	default:
		v.decision = r.p.engine.Decide(r.view, &r.req)
	}
	if v.decision.Allowed() {
		v.duties = dutiesOf(&v.decision, category)
		if err := r.match(&v); err != nil {
			return 0, err
		}
	}
	r.memo = append(r.memo, v)
	r.note(&v)
	return len(r.memo) - 1, nil
}

// outside denies what the policy does not cover, and an event that mixes classes.
func (r *run) outside() (*consent.Decision, error) {
	for _, d := range r.ev.Declared {
		if d.Class != "" && d.Class != r.ev.Class {
			return &consent.Decision{Reason: consent.ReasonInvalidRequest, Rule: "mixed-class",
				Note: "one record has one class: send a record for each"}, nil
		}
	}
	covered, err := r.covered()
	if covered || err != nil {
		return nil, err
	}
	return &consent.Decision{Reason: consent.ReasonDefaultDeny, Rule: "not-covered",
		Note: "none of the policy's applies rules covers this product and version"}, nil
}

// covered tells whether the policy is about such events at all.
func (r *run) covered() (bool, error) {
	if len(r.p.applies) == 0 || r.isCovered {
		return true, nil
	}
	byCategory := false
	for i := range r.p.applies {
		a := &r.p.applies[i]
		ok, err := a.when.holds(&r.req)
		if err != nil {
			return false, &RuleError{a.ID, err.Error()}
		}
		byCategory = byCategory || a.when.reads(profile.PolicyCategory)
		if ok {
			r.isCovered = !byCategory // then the other categories of the event are too
			return true, nil
		}
	}
	return false, nil
}

// A RuleError says that a rule's condition could not be evaluated for an event, so
// that nothing was decided. It contains nothing of the event.
type RuleError struct{ Rule, Problem string }

func (e *RuleError) Error() string { return "privacy: rule " + e.Rule + ": " + e.Problem }

// match finds the first transform, and in an export the first reason to withhold,
// that fits the request's category.
func (r *run) match(v *verdict) (err error) {
	if i, ok := r.p.transformOf[v.category]; ok {
		v.transform = i
	} else if v.transform, err = r.p.firstTransform(&r.req); err != nil {
		return err
	}
	if r.req.Operation != consent.OpExport {
		return nil
	}
	for i := range r.p.withhold {
		ok, err := r.p.withhold[i].when.holds(&r.req)
		if err != nil {
			return &RuleError{r.p.withhold[i].ID, err.Error()}
		}
		if ok {
			v.withhold = i
			break
		}
	}
	return nil
}

// note adds a verdict to the trail.
func (r *run) note(v *verdict) {
	if !r.explain {
		return
	}
	what := "the event as a whole"
	if v.category != "" {
		what = v.category
	}
	room := "consent"
	if v.decision.Rule == "not-covered" || v.decision.Rule == "mixed-class" {
		room = "applies"
	}
	add := func(d *consent.Decision, what string) {
		text := what + ": " + d.Outcome.String() + ", " + string(d.Reason)
		if d.Purpose != "" {
			text += ", purpose " + d.Purpose
		}
		for _, e := range d.Evidence {
			text += ", " + e.Kind + " " + e.ID
		}
		if d.Note != "" {
			text += ": " + d.Note
		}
		r.res.Trail = append(r.res.Trail, TrailStep{Room: room, Rule: d.Rule, Source: d.Source, Text: text})
		for _, s := range d.Overridden {
			r.res.Trail = append(r.res.Trail, TrailStep{Room: room, Rule: s.Rule, Text: what + ": no effect: " + string(s.Reason) + ", " + s.Note})
		}
	}
	add(&v.decision, what)
	for i := range v.decision.ByPurpose {
		add(&v.decision.ByPurpose[i], what)
	}
	for _, o := range v.decision.Obligations {
		text := what + ": must " + string(o.Kind)
		if len(o.Values) > 0 {
			text += " " + strings.Join(o.Values, ", ")
		}
		r.res.Trail = append(r.res.Trail, TrailStep{Room: room, Rule: o.Rule, Source: o.Source, Text: text})
	}
	if v.transform >= 0 {
		t := &r.p.transforms[v.transform]
		r.res.Trail = append(r.res.Trail, TrailStep{Room: "transform", Rule: t.ID, Source: t.Source, Text: what + ": " + t.Do})
	}
}

// walk goes through the fields in the order of their paths.
func (r *run) walk(node int32, name, path string) error {
	n := &r.doc.Nodes[node]
	if r.doc.Len(node) == 0 {
		if node == r.fields {
			return nil
		}
		return r.leaf(node, name, path)
	}
	if n.Kind == jsondoc.Object {
		for _, c := range r.doc.Children(node) {
			key := r.doc.Nodes[c].Key
			if err := r.walk(c, key, r.member(path, key)); err != nil {
				return err
			}
		}
		return nil
	}
	i := 0
	for c := node + 1; c < n.End; c = r.doc.Nodes[c].End {
		if err := r.walk(c, name, path+"["+itoa(i)+"]"); err != nil {
			return err
		}
		i++
	}
	return nil
}

// member is the path of a member; a key that would be read as a path is quoted.
func (r *run) member(path, key string) string {
	if key == "" || strings.ContainsAny(key, ".[]\"") {
		r.path = append(append(r.path[:0], path...), '[')
		r.path = append(jsondoc.AppendString(r.path, key), ']')
		return string(r.path)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func kindName(k jsondoc.Kind) string {
	switch k {
	case jsondoc.Bool:
		return "bool"
	case jsondoc.Number:
		return "number"
	case jsondoc.String:
		return "string"
	case jsondoc.Null:
		return "null"
	case jsondoc.Array:
		return "list"
	}
	return "map"
}

// leaf classifies one field, decides about it and changes it.
func (r *run) leaf(node int32, name, path string) error {
	n := &r.doc.Nodes[node]
	r.field.Name, r.field.Path, r.field.Type, r.field.Value = name, path, kindName(n.Kind), n.Text
	r.field.Context, r.field.Tags = r.ev.Context, nil
	if d, ok := r.ev.Declared[path]; ok && d.Category != "" {
		if _, known := r.p.classifier.Category(d.Category); !known {
			return &EventError{Part: "declared", Offset: -1, Problem: "a category that the policy does not know", Mend: "use a key of the taxonomy"}
		}
		r.field.Tags = map[string]string{"privet.category": d.Category}
	}
	from := len(r.labels)
	r.labels = r.scanner.Append(r.labels, &r.field)
	labels := r.labels[from:len(r.labels):len(r.labels)]
	for i := range labels {
		// The scanner's spans are good until its next field only.
		at := len(r.spans)
		r.spans = append(r.spans, labels[i].Spans...)
		labels[i].Spans = r.spans[at:len(r.spans):len(r.spans)]
	}
	l := leaf{node: node}
	d := FieldDecision{Path: path, Labels: labels}
	truncated := r.scanner.Truncated()
	if err := r.whole(&l, &d); err != nil {
		return err
	}
	if truncated && d.Action == Keep {
		// Nobody has looked at the end of the value, so it does not pass.
		l.gone = true
		d.Action, d.By, d.Note = Drop, "otherwise", noteTooLong
	}
	if d.Action == Keep {
		if err := r.pieces(&l, &d); err != nil {
			return err
		}
	}
	r.leaves = append(r.leaves, l)
	r.res.Decisions = append(r.res.Decisions, d)
	return nil
}

// isWhole tells whether a label speaks of the whole field.
func isWhole(l *classify.Label, value string) bool {
	return l.Rule != "" || len(l.Spans) == 1 && l.Spans[0].Start == 0 && l.Spans[0].End == len(value)
}

// whole decides about the field as one: the worst verdict of its categories
// counts, and of the transforms that fit them the first.
func (r *run) whole(l *leaf, d *FieldDecision) error {
	value := r.doc.Nodes[l.node].Text
	worst, transform, withhold, labelled := -1, -1, -1, ""
	var must duties
	for i := range d.Labels {
		if !isWhole(&d.Labels[i], value) {
			continue
		}
		at, err := r.verdict(d.Labels[i].Category)
		if err != nil {
			return err
		}
		v := &r.memo[at]
		if worst < 0 || v.decision.Outcome < r.memo[worst].decision.Outcome {
			worst = at
		}
		if v.transform >= 0 && (transform < 0 || v.transform < transform) {
			transform = v.transform
		}
		must.add(&v.duties)
		if v.withhold >= 0 && withhold < 0 {
			withhold, labelled = v.withhold, v.category
		}
	}
	unlabelled := worst < 0
	if unlabelled {
		var err error
		if worst, err = r.verdict(""); err != nil {
			return err
		}
		if len(d.Labels) == 0 {
			transform = r.memo[worst].transform
		}
		must.drop = r.memo[worst].drop // nobody knows that it is needed
	}
	decision := &r.memo[worst].decision
	d.Outcome, d.Reason, d.Rule = outcomeOf(decision.Outcome), decision.Reason, decision.Rule
	switch {
	case decision.Outcome != consent.Allow:
		do := r.p.otherwise.Deny
		if decision.Outcome == consent.AskFirst {
			do = r.p.otherwise.Ask
		}
		return r.apply(l, d, operator{do: do, by: otherwise})
	case withhold >= 0:
		d.Outcome, d.Action, d.By = Deny, Withhold, r.p.withhold[withhold].ID
		l.gone = true
		r.countWithheld(withhold, labelled)
		return nil
	case must.drop != nil:
		return r.apply(l, d, operator{do: "drop", by: must.drop.Rule})
	case transform >= 0:
		t := &r.p.transforms[transform]
		return r.apply(l, d, must.with(operator{do: t.Do, arg: t.Arg, by: t.ID}))
	case len(d.Labels) == 0:
		return r.apply(l, d, operator{do: r.p.otherwise.Unclassified, by: otherwise})
	case unlabelled:
		d.Action = Keep // the pieces decide
		return nil
	}
	return r.apply(l, d, must.with(operator{do: r.p.otherwise.Allow, by: otherwise}))
}

func (r *run) countWithheld(rule int, category string) {
	c := &r.p.withhold[rule]
	for i := range r.res.Withheld {
		if r.res.Withheld[i].Category == category && r.res.Withheld[i].By == c.ID {
			r.res.Withheld[i].Count++
			return
		}
	}
	r.res.Withheld = append(r.res.Withheld, Withheld{category, 1, c.ID, c.Note})
}

// apply does what an operator says to a whole field.
func (r *run) apply(l *leaf, d *FieldDecision, op operator) error {
	n := &r.doc.Nodes[l.node]
	d.By = op.by
	if op.do == "keep" || n.Kind == jsondoc.Null && op.do != "drop" {
		d.Action = Keep
		if op.do == "keep" && op.by == otherwise {
			d.By = ""
		}
		return nil
	}
	category := ""
	if len(d.Labels) > 0 {
		category = d.Labels[0].Category
	}
	out, err := r.transform(op, category, n.Text, n.Kind)
	if err != nil {
		return err
	}
	d.Action, d.Note = out.action, out.note
	if out.action == Drop {
		l.gone = true
		return nil
	}
	l.changed, l.text, l.number = true, out.text, out.number
	return nil
}

// pieces decides about what was found inside a text, and replaces it piece by
// piece; the rest of the text stays.
func (r *run) pieces(l *leaf, d *FieldDecision) error {
	n := &r.doc.Nodes[l.node]
	if n.Kind != jsondoc.String && n.Kind != jsondoc.Number {
		return nil
	}
	var spans []SpanDecision
	for i := range d.Labels {
		label := &d.Labels[i]
		if isWhole(label, n.Text) {
			continue
		}
		for _, s := range label.Spans {
			spans = append(spans, SpanDecision{Start: s.Start, End: s.End, Category: label.Category})
		}
	}
	if len(spans) == 0 {
		return nil
	}
	slices.SortStableFunc(spans, func(a, b SpanDecision) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	var b strings.Builder
	done, denied, changed := 0, 0, false
	kept := spans[:0]
	for _, s := range spans {
		if s.Start < done {
			continue // inside a piece that is decided already
		}
		at, err := r.verdict(s.Category)
		if err != nil {
			return err
		}
		v := &r.memo[at]
		op := operator{do: r.p.otherwise.Allow, by: otherwise}
		switch {
		case v.decision.Outcome == consent.Deny:
			op.do = r.p.otherwise.Deny
			denied++
		case v.decision.Outcome == consent.AskFirst:
			op.do = r.p.otherwise.Ask
			denied++
		case v.withhold >= 0:
			op.do, op.by = "redact", r.p.withhold[v.withhold].ID
			r.countWithheld(v.withhold, s.Category)
			denied++
		case v.drop != nil:
			op.do, op.by = "drop", v.drop.Rule
		case v.transform >= 0:
			t := &r.p.transforms[v.transform]
			op = v.with(operator{do: t.Do, arg: t.Arg, by: t.ID})
		default:
			op = v.with(op)
		}
		s.Outcome, s.Reason, s.By = outcomeOf(v.decision.Outcome), v.decision.Reason, op.by
		s.Action = Keep
		text := n.Text[s.Start:s.End]
		if op.do != "keep" {
			out, err := r.transform(op, s.Category, text, jsondoc.String)
			if err != nil {
				return err
			}
			s.Action, s.Note, text = out.action, out.note, out.text
			if s.Action == Drop {
				// A hole would join what stood on its two sides.
				s.Action, text = Redact, "["+s.Category+"]"
			}
			changed = true
		} else {
			s.By = ""
		}
		b.WriteString(n.Text[done:s.Start])
		b.WriteString(text)
		done = s.End
		kept = append(kept, s)
		if rank(s.Action) > rank(d.Action) {
			d.Action, d.By, d.Note = s.Action, s.By, s.Note
		}
	}
	b.WriteString(n.Text[done:])
	d.Spans = kept
	if denied > 0 {
		d.Outcome = Partial
	}
	if changed {
		l.changed, l.text, l.number = true, b.String(), false
	}
	return nil
}

// rank orders actions by how much they take away.
func rank(a Action) int {
	return slices.Index([]Action{Keep, Generalise, Mask, Pseudonymise, Redact, Withhold, Drop}, a)
}

// conclude sums the decisions up.
func (r *run) conclude() {
	res := &r.res
	allowed, denied, asked := 0, 0, 0
	link := pseudonym.Aggregate
	for i := range res.Decisions {
		d := &res.Decisions[i]
		switch d.Outcome {
		case Allow:
			allowed++
		case Partial:
			allowed++
			denied++
		case Ask:
			asked++
		default:
			denied++
		}
		link = min(link, r.linkability(d))
	}
	switch base := &r.memo[0].decision; {
	case len(res.Decisions) == 0:
		res.Outcome = outcomeOf(base.Outcome)
	case denied+asked == 0:
		res.Outcome = Allow
	case allowed > 0:
		res.Outcome = Partial
	case asked > 0:
		res.Outcome = Ask
	default:
		res.Outcome = Deny
	}
	r.gatherDuties()
	if claim := r.claim(); claim != "" {
		res.Linkability = claim
	} else {
		res.Linkability = min(link, pseudonym.Linkable).String()
	}
	slices.SortFunc(res.Withheld, func(a, b Withheld) int {
		return cmp.Or(strings.Compare(a.Category, b.Category), strings.Compare(a.By, b.By))
	})
}

// linkability is how near a decided field is to the person. Only data about a
// person (under user) can be linked.
func (r *run) linkability(d *FieldDecision) pseudonym.Linkability {
	if d.Action == Drop || d.Action == Withhold || d.Action == Redact && len(d.Spans) == 0 {
		return pseudonym.Aggregate
	}
	for i := range d.Labels {
		if !strings.HasPrefix(d.Labels[i].Category, "user.") || d.Labels[i].Qualifier == "pseudonymized" {
			continue
		}
		clear := d.Action == Keep || d.Action == Generalise || d.Action == Mask
		for _, s := range d.Spans {
			clear = clear || s.Action == Keep || s.Action == Generalise || s.Action == Mask
		}
		if clear {
			return pseudonym.Linked
		}
	}
	return pseudonym.Linkable
}

// claim is the recorded result that takes the event's data out of the scope of
// personal data, or "".
func (r *run) claim() string {
	if r.memo[0].decision.Reason != consent.ReasonNotPersonal {
		return ""
	}
	if r.req.Qualifier == consent.Aggregated {
		return pseudonym.Aggregate.String()
	}
	return pseudonym.Unlinkable.String()
}

// gatherDuties collects what to ask for and what duties come with the permission.
func (r *run) gatherDuties() {
	res := &r.res
	for i := range r.memo {
		d := &r.memo[i].decision
		if d.Ask != nil && !slices.ContainsFunc(res.Ask, func(a consent.Ask) bool { return sameAsk(&a, d.Ask) }) {
			res.Ask = append(res.Ask, *d.Ask)
		}
		for _, o := range d.Obligations {
			if !slices.ContainsFunc(res.Obligations, func(x consent.Obligation) bool {
				return x.Kind == o.Kind && x.Rule == o.Rule && slices.Equal(x.Values, o.Values)
			}) {
				res.Obligations = append(res.Obligations, o)
			}
		}
	}
	slices.SortFunc(res.Ask, func(a, b consent.Ask) int {
		return cmp.Or(slices.Compare(a.Purposes, b.Purposes), strings.Compare(string(a.What), string(b.What)), strings.Compare(string(a.Strength), string(b.Strength)))
	})
	slices.SortFunc(res.Obligations, func(a, b consent.Obligation) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Rule, b.Rule), slices.Compare(a.Values, b.Values))
	})
}

func sameAsk(a, b *consent.Ask) bool {
	return a.Strength == b.Strength && a.What == b.What && a.From == b.From && slices.Equal(a.Purposes, b.Purposes)
}

// deadlines plans for the categories of the permitted copy, or of the whole event
// when nothing of it is permitted.
func (r *run) deadlines() error {
	res, ev := &r.res, r.ev
	if r.memo[0].decision.Rule == "not-covered" || r.memo[0].decision.Reason == consent.ReasonNotPersonal {
		why := "the policy does not cover this event"
		if r.memo[0].decision.Reason == consent.ReasonNotPersonal {
			why = "data that is no longer personal has no deadline here"
		}
		res.Retention = retention.Plan{Status: retention.NoRule, Now: ev.At.UTC()}
		if r.explain {
			res.Trail = append(res.Trail, TrailStep{Room: "retention", Text: why})
		}
		return nil
	}
	class := ev.Class
	if ev.Promote.To != "" && r.memo[0].decision.Allowed() {
		class = ev.Promote.To
	}
	permitted := res.Outcome == Allow || res.Outcome == Partial
	r.req.Purpose, r.req.Class = ev.Purpose, class
	r.decided.request = &r.req
	r.input = retention.Input{
		Tenant: ev.Subject.Tenant, Class: class, Region: ev.Region, Purpose: ev.Purpose,
		Request: &r.decided, Events: ev.Anchors, Withdrawn: ev.Withdrawn, Holds: ev.Holds, Erasure: ev.Erasure,
		Now: ev.At, Explain: r.explain,
	}
	first := true
	for i := range r.memo {
		v := &r.memo[i]
		if v.category != "" && permitted && !r.keeps(v.category) {
			continue
		}
		r.req.Category, r.input.Category = v.category, v.category
		r.oblige(&v.decision)
		into := &r.plan
		if first {
			into = &res.Retention
		}
		if err := r.p.rules.PlanInto(into, &r.input); err != nil {
			return err
		}
		if !first {
			res.Retention.Merge(&r.plan)
		}
		first = false
	}
	if r.explain {
		for _, s := range res.Retention.Trail {
			text := s.Outcome.String()
			if s.Category != "" {
				text = s.Category + ": " + text
			}
			if s.Because != "" {
				text += ": " + s.Because
			}
			res.Trail = append(res.Trail, TrailStep{Room: "retention", Rule: s.Rule, Source: s.Source, Text: text})
		}
	}
	return nil
}

// keeps tells whether the permitted copy holds a field of the category.
func (r *run) keeps(category string) bool {
	for i := range r.res.Decisions {
		d := &r.res.Decisions[i]
		if d.Action == Drop || d.Action == Withhold {
			continue
		}
		for j := range d.Labels {
			if d.Labels[j].Category == category {
				return true
			}
		}
	}
	return false
}

// writeFields writes the permitted copy as JSON. Objects and lists of which
// everything was dropped are left out; ones that were empty stay.
func (r *run) writeFields(w *jsondoc.Writer) {
	if r.fields < 0 {
		w.Raw("{}")
		return
	}
	next := 0
	r.write(w, r.fields, &next)
}

// stays tells whether anything below a node is left, starting at leaf next.
func (r *run) stays(node int32, next int) bool {
	if r.leaves == nil || r.doc.Len(node) == 0 && node == r.fields {
		return true
	}
	if r.doc.Len(node) == 0 {
		return !r.leaves[next].gone
	}
	for i := next; i < len(r.leaves) && r.leaves[i].node < r.doc.Nodes[node].End && r.leaves[i].node > node; i++ {
		if !r.leaves[i].gone {
			return true
		}
	}
	return false
}

// write writes a node; next counts the leaves, which stand in the same order.
func (r *run) write(w *jsondoc.Writer, node int32, next *int) {
	n := &r.doc.Nodes[node]
	if r.doc.Len(node) == 0 {
		var l leaf
		if r.leaves != nil && node != r.fields {
			l = r.leaves[*next]
			*next++
		}
		switch {
		case l.changed && l.number:
			w.Raw(l.text)
		case l.changed:
			w.String(l.text)
		case n.Kind == jsondoc.Null:
			w.Raw("null")
		case n.Kind == jsondoc.String:
			w.String(n.Text)
		case n.Kind == jsondoc.Array:
			w.Raw("[]")
		case n.Kind == jsondoc.Object:
			w.Raw("{}")
		default:
			w.Raw(n.Text)
		}
		return
	}
	child := func(c int32, key string, named bool) {
		if c != r.fields && !r.stays(c, *next) {
			*next += r.count(c)
			return
		}
		if named {
			w.Key(key)
		}
		r.write(w, c, next)
	}
	if n.Kind == jsondoc.Object {
		w.Open('{')
		for _, c := range r.doc.Children(node) {
			child(c, r.doc.Nodes[c].Key, true)
		}
		w.Close('}')
		return
	}
	w.Open('[')
	for c := node + 1; c < n.End; c = r.doc.Nodes[c].End {
		child(c, "", false)
	}
	w.Close(']')
}

// count is how many leaves stand below a node.
func (r *run) count(node int32) int {
	if r.leaves == nil {
		return 0
	}
	n := 0
	for i := node; i < r.doc.Nodes[node].End; i++ {
		if r.doc.Len(i) == 0 {
			n++
		}
	}
	return n
}
