package jsondoc

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		limits     Limits
		want       Code
		offset     int
		reason     string
	}{
		{"empty", ``, Limits{}, Truncated, 0, "no value at all"},
		{"blank", "  \t", Limits{}, Truncated, 3, "no value at all"},
		{"open object", `{"a":1`, Limits{}, Truncated, 6, "never closed"},
		{"open string", `"ab`, Limits{}, Truncated, 3, "never closed"},
		{"half word", `tru`, Limits{}, Truncated, 0, "a word cut short"},
		{"bare word", `yes`, Limits{}, Syntax, 0, "not a JSON word"},
		{"single quotes", `{'a':1}`, Limits{}, Syntax, 1, "JSON has double quotes only"},
		{"trailing comma", `{"a":1,}`, Limits{}, Syntax, 7, "a member must follow a comma"},
		{"comma in list", `[1,]`, Limits{}, Syntax, 3, "an item must follow a comma"},
		{"missing comma", `[1 2]`, Limits{}, Syntax, 3, "items need a comma"},
		{"leading zero", `01`, Limits{}, Trailing, 1, "a number begins with one zero at most"},
		{"plus", `+1`, Limits{}, Syntax, 0, "no plus sign in JSON"},
		{"bare point", `1.`, Limits{}, Truncated, 2, "digits must follow the point"},
		{"NaN", `NaN`, Limits{}, Syntax, 0, "not a JSON number"},
		{"two values", `{} {}`, Limits{}, Trailing, 3, "one value to a text"},
		{"duplicate", `{"a":1,"b":2,"a":3}`, Limits{}, Duplicate, 19, "which of the two would count?"},
		{"duplicate by escape", `{"a":1,"\u0061":2}`, Limits{}, Duplicate, 18, "keys are compared decoded"},
		{"neighbours twice", `{"a":1,"a":1}`, Limits{}, Duplicate, 13, "found without sorting too"},
		{"raw control", "\"a\nb\"", Limits{}, Syntax, 2, "control characters are escaped in JSON"},
		{"bad UTF-8", "\"\xff\"", Limits{}, BadUTF8, 1, "bytes that are no character"},
		{"bad UTF-8 after escape", "\"\\n\xff\"", Limits{}, BadUTF8, 3, "the slow path looks too"},
		{"half pair", `"\ud800"`, Limits{}, BadUTF8, 7, "half of a surrogate pair is no character"},
		{"wrong pair", `"\ud800\u0041"`, Limits{}, BadUTF8, 13, "not a low surrogate"},
		{"bad escape", `"\x"`, Limits{}, Syntax, 1, "no such escape"},
		{"bad hex", `"\u00zz"`, Limits{}, Syntax, 1, "four hex digits"},
		{"deep", strings.Repeat("[", 10000), Limits{}, TooDeep, 64, "ten thousand levels cost nothing"},
		{"depth 1", `[[1]]`, Limits{Depth: 1}, TooDeep, 1, "limit as given"},
		{"many", `[1,2,3]`, Limits{Nodes: 3}, TooMany, 5, "limit as given"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Doc
			err := d.Parse(tt.text, tt.limits)
			var e *Error
			require.ErrorAs(t, err, &e, tt.reason)
			require.Equal(t, tt.want, e.Code, "%s: %s", e, tt.reason)
			require.Equal(t, tt.offset, e.Offset, tt.reason)
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":[true,false,null,{}]}`: `{"a":[true,false,null,{}],"b":1}`,
		`1.50e+3`:                          `1.50e+3`,
		`-0`:                               `-0`,
		`12345678901234567890.123`:         `12345678901234567890.123`,
		`"\u00e9\ud83d\ude00\/\b\f\n\r\t"`: "\"é😀/\\u0008\\u000c\\n\\r\\t\"",
		` [ ] `:                            `[]`,
	} {
		var d Doc
		require.NoError(t, d.Parse(in, Limits{}), in)
		require.Equal(t, want, string(d.Append(nil, 0)))
	}
}

func TestMember(t *testing.T) {
	var d Doc
	require.NoError(t, d.Parse(`{"z":1,"a":{"k":"v"},"m":[1]}`, Limits{}))
	require.Equal(t, "v", d.Nodes[d.Member(d.Member(0, "a"), "k")].Text)
	require.Equal(t, int32(-1), d.Member(0, "nope"))
	require.Equal(t, int32(-1), d.Member(d.Member(0, "m"), "a"), "a list has no members")
	require.Equal(t, int32(-1), d.Member(-1, "a"), "nothing inside what is absent")
}

func TestBuild(t *testing.T) {
	var d Doc
	d.Reset()
	require.True(t, d.Open("", Object))
	require.True(t, d.Scalar("b", Number, "1"))
	require.True(t, d.Open("a", Array))
	require.True(t, d.Scalar("", String, "x"))
	require.True(t, d.Close())
	require.True(t, d.Close())
	require.Equal(t, `{"a":["x"],"b":1}`, string(d.Append(nil, 0)))

	d.Reset()
	d.Open("", Object)
	d.Scalar("b", Number, "1")
	d.Scalar("a", Number, "1")
	d.Scalar("b", Number, "2")
	require.False(t, d.Close(), "a key twice")
}

func TestNoAllocations(t *testing.T) {
	var d Doc
	text := `{"id":"e1","fields":{"a":"x","b":1.5,"c":true}}`
	require.NoError(t, d.Parse(text, Limits{}))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = d.Parse(text, Limits{}) }), "a reused document keeps its memory")
}

func TestErrorsHoldNoInput(t *testing.T) {
	canary := "canary@example.test"
	var d Doc
	for _, text := range []string{canary, `"` + canary, `{"` + canary + `":1,"` + canary + `":2}`, `["` + canary + "\xff\"]", `{"a":"` + canary + `"} x`} {
		err := d.Parse(text, Limits{})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
		require.Empty(t, d.Nodes, "a refused document shows nothing")
	}
}

// FuzzParse compares with encoding/json: what we accept it accepts, with the same
// meaning; what it accepts and we refuse, we refuse for a reason that it lacks.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,"x\u00e9",null,true]}`, `[[[]]]`, `"\ud83d\ude00"`, `{"a":1,"a":2}`, `-0.0E+1`, ``, `{`, "\"\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d Doc
		err := d.Parse(text, Limits{})
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var want any
		wantErr := dec.Decode(&want)
		if wantErr == nil && dec.More() {
			wantErr = &json.SyntaxError{}
		}
		if wantErr == nil && !json.Valid([]byte(text)) {
			wantErr = &json.SyntaxError{}
		}
		if err != nil {
			e := err.(*Error)
			require.LessOrEqual(t, e.Offset, len(text))
			if wantErr == nil {
				require.Contains(t, []Code{Duplicate, TooDeep, TooMany, BadUTF8}, e.Code)
			}
			return
		}
		require.NoError(t, wantErr)
		require.True(t, utf8.ValidString(text))
		out := d.Append(nil, 0)
		var got any
		dec = json.NewDecoder(bytes.NewReader(out))
		dec.UseNumber()
		require.NoError(t, dec.Decode(&got))
		require.Equal(t, want, got)
		var again Doc
		require.NoError(t, again.Parse(string(out), Limits{}))
		require.Equal(t, out, again.Append(nil, 0), "writing is a fixed point")
		for i, n := range d.Nodes {
			if n.Kind == Object {
				require.True(t, slices.IsSortedFunc(d.Children(int32(i)), func(a, b int32) int { return strings.Compare(d.Nodes[a].Key, d.Nodes[b].Key) }))
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := `{"id":"e1","at":"2026-03-28T10:00:00Z","fields":{"deviceName":"LAPTOP","position":{"lat":47.6401,"lon":-122.1295},"build":26100,"note":"call me at +1 425 555 0100"}}`
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		var d Doc
		for b.Loop() {
			_ = d.Parse(text, Limits{})
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		data := []byte(text)
		for b.Loop() {
			var v any
			_ = json.Unmarshal(data, &v)
		}
	})
}
