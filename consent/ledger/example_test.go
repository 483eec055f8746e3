package ledger_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// From a grant to an erasure, and what can be proven at each step.
func Example() {
	log := ledger.NewMemory()
	jane := "p1_1_4HkY" // a pseudonym, never an address
	march := func(day int) time.Time { return time.Date(2026, 3, day, 9, 0, 0, 0, time.UTC) }

	// Record what she said, with what shows it.
	grant := ledger.Granted(jane, consent.Scope{Purpose: "newsletter"}, march(2))
	grant.ID = "grant-1"
	grant.Notice = consent.NoticeRef{ID: "newsletter-signup", Version: "4"}
	grant.Method = "checkbox"
	head, err := log.Append(ctx, grant)
	if err != nil {
		panic(err)
	}

	// Decide.
	engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "newsletter"}}})
	if err != nil {
		panic(err)
	}
	decide := func(day int) {
		view, err := log.View(ctx, jane, ledger.AsOf{Valid: march(day)})
		if err != nil {
			panic(err)
		}
		d := engine.Decide(view, &consent.Request{Purpose: "newsletter", At: march(day)})
		fmt.Println("March", day, d.Outcome, d.Reason)
	}
	decide(3)
	if _, err := log.Append(ctx, ledger.Withdrawn(jane, consent.Scope{Purpose: "newsletter"}, march(5))); err != nil {
		panic(err)
	}
	decide(6)

	// Erase her. The log goes on.
	if _, err := log.Erase(ctx, jane, march(20), ledger.OnRequest); err != nil {
		panic(err)
	}
	decide(21)
	report, err := log.Verify(ctx, ledger.Checks{})
	if err != nil {
		panic(err)
	}
	fmt.Println("entries", report.Head.Seq, "erased", report.Erased, "problems", len(report.Problems))

	// Somebody consented to the newsletter under version 4 of the notice: checked
	// elsewhere, from the JSON alone.
	proof, err := log.Prove(ctx, "grant-1")
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(proof)
	if err != nil {
		panic(err)
	}
	var elsewhere ledger.Proof
	if err := json.Unmarshal(text, &elsewhere); err != nil {
		panic(err)
	}
	envelope, err := elsewhere.Check()
	fmt.Println(envelope.Kind, envelope.Purpose, envelope.Notice.Version, envelope.Valid.Format(time.DateOnly), err)

	// And the log only grew since the first head.
	grew, err := log.ProveConsistency(ctx, head)
	fmt.Println(grew.Old.Seq, "to", grew.New.Seq, err, grew.Check())
	// Output:
	// March 3 allow CONSENT
	// March 6 deny WITHDRAWN
	// March 21 deny ERASED
	// entries 3 erased 2 problems 0
	// granted newsletter 4 2026-03-02 <nil>
	// 1 to 3 <nil> <nil>
}

func ExampleNew() {
	log, err := ledger.New(ctx, ledger.NewMemoryStore(), ledger.NewMemoryKeys()) // or those of filestore
	if err != nil {
		panic(err)
	}
	defer log.Close()
	head, err := log.Head(ctx)
	fmt.Println(head.Seq, err)
	// Output: 0 <nil>
}

// A head that was signed and kept elsewhere shows that the log was not cut since.
func ExampleLedger_SignHead() {
	log := ledger.NewMemory()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if _, err := log.Append(ctx, ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, day)); err != nil {
		panic(err)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32)) // from a key store; a seed of zeros is for examples
	signed, err := log.SignHead(ctx, key, day)
	if err != nil {
		panic(err)
	}
	public := key.Public().(ed25519.PublicKey)
	fmt.Println(signed.Head.Seq, signed.Check(public))

	report, err := log.Verify(ctx, ledger.Checks{Heads: []ledger.SignedHead{signed}, Public: public})
	fmt.Println(len(report.Problems), err)
	// Output:
	// 1 <nil>
	// 0 <nil>
}

// A device that turns out to be a person's: what was refused on it counts.
func ExampleMerged() {
	log := ledger.NewMemory()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	analytics := consent.Scope{Purpose: "analytics"}
	_, err := log.Append(ctx,
		ledger.Denied("p1_1_device", analytics, day(1)),
		ledger.Granted("p1_1_4HkY", analytics, day(2)),
		ledger.Merged("p1_1_4HkY", "p1_1_device", day(3)),
	)
	if err != nil {
		panic(err)
	}
	engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "analytics"}}})
	if err != nil {
		panic(err)
	}
	for n := 2; n <= 3; n++ {
		view, err := log.View(ctx, "p1_1_4HkY", ledger.AsOf{Valid: day(n)})
		if err != nil {
			panic(err)
		}
		d := engine.Decide(view, &consent.Request{Purpose: "analytics", At: day(n)})
		fmt.Println("March", n, d.Outcome, d.Reason)
	}
	// Output:
	// March 2 allow CONSENT
	// March 3 deny REFUSED
}

// What was recorded with an event can be shown to somebody while the subject's key
// lives, beside the proof.
func ExampleLedger_Open() {
	log := ledger.NewMemory()
	grant := ledger.Granted("p1_1_4HkY", consent.Scope{Purpose: "newsletter"}, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	grant.ID, grant.Evidence = "grant-1", "form 12"
	if _, err := log.Append(ctx, grant); err != nil {
		panic(err)
	}
	proof, err := log.Prove(ctx, "grant-1")
	if err != nil {
		panic(err)
	}
	opening, err := log.Open(ctx, "p1_1_4HkY", "grant-1")
	if err != nil {
		panic(err)
	}
	envelope, err := proof.Check()
	if err != nil {
		panic(err)
	}
	event, err := opening.Check(envelope)
	fmt.Println(event.Subject, event.Evidence, err)
	// Output: p1_1_4HkY form 12 <nil>
}
