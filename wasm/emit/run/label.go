package run

// Room: what is known about each category, of which those count that are among the first
// of Voted.
var (
	Votes []Vote
	Voted []uint16
)

// A Vote is what is known about a category.
type Vote struct{ Named, Seen Support } // by rules, by detectors

// A Support is a confidence and 1 more than the rule or detector that it is of, 0 for
// none.
type Support struct{ Confidence, By int32 }

var votes int // how many categories have one

// vote is the vote for a category.
func vote(category int) *Vote {
	v := &Votes[category]
	if first(Atoms + Rules + category) {
		v.Named.Confidence, v.Named.By, v.Seen.Confidence, v.Seen.By = 0, 0, 0, 0
		Voted[votes] = uint16(category)
		votes++
	}
	return v
}

// claim notes what a rule says; rule is 1 more than its number.
func claim(category, confidence, rule int) {
	v := vote(category)
	v.Named.add(confidence, rule)
}

// see notes a finding.
func see(d, confidence int) {
	v := vote(detector(d, DetectorCategory))
	v.Seen.add(confidence, d+1)
	v.Seen.Confidence = max(v.Seen.Confidence, 1)
}

// add takes a confidence if it is higher than what is there, or the same by who comes
// first.
func (s *Support) add(confidence, by int) {
	if was := int(s.Confidence); s.By == 0 || confidence > was || confidence == was && by < int(s.By) {
		s.Confidence, s.By = int32(confidence), int32(by)
	}
}

// margin is by how much a rule may be less confident than the most confident one and
// still count beside it.
const margin = 100

// system reports whether the category of a rule lies below system.
func system(rule int) bool { return RuleSays[rule-1]>>10&1 == 1 }

// yield settles what the rules say among themselves: see package classify.
func yield() {
	best, personal := int32(0), false // personal: a rule is about a person
	for i := range votes {
		best = max(best, Votes[Voted[i]].Named.Confidence)
	}
	for i := range votes {
		n := &Votes[Voted[i]].Named
		if n.Confidence <= best-margin {
			n.Confidence, n.By = 0, 0
		} else if HasSystem && int(n.Confidence) >= Threshold && !system(int(n.By)) {
			personal = true
		}
	}
	if !HasSystem {
		return
	}
	for i := range votes {
		if n := &Votes[Voted[i]].Named; personal && n.By != 0 && system(int(n.By)) {
			n.Confidence, n.By = 0, 0
		}
	}
}

// label turns votes, and the findings that there are, into labels. It returns how many,
// or a code.
func label(findings int) int {
	count := 0
	for i := range votes {
		category := Voted[i]
		v := &Votes[category]
		named, seen := int(v.Named.Confidence), int(v.Seen.Confidence)
		confidence := max(named, seen)
		if HasDetectors && named > 0 && seen > 0 {
			confidence = 1000 - (1000-named)*(1000-seen)/1000
		}
		by := int(v.Seen.By)
		if v.Named.By == 0 && by == 0 || confidence < Threshold && (!HasDetectors || by == 0 || detector(by-1, DetectorFlags)&FlagOwnFloor == 0) {
			continue
		}
		// Into its place: the most confident first, then by category.
		v.Named.Confidence = int32(confidence)
		j := count
		for ; j > 0; j-- {
			other := Voted[j-1]
			if c := int(Votes[other].Named.Confidence) - confidence; c > 0 || c == 0 && other < category {
				break
			}
			Voted[j] = other
		}
		Voted[j] = category
		count++
	}
	OutAt, OutLen = workTop, rowSize*count
	if !Room(4 * (workTop + OutLen + 2*findings)) {
		return TooLarge
	}
	spans := 0
	for i := range count {
		category := int(Voted[i])
		v := &Votes[category]
		at := OutAt + rowSize*i
		row := Work32[at : at+rowSize]
		row[0], row[1], row[2], row[3], row[4] = int32(category), v.Named.Confidence, v.Named.By, v.Seen.By, int32(spans)
		if HasDetectors && v.Seen.By != 0 {
			for j := range findings {
				start, end, d, _ := found(j)
				if detector(d, DetectorCategory) == category {
					Work32[OutAt+OutLen], Work32[OutAt+OutLen+1] = int32(start), int32(end)
					OutLen += 2
					spans++
				}
			}
		}
		row[5] = int32(spans) - row[4]
	}
	return count
}

// rowSize is how many numbers a label has.
const rowSize = 6
