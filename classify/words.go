package classify

import (
	"unicode"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/profile"
)

// Words splits a name into its words, in lower case: at characters that are
// neither letters nor digits, between letters and digits, and where the case of
// letters shows a new word. A run of capitals is one word, its last letter goes
// to the word that follows: HTTPServerID is http server id. A plural s stays with
// its capitals, and so does the v of IPv4: userIDs is user ids. Words after the 64th
// are left out, and so is what a word has after its 128th byte.
func Words(name string) []string {
	var w wordList
	w.read(name)
	if w.n == 0 {
		return nil
	}
	text := string(w.buf)
	words := make([]string, w.n)
	start := 0
	for i := range words {
		words[i] = text[start:w.ends[i]]
		start = w.ends[i]
	}
	return words
}

// A wordList is the words of a text, in memory that is used again.
type wordList struct {
	buf  []byte
	ends [profile.MaxWords]int
	n    int
}

// word is word i.
func (w *wordList) word(i int) []byte {
	if i == 0 {
		return w.buf[:w.ends[0]]
	}
	return w.buf[w.ends[i-1]:w.ends[i]]
}

// goesOn reports whether the words from i on begin with phrase. Its last word may
// stand in the plural.
func (w *wordList) goesOn(i int, phrase []string) bool {
	if i+len(phrase) > w.n {
		return false
	}
	for j, p := range phrase {
		if !isWordOf(w.word(i+j), p, j == len(phrase)-1) {
			return false
		}
	}
	return true
}

// read replaces the words by those of text.
func (w *wordList) read(text string) {
	w.buf, w.n = w.buf[:0], 0
	prev, room := sepKind, 0
	for i := 0; i < len(text); {
		r, width := rune(text[i]), 1
		var kind charKind
		if r < utf8.RuneSelf {
			kind = asciiKind[r]
		} else {
			r, width = utf8.DecodeRuneInString(text[i:])
			kind = kindOf(r)
		}
		i += width
		if kind == sepKind {
			prev = sepKind
			continue
		}
		if begins(prev, kind, text, i) {
			if w.n == len(w.ends) {
				return
			}
			w.n, room = w.n+1, maxWord
		}
		if r < utf8.RuneSelf {
			if kind == upperKind {
				r |= 0x20
			}
			if room--; room >= 0 {
				w.buf = append(w.buf, byte(r))
			}
		} else {
			r = unicode.ToLower(r)
			if room -= utf8.RuneLen(r); room >= 0 {
				w.buf = utf8.AppendRune(w.buf, r)
			}
		}
		w.ends[w.n-1] = len(w.buf)
		prev = kind
	}
}

// begins reports whether a word begins with a character that is no separator, after
// one of the kind prev and before text[next:].
func begins(prev, kind charKind, text string, next int) bool {
	return prev == sepKind || (prev == digitKind) != (kind == digitKind) ||
		kind == upperKind && (prev == lowerKind || prev == upperKind && nextKind(text, next) == lowerKind && !tailAt(text[next:]))
}

// nextKind is the kind of the character at i, if there is one.
func nextKind(text string, i int) charKind {
	if i == len(text) {
		return sepKind
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return kindOf(r)
}

// maxWord is the longest word that rules see, in bytes.
const maxWord = 128

type charKind uint8

const (
	sepKind charKind = iota
	lowerKind
	upperKind
	digitKind
)

var asciiKind = func() (k [utf8.RuneSelf]charKind) {
	for r := range k {
		switch {
		case r >= 'a' && r <= 'z':
			k[r] = lowerKind
		case r >= 'A' && r <= 'Z':
			k[r] = upperKind
		case r >= '0' && r <= '9':
			k[r] = digitKind
		}
	}
	return k
}()

func kindOf(r rune) charKind {
	switch {
	case r >= 0 && r < utf8.RuneSelf:
		return asciiKind[r]
	case r == utf8.RuneError:
		return sepKind
	case unicode.IsUpper(r):
		return upperKind
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return lowerKind
	case unicode.IsDigit(r):
		return digitKind
	}
	return sepKind
}

// tailAt reports whether rest begins with a small letter that belongs to the
// capitals before it: the s of IDs, the v of IPv4.
func tailAt(rest string) bool {
	after, _ := utf8.DecodeRuneInString(rest[1:])
	return rest[0] == 's' && kindOf(after) != lowerKind || rest[0] == 'v' && kindOf(after) == digitKind
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
