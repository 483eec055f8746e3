package consent_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

var noon = time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)

func grant(purpose string) consent.Record {
	return consent.Record{ID: "grant-" + purpose, Scope: consent.Scope{Purpose: purpose}, State: consent.StateGranted, Strength: consent.Expressed, Given: noon.Add(-48 * time.Hour)}
}

func refusal(purpose string, state consent.State) consent.Record {
	return consent.Record{ID: string(state) + "-" + purpose, Scope: consent.Scope{Purpose: purpose}, State: state, Given: noon.Add(-time.Hour)}
}

// stage is what the triggers below change.
type stage struct {
	p consent.Policy
	f consent.Facts
	r consent.Request
}

func newStage() *stage {
	return &stage{
		p: consent.Policy{
			Sources:  []consent.Source{{ID: "s", Layer: consent.LayerStatement}},
			Purposes: []consent.Purpose{{Key: "p"}},
			Features: []consent.Feature{{Key: "f", Kind: consent.Optional, AdminCanDisable: true}},
			Notices:  []consent.Notice{{ID: "n", Version: "1", Effective: noon.Add(-72 * time.Hour)}},
		},
		r: consent.Request{Purpose: "p", Feature: "f", At: noon, Switches: map[string]bool{}, Admin: map[string]bool{}},
	}
}

// legal puts the purpose on a legal obligation that needs k.
func (s *stage) legal() {
	s.p.Purposes[0].Basis, s.p.Purposes[0].Needs = consent.BasisLegalObligation, []string{"k"}
}

func (s *stage) decide(t require.TestingT) consent.Decision {
	e, err := consent.New(s.p)
	require.NoError(t, err)
	return e.Decide(viewOf(t, s.f), &s.r)
}

// rowCases are the reasons that TestEveryRow leaves out, and the finer points.
var rowCases = []struct {
	name   string
	set    func(*stage)
	want   verdict
	rule   string
	reason string // why it must be so
}{
	{"purpose missing", func(s *stage) { s.r.Purpose = "" }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "purpose", "nothing was asked"},
	{"key malformed", func(s *stage) { s.r.Purpose = "p..q" }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "purpose", "an empty segment is a mistake, not a child of p"},
	{"purpose unknown", func(s *stage) { s.r.Purpose = "q" }, verdict{1, consent.Deny, "UNKNOWN_PURPOSE"}, "", "no declared ancestor"},
	{"name that only begins alike", func(s *stage) { s.r.Purpose = "pq" }, verdict{1, consent.Deny, "UNKNOWN_PURPOSE"}, "", "keys end at dots"},
	{"operation unknown", func(s *stage) { s.r.Operation = "fly" }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "operation", "an unknown operation has no gate to pass"},
	{"promotion without target", func(s *stage) { s.r.Promote.From = "c" }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "promote", "where to is the question"},
	{"promotion of another class", func(s *stage) { s.r.Class, s.r.Promote = "x", consent.Promote{From: "c", To: "d"} }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "promote", "a record has one class"},
	{"combination with nothing", func(s *stage) { s.r.Class, s.r.Operation = "c", consent.OpCombine }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "combine", "with what is the question"},
	{"combination of unknown data", func(s *stage) { s.r.Combine.With = []consent.Origin{{Class: "c"}} }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "combine", "consent must cover the own origin, which nobody named"},
	{"two recipients", func(s *stage) { s.r.Recipient.ID, s.r.Share.Recipient = "a", "b" }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "share", "which of the two gets it"},
	{"sharing with nobody", func(s *stage) { s.r.Share.Attributes = []string{"name"} }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "share", "consent is for a recipient"},
	{"too many origins", func(s *stage) {
		s.r.Class = "c"
		s.r.Combine.With = slices.Repeat([]consent.Origin{{Class: "d"}}, consent.MaxOrigins+1)
	}, verdict{1, consent.Deny, "INVALID_REQUEST"}, "combine", "bounded"},
	{"too many attributes", func(s *stage) {
		s.r.Share = consent.Share{Recipient: "r", Attributes: make([]string, consent.MaxAttributes+1)}
	}, verdict{1, consent.Deny, "INVALID_REQUEST"}, "share", "bounded"},
	{"too many purposes", func(s *stage) { s.r.Purposes = slices.Repeat([]string{"p"}, consent.MaxPurposes+1) }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "purposes", "bounded"},

	{"reference with a space", func(s *stage) { s.r.Reference = "case 7" }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "reference", "an id"},
	{"setting of nobody", func(s *stage) { s.r.Settings = []consent.Setting{{Feature: "f"}} }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "settings", "whose switch is it"},
	{"setting of nothing", func(s *stage) { s.r.Settings = []consent.Setting{{By: consent.ByUser}} }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "settings", "of which feature"},
	{"setting of an unknown part", func(s *stage) {
		s.r.Settings = []consent.Setting{{Feature: "f", By: consent.ByUser, Of: "mood"}}
	}, verdict{1, consent.Deny, "INVALID_REQUEST"}, "settings", "an off that nobody understands is not ignored"},
	{"too many settings", func(s *stage) {
		s.r.Settings = slices.Repeat([]consent.Setting{{Feature: "f", By: consent.ByUser, On: true}}, 257)
	}, verdict{1, consent.Deny, "INVALID_REQUEST"}, "settings", "bounded"},
	{"too many signals", func(s *stage) { s.r.Signals.List = make([]consent.Signal, 257) }, verdict{1, consent.Deny, "INVALID_REQUEST"}, "signals", "bounded"},

	{"feature unknown", func(s *stage) { s.r.Feature = "g" }, verdict{3, consent.Deny, "NOT_DECLARED"}, "features", "what nobody declared declares nothing"},
	{"class unknown", func(s *stage) { s.r.Class = "c" }, verdict{3, consent.Deny, "NOT_DECLARED"}, "classes", "same"},
	{"data source unknown", func(s *stage) { s.r.DataSource = "d" }, verdict{3, consent.Deny, "NOT_DECLARED"}, "data_sources", "same"},
	{"channel outside", func(s *stage) { s.p.Purposes[0].Channels = []string{"email"}; s.r.Channel = "post" }, verdict{3, consent.Deny, "NOT_DECLARED"}, "p", "the purpose reaches people by email only"},
	{"region outside", func(s *stage) {
		s.p.Residency = []consent.Residency{{ID: "eu", Source: "s", StoreIn: consent.Place{In: []string{"eu"}}}}
		s.r.Region = "us"
	}, verdict{3, consent.Deny, "RESIDENCY"}, "eu", "X10"},
	{"staff outside", func(s *stage) {
		s.p.Residency = []consent.Residency{{ID: "staff", Source: "s", StaffIn: consent.Place{In: []string{"US", "IN"}}}}
		s.r.StaffCountry = "FR"
	}, verdict{3, consent.Deny, "RESIDENCY"}, "staff", "X10: storage and staff are two places"},
	{"place not known", func(s *stage) {
		s.p.Residency = []consent.Residency{{ID: "home", Source: "s", StoreIn: consent.Place{Func: func(r *consent.Request) (string, error) { return r.Subject.Attr["region"], nil }}}}
	}, verdict{3, consent.Deny, "RESIDENCY"}, "home", "the rule applies and nobody chose a region"},
	{"prohibition fails", func(s *stage) { s.p.Prohibitions = []consent.Prohibition{{ID: "no", Source: "s", When: failing}} }, verdict{3, consent.Deny, "RULE_ERROR"}, "no", "fail closed"},
	{"residency fails", func(s *stage) {
		s.p.Residency = []consent.Residency{{ID: "eu", Source: "s", When: failing, StoreIn: consent.Place{In: []string{"eu"}}}}
	}, verdict{3, consent.Deny, "RULE_ERROR"}, "eu", "fail closed"},
	{"place fails", func(s *stage) {
		s.p.Residency = []consent.Residency{{ID: "eu", Source: "s", StoreIn: consent.Place{Func: func(*consent.Request) (string, error) { return "eu", errCondition }}}}
	}, verdict{3, consent.Deny, "RULE_ERROR"}, "eu", "fail closed, whatever came with the error"},
	{"requirement fails", func(s *stage) { s.p.Requirements = []consent.Requirement{{ID: "must", Source: "s", When: failing}} }, verdict{12, consent.Deny, "RULE_ERROR"}, "must", "fail closed: denied, not asked"},
	{"obligation fails", func(s *stage) {
		s.p.Purposes[0].Mechanism = consent.OptOut
		s.p.Obligations = []consent.ObligationRule{{ID: "log", Source: "s", When: failing, Obligation: consent.Obligation{Kind: consent.LogUse}}}
	}, verdict{18, consent.Deny, "RULE_ERROR"}, "log", "an Allow without its duties is not the one that the policy gives"},
	{"strongest source first", func(s *stage) {
		s.p.Sources = append(s.p.Sources, consent.Source{ID: "law", Layer: consent.LayerLaw})
		s.p.Prohibitions = []consent.Prohibition{{ID: "by-statement", Source: "s"}, {ID: "by-law", Source: "law"}}
	}, verdict{3, consent.Deny, "PROHIBITED"}, "by-law", "both hold; the trail shows the stronger"},

	{"legal obligation of the purpose", func(s *stage) { s.legal(); s.p.Purposes[0].Reference = "law/1" }, verdict{4, consent.Allow, "LEGAL_OBLIGATION"}, "p", "a tax record"},
	{"reference from the request", func(s *stage) { s.legal(); s.r.Reference = "order/7" }, verdict{4, consent.Allow, "LEGAL_OBLIGATION"}, "p", "C35: with a reference"},
	{"no reference", func(s *stage) { s.legal() }, verdict{19, consent.Deny, "DEFAULT_DENY"}, "", "claimed by nobody"},
	{"withdrawn all the same", func(s *stage) {
		s.legal()
		s.r.Reference = "order/7"
		s.f.Records = []consent.Record{refusal("p", consent.StateObjected)}
	}, verdict{4, consent.Allow, "LEGAL_OBLIGATION"}, "p", "a person's no cannot stop a tax record"},
	{"category that it needs", func(s *stage) { s.legal(); s.r.Reference, s.r.Category = "order/7", "k.l" }, verdict{4, consent.Allow, "LEGAL_OBLIGATION"}, "p", "below what is named"},
	{"category that it does not need", func(s *stage) { s.legal(); s.r.Reference, s.r.Category = "order/7", "m" }, verdict{19, consent.Deny, "DEFAULT_DENY"}, "", "minimum data"},
	{"below the named purpose", func(s *stage) { s.legal(); s.r.Reference, s.r.Purpose = "order/7", "p.more" }, verdict{19, consent.Deny, "DEFAULT_DENY"}, "", "only the named purpose"},
	{"promotion for the law", func(s *stage) {
		s.legal()
		s.p.Gates.Promotion = consent.GateNone
		s.r.Reference, s.r.Promote = "order/7", consent.Promote{From: "a", To: "b"}
	}, verdict{19, consent.Deny, "DEFAULT_DENY"}, "", "a duty to use is not a duty to move"},
	{"vital interest", func(s *stage) {
		s.legal()
		s.p.Purposes[0].Basis = consent.BasisVitalInterest
		s.r.Reference = "case/7"
	}, verdict{4, consent.Allow, "VITAL_INTEREST"}, "p", "a life"},
	{"prohibited by law", func(s *stage) {
		s.legal()
		s.r.Reference = "order/7"
		s.p.Prohibitions = []consent.Prohibition{{ID: "no", Source: "s"}}
	}, verdict{3, consent.Deny, "PROHIBITED"}, "no", "row 3 still beats it"},
	{"duty that cannot be evaluated", func(s *stage) {
		s.p.Duties = []consent.Duty{{ID: "d", Source: "s", Purpose: "p", Basis: consent.BasisVitalInterest, Reference: "r", Needs: []string{"k"}, When: failing}}
	}, verdict{4, consent.Deny, "RULE_ERROR"}, "d", "fail closed"},
	{"duty by rule, reference from the request", func(s *stage) {
		s.p.Duties = []consent.Duty{{ID: "d", Source: "s", Purpose: "p", Basis: consent.BasisVitalInterest, Needs: []string{"k"}}}
		s.r.Reference = "case/7"
	}, verdict{4, consent.Allow, "VITAL_INTEREST"}, "d", "the case brings it"},
	{"duty by rule, no reference", func(s *stage) {
		s.p.Duties = []consent.Duty{{ID: "d", Source: "s", Purpose: "p", Basis: consent.BasisVitalInterest, Needs: []string{"k"}}}
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "whose life"},
	{"override of a duty fails", func(s *stage) {
		s.p.Sources = append(s.p.Sources, consent.Source{ID: "a", Layer: consent.LayerAgreement})
		s.p.Obligations = []consent.ObligationRule{{ID: "tell", Source: "s", On: []consent.Reason{consent.ReasonConsentUnset}, Obligation: consent.Obligation{Kind: consent.NotifySubject}}}
		s.p.Overrides = []consent.Override{{ID: "o", Source: "a", Rules: []string{"tell"}, When: failing}}
	}, verdict{15, consent.Deny, "RULE_ERROR"}, "o", "denied, and nothing is asked"},
	{"duty of another purpose", func(s *stage) {
		s.p.Purposes = append(s.p.Purposes, consent.Purpose{Key: "q"})
		s.p.Duties = []consent.Duty{{ID: "d", Source: "s", Purpose: "q", Basis: consent.BasisVitalInterest, Reference: "r", Needs: []string{"k"}}}
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "only the named purpose"},
	{"public task", func(s *stage) {
		s.p.Purposes[0].Basis, s.p.Purposes[0].Reference = consent.BasisPublicTask, "law/2"
	}, verdict{17, consent.Allow, "PUBLIC_TASK"}, "p", "beside legitimate interest"},
	{"public task, objected", func(s *stage) {
		s.p.Purposes[0].Basis, s.p.Purposes[0].Reference = consent.BasisPublicTask, "law/2"
		s.f.Records = []consent.Record{refusal("p", consent.StateObjected)}
	}, verdict{8, consent.Deny, "OBJECTED"}, "", "Art. 21(1)"},

	{"restricted", func(s *stage) { s.f.Restricted = true }, verdict{7, consent.Deny, "RESTRICTED"}, "", "Art. 18"},
	{"refused", func(s *stage) { s.f.Records = []consent.Record{refusal("p", consent.StateDenied)} }, verdict{8, consent.Deny, "REFUSED"}, "", "the person said no"},
	{"objected", func(s *stage) { s.f.Records = []consent.Record{refusal("p", consent.StateObjected)} }, verdict{8, consent.Deny, "OBJECTED"}, "", "Art. 21"},
	{"refused above", func(s *stage) {
		s.r.Purpose = "p.q.r"
		s.f.Records = []consent.Record{refusal("p", consent.StateDenied), grant("p.q.r")}
	}, verdict{8, consent.Deny, "REFUSED"}, "", "a denial on an ancestor always applies"},
	{"refused below", func(s *stage) { s.f.Records = []consent.Record{refusal("p.q", consent.StateDenied), grant("p")} }, verdict{14, consent.Allow, "CONSENT"}, "p", "a denial does not reach upwards"},
	{"refused beside", func(s *stage) { s.f.Records = []consent.Record{refusal("q", consent.StateDenied), grant("p")} }, verdict{14, consent.Allow, "CONSENT"}, "p", "purposes are independent"},
	{"refused by email, asked by sms", func(s *stage) {
		no := refusal("p", consent.StateDenied)
		no.Channel = "email"
		s.f.Records, s.r.Channel = []consent.Record{no, grant("p")}, "sms"
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "C14: an email opt-out leaves sms"},
	{"refused by email, asked at large", func(s *stage) {
		no := refusal("p", consent.StateDenied)
		no.Channel = "email"
		s.f.Records = []consent.Record{no, grant("p")}
	}, verdict{8, consent.Deny, "REFUSED"}, "", "no channel named is every channel"},
	{"refused then granted", func(s *stage) {
		yes := grant("p")
		yes.Given = noon.Add(-time.Minute)
		s.f.Records = []consent.Record{refusal("p", consent.StateDenied), yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "C14: a choice can be turned back"},
	{"refused and granted at once", func(s *stage) {
		yes := grant("p")
		yes.Given = noon.Add(-time.Hour)
		s.f.Records = []consent.Record{yes, refusal("p", consent.StateDenied)}
	}, verdict{8, consent.Deny, "REFUSED"}, "", "at one instant the most restrictive counts"},
	{"signal without purpose that honours it", func(s *stage) { s.r.Signals.GPC = true; s.p.Purposes[0].Mechanism = consent.OptOut }, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, "p", "the policy says where a signal binds"},
	{"no signal", func(s *stage) { s.p.Purposes[0].Signals = []string{"gpc"} }, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "the absence of a signal grants nothing"},

	{"explicit required and given", func(s *stage) {
		s.p.Requirements = []consent.Requirement{{ID: "must", Source: "s"}}
		yes := grant("p")
		yes.Strength = consent.Explicit
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "row 12 passes"},
	{"explicit required beside a contract", func(s *stage) {
		s.p.Requirements = []consent.Requirement{{ID: "must", Source: "s"}}
		s.p.Purposes[0].Basis = consent.BasisContract
	}, verdict{12, consent.AskFirst, "EXPLICIT_CONSENT_REQUIRED"}, "must", "Art. 9 asks whatever the basis is"},
	{"opt-in required, implied given", func(s *stage) {
		s.p.Requirements = []consent.Requirement{{ID: "must", Source: "s", Strength: consent.Expressed}}
		s.p.Purposes[0].Mechanism = consent.OptOut
		yes := grant("p")
		yes.Strength = consent.Implied
		s.f.Records = []consent.Record{yes}
	}, verdict{12, consent.AskFirst, "CONSENT_UNSET"}, "must", "R31: opt-in is more than implied and less than explicit"},
	{"purpose wants explicit", func(s *stage) {
		s.p.Purposes[0].Strength = consent.Explicit
		s.f.Records = []consent.Record{grant("p")}
	}, verdict{12, consent.AskFirst, "EXPLICIT_CONSENT_REQUIRED"}, "p", "expressed is not enough"},
	{"implied consent", func(s *stage) {
		yes := grant("p")
		yes.Strength = ""
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "Art. 4(11): consent needs a clear act, and no strength is implied"},
	{"implied consent where it is enough", func(s *stage) {
		s.p.Purposes[0].Strength = consent.Implied
		yes := grant("p")
		yes.Strength = ""
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "the policy says so"},

	{"expired at the instant", func(s *stage) {
		yes := grant("p")
		yes.Expires = noon
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_EXPIRED"}, "p", "the end is exclusive"},
	{"last instant before it expires", func(s *stage) {
		yes := grant("p")
		yes.Expires = noon.Add(1)
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "one nanosecond left"},
	{"given at the instant", func(s *stage) {
		yes := grant("p")
		yes.Given = noon
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "the start is inclusive"},
	{"given later", func(s *stage) {
		yes := grant("p")
		yes.Given = noon.Add(1)
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "consent does not work backwards"},
	{"renewed", func(s *stage) {
		yes := grant("p")
		yes.State = consent.StateRenewed
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "DPV: granted and renewed are valid"},
	{"invalidated", func(s *stage) { s.f.Records = []consent.Record{grant("p"), refusal("p", consent.StateInvalidated)} }, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "it ended without a refusal"},
	{"terminated", func(s *stage) { s.f.Records = []consent.Record{grant("p"), refusal("p", consent.StateTerminated)} }, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "same"},
	{"asked again", func(s *stage) { s.f.Records = []consent.Record{grant("p"), refusal("p", consent.StateRequested)} }, verdict{14, consent.Allow, "CONSENT"}, "p", "a question takes no answer away"},
	{"deferred", func(s *stage) { s.f.Records = []consent.Record{refusal("p", consent.StateDeferred)} }, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "pending is not denied"},
	{"stale", func(s *stage) {
		s.p.Notices = append(s.p.Notices, consent.Notice{ID: "n", Version: "2", Effective: noon, Material: true})
		yes := grant("p")
		yes.Notice = consent.NoticeRef{ID: "n", Version: "1"}
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_STALE"}, "p", "C11: a material version took effect"},
	{"not yet stale", func(s *stage) {
		s.p.Notices = append(s.p.Notices, consent.Notice{ID: "n", Version: "2", Effective: noon.Add(1), Material: true})
		yes := grant("p")
		yes.Notice = consent.NoticeRef{ID: "n", Version: "1"}
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "the old version binds until the new one takes effect"},
	{"spelling mended", func(s *stage) {
		s.p.Notices = append(s.p.Notices, consent.Notice{ID: "n", Version: "2", Effective: noon})
		yes := grant("p")
		yes.Notice = consent.NoticeRef{ID: "n", Version: "1"}
		s.f.Records = []consent.Record{yes}
	}, verdict{14, consent.Allow, "CONSENT"}, "p", "a version that is not material asks nobody again"},
	{"version never published", func(s *stage) {
		yes := grant("p")
		yes.Notice = consent.NoticeRef{ID: "n", Version: "9"}
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_STALE"}, "p", "nobody can show what was read"},
	{"given before publication", func(s *stage) {
		s.p.Notices[0].Published = noon.Add(-72 * time.Hour)
		yes := grant("p")
		yes.Given, yes.Notice = noon.Add(-73*time.Hour), consent.NoticeRef{ID: "n", Version: "1"}
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_STALE"}, "p", "it could not have been read"},
	{"no notice where one is named", func(s *stage) { s.p.Purposes[0].Notice = "n"; s.f.Records = []consent.Record{grant("p")} }, verdict{15, consent.AskFirst, "CONSENT_STALE"}, "p", "Art. 7(1): show what was consented to"},
	{"parent's consent for an undeclared child", func(s *stage) { s.r.Purpose = "p.q"; s.f.Records = []consent.Record{grant("p")} }, verdict{14, consent.Allow, "CONSENT"}, "p", "the child has no rule of its own"},
	{"parent's consent for a declared child", func(s *stage) {
		s.p.Purposes = append(s.p.Purposes, consent.Purpose{Key: "p.q"})
		s.r.Purpose = "p.q"
		s.f.Records = []consent.Record{grant("p")}
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p.q", "what is declared apart is asked apart"},
	{"child's consent for the parent", func(s *stage) { s.f.Records = []consent.Record{grant("p.q")} }, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "consent does not widen"},
	{"consent by email, asked at large", func(s *stage) {
		yes := grant("p")
		yes.Channel = "email"
		s.f.Records = []consent.Record{yes}
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "consent to one channel is not consent to all"},
	{"consent for one recipient", func(s *stage) {
		yes := grant("p")
		yes.Recipient = "vendor"
		s.f.Records, s.r.Recipient.ID = []consent.Record{yes}, "other"
	}, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "another recipient is another question"},

	{"essential", func(s *stage) {
		s.p.Purposes[0].Basis = consent.BasisContract
		s.p.Features[0].Kind = consent.Essential
	}, verdict{16, consent.Allow, "ESSENTIAL"}, "p", "C2: essential and unset is allowed"},
	{"essential feature, purpose on consent", func(s *stage) { s.p.Features[0].Kind = consent.Essential }, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, "p", "C4: the diagnostic part of an essential feature is under its own consent"},
	{"notice given", func(s *stage) {
		s.p.Purposes[0].Mechanism, s.p.Purposes[0].Notice = consent.NoticeOnly, "n"
		s.r.Notices = []consent.NoticeRef{{ID: "n", Version: "1"}}
	}, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, "p", "row 18"},
	{"outdated notice given", func(s *stage) {
		s.p.Notices = append(s.p.Notices, consent.Notice{ID: "n", Version: "2", Effective: noon, Material: true})
		s.p.Purposes[0].Mechanism, s.p.Purposes[0].Notice = consent.OptOut, "n"
		s.r.Notices = []consent.NoticeRef{{ID: "n", Version: "1"}}
	}, verdict{19, consent.Deny, "DEFAULT_DENY"}, "", "nobody was told of the change"},
}

var failing = consent.Condition{Text: "fails", Func: func(*consent.Request) (bool, error) { return true, errCondition }}

func TestRowCases(t *testing.T) {
	for _, tt := range rowCases {
		require.NotEmpty(t, tt.reason)
		s := newStage()
		tt.set(s)
		d := s.decide(t)
		assert.Equal(t, tt.want, verdict{d.Row, d.Outcome, d.Reason}, "%s: %s\n%s", tt.name, tt.reason, d.Explain())
		assert.Equal(t, tt.rule, d.Rule, "%s: rule", tt.name)
		assert.Equal(t, d.Outcome == consent.AskFirst, d.Ask != nil, tt.name)
	}
}

func TestZeroValues(t *testing.T) {
	var zero consent.Decision
	assert.False(t, zero.Allowed(), "the zero decision denies")
	assert.Equal(t, consent.Deny, zero.Outcome)
	assert.Equal(t, "deny: nothing was decided (, row 0)", zero.Explain())
	assert.Equal(t, `{"outcome":"deny","reason":"","row":0}`, string(zero.AppendJSON(nil)))

	var none *consent.Engine
	for _, e := range []*consent.Engine{none, {}} {
		for _, r := range []*consent.Request{nil, {}, {Purpose: "p", At: noon}, {Purposes: []string{"p"}, At: noon}} {
			d := e.Decide(nil, r)
			assert.Equal(t, verdict{1, consent.Deny, consent.ReasonPolicyUnavailable}, verdict{d.Row, d.Outcome, d.Reason})
		}
		assert.Empty(t, e.Inventory(nil, nil))
		_, ok := e.Purpose("p")
		assert.False(t, ok)
		_, ok = e.Source("s")
		assert.False(t, ok)
	}

	empty, err := consent.New(consent.Policy{})
	require.NoError(t, err)
	d := empty.Decide(nil, nil)
	assert.Equal(t, consent.ReasonInvalidRequest, d.Reason)
	d = empty.Decide(nil, &consent.Request{})
	assert.Equal(t, consent.ReasonInvalidRequest, d.Reason)
	d = empty.Decide(nil, &consent.Request{Purpose: "p", At: noon})
	assert.Equal(t, consent.ReasonUnknownPurpose, d.Reason, "an empty policy declares nothing")

	s := newStage()
	e, err := consent.New(s.p)
	require.NoError(t, err)
	a, b := e.Decide(nil, &s.r), e.Decide(&consent.View{}, &s.r)
	assert.Equal(t, a, b, "a nil view and the zero view know nothing")
	assert.Equal(t, consent.ReasonConsentUnset, a.Reason)
}

func TestNotAfterIsTold(t *testing.T) {
	month := 30 * 24 * time.Hour
	for _, tt := range []struct {
		name, reason string
		set          func(*stage)
		want         time.Time
	}{
		{"nothing ends", "never by time alone", func(s *stage) { s.f.Records = []consent.Record{grant("p")} }, time.Time{}},
		{"consent ends", "its end", func(s *stage) { r := grant("p"); r.Expires = noon.Add(month); s.f.Records = []consent.Record{r} }, noon.Add(month)},
		{"two consents", "the one that lasts longest carries the answer", func(s *stage) {
			a, b := grant("p"), grant("p")
			a.Expires, b.Expires, b.ID, b.Channel = noon.Add(time.Hour), noon.Add(month), "other", "email"
			s.f.Records, s.r.Channel = []consent.Record{a, b}, "email"
		}, noon.Add(month)},
		{"consent begins", "asked now, allowed then", func(s *stage) { r := grant("p"); r.Given = noon.Add(month); s.f.Records = []consent.Record{r} }, noon.Add(month)},
		{"consent goes stale", "when the notice changes", func(s *stage) {
			s.p.Notices = append(s.p.Notices, consent.Notice{ID: "n", Version: "2", Effective: noon.Add(month), Material: true})
			r := grant("p")
			r.Notice, r.Expires = consent.NoticeRef{ID: "n", Version: "1"}, noon.Add(2*month)
			s.f.Records = []consent.Record{r}
		}, noon.Add(month)},
		{"refused, with a consent that ends", "the refusal does not end", func(s *stage) {
			r := grant("p")
			r.Expires, r.Channel = noon.Add(month), "sms"
			s.f.Records = []consent.Record{r, refusal("p", consent.StateDenied)}
		}, time.Time{}},
		{"claim ends", "then the data is personal again", func(s *stage) {
			s.f.Claims = []consent.Claim{{ID: "c", Result: consent.Unlinkable, CheckedAt: noon, Expires: noon.Add(month)}}
			s.r.Claim = "c"
		}, noon.Add(month)},
		{"the ledger knows more", "a recorded event becomes true later", func(s *stage) {
			s.f.Until = noon.Add(time.Minute)
			s.f.Records = []consent.Record{grant("p")}
		}, noon.Add(time.Minute)},
		{"promotion at the instant of consent", "strictly before: one nanosecond later it is", func(s *stage) {
			s.p.Classes = []consent.Class{{Key: "a"}, {Key: "b"}}
			s.r.Promote = consent.Promote{From: "a", To: "b"}
			r := grant("p")
			r.Operation, r.Given = consent.OpPromote, noon
			s.f.Records = []consent.Record{r}
		}, noon.Add(1)},
	} {
		s := newStage()
		tt.set(s)
		d := s.decide(t)
		assert.True(t, tt.want.Equal(d.NotAfter), "%s: %s: got %s, want %s", tt.name, tt.reason, d.NotAfter, tt.want)
	}
}

// What an Allow by law brings with it.
func TestMinimumData(t *testing.T) {
	s := newStage()
	s.legal()
	s.p.Purposes[0].Reference = "law/1"
	d := s.decide(t)
	assert.Equal(t, []consent.Obligation{{Kind: consent.Minimise, Rule: "p", Values: []string{"k"}}}, d.Obligations)
	assert.Equal(t, []consent.Ref{{Kind: "reference", ID: "law/1"}}, d.Evidence)
	assert.Equal(t, consent.BasisLegalObligation, d.Basis)

	s = pulled(4)
	s.r.Reference = "case/7"
	d = s.decide(t)
	assert.Equal(t, []consent.Obligation{{Kind: consent.Minimise, Rule: "tax", Source: "s", Values: []string{"k"}}}, d.Obligations)
	assert.Equal(t, consent.BasisLegalObligation, d.Basis, "not the purpose's own consent")
	assert.NotContains(t, string(d.AppendJSON(nil)), "case/7", "the request's reference is not printed")

	s = newStage()
	s.legal()
	d = s.decide(t)
	assert.Equal(t, []consent.Step{{Row: 4, Reason: consent.ReasonLegalObligation, Note: "the duty is claimed without a reference"}}, d.Overridden)
}

// What the decision was made by.
func TestHandedThrough(t *testing.T) {
	s := newStage()
	s.p.Hash, s.f.Head = "sha256:00ff", "log/17"
	d := s.decide(t)
	assert.Equal(t, "sha256:00ff", d.PolicyHash)
	assert.Equal(t, "log/17", d.LedgerHead)
	assert.Contains(t, string(d.AppendJSON(nil)), `"ledger_head":"log/17","outcome":"ask","policy_hash":"sha256:00ff"`)
	s.r.Purposes = []string{"p"}
	assert.Equal(t, "log/17", s.decide(t).LedgerHead, "of several purposes too")
}
