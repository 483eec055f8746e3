package retention_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention"
)

// many are n rules of all kinds, all about one category.
func many(t testing.TB, n int) *retention.Rules {
	var list []retention.Rule
	kinds := []retention.Kind{retention.Ceiling, retention.Floor, retention.Delete}
	for i := range n {
		days := []int{200, 1, 100}[i%3] + i%50 // floors, then wishes, then ceilings
		list = append(list, rule(t, "r"+strconv.Itoa(i), kinds[i%3], retention.Law, "user", "used_at", "P"+strconv.Itoa(days)+"D"))
	}
	return rules(t, list...)
}

func hotInput(t testing.TB) *retention.Input {
	in := input("user.contact.email", "2026-03-28T12:00:00Z", "used_at", "2026-03-28T10:00:00Z")(t)
	in.Explain = false
	return &in
}

// copyRules are ten rules of which some bind one kind of copy only.
func copyRules(t testing.TB) (list []retention.Rule) {
	for i := range 10 {
		r := rule(t, "r"+strconv.Itoa(i), retention.Ceiling, retention.Law, "user", "used_at", "P"+strconv.Itoa(i+20)+"D")
		if i%3 == 0 {
			r.Copies = []retention.Copy{retention.Copy(i % 7)}
		}
		list = append(list, r)
	}
	return list
}

func TestAllocations(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	at := instant(t, "2026-03-28T10:00:00Z")
	month, text := period(t, "P1M3DT2H"), "P1Y2M3DT4H5M6S"
	var p retention.Period
	var end time.Time
	in := hotInput(t)
	unruled := *in
	unruled.Category = "other"
	var plan, none, record, planned retention.Plan
	buf := make([]byte, 0, 1024)
	one := rules(t, rule(t, "ephemeral", retention.Ceiling, retention.Typical, "user", "used_at", "PT48H"))
	hundred := many(t, 100)
	require.NoError(t, hundred.PlanInto(&planned, in))
	account, copied := rules(t, accountRules(t)...), rules(t, copyRules(t)...)
	var held, copies, told retention.Plan
	toldIn := input("customer.files", "2026-03-02T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z")(t)
	heldIn := input("customer.files", "2026-03-02T00:00:00Z", "subscription_end", "2025-12-31T23:59:59Z")(t)
	heldIn.Explain, heldIn.Attr = false, map[string]any{"in_scope": true}
	heldIn.Holds = []retention.Hold{hold(t, retention.Toll, "a", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), hold(t, retention.Suspend, "b", "2026-03-01T00:00:00Z", "")}
	heldIn.Erasure = &retention.Erasure{ID: "r", At: heldIn.Now}
	for name, f := range map[string]func(){
		"ParsePeriod":     func() { p, _ = retention.ParsePeriod(text) },
		"Add in UTC":      func() { end, _ = month.Add(at, time.UTC, retention.Clamp) },
		"Add in Berlin":   func() { end, _ = month.Add(at, berlin, retention.Clamp) },
		"Plan, 1 rule":    func() { _ = one.PlanInto(&plan, in) },
		"Plan, no rule":   func() { _ = one.PlanInto(&none, &unruled) },
		"Plan, 100 rules": func() { _ = hundred.PlanInto(&plan, in) },
		"Plan, holds":     func() { _ = account.PlanInto(&held, &heldIn) },
		"Plan, explained": func() { _ = account.PlanInto(&told, &toldIn) },
		"Plan, copies":    func() { _ = copied.PlanInto(&copies, in) },
		"Merge":           func() { record = retention.Plan{}; record.Merge(&planned) },
		"AppendJSON":      func() { buf = planned.AppendJSON(buf[:0]) },
	} {
		f() // grows what is reused
		assert.Zero(t, testing.AllocsPerRun(100, f), name)
	}
	assert.NotZero(t, p)
	assert.NotZero(t, end)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { plan, _ = one.Plan(*in) }), 1.0, "Plan pays for its own copy of the input")
}

// TestSmall keeps out what would make a WASM module large or read a clock: this
// package ends up in one.
func TestSmall(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	checked := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		checked++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range f.Imports {
			assert.Contains(t, []string{`"errors"`, `"slices"`, `"strconv"`, `"strings"`, `"time"`, `"unicode/utf8"`}, i.Path.Value, name)
		}
	}
	require.NotZero(t, checked, "no file was checked")
}

func BenchmarkParsePeriod(b *testing.B) {
	for _, text := range []string{"P90D", "P1Y2M3DT4H5M6S"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := retention.ParsePeriod(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAdd stands beside time.AddDate, which answers a simpler question: it
// does not clamp, and does not say what it does with wall clocks that are skipped
// or repeated. The instants lie where zone data is computed by rule (2026), which
// is the slower half of the time package.
func BenchmarkAdd(b *testing.B) {
	at := instant(b, "2026-01-15T10:00:00Z")
	for _, name := range []string{"UTC", "Europe/Berlin"} {
		loc := zone(b, name)
		for _, text := range []string{"PT48H", "P90D", "P1Y6M"} {
			p := period(b, text)
			b.Run(name+"/"+text, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := p.Add(at, loc, retention.Clamp); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		local := at.In(loc)
		b.Run(name+"/floor-AddDate-P1Y6M", func(b *testing.B) {
			b.ReportAllocs()
			var end time.Time
			for b.Loop() {
				end = local.AddDate(1, 6, 0)
			}
			_ = end
		})
	}
}

// BenchmarkPlan plans one category. All rules of the larger sets are about it,
// which is the worst case: a rule about other data costs a comparison.
func BenchmarkPlan(b *testing.B) {
	single := rules(b, rule(b, "ephemeral", retention.Ceiling, retention.Typical, "user", "used_at", "PT48H"))
	for _, bb := range []struct {
		name  string
		rules *retention.Rules
	}{{"1", single}, {"10", many(b, 10)}, {"10-copies", rules(b, copyRules(b)...)}, {"100", many(b, 100)}} {
		in := hotInput(b)
		b.Run("rules="+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var p retention.Plan
			for b.Loop() {
				if err := bb.rules.PlanInto(&p, in); err != nil {
					b.Fatal(err)
				}
			}
		})
		explained := *in
		explained.Explain = true
		b.Run("rules="+bb.name+"/explain", func(b *testing.B) {
			b.ReportAllocs()
			var p retention.Plan
			for b.Loop() {
				if err := bb.rules.PlanInto(&p, &explained); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	other := hotInput(b)
	other.Category = "system.log"
	hundred := many(b, 100)
	b.Run("rules=100/other-data", func(b *testing.B) {
		b.ReportAllocs()
		var p retention.Plan
		for b.Loop() {
			if err := hundred.PlanInto(&p, other); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("rules=1/parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			var p retention.Plan
			in := hotInput(b)
			for pb.Next() {
				if err := single.PlanInto(&p, in); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func BenchmarkMergeAndJSON(b *testing.B) {
	var p retention.Plan
	require.NoError(b, many(b, 10).PlanInto(&p, hotInput(b)))
	b.Run("Merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var r retention.Plan
			r.Merge(&p)
		}
	})
	b.Run("AppendJSON", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf = p.AppendJSON(buf[:0])
		}
	})
}
