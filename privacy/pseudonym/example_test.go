package pseudonym_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// exampleSecret is fixed so that the output is. A real one is 32 random bytes
// from your key store.
var exampleSecret = []byte("an example secret of 32 bytes...")

func ExampleNew() {
	ctx := context.Background()
	secret, err := pseudonym.NewSecret(exampleSecret)
	if err != nil {
		fmt.Println(err)
		return
	}
	var secrets pseudonym.Memory
	if err := secrets.Add("contoso", 1, secret); err != nil {
		fmt.Println(err)
		return
	}
	scope := pseudonym.Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.contact.email"}
	analytics, err := pseudonym.New(ctx, &secrets, scope)
	if err != nil {
		fmt.Println(err)
		return
	}
	scope.Purpose = "support"
	support, err := pseudonym.New(ctx, &secrets, scope)
	if err != nil {
		fmt.Println(err)
		return
	}

	a, _ := analytics.Token(pseudonym.Email("jane@example.com"))
	b, _ := analytics.Token(pseudonym.Email(" Jane@Example.com"))
	c, _ := support.Token(pseudonym.Email("jane@example.com"))
	_, err = analytics.Token(pseudonym.Email("Jane <jane@example.com>"))
	fmt.Println(a)
	fmt.Println("joins inside its scope:", a == b)
	fmt.Println("joins across purposes:", a == c)
	fmt.Println("what it is:", analytics.Class())
	fmt.Println(err)
	// Output:
	// p1_1_mz7xskftuj3a6dbahuqxtox6lq
	// joins inside its scope: true
	// joins across purposes: false
	// what it is: linkable
	// pseudonym: email: not an address: needs one @ with text on both sides, no spaces, controls or angle brackets inside
}

func ExampleParseToken() {
	token, err := pseudonym.ParseToken("p1_10_jxt7pgkvujh6lxcxovtltag4be")
	fmt.Println(token.Suite(), token.Version(), len(token.ID()), err)

	_, err = pseudonym.ParseToken("P1_10_JXT7PGKVUJH6LXCXOVTLTAG4BE")
	fmt.Println(err)
	// Output:
	// p1 36 16 <nil>
	// pseudonym: not a token: text is not written like one: see TokenPattern
}

func ExamplePseudonymiser_Candidates() {
	ctx := context.Background()
	var secrets pseudonym.Memory
	for range 2 { // a first secret, and one after rotation
		if _, err := secrets.Generate("contoso", rand.Reader); err != nil {
			fmt.Println(err)
			return
		}
	}
	p, err := pseudonym.New(ctx, &secrets, pseudonym.Scope{Tenant: "contoso", Purpose: "support", Category: "user.contact.phone_number"})
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens, err := p.Candidates(pseudonym.Phone("+14255550100"))
	for _, t := range tokens {
		fmt.Println("look up tokens of version", t.Version())
	}
	fmt.Println(err)
	// Output:
	// look up tokens of version 2
	// look up tokens of version 1
	// <nil>
}

func ExampleMemory_Destroy() {
	ctx := context.Background()
	var secrets pseudonym.Memory
	version, err := secrets.Generate("contoso", rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(secrets.Destroy(ctx, "contoso", version, pseudonym.Destruction{Actor: "ops", Reason: "the customer left"}))
	_, err = secrets.Secret(ctx, "contoso", version)
	fmt.Println(err)
	// Output:
	// <nil>
	// pseudonym: secret destroyed: use a newer version
}

func ExampleTokenPattern() {
	token := regexp.MustCompile(pseudonym.TokenPattern)
	fmt.Println(token.MatchString("p1_1_mr2gmpm4xx54sepw4ybzpisseq"), token.MatchString("jane@example.com"))
	// Output: true false
}

func ExampleRoundCoordinate() {
	fmt.Println(pseudonym.RoundCoordinate("-122.1295", 2))
	fmt.Println(pseudonym.RoundCoordinate("476401234", 2))
	// Output:
	// -122.13 {linked false partial} <nil>
	//  {linked false none} pseudonym: RoundCoordinate: number is beyond 180: convert it to degrees first
}

func ExampleTruncateIP() {
	v4, class, _ := pseudonym.TruncateIP("192.0.2.7")
	v6, _, _ := pseudonym.TruncateIP("2001:db8:1:2::7")
	fmt.Println(v4, v6, class.Linkability)
	// Output: 192.0.2.0 2001:db8:1:: linked
}

func ExampleMask() {
	masked, _ := pseudonym.Mask("4111111111111111", 4)
	short, _ := pseudonym.Mask("1234", 4)
	fmt.Println(masked, short)
	// Output: ************1111 **34
}

func ExampleRedact() {
	fmt.Println(pseudonym.Redact())
	// Output: [redacted] {unlinkable false total}
}

func ExampleDateToYear() {
	year, _, _ := pseudonym.DateToYear("1987-03-04")
	month, _, _ := pseudonym.DateToMonth("1987-03-04T08:00:00+01:00")
	fmt.Println(year, month)
	// Output: 1987 1987-03
}
