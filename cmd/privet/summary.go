package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/privetdev/privet/privacy"
)

// A summary is what a person wants to know of a run. It has counts, codes and
// names from the policy; nothing of an event.
type summary struct {
	Policy   privacy.PolicyInfo
	Sources  []privacy.Source
	Events   int
	BadLines int
	Elapsed  time.Duration
	Tally    tally
}

// outcomes, in the order in which people expect them, with what they mean.
var outcomes = []struct{ key, text string }{
	{"allow", "all fields allowed"},
	{"partial", "some fields allowed"},
	{"ask", "nothing yet; a consent would change that"},
	{"deny", "nothing allowed"},
}

// actions, from the least to the most that is done to a field.
var actions = []struct{ key, text string }{
	{"keep", "kept as they are"},
	{"generalise", "made less precise"},
	{"mask", "masked"},
	{"pseudonymise", "replaced by pseudonyms"},
	{"redact", "replaced by a constant"},
	{"drop", "dropped"},
	{"withhold", "withheld from an export"},
}

// reasons say in words what each code of package consent stands for.
var reasons = map[string]string{
	"POLICY_UNAVAILABLE": "there is no policy",
	"INVALID_REQUEST":    "the event contradicts itself or lacks what a decision needs",
	"UNKNOWN_PURPOSE":    "the policy does not know the purpose",
	"NOT_PERSONAL":       "no longer personal, by a recorded check",
	"PROHIBITED":         "the policy prohibits it, whatever was consented to",
	"NOT_DECLARED":       "not among what the feature, class or source declares",
	"RESIDENCY":          "outside the region in which it may be stored or seen",
	"RULE_ERROR":         "a rule could not be evaluated",
	"LEGAL_OBLIGATION":   "the law requires it",
	"VITAL_INTEREST":     "a life is at stake",
	"ADMIN_DISABLED":     "the administrator has switched the feature off",
	"FEATURE_OFF":        "the person has switched the feature off",
	"ERASED":             "the person's data was erased",
	"RESTRICTED":         "the person's data is restricted",
	"WITHDRAWN":          "the person has withdrawn consent",
	"REFUSED":            "the person has refused",
	"OBJECTED":           "the person has objected",
	"GUARDIAN_REQUIRED":  "too young to consent alone",
	"AGE_UNKNOWN":        "the person's age is not known well enough",
	"SIGNAL_GPC":         "the person's browser says do not sell or share",
	"SIGNAL_GPP":         "a signal in a GPP string opts out",
	"SIGNAL_USP":         "a US privacy string opts out of sale",
	// In trails only: it lifts a signal and decides nothing.
	"SIGNAL_OVERRIDDEN_BY_CONSENT": "a later consent goes before the signal",

	"EXPLICIT_CONSENT_REQUIRED": "explicit consent is needed",
	"PROMOTION_NEEDS_CONSENT":   "moving data to another class needs consent",
	"COMBINATION_NEEDS_CONSENT": "combining data needs consent",
	"SHARE_NEEDS_CONSENT":       "sharing data needs consent",
	"CONSENT":                   "the person has consented",
	"CONSENT_UNSET":             "the person was not asked yet",
	"CONSENT_EXPIRED":           "the person's consent has expired",
	"CONSENT_STALE":             "what the person consented to has changed",
	"CONTRACT":                  "needed for what the person uses",
	"ESSENTIAL":                 "an essential feature",
	"LEGITIMATE_INTEREST":       "a legitimate interest",
	"PUBLIC_TASK":               "a public task laid down by law",
	"OPT_OUT_REGIME_DEFAULT":    "allowed until the person opts out",
	"DEFAULT_DENY":              "no rule allows it",
}

// notes say why an action was not the one that the policy asked for.
var notes = map[string]string{
	"NOT_CANONICAL":  "not of the form that its pseudonym needs, so dropped",
	"NO_SECRETS":     "no keys for pseudonyms, so dropped",
	"NO_TENANT":      "the event names no tenant or no purpose, so no pseudonym; dropped",
	"NO_KEY":         "the tenant has no key, so no pseudonym; dropped",
	"TOO_LONG":       "longer than what is looked into, so dropped",
	"NOT_APPLICABLE": "the action does not fit the value, so dropped",
}

// statuses say what may be done with a copy at the instant of its event.
var statuses = map[string]string{
	"keep":          "to be kept for now",
	"pending_event": "waits for something to happen",
	"deletable":     "may be deleted at any time",
	"due":           "wanted to be deleted, and may be",
	"overdue":       "past its deadline",
	"held":          "under a hold",
	"conflict":      "rules contradict each other",
	"no_rule":       "no rule says how long",
}

// A told is the summary of a run.
type told interface {
	page() ([]byte, error) // for a browser
	print(w io.Writer)     // for a terminal or a log
}

// tell gives the summary of a run that had some bad lines to people, and says how
// the command ends.
func tell(e *env, sum told, report string, bad int) error {
	if report != "" {
		page, err := sum.page()
		if err != nil {
			return err
		}
		if err := writeWhole(report, page, e.stdout); err != nil {
			return err
		}
	}
	sum.print(e.stderr)
	if bad > 0 {
		return &status{code: exitBad}
	}
	return nil
}

// columns writes lines with a label in front, where it is another than that of the
// line before.
func columns(w io.Writer) func(label, text string) {
	last := ""
	return func(label, text string) {
		if label == last {
			label = ""
		} else {
			last = label
		}
		fmt.Fprintf(w, "  %-11s%s\n", label, text)
	}
}

// took says how long a run was and, where that tells something, how fast: a short
// one is mostly starting up.
func took(n int, noun string, elapsed time.Duration) string {
	text := plural(n, noun) + " in " + short(elapsed)
	if seconds := elapsed.Seconds(); seconds >= 2 {
		text += fmt.Sprintf(" (%s %ss/s)", group(int64(float64(n)/seconds)), noun)
	}
	return text
}

// print writes the summary for a person on a terminal or in a log.
func (s *summary) print(w io.Writer) {
	t := &s.Tally
	if s.Events == 0 && s.BadLines == 0 {
		fmt.Fprintln(w, "privet: the input is empty: no event, nothing to decide")
		return
	}
	line := columns(w)
	fmt.Fprintln(w, took(s.Events, "event", s.Elapsed))
	line("policy", fmt.Sprintf("%s version %d, fingerprint %.12s…", s.Policy.Name, s.Policy.Version, s.Policy.Fingerprint))
	for _, o := range outcomes {
		if n := t.Outcomes.of(o.key); n > 0 {
			line("outcome", fmt.Sprintf("%s %s: %s", group(n), o.key, o.text))
		}
	}
	line("fields", group(t.Fields)+": "+did(t.Actions))
	if t.Spans > 0 {
		line("in texts", plural(t.Spans, "piece")+": "+did(t.Pieces))
	}
	for _, r := range t.reasons() {
		line("reasons", fmt.Sprintf("%s %s: %s (%s)", group(r.N), verb[r.Outcome], r.Text, r.Code))
	}
	for _, n := range t.Notes.ranked() {
		line("notes", fmt.Sprintf("%s: %s (%s)", plural(n.N, "field"), cmp.Or(notes[n.Key], "see the documentation"), n.Key))
	}
	line("deadlines", s.deadlines())
	if s.BadLines > 0 {
		line("bad lines", group(s.BadLines)+", named above; the others were processed")
	}
}

var verb = map[string]string{"allow": "allowed", "partial": "allowed in part", "ask": "to be asked for", "deny": "denied"}

// did says what was done how often, in the order of actions.
func did(c counter) string {
	var list []string
	for _, a := range actions {
		if n := c.of(a.key); n > 0 {
			list = append(list, group(n)+" "+a.text)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// A reasonRow is a reason with its count. Counts are fields.
type reasonRow struct {
	Outcome, Code, Text string
	N                   int
}

func (t *tally) reasons() []reasonRow {
	var rows []reasonRow
	for _, r := range t.Reasons.ranked() {
		outcome, code, _ := strings.Cut(r.Key, " ")
		rows = append(rows, reasonRow{outcome, code, cmp.Or(reasons[code], "see the documentation"), r.N})
	}
	return rows
}

// A dueRow is a day, month or year in which copies must be gone.
type dueRow struct {
	When, Strength string
	N              int
}

// due lists deadlines by day; by month or year where days would be too many to
// read. None are the events without one.
func (t *tally) due(most int) (rows []dueRow, none int) {
	for _, width := range []int{len("2026-03-28"), len("2026-03"), len("2026")} {
		rows, none = rows[:0], 0
		fits := true
		sum := map[[2]string]int{}
		for _, d := range t.Deadlines.ranked() {
			day, strength, _ := strings.Cut(d.Key, " ")
			switch {
			case day == "":
				none += d.N
				continue
			case len(day) < width:
				fits = false
			default:
				day = day[:width]
			}
			sum[[2]string{day, strength}] += d.N
		}
		for key, n := range sum {
			rows = append(rows, dueRow{key[0], key[1], n})
		}
		if fits && len(rows) <= most {
			break
		}
	}
	slices.SortFunc(rows, func(a, b dueRow) int {
		return cmp.Or(cmp.Compare(a.When, b.When), cmp.Compare(a.Strength, b.Strength))
	})
	return rows, none
}

// deadlines is one line about when copies must be gone.
func (s *summary) deadlines() string {
	rows, none := s.Tally.due(1 << 30)
	var list []string
	if len(rows) > 0 {
		text := plural(s.Events-none, "copy")
		if first, last := rows[0].When, rows[len(rows)-1].When; first == last {
			text += " to be gone on " + first
		} else {
			text += " to be gone from " + first + " to " + last
		}
		byStrength := counter{}
		for _, r := range rows {
			byStrength.plus(r.Strength, r.N)
		}
		var strengths []string
		for _, c := range byStrength.ranked() {
			strengths = append(strengths, group(c.N)+" "+c.Key)
		}
		list = append(list, text+" ("+strings.Join(strengths, ", ")+")")
	}
	if none > 0 {
		list = append(list, plural(none, "copy")+" without a deadline")
	}
	if s.Tally.Waiting > 0 {
		list = append(list, plural(s.Tally.Waiting, "copy")+" with a rule that waits for something to happen")
	}
	if n := s.Tally.Status.of("overdue"); n > 0 {
		list = append(list, plural(n, "copy")+" overdue already")
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}

func plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return group(n) + " " + strings.TrimSuffix(noun, "y") + "ies"
	}
	return group(n) + " " + noun + "s"
}

// short writes a duration to two or three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

//go:embed report.html
var reportText string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{"group": group[int], "share": share}).Parse(reportText))

// share is n of total in percent, for the width of a bar.
func share(n, total int) string {
	if total <= 0 {
		return "0"
	}
	return fmt.Sprintf("%.2f", 100*float64(n)/float64(total))
}

// A section of the report is a table with a bar for each row.
type section struct {
	ID, Title, About, Unit string
	Head                   string // of the first column
	Rows                   []row
	Max                    int
	Total                  int
}

type row struct {
	Label, Detail, Class string
	N                    int
}

func (s *section) add(label, detail, class string, n int) {
	s.Rows = append(s.Rows, row{label, detail, class, n})
	s.Max = max(s.Max, n)
	s.Total += n
}

// page is the report: one HTML page that needs nothing else.
func (s *summary) page() ([]byte, error) {
	t := &s.Tally
	bySums := section{ID: "outcomes", Title: "Outcome of events", Unit: "events", Head: "Outcome", About: "What was decided about each event as a whole."}
	for _, o := range outcomes {
		if n := t.Outcomes.of(o.key); n > 0 {
			bySums.add(o.key, o.text, o.key, n)
		}
	}
	byAction := section{ID: "actions", Title: "Fields by action", Unit: "fields", Head: "Action", About: "What was done to each field on its way into the permitted copy."}
	for _, a := range actions {
		if n := t.Actions.of(a.key); n > 0 {
			byAction.add(a.key, a.text, a.key, n)
		}
	}
	byPiece := section{ID: "pieces", Title: "Pieces of text by action", Unit: "pieces", Head: "Action", About: "What was found inside free text and treated piece by piece."}
	for _, a := range actions {
		if n := t.Pieces.of(a.key); n > 0 {
			byPiece.add(a.key, a.text, a.key, n)
		}
	}
	byCategory := section{ID: "categories", Title: "Fields by category", Unit: "fields", Head: "Category", About: "What kind of data was found, in fields and inside texts."}
	for _, c := range t.Labels.ranked() {
		if c.Key == "" {
			byCategory.add("not classified", "not personal as far as the rules can tell", "none", c.N)
		} else {
			byCategory.add(c.Key, "", "", c.N)
		}
	}
	byReason := section{ID: "reasons", Title: "Decisions by reason", Unit: "fields", Head: "Reason", About: "Why fields were allowed or not."}
	for _, r := range t.reasons() {
		byReason.add(r.Code, verb[r.Outcome]+": "+r.Text, r.Outcome, r.N)
	}
	byDay := section{ID: "deadlines", Title: "Timeline of deadlines", Unit: "events", Head: "To be gone by", About: "By when the permitted copies must be gone, in UTC, and how binding that is."}
	rows, none := t.due(60)
	for _, r := range rows {
		byDay.add(r.When, r.Strength, r.Strength, r.N)
	}
	if none > 0 {
		byDay.add("no deadline", "no rule gives one, or it waits for something to happen", "none", none)
	}
	byStatus := section{ID: "status", Title: "State of copies", Unit: "events", Head: "State", About: "At the instant of each event."}
	for _, c := range t.Status.ranked() {
		byStatus.add(c.Key, statuses[c.Key], "", c.N)
	}
	for _, c := range t.Notes.ranked() {
		byAction.About += " " + plural(c.N, "field") + ": " + cmp.Or(notes[c.Key], c.Key) + "."
	}
	var sections []section
	for _, x := range []section{bySums, byAction, byPiece, byCategory, byReason, byDay, byStatus} {
		if len(x.Rows) > 0 {
			sections = append(sections, x)
		}
	}
	var page bytes.Buffer
	err := reportPage.Execute(&page, map[string]any{"Summary": s, "Sections": sections, "Tally": t})
	return page.Bytes(), err
}
