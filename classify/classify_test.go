package classify_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/privacy/policy"
)

func ExampleBuiltin() {
	labels := classify.Builtin().Field(classify.Field{Name: "user_email", Value: "jane@example.com"})
	for _, l := range labels {
		fmt.Println(l.Category, l.Confidence, l.Rule, l.Detector, l.Spans)
	}
	// Output: user.contact.email 0.995 builtin/email email-address [{0 16}]
}

// A classifier of one's own: a file with nothing but rules is a policy, too. A
// service compiles it once and ships the bytes.
func ExampleOpen() {
	bundle, err := policy.Compile("orders.yaml", []byte(`
privet: 1
name: orders
version: 1
extends: [builtin]
rules:
  - id: loyalty-card
    category: user.unique_id
    confidence: 0.9
    when: field.words.hasAll(["loyalty", "card"]) || value.matches('^LC-[0-9]{8}$')
    tests: {match: [loyaltyCard, {name: ref, value: LC-00012345}], no_match: [cardColour]}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := classify.Open(bundle.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range c.Field(classify.Field{Name: "ref", Value: "LC-00012345"}) {
		fmt.Println(l.Category, l.Confidence, l.Rule, l.ISO19944, l.Qualifier)
	}
	// Output: user.unique_id 0.9 orders/loyalty-card 8.2.3.2 identified
}

func ExampleScanner_Scan() {
	s := classify.Builtin().NewScanner()
	text := "Card 4111 1111 1111 1111, mail jane@example.com"
	for _, f := range s.Scan(nil, text) {
		fmt.Println(f.Detector, text[f.Start:f.End])
	}
	// Output:
	// credit-card 4111 1111 1111 1111
	// email-address jane@example.com
}

// Names of a real schema and of ordinary data, labelled by hand.
func TestNames(t *testing.T) {
	c := classify.Builtin()
	for _, tt := range []struct{ name, want, reason string }{
		{"WUDeviceID", "user.device.device_id", "identifies a device"},
		{"XboxLiveDeviceId", "user.device.device_id", "identifies a device"},
		{"UseDeviceId", "user.device.device_id", "identifies a device"},
		{"SerialNumber", "user.device.device_id", "identifies a device"},
		{"XboxConsoleSerialNumber", "user.device.device_id", "identifies a device"},
		{"HostName", "user.device.device_id", "names a device"},
		{"did", "user.device.device_id", "device id"},
		{"GPUDeviceID", "user.device", "which model of a part, not which device"},
		{"DeviceInstanceId", "user.device", "a part of the device"},
		{"sessionId", "user.unique_id.pseudonymous", "random, joins the events of a session"},
		{"AppSessionGuid", "user.unique_id.pseudonymous", "the same"},
		{"container_session_id", "user.unique_id.pseudonymous", "the same"},
		{"UusSessionID", "user.unique_id.pseudonymous", "the same"},
		{"requestSessionId", "user.unique_id.pseudonymous", "the same"},
		{"clientId", "user.unique_id.pseudonymous", "random, joins the events of an installation"},
		{"container_client_id", "user.unique_id.pseudonymous", "the same"},
		{"installId", "user.unique_id.pseudonymous", "the same"},
		{"sqmId", "user.unique_id.pseudonymous", "the same"},
		{"uniqueId", "user.unique_id.pseudonymous", "says so"},
		{"userId", "user.unique_id", "identifies a person"},
		{"keyAccountId", "user.unique_id", "identifies an account"},
		{"creatorId", "user.unique_id", "identifies who made it"},
		{"currentSid", "user.unique_id", "security identifier"},
		{"ip", "user.device.ip_address", "address"},
		{"cdnIp", "system.operations", "of the network that delivers, not of the person"},
		{"accountType", "user.account", "about the account"},
		{"isExistingUser", "user.account", "about the account"},
		{"appConsentState", "user.privacy_preferences", "a choice"},
		{"privacyConsentState", "user.privacy_preferences", "a choice"},
		{"language", "user.demographic.language", "of the person"},
		{"userRegionCode", "user.contact.address.country", "of the person"},
		{"LicenseKey", "user.authorization.credentials", "lets in"},
		{"HResult", "user.telemetry", "result code"},
		{"errorCode", "user.telemetry", "result code"},
		{"BugCheckCode", "user.telemetry", "a crash"},
		{"totalTimeMs", "user.telemetry", "performance"},
		{"rebootCount", "user.telemetry", "performance"},
		{"appVersion", "user.telemetry", "software"},
		{"DecisionTpmVersion_ZN23H2Setup", "user.telemetry", "whether an upgrade fits"},
		{"DatasourceDriverPackage_RS1", "user.telemetry", "whether an upgrade fits"},
		{"osVersion", "user.device", "the device"},
		{"hwHasSse41", "user.device", "the device"},
		{"oemProductName", "user.device", "the device"},
		{"batteryPresent", "user.device", "the device"},
		{"isVpn", "user.device", "connectivity"},
		{"lanConnectionCount", "user.device", "connectivity"},
		{"ServiceGuid", "system.operations", "which service"},
		{"UpdateId", "system.operations", "which update"},
		{"BundleId", "system.operations", "which bundle"},
		{"relatedCV", "system.operations", "joins requests"},
		{"EventType", "system.operations", "machinery"},
		{"PackageFullName", "system.operations", "which program"},
		{"FlightId", "system.operations", "which experiment"},
		{"cdnUrl", "system.operations", "where an update lies"},
		{"appLastLaunchTime", "user.behavior", "when a person used it"},
		{"timeSinceUnlockMs", "user.behavior", "when a person was there"},
		{"email", "user.contact.email", "ordinary data from here on"},
		{"customer.phoneNumber", "user.contact.phone_number", ""},
		{"first_name", "user.name.first", ""},
		{"Surname", "user.name.last", ""},
		{"billing_city", "user.contact.address.city", ""},
		{"ZIPCode", "user.contact.address.postal_code", ""},
		{"dob", "user.demographic.date_of_birth", ""},
		{"gender", "user.demographic.gender", ""},
		{"client_ip", "user.device.ip_address", ""},
		{"idfa", "user.unique_id.pseudonymous", ""},
		{"lat", "user.location.precise", ""},
		{"user_password", "user.authorization.password", ""},
		{"apiKey", "user.authorization.credentials", ""},
		{"card_number", "user.financial.credit_card", ""},
		{"iban", "user.financial.bank_account", ""},
		{"ssn", "user.government_id.national_identification_number", ""},
		{"passportNo", "user.government_id.passport_number", ""},
		{"diagnosis", "user.health_and_medical", ""},
		{"pageUrl", "user.behavior.browsing_history", ""},
		{"searchQuery", "user.behavior.search_history", ""},
		{"order_id", "system.operations", "the number of an order is no person's"},
		{"user_agent", "user.device", ""},
		{"jobTitle", "user.job_title", ""},
		{"recipient", "", "nothing to go by; ip inside of a word is no word"},
		{"public", "", "lic inside of a word is no word"},
		{"zq", "", "says nothing"},
	} {
		labels := c.Field(classify.Field{Name: tt.name})
		got := ""
		if len(labels) > 0 {
			got = labels[0].Category
		}
		assert.Equal(t, tt.want, got, "%s: %s; all: %v", tt.name, tt.reason, labels)
	}
}

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"HTTPServerID": "http server id", "deviceID2": "device id 2", "user_email": "user email", "first-name.x": "first name x",
		"userIDs": "user ids", "sourceIPv4": "source ipv 4", "SHA256OfCert": "sha 256 of cert", "": "", "__": "", "ÄnderungsDatum": "änderungs datum",
		"migDiagSession->CString": "mig diag session c string", "eMail": "e mail", "a1b2": "a 1 b 2", "\xff\xfe": "", "IDsent": "i dsent",
	} {
		assert.Equal(t, want, strings.Join(classify.Words(name), " "), name)
	}
	assert.Len(t, classify.Words(strings.Repeat("a_", 100)), 64, "words after the 64th are left out")
	long := strings.Repeat("a", 127)
	assert.Equal(t, []string{long, "b"}, classify.Words(long+"éc_b"), "a word ends at 128 bytes, between characters")
	assert.Equal(t, []string{long + "c", "b"}, classify.Words(long+"cé_b"))
}

func TestEvidence(t *testing.T) {
	c := classify.Builtin()
	for _, tt := range []struct {
		field  classify.Field
		want   []string // category and confidence
		reason string
	}{
		{classify.Field{Name: "email"}, []string{"user.contact.email 0.9"}, "a name"},
		{classify.Field{Value: "jane@example.com"}, []string{"user.contact.email 0.95"}, "a value"},
		{classify.Field{Name: "email", Value: "jane@example.com"}, []string{"user.contact.email 0.995"}, "both agree"},
		{classify.Field{Name: "email", Tags: map[string]string{"privet.category": "system.operations"}}, []string{"system.operations 1"}, "declared: the name is not asked"},
		{classify.Field{Name: "x", Value: "jane@example.com", Tags: map[string]string{"privacy": "system.operations"}},
			[]string{"system.operations 1", "user.contact.email 0.95"}, "the value contradicts the declaration and is reported"},
		{classify.Field{Tags: map[string]string{"privacy": "user.name, user.contact"}}, []string{"user.contact 1", "user.name 1"}, "two categories"},
		{classify.Field{Name: "relatedCV"}, []string{"system.operations 0.4"}, "about the machine"},
		{classify.Field{Name: "updateErrorCode"}, []string{"user.telemetry 0.5"}, "the machine gives way"},
		{classify.Field{Name: "blob", Value: "p1_1_aebagbafaydqqcikbmga2dqpca"}, []string{"user.unique_id.pseudonymous 1"}, "a token, and nothing else"},
		{classify.Field{Name: "total", Value: "4111111111111111"}, []string{"user.financial.credit_card 0.75", "system.operations 0.4"}, "numbers are looked at"},
		{classify.Field{Name: "badge", Path: "user.ssn", Value: "130075728"}, []string{"user.government_id.national_identification_number 0.6"}, "the path is context"},
	} {
		var got []string
		for _, l := range c.Field(tt.field) {
			got = append(got, fmt.Sprint(l.Category, " ", l.Confidence))
		}
		assert.Equal(t, tt.want, got, "%+v: %s", tt.field, tt.reason)
	}
	s := c.NewScanner()
	s.Append(nil, &classify.Field{Name: "a", Tags: map[string]string{"privacy": "user.emial"}})
	assert.True(t, s.UnknownTag(), "a declaration that names nothing is reported")
	s.Append(nil, &classify.Field{Name: "a"})
	assert.False(t, s.UnknownTag())
}

// What people complain about in other scanners.
func TestComplaints(t *testing.T) {
	s := classify.Builtin().NewScanner()
	for _, tt := range []struct{ text, want, reason string }{
		{"1698765432100", "", "a time stamp in milliseconds is no card"},
		{"1Z999AA10123456784", "", "a tracking number"},
		{"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "", "a hash"},
		{"commit 130075728deadbeef", "", "no number inside of a hash"},
		{"f81d4fae-7dec-11d0-a765-411111111111", "", "a UUID of nobody"},
		{"version 10.0.22621.1", "", "a version"},
		{"the SSN is 130075728.", "us-ssn-undelimited:130075728", "a full stop is no decimal point"},
		{"SSN 123.45.6789", "us-ssn:123.45.6789", "dots"},
		{"ssn: 123 45 6789", "us-ssn:123 45 6789", "blanks"},
		{"https://www.microsoft.com/", "", "whole, and nobody's"},
		{"OPENAI_API_KEY=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", "openai-key: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", "an underscore before the keyword"},
		{"IBAN DE89 3704 0044 0532 0130 00", "iban-code:DE89 3704 0044 0532 0130 00", "in groups"},
		{"1234 4111111111111111 5678", "credit-card:4111111111111111", "numbers beside it"},
		{"id 9999999999 4111 1111 1111 1111", "credit-card:4111 1111 1111 1111", "a near miss before it"},
		{"주민번호 900101-1234568입니다", "kr-rrn:900101-1234568", "particles are written onto the number"},
		{"電話 +81 3 1234 5678へ", "phone-number:+81 3 1234 5678", "no blanks between words"},
		{"nif 12345678z", "es-nif:12345678z", "small letters"},
		{"<p1_1_aebagbafaydqqcikbmga2dqpca> wrote", "pseudonym-token:p1_1_aebagbafaydqqcikbmga2dqpca", "a token in a text"},
		{"password=p1_1_aebagbafaydqqcikbmga2dqpca", "pseudonym-token:p1_1_aebagbafaydqqcikbmga2dqpca", "no secret"},
		{"jane@example.com,john@example.org", "email-address:jane@example.com email-address:john@example.org", "two, touching a comma"},
		{"٠١٢ jane@example.com", "email-address:jane@example.com", "offsets are bytes of the original"},
	} {
		var got []string
		for _, f := range s.Scan(nil, tt.text) {
			got = append(got, f.Detector+":"+tt.text[f.Start:f.End])
		}
		assert.Equal(t, tt.want, strings.Join(got, " "), "%q: %s", tt.text, tt.reason)
	}
}

func TestTaxonomy(t *testing.T) {
	c := classify.Builtin()
	all := c.Categories()
	require.Len(t, all, 85)
	for _, k := range all {
		assert.NotEmpty(t, k.ISO19944, k.Key)
		assert.NotEmpty(t, k.Qualifier, k.Key)
		assert.NotEmpty(t, k.Title, k.Key)
		assert.NotContains(t, []string{"anonymized", "aggregated"}, k.Qualifier, "%s: that has to be claimed", k.Key)
		if k.Parent != "" {
			_, ok := c.Category(k.Parent)
			assert.True(t, ok, k.Key)
			assert.True(t, c.Under(k.Key, k.Parent))
		}
	}
	k, ok := c.Category("user.contact.email")
	require.True(t, ok)
	assert.Equal(t, classify.Category{Key: "user.contact.email", Parent: "user.contact", Title: "e-mail address", ISO19944: "8.2.3.2.13", Qualifier: "identified"}, k)
	assert.True(t, c.Under("user.contact.email", "user.contact"))
	assert.True(t, c.Under("user.contact", "user.contact"))
	assert.False(t, c.Under("user.contacts", "user.contact"))
	_, ok = c.Category("user.emial")
	assert.False(t, ok)
}

func TestSelect(t *testing.T) {
	c := classify.Builtin()
	text := "mail jane@example.com, account DE89370400440532013000, ssn 130-07-5728, NHS number 943 476 5919, ip 203.0.113.7"
	all := func(sel classify.Selection) (ids []string) {
		only, err := c.Select(sel)
		require.NoError(t, err)
		for _, f := range only.NewScanner().Scan(nil, text) {
			ids = append(ids, f.Detector)
		}
		return ids
	}
	for _, tt := range []struct {
		sel    classify.Selection
		want   []string
		reason string
	}{
		{classify.Selection{}, []string{"email-address", "iban-code", "us-ssn", "uk-nhs", "ip-address"}, "all"},
		{classify.Selection{Detectors: []string{"iban-code"}}, []string{"iban-code"}, "one"},
		{classify.Selection{Detectors: []string{"u*", "e*"}}, []string{"email-address", "us-ssn", "uk-nhs"}, "all that begin so"},
		{classify.Selection{Detectors: []string{"u*"}, Exclude: []string{"uk-*"}}, []string{"us-ssn"}, "but some"},
		{classify.Selection{Countries: []string{"gb"}}, []string{"email-address", "iban-code", "uk-nhs", "ip-address"}, "of no other country"},
		{classify.Selection{Exclude: []string{"*"}}, nil, "none"},
		{classify.Selection{Thresholds: map[string]float64{"ip-address": 1}}, []string{"email-address", "iban-code", "us-ssn", "uk-nhs"}, "a higher threshold"},
	} {
		assert.Equal(t, tt.want, all(tt.sel), tt.reason)
	}

	low, err := c.Select(classify.Selection{Thresholds: map[string]float64{"uuid": 0.1}})
	require.NoError(t, err)
	uuid := classify.Field{Name: "x", Value: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}
	assert.Empty(t, c.Field(uuid))
	require.Len(t, low.Field(uuid), 1, "a lower threshold")
	assert.Equal(t, "uuid", low.Field(uuid)[0].Detector)

	for _, tt := range []struct {
		sel           classify.Selection
		what, nearest string
	}{
		{classify.Selection{Detectors: []string{"email-adress"}}, "detector", "email-address"},
		{classify.Selection{Detectors: []string{"iban-code", "ux-*"}}, "detector", ""},
		{classify.Selection{Exclude: []string{"uk-nsh"}}, "detector", "uk-nhs"},
		{classify.Selection{Countries: []string{"us", "UK"}}, "country", "gb"},
		{classify.Selection{Countries: []string{"DE"}}, "country", "de"},
		{classify.Selection{Thresholds: map[string]float64{"ibancode": 0.5}}, "detector", "iban-code"},
	} {
		_, err := c.Select(tt.sel)
		var unknown *classify.UnknownError
		require.ErrorAs(t, err, &unknown, "%v", tt.sel)
		assert.Equal(t, tt.what, unknown.What)
		if tt.nearest != "" {
			assert.Equal(t, tt.nearest, unknown.Nearest)
		}
	}
	_, err = c.Select(classify.Selection{Thresholds: map[string]float64{"uuid": 1.5}})
	assert.ErrorIs(t, err, classify.ErrInvalid)
}

func TestInvalid(t *testing.T) {
	user := []bundle.Category{{Key: "user"}}
	for reason, cl := range map[string]bundle.Classification{
		"no parent":                {Categories: []bundle.Category{{Key: "user.a.b"}}},
		"category twice":           {Categories: []bundle.Category{{Key: "user"}, {Key: "user"}}},
		"unknown category":         {Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: "a"}}},
		"bad pattern":              {Categories: user, Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: "("}}},
		"empty match":              {Categories: user, Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: "a*"}}},
		"detector twice":           {Categories: user, Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: "a"}, {ID: "a", Category: "user", Pattern: "a"}}},
		"rule without a condition": {Categories: user, Rules: []bundle.Rule{{ID: "a", Category: "user"}}},
		"confidence":               {Categories: user, Detectors: []bundle.Detector{{ID: "a", Category: "user", Pattern: "a", Base: 1001}}},
		"threshold":                {Threshold: 1001},
		"suppression":              {Suppress: []bundle.Suppress{{ID: "a"}}},
	} {
		_, err := classify.New(&cl)
		assert.ErrorIs(t, err, classify.ErrInvalid, reason)
	}
	_, err := classify.Open([]byte("no bundle"))
	assert.Error(t, err)
}

// A value beyond the limit is looked at up to the limit, and that is said.
func TestLimit(t *testing.T) {
	c := classify.Builtin()
	s := c.NewScanner()
	long := classify.Field{Value: strings.Repeat("é ", 40<<10) + "jane@example.com"}
	assert.Empty(t, s.Append(nil, &long))
	assert.True(t, s.Truncated())
	assert.Len(t, c.Field(long), 1, "Field looks at all of it")
	s.MaxValue = 0
	assert.Len(t, s.Append(nil, &long), 1)
	assert.False(t, s.Truncated())
}

// Errors never contain what was classified.
func TestCanary(t *testing.T) {
	const canary = "canary@example.test"
	c := classify.Builtin()
	field := classify.Field{Name: canary, Path: canary, Type: canary, Source: canary, Description: canary, Value: canary,
		Tags: map[string]string{canary: canary, "privet.category": canary}, Context: map[string]string{canary: canary}}
	s := c.NewScanner()
	labels := s.Append(nil, &field)
	require.NotEmpty(t, labels)
	findings := s.Scan(nil, canary)
	require.NotEmpty(t, findings)
	out, err := json.Marshal([]any{labels, findings})
	require.NoError(t, err)
	_, err2 := classify.Open([]byte(canary))
	require.Error(t, err2)
	_, err3 := classify.New(&bundle.Classification{Detectors: []bundle.Detector{{ID: "a", Category: "b", Pattern: canary + "("}}})
	require.Error(t, err3)
	for _, text := range []string{string(out), fmt.Sprintf("%v %+v", labels, findings), err2.Error(), err3.Error()} {
		assert.NotContains(t, text, canary)
	}
}

func TestAllocations(t *testing.T) {
	s := classify.Builtin().NewScanner()
	nothing := []classify.Field{
		{Name: "EventType", Value: "DownloadCompleted"}, {Name: "bytesFromCDN", Value: "104857600"}, {Name: "zq", Value: "The operation completed successfully."},
		{Name: "epoch", Value: "1698765432100"}, {Name: "osVersion", Value: "10.0.26100.1742"}, {Name: "locale", Value: "Zürich"},
	}
	var labels []classify.Label
	run := func(fields []classify.Field) func() {
		return func() {
			for i := range fields {
				labels = s.Append(labels[:0], &fields[i])
			}
		}
	}
	run(nothing)()
	assert.Zero(t, testing.AllocsPerRun(100, run(nothing)), "nothing found")
	found := []classify.Field{{Name: "user_email", Value: "jane@example.com"}, {Name: "note", Value: "card 4111 1111 1111 1111, ssn 123-45-6789"}}
	run(found)()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, run(found)), 4.0, "something found")
}

// Equal input gives equal output, whoever asks, and however often.
func TestConcurrent(t *testing.T) {
	c, err := classify.Open(classify.BuiltinBundle())
	require.NoError(t, err)
	var want []string
	for _, f := range event {
		want = append(want, fmt.Sprint(classify.Builtin().Field(f)))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				for i, f := range event {
					if got := fmt.Sprint(c.Field(f)); got != want[i] {
						t.Errorf("%s: %s, want %s", f.Name, got, want[i])
					}
				}
			}
		})
	}
	wg.Wait()
}

// The memory of names is a shortcut and nothing else: a classifier that has seen
// more names than it can remember answers like a new one.
func TestMemory(t *testing.T) {
	seen, err := classify.Open(classify.BuiltinBundle())
	require.NoError(t, err)
	names := windowsNames(t)
	for round := range 5 {
		for _, n := range names {
			seen.Field(classify.Field{Name: n, Source: fmt.Sprint(round)})
		}
	}
	for i := 0; i < len(names); i += 17 {
		assert.Equal(t, classify.Builtin().Field(classify.Field{Name: names[i]}), seen.Field(classify.Field{Name: names[i]}), names[i])
	}
}

// The filter and the search find what a loop of package regexp finds, for
// detectors without a check and with nothing that overlaps.
func TestDifferential(t *testing.T) {
	b := builtinClassification(t)
	var plain []bundle.Detector
	for _, d := range b.Detectors {
		d.Check, d.Context, d.Boost, d.Base, d.Checked = nil, nil, 0, 500, 500
		plain = append(plain, d)
	}
	for _, d := range plain {
		c, err := classify.New(&bundle.Classification{Categories: b.Categories, Detectors: []bundle.Detector{d}, Threshold: 400})
		require.NoError(t, err)
		flags := "(?is)"
		if d.CaseSensitive {
			flags = "(?s)"
		}
		re := regexp.MustCompile(flags + d.Pattern)
		re.Longest()
		span := max(re.SubexpIndex("span"), 0)
		s := c.NewScanner()
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.StringMatching(`([a-z]{0,6}[ :=_-]?[0-9A-Fa-f]{0,12}[ .@/-]?){0,8}`).Draw(t, "text")
			if rapid.Bool().Draw(t, "matching") {
				text += rapid.StringMatching(d.Pattern).Draw(t, "match") + rapid.StringMatching(`[ ._a-c0-9-]{0,3}`).Draw(t, "tail")
			}
			for i := range len(text) {
				if text[i] >= 0x80 {
					t.Skip("package regexp sees boundaries in ASCII only")
				}
			}
			// The first match is compared: after it, where a search goes on differs by design.
			want := re.FindStringSubmatchIndex(text)
			got := s.Scan(nil, text)
			if (want != nil) != (len(got) > 0) || want != nil && (got[0].Start != want[2*span] || got[0].End != want[2*span+1]) {
				t.Fatalf("%s in %q: got %v, want %v", d.ID, text, got, want)
			}
		})
	}
}

func builtinClassification(t testing.TB) *bundle.Classification {
	b, err := bundle.Decode(classify.BuiltinBundle())
	require.NoError(t, err)
	return &b.Classification
}

func FuzzClassify(f *testing.F) {
	f.Add("user_email", "jane@example.com")
	f.Add("note", "card 4111 1111 1111 1111, iban DE89 3704 0044 0532 0130 00, +1 425 555 0100")
	f.Add("", "p1_1_aebagbafaydqqcikbmga2dqpca")
	f.Add("ünïcode", "\xff\xfe 123-45-6789 ſ K")
	f.Add("x", "password=hunter2! eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x")
	c := classify.Builtin()
	a, b := c.NewScanner(), c.NewScanner()
	f.Fuzz(func(t *testing.T, name, value string) {
		field := classify.Field{Name: name, Value: value}
		labels := a.Append(nil, &field)
		for i, l := range labels {
			if l.Confidence < 0.4 || l.Confidence > 1 {
				t.Fatalf("confidence %v", l.Confidence)
			}
			if l.Rule == "" && l.Detector == "" || (l.Detector == "") != (len(l.Spans) == 0) {
				t.Fatalf("no reason: %+v", l)
			}
			if i > 0 && (labels[i-1].Confidence < l.Confidence || labels[i-1].Confidence == l.Confidence && labels[i-1].Category >= l.Category) {
				t.Fatalf("order of %v", labels)
			}
			end := 0
			for _, s := range l.Spans {
				if s.Start < end || s.End <= s.Start || s.End > len(value) {
					t.Fatalf("spans %v of %d bytes", l.Spans, len(value))
				}
				end = s.End
			}
		}
		if got := fmt.Sprint(b.Append(nil, &field)); got != fmt.Sprint(labels) {
			t.Fatalf("%s, then %v", got, labels)
		}
		found := a.Scan(nil, value)
		if !slices.IsSortedFunc(found, func(x, y classify.Finding) int { return x.Start - y.Start }) {
			t.Fatalf("order of %v", found)
		}
		for i := range found {
			if i > 0 && found[i].Start < found[i-1].End {
				t.Fatalf("overlap in %v", found)
			}
		}
	})
}
