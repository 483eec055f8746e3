package privacy

import (
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/retention"
)

// An Event is one thing that happened to data of one person, and what is wanted
// with it. Only Fields, At and a purpose are needed; what is empty is not known.
type Event struct {
	ID string // handed through to the result
	// At is when it happened: consent counts as of then. Zero: the clock of
	// [WithClock]; without a clock such an event is refused.
	At       time.Time
	Class    string // why the data was collected, a key of the policy
	Purpose  string
	Purposes []string // several: every one must allow, the worst outcome wins
	Feature  string
	// Operation is collect, use, promote, combine, share, sync, export or erase;
	// empty: use.
	Operation string
	Subject   Subject
	Switches  map[string]bool // the user's settings by feature
	Admin     map[string]bool // the administrator's settings by feature
	Signals   consent.Signals
	Origin    string // provided, observed, third_party, derived
	// Anchors are the events that retention periods run from; Withdrawn are those
	// that were taken back, as a renewal takes the end of a subscription back, and when.
	Anchors, Withdrawn map[retention.Anchor]time.Time
	// Holds forbid deletion, and Erasure asks for it; they change what the result says
	// of retention, and nothing else. In JSON at most 256 holds.
	Holds        []retention.Hold
	Erasure      *retention.Erasure
	Channel      string
	DataSource   string
	Qualifier    string // identified, pseudonymized, unlinked_pseudonymized, anonymized, aggregated
	Claim        string // id of the recorded result that the data is no longer personal
	Recipient    consent.Recipient
	Region       string // where it would be stored
	StaffCountry string
	Service      string // who asks
	Location     string // where the person is, a place such as DE or US-CA
	AgeAssured   consent.Assurance
	Reference    string // behind a legal obligation or a vital interest: an id
	BySubject    bool   // the person asked for this very act
	Party        string // whose processing it is
	Collector    string // who collects; see [consent.Setting]
	// Settings are switches that are narrower than Switches and Admin.
	Settings []consent.Setting
	Promote  consent.Promote
	Combine  consent.Combine
	Share    consent.Share
	Notices  []consent.NoticeRef
	Context  map[string]string
	// Declared says of fields, by path, what the caller knows of them; it
	// outweighs what the classifier finds.
	Declared map[string]Declared
	// What is known of the subject, for hosts without a ledger; refused beside a
	// ledger, which knows better. Merged are histories of devices that turned out
	// to be the subject's.
	Consents           []consent.Record
	Merged             []consent.Merge
	Claims             []consent.Claim
	Erased, Restricted bool
	// Fields is the data: maps, slices, strings, numbers, booleans, nil, times.
	// Up to 64 levels deep and 65,536 values.
	Fields map[string]any
}

// A Subject is the person whom the data is about.
type Subject struct {
	// ID is the key under which the ledger knows the person. It appears in no
	// result.
	ID        string
	Account   string // consumer, work, school
	Tenant    string // whose data it is; pseudonyms join inside one tenant only
	AgeBand   string
	Residence string
	Attr      map[string]string
}

// Declared is what the caller knows of a field.
type Declared struct {
	Category string // a key of the taxonomy
	Class    string // of this field; another than the event's makes the event a mixed one, which is refused
}

// An EventError says why an event could not be read. It names parts of the event
// by the keys of its documentation and by byte offsets, never by content.
type EventError struct {
	Part    string // such as subject.tenant; may be empty
	Offset  int    // byte in the JSON from 0; -1 if unknown
	Problem string
	Mend    string
}

// Error is one line.
func (e *EventError) Error() string {
	s := "event: "
	if e.Part != "" {
		s += e.Part + ": "
	}
	s += e.Problem
	if e.Offset >= 0 {
		s += " (byte " + itoa(e.Offset) + ")"
	}
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}
