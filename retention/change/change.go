package change

import (
	"errors"
	"slices"
	"time"

	"github.com/privetdev/privet/retention"
)

// Kind is what changes. The zero value is a change of no known kind.
type Kind uint8

// The kinds of changes that sources speak of.
const (
	DataTypes       Kind = 1 // what types of data are gathered: material
	StorageLocation Kind = 2 // where data is stored: material
	Major           Kind = 3 // a major change that is not material: notice, but no lead time is stated
	Incident        Kind = 4 // a security incident: notice, but neither lead time nor deadline is stated
)

// A Policy says how changes are announced. The zero Policy asks for nothing.
type Policy struct {
	Lead     retention.Period // between notice and effect of a material change
	Zone     *time.Location   // of the lead's calendar units; nil = UTC
	Channels []string         // every notice goes through all of them
}

// A Change is one change and what was told about it.
type Change struct {
	Kinds     []Kind
	Effective time.Time            // zero = not decided
	Told      map[string]time.Time // channel → when it was told there
}

// A Finding says what a change needs.
type Finding struct {
	Material bool
	// Required says that people must be told at all.
	Required bool
	// Stated says that a source states the lead time. Where it is false, none is
	// made up: EarliestEffective and LatestNotice are zero.
	Stated bool
	// LatestNotice is the last instant at which a notice is early enough for the
	// change to take effect when it shall; zero where that is not decided.
	LatestNotice time.Time
	// EarliestEffective is when the change may take effect, given the notices that
	// were made; zero as long as one channel is missing.
	EarliestEffective time.Time
	Missing           []string // channels through which it was not told, sorted
	// TooEarly says that the change would take effect before it may, with the
	// notices that were made.
	TooEarly bool
}

var (
	// ErrKind reports a change of an unknown kind.
	ErrKind = errors.New("change: kinds: missing or unknown: use data types, storage location, major or incident")
	// ErrRange reports an effect or a notice for which no date can be computed.
	ErrRange = errors.New("change: instants: outside the years 1 to 9999: correct the effect, the notices or the lead")
)

// Check says what a change needs and whether it has it.
func (p Policy) Check(c Change) (Finding, error) {
	var f Finding
	if len(c.Kinds) == 0 {
		return f, ErrKind
	}
	for _, k := range c.Kinds {
		if k < DataTypes || k > Incident {
			return f, ErrKind
		}
		f.Material = f.Material || k == DataTypes || k == StorageLocation
	}
	f.Required, f.Stated = true, f.Material && p.Lead != retention.Period{}
	var last time.Time
	for _, ch := range p.Channels {
		at := c.Told[ch]
		if at.IsZero() {
			f.Missing = append(f.Missing, ch)
		} else if at.After(last) {
			last = at
		}
	}
	slices.Sort(f.Missing)
	if len(p.Channels) == 0 {
		// Without named channels any notice is one; the first counts.
		for _, at := range c.Told {
			if last.IsZero() || at.Before(last) {
				last = at
			}
		}
	}
	if !f.Stated {
		f.TooEarly = false
		return f, nil
	}
	if !c.Effective.IsZero() {
		n, err := p.latest(c.Effective)
		if err != nil {
			return Finding{}, err
		}
		f.LatestNotice = n
	}
	if len(f.Missing) == 0 && !last.IsZero() {
		e, err := p.Lead.Add(last, p.Zone, retention.Clamp)
		if err != nil {
			return Finding{}, ErrRange
		}
		f.EarliestEffective = e
	}
	f.TooEarly = !c.Effective.IsZero() && (f.EarliestEffective.IsZero() || c.Effective.Before(f.EarliestEffective))
	return f, nil
}

// latest is the last whole second from which the lead ends no later than at
// effective. Where months end, later starts may end earlier, so it looks back from
// beyond the answer, day by day, and then second by second by halves: inside one
// civil day the end only moves forward, but for a change of clocks.
func (p Policy) latest(effective time.Time) (time.Time, error) {
	good := func(at time.Time) bool {
		end, err := p.Lead.Add(at, p.Zone, retention.Clamp)
		return err == nil && !end.After(effective)
	}
	lo := effective.UTC().Truncate(time.Second)
	for n := 0; !good(lo); n++ {
		if n > 366*1001 || lo.Year() < 2 {
			return time.Time{}, ErrRange
		}
		lo = lo.Add(-24 * time.Hour)
	}
	hi := lo.Add(24 * time.Hour)
	for hi.Sub(lo) > time.Second {
		mid := lo.Add(hi.Sub(lo) / 2).Truncate(time.Second)
		if good(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo, nil
}
