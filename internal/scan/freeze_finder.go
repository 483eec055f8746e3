package scan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// A Finder tells at which places of a text a match of which patterns may begin. It
// never passes a match over, and what it tells is to be verified.
//
// Each pattern, or each of the branches that it was split into, is a bit. For each of
// the first places of a match there is a row of masks: which bits can have a character
// of a class there. The rows are combined by and, until no bit is left. So the tables
// stay small, whatever the patterns are, where an automaton of all would not: it would
// need a state for each set of patterns that some text keeps alive.
//
// All characters outside ASCII are one class, and the masks end at the first of them:
// what lives until then may match.
type Finder struct {
	Classes int        // the last two: characters outside ASCII, the end of the text
	Class   [128]uint8 // of ASCII characters
	Words   int        // of 64 bits, in a mask
	Depth   int        // rows, that of the first character included
	Pattern []uint16   // of each bit; 0xffff for one that is never set
	Need    []uint8    // of each bit, see [Finder.Needs]

	// First are the masks of the first character, by what stands before it (nothing, a
	// character of no word, one of a word, a newline, one outside ASCII) and class:
	// First[(before*Classes+class)*Words+word].
	First []uint64
	// Later are those of the characters after it: Later[((i-1)*Classes+class)*Words+word].
	Later []uint64
	// Pair tells in which words of the masks a bit can live after two bytes, so that most
	// places are passed over by one look: Pair[Lead[before<<8|byte]+Second[byte2]], with
	// Second[256] at the end of the text. Word w is bit w%8.
	Pair   []uint8
	Lead   []uint32
	Second [257]uint8
	// Met are the masks of the bits that need nothing else than what is met, by bits of
	// met: Met[met*Words+word]. MetWords says in which words there are any, as in Pair.
	Met      []uint64
	MetWords []uint8
}

// A Need is a byte that stands within so many bytes of the beginning of each match.
// Digit stands for all digits.
type Need struct {
	Byte   byte
	Digit  bool
	Within int
}

// Needs are what bits of a Finder need, by bit of Need.
func (f *Finder) Needs() []Need {
	out := make([]Need, len(needs))
	for i, n := range needs {
		out[i].Within = n.within
		switch n.mark {
		case markAt:
			out[i].Byte = '@'
		case markColon:
			out[i].Byte = ':'
		default:
			out[i].Digit = true
		}
	}
	return out
}

const (
	befores   = int(kindLine) + 2 // with: outside ASCII
	wideClass = utf8.RuneSelf     // of a branch's rows
	endClass  = utf8.RuneSelf + 1
	allBytes  = utf8.RuneSelf + 2
)

// A branch is a part of a pattern with a bit of its own.
type branch struct {
	pattern int
	need    uint8
	tree    *syntax.Regexp
	first   [befores][allBytes]bool
	later   [][allBytes]bool
	weight  float64 // about how often it lives through all rows
	pair    float64 // and through the first two
	whole   bool    // it is not split any more
}

// newBranch finds out which characters can stand where in matches of a tree.
func newBranch(pattern int, tree *syntax.Regexp, depth int) *branch {
	b := &branch{pattern: pattern, need: needOf(tree), tree: tree, later: make([][allBytes]bool, depth-1)}
	p := partOf(tree)
	// What each class stands for.
	symbols := make([][]int, len(p.kinds))
	for r, c := range p.class {
		symbols[c] = append(symbols[c], r)
	}
	for _, c := range slices.Concat(p.wideClass, p.wideWord) {
		if !slices.Contains(symbols[c], wideClass) {
			symbols[c] = append(symbols[c], wideClass)
		}
	}
	symbols[len(p.kinds)-1] = []int{endClass}
	// What waits, after a character of each kind, whatever the characters were.
	var waiting [kindLine + 1][]uint32
	for k := range waiting {
		waiting[k] = p.roots
	}
	open := false
	for d := range depth {
		if open { // it may have matched, and what follows does not matter
			for s := range allBytes {
				b.later[d-1][s] = true
			}
			continue
		}
		var next [kindLine + 1][]uint32
		for k := range waiting {
			if len(waiting[k]) == 0 {
				continue
			}
			for c := range p.kinds {
				p.advance(&p.walker, waiting[k], kind(k), false, c)
				hit := len(p.walker.hits) > 0
				if !hit && len(p.walker.waiting) == 0 {
					continue
				}
				open = open || hit
				for _, s := range symbols[c] {
					if d == 0 {
						b.first[k][s] = true
					} else {
						b.later[d-1][s] = true
					}
				}
				next[p.kinds[c]] = append(next[p.kinds[c]], p.walker.waiting...)
			}
		}
		for k := range next {
			slices.Sort(next[k])
			next[k] = slices.Compact(next[k])
		}
		waiting = next
	}
	for s := range allBytes {
		b.first[befores-1][s] = b.first[kindOther][s] || b.first[kindWord][s]
	}
	b.weight = 1
	var row [allBytes]bool
	for s := range allBytes {
		for k := range befores {
			row[s] = row[s] || b.first[k][s]
		}
	}
	b.weigh(&row)
	b.pair = b.weight
	for i := range b.later {
		b.weigh(&b.later[i])
		if i == 0 {
			b.pair = b.weight
		}
	}
	return b
}

// begins tells with what matches begin: letters or digits. Those that are alike share
// words of the masks, so that few words count at one place.
func (b *branch) begins() (n int) {
	for s := range allBytes {
		if b.first[kindOther][s] {
			switch {
			case s-'0' < 10 && s >= '0':
				n |= 2
			case s|0x20 >= 'a' && s|0x20 <= 'z':
				n |= 1
			}
		}
	}
	return n
}

// same reports whether two branches of one pattern are the same bit.
func (b *branch) same(o *branch) bool {
	return b.pattern == o.pattern && b.need == o.need && b.first == o.first && slices.Equal(b.later, o.later)
}

// weigh takes a row into account. Texts are taken to be words and numbers; this only
// decides which branches are split.
func (b *branch) weigh(row *[allBytes]bool) {
	const sum = 2048
	n := 0
	for s, may := range row {
		if !may {
			continue
		}
		switch {
		case s == ' ':
			n += 256
		case s-'0' < 10 && s >= '0':
			n += 40
		case s >= 'a' && s <= 'z':
			n += 36
		case s >= 'A' && s <= 'Z':
			n += 8
		case s >= ' ' && s < 0x7f, s == '\n':
			n += 6
		}
	}
	b.weight *= float64(min(n, sum)) / sum
}

// partOf is the automaton of one pattern.
func partOf(tree *syntax.Regexp) *part {
	p := &part{wideWords: true}
	c := newCharSets()
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		prog = &syntax.Prog{Inst: []syntax.Inst{{Op: syntax.InstFail}}}
	}
	p.roots = []uint32{p.add(prog, 0, c) + uint32(prog.Start)}
	p.partition(c.sets, false)
	p.walker.seen = make([]uint32, len(p.insts))
	return p
}

// choices splits a pattern at the first part of it that leaves a choice, or returns
// nil. The choices together match the same texts.
func choices(re *syntax.Regexp) []*syntax.Regexp {
	repeat := func(lo, hi int) *syntax.Regexp {
		return &syntax.Regexp{Op: syntax.OpRepeat, Flags: re.Flags, Sub: re.Sub, Min: lo, Max: hi}
	}
	empty := &syntax.Regexp{Op: syntax.OpEmptyMatch}
	switch re.Op {
	case syntax.OpCapture:
		return choices(re.Sub[0])
	case syntax.OpAlternate:
		return re.Sub
	case syntax.OpQuest:
		return []*syntax.Regexp{empty, re.Sub[0]}
	case syntax.OpStar:
		return []*syntax.Regexp{empty, repeat(1, -1)}
	case syntax.OpPlus:
		return []*syntax.Regexp{repeat(1, 1), repeat(2, -1)}
	case syntax.OpRepeat:
		switch {
		case re.Max == re.Min && re.Min == 1:
			return choices(re.Sub[0])
		case re.Max == re.Min && re.Min <= maxApart:
			return choices(&syntax.Regexp{Op: syntax.OpConcat, Flags: re.Flags, Sub: slices.Repeat(re.Sub, re.Min)})
		case re.Max == re.Min:
			return nil
		case re.Min == 0:
			return []*syntax.Regexp{empty, repeat(1, re.Max)}
		}
		return []*syntax.Regexp{repeat(re.Min, re.Min), repeat(re.Min+1, re.Max)}
	case syntax.OpConcat:
		for i, sub := range re.Sub {
			var out []*syntax.Regexp
			for _, choice := range choices(sub) {
				whole := *re
				whole.Sub = slices.Clone(re.Sub)
				whole.Sub[i] = choice
				out = append(out, &whole)
			}
			if out != nil {
				return out
			}
		}
	}
	return nil
}

// maxApart bounds how many repetitions are taken apart.
const maxApart = 8

// maxChoices bounds into how many branches one is split at once.
const maxChoices = 12

// newFinder makes a finder of so many rows.
func newFinder(patterns []*Pattern, depth int) *Finder {
	var all []*branch
	for i, p := range patterns {
		if p == nil {
			continue
		}
		for _, tree := range branches(p.tree) {
			all = append(all, newBranch(i, tree, depth))
		}
	}
	// Half as many bits more make candidates less than half as many. A Pair has room for
	// eight words, of which one may be lost to rounding.
	most := max((len(all)+63)&^63, len(all)*3/2&^63-32)
	all = splitBranches(all, most-len(all), depth, 2, func(b *branch) float64 { return b.weight })
	// What needs nothing has words of its own, of which it takes what is left: that is
	// for what lives through two bytes, which is what most places are passed over by.
	free := 0
	for _, b := range all {
		b.whole = b.need != 0
		if !b.whole {
			free--
		}
	}
	all = splitBranches(all, free&63, depth, 1, func(b *branch) float64 { return b.pair })
	slices.SortStableFunc(all, func(x, y *branch) int {
		if x.need != y.need {
			return int(x.need) - int(y.need)
		}
		return cmp.Or(x.begins()-y.begins(), x.pattern-y.pattern)
	})
	all = slices.CompactFunc(all, (*branch).same)
	// The words of what needs nothing are all that mostly counts.
	if n := slices.IndexFunc(all, func(b *branch) bool { return b.need != 0 }); n > 0 && n%64 != 0 {
		all = slices.Insert(all, n, make([]*branch, 64-n%64)...)
	}
	return packFinder(all, depth)
}

// splitBranches splits the branches that live most often into so many more, where those
// together have no more than growth times the weight.
func splitBranches(all []*branch, room, depth int, growth float64, weight func(b *branch) float64) []*branch {
	for room > 0 {
		at := -1
		for i, b := range all {
			if !b.whole && (at < 0 || weight(b) > weight(all[at])) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		b := all[at]
		b.whole = true
		trees := choices(b.tree)
		if trees == nil || len(trees) > maxChoices || len(trees)-1 > room {
			continue
		}
		var more []*branch
		sum := 0.0
		for _, tree := range trees {
			if weigh(tree) > MaxInst {
				more = nil
				break
			}
			m := newBranch(b.pattern, tree, depth)
			if slices.ContainsFunc(more, m.same) {
				continue
			}
			sum += weight(m)
			more = append(more, m)
		}
		if more == nil || sum > weight(b)*growth {
			continue
		}
		all = slices.Replace(all, at, at+1, more...)
		room -= len(more) - 1
	}
	return all
}

func packFinder(all []*branch, depth int) *Finder {
	f := &Finder{Words: (len(all) + 63) / 64, Depth: depth}
	for _, b := range all {
		if b == nil {
			f.Pattern, f.Need = append(f.Pattern, 0xffff), append(f.Need, allNeeds)
			continue
		}
		f.Pattern, f.Need = append(f.Pattern, uint16(b.pattern)), append(f.Need, b.need)
	}
	// Bytes that stand in the same masks are one class.
	mask := func(dst []uint64, in func(b *branch) bool) []uint64 {
		at := len(dst)
		dst = append(dst, make([]uint64, f.Words)...)
		for i, b := range all {
			if b != nil && in(b) {
				dst[at+i>>6] |= 1 << (i & 63)
			}
		}
		return dst
	}
	byRows := map[string]int{}
	var firsts []int
	var rows []uint64
	var key []byte
	for s := range allBytes {
		rows, key = rows[:0], key[:0]
		for k := range befores {
			rows = mask(rows, func(b *branch) bool { return b.first[k][s] })
		}
		for d := range depth - 1 {
			rows = mask(rows, func(b *branch) bool { return b.later[d][s] })
		}
		for _, w := range rows {
			key = binary.LittleEndian.AppendUint64(key, w)
		}
		if s >= wideClass {
			key = append(key, byte(s))
		}
		c, ok := byRows[string(key)]
		if !ok {
			c = len(firsts)
			byRows[string(key)] = c
			firsts = append(firsts, s)
		}
		if s < wideClass {
			f.Class[s] = uint8(c)
		}
	}
	f.Classes = len(firsts)
	for k := range befores {
		for _, s := range firsts {
			f.First = mask(f.First, func(b *branch) bool { return b.first[k][s] })
		}
	}
	for d := range depth - 1 {
		for _, s := range firsts {
			f.Later = mask(f.Later, func(b *branch) bool { return b.later[d][s] })
		}
	}
	f.pairs()
	for met := range allNeeds + 1 {
		f.Met = mask(f.Met, func(b *branch) bool { return int(b.need)&^met == 0 })
		var in uint8
		for w, m := range f.Met[met*f.Words:] {
			if m != 0 {
				in |= 1 << (w % 8)
			}
		}
		f.MetWords = append(f.MetWords, in)
	}
	return f
}

// pairs fills in Pair, with equal rows and columns once.
func (f *Finder) pairs() {
	class := func(b int) int {
		switch {
		case b == 256:
			return f.Classes - 1
		case b >= utf8.RuneSelf:
			return f.Classes - 2
		}
		return int(f.Class[b])
	}
	// Columns: bytes that are alike in the second place.
	var seconds []int // a class of each
	byRow := map[string]uint8{}
	for b := range f.Second {
		key := fmt.Sprint(f.Later[class(b)*f.Words : (class(b)+1)*f.Words])
		c, ok := byRow[key]
		if !ok {
			c = uint8(len(seconds))
			byRow[key] = c
			seconds = append(seconds, class(b))
		}
		f.Second[b] = c
	}
	rows := map[string]uint32{}
	for k := range befores {
		for b := range 256 {
			c := class(b)
			row := make([]byte, len(seconds))
			for i, c2 := range seconds {
				for w := range f.Words {
					m := f.First[(k*f.Classes+c)*f.Words+w]
					if b < utf8.RuneSelf {
						m &= f.Later[c2*f.Words+w]
					}
					if m != 0 {
						row[i] |= 1 << (w % 8)
					}
				}
			}
			at, ok := rows[string(row)]
			if !ok {
				at = uint32(len(f.Pair))
				rows[string(row)] = at
				f.Pair = append(f.Pair, row...)
			}
			f.Lead = append(f.Lead, at)
		}
	}
}

// A FinderImage is a [Finder] in bytes. All numbers are little endian; the others tell
// where in Bytes each table begins. Masks are Words times eight bytes, at places that
// eight divides.
type FinderImage struct {
	Bytes []byte

	First, Later, Met int
	Pattern           int // u16 each
	Lead              int // u32 each, at a place that four divides
	Pair, MetWords    int // bytes
	Class             int // 256 bytes: by byte, those from 0x80 on as well
	Second            int // 257 bytes
}

// Image is the finder in bytes.
func (f *Finder) Image() FinderImage {
	var m FinderImage
	masks := func(masks []uint64) int {
		at := len(m.Bytes)
		for _, w := range masks {
			m.Bytes = binary.LittleEndian.AppendUint64(m.Bytes, w)
		}
		return at
	}
	m.First, m.Later, m.Met = masks(f.First), masks(f.Later), masks(f.Met)
	m.Lead = len(m.Bytes)
	for _, at := range f.Lead {
		m.Bytes = binary.LittleEndian.AppendUint32(m.Bytes, at)
	}
	m.Pattern = len(m.Bytes)
	m.Bytes = append(m.Bytes, bytesOf(f.Pattern)...)
	m.Pair = len(m.Bytes)
	m.Bytes = append(m.Bytes, f.Pair...)
	m.MetWords = len(m.Bytes)
	m.Bytes = append(m.Bytes, f.MetWords...)
	m.Class = len(m.Bytes)
	m.Bytes = append(m.Bytes, f.Class[:]...)
	m.Bytes = append(m.Bytes, bytes.Repeat([]byte{uint8(f.Classes - 2)}, len(f.Class))...)
	m.Second = len(m.Bytes)
	m.Bytes = append(m.Bytes, f.Second[:]...)
	return m
}

// class is that of the byte at i, or of the end.
func (f *Finder) class(text string, i int) int {
	switch {
	case i >= len(text):
		return f.Classes - 1
	case text[i] >= utf8.RuneSelf:
		return f.Classes - 2
	}
	return int(f.Class[text[i]])
}

// At appends the patterns of which a match may begin at pos, in order, each once, if
// what is met are the needs that hold there. A character begins at pos. It is how the
// masks are to be read.
func (f *Finder) At(dst []int, text string, pos int, met uint8) []int {
	if pos >= len(text) {
		return dst
	}
	before := int(kindNone)
	if pos > 0 {
		if before = befores - 1; text[pos-1] < utf8.RuneSelf {
			before = int(kinds[text[pos-1]])
		}
	}
	second := 256
	if pos+1 < len(text) {
		second = int(text[pos+1])
	}
	in := f.Pair[int(f.Lead[before<<8|int(text[pos])])+int(f.Second[second])] & f.MetWords[met]
	c := f.class(text, pos)
	from := len(dst)
	for w := range f.Words {
		if in>>(w%8)&1 == 0 {
			continue
		}
		m := f.First[(before*f.Classes+c)*f.Words+w] & f.Met[int(met)*f.Words+w]
		// Characters outside ASCII have more bytes than one, and behind the end is nothing.
		for i, c := 1, c; i < f.Depth && m != 0 && c < f.Classes-2; i++ {
			c = f.class(text, pos+i)
			m &= f.Later[((i-1)*f.Classes+c)*f.Words+w]
		}
		for ; m != 0; m &= m - 1 {
			dst = append(dst, int(f.Pattern[w<<6+bits.TrailingZeros64(m)]))
		}
	}
	slices.Sort(dst[from:])
	return dst[:from+len(slices.Compact(dst[from:]))]
}
