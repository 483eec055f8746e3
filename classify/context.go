package classify

import (
	"unicode/utf8"

	"github.com/privetdev/privet/internal/profile"
)

// How far context reaches, on either side of a match: so many bytes, and words.
const (
	nearBytes = profile.MaxAround
	nearWords = 6
)

// before is the text before a match that expressions and context see.
func before(text string, start int) string {
	from := max(0, start-nearBytes)
	for from < start && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:start]
}

// after is the text after a match.
func after(text string, end int) string { return cut(text[end:], nearBytes) }

// nearby looks for context words around a match. It remembers what it found around
// the last one, which several detectors ask for.
type nearby struct {
	before, after phrases
	words         wordList
}

// phrases are the detectors of whose context a phrase stands on one side of a place.
type phrases struct {
	at        int // -1 before the first match of a text
	any       bool
	detectors []uint64
}

func (p *phrases) begin(c *Classifier, at int) {
	p.at = at
	if words := (len(c.detectors) + 63) / 64; len(p.detectors) != words {
		p.detectors = make([]uint64, words)
	} else if p.any {
		clear(p.detectors)
	}
	p.any = false
}

func (p *phrases) has(detector int32) bool {
	return p.any && p.detectors[detector>>6]>>(detector&63)&1 == 1
}

func (n *nearby) forget() { n.before.at, n.after.at = -1, -1 }

// has reports whether a phrase of a detector's context stands before or after
// text[start:end], word by word and whole, within 80 bytes and six words. A word cut
// by the window's edge does not count.
func (n *nearby) has(c *Classifier, text string, start, end int, detector int32) bool {
	if n.before.at != start {
		n.before.begin(c, start)
		b := before(text, start)
		n.words.read(b)
		// The first word may be the end of a longer one.
		first := 0
		if from := start - len(b); from > 0 && n.words.n > 0 && joined(text, from) {
			first = 1
		}
		n.note(c, &n.before, max(first, n.words.n-nearWords))
	}
	if n.before.has(detector) {
		return true
	}
	if n.after.at != end {
		n.after.begin(c, end)
		a := after(text, end)
		n.words.read(a)
		if to := end + len(a); to < len(text) && n.words.n > 0 && joined(text, to) {
			n.words.n--
		}
		n.words.n = min(n.words.n, nearWords)
		n.note(c, &n.after, 0)
	}
	return n.after.has(detector)
}

// note marks the detectors of which a phrase begins at word i or later.
func (n *nearby) note(c *Classifier, p *phrases, i int) {
	x := c.index
	for ; i < n.words.n; i++ {
		w := n.words.word(i)
		if !x.known.has(w) {
			continue
		}
		e := x.words[string(w)]
		if e == nil {
			continue
		}
		for j := range e.phrases {
			if f := &e.phrases[j]; n.words.goesOn(i+1, f.rest) {
				p.detectors[f.detector>>6] |= 1 << (f.detector & 63)
				p.any = true
			}
		}
	}
}

// A wordHint rules out most words that are not in a set.
type wordHint [32]uint64

func hintOf(w []byte) uint32 {
	return uint32(w[0])*7 + uint32(w[len(w)/2])*5 + uint32(w[len(w)-1])*3 + uint32(len(w))*61
}

func (h *wordHint) add(w string) {
	if w != "" {
		n := hintOf([]byte(w))
		h[n>>6&31] |= 1 << (n & 63)
	}
}

func (h *wordHint) has(w []byte) bool {
	n := hintOf(w)
	return h[n>>6&31]>>(n&63)&1 == 1
}

// isWordOf reports whether w is the word p or, if it may be, its plural.
func isWordOf[T string | []byte](w T, p string, plural bool) bool {
	if plural && len(w) == len(p)+1 && w[len(p)] == 's' {
		w = w[:len(p)]
	}
	return string(w) == p
}

// joined reports whether the characters on both sides of a place are of one word.
func joined(text string, at int) bool {
	a, _ := utf8.DecodeLastRuneInString(text[:at])
	b, _ := utf8.DecodeRuneInString(text[at:])
	return kindOf(a) != sepKind && kindOf(b) != sepKind
}
