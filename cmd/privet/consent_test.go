package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A person's consent from the first record to the proof that is left of it.
func TestConsentEndToEnd(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "consent")
	improve := func(at string) string {
		return `{"id":"a","at":"` + at + `","class":"diagnostic.optional","purpose":"improve","subject":{"id":"s1","tenant":"contoso"},"fields":{"colour":"red"}}`
	}
	run := func(args ...string) string {
		t.Helper()
		r := privet(t, "", append([]string{"consent"}, args...)...)
		require.Equal(t, exitDone, r.code, "%q: %s", args, r.err)
		return r.out
	}
	decided := func(at, reason, why string) {
		t.Helper()
		r := privet(t, lines(improve(at)), "process", "-p", smallPolicy, "--ledger", folder)
		require.Equal(t, exitDone, r.code, r.err)
		assert.Contains(t, r.out, `"reason":"`+reason+`"`, why)
	}
	run("record", "--ledger", folder, "-s", "s1", "--purpose", "improve", "--at", "2026-02-01", "--notice", "privacy@3")
	decided("2026-01-31T23:59:59Z", "CONSENT_UNSET", "before it was given")
	decided("2026-02-01T00:00:00Z", "CONSENT", "from the instant at which it was given")
	run("withdraw", "--ledger", folder, "-s", "s1", "--purpose", "improve", "--at", "2026-03-01")
	decided("2026-02-28T23:59:59Z", "CONSENT", "while it held")
	decided("2026-03-01T00:00:00Z", "WITHDRAWN", "from the withdrawal on")
	shown := run("show", "--ledger", folder, "-s", "s1", "--policy", smallPolicy)
	assert.Contains(t, shown, "improve  withdrawn  since 2026-03-01T00:00:00Z  e2")
	assert.Regexp(t, `(?m)^improve +deny +WITHDRAWN e2$`, shown, "what the policy makes of it")
	assert.Regexp(t, `(?m)^improve +allow +CONSENT e1`, run("show", "--ledger", folder, "-s", "s1", "--policy", smallPolicy, "--at", "2026-02-28"))
	assert.Regexp(t, `(?m)^improve +ask +CONSENT_UNSET`, run("show", "--ledger", folder, "-s", "s1", "--policy", smallPolicy, "--purpose", "improve", "--at", "2026-02-28", "--known", "2026-02-28"), "nothing was known then: it was recorded today")

	key := filepath.Join(t.TempDir(), "witness.key")
	require.Equal(t, exitDone, privet(t, "", "keygen", "--out", key).code)
	proof, head := file(t, "proof", run("prove", "e1", "--ledger", folder)), file(t, "head", run("head", "--ledger", folder, "--sign", key))
	run("erase", "--ledger", folder, "-s", "s1", "--yes")
	decided("2026-02-15T00:00:00Z", "ERASED", "an erasure takes the past away")
	assert.Contains(t, run("verify", "--ledger", folder, "--head", head, "--public-key", key+".pub"), "the ledger verifies: 3 entries, 0 payloads opened, 2 erased")
	assert.Contains(t, run("check", proof, "--head", head, "--public-key", key+".pub"), "what     granted improve\n")

	segment := filepath.Join(folder, "00000001.segment")
	b, err := os.ReadFile(segment)
	require.NoError(t, err)
	b[bytes.LastIndex(b, []byte("improve"))] ^= 1
	require.NoError(t, os.WriteFile(segment, b, 0o600))
	r := privet(t, "", "consent", "verify", "--ledger", folder)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.out, "entry 2: ")
	r = privet(t, lines(improve("2026-03-01T00:00:00Z")), "process", "-p", smallPolicy, "--ledger", folder)
	assert.Equal(t, exitStop, r.code, "nothing is decided on a broken ledger")
	assert.Empty(t, r.out)
}

// A ledger that knows pseudonyms is recorded and asked by addresses, and holds none.
func TestConsentByPseudonym(t *testing.T) {
	folder, secrets := filepath.Join(t.TempDir(), "consent"), keys(t)
	scope := []string{"--keys", secrets, "--subject-scope", "contoso/improve/user.contact.email"}
	with := func(args ...string) []string { return append(args, scope...) }
	r := privet(t, canary+"\n", with("consent", "record", "--ledger", folder, "--purpose", "improve", "--at", "2026-01-01")...)
	require.Equal(t, exitDone, r.code, r.err)
	event := lines(`{"id":"a","at":"2026-03-28T10:00:00Z","class":"diagnostic.optional","purpose":"improve","subject":{"id":"` + canary + `","tenant":"contoso"},"fields":{"colour":"red","userEmail":"` + canary + `"}}`)
	r = privet(t, event, with("process", "-p", smallPolicy, "--ledger", folder)...)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, `"reason":"CONSENT"`)
	r = privet(t, event, "process", "-p", smallPolicy, "--ledger", folder, "--keys", secrets)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, `"reason":"CONSENT_UNSET"`, "without the scope the ledger does not know the address")

	// The pseudonym is the one that process writes in place of a field of this scope.
	pair := strings.Replace(event, `"improve"`, `"serve"`, 1)
	pair = strings.Replace(strings.Replace(pair, "diagnostic.optional", "service.required", 1), `"subject"`, `"feature":"finder","subject"`, 1)
	r = privet(t, pair, "process", "-p", smallPolicy, "--keys", secrets)
	require.Equal(t, exitDone, r.code, r.err)
	_, token, ok := strings.Cut(r.out, `"userEmail":"`)
	require.True(t, ok, r.out)
	token, _, _ = strings.Cut(token, `"`)
	other := filepath.Join(t.TempDir(), "other")
	r = privet(t, strings.ToUpper(canary), "consent", "record", "--ledger", other, "--purpose", "improve", "--keys", secrets, "--subject-scope", "contoso/serve/user.contact.email")
	require.Equal(t, exitDone, r.code, r.err)
	r = privet(t, token, "consent", "show", "--ledger", other)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, "granted", "an address is one address in capitals")

	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"consent", "show", "--ledger", folder, "--keys", secrets}, "--keys make no pseudonym of a subject without a scope; say which"},
		{[]string{"consent", "show", "--ledger", folder, "--subject-scope", "a/b/c"}, "--subject-scope wants secrets; name the store"},
		{[]string{"consent", "show", "--ledger", folder, "--keys", secrets, "--subject-scope", "a/b"}, "--subject-scope is not a scope; write tenant, purpose and category"},
		{[]string{"consent", "show", "--ledger", folder, "--keys", secrets, "--subject-scope", "fabrikam/b/c"}, "keys: there is none for this tenant"},
		{[]string{"consent", "show", "--ledger", folder, "--keys", "none", "--subject-scope", "a/b/c"}, "cannot read the keys none"},
		{[]string{"process", "-p", smallPolicy, "--ledger", folder, "--subject-scope", "a/b/c"}, "--subject-scope wants secrets"},
		{[]string{"process", "-p", smallPolicy, "--subject-scope", "a/b/c"}, "--subject-keys and --subject-scope belong to a ledger"},
		{[]string{"process", "-p", smallPolicy, "--subject-keys", "k"}, "--subject-keys and --subject-scope belong to a ledger"},
		{[]string{"process", "-p", smallPolicy, "--ledger", file(t, "ledger.jsonl", ""), "--subject-keys", "k"}, "--subject-keys belong to a ledger in a folder"},
		{[]string{"process", "-p", smallPolicy, "--ledger", "postgres://" + canary}, "this program has no databases built in"},
		{[]string{"process", "-p", smallPolicy, "--ledger", t.TempDir()}, "ledger: there is none in "},
	} {
		r = privet(t, canary, tt.args...)
		assert.Equal(t, exitStop, r.code, "%q", tt.args)
		assert.Contains(t, r.err, tt.want, "%q", tt.args)
	}
}

// madeUp is what differs from run to run: hashes and ids that come of a secret.
var madeUp = regexp.MustCompile(`[0-9a-f]{32,}`)

// The transcripts of docs/consent.md are run from top to bottom in one folder.
func TestConsentDocs(t *testing.T) {
	path := filepath.Join(sourceFolder(t), "..", "..", "docs", "consent.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	policy, err := os.ReadFile(smallPolicy)
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("policy.yaml", policy, 0o600))
	block := regexp.MustCompile("(?s)```console\n\\$ (privet .*?)\n(.*?)```")
	shown := 0
	anew := block.ReplaceAllStringFunc(string(text), func(b string) string {
		m := block.FindStringSubmatch(b)
		command, to, redirected := strings.Cut(m[1], " > ")
		r := privet(t, "", strings.Fields(command)[1:]...)
		require.Equal(t, exitDone, r.code, r.err)
		if redirected {
			require.NoError(t, os.WriteFile(to, []byte(r.out), 0o600))
			r.out = ""
		}
		shown++
		got := r.out + r.err
		was, is := madeUp.ReplaceAllString(m[2], "#"), madeUp.ReplaceAllString(got, "#")
		if was == is {
			return b
		}
		if !*update {
			assert.Equal(t, was, is, "%s: run with -update after reading the difference", m[1])
		}
		return "```console\n$ " + m[1] + "\n" + got + "```"
	})
	require.GreaterOrEqual(t, shown, 10, "the document shows commands")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(anew), 0o644))
	}
}
