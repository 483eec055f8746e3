package pseudonym_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// exampleStore has one secret, fixed so that the output is.
func exampleStore() *pseudonym.Memory {
	var secrets pseudonym.Memory
	secret, err := pseudonym.NewSecret(exampleSecret)
	if err == nil {
		err = secrets.Add("contoso", 1, secret)
	}
	if err != nil {
		fmt.Println(err)
	}
	return &secrets
}

func ExampleNewReversible() {
	ctx := context.Background()
	scope := pseudonym.Scope{Tenant: "contoso", Purpose: "support", Category: "user.contact.email"}
	support, err := pseudonym.NewReversible(ctx, exampleStore(), scope)
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, class, _ := support.Seal(pseudonym.Email("Jane@example.com"))
	fmt.Println(sealed)
	fmt.Println(class)

	// Somebody has to call her back.
	_, email, err := support.Reveal(sealed)
	fmt.Println(string(email), err)

	scope.Purpose = "analytics"
	analytics, err := pseudonym.NewReversible(ctx, exampleStore(), scope)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = analytics.Reveal(sealed)
	fmt.Println(err)
	// Output:
	// v1_1_eregeji2uppv4ud5qx7y37dnphsxombn6lsus7kyppxnqutu6lqzi
	// {linkable true none}
	// jane@example.com <nil>
	// pseudonym: sealed text not readable: not made in this scope, or changed since: reveal it with the tenant, purpose and category it was sealed for
}

func ExampleReversible_Encipher() {
	cards, err := pseudonym.NewReversible(context.Background(), exampleStore(), pseudonym.Scope{Tenant: "contoso", Purpose: "billing", Category: "user.financial.card"})
	if err != nil {
		fmt.Println(err)
		return
	}
	hidden, _, _ := cards.Encipher(pseudonym.Decimal, "4111111111111111")
	shown, _ := cards.RevealEnciphered(pseudonym.Decimal, hidden, cards.Version())
	fmt.Println(hidden, shown)

	_, _, err = cards.Encipher(pseudonym.Decimal, "12345")
	fmt.Println(err)
	// Output:
	// 9483977579852445 4111111111111111
	// pseudonym: Encipher: text is too short: 6 digits or 4 characters at least, or all of its kind could be tried
}

func ExampleNewDateShift() {
	shift, err := pseudonym.NewDateShift(context.Background(), exampleStore(), pseudonym.Scope{Tenant: "contoso", Purpose: "research", Category: "user.health"},
		pseudonym.ShiftRange{Lo: -180, Hi: 180})
	if err != nil {
		fmt.Println(err)
		return
	}
	admitted, class, _ := shift.Shift(pseudonym.Text("patient-17"), "2024-02-28", 0)
	discharged, _, _ := shift.Shift(pseudonym.Text("patient-17"), "2024-03-02", 0)
	other, _, _ := shift.Shift(pseudonym.Text("patient-18"), "2024-02-28", 0)
	fmt.Println(admitted, discharged, other)
	fmt.Println(class)
	// Output:
	// 2023-12-18 2023-12-21 2024-03-10
	// {linkable true none}
}

func ExampleRandomToken() {
	token, class, err := pseudonym.RandomToken(bytes.NewReader([]byte("use rand.Reader!"))) // crypto/rand.Reader, to be sure
	fmt.Println(token, class, err)
	// Output: r1_ovzwkidsmfxgilssmvqwizlsee {unlinkable false total} <nil>
}

func ExampleReplace() {
	fmt.Println(pseudonym.Replace("a customer"))
	// Output: a customer {unlinkable false total}
}

func ExampleDateToQuarter() {
	fmt.Println(pseudonym.DateToQuarter("1987-05-04"))
	// Output: 1987-Q2 {linked false partial} <nil>
}

func ExampleTopCodeAge() {
	for _, age := range []string{"34", "89", "90", "103"} {
		coded, _, _ := pseudonym.TopCodeAge(age)
		fmt.Println(coded)
	}
	// Output:
	// 34
	// 89
	// 90+
	// 90+
}

func ExampleZIP3() {
	seattle, _, _ := pseudonym.ZIP3("98101-1234")
	ely, _, _ := pseudonym.ZIP3("89301")
	fmt.Println(seattle, ely)
	// Output: 981 000
}

func ExampleNewZIP3Table() {
	table, err := pseudonym.NewZIP3Table("036", "059", "893") // those of the census that you go by
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(table.ZIP3("89301"))
	// Output: 000 {linked false partial} <nil>
}

func ExampleBucket() {
	income, class, _ := pseudonym.Bucket("52345.67", "10000")
	exact, _, _ := pseudonym.Bucket("0.3", "0.1")
	fmt.Println(income, exact, class)
	// Output: [50000,60000) [0.3,0.4) {linked false partial}
}

func ExampleNewBuckets() {
	ages, err := pseudonym.NewBuckets("18", "30", "65")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, age := range []string{"17", "18", "64", "65"} {
		bucket, _, _ := ages.Bucket(age)
		fmt.Println(bucket)
	}
	// Output:
	// <18
	// [18,30)
	// [30,65)
	// >=65
}

func ExampleTopCode() {
	fmt.Println(pseudonym.TopCode("2500000", "100000"))
	fmt.Println(pseudonym.BottomCode("2500000", "100000"))
	// Output:
	// >=100000 {linked false partial} <nil>
	// 2500000 {linked false partial} <nil>
}
