package classify

import (
	"unicode/utf8"

	"github.com/privetdev/privet/internal/words"
)

// Words splits a name into its words, in lower case: at characters that are
// neither letters nor digits, between letters and digits, and where the case of
// letters shows a new word. A run of capitals is one word, its last letter goes
// to the word that follows: HTTPServerID is http server id. A plural s stays with
// its capitals, and so does the v of IPv4: userIDs is user ids. Words after the 64th
// are left out, and so is what a word has after its 128th byte.
func Words(name string) []string {
	var w wordList
	var room [128]byte
	w.buf = room[:]
	w.read(name)
	if w.n == 0 {
		return nil
	}
	text := string(w.buf[:w.ends[w.n-1]])
	list := make([]string, w.n)
	start := int32(0)
	for i := range list {
		list[i] = text[start:w.ends[i]]
		start = w.ends[i]
	}
	return list
}

// A wordList is the words of a text, in memory that is used again.
type wordList struct {
	buf  []byte
	ends [words.Max]int32
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
		if !words.Is(w.word(i+j), p, j == len(phrase)-1) {
			return false
		}
	}
	return true
}

// read replaces the words by those of text.
func (w *wordList) read(text string) {
	if room := words.Room(len(text)); len(w.buf) < room {
		w.buf = make([]byte, room)
	}
	w.n = words.Split(text, w.buf, w.ends[:])
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
