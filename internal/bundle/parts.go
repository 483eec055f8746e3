package bundle

import "crypto/sha256"

// A Part is a section of a bundle, for people who want to know what is in it.
type Part struct {
	Name  string
	Items int // of a list; 0 for a part that is none
	Bytes int
}

// Parts are the sections of the bundle in the order of its wire form, from head to
// checksum. Their sizes add up to that of the bundle without signature.
func (b *Bundle) Parts() []Part {
	left := *b // of which one part after the other is taken away
	size := func() int {
		var c codec
		left.walk(&c)
		return len(c.buf)
	}
	parts := []Part{{Name: "head", Bytes: header}, {Name: "name"}}
	before := size()
	// A part's size is what the rest is shorter by without it, and what nothing takes:
	// one byte for an empty list, text or number; of a section at the end, nothing.
	cl := &left.Classification
	taken := 0
	for _, p := range []struct {
		name  string
		items int
		empty int
		take  func()
	}{
		{"sources", len(b.Sources), 1, func() { left.Sources = nil }},
		{"applies", len(b.Applies), 1, func() { left.Applies = nil }},
		{"categories", len(cl.Categories), 1, func() { cl.Categories = nil }},
		{"rules", len(cl.Rules), 1, func() { cl.Rules = nil }},
		{"detectors", len(cl.Detectors), 1, func() { cl.Detectors = nil }},
		{"adjustments", len(cl.Adjust), 1, func() { cl.Adjust = nil }},
		{"suppressions", len(cl.Suppress), 1, func() { cl.Suppress = nil }},
		{"threshold", 0, 1, func() { cl.Threshold = 0 }},
		{"purposes", len(b.Purposes), 1, func() { left.Purposes = nil }},
		{"classes", len(b.Classes), 1, func() { left.Classes = nil }},
		{"features", len(b.Features), 1, func() { left.Features = nil }},
		{"data_sources", len(b.DataSources), 1, func() { left.DataSources = nil }},
		{"prohibitions", len(b.Prohibitions), 1, func() { left.Prohibitions = nil }},
		{"requirements", len(b.Requirements), 1, func() { left.Requirements = nil }},
		{"residency", len(b.Residency), 1, func() { left.Residency = nil }},
		{"gates", 0, 4, func() { left.Gates = Gates{} }},
		{"promotions", len(b.Promotions), 1, func() { left.Promotions = nil }},
		{"obligations", len(b.Obligations), 1, func() { left.Obligations = nil }},
		{"notices", len(b.Notices), 1, func() { left.Notices = nil }},
		{"transforms", len(b.Transforms), 1, func() { left.Transforms = nil }},
		{"otherwise", 0, 4, func() { left.Otherwise = Otherwise{} }},
		{"retention", len(b.Retention), 1, func() { left.Retention = nil }},
		{"withhold", len(b.Withhold), 1, func() { left.Withhold = nil }},
		{"calendars", len(b.Calendars), 0, func() { left.Calendars = nil }},
		{"hold_grace", 0, 0, func() { left.HoldGrace = "" }},
		{"topics", len(b.Topics), 0, func() { left.Topics = nil }},
		{"duties", len(b.Duties), 0, func() { left.Duties = nil }},
		{"recipients", len(b.Recipients), 0, func() { left.Recipients = nil }},
		{"overrides", len(b.Overrides), 0, func() { left.Overrides = nil }},
		{"ages", len(b.Ages.Rules), 0, func() { left.Ages = Ages{} }},
		{"regimes", len(b.Regimes.Rules), 0, func() { left.Regimes = Regimes{} }},
		{"sensitive", len(b.Sensitive), 0, func() { left.Sensitive = nil }},
		{"notice_lead", 0, 0, func() { left.NoticeLead = 0 }},
	} {
		p.take()
		after := size()
		if p.empty == 0 && before == after {
			continue // of a section that the bundle does not have
		}
		parts = append(parts, Part{p.name, p.items, before - after + p.empty})
		before, taken = after, taken+p.empty
	}
	parts[1].Bytes = before - taken
	return append(parts, Part{Name: "checksum", Bytes: sha256.Size})
}
