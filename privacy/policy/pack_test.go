package policy

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/retention"
)

// Every pack compiles, and all tests that stand in it pass.
func TestPacks(t *testing.T) {
	require.NotEmpty(t, Packs(), "the packs are embedded")
	for _, name := range Packs() {
		t.Run(name, func(t *testing.T) {
			report, err := TestPack(name)
			require.NoError(t, err)
			for _, f := range report.Failures {
				t.Error(f)
			}
			assert.NotZero(t, report.Policies, "a pack without tests proves nothing")
			assert.Empty(t, report.Untested, "each rule has a true and a false case")
			b, err := Pack(name)
			require.NoError(t, err)
			for _, s := range b.Sources() {
				assert.NotEmpty(t, s.AsOf, "source %s says how old it is, or that it is undated", s.ID)
			}
		})
	}
}

func openPack(t *testing.T, name string) *privacy.Guard {
	t.Helper()
	b, err := Pack(name)
	require.NoError(t, err)
	g, err := privacy.Open(b, privacy.WithSecrets(testSecrets()))
	require.NoError(t, err)
	return g
}

// Facts whose situation is more than one event; each is named where it is tested.
var testedInGo = []string{"X3", "X76"}

// Every fact of the page is stated by an entry of the pack and driven by a test.
func TestServiceDataFacts(t *testing.T) {
	want := []string{
		"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R37",
		"C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C23", "C24",
		"X1", "X2", "X3", "X4", "X5", "X23", "X24", "X25", "X26", "X27", "X28", "X29", "X30", "X76",
	}
	b, err := Pack("windows-service-data")
	require.NoError(t, err)
	stated := b.Facts()
	report, err := TestPack("windows-service-data")
	require.NoError(t, err)
	for _, f := range want {
		// What a page does not say, and what must stay apart, is stated by the
		// absence of a rule: only a test can show it.
		if !slices.Contains([]string{"R8", "R37", "C3"}, f) {
			assert.NotEmpty(t, stated[f], "no entry of the pack states %s", f)
		}
		assert.True(t, slices.Contains(report.Facts, f) || slices.Contains(testedInGo, f), "no test drives %s", f)
	}
	for f := range stated {
		assert.Contains(t, want, f, "an entry names a fact that is not of this page")
	}
	for _, f := range report.Facts {
		assert.Contains(t, want, f, "a test names a fact that is not of this page")
	}
}

// The table of the documentation lists the facts that the pack states, no more and
// no fewer.
func TestPackTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/packs.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "## windows-service-data")
	require.True(t, found)
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([RCX][0-9]+) \|`).FindAllStringSubmatch(section, -1) {
		listed = append(listed, m[1])
	}
	require.NotEmpty(t, listed)
	b, err := Pack("windows-service-data")
	require.NoError(t, err)
	for f := range b.Facts() {
		assert.Contains(t, listed, f)
	}
	report, err := TestPack("windows-service-data")
	require.NoError(t, err)
	for _, f := range listed {
		assert.True(t, slices.Contains(report.Facts, f) || slices.Contains(testedInGo, f), "the table lists %s, which no test drives", f)
	}
}

// X3: the experiences that are on determine which data may flow at all.
func TestServiceDataInventory(t *testing.T) {
	g := openPack(t, "windows-service-data")
	features := func(flows []consent.Flow) (out []string) {
		for _, f := range flows {
			out = append(out, f.Feature)
		}
		return slices.Compact(out)
	}
	all := g.Inventory(nil, nil)
	assert.Equal(t, []string{"find-my-device", "licensing", "windows-backup", "windows-update"}, features(all))
	assert.Equal(t, []string{"licensing", "windows-backup", "windows-update"}, features(g.Inventory(map[string]bool{"find-my-device": false}, nil)), "an optional experience that is off sends nothing")
	assert.Equal(t, []string{"find-my-device", "licensing", "windows-backup"}, features(g.Inventory(nil, map[string]bool{"windows-update": false, "licensing": false})), "an administrator turns off only what allows it")
	for _, f := range all {
		if f.Feature == "find-my-device" && f.Class == "service.required" {
			assert.True(t, f.Necessary, "service data is what the experience needs")
			assert.Contains(t, f.Categories, "user.location")
			assert.NotContains(t, f.Categories, "user.contact")
			assert.NotEqual(t, "service.deliver.restore", f.Purpose, "locating does not restore")
		}
	}
}

// X76: documents have dates of their own.
func TestServiceDataAges(t *testing.T) {
	b, err := Pack("windows-service-data")
	require.NoError(t, err)
	ages := map[string]string{}
	for _, s := range b.Sources() {
		ages[s.ID] = s.AsOf
	}
	assert.Equal(t, map[string]string{"service-data": "2025-07-29", "ours": "undated"}, ages)
}

// The trail of an explanation names the rule and its source.
func TestServiceDataTrail(t *testing.T) {
	g := openPack(t, "windows-service-data")
	at := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC)
	res, err := g.Explain(context.Background(), privacy.Event{
		At: at, Class: "service.required", Purpose: "service.deliver",
		Anchors: map[retention.Anchor]time.Time{"used_at": at}, Fields: map[string]any{"build": 26100},
	})
	require.NoError(t, err)
	var found bool
	for _, s := range res.Trail {
		if s.Room == "retention" && s.Rule == "ephemeral" {
			found = true
			assert.Equal(t, "service-data", s.Source)
		}
	}
	assert.True(t, found, "%s", res.Explain())
}
