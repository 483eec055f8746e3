package risk

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// A Criterion is what every class must meet. Make one with [KAnonymity],
// [DistinctLDiversity], [EntropyLDiversity], [EqualDistanceTCloseness] or
// [OrderedDistanceTCloseness]. The zero Criterion is refused where it is used, and so
// is one with a parameter out of its range.
type Criterion struct {
	kind      kind
	sensitive string
	bound     float64
	order     *sealed[ordering] // nil: by number
}

type ordering struct{ values []string }

type kind uint8

const (
	kindNone kind = iota
	kindK
	kindDistinct
	kindEntropy
	kindEqual
	kindOrdered
)

// KAnonymity wants at least k rows in each class; k is 1 or more, and 1 asks for
// nothing. A row with k-1 others like it is found with a probability of 1/k at most
// by somebody who knows the quasi-identifiers and that the person is in the table.
func KAnonymity(k int) Criterion { return Criterion{kind: kindK, bound: float64(k)} }

// DistinctLDiversity wants at least l different values of the sensitive column in
// each class, l being 1 or more.
//
// Source: Machanavajjhala, Gehrke, Kifer, Venkitasubramaniam, "l-Diversity: Privacy
// Beyond k-Anonymity", ICDE 2006.
func DistinctLDiversity(sensitive string, l int) Criterion {
	return Criterion{kind: kindDistinct, sensitive: sensitive, bound: float64(l)}
}

// EntropyLDiversity wants exp(-Σ p ln p) ≥ l in each class, p being the shares of the
// values of the sensitive column in it, and l 1 or more. Four equally frequent values
// give 4; a class where one value prevails gives less than it has values. Rounding is
// forgiven up to one in 10^9.
//
// Source: the paper named at [DistinctLDiversity], where the bound is log l.
func EntropyLDiversity(sensitive string, l float64) Criterion {
	return Criterion{kind: kindEntropy, sensitive: sensitive, bound: l}
}

// EqualDistanceTCloseness wants the distance between the distribution of the
// sensitive column in each class, p, and in the whole table, q, to be t at most, 0 to
// 1. All values are equally far from each other, so that the earth mover's distance
// is ½ Σ |p − q|. Rounding is forgiven up to 10^-9.
//
// Source: Li, Li, Venkatasubramanian, "t-Closeness: Privacy Beyond k-Anonymity and
// l-Diversity", ICDE 2007, section 5.2 (equal distance).
func EqualDistanceTCloseness(sensitive string, t float64) Criterion {
	return Criterion{kind: kindEqual, sensitive: sensitive, bound: t}
}

// OrderedDistanceTCloseness is like [EqualDistanceTCloseness] for values in an order:
// two of m values that are i places apart have the distance i/(m−1), and the earth
// mover's distance is 1/(m−1) Σ |Σ (p − q)|, the outer sum over i from 1 to m−1, the
// inner one over the values up to the i-th.
//
// Without order the values must be decimal numbers and are taken by size, equal
// numbers in different spellings being one value. Order names every value that
// occurs, in its place; values that do not occur have no place.
//
// Source: section 5.1 of the paper named there.
func OrderedDistanceTCloseness(sensitive string, t float64, order ...string) Criterion {
	c := Criterion{kind: kindOrdered, sensitive: sensitive, bound: t}
	if len(order) > 0 {
		c.order = seal(&ordering{slices.Clone(order)})
	}
	return c
}

// Name returns the name of the measure as ARX has it, such as "k-anonymity" or
// "distinct l-diversity"; "none" for the zero Criterion.
func (c Criterion) Name() string {
	switch c.kind {
	case kindK:
		return "k-anonymity"
	case kindDistinct:
		return "distinct l-diversity"
	case kindEntropy:
		return "entropy l-diversity"
	case kindEqual:
		return "equal-distance t-closeness"
	case kindOrdered:
		return "ordered-distance t-closeness"
	}
	return "none"
}

// Sensitive returns the column that the criterion is about, empty for k-anonymity.
func (c Criterion) Sensitive() string { return c.sensitive }

// Bound returns k, l or t.
func (c Criterion) Bound() float64 { return c.bound }

// String returns name, column and bound, as in "distinct l-diversity of disease, at
// least 2".
func (c Criterion) String() string {
	s := c.Name()
	if c.sensitive != "" {
		s += " of " + c.sensitive
	}
	side := ", at least "
	if c.upper() {
		side = ", at most "
	}
	return s + side + strconv.FormatFloat(c.bound, 'g', -1, 64)
}

// Format implements fmt.Formatter with the text of String, whatever the verb: an
// order holds values.
func (c Criterion) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// MarshalText implements encoding.TextMarshaler with the text of String.
func (c Criterion) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// upper reports whether the bound is an upper one.
func (c Criterion) upper() bool { return c.kind == kindEqual || c.kind == kindOrdered }

// monotone reports whether a class that meets the criterion still does when it is
// merged with one that does not. Then it may be pruned with rows suppressed too.
func (c Criterion) monotone() bool { return c.kind == kindK || c.kind == kindDistinct }

// slack forgives rounding. Without it two classes that are both at the bound might be
// beyond it by one bit when they are merged, and the lattice would not be monotone.
const slack = 1e-9

// met compares a measured value with the bound.
func (c Criterion) met(value float64) bool {
	switch {
	case c.upper():
		return value <= c.bound+slack
	case c.kind == kindEntropy:
		return value >= c.bound*(1-slack)
	}
	return value >= c.bound
}

// worse reports whether a is farther on the wrong side than b.
func (c Criterion) worse(a, b float64) bool {
	if c.upper() {
		return a > b
	}
	return a < b
}

// A measure is a criterion made ready for one table.
type measure struct {
	Criterion
	column int      // the sensitive column, -1 for k-anonymity
	rank   []uint32 // ordered distance: place of each value
	total  []int    // rows of the table by value, or by place
	rows   int
}

// maxOrderedWork bounds classes × values of the ordered distance.
const maxOrderedWork = 1 << 34

// prepare checks a criterion against a table.
func (c Criterion) prepare(d *tableData) (*measure, error) {
	fail := func(problem, mend string) (*measure, error) {
		return nil, &InputError{What: "criterion", Column: c.sensitive, Problem: problem, Mend: mend}
	}
	switch {
	case c.kind == kindNone:
		return fail("the zero Criterion asks for nothing", "make one with KAnonymity, DistinctLDiversity, …")
	case math.IsNaN(c.bound) || math.IsInf(c.bound, 0):
		return fail(c.Name()+": the bound is not a number", "use one in the range of the criterion")
	case c.upper() && (c.bound < 0 || c.bound > 1):
		return fail(c.Name()+": t must be from 0 to 1", "0.2 is a usual choice")
	case !c.upper() && c.bound < 1:
		return fail(c.Name()+": the bound must be 1 or more", "5 is a usual k, 2 or 3 a usual l")
	}
	m := &measure{Criterion: c, column: -1, rows: d.rows}
	if c.kind == kindK {
		return m, nil
	}
	if m.column = d.find(c.sensitive); m.column < 0 {
		return fail("there is no such column", "name one of the header, as it is written there")
	}
	column := &d.columns[m.column]
	places := len(column.values)
	if c.kind == kindOrdered {
		var err error
		if m.rank, places, err = column.places(c.order); err != nil {
			return nil, err
		}
	}
	m.total = make([]int, places)
	for _, code := range column.codes {
		m.total[m.place(code)]++
	}
	return m, nil
}

func (m *measure) place(code uint32) uint32 {
	if m.rank != nil {
		return m.rank[code]
	}
	return code
}

// places gives each value its place in the order; equal numbers share one.
func (c *column) places(order *sealed[ordering]) (rank []uint32, places int, err error) {
	fail := func(row int, problem, mend string) ([]uint32, int, error) {
		return nil, 0, &InputError{What: "criterion", Column: c.name, Row: row, Problem: problem, Mend: mend}
	}
	rank = make([]uint32, len(c.values))
	if order != nil {
		at := make(map[string]int, len(order.p.values))
		for i, v := range order.p.values {
			if _, ok := at[v]; ok {
				return fail(0, "value "+strconv.Itoa(i+1)+" of the order is in it twice", "name each once")
			}
			at[v] = i
		}
		present := make([]int, 0, len(c.values))
		for code, v := range c.values {
			i, ok := at[v]
			if !ok {
				return fail(c.first(uint32(code)), "the value is not in the order", "add it in its place")
			}
			present = append(present, i)
		}
		sorted := slices.Sorted(slices.Values(present))
		for code, i := range present {
			place, _ := slices.BinarySearch(sorted, i)
			rank[code] = uint32(place)
		}
		return rank, len(sorted), nil
	}
	numbers := make([]float64, len(c.values))
	codes := make([]int, len(c.values))
	for code, v := range c.values {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return fail(c.first(uint32(code)), "the value is not a number, and an ordered distance needs an order", "give the order of values, or use the equal distance")
		}
		numbers[code], codes[code] = n, code
	}
	slices.SortFunc(codes, func(a, b int) int { return cmp.Compare(numbers[a], numbers[b]) })
	for i, code := range codes {
		if i > 0 && numbers[code] != numbers[codes[i-1]] {
			places++
		}
		rank[code] = uint32(places)
	}
	return rank, min(places+1, len(codes)), nil
}

// first is the number of the first row with a value.
func (c *column) first(code uint32) int { return slices.Index(c.codes, code) + 1 }

// values measures every class. Items have a weight, 1 if weight is nil, and codes of
// the sensitive column. The classes hold a part of the table or the whole.
func (m *measure) values(g *grouping, weight []int, codes []uint32) ([]float64, error) {
	values := make([]float64, len(g.size))
	if m.kind == kindK {
		for i, n := range g.size {
			values[i] = float64(n)
		}
		return values, nil
	}
	if m.kind == kindOrdered && int64(len(g.size))*int64(len(m.total)) > maxOrderedWork {
		return nil, &tooLarge{InputError{What: "criterion", Column: m.sensitive, Problem: "too many different values for the ordered distance in so many classes", Mend: "generalise the column into bands first"}}
	}
	order, start := bucket(g.of, len(g.size), nil, nil)
	count := make([]int, len(m.total)) // of the class at hand, by place
	var touched []uint32
	for class, n := range g.size {
		for _, item := range order[start[class]:start[class+1]] {
			place := m.place(codes[item])
			if count[place] == 0 {
				touched = append(touched, place)
			}
			if weight == nil {
				count[place]++
			} else {
				count[place] += weight[item]
			}
		}
		switch m.kind {
		case kindDistinct:
			values[class] = float64(len(touched))
		case kindEntropy:
			// H = ln n − 1/n Σ c ln c, which is exactly 0 for a single value.
			sum := 0.0
			slices.Sort(touched) // so that the rounding is the same in any order of rows
			for _, p := range touched {
				c := float64(count[p])
				sum += c * math.Log(c)
			}
			values[class] = math.Exp(max(0, math.Log(float64(n))-sum/float64(n)))
			if len(touched) == 1 {
				values[class] = 1
			}
		case kindEqual:
			values[class] = m.equal(n, count, touched)
		case kindOrdered:
			values[class] = m.ordered(n, count)
		}
		for _, p := range touched {
			count[p] = 0
		}
		touched = touched[:0]
	}
	return values, nil
}

// equal is ½ Σ |c/n − q/N| = Σ |cN − qn| / 2nN, in whole numbers up to the division:
// both products are below 2^62.
func (m *measure) equal(n int, count []int, touched []uint32) float64 {
	var high, low uint64
	rest := m.rows
	for _, p := range touched {
		rest -= m.total[p]
		add(&high, &low, int64(count[p])*int64(m.rows)-int64(m.total[p])*int64(n))
	}
	add(&high, &low, int64(rest)*int64(n)) // values that the class has not
	return wide(high, low) / (2 * float64(n) * float64(m.rows))
}

// ordered is 1/(m−1) Σ |Σ (c/n − q/N)|, in whole numbers up to the division.
func (m *measure) ordered(n int, count []int) float64 {
	if len(m.total) < 2 {
		return 0
	}
	var high, low uint64
	var sum int64
	for p, q := range m.total[:len(m.total)-1] {
		sum += int64(count[p])*int64(m.rows) - int64(q)*int64(n)
		add(&high, &low, sum)
	}
	return wide(high, low) / (float64(len(m.total)-1) * float64(n) * float64(m.rows))
}

// add adds |x| to a number of 128 bits.
func add(high, low *uint64, x int64) {
	if x < 0 {
		x = -x
	}
	var carry uint64
	*low, carry = bits.Add64(*low, uint64(x), 0)
	*high += carry
}

func wide(high, low uint64) float64 { return float64(high)*(1<<64) + float64(low) }
