package abi

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/internal/wasmabi"
	"github.com/privetdev/privet/privacy"
	author "github.com/privetdev/privet/privacy/policy"
)

const testPolicy = `
privet: 1
name: test
version: 2
extends: [builtin]
sources: [{id: us, title: Us, layer: organisation, as_of: undated}]
purposes:
  - {key: serve, basis: contract}
  - {key: mail, basis: consent}
consent:
  prohibitions:
    - {id: no-health, source: us, when: 'under(category, "user.health_and_medical")'}
transform:
  - {id: ids, when: 'under(category, "user.contact")', do: pseudonymise}
retention:
  - {id: contact, source: us, category: user.contact, kind: ceiling, strength: organisation, anchor: used_at, period: P30D, zone: Europe/Berlin}
`

func testBundle(t testing.TB) []byte {
	t.Helper()
	b, err := author.Compile("test.yaml", []byte(testPolicy))
	require.NoError(t, err)
	return b.Bytes()
}

// put writes a request into a buffer, as a host does.
func put(t testing.TB, g *Guest, data []byte) uint32 {
	t.Helper()
	at := g.Alloc(int32(len(data)))
	require.NotZero(t, at)
	copy(g.Buffer(at), data)
	return at
}

// ask is one call with a buffer of its own.
func ask(t testing.TB, g *Guest, handle int32, op wasmabi.Op, request string) (Status, string) {
	t.Helper()
	at := put(t, g, []byte(request))
	defer g.Free(at)
	status := g.Call(handle, int32(op), at, int32(len(request)))
	require.Equal(t, status, g.Result().Code, "the descriptor has what the call returned")
	require.Equal(t, uint32(len(g.held)), g.Result().Len)
	require.Zero(t, g.Result().Flags)
	return Status(status), string(g.held)
}

func opened(t testing.TB) (*Guest, int32) {
	t.Helper()
	g := new(Guest)
	bundle := testBundle(t)
	at := put(t, g, bundle)
	handle := g.Open(at, int32(len(bundle)))
	require.Positive(t, handle)
	g.Free(at)
	return g, handle
}

func code(t testing.TB, result string) string {
	t.Helper()
	var e struct{ Code string }
	require.NoError(t, json.Unmarshal([]byte(result), &e), result)
	return e.Code
}

func TestOperations(t *testing.T) {
	g, h := opened(t)
	const at = `"at":"2026-03-28T10:00:00Z"`
	tests := []struct {
		op      wasmabi.Op
		request string
		status  Status
		want    string
		reason  string
	}{
		{wasmabi.OpProcess, `{` + at + `,"purpose":"serve","fields":{"build":1}}`, StatusOK, `"fields":{"build":1}`, "everything is allowed"},
		{wasmabi.OpProcess, `{` + at + `,"purpose":"serve","fields":{"build":1,"a":{"outcome":"deny"},"bloodType":"A"},"declared":{"bloodType":{"category":"user.health_and_medical"}}}`, StatusPartial, `"outcome":"partial"`, "one field is prohibited; an outcome among the fields is no outcome"},
		{wasmabi.OpProcess, `{` + at + `,"purpose":"mail","fields":{"build":1}}`, StatusAsk, `CONSENT_UNSET`, "consent is missing"},
		{wasmabi.OpProcess, `{` + at + `,"purpose":"sell","fields":{"build":1}}`, StatusDeny, `UNKNOWN_PURPOSE`, "a purpose that nobody declared"},
		{wasmabi.OpProcess, `{"id":"\"outcome\":\"ask\"",` + at + `,"purpose":"serve"}`, StatusOK, `"outcome":"allow"`, "an outcome inside a text is no outcome"},
		{wasmabi.OpExplain, `{` + at + `,"purpose":"serve","fields":{"build":1}}`, StatusOK, `"trail":[`, "with a trail"},
		{wasmabi.OpClassify, `{"name":"user_email"}`, StatusOK, `user.contact.email`, "by name"},
		{wasmabi.OpConsent, `{` + at + `,"purpose":"mail"}`, StatusAsk, `"outcome":"ask"`, "the same statuses as process"},
		{wasmabi.OpConsent, `{` + at + `,"purpose":"serve"}`, StatusOK, `"outcome":"allow"`, "allowed"},
		{wasmabi.OpRetention, `{"now":"2026-03-28T10:00:00Z","category":"user.contact","anchors":{"used_at":"2026-03-01T10:00:00Z"}}`, StatusOK, `"latest":"2026-03-31T09:00:00Z"`, "30 days in Berlin, over the change of clocks"},
		{wasmabi.OpDescribe, ``, StatusOK, `"name":"test"`, "what the policy knows"},
		{wasmabi.OpStats, ``, StatusOK, `"handles":1`, "one policy is open"},
		{wasmabi.OpSelftest, ``, StatusOK, `"ok":true`, "every known answer"},
		{3, `{}`, -2, `UNKNOWN_OP`, "kept for later"},
		{0, `{}`, -2, `UNKNOWN_OP`, "no operation"},
		{-1, `{}`, -2, `UNKNOWN_OP`, "no operation"},
		{99, `{}`, -2, `UNKNOWN_OP`, "of a later version"},
		{wasmabi.OpProcess, ``, -8, `BAD_REQUEST`, "nothing"},
		{wasmabi.OpProcess, `{"fields":` + strings.Repeat("[", 100), -6, `TOO_DEEP`, "a cap with a code of its own"},
		{wasmabi.OpProcess, `{"fields":{"a":[` + strings.Repeat("0,", 1<<16) + `0]}}`, -7, `TOO_MANY`, "a cap with a code of its own"},
		{wasmabi.OpHash, `{"tenant":"contoso","purpose":"p","category":"c","value":"x"}`, -12, `NO_SECRET`, "no secret was given"},
		{wasmabi.OpHash, `{"tenant":"","purpose":"p","category":"c","value":"x"}`, -15, `BAD_SCOPE`, "there is no default tenant"},
		{wasmabi.OpValidate, `privet: 1`, -20, `NOT_BUNDLE`, "a policy in YAML"},
		{wasmabi.OpAddSecret, `short`, -8, `BAD_REQUEST`, "not a secret"},
	}
	for _, tt := range tests {
		status, result := ask(t, g, h, tt.op, tt.request)
		assert.Equal(t, tt.status, status, "%s: %s", tt.reason, result)
		assert.Contains(t, result, tt.want, tt.reason)
		assert.True(t, json.Valid([]byte(result)), "%s: %s", tt.reason, result)
	}
}

func TestHandles(t *testing.T) {
	g, h := opened(t)
	for _, handle := range []int32{0, -1, h + 1, 1 << 30} {
		status, result := ask(t, g, handle, wasmabi.OpProcess, `{}`)
		assert.EqualValues(t, -3, status)
		assert.Equal(t, "BAD_HANDLE", code(t, result))
	}
	for _, op := range []wasmabi.Op{wasmabi.OpDescribe, wasmabi.OpSelftest, wasmabi.OpStats} {
		status, _ := ask(t, g, 0, op, "")
		assert.EqualValues(t, 0, status, "an operation that needs no policy")
	}
	assert.EqualValues(t, 0, g.Close(h))
	assert.EqualValues(t, -3, g.Close(h), "closed twice")
	bundle := testBundle(t)
	at := put(t, g, bundle)
	next := g.Open(at, int32(len(bundle)))
	assert.Greater(t, next, h, "a closed handle never comes back, so a stale one never asks another policy")
	for range wasmabi.MaxHandles - 1 {
		require.Positive(t, g.Open(at, int32(len(bundle))))
	}
	assert.EqualValues(t, -9, g.Open(at, int32(len(bundle))), "a cap with a code of its own")
	assert.EqualValues(t, 0, g.Close(next))
	assert.Positive(t, g.Open(at, int32(len(bundle))), "closing makes room")
}

func TestBuffers(t *testing.T) {
	g := new(Guest)
	a, b := g.Alloc(10), g.Alloc(0)
	require.NotZero(t, a)
	require.NotZero(t, b, "an empty buffer has an address too")
	assert.NotEqual(t, a, b)
	assert.Equal(t, make([]byte, 10), g.Buffer(a))
	for _, n := range []int32{-1, wasmabi.MaxBuffer + 1, 1<<31 - 1} {
		assert.Zero(t, g.Alloc(n))
		assert.EqualValues(t, -5, g.Result().Code, "the result says why")
	}
	// A pointer that was not given out is refused and not followed.
	for _, wrong := range []struct {
		ptr uint32
		n   int32
	}{{0, 1}, {a, 11}, {a, -1}, {a + 1, 1}, {1, 1}, {1<<32 - 1, 1 << 30}} {
		assert.EqualValues(t, -4, g.Call(0, int32(wasmabi.OpStats), wrong.ptr, wrong.n))
		assert.EqualValues(t, -4, g.Open(wrong.ptr, wrong.n))
	}
	assert.EqualValues(t, 0, g.Call(0, int32(wasmabi.OpStats), 0, 0), "no request needs no buffer")
	g.Free(a)
	g.Free(a)
	g.Free(12345)
	assert.Nil(t, g.Buffer(a))
	assert.EqualValues(t, -4, g.Call(0, int32(wasmabi.OpStats), a, 1), "freed")
	g.Free(b)
	assert.Zero(t, g.bytes)

	for range wasmabi.MaxBuffers {
		require.NotZero(t, g.Alloc(1))
	}
	assert.Zero(t, g.Alloc(1))
	assert.EqualValues(t, -10, g.Result().Code)
	*g = Guest{}
	for range wasmabi.MaxBytes / wasmabi.MaxBuffer {
		require.NotZero(t, g.Alloc(wasmabi.MaxBuffer))
	}
	assert.Zero(t, g.Alloc(1), "all buffers together have a limit")
}

func TestBundlesAreRefused(t *testing.T) {
	bundle := testBundle(t)
	g := new(Guest)
	flipped := slices.Clone(bundle)
	flipped[len(flipped)/2] ^= 1
	tests := []struct {
		data   []byte
		status int32
		reason string
	}{
		{nil, -20, "nothing"},
		{[]byte("privet: 1\n"), -20, "a policy is not a bundle yet"},
		{bundle[:len(bundle)-1], -22, "cut short"},
		{flipped, -23, "changed"},
	}
	for _, tt := range tests {
		at := put(t, g, tt.data)
		assert.Equal(t, tt.status, g.Open(at, int32(len(tt.data))), tt.reason)
		assert.Equal(t, tt.status, g.Call(0, int32(wasmabi.OpValidate), at, int32(len(tt.data))), tt.reason)
		g.Free(at)
	}
	status, result := ask(t, g, 0, wasmabi.OpValidate, string(bundle))
	assert.EqualValues(t, 0, status)
	assert.Contains(t, result, `"name":"test","version":2`)
	assert.Empty(t, g.opened, "validating opens nothing")
}

func secretRequest(version uint32, tenant string, key []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, version)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(tenant)))
	return append(append(b, tenant...), key...)
}

func TestSecrets(t *testing.T) {
	g, h := opened(t)
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	add := func(request []byte) (int32, []byte) {
		at := put(t, g, request)
		defer g.Free(at)
		status := g.Call(h, int32(wasmabi.OpAddSecret), at, int32(len(request)))
		return status, slices.Clone(g.Buffer(at))
	}
	status, left := add(secretRequest(1, "contoso", key))
	assert.EqualValues(t, 0, status)
	assert.Equal(t, make([]byte, len(left)), left, "the module zeroes the secret where the host wrote it")
	golden, result := ask(t, g, h, wasmabi.OpHash, `{"tenant":"contoso","purpose":"analytics","category":"user.email","value":"jane@example.com","type":"email"}`)
	assert.EqualValues(t, 0, golden)
	assert.Equal(t, `{"linkability":"linkable","token":"p1_1_mr2gmpm4xx54sepw4ybzpisseq"}`, result, "the first golden vector of construction p1")

	tests := []struct {
		request []byte
		status  int32
		reason  string
	}{
		{secretRequest(1, "contoso", key), -14, "a version is never replaced"},
		{secretRequest(2, "contoso", make([]byte, 32)), -14, "zeroes are what a forgotten random source leaves"},
		{secretRequest(0, "contoso", key), -15, "versions count from 1"},
		{secretRequest(1, "", key), -15, "no tenant"},
		{secretRequest(2, "contoso", key[:31]), -8, "a byte is missing"},
		{secretRequest(2, "\xff", key), -8, "not UTF-8"},
		{append(secretRequest(2, "contoso", key), 0), -8, "a byte too many"},
		{nil, -8, "nothing"},
	}
	for _, tt := range tests {
		status, left := add(tt.request)
		assert.Equal(t, tt.status, status, tt.reason)
		assert.Equal(t, make([]byte, len(left)), left, "refused, and zeroed all the same: %s", tt.reason)
	}
	assert.EqualValues(t, 0, g.Close(h))
	g2, h2 := opened(t)
	status2, _ := ask(t, g2, h2, wasmabi.OpHash, `{"tenant":"contoso","purpose":"p","category":"c","value":"x"}`)
	assert.EqualValues(t, -12, status2, "secrets belong to the handle")
}

func TestAFaultOfTheModuleIsAnError(t *testing.T) {
	g, h := opened(t)
	g.opened[h].guard = nil
	status, result := ask(t, g, h, wasmabi.OpClassify, `{"name":"canary@example.test"}`)
	assert.EqualValues(t, -1, status)
	assert.Equal(t, "INTERNAL", code(t, result))
	assert.NotContains(t, result, "canary")
}

func TestInfo(t *testing.T) {
	var info struct {
		ABI   struct{ Major, Minor int }
		Codes map[string]int
		Ops   map[string]int
	}
	text := wasmabi.AppendInfo(nil, "v1.2.3")
	require.NoError(t, json.Unmarshal(text, &info))
	assert.Equal(t, wasmabi.Major, info.ABI.Major)
	assert.Len(t, info.Ops, len(wasmabi.Ops))
	assert.Len(t, info.Codes, len(wasmabi.Codes), "two codes have one name")
	statuses := map[int]bool{}
	for name, n := range info.Codes {
		assert.Negative(t, n, name)
		assert.False(t, statuses[n], "two codes have one number: %s", name)
		statuses[n] = true
	}
	for i := range wasmabi.Codes[1:] {
		assert.Less(t, wasmabi.Codes[i].Name, wasmabi.Codes[i+1].Name, "keys of results are sorted")
	}
	for i := range wasmabi.Ops[1:] {
		assert.Less(t, wasmabi.Ops[i].Name, wasmabi.Ops[i+1].Name, "keys of results are sorted")
	}
	assert.Contains(t, string(text), `"version":"v1.2.3"`)
	assert.NotContains(t, string(wasmabi.AppendInfo(nil, "")), "version")

	// Every code that an answer may carry has a number.
	for _, code := range []privacy.Code{
		privacy.CodeBadRequest, privacy.CodeTooLarge, privacy.CodeTooDeep, privacy.CodeTooMany, privacy.CodeRuleError, privacy.CodeNoSecret,
		privacy.CodeSecretDestroyed, privacy.CodeBadSecret, privacy.CodeBadScope, privacy.CodeBadValue, privacy.CodeNotBundle, privacy.CodeBundleNewer,
		privacy.CodeBundleTruncated, privacy.CodeBundleCorrupt, privacy.CodeBundleTooLarge, privacy.CodeBadPolicy, privacy.CodeInternal,
		codeUnknownOp, codeBadHandle, codeBadPointer, codeTooManyHandles, codeTooManyBuffers, codeSelftest,
	} {
		assert.Contains(t, info.Codes, string(code))
		delete(info.Codes, string(code))
	}
	assert.Empty(t, info.Codes, "a code that nobody gives")
	assert.EqualValues(t, privacy.MaxEvent, wasmabi.MaxBuffer, "a buffer holds the largest event")

	// What hosts are written against is the document.
	doc, err := os.ReadFile("../../ABI.md")
	require.NoError(t, err)
	for _, o := range wasmabi.Ops {
		assert.Contains(t, string(doc), "`"+o.Name+"`", "ABI.md does not say what the operation does")
	}
	for _, c := range wasmabi.Codes {
		assert.Contains(t, string(doc), c.Name, "ABI.md does not list the code")
	}
}

func TestDescriptorIs16Bytes(t *testing.T) {
	var d Descriptor
	assert.EqualValues(t, 16, unsafe.Sizeof(d))
	assert.EqualValues(t, 4, unsafe.Offsetof(d.Len))
	assert.EqualValues(t, 8, unsafe.Offsetof(d.Code))
	assert.EqualValues(t, 12, unsafe.Offsetof(d.Flags))
}

// TestCanary puts a canary into every part of every request and looks for it in
// every error.
func TestCanary(t *testing.T) {
	g, h := opened(t)
	const canary = "canary@example.test"
	requests := []string{canary, `"` + canary + `"`, `["` + canary + `"]`, `{"` + canary + `":1}`, `{"at":"` + canary + `"}`, `{"value":["` + canary + `"]}`, `{"x":1,"` + canary, `{"` + canary + `":1,"` + canary + `":2}`}
	keys := []string{"id", "at", "now", "class", "purpose", "purposes", "category", "subject", "switches", "admin", "signals", "anchors", "withdrawn", "holds", "erasure", "consents", "claims", "notices", "declared", "fields", "combine", "share", "promote", "recipient", "context", "tags", "type", "value", "name", "explain"}
	for _, key := range keys {
		for _, value := range []string{`"` + canary + `"`, `["` + canary + `"]`, `{"` + canary + `":"` + canary + `"}`, `[{"` + canary + `":"` + canary + `"}]`, `{"x":"` + canary + `"}`} {
			requests = append(requests, `{"`+key+`":`+value+`}`, `{"at":"2026-03-28T10:00:00Z","now":"2026-03-28T10:00:00Z","purpose":"serve","tenant":"contoso","`+key+`":`+value+`}`)
		}
	}
	refused := 0
	for _, o := range wasmabi.Ops {
		for _, request := range requests {
			status, result := ask(t, g, h, o.Op, request)
			if status >= 0 {
				continue
			}
			refused++
			assert.NotContains(t, result, "canary", "%s of %s", o.Name, request)
		}
	}
	assert.Greater(t, refused, 500, "hardly anything was refused: the canary was looked for in nothing")
}

func TestOutcomeIsThatOfTheOutermostObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune(`outcome":"allow\{}[],ü`))).Draw(t, "text")
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		want := rapid.SampledFrom([]string{"allow", "partial", "ask", "deny"}).Draw(t, "outcome")
		result := `{"ask":[{"outcome":"deny"}],"fields":{"outcome":"partial","a":` + string(quoted) + `,` + string(quoted[:len(quoted)-1]) + `x":1},"id":` + string(quoted) + `,"outcome":"` + want + `","z":{"outcome":"ask"}}`
		assert.Equal(t, outcomes[want], outcome([]byte(result)), result)
	})
	for _, odd := range []string{"", "{", `{"`, `{"outcome`, `{"outcome":"`, `{"outcome":"ask`, `{"a\`, `[]`} {
		outcome([]byte(odd)) // no panic
	}
}

// FuzzCall gives the guest any operation and any bytes, and a canary in what is
// neither empty nor JSON. Whatever comes, there is an answer or an error in JSON.
func FuzzCall(f *testing.F) {
	bundle := testBundle(f)
	for _, o := range wasmabi.Ops {
		f.Add(int32(o.Op), []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"serve","fields":{"user_email":"jane@example.com"}}`))
		f.Add(int32(o.Op), []byte(`{"now":"2026-03-28T10:00:00Z","category":"user.contact","anchors":{"used_at":"2026-03-01T10:00:00Z"}}`))
		f.Add(int32(o.Op), []byte(`{"now":"2026-03-28T10:00:00Z","category":"user.contact","holds":[{"id":"h","scope":"*","placed":"2026-03-01T00:00:00Z"}],"erasure":{"id":"e","at":"2026-03-01T00:00:00Z"}}`))
		f.Add(int32(o.Op), []byte(`{"tenant":"contoso","purpose":"p","category":"c","value":"x","type":"text"}`))
		f.Add(int32(o.Op), []byte(`{"name":"user_email","value":"jane@example.com","tags":{"privacy":"user.contact"}}`))
	}
	f.Add(int32(wasmabi.OpAddSecret), secretRequest(1, "contoso", make([]byte, 32)))
	f.Add(int32(wasmabi.OpValidate), bundle)
	g := new(Guest)
	at := put(f, g, bundle)
	h := g.Open(at, int32(len(bundle)))
	require.Positive(f, h)
	g.Free(at)
	f.Fuzz(func(t *testing.T, op int32, request []byte) {
		if len(request) > 1<<20 {
			return
		}
		if op == int32(wasmabi.OpAddSecret) && g.opened[h] != nil && g.calls%1000 == 999 {
			delete(g.opened, h) // forget what piled up
			at := put(t, g, bundle)
			h = g.Open(at, int32(len(bundle)))
			g.Free(at)
		}
		status, result := ask(t, g, h, wasmabi.Op(op), string(request))
		if status == -1 {
			t.Fatalf("a panic inside: op %d", op)
		}
		if len(result) > 0 && !json.Valid([]byte(result)) {
			t.Fatalf("not JSON: op %d", op)
		}
		if status < 0 {
			// The same bytes with a canary before them are no JSON, and the answer
			// must not show what they are.
			_, again := ask(t, g, h, wasmabi.Op(op), "canary@example.test"+string(request))
			if strings.Contains(again, "canary") {
				t.Fatalf("the error shows the request: op %d", op)
			}
		}
		if len(g.buffers) != 0 {
			t.Fatal("a buffer was left")
		}
	})
}

func BenchmarkProcess(b *testing.B) {
	g, h := opened(b)
	request := []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"serve","fields":{"build":26100,"note":"call me at +1 425 555 0100"}}`)
	at := put(b, g, request)
	b.ReportAllocs()
	for b.Loop() {
		if g.Call(h, int32(wasmabi.OpProcess), at, int32(len(request))) < 0 {
			b.Fatal(string(g.held))
		}
	}
}
