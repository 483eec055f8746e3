package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

const heldRecord = "testdata/plan/docs/record.json"

// planned runs a command on the policy and the instant that these tests use.
func planned(t testing.TB, stdin, command string, args ...string) ran {
	return privet(t, stdin, append([]string{command, "--policy", planPolicy, "--at", "2026-03-02T00:00:00Z"}, args...)...)
}

func TestPlan(t *testing.T) {
	const ended = `"events":{"subscription_end":"2025-12-31T23:59:59Z"}`
	for _, tt := range []struct {
		name, record string
		want         []string
		not          string
		reason       string
	}{
		{"S3", `{"id":"r","categories":["customer.files"],` + ended + `}`, []string{
			"customer.files: keep\n",
			"earliest   2026-03-31T23:59:59Z, floor limited [terms]",
			"latest     2026-06-29T23:59:59Z, statement ceiling deletion [terms]",
			"limited (now) from 2025-12-31T23:59:59Z until 2026-03-31T23:59:59Z: allows export, renew",
			"2026-03-24T23:59:59Z, ahead: deletion by email (announce)",
			"end of limited 2026-03-31T23:59:59Z + P90D = 2026-06-29T23:59:59Z: won",
		}, "waits for", "phases, notices, a floor and a ceiling"},
		{"S5", `{"id":"r","categories":["customer.files"],"attr":{"free_trial":true},` + ended + `}`, []string{
			"customer.files: no_rule: no rule is known, no period is stated\n", "not applicable: it follows a rule that does not apply: limited",
		}, "2026-06-29", "a boolean reaches conditions"},
		{"S7", `{"id":"r","categories":["customer.files"],"withdrawn":{"subscription_end":"2026-02-10T00:00:00Z"}}`, []string{
			"customer.files: keep, no end is known\n", "active (now): everything is allowed", "subscription_end withdrawn 2026-02-10T00:00:00Z",
		}, "notices", "the end was taken back"},
		{"no event", `{"id":"r","categories":["customer.files"]}`, []string{
			"pending_event: keep, an event has not happened", "earliest   not known yet", "latest     no ceiling is known", "waits for  subscription_end",
		}, "", "no event is ever made up"},
		{"two categories", `{"id":"r","categories":["customer.files","invoice"],"events":{"subscription_end":"2025-12-31T23:59:59Z","created":"2015-03-15T00:00:00Z"}}`, []string{
			"the record: keep\n", "earliest   2026-03-31T23:59:59Z, floor limited [terms], wish tidy [terms]", "invoice: books [tax]", "customer.files: limited [terms]",
		}, "", "one plan for the whole record"},
		{"no category", `{"id":"r"}`, []string{"the record: no_rule"}, "", "nothing is known of it"},
		{"erasure", `{"id":"r","categories":["invoice"],"events":{"created":"2018-03-15T00:00:00Z"},"erasure":{"id":"request-7","source":"case 7","at":"2026-03-01T00:00:00Z"}}`, []string{
			"invoice: keep\n", "exemptions books [tax]: erasable from 2028-12-31T23:00:00Z", "wish request-7 [case 7]",
		}, "", "the law stands against it"},
		{"overdue", `{"id":"r","categories":["customer.files"],"events":{"subscription_end":"2025-06-01T00:00:00Z"}}`, []string{
			"customer.files: overdue: must be gone already\n",
		}, "", "180 days have passed"},
		{"byte order mark", "\ufeff" + `{"id":"r","categories":["customer.files"],` + ended + `}`, []string{"customer.files: keep\n"}, "", "as some editors write it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := planned(t, tt.record, "plan", "-")
			require.Equal(t, exitDone, r.code, r.err)
			assert.Empty(t, r.err)
			for _, want := range tt.want {
				assert.Contains(t, r.out, want, tt.reason)
			}
			if tt.not != "" {
				assert.NotContains(t, r.out, tt.not, tt.reason)
			}
			r = planned(t, tt.record, "plan", "--json", "-")
			require.Equal(t, exitDone, r.code, r.err)
			var plan struct{ Status string }
			require.NoError(t, json.Unmarshal([]byte(r.out), &plan))
			assert.NotEmpty(t, plan.Status)
		})
	}
}

// Every status has its words, and none has those of another.
func TestStatusText(t *testing.T) {
	seen := map[string]bool{}
	for s := retention.Keep; s <= retention.Held; s++ {
		text := statusText(&retention.Plan{Status: s})
		assert.False(t, seen[text], text)
		seen[text] = true
		assert.NotEmpty(t, statuses[s.String()], s)
		assert.Contains(t, sweepOrder, s, "a summary that leaves a status out does not add up")
	}
	assert.Contains(t, statusText(&retention.Plan{Status: retention.Conflict, Decided: true}), "keeping is right")
	assert.Contains(t, statusText(&retention.Plan{Status: retention.Overdue, Breach: true}), "must be gone")
}

// Bad records are named by line and column, and nothing of them is repeated.
func TestPlanBadRecords(t *testing.T) {
	for _, command := range []string{"plan", "timeline"} {
		for _, tt := range []struct{ record, want, reason string }{
			{"", "standard input: empty; write one JSON object", "nothing"},
			{" \n", "standard input: empty", "blanks"},
			{"{\n \"id\": \"" + canary + "\",\n \"events\": {\"ä\": \"" + canary + "\"}\n}", "line 3, column 18: events: not an instant; write it as 2026-01-31T10:00:00Z", "columns count characters"},
			{`{"id":"r","holds":[{"id":"a"},{"id":"b","placed":"` + canary + `"}]}`, "line 1, column 50: holds.placed: not an instant", "the second of two"},
			{`{"id":"r","holds":[{"id":"` + canary + `","scope":"x","placed":"2026-01-01T00:00:00Z"}]}`, "line 1, column 19: holds: an id that is not a key", "found by the engine"},
			{`{"id":"r","categories":["` + canary + `"]}`, "line 1, column 24: categories: not a key", "found by the engine"},
			{`{"id":"r","copies":["primary","` + canary + `"]}`, "line 1, column 31: copies: an unknown copy", "the second of two"},
			{`{"id":"r","removed":{"` + canary + `":"2026-01-01T00:00:00Z"}}`, "line 1, column 44: removed: an unknown copy", "at its value"},
			{`{"id":"r","erasure":{"at":"2026-01-01T00:00:00Z","` + canary + `":1}}`, "line 1, column 72: erasure: an unknown key", "at its value"},
			{`{"id":"r","erasure":{"at":"2026-01-01T00:00:00Z"}}`, "line 1, column 21: erasure: an id that is not a key", "found by the engine"},
			{`{"id":"r",` + "\n" + `"` + canary + `":[1,2]}`, "line 2, column 24: an unknown key", "a list"},
			{`{"id":7}`, "line 1, column 7: id: not a text", "an id of the wrong kind"},
			{`{"class":"c"}`, "standard input: id: missing; give every record its key", "no place to point at"},
			{`["` + canary + `"]`, "line 1, column 1: not an object", "a list"},
			{`{"id":"r"} {"id":"` + canary + `"}`, "line 1, column 12: something follows the JSON value", "two records"},
			{`{"id":"r","id":"` + canary + `"}`, "an object has one key twice", "which one counts?"},
			{`{"id":"r","attr":{"a":{"b":"` + canary + `"}}}`, "attr: not a text, number or boolean", "a value that conditions cannot see"},
			{"{\"id\":\"r\",\"class\":\"" + canary + "\xff\"}", "not valid UTF-8", "bytes"},
			{`{"id":"r","class":"` + strings.Repeat("x", 1<<20) + `"}`, "longer than 1 MiB", "bounded"},
			{`{"id":"` + canary, "the JSON ends too early", "cut"},
		} {
			r := planned(t, tt.record, command, "-")
			assert.Equal(t, exitBad, r.code, tt.want)
			assert.Empty(t, r.out)
			assert.Contains(t, r.err, tt.want, tt.reason)
			assert.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
		}
	}
}

// FuzzRecord holds that whatever is wrong with a record is told in one line, at a place
// inside of it, without any of its texts.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		`{"id":"r","categories":["customer.files"],"events":{"subscription_end":"2025-12-31T23:59:59Z"}}`,
		"{\n\"id\":\"r\",\"holds\":[{\"id\":\"a\"},{\"placed\":1}]}", `{"id":[{"a":[]}]}`, `{"erasure":{"at":{"x":1}}}`, `[]`, `{"id":"r","attr":{"a":1e999}}`, "\xff", `{"id":"r","holds":[{"id":"a","scope":"*","placed":"0001-01-01T00:00:00Z"}]}`,
	} {
		f.Add([]byte(text))
	}
	_, guard, err := openPlanner(&planFlags{policy: planPolicy})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		p := planner{guard: guard}
		err := p.read(text)
		if err == nil {
			_, err = p.plan(sweepAt, true)
		}
		if err == nil {
			planText(&p.whole)
			return
		}
		said, at := recordProblem(text, err)
		require.LessOrEqual(t, at, len(text))
		require.NotContains(t, said.String(), "\n")
		require.NotEmpty(t, said.text)
		again, place := recordProblem(text, err)
		require.Equal(t, []any{said, at}, []any{again, place})
		require.NotContains(t, badRecord("f", text, err).Error(), "\n")
	})
}

func TestPlanDoesNotStart(t *testing.T) {
	for _, command := range []string{"plan", "timeline"} {
		for _, tt := range []struct {
			args []string
			want string
		}{
			{nil, command + " wants one record; name its file, or - for standard input; for many records: privet sweep"},
			{[]string{"a", "b"}, "wants one record"},
			{[]string{t.TempDir()}, "is a folder"},
			{[]string{"no-such-record.json"}, "there is no such file"},
			{[]string{"--at", "today", heldRecord}, "--at is not an instant; write it as 2026-03-28T10:00:00Z"},
			{[]string{"--policy", "pack:none", heldRecord}, "there is no pack"},
		} {
			r := privet(t, "", append([]string{command}, tt.args...)...)
			assert.Equal(t, exitStop, r.code, tt.args)
			assert.Contains(t, r.err, tt.want)
		}
	}
	for _, tt := range [][]string{{"--format", "png"}, {"--width", "100"}, {"-o", t.TempDir()}} {
		r := privet(t, "", append([]string{"timeline", heldRecord}, tt...)...)
		assert.Equal(t, exitStop, r.code, "%v: %s", tt, r.err)
	}
}

func TestTimeline(t *testing.T) {
	text, err := os.ReadFile(heldRecord)
	require.NoError(t, err)
	r := planned(t, string(text), "timeline", "-")
	require.Equal(t, exitDone, r.code, r.err)
	wellFormed(t, r.out, true)
	assert.Contains(t, r.out, "<title id=\"tl960-t\">customer.files: Held by case-1: not to be deleted</title>")
	assert.Contains(t, r.out, "url(#tl960-h)", "a hold is hatched")

	narrow := planned(t, string(text), "timeline", "--width", "400", "-")
	assert.Contains(t, narrow.out, `width="400"`)

	for name, html := range map[string]bool{"plan.svg": false, "plan.html": true, "plan": false} {
		path := filepath.Join(t.TempDir(), name)
		r := planned(t, string(text), "timeline", "-o", path, "-")
		require.Equal(t, exitDone, r.code, r.err)
		assert.Empty(t, r.out)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, html, strings.HasPrefix(string(got), "<!DOCTYPE html>"), name)
		wellFormed(t, string(got), !html)
		assert.NotContains(t, string(got), "<script")
	}
	page := planned(t, string(text), "timeline", "--format", "html", "-")
	require.Equal(t, exitDone, page.code, page.err)
	assert.Equal(t, 2, strings.Count(page.out, "<svg"), "wide and narrow")
	assert.Contains(t, page.out, "limited [terms] statement floor")
}

func wellFormed(t *testing.T, text string, strict bool) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	if !strict {
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	}
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else {
			require.NoError(t, err)
		}
	}
}

// A pipe that nobody reads any more ends the command with its own status.
func TestPlanBrokenPipe(t *testing.T) {
	for _, args := range [][]string{{"plan", heldRecord}, {"plan", "--json", heldRecord}, {"timeline", heldRecord}} {
		var said strings.Builder
		code := run(t.Context(), args, &env{stdin: strings.NewReader(""), stdout: brokenPipe{}, stderr: &said, now: sweepClock})
		assert.Equal(t, exitStop, code, args)
		assert.Contains(t, said.String(), "cannot write the output")
	}
}

// The transcripts of docs/retention.md are run from top to bottom in one folder. The
// picture there, of scenario S8 of package retention, is what one of them has written.
func TestRetentionDocs(t *testing.T) {
	path := filepath.Join(sourceFolder(t), "..", "..", "docs", "retention.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.CopyFS(home, os.DirFS("testdata/plan/docs")))
	t.Chdir(home)
	took := regexp.MustCompile(` in \d+m?s`)
	block := regexp.MustCompile("(?s)```console\n\\$ (.*?)\n(.*?)```")
	shown := 0
	anew := block.ReplaceAllStringFunc(string(text), func(b string) string {
		m := block.FindStringSubmatch(b)
		got := ""
		if name, ok := strings.CutPrefix(m[1], "cat "); ok {
			content, err := os.ReadFile(name)
			require.NoError(t, err)
			got = string(content)
		} else {
			args := strings.Fields(m[1])
			require.Equal(t, "privet", args[0])
			r := privet(t, "", args[1:]...)
			require.Equal(t, exitDone, r.code, r.err)
			got = r.out + took.ReplaceAllString(r.err, " in 3ms")
		}
		shown++
		if !*update {
			assert.Equal(t, fresh.ReplaceAllString(m[2], "#"), fresh.ReplaceAllString(got, "#"), "%s: run with -update after reading the difference", m[1])
		}
		return "```console\n$ " + m[1] + "\n" + got + "```"
	})
	require.GreaterOrEqual(t, shown, 6, "the document shows commands")
	drawn, err := os.ReadFile("plan.svg")
	require.NoError(t, err)
	picture := filepath.Join(filepath.Dir(path), "timeline-s8.svg")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(anew), 0o644))
		require.NoError(t, os.WriteFile(picture, drawn, 0o644))
	}
	have, err := os.ReadFile(picture)
	require.NoError(t, err)
	assert.Equal(t, string(have), string(drawn), "run with -update, and look at the picture")
}
