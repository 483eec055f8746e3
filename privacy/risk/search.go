package risk

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Search is what [Table.Search] is asked for.
type Search struct {
	// Quasi are the quasi-identifiers, by name, at least one and 24 at most.
	Quasi []string

	// Hierarchies say how they may be generalised, by name. One without is kept as it
	// is and counts with a loss of 0.
	Hierarchies map[string]*Hierarchy

	// Criteria are what every class must meet, at least one.
	Criteria []Criterion

	// Suppress is how many rows may be left out: those of the classes that do not
	// meet the criteria. 0: none. Distributions are compared with that of the whole
	// table, with the rows that are left out.
	Suppress int

	// every asks about every node of the lattice, for tests.
	every bool
}

// A Generalisation is the answer of [Table.Search]. It holds names, levels and counts.
type Generalisation struct {
	Found bool // false: no node of the lattice meets the criteria

	// Steps are what to do with each quasi-identifier, in the order of the search.
	Steps []Step
	// Loss is the mean over the quasi-identifiers of level / height, 0 to 1.
	Loss float64
	// Discernibility is the sum of the squares of the sizes of classes, and of rows
	// left out × all rows (Bayardo and Agrawal, ICDE 2005).
	Discernibility float64
	Classes        int // of the rows that stay
	K              int // size of the smallest of them; 0 if no row stays
	Suppressed     int // rows that are left out

	// Nodes is the size of the lattice, and Checked how many of them had to be
	// measured to be sure.
	Nodes, Checked int

	s *sealed[application]
}

// An application is what it takes to carry a generalisation out.
type application struct {
	source  *tableData
	ladders []*ladder
	quasi   []int
	out     []bool // by row: left out; nil if none is
}

// A Step is the level that a quasi-identifier gets.
type Step struct {
	Column        string
	Level, Height int
	Name          string // what the level is, such as "bands of 5"
}

// String returns the outcome in one line.
func (g *Generalisation) String() string {
	if g == nil || !g.Found {
		return "no generalisation meets the criteria"
	}
	var parts []string
	for _, s := range g.Steps {
		parts = append(parts, s.Column+": "+s.Name)
	}
	return strings.Join(parts, ", ") + "; loss " + strconv.FormatFloat(g.Loss, 'f', 4, 64) + ", smallest class " + strconv.Itoa(g.K)
}

// Removed reports whether a row, numbered from 1, is one of the suppressed.
func (g *Generalisation) Removed(row int) bool {
	return g != nil && g.s != nil && row >= 1 && row <= len(g.s.p.out) && g.s.p.out[row-1]
}

// Apply returns the table with its quasi-identifiers generalised. Rows keep their
// numbers: the suppressed are still there, with every quasi-identifier [Suppressed],
// and must be left out of what is published (see [Generalisation.Removed] and
// [Table.WriteCSV]). It returns nil if nothing was found.
func (g *Generalisation) Apply() *Table {
	if g == nil || g.s == nil {
		return nil
	}
	a := g.s.p
	d := &tableData{columns: slices.Clone(a.source.columns), rows: a.source.rows}
	for i, q := range a.quasi {
		c, level := &d.columns[q], g.Steps[i].Level
		if level > 0 {
			l := a.ladders[i]
			codes := make([]uint32, len(c.codes))
			for row, code := range c.codes {
				codes[row] = l.codes[level][code]
			}
			c.codes, c.values = codes, l.values[level]
		}
		if g.Suppressed == 0 {
			continue
		}
		star := slices.Index(c.values, Suppressed)
		if star < 0 {
			c.values = append(slices.Clone(c.values), Suppressed)
			star = len(c.values) - 1
		}
		if level == 0 {
			c.codes = slices.Clone(c.codes)
		}
		for row, out := range a.out {
			if out {
				c.codes[row] = uint32(star)
			}
		}
	}
	return &Table{seal(d)}
}

// Limits of a search.
const (
	maxQuasi = 24
	maxNodes = 1 << 20
)

// Search finds, of all full-domain generalisations (every value of a column on one
// level of its hierarchy), the one with the least loss that meets the criteria; of
// several with that loss the one with the least discernibility, then the one with
// lower levels in the columns named first. That is proven, not tried: a node is left
// unmeasured only if another one answers for it.
//
// The lattice and its monotony: Samarati, IEEE TKDE 13(6), 2001; LeFevre, DeWitt,
// Ramakrishnan, "Incognito", SIGMOD 2005. If a node meets the criteria, so do all that
// generalise it further, and if it does not, neither do those that generalise it less.
// With rows to suppress that is still so for k-anonymity and distinct l-diversity; for
// entropy and distances it is not, because a class that meets them may be merged with
// one that does not, and then every node up to the loss of the answer is measured.
//
// That no node meets the criteria is a result (Found is false). The error is an
// [*InputError], or comes from the context.
func (t *Table) Search(ctx context.Context, s Search) (*Generalisation, error) {
	d := t.data()
	l, err := newLattice(d, &s)
	if err != nil {
		return nil, err
	}
	best, err := l.search(ctx, s.every)
	if err != nil {
		return nil, err
	}
	g := &Generalisation{Nodes: len(l.tag), Checked: l.checked}
	if best == nil {
		return g, nil
	}
	g.Found = true
	a := &application{source: d, ladders: l.ladders, quasi: l.quasi}
	g.s = seal(a)
	levels := l.levels(best.node)
	for i, level := range levels {
		name, h := d.columns[l.quasi[i]].name, s.Hierarchies[s.Quasi[i]]
		g.Steps = append(g.Steps, Step{name, level, h.Height(), h.LevelName(level)})
	}
	g.Loss = float64(l.loss[best.node]) / (float64(l.unit) * float64(len(l.quasi)))
	g.Discernibility, g.Classes, g.K, g.Suppressed = best.discernibility, best.classes, best.k, best.suppressed
	if g.Suppressed > 0 {
		if a.out, err = l.removed(levels); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// A lattice is the search at work. A node is a number in mixed radix, the first
// quasi-identifier counting least.
type lattice struct {
	quasi    []int
	ladders  []*ladder
	radix    []int // nodes between two levels of a quasi-identifier
	measures []*measure
	suppress int
	rows     int
	// Whether a node that meets the criteria, or does not, speaks for those above or
	// below.
	monotone bool

	// Items are the distinct rows, as far as the search can tell them apart.
	itemOf    []uint32 // by row
	weight    []int
	codes     [][]uint32 // by quasi-identifier, by item
	sensitive [][]uint32 // by measure, by item

	tag     []tag
	loss    []int64 // by node: sum of level × unit / height
	unit    int64   // least common multiple of the heights
	checked int

	refiner *refiner
	mapped  []uint32
}

type tag uint8

const (
	unknown tag = iota
	meets
	fails
)

// found is a node that meets the criteria.
type found struct {
	node           int
	discernibility float64
	classes, k     int
	suppressed     int
}

func newLattice(d *tableData, s *Search) (*lattice, error) {
	fail := func(problem, mend string) (*lattice, error) {
		return nil, &InputError{What: "search", Problem: problem, Mend: mend}
	}
	switch {
	case len(s.Quasi) == 0:
		return fail("no quasi-identifier", "name the columns that somebody outside may know")
	case len(s.Quasi) > maxQuasi:
		return fail("more than "+strconv.Itoa(maxQuasi)+" quasi-identifiers", "suppress some columns beforehand")
	case len(s.Criteria) == 0:
		return fail("no criterion", "KAnonymity(5), for example")
	case s.Suppress < 0:
		return fail("the number of rows to suppress is negative", "leave it 0 to keep every row")
	}
	quasi, err := d.lookup("search", s.Quasi)
	if err != nil {
		return nil, err
	}
	for name := range s.Hierarchies {
		if !slices.Contains(s.Quasi, name) {
			return nil, &InputError{What: "search", Column: name, Problem: "has a hierarchy and is no quasi-identifier", Mend: "name it with the others, or leave the hierarchy out"}
		}
	}
	l := &lattice{quasi: quasi, suppress: s.Suppress, rows: d.rows, monotone: true, unit: 1}
	nodes := 1
	for i, q := range quasi {
		climbed, err := d.columns[q].climb(s.Hierarchies[s.Quasi[i]])
		if err != nil {
			return nil, err
		}
		l.ladders = append(l.ladders, climbed)
		l.radix = append(l.radix, nodes)
		if nodes *= climbed.height() + 1; nodes > maxNodes {
			return nil, &tooLarge{InputError{What: "search", Problem: "the lattice has more than " + strconv.Itoa(maxNodes) + " nodes", Mend: "use fewer levels or columns"}}
		}
		// At most the least common multiple of 1 to 32, which is below 2^48.
		if h := int64(climbed.height()); h > 0 {
			l.unit = l.unit / gcd(l.unit, h) * h
		}
	}
	for _, c := range s.Criteria {
		m, err := c.prepare(d)
		if err != nil {
			return nil, err
		}
		if slices.Contains(quasi, m.column) {
			return nil, &InputError{What: "search", Column: c.sensitive, Problem: "is a quasi-identifier and sensitive", Mend: "it can be one of the two only"}
		}
		l.measures = append(l.measures, m)
		l.monotone = l.monotone && (s.Suppress == 0 || c.monotone())
	}
	l.tag, l.loss = make([]tag, nodes), make([]int64, nodes)
	for node := range l.loss {
		for i, level := range l.levels(node) {
			if level > 0 {
				l.loss[node] += int64(level) * (l.unit / int64(l.ladders[i].height()))
			}
		}
	}
	l.collect(d)
	return l, nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// collect makes one item of rows that no node and no criterion tells apart.
func (l *lattice) collect(d *tableData) {
	r := newRefiner(d.rows)
	for _, q := range l.quasi {
		r.by(d.columns[q].codes, len(d.columns[q].values))
	}
	for _, m := range l.measures {
		if m.column >= 0 {
			r.by(d.columns[m.column].codes, len(d.columns[m.column].values))
		}
	}
	g := r.grouping(nil)
	l.itemOf, l.weight = g.of, g.size
	pick := func(codes []uint32) []uint32 {
		picked := make([]uint32, len(g.size))
		for row, item := range g.of {
			picked[item] = codes[row]
		}
		return picked
	}
	for _, q := range l.quasi {
		l.codes = append(l.codes, pick(d.columns[q].codes))
	}
	for _, m := range l.measures {
		var codes []uint32
		if m.column >= 0 {
			codes = pick(d.columns[m.column].codes)
		}
		l.sensitive = append(l.sensitive, codes)
	}
	l.refiner = newRefiner(len(g.size))
	l.mapped = make([]uint32, len(g.size))
}

// levels are the levels of a node.
func (l *lattice) levels(node int) []int {
	levels := make([]int, len(l.radix))
	for i := range levels {
		levels[i] = l.level(node, i)
	}
	return levels
}

func (l *lattice) level(node, i int) int {
	return node / l.radix[i] % (l.ladders[i].height() + 1)
}

// classes groups the items as a node has them.
func (l *lattice) classes(levels []int) grouping {
	r := l.refiner
	r.reset()
	for i, level := range levels {
		codes := l.codes[i]
		if level > 0 {
			up := l.ladders[i].codes[level]
			for item, code := range codes {
				l.mapped[item] = up[code]
			}
			codes = l.mapped
		}
		r.by(codes, len(l.ladders[i].values[level]))
	}
	g := grouping{of: r.of, size: make([]int, r.classes)}
	r.weigh(l.weight, g.size)
	return g
}

// judge says which classes do not meet a criterion, and how many rows they have.
func (l *lattice) judge(g *grouping) (bad []bool, rows int, _ error) {
	bad = make([]bool, len(g.size))
	for i, m := range l.measures {
		values, err := m.values(g, l.weight, l.sensitive[i])
		if err != nil {
			return nil, 0, err
		}
		for class, v := range values {
			if !bad[class] && !m.met(v) {
				bad[class] = true
				rows += g.size[class]
			}
		}
		if rows > l.suppress {
			break
		}
	}
	return bad, rows, nil
}

// check measures a node: what it gives, nil if it does not meet the criteria.
func (l *lattice) check(node int) (*found, error) {
	l.checked++
	g := l.classes(l.levels(node))
	bad, rows, err := l.judge(&g)
	if err != nil || rows > l.suppress {
		return nil, err
	}
	f := &found{node: node, k: math.MaxInt, suppressed: rows, discernibility: float64(rows) * float64(l.rows)}
	for class, n := range g.size {
		if bad[class] {
			continue
		}
		f.classes++
		f.k = min(f.k, n)
		f.discernibility += float64(n) * float64(n)
	}
	if f.classes == 0 {
		f.k = 0
	}
	return f, nil
}

// search goes through the nodes by rising loss. What it asks about first is chosen so
// that the answer speaks for many: on a way from the node at hand to the top, in the
// middle of the part that is not known yet (a binary search).
func (l *lattice) search(ctx context.Context, every bool) (*found, error) {
	order := make([]int, len(l.tag))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := cmp.Compare(l.loss[a], l.loss[b]); c != 0 {
			return c
		}
		for i := range l.radix {
			if c := cmp.Compare(l.level(a, i), l.level(b, i)); c != 0 {
				return c
			}
		}
		return 0
	})
	known := map[int]*found{}
	ask := func(node int) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		f, err := l.check(node)
		if err != nil {
			return err
		}
		t := fails
		if f != nil {
			known[node], t = f, meets
		}
		l.spread(node, t, l.monotone && !every)
		return nil
	}
	var best *found
	for _, node := range order {
		if best != nil && l.loss[node] > l.loss[best.node] && !every {
			break
		}
		if l.tag[node] == unknown && l.monotone && !every {
			way := l.way(node)
			for low, high := 0, len(way); low < high && l.tag[node] == unknown; {
				middle := (low + high) / 2
				if err := ask(way[middle]); err != nil {
					return nil, err
				}
				if l.tag[way[middle]] == meets {
					high = middle
				} else {
					low = middle + 1
				}
			}
		}
		if l.tag[node] == unknown || l.tag[node] == meets && known[node] == nil {
			if err := ask(node); err != nil {
				return nil, err
			}
		}
		f := known[node]
		if f == nil {
			continue
		}
		if best == nil || l.loss[node] == l.loss[best.node] && f.discernibility < best.discernibility {
			best = f
		}
	}
	return best, nil
}

// way is a way up from a node over unknown ones.
func (l *lattice) way(node int) []int {
	way := []int{node}
	for {
		next := -1
		for i, r := range l.radix {
			if l.level(node, i) < l.ladders[i].height() && l.tag[node+r] == unknown && (next < 0 || l.loss[node+r] < l.loss[next]) {
				next = node + r
			}
		}
		if next < 0 {
			return way
		}
		way = append(way, next)
		node = next
	}
}

// spread tags a node, and with cone all above it (meets) or below it (fails).
// Neighbours that have the tag already have spread it themselves.
func (l *lattice) spread(node int, t tag, cone bool) {
	l.tag[node] = t
	if !cone {
		return
	}
	stack := []int{node}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for i, r := range l.radix {
			next := n + r
			if t == fails {
				next = n - r
				if l.level(n, i) == 0 {
					continue
				}
			} else if l.level(n, i) == l.ladders[i].height() {
				continue
			}
			if l.tag[next] == unknown {
				l.tag[next] = t
				stack = append(stack, next)
			}
		}
	}
}

// removed lists the rows in classes that a node suppresses.
func (l *lattice) removed(levels []int) ([]bool, error) {
	g := l.classes(levels)
	bad, _, err := l.judge(&g)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(l.itemOf))
	for row, item := range l.itemOf {
		out[row] = bad[g.of[item]]
	}
	return out, nil
}
