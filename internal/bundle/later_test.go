package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withoutLater is the full bundle without what is in the sections at the end.
func withoutLater(t testing.TB) *Bundle {
	b, err := Decode(sample(t))
	require.NoError(t, err)
	b.Classification.Adjust = nil
	for i := range b.Classification.Detectors {
		b.Classification.Detectors[i].Floor, b.Classification.Detectors[i].Muted = 0, false
	}
	for i := range b.Retention {
		b.Retention[i].Terms = Terms{}
	}
	b.Calendars, b.HoldGrace = nil, ""
	withoutConsent(b)
	return b
}

// withoutConsent takes the last section away.
func withoutConsent(b *Bundle) {
	for i := range b.Sources {
		b.Sources[i].SourceTerms = SourceTerms{}
	}
	for i := range b.Purposes {
		b.Purposes[i].PurposeTerms = PurposeTerms{}
	}
	for i := range b.Features {
		b.Features[i].FeatureTerms = FeatureTerms{}
	}
	for i := range b.DataSources {
		b.DataSources[i].DataSourceTerms = DataSourceTerms{}
	}
	for i := range b.Obligations {
		b.Obligations[i].ObligationTerms = ObligationTerms{}
	}
	for i := range b.Notices {
		b.Notices[i].NoticeTerms = NoticeTerms{}
	}
	b.Topics, b.Duties, b.Recipients, b.Overrides = nil, nil, nil, nil
	b.Ages, b.Regimes, b.Sensitive, b.NoticeLead = Ages{}, Regimes{}, nil, 0
}

// consentOnly has consent terms and nothing of the sections before.
func consentOnly() *Bundle {
	return &Bundle{
		Purposes:   []Purpose{{}, {Key: "ads", PurposeTerms: PurposeTerms{Uses: []string{"sale"}}}},
		Ages:       Ages{Builtin: true, Rules: []AgeRule{{Place: "DK", Under: 15}}},
		Sensitive:  []string{"health"},
		NoticeLead: -1,
	}
}

// termsOnly has terms and nothing of the section before.
func termsOnly() *Bundle {
	return &Bundle{
		Retention: []Retention{{}, {Terms: Terms{Count: "civil_days", Roll: "DE-BE", Stages: Stages{Before: Stage{"active", []string{"*"}}}}}},
		Calendars: []Calendar{{"DE-BE", 0b1000001, []int64{20574, 20598}}},
		HoldGrace: "P30D",
	}
}

// A bundle has the lowest number and the fewest sections that say what it says: what
// older versions could say has the bytes that they wrote.
func TestSections(t *testing.T) {
	change := func(f func(*Bundle)) *Bundle {
		b := withoutLater(t)
		f(b)
		return b
	}
	for _, tt := range []struct {
		name     string
		b        *Bundle
		format   uint16
		sections int
		reason   string
	}{
		{"none", withoutLater(t), Format, 0, "an older policy"},
		{"adjustments", change(func(b *Bundle) { b.Classification.Detectors[1].Muted = true }), Format, 1, "of a number that had it already"},
		{"grace", change(func(b *Bundle) { b.HoldGrace = "P9D" }), FormatTerms, 2, "a reader that does not know it must not say corrupt"},
		{"calendar", change(func(b *Bundle) { b.Calendars = []Calendar{{Name: "x"}} }), FormatTerms, 2, "likewise"},
		{"terms", termsOnly(), FormatTerms, 2, "the empty section before is there to be counted"},
		{"consent", consentOnly(), FormatConsent, 3, "likewise, two of them"},
		{"source", change(func(b *Bundle) { b.Sources[1].Parties = []string{"x"} }), FormatConsent, 3, "what one source says"},
		{"purpose", change(func(b *Bundle) { b.Purposes[1].Counselling = true }), FormatConsent, 3, "what one purpose says"},
		{"feature", change(func(b *Bundle) { b.Features[0].Affects = "x" }), FormatConsent, 3, "what one feature says"},
		{"data source", change(func(b *Bundle) { b.DataSources[0].Flows = []DataFlow{{}} }), FormatConsent, 3, "what one data source says"},
		{"obligation", change(func(b *Bundle) { b.Obligations[1].Period = "P1D" }), FormatConsent, 3, "what one obligation says"},
		{"notice", change(func(b *Bundle) { b.Notices[1].Texts = []Pair{{"en", "x"}} }), FormatConsent, 3, "what one notice says"},
		{"topics", change(func(b *Bundle) { b.Topics = []Pair{{"r", "t"}} }), FormatConsent, 3, ""},
		{"duties", change(func(b *Bundle) { b.Duties = make([]Duty, 1) }), FormatConsent, 3, ""},
		{"recipients", change(func(b *Bundle) { b.Recipients = make([]RecipientRule, 1) }), FormatConsent, 3, ""},
		{"overrides", change(func(b *Bundle) { b.Overrides = make([]Override, 1) }), FormatConsent, 3, ""},
		{"sensitive", change(func(b *Bundle) { b.Sensitive = []string{"x"} }), FormatConsent, 3, ""},
		{"lead", change(func(b *Bundle) { b.NoticeLead = 5 }), FormatConsent, 3, ""},
		{"ages", change(func(b *Bundle) { b.Ages.AssumeAdult = true }), FormatConsent, 3, ""},
		{"regimes", change(func(b *Bundle) { b.Regimes.IgnoreSignalsInOptIn = true }), FormatConsent, 3, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := tt.b.Encode()
			require.NoError(t, err)
			assert.Equal(t, tt.format, binary.BigEndian.Uint16(data[8:]), tt.reason)
			assert.Equal(t, tt.sections, tt.b.later(), tt.reason)
			got, err := Decode(data)
			require.NoError(t, err)
			assert.Equal(t, tt.b, got)
			other := map[uint16]byte{Format: FormatTerms, FormatTerms: Format, FormatConsent: FormatTerms}[tt.format]
			older := seal(append(append([]byte(nil), data[:9]...), append([]byte{other}, data[10:]...)...))
			_, err = Decode(older)
			assert.ErrorIs(t, err, ErrCorrupt, "the other number is no second spelling")
		})
	}
	// What every part of the terms is worth alone.
	v := reflect.TypeFor[Terms]()
	for i := range v.NumField() {
		var terms Terms
		n := 0
		full(t, reflect.ValueOf(&terms).Elem().Field(i), &n)
		assert.False(t, terms.empty(), "%s alone is something", v.Field(i).Name)
	}
	alone(t, (*PurposeTerms).empty)
	alone(t, (*ObligationTerms).empty)
	alone(t, (*Ages).empty)
	alone(t, (*Regimes).empty)
	for i := range 4 {
		var terms Terms
		n := 0
		full(t, reflect.ValueOf(&terms.Schedule).Elem().Field(i), &n)
		assert.False(t, terms.empty(), "%s alone is something", reflect.TypeFor[Schedule]().Field(i).Name)
	}
}

// alone: every field of a part is something.
func alone[T any](t *testing.T, empty func(*T) bool) {
	t.Helper()
	for i := range reflect.TypeFor[T]().NumField() {
		var v T
		require.True(t, empty(&v))
		n := 0
		full(t, reflect.ValueOf(&v).Elem().Field(i), &n)
		assert.False(t, empty(&v), "%T.%s alone is something", v, reflect.TypeFor[T]().Field(i).Name)
	}
}

// A list of which some entries say more: each once, in order, and something.
func TestHostileConsentTerms(t *testing.T) {
	bare, err := (&Bundle{Purposes: make([]Purpose, 2)}).Encode()
	require.NoError(t, err)
	with := func(tail ...byte) []byte {
		data := append([]byte(nil), bare[:len(bare)-sha256.Size]...)
		data[9] = FormatConsent
		// The two sections before, empty; what sources say; then what purposes say.
		data = append(data, 0, 0, 0, 0, 0, 0)
		return seal(append(append(data, tail...), make([]byte, sha256.Size)...))
	}
	// After the purposes: features, data sources, obligations, notices, topics, duties,
	// recipients, overrides, ages, regimes, sensitive, lead.
	rest := make([]byte, 4+4+4+4+1+1)
	one := func(at byte) []byte { return []byte{at, 0, 0, 0, 1} } // counselling, and nothing else
	section := func(count byte, items ...[]byte) []byte {
		out := []byte{count}
		for _, item := range items {
			out = append(out, item...)
		}
		return append(out, rest...)
	}
	b, err := Decode(with(section(2, one(0), one(1))...))
	require.NoError(t, err, "the rows are wrong in one thing each")
	require.True(t, b.Purposes[0].Counselling && b.Purposes[1].Counselling)
	for _, tt := range []struct {
		name   string
		data   []byte
		reason string
	}{
		{"nothing", with(section(0)...), "a second spelling of nothing"},
		{"a purpose that is not there", with(section(1, one(2))...), "terms of nothing"},
		{"a purpose twice", with(section(2, one(1), one(1))...), "which would count?"},
		{"backward", with(section(2, one(1), one(0))...), "a second spelling"},
		{"terms that say nothing", with(section(1, []byte{1, 0, 0, 0, 0})...), "a second spelling"},
		{"more than purposes", with(section(3, one(0), one(1), one(1))...), "more than there are"},
		{"counselling is 2", with(section(1, []byte{1, 0, 0, 0, 2})...), "neither yes nor no"},
		{"a huge place", with(section(1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, []byte{0, 0, 0, 1})...), "terms of nothing"},
		{"something after", with(append(section(1, one(0)), 0)...), "a section that is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.data)
			require.ErrorIs(t, err, ErrCorrupt, tt.reason)
		})
	}
	good, err := consentOnly().Encode()
	require.NoError(t, err)
	for i := header; i < len(good)-sha256.Size; i++ {
		_, err := Decode(seal(append(append([]byte(nil), good[:i]...), make([]byte, sha256.Size)...)))
		require.Error(t, err, "cut at byte %d and sealed", i)
	}
}

// One policy has one spelling, and a section that speaks of no rule is none.
func TestHostileSections(t *testing.T) {
	good, err := termsOnly().Encode()
	require.NoError(t, err)
	bare, err := (&Bundle{Retention: make([]Retention, 2)}).Encode()
	require.NoError(t, err)
	body := bare[header : len(bare)-sha256.Size]
	with := func(tail ...byte) []byte {
		data := append(append([]byte(nil), bare[:header]...), body...)
		data[9] = FormatTerms
		return seal(append(append(data, tail...), make([]byte, sha256.Size)...))
	}
	term := []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} // fixed, and nothing else
	at := func(rule byte) []byte { return append([]byte{rule}, term...) }
	one := func(rule byte) []byte { return append([]byte{0, 0, 0, 0, 1}, at(rule)...) }
	b, err := Decode(with(one(1)...))
	require.NoError(t, err, "the rows are wrong in one thing each")
	require.True(t, b.Retention[1].Fixed)
	for _, tt := range []struct {
		name   string
		data   []byte
		reason string
	}{
		{"empty sections", with(0, 0, 0, 0, 0), "a second spelling of nothing"},
		{"one empty section", with(0, 0), "likewise"},
		{"a rule that is not there", with(one(2)...), "terms of nothing"},
		{"a huge rule", with(append([]byte{0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, term...)...), "terms of nothing"},
		{"one rule twice", with(append([]byte{0, 0, 0, 0, 2}, append(at(1), at(1)...)...)...), "which would count?"},
		{"rules backward", with(append([]byte{0, 0, 0, 0, 2}, append(at(1), at(0)...)...)...), "a second spelling"},
		{"terms that say nothing", with(append([]byte{0, 0, 0, 0, 1, 0}, make([]byte, len(term))...)...), "a second spelling"},
		{"fixed is 2", with(append([]byte{0, 0, 0, 0, 1, 0, 2}, term[1:]...)...), "neither yes nor no"},
		{"many calendars", with(0, 0, 0, 0xff, 0xff, 0xff, 0x7f), "more than there are bytes for"},
		{"weekend of nine days", with(0, 0, 0, 1, 1, 'x', 0x80, 2, 0, 0), "a byte holds eight"},
		{"something after", with(append(one(1), 0)...), "a section that is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.data)
			require.ErrorIs(t, err, ErrCorrupt, tt.reason)
		})
	}
	for i := header; i < len(good)-sha256.Size; i++ {
		_, err := Decode(seal(append(append([]byte(nil), good[:i]...), make([]byte, sha256.Size)...)))
		require.Error(t, err, "cut at byte %d and sealed", i)
	}
}
