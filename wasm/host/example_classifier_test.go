package host_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/wasm/emit"
	"github.com/privetdev/privet/wasm/host"
)

// module is what privet compile --target wasm writes.
func module() []byte {
	bundle, err := policy.Compile("library.yaml", []byte(`
privet: 1
name: library
version: 1
categories:
  - {key: reader, qualifier: identified}
  - {key: reader.card}
  - {key: reader.loans}
rules:
  - {id: loans, category: reader.loans, confidence: 0.8, when: 'field.words.hasAny(["loan", "loans"])'}
detectors:
  - {id: card, category: reader.card, confidence: {base: 0.9}, pattern: 'LIB-[0-9]{6}'}
`))
	if err != nil {
		log.Fatal(err)
	}
	m, err := emit.Module(bundle.Bytes(), emit.Options{MaxInput: 64 << 10})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// Rules of somebody else run in a sandbox, and answer in the types of package classify.
func ExampleOpenClassifier() {
	ctx := context.Background()
	k, err := host.OpenClassifier(ctx, module(), host.WithMemoryLimit(16<<20))
	if err != nil {
		log.Fatal(err)
	}
	defer k.Close(ctx)
	labels, err := k.Field(ctx, classify.Field{Name: "loans_of_reader", Value: "card LIB-004711"})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range labels {
		fmt.Println(l.Category, l.Confidence, l.Rule, l.Detector, l.Spans, l.Qualifier)
	}
	// Output:
	// reader.card 0.9  card [{5 15}] identified
	// reader.loans 0.8 library/loans  [] identified
}

func ExampleClassifier_Scan() {
	ctx := context.Background()
	k, err := host.OpenClassifier(ctx, module())
	if err != nil {
		log.Fatal(err)
	}
	defer k.Close(ctx)
	text := "Ask for LIB-004711 or LIB-004712."
	findings, err := k.Scan(ctx, text)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		fmt.Println(f.Category, text[f.Start:f.End])
	}

	var refused *host.Error
	_, err = k.Scan(ctx, strings.Repeat("x", 64<<10+1))
	fmt.Println(errors.As(err, &refused), refused.Code)
	// Output:
	// reader.card LIB-004711
	// reader.card LIB-004712
	// true TOO_LARGE
}

// A module that somebody else made may never come back from a call. With WithInterrupt
// the context ends it.
func ExampleWithInterrupt() {
	k, err := host.OpenClassifier(context.Background(), module(), host.WithInterrupt(), host.WithInstances(4))
	if err != nil {
		log.Fatal(err)
	}
	defer k.Close(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	labels, err := k.Field(ctx, classify.Field{Name: "loans"})
	fmt.Println(len(labels), err)
	// Output: 1 <nil>
}
