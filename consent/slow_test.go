package consent_test

import (
	"slices"
	"strings"
	"time"

	"github.com/privetdev/privet/consent"
)

// slow decides one purpose by reading the precedence table from top to bottom over
// the raw policy and the raw facts: no compilation, no index, no sharing. It is
// what the engine is compared with, so it repeats nothing of how the engine works.
type slow struct {
	p consent.Policy
	f consent.Facts
	r *consent.Request
}

type verdict struct {
	row     int
	outcome consent.Outcome
	reason  consent.Reason
}

func below(key, ancestor string) bool {
	return key == ancestor || strings.HasPrefix(key, ancestor+".")
}

func anyAbove(set []string, key string) bool {
	return len(set) == 0 || slices.ContainsFunc(set, func(s string) bool { return below(key, s) })
}

func wellFormed(key string) bool {
	for _, seg := range strings.Split(key, ".") {
		if seg == "" || strings.Trim(seg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			return false
		}
	}
	return true
}

// rule is the declared purpose with the longest key above the asked one.
func (s *slow) rule() *consent.Purpose {
	var best *consent.Purpose
	for i := range s.p.Purposes {
		p := &s.p.Purposes[i]
		if below(s.r.Purpose, p.Key) && (best == nil || len(p.Key) > len(best.Key)) {
			best = p
		}
	}
	return best
}

func (s *slow) basis() consent.Basis {
	p := s.rule()
	if s.who().optIn || p.Mechanism == consent.ByRegime && s.mechanism() == consent.OptIn {
		return consent.BasisConsent
	}
	if p.Basis == "" && p.Mechanism == "" {
		return consent.BasisConsent
	}
	return p.Basis
}

func (s *slow) feature() *consent.Feature {
	for i := range s.p.Features {
		if s.p.Features[i].Key == s.r.Feature {
			return &s.p.Features[i]
		}
	}
	return nil
}

func (s *slow) promotes() bool {
	return s.r.Operation == consent.OpPromote || s.r.Promote != consent.Promote{}
}
func (s *slow) combines() bool {
	return s.r.Operation == consent.OpCombine || len(s.r.Combine.With) > 0
}
func (s *slow) shares() bool {
	return s.r.Operation == consent.OpShare || s.r.Share.Recipient != "" || len(s.r.Share.Attributes) > 0
}
func (s *slow) syncs() bool { return s.r.Operation == consent.OpSync }
func (s *slow) own() consent.Origin {
	return consent.Origin{Class: s.r.Class, Service: s.r.Service}
}
func (s *slow) recipient() string {
	if s.r.Recipient.ID != "" {
		return s.r.Recipient.ID
	}
	if s.shares() {
		return s.r.Share.Recipient
	}
	return ""
}

func (s *slow) does(op consent.Operation) bool {
	switch op {
	case consent.OpPromote:
		return s.promotes()
	case consent.OpCombine:
		return s.combines()
	case consent.OpShare:
		return s.shares()
	case consent.OpSync:
		return s.syncs()
	}
	return true
}

func (s *slow) decide() verdict {
	for _, row := range []func() (verdict, bool){
		s.row1, s.row2, s.row3, s.row4, s.row5, s.row6, s.row7, s.row8, s.row9, s.row10, s.row12, s.row13, s.row14, s.row15, s.row16, s.row17, s.row18,
	} {
		if v, ok := row(); ok {
			return s.obliged(v)
		}
	}
	return s.obliged(verdict{19, consent.Deny, consent.ReasonDefaultDeny})
}

// obliged takes an Allow back whose duties cannot be told.
func (s *slow) obliged(v verdict) verdict {
	if v.row <= 2 {
		return v
	}
	broken := verdict{v.row, consent.Deny, consent.ReasonRuleError}
	for _, o := range s.p.Obligations {
		if len(o.On) == 0 && v.outcome != consent.Allow || len(o.On) > 0 && !slices.Contains(o.On, v.reason) {
			continue
		}
		ok, err := when(o.When, s.r)
		if err != nil && v.outcome == consent.Allow {
			return broken
		}
		if !ok || err != nil {
			continue
		}
		if _, failed := s.aside(o.ID, o.Source, o.Topic); failed {
			return broken
		}
	}
	return v
}

func when(c consent.Condition, r *consent.Request) (bool, error) {
	if c.Func == nil {
		return true, nil
	}
	return c.Func(r)
}

func (s *slow) row1() (verdict, bool) {
	bad := verdict{1, consent.Deny, consent.ReasonInvalidRequest}
	r := s.r
	switch {
	case r.At.IsZero() || strings.Contains(r.Reference, " "):
		return bad, true
	case !slices.Contains([]consent.Operation{"", "collect", "use", "promote", "combine", "share", "sync", "export", "erase"}, r.Operation):
		return bad, true
	case s.promotes() && (r.Promote.From == "" || r.Promote.To == "" || r.Promote.From == r.Promote.To || r.Class != "" && r.Class != r.Promote.From):
		return bad, true
	case s.combines() && (len(r.Combine.With) == 0 || s.own() == consent.Origin{} || slices.Contains(r.Combine.With, consent.Origin{})):
		return bad, true
	case s.shares() && (s.recipient() == "" || r.Share.Recipient != "" && r.Recipient.ID != "" && r.Share.Recipient != r.Recipient.ID):
		return bad, true
	case !wellFormed(r.Purpose):
		return bad, true
	case s.rule() == nil:
		return verdict{1, consent.Deny, consent.ReasonUnknownPurpose}, true
	}
	return verdict{}, false
}

func (s *slow) row2() (verdict, bool) {
	if s.r.Claim == "" || s.r.Qualifier == consent.Identified || s.r.Qualifier == consent.Pseudonymized {
		return verdict{}, false
	}
	// The latest check counts; among equally late ones every one must be free.
	var last time.Time
	for _, c := range s.f.Claims {
		if c.ID == s.r.Claim && c.CheckedAt.After(last) {
			last = c.CheckedAt
		}
	}
	found := false
	for _, c := range s.f.Claims {
		if c.ID != s.r.Claim || !c.CheckedAt.Equal(last) {
			continue
		}
		found = true
		if c.LiveKey || c.Result != consent.Unlinkable && c.Result != consent.Aggregate ||
			c.CheckedAt.After(s.r.At) || !c.Expires.IsZero() && !c.Expires.After(s.r.At) {
			return verdict{}, false
		}
	}
	return verdict{2, consent.Allow, consent.ReasonNotPersonal}, found
}

func (s *slow) row3() (verdict, bool) {
	no := func(reason consent.Reason) (verdict, bool) { return verdict{3, consent.Deny, reason}, true }
	r := s.r
	for _, layer := range []string{"law", "statement"} {
		for _, p := range s.p.Prohibitions {
			if p.Source != layer {
				continue
			}
			ok, err := when(p.When, r)
			if err != nil {
				return no(consent.ReasonRuleError)
			}
			if !ok {
				continue
			}
			if is, failed := s.aside(p.ID, p.Source, p.Topic); failed {
				return no(consent.ReasonRuleError)
			} else if !is {
				return no(consent.ReasonProhibited)
			}
		}
	}
	classes := []string{"c1", "c2"}
	class := r.Class
	moved := false // a declared promotion says what it serves
	if s.promotes() {
		if class == "" {
			class = r.Promote.From
		}
		if !slices.ContainsFunc(classes, func(c string) bool { return below(r.Promote.To, c) }) {
			return no(consent.ReasonNotDeclared)
		}
		if len(s.p.Promotions) > 0 {
			best := consent.ReasonNotDeclared
			fits := false
			for _, p := range s.p.Promotions {
				if !anyAbove(p.From, r.Promote.From) || !below(r.Promote.To, p.To) {
					continue
				}
				if f := s.feature(); len(p.Kinds) > 0 && (f == nil || !slices.Contains(p.Kinds, f.Kind)) {
					best = consent.ReasonProhibited
					continue
				}
				if p.Purpose != "" && !below(r.Purpose, p.Purpose) {
					continue
				}
				if !fits {
					moved = p.Purpose != ""
				}
				fits = true
			}
			if !fits {
				return no(best)
			}
		}
	}
	if r.Feature != "" {
		f := s.feature()
		if f == nil {
			return no(consent.ReasonNotDeclared)
		}
		if s.syncs() {
			if f.Sync == "" || !below(r.Purpose, f.Sync) {
				return no(consent.ReasonNotDeclared)
			}
		} else if !moved && !anyAbove(f.Purposes, r.Purpose) {
			return no(consent.ReasonNotDeclared)
		}
		if r.Category != "" && !anyAbove(f.Categories, r.Category) || class != "" && !anyAbove(f.Classes, class) {
			return no(consent.ReasonNotDeclared)
		}
	}
	if class != "" {
		if !slices.ContainsFunc(classes, func(c string) bool { return below(class, c) }) {
			return no(consent.ReasonNotDeclared)
		}
		for _, c := range s.p.Classes {
			if below(class, c.Key) && !moved && !anyAbove(c.Purposes, r.Purpose) {
				return no(consent.ReasonNotDeclared)
			}
		}
	}
	if r.Channel != "" && len(s.rule().Channels) > 0 && !slices.Contains(s.rule().Channels, r.Channel) {
		return no(consent.ReasonNotDeclared)
	}
	if r.DataSource != "" {
		ok := false
		if len(s.p.DataSources) > 0 {
			inA, inAB := moved || below(r.Purpose, "a"), moved || below(r.Purpose, "a.b")
			switch r.DataSource {
			case "up":
				ok = inA && (r.Category == "" || below(r.Category, "k"))
			case "down":
				ok = inA && (r.Category == "" || below(r.Category, "k.l") || below(r.Category, "m"))
			case "flows":
				ok = inA || inAB && (r.Category == "" || below(r.Category, "k"))
			}
		}
		if !ok {
			return no(consent.ReasonNotDeclared)
		}
	}
	for _, layer := range []string{"law", "statement"} {
		for _, x := range s.p.Residency {
			if x.Source != layer {
				continue
			}
			ok, err := when(x.When, r)
			if err != nil {
				return no(consent.ReasonRuleError)
			}
			if !ok {
				continue
			}
			if is, failed := s.aside(x.ID, x.Source, x.Topic); failed {
				return no(consent.ReasonRuleError)
			} else if is {
				continue
			}
			if x.ID == "eu" && (r.Region == "us" || r.StaffCountry == "IN") {
				return no(consent.ReasonResidency)
			}
			if home := r.Subject.Attr["home"]; x.ID == "home" && (home == "" || r.Region != "" && r.Region != home) {
				return no(consent.ReasonResidency)
			}
		}
	}
	return verdict{}, false
}

func (s *slow) row5() (verdict, bool) {
	f := s.feature()
	on, set := s.r.Admin[s.r.Feature]
	return verdict{5, consent.Deny, consent.ReasonAdminDisabled}, f != nil && f.AdminCanDisable && (set && !on || s.offBy(consent.ByAdmin))
}

func (s *slow) row6() (verdict, bool) {
	f := s.feature()
	on, set := s.r.Switches[s.r.Feature]
	return verdict{6, consent.Deny, consent.ReasonFeatureOff}, f != nil && f.Kind == consent.Optional && (set && !on || s.offBy(consent.ByUser))
}

func (s *slow) row7() (verdict, bool) {
	if s.f.Erased {
		return verdict{7, consent.Deny, consent.ReasonErased}, true
	}
	return verdict{7, consent.Deny, consent.ReasonRestricted}, s.f.Restricted
}

// effective drops the records that another of the same scope replaces.
func (s *slow) effective() []consent.Record { return effectiveOf(s.history()) }

func effectiveOf(records []consent.Record) []consent.Record {
	var list []consent.Record
	for i, r := range records {
		if strictness(r) < 0 {
			continue
		}
		replaced := false
		for j, o := range records {
			if i == j || strictness(o) < 0 || !sameSlot(r, o) {
				continue
			}
			switch {
			case !o.Given.Equal(r.Given):
				replaced = replaced || o.Given.After(r.Given)
			case strictness(o) != strictness(r):
				replaced = replaced || strictness(o) > strictness(r)
			case power(o.Strength) != power(r.Strength):
				replaced = replaced || power(o.Strength) < power(r.Strength)
			case !o.Expires.Equal(r.Expires):
				replaced = replaced || r.Expires.IsZero() || !o.Expires.IsZero() && o.Expires.Before(r.Expires)
			case o.AfterConflict != r.AfterConflict:
				replaced = replaced || r.AfterConflict
			default:
				replaced = replaced || o.ID < r.ID
			}
		}
		if !replaced {
			list = append(list, r)
		}
	}
	return list
}

func plainState(s consent.State) consent.State {
	switch s {
	case consent.StateRenewed:
		return consent.StateGranted
	case consent.StateTerminated:
		return consent.StateInvalidated
	}
	return s
}

func power(s consent.Strength) int {
	switch s {
	case consent.Explicit:
		return 3
	case consent.Expressed:
		return 2
	}
	return 1
}

func plainOp(o consent.Operation) consent.Operation {
	if o == "" {
		return consent.OpUse
	}
	return o
}

func sameAbout(a, b consent.Scope) bool {
	op := plainOp(a.Operation)
	return a.Purpose == b.Purpose && op == plainOp(b.Operation) && a.Channel == b.Channel && a.Recipient == b.Recipient &&
		a.From == b.From && a.To == b.To && sameSet(a.Origins, b.Origins) && sameSet(a.Attributes, b.Attributes) &&
		(a.Service == b.Service || op != consent.OpPromote && op != consent.OpCombine)
}

func sameSet[T comparable](a, b []T) bool {
	return within(a, b) && within(b, a)
}

func within[T comparable](list, set []T) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !slices.Contains(set, x) })
}

func (s *slow) row8() (verdict, bool) {
	all := s.effective()
	var hit []consent.Record
	for _, x := range all {
		op := plainOp(x.Operation)
		r := s.r
		if plainState(x.State) != consent.StateDenied && x.State != consent.StateWithdrawn && x.State != consent.StateObjected {
			continue
		}
		reaches := s.standing(x, all) && below(r.Purpose, x.Purpose) && s.does(op) &&
			(x.Channel == "" || r.Channel == "" || x.Channel == r.Channel) &&
			(x.Recipient == "" || x.Recipient == s.recipient()) &&
			(x.From == "" || x.From == r.Promote.From) && (x.To == "" || x.To == r.Promote.To) &&
			within(x.Origins, append([]consent.Origin{s.own()}, r.Combine.With...)) &&
			(len(x.Attributes) == 0 || len(r.Share.Attributes) == 0 || slices.ContainsFunc(x.Attributes, func(a string) bool { return slices.Contains(r.Share.Attributes, a) }))
		if op == consent.OpPromote || op == consent.OpCombine {
			if x.Service != "" {
				reaches = reaches && x.Service == r.Service
			} else {
				for _, g := range all { // granted to the asking service since
					scope := g.Scope
					scope.Service = ""
					if gaveAll := giver(g.By, consent.BySubject) == giver(x.By, consent.BySubject) || g.By == consent.ByBoth; gaveAll && plainState(g.State) == consent.StateGranted && g.Service != "" && g.Service == r.Service && sameAbout(scope, x.Scope) && g.Given.After(x.Given) {
						reaches = false
					}
				}
			}
		}
		if reaches {
			hit = append(hit, x)
		}
	}
	if len(hit) == 0 {
		return verdict{}, false
	}
	// The nearest key tells, and on it the strongest word.
	slices.SortFunc(hit, func(a, b consent.Record) int {
		if len(a.Purpose) != len(b.Purpose) {
			return len(b.Purpose) - len(a.Purpose)
		}
		order := []consent.State{consent.StateObjected, consent.StateWithdrawn, consent.StateDenied}
		return slices.Index(order, a.State) - slices.Index(order, b.State)
	})
	reason := map[consent.State]consent.Reason{
		consent.StateObjected: consent.ReasonObjected, consent.StateWithdrawn: consent.ReasonWithdrawn, consent.StateDenied: consent.ReasonRefused,
	}[hit[0].State]
	return verdict{8, consent.Deny, reason}, true
}

// stale reports whether the text that the consent rests on is no longer the one in
// force, or never was.
func (s *slow) stale(x consent.Record) bool {
	if n := s.rule().Notice; n != "" && x.Notice.ID != n {
		return true
	}
	if x.Notice.ID != "n" {
		return false
	}
	return !s.current(x.Notice, x.Given)
}

func (s *slow) current(ref consent.NoticeRef, seen time.Time) bool {
	for _, v := range s.p.Notices {
		if v.ID != ref.ID || v.Version != ref.Version {
			continue
		}
		for _, w := range s.p.Notices {
			if w.ID == ref.ID && w.Material && w.Effective.After(v.Effective) && !w.Effective.After(s.r.At) {
				return false
			}
		}
		return !seen.Before(v.Published)
	}
	return false
}

// consentsBy is consents for the records of some givers.
func (s *slow) consentsBy(by func(*consent.Record) bool, gate consent.Operation, need consent.Strength) consent.Reason {
	found := consent.ReasonConsentUnset
	expired, stale := false, false
	all := s.effective()
	for _, x := range all {
		if !by(&x) || ended(x, all) {
			continue
		}
		op, r := plainOp(x.Operation), s.r
		if plainState(x.State) != consent.StateGranted || !below(r.Purpose, x.Purpose) || !below(x.Purpose, s.rule().Key) {
			continue
		}
		if gate != "" && op != gate || !s.does(op) || op == consent.OpUse && s.syncs() {
			continue
		}
		if x.Channel != "" && x.Channel != r.Channel || x.Recipient != "" && x.Recipient != s.recipient() {
			continue
		}
		given := !x.Given.After(r.At)
		switch op {
		case consent.OpPromote:
			if x.From != "" && x.From != r.Promote.From || x.To != "" && x.To != r.Promote.To || x.Service != r.Service {
				continue
			}
			given = x.Given.Before(r.At)
		case consent.OpCombine:
			if x.Service != r.Service || !within(append([]consent.Origin{s.own()}, r.Combine.With...), x.Origins) {
				continue
			}
			given = x.Given.Before(r.At)
		case consent.OpShare:
			if x.Recipient != s.recipient() || !within(r.Share.Attributes, x.Attributes) || len(r.Share.Attributes) == 0 && len(x.Attributes) > 0 {
				continue
			}
		}
		if !given || power(x.Strength) < power(need) {
			continue
		}
		switch {
		case !x.Expires.IsZero() && !x.Expires.After(r.At):
			expired = true
		case s.stale(x):
			stale = true
		default:
			return ""
		}
	}
	switch {
	case expired:
		found = consent.ReasonConsentExpired
	case stale:
		found = consent.ReasonConsentStale
	}
	return found
}

func (s *slow) need() consent.Strength {
	if p := s.rule(); p.Strength != "" {
		return p.Strength
	}
	return consent.Expressed
}

func (s *slow) row12() (verdict, bool) {
	var need consent.Strength
	for _, layer := range []string{"law", "statement"} {
		for _, x := range s.p.Requirements {
			if x.Source != layer {
				continue
			}
			ok, err := when(x.When, s.r)
			if err != nil {
				return verdict{12, consent.Deny, consent.ReasonRuleError}, true
			}
			if ok {
				is, failed := s.aside(x.ID, x.Source, x.Topic)
				if failed {
					return verdict{12, consent.Deny, consent.ReasonRuleError}, true
				}
				ok = !is
			}
			switch {
			case !ok:
			case x.Strength == consent.Expressed:
				if need == "" {
					need = consent.Expressed
				}
			default:
				need = consent.Explicit
			}
		}
	}
	for _, x := range s.regimes() {
		if s.sensitive() && x.Sensitive == consent.SensitiveOptIn {
			need = consent.Explicit
		}
	}
	if s.basis() == consent.BasisConsent && s.need() == consent.Explicit {
		need = consent.Explicit
	}
	if need == "" {
		return verdict{}, false
	}
	reason := s.consents("", need)
	if reason == "" {
		return verdict{}, false
	}
	if need == consent.Explicit {
		reason = consent.ReasonExplicitConsentRequired
	}
	return s.asked(12, reason), true
}

func (s *slow) row13() (verdict, bool) {
	several := slices.ContainsFunc(s.r.Combine.With, func(o consent.Origin) bool { return o != s.own() })
	for _, g := range []struct {
		asked  bool
		gate   consent.Gate
		op     consent.Operation
		reason consent.Reason
	}{
		{s.promotes(), s.p.Gates.Promotion, consent.OpPromote, consent.ReasonPromotionNeedsConsent},
		{s.combines() && several, s.p.Gates.Combination, consent.OpCombine, consent.ReasonCombinationNeedsConsent},
		{s.shares(), s.p.Gates.Share, consent.OpShare, consent.ReasonShareNeedsConsent},
	} {
		if g.asked && g.gate != consent.GateNone && g.op == consent.OpShare {
			if passes, failed := s.disclosed(); failed {
				return verdict{13, consent.Deny, consent.ReasonRuleError}, true
			} else if passes {
				continue
			}
		}
		need := consent.Expressed
		if g.gate == consent.GateExplicit {
			need = consent.Explicit
		}
		if g.asked && g.gate != consent.GateNone && s.consents(g.op, need) != "" {
			return s.asked(13, g.reason), true
		}
	}
	return verdict{}, false
}

func (s *slow) row14() (verdict, bool) {
	return verdict{14, consent.Allow, consent.ReasonConsent}, s.basis() == consent.BasisConsent && s.consents("", s.need()) == ""
}

func (s *slow) row15() (verdict, bool) {
	if s.basis() != consent.BasisConsent {
		return verdict{}, false
	}
	return verdict{15, consent.AskFirst, s.consents("", s.need())}, true
}

func (s *slow) row16() (verdict, bool) {
	reason := consent.ReasonContract
	if f := s.feature(); f != nil && f.Kind == consent.Essential {
		reason = consent.ReasonEssential
	}
	return verdict{16, consent.Allow, reason}, s.basis() == consent.BasisContract
}

func (s *slow) row17() (verdict, bool) {
	if s.basis() == consent.BasisPublicTask {
		return verdict{17, consent.Allow, consent.ReasonPublicTask}, true
	}
	return verdict{17, consent.Allow, consent.ReasonLegitimateInterest}, s.basis() == consent.BasisLegitimateInterest
}

func (s *slow) row18() (verdict, bool) {
	mechanism := s.rule().Mechanism
	if mechanism == consent.ByRegime {
		mechanism = s.mechanism()
	}
	told := s.rule().Notice == "" && mechanism != consent.NoticeOnly || mechanism == consent.NoRegime || slices.ContainsFunc(s.r.Notices, func(n consent.NoticeRef) bool {
		return n.ID == s.rule().Notice && s.current(n, s.r.At)
	})
	return verdict{18, consent.Allow, consent.ReasonOptOutDefault}, s.basis() == "" && told
}
