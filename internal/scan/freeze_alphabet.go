package scan

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// An Alphabet numbers characters for frozen automata: what stands on the same side of
// every set of characters is one symbol. ASCII characters are their own symbols. The
// last symbol is the end of the text.
type Alphabet struct {
	// Ranges tell the symbol of a character outside ASCII, in order: the highest entry
	// that is not above r<<11|0x7ff has it in its low 11 bits. Bytes that are not UTF-8
	// read as U+FFFD, one at a time.
	Ranges  []uint32
	Symbols int // with the end

	runes []rune // one of each symbol
}

// maxSymbols is what fits beside a character.
const maxSymbols = 1 << 11

// newAlphabet makes the alphabet of parts: no two characters of one symbol are of two
// classes in any of them. It returns nil if there are too many.
func newAlphabet(parts []*part) *Alphabet {
	a := &Alphabet{}
	for r := range rune(utf8.RuneSelf) {
		a.runes = append(a.runes, r)
	}
	starts := []rune{utf8.RuneSelf}
	words := false
	for _, p := range parts {
		starts = append(starts, p.wide...)
		words = words || p.wideWords
	}
	if words {
		starts = append(starts, wordEdges()...)
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	symbols := map[string]uint32{}
	var key []byte
	last := uint32(0)
	at := make([]int, len(parts))
	for _, r := range starts {
		if r < utf8.RuneSelf || r > unicode.MaxRune {
			continue
		}
		word := words && isWord(r)
		key = key[:0]
		for i, p := range parts {
			for at[i]+1 < len(p.wide) && p.wide[at[i]+1] <= r {
				at[i]++
			}
			c := p.wideClass[at[i]]
			if p.wideWords && word {
				c = p.wideWord[at[i]]
			}
			key = append(key, byte(c), byte(c>>8))
		}
		s, ok := symbols[string(key)]
		if !ok {
			s = uint32(len(a.runes))
			symbols[string(key)] = s
			a.runes = append(a.runes, r)
		}
		if len(a.Ranges) == 0 || s != last {
			a.Ranges = append(a.Ranges, uint32(r)<<11|s)
			last = s
		}
	}
	if a.Symbols = len(a.runes) + 1; a.Symbols > maxSymbols {
		return nil
	}
	return a
}

// wordEdges are the characters at which it may change whether they belong to words.
func wordEdges() (edges []rune) {
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			edges = append(edges, lo, hi+1)
			return
		}
		for r := lo; r <= hi; r += stride {
			edges = append(edges, r, r+1)
		}
	}
	for _, t := range append([]*unicode.RangeTable{unicode.L, unicode.Nd, unicode.M}, unspaced...) {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return edges
}

// Next is the symbol of the character at i, and where the one after it begins. At the
// end of the text it is the last symbol.
func (a *Alphabet) Next(text string, i int) (symbol, next int) {
	if i >= len(text) {
		return a.Symbols - 1, i
	}
	if b := text[i]; b < utf8.RuneSelf {
		return int(b), i + 1
	}
	r, width := utf8.DecodeRuneInString(text[i:])
	return a.wide(r), i + width
}

// read is the symbol of the first character of a text, or of the last, and the rest.
func (a *Alphabet) read(text string, back bool) (symbol int, rest string) {
	if !back || text == "" {
		symbol, next := a.Next(text, 0)
		return symbol, text[next:]
	}
	if b := text[len(text)-1]; b < utf8.RuneSelf {
		return int(b), text[:len(text)-1]
	}
	r, width := utf8.DecodeLastRuneInString(text)
	return a.wide(r), text[:len(text)-width]
}

func (a *Alphabet) wide(r rune) int {
	lo, hi := 0, len(a.Ranges)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; a.Ranges[mid] <= uint32(r)<<11|0x7ff {
			lo = mid
		} else {
			hi = mid
		}
	}
	return int(a.Ranges[lo] & 0x7ff)
}

// classes are those that a part gives to the symbols.
func (a *Alphabet) classes(p *part) []uint16 {
	out := make([]uint16, a.Symbols)
	for s, r := range a.runes {
		if r < utf8.RuneSelf {
			out[s] = p.class[r]
		} else {
			out[s] = p.wideOf(r)
		}
	}
	out[a.Symbols-1] = uint16(len(p.kinds) - 1)
	return out
}
