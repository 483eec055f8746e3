// Package scan finds the matches of detectors' patterns in a text, and the regular
// expressions of rules that match it.
//
// A [Union] walks through a text with all patterns at once and says where matches of
// which begin and end. A [Machine] searches for one [Pattern] and tells its groups. A
// [Set] answers for many expressions of package regexp whether they match. All are
// linear in the text and bounded in memory.
//
// Patterns are written in the syntax of package regexp, with these differences:
// letters match without regard to case unless asked otherwise, a dot matches a
// newline, the leftmost and then longest match counts, and the boundaries \b and
// \B see letters and digits of every script that puts blanks between words. In
// scripts that do not (Han, kana, Hangul, Thai and their neighbours) a word may
// end anywhere, so that an ASCII number next to such a letter is still found.
package scan

import (
	"errors"
	"regexp/syntax"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// MaxInst bounds the size of a compiled pattern, roughly in instructions.
const MaxInst = 4000

// MaxGroups bounds the groups of a pattern, the whole match included.
const MaxGroups = 32

// The reasons for which [Compile] refuses a pattern. A pattern that is not in
// the syntax gives the error of package regexp/syntax, which quotes the pattern.
var (
	ErrEmpty = errors.New("scan: pattern: it matches the empty text: ask for one character at least")
	ErrLarge = errors.New("scan: pattern: too large: repeat less or split it")
)

// A Pattern is a compiled pattern. It is immutable and safe for concurrent use.
type Pattern struct {
	// The program that finds spans is made when a text first needs it: most texts,
	// and most patterns, never do.
	once      sync.Once
	tree      *syntax.Regexp
	prog      *syntax.Prog
	stepsOnce sync.Once
	insts     []inst
	start     uint32
	// first tells the bytes that a match can begin with.
	first [4]uint64

	most   int // bytes of a match, or -1
	groups int // with the whole match
	span   int // the group named span, or 0
	trim   trim

	finder atomic.Pointer[part]
}

// The operations of an inst.
const (
	opFail uint8 = iota
	opMatch
	opRune
	opAlt
	opNop
	opCapture
	opEmpty
)

type inst struct {
	ascii    [2]uint64 // opRune: the ASCII characters that it takes
	src      *syntax.Inst
	out, arg uint32
	op       uint8
	wide     bool // opRune: may take characters outside ASCII
}

// Compile compiles a pattern.
//
// If the pattern has a group named span, (?P<span>…), the text of that group is
// what is found, and what surrounds it is only needed around it: the next search
// may use it again.
func Compile(pattern string, caseSensitive bool) (*Pattern, error) {
	flags := syntax.Perl | syntax.DotNL
	if !caseSensitive {
		flags |= syntax.FoldCase
	}
	re, err := syntax.Parse(pattern, flags)
	if err != nil {
		return nil, err
	}
	p := &Pattern{groups: re.MaxCap() + 1}
	for i, name := range re.CapNames() {
		if name == "span" {
			p.span = i
		}
	}
	// Weighed before it is compiled: nested counts make much of little text.
	if weigh(re) > MaxInst {
		return nil, ErrLarge
	}
	p.trim = trimOf(re)
	if p.groups > MaxGroups {
		return nil, ErrLarge
	}
	if _, empty := edgeOf(re, false); empty {
		return nil, ErrEmpty
	}
	p.tree, p.most = re, longest(re)
	return p, nil
}

// program makes the program, from which the automata are made.
func (p *Pattern) program() {
	p.once.Do(func() {
		prog, err := syntax.Compile(p.tree.Simplify())
		if err != nil {
			// What parses and passed the weighing compiles.
			prog = &syntax.Prog{Inst: []syntax.Inst{{Op: syntax.InstFail}}}
		}
		p.prog = prog
	})
}

// steps makes the instructions that are followed one by one.
func (p *Pattern) steps() {
	p.program()
	p.stepsOnce.Do(func() {
		p.insts, p.start = newInsts(p.prog), uint32(p.prog.Start)
		firsts(p.insts, p.start, &p.first, make([]bool, len(p.insts)))
	})
}

// weigh estimates the instructions of a pattern.
func weigh(re *syntax.Regexp) int {
	size := 1
	if re.Op == syntax.OpLiteral {
		size = len(re.Rune)
	}
	for _, sub := range re.Sub {
		if size += weigh(sub); size > MaxInst {
			return size
		}
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Max, re.Min, 1)
	}
	return size
}

// A kind is what boundaries need to know of a character.
type kind uint8

const (
	kindNone  kind = iota // beginning or end of the text
	kindOther             // not of a word
	kindWord              // of a word
	kindLine              // a newline, for (?m)
)

func appendKey(b []byte, v uint32) []byte {
	return append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

func newInsts(prog *syntax.Prog) []inst {
	out := make([]inst, len(prog.Inst))
	for i := range prog.Inst {
		out[i] = newInst(&prog.Inst[i])
	}
	return out
}

func newInst(src *syntax.Inst) inst {
	in := inst{src: src, out: src.Out, arg: src.Arg}
	switch src.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		in.op = opAlt
	case syntax.InstCapture:
		in.op = opCapture
	case syntax.InstEmptyWidth:
		in.op = opEmpty
	case syntax.InstMatch:
		in.op = opMatch
	case syntax.InstNop:
		in.op = opNop
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		in.op = opRune
		in.takeRunes(src)
	}
	return in
}

// takeRunes notes which characters an instruction takes.
func (in *inst) takeRunes(src *syntax.Inst) {
	ranges := src.Rune
	switch {
	case src.Op == syntax.InstRuneAny || src.Op == syntax.InstRuneAnyNotNL:
		ranges = []rune{0, unicode.MaxRune}
	case len(ranges) == 1:
		// One character, with those that it folds to if the instruction says so.
		r := ranges[0]
		ranges = []rune{r, r}
		if syntax.Flags(src.Arg)&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				ranges = append(ranges, f, f)
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= min(ranges[i+1], utf8.RuneSelf-1); r++ {
			in.ascii[r>>6] |= 1 << (r & 63)
		}
		in.wide = in.wide || ranges[i+1] >= utf8.RuneSelf
	}
	if src.Op == syntax.InstRuneAnyNotNL {
		in.ascii['\n'>>6] &^= 1 << ('\n' & 63)
	}
}

// firsts gathers the bytes that a match can begin with from instruction pc on;
// false if it can match the empty text.
func firsts(insts []inst, pc uint32, first *[4]uint64, seen []bool) bool {
	if seen[pc] {
		return true
	}
	seen[pc] = true
	in := &insts[pc]
	switch in.op {
	case opMatch:
		return false
	case opAlt:
		a, b := firsts(insts, in.out, first, seen), firsts(insts, in.arg, first, seen)
		return a && b
	case opNop, opCapture, opEmpty:
		return firsts(insts, in.out, first, seen)
	case opRune:
		first[0] |= in.ascii[0]
		first[1] |= in.ascii[1]
		if in.wide {
			first[2], first[3] = ^uint64(0), ^uint64(0)
		}
	}
	return true
}

// Within reports whether no match is longer than so many bytes.
func (p *Pattern) Within(bytes int) bool { return p.most >= 0 && p.most <= bytes }

// Groups is the number of groups, the whole match included.
func (p *Pattern) Groups() int { return p.groups }

// A thread of the machine is at an instruction, with the places of its groups.
type list struct {
	pcs    []uint32 // in order of priority
	sparse []uint32 // where an instruction stands in pcs
	caps   []int    // of instruction pc: caps[pc*n : pc*n+n]
}

func (l *list) has(pc uint32) bool {
	i := l.sparse[pc]
	return int(i) < len(l.pcs) && l.pcs[i] == pc
}

// A Machine searches texts. It keeps its memory, so that searching allocates
// nothing once it has grown. The zero Machine is ready to use; it serves one
// goroutine at a time.
type Machine struct {
	// Loc holds the place of the last match, and after [Machine.Groups] those of its
	// groups: two byte offsets each, -1 for a group that took no part. It changes with
	// the next search.
	Loc []int

	start, end int // of what was found: the group span, or all

	a, b list
	cur  []int // groups of the thread being followed
	n    int   // len(cur)
}

// Groups fills in the groups of the last match, which Find found with p in text.
func (m *Machine) Groups(p *Pattern, text string) {
	switch {
	case len(m.Loc) == 2*p.groups:
	case p.groups == 2 && p.span == 1:
		m.Loc = append(m.Loc[:2], m.start, m.end)
	default:
		m.find(p, text, m.Loc[0], m.Loc[1])
	}
}

// Span is where the last match lies: the group span, or all of it.
func (m *Machine) Span() (start, end int) { return m.start, m.end }

func (m *Machine) ready(p *Pattern) {
	n := len(p.insts)
	m.n = 2 * p.groups
	for _, l := range []*list{&m.a, &m.b} {
		l.pcs = l.pcs[:0]
		if len(l.sparse) < n {
			l.sparse = make([]uint32, n)
			l.pcs = make([]uint32, 0, n)
		}
		if len(l.caps) < n*m.n {
			l.caps = make([]int, n*m.n)
		}
	}
	if cap(m.cur) < m.n {
		m.cur = make([]int, m.n)
		m.Loc = make([]int, m.n)
	}
	m.cur, m.Loc = m.cur[:m.n], m.Loc[:m.n]
}

// Find searches text for the leftmost match that begins at or after from and
// ends at or before limit, both byte offsets, and of those that begin there for
// the longest. It sees what stands before from and after limit.
func (m *Machine) Find(p *Pattern, text string, from, limit int) bool {
	f := p.automaton()
	// Each place where a match can begin is tried, with an automaton that mostly says
	// no after some characters. Where it does not, trying all would not be linear.
	spare := tries*(limit-from) + 1024
	for pos := from; pos < limit; {
		b := text[pos]
		if f.first[b>>6]>>(b&63)&1 == 0 {
			pos++
			continue
		}
		end, seen := f.longest(text, pos, limit)
		if seen < 0 || spare < 0 {
			return m.find(p, text, pos, limit)
		}
		if end >= 0 {
			if p.span > 0 && !p.trim.tells(text, pos, end) {
				return m.find(p, text, pos, end)
			}
			m.Loc, m.start, m.end = append(m.Loc[:0], pos, end), pos, end
			if p.span > 0 {
				m.start, m.end = p.trim.cut(text, pos, end)
			}
			return true
		}
		spare -= seen
		if pos++; b >= utf8.RuneSelf {
			_, width := utf8.DecodeRuneInString(text[pos-1:])
			pos += width - 1
		}
	}
	return false
}

// tries is how often a byte may be looked at, on average, before Find changes to the
// way that is slower and linear.
const tries = 8

// finderBytes bounds what the states of one pattern's automaton may take.
const finderBytes = 256 << 10

// automaton is the one that finds where matches end that begin at a known place.
func (p *Pattern) automaton() *part {
	if f := p.finder.Load(); f != nil {
		return f
	}
	p.steps()
	f := &part{bytes: finderBytes, wideWords: true, first: p.first}
	c := newCharSets()
	f.roots = []uint32{f.add(p.prog, 0, c) + uint32(p.prog.Start)}
	f.partition(c.sets, false)
	f.walker.seen = make([]uint32, len(f.insts))
	f.reset()
	p.finder.CompareAndSwap(nil, f)
	return p.finder.Load()
}

// longest is where the longest match ends that begins at start and ends at or
// before limit, or -1, and how many bytes it looked at; -1 if it gave up.
func (p *part) longest(text string, start, limit int) (end, seen int) {
	before := kindNone
	if start > 0 {
		r := rune(text[start-1])
		if r >= utf8.RuneSelf {
			r, _ = utf8.DecodeLastRuneInString(text[:start])
		}
		switch {
		case isWord(r):
			before = kindWord
		case r == '\n':
			before = kindLine
		default:
			before = kindOther
		}
	}
	gen := p.states.Load()
	st := gen.after[before]
	end = -1
	for i := start; ; i++ {
		c, at := uint16(len(p.kinds)-1), i
		if i < len(text) {
			if b := text[i]; b < utf8.RuneSelf {
				c = p.class[b]
			} else {
				r, width := utf8.DecodeRuneInString(text[i:])
				c = p.wideOf(r)
				i += width - 1
			}
		}
		next := st.next[c].Load()
		if next == nil {
			if next = p.step(gen, st, int(c)); next == nil {
				return -1, -1
			}
		}
		if st = next; st.event {
			if len(st.hits) > 0 {
				end = at
			}
			if st.dead {
				return end, i - start
			}
		}
		if i >= limit || i >= len(text) {
			return end, i - start
		}
	}
}

// find does what Find does, for every text in time linear in it, and finds the
// groups.
func (m *Machine) find(p *Pattern, text string, from, limit int) bool {
	if !m.match(p, text, from, limit) {
		return false
	}
	m.start, m.end = m.Loc[0], m.Loc[1]
	if s := 2 * p.span; s > 0 && m.Loc[s] >= 0 {
		m.start, m.end = m.Loc[s], m.Loc[s+1]
	}
	return true
}

func (m *Machine) match(p *Pattern, text string, from, limit int) bool {
	p.steps()
	m.ready(p)
	now, next := &m.a, &m.b
	found := false
	prev, _ := utf8.DecodeLastRuneInString(text[:from])
	if from == 0 {
		prev = -1
	}
	for pos := from; ; {
		if len(now.pcs) == 0 {
			if found {
				return true
			}
			skip := pos
			for skip < limit && p.first[text[skip]>>6]>>(text[skip]&63)&1 == 0 {
				skip++
			}
			if skip >= limit {
				return false
			}
			if skip > pos {
				// A byte inside a character is never a place to begin.
				for skip > pos && !utf8.RuneStart(text[skip]) {
					skip--
				}
				if skip > pos {
					pos = skip
					if prev = rune(text[pos-1]); prev >= utf8.RuneSelf {
						prev, _ = utf8.DecodeLastRuneInString(text[:pos])
					}
				}
			}
		}
		r, width := rune(-1), 0
		if pos < len(text) {
			if r, width = rune(text[pos]), 1; r >= utf8.RuneSelf {
				r, width = utf8.DecodeRuneInString(text[pos:])
			}
		}
		if !found && r >= 0 && (len(now.pcs) > 0 || p.first[text[pos]>>6]>>(text[pos]&63)&1 == 1) {
			for i := range m.cur {
				m.cur[i] = -1
			}
			m.cur[0] = pos
			m.follow(p, now, p.start, pos, prev, r)
		}
		var after rune = -1
		if pos+width < len(text) {
			if after = rune(text[pos+width]); after >= utf8.RuneSelf {
				after, _ = utf8.DecodeRuneInString(text[pos+width:])
			}
		}
		for _, pc := range now.pcs {
			in := &p.insts[pc]
			caps := now.caps[int(pc)*m.n : int(pc)*m.n+m.n]
			if found && caps[0] > m.Loc[0] {
				continue // began later than what is found
			}
			if in.op == opMatch {
				if !found || caps[0] < m.Loc[0] || pos > m.Loc[1] {
					copy(m.Loc, caps)
					m.Loc[1] = pos
					found = true
				}
				continue
			}
			if r >= 0 && in.takes(r) {
				copy(m.cur, caps)
				m.follow(p, next, in.out, pos+width, r, after)
			}
		}
		now.pcs = now.pcs[:0]
		now, next = next, now
		if r < 0 || pos+width > limit {
			return found
		}
		prev, pos = r, pos+width
	}
}

func (in *inst) takes(r rune) bool {
	if r < utf8.RuneSelf {
		return in.ascii[r>>6]>>(r&63)&1 == 1
	}
	return in.wide && in.src.MatchRune(r)
}

// follow adds the instructions that are reached from pc without taking a
// character. Who comes first stays: it has the earlier start.
func (m *Machine) follow(p *Pattern, l *list, pc uint32, pos int, before, after rune) {
	for {
		if l.has(pc) {
			return
		}
		l.sparse[pc] = uint32(len(l.pcs))
		l.pcs = append(l.pcs, pc)
		in := &p.insts[pc]
		switch in.op {
		case opFail:
			return
		case opAlt:
			m.follow(p, l, in.out, pos, before, after)
			pc = in.arg
		case opNop:
			pc = in.out
		case opEmpty:
			if !holds(syntax.EmptyOp(in.arg), before, after) {
				return
			}
			pc = in.out
		case opCapture:
			if int(in.arg) >= m.n {
				pc = in.out
				continue
			}
			old := m.cur[in.arg]
			m.cur[in.arg] = pos
			m.follow(p, l, in.out, pos, before, after)
			m.cur[in.arg] = old
			return
		default:
			copy(l.caps[int(pc)*m.n:int(pc)*m.n+m.n], m.cur)
			return
		}
	}
}

// holds reports whether the conditions op hold between two characters, -1 for
// none.
func holds(op syntax.EmptyOp, before, after rune) bool {
	if op&syntax.EmptyBeginText != 0 && before >= 0 || op&syntax.EmptyEndText != 0 && after >= 0 ||
		op&syntax.EmptyBeginLine != 0 && before >= 0 && before != '\n' ||
		op&syntax.EmptyEndLine != 0 && after >= 0 && after != '\n' {
		return false
	}
	if op&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 {
		edge := isWord(before) != isWord(after)
		if op&syntax.EmptyWordBoundary != 0 && !edge || op&syntax.EmptyNoWordBoundary != 0 && edge {
			return false
		}
	}
	return true
}

// isWord reports whether a character belongs to a word that does not end beside
// another such character.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 0 && (syntax.IsWordChar(r))
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) && !unicode.In(r, unspaced...)
}

// The scripts that put no blanks between words, and Hangul, whose particles are
// written onto the word before them.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan}

// Take makes the match that the machine has found one of p in text[start:end], which
// a [Union] has told.
func (m *Machine) Take(p *Pattern, text string, start, end int) {
	if p.span > 0 && !p.trim.tells(text, start, end) {
		m.find(p, text, start, end)
		return
	}
	m.Loc, m.start, m.end = append(m.Loc[:0], start, end), start, end
	if p.span > 0 {
		m.start, m.end = p.trim.cut(text, start, end)
	}
}

// Longest searches for the longest match that begins at start and ends at or before
// limit. It returns start if there is one, else the next place where a match can
// begin.
//
// Patience is how much may be spent in vain on one text, or nil: when it is used up,
// the next place is searched for in a way that is linear in the text.
func (m *Machine) Longest(p *Pattern, text string, start, limit int, patience *int) int {
	f := p.automaton()
	if patience == nil || *patience >= 0 {
		end, seen := f.longest(text, start, limit)
		if end >= 0 && seen >= 0 {
			m.Take(p, text, start, end)
			return start
		}
		if seen >= 0 {
			if patience != nil {
				*patience -= seen
			}
			return start + 1
		}
	}
	switch {
	case !m.find(p, text, start, len(text)):
		return len(text)
	case m.Loc[0] > start:
		return m.Loc[0]
	case m.Loc[1] <= limit || m.find(p, text, start, limit) && m.Loc[0] == start:
		return start
	}
	return start + 1
}

// Patience is what [Machine.Longest] may spend on a text of so many bytes.
func Patience(length int) int { return tries*length + 1024 }
