package record_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/record"
)

func reader(t require.TestingT, options ...record.Option) *record.Reader {
	r, err := record.New(classify.Builtin(), options...)
	require.NoError(t, err)
	return r
}

// first lists the paths with their first labels.
func first(r *record.Report) []string {
	var out []string
	for _, f := range r.Fields {
		text := f.Path
		if len(f.Labels) > 0 {
			text += " " + f.Labels[0].Category
		}
		out = append(out, text)
	}
	return out
}

type contact struct {
	Email string `json:"email"`
	Phone string
}

type more struct{ Fax string }

type key struct{ n int }

func (k key) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "k%d", k.n), nil }

type panics struct{}

func (panics) MarshalText() ([]byte, error) { panic("canary7421") }

type valuer struct{ v any }

func (v valuer) LogValue() slog.Value { return slog.AnyValue(v.v) }

type badValuer struct{}

func (badValuer) LogValue() slog.Value { panic("canary7421") }

func TestValue(t *testing.T) {
	type inner struct {
		contact
		*more
		City   string
		hidden string //nolint:unused // must not be looked at
	}
	loop := map[string]any{"email": "x"}
	loop["self"] = loop
	ip := netip.MustParseAddr("10.0.0.1")
	name := "Jane"
	for _, tt := range []struct {
		value  any
		want   []string
		reason string
	}{
		{contact{"a@b.de", "1"}, []string{"email user.contact.email", "Phone user.contact.phone_number"}, "names of json, else of Go"},
		{&contact{}, []string{"email user.contact.email", "Phone user.contact.phone_number"}, "a pointer"},
		{inner{hidden: "x"}, []string{"email user.contact.email", "Phone user.contact.phone_number", "City user.contact.address.city"}, "embedded; a nil pointer and unexported fields are nothing"},
		{map[string]any{"b": 1, "a": []string{"x", "jane@example.com"}}, []string{"a[0]", "a[1] user.contact.email", "b"}, "maps are sorted"},
		{map[int]string{7: "x"}, []string{"7"}, "keys that are numbers"},
		{map[key]string{{1}: "x"}, []string{"k1"}, "keys with a text"},
		{struct{ A, B any }{ip, nil}, []string{"A user.device.ip_address", "B"}, "texts of types, and nothing"},
		{struct {
			X *string `privacy:"user.name.first"`
		}{&name}, []string{"X user.name.first"}, "a declared category"},
		{struct {
			X contact `privacy:"user.health_and_medical"`
		}{}, []string{"X.email user.health_and_medical", "X.Phone user.health_and_medical"}, "declared of all fields of a struct"},
		{struct{ When time.Time }{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, []string{"When"}, "a time"},
		{loop, []string{"email user.contact.email"}, "a circle ends"},
		{"jane@example.com", []string{" user.contact.email"}, "a plain value has no path"},
		{slog.String("email", "x"), []string{"email user.contact.email"}, "an attribute"},
		{slog.Group("user", slog.Int("age", 3), slog.Group("", slog.Any("v", valuer{contact{}}))), []string{"user.age user.demographic.age_range", "user.v.email user.contact.email", "user.v.Phone user.contact.phone_number"}, "groups, inlined groups, values that tell themselves"},
		{[]slog.Attr{slog.Duration("d", time.Second), slog.Any("err", errors.New("no jane@example.com"))}, []string{"d", "err user.contact.email"}, "errors speak"},
		{slog.AnyValue(valuer{valuer{"jane@example.com"}}), []string{" user.contact.email"}, "in several steps"},
		{[]byte("jane@example.com"), []string{" user.contact.email"}, "bytes that are text"},
		{map[string]any{`a.b`: 1, "": 2}, []string{`[""]`, `["a.b"]`}, "keys that a path could not hold"},
	} {
		got, err := reader(t).Value(tt.value)
		require.NoError(t, err, tt.reason)
		want := tt.want
		for i, f := range got.Fields {
			if i < len(want) && want[i] == f.Path { // nothing is said about its labels
				want[i] = first(got)[i]
			}
		}
		assert.Equal(t, want, first(got), tt.reason)
	}
}

func TestValueExemptAndUnreadable(t *testing.T) {
	got, err := reader(t).Value(struct {
		Email string   `privacy:"-"`
		C     chan int `json:"c"`
		P     panics
		M     map[struct{ a int }]int
		N     *panics
		V     any
	}{C: make(chan int), M: map[struct{ a int }]int{{1}: 1}, V: badValuer{}})
	require.NoError(t, err)
	assert.Equal(t, []string{"Email"}, got.Exempt)
	assert.Equal(t, []string{"c", "P", "M"}, got.Unreadable)
	assert.NotContains(t, fmt.Sprintf("%+v", got), "7421", "what a panic said does not come out")
}

func TestQualifier(t *testing.T) {
	for _, tt := range []struct {
		doc, want, reason string
	}{
		{`{"device_id":"x"}`, "pseudonymized", "an identifier of a device"},
		{`{"device_id":"x","email":"y"}`, "identified", "mixed data is as exposed as the most exposed of it"},
		{`{"quantity":1}`, "", "nothing personal"},
	} {
		got, err := reader(t).JSON([]byte(tt.doc))
		require.NoError(t, err)
		assert.Equal(t, tt.want, got.Qualifier, tt.reason)
	}
}

func TestConflicts(t *testing.T) {
	for _, tt := range []struct {
		value  any
		want   []record.Conflict
		reason string
	}{
		{map[string]any{"first_name": "jane@example.com"}, []record.Conflict{{Path: "first_name", Said: "user.name.first", By: "builtin/first-name", Found: "user.contact.email"}}, "the name says one thing, the value another"},
		{map[string]any{"comment": "write to jane@example.com"}, nil, "a text may hold anything"},
		{map[string]any{"email": "jane@example.com"}, nil, "both agree"},
		{struct {
			X string `privacy:"user.nonsense"`
		}{}, []record.Conflict{{Path: "X", Said: "user.nonsense", By: "declared"}}, "no such category"},
		{struct {
			X string `privacy:"system.operations"`
		}{"4111111111111111"}, []record.Conflict{{Path: "X", Said: "system.operations", By: "declared", Found: "user.financial.credit_card"}}, "declared harmless, and is not"},
	} {
		got, err := reader(t).Value(tt.value)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got.Conflicts, tt.reason)
	}
}

func TestPatterns(t *testing.T) {
	const doc = `{"user":{"email":"x","emails":[{"a":"1","b":"2"}],"x.y":"3"},"email":"y"}`
	for _, tt := range []struct {
		include, exclude []string
		want             []string
		reason           string
	}{
		{nil, nil, []string{"email", "user.email", "user.emails[0].a", "user.emails[0].b", `user["x.y"]`}, "all"},
		{[]string{"user"}, nil, []string{"user.email", "user.emails[0].a", "user.emails[0].b", `user["x.y"]`}, "all below"},
		{[]string{"*"}, []string{"user"}, []string{"email"}, "exclude goes first"},
		{[]string{"user.emails[].a"}, nil, []string{"user.emails[0].a"}, "any index"},
		{[]string{"user.emails[1]"}, nil, nil, "another index"},
		{[]string{"**.email"}, nil, []string{"email", "user.email"}, "at any depth, also at none"},
		{[]string{"**.b", `user["x.y"]`}, nil, []string{"user.emails[0].b", `user["x.y"]`}, "several; quoted keys"},
		{[]string{"user.*"}, []string{"**[0]"}, []string{"user.email", `user["x.y"]`}, "steps before an index"},
	} {
		got, err := reader(t, record.Include(tt.include...), record.Exclude(tt.exclude...)).JSON([]byte(doc))
		require.NoError(t, err)
		var paths []string
		for _, f := range got.Fields {
			paths = append(paths, f.Path)
		}
		assert.Equal(t, tt.want, paths, tt.reason)
	}
	for _, bad := range []string{"", ".", "a.", ".a", "a..b", "a[x]", "a[-1]", "a[01]", "a[", `a["b]`, "a]b", "a*", "[]a", `a"b`} {
		_, err := record.New(classify.Builtin(), record.Include(bad))
		assert.ErrorIs(t, err, record.ErrPattern, "%q", bad)
	}
}

func TestLimits(t *testing.T) {
	r := reader(t)
	deep := any("x")
	for range record.MaxDepth + 1 {
		deep = []any{deep}
	}
	_, err := r.Value(deep)
	assert.ErrorIs(t, err, record.ErrDepth)
	_, err = r.JSON([]byte(strings.Repeat("[", 200) + strings.Repeat("]", 200)))
	assert.ErrorIs(t, err, record.ErrDepth)
	_, err = r.JSON(make([]byte, record.MaxDocument+1))
	assert.ErrorIs(t, err, record.ErrLarge)
	_, err = r.Value(make([]bool, record.MaxFields+1))
	assert.ErrorIs(t, err, record.ErrLarge)
	var fault *record.JSONError
	_, err = r.JSON([]byte(`{"canary7421":x}`))
	require.ErrorAs(t, err, &fault)
	assert.ErrorIs(t, err, record.ErrJSON)
	assert.Equal(t, 14, fault.Offset)
	assert.NotContains(t, err.Error(), "7421")
	type embeds struct {
		*contact
		Next any
	}
	e := &embeds{}
	e.Next = e
	_, err = r.Value(e)
	assert.NoError(t, err)
	type self struct{ *self }
	s := &self{}
	s.self = s
	_, err = r.Value(s)
	assert.NoError(t, err, "embedded in itself")
	var p any
	p = &p
	_, err = r.Value(p)
	assert.NoError(t, err, "a pointer to itself")
}

func TestCSV(t *testing.T) {
	for _, tt := range []struct {
		table  string
		want   []string // column, labels with their shares
		reason string
	}{
		{"email,qty\na@example.com,1\nb@example.com,2\n", []string{"email user.contact.email 1", "qty"}, "name and values"},
		{"x;y\njane@example.com;a,b\nfoo;c\n", []string{"x user.contact.email 0.5", "y"}, "half of the values; separated by semicolons"},
		{"x\njane@example.com\nfoo\nbar\n", []string{"x"}, "less than half"},
		{"x\n\"\"\njane@example.com\n", []string{"x user.contact.email 1"}, "empty values have no vote"},
		{"first_name\na@example.com\nb@example.com\n", []string{"first_name user.contact.email 1, user.name.first 0"}, "both sides"},
		{"", nil, "empty"},
		{"\ufeffemail\n", []string{"email user.contact.email 0"}, "a byte order mark, and no rows"},
		{"a\tb\n1\n", []string{"a", "b"}, "short rows"},
	} {
		got, err := reader(t).CSV(strings.NewReader(tt.table))
		require.NoError(t, err)
		var all []string
		for _, c := range got.Columns {
			var labels []string
			for _, l := range c.Labels {
				if !strings.HasPrefix(l.Category, "system") {
					labels = append(labels, fmt.Sprint(l.Category, " ", l.Share))
				}
			}
			all = append(all, strings.TrimSuffix(c.Name+" "+strings.Join(labels, ", "), " "))
		}
		assert.Equal(t, tt.want, all, tt.reason)
	}
	got, err := reader(t, record.Exclude("email")).CSV(strings.NewReader("email,first_name\nx,a@example.com\n"))
	require.NoError(t, err)
	assert.Len(t, got.Columns, 1)
	assert.Equal(t, "identified", got.Qualifier)
	assert.Equal(t, []record.Conflict{{Path: "first_name", Said: "user.name.first", By: "builtin/first-name", Found: "user.contact.email"}}, got.Conflicts)
	_, err = reader(t).CSV(strings.NewReader("a\n\"canary7421\n"))
	if assert.ErrorIs(t, err, record.ErrCSV) {
		assert.NotContains(t, err.Error(), "7421")
	}
	broken := errors.New("broken")
	_, err = reader(t).CSV(failing{broken})
	assert.ErrorIs(t, err, broken)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestValueIsItsJSON: a struct has the labels of its JSON form, path by path.
func TestValueIsItsJSON(t *testing.T) {
	type item struct {
		Name  string            `json:"name"`
		Price float64           `json:"price"`
		Tags  map[string]string `json:"tags"`
		Next  *contact
	}
	type doc struct {
		contact
		ID    int64 `json:"user_id"`
		OK    bool
		Items []item `json:"items"`
		When  time.Time
		Any   any
	}
	r := reader(t)
	text := rapid.SampledFrom([]string{"", "jane@example.com", "4111111111111111", "10.0.0.1", "plain", "ü"})
	rapid.Check(t, func(t *rapid.T) {
		d := doc{contact: contact{text.Draw(t, "email"), text.Draw(t, "phone")}, ID: rapid.Int64().Draw(t, "id"), OK: rapid.Bool().Draw(t, "ok"),
			When: time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "when"), 0).UTC(), Any: text.Draw(t, "any")}
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			i := item{Name: text.Draw(t, "name"), Price: rapid.Float64Range(-1e25, 1e25).Draw(t, "price"), Tags: map[string]string{"zip": text.Draw(t, "zip"), "a": "b"}}
			if rapid.Bool().Draw(t, "next") {
				i.Next = &contact{Email: "x"}
			}
			d.Items = append(d.Items, i)
		}
		b, err := json.Marshal(d)
		require.NoError(t, err)
		value, err := r.Value(d)
		require.NoError(t, err)
		fromJSON, err := r.JSON(b)
		require.NoError(t, err)
		want := map[string][]classify.Label{}
		for _, f := range fromJSON.Fields {
			want[f.Path] = f.Labels
		}
		for _, f := range value.Fields {
			labels, ok := want[f.Path]
			require.True(t, ok, f.Path)
			require.Equal(t, labels, f.Labels, f.Path)
		}
		require.Len(t, value.Fields, len(fromJSON.Fields))
		require.Equal(t, fromJSON.Qualifier, value.Qualifier)
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"user":{"email":"jane@example.com","x":[1,null,true]}}`))
	f.Add([]byte(`[[[{"":{"a.b":"4111111111111111"}}]]]`))
	r := reader(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		if len(doc) > 4000 {
			return
		}
		got, err := r.JSON(doc)
		if err != nil {
			return
		}
		if !json.Valid(doc) {
			t.Fatal("accepted what encoding/json refuses")
		}
		for _, x := range got.Fields {
			if _, err := record.New(classify.Builtin(), record.Include(x.Path)); x.Path != "" && err != nil {
				t.Fatalf("the path %q is no pattern", x.Path)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("email;first_name\njane@example.com;Jane\n"))
	f.Add([]byte("a,\"b\nc\",d\n1,2\n"))
	r := reader(f)
	f.Fuzz(func(t *testing.T, table []byte) {
		if len(table) > 4000 {
			return
		}
		got, err := r.CSV(strings.NewReader(string(table)))
		if err != nil {
			return
		}
		for _, c := range got.Columns {
			for _, l := range c.Labels {
				if l.Share < 0 || l.Share > 1 || l.Confidence <= 0 || l.Confidence > 1 {
					t.Fatal("out of range")
				}
			}
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	type order struct {
		contact
		ID    int64 `json:"order_id"`
		City  string
		Items []string
	}
	o := order{contact{"jane@example.com", "+1 425 555 0100"}, 17, "Berlin", []string{"book", "pen"}}
	doc, err := json.Marshal(o)
	require.NoError(b, err)
	r := reader(b)
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = r.Value(&o)
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = r.JSON(doc)
		}
	})
	b.Run("floor/decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			_ = json.Unmarshal(doc, &v)
		}
	})
}
