// Package consentcmd is the group of commands that records what people said and
// shows it again. privet has it for ledgers in folders; the command of sqlstore has
// the same one with databases.
package consentcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
	"github.com/privetdev/privet/privacy"
)

// An Env is what the commands see of the world. Every field but the last three is
// required.
type Env struct {
	Program        string // as it is called: privet
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Terminal       bool // Stderr shows to a person
	Typed          bool // Stdin is a person at a keyboard

	// SQL opens ledgers in databases; nil: this program has none.
	SQL Backend
	// Policy registers the flags that name a policy, and gives what reads it: nil
	// if none is named. Without it a policy is a bundle.
	Policy func(*cobra.Command) func() (*privacy.Bundle, error)
	// Subjects registers the flags by which a subject is made a pseudonym, and gives
	// what opens the secrets: a nil function if the flags are not used. Without it
	// subjects are taken as they are.
	Subjects func(*cobra.Command) func(context.Context) (Pseudonymise, error)
}

// Pseudonymise makes the name by which a ledger knows a subject.
type Pseudonymise func(ctx context.Context, subject string) (string, error)

// ErrBad says that a command did its work and found something wrong, which it has
// printed: bad lines, a ledger that does not verify, a proof that does not hold.
var ErrBad = errors.New("consent: not all was well")

// New makes the group.
func New(e *Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "consent",
		Short: "Record what people said, show it as of any time, prove it, erase it",
		Long: `Consent keeps a history of what people said: to it events are only added. Each has
two times: from when it is true, and when it was learned of. What it says of a person is
sealed with a key of that person, and what remains open is chained by hashes, so that
who removes, changes or adds something unseen is found out, and so that a person can be
erased while every proof still holds.

A ledger is a folder, made by the first record` + sqlHelp(e) + `.
A subject is the text by which your events name a person: best a pseudonym, never an
address. It is given with --subject, or on standard input, which keeps it out of the
shell's history. No message contains it.`,
		Example: e.named(`  privet consent record --ledger consent --subject p1_1_4HkY --purpose newsletter --notice privacy@3
  privet consent show --ledger consent --subject p1_1_4HkY
  privet process --ledger consent events.jsonl results.jsonl
  privet consent withdraw --ledger consent --subject p1_1_4HkY --purpose newsletter
  privet consent verify --ledger consent`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return mended("there is no command consent "+strconv.Quote(args[0]), "see: "+e.Program+" consent --help")
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, make := range []func(*Env) *cobra.Command{newRecord, newWithdraw, newShow, newHistory, newExport, newVerify, newHead, newProve, newCheck, newErase} {
		sub := make(e)
		run := sub.RunE
		sub.RunE = func(c *cobra.Command, args []string) error { return explained(run(c, args)) }
		c.AddCommand(sub)
	}
	return c
}

func sqlHelp(e *Env) string {
	if e.SQL == nil {
		return ""
	}
	return `, or in a database:
postgres://… (with the password in PGPASSWORD or .pgpass, not on the command line) or
sqlite:FILE. Databases want --subject-keys, a file for the keys of the subjects`
}

// named puts the name of the program into examples.
func (e *Env) named(text string) string {
	return strings.ReplaceAll(text, "privet consent", e.Program+" consent")
}

// mended is an error with a way out.
func mended(problem, mend string) error {
	if mend == "" {
		return errors.New(problem)
	}
	return errors.New(problem + "; " + mend)
}

// explained says what a ledger reported in the words of a command.
func explained(err error) error {
	var file *filestore.FileError
	var event *ledger.EventError
	switch {
	case err == nil || errors.Is(err, ErrBad) || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &event):
		return errors.New(eventText(event))
	case errors.As(err, &file):
		return errors.New("ledger: " + strings.TrimPrefix(file.Error(), "filestore: "))
	}
	return err
}

func eventText(e *ledger.EventError) string { return e.Part + ": " + e.Problem + "; " + e.Mend }

// fileProblem says what is wrong with a file without its path, which the caller
// names as the user wrote it.
func fileProblem(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return err.Error()
}

// print writes a result to standard output.
func (e *Env) print(b []byte) error {
	if _, err := e.Stdout.Write(b); err != nil {
		return errors.New("cannot write the output: " + fileProblem(err))
	}
	return nil
}

// say tells the person who runs the command.
func (e *Env) say(format string, args ...any) { fmt.Fprintf(e.Stderr, format+"\n", args...) }

// instant reads a moment: a date, which is its midnight in UTC, or a time stamp.
func instant(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && !t.IsZero() {
			return t.UTC(), nil
		}
	}
	return time.Time{}, mended(flag+" is not an instant", "write it as 2026-03-28T10:00:00Z or 2026-03-28")
}

// maybe reads a moment that may be left out.
func maybe(flag, text string, without time.Time) (time.Time, error) {
	if text == "" {
		return without, nil
	}
	return instant(flag, text)
}

// stamp writes a moment in full: what was said twice in one second is told apart.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// clean keeps what others wrote from doing things to a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || '\u0080' <= r && r <= '\u009f' {
			return ' '
		}
		return r
	}, s)
}

// grouped writes a number with commas between thousands.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural counts things.
func plural(n uint64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return grouped(n) + " " + strings.TrimSuffix(noun, "y") + "ies"
	}
	return grouped(n) + " " + noun + "s"
}
