// Command privet decides about personal data in events: what it is, whether it may
// be used, in what form, and until when. `privet --help` teaches.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // policies name time zones, and not every machine has the database

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/privetdev/privet/internal/consentcmd"
	"github.com/privetdev/privet/privacy/policy"
)

// Exit statuses. Scripts rely on them.
const (
	exitDone = 0 // everything was processed
	exitBad  = 1 // some lines were bad, or a test of a policy failed
	exitStop = 2 // could not start, or could not go on
)

// A status is an error that carries its exit status. Its text was printed already
// if it is empty.
type status struct {
	code int
	text string
}

func (s *status) Error() string { return s.text }

// An env is what the command sees of the world, so that tests can stand in for it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	terminal       bool // stderr shows to a person
	typed          bool // stdin is a person at a keyboard
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], &env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now,
		terminal: term.IsTerminal(int(os.Stderr.Fd())), typed: term.IsTerminal(int(os.Stdin.Fd())),
	}))
}

// run is the whole command; it returns the exit status.
func run(ctx context.Context, args []string, e *env) int {
	root := newRoot(e)
	root.SetArgs(args)
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	var s *status
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &s):
		if s.text != "" {
			fmt.Fprintln(e.stderr, "privet: "+s.text)
		}
		return s.code
	case errors.Is(err, consentcmd.ErrBad):
		return exitBad
	case ctx.Err() != nil:
		fmt.Fprintln(e.stderr, "privet: stopped; nothing was written to the output file")
		return exitStop
	}
	var faults *policy.Error
	if errors.As(err, &faults) {
		// Each fault is a block with its own place; all at once, so that one
		// round of mending is enough.
		fmt.Fprintf(e.stderr, "%s\nprivet: the policy has %s; nothing was started\n", faults.Error(), plural(len(faults.Problems), "fault"))
		return exitStop
	}
	fmt.Fprintln(e.stderr, "privet: "+err.Error())
	return exitStop
}

func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "privet",
		Short: "Decide about personal data: what it is, may it be used, in what form, until when",
		Long: `Privet decides about personal data in events, by a policy that you can read:
what a field is, whether it may be used for a purpose, in what form, and by when
the copy must be gone, with the reason for every answer. It reads no network, and
keeps nothing but the secrets and ledgers that you make.

Events are JSON objects, one a line:

  {"id":"e1","at":"2026-03-28T10:00:00Z","class":"service.required",
   "purpose":"service.deliver.locate","feature":"find-my-device",
   "subject":{"id":"jane@example.com","tenant":"contoso"},
   "switches":{"find-my-device":"on"},
   "fields":{"deviceName":"JANES-LAPTOP","position":{"lat":47.6401,"lon":-122.1295}}}

(on one line). Start with:

  privet process events.jsonl results.jsonl     what may be kept, in which form
  privet explain 1 events.jsonl                 why, for the first event
  privet consent record --help                  keep what people said
  privet compile policy.yaml -o policy.bundle   check your own policy`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return mended(err.Error(), "see: "+c.CommandPath()+" --help")
	})
	root.AddCommand(newProcess(e), newExplain(e), newClassify(e), newScan(e), newCompile(e), newTest(e), newVersion(e))
	root.AddCommand(newInspect(e), newDiff(e), newKeygen(e))
	root.AddCommand(newRisk(e))
	root.AddCommand(newKeys(e))
	root.AddCommand(newPlan(e), newSweep(e), newTimeline(e))
	root.AddCommand(newConsent(e))
	return root
}

// knownCommand refuses a word that is no command and names the nearest one.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	mend := "see: privet --help"
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		mend = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return mended("there is no command "+strconv.Quote(args[0]), mend)
}
