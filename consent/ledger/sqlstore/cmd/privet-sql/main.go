// Command privet-sql is privet consent for ledgers in databases: PostgreSQL and
// SQLite. `privet-sql consent --help` teaches.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
	"github.com/privetdev/privet/internal/consentcmd"
)

// Exit statuses, those of privet.
const (
	exitDone = 0
	exitBad  = 1 // bad lines, a ledger that does not verify, a proof that does not hold
	exitStop = 2 // could not start, or could not go on
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], &consentcmd.Env{
		Program: "privet-sql", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), Typed: term.IsTerminal(int(os.Stdin.Fd())),
		SQL: databases{},
	}))
}

// run is the whole command; it returns the exit status.
func run(ctx context.Context, args []string, e *consentcmd.Env) int {
	root := &cobra.Command{
		Use:   "privet-sql",
		Short: "The consent commands of privet for ledgers in PostgreSQL and SQLite",
		Example: `  export PGPASSWORD=…
  privet-sql consent record --ledger postgres://privet@db.example.com/consent --subject-keys keys --subject p1_1_4HkY --purpose newsletter
  privet-sql consent verify --ledger sqlite:consent.db --subject-keys keys`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see: %s --help", err, c.CommandPath())
	})
	root.AddCommand(consentcmd.New(e))
	root.SetArgs(args)
	root.SetIn(e.Stdin)
	root.SetOut(e.Stdout)
	root.SetErr(e.Stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, consentcmd.ErrBad):
		return exitBad
	case ctx.Err() != nil:
		fmt.Fprintln(e.Stderr, "privet-sql: stopped")
	default:
		fmt.Fprintln(e.Stderr, "privet-sql: "+strings.Replace(err.Error(), "sqlstore: ", "ledger: ", 1))
	}
	return exitStop
}

// databases opens ledgers by their connection strings.
type databases struct{}

// Open implements [consentcmd.Backend].
func (databases) Open(ctx context.Context, p consentcmd.Place, mode consentcmd.Mode) (*ledger.Ledger, error) {
	if p.Keys == "" {
		return nil, errors.New("where are the keys of the subjects?; name their file, which lies apart from the database: --subject-keys keys")
	}
	_, err := os.Stat(p.Keys)
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh && mode != consentcmd.Making {
		return nil, errors.New("keys: there is no file " + p.Keys + "; name the one that was made with the ledger, by the first consent record")
	}
	var options []sqlstore.Option
	if mode == consentcmd.Reading {
		options = append(options, sqlstore.ReadOnly())
	}
	store, err := sqlstore.OpenDSN(ctx, p.Ledger, options...)
	if err != nil {
		return nil, err
	}
	if fresh {
		// Keys are made with a log, and never for one that is there: its payloads
		// could not be opened with them.
		tail, err := store.Tail(ctx)
		if err == nil && tail.Size > 0 {
			err = errors.New("keys: there is no file " + p.Keys + ", and the ledger has entries; name the file that was made with it")
		}
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	keys, err := filestore.OpenKeys(ctx, p.Keys)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	l, err := ledger.New(ctx, store, keys)
	if err != nil {
		return nil, errors.Join(err, store.Close(), keys.Close())
	}
	return l, nil
}

// Store implements [consentcmd.Backend].
func (databases) Store(ctx context.Context, p consentcmd.Place) (ledger.Store, error) {
	return sqlstore.OpenDSN(ctx, p.Ledger, sqlstore.ReadOnly())
}
