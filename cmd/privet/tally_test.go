package main

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/privacy"
)

// slow counts a result the plain way: with encoding/json and its structs.
func slow(t require.TestingT, into map[string]int, result []byte) {
	var r struct {
		Outcome   string
		Decisions []struct {
			Action, Outcome, Reason, Note string
			Labels                        []struct{ Category string }
			Spans                         []struct{ Action, Category string }
		}
		Retention struct {
			Latest, Strength, Status string
			Missing, NoRule          []string
		}
	}
	// encoding/json folds case; no_rule needs its own tag.
	var rule struct {
		Retention struct {
			NoRule []string `json:"no_rule"`
		}
	}
	require.NoError(t, json.Unmarshal(result, &r))
	require.NoError(t, json.Unmarshal(result, &rule))
	into["events"]++
	into["outcome "+r.Outcome]++
	for _, d := range r.Decisions {
		into["fields"]++
		into["action "+d.Action]++
		into["reason "+d.Outcome+" "+d.Reason]++
		if d.Note != "" {
			into["note "+d.Note]++
		}
		if len(d.Labels) > 0 {
			into["label "+d.Labels[0].Category]++
		} else {
			into["label "]++
		}
		for _, s := range d.Spans {
			into["spans"]++
			into["piece "+s.Action]++
			into["label "+s.Category]++
		}
	}
	day := ""
	if r.Retention.Latest != "" {
		day = r.Retention.Latest[:10] + " " + r.Retention.Strength
	}
	into["deadline "+day]++
	into["status "+r.Retention.Status]++
	if len(r.Retention.Missing) > 0 {
		into["waiting"]++
	}
	for _, c := range rule.Retention.NoRule {
		into["no rule "+c]++
	}
}

// flat brings a tally into the form of slow.
func flat(t *tally) map[string]int {
	out := map[string]int{}
	put := func(prefix string, c *counter) {
		for _, n := range c.ranked() {
			out[prefix+n.Key] = n.N
		}
	}
	for key, n := range map[string]int{"events": t.Events, "fields": t.Fields, "spans": t.Spans, "waiting": t.Waiting} {
		if n > 0 {
			out[key] = n
		}
	}
	put("outcome ", &t.Outcomes)
	put("action ", &t.Actions)
	put("piece ", &t.Pieces)
	put("reason ", &t.Reasons)
	put("label ", &t.Labels)
	put("note ", &t.Notes)
	put("deadline ", &t.Deadlines)
	put("status ", &t.Status)
	put("no rule ", &t.NoRule)
	return out
}

// nasty are texts that look like the parts of a result that counting looks for.
var nasty = []string{
	"red", "", `\`, `\\"`, `"decisions":[`, `],"fields":{`, `,"linkability":"linked"`, `{"action":"drop"`, "},\"id\":\"x\"", "]}", "\u2028 \x00 é", "null",
	"decisions", "fields", "linkability", "retention", "outcome", "action", "write to jane@example.com and ada@example.org",
}

func TestCountingReadsEveryResult(t *testing.T) {
	_, guard, err := (&common{policy: smallPolicy, maxLine: 4 << 20}).guard(t.Context(), &env{stderr: io.Discard, now: func() time.Time { return now }})
	require.NoError(t, err)

	scalar := rapid.OneOf(
		rapid.Map(rapid.SampledFrom(nasty), func(s string) any { return s }),
		rapid.Map(rapid.Float64Range(-90, 90), func(f float64) any { return f }),
		rapid.Just[any](nil), rapid.Just[any](true),
	)
	value := rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(s []any) any { return s }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom(nasty), scalar, 0, 4), func(m map[string]any) any { return m }))
	rapid.Check(t, func(rt *rapid.T) {
		var total tally
		want := map[string]int{}
		for range rapid.IntRange(1, 4).Draw(rt, "events") {
			ev := map[string]any{
				"id": rapid.SampledFrom(nasty).Draw(rt, "id"), "at": "2026-03-28T10:00:00Z",
				"class":   rapid.SampledFrom([]string{"service.required", "diagnostic.optional"}).Draw(rt, "class"),
				"purpose": rapid.SampledFrom([]string{"serve", "improve", "unknown"}).Draw(rt, "purpose"),
				"subject": map[string]any{"id": "s", "tenant": rapid.SampledFrom([]string{"", "contoso"}).Draw(rt, "tenant")},
				"fields":  rapid.MapOfN(rapid.OneOf(rapid.SampledFrom(nasty), rapid.SampledFrom([]string{"userEmail", "lat", "secret"})), value, 0, 6).Draw(rt, "fields"),
			}
			if rapid.Bool().Draw(rt, "used") {
				ev["anchors"] = map[string]any{"used_at": rapid.SampledFrom([]string{"2026-03-28T10:00:00Z", "2026-01-31T23:59:59Z"}).Draw(rt, "at")}
			}
			line, err := json.Marshal(ev)
			require.NoError(rt, err)
			result, err := guard.ProcessJSON(context.Background(), nil, line, rapid.Bool().Draw(rt, "explain"))
			require.NoError(rt, err, "%s", line)
			require.True(rt, total.add(result), "%s", result)
			slow(rt, want, result)
		}
		require.Equal(rt, want, flat(&total))
	})
}

func TestCountingRefusesWhatIsNoResult(t *testing.T) {
	good := privet(t, event("a")+"\n", "process", "-p", smallPolicy).out
	for i := range len(good) - 1 {
		var c tally
		c.add([]byte(good[:i])) // must end; what is cut short is mostly refused
		if i < strings.Index(good, `"linkability"`) {
			assert.False(t, c.add([]byte(good[:i])), "cut at byte %d", i)
		}
	}
}

func TestCountingKnownTextsAllocatesNothing(t *testing.T) {
	result := []byte(privet(t, event("a")+"\n", "process", "-p", smallPolicy).out)
	var c tally
	c.add(result)
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.add(result) }))
}

func TestDaysAreBounded(t *testing.T) {
	var c tally
	result := privet(t, event("a")+"\n", "process", "-p", smallPolicy).out
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 * maxDays {
		require.True(t, c.add([]byte(strings.Replace(result, `"latest":"2026-03-30`, `"latest":"`+day.Add(time.Duration(i)*24*time.Hour).Format(time.DateOnly), 1))))
	}
	assert.LessOrEqual(t, len(c.Deadlines.counts), maxDays+100, "years are enough for the rest")
	rows, none := c.due(60)
	sum := none
	for _, r := range rows {
		sum += r.N
		assert.Len(t, r.When, 4)
	}
	assert.Equal(t, 3*maxDays, sum, "nothing is lost")
}

func TestDueFindsAWidthThatCanBeRead(t *testing.T) {
	for _, tt := range []struct {
		days int
		want []string
	}{
		{2, []string{"2026-01-01", "2026-01-02"}},
		{40, []string{"2026-01", "2026-02"}},
		{400, []string{"2026", "2027"}},
	} {
		var c tally
		for i := range tt.days {
			c.Deadlines.plus(time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)+" law", 1)
		}
		rows, _ := c.due(12)
		var when []string
		for _, r := range rows {
			when = append(when, r.When)
		}
		assert.Equal(t, tt.want, when, "%d days", tt.days)
	}
}

// constants lists the texts of a package's string constants of one type.
func constants(t *testing.T, folder, typ string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typ {
				if text, ok := spec.Values[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
					s, err := strconv.Unquote(text.Value)
					require.NoError(t, err)
					out = append(out, s)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, out, "no constant of type %s in %s: was it renamed?", typ, folder)
	return out
}

func TestEveryCodeHasWords(t *testing.T) {
	known := constants(t, "consent", "Reason")
	for _, code := range known {
		assert.NotEmpty(t, reasons[code], "reason %s has no words for people", code)
	}
	assert.Len(t, reasons, len(known), "words for a reason that is gone")
	var done []string
	for _, a := range actions {
		done = append(done, a.key)
	}
	assert.ElementsMatch(t, constants(t, "privacy", "Action"), done, "the actions of package privacy")
	var decided []string
	for _, o := range outcomes {
		decided = append(decided, o.key)
	}
	assert.ElementsMatch(t, []string{string(privacy.Allow), string(privacy.Partial), string(privacy.Ask), string(privacy.Deny)}, decided)
}

func FuzzCursor(f *testing.F) {
	f.Add([]byte(`{"ask":[],"decisions":[{"action":"keep","labels":[{"category":"a"}],"outcome":"allow","path":"p","reason":"R"}],"fields":{},"linkability":"x","outcome":"allow","retention":{"latest":null}}`))
	f.Add([]byte(`"decisions":[{"a":"\\"}],"fields":{,"linkability":"`))
	f.Add([]byte(`"decisions":[],"fields":{,"linkability":"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		var c tally
		c.add(text)
		if before != string(text) {
			t.Fatal("counting changed a result")
		}
	})
}
