package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger/sqlstore/internal/pgtest"
	"github.com/privetdev/privet/internal/consentcmd"
)

// canary stands where texts of a person may, and the connection string's password.
const canary = "canary@example.test"

type ran struct {
	code     int
	out, err string
}

// sql runs a command as a shell would, in this process.
func sql(t testing.TB, stdin string, args ...string) ran {
	t.Helper()
	var out, problems bytes.Buffer
	code := run(context.Background(), args, &consentcmd.Env{
		Program: "privet-sql", Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &problems, SQL: databases{},
		Now: func() time.Time { return time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC) },
	})
	require.NotContains(t, problems.String(), "canary", "%q: standard error must hold nothing of a person", args)
	return ran{code, out.String(), problems.String()}
}

// A life of a ledger in each kind of database.
func TestEachDatabase(t *testing.T) {
	places := map[string]func(t *testing.T) string{
		"sqlite": func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "log.db") },
		"postgres": func(t *testing.T) string {
			s, err := pgtest.Start()
			if errors.Is(err, pgtest.ErrMissing) && os.Getenv(pgtest.Required) == "" {
				t.Skip(err)
			}
			require.NoError(t, err)
			t.Cleanup(s.Stop)
			dsn, err := s.Place(t.Context())
			require.NoError(t, err)
			return dsn
		},
		"folder": func(t *testing.T) string { return filepath.Join(t.TempDir(), "L") },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			where := []string{"--ledger", place(t)}
			if name != "folder" {
				where = append(where, "--subject-keys", filepath.Join(t.TempDir(), "keys"))
			}
			ok := func(want string, args ...string) string {
				t.Helper()
				r := sql(t, canary+"\n", append(append([]string{"consent"}, args...), where...)...)
				require.Equal(t, exitDone, r.code, "%q: %s%s", args, r.out, r.err)
				require.Contains(t, r.out+r.err, want, args)
				return r.out
			}
			ok("recorded as e1: granted newsletter", "record", "--purpose", "newsletter", "--evidence", canary)
			ok("recorded as e2: withdrawn newsletter", "withdraw", "--purpose", "newsletter", "--at", "2026-03-28T11:00:00Z")
			ok("recorded as e3: granted newsletter", "record", "--purpose", "newsletter", "-s", "bob")
			r := sql(t, `{"subject":"bob","kind":"withdrawn","purpose":"newsletter","at":"2026-03-01T00:00:00Z"}`+"\nnonsense\n", append([]string{"consent", "record", "--jsonl", "-"}, where...)...)
			assert.Equal(t, exitBad, r.code)
			assert.Contains(t, r.err, "privet-sql: line 2: not an event of a ledger")
			ok("newsletter  granted  since 2026-03-28T12:00:00Z  e1", "show")
			ok("withdrawn newsletter", "history")
			assert.Equal(t, 2, strings.Count(ok(`"subject":"`+canary+`"`, "export"), "\n"))
			assert.Equal(t, 4, strings.Count(ok(`"commitment"`, "export", "--envelopes"), "\n"))
			proof := filepath.Join(t.TempDir(), "proof")
			require.NoError(t, os.WriteFile(proof, []byte(ok(`"form":"privet/consent-proof/1"`, "prove", "e1")), 0o600))
			key, public := witness(t)
			head := filepath.Join(t.TempDir(), "head")
			require.NoError(t, os.WriteFile(head, []byte(ok(`"signature"`, "head", "--sign", key)), 0o600))
			ok("erased: the key of this subject is destroyed, and with it what 2 events sealed; entry 5 ", "erase", "--yes")
			ok("erased already: entry 5", "erase", "--yes")
			ok("erased: what was recorded", "show")
			ok("the ledger verifies: 5 entries, 2 payloads opened, 2 erased", "verify", "--head", head, "--public-key", public)
			r = sql(t, "", "consent", "check", proof, "--head", head, "--public-key", public)
			assert.Equal(t, exitDone, r.code, r.out+r.err)
			r = sql(t, canary, append([]string{"consent", "record", "--purpose", "newsletter"}, where...)...)
			assert.Equal(t, exitStop, r.code)
			assert.Contains(t, r.err, "the subject was erased")
		})
	}
}

// witness writes a key that signs heads.
func witness(t testing.TB) (private, public string) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	private = filepath.Join(t.TempDir(), "key")
	public = private + ".pub"
	b, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}), 0o600))
	b, err = x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b}), 0o600))
	return private, public
}

func TestRefusals(t *testing.T) {
	keys, place := filepath.Join(t.TempDir(), "keys"), "sqlite:"+filepath.Join(t.TempDir(), "log.db")
	r := sql(t, "", "consent", "record", "--ledger", place, "--subject-keys", keys, "-s", "jane", "--purpose", "p")
	require.Equal(t, exitDone, r.code, r.err)
	for _, tt := range []struct {
		args   []string
		want   string
		reason string
	}{
		{[]string{"show", "--ledger", place}, "where are the keys of the subjects?; name their file", "no keys"},
		{[]string{"show", "--ledger", place, "--subject-keys", keys + "2"}, "name the one that was made with the ledger, by the first consent record", "to read makes no keys"},
		{[]string{"erase", "--ledger", place, "--subject-keys", keys + "2", "--yes"}, "name the one that was made with the ledger", "nor does erasing"},
		{[]string{"record", "--ledger", place, "--subject-keys", keys + "2", "--purpose", "p"}, "and the ledger has entries; name the file that was made with it", "nor does recording in a log that is there"},
		{[]string{"show", "--ledger", "sqlite:" + filepath.Join(t.TempDir(), canary), "--subject-keys", keys}, "the file cannot be opened", "to read makes no database"},
		{[]string{"show", "--ledger", "postgres://" + canary + ":" + "canary@127.0.0.1:1/%zz", "--subject-keys", keys}, "the connection string cannot be read", "no connection string"},
		{[]string{"export", "--envelopes", "--ledger", "mysql://" + canary}, "no kind of ledger is named like this", "another database"},
	} {
		r := sql(t, canary, append([]string{"consent"}, tt.args...)...)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want, tt.reason)
		assert.Empty(t, r.out, tt.reason)
	}
	assert.NoFileExists(t, keys+"2")
	r = sql(t, "", "consent", "show", "--nothing")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "see: privet-sql consent show --help")
	assert.Contains(t, sql(t, "").out, "privet-sql [command]")
	assert.Equal(t, exitStop, sql(t, "", "nothing").code)
	assert.Contains(t, sql(t, "", "consent", "record", "--help").out, "privet-sql consent record --ledger consent")
}
