package consent

// Affected is whose privacy a setting touches.
type Affected string

// Whose privacy it is.
const (
	AffectsSubject      Affected = "subject"
	AffectsOrganisation Affected = "organisation"
)

// An Actor is who made a setting.
type Actor string

// The actors of settings.
const (
	ByUser  Actor = "user"
	ByAdmin Actor = "admin"
)

// An Aspect is the part of a feature that a setting is about.
type Aspect string

// The aspects. Empty: both.
const (
	OfCollection Aspect = "collection" // the operation collect
	OfUse        Aspect = "use"        // every other operation, on what is collected already too
)

// A Setting is a switch of a feature that is narrower than those of
// [Request].Switches and [Request].Admin. Like those it can only deny: a setting
// that is on consents to nothing.
type Setting struct {
	Feature   string
	By        Actor
	On        bool
	Of        Aspect
	Collector string // whose collection; empty: anybody's. Compared with [Request].Collector
	// An administrator's setting counts in the administrator's own tenant (empty:
	// the subject's) and not for consumer accounts, unless it is of the device.
	Tenant string
	Device bool
}

// maxSettings bounds the settings, and the signals, of a request.
const maxSettings = 256

// Rows 5 and 6.

var stepNotTheirs = []Step{{5, ReasonAdminDisabled, "", "an administrator's setting of another tenant, or on a consumer's account"}}

func (q *query) adminOff() bool {
	if q.f == nil || len(q.r.Admin) == 0 && len(q.r.Settings) == 0 {
		return false
	}
	on, set := q.r.Admin[q.f.Key]
	off := set && !on
	for i := range q.r.Settings {
		s := &q.r.Settings[i]
		switch {
		case s.By != ByAdmin || !q.switchesOff(s):
		case s.Tenant != "" && s.Tenant != q.r.Subject.Tenant || q.r.Subject.Account == "consumer" && !s.Device:
			q.note(stepNotTheirs)
		default:
			off = true
		}
	}
	if !off {
		return false
	}
	if !q.f.AdminCanDisable {
		q.note(q.f.adminRefused)
		return false
	}
	q.prove(q.f.affects)
	return q.deny(ReasonAdminDisabled, q.f.Key, q.f.Source, "")
}

func (q *query) featureOff() bool {
	if q.f == nil || len(q.r.Switches) == 0 && len(q.r.Settings) == 0 {
		return false
	}
	on, set := q.r.Switches[q.f.Key]
	off := set && !on
	for i := range q.r.Settings {
		if s := &q.r.Settings[i]; s.By == ByUser && q.switchesOff(s) {
			off = true
		}
	}
	if !off {
		return false
	}
	if q.f.Kind == Essential {
		q.note(q.f.userRefused)
		return false
	}
	return q.deny(ReasonFeatureOff, q.f.Key, q.f.Source, "")
}

// switchesOff reports whether a setting switches off what the request does.
func (q *query) switchesOff(s *Setting) bool {
	return !s.On && s.Feature == q.f.Key &&
		(s.Collector == "" || q.r.Collector == "" || s.Collector == q.r.Collector) &&
		(s.Of == "" || (s.Of == OfCollection) == (q.r.Operation == OpCollect))
}

// settings names the malformed part, empty for none.
func (r *Request) settings() string {
	if len(r.Settings) > maxSettings {
		return "settings"
	}
	for i := range r.Settings {
		s := &r.Settings[i]
		if s.By != ByUser && s.By != ByAdmin || s.Of != "" && s.Of != OfCollection && s.Of != OfUse || s.Feature == "" {
			return "settings"
		}
	}
	if len(r.Signals.List) > maxSettings {
		return "signals"
	}
	return ""
}
