package run

import "github.com/privetdev/privet/internal/words"

// How far context reaches, as in package classify.
const (
	nearBytes = MaxAround // on either side of a match
	nearWords = 6
	reach     = 64  // how long matches are that nearMay is asked about
	surveyed  = 512 // how much further it looks than it must, at most
	atFirst   = 32  // and at first
	beyond    = 16  // how far beyond a stretch it takes to tell where its words end
)

// NearSets is room for sets of detectors, a bit each: those of which a context phrase
// stands in the names of the field, before the match that was asked about last, after
// it, and in the stretch of the text that was surveyed.
var NearSets []uint32

const (
	nearName = iota
	nearBefore
	nearAfter
	nearAround
	NearKinds // how many sets there are
)

var (
	nearRow           wordRow
	rowEnd            int // where the last word of nearRow ends in the text
	startAt, endAt    int // of which match nearBefore and nearAfter are known; -1: of none
	nearLow, nearHigh int // the stretch of nearAround
	further           int // how much further than it must nearMay looks
)

// nearForget must be called before another text is asked about.
func nearForget() {
	startAt, endAt = -1, -1
	nearLow, nearHigh, further = 0, -1, atFirst
}

func clearNear(set int) {
	n := len(NearSets) / NearKinds
	for i := set * n; i < set*n+n; i++ {
		NearSets[i] = 0
	}
}

func markNear(set, detector int) {
	NearSets[set*(len(NearSets)/NearKinds)+detector>>5] |= 1 << (detector & 31)
}

func inNear(set, detector int) bool {
	return NearSets[set*(len(NearSets)/NearKinds)+detector>>5]>>(detector&31)&1 == 1
}

// isNear reports whether a phrase of a detector's context stands in the names of the
// field.
func isNear(detector int) bool { return HasContext && inNear(nearName, detector) }

// nearMay reports whether a phrase of a detector's context can stand near a match of no
// more than 64 bytes that begins at start. Where it cannot, which is mostly so, one look
// serves all detectors and all matches of a stretch of the text.
func nearMay(text string, start, detector int) bool {
	if !HasContext {
		return false
	}
	from, to := max(start-nearBytes, 0), min(start+reach+nearBytes, len(text))
	if from < nearLow || to > nearHigh {
		// Where matches are rare, further is for nothing.
		if from <= nearHigh {
			further = min(2*further, surveyed)
		} else {
			further = atFirst
		}
		nearLow, nearHigh = from, min(to+further, len(text))
		survey(text, nearLow, nearHigh, rowWords)
		note(nearAround, 0)
	}
	return inNear(nearAround, detector)
}

// nearHas reports whether a phrase of a detector's context stands before or after
// text[start:end], word by word and whole, within 80 bytes and six words.
func nearHas(text string, start, end, detector int) bool {
	// Mostly no phrase of the detector is anywhere near, and that is known already.
	if !HasContext || end-start <= reach && !nearMay(text, start, detector) {
		return false
	}
	if startAt != start {
		startAt = start
		survey(text, max(start-nearBytes, 0), start, rowWords)
		if rowEnd > start {
			nearRow.n--
		}
		note(nearBefore, nearRow.n-nearWords)
	}
	if inNear(nearBefore, detector) {
		return true
	}
	if endAt != end {
		endAt = end
		survey(text, end, min(end+nearBytes, len(text)), nearWords)
		if rowEnd > end+nearBytes {
			nearRow.n--
		}
		note(nearAfter, 0)
	}
	return inNear(nearAfter, detector)
}

// survey reads the words that begin in text[from:to], no more than most. Of one that goes
// on far beyond only that is known: words and what separates them have no bound, and this
// is asked about each match.
func survey(text string, from, to, most int) {
	text = text[:min(to+beyond, len(text))]
	for n := 1; n < 4 && from > 0 && from < len(text) && text[from]&0xC0 == 0x80; n++ {
		from++ // to the next character
	}
	nearRow.n, rowEnd = words.Between(text, from, to, nearRow.text[:], nearRow.ends[:most])
}

// note marks the detectors of which a phrase stands in nearRow from a word on.
func note(set, first int) {
	clearNear(set)
	nearRow.mark(set, max(first, 0), nearRow.n, false)
}
