package sweep_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/sweep"
)

var long = flag.Bool("long", false, "sweep ten million records instead of two hundred thousand")

const canary = "canary@example.test"

func at(t testing.TB, s string) time.Time {
	out, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return out
}

func period(t testing.TB, s string) retention.Period {
	p, err := retention.ParsePeriod(s)
	require.NoError(t, err)
	return p
}

func rules(t testing.TB) *retention.Rules {
	rs, err := retention.New([]retention.Rule{
		{ID: "wish", Kind: retention.Delete, Strength: retention.Default, Category: "user", Anchor: "created", Period: period(t, "P10D")},
		{ID: "gone", Kind: retention.Ceiling, Strength: retention.Law, Category: "user", Anchor: "created", Period: period(t, "P30D"), Copies: []retention.Copy{retention.Primary, retention.Cache}},
		{ID: "backup", Kind: retention.Ceiling, Strength: retention.Law, Category: "user", Anchor: "created", Period: period(t, "P90D"), Copies: []retention.Copy{retention.Backup}},
		{ID: "invoice", Kind: retention.Floor, Strength: retention.Law, Category: "invoice", Anchor: "created", Period: period(t, "P10Y")},
	})
	require.NoError(t, err)
	return rs
}

func lines(t testing.TB, text string, now string) (found []string, failed []error, sum sweep.Summary) {
	for f, err := range sweep.Sweep(rules(t), at(t, now), sweep.Lines(strings.NewReader(text)), &sum) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		found = append(found, string(f.AppendJSON(nil)))
	}
	return found, failed, sum
}

func TestSweep(t *testing.T) {
	record := func(id, rest string) string {
		return `{"id":"` + id + `","categories":["user.contact"],"events":{"created":"2026-01-01T00:00:00Z"}` + rest + "}\n"
	}
	for _, tt := range []struct {
		name, text, now string
		want            []string
		reason          string
	}{
		{"nothing", "\n\r\n", "2026-01-05T00:00:00Z", nil, "empty lines are no records"},
		{"kept", record("a", ""), "2026-01-05T00:00:00Z", nil, "before the wish"},
		{"due", record("a", ""), "2026-01-11T00:00:00Z", []string{`{"breach":false,"ceiling":"gone","copy":"primary","delete":"wish","earliest":"2026-01-11T00:00:00Z","id":"a","latest":"2026-01-31T00:00:00Z","status":"due"}`}, "the wish is reached"},
		{"overdue", record("a", `,"copies":["primary","backup","cache"],"removed":{"cache":"2026-01-20T00:00:00Z"}`), "2026-02-01T00:00:00Z", []string{
			`{"breach":true,"ceiling":"gone","copy":"primary","delete":"wish","earliest":"2026-01-11T00:00:00Z","id":"a","latest":"2026-01-31T00:00:00Z","status":"overdue"}`,
			`{"breach":false,"ceiling":"backup","copy":"backup","delete":"wish","earliest":"2026-01-11T00:00:00Z","id":"a","latest":"2026-04-01T00:00:00Z","status":"due"}`}, "every copy has its own window, and one that is gone has none"},
		{"held", record("a", `,"holds":[{"id":"case","scope":"user","placed":"2026-01-05T00:00:00Z"}]`), "2026-02-01T00:00:00Z", nil, "held"},
		{"other hold", record("a", `,"holds":[{"id":"case","scope":"invoice","placed":"2026-01-05T00:00:00Z"}]`), "2026-01-12T00:00:00Z", []string{`{"breach":false,"ceiling":"gone","copy":"primary","delete":"wish","earliest":"2026-01-11T00:00:00Z","id":"a","latest":"2026-01-31T00:00:00Z","status":"due"}`}, "a hold on other data"},
		{"two categories", `{"id":"a","categories":["user","invoice"],"events":{"created":"2026-01-01T00:00:00Z"}}`, "2026-01-12T00:00:00Z", nil, "the invoice keeps the record"},
		{"erasure", record("a", `,"erasure":{"id":"req","at":"2026-01-02T00:00:00Z","source":"case 7","scope":"user"}`), "2026-01-02T00:00:00Z", []string{`{"breach":false,"ceiling":"gone","copy":"primary","delete":"req","earliest":"2026-01-02T00:00:00Z","id":"a","latest":"2026-01-31T00:00:00Z","status":"due"}`}, "at the request"},
		{"no category", `{"id":"a"}`, "2026-01-12T00:00:00Z", nil, "no rule, no finding"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, failed, _ := lines(t, tt.text, tt.now)
			assert.Empty(t, failed)
			assert.Equal(t, tt.want, found, tt.reason)
		})
	}
	_, failed, sum := lines(t, record("a", `,"copies":["primary","backup"]`)+"{}\n"+record("b", ""), "2026-02-01T00:00:00Z")
	require.Len(t, failed, 1)
	assert.Equal(t, "sweep: record 1: sweep: line 2: id: missing: give every record its key", failed[0].Error())
	assert.Equal(t, []int64{3, 1, 2, 1, 2, 2}, []int64{sum.Records, sum.Failed, sum.Overdue[retention.Primary], sum.Due[retention.Backup], sum.Breaches, sum.ByStatus[retention.Overdue]})
	assert.Equal(t, "2026-01-31T00:00:00Z", sum.Oldest.Format(time.RFC3339))
}

func TestLineErrors(t *testing.T) {
	for _, tt := range []struct{ text, field, reason string }{
		{canary, "", "not JSON"},
		{`"` + canary + `"`, "", "no object"},
		{`{"id":"a","id":"b"}`, "", "a key twice"},
		{`{"id":"a","` + canary + `":1}`, "", "an unknown key"},
		{`{"id":7}`, "id", "a number"},
		{`{"categories":["a"]}`, "id", "no id"},
		{`{"id":"a","categories":"a"}`, "categories", "no list"},
		{`{"id":"a","categories":[1]}`, "categories", "no text"},
		{`{"id":"a","events":{"created":"` + canary + `"}}`, "events", "no instant"},
		{`{"id":"a","events":{"created":"2026-01-01"}}`, "events", "no zone"},
		{`{"id":"a","events":[]}`, "events", "no object"},
		{`{"id":"a","copies":["` + canary + `"]}`, "copies", "unknown"},
		{`{"id":"a","removed":{"` + canary + `":"2026-01-01T00:00:00Z"}}`, "removed", "unknown"},
		{`{"id":"a","attr":{"x":null}}`, "attr", "null"},
		{`{"id":"a","holds":[{"x":1}]}`, "holds", "unknown key"},
		{`{"id":"a","holds":[{"effect":"` + canary + `"}]}`, "holds.effect", "unknown effect"},
		{`{"id":"a","erasure":{"x":1}}`, "erasure", "unknown key"},
		{`{"id":"a","attr":{"x":[[[[1]]]]}}`, "", "too deep"},
		{`{"id":"` + strings.Repeat("x", sweep.MaxLine) + `"}`, "", "too long"},
	} {
		var d sweep.Decoder
		var r sweep.Record
		err := d.Decode([]byte(tt.text), &r)
		var le *sweep.LineError
		require.ErrorAs(t, err, &le, tt.reason)
		assert.Equal(t, tt.field, le.Field, tt.reason)
		assert.NotContains(t, err.Error(), canary)
		assert.Empty(t, r.ID)
	}
	failed := []error{}
	for _, err := range sweep.Lines(io.MultiReader(strings.NewReader("{\"id\":\"a\"}\n"+strings.Repeat("x", sweep.MaxLine+70000)+"\n{\"id\":\"b\"}"), broken{})) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	require.Len(t, failed, 2)
	assert.Contains(t, failed[0].Error(), "line 2: longer than 1 MiB")
	require.ErrorIs(t, failed[1], sweep.ErrRead)
	require.ErrorIs(t, failed[1], errBroken)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

// TestNoSecrets puts a value that must not be repeated into a record that cannot
// be planned.
func TestNoSecrets(t *testing.T) {
	_, failed, _ := lines(t, `{"id":"`+canary+`","categories":["`+canary+`"],"tenant":"`+canary+`"}`, "2026-01-01T00:00:00Z")
	require.Len(t, failed, 1)
	assert.NotContains(t, fmt.Sprintf("%v %+v", failed[0], failed[0]), canary)
	var ie *retention.InputError
	require.ErrorAs(t, failed[0], &ie)
}

func TestDecodeReuses(t *testing.T) {
	var d sweep.Decoder
	var r sweep.Record
	require.NoError(t, d.Decode([]byte(`{"id":"a","categories":["x"],"events":{"created":"2026-01-01T00:00:00Z"},"attr":{"n":1,"f":1.5,"b":true,"s":"t"},"withdrawn":{"e":"2026-01-01T00:00:00Z"},"removed":{"log":"2026-01-01T00:00:00Z"},"erasure":{"id":"r"},"copies":["log","log"]}`), &r))
	assert.Equal(t, map[string]any{"n": int64(1), "f": 1.5, "b": true, "s": "t"}, r.Input.Attr)
	assert.Equal(t, []retention.Copy{retention.Log}, r.Copies)
	require.NoError(t, d.Decode([]byte(`{"id":"b"}`), &r))
	assert.Equal(t, "b", r.ID)
	assert.Empty(t, r.Categories)
	assert.Empty(t, r.Input.Events)
	assert.Empty(t, r.Input.Attr)
	assert.Nil(t, r.Input.Erasure)
	assert.Empty(t, r.Removed)
}

// many yields one record n times, with changing ages.
func many(n int, now time.Time) iter.Seq2[*sweep.Record, error] {
	return func(yield func(*sweep.Record, error) bool) {
		r := &sweep.Record{ID: "p1_1_aaaaaaaaaaaaaaaaaaaaaaaaaa", Categories: []string{"user.contact"}, Input: retention.Input{Events: map[retention.Anchor]time.Time{}}}
		for i := range n {
			r.Input.Events["created"] = now.Add(-time.Duration(i%40) * 24 * time.Hour)
			if !yield(r, nil) {
				return
			}
		}
	}
}

// TestConstantMemory sweeps many records and looks at the heap while it does.
func TestConstantMemory(t *testing.T) {
	n := 200_000
	if *long {
		n = 10_000_000
	}
	now := at(t, "2026-06-01T00:00:00Z")
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var sum sweep.Summary
	begin, found, most := time.Now(), 0, uint64(0)
	for _, err := range sweep.Sweep(rules(t), now, many(n, now), &sum) {
		require.NoError(t, err)
		if found++; found%(n/8) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			most = max(most, during.HeapAlloc)
		}
	}
	took := time.Since(begin)
	assert.Equal(t, int64(n), sum.Records)
	assert.Equal(t, n/40*30, found)
	assert.Less(t, most, before.HeapAlloc+256<<10, "the heap does not grow with the records")
	runtime.ReadMemStats(&during)
	assert.Less(t, during.Mallocs-before.Mallocs, uint64(5000), "nor is anything allocated for one")
	t.Logf("%d records in %s: %.0f records a second; at most %d KB of heap above the start", n, took, float64(n)/took.Seconds(), (int64(most)-int64(before.HeapAlloc))/1024)
}

func BenchmarkSweep(b *testing.B) {
	now := at(b, "2026-06-01T00:00:00Z")
	rs := rules(b)
	b.Run("records", func(b *testing.B) {
		b.ReportAllocs()
		for f, err := range sweep.Sweep(rs, now, many(b.N, now), nil) {
			_, _ = f, err
		}
	})
	line := []byte(`{"id":"p1_1_aaaaaaaaaaaaaaaaaaaaaaaaaa","categories":["user.contact"],"events":{"created":"2026-05-01T00:00:00Z"}}` + "\n")
	b.Run("lines", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(line)))
		text := bytes.Repeat(line, b.N)
		b.ResetTimer()
		for f, err := range sweep.Sweep(rs, now, sweep.Lines(bytes.NewReader(text)), nil) {
			_, _ = f, err
		}
	})
}

// FuzzDecode holds that a record that is read can be planned or refused, that no
// text panics, and that a decoder that was used before reads the same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"id":"a","categories":["user.contact"],"events":{"created":"2026-01-01T00:00:00Z"},"copies":["primary","backup"]}`,
		`{"id":"a","holds":[{"id":"case","authority":"x","scope":"*","placed":"2026-01-05T00:00:00Z","released":"2026-02-05T00:00:00Z","effect":"toll"}],"erasure":{"id":"r","at":"2026-01-01T00:00:00Z"}}`,
		`{"id":"a","attr":{"n":1e400}}`, `{"id":"a","removed":{"media":"9999-12-31T23:59:59Z"}}`, `[]`, `{`,
	} {
		f.Add([]byte(s))
	}
	rs := rules(f)
	now := at(f, "2026-06-01T00:00:00Z")
	var used sweep.Decoder
	var worn sweep.Record
	f.Fuzz(func(t *testing.T, line []byte) {
		var d sweep.Decoder
		var r sweep.Record
		err := d.Decode(line, &r)
		err2 := used.Decode(line, &worn)
		require.Equal(t, err == nil, err2 == nil)
		if err != nil {
			require.Equal(t, err.Error(), err2.Error())
			return
		}
		require.NotEmpty(t, r.ID)
		require.Equal(t, r.ID, worn.ID)
		require.Equal(t, len(r.Input.Events), len(worn.Input.Events))
		one := func(yield func(*sweep.Record, error) bool) { yield(&r, nil) }
		n := 0
		for g, err := range sweep.Sweep(rs, now, one, nil) {
			if n++; err == nil {
				require.Contains(t, []retention.Status{retention.Due, retention.Overdue}, g.Status)
				require.NotEmpty(t, g.AppendJSON(nil))
			}
		}
		require.LessOrEqual(t, n, 7)
	})
}
