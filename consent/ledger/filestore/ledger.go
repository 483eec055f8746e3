package filestore

import (
	"context"
	"path/filepath"

	"github.com/privetdev/privet/consent/ledger"
)

const keysName = "keys"

// WithKeys names the file of keys for [OpenLedger], "keys" in the folder of the log
// without it. Keep it where backups of the log do not go: a key that was destroyed
// lives on in every copy of the file.
func WithKeys(path string) Option { return optionFunc(func(s *Store) { s.keysPath = path }) }

// WithLedger passes options on to ledger.New.
func WithLedger(options ...ledger.Option) Option {
	return optionFunc(func(s *Store) { s.ledger = append(s.ledger, options...) })
}

// OpenLedger opens the log in a folder together with its keys, for writing, and makes
// both if there is neither. The file of keys has the id of the log, so that keys of
// another log are refused.
func OpenLedger(ctx context.Context, dir string, options ...Option) (*ledger.Ledger, error) {
	return openLedger(ctx, dir, options, Open)
}

// OpenLedgerReader is OpenLedger for reading; see [OpenReader]. The keys are opened for
// writing, because what a program that was killed left of them is put in order.
func OpenLedgerReader(ctx context.Context, dir string, options ...Option) (*ledger.Ledger, error) {
	return openLedger(ctx, dir, options, OpenReader)
}

func openLedger(ctx context.Context, dir string, options []Option, open func(context.Context, string, ...Option) (*Store, error)) (*ledger.Ledger, error) {
	s := newStore(dir, options)
	if s.keysPath == "" {
		s.keysPath = filepath.Join(dir, keysName)
	}
	if err := s.files.mkdir(dir); err != nil {
		return nil, fileError(dir, "making the folder", err)
	}
	// Keys are made with a log, and never for one that is there: its payloads could
	// not be opened with them.
	create := true
	if f, err := s.files.open(s.head.path, false); err == nil {
		create = false
		f.Close()
	}
	keys, err := openKeys(ctx, s.keysPath, s.files, create)
	if err != nil {
		return nil, err
	}
	store, err := open(ctx, dir, append(options[:len(options):len(options)], withID(keys.id))...)
	if err != nil {
		keys.Close()
		return nil, err
	}
	l, err := ledger.New(ctx, store, keys, s.ledger...)
	if err != nil {
		store.Close()
		keys.Close()
		return nil, err
	}
	return l, nil
}
