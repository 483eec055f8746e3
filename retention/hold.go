package retention

import (
	"errors"
	"time"
)

// Effect is what a hold does to the periods that it meets. Whatever it is, data
// under a hold that is in force is not deleted.
type Effect uint8

// The effects of holds.
const (
	Suspend Effect = iota // periods run on; deletion waits for the release
	Restart               // floors that run from an event start again at the release
	Toll                  // the clock of floors and wishes stands still meanwhile
)

var effectNames = [...]string{"suspend", "restart", "toll"}

// String returns "suspend", "restart" or "toll".
func (e Effect) String() string { return name(effectNames[:], uint8(e)) }

// ParseEffect returns the effect that [Effect.String] writes as text.
func ParseEffect(text string) (Effect, error) {
	if i, ok := parse(effectNames[:], text); ok {
		return Effect(i), nil
	}
	return 0, errEffect
}

var errEffect = errors.New("retention: effect: unknown name: use suspend, restart or toll")

// Everything is the scope of a hold on all data of its input. A hold needs a
// scope: one that was forgotten must not freeze, or free, a whole account.
const Everything Selector = "*"

// A Hold forbids deletion, for a lawsuit or an audit.
type Hold struct {
	ID        string    // a key, as that of a rule
	Reason    string    // for people; no plan, trail or error repeats it
	Authority string    // who ordered it, and where: the source of its step; at most 256 bytes
	Scope     Selector  // which categories; required, see [Everything]
	Placed    time.Time // required
	Released  time.Time // zero = open; an announced release may lie ahead
	Effect    Effect
}

func (h *Hold) about(category string) bool {
	return h.Scope == Everything || h.Scope != "" && h.Scope.Matches(category)
}

// An Erasure is the request of a person to have data erased. It takes the place of
// every wish and beats floors that are weaker than [Law]; floors of law and holds
// stand against it, and the plan lists them as [Plan.Exemptions].
type Erasure struct {
	ID     string // a key, as that of a rule
	Source string // where the request is recorded; at most 256 bytes
	At     time.Time
	Scope  Selector // which categories; "" = all
}

func (in *Input) erases() bool {
	return in.Erasure != nil && (in.Erasure.Scope == Everything || in.Erasure.Scope.Matches(in.Category))
}

// An Exemption is a rule or a hold that stands against a request for erasure.
type Exemption struct {
	Category string
	Rule     string // or the hold
	Source   string
	Until    time.Time // erasable from then on; zero = not known yet
}

func (in *Input) checkHolds() error {
	if len(in.Holds) > maxHolds {
		return &InputError{"holds", "more than 1000"}
	}
	for i := range in.Holds {
		h := &in.Holds[i]
		problem := ""
		switch {
		case !validKey(h.ID, true):
			problem = "an id that is not a key: use 1 to 128 letters, digits, '_', '-', '.', '/' and ':'"
		case len(h.Authority) > maxSource:
			problem = "an authority of more than 256 bytes: shorten it"
		case h.Scope == "":
			problem = "a hold without a scope: name a category, or * for all data of the input"
		case h.Scope != Everything && !validKey(string(h.Scope), false):
			problem = "a scope that is not a key: " + keyMend
		case h.Placed.IsZero() || !inRange(h.Placed.Unix()):
			problem = "a hold without the instant of its placing in the years 1 to 9999"
		case !h.Released.IsZero() && (h.Released.Before(h.Placed) || !inRange(h.Released.Unix())):
			problem = "a release before the placing, or after the year 9999"
		case h.Effect > Toll:
			problem = "an unknown effect: use suspend, restart or toll"
		}
		if problem != "" {
			return &InputError{"holds", problem}
		}
	}
	if e := in.Erasure; e != nil {
		switch {
		case !validKey(e.ID, true):
			return &InputError{"erasure", "an id that is not a key: use 1 to 128 letters, digits, '_', '-', '.', '/' and ':'"}
		case len(e.Source) > maxSource:
			return &InputError{"erasure", "a source of more than 256 bytes: shorten it"}
		case e.At.IsZero() || !inRange(e.At.Unix()):
			return &InputError{"erasure", "no instant of the request in the years 1 to 9999"}
		case e.Scope != "" && e.Scope != Everything && !validKey(string(e.Scope), false):
			return &InputError{"erasure", "a scope that is not a key: " + keyMend}
		}
	}
	return nil
}

// freeze is what all holds on a category do together.
type freeze struct {
	open     bool // some hold has no end
	closed   bool // some hold has one
	tolls    bool
	released int64 // the last release
	restart  int64 // the last release of a hold that restarts
	best     holdRank
}

// holdRank names one hold, the same whatever the order.
type holdRank struct {
	id           string
	active, open bool
	released     int64
}

func (a *holdRank) before(b *holdRank) bool {
	switch {
	case b.id == "":
		return a.id != ""
	case a.active != b.active:
		return a.active
	case a.open != b.open:
		return a.open
	case a.released != b.released:
		return a.released > b.released
	}
	return a.id < b.id
}

func (in *Input) frozen() freeze {
	f := freeze{released: minUnix, restart: minUnix}
	now := in.Now.Unix()
	for i := range in.Holds {
		h := &in.Holds[i]
		if !h.about(in.Category) {
			continue
		}
		rank := holdRank{id: h.ID, active: h.Placed.Unix() <= now, open: h.Released.IsZero()}
		if rank.open {
			f.open = true
		} else {
			rank.released = h.Released.Unix()
			rank.active = rank.active && now < rank.released
			f.closed, f.released = true, max(f.released, rank.released)
			switch h.Effect {
			case Restart:
				f.restart = max(f.restart, rank.released)
			case Toll:
				f.tolls = true
			}
		}
		if rank.before(&f.best) {
			f.best = rank
		}
	}
	return f
}

func (f *freeze) merge(g *freeze) {
	if !g.open && !g.closed {
		return
	}
	if !f.open && !f.closed {
		*f = *g
		return
	}
	f.open, f.closed, f.released = f.open || g.open, f.closed || g.closed, max(f.released, g.released)
	if g.best.before(&f.best) {
		f.best = g.best
	}
}

// tolled are the seconds between from and end, and as far beyond as the clock is
// set back, in which some hold stopped the clock. Holds that overlap count once; one
// that was placed after the clock had run out does not count.
func (in *Input) tolled(from, end int64) int64 {
	total, at := int64(0), from
	for {
		next, until := int64(maxUnix), int64(0)
		for i := range in.Holds {
			h := &in.Holds[i]
			if h.Effect != Toll || h.Released.IsZero() || h.Released.Unix() <= at || !h.about(in.Category) {
				continue
			}
			if start := max(h.Placed.Unix(), at); start < next {
				next, until = start, h.Released.Unix()
			}
		}
		if next >= end+total || until == 0 {
			return total
		}
		total += until - next
		at = until
	}
}

// trail appends a step for each hold and for the request.
func (in *Input) trail(steps []Step, held *freeze, grace Period, extended bool) []Step {
	now := in.Now.Unix()
	for i := range in.Holds {
		h := &in.Holds[i]
		s := Step{Category: in.Category, Rule: h.ID, Source: h.Authority, Kind: HoldStep, Selector: h.Scope, Effect: h.Effect, Start: seconds(h.Placed), End: seconds(h.Released)}
		switch {
		case !h.about(in.Category):
			s.Outcome, s.Because = NotApplicable, "its scope is other data"
		case now < h.Placed.Unix():
			s.Because = "not placed yet"
		case h.Released.IsZero() || now < h.Released.Unix():
			s.Because = "in force"
		default:
			s.Because = "released"
		}
		if extended && s.Outcome == Won && h.Released.Unix() == held.released && !h.Released.IsZero() {
			s.Because += ": a ceiling passed meanwhile and has " + grace.String() + " of grace"
		}
		steps = append(steps, s)
	}
	if e := in.Erasure; e != nil {
		s := Step{Category: in.Category, Rule: e.ID, Source: e.Source, Kind: ErasureStep, Selector: e.Scope, Start: seconds(e.At)}
		if !in.erases() {
			s.Outcome, s.Because = NotApplicable, "its scope is other data"
		}
		steps = append(steps, s)
	}
	return steps
}

func seconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(t.Unix(), 0).UTC()
}

// exempt lists what stands against the request.
func (p *Plan) exempt(in *Input) {
	for i := range in.Holds {
		h := &in.Holds[i]
		if h.about(in.Category) && (h.Released.IsZero() || h.Released.After(in.Erasure.At)) {
			p.Exemptions = place(p.Exemptions, Exemption{in.Category, h.ID, h.Authority, seconds(h.Released)})
		}
	}
}
