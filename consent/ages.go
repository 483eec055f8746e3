package consent

import (
	"slices"
	"time"
)

// An Assurance says how an age is known. Empty: not told.
type Assurance string

// The assurances, weakest first.
const (
	Declared  Assurance = "declared"  // the person said so
	Estimated Assurance = "estimated" // from what the person does or looks like
	Verified  Assurance = "verified"  // from a document or by somebody who knows
)

func rankAssurance(a Assurance) (uint8, bool) {
	switch a {
	case "":
		return 0, true
	case Declared:
		return 1, true
	case Estimated:
		return 2, true
	case Verified:
		return 3, true
	}
	return 0, false
}

// A Giver is who gave an answer.
type Giver string

// The givers. An administrator is none: an administrator denies and never consents.
const (
	BySubject  Giver = "subject"
	ByGuardian Giver = "guardian" // who holds parental responsibility
	ByBoth     Giver = "both"     // together, in one act
)

// givers is a set of givers.
type givers uint8

const (
	subjectBit givers = 1 << iota
	guardianBit
	bothBits = subjectBit | guardianBit
)

// giverOf gives the set of one giver; the empty giver is the subject.
func giverOf(g Giver) (givers, bool) {
	switch g {
	case "", BySubject:
		return subjectBit, true
	case ByGuardian:
		return guardianBit, true
	case ByBoth:
		return bothBits, true
	}
	return 0, false
}

func (g givers) name() string {
	switch g {
	case guardianBit:
		return string(ByGuardian)
	case bothBits:
		return string(ByBoth)
	}
	return fromSubject
}

// Ages say who may not consent alone. The age of the request's Subject.AgeBand is
// compared at the request's instant; of a band that the limit cuts, the younger end
// counts.
type Ages struct {
	// Builtin takes the rows of [AgeTable]. A place that Rules name loses its
	// builtin rows.
	Builtin bool
	Rules   []AgeRule
	// Assurance is the least with which a person counts as old enough; whoever
	// is called older with less is of unknown age. Empty: any.
	Assurance Assurance
	// AssumeAdult takes people whose age is not known for adults. Otherwise a
	// purpose that an age limit binds is denied to them with AGE_UNKNOWN.
	AssumeAdult bool
}

func (a *Ages) used() bool { return a.Builtin || len(a.Rules) > 0 }

// An AgeRule is a row of a table of ages. Rows that differ in From and Under alone
// follow each other: the latest that has begun counts.
type AgeRule struct {
	// Place is an ISO 3166 code, such as FR or US-CA; a row of a country holds in
	// its parts too. Empty: where no place is known, or its country has no row for
	// every use.
	Place string
	From  time.Time // the first instant; zero: always
	Under int       // whoever is younger, in years, is bound; 0 ends the rows before
	Giver Giver     // who must consent in their stead; empty: guardian
	// Uses limits the row to purposes with one of these, which then need consent
	// whatever they rest on. Empty: every purpose on consent.
	Uses []Use
	// AnyBasis asks for the consent beside any basis, and not only for purposes
	// on consent.
	AnyBasis bool
	// Known limits the row to people who are known to be so young.
	Known  bool
	Source string // where it is written; told as the note of a decision
}

// ageTrack are rows that follow each other.
type ageTrack struct {
	uses     uses
	anyBasis bool
	giver    givers
	rows     []AgeRule
}

type ageTable struct {
	places  map[string][]ageTrack
	highest int // of the limits: older people are never bound
	least   uint8
	assume  bool
}

// ageOf gives the lowest age of a band in years, -1 when it is not known.
func ageOf(band string) int {
	switch band {
	case "under13":
		return 0
	case "13..15":
		return 13
	case "16..17":
		return 16
	case "adult":
		return 18
	}
	n := 0
	for i := 0; i < len(band); i++ {
		if c := band[i]; c >= '0' && c <= '9' && i < 3 {
			n = 10*n + int(c-'0')
			continue
		}
		return -1
	}
	if band == "" {
		return -1
	}
	return n
}

// A minor is what the age of the person means for one purpose.
type minor struct {
	known bool   // worked out
	need  givers // whose consent counts: subject < guardian < both
	asks  bool   // it is needed beside any basis
	optIn bool   // the purpose is on consent because of the age
	young bool   // by what is known of the age; otherwise because it is not known
	note  string // source of the row
}

// minority works out who must consent.
func (q *query) minority() *minor {
	m := &q.minor
	if m.known {
		return m
	}
	m.known, m.need = true, subjectBit
	t := q.e.ages
	if t == nil || q.p.Counselling {
		return m
	}
	age := ageOf(q.r.Subject.AgeBand)
	assured, _ := rankAssurance(q.r.AgeAssured)
	sure := age >= 0 && assured >= t.least
	if age < 0 && t.assume || sure && age >= t.highest {
		return m
	}
	home, here := q.r.Subject.Residence, q.r.Location
	if home != "" {
		q.agesOf(home, age, sure)
	}
	if here != "" && here != home {
		q.agesOf(here, age, sure)
	}
	if home == "" && here == "" {
		q.ageTracks(t.places[""], age, sure)
	}
	return m
}

// agesOf applies the rows of a place and of its country.
func (q *query) agesOf(place string, age int, sure bool) {
	general := false
	for ; place != ""; place = placeAbove(place) {
		if q.ageTracks(q.e.ages.places[place], age, sure) {
			general = true
		}
	}
	if !general {
		q.ageTracks(q.e.ages.places[""], age, sure)
	}
}

// ageTracks applies the rows of one key and reports whether one of them is about
// every use.
func (q *query) ageTracks(tracks []ageTrack, age int, sure bool) (general bool) {
	m := &q.minor
	for i := range tracks {
		t := &tracks[i]
		general = general || t.uses == 0
		if t.uses != 0 && t.uses&q.p.uses == 0 {
			continue
		}
		in, next := dated(t.rows, ageFrom, q.r.At)
		q.bound(next)
		if in < 0 {
			continue
		}
		r := &t.rows[in]
		young := age >= 0 && age < r.Under
		if !young && (sure || r.Known || r.Under == 0) {
			continue
		}
		if t.giver >= m.need {
			m.need, m.note = t.giver, r.Source
		}
		m.young = m.young || young && t.giver > subjectBit
		m.asks = m.asks || t.anyBasis
		m.optIn = m.optIn || t.uses != 0
	}
	return general
}

func ageFrom(r *AgeRule) time.Time { return r.From }

// Row 9.

// underAge asks for the consent of who may give it, where the person may not
// consent alone. Behind it, consents of others do not count.
func (q *query) underAge() bool {
	q.settle()
	m := q.minority()
	if m.need == subjectBit || q.basis != BasisConsent && !m.asks {
		return false
	}
	if r := q.find(0, q.p.strength); r != nil {
		q.proveBoth(r)
		return false
	}
	if m.young {
		q.tellFlaw()
	}
	return q.ask(ReasonGuardianRequired, "ages", "", m.note, q.p.strength, q.useOrSync())
}

var stepGuardianMay = []Step{{9, ReasonGuardianRequired, "", "no consent of a guardian is recorded, which would count at any age"}}

// ages checks the rows and lines them up.
func (c *compiler) ages() {
	a := &c.p.Ages
	least, ok := rankAssurance(a.Assurance)
	if !ok {
		c.fail("ages.assurance", "unknown assurance", "use declared, estimated or verified")
	}
	if !a.used() {
		if a.Assurance != "" || a.AssumeAdult {
			c.fail("ages", "says how to read a table, and names none", "set builtin, or write rules")
		}
		return
	}
	if a.Assurance != "" && a.AssumeAdult {
		c.fail("ages.assume_adult", "beside an assurance", "keep one of the two: who is not known to be older is either of unknown age or an adult")
	}
	t := &ageTable{places: make(map[string][]ageTrack), least: least, assume: a.AssumeAdult}
	own := make(map[string]bool)
	for i := range a.Rules {
		r := &a.Rules[i]
		own[r.Place] = true
		giver := ageGiver(r.Giver)
		switch {
		case r.Place != "" && !validPlace(r.Place):
			c.fail(at("ages.rules", i, "place"), "not a place", mendPlace)
		case r.Under < 0 || r.Under > 120:
			c.fail(at("ages.rules", i, "under"), "not an age", "use whole years up to 120")
		case giver == 0:
			c.fail(at("ages.rules", i, "giver"), "unknown giver", "use subject, guardian or both")
		case giver == subjectBit && len(r.Uses) == 0:
			c.fail(at("ages.rules", i, "giver"), "the person alone, for every use", "name the uses that need consent below the age, or another giver")
		case c.uses(at("ages.rules", i, "uses"), r.Uses, false) && !t.add(*r, giver):
			c.fail(at("ages.rules", i, "from"), "two rows begin at one instant", "give each its own")
		}
	}
	if a.Builtin {
		for _, r := range ageTable2026 {
			if !own[r.Place] {
				t.add(r, ageGiver(r.Giver))
			}
		}
	}
	c.e.ages = t
}

func ageGiver(g Giver) givers {
	if g == "" {
		return guardianBit
	}
	set, _ := giverOf(g)
	return set
}

// add puts a row into its track, sorted; false if the track has one of that instant.
func (t *ageTable) add(r AgeRule, giver givers) bool {
	t.highest = max(t.highest, r.Under)
	r.Uses = slices.Clone(r.Uses)
	tracks := t.places[r.Place]
	is := func(x ageTrack) bool {
		return x.uses == useBits(r.Uses) && x.anyBasis == r.AnyBasis && x.giver == giver
	}
	i := slices.IndexFunc(tracks, is)
	if i < 0 {
		i = len(tracks)
		tracks = append(tracks, ageTrack{uses: useBits(r.Uses), anyBasis: r.AnyBasis, giver: giver})
		t.places[r.Place] = tracks
	}
	rows := &tracks[i].rows
	at, found := slices.BinarySearchFunc(*rows, r.From, func(x AgeRule, from time.Time) int { return x.From.Compare(from) })
	if found {
		return false
	}
	*rows = slices.Insert(*rows, at, r)
	return true
}

const mendPlace = "use an ISO 3166 code in capitals, such as DE or US-CA"
