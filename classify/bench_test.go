package classify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/privetdev/privet/classify"
)

// event is what a telemetry event looks like: twenty fields, most of them short
// and about nobody, one identifier and one address.
var event = []classify.Field{
	{Name: "deviceId", Value: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
	{Name: "osVersion", Value: "10.0.26100.1742"},
	{Name: "appVersion", Value: "126.0.2592.87"},
	{Name: "EventType", Value: "DownloadCompleted"},
	{Name: "HResult", Value: "0x80070005"},
	{Name: "timeStamp", Value: "2026-03-28T10:00:00.1234567Z"},
	{Name: "sessionId", Value: "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
	{Name: "totalTimeMs", Value: "1532"},
	{Name: "bytesFromCDN", Value: "104857600"},
	{Name: "isVpn", Value: "false"},
	{Name: "locale", Value: "de-DE"},
	{Name: "PackageFullName", Value: "Contoso.Notes_4.2.1.0_x64__8wekyb3d8bbwe"},
	{Name: "cdnUrl", Value: "https://download.example.com/files/4.2.1/notes.msix"},
	{Name: "Manufacturer", Value: "Contoso Devices Ltd."},
	{Name: "ErrorMessage", Value: "The operation completed successfully."},
	{Name: "relatedCV", Value: "Xy9dQb3kE0aN2Yl1.4.12"},
	{Name: "flightId", Value: "FX:1289D0F4"},
	{Name: "uptimeMinutes", Value: "8214"},
	{Name: "user_email", Value: "jane@example.com"},
	{Name: "epoch", Value: "1698765432100"},
}

const prose = "The download of the update finished after some minutes and the device restarted as planned; the new version was activated, and the service reported that nothing had to be repaired after the third attempt.\n"

func BenchmarkField(b *testing.B) {
	c := classify.Builtin()
	b.Run("event/field", func(b *testing.B) {
		s := c.NewScanner()
		var labels []classify.Label
		for i := range event {
			labels = s.Append(labels[:0], &event[i])
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			labels = s.Append(labels[:0], &event[i])
			if i++; i == len(event) {
				i = 0
			}
		}
	})
	for i := range event {
		b.Run(fmt.Sprintf("value/%s", event[i].Name), func(b *testing.B) {
			s := c.NewScanner()
			var labels []classify.Label
			b.ReportAllocs()
			for b.Loop() {
				labels = s.Append(labels[:0], &event[i])
			}
		})
	}
	b.Run("name/known", func(b *testing.B) {
		s := c.NewScanner()
		var labels []classify.Label
		f := classify.Field{Name: "bytesFromCDN"}
		b.ReportAllocs()
		for b.Loop() {
			labels = s.Append(labels[:0], &f)
		}
	})
	b.Run("name/new", func(b *testing.B) {
		s := c.NewScanner()
		var labels []classify.Label
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i++
			labels = s.Append(labels[:0], &classify.Field{Name: fmt.Sprintf("bytesFrom%dCDN", i)})
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			s := c.NewScanner()
			var labels []classify.Label
			for i := 0; pb.Next(); i++ {
				labels = s.Append(labels[:0], &event[i%len(event)])
			}
		})
	})
}

// BenchmarkText searches free text. The floor is a pass over the bytes that counts
// their classes, which no search can beat without skipping.
func BenchmarkText(b *testing.B) {
	texts := []struct{ name, text string }{
		{"200B", prose},
		{"10kB", strings.Repeat(prose, 50)},
		{"10kB-dense", strings.Repeat("Call +1 425 555 0100 or write to jane@example.com; card 4111 1111 1111 1111, SSN 123-45-6789. ", 106)},
	}
	for _, t := range texts {
		b.Run(t.name, func(b *testing.B) {
			s := classify.Builtin().NewScanner()
			var found []classify.Finding
			b.SetBytes(int64(len(t.text)))
			b.ReportAllocs()
			for b.Loop() {
				found = s.Scan(found[:0], t.text)
			}
		})
		b.Run("floor/"+t.name, func(b *testing.B) {
			var counts [256]int
			b.SetBytes(int64(len(t.text)))
			for b.Loop() {
				for i := range len(t.text) {
					counts[t.text[i]]++
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := classify.Open(classify.BuiltinBundle()); err != nil {
			b.Fatal(err)
		}
	}
}
