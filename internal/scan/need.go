package scan

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// A need is a set of bytes of which one stands in each match of a pattern, so many
// bytes behind its beginning at most. Where none stands there, no match of the
// pattern begins. Most words could begin a number plate, an address or a scheme, and
// what each of them needs is rare in prose.
type need struct{ mark, within int }

// needs are those that patterns are asked about, the rarest first.
var needs = [...]need{{markAt, 4 * Reach}, {markColon, Reach}, {markDigit, 24}, {markDigit, 44}, {markDigit, Reach}}

// allNeeds says that all needs are met.
const allNeeds = 1<<len(needs) - 1

// The sets of bytes. None has letters, so case does not matter.
const (
	markAt = iota
	markColon
	markDigit
	marks = iota
)

func isMark(mark int, b byte) bool {
	switch mark {
	case markAt:
		return b == '@'
	case markColon:
		return b == ':'
	}
	return b-'0' < 10
}

// indexMark is where the first byte of a set stands, or -1.
func indexMark(mark int, text string) int {
	switch mark {
	case markAt:
		return strings.IndexByte(text, '@')
	case markColon:
		return strings.IndexByte(text, ':')
	}
	for i := range len(text) {
		if text[i]-'0' < 10 {
			return i
		}
	}
	return -1
}

// needOf is the need that a pattern has, as a bit, or 0.
func needOf(re *syntax.Regexp) uint8 {
	for i := range needs {
		if at, ok := latest(re, needs[i].mark); ok && at <= needs[i].within {
			return 1 << i
		}
	}
	return 0
}

// maxBranches bounds into how many branches a pattern is split.
const maxBranches = 8

// branches splits a pattern into alternatives that together match the same texts, if
// that helps: where only some of them need something, the others may stand alone.
func branches(re *syntax.Regexp) []*syntax.Regexp {
	if needOf(re) != 0 {
		return []*syntax.Regexp{re}
	}
	done, todo := []*syntax.Regexp(nil), []*syntax.Regexp{re}
	for len(todo) > 0 && len(done)+len(todo) < maxBranches {
		next := todo[0]
		todo = todo[1:]
		if parts := split(next); needOf(next) == 0 && parts != nil {
			todo = append(todo, parts...)
		} else {
			done = append(done, next)
		}
	}
	done = append(done, todo...)
	for _, b := range done {
		if needOf(b) != 0 {
			return done
		}
	}
	return []*syntax.Regexp{re}
}

// split splits a pattern at its first alternation, or returns nil.
func split(re *syntax.Regexp) (parts []*syntax.Regexp) {
	switch re.Op {
	case syntax.OpCapture:
		return split(re.Sub[0])
	case syntax.OpAlternate:
		return re.Sub
	case syntax.OpConcat:
		for i, sub := range re.Sub {
			for _, part := range split(sub) {
				whole := *re
				whole.Sub = slices.Clone(re.Sub)
				whole.Sub[i] = part
				parts = append(parts, &whole)
			}
			if parts != nil {
				return parts
			}
		}
	}
	return nil
}

// latest is how many bytes stand before the first one of a set in a match, at most,
// if there is one in every match.
func latest(re *syntax.Regexp, mark int) (at int, ok bool) {
	switch re.Op {
	case syntax.OpLiteral:
		for i, r := range re.Rune {
			if allMarks(mark, r, r) {
				head := *re
				head.Rune = re.Rune[:i]
				return longest(&head), true
			}
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if !allMarks(mark, re.Rune[i], re.Rune[i+1]) {
				return 0, false
			}
		}
		return 0, len(re.Rune) > 0
	case syntax.OpCapture, syntax.OpPlus:
		return latest(re.Sub[0], mark)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return latest(re.Sub[0], mark)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			in, ok := latest(sub, mark)
			if !ok {
				return 0, false
			}
			at = max(at, in)
		}
		return at, true
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if in, ok := latest(sub, mark); ok {
				return at + in, true
			}
			most := longest(sub)
			if most < 0 {
				return 0, false
			}
			at += most
		}
	}
	return 0, false
}

// allMarks reports whether all characters from lo to hi are of a set.
func allMarks(mark int, lo, hi rune) bool {
	for r := lo; r <= hi; r++ {
		if r >= utf8.RuneSelf || !isMark(mark, byte(r)) {
			return false
		}
	}
	return true
}

// A view knows what stands ahead of a place that moves on through a text.
type view struct {
	ahead [marks]struct {
		clear int  // none of the set stands from the place up to here
		found bool // one stands here
	}
	needs uint8 // those that are met, as bits, from the place up to same
	same  int
}

// lookAhead is how much further a view looks than it must, so that it looks seldom.
const lookAhead = 256

// look finds out which needs are met for a match that begins at pos. pos must not
// go back.
func (v *view) look(text string, pos int) {
	v.needs, v.same = 0, len(text)
	for i := range needs {
		n := &needs[i]
		m := &v.ahead[n.mark]
		if m.clear < pos {
			m.clear, m.found = pos, false
		}
		if !m.found && m.clear <= pos+n.within && m.clear < len(text) {
			end := min(pos+n.within+lookAhead, len(text))
			if at := indexMark(n.mark, text[m.clear:end]); at >= 0 {
				m.clear, m.found = m.clear+at, true
			} else {
				m.clear = end
			}
		}
		switch {
		case m.found && m.clear <= pos+n.within:
			v.needs |= 1 << i
			v.same = min(v.same, m.clear+1)
		case m.found || m.clear < len(text):
			v.same = min(v.same, m.clear-n.within)
		}
	}
}
