package consent_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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

func (s *stage) decide(t require.TestingT) consent.Decision {
	e, err := consent.New(s.p)
	require.NoError(t, err)
	return e.Decide(viewOf(t, s.f), &s.r)
}

// triggers make one row decide. Those of rows 14 to 19 say what the purpose rests
// on, so that only one of them can hold; the earlier ones can be combined at will.
var triggers = []struct {
	row     int
	reason  consent.Reason
	outcome consent.Outcome
	pull    func(*stage)
}{
	{1, consent.ReasonInvalidRequest, consent.Deny, func(s *stage) { s.r.At = time.Time{} }},
	{2, consent.ReasonNotPersonal, consent.Allow, func(s *stage) {
		s.f.Claims = []consent.Claim{{ID: "c", Result: consent.Aggregate, CheckedAt: noon.Add(-time.Hour)}}
		s.r.Claim = "c"
	}},
	{3, consent.ReasonProhibited, consent.Deny, func(s *stage) { s.p.Prohibitions = []consent.Prohibition{{ID: "no", Source: "s"}} }},
	{5, consent.ReasonAdminDisabled, consent.Deny, func(s *stage) { s.r.Admin["f"] = false }},
	{6, consent.ReasonFeatureOff, consent.Deny, func(s *stage) { s.r.Switches["f"] = false }},
	{7, consent.ReasonErased, consent.Deny, func(s *stage) { s.f.Erased = true }},
	{8, consent.ReasonWithdrawn, consent.Deny, func(s *stage) { s.f.Records = append(s.f.Records, refusal("p", consent.StateWithdrawn)) }},
	{10, consent.ReasonSignalGPC, consent.Deny, func(s *stage) { s.p.Purposes[0].Signals = []string{"gpc"}; s.r.Signals.GPC = true }},
	{12, consent.ReasonExplicitConsentRequired, consent.AskFirst, func(s *stage) {
		s.p.Requirements = []consent.Requirement{{ID: "must", Source: "s"}}
	}},
	{13, consent.ReasonShareNeedsConsent, consent.AskFirst, func(s *stage) {
		s.r.Share = consent.Share{Recipient: "shop", Attributes: []string{"name"}}
	}},
	{14, consent.ReasonConsent, consent.Allow, func(s *stage) { s.f.Records = append(s.f.Records, grant("p")) }},
	{15, consent.ReasonConsentUnset, consent.AskFirst, func(s *stage) { s.f.Records = append(s.f.Records, refusal("p", consent.StateRequested)) }},
	{16, consent.ReasonContract, consent.Allow, func(s *stage) { s.p.Purposes[0].Basis = consent.BasisContract }},
	{17, consent.ReasonLegitimateInterest, consent.Allow, func(s *stage) {
		s.p.Purposes[0].Basis, s.p.Purposes[0].Assessment = consent.BasisLegitimateInterest, "lia/1"
	}},
	{18, consent.ReasonOptOutDefault, consent.Allow, func(s *stage) { s.p.Purposes[0].Mechanism = consent.OptOut }},
	{19, consent.ReasonDefaultDeny, consent.Deny, func(s *stage) { s.p.Purposes[0].Mechanism, s.p.Purposes[0].Notice = consent.NoticeOnly, "n" }},
}

func TestEveryRow(t *testing.T) {
	for _, tr := range triggers {
		s := newStage()
		tr.pull(s)
		d := s.decide(t)
		assert.Equal(t, verdict{tr.row, tr.outcome, tr.reason}, verdict{d.Row, d.Outcome, d.Reason}, "row %d alone\n%s", tr.row, d.Explain())
	}
}

func TestEveryPairOfRows(t *testing.T) {
	pairs := 0
	for i, a := range triggers {
		for _, b := range triggers[i+1:] {
			if a.row >= 14 {
				continue // both say what the purpose rests on
			}
			s := newStage()
			b.pull(s)
			a.pull(s)
			d := s.decide(t)
			assert.Equal(t, verdict{a.row, a.outcome, a.reason}, verdict{d.Row, d.Outcome, d.Reason}, "rows %d and %d: the earlier wins\n%s", a.row, b.row, d.Explain())
			pairs++
		}
	}
	require.Equal(t, 9+8+7+6+5+4+3+2+1+0+10*6, pairs, "ten rows that combine with each other and with six bases")
}

func TestAnySetOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStage()
		list := subset(t, "rows", triggers[:10])
		list = append(list, pick(t, "basis", triggers[10:]))
		for _, tr := range rapid.Permutation(list).Draw(t, "order") {
			tr.pull(s)
		}
		d := s.decide(t)
		require.Equal(t, verdict{list[0].row, list[0].outcome, list[0].reason}, verdict{d.Row, d.Outcome, d.Reason})
	})
}

// The table in the package documentation is the one that runs.
func TestTableIsPublished(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^//\t *(\d+)  (.+?)  +(deny|ask|allow) +([A-Z_ ]+)$`)
	all := line.FindAllStringSubmatch(string(doc), -1)
	require.Len(t, all, len(triggers))
	documented := map[consent.Reason]bool{}
	for i, m := range all {
		assert.Equal(t, strconv.Itoa(triggers[i].row), m[1])
		assert.Equal(t, consent.RowTitles()[i], m[1]+" "+strings.TrimSpace(m[2]))
		assert.Equal(t, triggers[i].outcome.String(), m[3])
		reasons := strings.Fields(m[4])
		assert.Contains(t, reasons, string(triggers[i].reason))
		for _, r := range reasons {
			documented[consent.Reason(r)] = true
		}
	}
	constants := consent.Reasons(t)
	for _, c := range constants {
		assert.True(t, documented[c], "%s is a constant without a row", c)
	}
	assert.Len(t, documented, len(constants))
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
