// Command quickstart asks the four questions about one event: what is it, may it
// be used for this, in what form, and until when.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"time"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

func main() {
	bundle, err := policy.Pack("windows-service-data")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := privacy.Open(bundle, privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	if err != nil {
		log.Fatal(err)
	}
	at := time.Date(2026, time.March, 28, 10, 0, 0, 0, time.UTC)
	res, err := guard.Process(context.Background(), privacy.Event{
		At: at, Class: "service.required", Purpose: "service.deliver.locate", Feature: "find-my-device",
		Subject:  privacy.Subject{ID: "person-17", Tenant: "contoso"},
		Switches: map[string]bool{"find-my-device": true},
		Anchors:  map[retention.Anchor]time.Time{"used_at": at},
		Fields:   map[string]any{"deviceName": "JANES-LAPTOP", "build": 26100, "ip": "192.0.2.17"},
	})
	if err != nil {
		log.Fatal(err) // could not decide; a denial is a result
	}
	fmt.Println(res.Fields, "until", res.Retention.Latest)
	fmt.Println(res.Explain())
}
