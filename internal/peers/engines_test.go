package peers

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/traits"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
)

//go:embed testdata
var files embed.FS

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := files.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

// A rule is one rule of a rule file, as engines other than ours need it.
type rule struct {
	id, category, when string
	name, value        string // regular expressions; value may be empty
}

var (
	ruleForm  = regexp.MustCompile(`(?m)^  - id: (.+)\n    category: (.+)\n    confidence: .+\n    when: '(.+)'$`)
	nameForm  = regexp.MustCompile(`field\.name\.matches\(r"([^"]*)"\)`)
	valueForm = regexp.MustCompile(`value\.matches\(r"([^"]*)"\)`)
)

// rulesOf reads the rules of a rule file of this package.
func rulesOf(t testing.TB, yaml string) []rule {
	t.Helper()
	var rules []rule
	for _, m := range ruleForm.FindAllStringSubmatch(yaml, -1) {
		r := rule{id: m[1], category: m[2], when: m[3]}
		r.name = nameForm.FindStringSubmatch(r.when)[1]
		if v := valueForm.FindStringSubmatch(r.when); v != nil {
			r.value = v[1]
		}
		rules = append(rules, r)
	}
	require.Equal(t, strings.Count(yaml, "\n  - id: "), len(rules), "every rule is read")
	return rules
}

// decide appends the categories of the rules that hold for a field to found.
type decide func(found []string, name, value string) []string

// An engine makes its decision from a rule file.
type engine struct {
	name string
	load func(t testing.TB, yaml string) decide
}

// The engines that follow the rule file to the letter.
var engines = []engine{
	{"privet/never-seen", func(t testing.TB, yaml string) decide {
		s := open(t, yaml).NewScanner()
		s.NoMemory = true
		return scanning(s)
	}},
	{"privet/remembering", func(t testing.TB, yaml string) decide { return scanning(open(t, yaml).NewScanner()) }},
	{"cel-go/program-per-rule", celPrograms},
	{"cel-go/one-program", celList},
	{"regexp", regexpLoop},
}

// floor and cedar are about the twenty rules only.
var (
	floor = engine{"floor", func(testing.TB, string) decide {
		return func(found []string, name, value string) []string {
			for bits, i := floorOf(name, value), 0; bits != 0; bits, i = bits>>1, i+1 {
				if bits&1 == 1 {
					found = append(found, floorCategories[i])
				}
			}
			return found
		}
	}}
	cedarLike = engine{"cedar-go/like", cedarPolicies}
)

var floorCategories = [...]string{"contact.email", "contact.phone", "identity.username", "identity.name", "identity.national_id", "financial.card", "financial.iban",
	"device.ip", "device.mac", "device.cookie", "location.address", "location.geo", "demographic.birth_date", "demographic.gender", "special.health",
	"special.religion", "special.ethnicity", "special.biometric", "credential.secret", "vehicle.plate"}

// compiled is the bundle of a rule file.
func compiled(t testing.TB, yaml string) []byte {
	t.Helper()
	b, err := policy.Compile("rules.yaml", []byte(yaml))
	require.NoError(t, err)
	return b.Bytes()
}

func open(t testing.TB, yaml string) *classify.Classifier {
	t.Helper()
	c, err := classify.Open(compiled(t, yaml))
	require.NoError(t, err)
	return c
}

func scanning(s *classify.Scanner) decide {
	var labels []classify.Label
	return func(found []string, name, value string) []string {
		labels = s.Append(labels[:0], &classify.Field{Name: name, Value: value})
		for i := range labels {
			found = append(found, labels[i].Category)
		}
		return found
	}
}

// fieldVars gives cel-go the two variables without a map, as values of its own.
type fieldVars struct{ name, value any }

func (v *fieldVars) ResolveName(name string) (any, bool) {
	switch name {
	case "name":
		return v.name, true
	case "value":
		return v.value, true
	}
	return nil, false
}

func (v *fieldVars) Parent() cel.Activation { return nil }

func celEnv(t testing.TB) *cel.Env {
	t.Helper()
	env, err := cel.NewEnv(cel.Variable("name", cel.StringType), cel.Variable("value", cel.StringType))
	require.NoError(t, err)
	return env
}

// celProgram uses the optimizer, which compiles constant regular expressions once, and
// a name without a dot, which is looked up in one step.
func celProgram(t testing.TB, env *cel.Env, text string) cel.Program {
	t.Helper()
	tree, issues := env.Compile(strings.ReplaceAll(text, "field.name", "name"))
	require.NoError(t, issues.Err())
	p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize))
	require.NoError(t, err)
	return p
}

func celPrograms(t testing.TB, yaml string) decide {
	env, rules := celEnv(t), rulesOf(t, yaml)
	programs := make([]cel.Program, len(rules))
	for i := range rules {
		programs[i] = celProgram(t, env, rules[i].when)
	}
	vars := &fieldVars{}
	return func(found []string, name, value string) []string {
		vars.name, vars.value = types.String(name), types.String(value)
		for i, p := range programs {
			if v, _, err := p.Eval(vars); err == nil && v == types.True {
				found = append(found, rules[i].category)
			}
		}
		return found
	}
}

// celList is one program that gives the list of all categories, empty where the rule
// does not hold.
func celList(t testing.TB, yaml string) decide {
	rules := rulesOf(t, yaml)
	parts := make([]string, len(rules))
	for i, r := range rules {
		parts[i] = fmt.Sprintf("(%s) ? %q : ''", r.when, r.category)
	}
	p := celProgram(t, celEnv(t), "["+strings.Join(parts, ", ")+"]")
	vars := &fieldVars{}
	return func(found []string, name, value string) []string {
		vars.name, vars.value = types.String(name), types.String(value)
		v, _, err := p.Eval(vars)
		if err != nil {
			return found
		}
		list := v.(traits.Lister)
		for i := range types.Int(len(rules)) {
			if category := list.Get(i).(types.String); category != "" {
				found = append(found, string(category))
			}
		}
		return found
	}
}

func regexpLoop(t testing.TB, yaml string) decide {
	type pair struct{ name, value *regexp.Regexp }
	rules := rulesOf(t, yaml)
	pairs := make([]pair, len(rules))
	for i, r := range rules {
		pairs[i].name = regexp.MustCompile(r.name)
		if r.value != "" {
			pairs[i].value = regexp.MustCompile(r.value)
		}
	}
	return func(found []string, name, value string) []string {
		for i := range pairs {
			if p := &pairs[i]; p.name.MatchString(name) || p.value != nil && p.value.MatchString(value) {
				found = append(found, rules[i].category)
			}
		}
		return found
	}
}

// cedarPolicies are testdata/rules20.cedar, whatever the rule file is.
func cedarPolicies(t testing.TB, _ string) decide {
	policies, err := cedar.NewPolicySetFromBytes("rules20.cedar", []byte(file(t, "rules20.cedar")))
	require.NoError(t, err)
	categories := map[cedar.PolicyID]string{}
	for id, p := range policies.All() {
		categories[id] = string(p.Annotations()["category"])
	}
	app, action, resource := cedar.NewEntityUID("App", "a"), cedar.NewEntityUID("Action", "classify"), cedar.NewEntityUID("Field", "f")
	return func(found []string, name, value string) []string {
		_, said := cedar.Authorize(policies, cedar.EntityMap{}, cedar.Request{Principal: app, Action: action, Resource: resource,
			Context: cedar.NewRecord(cedar.RecordMap{"name": cedar.String(name), "value": cedar.String(value)})})
		for i := range said.Reasons {
			found = append(found, categories[said.Reasons[i].PolicyID])
		}
		return found
	}
}

// A vector is one field and the categories that it must have.
type vector struct {
	Input  struct{ Name, Value string }
	Expect []string
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var out []vector
	require.NoError(t, json.Unmarshal([]byte(file(t, "vectors.json")), &out))
	require.Len(t, out, 4)
	return out
}
