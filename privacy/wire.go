package privacy

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

// This file is the guard for callers who have JSON and want JSON: the command and
// the WebAssembly guest. All of it is as strict as events are, and as
// deterministic: equal requests give equal bytes on every platform.

// A RequestError says why a request in JSON could not be read. It names parts of
// the request by the keys of its documentation and by byte offsets, never by
// content.
type RequestError struct {
	Part    string // such as subject.tenant; may be empty
	Offset  int    // byte in the JSON from 0; -1 if unknown
	Problem string
	Mend    string
}

// Error is one line.
func (e *RequestError) Error() string {
	return "request" + strings.TrimPrefix((*EventError)(e).Error(), "event")
}

// parse reads one JSON object into the run's document.
func (r *run) parse(request []byte) (decoder, error) {
	d := decoder{doc: &r.doc}
	if len(request) > MaxEvent {
		return d, &RequestError{Offset: -1, Problem: tooLarge, Mend: "send less at once"}
	}
	if err := r.doc.Parse(string(request), jsondoc.Limits{}); err != nil {
		var e *jsondoc.Error
		if !errors.As(err, &e) {
			return d, &RequestError{Offset: -1, Problem: "not readable"}
		}
		return d, &RequestError{Offset: e.Offset, Problem: e.Code.String(), Mend: mends[e.Code]}
	}
	if r.doc.Nodes[0].Kind != jsondoc.Object {
		return d, &RequestError{Offset: int(r.doc.Nodes[0].At), Problem: "a request is a JSON object", Mend: "write {…}"}
	}
	return d, nil
}

// each calls f for the members of the request, all of which must be among keys.
func (d *decoder) each(keys []string, f func(key string, c int32)) error {
	d.members(0, "", maxList, func(key string, c int32) {
		if !slices.Contains(keys, key) {
			d.unknown(c, "", strings.Join(keys, " "))
			return
		}
		f(key, c)
	})
	return d.fault()
}

func (d *decoder) fault() error {
	if d.err == nil {
		return nil
	}
	return (*RequestError)(d.err)
}

// text reads a text of any length, or a number or boolean as it is written: what
// a value may be.
func (d *decoder) text(i int32, part string) string {
	n := &d.doc.Nodes[i]
	if n.Kind == jsondoc.Array || n.Kind == jsondoc.Object {
		d.fail(i, part, "must be a text, a number or a boolean", "ask about each value by itself")
	}
	return n.Text
}

var classifyKeys = strings.Fields("context description id name path source tags type value")

// ClassifyJSON is [Guard.Classify] for one field in JSON; it appends the labels in
// JSON to dst. The request is an object with any of name, path, type, value,
// source, description (texts; value also a number or a boolean), tags, context
// (objects of texts) and id (handed through). The answer has labels, id if there
// was one, and unknown_tag if a tag declares a category that the policy does not
// know. The error is a [*RequestError]; dst is then returned as it was.
func (g *Guard) ClassifyJSON(dst, request []byte) ([]byte, error) {
	r := g.current.Load().run()
	defer r.release()
	d, err := r.parse(request)
	if err != nil {
		return dst, err
	}
	f, id := &r.field, int32(-1)
	err = d.each(classifyKeys, func(key string, c int32) {
		switch key {
		case "id":
			id = c
			d.text(c, key)
		case "name":
			f.Name = d.str(c, key)
		case "path":
			f.Path = d.str(c, key)
		case "type":
			f.Type = d.str(c, key)
		case "source":
			f.Source = d.str(c, key)
		case "description":
			if f.Description = d.text(c, key); d.doc.Nodes[c].Kind > jsondoc.Null && d.doc.Nodes[c].Kind != jsondoc.String {
				d.fail(c, key, "must be a text", "put it in quotes")
			}
		case "value":
			f.Value = d.text(c, key)
		case "tags":
			f.Tags = d.strMap(c, key)
		case "context":
			f.Context = d.strMap(c, key)
		}
	})
	if err != nil {
		return dst, err
	}
	limit := r.scanner.MaxValue
	r.scanner.MaxValue = 0 // the whole value, as Classify does
	r.labels = r.scanner.Append(r.labels[:0], f)
	r.scanner.MaxValue = limit
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	if id >= 0 && d.doc.Nodes[id].Kind != jsondoc.Null {
		w.Name("id")
		w.Append(func(b []byte) []byte { return d.doc.Append(b, id) })
	}
	w.Name("labels")
	w.Open('[')
	for i := range r.labels {
		writeLabel(&w, &r.labels[i])
	}
	w.Close(']')
	if r.scanner.UnknownTag() {
		w.Name("unknown_tag")
		w.Raw("true")
	}
	w.Close('}')
	return w.Buf, nil
}

// A question is what may be asked about data without having it.
type question struct {
	req       consent.Request
	known     consent.Facts
	anchors   map[retention.Anchor]time.Time
	withdrawn map[retention.Anchor]time.Time
	holds     []retention.Hold
	erasure   *retention.Erasure
	now       time.Time
	explain   bool
}

const requestKeys = "admin age_assured by_subject category channel claim class collector combine context data_source feature location notices operation origin party promote purpose purposes qualifier recipient reference region service settings share signals staff_country subject switches"

var (
	decideKeys = strings.Fields("at " + factKeys + " " + requestKeys)
	planKeys   = strings.Fields("anchors erasure explain holds now withdrawn " + requestKeys)
)

// question reads a question; each answer allows its own keys.
func (d *decoder) question(q *question, keys []string) error {
	r := &q.req
	return d.each(keys, func(key string, c int32) {
		switch key {
		case "admin":
			r.Admin = d.switches(c, key)
		case "age_assured":
			r.AgeAssured = consent.Assurance(d.str(c, key))
		case "by_subject":
			r.BySubject = d.bool(c, key)
		case "collector":
			r.Collector = d.str(c, key)
		case "location":
			r.Location = d.str(c, key)
		case "party":
			r.Party = d.str(c, key)
		case "reference":
			r.Reference = d.str(c, key)
		case "settings":
			r.Settings = d.settings(c)
		case "anchors":
			q.anchors = d.instants(c, key)
		case "at":
			r.At = d.time(c, key)
		case "category":
			r.Category = d.str(c, key)
		case "channel":
			r.Channel = d.str(c, key)
		case "claim":
			r.Claim = d.str(c, key)
		case "claims", "consents", "erased", "merged", "restricted":
			d.fact(&q.known, key, c)
		case "class":
			r.Class = d.str(c, key)
		case "combine":
			d.members(c, key, 1, func(k string, c int32) {
				if k != "with" {
					d.unknown(c, key, "with")
					return
				}
				r.Combine.With = d.origins(c, "combine.with")
			})
		case "context":
			r.Context = d.strMap(c, key)
		case "data_source":
			r.DataSource = d.str(c, key)
		case "erasure":
			q.erasure = d.erasure(c)
		case "explain":
			q.explain = d.bool(c, key)
		case "feature":
			r.Feature = d.str(c, key)
		case "holds":
			q.holds = d.holds(c)
		case "notices":
			d.items(c, key, func(c int32) { r.Notices = append(r.Notices, d.notice(c, key)) })
		case "now":
			q.now = d.time(c, key)
		case "operation":
			r.Operation = consent.Operation(d.str(c, key))
		case "origin":
			r.Origin = d.str(c, key)
		case "promote":
			r.Promote.From, r.Promote.To = d.pair(c, key, "from", "to")
		case "purpose":
			r.Purpose = d.str(c, key)
		case "purposes":
			r.Purposes = d.strs(c, key)
		case "qualifier":
			r.Qualifier = consent.Qualifier(d.str(c, key))
		case "recipient":
			r.Recipient.Role, r.Recipient.ID = d.pair(c, key, "role", "id")
		case "region":
			r.Region = d.str(c, key)
		case "service":
			r.Service = d.str(c, key)
		case "share":
			d.members(c, key, 2, func(k string, c int32) {
				switch k {
				case "recipient":
					r.Share.Recipient = d.str(c, "share.recipient")
				case "attributes":
					r.Share.Attributes = d.strs(c, "share.attributes")
				default:
					d.unknown(c, key, "recipient attributes")
				}
			})
		case "signals":
			r.Signals = d.signals(c)
		case "staff_country":
			r.StaffCountry = d.str(c, key)
		case "subject":
			var s Subject
			d.subject(c, &s)
			r.Subject = consent.Subject(s)
		case "switches":
			r.Switches = d.switches(c, key)
		case "withdrawn":
			q.withdrawn = d.instants(c, key)
		}
	})
}

// pair reads an object of two texts.
func (d *decoder) pair(i int32, part, first, second string) (a, b string) {
	d.members(i, part, 2, func(key string, c int32) {
		switch key {
		case first:
			a = d.str(c, part+"."+first)
		case second:
			b = d.str(c, part+"."+second)
		default:
			d.unknown(c, part, first+" "+second)
		}
	})
	return a, b
}

// DecideJSON is [Guard.Decide] for one request in JSON; it appends the decision as
// [consent.Decision.AppendJSON] writes it. The request has the keys of an event
// without its data (at, purpose, purposes, class, feature, operation, subject and
// so on) and category. Like an event it may bring consents, merged, claims, erased and
// restricted where there is no ledger. A request that is well-formed and makes no sense is answered with
// INVALID_REQUEST; the error is a [*RequestError] or the ledger's, and dst is then
// returned as it was.
func (g *Guard) DecideJSON(ctx context.Context, dst, request []byte) ([]byte, error) {
	r := g.current.Load().run()
	defer r.release()
	d, err := r.parse(request)
	if err != nil {
		return dst, err
	}
	var q question
	if err := d.question(&q, decideKeys); err != nil {
		return dst, err
	}
	view, fault := g.brought(&q.known, "request")
	if fault != nil {
		return dst, (*RequestError)(fault)
	}
	var decision consent.Decision
	if view == nil {
		if decision, err = r.p.decide(ctx, q.req); err != nil {
			return dst, err
		}
		return decision.AppendJSON(dst), nil
	}
	if q.req.At.IsZero() && g.clock != nil {
		q.req.At = g.clock()
	}
	decision = r.p.engine.Decide(view, &q.req)
	return decision.AppendJSON(dst), nil
}

// PlanJSON is [Guard.Plan] for one input in JSON; it appends the plan as
// [retention.Plan.AppendJSON] writes it. The request has now, category, class,
// purpose, region, anchors and withdrawn (objects of instants), holds, erasure,
// explain, and, for conditions of rules, the other keys of an event without its data. The error is a
// [*RequestError] or one of package retention; dst is then returned as it was.
func (g *Guard) PlanJSON(dst, request []byte) ([]byte, error) {
	r := g.current.Load().run()
	defer r.release()
	d, err := r.parse(request)
	if err != nil {
		return dst, err
	}
	var q question
	if err := d.question(&q, planKeys); err != nil {
		return dst, err
	}
	if q.now.IsZero() && g.clock != nil {
		q.now = g.clock()
	}
	q.req.At = q.now
	in := &r.input
	*in = retention.Input{
		Tenant: q.req.Subject.Tenant, Category: q.req.Category, Class: q.req.Class, Region: q.req.Region, Purpose: q.req.Purpose,
		Request: &q.req, Events: q.anchors, Withdrawn: q.withdrawn,
		Holds: q.holds, Erasure: q.erasure, Now: q.now, Explain: q.explain,
	}
	if err := r.p.rules.PlanInto(&r.plan, in); err != nil {
		return dst, err
	}
	return r.plan.AppendJSON(dst), nil
}

var pseudonymiseKeys = strings.Fields("category purpose tenant type value")

// PseudonymiseJSON is [Guard.Pseudonymise] for one value in JSON; it appends an
// object with the token and its linkability. The request has tenant, purpose,
// category, value, and type: text, email, email-uid2, phone, uuid, int, ip,
// ip-prefix or date. Without type the category decides, as it does for the fields
// of events. The error is a [*RequestError] or one of package pseudonym; dst is
// then returned as it was.
func (g *Guard) PseudonymiseJSON(ctx context.Context, dst, request []byte) ([]byte, error) {
	r := g.current.Load().run()
	defer r.release()
	d, err := r.parse(request)
	if err != nil {
		return dst, err
	}
	var scope pseudonym.Scope
	kind, text := "", ""
	at := map[string]int32{}
	err = d.each(pseudonymiseKeys, func(key string, c int32) {
		at[key] = c
		switch key {
		case "category":
			scope.Category = d.str(c, key)
		case "purpose":
			scope.Purpose = d.str(c, key)
		case "tenant":
			scope.Tenant = d.str(c, key)
		case "type":
			kind = d.str(c, key)
		case "value":
			text = d.text(c, key)
		}
	})
	if err != nil {
		return dst, err
	}
	value, wrong := valueOf(kind, scope.Category, text)
	switch wrong {
	case "type":
		d.fail(at[wrong], wrong, "not a type of values", "use text, email, email-uid2, phone, uuid, int, ip, ip-prefix or date, or leave it out")
	case "value":
		d.fail(at[wrong], wrong, "not written as its type requires", "write it in its usual form, or leave the type out")
	}
	if err := d.fault(); err != nil {
		return dst, err
	}
	p, err := g.pseudonyms.of(ctx, scope, new([]uint32))
	if err != nil {
		return dst, err
	}
	token, err := p.Append(make([]byte, 0, 64), value)
	if err != nil {
		return dst, err
	}
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	str(&w, "linkability", p.Class().String())
	str(&w, "token", string(token))
	w.Close('}')
	return w.Buf, nil
}

// valueOf makes the typed value of a text. If it cannot, wrong is the part of the
// request at fault; values that know their own form report it when they are used.
func valueOf(kind, category, text string) (v pseudonym.Value, wrong string) {
	switch kind {
	case "":
		return typed(category, text), ""
	case "text":
		return pseudonym.Text(text), ""
	case "email":
		return pseudonym.Email(text), ""
	case "email-uid2":
		return pseudonym.EmailUID2(text), ""
	case "phone":
		return pseudonym.Phone(text), ""
	case "date":
		return pseudonym.Date(text), ""
	case "ip":
		a, _ := netip.ParseAddr(text)
		return pseudonym.IP(a), ""
	case "ip-prefix":
		p, _ := netip.ParsePrefix(text)
		return pseudonym.IPPrefix(p), ""
	case "uuid":
		u, ok := parseUUID(text)
		if !ok {
			return v, "value"
		}
		return pseudonym.UUID(u), ""
	case "int":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return v, "value"
		}
		return pseudonym.Int(n), ""
	}
	return v, "type"
}

// DescribeJSON appends what the guard knows, as JSON: policy (name, version,
// fingerprint), profile, categories (key and what is known of it), rules and
// detectors (ids). Categories stand in the order of their keys, rules and
// detectors in that of their definition; their numbers are the places in these
// lists, from 0.
func (g *Guard) DescribeJSON(dst []byte) []byte {
	p := g.current.Load()
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	w.Name("categories")
	w.Open('[')
	for _, c := range p.classifier.Categories() {
		writeCategory(&w, &c)
	}
	w.Close(']')
	w.Name("detectors")
	strs(&w, p.classifier.Detectors())
	w.Name("policy")
	writePolicy(&w, p.info)
	number(&w, "profile", profile.Version)
	w.Name("rules")
	strs(&w, p.classifier.Rules())
	w.Close('}')
	return w.Buf
}

func writeCategory(w *jsondoc.Writer, c *classify.Category) {
	w.Open('{')
	optional(w, "iso19944", c.ISO19944)
	str(w, "key", c.Key)
	optional(w, "parent", c.Parent)
	optional(w, "qualifier", c.Qualifier)
	optional(w, "title", c.Title)
	w.Close('}')
}

// AppendJSON appends the policy's name, version and fingerprint as a JSON object
// with sorted keys.
func (p PolicyInfo) AppendJSON(dst []byte) []byte {
	w := jsondoc.Writer{Buf: dst}
	writePolicy(&w, p)
	return w.Buf
}

func writePolicy(w *jsondoc.Writer, p PolicyInfo) {
	w.Open('{')
	str(w, "fingerprint", p.Fingerprint)
	str(w, "name", p.Name)
	w.Name("version")
	w.Append(func(b []byte) []byte { return strconv.AppendUint(b, p.Version, 10) })
	w.Close('}')
}

// A Code classifies an error for programs. Codes are stable.
type Code string

// The codes.
const (
	CodeBadRequest      Code = "BAD_REQUEST"      // the event or request could not be read, or lacks something
	CodeTooLarge        Code = "TOO_LARGE"        // larger than 16 MiB
	CodeTooDeep         Code = "TOO_DEEP"         // nested deeper than 64 levels
	CodeTooMany         Code = "TOO_MANY"         // more than 65,536 values
	CodeRuleError       Code = "RULE_ERROR"       // a rule could not be evaluated for this input
	CodeNoSecret        Code = "NO_SECRET"        // there is no secret for the tenant
	CodeSecretDestroyed Code = "SECRET_DESTROYED" // there was one
	CodeBadSecret       Code = "BAD_SECRET"       // the secret cannot be used, or its version has one already
	CodeBadScope        Code = "BAD_SCOPE"        // tenant, purpose or category is missing or too long
	CodeBadValue        Code = "BAD_VALUE"        // the value is not in the form of its type
	CodeNotBundle       Code = "NOT_BUNDLE"
	CodeBundleNewer     Code = "BUNDLE_NEWER"
	CodeBundleTruncated Code = "BUNDLE_TRUNCATED"
	CodeBundleCorrupt   Code = "BUNDLE_CORRUPT"
	CodeBundleTooLarge  Code = "BUNDLE_TOO_LARGE"
	CodeBadPolicy       Code = "BAD_POLICY" // the bundle is whole, and cannot be opened here
	CodeInternal        Code = "INTERNAL"   // anything else, such as a ledger that did not answer
)

// ErrorCode classifies an error of this package. It is [CodeInternal] for errors
// that it does not know.
func ErrorCode(err error) Code {
	for _, known := range [...]struct {
		err  error
		code Code
	}{
		{ErrNotBundle, CodeNotBundle}, {ErrBundleNewer, CodeBundleNewer}, {ErrBundleTruncated, CodeBundleTruncated},
		{ErrBundleCorrupt, CodeBundleCorrupt}, {ErrBundleTooLarge, CodeBundleTooLarge},
		{errNoSecrets, CodeNoSecret}, {pseudonym.ErrUnknown, CodeNoSecret}, {pseudonym.ErrPending, CodeNoSecret}, {pseudonym.ErrDestroyed, CodeSecretDestroyed},
		{pseudonym.ErrSecret, CodeBadSecret}, {pseudonym.ErrExists, CodeBadSecret}, {pseudonym.ErrScope, CodeBadScope},
		{classify.ErrInvalid, CodeBadPolicy}, {errRetentionForm, CodeBadPolicy}, {retention.ErrRange, CodeBadRequest},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	part, problem, _, _ := read(err)
	switch {
	case problem == tooLarge && part == "":
		return CodeTooLarge
	case problem == jsondoc.TooDeep.String():
		return CodeTooDeep
	case problem == jsondoc.TooMany.String():
		return CodeTooMany
	case problem != "":
		return CodeBadRequest
	case isA[*RuleError](err) || isA[*retention.RuleError](err):
		return CodeRuleError
	case isA[*pseudonym.ValueError](err):
		return CodeBadValue
	case isA[*retention.ConfigError](err) || isA[consent.ConfigErrors](err):
		return CodeBadPolicy
	}
	return CodeInternal
}

const tooLarge = "larger than 16 MiB"

func isA[T error](err error) bool {
	var e T
	return errors.As(err, &e)
}

// read takes apart the errors about something that could not be read.
func read(err error) (part, problem, mend string, offset int) {
	var event *EventError
	var request *RequestError
	var input *retention.InputError
	switch {
	case errors.As(err, &event):
		return event.Part, event.Problem, event.Mend, event.Offset
	case errors.As(err, &request):
		return request.Part, request.Problem, request.Mend, request.Offset
	case errors.As(err, &input):
		return input.Field, input.Problem, "", -1
	}
	return "", "", "", -1
}

// AppendErrorJSON appends an error of this package as a JSON object with sorted
// keys: code and message always; mend, offset (byte from 0), part and rule where
// they are known. Text that is not this module's own, such as a ledger's, is left
// out, because it may hold data.
func AppendErrorJSON(dst []byte, err error) []byte {
	code := ErrorCode(err)
	part, message, mend, offset := read(err)
	rule := ""
	var r *RuleError
	var rr *retention.RuleError
	switch {
	case message != "":
	case errors.As(err, &r):
		rule, message = r.Rule, r.Problem
	case errors.As(err, &rr):
		rule, message = rr.Rule, rr.Problem
	case code == CodeInternal:
		message = "could not decide"
	case code == CodeNoSecret:
		message = "there is no secret for this tenant; give the guard one"
	case code == CodeSecretDestroyed:
		message = "the tenant's secret was destroyed; its tokens can no longer be made"
	default:
		message = err.Error()
	}
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	str(&w, "code", string(code))
	optional(&w, "mend", mend)
	str(&w, "message", message)
	if offset >= 0 {
		number(&w, "offset", offset)
	}
	optional(&w, "part", part)
	optional(&w, "rule", rule)
	w.Close('}')
	return w.Buf
}
