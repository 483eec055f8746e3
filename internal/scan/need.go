package scan

import (
	"regexp/syntax"
	"unicode"
)

// Features is what one pass over a text tells about its bytes.
type Features struct {
	length          int
	digits, letters int // ASCII
	digitRun        int // most digits in one run of digits and separators
	wordRun         int // longest run of ASCII letters, digits, _ and -
	present         [4]uint64
	pairs           [pairWords]uint64
	exotic          bool
}

// pairWords sizes the filter of adjacent byte pairs: 512 bits.
const pairWords = 8

// Classes of bytes; a byte may be in several.
const (
	isDigit uint8 = 1 << iota
	isLetter
	inDigitRun
	inWordRun
)

var class, fold = func() (c, f [256]uint8) {
	for i := range c {
		b := uint8(i)
		f[i] = b
		switch {
		case b >= '0' && b <= '9':
			c[i] = isDigit | inDigitRun | inWordRun
		case b >= 'A' && b <= 'Z':
			f[i] = b + 'a' - 'A'
			fallthrough
		case b >= 'a' && b <= 'z':
			c[i] = isLetter | inWordRun
		case b == '-' || b == '_':
			c[i] = inWordRun
		}
		switch b {
		case ' ', '-', '.', '/', '(', ')', '+':
			c[i] |= inDigitRun
		}
	}
	return c, f
}()

func pair(a, b uint8) uint { return (uint(a)*37 + uint(b)) & (64*pairWords - 1) }

// Read looks at a text. It replaces what f knew before.
func (f *Features) Read(text string) {
	*f = Features{length: len(text)}
	var counts [4]int // digits, letters, digits in this run, bytes in this run
	var last uint8
	for i := range len(text) {
		b := fold[text[i]]
		c := class[b]
		f.present[b>>6] |= 1 << (b & 63)
		if i > 0 {
			k := pair(last, b)
			f.pairs[k>>6] |= 1 << (k & 63)
		}
		last = b
		counts[0] += int(c & isDigit)
		counts[1] += int(c >> 1 & 1)
		if c&inDigitRun != 0 {
			counts[2] += int(c & isDigit)
			f.digitRun = max(f.digitRun, counts[2])
		} else {
			counts[2] = 0
		}
		if c&inWordRun != 0 {
			counts[3]++
			f.wordRun = max(f.wordRun, counts[3])
		} else {
			counts[3] = 0
		}
	}
	f.digits, f.letters = counts[0], counts[1]
	// The long s and the Kelvin sign are the two characters outside ASCII that
	// match ASCII letters without regard to case. Texts that may hold them (these
	// bytes occur) are not filtered at all.
	f.exotic = f.has(0xC5) && f.has(0xBF) || f.has(0xE2) && f.has(0x84) && f.has(0xAA)
}

func (f *Features) has(b uint8) bool { return f.present[b>>6]>>(b&63)&1 == 1 }

// A need is what every match of a pattern has at least.
type need struct {
	length, digits, letters int
	digitRun, wordRun       int
	present                 [2]uint64
	pairs                   [pairWords]uint64
}

func (n *need) met(f *Features) bool {
	if f.exotic {
		return true
	}
	if f.length < n.length || f.digitRun < n.digitRun || f.wordRun < n.wordRun ||
		f.digits < n.digits || f.letters < n.letters ||
		n.present[0]&^f.present[0] != 0 || n.present[1]&^f.present[1] != 0 {
		return false
	}
	for i, p := range n.pairs {
		if p&^f.pairs[i] != 0 {
			return false
		}
	}
	return true
}

// A stretch follows the longest run of bytes of one class that a match must
// hold: at its beginning, at its end, anywhere; and whether it holds nothing else.
type stretch struct {
	pre, suf, best, total int
	whole                 bool
}

func (a stretch) then(b stretch) stretch {
	s := stretch{pre: a.pre, suf: b.suf, best: max(a.best, b.best, a.suf+b.pre), total: a.total + b.total, whole: a.whole && b.whole}
	if a.whole {
		s.pre = a.total + b.pre
	}
	if b.whole {
		s.suf = a.suf + b.total
	}
	return s
}

func (a stretch) or(b stretch) stretch {
	return stretch{min(a.pre, b.pre), min(a.suf, b.suf), min(a.best, b.best), min(a.total, b.total), a.whole && b.whole}
}

func (a stretch) maybe() stretch { return stretch{whole: a.whole} }

// facts are the need of a part of a pattern.
type facts struct {
	need
	digit, word stretch
}

var nothing = facts{digit: stretch{whole: true}, word: stretch{whole: true}}

func (a facts) then(b facts) facts {
	a.length += b.length
	a.digits += b.digits
	a.letters += b.letters
	for i := range a.present {
		a.present[i] |= b.present[i]
	}
	for i := range a.pairs {
		a.pairs[i] |= b.pairs[i]
	}
	a.digit, a.word = a.digit.then(b.digit), a.word.then(b.word)
	return a
}

func (a facts) or(b facts) facts {
	a.length = min(a.length, b.length)
	a.digits = min(a.digits, b.digits)
	a.letters = min(a.letters, b.letters)
	for i := range a.present {
		a.present[i] &= b.present[i]
	}
	for i := range a.pairs {
		a.pairs[i] &= b.pairs[i]
	}
	a.digit, a.word = a.digit.or(b.digit), a.word.or(b.word)
	return a
}

func (a facts) maybe() facts { return facts{digit: a.digit.maybe(), word: a.word.maybe()} }

// manyCopies bounds how many copies of a repeated part are looked at. Fewer than
// there are is sound: the need only becomes smaller.
const manyCopies = 64

func needOf(re *syntax.Regexp) need {
	f := factsOf(re)
	f.digitRun, f.wordRun = f.digit.best, f.word.best
	return f.need
}

func factsOf(re *syntax.Regexp) facts {
	switch re.Op {
	case syntax.OpLiteral:
		f := nothing
		for i, r := range re.Rune {
			f = f.then(one([]rune{r, r}))
			if i > 0 && r < 128 && re.Rune[i-1] < 128 {
				k := pair(fold[re.Rune[i-1]], fold[r])
				f.pairs[k>>6] |= 1 << (k & 63)
			}
		}
		return f
	case syntax.OpCharClass:
		return one(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return one([]rune{0, unicode.MaxRune})
	case syntax.OpCapture:
		return factsOf(re.Sub[0])
	case syntax.OpConcat:
		f := nothing
		for _, s := range re.Sub {
			f = f.then(factsOf(s))
		}
		return f
	case syntax.OpAlternate:
		f := factsOf(re.Sub[0])
		for _, s := range re.Sub[1:] {
			f = f.or(factsOf(s))
		}
		return f
	case syntax.OpStar, syntax.OpQuest:
		return factsOf(re.Sub[0]).maybe()
	case syntax.OpPlus:
		sub := factsOf(re.Sub[0])
		return sub.then(sub.maybe())
	case syntax.OpRepeat:
		sub := factsOf(re.Sub[0])
		f := nothing
		for range min(re.Min, manyCopies) {
			f = f.then(sub)
		}
		if re.Max != re.Min || re.Min > manyCopies {
			f = f.then(sub.maybe())
		}
		return f
	default: // boundaries, the empty match; a pattern that never matches needs nothing
		return nothing
	}
}

// one is the need of one character out of ranges.
func one(ranges []rune) facts {
	f := facts{need: need{length: 1}}
	if len(ranges) == 0 {
		return facts{} // matches nothing; not to be relied on
	}
	// all: every character is in the class; ASCII letters bring the two that
	// fold to them (see Features.exotic).
	digits, letters, digitRun, wordRun := true, true, true, true
	single, several := -1, false
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if r == 'ſ' || r == 'K' {
				digits, digitRun = false, false
				continue
			}
			if r >= 128 {
				digits, letters, digitRun, wordRun = false, false, false, false
				several = true
				break
			}
			c := class[r]
			digits = digits && c&isDigit != 0
			letters = letters && c&isLetter != 0
			digitRun = digitRun && c&inDigitRun != 0
			wordRun = wordRun && c&inWordRun != 0
			if b := int(fold[r]); single >= 0 && single != b {
				several = true
			} else {
				single = b
			}
		}
	}
	if single >= 0 && !several {
		f.present[single>>6] |= 1 << (single & 63)
	}
	if digits {
		f.digits = 1
	}
	if letters {
		f.letters = 1
	}
	if digitRun {
		f.digit = stretch{f.digits, f.digits, f.digits, f.digits, true}
	}
	if wordRun {
		f.word = stretch{1, 1, 1, 1, true}
	}
	return f
}
