package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
)

var monday = time.Date(2026, 3, 23, 9, 0, 0, 0, time.UTC)

func ExampleOpenLedger() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "consent")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	log, err := filestore.OpenLedger(ctx, dir)
	if err != nil {
		panic(err)
	}
	subject := "p1_1_4HkY" // a pseudonym, never an address
	if _, err := log.Append(ctx, ledger.Granted(subject, consent.Scope{Purpose: "newsletter"}, monday)); err != nil {
		panic(err)
	}
	if err := log.Close(); err != nil {
		panic(err)
	}

	// Another day.
	log, err = filestore.OpenLedger(ctx, dir)
	if err != nil {
		panic(err)
	}
	defer log.Close()
	for event, err := range log.Events(ctx, subject, ledger.AsOf{}) {
		fmt.Println(event.Kind, event.Scope.Purpose, err)
	}
	_, err = log.Erase(ctx, subject, monday.Add(time.Hour), ledger.OnRequest)
	fmt.Println("erased:", err)
	_, err = log.Append(ctx, ledger.Withdrawn(subject, consent.Scope{Purpose: "newsletter"}, monday))
	fmt.Println(errors.Is(err, ledger.ErrErased))
	report, err := log.Verify(ctx, ledger.Checks{})
	fmt.Println(len(report.Problems), "problems,", report.Erased, "entry without its payload", err)
	// Output:
	// granted newsletter <nil>
	// erased: <nil>
	// true
	// 0 problems, 1 entry without its payload <nil>
}

func ExampleOpenLedgerReader() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "consent")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	log, err := filestore.OpenLedger(ctx, dir)
	if err != nil {
		panic(err)
	}
	defer log.Close()

	// In another program, while the first one goes on.
	reader, err := filestore.OpenLedgerReader(ctx, dir)
	if err != nil {
		panic(err)
	}
	defer reader.Close()
	if _, err := log.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, monday)); err != nil {
		panic(err)
	}
	head, err := reader.Head(ctx)
	fmt.Println(head.Seq, err)
	_, err = reader.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "offers"}, monday))
	fmt.Println(err)
	_, err = filestore.OpenLedger(ctx, dir)
	fmt.Println(errors.Is(err, filestore.ErrLocked))
	// Output:
	// 1 <nil>
	// ledger: opened for reading: open it for writing, or append where it is written
	// true
}

// A log of one's own making: the entries in a folder, the keys elsewhere.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "consent")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := filestore.Open(ctx, filepath.Join(dir, "log"), filestore.WithSegmentSize(16<<20))
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
	head, err := log.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, monday))
	fmt.Println(head.Seq, err)
	fmt.Println(store.Mark(ctx), log.Close()) // the log closes both
	// Output:
	// 1 <nil>
	// <nil> <nil>
}

// Every error says where; what is damaged is never mended by guessing.
func ExampleFileError() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "consent")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	log, err := filestore.OpenLedger(ctx, dir)
	if err != nil {
		panic(err)
	}
	for _, purpose := range []string{"newsletter", "offers"} {
		if _, err := log.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: purpose}, monday)); err != nil {
			panic(err)
		}
	}
	if err := log.Close(); err != nil {
		panic(err)
	}

	segment := filepath.Join(dir, "00000001.segment")
	data, err := os.ReadFile(segment)
	if err != nil {
		panic(err)
	}
	data[120] ^= 1 // a bit
	if err := os.WriteFile(segment, data, 0o600); err != nil {
		panic(err)
	}
	_, err = filestore.OpenLedger(ctx, dir)
	var where *filestore.FileError
	if errors.As(err, &where) {
		fmt.Println(filepath.Base(where.Path), "byte", where.Offset, "entry", where.Seq)
		fmt.Println(where.Problem)
	}
	fmt.Println(errors.Is(err, filestore.ErrDamaged))
	// Output:
	// 00000001.segment byte 76 entry 1
	// the clear part was changed: its checksum is another
	// true
}
