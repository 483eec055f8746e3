package scan

import "slices"

// A Frozen is a [Set] made whole: it has all states that any text can lead to, in
// tables for a machine that makes none.
type Frozen struct {
	Alphabet *Alphabet
	// Groups are automata that together look for all expressions. Each must see the
	// text. There is more than one where the states of all expressions together would
	// be too many.
	Groups []*Table
	// Members are the indexes of the expressions in each group, in order.
	Members [][]uint32
	// Loose are the indexes of expressions whose automaton alone would be too large.
	// Groups do not look for them, see [Frozen.Program].
	Loose []uint32

	set *Set
}

// A group is some expressions of a set and their automaton.
type group struct {
	members []uint32
	p       *part
	a       *automaton
	made    int // states before they were put together
}

// sum is how many states groups have.
func sum(groups []*group) (states int) {
	for _, g := range groups {
		states += g.a.states()
	}
	return states
}

// Few expressions are taken one by one into the group that suits each best, more by
// halves. Those that begin where the text does may be split into few groups without need.
const (
	fewExprs  = 32
	fewGroups = 3
)

// workFactor is how many states are made, at most, for one that is kept.
const workFactor = 4

// Freeze makes the tables of a set, none of more than so many states. What is together
// too large is split.
//
// It returns nil if the expressions tell more kinds of characters apart than an
// [Alphabet] has room for.
func Freeze(s *Set, states int) *Frozen {
	f := &Frozen{set: s}
	all := make([]uint32, len(s.exprs))
	for i := range all {
		all[i] = uint32(i)
	}
	grown := func(members []uint32, most int) (best *group) {
		for _, back := range []bool{true, false} {
			p := s.join(members, 1, back)
			if a := p.determinise(min(most, workFactor*states), true); a != nil {
				made := a.states()
				if a.minimise(); a.states() <= states && (best == nil || a.states() < best.a.states()) {
					best = &group{members, p, a, made}
				}
			}
			if !p.back || len(p.starts) > 0 {
				break // only what holds for the whole text can be read either way
			}
		}
		return best
	}
	// split takes the expressions in order, each into the group that grows least by it, or
	// into a new one where there is no such group, or a new one is smaller and free.
	split := func(members []uint32, free int) (groups []*group, loose []uint32) {
		for _, i := range members {
			alone := grown([]uint32{i}, workFactor*states)
			if alone == nil {
				loose = append(loose, i)
				continue
			}
			best, at, growth := alone, len(groups), 0
			if len(groups) < free {
				growth = alone.a.states()
			}
			for j, g := range groups {
				more := grown(append(slices.Clone(g.members), i), 2*(g.made+alone.made))
				if more != nil && (growth == 0 || more.a.states()-g.a.states() < growth) {
					best, at, growth = more, j, max(1, more.a.states()-g.a.states())
				}
			}
			if at == len(groups) {
				groups = append(groups, best)
			}
			groups[at] = best
		}
		return groups, loose
	}
	// fit takes the expressions as they come into as few groups as halving finds.
	var fit func(members []uint32) []*group
	fit = func(members []uint32) []*group {
		if g := grown(members, workFactor*states); g != nil {
			return []*group{g}
		}
		if len(members) > fewExprs {
			half := len(members) / 2
			return append(fit(members[:half]), fit(members[half:])...)
		}
		// A group of its own costs a pass over the text, so that any that has room is better;
		// but not one with which the states multiply.
		groups, loose := split(members, 0)
		f.Loose = append(f.Loose, loose...)
		return groups
	}
	var groups []*group
	if len(all) > 0 {
		groups = fit(all)
	}
	if len(groups) == 1 && len(groups[0].p.starts) == 0 && !groups[0].p.back && len(all) <= fewExprs {
		// What can only begin where the text does is mostly decided by a few characters, so
		// that several passes cost little. They are taken where they save much.
		if some, _ := split(all, fewGroups); sum(some) < sum(groups)*2/3 {
			groups = some
		}
	}
	var parts []*part
	for _, g := range groups {
		parts = append(parts, g.p)
	}
	for _, i := range f.Loose {
		parts = append(parts, s.join([]uint32{i}, 1, true))
	}
	f.Alphabet = newAlphabet(parts)
	if f.Alphabet == nil { // nothing is frozen, and an interpreter must do
		return nil
	}
	for _, g := range groups {
		t := g.a.table(f.Alphabet.classes(g.p))
		if t == nil { // more kinds of characters than fit
			f.Loose = append(f.Loose, g.members...)
			continue
		}
		t.Back = g.p.back
		f.Groups, f.Members = append(f.Groups, t), append(f.Members, g.members)
	}
	slices.Sort(f.Loose)
	return f
}

// Match adds the ids of the expressions that match somewhere in text, but for those
// of Loose. It is how the tables are to be read.
func (f *Frozen) Match(text string, m *Matches) {
	for _, t := range f.Groups {
		s := int(t.Begin[kindNone])
		for rest, end := text, false; !end && s != 0; {
			var symbol int
			end = rest == ""
			symbol, rest = f.Alphabet.read(rest, t.Back)
			s = int(t.Next[s*t.Classes+int(t.Class[symbol])])
			if s > 0 && s <= t.Events {
				for _, id := range t.Accept[s-1] {
					m.Add(id)
				}
			}
		}
	}
}

// Program is the program of an expression, for those of Loose; nil if it is too long.
func (f *Frozen) Program(expr uint32) *Program {
	return newProgram(f.set.join([]uint32{expr}, 1, true), f.Alphabet, nil)
}
