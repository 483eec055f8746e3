package emit

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/rules"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/wasm/emit/run"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// ruleStates bounds the automata of what rules ask about texts. Expressions that need
// more are followed instruction by instruction.
const ruleStates = 4096

// The operations of run.Code.
const (
	codeEnd = iota
	codeTrue
	codeNot
	codeOpen
	codeAll
	codeAny
	codeLastAll
	codeLastAny
	codeWords
	codeOneOf
	codeRest

	codeAtoms = 16
)

// maxOpen is how many groups of a condition may be open in each other.
const maxOpen = 32

// The bounds of what rules make.
const (
	maxAtoms = math.MaxUint16 - codeAtoms
	maxRules = math.MaxUint16 - 1
	maxCode  = 1 << 21
)

// index takes the conditions of the rules apart.
func (p *plan) index() *rules.Index {
	conditions := make([]*expr.Program, len(p.rules))
	for i := range p.rules {
		conditions[i] = p.rules[i].When
	}
	return rules.New(conditions)
}

// addRules makes the tables of categories and rules. It returns the atoms that words of
// the name are. What rules ask about texts comes with [plan.addPatterns].
func (p *plan) addRules() (wordAtoms map[string]int, err error) {
	var keys []byte
	places := []uint32{0}
	for _, k := range p.categories {
		keys = append(keys, k.Key...)
		places = append(places, uint32(len(keys)))
	}
	p.run.Scalar("Categories", len(p.categories))
	p.run.Bytes("CategoryKeys", 1, keys)
	p.run.Uint32("CategoryAt", places)

	x := p.index()
	if x.Atoms > maxAtoms || len(p.rules) > maxRules || len(p.categories) > math.MaxUint16 {
		return nil, fmt.Errorf("emit: rules ask about %d texts and words, of %d rules and %d categories: a module has room for %d, %d and %d: use fewer",
			x.Atoms, len(p.rules), len(p.categories), maxAtoms, maxRules, math.MaxUint16)
	}
	p.run.Scalar("Atoms", x.Atoms)
	p.run.Scalar("Rules", len(p.rules))
	p.run.Room("Stamps", 4, x.Atoms+len(p.rules)+len(p.categories))
	p.run.Room("Held", 2, x.Atoms)
	p.run.Room("Votes", binary.Size(run.Vote{}), len(p.categories))
	p.run.Room("Voted", 2, len(p.categories))

	c := &coder{plan: p, code: []uint16{codeEnd}, placed: map[string]int{}, lists: map[string]int{}}
	var says []uint32
	var categories []uint16
	var problems []error
	for i := range p.rules {
		r := &p.rules[i]
		at := 0
		if !x.Rules[i].Simple {
			if at, err = c.rule(&x.Rules[i]); err != nil {
				problems = append(problems, fmt.Errorf("emit: rule %s: %w", r.ID, err))
			}
		}
		k := p.category(r.Category)
		if k < 0 || r.Confidence > 1000 {
			problems = append(problems, fmt.Errorf("emit: rule %s: its category or confidence is none: check the bundle with privet check", r.ID))
		}
		system := 0
		if profile.Under(r.Category, "system") {
			system, p.system = 1, true
		}
		says = append(says, uint32(int(r.Confidence)|system<<10|at<<11))
		categories = append(categories, uint16(k))
	}
	if len(c.code) > maxCode {
		problems = append(problems, fmt.Errorf("emit: the conditions of all rules are %d operations long, and a module has room for %d: use fewer or shorter ones", len(c.code), maxCode))
	}
	var waits, always []uint16
	waitsAt := []uint32{0}
	for _, list := range x.Waiting {
		for _, r := range list {
			waits = append(waits, uint16(r))
		}
		waitsAt = append(waitsAt, uint32(len(waits)))
	}
	for _, r := range x.Always {
		always = append(always, uint16(r))
	}
	p.run.Uint32("RuleSays", says)
	p.run.Uint16("RuleCategory", categories)
	p.run.Uint16("Waits", waits)
	p.run.Uint32("WaitsAt", waitsAt)
	p.run.Uint16("Always", always)
	p.run.Uint16("Code", c.code)
	p.run.Uint16("WordIDs", c.ids)
	p.run.Scalar("HasWordLists", number(len(c.lists) > 0))
	p.run.Scalar("HasSystem", number(p.system))
	p.run.Scalar("HasRules", number(len(p.rules) > 0))
	p.run.Scalar("HasCode", number(len(c.code) > 1))
	p.run.Scalar("HasRests", number(c.rests))

	// What conditions read: of rules the rests, of matches everything.
	reads := c.reads
	note := func(program *expr.Program) {
		if program != nil {
			for slot, is := range program.Vars() {
				if is {
					reads |= 1 << slot
				}
			}
		}
	}
	named := len(x.Words) > 0
	for i := range p.detectors {
		note(p.detectors[i].Check)
		named = named || len(p.detectors[i].Context) > 0
	}
	for i := range p.cl.Suppress {
		note(p.cl.Suppress[i].When)
	}
	for i := range p.cl.Adjust {
		note(p.cl.Adjust[i].When)
	}
	texts := 0
	for slot, v := range profile.Field.Vars {
		if v.Type == expr.TString {
			texts |= 1 << slot
		}
	}
	p.run.Scalar("ReadsNames", number(named))
	p.run.Scalar("RestWords", c.reads>>profile.FieldWords&1)
	p.run.Scalar("ReadsTexts", reads&texts)
	p.run.Scalar("ReadsTags", reads>>profile.FieldTags&1)
	p.run.Scalar("ReadsContext", reads>>profile.FieldContext&1)

	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	wordAtoms = map[string]int{}
	for w, a := range x.Words {
		wordAtoms[w] = int(a)
	}
	return wordAtoms, nil
}

// What is wrong with patterns that cannot be automata.
var (
	errCharacters = errors.New("tells more kinds of characters apart than fit into one table: use fewer classes of characters")
	errLong       = errors.New("is too long for a module: use fewer repetitions")
)

// asking lists the rules that ask for an atom.
func (p *plan) asking(x *rules.Index, atom uint32) string {
	var ids []string
	for i := range p.rules {
		if asks(&x.Rules[i].Root, atom) {
			ids = append(ids, p.rules[i].ID)
		}
	}
	const most = 8
	if len(ids) > most {
		ids = append(ids[:most], fmt.Sprintf("%d more", len(ids)-most))
	}
	return strings.Join(ids, ", ")
}

func asks(f *rules.Formula, atom uint32) bool {
	return f.Op == rules.Atom && f.Atom == int32(atom) || slices.ContainsFunc(f.Kids, func(k rules.Formula) bool { return asks(&k, atom) })
}

// addPatterns makes the automata of what rules ask about texts, and of the patterns of
// matches in conditions.
func (p *plan) addPatterns(patterns []string) error {
	a := autos{packer: &p.packer}
	var problems []error
	x := p.index()
	for i := range x.Texts {
		t, from, states := &x.Texts[i], len(a.rows), a.states
		if atom, err := a.take(t.Exprs, t.Atoms, t.Slot, t.Lower); err != nil {
			problems = append(problems, fmt.Errorf("emit: rules %s: what they ask about %s %w", p.asking(x, atom), profile.Field.Vars[t.Slot].Name, err))
		}
		p.automata = append(p.automata, Automaton{Name: "rules: " + profile.Field.Vars[t.Slot].Name, Patterns: len(t.Exprs), Groups: len(a.rows) - from, States: a.states - states})
	}
	a.texts = len(a.rows)
	states := a.states
	for _, pattern := range patterns {
		if _, err := a.take([]string{pattern}, []uint32{0}, 0, false); err != nil {
			problems = append(problems, fmt.Errorf("emit: the pattern %.80q of matches %w", pattern, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if len(patterns) > 0 {
		p.automata = append(p.automata, Automaton{Name: "matches in conditions", Patterns: len(patterns), Groups: len(a.rows) - a.texts, States: a.states - states})
	}
	a.fill(p.run)
	return nil
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A coder makes run.Code.
type coder struct {
	plan   *plan
	code   []uint16
	placed map[string]int // by content
	rests  bool
	reads  int // a bit for each variable that rests read
	ids    []uint16
	lists  map[string]int // where in ids a list is

	program *expr.Program
	own     []uint16
	err     error
}

// rule makes the code of a rule and returns where it begins.
func (c *coder) rule(r *rules.Rule) (at int, err error) {
	c.program, c.own, c.err = r.When, nil, nil
	if depth(&r.Root) > maxOpen {
		c.rest(len(r.When.Nodes) - 1)
	} else {
		c.formula(&r.Root)
	}
	c.put(codeEnd)
	if c.err != nil {
		return 0, c.err
	}
	key := fmt.Sprint(c.own)
	at, ok := c.placed[key]
	if !ok {
		at = len(c.code)
		c.placed[key] = at
		c.code = append(c.code, c.own...)
	}
	return at, nil
}

// depth is how many groups of a formula are open in each other.
func depth(f *rules.Formula) int {
	n := 0
	for i := range f.Kids {
		n = max(n, depth(&f.Kids[i]))
	}
	if f.Op == rules.Any || f.Op == rules.All {
		n++
	}
	return n
}

// put appends numbers, which fit if the code is not refused.
func (c *coder) put(numbers ...int) {
	for _, n := range numbers {
		if n > math.MaxUint16 {
			c.err = errors.New("its condition is too long for a module: use a shorter one")
		}
		c.own = append(c.own, uint16(n))
	}
}

// rest asks for a part of the condition that is evaluated.
func (c *coder) rest(node int) {
	n, err := c.plan.condition(c.program, node, profile.Field)
	if err != nil {
		c.err = cmp.Or(c.err, err)
	}
	c.rests = true
	rules.Reads(c.program, node, func(slot int) bool { c.reads |= 1 << slot; return false })
	c.put(codeRest, n)
}

// words compares the words of the name with a list.
func (c *coder) words(list []string) {
	key := fmt.Sprintf("%q", list)
	from, ok := c.lists[key]
	if !ok {
		from = len(c.ids)
		c.lists[key] = from
		for _, w := range list {
			c.ids = append(c.ids, uint16(c.plan.word(w)))
		}
	}
	c.put(codeWords, from, from+len(list))
}

func (c *coder) formula(f *rules.Formula) {
	switch f.Op {
	case rules.Atom:
		c.put(codeAtoms + int(f.Atom))
	case rules.True:
		c.put(codeTrue)
	case rules.Not:
		c.formula(&f.Kids[0])
		c.put(codeNot)
	case rules.OneOf:
		c.put(codeOneOf, len(f.IDs))
		for _, id := range f.IDs {
			c.put(int(id))
		}
	case rules.Words:
		c.words(f.List)
	case rules.Rest:
		c.rest(int(f.Node))
	case rules.Any, rules.All:
		c.group(f)
	}
}

func (c *coder) group(f *rules.Formula) {
	op, last := codeAll, codeLastAll
	if f.Op == rules.Any {
		op, last = codeAny, codeLastAny
	}
	switch len(f.Kids) {
	case 0: // none is false, all are true
		c.put(codeTrue)
		if f.Op == rules.Any {
			c.put(codeNot)
		}
		return
	case 1:
		c.formula(&f.Kids[0])
		return
	}
	c.put(codeOpen)
	var skips []int
	for i := range f.Kids {
		c.formula(&f.Kids[i])
		if i == len(f.Kids)-1 {
			c.put(last)
			break
		}
		c.put(op, 0)
		skips = append(skips, len(c.own))
	}
	for _, at := range skips {
		skip := len(c.own) - at
		if skip > math.MaxUint16 {
			c.put(skip) // says so
			return
		}
		c.own[at-1] = uint16(skip)
	}
}

// An autos collects automata for package run.
type autos struct {
	rows  []run.Auto
	tails []autoTail
	texts int // how many are of texts
	most  int // instructions of the longest program

	packer      *tables.Packer
	states      int
	back, loose bool
}

// An autoTail is what a row has to refer to.
type autoTail struct {
	classes []byte
	ranges  []uint32
	accept  [][]uint16
	program bool
}

// take takes in expressions, which are known by ids. What together tells too many kinds
// of characters apart for one table is split. The error comes with the id of one
// expression that cannot be taken.
func (a *autos) take(exprs []string, ids []uint32, slot int, lower bool) (id uint32, err error) {
	half, length := len(exprs)/2, 0
	for _, e := range exprs {
		length += len(e)
	}
	var f *scan.Frozen
	if half == 0 || length <= mostLength {
		f = scan.Freeze(scan.NewSet(exprs, ids, lower), ruleStates)
	}
	switch {
	case f != nil && (half == 0 || len(f.Loose) < 2):
		return a.add(f, slot, ids)
	case half == 0:
		return ids[0], errCharacters
	}
	if id, err = a.take(exprs[:half], ids[:half], slot, lower); err != nil {
		return id, err
	}
	return a.take(exprs[half:], ids[half:], slot, lower)
}

// mostLength is how many bytes expressions may have that are tried as one automaton. With
// more there are too many states nearly always, and finding that out takes long.
const mostLength = 4 * ruleStates

// add takes in the automata of a frozen set.
func (a *autos) add(f *scan.Frozen, slot int, ids []uint32) (id uint32, err error) {
	for _, t := range f.Groups {
		row := run.Auto{Slot: byte(slot), Last: uint16(t.Classes - 1), Begin: t.Begin[0], Events: uint16(t.Events)}
		tail := autoTail{classes: t.Class[:len(t.Class)-1], ranges: f.Alphabet.Ranges}
		for _, list := range t.Accept {
			accept := []uint16{uint16(len(list))}
			for _, id := range list {
				accept = append(accept, uint16(id))
			}
			tail.accept = append(tail.accept, accept)
		}
		if s := t.Next[int(t.Begin[0])*t.Classes+t.Classes-1]; t.Begin[0] == 0 || s == 0 || int(s) > t.Events {
			row.Flags |= run.AutoQuiet
		}
		if t.Back {
			row.Flags |= run.AutoIsBack
			a.back = true
		}
		row.Rows = uint32(a.packer.Add(t.Next, t.Classes))
		a.states += t.States
		a.rows, a.tails = append(a.rows, row), append(a.tails, tail)
	}
	for _, e := range f.Loose {
		program := f.Program(e)
		if program == nil {
			return ids[e], errLong
		}
		row, tail := run.Auto{Slot: byte(slot), Flags: run.AutoIsProgram}, autoTail{ranges: f.Alphabet.Ranges, program: true, accept: [][]uint16{{1, uint16(ids[e])}}}
		if program.Back {
			row.Flags |= run.AutoIsBack
		}
		tail.classes = program.Image()
		a.most, a.loose = max(a.most, len(program.Insts)), true
		a.rows, a.tails = append(a.rows, row), append(a.tails, tail)
	}
	return 0, nil
}

// fill makes the tables of all automata.
func (a *autos) fill(t *tables.Tables) {
	size := binary.Size(run.Auto{})
	out := make([]byte, size*len(a.rows))
	placed := map[string]int{}
	place := func(b []byte, align int) uint32 {
		if at, ok := placed[string(b)]; ok && at%align == 0 {
			return uint32(at)
		}
		for len(out)%align != 0 {
			out = append(out, 0)
		}
		at := len(out)
		placed[string(b)] = at
		out = append(out, b...)
		return uint32(at)
	}
	words := func(list []uint32) (b []byte) {
		for _, n := range list {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		return b
	}
	for i := range a.rows {
		row, tail := &a.rows[i], &a.tails[i]
		align := 1
		if tail.program {
			align = 4
		}
		row.Classes = place(tail.classes, align)
		row.Ranges = place(words(append([]uint32{uint32(len(tail.ranges))}, tail.ranges...)), 4) / 4
		if i >= a.texts {
			continue // only whether it matches counts
		}
		var lists []uint32
		for _, list := range tail.accept {
			var b []byte
			for _, n := range list {
				b = binary.LittleEndian.AppendUint16(b, n)
			}
			lists = append(lists, place(b, 2)/2)
		}
		if tail.program {
			row.Accept = lists[0]
		} else {
			row.Accept = place(words(lists), 4) / 4
		}
	}
	for i := range a.rows {
		_, _ = binary.Encode(out[size*i:], binary.LittleEndian, &a.rows[i]) // there is room
	}
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	t.Data = append(t.Data, &asm.Data{Name: t.Package + ".data.Auto8", Bytes: out, Size: len(out), Align: 4, Const: true})
	t.View("Auto8", "Autos", size, 0, len(a.rows))
	t.View("Auto8", "Auto8", 1, 0, len(out))
	t.View("Auto8", "Auto16", 2, 0, len(out)/2)
	t.View("Auto8", "Auto32", 4, 0, len(out)/4)
	t.Scalar("AutoTexts", a.texts)
	t.Scalar("AutoTables", number(a.states > 0))
	t.Scalar("AutoBack", number(a.back))
	t.Scalar("AutoPrograms", number(a.loose))
	for _, name := range []string{"ProgramHere", "ProgramNext", "ProgramStack"} {
		t.Room(name, 2, a.most)
	}
	t.Room("ProgramSeen", 4, a.most)
}
