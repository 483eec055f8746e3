package consent

import (
	"slices"
	"time"
)

// Sensitive is how a place treats the categories of [Policy].Sensitive.
type Sensitive string

// How sensitive categories are treated. Empty: like any other.
const (
	SensitiveOptIn Sensitive = "opt_in" // explicit consent, whatever the basis
	SensitiveLimit Sensitive = "limit"  // a signal may limit their use
)

// Regimes say what depends on the place. The person's residence and location are
// both looked up, at the request's instant; of two regimes the stricter mechanism
// counts, and the signals of each. A place that has no row, and no country with
// one, is opt-in; so is no place at all.
type Regimes struct {
	// Builtin takes the rows of [RegimeTable]. A place that Rules name loses its
	// builtin rows.
	Builtin bool
	Rules   []RegimeRule
	// AfterNotice are the places where a signal gives way to a consent that was
	// given later, to that very purpose, after notice of the conflict (such as
	// 11 CCR 7025(c)(3) allows). Elsewhere it never does.
	AfterNotice []string
	// IgnoreSignalsInOptIn leaves signals without effect where the regime is
	// opt-in. By default they count as a refusal there.
	IgnoreSignalsInOptIn bool
}

func (r *Regimes) used() bool { return r.Builtin || len(r.Rules) > 0 }

// A RegimeRule is a row of a table of regimes. Of the rows of a place, the latest
// that has begun counts; until the first has, the country's.
type RegimeRule struct {
	Place     string    // ISO 3166 code, such as DE or US-CA
	From      time.Time // the first instant; zero: always
	Mechanism Mechanism // opt_in, opt_out, notice_only or none
	// GPC says that Global Privacy Control binds where the mechanism is opt_out:
	// for sale, sharing and targeted advertising. GPP and USP opt-outs bind there
	// in any case, because they are the person's own opt-out in that law's form.
	GPC       bool
	Sensitive Sensitive
	// HonourDays is how many business days there are to tell those who received
	// the data of an opt-out ([HonourIn]). Zero: not said.
	HonourDays int
	Source     string // where it is written
}

type regimeRow struct {
	RegimeRule
	rank        uint8
	afterNotice bool
	honour      []Obligation
}

// How strict mechanisms are.
func rankMechanism(m Mechanism) uint8 {
	switch m {
	case OptIn:
		return 4
	case OptOut:
		return 3
	case NoticeOnly:
		return 2
	case NoRegime:
		return 1
	}
	return 0
}

// unknownPlace is the strictest regime.
var unknownPlace = regimeRow{RegimeRule: RegimeRule{Mechanism: OptIn, Sensitive: SensitiveOptIn}, rank: 4}

// regimes checks the rows and lines them up.
func (c *compiler) regimes() {
	r := &c.p.Regimes
	if !r.used() {
		if len(r.AfterNotice) > 0 || r.IgnoreSignalsInOptIn {
			c.fail("regimes", "says how to read a table, and names none", "set builtin, or write rules")
		}
		if len(c.p.Sensitive) > 0 {
			c.fail("sensitive", "only regimes treat categories apart", "add regimes, or write requirements")
		}
		return
	}
	c.keys("sensitive", c.p.Sensitive)
	table := make(map[string][]regimeRow)
	own := make(map[string]bool)
	for i := range r.Rules {
		x := &r.Rules[i]
		own[x.Place] = true
		switch {
		case !validPlace(x.Place):
			c.fail(at("regimes.rules", i, "place"), "not a place", mendPlace)
		case rankMechanism(x.Mechanism) == 0:
			c.fail(at("regimes.rules", i, "mechanism"), "unknown mechanism", "use opt_in, opt_out, notice_only or none")
		case x.GPC && x.Mechanism != OptOut:
			c.fail(at("regimes.rules", i, "gpc"), "binds in an opt-out regime only", "leave it out")
		case x.Sensitive != "" && x.Sensitive != SensitiveOptIn && x.Sensitive != SensitiveLimit:
			c.fail(at("regimes.rules", i, "sensitive"), "unknown treatment", "use opt_in or limit")
		case x.HonourDays < 0:
			c.fail(at("regimes.rules", i, "honour_days"), "negative", "use a number of business days, or leave it out")
		case !addRegime(table, *x):
			c.fail(at("regimes.rules", i, "from"), "two rows begin at one instant", "give each its own")
		}
	}
	if r.Builtin {
		for _, x := range regimeTable2026 {
			if !own[x.Place] {
				addRegime(table, x)
			}
		}
	}
	for i, p := range r.AfterNotice {
		if len(table[p]) == 0 {
			c.fail("regimes.after_notice["+itoa(i)+"]", "a place without a row", "name a place of the table")
		}
		for j := range table[p] {
			table[p][j].afterNotice = true
		}
	}
	c.e.regimes = table
}

func addRegime(table map[string][]regimeRow, x RegimeRule) bool {
	row := regimeRow{RegimeRule: x, rank: rankMechanism(x.Mechanism)}
	if x.HonourDays > 0 {
		row.honour = []Obligation{{Kind: HonourIn, Rule: "regimes", Values: []string{"business_days"}, Limit: "ceiling", Strength: "required", Period: "P" + itoa(x.HonourDays) + "D", Anchor: "opted_out_at"}}
	}
	rows := table[x.Place]
	at, found := slices.BinarySearchFunc(rows, x.From, func(r regimeRow, from time.Time) int { return r.From.Compare(from) })
	if !found {
		table[x.Place] = slices.Insert(rows, at, row)
	}
	return !found
}

func regimeFrom(r *regimeRow) time.Time { return r.From }

// resolve looks up the regimes of the request's places.
func (q *query) resolve() {
	if q.placed > 0 || q.e.regimes == nil {
		return
	}
	home, here := q.r.Subject.Residence, q.r.Location
	if home != "" {
		q.resolvePlace(home)
	}
	if here != "" && here != home {
		q.resolvePlace(here)
	}
	if q.placed == 0 {
		q.places[0], q.placed = &unknownPlace, 1
	}
	strict := q.places[0]
	if q.placed == 2 && q.places[1].rank > strict.rank {
		strict = q.places[1]
	}
	q.d.Regime = strict.Mechanism
}

func (q *query) resolvePlace(place string) {
	row := &unknownPlace
	for ; place != ""; place = placeAbove(place) {
		rows := q.e.regimes[place]
		in, next := dated(rows, regimeFrom, q.r.At)
		q.placeEnds = sooner(q.placeEnds, next)
		if in >= 0 {
			row = &rows[in]
			break
		}
	}
	q.places[q.placed] = row
	q.placed++
}

// useRegime resolves the regimes for a row that the answer depends on.
func (q *query) useRegime() {
	q.resolve()
	q.bound(q.placeEnds)
}

// sensitive reports whether the request is about a sensitive category.
func (q *query) sensitive() bool {
	list := q.e.policy.Sensitive
	return len(list) > 0 && q.r.Category != "" && admits(list, q.r.Category)
}

// settle works out what the purpose rests on at this place and age.
func (q *query) settle() {
	if q.settled {
		return
	}
	q.settled = true
	q.basis, q.mechanism = q.p.Basis, q.p.Mechanism
	if q.mechanism == ByRegime {
		q.useRegime()
		if q.mechanism = q.d.Regime; q.mechanism == OptIn {
			q.basis = BasisConsent
		}
	}
	if q.minority().optIn {
		q.basis = BasisConsent
	}
}
