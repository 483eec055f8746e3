package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
	"github.com/privetdev/privet/consent/ledger/ledgertest"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// Both databases do all that a store must, also below a ledger whose keys lie in a
// file, as in the README.
func TestConformance(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			store := func(t *testing.T) (ledger.Store, func() ledger.Store) {
				dsn := k.place(t)
				again := func() ledger.Store {
					s, err := sqlstore.OpenDSN(ctx, dsn)
					require.NoError(t, err)
					return s
				}
				return again(), again
			}
			keys := func(t *testing.T) (ledger.Keys, func() ledger.Keys) {
				path := filepath.Join(t.TempDir(), "keys")
				again := func() ledger.Keys {
					ks, err := filestore.OpenKeys(ctx, path)
					require.NoError(t, err)
					return ks
				}
				return again(), again
			}
			ledgertest.RunStore(t, store)
			ledgertest.RunLedger(t, store, keys)
		})
	}
}
