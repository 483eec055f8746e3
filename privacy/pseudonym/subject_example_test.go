package pseudonym_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// rotatedStore has one secret for contoso.
func rotatedStore() *pseudonym.Memory {
	var secrets pseudonym.Memory
	if _, err := secrets.Generate("contoso", rand.Reader); err != nil {
		fmt.Println(err)
	}
	return &secrets
}

var analyticsScope = pseudonym.Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.contact.email"}

func ExampleNewSubjects() {
	ctx := context.Background()
	rows := pseudonym.NewSubjectMemory(rand.Reader)
	people, err := pseudonym.NewSubjects(ctx, rotatedStore(), rows, analyticsScope, "user.unique_id")
	if err != nil {
		fmt.Println(err)
		return
	}
	jane, err := people.Subject(ctx, pseudonym.Text("u-1042"))
	if err != nil {
		fmt.Println(err)
		return
	}
	a, _ := jane.Token(pseudonym.Email("jane@example.com"))
	b, _ := jane.Token(pseudonym.Email(" Jane@Example.com"))
	fmt.Println(a.Suite(), a == b)

	why := pseudonym.Destruction{At: time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC), Actor: "ops", Reason: "request 7"}
	fmt.Println(people.Erase(ctx, pseudonym.Text("u-1042"), why))
	_, err = people.Subject(ctx, pseudonym.Text("u-1042"))
	fmt.Println(err)
	// Output:
	// s1 true
	// <nil>
	// pseudonym: subject store: destroyed: this person was erased
}

func ExampleNewEpochs() {
	ctx := context.Background()
	days, err := pseudonym.NewEpochs(new(pseudonym.Memory), rand.Reader, pseudonym.Day)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope := pseudonym.Scope{Tenant: "contoso", Purpose: "counting", Category: "visitor"}
	evening := time.Date(2026, time.March, 28, 23, 59, 0, 0, time.UTC)
	for _, now := range []time.Time{evening, evening.Add(2 * time.Minute), evening.Add(2 * pseudonym.Day)} {
		gone, err := days.Turn(ctx, scope.Tenant, now, pseudonym.Destruction{Actor: "timer", Reason: "the day is over"})
		if err != nil {
			fmt.Println(err)
			return
		}
		p, err := days.New(ctx, scope, now)
		if err != nil {
			fmt.Println(err)
			return
		}
		tokens, err := p.Candidates(pseudonym.Text("visitor 1"))
		fmt.Println(tokens[0].Version(), "looked up under", len(tokens), "destroyed", gone, err)
	}
	// Output:
	// 20540 looked up under 1 destroyed [] <nil>
	// 20541 looked up under 2 destroyed [] <nil>
	// 20542 looked up under 2 destroyed [20540] <nil>
}

func ExamplePseudonymiser_Retoken() {
	ctx := context.Background()
	secrets := rotatedStore()
	before, err := pseudonym.New(ctx, secrets, analyticsScope)
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, _ := before.Token(pseudonym.Email("jane@example.com"))
	if _, err := secrets.Generate("contoso", rand.Reader); err != nil {
		fmt.Println(err)
		return
	}
	after, err := pseudonym.New(ctx, secrets, analyticsScope)
	if err != nil {
		fmt.Println(err)
		return
	}
	fresh, err := after.Retoken(stored, pseudonym.Email("jane@example.com"))
	fmt.Println(stored.Version(), "becomes", fresh.Version(), err)
	_, err = after.Retoken(stored, pseudonym.Email("john@example.com"))
	fmt.Println(err)
	// Output:
	// 1 becomes 2 <nil>
	// pseudonym: the token is not of this value: look the record up by the value instead
}

func ExampleRelink() {
	ctx := context.Background()
	secrets := rotatedStore()
	from, err := pseudonym.New(ctx, secrets, analyticsScope)
	if err != nil {
		fmt.Println(err)
		return
	}
	to, err := pseudonym.New(ctx, secrets, pseudonym.Scope{Tenant: "contoso", Purpose: "support", Category: "user.contact.email"})
	if err != nil {
		fmt.Println(err)
		return
	}
	audit := func(_ context.Context, r pseudonym.Relinking) error {
		fmt.Println("kept:", r.From.Purpose, "to", r.To.Purpose, "by", r.Permission.Actor)
		return nil
	}
	_, err = pseudonym.Relink(ctx, from, to, pseudonym.Permission{}, audit)
	fmt.Println(err)
	relinker, err := pseudonym.Relink(ctx, from, to, pseudonym.Permission{
		Basis: "consent record 7", Actor: "ops", Reason: "support case",
		At: time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC),
	}, audit)
	if err != nil {
		fmt.Println(err)
		return
	}
	link, err := relinker.Link(pseudonym.Email("jane@example.com"))
	fmt.Println(link.From[0] != link.To, err)
	// Output:
	// pseudonym: relinking not permitted: basis, actor, reason and time must all be given
	// kept: analytics to support by ops
	// true <nil>
}

func ExampleMemory_DestroyPending() {
	ctx := context.Background()
	secrets := rotatedStore()
	now := time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
	why := pseudonym.Destruction{At: now, Actor: "ops", Reason: "the customer left"}
	fmt.Println(secrets.DestroyPending(ctx, "contoso", 1, now.Add(30*pseudonym.Day), why))
	_, err := secrets.Secret(ctx, "contoso", 1)
	fmt.Println(errors.Is(err, pseudonym.ErrPending))
	done, err := secrets.DestroyDue(ctx, now.Add(30*pseudonym.Day))
	fmt.Println(done[0].State, done[0].Destruction.Reason, err)
	// Output:
	// <nil>
	// true
	// destroyed the customer left <nil>
}

func ExampleMemory_Hold() {
	ctx := context.Background()
	secrets := rotatedStore()
	secrets.Hold(func(_ context.Context, t pseudonym.Target) (string, bool, error) {
		return "order 17", t.Tenant == "contoso", nil
	})
	err := secrets.Destroy(ctx, "contoso", 1, pseudonym.Destruction{Actor: "ops", Reason: "the customer left"})
	fmt.Println(err)
	// Output: pseudonym: destruction of version 1 refused: a hold covers it: wait until it is lifted
}
