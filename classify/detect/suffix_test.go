package detect_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/privetdev/privet/classify/detect"
)

func TestRegistered(t *testing.T) {
	for _, tt := range []struct {
		s      string
		want   bool
		reason string
	}{
		{"example.com", true, "below com"},
		{"www.example.com", true, "further below"},
		{"com", false, "no domain at all"},
		{"co.uk", false, "a suffix"},
		{"example.co.uk", true, "below it"},
		{"CO.UK", false, "in upper case"},
		{"Example.Co.Uk", true, "in both"},
		{"parliament.uk", true, "uk itself is one, too"},
		{"github.io", true, "a suffix of a private owner, who registered it"},
		{"someone.github.io", true, "below it"},
		{"freedesktop.org", true, "such a one where people have mailboxes"},
		{"xco.uk", true, "a label that only ends like a suffix"},
		{"c.uk", true, "a label that only begins like one"},
		{"pvt.k12.ma.us", false, "a suffix of four labels"},
		{"chtr.k12.ma.us", false, "the same"},
		{"name.chtr.k12.ma.us", true, "below it"},
		{"any.ck", false, "*.ck: all names below ck are suffixes"},
		{"below.any.ck", true, "below one"},
		{"www.ck", true, "!www.ck: but not this one"},
		{"a.www.ck", true, "below it"},
		{"kawasaki.jp", true, "*.kawasaki.jp says nothing about kawasaki.jp, and jp is a suffix"},
		{"any.kawasaki.jp", false, "all names below are suffixes"},
		{"city.kawasaki.jp", true, "but not this one"},
		{"x.any.kawasaki.jp", true, "below one"},
		{"公司.cn", false, "a suffix as people write it"},
		{"食狮.公司.cn", true, "below it"},
		{"xn--55qx5d.cn", false, "in Punycode"},
		{"xn--85x722f.xn--55qx5d.cn", true, "below it"},
		{"XN--55QX5D.CN", false, "Punycode in upper case"},
		{"пример.рф", true, "below a top level outside ASCII"},
		{"ålesund.no", false, "a town of Norway is a suffix"},
		{"ÅLESUND.no", false, "in upper case"},
		{"xn--lesund-hua.no", false, "the same in Punycode"},
		{"herøy.møre-og-romsdal.no", false, "two labels as people read them"},
		{"herøy.xn--mre-og-romsdal-qqb.no", false, "one of them"},
		{"xn--hery-ira.møre-og-romsdal.NO", false, "the other"},
		{"bücher.no", true, "a name that is not"},
		{"name.test", true, "a top level that the list does not know"},
		{"localhost", false, "no domain"},
		{"192.0.2.1", false, "an address"},
		{"example.com.", false, "the root's dot"},
		{"-x.com", false, "no label"},
		{"", false, "empty"},
		{"\u212a.com", true, "the sign of the Kelvin is a k in lower case"},
		{strings.Repeat("名", 21) + ".jp", true, "the longest label"},
		{strings.Repeat("a.", 126) + "uk", false, "254 bytes"},
		{strings.Repeat("a.", 125) + "uk", true, "the longest name"},
		{strings.Repeat("Ⱥ", 31) + "." + strings.Repeat("Ⱥ", 31) + ".no", true, "a letter whose small one takes a byte more"},
	} {
		assert.Equal(t, tt.want, detect.Registered(tt.s), "%q: %s", tt.s, tt.reason)
	}
}

func TestRegisteredAllocs(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = detect.Registered("www.Example.co.uk")
		_ = detect.Registered("食狮.公司.cn")
		_ = detect.Registered("name.chtr.k12.ma.us")
	}))
}

func FuzzRegistered(f *testing.F) {
	for _, s := range []string{"example.co.uk", "www.ck", "a.b.kawasaki.jp", "公司.cn", "XN--55QX5D.CN", "name.test", "\u212a.com", "name.pvt.k12.ma.us", "İ.tr", "ß.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ok := detect.Registered(s)
		domain := detect.Domain(s)
		if ok && !domain {
			t.Fatal("no domain")
		}
		// No rule has these labels; below them a wildcard ends at the latest.
		if long := "qqq.qqqq." + s; domain && len(long) <= 253 && !detect.Registered(long) {
			t.Fatalf("%q is not registered", long)
		}
		upper := []byte(s)
		for i, c := range upper {
			if c >= 'a' && c <= 'z' {
				upper[i] -= 'a' - 'A'
			}
		}
		if detect.Registered(string(upper)) != ok {
			t.Fatal("case matters")
		}
	})
}

func BenchmarkRegistered(b *testing.B) {
	for _, bb := range []struct{ name, s string }{
		{"short", "example.com"},
		{"long", "www.name.chtr.k12.ma.us"},
		{"international", "食狮.公司.cn"},
		{"suffix", "co.uk"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				detect.Registered(bb.s)
			}
		})
	}
}
