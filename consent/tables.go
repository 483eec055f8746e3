package consent

import (
	"slices"
	"strings"
	"time"
)

// The two tables below come from secondary pages, as noted beside the rows. They
// are not legal advice; a policy may bring rows of its own. A row without a
// beginning holds for the whole time before the next of its place, where the law
// began later too, so that no instant falls between two rows.

// AgeTable returns the builtin rows of [Ages]: ages of consent to online services
// under GDPR Art. 8(1) with their changes, 16 where no place or no row is known,
// the United States' rule for children under 13, and California's for the sale of
// data of people under 16. The caller owns the result.
func AgeTable() []AgeRule {
	list := slices.Clone(ageTable2026)
	for i := range list {
		list[i].Uses = slices.Clone(list[i].Uses)
	}
	return list
}

// Sources of rows of ages.
const (
	art8     = "GDPR Art. 8(1) in national law, as tabulated from the Commission's staff working document of June 2020, p. 17, at blog.kuan0.com/2020/06"
	art8none = "GDPR Art. 8(1): 16 where no lower age is set or known"
	coppa    = "Children's Online Privacy Protection Rule, 16 CFR 312.5"
	ccpa120  = "California Civil Code 1798.120(c)"
)

var ageTable2026 = append(art8Rows(),
	AgeRule{Place: "GB", Under: 13, Source: "Data Protection Act 2018, section 9"},
	AgeRule{Place: "FR", Under: 15, Giver: ByBoth, Source: "GDPR Art. 8(1) in France, Loi 78-17 Art. 45: the child and a parent together"},
	AgeRule{Place: "DK", Under: 13, Source: art8},
	AgeRule{Place: "DK", From: date(2024, time.January, 1), Under: 15, Source: "GDPR Art. 8(1) in Denmark, section 6(2) and (3) as amended: gapsolutions.dk, 7 March 2024; bill at lovguiden.dk"},
	AgeRule{Place: "SI", Under: 16, Source: art8none},
	AgeRule{Place: "SI", From: date(2023, time.January, 26), Under: 15, Source: "GDPR Art. 8(1) in Slovenia, ZVOP-2: karanovicpartners.com"},
	AgeRule{Under: 16, Source: art8none},
	AgeRule{Place: "US", Under: 13, AnyBasis: true, Known: true, Source: coppa},
	AgeRule{Place: "US-CA", Under: 16, Giver: BySubject, Uses: []Use{UseSale, UseShare}, Known: true, Source: ccpa120},
	AgeRule{Place: "US-CA", Under: 13, Giver: ByGuardian, Uses: []Use{UseSale, UseShare}, Known: true, Source: ccpa120},
)

func art8Rows() []AgeRule {
	var list []AgeRule
	for _, x := range []struct {
		under  int
		places string
		source string
	}{
		{13, "BE EE FI LV MT PT SE", art8},
		{13, "NO IS", art8 + "; Iceland not verified again since"},
		{14, "AT BG CY ES IT LT", art8},
		{15, "CZ GR", art8},
		{16, "DE HR HU IE LU NL PL RO SK", art8},
		{16, "LI", art8 + "; not verified again since"},
	} {
		for _, p := range strings.Fields(x.places) {
			list = append(list, AgeRule{Place: p, Under: x.under, Source: x.source})
		}
	}
	return list
}

// RegimeTable returns the builtin rows of [Regimes]: opt-in in the European
// Economic Area, the United Kingdom, Brazil and Quebec; opt-out in the United
// States, with the states in which an opt-out signal binds and from when. The
// caller owns the result.
func RegimeTable() []RegimeRule { return slices.Clone(regimeTable2026) }

// Sources of rows of regimes.
const (
	gdpr        = "GDPR Art. 6(1)(a) and 9(2)(a); Directive 2002/58/EC Art. 5(3)"
	statesNot   = "no signal binds: consentstack.io; cookiebeam.com; w3c/gpc explainer"
	sensitiveIn = "; sensitive data: focusedonprivacy.com"
)

var regimeTable2026 = append(optInRows(), []RegimeRule{
	// The strictest of the states, for who is not known to be in one of them.
	{Place: "US", Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "the strictest of the states below"},

	{Place: "US-CA", Mechanism: OptOut, GPC: true, Sensitive: SensitiveLimit, HonourDays: 15, Source: "11 CCR 7025 and 7026(f): law.cornell.edu; getprivisy.com/regulations/ccpa/7025" + sensitiveIn},

	{Place: "US-CO", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-CO", From: date(2024, time.July, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "bytebacklaw.com 2023-12; legalclarity.org" + sensitiveIn},
	{Place: "US-CT", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-CT", From: date(2025, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "Attorney General's release, doingitlocal.com 2025-01" + sensitiveIn},
	{Place: "US-TX", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-TX", From: date(2025, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "w3c/gpc explainer 4.1.3; date not verified again" + sensitiveIn},
	{Place: "US-NE", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-NE", From: date(2025, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "w3c/gpc explainer 4.1.3; date from the start of the law" + sensitiveIn},
	{Place: "US-MT", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-MT", From: date(2025, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "cookiebeam.com" + sensitiveIn},
	{Place: "US-NH", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-NH", From: date(2025, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "compliancehub.wiki" + sensitiveIn},
	{Place: "US-NJ", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-NJ", From: date(2025, time.July, 15), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "clarip.com; legalclarity.org; one firm wrote a year later" + sensitiveIn},
	{Place: "US-MN", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-MN", From: date(2025, time.July, 31), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "zephtech.net; cookiebeam.com" + sensitiveIn},
	{Place: "US-MD", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-MD", From: date(2025, time.October, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "bakerdonelson.com; the sale of sensitive data is banned there, which is a prohibition to write" + sensitiveIn},
	{Place: "US-DE", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-DE", From: date(2026, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "olenderfeldman.com; cookiebeam.com" + sensitiveIn},
	{Place: "US-OR", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: "before the signal binds" + sensitiveIn},
	{Place: "US-OR", From: date(2026, time.January, 1), Mechanism: OptOut, GPC: true, Sensitive: SensitiveOptIn, Source: "olenderfeldman.com; cookiebeam.com" + sensitiveIn},

	{Place: "US-VA", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: statesNot + sensitiveIn},
	{Place: "US-IN", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: statesNot + sensitiveIn},
	{Place: "US-TN", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: statesNot + sensitiveIn},
	{Place: "US-KY", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: statesNot + sensitiveIn},
	{Place: "US-RI", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: statesNot + sensitiveIn},
	{Place: "US-FL", Mechanism: OptOut, Sensitive: SensitiveOptIn, Source: statesNot + "; sensitive data: no source found, the stricter kept"},
	{Place: "US-UT", Mechanism: OptOut, Sensitive: SensitiveLimit, Source: statesNot + sensitiveIn},
	{Place: "US-IA", Mechanism: OptOut, Sensitive: SensitiveLimit, Source: statesNot + sensitiveIn},
}...)

func optInRows() []RegimeRule {
	list := []RegimeRule{
		{Place: "BR", Mechanism: OptIn, Sensitive: SensitiveOptIn, Source: "Lei 13.709/2018 (LGPD) Art. 7 and 11"},
		{Place: "CA-QC", Mechanism: OptIn, Sensitive: SensitiveOptIn, Source: "Quebec's Law 25 (2021, chapter 25)"},
		{Place: "GB", Mechanism: OptIn, Sensitive: SensitiveOptIn, Source: "UK GDPR Art. 6(1)(a) and 9(2)(a); PECR regulation 6"},
	}
	for _, p := range strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK") {
		list = append(list, RegimeRule{Place: p, Mechanism: OptIn, Sensitive: SensitiveOptIn, Source: gdpr})
	}
	return list
}
