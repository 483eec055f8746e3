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

// workFactor is how many states are made, at most, for one that is kept.
const workFactor = 4

// Freeze makes the tables of a set, none of more than so many states. What is
// together too large is split: expressions are taken in order, each into the group that
// grows least by it, or into a new one.
//
// It returns nil if the expressions tell more kinds of characters apart than an
// [Alphabet] has room for.
func Freeze(s *Set, states int) *Frozen {
	f := &Frozen{set: s}
	all := make([]uint32, len(s.exprs))
	for i := range all {
		all[i] = uint32(i)
	}
	type group struct {
		members []uint32
		p       *part
		a       *automaton
		made    int // states before they were put together
	}
	grown := func(members []uint32, made int) *group {
		p := s.join(members, 1)
		a := p.determinise(min(made, workFactor*states), true)
		if a == nil {
			return nil
		}
		made = a.states()
		if a.minimise(); a.states() > states {
			return nil
		}
		return &group{members, p, a, made}
	}
	var groups []*group
	if g := grown(all, workFactor*states); g != nil || len(all) == 0 {
		if g != nil {
			groups = append(groups, g)
		}
	} else {
		for _, i := range all {
			alone := grown([]uint32{i}, workFactor*states)
			if alone == nil {
				f.Loose = append(f.Loose, i)
				continue
			}
			// A group of its own costs a pass over the text, so that any that has room is
			// better; but not one with which the states multiply.
			best, at := (*group)(nil), -1
			for j, g := range groups {
				more := grown(append(slices.Clone(g.members), i), 2*(g.made+alone.made))
				if more != nil && (best == nil || more.a.states()-g.a.states() < best.a.states()-groups[at].a.states()) {
					best, at = more, j
				}
			}
			if best != nil {
				groups[at] = best
			} else {
				groups = append(groups, alone)
			}
		}
	}
	var parts []*part
	for _, g := range groups {
		parts = append(parts, g.p)
	}
	for _, i := range f.Loose {
		parts = append(parts, s.join([]uint32{i}, 1))
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
	return newProgram(f.set.join([]uint32{expr}, 1), f.Alphabet, nil)
}
