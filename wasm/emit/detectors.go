package emit

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/internal/words"
	"github.com/privetdev/privet/wasm/emit/find/findtables"
	"github.com/privetdev/privet/wasm/emit/run"
)

// automatonStates bounds the automaton of a detector. One that needs more is followed
// instruction by instruction.
const automatonStates = 4096

// mostRaise is as good as any higher number: what a match lacks is never more.
const mostRaise = 2000

// addDetectors makes the tables of detectors, and the conditions of their matches. It
// returns the context phrases of each, word by word.
func (p *plan) addDetectors() (phrases [][][]string, err error) {
	var problems []error
	fail := func(format string, a ...any) { problems = append(problems, fmt.Errorf("emit: "+format, a...)) }
	when := func(what string, program *expr.Program) uint16 {
		n, err := p.condition(program, len(program.Nodes)-1, profile.Match)
		switch {
		case err != nil:
			fail("%s: %w", what, err)
		case n >= math.MaxUint16:
			fail("%s: conditions are more than %d: use fewer rules, detectors and adjustments", what, math.MaxUint16)
		}
		return uint16(n + 1)
	}

	patterns := make([]*scan.Pattern, len(p.detectors))
	reads := make([][]bool, len(p.detectors)) // slots of variables
	lists := make([][]uint16, len(p.detectors))
	raise := make([]int, len(p.detectors))
	note := func(d int, program *expr.Program) {
		for slot, is := range program.Vars() {
			reads[d][slot] = reads[d][slot] || is
		}
	}
	rows := make([]uint16, run.DetectorSize*len(p.detectors))
	for i := range p.detectors {
		d := &p.detectors[i]
		what := "detector " + d.ID
		if patterns[i], err = scan.Compile(d.Pattern, d.CaseSensitive); err != nil {
			fail("%s: its pattern cannot be compiled: check the bundle with privet check", what)
		}
		row := rows[run.DetectorSize*i:]
		reads[i] = make([]bool, profile.MatchVars)
		if d.Check != nil {
			note(i, d.Check)
			row[run.DetectorCheck] = when(what, d.Check)
		}
		if k := p.category(d.Category); k < 0 {
			fail("%s: no category %s: check the bundle with privet check", what, d.Category)
		} else {
			row[run.DetectorCategory] = uint16(k)
		}
		row[run.DetectorBase], row[run.DetectorChecked], row[run.DetectorBoost], row[run.DetectorFloor] = d.Base, d.Checked, d.Boost, p.cl.Threshold
		if d.Floor > 0 {
			row[run.DetectorFlags] |= run.FlagOwnFloor
			if p.cl.Threshold > 0 {
				row[run.DetectorFloor] = d.Floor - 1
			}
		}
		var own [][]string
		for _, phrase := range d.Context {
			if list := split(phrase); len(list) > 0 {
				own = append(own, list)
			}
		}
		phrases = append(phrases, own)
	}
	// add puts a condition into the lists of the detectors that it is about.
	add := func(what string, ids []string, program *expr.Program, adds uint16) {
		for _, id := range ids {
			if p.detector(id) < 0 {
				fail("%s: no detector %s: check the bundle with privet check", what, id)
			}
		}
		n := when(what, program)
		for i := range p.detectors {
			if len(ids) == 0 || slices.Contains(ids, p.detectors[i].ID) {
				note(i, program)
				lists[i] = append(lists[i], n, adds)
				if adds != run.Suppressed {
					raise[i] = min(raise[i]+max(int(int16(adds)), 0), mostRaise)
				}
			}
		}
	}
	for i := range p.cl.Suppress {
		s := &p.cl.Suppress[i]
		add("suppression "+s.ID, s.Detectors, s.When, run.Suppressed)
	}
	for i := range p.cl.Adjust {
		a := &p.cl.Adjust[i]
		add("adjustment "+a.ID, a.Detectors, a.When, uint16(a.Add))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}

	var u *scan.FrozenUnion
	if len(patterns) > 0 {
		if u, err = scan.FreezePatterns(patterns, automatonStates); err != nil {
			return nil, p.refusedPatterns(patterns, err)
		}
	}
	captures := make([]bool, len(patterns))
	pool, placed := []uint16{0}, map[string]int{}
	var mutes, shies []uint16
	for i := range p.detectors {
		row := rows[run.DetectorSize*i:]
		row[run.DetectorRaise] = uint16(raise[i])
		if list := lists[i]; len(list) > 0 {
			key := fmt.Sprint(list)
			if placed[key] == 0 {
				placed[key] = len(pool)
				pool = append(append(pool, list...), 0)
			}
			row[run.DetectorList] = uint16(placed[key])
		}
		flag := func(n uint16, set bool) {
			if set {
				row[run.DetectorFlags] |= n
			}
		}
		best := int(row[run.DetectorChecked]) + raise[i]
		if best < int(row[run.DetectorFloor]) && patterns[i].Within(scan.Reach) {
			flag(run.FlagShy, true)
			shies = append(shies, uint16(i))
		}
		flag(run.FlagWords, reads[i][profile.FieldWords])
		flag(run.FlagDigits, reads[i][profile.MatchDigits])
		if reads[i][profile.MatchGroups] {
			program := u.Program(i)
			simple := program.Groups == 1 || program.Groups == 2 && program.Span == 1
			captures[i] = !simple
			flag(run.FlagGroups, true)
			flag(run.FlagSpan, program.Groups == 2 && simple)
			flag(run.FlagCaptures, captures[i])
		}
		// What cannot reach the floor is never found, but by is.
		if p.detectors[i].Muted || best+int(row[run.DetectorBoost]) < int(row[run.DetectorFloor]) {
			mutes = append(mutes, uint16(i))
		}
	}
	if len(pool) > math.MaxUint16 {
		return nil, errors.New("emit: the lists of suppressions and adjustments of all detectors are too long: let more detectors have the same ones, or use fewer")
	}
	if u != nil {
		p.find = findtables.Of(u, &p.packer, func(i int) bool { return captures[i] })
		a := Automaton{Name: "detectors", Patterns: len(patterns)}
		for _, t := range u.Tables {
			if t != nil {
				a.Groups, a.States = a.Groups+1, a.States+t.States
			}
		}
		p.automata = append(p.automata, a)
	}

	some := func(number int, of uint16) int {
		for i := number; i < len(rows); i += run.DetectorSize {
			if rows[i]&of != 0 {
				return 1
			}
		}
		return 0
	}
	const all = math.MaxUint16
	p.run.Scalar("HasDetectors", min(len(p.detectors), 1))
	p.run.Scalar("HasMutes", min(len(mutes), 1))
	p.run.Scalar("HasBoost", some(run.DetectorBoost, all))
	p.run.Scalar("HasConditions", some(run.DetectorCheck, all)|some(run.DetectorList, all))
	p.run.Scalar("HasLists", some(run.DetectorList, all))
	p.run.Scalar("HasFieldWords", some(run.DetectorFlags, run.FlagWords))
	p.run.Scalar("HasDigits", some(run.DetectorFlags, run.FlagDigits))
	p.run.Scalar("HasGroups", some(run.DetectorFlags, run.FlagGroups))
	p.run.Uint16("Detectors", rows)
	p.run.Uint16("Lists", pool)
	p.run.Uint16("Mutes", mutes)
	p.run.Uint16("Shies", shies)
	for _, name := range []string{"RefusedRound", "RefusedTried", "RefusedLast"} {
		p.run.Room(name, 4, len(p.detectors))
	}
	return phrases, nil
}

// split is the words of a phrase.
func split(phrase string) (list []string) {
	buf, ends := make([]byte, words.Room(len(phrase))), make([]int32, words.Max)
	from := int32(0)
	for _, to := range ends[:words.Split(phrase, buf, ends)] {
		list = append(list, string(buf[from:to]))
		from = to
	}
	return list
}

// refusedPatterns says with which detector patterns become too many for one table.
func (p *plan) refusedPatterns(patterns []*scan.Pattern, err error) error {
	low, high := 0, len(patterns)
	for low < high {
		mid := (low + high) / 2
		if _, err := scan.FreezePatterns(patterns[:mid+1], 1); err != nil {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return fmt.Errorf("emit: detector %s: with its pattern and those of the detectors before it: %w", p.detectors[min(low, len(patterns)-1)].ID, err)
}
