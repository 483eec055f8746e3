package slogprivacy_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/slogprivacy"
)

// One line more than a log without it.
func Example() {
	json := slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	logger := slog.New(slogprivacy.New(json, classify.Builtin()))

	logger.Info("mail to jane@example.com failed", "attempt", 3, "phone", "+1 425 555 0100")
	logger.Error("send", "err", fmt.Errorf("550: %w", errors.New("no mailbox jane@example.com")))
	// Output:
	// {"msg":"mail to [user.contact.email] failed","attempt":3,"phone":"[user.contact.phone_number]"}
	// {"msg":"send","err":"550: no mailbox [user.contact.email]"}
}

// Fields of structs go by their names, their values and their tags.
func ExampleNew() {
	type customer struct {
		ID     int    `json:"nr"`
		Email  string `json:"email"`
		Nick   string `json:"nick" privacy:"user.account.username"` // its name says nothing
		Remark string `json:"order_ref"`
		secret string
	}
	json := slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	logger := slog.New(slogprivacy.New(json, classify.Builtin()))

	c := customer{ID: 7, Email: "jane@example.com", Nick: "jd", Remark: "see mail of john@example.com", secret: "x"}
	logger.With("password", "hunter2").Info("stored", "customer", c, slog.Group("net", "remote_addr", "192.0.2.17", "port", 443))
	// Output:
	// {"msg":"stored","password":"[user.authorization.password]","customer":{"email":"[user.contact.email]","nick":"[user.account.username]","nr":7,"order_ref":"see mail of [user.contact.email]"},"net":{"remote_addr":"[user.device.ip_address]","port":443}}
}

// Only what is named is replaced.
func ExampleWithCategories() {
	json := slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	logger := slog.New(slogprivacy.New(json, classify.Builtin(), slogprivacy.WithCategories("user.contact", "user.authorization")))

	logger.Info("stored", "email", "jane@example.com", "user_agent", "curl/8.5", "city", "Berlin", "locale", "de-DE")
	// Output:
	// {"msg":"stored","email":"[user.contact.email]","user_agent":"curl/8.5","city":"[user.contact.address.city]","locale":"de-DE"}
}

// A policy decides, and gives pseudonyms, by which lines about one person can be found
// again without saying who that is.
func ExampleWithEvent() {
	bundle, err := policy.CompileFile("testdata/logging.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := privacy.Open(bundle, privacy.WithClock(time.Now), privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	if err != nil {
		fmt.Println(err)
		return
	}
	text := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == "email" { // tokens differ in each run
			a.Value = slog.StringValue(a.Value.String()[:5] + "…")
		}
		return withoutTime(groups, a)
	}})
	logger := slog.New(slogprivacy.New(text, guard, slogprivacy.WithEvent(privacy.Event{
		Class: "service", Purpose: "operations.logging", Subject: privacy.Subject{Tenant: "contoso"},
	})))

	logger.Info("stored", "email", "jane@example.com", "remote_addr", "192.0.2.17", "password", "hunter2", "status", 200)
	// Output:
	// msg=stored email=p1_1_… remote_addr=192.0.2.0 status=200
}
