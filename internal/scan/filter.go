package scan

import (
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
)

// A Filter says in one pass over a text which of many patterns can match in it.
//
// It puts patterns that need similar things into groups. A group whose needs the
// text does not meet is passed over; each of the others runs a deterministic
// automaton of all its patterns at once, whose states are made when a text first
// needs them. Groups keep the automata small: the states of one automaton for
// everything would multiply, because what a text looks like to a card number has
// nothing to do with what it looks like to an address. The automata accept more
// than the patterns do: long repetitions count only to a few, and characters
// outside ASCII are taken for anything. What a filter says no to is certain.
//
// A Filter is safe for concurrent use. Its memory and the work of making states
// are bounded: see maxStates and maxGenerations.
type Filter struct {
	patterns []*Pattern
	once     sync.Once // the first text builds the groups
	groups   []*group
}

// A group is the automaton of some patterns.
type group struct {
	need    need
	members []uint16 // indexes of the patterns
	insts   []inst
	owner   []uint16 // which pattern an instruction belongs to
	starts  []uint32
	words   int // of a set of patterns
	classes int // of bytes, with the end of the text
	class   [256]uint8
	sample  []byte // a byte of each class; not of the last three

	states      atomic.Pointer[states]
	generations atomic.Int32
}

// Bounds of a group's automaton.
const (
	// maxMembers patterns share an automaton.
	maxMembers = 6
	// maxStates states take some two megabytes; the built-in detectors see a few
	// hundred on ordinary data. When they are used up all are forgotten.
	maxStates = 1 << 11
	// After maxGenerations times no state is made any more: a stream of texts that
	// need ever new states, by chance or by intent, is not worth the work. Texts
	// that meet an unknown state go on without the filter.
	maxGenerations = 4
)

// states is one generation of the automaton.
type states struct {
	mu    sync.Mutex
	byKey map[string]*state
	begin *state
}

// A state is what the automaton knows after some bytes.
type state struct {
	next []atomic.Pointer[state] // by class of the next byte
	// hits are the patterns that matched on the way into this state, nil for none.
	hits []uint64
	pcs  []uint32 // instructions that wait for the next character
	prev kind
}

// A kind is what boundaries need to know of a character.
type kind uint8

const (
	kindNone  kind = iota // beginning or end of the text
	kindOther             // ASCII, not of a word
	kindWord              // ASCII letter, digit or _
	kindWide              // outside ASCII: may be either
)

// NewFilter makes a filter of patterns; they keep their numbers. A nil pattern
// never matches.
func NewFilter(patterns []*Pattern) *Filter { return &Filter{patterns: patterns} }

func (f *Filter) build() {
	patterns := f.patterns
	words := (len(patterns) + 63) / 64
	open := map[string]*group{} // groups with room, by what they need
	for i, p := range patterns {
		if p == nil {
			continue
		}
		kind := p.need.kind()
		g := open[kind]
		if g == nil {
			g = &group{need: p.need, words: words}
			open[kind] = g
			f.groups = append(f.groups, g)
		}
		g.add(i, p)
		if len(g.members) == maxMembers {
			delete(open, kind)
		}
	}
	for _, g := range f.groups {
		g.partition()
		g.reset()
	}
}

// kind names the group that a pattern belongs to: patterns of one kind walk through
// a text in step, so that their states add up instead of multiplying.
func (n *need) kind() string {
	const marks = "@:/="
	for i := range len(marks) {
		if b := marks[i]; n.present[b>>6]>>(b&63)&1 == 1 {
			return marks[i : i+1]
		}
	}
	switch {
	case n.digitRun >= 7:
		return "numbers"
	case n.pairs != [pairWords]uint64{}:
		return "literals"
	case n.wordRun >= 16:
		return "long words"
	case n.digits > 0:
		return "with digits"
	}
	return "others"
}

// common is what two needs share.
func (n *need) common(m *need) need {
	out := need{
		length: min(n.length, m.length), digits: min(n.digits, m.digits), letters: min(n.letters, m.letters),
		digitRun: min(n.digitRun, m.digitRun), wordRun: min(n.wordRun, m.wordRun),
	}
	for i := range out.present {
		out.present[i] = n.present[i] & m.present[i]
	}
	for i := range out.pairs {
		out.pairs[i] = n.pairs[i] & m.pairs[i]
	}
	return out
}

func (f *group) add(number int, p *Pattern) {
	f.need = f.need.common(&p.need)
	f.members = append(f.members, uint16(number))
	prog, err := syntax.Compile(loosen(p.tree).Simplify())
	if err != nil {
		// What parses and passed the weighing compiles; if ever not, the pattern is
		// never found.
		return
	}
	base := uint32(len(f.insts))
	for _, in := range newInsts(prog) {
		in.out += base
		if in.op == opAlt {
			in.arg += base
		}
		f.insts = append(f.insts, in)
		f.owner = append(f.owner, uint16(number))
	}
	f.starts = append(f.starts, base+uint32(prog.Start))
}

// partition puts bytes that no instruction tells apart into one class. Three
// classes follow those of ASCII: bytes inside of a character, bytes that begin
// one, and the end of the text.
func (f *group) partition() {
	word := [2]uint64{}
	for b := range rune(128) {
		if isWord(b) {
			word[b>>6] |= 1 << (b & 63)
		}
	}
	sets := map[[2]uint64]bool{word: true}
	for i := range f.insts {
		if f.insts[i].op == opRune {
			sets[f.insts[i].ascii] = true
		}
	}
	var of [128]uint8
	n := 1
	// The order of the sets decides about numbers only, which nothing shows.
	for set := range sets {
		var split [256]uint8 // by class and whether it is in the set: the new class and one
		n = 0
		for b := range of {
			k := 2*of[b] + uint8(set[b>>6]>>(b&63)&1)
			if split[k] == 0 {
				n++
				split[k] = uint8(n)
			}
			of[b] = split[k] - 1
		}
	}
	f.sample = make([]byte, n)
	for b := range of {
		f.class[b] = of[b]
		f.sample[of[b]] = byte(b)
	}
	for b := 0x80; b < 0x100; b++ {
		f.class[b] = uint8(n)
		if b >= 0xC0 {
			f.class[b] = uint8(n + 1)
		}
	}
	f.classes = n + 3
}

func (f *group) reset() *states {
	s := &states{byKey: map[string]*state{}}
	s.begin = f.make(s, nil, nil, kindNone)
	f.states.Store(s)
	return s
}

// Hits sets the bits of the patterns that may match in text, in a set of 64 to a
// word that the caller has cleared. f must have read the text.
func (f *Filter) Hits(text string, features *Features, hits []uint64) {
	f.once.Do(f.build)
	var abreast [lanes]*group
	n := 0
	for _, g := range f.groups {
		if !g.need.met(features) {
			continue
		}
		abreast[n] = g
		if n++; n == lanes {
			runAbreast(text, &abreast, hits)
			n = 0
		}
	}
	switch {
	case n == 1:
		abreast[0].hits(text, hits)
	case n > 1:
		for i := n; i < lanes; i++ {
			abreast[i] = abreast[0]
		}
		runAbreast(text, &abreast, hits)
	}
}

// lanes is how many groups walk through a text side by side.
const lanes = 4

// runAbreast does what hits does for each of four groups. A group waits for memory
// at every byte, so four of them take little longer than one.
func runAbreast(text string, groups *[lanes]*group, hits []uint64) {
	g0, g1, g2, g3 := groups[0], groups[1], groups[2], groups[3]
	a, b, c, d := g0.states.Load().begin, g1.states.Load().begin, g2.states.Load().begin, g3.states.Load().begin
	for i := range len(text) {
		t := text[i]
		a, b, c, d = a.next[g0.class[t]].Load(), b.next[g1.class[t]].Load(), c.next[g2.class[t]].Load(), d.next[g3.class[t]].Load()
		if a == nil || b == nil || c == nil || d == nil {
			// A state is missing; making it is not worth doing side by side.
			for _, g := range groups {
				g.hits(text, hits)
			}
			return
		}
		if a.hits != nil || b.hits != nil || c.hits != nil || d.hits != nil {
			for _, st := range [lanes]*state{a, b, c, d} {
				for w, h := range st.hits {
					hits[w] |= h
				}
			}
		}
	}
	for i, st := range [lanes]*state{a, b, c, d} {
		last := st.next[groups[i].classes-1].Load()
		if last == nil {
			groups[i].hits(text, hits)
			continue
		}
		for w, h := range last.hits {
			hits[w] |= h
		}
	}
}

// hits sets the bits of the group's patterns that may match in text.
func (f *group) hits(text string, hits []uint64) {
	if f.run(text, hits) {
		return
	}
	for _, i := range f.members {
		hits[i>>6] |= 1 << (i & 63)
	}
}

// run sets the bits of the group's patterns. It returns false if it gave up; then
// every one of them may match.
func (f *group) run(text string, hits []uint64) bool {
	gen := f.states.Load()
	st := gen.begin
	for i := range len(text) {
		c := f.class[text[i]]
		next := st.next[c].Load()
		if next == nil {
			if next = f.step(gen, st, int(c)); next == nil {
				return false
			}
		}
		if st = next; st.hits != nil {
			for w, h := range st.hits {
				hits[w] |= h
			}
		}
	}
	end := f.classes - 1
	last := st.next[end].Load()
	if last == nil {
		if last = f.step(gen, st, end); last == nil {
			return false
		}
	}
	for w, h := range last.hits {
		hits[w] |= h
	}
	return true
}

// step makes the state that follows st on a byte of class c, or returns nil if no
// more are made.
func (f *group) step(gen *states, st *state, c int) *state {
	gen.mu.Lock()
	defer gen.mu.Unlock()
	if next := st.next[c].Load(); next != nil {
		return next
	}
	if f.generations.Load() > maxGenerations {
		return nil
	}
	ascii := len(f.sample)
	var next kind
	switch {
	case c == f.classes-1:
		next = kindNone
	case c >= ascii:
		next = kindWide
	case isWord(rune(f.sample[c])):
		next = kindWord
	default:
		next = kindOther
	}
	// What the waiting instructions lead to, now that the next character is known.
	var hits []uint64
	var waiting []uint32
	seen := make(map[uint32]bool, 64)
	todo := append(slices.Clone(st.pcs), f.starts...)
	for len(todo) > 0 {
		pc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		in := &f.insts[pc]
		switch in.op {
		case opMatch:
			if hits == nil {
				hits = make([]uint64, f.words)
			}
			hits[f.owner[pc]>>6] |= 1 << (f.owner[pc] & 63)
		case opAlt:
			todo = append(todo, in.out, in.arg)
		case opNop, opCapture:
			todo = append(todo, in.out)
		case opEmpty:
			if mayHold(syntax.EmptyOp(in.arg), st.prev, next) {
				todo = append(todo, in.out)
			}
		case opRune:
			switch {
			case next == kindNone:
			case c >= ascii:
				if in.wide {
					waiting = append(waiting, in.out)
				}
			case in.ascii[f.sample[c]>>6]>>(f.sample[c]&63)&1 == 1:
				waiting = append(waiting, in.out)
			}
		}
	}
	// A byte inside of a character may also be no step at all.
	if c == ascii {
		waiting = append(waiting, st.pcs...)
	}
	slices.Sort(waiting)
	waiting = slices.Compact(waiting)
	made := f.make(gen, waiting, hits, next)
	st.next[c].Store(made)
	if len(gen.byKey) >= maxStates && f.states.Load() == gen {
		if f.generations.Add(1) <= maxGenerations {
			f.reset()
		}
	}
	return made
}

// make finds or makes a state.
func (f *group) make(gen *states, pcs []uint32, hits []uint64, prev kind) *state {
	key := make([]byte, 0, 4*len(pcs)+8*len(hits)+2)
	key = append(key, byte(prev), byte(len(hits)))
	for _, h := range hits {
		key = appendKey(appendKey(key, uint32(h)), uint32(h>>32))
	}
	for _, pc := range pcs {
		key = appendKey(key, pc)
	}
	if st := gen.byKey[string(key)]; st != nil {
		return st
	}
	st := &state{next: make([]atomic.Pointer[state], f.classes), hits: hits, pcs: pcs, prev: prev}
	gen.byKey[string(key)] = st
	return st
}

func appendKey(b []byte, v uint32) []byte {
	return append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

// mayHold reports whether conditions can hold between characters of two kinds.
func mayHold(op syntax.EmptyOp, before, after kind) bool {
	if op&syntax.EmptyBeginText != 0 && before != kindNone || op&syntax.EmptyEndText != 0 && after != kindNone {
		return false
	}
	// The line forms are taken to hold anywhere.
	if before == kindWide || after == kindWide {
		return true
	}
	edge := (before == kindWord) != (after == kindWord)
	return (op&syntax.EmptyWordBoundary == 0 || edge) && (op&syntax.EmptyNoWordBoundary == 0 || !edge)
}

// looseRepeat is how far the filter counts repetitions that are not of digits.
const looseRepeat = 3

// loosen makes a pattern accept more, so that its automaton stays small.
func loosen(re *syntax.Regexp) *syntax.Regexp {
	out := *re
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, s := range re.Sub {
		out.Sub[i] = loosen(s)
	}
	if re.Op == syntax.OpRepeat && (re.Max < 0 || re.Max > looseRepeat) && !onlyDigits(re.Sub[0]) {
		out.Min, out.Max = min(re.Min, looseRepeat), -1
	}
	return &out
}

// onlyDigits reports whether a pattern is one ASCII digit.
func onlyDigits(re *syntax.Regexp) bool {
	return re.Op == syntax.OpCharClass && len(re.Rune) == 2 && re.Rune[0] >= '0' && re.Rune[1] <= '9'
}
