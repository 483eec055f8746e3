package consentcmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small makes a ledger of six events of three subjects.
func small(t testing.TB, s *shell) string {
	t.Helper()
	l := filepath.Join(t.TempDir(), "L")
	for i := range 6 {
		s.ok("record", "-l", l, "-s", "s"+strconv.Itoa(i%3), "--purpose", "p"+strconv.Itoa(i))
	}
	return l
}

func segment(l string) string { return filepath.Join(l, "00000001.segment") }

// Whatever is done to the files, verify names it and does not pass.
func TestVerifyNamesWhatIsBroken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, l string)
		code  int
		want  string
	}{
		{"nothing", func(*testing.T, string) {}, 0, "the ledger verifies: 6 entries"},
		{"a bit of an entry", func(t *testing.T, l string) {
			edit(t, segment(l), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, 1, "00000001.segment: byte "},
		{"a cut tail", func(t *testing.T, l string) { edit(t, segment(l), func(b []byte) []byte { return b[:len(b)*2/3] }) }, 1, "entry 4: the record is cut off"},
		{"no segment", func(t *testing.T, l string) { require.NoError(t, os.Remove(segment(l))) }, 1, "the log was cut"},
		{"a bit of the header", func(t *testing.T, l string) { edit(t, segment(l), func(b []byte) []byte { b[9] ^= 1; return b }) }, 1, "00000001.segment: byte 0: "},
		{"a key that was lost", func(t *testing.T, l string) {
			other := filepath.Join(t.TempDir(), "other")
			s := newShell(t)
			s.ok("record", "-l", other, "-s", "s0", "--purpose", "p")
			require.NoError(t, os.Rename(filepath.Join(other, "keys"), filepath.Join(l, "keys")))
		}, 2, "the file of keys belongs to another log"},
		{"no keys", func(t *testing.T, l string) { require.NoError(t, os.Remove(filepath.Join(l, "keys"))) }, 2, "keys: there is no file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShell(t)
			l := small(t, s)
			tt.spoil(t, l)
			r := s.run("verify", "-l", l)
			assert.Equal(t, tt.code, r.code, r.out+r.err)
			assert.Contains(t, r.out+r.err, tt.want)
			if tt.code == 1 {
				assert.Contains(t, r.err, "the ledger does not verify: keep it as it is, and restore a copy that does")
				assert.NotContains(t, r.out, "verifies")
			}
		})
	}
}

// edit changes a file.
func edit(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(b), 0o600))
}

// A copy from yesterday is sound in itself; a head that was signed since tells.
func TestVerifyAgainstHeads(t *testing.T) {
	s := newShell(t)
	l := small(t, s)
	private, public := witness(t, 1)
	old := filepath.Join(t.TempDir(), "old")
	require.NoError(t, os.CopyFS(old, os.DirFS(l)))
	require.NoError(t, os.Chmod(filepath.Join(old, "keys"), 0o600))
	heads := s.ok("head", "-l", l, "--sign", private)
	s.ok("record", "-l", l, "-s", "s1", "--purpose", "more")
	heads += "\n" + s.ok("head", "-l", l, "--sign", private)
	path := file(t, "heads.jsonl", heads)
	assert.Contains(t, s.ok("verify", "-l", l, "--head", path, "--public-key", public), "it continues 2 signed heads")

	r := s.run("verify", "-l", old)
	assert.Zero(t, r.code, "nobody can see it without a head: %s", r.out+r.err)
	assert.Contains(t, r.err, "without a signed head")
	r = s.run("verify", "-l", old, "--head", path, "--public-key", public)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "entry 7: the log ends before a head of it: it was cut or rolled back")

	r = s.run("verify", "-l", small(t, s), "--head", path, "--public-key", public)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "a signed head is of another log")

	_, stranger := witness(t, 2)
	r = s.run("verify", "-l", l, "--head", path, "--public-key", stranger)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "a signed head was not signed with this key, or altered")

	// What does not continue has no proof that it does.
	r = s.run("prove", "-l", old, "--continues", path)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "entry 7: the log ends before a head of it: it was cut or rolled back; see what is wrong with: consent verify")
}

// A proof that was altered, or that is of something else, does not hold.
func TestCheckRefuses(t *testing.T) {
	s := newShell(t)
	l, other := small(t, s), small(t, s)
	private, public := witness(t, 1)
	_, stranger := witness(t, 2)
	name := func(name string, args ...string) string { return file(t, name, s.ok(args...)) }
	proof := name("proof", "prove", "e2", "-l", l)
	head, foreign := name("head", "head", "-l", l, "--sign", private), name("head", "head", "-l", other, "--sign", private)
	opening := filepath.Join(t.TempDir(), "opening")
	wrong := filepath.Join(t.TempDir(), "wrong")
	s.ok("prove", "e2", "-l", l, "-s", "s1", "--opening", opening)
	s.ok("prove", "e3", "-l", l, "-s", "s2", "--opening", wrong)
	same := name("same", "prove", "--continues", head, "-l", l)
	s.ok("record", "-l", l, "-s", "s1", "--purpose", "more")
	later := name("head", "head", "-l", l, "--sign", private)
	continues := name("continues", "prove", "--continues", proof, "-l", l)
	// A proof that is later than the head that was signed.
	after := name("after", "prove", "e2", "-l", l)
	beyond := name("beyond", "prove", "e7", "-l", l)
	since := name("since", "prove", "--continues", head, "-l", l)
	b, err := os.ReadFile(proof)
	require.NoError(t, err)
	at := bytes.Index(b, []byte(`"path":["`)) + len(`"path":["`)
	b[at] = otherDigit(b[at])
	altered := file(t, "altered", string(b))
	b, err = os.ReadFile(continues)
	require.NoError(t, err)
	at = bytes.Index(b, []byte(`"path":["`)) + len(`"path":["`)
	b[at] = otherDigit(b[at])
	forged := file(t, "forged", string(b))

	trusted := func(head string) []string { return []string{"--head", head, "--public-key", public} }
	for _, tt := range []struct {
		args   []string
		want   string
		reason string
	}{
		{[]string{proof}, "", "it holds"},
		{append(trusted(head), proof), "", "for its own head"},
		{append(trusted(head), proof, "--continues", same), "", "no step is a step"},
		{append(trusted(later), proof, "--continues", continues), "", "by way of a later head"},
		{append(trusted(head), after, "--continues", since), "", "the event is older than the signed head"},
		{append(trusted(head), beyond, "--continues", since), "the event is later than the signed head, which vouches for nothing after it", "anybody can go on from a head"},
		{append(trusted(foreign), "--head", head, proof), "", "one of the heads is enough"},
		{[]string{proof, "--opening", opening}, "", "with what shows whose it is"},
		{[]string{altered}, "the proof does not hold: it was altered", "a digit was changed"},
		{append(trusted(later), proof), "lead from one to the other with: consent prove --continues", "nothing leads to the later head"},
		{append(trusted(foreign), proof), "or of another log", "the head of another log"},
		{append(trusted(foreign), proof, "--continues", continues), "the proof of consistency is not between the two", "to another head"},
		{append(trusted(later), proof, "--continues", forged), "the proof of consistency does not hold", "a digit was changed"},
		{[]string{proof, "--head", head, "--public-key", stranger}, "was not signed with this key", "somebody else signed"},
		{[]string{proof, "--opening", wrong}, "the opening is not of this event", "of another event"},
	} {
		r := s.run(append([]string{"check"}, tt.args...)...)
		if tt.want == "" {
			assert.Zero(t, r.code, "%s: %s", tt.reason, r.out+r.err)
			assert.True(t, strings.HasPrefix(r.out, "the proof holds: entry 2 of "), "%s: %s", tt.reason, r.out)
			continue
		}
		assert.Equal(t, 1, r.code, "%s: %s", tt.reason, r.out+r.err)
		assert.Contains(t, r.out, tt.want, tt.reason)
	}
}

// otherDigit gives another digit of a number in hexadecimal.
func otherDigit(b byte) byte {
	if b == '0' {
		return '1'
	}
	return '0'
}
