package run

import (
	"unicode/utf8"

	"github.com/privetdev/privet/wasm/emit/rt"
)

// The slots of variables, as package profile has them.
const (
	fieldName = iota
	fieldPath
	fieldWords
	fieldType
	fieldTags
	fieldSource
	fieldDescription
	fieldValue
	fieldContext
)

// What the policy asks about.
var (
	// ReadsNames says that words of names are atoms, or near detectors.
	ReadsNames bool
	// ReadsTexts has a bit for each variable that conditions read and that is a text.
	ReadsTexts int
	// Conditions read the tags, the context.
	ReadsTags, ReadsContext bool
	Categories              int
	CategoryKeys            []byte // in order, one behind the other
	CategoryAt              []uint32
)

// The tags that declare categories, of the next call; the stronger first.
var declaredKey, markedKey string

// Declared is the rule of a label that comes from a tag.
const Declared = 0xffff

// FlagUnknown is in OutFlags if a tag declared a category that the taxonomy does not have.
const FlagUnknown = 1

var ready bool // the variables of conditions hold the field

// begin forgets what was known of the last field.
func begin() {
	ready, workTop = false, 0
	OutAt, OutLen, OutFlags = 0, 0, 0
	if HasDetectors {
		// A call that ended with a fault has left them where they were.
		level, rt.Base = 0, 0
	}
	nextRound()
	fieldBegin()
}

// clearField empties the field at hand.
func clearField() {
	ready = false
	Name, Path, Type, Source, Description, Value = "", "", "", "", "", ""
	TagCount, ContextCount = 0, 0
}

// Field classifies the field at hand. It returns how many labels it has, or a negative
// code. Each is a row of six numbers, the most confident first: category, confidence, 1
// more than the rule (0 none, [Declared] a tag), 1 more than the detector (0 none), and
// which is the first of its spans, and how many there are. Behind all rows are the
// spans, two numbers each.
func Field() int {
	strong, weak := declaredKey, markedKey
	declaredKey, markedKey = "", ""
	begin()
	if ReadsNames {
		readNames()
	}
	declare(strong)
	if votes == 0 {
		declare(weak)
	}
	if HasRules && votes == 0 {
		askTexts()
		askRules()
		yield()
	}
	n := 0
	if HasDetectors {
		if n = look(Value); n < 0 {
			return n
		}
		for i := range n {
			_, _, d, confidence := found(i)
			see(d, confidence)
		}
	}
	ready = false // the texts may be gone
	return label(n)
}

// textOf is a variable as expressions see it, if it is a text.
func textOf(slot int) string {
	switch slot {
	case fieldName:
		return cut(Name, MaxName)
	case fieldPath:
		return cut(Path, MaxName)
	case fieldType:
		return cut(Type, MaxType)
	case fieldSource:
		return cut(Source, MaxName)
	case fieldDescription:
		return cut(Description, MaxDescription)
	}
	return cut(Value, MaxValue)
}

// prepare sets the variables that conditions see, but for the words.
func prepare() {
	if ready {
		return
	}
	ready = true
	for slot := range fieldContext {
		if ReadsTexts>>slot&1 == 1 {
			SetText(slot, textOf(slot))
		}
	}
	// A map is its keys; the values stand behind them.
	if ReadsTags {
		SetMap(fieldTags, Tags[:TagCount])
	}
	if ReadsContext {
		SetMap(fieldContext, Context[:ContextCount])
	}
}

// declare takes the categories that a tag names.
func declare(tag string) {
	for from := 0; from < len(tag); from++ {
		to := from
		for to < len(tag) && tag[to] != ',' {
			to++
		}
		if key := trimmed(tag[from:to]); key != "" {
			if i := categoryOf(key); i < 0 {
				OutFlags |= FlagUnknown
			} else {
				claim(i, 1000, Declared)
			}
		}
		from = to
	}
}

// categoryOf is the number of a category, or -1.
func categoryOf(key string) int {
	lo, hi := 0, Categories
	for lo < hi {
		mid := (lo + hi) >> 1
		if k := kept(string(CategoryKeys[CategoryAt[mid]:CategoryAt[mid+1]])); k == key {
			return mid
		} else if k < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return -1
}

// trimmed is a text without the white space around it.
func trimmed(s string) string {
	from, to, at := len(s), len(s), 0
	for at < len(s) {
		r, width := utf8.DecodeRuneInString(s[at:])
		if !isSpace(r) {
			from, to = min(from, at), at+width
		}
		at += width
	}
	return s[from:to]
}

// isSpace is what Unicode calls white space.
func isSpace(r rune) bool {
	switch {
	case r == ' ', r >= '\t' && r <= '\r', r == 0x85, r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a,
		r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}
