package classify

import (
	"slices"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/words"
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

// nearby looks for context words around matches. It reads the words of the text
// where matches are, once, and remembers what it found around the last match, which
// several detectors ask for.
type nearby struct {
	list          []nearWord // those that begin in text[from:to], in order
	buf           []byte     // their small letters
	from, to      int
	before, after phrases
	// around are the detectors of whose context a phrase stands in text[low:high].
	around    phrases
	low, high int
}

// A nearWord is text[start:end], and buf[low:high] in small letters.
type nearWord struct {
	start, end, low, high int
	entry                 *wordEntry // nil if no phrase begins with it
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

// forget must be called before another text is asked about.
func (n *nearby) forget() {
	n.list, n.buf, n.from, n.to = n.list[:0], n.buf[:0], 0, 0
	n.before.at, n.after.at = -1, -1
	n.low, n.high = 0, -1
}

// surveyed is how much further a survey looks than it must.
const surveyed = 512

// may reports whether a phrase of a detector's context can stand near a match of no
// more than [scan.Reach] bytes that begins at start. Where it cannot, which is mostly
// so, one look serves all detectors and all matches of a stretch of the text.
func (n *nearby) may(c *Classifier, text string, start int, detector int32) bool {
	from, to := max(start-nearBytes, 0), min(start+scan.Reach+nearBytes, len(text))
	if from < n.low || to > n.high {
		n.low, n.high = from, min(to+surveyed, len(text))
		n.read(c, text, n.low, n.high)
		n.around.begin(c, start)
		n.note(&n.around, n.find(n.low), len(n.list))
	}
	return n.around.has(detector)
}

// has reports whether a phrase of a detector's context stands before or after
// text[start:end], word by word and whole, within 80 bytes and six words.
func (n *nearby) has(c *Classifier, text string, start, end int, detector int32) bool {
	if n.before.at != start {
		n.before.begin(c, start)
		n.read(c, text, start-nearBytes, start)
		// The words from first to last lie before the match.
		last := n.find(start)
		for last > 0 && n.list[last-1].end > start {
			last--
		}
		first := last
		for first > 0 && last-first < nearWords && n.list[first-1].start >= start-nearBytes {
			first--
		}
		n.note(&n.before, first, last)
	}
	if n.before.has(detector) {
		return true
	}
	if n.after.at != end {
		n.after.begin(c, end)
		n.read(c, text, start-nearBytes, end+nearBytes)
		first := n.find(end)
		last := first
		for last < len(n.list) && last-first < nearWords && n.list[last].end <= end+nearBytes {
			last++
		}
		n.note(&n.after, first, last)
	}
	return n.after.has(detector)
}

// find is the first word that begins at or after a place.
func (n *nearby) find(at int) int {
	i := len(n.list)
	for i > 0 && n.list[i-1].start >= at {
		i--
	}
	return i
}

// note marks the detectors of which a phrase stands in list[first:last].
func (n *nearby) note(p *phrases, first, last int) {
	for i := first; i < last; i++ {
		e := n.list[i].entry
		if e == nil {
			continue
		}
	next:
		for j := range e.phrases {
			f := &e.phrases[j]
			if i+len(f.rest) >= last {
				continue
			}
			for k, w := range f.rest {
				l := &n.list[i+1+k]
				if !words.Is(n.buf[l.low:l.high], w, k == len(f.rest)-1) {
					continue next
				}
			}
			p.detectors[f.detector>>6] |= 1 << (f.detector & 63)
			p.any = true
		}
	}
}

// maxNear bounds the words that are remembered.
const maxNear = 1 << 10

// read sees to it that the words which begin in text[from:to] are known.
func (n *nearby) read(c *Classifier, text string, from, to int) {
	from, to = max(from, 0), min(to, len(text))
	for n := 1; n < utf8.UTFMax && from > 0 && from < len(text) && !utf8.RuneStart(text[from]); n++ {
		from--
	}
	if from < n.from || from > n.to || len(n.list) > maxNear {
		n.list, n.buf = n.list[:0], n.buf[:0]
		n.from, n.to = from, from
	}
	for i := n.to; i < to; {
		i = n.word(c, text, i)
		n.to = i
	}
}

// word reads on from a place to behind the next word, or to the end.
func (n *nearby) word(c *Classifier, text string, i int) int {
	low := len(n.buf)
	n.buf = slices.Grow(n.buf, words.MaxLen)
	start, end, size := words.Next(text, i, n.buf[low:cap(n.buf)])
	if start == end {
		return end
	}
	w := nearWord{start: start, end: end, low: low, high: low + size}
	n.buf = n.buf[:w.high]
	if text := n.buf[w.low:w.high]; c.index.known.has(text) {
		if e := c.index.words[string(text)]; e != nil && len(e.phrases) > 0 {
			w.entry = e
		}
	}
	n.list = append(n.list, w)
	return end
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
