package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
)

// scanRules are the detectors of most tests here.
const scanRules = "testdata/scan/rules.yaml"

// A scanned is one line of output for one text, or about one finding in a file.
type scanned struct {
	ID       json.RawMessage
	Text     *string
	Findings []scannedFinding
	Explain  []struct {
		Detector, Because string
		Start, End        int
		Kept              bool
		Confidence        float64
		Base, Context     float64
	}
}

type scannedFinding struct {
	Detector, Category string
	Start, End         int
	StartRune          int `json:"start_rune"`
	EndRune            int `json:"end_rune"`
	StartUTF16         int `json:"start_utf16"`
	EndUTF16           int `json:"end_utf16"`
	Confidence         float64
	File               string
	Line, Column       int
}

func decodeLines[T any](t testing.TB, out string) (list []T) {
	t.Helper()
	for line := range strings.Lines(out) {
		var v T
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		list = append(list, v)
	}
	return list
}

// scan runs the command with the rules of these tests.
func scan(t testing.TB, stdin string, args ...string) ran {
	t.Helper()
	return privet(t, stdin, append([]string{"scan", "--rules", scanRules}, args...)...)
}

// folder writes files into a fresh folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return root
}

// scanGolden compares with a file in testdata/scan, or writes it.
func scanGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "scan", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s: run with -update after reading the difference", path)
}

func TestScanGolden(t *testing.T) {
	texts, err := os.ReadFile("testdata/scan/texts.jsonl")
	require.NoError(t, err)
	fixed := keys(t)
	for _, tt := range []struct {
		golden string
		args   []string
	}{
		{"findings.jsonl", nil},
		{"explain.jsonl", []string{"--explain"}},
		{"type.jsonl", []string{"--redact"}},
		{"mask.jsonl", []string{"--redact=mask"}},
		{"pseudonym.jsonl", []string{"--redact=pseudonym", "--keys", fixed, "--tenant", "contoso", "--purpose", "debug"}},
		{"text.jsonl", []string{"--text"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			one := scan(t, string(texts), append(tt.args, "--jobs", "1")...)
			require.Equal(t, exitDone, one.code, one.err)
			scanGolden(t, tt.golden, one.out)
			many := scan(t, string(texts), append(tt.args, "--jobs", "8")...)
			assert.Equal(t, one, many, "the same with any number of jobs")
		})
	}
}

func TestScanIDs(t *testing.T) {
	for _, tt := range []struct{ id, want, reason string }{
		{`"a"`, `"a"`, "a text"},
		{`"\u00e9\n\""`, `"é\n\""`, "a text, in its shortest spelling"},
		{`17`, `17`, "a number"},
		{`-1.50E+3`, `-1.50E+3`, "a number as it was written"},
		{`123456789012345678901234567890`, `123456789012345678901234567890`, "a number that no float holds"},
		{`null`, `null`, "none"},
		{`""`, `""`, "an empty one"},
	} {
		r := scan(t, `{"text":"","id":`+tt.id+"}\n")
		assert.Equal(t, exitDone, r.code, tt.reason)
		assert.Equal(t, `{"findings":[],"id":`+tt.want+"}\n", r.out, tt.reason)
	}
	assert.Equal(t, `{"findings":[],"id":null}`+"\n", scan(t, `{"text":""}`).out, "an id may be missing")
}

// Each kind of bad line, between good ones.
func TestScanBadLines(t *testing.T) {
	good := `{"id":"a","text":"x"}`
	for _, tt := range []struct{ line, want, reason string }{
		{`{"id":"canary","text":`, "the JSON ends too early", "cut off"},
		{`canary`, "not valid JSON", "no JSON"},
		{`["canary"]`, `a text comes in a JSON object (byte 1); write {"id":…,"text":…}`, "a list"},
		{`"canary"`, "a text comes in a JSON object", "a text without an object"},
		{`{"id":"canary"}`, "there is no text", "no text: what would have been scanned?"},
		{`{"id":"canary","text":null}`, "text must be a text", "null is none either"},
		{`{"id":1,"text":["canary"]}`, "text must be a text", "a list of texts"},
		{`{"id":{"canary":1},"text":""}`, "id must be a text or a number", "an id that is an object"},
		{`{"id":true,"text":"canary"}`, "id must be a text or a number", "an id that is a boolean"},
		{`{"id":1,"text":"","canary":""}`, "a key that is not known here", "data in a place where nobody looks"},
		{`{"id":1,"text":"canary","text":"canary"}`, "an object has one key twice", "which of the two?"},
		{`{"id":1,"text":"` + "canary\xff" + `"}`, "not valid UTF-8", "JSON is UTF-8"},
		{`{"id":1,"text":"canary\ud800"}`, "not valid UTF-8", "half of a pair"},
		{good + good, "something follows the JSON value", "two on one line"},
		{`{"id":1,"text":"canary ` + strings.Repeat("x", 300) + `"}`, "longer than 200 bytes", "over --max-line"},
		{strings.Repeat("x", 400_000), "longer than 200 bytes", "over --max-line and over a batch"},
	} {
		r := scan(t, lines(good, tt.line, "", good), "--max-line", "200")
		assert.Equal(t, exitBad, r.code, tt.reason)
		assert.Len(t, decodeLines[scanned](t, r.out), 2, "%s: the good lines", tt.reason)
		assert.Contains(t, r.err, "privet: line 2: ", tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Contains(t, r.err, "bad lines  1, named above", tt.reason)

		r = scan(t, lines(good, tt.line, good), "--max-line", "200", "--strict", "-j", "1")
		assert.Equal(t, exitBad, r.code, tt.reason)
		assert.Contains(t, r.err, "stopped at the first bad line, because of --strict", tt.reason)
	}
	r := scan(t, lines("one", "two"))
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "plain text is scanned with --text", "who forgot the flag")
}

func TestScanText(t *testing.T) {
	text := "  a@b.de\t\r\n\n\xff a@b.de\nlast a@b.de"
	r := scan(t, text, "--text")
	require.Equal(t, exitDone, r.code, r.err)
	list := decodeLines[scanned](t, r.out)
	require.Len(t, list, 4, "a line of output for every line, also for blank ones")
	var got []string
	for _, l := range list {
		for _, k := range l.Findings {
			got = append(got, fmt.Sprint(string(l.ID), " ", k.Start, "-", k.End, " ", k.StartRune, " ", k.StartUTF16))
		}
	}
	assert.Equal(t, []string{"1 2-8 2 2", "3 2-8 2 2", "4 5-11 5 5"}, got, "nothing is trimmed, and bytes that are no text are counted as what decoders write for them")
	assert.Contains(t, r.out, `{"findings":[],"id":2}`)

	r = scan(t, text, "--text", "--redact")
	assert.Equal(t, lines(`{"id":1,"text":"  [MAIL]\t"}`, `{"id":2,"text":""}`, `{"id":3,"text":"`+"\ufffd"+` [MAIL]"}`, `{"id":4,"text":"last [MAIL]"}`), r.out)

	r = scan(t, "canary "+strings.Repeat("x", 300_000)+"\na@b.de\n"+strings.Repeat("x", 101)+"\n", "--text", "--max-line", "100")
	assert.Equal(t, exitBad, r.code)
	assert.Len(t, decodeLines[scanned](t, r.out), 1)
	assert.Contains(t, r.err, "privet: line 1: longer than 100 bytes")
	assert.Contains(t, r.err, "privet: line 3: longer than 100 bytes")
	r = scan(t, strings.Repeat("x", 101)+"\na\n", "--text", "--max-line", "100", "--strict")
	assert.Equal(t, exitBad, r.code)
	assert.Empty(t, r.out)
	assert.Contains(t, r.err, "stopped at the first bad line")

	for _, args := range [][]string{{}, {"--text"}} {
		r = scan(t, "", args...)
		assert.Equal(t, exitDone, r.code)
		assert.Contains(t, r.err, "the input is empty")
		assert.Empty(t, r.out)
	}
}

// Offsets in the three ways of counting, compared with a plain conversion.
func TestScanOffsets(t *testing.T) {
	for _, text := range []string{"a@b.de", "é a@b.de", "😀😀 a@b.de 😀 jänè@b.de\u0301", "\u200da@b.de\na@b.de"} {
		line, err := json.Marshal(map[string]any{"id": 1, "text": text})
		require.NoError(t, err)
		l := decodeLines[scanned](t, scan(t, string(line)).out)[0]
		require.NotEmpty(t, l.Findings)
		last := 0
		for _, k := range l.Findings {
			require.LessOrEqual(t, last, k.Start, "in order, without overlaps")
			last = k.End
			assert.Contains(t, text[k.Start:k.End], "@b.de")
			for at, want := range map[int][2]int{k.Start: {k.StartRune, k.StartUTF16}, k.End: {k.EndRune, k.EndUTF16}} {
				assert.Equal(t, want, [2]int{utf8.RuneCountInString(text[:at]), len(utf16.Encode([]rune(text[:at])))}, "%q at %d", text, at)
			}
		}
	}
}

func TestScanSelection(t *testing.T) {
	text := `{"id":1,"text":"a@b.de card 12345674 EB-1234 GB-1234 EB-1234-12 +1 425 555 0100"}`
	for _, tt := range []struct {
		args   string
		want   string
		reason string
	}{
		{"", "mail card de-badge gb-badge long-badge phone", "all of them"},
		{"--detectors mail,card", "mail card", "two"},
		{"--detectors mail --detectors card", "mail card", "said one after the other"},
		{"--detectors *-badge", "", "a * stands at the end only"},
		{"--detectors de-*", "de-badge de-badge", "a beginning; the longer badge is not there to win"},
		{"--detectors *", "mail card de-badge gb-badge long-badge phone", "all"},
		{"--exclude mail,de-*", "card gb-badge long-badge phone", "all but some"},
		{"--detectors mail,card --exclude card", "mail", "both"},
		{"--countries de", "mail card de-badge long-badge phone", "those of no country stay"},
		{"--countries gb,de", "mail card de-badge gb-badge long-badge phone", "two countries"},
		{"--countries gb --detectors gb-badge,de-badge", "gb-badge", "both must hold"},
		{"--threshold 0.85", "card de-badge gb-badge long-badge", "only what is sure"},
		{"--threshold 1", "", "nothing is that sure"},
		{"--threshold 0.9 --no-context", "de-badge gb-badge long-badge", "the card was sure by its context"},
		{"--no-context --threshold 0.5", "mail card de-badge gb-badge long-badge phone", "a check alone is worth a half"},
	} {
		r := scan(t, text, strings.Fields(tt.args)...)
		if tt.want == "" && strings.Contains(tt.args, "badge") {
			assert.Equal(t, exitStop, r.code, tt.reason)
			continue
		}
		require.Equal(t, exitDone, r.code, r.err)
		var got []string
		for _, k := range decodeLines[scanned](t, r.out)[0].Findings {
			got = append(got, k.Detector)
		}
		assert.Equal(t, strings.Fields(tt.want), append([]string{}, got...), "%s: %s", tt.args, tt.reason)
	}
	low := scan(t, `{"text":"room 123"}`, "--threshold", "0.1")
	assert.Contains(t, low.out, `"confidence":0.2`, "a threshold may be lower than that of the rules")
	assert.NotContains(t, scan(t, `{"text":"room 123"}`).out, "room")
}

// unread is an input that must not be looked at.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the input was read")
	return 0, io.EOF
}

// What cannot work is said before anything is read or written, and how to mend it.
func TestScanRefuses(t *testing.T) {
	in := file(t, "in.txt", canary)
	out := filepath.Join(t.TempDir(), "out")
	for _, tt := range []struct {
		args   []string
		want   string
		reason string
	}{
		{[]string{"--detectors", "mial"}, `there is no detector "mial"; did you mean mail?`, "letters swapped"},
		{[]string{"--detectors", "badge"}, `did you mean de-badge or gb-badge or long-badge?`, "a part of an id"},
		{[]string{"--detectors", "de"}, `"de"; did you mean de-badge?`, "the beginning of an id"},
		{[]string{"--detectors", "badges-*"}, `did you mean de-badge or gb-badge or long-badge?`, "a kind that has none"},
		{[]string{"--detectors", "mail,xyzzy"}, `there is no detector "xyzzy"; all of a kind are named with a *`, "like none"},
		{[]string{"--detectors", "fr-*"}, `there is no detector "fr-*"`, "a kind that has none"},
		{[]string{"--exclude", "phome"}, `there is no detector "phome"; did you mean phone?`, "what is left out must be known, too"},
		{[]string{"--detectors", ""}, "--detectors is empty", "a variable of a script that is not set"},
		{[]string{"--countries", ""}, "--countries is empty", "likewise"},
		{[]string{"--countries", "fr"}, `there is no country "fr" among those of the detectors; one of: de gb`, "a country without detectors"},
		{[]string{"--countries", "DE"}, "did you mean de?", "capitals"},
		{[]string{"--countries", "uk"}, "did you mean gb?", "the code of the United Kingdom"},
		{[]string{"--detectors", "gb-badge", "--countries", "de"}, "no detector is left", "nothing would be looked for"},
		{[]string{"--threshold", "1.1"}, "--threshold must be from 0 to 1", "too high"},
		{[]string{"--threshold", "-0.1"}, "--threshold must be from 0 to 1", "too low"},
		{[]string{"--threshold", "NaN"}, "--threshold must be from 0 to 1", "no number"},
		{[]string{"--jobs", "0"}, "--jobs must be from 1 to 1024", "nobody works"},
		{[]string{"--max-line", "0"}, "--max-line must be from 1 byte", "no line fits"},
		{[]string{"--redact=canvas"}, "one of: type, mask, pseudonym", "a way that is not there"},
		{[]string{"--redact=pseudonym"}, "name it with --tenant and --purpose", "pseudonyms without a scope"},
		{[]string{"--redact=pseudonym", "--tenant", "contoso"}, "name it with --tenant and --purpose", "half of a scope"},
		{[]string{"--redact=pseudonym", "--tenant", "contoso", "--purpose", "_x"}, "a purpose does not begin with _", "a purpose that is reserved"},
		{[]string{"--redact=pseudonym", "--tenant", "other", "--purpose", "p", "--keys", keys(t)}, "there is none for this tenant", "no key"},
		{[]string{"--redact=pseudonym", "--tenant", "contoso", "--purpose", "p", "--keys", in}, "not three words", "a file that holds no keys"},
		{[]string{"--redact", "--keys", in}, "--tenant, --purpose and --keys are for pseudonyms", "keys for nothing"},
		{[]string{"--explain", "--redact"}, "do one at a time", "both would be unsafe"},
		{[]string{"--explain", in}, "privet scan --text --explain < FILE", "an explanation of a file"},
		{[]string{"--text", in}, "privet scan --text < FILE", "files are text anyway"},
		{[]string{"--redact", in}, "name a folder for the copies", "never in place"},
		{[]string{"--output", out}, "--output without files to redact", "nothing would be written"},
		{[]string{"--output", out, in}, "--output without files to redact", "nothing is redacted"},
		{[]string{"-"}, "to scan standard input name no file", "no file"},
		{[]string{"--minimum", "scan-tests:4"}, "", "a rule file that is too old"},
		{[]string{"--nothing"}, "see: privet scan --help", "a flag that is not there"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), append([]string{"scan", "--rules", scanRules}, tt.args...), &env{stdin: unread{t}, stdout: &stdout, stderr: &stderr, now: func() time.Time { return now }})
		assert.Equal(t, exitStop, code, tt.reason)
		assert.Contains(t, stderr.String(), tt.want, tt.reason)
		assert.Empty(t, stdout.String(), tt.reason)
		assert.NotContains(t, stderr.String(), "canary@", tt.reason)
		assert.NoFileExists(t, out, tt.reason)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"scan", "-d", "us"}, "did you mean us-* or "},
		{[]string{"scan", "--minimum", "x:1"}, "name them with --rules"},
		{[]string{"scan", "--rules", "testdata/none.yaml"}, "there is no such file"},
		{[]string{"scan", "--rules", "testdata/faults.yaml"}, "the policy has 5 faults"},
		{[]string{"scan", "--rules", file(t, "empty.yaml", "privet: 1\nname: x\nversion: 1\n")}, "the rules have no detector"},
	} {
		r := privet(t, "", tt.args...)
		assert.Equal(t, exitStop, r.code, "%q", tt.args)
		assert.Contains(t, r.err, tt.want, "%q", tt.args)
	}
}

// A compiled and signed bundle finds what its text finds.
func TestScanBundle(t *testing.T) {
	home := t.TempDir()
	key, bundle := filepath.Join(home, "k"), filepath.Join(home, "b")
	require.Equal(t, exitDone, privet(t, "", "keygen", "-o", key).code)
	r := privet(t, "", "compile", scanRules, "-o", bundle, "--sign", key)
	require.Equal(t, exitDone, r.code, r.err)
	texts, err := os.ReadFile("testdata/scan/texts.jsonl")
	require.NoError(t, err)
	want := scan(t, string(texts))
	got := privet(t, string(texts), "scan", "--rules", bundle, "--public-key", key+".pub", "--minimum", "scan-tests:3")
	assert.Equal(t, want, got)
	r = privet(t, string(texts), "scan", "--rules", scanRules, "--public-key", key+".pub")
	assert.Equal(t, exitStop, r.code, "a text is not signed")
}

// What an explanation says was kept is what was found, with any flags, and every
// reason has its words.
func TestScanExplain(t *testing.T) {
	texts, err := os.ReadFile("testdata/scan/texts.jsonl")
	require.NoError(t, err)
	because := map[string]bool{}
	for _, args := range [][]string{nil, {"--threshold", "0.85"}, {"--threshold", "0.1"}, {"--no-context"}, {"--detectors", "card,de-*"}, {"--no-context", "--threshold", "0.6"}} {
		plain := decodeLines[scanned](t, scan(t, string(texts), args...).out)
		told := decodeLines[scanned](t, scan(t, string(texts), append(args, "--explain")...).out)
		require.Len(t, told, len(plain))
		for i := range told {
			assert.Equal(t, plain[i].Findings, told[i].Findings, "explaining finds the same: %q", args)
			var kept []string
			for _, x := range told[i].Explain {
				because[x.Because] = true
				if x.Kept {
					kept = append(kept, fmt.Sprint(x.Detector, x.Start, x.End, x.Confidence))
					assert.InDelta(t, x.Confidence, x.Base+x.Context, 1e-9, "the steps make the whole")
				}
			}
			var found []string
			for _, k := range plain[i].Findings {
				found = append(found, fmt.Sprint(k.Detector, k.Start, k.End, k.Confidence))
			}
			assert.Equal(t, found, kept, "%q", args)
		}
	}
	for _, want := range []string{
		"counts", "its check does not hold", "taken away by our-help-desk: nobody's address", "is below the threshold",
		"is below the threshold without a word of its context", "overlaps long-badge, which is surer, or longer or first",
	} {
		found := false
		for b := range because {
			found = found || strings.Contains(strings.ReplaceAll(b, "scan-tests/", ""), want)
		}
		assert.True(t, found, "%s: among %v", want, because)
	}
	many := scan(t, `{"text":"`+strings.Repeat("a@b.de ", 300)+`"}`, "--explain")
	assert.Contains(t, many.out, `"explain_more":true`, "an explanation has an end, and says so")
	assert.Len(t, decodeLines[scanned](t, many.out)[0].Findings, 300, "what is found has none")
}

// The tokens of a text are those that an event of the same tenant and purpose gets.
func TestScanTokensJoin(t *testing.T) {
	k := keys(t)
	uuid := "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
	text := "JANE@example.com jane@example.com +1 425 555-0100, +14255550100, 192.0.2.17 " + uuid + " " + strings.ToLower(uuid)
	out := decodeLines[scanned](t, scan(t, text, "--text", "--redact=pseudonym", "--keys", k, "--tenant", "contoso", "--purpose", "serve").out)
	words := strings.Fields(strings.ReplaceAll(*out[0].Text, ",", ""))
	require.Len(t, words, 7, *out[0].Text)
	for _, w := range words {
		assert.Regexp(t, `^p1_1_[a-z2-7]+$`, w)
	}
	assert.Equal(t, words[0], words[1], "one address in either case")
	assert.Equal(t, words[2], words[3], "one number, however it is written")
	assert.Equal(t, words[5], words[6], "one UUID in either case")

	r := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--keys", k)
	var result struct{ Fields struct{ UserEmail string } }
	require.NoError(t, json.Unmarshal([]byte(r.out), &result))
	var problems, redacted bytes.Buffer
	code := run(context.Background(), []string{"scan", "--rules", smallPolicy, "--text", "--redact=pseudonym", "--keys", k, "--tenant", "contoso", "--purpose", "serve", "--quiet"},
		&env{stdin: strings.NewReader(canary), stdout: &redacted, stderr: &problems, now: func() time.Time { return now }})
	require.Equal(t, exitDone, code, problems.String())
	assert.Empty(t, problems.String())
	assert.Equal(t, `{"id":1,"text":"`+result.Fields.UserEmail+`"}`+"\n", redacted.String(), "privet process says the same")

	again := privet(t, *out[0].Text, "scan", "--text", "--redact=pseudonym", "--keys", k, "--tenant", "contoso", "--purpose", "serve")
	assert.NotContains(t, again.out, "p1_1_", "a token is not made of a token")
	assert.Contains(t, again.out, "[PSEUDONYM_TOKEN]")
	assert.Contains(t, again.err, "7 values replaced by a label")
}

func TestScanRedactLeavesTheRest(t *testing.T) {
	text := "é mail a@b.de, card 12345674; EB-1234."
	for way, want := range map[string]string{
		"type": "é mail [MAIL], card [CARD]; [DE_BADGE].",
		"mask": "é mail ******, card ********; *******.",
	} {
		r := scan(t, text, "--text", "--redact="+way)
		assert.Equal(t, want, *decodeLines[scanned](t, r.out)[0].Text)
	}
	r := scan(t, "jänè@b.de", "--text", "--redact=mask")
	assert.Equal(t, strings.Repeat("*", 9), *decodeLines[scanned](t, r.out)[0].Text, "as many as characters, and no byte of them")
	seven := scan(t, text, "--text", "--redact=pseudonym", "--tenant", "t", "--purpose", "p")
	assert.Contains(t, seven.err, "fresh development keys")
	assert.NotContains(t, seven.out, "12345674")
}

func TestScanFiles(t *testing.T) {
	root := folder(t, map[string]string{
		"b.txt":         "no\nmail a@b.de\n",
		"a/z.log":       "é😀 a@b.de and EB-1234\n",
		"a/.hidden":     "EB-1234",
		"empty":         "",
		"c/binary":      "a@b.de\x00",
		"c/late":        strings.Repeat("x", textHead) + "\x00 a@b.de",
		"c/noise":       "\x01\x02\x03\x04\x05\x06\x07\x0e",
		"c/latin":       "M\xfcller a@b.de",
		"c/packed.gz":   "\x1f\x8b\x08 a@b.de",
		"c/windows.txt": "\xff\xfea\x00@\x00",
	})
	t.Chdir(root)
	links := os.Symlink("b.txt", "link") == nil && os.Symlink("a", "c/folder") == nil
	rules, err := filepath.Abs(filepath.Join(sourceFolder(t), scanRules))
	require.NoError(t, err)
	one := privet(t, "", "scan", "--rules", rules, "--jobs", "1", ".")
	require.Equal(t, exitDone, one.code, one.err)
	many := privet(t, "", "scan", "--rules", rules, "--jobs", "8", ".")
	assert.Equal(t, one, many, "the same with any number of jobs")
	var got []string
	for _, k := range decodeLines[scannedFinding](t, one.out) {
		got = append(got, fmt.Sprintf("%s:%d:%d %s %d-%d %d-%d %d-%d", k.File, k.Line, k.Column, k.Detector, k.Start, k.End, k.StartRune, k.EndRune, k.StartUTF16, k.EndUTF16))
	}
	assert.Equal(t, []string{
		"a/.hidden:1:1 de-badge 0-7 0-7 0-7",
		"a/z.log:1:4 mail 7-13 3-9 4-10",
		"a/z.log:1:15 de-badge 18-25 14-21 15-22",
		"b.txt:2:6 mail 8-14 8-14 8-14",
		"c/late:1:8195 mail 8194-8200 8194-8200 8194-8200",
		"c/latin:1:8 mail 7-13 7-13 7-13",
	}, got[:6], "by path, then by place")
	assert.Len(t, got, 6)
	for _, want := range []string{"6 files in", "found      6 in 5 files", "skipped    4 files without text: 2 binary, 1 compressed with gzip, 1 written in UTF-16"} {
		assert.Contains(t, one.err, want)
	}
	if links {
		assert.Contains(t, one.err, "2 symbolic links", "counted, not followed")
		r := privet(t, "", "scan", "--rules", rules, "link", "b.txt")
		assert.Equal(t, exitBad, r.code)
		assert.Contains(t, r.err, "cannot read link: a symbolic link, and links are not followed; name what it leads to")
		assert.Len(t, decodeLines[scannedFinding](t, r.out), 1)
	}
	twice := privet(t, "", "scan", "--rules", rules, "b.txt", "./b.txt", "a", "a/z.log", filepath.Join(root, "a"))
	assert.Contains(t, twice.err, "3 files in", "nothing is scanned twice")

	r := privet(t, "", "scan", "--rules", rules, "none", "b.txt")
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.err, "privet: cannot read none: there is no such file\n")
	assert.Contains(t, r.err, "unreadable 1, named above")
	assert.Len(t, decodeLines[scannedFinding](t, r.out), 1, "the others are scanned")
	r = privet(t, "", "scan", "--rules", rules, "a", "none", "--strict")
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.err, "stopped at the first bad file, because of --strict")
	if os.Getuid() > 0 && runtime.GOOS != "windows" {
		require.NoError(t, os.Chmod("b.txt", 0))
		require.NoError(t, os.Chmod("a", 0))
		r = privet(t, "", "scan", "--rules", rules, ".")
		require.NoError(t, os.Chmod("a", 0o700))
		assert.Equal(t, exitBad, r.code)
		assert.Contains(t, r.err, "cannot read b.txt: permission denied")
		assert.Contains(t, r.err, "cannot read a: permission denied")
	}
	require.NoError(t, os.Mkdir("nothing", 0o700))
	r = privet(t, "", "scan", "nothing")
	assert.Equal(t, exitDone, r.code)
	assert.Contains(t, r.err, "there is no file, nothing to scan")
	r = privet(t, "", "scan", "--quiet", "nothing", "b.txt")
	assert.Empty(t, r.err)
}

// sourceFolder is the folder of this package, also after a change of folder.
func sourceFolder(t testing.TB) string {
	t.Helper()
	_, path, _, ok := runtime.Caller(0)
	require.True(t, ok)
	if filepath.IsAbs(path) {
		return filepath.Dir(path)
	}
	t.Skip("built with -trimpath: the sources are not known")
	return ""
}

// manyFiles are files of different lengths with findings everywhere.
func manyFiles(t testing.TB, n int) string {
	files := map[string]string{}
	for i := range n {
		var b strings.Builder
		for j := range i * i % 97 * 20 {
			fmt.Fprintf(&b, "é line %d of a@b.de, EB-%04d\n", j, j)
		}
		files[fmt.Sprintf("%d/%d/f%d", i%3, i%7, i)] = b.String()
	}
	return folder(t, files)
}

func TestScanJobs(t *testing.T) {
	root := manyFiles(t, 60)
	one := scan(t, "", root, "--jobs", "1")
	require.Equal(t, exitDone, one.code, one.err)
	for _, jobs := range []string{"2", "8", "33"} {
		assert.Equal(t, one, scan(t, "", root, "--jobs", jobs))
	}
	last := ""
	for _, k := range decodeLines[scannedFinding](t, one.out) {
		at := fmt.Sprintf("%s\x00%020d", strings.ReplaceAll(k.File, "/", "\x00"), k.Start)
		require.Less(t, last, at, "a total order")
		last = at
	}
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "%s a@b.de %d\n", strings.Repeat("x", i%50), i)
	}
	short := scan(t, text.String(), "--text", "--jobs", "1")
	assert.Equal(t, short, scan(t, text.String(), "--text", "--jobs", "8"))
	assert.Equal(t, 20_000, strings.Count(short.out, "\n"))
}

// A file gives what its whole text gives, wherever the blocks end in which it is read.
func TestScanStreams(t *testing.T) {
	var b strings.Builder
	for i := 0; b.Len() < 2<<20; i++ {
		fmt.Fprintf(&b, "%s😀 a%d@b.de card 12345674 EB-%04d-%02d\n", strings.Repeat("é ", i%40), i, i%10_000, i%100)
	}
	text := b.String()
	path := file(t, "big", text)
	got := decodeLines[scannedFinding](t, scan(t, "", path).out)
	s, err := (&scanFlags{rules: scanRules, jobs: 1}).open(newScan(nil), &env{now: func() time.Time { return now }})
	require.NoError(t, err)
	want := s.finders[0].scanner.Scan(nil, text)
	require.Len(t, got, len(want))
	for i, k := range want {
		g := &got[i]
		require.Equal(t, k, classify.Finding{Detector: g.Detector, Category: g.Category, Start: g.Start, End: g.End, Confidence: g.Confidence})
		if i%2000 == 0 {
			before := text[:k.Start]
			require.Equal(t, strings.Count(before, "\n")+1, g.Line)
			require.Equal(t, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])+1, g.Column)
			require.Equal(t, utf8.RuneCountInString(before), g.StartRune)
			require.Equal(t, len(utf16.Encode([]rune(before))), g.StartUTF16)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	r := scan(t, "", path, "--redact", "--output", out)
	require.Equal(t, exitDone, r.code, r.err)
	copied, err := os.ReadFile(filepath.Join(out, "big"))
	require.NoError(t, err)
	s.redactor = &redactor{way: redactType}
	s.finders[0].findings = want
	whole, err := s.finders[0].redact(nil, text)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(whole, copied), "the copy is the text with its findings replaced")
}

func TestScanMemory(t *testing.T) {
	// live is the most memory that is in use at any of some places of a run.
	live := func(n int) (highest uint64) {
		line := strings.Repeat("nothing of anybody ", 20) + "a@b.de\n"
		path := file(t, "big", strings.Repeat(line, n/len(line)))
		writes := 0
		var stats runtime.MemStats
		var problems bytes.Buffer
		code := run(context.Background(), []string{"scan", "--rules", scanRules, "-j", "1", path}, &env{stdin: strings.NewReader(""), stdout: writerFunc(func([]byte) {
			if writes++; writes%10 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&stats)
				highest = max(highest, stats.HeapAlloc)
			}
		}), stderr: &problems, now: func() time.Time { return now }})
		require.Equal(t, exitDone, code, problems.String())
		require.NotZero(t, highest)
		return highest
	}
	small := live(4 << 20)
	assert.Less(t, live(48<<20), small+(2<<20), "memory does not grow with the file")
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

func TestScanCopies(t *testing.T) {
	root := folder(t, map[string]string{"data/a.txt": "mail a@b.de\n", "data/sub/b": "EB-1234 x", "data/none": "nothing", "data/bin": "\x00a@b.de", "other/a.txt": "x"})
	data, out := filepath.Join(root, "data"), filepath.Join(root, "clean", "deep")
	require.NoError(t, os.Chmod(filepath.Join(data, "a.txt"), 0o640))
	r := scan(t, "", data, "--redact", "--output", out)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Empty(t, r.out)
	assert.Contains(t, r.err, "replaced   2 in 2 files")
	for name, want := range map[string]string{"a.txt": "mail [MAIL]\n", "sub/b": "[DE_BADGE] x", "none": "nothing"} {
		got, err := os.ReadFile(filepath.Join(out, "data", filepath.FromSlash(name)))
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	requireOnly(t, filepath.Join(out, "data"), "a.txt", "none", "sub") // what is no text is not copied: nobody looked into it
	if info, err := os.Stat(filepath.Join(out, "data", "a.txt")); assert.NoError(t, err) && runtime.GOOS != "windows" {
		assert.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "who may read the one may read the other")
	}
	again := scan(t, "", data, "--redact=mask", "--output", out)
	require.Equal(t, exitDone, again.code, again.err)
	got, err := os.ReadFile(filepath.Join(out, "data", "a.txt"))
	require.NoError(t, err)
	assert.Equal(t, "mail ******\n", string(got), "an older copy is replaced")

	for _, tt := range []struct {
		args   []string
		want   string
		reason string
	}{
		{[]string{data, "--output", root}, "lie in each other", "the copy would be the file itself"},
		{[]string{data, "--output", filepath.Join(data, "out")}, "lie in each other", "copies would be scanned"},
		{[]string{data, "--output", data}, "lie in each other", "the same folder"},
		{[]string{filepath.Join(data, "a.txt"), "--output", data}, "lie in each other", "a file in the folder"},
		{[]string{filepath.Join(data, "a.txt"), filepath.Join(root, "other", "a.txt"), "--output", out}, "would have one name", "two of one name"},
		{[]string{data, "--output", filepath.Join(data, "a.txt")}, "lie in each other", "a file for a folder"},
		{[]string{data, "--output", filepath.Join(root, "other", "a.txt")}, "cannot write the folder", "another file for a folder"},
	} {
		r := scan(t, "", append(tt.args, "--redact")...)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
	}
	source, err := os.ReadFile(filepath.Join(data, "a.txt"))
	require.NoError(t, err)
	assert.Equal(t, "mail a@b.de\n", string(source), "never in place")

	// Links that somebody put into the folder of copies lead nowhere.
	trap := t.TempDir()
	if os.Symlink(data, filepath.Join(trap, "data")) == nil {
		r = scan(t, "", data, "--redact", "--output", trap)
		assert.Equal(t, exitStop, r.code, r.err)
		source, err = os.ReadFile(filepath.Join(data, "a.txt"))
		require.NoError(t, err)
		assert.Equal(t, "mail a@b.de\n", string(source))
		into := t.TempDir()
		require.NoError(t, os.Symlink(into, filepath.Join(root, "way")))
		r = scan(t, "", filepath.Join(root, "other"), "--redact", "--output", filepath.Join(root, "way"))
		assert.Equal(t, exitDone, r.code, "the folder itself may be named by a link: %s", r.err)
		require.NoError(t, os.Symlink(root, filepath.Join(into, "up")))
		r = scan(t, "", data, "--redact", "--output", filepath.Join(into, "up"))
		assert.Equal(t, exitStop, r.code, "but not one that leads to the files")
		assert.Contains(t, r.err, "lie in each other")
	}
}

// A file that changes between the two readings leaves no copy.
func TestScanChangedFile(t *testing.T) {
	root := folder(t, map[string]string{"a": "mail a@b.de\n" + strings.Repeat("x", 100)})
	path := filepath.Join(root, "a")
	out, err := openCopies(t.TempDir(), nil)
	require.NoError(t, err)
	defer out.close()
	into, err := out.create("a", 0o600)
	require.NoError(t, err)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	w := newFollower(f, into)
	require.NoError(t, w.to(5))
	require.NoError(t, os.Truncate(path, 20))
	assert.ErrorIs(t, w.to(1<<20), errChanged, "shorter than it was")
	into.abandon()
	requireOnly(t, out.root.Name())
}

// The canary: nothing of a text is in any output, but for what --redact leaves.
func TestScanCanary(t *testing.T) {
	secrets := []string{canary, "+1 425 555 0199", "192.0.2.99", "12345674", "EB-9999"}
	var b strings.Builder
	for i, s := range secrets {
		fmt.Fprintf(&b, "zebra%d card %s zebra\n", i, s)
	}
	text := b.String()
	var objects strings.Builder
	for line := range strings.Lines(text) {
		j, err := json.Marshal(map[string]string{"text": line})
		require.NoError(t, err)
		objects.Write(append(j, '\n'))
	}
	objects.WriteString("{\"text\":\"zebra " + canary + "\n")
	path := file(t, "in", text)
	for _, tt := range []struct {
		stdin string
		args  []string
		rest  bool
	}{
		{objects.String(), nil, false},
		{objects.String(), []string{"--explain", "--threshold", "0.99"}, false},
		{objects.String(), []string{"--explain", "--no-context"}, false},
		{text, []string{"--text"}, false},
		{text, []string{"--text", "--explain"}, false},
		{"", []string{path}, false},
		{text, []string{"--text", "--redact"}, true},
		{text, []string{"--text", "--redact=mask"}, true},
		{text, []string{"--text", "--redact=pseudonym", "--tenant", "t", "--purpose", "p"}, true},
	} {
		r := scan(t, tt.stdin, tt.args...)
		assert.NotContains(t, r.err, "zebra", "%q", tt.args)
		assert.Equal(t, tt.rest, strings.Contains(r.out, "zebra"), "%q", tt.args)
		for _, s := range secrets {
			assert.NotContains(t, r.out+r.err, s, "%q", tt.args)
		}
	}
}

func TestScanTerminal(t *testing.T) {
	begin := now
	clock := func() time.Time { begin = begin.Add(700 * time.Millisecond); return begin }
	in := file(t, "in", strings.Repeat("mail a@b.de\n", 50_000))
	for _, args := range [][]string{{"--text"}, {in}} {
		for _, terminal := range []bool{true, false} {
			var out, problems bytes.Buffer
			code := run(context.Background(), append([]string{"scan", "--rules", scanRules}, args...), &env{stdin: strings.NewReader(strings.Repeat("a@b.de\n", 50_000)), stdout: &out, stderr: &problems, now: clock, terminal: terminal})
			require.Equal(t, exitDone, code, problems.String())
			if terminal && len(args) == 1 && args[0] == "--text" {
				assert.Contains(t, problems.String(), "processing", "long work on a terminal")
			}
			if !terminal {
				assert.NotContains(t, problems.String(), "processing", "a log must not hold a bar")
			}
			assert.Regexp(t, `MB/s\)`, problems.String())
			assert.Equal(t, 50_000, strings.Count(out.String(), "\n"), "output is never mixed with it")
		}
	}
	var problems bytes.Buffer
	run(context.Background(), []string{"scan", "--text"}, &env{stdin: strings.NewReader("x"), stdout: io.Discard, stderr: &problems, now: clock, typed: true})
	assert.Contains(t, problems.String(), "one text a line; end with Ctrl-D")
}

func TestScanBrokenStreams(t *testing.T) {
	in := manyFiles(t, 30)
	for _, args := range [][]string{{}, {"--text"}, {in, "-j", "4"}} {
		stdin := lines(`{"text":"a@b.de"}`)
		var problems bytes.Buffer
		code := run(context.Background(), append([]string{"scan", "--rules", scanRules}, args...), &env{stdin: strings.NewReader(stdin), stdout: refusing{}, stderr: &problems, now: func() time.Time { return now }})
		assert.Equal(t, exitStop, code, "%q", args)
		assert.Contains(t, problems.String(), "cannot write the output: ", "%q", args)

		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := runWith(t, ctx, strings.NewReader(stdin), append([]string{"scan", "--rules", scanRules}, args...)...)
		assert.Equal(t, exitStop, r.code, "%q", args)
		assert.Contains(t, r.err, "privet: stopped", "%q", args)
	}
	for _, args := range [][]string{{"scan", "--text"}, {"scan"}} {
		r := runWith(t, context.Background(), io.MultiReader(strings.NewReader(lines(`{"text":""}`)), failing{os.ErrPermission}), args...)
		assert.Equal(t, exitStop, r.code, "%q", args)
		assert.Contains(t, r.err, "cannot read the input: permission denied", "%q", args)
	}
}

func TestScanShownNames(t *testing.T) {
	assert.Equal(t, "a b/ä.txt", shown("a b/ä.txt"))
	assert.Equal(t, `"a\x1b[2J"`, shown("a\x1b[2J"), "a name must not clear the screen")
	assert.Equal(t, `"a\xff"`, shown("a\xff"))
}

func TestScanSummaryEnds(t *testing.T) {
	var sum scanSummary
	sum.good = 1
	for i := range mostDetectors + 10 {
		sum.tally.detectors.plus(fmt.Sprintf("d%02d", i), 100-i)
	}
	var b strings.Builder
	sum.print(&b)
	assert.Contains(t, b.String(), "77 d23\n             715 by 10 detectors more\n", "a summary is for people")
	assert.NotContains(t, b.String(), "d24")
}

// Every built-in detector can be chosen, and so can every country.
func TestScanBuiltinSelection(t *testing.T) {
	b, err := bundle.Decode(classify.BuiltinBundle())
	require.NoError(t, err)
	var countries []string
	for _, d := range b.Classification.Detectors {
		countries = append(countries, d.Countries...)
	}
	r := privet(t, `{"text":""}`, "scan", "-d", strings.Join(classify.Builtin().Detectors(), ","), "-c", strings.Join(sorted(countries), ","))
	assert.Equal(t, exitDone, r.code, r.err)
}

var scanBlock = regexp.MustCompile("(?s)```console\n\\$ (.*?)\n(.*?)```")

// The transcripts of docs/scan.md are run from top to bottom in one folder: lines
// that begin with "$ privet", with standard input from a file behind <.
func TestScanDocs(t *testing.T) {
	path := filepath.Join(sourceFolder(t), "..", "..", "docs", "scan.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.CopyFS(home, os.DirFS("testdata/scan/docs")))
	require.NoError(t, os.WriteFile(filepath.Join(home, "keys"), []byte("contoso 1 "+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))+"\n"), 0o600))
	t.Chdir(home)
	ran := 0
	fresh := scanBlock.ReplaceAllStringFunc(string(text), func(block string) string {
		m := scanBlock.FindStringSubmatch(block)
		got := ""
		if name, ok := strings.CutPrefix(m[1], "cat "); ok {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			got = string(b)
		} else {
			command, from, piped := strings.Cut(m[1], " < ")
			args := strings.Fields(command)
			require.Equal(t, "privet", args[0], command)
			var in []byte
			if piped {
				in, err = os.ReadFile(from)
				require.NoError(t, err)
			}
			r := privet(t, string(in), args[1:]...)
			got = r.out + regexp.MustCompile(` in \d+m?s`).ReplaceAllString(r.err, " in 3ms")
		}
		ran++
		if !*update {
			assert.Equal(t, m[2], got, "%s: run with -update after reading the difference", m[1])
		}
		return "```console\n$ " + m[1] + "\n" + got + "```"
	})
	require.GreaterOrEqual(t, ran, 6, "the document shows commands")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
	}
}
