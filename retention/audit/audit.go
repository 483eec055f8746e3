package audit

import (
	"errors"
	"slices"
	"time"

	"github.com/privetdev/privet/retention"
)

// A Removal is the caller's word that a copy is gone.
type Removal struct {
	Copy   retention.Copy
	At     time.Time        // when it was confirmed to be gone
	Method retention.Method // how media were cleaned; zero = not said
}

// Verdict is what there is to say about one copy.
type Verdict uint8

// The verdicts.
const (
	NotDue  Verdict = iota // not removed, and nothing asks for it
	Missing                // not removed, but it should or must be gone: see Finding.Breach
	InTime                 // removed when it was allowed and before it was too late
	Early                  // removed before it was allowed, or while nothing allowed it
	Late                   // removed at or after its deadline
	Weak                   // removed, but by a weaker method than asked for
	Unruled                // removed, and no rule speaks of it
)

var verdictNames = [...]string{"not_due", "missing", "in_time", "early", "late", "weak", "unruled"}

// String returns "not_due", "missing", "in_time", "early", "late", "weak" or
// "unruled".
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return ""
}

// A Finding is about one copy.
type Finding struct {
	retention.Window
	Verdict Verdict
	Removed time.Time        // zero = not removed
	With    retention.Method // as reported
	// By is how much too early or too late, or for how long it has been missing; 0
	// where no instant bounds it. At a deadline itself it is 0, and late all the same.
	By time.Duration
	// Breach says that more than a habit was not kept.
	Breach bool
}

// A Report is what an audit has found: one finding for each copy, by copy.
type Report struct {
	Findings []Finding
	At       time.Time // of the plan
}

var (
	// ErrRemovals reports removals that cannot be told apart.
	ErrRemovals = errors.New("audit: removals: a copy is removed twice, unknown, or without an instant: report each copy once")
	// ErrPlan reports the zero plan.
	ErrPlan = errors.New("audit: plan: it was not made by package retention")
)

// Audit compares removals with a plan. Copies are those that exist or existed; the
// ones of removals are added, and without any it is the primary copy alone. A copy
// that is removed says nothing about the others: the original is never reported as
// deleted because its copy was.
//
// The plan is that of the events as they stand now. A removal while a hold was in
// force, or while an event that decides had not happened, is early without a length.
func Audit(plan *retention.Plan, copies []retention.Copy, removals []Removal) (Report, error) {
	if plan == nil || plan.Now.IsZero() {
		return Report{}, ErrPlan
	}
	var by [retention.Media + 1]*Removal
	all := slices.Clone(copies)
	for i := range removals {
		r := &removals[i]
		if r.Copy > retention.Media || by[r.Copy] != nil || r.At.IsZero() || r.Method > retention.Destroy {
			return Report{}, ErrRemovals
		}
		by[r.Copy] = r
		all = append(all, r.Copy)
	}
	if len(all) == 0 {
		all = append(all, retention.Primary)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if all[len(all)-1] > retention.Media {
		return Report{}, ErrRemovals
	}
	report := Report{At: plan.Now}
	for _, c := range all {
		report.Findings = append(report.Findings, judge(plan, plan.Window(c), by[c]))
	}
	return report, nil
}

func judge(plan *retention.Plan, w retention.Window, r *Removal) Finding {
	f := Finding{Window: w, Breach: w.Breach}
	if r == nil {
		switch w.Status {
		case retention.Overdue:
			f.Verdict, f.By = Missing, plan.Now.Sub(w.Latest)
		case retention.Due:
			f.Verdict, f.By = Missing, plan.Now.Sub(w.Earliest)
		}
		return f
	}
	f.Removed, f.With, f.Breach = r.At, r.Method, false
	hard := w.Strength.Compare(retention.Typical) > 0
	switch {
	case w.Status == retention.NoRule:
		f.Verdict = Unruled
	case w.Earliest.IsZero():
		// An open floor, a hold, or a wish that waits: only the wish keeps nothing.
		f.Verdict, f.Breach = Early, true
		if w.Status == retention.Overdue {
			f.Verdict, f.Breach = InTime, false
			if !r.At.Before(w.Latest) {
				f.Verdict, f.By, f.Breach = Late, r.At.Sub(w.Latest), hard
			}
		}
	case r.At.Before(w.Earliest):
		f.Verdict, f.By, f.Breach = Early, w.Earliest.Sub(r.At), true
	case !w.Latest.IsZero() && !r.At.Before(w.Latest) && !w.Earliest.After(w.Latest):
		f.Verdict, f.By, f.Breach = Late, r.At.Sub(w.Latest), hard
	case r.Method < w.Method:
		f.Verdict, f.Breach = Weak, true
	default:
		f.Verdict = InTime
	}
	return f
}

// Clean reports whether nothing is missing, early, late or weak.
func (r *Report) Clean() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Verdict == Missing || f.Verdict == Early || f.Verdict == Late || f.Verdict == Weak
	})
}
