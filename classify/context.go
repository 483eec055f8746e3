package classify

import (
	"unicode/utf8"
)

// How far context reaches, on either side of a match.
const (
	nearBytes = 40
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

// nearby looks for context words around a match. It remembers the words around
// the last one, which several detectors ask for.
type nearby struct {
	text       string
	start, end int
	before     wordList
	after      wordList
	// Which of the words count: from, to.
	b, a [2]int
}

func (n *nearby) forget() { n.text, n.start, n.end = "", 0, 0 }

// has reports whether a phrase stands before or after text[start:end], word by
// word and whole, within 40 bytes and six words. A word cut by the window's edge
// does not count.
func (n *nearby) has(text string, start, end int, phrases [][]string) bool {
	if len(phrases) == 0 {
		return false
	}
	if n.start != start || n.end != end || len(n.text) != len(text) || n.text != text {
		n.text, n.start, n.end = text, start, end
		b, a := before(text, start), after(text, end)
		n.before.read(b)
		n.after.read(a)
		n.b, n.a = [2]int{0, n.before.n}, [2]int{0, n.after.n}
		// The first word before and the last one after may be parts of longer words.
		if from := start - len(b); from > 0 && n.b[1] > 0 && joined(text, from) {
			n.b[0]++
		}
		if to := end + len(a); to < len(text) && n.a[1] > 0 && joined(text, to) {
			n.a[1]--
		}
		n.b[0] = max(n.b[0], n.b[1]-nearWords)
		n.a[1] = min(n.a[1], nearWords)
	}
	for _, p := range phrases {
		if n.before.holds(p, n.b[0], n.b[1]) || n.after.holds(p, n.a[0], n.a[1]) {
			return true
		}
	}
	return false
}

// holds reports whether the words from, to hold a phrase, one word after the other.
// The last word may stand in the plural, with an s.
func (w *wordList) holds(phrase []string, from, to int) bool {
	last := len(phrase) - 1
next:
	for i := from; i+last < to; i++ {
		for j, p := range phrase {
			if !isWordOf(w.word(i+j), p, j == last) {
				continue next
			}
		}
		return true
	}
	return false
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
