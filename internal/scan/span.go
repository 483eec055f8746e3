package scan

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// A byteSet is a set of bytes. A character outside ASCII stands for all bytes that
// are not ASCII.
type byteSet [4]uint64

func (b *byteSet) has(c byte) bool { return b[c>>6]>>(c&63)&1 == 1 }

func (b *byteSet) add(more byteSet) {
	for i := range b {
		b[i] |= more[i]
	}
}

// A trim tells how the span of a pattern lies in the whole match, for patterns such
// as (?:\b|_)(?P<span>\d+)(?:\b|_): before and after the span stands one character of
// a set or none. Where that character is none that the span itself may begin or end
// with, the match tells the span and the groups need not be followed.
type trim struct {
	before, after byteSet // characters around the span
	first, last   byteSet // those that it may begin and end with, among before and after
	known         bool
}

// trimOf finds out whether a pattern is such a one.
func trimOf(re *syntax.Regexp) (t trim) {
	if re.Op != syntax.OpConcat {
		return trim{known: re.Op == syntax.OpCapture}
	}
	at := -1
	for i, sub := range re.Sub {
		if sub.Op == syntax.OpCapture && sub.Name == "span" {
			at = i
		}
	}
	if at < 0 {
		return trim{}
	}
	before, ok := oneOrNone(re.Sub[:at])
	after, ok2 := oneOrNone(re.Sub[at+1:])
	first, empty := edgeOf(re.Sub[at], false)
	last, _ := edgeOf(re.Sub[at], true)
	for i := range first {
		first[i] &= before[i]
		last[i] &= after[i]
	}
	return trim{before, after, first, last, ok && ok2 && !empty}
}

// tells reports whether the edges of a match tell where its span is.
func (t *trim) tells(text string, start, end int) bool {
	return t.known && !t.first.has(text[start]) && !t.last.has(text[end-1])
}

// oneOrNone is the set of characters of a part of a pattern that takes at most one.
func oneOrNone(parts []*syntax.Regexp) (set byteSet, ok bool) {
	taken := false
	for _, p := range parts {
		options := []*syntax.Regexp{p}
		switch p.Op {
		case syntax.OpAlternate:
			options = p.Sub
		case syntax.OpQuest:
			options = p.Sub
		}
		takes := false
		for _, o := range options {
			switch o.Op {
			case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpEmptyMatch:
				continue
			case syntax.OpCharClass:
			case syntax.OpLiteral:
				if len(o.Rune) != 1 {
					return set, false
				}
			default:
				return set, false
			}
			one, _ := edgeOf(o, false)
			set.add(one)
			takes = true
		}
		if takes && taken {
			return set, false
		}
		taken = taken || takes
	}
	return set, true
}

// edgeOf is the set of bytes that a match can begin or end with, or more, and whether
// the match can be empty.
func edgeOf(re *syntax.Regexp, end bool) (set byteSet, empty bool) {
	switch re.Op {
	case syntax.OpLiteral:
		r := re.Rune[0]
		if end {
			r = re.Rune[len(re.Rune)-1]
		}
		set.rune(r)
		if re.Flags&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				set.rune(f)
			}
		}
		return set, false
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= min(re.Rune[i+1], utf8.RuneSelf-1); r++ {
				set.rune(r)
			}
			if re.Rune[i+1] >= utf8.RuneSelf {
				set.rune(utf8.RuneSelf)
			}
		}
		return set, false
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return byteSet{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}, false
	case syntax.OpCapture:
		return edgeOf(re.Sub[0], end)
	case syntax.OpPlus:
		return edgeOf(re.Sub[0], end)
	case syntax.OpRepeat:
		set, empty = edgeOf(re.Sub[0], end)
		return set, empty || re.Min == 0
	case syntax.OpStar, syntax.OpQuest:
		set, _ = edgeOf(re.Sub[0], end)
		return set, true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			more, none := edgeOf(sub, end)
			set.add(more)
			empty = empty || none
		}
		return set, empty
	case syntax.OpConcat:
		for i := range re.Sub {
			sub := re.Sub[i]
			if end {
				sub = re.Sub[len(re.Sub)-1-i]
			}
			more, none := edgeOf(sub, end)
			set.add(more)
			if !none {
				return set, false
			}
		}
		return set, true
	case syntax.OpNoMatch:
		return set, false
	default: // boundaries, the empty match
		return set, true
	}
}

func (b *byteSet) rune(r rune) {
	if r < utf8.RuneSelf {
		b[r>>6] |= 1 << (r & 63)
	} else {
		b[2], b[3] = ^uint64(0), ^uint64(0)
	}
}

// cut is the span of a match.
func (t *trim) cut(text string, start, end int) (int, int) {
	if t.before.has(text[start]) {
		_, width := utf8.DecodeRuneInString(text[start:end])
		start += width
	}
	if t.after.has(text[end-1]) {
		_, width := utf8.DecodeLastRuneInString(text[start:end])
		end -= width
	}
	return start, end
}
