package conform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/wasm/host"
)

var update = flag.Bool("update", false, "write testdata/golden.jsonl anew from the Go packages")

// runner is the Node program that answers the cases of a folder.
const runner = "../../wasm/js/fixture/answers.js"

// Each way answers every case; each answer must be the golden one, byte for byte.
func TestConform(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	bundles, err := Bundles()
	require.NoError(t, err)

	native := answersOfGo(t, bundles, cases)
	golden, err := Golden()
	require.NoError(t, err)
	if *update {
		golden = nil
		for _, r := range native {
			golden = append(golden, settled(r, bundles))
		}
		write(t, golden)
	}
	require.Len(t, golden, len(cases), "golden results are missing: go test ./internal/conform -update, and read the difference")

	dir := t.TempDir()
	module, err := Module(t.Context(), dir)
	require.NoError(t, err)
	require.NoError(t, Prepare(dir, module, bundles, cases))

	ways := []string{"go", "wazero"}
	answers := [][]Result{native, answersOfWazero(t, module, bundles, cases)}
	node, noNode := exec.LookPath("node")
	if noNode == nil {
		ways = append(ways, "node")
		answers = append(answers, answersOfNode(t, node, dir))
	}
	identical := 0
	for i := range cases {
		same := true
		for w := range ways {
			require.Len(t, answers[w], len(cases), ways[w])
			same = assert.Equal(t, golden[i], settled(answers[w][i], bundles), "%s: %s: %s", ways[w], cases[i].Name, cases[i].Why) && same
			same = assert.Equal(t, native[i], answers[w][i], "%s and go differ: %s", ways[w], cases[i].Name) && same
		}
		if same {
			identical++
		}
	}
	fmt.Printf("%d of %d identical: %s\n", identical, len(cases), strings.Join(ways, ", "))
	if noNode != nil {
		t.Skip("node is not installed: the cases were compared in Go and wazero only")
	}
}

// settled is a result without the fingerprints of bundles, which change with every
// word of a built-in rule: golden results would change with them and say nothing.
func settled(r Result, bundles map[string][]byte) Result {
	for name, data := range bundles {
		r.Text = strings.ReplaceAll(r.Text, hex.EncodeToString(data[len(data)-sha256.Size:]), "<"+name+">")
	}
	return r
}

func write(t *testing.T, results []Result) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	for _, r := range results {
		require.NoError(t, e.Encode(r))
	}
	require.NoError(t, os.WriteFile("testdata/golden.jsonl", text.Bytes(), 0o644))
}

func answersOfGo(t *testing.T, bundles map[string][]byte, cases []Case) []Result {
	n, err := NewNative(bundles)
	require.NoError(t, err)
	out := make([]Result, len(cases))
	for i := range cases {
		out[i], err = n.Answer(t.Context(), &cases[i])
		require.NoError(t, err)
		again, err := n.Answer(t.Context(), &cases[i])
		require.NoError(t, err)
		require.Equal(t, out[i], again, "%s: asked twice, answered differently", cases[i].Name)
	}
	return out
}

func answersOfWazero(t *testing.T, module []byte, bundles map[string][]byte, cases []Case) []Result {
	ctx := context.Background()
	m, err := host.Open(ctx, module, host.WithCache(filepath.Join(t.TempDir(), "compiled")))
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close(ctx)) }()
	var secrets []host.Secret
	for _, v := range SecretVersions {
		secrets = append(secrets, host.Secret{Tenant: SecretTenant, Version: v, Key: Secret(v)})
	}
	guards := map[string]*host.Guard{}
	for name, bundle := range bundles {
		g, err := m.Guard(ctx, bundle, secrets...)
		require.NoError(t, err)
		guards[name] = g
	}
	out := make([]Result, len(cases))
	for i := range cases {
		c := &cases[i]
		in, err := c.Bytes(bundles)
		require.NoError(t, err)
		op, known := m.Info().Ops[c.Op]
		require.True(t, known, "%s: the module does not know the operation %s", c.Name, c.Op)
		answer, _, err := guards[c.Policy].Call(ctx, op, in)
		var fault *host.Error
		switch {
		case errors.As(err, &fault):
			out[i] = Result{c.Name, true, string(fault.JSON)}
		default:
			require.NoError(t, err, c.Name)
			out[i] = Result{c.Name, false, string(answer)}
		}
	}
	return out
}

func answersOfNode(t *testing.T, node, dir string) []Result {
	command := exec.CommandContext(t.Context(), node, runner, dir)
	var problems bytes.Buffer
	command.Stderr = &problems
	text, err := command.Output()
	require.NoError(t, err, "node: %s", problems.String())
	var out []Result
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var r Result
		require.NoError(t, d.Decode(&r))
		out = append(out, r)
	}
	return out
}

// The cases must reach what they are there for: every operation, every kind of
// answer, and errors.
func TestCasesCover(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	golden, err := Golden()
	require.NoError(t, err)
	require.Len(t, golden, len(cases))
	failures, byOp := map[string]int{}, map[string]int{}
	text := ""
	for i, c := range cases {
		require.Equal(t, c.Name, golden[i].Name, "golden.jsonl is in another order")
		byOp[c.Op]++
		text += golden[i].Text + "\n"
		if golden[i].Error {
			var e struct{ Code string }
			require.NoError(t, json.Unmarshal([]byte(golden[i].Text), &e))
			failures[e.Code]++
		}
		assert.True(t, json.Valid([]byte(golden[i].Text)), c.Name)
		if golden[i].Error {
			assert.NotContains(t, golden[i].Text, "canary", "%s: the error shows what was asked", c.Name)
		}
	}
	for _, op := range []string{"classify", "consent_check", "describe", "explain", "hash", "process", "retention", "validate"} {
		assert.NotZero(t, byOp[op], "no case asks %s", op)
	}
	for _, code := range []string{"BAD_REQUEST", "TOO_DEEP", "TOO_MANY", "NO_SECRET", "BAD_SCOPE", "BAD_VALUE", "NOT_BUNDLE", "BUNDLE_NEWER", "BUNDLE_TRUNCATED", "BUNDLE_CORRUPT"} {
		assert.NotZero(t, failures[code], "no case ends in the error %s", code)
	}
	for _, part := range []string{
		`"outcome":"allow"`, `"outcome":"partial"`, `"outcome":"ask"`, `"outcome":"deny"`,
		`"action":"keep"`, `"action":"drop"`, `"action":"redact"`, `"action":"pseudonymise"`, `"action":"generalise"`, `"action":"mask"`, `"action":"withhold"`,
		`"INVALID_REQUEST"`, `"UNKNOWN_PURPOSE"`, `"NOT_PERSONAL"`, `"PROHIBITED"`, `"NOT_DECLARED"`, `"RESIDENCY"`, `"RULE_ERROR"`, `"ADMIN_DISABLED"`, `"FEATURE_OFF"`,
		`"WITHDRAWN"`, `"REFUSED"`, `"OBJECTED"`, `"SIGNAL_GPC"`, `"EXPLICIT_CONSENT_REQUIRED"`, `"PROMOTION_NEEDS_CONSENT"`, `"COMBINATION_NEEDS_CONSENT"`, `"SHARE_NEEDS_CONSENT"`,
		`"CONSENT"`, `"CONSENT_UNSET"`, `"CONSENT_EXPIRED"`, `"CONSENT_STALE"`, `"CONTRACT"`, `"ESSENTIAL"`, `"LEGITIMATE_INTEREST"`, `"OPT_OUT_REGIME_DEFAULT"`, `"DEFAULT_DENY"`,
		`"status":"keep"`, `"status":"deletable"`, `"status":"due"`, `"status":"overdue"`, `"status":"pending_event"`, `"status":"no_rule"`, `"status":"held"`,
		`"phases":[`, `"notices":[`, `"copies":{`, `"exemptions":[`, `"missing":[`, `"method":"purge"`, `"hold":"`, `"late_because_held":true`, `"calendar":"DE-BE"`, `"effect":"toll"`, `"tolled":"`,
		`"LEGAL_OBLIGATION"`, `"VITAL_INTEREST"`, `"PUBLIC_TASK"`, `"ERASED"`, `"RESTRICTED"`, `"GUARDIAN_REQUIRED"`, `"AGE_UNKNOWN"`, `"SIGNAL_GPP"`, `"SIGNAL_USP"`, `"SIGNAL_OVERRIDDEN_BY_CONSENT"`,
		`"regime":"opt_in"`, `"regime":"opt_out"`, `"regime":"notice_only"`, `"from":"guardian"`, `"from":"both"`, `"kind":"affects"`, `"kind":"reference"`, `"policy_hash":"<assent>"`,
		`"kind":"minimise"`, `"kind":"pseudonymise"`, `"kind":"delete_within"`, `"kind":"honour_in"`, `"kind":"stop_and_erase"`, `"kind":"no_onward_transfer"`, `"kind":"pass_signal"`,
		`"note":"NOT_CANONICAL"`, `"note":"NO_TENANT"`, `"note":"NO_KEY"`, `"note":"TOO_LONG"`,
	} {
		assert.True(t, strings.Contains(text, part), "no case comes to %s", part)
	}
}

func TestTooFewCasesFail(t *testing.T) {
	assert.GreaterOrEqual(t, MinCases, 100)
	var c Case
	d := json.NewDecoder(strings.NewReader(`{"name":"x","inptu":""}`))
	d.DisallowUnknownFields()
	assert.Error(t, d.Decode(&c), "a case with a misspelt key would ask something else")
}
