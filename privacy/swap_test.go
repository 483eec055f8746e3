package privacy_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/signature"
	"github.com/privetdev/privet/retention"
)

// sidePolicy is one of two policies that have no id, category, deadline or form in
// common, so that any mix of the two shows.
const sidePolicy = `
privet: 1
name: sides
version: 1
sources: [{id: us-SIDE, title: Us, layer: organisation, as_of: undated}]
categories:
  - {key: user, title: about a person}
  - {key: user.SIDE, title: one side}
  - {key: user.SIDE.one, title: first}
  - {key: user.SIDE.two, title: second}
  - {key: user.SIDE.three, title: third}
rules:
  - {id: one, category: user.SIDE.one, confidence: 0.9, when: 'field.words.hasAny(["one", "both"])'}
  - {id: two, category: user.SIDE.two, confidence: 0.8, when: 'field.words.hasAny(["two", "both"])'}
detectors:
  - {id: digits-SIDE, category: user.SIDE.three, pattern: '[0-9]{6}', confidence: {base: 0.7}}
purposes: [{key: serve, basis: BASIS, source: us-SIDE}]
consent:
  prohibitions: [{id: no-SIDE, source: us-SIDE, when: 'category == "user.SIDE.two"'}]
transform: [{id: form-SIDE, source: us-SIDE, when: 'under(category, "user.SIDE")', do: FORM}]
retention: [{id: gone-SIDE, source: us-SIDE, kind: ceiling, strength: organisation, anchor: used_at, period: PERIOD}]
`

func side(t testing.TB, name, basis, form, period string) *privacy.Bundle {
	t.Helper()
	text := strings.NewReplacer("SIDE", name, "BASIS", basis, "FORM", form, "PERIOD", period).Replace(sidePolicy)
	b, err := policy.Compile("sides-"+name+".yaml", []byte(text))
	require.NoError(t, err)
	return b
}

func bothSides(t testing.TB) [2]*privacy.Bundle {
	return [2]*privacy.Bundle{
		side(t, "left", "contract", "redact", "P30D"),
		side(t, "right", "legitimate_interest, assessment: LIA-1", "{mask: {keep_last: 2}}", "P60D"),
	}
}

// signer is a key that is no secret.
func signer(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func revise(t testing.TB, b *privacy.Bundle, version uint64) *privacy.Bundle {
	t.Helper()
	out, err := privacy.Revise(b, version)
	require.NoError(t, err)
	return out
}

// sideQuestions are one question of each kind.
var sideQuestions = []struct {
	name string
	ask  func(g *privacy.Guard) ([]byte, error)
}{
	{"process", func(g *privacy.Guard) ([]byte, error) {
		res, err := g.Explain(context.Background(), event(map[string]any{"one": "abcdef", "two": "x", "both": "y", "note": "call 123456 now"}, nil))
		if err != nil {
			return nil, err
		}
		return append(res.AppendJSON(nil), res.Explain()...), nil
	}},
	{"process JSON", func(g *privacy.Guard) ([]byte, error) {
		return g.ProcessJSON(context.Background(), nil, []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"serve","anchors":{"used_at":"2026-03-28T10:00:00Z"},"fields":{"one":"abcdef","two":"x","both":"y","note":"call 123456 now"}}`), true)
	}},
	{"classify", func(g *privacy.Guard) ([]byte, error) {
		var out []byte
		for _, l := range g.Classify(classify.Field{Name: "both", Value: "123456"}) {
			out = append(append(append(out, l.Category...), l.Rule...), l.Detector...)
		}
		return out, nil
	}},
	{"classify JSON", func(g *privacy.Guard) ([]byte, error) {
		return g.ClassifyJSON(nil, []byte(`{"name":"both","value":"123456"}`))
	}},
	{"decide", func(g *privacy.Guard) ([]byte, error) {
		d, err := g.Decide(context.Background(), consent.Request{Purpose: "serve", Category: "user.left.two", At: at})
		return d.AppendJSON(nil), err
	}},
	{"decide JSON", func(g *privacy.Guard) ([]byte, error) {
		return g.DecideJSON(context.Background(), nil, []byte(`{"purpose":"serve","category":"user.right.two","at":"2026-03-28T10:00:00Z"}`))
	}},
	{"plan", func(g *privacy.Guard) ([]byte, error) {
		p, err := g.Plan(retention.Input{Category: "user.left.one", Now: at, Explain: true, Events: map[retention.Anchor]time.Time{"used_at": at}})
		return p.AppendJSON(nil), err
	}},
	{"plan JSON", func(g *privacy.Guard) ([]byte, error) {
		return g.PlanJSON(nil, []byte(`{"category":"user.left.one","now":"2026-03-28T10:00:00Z","explain":true,"anchors":{"used_at":"2026-03-28T10:00:00Z"}}`))
	}},
	{"describe", func(g *privacy.Guard) ([]byte, error) { return g.DescribeJSON(nil), nil }},
}

// versionOf is what an answer says its policy is: fingerprint and version, empty in
// answers that do not name it.
func versionOf(t assert.TestingT, answer []byte) (fingerprint string, version uint64) {
	const before, between, after = `"policy":{"fingerprint":"`, `","name":"sides","version":`, `}`
	_, rest, ok := bytes.Cut(answer, []byte(before))
	if !ok {
		return "", 0
	}
	print, rest, _ := bytes.Cut(rest, []byte(between))
	number, _, _ := bytes.Cut(rest, []byte(after))
	version, err := strconv.ParseUint(string(number), 10, 64)
	assert.NoError(t, err)
	return string(print), version
}

// neutral is an answer without the version and fingerprint of its policy.
func neutral(t assert.TestingT, answer []byte) string {
	if _, rest, ok := bytes.Cut(answer, []byte(`"policy_hash":"`)); ok {
		return strings.Replace(string(answer), string(rest[:64]), "F", 1)
	}
	fingerprint, version := versionOf(t, answer)
	if fingerprint == "" {
		return string(answer)
	}
	v := strconv.FormatUint(version, 10)
	return strings.NewReplacer(fingerprint, "F", `"version":`+v+`}`, `"version":V}`, "sides version "+v+")", "sides version V)").Replace(string(answer))
}

// Eight goroutines ask while the policy is swapped ten thousand times. Each answer is
// byte for byte that of one of the two policies, names a policy of that side that was
// swapped in, and nobody is answered by an older policy than before.
func TestSwapUnderLoad(t *testing.T) {
	const askers = 8
	swaps := 10_000
	if testing.Short() {
		swaps = 500
	}
	sides := bothSides(t)
	// Odd versions are the left side, even ones the right.
	bundles := make([]*privacy.Bundle, swaps+1)
	for i := range bundles {
		bundles[i] = revise(t, sides[i%2], uint64(i+1))
	}
	var want [2][]string
	for s := range want {
		g, err := privacy.Open(bundles[s])
		require.NoError(t, err)
		for _, q := range sideQuestions {
			answer, err := q.ask(g)
			require.NoError(t, err, q.name)
			want[s] = append(want[s], neutral(t, answer))
		}
	}
	for i := range want[0] {
		require.NotEqual(t, want[0][i], want[1][i], "%s: the two sides can be told apart", sideQuestions[i].name)
	}

	g, err := privacy.Open(bundles[0])
	require.NoError(t, err)
	done := make(chan struct{})
	var seen [askers][2]int
	var wait sync.WaitGroup
	for a := range askers {
		wait.Go(func() {
			last := uint64(0)
			for i := a; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				q := i % len(sideQuestions)
				answer, err := sideQuestions[q].ask(g)
				if !assert.NoError(t, err) {
					return
				}
				got := neutral(t, answer)
				which := 0
				if got == want[1][q] {
					which = 1
				}
				if !assert.Equal(t, want[which][q], got, "%s: wholly one policy", sideQuestions[q].name) {
					return
				}
				seen[a][which]++
				fingerprint, version := versionOf(t, answer)
				if fingerprint == "" {
					continue
				}
				if !assert.GreaterOrEqual(t, version, last, "a swap is never taken back") ||
					!assert.Equal(t, which, int(version-1)%2, "the answer names the policy that made it") ||
					!assert.Equal(t, bundles[version-1].Info().Fingerprint, fingerprint) {
					return
				}
				last = version
			}
		})
	}
	for _, b := range bundles[1:] {
		if !assert.NoError(t, g.Swap(b)) {
			break
		}
		if !assert.Equal(t, b.Info(), g.Policy(), "what begins after a swap is answered by the new policy") {
			break
		}
	}
	close(done)
	wait.Wait()
	var total [2]int
	for a := range seen {
		total[0] += seen[a][0]
		total[1] += seen[a][1]
	}
	assert.Positive(t, total[0], "somebody asked the left side")
	assert.Positive(t, total[1], "somebody asked the right side")
	t.Logf("%d swaps; %d answers by one side, %d by the other", swaps, total[0], total[1])
}

// What a swap refuses, and that the guard goes on as before then.
func TestSwapRefusals(t *testing.T) {
	sides := bothSides(t)
	key, other := signer(1), signer(2)
	sign := func(b *privacy.Bundle, k ed25519.PrivateKey) *privacy.Bundle {
		out, err := signature.Sign(b, k)
		require.NoError(t, err)
		return out
	}
	foreign, err := policy.Compile("other.yaml", []byte(strings.ReplaceAll(testPolicy, "version: 2", "version: 9")))
	require.NoError(t, err)
	current := sign(revise(t, sides[0], 5), key)
	for _, tt := range []struct {
		name   string
		offer  *privacy.Bundle
		want   error
		reason string
	}{
		{"newer", sign(revise(t, sides[1], 6), key), nil, "what swapping is for"},
		{"much newer", sign(revise(t, sides[1], 600), key), nil, "versions may leave gaps"},
		{"the same", current, nil, "nothing happens"},
		{"the same by another pinned key", sign(current, signer(3)), nil, "a signature is not part of the policy"},
		{"older", sign(revise(t, sides[1], 4), key), privacy.ErrDowngrade, "an old bundle, rightly signed in its day"},
		{"same version, other text", sign(revise(t, sides[1], 5), key), privacy.ErrSameVersion, "name and version would not say what was decided by"},
		{"another name", sign(foreign, key), privacy.ErrOtherPolicy, "the same key may sign several policies"},
		{"unsigned", revise(t, sides[1], 6), privacy.ErrUnsigned, "the keys that were pinned stay pinned"},
		{"unsigned and the same", revise(t, sides[0], 5), privacy.ErrUnsigned, "the signature comes first"},
		{"signed by another", sign(revise(t, sides[1], 6), other), privacy.ErrOtherKey, "anyone can sign"},
		{"unsigned and older", revise(t, sides[1], 4), privacy.ErrUnsigned, "what is not believed is not looked at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := privacy.Open(current, signature.Pin(public(key), public(signer(3))))
			require.NoError(t, err)
			before := g.Policy()
			err = g.Swap(tt.offer)
			if tt.want == nil {
				require.NoError(t, err, tt.reason)
				assert.Equal(t, tt.offer.Info(), g.Policy())
				return
			}
			require.ErrorIs(t, err, tt.want, tt.reason)
			var refused *privacy.RefusedError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.offer.Info(), refused.Policy, "what was offered")
			assert.Equal(t, before, g.Policy(), "the guard goes on as before")
			assert.Contains(t, err.Error(), "; ", "with a mend")
		})
	}
	g, err := privacy.Open(current)
	require.NoError(t, err)
	require.Error(t, g.Swap(nil), "no bundle")
	require.NoError(t, g.Swap(revise(t, sides[1], 6)), "no key is pinned")
	err = g.Swap(revise(t, sides[0], 5))
	require.EqualError(t, err, `privacy: the policy "sides" version 5 was refused: it is older than version 6; to go back, compile the old text with a higher version`)
}

// A bundle whose parts do not fit together is refused when it is put together, and
// the guard goes on.
func TestSwapToWhatCannotBeOpened(t *testing.T) {
	sides := bothSides(t)
	g, err := privacy.Open(sides[0])
	require.NoError(t, err)
	broken, err := privacy.Unopenable(sides[1], 2)
	require.NoError(t, err)
	err = g.Swap(broken)
	require.Error(t, err)
	var refused *privacy.RefusedError
	require.NotErrorAs(t, err, &refused, "the bundle is at fault, not its version")
	assert.Equal(t, sides[0].Info(), g.Policy())
}

func ExampleGuard_Swap() {
	compile := func(version, period string) *privacy.Bundle {
		b, _ := policy.Compile("orders.yaml", []byte(`
privet: 1
name: acme-orders
version: `+version+`
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
categories: [{key: user, title: about a person}]
purposes: [{key: serve, basis: contract, source: us}]
retention: [{id: keep, source: us, kind: ceiling, strength: organisation, anchor: used_at, period: `+period+`}]
`))
		return b
	}
	guard, _ := privacy.Open(compile("3", "P30D"))
	latest := func() string {
		plan, _ := guard.Plan(retention.Input{Category: "user", Now: at, Events: map[retention.Anchor]time.Time{"used_at": at}})
		return plan.Latest.Format(time.DateOnly)
	}
	fmt.Println(guard.Policy().Version, latest())
	fmt.Println(guard.Swap(compile("4", "P14D")))
	fmt.Println(guard.Policy().Version, latest())
	fmt.Println(guard.Swap(compile("3", "P30D")))
	// Output:
	// 3 2026-04-27
	// <nil>
	// 4 2026-04-11
	// privacy: the policy "acme-orders" version 3 was refused: it is older than version 4; to go back, compile the old text with a higher version
}
