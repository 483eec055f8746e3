package consent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

// benchCases are single questions to the services policy (ten purposes, four
// features, one prohibition and one obligation with a condition each) about a
// person with ten records.
func benchCases(t testing.TB) []benchCase {
	e, err := consent.New(services())
	require.NoError(t, err)
	f := consent.Facts{}
	for _, p := range []string{"diagnostic.optional", "quality", "sync", "research", "diagnostic.secure", "service.deliver"} {
		f.Records = append(f.Records, grant(p))
	}
	for _, c := range []string{"email", "sms", "phone"} {
		r := refusal("communicate.promotion", consent.StateDenied)
		r.ID, r.Channel = r.ID+"-"+c, c
		f.Records = append(f.Records, r)
	}
	f.Records = append(f.Records, refusal("advertising", consent.StateWithdrawn))
	f.Claims = []consent.Claim{{ID: "batch-7", Result: consent.Aggregate, CheckedAt: noon.Add(-time.Hour)}}
	v := viewOf(t, f)
	on := map[string]bool{"find-my-device": true, "backup": true, "updates": true}
	off := map[string]bool{"find-my-device": false, "backup": true, "updates": true}
	locate := consent.Request{Purpose: "service.deliver.locate", Feature: "find-my-device", Class: "service.required", Category: "user.location.precise", Switches: on, At: noon}
	featureOff := locate
	featureOff.Switches = off
	return []benchCase{
		{"allow/contract", e, v, locate, consent.ReasonContract},
		{"allow/consent", e, v, consent.Request{Purpose: "diagnostic.optional", Class: "diagnostic.optional", Category: "user.device", At: noon}, consent.ReasonConsent},
		{"allow/not_personal", e, v, consent.Request{Purpose: "quality", Class: "service.required", Qualifier: consent.Aggregated, Claim: "batch-7", At: noon}, consent.ReasonNotPersonal},
		{"deny/feature_off", e, v, featureOff, consent.ReasonFeatureOff},
		{"deny/withdrawn", e, v, consent.Request{Purpose: "advertising.interest_based", Category: "user.behavior", At: noon}, consent.ReasonWithdrawn},
		{"deny/prohibited", e, v, consent.Request{Purpose: "advertising.interest_based", Category: "user.content.email", At: noon}, consent.ReasonProhibited},
		{"deny/not_declared", e, v, consent.Request{Purpose: "research", Class: "service.required", At: noon}, consent.ReasonNotDeclared},
		{"ask/unset", e, &consent.View{}, consent.Request{Purpose: "diagnostic.optional", Class: "diagnostic.optional", At: noon}, consent.ReasonConsentUnset},
	}
}

// fullCases are questions to a policy of 20 purposes and 30 rules (ten prohibitions,
// ten requirements, five overrides, five obligations, each with a condition) with
// the builtin ages and regimes, about a person with ten records, a residence, a
// location and an age.
func fullCases(t testing.TB) []benchCase {
	p := consent.Policy{
		Sources: []consent.Source{{ID: "law", Layer: consent.LayerLaw}, {ID: "agreement", Layer: consent.LayerAgreement}, {ID: "statement", Layer: consent.LayerStatement}},
		Ages:    consent.Ages{Builtin: true}, Regimes: consent.Regimes{Builtin: true}, Sensitive: []string{"user.health"},
		Features: []consent.Feature{{Key: "maps", Kind: consent.Optional, AdminCanDisable: true}},
	}
	category := func(name string) consent.Condition {
		return consent.Condition{Text: "category", Func: func(r *consent.Request) (bool, error) { return r.Category == name, nil }}
	}
	f := consent.Facts{}
	for i := range 10 {
		n := string(rune('a' + i))
		p.Purposes = append(p.Purposes,
			consent.Purpose{Key: "service." + n, Basis: consent.BasisContract},
			consent.Purpose{Key: "ads." + n, Mechanism: consent.ByRegime, Uses: []consent.Use{consent.UseSale, consent.UseTargetedAds}})
		p.Prohibitions = append(p.Prohibitions, consent.Prohibition{ID: "no/" + n, Source: "statement", When: category("banned." + n)})
		p.Requirements = append(p.Requirements, consent.Requirement{ID: "must/" + n, Source: "law", When: category("special." + n)})
		if i < 5 {
			p.Overrides = append(p.Overrides, consent.Override{ID: "over/" + n, Source: "agreement", Rules: []string{"no/" + n}, When: category("never")})
			p.Obligations = append(p.Obligations, consent.ObligationRule{ID: "log/" + n, Source: "law", When: category("logged." + n), Obligation: consent.Obligation{Kind: consent.LogUse}})
		}
		r := grant("ads." + n)
		if i == 9 {
			r = refusal("ads.j", consent.StateWithdrawn)
		}
		f.Records = append(f.Records, r)
	}
	e, err := consent.New(p)
	require.NoError(t, err)
	v := viewOf(t, f)
	subject := func(place, band string) consent.Subject {
		return consent.Subject{ID: "person", Residence: place, AgeBand: band, Account: "consumer"}
	}
	gpc := consent.Signals{List: []consent.Signal{{Kind: consent.SignalGPC, Since: noon.Add(-time.Hour)}}}
	on := map[string]bool{"maps": true}
	return []benchCase{
		{"full/allow/contract", e, v, consent.Request{Purpose: "service.c", Category: "user.device", Feature: "maps", Switches: on, Subject: subject("DE", "16..17"), Location: "DK", At: noon}, consent.ReasonContract},
		{"full/allow/consent", e, v, consent.Request{Purpose: "ads.c", Category: "user.behavior", Feature: "maps", Switches: on, Subject: subject("DE", "16..17"), Location: "US-CA", At: noon}, consent.ReasonConsent},
		{"full/allow/opt_out", e, v, consent.Request{Purpose: "ads.c", Category: "user.behavior", Subject: subject("US-VA", "adult"), Location: "US-CO", At: noon}, consent.ReasonOptOutDefault},
		{"full/deny/signal", e, v, consent.Request{Purpose: "ads.c", Category: "user.behavior", Subject: subject("US-VA", "16..17"), Location: "US-CO", Signals: gpc, At: noon}, consent.ReasonSignalGPC},
		{"full/deny/withdrawn", e, v, consent.Request{Purpose: "ads.j", Category: "user.behavior", Subject: subject("DE", "16..17"), Location: "DK", At: noon}, consent.ReasonWithdrawn},
		{"full/deny/age_unknown", e, &consent.View{}, consent.Request{Purpose: "ads.c", Category: "user.behavior", Subject: subject("DE", ""), Location: "DK", At: noon}, consent.ReasonAgeUnknown},
		{"full/deny/prohibited", e, v, consent.Request{Purpose: "ads.c", Category: "banned.j", Subject: subject("DE", "16..17"), Location: "DK", At: noon}, consent.ReasonProhibited},
	}
}

type benchCase struct {
	name   string
	engine *consent.Engine
	view   *consent.View
	req    consent.Request
	reason consent.Reason
}

// The paths of one purpose allocate nothing.
func TestDecideAllocatesNothing(t *testing.T) {
	for _, c := range append(benchCases(t), fullCases(t)...) {
		d := c.engine.Decide(c.view, &c.req)
		require.Equal(t, c.reason, d.Reason, c.name)
		assert.Zero(t, testing.AllocsPerRun(100, func() { d = c.engine.Decide(c.view, &c.req) }), c.name)
	}
}

// BenchmarkDecide asks one question again and again, as a pipeline does for each
// field of an event: engine, view and request stay, the decision is made anew.
// The floor beside it is what a program writes that has its policy in its code and
// its answers in a map: no reasons, no hierarchy, no expiry, no trail.
func BenchmarkDecide(b *testing.B) {
	for _, c := range append(benchCases(b), fullCases(b)...) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := c.engine.Decide(c.view, &c.req); d.Reason != c.reason {
					b.Fatal(d.Reason)
				}
			}
		})
	}
	b.Run("allow/consent/parallel", func(b *testing.B) {
		c := benchCases(b)[1]
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if d := c.engine.Decide(c.view, &c.req); !d.Allowed() {
					b.Error(d.Reason)
				}
			}
		})
	})
	b.Run("floor/if_chain", func(b *testing.B) {
		answers := map[string]bool{"diagnostic.optional": true, "advertising": false}
		r := benchCases(b)[1].req
		b.ReportAllocs()
		for b.Loop() {
			if !floor(answers, &r) {
				b.Fatal("denied")
			}
		}
	})
}

//go:noinline
func floor(answers map[string]bool, r *consent.Request) bool {
	if r.At.IsZero() || r.Purpose == "" {
		return false
	}
	if r.Feature == "find-my-device" && !r.Switches["find-my-device"] {
		return false
	}
	if r.Class == "service.required" && r.Purpose != "service.operate" && r.Purpose != "service.deliver" {
		return false
	}
	if answers["withdrawn:"] || r.Signals.GPC && r.Purpose == "advertising.interest_based" {
		return false
	}
	return answers[r.Purpose]
}

func BenchmarkDecideFourPurposes(b *testing.B) {
	c := benchCases(b)[1]
	c.req.Class, c.req.Purpose = "", ""
	c.req.Purposes = []string{"diagnostic.optional", "diagnostic.secure", "quality", "sync"}
	b.ReportAllocs()
	for b.Loop() {
		if d := c.engine.Decide(c.view, &c.req); !d.Allowed() {
			b.Fatal(d.Reason)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	c := benchCases(b)[1]
	d := c.engine.Decide(c.view, &c.req)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = d.AppendJSON(buf[:0])
	}
}

func BenchmarkNew(b *testing.B) {
	p := services()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := consent.New(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewView(b *testing.B) {
	f := consent.Facts{}
	for _, p := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		f.Records = append(f.Records, grant(p))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := consent.NewView(f); err != nil {
			b.Fatal(err)
		}
	}
}
