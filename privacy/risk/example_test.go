package risk_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/privetdev/privet/privacy/risk"
)

const patients = `age,zip,disease
34,98052,flu
36,98052,flu
37,98053,asthma
61,98101,flu
62,98101,asthma
68,98109,gout
`

// Is anybody alone in what others may know, and if so, where?
func Example() {
	table, err := risk.ReadCSV(strings.NewReader(patients), risk.CSV{})
	if err != nil {
		log.Fatal(err)
	}
	classes, err := table.Classes("zip")
	if err != nil {
		log.Fatal(err)
	}
	reports, err := classes.Check(risk.KAnonymity(2), risk.DistinctLDiversity("disease", 2))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range reports {
		fmt.Println(r)
		for _, v := range r.Violations {
			fmt.Println("  first in row", v.Class.First())
		}
	}
	// Output:
	// k-anonymity, at least 2: violated by 2 of 4 classes with 2 rows; the worst has 1
	//   first in row 3
	//   first in row 6
	// distinct l-diversity of disease, at least 2: violated by 3 of 4 classes with 4 rows; the worst has 1
	//   first in row 3
	//   first in row 6
	//   first in row 1
}

// How far must columns be generalised, and what is left then?
func ExampleTable_Search() {
	table, err := risk.ReadCSV(strings.NewReader(patients), risk.CSV{})
	if err != nil {
		log.Fatal(err)
	}
	age, err := risk.Bands(10, 20)
	if err != nil {
		log.Fatal(err)
	}
	zip, err := risk.Prefix(4, 3, 2)
	if err != nil {
		log.Fatal(err)
	}
	found, err := table.Search(context.Background(), risk.Search{
		Quasi:       []string{"age", "zip"},
		Hierarchies: map[string]*risk.Hierarchy{"age": age, "zip": zip},
		Criteria:    []risk.Criterion{risk.KAnonymity(3), risk.DistinctLDiversity("disease", 2)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found)
	fmt.Println(found.Apply().Value(1, "age"), found.Apply().Value(1, "zip"))
	// Output:
	// age: bands of 10, zip: first 4 characters; loss 0.2917, smallest class 3
	// 30-39 9805*
}

// May this be called de-identified? And if not, what is in the way?
func ExampleAssess() {
	table, err := risk.ReadCSV(strings.NewReader(`who,age
p1_3_mr2gmpm4xx54sepw4ybzpisseq,30-39
p1_3_4ax6qk5ivjcrsqyzlfz2q5kbnu,30-39
`), risk.CSV{})
	if err != nil {
		log.Fatal(err)
	}
	result, err := risk.Assess(table, risk.Release{
		Columns: []risk.ReleasedColumn{
			{Name: "who", Origin: risk.KeyedToken, Tenant: "contoso"},
			{Name: "age", Origin: risk.Generalised, Role: risk.Quasi},
		},
		K: 2,
		Secret: func(tenant string, version uint32) (risk.SecretState, time.Time) {
			return risk.SecretPending, time.Date(2026, time.December, 24, 0, 0, 0, 0, time.UTC)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result)
	// Output:
	// linkable
	//   column who: secret version 3 of tenant contoso is destroyed, and copies of it may exist until 2026-12-24T00:00:00Z
}
