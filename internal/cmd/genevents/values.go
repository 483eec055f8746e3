package main

import (
	"strconv"
	"strings"
)

// Everything below is invented or reserved for documentation and tests: names of
// nobody, addresses below example.* and .test (RFC 2606), numbers 555-01xx and
// Ofcom's 020 7946 0xxx, 192.0.2.0/24, 198.51.100.0/24 and 2001:db8::/32
// (RFC 5737, RFC 3849), card numbers of the payment networks' public test sets,
// IBANs of the registry's own examples.

type person struct {
	name, mail, age, residence, locale string
	lat, lon                           float64
}

var people = []person{
	{"Jane Doe", "jane@example.com", "adult", "DE", "de-DE", 52.52, 13.405},
	{"Ada Sample", "ada.sample@example.org", "adult", "US", "en-US", 47.6401, -122.1295},
	{"Zoë Muster", "zoe.muster@example.net", "adult", "AT", "de-AT", 48.2082, 16.3738},
	{"João Exemplo", "joao@example.com", "adult", "BR", "pt-BR", -23.5505, -46.6333},
	{"Marie Exemple", "marie.exemple@example.org", "adult", "FR", "fr-FR", 48.8566, 2.3522},
	{"Sam Placeholder", "sam@contoso.test", "adult", "GB", "en-GB", 51.5074, -0.1278},
	{"Robin Test", "robin.test@fabrikam.test", "adult", "US", "en-US", 38.5816, -121.4944},
	{"Hanako Rei", "hanako@example.com", "adult", "JP", "ja-JP", 35.6762, 139.6503},
	{"Nils Beispiel", "nils@example.net", "teen", "DE", "de-DE", 53.5511, 9.9937},
	{"Mia Voorbeeld", "mia@example.org", "child", "NL", "nl-NL", 52.3676, 4.9041},
	{"Olu Sample", "olu@northwind.test", "adult", "ZA", "en-ZA", -33.9249, 18.4241},
	{"Ravi Namuna", "ravi@example.com", "adult", "IN", "hi-IN", 28.6139, 77.2090},
}

type tenant struct{ name, account, region string }

var tenants = []tenant{
	{"contoso", "consumer", ""},
	{"contoso", "consumer", ""},
	{"fabrikam", "work", "EU"},
	{"northwind", "work", "US"},
	{"tailspin", "school", "EU"},
}

var (
	cards = []string{"4111 1111 1111 1111", "5555555555554444", "3782 822463 10005", "6011-1111-1111-1117", "4012888888881881"}
	ibans = []string{"DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "FR14 2004 1010 0505 0001 3M02 606", "NL91ABNA0417164300", "AT611904300234573201"}
)

// A kind of value and the field names that it suits. The first row that matches
// wins; rows that name more come first.
var kinds = []struct {
	suits func(string) bool
	value func(*maker)
}{
	{named("ip", "cdnip"), func(m *maker) { m.text(m.ip()) }},
	{ends("url"), func(m *maker) {
		m.text("https://" + m.one("cdn", "dl", "fe3", "licensing") + ".example.com/" + m.hex(8) + "/" + m.digits(4))
	}},
	{named("hostname"), func(m *maker) { m.text("edge" + m.digits(2) + ".example.net") }},
	{named("cdnheaders"), func(m *maker) { m.text("X-Cache: HIT; Via: 1.1 " + m.ip()) }},
	{has("filepath", "rootdirpath", "modulepath", "targetpath"), func(m *maker) { m.text(m.path()) }},
	{named("callercmdline"), func(m *maker) { m.text(`"C:\Program Files\Contoso\notes.exe" --user ` + m.who.mail) }},
	{named("keyaccountid", "userid", "accountid", "xid", "uid"), func(m *maker) { m.text("m:" + m.hex(16)) }},
	{named("keytenant"), func(m *maker) { m.text(m.guid()) }},
	{named("keydomain"), func(m *maker) { m.text(m.org.name + ".test") }},
	{has("deviceid", "devicename"), func(m *maker) { m.text(m.deviceID()) }},
	{named("localid", "did", "peerid", "groupid"), func(m *maker) { m.text(m.deviceID()) }},
	{has("serialnumber"), func(m *maker) { m.text(strings.ToUpper(m.hex(12))) }},
	{named("licensekey"), func(m *maker) {
		m.text("*****-*****-*****-" + strings.ToUpper(m.hex(5)))
	}},
	{named("relatedcv", "cv", "correlationvector"), func(m *maker) { m.text(m.correlation()) }},
	{begins("num", "total", "number"), func(m *maker) { m.number(int64(m.intn(5000))) }},
	{named("accounttype"), func(m *maker) { m.text(m.one("MSA", "AAD", "Local")) }},
	{has("attempt", "counts"), func(m *maker) { m.number(int64(m.intn(9))) }},
	{has("sha256", "hash", "signature"), func(m *maker) { m.text(m.hex(64)) }},
	{has("guid", "servicefid"), func(m *maker) { m.text(m.guid()) }},
	{named("flightid", "updateid", "bundleid", "parentbundleid", "classificationid", "categoryid", "productid", "wucontentid", "sessionid", "reportid", "clientid", "experimentid", "jobid", "fileid", "executionid", "client_id", "session_id", "container_client_id", "container_session_id", "mitigationid", "pagesessionid", "processsessionid", "leafcertid", "timestamptokenid", "firstmergedid", "currentid", "retryid"),
		func(m *maker) { m.text(m.guid()) }},
	{has("packagefullname", "pfn", "packagename", "androidpackageid", "aggregatedpackage", "packagerelativeappid"), func(m *maker) { m.text(m.packageName()) }},
	{named("appname", "friendlyappname", "name", "modname", "callername", "filename", "targetappid", "clientappid", "waitingonappname", "predefinedcallername", "callerapppackagename"), func(m *maker) { m.text(m.program()) }},
	{named("publisher", "manufacturername", "make"), func(m *maker) { m.text(m.one("CN=Contoso, O=Contoso, C=US", "Fabrikam Inc.", "Northwind")) }},
	{named("friendlyname", "model"), func(m *maker) { m.text(m.one("Slate 7", "Headset Beta", "Book 14")) }},
	{has("locale", "language"), func(m *maker) { m.text(m.who.locale) }},
	{has("timestamp", "timeutc", "createtime"), func(m *maker) { m.moment(m.at) }},
	{has("installdate", "driverdate", "install_date", "manufacturingdate", "msiinstalldate"), func(m *maker) { m.text(m.at.AddDate(0, 0, -m.intn(900)).Format("2006-01-02")) }},
	{named("time"), func(m *maker) { m.moment(m.at) }},
	{named("hr", "hresult", "previoushresult", "extendedhresult", "statuscode", "extendedstatuscode", "errorcode", "exitcode", "executionhr", "hrstatus", "hrstatusend", "currenterror", "exceptioncode", "hrdownloadresult", "hrstatusupdate"),
		func(m *maker) { m.result() }},
	{named("httpstatuscode"), func(m *maker) { m.number([]int64{200, 206, 304, 404, 503}[m.intn(5)]) }},
	{has("_values", "sectiontypes", "apps_values"), func(m *maker) {
		m.open('[')
		for range 4 {
			m.item().number(int64(m.intn(4200)))
		}
		m.close(']')
	}},
	{has("uusversion", "appversion", "buildversion", "clientversion", "fwversion", "app_version", "osversion", "driverversion", "appver", "modversion", "presentationversion"), func(m *maker) { m.text(m.version()) }},
	{begins("is", "did", "has", "use", "used", "was"), func(m *maker) { m.flag(m.intn(2) == 0) }},
	{has("enabled", "required", "success", "succeeded", "completed", "presentin", "silentby", "background", "interactive", "gesture", "valid", "attempted", "initiatedoffline", "postponed", "rebootrequired", "demomode", "transactioncanceled"), func(m *maker) { m.flag(m.intn(2) == 0) }},
	{has("bytes", "size", "memory"), func(m *maker) { m.number(m.rand.Int64N(1 << 33)) }},
	{has("props"), func(m *maker) { m.number(int64(m.intn(1 << 20))) }},
	{has("seconds", "timems", "unlockms", "minutes", "duration", "uptime", "runtime", "cputime", "usertime", "kerneltime", "cycletime"), func(m *maker) { m.number(m.rand.Int64N(9_000_000)) }},
	{named("currentpageid", "currentpagegroupid", "pageid"), func(m *maker) { m.text("SystemSettings_" + m.one("FindMyDevice", "Accounts", "Privacy")) }},
	{has("temp", "voltage", "current", "currlast", "pow", "percent", "soc", "ra3"), func(m *maker) { m.decimal(float64(m.intn(40_000))/1000, 3) }},
	{has("sku"), func(m *maker) { m.text(m.one("Professional", "Core", "Enterprise", "Education")) }},
	{has("version", "rev", "minorver", "majorver", "stackbuild"), func(m *maker) { m.number(int64(m.intn(30))) }},
	{begins("max", "min", "last", "first", "qmax", "new"), func(m *maker) { m.number(int64(m.intn(5000))) }},
	{has("count", "attempt", "number", "level", "flags", "sequence", "instance", "seq", "offset", "mask", "mode", "rate", "limit", "priority", "cell", "mfginfo", "bpm", "ctt", "parameter", "revision", "lifetime", "stateofhealth"), func(m *maker) { m.number(int64(m.intn(5000))) }},
	{ends("id"), func(m *maker) { m.number(int64(m.intn(100_000))) }},
	{ends("state", "status"), func(m *maker) { m.text(m.one("Idle", "Queued", "Running", "Done", "Failed")) }},
	{ends("type"), func(m *maker) { m.text(m.one("Full", "Delta", "Express", "Unknown")) }},
	{has("reason"), func(m *maker) { m.text(m.one("None", "UserRequest", "Policy", "NetworkCost")) }},
	{has("architecture"), func(m *maker) { m.text(m.one("x64", "arm64")) }},
	{has("info", "update", "scenario", "context"), func(m *maker) {
		m.open('{')
		m.key("stage").text(m.one("scan", "download", "install", "commit"))
		m.key("attempt").number(int64(1 + m.intn(4)))
		m.close('}')
	}},
}

// valueFor is how a field of that name gets its value.
func valueFor(field string) func(*maker) {
	lower := strings.ToLower(field)
	for _, k := range kinds {
		if k.suits(lower) {
			return k.value
		}
	}
	return func(m *maker) { m.text(m.one("Default", "None", "Normal", "Unknown", "Retail", "v"+m.digits(2))) }
}

func named(words ...string) func(string) bool {
	return func(name string) bool {
		for _, w := range words {
			if name == w {
				return true
			}
		}
		return false
	}
}

func has(words ...string) func(string) bool {
	return func(name string) bool {
		for _, w := range words {
			if strings.Contains(name, w) {
				return true
			}
		}
		return false
	}
}

func begins(words ...string) func(string) bool {
	return func(name string) bool {
		for _, w := range words {
			if strings.HasPrefix(name, w) {
				return true
			}
		}
		return false
	}
}

func ends(words ...string) func(string) bool {
	return func(name string) bool {
		for _, w := range words {
			if strings.HasSuffix(name, w) {
				return true
			}
		}
		return false
	}
}

// note writes free text, as support staff and customers do.
func (m *maker) note() {
	other := people[m.intn(len(people))]
	key := m.one("note", "comment", "userFeedback", "supportNote")
	var text string
	switch m.intn(9) {
	case 0:
		text = "Customer " + m.who.name + " asked for a call back at " + m.phone() + ", before noon."
	case 1:
		text = "Mail " + other.mail + " (cc " + m.who.mail + ") when the update is through; it failed again last night."
	case 2:
		text = "Refund to card " + cards[m.intn(len(cards))] + ", the old one ended in 42."
	case 3:
		text = "Bank transfer, IBAN " + ibans[m.intn(len(ibans))] + ", reference " + m.digits(6) + "."
	case 4:
		text = "Device " + m.deviceName() + " at " + m.ip() + " (" + m.mac() + ") drops off the network every ten minutes."
	case 5:
		text = "Bin unter " + m.phone() + " oder " + m.who.mail + " erreichbar, Grüße, " + m.who.name
	case 6:
		text = "It worked after a restart. Thanks!"
	case 7:
		text = "Screen goes black at 47 %, then build " + m.version() + " rolls back. No personal data here."
	default:
		text = "Tried " + m.ip() + " and " + m.ip() + ", then rang " + other.name + " on " + m.phone() + ";\nsee ticket #" + m.digits(5) + "."
	}
	m.key(key).text(text)
}

func (m *maker) phone() string {
	switch m.intn(3) {
	case 0:
		return "+1 425 555 01" + m.digits(2)
	case 1:
		return "(206) 555-01" + m.digits(2)
	default:
		return "+44 20 7946 0" + m.digits(3)
	}
}

func (m *maker) ip() string {
	switch m.intn(4) {
	case 0:
		return "2001:db8:" + strconv.FormatInt(int64(1+m.intn(0xfffe)), 16) + "::" + strconv.FormatInt(int64(1+m.intn(0xfffe)), 16)
	case 1:
		return "198.51.100." + strconv.Itoa(1+m.intn(254))
	default:
		return "192.0.2." + strconv.Itoa(1+m.intn(254))
	}
}

// mac is in the range that RFC 7042 reserves for documentation.
func (m *maker) mac() string { return "00:00:5E:00:53:" + strings.ToUpper(m.hex(2)) }

func (m *maker) deviceName() string {
	first, _, _ := strings.Cut(m.who.mail, "@")
	first, _, _ = strings.Cut(first, ".")
	return strings.ToUpper(first) + "S-" + m.one("LAPTOP", "DESKTOP", "SLATE")
}

func (m *maker) path() string {
	first, _, _ := strings.Cut(m.who.mail, "@")
	return `C:\Users\` + first + `\` + m.one(`Documents\Budget.xlsx`, `AppData\Local\Contoso\cache.db`, `Pictures\IMG_0042.jpg`, `Desktop\notes.txt`)
}

func (m *maker) program() string {
	return m.one("Contoso.Notes", "UpdateOrchestrator", "svchost.exe", "explorer.exe", "Fabrikam.Mail", "wuauclt.exe", "Contoso Photos")
}

func (m *maker) packageName() string {
	return m.one("Contoso.Notes", "Fabrikam.Mail", "Northwind.Store") + "_" + m.version() + "_x64__8wekyb3d8bbwe"
}

func (m *maker) version() string {
	return strconv.Itoa(1+m.intn(12)) + "." + strconv.Itoa(m.intn(10)) + "." + strconv.Itoa(m.intn(30000)) + "." + strconv.Itoa(m.intn(2000))
}

// result is a Windows result code: mostly success, sometimes a failure, as the
// signed number or the hexadecimal text that events carry.
func (m *maker) result() {
	switch m.intn(5) {
	case 0:
		m.number(-2145124329) // 0x80240017
	case 1:
		m.text(m.one("0x80070005", "0x80240022", "0x800F0922"))
	default:
		m.number(0)
	}
}

func (m *maker) correlation() string {
	return m.letters(16) + "." + strconv.Itoa(m.intn(9)) + "." + strconv.Itoa(m.intn(40))
}
