package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/sweep"
)

const sweepFile = "testdata/plan/docs/records.jsonl"

func sweepClock() time.Time { return sweepAt }

// A brokenPipe is a reader that has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func swept(t testing.TB, stdin string, args ...string) ran {
	return privet(t, stdin, append([]string{"sweep", "--policy", planPolicy, "--at", "2026-07-01T00:00:00Z"}, args...)...)
}

// found are the findings as "id copy status".
func found(t testing.TB, out string) (list []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		var f struct{ ID, Copy, Status string }
		require.NoError(t, json.Unmarshal([]byte(line), &f), line)
		list = append(list, f.ID+" "+f.Copy+" "+f.Status)
	}
	return list
}

func TestSweep(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		want   []string
		reason string
	}{
		{nil, []string{"r2 primary overdue", "r2 backup overdue", "r5 primary due"}, "the cache of r2 is gone already"},
		{[]string{"--due"}, []string{"r5 primary due"}, "only wishes"},
		{[]string{"--overdue"}, []string{"r2 primary overdue", "r2 backup overdue"}, "only ceilings"},
		{[]string{"--all"}, []string{"r1 primary held", "r2 primary overdue", "r2 backup overdue", "r3 primary deletable", "r4 primary no_rule", "r5 primary due", "r6 primary pending_event"}, "every copy that is there"},
		{[]string{"--copies", "backup, cache"}, []string{"r2 backup overdue", "r5 backup due", "r5 cache due"}, "what lists no copies has those that are asked for"},
		{[]string{"--copies", "cache,cache", "--overdue"}, nil, "gone"},
		{[]string{"--jobs", "7"}, []string{"r2 primary overdue", "r2 backup overdue", "r5 primary due"}, "the order of the input"},
	} {
		r := swept(t, "", append(tt.args, sweepFile)...)
		require.Equal(t, exitDone, r.code, r.err)
		assert.Equal(t, tt.want, found(t, r.out), "%v: %s", tt.args, tt.reason)
		for _, want := range []string{"6 records in ", "account version 3", "asked at   2026-07-01T00:00:00Z", "1 overdue: past its deadline", "1 held: under a hold", "1 no_rule: no rule says how long"} {
			assert.Contains(t, r.err, want)
		}
	}
	r := swept(t, "", sweepFile)
	assert.Contains(t, r.err, "overdue    2 copies: 1 primary, 1 backup; 2 in breach\n  by rule    2 deletion\n  since      2026-06-29T23:59:59Z, the earliest deadline that was missed\n")
	assert.Contains(t, r.err, "due        1 copy: 1 primary\n")
}

func TestSweepFiles(t *testing.T) {
	out, report := filepath.Join(t.TempDir(), "due.jsonl"), filepath.Join(t.TempDir(), "sweep.html")
	r := swept(t, "", "--report", report, sweepFile, out)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Empty(t, r.out)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Len(t, found(t, string(text)), 3)
	page, err := os.ReadFile(report)
	require.NoError(t, err)
	for _, want := range []string{"What is due among 6 records", "The earliest deadline that was missed: <strong>2026-06-29T23:59:59Z</strong>", "deletion", "2026-06", "tidy", "What our tax adviser says"} {
		assert.Contains(t, string(page), want)
	}
	for _, banned := range []string{"<script", "http:", "https:", "src=", "href=", "url(", "ZgotmplZ", `"r2"`, "p1_1_"} {
		assert.NotContains(t, string(page), banned)
	}
	wellFormed(t, string(page), false)
}

// A person at a terminal sees how far a long sweep is, and the summary stands alone.
func TestSweepProgress(t *testing.T) {
	at, ticks := sweepAt, 0
	clock := func() time.Time { ticks++; return at.Add(time.Duration(ticks) * time.Second) }
	var out, said bytes.Buffer
	in := filepath.Join(t.TempDir(), "in.jsonl")
	require.NoError(t, os.WriteFile(in, sweepRecords(20_000), 0o600))
	code := run(t.Context(), []string{"sweep", "--policy", planPolicy, in}, &env{stdin: strings.NewReader(""), stdout: &out, stderr: &said, now: clock, terminal: true})
	require.Equal(t, exitDone, code)
	assert.Contains(t, said.String(), "processing")
	assert.Contains(t, said.String(), "20,000 records in ")
	assert.Contains(t, said.String(), " records/s)")
}

// A request for erasure has an id of its own: a summary must not grow with them.
func TestSweepRequestsAreOneRow(t *testing.T) {
	var in strings.Builder
	for i := range 50 {
		fmt.Fprintf(&in, `{"id":"r%d","categories":["customer.files"],"events":{"subscription_end":"2026-01-01T00:00:00Z"},"erasure":{"id":"req-%[1]d","at":"2026-02-01T00:00:00Z"}}`+"\n", i)
	}
	report := filepath.Join(t.TempDir(), "sweep.html")
	r := swept(t, in.String(), "--report", report, "--at", "2026-05-01T00:00:00Z")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Len(t, found(t, r.out), 50)
	page, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(page), "a request for erasure")
	assert.NotContains(t, string(page), "req-")
}

func TestSweepBadLines(t *testing.T) {
	bad := `{"id":"` + canary + `","events":{"created":"` + canary + `"}}`
	in := lines(
		`{"id":"a","categories":["invoice"],"events":{"created":"2015-03-15T00:00:00Z"}}`,
		bad, bad, "",
		`{"id":"b","categories":["`+canary+`"]}`,
		`{"id":"`+canary+`","`+canary+`":1}`,
		canary,
		`{"id":"c","categories":["invoice"],"events":{"created":"2015-03-15T00:00:00Z"}}`,
	)
	r := swept(t, in)
	assert.Equal(t, exitBad, r.code)
	assert.Equal(t, []string{"a primary due", "c primary due"}, found(t, r.out))
	for _, want := range []string{
		"privet: lines 2–3: events: not an instant; write it as 2026-01-31T10:00:00Z\n",
		"privet: line 5: categories: not a key: use 1 to 128 letters",
		"privet: line 6: an unknown key (byte 51); use the keys",
		"privet: line 7: not valid JSON (byte 1); write one JSON object a line\n",
		"bad lines  5, named above; the others were processed",
	} {
		assert.Contains(t, r.err, want)
	}
	out := filepath.Join(t.TempDir(), "out")
	r = swept(t, in, "--strict", "-", out)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.err, out+" was not written")
	assert.NoFileExists(t, out)
}

func TestSweepDoesNotStart(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--due", "--all"}, "none of the others can be"},
		{[]string{"--copies", "tape"}, "--copies names an unknown kind; use primary"},
		{[]string{"--jobs", "0"}, "--jobs must be from 1 to 1024"},
		{[]string{"--at", "now"}, "--at is not an instant"},
		{[]string{"a", "b", "c"}, "more than an input and an output"},
		{[]string{"no-such-file"}, "there is no such file"},
		{[]string{"--report", "-"}, "cannot both go to standard output"},
		{[]string{sweepFile, t.TempDir()}, "is a folder"},
		{[]string{"--policy", "pack:none"}, "there is no pack"},
	} {
		r := swept(t, "", tt.args...)
		assert.Equal(t, exitStop, r.code, tt.args)
		assert.Contains(t, r.err, tt.want)
	}
}

func TestSweepOfNothing(t *testing.T) {
	r := swept(t, "\n\n")
	assert.Equal(t, exitDone, r.code)
	assert.Empty(t, r.out)
	assert.Contains(t, r.err, "the input is empty: no record, nothing to plan")
}

func TestSweepBrokenPipe(t *testing.T) {
	var said strings.Builder
	code := run(t.Context(), []string{"sweep", "--policy", planPolicy, sweepFile}, &env{stdin: strings.NewReader(""), stdout: brokenPipe{}, stderr: &said, now: sweepClock})
	assert.Equal(t, exitStop, code)
	assert.Contains(t, said.String(), "cannot write the output")
}

// The command finds what package sweep finds, in the same order, whatever the number
// of workers.
func TestSweepIsTheLibrary(t *testing.T) {
	_, guard, err := openPlanner(&planFlags{policy: planPolicy})
	require.NoError(t, err)
	in := sweepRecords(5000)
	var want bytes.Buffer
	var sum sweep.Summary
	plans := &planner{guard: guard}
	for f, err := range sweep.Sweep(libraryPlanner{plans}, sweepAt, sweep.Lines(bytes.NewReader(in)), &sum) {
		require.NoError(t, err)
		want.Write(append(f.AppendJSON(nil), '\n'))
	}
	require.NotZero(t, sum.ByStatus[retention.Overdue])
	for _, jobs := range []string{"1", "5"} {
		r := swept(t, string(in), "--jobs", jobs)
		require.Equal(t, exitDone, r.code, r.err)
		require.True(t, r.out == want.String(), "jobs %s: other findings than the library's", jobs)
		assert.Contains(t, r.err, group(sum.ByStatus[retention.Overdue])+" overdue: ")
		assert.Contains(t, r.err, group(sum.Breaches)+" in breach")
		assert.Contains(t, r.err, "since      "+stamp(sum.Oldest))
	}
}

// libraryPlanner lets package sweep ask a guard; none of these records has attributes
// that decide anything.
type libraryPlanner struct{ p *planner }

func (l libraryPlanner) PlanInto(dst *retention.Plan, in *retention.Input) (err error) {
	in.Request = nil
	*dst, err = l.p.guard.Plan(*in)
	return err
}

// repeated is a long stream of equal lines, made while it is read.
type repeated struct {
	block []byte
	left  int // blocks
	at    int
}

func (r *repeated) Read(b []byte) (int, error) {
	if r.at == len(r.block) {
		r.at, r.left = 0, r.left-1
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.block[r.at:])
	r.at += n
	return n, nil
}

// Memory does not depend on the length of the input.
func TestSweepMemory(t *testing.T) {
	_, guard, err := openPlanner(&planFlags{policy: planPolicy})
	require.NoError(t, err)
	peak := func(blocks int) (most uint64) {
		all := &sweeping{at: sweepAt, want: wantFound(false, false, false)}
		workers := []worker{&sweeper{planner: planner{guard: guard}, sweeping: all}, &sweeper{planner: planner{guard: guard}, sweeping: all}}
		batches := 0
		s := stream{in: &repeated{block: sweepRecords(1000), left: blocks}, out: &fullLines{w: io.Discard}, maxLine: sweep.MaxLine, workers: workers, bad: func(badLine) {}, read: func(int64) {
			if batches++; batches%20 == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}}
		good, bad, err := s.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, []int{blocks * 1000, 0}, []int{good, bad})
		return most
	}
	// Batches in flight differ by a few megabytes from run to run; the longer input has 32.
	little, much := peak(20), peak(200)
	assert.Less(t, float64(much), float64(little)+8e6, "ten times the records: %d and %d bytes", little, much)
}

func TestFullLines(t *testing.T) {
	whole := "\n\na\n\nbc\nd\n\n\ne\n"
	for cut := range len(whole) {
		for second := cut; second < len(whole); second++ {
			var b bytes.Buffer
			f := &fullLines{w: &b}
			for _, part := range []string{whole[:cut], whole[cut:second], whole[second:]} {
				n, err := f.Write([]byte(part))
				require.NoError(t, err)
				require.Equal(t, len(part), n)
			}
			require.Equal(t, "a\nbc\nd\ne\n", b.String())
		}
	}
}

// Many deadlines are told by the year.
func TestSweepReportIsBounded(t *testing.T) {
	var sum sweepSummary
	for y := range 30 {
		for m := range 12 {
			sum.Tally.ByMonth.plus(fmt.Sprintf("%04d-%02d", 2000+y, m+1), 1)
		}
	}
	for i := range 30 {
		sum.Tally.ByRule.plus(fmt.Sprintf("rule-%02d", i), 1)
	}
	sum.Records, sum.Tally.Overdue[0] = 1, 30
	page, err := sum.page()
	require.NoError(t, err)
	assert.Contains(t, string(page), `<th scope="row">2029</th>`)
	assert.NotContains(t, string(page), "2029-01")
	var b strings.Builder
	sum.print(&b)
	assert.Contains(t, b.String(), "and 10 rules more\n")
	assert.Equal(t, 1, strings.Count(b.String(), "all of them habits"))
}

func TestCopyKinds(t *testing.T) {
	kinds, err := copyKinds("backup, media,backup")
	require.NoError(t, err)
	assert.Equal(t, []retention.Copy{retention.Backup, retention.Media}, slices.Clone(kinds))
}
