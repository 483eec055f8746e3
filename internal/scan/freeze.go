package scan

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// An automaton is made whole: all states that any text can lead to.
type automaton struct {
	stride int      // classes; the last is the end of the text
	next   []uint32 // by state and class
	hits   [][]uint32
	begin  [kindLine + 1]uint32
}

func (a *automaton) states() int { return len(a.hits) }

// determinise makes all states, in the order in which a search in breadth over classes
// finds them; nil if there are more than budget.
//
// What matched is told by the state that the next character leads to, because that may
// decide. If early, what no next character can change is told at once: otherwise each
// match would need a state for each way to go on.
func (p *part) determinise(budget int, early bool) *automaton {
	a := &automaton{stride: len(p.kinds)}
	type set struct {
		pcs  []uint32
		prev kind
		done bool     // nothing more can be told
		told []uint32 // ids that were told early
	}
	var sets []set
	sure := walker{seen: make([]uint32, len(p.insts))}
	byKey := map[string]uint32{}
	var key []byte
	state := func(pcs, hits []uint32, prev kind, done, begin bool) uint32 {
		var told []uint32
		if early && !begin && !done {
			told = p.certain(&sure, pcs, prev)
			hits = union(hits, told)
		}
		switch {
		case len(p.starts) == 0:
			done = done || len(pcs) == 0
		case len(hits) == len(p.members): // all of a set
			done = true
		}
		if done {
			pcs, prev = nil, kindNone // nothing will ask
		}
		key = append(key[:0], byte(prev))
		if early && begin {
			key = append(key, 1) // nothing leads there
		}
		key = appendKey(key, uint32(len(hits)))
		for _, id := range hits {
			key = appendKey(key, id)
		}
		for _, pc := range pcs {
			key = appendKey(key, pc)
		}
		n, ok := byKey[string(key)]
		if !ok {
			n = uint32(len(sets))
			byKey[string(key)] = n
			sets = append(sets, set{slices.Clone(pcs), prev, done, told})
			a.hits = append(a.hits, slices.Clone(hits))
		}
		return n
	}
	first := slices.Concat(p.starts, p.roots)
	slices.Sort(first)
	first = slices.Compact(first)
	for k := range a.begin {
		if len(p.members) == 0 || k == int(kindNone) {
			a.begin[k] = state(first, nil, kind(k), false, true)
		}
	}
	w := &p.walker
	for n := 0; n < len(sets); n++ {
		if len(sets) > budget {
			return nil
		}
		st := sets[n]
		for c := range a.stride {
			if st.done {
				w.waiting, w.hits = w.waiting[:0], w.hits[:0]
			} else {
				p.advance(w, st.pcs, st.prev, len(p.starts) > 0 && n == 0, c)
				w.hits = slices.DeleteFunc(w.hits, func(id uint32) bool { return slices.Contains(st.told, id) })
			}
			a.next = append(a.next, state(w.waiting, w.hits, p.kinds[c], st.done || c == a.stride-1, false))
		}
	}
	return a
}

// certain are the ids of what has matched whatever comes next, in order. The walker is
// its own.
func (p *part) certain(w *walker, pcs []uint32, prev kind) []uint32 {
	behind := conditions(prev, kindNone) & (syntax.EmptyBeginText | syntax.EmptyBeginLine)
	w.mark++ // there are fewer states than marks
	w.hits, w.todo = nil, append(w.todo[:0], pcs...)
	for len(w.todo) > 0 {
		pc := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if w.seen[pc] == w.mark {
			continue
		}
		w.seen[pc] = w.mark
		switch in := &p.insts[pc]; in.op {
		case opMatch:
			w.hits = append(w.hits, in.id)
		case opAlt:
			w.todo = append(w.todo, in.out, in.arg)
		case opNop:
			w.todo = append(w.todo, in.out)
		case opEmpty:
			if syntax.EmptyOp(in.arg)&^behind == 0 {
				w.todo = append(w.todo, in.out)
			}
		}
	}
	slices.Sort(w.hits)
	return slices.Compact(w.hits)
}

// union is what is in one of two ordered lists, in order.
func union(a, b []uint32) []uint32 {
	if len(b) == 0 {
		return a
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// minimise puts states together that no text tells apart, and numbers those that are
// left: the dead one first, then those with hits, then the others, each in the order
// in which they are reached.
func (a *automaton) minimise() {
	n := a.states()
	class := make([]uint32, n)
	byHits := map[string]uint32{}
	var key []byte
	for s, hits := range a.hits {
		key = key[:0]
		for _, id := range hits {
			key = appendKey(key, id)
		}
		c, ok := byHits[string(key)]
		if !ok {
			c = uint32(len(byHits))
			byHits[string(key)] = c
		}
		class[s] = c
	}
	count := len(byHits)
	finer := make([]uint32, n)
	key = make([]byte, 4*(a.stride+1))
	for {
		byRow := make(map[string]uint32, count)
		for s := range n {
			binary.LittleEndian.PutUint32(key, class[s])
			for c, to := range a.next[s*a.stride : (s+1)*a.stride] {
				binary.LittleEndian.PutUint32(key[4*c+4:], class[to])
			}
			c, ok := byRow[string(key)]
			if !ok {
				c = uint32(len(byRow))
				byRow[string(key)] = c
			}
			finer[s] = c
		}
		class, finer = finer, class
		if len(byRow) == count {
			break
		}
		count = len(byRow)
	}
	one := make([]uint32, count) // a state of each class
	for s := n - 1; s >= 0; s-- {
		one[class[s]] = uint32(s)
	}
	// In the order of reaching.
	seen := make([]bool, count)
	var order []uint32 // classes
	visit := func(s uint32) {
		if c := class[s]; !seen[c] {
			seen[c] = true
			order = append(order, c)
		}
	}
	for _, b := range a.begin {
		visit(b)
	}
	for i := 0; i < len(order); i++ {
		s := int(one[order[i]])
		for _, to := range a.next[s*a.stride : (s+1)*a.stride] {
			visit(to)
		}
	}
	rank := func(c uint32) int {
		s := one[c]
		switch {
		case len(a.hits[s]) > 0:
			return 1
		case !slices.ContainsFunc(a.next[int(s)*a.stride:(int(s)+1)*a.stride], func(to uint32) bool { return class[to] != c }):
			return 0
		}
		return 2
	}
	slices.SortStableFunc(order, func(x, y uint32) int { return rank(x) - rank(y) })
	number := make([]uint32, count)
	for i, c := range order {
		number[c] = uint32(i)
	}
	b := automaton{stride: a.stride}
	for _, c := range order {
		s := int(one[c])
		b.hits = append(b.hits, a.hits[s])
		for _, to := range a.next[s*a.stride : (s+1)*a.stride] {
			b.next = append(b.next, number[class[to]])
		}
	}
	for k := range a.begin {
		b.begin[k] = number[class[a.begin[k]]]
	}
	*a = b
}

// sink reports whether all ways from a state without hits lead back to it.
func (a *automaton) sink(s uint32) bool {
	for _, to := range a.next[int(s)*a.stride : (int(s)+1)*a.stride] {
		if to != s {
			return false
		}
	}
	return len(a.hits[s]) == 0
}
