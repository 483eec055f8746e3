package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// committed is how many events the quickstart ships.
const committed = 240

func generate(t testing.TB, n int, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, n, seed))
	return b.Bytes()
}

func TestCommittedEventsAreTheGeneratorsOwn(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "quickstart", "testdata", "events.jsonl"))
	require.NoError(t, err)
	if !bytes.Equal(file, generate(t, committed, 1)) {
		t.Fatal("examples/quickstart/testdata/events.jsonl differs from what the generator makes; run: make generate")
	}
}

func TestEventsDependOnSeedAndNumberOnly(t *testing.T) {
	many := generate(t, 500, 7)
	assert.True(t, bytes.HasPrefix(many, generate(t, 100, 7)), "the first 100 events are the same however many follow")
	assert.NotEqual(t, many, generate(t, 500, 8), "another seed, other events")
}

func TestEventsAreWhatTheyClaim(t *testing.T) {
	const n = 5000
	lines := bytes.Split(bytes.TrimSpace(generate(t, n, 3)), []byte("\n"))
	require.Len(t, lines, n)
	leaves, texts, consents := 0, 0, 0
	features, tenantsSeen, subjects, classes, purposes := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, line := range lines {
		var e struct {
			ID, At, Class, Purpose, Feature, Operation string
			Subject                                    struct{ ID, Tenant string }
			Consents                                   []any
			Fields                                     map[string]any
		}
		require.NoError(t, json.Unmarshal(line, &e))
		requireUniqueKeys(t, line)
		leaves += count(e.Fields)
		for _, key := range []string{"note", "comment", "userFeedback", "supportNote"} {
			if e.Fields[key] != nil {
				texts++
			}
		}
		if len(e.Consents) > 0 {
			consents++
		}
		features[e.Feature]++
		classes[e.Class]++
		purposes[e.Purpose]++
		tenantsSeen[e.Subject.Tenant]++
		subjects[e.Subject.ID]++
	}
	assert.InDelta(t, perEvent, float64(leaves)/n, 3, "fields per event")
	assert.InDelta(t, shareFreeText, 100*float64(texts)/n, 3, "percent with free text")
	assert.InDelta(t, 30, 100*float64(consents)/n, 6, "percent with consents")
	assert.Len(t, subjects, len(people))
	assert.GreaterOrEqual(t, len(tenantsSeen), 4)
	for _, f := range flows {
		assert.NotZero(t, features[f.feature], f.feature)
		assert.NotZero(t, classes[f.class], f.class)
		assert.NotZero(t, purposes[f.purpose], f.purpose)
	}
	t.Logf("%d events: %.1f fields and %d bytes each", n, float64(leaves)/n, len(bytes.Join(lines, nil))/n)
}

// count is the number of values at the ends of a document.
func count(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			n += count(child)
		}
	case []any:
		for _, child := range v {
			n += count(child)
		}
	default:
		return 1
	}
	return n
}

// requireUniqueKeys fails when an object has a key twice: encoding/json would
// keep the last and say nothing, `privet process` refuses the line.
func requireUniqueKeys(t testing.TB, line []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	var walk func() error
	walk = func() error {
		token, err := d.Token()
		if err != nil {
			return err
		}
		open, ok := token.(json.Delim)
		if !ok {
			return nil
		}
		seen := map[string]bool{}
		for d.More() {
			if open == '{' {
				key, err := d.Token()
				if err != nil {
					return err
				}
				if seen[key.(string)] {
					return fmt.Errorf("key %q twice", key)
				}
				seen[key.(string)] = true
			}
			if err := walk(); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	}
	require.NoError(t, walk(), "%s", line)
}

var (
	mailPattern  = regexp.MustCompile(`[\pL0-9._-]+@([a-z0-9.-]+[a-z])`)
	phonePattern = regexp.MustCompile(`\+1 425 [0-9 ]+|\(206\) [0-9-]+|\+44 [0-9 ]+`)
	macPattern   = regexp.MustCompile(`(?:[0-9A-F]{2}:){5}[0-9A-F]{2}`)
	hostPattern  = regexp.MustCompile(`https?://([^/"]+)`)
)

func TestNobodysDataIsInside(t *testing.T) {
	text := string(generate(t, 20000, 5))
	reserved := regexp.MustCompile(`(^|\.)example\.(com|org|net)$|\.test$`)
	mails := mailPattern.FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, mails)
	for _, m := range mails {
		require.Regexp(t, reserved, m[1], "only domains reserved for documentation and tests")
	}
	hosts := hostPattern.FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, hosts)
	for _, h := range hosts {
		require.Regexp(t, reserved, h[1])
	}
	phones := phonePattern.FindAllString(text, -1)
	require.NotEmpty(t, phones)
	for _, p := range phones {
		require.Regexp(t, `555[ -]01\d\d$|^\+44 20 7946 0\d\d\d$`, strings.TrimSpace(p), "only numbers reserved for fiction")
	}
	macs := macPattern.FindAllString(text, -1)
	require.NotEmpty(t, macs)
	for _, m := range macs {
		require.True(t, strings.HasPrefix(m, "00:00:5E:00:53:"), m)
	}
	m := &maker{rand: rand.New(rand.NewPCG(1, 1))}
	for range 1000 {
		address := netip.MustParseAddr(m.ip())
		require.True(t, slices.ContainsFunc([]string{"192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"}, func(prefix string) bool {
			return netip.MustParsePrefix(prefix).Contains(address)
		}), address)
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	peak := func(n int) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		require.NoError(t, write(discard{}, n, 1))
		runtime.ReadMemStats(&after)
		return after.HeapSys - min(after.HeapSys, before.HeapSys)
	}
	peak(1000)
	assert.Less(t, peak(50_000), uint64(64<<20), "50,000 events are 75 MB of text; none of it may be kept")
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkEvent(b *testing.B) {
	g, err := newGenerator(1)
	require.NoError(b, err)
	b.ReportAllocs()
	var line []byte
	for i := 0; b.Loop(); i++ {
		line = g.append(line[:0], i)
	}
	b.SetBytes(int64(len(line)))
}
