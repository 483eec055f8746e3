package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/retention"
)

// planFlags are the flags of the commands that plan records: the policy, and the
// instant of the question.
type planFlags struct {
	policy, at string
	pins       pins
}

func (f *planFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVarP(&f.policy, "policy", "p", defaultPolicy, "policy: a YAML `file`, a bundle from privet compile, or pack:NAME")
	flags.StringVar(&f.at, "at", "", "`instant` of the question, such as 2026-03-28T10:00:00Z (default: now)")
	f.pins.register(c)
	_ = c.RegisterFlagCompletionFunc("policy", completePolicy)
}

// instant is the instant of the question.
func (f *planFlags) instant(e *env) (time.Time, error) {
	if f.at == "" {
		return e.now().UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return at, mended("--at is not an instant", "write it as 2026-03-28T10:00:00Z")
	}
	return at.UTC(), nil
}

// recordHelp says what a record is, for the help of each command that reads some.
const recordHelp = `A record is a JSON object with id and, where they are known, categories, class,
region, purpose, tenant, attr (texts, numbers and booleans; conditions read them as
texts in subject.attr), events, withdrawn (instants by name), holds, erasure, copies
and removed. docs/retention.md describes them.`

func newPlan(e *env) *cobra.Command {
	var f planFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan RECORD.json",
		Short: "Say of one record from when it may be deleted, by when it must be gone, and why",
		Long: `Plan answers for one record: may it be deleted, from when, by when must it be gone,
by which rule of which source, and what every other rule had to say. It deletes
nothing. Without a period that a rule states it says so and invents none.

` + recordHelp + `

Exit status: 0 the plan was made, 1 the record is bad, 2 could not start.`,
		Example: `  privet plan record.json --at 2026-03-02T00:00:00Z
  privet plan --policy policy.yaml --json record.json | jq .latest
  echo '{"id":"r1","class":"service.required","events":{"used_at":"2026-03-28T10:00:00Z"}}' | privet plan -`,
		Args: oneRecord,
		RunE: func(c *cobra.Command, args []string) error {
			_, _, plan, err := planOne(e, &f, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				_, err = e.stdout.Write(append(plan.AppendJSON(nil), '\n'))
			} else {
				_, err = io.WriteString(e.stdout, planText(plan))
			}
			if err != nil {
				return &writeError{err}
			}
			return nil
		},
	}
	f.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "write the plan as JSON, with stable keys")
	return c
}

func oneRecord(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return mended(c.Name()+" wants one record", "name its file, or - for standard input; for many records: privet sweep")
	}
	return nil
}

// planText is a plan for a person, the answer first.
func planText(p *retention.Plan) string {
	var b strings.Builder
	last := ""
	line := func(label, text string) {
		if label == last {
			label = ""
		} else {
			last = label
		}
		fmt.Fprintf(&b, "  %-11s%s\n", label, onOneLine(text))
	}
	name := p.Category
	if name == "" {
		name = "the record"
	}
	fmt.Fprintf(&b, "%s: %s\n", onOneLine(name), statusText(p))
	line("asked at", stamp(p.Now))
	line("earliest", earliestText(p))
	line("latest", latestText(p))
	if p.Hold != "" {
		line("hold", p.Hold+by(p, p.Hold))
	}
	for c := retention.Primary; c <= retention.Media; c++ {
		if p.Differs(c) {
			line("copies", windowText(p, p.Window(c)))
		}
	}
	for i := range p.Phases {
		line("phases", phaseText(&p.Phases[i], p.Now))
	}
	for i := range p.Notices {
		line("notices", noticeText(&p.Notices[i], p.Now))
	}
	for _, a := range p.Missing {
		line("waits for", string(a))
	}
	if p.Status != retention.NoRule {
		for _, c := range p.NoRule {
			if c == "" {
				c = "data without a category"
			}
			line("no rule", c)
		}
	}
	for _, x := range p.Exemptions {
		until := "not erasable yet"
		if !x.Until.IsZero() {
			until = "erasable from " + stamp(x.Until)
		}
		line("exemptions", x.Rule+by(p, x.Rule)+": "+until)
	}
	for i := range p.Trail {
		text := p.Trail[i].String()
		if category := p.Trail[i].Category; p.Category == "" && category != "" {
			text = category + ": " + text
		}
		line("trail", text)
	}
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// onOneLine keeps what authors wrote from doing things to a terminal.
func onOneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || '\u0080' <= r && r <= '\u009f' {
			return ' '
		}
		return r
	}, s)
}

// by is the source of a rule or hold, in brackets.
func by(p *retention.Plan, rule string) string {
	for i := range p.Trail {
		if s := &p.Trail[i]; s.Rule == rule && s.Source != "" {
			return " [" + s.Source + "]"
		}
	}
	return ""
}

func statusText(p *retention.Plan) string {
	switch p.Status {
	case retention.Keep:
		if p.Earliest.IsZero() {
			return "keep, no end is known"
		}
		return "keep"
	case retention.Deletable:
		return "deletable: may be deleted"
	case retention.Due:
		return "due: should be deleted"
	case retention.Overdue:
		if !p.Breach {
			return "overdue: should be gone already (a habit: worth a warning, no breach)"
		}
		return "overdue: must be gone already"
	case retention.PendingEvent:
		return "pending_event: keep, an event has not happened"
	case retention.NoRule:
		return "no_rule: no rule is known, no period is stated"
	case retention.Held:
		return "held by " + p.Hold + ": not to be deleted"
	}
	text := "conflict, kept: the floor " + p.Floor + " ends after the ceiling " + p.Ceiling
	if p.Decided {
		return text + ", and is stronger: keeping is right"
	}
	return text + ", and is no stronger: the rules must be corrected"
}

func earliestText(p *retention.Plan) string {
	text := stamp(p.Earliest)
	if p.Earliest.IsZero() {
		switch {
		case p.Status == retention.NoRule:
			return "none"
		case p.Status == retention.Held:
			return "when " + p.Hold + " is released"
		case len(p.Missing) > 0:
			return "not known yet"
		}
		return "no end of keeping is known"
	}
	var rules []string
	if p.Floor != "" {
		rules = append(rules, "floor "+p.Floor+by(p, p.Floor))
	}
	if p.Delete != "" {
		rules = append(rules, "wish "+p.Delete+by(p, p.Delete))
	}
	if len(rules) == 0 {
		return text + ", nothing asks for keeping"
	}
	return text + ", " + strings.Join(rules, ", ")
}

func latestText(p *retention.Plan) string {
	if p.Latest.IsZero() {
		return "no ceiling is known"
	}
	text := stamp(p.Latest) + ", " + p.Strength.String() + " ceiling " + p.Ceiling + by(p, p.Ceiling)
	if p.OverdueBecauseHeld {
		text += ", late because held"
	}
	return text
}

func windowText(p *retention.Plan, w retention.Window) string {
	text := w.Copy.String() + ": " + strings.ReplaceAll(w.Status.String(), "_", " ")
	if !w.Earliest.IsZero() {
		text += ", from " + stamp(w.Earliest)
	}
	if !w.Latest.IsZero() {
		text += ", gone by " + stamp(w.Latest) + " (" + w.Ceiling + by(p, w.Ceiling) + ")"
	}
	if w.Method != 0 {
		text += ", media at least: " + w.Method.String()
	}
	return text
}

func phaseText(ph *retention.Phase, now time.Time) string {
	text := ph.Name
	if ph.At(now) {
		text += " (now)"
	}
	if !ph.Start.IsZero() {
		text += " from " + stamp(ph.Start)
	}
	if !ph.End.IsZero() {
		text += " until " + stamp(ph.End)
	}
	switch {
	case len(ph.Allow) == 0:
		return text + ": nothing is allowed"
	case ph.Allows("*"):
		return text + ": everything is allowed"
	}
	return text + ": allows " + strings.Join(ph.Allow, ", ")
}

func noticeText(n *retention.Announcement, now time.Time) string {
	text := stamp(n.Due)
	if n.Due.After(now) {
		text += ", ahead"
	} else {
		text += ", past"
	}
	if n.Purpose != "" {
		text += ": " + n.Purpose
	}
	if len(n.Channels) > 0 {
		text += " by " + strings.Join(n.Channels, ", ")
	}
	return text + " (" + n.Rule + ")"
}
