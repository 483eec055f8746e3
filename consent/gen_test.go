package consent_test

import (
	"errors"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
)

// day gives instants on a small scale, so that equal and neighbouring ones are
// drawn often.
func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

var errCondition = errors.New("no such key: canary@example.test")

// The world of the generated cases is small, so that parts of it meet.
var (
	genPurposes   = []string{"a", "a.b", "a.b.c", "a.x", "d", "d.e"}
	genCategories = []string{"", "k", "k.l", "m"}
	genClasses    = []string{"", "c1", "c2", "c2.x"}
	genFeatures   = []string{"", "f1", "f2"}
	genChannels   = []string{"", "email", "sms"}
	genServices   = []string{"", "s1", "s2"}
	genRecipients = []string{"", "r1", "r2"}
	genAttributes = []string{"name", "mail", "phone"}
	genOps        = []consent.Operation{"", consent.OpUse, consent.OpPromote, consent.OpCombine, consent.OpShare, consent.OpSync}
)

func pick[T any](t *rapid.T, label string, from []T) T { return rapid.SampledFrom(from).Draw(t, label) }

func chance(t *rapid.T, label string, oneIn int) bool {
	return rapid.SampledFrom(chances[:oneIn]).Draw(t, label) == oneIn-1
}

// chances is sampled, because integers are drawn from the ends of their range more
// often than from the middle.
var chances = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}

func subset[T any](t *rapid.T, label string, from []T) []T {
	var list []T
	for _, x := range from {
		if rapid.Bool().Draw(t, label) {
			list = append(list, x)
		}
	}
	return list
}

// condition draws a predicate on the category, the purpose or nothing, at times a
// failing one.
func condition(t *rapid.T) consent.Condition {
	switch rapid.IntRange(0, 9).Draw(t, "condition") {
	case 0:
		return consent.Condition{}
	case 1:
		return consent.Condition{Text: "fails", Func: func(r *consent.Request) (bool, error) {
			if r.Category == "m" {
				return false, errCondition
			}
			return false, nil
		}}
	case 2, 3:
		want := pick(t, "condition purpose", genPurposes)
		return consent.Condition{Text: "purpose", Func: func(r *consent.Request) (bool, error) { return r.Purpose == want, nil }}
	}
	want := pick(t, "condition category", genCategories[1:])
	return consent.Condition{Text: "category", Func: func(r *consent.Request) (bool, error) { return r.Category == want, nil }}
}

func genPolicy(t *rapid.T) consent.Policy {
	p := consent.Policy{
		Sources:    []consent.Source{{ID: "law", Layer: consent.LayerLaw}, {ID: "statement", Layer: consent.LayerStatement}},
		NoticeLead: consent.NoLead,
		Classes: []consent.Class{
			{Key: "c1", Purposes: subset(t, "class purposes", []string{"a", "d"}), Necessary: true},
			{Key: "c2"},
		},
		Notices: []consent.Notice{
			{ID: "n", Version: "1", Published: day(1), Effective: day(2), Material: true},
			{ID: "n", Version: "2", Effective: day(6), Material: rapid.Bool().Draw(t, "material")},
			{ID: "n", Version: "3", Published: day(7), Effective: day(9), Material: rapid.Bool().Draw(t, "material")},
		},
	}
	for _, k := range []string{"a", "a.b", "d"} {
		x := consent.Purpose{Key: k, Channels: subset(t, "channels", genChannels[1:])}
		switch rapid.IntRange(0, 7).Draw(t, "basis") {
		case 0, 1, 2:
			x.Basis = consent.BasisConsent
			x.Strength = pick(t, "strength", []consent.Strength{"", consent.Implied, consent.Expressed, consent.Explicit})
		case 3, 4:
			x.Basis = consent.BasisContract
		case 5:
			x.Basis, x.Assessment = consent.BasisLegitimateInterest, "lia/1"
		case 6:
			x.Mechanism = consent.OptOut
		case 7:
			x.Mechanism, x.Notice = consent.NoticeOnly, "n"
		}
		if chance(t, "noticed", 3) {
			x.Notice = "n"
		}
		if chance(t, "gpc", 4) {
			x.Signals = []string{consent.SignalGPC}
		}
		if k != "a.b" || !chance(t, "leave out", 3) {
			p.Purposes = append(p.Purposes, x)
		}
	}
	source := func() string { return pick(t, "source", []string{"law", "statement"}) }
	for _, k := range genFeatures[1:] {
		f := consent.Feature{
			Key: k, Kind: pick(t, "kind", []consent.Kind{consent.Essential, consent.Optional}),
			AdminCanDisable: rapid.Bool().Draw(t, "admin can"),
			Categories:      subset(t, "feature categories", []string{"k"}),
			Classes:         subset(t, "feature classes", []string{"c1", "c2.x"}),
		}
		if chance(t, "limit purposes", 3) {
			f.Purposes = []string{pick(t, "feature purpose", []string{"a", "a.b.c"})}
		}
		for i := range p.Purposes {
			if p.Purposes[i].Basis == consent.BasisConsent && chance(t, "sync", 2) {
				f.Sync = p.Purposes[i].Key
			}
		}
		if f.Sync != "" && rapid.Bool().Draw(t, "no classes") {
			f.Classes = nil
		}
		// New refuses a class that nothing declares.
		if i := len(f.Classes); i > 0 && f.Classes[i-1] == "c2.x" {
			f.Classes[i-1] = "c2"
		}
		p.Features = append(p.Features, f)
	}
	if rapid.Bool().Draw(t, "data sources") {
		p.DataSources = []consent.DataSource{
			{Key: "up", Purposes: []string{"a"}, Categories: []string{"k"}},
			{Key: "down", Parent: "up", Categories: []string{"k.l", "m"}},
			{Key: "flows", Flows: []consent.DataFlow{{Purpose: "a.b", Categories: []string{"k"}}, {Purpose: "a"}}},
		}
	}
	if chance(t, "prohibited", 3) {
		p.Prohibitions = []consent.Prohibition{{ID: "no/1", Source: source(), When: condition(t)}, {ID: "no/2", Source: source(), When: condition(t)}}
	}
	if chance(t, "required", 3) {
		p.Requirements = []consent.Requirement{
			{ID: "req/1", Source: source(), When: condition(t), Strength: pick(t, "strength", []consent.Strength{"", consent.Expressed})},
			{ID: "req/2", Source: source(), When: condition(t), Strength: consent.Explicit},
		}
	}
	if chance(t, "resident", 4) {
		p.Residency = []consent.Residency{
			{ID: "eu", Source: source(), When: condition(t), StoreIn: consent.Place{In: []string{"eu", "uk"}}, StaffIn: consent.Place{In: []string{"IE"}}},
			{ID: "home", Source: source(), When: condition(t), StoreIn: consent.Place{Text: "attr", Func: func(r *consent.Request) (string, error) { return r.Subject.Attr["home"], nil }}},
		}
	}
	gates := []consent.Gate{"", consent.GateConsent, consent.GateExplicit, consent.GateNone}
	p.Gates = consent.Gates{Promotion: pick(t, "gate", gates), Combination: pick(t, "gate", gates), Share: pick(t, "gate", gates)}
	if rapid.Bool().Draw(t, "promotions") {
		p.Promotions = []consent.Promotion{
			{ID: "up/1", Source: "statement", From: []string{"c1"}, To: "c2", Kinds: []consent.Kind{consent.Optional}, Purpose: pick(t, "promotion purpose", []string{"", "a.b"})},
			{ID: "up/2", Source: "statement", From: []string{"c1"}, To: "c2", Kinds: subset(t, "kinds", []consent.Kind{consent.Essential}), Purpose: "a"},
		}
	}
	if chance(t, "obliged", 4) {
		p.Obligations = []consent.ObligationRule{
			{ID: "log", Source: "law", When: condition(t), Obligation: consent.Obligation{Kind: consent.LogUse}},
			{ID: "tell", Source: "law", When: condition(t), Obligation: consent.Obligation{Kind: consent.NotifySubject}},
		}
	}
	if rapid.Bool().Draw(t, "wider") {
		genWider(t, &p)
	}
	return p
}

var genOrigins = []consent.Origin{{Class: "c1"}, {Class: "c1", Service: "s1"}, {Class: "c2", Service: "s2"}, {Service: "s1"}}

func genScope(t *rapid.T) consent.Scope {
	s := consent.Scope{Purpose: pick(t, "purpose", genPurposes), Operation: pick(t, "operation", genOps)}
	if chance(t, "channelled", 3) {
		s.Channel = pick(t, "channel", genChannels)
	}
	if chance(t, "addressed", 3) || s.Operation == consent.OpShare {
		s.Recipient = pick(t, "recipient", genRecipients)
	}
	s.Service = pick(t, "service", genServices)
	switch s.Operation {
	case consent.OpPromote:
		s.From, s.To = pick(t, "from", genClasses[:3]), pick(t, "to", genClasses[:3])
	case consent.OpCombine:
		s.Origins = subset(t, "origin", genOrigins)
	case consent.OpShare:
		s.Attributes = subset(t, "attribute", genAttributes)
	}
	return s
}

var genStates = []consent.State{
	consent.StateGranted, consent.StateGranted, consent.StateGranted, consent.StateRenewed, consent.StateDenied, consent.StateWithdrawn,
	consent.StateObjected, consent.StateRequested, consent.StateDeferred, consent.StateInvalidated, consent.StateTerminated,
}

func genRecord(t *rapid.T, id string) consent.Record {
	r := consent.Record{
		ID: id, Scope: genScope(t), State: pick(t, "state", genStates), Given: day(rapid.IntRange(1, 9).Draw(t, "given")),
		Strength: pick(t, "strength", []consent.Strength{"", consent.Implied, consent.Expressed, consent.Expressed, consent.Explicit}),
	}
	if chance(t, "with notice", 3) {
		r.Notice = pick(t, "notice", genNotices)
	}
	if (r.State == consent.StateGranted || r.State == consent.StateRenewed) && rapid.Bool().Draw(t, "ends") {
		r.Expires = r.Given.Add(time.Duration(rapid.IntRange(1, 5).Draw(t, "days")) * 24 * time.Hour)
	}
	return r
}

// answers draws records about just what the request does, so that the rows behind
// the gates are reached.
func answers(t *rapid.T, r *consent.Request) []consent.Record {
	var list []consent.Record
	purpose := r.Purpose
	if !slices.Contains(genPurposes, purpose) {
		return nil
	}
	if i := strings.LastIndexByte(purpose, '.'); i > 0 && chance(t, "of the ancestor", 4) {
		purpose = purpose[:i]
	}
	about := func(s consent.Scope) {
		if chance(t, "no answer", 5) {
			return
		}
		s.Purpose, s.Service = purpose, r.Service
		x := genRecord(t, "a"+string(rune('0'+len(list))))
		x.Scope, x.State, x.Expires = s, consent.StateGranted, time.Time{}
		x.Strength = pick(t, "strength", []consent.Strength{consent.Implied, consent.Expressed, consent.Explicit, consent.Explicit})
		x.Given = day(rapid.IntRange(1, 6).Draw(t, "given"))
		if chance(t, "ends", 3) {
			x.Expires = x.Given.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "days")) * 24 * time.Hour)
		}
		list = append(list, x)
	}
	about(consent.Scope{})
	if r.Promote.From != "" {
		about(consent.Scope{Operation: consent.OpPromote, From: r.Promote.From})
	}
	if len(r.Combine.With) > 0 {
		about(consent.Scope{Operation: consent.OpCombine, Origins: append([]consent.Origin{{Class: "c1", Service: r.Service}, {Class: r.Class, Service: r.Service}}, r.Combine.With...)})
	}
	if r.Share.Recipient != "" {
		about(consent.Scope{Operation: consent.OpShare, Recipient: r.Share.Recipient, Attributes: r.Share.Attributes})
	}
	if r.Operation == consent.OpSync {
		about(consent.Scope{Operation: consent.OpSync})
	}
	return list
}

var genNotices = []consent.NoticeRef{{ID: "n", Version: "1"}, {ID: "n", Version: "2"}, {ID: "n", Version: "3"}, {ID: "n", Version: "9"}, {ID: "other", Version: "1"}}

func genFacts(t *rapid.T) consent.Facts {
	f := consent.Facts{Erased: chance(t, "erased", 20), Restricted: chance(t, "restricted", 20)}
	n := rapid.IntRange(0, 7).Draw(t, "records")
	for i := range n {
		f.Records = append(f.Records, genRecord(t, "r"+string(rune('0'+i))))
	}
	for range rapid.IntRange(0, 2).Draw(t, "claims") {
		c := consent.Claim{
			ID: pick(t, "claim", []string{"x", "y"}), CheckedAt: day(rapid.IntRange(1, 9).Draw(t, "checked")),
			Result:  pick(t, "result", []consent.Result{consent.Linked, consent.Linkable, consent.Unlinkable, consent.Aggregate, consent.Aggregate}),
			LiveKey: chance(t, "live key", 4),
		}
		if rapid.Bool().Draw(t, "claim ends") {
			c.Expires = c.CheckedAt.Add(48 * time.Hour)
		}
		f.Claims = append(f.Claims, c)
	}
	return f
}

func genRequest(t *rapid.T) *consent.Request {
	r := &consent.Request{
		Purpose: pick(t, "asked", genPurposes), Category: pick(t, "category", genCategories), At: day(rapid.IntRange(1, 12).Draw(t, "at")),
		Operation: pick(t, "operation", []consent.Operation{"", "", consent.OpUse, consent.OpCollect, consent.OpExport}),
		Service:   pick(t, "service", genServices),
		Signals:   consent.Signals{GPC: chance(t, "gpc", 4)},
	}
	rarely := pick(t, "rarely", []int{4, 20})
	odd := func(label string) bool { return chance(t, label, rarely) }
	if odd("with class") {
		r.Class = pick(t, "class", append(genClasses, "c9"))
	}
	if odd("with feature") || odd("with some feature") {
		r.Feature = pick(t, "feature", append(genFeatures, "f9"))
		if rapid.Bool().Draw(t, "switched") {
			r.Switches = map[string]bool{"f1": rapid.Bool().Draw(t, "on"), "f2": true}
		}
		if rapid.Bool().Draw(t, "administered") {
			r.Admin = map[string]bool{"f1": rapid.Bool().Draw(t, "on")}
		}
	}
	if odd("with channel") {
		r.Channel = pick(t, "channel", append(genChannels, "post"))
	}
	if odd("with source") {
		r.DataSource = pick(t, "data source", []string{"", "up", "down", "flows", "unknown"})
	}
	if odd("with region") {
		r.Region, r.StaffCountry = pick(t, "region", []string{"", "eu", "us"}), pick(t, "staff", []string{"", "IE", "IN"})
		r.Subject.Attr = map[string]string{"home": pick(t, "home", []string{"", "eu", "us"})}
	}
	if odd("with recipient") {
		r.Recipient.ID = pick(t, "recipient", genRecipients)
	}
	if odd("promotes") {
		r.Promote = consent.Promote{From: pick(t, "from", genClasses), To: pick(t, "to", append(genClasses, "c9"))}
	}
	if odd("combines") {
		r.Combine.With = subset(t, "with", genOrigins)
		if r.Class == "" {
			r.Class = "c1"
		}
	}
	if odd("shares") {
		r.Share = consent.Share{Recipient: pick(t, "share with", genRecipients), Attributes: subset(t, "attributes", genAttributes)}
	}
	switch pick(t, "special", chances) {
	case 17:
		r.At = time.Time{}
	case 18:
		r.Purpose = pick(t, "odd purpose", []string{"", "a..b", "zz", "a.", ".a", "A b"})
	case 19:
		r.Operation = pick(t, "odd operation", []consent.Operation{"fly", consent.OpPromote, consent.OpCombine, consent.OpShare})
	case 15, 16:
		r.Operation = consent.OpSync
	}
	if chance(t, "claims", 8) {
		r.Claim = pick(t, "claim", []string{"", "x", "y", "z"})
		r.Qualifier = pick(t, "qualifier", []consent.Qualifier{"", consent.Identified, consent.Pseudonymized, consent.Anonymized, consent.Aggregated, "odd"})
	}
	if chance(t, "told", 3) {
		r.Notices = subset(t, "notice", genNotices)
	}
	if rapid.Bool().Draw(t, "wider") {
		genWiderRequest(t, r)
	}
	return r
}
