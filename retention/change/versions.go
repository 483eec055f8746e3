package change

import (
	"errors"
	"slices"
	"time"

	"github.com/privetdev/privet/retention"
)

// A Version is a set of rules that is in force from an instant on, until the next
// version is.
type Version struct {
	ID        string
	Effective time.Time
	Rules     *retention.Rules
}

// Versions are the rules of all times. They are immutable and safe for concurrent
// use. The nil *Versions has none.
type Versions struct{ list []Version }

var (
	// ErrVersion reports versions that cannot stand beside each other.
	ErrVersion = errors.New("change: versions: every version needs an id of its own, rules, and an effective instant of its own")
	// ErrNotInForce reports an instant before the first version.
	ErrNotInForce = errors.New("change: versions: none is in force yet at that instant")
	// ErrTooEarly reports a version that takes effect before its notice allows.
	ErrTooEarly = errors.New("change: versions: it takes effect earlier than the notice of the change allows: tell earlier, or move the effective date")
)

// NewVersions puts versions in the order in which they take effect.
func NewVersions(list []Version) (*Versions, error) {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Version) int { return a.Effective.Compare(b.Effective) })
	ids := make(map[string]bool)
	for i, v := range out {
		if v.ID == "" || ids[v.ID] || v.Rules == nil || v.Effective.IsZero() || i > 0 && v.Effective.Equal(out[i-1].Effective) {
			return nil, ErrVersion
		}
		ids[v.ID] = true
	}
	return &Versions{out}, nil
}

// Announced adds a version that was announced as the change says: its effective
// instant is that of the change. The receiver stays as it is.
func (vs *Versions) Announced(id string, rules *retention.Rules, p Policy, c Change) (*Versions, error) {
	f, err := p.Check(c)
	if err != nil {
		return nil, err
	}
	if f.TooEarly || len(f.Missing) > 0 {
		return nil, ErrTooEarly
	}
	var list []Version
	if vs != nil {
		list = vs.list
	}
	return NewVersions(append(slices.Clone(list), Version{id, c.Effective, rules}))
}

// At returns the version that is in force at an instant; at its effective instant
// a version is. It reports false before the first one.
func (vs *Versions) At(t time.Time) (Version, bool) {
	if vs == nil {
		return Version{}, false
	}
	i, found := slices.BinarySearchFunc(vs.list, t, func(v Version, t time.Time) int { return v.Effective.Compare(t) })
	if found {
		i++
	}
	if i == 0 {
		return Version{}, false
	}
	return vs.list[i-1], true
}

// Plan asks the version that is in force at in.Now, and returns its id as well.
func (vs *Versions) Plan(in retention.Input) (retention.Plan, string, error) {
	v, ok := vs.At(in.Now)
	if !ok {
		return retention.Plan{}, "", ErrNotInForce
	}
	p, err := v.Rules.Plan(in)
	return p, v.ID, err
}
