package detect

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Registered reports whether s is a domain name, as [Domain] has it, that lies below
// a public suffix, such as example.co.uk: below a name under which a registry lets
// everybody register names, and not such a name itself. The list is the registries'
// section of publicsuffix.org's, with its rule that a top level that is not in it is a
// suffix. Names of its private section, such as github.io, are themselves registered,
// and so are those below them. Labels may be written in Punycode or as people read
// them, in upper or lower case, with composed characters (Unicode NFC).
func Registered(s string) bool {
	if !Domain(s) {
		return false
	}
	// In lower case a character has 3 bytes in place of 2 at worst.
	var buf [2 * 253]byte
	size := 0
	for _, r := range s {
		size += utf8.EncodeRune(buf[size:], unicode.ToLower(r))
	}
	name := buf[:size]
	// A suffix can be longer than one that was found, although nothing between them is one.
	start := bytes.LastIndexByte(name, '.') + 1
	suffix := start
	for n := 2; n <= suffixLabels && start > 0; n++ {
		parent, end := start, start-1
		start = bytes.LastIndexByte(name[:end], '.') + 1
		labels := suffixesBelow(name[parent:])
		switch found, exempt := hasLabel(labels, name[start:end]); {
		case exempt:
			return true
		case found || strings.HasPrefix(labels, "*"):
			suffix = start
		}
	}
	return suffix > 0
}

// suffixesBelow are the labels that make a suffix of a name when they stand before it.
func suffixesBelow(name []byte) string {
	low, high := 0, len(suffixLines)-1
	for low < high {
		middle := (low + high) / 2
		line := suffixes[suffixLines[middle] : suffixLines[middle+1]-1]
		parent, labels, _ := strings.Cut(line, " ")
		switch order := compareText(name, parent); {
		case order == 0:
			return labels
		case order < 0:
			high = middle
		default:
			low = middle + 1
		}
	}
	return ""
}

// hasLabel looks a label up in a sorted list divided by blanks, in which an
// exclamation mark may stand behind it.
func hasLabel(list string, label []byte) (found, exempt bool) {
	for list != "" {
		middle := len(list) / 2
		from := strings.LastIndexByte(list[:middle], ' ') + 1
		to := len(list)
		if i := strings.IndexByte(list[middle:], ' '); i >= 0 {
			to = middle + i
		}
		word, mark := strings.CutSuffix(list[from:to], "!")
		switch order := compareText(label, word); {
		case order == 0:
			return !mark, mark
		case order < 0:
			list = list[:max(from-1, 0)]
		default:
			list = list[min(to+1, len(list)):]
		}
	}
	return false, false
}

// compareText is [strings.Compare] for bytes and a text, and copies neither.
func compareText(a []byte, b string) int {
	switch {
	case string(a) < b:
		return -1
	case string(a) > b:
		return 1
	}
	return 0
}
