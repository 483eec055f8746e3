package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Times long enough for the race detector and a busy machine.
var relaxed = limits{compile: 5 * time.Minute, classify: 10 * time.Second}

func serve(t *testing.T, l limits) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(newServer(l))
	t.Cleanup(s.Close)
	return s
}

type reply struct {
	status int
	text   string
	Policy string
	Error  string
	Module int `json:"module_bytes"`
	Labels []struct {
		Category, Rule, Detector string
		Spans                    []struct{ Start, End int }
	}
	Problems []struct {
		Line, Column  int
		Problem, Mend string
	}
}

func ask(t *testing.T, s *httptest.Server, method, path, body string) reply {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	response, err := s.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	require.NoError(t, err)
	r := reply{status: response.StatusCode, text: text.String()}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		require.NoError(t, json.Unmarshal(text.Bytes(), &r), text.String())
	}
	return r
}

func upload(t *testing.T, s *httptest.Server, tenant, rules string) reply {
	t.Helper()
	return ask(t, s, http.MethodPut, "/tenants/"+tenant+"/rules", rules)
}

func field(t *testing.T, s *httptest.Server, tenant, name, value string) reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"name": name, "value": value})
	require.NoError(t, err)
	return ask(t, s, http.MethodPost, "/tenants/"+tenant+"/classify", string(body))
}

func library(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/library.yaml")
	require.NoError(t, err)
	return string(text)
}

const garage = `privet: 1
name: garage
version: 1
categories:
  - {key: car}
  - {key: car.plate}
rules:
  - {id: plate, category: car.plate, confidence: 0.9, when: "field.words.hasAny(['plate', 'ref'])", tests: {match: [{name: ref}], no_match: [{name: x}]}}
`

func categories(r reply) []string {
	var out []string
	for _, l := range r.Labels {
		out = append(out, l.Category)
	}
	return out
}

func TestTenantsHaveRulesOfTheirOwn(t *testing.T) {
	s := serve(t, relaxed)
	r := upload(t, s, "library", library(t))
	require.Equal(t, http.StatusOK, r.status, r.text)
	assert.Equal(t, "library", r.Policy)
	assert.Less(t, r.Module, 128<<10)
	require.Equal(t, http.StatusOK, upload(t, s, "garage", garage).status)

	r = field(t, s, "library", "ref", "card LIB-004711, please")
	require.Equal(t, []string{"reader.card"}, categories(r), r.text)
	assert.Equal(t, "reader-card", r.Labels[0].Detector)
	assert.Equal(t, 5, r.Labels[0].Spans[0].Start)
	assert.Equal(t, []string{"car.plate"}, categories(field(t, s, "garage", "ref", "LIB-004711")))
	assert.Equal(t, http.StatusNotFound, field(t, s, "nobody", "ref", "LIB-004711").status)

	// New rules take the place of the old ones, and wrong ones do not.
	require.Equal(t, http.StatusUnprocessableEntity, upload(t, s, "garage", "privet: 1\nname: [").status)
	assert.Equal(t, []string{"car.plate"}, categories(field(t, s, "garage", "ref", "")))
	require.Equal(t, http.StatusOK, upload(t, s, "garage", strings.ReplaceAll(garage, "car.plate", "car.number")).status)
	assert.Equal(t, []string{"car.number"}, categories(field(t, s, "garage", "ref", "")))
}

func TestFaultsHaveAPlace(t *testing.T) {
	s := serve(t, relaxed)
	r := upload(t, s, "library", strings.Replace(library(t), `field.words.hasAny(`, `field.wrods.hasAny(`, 1))
	assert.Equal(t, http.StatusUnprocessableEntity, r.status)
	require.Len(t, r.Problems, 1, r.text)
	assert.Equal(t, 13, r.Problems[0].Line)
	assert.Positive(t, r.Problems[0].Column)
	assert.NotEmpty(t, r.Problems[0].Problem)
	assert.NotEmpty(t, r.Problems[0].Mend)
	assert.Equal(t, http.StatusNotFound, field(t, s, "library", "ref", "").status, "nothing was put in force")
}

// TestHostile uploads what is meant to hurt, while another tenant asks on. Each must be
// refused, or be in force and harmless.
func TestHostile(t *testing.T) {
	s := serve(t, relaxed)
	require.Equal(t, http.StatusOK, upload(t, s, "library", library(t)).status)
	secret := filepath.Join(t.TempDir(), "secret.yaml")
	require.NoError(t, os.WriteFile(secret, []byte("canary@example.test: ["), 0o600))
	here, err := os.Getwd()
	require.NoError(t, err)
	relative, err := filepath.Rel(here, secret)
	require.NoError(t, err)

	rule := func(when string) string {
		quoted, err := json.Marshal(when)
		require.NoError(t, err)
		return fmt.Sprintf("privet: 1\nname: bad\nversion: 1\ncategories: [{key: a}]\nrules:\n  - {id: r, category: a, confidence: 0.9, when: %s, tests: {match: [{name: aaaa, value: aaaa}], no_match: [{name: x}]}}\n", quoted)
	}
	many := "privet: 1\nname: bad\nversion: 1\ncategories: [{key: a}]\nrules:\n"
	for i := 0; len(many) < maxRules-200; i++ {
		many += fmt.Sprintf("  - {id: r%d, category: a, confidence: 0.9, when: \"field.name.matches('(a|b)*a(a|b){%d}')\"}\n", i, 10+i%5)
	}
	bomb := "privet: 1\nname: bad\na: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	tests := []struct {
		rules  string
		status int // 0: refused or in force, both will do
		reason string
	}{
		{strings.Repeat("# fill\n", maxRules), http.StatusRequestEntityTooLarge, "more than it may be"},
		{"\x00\xff\xfe", http.StatusUnprocessableEntity, "no text at all"},
		{bomb, http.StatusUnprocessableEntity, "aliases of aliases"},
		{"privet: 1\nname: bad\nextends: [" + strings.Repeat("[", 5000), http.StatusUnprocessableEntity, "deeper than anybody writes"},
		{"privet: 1\nname: bad\nextends: [" + filepath.ToSlash(relative) + "]\n", http.StatusUnprocessableEntity, "a file of the server"},
		{"privet: 1\nname: bad\nextends: [" + secret + "]\n", http.StatusUnprocessableEntity, "a file of the server, from its root"},
		{"privet: 1\nname: bad\nversion: 1\nextends: [builtin]\n", http.StatusUnprocessableEntity, "a module larger than it may be"},
		{rule(`value.matches('(a+)+$')`), http.StatusOK, "what takes other engines exponential time"},
		{rule(`value.matches('((a{100}){100}){100}')`), http.StatusUnprocessableEntity, "an expression of a million letters"},
		{rule(`field.words.all(a, field.words.all(b, field.words.all(c, field.words.all(d, a + b + c + d != 'x'))))`), 0, "loops in loops"},
		{rule(strings.Repeat("(", 10000) + "true" + strings.Repeat(")", 10000)), http.StatusUnprocessableEntity, "a deep expression"},
		{many, 0, "many expressions of the worst kind"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			var others sync.WaitGroup
			stop := make(chan struct{})
			others.Go(func() {
				for {
					r := field(t, s, "library", "ref", "card LIB-004711")
					assert.Equal(t, []string{"reader.card"}, categories(r), r.text)
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			})
			r := upload(t, s, "bad", tt.rules)
			if tt.status != 0 {
				assert.Equal(t, tt.status, r.status, r.text)
			}
			assert.NotContains(t, r.text, "canary")
			if r.status == http.StatusOK {
				r = field(t, s, "bad", "name", strings.Repeat("a", maxInput-1000)+"!")
				assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, r.status, r.text)
			} else {
				assert.True(t, r.Error != "" || len(r.Problems) > 0, "it says why: %s", r.text)
			}
			close(stop)
			others.Wait()
		})
	}
}

func TestLimits(t *testing.T) {
	s := serve(t, relaxed)
	require.Equal(t, http.StatusOK, upload(t, s, "library", library(t)).status)
	r := field(t, s, "library", "ref", strings.Repeat("canary ", maxInput/7))
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.status)
	assert.NotContains(t, r.text, "canary")
	assert.Equal(t, http.StatusBadRequest, ask(t, s, http.MethodPost, "/tenants/library/classify", `{"name":"x","canary":1}`).status)
	assert.Equal(t, http.StatusNotFound, upload(t, s, "..%2Fcanary", library(t)).status)

	hurried := serve(t, limits{compile: time.Nanosecond, classify: time.Second})
	assert.Equal(t, http.StatusServiceUnavailable, upload(t, hurried, "library", library(t)).status)
}

// TestReplaceWhileAsked uploads while others ask: every answer is by old or new rules.
func TestReplaceWhileAsked(t *testing.T) {
	s := serve(t, relaxed)
	require.Equal(t, http.StatusOK, upload(t, s, "garage", garage).status)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				r := field(t, s, "garage", "ref", "")
				assert.Equal(t, http.StatusOK, r.status, r.text)
				assert.Len(t, r.Labels, 1)
			}
		})
	}
	for i := range 5 {
		assert.Equal(t, http.StatusOK, upload(t, s, "garage", strings.ReplaceAll(garage, "car.plate", fmt.Sprintf("car.plate%d", i))).status)
	}
	all.Wait()
}
