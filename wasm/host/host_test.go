package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/wasmabi"
	"github.com/privetdev/privet/privacy/policy"
)

var ctx = context.Background()

// built is the stamped module, built once for all tests of the package.
var built = sync.OnceValues(func() ([]byte, error) {
	if path := os.Getenv("PRIVET_WASM"); path != "" {
		return os.ReadFile(path)
	}
	dir, err := os.MkdirTemp("", "privet")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "privet.wasm")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-buildmode=c-shared", "-o", path, "../../wasm")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	if out, err := exec.Command("go", "run", "../../internal/cmd/wasmstamp", path).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(path)
})

// cache is shared by the tests, so that the module is compiled once.
var cache = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "privet-cache")
	if err != nil {
		return ""
	}
	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(cache())
	os.Exit(code)
}

func open(t testing.TB, opts ...Option) *Module {
	t.Helper()
	module, err := built()
	require.NoError(t, err)
	m, err := Open(ctx, module, append([]Option{WithCache(cache())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(ctx)) })
	return m
}

func bundle(t testing.TB) []byte {
	t.Helper()
	b, err := policy.Pack("windows-service-data")
	require.NoError(t, err)
	return b.Bytes()
}

func key() []byte {
	k := make([]byte, 32)
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

const event = `{"id":"e1","at":"2026-03-28T10:00:00Z","class":"service.required","purpose":"service.deliver.locate","feature":"find-my-device","subject":{"tenant":"contoso"},"switches":{"find-my-device":"on"},"fields":{"deviceName":"JANES-LAPTOP","position":{"lat":47.6401,"lon":-122.1295},"note":"call me at +1 425 555 0100"}}`

// TestImportsAndExports pins what the module asks of a host and what it gives: a
// host in another language is written against this list.
func TestImportsAndExports(t *testing.T) {
	m := open(t)
	var have []string
	for _, f := range m.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		have = append(have, "import "+module+" "+name)
	}
	for name, f := range m.compiled.ExportedFunctions() {
		have = append(have, "export "+name+" "+signature(f.ParamTypes())+" -> "+signature(f.ResultTypes()))
	}
	for name := range m.compiled.ExportedMemories() {
		have = append(have, "export memory "+name)
	}
	slices.Sort(have)
	have = slices.Compact(have)
	want, err := os.ReadFile("testdata/interface.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), strings.Join(have, "\n")+"\n")
}

func signature(types []byte) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64"}[t]
	}
	return "(" + strings.Join(names, " ") + ")"
}

func TestInfo(t *testing.T) {
	m := open(t)
	info := m.Info()
	assert.Equal(t, major, info.ABI.Major)
	assert.Equal(t, "privet", info.Product)
	assert.EqualValues(t, 10, info.Ops["process"])
	assert.EqualValues(t, -8, info.Codes["BAD_REQUEST"])
	assert.NotEmpty(t, info.Version)
	for name, op := range map[string]int32{
		"describe": opDescribe, "classify": opClassify, "hash": opHash, "consent_check": opConsent, "retention": opRetention, "explain": opExplain,
		"validate": opValidate, "selftest": opSelftest, "process": opProcess, "stats": opStats, "add_secret": opAddSecret,
	} {
		assert.Equal(t, op, info.Ops[name], name)
	}
}

func TestGuard(t *testing.T) {
	m := open(t)
	g, err := m.Guard(ctx, bundle(t), Secret{"contoso", 1, key()})
	require.NoError(t, err)
	defer g.Close(ctx)
	text := func(b []byte, err error) string {
		t.Helper()
		require.NoError(t, err)
		require.True(t, json.Valid(b))
		return string(b)
	}
	assert.Contains(t, text(g.Process(ctx, []byte(event))), `"fields":{"deviceName":"p1_1_`)
	assert.Contains(t, text(g.Explain(ctx, []byte(event))), `"trail":[`)
	assert.Contains(t, text(g.Classify(ctx, []byte(`{"name":"user_email"}`))), "user.contact.email")
	assert.Contains(t, text(g.Decide(ctx, []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"research"}`))), "CONSENT_UNSET")
	assert.Contains(t, text(g.Plan(ctx, []byte(`{"now":"2026-03-28T10:00:00Z","class":"service.required","anchors":{"used_at":"2026-03-28T10:00:00Z"}}`))), "2026-03-30T10:00:00Z")
	assert.Equal(t, `{"linkability":"linkable","token":"p1_1_mr2gmpm4xx54sepw4ybzpisseq"}`,
		text(g.Pseudonymise(ctx, []byte(`{"tenant":"contoso","purpose":"analytics","category":"user.email","value":"jane@example.com","type":"email"}`))))
	assert.Contains(t, text(g.Describe(ctx)), `"name":"windows-service-data"`)
	assert.Contains(t, text(g.Validate(ctx, bundle(t))), `"name":"windows-service-data"`)
	assert.Contains(t, text(g.Selftest(ctx)), `"ok":true`)
	assert.Contains(t, text(g.Stats(ctx)), `"handles":1`)

	_, status, err := g.Call(ctx, opProcess, []byte(`{"at":"2026-03-28T10:00:00Z","purpose":"research","fields":{"a":1}}`))
	require.NoError(t, err)
	assert.EqualValues(t, 2, status, "ask")

	require.NoError(t, g.Close(ctx))
	require.NoError(t, g.Close(ctx), "twice is no error")
	_, err = g.Process(ctx, []byte(event))
	assert.ErrorIs(t, err, ErrClosed)
}

func TestErrors(t *testing.T) {
	m := open(t)
	_, err := m.Guard(ctx, bundle(t)[:100])
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "BUNDLE_TRUNCATED", refused.Code)
	assert.EqualValues(t, -22, refused.Status)
	_, err = m.Guard(ctx, bundle(t), Secret{"contoso", 1, key()[:31]})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "BAD_REQUEST", refused.Code)

	g, err := m.Guard(ctx, bundle(t))
	require.NoError(t, err)
	defer g.Close(ctx)
	_, err = g.Process(ctx, []byte(`{"subject":{"canary@example.test":1}}`))
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "BAD_REQUEST", refused.Code)
	assert.Equal(t, "subject", refused.Part)
	require.NotNil(t, refused.Offset)
	assert.NotContains(t, err.Error()+string(refused.JSON), "canary")
	_, err = g.Process(ctx, make([]byte, 16<<20+1))
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "TOO_LARGE", refused.Code)
	_, _, err = g.Call(ctx, 99, nil)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "UNKNOWN_OP", refused.Code)
	_, err = g.Process(ctx, []byte(event))
	require.NoError(t, err, "an error costs nothing but its call")

	done, cancel := context.WithCancel(ctx)
	cancel()
	for range 20 { // the choice between a free instance and a dead context is made by chance
		if _, err = g.Process(done, []byte(event)); err != nil {
			break
		}
	}
	assert.ErrorIs(t, err, context.Canceled)

	whole, err := built()
	require.NoError(t, err)
	for _, bad := range [][]byte{nil, []byte("privet"), whole[:len(whole)-1], []byte("\x00asm\x01\x00\x00\x00")} {
		_, err := Open(ctx, bad)
		assert.ErrorIs(t, err, ErrNotModule)
	}
	other, err := wasmabi.Set(whole, wasmabi.Section, []byte(`{"abi":{"major":2,"minor":0},"product":"privet"}`))
	require.NoError(t, err)
	_, err = Open(ctx, other)
	assert.ErrorIs(t, err, ErrABI, "found before anything is compiled")
	hollow, err := wasmabi.Set([]byte("\x00asm\x01\x00\x00\x00"), wasmabi.Section, []byte(`{"abi":{"major":1,"minor":0}}`))
	require.NoError(t, err)
	empty, err := Open(ctx, hollow)
	require.NoError(t, err)
	_, err = empty.Guard(ctx, bundle(t))
	assert.ErrorIs(t, err, ErrNotModule, "a module that only says that it is one")
	require.NoError(t, empty.Close(ctx))

	for _, bad := range []Option{WithMemoryLimit(1), WithMemoryLimit(1 << 40), WithInstances(0), WithInstances(1 << 20), WithCache(filepath.Join(os.DevNull, "x"))} {
		_, err := Open(ctx, whole, bad)
		assert.ErrorIs(t, err, ErrOption)
	}
}

// TestLostInstance: an instance that gives up is replaced, with the policy and the
// secrets, and nobody but its own call notices.
func TestLostInstance(t *testing.T) {
	m := open(t, WithMemoryLimit(40<<20))
	g, err := m.Guard(ctx, bundle(t), Secret{"contoso", 1, key()})
	require.NoError(t, err)
	defer g.Close(ctx)
	before, err := g.Process(ctx, []byte(event))
	require.NoError(t, err)
	large := `{"at":"2026-03-28T10:00:00Z","purpose":"service.deliver","fields":{"a":[` + strings.Repeat(`"canary@example.test",`, 100000) + `0]}}`
	_, err = g.Process(ctx, []byte(large))
	require.ErrorIs(t, err, ErrLost)
	assert.NotContains(t, err.Error(), "canary")
	after, err := g.Process(ctx, []byte(event))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}

func TestConcurrentUse(t *testing.T) {
	m := open(t, WithInstances(3))
	g, err := m.Guard(ctx, bundle(t), Secret{"contoso", 1, key()})
	require.NoError(t, err)
	defer g.Close(ctx)
	want, err := g.Process(ctx, []byte(event))
	require.NoError(t, err)
	var group sync.WaitGroup
	failures := make(chan error, 64)
	for range 8 {
		group.Go(func() {
			for range 20 {
				got, err := g.Process(ctx, []byte(event))
				if err == nil && string(got) != string(want) {
					err = errors.New("another result")
				}
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failures)
	for err := range failures {
		assert.NoError(t, err)
	}
}

// TestMemoryIsFlat: what one call takes is given back to the next.
func TestMemoryIsFlat(t *testing.T) {
	calls := 100_000
	if testing.Short() {
		calls = 20_000
	}
	m := open(t)
	g, err := m.Guard(ctx, bundle(t), Secret{"contoso", 1, key()})
	require.NoError(t, err)
	defer g.Close(ctx)
	size := func() uint32 {
		in := <-g.slots
		defer func() { g.slots <- in }()
		return in.module.Memory().Size()
	}
	// The collector goes on looking for its size for some 300,000 calls, in steps of a
	// MiB; then it stays. A leak of 42 bytes a call would show here.
	warm, begin := calls/2, uint32(0)
	for i := range calls {
		if i == warm {
			begin = size()
		}
		_, err := g.Classify(ctx, []byte(`{"name":"note","value":"call me at +1 425 555 0100"}`))
		require.NoError(t, err)
	}
	t.Logf("linear memory after %d calls: %d KiB, after %d: %d KiB", warm, begin>>10, calls, size()>>10)
	assert.LessOrEqual(t, size(), begin+2<<20)
}

func TestSecretIsNotPrinted(t *testing.T) {
	s := Secret{"contoso", 1, []byte("canary-canary-canary-canary-1234")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, s), "canary")
		assert.NotContains(t, fmt.Sprintf(verb, []Secret{s}), "canary")
	}
}

func BenchmarkClassify(b *testing.B) {
	benchmark(b, opClassify, `{"name":"user_email","value":"jane@example.com"}`)
}
func BenchmarkProcess(b *testing.B) { benchmark(b, opProcess, event) }

func benchmark(b *testing.B, op int32, request string) {
	m := open(b)
	g, err := m.Guard(ctx, bundle(b), Secret{"contoso", 1, key()})
	require.NoError(b, err)
	defer g.Close(ctx)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := g.Call(ctx, op, []byte(request)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is what a process pays before its first answer, with the compiled
// module in the cache.
func BenchmarkStart(b *testing.B) {
	module, err := built()
	require.NoError(b, err)
	data := bundle(b)
	for b.Loop() {
		m, err := Open(ctx, module, WithCache(cache()))
		if err != nil {
			b.Fatal(err)
		}
		if _, err = m.Guard(ctx, data); err != nil {
			b.Fatal(err)
		}
		_ = m.Close(ctx)
	}
}
