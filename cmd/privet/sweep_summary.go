package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/sweep"
)

// A sweepTally counts what came of records: statuses, copies and rules, nothing of a
// record.
type sweepTally struct {
	Status       [retention.Held + 1]int  // records, by the status of the primary copy
	Due, Overdue [retention.Media + 1]int // copies, by kind
	Breaches     int                      // copies overdue against more than a habit
	ByRule       counter                  // overdue copies by the rule of the ceiling
	ByMonth      counter                  // overdue copies by the month of the deadline
	Wishes       counter                  // due copies by the rule of the wish
	First        time.Time                // the earliest deadline that was missed
	key          []byte
}

func (t *sweepTally) add(f *sweep.Finding) {
	switch f.Status {
	case retention.Due:
		t.Due[f.Copy]++
		t.key = append(t.key[:0], f.Delete...)
		// Requests have ids of their own, as many as there are records.
		if e := f.Record.Input.Erasure; e != nil && e.ID == f.Delete {
			t.key = append(t.key[:0], "a request for erasure"...)
		}
		t.Wishes.add(t.key)
	case retention.Overdue:
		t.Overdue[f.Copy]++
		if f.Breach {
			t.Breaches++
		}
		t.key = append(t.key[:0], f.Ceiling...)
		t.ByRule.add(t.key)
		t.key = f.Latest.AppendFormat(t.key[:0], "2006-01")
		t.ByMonth.add(t.key)
		if t.First.IsZero() || f.Latest.Before(t.First) {
			t.First = f.Latest
		}
	}
}

func (t *sweepTally) merge(u *sweepTally) {
	for i, n := range u.Status {
		t.Status[i] += n
	}
	for i := range u.Due {
		t.Due[i] += u.Due[i]
		t.Overdue[i] += u.Overdue[i]
	}
	t.Breaches += u.Breaches
	t.ByRule.merge(&u.ByRule)
	t.ByMonth.merge(&u.ByMonth)
	t.Wishes.merge(&u.Wishes)
	if !u.First.IsZero() && (t.First.IsZero() || u.First.Before(t.First)) {
		t.First = u.First
	}
}

// copiesIn says how many copies of which kind were counted.
func copiesIn(counts [retention.Media + 1]int) (total int, text string) {
	var list []string
	for c, n := range counts {
		if n > 0 {
			total += n
			list = append(list, group(n)+" "+retention.Copy(c).String())
		}
	}
	return total, strings.Join(list, ", ")
}

// A sweepSummary is what a person wants to know of a sweep.
type sweepSummary struct {
	Policy   privacy.PolicyInfo
	Sources  []privacy.Source
	At       time.Time
	Records  int
	BadLines int
	Elapsed  time.Duration
	Tally    sweepTally
}

// sweepOrder lists statuses with what asks for something first.
var sweepOrder = []retention.Status{retention.Overdue, retention.Due, retention.Deletable, retention.Conflict, retention.Held, retention.Keep, retention.PendingEvent, retention.NoRule}

const (
	mostRules  = 20 // that a summary names
	mostMonths = 60 // that a report lists; beyond them it lists years
)

func (s *sweepSummary) print(w io.Writer) {
	t := &s.Tally
	if s.Records == 0 && s.BadLines == 0 {
		fmt.Fprintln(w, "privet: the input is empty: no record, nothing to plan")
		return
	}
	line := columns(w)
	fmt.Fprintln(w, took(s.Records, "record", s.Elapsed))
	line("policy", fmt.Sprintf("%s version %d, fingerprint %.12s…", s.Policy.Name, s.Policy.Version, s.Policy.Fingerprint))
	line("asked at", stamp(s.At))
	for _, st := range sweepOrder {
		if n := t.Status[st]; n > 0 {
			line("status", fmt.Sprintf("%s %s: %s", group(n), st, statuses[st.String()]))
		}
	}
	if n, kinds := copiesIn(t.Due); n > 0 {
		line("due", plural(n, "copy")+": "+kinds)
	}
	if n, kinds := copiesIn(t.Overdue); n > 0 {
		breaches := "; all of them habits, no breach"
		if t.Breaches > 0 {
			breaches = "; " + group(t.Breaches) + " in breach"
		}
		line("overdue", plural(n, "copy")+": "+kinds+breaches)
		rules := t.ByRule.ranked()
		for i, r := range rules {
			if i == mostRules {
				line("by rule", "and "+plural(len(rules)-i, "rule")+" more")
				break
			}
			line("by rule", group(r.N)+" "+r.Key)
		}
		line("since", stamp(t.First)+", the earliest deadline that was missed")
	}
	if s.BadLines > 0 {
		line("bad lines", group(s.BadLines)+", named above; the others were processed")
	}
}

//go:embed sweep.html
var sweepText string

// sweepTemplate has its tables from the report of events.
var sweepTemplate = template.Must(template.Must(reportPage.Clone()).New("sweep").Parse(sweepText))

// page is the report: one HTML page that needs nothing else.
func (s *sweepSummary) page() ([]byte, error) {
	t := &s.Tally
	byStatus := section{ID: "status", Title: "State of records", Unit: "records", Head: "State", About: "Of the primary copy, at the instant of the question."}
	classes := map[retention.Status]string{retention.Overdue: "deny", retention.Due: "partial", retention.Deletable: "allow", retention.Conflict: "deny"}
	for _, st := range sweepOrder {
		if n := t.Status[st]; n > 0 {
			byStatus.add(st.String(), statuses[st.String()], classes[st], n)
		}
	}
	kinds := func(id, title, about, class string, counts [retention.Media + 1]int) section {
		x := section{ID: id, Title: title, Unit: "copies", Head: "Kind of copy", About: about}
		for c, n := range counts {
			if n > 0 {
				x.add(retention.Copy(c).String(), "", class, n)
			}
		}
		return x
	}
	ranked := func(x section, class string, c *counter) section {
		for _, r := range c.ranked() {
			x.add(r.Key, "", class, r.N)
		}
		return x
	}
	months := section{ID: "months", Title: "Overdue by the time of the deadline", Unit: "copies", Head: "To be gone in", About: "In UTC. The first row is the oldest."}
	times := &t.ByMonth
	if len(times.counts) > mostMonths {
		times = &counter{}
		for key, n := range t.ByMonth.counts {
			times.plus(key[:len("2026")], n.N)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(times.counts)) {
		months.add(key, "", "deny", times.of(key))
	}
	var sections []section
	for _, x := range []section{
		byStatus,
		kinds("overdue", "Overdue copies", "These must be gone already.", "deny", t.Overdue),
		ranked(section{ID: "rules", Title: "Overdue by rule", Unit: "copies", Head: "Rule", About: "The ceiling that was missed."}, "deny", &t.ByRule),
		months,
		kinds("due", "Due copies", "These should be deleted: a delete wish is reached.", "partial", t.Due),
		ranked(section{ID: "wishes", Title: "Due by rule", Unit: "copies", Head: "Rule or request", About: "The wish that was reached."}, "partial", &t.Wishes),
	} {
		if len(x.Rows) > 0 {
			sections = append(sections, x)
		}
	}
	first := ""
	if !t.First.IsZero() {
		first = stamp(t.First)
	}
	overdue, _ := copiesIn(t.Overdue)
	due, _ := copiesIn(t.Due)
	var page bytes.Buffer
	err := sweepTemplate.Execute(&page, map[string]any{"Summary": s, "At": stamp(s.At), "First": first, "Overdue": overdue, "Due": due, "Breaches": t.Breaches, "Sections": sections, "Style": riskStyle})
	return page.Bytes(), err
}
