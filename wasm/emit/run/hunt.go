package run

import (
	"unicode/utf8"

	"github.com/privetdev/privet/wasm/emit/find"
	"github.com/privetdev/privet/wasm/emit/rt"
)

// What is known of detectors.
var (
	HasDetectors bool
	// Detectors has [DetectorSize] numbers for each, see the constants.
	Detectors []uint16
	// Lists has what is asked about the matches of detectors, one list after the other:
	// pairs of a condition and one, and of what it adds to the confidence, or
	// [Suppressed]. A 0 ends a list, and is the first number.
	Lists []uint16
	// Mutes are the detectors that find only what an expression asks for, Shies those
	// with [FlagShy].
	Mutes, Shies []uint16

	HasMutes, HasBoost, HasConditions, HasLists, HasFieldWords, HasDigits, HasGroups bool
)

// The numbers of a detector. Confidence is in thousandths.
const (
	DetectorBase     = iota // of a match
	DetectorChecked         // of one that the check has accepted
	DetectorBoost           // what context adds
	DetectorFloor           // the confidence below which nothing is found
	DetectorRaise           // what its list may add, and not less than that
	DetectorCheck           // a condition and one; 0: none
	DetectorList            // where in Lists
	DetectorFlags           // see the flags
	DetectorCategory        // the number of the category

	DetectorSize // how many there are
)

// The flags of detectors.
const (
	FlagShy      = 1 << iota // short, and only context can lift it to the floor
	FlagOwnFloor             // the floor is the detector's own
	FlagWords                // conditions read field.words
	FlagDigits               // conditions read match.digits
	FlagGroups               // conditions read match.groups
	FlagSpan                 // and the one group is the span
	FlagCaptures             // and groups are found by the pattern's program
)

// Suppressed is what a pair of Lists has whose condition takes a match away.
const Suppressed = 1 << 15

// Room, which is written: one for each detector.
var (
	// Of what was refused lately, as long as the round is that of the text at hand: how
	// many bytes were tried, and where the first match ended.
	RefusedRound, RefusedTried, RefusedLast []int32
)

// ForgetDetectors empties what is filled in, so that it counts as written.
func ForgetDetectors() {
	HasDetectors, HasMutes, HasBoost, HasConditions, HasLists, HasFieldWords, HasDigits, HasGroups = false, false, false, false, false, false, false, false
	Detectors, Lists, Mutes, Shies = Detectors[:0], Lists[:0], Mutes[:0], Shies[:0]
	RefusedRound, RefusedTried, RefusedLast = RefusedRound[:0], RefusedTried[:0], RefusedLast[:0]
}

// maxTried bounds how much is tried around a match that a check refused, so that a text
// made of near misses is still linear work: the bytes of all shorter and later matches,
// each counted with tryCost more.
const (
	maxTried = 512
	tryCost  = 16
)

var (
	hunted int32 // the round
	// Of the detector and text at hand, see RefusedTried.
	tried, last int
	// level is how many questions of expressions about detectors are open.
	level int
	// answered says that the question has found something.
	answered bool
)

// maxLevels bounds them, with the text itself.
const maxLevels = 4

const badArgument = 7 // of package expr

func detector(d, what int) int { return int(Detectors[d*DetectorSize+what]) }

// look finds what the detectors find in the value at hand, at the threshold or above,
// without overlaps and in the order of places. It returns how many there are or a code;
// [found] tells them.
func look(value string) int {
	beginFindings()
	if !HasDetectors || value == "" {
		return 0
	}
	text, ok := plainText(value)
	if !ok {
		return TooLarge
	}
	beginFindings()
	nearForget()
	find.Begin(text)
	if HasMutes {
		for i := range Mutes {
			find.Mute(int(Mutes[i]))
		}
	}
	hunted++
	if hunted <= 0 {
		hunted = 1
		for i := range RefusedRound {
			RefusedRound[i] = 0
		}
	}
	hushed := -1
	for pos := find.Next(); pos >= 0; pos = find.Next() {
		for i := range find.Count {
			d := int(find.HitPattern[i])
			// Before anything is asked about a match: could it reach the floor?
			if HasBoost && detector(d, DetectorFlags)&FlagShy != 0 && !isNear(d) && !nearMay(text, pos, d) {
				if hushed != nearHigh {
					hushed = nearHigh
					hush(text, pos)
				}
				continue
			}
			tried, last = 0, -1
			if HasConditions && RefusedRound[d] == hunted {
				tried, last = int(RefusedTried[d]), int(RefusedLast[d])
			}
			if next := consider(d, text, pos, int(find.HitEnd[i])); next >= 0 {
				find.Skip(d, next)
			}
			if full {
				return TooLarge
			}
			if HasConditions && last >= 0 {
				RefusedRound[d], RefusedTried[d], RefusedLast[d] = hunted, int32(tried), int32(last)
			}
		}
	}
	return endFindings()
}

// hush passes over what is not worth while to find: in the stretch of the text that was
// surveyed, matches that only context could lift to the floor, of detectors for which
// there is none.
func hush(text string, pos int) {
	end := nearHigh // of the places whose context lies in the stretch
	if end < len(text) {
		end -= nearBytes + find.Reach - 1
	}
	if end-pos < 2*find.Reach {
		return
	}
	for i := range Shies {
		if d := int(Shies[i]); !isNear(d) && !nearMay(text, pos, d) {
			find.Pass(d, end)
		}
	}
}

// consider looks at a match of a detector, and at shorter ones from the same place if
// the check refuses it. It returns where the next may begin, or -1 if that does not
// change.
func consider(d int, text string, whole, wholeEnd int) int {
	boost, best, floor := detector(d, DetectorBoost), detector(d, DetectorChecked)+detector(d, DetectorRaise), detector(d, DetectorFloor)
	for {
		start, end := find.Span(d, whole, wholeEnd)
		// Context is cheaper than a check. Where only context could lift the match to the
		// floor and there is none, nothing is lost by passing on.
		near := HasBoost && boost > 0 && (level == 0 && isNear(d) || nearHas(text, start, end, d))
		if !near {
			boost = 0
		}
		if best+boost < floor {
			return -1
		}
		confidence, verdict := judge(d, text, whole, wholeEnd, start, end)
		if verdict != isRefused {
			// A part of what was suppressed is not another one.
			if confidence = min(max(confidence+boost, 0), 1000); verdict == isAccepted && confidence >= floor && start < end {
				if level > 0 {
					answered = true
				} else {
					addFinding(d, whole, start, end, confidence)
				}
			}
			return max(end, whole+1)
		}
		// A shorter match from the same place may hold, or one that begins a character
		// later.
		if whole >= last {
			tried, last = 0, wholeEnd
		}
		if tried += wholeEnd - whole + tryCost; tried > maxTried {
			return last
		}
		shorter := wholeEnd - 1
		if shorter <= whole {
			return -1
		}
		if wholeEnd = find.Longest(d, whole, shorter); wholeEnd < 0 {
			return -1
		}
		boost = detector(d, DetectorBoost)
	}
}

// Text scans Value as a text that is no field: checks and suppressions see neither a name
// nor a value. It returns the number of findings or a code. Rows: detector, start, end,
// confidence.
func Text() int {
	if !HasDetectors {
		return 0
	}
	text := Value
	clearField()
	begin()
	n := look(text)
	OutAt, OutLen = findingsAt, findingSize*max(n, 0)
	return n
}

// Ask answers what an expression asks of a detector: is the whole text what it looks for,
// or else does it find something. The code is that of package expr.
func Ask(detector int, text string, whole bool) (value bool, code int) {
	if detector < 0 || level == maxLevels-1 {
		return false, badArgument
	}
	// The evaluation that asks goes on afterwards: all that it has stays.
	fuel, top, base := rt.Fuel, rt.Top, rt.Base
	form, ok := plainNested(text)
	if !ok {
		return false, 0 // it has used up its budget
	}
	rt.Base = rt.Top
	level++
	outer := find.Swap(form)
	if whole {
		if wholeEnd := find.Longest(detector, 0, len(form)); wholeEnd >= 0 {
			if start, end := find.Span(detector, 0, wholeEnd); start == 0 && end == len(form) {
				_, verdict := judge(detector, form, 0, wholeEnd, start, end)
				value = verdict == isAccepted
			}
		}
	} else {
		value = finds(detector, form)
	}
	find.Swap(outer)
	level--
	rt.Fuel, rt.Top, rt.Base = fuel, top, base
	if HasConditions {
		setMatch()
	}
	return value, 0
}

// finds reports whether a detector alone finds something in a text at the threshold or
// above.
func finds(d int, text string) bool {
	from, spare, deep, seen := find.From[d], find.Spare[d], find.Deep[d], find.Tried[d]
	t, l := tried, last
	tried, last, answered = 0, -1, false
	nearForget()
	find.Fresh(d)
	yes := false
	for at := 0; at < len(text); {
		whole, end := find.Leftmost(d, at)
		if whole < 0 {
			break
		}
		next := consider(d, text, whole, end)
		if yes = answered; yes {
			break
		}
		_, width := utf8.DecodeRuneInString(text[whole:])
		at = max(at, next, whole+width)
	}
	answered = false
	nearForget()
	tried, last = t, l
	find.From[d], find.Spare[d], find.Deep[d], find.Tried[d] = from, spare, deep, seen
	return yes
}
