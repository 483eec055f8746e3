package record_test

import (
	"fmt"
	"log"
	"log/slog"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/record"
)

func ExampleReader_Value() {
	type patient struct {
		Email string `json:"email"`
		Notes string `json:"notes" privacy:"user.health_and_medical"`
		Build string `json:"build" privacy:"-"`
	}
	r, err := record.New(classify.Builtin())
	if err != nil {
		log.Fatal(err)
	}
	report, err := r.Value(patient{Email: "jane@example.com", Notes: "…"})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Fields {
		fmt.Println(f.Path, f.Labels[0].Category, f.Labels[0].Confidence)
	}
	fmt.Println(report.Qualifier, report.Exempt)
	// Output:
	// email user.contact.email 0.995
	// notes user.health_and_medical 1
	// identified [build]
}

func ExampleReader_JSON() {
	r, err := record.New(classify.Builtin(), record.Include("**.customer"), record.Exclude("**.internal"))
	if err != nil {
		log.Fatal(err)
	}
	report, err := r.JSON([]byte(`{"order":{"customer":{"phone":"+1 425 555 0100","internal":{"email":"x"}},"total":12.5}}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Fields {
		fmt.Println(f.Path, f.Labels[0].Category)
	}
	// Output: order.customer.phone user.contact.phone_number
}

func ExampleReader_CSV() {
	r, err := record.New(classify.Builtin())
	if err != nil {
		log.Fatal(err)
	}
	table, err := r.CSV(strings.NewReader("first_name;contact\nJane;jane@example.com\njoe@example.com;joe@example.com\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range table.Columns {
		fmt.Println(c.Name, c.Labels[0].Category, c.Labels[0].Share)
	}
	// Output:
	// first_name user.contact.email 0.5
	// contact user.contact.email 1
}

func Example_slog() {
	r, err := record.New(classify.Builtin())
	if err != nil {
		log.Fatal(err)
	}
	report, err := r.Value(slog.Group("login", slog.String("user_email", "jane@example.com"), slog.Int("attempt", 2)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Fields[0].Path, report.Fields[0].Labels[0].Category)
	// Output: login.user_email user.contact.email
}
