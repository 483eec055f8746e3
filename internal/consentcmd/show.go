package consentcmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/privacy"
)

// asOfFlags pick the part of a history.
type asOfFlags struct{ at, known string }

func (f *asOfFlags) register(c *cobra.Command, without string) {
	c.Flags().StringVar(&f.at, "at", "", "what was true at this `instant` (default: "+without+")")
	c.Flags().StringVar(&f.known, "known", "", "what was known at this `instant` (default: all that is known)")
}

func (f *asOfFlags) get(without time.Time) (asOf ledger.AsOf, err error) {
	if asOf.Valid, err = maybe("--at", f.at, without); err != nil {
		return asOf, err
	}
	asOf.Known, err = maybe("--known", f.known, time.Time{})
	return asOf, err
}

func newShow(e *Env) *cobra.Command {
	var place Place
	var who subjectFlags
	var when asOfFlags
	var asJSON bool
	var asked []string
	c := &cobra.Command{
		Use:   "show",
		Short: "Show what a person's answers are, now or as of any time",
		Long: `Show prints a person's last answer for each purpose and scope: what is true at one
instant, of all that was known at another. So it tells what a decision of that day was
made on, and what it should have been.

With --policy, it asks the policy about each of these purposes, about those by which
data may flow for everybody, and about those that --purpose names; and with nothing but
the purpose: no channel, no residence, no age. What your events say of that can change
the answer.

A person of whom nothing is recorded has no answers; that is no error.`,
		Example: e.named(`  privet consent show --ledger consent --subject p1_1_4HkY
  privet consent show --ledger consent --at 2026-03-01 --known 2026-03-01 < subject
  privet consent show --ledger consent --subject p1_1_4HkY --policy policy.yaml --json`),
		Args: cobra.NoArgs,
	}
	place.register(c.Flags())
	who.register(c, e)
	when.register(c, "now")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, with stable keys")
	c.Flags().StringSliceVar(&asked, "purpose", nil, "ask the policy about this `purpose`, too; give it again for more")
	policy := policyOf(c, e)
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx := c.Context()
		asOf, err := when.get(e.Now().UTC())
		if err != nil {
			return err
		}
		bundle, err := policy()
		if err != nil {
			return err
		}
		if len(asked) > 0 && bundle == nil {
			return mended("--purpose asks a policy", "name it with --policy")
		}
		l, subject, err := opened(ctx, e, place, &who)
		if err != nil {
			return err
		}
		defer l.Close()
		shown := showing{AsOf: asOf}
		if err := shown.read(ctx, l, subject); err != nil {
			return err
		}
		if bundle != nil {
			if err := shown.decide(ctx, l, subject, bundle, asked); err != nil {
				return err
			}
		}
		if asJSON {
			b, err := shown.json()
			if err != nil {
				return err
			}
			return e.print(b)
		}
		return e.print(shown.text())
	}
	return c
}

// opened opens a ledger for reading, and finds out about whom.
func opened(ctx context.Context, e *Env, place Place, who *subjectFlags) (*ledger.Ledger, string, error) {
	if _, err := backendOf(place.Ledger, e.SQL); err != nil {
		return nil, "", err // before anybody is asked for a subject
	}
	subject, err := who.get(ctx, e)
	if err != nil {
		return nil, "", err
	}
	l, err := e.open(ctx, place, Reading)
	return l, subject, err
}

// policyOf gives what reads the policy that the flags name, nil if they name none.
func policyOf(c *cobra.Command, e *Env) func() (*privacy.Bundle, error) {
	if e.Policy != nil {
		return e.Policy(c)
	}
	path := c.Flags().String("policy", "", "ask this policy about each purpose: a bundle, from privet compile")
	return func() (*privacy.Bundle, error) {
		if *path == "" {
			return nil, nil
		}
		file, err := os.Open(*path)
		if err != nil {
			return nil, errors.New("cannot read the policy " + *path + ": " + fileProblem(err))
		}
		defer file.Close()
		data, err := io.ReadAll(io.LimitReader(file, 17<<20)) // a bundle is at most 16 MiB
		if err != nil {
			return nil, errors.New("cannot read the policy " + *path + ": " + fileProblem(err))
		}
		b, err := privacy.ReadBundle(data)
		if err != nil {
			return nil, mended("policy: "+*path+" is no bundle", "make one with: privet compile policy.yaml -o policy.bundle")
		}
		return b, nil
	}
}

// A showing is what is known of a subject.
type showing struct {
	ledger.AsOf
	Erased, Restricted bool
	Merged             int // subjects that turned out to be the same person
	Answers            []answer
	Decisions          []consent.Decision
}

// An answer is the last one in its scope.
type answer struct {
	ledger.Event
	State   string // what it is at the instant
	Refused string // id of a wider refusal that a grant does not lift
	Other   bool   // it was said by a subject who was merged
}

// judge is an engine that knows nothing but consent: what it refuses was refused by
// the person.
func judge(purposes ...string) (*consent.Engine, error) {
	slices.Sort(purposes)
	var policy consent.Policy
	for _, key := range slices.Compact(purposes) {
		policy.Purposes = append(policy.Purposes, consent.Purpose{Key: key, Basis: consent.BasisConsent})
	}
	return consent.New(policy)
}

// standing tells from a view alone whether a subject is erased or restricted: every
// purpose is refused for that reason then.
func standing(v *consent.View, at time.Time) (consent.Reason, error) {
	engine, err := judge("any")
	if err != nil {
		return "", err
	}
	return engine.Decide(v, &consent.Request{Purpose: "any", At: at}).Reason, nil
}

// refused gives the id of the refusal that stands against a grant, in exactly what it
// was given for; empty if there is none.
func refused(engine *consent.Engine, v *consent.View, ev *ledger.Event, at time.Time) string {
	s := &ev.Scope
	d := engine.Decide(v, &consent.Request{
		Purpose: s.Purpose, Operation: s.Operation, Channel: s.Channel, Recipient: consent.Recipient{ID: s.Recipient}, Service: s.Service,
		Promote: consent.Promote{From: s.From, To: s.To}, Combine: consent.Combine{With: s.Origins}, Share: consent.Share{Recipient: s.Recipient, Attributes: s.Attributes},
		At: at,
	})
	switch d.Reason {
	case consent.ReasonWithdrawn, consent.ReasonRefused, consent.ReasonObjected:
		if len(d.Evidence) > 0 {
			return d.Evidence[0].ID
		}
	}
	return ""
}

// read reads the answers of a subject.
func (s *showing) read(ctx context.Context, l *ledger.Ledger, subject string) error {
	view, err := l.View(ctx, subject, s.AsOf)
	if err != nil {
		return err
	}
	reason, err := standing(view, s.Valid)
	if err != nil {
		return err
	}
	s.Erased, s.Restricted = reason == consent.ReasonErased, reason == consent.ReasonRestricted
	if s.Erased {
		return nil
	}
	last := map[string]*answer{}
	seen := map[string]bool{subject: true}
	if err := s.gather(ctx, l, subject, s.AsOf, last, seen); err != nil {
		return err
	}
	s.Merged = len(seen) - 1
	purposes := make([]string, 0, len(last))
	for _, a := range last {
		purposes = append(purposes, a.Scope.Purpose)
	}
	engine, err := judge(purposes...)
	if err != nil {
		return err
	}
	for _, a := range last {
		a.State = string(a.Kind)
		switch {
		case !gives(a.Kind):
		case !a.Expires.IsZero() && !s.Valid.Before(a.Expires):
			a.State = "expired"
		case !s.Restricted: // else everything is refused for that reason
			a.Refused = refused(engine, view, &a.Event, s.Valid)
		}
		s.Answers = append(s.Answers, *a)
	}
	slices.SortFunc(s.Answers, func(a, b answer) int {
		return cmp.Or(cmp.Compare(a.Scope.Purpose, b.Scope.Purpose), cmp.Compare(scopeText(&a.Scope), scopeText(&b.Scope)), cmp.Compare(a.Seq, b.Seq))
	})
	return nil
}

// gather takes the events of a subject, and of those who were merged into them until
// they were.
func (s *showing) gather(ctx context.Context, l *ledger.Ledger, subject string, asOf ledger.AsOf, last map[string]*answer, seen map[string]bool) error {
	other := len(seen) > 1
	var merged []ledger.Event
	for ev, err := range l.Events(ctx, subject, asOf) {
		if err != nil {
			return err
		}
		if ev.Kind == ledger.KindMerged && !seen[ev.Merged] {
			merged = append(merged, ev)
		}
		if ev.Scope.Purpose == "" {
			continue
		}
		a := &answer{Event: ev, Other: other}
		if key := slot(a); last[key] == nil || a.replaces(last[key]) {
			last[key] = a
		}
	}
	for _, ev := range merged {
		seen[ev.Merged] = true
		before := ledger.AsOf{Valid: ev.Valid, Known: asOf.Known}
		if err := s.gather(ctx, l, ev.Merged, before, last, seen); err != nil {
			return err
		}
	}
	return nil
}

// slot is what one answer replaces another in. The service that asked belongs to it
// where the view of package consent says so. What two subjects said who were merged
// stands side by side.
func slot(a *answer) string {
	scope, by := a.Scope, a.By
	switch scope.Operation {
	case consent.OpPromote, consent.OpCombine:
	case "", consent.OpCollect, consent.OpExport, consent.OpErase:
		scope.Operation, scope.Service = consent.OpUse, ""
	default:
		scope.Service = ""
	}
	if by == "" {
		by = consent.BySubject
	}
	return fmt.Sprintf("%t %q", a.Other, []any{by, scope.Purpose, scope.Operation, scope.Channel, scope.Recipient, scope.Service, scope.From, scope.To, scope.Origins, scope.Attributes})
}

// replaces reports whether a counts rather than an older one of the same scope. That
// somebody was asked, or put the answer off, replaces no answer; at one instant the
// most restrictive counts.
func (a *answer) replaces(old *answer) bool {
	if answers, did := rank(a.Kind) > 0, rank(old.Kind) > 0; answers != did {
		return answers
	}
	if c := a.Valid.Compare(old.Valid); c != 0 {
		return c > 0
	}
	return rank(a.Kind) >= rank(old.Kind)
}

// rank orders answers of one instant as package consent does.
func rank(k ledger.Kind) int {
	return 1 + slices.IndexFunc([][]ledger.Kind{
		{ledger.KindGranted, ledger.KindRenewed}, {ledger.KindInvalidated, ledger.KindTerminated},
		{ledger.KindDenied}, {ledger.KindWithdrawn}, {ledger.KindObjected},
	}, func(kinds []ledger.Kind) bool { return slices.Contains(kinds, k) })
}

// then gives a guard the ledger as it was known.
type then struct {
	ledger *ledger.Ledger
	known  time.Time
}

func (t then) View(ctx context.Context, subject string, asOf consent.AsOf) (*consent.View, error) {
	asOf.Known = t.known
	return t.ledger.View(ctx, subject, asOf)
}

// decide asks a policy about the given purposes, those that the person said something
// about, and those by which data may flow without a switch of theirs.
func (s *showing) decide(ctx context.Context, l *ledger.Ledger, subject string, bundle *privacy.Bundle, purposes []string) error {
	guard, err := privacy.Open(bundle, privacy.WithLedger(then{l, s.Known}))
	if err != nil {
		return err
	}
	for i := range s.Answers {
		purposes = append(purposes, s.Answers[i].Scope.Purpose)
	}
	for _, flow := range guard.Inventory(nil, nil) {
		purposes = append(purposes, flow.Purpose)
	}
	slices.Sort(purposes)
	for _, purpose := range slices.Compact(purposes) {
		if purpose == "" {
			continue
		}
		d, err := guard.Decide(ctx, consent.Request{Subject: consent.Subject{ID: subject}, Purpose: purpose, At: s.Valid})
		if err != nil {
			return err
		}
		if d.Purpose == "" {
			d.Purpose = purpose // not declared: the answer is about it all the same
		}
		s.Decisions = append(s.Decisions, d)
	}
	return nil
}

func (s *showing) json() ([]byte, error) {
	type one struct {
		line
		State   string `json:"state"`
		Refused string `json:"refused_by,omitempty"`
		Other   bool   `json:"other,omitempty"`
	}
	out := struct {
		At         time.Time         `json:"at"`
		Known      time.Time         `json:"known,omitzero"`
		Erased     bool              `json:"erased"`
		Restricted bool              `json:"restricted"`
		Merged     int               `json:"merged"`
		Answers    []one             `json:"answers"`
		Decisions  []json.RawMessage `json:"decisions,omitempty"`
	}{At: s.Valid, Known: s.Known, Erased: s.Erased, Restricted: s.Restricted, Merged: s.Merged, Answers: []one{}}
	for i := range s.Answers {
		a := &s.Answers[i]
		out.Answers = append(out.Answers, one{lineOf(&a.Event), a.State, a.Refused, a.Other})
	}
	for _, d := range s.Decisions {
		out.Decisions = append(out.Decisions, d.AppendJSON(nil))
	}
	return jsonLine(out)
}
