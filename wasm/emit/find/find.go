// Package find tells where in a text matches of patterns begin and where the longest of
// them end, from the tables of package internal/scan: a [scan.FrozenUnion]. It is
// written in the subset of Go that internal/subgo compiles, so that one source runs in
// modules and in tests.
//
// At each place the masks of the finder, with what stands ahead, tell which patterns may
// match; the automaton of each of them tells whether it does. The tables are filled in by
// who embeds the package, see package tables.
//
// # Work
//
// What is found is what [scan.Machine.Longest] finds at each place, with matches of
// [MaxMatch] bytes at most, in time linear in the text:
//
// The first [Reach] bytes of each look of a pattern are free, as they are a constant for
// each place. What is looked at beyond is taken from what the pattern has for the text,
// which is as much as [scan.Patience] gives. When that is used up, the pattern's next
// match is searched for by following the automaton from all places at once; of two that
// come to one state the first stays. The results are the same. That takes from a second
// stock, 64 steps for each byte of the text and a million. Where it is used up as well, a pattern
// finds matches of [Short] bytes at most for the rest of the text: longer ones are found
// in part, or not at all, which is all that differs. A pattern that has no automaton but
// only a program pays for each instruction that it follows, from stocks that are as
// many times larger as [stepCost] says, and then finds nothing more in the text. [Cut]
// says whether a pattern came that far.
//
// Who calls [Longest], [Span] or [Captures] pays for nothing: a call takes time in
// proportion to the match, times the instructions of the program where one is needed.
// Native searches have no second stock, so that theirs may take longer and find more.
package find

import (
	"math/bits"
	"unicode/utf8"

	wide8 "github.com/privetdev/privet/internal/wide"
	"github.com/privetdev/privet/wasm/emit/dense"
)

// Bounds of matches, in bytes.
const (
	MaxMatch = 64 << 10 // what is longer is found in part
	Reach    = 64       // what each look has for nothing
	Short    = 256      // of patterns that have used up what they had
)

// The tables of the finder: see [scan.Finder] and [scan.FinderImage].
var (
	Classes, Words, Depth int
	First, Later, Met     []uint64
	Lead                  []uint32
	BitPattern            []uint16
	Pair, MetWords        []byte
	Class, Second         []byte
	NeedMark              []byte  // of each need: its byte, or '0' for a digit
	NeedWithin            []int32 // how far ahead
)

// The tables of characters: see [scan.Alphabet].
var (
	Ranges []uint32
	Kind   []byte // by symbol: 0 the end, 1 of no word, 2 of a word, 3 a newline
)

// The automata of the patterns.
var (
	Symbols   []byte   // classes of symbols
	SymbolsAt []uint32 // of each pattern: where its own begin
	RowsAt    []int32  // where its automaton is in dense.Rows; -1: it has only a program
	Width     []byte   // how many classes it has
	States    []uint16 // four for each: the state to begin with, by what stands before
	Events    []uint16 // states up to this one say that a match ends before what led there
)

// How spans are found: see [scan.Span] and [scan.Edges].
var (
	SpanKind []byte
	EdgesAt  []uint16 // of each pattern: where in Edges
	Edges    []uint64 // 16 each
)

// The images of programs as bytes and as larger numbers, and where that of each pattern
// begins in bytes, -1 where there is none.
var (
	Programs8  []byte
	Programs16 []uint16
	Programs32 []uint32
	ProgramAt  []int32
)

// Room, which is written: one for each pattern.
var (
	From, Spare, Deep, Tried, Stamp []int32
	HitPattern, HitEnd              []int32
)

// Room for programs: for each instruction of the longest as many, and CapsA and CapsB
// for each instruction and slot; Stack two for each instruction and two more; Groups one
// for each slot.
var (
	ThreadsA, ThreadsB, Seen, Stack, CapsA, CapsB, Groups []int32
)

// Count is how many patterns match at the place that [Next] returned. They are in
// HitPattern, and in HitEnd is where their longest matches end.
var Count int

// Cut says that a pattern has used up all that it had for the text, so that what is found
// may be less than there is.
var Cut bool

const (
	noMark = 1<<31 - 1
)

var (
	text      string
	pos       int    // where to go on
	before    int    // the row of Lead: what stands before pos
	met       int    // the needs that are met
	metWords  uint8  // the words of masks that may count then
	same      int    // up to where this is so
	next      [8]int // the next byte of each need
	round     int32
	ofByte    [256]uint32 // of each byte: Second and, 16 bits higher, its kind
	byByte    bool        // ofByte is filled in
	wideRune  [256]rune   // remembered: a character of each place and its symbol
	wideValue [256]uint16
)

// Forget empties all tables.
func Forget() {
	Classes, Words, Depth = 0, 0, 0
	First, Later, Met, Lead, BitPattern = First[:0], Later[:0], Met[:0], Lead[:0], BitPattern[:0]
	Pair, MetWords, Class, Second = Pair[:0], MetWords[:0], Class[:0], Second[:0]
	NeedMark, NeedWithin, Ranges, Kind, EdgesAt = NeedMark[:0], NeedWithin[:0], Ranges[:0], Kind[:0], EdgesAt[:0]
	Symbols, SymbolsAt, RowsAt, Width, States, Events = Symbols[:0], SymbolsAt[:0], RowsAt[:0], Width[:0], States[:0], Events[:0]
	SpanKind, Edges = SpanKind[:0], Edges[:0]
	Programs8, Programs16, Programs32, ProgramAt = Programs8[:0], Programs16[:0], Programs32[:0], ProgramAt[:0]
	From, Spare, Deep, Tried, Stamp = From[:0], Spare[:0], Deep[:0], Tried[:0], Stamp[:0]
	HitPattern, HitEnd = HitPattern[:0], HitEnd[:0]
	ThreadsA, ThreadsB, Seen, Stack = ThreadsA[:0], ThreadsB[:0], Seen[:0], Stack[:0]
	CapsA, CapsB, Groups = CapsA[:0], CapsB[:0], Groups[:0]
	for i := range wideRune {
		wideRune[i], wideValue[i] = 0, 0
	}
	byByte = false
}

// Begin makes ready for a text.
func Begin(s string) {
	text, pos, before, same, Count, Cut = s, 0, 0, 0, 0, false
	for i := range next {
		next[i] = -1
	}
	if !byByte {
		byByte = true
		for i := range ofByte {
			ofByte[i] = uint32(Second[i])
			if i < utf8.RuneSelf {
				ofByte[i] |= uint32(Kind[i]) << 16
			}
		}
	}
	round++
	if round <= 0 {
		round = 1
		for i := range Stamp {
			Stamp[i] = 0
		}
	}
}

// Next is the next place where matches begin, or -1. See [Count].
func Next() int {
	Count = 0
	n, t := len(text), text
	lead, second, pair, kind := Lead, Second, Pair, Kind
	at, k, until, words := pos, before, same, metWords
	for at < n {
		if at >= until {
			look(at)
			until, words = same, metWords
		}
		b := t[at]
		// Most places are passed over here, as long as no need changes and there is a
		// byte behind.
		if stop := min(n, until); at+1 < stop {
			ahead, from := t[at+1:stop], at
			at = stop - 1
			row, of := k<<8|int(b), ofByte[b]
			for i := range len(ahead) {
				c := ahead[i]
				if in := pair[int(lead[row])+int(ofByte[c]&0xff)] & words; in|b&utf8.RuneSelf != 0 {
					if b >= utf8.RuneSelf {
						at = from + i
						break
					}
					candidates(from+i, row>>8, in)
					if Count > 0 {
						pos, before = from+i+1, int(of>>16)
						return from + i
					}
				}
				row, of, b = int(of>>8)|int(c), ofByte[c], c
			}
			k = row >> 8
		}
		two := 256
		if at+1 < n {
			two = int(t[at+1])
		}
		here, was, in := at, k, pair[int(lead[k<<8|int(b)])+int(second[two])]&words
		if b < utf8.RuneSelf {
			k = int(kind[b])
			at++
		} else {
			_, width := utf8.DecodeRuneInString(t[at:])
			k = 4
			at += width
		}
		if in != 0 {
			candidates(here, was, in)
			if Count > 0 {
				pos, before = at, k
				return here
			}
		}
	}
	pos = n
	return -1
}

// Skip says that no match of a pattern counts that begins before a place.
func Skip(pattern, from int) { From[pattern] = int32(from) }

// Mute says that no match of a pattern counts in the text at hand.
func Mute(pattern int) { Stamp[pattern], From[pattern] = round, noMark }

// Pass is [Skip] for a pattern that may not have been met in the text at hand.
func Pass(pattern, from int) {
	if Stamp[pattern] != round {
		Stamp[pattern] = round
		Fresh(pattern)
	}
	From[pattern] = max(From[pattern], int32(from))
}

// Swap makes another text the one that [Longest], [Span], [Captures] and [Leftmost] look
// at, and returns the one before. Who makes that one the text again may go on with
// [Next], if meanwhile there was no [Begin].
func Swap(s string) (before string) {
	before, text = text, s
	return before
}

// Leftmost is the first match of a pattern that begins at from or later: the longest one
// there. start is -1 if there is none. What it may cost is what [Fresh] has given.
func Leftmost(pattern, from int) (start, end int) {
	for at := from; at < len(text); {
		if end = search(pattern, at, most); end >= 0 {
			return at, end
		}
		_, width := utf8.DecodeRuneInString(text[at:])
		at = max(at+width, int(From[pattern]))
	}
	return -1, -1
}

// Fresh gives a pattern what it has for a text: see the package. Next does so itself.
func Fresh(pattern int) {
	n := min(len(text), most)
	From[pattern], Tried[pattern] = 0, -1
	Spare[pattern], Deep[pattern] = int32(8*n+1024), int32(64*n+1<<20)
}

// look finds out which needs are met at a place, and up to where that is so.
func look(at int) {
	met, same = 0, len(text)
	for i := range NeedMark {
		within := int(NeedWithin[i])
		if next[i] < at {
			next[i] = mark(i, at)
		}
		switch where := next[i]; {
		case where == noMark:
		case where-at <= within:
			met |= 1 << i
			same = min(same, latest(i, where, at+within)+1)
		default:
			same = min(same, where-within)
		}
	}
	metWords = MetWords[met]
}

// latest is where the last byte of a need stands up to a place, which is at or after
// where one does. Up to there the need is met. It does not look far: who asks may ask
// again.
func latest(need, where, to int) int {
	t, m, below := text, NeedMark[need], marksBelow(need)
	for i := min(to, where+32, len(t)-1); i > where; i-- {
		if t[i]^m < below {
			return i
		}
	}
	return where
}

// marksBelow is what the bytes of a need are below, together with its mark by exclusive
// or.
func marksBelow(need int) byte {
	if NeedMark[need] == '0' {
		return 10
	}
	return 1
}

// mark is where the next byte of a need stands.
func mark(need, at int) int {
	t, m, below := text, NeedMark[need], marksBelow(need)
	for i := range need { // needs with one mark see the same
		if NeedMark[i] == m && next[i] >= at {
			return next[i]
		}
	}
	i := at
	for all, low := uint64(m)*wide8.Ones, uint64(below)*wide8.Ones; i <= len(t)-8; i += 8 {
		x := wide8.Load(t, i) ^ all
		if in := (x - low) &^ x & (0x80 * wide8.Ones); in != 0 { // see wide.Below
			return i + bits.TrailingZeros64(in)>>3
		}
	}
	for ; i < len(t); i++ {
		if t[i]^m < below {
			return i
		}
	}
	return noMark
}

// rowAt are the places in Later of the masks for the characters behind the first of a
// place.
var rowAt [32]int32

// candidates tries the patterns that the masks leave at a place, of the words in.
func candidates(at, before int, in uint8) {
	t, class, later := text, Class, Later
	words, wide := Words, Classes-2
	c0 := int(class[t[at]])
	first, need := (before*Classes+c0)*words, met*words
	row, base, have, end := Classes*words, 0, 1, min(Depth, len(rowAt))
	if c0 >= wide {
		end = 1 // the masks end at the first character outside ASCII
	}
	// Mostly nothing is left after four characters, so those are looked at as one.
	quick := false
	var row1, row2, row3 int
	if at+3 < len(t) && end > 3 {
		four := t[at : at+4]
		c1, c2, c3 := int(class[four[1]]), int(class[four[2]]), int(class[four[3]])
		row1, row2, row3 = c1*words, row+c2*words, 2*row+c3*words
		if quick = c1 < wide && c2 < wide && c3 < wide; quick {
			base, have = 3*row, 4
		}
	}
	for left := uint32(in); left != 0; left &= left - 1 {
		for w := bits.TrailingZeros32(left); w < words; w += 8 {
			m, i := First[first+w]&Met[need+w], 1
			if quick {
				if m &= later[row1+w] & later[row2+w] & later[row3+w]; m == 0 {
					continue
				}
				i = 4
			}
			for ; i < end && m != 0; i++ {
				if i >= have {
					c := wide + 1 // behind the end is nothing
					if at+i < len(t) {
						c = int(class[t[at+i]])
					}
					if c >= wide {
						end = i + 1
					}
					rowAt[i] = int32(base + c*words)
					base += row
					have++
				}
				m &= later[int(rowAt[i])+w]
			}
			for ; m != 0; m &= m - 1 {
				try(int(BitPattern[w<<6+bits.TrailingZeros64(m)]), at)
			}
		}
	}
}

// stepCost is how many instructions of a program count as a byte of an automaton.
const stepCost = 16

// most keeps stocks below what an int has.
const most = 1 << 24

// try notes the longest match of a pattern that begins at a place, if there is one.
func try(pattern, at int) {
	if Stamp[pattern] != round {
		Pass(pattern, 0)
	}
	if at < int(From[pattern]) || int(Tried[pattern]) == at {
		return // a pattern may have more bits than one
	}
	Tried[pattern] = int32(at)
	if end := search(pattern, at, MaxMatch); end >= 0 {
		HitPattern[Count], HitEnd[Count] = int32(pattern), int32(end)
		Count++
	}
}

// search is where the longest match of a pattern ends that begins at a place and has so
// many bytes at most, or -1.
func search(pattern, at, bytes int) int {
	limit := min(len(text), at+bytes)
	if Spare[pattern] >= 0 {
		end := Longest(pattern, at, limit)
		Spare[pattern] -= int32(max(0, seen-Reach))
		return end
	}
	if Deep[pattern] >= 0 {
		from := ahead(pattern, at)
		Deep[pattern] -= int32(seen)
		if from > at {
			From[pattern] = int32(from)
			return -1
		}
	}
	if Deep[pattern] >= 0 {
		end := Longest(pattern, at, limit)
		Deep[pattern] -= int32(seen)
		return end
	}
	Cut = true
	if RowsAt[pattern] < 0 {
		From[pattern] = int32(len(text))
		return -1
	}
	return Longest(pattern, at, min(len(text), at+Short))
}

// seen is how many bytes the last look took, or steps that count as much.
var seen int

// Longest is where the longest match of a pattern ends that begins at start and ends at
// or before limit, or -1.
func Longest(pattern, start, limit int) int {
	base := int(RowsAt[pattern])
	if base < 0 {
		return run(pattern, start, limit, false)
	}
	t, n := text, len(text)
	rows, symbols := dense.Rows, Symbols
	classes, width, events := int(SymbolsAt[pattern]), int(Width[pattern]), int(Events[pattern])
	s := int(States[pattern<<2+kindAt(start)])
	end, i := -1, start
	for {
		symbol, after := len(Kind)-1, i
		if i < n {
			if symbol = int(t[i]); symbol < utf8.RuneSelf {
				after++
			} else {
				r, width := utf8.DecodeRuneInString(t[i:])
				symbol = wide(r)
				after += width
			}
		}
		s = int(rows[base+s*width+int(symbols[classes+symbol])])
		if s == 0 {
			break
		}
		if s <= events {
			end = i
		}
		if i >= limit || i >= n || after > limit {
			break
		}
		i = after
	}
	seen = i - start + 1
	return end
}

// wide is the symbol of a character outside ASCII.
func wide(r rune) int {
	place := int(r & 0xff)
	if wideRune[place] == r {
		return int(wideValue[place])
	}
	lo, hi := 0, len(Ranges)
	want := uint32(r)<<11 | 0x7ff
	for hi-lo > 1 {
		if mid := (lo + hi) >> 1; Ranges[mid] <= want {
			lo = mid
		} else {
			hi = mid
		}
	}
	symbol := int(Ranges[lo] & 0x7ff)
	wideRune[place], wideValue[place] = r, uint16(symbol)
	return symbol
}

// kindAt is the kind of the character before a place.
func kindAt(at int) int {
	if at == 0 {
		return 0
	}
	b := text[at-1]
	if b < utf8.RuneSelf {
		return int(Kind[b])
	}
	r, _ := utf8.DecodeLastRuneInString(text[:at])
	return int(Kind[wide(r)])
}

// symbolAt is the symbol at a place and where the next begins.
func symbolAt(at int) (symbol, after int) {
	if at >= len(text) {
		return len(Kind) - 1, at
	}
	if b := text[at]; b < utf8.RuneSelf {
		return int(b), at + 1
	}
	r, width := utf8.DecodeRuneInString(text[at:])
	return wide(r), at + width
}
