package slogprivacy_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/slogprivacy"
)

const canary = "canary@example.test"

type box[T any] struct{ V T }

type pair struct {
	A any `json:"a"`
	B any `json:"b,omitempty"`
}

type hidden struct {
	text string
	sub  *hidden
	N    int
}

type formats struct{ text string }

func (f formats) Format(s fmt.State, _ rune) { fmt.Fprint(s, f.text) }

type goText struct{ text string }

func (g goText) GoString() string { return g.text }
func (g goText) String() string   { return g.text }

type pointerText struct{ text string }

func (p *pointerText) MarshalText() ([]byte, error) { return []byte(p.text), nil }

type pointerJSON struct{ text string }

func (p *pointerJSON) MarshalJSON() ([]byte, error) { return json.Marshal(p.text) }

type pointerValuer struct{ text string }

func (p *pointerValuer) LogValue() slog.Value { return slog.StringValue(p.text) }

type withStack struct {
	error
	Trace []string
}

type changing struct{ n *atomic.Int32 }

func (c changing) LogValue() slog.Value {
	if c.n.Add(1) == 1 {
		return slog.StringValue("harmless")
	}
	return slog.StringValue(canary)
}

type named string

type list []any

func (l list) String() string { return fmt.Sprint([]any(l)...) }

type textFunc func() string

func (f textFunc) String() string { return f() }

// nestings hide a secret in every way that we could think of.
func nestings(s string) map[string][]any {
	var nilPointer *pair
	var self any
	self = []any{s, &self}
	deep := any(s)
	for range 20 {
		deep = map[string]any{"k": deep}
	}
	deeper := deep
	for range 20 {
		deeper = []any{deeper}
	}
	p := &s
	var m sync.Map
	m.Store("k", s)
	var stored atomic.Value
	stored.Store(s)
	escaped := strings.ReplaceAll(s, "@", "%40")
	joined, _ := json.Marshal(map[string]any{"list": []string{s}})
	twice, _ := json.Marshal(string(joined))
	ctx := context.WithValue(context.Background(), named("k"), s)
	return map[string][]any{
		"string":                        {"k", s},
		"string in a sentence":          {"k", "write to " + s + ", please"},
		"named string":                  {"k", named(s)},
		"key":                           {s, 1},
		"key with escapes":              {escaped, 1},
		"value without key":             {s},
		"name of a group":               {slog.Group(s, "k", 1)},
		"group":                         {slog.Group("g", "k", s)},
		"group in groups":               {slog.Group("g", slog.Group("h", slog.Group("i", "k", s)))},
		"inline group":                  {slog.Group("", "k", s)},
		"group as value":                {"g", slog.GroupValue(slog.String("k", s))},
		"group given by LogValue":       {"g", valuer{slog.GroupValue(slog.String("k", s))}},
		"LogValue":                      {"k", valuer{s}},
		"LogValue of a LogValue":        {"k", valuer{valuer{s}}},
		"LogValue of a pointer":         {"k", &pointerValuer{s}},
		"LogValue in a list":            {"k", []any{valuer{s}}},
		"LogValue in a struct":          {"k", box[valuer]{valuer{s}}},
		"LogValue that changes":         {"k", changing{new(atomic.Int32)}},
		"LogValue that panics":          {"k", panicking{}},
		"Attr in Any":                   {"k", slog.Attr{Key: s, Value: slog.StringValue(s)}},
		"Attrs in Any":                  {"k", []slog.Attr{slog.String("a", s)}},
		"Value in Any":                  {"k", box[slog.Value]{slog.StringValue(s)}},
		"struct":                        {"k", pair{A: s}},
		"pointer to a struct":           {"k", &pair{A: 1, B: s}},
		"struct in structs":             {"k", box[box[*pair]]{box[*pair]{&pair{A: pair{B: s}}}}},
		"unexported field":              {"k", hidden{text: s, sub: &hidden{text: s}}},
		"pointer to unexported":         {"k", &hidden{text: s, sub: &hidden{text: s}}},
		"unexported field in a list":    {"k", []any{hidden{text: s}, &hidden{text: s}}},
		"field that JSON leaves out":    {"k", customer{Hidden: s, internal: s}},
		"embedded struct":               {"k", struct{ pair }{pair{A: s}}},
		"embedded pointer":              {"k", struct{ *pair }{&pair{A: s}}},
		"embedded nil pointer":          {"k", struct{ *pair }{nilPointer}, "l", s},
		"struct without a name":         {"k", struct{ X, y string }{s, s}},
		"map":                           {"k", map[string]string{"a": s}},
		"key of a map":                  {"k", map[string]int{s: 1}},
		"named key of a map":            {"k", map[named]int{named(s): 1}},
		"struct as key of a map":        {"k", map[pair]int{{A: s}: 1}},
		"text as key of a map":          {"k", map[asText]int{asText(s): 1}},
		"any as key of a map":           {"k", map[any]any{s: map[any]any{named(s): s}}},
		"map in maps":                   {"k", map[string]map[int][]string{"a": {1: {s}}}},
		"list":                          {"k", []string{"a", s}},
		"list of any":                   {"k", []any{[]any{[]string{s}}}},
		"list with String":              {"k", list{s}},
		"array":                         {"k", [2]string{s, "a"}},
		"pointer":                       {"k", p},
		"pointer to a pointer":          {"k", &p},
		"interface in a pointer":        {"k", &self},
		"deep":                          {"k", deep},
		"too deep":                      {"k", deeper},
		"error":                         {"k", errors.New(s)},
		"wrapped error":                 {"k", fmt.Errorf("a: %w", fmt.Errorf("b: %w", errors.New(s)))},
		"joined errors":                 {"k", errors.Join(errors.New("a"), errors.New(s))},
		"error of the standard library": {"k", &os.PathError{Op: "open", Path: "/home/" + s, Err: os.ErrNotExist}},
		"error of net/url":              {"k", &url.Error{Op: "Get", URL: "https://x/?e=" + escaped, Err: errors.New(s)}},
		"error with more in it":         {"k", withStack{errors.New("a"), []string{s}}},
		"errors in a list":              {"k", []error{errors.New(s)}},
		"error that panics":             {"k", &panickingError{}},
		"Stringer":                      {"k", shown{s}},
		"Stringer in a list":            {"k", []fmt.Stringer{shown{s}, &shown{s}}},
		"Stringer of a number":          {"k", []any{owner(1), map[string]owner{"a": 2}}},
		"Stringer of a func":            {"k", textFunc(func() string { return s })},
		"GoStringer":                    {"k", goText{s}},
		"Formatter":                     {"k", []any{formats{s}, &formats{s}}},
		"MarshalText":                   {"k", asText(s)},
		"MarshalText of a pointer":      {"k", &pointerText{s}},
		"MarshalText in a struct":       {"k", &box[pointerText]{pointerText{s}}},
		"MarshalJSON":                   {"k", asJSON(s)},
		"MarshalJSON of a pointer":      {"k", []any{&pointerJSON{s}, &box[pointerJSON]{pointerJSON{s}}, pointerJSON{s}}},
		"MarshalJSON that fails":        {"k", failingJSON{}},
		"RawMessage":                    {"k", json.RawMessage(joined)},
		"pointer to RawMessage":         {"k", new(json.RawMessage(joined))},
		"RawMessage that is none":       {"k", json.RawMessage(s)},
		"json.Number that is none":      {"k", json.Number(s)},
		"JSON in a text":                {"k", string(joined)},
		"JSON in JSON in a text":        {"k", `{"a":` + string(twice) + `}`},
		"JSON in bytes":                 {"k", joined},
		"bytes":                         {"k", []byte(s)},
		"bytes in a struct":             {"k", box[[]byte]{[]byte(s)}},
		"bytes beside others":           {"k", append([]byte{0, 0xff}, s...)},
		"array of bytes":                {"k", [19]byte([]byte(s))},
		"url.URL":                       {"k", url.URL{Scheme: "https", Host: "x", Path: "/" + s, RawQuery: "e=" + escaped + "&" + escaped + "=1", Fragment: s}},
		"pointer to url.URL":            {"k", &url.URL{Scheme: "https", Host: "x", User: url.UserPassword(s, s), RawPath: "/" + escaped, Path: "/" + s}},
		"mailto":                        {"k", &url.URL{Scheme: "mailto", Opaque: s}},
		"url.Userinfo":                  {"k", url.UserPassword("a", s)},
		"url.Values":                    {"k", url.Values{"e": {s}, s: {"1"}}},
		"escapes":                       {"k", "GET /?e=" + escaped + " 200"},
		"header":                        {"k", map[string][]string{"From": {s}, s: {"1"}}},
		"name":                          {"password", s, "token", []string{s}},
		"time zone":                     {"k", time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone(s, 0))},
		"time zone in a list":           {"k", []any{time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone(s, 0))}},
		"sync.Map":                      {"k", &m},
		"atomic.Value":                  {"k", &stored},
		"context":                       {"k", ctx},
		"func and chan":                 {"k", func() string { return s }, "l", make(chan string, len(s))},
		"source":                        {"k", &slog.Source{Function: s, File: s}},
		"cut":                           {"k", strings.Repeat("a ", 32_760) + s + strings.Repeat(" b", 40_000)},
		"behind the cut":                {"k", strings.Repeat("a", 70_000) + s},
	}
}

func TestCanary(t *testing.T) {
	guard := open(t, privacy.WithClock(at), privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	handlers := map[string]func(slog.Handler) slog.Handler{
		"classifier": usual,
		"drop": func(next slog.Handler) slog.Handler {
			return slogprivacy.New(next, classify.Builtin(), slogprivacy.WithDrop())
		},
		"guard": func(next slog.Handler) slog.Handler { return slogprivacy.New(next, guard) },
		"policy": func(next slog.Handler) slog.Handler {
			return slogprivacy.New(next, guard, slogprivacy.WithEvent(contoso))
		},
	}
	all := nestings(canary)
	require.GreaterOrEqual(t, len(all), 40)
	ways := map[string]func(l *slog.Logger, args []any){
		"line":  func(l *slog.Logger, args []any) { l.Info("m", args...) },
		"With":  func(l *slog.Logger, args []any) { l.With(args...).Info("m", "n", 1) },
		"group": func(l *slog.Logger, args []any) { l.WithGroup("g").With("a", 1).WithGroup("h").Info("m", args...) },
		"key":   func(l *slog.Logger, args []any) { l.WithGroup(canary).With(canary, 1).Info(canary, args...) },
	}
	leaks := []string{"canary", base64.StdEncoding.EncodeToString([]byte(canary))[:12], "99 97 110 97 114 121", "99,97,110,97,114,121"}
	for by, h := range handlers {
		for name, args := range all {
			t.Run(by+"/"+name, func(t *testing.T) {
				for way, log := range ways {
					for _, json := range []bool{true, false} {
						var b bytes.Buffer
						var next slog.Handler = slog.NewTextHandler(&b, nil)
						if json {
							next = slog.NewJSONHandler(&b, nil)
						}
						log(slog.New(h(next)), args)
						assert.Equal(t, 1, strings.Count(b.String(), "\n"), "the line is written")
						for _, leak := range leaks {
							if strings.Contains(b.String(), leak) {
								t.Errorf("%s, JSON %v: %.2000s", way, json, b.String())
							}
						}
					}
				}
			})
		}
	}
	// That the test can fail: without the handler, nearly all of them show the secret.
	shown := 0
	for _, args := range all {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("m", args...)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", args...)
		if strings.Contains(b.String(), "canary") {
			shown++
		}
	}
	assert.Greater(t, shown, len(all)*8/10)
}
