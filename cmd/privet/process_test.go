package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canary stands in every input of these tests where it may. It must never be in
// what is printed for people.
const canary = "canary@example.test"

// smallPolicy is what most tests decide by.
const smallPolicy = "testdata/policy.yaml"

var now = time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)

// ran is what one run of the command gave.
type ran struct {
	code     int
	out, err string
}

// privet runs the command as a shell would, in this process.
func privet(t testing.TB, stdin string, args ...string) ran {
	t.Helper()
	r := runWith(t, context.Background(), strings.NewReader(stdin), args...)
	require.NotContains(t, r.err, canary, "standard error must hold nothing of an input")
	require.NotContains(t, r.err, "canary", "nor a part of it")
	return r
}

func runWith(_ testing.TB, ctx context.Context, stdin io.Reader, args ...string) ran {
	var out, problems bytes.Buffer
	code := run(ctx, args, &env{stdin: stdin, stdout: &out, stderr: &problems, now: func() time.Time { return now }})
	return ran{code, out.String(), problems.String()}
}

// file writes a file into a fresh folder.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// keys is a file with a fixed secret, so that results are equal across runs.
func keys(t testing.TB) string {
	t.Helper()
	return file(t, "keys", "# a comment\n\ncontoso 1 "+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))+"\n")
}

// event is a line with an id, everything else of the same kind, and the canary in
// every part that takes free text.
func event(id string) string {
	return fmt.Sprintf(`{"id":%q,"at":"2026-03-28T10:00:00Z","class":"service.required","purpose":"serve","feature":"finder","subject":{"id":"%s","tenant":"contoso","attr":{"a":"%[2]s"}},"context":{"c":"%[2]s"},"anchors":{"used_at":"2026-03-28T10:00:00Z"},"fields":{"userEmail":"%[2]s","lat":47.6401,"secret":"%[2]s","note":"write to %[2]s now","colour":"red","%[2]s":1}}`, id, canary)
}

func lines(events ...string) string { return strings.Join(events, "\n") + "\n" }

// ids are the ids of results, in order.
func ids(t testing.TB, results string) (out []string) {
	t.Helper()
	for line := range strings.Lines(results) {
		var r struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		out = append(out, r.ID)
	}
	return out
}

func TestProcess(t *testing.T) {
	in, out, report := file(t, "in.jsonl", lines(event("a"), event("b"))), filepath.Join(t.TempDir(), "out.jsonl"), filepath.Join(t.TempDir(), "report.html")
	r := privet(t, "", "process", "--policy", smallPolicy, "--keys", keys(t), "--report", report, in, out)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Empty(t, r.out, "results go to the file")
	results, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, ids(t, string(results)))
	var first struct {
		Outcome string
		Fields  map[string]any
	}
	require.NoError(t, json.Unmarshal(bytes.SplitN(results, newline, 2)[0], &first))
	assert.Equal(t, "allow", first.Outcome)
	assert.Equal(t, "red", first.Fields["colour"])
	assert.InDelta(t, 47.64, first.Fields["lat"], 1e-9)
	assert.NotContains(t, first.Fields, "secret")
	assert.Regexp(t, `^p1_1_`, first.Fields["userEmail"])

	for _, want := range []string{
		"2 events", "command-tests version 7, fingerprint ",
		"2 allow: all fields allowed",
		"12: 4 kept as they are, 2 made less precise, 4 replaced by pseudonyms, 2 dropped",
		"2 pieces: 2 replaced by pseudonyms",
		"12 allowed: needed for what the person uses (CONTRACT)",
		"2 copies to be gone on 2026-03-30 (2 typical)",
	} {
		assert.Contains(t, r.err, want)
	}
	assert.NotContains(t, r.err, "development keys", "keys were given")
	page, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.NotContains(t, string(page), "canary")
}

func TestProcessStreams(t *testing.T) {
	for _, args := range [][]string{nil, {"-"}, {"-", "-"}} {
		r := privet(t, lines(event("a")), append([]string{"process", "-p", smallPolicy}, args...)...)
		require.Equal(t, exitDone, r.code, r.err)
		assert.Equal(t, []string{"a"}, ids(t, r.out), "%q: nothing and - are standard input and output", args)
		assert.Contains(t, r.err, "development keys and will not join across runs")
	}
}

func TestOrderAndJobs(t *testing.T) {
	var text strings.Builder
	var want []string
	for i := range 5000 {
		id := fmt.Sprintf("e%d", i)
		want = append(want, id)
		text.WriteString(event(id) + "\n")
		if i%7 == 0 { // so that batches differ in length
			text.WriteString(strings.Repeat(" ", i) + "\n")
		}
	}
	k := keys(t)
	one := privet(t, text.String(), "process", "-p", smallPolicy, "--keys", k, "--jobs", "1")
	many := privet(t, text.String(), "process", "-p", smallPolicy, "--keys", k, "-j", "16")
	require.Equal(t, exitDone, one.code, one.err)
	assert.Equal(t, want, ids(t, one.out), "the order of the input")
	assert.Equal(t, one.out, many.out, "the same bytes with any number of jobs")
	assert.Equal(t, one.err, many.err, "and the same summary")
}

// Every kind of bad line, between good ones: each is named, the others are
// processed.
func TestBadLines(t *testing.T) {
	deep := `{"purpose":"serve","fields":{"canary":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}}`
	tests := []struct {
		line   string
		want   string
		reason string
	}{
		{`{"id":"canary","fields":{`, "the JSON ends too early", "a line that was cut"},
		{`canary`, "not valid JSON", "no JSON at all"},
		{`["canary"]`, "an event is a JSON object", "JSON, but a list"},
		{event("x") + ` "canary"`, "something follows the JSON value", "two values on one line"},
		{deep, "nested too deeply", "10,000 levels"},
		{`{"purpose":"serve","fields":{"canary":"` + "\xff\xfe" + `"}}`, "not valid UTF-8", "bytes that are no text"},
		{`{"purpose":"serve","fields":{"canary":"\ud800"}}`, "not valid UTF-8", "half of a surrogate pair"},
		{`{"purpose":"serve","fields":{"canary":1,"canary":2}}`, "an object has one key twice", "which of the two?"},
		{`{"canary":1,"fields":{}}`, "has a key that is not known here", "data that went astray into the event"},
		{`{"at":"canary@example.test","fields":{}}`, "at: not an instant", "a time that is none"},
		{`{"subject":{"id":["canary"]},"fields":{}}`, "subject.id: must be a text", "a part of the wrong kind"},
		{`{"consents":[{"purpose":"canary","state":"canary"}],"at":"2026-03-28T10:00:00Z","purpose":"serve","fields":{}}`, "consents", "a consent that is malformed"},
		{strings.Repeat(" ", 10) + `{"fields":{"canary":"` + strings.Repeat("x", 3000) + `"}}`, "longer than 2,000 bytes", "over --max-line"},
		{strings.Repeat("x", 600_000), "longer than 2,000 bytes", "over --max-line and over a batch"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			maxLine := "2000"
			if len(tt.line) > 3000 && tt.want != "longer than 2,000 bytes" {
				maxLine = "4194304"
			}
			r := privet(t, lines(event("a"), tt.line, "", event("b")), "process", "-p", smallPolicy, "--max-line", maxLine)
			assert.Equal(t, exitBad, r.code, r.err)
			assert.Equal(t, []string{"a", "b"}, ids(t, r.out), "the good lines")
			assert.Contains(t, r.err, "privet: line 2: ")
			assert.Contains(t, r.err, tt.want)
			assert.Contains(t, r.err, "bad lines  1, named above")
		})
	}
}

func TestBadLinesInARowAreOneRange(t *testing.T) {
	text := lines("x", "x", "xy", event("a"), "x", `{"fields":[]}`) + strings.Repeat("x\n", 100_000)
	r := privet(t, text, "process", "-p", smallPolicy)
	assert.Equal(t, exitBad, r.code)
	for _, want := range []string{"privet: lines 1–3: not valid JSON", "privet: line 5: not valid JSON (byte 1)", "privet: line 6: fields: must be an object", "privet: lines 7–100,006: not valid JSON", "bad lines  100,005, named above"} {
		assert.Contains(t, r.err, want)
	}
	assert.Less(t, strings.Count(r.err, "\n"), 20, "a million bad lines must not print a million")
}

func TestLine100MiB(t *testing.T) {
	var out, problems bytes.Buffer
	in := io.MultiReader(strings.NewReader(event("a")+"\n"), &endless{100 << 20}, strings.NewReader(event("b")))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	code := run(context.Background(), []string{"process", "-p", smallPolicy}, &env{stdin: in, stdout: &out, stderr: &problems, now: func() time.Time { return now }})
	runtime.ReadMemStats(&after)
	assert.Equal(t, exitBad, code)
	assert.Equal(t, []string{"a", "b"}, ids(t, out.String()))
	assert.Contains(t, problems.String(), "line 2: longer than 4 MiB; split the event, or allow more with --max-line")
	assert.Contains(t, problems.String(), "line 3: not valid JSON")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "100 MiB must not pass through memory")
}

func TestStrict(t *testing.T) {
	out := file(t, "out.jsonl", "what was there before\n")
	r := privet(t, lines(event("a"), "canary", event("b")), "process", "-p", smallPolicy, "--strict", "-", out)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.err, "line 2: not valid JSON")
	assert.Contains(t, r.err, "stopped at the first bad line")
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, "what was there before\n", string(text), "whole or not at all")
	requireOnly(t, filepath.Dir(out), "out.jsonl")

	r = privet(t, lines(event("a"), event("b")), "process", "-p", smallPolicy, "--strict")
	assert.Equal(t, exitDone, r.code, "nothing bad, nothing to stop at")
}

// requireOnly fails when a temporary file was left behind.
func requireOnly(t testing.TB, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	require.Equal(t, names, have)
}

// Inputs that are no JSON lines at all, or no input.
func TestForeignInputs(t *testing.T) {
	folder := t.TempDir()
	tests := []struct {
		content string
		code    int
		want    string
		reason  string
	}{
		{"", exitDone, "the input is empty", "an empty file is no fault"},
		{"\n \n\t\r\n", exitDone, "the input is empty", "blank lines only"},
		{"\xef\xbb\xbf" + event("a") + "\r\n", exitDone, "1 event", "a byte order mark and Windows line ends"},
		{event("a"), exitDone, "1 event", "no newline at the end"},
		{"[\n" + event("canary") + ",\n" + event("b") + "\n]\n", exitStop, "a JSON array; one JSON object a line is wanted; convert it: jq -c '.[]' ", "an array over lines"},
		{`[{"id":"canary"}]`, exitStop, "a JSON array", "an array on one line"},
		{"{\n  \"id\": \"canary\"\n}\n", exitStop, "a JSON document spread over lines; one JSON object a line is wanted; convert it: jq -c . ", "pretty-printed"},
		{"name,email\nJane,canary@example.test\nAda,ada@example.org\n", exitStop, "a table, such as CSV; one JSON object a line is wanted", "CSV"},
		{"name;email\nJane;canary@example.test\n", exitStop, "a table, such as CSV", "CSV as spreadsheets write it"},
		{"canary: 1\nfields:\n  a: 2\n", exitStop, "not JSON; one JSON object a line is wanted", "YAML"},
		{"\x1f\x8b\x08canary", exitStop, "compressed with gzip; one JSON object a line is wanted; unpack it on the way: zcat ", "gzip"},
		{"\x28\xb5\x2f\xfdcanary", exitStop, "compressed with zstd", "zstd"},
		{"PK\x03\x04canary", exitStop, "a zip archive", "zip"},
		{"PAR1canary", exitStop, "a Parquet file", "Parquet"},
		{"SQLite format 3\x00canary", exitStop, "an SQLite database", "SQLite"},
		{"\xff\xfe{\x00\"\x00", exitStop, "written in UTF-16", "UTF-16"},
		{"canary\x00\x01\x02", exitStop, "a binary file", "zero bytes"},
		{"canary\n" + event("a") + "\n", exitBad, "line 1: not valid JSON", "a broken first line is a broken line, no other format"},
		{"[canary\n" + event("a") + "\n", exitBad, "line 1: not valid JSON", "even if it begins like an array"},
	}
	for i, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			path := filepath.Join(folder, fmt.Sprintf("in%d", i))
			require.NoError(t, os.WriteFile(path, []byte(tt.content), 0o600))
			r := privet(t, "", "process", "-p", smallPolicy, path)
			assert.Equal(t, tt.code, r.code, r.err)
			assert.Contains(t, r.err, tt.want)
			if tt.code == exitStop {
				assert.Empty(t, r.out)
			}
			r = privet(t, tt.content, "process", "-p", smallPolicy)
			assert.Equal(t, tt.code, r.code, "the same from standard input: %s", r.err)
		})
	}
	for _, tt := range []struct{ path, want, reason string }{
		{folder, "is a folder; name a file in it, or join them: cat ", "a folder"},
		{filepath.Join(folder, "none"), "there is no such file", "a file that is not there"},
	} {
		r := privet(t, "", "process", "-p", smallPolicy, tt.path)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
	}
}

func TestOutputs(t *testing.T) {
	in := file(t, "in.jsonl", lines(event("a")))
	t.Run("a new file appears, and no other", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out.jsonl")
		require.Equal(t, exitDone, privet(t, "", "process", "-p", smallPolicy, in, out).code)
		requireOnly(t, filepath.Dir(out), "out.jsonl")
	})
	t.Run("a file is replaced and keeps its mode", func(t *testing.T) {
		out := file(t, "out.jsonl", "old")
		require.Equal(t, exitDone, privet(t, "", "process", "-p", smallPolicy, in, out).code)
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		assert.Equal(t, []string{"a"}, ids(t, string(text)))
		info, err := os.Stat(out)
		require.NoError(t, err)
		if runtime.GOOS != "windows" {
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
	})
	t.Run("bad lines do not cost the good ones", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out.jsonl")
		require.Equal(t, exitBad, privet(t, lines(event("a"), "x"), "process", "-p", smallPolicy, "-", out).code)
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		assert.Equal(t, []string{"a"}, ids(t, string(text)))
	})
	t.Run("a link stays a link", func(t *testing.T) {
		out := file(t, "real.jsonl", "old")
		link := filepath.Join(filepath.Dir(out), "link.jsonl")
		if err := os.Symlink(out, link); err != nil {
			t.Skip("this system makes no links here: " + err.Error())
		}
		require.Equal(t, exitDone, privet(t, "", "process", "-p", smallPolicy, in, link).code)
		target, err := os.Readlink(link)
		require.NoError(t, err)
		assert.Equal(t, out, target)
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		assert.Equal(t, []string{"a"}, ids(t, string(text)))
	})
	t.Run("a device is written, not replaced", func(t *testing.T) {
		before, err := os.Stat(os.DevNull)
		require.NoError(t, err)
		require.Equal(t, exitDone, privet(t, "", "process", "-p", smallPolicy, in, os.DevNull).code)
		after, err := os.Stat(os.DevNull)
		require.NoError(t, err)
		assert.Equal(t, before.Mode(), after.Mode())
	})
	for _, tt := range []struct{ out, want, reason string }{
		{t.TempDir(), "is a folder; name a file in it", "a folder"},
		{filepath.Join(t.TempDir(), "none", "out"), "there is no such file", "a folder that is not there"},
		{in, "is the input; name another file", "the input itself"},
	} {
		r := privet(t, "", "process", "-p", smallPolicy, in, tt.out)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
	}
	text, err := os.ReadFile(in)
	require.NoError(t, err)
	assert.Equal(t, lines(event("a")), string(text), "the input is as it was")
	r := privet(t, "", "process", "-p", smallPolicy, in, "out", "more")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "more than an input and an output")
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out := filepath.Join(t.TempDir(), "out.jsonl")
	in := &stopping{events: lines(event("a")), after: 50, stop: cancel}
	r := runWith(t, ctx, in, "process", "-p", smallPolicy, "-", out)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "stopped; nothing was written to the output file")
	requireOnly(t, filepath.Dir(out))
}

// stopping is an endless input during which somebody presses Ctrl-C.
type stopping struct {
	events string
	after  int
	stop   func()
}

func (s *stopping) Read(p []byte) (int, error) {
	if s.after--; s.after == 0 {
		s.stop()
	}
	return copy(p, s.events), nil
}

func TestBrokenStreams(t *testing.T) {
	r := runWith(t, context.Background(), io.MultiReader(strings.NewReader(lines(event("a"))), failing{os.ErrPermission}), "process", "-p", smallPolicy)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "cannot read the input: permission denied")
	var problems bytes.Buffer
	code := run(context.Background(), []string{"process", "-p", smallPolicy}, &env{stdin: strings.NewReader(lines(event("a"))), stdout: refusing{}, stderr: &problems, now: func() time.Time { return now }})
	assert.Equal(t, exitStop, code)
	assert.Contains(t, problems.String(), "cannot write the output: ")
}

type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, os.ErrPermission }

func TestKeyboard(t *testing.T) {
	var problems bytes.Buffer
	code := run(context.Background(), []string{"process", "-p", smallPolicy}, &env{stdin: strings.NewReader(lines(event("a"))), stdout: io.Discard, stderr: &problems, now: func() time.Time { return now }, typed: true})
	assert.Equal(t, exitDone, code)
	assert.Contains(t, problems.String(), "end with Ctrl-D", "who forgot the input must not wait in silence")
}

func TestExplainFlag(t *testing.T) {
	plain := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", keys(t))
	told := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", keys(t), "--explain")
	assert.NotContains(t, plain.out, `"trail":`)
	assert.Contains(t, told.out, `"trail":[`)
	assert.Equal(t, plain.err, told.err, "counting does not depend on it")
}

func TestAt(t *testing.T) {
	without := strings.Replace(event("a"), `"at":"2026-03-28T10:00:00Z",`, "", 1)
	r := privet(t, lines(without), "process", "-p", smallPolicy)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, `"status":"deletable"`, "now is the run's own instant, two hours after use")
	r = privet(t, lines(without), "process", "-p", smallPolicy, "--at", "2026-04-28T10:00:00Z")
	assert.Contains(t, r.out, `"status":"overdue"`)
	assert.Contains(t, r.err, "1 copy overdue already")
	r = privet(t, lines(without), "process", "-p", smallPolicy, "--at", canary)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "--at is not an instant; write it as ")
}

func TestFlagsOutOfRange(t *testing.T) {
	for _, args := range [][]string{{"--jobs", "0"}, {"--jobs", "100000"}, {"--max-line", "0"}, {"--max-line", "99999999999"}, {"--max-line", "x"}, {"--nothing"}} {
		r := privet(t, "", append([]string{"process", "-p", smallPolicy}, args...)...)
		assert.Equal(t, exitStop, r.code, "%q", args)
		assert.Contains(t, r.err, ";", "%q: says how to mend it", args)
		assert.Equal(t, 1, strings.Count(r.err, "\n"), "%q: one line, not the whole help: %s", args, r.err)
	}
}

func TestLedger(t *testing.T) {
	improve := `{"id":"a","at":"2026-03-28T10:00:00Z","class":"diagnostic.optional","purpose":"improve","subject":{"id":"s1","tenant":"contoso"},"fields":{"colour":"red"}}`
	granted := `{"subject":"s1","kind":"granted","purpose":"improve","at":"2026-01-01T00:00:00Z"}`
	withdrawn := `{"subject":"s1","kind":"withdrawn","purpose":"improve","at":"2026-02-01T00:00:00Z"}`
	for _, tt := range []struct{ ledger, want, reason string }{
		{"", `"reason":"CONSENT_UNSET"`, "nobody was asked"},
		{granted, `"reason":"CONSENT"`, "granted"},
		{granted + "\n\n" + withdrawn, `"reason":"WITHDRAWN"`, "withdrawn later"},
		{withdrawn + "\n" + granted, `"reason":"WITHDRAWN"`, "the order of the file is not the order of time"},
		{strings.Replace(granted, "s1", "s2", 1), `"reason":"CONSENT_UNSET"`, "somebody else"},
		{strings.Replace(granted, "2026", "2027", 1), `"reason":"CONSENT_UNSET"`, "not yet"},
		{`{"subject":"s1","kind":"erased","at":"2026-01-01T00:00:00Z"}`, `"reason":"ERASED"`, "erased"},
	} {
		r := privet(t, lines(improve), "process", "-p", smallPolicy, "--ledger", file(t, "ledger.jsonl", tt.ledger))
		require.Equal(t, exitDone, r.code, r.err)
		assert.Contains(t, r.out, tt.want, tt.reason)
	}
	for _, tt := range []struct{ ledger, want, reason string }{
		{granted + "\ncanary", "line 2: not an event of a ledger", "no JSON"},
		{`{"subject":"canary","kind":"granted","purpose":"improve","at":"2026-01-01T00:00:00Z","canary":1}`, "line 1: not an event of a ledger", "a key that is not known"},
		{`{"subject":"canary","kind":"granted","purpose":"improve","at":"canary"}`, "line 1: not an event of a ledger", "a time that is none"},
		{`{"subject":"canary","kind":"canary","purpose":"improve","at":"2026-01-01T00:00:00Z"}`, "line 1: state: unknown state", "a kind that is none"},
		{granted + granted, "line 1: not an event of a ledger", "two on one line"},
		{strings.Repeat("x", 5<<20), "line 1: longer than 4 MiB", "a line without end"},
	} {
		r := privet(t, lines(improve), "process", "-p", smallPolicy, "--ledger", file(t, "ledger.jsonl", tt.ledger))
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Empty(t, r.out, tt.reason)
	}
	r := privet(t, "", "process", "-p", smallPolicy, "--ledger", t.TempDir())
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "ledger: there is none in ")
	with := strings.Replace(improve, `"fields"`, `"consents":[{"purpose":"improve","state":"granted","given":"2026-01-01T00:00:00Z"}],"fields"`, 1)
	r = privet(t, lines(with), "process", "-p", smallPolicy, "--ledger", file(t, "ledger.jsonl", granted))
	assert.Equal(t, exitBad, r.code, "an event may not bring consents beside a ledger")
}

func TestKeys(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	k := keys(t)
	one, two := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", k), privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", k)
	assert.Equal(t, one.out, two.out, "the same keys, the same pseudonyms")
	fresh := privet(t, lines(event("a")), "process", "-p", smallPolicy)
	assert.NotEqual(t, one.out, fresh.out, "fresh keys, other pseudonyms")
	other := privet(t, lines(strings.Replace(event("a"), `"tenant":"contoso"`, `"tenant":"canary"`, 1)), "process", "-p", smallPolicy, "--keys", k)
	assert.Equal(t, exitDone, other.code, other.err)
	assert.Contains(t, other.err, "(NO_KEY)", "a tenant without a key loses the field, and the summary says so")
	for _, tt := range []struct{ text, want, reason string }{
		{"", "has no key", "an empty file"},
		{"# only a comment\n", "has no key", "a comment"},
		{"contoso 1\n", "line 1: not three words; write: tenant version secret", "a word is missing"},
		{"\ncontoso x " + secret, "line 2: the version is not a number from 1", "a version that is none"},
		{"contoso 0 " + secret, "line 1: the version is not a number from 1", "versions count from 1"},
		{"contoso 1 canary!", "line 1: the secret is not base64", "no base64"},
		{"contoso 1 " + base64.StdEncoding.EncodeToString([]byte(canary)), "line 1: the secret is not 32 random bytes", "too short"},
		{"contoso 1 " + base64.StdEncoding.EncodeToString(make([]byte, 32)), "line 1: the secret is not 32 random bytes", "all zero"},
		{"contoso 1 " + secret + "\ncontoso 1 " + secret, "line 2: this tenant has a secret of that version already", "twice"},
		{strings.Repeat("canary", 100_000), "line 1: cannot be read", "a line without end"},
	} {
		r := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", file(t, "keys", tt.text))
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.NotContains(t, r.err, secret, "a secret is never shown")
	}
	r := privet(t, "", "process", "-p", smallPolicy, "--keys", filepath.Join(t.TempDir(), "none"))
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "there is no such file")
}

func TestProgress(t *testing.T) {
	begin := now
	clock := func() time.Time { begin = begin.Add(300 * time.Millisecond); return begin }
	var text strings.Builder
	for i := range 3000 {
		text.WriteString(event(fmt.Sprint(i)) + "\n")
	}
	in := file(t, "in.jsonl", text.String()+"x\n")
	for _, tt := range []struct {
		terminal bool
		now      func() time.Time
		want     bool
		reason   string
	}{
		{true, clock, true, "long work on a terminal"},
		{false, clock, false, "no terminal: a log must not hold a bar"},
		{true, func() time.Time { return now }, false, "short work"},
	} {
		var out, problems bytes.Buffer
		code := run(context.Background(), []string{"process", "-p", smallPolicy, in}, &env{stdin: strings.NewReader(""), stdout: &out, stderr: &problems, now: tt.now, terminal: tt.terminal})
		require.Equal(t, exitBad, code, problems.String())
		assert.Equal(t, tt.want, strings.Contains(problems.String(), "processing"), tt.reason)
		assert.Contains(t, problems.String(), "privet: line 3,001: not valid JSON", tt.reason)
		assert.Len(t, ids(t, out.String()), 3000, "output is never mixed with it")
	}
}

var printed = regexp.MustCompile(`^.*\n2 events in 5s \(0 events/s\)\n`)

func TestSummaryTellsTheSpeed(t *testing.T) {
	begin := now
	var problems bytes.Buffer
	run(context.Background(), []string{"process", "-p", smallPolicy}, &env{stdin: strings.NewReader(lines(event("a"), event("b"))), stdout: io.Discard, stderr: &problems, now: func() time.Time { begin = begin.Add(5 * time.Second); return begin }})
	assert.Regexp(t, printed, problems.String())
}
