package retention

import "errors"

// Kind is what a rule asks for. The zero value is no kind; [New] refuses it.
type Kind uint8

// The kinds of rules. The numbers are stable. The last two are no rules: they
// name steps of a trail.
const (
	Floor   Kind = 1 // keep at least until the period ends
	Delete  Kind = 2 // the wish to delete when the period ends
	Ceiling Kind = 3 // gone when the period ends, at the latest
	Notice  Kind = 4 // tell people while the period runs: see Rule.Schedule

	HoldStep    Kind = 5 // a hold of the input
	ErasureStep Kind = 6 // a request for erasure of the input
)

// Strength is how much a rule weighs against others. It decides between rules of
// one topic, and says what a missed ceiling means. The zero value is no strength;
// [New] refuses it, and a plan has it where no ceiling has won.
type Strength uint8

// Strengths from the weakest. Agreement and Instruction weigh the same, unless the
// rule of the agreement says Fixed. The numbers are stable; compare with [Strength.Compare], not with <.
const (
	Typical      Strength = 1 // a habit: to miss it is worth a warning and breaches nothing
	Default      Strength = 2
	Statement    Strength = 3 // a published statement
	Organisation Strength = 4
	Agreement    Strength = 5 // a contract with the customer
	Instruction  Strength = 6 // the customer's documented instruction
	Law          Strength = 7
)

var ranks = [...]uint8{0, 1, 2, 3, 4, 5, 5, 6}

func (s Strength) rank() uint8 {
	if int(s) < len(ranks) {
		return ranks[s]
	}
	return 0
}

// Compare is negative if s is weaker than t, positive if it is stronger, and 0 if
// they weigh the same, as [Agreement] and [Instruction] do.
func (s Strength) Compare(t Strength) int { return int(s.rank()) - int(t.rank()) }

// Status is the answer of a plan. The zero value is [Keep].
type Status uint8

// What a plan may answer.
const (
	Keep         Status = iota // not yet: Now < Earliest, or the event that would end the keeping was withdrawn
	Deletable                  // may go: Earliest <= Now
	Due                        // should go: a delete wish is reached
	Overdue                    // must be gone: Now >= Latest; see Plan.Breach
	PendingEvent               // keep: an event that decides has not happened, see Plan.Missing
	NoRule                     // no rule is known; nothing follows from that, neither keeping nor deleting
	Conflict                   // keep: a floor ends after the ceiling, see Plan.Decided
	Held                       // keep: a hold forbids deletion, see Plan.Hold
)

// Outcome is what became of one rule in a plan.
type Outcome uint8

// What may become of a rule. The zero value is [Won].
const (
	Won           Outcome = iota // it decides its part of the plan
	Lost                         // another rule of its kind, or the ceiling, decides
	Replaced                     // another rule of its topic replaces it
	NotApplicable                // its condition does not hold, or the rule that it follows does not apply
	NoEvent                      // the event from which it runs has not happened
	Withdrawn                    // the event from which it ran was withdrawn
)

var (
	kindNames     = [...]string{"", "floor", "delete", "ceiling", "notice", "hold", "erasure"}
	strengthNames = [...]string{"", "typical", "default", "statement", "organisation", "agreement", "instruction", "law"}
	statusNames   = [...]string{"keep", "deletable", "due", "overdue", "pending_event", "no_rule", "conflict", "held"}
	outcomeNames  = [...]string{"won", "lost", "replaced", "not_applicable", "no_event", "withdrawn"}
	monthEndNames = [...]string{"clamp", "next_day"}
)

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return ""
}

func parse(names []string, text string) (uint8, bool) {
	if text != "" {
		for i, n := range names {
			if n == text {
				return uint8(i), true
			}
		}
	}
	return 0, false
}

// String returns "floor", "delete", "ceiling", "notice", "hold" or "erasure", and
// "" for anything else.
func (k Kind) String() string { return name(kindNames[:], uint8(k)) }

// String returns "typical", "default", "statement", "organisation", "agreement",
// "instruction" or "law", and "" for anything else.
func (s Strength) String() string { return name(strengthNames[:], uint8(s)) }

// String returns "keep", "deletable", "due", "overdue", "pending_event",
// "no_rule", "conflict" or "held".
func (s Status) String() string { return name(statusNames[:], uint8(s)) }

// String returns "won", "lost", "replaced", "not_applicable", "no_event" or
// "withdrawn".
func (o Outcome) String() string { return name(outcomeNames[:], uint8(o)) }

var (
	errKind     = errors.New("retention: kind: unknown name: use floor, delete, ceiling or notice")
	errStrength = errors.New("retention: strength: unknown name: use typical, default, statement, organisation, agreement, instruction or law")
	errMonthEnd = errors.New("retention: month end: unknown name: use clamp or next_day")
)

// ParseKind returns the kind of rule that [Kind.String] writes as text.
func ParseKind(text string) (Kind, error) {
	if i, ok := parse(kindNames[:Notice+1], text); ok {
		return Kind(i), nil
	}
	return 0, errKind
}

// ParseStrength returns the strength that [Strength.String] writes as text.
func ParseStrength(text string) (Strength, error) {
	if i, ok := parse(strengthNames[:], text); ok {
		return Strength(i), nil
	}
	return 0, errStrength
}

// ParseMonthEnd returns the month end that [MonthEnd.String] writes as text.
func ParseMonthEnd(text string) (MonthEnd, error) {
	if i, ok := parse(monthEndNames[:], text); ok {
		return MonthEnd(i), nil
	}
	return 0, errMonthEnd
}

// An Anchor names an event from which periods run, such as "used_at",
// "device_removed", "subscription_end" or "collected_at". The names are the
// policy's own: letters, digits, '_', '-' and '.'.
type Anchor string

// A Selector says which categories a rule is about: "" any, "user.contact" that
// category and everything below it ("user.contact.email", not "user.contacts").
// Of two selectors that match a category the longer is the more specific: the
// category itself, then a prefix of it, then any.
type Selector string

// Matches reports whether s is about category.
func (s Selector) Matches(category string) bool {
	n := len(s)
	return n == 0 || n <= len(category) && category[:n] == string(s) && (n == len(category) || category[n] == '.')
}

// A Condition decides whether a rule applies. The zero value always holds.
type Condition struct {
	// Text is the condition as its author wrote it; the trail quotes it.
	Text string
	// Func reports whether the condition holds. It must be safe for concurrent
	// use, must not change the input, and depends on nothing else. An error means
	// that it could not be decided; its text is not passed on.
	Func func(*Input) (bool, error)
}

// A Rule binds data of a category to a period that runs from an event.
type Rule struct {
	ID       string   // unique; letters, digits, '_', '-', '.', '/', ':', at most 128 bytes
	Source   string   // who says so, and where: "002:39"; any text up to 256 bytes
	Topic    string   // rules of one topic may replace each other; "" = none
	Kind     Kind     // required
	Strength Strength // required
	Fixed    bool     // of an Agreement: no instruction weighs as much
	Category Selector // "" = any
	When     Condition
	Class    []string // why the data was collected, one of; empty = any
	Region   []string // one of; empty = any
	Purpose  []string // one of; empty = any
	Anchor   Anchor   // the event from which the period runs; required unless After is set
	After    string   // id of the rule at whose end the period starts, instead of Anchor
	Period   Period
	Zone     string   // of calendar units, cut-offs and rounding: "" or "UTC", an IANA name, or an offset as "+02:00"; never the machine's own
	MonthEnd MonthEnd // where the day does not exist in the target month
	Count    Count    // from the instant of the event, or in whole civil days
	Cutoff   Cutoff   // the period starts after the end of the month, quarter or year of the event
	Round    Rounding // of the end: floors and wishes up, ceilings down; notices not at all
	Roll     Calendar // move the last day to a working day; only with CivilDays, and not for wishes and ceilings; nil = no
	Copies   []Copy   // which copies it binds; empty = all
	Method   Method   // how media must be cleaned, at least

	Stages   Stages   // phases of the data's life that the period divides
	Schedule Schedule // of a notice: when to tell whom
}

// Stages name the phases before, during and after a rule's period. A stage
// without a name is none.
type Stages struct {
	Before Stage // until the period starts, also where its event was withdrawn
	During Stage
	After  Stage // from the end of the period, without an end of its own
}

// A Stage is a phase in the life of data and what may be done in it.
type Stage struct {
	Name  string   // a key such as "limited"
	Allow []string // operations such as "export"; "*" = any, none = nothing
}

// A Schedule says when people are told something. The period of its rule is the
// time in which they have to be told.
type Schedule struct {
	Offsets  []Period // from the start of the rule's period
	AtLeast  int      // so many must lie inside the period; 0 means 1
	Purpose  string   // a key: what the notices are about
	Channels []string // keys; all of them are to be used
}
