package consent

import "time"

// Names of opt-out signals, in [Signal].Kind and in [Purpose].Signals.
const (
	SignalGPC = "gpc" // Global Privacy Control
	SignalGPP = "gpp" // a section of a Global Privacy Platform string
	SignalUSP = "usp" // a US Privacy string
	SignalDNT = "dnt" // Do Not Track: carried, never decisive, because no law binds it
)

// A Use is what a purpose is in the words of opt-out laws.
type Use string

// The uses. UseSensitive is not one of a purpose: it stands in [Signal].OptOut for
// a limit on the categories in [Policy].Sensitive.
const (
	UseSale        Use = "sale"
	UseShare       Use = "share" // for cross-context advertising
	UseTargetedAds Use = "targeted_ads"
	UseProfiling   Use = "profiling"
	UseSensitive   Use = "sensitive"
)

// Signals are opt-out signals that came with the request, or are known of its
// device. The zero value is no statement: the absence of a signal grants nothing.
type Signals struct {
	GPC  bool // short for a [Signal] of kind gpc with nothing else known
	List []Signal
}

// A Signal is one parsed signal.
type Signal struct {
	Kind string // gpc, gpp, usp, dnt; another kind has no effect
	// OptOut is what a GPP section says no to. A USP signal is always about sale,
	// GPC about what the regime says; for both it stays empty.
	OptOut []Use
	// Since is when the signal was first seen from the device. Zero: not known,
	// so that no consent can be shown to be later.
	Since time.Time
	// Source is how it came: header, query, cookie, script. Device is the opaque
	// key of the browser or device. Nothing prints them.
	Source, Device string
}

var kinds = [...]string{SignalGPC, SignalGPP, SignalUSP}

// uses is a set of uses.
type uses uint8

const (
	saleBit uses = 1 << iota
	shareUseBit
	targetedBit
	profilingBit
	sensitiveBit
	allUses = saleBit | shareUseBit | targetedBit | profilingBit
	// gpcUses is what Global Privacy Control is about: the texts of the laws name
	// sale, sharing and targeted advertising, and none of those in force profiling.
	gpcUses = saleBit | shareUseBit | targetedBit
)

func useBitOf(u Use) uses {
	switch u {
	case UseSale:
		return saleBit
	case UseShare:
		return shareUseBit
	case UseTargetedAds:
		return targetedBit
	case UseProfiling:
		return profilingBit
	case UseSensitive:
		return sensitiveBit
	}
	return 0
}

func useBits(list []Use) (set uses) {
	for _, u := range list {
		set |= useBitOf(u)
	}
	return set
}

// Row 10.

func (q *query) signalled() bool {
	s := &q.r.Signals
	if !s.GPC && len(s.List) == 0 {
		return false
	}
	if s.GPC {
		plain := Signal{Kind: SignalGPC}
		if q.bySignal(&plain) {
			return true
		}
	}
	for i := range s.List {
		if q.bySignal(&s.List[i]) {
			return true
		}
	}
	return false
}

// bySignal denies by one signal, unless row 11 lifts it.
func (q *query) bySignal(s *Signal) bool {
	var reason Reason
	bit := uint8(0)
	switch s.Kind {
	case SignalGPC:
		reason, bit = ReasonSignalGPC, gpcKind
	case SignalGPP:
		reason, bit = ReasonSignalGPP, gppKind
	case SignalUSP:
		reason, bit = ReasonSignalUSP, uspKind
	default:
		return false
	}
	honoured := q.p.signals&bit != 0
	rule := q.binding(s)
	if !honoured && rule == nil {
		return false
	}
	if s.Since.After(q.r.At) { // not seen yet
		q.bound(s.Since)
		return false
	}
	if q.consentedLater(s) {
		q.note(stepOverridden)
		return false
	}
	q.honour = rule
	return q.deny(reason, q.p.Key, q.p.Purpose.Source, "")
}

// Bits of the kinds of signals that a purpose honours everywhere.
const (
	gpcKind uint8 = 1 << iota
	gppKind
	uspKind
)

// binding finds the regime in which a signal binds the purpose, nil for none.
func (q *query) binding(s *Signal) *regimeRow {
	if q.e.regimes == nil {
		return nil
	}
	told := useBits(s.OptOut)
	switch s.Kind {
	case SignalGPC:
		told = gpcUses
	case SignalUSP:
		told = saleBit
	}
	hit := told & q.p.uses
	limits := told&sensitiveBit != 0 && q.sensitive()
	if hit == 0 && !limits {
		return nil
	}
	q.useRegime()
	for i := range q.places[:q.placed] {
		row := q.places[i]
		switch {
		case row.Mechanism == OptOut && limits && row.Sensitive == SensitiveLimit:
			return row
		case hit == 0:
		case row.Mechanism == OptIn && !q.e.policy.Regimes.IgnoreSignalsInOptIn:
			return row
		case row.Mechanism == OptOut && (row.GPC || s.Kind != SignalGPC):
			return row
		}
	}
	return nil
}

// Row 11.

var stepOverridden = []Step{{11, ReasonSignalOverridden, "", "the person consented later, told that a signal says otherwise"}}

// consentedLater reports whether a signal gives way to a consent that the person
// gave to this very purpose after the signal was first seen, having been told of
// the conflict, in places whose regime lets it. A device that nobody is known
// behind has no such person.
func (q *query) consentedLater(s *Signal) bool {
	q.useRegime()
	if q.placed == 0 || s.Since.IsZero() || s.Device != "" && s.Device == q.r.Subject.ID {
		return false
	}
	for _, row := range q.places[:q.placed] {
		if !row.afterNotice {
			return false
		}
	}
	q.since = s.Since
	r := q.find(0, max(q.p.strength, strengthExpressed))
	q.since = time.Time{}
	if r == nil {
		return false
	}
	q.prove(r.evidence)
	return true
}
