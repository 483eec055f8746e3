package ledgertest_test

import (
	"testing"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/ledgertest"
)

func memoryStore(*testing.T) (ledger.Store, func() ledger.Store) { return ledger.NewMemoryStore(), nil }

func memoryKeys(*testing.T) (ledger.Keys, func() ledger.Keys) { return ledger.NewMemoryKeys(), nil }

func TestMemory(t *testing.T) {
	ledgertest.RunStore(t, memoryStore)
	ledgertest.RunKeys(t, memoryKeys)
	ledgertest.RunLedger(t, memoryStore, memoryKeys)
}
