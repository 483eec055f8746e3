package gentables

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// A state of the one automaton that all languages share. Languages are finite sets
// of digit texts, so there is no loop, and two states that accept the same rests are
// one: states are only made by [automaton.state], which looks for an equal one.
type state struct {
	accept bool
	next   [10]int32 // 0 leads nowhere
}

// An automaton holds the states; state 0 accepts nothing. The first error stays, and
// what is made after it means nothing.
type automaton struct {
	states []state
	index  map[state]int32
	err    error
}

func newAutomaton() *automaton {
	return &automaton{states: make([]state, 1), index: map[state]int32{{}: 0}}
}

func (a *automaton) fail(format string, arguments ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("gentables: "+format, arguments...)
	}
}

func (a *automaton) state(s state) int32 {
	id, ok := a.index[s]
	if !ok {
		id = int32(len(a.states))
		a.states, a.index[s] = append(a.states, s), id
	}
	return id
}

// walk is the state that text leads to from id.
func (a *automaton) walk(id int32, text string) int32 {
	for i := range len(text) {
		id = a.states[id].next[text[i]-'0']
	}
	return id
}

// combine makes the language of all texts for which keep says yes, from which of
// the languages hold the text.
func (a *automaton) combine(keep func(held []bool) bool, languages ...int32) int32 {
	memo := map[string]int32{}
	var build func(at []int32) int32
	build = func(at []int32) int32 {
		if !slices.ContainsFunc(at, func(id int32) bool { return id != 0 }) {
			return 0
		}
		key := fmt.Sprint(at)
		if id, ok := memo[key]; ok {
			return id
		}
		held := make([]bool, len(at))
		for i, id := range at {
			held[i] = a.states[id].accept
		}
		s := state{accept: keep(held)}
		for c := range s.next {
			to := make([]int32, len(at))
			for i, id := range at {
				to[i] = a.states[id].next[c]
			}
			s.next[c] = build(to)
		}
		memo[key] = a.state(s)
		return memo[key]
	}
	return build(languages)
}

func (a *automaton) union(languages ...int32) int32 {
	return a.combine(func(held []bool) bool { return slices.Contains(held, true) }, languages...)
}

func (a *automaton) intersect(languages ...int32) int32 {
	return a.combine(func(held []bool) bool { return !slices.Contains(held, false) }, languages...)
}

// lengths is the language of all digit texts whose length is wanted.
func (a *automaton) lengths(wanted func(n int) bool) int32 {
	id := int32(0)
	for n := maxDigits; n >= 0; n-- {
		s := state{accept: wanted(n)}
		for c := range s.next {
			s.next[c] = id
		}
		id = a.state(s)
	}
	return id
}

// upTo is the language of all digit texts of n digits at most.
func (a *automaton) upTo(n int) int32 {
	return a.lengths(func(length int) bool { return length <= n })
}

// prefixed is language behind digits.
func (a *automaton) prefixed(digits string, language int32) int32 {
	for i := len(digits) - 1; i >= 0; i-- {
		var s state
		s.next[digits[i]-'0'] = language
		language = a.state(s)
	}
	return language
}

// visit calls do once for every state that can be reached from roots, each before
// the ones that it leads to first.
func (a *automaton) visit(roots []int32, do func(id int32)) {
	seen := map[int32]bool{0: true}
	var walk func(id int32)
	walk = func(id int32) {
		if seen[id] {
			return
		}
		seen[id] = true
		do(id)
		for _, to := range a.states[id].next {
			walk(to)
		}
	}
	for _, id := range roots {
		walk(id)
	}
}

// compile parses a pattern of the metadata.
func compile(pattern string) (*syntax.Prog, error) {
	// Written over several lines in the source of the metadata.
	parsed, err := syntax.Parse(strings.Join(strings.Fields(pattern), ""), syntax.Perl)
	if err != nil {
		return nil, err
	}
	return syntax.Compile(parsed.Simplify())
}

// A thread is one way through the program of a prefix pattern.
type thread struct {
	pc   uint32
	rest int32 // the state of the language behind the prefix; only moves when the text is kept
	keep bool  // inside the group whose text is kept
	end  bool  // nothing may follow
	past bool  // behind the prefix
}

// matching is the language of the texts that the whole pattern matches.
func (a *automaton) matching(pattern string) int32 {
	return a.behind(pattern, "", a.state(state{accept: true})) // behind it stands the empty text
}

// maxDigits bounds how deep a language goes: patterns may repeat without end.
const maxDigits = 20

// behind is the language of the texts that begin with a match of pattern, in any of
// the ways in which it matches, and whose rest is in language. When rule is given,
// and the last group of pattern took part in the match, then the match is replaced by
// rule: some digits and the group's text. This is how the metadata describe trunk
// prefixes, codes of carriers and numbers without area code.
func (a *automaton) behind(pattern, rule string, language int32) int32 {
	prog, err := compile(pattern)
	if err != nil {
		a.fail("pattern %q: %w", pattern, err)
		return 0
	}
	group, literal := uint32(0), ""
	if rule != "" {
		group = uint32(prog.NumCap/2 - 1)
		var found bool
		if literal, found = strings.CutSuffix(rule, fmt.Sprintf("$%d", group)); !found {
			a.fail("rule %q of pattern %q: not digits and the last group", rule, pattern)
			return 0
		}
	}
	// closure adds what is reached without a digit.
	closure := func(list []thread) []thread {
		seen := map[thread]bool{}
		var out []thread
		var add func(t thread)
		add = func(t thread) {
			if seen[t] {
				return
			}
			seen[t] = true
			if t.past {
				if t.rest != 0 {
					out = append(out, t)
				}
				return
			}
			switch in := prog.Inst[t.pc]; in.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				left, right := t, t
				left.pc, right.pc = in.Out, in.Arg
				add(left)
				add(right)
			case syntax.InstCapture:
				t.pc = in.Out
				if group > 0 && in.Arg == 2*group {
					t.keep, t.rest = true, a.walk(language, literal)
				} else if group > 0 && in.Arg == 2*group+1 {
					t.keep = false
				}
				add(t)
			case syntax.InstNop:
				t.pc = in.Out
				add(t)
			case syntax.InstEmptyWidth:
				if syntax.EmptyOp(in.Arg) != syntax.EmptyEndText {
					a.fail("pattern %q: an assertion that is not the end", pattern)
				}
				t.pc, t.end = in.Out, true
				add(t)
			case syntax.InstMatch:
				add(thread{rest: t.rest, end: t.end, past: true})
			case syntax.InstFail:
			default:
				out = append(out, t)
			}
		}
		for _, t := range list {
			add(t)
		}
		slices.SortFunc(out, func(x, y thread) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		return out
	}
	memo := map[string]int32{}
	var build func(at []thread, depth int) int32
	build = func(at []thread, depth int) int32 {
		if at = closure(at); len(at) == 0 || depth > maxDigits {
			return 0
		}
		key := fmt.Sprint(depth, at)
		if id, ok := memo[key]; ok {
			return id
		}
		var s state
		for _, t := range at {
			s.accept = s.accept || t.past && a.states[t.rest].accept
		}
		for c := range s.next {
			var to []thread
			for _, t := range at {
				if t.end {
					continue
				}
				if t.past {
					t.rest = a.states[t.rest].next[c]
				} else {
					in := prog.Inst[t.pc]
					if !in.MatchRune(rune('0' + c)) {
						continue
					}
					t.pc = in.Out
					if t.keep {
						t.rest = a.states[t.rest].next[c]
					}
				}
				to = append(to, t)
			}
			s.next[c] = build(to, depth+1)
		}
		memo[key] = a.state(s)
		return memo[key]
	}
	return build([]thread{{pc: uint32(prog.Start), rest: language}}, 0)
}
