package privacy

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Limits of the parts of an event beside its fields. Conditions are bounded for
// texts and maps of this size.
const (
	maxText    = profile.MaxName
	maxEntries = profile.MaxEntries
	maxList    = 256
)

// A decoder reads the parts of an event out of a document and keeps the first
// fault.
type decoder struct {
	doc *jsondoc.Doc
	err *EventError
}

func (d *decoder) fail(i int32, part, problem, mend string) {
	if d.err == nil {
		d.err = &EventError{Part: part, Offset: int(d.doc.Nodes[i].At), Problem: problem, Mend: mend}
	}
}

// str reads a text of bounded length; null reads as empty.
func (d *decoder) str(i int32, part string) string {
	n := &d.doc.Nodes[i]
	switch {
	case n.Kind == jsondoc.Null:
		return ""
	case n.Kind != jsondoc.String:
		d.fail(i, part, "must be a text", "put it in quotes")
	case len(n.Text) > maxText:
		d.fail(i, part, "longer than "+itoa(maxText)+" bytes", "shorten it")
	default:
		return n.Text
	}
	return ""
}

func (d *decoder) time(i int32, part string) time.Time {
	s := d.str(i, part)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		d.fail(i, part, "not an instant", "write it as 2026-03-28T10:00:00Z")
		return time.Time{}
	}
	return t
}

func (d *decoder) bool(i int32, part string) bool {
	n := &d.doc.Nodes[i]
	switch {
	case n.Kind == jsondoc.Bool:
		return n.Text == "true"
	case n.Kind == jsondoc.String && n.Text == "on":
		return true
	case n.Kind == jsondoc.String && n.Text == "off":
		return false
	}
	d.fail(i, part, "must be on or off", `write "on", "off", true or false`)
	return false
}

// members calls f for each member of an object; null reads as an empty one.
func (d *decoder) members(i int32, part string, limit int, f func(key string, c int32)) {
	n := &d.doc.Nodes[i]
	switch {
	case n.Kind == jsondoc.Null:
		return
	case n.Kind != jsondoc.Object:
		d.fail(i, part, "must be an object", "write {…}")
		return
	case d.doc.Len(i) > limit:
		d.fail(i, part, "more than "+itoa(limit)+" entries", "send fewer")
		return
	}
	for _, c := range d.doc.Children(i) {
		key := d.doc.Nodes[c].Key
		if len(key) > maxText {
			d.fail(c, part, "a key is longer than "+itoa(maxText)+" bytes", "shorten it")
			return
		}
		f(key, c)
	}
}

func (d *decoder) items(i int32, part string, f func(c int32)) {
	n := &d.doc.Nodes[i]
	switch {
	case n.Kind == jsondoc.Null:
		return
	case n.Kind != jsondoc.Array:
		d.fail(i, part, "must be a list", "write […]")
		return
	case d.doc.Len(i) > maxList:
		d.fail(i, part, "more than "+itoa(maxList)+" items", "send fewer")
		return
	}
	for _, c := range d.doc.Children(i) {
		f(c)
	}
}

func (d *decoder) strs(i int32, part string) (out []string) {
	d.items(i, part, func(c int32) { out = append(out, d.str(c, part)) })
	return out
}

func (d *decoder) strMap(i int32, part string) (out map[string]string) {
	d.members(i, part, maxEntries, func(key string, c int32) {
		if out == nil {
			out = make(map[string]string, d.doc.Len(i))
		}
		out[key] = d.str(c, part)
	})
	return out
}

func (d *decoder) switches(i int32, part string) (out map[string]bool) {
	d.members(i, part, maxList, func(key string, c int32) {
		if out == nil {
			out = make(map[string]bool, d.doc.Len(i))
		}
		out[key] = d.bool(c, part)
	})
	return out
}

// unknown reports a key that an event does not have. The key itself may be data
// that went astray, so it is not shown.
func (d *decoder) unknown(c int32, part, keys string) {
	d.fail(c, part, "has a key that is not known here", "the keys are: "+keys)
}

const eventKeys = "id at class purpose purposes feature operation subject switches admin signals origin anchors withdrawn holds erasure channel data_source qualifier claim recipient region staff_country service location age_assured reference by_subject party collector settings promote combine share notices context declared consents merged claims erased restricted fields"

// event reads the whole event but its fields, whose node it returns, or -1.
func (d *decoder) event(ev *Event) (fields int32) {
	fields = -1
	if d.doc.Nodes[0].Kind != jsondoc.Object {
		d.fail(0, "", "an event is a JSON object", `write {"fields":{…}}`)
		return fields
	}
	var known consent.Facts
	d.members(0, "", maxList, func(key string, c int32) {
		switch key {
		case "id":
			ev.ID = d.str(c, key)
		case "at":
			ev.At = d.time(c, key)
		case "class":
			if d.doc.Nodes[c].Kind == jsondoc.Array {
				d.fail(c, key, "one event has one class", "send one event for each class")
			}
			ev.Class = d.str(c, key)
		case "purpose":
			ev.Purpose = d.str(c, key)
		case "purposes":
			ev.Purposes = d.strs(c, key)
		case "feature":
			ev.Feature = d.str(c, key)
		case "operation":
			ev.Operation = d.str(c, key)
		case "subject":
			d.subject(c, &ev.Subject)
		case "switches":
			ev.Switches = d.switches(c, key)
		case "admin":
			ev.Admin = d.switches(c, key)
		case "signals":
			ev.Signals = d.signals(c)
		case "origin":
			ev.Origin = d.str(c, key)
		case "anchors":
			ev.Anchors = d.instants(c, key)
		case "withdrawn":
			ev.Withdrawn = d.instants(c, key)
		case "holds":
			ev.Holds = d.holds(c)
		case "erasure":
			ev.Erasure = d.erasure(c)
		case "channel":
			ev.Channel = d.str(c, key)
		case "data_source":
			ev.DataSource = d.str(c, key)
		case "qualifier":
			ev.Qualifier = d.str(c, key)
		case "claim":
			ev.Claim = d.str(c, key)
		case "recipient":
			d.members(c, key, maxList, func(k string, c int32) {
				switch k {
				case "role":
					ev.Recipient.Role = d.str(c, "recipient.role")
				case "id":
					ev.Recipient.ID = d.str(c, "recipient.id")
				default:
					d.unknown(c, key, "role id")
				}
			})
		case "region":
			ev.Region = d.str(c, key)
		case "staff_country":
			ev.StaffCountry = d.str(c, key)
		case "service":
			ev.Service = d.str(c, key)
		case "location":
			ev.Location = d.str(c, key)
		case "age_assured":
			ev.AgeAssured = consent.Assurance(d.str(c, key))
		case "reference":
			ev.Reference = d.str(c, key)
		case "by_subject":
			ev.BySubject = d.bool(c, key)
		case "party":
			ev.Party = d.str(c, key)
		case "collector":
			ev.Collector = d.str(c, key)
		case "settings":
			ev.Settings = d.settings(c)
		case "promote":
			d.members(c, key, maxList, func(k string, c int32) {
				switch k {
				case "from":
					ev.Promote.From = d.str(c, "promote.from")
				case "to":
					ev.Promote.To = d.str(c, "promote.to")
				default:
					d.unknown(c, key, "from to")
				}
			})
		case "combine":
			d.members(c, key, maxList, func(k string, c int32) {
				if k != "with" {
					d.unknown(c, key, "with")
					return
				}
				ev.Combine.With = d.origins(c, "combine.with")
			})
		case "share":
			d.members(c, key, maxList, func(k string, c int32) {
				switch k {
				case "recipient":
					ev.Share.Recipient = d.str(c, "share.recipient")
				case "attributes":
					ev.Share.Attributes = d.strs(c, "share.attributes")
				default:
					d.unknown(c, key, "recipient attributes")
				}
			})
		case "notices":
			d.items(c, key, func(c int32) { ev.Notices = append(ev.Notices, d.notice(c, "notices")) })
		case "context":
			ev.Context = d.strMap(c, key)
		case "declared":
			d.declared(c, ev)
		case "claims", "consents", "erased", "merged", "restricted":
			d.fact(&known, key, c)
		case "fields":
			if d.doc.Nodes[c].Kind != jsondoc.Object {
				d.fail(c, key, "must be an object", "write {…}")
				return
			}
			fields = c
		default:
			d.unknown(c, "", eventKeys)
		}
	})
	ev.Consents, ev.Merged, ev.Claims, ev.Erased, ev.Restricted = known.Records, known.Merged, known.Claims, known.Erased, known.Restricted
	return fields
}

func (d *decoder) subject(i int32, s *Subject) {
	d.members(i, "subject", maxList, func(key string, c int32) {
		switch key {
		case "id":
			s.ID = d.str(c, "subject.id")
		case "account":
			s.Account = d.str(c, "subject.account")
		case "tenant":
			s.Tenant = d.str(c, "subject.tenant")
		case "age_band":
			s.AgeBand = d.str(c, "subject.age_band")
		case "residence":
			s.Residence = d.str(c, "subject.residence")
		case "attr":
			s.Attr = d.strMap(c, "subject.attr")
		default:
			d.unknown(c, "subject", "id account tenant age_band residence attr")
		}
	})
}

func (d *decoder) declared(i int32, ev *Event) {
	d.members(i, "declared", maxList, func(path string, c int32) {
		var v Declared
		d.members(c, "declared", 2, func(key string, c int32) {
			switch key {
			case "category":
				v.Category = d.str(c, "declared.category")
			case "class":
				v.Class = d.str(c, "declared.class")
			default:
				d.unknown(c, "declared", "category class")
			}
		})
		if ev.Declared == nil {
			ev.Declared = map[string]Declared{}
		}
		ev.Declared[path] = v
	})
}

func (d *decoder) origins(i int32, part string) (out []consent.Origin) {
	d.items(i, part, func(c int32) {
		var o consent.Origin
		d.members(c, part, 2, func(key string, c int32) {
			switch key {
			case "class":
				o.Class = d.str(c, part)
			case "service":
				o.Service = d.str(c, part)
			default:
				d.unknown(c, part, "class service")
			}
		})
		out = append(out, o)
	})
	return out
}

func (d *decoder) notice(i int32, part string) (n consent.NoticeRef) {
	d.members(i, part, 2, func(key string, c int32) {
		switch key {
		case "id":
			n.ID = d.str(c, part)
		case "version":
			n.Version = d.str(c, part)
		default:
			d.unknown(c, part, "id version")
		}
	})
	return n
}

const recordKeys = "id purpose operation channel recipient service from to origins attributes state strength given expires notice by after_conflict"

func (d *decoder) record(i int32) (r consent.Record) {
	d.members(i, "consents", 32, func(key string, c int32) {
		part := "consents." + key
		switch key {
		case "id":
			r.ID = d.str(c, part)
		case "purpose":
			r.Purpose = d.str(c, part)
		case "operation":
			r.Operation = consent.Operation(d.str(c, part))
		case "channel":
			r.Channel = d.str(c, part)
		case "recipient":
			r.Recipient = d.str(c, part)
		case "service":
			r.Service = d.str(c, part)
		case "from":
			r.From = d.str(c, part)
		case "to":
			r.To = d.str(c, part)
		case "origins":
			r.Origins = d.origins(c, part)
		case "attributes":
			r.Attributes = d.strs(c, part)
		case "state":
			r.State = consent.State(d.str(c, part))
		case "strength":
			r.Strength = consent.Strength(d.str(c, part))
		case "given":
			r.Given = d.time(c, part)
		case "expires":
			r.Expires = d.time(c, part)
		case "notice":
			r.Notice = d.notice(c, part)
		case "by":
			r.By = consent.Giver(d.str(c, part))
		case "after_conflict":
			r.AfterConflict = d.bool(c, part)
		default:
			d.unknown(c, "consents", recordKeys)
		}
	})
	return r
}

func (d *decoder) claim(i int32) (cl consent.Claim) {
	d.members(i, "claims", 8, func(key string, c int32) {
		switch key {
		case "id":
			cl.ID = d.str(c, "claims.id")
		case "result":
			cl.Result = consent.Result(d.str(c, "claims.result"))
		case "checked_at":
			cl.CheckedAt = d.time(c, "claims.checked_at")
		case "expires":
			cl.Expires = d.time(c, "claims.expires")
		case "live_key":
			cl.LiveKey = d.bool(c, "claims.live_key")
		default:
			d.unknown(c, "claims", "id result checked_at expires live_key")
		}
	})
	return cl
}

// build writes Go values into a document. Errors name the kind of fault only.
type builder struct {
	doc *jsondoc.Doc
	// orig holds the Go value of each node, so that what is kept stays the value
	// that the caller gave.
	orig []any
	err  *EventError
}

func (b *builder) fail(problem, mend string) {
	if b.err == nil {
		b.err = &EventError{Part: "fields", Offset: -1, Problem: problem, Mend: mend}
	}
}

func (b *builder) scalar(key string, kind jsondoc.Kind, text string, orig any) {
	if !utf8.ValidString(text) {
		b.fail("a text is not valid UTF-8", "convert it, or send bytes as base64")
		return
	}
	if !b.doc.Scalar(key, kind, text) {
		b.fail("too many values", "send fewer in one event")
		return
	}
	b.orig = append(b.orig, orig)
}

func (b *builder) open(key string, kind jsondoc.Kind, orig any) bool {
	if !b.doc.Open(key, kind) {
		b.fail("nested too deeply, or too many values", "send at most 64 levels and 65,536 values")
		return false
	}
	b.orig = append(b.orig, orig)
	return true
}

func (b *builder) value(key string, v any) {
	if b.err != nil {
		return
	}
	if !utf8.ValidString(key) {
		b.fail("a key is not valid UTF-8", "convert it")
		return
	}
	switch v := v.(type) {
	case nil:
		b.scalar(key, jsondoc.Null, "", v)
	case string:
		b.scalar(key, jsondoc.String, v, v)
	case bool:
		b.scalar(key, jsondoc.Bool, strconv.FormatBool(v), v)
	case int:
		b.scalar(key, jsondoc.Number, strconv.Itoa(v), v)
	case int8:
		b.scalar(key, jsondoc.Number, strconv.FormatInt(int64(v), 10), v)
	case int16:
		b.scalar(key, jsondoc.Number, strconv.FormatInt(int64(v), 10), v)
	case int32:
		b.scalar(key, jsondoc.Number, strconv.FormatInt(int64(v), 10), v)
	case int64:
		b.scalar(key, jsondoc.Number, strconv.FormatInt(v, 10), v)
	case uint:
		b.scalar(key, jsondoc.Number, strconv.FormatUint(uint64(v), 10), v)
	case uint8:
		b.scalar(key, jsondoc.Number, strconv.FormatUint(uint64(v), 10), v)
	case uint16:
		b.scalar(key, jsondoc.Number, strconv.FormatUint(uint64(v), 10), v)
	case uint32:
		b.scalar(key, jsondoc.Number, strconv.FormatUint(uint64(v), 10), v)
	case uint64:
		b.scalar(key, jsondoc.Number, strconv.FormatUint(v, 10), v)
	case float32:
		b.float(key, float64(v), 32, v)
	case float64:
		b.float(key, v, 64, v)
	case time.Time:
		b.scalar(key, jsondoc.String, v.Format(time.RFC3339Nano), v)
	case map[string]any:
		if b.open(key, jsondoc.Object, v) {
			for k, item := range v {
				b.value(k, item)
			}
			b.close()
		}
	case map[string]string:
		if b.open(key, jsondoc.Object, v) {
			for k, item := range v {
				b.value(k, item)
			}
			b.close()
		}
	case []any:
		if b.open(key, jsondoc.Array, v) {
			for _, item := range v {
				b.value("", item)
			}
			b.close()
		}
	case []string:
		if b.open(key, jsondoc.Array, v) {
			for _, item := range v {
				b.value("", item)
			}
			b.close()
		}
	case Number:
		b.number(key, string(v), v)
	case interface { // encoding/json.Number, without importing it
		Int64() (int64, error)
		String() string
	}:
		b.number(key, v.String(), v)
	default:
		b.fail("a value has a Go type that events do not carry", "use maps with text keys, slices, texts, numbers, booleans, times and nil")
	}
}

func (b *builder) float(key string, f float64, bits int, orig any) {
	if f-f != 0 {
		b.fail("a number is not finite", "leave it out, or send a text")
		return
	}
	b.scalar(key, jsondoc.Number, strconv.FormatFloat(f, 'g', -1, bits), orig)
}

// number takes a number in text form if it is one in JSON.
func (b *builder) number(key, text string, orig any) {
	var d jsondoc.Doc
	if d.Parse(text, jsondoc.Limits{}) != nil || d.Nodes[0].Kind != jsondoc.Number || d.Nodes[0].Text != text {
		b.fail("a number is not written as JSON writes it", "use a plain number type")
		return
	}
	b.scalar(key, jsondoc.Number, text, orig)
}

func (b *builder) close() {
	if b.err == nil && !b.doc.Close() {
		b.fail("an object has one key twice", "")
	}
}
