package consentcmd

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
)

func newVerify(e *Env) *cobra.Command {
	var place Place
	var trust trustFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Read the whole log and say what is wrong with it",
		Long: `Verify reads every entry and checks the log against itself: order, encodings, the chain
of hashes and the tree, that every payload opens with its subject's key, is the one that
its entry commits to and follows the one before it, and that no payload is missing but
those that an erasure accounts for. Each problem is named with its entry.

Who rewrites a log as a whole, or cuts it, leaves one that is sound in itself: with
--head and --public-key, it is held against heads that were signed before.

Exit status: 0 the ledger verifies, 1 something is wrong, 2 could not verify.`,
		Example: e.named(`  privet consent verify --ledger consent
  privet consent verify --ledger consent --head heads.jsonl --public-key witness.key.pub`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			heads, key, err := trust.get(e)
			if err != nil {
				return err
			}
			l, err := e.open(ctx, place, Reading)
			if file := (*filestore.FileError)(nil); errors.As(err, &file) && errors.Is(err, filestore.ErrDamaged) {
				// Files are checked when they are opened: what is wrong there is found
				// before an entry is looked at.
				return e.broken(strings.TrimPrefix(file.Error(), "filestore: "))
			}
			if damage := (*ledger.DamageError)(nil); errors.As(err, &damage) {
				return e.broken(problemText(damage))
			}
			if err != nil {
				return err
			}
			defer l.Close()
			progress := newBar(e, "verifying", false)
			report, err := l.Verify(ctx, ledger.Checks{Heads: heads, Public: key, Progress: func(done, total uint64) { progress.at(int64(done), int64(total)) }})
			progress.clear()
			if damage := (*ledger.DamageError)(nil); errors.As(err, &damage) {
				return e.broken(problemText(damage))
			}
			if err != nil {
				return err
			}
			if len(report.Problems) > 0 {
				problems := make([]string, len(report.Problems))
				for i, p := range report.Problems {
					problems[i] = problemText(p)
				}
				if report.More > 0 {
					problems = append(problems, "and "+grouped(report.More)+" more")
				}
				return e.broken(problems...)
			}
			root := hex.EncodeToString(report.Head.Root[:])
			if err := e.print([]byte("the ledger verifies: " + plural(report.Head.Seq, "entry") + ", " + plural(report.Opened, "payload") + " opened, " + grouped(report.Erased) + " erased, root " + root + "\n")); err != nil {
				return err
			}
			if len(heads) > 0 {
				return e.print([]byte("it continues " + plural(uint64(len(heads)), "signed head") + "\n"))
			}
			e.say("without a signed head: that the log was not cut or rewritten as a whole is not shown; see %s consent head --help", e.Program)
			return nil
		},
	}
	place.register(c.Flags())
	trust.register(c)
	return c
}

func problemText(d *ledger.DamageError) string {
	if d.Seq == 0 {
		return "the log: " + d.Problem
	}
	return "entry " + grouped(d.Seq) + ": " + d.Problem
}

// broken names what is wrong with a ledger.
func (e *Env) broken(problems ...string) error {
	if err := e.print([]byte(strings.Join(problems, "\n") + "\n")); err != nil {
		return err
	}
	e.say("%s: the ledger does not verify: keep it as it is, and restore a copy that does", e.Program)
	return ErrBad
}
