package emit

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/internal/wasmabi"
)

// builtinBundle is the bundle of the built-in classification.
var builtinBundle = sync.OnceValues(func() ([]byte, error) { return os.ReadFile("../../classify/builtin/builtin.bundle") })

// A classifier is a module that runs, with the answers of package classify.
type classifier struct {
	built *built
	m     api.Module
	place int // address of the descriptor
	about description
	flags uint32  // of the last call
	steps *[]step // notes what is done, for other hosts to do
}

type description struct {
	Categories []struct{ Key, ISO19944, Qualifier, Title string }
	Detectors  []struct {
		ID       string
		Category int
	}
	Rules []struct {
		ID       string
		Category int
	}
	Name                        string
	MaxInput                    int `json:"max_input"`
	Version, Profile, Threshold int
	ABI                         struct{ Major, Minor int }
}

// bundleOf encodes a classification.
func bundleOf(t testing.TB, c bundle.Classification) []byte {
	t.Helper()
	b := bundle.Bundle{Name: "test", Version: 1, Classification: c}
	data, err := b.Encode()
	require.NoError(t, err)
	return data
}

// newClassifier makes a module of a bundle, with the runtime as its sources are now, and
// starts it.
func newClassifier(t testing.TB, data []byte, o Options) *classifier {
	t.Helper()
	m, err := build(data, o, fresh(t))
	require.NoError(t, err)
	return startModule(t, m)
}

func startModule(t testing.TB, b *built) *classifier {
	t.Helper()
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	m, err := r.Instantiate(t.Context(), b.wasm)
	require.NoError(t, err)
	c := &classifier{built: b, m: m}
	c.place = c.call(t, "pv1_result")
	require.Zero(t, c.call(t, "pv1_describe"))
	require.NoError(t, json.Unmarshal(c.result(t), &c.about))
	return c
}

func (c *classifier) call(t testing.TB, name string, args ...int) int {
	t.Helper()
	stack := make([]uint64, max(len(args), 1))
	for i, a := range args {
		stack[i] = uint64(uint32(a))
	}
	if err := c.m.ExportedFunction(name).CallWithStack(t.Context(), stack); err != nil {
		t.Fatalf("%s%v: %v", name, args, err)
	}
	got := int(int32(uint32(stack[0])))
	c.noteCall(t, name, args, got)
	return got
}

// descriptor reads the result's head.
func (c *classifier) descriptor(t testing.TB) (ptr, n uint32, code int, flags uint32) {
	t.Helper()
	b, ok := c.m.Memory().Read(uint32(c.place), 16)
	require.True(t, ok)
	u := binary.LittleEndian.Uint32
	return u(b), u(b[4:]), int(int32(u(b[8:]))), u(b[12:])
}

func (c *classifier) result(t testing.TB) []byte {
	t.Helper()
	ptr, n, _, flags := c.descriptor(t)
	c.flags = flags
	b, ok := c.m.Memory().Read(ptr, n)
	require.True(t, ok, "the result lies outside of the memory")
	return bytes.Clone(b)
}

// put writes inputs into the input buffer and returns their addresses.
func (c *classifier) put(t testing.TB, texts ...string) []int {
	t.Helper()
	n := 0
	for _, s := range texts {
		n += len(s)
	}
	at := c.call(t, "pv1_scratch", n)
	require.NotZero(t, at)
	var out []int
	for _, s := range texts {
		c.write(t, at, s, 1)
		out = append(out, at)
		at += len(s)
	}
	return out
}

// record is the request of pv1_classify_record.
func record(f *classify.Field) string {
	var b []byte
	text := func(s string) {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	for _, s := range []string{f.Name, f.Path, f.Type, f.Source, f.Description, f.Value} {
		text(s)
	}
	for _, m := range []map[string]string{f.Tags, f.Context} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(m)))
		for _, k := range slices.Sorted(maps.Keys(m)) {
			text(k)
			text(m[k])
		}
	}
	return string(b)
}

func numbers(b []byte) (out []int) {
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, int(binary.LittleEndian.Uint32(b)))
	}
	return out
}

// label makes a label of the first four numbers of a row.
func (c *classifier) label(t testing.TB, row []int) classify.Label {
	t.Helper()
	require.Less(t, row[0], len(c.about.Categories))
	k := c.about.Categories[row[0]]
	l := classify.Label{Category: k.Key, ISO19944: k.ISO19944, Qualifier: k.Qualifier, Confidence: float64(row[1]) / 1000}
	switch {
	case row[2] == 65535:
		l.Rule = classify.Declared
	case row[2] > 0:
		require.LessOrEqual(t, row[2], len(c.about.Rules))
		l.Rule = c.about.Rules[row[2]-1].ID
	}
	if row[3] > 0 {
		require.LessOrEqual(t, row[3], len(c.about.Detectors))
		l.Detector = c.about.Detectors[row[3]-1].ID
	}
	return l
}

// field classifies a field by pv1_classify_record.
func (c *classifier) field(t testing.TB, f classify.Field) (out []classify.Label) {
	t.Helper()
	request := record(&f)
	n := c.call(t, "pv1_classify_record", 1, c.put(t, request)[0], len(request))
	require.GreaterOrEqual(t, n, 0, "a status instead of labels")
	rows := numbers(c.result(t))
	require.GreaterOrEqual(t, len(rows), 6*n)
	spans := rows[6*n:]
	for i := range n {
		row := rows[6*i : 6*i+6]
		l := c.label(t, row)
		require.LessOrEqual(t, 2*(row[4]+row[5]), len(spans))
		for j := row[4]; j < row[4]+row[5]; j++ {
			l.Spans = append(l.Spans, classify.Span{Start: spans[2*j], End: spans[2*j+1]})
		}
		out = append(out, l)
	}
	return out
}

// named classifies a name and a value by pv1_classify_field, which gives no places.
func (c *classifier) named(t testing.TB, name, value string) (out []classify.Label) {
	t.Helper()
	at := c.put(t, name, value)
	n := c.call(t, "pv1_classify_field", 1, at[0], len(name), at[1], len(value))
	require.GreaterOrEqual(t, n, 0, "a status instead of labels")
	rows := numbers(c.result(t))
	require.Len(t, rows, 4*n)
	for i := range n {
		out = append(out, c.label(t, rows[4*i:]))
	}
	return out
}

// scan is what Scanner.Scan finds.
func (c *classifier) scan(t testing.TB, text string) (out []classify.Finding) {
	t.Helper()
	n := c.call(t, "pv1_scan", 1, c.put(t, text)[0], len(text))
	require.GreaterOrEqual(t, n, 0, "a status instead of findings")
	rows := numbers(c.result(t))
	require.Len(t, rows, 4*n)
	for i := range n {
		d := c.about.Detectors[rows[4*i]]
		out = append(out, classify.Finding{Detector: d.ID, Category: c.about.Categories[d.Category].Key,
			Start: rows[4*i+1], End: rows[4*i+2], Confidence: float64(rows[4*i+3]) / 1000})
	}
	return out
}

// small is a policy with a bit of everything.
func small() bundle.Classification {
	return bundle.Classification{
		Threshold:  400,
		Categories: []bundle.Category{{Key: "user.contact.email", Title: "E-mail"}, {Key: "user", Qualifier: "identified"}, {Key: "user.contact", ISO19944: "8.2.3"}, {Key: "system"}},
		Detectors:  []bundle.Detector{{ID: "b/mail", Category: "user.contact.email", Pattern: `[a-z]+@[a-z]+\.com`, Base: 800, Checked: 900}, {ID: "a/digits", Category: "user", Pattern: `[0-9]{6}`, Base: 500}},
	}
}

func TestInterface(t *testing.T) {
	c := newClassifier(t, bundleOf(t, small()), Options{})
	assert.Equal(t, 1<<16, c.call(t, "pv1_abi"))
	var names []string
	for name := range c.m.ExportedFunctionDefinitions() {
		names = append(names, name)
	}
	slices.Sort(names)
	assert.Equal(t, strings.Fields("pv1_abi pv1_classify_field pv1_classify_record pv1_describe pv1_result pv1_scan pv1_scratch"), names)
	for name, f := range c.m.ExportedFunctionDefinitions() {
		for _, v := range slices.Concat(f.ParamTypes(), f.ResultTypes()) {
			assert.Equal(t, api.ValueTypeI32, v, name)
		}
	}
	assert.Equal(t, []string{"memory"}, slices.Collect(maps.Keys(c.m.ExportedMemoryDefinitions())))
	assert.Zero(t, c.place%4)
	assert.Equal(t, c.place, c.call(t, "pv1_result"))
}

func TestDescription(t *testing.T) {
	c := newClassifier(t, bundleOf(t, small()), Options{})
	require.Zero(t, c.call(t, "pv1_describe"))
	want := `{"abi":{"major":1,"minor":0},"categories":[{"key":"system"},{"key":"user","qualifier":"identified"},{"iso19944":"8.2.3","key":"user.contact","qualifier":"identified"},` +
		`{"iso19944":"8.2.3","key":"user.contact.email","qualifier":"identified"}],"detectors":[{"category":1,"id":"a/digits"},{"category":3,"id":"b/mail"}],"max_input":4194304,"name":"test","profile":1,` +
		`"rules":[],"threshold":400,"version":1}`
	assert.Equal(t, want, string(c.result(t)))
	titled := newClassifier(t, bundleOf(t, small()), Options{Titles: true, MaxInput: 1000})
	assert.Equal(t, strings.NewReplacer(`"qualifier":"identified"}],`, `"qualifier":"identified","title":"E-mail"}],`, "4194304", "1000").Replace(want), string(titled.result(t)))
}

func TestBytesOfModulesAreTheSameEachTime(t *testing.T) {
	data := bundleOf(t, small())
	first, err := build(data, Options{}, fresh(t))
	require.NoError(t, err)
	for range 3 {
		again, err := build(data, Options{}, fresh(t))
		require.NoError(t, err)
		require.True(t, bytes.Equal(first.wasm, again.wasm))
	}
}

func TestOptionsAndBundlesAreChecked(t *testing.T) {
	data := bundleOf(t, small())
	for _, n := range []int{-1, largestInput + 1, math.MaxInt} {
		_, err := Module(data, Options{MaxInput: n})
		assert.ErrorContains(t, err, "largest input")
	}
	_, err := Module(data[:len(data)-1], Options{})
	assert.ErrorIs(t, err, bundle.ErrTruncated)
	_, err = Module([]byte("no bundle"), Options{})
	assert.ErrorIs(t, err, bundle.ErrNotBundle)
}

// A module whose memory cannot grow says so.
func TestMemoryThatDoesNotGrow(t *testing.T) {
	b, err := build(bundleOf(t, small()), Options{}, fresh(t))
	require.NoError(t, err)
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(uint32((b.linked.End+inputSize+workSize+1<<16-1)>>16)))
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	m, err := r.Instantiate(t.Context(), b.wasm)
	require.NoError(t, err)
	c := &classifier{built: b, m: m}
	c.place = c.call(t, "pv1_result")
	assert.Zero(t, c.call(t, "pv1_scratch", 4<<20))
	_, _, code, _ := c.descriptor(t)
	assert.Equal(t, -5, code)
	assert.NotZero(t, c.call(t, "pv1_scratch", 64<<10))
	assert.Equal(t, 1, c.call(t, "pv1_scan", 1, c.put(t, "jane@example.com")[0], 16))
	// More findings than there is room for are no answer, and no trap.
	full := strings.Repeat("a@b.com ", 8<<10)
	at := c.put(t, full)[0]
	assert.Equal(t, -5, c.call(t, "pv1_scan", 1, at, len(full)))
	ptr, n, code, _ := c.descriptor(t)
	assert.Equal(t, []any{uint32(0), uint32(0), -5}, []any{ptr, n, code})
	assert.Equal(t, 1, c.call(t, "pv1_scan", 1, c.put(t, "jane@example.com")[0], 16))
}

// policyOf compiles a file of rules and detectors.
func policyOf(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var ps source.Problems
	doc := source.Parse(path, text, &ps).Map(&ps, "file")
	name := doc.Need("name").Text(&ps, "name").Value
	c, _ := celrules.Rules(doc, name, nil, &ps)
	require.NoError(t, ps.Err())
	return bundleOf(t, c)
}

// compressed is how many bytes a tool makes of a module; 0 without the tool.
func compressed(t testing.TB, module []byte, tool string, args ...string) int {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		return 0
	}
	c := exec.CommandContext(t.Context(), tool, args...)
	c.Stdin = bytes.NewReader(module)
	out, err := c.Output()
	require.NoError(t, err)
	return len(out)
}

// TestSizes prints what modules are made of, with -v, and holds their budgets; those in
// brotli are held by .ci/wasm.
func TestSizes(t *testing.T) {
	everything, err := builtinBundle()
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		data   []byte
		budget int // bytes
	}{
		{"twenty rules", policyOf(t, "testdata/twenty.yaml"), 64 << 10},
		{"built-in", everything, 2 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			b, err := build(tt.data, Options{}, fresh(t))
			require.NoError(t, err)
			took := time.Since(begin)
			packed := compressed(t, b.wasm, "brotli", "-9", "-c")
			t.Logf("%d bytes raw, %d gzip -9, %d brotli -9, made in %v", len(b.wasm), compressed(t, b.wasm, "gzip", "-9", "-n", "-c"), packed, took)
			code, data := sizes(b.linked, owner)
			functions, pieces := sizes(b.linked, func(s string) string { return s })
			for _, m := range []struct {
				what string
				of   map[string]int
				most int
			}{{"code", code, 100}, {"data", data, 100}, {"function", functions, 40}, {"table", pieces, 40}} {
				for i, k := range sortedBySize(m.of) {
					if i < m.most {
						t.Logf("%-9s %-36s %8d", m.what, k, m.of[k])
					}
				}
			}
			assert.LessOrEqual(t, len(b.wasm), tt.budget)
			i, err := Inspect(b.wasm)
			require.NoError(t, err)
			sum := 0
			for _, p := range i.Parts {
				sum += p.Bytes
			}
			assert.Equal(t, len(b.wasm), sum, "the parts add up")
			t.Logf("%+v", *i)
		})
	}
}

func TestInspectRefusesOtherBytes(t *testing.T) {
	b, err := build(bundleOf(t, small()), Options{MaxInput: 5000}, fresh(t))
	require.NoError(t, err)
	i, err := Inspect(b.wasm)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 0, 1, 5000, b.linked.Most, 4, 0, 2}, []int{i.ABI.Major, i.ABI.Minor, i.Profile, i.MaxInput, i.MaxMemory, i.Categories, i.Rules, i.Detectors})
	assert.Equal(t, "test", i.Policy.Name)
	assert.EqualValues(t, 1, i.Policy.Version)
	assert.Equal(t, bundle.Fingerprint(bundleOf(t, small())), i.Fingerprint)
	require.Len(t, i.Automata, 1)
	assert.Equal(t, 2, i.Automata[0].Patterns)
	for _, bad := range [][]byte{nil, []byte("\x00asm\x01\x00\x00\x00"), b.wasm[:len(b.wasm)-1], b.linked.Wasm, []byte("text")} {
		_, err := Inspect(bad)
		assert.ErrorIs(t, err, ErrNotClassifier)
	}
}

// A signature goes from the bundle to what the module says of itself.
func TestSignatureIsNoted(t *testing.T) {
	content := bundleOf(t, small())
	var s bundle.Signature
	s.Key[0], s.Value[63] = 0xab, 0xcd
	b, err := build(bundle.Seal(content, &s), Options{}, fresh(t))
	require.NoError(t, err)
	i, err := Inspect(b.wasm)
	require.NoError(t, err)
	assert.Equal(t, "ab"+strings.Repeat("00", 31), i.SignedBy)
	assert.Equal(t, bundle.Fingerprint(content), i.Fingerprint)
	about, err := wasmabi.Read(b.wasm, wasmabi.Section)
	require.NoError(t, err)
	assert.Contains(t, string(about), strings.Repeat("00", 63)+`cd"`)
}

func TestPoliciesWithoutSomething(t *testing.T) {
	whole := small()
	for name, c := range map[string]bundle.Classification{
		"nothing":      {},
		"no detectors": {Categories: whole.Categories, Threshold: 400},
		"threshold 0":  {Categories: whole.Categories, Detectors: whole.Detectors},
	} {
		t.Run(name, func(t *testing.T) {
			m := newClassifier(t, bundleOf(t, c), Options{})
			native, err := classify.New(&c)
			require.NoError(t, err)
			for _, f := range []classify.Field{{}, {Name: "email", Value: "jane@example.com 123456"}, {Name: "\xff", Value: "\xff"}, {Tags: map[string]string{"privacy": "user.contact"}}} {
				assert.Equal(t, native.Field(f), m.field(t, f))
				assert.Equal(t, native.NewScanner().Scan(nil, f.Value), m.scan(t, f.Value))
			}
		})
	}
}

// What a module cannot have is told at once, with the ids of rules and detectors.
func TestRefusalsComeAtOnce(t *testing.T) {
	c := small()
	c.Detectors[0].Category = "no.such"
	c.Detectors[1].Pattern = "("
	c.Suppress = []bundle.Suppress{{ID: "docs", Detectors: []string{"nobody"}, When: condition(profile.Match, `match.text == "x"`)}}
	_, err := build(bundleOf(t, c), Options{}, fresh(t))
	require.Error(t, err)
	for _, want := range []string{"b/mail", "a/digits", "docs"} {
		assert.ErrorContains(t, err, want)
	}
}

// A detector that a module does not have answers as one that classify does not have.
func TestUnknownDetectors(t *testing.T) {
	c := small()
	c.Rules = []bundle.Rule{
		{ID: "r/is", Category: "user", Confidence: 900, When: condition(profile.Field, `value.is("nobody") || value == "yes"`)},
		{ID: "r/finds", Category: "system", Confidence: 900, When: condition(profile.Field, `!value.finds("nobody") || value == "yes"`)},
		{ID: "r/digits", Category: "user.contact", Confidence: 900, When: condition(profile.Field, `value.finds("a/digits") && !value.is("a/digits")`)},
	}
	m := newClassifier(t, bundleOf(t, c), Options{})
	native, err := classify.New(&c)
	require.NoError(t, err)
	for _, value := range []string{"", "yes", "no", "123456", "x 123456", "jane@example.com"} {
		f := classify.Field{Name: "n", Value: value}
		assert.Equal(t, native.Field(f), m.field(t, f), value)
	}
}
