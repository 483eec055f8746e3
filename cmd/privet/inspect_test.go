package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInspect(t *testing.T) {
	key := keygen(t)
	bundle := signed(t, key)
	info, err := os.Stat(bundle)
	require.NoError(t, err)
	for _, tt := range []struct {
		args      []string
		signature signatureJSON
		reason    string
	}{
		{[]string{smallPolicy}, signatureJSON{}, "a text is not signed"},
		{[]string{bundle}, signatureJSON{Signed: true, Valid: true}, "whole, by whomever"},
		{[]string{bundle, "--public-key", key + ".pub"}, signatureJSON{Signed: true, Valid: true, Pinned: true}, "by a key that is trusted"},
	} {
		r := privet(t, "", append([]string{"inspect", "--json"}, tt.args...)...)
		require.Equal(t, exitDone, r.code, r.err)
		var i inspection
		require.NoError(t, json.Unmarshal([]byte(r.out), &i))
		assert.Equal(t, tt.signature.Signed, i.Signature.Key != "", tt.reason)
		i.Signature.Key = ""
		assert.Equal(t, tt.signature, i.Signature, tt.reason)
		assert.Equal(t, "command-tests", i.Name)
		assert.EqualValues(t, 7, i.Version)
		assert.Equal(t, 1, i.Profile)
		assert.Len(t, i.Fingerprint, 64)
		counts, sum := map[string]int{}, 0
		for _, p := range i.Parts {
			counts[p.Name] = p.Items
			sum += p.Bytes
		}
		assert.Equal(t, i.Bytes, sum, "the parts add up")
		for name, want := range map[string]int{"rules": 3, "detectors": 1, "suppressions": 0, "categories": 6, "purposes": 2, "transforms": 3, "retention": 1, "sources": 1} {
			assert.Equal(t, want, counts[name], name)
		}
		if tt.signature.Signed {
			assert.EqualValues(t, info.Size(), i.Bytes)
		}
		assert.Equal(t, 6, i.Expressions, "three rules, three transforms")
		assert.Equal(t, regexJSON{Detectors: 1}, i.RegularExpressions)
		assert.Equal(t, []sourceJSON{{"ours", "What the tests want", "default", "undated"}}, i.Sources)
	}
	r := privet(t, "", "inspect", bundle)
	for _, want := range []string{"command-tests version 7, profile 1\n", "\nsignature    by key ", "give --public-key to check whose it is", "\nrules ", "\nsignature ", "  ours: What the tests want (default, undated)"} {
		assert.Contains(t, r.out, want)
	}
	r = privet(t, "", "inspect", "pack:windows-service-data")
	assert.Contains(t, r.out, "signature    none")
	assert.Contains(t, r.out, "facts of the sources: C1 C2 ", "facts in the order of their numbers")

	// A signature that is wrong is said, also to those who pin no key.
	data, err := os.ReadFile(bundle)
	require.NoError(t, err)
	data[len(data)-40] ^= 1
	bad := file(t, "bad.bundle", string(resummed(data)))
	r = privet(t, "", "inspect", bad)
	assert.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, "and is wrong: do not use this bundle")
	r = privet(t, "", "inspect", bad, "--public-key", key+".pub")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "its signature is wrong")
	assert.Contains(t, privet(t, "", "inspect").err, "which policy?")
	assert.Contains(t, privet(t, "", "inspect", "none").err, "there is no such file")
}

func TestByNumber(t *testing.T) {
	assert.Negative(t, byNumber("R2", "R10"))
	assert.Negative(t, byNumber("C99", "R1"))
	assert.Zero(t, byNumber("R1", "R1"))
	assert.Equal(t, `"a\nb"`, show("a\nb"), "a bundle from anywhere may hold anything")
	assert.Equal(t, "Sätze → ja", show("Sätze → ja"))
	assert.NotContains(t, show(strings.Repeat("\x1b", 3)), "\x1b")
}

// A classifier module is made of a policy, and says what it is.
func TestClassifierModule(t *testing.T) {
	key := keygen(t)
	out := filepath.Join(t.TempDir(), "classifier.wasm")
	r := privet(t, "", "compile", smallPolicy, "--target", "wasm", "-o", out, "--sign", key)
	require.Equal(t, exitDone, r.code, r.err)
	module, err := os.ReadFile(out)
	require.NoError(t, err)
	again := privet(t, "", "compile", smallPolicy, "--target", "wasm", "-o", "-", "--sign", key)
	assert.Equal(t, string(module), again.out, "the same bytes each time")

	var i moduleInspection
	r = privet(t, "", "inspect", "--json", out)
	require.Equal(t, exitDone, r.code, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.out), &i))
	var b inspection
	require.NoError(t, json.Unmarshal([]byte(privet(t, "", "inspect", "--json", smallPolicy).out), &b))
	assert.Equal(t, b.policyJSON, i.policyJSON, "the fingerprint is that of the bundle")
	assert.True(t, i.Signature.Signed)
	assert.Equal(t, signatureKey(t, key), i.Signature.Key)
	assert.Equal(t, abiJSON{1, 0}, i.ABI)
	assert.Equal(t, []int{6, 3, 1, len(module), 4 << 20}, []int{i.Categories, i.Rules, i.Detectors, i.Bytes, i.Limits.Input})
	sum := 0
	for _, p := range i.Parts {
		sum += p.Bytes
	}
	assert.Equal(t, i.Bytes, sum, "the parts add up")
	r = privet(t, "", "inspect", out)
	for _, want := range []string{"command-tests version 7, profile 1: a classifier module, interface 1.0\n", "that bundle was signed by key " + i.Signature.Key, "limits       input 4 MiB, memory ",
		"6 categories, 3 rules, 1 detector\n", "automata     detectors: 1 pattern, 1 group, ", "\ncode: run ", "\nall "} {
		assert.Contains(t, r.out, want)
	}

	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"compile", smallPolicy, "--target", "native"}, `no target "native"`},
		{[]string{"inspect", out, "--public-key", key + ".pub"}, "compare the fingerprints"},
		{[]string{"inspect", file(t, "other.wasm", "\x00asm\x01\x00\x00\x00")}, "no classifier module"},
		{[]string{"inspect", file(t, "cut.wasm", string(module[:len(module)-1]))}, "no classifier module"},
	} {
		r := privet(t, "", tt.args...)
		assert.Equal(t, exitStop, r.code, tt.args)
		assert.Contains(t, r.err, tt.want)
	}
}

// signatureKey is the name of a key as other commands print it.
func signatureKey(t *testing.T, key string) string {
	t.Helper()
	r := privet(t, "", "inspect", "--json", signed(t, key))
	var i inspection
	require.NoError(t, json.Unmarshal([]byte(r.out), &i))
	return i.Signature.Key
}

// The fields of cases get the labels of this command from the classifier module, and what
// differs is told.
func TestClassifierModuleIsAsked(t *testing.T) {
	for _, where := range []string{smallPolicy, "testdata/rules.yaml", "pack:windows-service-data"} {
		r, err := testPolicy(where)
		require.NoError(t, err)
		cases := make([]guestCase, len(r.Cases))
		asked, problem := askClassifier(t.Context(), r, cases)
		assert.Empty(t, problem)
		assert.Equal(t, r.Rules, asked)
		for i, c := range cases {
			assert.Empty(t, c.problem, "%s: case %d", where, i)
		}
		changed := 0
		for i := range r.Cases {
			if k := &r.Cases[i]; k.Op == "classify" && bytes.Contains(k.Answer, []byte(`"confidence":0.9`)) {
				k.Answer = bytes.Replace(k.Answer, []byte(`"confidence":0.9`), []byte(`"confidence":0.8`), 1)
				changed++
			}
		}
		require.NotZero(t, changed)
		_, problem = askClassifier(t.Context(), r, cases)
		assert.Empty(t, problem)
		for _, c := range cases {
			if strings.Contains(c.problem, "the classifier module answers differently: ") {
				changed--
			}
		}
		assert.Zero(t, changed)
	}
}
