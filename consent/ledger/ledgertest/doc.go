// Package ledgertest checks whether an implementation of [ledger.Store] or
// [ledger.Keys] does all that the interface promises, and whether a ledger on top
// of them does its work:
//
//	func TestConformance(t *testing.T) {
//		ledgertest.RunStore(t, openStore)
//		ledgertest.RunKeys(t, openKeys)
//		ledgertest.RunLedger(t, openStore, openKeys)
//	}
//
// That what is recorded survives a loss of power is not among it: no test can show
// that from outside, so each implementation brings its own.
package ledgertest
