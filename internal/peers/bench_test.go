package peers

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/wasm/emit"
)

// measure runs a decision over fields in turn. Categories are counted on the way and
// the sum is checked at the end, so that no engine gets away with less.
func measure(b *testing.B, d decide, fields []classify.Field) {
	b.Helper()
	want := make([]int, len(fields))
	var found []string
	for i := range fields {
		found = d(found[:0], fields[i].Name, fields[i].Value)
		want[i] = len(found)
	}
	b.ReportAllocs()
	i, got, expected := 0, 0, 0
	for b.Loop() {
		found = d(found[:0], fields[i].Name, fields[i].Value)
		got += len(found)
		expected += want[i]
		if i++; i == len(fields) {
			i = 0
		}
	}
	if got != expected {
		b.Fatalf("%d categories, want %d", got, expected)
	}
}

// checked loads an engine and sees to it that it decides the vectors as they say.
func checked(t testing.TB, e engine, yaml string) decide {
	t.Helper()
	d := e.load(t, yaml)
	for _, v := range vectors(t) {
		check(t, e.name, d, v)
	}
	return d
}

func inputs(t testing.TB) []classify.Field {
	var out []classify.Field
	for _, v := range vectors(t) {
		out = append(out, classify.Field{Name: v.Input.Name, Value: v.Input.Value})
	}
	return out
}

// BenchmarkDecision is the decision of the twenty rules. "email" is the first vector,
// for which two rules hold; "name" is its name without a value, for which they hold
// too; "vectors" are all four in turn. Privet never-seen has its memory off;
// remembering has seen the field before.
func BenchmarkDecision(b *testing.B) {
	yaml, in := file(b, "rules20.yaml"), inputs(b)
	for _, e := range append(slices.Clone(engines), cedarLike, floor) {
		d := checked(b, e, yaml)
		b.Run(e.name+"/email", func(b *testing.B) { measure(b, d, in[:1]) })
		b.Run(e.name+"/name", func(b *testing.B) { measure(b, d, []classify.Field{{Name: in[0].Name}}) })
		b.Run(e.name+"/vectors", func(b *testing.B) { measure(b, d, in) })
	}
}

// million are distinct names, and the values of the vectors.
func million(t testing.TB) []classify.Field {
	in, out := inputs(t), make([]classify.Field, 1_000_000)
	for i := range out {
		f := in[i%len(in)]
		out[i] = classify.Field{Name: fmt.Sprintf("%s_%06x", f.Name, i), Value: f.Value}
	}
	return out
}

// BenchmarkMillion asks about 1,000,000 distinct names in turn, with the memory on:
// nearly every name is looked up in vain, decided, and put into the memory in place of
// another. Its peer is the same without the memory.
func BenchmarkMillion(b *testing.B) {
	yaml, fields := file(b, "rules20.yaml"), million(b)
	for _, e := range engines[:2] {
		b.Run(e.name, func(b *testing.B) {
			d := checked(b, e, yaml)
			var found []string
			got, expected, i := 0, 0, 0
			want := [...]int{2, 0, 1, 1}
			b.ReportAllocs()
			for b.Loop() {
				found = d(found[:0], fields[i].Name, fields[i].Value)
				got += len(found)
				expected += want[i&3]
				if i++; i == len(fields) {
					i = 0
				}
			}
			if got != expected {
				b.Fatalf("%d categories, want %d", got, expected)
			}
		})
	}
}

// others are fields with names of their own, hardly any of which a rule is about, with
// the vectors among them.
func others(t testing.TB, n int) []classify.Field {
	in, out := inputs(t), make([]classify.Field, n)
	values := []string{"", "12.50", "false", "The operation completed successfully.", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "0x80070005"}
	for i := range out {
		out[i] = classify.Field{Name: word(9000+2*i) + "_" + word(9001+2*i), Value: values[i%len(values)]}
		switch i % 16 {
		case 1:
			out[i].Name = strings.ToUpper(out[i].Name)
		case 2:
			out[i] = in[i/16%len(in)]
		}
	}
	return out
}

// BenchmarkRules is the cost of one field against the number of rules, over fields
// that hardly any of them is about.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{20, 200, 2000} {
		yaml := generated(b, n)
		in := others(b, 320)
		for _, e := range engines {
			if e.name == "cel-go/one-program" && n > 20 {
				continue // an expression of so many rules is refused
			}
			d := checked(b, e, yaml)
			b.Run(fmt.Sprintf("%d/%s", n, e.name), func(b *testing.B) { measure(b, d, in) })
		}
	}
}

// BenchmarkLoad makes decisions possible: from the text of a rule file, and from a
// bundle. "load and decide" includes one field, because regular expressions are
// compiled when they are first used.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{20, 200, 2000} {
		yaml := generated(b, n)
		data := compiled(b, yaml)
		b.Run(fmt.Sprintf("%d/privet/compile", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := policy.Compile("rules.yaml", []byte(yaml))
				require.NoError(b, err)
			}
			b.ReportMetric(float64(len(yaml)), "yaml-B")
		})
		b.Run(fmt.Sprintf("%d/privet/load", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := classify.Open(data)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(len(data)), "bundle-B")
		})
		b.Run(fmt.Sprintf("%d/privet/load-and-decide", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := classify.Open(data)
				require.NoError(b, err)
				require.Len(b, c.Field(classify.Field{Name: "user_email", Value: "jane@example.com"}), 2)
			}
		})
		b.Run(fmt.Sprintf("%d/privet/module", n), func(b *testing.B) {
			b.ReportAllocs()
			module, peak := 0, uint64(0)
			for b.Loop() {
				wasm, most := peakOf(func() []byte {
					wasm, err := emit.Module(data, emit.Options{})
					require.NoError(b, err)
					return wasm
				})
				module, peak = len(wasm), max(peak, most)
			}
			b.ReportMetric(float64(module), "module-B")
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
		})
		b.Run(fmt.Sprintf("%d/cel-go/compile", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				celPrograms(b, yaml)
			}
		})
		b.Run(fmt.Sprintf("%d/regexp/compile", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				regexpLoop(b, yaml)
			}
		})
	}
}

// peakOf runs a function and tells how much of the heap was in use at most, looking every
// millisecond, with what was there before taken off.
func peakOf(f func() []byte) (out []byte, peak uint64) {
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		highest := uint64(0)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			highest = max(highest, now.HeapAlloc)
			select {
			case <-done:
				most <- highest
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	out = f()
	close(done)
	return out, max(<-most, before.HeapAlloc) - before.HeapAlloc
}

// BenchmarkValue is the cost of a value by its length, for a name that was seen. The
// rules as they are begin at the start of a value and are soon done; "anywhere" is the
// same rules without their anchors, for which all of it must be looked at.
func BenchmarkValue(b *testing.B) {
	const prose = "The download of the update finished after some minutes, and nothing had to be repaired. "
	anchored := file(b, "rules20.yaml")
	anywhere := strings.NewReplacer(`value.matches(r"^`, `value.matches(r"`, `$")'`, `")'`).Replace(anchored)
	for _, r := range rulesOf(b, anywhere) {
		require.NotRegexp(b, `^\^|\$$`, r.value)
	}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"16B", 16}, {"256B", 256}, {"4KiB", 4 << 10}, {"64KiB", 64 << 10}} {
		value := strings.Repeat(prose, size.bytes/len(prose)+1)[:size.bytes]
		for _, set := range []struct{ name, yaml string }{{"anchored", anchored}, {"anywhere", anywhere}} {
			for _, e := range engines {
				if e.name == "privet/never-seen" || e.name == "cel-go/one-program" {
					continue
				}
				b.Run(size.name+"/"+set.name+"/"+e.name, func(b *testing.B) {
					if set.name == "anywhere" { // otherwise hardly any of it is looked at
						b.SetBytes(int64(size.bytes))
					}
					measure(b, checked(b, e, set.yaml), []classify.Field{{Name: "amount", Value: value}})
				})
			}
		}
	}
}

// BenchmarkParallel asks one classifier from as many goroutines as there are
// processors, each with its scanner.
func BenchmarkParallel(b *testing.B) {
	yaml, fields := file(b, "rules20.yaml"), million(b)
	for _, procs := range []int{1, 2} {
		for _, tt := range []struct {
			name     string
			noMemory bool
			fields   []classify.Field
		}{{"never-seen", true, fields[:4]}, {"seen", false, fields[:4]}, {"million", false, fields}} {
			b.Run(fmt.Sprintf("procs=%d/%s", procs, tt.name), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				c := open(b, yaml)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					s := c.NewScanner()
					s.NoMemory = tt.noMemory
					var labels []classify.Label
					got, expected, want := 0, 0, [...]int{2, 0, 1, 1}
					for i := 0; pb.Next(); i++ {
						f := i % len(tt.fields)
						labels = s.Append(labels[:0], &tt.fields[f])
						got += len(labels)
						expected += want[f&3]
					}
					if got != expected {
						b.Errorf("%d labels, want %d", got, expected)
					}
				})
			})
		}
	}
}
