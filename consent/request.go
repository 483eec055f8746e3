package consent

import "time"

// Limits of one request, beyond which it is malformed.
const (
	MaxPurposes   = 64
	MaxOrigins    = 64
	MaxAttributes = 1024
)

// A Request asks whether something may be done with data. Only At and a purpose
// are required; what is empty is not known or not asked. Decide reads the request
// and never changes it.
type Request struct {
	Subject Subject
	// Purpose, or several in Purposes: then every one must allow.
	Purpose    string
	Purposes   []string
	Category   string // what the data is; empty: the question is about the purpose alone
	Class      string // why it was collected
	Feature    string // which feature asks
	Operation  Operation
	Qualifier  Qualifier
	Origin     string // provided, observed, third_party, derived; read by conditions
	Channel    string // empty: by any channel, so that a refusal of one of them counts
	DataSource string
	Recipient  Recipient
	Region     string // where it would be stored
	// StaffCountry is where those who would work on it are.
	StaffCountry string
	// Switches are the user's settings by feature, Admin those of the tenant's
	// administrator. Absent: nothing was set. Only the asked feature's are read.
	Switches map[string]bool
	Admin    map[string]bool
	Signals  Signals
	Promote  Promote
	Combine  Combine
	Share    Share
	// Claim is the id of a recorded result that the data is no longer personal.
	Claim   string
	Context map[string]string // read by conditions
	Notices []NoticeRef       // that the person has been given
	// Service is who asks: consent to promote or combine must have been given to it.
	Service string
	// Location is where the person is, as a place of [Regimes]; Subject.Residence
	// is where the person lives. The stricter of the two counts.
	Location string
	// AgeAssured says how Subject.AgeBand is known; read where the policy has [Ages].
	AgeAssured Assurance
	// Reference is to the law, the order or the case behind a legal obligation or
	// a vital interest, where the policy names none: an id. It is not printed.
	Reference string
	// BySubject says that the person asked for this very act.
	BySubject bool
	// Party is whose processing it is; see [Source]. Empty: the sources' own.
	Party string
	// Collector is who collects, for [Setting].Collector: provider or
	// organisation, or another name that policy and caller share.
	Collector string
	// Settings are switches that are narrower than Switches and Admin.
	Settings []Setting
	// At is the instant of the use, for which the decision holds. Required.
	At time.Time
}

// A Subject is what is known of the person. Conditions read all of it. ID is
// opaque, a pseudonym; nothing ever prints it.
type Subject struct {
	ID        string
	Account   string // consumer, work, school; read with [Setting]
	Tenant    string // read with [Setting]
	AgeBand   string // unknown, under13, 13..15, 16..17, adult, or whole years; read with [Ages]
	Residence string // a place, such as DE or US-CA; read with [Regimes] and [Ages]
	Attr      map[string]string
}

// A Recipient is who would receive the data.
type Recipient struct{ Role, ID string }

// An Operation is what would be done. The empty operation is use.
type Operation string

// The operations. Promote, Combine and Share also apply, whatever the operation,
// when the request fills the field of that name.
const (
	OpCollect Operation = "collect"
	OpUse     Operation = "use"
	OpPromote Operation = "promote" // passes the gate of promotion
	OpCombine Operation = "combine" // passes the gate of combination
	OpShare   Operation = "share"   // passes the gate of sharing
	OpSync    Operation = "sync"    // needs a consent recorded for syncing; see [Feature]
	OpExport  Operation = "export"
	OpErase   Operation = "erase"
)

// A Qualifier says how identifiable data is (ISO/IEC 19944-1, 8.3). Other texts
// are for conditions and carry no meaning here.
type Qualifier string

// The qualifiers, most exposed first.
const (
	Identified            Qualifier = "identified"
	Pseudonymized         Qualifier = "pseudonymized"
	UnlinkedPseudonymized Qualifier = "unlinked_pseudonymized"
	Anonymized            Qualifier = "anonymized"
	Aggregated            Qualifier = "aggregated"
)

// Promote moves data from one class to another.
type Promote struct{ From, To string }

// Combine joins the request's own data (its class, its service) with others.
type Combine struct{ With []Origin }

// An Origin is data of one class at one service; one of the two may be empty.
type Origin struct{ Class, Service string }

// Share gives attributes to a recipient. The recipient may be left to
// [Request].Recipient.
type Share struct {
	Recipient  string
	Attributes []string
}

// A NoticeRef names a version of a notice.
type NoticeRef struct{ ID, Version string }

// ops is a set of operations that a consent can be about.
type ops uint8

const (
	useBit ops = 1 << iota
	promoteBit
	combineBit
	shareBit
	syncBit
)

// scopeOf says what kind of consent an operation is about; 0: unknown operation.
func scopeOf(o Operation) ops {
	switch o {
	case "", OpUse, OpCollect, OpExport, OpErase:
		return useBit
	case OpPromote:
		return promoteBit
	case OpCombine:
		return combineBit
	case OpShare:
		return shareBit
	case OpSync:
		return syncBit
	}
	return 0
}
