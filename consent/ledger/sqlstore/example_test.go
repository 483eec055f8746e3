package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

func ExampleOpenSQLite() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	store, err := sqlstore.OpenSQLite(ctx, filepath.Join(dir, "consent.db"))
	if err != nil {
		panic(err)
	}
	keys, err := filestore.OpenKeys(ctx, filepath.Join(dir, "keys"))
	if err != nil {
		panic(err)
	}
	log, err := ledger.New(ctx, store, keys)
	if err != nil {
		panic(err)
	}
	defer log.Close()

	monday := time.Date(2026, 3, 23, 9, 0, 0, 0, time.UTC)
	head, err := log.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, monday))
	if err != nil {
		panic(err)
	}
	fmt.Println("recorded as entry", head.Seq)
	if _, err := log.Erase(ctx, "p1_1_4HkY", monday.Add(time.Hour), ledger.OnRequest); err != nil {
		panic(err)
	}
	report, err := log.Verify(ctx, ledger.Checks{})
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Head.Seq, "entries,", report.Erased, "erased,", len(report.Problems), "problems")
	// Output:
	// recorded as entry 1
	// 2 entries, 1 erased, 0 problems
}

func ExampleOpenPostgres() {
	// The password is in PGPASSWORD or ~/.pgpass, where no list of processes shows it.
	store, err := sqlstore.OpenPostgres(ctx, "postgres://consent_recorder@db.example.com/consent?sslmode=verify-full")
	if err != nil {
		panic(err)
	}
	keys, err := filestore.OpenKeys(ctx, "/var/lib/privet/keys")
	if err != nil {
		panic(err)
	}
	log, err := ledger.New(ctx, store, keys)
	if err != nil {
		panic(err)
	}
	defer log.Close()
}
