package consentcmd

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

func newErase(e *Env) *cobra.Command {
	var place Place
	var who subjectFlags
	var why, at string
	var yes, unknown bool
	c := &cobra.Command{
		Use:   "erase",
		Short: "Erase a person: destroy their key, keep every proof",
		Long: `Erase destroys the key that a person's events are sealed with, removes what it sealed,
and records that. Nobody can say any more whose entries they were, or what they said
beyond purpose, state, notice and time. The log still verifies, proofs still hold, and
nothing more can be recorded of that subject.

It cannot be undone. A copy of the file of keys in a backup can still open the events:
keep backups of that file short, and apart.

Erasing one of two subjects that were merged leaves the other; erase both.

Exit status: 0 erased, or erased already; 2 could not, or was not confirmed.`,
		Example: e.named(`  privet consent erase --ledger consent --subject p1_1_4HkY
  privet consent erase --ledger consent --why retention --yes < subject`),
		Args: cobra.NoArgs,
	}
	place.register(c.Flags())
	who.register(c, e)
	c.Flags().StringVar(&why, "why", "request", "on what `ground`: request (of the person), retention or order (of an authority)")
	c.Flags().StringVar(&at, "at", "", "`instant` from which it is true (default: now)")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&unknown, "unknown", false, "also if nothing is recorded of this subject: then nothing ever will be")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx := c.Context()
		ground, ok := grounds[why]
		if !ok {
			return mended("--why is no ground", "use request, retention or order")
		}
		valid, err := maybe("--at", at, e.Now().UTC())
		if err != nil {
			return err
		}
		if _, err := backendOf(place.Ledger, e.SQL); err != nil {
			return err // before anybody is asked for a subject
		}
		subject, err := who.get(ctx, e)
		if err != nil {
			return err
		}
		l, err := e.open(ctx, place, Writing)
		if err != nil {
			return err
		}
		defer l.Close()
		n, erased, err := count(ctx, e, l, subject)
		switch {
		case err != nil:
			return err
		case n == 0 && !erased && !unknown:
			return mended("nothing is recorded of this subject, and nothing was erased", "is it written as it was recorded? To keep the ledger from ever recording it: --unknown")
		case !erased && !yes:
			if err := confirm(e, &who, n); err != nil {
				return err
			}
		}
		// Also when it is erased already: an erasure that was cut short is finished.
		event, err := l.Erase(ctx, subject, valid, ground)
		if err != nil {
			return err
		}
		if erased {
			return e.print([]byte("erased already: entry " + grouped(event.Seq) + " of " + stamp(event.Valid) + "\n"))
		}
		return e.print([]byte("erased: the key of this subject is destroyed, and with it what " + plural(event.Dropped, "event") + " sealed; entry " + grouped(event.Seq) + " (" + clean(event.ID) + ") records it\n"))
	}
	return c
}

// count says how much is recorded of a subject, and whether they were erased.
func count(ctx context.Context, e *Env, l *ledger.Ledger, subject string) (n uint64, erased bool, err error) {
	for _, err := range l.Events(ctx, subject, ledger.AsOf{}) {
		if err != nil {
			return 0, false, err
		}
		n++
	}
	now := e.Now().UTC()
	view, err := l.View(ctx, subject, ledger.AsOf{Valid: now})
	if err != nil {
		return 0, false, err
	}
	reason, err := standing(view, now)
	return n, reason == consent.ReasonErased, err
}

// confirm asks the person at the keyboard.
func confirm(e *Env, who *subjectFlags, n uint64) error {
	if !e.Typed {
		return mended("erasing cannot be undone, and nobody is there to ask", "give --yes if it is meant; nothing was erased")
	}
	e.say("This destroys what %s sealed, for good. Write yes to go on:", plural(n, "event"))
	if who.in == nil {
		who.in = bufio.NewReader(e.Stdin)
	}
	answer, err := who.in.ReadString('\n')
	if err != nil && err != io.EOF || strings.TrimSpace(answer) != "yes" {
		return mended("not confirmed", "nothing was erased")
	}
	return nil
}
