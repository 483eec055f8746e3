package ledger

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/consent"
)

// A Kind is what an event says: the states of [consent.State], and what else is
// known of a subject.
type Kind string

// The kinds. Released ends a restriction; nothing ends an erasure, because who
// comes back afterwards is a new subject.
const (
	KindRequested   = Kind(consent.StateRequested)
	KindDeferred    = Kind(consent.StateDeferred)
	KindDenied      = Kind(consent.StateDenied)
	KindGranted     = Kind(consent.StateGranted)
	KindRenewed     = Kind(consent.StateRenewed)
	KindWithdrawn   = Kind(consent.StateWithdrawn)
	KindObjected    = Kind(consent.StateObjected)
	KindInvalidated = Kind(consent.StateInvalidated)
	KindTerminated  = Kind(consent.StateTerminated)

	KindClaim      Kind = "claim"
	KindErased     Kind = "erased"
	KindRestricted Kind = "restricted"
	KindReleased   Kind = "released"

	// KindMerged and KindMergedInto are the two sides of a merge.
	KindMerged     Kind = "merged"
	KindMergedInto Kind = "merged_into"
)

// answers reports whether the kind is a state of [consent.State].
func (k Kind) answers() bool {
	switch k {
	case KindClaim, KindErased, KindRestricted, KindReleased, KindMerged, KindMergedInto:
		return false
	}
	return true
}

// An Event is one entry of the history. The constructors fill what every event
// needs; set further fields before appending it.
//
// ID, Kind, the times, Strength, Notice, Text and the purpose of the Scope stay
// readable after the subject was erased: put nothing of the person into them. All
// else is sealed with the subject's key.
type Event struct {
	// ID is opaque and is printed as evidence: letters, digits and _-.:/ only.
	// Appending an event with the ID of an equal one does nothing, so that a
	// caller may try again. Empty: the ledger gives one.
	ID      string
	Subject string // opaque, at most 256 bytes
	Kind    Kind
	Valid   time.Time // from when it is true
	// Known is when the ledger learned of it. Zero: at Valid. Within a subject it
	// never runs backwards: an event that says it was known before an earlier
	// event of the log is taken as known at the same instant as that one, because
	// what was known at a time must not change afterwards. Set it for events that
	// arrive late, and for events that are true from a later date.
	Known time.Time
	Seq   uint64 // place in the log, from 1; given by the ledger

	Scope    consent.Scope     // of a state
	Strength consent.Strength  // of a grant
	Expires  time.Time         // of a grant or a claim
	Notice   consent.NoticeRef // shown when the person was asked
	Text     Hash              // of the exact text that was shown; zero: not recorded

	By            consent.Giver // who gave it; empty: the person
	AfterConflict bool          // of an answer: as in [consent.Record]
	Method        string        // how, such as "checkbox"; at most 256 bytes
	Evidence      string        // where the proof lies, or the proof itself; at most 16 KiB
	Note          string        // free text; at most 16 KiB

	Claim   string         // id of a claim
	Result  consent.Result // of a claim
	LiveKey bool           // of a claim

	Merged string // the other subject of a merge

	Dropped uint64 // of an erasure: how many events lost their payload; given by the ledger
	Why     Why    // of an erasure
}

// Granted records consent, expressed by a clear act, from the instant at. Set
// Strength for another strength, Expires for an end, Notice for what was shown.
func Granted(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindGranted, Scope: scope, Valid: at, Strength: consent.Expressed}
}

// Renewed records that a consent was confirmed; like [Granted].
func Renewed(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindRenewed, Scope: scope, Valid: at, Strength: consent.Expressed}
}

// Withdrawn records that consent was taken back. It needs what [Granted] needs and
// no more (GDPR Art. 7(3)). A second withdrawal changes no decision.
func Withdrawn(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindWithdrawn, Scope: scope, Valid: at}
}

// Denied records that the person was asked and refused, or switched off what was
// allowed by default.
func Denied(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindDenied, Scope: scope, Valid: at}
}

// Objected records an objection (GDPR Art. 21).
func Objected(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindObjected, Scope: scope, Valid: at}
}

// Requested records that the person was asked and has not answered.
func Requested(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindRequested, Scope: scope, Valid: at}
}

// Deferred records that the person put the answer off.
func Deferred(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindDeferred, Scope: scope, Valid: at}
}

// Invalidated records that a consent turned out not to be one: by an authority,
// for fraud, given by somebody who could not give it.
func Invalidated(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindInvalidated, Scope: scope, Valid: at}
}

// Terminated records that the controller ended what the consent was for.
func Terminated(subject string, scope consent.Scope, at time.Time) Event {
	return Event{Subject: subject, Kind: KindTerminated, Scope: scope, Valid: at}
}

// Claimed records what a check of linkability found on the subject's data. A later
// claim with the same id replaces it.
func Claimed(subject string, claim consent.Claim) Event {
	return Event{Subject: subject, Kind: KindClaim, Claim: claim.ID, Valid: claim.CheckedAt, Expires: claim.Expires, Result: claim.Result, LiveKey: claim.LiveKey}
}

// Merged records that from, known by a device or a pseudonym of its own until now,
// is the person into. From the instant at on, the answers of both count for into,
// the more restrictive one where they differ, until the person answers anew (see
// [consent.Merge]); what from answers afterwards does not. The history of from stays
// its own, and is told of the merge by an event that the ledger adds.
func Merged(into, from string, at time.Time) Event {
	return Event{Subject: into, Kind: KindMerged, Merged: from, Valid: at}
}

// Restricted records that the person has processing restricted (GDPR Art. 18),
// until [Released].
func Restricted(subject string, at time.Time) Event {
	return Event{Subject: subject, Kind: KindRestricted, Valid: at}
}

// Released ends a restriction.
func Released(subject string, at time.Time) Event {
	return Event{Subject: subject, Kind: KindReleased, Valid: at}
}

// An EventError says which event of an Append is malformed. It never contains
// anything of the event.
type EventError struct {
	Index   int // in the call, from 0
	Part    string
	Problem string
	Mend    string
}

func (e *EventError) Error() string {
	return "ledger: event " + strconv.Itoa(e.Index) + ": " + e.Part + ": " + e.Problem + ": " + e.Mend
}

// maxText bounds subjects and names, in bytes, and maxNote what may be longer.
const (
	maxText = 256
	maxNote = 16 << 10
)

// check says what is wrong with an event, nil for nothing. What consent would
// refuse in a view is refused on the way in.
func (ev *Event) check() *EventError {
	switch {
	case ev.Subject == "" || len(ev.Subject) > maxText:
		return &EventError{Part: "subject", Problem: "missing or too long", Mend: "use a pseudonym of 1 to 256 bytes"}
	case ev.Valid.IsZero():
		return &EventError{Part: "valid", Problem: "missing", Mend: "say from when it is true"}
	case len(ev.Notice.ID) > maxText || len(ev.Notice.Version) > maxText:
		return &EventError{Part: "notice", Problem: "too long", Mend: "use at most 256 bytes for the id and for the version"}
	case !slices.Contains([]consent.Giver{"", consent.BySubject, consent.ByGuardian, consent.ByBoth}, ev.By):
		return &EventError{Part: "by", Problem: "nobody who gives an answer", Mend: "use subject, guardian or both, or leave it empty"}
	case ev.AfterConflict && !ev.Kind.answers():
		return &EventError{Part: "kind", Problem: "only an answer is given after a conflict", Mend: "leave the other fields empty"}
	case len(ev.Method) > maxText:
		return &EventError{Part: "method", Problem: "too long", Mend: "use at most 256 bytes"}
	case len(ev.Evidence) > maxNote || len(ev.Note) > maxNote:
		return &EventError{Part: "evidence", Problem: "too long, or the note is", Mend: "use at most 16 KiB for each, and keep larger proofs elsewhere"}
	case ev.Dropped != 0 || ev.Why != 0 || ev.Kind == KindErased:
		return &EventError{Part: "kind", Problem: "an erasure is not appended", Mend: "call Erase, which destroys the subject's key and records that"}
	case ev.Kind == KindMergedInto:
		return &EventError{Part: "kind", Problem: "the ledger adds this event to a merge", Mend: "append the merge of the other subject"}
	case ev.Kind == KindMerged && (ev.Merged == "" || len(ev.Merged) > maxText || ev.Merged == ev.Subject):
		return &EventError{Part: "merged", Problem: "missing, too long or the subject itself", Mend: "name the other subject"}
	case ev.Kind != KindMerged && ev.Merged != "":
		return &EventError{Part: "merged", Problem: "only a merge names another subject", Mend: "leave it empty"}
	}
	facts := consent.Facts{Records: []consent.Record{ev.record()}}
	switch ev.Kind {
	case KindRestricted, KindReleased, KindMerged:
		if !isZeroScope(&ev.Scope) || ev.Strength != "" || !ev.Expires.IsZero() || ev.shown() || ev.claims() {
			return &EventError{Part: "kind", Problem: "this kind says nothing about a purpose or a claim", Mend: "leave the other fields empty"}
		}
		facts.Records[0].Scope.Purpose, facts.Records[0].State = "any", consent.StateRequested // to check the id
	case KindClaim:
		if !isZeroScope(&ev.Scope) || ev.Strength != "" || ev.shown() {
			return &EventError{Part: "kind", Problem: "a claim has no scope, strength or notice", Mend: "leave them empty"}
		}
		facts.Claims = []consent.Claim{ev.claim()}
		facts.Records[0] = consent.Record{ID: ev.ID, Scope: consent.Scope{Purpose: "any"}, State: consent.StateRequested, Given: ev.Valid}
	default:
		if ev.claims() {
			return &EventError{Part: "kind", Problem: "only a claim has a claim id, a result or a live key", Mend: "leave them empty"}
		}
	}
	var wrong *consent.FactError
	if _, err := consent.NewView(facts); errors.As(err, &wrong) {
		_, part, _ := strings.Cut(wrong.Path, ".")
		return &EventError{Part: part, Problem: wrong.Problem, Mend: wrong.Mend}
	}
	return nil
}

func (ev *Event) shown() bool { return ev.Notice != (consent.NoticeRef{}) || ev.Text != (Hash{}) }

func (ev *Event) claims() bool { return ev.Claim != "" || ev.Result != "" || ev.LiveKey }

func isZeroScope(s *consent.Scope) bool { return sameScope(s, &consent.Scope{}) }

func sameScope(a, b *consent.Scope) bool {
	return a.Purpose == b.Purpose && a.Operation == b.Operation && a.Channel == b.Channel && a.Recipient == b.Recipient &&
		a.Service == b.Service && a.From == b.From && a.To == b.To &&
		slices.Equal(a.Origins, b.Origins) && slices.Equal(a.Attributes, b.Attributes)
}

// same reports whether two events say the same; what the ledger gives does not count.
func (ev *Event) same(o *Event) bool {
	return ev.Subject == o.Subject && ev.Kind == o.Kind && ev.Valid.Equal(o.Valid) &&
		ev.Strength == o.Strength && ev.Expires.Equal(o.Expires) && ev.Notice == o.Notice &&
		ev.Claim == o.Claim && ev.Result == o.Result && ev.LiveKey == o.LiveKey && sameScope(&ev.Scope, &o.Scope) &&
		ev.Text == o.Text && ev.By == o.By && ev.AfterConflict == o.AfterConflict && ev.Method == o.Method && ev.Evidence == o.Evidence && ev.Note == o.Note && ev.Merged == o.Merged
}

func (ev Event) clone() Event {
	ev.Scope.Origins = slices.Clone(ev.Scope.Origins)
	ev.Scope.Attributes = slices.Clone(ev.Scope.Attributes)
	return ev
}

func (ev *Event) record() consent.Record {
	return consent.Record{
		ID: ev.ID, Scope: ev.Scope, State: consent.State(ev.Kind), Strength: ev.Strength,
		Given: ev.Valid, Expires: ev.Expires, Notice: ev.Notice, By: ev.By, AfterConflict: ev.AfterConflict,
	}
}

func (ev *Event) claim() consent.Claim {
	return consent.Claim{ID: ev.Claim, Result: ev.Result, CheckedAt: ev.Valid, Expires: ev.Expires, LiveKey: ev.LiveKey}
}
