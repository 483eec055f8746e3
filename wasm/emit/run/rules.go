package run

// The rules and atoms. Rules are numbered in the order of their ids, so that of two the
// lower number comes first.
var (
	Atoms, Rules int // how many there are
	// RuleSays is, of each rule, its confidence, whether its category lies below system
	// times 1<<10, and where in Code its condition begins times 1<<11: 0 if it is that one
	// of its atoms holds.
	RuleSays     []uint32
	RuleCategory []uint16
	// Waits are the rules that atoms call: those of atom i from WaitsAt[i] to WaitsAt[i+1].
	Waits     []uint16
	WaitsAt   []uint32
	Always    []uint16 // rules that all fields meet
	Code      []uint16 // conditions, see below
	HasRules  bool
	HasSystem bool // one of them is about the machine
	HasCode   bool // a rule has a condition in Code
	HasRests  bool // a condition has a part that is evaluated
	// RestWords says that such a part reads the words of the name.
	RestWords bool
	// HasWordLists says that a condition compares the words of the name with a list.
	HasWordLists bool
)

// Room: a number for each atom, rule and category, in which round it was met; and the
// atoms that hold.
var (
	Stamps []int32
	Held   []uint16
)

// Code is a row of operations that leave a truth. A number of codeAtoms or more is the
// atom that is so many higher.
const (
	codeEnd     = 0
	codeTrue    = 1
	codeNot     = 2
	codeOpen    = 3 // a group of operands begins
	codeAll     = 4 // after an operand of &&: how much to skip if it decides
	codeAny     = 5 // after an operand of ||
	codeLastAll = 6 // after the last one
	codeLastAny = 7
	codeWords   = 8  // the words of the name are those from there to there
	codeOneOf   = 9  // how many atoms, of which one holds
	codeRest    = 10 // the number of a condition for Eval
	codeAtoms   = 16
)

// The truth of a condition. The && and || of CEL take an error for a third value.
const (
	isFalse = 0
	isTrue  = 1
	isError = 2
)

// tooMuch is what Eval returns if an evaluation used up its budget.
const tooMuch = 1 + 8

var (
	round int32 // the call at hand
	held  int   // how many atoms hold
)

// nextRound forgets what was met.
func nextRound() {
	held, votes = 0, 0
	if round++; round <= 0 {
		round = 1
		for i := range Stamps {
			Stamps[i] = 0
		}
	}
}

// first reports whether something was not met before in this round.
func first(stamp int) bool {
	was := Stamps[stamp]
	Stamps[stamp] = round
	return was != round
}

// hold notes that an atom holds.
func hold(atom int) {
	if first(atom) {
		Held[held] = uint16(atom)
		held++
	}
}

// askRules asks all rules that can hold.
func askRules() {
	for i := range Always {
		ask(int(Always[i]))
	}
	for i := range held {
		atom := int(Held[i])
		for j := WaitsAt[atom]; j < WaitsAt[atom+1]; j++ {
			ask(int(Waits[j]))
		}
	}
}

// ask notes what a rule says if it holds.
func ask(rule int) {
	if at := int(RuleSays[rule] >> 11); !first(Atoms+rule) || HasCode && at != 0 && !holds(at) {
		return
	}
	claim(int(RuleCategory[rule]), int(RuleSays[rule]&0x3ff), rule+1)
}

// holds evaluates a condition.
func holds(at int) bool {
	t, failed := isFalse, uint32(0) // failed: a bit for each open group, the innermost lowest
	for {
		op := int(Code[at])
		at++
		switch op {
		case codeEnd:
			return t == isTrue
		case codeTrue:
			t = isTrue
		case codeNot:
			if t != isError {
				t ^= 1
			}
		case codeOpen:
			failed <<= 1
		case codeAll, codeAny, codeLastAll, codeLastAny:
			skip := 0
			if op <= codeAny {
				skip = int(Code[at])
				at++
			}
			switch {
			case t == op&1: // it decides, whatever the others are
				at += skip
			case op <= codeAny:
				failed |= uint32(t >> 1)
				continue
			case failed&1 == 1:
				t = isError
			}
			failed >>= 1
		case codeWords:
			t = isFalse
			if HasWordLists && wordsAre(int(Code[at]), int(Code[at+1])) {
				t = isTrue
			}
			at += 2
		case codeOneOf:
			n := int(Code[at])
			t = oneOf(at+1, at+1+n)
			at += 1 + n
		case codeRest:
			if HasRests {
				prepare()
				if RestWords {
					needWords()
				}
				if t = Eval(int(Code[at])); t == tooMuch {
					return false
				}
				t = min(t, isError)
			}
			at++
		default:
			t = isFalse
			if Stamps[op-codeAtoms] == round {
				t = isTrue
			}
		}
	}
}

// oneOf is the truth that one of the atoms of Code[from:to] holds, which are in order. A
// field has fewer atoms than a list has words.
func oneOf(from, to int) int {
	for i := range held {
		atom := Held[i]
		lo, hi := from, to
		for lo < hi {
			if mid := (lo + hi) >> 1; Code[mid] < atom {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if lo < to && Code[lo] == atom {
			return isTrue
		}
	}
	return isFalse
}

// ForgetRules empties what is filled in, so that it counts as written.
func ForgetRules() {
	Autos, Auto8, Auto16, Auto32, AutoTexts = Autos[:0], Auto8[:0], Auto16[:0], Auto32[:0], 0
	AutoTables, AutoBack, AutoPrograms = false, false, false
	ProgramHere, ProgramNext, ProgramStack, ProgramSeen = ProgramHere[:0], ProgramNext[:0], ProgramStack[:0], ProgramSeen[:0]
	Atoms, Rules, RuleSays, RuleCategory = 0, 0, RuleSays[:0], RuleCategory[:0]
	Waits, WaitsAt, Always, Code, Stamps, Held = Waits[:0], WaitsAt[:0], Always[:0], Code[:0], Stamps[:0], Held[:0]
	HasRules, HasSystem, HasCode, HasRests, RestWords, HasWordLists = false, false, false, false, false, false
	ReadsNames, ReadsTexts, ReadsTags, ReadsContext = false, 0, false, false
	Categories, CategoryKeys, CategoryAt = 0, CategoryKeys[:0], CategoryAt[:0]
	Votes, Voted = Votes[:0], Voted[:0]
}
