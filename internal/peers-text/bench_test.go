package peerstext

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
)

// measure runs an engine over pieces of the same size in turn. It has seen each once,
// and what it finds in it must stay the same.
func measure(b *testing.B, find look, pieces ...string) {
	b.Helper()
	want, sum := make([]int, len(pieces)), 0
	for i, text := range pieces {
		want[i] = find(text)
		sum += want[i]
	}
	b.SetBytes(int64(len(pieces[0])))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if got := find(pieces[i]); got != want[i] {
			b.Fatalf("%d findings, want %d", got, want[i])
		}
		if i++; i == len(pieces) {
			i = 0
		}
	}
	b.ReportMetric(float64(sum)*1e6/float64(len(pieces)*len(pieces[0])), "findings/MB")
}

// measureCold loads an engine anew for each time that it goes through a text.
func measureCold(b *testing.B, load func(testing.TB) look, text string) {
	b.Helper()
	want := -1
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		got := load(b)(text)
		if want == -1 {
			want = got
		}
		if got != want {
			b.Fatalf("%d findings, want %d", got, want)
		}
	}
}

// BenchmarkText goes through long texts, of which the slower engines get the
// beginning. The cold rows begin with opening the compiled detectors.
func BenchmarkText(b *testing.B) {
	for _, c := range corpora {
		text := c.text()
		for _, p := range peers() {
			b.Run(c.name+"/"+p.name, func(b *testing.B) { measure(b, p.load(b), text[:p.take]) })
		}
		b.Run(c.name+"/privet-cold", func(b *testing.B) { measureCold(b, privet, text) })
		b.Run(c.name+"/privet-reader-cold", func(b *testing.B) { measureCold(b, privetReader, text) })
	}
}

// BenchmarkFirst makes an engine and shows it its first piece of prose.
func BenchmarkFirst(b *testing.B) {
	for _, n := range []int{1 << 10, 64 << 10, 1 << 20} {
		for _, p := range peers() {
			if n > p.take {
				continue // it would take too long
			}
			b.Run(fmt.Sprintf("%dKiB/%s", n>>10, p.name), func(b *testing.B) { measureCold(b, p.load, prose()[:n]) })
		}
	}
}

// BenchmarkMessages goes through pieces of 1 KiB, as programs that look at one message
// or line at a time do. It is kind to engines whose work grows faster than the text.
func BenchmarkMessages(b *testing.B) {
	const piece = 1 << 10
	for _, c := range corpora {
		for _, p := range peers() {
			b.Run(c.name+"/"+p.name, func(b *testing.B) {
				var pieces []string
				for text := c.text()[:p.take]; len(text) >= piece; text = text[piece:] {
					pieces = append(pieces, text[:piece])
				}
				measure(b, p.load(b), pieces...)
			})
		}
	}
}

// BenchmarkDetectors is the throughput on prose against the number of detectors,
// which are taken evenly from all.
func BenchmarkDetectors(b *testing.B) {
	all := patterns(b)
	for _, n := range []int{10, 50, len(all)} {
		var list []bundle.Detector
		var selection classify.Selection
		for i := range n {
			d := all[i*len(all)/n]
			list = append(list, d)
			selection.Detectors = append(selection.Detectors, d.ID)
		}
		load := func(t testing.TB) look {
			c, err := opened(t).Select(selection)
			require.NoError(t, err)
			return scanning(c)
		}
		b.Run(fmt.Sprintf("%d/privet", n), func(b *testing.B) { measure(b, load(b), prose()) })
		b.Run(fmt.Sprintf("%d/privet-cold", n), func(b *testing.B) { measureCold(b, load, prose()) })
		b.Run(fmt.Sprintf("%d/regexp", n), func(b *testing.B) { measure(b, regexpLoop(b, list), prose()[:size.regexp]) })
	}
}

// BenchmarkHostile goes through the worst texts.
func BenchmarkHostile(b *testing.B) {
	for _, h := range hostiles {
		text := h.text()
		b.Run(h.name+"/scan", func(b *testing.B) { measure(b, privet(b), text) })
		b.Run(h.name+"/reader", func(b *testing.B) { measure(b, privetReader(b), text) })
		b.Run(h.name+"/cold", func(b *testing.B) { measureCold(b, privet, text) })
	}
}
