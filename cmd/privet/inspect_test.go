package main

import (
	"encoding/json"
	"os"
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
