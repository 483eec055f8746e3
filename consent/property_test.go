package consent_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
)

type scene struct {
	policy consent.Policy
	engine *consent.Engine
	facts  consent.Facts
	req    *consent.Request
}

func genScene(t *rapid.T) scene {
	s := scene{policy: genPolicy(t), facts: genFacts(t), req: genRequest(t)}
	if rapid.Bool().Draw(t, "answered") {
		s.facts.Records = append(s.facts.Records, answers(t, s.req)...)
	}
	genWiderFacts(t, &s.facts)
	var err error
	s.engine, err = consent.New(s.policy)
	require.NoError(t, err)
	return s
}

func viewOf(t require.TestingT, f consent.Facts) *consent.View {
	v, err := consent.NewView(f)
	require.NoError(t, err)
	return v
}

// The engine and the reference agree on row, outcome and reason.
func TestAgainstReference(t *testing.T) {
	seen := map[verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		d := s.engine.Decide(viewOf(t, s.facts), s.req)
		want := (&slow{s.policy, s.facts, s.req}).decide()
		require.Equal(t, want, verdict{d.Row, d.Outcome, d.Reason}, "%s", d.Explain())
		seen[want]++
	})
	rows := map[int]bool{}
	for v := range seen {
		rows[v.row] = true
	}
	t.Logf("%d different verdicts on %d rows", len(seen), len(rows))
	require.Greater(t, len(rows), 12, "the generator must reach most rows, or the comparison proves little")
}

func TestDecideIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		v := viewOf(t, s.facts)
		before := *s.req
		a := s.engine.Decide(v, s.req)
		again, err := consent.New(s.policy)
		require.NoError(t, err)
		b := again.Decide(viewOf(t, s.facts), s.req)
		require.Equal(t, a, b)
		require.Equal(t, string(a.AppendJSON(nil)), string(b.AppendJSON(nil)))
		require.Equal(t, before, *s.req, "the request is read, not changed")
	})
}

func TestOrderOfRecordsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		a := s.engine.Decide(viewOf(t, s.facts), s.req)
		other := s.facts
		other.Records = rapid.Permutation(s.facts.Records).Draw(t, "records")
		other.Claims = rapid.Permutation(s.facts.Claims).Draw(t, "claims")
		require.Equal(t, a, s.engine.Decide(viewOf(t, other), s.req))
	})
}

// Whatever a refusal is about and whenever it was given, it never opens anything.
func TestRefusalNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		a := s.engine.Decide(viewOf(t, s.facts), s.req)
		refusal := genRecord(t, "extra")
		refusal.State = pick(t, "refusal", []consent.State{consent.StateDenied, consent.StateWithdrawn, consent.StateObjected})
		if n := len(s.facts.Records); n > 0 && rapid.Bool().Draw(t, "of a record") {
			refusal.Scope = s.facts.Records[rapid.IntRange(0, n-1).Draw(t, "which")].Scope
		}
		refusal.Expires = time.Time{}
		refusal.By = pick(t, "giver", genGivers)
		other := s.facts
		if n := len(s.facts.Merged); n > 0 && rapid.Bool().Draw(t, "on the device") {
			other.Merged = slices.Clone(s.facts.Merged)
			m := &other.Merged[rapid.IntRange(0, n-1).Draw(t, "which")]
			m.Records = append(slices.Clone(m.Records), refusal)
		} else {
			other.Records = append(slices.Clone(s.facts.Records), refusal)
		}
		b := s.engine.Decide(viewOf(t, other), s.req)
		require.LessOrEqual(t, b.Outcome, a.Outcome, "before: %s\nafter: %s", a.Explain(), b.Explain())
	})
}

// A signal more never opens anything, whatever it is and whenever it was seen.
func TestSignalNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		v := viewOf(t, s.facts)
		a := s.engine.Decide(v, s.req)
		more := *s.req
		if rapid.Bool().Draw(t, "plain") {
			more.Signals.GPC = true
		} else {
			list := slices.Clone(more.Signals.List)
			more.Signals.List = slices.Insert(list, rapid.IntRange(0, len(list)).Draw(t, "place"), genSignal(t))
		}
		b := s.engine.Decide(v, &more)
		require.LessOrEqual(t, b.Outcome, a.Outcome, "before: %s\nafter: %s", a.Explain(), b.Explain())
	})
}

// A switch or a setting that is off never opens anything, and one that is on
// changes nothing: an administrator denies and never consents.
func TestSettingNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		v := viewOf(t, s.facts)
		a := s.engine.Decide(v, s.req)
		x := consent.Setting{Feature: pick(t, "setting", genFeatures[1:]), By: pick(t, "by", []consent.Actor{consent.ByUser, consent.ByAdmin}), On: rapid.Bool().Draw(t, "on")}
		more := *s.req
		more.Settings = append(slices.Clone(more.Settings), x)
		b := s.engine.Decide(v, &more)
		require.LessOrEqual(t, b.Outcome, a.Outcome)
		if x.On {
			require.Equal(t, a, b)
		}
	})
}

// Bringing in a device that has refused never opens anything, however old that
// refusal is.
func TestMergeKeepsRefusals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		s.facts.Merged = nil
		at := days(t, "merged")
		device := genRecord(t, "device")
		device.State, device.Expires = pick(t, "refusal", []consent.State{consent.StateDenied, consent.StateWithdrawn, consent.StateObjected}), time.Time{}
		device.Given = day(1)
		if n := len(s.facts.Records); n > 0 {
			device.Scope = s.facts.Records[rapid.IntRange(0, n-1).Draw(t, "which")].Scope
		}
		a := s.engine.Decide(viewOf(t, s.facts), s.req)
		merged := s.facts
		merged.Merged = []consent.Merge{{At: at, Records: []consent.Record{device}}}
		b := s.engine.Decide(viewOf(t, merged), s.req)
		require.LessOrEqual(t, b.Outcome, a.Outcome)
	})
}

// A prohibition more never opens anything. A stricter gate may put a question in
// the place of a later denial, and never an Allow.
func TestStricterPolicyNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		v := viewOf(t, s.facts)
		a := s.engine.Decide(v, s.req)
		s.policy.Prohibitions = append(slices.Clone(s.policy.Prohibitions), consent.Prohibition{ID: "more", Source: "law", When: condition(t)})
		e, err := consent.New(s.policy)
		require.NoError(t, err)
		require.LessOrEqual(t, e.Decide(v, s.req).Outcome, a.Outcome)
		s.policy.Gates = consent.Gates{Promotion: consent.GateExplicit, Combination: consent.GateExplicit, Share: consent.GateExplicit}
		e, err = consent.New(s.policy)
		require.NoError(t, err)
		b := e.Decide(v, s.req)
		require.False(t, b.Allowed() && !a.Allowed())
	})
}

// Until NotAfter, outcome and reason stay as they are.
func TestNotAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		if s.req.At.IsZero() {
			s.req.At = day(3)
		}
		v := viewOf(t, s.facts)
		a := s.engine.Decide(v, s.req)
		require.True(t, a.NotAfter.IsZero() || a.NotAfter.After(s.req.At), "a boundary lies ahead")
		for n := 1; n <= 20; n++ {
			for _, at := range []int64{-1, 0, 1} {
				later := *s.req
				later.At = day(n).Add(time.Duration(at))
				if !later.At.After(s.req.At) || !a.NotAfter.IsZero() && !later.At.Before(a.NotAfter) {
					continue
				}
				b := s.engine.Decide(v, &later)
				require.Equal(t, verdict{a.Row, a.Outcome, a.Reason}, verdict{b.Row, b.Outcome, b.Reason}, "at %s, said to hold until %s", later.At, a.NotAfter)
			}
		}
	})
}

// Every one must allow; the worst wins; each is in the answer.
func TestManyPurposes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScene(t)
		v := viewOf(t, s.facts)
		s.req.Purpose = ""
		s.req.Purposes = rapid.SliceOfN(rapid.SampledFrom(genPurposes), 1, 4).Draw(t, "purposes")
		all := s.engine.Decide(v, s.req)
		require.Len(t, all.ByPurpose, len(s.req.Purposes))
		worst := consent.Allow
		for i, p := range s.req.Purposes {
			one := *s.req
			one.Purposes, one.Purpose = nil, p
			d := s.engine.Decide(v, &one)
			require.Equal(t, d, all.ByPurpose[i])
			worst = min(worst, d.Outcome)
			if all.Outcome == consent.Allow {
				for _, o := range d.Obligations {
					require.Contains(t, all.Obligations, o)
				}
			}
			if d.Ask != nil && all.Outcome == consent.AskFirst {
				require.Subset(t, all.Ask.Purposes, d.Ask.Purposes)
			}
		}
		require.Equal(t, worst, all.Outcome)
		if len(s.req.Purposes) == 1 {
			one := all.ByPurpose[0]
			require.Equal(t, verdict{one.Row, one.Outcome, one.Reason}, verdict{all.Row, all.Outcome, all.Reason})
		}
	})
}

// What belongs to an outcome is there, and what does not is not.
func TestShapeOfDecisions(t *testing.T) {
	rapid.Check(t, checkShape)
}

func checkShape(t *rapid.T) {
	s := genScene(t)
	d := s.engine.Decide(viewOf(t, s.facts), s.req)
	require.Equal(t, d.Outcome == consent.Allow, d.Allowed())
	require.Equal(t, d.Outcome == consent.AskFirst, d.Ask != nil)
	require.NotEmpty(t, d.Reason)
	for _, o := range d.Obligations {
		if d.Outcome != consent.Allow || d.Row == 2 {
			tied := o.Kind == consent.HonourIn && d.Row == 10 || o.Kind == consent.StopAndErase && d.Row == 8
			require.True(t, tied, "%s in row %d", o.Kind, d.Row)
		}
		require.False(t, o.Kind == consent.StopAndErase && d.Allowed(), "only after a denial")
	}
	if d.Reason == consent.ReasonConsent && d.Row == 14 {
		require.NotEmpty(t, d.Evidence)
	}
	js := d.AppendJSON([]byte("x"))
	require.True(t, json.Valid(js[1:]), "%s", js)
	var back map[string]any
	require.NoError(t, json.Unmarshal(js[1:], &back))
	require.Equal(t, string(d.Reason), back["reason"])
	require.Equal(t, d.Outcome.String(), back["outcome"])
	sorted, err := json.Marshal(back)
	require.NoError(t, err)
	require.Equal(t, string(sorted), string(js[1:]), "keys are sorted and nothing is written twice")
	require.NotEmpty(t, d.Explain())
}

func FuzzDecide(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		s := genScene(t)
		v := viewOf(t, s.facts)
		d := s.engine.Decide(v, s.req)
		require.Equal(t, (&slow{s.policy, s.facts, s.req}).decide(), verdict{d.Row, d.Outcome, d.Reason})
		require.Equal(t, d, s.engine.Decide(v, s.req))
		require.True(t, json.Valid(d.AppendJSON(nil)))
		require.True(t, s.req.At.IsZero() || d.NotAfter.IsZero() || d.NotAfter.After(s.req.At))
	}))
}
