package consent_test

import (
	"slices"
	"strings"

	"github.com/privetdev/privet/consent"
)

// The parts of the reference that are about people, places and signals.

// chain is a place and the country that it lies in.
func chain(place string) []string {
	if i := strings.Index(place, "-"); i > 0 {
		return []string{place, place[:i]}
	}
	return []string{place}
}

// told are the places that the request tells, each once.
func (s *slow) told() []string {
	var list []string
	for _, p := range []string{s.r.Subject.Residence, s.r.Location} {
		if p != "" && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

func (s *slow) ageRows() []consent.AgeRule {
	list := slices.Clone(s.p.Ages.Rules)
	if s.p.Ages.Builtin {
		for _, r := range consent.AgeTable() {
			if !slices.ContainsFunc(s.p.Ages.Rules, func(o consent.AgeRule) bool { return o.Place == r.Place }) {
				list = append(list, r)
			}
		}
	}
	return list
}

func (s *slow) regimeRows() []consent.RegimeRule {
	list := slices.Clone(s.p.Regimes.Rules)
	if s.p.Regimes.Builtin {
		for _, r := range consent.RegimeTable() {
			if !slices.ContainsFunc(s.p.Regimes.Rules, func(o consent.RegimeRule) bool { return o.Place == r.Place }) {
				list = append(list, r)
			}
		}
	}
	return list
}

func (s *slow) placed() bool { return s.p.Regimes.Builtin || len(s.p.Regimes.Rules) > 0 }

// regimes are the rows in force where the person lives and is.
func (s *slow) regimes() []consent.RegimeRule {
	if !s.placed() {
		return nil
	}
	strictest := consent.RegimeRule{Mechanism: consent.OptIn, Sensitive: consent.SensitiveOptIn}
	var list []consent.RegimeRule
	for _, place := range s.told() {
		found := strictest
		for _, p := range slices.Backward(chain(place)) {
			var last *consent.RegimeRule
			rows := s.regimeRows()
			for i := range rows {
				if r := &rows[i]; r.Place == p && !r.From.After(s.r.At) && (last == nil || r.From.After(last.From)) {
					last = r
				}
			}
			if last != nil {
				found = *last
			}
		}
		list = append(list, found)
	}
	if len(list) == 0 {
		list = append(list, strictest)
	}
	return list
}

func (s *slow) mechanism() consent.Mechanism {
	order := []consent.Mechanism{consent.NoRegime, consent.NoticeOnly, consent.OptOut, consent.OptIn}
	strict := consent.NoRegime
	for _, r := range s.regimes() {
		if slices.Index(order, r.Mechanism) > slices.Index(order, strict) {
			strict = r.Mechanism
		}
	}
	return strict
}

var lowest = map[string]int{"under13": 0, "13..15": 13, "16..17": 16, "adult": 18, "12": 12, "14": 14, "20": 20}

// who is whose consent counts, and what the age does to the purpose.
type who struct {
	need               consent.Giver
	asks, optIn, young bool
}

func (s *slow) who() who {
	w := who{need: consent.BySubject}
	if !s.p.Ages.Builtin && len(s.p.Ages.Rules) == 0 || s.rule().Counselling {
		return w
	}
	age, known := lowest[s.r.Subject.AgeBand]
	if !known && s.p.Ages.AssumeAdult {
		return w
	}
	order := []consent.Assurance{"", consent.Declared, consent.Estimated, consent.Verified}
	believed := known && max(0, slices.Index(order, s.r.AgeAssured)) >= slices.Index(order, s.p.Ages.Assurance)
	rows := s.ageRows()
	var mine []consent.AgeRule
	places := s.told()
	for _, place := range places {
		general := false
		for _, r := range rows {
			if r.Place != "" && slices.Contains(chain(place), r.Place) {
				mine = append(mine, r)
				general = general || len(r.Uses) == 0
			}
		}
		if !general {
			places = append(places, "")
		}
	}
	if len(s.told()) == 0 || len(places) > len(s.told()) {
		for _, r := range rows {
			if r.Place == "" {
				mine = append(mine, r)
			}
		}
	}
	severity := []consent.Giver{consent.BySubject, consent.ByGuardian, consent.ByBoth}
	for _, r := range mine {
		if r.From.After(s.r.At) {
			continue
		}
		later := func(o consent.AgeRule) bool {
			return o.Place == r.Place && sameSet(o.Uses, r.Uses) && o.AnyBasis == r.AnyBasis && giver(o.Giver, consent.ByGuardian) == giver(r.Giver, consent.ByGuardian) &&
				o.From.After(r.From) && !o.From.After(s.r.At)
		}
		if slices.ContainsFunc(mine, later) {
			continue
		}
		uses := s.rule().Uses
		if len(r.Uses) > 0 && !slices.ContainsFunc(r.Uses, func(u consent.Use) bool { return slices.Contains(uses, u) }) {
			continue
		}
		young := known && age < r.Under
		doubted := !believed && !r.Known && r.Under > 0
		if !young && !doubted {
			continue
		}
		g := giver(r.Giver, consent.ByGuardian)
		if slices.Index(severity, g) > slices.Index(severity, w.need) {
			w.need = g
		}
		w.asks, w.optIn = w.asks || r.AnyBasis, w.optIn || len(r.Uses) > 0
		w.young = w.young || young && g != consent.BySubject
	}
	return w
}

func giver(g, otherwise consent.Giver) consent.Giver {
	if g == "" {
		return otherwise
	}
	return g
}

func gaveIt(x *consent.Record, by consent.Giver) bool {
	g := giver(x.By, consent.BySubject)
	return g == by || g == consent.ByBoth
}

// consents gives the reason for which there is no consent by those who must give
// it, "" when there is one.
func (s *slow) consents(gate consent.Operation, need consent.Strength) consent.Reason {
	any := func(*consent.Record) bool { return true }
	guardian := func(x *consent.Record) bool { return gaveIt(x, consent.ByGuardian) }
	subject := func(x *consent.Record) bool { return gaveIt(x, consent.BySubject) }
	switch s.who().need {
	case consent.ByGuardian:
		return s.consentsBy(guardian, gate, need)
	case consent.ByBoth:
		if r := s.consentsBy(guardian, gate, need); r != "" {
			return r
		}
		return s.consentsBy(subject, gate, need)
	}
	return s.consentsBy(any, gate, need)
}

// standing reports whether a refusal still stands: nobody whose word counts at the
// person's age has granted the same since.
func (s *slow) standing(x consent.Record, all []consent.Record) bool {
	var subject, guardian bool
	for _, g := range all {
		if plainState(g.State) == consent.StateGranted && g.Given.After(x.Given) && sameAbout(g.Scope, x.Scope) && giver(g.By, consent.BySubject) != giver(x.By, consent.BySubject) {
			subject, guardian = subject || gaveIt(&g, consent.BySubject), guardian || gaveIt(&g, consent.ByGuardian)
		}
	}
	switch s.who().need {
	case consent.BySubject:
		return !subject
	case consent.ByGuardian:
		return !guardian
	}
	return !subject || !guardian
}

// ended reports whether an answer of somebody else has ended a grant.
func ended(g consent.Record, all []consent.Record) bool {
	return slices.ContainsFunc(all, func(x consent.Record) bool {
		return plainState(x.State) != consent.StateGranted && giver(x.By, consent.BySubject) != giver(g.By, consent.BySubject) && sameAbout(g.Scope, x.Scope) && !g.Given.After(x.Given)
	})
}

func (s *slow) row4() (verdict, bool) {
	reason := map[consent.Basis]consent.Reason{consent.BasisLegalObligation: consent.ReasonLegalObligation, consent.BasisVitalInterest: consent.ReasonVitalInterest}
	if s.promotes() || s.combines() || s.syncs() {
		return verdict{}, false
	}
	p := s.rule()
	if code := reason[p.Basis]; code != "" && s.r.Purpose == p.Key && (s.r.Category == "" || anyAbove(p.Needs, s.r.Category)) && (p.Reference != "" || s.r.Reference != "") {
		return verdict{4, consent.Allow, code}, true
	}
	for _, d := range s.p.Duties {
		if s.r.Purpose != d.Purpose || s.r.Category != "" && !anyAbove(d.Needs, s.r.Category) {
			continue
		}
		ok, err := when(d.When, s.r)
		switch {
		case err != nil:
			return verdict{4, consent.Deny, consent.ReasonRuleError}, true
		case ok && (d.Reference != "" || s.r.Reference != ""):
			return verdict{4, consent.Allow, reason[d.Basis]}, true
		}
	}
	return verdict{}, false
}

// offBy reports whether somebody's settings switch off what the request does.
func (s *slow) offBy(who consent.Actor) bool {
	return slices.ContainsFunc(s.r.Settings, func(x consent.Setting) bool {
		collects := s.r.Operation == consent.OpCollect
		foreign := x.Tenant != "" && x.Tenant != s.r.Subject.Tenant || s.r.Subject.Account == "consumer" && !x.Device
		return x.By == who && !x.On && x.Feature == s.r.Feature &&
			(x.Collector == "" || s.r.Collector == "" || x.Collector == s.r.Collector) &&
			!(x.Of == consent.OfCollection && !collects) && !(x.Of == consent.OfUse && collects) &&
			!(who == consent.ByAdmin && foreign)
	})
}

func (s *slow) row9() (verdict, bool) {
	w := s.who()
	if w.need == consent.BySubject || s.basis() != consent.BasisConsent && !w.asks || s.consents("", s.need()) == "" {
		return verdict{}, false
	}
	return s.asked(9, consent.ReasonGuardianRequired), true
}

// asked asks whoever may consent; while that hangs on an age that nobody told,
// nobody.
func (s *slow) asked(row int, reason consent.Reason) verdict {
	if w := s.who(); w.need != consent.BySubject && !w.young {
		return verdict{row, consent.Deny, consent.ReasonAgeUnknown}
	}
	return verdict{row, consent.AskFirst, reason}
}

// row10 is rows 10 and 11: a signal decides unless a consent lifts it.
func (s *slow) row10() (verdict, bool) {
	list := s.r.Signals.List
	if s.r.Signals.GPC {
		list = append([]consent.Signal{{Kind: "gpc"}}, list...)
	}
	reasons := map[string]consent.Reason{"gpc": consent.ReasonSignalGPC, "gpp": consent.ReasonSignalGPP, "usp": consent.ReasonSignalUSP}
	for _, x := range list {
		if reasons[x.Kind] == "" || x.Since.After(s.r.At) || !slices.Contains(s.rule().Signals, x.Kind) && !s.binds(x) || s.liftedByConsent(x) {
			continue
		}
		return verdict{10, consent.Deny, reasons[x.Kind]}, true
	}
	return verdict{}, false
}

func (s *slow) binds(x consent.Signal) bool {
	about := x.OptOut
	switch x.Kind {
	case "gpc":
		about = []consent.Use{consent.UseSale, consent.UseShare, consent.UseTargetedAds}
	case "usp":
		about = []consent.Use{consent.UseSale}
	}
	for _, r := range s.regimes() {
		if r.Mechanism == consent.OptOut && r.Sensitive == consent.SensitiveLimit && slices.Contains(about, consent.UseSensitive) && s.sensitive() {
			return true
		}
		for _, u := range about {
			if !slices.Contains(s.rule().Uses, u) {
				continue
			}
			if r.Mechanism == consent.OptIn && !s.p.Regimes.IgnoreSignalsInOptIn || r.Mechanism == consent.OptOut && (r.GPC || x.Kind != "gpc") {
				return true
			}
		}
	}
	return false
}

func (s *slow) sensitive() bool {
	return s.r.Category != "" && len(s.p.Sensitive) > 0 && anyAbove(s.p.Sensitive, s.r.Category)
}

func (s *slow) liftedByConsent(x consent.Signal) bool {
	if !s.placed() || x.Since.IsZero() || x.Device != "" && x.Device == s.r.Subject.ID {
		return false
	}
	for _, r := range s.regimes() {
		if !slices.Contains(s.p.Regimes.AfterNotice, r.Place) {
			return false
		}
	}
	later := *s
	later.f.Records, later.f.Merged = nil, nil
	for _, g := range s.effective() {
		if plainState(g.State) == consent.StateGranted && !(g.AfterConflict && g.Given.After(x.Since)) {
			continue
		}
		later.f.Records = append(later.f.Records, g)
	}
	need := s.need()
	if power(need) < power(consent.Expressed) {
		need = consent.Expressed
	}
	return later.consents("", need) == ""
}

// disclosed reports whether the recipient's role makes a consent to share needless;
// the second result that a condition failed.
func (s *slow) disclosed() (bool, bool) {
	for _, x := range s.p.Recipients {
		law := x.Basis == consent.BasisLegalObligation || x.Basis == consent.BasisVitalInterest
		if x.Basis == consent.BasisConsent || x.Role != s.r.Recipient.Role || x.BySubject && !s.r.BySubject || !anyAbove(x.Purposes, s.r.Purpose) || law && x.Reference == "" && s.r.Reference == "" {
			continue
		}
		ok, err := when(x.When, s.r)
		if ok || err != nil {
			return err == nil, err != nil
		}
	}
	return false, false
}

// aside reports whether a rule gives way; the second result that a condition failed.
func (s *slow) aside(id, source, topic string) (bool, bool) {
	for _, x := range s.p.Sources {
		if x.ID == source && len(x.Parties) > 0 && s.r.Party != "" && !slices.Contains(x.Parties, s.r.Party) {
			return true, false
		}
	}
	for _, o := range s.p.Overrides {
		if !slices.Contains(o.Rules, id) && !(slices.Contains(o.Sources, source) && (len(o.Topics) == 0 || slices.Contains(o.Topics, topic))) {
			continue
		}
		if i := slices.IndexFunc(s.p.Sources, func(x consent.Source) bool { return x.ID == o.Source }); len(s.p.Sources[i].Parties) > 0 && !slices.Contains(s.p.Sources[i].Parties, s.r.Party) {
			continue
		}
		ok, err := when(o.When, s.r)
		if err != nil {
			return false, true
		}
		if ok {
			return true, false
		}
	}
	return false, false
}

// history is what counts of all records before one of the same scope replaces
// another: at a merge, of what each side said until then the more restrictive.
func (s *slow) history() []consent.Record {
	merges := slices.Clone(s.f.Merged)
	slices.SortStableFunc(merges, func(a, b consent.Merge) int { return a.At.Compare(b.At) })
	all := slices.Clone(s.f.Records)
	for _, m := range merges {
		for _, r := range m.Records {
			if r.Given.After(m.At) {
				all = append(all, r)
			}
		}
	}
	for _, m := range merges {
		var before, rest, side []consent.Record
		for _, r := range all {
			if r.Given.After(m.At) {
				rest = append(rest, r)
			} else {
				before = append(before, r)
			}
		}
		for _, r := range m.Records {
			if !r.Given.After(m.At) {
				side = append(side, r)
			}
		}
		a, b := effectiveOf(before), effectiveOf(side)
		if slices.ContainsFunc(m.Records, func(r consent.Record) bool { return strictness(r) >= 0 }) {
			for _, list := range [][]consent.Record{a, b} {
				for i := range list {
					if strictness(list[i]) > 0 {
						list[i].Given = m.At
					}
				}
			}
		}
		all = rest
		for _, x := range a {
			if i := slices.IndexFunc(b, func(y consent.Record) bool { return sameSlot(x, y) }); i < 0 || !milder(x, b[i]) {
				all = append(all, x)
			}
		}
		for _, y := range b {
			if i := slices.IndexFunc(a, func(x consent.Record) bool { return sameSlot(x, y) }); i < 0 || milder(a[i], y) {
				all = append(all, y)
			}
		}
	}
	return all
}

func sameSlot(a, b consent.Record) bool {
	return sameAbout(a.Scope, b.Scope) && giver(a.By, consent.BySubject) == giver(b.By, consent.BySubject)
}

// milder reports whether x permits more than y; of equals the older.
func milder(x, y consent.Record) bool {
	switch {
	case strictness(x) != strictness(y):
		return strictness(x) < strictness(y)
	case power(x.Strength) != power(y.Strength):
		return power(x.Strength) > power(y.Strength)
	case !x.Expires.Equal(y.Expires):
		return x.Expires.IsZero() || !y.Expires.IsZero() && x.Expires.After(y.Expires)
	case !x.Given.Equal(y.Given):
		return x.Given.Before(y.Given)
	case x.AfterConflict != y.AfterConflict:
		return x.AfterConflict
	}
	return x.ID > y.ID
}

// strictness ranks states; -1 is no answer.
func strictness(r consent.Record) int {
	return slices.Index([]consent.State{"granted", "invalidated", "denied", "withdrawn", "objected"}, plainState(r.State))
}
