package scan

import (
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A Set says which of many regular expressions match somewhere in a text. All are
// looked for in one pass, so that the cost does not depend on how many there are.
//
// Its expressions are those of package regexp, with the same meaning to the last
// byte: case counts, \b is ASCII, a byte that is not UTF-8 reads as U+FFFD. This is
// what the matches function of CEL does; patterns of detectors mean other things,
// see [Pattern].
//
// The pass runs a deterministic automaton over characters, whose states are made
// when a text first needs them. Memory and work are bounded by setBytes and
// setGenerations: expressions whose states multiply are split into ever smaller
// parts, each with an automaton of its own, and in the end are followed through the
// text without making states, which is slower and still linear in the text.
//
// A Set is safe for concurrent use. Nothing is compiled before the first text.
type Set struct {
	exprs []string
	ids   []uint32
	lower bool
	once  sync.Once
	mu    sync.Mutex // of splitting
	parts atomic.Pointer[[]*part]
}

// Bounds of a Set.
const (
	// setBytes is about what all states of a Set may take; parts share it. Small
	// expressions get less: exprBytes, and instBytes for each instruction.
	setBytes  = 8 << 20
	exprBytes = 4 << 10
	instBytes = 1 << 10
	// setGenerations is how often a part may forget its states and begin anew
	// before it is split.
	setGenerations = 3
	// setRetry is how often a part is asked in vain before it makes states again. What
	// making them in vain costs is then small beside the asking.
	setRetry = 4096
	// maxParts bounds how often a Set is split.
	maxParts = 64
)

// NewSet makes a set of expressions, which must compile; id i is what a match of
// expression i is known by. If lower is set, the text's ASCII letters are taken
// for small ones, as if lowerAscii had been called. The set keeps both slices.
func NewSet(exprs []string, ids []uint32, lower bool) *Set {
	return &Set{exprs: exprs, ids: ids, lower: lower}
}

// Matches is a set of ids, which also knows them as a list.
type Matches struct {
	List []uint32 // in the order in which they came
	bits []uint64
}

// Grow makes room for ids below n.
func (m *Matches) Grow(n int) {
	if words := (n + 63) / 64; words > len(m.bits) {
		m.bits = append(m.bits, make([]uint64, words-len(m.bits))...)
	}
}

// Has reports whether id is in the set.
func (m *Matches) Has(id uint32) bool { return m.bits[id>>6]>>(id&63)&1 == 1 }

// Add puts id into the set, for which there must be room.
func (m *Matches) Add(id uint32) {
	if w := &m.bits[id>>6]; *w>>(id&63)&1 == 0 {
		*w |= 1 << (id & 63)
		m.List = append(m.List, id)
	}
}

// Reset empties the set.
func (m *Matches) Reset() {
	for _, id := range m.List {
		m.bits[id>>6] = 0
	}
	m.List = m.List[:0]
}

// Match adds the ids of the expressions that match somewhere in text.
func (s *Set) Match(text string, m *Matches) {
	parts := s.parts.Load()
	if parts == nil {
		s.once.Do(s.compile)
		parts = s.parts.Load()
	}
	for _, p := range *parts {
		if !p.run(text, m) {
			p.follow(text, m)
			s.split(p)
		}
	}
}

// split makes two parts of one that gave up, so that later texts fare better.
func (s *Set) split(p *part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := *s.parts.Load()
	at := slices.Index(parts, p)
	n := len(p.members) / 2
	if at < 0 || n == 0 || len(parts) == maxParts {
		return // another goroutine was faster, or there is nothing to gain
	}
	next := slices.Delete(slices.Clone(parts), at, at+1)
	next = append(next, s.join(p.members[:n], len(next)+2, true), s.join(p.members[n:], len(next)+2, true))
	s.parts.Store(&next)
}

func (s *Set) compile() {
	all := make([]uint32, len(s.exprs))
	for i := range all {
		all[i] = uint32(i)
	}
	parts := []*part{s.join(all, 1, true)}
	s.parts.Store(&parts)
}

// A part is an automaton of some expressions of a Set.
type part struct {
	members []uint32 // indexes of the expressions

	insts  []setInst
	starts []uint32 // where expressions begin that may begin anywhere
	roots  []uint32 // where those begin that hold at the beginning of the text only
	class  [utf8.RuneSelf]uint16
	// Characters outside ASCII: those from wide[i] up to the next are of class
	// wideClass[i].
	wide      []rune
	wideClass []uint16
	// wideWords says that characters outside ASCII may belong to words; then their
	// classes are in wideWord.
	wideWords bool
	wideWord  []uint16
	kinds     []kind     // of each class; the last is the end of the text
	takes     [][]uint64 // by class: the sets of characters that it lies in

	// back says that texts are read from their end, see reverse.
	back        bool
	first       [4]uint64 // of a pattern's finder: bytes that a match can begin with
	bytes       int       // what states may take
	states      atomic.Pointer[setStates]
	generations atomic.Int32

	mu      sync.Mutex // of making states
	refused int        // how often there were no more states to have
	walker  walker
	spare   atomic.Pointer[walker] // for whoever goes on without states
}

// A walker follows instructions.
type walker struct {
	todo []uint32
	seen []uint32 // seen[pc] == mark
	mark uint32
	// What advance found out, until it is called again.
	waiting, hits []uint32
	pcs           []uint32
}

// A setInst is an instruction.
type setInst struct {
	out, arg uint32 // arg: second way of opAlt, condition of opEmpty, set of opRune
	id       uint32 // opMatch: what matched
	op       uint8
}

type setStates struct {
	byKey map[string]*setState
	begin *setState
	// after are the beginnings in the middle of a text, after a character of a kind,
	// for a part all of whose expressions begin where they are told to.
	after [kindLine + 1]*setState
	bytes int
}

// A setState is what the automaton knows after some characters.
type setState struct {
	next []atomic.Pointer[setState] // by class of the next character
	// event is set where a run must look up: something matched on the way into this
	// state, or nothing more can.
	event, dead bool
	prev        kind
	hits        []uint32 // ids
	pcs         []uint32 // instructions that wait for the next character
}

// join makes a part of several expressions, one of so many parts. It is read from the
// end if back allows it and all of them hold there only.
func (s *Set) join(members []uint32, parts int, back bool) *part {
	p := &part{members: members, back: back}
	c := newCharSets()
	trees := make([]*syntax.Regexp, len(members))
	for i, m := range members {
		tree, err := syntax.Parse(s.exprs[m], syntax.Perl)
		if err != nil {
			continue // callers compiled it before; it matches nothing
		}
		trees[i] = tree
		p.back = p.back && endsText(tree)
	}
	for k, i := range members {
		tree := trees[k]
		if tree == nil {
			continue
		}
		if p.back {
			tree = reverse(tree)
		}
		prog, err := syntax.Compile(tree.Simplify())
		if err != nil {
			continue
		}
		base := p.add(prog, s.ids[i], c)
		if start := base + uint32(prog.Start); endsText(reverse(tree)) {
			p.roots = append(p.roots, start)
		} else {
			p.starts = append(p.starts, start)
		}
	}
	p.bytes = min(setBytes/parts, exprBytes*len(members)+instBytes*len(p.insts))
	p.partition(c.sets, s.lower)
	p.walker.seen = make([]uint32, len(p.insts))
	p.reset()
	return p
}

// charSets are the sets of characters that the instructions of a part take, each
// once: by an instruction that takes it.
type charSets struct {
	sets    []charSet
	byRunes map[string]uint32
	byPlace map[runesAt]uint32 // repeated parts of a pattern share their slice
}

type runesAt struct {
	first *rune
	len   int
	op    syntax.InstOp
	fold  bool
}

func newCharSets() *charSets {
	return &charSets{byRunes: map[string]uint32{}, byPlace: map[runesAt]uint32{}}
}

// A charSet is a set of characters: those of ASCII, and ranges of others, in order.
type charSet struct {
	ascii [2]uint64
	wide  []rune // from, to, from, to, …
}

func charSetOf(in *syntax.Inst) (s charSet) {
	ranges := in.Rune
	switch {
	case in.Op == syntax.InstRuneAny || in.Op == syntax.InstRuneAnyNotNL:
		ranges = []rune{0, unicode.MaxRune}
	case len(ranges) == 1:
		// One character, and those that it is equal to without regard to case if the
		// instruction says so.
		r := ranges[0]
		equal := []rune{r}
		if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				equal = append(equal, f)
			}
		}
		slices.Sort(equal)
		ranges = nil
		for _, r := range equal {
			ranges = append(ranges, r, r)
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= min(ranges[i+1], utf8.RuneSelf-1); r++ {
			s.ascii[r>>6] |= 1 << (r & 63)
		}
		if ranges[i+1] >= utf8.RuneSelf {
			s.wide = append(s.wide, max(ranges[i], utf8.RuneSelf), ranges[i+1])
		}
	}
	if in.Op == syntax.InstRuneAnyNotNL {
		s.ascii['\n'>>6] &^= 1 << ('\n' & 63)
	}
	return s
}

func (c *charSets) number(in *syntax.Inst) uint32 {
	at := runesAt{op: in.Op, len: len(in.Rune), fold: syntax.Flags(in.Arg)&syntax.FoldCase != 0}
	if at.len > 0 {
		at.first = &in.Rune[0]
	}
	if n, ok := c.byPlace[at]; ok {
		return n
	}
	key := appendKey([]byte{byte(in.Op)}, in.Arg&uint32(syntax.FoldCase))
	for _, r := range in.Rune {
		key = appendKey(key, uint32(r))
	}
	n, ok := c.byRunes[string(key)]
	if !ok {
		n = uint32(len(c.sets))
		c.byRunes[string(key)] = n
		c.sets = append(c.sets, charSetOf(in))
	}
	c.byPlace[at] = n
	return n
}

// add takes in a program, whose match is known by id. It returns the number of its
// first instruction.
func (p *part) add(prog *syntax.Prog, id uint32, c *charSets) (base uint32) {
	base = uint32(len(p.insts))
	for i := range prog.Inst {
		in := &prog.Inst[i]
		out := setInst{out: in.Out + base, arg: in.Arg, id: id}
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			out.op, out.arg = opAlt, in.Arg+base
		case syntax.InstCapture, syntax.InstNop:
			out.op = opNop
		case syntax.InstEmptyWidth:
			out.op = opEmpty
		case syntax.InstMatch:
			out.op = opMatch
		case syntax.InstFail:
			out.op = opFail
		default:
			out.op, out.arg = opRune, c.number(in)
		}
		p.insts = append(p.insts, out)
	}
	return base
}

// partition puts characters that no instruction tells apart into one class.
func (p *part) partition(sets []charSet, lower bool) {
	classes := map[string]uint16{}
	takes := make([]uint64, (len(sets)+63)/64) // the sets that the character at hand lies in
	var key []byte
	classOf := func(k kind) uint16 {
		key = append(key[:0], byte(k))
		for _, t := range takes {
			key = appendKey(appendKey(key, uint32(t)), uint32(t>>32))
		}
		c, ok := classes[string(key)]
		if !ok {
			c = uint16(len(classes))
			classes[string(key)] = c
			p.kinds = append(p.kinds, k)
			p.takes = append(p.takes, slices.Clone(takes))
		}
		return c
	}
	for r := range rune(utf8.RuneSelf) {
		clear(takes)
		for i := range sets {
			takes[i>>6] |= sets[i].ascii[r>>6] >> (r & 63) & 1 << (i & 63)
		}
		p.class[r] = classOf(kinds[r])
	}
	if lower {
		for r := 'A'; r <= 'Z'; r++ {
			p.class[r] = p.class[r+'a'-'A']
		}
	}
	// Only where a range of some set begins or ends can the class change.
	var wide []int // the sets that have others than ASCII
	p.wide = []rune{utf8.RuneSelf}
	for i := range sets {
		if len(sets[i].wide) > 0 {
			wide = append(wide, i)
		}
		for j, r := range sets[i].wide {
			if r += rune(j & 1); r <= unicode.MaxRune {
				p.wide = append(p.wide, r)
			}
		}
	}
	slices.Sort(p.wide)
	p.wide = slices.Compact(p.wide)
	p.wideClass = make([]uint16, len(p.wide))
	if p.wideWords {
		p.wideWord = make([]uint16, len(p.wide))
	}
	clear(takes)
	at := make([]int, len(wide)) // the next range of each
	for i, r := range p.wide {
		for j, set := range wide {
			ranges := sets[set].wide
			for at[j] < len(ranges) && ranges[at[j]+1] < r {
				at[j] += 2
			}
			takes[set>>6] &^= 1 << (set & 63)
			if at[j] < len(ranges) && ranges[at[j]] <= r {
				takes[set>>6] |= 1 << (set & 63)
			}
		}
		p.wideClass[i] = classOf(kindOther)
		if p.wideWords {
			p.wideWord[i] = classOf(kindWord)
		}
	}
	p.kinds = append(p.kinds, kindNone)
}

// wideOf is the class of a character outside ASCII.
func (p *part) wideOf(r rune) uint16 {
	i, ok := slices.BinarySearch(p.wide, r)
	if !ok {
		i--
	}
	if p.wideWords && isWord(r) {
		return p.wideWord[i]
	}
	return p.wideClass[i]
}

func (p *part) reset() {
	st := &setStates{byKey: map[string]*setState{}}
	begin := slices.Concat(p.starts, p.roots)
	slices.Sort(begin)
	st.begin = p.make(st, begin, nil, kindNone)
	for k := range st.after {
		st.after[k] = st.begin
		if len(p.starts) == 0 {
			st.after[k] = p.make(st, begin, nil, kind(k))
		}
	}
	p.states.Store(st)
}

// run adds what matches in text. It returns false if it gave up; then anything may
// match besides.
func (p *part) run(text string, m *Matches) bool {
	gen := p.states.Load()
	st := gen.begin
	for len(text) > 0 {
		var c uint16
		c, text = p.read(text)
		next := st.next[c].Load()
		if next == nil {
			if next = p.step(gen, st, int(c)); next == nil {
				return false
			}
		}
		if st = next; st.event {
			for _, id := range st.hits {
				m.Add(id)
			}
			if st.dead {
				return true
			}
		}
	}
	end := len(p.kinds) - 1
	last := st.next[end].Load()
	if last == nil {
		if last = p.step(gen, st, end); last == nil {
			return false
		}
	}
	for _, id := range last.hits {
		m.Add(id)
	}
	return true
}

// read takes the next character off a text: its class, and what is left.
func (p *part) read(text string) (class uint16, rest string) {
	if p.back {
		last := len(text) - 1
		if b := text[last]; b < utf8.RuneSelf {
			return p.class[b], text[:last]
		}
		r, width := utf8.DecodeLastRuneInString(text)
		return p.wideOf(r), text[:len(text)-width]
	}
	if b := text[0]; b < utf8.RuneSelf {
		return p.class[b], text[1:]
	}
	r, width := utf8.DecodeRuneInString(text)
	return p.wideOf(r), text[width:]
}

// reverse is what matches the texts that re matches, read from the end. An expression
// that holds at the end of a text only, as most that look at what stands before a match,
// is decided by some characters then.
func reverse(re *syntax.Regexp) *syntax.Regexp {
	out := *re
	switch re.Op {
	case syntax.OpBeginText:
		out.Op = syntax.OpEndText
	case syntax.OpEndText:
		out.Op = syntax.OpBeginText
	case syntax.OpBeginLine:
		out.Op = syntax.OpEndLine
	case syntax.OpEndLine:
		out.Op = syntax.OpBeginLine
	case syntax.OpLiteral:
		out.Rune = slices.Clone(re.Rune)
		slices.Reverse(out.Rune)
	}
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, sub := range re.Sub {
		out.Sub[i] = reverse(sub)
	}
	if re.Op == syntax.OpConcat {
		slices.Reverse(out.Sub)
	}
	return &out
}

// longest is how many bytes a match has at most; -1 if that is not bounded.
func longest(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			most := r
			if re.Flags&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					most = max(most, f)
				}
			}
			n += size(most)
		}
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			n = size(re.Rune[len(re.Rune)-1])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = utf8.UTFMax
	case syntax.OpCapture, syntax.OpQuest:
		return longest(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return -1
	case syntax.OpRepeat:
		if n = longest(re.Sub[0]); n < 0 || re.Max < 0 || n*re.Max > 1<<20 {
			return -1
		}
		return n * re.Max
	case syntax.OpConcat, syntax.OpAlternate:
		for _, sub := range re.Sub {
			m := longest(sub)
			switch {
			case m < 0:
				return -1
			case re.Op == syntax.OpConcat:
				n += m
			default:
				n = max(n, m)
			}
		}
	}
	return n
}

// size is how many bytes a character of that number or a lower one takes at most. A
// byte that is no character stands for U+FFFD and is shorter.
func size(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case r < 1<<11:
		return 2
	case r < 1<<16:
		return 3
	}
	return utf8.UTFMax
}

// endsText reports whether every match ends at the end of the text.
func endsText(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndText:
		return true
	case syntax.OpCapture:
		return endsText(re.Sub[0])
	case syntax.OpConcat:
		return endsText(re.Sub[len(re.Sub)-1])
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !endsText(sub) {
				return false
			}
		}
		return true
	}
	return false
}

// step makes the state that follows st on a character of class c, or returns nil
// if no more are made.
func (p *part) step(gen *setStates, st *setState, c int) *setState {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next := st.next[c].Load(); next != nil {
		return next
	}
	if p.generations.Load() > setGenerations {
		// Texts change: what used up the states may be over.
		if p.refused++; p.refused%setRetry == 0 {
			p.generations.Store(0)
			p.reset()
		}
		return nil
	}
	w := &p.walker
	p.advance(w, st.pcs, st.prev, st == gen.begin, c)
	made := p.make(gen, w.waiting, w.hits, p.kinds[c])
	st.next[c].Store(made)
	if gen.bytes >= p.bytes && p.states.Load() == gen && p.generations.Add(1) <= setGenerations {
		p.reset()
	}
	return made
}

// advance takes a character of class c. It leaves in w what waits after it, and the
// ids of what matched before it.
func (p *part) advance(w *walker, pcs []uint32, prev kind, begin bool, c int) {
	next := p.kinds[c]
	w.mark++
	if w.mark == 0 {
		clear(w.seen)
		w.mark = 1
	}
	w.waiting, w.hits = w.waiting[:0], w.hits[:0]
	w.todo = append(w.todo[:0], pcs...)
	if !begin {
		w.todo = append(w.todo, p.starts...)
	}
	for len(w.todo) > 0 {
		pc := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if w.seen[pc] == w.mark {
			continue
		}
		w.seen[pc] = w.mark
		switch in := &p.insts[pc]; in.op {
		case opMatch:
			w.hits = append(w.hits, in.id)
		case opAlt:
			w.todo = append(w.todo, in.out, in.arg)
		case opNop:
			w.todo = append(w.todo, in.out)
		case opEmpty:
			if conditions(prev, next)&syntax.EmptyOp(in.arg) == syntax.EmptyOp(in.arg) {
				w.todo = append(w.todo, in.out)
			}
		case opRune:
			if next != kindNone && p.takes[c][in.arg>>6]>>(in.arg&63)&1 == 1 {
				w.waiting = append(w.waiting, in.out)
			}
		}
	}
	slices.Sort(w.waiting)
	slices.Sort(w.hits)
	w.waiting, w.hits = slices.Compact(w.waiting), slices.Compact(w.hits)
}

// follow does what run does without making states.
func (p *part) follow(text string, m *Matches) {
	w := p.spare.Swap(nil)
	if w == nil {
		w = &walker{seen: make([]uint32, len(p.insts))}
	}
	prev := kindNone
	w.pcs = append(append(w.pcs[:0], p.starts...), p.roots...)
	for begin, end := true, false; !end; begin = false {
		c := uint16(len(p.kinds) - 1)
		if end = len(text) == 0; !end {
			c, text = p.read(text)
		}
		p.advance(w, w.pcs, prev, begin, int(c))
		for _, id := range w.hits {
			m.Add(id)
		}
		if len(w.hits) == len(p.members) || len(w.waiting) == 0 && len(p.starts) == 0 {
			break // all is said
		}
		w.pcs = append(w.pcs[:0], w.waiting...)
		prev = p.kinds[c]
	}
	p.spare.Store(w)
}

// conditions are those that hold between characters of two kinds.
func conditions(before, after kind) syntax.EmptyOp {
	op := syntax.EmptyNoWordBoundary
	if (before == kindWord) != (after == kindWord) {
		op = syntax.EmptyWordBoundary
	}
	if before == kindNone {
		op |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	}
	if before == kindLine {
		op |= syntax.EmptyBeginLine
	}
	if after == kindNone {
		op |= syntax.EmptyEndText | syntax.EmptyEndLine
	}
	if after == kindLine {
		op |= syntax.EmptyEndLine
	}
	return op
}

// make finds or makes a state.
func (p *part) make(gen *setStates, pcs, hits []uint32, prev kind) *setState {
	key := make([]byte, 0, 4*len(pcs)+4*len(hits)+5)
	key = appendKey(append(key, byte(prev)), uint32(len(hits)))
	for _, id := range hits {
		key = appendKey(key, id)
	}
	for _, pc := range pcs {
		key = appendKey(key, pc)
	}
	if st := gen.byKey[string(key)]; st != nil {
		return st
	}
	st := &setState{next: make([]atomic.Pointer[setState], len(p.kinds)), hits: slices.Clone(hits), pcs: slices.Clone(pcs), prev: prev}
	st.dead = len(pcs) == 0 && len(p.starts) == 0 || len(hits) > 0 && len(hits) == len(p.members)
	st.event = st.dead || len(hits) > 0
	gen.byKey[string(key)] = st
	gen.bytes += 2*len(key) + 8*len(p.kinds) + 128
	return st
}
