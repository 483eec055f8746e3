package consent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

func placed(change ...func(*consent.Policy)) consent.Policy {
	p := consent.Policy{
		Purposes: []consent.Purpose{
			{Key: "ads", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseShare, consent.UseTargetedAds}},
			{Key: "sale", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseSale}},
			{Key: "profile", Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseProfiling}},
			{Key: "fixed", Mechanism: consent.OptOut},
			{Key: "noticed", Mechanism: consent.ByRegime, Notice: "n"},
			{Key: "contract", Basis: consent.BasisContract},
		},
		Notices: []consent.Notice{{ID: "n", Version: "1", Effective: date(2020, 1, 1)}},
		Regimes: consent.Regimes{Builtin: true},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func living(place string) consent.Subject { return consent.Subject{ID: "person", Residence: place} }

func TestRegimeTable(t *testing.T) {
	e, err := consent.New(placed())
	require.NoError(t, err)
	gpc := consent.Signals{GPC: true}
	for _, row := range consent.RegimeTable() {
		assert.NotEmpty(t, row.Source, "%s: every row says where it is from", row.Place)
	}
	// The twelve states in which the signal binds, and from when.
	binding := map[string]time.Time{
		"US-CA": {}, "US-CO": date(2024, 7, 1), "US-CT": date(2025, 1, 1), "US-TX": date(2025, 1, 1), "US-NE": date(2025, 1, 1), "US-MT": date(2025, 1, 1),
		"US-NH": date(2025, 1, 1), "US-NJ": date(2025, 7, 15), "US-MN": date(2025, 7, 31), "US-MD": date(2025, 10, 1), "US-DE": date(2026, 1, 1), "US-OR": date(2026, 1, 1),
	}
	require.Len(t, binding, 12)
	for place, from := range binding {
		ask := func(at time.Time, s consent.Signals) consent.Decision {
			return e.Decide(nil, &consent.Request{Purpose: "sale", Subject: living(place), Signals: s, At: at})
		}
		d := ask(noon, gpc)
		assert.Equal(t, verdict{10, consent.Deny, consent.ReasonSignalGPC}, rowOf(d), place)
		assert.True(t, ask(noon, consent.Signals{}).Allowed(), "%s: no signal is no statement", place)
		if !from.IsZero() {
			d = ask(from.Add(-1), gpc)
			assert.True(t, d.Allowed(), "%s: not yet", place)
			assert.True(t, d.NotAfter.Equal(from), "%s: until then", place)
			assert.Equal(t, consent.ReasonSignalGPC, ask(from, gpc).Reason, place)
		}
	}
	for _, place := range strings.Fields("US-VA US-UT US-IA US-IN US-TN US-FL US-KY US-RI") {
		d := e.Decide(nil, &consent.Request{Purpose: "sale", Subject: living(place), Signals: gpc, At: noon})
		assert.True(t, d.Allowed(), "%s: no signal binds", place)
	}
	d := e.Decide(nil, &consent.Request{Purpose: "sale", Subject: living("US-NY"), Signals: gpc, At: noon})
	assert.Equal(t, consent.ReasonSignalGPC, d.Reason, "a state without a row takes the country's")

	sensitive := placed(func(p *consent.Policy) { p.Sensitive = []string{"health"} })
	e, err = consent.New(sensitive)
	require.NoError(t, err)
	limits := consent.Signals{List: []consent.Signal{{Kind: consent.SignalGPP, OptOut: []consent.Use{consent.UseSensitive}}}}
	for _, place := range strings.Fields("CO CT DE IN KY MD MN MT NE NH NJ OR RI TN TX VA") {
		d := e.Decide(nil, &consent.Request{Purpose: "contract", Category: "health.pulse", Subject: living("US-" + place), At: noon})
		assert.Equal(t, verdict{12, consent.AskFirst, consent.ReasonExplicitConsentRequired}, rowOf(d), place)
	}
	for _, place := range strings.Fields("CA UT IA") {
		r := consent.Request{Purpose: "contract", Category: "health.pulse", Subject: living("US-" + place), At: noon}
		assert.True(t, e.Decide(nil, &r).Allowed(), "%s: allowed until limited", place)
		r.Signals = limits
		assert.Equal(t, verdict{10, consent.Deny, consent.ReasonSignalGPP}, rowOf(e.Decide(nil, &r)), "%s: limited", place)
		r.Category = "device"
		assert.True(t, e.Decide(nil, &r).Allowed(), "%s: another category", place)
	}
}

func TestRegimes(t *testing.T) {
	own := func(rules ...consent.RegimeRule) func(*consent.Policy) {
		return func(p *consent.Policy) { p.Regimes.Rules = rules }
	}
	at := func(purpose, residence, location string) consent.Request {
		return consent.Request{Purpose: purpose, Subject: living(residence), Location: location}
	}
	noticed := at("noticed", "US-VA", "")
	noticed.Notices = []consent.NoticeRef{{ID: "n", Version: "1"}}
	for _, tt := range []struct {
		name   string
		req    consent.Request
		change func(*consent.Policy)
		want   verdict
		regime consent.Mechanism
		reason string
	}{
		{"opt-in", at("ads", "DE", ""), nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, consent.OptIn, "GDPR"},
		{"opt-out", at("ads", "US-VA", ""), nil, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.OptOut, "a state's law"},
		{"no place", at("ads", "", ""), nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, consent.OptIn, "the strictest"},
		{"place without a row", at("ads", "JP", ""), nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, consent.OptIn, "the strictest"},
		{"not a place", at("ads", "us-va", ""), nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, consent.OptIn, "what is not understood is not known"},
		{"two places", at("ads", "US-VA", "DE"), nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, consent.OptIn, "the stricter"},
		{"two places, turned round", at("ads", "DE", "US-VA"), nil, verdict{15, consent.AskFirst, "CONSENT_UNSET"}, consent.OptIn, "the stricter"},
		{"only the location", at("ads", "", "US-VA"), nil, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.OptOut, "the place that is known"},
		{"fixed mechanism", at("fixed", "DE", ""), nil, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.OptIn, "kept, and the regime is told"},
		{"notice missing", at("noticed", "US-VA", ""), nil, verdict{19, consent.Deny, "DEFAULT_DENY"}, consent.OptOut, "row 18 needs it"},
		{"notice given", noticed, nil, verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.OptOut, "row 18"},
		{"notice only, none named", at("ads", "ZZ", ""), own(consent.RegimeRule{Place: "ZZ", Mechanism: consent.NoticeOnly}), verdict{19, consent.Deny, "DEFAULT_DENY"}, consent.NoticeOnly, "allowed by a notice, and there is none"},
		{"none", at("noticed", "ZZ", ""), own(consent.RegimeRule{Place: "ZZ", Mechanism: consent.NoRegime}), verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.NoRegime, "nothing is asked there"},
		{"own row replaces", at("ads", "DE", ""), own(consent.RegimeRule{Place: "DE", Mechanism: consent.OptOut}), verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.OptOut, "place by place"},
		{"not begun", at("ads", "US-ZZ", ""), own(consent.RegimeRule{Place: "US-ZZ", From: noon.Add(1), Mechanism: consent.OptIn}), verdict{18, consent.Allow, "OPT_OUT_REGIME_DEFAULT"}, consent.OptOut, "until then the country's"},
	} {
		p := placed()
		if tt.change != nil {
			tt.change(&p)
		}
		d := ask(t, p, consent.Facts{}, tt.req)
		assert.Equal(t, tt.want, rowOf(d), "%s: %s", tt.name, tt.reason)
		assert.Equal(t, tt.regime, d.Regime, tt.name)
		if tt.name == "not begun" {
			assert.True(t, d.NotAfter.Equal(noon.Add(1)))
		}
	}
}

func TestSignals(t *testing.T) {
	gpp := func(uses ...consent.Use) consent.Signal { return consent.Signal{Kind: consent.SignalGPP, OptOut: uses} }
	usp, dnt, gpc := consent.Signal{Kind: consent.SignalUSP}, consent.Signal{Kind: consent.SignalDNT}, consent.Signal{Kind: consent.SignalGPC}
	later := gpc
	later.Since = noon.Add(time.Hour)
	for _, tt := range []struct {
		name, purpose, place string
		signal               consent.Signal
		change               func(*consent.Policy)
		want                 consent.Reason
		reason               string
	}{
		{"GPP sale", "sale", "US-VA", gpp(consent.UseSale), nil, "SIGNAL_GPP", "an opt-out in the law's own form binds everywhere it is a right"},
		{"GPP sharing", "sale", "US-VA", gpp(consent.UseShare), nil, "OPT_OUT_REGIME_DEFAULT", "another use"},
		{"GPP targeted", "ads", "US-VA", gpp(consent.UseTargetedAds), nil, "SIGNAL_GPP", "one of the purpose's uses is enough"},
		{"GPP profiling", "profile", "US-VA", gpp(consent.UseProfiling), nil, "SIGNAL_GPP", "profiling"},
		{"GPC and profiling", "profile", "US-CO", gpc, nil, "OPT_OUT_REGIME_DEFAULT", "the texts do not name profiling"},
		{"USP", "sale", "US-CA", usp, nil, "SIGNAL_USP", "sale"},
		{"USP and ads", "ads", "US-CA", usp, nil, "OPT_OUT_REGIME_DEFAULT", "it is about sale only"},
		{"DNT", "sale", "US-CA", dnt, nil, "OPT_OUT_REGIME_DEFAULT", "recorded, never decisive"},
		{"no use", "contract", "US-CA", gpc, nil, "CONTRACT", "the law binds sale and sharing, not a contract"},
		{"opt-in", "sale", "DE", gpc, nil, "SIGNAL_GPC", "counts as a refusal"},
		{"opt-in, by flag", "sale", "DE", gpc, func(p *consent.Policy) { p.Regimes.IgnoreSignalsInOptIn = true }, "CONSENT_UNSET", "switched off"},
		{"honoured anywhere", "fixed", "US-VA", gpc, func(p *consent.Policy) { p.Purposes[3].Signals = []string{"gpc"} }, "SIGNAL_GPC", "the policy's own promise"},
		{"honours another", "fixed", "US-VA", usp, func(p *consent.Policy) { p.Purposes[3].Signals = []string{"gpc"} }, "OPT_OUT_REGIME_DEFAULT", "only what it names"},
		{"not seen yet", "sale", "US-CA", later, nil, "OPT_OUT_REGIME_DEFAULT", "as of an earlier instant"},
	} {
		p := placed()
		if tt.change != nil {
			tt.change(&p)
		}
		d := ask(t, p, consent.Facts{}, consent.Request{Purpose: tt.purpose, Subject: living(tt.place), Signals: consent.Signals{List: []consent.Signal{tt.signal}}})
		assert.Equal(t, tt.want, d.Reason, "%s: %s", tt.name, tt.reason)
		if tt.name == "not seen yet" {
			assert.True(t, d.NotAfter.Equal(later.Since))
		}
	}
	// Without regimes the signal counts where the purpose honours it, and nowhere else.
	p := placed(func(p *consent.Policy) {
		p.Regimes = consent.Regimes{}
		p.Purposes = []consent.Purpose{{Key: "a", Mechanism: consent.OptOut, Signals: []string{"gpc"}}, {Key: "b", Mechanism: consent.OptOut, Uses: []consent.Use{consent.UseSale}}}
	})
	assert.Equal(t, consent.ReasonSignalGPC, ask(t, p, consent.Facts{}, consent.Request{Purpose: "a", Signals: consent.Signals{GPC: true}}).Reason)
	assert.True(t, ask(t, p, consent.Facts{}, consent.Request{Purpose: "b", Signals: consent.Signals{GPC: true}}).Allowed())
}

// Row 11: a consent that is later, to this purpose, and told of the conflict.
func TestSignalOverridden(t *testing.T) {
	seen := noon.Add(-10 * time.Hour)
	gpc := consent.Signal{Kind: consent.SignalGPC, Since: seen, Device: "browser"}
	told := grant("sale")
	told.AfterConflict, told.Given = true, seen.Add(time.Hour)
	in := func(places ...string) func(*consent.Policy) {
		return func(p *consent.Policy) { p.Regimes.AfterNotice = places }
	}
	for _, tt := range []struct {
		name   string
		policy consent.Policy
		change func(r *consent.Record, q *consent.Request)
		lifted bool
		reason string
	}{
		{"told and later", placed(in("US-CA")), nil, true, "11 CCR 7025(c)(3)"},
		{"never", placed(), nil, false, "the default"},
		{"elsewhere", placed(in("US-CO")), nil, false, "the place's own flag"},
		{"two places", placed(in("US-CA")), func(_ *consent.Record, q *consent.Request) { q.Location = "US-CO" }, false, "each must let it"},
		{"not told", placed(in("US-CA")), func(r *consent.Record, _ *consent.Request) { r.AfterConflict = false }, false, "not informed"},
		{"earlier", placed(in("US-CA")), func(r *consent.Record, _ *consent.Request) { r.Given = seen }, false, "not later"},
		{"since when is not known", placed(in("US-CA")), func(_ *consent.Record, q *consent.Request) { q.Signals.List[0].Since = time.Time{} }, false, "cannot be shown to be later"},
		{"plain signal", placed(in("US-CA")), func(_ *consent.Record, q *consent.Request) { q.Signals = consent.Signals{GPC: true} }, false, "nor here"},
		{"another purpose", placed(in("US-CA")), func(r *consent.Record, _ *consent.Request) { r.Purpose = "ads" }, false, "not specific"},
		{"implied", placed(in("US-CA")), func(r *consent.Record, _ *consent.Request) { r.Strength = consent.Implied }, false, "not a clear act"},
		{"expired", placed(in("US-CA")), func(r *consent.Record, _ *consent.Request) { r.Expires = noon }, false, "not valid"},
		{"nobody known", placed(in("US-CA")), func(_ *consent.Record, q *consent.Request) { q.Subject.ID = "browser" }, false, "while the person is known"},
		{"a second signal", placed(in("US-CA")), func(_ *consent.Record, q *consent.Request) {
			q.Signals.List = append(q.Signals.List, consent.Signal{Kind: consent.SignalUSP, Since: noon.Add(-time.Hour)})
		}, false, "seen after the consent"},
	} {
		r, q := told, consent.Request{Purpose: "sale", Subject: living("US-CA"), Signals: consent.Signals{List: []consent.Signal{gpc}}}
		if tt.change != nil {
			tt.change(&r, &q)
		}
		d := ask(t, tt.policy, records(r), q)
		assert.Equal(t, tt.lifted, d.Allowed(), "%s: %s\n%s", tt.name, tt.reason, d.Explain())
		if tt.lifted {
			assert.Equal(t, []consent.Step{{Row: 11, Reason: consent.ReasonSignalOverridden, Note: "the person consented later, told that a signal says otherwise"}}, d.Overridden)
			assert.Equal(t, []consent.Ref{{Kind: "consent", ID: "grant-sale"}}, d.Evidence)
		}
	}
}

// Of two consents at one instant, told of the conflict and not, the latter counts.
func TestToldAndNotAtOneInstant(t *testing.T) {
	p := placed(func(p *consent.Policy) { p.Regimes.AfterNotice = []string{"US-CA"} })
	told := grant("sale")
	told.AfterConflict = true
	not := grant("sale")
	r := consent.Request{Purpose: "sale", Subject: living("US-CA"), Signals: consent.Signals{List: []consent.Signal{{Kind: consent.SignalGPC, Since: noon.Add(-72 * time.Hour)}}}}
	assert.True(t, ask(t, p, records(told), r).Allowed())
	assert.Equal(t, consent.ReasonSignalGPC, ask(t, p, records(told, not), r).Reason)
	assert.Equal(t, consent.ReasonSignalGPC, ask(t, p, records(not, told), r).Reason)
}

// Duties that come with signals and withdrawals.
func TestDutiesOfDenials(t *testing.T) {
	p := placed(func(p *consent.Policy) {
		p.Sources = []consent.Source{{ID: "s"}}
		p.Obligations = []consent.ObligationRule{
			{ID: "stop", Source: "s", On: []consent.Reason{consent.ReasonWithdrawn}, Obligation: consent.Obligation{Kind: consent.StopAndErase}},
			{ID: "forward", Source: "s", On: []consent.Reason{consent.ReasonRefused}, Obligation: consent.Obligation{Kind: consent.HonourIn, Period: "P45D", Values: []string{"calendar_days"}}},
			{ID: "log", Source: "s", Obligation: consent.Obligation{Kind: consent.LogUse}},
		}
	})
	gpc := consent.Signals{GPC: true}
	d := ask(t, p, consent.Facts{}, consent.Request{Purpose: "sale", Subject: living("US-CA"), Signals: gpc})
	assert.Equal(t, []consent.Obligation{{Kind: consent.HonourIn, Rule: "regimes", Values: []string{"business_days"}, Limit: "ceiling", Strength: "required", Period: "P15D", Anchor: "opted_out_at"}}, d.Obligations)
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "sale", Subject: living("US-CO"), Signals: gpc})
	assert.Empty(t, d.Obligations, "no number is made up")
	d = ask(t, p, records(refusal("sale", consent.StateWithdrawn)), consent.Request{Purposes: []string{"contract", "sale"}, Subject: living("US-CO")})
	assert.Equal(t, []consent.Obligation{{Kind: consent.StopAndErase, Rule: "stop", Source: "s"}}, d.Obligations, "of what is denied; what stays allowed has its own")
	d = ask(t, p, records(refusal("sale", consent.StateDenied)), consent.Request{Purpose: "sale", Subject: living("US-CO")})
	assert.Equal(t, []consent.Obligation{{Kind: consent.HonourIn, Rule: "forward", Source: "s", Values: []string{"calendar_days"}, Period: "P45D"}}, d.Obligations)
	d = ask(t, p, consent.Facts{}, consent.Request{Purpose: "contract", Subject: living("US-CO"), Recipient: consent.Recipient{ID: "vendor"}, Signals: consent.Signals{GPC: true, List: []consent.Signal{{Kind: "gpp"}, {Kind: "dnt"}}}})
	assert.Equal(t, []consent.Obligation{{Kind: consent.LogUse, Rule: "log", Source: "s"}, {Kind: consent.PassSignal, Rule: "regimes", Values: []string{"gpc", "gpp"}}}, d.Obligations)
}
