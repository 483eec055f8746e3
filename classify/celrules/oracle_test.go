package celrules

import (
	"encoding/hex"
	"fmt"
	"math"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"

	"github.com/privetdev/privet/internal/expr"
)

// The oracle is cel-go with its own standard environment and string extension:
// nothing of what the compiler declares is shared, but for the variables.
var oracleEnv = sync.OnceValue(func() *cel.Env {
	opts := []cel.EnvOption{ext.Strings(), cel.CrossTypeNumericComparisons(false), cel.HomogeneousAggregateLiterals()}
	for _, v := range testEnv.Vars {
		opts = append(opts, cel.Variable(v.Name, celType(v.Type)))
	}
	for _, f := range testEnv.Funcs {
		params := make([]*cel.Type, len(f.Params))
		for i, p := range f.Params {
			params[i] = celType(p)
		}
		overload := cel.Overload
		if f.Member {
			overload = cel.MemberOverload
		}
		opts = append(opts, cel.Function(f.Name, overload("oracle_"+f.Name, params, celType(f.Result),
			cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				vs := make([]expr.Value, len(args))
				for i, a := range args {
					vs[i] = fromCEL(a)
				}
				v, c := testHost{}.Call(f.ID, vs)
				if c != expr.OK {
					return types.NewErr("argument refused")
				}
				return toCEL(v)
			}))))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		panic(err)
	}
	return env
})

// toCEL makes a cel-go value of ours. Maps keep the order of their keys.
func toCEL(v expr.Value) ref.Val {
	switch v.Kind() {
	case expr.KindBool:
		return types.Bool(v.AsBool())
	case expr.KindInt:
		return types.Int(v.AsInt())
	case expr.KindUint:
		return types.Uint(v.AsUint())
	case expr.KindDouble:
		return types.Double(v.AsDouble())
	case expr.KindString:
		return types.String(v.AsString())
	case expr.KindBytes:
		return types.Bytes(v.AsString())
	case expr.KindTimestamp:
		sec, nanos := v.AsTimestamp()
		return types.Timestamp{Time: time.Unix(sec, int64(nanos)).UTC()}
	case expr.KindDuration:
		return types.Duration{Duration: time.Duration(v.AsDuration())}
	case expr.KindList:
		vals := make([]ref.Val, v.Len())
		for i := range vals {
			vals[i] = toCEL(v.At(i))
		}
		return types.NewRefValList(types.DefaultTypeAdapter, vals)
	case expr.KindMap:
		m := make(map[ref.Val]ref.Val, v.Len())
		for i := range v.Len() {
			key, val := v.Entry(i)
			m[types.String(key)] = toCEL(val)
		}
		return sortedMap{types.NewRefValMap(types.DefaultTypeAdapter, m)}
	}
	panic("no such kind")
}

// sortedMap is a map whose iterator goes by the keys' order instead of a random one.
type sortedMap struct{ traits.Mapper }

func (m sortedMap) Iterator() traits.Iterator {
	var keys []string
	for it := m.Mapper.Iterator(); it.HasNext() == types.True; {
		keys = append(keys, string(it.Next().(types.String)))
	}
	sort.Strings(keys)
	return types.NewStringList(types.DefaultTypeAdapter, keys).Iterator()
}

// fromCEL makes a value of ours of one of cel-go's.
func fromCEL(v ref.Val) expr.Value {
	switch v := v.(type) {
	case types.Bool:
		return expr.Bool(bool(v))
	case types.Int:
		return expr.Int(int64(v))
	case types.Uint:
		return expr.Uint(uint64(v))
	case types.Double:
		return expr.Double(float64(v))
	case types.String:
		return expr.String(string(v))
	case types.Bytes:
		return expr.Bytes(string(v))
	case types.Timestamp:
		return expr.Timestamp(v.Unix(), int32(v.Nanosecond()))
	case types.Duration:
		return expr.Duration(int64(v.Duration))
	case traits.Mapper:
		m := &expr.Map{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			m.Set(string(key.(types.String)), fromCEL(v.Get(key)))
		}
		return expr.MapValue(m)
	case traits.Lister:
		var list []expr.Value
		for it := v.Iterator(); it.HasNext() == types.True; {
			list = append(list, fromCEL(it.Next()))
		}
		return expr.List(list)
	}
	panic(fmt.Sprintf("oracle: value of %T", v))
}

// show writes a value so that equal values, and only those, are written alike:
// NaN is like NaN here, and -0 is not like 0.
func show(v expr.Value) string {
	switch v.Kind() {
	case expr.KindBool:
		return strconv.FormatBool(v.AsBool())
	case expr.KindInt:
		return strconv.FormatInt(v.AsInt(), 10)
	case expr.KindUint:
		return strconv.FormatUint(v.AsUint(), 10) + "u"
	case expr.KindDouble:
		d := v.AsDouble()
		if math.IsNaN(d) {
			return "NaN"
		}
		return strconv.FormatFloat(d, 'x', -1, 64)
	case expr.KindString:
		return strconv.Quote(v.AsString()) + hexIfBad(v.AsString())
	case expr.KindBytes:
		return "b" + hex.EncodeToString([]byte(v.AsString()))
	case expr.KindTimestamp:
		sec, nanos := v.AsTimestamp()
		return fmt.Sprintf("t%d.%09d", sec, nanos)
	case expr.KindDuration:
		return fmt.Sprintf("n%d", v.AsDuration())
	case expr.KindList:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = show(v.At(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case expr.KindMap:
		parts := make([]string, v.Len())
		for i := range parts {
			key, val := v.Entry(i)
			parts[i] = strconv.Quote(key) + ": " + show(val)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "nothing"
}

func hexIfBad(s string) string {
	if strings.ToValidUTF8(s, "") == s {
		return ""
	}
	return "/" + hex.EncodeToString([]byte(s))
}

// outcome writes a value, or the class of an error.
func outcome(v expr.Value, c expr.Code) string {
	if c != expr.OK {
		return "error: " + c.String()
	}
	return show(v)
}

// class maps the text of an error of cel-go to our class, or fails.
func class(text string) (expr.Code, bool) {
	for _, row := range []struct {
		part string
		code expr.Code
	}{
		{"overflow", expr.Overflow},
		{"division by zero", expr.DivideByZero},
		{"modulus by zero", expr.ModulusByZero},
		{"no such key", expr.NoSuchKey},
		{"index out of bounds", expr.IndexOutOfRange},
		{"index out of range", expr.IndexOutOfRange},
		{"out of range in list", expr.IndexOutOfRange},
		{"invalid substring range", expr.IndexOutOfRange},
		{"type conversion error", expr.BadConversion},
		{"invalid RFC 3339 timestamp", expr.BadConversion},
		{"invalid UTF-8 in bytes", expr.BadConversion},
		{"argument refused", expr.BadArgument},
	} {
		if strings.Contains(text, row.part) {
			return row.code, true
		}
	}
	return 0, false
}

// An oracle is an expression as cel-go runs it.
type oracle struct {
	plain, optimized cel.Program // optimized may be nil
}

// newOracle compiles text with cel-go. Its optimizer evaluates conversions of
// constants in advance and then refuses the whole program if one fails, even in
// a branch that never runs; such a program has no optimized form.
func newOracle(text string) (*oracle, error) {
	env := oracleEnv()
	tree, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	o := &oracle{}
	var err error
	if o.plain, err = env.Program(tree); err != nil {
		return nil, err
	}
	if p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize)); err == nil {
		o.optimized = p
	}
	return o, nil
}

func run(p cel.Program, vars map[string]any) string {
	v, _, err := p.Eval(vars)
	if err != nil {
		code, ok := class(err.Error())
		if !ok {
			return "error of unknown class: " + err.Error()
		}
		return outcome(expr.Value{}, code)
	}
	return show(fromCEL(v))
}

// bind names the values for cel-go.
func bind(values []expr.Value) map[string]any {
	vars := make(map[string]any, len(values))
	for i, v := range testEnv.Vars {
		vars[v.Name] = toCEL(values[i])
	}
	return vars
}

// goList asks the go command about a module.
func goList(args ...string) (string, error) {
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	return string(out), err
}
