package emit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/conform/rulegen"
)

// The statuses of calls: see wasm/ABI.md.
const (
	isHandle  = -3
	isPointer = -4
	isLarge   = -5
	isRequest = -8
)

// A foe calls a module with whatever comes to its mind. It knows what must come of each
// call: of one that is allowed, what native code says of the bytes that are there.
type foe struct {
	*equal
	t     testing.TB
	most  int // largest input
	at    int // of the input buffer
	asked int
}

func newFoe(t testing.TB, cl bundle.Classification, most int) *foe {
	t.Helper()
	data := bundleOf(t, cl)
	native, err := classify.Open(data)
	require.NoError(t, err)
	s := native.NewScanner()
	s.MaxValue = 0
	c := newClassifier(t, data, Options{MaxInput: most})
	c.steps = new([]step)
	f := &foe{equal: &equal{module: c, native: native, scanner: s}, t: t, most: most}
	f.scratch(0)
	return f
}

// refused checks a status, and that nothing comes with it.
func (f *foe) refused(want, got int, what string, args ...int) {
	f.t.Helper()
	ptr, n, code, flags := f.module.descriptor(f.t)
	if got != want || ptr != 0 || n != 0 || code != want || flags != 0 {
		f.t.Fatalf("%s%v: %d with %d %d %d %d, want %d", what, args, got, ptr, n, code, flags, want)
	}
}

func (f *foe) scratch(n int) {
	f.t.Helper()
	at := f.module.call(f.t, "pv1_scratch", n)
	if n < 0 || n > f.most {
		require.Zero(f.t, at)
		f.refused(isLarge, isLarge, "pv1_scratch", n)
		return
	}
	require.Positive(f.t, at)
	require.Zero(f.t, at%16)
	_, ok := f.module.m.Memory().Read(uint32(at), uint32(n))
	require.True(f.t, ok)
	f.at, f.asked = at, n
}

// inside is what the model says of a range.
func (f *foe) inside(ptr, n int) int {
	off := uint32(ptr) - uint32(f.at)
	switch {
	case n == 0:
		return 0
	case n < 0 || n > f.most:
		return isLarge
	case int64(off) > int64(f.asked) || int64(n) > int64(f.asked)-int64(off):
		return isPointer
	}
	return 0
}

func (f *foe) bytes(ptr, n int) string {
	if n == 0 {
		return ""
	}
	b, ok := f.module.m.Memory().Read(uint32(ptr), uint32(n))
	require.True(f.t, ok)
	return string(b)
}

func (f *foe) status(handle int, ranges ...int) int {
	if handle != 1 {
		return isHandle
	}
	for i := 0; i < len(ranges); i += 2 {
		if s := f.inside(ranges[i], ranges[i+1]); s != 0 {
			return s
		}
	}
	return 0
}

func (f *foe) scan(h, ptr, n int) {
	f.t.Helper()
	got := f.module.call(f.t, "pv1_scan", h, ptr, n)
	if s := f.status(h, ptr, n); s != 0 {
		f.refused(s, got, "pv1_scan", h, ptr, n)
		return
	}
	f.found(f.bytes(ptr, n), got)
}

func (f *foe) found(text string, got int) {
	f.t.Helper()
	want := f.scanner.Scan(nil, text)
	require.Equal(f.t, len(want), got, "%.300q", text)
	rows := numbers(f.module.result(f.t))
	for i, w := range want {
		d := f.module.about.Detectors[rows[4*i]]
		require.Equal(f.t, w, classify.Finding{Detector: d.ID, Category: f.module.about.Categories[d.Category].Key, Start: rows[4*i+1], End: rows[4*i+2], Confidence: float64(rows[4*i+3]) / 1000})
	}
}

func (f *foe) named(h, ptr, n, valuePtr, valueLen int) {
	f.t.Helper()
	got := f.module.call(f.t, "pv1_classify_field", h, ptr, n, valuePtr, valueLen)
	if s := f.status(h, ptr, n, valuePtr, valueLen); s != 0 {
		f.refused(s, got, "pv1_classify_field", h, ptr, n, valuePtr, valueLen)
		return
	}
	want := f.native.Field(classify.Field{Name: f.bytes(ptr, n), Value: f.bytes(valuePtr, valueLen)})
	f.labels(want, got, 4)
}

func (f *foe) labels(want []classify.Label, got, size int) {
	f.t.Helper()
	require.Equal(f.t, len(want), got)
	rows := numbers(f.module.result(f.t))
	require.GreaterOrEqual(f.t, len(rows), size*got)
	for i, w := range want {
		row := rows[size*i:]
		have := f.module.label(f.t, row)
		if size == 6 {
			for j := row[4]; j < row[4]+row[5]; j++ {
				have.Spans = append(have.Spans, classify.Span{Start: rows[size*got+2*j], End: rows[size*got+2*j+1]})
			}
		} else {
			w.Spans = nil
		}
		require.Equal(f.t, w, have)
	}
}

func (f *foe) record(h, ptr, n int) {
	f.t.Helper()
	got := f.module.call(f.t, "pv1_classify_record", h, ptr, n)
	s := f.status(h, ptr, n)
	var field classify.Field
	if s == 0 {
		field, s = readRecord([]byte(f.bytes(ptr, n)))
	}
	if s != 0 {
		f.refused(s, got, "pv1_classify_record", h, ptr, n)
		return
	}
	f.labels(f.native.Field(field), got, 6)
}

// readRecord reads a request as wasm/ABI.md has it.
func readRecord(b []byte) (f classify.Field, status int) {
	number := func(size int) int {
		if status == 0 && len(b) >= 4 {
			n := int64(binary.LittleEndian.Uint32(b))
			if b = b[4:]; n <= int64(len(b)/size) {
				return int(n)
			}
		}
		if status == 0 {
			status = isRequest
		}
		return 0
	}
	text := func() string {
		n := number(1)
		s := string(b[:n])
		b = b[n:]
		return s
	}
	for _, to := range []*string{&f.Name, &f.Path, &f.Type, &f.Source, &f.Description, &f.Value} {
		*to = text()
	}
	for _, to := range []*map[string]string{&f.Tags, &f.Context} {
		n := number(8)
		*to = map[string]string{}
		last := ""
		for i := range n {
			key, value := text(), text()
			if i > 0 && key <= last {
				status = isRequest
			}
			if last = key; status == 0 {
				(*to)[key] = value
			}
		}
	}
	if status == 0 && len(b) > 0 {
		status = isRequest
	}
	return f, status
}

// good asks what is allowed, twice.
func (f *foe) good() {
	f.t.Helper()
	const text = "write to jane@example.com, 123456 \xff ０１２３４５ id: ab12"
	request := record(&classify.Field{Name: "mail", Value: text, Tags: map[string]string{"x": "1"}, Context: map[string]string{"x": "y"}})
	f.scratch(len(request))
	for range 2 {
		f.put(f.at, request, 1)
		f.record(1, f.at, len(request))
		f.put(f.at, text, 1)
		f.scan(1, f.at, len(text))
		f.named(1, f.at, 4, f.at, len(text))
	}
}

func (f *foe) put(at int, text string, times int) {
	f.t.Helper()
	f.module.write(f.t, at, text, times)
}

func (f *foe) script(name string) *script {
	return &script{Name: name, Steps: *f.module.steps, wasm: f.module.built.wasm}
}

// hostile are scripts of calls that no honest host makes.
func hostile(t testing.TB) (out []*script) {
	policies := map[string]bundle.Classification{"small": small(), "odd": oddDetectors(t), "nothing": {}}
	for seed := range uint64(3) {
		cl := rulegen.New(rulegen.Seeded(40+seed)).Policy(20, 8, condition)
		if _, err := classify.New(cl); err == nil {
			policies[fmt.Sprint("random ", seed)] = *cl
		}
	}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		f := newFoe(t, policies[name], 66_000)
		f.edges()
		f.random(rand.New(rand.NewPCG(21, uint64(len(name)))), 600)
		f.good()
		out = append(out, f.script("hostile "+name))
	}
	f := newFoe(t, policies["odd"], 24<<20)
	f.huge()
	out = append(out, f.script("hostile huge"))
	f = newFoe(t, policies["odd"], 1<<20)
	f.maps()
	out = append(out, f.script("hostile maps"))
	f = newFoe(t, policies["small"], 1<<20)
	f.often()
	return append(out, f.script("hostile often"))
}

// edges asks for ranges at and beyond every bound.
func (f *foe) edges() {
	f.t.Helper()
	f.good()
	c, most := f.module, f.most
	for _, n := range []int{most + 1, -1, math.MinInt32, math.MaxInt32, -100} {
		f.scratch(n)
	}
	f.scratch(100)
	at, end := f.at, int(c.m.Memory().Size())
	f.put(at, " jane@example.com 123456 ", 4)
	pointers := []int{0, 1, at - 1, at, at + 1, at + 99, at + 100, at + 101, end - 2, end - 1, end, end + 1, -1, -2, -100, math.MinInt32, math.MaxInt32, c.place, -most, at - most}
	lengths := []int{0, 1, 2, 99, 100, 101, most - 1, most, most + 1, -1, -100, math.MinInt32, math.MaxInt32, -at, -at - 1, end - at, -end}
	for _, p := range pointers {
		for _, n := range lengths {
			f.scan(1, p, n)
			f.record(1, p, n)
			f.named(1, p, n, at, 1)
			f.named(1, at+3, 20, p, n)
		}
	}
	for _, h := range []int{0, 2, -1, math.MinInt32, math.MaxInt32, 1 << 16} {
		f.scan(h, at, 1)
		f.record(h, at, 1)
		f.named(h, at, 1, at, 1)
		f.named(h, -1, -1, -1, -1)
	}
	// Ranges may lie over each other.
	for _, p := range [][4]int{{0, 100, 0, 100}, {1, 16, 1, 16}, {5, 20, 1, 50}, {0, 0, 99, 1}, {100, 0, 0, 100}} {
		f.named(1, at+p[0], p[1], at+p[2], p[3])
	}
	f.good()
	// A larger buffer has what it said, to the last byte; a smaller one again less.
	f.scratch(most)
	f.put(f.at, "é jane@example.com 12 ", most/len("é jane@example.com 12 "))
	f.put(f.at+most-17, " jane@example.com", 1)
	f.scan(1, f.at+most-17, 17)
	f.scan(1, f.at+most-17, 18)
	f.named(1, f.at, most, f.at+most/2, 1000)
	f.scratch(10)
	f.scan(1, f.at, 11)
	f.scan(1, f.at, 10)
	f.good()
}

// random makes random calls.
func (f *foe) random(r *rand.Rand, times int) {
	f.t.Helper()
	pick := func(of ...int) int { return of[r.IntN(len(of))] }
	texts := []string{"jane@example.com", " 123456 ", "\xff\xfe\xc3", "é日\x00", "０１２３４５", "(1(2(3(4(5a)))))", "id: ab12 ", "\u00ad²⒇", "=a2+b4= {a1a} "}
	for range times {
		end := int(f.module.m.Memory().Size())
		pointer := func() int {
			return pick(f.at, f.at, f.at, f.at, f.at+r.IntN(f.asked+1), f.at+f.asked, f.at-1, end-1, end, r.IntN(end), int(int32(r.Uint32())), -1)
		}
		length := func() int {
			return pick(f.asked, r.IntN(f.asked+1), r.IntN(f.asked+1), r.IntN(40), 0, f.asked+1, int(int32(r.Uint32())), f.most+1, -1)
		}
		handle := 1
		if r.IntN(30) == 0 {
			handle = pick(0, 2, -1)
		}
		switch r.IntN(6) {
		case 0:
			f.scratch(pick(r.IntN(300), r.IntN(300), r.IntN(300), r.IntN(300), r.IntN(3000), 0, -1, 9000, f.most+1))
			if r.IntN(2) == 0 {
				break
			}
			for at := f.at; ; {
				text := texts[r.IntN(len(texts))]
				if at+len(text) > f.at+f.asked || at > f.at+600 {
					break
				}
				f.put(at, text, 1)
				at += len(text)
			}
		case 1:
			f.scan(handle, pointer(), length())
		case 2:
			f.named(handle, pointer(), length(), pointer(), length())
		case 3:
			f.record(handle, pointer(), length())
		case 4: // a request with something changed
			text := []byte(record(&classify.Field{Name: texts[r.IntN(len(texts))], Value: texts[r.IntN(len(texts))], Path: "a", Tags: map[string]string{"a": texts[r.IntN(len(texts))], "privacy": "user", "b": ""}, Context: map[string]string{"x": "1"}}))
			for range r.IntN(3) {
				text[r.IntN(len(text))] = byte(pick(0, 1, 2, 0x7f, 0x80, 0xff, r.IntN(256)))
			}
			f.scratch(len(text) + r.IntN(2))
			f.put(f.at, string(text), 1)
			f.record(1, f.at, pick(f.asked, len(text), len(text), r.IntN(len(text)+1)))
		default:
			if r.IntN(3) == 0 {
				require.Zero(f.t, f.module.call(f.t, "pv1_describe"))
			}
			if r.IntN(3) == 0 {
				require.Equal(f.t, 1<<16, f.module.call(f.t, "pv1_abi"))
			}
			require.Equal(f.t, f.module.place, f.module.call(f.t, "pv1_result"))
		}
	}
}

// huge asks about names and values of many megabytes, in every combination.
func (f *foe) huge() {
	f.t.Helper()
	const size = 10 << 20
	f.scratch(2*size + 100)
	f.good()
	f.scratch(2*size + 100)
	for _, unit := range []string{"a", "AbC_", "1", "\xff", "é", "\xf0\x9f\x99", "word "} {
		unit = strings.Repeat(unit, 4096)
		f.put(f.at, unit, size/len(unit))
		f.put(f.at+size, " jane@example.com 123456", 1)
		f.named(1, f.at, size, f.at+size, 24)
		f.named(1, f.at+size, 24, f.at, 8<<10)
		f.named(1, f.at, size+20, f.at, 0)
	}
	for _, unit := range []string{"-", "AB1234 ", "x", "12 "} {
		f.put(f.at, unit, 1+size/len(unit)/100)
		f.scan(1, f.at, size/100)
	}
	f.put(f.at, strings.Repeat("- ", 4096), 2*size/8192)
	f.scan(1, f.at, 2*size)
	f.good()
}

// maps asks about requests with many entries.
func (f *foe) maps() {
	f.t.Helper()
	entries := func(n int, key func(i int) string) string {
		b := append(make([]byte, 24), 0, 0, 0, 0)
		binary.LittleEndian.PutUint32(b[24:], uint32(n))
		for i := range n {
			for _, s := range []string{key(i), "v"} {
				b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
			}
		}
		return string(append(b, 0, 0, 0, 0))
	}
	for _, n := range []int{0, 1, 63, 64, 65, 4095, 4096, 4097, 5000} {
		for _, key := range []func(i int) string{
			func(i int) string { return fmt.Sprintf("%05d", i) },
			func(i int) string { return fmt.Sprintf("%05d", 70000-i) },
			func(i int) string { return fmt.Sprintf("%05d", min(i, n-2)) }, // one of them twice
		} {
			text := entries(n, key)
			f.scratch(len(text))
			f.put(f.at, text, 1)
			f.record(1, f.at, len(text))
			// A length in it that is too large, and one that is more than there is at all.
			for _, wrong := range []uint32{1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8, uint32(len(text)), uint32(len(text)) - 4, 4096, 4097, 1 << 29, 1<<29 + 1} {
				for _, at := range []int{0, 4, 20, 24, 28} {
					if at+4 > len(text) {
						continue
					}
					b := bytes.Clone([]byte(text[:28]))
					b = append(b, text[28:]...)
					binary.LittleEndian.PutUint32(b[at:], wrong)
					f.put(f.at, string(b[:32]), 1)
					f.record(1, f.at, len(text))
				}
				f.put(f.at, text[:min(len(text), 32)], 1)
			}
		}
		f.good()
	}
}

// often makes a million calls in a long test, and else some thousands.
func (f *foe) often() {
	f.t.Helper()
	f.good()
	f.scratch(40)
	f.put(f.at, "jane@example.com 123456 ０１２３４５", 1)
	times := 3_000
	if *long {
		times = 150_000
	}
	f.named(1, f.at, 4, f.at, 40)
	f.module.repeat(f.t, 4*times)
	f.scan(1, f.at, 40)
	f.module.repeat(f.t, times)
	f.record(1, f.at, 40)
	f.module.repeat(f.t, times)
	f.scan(1, f.at, 41)
	f.module.repeat(f.t, times)
	f.good()
}

// A host that gives less memory than a module wants gets a status, and answers as long as
// there is room.
func TestLittleMemory(t *testing.T) {
	b, err := build(bundleOf(t, oddDetectors(t)), Options{MaxInput: 2 << 20}, fresh(t))
	require.NoError(t, err)
	large := 0
	for _, more := range []int{0, 1, 16} {
		pages := uint32((b.linked.End+inputSize+workSize+1<<16-1)>>16 + more)
		r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithMemoryLimitPages(pages))
		t.Cleanup(func() { _ = r.Close(t.Context()) })
		m, err := r.Instantiate(t.Context(), b.wasm)
		require.NoError(t, err)
		c := &classifier{built: b, m: m}
		c.place = c.call(t, "pv1_result")
		good := func() {
			t.Helper()
			const text = "id: ab12 (5)"
			at := c.put(t, text)[0]
			require.Equal(t, 2, c.call(t, "pv1_scan", 1, at, len(text)))
		}
		good()
		for _, n := range []int{100, 64 << 10, 100 << 10, 1 << 20} {
			at := c.call(t, "pv1_scratch", n)
			if at == 0 {
				_, _, code, _ := c.descriptor(t)
				require.Equal(t, isLarge, code)
				large++
				good()
				continue
			}
			for _, unit := range []string{"(5)", "²\u00ad", "-"} {
				c.write(t, at, strings.Repeat(unit, n/len(unit)), 1)
				for _, call := range [][]int{{1, at, n}, {1, at, 10, at, n}} {
					name := []string{"pv1_scan", "pv1_classify_field"}[len(call)/5]
					if got := c.call(t, name, call...); got < 0 {
						ptr, size, code, _ := c.descriptor(t)
						require.Equal(t, []int{isLarge, 0, 0, isLarge}, []int{got, int(ptr), int(size), code})
						large++
					}
				}
			}
			require.LessOrEqual(t, m.Memory().Size(), pages<<16)
			good()
		}
	}
	assert.Greater(t, large, 8)
}

// The words around matches have no bound: what is asked about each match must have one.
func TestContextIsLinear(t *testing.T) {
	cl := bundle.Classification{Threshold: 400, Categories: []bundle.Category{{Key: "user"}},
		Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: `ww[a-f]{4}`, Base: 300, Checked: 300, Boost: 400, Context: []string{"mail"}},
			{ID: "b", Category: "user", Pattern: `--`, Base: 500, Checked: 500, Boost: 400, Context: []string{"mail"}}}}
	data := bundleOf(t, cl)
	e := newEqual(t, data)
	began := time.Now()
	for _, unit := range []string{"wwabcd", "--", "é--", "ww abcd", "A", "-mail-"} {
		e.text(t, strings.Repeat(unit, 256<<10/len(unit)))
	}
	// It takes a second, and would take an hour.
	assert.Less(t, time.Since(began), time.Minute)
}
