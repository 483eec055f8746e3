package emit

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/conform/rulegen"
	"github.com/privetdev/privet/wasm/host"
)

// A step is what was done to a module, and what came of it: a call, or some bytes that
// were written. Other hosts do the same and must see the same.
type step struct {
	Call   string `json:"call,omitempty"`
	Args   []int  `json:"args,omitempty"`
	Got    int    `json:"got"`
	Result []int  `json:"result,omitempty"` // the descriptor, and the hash of what it points to
	Memory int    `json:"memory,omitempty"` // pages after the call

	At    int    `json:"at,omitempty"` // where Bytes were written, Times times one behind the other
	Bytes []byte `json:"bytes,omitempty"`
	Times int    `json:"times,omitempty"` // of a call: how often
}

// A script is a module and what is done to it.
type script struct {
	Name  string  `json:"name"`
	Steps []step  `json:"steps"`
	Asked []asked `json:"asked,omitempty"`

	wasm []byte
}

// An asked is a field as loaders take it, with its labels.
type asked struct {
	Field  map[string]any   `json:"field"`
	Labels []map[string]any `json:"labels"`
	field  classify.Field
	labels []classify.Label
}

func (c *classifier) noteCall(t testing.TB, name string, args []int, got int) {
	t.Helper()
	if c.steps == nil {
		return
	}
	s := step{Call: name, Args: args, Got: got, Memory: int(c.m.Memory().Size() >> 16)}
	if name != "pv1_abi" && name != "pv1_result" {
		ptr, n, code, flags := c.descriptor(t)
		h := fnv.New32a()
		b, ok := c.m.Memory().Read(ptr, n)
		require.True(t, ok, "the result lies outside of the memory")
		_, _ = h.Write(b)
		s.Result = []int{int(ptr), int(n), code, int(flags), int(h.Sum32())}
	}
	*c.steps = append(*c.steps, s)
}

// write writes a text into the memory, so many times.
func (c *classifier) write(t testing.TB, at int, text string, times int) {
	t.Helper()
	if c.steps != nil && text != "" {
		*c.steps = append(*c.steps, step{At: at, Bytes: []byte(text), Times: times})
	}
	for range times {
		require.True(t, c.m.Memory().WriteString(uint32(at), text))
		at += len(text)
	}
}

// replay does the steps in another runtime of this process.
func (s *script) replay(t *testing.T, config wazero.RuntimeConfig) {
	r := wazero.NewRuntimeWithConfig(t.Context(), config)
	defer func() { _ = r.Close(t.Context()) }()
	m, err := r.Instantiate(t.Context(), s.wasm)
	require.NoError(t, err, s.Name)
	var did []step
	c := &classifier{m: m}
	c.place = c.call(t, "pv1_result")
	c.steps = &did
	for i, x := range s.Steps {
		did = did[:0]
		if x.Call == "" {
			c.write(t, x.At, string(x.Bytes), x.Times)
			continue
		}
		for range min(max(x.Times, 1), 10_000) {
			did = did[:0]
			c.call(t, x.Call, x.Args...)
		}
		did[0].Times = x.Times
		require.Equal(t, x, did[0], "%s, step %d", s.Name, i)
	}
}

// repeat does the last call very often.
func (c *classifier) repeat(t testing.TB, times int) {
	t.Helper()
	steps := c.steps
	last := &(*steps)[len(*steps)-1]
	c.steps = nil
	for range times {
		require.Equal(t, last.Got, c.call(t, last.Call, last.Args...))
	}
	c.steps = steps
	last.Times = times
	require.Equal(t, last.Memory, int(c.m.Memory().Size()>>16), "memory stays flat")
}

// newScript asks a module and native code about fields and texts, which must agree, and
// notes how.
func newScript(t *testing.T, name string, data []byte, fields []classify.Field, texts []string) *script {
	t.Helper()
	e := newEqual(t, data)
	s := &script{Name: name, wasm: e.module.built.wasm}
	e.module.steps = &s.Steps
	for _, f := range fields {
		e.field(t, f)
		if labels := e.native.Field(f); valid(&f) {
			s.Asked = append(s.Asked, newAsked(f, labels))
		}
	}
	for _, text := range texts {
		e.text(t, text)
	}
	return s
}

// valid reports whether a field is one that JavaScript can have.
func valid(f *classify.Field) bool {
	var b strings.Builder
	for _, s := range []string{f.Name, f.Path, f.Type, f.Source, f.Description, f.Value} {
		b.WriteString(s + " ")
	}
	for _, m := range []map[string]string{f.Tags, f.Context} {
		for k, v := range m {
			b.WriteString(k + " " + v + " ")
		}
	}
	return utf8.ValidString(b.String())
}

func newAsked(f classify.Field, labels []classify.Label) asked {
	a := asked{Field: map[string]any{}, Labels: []map[string]any{}, field: f, labels: labels}
	set := func(to map[string]any, key, value string) {
		if value != "" {
			to[key] = value
		}
	}
	set(a.Field, "name", f.Name)
	set(a.Field, "path", f.Path)
	set(a.Field, "type", f.Type)
	set(a.Field, "source", f.Source)
	set(a.Field, "description", f.Description)
	set(a.Field, "value", f.Value)
	if f.Tags != nil {
		a.Field["tags"] = f.Tags
	}
	if f.Context != nil {
		a.Field["context"] = f.Context
	}
	for _, l := range labels {
		m := map[string]any{"category": l.Category, "confidence": l.Confidence}
		set(m, "rule", l.Rule)
		set(m, "detector", l.Detector)
		set(m, "iso19944", l.ISO19944)
		set(m, "qualifier", l.Qualifier)
		if l.Detector != "" {
			spans := []map[string]int{}
			for _, x := range l.Spans {
				spans = append(spans, map[string]int{"start": x.Start, "end": x.End})
			}
			m["spans"] = spans
		}
		a.Labels = append(a.Labels, m)
	}
	return a
}

// scripts are modules of every kind.
func scripts(t *testing.T) []*script {
	t.Helper()
	var out []*script
	data, err := builtinBundle()
	require.NoError(t, err)
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	f := newForger(t, &b.Classification, 3)
	var fields []classify.Field
	var texts []string
	for range 150 {
		fields, texts = append(fields, f.field()), append(texts, f.text())
	}
	out = append(out, newScript(t, "built-in", data, fields, texts),
		newScript(t, "twenty rules", policyOf(t, "testdata/twenty.yaml"), fields[:60], texts[:20]),
		newScript(t, "rules alone", bundleOf(t, without(&b.Classification)), fields[:60], texts[:5]),
		newScript(t, "odd detectors", bundleOf(t, oddDetectors(t)), fields[:60], texts[:60]),
		newScript(t, "nothing", bundleOf(t, bundle.Classification{}), fields[:5], texts[:5]))
	for seed := uint64(1000); len(out) < 50; seed++ {
		g := rulegen.New(rulegen.Seeded(seed))
		cl := g.Policy(30, 6, condition)
		if _, err := classify.New(cl); err != nil {
			continue
		}
		var texts []string
		for range 15 {
			texts = append(texts, g.Text())
		}
		out = append(out, newScript(t, fmt.Sprint("random ", seed), bundleOf(t, *cl), g.TextFields(25), texts))
	}
	return append(out, hostile(t)...)
}

// TestEveryHost makes modules of every kind, notes what is done to them and what comes of
// it, which is what native code says, and does the same in every host that there is.
func TestEveryHost(t *testing.T) {
	all := scripts(t)
	folder := t.TempDir()
	steps := 0
	for i, s := range all {
		steps += len(s.Steps)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".json")), text, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".wasm")), s.wasm, 0o600))
	}
	t.Logf("%d modules, %d steps", len(all), steps)
	// They were made in wazero's compiler, where there is one.
	t.Run("wazero interpreter", func(t *testing.T) {
		for _, s := range all {
			if !*long && slices.Contains([]string{"hostile huge", "hostile often", "hostile random 0", "hostile random 1", "hostile random 2"}, s.Name) {
				continue // it takes minutes
			}
			began := time.Now()
			s.replay(t, wazero.NewRuntimeConfigInterpreter())
			if took := time.Since(began); took > time.Second {
				t.Logf("%s took %v", s.Name, took)
			}
		}
	})
	t.Run("loader", func(t *testing.T) {
		for _, s := range all {
			k, err := host.OpenClassifier(t.Context(), s.wasm, host.WithInstances(1))
			require.NoError(t, err, s.Name)
			for _, a := range s.Asked {
				labels, err := k.Field(t.Context(), a.field)
				require.NoError(t, err)
				if !rulegen.Equal(a.labels, labels) {
					require.Equal(t, a.labels, labels, "%s %q", s.Name, a.field)
				}
			}
			require.NoError(t, k.Close(t.Context()))
		}
	})
	for _, engine := range []string{"node", "chromium"} {
		t.Run(engine, func(t *testing.T) {
			node, err := exec.LookPath("node")
			if err != nil {
				t.Skip("node is not installed: modules were not run in " + engine)
			}
			out, err := exec.CommandContext(t.Context(), node, "testdata/hosts.mjs", engine, folder, fmt.Sprint(len(all))).CombinedOutput()
			if strings.Contains(string(out), "no Chromium was found") {
				t.Skip(strings.TrimSpace(string(out)))
			}
			require.NoError(t, err, "%.4000s", out)
			t.Log(strings.TrimSpace(string(out)))
			assert.Contains(t, string(out), fmt.Sprintf("%d modules, %d steps", len(all), steps))
		})
	}
}

// TestScriptsNotice sees that a difference would be noticed.
func TestScriptsNotice(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: modules were not run in node")
	}
	whole := newScript(t, "few", bundleOf(t, small()), []classify.Field{{Name: "email", Value: "jane@example.com"}}, []string{"jane@example.com"})
	r := rand.New(rand.NewPCG(4, 4))
	for name, change := range map[string]func(s *script){
		"nothing":  func(*script) {},
		"a status": func(s *script) { s.Steps[len(s.Steps)-1].Got++ },
		"a result": func(s *script) { s.Steps[len(s.Steps)-1].Result[r.IntN(5)] ^= 1 },
		"memory":   func(s *script) { s.Steps[0].Memory++ },
		"an input": func(s *script) { s.Steps[len(s.Steps)-2].Bytes[0] = '@' },
		"a label":  func(s *script) { s.Asked[0].Labels[0]["confidence"] = 0.5 },
		"a place":  func(s *script) { s.Asked[0].Labels[0]["spans"] = []map[string]int{{"start": 1, "end": 16}} },
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(whole)
			require.NoError(t, err)
			var s script
			require.NoError(t, json.Unmarshal(text, &s))
			change(&s)
			text, err = json.Marshal(s)
			require.NoError(t, err)
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, "0.json"), text, 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "0.wasm"), whole.wasm, 0o600))
			out, err := exec.CommandContext(t.Context(), node, "testdata/hosts.mjs", "node", folder, "1").CombinedOutput()
			assert.Equal(t, name == "nothing", err == nil, "%s", out)
		})
	}
}
