package slogprivacy_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/slogprivacy"
)

const mail = "jane@example.com"

// line is what one call of f writes as JSON, without time and level.
func line(t testing.TB, h func(slog.Handler) slog.Handler, f func(*slog.Logger)) string {
	t.Helper()
	var b bytes.Buffer
	f(slog.New(h(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: withoutTime}))))
	return strings.TrimSpace(b.String())
}

func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

func usual(next slog.Handler) slog.Handler { return slogprivacy.New(next, classify.Builtin()) }

type customer struct {
	ID       int       `json:"nr"`
	Contact  string    `json:"contact" privacy:"user.contact"`
	Note     string    `json:"remark,omitempty"`
	Public   string    `json:"public,omitempty" privacy:"-"`
	Typo     string    `json:"typo,omitempty" privacy:"user.contact.emial"`
	Hidden   string    `json:"-"`
	Since    time.Time `json:"since,omitzero"`
	internal string
}

type embedding struct {
	customer
	*deeper
	Nr int `json:"nr"` // hides that of customer
}

type deeper struct {
	Level string `json:"level"`
}

type loop struct {
	Name string
	Next *loop
}

type secret struct{ text string }

func (secret) LogValue() slog.Value { return slog.StringValue("hidden") }

type valuer struct{ v any }

func (v valuer) LogValue() slog.Value { return slog.AnyValue(v.v) }

type endless struct{ depth int }

func (e endless) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("again", endless{e.depth + 1}))
}

type twice struct{}

func (twice) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("a", twice{}), slog.Any("b", []any{twice{}}))
}

type optional struct {
	A string     `json:",omitempty"`
	B *int       `json:"b,omitempty"`
	C time.Time  `json:"c,omitzero"`
	D pair       `json:"d,omitempty"`
	E netip.Addr `json:"e,omitzero"`
}

type again struct{}

func (again) LogValue() slog.Value { return slog.AnyValue(again{}) }

type panicking struct{}

func (panicking) LogValue() slog.Value         { panic(mail) }
func (panicking) MarshalText() ([]byte, error) { panic(mail) }

type panickingText struct{ X string }

func (*panickingText) MarshalText() ([]byte, error) { panic(mail) }

type panickingError struct{}

func (*panickingError) Error() string { panic(mail) }

type failingJSON struct{}

func (failingJSON) MarshalJSON() ([]byte, error) { return nil, errors.New(mail) }

type asJSON string

func (s asJSON) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"inner": []string{string(s)}})
}

type asText string

func (s asText) MarshalText() ([]byte, error) { return []byte("<" + string(s) + ">"), nil }

type shown struct{ text string }

func (s shown) String() string { return "shown " + s.text }

type masked string

func (masked) String() string { return "***" }

type color int

func (color) String() string { return "red" }

type owner int

func (owner) String() string { return "owned by " + mail }

func TestHandler(t *testing.T) {
	self := map[string]any{"n": 1}
	self["self"] = self
	ring := &loop{Name: "a"}
	ring.Next = &loop{Name: "b", Next: ring}
	deep := any("bottom")
	for range 100 {
		deep = []any{deep}
	}
	address, err := url.Parse("https://jane:hunter2@example.com/of/jane%40example.com?email=x&page=2&q=jane%40example.com#top")
	require.NoError(t, err)
	token := "p1_1_aebagbafaydqqcikbmga2dqpca"
	tests := []struct {
		args   []any
		want   string // of the attributes, in JSON
		reason string
	}{
		{[]any{"n", 3, "ok", true, "took", time.Second, "none", nil}, `"n":3,"ok":true,"took":1000000000,"none":null`, "plain values pass"},
		{[]any{"email", "whatever"}, `"email":"[user.contact.email]"`, "the name says what all of it is"},
		{[]any{"ref", mail}, `"ref":"[user.contact.email]"`, "the value says so"},
		{[]any{"ref", "ask " + mail + " now"}, `"ref":"ask [user.contact.email] now"`, "only the piece is replaced"},
		{[]any{"email", ""}, `"email":""`, "nothing is there to hide"},
		{[]any{"ref", 4111111111111111}, `"ref":"[user.financial.credit_card]"`, "a number is looked at by its text"},
		{[]any{"dob", time.Unix(0, 0).UTC()}, `"dob":"[user.demographic.date_of_birth]"`, "a time by its name"},
		{[]any{"age", 41}, `"age":"[user.demographic.age_range]"`, "a number by its name"},
		{[]any{"error", errors.New("disk full")}, `"error":"disk full"`, "user.telemetry is what a log is: errors stay readable"},
		{[]any{"err", fmt.Errorf("send: %w", errors.New("no "+mail))}, `"err":"send: no [user.contact.email]"`, "the text of a wrapped error"},
		{[]any{"user_id", token}, `"user_id":"` + token + `"`, "a pseudonym may stand under any name"},
		{[]any{"user_id", "17"}, `"user_id":"[user.unique_id]"`, "what is none may not"},
		{[]any{mail, 1}, `"[user.contact.email]":1`, "a key can be an address"},
		{[]any{"ref", "a=1&e=jane%40example.com"}, `"ref":"a=1&e=[user.contact.email]"`, "as it stands in access logs"},
		{[]any{"ref", "to=/x%3Fe=jane%2540example.com"}, `"ref":"to=/x?e=[user.contact.email]"`, "and in a link inside of a link"},
		{[]any{"ref", "100% of %zz and a%20b"}, `"ref":"100% of %zz and a%20b"`, "a text with other escapes stays as it is"},
		{[]any{"body", `{"password":"x","n":1.50}`}, `"body":"{\"n\":1.50,\"password\":\"[user.authorization.password]\"}"`, "a text that is JSON has names"},
		{[]any{"body", `{"b":"x", "n":1.50}`}, `"body":"{\"b\":\"x\", \"n\":1.50}"`, "and stays to the byte when nothing was found"},

		{[]any{slog.Group("g", "email", "x", "n", 1)}, `"g":{"email":"[user.contact.email]","n":1}`, "a group"},
		{[]any{slog.Group("", "email", "x", "n", 1)}, `"email":"[user.contact.email]","n":1`, "an inline group"},
		{[]any{slog.Group("g")}, ``, "an empty group is left out as ever"},
		{[]any{"v", valuer{mail}}, `"v":"[user.contact.email]"`, "what LogValue gives"},
		{[]any{"email", secret{"x"}, "v", secret{mail}}, `"email":"[user.contact.email]","v":"hidden"`, "and not what it hides"},
		{[]any{"v", []any{secret{mail}}}, `"v":["hidden"]`, "LogValue counts inside of other values, too"},
		{[]any{"v", valuer{valuer{slog.GroupValue(slog.String("ref", mail))}}}, `"v":{"ref":"[user.contact.email]"}`, "a valuer of a valuer of a group"},

		{[]any{"c", customer{ID: 7, Contact: "x", Note: "ask " + mail, Hidden: mail, internal: mail}}, `"c":{"contact":"[user.contact]","nr":7,"remark":"[user.content]"}`, "names and tags of fields; what encoding/json leaves out stays out"},
		{[]any{"c", &customer{ID: 7, Public: mail}}, `"c":{"contact":"","nr":7,"public":"` + mail + `"}`, "a tag says that the field is not to be looked at"},
		{[]any{"c", customer{Typo: "x"}}, `"c":{"contact":"","nr":0,"typo":"[unknown category]"}`, "a tag that means nothing hides"},
		{[]any{"c", embedding{customer: customer{ID: 1, Contact: "x"}, Nr: 2}}, `"c":{"contact":"[user.contact]","nr":2}`, "embedded fields, and a nil pointer among them"},
		{[]any{"c", struct{ a, b string }{mail, mail}}, `"c":{}`, "nothing is exported"},
		{[]any{"c", shown{mail}}, `"c":"shown [user.contact.email]"`, "a type that shows a text and no fields"},
		{[]any{"m", map[string]int{mail: 1, "john@example.com": 2, "n": 3}}, `"m":{"[user.contact.email]":1,"[user.contact.email] 2":2,"n":3}`, "two keys never become one"},
		{[]any{"m", map[any]any{1: "a", 2.5: "b", true: "c", netip.MustParseAddr("192.0.2.1"): "d"}}, `"m":{"1":"a","2.5":"b","[user.device.ip_address]":"d","true":"c"}`, "keys of any type"},
		{[]any{"email", []string{"x", "y"}}, `"email":["[user.contact.email]","[user.contact.email]"]`, "a list has the name of its field"},
		{[]any{"l", [2]any{mail, 1}}, `"l":["[user.contact.email]",1]`, "an array"},
		{[]any{"password", map[string]any{"value": "hunter2", "n": 1}}, `"password":{"n":"[user.authorization.password]","value":"[user.authorization.password]"}`, "a password in a map is still one"},
		{[]any{slog.Group("token", "value", "hunter2")}, `"token":{"value":"[user.authorization.credentials]"}`, "and in a group"},
		{[]any{"h", map[string][]string{"Authorization": {"Basic eA=="}, "Accept": {"*/*"}}}, `"h":{"Accept":["*/*"],"Authorization":["[user.authorization.credentials]"]}`, "the shape of http.Header"},
		{[]any{"u", address}, `"u":"https://[user.account.username]:xxxxx@example.com/of/[user.contact.email]?email=[user.contact.email]&page=2&q=[user.contact.email]#top"`, "a web address part by part"},
		{[]any{"email", address}, `"email":"[user.contact.email]"`, "or by its name"},
		{[]any{"u", &url.URL{Path: "/x"}}, `"u":"/x"`, "a short one"},
		{[]any{"b", []byte("abc")}, `"b":"YWJj"`, "bytes pass as ever if nothing is in them"},
		{[]any{"b", []byte(mail)}, `"b":"[user.contact.email]"`, "or as the text that they are"},
		{[]any{"b", []byte{0xff, 0, 1}}, `"b":"[unreadable]"`, "bytes that are no text cannot be looked at"},
		{[]any{"b", [3]byte{'a', 'b', 'c'}}, `"b":[97,98,99]`, "an array of bytes"},
		{[]any{"j", json.RawMessage(`{"email":"x","n":1.50,"z":null}`)}, `"j":{"email":"[user.contact.email]","n":1.50,"z":null}`, "JSON keeps its numbers"},
		{[]any{"j", json.RawMessage(`{"n":`)}, `"j":"[unreadable]"`, "JSON that is none"},
		{[]any{"j", asJSON(mail)}, `"j":{"inner":["[user.contact.email]"]}`, "what MarshalJSON gives"},
		{[]any{"j", json.Number("4111111111111111"), "k", json.Number("1.50"), "l", json.Number(mail)}, `"j":"[user.financial.credit_card]","k":1.50,"l":"[user.contact.email]"`, "a json.Number that may be none"},
		{[]any{"t", asText(mail)}, `"t":"<[user.contact.email]>"`, "what MarshalText gives"},
		{[]any{"i", netip.MustParseAddr("192.0.2.1")}, `"i":"[user.device.ip_address]"`, "an address of the standard library"},
		{[]any{"c", color(1), "o", owner(1), "p", masked(mail)}, `"c":1,"o":"owned by [user.contact.email]","p":"***"`, "a plain type with a text of its own passes only if both forms may"},
		{[]any{"f", func() {}, "g", make(chan int), "h", (func())(nil)}, `"f":"[unreadable]","g":"[unreadable]","h":null`, "no text at all"},
		{[]any{"x", 1 + 2i, "y", []float64{math.NaN()}}, `"x":"(1+2i)","y":["NaN"]`, "numbers that JSON does not have"},
		{[]any{"a", slog.Attr{Key: "k", Value: slog.StringValue(mail)}, "b", []any{slog.StringValue(mail), []slog.Attr{slog.Int("n", 1)}}}, `"a":{"k":"[user.contact.email]"},"b":["[user.contact.email]",{"n":1}]`, "slog's own types as values"},
		{[]any{"l", []any{slog.GroupValue(slog.Attr{}, slog.Group("", "ref", mail), slog.Any("", valuer{slog.GroupValue(slog.Int("n", 1))}), slog.Group("g", "n", 2, "n", 3))}}, `"l":[{"g":{"n":2,"n 2":3},"n":1,"ref":"[user.contact.email]"}]`, "groups inside of a list become maps, and lose nothing"},
		{[]any{"o", optional{}, "p", optional{A: "x", C: at()}}, `"o":{"d":{"a":null}},"p":{"A":"x","c":"2026-03-28T10:00:00Z","d":{"a":null}}`, "what encoding/json omits is omitted"},
		{[]any{"r", reflect.ValueOf(customer{internal: mail})}, `"r":{"contact":"","nr":0}`, "a reflect.Value is what it holds"},

		{[]any{"m", self}, `"m":{"n":1,"self":"[cycle]"}`, "a map that holds itself"},
		{[]any{"p", ring}, `"p":{"Name":"a","Next":{"Name":"b","Next":"[cycle]"}}`, "pointers in a ring"},
		{[]any{"l", []any{&self, 1}}, `"l":[{"n":1,"self":"[cycle]"},1]`, "the rest of it is still looked at"},
		{[]any{"f", failingJSON{}, "n", 1}, `"f":"[unreadable]","n":1`, "an error of MarshalJSON, which holds data"},
		{[]any{"e", &panickingError{}, "t", &panickingText{}, "n", 1}, `"e":"[unreadable]","t":"[unreadable]","n":1`, "a panic, which holds data"},
		{[]any{"e", (*panickingError)(nil), "c", (*customer)(nil)}, `"e":null,"c":null`, "nil pointers with methods"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got := line(t, usual, func(l *slog.Logger) { l.Info("m", tt.args...) })
			want := `{"msg":"m"}`
			if tt.want != "" {
				want = `{"msg":"m",` + tt.want + `}`
			}
			assert.Equal(t, want, got)
			// The same for attributes of With.
			got = line(t, usual, func(l *slog.Logger) { l.With(tt.args...).Info("m") })
			assert.Equal(t, want, got, "With")
		})
	}
	t.Run("too deep", func(t *testing.T) {
		got := line(t, usual, func(l *slog.Logger) { l.Info("m", "d", deep) })
		assert.Contains(t, got, `"[cut]"`)
		assert.NotContains(t, got, "bottom")
		got = line(t, usual, func(l *slog.Logger) { l.Info("m", "d", endless{}, "n", 1) })
		assert.Contains(t, got, `"[cut]"`)
		assert.Contains(t, got, `"n":1`)
	})
	t.Run("deep and wide", func(t *testing.T) {
		got := line(t, usual, func(l *slog.Logger) { l.Info("m", "d", twice{}, "z", mail) })
		assert.Contains(t, got, `"[cut]"`)
		assert.NotContains(t, got, mail)
		assert.Less(t, len(got), 1<<20, "what doubles with every level ends")
	})
	t.Run("as slog handles it", func(t *testing.T) {
		got := line(t, usual, func(l *slog.Logger) { l.Info("m", "d", again{}, "p", panicking{}, "n", 1) })
		assert.Contains(t, got, "called too many times")
		assert.Contains(t, got, "LogValue panicked")
		assert.NotContains(t, got, mail)
		assert.Contains(t, got, `"n":1`)
	})
	t.Run("too many", func(t *testing.T) {
		got := line(t, usual, func(l *slog.Logger) { l.Info("m", "l", make([]int, 10_000), "s", "x") })
		assert.Contains(t, got, `0,"[cut]"],"s":"[cut]"`)
		wide := map[int]string{}
		for i := range 10_000 {
			wide[i] = mail
		}
		got = line(t, usual, func(l *slog.Logger) { l.Info("m", "l", wide) })
		assert.Contains(t, got, `"[cut]":"[cut]"`)
		assert.NotContains(t, got, mail)
	})
	t.Run("too long", func(t *testing.T) {
		for _, before := range []int{0, 1, 65_500, 65_520, 65_530, 65_535, 65_536, 70_000} {
			text := strings.Repeat("x", before) + " " + mail + strings.Repeat(" y", 40_000)
			for _, v := range []any{text, []byte(text), errors.New(text)} {
				got := line(t, usual, func(l *slog.Logger) { l.Info("m", "l", v) })
				assert.NotContains(t, got, "jane", "%d", before)
				assert.Contains(t, got, "[cut]")
				assert.Greater(t, len(got), 65_000)
			}
		}
		part := strings.Repeat("long ", 10_000)
		got := line(t, usual, func(l *slog.Logger) { l.Info("m", "l", slices(part, 30), "z", mail) })
		assert.Contains(t, got, `"[cut]"]`, "1 MiB of text in one line")
		assert.Contains(t, got, `"[cut]":"[cut]"`, "nor are keys looked at any more")
	})
	t.Run("source", func(t *testing.T) {
		got := line(t, usual, func(l *slog.Logger) {
			l.Info("m", "s", &slog.Source{Function: "f", File: "x.go", Line: 3}, "t", &slog.Source{File: mail})
		})
		assert.Contains(t, got, `"s":{"function":"f","file":"x.go","line":3}`)
		assert.NotContains(t, got, mail)
	})
}

func slices(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

func TestMessageAndGroups(t *testing.T) {
	got := line(t, usual, func(l *slog.Logger) {
		l.With("email", "x").WithGroup("of "+mail).With("ref", mail).WithGroup("g").Info("to "+mail+" from 192.0.2.17", "n", 1)
	})
	assert.Equal(t, `{"msg":"to [user.contact.email] from [user.device.ip_address]","email":"[user.contact.email]","of [user.contact.email]":{"ref":"[user.contact.email]","g":{"n":1}}}`, got)
	h := usual(slog.DiscardHandler)
	assert.Same(t, h, h.WithGroup(""), "a group without a name is none")
	assert.Same(t, h, h.WithAttrs(nil))
}

func TestCategories(t *testing.T) {
	log := func(l *slog.Logger) {
		l.Info("m", "email", "x", "city", "Berlin", "error", "e", "user_id", "p1_1_aebagbafaydqqcikbmga2dqpca")
	}
	token := `"user_id":"p1_1_aebagbafaydqqcikbmga2dqpca"`
	tests := []struct {
		options []slogprivacy.Option
		want    string
		reason  string
	}{
		{nil, `"email":"[user.contact.email]","city":"[user.contact.address.city]","error":"e",` + token, "all of user but for telemetry and pseudonyms"},
		{[]slogprivacy.Option{slogprivacy.WithCategories("user.contact.address")}, `"email":"x","city":"[user.contact.address.city]","error":"e",` + token, "below one category"},
		{[]slogprivacy.Option{slogprivacy.WithCategories("user.contact.email", "user.telemetry", "user.unique_id")}, `"email":"[user.contact.email]","city":"Berlin","error":"[user.telemetry]","user_id":"[user.unique_id.pseudonymous]"`, "what is named counts, pseudonyms too"},
		{[]slogprivacy.Option{slogprivacy.WithCategories("user.contact.emial")}, `"email":"[user.contact.email]","city":"[user.contact.address.city]","error":"[user.telemetry]","user_id":"[user.unique_id.pseudonymous]"`, "a slip of the pen hides too much"},
		{[]slogprivacy.Option{slogprivacy.WithCategories()}, `"email":"x","city":"Berlin","error":"e",` + token, "none was asked for"},
		{[]slogprivacy.Option{slogprivacy.WithDrop()}, `"error":"e",` + token, "whole values go with their keys"},
		{[]slogprivacy.Option{slogprivacy.WithPurpose("operations.logging"), nil}, `"email":"[user.contact.email]","city":"[user.contact.address.city]","error":"e",` + token, "a classifier has no policy, and nil is no option"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got := line(t, func(next slog.Handler) slog.Handler { return slogprivacy.New(next, classify.Builtin(), tt.options...) }, log)
			assert.Equal(t, strings.TrimSuffix(`{"msg":"m",`+tt.want, ",")+`}`, got)
		})
	}
	got := line(t, func(next slog.Handler) slog.Handler {
		return slogprivacy.New(next, classify.Builtin(), slogprivacy.WithDrop())
	}, func(l *slog.Logger) {
		l.With("email", "x").Info(mail, "l", []any{mail, 1, "to " + mail}, "m", map[string]any{"email": "x", "n": 1}, "g", slog.GroupValue(slog.String("email", "x")))
	})
	assert.Equal(t, `{"msg":"[user.contact.email]","l":[1,"to [user.contact.email]"],"m":{"n":1}}`, got)
}

func TestNilKnowsNothing(t *testing.T) {
	for _, h := range []func(slog.Handler) slog.Handler{
		func(next slog.Handler) slog.Handler { return slogprivacy.New(next, (*classify.Classifier)(nil)) },
		func(next slog.Handler) slog.Handler {
			return slogprivacy.New(next, (*privacy.Guard)(nil), slogprivacy.WithPurpose("x"))
		},
	} {
		got := line(t, h, func(l *slog.Logger) {
			l.With("a", mail).WithGroup(mail).Info(mail, "n", 1, "m", map[string]any{mail: mail})
		})
		assert.NotContains(t, got, "jane")
		assert.Contains(t, got, "[unreadable]")
	}
}

// at is the clock of guards here.
func at() time.Time { return time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC) }

func open(t testing.TB, opts ...privacy.Option) *privacy.Guard {
	t.Helper()
	b, err := policy.CompileFile("testdata/logging.yaml")
	require.NoError(t, err)
	g, err := privacy.Open(b, opts...)
	require.NoError(t, err)
	return g
}

var contoso = privacy.Event{Class: "service", Purpose: "operations.logging", Subject: privacy.Subject{Tenant: "contoso"}}

func TestPolicy(t *testing.T) {
	secrets := pseudonym.NewDevelopmentStore(rand.Reader)
	guard := open(t, privacy.WithSecrets(secrets), privacy.WithClock(at))
	by := func(opts ...slogprivacy.Option) func(slog.Handler) slog.Handler {
		return func(next slog.Handler) slog.Handler { return slogprivacy.New(next, guard, opts...) }
	}
	stored, err := guard.Process(t.Context(), privacy.Event{At: at(), Class: "service", Purpose: "operations.logging",
		Subject: privacy.Subject{Tenant: "contoso"}, Fields: map[string]any{"email": mail}})
	require.NoError(t, err)
	token, _ := stored.Fields["email"].(string)
	require.True(t, strings.HasPrefix(token, "p1_1_"))

	got := line(t, by(slogprivacy.WithEvent(contoso)), func(l *slog.Logger) {
		l.With("email", mail).WithGroup("req").Info("from 192.0.2.17 to "+mail,
			"remote_addr", netip.MustParseAddr("192.0.2.17"), "password", "x", "gender", "f", "n", 3, "took", time.Second,
			"m", map[string]any{"contact": []any{mail, true, nil, 1.5}, "phone": 5550100}, "url", &url.URL{Path: "/x", RawQuery: "e=jane%40example.com"},
			"bad\xff", "\xff", mail, 1, "body", `{"gender":"f"}`, "nan", math.NaN())
	})
	want := `{"msg":"from 192.0.2.0 to TOKEN","email":"TOKEN","req":{"remote_addr":"192.0.2.0","gender":"[redacted]","n":3,"took":1000000000,` +
		`"m":{"contact":["TOKEN",true,null,1.5],"phone":"[redacted]"},"url":"/x?e=TOKEN","bad\ufffd":"\ufffd","TOKEN":1,"body":"{\"gender\":\"[redacted]\"}","nan":"!ERROR:json: unsupported value: NaN"}}`
	assert.Equal(t, strings.ReplaceAll(want, "TOKEN", token), got, "tokens are those of stored events, so that both can be joined")

	got = line(t, by(slogprivacy.WithPurpose("operations.logging")), func(l *slog.Logger) { l.Info("m", "email", mail, "gender", "f", "n", 1) })
	assert.Equal(t, `{"msg":"m","gender":"[redacted]","n":1}`, got, "without a tenant there is no pseudonym, and what cannot be made is dropped")

	got = line(t, by(slogprivacy.WithPurpose("advertising")), func(l *slog.Logger) { l.With("a", 1).Info("to "+mail, "email", mail, "n", 1) })
	assert.NotContains(t, got, "jane")
	assert.Equal(t, `{"msg":"[redacted]"}`, got, "a purpose that the policy does not know may have nothing")

	got = line(t, by(), func(l *slog.Logger) { l.Info("to "+mail, "gender", "f", "n", 1) })
	assert.Equal(t, `{"msg":"to [user.contact.email]","gender":"[user.demographic.gender]","n":1}`, got, "no purpose: the categories count")

	got = line(t, by(slogprivacy.WithEvent(contoso)), func(l *slog.Logger) {
		l.Info("m", "c", customer{Contact: "x", Public: mail, Typo: "t"})
	})
	assert.Equal(t, strings.ReplaceAll(`{"msg":"m","c":{"contact":"[redacted]","nr":0,"public":"TOKEN","typo":"[unknown category]"}}`, "TOKEN", token), got, "tags declare; whether nothing is personal, the policy decides")

	for _, before := range []int{0, 65_510, 65_520, 65_530, 65_536} {
		text := strings.Repeat("x", before) + " " + mail + strings.Repeat(" y", 40_000)
		got = line(t, by(slogprivacy.WithEvent(contoso)), func(l *slog.Logger) { l.Info("m", "l", text) })
		assert.NotContains(t, got, "jane", "%d", before)
		assert.Contains(t, got, "[cut]")
	}

	timeless := open(t, privacy.WithSecrets(secrets))
	got = line(t, func(next slog.Handler) slog.Handler {
		return slogprivacy.New(next, timeless, slogprivacy.WithEvent(contoso))
	},
		func(l *slog.Logger) { l.With("w", 1).Info("m", "email", mail) })
	assert.Equal(t, `{"msg":"m","w":"[undecided]","email":"`+token+`"}`, got, "a guard without a clock goes by the time of the line")
}

type brokenStore struct{ pseudonym.SecretStore }

func (brokenStore) Versions(context.Context, string) ([]uint32, error) { return nil, errors.New(mail) }

type panickingStore struct{ pseudonym.SecretStore }

func (panickingStore) Versions(context.Context, string) ([]uint32, error) { panic(mail) }

func TestGuardThatFails(t *testing.T) {
	for _, store := range []pseudonym.SecretStore{brokenStore{}, panickingStore{}} {
		guard := open(t, privacy.WithSecrets(store), privacy.WithClock(at))
		got := line(t, func(next slog.Handler) slog.Handler {
			return slogprivacy.New(next, guard, slogprivacy.WithEvent(contoso))
		},
			func(l *slog.Logger) { l.With("email", mail).Info("to "+mail, "email", mail, "n", 1) })
		assert.NotContains(t, got, "jane")
		assert.Contains(t, got, `"n":1`, "the line is written all the same: %T", store)
	}
}

func TestSwappedPolicy(t *testing.T) {
	guard := open(t, privacy.WithClock(at), privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	var b bytes.Buffer
	l := slog.New(slogprivacy.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: withoutTime}), guard, slogprivacy.WithEvent(contoso)))
	l.Info("m", "LC-00012345", 1)
	next, err := policy.Compile("next.yaml", []byte(`
privet: 1
name: contoso-logs
version: 2
extends: [builtin]
sources: [{id: ours, title: What Contoso logs, layer: organisation, as_of: 2026-02-15}]
classes: [{key: service, source: ours, purposes: [operations.logging]}]
purposes: [{key: operations.logging, source: ours, basis: contract}]
detectors: [{id: loyalty-card, category: user.unique_id, pattern: '\bLC-[0-9]{8}\b', confidence: {base: 0.9}, tests: {match: [LC-00012345], no_match: [LC-1]}}]
transform: [{id: all, source: ours, when: 'under(category, "user")', do: redact}]
`))
	require.NoError(t, err)
	require.NoError(t, guard.Swap(next))
	l.Info("m", "LC-00012345", 1)
	assert.Equal(t, "{\"msg\":\"m\",\"LC-00012345\":1}\n{\"msg\":\"m\",\"[redacted]\":1}\n", b.String(), "what was learned about keys is forgotten")
}

func TestSlogtest(t *testing.T) {
	guard := open(t, privacy.WithClock(at), privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	for name, h := range map[string]func(slog.Handler) slog.Handler{
		"classifier": usual,
		"guard":      func(next slog.Handler) slog.Handler { return slogprivacy.New(next, guard) },
		"policy": func(next slog.Handler) slog.Handler {
			return slogprivacy.New(next, guard, slogprivacy.WithEvent(contoso))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			slogtest.Run(t, func(*testing.T) slog.Handler {
				b.Reset()
				return h(slog.NewJSONHandler(&b, nil))
			}, func(t *testing.T) map[string]any {
				var m map[string]any
				require.NoError(t, json.Unmarshal(b.Bytes(), &m))
				return m
			})
		})
	}
}

// handlerFunc is a handler that shows what it was given.
type handlerFunc struct {
	slog.Handler
	handle func(slog.Record) error
}

func (h handlerFunc) Handle(_ context.Context, r slog.Record) error { return h.handle(r) }

func (handlerFunc) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

type counting struct{ n *int }

func (c counting) LogValue() slog.Value { *c.n++; return slog.StringValue("x") }

func TestNothingIsDoneForNothing(t *testing.T) {
	failed := errors.New("disk full")
	var got slog.Record
	h := usual(handlerFunc{handle: func(r slog.Record) error { got = r; return failed }})
	n := 0
	slog.New(h).Info("m", "v", counting{&n})
	assert.Zero(t, n, "a level that is not enabled costs nothing")
	slog.New(h).Warn("m", "v", counting{&n})
	assert.Equal(t, 1, n, "LogValue is called once: what it would say next time, nobody has looked at")
	r := slog.NewRecord(at(), slog.LevelWarn, "m "+mail, 17)
	r.AddAttrs(slog.Int("n", 1))
	assert.Equal(t, failed, h.Handle(t.Context(), r), "errors of the next handler are passed on")
	assert.Equal(t, "m [user.contact.email]", got.Message)
	assert.Equal(t, []any{at(), slog.LevelWarn, uintptr(17), 1}, []any{got.Time, got.Level, got.PC, got.NumAttrs()})
}

func TestCallersValuesStay(t *testing.T) {
	attrs := []slog.Attr{slog.String("email", mail), slog.Group("g", "email", mail, "n", 1)}
	list, m := []any{mail, []byte(mail)}, map[string]any{"email": mail}
	c := &customer{Contact: mail}
	args := []any{"l", list, "m", m, "c", c, "a", slog.GroupValue(attrs...)}
	want := fmt.Sprintf("%v %v %v %v", attrs, list, m, c)
	r := slog.NewRecord(at(), slog.LevelInfo, mail, 0)
	r.Add(args...)
	h := usual(slog.DiscardHandler).WithAttrs(attrs)
	require.NoError(t, h.Handle(t.Context(), r))
	assert.Equal(t, want, fmt.Sprintf("%v %v %v %v", attrs, list, m, c))
	assert.Equal(t, mail, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "l" {
			assert.Equal(t, any(list), a.Value.Any())
		}
		return true
	})
	// What was handed on is not the caller's either.
	var got any
	h = usual(handlerFunc{handle: func(r slog.Record) error {
		r.Attrs(func(a slog.Attr) bool { got = a.Value.Any(); return true })
		return nil
	}})
	b := []byte("abc")
	slog.New(h).Warn("m", "b", b)
	b[0] = 'x'
	assert.Equal(t, []byte("abc"), got)
}

func TestEightGoroutines(t *testing.T) {
	guard := open(t, privacy.WithClock(at), privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	for name, h := range map[string]func(slog.Handler) slog.Handler{
		"classifier": usual,
		"policy": func(next slog.Handler) slog.Handler {
			return slogprivacy.New(next, guard, slogprivacy.WithEvent(contoso))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			l := slog.New(h(slog.NewJSONHandler(&b, nil)))
			shared := map[string]any{"email": mail, "list": []any{mail, 1}}
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					mine := l.With("email", mail, "i", i).WithGroup("g")
					for n := range 100 {
						mine.Info("to "+mail, "n", n, "m", shared, "k"+mail, errors.New(mail), slog.Group("g", "ref", mail))
					}
				})
			}
			wg.Wait()
			assert.Equal(t, 800, strings.Count(b.String(), "\n"))
			assert.NotContains(t, b.String(), "jane")
			for row := range strings.Lines(b.String()) {
				assert.True(t, json.Valid([]byte(row)))
			}
		})
	}
}
