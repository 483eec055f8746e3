package consentcmd

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// text is what is known of a subject, for a person.
func (s *showing) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "as of %s, ", stamp(s.Valid))
	if s.Known.IsZero() {
		fmt.Fprintln(&b, "all that is known")
	} else {
		fmt.Fprintf(&b, "as known at %s\n", stamp(s.Known))
	}
	switch {
	case s.Erased:
		fmt.Fprintln(&b, "erased: what was recorded of this subject can no longer be read by anybody")
	case len(s.Answers) == 0:
		fmt.Fprintln(&b, "no answer of this subject is known")
	}
	if s.Restricted {
		fmt.Fprintln(&b, "restricted: nothing may be done with the data (GDPR Art. 18)")
	}
	if s.Merged > 0 {
		fmt.Fprintf(&b, "merged: includes what %s said until they turned out to be the same person; where answers differ, the more restrictive counts\n", plural(uint64(s.Merged), "other subject"))
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i := range s.Answers {
		a := &s.Answers[i]
		details := details(&a.Event)
		if a.Refused != "" {
			details = append([]string{"but refused by " + a.Refused}, details...)
		}
		if a.Other {
			details = append(details, "said before the merge")
		}
		fmt.Fprintf(table, "%s\t%s\tsince %s\t%s\t%s\n", clean(subjectOf(&a.Event)), a.State, stamp(a.Valid), a.ID, clean(strings.Join(details, ", ")))
	}
	_ = table.Flush() // into memory
	if len(s.Decisions) > 0 {
		fmt.Fprintln(&b, "\nby the policy, asked with the purpose alone:")
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for i := range s.Decisions {
			d := &s.Decisions[i]
			why := string(d.Reason)
			if len(d.Evidence) > 0 {
				why += " " + d.Evidence[0].ID
			}
			if !d.NotAfter.IsZero() {
				why += ", until " + stamp(d.NotAfter)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", clean(d.Purpose), d.Outcome, clean(why))
		}
		_ = table.Flush()
	}
	return trimmed(b.Bytes())
}

// trimmed takes blanks from the ends of lines, which an empty last column leaves.
func trimmed(b []byte) []byte {
	var out []byte
	for l := range bytes.Lines(b) {
		out = append(append(out, bytes.TrimRight(l, " \n")...), '\n')
	}
	return out
}

// subjectOf is what an event is about, for a person.
func subjectOf(ev *ledger.Event) string {
	if ev.Claim != "" {
		return "claim " + ev.Claim
	}
	return strings.TrimSpace(ev.Scope.Purpose + " " + scopeText(&ev.Scope))
}

// scopeText is what narrows a scope down; empty: nothing.
func scopeText(s *consent.Scope) string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	add("to", string(s.Operation))
	add("by", s.Channel)
	add("for recipient", s.Recipient)
	add("asked by", s.Service)
	add("from class", s.From)
	add("to class", s.To)
	for _, o := range s.Origins {
		add("origin class", o.Class)
		add("origin service", o.Service)
	}
	add("attributes", strings.Join(s.Attributes, "+"))
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// details are what else an event says.
func details(ev *ledger.Event) []string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, strings.TrimSpace(what+" "+value))
		}
	}
	add("", string(ev.Strength))
	if ev.Notice.ID != "" {
		add("notice", ev.Notice.ID+"@"+ev.Notice.Version)
	}
	add("until", stamp(ev.Expires))
	add("by", string(ev.By))
	if ev.AfterConflict {
		parts = append(parts, "after notice of a conflicting signal")
	}
	add("method", ev.Method)
	add("evidence", ev.Evidence)
	add("note", ev.Note)
	add("result", string(ev.Result))
	if ev.LiveKey {
		parts = append(parts, "a key that links lives")
	}
	return parts
}
