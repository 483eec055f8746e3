package host

import (
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/wasm/emit"
)

// A target is a policy as a module, and as package classify runs it.
type target struct {
	module []byte
	native *classify.Classifier
	err    error
}

func compiled(path string) func() target {
	return sync.OnceValue(func() (t target) {
		b, err := policy.CompileFile(path)
		if err != nil {
			return target{err: err}
		}
		if t.native, t.err = classify.Open(b.Bytes()); t.err == nil {
			t.module, t.err = emit.Module(b.Bytes(), emit.Options{})
		}
		return t
	})
}

var (
	twenty  = compiled("../../internal/peers/testdata/rules20.yaml")
	builtin = compiled("../../examples/browser-form/policy.yaml")
)

func openTarget(t testing.TB, from func() target, opts ...Option) (*Classifier, *classify.Classifier) {
	t.Helper()
	made := from()
	require.NoError(t, made.err)
	k, err := OpenClassifier(ctx, made.module, append([]Option{WithCache(cache())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, k.Close(ctx)) })
	return k, made.native
}

// fields are some of every kind: names alone, values alone, maps, other scripts, bytes
// that are no UTF-8.
func fields() []classify.Field {
	names := []string{"", "user_email", "emailAddress", "full_name", "cardNo", "note", "lat", "IBAN", "größe", "имя", "x", "date_of_birth", "password", "ip_addr", "strasse"}
	values := []string{
		"", "jane@example.com", "Call +1 425 555 0100 or write to jane@example.com, card 4111 1111 1111 1111.", "DE89 3704 0044 0532 0130 00",
		"192.0.2.17", "1984-02-29", "47.6401, -122.1295", "Zoë 😀 zoe@example.net", "\xff\xfe jane@example.com \x80", "ssn 078-05-1120", "LC-00012345", "12.50",
		strings.Repeat("nothing here ", 400) + "mail jane@example.com", "ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
	}
	var out []classify.Field
	for _, n := range names {
		for _, v := range values {
			out = append(out, classify.Field{Name: n, Value: v})
		}
		out = append(out,
			classify.Field{Name: n, Path: "customer." + n, Type: "string", Source: "orders", Description: "address of the person", Value: values[1]},
			classify.Field{Name: n, Tags: map[string]string{"category": "user.contact.email", "pii": "true", "b": "", "a": "x"}, Context: map[string]string{"country": "de", "table": "people", "z": ""}})
	}
	return out
}

// TestClassifierAnswersAsNative asks a module and package classify the same. Package
// emit has the exhaustive comparison; this one is about the way there and back.
func TestClassifierAnswersAsNative(t *testing.T) {
	for name, from := range map[string]func() target{"twenty": twenty, "builtin": builtin} {
		t.Run(name, func(t *testing.T) {
			k, native := openTarget(t, from)
			scanner := native.NewScanner()
			scanner.MaxValue = 0
			labelled := 0
			for _, f := range fields() {
				want := native.Field(f)
				got, err := k.Field(ctx, f)
				require.NoError(t, err)
				require.Len(t, got, len(want), "%q", f)
				for i := range want {
					assert.Equal(t, want[i].Category, got[i].Category, "%q", f)
					assert.InDelta(t, want[i].Confidence, got[i].Confidence, 0, "%q", f) // the same bits
					assert.Equal(t, [4]string{want[i].Rule, want[i].Detector, want[i].ISO19944, want[i].Qualifier}, [4]string{got[i].Rule, got[i].Detector, got[i].ISO19944, got[i].Qualifier}, "%q", f)
					require.Len(t, got[i].Spans, len(want[i].Spans), "%q", f)
					for j, span := range want[i].Spans {
						assert.Equal(t, span, got[i].Spans[j], "%q", f)
					}
				}
				labelled += len(want)
				found, err := k.Scan(ctx, f.Value)
				require.NoError(t, err)
				assert.Equal(t, scanner.Scan(nil, f.Value), found, "%q", f.Value)
			}
			assert.Greater(t, labelled, 50, "the comparison must have something to compare")
		})
	}
}

func TestClassifierRealAtOnce(t *testing.T) {
	k, native := openTarget(t, twenty, WithInstances(3))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(1, uint64(i)))
			list := fields()
			for range 200 {
				f := list[chance.IntN(len(list))]
				got, err := k.Field(ctx, f)
				assert.NoError(t, err)
				assert.Len(t, got, len(native.Field(f)))
			}
		})
	}
	all.Wait()
}

func TestClassifierRealLimits(t *testing.T) {
	k, _ := openTarget(t, twenty, WithInstances(1))
	most := k.Describe().MaxInput
	assert.Equal(t, 4<<20, most)
	_, err := k.Scan(ctx, strings.Repeat("x", most))
	assert.NoError(t, err)
	_, err = k.Field(ctx, classify.Field{Value: strings.Repeat("canary ", most/7+1)})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "TOO_LARGE", e.Code)
	tags := map[string]string{}
	for i := range 5000 {
		tags[strings.Repeat("c", i)[:i%50]+string(rune('a'+i%26))+strings.Repeat("x", i%97)+strings.Repeat("y", i/97)] = "canary"
	}
	require.Greater(t, len(tags), 4000)
	labels, err := k.Field(ctx, classify.Field{Name: "user_email", Tags: tags})
	require.NoError(t, err)
	assert.Len(t, labels, 2)
}

var textFile = flag.String("text", "", "the text for BenchmarkClassifierText")

// BenchmarkClassifierField is the decision of package peers: one of four fields in turn.
func BenchmarkClassifierField(b *testing.B) {
	four := []classify.Field{{Name: "user_email", Type: "string", Value: "jane@example.com"}, {Name: "amount", Type: "number", Value: "12.50"}, {Name: "x", Type: "string", Value: "bob@corp.io"}, {Name: "api_key", Type: "string", Value: "n/a"}}
	for _, o := range []struct {
		name string
		opts []Option
	}{{"wazero", nil}, {"wazero-interruptible", []Option{WithInterrupt()}}, {"wazero-interpreter", []Option{WithInterpreter()}}} {
		b.Run(o.name, func(b *testing.B) {
			k, _ := openTarget(b, twenty, append(o.opts, WithInstances(1))...)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := k.Field(ctx, four[i&3]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
	b.Run("native", func(b *testing.B) {
		_, native := openTarget(b, twenty)
		s := native.NewScanner()
		s.NoMemory = true
		var labels []classify.Label
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			labels = s.Append(labels[:0], &four[i&3])
			i++
		}
	})
}

// BenchmarkClassifierOpen is compiling a module in wazero, up to its first decision.
func BenchmarkClassifierOpen(b *testing.B) {
	for name, from := range map[string]func() target{"twenty": twenty, "builtin": builtin} {
		for mode, opts := range map[string][]Option{"compiler": nil, "cached": {WithCache(cache())}, "interpreter": {WithInterpreter()}} {
			b.Run(name+"/"+mode, func(b *testing.B) {
				made := from()
				require.NoError(b, made.err)
				for b.Loop() {
					k, err := OpenClassifier(ctx, made.module, opts...)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := k.Field(ctx, classify.Field{Name: "user_email", Value: "jane@example.com"}); err != nil {
						b.Fatal(err)
					}
					_ = k.Close(ctx)
				}
			})
		}
	}
}

// BenchmarkClassifierText goes through a text with all detectors, in pieces of 1 MiB.
func BenchmarkClassifierText(b *testing.B) {
	text := strings.Repeat("The parcel of order 4711 leaves the house on Monday; write to jane@example.com if it does not arrive.\n", 5000)
	if *textFile != "" {
		data, err := os.ReadFile(*textFile)
		require.NoError(b, err)
		text = string(data)
	}
	var pieces []string
	for rest := text; rest != ""; {
		n := min(len(rest), 1<<20)
		if n < len(rest) {
			n = strings.LastIndexByte(rest[:n], '\n') + 1
			if n == 0 {
				n = 1 << 20
			}
		}
		pieces, rest = append(pieces, rest[:n]), rest[n:]
	}
	k, native := openTarget(b, builtin, WithInstances(1))
	s := native.NewScanner()
	s.MaxValue = 0
	var findings []classify.Finding
	for _, engine := range []struct {
		name string
		scan func(text string) int
	}{
		{"wazero", func(text string) int {
			found, err := k.Scan(ctx, text)
			require.NoError(b, err)
			return len(found)
		}},
		{"native", func(text string) int {
			findings = s.Scan(findings[:0], text)
			return len(findings)
		}},
	} {
		b.Run(engine.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			n := 0
			for b.Loop() {
				n = 0
				for _, p := range pieces {
					n += engine.scan(p)
				}
			}
			b.ReportMetric(float64(n), "findings")
		})
	}
}
