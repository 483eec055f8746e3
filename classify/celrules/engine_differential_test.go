package celrules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/conform/rulegen"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
)

// Three answers to one question: the labels of a field by the engine with its index
// and its memory; by the plain evaluation of each condition; and by cel-go, which
// evaluates each condition with its own standard environment, over variables that are
// cut to their limits here once more.

// fieldOracle is cel-go with the variables of a rule and those functions of the
// profile that generated rules use, written anew.
var fieldOracle = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{ext.Strings(), cel.CrossTypeNumericComparisons(false), cel.HomogeneousAggregateLiterals()}
	for _, v := range profile.Field.Vars {
		opts = append(opts, cel.Variable(v.Name, celType(v.Type)))
	}
	add := func(name string, argument *cel.Type, call func(a, b ref.Val) bool) {
		opts = append(opts, cel.Function(name, cel.MemberOverload("oracle_"+name, []*cel.Type{argument, argument}, cel.BoolType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return types.Bool(call(a, b)) }))))
	}
	words := cel.ListType(cel.StringType)
	add("hasAll", words, func(a, b ref.Val) bool {
		for it := b.(traits.Iterable).Iterator(); it.HasNext() == types.True; {
			if a.(traits.Container).Contains(it.Next()) != types.True {
				return false
			}
		}
		return true
	})
	add("hasAny", words, func(a, b ref.Val) bool {
		for it := b.(traits.Iterable).Iterator(); it.HasNext() == types.True; {
			if a.(traits.Container).Contains(it.Next()) == types.True {
				return true
			}
		}
		return false
	})
	add("is", cel.StringType, func(a, b ref.Val) bool { return rulegen.Is(string(a.(types.String)), string(b.(types.String))) })
	add("finds", cel.StringType, func(a, b ref.Val) bool { return rulegen.Finds(string(a.(types.String)), string(b.(types.String))) })
	return cel.NewEnv(opts...)
})

// A trio is a rule set as all three have it.
type trio struct {
	rules    []rulegen.Rule
	programs map[string]cel.Program
	c        *classify.Classifier
	plain    *classify.Scanner
}

func newTrio(rules []rulegen.Rule) (*trio, error) {
	env, err := fieldOracle()
	if err != nil {
		return nil, err
	}
	cl, kept := rulegen.Classification(rules, func(env *expr.Env, text string) *expr.Program {
		return Expr(env, source.Plain("test", text), expr.TBool, new(source.Problems))
	})
	data, err := (&bundle.Bundle{Name: "test", Classification: *cl}).Encode()
	if err != nil {
		return nil, err
	}
	x := &trio{rules: kept, programs: map[string]cel.Program{}}
	if x.c, err = classify.Open(data); err != nil {
		return nil, err
	}
	x.plain = x.c.NewScanner()
	for _, r := range kept {
		if x.programs[r.ID], err = oracleProgram(env, r.When); err != nil {
			return nil, fmt.Errorf("refused by cel-go only: %s: %w", r.When, err)
		}
	}
	return x, nil
}

// oracleProgram prefers the optimizer, which refuses some programs; see newOracle.
func oracleProgram(env *cel.Env, text string) (cel.Program, error) {
	tree, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	if p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize)); err == nil {
		return p, nil
	}
	return env.Program(tree)
}

// activation is what a rule sees of a field.
func activation(f *classify.Field) map[string]any {
	name := rulegen.Cut(f.Name, profile.MaxName)
	texts := func(m map[string]string) ref.Val {
		out := map[ref.Val]ref.Val{}
		keys := slices.Sorted(maps.Keys(m))
		for _, k := range keys[:min(len(keys), profile.MaxEntries)] {
			out[types.String(rulegen.Cut(k, profile.MaxName))] = types.String(rulegen.Cut(m[k], profile.MaxName))
		}
		return sortedMap{types.NewRefValMap(types.DefaultTypeAdapter, out)}
	}
	return map[string]any{
		"field.name": name, "field.words": types.NewStringList(types.DefaultTypeAdapter, classify.Words(name)),
		"field.path": rulegen.Cut(f.Path, profile.MaxName), "field.type": rulegen.Cut(f.Type, 128), "field.source": rulegen.Cut(f.Source, profile.MaxName),
		"field.description": rulegen.Cut(f.Description, profile.MaxDescription), "value": rulegen.Cut(f.Value, profile.MaxValue),
		"field.tags": texts(f.Tags), "context": texts(f.Context),
	}
}

// holds tells for each rule whether cel-go says so; an error is no.
func (x *trio) holds(f *classify.Field) map[string]bool {
	vars, out := activation(f), map[string]bool{}
	for id, p := range x.programs {
		v, _, err := p.Eval(vars)
		out[id] = err == nil && v == types.True
	}
	return out
}

// differ compares the three on all fields; "" if they agree.
func (x *trio) differ(fields []classify.Field) string {
	whole := x.c.NewScanner()
	whole.Threshold, whole.MaxValue = 0, 0
	engine, unseeing := x.c.NewScanner(), x.c.NewScanner()
	engine.MaxValue, unseeing.MaxValue, unseeing.NoMemory = 0, 0, true
	for i := range fields {
		f := &fields[i]
		holds := x.holds(f)
		for _, r := range x.rules {
			if got := x.plain.Asserts(r.ID, f); got != holds[r.ID] {
				return fmt.Sprintf("%s: %t, cel-go %t: %s\n%s", r.ID, got, holds[r.ID], r.When, told(f))
			}
		}
		want := rulegen.Labels(x.c, f, &rulegen.Question{Rules: x.rules, Holds: func(id string) bool { return holds[id] },
			Value: f.Value, Found: whole.Scan(nil, f.Value), Threshold: float64(rulegen.Threshold) / 1000})
		for name, got := range map[string][]classify.Label{
			"never seen": engine.Append(nil, f), "seen": x.c.Field(*f), "without memory": unseeing.Append(nil, f),
		} {
			if !rulegen.Equal(got, want) {
				return fmt.Sprintf("%s:\n got %v\nwant %v\n%s\n%s", name, got, want, told(f), x.those(holds))
			}
		}
	}
	return ""
}

func told(f *classify.Field) string {
	g := *f
	for _, s := range []*string{&g.Name, &g.Path, &g.Value, &g.Description} {
		if len(*s) > 200 {
			*s = fmt.Sprintf("%s…(%d bytes)…%s", (*s)[:80], len(*s), (*s)[len(*s)-80:])
		}
	}
	return fmt.Sprintf("field %+q", g)
}

func (x *trio) those(holds map[string]bool) string {
	var b strings.Builder
	for _, r := range x.rules {
		if holds[r.ID] {
			fmt.Fprintf(&b, "holds: %s %d %s: %s\n", r.ID, r.Confidence, r.Category, r.When)
		}
	}
	return b.String()
}

func TestEngine(t *testing.T) {
	sets := 60
	if testing.Short() {
		sets = 10
	}
	rules, fields, held := 0, 0, 0
	for seed := range sets {
		g := rulegen.New(rulegen.Seeded(uint64(seed)))
		x, err := newTrio(g.Rules(rulegen.MaxRules))
		require.NoError(t, err, "seed %d", seed)
		asked := g.Fields(25)
		if d := x.differ(asked); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
		rules, fields = rules+len(x.rules), fields+len(asked)
		for _, h := range x.holds(&asked[0]) {
			if h {
				held++
			}
		}
	}
	t.Logf("%d rules, %d fields", rules, fields)
	assert.Greater(t, held, sets, "rules hold for the first fields")
}

// The comparison with cel-go notices when cel-go is asked something else.
func TestEnginePlanted(t *testing.T) {
	for _, tt := range []struct{ old, new string }{
		{" && ", " || "}, {" || ", " && "}, {"!(", "("}, {" == ", " != "}, {"hasAll", "hasAny"}, {".startsWith(", ".contains("},
		{".lowerAscii()", ""}, {"(?i)", ""}, {`$"`, `"`}, {`!(field.tags[`, `!("x" in field.tags && field.tags[`}, {".is(", ".finds("},
	} {
		t.Run(tt.old+" becomes "+tt.new, func(t *testing.T) {
			env, err := fieldOracle()
			require.NoError(t, err)
			for seed := range uint64(200) {
				g := rulegen.New(rulegen.Seeded(seed))
				x, err := newTrio(g.Rules(rulegen.MaxRules))
				require.NoError(t, err)
				for _, r := range x.rules {
					if p, err := oracleProgram(env, strings.Replace(r.When, tt.old, tt.new, 1)); err == nil {
						x.programs[r.ID] = p
					}
				}
				if x.differ(g.Fields(25)) != "" {
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}

// FuzzEngine lets the fuzzer write the rules and the fields.
func FuzzEngine(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a rule set and some fields, by accident"))
	for seed := range uint64(4) {
		choose, b := rulegen.Seeded(seed), make([]byte, 500)
		for i := range b {
			b[i] = byte(choose.Pick(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return
		}
		g := rulegen.New(rulegen.Bytes(b))
		x, err := newTrio(g.Rules(8))
		if err != nil {
			t.Fatal(err)
		}
		if d := x.differ(g.Fields(6)); d != "" {
			t.Fatal(d)
		}
	})
}
