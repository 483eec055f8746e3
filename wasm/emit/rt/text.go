package rt

import "unicode/utf8"

// Characters is how many characters a text has.
func Characters(s string) int64 {
	scan(len(s))
	return int64(utf8.RuneCountInString(s))
}

// Equal reports whether two texts are equal.
func Equal(a, b string) bool {
	scan(min(len(a), len(b)))
	return a == b
}

// Compare is below, equal to or above 0 as a is to b.
func Compare(a, b string) int {
	scan(min(len(a), len(b)))
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// StartsWith reports whether s begins with part.
func StartsWith(s, part string) bool {
	scan(len(part))
	return len(s) >= len(part) && s[:len(part)] == part
}

// EndsWith reports whether s ends with part.
func EndsWith(s, part string) bool {
	scan(len(part))
	return len(s) >= len(part) && s[len(s)-len(part):] == part
}

// Contains reports whether part is in s.
func Contains(s, part string) bool {
	scan(len(s))
	return index(s, part) >= 0
}

// short is the length up to which every place is tried.
const short = 8

// index is where part begins in s, or -1. It takes time in proportion to s: a long part
// is compared only where a hash of the text agrees with its own.
func index(s, part string) int {
	n := len(part)
	last := len(s) - n
	if last < 0 {
		return -1
	}
	if n == 0 {
		return 0
	}
	first := part[0]
	if n <= short {
		for i := 0; i <= last; i++ {
			if s[i] == first && s[i:i+n] == part {
				return i
			}
		}
		return -1
	}
	const prime = 16777619
	var want, have, power uint32
	power = 1
	for i := range n {
		want = want*prime + uint32(part[i])
		have = have*prime + uint32(s[i])
		power *= prime
	}
	for i := 0; ; i++ {
		if have == want && s[i:i+n] == part {
			return i
		}
		if i >= last {
			return -1
		}
		have = have*prime + uint32(s[i+n]) - power*uint32(s[i])
	}
}

// occurrences is how often part is in s without overlaps; the empty part is before and
// behind every character.
func occurrences(s, part string) int {
	if part == "" {
		return utf8.RuneCountInString(s) + 1
	}
	n := 0
	for {
		i := index(s, part)
		if i < 0 {
			return n
		}
		n++
		s = s[i+len(part):]
	}
}

// clamp makes a count of an int: what is beyond any text is as good as its bound.
func clamp(n int64) int { return int(max(min(n, 1<<31-1), -1)) }

// Join is a with b behind it.
func Join(a, b string) []byte {
	newText(len(a) + len(b))
	out := Room(len(a) + len(b))
	if len(out) == 0 {
		return out
	}
	for i := range len(a) {
		out[i] = a[i]
	}
	n := len(a)
	for i := range len(b) {
		out[n+i] = b[i]
	}
	return out
}

// valid gives a text the form that a conversion to characters and back would: every byte
// that is no part of a character becomes U+FFFD. It is s itself if changed is false.
func valid(s string) (out []byte, changed bool) {
	if utf8.ValidString(s) {
		return arena[:0], false
	}
	newText(3 * len(s))
	out = Room(3 * len(s))
	if len(out) == 0 {
		return out, true
	}
	n := 0
	for i := 0; i < len(s); {
		r, width := utf8.DecodeRuneInString(s[i:])
		if r == 0xfffd {
			out[n], out[n+1], out[n+2] = 0xef, 0xbf, 0xbd
			n += 3
		} else {
			for j := range width {
				out[n+j] = s[i+j]
			}
			n += width
		}
		i += width
	}
	return out[:n], true
}

// Valid is [valid] for a substring; the text is s itself if changed is false.
func Valid(s string) (out []byte, changed bool) {
	scan(len(s))
	return valid(s)
}

// Lower gives letters of ASCII their lower case; the text is s itself if changed is
// false.
func Lower(s string) (out []byte, changed bool) { return changeCase(s, 'A', 'Z') }

// Upper gives letters of ASCII their upper case; see Lower.
func Upper(s string) (out []byte, changed bool) { return changeCase(s, 'a', 'z') }

func changeCase(s string, from, to byte) (out []byte, changed bool) {
	scan(len(s))
	if out, changed = valid(s); changed {
		for i := range len(out) {
			if c := out[i]; c >= from && c <= to {
				newText(len(out))
				mapCase(out, i, from, to)
				return out, true
			}
		}
		return out, true
	}
	for i := range len(s) {
		if c := s[i]; c >= from && c <= to {
			newText(len(s))
			out = Room(len(s))
			copyText(out, s)
			mapCase(out, i, from, to)
			return out, true
		}
	}
	return out, false
}

func copyText(out []byte, s string) {
	if len(out) < len(s) {
		return
	}
	for i := range len(s) {
		out[i] = s[i]
	}
}

func mapCase(out []byte, i int, from, to byte) {
	for ; i < len(out); i++ {
		if c := out[i]; c >= from && c <= to {
			out[i] = c ^ ('a' - 'A')
		}
	}
}

// Trim is s without white space around it.
func Trim(s string) string {
	scan(len(s))
	for len(s) > 0 {
		r, width := utf8.DecodeRuneInString(s)
		if !space(r) {
			break
		}
		s = s[width:]
	}
	for len(s) > 0 {
		r, width := utf8.DecodeLastRuneInString(s)
		if !space(r) {
			break
		}
		s = s[:len(s)-width]
	}
	return s
}

func space(r rune) bool {
	if r < 0x80 {
		return r == ' ' || r >= '\t' && r <= '\r'
	}
	switch r {
	case 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}

// Replace puts with in place of the first occurrences of old, at most limit, all if that
// is negative. The text is s itself if changed is false.
func Replace(s, old, with string, limit int64) (out []byte, changed bool) {
	most := clamp(limit)
	scan(len(s))
	found := occurrences(s, old)
	if most >= 0 {
		found = min(found, most)
	}
	if found == 0 || old == with {
		return arena[:0], false
	}
	newText(len(s))
	grow := times(found, max(0, len(with)-len(old)))
	if Broke(grow >> 2) {
		return arena[:0], true
	}
	out = Room(len(s) + found*(len(with)-len(old)))
	if len(out) == 0 {
		return out, true
	}
	n, at := 0, 0
	for k := range found {
		next := at
		if old != "" {
			next += index(s[at:], old)
		} else if k > 0 {
			_, width := utf8.DecodeRuneInString(s[at:])
			next += width
		}
		for ; at < next; at++ {
			out[n] = s[at]
			n++
		}
		for i := range len(with) {
			out[n] = with[i]
			n++
		}
		at += len(old)
	}
	for ; at < len(s); at++ {
		out[n] = s[at]
		n++
	}
	return out, true
}

// Pieces is into how many parts Split divides a text at most, and whether that was too
// dear.
func Pieces(s, sep string, limit int64) (n int, broke bool) {
	most := clamp(limit)
	scan(len(s))
	n = occurrences(s, sep) + 1
	if most >= 0 {
		n = min(n, most)
	}
	return n, PayList(n)
}

// Split divides a text into the parts that sep leaves, at most as many as there is room
// for, and reports how many there are.
func Split(parts []string, s, sep string) int {
	if len(parts) == 0 {
		return 0
	}
	n := 0
	for n < len(parts)-1 {
		var width, gap int
		if sep == "" {
			if s == "" {
				return n
			}
			if _, width = utf8.DecodeRuneInString(s); width == len(s) {
				break
			}
		} else {
			if width = index(s, sep); width < 0 {
				break
			}
			gap = len(sep)
		}
		parts[n] = s[:width]
		s = s[width+gap:]
		n++
	}
	if sep == "" && s == "" {
		return n
	}
	parts[n] = s
	return n + 1
}

// From is s without its first characters. The text must be valid.
func From(s string, start int64) (string, int) {
	at := offset(s, start)
	if at < 0 {
		return "", IndexOutOfRange
	}
	return s[at:], OK
}

// Substring is the characters of s from a start to an end. The text must be valid.
func Substring(s string, start, end int64) (string, int) {
	at := offset(s, start)
	if at < 0 {
		return "", IndexOutOfRange
	}
	s = s[at:]
	width := offset(s, end-start)
	if width < 0 {
		return "", IndexOutOfRange
	}
	return s[:width], OK
}

// offset is where character n of s begins, which may be its end, or -1.
func offset(s string, n int64) int {
	if n < 0 || n > int64(len(s)) {
		return -1
	}
	at := 0
	for ; n > 0; n-- {
		if at >= len(s) {
			return -1
		}
		_, width := utf8.DecodeRuneInString(s[at:])
		at += width
	}
	return at
}

// Within reports whether a text is in a list.
func Within(s string, list []string) bool {
	if Broke(times(len(list), 1+len(s)>>4)) {
		return false
	}
	for i := range list {
		if list[i] == s {
			return true
		}
	}
	return false
}

// Find is the place of a key among sorted keys, or -1.
func Find(keys []string, key string) int {
	scan(len(key))
	if len(keys) <= 8 {
		for i := range keys {
			if keys[i] == key {
				return i
			}
		}
		return -1
	}
	i := lowest(keys, key)
	if i < len(keys) && keys[i] == key {
		return i
	}
	return -1
}

// lowest is how many of sorted keys are below a key.
func lowest(keys []string, key string) int {
	from, to := 0, len(keys)
	for from < to {
		middle := (from + to) / 2
		if keys[middle] < key {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}

// Place finds where a key goes among the first n of keys, makes room for it and its
// value of some words, and returns the place and how many keys there are then.
func Place(keys []string, vals []uint64, n, words int, key string) (place, after int) {
	scan(len(key))
	i := 0
	for i < n && i < len(keys) && keys[i] < key {
		i++
	}
	if i < n && i < len(keys) && keys[i] == key {
		return i, n
	}
	if n >= len(keys) {
		return 0, n // there is room for as many keys as the map is written with
	}
	for j := n; j > i; j-- {
		keys[j] = keys[j-1]
	}
	keys[i] = key
	for j := (n+1)*words - 1; j >= (i+1)*words; j-- {
		vals[j] = vals[j-words]
	}
	return i, n + 1
}

// Close moves the values of a map that has fewer keys than it was written with behind
// its keys: from word a to word b, n of them.
func Close(words []uint64, a, b, n int) {
	for i := range n {
		words[b+i] = words[a+i]
	}
}

// Copy copies the words of a list.
func Copy(to, from []uint64) { copy(to, from) }
