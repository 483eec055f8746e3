package run

import (
	"github.com/privetdev/privet/wasm/emit/find"
)

// The variables of conditions about a match: see package profile.
const (
	matchText = 9 + iota
	matchDigits
	matchGroups
	matchBefore
	matchAfter
)

// What becomes of a match.
const (
	isRefused    = iota // by the check
	isSuppressed        // by a suppression
	isAccepted
)

const maxGroups = 32

// What conditions see of the match of each level.
var (
	shown       [3 * maxLevels]string // text, before, after
	groups      [maxLevels * maxGroups]string
	groupCount  [maxLevels]int
	digits      [maxLevels * MaxName]byte
	digitsCount [maxLevels]int
)

// judge asks the check and the list of a detector about a match. It gives the confidence
// without context of one that is accepted.
func judge(d int, text string, whole, wholeEnd, start, end int) (confidence, verdict int) {
	check, list := detector(d, DetectorCheck), detector(d, DetectorList)
	if confidence = detector(d, DetectorBase); !HasConditions || check|list == 0 {
		return confidence, isAccepted
	}
	prepare()
	flags := detector(d, DetectorFlags)
	if HasFieldWords && flags&FlagWords != 0 {
		needWords()
	}
	match, m := cut(text[start:end], MaxValue), 3*level
	digitsCount[level], groupCount[level] = 0, 0
	if HasDigits && flags&FlagDigits != 0 {
		putDigits(match)
	}
	if HasGroups && flags&FlagGroups != 0 {
		putGroups(d, flags, text, whole, wholeEnd, start, end)
	}
	from := max(0, start-MaxAround)
	for from < start && text[from]&0xC0 == 0x80 {
		from++
	}
	shown[m], shown[m+1], shown[m+2] = match, text[from:start], cut(text[end:], MaxAround)
	setMatch()
	if check != 0 {
		if Eval(check-1) != 1 {
			return 0, isRefused
		}
		confidence = detector(d, DetectorChecked)
	}
	if HasLists {
		for ; Lists[list] != 0; list += 2 {
			add := int(int16(Lists[list+1]))
			switch {
			case Eval(int(Lists[list])-1) != 1:
			case add == -Suppressed:
				return 0, isSuppressed
			default:
				confidence += add
			}
		}
	}
	return confidence, isAccepted
}

// setMatch shows the match of this level to conditions.
func setMatch() {
	m := 3 * level
	SetText(matchText, shown[m])
	if HasDigits {
		from := MaxName * level
		SetText(matchDigits, string(digits[from:from+digitsCount[level]]))
	}
	if HasGroups {
		g := maxGroups * level
		SetList(matchGroups, groups[g:g+groupCount[level]])
	}
	SetText(matchBefore, shown[m+1])
	SetText(matchAfter, shown[m+2])
}

// putDigits sets the ASCII digits of a match.
func putDigits(match string) {
	n := 0
	for i := 0; i < len(match) && n < MaxName; i++ {
		if match[i]-'0' < 10 {
			digits[MaxName*level+n] = match[i]
			n++
		}
	}
	digitsCount[level] = n
}

// putGroups sets the groups of a match.
func putGroups(d, flags int, text string, whole, wholeEnd, start, end int) {
	n, g := 1, maxGroups*level
	groups[g] = cut(text[whole:wholeEnd], MaxName)
	switch {
	case flags&FlagCaptures != 0:
		n = find.Captures(d, whole, wholeEnd)
		for i := range n {
			a, b := int(find.Groups[2*i]), int(find.Groups[2*i+1])
			if a < 0 || b < a {
				a, b = 0, 0
			}
			groups[g+i] = cut(text[a:b], MaxName)
		}
	case flags&FlagSpan != 0:
		n = 2
		groups[g+1] = cut(text[start:end], MaxName)
	}
	groupCount[level] = n
}
