package sweep

import (
	"iter"
	"time"

	"github.com/privetdev/privet/retention"
)

// A Planner makes plans: *[retention.Rules].
type Planner interface {
	PlanInto(dst *retention.Plan, in *retention.Input) error
}

// A Record is one thing that is kept, with all of its categories.
type Record struct {
	ID         string   // the caller's key, best a pseudonym; no error repeats it
	Categories []string // of its parts; empty = not classified
	// Input is what the plans are asked about. Its Category is set by the sweep, and
	// so is its Now.
	Input   retention.Input
	Copies  []retention.Copy             // where it lies; empty = Primary
	Removed map[retention.Copy]time.Time // where it lay and is gone; nothing is asked of these
}

// A Finding is a copy of a record that should or must go.
type Finding struct {
	Record *Record
	retention.Window
	// Plan is that of the whole record. It and Record belong to the sweep, which
	// reuses them for the next record.
	Plan *retention.Plan
}

// A RecordError reports a record for which no plan could be made.
type RecordError struct {
	Index int64 // in the stream, from 0
	Err   error // of package retention; it holds nothing of the record
}

// Error names the place of the record.
func (e *RecordError) Error() string {
	return "sweep: record " + decimal(e.Index) + ": " + e.Err.Error()
}

// Unwrap returns what package retention said.
func (e *RecordError) Unwrap() error { return e.Err }

// A Summary counts what a sweep has met.
type Summary struct {
	Records, Failed int64                      // failed: with an error instead of a plan
	ByStatus        [retention.Held + 1]int64  // records, by the status of the primary copy
	Due, Overdue    [retention.Media + 1]int64 // copies that were found, by kind
	Breaches        int64                      // copies overdue against more than a habit
	Oldest          time.Time                  // the earliest deadline that was missed
}

// Sweep plans every record at now and yields the copies that are due or overdue. An
// error of a record, also one that comes from the iterator itself, is yielded in
// its place, and the sweep goes on. It fills sum, which may be nil, as it goes, needs
// memory for one record only, and is as concurrent as its arguments: one sweep is one
// goroutine.
func Sweep(rules Planner, now time.Time, records iter.Seq2[*Record, error], sum *Summary) iter.Seq2[Finding, error] {
	if sum == nil {
		sum = &Summary{}
	}
	return func(yield func(Finding, error) bool) {
		var whole, part retention.Plan
		index := int64(-1)
		for r, err := range records {
			index++
			sum.Records++
			if err == nil {
				err = plan(rules, now, r, &whole, &part)
			}
			if err != nil {
				sum.Failed++
				if !yield(Finding{}, &RecordError{index, err}) {
					return
				}
				continue
			}
			sum.ByStatus[whole.Status]++
			copies := r.Copies
			if len(copies) == 0 {
				copies = primary[:]
			}
			for _, c := range copies {
				if _, gone := r.Removed[c]; gone {
					continue
				}
				if whole.Status != retention.Due && whole.Status != retention.Overdue && !whole.Differs(c) {
					continue // the most common case, without a window
				}
				w := whole.Window(c)
				switch w.Status {
				case retention.Due:
					sum.Due[c]++
				case retention.Overdue:
					sum.Overdue[c]++
					if w.Breach {
						sum.Breaches++
					}
					if sum.Oldest.IsZero() || w.Latest.Before(sum.Oldest) {
						sum.Oldest = w.Latest
					}
				default:
					continue
				}
				if !yield(Finding{r, w, &whole}, nil) {
					return
				}
			}
		}
	}
}

var primary = [...]retention.Copy{retention.Primary}

// plan combines the plans of all categories.
func plan(rules Planner, now time.Time, r *Record, whole, part *retention.Plan) error {
	r.Input.Now, r.Input.Category = now, ""
	if len(r.Categories) > 0 {
		r.Input.Category = r.Categories[0]
	}
	if err := rules.PlanInto(whole, &r.Input); err != nil {
		return err
	}
	for _, c := range r.Categories[min(1, len(r.Categories)):] {
		r.Input.Category = c
		if err := rules.PlanInto(part, &r.Input); err != nil {
			return err
		}
		whole.Merge(part)
	}
	return nil
}
