package slogprivacy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/slogprivacy"
)

// A grower makes values out of bytes. Its texts and names say nothing about anybody,
// but for the planted address.
type grower struct {
	data    []byte
	free    string // whatever the fuzzer likes, around the address
	encoded bool   // bytes become base64, into which nobody looks
	planted int
}

func (g *grower) next(n int) int {
	if len(g.data) == 0 {
		return 0
	}
	b := int(g.data[0])
	g.data = g.data[1:]
	return b % n
}

var (
	keys   = []string{"n", "count", "size", "k", "retry", "phase", "depth", "w"}
	texts  = []string{"ok", "done", "on", "", "started anew", "a=1", "<b>", "{}", "50%"}
	fences = []string{"", " ", ", ", "(", "\n", "\"", "<"}
)

func (g *grower) key() string { return keys[g.next(len(keys))] }

// plant is a text with the address in it.
func (g *grower) plant() string {
	g.planted++
	before, after := fences[g.next(len(fences))], map[bool]string{true: " ", false: ""}[g.next(2) == 0]
	if before == "" || after == "" {
		return canary
	}
	if g.free != "" && g.next(2) == 0 {
		return g.free + " " + before + canary + after + " " + g.free
	}
	return before + canary + after
}

func (g *grower) text() string {
	if g.next(3) == 0 {
		return g.plant()
	}
	return texts[g.next(len(texts))]
}

// value makes a value that encoding/json can write.
func (g *grower) value(depth int) any {
	kinds := 21
	if depth > 5 {
		kinds = 9
	}
	switch g.next(kinds) {
	case 0:
		return g.text()
	case 1:
		return g.next(100)
	case 2:
		return g.next(2) == 0
	case 3:
		return nil
	case 4:
		return float64(g.next(100)) / 4
	case 5:
		return time.Duration(g.next(100))
	case 6:
		return named(g.text())
	case 7:
		return time.Unix(int64(g.next(256)), 0).UTC()
	case 8:
		if g.encoded {
			return g.text()
		}
		return []byte(g.text())
	case 9:
		out := make([]any, g.next(4))
		for i := range out {
			out[i] = g.value(depth + 1)
		}
		return out
	case 10:
		out := map[string]any{}
		for range g.next(4) {
			out[g.key()] = g.value(depth + 1)
		}
		return out
	case 11:
		return pair{g.value(depth + 1), g.value(depth + 1)}
	case 12:
		return &pair{A: g.value(depth + 1)}
	case 13:
		v := g.value(depth + 1)
		return &v
	case 14:
		return box[any]{g.value(depth + 1)}
	case 15:
		defer func(was bool) { g.encoded = was }(g.encoded)
		g.encoded = true
		b, err := json.Marshal(g.value(depth + 1))
		if err != nil {
			return nil
		}
		return json.RawMessage(b)
	case 16:
		return asText(g.text())
	case 17:
		return asJSON(g.text())
	case 18:
		return [2]string{g.text(), g.text()}
	case 19:
		return map[named][]string{named(g.key()): {g.text()}}
	default:
		return struct {
			*pair
			V      any `json:",omitempty"`
			hidden string
		}{&pair{A: g.text()}, g.value(depth + 1), g.plant()}
	}
}

func (g *grower) attr(depth int) slog.Attr {
	switch k := g.key(); g.next(6) {
	case 0:
		if depth < 4 {
			var attrs []any
			for range g.next(4) {
				attrs = append(attrs, g.attr(depth+1))
			}
			return slog.Group(k, attrs...)
		}
		fallthrough
	case 1:
		return slog.String(k, g.text())
	case 2:
		return slog.Any(k, errors.New(g.text()))
	case 3:
		return slog.Any(k, valuer{g.value(1)})
	default:
		return slog.Any(k, g.value(0))
	}
}

// alike compares what was written with what would have been: all is equal but texts
// that hold the address.
func alike(path string, want, got any) error {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok || len(m) != len(want) {
			return fmt.Errorf("%s: %v became %v", path, want, got)
		}
		for k, v := range want {
			if _, ok := m[k]; !ok {
				return fmt.Errorf("%s.%s is gone", path, k)
			}
			if err := alike(path+"."+k, v, m[k]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			return fmt.Errorf("%s: %v became %v", path, want, got)
		}
		for i := range want {
			if err := alike(fmt.Sprintf("%s[%d]", path, i), want[i], l[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		if s, ok := got.(string); ok && (strings.Contains(want, canary) || isBase64Canary(want)) {
			if !strings.Contains(s, "[") {
				return fmt.Errorf("%s: %q became %q, which says nothing", path, want, s)
			}
			return nil
		}
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Errorf("%s: %v became %v", path, want, got)
	}
	return nil
}

func isBase64Canary(s string) bool {
	var b []byte
	return json.Unmarshal([]byte(`"`+s+`"`), &b) == nil && bytes.Contains(b, []byte(canary))
}

// check writes what the bytes describe, with and without the handler.
func check(t *testing.T, data []byte, free string) int {
	g := &grower{data: data, free: free}
	var before, after []slog.Attr
	for range g.next(3) {
		before = append(before, g.attr(0))
	}
	group := g.next(2) == 0
	for range 1 + g.next(4) {
		after = append(after, g.attr(0))
	}
	log := func(h slog.Handler) {
		h = h.WithAttrs(before)
		if group {
			h = h.WithGroup("part")
		}
		r := slog.NewRecord(time.Time{}, 0, "to "+canary+" "+free, 0)
		r.AddAttrs(after...)
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	c := classify.Builtin()
	var text, plain, clean bytes.Buffer
	log(slogprivacy.New(slog.NewTextHandler(&text, nil), c))
	log(slog.NewJSONHandler(&plain, nil))
	log(slogprivacy.New(slog.NewJSONHandler(&clean, nil), c))
	for _, b := range []*bytes.Buffer{&text, &clean} {
		if strings.Contains(b.String(), canary) {
			t.Fatalf("the planted address is in the output:\n%s\nwithout the handler:\n%s", b, &plain)
		}
		if strings.Count(b.String(), "\n") != 1 {
			t.Fatalf("not one line: %q", b)
		}
	}
	var want, got map[string]any
	if json.Unmarshal(plain.Bytes(), &want) != nil {
		t.Fatalf("not JSON without the handler: %q", &plain)
	}
	if err := json.Unmarshal(clean.Bytes(), &got); err != nil {
		t.Fatalf("%v: %q", err, &clean)
	}
	if free == "" { // else the text may hold anything, such as another address
		if err := alike("", want, got); err != nil {
			t.Fatalf("%v\nwithout the handler: %s\nwith it: %s", err, &plain, &clean)
		}
	}
	return g.planted
}

func FuzzHandle(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, "")
	f.Add([]byte("\x02\x01\x00\x03\x00\x00\x00\x01\x04\x0b\x00\x00\x0a\x03\x02\x00"), "")
	f.Add([]byte("\x01\x00\x04\x14\x00\x00\x00"), "%40 {\"")
	f.Add([]byte("\x00\x01\x02\x05\x0f\x0a\x03\x00\x00"), "x")
	f.Fuzz(func(t *testing.T, data []byte, free string) {
		if len(data) <= 1<<10 && len(free) <= 1<<10 {
			check(t, data, free)
		}
	})
}

func TestRandomValues(t *testing.T) {
	planted := 0
	seed := uint64(1)
	for range 5000 {
		data := make([]byte, 96)
		for i := range data {
			seed = seed*6364136223846793005 + 1442695040888963407
			data[i] = byte(seed >> 56)
		}
		planted += check(t, data, "")
	}
	if planted < 5000 {
		t.Errorf("only %d addresses were planted", planted)
	}
}
