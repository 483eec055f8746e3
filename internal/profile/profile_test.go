package profile_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/internal/expr"
	. "github.com/privetdev/privet/internal/profile"
)

// The slots and numbers of version 1. Stored programs hold them: a row may be
// added at the end of an environment, none may change.
func TestVersion1IsStable(t *testing.T) {
	require.Equal(t, 1, Version)
	field := []string{"0 field.name string", "1 field.path string", "2 field.words list(string)", "3 field.type string",
		"4 field.tags map(string, string)", "5 field.source string", "6 field.description string", "7 value string", "8 context map(string, string)"}
	match := append(field[:len(field):len(field)], "9 match.text string", "10 match.digits string", "11 match.groups list(string)", "12 match.before string", "13 match.after string")
	policy := []string{"0 category string", "1 class string", "2 purpose string", "3 feature string", "4 operation string", "5 qualifier string",
		"6 origin string", "7 recipient.role string", "8 recipient.id string", "9 subject.account string", "10 subject.tenant string",
		"11 subject.age_band string", "12 subject.residence string", "13 subject.attr map(string, string)", "14 region string", "15 context map(string, string)"}
	functions := []string{
		"1 list(string).hasAll(list(string)) bool", "2 list(string).hasAny(list(string)) bool", "3 string.is(string) bool", "4 string.finds(string) bool",
		"5 luhn(string) bool", "6 iban(string) bool", "7 mod97(string) bool", "8 mod11(string) bool", "9 mod1110(string) bool", "10 verhoeff(string) bool",
		"11 damm(string) bool", "12 isin(string) bool", "13 icao(string) bool", "14 base58check(string) bool", "15 bech32(string) bool", "16 ip(string) bool",
		"17 cidr(string) bool", "18 domain(string) bool", "19 uuid(string) bool", "20 ulid(string) bool", "21 entropy(string) double",
		"22 digits(string) string", "23 wsum(string, list(int)) int", "24 rem(string, int) int", "25 ymd(string) bool", "26 value36(string) int",
		"27 alone(string, string) bool", "28 tsum(string, list(int), list(int)) int", "29 xsum(string, list(int)) int", "30 ordinals(string) string", "31 numeric(string) string",
		"32 mod37(string) bool", "33 mod3736(string) bool", "34 mod2726(string) bool", "35 mod661(string) bool", "36 mod1271(string) bool", "37 crc62(string) bool",
		"38 crchex(string) bool", "39 yymmdd(string) bool", "40 phone(string, string) bool", "41 registered(string) bool", "42 email(string) bool", "43 eip55(string) bool",
	}
	for _, tt := range []struct {
		env         *expr.Env
		id          uint8
		vars, funcs []string
	}{
		{Field, 1, field, functions},
		{Match, 2, match, functions},
		{Policy, 3, policy, []string{"64 under(string, string) bool"}},
	} {
		assert.Equal(t, tt.id, tt.env.ID, tt.env.Name)
		found, ok := Env(tt.id)
		assert.True(t, ok)
		assert.Same(t, tt.env, found)
		assert.Equal(t, tt.vars, vars(tt.env), tt.env.Name)
		assert.Equal(t, tt.funcs, funcs(tt.env), tt.env.Name)
	}
	_, ok := Env(0)
	assert.False(t, ok)

	for slot, name := range map[int]string{FieldWords: "field.words", FieldValue: "value", FieldContext: "context", MatchText: "match.text", MatchAfter: "match.after"} {
		assert.Equal(t, name, Match.Vars[slot].Name)
	}
	for slot, name := range map[int]string{PolicyCategory: "category", PolicySubjectAttr: "subject.attr", PolicyContext: "context", PolicyRecipientID: "recipient.id"} {
		assert.Equal(t, name, Policy.Vars[slot].Name)
	}
	assert.Len(t, Field.Vars, FieldVars)
	assert.Len(t, Match.Vars, MatchVars)
	assert.Len(t, Policy.Vars, PolicyVars)
}

func vars(env *expr.Env) (out []string) {
	for i, v := range env.Vars {
		out = append(out, fmt.Sprintf("%d %s %s", i, v.Name, v.Type))
	}
	return out
}

func funcs(env *expr.Env) (out []string) {
	for _, f := range env.Funcs {
		params := f.Params
		name := f.Name
		if f.Member {
			name, params = params[0].String()+"."+name, params[1:]
		}
		list := ""
		for i, p := range params {
			if i > 0 {
				list += ", "
			}
			list += p.String()
		}
		out = append(out, fmt.Sprintf("%d %s(%s) %s", f.ID, name, list, f.Result))
	}
	return out
}

// Without sizes the cost of an expression would have no bound, and without a line
// for people the reference would have holes.
func TestEverythingIsBoundedAndDescribed(t *testing.T) {
	for _, env := range []*expr.Env{Field, Match, Policy} {
		for _, v := range env.Vars {
			assert.Positive(t, v.MaxLen, v.Name)
			if k := v.Type.Kind(); k == expr.KindList || k == expr.KindMap {
				assert.Positive(t, v.MaxElems, v.Name)
			}
			assert.NotEmpty(t, v.Doc, v.Name)
			assert.True(t, v.Type.Valid(), v.Name)
		}
		ids := map[uint16]bool{}
		for _, f := range env.Funcs {
			assert.False(t, ids[f.ID], f.Name)
			ids[f.ID] = true
			assert.Positive(t, f.Cost, f.Name)
			assert.NotEmpty(t, f.Doc, f.Name)
			assert.LessOrEqual(t, f.Const, len(f.Params), f.Name)
		}
	}
}

// Who writes a rule finds every function in the reference.
func TestReferenceHasEveryFunction(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy.md")
	require.NoError(t, err)
	for _, env := range []*expr.Env{Field, Match, Policy} {
		for _, f := range env.Funcs {
			assert.Regexp(t, "[` ]"+f.Name+"[` (]", string(text), "docs/policy.md, What CEL sees: name %s", f.Name)
		}
	}
}

func TestUnder(t *testing.T) {
	for _, tt := range []struct {
		key, ancestor string
		want          bool
		reason        string
	}{
		{"user.contact.email", "user.contact", true, "below"},
		{"user.contact", "user.contact", true, "itself"},
		{"user.contacts", "user.contact", false, "a longer name is another name"},
		{"user", "user.contact", false, "above"},
		{"user.contact.email", "contact", false, "not from the start"},
		{"", "", true, "itself"},
		{"user", "", false, "no key lies below the empty one"},
	} {
		assert.Equal(t, tt.want, Under(tt.key, tt.ancestor), "%q under %q: %s", tt.key, tt.ancestor, tt.reason)
		v, c := PolicyHost{}.Call(FnUnder, []expr.Value{expr.String(tt.key), expr.String(tt.ancestor)})
		assert.Equal(t, expr.OK, c)
		assert.Equal(t, tt.want, v.AsBool())
	}
	_, c := PolicyHost{}.Call(FnLuhn, []expr.Value{expr.String("canary@example.test")})
	assert.Equal(t, expr.BadArgument, c, "a function of another environment")
	assert.NotContains(t, c.Error(), "canary")
	_, c = PolicyHost{}.Call(FnUnder, nil)
	assert.Equal(t, expr.BadArgument, c)

	key := rapid.StringMatching(`[a-c]{0,2}(\.[a-c]{1,2}){0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := key.Draw(t, "a"), key.Draw(t, "b"), key.Draw(t, "c")
		assert.True(t, Under(a, a))
		assert.True(t, Under(a+".x", a))
		assert.False(t, Under(a, a+".x"))
		if Under(a, b) && Under(b, c) {
			assert.True(t, Under(a, c), "transitive")
		}
	})
}

func ExamplePolicyHost() {
	w := expr.NewWriter(Policy, `under(category, "user.contact")`)
	w.Call(FnUnder)
	w.Var(PolicyCategory)
	w.Const(expr.String("user.contact"))
	p, err := w.Program()
	if err != nil {
		fmt.Println(err)
		return
	}
	f := expr.Frame{Vars: make([]expr.Value, PolicyVars), Host: PolicyHost{}}
	f.Vars[PolicyCategory] = expr.String("user.contact.email")
	ok, _ := f.EvalBool(p)
	fmt.Println(ok)
	// Output: true
}
