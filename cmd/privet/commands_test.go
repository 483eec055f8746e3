package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Five faults of five kinds: all at once, each with its place and a mend.
func TestFaultsOfAPolicy(t *testing.T) {
	for _, args := range [][]string{
		{"compile", "testdata/faults.yaml"}, {"test", "testdata/faults.yaml"},
		{"process", "-p", "testdata/faults.yaml"}, {"explain", "1", "-p", "testdata/faults.yaml"}, {"classify", "-p", "testdata/faults.yaml"},
	} {
		r := privet(t, lines(event("a")), args...)
		assert.Equal(t, exitStop, r.code, args)
		assert.Empty(t, r.out, args)
		for _, place := range []string{
			"testdata/faults.yaml:11:", // a category that is not known
			"testdata/faults.yaml:12:", // CEL that ends too early
			"testdata/faults.yaml:16:", // over its cost bound
			"testdata/faults.yaml:18:", // an id given twice
			"testdata/faults.yaml:20:", // a period that is none
		} {
			assert.Contains(t, r.err, place, args)
		}
		assert.Contains(t, r.err, "the policy has 5 faults", args)
		assert.Equal(t, 5, strings.Count(r.err, "mend: "), "each with a mend: %s", r.err)
		assert.GreaterOrEqual(t, strings.Count(r.err, "^"), 5, "each with a caret: %s", r.err)
	}
}

func TestCompile(t *testing.T) {
	out := filepath.Join(t.TempDir(), "policy.bundle")
	r := privet(t, "", "compile", smallPolicy, "-o", out)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "command-tests version 7: ")
	assert.Contains(t, r.err, "1 event and 8 cases of rules, all passed")
	bundle, err := os.ReadFile(out)
	require.NoError(t, err)
	again := privet(t, "", "compile", smallPolicy, "--out", "-")
	assert.Equal(t, string(bundle), again.out, "the same text gives the same bytes")

	k := keys(t)
	fromText := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", k)
	fromBundle := privet(t, lines(event("a")), "process", "-p", out, "--keys", k)
	require.Equal(t, exitDone, fromBundle.code, fromBundle.err)
	assert.Equal(t, fromText.out, fromBundle.out, "a bundle decides as its text does")

	r = privet(t, "", "compile", smallPolicy)
	assert.Equal(t, exitDone, r.code, "check only")
	assert.Empty(t, r.out)
	for _, command := range []string{"compile", "test"} {
		r = privet(t, "", command, out)
		assert.Equal(t, exitStop, r.code)
		assert.Contains(t, r.err, "is a bundle, which is compiled already; name the YAML that it was made from")
	}
	for name, change := range map[string]func([]byte) []byte{
		"cut short": func(b []byte) []byte { return b[:len(b)-5] },
		"changed":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
	} {
		bad := file(t, "bad.bundle", string(change([]byte(string(bundle)))))
		r = privet(t, lines(event("a")), "process", "-p", bad)
		assert.Equal(t, exitStop, r.code, name)
		assert.Contains(t, r.err, "cannot be read", name)
		assert.Contains(t, r.err, "make it again with privet compile", name)
		assert.Empty(t, r.out, name)
	}
}

func TestFailingTestsOfAPolicy(t *testing.T) {
	text, err := os.ReadFile(smallPolicy)
	require.NoError(t, err)
	bad := file(t, "policy.yaml", strings.Replace(string(text), "want: {outcome: allow,", "want: {outcome: deny,", 1))
	out := filepath.Join(t.TempDir(), "policy.bundle")
	r := privet(t, "", "compile", bad, "-o", out)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.err, "nothing was written: the policy fails its own tests")
	requireOnly(t, filepath.Dir(out))
	r = privet(t, "", "test", bad)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.out, "1 failed")
	assert.Regexp(t, `policy\.yaml:\d+`, r.out, "a failure names its place")
	none := file(t, "policy.yaml", string(text[:strings.Index(string(text), "\ntests:")+1]))
	r = privet(t, "", "test", none)
	assert.Equal(t, exitDone, r.code, r.err)
}

func TestPolicyArguments(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		want   string
		reason string
	}{
		{[]string{"compile"}, "which policy?; name a YAML file, or one of: pack:", "no policy"},
		{[]string{"compile", "a", "b"}, "more than one policy", "two policies"},
		{[]string{"test", "pack:windows-service-dat"}, `did you mean "windows-service-data"?`, "a pack that is not there"},
		{[]string{"process", "-p", "pack:nonsense"}, "there is no pack", "likewise"},
		{[]string{"process", "-p", "none.yaml"}, "cannot read the policy none.yaml: there is no such file", "a file that is not there"},
		{[]string{"process", "-p", "testdata"}, "policy: testdata is a folder; name the policy file in it", "a folder"},
		{[]string{"compile", "testdata"}, "policy: testdata is a folder", "a folder"},
		{[]string{"proces"}, `there is no command "proces"; did you mean process?`, "a command that is not there"},
		{[]string{"version", "x"}, "unknown command", "an argument too many"},
	} {
		r := privet(t, "", tt.args...)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
	}
}

func TestPacks(t *testing.T) {
	r := privet(t, "", "test", "pack:windows-service-data")
	assert.Equal(t, exitDone, r.code, r.out+r.err)
	events := filepath.Join("..", "..", "examples", "quickstart", "testdata", "events.jsonl")
	r = privet(t, "", "process", events)
	require.Equal(t, exitDone, r.code, r.err)
	text, err := os.ReadFile(events)
	require.NoError(t, err)
	assert.Equal(t, ids(t, string(text)), ids(t, r.out))
	assert.Contains(t, r.err, "policy     windows-service-data version ", "what runs when nobody says otherwise")
	for _, o := range outcomes {
		assert.Contains(t, r.err, " "+o.key+": "+o.text, "the quickstart shows every outcome")
	}
}

func TestExplain(t *testing.T) {
	text := lines(event("first"), "", "canary", event("7"))
	for _, tt := range []struct {
		args   []string
		code   int
		want   string
		reason string
	}{
		{[]string{"1"}, exitDone, "userEmail: user.contact.email", "by line"},
		{[]string{"first"}, exitDone, "pseudonymise by ids", "by id"},
		{[]string{"4"}, exitDone, "allow: CONTRACT", "blank lines count"},
		{[]string{"--id", "7"}, exitDone, "allow: CONTRACT", "an id that looks like a number"},
		{[]string{"7"}, exitStop, "has no line 7", "a number is a line"},
		{[]string{"--id", "8"}, exitStop, "no event has that id; 1 line could not be read", "an id that is not there"},
		{[]string{"2"}, exitBad, "line 2: an empty line", "a blank line"},
		{[]string{"3"}, exitBad, "line 3: not valid JSON (byte 1)", "a broken line"},
		{nil, exitStop, "which event?", "no event"},
		{[]string{"1", "a", "b"}, exitStop, "more than an event and an input", "too many"},
		{[]string{"1", "none"}, exitStop, "there is no such file", "a file that is not there"},
		{[]string{"1", "--max-line", "5"}, exitBad, "longer than 5 bytes", "a line over the limit"},
	} {
		r := privet(t, text, append([]string{"explain", "-p", smallPolicy}, tt.args...)...)
		assert.Equal(t, tt.code, r.code, "%s: %s", tt.reason, r.err)
		assert.Contains(t, r.out+r.err, tt.want, tt.reason)
		if tt.code != exitDone {
			assert.Empty(t, r.out, tt.reason)
		} else {
			assert.Empty(t, r.err, "%s: no warning about keys: no pseudonym is shown", tt.reason)
			// Paths are names that the event's author gave; values never show.
			assert.NotContains(t, strings.ReplaceAll(r.out, `["`+canary+`"]`, ""), "canary", tt.reason)
		}
	}
	r := privet(t, "", "explain", "1", "-p", smallPolicy)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "standard input has no line 1")
}

func TestClassify(t *testing.T) {
	r := privet(t, lines(
		`{"id":"1","name":"userEmail"}`, `{"id":2,"value":"write to jane@example.com"}`, `{"name":"colour","value":3}`,
		`{"id":true,"path":"a.b","type":"string","tags":{"a":"b"},"source":"s","description":"d","context":{"c":"d"},"value":null}`,
	), "classify", "-p", smallPolicy)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Equal(t, lines(
		`{"id":"1","labels":[{"category":"user.contact.email","confidence":0.9,"rule":"command-tests/mail"}]}`,
		`{"id":2,"labels":[{"category":"user.contact.email","confidence":0.8,"detector":"mail-address","spans":[{"end":25,"start":9}]}]}`,
		`{"id":null,"labels":[]}`, `{"id":true,"labels":[]}`), r.out)
	assert.Empty(t, r.err)

	for _, tt := range []struct{ line, want, reason string }{
		{`canary`, "line 1: not valid JSON (byte 1)", "no JSON"},
		{`["canary"]`, "a field is a JSON object", "a list"},
		{`{"canary":1}`, "a field has a key that is not known here (byte 11)", "a key that is not known"},
		{`{"name":["canary"]}`, "name must be a text, a number or a boolean", "a document"},
		{`{"tags":"canary"}`, "tags must be an object of texts", "tags of the wrong kind"},
		{`{"context":{"canary":1}}`, "context must be an object of texts", "context of the wrong kind"},
		{`{"name":"` + strings.Repeat("canary", 1000) + `"}`, "longer than 3,000 bytes", "over --max-line"},
	} {
		r := privet(t, lines(tt.line, `{"id":"good","name":"userEmail"}`), "classify", "-p", smallPolicy, "--max-line", "3000")
		assert.Equal(t, exitBad, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Contains(t, r.err, "1 field classified, 1 line bad", tt.reason)
		assert.Contains(t, r.out, `{"id":"good","labels":[{`, "%s: the good lines", tt.reason)
		r = privet(t, lines(tt.line, `{"id":"good","name":"userEmail"}`), "classify", "-p", smallPolicy, "--strict", "--max-line", "3000")
		assert.Equal(t, exitBad, r.code, tt.reason)
		assert.Contains(t, r.err, "stopped at the first bad line", tt.reason)
	}
	r = privet(t, "", "classify")
	assert.Equal(t, exitDone, r.code)
	assert.Contains(t, r.err, "the input is empty")
	r = privet(t, "", "classify", "--name", "user_email", "--value", "jane@example.com")
	assert.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, `"category":"user.contact.email"`, "the built-in rules")
	r = privet(t, "", "classify", "-p", smallPolicy, "--tag", "privet.category=user.secret")
	assert.Contains(t, r.out, `"category":"user.secret"`, "a declared tag")
	for _, args := range [][]string{{"--jobs", "0"}, {"--max-line", "0"}, {"--name", "a", "--csv", "b"}, {"--json", "a", "in"}, {"a", "b", "c"}} {
		assert.Equal(t, exitStop, privet(t, "", append([]string{"classify"}, args...)...).code, "%q", args)
	}
}

func TestClassifyTables(t *testing.T) {
	for _, tt := range []struct{ table, want, reason string }{
		{"name,userEmail,contact,colour\nJane,a,jane@example.com,red\nAda,b,,blue\nJoe,c,joe@example.org,jane@example.com\n",
			`{"id":"name","labels":[]}
{"id":"userEmail","labels":[{"category":"user.contact.email","confidence":0.9,"rule":"command-tests/mail"}]}
{"id":"contact","labels":[{"category":"user.contact.email","confidence":0.8,"detector":"mail-address"}]}
{"id":"colour","labels":[]}
`, "by name, and by a vote over the values that are there"},
		{"\xef\xbb\xbfuserEmail;colour\na;b\n", `{"id":"userEmail","labels":[{"category":"user.contact.email","confidence":0.9,"rule":"command-tests/mail"}]}
{"id":"colour","labels":[]}
`, "semicolons and a byte order mark"},
	} {
		r := privet(t, "", "classify", "-p", smallPolicy, "--csv", file(t, "t.csv", tt.table))
		require.Equal(t, exitDone, r.code, r.err)
		assert.Equal(t, tt.want, r.out, tt.reason)
	}
	for _, tt := range []struct {
		table  string
		code   int
		want   string
		reason string
	}{
		{"", exitDone, "the table is empty", "an empty file"},
		{"canary\x00", exitStop, "a binary file", "a binary file"},
	} {
		r := privet(t, "", "classify", "-p", smallPolicy, "--csv", file(t, "t.csv", tt.table))
		assert.Equal(t, tt.code, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
	}
	assert.Contains(t, privet(t, "", "classify", "--csv", t.TempDir()).err, "is a folder")
	assert.Contains(t, privet(t, "", "classify", "--csv", "none").err, "there is no such file")
}

func TestClassifyDocuments(t *testing.T) {
	r := privet(t, "", "classify", "-p", smallPolicy, "--json", file(t, "d.json", `{"a":{"userEmail":["x","y"]},"b.c":"write to jane@example.com","n":1}`))
	require.Equal(t, exitDone, r.code, r.err)
	var paths []string
	for line := range strings.Lines(r.out) {
		var l struct {
			ID     string
			Labels []any
		}
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		if len(l.Labels) > 0 {
			l.ID += " *"
		}
		paths = append(paths, l.ID)
	}
	assert.Equal(t, []string{"a.userEmail[0] *", "a.userEmail[1] *", `["b.c"] *`, "n"}, paths)
	for _, tt := range []struct {
		text   string
		code   int
		want   string
		reason string
	}{
		{`{"canary":`, exitBad, "the JSON ends too early (byte 11)", "cut short"},
		{"", exitBad, "the JSON ends too early", "empty"},
	} {
		r := privet(t, "", "classify", "-p", smallPolicy, "--json", file(t, "d.json", tt.text))
		assert.Equal(t, tt.code, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
	}
}

func TestVersionAndCompletion(t *testing.T) {
	r := privet(t, "", "version")
	assert.Equal(t, exitDone, r.code)
	assert.Contains(t, r.out, "privet ")
	assert.Contains(t, r.out, "pack:windows-service-data")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := privet(t, "", "completion", shell)
		assert.Equal(t, exitDone, r.code, shell)
		assert.Contains(t, r.out, "privet", shell)
	}
	r = privet(t, "", "__complete", "process", "--policy", "")
	assert.Contains(t, r.out, "pack:windows-service-data", "packs complete")
}

// Help teaches: what the command is for, an example, and what its exit status
// says. Every flag that reads or writes says what.
func TestHelp(t *testing.T) {
	r := privet(t, "")
	assert.Equal(t, exitDone, r.code)
	assert.Contains(t, r.out, "Available Commands:")
	root := newRoot(&env{})
	commands := root.Commands()
	for _, c := range commands {
		commands = append(commands, c.Commands()...)
	}
	for _, c := range commands {
		if c.Name() == "version" {
			continue
		}
		r := privet(t, "", append(strings.Fields(c.CommandPath())[1:], "--help")...)
		assert.Equal(t, exitDone, r.code, c.CommandPath())
		assert.NotEmpty(t, c.Long, c.CommandPath())
		assert.Contains(t, r.out, "Examples:", c.CommandPath())
		checkExamples(t, c)
	}
}

// checkExamples parses every flag that an example shows: an example with a flag
// that is gone teaches nothing.
func checkExamples(t *testing.T, c *cobra.Command) {
	t.Helper()
	found := false
	for line := range strings.Lines(c.Example) {
		for part := range strings.SplitSeq(line, "|") {
			words := strings.Fields(part)
			for i, w := range words {
				if w != "privet" || i+1 == len(words) {
					continue
				}
				found = true
				target, _, err := newRoot(&env{}).Find(words[i+1:])
				require.NoError(t, err, line)
				for _, word := range words[i+2:] {
					name, _, _ := strings.Cut(word, "=")
					switch {
					case strings.HasPrefix(name, "--"):
						assert.NotNil(t, target.Flags().Lookup(name[2:]), "%s: %s", c.Name(), line)
					case strings.HasPrefix(name, "-") && len(name) == 2:
						assert.NotNil(t, target.Flags().ShorthandLookup(name[1:]), "%s: %s", c.Name(), line)
					}
				}
			}
		}
	}
	assert.True(t, found, "%s has no example", c.Name())
}
