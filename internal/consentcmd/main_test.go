package consentcmd_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/consentcmd"
)

var update = flag.Bool("update", false, "write the golden outputs in testdata anew")

// canary stands where texts of a person may. It must never be in what is said on
// standard error.
const canary = "canary@example.test"

// A shell runs commands one after the other, a minute apart.
type shell struct {
	t        testing.TB
	now      time.Time
	terminal bool
	typed    bool
	sql      consentcmd.Backend
	subjects func(*cobra.Command) func(context.Context) (consentcmd.Pseudonymise, error)
}

func newShell(t testing.TB) *shell {
	return &shell{t: t, now: time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)}
}

// A ran is what one run of a command gave.
type ran struct {
	code     int
	out, err string
}

// status is what the programs make of an error.
func status(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, consentcmd.ErrBad):
		return 1
	}
	return 2
}

func (s *shell) run(args ...string) ran { s.t.Helper(); return s.in("", args...) }

func (s *shell) in(stdin string, args ...string) ran {
	s.t.Helper()
	return s.stream(strings.NewReader(stdin), args...)
}

func (s *shell) stream(stdin io.Reader, args ...string) ran {
	s.t.Helper()
	var out, problems bytes.Buffer
	s.now = s.now.Add(time.Minute)
	now := s.now
	e := &consentcmd.Env{
		Program: "privet", Stdin: stdin, Stdout: &out, Stderr: &problems, Terminal: s.terminal, Typed: s.typed, SQL: s.sql, Subjects: s.subjects,
		Now: func() time.Time {
			if s.terminal {
				now = now.Add(2 * time.Second) // so that a bar is due
			}
			return now
		},
	}
	root := &cobra.Command{Use: "privet", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(consentcmd.New(e))
	root.SetArgs(append([]string{"consent"}, args...))
	root.SetOut(&out)
	root.SetErr(&problems)
	err := root.ExecuteContext(context.Background())
	r := ran{status(err), out.String(), problems.String()}
	if r.code == 2 {
		r.err += "privet: " + err.Error() + "\n"
	}
	require.NotContains(s.t, r.err, "canary", "%q: standard error must hold nothing of a person", args)
	return r
}

// ok runs a command that must work and gives its output.
func (s *shell) ok(args ...string) string {
	s.t.Helper()
	r := s.run(args...)
	require.Zero(s.t, r.code, "%q: %s%s", args, r.out, r.err)
	return r.out
}

// file writes a file into a fresh folder.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }
