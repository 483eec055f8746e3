package scan

import (
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// A Union finds where matches of many patterns begin and end, all in one pass.
//
// At each place where some match can begin, one deterministic automaton of all
// patterns walks on through the text until none of them can match any more, which is
// mostly soon. Places where it dies at once are known by their first two bytes and
// passed over, and patterns that need what does not stand near take no part, see
// [need]. So the work hardly depends on how many patterns there are, and the
// automaton stays small: because every walk begins where a match does, its patterns
// go in step instead of multiplying each other's states. To the automaton all digits
// are one, because numbers would make states without end; a pattern that tells them
// apart is asked itself.
//
// States are made when a text first needs them. Memory and work are bounded: see
// unionBytes and Reach. A Union is safe for concurrent use. Nothing is made before
// the first text.
type Union struct {
	patterns []*Pattern
	once     sync.Once
	part     part
	needs    []uint8  // of the roots, as bits
	owner    []uint16 // which pattern an instruction belongs to
	coarse   []bool   // the patterns that tell digits apart
	stride   uint32
	table    atomic.Pointer[unionTable]
	heard    [allNeeds + 1]atomic.Pointer[heard] // by the needs that are met
	asked    *marked                             // where it is known whether a walk with all patterns dies
}

const (
	// Reach is how far a walk goes with all patterns together, in bytes. Those that are
	// alive after it are told one by one.
	Reach = 64
	// unionBytes is about what the states of a Union may take. When it is used up, all
	// are forgotten. The built-in detectors take 1 MiB for logs and 24 MiB for 50 MB of
	// documentation.
	unionBytes = 32 << 20
	// firstRows is how many states there is room for at first.
	firstRows = 256
)

// A unionTable is one generation of states. An entry of trans is 0 where the state
// that follows is not known yet, else the place of its row, shifted, and flags.
type unionTable struct {
	trans  []atomic.Uint32 // by row and class
	states []atomic.Pointer[unionState]
	rows   int
	byKey  map[string]uint32
	// start are entries by the needs that are met and the kind of the character before,
	// 0 for what is not known yet.
	start [allNeeds + 1][kindLine + 1]atomic.Uint32
	bytes int
}

// The flags of an entry.
const (
	entryKnown = 1 << iota
	entryEvent // the state has hits, or nothing lives in it
	entryDead  // neither
	entryShift = iota
)

type unionState struct {
	pcs  []uint32
	hits []uint32 // patterns that matched on the way into this state
	prev kind
}

// NewUnion makes a union of patterns; they keep their numbers. A nil pattern never
// matches.
func NewUnion(patterns []*Pattern) *Union { return &Union{patterns: patterns} }

func (u *Union) build() {
	p := &u.part
	p.wideWords = true
	c := newCharSets()
	u.coarse = make([]bool, len(u.patterns))
	for i, pat := range u.patterns {
		if pat == nil {
			continue
		}
		for _, branch := range branches(pat.tree) {
			prog, err := syntax.Compile(branch.Simplify())
			if err != nil {
				continue // what parses and passed the weighing compiles
			}
			base := p.add(prog, uint32(i), c)
			p.roots = append(p.roots, base+uint32(prog.Start))
			u.needs = append(u.needs, needOf(branch))
			for pc := range prog.Inst {
				u.owner = append(u.owner, uint16(i))
				if in := &p.insts[int(base)+pc]; in.op == opRune {
					digits := c.sets[in.arg].ascii[0] & allDigits
					u.coarse[i] = u.coarse[i] || digits != 0 && digits != allDigits
				}
			}
		}
	}
	for i := range c.sets {
		if c.sets[i].ascii[0]&allDigits != 0 {
			c.sets[i].ascii[0] |= allDigits
		}
	}
	p.partition(c.sets, false)
	p.walker.seen = make([]uint32, len(p.insts))
	u.stride = uint32(len(p.kinds))
	u.asked = new(marked)
	u.asked.grow(u.stride)
	u.renew(firstRows)
}

// allDigits are the bits of the digits in the set of an instruction.
const allDigits = (1<<10 - 1) << '0'

// renew begins a generation with room for so many states. The caller holds the lock,
// or is the first.
func (u *Union) renew(rows int) *unionTable {
	t := &unionTable{byKey: map[string]uint32{}, rows: 0,
		trans: make([]atomic.Uint32, rows*int(u.stride)), states: make([]atomic.Pointer[unionState], rows)}
	u.table.Store(t)
	return t
}

// begin is the state in which a walk begins. It returns the table that it is of.
func (u *Union) begin(t *unionTable, met uint8, before kind) (*unionTable, uint32) {
	if e := t.start[met][before].Load(); e != 0 {
		return t, e
	}
	p := &u.part
	p.mu.Lock()
	defer p.mu.Unlock()
	if t = u.room(); t.start[met][before].Load() == 0 {
		var pcs []uint32
		for i, pc := range p.roots {
			if u.needs[i]&^met == 0 {
				pcs = append(pcs, pc)
			}
		}
		slices.Sort(pcs)
		t.start[met][before].Store(u.make(t, pcs, nil, before))
	}
	return t, t.start[met][before].Load()
}

// room is the table at hand, with room for one more state. The caller holds the lock.
func (u *Union) room() *unionTable {
	t := u.table.Load()
	if t.rows == len(t.states) || t.bytes > unionBytes {
		return u.grow(t)
	}
	return t
}

// make finds or makes a state and returns its entry.
func (u *Union) make(t *unionTable, pcs, hits []uint32, prev kind) uint32 {
	key := make([]byte, 0, 4*len(pcs)+4*len(hits)+5)
	key = appendKey(append(key, byte(prev)), uint32(len(hits)))
	for _, id := range hits {
		key = appendKey(key, id)
	}
	for _, pc := range pcs {
		key = appendKey(key, pc)
	}
	if e, ok := t.byKey[string(key)]; ok {
		return e
	}
	e := uint32(t.rows)*u.stride<<entryShift | entryKnown
	switch {
	case len(hits) > 0:
		e |= entryEvent
	case len(pcs) == 0:
		e |= entryEvent | entryDead
	}
	t.states[t.rows].Store(&unionState{pcs: slices.Clone(pcs), hits: slices.Clone(hits), prev: prev})
	t.byKey[string(key)] = e
	t.rows++
	t.bytes += 2*len(key) + 4*int(u.stride) + 128
	return e
}

// step makes the state that follows a row on a class. It returns the table that the
// entry is of, which may be another one than before.
func (u *Union) step(t *unionTable, row, class uint32) (*unionTable, uint32) {
	p := &u.part
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := t.trans[row+class].Load(); e != 0 {
		return t, e
	}
	st := t.states[row/u.stride].Load()
	p.advance(&p.walker, st.pcs, st.prev, false, int(class))
	next := u.room() // another one if states were forgotten, here or by another goroutine
	e := u.make(next, p.walker.waiting, p.walker.hits, p.kinds[class])
	if next == t {
		t.trans[row+class].Store(e)
	}
	return next, e
}

// grow makes room for more states, or forgets all.
func (u *Union) grow(t *unionTable) *unionTable {
	if t.bytes > unionBytes {
		return u.renew(len(t.states))
	}
	more := &unionTable{byKey: t.byKey, rows: t.rows, bytes: t.bytes,
		trans: make([]atomic.Uint32, 2*len(t.trans)), states: make([]atomic.Pointer[unionState], 2*len(t.states))}
	for i := range t.trans {
		more.trans[i].Store(t.trans[i].Load())
	}
	for i := range t.rows {
		more.states[i].Store(t.states[i].Load())
	}
	for i := range t.start {
		for k := range t.start[i] {
			more.start[i][k].Store(t.start[i][k].Load())
		}
	}
	u.table.Store(more)
	return more
}

// An End says that a match of a pattern that begins at a known place ends at End, as
// the longest. End is -1 if only a search of its own can tell whether it matches.
type End struct{ Pattern, End int }

// A Walker goes through texts with a Union. It keeps its memory. The zero Walker is
// ready to use; it serves one goroutine at a time.
type Walker struct {
	Ends  []End
	view  view
	runes [512]wide // those seen last
}

// Begin must be called before another text is walked through, or the same from an
// earlier place.
func (w *Walker) Begin() { w.view = view{} }

// A wide is what is known about a character outside ASCII.
type wide struct {
	r     rune
	class uint16
	word  bool
}

// Next is the next place from pos on, before limit, where a match of some pattern
// begins or may begin, with w.Ends telling which and where they end; -1 if there is
// none. text is what stands before and after as well.
func (u *Union) Next(w *Walker, text string, pos, limit int) int {
	u.once.Do(u.build)
	t, all := u.table.Load(), u.heardAt(allNeeds)
	near := u.heardAt(w.view.needs) // as long as the view is the same
	before := kindAt(text, pos)
	for ; pos < limit; pos++ {
		if pos, before = all.pass(text, pos, limit, before); pos == limit {
			break
		}
		b := text[pos]
		if b < utf8.RuneSelf {
			k := before
			before = kinds[b]
			if pos+1 == len(text) {
				if t, _ = u.walk(w, t, text, pos, allNeeds, k); len(w.Ends) > 0 {
					return pos
				}
				continue
			}
			two := uint(b)<<8 | uint(text[pos+1])
			word, bit := two>>6, uint64(1)<<(two&63)
			// Only where a match can begin is it worth while to look for what it needs.
			met, h := uint8(allNeeds), all
			if u.asked.two[k][word].Load()&bit != 0 {
				if pos >= w.view.same {
					w.view.look(text, pos)
					near = u.heardAt(w.view.needs)
				}
				met, h = w.view.needs, near
				if h.deaf.two[k][word].Load()&bit != 0 {
					continue
				}
			}
			four, at := fourAt(text, pos, k)
			if four != 0 && h.four[at].Load() == four {
				continue
			}
			var seen int
			t, seen = u.walk(w, t, text, pos, met, k)
			if h == all && u.asked.two[k][word].Load()&bit == 0 {
				u.asked.two[k][word].Or(bit)
			}
			if len(w.Ends) > 0 {
				return pos
			}
			if four != 0 && seen <= 4 {
				h.four[at].Store(four)
			}
			if seen < 2 || seen == 2 && text[pos+1] < utf8.RuneSelf {
				h.deaf.two[k][word].Or(bit)
			}
			continue
		}
		if !utf8.RuneStart(b) && pos > 0 && inside(text, pos) {
			before = kindAt(text, pos+1)
			continue
		}
		r, width := utf8.DecodeRuneInString(text[pos:])
		c := w.look(&u.part, r)
		k := before
		if before = kindOther; c.word {
			before = kindWord
		}
		word, bit := c.class>>6, uint64(1)<<(c.class&63)
		if all.deaf.wide[k][word].Load()&bit == 0 {
			met, h := uint8(allNeeds), all
			if u.asked.wide[k][word].Load()&bit != 0 {
				if pos >= w.view.same {
					w.view.look(text, pos)
					near = u.heardAt(w.view.needs)
				}
				met, h = w.view.needs, near
			}
			if h.deaf.wide[k][word].Load()&bit == 0 {
				var seen int
				t, seen = u.walk(w, t, text, pos, met, k)
				u.asked.wide[k][word].Or(bit)
				if len(w.Ends) > 0 {
					return pos
				}
				if seen <= width {
					h.deaf.wide[k][word].Or(bit)
				}
			}
		}
		pos += width - 1
	}
	return -1
}

// inside reports whether text[pos] lies within a character that begins before.
func inside(text string, pos int) bool {
	for i := pos - 1; i >= 0 && i >= pos-3; i-- {
		if utf8.RuneStart(text[i]) {
			_, width := utf8.DecodeRuneInString(text[i:])
			return i+width > pos
		}
	}
	return false
}

// kinds are those of ASCII.
var kinds = func() (k [utf8.RuneSelf]kind) {
	for b := range k {
		switch {
		case b == '\n':
			k[b] = kindLine
		case isWord(rune(b)):
			k[b] = kindWord
		default:
			k[b] = kindOther
		}
	}
	return k
}()

// kindAt is the kind of the character before a place.
func kindAt(text string, pos int) kind {
	if pos == 0 {
		return kindNone
	}
	b := text[pos-1]
	if b < utf8.RuneSelf {
		return kinds[b]
	}
	if r, _ := utf8.DecodeLastRuneInString(text[:pos]); isWord(r) {
		return kindWord
	}
	return kindOther
}

// walk fills w.Ends with what begins at pos. It returns how many bytes it
// looked at; the end of the text counts as one.
func (u *Union) walk(w *Walker, t *unionTable, text string, pos int, met uint8, before kind) (*unionTable, int) {
	w.Ends = w.Ends[:0]
	t, e := u.begin(t, met, before)
	stop := min(len(text), pos+Reach)
	class := &u.part.class
	for i := pos; ; {
		// The way of most characters: in ASCII, to a state that is known and says nothing.
		c, at := uint32(0), i
		for i < stop {
			b := text[i]
			if b >= utf8.RuneSelf {
				break
			}
			c = uint32(class[b])
			next := t.trans[e>>entryShift+c].Load()
			if next&(entryKnown|entryEvent) != entryKnown {
				if next&entryDead != 0 {
					return t, i + 1 - pos
				}
				break
			}
			e = next
			i++
		}
		at = i
		switch {
		case i >= pos+Reach:
			u.alive(w, t, e)
			return t, i - pos
		case i == len(text):
			c = u.stride - 1
		case text[i] < utf8.RuneSelf:
			i++
		default:
			r, width := utf8.DecodeRuneInString(text[i:])
			c = uint32(w.look(&u.part, r).class)
			i += width
		}
		row := e >> entryShift
		if e = t.trans[row+c].Load(); e == 0 {
			t, e = u.step(t, row, c)
		}
		if e&entryEvent != 0 {
			st := t.states[e>>entryShift/u.stride].Load()
			for _, id := range st.hits {
				at := at
				if u.coarse[id] {
					at = -1
				}
				w.end(int(id), at)
			}
			if len(st.pcs) == 0 && at < len(text) {
				return t, i - pos
			}
		}
		if at == len(text) {
			return t, i - pos + 1
		}
	}
}

// alive adds the patterns that live in a state.
func (u *Union) alive(w *Walker, t *unionTable, e uint32) {
	last := -1
	for _, pc := range t.states[e>>entryShift/u.stride].Load().pcs {
		if id := int(u.owner[pc]); id != last {
			last = id
			w.end(id, -1)
		}
	}
}

func (w *Walker) end(pattern, at int) {
	for i := range w.Ends {
		if w.Ends[i].Pattern == pattern {
			w.Ends[i].End = at
			return
		}
	}
	w.Ends = append(w.Ends, End{pattern, at})
}

// look remembers what is looked up in long lists.
func (w *Walker) look(p *part, r rune) *wide {
	m := &w.runes[uint32(r)%uint32(len(w.runes))]
	if m.r != r {
		*m = wide{r, p.wideOf(r), isWord(r)}
	}
	return m
}
