package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy"
)

// resummed makes the checksum at the end of changed bytes right again.
func resummed(data []byte) []byte {
	data = bytes.Clone(data)
	sum := sha256.Sum256(data[:len(data)-sha256.Size])
	copy(data[len(data)-sha256.Size:], sum[:])
	return data
}

// edited is the small policy with some texts replaced.
func edited(t testing.TB, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile(smallPolicy)
	require.NoError(t, err)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, string(text), pairs[i])
	}
	return file(t, "policy.yaml", strings.NewReplacer(pairs...).Replace(string(text)))
}

func TestDiffOfTexts(t *testing.T) {
	const mailRule = `  - id: mail
    category: user.contact.email
    confidence: 0.9
    when: field.words.hasAny(["email", "mail"])
    tests:
      match: [{name: userEmail}]
      no_match: [{name: colour}]
`
	for _, tt := range []struct {
		edits  []string
		want   []string
		reason string
	}{
		{nil, []string{"no difference"}, "the same"},
		{[]string{"version: 7", "version: 8"}, []string{"policy\n", "    version: 7 → 8\n"}, "a version says that something changed"},
		{[]string{mailRule, ""}, []string{"rules\n  - command-tests/mail\n", `when: field.words.hasAny(["email", "mail"])`}, "a rule went"},
		{[]string{"0.9\n    when: field.words.hasAny([\"secret\"])", "0.8\n    when: field.words.hasAny([\"secrets\"])"}, []string{"  ~ command-tests/secret\n    confidence: 0.9 → 0.8\n    when: field.words.hasAny([\"secret\"]) → field.words.hasAny([\"secrets\"])\n"}, "a rule changed"},
		{[]string{"{base: 0.8}", "{base: 0.7}"}, []string{"detectors\n  ~ mail-address\n    base: 0.8 → 0.7\n"}, "a detector changed"},
		{[]string{"basis: consent", "basis: contract"}, []string{"purposes\n  ~ improve\n    basis: consent → contract\n"}, "a purpose changed"},
		{[]string{"PT48H", "P7D"}, []string{"retention\n  ~ short\n    period: PT48H → P7D\n"}, "a deadline changed"},
		{[]string{"coordinates: 2", "coordinates: 1"}, []string{"transforms\n  ~ place\n    arg: 2 → 1\n"}, "a form changed"},
		{[]string{"id: secrets,", "id: x,", "id: ids,", "id: secrets,", `"user.secret")', do: drop`, `"user.contact")', do: pseudonymise`, `"user.contact")', do: pseudonymise`, `"user.secret")', do: drop`}, []string{"  + x\n", "  - ids\n"}, "names moved"},
		{[]string{"title: mail address", "title: address of mail"}, []string{"categories\n  ~ user.contact.email\n    title: mail address → address of mail\n"}, "a title changed"},
	} {
		changed := edited(t, tt.edits...)
		r := privet(t, "", "diff", smallPolicy, changed)
		want := exitBad
		if tt.edits == nil {
			want = exitDone
		}
		assert.Equal(t, want, r.code, "%s: %s", tt.reason, r.err)
		assert.Empty(t, r.err, tt.reason)
		for _, w := range tt.want {
			assert.Contains(t, r.out, w, tt.reason)
		}
		r = privet(t, "", "diff", "--json", smallPolicy, changed)
		assert.Equal(t, want, r.code)
		var d policyDiff
		require.NoError(t, json.Unmarshal([]byte(r.out), &d), tt.reason)
		assert.Equal(t, tt.edits == nil, d.Same)
		assert.Nil(t, d.Events, "nobody asked")
		assert.NotNil(t, d.Changes, "a list, also when it is empty")
	}
	text, err := os.ReadFile(smallPolicy)
	require.NoError(t, err)
	all := strings.SplitAfter(string(text), "\n")
	for i, l := range all {
		if strings.Contains(l, "id: secrets,") {
			all[i], all[i+1] = all[i+1], all[i]
			break
		}
	}
	r := privet(t, "", "diff", smallPolicy, file(t, "policy.yaml", strings.Join(all, "")))
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.out, "transforms\n  ~ another order\n", "the first that fits is used")

	key := keygen(t)
	bundle := signed(t, key)
	assert.Equal(t, exitDone, privet(t, "", "diff", bundle, smallPolicy).code, "a signature is not part of the policy")
	r = privet(t, "", "diff", bundle, smallPolicy, "--public-key", key+".pub")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "carries no signature")
	for _, args := range [][]string{{smallPolicy}, {smallPolicy, "none"}, {smallPolicy, smallPolicy, "--events", "none"}, {smallPolicy, smallPolicy, "--examples", "-1"}} {
		r = privet(t, "", append([]string{"diff"}, args...)...)
		assert.Equal(t, exitStop, r.code, args)
		assert.Contains(t, r.err, "privet: ")
	}
}

// fill puts something into everything below a value.
func fill(t testing.TB, v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("s" + strings.Repeat("x", *n%50))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(*n%200 + 1))
	case reflect.Int16, reflect.Int64:
		v.SetInt(int64(*n) * 1000)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	}
}

// fillPrograms needs to know where an expression stands.
func fillPrograms(t testing.TB, v reflect.Value, in string) {
	switch v.Kind() {
	case reflect.Pointer:
		env := map[string]*expr.Env{"Rule": profile.Field, "Detector": profile.Match, "Suppress": profile.Match, "Adjust": profile.Match}[in]
		if env == nil {
			env = profile.Policy
		}
		value := expr.Bool(true)
		if in == "Residency" {
			value = expr.String("EU")
		}
		w := expr.NewWriter(env, "x")
		w.Const(value)
		p, err := w.Program()
		require.NoError(t, err)
		v.Set(reflect.ValueOf(p))
	case reflect.Slice:
		for i := range v.Len() {
			fillPrograms(t, v.Index(i), in)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillPrograms(t, v.Field(i), v.Type().Name())
		}
	}
}

// eachLeaf calls f with every value that can be changed by itself.
func eachLeaf(v reflect.Value, path string, f func(v reflect.Value, path string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachLeaf(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachLeaf(v.Index(i), path, f)
		}
		f(v, path)
	default:
		f(v, path)
	}
}

// Whatever is changed in a bundle is told: policies without a difference have equal
// bytes.
func TestDiffLeavesNothingOut(t *testing.T) {
	var b bundle.Bundle
	n := 0
	fill(t, reflect.ValueOf(&b).Elem(), &n)
	fillPrograms(t, reflect.ValueOf(&b).Elem(), "")
	read := func() *privacy.Bundle {
		data, err := b.Encode()
		require.NoError(t, err)
		out, err := privacy.ReadBundle(data)
		require.NoError(t, err)
		return out
	}
	before := read()
	same, err := compare(before, read())
	require.NoError(t, err)
	require.Empty(t, same)
	changed := 0
	eachLeaf(reflect.ValueOf(&b).Elem(), "", func(v reflect.Value, path string) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "!")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Uint8, reflect.Uint16, reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.Int16, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Slice:
			v.Set(v.Slice(0, 1))
		case reflect.Pointer:
			if strings.HasSuffix(path, ".Rules.When") || strings.HasSuffix(path, ".Suppress.When") || strings.HasSuffix(path, ".Adjust.When") {
				return // these must be there
			}
			v.SetZero()
		}
		changes, err := compare(before, read())
		require.NoError(t, err)
		require.NotEmpty(t, changes, path)
		v.Set(old)
		changed++
	})
	require.Greater(t, changed, 150)
	names := map[string]bool{"policy": true}
	for _, p := range b.Parts() {
		names[p.Name] = true
	}
	other, err := new(bundle.Bundle).Encode()
	require.NoError(t, err)
	empty, err := privacy.ReadBundle(other)
	require.NoError(t, err)
	all, err := compare(before, empty)
	require.NoError(t, err)
	for _, c := range all {
		assert.True(t, names[c.Part], "%s is named as inspect names it", c.Part)
	}
}

func TestDiffOfEvents(t *testing.T) {
	at := `"at":"2026-03-28T10:00:00Z","class":"service.required","subject":{"id":"` + canary + `","tenant":"contoso"},"anchors":{"used_at":"2026-03-28T10:00:00Z"}`
	sample := lines(
		`{"id":"`+canary+`",`+at+`,"purpose":"serve","fields":{"userEmail":"`+canary+`","list":[{"lat":47.6401},{"secret":"canary"},{"lat":47.6402}],"colour":"red"}}`,
		`{"id":"b",`+at+`,"purpose":"improve","fields":{"note":"mail canary@example.org now","lat":47.6401}}`,
		``,
		`{"id":"c",`+at+`,"purpose":"serve","fields":{"userEmail":"`+canary+`"}}`,
	)
	changed := edited(t, "version: 7", "version: 8", "coordinates: 2", "coordinates: 1", "PT48H", "P7D", "basis: consent", "basis: contract",
		`field.words.hasAny(["secret"])`, `field.words.hasAny(["secret", "colour"])`, "tests:\n  - name", "x-tests:\n  - name")
	text, err := os.ReadFile(changed)
	require.NoError(t, err)
	changed = file(t, "policy.yaml", string(text[:bytes.Index(text, []byte("\nx-tests:"))+1]))

	r := privet(t, sample, "diff", smallPolicy, changed, "--events", "-", "--json")
	require.Equal(t, exitBad, r.code, r.err)
	require.NotContains(t, r.out, "canary", "no value of an event")
	var d policyDiff
	require.NoError(t, json.Unmarshal([]byte(r.out), &d))
	e := d.Events
	require.NotNil(t, e)
	assert.Equal(t, eventsChange{Events: 3, Fields: 8, Outcome: 1, Deadlines: 3, Duties: 1, FieldLabels: 1, FieldOutcome: 2, FieldForm: 5, Examples: e.Examples}, *e)
	find := func(path, field string) *example {
		for _, x := range e.Examples {
			for _, f := range x.Fields {
				if x.Path == path && f.Field == field {
					return x
				}
			}
		}
		require.Fail(t, "not told", "%s %s", path, field)
		return nil
	}
	assert.Equal(t, &example{Path: "list[].lat", Count: 2, Lines: []int{1}, Fields: []fieldChange{{"form", "generalise", "generalise, to another value"}}}, find("list[].lat", "form"), "items are told together, and a value that differs is noticed and not shown")
	assert.Equal(t, &example{Path: "colour", Count: 1, Lines: []int{1}, Fields: []fieldChange{{"labels", "", "user.secret 0.9"}, {"form", "keep", "drop"}}}, find("colour", "labels"))
	assert.Equal(t, &example{Path: "note", Count: 1, Lines: []int{2}, Fields: []fieldChange{{"outcome", "ask CONSENT_UNSET", "allow CONTRACT"}, {"form", "drop", "pseudonymise"}}}, find("note", "outcome"))
	assert.Equal(t, []fieldChange{{"latest", "known", "5 days later"}}, find("", "latest").Fields)
	assert.Equal(t, []int{1, 4}, find("", "latest").Lines, "the empty line counts")

	r = privet(t, sample, "diff", smallPolicy, changed, "--events", "-", "--examples", "1")
	assert.Equal(t, exitBad, r.code)
	require.NotContains(t, r.out, "canary", "no value of an event")
	for _, want := range []string{"\n3 events: 1 with another outcome, 3 with other deadlines, 1 with other duties\n", "\n8 fields: 1 with other labels, 2 with another outcome, 5 in another form\n", "other kinds; see --examples\n"} {
		assert.Contains(t, r.out, want)
	}
	r = privet(t, sample, "diff", smallPolicy, smallPolicy, "--events", "-")
	assert.Equal(t, exitDone, r.code, "%s%s: the same policy decides alike, pseudonyms too", r.out, r.err)

	r = privet(t, lines(`canary`)+sample, "diff", smallPolicy, changed, "--events", "-")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "line 1: not valid JSON")
	assert.Contains(t, r.err, "1 line of the sample could not be compared")
	assert.Contains(t, r.out, "\n3 events: ", "the others are compared")
	r = privet(t, sample, "diff", smallPolicy, changed, "--events", "-", "--max-line", "300")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "longer than 300 bytes")
}

// An event that one policy alone can decide about is a difference.
func TestDiffOfUndecided(t *testing.T) {
	changed := edited(t, "features:\n", `applies: [{id: asks, source: ours, when: 'subject.attr["x"] == "y"'}]`+"\nfeatures:\n", "\ntests:\n", "\nx-tests:\n")
	text, err := os.ReadFile(changed)
	require.NoError(t, err)
	changed = filepath.Join(t.TempDir(), "p.yaml")
	require.NoError(t, os.WriteFile(changed, text[:bytes.Index(text, []byte("\nx-tests:"))+1], 0o600))
	r := privet(t, lines(`{"at":"2026-03-28T10:00:00Z","purpose":"serve","fields":{"lat":"canary"}}`), "diff", smallPolicy, changed, "--events", "-")
	assert.Equal(t, exitBad, r.code, r.err)
	assert.Contains(t, r.out, "1 that only one policy can decide about")
	assert.Contains(t, r.out, "decided: decided → privacy: rule asks: ")
	assert.NotContains(t, r.out, "canary")
}

func TestWithoutItems(t *testing.T) {
	for path, want := range map[string]string{
		"a.b": "a.b", "list[0].lat": "list[].lat", "m[12][3]": "m[][]", `["a[1].b"]`: `["a[1].b"]`, `["a\"[1]"][2]`: `["a\"[1]"][]`, "": "", `["`: `["`, `["\`: `["\`, "[": "[",
	} {
		assert.Equal(t, want, withoutItems(path), path)
	}
}

// Tables, flows and the lead of notices are told in the words of the policy.
func TestDiffOfConsent(t *testing.T) {
	const head = "privet: 1\nname: p\nsources: [{id: us, title: Us, layer: law, as_of: undated}]\ncategories: [{key: doc}]\npurposes: [{key: serve, basis: contract}]\n"
	before := file(t, "before.yaml", head+`data_sources: [{key: shop, flows: [{purpose: serve}]}]
consent:
  ages: {builtin: true, rules: [{place: XX, under: 13}, {under: 16}]}
  regimes: {rules: [{place: XX, mechanism: opt_in}]}
`)
	after := file(t, "after.yaml", head+`data_sources: [{key: shop, flows: [{purpose: serve, categories: [doc]}]}]
consent:
  notice_lead: P1D
  sensitive: [doc]
  ages: {builtin: true, assurance: verified, rules: [{place: XX, under: 14}, {under: 16}, {place: XX, from: 2026-01-01T00:00:00Z, under: 15, giver: both}]}
  regimes: {rules: [{place: XX, mechanism: opt_out, honour_days: 15}]}
`)
	r := privet(t, "", "diff", before, after)
	require.Equal(t, exitBad, r.code, r.err)
	for _, line := range []string{
		"notice_lead: (none) → 24h0m0s", "sensitive: (none) → doc", "flows: serve (anything) → serve (doc)", "assurance: (none) → verified",
		"~ XX\n    under: 13 → 14", "+ XX from 2026-01-01T00:00:00Z\n", "giver: both", "mechanism: opt_in → opt_out", "honour_days: 0 → 15",
	} {
		assert.Contains(t, r.out, line)
	}
	assert.NotContains(t, r.out, "any place", "a row that did not change")
}
