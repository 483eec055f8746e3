package consent

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"
)

// answers are the effective answers of one history, by scope and giver.
type answers struct {
	slots map[string]*record
	order []*record
	key   []byte
}

// answersOf works out the effective answers of all histories.
func answersOf(f *Facts) ([]*record, error) {
	own, err := compileRecords(f.Records, "")
	if err != nil {
		return nil, err
	}
	a := newAnswers(len(own))
	if len(f.Merged) == 0 {
		a.add(own, nil)
	} else if err := a.merge(own, f.Merged); err != nil {
		return nil, err
	}
	a.settle()
	return a.order, nil
}

func newAnswers(n int) *answers { return &answers{slots: make(map[string]*record, n)} }

// compileRecords leaves out what is no answer.
func compileRecords(list []Record, path string) ([]*record, error) {
	out := make([]*record, 0, len(list))
	for i := range list {
		r, err := compileRecord(&list[i])
		if err != nil {
			err.Path = path + "records[" + strconv.Itoa(i) + "]." + err.Path
			return nil, err
		}
		if rankOf(r.State) != rankNoAnswer {
			out = append(out, r)
		}
	}
	return out, nil
}

// add counts the records that pass; of one scope the one given last.
func (a *answers) add(list []*record, pass func(*record) bool) {
	for _, r := range list {
		if pass == nil || pass(r) {
			a.put(r, (*record).replaces)
		}
	}
}

func (a *answers) put(r *record, wins func(r, old *record) bool) {
	a.key = r.slot(a.key[:0])
	old, ok := a.slots[string(a.key)]
	switch {
	case !ok:
		a.slots[string(a.key)] = r
		a.order = append(a.order, r)
	case wins(r, old):
		*old = *r
	}
}

// merge counts a person's own records and, at each merge, a device's.
func (a *answers) merge(own []*record, merges []Merge) error {
	type part struct {
		at   time.Time
		list []*record
	}
	parts := make([]part, len(merges))
	for i := range merges {
		path := "merged[" + strconv.Itoa(i) + "]."
		if merges[i].At.IsZero() {
			return &FactError{path + "at", "missing", "say when the device became the person's"}
		}
		list, err := compileRecords(merges[i].Records, path)
		if err != nil {
			return err
		}
		parts[i] = part{merges[i].At, list}
		own = slices.Concat(own, after(list, merges[i].At)) // later answers are the person's
	}
	slices.SortStableFunc(parts, func(x, y part) int { return x.at.Compare(y.at) })
	counted := func(r *record, parts []part) bool { return len(parts) > 0 && !r.Given.After(parts[len(parts)-1].at) }
	for i, p := range parts {
		a.add(own, func(r *record) bool { return !r.Given.After(p.at) && !counted(r, parts[:i]) })
		side := newAnswers(len(p.list))
		side.add(p.list, func(r *record) bool { return !r.Given.After(p.at) })
		for _, r := range side.order {
			a.put(r, (*record).stricter)
		}
		if len(p.list) == 0 {
			continue
		}
		// What ended consent on one side ends it on the other too, in whatever
		// scope and by whomever it was given before.
		for _, r := range a.order {
			if rankOf(r.State) != rankGrant {
				r.Given = p.at
			}
		}
	}
	a.add(own, func(r *record) bool { return !counted(r, parts) })
	return nil
}

func after(list []*record, at time.Time) []*record {
	var out []*record
	for _, r := range list {
		if r.Given.After(at) {
			out = append(out, r)
		}
	}
	return out
}

// stricter reports whether r permits less than old, which has the same scope; of
// equals the later.
func (r *record) stricter(old *record) bool {
	if c := cmp.Compare(rankOf(r.State), rankOf(old.State)); c != 0 {
		return c > 0
	}
	if c := cmp.Compare(r.strength, old.strength); c != 0 {
		return c < 0
	}
	if c := compareEnd(r.Expires, old.Expires); c != 0 {
		return c < 0
	}
	return r.replaces(old)
}

// settle relates the answers of different givers to each other: an answer that
// ends consent ends what the others granted before it, and a refusal notes who has
// granted since.
func (a *answers) settle() {
	several := slices.ContainsFunc(a.order, func(r *record) bool { return r.giver != subjectBit })
	if !several {
		return
	}
	same := func(x, y *record) bool {
		y2 := *y
		y2.giver = x.giver
		return bytes.Equal(x.slot(nil), y2.slot(nil))
	}
	for _, r := range a.order {
		for _, o := range a.order {
			if r == o || r.Purpose != o.Purpose || r.giver == o.giver || !same(r, o) {
				continue
			}
			switch {
			case rankOf(r.State) == rankGrant && rankOf(o.State) != rankGrant && !r.Given.After(o.Given):
				r.ended = true
			case r.refusal > 0 && rankOf(o.State) == rankGrant && o.Given.After(r.Given):
				r.lifted |= o.giver
			}
		}
	}
}

func compareRecord(a, b *record) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), compareScope(&a.Scope, &b.Scope), cmp.Compare(a.giver, b.giver))
}
