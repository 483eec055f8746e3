package consentcmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
)

// A Place says where a ledger lies.
type Place struct {
	Ledger string // a folder, or what a [Backend] opens
	Keys   string // file of the subjects' keys; empty: in the folder
}

// A Mode says what a ledger is opened for.
type Mode int

// The modes.
const (
	Reading Mode = iota
	Writing      // to one that is there
	Making       // it if it is not there
)

// A Backend opens ledgers that are no folders. No error contains what names them,
// which may hold a password.
type Backend interface {
	Open(ctx context.Context, p Place, mode Mode) (*ledger.Ledger, error)
	// Store opens the entries alone, for reading.
	Store(ctx context.Context, p Place) (ledger.Store, error)
}

// register adds the flags of a place.
func (p *Place) register(flags *pflag.FlagSet) {
	flags.StringVarP(&p.Ledger, "ledger", "l", "", "the ledger: a `folder`, or what names a database")
	p.RegisterKeys(flags)
}

// RegisterKeys adds the flag of the subjects' keys.
func (p *Place) RegisterKeys(flags *pflag.FlagSet) {
	flags.StringVar(&p.Keys, "subject-keys", "", "`file` of the keys that seal what is said of each subject (default: keys, in the folder of the ledger)")
}

// databases are the schemes of connection strings.
var databases = []string{"postgres", "postgresql", "sqlite"}

// scheme is what a place begins with if it names a database, or something else
// that is no folder.
func scheme(where string) string {
	before, after, ok := strings.Cut(where, ":")
	if ok && (slices.Contains(databases, before) || len(before) > 1 && strings.HasPrefix(after, "//")) {
		return before
	}
	return ""
}

// IsLedger reports whether a place can be a ledger: a folder, or a database. A file
// is none.
func IsLedger(where string) bool {
	if scheme(where) != "" {
		return true
	}
	info, err := os.Stat(where)
	return err == nil && info.IsDir()
}

// Open opens a ledger; sql may be nil.
func Open(ctx context.Context, p Place, mode Mode, sql Backend) (*ledger.Ledger, error) {
	backend, err := backendOf(p.Ledger, sql)
	if err != nil {
		return nil, err
	}
	if backend == nil {
		backend = folders{}
	}
	return backend.Open(ctx, p, mode)
}

func (e *Env) open(ctx context.Context, p Place, mode Mode) (*ledger.Ledger, error) {
	return Open(ctx, p, mode, e.SQL)
}

func (e *Env) store(ctx context.Context, p Place) (ledger.Store, error) {
	backend, err := backendOf(p.Ledger, e.SQL)
	if err != nil {
		return nil, err
	}
	if backend == nil {
		backend = folders{}
	}
	return backend.Store(ctx, p)
}

// backendOf is nil for a folder.
func backendOf(where string, sql Backend) (Backend, error) {
	name := scheme(where)
	switch {
	case where == "":
		return nil, mended("which ledger?", "name its folder: --ledger consent")
	case name == "":
		return nil, nil
	case !slices.Contains(databases, name):
		return nil, mended("ledger: no kind of ledger is named like this", "name a folder, or a database with postgres:// or sqlite:")
	case sql == nil:
		return nil, mended("ledger: this program has no databases built in", "privet-sql has, with the same consent commands; build it from the sources: cd consent/ledger/sqlstore && go build ./cmd/privet-sql")
	}
	return sql, nil
}

// folders are ledgers in folders.
type folders struct{}

// headFile is the file that every ledger in a folder has.
const headFile = "HEAD"

func (folders) Open(ctx context.Context, p Place, mode Mode) (*ledger.Ledger, error) {
	var options []filestore.Option
	if p.Keys != "" {
		options = append(options, filestore.WithKeys(p.Keys))
	}
	switch there, err := folder(p.Ledger); {
	case err != nil:
		return nil, err
	case !there && mode != Making:
		return nil, missing(p.Ledger)
	case there:
		keys := p.Keys
		if keys == "" {
			keys = filepath.Join(p.Ledger, "keys")
		}
		if _, err := os.Stat(keys); errors.Is(err, os.ErrNotExist) {
			return nil, mended("keys: there is no file "+keys, "name the one that was made with the ledger: --subject-keys")
		}
	}
	if mode == Reading {
		return filestore.OpenLedgerReader(ctx, p.Ledger, options...)
	}
	return filestore.OpenLedger(ctx, p.Ledger, options...)
}

func (folders) Store(ctx context.Context, p Place) (ledger.Store, error) {
	there, err := folder(p.Ledger)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, missing(p.Ledger)
	}
	s, err := filestore.OpenReader(ctx, p.Ledger)
	if err != nil {
		return nil, err // not s, which would be no nil store
	}
	return s, nil
}

func missing(where string) error {
	return mended("ledger: there is none in "+where, "name the folder of one; the first consent record makes it")
}

// folder reports whether there is a ledger in a folder. One that holds other things
// is refused, because a ledger would be made among them.
func folder(where string) (bool, error) {
	info, err := os.Stat(where)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, errors.New("cannot read the ledger " + where + ": " + fileProblem(err))
	case !info.IsDir():
		return false, mended("ledger: "+where+" is a file", "a ledger is a folder; take a history in JSON lines over with: consent record --ledger FOLDER --jsonl "+where)
	}
	entries, err := os.ReadDir(where)
	if err != nil {
		return false, errors.New("cannot read the ledger " + where + ": " + fileProblem(err))
	}
	others := false
	for _, entry := range entries {
		switch entry.Name() {
		case headFile:
			return true, nil
		// What is left of a ledger whose making was cut off.
		case "keys", "keys.lock", "keys.new", "HEAD.new", "LOCK":
		default:
			others = true
		}
	}
	if others {
		return false, mended("ledger: "+where+" is a folder of other things, without a ledger", "name the folder of a ledger, or one that is empty or not there")
	}
	return false, nil
}
