package classify_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

// windowsNames are the names of the fields of all Windows events, each once.
func windowsNames(t testing.TB) []string {
	var names []string
	for _, row := range table(t, "windows-events.tsv") {
		names = append(names, row[1:]...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Seven of ten names of a real event schema get a label from the name alone.
func TestWindowsCoverage(t *testing.T) {
	names := windowsNames(t)
	c := classify.Builtin()
	var labelled int
	for _, name := range names {
		if len(c.Field(classify.Field{Name: name})) > 0 {
			labelled++
		}
	}
	t.Logf("%d of %d names labelled, %.1f %%", labelled, len(names), 100*float64(labelled)/float64(len(names)))
	require.GreaterOrEqual(t, labelled*100, 70*len(names))
}

// TestWindowsTable prints what the fields of all Windows events are, the event being
// the source (go test -run WindowsTable -v). A name that is different things in
// different events counts for each.
func TestWindowsTable(t *testing.T) {
	c := classify.Builtin()
	names := map[string]map[string]bool{}
	fields := 0
	for _, row := range table(t, "windows-events.tsv") {
		for _, name := range row[1:] {
			fields++
			category := "(no label)"
			if labels := c.Field(classify.Field{Name: name, Source: row[0]}); len(labels) > 0 {
				category = labels[0].Category
			}
			if names[category] == nil {
				names[category] = map[string]bool{}
			}
			names[category][name] = true
		}
	}
	t.Log("| category | names | up to 20 of them |")
	t.Log("|---|---|---|")
	for _, category := range slices.Sorted(maps.Keys(names)) {
		all := slices.Sorted(maps.Keys(names[category]))
		var samples []string
		for i := range min(len(all), 20) { // evenly from the whole alphabet
			samples = append(samples, "`"+all[i*len(all)/min(len(all), 20)]+"`")
		}
		t.Logf("| %s | %d | %s |", category, len(all), strings.Join(samples, ", "))
	}
	t.Logf("%d fields, %d names", fields, len(windowsNames(t)))
	assert.Less(t, len(names["(no label)"])*100, 2*len(windowsNames(t)), "two of a hundred at most say nothing")
}

// What the documentation of the events says about fields whose names say little or
// something else.
func TestWindowsFields(t *testing.T) {
	c := classify.Builtin()
	for _, tt := range []struct{ source, name, want, reason string }{
		{"Common Data Extensions.user", "localId", "user.unique_id.pseudonymous", "a user identity that the client makes"},
		{"Common Data Extensions.device", "localId", "user.device.device_id", "the id of the machine"},
		{"Common Data Extensions.user", "authId", "user.unique_id", "the user of a token"},
		{"Common Data Extensions.xbl", "xid", "user.unique_id", "Xbox user ids"},
		{"Common Data Extensions.xbl", "pid", "user.unique_id", "PUIDs"},
		{"Common Data Extensions.xbl", "sid", "system.operations", "a service instance"},
		{"Common Data Extensions.xbl", "dvr", "user.device", "the version of the operating system"},
		{"Common Data Extensions.xbl", "ip", "user.device.ip_address", "of the client"},
		{"Common Data Extensions.Envelope", "cV", "system.operations", "a correlation vector"},
		{"Common Data Extensions.Envelope", "ext_sdk", "system.operations", "about the SDK"},
		{"Ms.Device.DeviceInventoryChange", "inventoryId", "user.device.device_id", "a device id"},
		{"WheaProvider.WheaDriverErrorExternal", "creatorId", "system.operations", "what made the record, no person"},
		{"Microsoft.Windows.RecommendedTroubleshootingService.MitigationFailed", "totalUserTime", "user.telemetry", "processor time in user mode"},
		{"Microsoft.Windows.Inventory.Core.InventoryDevicePnpAdd", "Model", "user.device", "of the device, as the event is about it"},
		{"Microsoft.OSG.DU.DeliveryOptClient.DownloadCompleted", "cdnIp", "system.operations", "of the network that delivers"},
		{"Microsoft.OSG.DU.DeliveryOptClient.DownloadCompleted", "bytesFromCDN", "user.telemetry", "performance"},
		{"cars", "Model", "", "of whatever"},
		{"orders", "total", "system.operations", "a number of no person"},
	} {
		got := ""
		if labels := c.Field(classify.Field{Name: tt.name, Source: tt.source}); len(labels) > 0 {
			got = labels[0].Category
		}
		assert.Equal(t, tt.want, got, "%s in %s: %s", tt.name, tt.source, tt.reason)
	}
}
