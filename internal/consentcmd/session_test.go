package consentcmd_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// witness writes a key that signs heads, and gives the names of both files.
func witness(t testing.TB, seed byte) (private, public string) {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), 32)))
	b, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	private = file(t, "witness.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})))
	b, err = x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	return private, file(t, "witness.key.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b})))
}

// random is what differs from run to run: hashes, and what is derived from a key.
var random = regexp.MustCompile(`[0-9a-f]{32,}|[A-Za-z0-9+/]{80,}={0,2}`)

// session is one life of a ledger. ">" keeps the output for later commands.
const session = `record -l L -s jane --purpose newsletter --notice privacy@3 --method checkbox --evidence form-17
record -l L -s jane --purpose newsletter --channel email --at 2026-03-01 --expires 2026-06-01T00:00:00Z --strength explicit --by guardian
record -l L -s jane --purpose profiling --state objected --note by_letter --known 2026-03-27
record -l L -s bob --purpose newsletter
show -l L -s jane
show -l L -s jane --at 2026-07-01
show -l L -s jane --at 2026-03-02 --known 2026-03-02
show -l L -s nobody
withdraw -l L -s jane --purpose newsletter
show -l L -s jane --json
history -l L -s jane
history -l L -s jane --known 2026-03-28T12:03:00Z
export -l L -s jane
export -l L --envelopes
head -l L
head -l L --sign witness.key > head
prove e1 -l L > proof
check proof
check proof --head head --public-key witness.key.pub
prove e1 -l L -s jane --opening opening > again
check again --opening opening
verify -l L
verify -l L --head head --public-key witness.key.pub
erase -l L -s jane
erase -l L -s jan --yes
erase -l L -s jane --yes
erase -l L -s jane --yes
show -l L -s jane
history -l L -s jane
record -l L -s jane --purpose newsletter
prove --continues head -l L > continues
head -l L --sign witness.key > head2
check proof --head head2 --public-key witness.key.pub
check proof --head head2 --public-key witness.key.pub --continues continues
check again --opening opening
prove e1 -l L -s jane --opening opening2
verify -l L --head head --head head2 --public-key witness.key.pub
prove e99 -l L
`

// What a person sees, command by command.
func TestSession(t *testing.T) {
	s := newShell(t)
	private, public := witness(t, 1)
	t.Chdir(t.TempDir())
	for name, from := range map[string]string{"witness.key": private, "witness.key.pub": public} {
		b, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, b, 0o600))
	}
	var got strings.Builder
	for command := range strings.Lines(session) {
		args, to, redirected := strings.Cut(strings.TrimSpace(command), " > ")
		r := s.run(strings.Fields(args)...)
		got.WriteString("$ privet consent " + strings.TrimSpace(command) + "\n")
		if redirected {
			require.NoError(t, os.WriteFile(to, []byte(r.out), 0o600))
			r.out = ""
		}
		got.WriteString(r.out + r.err)
		if r.code != 0 {
			got.WriteString("[status " + strconv.Itoa(r.code) + "]\n")
		}
		got.WriteString("\n")
	}
	text := random.ReplaceAllString(got.String(), "#")
	path := filepath.Join(home, "testdata", "session.txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text, "go test ./internal/consentcmd -update, and read the difference")
}

// home is the folder of the package: the tests go elsewhere.
var home = func() string { dir, _ := os.Getwd(); return dir }()
