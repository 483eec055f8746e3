package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/consentcmd"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// newConsent mounts the commands for ledgers in folders.
func newConsent(e *env) *cobra.Command {
	return consentcmd.New(&consentcmd.Env{
		Program: "privet", Stdin: e.stdin, Stdout: e.stdout, Stderr: e.stderr, Now: e.now, Terminal: e.terminal, Typed: e.typed,
		Policy: func(c *cobra.Command) func() (*privacy.Bundle, error) {
			where := c.Flags().String("policy", "", "ask this policy about each purpose: a YAML `file`, a bundle from privet compile, or pack:NAME")
			var pins pins
			pins.register(c)
			_ = c.RegisterFlagCompletionFunc("policy", completePolicy)
			return func() (*privacy.Bundle, error) {
				if *where == "" {
					return nil, nil
				}
				return pins.load(*where)
			}
		},
		Subjects: func(c *cobra.Command) func(context.Context) (consentcmd.Pseudonymise, error) {
			var keys keysFlags
			var scope subjectScope
			keys.register(c.Flags())
			// Here they are for one thing only.
			c.Flags().Lookup("keys").Usage = "secrets that make the pseudonym of a subject, with --subject-scope: a `store` that privet keys made, or a plain file"
			scope.register(c.Flags())
			return func(ctx context.Context) (consentcmd.Pseudonymise, error) {
				if scope == "" && keys.file == "" && keys.tombstones == "" {
					return nil, nil
				}
				if scope == "" {
					return nil, mended("--keys make no pseudonym of a subject without a scope", "say which, as privet process made it: --subject-scope TENANT/PURPOSE/CATEGORY")
				}
				if keys.file == "" {
					return nil, mended("--subject-scope wants secrets", "name the store that privet process uses: --keys secrets.privet")
				}
				store, err := keys.open(ctx)
				if err != nil {
					return nil, err
				}
				return scope.of(&keys, store)
			}
		},
	})
}

// A subjectScope says which pseudonym stands for a subject in a ledger: that of the
// tenant, the purpose and the category, as text TENANT/PURPOSE/CATEGORY; empty: the
// ledger knows subjects as events name them.
type subjectScope string

func (s *subjectScope) register(flags *pflag.FlagSet) {
	flags.StringVar((*string)(s), "subject-scope", "", "the ledger knows a subject by the pseudonym of this scope, written `TENANT/PURPOSE/CATEGORY` (default: by what names the subject)")
}

// of gives what makes the pseudonyms: the ones that privet process writes in place of a
// field of this tenant, purpose and category.
func (s subjectScope) of(keys *keysFlags, store pseudonym.SecretStore) (consentcmd.Pseudonymise, error) {
	rest, category, ok := cutLast(string(s), "/")
	tenant, purpose, more := cutLast(rest, "/")
	if !ok || !more || tenant == "" || purpose == "" || category == "" {
		return nil, mended("--subject-scope is not a scope", "write tenant, purpose and category: contoso/service.deliver.locate/user.contact.email")
	}
	bundle, err := loadPolicy(defaultPolicy) // pseudonyms are the same under every policy
	if err != nil {
		return nil, err
	}
	guard, err := privacy.Open(bundle, privacy.WithSecrets(store))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, subject string) (string, error) {
		request, err := json.Marshal(map[string]string{"tenant": tenant, "purpose": purpose, "category": category, "value": subject})
		if err != nil {
			return "", errors.New("the subject is not text")
		}
		answer, err := guard.PseudonymiseJSON(ctx, nil, request)
		switch {
		case errors.Is(err, pseudonym.ErrUnknown):
			return "", keys.noKeyForTenant(store)
		case errors.Is(err, pseudonym.ErrDestroyed), errors.Is(err, pseudonym.ErrPending):
			return "", mended("keys: the tenant's secret is out of use", "see: privet keys list "+keys.file)
		case err != nil:
			return "", mended("no pseudonym can be made of the subject in this scope", "is it written as its category requires, and are tenant, purpose and category 1 to 255 bytes of text?")
		}
		var got struct {
			Token string `json:"token"`
		}
		if err := json.Unmarshal(answer, &got); err != nil || got.Token == "" {
			return "", errInternal
		}
		return got.Token, nil
	}, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// A scopedLedger is asked for subjects as events name them, and knows their pseudonyms.
type scopedLedger struct {
	privacy.Ledger
	make consentcmd.Pseudonymise
}

func (l scopedLedger) View(ctx context.Context, subject string, asOf consent.AsOf) (*consent.View, error) {
	token, err := l.make(ctx, subject)
	if err != nil {
		return nil, err
	}
	return l.Ledger.View(ctx, token, asOf)
}
