package consentcmd_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/consentcmd"
	"github.com/privetdev/privet/privacy/policy"
)

const at = `"at":"2026-01-01T00:00:00Z"`

// What cannot be done is said with a way out, and nothing of a person.
func TestRefusals(t *testing.T) {
	s := newShell(t)
	there := filepath.Join(t.TempDir(), "L")
	s.ok("record", "-l", there, "-s", "jane", "--purpose", "newsletter")
	proof := file(t, "proof", s.ok("prove", "e1", "-l", there))
	private, public := witness(t, 1)
	head := file(t, "head", s.ok("head", "-l", there, "--sign", private))
	junk := file(t, "junk", canary)
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		args   string
		want   string
		reason string
	}{
		{"record -s jane --purpose p", "which ledger?; name its folder", "no ledger"},
		{"show -l L --at x -s jane", "--at is not an instant; write it as", "no instant"},
		{"record -l L -s jane --purpose p --at 0001-01-01", "--at is not an instant", "the zero instant would be none"},
		{"record -l L -s jane", "for which purpose?; give --purpose", "no purpose"},
		{"record -l L -s jane --purpose p --state erased", "--state is none that can be said; use granted", "an erasure is more than a state"},
		{"record -l L -s jane --purpose p --state canary", "--state is none that can be said", "no state"},
		{"record -l L -s jane --purpose p --notice privacy", "--notice is not an id and a version; write for example", "no version"},
		{"record -l L -s jane --purpose p --notice privacy@", "--notice is not an id and a version", "an empty version"},
		{"record -l L -s jane --purpose p --notice @3", "--notice is not an id and a version", "an empty id"},
		{"record -l L -s jane --purpose p --notice-text none", "cannot read the text none: there is no such file", "no text"},
		{"record -l L -s jane --purpose p --expires never", "--expires is not an instant", "no end"},
		{"record -l L -s jane --purpose p --known 2027-01-01", "--known is in the future; leave it out", "the ledger cannot know it yet"},
		{"record -l L -s jane --purpose .canary.", "purpose: not a dotted key; use letters", "what the ledger refuses"},
		{"record -l L -s jane --purpose p --by canary", "by: nobody who gives an answer; use subject", "likewise"},
		{"record -l L -s jane --purpose p --strength canary", "strength: unknown strength; use implied", "likewise"},
		{"record -l L -s jane --purpose p --id canary@", "id: not an id; use letters", "likewise"},
		{"record -l L -s jane --purpose p --state restricted", "kind: this kind says nothing about a purpose", "a restriction is of all purposes"},
		{"record -l L --jsonl F --purpose p", "--purpose and --jsonl do not go together; each line says", "two ways at once"},
		{"record -l L --jsonl none", "cannot read the events none: there is no such file", "no file"},
		{"record -l L extra", "unknown command", "an argument too many"},
		{"record -l none -s " + strings.Repeat("canary", 50) + " --purpose p", "subject: missing or too long; use a pseudonym", "a long subject"},
		{"show -l none -s jane", "ledger: there is none in none; name the folder of one", "no ledger there"},
		{"erase -l none -s jane --yes", "ledger: there is none in none", "erasing makes none"},
		{"verify -l none", "ledger: there is none in none", "no ledger there"},
		{"export -l none --envelopes", "ledger: there is none in none", "no ledger there"},
		{"record -l JUNK -s jane --purpose p", "is a file; a ledger is a folder", "a file"},
		{"export -l JUNK --envelopes", "is a file; a ledger is a folder", "a file"},
		{"record -l OTHER -s jane --purpose p", "is a folder of other things, without a ledger; name the folder", "a ledger is not made among other files"},
		{"show -l OTHER -s jane", "is a folder of other things", "likewise"},
		{"show -l L -s jane --subject-keys none", "keys: there is no file none; name the one that was made with the ledger: --subject-keys", "keys of an old ledger are never made anew"},
		{"show -l postgres://canary:canary@host/canary -s jane", "this program has no databases built in; privet-sql has", "a database, and nothing of its password"},
		{"show -l sqlite:canary -s jane", "this program has no databases built in", "a database"},
		{"export -l sqlite:canary --envelopes", "this program has no databases built in", "a database"},
		{"show -l mysql://canary -s jane", "no kind of ledger is named like this; name a folder, or a database", "another database"},
		{"show -l L", "whom is it about?; give --subject", "nobody is named"},
		{"export -l L --envelopes -s jane", "--subject and --envelopes do not go together", "of nobody in particular"},
		{"show -l L -s jane --policy none", "cannot read the policy none: there is no such file", "no policy"},
		{"show -l L -s jane --policy JUNK", "is no bundle; make one with: privet compile", "no policy either"},
		{"show -l L -s jane --purpose p", "--purpose asks a policy; name it with --policy", "no policy to ask"},
		{"head -l L --sign JUNK", "signing key: ", "no key"},
		{"head -l L --sign PUBLIC", "is a public key; name the private one", "the wrong half"},
		{"verify -l L --head HEAD", "who signed the head?; give --public-key", "a head that nobody vouches for"},
		{"verify -l L --public-key PUBLIC", "--public-key is of no use without --head", "a key for nothing"},
		{"verify -l L --head JUNK --public-key PUBLIC", "holds none; name a file that privet wrote", "no head"},
		{"verify -l L --head HEAD --public-key PRIVATE", "is a private key; name the public one", "the wrong half"},
		{"verify -l L --head none --public-key PUBLIC", "cannot read the signed head none", "no head there"},
		{"prove -l L", "which event?; name its id: privet consent history", "no event"},
		{"prove e1 -l L --continues HEAD", "--continues stands alone", "two proofs at once"},
		{"prove -l L --continues JUNK", "holds none", "no head"},
		{"prove e2 -l L", "no event has this id", "no such event"},
		{"prove e1 -l L -s bob --opening O", "no event has this id, or none of this subject", "somebody else's event"},
		{"prove e1 -l L -s jane --opening PROOF", "exists and is not written over", "a file that is there"},
		{"check", "which proof?; name one file", "no proof"},
		{"check none", "cannot read the proof none: there is no such file", "no proof there"},
		{"check JUNK", "proof: JUNK holds none", "no proof"},
		{"check PROOF --continues PROOF", "--continues leads from a proof to a head", "nothing to lead to"},
		{"check PROOF --opening JUNK", "opening: JUNK holds none", "no opening"},
		{"check PROOF --head HEAD --public-key PUBLIC --continues JUNK", "proof of consistency: JUNK holds none", "no such proof"},
		{"erase -l L -s jane --why canary", "--why is no ground; use request", "no ground"},
		{"erase -l L -s jane", "erasing cannot be undone, and nobody is there to ask; give --yes", "not confirmed"},
		{"erase -l L -s jan -y", "nothing is recorded of this subject, and nothing was erased", "a slip of the pen erases nobody"},
		{"shwo", `there is no command consent "shwo"; see: privet consent --help`, "no command"},
	} {
		var args []string
		for _, word := range strings.Fields(tt.args) {
			if named, ok := map[string]string{"L": there, "OTHER": filepath.Dir(proof), "JUNK": junk, "PROOF": proof, "HEAD": head, "PRIVATE": private, "PUBLIC": public}[word]; ok {
				word = named
			}
			args = append(args, word)
		}
		r := s.run(args...)
		assert.Equal(t, 2, r.code, "%s: %s", tt.args, tt.reason)
		assert.Empty(t, r.out, "%s: %s", tt.args, tt.reason)
		assert.Contains(t, strings.ReplaceAll(r.err, junk, "JUNK"), tt.want, "%s: %s", tt.args, tt.reason)
		assert.Equal(t, 1, strings.Count(r.err, "\n"), "%s: one line: %s", tt.args, r.err)
	}
	assert.NoDirExists(t, "none", "what reads makes nothing")
	assert.Contains(t, s.ok("head", "-l", there), "entries  1\n", "nothing of this was recorded")
}

// Nothing of a person is said where it was not asked for. The shell looks at standard
// error; standard output is looked at here.
func TestCanary(t *testing.T) {
	s := newShell(t)
	l := filepath.Join(t.TempDir(), "L")
	full := []string{"-l", l, "--channel", canary, "--recipient", canary, "--service", canary, "--method", canary, "--evidence", canary, "--note", canary}
	r := s.in(canary+"\n", append([]string{"record", "--purpose", "newsletter"}, full...)...)
	require.Zero(t, r.code, r.err)
	assert.NotContains(t, r.out, "canary")
	r = s.in(canary, append([]string{"withdraw", "--purpose", "newsletter"}, full...)...)
	require.Zero(t, r.code, r.err)
	assert.NotContains(t, r.out, "canary")
	bad := lines(
		`{"subject":"`+canary+`","kind":"`+canary+`","purpose":"p",`+at+`}`,
		`{"subject":"`+canary+`","`+canary+`":1}`, canary, `{"subject":"`+canary+`","kind":"granted","purpose":"`+canary+`",`+at+`}`,
		`{"id":"e1","subject":"`+canary+`2","kind":"granted","purpose":"p",`+at+`}`,
		strings.Repeat(canary, 100_000), `{"subject":"`+canary+`","kind":"erased","purpose":"`+canary+`",`+at+`}`,
		`{"subject":"`+canary+`","kind":"claim","claim":"`+canary+`","result":"`+canary+`",`+at+`}`, `{"subject":"`+canary+`","kind":"granted"}{`)
	r = s.in(bad, "record", "-l", l, "--jsonl", "-")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, 9, strings.Count(r.err, "privet: line "), r.err)
	for _, args := range [][]string{{"show"}, {"show", "--json"}, {"history"}} {
		r = s.in(canary, append(args, "-l", l)...)
		require.Zero(t, r.code, r.err)
		assert.Contains(t, r.out, "evidence", "it was recorded, and is shown to who asks")
		assert.NotContains(t, r.out, `"subject"`, "whom it is about is known to who asks")
	}
	for _, args := range [][]string{{"export", "--envelopes"}, {"verify"}, {"head"}, {"prove", "e1"}} {
		r = s.run(append(args, "-l", l)...)
		require.Zero(t, r.code, r.err)
		assert.NotContains(t, r.out, "canary", args)
	}
	r = s.in(canary, "erase", "-l", l, "--yes")
	require.Zero(t, r.code, r.err)
	assert.NotContains(t, r.out, "canary")
	// And of what is left on disk, nothing is readable.
	entries, err := os.ReadDir(l)
	require.NoError(t, err)
	for _, entry := range entries {
		b, err := os.ReadFile(filepath.Join(l, entry.Name()))
		require.NoError(t, err)
		assert.NotContains(t, string(b), "canary", entry.Name())
	}
}

// Bad lines are named, the others are recorded, and to do it again does nothing.
func TestManyLines(t *testing.T) {
	s := newShell(t)
	l := filepath.Join(t.TempDir(), "L")
	text := lines(
		`{"subject":"a","kind":"granted","purpose":"p",`+at+`}`,
		``,
		`nonsense`,
		`{"subject":"a","kind":"withdrawn","purpose":"p","at":"2026-02-01T00:00:00Z"}`,
		`{"subject":"b","kind":"granted","purpose":"p",`+at+`,"known":"2026-01-05T00:00:00Z","id":"x1"}`,
		`{"subject":"c","kind":"granted","purpose":"p",`+at+`,"id":"x1"}`,
		`{"subject":"c","kind":"granted",`+at+`}`,
		`{"subject":"c","kind":"granted","purpose":"p",`+at+`}`,
		`{"subject":"c","kind":"erased","at":"2026-03-01T00:00:00Z","why":"retention"}`,
		`{"subject":"c","kind":"granted","purpose":"p","at":"2026-03-02T00:00:00Z"}`,
		`{"subject":"a","kind":"merged","merged":"b","at":"2026-03-02T00:00:00Z"}`,
		`{"subject":"b","kind":"merged_into","merged":"a","at":"2026-03-02T00:00:00Z"}`,
		`{"subject":"d","kind":"claim","claim":"k","result":"unlinkable",`+at+`}`,
		`{"subject":"e","kind":"restricted",`+at+`}`) + `{"subject":"f","kind":"granted","purpose":"p",` + at + `}`
	path := file(t, "events.jsonl", text)
	for i := range 2 {
		r := s.run("record", "-l", l, "--jsonl", path)
		assert.Equal(t, 1, r.code, "some lines were bad")
		var bad []string
		for line := range strings.Lines(r.err) {
			if rest, ok := strings.CutPrefix(line, "privet: line "); ok {
				bad = append(bad, strings.TrimSpace(rest))
			}
		}
		erased := "the subject was erased; who comes back is a new subject, with a pseudonym of their own"
		assert.Equal(t, []string{
			"3: not an event of a ledger; " + consentcmd.LineMend,
			"6: " + []string{"id: belongs to another event; give each event an id of its own, or none", erased}[i],
			"7: purpose: not a dotted key; use letters, digits, _ and -, separated by single dots",
		}, bad[:3])
		assert.Contains(t, bad, "10: "+erased)
		assert.Contains(t, r.err, "which has 10 entries", "a merge has two sides, and is recorded once")
	}
	var first, second struct{ Known string }
	out := strings.Split(s.ok("export", "-l", l, "-s", "b"), "\n")
	require.NoError(t, json.Unmarshal([]byte(out[0]), &first))
	assert.Equal(t, "2026-01-05T00:00:00Z", first.Known, "the line says when it was learned of")
	out = strings.Split(s.ok("export", "-l", l, "-s", "f"), "\n")
	require.NoError(t, json.Unmarshal([]byte(out[0]), &second))
	assert.Equal(t, "2026-03-28T12:01:00Z", second.Known, "else it was now")
	assert.Contains(t, s.ok("show", "-l", l, "-s", "c"), "erased:")
	assert.Contains(t, s.ok("show", "-l", l, "-s", "e"), "restricted:")
	assert.Contains(t, s.ok("history", "-l", l, "-s", "d"), "claim claim k")
	assert.Contains(t, s.ok("verify", "-l", l), "the ledger verifies: 10 entries")
}

// More lines than one write takes, a bad one in each.
func TestManyBatches(t *testing.T) {
	s := newShell(t)
	s.terminal = true // the bar writes, and goes away
	l := filepath.Join(t.TempDir(), "L")
	var text strings.Builder
	for i := range 2500 {
		purpose := "p"
		if i%1000 == 500 {
			purpose = ".."
		}
		text.WriteString(`{"subject":"s` + strconv.Itoa(i%7) + `","kind":"granted","purpose":"` + purpose + strconv.Itoa(i) + `",` + at + "}\n")
	}
	r := s.run("record", "-l", l, "--jsonl", file(t, "events", text.String()))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "recording", "a bar")
	assert.Equal(t, 2, strings.Count(r.err, "privet: line "), r.err)
	for _, want := range []string{"line 501: purpose: not a dotted key", "line 1,501: purpose: ", "2,498 events now in the ledger, which has 2,498 entries; bad lines: 2"} {
		assert.Contains(t, r.err, want)
	}
	r = s.run("verify", "-l", l)
	require.Zero(t, r.code, r.out)
	assert.Contains(t, r.err, "verifying", "a bar")
	s.terminal = false
	assert.NotContains(t, s.run("verify", "-l", l).err, "verifying", "no bar where nobody sees it")
}

// A reader that fails in the middle.
type torn struct{ text io.Reader }

func (r torn) Read(b []byte) (int, error) {
	n, err := r.text.Read(b)
	if errors.Is(err, io.EOF) {
		return n, errors.New("the pipe broke")
	}
	return n, err
}

func TestTornInput(t *testing.T) {
	s := newShell(t)
	l := filepath.Join(t.TempDir(), "L")
	r := s.stream(torn{strings.NewReader(lines(`{"subject":"a","kind":"granted","purpose":"p",` + at + `}`))}, "record", "-l", l, "--jsonl", "-")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "0 events recorded before it went wrong; to record the same file again is safe")
	assert.Contains(t, r.err, "cannot read the events: the pipe broke")
}

// What is exported is taken over by another ledger, and exported there, is the same.
func TestExportIsImport(t *testing.T) {
	s := newShell(t)
	old, fresh := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "new")
	shown := file(t, "notice.txt", "We write to you on Mondays.")
	s.ok("record", "-l", old, "-s", "jane", "--purpose", "newsletter", "--notice", "n@1", "--notice-text", shown, "--by", "both", "--method", "m", "--evidence", "e", "--note", "n <b>", "--expires", "2027-01-01", "--strength", "explicit", "--after-conflict")
	s.ok("record", "-l", old, "-s", "jane", "--purpose", "share.partners", "--operation", "share", "--recipient", "acme", "--attribute", "email,name")
	s.ok("record", "-l", old, "-s", "jane", "--purpose", "newsletter", "--operation", "promote", "--from", "a", "--to", "b", "--service", "mail", "--at", "2026-03-01")
	s.ok("record", "-l", old, "-s", "jane", "--state", "restricted")
	s.ok("withdraw", "-l", old, "-s", "jane", "--purpose", "newsletter", "--channel", "email")
	exported := s.ok("export", "-l", old, "-s", "jane")
	assert.Equal(t, 5, strings.Count(exported, "\n"))
	hash := sha256.Sum256([]byte("We write to you on Mondays."))
	assert.Contains(t, exported, `"text":"`+hex.EncodeToString(hash[:])+`"`)
	r := s.run("record", "-l", fresh, "--jsonl", file(t, "history.jsonl", exported))
	require.Zero(t, r.code, r.err)
	assert.Equal(t, exported, s.ok("export", "-l", fresh, "-s", "jane"))
}

// The answers that show tells are those that decisions are made on.
func TestShow(t *testing.T) {
	for _, tt := range []struct {
		events string
		at     string
		want   []string
		not    []string
		reason string
	}{
		{`{"subject":"a","kind":"requested","purpose":"p",` + at + `}`, "", []string{"requested"}, nil, "asked is all there is"},
		{`{"subject":"a","kind":"denied","purpose":"p",` + at + `}
{"subject":"a","kind":"deferred","purpose":"p","at":"2026-02-01T00:00:00Z"}`, "", []string{"denied"}, []string{"deferred"}, "to put the answer off replaces no answer"},
		{`{"subject":"a","kind":"deferred","purpose":"p",` + at + `}
{"subject":"a","kind":"granted","purpose":"p",` + at + `}`, "", []string{"granted"}, []string{"deferred"}, "an answer replaces a question"},
		{`{"subject":"a","kind":"withdrawn","purpose":"p",` + at + `}
{"subject":"a","kind":"granted","purpose":"p",` + at + `}`, "", []string{"withdrawn"}, []string{"granted"}, "at one instant the more restrictive counts"},
		{`{"subject":"a","kind":"withdrawn","purpose":"p",` + at + `}
{"subject":"a","kind":"granted","purpose":"p","at":"2026-02-01T00:00:00Z"}`, "", []string{"granted"}, []string{"withdrawn", "refused"}, "the later answer"},
		{`{"subject":"a","kind":"withdrawn","purpose":"p",` + at + `}
{"subject":"a","kind":"granted","purpose":"p.q","at":"2026-02-01T00:00:00Z"}`, "", []string{"but refused by e1"}, nil, "a refusal of the whole is not lifted by a grant of a part"},
		{`{"subject":"a","kind":"granted","purpose":"p",` + at + `}
{"subject":"a","kind":"denied","purpose":"p.q","at":"2026-02-01T00:00:00Z"}`, "", []string{"granted", "denied"}, []string{"refused"}, "a refusal of a part leaves the rest"},
		{`{"subject":"a","kind":"granted","purpose":"p","operation":"use",` + at + `}
{"subject":"a","kind":"withdrawn","purpose":"p","operation":"collect","service":"s","at":"2026-02-01T00:00:00Z"}`, "", []string{"withdrawn"}, []string{"granted"}, "two words for one scope"},
		{`{"subject":"a","kind":"granted","purpose":"p","operation":"share","recipient":"r","attributes":["x"],` + at + `}
{"subject":"a","kind":"withdrawn","purpose":"p","operation":"share","at":"2026-02-01T00:00:00Z"}`, "", []string{"but refused by e2"}, nil, "sharing was taken back for every recipient"},
		{`{"subject":"a","kind":"granted","purpose":"p","operation":"promote","from":"x","to":"y","service":"s",` + at + `}
{"subject":"a","kind":"withdrawn","purpose":"p","operation":"promote","at":"2026-02-01T00:00:00Z"}`, "", []string{"but refused by e2"}, nil, "promotion was taken back for every class"},
		{`{"subject":"a","kind":"granted","purpose":"p","expires":"2026-03-01T00:00:00Z",` + at + `}`, "2026-02-28T23:59:59Z", []string{"granted"}, nil, "just before the end"},
		{`{"subject":"a","kind":"granted","purpose":"p","expires":"2026-03-01T00:00:00Z",` + at + `}`, "2026-03-01", []string{"expired"}, []string{"granted"}, "at the end"},
		{`{"subject":"a","kind":"granted","purpose":"p",` + at + `}
{"subject":"a","kind":"restricted","at":"2026-02-01T00:00:00Z"}`, "", []string{"restricted:", "granted"}, nil, "restricted"},
		{`{"subject":"a","kind":"restricted",` + at + `}
{"subject":"a","kind":"released","at":"2026-02-01T00:00:00Z"}`, "", []string{"no answer"}, []string{"restricted"}, "released"},
		{`{"subject":"b","kind":"withdrawn","purpose":"p",` + at + `}
{"subject":"c","kind":"objected","purpose":"q",` + at + `}
{"subject":"b","kind":"merged","merged":"c","at":"2026-02-01T00:00:00Z"}
{"subject":"c","kind":"granted","purpose":"later","at":"2026-02-02T00:00:00Z"}
{"subject":"a","kind":"granted","purpose":"p",` + at + `}
{"subject":"a","kind":"merged","merged":"b","at":"2026-03-01T00:00:00Z"}
{"subject":"b","kind":"granted","purpose":"p","at":"2026-03-02T00:00:00Z"}`, "", []string{"2 other subjects", "withdrawn", "objected", "said before the merge", "but refused by e1"}, []string{"later"},
			"what the device said before counts, and what was merged into it, and nothing later"},
	} {
		s := newShell(t)
		l := filepath.Join(t.TempDir(), "L")
		r := s.in(tt.events, "record", "-l", l, "--jsonl", "-")
		require.Zero(t, r.code, "%s: %s", tt.reason, r.err)
		args := []string{"show", "-l", l, "-s", "a"}
		if tt.at != "" {
			args = append(args, "--at", tt.at)
		}
		out := s.ok(args...)
		for _, want := range tt.want {
			assert.Contains(t, out, want, tt.reason)
		}
		for _, not := range tt.not {
			assert.NotContains(t, out, not, tt.reason)
		}
		assert.True(t, json.Valid([]byte(s.ok(append(args, "--json")...))), tt.reason)
	}
}

// A policy says what the answers amount to.
func TestShowByPolicy(t *testing.T) {
	pack, err := policy.Pack("windows-service-data")
	require.NoError(t, err)
	bundle := file(t, "policy.bundle", string(pack.Bytes()))
	s := newShell(t)
	l := filepath.Join(t.TempDir(), "L")
	s.ok("record", "-l", l, "-s", "jane", "--purpose", "experience.performance")
	show := func(more ...string) string {
		return s.ok(append([]string{"show", "-l", l, "-s", "jane", "--policy", bundle}, more...)...)
	}
	out := show("--purpose", "nonsense,diagnostic")
	assert.Regexp(t, `(?m)^experience\.performance +allow +CONSENT e1`, out)
	assert.Regexp(t, `(?m)^nonsense +deny +UNKNOWN_PURPOSE$`, out)
	var got struct {
		Decisions []struct{ Purpose, Outcome, Reason string }
	}
	require.NoError(t, json.Unmarshal([]byte(show("--json")), &got))
	assert.NotEmpty(t, got.Decisions)
	assert.NotContains(t, show("--at", "2026-03-01"), "CONSENT e1", "it was given later")
	s.ok("erase", "-l", l, "-s", "jane", "--yes")
	assert.Regexp(t, `(?m)^experience\.performance +deny +ERASED`, show("--purpose", "experience.performance"))
}

// A person at the keyboard is asked: whom, and whether it is meant.
func TestAsked(t *testing.T) {
	s := newShell(t)
	s.typed = true
	l := filepath.Join(t.TempDir(), "L")
	r := s.in("jane\n", "record", "-l", l, "--purpose", "p")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.err, "subject: ")
	for _, answer := range []string{"", "no\n", "y\n"} {
		r = s.in(answer, "erase", "-l", l, "-s", "jane")
		assert.Equal(t, 2, r.code, "%q is no yes", answer)
		assert.Contains(t, r.err, "This destroys what 1 event sealed, for good. Write yes to go on:")
		assert.Contains(t, r.err, "not confirmed; nothing was erased")
	}
	assert.Contains(t, s.ok("show", "-l", l, "-s", "jane"), "granted")
	r = s.in("jane\nyes\n", "erase", "-l", l)
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "erased: the key of this subject is destroyed, and with it what 1 event sealed; entry 2 ")
	r = s.in("", "erase", "-l", l, "-s", "ghost", "--unknown", "--yes")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "what 0 events sealed")
	r = s.run("record", "-l", l, "-s", "ghost", "--purpose", "p")
	assert.Equal(t, 2, r.code, "nothing is ever recorded of them")
	assert.Empty(t, s.run("history", "-l", l, "-s", "nobody").out)
	assert.Contains(t, s.run("history", "-l", l, "-s", "nobody").err, "nothing is recorded of this subject")
}

// Keys that lie elsewhere.
func TestSubjectKeys(t *testing.T) {
	s := newShell(t)
	l, keys := filepath.Join(t.TempDir(), "L"), filepath.Join(t.TempDir(), "keys")
	s.ok("record", "-l", l, "--subject-keys", keys, "-s", "jane", "--purpose", "p")
	assert.FileExists(t, keys)
	assert.NoFileExists(t, filepath.Join(l, "keys"))
	assert.Contains(t, s.ok("show", "-l", l, "--subject-keys", keys, "-s", "jane"), "granted")
	r := s.run("show", "-l", l, "-s", "jane")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "name the one that was made with the ledger: --subject-keys")
}

// Subjects are renamed everywhere, the other side of a merge as well.
func TestSubjectsAreNamed(t *testing.T) {
	s := newShell(t)
	l := filepath.Join(t.TempDir(), "L")
	s.subjects = func(c *cobra.Command) func(context.Context) (consentcmd.Pseudonymise, error) {
		plain := c.Flags().Bool("plain", false, "as they are")
		return func(context.Context) (consentcmd.Pseudonymise, error) {
			if *plain {
				return nil, nil
			}
			return func(_ context.Context, subject string) (string, error) {
				if subject == "bad" {
					return "", errors.New("no pseudonym")
				}
				return "p-" + subject, nil
			}, nil
		}
	}
	s.ok("record", "-l", l, "-s", "jane", "--purpose", "p")
	r := s.in(`{"subject":"jane","kind":"merged","merged":"device",`+at+`}`, "record", "-l", l, "--jsonl", "-")
	require.Zero(t, r.code, r.err)
	for _, args := range [][]string{{"show"}, {"history"}, {"export"}} {
		assert.Equal(t, strings.ReplaceAll(s.ok(append(args, "-l", l, "-s", "jane")...), "12:03", "12:04"), strings.ReplaceAll(s.ok(append(args, "-l", l, "-s", "p-jane", "--plain")...), "12:03", "12:04"), args)
	}
	assert.Contains(t, s.ok("export", "-l", l, "-s", "p-device", "--plain"), `"merged":"p-jane"`)
	assert.Equal(t, 2, s.run("show", "-l", l, "-s", "bad").code)
	assert.Equal(t, 2, s.in(`{"subject":"bad","kind":"granted","purpose":"p",`+at+`}`, "record", "-l", l, "--jsonl", "-").code)
	s.ok("erase", "-l", l, "-s", "jane", "--yes")
	assert.Contains(t, s.ok("show", "-l", l, "-s", "p-jane", "--plain"), "erased:")
}
