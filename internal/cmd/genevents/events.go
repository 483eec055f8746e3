package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A flow is one way in which data comes: the keys of the policy pack
// windows-service-data that an event uses, how often it occurs, and which
// Windows events lend it their field names. Whoever renames a key in the pack
// renames it here, and nowhere else.
type flow struct {
	weight    int
	feature   string
	class     string
	purpose   string
	operation string
	optional  bool     // the person may switch the feature off
	consented int      // percent of events whose person was asked and answered
	families  []string // prefixes of Windows event names; none: the payload says it all
	payload   func(*maker)
}

var flows = []flow{
	{weight: 22, feature: "windows-update", class: "service.required", purpose: "service.deliver", operation: "collect",
		families: []string{"Microsoft.Windows.Update.", "Microsoft.OSG.DU.DeliveryOptClient."}},
	{weight: 10, feature: "windows-update", class: "diagnostic.required", purpose: "experience.currency", operation: "collect", consented: 75,
		families: []string{"CbsServicingProvider.", "Microsoft.Windows.Update.WUClient."}},
	{weight: 10, feature: "licensing", class: "service.required", purpose: "service.operate.licensing", operation: "collect",
		families: []string{"Microsoft.Windows.StoreAgent.Telemetry.BeginAcquireLicense", "Microsoft.Windows.StoreAgent.Telemetry.EndAcquireLicense"}},
	{weight: 8, feature: "licensing", class: "service.required", purpose: "service.operate", operation: "use",
		families: []string{"Microsoft.Windows.StoreAgent.Telemetry."}},
	{weight: 9, feature: "find-my-device", class: "service.required", purpose: "service.deliver.locate", operation: "collect", optional: true,
		families: []string{"Microsoft.Windows.Shell.SystemSettings."}, payload: (*maker).place},
	{weight: 9, feature: "windows-backup", class: "service.required", purpose: "service.deliver.restore", operation: "collect", optional: true,
		families: []string{"Microsoft.Windows.Inventory.Core."}, payload: (*maker).backup},
	{weight: 5, feature: "windows-backup", class: "account", purpose: "sync", operation: "sync", optional: true, consented: 80,
		families: []string{"Aria."}, payload: (*maker).settings},
	{weight: 3, feature: "windows-backup", class: "service.required", purpose: "sync", operation: "promote", optional: true, consented: 60,
		payload: (*maker).account},
	{weight: 6, feature: "find-my-device", class: "diagnostic.required", purpose: "experience.security", operation: "collect", optional: true, consented: 75,
		families: []string{"Microsoft.Windows.Security.NGC."}},
	{weight: 6, feature: "windows-backup", class: "diagnostic.required", purpose: "experience.performance", operation: "collect", optional: true, consented: 75,
		families: []string{"Microsoft.Windows.RecommendedTroubleshootingService."}},
	{weight: 12, class: "diagnostic.optional", purpose: "experience.performance", operation: "collect", consented: 50,
		families: []string{"Microsoft.Surface.Battery.", "Microsoft.Windows.FaultReporting.", "Microsoft.Windows.HangReporting.", "DxgKrnlTelemetry.", "TraceLoggingOasisUsbHostApiProvider.", "WheaProvider."}},
}

// share of events, in percent, that carry something.
const (
	shareFreeText = 10
	shareSignals  = 10
	shareOff      = 15 // of optional features
)

// service is who asks where a rule wants to know.
const service = "settings-sync"

// perEvent is about how many fields an event has, nested ones counted.
const perEvent = 20

// start is when the first event was seen. The generator reads no clock, so that
// a seed gives the same bytes for ever.
var start = time.Date(2026, time.March, 28, 10, 0, 0, 0, time.UTC)

//go:embed fields.tsv
var names string

// A windowsEvent is an event name with its fields and how each gets a value.
type windowsEvent struct {
	name   string
	fields []fieldName
}

type fieldName struct {
	name  string
	value func(*maker)
}

// A generator makes events; each depends on the seed and its own number only, so
// that the first n events are the same however many follow.
type generator struct {
	seed     uint64
	families [][]windowsEvent // by flow
	total    int              // of the weights
}

func newGenerator(seed uint64) (*generator, error) {
	var all []windowsEvent
	for line := range strings.Lines(names) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		event, field, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			return nil, fmt.Errorf("fields.tsv: a line has no tab")
		}
		if len(all) == 0 || all[len(all)-1].name != event {
			all = append(all, windowsEvent{name: event})
		}
		last := &all[len(all)-1]
		last.fields = append(last.fields, fieldName{field, valueFor(field)})
	}
	g := &generator{seed: seed}
	for _, f := range flows {
		g.total += f.weight
		var lent []windowsEvent
		for _, e := range all {
			if slices.ContainsFunc(f.families, func(prefix string) bool { return strings.HasPrefix(e.name, prefix) }) {
				lent = append(lent, e)
			}
		}
		if len(lent) == 0 && len(f.families) > 0 {
			return nil, fmt.Errorf("no Windows event lends its fields to %s for %s", f.feature, f.purpose)
		}
		g.families = append(g.families, lent)
	}
	return g, nil
}

// append adds event i (from 1) as one line, without its newline.
func (g *generator) append(dst []byte, i int) []byte {
	m := &maker{out: dst, rand: rand.New(rand.NewPCG(g.seed, uint64(i)))}
	pick, number := m.intn(g.total), 0
	for pick >= flows[number].weight {
		pick -= flows[number].weight
		number++
	}
	f := flows[number]
	m.at = start.Add(time.Duration(i)*730*time.Millisecond + time.Duration(m.intn(700))*time.Millisecond)
	m.who = people[m.intn(len(people))]
	m.org = tenants[m.intn(len(tenants))]
	m.device = deviceNumber(g.seed, m.intn(5000))

	m.open('{')
	m.key("id").text(fmt.Sprintf("e%07d", i))
	m.key("at").moment(m.at)
	m.key("class").text(f.class)
	m.key("purpose").text(f.purpose)
	if f.feature != "" {
		m.key("feature").text(f.feature)
	}
	m.key("operation").text(f.operation)
	if f.operation == "promote" {
		m.key("service").text(service)
		m.key("promote").open('{')
		m.key("from").text(f.class)
		m.key("to").text("account")
		m.close('}')
	}
	m.subject()
	m.switches(f)
	if m.percent(shareSignals) {
		m.key("signals").open('{')
		m.key("gpc").flag(true)
		m.close('}')
	}
	m.key("origin").text(m.one("observed", "observed", "observed", "provided", "derived"))
	m.anchors(f)
	if m.percent(f.consented) {
		m.consents(f)
	}
	m.fields(g.families[number], f)
	m.close('}')
	return m.out
}

// subject writes whom the event is about.
func (m *maker) subject() {
	m.key("subject").open('{')
	m.key("id").text(m.who.mail)
	m.key("account").text(m.org.account)
	m.key("tenant").text(m.org.name)
	m.key("age_band").text(m.who.age)
	m.key("residence").text(m.who.residence)
	if m.org.region != "" {
		m.key("attr").open('{')
		m.key("organisation_region").text(m.org.region)
		m.close('}')
	}
	m.close('}')
}

// switches writes what the person and the administrator have set.
func (m *maker) switches(f flow) {
	if f.optional {
		state := "on"
		if m.percent(shareOff) {
			state = "off"
		}
		m.key("switches").open('{')
		m.key(f.feature).text(state)
		m.close('}')
	}
	if f.feature != "" && m.org.region != "" && m.percent(10) {
		m.key("admin").open('{')
		m.key(f.feature).text("off")
		m.close('}')
	}
}

// anchors writes from when periods run. Some events lack theirs, as real ones do.
func (m *maker) anchors(f flow) {
	if m.percent(6) {
		return
	}
	m.key("anchors").open('{')
	m.key("used_at").moment(m.at)
	if f.class == "service.required" && m.percent(40) {
		m.key("service_provided").moment(m.at.Add(time.Duration(1+m.intn(300)) * time.Second))
	}
	m.close('}')
}

// consents writes what the person said, for hosts without a ledger.
func (m *maker) consents(f flow) {
	state := m.one("granted", "granted", "granted", "granted", "denied", "withdrawn")
	m.key("consents").open('[')
	m.item().open('{')
	m.key("purpose").text(f.purpose)
	if f.operation == "promote" || f.operation == "sync" {
		m.key("operation").text(f.operation)
	}
	if f.operation == "promote" {
		m.key("service").text(service)
	}
	m.key("state").text(state)
	m.key("strength").text(m.one("expressed", "expressed", "explicit"))
	m.key("given").moment(m.at.Add(-time.Duration(1+m.intn(400)) * 24 * time.Hour))
	m.close('}')
	m.close(']')
}

// fields writes the data itself: names that a Windows event lends, the feature's
// own payload, now and then the common extensions and a note in plain words.
func (m *maker) fields(lent []windowsEvent, f flow) {
	m.key("fields").open('{')
	room := perEvent - 2 + m.intn(5)
	if f.payload != nil {
		before := m.leaves
		f.payload(m)
		room -= m.leaves - before
	}
	before := m.leaves
	m.extensions()
	room -= m.leaves - before
	if m.percent(shareFreeText) {
		m.note()
		room--
	}
	if len(lent) > 0 {
		e := lent[m.intn(len(lent))]
		// A run of neighbouring fields, so that they belong together.
		n := min(room, len(e.fields))
		for j, first := 0, m.intn(len(e.fields)); j < n; j++ {
			field := e.fields[(first+j)%len(e.fields)]
			m.key(field.name)
			field.value(m)
		}
	}
	m.close('}')
}

// extensions writes two of the blocks that every Windows event may carry.
func (m *maker) extensions() {
	m.key("ext_device").open('{')
	m.key("localId").text(m.deviceID())
	m.key("deviceClass").text(m.one("Windows.Desktop", "Windows.Desktop", "Windows.Holographic", "Windows.Server"))
	m.key("make").text(m.one("Contoso", "Fabrikam", "Northwind"))
	m.key("model").text(m.one("Slate 7", "Tower 3100", "Book 14"))
	m.close('}')
	switch m.intn(3) {
	case 0:
		m.key("ext_user").open('{')
		m.key("localId").text("m:" + m.hex(16))
		m.key("authId").text("d:" + m.guid())
		m.key("locale").text(m.who.locale)
		m.close('}')
	case 1:
		m.key("ext_os").open('{')
		m.key("name").text("Windows")
		m.key("ver").text("10.0.26100." + m.digits(4) + ".amd64fre.ge_release")
		m.key("locale").text(m.who.locale)
		m.key("bootId").number(int64(m.intn(400)))
		m.close('}')
	default:
		m.key("ext_app").open('{')
		m.key("id").text("U:" + m.packageName())
		m.key("ver").text(m.version())
		m.key("userId").text("m:" + m.hex(16))
		m.key("name").text(m.program())
		m.close('}')
	}
}

// place is what finding a device needs.
func (m *maker) place() {
	m.key("deviceName").text(m.deviceName())
	m.key("position").open('{')
	m.key("lat").decimal(m.who.lat+float64(m.intn(2000)-1000)/1e5, 5)
	m.key("lon").decimal(m.who.lon+float64(m.intn(2000)-1000)/1e5, 5)
	m.key("accuracyMeters").number(int64(5 + m.intn(80)))
	m.close('}')
	m.key("batteryPercent").number(int64(m.intn(101)))
}

// backup is what restoring a device needs.
func (m *maker) backup() {
	m.key("deviceName").text(m.deviceName())
	m.key("items").open('[')
	for range 1 + m.intn(3) {
		m.item().open('{')
		m.key("filePath").text(m.path())
		m.key("fileSize").number(int64(m.rand.IntN(1 << 28)))
		m.key("modified").moment(m.at.Add(-time.Duration(m.intn(9000)) * time.Hour))
		m.close('}')
	}
	m.close(']')
}

// settings is what a person takes along from device to device.
func (m *maker) settings() {
	m.key("settings").open('{')
	m.key("language").text(m.who.locale)
	m.key("theme").text(m.one("light", "dark", "contrast"))
	m.key("wifi").open('{')
	m.key("ssid").text(m.one("Hive-5G", "guest", "Contoso Corp", "kitchen"))
	m.key("bssid").text(m.mac())
	m.close('}')
	m.key("recentEmails").open('[')
	for range m.intn(3) {
		m.item().text(people[m.intn(len(people))].mail)
	}
	m.close(']')
	m.close('}')
}

// account is what a sync keeps with the account.
func (m *maker) account() {
	m.key("displayName").text(m.who.name)
	m.key("primaryEmail").text(m.who.mail)
	m.key("phones").open('[')
	for range 1 + m.intn(2) {
		m.item().text(m.phone())
	}
	m.close(']')
	m.key("birthYear").number(int64(1950 + m.intn(55)))
	m.key("address").open('{')
	m.key("street").text(fmt.Sprintf("%d %s", 1+m.intn(180), m.one("Example Street", "Sample Road", "Musterstraße")))
	m.key("postalCode").text(m.digits(5))
	m.key("country").text(m.who.residence)
	m.close('}')
	m.key("devices").open('[')
	for range 1 + m.intn(3) {
		m.item().text(m.deviceName())
	}
	m.close(']')
	m.key("lastSync").moment(m.at)
	m.key("subscription").text(m.one("none", "basic", "family"))
}
